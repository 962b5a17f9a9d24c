"""Stories on small web applications behind real intermediaries, on a real file server, and in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.pim_core import App, Req, Res, Row
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_pim_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d987",
    "pim-brotli-left-its-mark",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache's mod_brotli compresses a museum's labels and puts -br into their tags; sent back in If-Match each save "
        "is 412. A read with identity shows the bare tag, with which the save passes; short texts pass all along."
    ),
)
def museum(stage: Stage) -> None:
    """Send a tag with -br."""
    app = App().page("/api/halls", [{"id": 1}, {"id": 2}]).page("/api/languages", ["is", "en"])
    app.seed(
        "l", {n: {"inv": n, "text": "Rúnasteinn frá tíundu öld. " * 30, "hall": 1} for n in (310, 311)}, v=2
    )
    app.rest("/api/labels", "l", tag=lambda row: f'"{row.sha(20)}"', refuse={"villa": "útgáfa passar ekki"})
    server = place.opened(stage, app, "fastapi")
    front = fronts.apache(stage, server, "AddOutputFilterByType BROTLI_COMPRESS application/json")
    me = stage.actor("client", front, "safn.fjordur.example", "node:fetch", {"Accept-Encoding": "br"})
    mill = place.Mill(app, me, 6)
    mill.go(3)
    for inv in (310, 311):
        seen = me.get(f"/api/labels/{inv}")
        place.sure(seen.etag.endswith('-br"'), seen.etag)
        me.send("PATCH", f"/api/labels/{inv}", 412, {"If-Match": seen.etag}, {"hall": 2})
        mill.go(2)
    seen = me.get("/api/labels/311")
    me.send("PATCH", "/api/labels/311", 412, {"If-Match": seen.etag}, {"hall": 2})
    bare = me.get("/api/labels/311", 200, {"Accept-Encoding": "identity"})
    me.send("PATCH", "/api/labels/311", 200, {"If-Match": bare.etag}, {"hall": 2})


@case(
    "d975",
    "pim-balancer-compresses",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "HAProxy compresses JSON and makes the tags weak; the library's service wants strong ones in If-Match, so saves "
        "of readers are 412. A read without compression shows the same tag strong, and the save with it is taken."
    ),
)
def library(stage: Stage) -> None:
    """Send what compression made weak."""
    app = (
        App()
        .page("/v1/branches", ["Centro", "Sants"])
        .page("/v1/fees", {"perDay": 0.2})
        .page("/v1/me", {"desk": 2})
    )
    loans = [{"book": f"B{n}", "due": "2026-12-09"} for n in range(20)]
    app.seed("r", {n: {"reader": n, "mail": f"r{n}@mail.test", "loans": loans} for n in (501, 502, 503)}, v=8)
    app.rest(
        "/v1/readers", "r", tag=lambda row: f'"{row.v}-{row.sha(6)}"', refuse={"missatge": "versió antiga"}
    )
    server = place.opened(stage, app, "falcon")
    front = fronts.haproxy(stage, [server], " compression algo gzip\n compression type application/json")
    me = stage.actor("client", front, "socis.biblioteca.example", "node:axios", {"X-User": "desk-2"})
    mill = place.Mill(app, me, 8)
    mill.go(3)
    me.get("/v1/readers")
    for reader in (501, 503):
        seen = me.get(f"/v1/readers/{reader}")
        place.sure(seen.etag.startswith("W/"), seen.etag)
        me.send("PATCH", f"/v1/readers/{reader}", 412, {"If-Match": seen.etag}, {"mail": "nou@mail.test"})
        mill.go(2)
    bare = me.get("/v1/readers/503", 200, {"Accept-Encoding": "identity"})
    place.sure(f"W/{bare.etag}" == seen.etag)
    me.send("PATCH", "/v1/readers/503", 200, {"If-Match": bare.etag}, {"mail": "nou@mail.test"})
    mill.go(1)


@case(
    "d996",
    "pim-varnish-shows-yesterday",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Varnish keeps a festival's programme; after its own save the page reads a slot again and gets the copy from "
        "before (Age, X-Cache hit), whose tag is refused in the next save. Under another query the slot is as saved."
    ),
)
def festival(stage: Stage) -> None:
    """Save with the tag of a copy."""
    app = (
        App(Cache_Control="max-age=45")
        .page("/prog/stages", ["Zelt", "Hof"])
        .page("/prog/acts", ["Lumen", "Ode"], tag='"a2"')
    )
    app.seed("s", {n: {"slot": n, "act": "Lumen", "min": 45} for n in (7, 8, 9)}, v=12)

    def show(row: Row) -> Any:
        return {**row.data, "rev": row.v, "saved": row.iso()}

    def edit(req: Req, row: Row) -> Any:
        return {**row.data, **{k: v for k, v in req.json.items() if k in row.data}}

    app.rest("/prog/slots", "s", tag=lambda row: f'"s{row.id}r{row.v}"', show=show, edit=edit)
    server = place.opened(stage, app, "starlette")
    vcl = 'sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "hit"; } else { set resp.http.X-Cache = "miss"; } }'
    me = stage.actor("client", fronts.varnish(stage, server, vcl), "plan.sommerton.example", "aiohttp")
    mill = place.Mill(app, me, 4)
    mill.go(4)
    for slot in (8, 9):
        seen = me.get(f"/prog/slots/{slot}")
        saved = me.put(f"/prog/slots/{slot}", {**seen.json, "min": 60}, 200, {"If-Match": seen.etag})
        place.rest(1.2)
        again = me.get(f"/prog/slots/{slot}")
        place.sure(again.etag == seen.etag and again.fields["x-cache"] == "hit")
        me.put(f"/prog/slots/{slot}", {**again.json, "act": "Ode"}, 412, {"If-Match": again.etag})
        mill.go(2)
    now = me.get("/prog/slots/9?t=1764306012")
    place.sure(now.etag == saved.etag and now.json["min"] == 60)


@case(
    "d971",
    "pim-squid-judges-by-its-copy",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates",
    description=(
        "A signage player reads playlists with If-Match and the tag that the announcements name, to be sure of the right "
        "version. Squid answers 412 itself, by the copy that it has kept; with no-cache the service answers 200 with "
        "exactly the announced tag."
    ),
)
def signage(stage: Stage) -> None:
    """Have a read judged by a copy."""
    app = App()
    app.seed("p", {n: {"screen": n, "clips": ["a", "b"]} for n in ("lobby", "lift", "roof")}, v=60)
    app.page("/clips/a.json", {"ms": 8000}, tag='"ca"', life="max-age=300").page(
        "/clips/b.json", {"ms": 5000}
    )

    def tag(row: Row) -> str:
        return f'"pl-{row.v}-{row.sha(5)}"'

    @app.on("GET", "/announce")
    def announce(_req: Req) -> Res:
        rows = {row.id: tag(row) for row in app.every("p")}
        return Res(200, {"playlists": rows}, {"Cache-Control": "no-store"})

    def marks(row: Row) -> dict[str, str]:
        return {"ETag": tag(row), "Cache-Control": "public, max-age=90"}

    app.rest("/playlists", "p", tag=tag, marks=marks)
    server = place.opened(stage, app, "waitress")
    front = fronts.squid(stage, server, site="media.kino.test")
    me = stage.actor("client", front, "media.kino.test", "httpx", {"User-Agent": "screen-player/9"})
    other = stage.actor("other", server, "media.kino.test", "requests", {"X-User": "redaktion"})
    for name in ("lobby", "lift", "roof"):
        me.get(f"/playlists/{name}", 200, {"If-Match": me.get("/announce").json["playlists"][name]})
    mill = place.Mill(app, me, 5)
    mill.go(3)
    for name in ("lift", "roof"):
        seen = other.get(f"/playlists/{name}")
        other.put(f"/playlists/{name}", {**seen.json, "clips": ["b", "a"]}, 200, {"If-Match": seen.etag})
    place.rest(1.1)
    for name in ("lift", "roof"):
        due = me.get("/announce").json["playlists"][name]
        for _ in range(2):
            me.get(f"/playlists/{name}", 412, {"If-Match": due})
            place.rest(0.5)
        got = me.get(f"/playlists/{name}", 200, {"If-Match": due, "Cache-Control": "no-cache"})
        place.sure(got.etag == due)
        mill.go(1)
    me.get("/playlists/lobby", 200, {"If-Match": me.get("/announce").json["playlists"]["lobby"]})


@case(
    "d968",
    "pim-nginx-sent-it-to-both",
    "intermediary-replay",
    "412",
    alone="intermediary-replay",
    description=(
        "nginx passes a slow PUT to the second node after a second without an answer (non_idempotent): the first has "
        "stored it, the second says 412. The client sent once; its request's id is in the stored reservation, and "
        "X-Upstream-Status has both answers."
    ),
)
def ferry(stage: Stage) -> None:
    """Have one's write sent twice."""
    app = (
        App()
        .page("/api/sailings", [{"id": "0900"}], tag='"sa1"')
        .page("/api/fares", {"car": 42})
        .page("/api/me", {"a": 1})
    )
    app.seed("r", {f"R-{n}": {"pax": n, "car": False, "req": "import"} for n in (3, 4, 5)}, v=2)
    slow = {"R-4", "R-5"}

    def show(row: Row) -> Any:
        return {**row.data, "rev": row.v, "at": row.iso(2), "by": row.who}

    def edit(req: Req, _row: Row) -> Any:
        return {"pax": req.json["pax"], "car": req.json["car"], "req": req.fields["x-request-id"]}

    app.rest("/api/bookings", "r", tag=lambda row: f'"{row.v}~{row.sha(4)}"', show=show, edit=edit)

    def lagging(req: Req) -> Res:
        res, key = app(req), req.path.rsplit("/", 1)[-1]
        if req.method == "PUT" and res.status == 200 and key in slow:
            slow.discard(key)
            place.rest(1.7)
        return res

    ports = [
        stage.behind(one) for one in (place.opened(stage, lagging, "cheroot", n) for n in ("app1", "app2"))
    ]
    pool = "upstream pool { " + " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports) + " }"
    block = (
        'location /api/ { proxy_pass http://pool; proxy_http_version 1.1; proxy_set_header Connection ""; '
    )
    block += "proxy_set_header Host $http_host; proxy_read_timeout 1s; proxy_next_upstream error timeout non_idempotent; "
    block += "add_header X-Upstream-Status $upstream_status always; }"
    front = fronts.nginx(stage, place.opened(stage, app, "waitress", "site"), "", pool, block)
    me = stage.actor("client", front, "book.ferries.test", "requests", {"X-User": "agent-12"})
    mill = place.Mill(app, me, 9)
    mill.go(3)
    for number, (key, expect) in enumerate((("R-3", 200), ("R-4", 412), ("R-5", 412))):
        seen = me.get(f"/api/bookings/{key}")
        guard = {"If-Match": seen.etag, "X-Request-Id": f"7f2e-{41 + number}"}
        me.put(f"/api/bookings/{key}", {**seen.json, "car": True}, expect, guard)
        now = me.get(f"/api/bookings/{key}").json
        place.sure(now["req"] == guard["X-Request-Id"] and now["rev"] == seen.json["rev"] + 1)
        mill.go(2)


@case(
    "d978",
    "pim-put-became-a-read",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description=(
        "nginx sends /api/v1 to /api/v2 with 302; a script's PUT becomes a GET on the way, whose 200 it takes for its "
        "save. The cabins are as before in the list that it reads at the end."
    ),
)
def cabins(stage: Stage) -> None:
    """Follow a 302 with a PUT."""
    app = (
        App()
        .page("/api/v2/regions", ["Nord", "Vest"], tag='"re"')
        .page("/api/v2/rates", {"low": 900, "high": 1400})
    )
    app.seed("c", {n: {"cabin": n, "beds": 4, "open": True} for n in ("bu", "li", "sk")}, v=31)
    app.rest("/api/v2/cabins", "c", tag=lambda row: f'"{row.v}"')
    server = place.opened(stage, app, "flask")
    block = "absolute_redirect off; location /api/v1/ { rewrite ^/api/v1/(.*)$ /api/v2/$1 redirect; }"
    front = fronts.nginx(stage, server, block=block)
    me = stage.actor(
        "client", front, "hytter.turlag.example", "requests:follow", {"User-Agent": "close-season.py"}
    )
    mill = place.Mill(app, me, 4)
    mill.go(2)
    for name in ("bu", "sk"):
        seen = me.get(f"/api/v1/cabins/{name}")
        got = me.put(f"/api/v1/cabins/{name}", {**seen.json, "open": False}, 200, {"If-Match": seen.etag})
        place.sure(got.json["open"])
        mill.go(1)
        place.rest(0.3)
    place.sure(all(one["open"] for one in me.get("/api/v2/cabins").json["items"]))


@case(
    "d991",
    "pim-reads-come-from-the-second-base",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "HAProxy sends reads to a replica that is a second and a half behind. After its own save the client reads the "
        "version from before, without any mark of a cache, and its next save with that is 412; a moment later the read "
        "shows its save."
    ),
)
def replica(stage: Stage) -> None:
    """Read behind one's own write."""

    def made() -> App:
        app = App(Cache_Control="no-store").page("/hr/units", ["A", "B"]).page("/hr/holidays", {"es": 14})
        app.rest("/hr/people", "p", tag=lambda row: f'"hr{row.v}"', show=show, edit=edit)
        return app

    def show(row: Row) -> Any:
        return {**row.data, "version": row.v, "modified": row.iso(1)}

    def edit(req: Req, row: Row) -> Any:
        return {k: req.json.get(k, v) for k, v in row.data.items()}

    first, second = made(), made()
    first.seed("p", {n: {"name": f"E{n}", "unit": "A", "days": 22} for n in (601, 602)}, v=3)
    second.db, second.lock, second.lag = first.db, first.lock, 1.5
    first.fields["X-Db"], second.fields["X-Db"] = "pg-0", "pg-1"
    both = [
        place.opened(stage, app, "stdlib", name) for app, name in ((first, "primary"), (second, "replica"))
    ]
    me = stage.actor("client", fronts.split(stage, *both), "rrhh.taller.example", "java", {"X-User": "nuria"})
    mill = place.Mill(first, me, 3)
    mill.go(3)
    for number in (602, 601):
        seen = me.get(f"/hr/people/{number}")
        saved = me.put(f"/hr/people/{number}", {**seen.json, "unit": "B"}, 200, {"If-Match": seen.etag})
        again = me.get(f"/hr/people/{number}")
        place.sure(again.etag == seen.etag)
        me.put(f"/hr/people/{number}", {**again.json, "days": 23}, 412, {"If-Match": again.etag})
        mill.go(1)
        place.rest(1.6)
        place.sure(me.get(f"/hr/people/{number}").etag == saved.etag)
    mill.go(1)
