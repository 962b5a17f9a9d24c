"""Stories on what stands before small services."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.fay_core import Call, Item, Reply, Vault, date, shelf
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_fay_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage


def _rev(item: Item) -> str:
    return f'"{item.rev}"'


def _sum(item: Item) -> str:
    return f'"{item.digest()}{item.rev:02x}"'


def _mixed(item: Item) -> str:
    return f'"{int(item.at):x}.{item.rev}"'


@case(
    "e445",
    "fay-host-name-put-into-the-answers",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description=(
        "nginx rewrites a host name in the JSON of a tram depot's service with sub_filter and thereby drops the ETag; "
        "the service wants If-Match and answers 428. The stylesheet and the text lists of the same service keep theirs."
    ),
)
def trams(stage: Stage) -> None:
    """Lose the tag to a body filter."""

    def first(call: Call) -> Reply | None:
        if call.path == "/css/main.css":
            known = call.head.get("if-none-match") == '"c-3"'
            return Reply(
                304 if known else 200, "body{margin:0}", {"ETag": '"c-3"', "Content-Type": "text/css"}
            )
        return None

    rows = shelf(
        "/wagen",
        *(
            (str(n), {"nr": n, "links": {"self": f"http://depot.intern/wagen/{n}"}, "km": n * 310})
            for n in (2101, 2102, 2107)
        ),
    )
    vault = Vault(rows, _sum, needs=(428, {"fehler": "Bedingung verlangt"}), first=first)
    server = place.house(stage, vault, "flask")
    rule = 'sub_filter_types application/json; sub_filter_once off; sub_filter "depot.intern" "wagen.tram.example";'
    me = stage.actor("client", fronts.nginx(stage, server, rule), "wagen.tram.example", "node:axios")
    place.round_of(me, "/css/main.css", "/wagen")
    seen = me.get("/wagen/2102")
    place.sure("etag" not in seen.fields)
    me.put("/wagen/2102", {**seen.json, "km": 651702}, 428)
    place.wait(0.4)
    me.get("/wagen/2107")
    again = me.get("/wagen/2102")
    me.put("/wagen/2102", {**again.json, "km": 651702}, 428)
    place.round_of(me, "/css/main.css")


def _copy(behind: float, items: dict[str, Item], mark: Any, place_of: str) -> tuple[Vault, Vault]:
    """Return a vault and one that follows it."""
    copy = Vault({path: Item(dict(one.data), one.rev, one.at) for path, one in items.items()}, mark, place_of)

    def follow(call: Call, item: Item) -> None:
        path, made = call.path, Item(dict(item.data), item.rev, item.at)
        threading.Timer(behind, lambda: copy.items.__setitem__(path, made)).start()

    return Vault(items, mark, place_of, after=follow, wrote=200), copy


@case(
    "e447",
    "fay-reads-go-to-the-follower",
    "replica-lag",
    "stale-read",
    alone="replica-lag",
    description=(
        "HAProxy sends the reads of a blood bank's stock to a follower that is more than a second behind: right after "
        "its own write (version 9, then 12) the program reads the old count and version, prints a label from it, and "
        "reads the new one two seconds later."
    ),
)
def blood(stage: Stage) -> None:
    """Read one's own write from a copy that has not got it."""
    rows = shelf(
        "/stock", *((kind, {"group": kind, "units": 14 + len(kind)}) for kind in ("A-", "0+", "AB")), rev=5
    )
    main, copy = _copy(1.6, rows, lambda item: item.rev, "head X-Version")
    front = fronts.split(stage, place.house(stage, main, "pyramid"), place.house(stage, copy, "pyramid"))
    me = stage.actor("client", front, "bank.blood.test", "requests")
    me.get("/stock")
    for kind, units in (("0+", 11), ("AB", 9)):
        seen = me.get(f"/stock/{kind}")
        new = me.put(
            f"/stock/{kind}", {**seen.json, "units": units}, 200, {"X-Version": seen.fields["x-version"]}
        )
        back = me.get(f"/stock/{kind}")
        place.sure(back.fields["x-version"] < new.fields["x-version"] and back.json["units"] != units)
        me.get(f"/stock/{kind}")
        me.get("/stock/A-")
        place.wait(2.0)
        place.sure(me.get(f"/stock/{kind}").json["units"] == units)


@case(
    "e450",
    "fay-gateway-passes-listed-fields-only",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped",
    description=(
        "nginx passes only listed fields of requests to a seed register; the programs' If-Match is not among them. "
        "A stale save is taken, and the register's journal, which notes the condition that came in with each change, has none."
    ),
)
def seeds(stage: Stage) -> None:
    """Lose the condition on the way."""
    journal: list[dict[str, Any]] = []

    def first(call: Call) -> Reply | None:
        return Reply(200, journal) if call.path == "/journal" else None

    def after(call: Call, item: Item) -> None:
        row = {"at": date(item.at), "what": call.path, "rev": item.rev, "ifMatch": call.head.get("if-match")}
        journal.append({**row, "by": call.head.get("x-user")})

    rows = shelf(
        "/lots", *((f"R{n}", {"lot": f"R{n}", "art": "rogge", "kiem": 90 + n}) for n in (1, 2, 3)), rev=30
    )
    server = place.house(stage, Vault(rows, _rev, first=first, after=after), "litestar")
    rule = "proxy_pass_request_headers off; proxy_set_header Content-Type $content_type; proxy_set_header X-User $http_x_user; proxy_set_header Content-Length $content_length;"
    front = fronts.nginx(stage, server, rule)
    me = stage.actor("client", front, "lots.zaad.example", "httpx", {"X-User": "mk"})
    him = stage.actor("other", front, "lots.zaad.example", "curl", {"X-User": "tj"})
    me.get("/lots")
    seen, his = me.get("/lots/R2"), him.get("/lots/R2")
    him.put("/lots/R2", {**his.json, "kiem": 71, "note": "hertest"}, 200, {"If-Match": his.etag})
    place.wait(0.6)
    r3 = me.get("/lots/R3")
    me.put("/lots/R3", {**r3.json, "bak": 4}, 200, {"If-Match": r3.etag})
    new = me.put("/lots/R2", {**seen.json, "bak": 9}, 200, {"If-Match": seen.etag})
    place.sure(new.etag != seen.etag)
    me.get("/journal")
    place.sure("note" not in me.get("/lots/R2").json)


_VCL = """sub vcl_recv { if (req.method != "GET" && req.method != "HEAD") { return (pass); }
 if (req.http.Cache-Control ~ "no-cache") { return (pass); } unset req.http.Cookie; }
sub vcl_backend_response { set beresp.ttl = 300s; }
sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; } }"""


@case(
    "e459",
    "fay-store-does-not-look-at-if-match-of-reads",
    "cache-misevaluates",
    "wrong-200",
    alone="cache-misevaluates",
    description=(
        "A court's reader pins its pages to one edition with If-Match on GET. Varnish answers from its store with 200 "
        "and another edition's tag, page after page; with no-cache the request passes, and the service says 412."
    ),
)
def court(stage: Stage) -> None:
    """Ask for one edition and be given another by the store."""

    def first(call: Call) -> Reply | None:
        sent, item = call.head.get("if-match"), rows.get(call.path)
        return (
            Reply(412, {"edition": "gone"})
            if call.method == "GET" and item and sent and sent != _mixed(item)
            else None
        )

    rows = shelf("/files/77-19", *((f"p{n}", {"page": n, "text": f"whereas {n}"}) for n in (1, 2, 3)), rev=4)
    server = place.house(stage, Vault(rows, _mixed, first=first), "aiohttp")
    me = stage.actor("client", fronts.varnish(stage, server, _VCL), "reader.court.test", "httpx")
    them = stage.actor("other", server, "desk.court.test", "requests")
    olds = {n: me.get(f"/files/77-19/p{n}", 200, {"Cache-Control": "no-cache"}).etag for n in (1, 2, 3)}
    for n in (1, 2):
        path = f"/files/77-19/p{n}"
        now = them.get(path)
        them.put(path, {**now.json, "text": f"whereas {n}, amended"}, 200, {"If-Match": now.etag})
    for n in (1, 2, 3):
        me.get(f"/files/77-19/p{n}")
    place.wait(1.3)
    for n in (1, 2):
        got = me.get(f"/files/77-19/p{n}", 200, {"If-Match": olds[n]})
        place.sure(got.etag != olds[n] and got.fields["x-cache"] == "HIT")
    me.get("/files/77-19/p3", 200, {"If-Match": olds[3]})
    me.get("/files/77-19/p2", 412, {"If-Match": olds[2], "Cache-Control": "no-cache"})
    me.get("/files/77-19/p1", 200, {"If-Match": olds[1]})


@case(
    "e467",
    "fay-brotli-lengthens-the-tags",
    "etag-suffix-rewrite",
    "never-304",
    alone="etag-suffix-rewrite",
    description=(
        "Apache's mod_brotli appends -br to the tags of a bird count's pages, which the service behind does not know: "
        "the app's polls are 200 with the same content each time; without compression the bare tag is 304 at once."
    ),
)
def birds(stage: Stage) -> None:
    """Poll with a tag that has grown on the way."""
    rows = shelf(
        "/counts",
        *(
            (f"{n}-11", {"day": n, "rows": [{"sp": f"turdus {i}", "n": i % 7} for i in range(40)]})
            for n in (26, 27)
        ),
    )
    server = place.house(stage, Vault({**rows, **shelf("/me", ("zone", {"z": 4}))}, _sum), "pyramid")
    front = fronts.apache(stage, server, "AddOutputFilterByType BROTLI_COMPRESS application/json")
    me = stage.actor("client", front, "counts.ornis.test", "node:fetch", {"Accept-Encoding": "br"})
    me.get("/counts")
    first = me.get("/counts/27-11")
    place.sure(first.etag.endswith('-br"'), first.etag)
    for _ in range(3):
        place.wait(0.5)
        me.get("/me/zone")
        place.sure(me.get("/counts/27-11", 200, {"If-None-Match": first.etag}).text == first.text)
    plain = me.get("/counts/27-11", 200, {"Accept-Encoding": "identity"})
    me.get("/counts/27-11", 304, {"Accept-Encoding": "identity", "If-None-Match": plain.etag})
    me.get("/counts/27-11", 200, {"If-None-Match": first.etag})


@case(
    "e474",
    "fay-reads-from-disk-writes-to-the-service",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "nginx serves a choir's sheets from the disk and passes only writes to the service: the PUT answers with a "
        "hash, the reads with nginx's own tag of time and size. The sync client takes each of its own saves for a "
        "stranger's and puts a conflict copy beside it."
    ),
)
def sheets(stage: Stage) -> None:
    """Compare the tag of one program with that of another."""
    folder = stage.directory()
    folder.chmod(0o755)
    (folder / "sheets").mkdir()
    rows = shelf("/sheets", *((f"{n}.json", {"song": n, "key": "D"}) for n in ("ave", "lux", "nox")))

    def keep(path: str, item: Item) -> None:
        fronts.put_file(folder, path.lstrip("/"), Reply(200, item.data).octets(), time.time() - item.at)

    for path, item in rows.items():
        keep(path, item)
    more = shelf("/singers", *((f"{n}", {"voice": "alto", "songs": [f"{n}"]}) for n in (7, 9)))
    vault = Vault(
        {**rows, **more},
        lambda item: f'"{item.digest("md5", 32)}"',
        after=lambda call, item: keep(call.path, item),
    )
    server = place.house(stage, vault, "flask")
    block = f"location /sheets/ {{ root {folder}; error_page 418 = @app; if ($request_method != GET) {{ return 418; }} }}\n"
    block += f"location @app {{ proxy_pass http://127.0.0.1:{stage.behind(server)}; proxy_set_header Host $http_host; }}"
    me = stage.actor("client", fronts.nginx(stage, server, "", "", block), "sheets.choir.example", "requests")
    place.round_of(me, "/singers", "/singers/7", "/sheets/lux.json")
    for name in ("ave", "nox"):
        path = f"/sheets/{name}.json"
        seen = me.get(path)
        new = me.put(path, {**seen.json, "key": "E"}, 200)
        back = me.get(path, 200, {"If-None-Match": new.etag})
        place.sure(back.json == new.json and back.etag != new.etag)
        me.put(f"/sheets/{name} (conflict 1).json".replace(" ", "%20"), back.json, 201)
        me.get(path, 304, {"If-None-Match": back.etag})
        place.wait(0.5)
        me.put(path, {**seen.json, "key": "F"}, 412, {"If-Match": back.etag})
    me.get("/sheets/lux.json")


def _front_of_app(stage: Stage, server: Server) -> Server:
    return fronts.nginx(
        stage,
        server,
        'if ($http_x_app_build = "") { return 412; }\nif ($http_x_app_build ~ "^1\\.") { return 412; }',
    )


@case(
    "e476",
    "fay-gateway-wants-a-newer-app",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "nginx before a bike rental's service turns away apps of builds before 2 with a bare 412, whatever they ask "
        "for, reads and writes without any condition; after the update the same requests pass."
    ),
)
def bikes(stage: Stage) -> None:
    """Be refused for the build of the app."""
    rows = shelf("/bikes", *((f"b{n}", {"id": f"b{n}", "lock": "closed", "at": "Plein"}) for n in (3, 4)))
    server = place.house(
        stage, Vault({**rows, **shelf("/tariffs", ("now", {"eur": 1.5}))}, _mixed), "litestar"
    )
    me = stage.actor("client", _front_of_app(stage, server), "go.fietsen.example", "java")
    me.get("/tariffs/now", 412, {"X-App-Build": "1.94"})
    me.send("PATCH", "/bikes/b3", 412, {"X-App-Build": "1.94"}, {"lock": "open"})
    place.wait(0.8)
    me.send("PATCH", "/bikes/b3", 412, {"X-App-Build": "1.94"}, {"lock": "open"})
    new = {"X-App-Build": "2.0"}
    me.get("/tariffs/now", 200, new)
    me.get("/bikes/b3", 200, new)
    me.send("PATCH", "/bikes/b3", 200, new, {"lock": "open"})
    me.get("/bikes", 200, new)


@case(
    "e478",
    "fay-varnish-packs-and-marks-weak",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "Varnish compresses what a theatre's lighting desk reads and marks the tags weak; the service compares them "
        "strongly and refuses each save. A read with identity shows the same tag strong, and a small cue keeps it."
    ),
)
def lights(stage: Stage) -> None:
    """Send back a tag that was made weak on the way."""
    vcl = 'sub vcl_recv { return (pass); }\nsub vcl_backend_response { if (beresp.http.X-Cue == "long" && bereq.http.Accept-Encoding ~ "gzip") { set beresp.do_gzip = true; } }'

    def shows(_call: Call, _item: Item, reply: Reply) -> Reply:
        return Reply(
            200, reply.content, {**reply.head, "X-Cue": "long" if len(reply.octets()) > 300 else "short"}
        )

    rows = shelf(
        "/cues",
        ("12", {"cue": 12, "lamps": [{"ch": n, "pct": n % 100} for n in range(60)]}),
        ("13", {"cue": 13, "lamps": []}),
    )
    vault = Vault(rows, _mixed, refuses=(412, {"err": 3, "msg": "cue not stored"}), shows=shows)
    server = place.house(stage, vault, "aiohttp")
    me = stage.actor("client", fronts.varnish(stage, server, vcl), "desk.theater.test", "aiohttp")
    small = me.get("/cues/13")
    me.put("/cues/13", {"cue": 13, "lamps": [{"ch": 1, "pct": 5}]}, 200, {"If-Match": small.etag})
    for _ in range(2):
        seen = me.get("/cues/12")
        place.sure(seen.etag.startswith("W/"), seen.etag)
        me.put("/cues/12", {**seen.json, "fade": 4}, 412, {"If-Match": seen.etag})
        place.wait(0.4)
    bare = me.get("/cues/12", 200, {"Accept-Encoding": "identity"})
    place.sure(f"W/{bare.etag}" == seen.etag, bare.etag)
