"""Stories of what stands between the client and the service."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording.components import ENVOY_COMPRESSOR
from tools.recording_apis import fronts
from tools.recording_apis.apps.ada_desk import Ask, Desk, Reply, Sheet, hashed, numbered
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ada_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_LONG = "The tower was repaired after the storm of 1953 and has been open in summer ever since."


@case(
    "d359",
    "ada-caddy-suffixes-the-lighthouse",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Caddy compresses a register of lighthouses and ends its tags in -gzip; the service behind knows no such tag "
        "and refuses each save. Read with Accept-Encoding: identity, the tag is bare and is taken. Tornado behind Caddy."
    ),
)
def lighthouse(stage: Stage) -> None:
    """Send back a tag with a suffix."""
    rows = {f"/lights/{n}": {"name": n, "range": 18, "history": _LONG} for n in ("skagen", "hook", "fastnet")}
    desk = Desk(rows, hashed, words={412: {"error": "light has changed"}})
    front = fronts.caddy(stage, at.desk(stage, desk, "tornado"), " encode gzip {\n  minimum_length 60\n }")
    me = stage.actor("client", front, "lights.coastguard.test", "node:fetch")
    at.rounds(me, "/status")
    at.rounds(me, "/lights/hook", again=True)
    for name in ("skagen", "fastnet"):
        seen = me.get(f"/lights/{name}")
        at.need(seen.etag.endswith('-gzip"'), seen.etag)
        me.put(f"/lights/{name}", {**seen.json, "range": 19}, 412, {"If-Match": seen.etag})
        at.pause(0.5)
    plain = me.get("/lights/skagen", 200, {"Accept-Encoding": "identity"})
    at.need(plain.etag.replace('"', "") + "-gzip" == me.get("/lights/skagen").etag.replace('"', ""))
    me.put("/lights/skagen", {**plain.json, "range": 19}, 200, {"If-Match": plain.etag})
    at.rounds(me, "/status")


@case(
    "d360",
    "ada-haproxy-weakens-the-permits",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "HAProxy compresses the answers of a PHP service and marks their tags weak; If-Match with such a tag is refused "
        "every time. A read that asks for no compression shows the strong tag, which is taken."
    ),
)
def weakened(stage: Stage) -> None:
    """Send back a weakened tag."""
    rows = {
        f"/leases/{n}": {"lease": n, "tenant": "Moreau", "rent": 640, "note": _LONG}
        for n in ("a1", "a2", "b1")
    }
    lines = " compression algo gzip\n compression type application/json"
    front = fronts.haproxy(stage, [at.filing(stage, rows)], lines)
    me = stage.actor("client", front, "leases.housing.test", "requests", {"User-Agent": "rent-roll/2"})
    at.rounds(me, "/ready.php")
    at.rounds(me, "/leases/b1", again=False)
    for lease in ("a1", "a2"):
        seen = me.get(f"/leases/{lease}")
        at.need(seen.etag.startswith('W/"'), seen.etag)
        me.send("PATCH", f"/leases/{lease}", 412, {"If-Match": seen.etag}, {"rent": 655})
        at.pause(0.5)
    plain = me.get("/leases/a1", 200, {"Accept-Encoding": "identity"})
    at.need(not plain.etag.startswith("W/"))
    me.send("PATCH", "/leases/a1", 200, {"If-Match": plain.etag}, {"rent": 655})
    me.get("/leases/a2")


@case(
    "d361",
    "ada-apache-unsets-if-match",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "A line left in Apache's configuration unsets If-Match on its way to the service: of two windows with the same "
        "roster, the second saves with the tag from before the first one's save and is told 200; the first one's change "
        "is gone. The service itself would have refused, but never saw the field."
    ),
)
def unset(stage: Stage) -> None:
    """Lose the condition on the way."""
    rows = {f"/rosters/{n}": {"week": n, "lead": "Pia", "van": 2, "crew": ["Pia"]} for n in (47, 48, 49)}
    server = at.desk(stage, Desk(rows, numbered, rev=3), "flask")
    front = fronts.apache(stage, server, "RequestHeader unset If-Match early")
    me = stage.actor("client", front, "rosters.paramedic.test", "httpx", {"X-Staff": "pia"})
    at.rounds(me, "/status", "/rosters")
    at.rounds(me, "/rosters/47", again=True)
    one = me.get("/rosters/48", 200, {"X-Window": "w1"})
    two = me.get("/rosters/48", 200, {"X-Window": "w2"})
    at.need(one.etag == two.etag)
    saved = me.put(
        "/rosters/48", {**one.json, "crew": ["Pia", "Tom"]}, 200, {"X-Window": "w1", "If-Match": one.etag}
    )
    at.need(saved.etag != one.etag)
    at.pause(1.0)
    me.put("/rosters/48", {**two.json, "van": 5}, 200, {"X-Window": "w2", "If-Match": two.etag})
    now = me.get("/rosters/48")
    at.need(now.json["crew"] == ["Pia"] and now.json["van"] == 5)
    at.need(not any(at.fields(stage, "upstream", "If-Match")))
    at.rounds(me, "/rosters/49", again=True)


@case(
    "d362",
    "ada-varnish-keeps-the-old-menu",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Varnish stores reads of menus for two minutes and lets saves pass without dropping what it holds: after its own "
        "save an editor is shown the old menu with the old tag (Age, X-Varnish), and each further save with it is refused."
    ),
)
def menu(stage: Stage) -> None:
    """Read from a store that is behind."""
    rows = {f"/menus/{n}": {"day": n, "soup": "leek", "main": "cod"} for n in ("mon", "tue", "wed")}
    desk = Desk(
        rows,
        hashed,
        words={412: {"message": "menu has been changed"}},
        always={"Cache-Control": "max-age=120"},
    )
    front = fronts.varnish(stage, at.desk(stage, desk, "aiohttp"))
    me = stage.actor("client", front, "menus.canteen.test", "requests", {"User-Agent": "menu-desk/1"})
    at.rounds(me, "/menus", "/menus/mon")
    first = me.get("/menus/tue")
    saved = me.put("/menus/tue", {**first.json, "soup": "beet"}, 200, {"If-Match": first.etag})
    at.pause(1.3)
    for _ in range(2):
        seen = me.get("/menus/tue")
        at.need(seen.etag == first.etag != saved.etag and int(seen.fields["age"]) > 0)
        me.put("/menus/tue", {**seen.json, "main": "pike"}, 412, {"If-Match": seen.etag})
        at.pause(1.0)
    fresh = me.get("/menus/tue?fresh=1")
    at.need(fresh.etag == saved.etag)
    me.put("/menus/tue", {**fresh.json, "main": "pike"}, 200, {"If-Match": fresh.etag})
    at.rounds(me, "/menus/wed")


@case(
    "d363",
    "ada-reads-from-a-copy-that-is-behind",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "HAProxy sends reads to a copy that is a second and a half behind and writes to the first: a read right after "
        "one's own save shows the state before it, nothing is cacheable, and the next save is refused; two seconds "
        "later the same steps go through."
    ),
)
def copy(stage: Stage) -> None:
    """Read what is behind."""
    rows = {f"/wards/{n}": {"ward": n, "beds": 20, "free": 4} for n in ("n1", "n2", "s1")}
    always = {"Cache-Control": "no-store"}
    first = Desk(rows, numbered, rev=60, words={412: {"error": "ward record is newer"}}, always=always)
    behind = Desk(rows, numbered, rev=60, always=always)
    log: list[tuple[float, str, Sheet]] = []
    first.stored = lambda _ask, path, sheet: log.append((at.clock(), path, sheet))

    def find(_ask: Ask, path: str) -> Sheet | None:
        for moment, changed, sheet in log:
            if at.clock() - moment > 1.5:
                behind.sheets[changed] = sheet
        return behind.sheets.get(path)

    behind.find = find  # type: ignore[method-assign]
    front = fronts.split(stage, at.desk(stage, first, "litestar"), at.desk(stage, behind, "litestar"))
    me = stage.actor("client", front, "wards.hospital.test", "aiohttp", {"X-Staff": "nurse-4"})
    at.rounds(me, "/status", "/wards")
    seen = me.get("/wards/n2")
    saved = me.put("/wards/n2", {**seen.json, "free": 3}, 200, {"If-Match": seen.etag})
    at.pause(0.3)
    old = me.get("/wards/n2")
    at.need(old.etag == seen.etag != saved.etag)
    me.put("/wards/n2", {**old.json, "beds": 21}, 412, {"If-Match": old.etag})
    at.rounds(me, "/wards/s1", again=True)
    at.pause(2.0)
    now = me.get("/wards/n2")
    at.need(now.etag == saved.etag)
    saved = me.put("/wards/n2", {**now.json, "beds": 21}, 200, {"If-Match": now.etag})
    at.need(me.get("/wards/n2").etag == now.etag)
    at.pause(1.8)
    at.need(me.get("/wards/n2").etag == saved.etag)


@case(
    "d364",
    "ada-two-pods-two-tags",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two pods with one database derive their tags from a key of their own; Traefik sends requests to them in turns: "
        "the same octets come under two tags (X-Pod names the pod), polls miss, and a save is refused by the other pod."
    ),
)
def pods(stage: Stage) -> None:
    """Be sent in turns to two that disagree."""
    rows = {f"/assets/{n}": {"asset": n, "site": "Graz", "due": "2027-02-01"} for n in ("crane-1", "crane-2")}
    desks = [Desk(rows, always={"X-Pod": f"assets-{name}"}) for name in ("7f6c9", "b2k4x")]
    desks[1].sheets, desks[1].lock = desks[0].sheets, desks[0].lock
    for number, one in enumerate(desks):
        one.tag = lambda _path, sheet, own=number: f'"{Sheet((own, sheet.data), 1, 0, "").digest(20)}"'
        one.words[412] = {"title": "Precondition Failed", "status": 412}
    front = fronts.traefik(stage, [at.desk(stage, one, "flask") for one in desks])
    me = stage.actor("client", front, "assets.works.test", "node:fetch", {"User-Agent": "asset-sync/2"})
    tags = [me.get("/assets/crane-1").etag for _ in range(4)]
    at.need(tags[0] == tags[2] != tags[1] == tags[3])
    for _ in range(2):
        seen = me.get("/assets/crane-2")
        me.put("/assets/crane-2", {**seen.json, "due": "2027-03-01"}, 412, {"If-Match": seen.etag})
        at.pause(0.5)
    me.get("/assets/crane-2", 200, {"If-None-Match": me.get("/assets/crane-2").etag})
    seen = me.get("/assets/crane-2")
    me.get("/status")
    me.put("/assets/crane-2", {**seen.json, "due": "2027-03-01"}, 200, {"If-Match": seen.etag})
    me.get("/assets/crane-1")


@case(
    "d365",
    "ada-haproxy-sends-it-again",
    "intermediary-replay",
    "412",
    alone="intermediary-replay lost-response-replay post-commit-412",
    description=(
        "HAProxy waits 0.7 seconds for an answer and then sends the request again; the service has stored the first one "
        "by then and refuses the second: one PUT at the client, two at the service, 412, and the client's own content."
    ),
)
def again(stage: Stage) -> None:
    """Be sent twice by the balancer."""
    rows = {f"/tariffs/{n}": {"zone": n, "single": 240, "day": 690} for n in ("A", "AB", "ABC")}
    side = at.beside("/zones", 4, colour="grey")
    desk = Desk(
        {**rows, **side}, numbered, dates=True, rev=8, words={412: {"fehler": "Tarif wurde geändert"}}
    )

    def slowly(ask: Ask, reply: Reply) -> None:
        if ask.method == "PUT" and ask.path == "/tariffs/AB" and reply.status == 200:
            time.sleep(1.5)

    desk.last = slowly
    lines = " timeout server 700ms\n retries 1\n retry-on response-timeout"
    front = fronts.haproxy(stage, [at.desk(stage, desk, "aiohttp")], lines)
    me = stage.actor("client", front, "tariffs.verkehr.test", "requests", {"User-Agent": "tariff-tool/3"})
    at.rounds(me, "/status", "/tariffs")
    at.busy(me, side, "colour", 9, 365)
    seen = me.get("/tariffs/A")
    me.put("/tariffs/A", {**seen.json, "single": 250}, 200, {"If-Match": seen.etag})
    seen = me.get("/tariffs/AB")
    body = {**seen.json, "single": 310, "day": 760}
    me.put("/tariffs/AB", body, 412, {"If-Match": seen.etag})
    at.pause(0.6)
    now = me.get("/tariffs/AB")
    at.need(now.json == body)
    at.busy(me, side, "colour", 6, 1365)
    at.rounds(me, "/tariffs/ABC", again=True)


@case(
    "d366",
    "ada-envoy-takes-the-tag-off",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description=(
        "Envoy compresses the answers of a service of leases and takes their strong tags off; the client has nothing to "
        "send back and the service wants a condition: 428. Without compression the tag is there and the save goes through."
    ),
)
def stripped(stage: Stage) -> None:
    """Never be shown the tag."""
    rows = {f"/moorings/{n}": {"berth": n, "boat": "Aurora", "remarks": _LONG} for n in ("d4", "d5", "d7")}
    said = {"title": "Condition required", "status": 428, "detail": "PUT needs If-Match."}
    server = at.desk(stage, Desk(rows, hashed, needs=428, words={428: said}), "django")
    front = fronts.envoy(stage, [server], ENVOY_COMPRESSOR, config="compressor: gzip")
    me = stage.actor("client", front, "moorings.marina.test", "httpx", {"User-Agent": "harbourmaster/1"})
    at.rounds(me, "/status", "/moorings")
    for berth in ("d4", "d5"):
        seen = me.get(f"/moorings/{berth}")
        at.need("etag" not in seen.fields and seen.fields["content-encoding"] == "gzip")
        me.put(f"/moorings/{berth}", {**seen.json, "boat": "Borea"}, 428)
        at.pause(0.4)
    plain = me.get("/moorings/d4", 200, {"Accept-Encoding": "identity"})
    me.put("/moorings/d4", {**plain.json, "boat": "Borea"}, 200, {"If-Match": plain.etag})
    me.get("/moorings/d7")


@case(
    "d367",
    "ada-nginx-judges-by-its-own-copy",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    description=(
        "After its own save a viewer reads a part of a long protocol with the save's tag in If-Match; nginx, which holds "
        "the version before, answers 412 itself (X-Cache HIT, HTML), and the service never sees the request. Past the "
        "store the same condition is met."
    ),
)
def protocol(stage: Stage) -> None:
    """Be judged by a cache."""
    rows = {f"/protocols/{n}": {"session": n, "text": _LONG * 4, "approved": False} for n in (14, 15)}
    desk = Desk(rows, hashed, dates=True, words={412: {"error": "protocol was edited"}})
    lines = "add_header X-Cache $upstream_cache_status always;"
    front = fronts.nginx_cache(stage, at.desk(stage, desk, "pyramid"), 90, lines)
    me = stage.actor("client", front, "protocols.council.test", "requests", {"User-Agent": "viewer/2"})
    at.rounds(me, "/protocols", "/protocols/14")
    seen = me.get("/protocols/15")
    saved = me.send("PATCH", "/protocols/15", 200, {"If-Match": seen.etag}, {"approved": True})
    at.pause(1.1)
    for span in ("bytes=0-199", "bytes=200-399"):  # nginx closes the connection after such an answer
        got = me.get("/protocols/15", 412, {"Range": span, "If-Match": saved.etag, "Connection": "close"})
        at.need("nginx" in got.text and got.fields["x-cache"] == "HIT")
        at.pause(0.3)
    past = me.get("/protocols/15?v=2", 200, {"If-Match": saved.etag})
    at.need(past.json["approved"] and past.etag == saved.etag)
    at.rounds(me, "/protocols/14")


@case(
    "d368",
    "ada-moved-with-302-and-saved-nowhere",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "Apache sends the old paths of a service on with 302; the client library follows a PUT with a GET: the save "
        "seems to end in 200 and nothing is stored. Sent to the new path, it is."
    ),
)
def moved(stage: Stage) -> None:
    """Be turned into a read."""
    rows = {f"/v2/hives/{n}": {"hive": n, "queen": 2024, "frames": 10} for n in ("h1", "h2", "h3")}
    server = at.desk(stage, Desk(rows, numbered), "tornado")
    front = fronts.apache(stage, server, "ProxyPass /v1/ !\nRedirectMatch 302 ^/v1/(.*)$ /v2/$1")
    me = stage.actor("client", front, "hives.apiary.test", "requests:follow", {"User-Agent": "hivelog/0.7"})
    me.get("/status")
    me.get("/v1/hives/h1")
    for hive in ("h2", "h3"):
        seen = me.get(f"/v1/hives/{hive}")
        told = me.put(f"/v1/hives/{hive}", {**seen.json, "frames": 12}, 200, {"If-Match": seen.etag})
        at.need(told.json["frames"] == 10 and told.etag == seen.etag)
        at.pause(0.5)
    seen = me.get("/v2/hives/h2")
    me.put("/v2/hives/h2", {**seen.json, "frames": 12}, 200, {"If-Match": seen.etag})
    me.get("/v2/hives/h2")
