"""Stories on intermediaries before small services: encoders, rules, stores, copies, retries, redirects."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _md5(_path: str, doc: Doc) -> str:
    return f'"{doc.digest()}"'


def _rev(_path: str, doc: Doc) -> str:
    return f'"r{doc.rev}"'


def _mixed(_path: str, doc: Doc) -> str:
    return f'"{len(doc.octets):x}-{int(doc.at * 1e6):x}"'


def _short(_path: str, doc: Doc) -> str:
    return f'"{doc.digest("sha1")[:11]}"'


def _stamp(path: str, doc: Doc) -> str:
    return f'"{path.rsplit("/", 1)[1]}:{doc.rev}:{doc.digest("sha256")[:6]}"'


@case(
    "d268",
    "vic-deflate-does-not-know-its-suffix",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache compresses a choir's scores and puts -gzip into the tag; sent back in If-Match it is refused, and in "
        "If-None-Match it never gives 304. A read with identity shows the bare tag, and a write with that passes."
    ),
)
def scores(stage: Stage) -> None:
    """Send back a tag with a suffix."""
    box = Box({f"/scores/{n}": {"no": n, "voices": "SATB", "text": "gloria " * 60} for n in (3, 5, 8)}, _md5)
    server = place.open_box(stage, box, "cheroot")
    me = stage.actor(
        "client",
        fronts.apache(stage, server, "AddOutputFilterByType DEFLATE application/json"),
        "scores.choir.test",
    )
    me.get("/scores")
    seen = me.get("/scores/5")
    place.sure(seen.etag.endswith('-gzip"'), seen.etag)
    me.get("/scores/5", 200, {"If-None-Match": seen.etag})
    me.put("/scores/5", {**seen.json, "voices": "SSA"}, 412, {"If-Match": seen.etag})
    again = me.get("/scores/5")
    me.put("/scores/5", {**again.json, "voices": "SSA"}, 412, {"If-Match": again.etag})
    me.get("/scores/8")
    bare = me.get("/scores/5", 200, {"Accept-Encoding": "identity"})
    me.put("/scores/5", {**bare.json, "voices": "SSA"}, 200, {"If-Match": bare.etag})


@case(
    "d269",
    "vic-encode-takes-off-half",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Caddy's encode adds -gzip to the tags of a boat yard's orders and takes it off again in If-None-Match (304) "
        "but not in If-Match, so that each save of an order that was read compressed is refused."
    ),
)
def yard(stage: Stage) -> None:
    """Send Caddy's suffix to the origin."""
    docs = {f"/orders/{n}": {"id": n, "hull": "oak", "log": "planked " * 90} for n in (21, 22)}
    box = Box({**docs, **place.side("/berths", 3)}, _stamp, say={412: "Der Auftrag wurde nicht gespeichert."})
    server = place.open_box(stage, box, "tornado")
    me = stage.actor(
        "client", fronts.caddy(stage, server, "encode gzip"), "orders.yard.example", "node:fetch"
    )
    place.stroll(me, list(place.side("/berths", 3)), 9, 4)
    for number in (21, 22, 21):
        seen = me.get(f"/orders/{number}")
        place.sure(seen.etag.endswith('-gzip"'), seen.etag)
        me.get(f"/orders/{number}", 304, {"If-None-Match": seen.etag})
        me.send("PATCH", f"/orders/{number}", 412, {"If-Match": seen.etag}, {"hull": "larch"})
        place.rest(0.4)
    place.stroll(me, list(place.side("/berths", 3)), 4, 11)


@case(
    "d270",
    "vic-gzip-made-it-weak",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "nginx compresses answers and makes their tags weak; a curator's saves with them are refused. Small records "
        "that nginx leaves alone keep a strong tag, and are saved; an identity read of the large one shows it strong."
    ),
)
def curator(stage: Stage) -> None:
    """Send a weak tag where a strong one is due."""
    docs = {f"/pieces/{n}": {"n": n, "text": "bronze, " * 50} for n in (1, 2)} | {"/rooms/4": {"n": 4}}
    server = place.open_box(stage, Box(docs, _rev, first=14, dates=True), "starlette")
    me = stage.actor("client", fronts.nginx_gzip(stage, server), "pieces.gallery.test", "aiohttp")
    room = me.get("/rooms/4")
    me.put("/rooms/4", {"n": 4, "lux": 50}, 200, {"If-Match": room.etag})
    for _ in range(2):
        seen = me.get("/pieces/2")
        place.sure(seen.etag == 'W/"r14"', seen.etag)
        me.put("/pieces/2", {**seen.json, "lux": 60}, 412, {"If-Match": seen.etag})
        place.rest(0.5)
    me.get("/pieces/1")
    bare = me.get("/pieces/2", 200, {"Accept-Encoding": "identity"})
    place.sure(bare.etag == '"r14"', bare.etag)


@case(
    "d271",
    "vic-load-balancer-compresses",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "HAProxy compresses a pharmacy's stock lists and weakens their tags: the program's PATCH with the weak tag "
        "is refused four times for two lists, while the answer to a create sent with identity names a strong tag, which is taken."
    ),
)
def pharmacy(stage: Stage) -> None:
    """Send HAProxy's weak tags."""
    docs = {
        f"/stock/{s}": {"shelf": s, "rows": [{"pzn": 10000 + i, "n": i % 9} for i in range(30)]} for s in "ab"
    }
    box = Box(docs, _mixed, say={412: {"type": "about:blank", "title": "Precondition Failed", "status": 412}})
    server = place.open_box(stage, box, "flask")
    rules = " compression algo gzip\n compression type application/json"
    me = stage.actor("client", fronts.haproxy(stage, [server], rules), "stock.apotheke.example", "node:axios")
    made = me.put(
        "/stock/c", {"shelf": "c", "rows": []}, 201, {"If-None-Match": "*", "Accept-Encoding": "identity"}
    )
    me.send("PATCH", "/stock/c", 200, {"If-Match": made.etag}, {"rows": [1]})
    for shelf in ("a", "b", "a", "b"):
        seen = me.get(f"/stock/{shelf}")
        place.sure(seen.etag.startswith("W/"))
        me.send("PATCH", f"/stock/{shelf}", 412, {"If-Match": seen.etag}, {"checked": "MK"})
        place.rest(0.2)


@case(
    "d272",
    "vic-gateway-template-without-condition",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "nginx before a service of rosters sends If-Match on as empty, that is, not at all. A dispatcher who has seen "
        "the colleague's version sends the tag from before and gets 200; the upstream file has no condition."
    ),
)
def dispatcher(stage: Stage) -> None:
    """Write through a gateway that drops the field."""
    docs = {
        f"/rosters/{d}": {"day": d, "van1": "Ute", "van2": "Jan", "van3": None} for d in ("mo", "tu", "we")
    }
    box = Box({**docs, **place.side("/vans", 4)}, _short, extra={"Server-Timing": "app;dur=3"})
    server = place.open_box(stage, box, "waitress")
    front = fronts.nginx(stage, server, 'proxy_set_header If-Match "";')
    me = stage.actor("client", front, "rosters.couriers.test", "httpx", {"Authorization": "Bearer desk-1"})
    other = stage.actor(
        "other", front, "rosters.couriers.test", "requests", {"Authorization": "Bearer desk-2"}
    )
    vans = list(place.side("/vans", 4))
    place.stroll(me, vans, 7, 3)
    mine, theirs = me.get("/rosters/tu"), other.get("/rosters/tu")
    other.put("/rosters/tu", {**theirs.json, "van3": "Lea"}, 200, {"If-Match": theirs.etag})
    place.rest(0.7)
    now = me.get("/rosters/tu", 200, {"If-None-Match": mine.etag})
    place.sure(now.json["van3"] == "Lea")
    me.put("/rosters/tu", {**mine.json, "van1": "Kai"}, 200, {"If-Match": mine.etag})
    place.sure(me.get("/rosters/tu").json["van3"] is None)
    place.stroll(me, vans, 5, 8)


@case(
    "d273",
    "vic-traefik-on-a-busy-morning",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two writers and a reader behind Traefik on tickets of their own: many 304, one 404 for a ticket that was "
        "closed in between, a create with If-None-Match that goes through, and no refusal at all."
    ),
)
def morning(stage: Stage) -> None:
    """Work without trouble behind Traefik."""
    box = Box({**place.side("/tickets", 4), **place.side("/calls", 4)}, _rev, dates=True)
    server = place.open_box(stage, box, "aiohttp")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "tickets.helpdesk.test", "requests", {"X-User": "ida"})
    other = stage.actor("other", front, "tickets.helpdesk.test", "curl", {"X-User": "udo"})
    place.stroll(me, list(place.side("/tickets", 4)), 12, 21)
    last = other.get("/calls/18")
    other.send("DELETE", "/calls/18", 204, {"If-Match": last.etag})
    me.get("/calls/18", 404)
    place.stroll(me, list(place.side("/tickets", 4)), 10, 34)
    me.put("/tickets/77", {"id": 77, "state": "open"}, 201, {"If-None-Match": "*"})
    other.get("/calls/11", 200)


@case(
    "d274",
    "vic-squid-on-the-way-to-the-prices",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    also="other-writer",
    description=(
        "Squid stores reads of a market's prices for two minutes. The wholesaler changes one past Squid; the trader "
        "reads the stored one (Age, HIT), is refused, reads the same again and is refused; no-cache brings the new."
    ),
)
def trader(stage: Stage) -> None:
    """Write with a tag out of Squid's store."""
    docs = {f"/prices/{n}": {"item": n, "cents": 120, "unit": "kg"} for n in ("kale", "leek", "swede")}
    box = Box(
        docs, _stamp, dates=True, extra={"Cache-Control": "public, max-age=120"}, say={412: "Preço alterado"}
    )
    server = place.open_box(stage, box, "cheroot")
    front = fronts.squid(stage, server, site="prices.market.test")
    me = stage.actor("client", front, "prices.market.test", "requests", {"User-Agent": "stall/1.4"})
    other = stage.actor("other", server, "prices.market.test", "httpx", {"User-Agent": "wholesale/7"})
    for item in ("kale", "leek", "swede"):
        me.get(f"/prices/{item}")
    theirs = other.get("/prices/leek")
    other.put("/prices/leek", {**theirs.json, "cents": 135}, 200, {"If-Match": theirs.etag})
    place.rest(1.3)
    for _ in range(2):
        old = me.get("/prices/leek")
        place.sure(old.etag == theirs.etag and "HIT" in old.fields.get("x-cache", ""), old.fields)
        me.put("/prices/leek", {**old.json, "unit": "piece"}, 412, {"If-Match": old.etag})
        place.rest(0.6)
    new = me.get("/prices/leek", 200, {"Cache-Control": "no-cache"})
    me.put("/prices/leek", {**new.json, "unit": "piece"}, 200, {"If-Match": new.etag})


@case(
    "d275",
    "vic-store-survives-ones-own-save",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "nginx keeps its stored answer after a PUT through itself: a ranger saves a trail's state, is shown the state "
        "from before with X-Cache-Status HIT, edits on, and is refused; a query that no store knows shows the save."
    ),
)
def trail(stage: Stage) -> None:
    """Read what was before one's own save."""
    docs = {f"/trails/{n}": {"trail": n, "open": True, "note": ""} for n in ("ridge", "gorge", "moor")}
    server = place.open_box(stage, Box(docs, _short), "stdlib")
    front = fronts.nginx_cache(stage, server, 90, "add_header X-Cache-Status $upstream_cache_status;")
    me = stage.actor("client", front, "trails.park.test", "node:fetch", {"X-User": "ranger-4"})
    me.get("/trails/ridge")
    seen = me.get("/trails/gorge")
    me.get("/trails/moor")
    saved = me.put("/trails/gorge", {**seen.json, "open": False}, 200, {"If-Match": seen.etag})
    place.rest(0.9)
    old = me.get("/trails/gorge", 200)
    place.sure(old.etag == seen.etag and old.fields["x-cache-status"] == "HIT", old.fields)
    me.put("/trails/gorge", {**old.json, "note": "rockfall"}, 412, {"If-Match": old.etag})
    old = me.get("/trails/gorge", 200, {"Cache-Control": "no-cache"})
    me.put("/trails/gorge", {**old.json, "note": "rockfall"}, 412, {"If-Match": old.etag})
    place.sure(me.get("/trails/gorge?v=2").etag == saved.etag)


def _copy(box: Box, seconds: float) -> Box:
    late = Box({}, box.tag, extra={"X-Served-By": "copy-2"})
    late.docs = box.docs

    def look(_req: Req, path: str) -> Doc | None:
        doc = box.docs.get(path)
        known = [] if doc is None else [*doc.past, doc]
        return next((one for one in reversed(known) if one.at <= time.time() - seconds), None)

    late.look = look
    return late


@case(
    "d276",
    "vic-copy-that-lags",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "Reads go to a copy that is 1.4 seconds behind. After its own save, whose answer names the new tag, the "
        "program reads the version before, writes with that tag and is refused; two seconds later reads agree."
    ),
)
def copies(stage: Stage) -> None:
    """Read one's own save too early."""
    docs = {f"/meters/{n}": {"id": n, "kwh": 100 * n, "seal": "ok"} for n in (31, 32, 33)}
    box = Box(docs, _rev, first=6, extra={"X-Served-By": "main-1"}, say={412: {"erreur": "version dépassée"}})
    front = fronts.split(
        stage, place.open_box(stage, box, "waitress"), place.open_box(stage, _copy(box, 1.4), "waitress")
    )
    me = stage.actor("client", front, "meters.energie.example", "aiohttp")
    me.get("/meters/31")
    seen = me.get("/meters/32")
    saved = me.put("/meters/32", {**seen.json, "kwh": 3290}, 200, {"If-Match": seen.etag})
    old = me.get("/meters/32")
    place.sure(old.etag == seen.etag)
    me.put("/meters/32", {**old.json, "seal": "new"}, 412, {"If-Match": old.etag})
    old = me.get("/meters/32")
    place.sure(old.etag == seen.etag)
    me.put("/meters/32", {**old.json, "seal": "new"}, 412, {"If-Match": old.etag})
    place.rest(2.0)
    new = me.get("/meters/32")
    place.sure(new.etag == saved.etag)
    me.put("/meters/32", {**new.json, "seal": "new"}, 200, {"If-Match": new.etag})
    me.get("/meters/33")


@case(
    "d277",
    "vic-two-nodes-two-tags",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two nodes in turns behind HAProxy compute the tag of the same record with a salt of their own; reads alternate "
        "between two tags with the same content, and a write reaches the node whose tag it does not carry."
    ),
)
def nodes(stage: Stage) -> None:
    """Meet the other node each time."""
    docs = {f"/wells/{n}": {"well": n, "depth": 40 + n, "pump": "on"} for n in (1, 2, 3)}
    one = Box(docs, lambda _path, doc: f'"n1-{doc.digest()[:14]}"', extra={"X-Node": "n1"})
    two = Box({}, lambda _path, doc: f'"n2-{doc.digest("sha1")[:14]}"', extra={"X-Node": "n2"})
    two.docs = one.docs
    front = fronts.haproxy(
        stage, [place.open_box(stage, one, "falcon"), place.open_box(stage, two, "falcon")]
    )
    me = stage.actor("client", front, "wells.waterboard.test", "urllib")
    seen = [me.get("/wells/2") for _ in range(4)]
    place.sure(len({got.etag for got in seen}) == 2 and len({got.body for got in seen}) == 1)
    for _ in range(3):
        got = me.get("/wells/2")
        me.put("/wells/2", {**got.json, "pump": "off"}, 412, {"If-Match": got.etag})
        place.rest(0.2)
    me.get("/wells/3")
    me.get("/wells/2", 200)


@case(
    "d278",
    "vic-balancer-sends-twice",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    description=(
        "HAProxy retries a PUT whose answer takes longer than half a second: the origin has stored the first and "
        "refuses the second, and the client, which sent one, is told 412 while its own booking stands there."
    ),
)
def twice(stage: Stage) -> None:
    """Be refused because of one's own write, sent twice on the way."""
    docs = {f"/halls/{n}": {"hall": n, "slots": ["free"] * 4} for n in ("blue", "red")}
    box = Box({**docs, **place.side("/keys", 3)}, _mixed, dates=True)
    taken: list[int] = []

    def slow(req: Req, _path: str) -> None:
        if req.path == "/halls/red":
            taken.append(1)
            if len(taken) == 1:
                box.after.append(_once_slow(1.1))

    box.done.append(slow)
    server = place.open_box(stage, box, "tornado")
    rules = " retries 2\n retry-on response-timeout\n option http-buffer-request\n timeout server 500ms"
    front = fronts.haproxy(stage, [server], rules)
    me = stage.actor("client", front, "halls.sports.test", "httpx", {"X-User": "club-12"})
    place.stroll(me, list(place.side("/keys", 3)), 6, 9)
    seen = me.get("/halls/red")
    me.put(
        "/halls/red",
        {**seen.json, "slots": ["free", "club-12", "free", "free"]},
        412,
        {"If-Match": seen.etag},
    )
    now = me.get("/halls/red")
    place.sure(now.json["slots"][1] == "club-12" and now.etag != seen.etag)
    me.get("/halls/blue")
    place.rest(1.0)
    place.sure(
        len([one for one in stage.taps["upstream"].recorded if "PUT /halls/red" in one.request.start_line])
        == 2
    )


def _once_slow(seconds: float) -> Any:
    left = [1]

    def wait(req: Req, res: Res) -> None:
        if left and req.path == "/halls/red" and res.status == 200 and req.method == "PUT":
            left.clear()
            time.sleep(seconds)

    return wait


@case(
    "d279",
    "vic-links-rewritten-tags-gone",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description=(
        "nginx rewrites links in the answers of a service of leases, for which it takes the tag away; the service "
        "insists on a condition that the program cannot know, and answers 428. The upstream file has the tags."
    ),
)
def links(stage: Stage) -> None:
    """Be asked for a tag that was taken away."""
    docs = {
        f"/leases/{n}": {"id": n, "self": f"http://inner.test/leases/{n}", "rent": 600} for n in (7, 8, 9)
    }
    say: dict[int, Any] = {428: {"code": "CONDITION_REQUIRED", "detail": "Envoyez If-Match avec l'ETag lu."}}
    server = place.open_box(stage, Box(docs, _md5, need=428, say=say), "flask-cheroot")
    lines = 'sub_filter_types application/json; sub_filter_once off; sub_filter "http://inner.test" "https://baux.example"; '
    front = fronts.nginx(stage, server, f'{lines}proxy_set_header Accept-Encoding "";')
    me = stage.actor("client", front, "baux.example", "requests")
    me.get("/leases")
    for _ in range(2):
        seen = me.get("/leases/8")
        place.sure("etag" not in seen.fields and "baux.example" in seen.text)
        me.put("/leases/8", {**seen.json, "rent": 640}, 428)
        place.rest(0.4)
    me.send("PATCH", "/leases/8", 428, None, {"rent": 640})
    me.get("/leases/9")


@case(
    "d280",
    "vic-never-a-304-through-the-store",
    "cache-misevaluates",
    "missing-304",
    alone="cache-misevaluates server-precondition-bug",
    description=(
        "With proxy_cache on, nginx takes If-None-Match off and does not look at it for answers that it may not store: "
        "a poller with the right tag gets the whole timetable each time; the origin saw no condition. Past nginx, 304."
    ),
)
def poller(stage: Stage) -> None:
    """Poll with the right tag and get it all."""
    docs = {f"/timetable/{n}": {"line": n, "stops": [f"s{i}" for i in range(25)]} for n in (4, 6)}
    box = Box(docs, _short, extra={"Cache-Control": "no-cache"})
    server = place.open_box(stage, box, "waitress")
    store = "proxy_cache store; add_header X-Cache-Status $upstream_cache_status;"
    front = fronts.nginx(stage, server, store, "proxy_cache_path DIR/store keys_zone=store:1m;")
    me = stage.actor("client", front, "timetable.tram.test", "aiohttp", {"User-Agent": "board/2"})
    other = stage.actor("other", server, "timetable.tram.test", "curl", {"User-Agent": "board/2"})
    seen = me.get("/timetable/4")
    for _ in range(5):
        got = me.get("/timetable/4", 200, {"If-None-Match": seen.etag})
        place.sure(got.etag == seen.etag and got.body == seen.body)
        place.rest(0.3)
    me.get("/timetable/6")
    mine = other.get("/timetable/4")
    for _ in range(2):
        other.get("/timetable/4", 304, {"If-None-Match": mine.etag})
