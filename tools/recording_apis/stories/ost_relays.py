"""What proxies, caches and balancers do on the way to a home-made service."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ost_setting as own

_GZIP = {"Accept-Encoding": "gzip"}
_PLAIN = {"Accept-Encoding": "identity"}
_METER = "/v3/meters/70114"


@case(
    "a840",
    "apache-deflate-suffix-on-meters",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache compresses before the meter service and writes -gzip into the tag. The client sends that tag with "
        "its reading: 412. Read with identity, the tag has no suffix and the same reading is stored."
    ),
)
def deflate(stage: Stage) -> None:
    """Send the tag of a compressed answer."""
    server = own.house(stage, "ost_meters.py", own.METERS)
    edge = fronts.apache(stage, server, "SetOutputFilter DEFLATE")
    me = stage.actor("client", edge, "hydra.water.example.test", "requests", {"X-Operator": "reader-07"})
    me.get("/v3/meters?district=Hill", 200, _GZIP)
    read = me.get(_METER, 200, _GZIP)
    own.insist("-gzip" in read.etag, f"no suffix in {read.etag}")
    body = {"meter": {**read.json["meter"], "m3": 1230.5}}
    me.put(_METER, body, 412, {"If-Match": read.etag})
    again = me.get(_METER, 200, _GZIP)
    me.put(_METER, body, 412, {"If-Match": again.etag})
    plain = me.get(_METER, 200, _PLAIN)
    own.insist(plain.json == read.json, "the meter has changed")
    me.put(_METER, body, 200, {"If-Match": plain.etag, **_PLAIN})


@case(
    "a841",
    "apache-brotli-suffix-on-notices",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache sends notices with brotli and -br in the tag; the editor's PUT with it is 412, twice. The "
        "service's own tag, as the upstream file shows it, has no suffix."
    ),
)
def brotli(stage: Stage) -> None:
    """Edit a notice that was sent with brotli."""
    server = own.house(stage, "ost_notices.rb", own.NOTICES)
    edge = fronts.apache(stage, server, "SetOutputFilter BROTLI_COMPRESS")
    editor = {
        "X-Editor": "verger",
        "User-Agent": "Mozilla/5.0 (Macintosh) Safari/605.1.15",
        "Accept-Encoding": "br",
    }
    me = stage.actor("client", edge, "parish.example.test", "curl", editor)
    me.get("/notices")
    own.stroll(me, ["/notices/32", "/style.css"])
    kind = {"Content-Type": "application/atom+xml;type=entry"}
    text = '<entry xmlns:n="urn:example:notice"><n:title>Choir practice</n:title><n:when>Wed 20:00</n:when></entry>'
    for _ in range(2):
        read = me.get("/notices/31")
        own.insist("-br" in read.etag, f"no suffix in {read.etag}")
        me.put("/notices/31", text, 412, {**kind, "If-Match": read.etag})


@case(
    "a842",
    "nginx-gzip-weakens-inventory",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "nginx compresses the inventory's JSON and makes its strong tag weak; If-Match with W/ is 412. A read with "
        "identity shows the same text strong, and with it the change is stored."
    ),
)
def weakened(stage: Stage) -> None:
    """Send what gzip has made weak."""
    server = own.house(stage, "ost_inventory.php", own.ASSETS)
    edge = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", edge, "inventory.townhall.example.test", "node:axios", {"X-Clerk": "h.brandt"})
    me.get("/assets")
    me.get("/api/assets.json")
    read = me.get("/api/assets/1377.json", 200, _GZIP)
    own.insist(read.etag.startswith("W/"), f"{read.etag} is not weak")
    me.send("PATCH", "/api/assets/1377.json", 412, {"If-Match": read.etag}, {"room": "Shed"})
    me.get("/api/assets/1377.json", 304, {"If-None-Match": read.etag.removeprefix("W/")})
    plain = me.get("/api/assets/1377.json", 200, _PLAIN)
    own.insist(read.etag == f"W/{plain.etag}", "other tags")
    me.send("PATCH", "/api/assets/1377.json", 200, {"If-Match": plain.etag}, {"room": "Shed"})


@case(
    "a843",
    "haproxy-compression-weakens-recipes",
    "etag-weakened",
    "412",
    alone="etag-weakened weak-only-origin",
    description=(
        "HAProxy compresses text and turns the recipe's tag into a weak one; the origin compares strongly. The "
        "client never asks without gzip; the upstream file has the strong tag."
    ),
)
def compression(stage: Stage) -> None:
    """Edit through a compressing balancer."""
    server = own.house(stage, "OstBakery.java", own.RECIPES)
    edge = fronts.haproxy(stage, [server], "compression algo gzip\n compression type text/plain")
    baker = {"X-Baker": "Giulia", "User-Agent": "RecipePad/3.0 (iPad)"}
    me = stage.actor("client", edge, "recipes.bakery.example.test", "httpx", baker)
    me.get("/recipes")
    me.get("/recipes/stollen", 200, _GZIP)
    me.get("/recipes/panettone", 404, _GZIP)
    for name in ("rye", "brioche"):
        read = me.get(f"/recipes/{name}", 200, _GZIP)
        own.insist(read.etag.startswith("W/"), f"{read.etag} is not weak")
        text = read.text + "bake 45 min\n"
        me.put(f"/recipes/{name}", text, 412, {"If-Match": read.etag, "Content-Type": "text/plain"})


@case(
    "a844",
    "nginx-drops-if-match-for-the-roster",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped none",
    also="other-writer",
    description=(
        "An nginx in front of the roster empties If-Match for a long forgotten reason. A PATCH with an outdated tag "
        "is 200 and undoes a colleague's change; the upstream file has the request without its condition. The "
        "colleague, who goes direct, gets 412 for an outdated tag."
    ),
)
def emptied(stage: Stage) -> None:
    """Pass an outdated tag through nginx."""
    server = own.house(stage, "ost_roster.js", own.SHIFTS)
    edge = fronts.nginx(stage, server, 'proxy_set_header If-Match "";')
    me = stage.actor("client", edge, "roster.clinic.example.test", "requests", {"X-User": "planner.mia"})
    other = stage.actor("other", server, "roster.clinic.example.test", "httpx", {"X-User": "head.nurse"})
    own.stroll(me, [own.WEEK, f"{own.WEEK}/s18", f"{own.WEEK}/s19", "/me"])
    read, theirs = me.get(f"{own.WEEK}/s17"), other.get(f"{own.WEEK}/s17")
    other.put(f"{own.WEEK}/s17", {**theirs.json, "nurse": "Weiss"}, 200, {"If-Match": theirs.etag})
    other.put(f"{own.WEEK}/s17", {**theirs.json, "nurse": "Sato"}, 412, {"If-Match": theirs.etag})
    time.sleep(0.6)
    me.put(f"{own.WEEK}/s17", {**read.json, "to": "15:00"}, 200, {"If-Match": read.etag})
    own.insist(me.get(f"{own.WEEK}/s17").json["nurse"] == "Imhof", "the colleague's change survived")


@case(
    "a845",
    "caddy-removes-conditions",
    "precondition-stripped",
    "428",
    alone="precondition-stripped server-precondition-bug",
    description=(
        "The meter service demands If-Match, the client sends it, and is told 428: a Caddy in between removes the "
        "field. At the origin the request comes without it."
    ),
)
def removed(stage: Stage) -> None:
    """Be asked for what was sent."""
    server = own.house(stage, "ost_meters.py", own.METERS, FLAGS="demand")
    edge = fronts.caddy(stage, server, " request_header -If-Match")
    me = stage.actor("client", edge, "hydra.water.example.test", "java", {"X-Operator": "reader-07"})
    me.get("/v3/meters?district=Hill")
    own.stroll(me, ["/v3/meters/70115", "/v3/meters/70116"])
    for number in ("70231", "70114"):
        read = me.get(f"/v3/meters/{number}")
        body = {"meter": {**read.json["meter"], "seal": "replaced"}}
        me.put(f"/v3/meters/{number}", body, 428, {"If-Match": read.etag})


@case(
    "a846",
    "nginx-cache-answers-the-read",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "A reader corrects his reading: the GET before it is answered by nginx's store (X-Cache: HIT) with the tag "
        "from before his own last write, so the PUT is 412. With Cache-Control: no-cache it works."
    ),
)
def stored(stage: Stage) -> None:
    """Read from the store of nginx."""
    server = own.house(stage, "ost_meters.py", own.METERS)
    lines = "add_header X-Cache $upstream_cache_status always; proxy_cache_bypass $http_cache_control;"
    edge = fronts.nginx_cache(stage, server, 120, lines)
    me = stage.actor(
        "client", edge, "hydra.water.example.test", "curl:trace-time", {"X-Operator": "reader-07"}
    )
    own.stroll(me, ["/v3/meters?district=Harbour", "/v3/meters/70231", "/v3/meters/70115", "/v3/meters/1"])
    read = me.get(_METER)
    meter = read.json["meter"]
    me.put(_METER, {"meter": {**meter, "m3": 1240.0}}, 200, {"If-Match": read.etag})
    time.sleep(1.2)
    again = me.get(_METER)
    own.insist(again.etag == read.etag, "the store did not answer")
    me.put(_METER, {"meter": {**meter, "m3": 1244.0}}, 412, {"If-Match": again.etag})
    fresh = me.get(_METER, 200, {"Cache-Control": "no-cache"})
    me.put(_METER, {"meter": {**fresh.json["meter"], "m3": 1244.0}}, 200, {"If-Match": fresh.etag})


@case(
    "a847",
    "varnish-keeps-the-shift",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Varnish keeps answers of the roster. A planner opens a shift minutes after the head nurse has changed it "
        "and gets the answer of before (Age above 0): his PATCH is 412, twice, until he reloads past the cache."
    ),
)
def varnished(stage: Stage) -> None:
    """Open what Varnish has kept."""
    server = own.house(stage, "ost_roster.js", own.SHIFTS)
    bypass = (
        'sub vcl_recv { if (req.http.Cache-Control ~ "no-cache") { return (pass); } }\n'
        'sub vcl_deliver { set resp.http.X-Cache = "MISS"; if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } }'
    )
    edge = fronts.varnish(stage, server, bypass)
    me = stage.actor("client", edge, "roster.clinic.example.test", "requests", {"X-User": "planner.mia"})
    other = stage.actor("other", server, "roster.clinic.example.test", "aiohttp", {"X-User": "head.nurse"})
    me.get(f"{own.WEEK}/s18")
    theirs = other.get(f"{own.WEEK}/s18")
    other.send("PATCH", f"{own.WEEK}/s18", 200, {"If-Match": theirs.etag}, {"nurse": "Sato"})
    time.sleep(2.2)
    for _ in range(2):
        kept = me.get(f"{own.WEEK}/s18")
        own.insist(kept.fields["x-cache"] == "HIT" and int(kept.fields["age"]) > 0, "not from Varnish")
        me.send("PATCH", f"{own.WEEK}/s18", 412, {"If-Match": kept.etag}, {"to": "21:30"})
    fresh = me.get(f"{own.WEEK}/s18", 200, {"Cache-Control": "no-cache"})
    me.send("PATCH", f"{own.WEEK}/s18", 200, {"If-Match": fresh.etag}, {"to": "21:30"})


@case(
    "a848",
    "reads-go-to-a-late-replica",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "A balancer sends reads to a replica that is two seconds late. After its own write (tag B) the client reads "
        "tag A, sends it and is 412; the replica catches up, and the same steps work. X-Served-By names the node."
    ),
)
def late_replica(stage: Stage) -> None:
    """Read behind the own write."""
    store = str(stage.directory() / "meters.db")
    primary = own.house(stage, "ost_meters.py", own.METERS, STORE=store, NODE="db-primary")
    replica = own.house(stage, "ost_meters.py", own.METERS, STORE=store, NODE="db-replica-2", LAG="2.0")
    edge = fronts.split(stage, primary, replica)
    me = stage.actor("client", edge, "hydra.water.example.test", "httpx", {"X-Operator": "import-job"})
    own.stroll(me, ["/v3/meters?district=Hill", "/v3/meters/70231", "/v3/meters/70000"])
    first = me.get(_METER)
    meter = first.json["meter"]
    written = me.put(_METER, {"meter": {**meter, "m3": 1250.0}}, 200, {"If-Match": first.etag})
    late = me.get(_METER)
    own.insist(late.etag == first.etag, "the replica is not late")
    body = {"meter": {**meter, "m3": 1250.0, "seal": "new"}}
    me.put(_METER, body, 412, {"If-Match": late.etag})
    time.sleep(2.3)
    caught = me.get(_METER)
    own.insist(caught.etag == written.etag, "the replica is still late")
    me.put(_METER, body, 200, {"If-Match": caught.etag})


@case(
    "a849",
    "every-second-read-is-old",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "Envoy takes two nodes in turns; one of them reads with a delay. The client's poll after its own 2xx sees "
        "the new revision, then the older, then the new one; the write with the older tag is 412."
    ),
)
def in_turns(stage: Stage) -> None:
    """Read new and old in turns."""
    store = str(stage.directory() / "meters.db")
    nodes = [
        own.house(stage, "ost_meters.py", own.METERS, STORE=store, NODE=node, LAG=lag)
        for node, lag in (("eu-1a", "0"), ("eu-1b", "3.0"))
    ]
    edge = fronts.envoy(stage, nodes)
    me = stage.actor("client", edge, "hydra.water.example.test", "aiohttp", {"X-Operator": "reader-07"})
    read = me.get("/v3/meters/70231")
    meter = {**read.json["meter"], "seal": "replaced"}
    written = me.put("/v3/meters/70231", {"meter": meter}, 200, {"If-Match": read.etag})
    polls = [me.get("/v3/meters/70231") for _ in range(3)]
    old = next(one for one in polls if one.etag == read.etag)
    own.insist(any(one.etag == written.etag for one in polls), "no poll is new")
    me.put("/v3/meters/70231", {"meter": {**meter, "m3": 641.0}}, 412, {"If-Match": old.etag})
    time.sleep(3.2)
    settled = [me.get("/v3/meters/70231") for _ in range(2)]
    own.insist({one.etag for one in settled} == {written.etag}, "not settled")
    me.put("/v3/meters/70231", {"meter": {**meter, "m3": 641.0}}, 200, {"If-Match": written.etag})
