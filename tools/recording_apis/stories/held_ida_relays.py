"""What stands in between."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ida_wire import Desk, Req, Res, Rows, digest, http_date, iso
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ida_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _pipelines(rows: Rows) -> Desk:
    desk = Desk()
    media = "application/vnd.go.cd.v11+json"

    def mark(key: str) -> str:
        return f'"{digest(rows[key].data, 32, "sha256")}"'

    @desk.on("GET PUT", r"/go/api/admin/pipelines/(\w+)")
    def pipeline(req: Req, key: str) -> Res:
        if req.method == "PUT":
            if req.fields.get("if-match") != mark(key):
                said = f"Someone has modified the configuration for pipeline '{key}'. Please update your copy of the config with the changes and try again."
                return Res(412, {"message": said}, {"Content-Type": media})
            rows.keep(key, req.json, "build")
        if req.fields.get("if-none-match") == mark(key):
            return Res(304, b"", {"ETag": mark(key)})
        return Res(
            200,
            rows[key].data,
            {"ETag": mark(key), "Content-Type": "application/json", "X-GoCD-Media": media},
        )

    desk.page("/go/api/version", {"version": "24.3.0"})
    desk.page("/go/api/dashboard", {"_embedded": {"pipelines": ["firmware", "docs"]}}, ETag='"dash-881"')
    return desk


@case(
    "d752",
    "ida-pipeline-config-through-deflate",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    synthetic=True,
    description=(
        "A build team's tool edits pipelines (after the pattern of GoCD) behind an Apache that compresses and adds -gzip to the tag; the "
        "server compares the octets and answers 412 to If-Match with the suffix, twice. Read as identity, the tag has no suffix."
    ),
)
def pipeline(stage: Stage) -> None:
    """Send back what an encoder made of the tag."""
    rows = Rows()
    for key in ("firmware", "docs"):
        rows.seed(
            key,
            {
                "name": key,
                "label_template": "${COUNT}",
                "stages": [{"name": f"s{n}", "jobs": ["a", "b"]} for n in range(14)],
            },
        )
    server = place.serve(stage, _pipelines(rows), "waitress", "GoCD")
    edge = fronts.apache(stage, server, "AddOutputFilterByType DEFLATE application/json")
    me = stage.actor(
        "client", edge, "build.firmware.test", "requests", {"Accept": "application/vnd.go.cd.v11+json"}
    )
    place.look(me, "/go/api/version", "/go/api/dashboard")
    for template in ("${COUNT}-${git}", "${git}"):
        seen = me.get("/go/api/admin/pipelines/firmware")
        place.sure(seen.etag.endswith('-gzip"'))
        me.put(
            "/go/api/admin/pipelines/firmware",
            {**seen.json, "label_template": template},
            412,
            {"If-Match": seen.etag},
        )
        place.rest(0.4)
    plain = me.get("/go/api/admin/pipelines/firmware", 200, {"Accept-Encoding": "identity"})
    place.sure("-gzip" not in plain.etag)
    place.look(me, "/go/api/dashboard")


@case(
    "d755",
    "ida-auction-lots-through-gzip",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    synthetic=True,
    description=(
        "A fish auction's desk edits lots of an API after the pattern of Python Eve behind an nginx that compresses: the ETag field comes as "
        "W/, the If-Match with it is 412, though _etag in the content is the same value. Short lots below nginx's limit keep "
        "their strong tag, and their changes pass; so does a read with identity show a strong one."
    ),
)
def lots(stage: Stage) -> None:
    """Have a strong tag made weak."""
    rows = Rows()
    rows.seed("6741a0", {"art": "Seelachs", "kisten": 40, "notiz": "Fang vom Morgen, " * 12})
    rows.seed("6741a1", {"art": "Hering", "kisten": 5, "notiz": ""})
    desk = Desk()

    def shown(key: str) -> Res:
        row = rows[key]
        mark = digest([key, row.data, row.rev], 40, "sha1")
        return Res(
            200, {"_id": key, **row.data, "_updated": http_date(row.at), "_etag": mark}, {"ETag": f'"{mark}"'}
        )

    @desk.on("GET PATCH", r"/lose/(\w+)")
    def lot(req: Req, key: str) -> Res:
        if req.method == "PATCH":
            if req.fields.get("if-match", "").strip('"') != shown(key).body["_etag"]:
                error = {"code": 412, "message": "Client and server etags don't match"}
                return Res(412, {"_status": "ERR", "_error": error})
            rows.keep(key, {**rows[key].data, **req.json}, "pult")
        return shown(key)

    desk.page("/lose", {"_items": [{"_id": "6741a0"}, {"_id": "6741a1"}], "_meta": {"total": 2}})
    desk.page("/gebote", {"_items": []})
    server = place.serve(stage, desk, "flask-cheroot", "Python Eve")
    gzip = "gzip on; gzip_types application/json; gzip_min_length 200; gzip_proxied any; gzip_vary on;"
    edge = fronts.nginx(stage, server, gzip)
    me = stage.actor("client", edge, "lose.fischmarkt.test", "node:axios", {"User-Agent": "pult/1.8"})
    place.look(me, "/lose", "/gebote?since=0")
    small, big = me.get("/lose/6741a1"), me.get("/lose/6741a0")
    me.send("PATCH", "/lose/6741a1", 200, {"If-Match": small.etag}, {"kisten": 4})
    place.sure(big.etag.startswith("W/"))
    me.send("PATCH", "/lose/6741a0", 412, {"If-Match": big.etag}, {"kisten": 38})
    place.rest(0.5)
    place.look(me, "/gebote?since=1")
    big = me.get("/lose/6741a0")
    me.send("PATCH", "/lose/6741a0", 412, {"If-Match": big.etag}, {"kisten": 38})
    place.sure(not me.get("/lose/6741a0", 200, {"Accept-Encoding": "identity"}).etag.startswith("W/"))


def _parts_desk() -> Any:
    rows, log = Rows(first=2), []
    for number in (5, 7):
        rows.seed(f"op-{number}", {"werk": f"Sinfonie {number}", "streicher": "", "bläser": ""})
    desk = Desk()

    @desk.on("GET PUT", r"/bibliothek/(op-\d)")
    def work(req: Req, key: str) -> Res:
        mark = f'"{key}-v{rows[key].rev}"'
        if req.method == "PUT":
            sent = req.fields.get("if-match")
            if sent and sent != mark:
                return Res(412, {"meldung": "Die Fassung ist überholt", "aktuell": mark})
            rows.keep(key, req.json, req.who)
            mark = f'"{key}-v{rows[key].rev}"'
            log.append(
                {
                    "zeit": iso(time.time()),
                    "wer": req.who,
                    "werk": key,
                    "fassung": rows[key].rev,
                    "bedingung": sent,
                }
            )
        return Res(200, rows[key].data, {"ETag": mark})

    @desk.on("GET", "/bibliothek/journal")
    def journal(_req: Req) -> Res:
        return Res(200, {"schreibvorgänge": list(log)})

    desk.page("/bibliothek", {"werke": ["op-5", "op-7"]}, ETag='"liste-2"')
    return desk


@case(
    "d760",
    "ida-orchestra-parts-guard-never-arrives",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    description=(
        "An orchestra's library writes its parts lists with If-Match through an HAProxy whose old rule deletes that field. The outdated "
        "save is 200, and the conductor's bowing is gone. The service's journal says what condition each write came with: none for "
        "the client's, a tag for the write of the conductor, who works in the house without the proxy."
    ),
)
def parts(stage: Stage) -> None:
    """Guard a write whose guard is taken off."""
    desk = _parts_desk()
    server = place.serve(stage, desk, "stdlib")
    edge = fronts.haproxy(
        stage, [server], ' http-request del-header If-Match\n http-response set-header Via "1.1 tor"'
    )
    me = stage.actor("client", edge, "noten.philharmonie.test", "httpx", {"X-User": "notenwart"})
    other = stage.actor("other", server, "noten.philharmonie.test", "requests", {"X-User": "dirigentin"})
    place.again(me, "/bibliothek")
    other_seen = other.get("/bibliothek/op-7")
    held = {key: me.get(f"/bibliothek/{key}") for key in ("op-5", "op-7")}
    other.put(
        "/bibliothek/op-7",
        {**other_seen.json, "streicher": "T. 41 Aufstrich"},
        200,
        {"If-Match": other_seen.etag},
    )
    place.rest(0.6)
    for key, seen in held.items():
        me.put(f"/bibliothek/{key}", {**seen.json, "bläser": "2. Fagott fehlt"}, 200, {"If-Match": seen.etag})
        place.rest(0.2)
    place.sure(me.get("/bibliothek/op-7").json["streicher"] == "")
    told = me.get("/bibliothek/journal").json["schreibvorgänge"]
    place.sure([one["bedingung"] for one in told] == ['"op-7-v2"', None, None])


@case(
    "d799",
    "ida-menu-read-back-from-the-edge",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    synthetic=True,
    description=(
        "An editor of a headless CMS behind Varnish saves a navigation menu and gets the new tag; when it opens the menu for the next "
        "edit, Varnish hands out the old one from its store (Age above 0), and the save with that tag is 412. With a parameter that "
        "is not in the store, the read shows the tag of its own save."
    ),
)
def menu(stage: Stage) -> None:
    """Read from a store what one has just changed."""
    rows = Rows(first=70)
    for key in ("haupt", "fuss"):
        rows.seed(key, {"titel": key, "punkte": ["Start", "Kontakt"]}, 40000)
    desk = Desk(x_powered_by="Strapi")

    @desk.on("GET PUT", r"/api/menus/(\w+)")
    def one(req: Req, key: str) -> Res:
        if req.method == "PUT":
            if req.fields.get("if-match") != f'"{key}:{rows[key].rev}"':
                error = {
                    "status": 412,
                    "name": "PreconditionFailedError",
                    "message": "Document has a newer version",
                }
                return Res(412, {"data": None, "error": error})
            rows.keep(key, req.json["data"], "redaktion")
        row = rows[key]
        known = {
            "ETag": f'"{key}:{row.rev}"',
            "Cache-Control": "public, max-age=25" if req.method == "GET" else "no-store",
        }
        return Res(200, {"data": {"documentId": key, **row.data}, "meta": {"updatedAt": iso(row.at)}}, known)

    desk.page("/api/users/me", {"id": 4, "username": "redaktion"}, Cache_Control="no-store")
    desk.page(
        "/uploads/logo.svg", "<svg/>", Content_Type="image/svg+xml", ETag='"lg1"', Cache_Control="max-age=600"
    )
    server = place.serve(stage, desk, "tornado", "Strapi")
    edge = fronts.varnish(stage, server)
    me = stage.actor("client", edge, "cms.stadtwerke.test", "aiohttp")
    place.look(me, "/api/users/me", "/uploads/logo.svg")
    seen = me.get("/api/menus/haupt")
    me.get("/api/menus/fuss")
    saved = me.put(
        "/api/menus/haupt",
        {"data": {"titel": "haupt", "punkte": ["Start", "Störung", "Kontakt"]}},
        200,
        {"If-Match": seen.etag},
    )
    place.rest(2.1)
    place.look(me, "/api/users/me", "/uploads/logo.svg")
    back = me.get("/api/menus/haupt")
    place.sure(back.etag == seen.etag and int(back.fields["age"]) >= 1)
    points = [*back.json["data"]["punkte"], "Karriere"]
    me.put("/api/menus/haupt", {"data": {"titel": "haupt", "punkte": points}}, 412, {"If-Match": back.etag})
    place.rest(0.3)
    place.sure(me.get("/api/menus/haupt").etag == seen.etag)
    place.sure(me.get("/api/menus/haupt?t=1732757").etag == saved.etag)


def _search(rows: Rows, base: int) -> tuple[Desk, dict[str, Any]]:
    desk, shown = Desk(X_elastic_product="Elasticsearch"), {}

    def hit(key: str) -> dict[str, Any]:
        row = rows[key]
        return {
            "_index": "betriebe",
            "_id": key,
            "_seq_no": base + row.rev,
            "_primary_term": 3,
            "_source": row.data,
        }

    for key in rows.rows:
        shown[key] = (0.0, hit(key))

    @desk.on("POST", "/betriebe/_search")
    def search(_req: Req) -> Res:
        for key in rows.rows:
            if time.time() - rows[key].at > 1.8:
                shown[key] = (rows[key].at, hit(key))
        hits = [one for _, one in shown.values()]
        found = {"total": {"value": len(hits), "relation": "eq"}, "hits": hits}
        return Res(200, {"took": 2, "timed_out": False, "hits": found})

    @desk.on("PUT", r"/betriebe/_doc/(\w+)")
    def index(req: Req, key: str) -> Res:
        now = hit(key)
        if int(req.query["if_seq_no"]) != now["_seq_no"]:
            said = f"[{key}]: version conflict, required seqNo [{req.query['if_seq_no']}], primary term [3]. current document has seqNo [{now['_seq_no']}] and primary term [3]"
            kind = {"type": "version_conflict_engine_exception", "index": "betriebe", "shard": "0"}
            cause = {**kind, "reason": said}
            return Res(409, {"error": {"root_cause": [cause], **cause}, "status": 409})
        rows.keep(key, req.json, "x")
        done = {name: one for name, one in hit(key).items() if name != "_source"}
        return Res(
            200,
            {
                **done,
                "_version": rows[key].rev,
                "result": "updated",
                "_shards": {"total": 2, "successful": 2, "failed": 0},
            },
        )

    desk.page("/betriebe/_count", {"count": 3, "_shards": {"total": 1, "successful": 1}})
    desk.page("/_cluster/health", {"status": "green", "number_of_nodes": 3})
    return desk, shown


@case(
    "d771",
    "ida-inspection-grades-found-by-search",
    "replica-lag",
    "409",
    alone="replica-lag",
    synthetic=True,
    description=(
        "An inspection desk takes _seq_no from searches of a store after the pattern of Elasticsearch, whose search lags behind the "
        "writes. Its own update was answered with a new _seq_no; the search right after shows the old document, the next update with it is "
        "409; two seconds later the search shows the new one. Nobody else writes, and no cache is in between."
    ),
)
def grades(stage: Stage) -> None:
    """Search before the index has caught up."""
    rows = Rows(first=4)
    for number, key in enumerate(("b17", "b22", "b31")):
        rows.seed(key, {"name": f"Imbiss {number}", "note": 2, "kommentar": ""}, 9000 + number)
    desk, _shown = _search(rows, 4400)
    server = place.serve(stage, desk, "starlette", "Elasticsearch")
    me = stage.actor(
        "client", server, "suche.amt.test", "httpx", {"User-Agent": "elasticsearch-py/8.15 (Python; httpx)"}
    )
    place.look(me, "/_cluster/health", "/betriebe/_count")
    ask = {"query": {"match": {"name": "Imbiss"}}, "seq_no_primary_term": True}

    def find(key: str) -> dict[str, Any]:
        hits = place.post(me, "/betriebe/_search", ask).json["hits"]["hits"]
        return next(one for one in hits if one["_id"] == key)

    first = find("b22")
    done = me.put(
        f"/betriebe/_doc/b22?if_seq_no={first['_seq_no']}&if_primary_term=3",
        {**first["_source"], "note": 3},
        200,
    ).json
    place.rest(0.2)
    second = find("b22")
    place.sure(second["_seq_no"] == first["_seq_no"] < done["_seq_no"])
    me.put(
        f"/betriebe/_doc/b22?if_seq_no={second['_seq_no']}&if_primary_term=3",
        {**second["_source"], "kommentar": "Kühlung"},
        409,
    )
    place.rest(2.0)
    place.look(me, "/betriebe/_count")
    place.sure(find("b22")["_seq_no"] == done["_seq_no"])


@case(
    "d783",
    "ida-map-tiles-from-two-mirrors",
    "inconsistent-backends",
    "restarted-download",
    alone="inconsistent-backends",
    description=(
        "A map client goes on with interrupted downloads by Range and If-Range, from two nginx mirrors behind an HAProxy that takes turns; "
        "the deploy gave the same files another mtime on each, so the tag of one does not fit the other, and the client gets the whole "
        "pack (200) again and again instead of the rest (206). X-Mirror tells which answered; the octets are the same."
    ),
)
def tiles(stage: Stage) -> None:
    """Meet the other mirror."""
    pack = "\n".join(f"tile {n} {digest(str(n), 20)}" for n in range(60))
    files = {"karte/z12.pack": pack, "karte/legende.json": '{"wege":3}'}
    one = fronts.site(stage, "nginx", files, "add_header X-Mirror m1 always;", age=7200)
    two = fronts.site(stage, "nginx", files, "add_header X-Mirror m2 always;", age=7055)
    edge = fronts.haproxy(stage, [one, two])
    me = stage.actor(
        "client", edge, "karten.wandern.test", "curl:trace-time", {"User-Agent": "offline-karte/4"}
    )
    for _ in range(2):
        me.get("/karte/legende.json")
    seen = me.get("/karte/z12.pack", 206, {"Range": "bytes=0-799"})
    for _ in range(3):
        whole = me.get("/karte/z12.pack", 200, {"Range": "bytes=800-", "If-Range": seen.etag})
        place.sure(whole.etag != seen.etag and whole.body[:800] == seen.body)
        place.rest(0.3)
        seen = me.get("/karte/z12.pack", 206, {"Range": "bytes=0-799"})
    heads = [me.send("HEAD", "/karte/z12.pack", 200) for _ in range(4)]
    place.sure(len({h.etag for h in heads}) == 2 and len({h.fields["content-length"] for h in heads}) == 1)
