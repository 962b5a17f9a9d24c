"""Stories of what stands between: caches, gateways and balancers that run for real."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.hal_core import Desk, Res, Sheet, Table, digest, iso
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_hal_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.apps.hal_core import Req
    from tools.recording_apis.stage import Stage


@case(
    "d748",
    "hal-long-herbarium-sheets-do-not-save",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "Before a herbarium stands an nginx that compresses what is longer than 400 octets and makes its tags weak; the "
        "herbarium compares strongly. Short sheets save, long ones are 412 with the tag as served; read uncompressed "
        "they bear the same tag without W/, and that passes."
    ),
)
def herbarium(stage: Stage) -> None:
    """Save what was read compressed."""
    desk = Desk(X_Collection="HBG")
    habit = (
        "Kraut, mehrjährig, Blätter gegenständig, am Rand gesägt; Blüten in Scheinquirlen, Krone violett. "
    )
    data: dict[str, Any] = {
        f"HBG-{n}": {"taxon": "Salvia", "barcode": n, "habit": habit * 6} for n in (50411, 50412)
    }
    data["HBG-50413"] = {"taxon": "Mentha", "habit": ""}
    sheet = Sheet(
        desk, "/specimens", Table.of(data, 2), token=lambda _k, row: f'"{digest(row.data, 16)}"', need=428
    )
    sheet.words = lambda _req, key, _row: {"title": "Precondition Failed", "specimen": key}
    origin = at.house(stage, desk, "waitress", "a herbarium")
    lines = "gzip on; gzip_types application/json; gzip_min_length 400; gzip_proxied any; gzip_vary on;"
    server = fronts.nginx(stage, origin, lines)
    me = stage.actor("client", server, "herbar.botanik.example", "requests", {"X-User": "digitalisierung"})
    me.get("/specimens")
    at.edit(me, "/specimens/HBG-50413", {"habit": "Ausläufer"})
    for turn, key in enumerate(("HBG-50411", "HBG-50412")):
        seen = me.get(f"/specimens/{key}")
        body = {**seen.json, "taxon": "Salvia pratensis"}
        me.put(f"/specimens/{key}", body, 412, {"If-Match": seen.etag})
        at.wait(0.5)
        me.put(f"/specimens/{key}", body, 412, {"If-Match": me.get(f"/specimens/{key}").etag})
        if turn:
            plain = me.get(f"/specimens/{key}", 200, {"Accept-Encoding": "identity"})
            at.must(seen.etag == f"W/{plain.etag}")
            me.put(f"/specimens/{key}", body, 200, {"If-Match": plain.etag})
    at.edit(me, "/specimens/HBG-50413", {"taxon": "Mentha arvensis"})


@case(
    "d741",
    "hal-track-closures-through-the-gateway",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    description=(
        "A railway's gateway (nginx) drops If-Match. A planner's save with an outdated tag is stored over a signaller's "
        "speed limit; the service's own journal names the condition of each write, and none for those that came through "
        "the gateway. Who writes without the gateway is checked."
    ),
)
def closures(stage: Stage) -> None:
    """Be guarded as far as the gateway."""
    desk = Desk(Server="Gleisplan")
    data = {f"SP-{n}": {"from": "22:40", "to": "04:10", "limit_kmh": None} for n in (518, 519)}
    table = Table.of(data, 7)
    given: dict[tuple[str, int], str | None] = {}
    sheet = Sheet(desk, "/possessions", table, token=lambda key, row: f'"{key}.{row.n}"')
    sheet.words = lambda _req, key, row: {
        "error": "outdated",
        "possession": key,
        "version": row.n if row else None,
    }
    sheet.done.append(lambda req, key, row: given.__setitem__((key, row.n), req.fields.get("if-match")))

    def journal(_req: Req, key: str) -> Res:
        rows = [*table.rows[key].past, table.rows[key]]
        told = [
            {"n": r.n, "by": r.by, "ifMatch": given.get((key, r.n)), "limit_kmh": r.data["limit_kmh"]}
            for r in rows
        ]
        return Res(200, {"journal": told})

    desk.on("GET", "/possessions/{key}/journal", journal)
    desk.page("/lines", ["1720", "1722"], tag='"ln-2"')
    origin = at.house(stage, desk, "cheroot", "a railway's possessions")
    lines = 'proxy_set_header If-Match ""; proxy_set_header Via "1.1 gw-nord"; add_header Via "1.1 gw-nord" always;'
    server = fronts.nginx(stage, origin, lines)
    me = stage.actor("client", server, "plan.netz.example", "node:axios", {"X-User": "planner"})
    other = stage.actor("other", origin, "plan.netz.example", "httpx", {"X-User": "signal-box"})
    at.again(me, "/lines")
    mine, theirs = me.get("/possessions/SP-518"), other.get("/possessions/SP-518")
    other.put("/possessions/SP-518", {**theirs.json, "limit_kmh": 70}, 200, {"If-Match": theirs.etag})
    other.put("/possessions/SP-518", {**theirs.json, "limit_kmh": 60}, 412, {"If-Match": theirs.etag})
    at.wait(1.1)
    at.edit(me, "/possessions/SP-519", {"to": "03:50"})
    got = me.put("/possessions/SP-518", {**mine.json, "to": "04:40"}, 200, {"If-Match": mine.etag})
    at.must(got.etag == '"SP-518.9"')
    at.wait(0.5)
    told = me.get("/possessions/SP-518/journal").json["journal"]
    at.must([one["ifMatch"] for one in told] == [None, mine.etag, None] and told[1]["limit_kmh"] == 70)
    other.get("/possessions/SP-518")


@case(
    "d747",
    "hal-pool-hours-from-the-edge",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    also="other-writer",
    description=(
        "A Varnish keeps reads of a town's pools for half a minute. A desk's change of the hours is based on such a copy "
        "(Age, hits) while the office has written: 412, and again after a second read of the copy. A read past the cache "
        "shows the new tag, with which it passes."
    ),
)
def pools(stage: Stage) -> None:
    """Edit what the edge has kept."""
    desk = Desk(Server="Badwelt")
    data = {name: {"open": "07:00", "close": "21:00", "lanes": 6} for name in ("nord", "ost", "insel")}
    sheet = Sheet(desk, "/pools", Table.of(data, 30), token=lambda key, row: f'"{key}-{row.n}"', need=428)
    sheet.words = lambda _req, key, _row: {"error": "hours were changed", "pool": key}
    origin = at.house(stage, desk, "flask", "a town's pools")
    vcl = (
        'sub vcl_recv { if (req.http.Cache-Control ~ "no-cache") { set req.hash_always_miss = true; } }\n'
        "sub vcl_backend_response { set beresp.ttl = 30s; }\n"
        'sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; } }'
    )
    server = fronts.varnish(stage, origin, vcl)
    me = stage.actor("client", server, "baeder.stadt.example", "httpx", {"X-User": "kasse-ost"})
    office = stage.actor("other", origin, "baeder.stadt.example", "urllib", {"X-User": "verwaltung"})
    me.get("/pools")
    me.get("/pools/ost")
    me.get("/pools/insel")
    at.edit(office, "/pools/ost", {"close": "20:00"})
    at.wait(2.1)
    for _ in range(2):
        kept = me.get("/pools/ost")
        at.must(kept.fields["x-cache"] == "HIT" and kept.json["close"] == "21:00")
        me.put("/pools/ost", {**kept.json, "lanes": 4}, 412, {"If-Match": kept.etag})
        at.wait(0.9)
    fresh = me.get("/pools/ost", 200, {"Cache-Control": "no-cache"})
    at.must(fresh.json["close"] == "20:00")
    me.put("/pools/ost", {**fresh.json, "lanes": 4}, 200, {"If-Match": fresh.etag})
    me.get("/pools/nord")


def _samples(table: Table, late: float, node: str) -> Desk:
    desk = Desk(X_Served_By=node)

    def listing(_req: Req) -> Res:
        rows = {k: r for k, r in table.rows.items() if r.at <= time.time() - late}
        own = {"ETag": f'"acc-{3000 + len(rows)}"', "Cache-Control": "no-store"}
        return Res(
            200, {"rev": 3000 + len(rows), "samples": [{"id": k, **r.data} for k, r in rows.items()]}, own
        )

    def add(req: Req) -> Res:
        key = f"26-{4400 + len(table.rows)}"
        table.save(key, {**req.json, "accessioned": iso(time.time(), 3)}, req.who)
        own = {"Location": f"/accessions/{key}", "ETag": f'"acc-{3000 + len(table.rows)}"'}
        return Res(201, {"id": key, "rev": 3000 + len(table.rows)}, own)

    desk.on("GET", "/accessions", listing)
    desk.on("POST", "/accessions", add)
    desk.page("/couriers", [{"id": 7, "bags": 3}], tag='"co-7"')
    return desk


@case(
    "d712",
    "hal-sample-entered-twice-since-unseen",
    "replica-lag",
    "duplicate",
    alone="replica-lag",
    description=(
        "HAProxy sends a laboratory's reads to a copy that is two seconds behind. A script enters a sample (201, list at "
        "3004), lists, finds the list at 3003 without it, enters it again, and so finds both when the copy has caught up."
    ),
)
def accession(stage: Stage) -> None:
    """Not find what one has stored."""
    data = {f"26-{4400 + n}": {"tube": f"T{n}", "accessioned": "2026-11-27T06:00:00.000Z"} for n in range(3)}
    table = Table.of(data)
    first = at.house(stage, _samples(table, 0.0, "acc-1"), "waitress", "a laboratory's accessions", "primary")
    second = at.house(
        stage, _samples(table, 2.0, "acc-2"), "cheroot", "a laboratory's accessions", "copy, 2 s behind"
    )
    server = fronts.split(stage, first, second)
    me = stage.actor("client", server, "accession.klinik.example", "aiohttp", {"X-User": "intake-3"})
    at.again(me, "/couriers")
    me.get("/accessions")
    tube = {"tube": "EDTA-90317", "patient": "P-5512", "ordered": "2026-11-27"}
    one = me.send("POST", "/accessions", 201, None, tube).json
    at.wait(0.3)
    seen = me.get("/accessions").json
    at.must(seen["rev"] < one["rev"])
    two = me.send("POST", "/accessions", 201, None, tube).json
    at.wait(0.3)
    at.must(me.get("/accessions").json["rev"] < one["rev"])
    me.get("/couriers")
    at.wait(2.3)
    now = me.get("/accessions").json
    at.must(now["rev"] == two["rev"] and [s["tube"] for s in now["samples"]].count("EDTA-90317") == 2)


@case(
    "d700",
    "hal-timetable-fetched-whole-each-time",
    "inconsistent-backends",
    "needless-200",
    alone="inconsistent-backends",
    description=(
        "Two nodes behind HAProxy serve one timetable, each with a tag from the time of its own start. A stop's display "
        "polls with the tag it has: 304 when it meets the same node, all of it again when it meets the other, octet by "
        "octet the same."
    ),
)
def timetable(stage: Stage) -> None:
    """Poll two nodes."""
    stops = "".join(f'<call stop="{900 + n}" dep="{6 + n // 6:02}:{n * 7 % 60:02}"/>' for n in range(24))
    text = f'<?xml version="1.0"?>\n<line no="M17" edition="2026-48">{stops}</line>\n'
    nodes = []
    for name, boot in (("tt-a", 1795760431), ("tt-b", 1795760502)):
        desk = Desk(X_Node=name)
        desk.page("/lines/M17.xml", text, "application/xml", f'"{boot:x}-{len(text):x}"')
        desk.page("/notices", {"edition": "2026-48", "notices": []})
        desk.sink("/usage", 202)
        nodes.append(at.house(stage, desk, "waitress", "a timetable"))
    server = fronts.haproxy(stage, nodes)
    me = stage.actor("client", server, "info.verkehr.example", "java", {"User-Agent": "StopDisplay/6.1"})
    held = me.get("/lines/M17.xml")
    volume, seen = 0, []
    for number in range(9):
        at.wait(0.3)
        got = me.send("GET", "/lines/M17.xml", (200, 304), {"If-None-Match": held.etag})
        seen.append(got.status)
        if got.status == 200:
            at.must(got.body == held.body and got.etag != held.etag)
            held, volume = got, volume + len(got.body)
        if number in {2, 5}:
            me.get("/notices")
    me.send("POST", "/usage", 202, None, {"display": 4471, "octets": volume})
    at.must(seen.count(200) >= 5 and 304 in seen, seen)


def _stock(slow: list[str]) -> Desk:
    desk = Desk(Server="Regal")
    rows: list[dict[str, Any]] = [
        {"id": 8810, "ref": "WA-2290", "article": "4711", "qty": -4, "at": "2026-11-27T14:02:11.200Z"}
    ]

    def add(req: Req) -> Res:
        asked = req.json
        rows.append({"id": 8810 + len(rows), **asked, "at": iso(time.time(), 3)})
        got = dict(rows[-1])
        if asked["ref"] in slow:
            slow.remove(asked["ref"])
            at.wait(1.7)
        return Res(201, {"id": got["id"], "ref": got["ref"]}, {"Location": f"/stock/movements/{got['id']}"})

    def level(_req: Req, article: str) -> Res:
        return Res(
            200, {"article": article, "onHand": 200 + sum(r["qty"] for r in rows if r["article"] == article)}
        )

    desk.on("POST", "/stock/movements", add)
    desk.on("GET", "/stock/movements", lambda _req: Res(200, {"movements": rows}))
    desk.on("GET", "/stock/levels/{article}", level)
    desk.page("/zones", ["A", "B", "C"], tag='"z3"')
    return desk


@case(
    "d716",
    "hal-pallet-leaves-the-shelf-twice",
    "intermediary-replay",
    "duplicate",
    alone="intermediary-replay",
    description=(
        "An nginx that may pass on POSTs to the next server when one is slow sends a stock movement twice. The scanner "
        "sent it once and heard 201 once, with the second number; the list has the reference twice, both times within "
        "that one request, and the shelf has lost twice as much."
    ),
)
def pallet(stage: Stage) -> None:
    """Send once, be stored twice."""
    origin = at.house(stage, _stock(["WA-2292"]), "aiohttp", "a warehouse's stock")
    port = stage.behind(origin)
    pool = f"upstream shelf {{ server 127.0.0.1:{port} max_fails=0; server 127.0.0.1:{port} max_fails=0; }}"
    block = (
        "location /stock/ { proxy_pass http://shelf; proxy_http_version 1.1; proxy_set_header Host $http_host; "
        'proxy_set_header Connection ""; proxy_read_timeout 1s; '
        "proxy_next_upstream error timeout non_idempotent; }"
    )
    server = fronts.nginx(stage, origin, "", pool, block)
    me = stage.actor("client", server, "lager.spedition.example", "node:fetch", {"X-User": "scanner-12"})
    at.again(me, "/zones")
    me.get("/stock/levels/4711")
    me.send("POST", "/stock/movements", 201, None, {"ref": "WA-2291", "article": "4711", "qty": -6})
    at.must(me.get("/stock/levels/4711").json["onHand"] == 190)
    got = me.send(
        "POST", "/stock/movements", 201, None, {"ref": "WA-2292", "article": "4711", "qty": -10}
    ).json
    at.wait(1.0)
    at.must(me.get("/stock/levels/4711").json["onHand"] == 170)
    told = [one for one in me.get("/stock/movements").json["movements"] if one["ref"] == "WA-2292"]
    at.must(len(told) == 2 and told[1]["id"] == got["id"])


@case(
    "d729",
    "hal-contracts-with-rewritten-links",
    "validator-stripped",
    "lost-update",
    alone="validator-stripped unconditional-write",
    description=(
        "An nginx rewrites the links in a lessor's JSON and so loses the tag of each contract on the way; the tags of "
        "saves (204) and of the plain text of a contract get through. The client has none to send, puts without, and a "
        "colleague's new rent is overwritten, as the versions show."
    ),
)
def contracts(stage: Stage) -> None:
    """Never see the tag."""
    desk = Desk(Server="Pachtwerk")
    data = {
        f"C{n}": {
            "tenant": f"Hof {n}",
            "rent": 1200,
            "self": f"http://inner.pachtwerk.example/contracts/C{n}",
        }
        for n in (7, 8)
    }
    table = Table.of(data, 5)
    sheet = Sheet(desk, "/contracts", table, token=lambda key, row: f'"{key}v{row.n}"')
    sheet.kept = lambda key, row, _status: Res(204, b"", {"ETag": str(sheet.token(key, row))})
    sheet.load = lambda req, row: {**req.json, "self": row.data["self"]} if row else req.json

    def plain(_req: Req, key: str) -> Res:
        row = table.rows[key]
        own = {"Content-Type": "text/plain; charset=utf-8", "ETag": f'"{key}v{row.n}t"'}
        return Res(200, f"{row.data['tenant']}: {row.data['rent']} EUR\n", own)

    def versions(_req: Req, key: str) -> Res:
        rows = [*table.rows[key].past, table.rows[key]]
        return Res(200, [{"n": r.n, "by": r.by, "at": iso(r.at), "rent": r.data["rent"]} for r in rows])

    desk.on("GET", "/contracts/{key}/text", plain)
    desk.on("GET", "/contracts/{key}/versions", versions)
    origin = at.house(stage, desk, "bottle", "a lessor's contracts")
    lines = (
        'proxy_set_header Accept-Encoding ""; sub_filter_types application/json; sub_filter_once off; '
        'sub_filter "http://inner.pachtwerk.example" "https://portal.pachtwerk.example";'
    )
    server = fronts.nginx(stage, origin, lines)
    me = stage.actor("client", server, "portal.pachtwerk.example", "curl", {"X-User": "hofmann"})
    other = stage.actor("other", origin, "inner.pachtwerk.example", "requests", {"X-User": "leitung"})
    me.get("/contracts")
    mine = me.get("/contracts/C7")
    at.must("etag" not in mine.fields)
    me.get("/contracts/C7/text")
    seen = other.get("/contracts/C7")
    other.put("/contracts/C7", {**seen.json, "rent": 1350}, 204, {"If-Match": seen.etag})
    at.wait(1.2)
    eight = me.get("/contracts/C8").json
    at.must(me.put("/contracts/C8", {**eight, "tenant": "Hof 8a"}, 204).etag)
    me.put("/contracts/C7", {**mine.json, "tenant": "Hof 7 GbR"}, 204)
    at.wait(0.5)
    told = me.get("/contracts/C7/versions").json
    at.must([one["rent"] for one in told] == [1200, 1350, 1200] and told[1]["by"] == "leitung")


def _books(snap: list[int]) -> Desk:
    desk = Desk(Server="Katalog")

    def titles() -> list[str]:
        own = [f"T{n:03}" for n in range(9)]
        return own if snap[0] == 41 else ["T000a", *own]

    def page(req: Req, number: str) -> Res:
        tag, first = f'"snap-{snap[0]}"', int(number) * 3 - 3
        if req.fields.get("if-match", tag) != tag:
            return Res(412, {"error": "snapshot is gone", "current": snap[0]})
        return Res(
            200,
            {"page": int(number), "total": len(titles()), "titles": titles()[first : first + 3]},
            {"ETag": tag},
        )

    desk.on("GET", "/export/{number}", page)
    desk.page("/about", {"export": "pages of 3, one snapshot, If-Match"}, tag='"ab1"')
    return desk


@case(
    "d727",
    "hal-export-pages-of-two-snapshots",
    "cache-misevaluates",
    "corrupt-download",
    alone="cache-misevaluates",
    description=(
        "A library's export is read page by page with If-Match on its snapshot. The Varnish before it drops the condition "
        "and answers 200 with pages of the next snapshot, the third from its store; one title comes twice. Past the "
        "cache, with a login, the same request is 412."
    ),
)
def export(stage: Stage) -> None:
    """Read on in another snapshot."""
    snap = [41]
    origin = at.house(stage, _books(snap), "tornado", "a library's export")
    vcl = (
        "sub vcl_backend_response { set beresp.ttl = 60s; }\n"
        'sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; } }'
    )
    server = fronts.varnish(stage, origin, vcl)
    me = stage.actor("client", server, "export.bibliothek.example", "requests", {"User-Agent": "ernte/1.4"})
    early = stage.actor("other", server, "export.bibliothek.example", "httpx", {"User-Agent": "portal/8"})
    at.again(me, "/about")
    first = me.get("/export/1")
    snap[0] = 42
    early.get("/export/3")
    at.wait(1.3)
    guard = {"If-Match": first.etag}
    pages = [first, me.get("/export/2", 200, guard)]
    at.wait(0.4)
    pages.append(me.get("/export/3", 200, guard))
    at.must(pages[2].fields["x-cache"] == "HIT" and pages[1].etag == '"snap-42"')
    titles = [one for page in pages for one in page.json["titles"]]
    at.must(titles.count("T002") == 2)
    at.wait(0.5)
    me.get("/export/2", 412, {**guard, "Authorization": "Basic ZXJudGU6eA=="})


@case(
    "d717",
    "hal-deed-sent-to-the-old-address",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description=(
        "A land registry has moved to /v2/, and its nginx answers 302 for /v1/. A notary's program follows: its PUT "
        "becomes a GET, which is 200. It goes on content; the deed, read at its new address the same day, is as it was. "
        "What it puts to /v2/ is stored."
    ),
)
def deeds(stage: Stage) -> None:
    """Follow to a read."""
    desk = Desk(Server="Kataster")
    data = {f"D-{n}": {"parcel": f"{n}/3", "owner": "Lindner", "charge": None} for n in (902, 903)}
    sheet = Sheet(desk, "/v2/deeds", Table.of(data, 2), token=lambda key, row: f'"{key}:{row.n}"', need=428)
    sheet.dump = lambda _key, row: Res(200, {**row.data, "updatedAt": iso(row.at), "updatedBy": row.by})
    sheet.load = lambda req, row: {k: v for k, v in req.json.items() if not k.startswith("updated")}  # noqa: ARG005
    desk.page("/v2/offices", ["Nord", "Süd"], tag='"of-2"')
    origin = at.house(stage, desk, "falcon", "a land registry")
    block = "location /v1/ { absolute_redirect off; rewrite ^/v1/(.*)$ /v2/$1 redirect; }"
    server = fronts.nginx(stage, origin, "", "", block)
    me = stage.actor("client", server, "registry.kataster.example", "requests:follow", {"X-User": "notar-44"})
    at.again(me, "/v2/offices")
    one = me.get("/v2/deeds/D-903")
    me.put("/v2/deeds/D-903", {**one.json, "charge": "Wegerecht"}, 200, {"If-Match": one.etag})
    seen = me.get("/v1/deeds/D-902")
    got = me.put("/v1/deeds/D-902", {**seen.json, "owner": "Lindner-Voss"}, 200, {"If-Match": seen.etag})
    at.must(got.etag == seen.etag)
    at.wait(1.1)
    me.get("/v2/offices")
    now = me.get("/v2/deeds/D-902")
    at.must(now.json["owner"] == "Lindner" and now.etag == seen.etag)
