"""Encoders, filters and load balancers between a client and its documents."""

from __future__ import annotations

import time

from tools.recording import components
from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.mia_setting import GZIP, JSON, PLAIN, C, around, desk, doc, dump, sure

_TEXT = {"Content-Type": "text/plain"}
_LONG = "The boiler was serviced; pressure 1.4 bar; next visit in spring. " * 12


@case(
    "b425",
    "mia-caddy-encode-suffix",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Caddy compresses the service log and appends -gzip to its tag; sent back in If-Match the origin does not "
        "know it. Read with identity, the tag has no suffix and the write passes."
    ),
)
def encode(stage: Stage) -> None:
    """Send Caddy's tag."""
    server = desk(stage, "starlette", {"/logs/boiler.txt": doc(_LONG, 5000, "text/plain")}, tag="md5")
    me = stage.actor("client", fronts.caddy(stage, server, " encode gzip"), "logs.heat.test", "httpx")
    tag = me.get("/logs/boiler.txt", 200, GZIP).etag
    sure(holds=tag.endswith('-gzip"'), otherwise=tag)
    new = _LONG.replace("1.4", "1.6")
    me.put("/logs/boiler.txt", new, 412, {"If-Match": tag, **_TEXT})
    me.get("/logs/boiler.txt", 304, {"If-None-Match": tag, **GZIP})
    plain = me.get("/logs/boiler.txt", 200, PLAIN).etag
    me.put("/logs/boiler.txt", new, 200, {"If-Match": plain, **_TEXT})


@case(
    "b426",
    "mia-apache-brotli-on-dav",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache is the DAV server itself and compresses with brotli: its own tag with -br comes back in If-Match and "
        "is refused; HEAD with identity shows the bare one."
    ),
)
def brotli(stage: Stage) -> None:
    """Send the tag of a brotli answer."""
    lines = "<Location />\nDav On\nSetOutputFilter BROTLI_COMPRESS\n</Location>"
    server = fronts.site(stage, "apache2", {"house/log.txt": _LONG}, lines)
    me = stage.actor("client", server, "dav.house.test", "node", {"User-Agent": "housekeeper/0.9"})
    tag = me.get("/house/log.txt", 200, {"Accept-Encoding": "br"}).etag
    sure(holds=tag.endswith('-br"'), otherwise=tag)
    time.sleep(0.3)
    me.put("/house/log.txt", _LONG + "Filter changed.", 412, {"If-Match": tag, **_TEXT})
    bare = me.send("HEAD", "/house/log.txt", 200, PLAIN).etag
    me.put("/house/log.txt", _LONG + "Filter changed.", 204, {"If-Match": bare, **_TEXT})


@case(
    "b427",
    "mia-varnish-gzip-weakens-for-all",
    "etag-weakened",
    "412",
    alone="etag-weakened weak-only-origin",
    description=(
        "Varnish compresses what it fetches (do_gzip) and makes every tag weak, also for a client that asked for no "
        "coding; the origin gives strong ones (upstream file), and If-Match with W/ never matches there."
    ),
)
def varnish(stage: Stage) -> None:
    """Send a tag that Varnish made weak."""
    rows = "day,litres\n" + "".join(f"{n},{n * 31 % 17}\n" for n in range(1, 60))
    docs = {"/tanks/7.csv": doc(rows, 9000, C)}
    vcl = "sub vcl_recv { return (pass); } sub vcl_backend_response { set beresp.do_gzip = true; }"
    server = fronts.varnish(stage, desk(stage, "flask", docs, tag="stamp", shape="plain"), vcl)
    me = stage.actor("client", server, "tanks.farm.test", "curl", {"X-Api-Key": "k-1"})
    weak = me.get("/tanks/7.csv").etag
    sure(holds=weak.startswith("W/"), otherwise=weak)
    me.put("/tanks/7.csv", rows + "60,4\n", 412, {"If-Match": weak, "Content-Type": C})
    again = me.get("/tanks/7.csv", 200, GZIP).etag
    sure(holds=again == weak, otherwise=again)


@case(
    "b428",
    "mia-haproxy-compression-weakens",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "HAProxy's compression marks the tag weak; If-Match with it is refused by the origin. HEAD, which HAProxy "
        "leaves alone, shows the same text strong, and that one passes."
    ),
)
def compression(stage: Stage) -> None:
    """Send a tag that HAProxy made weak."""
    plan = {"ship": "Merel", "legs": [{"from": n, "to": n + 1, "miles": 12 * n} for n in range(40)]}
    server = desk(stage, "stdlib", {"/plans/merel": doc(plan)}, tag="rev", shape="code")
    lines = " compression algo gzip\n compression type application/json"
    me = stage.actor("client", fronts.haproxy(stage, [server], lines), "plans.sail.test", "requests")
    weak = me.get("/plans/merel").etag
    sure(holds=weak.startswith("W/"), otherwise=weak)
    new = dump({**plan, "ship": "Merel II"})
    me.put("/plans/merel", new, 412, {"If-Match": weak, **JSON})
    strong = me.send("HEAD", "/plans/merel", 200, PLAIN).etag
    sure(holds=f"W/{strong}" == weak, otherwise=strong)
    me.put("/plans/merel", new, 200, {"If-Match": strong, **JSON})


@case(
    "b429",
    "mia-haproxy-deletes-if-match",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "HAProxy deletes If-Match (a rule against odd headers): the pharmacist's save with the tag of an outdated "
        "read is accepted although a newer one was seen in between, and the colleague's line is gone. The origin's "
        "file shows the request without the field."
    ),
)
def deletes(stage: Stage) -> None:
    """Save with an outdated tag through a proxy that drops it."""
    card = {"patient": "p-5", "drug": "A 20 mg", "remark": ""}
    server = desk(stage, "aiohttp", {"/cards/p-5": doc(card)}, tag="uuid")
    lines = " http-request del-header If-Match"
    front = fronts.haproxy(stage, [server], lines)
    me = stage.actor("client", front, "cards.pharmacy.test", "node:axios", {"X-Desk": "1"})
    other = stage.actor("other", front, "cards.pharmacy.test", "httpx", {"X-Desk": "2"})
    around(me, 6)
    tag = me.get("/cards/p-5").etag
    theirs = other.get("/cards/p-5").etag
    other.put("/cards/p-5", {**card, "remark": "allergic to B"}, 200, {"If-Match": theirs})
    around(me, 5)
    time.sleep(1.1)
    sure(holds=me.get("/cards/p-5").etag != tag, otherwise="not moved")
    me.put("/cards/p-5", {**card, "drug": "A 40 mg"}, 200, {"If-Match": tag})
    sure(holds=me.get("/cards/p-5").json["remark"] == "", otherwise="nothing was lost")


@case(
    "b430",
    "mia-traefik-empties-if-none-match",
    "precondition-stripped",
    "overwritten",
    alone="precondition-ignored precondition-stripped",
    description=(
        "Traefik removes If-None-Match from requests (to defeat caches). A create-only PUT onto a name that the "
        "client has just read replaces what is there: 200 instead of 412. The origin never saw the guard."
    ),
)
def empties(stage: Stage) -> None:
    """Create over something through a proxy that drops the guard."""
    text = "rules of the house, 2019\n"
    server = desk(stage, "starlette", {"/wiki/rules.txt": doc(text, 8e6, "text/plain")}, tag="size")
    rule = '    fresh:\n      headers:\n        customRequestHeaders:\n          If-None-Match: ""\n'
    front = fronts.traefik(stage, [server], rule, "fresh")
    me = stage.actor("client", front, "wiki.house.test", "urllib", {"User-Agent": "wiki-import/3"})
    guard = {"If-None-Match": "*", **_TEXT}
    me.put("/wiki/pets.txt", "no pets\n", 201, guard)
    me.get("/wiki/rules.txt")
    me.put("/wiki/rules.txt", "rules, imported\n", 200, guard)
    sure(holds=me.get("/wiki/rules.txt").text == "rules, imported\n", otherwise="not replaced")


@case(
    "b431",
    "mia-two-lighttpd-nodes-with-inodes",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two lighttpd nodes hold the same file but mix inode and time into the tag; Traefik takes them in turn, so "
        "reads show two tags for the same text and the PUT meets the other node."
    ),
)
def two_nodes(stage: Stage) -> None:
    """Read from one node, write to the other."""
    files = {"menu.json": dump({"soup": "leek", "main": "pike", "price": 1250})}
    nodes = [fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"], age) for age in (7200.0, 7390.0)]
    me = stage.actor("client", fronts.traefik(stage, nodes), "menu.inn.test", "httpx", {"X-Screen": "bar"})
    seen = [me.get("/menu.json") for _ in range(4)]
    sure(
        holds=len({one.etag for one in seen}) == 2 and len({one.body for one in seen}) == 1,
        otherwise="one tag",
    )
    me.put("/menu.json", {"soup": "leek", "main": "perch", "price": 1250}, 412, {"If-Match": seen[-1].etag})
    me.get("/menu.json")
    me.get("/menu.json")
    me.get("/menu.json")


@case(
    "b432",
    "mia-three-pods-each-with-its-boot-id",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Three pods behind Envoy salt their tags with an id of their start; X-Pod names the pod. The same record has "
        "three tags, revalidation never hits, the PATCH is refused."
    ),
)
def pods(stage: Stage) -> None:
    """Meet three pods in turn."""
    record = {"/people/41": doc({"name": "I. Haddad", "room": "2.14"}, 40000.0)}
    nodes = [
        desk(stage, kind, record, salt=f"boot-{n}", always={"X-Pod": f"people-{n}"}, dated=False)
        for n, kind in enumerate(("flask", "flask", "flask"), 1)
    ]
    me = stage.actor("client", fronts.envoy(stage, nodes), "people.office.test", "aiohttp")
    seen = [me.get("/people/41") for _ in range(3)]
    sure(holds=len({one.etag for one in seen}) == 3, otherwise="fewer tags")
    me.get("/people/41", 200, {"If-None-Match": seen[-1].etag})
    tag = me.get("/people/41").etag
    me.send("PATCH", "/people/41", 412, {"If-Match": tag}, {"room": "2.15"})
    me.get("/people/41")
    me.get("/people/41")


@case(
    "b433",
    "mia-haproxy-retries-on-timeout",
    "intermediary-replay",
    "412",
    alone="intermediary-replay lost-response-replay post-commit-412",
    description=(
        "HAProxy repeats a PUT after a second without answer (retry-on response-timeout); the first one commits "
        "meanwhile, and the client gets the 412 of the second. One PUT at the client, two at the origin, own content."
    ),
)
def retries(stage: Stage) -> None:
    """Let HAProxy repeat a write."""
    form = {"claim": 77, "state": "new", "amount": 0}
    server = desk(stage, "flask", {"/claims/77": doc(form)}, tag="stamp", before=1.6)
    lines = " option http-buffer-request\n retry-on response-timeout\n retries 1\n timeout server 1s"
    front = fronts.haproxy(stage, [server], lines)
    me = stage.actor("client", front, "claims.insure.test", "requests", {"X-Clerk": "berg"})
    around(me, 3)
    tag = me.get("/claims/77").etag
    new = {"claim": 77, "state": "approved", "amount": 41250, "entry": "berg-000977"}
    me.put("/claims/77", new, 412, {"If-Match": tag})
    sure(holds=me.get("/claims/77").json["entry"] == "berg-000977", otherwise="not stored")


@case(
    "b435",
    "mia-envoy-compressor-drops-strong-tags",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    also="token-missing",
    description=(
        "Envoy's compressor deletes strong tags from what it compresses: with gzip the client sees none and its PUT "
        "gets 428. With identity the tag is there, and the same PUT passes."
    ),
)
def compressor(stage: Stage) -> None:
    """Read without a tag, then with one."""
    atlas = {"sheet": 31, "points": [[n, n * n % 101] for n in range(90)]}
    server = desk(stage, "starlette", {"/atlas/31": doc(atlas)}, needs=428, dated=False)
    front = fronts.envoy(stage, [server], components.ENVOY_COMPRESSOR, "", "compressor gzip")
    me = stage.actor("client", front, "atlas.geo.test", "requests", {"X-Surveyor": "9"})
    around(me, 2)
    sure(holds="etag" not in me.get("/atlas/31", 200, GZIP).fields, otherwise="the tag is there")
    new = {**atlas, "sheet": 32}
    me.put("/atlas/31", new, 428)
    tag = me.get("/atlas/31", 200, PLAIN).etag
    me.put("/atlas/31", new, 200, {"If-Match": tag})


@case(
    "b437",
    "mia-302-to-the-new-version",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description=(
        "Version 1 of the API is redirected to version 2 with 302. requests follows the PUT with a GET: 200 and the "
        "old record, nothing was written."
    ),
)
def moved(stage: Stage) -> None:
    """Follow a 302."""
    docs = {"/v2/pumps/3": doc({"pump": 3, "duty": 40}), "/v2/pumps/4": doc({"pump": 4, "duty": 55})}
    server = fronts.caddy(stage, desk(stage, "aiohttp", docs), " redir /v1/pumps/3 /v2/pumps/3 302")
    me = stage.actor(
        "client", server, "pumps.water.test", "requests:follow", {"Authorization": "Bearer scada"}
    )
    around(me, 3)
    me.get("/v2/pumps/4")
    tag = me.get("/v2/pumps/3").etag
    me.put("/v1/pumps/3", {"pump": 3, "duty": 65}, 200, {"If-Match": tag})
    sure(holds=me.get("/v2/pumps/3").json["duty"] == 40, otherwise="it was written")
