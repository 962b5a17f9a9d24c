"""Stories with real web servers and caches between the client and a service."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import cal_setting as place

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording_apis.stage import Stage


def _salted(salt: str) -> Callable[[str, Doc], str]:
    return lambda _path, doc: f'"{salt}{doc.digest()[:10]}"'


_LONG = "Beat the butter with the sugar until pale, then add the eggs one by one. " * 9


@case(
    "d487",
    "cal-caddy-adds-gzip-to-the-tag",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Caddy's encode appends -gzip to the tag of a recipe and takes it off in If-None-Match only: polling gives 304, "
        "each save with the tag as served is refused by the service behind. Read with identity, the tag is taken."
    ),
)
def suffix(stage: Stage) -> None:
    """Save with the suffixed tag."""
    box = Box({f"/recipes/{n}": {"id": n, "serves": 4, "method": _LONG} for n in (31, 32, 33)}, place.hashed)
    server = place.open_box(stage, box, "starlette")
    edge = fronts.caddy(stage, server, " encode gzip")
    me = stage.actor("client", edge, "recipes.kitchen.test", "requests", {"User-Agent": "recipe-sync/1.4"})
    place.watch(me, ["/recipes/31", "/recipes/33"])
    for serves in (6, 8):
        seen = me.get("/recipes/32")
        place.sure(seen.etag.endswith('-gzip"'), seen.etag)
        me.put("/recipes/32", {**seen.json, "serves": serves}, 412, {"If-Match": seen.etag})
        place.rest(0.4)
    me.get("/recipes")
    plain = me.get("/recipes/32", 200, {"Accept-Encoding": "identity"})
    place.sure(plain.etag == seen.etag.replace("-gzip", ""))
    me.put("/recipes/32", {**plain.json, "serves": 8}, 200, {"If-Match": plain.etag})
    me.get("/recipes/31")


@case(
    "d482",
    "cal-haproxy-compresses-the-rota",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "HAProxy compresses the answers of a rota service and makes their tags weak; If-Match with the weak tag fails "
        "there and then. Without compression the same tag comes strong and the save goes through."
    ),
)
def weakened(stage: Stage) -> None:
    """Save with the weakened tag."""
    week = [{"day": day, "early": "M. Okafor", "late": "S. Lind", "night": "P. Roy"} for day in range(14)]
    box = Box({f"/rota/w{n}": {"week": n, "ward": "C3", "days": week} for n in (47, 48, 49)}, place.hashed)
    server = place.open_box(stage, box, "waitress")
    rules = " compression algo gzip\n compression type application/json"
    edge = fronts.haproxy(stage, [server], rules)
    me = stage.actor("client", edge, "rota.hospital.test", "httpx", {"X-User": "ward-c3"})
    me.get("/me")
    place.watch(me, ["/rota/w47"], 1)
    for _ in range(2):
        seen = me.get("/rota/w48")
        place.sure(seen.etag.startswith("W/"))
        me.put("/rota/w48", {**seen.json, "ward": "C4"}, 412, {"If-Match": seen.etag})
        place.rest(0.6)
        me.get("/healthz")
    plain = me.get("/rota/w48", 200, {"Accept-Encoding": "identity"})
    place.sure(f"W/{plain.etag}" == seen.etag)
    me.put("/rota/w48", {**plain.json, "ward": "C4"}, 200, {"If-Match": plain.etag})
    me.get("/rota/w49")


@case(
    "d519",
    "cal-squid-drops-if-match",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped server-precondition-bug",
    description=(
        "A Squid before a catalogue of seeds lets no If-Match through. A form that was opened before a colleague's "
        "change is stored over it with 200; the same outdated tag sent past Squid is refused."
    ),
)
def stripped(stage: Stage) -> None:
    """Overwrite a change in spite of the condition."""
    docs = {f"/seeds/{n}": {"lot": n, "germination": 81, "shelf": "A"} for n in ("be-1", "be-2", "pe-9")}
    box = Box(docs, place.numbered, first=12)
    server = place.open_box(stage, box, "cheroot")
    edge = fronts.squid(
        stage, server, "request_header_access If-Match deny all\ncache deny all", "seeds.test"
    )
    me = stage.actor("client", edge, "seeds.nursery.test", "requests", {"X-User": "office"})
    other = stage.actor("other", server, "seeds.nursery.test", "urllib", {"X-User": "lab"})
    place.watch(me, ["/seeds/be-1", "/seeds/pe-9"], 1)
    opened = me.get("/seeds/be-2")
    me.get("/seeds/pe-9")
    theirs = other.get("/seeds/be-2")
    other.put("/seeds/be-2", {**theirs.json, "germination": 64}, 200, {"If-Match": theirs.etag})
    place.rest(0.5)
    place.sure(me.get("/seeds/be-2").json["germination"] == 64)
    me.get("/seeds/be-1")
    me.put("/seeds/be-2", {**opened.json, "shelf": "F"}, 200, {"If-Match": opened.etag})
    place.sure(me.get("/seeds/be-2").json["germination"] == 81)
    place.rest(0.4)
    again = other.get("/seeds/be-2")
    place.sure(again.json["germination"] == 81)
    other.put("/seeds/be-2", {**again.json, "germination": 64}, 412, {"If-Match": theirs.etag})
    other.put("/seeds/be-2", {**again.json, "germination": 64}, 200, {"If-Match": again.etag})


@case(
    "d501",
    "cal-varnish-keeps-the-old-menu",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Varnish stores the menus of a canteen for two minutes and does not hear of writes: after the program's own "
        "first save every read gives the version before it, with Age, and further saves are refused until a read "
        "with a new parameter goes past the store."
    ),
)
def stale(stage: Stage) -> None:
    """Read the version before one's own save."""
    box = Box({f"/menus/{d}": {"day": d, "soup": "leek", "price": 540} for d in ("mon", "tue")}, place.hashed)
    server = place.open_box(stage, box, "flask")
    edge = fronts.varnish(stage, server)
    me = stage.actor("client", edge, "menus.canteen.test", "node:axios", {"X-User": "chef"})
    me.get("/menus")
    place.watch(me, ["/menus/tue"], 2)
    seen = me.get("/menus/mon")
    me.put("/menus/mon", {**seen.json, "soup": "pea"}, 200, {"If-Match": seen.etag})
    place.rest(1.2)
    me.get("/menus/tue")
    for _ in range(2):
        old = me.get("/menus/mon", 200, {"Cache-Control": "no-cache"})
        place.sure(old.etag == seen.etag and int(old.fields["age"]) > 0)
        me.put("/menus/mon", {**old.json, "price": 560}, 412, {"If-Match": old.etag})
        place.rest(1.1)
    fresh = me.get("/menus/mon?t=8841")
    place.sure(fresh.json["soup"] == "pea")
    me.put("/menus/mon", {**fresh.json, "price": 560}, 200, {"If-Match": fresh.etag})


@case(
    "d470",
    "cal-reads-two-seconds-behind",
    "replica-lag",
    "412",
    alone="replica-lag stale-cache-read",
    description=(
        "HAProxy sends reads to a copy that is 1.6 seconds behind and writes to the primary. A dispatcher who reads "
        "right after an own save gets the version before it and is refused; after two seconds the read is current."
    ),
)
def lagging(stage: Stage) -> None:
    """Save again right after a save."""
    docs = {f"/tours/{n}": {"tour": n, "stops": 9, "van": "K-11"} for n in (801, 802, 803)}
    primary, copy = Box(docs, place.numbered, first=30), Box({}, place.numbered)
    copy.docs = primary.docs

    def look(_req: Req, path: str) -> Doc | None:
        known = copy.docs.get(path)
        if known is None:
            return None
        return next(one for one in (known, *reversed(known.past)) if one.at < time.time() - 1.6)

    copy.look = look
    writes = place.open_box(stage, primary, "waitress", said="primary: takes the writes")
    reads = place.open_box(stage, copy, "cheroot", said="copy: 1.6 s behind, answers GET")
    edge = fronts.split(stage, writes, reads)
    me = stage.actor("client", edge, "tours.parcel.test", "aiohttp", {"X-User": "dispatch-2"})
    place.watch(me, ["/tours/801"], 1)
    first = me.get("/tours/802")
    done = me.put("/tours/802", {**first.json, "stops": 10}, 200, {"If-Match": first.etag})
    early = me.get("/tours/802")
    place.sure(early.etag == first.etag != done.etag)
    me.put("/tours/802", {**early.json, "van": "K-14"}, 412, {"If-Match": early.etag})
    me.get("/tours/803")
    place.rest(2.0)
    late = me.get("/tours/802")
    place.sure(late.etag == done.etag)
    me.put("/tours/802", {**late.json, "van": "K-14"}, 200, {"If-Match": late.etag})
    me.get("/tours/801")


@case(
    "d464",
    "cal-two-nodes-two-tags",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two nodes of a service of speed limits make their tags with a salt of their own, and HAProxy takes turns: the "
        "same octets come under two tags by X-Node, and a save nearly always meets the node that did not issue its tag."
    ),
)
def nodes(stage: Stage) -> None:
    """Save at the other node."""
    docs = {f"/limits/{n}": {"road": n, "kmh": 50, "night": 30} for n in ("e6", "rv3", "fv120")}
    boxes: list[Box] = []
    for node, salt in (("osl-1", "51c0"), ("osl-2", "e7a4")):
        box = Box(docs if not boxes else {}, _salted(salt))
        box.docs = boxes[0].docs if boxes else box.docs
        box.extra = {"X-Node": node}
        boxes.append(box)
    servers = [place.open_box(stage, box, "waitress") for box in boxes]
    edge = fronts.haproxy(stage, servers)
    me = stage.actor("client", edge, "limits.roads.test", "httpx", {"User-Agent": "signs/3.0"})
    me.get("/limits")
    me.get("/limits/e6")
    for _ in range(3):
        seen = me.get("/limits/rv3")
        me.put("/limits/rv3", {**seen.json, "kmh": 60}, 412, {"If-Match": seen.etag})
        place.rest(0.3)
    one, two = me.get("/limits/rv3"), me.get("/limits/rv3")
    place.sure(one.body == two.body and one.etag != two.etag)
    place.sure(one.fields["x-node"] != two.fields["x-node"])
    me.get("/limits/rv3", 304, {"If-None-Match": one.etag})
    me.get("/limits/rv3", 200, {"If-None-Match": one.etag})
    me.put("/limits/rv3", {**one.json, "kmh": 60}, 200, {"If-Match": one.etag})


@case(
    "d486",
    "cal-haproxy-sends-it-again",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412 lost-response-replay",
    description=(
        "HAProxy with retry-on response-timeout waits 700 ms for the answer to a save that the service has stored and "
        "is slow to confirm, then sends it again; the second try meets the first one's version, and the program is "
        "told 412 for the one request it made."
    ),
)
def again(stage: Stage) -> None:
    """Be refused because of oneself."""
    docs = {f"/berths/{n}": {"berth": n, "vessel": "", "draught": 7.5} for n in (1, 2, 3, 4)}
    box = Box(docs, place.numbered, dates=True, first=5)
    slow: list[float] = []

    def late(req: Req, _res: Res) -> None:
        if req.method == "PUT" and slow:
            time.sleep(slow.pop())

    box.after.append(late)
    server = place.open_box(stage, box, "waitress")
    rules = " option http-buffer-request\n timeout server 700\n retries 2\n retry-on response-timeout"
    edge = fronts.haproxy(stage, [server], rules)
    me = stage.actor("client", edge, "berths.harbour.test", "requests", {"X-User": "pilot-desk"})
    place.watch(me, ["/berths/1", "/berths/4"], 1)
    seen = me.get("/berths/2")
    me.put("/berths/2", {**seen.json, "vessel": "Maren"}, 200, {"If-Match": seen.etag})
    place.rest(1.2)
    seen = me.get("/berths/3")
    slow.append(1.0)
    me.put("/berths/3", {**seen.json, "vessel": "Tordis", "draught": 6.1}, 412, {"If-Match": seen.etag})
    place.rest(0.3)
    now = me.get("/berths/3")
    place.sure(now.json["vessel"] == "Tordis" and now.etag == '"r6"')
    me.get("/berths")
    me.get("/berths/4", 200)
    me.put("/berths/3", {**now.json, "draught": 6.2}, 200, {"If-Match": now.etag})


@case(
    "d518",
    "cal-apache-unsets-the-validators",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description=(
        "An Apache before a register of trees has Header unset ETag and Last-Modified, left from a site of pictures. The "
        "service asks for a condition (428), and the app never got a tag to send; a program past Apache has tags and saves."
    ),
)
def unset(stage: Stage) -> None:
    """Have no tag to send."""
    docs = {f"/trees/{n}": {"tree": n, "species": "Tilia cordata", "crown": "B"} for n in (1204, 1205, 1206)}
    box = Box(docs, place.hashed, dates=True, need=428)
    box.say = {428: {"type": "about:blank", "title": "Precondition Required", "detail": "Send If-Match."}}
    server = place.open_box(stage, box, "cheroot")
    edge = fronts.apache(stage, server, "Header unset ETag\nHeader unset Last-Modified")
    me = stage.actor("client", edge, "trees.parks.test", "node:fetch", {"X-User": "crew-5"})
    other = stage.actor("other", server, "trees.parks.test", "requests", {"X-User": "import"})
    me.get("/me")
    me.get("/trees")
    theirs = other.get("/trees/1204")
    other.send("PATCH", "/trees/1204", 200, {"If-Match": theirs.etag}, {"crown": "A"})
    for tree in (1205, 1205, 1206):
        seen = me.get(f"/trees/{tree}")
        place.sure("etag" not in seen.fields and "last-modified" not in seen.fields)
        me.send("PATCH", f"/trees/{tree}", 428, None, {"crown": "C"})
        place.rest(0.4)
    me.get("/trees/1204")
    me.send("POST", "/trees", 201, None, {"species": "Acer campestre", "crown": "A"})


@case(
    "d465",
    "cal-nginx-judges-from-its-store",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    description=(
        "nginx with proxy_cache answers an export of a price list with If-Match from its stored copy: 412 in its own "
        "words for the tag of the program's own save, which the service would have honoured; it never saw the request."
    ),
)
def judged(stage: Stage) -> None:
    """Read a version under its tag through a store."""
    rows = [{"sku": f"T{n}", "cents": 995 + n} for n in range(40)]
    box = Box({f"/lists/{n}": {"list": n, "rows": rows} for n in ("de", "at", "ch")}, place.hashed)
    server = place.open_box(stage, box, "tornado")
    lines = "add_header X-Cache-Status $upstream_cache_status always;"
    edge = fronts.nginx_cache(stage, server, 120, lines)
    me = stage.actor("client", edge, "lists.wholesale.test", "curl", {"Accept": "application/json"})
    me.get("/lists/de")
    me.get("/lists/ch")
    seen = me.get("/lists/at")
    saved = me.put("/lists/at", {**seen.json, "rows": rows[:30]}, 200, {"If-Match": seen.etag})
    place.rest(0.4)
    for part in ("bytes=0-299", "bytes=300-599"):
        got = me.get("/lists/at", 412, {"If-Match": saved.etag, "Range": part})
        place.sure("nginx" in got.text)
        place.rest(0.3)
    me.get("/lists/ch")
    fresh = me.get("/lists/at?copy=2", 200)
    place.sure(fresh.etag == saved.etag and box.docs["/lists/at"].rev == 2)
    me.get("/lists/at?copy=3", 200, {"If-Match": saved.etag})
    me.get("/lists/at", 412, {"If-Match": saved.etag})


@case(
    "d510",
    "cal-slash-eats-the-form",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "nginx moves permits without a slash to their address with one by 301. The library follows a POST with a GET: "
        "200, the permit as before, nothing stored, three times over; posted to the address with the slash, it is."
    ),
)
def slash(stage: Stage) -> None:
    """Post to the address without the slash."""
    box = Box(
        {f"/permits/{n}/": {"permit": n, "holder": "Nils", "valid": 2026} for n in (70, 71)}, place.numbered
    )

    def update(req: Req) -> Res | None:
        if req.method == "POST" and req.path in box.docs:
            req.method = "PATCH"
        return None

    box.before.append(update)
    server = place.open_box(stage, box, "bottle")
    edge = fronts.nginx(stage, server, "", "", "rewrite ^(/permits/[0-9]+)$ $1/ permanent;")
    me = stage.actor("client", edge, "permits.fjord.test", "requests:follow", {"User-Agent": "kiosk/11"})
    me.get("/healthz")
    me.get("/permits/70")
    seen = me.get("/permits/71")
    for _ in range(3):
        said = me.send("POST", "/permits/71", 200, {"If-Match": seen.etag}, {"valid": 2027})
        place.sure(said.json["valid"] == 2026 and said.etag == seen.etag)
        place.rest(0.4)
    me.get("/permits/71/")
    kept = me.send("POST", "/permits/71/", 200, {"If-Match": seen.etag}, {"valid": 2027})
    place.sure(kept.json["valid"] == 2027)
    me.get("/permits/71")
