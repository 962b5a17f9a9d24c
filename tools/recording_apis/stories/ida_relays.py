"""What stands in front of business software: compressors, caches, header rules, nodes, retries, redirects."""

from __future__ import annotations

import time

from tools.recording.components import ENVOY_COMPRESSOR
from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ida_setting as place


@case(
    "b040",
    "deflate-renames-the-claim",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache compresses claims and appends -gzip to their tags, which the claims desk has never seen; two "
        "saves are refused, a read with identity shows the tag without it and the save passes."
    ),
)
def deflate(stage: Stage) -> None:
    """Send the tag of a compressed read."""
    stage.keeps_content = False
    server = place.service(stage, "claims", PAD="900")
    front = fronts.apache(stage, server, "SetOutputFilter DEFLATE")
    me = stage.actor("client", front, place.CLAIMS, "httpx", {"X-Adjuster": "s.ibarra"})
    place.poll(me, [place.LIST, "/claims/v3/policies/POL-3310"], 2)
    for _ in range(2):
        tag = me.get(place.CLAIM, 200, place.GZIP).etag
        place.require(tag.endswith('-gzip"'), "no suffix")
        me.put(place.CLAIM, place.claim(reserve=5100), 412, {"If-Match": tag})
        time.sleep(0.3)
    tag = me.get(place.CLAIM, 200, place.PLAIN).etag
    me.put(place.CLAIM, place.claim(reserve=5100), 200, {"If-Match": tag, **place.PLAIN})


@case(
    "b041",
    "caddy-encodes-tickets",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Caddy's encode gives compressed tickets tags that end in -gzip; it takes the ending off again for "
        "If-None-Match (304) but not for If-Match, so each save with it is 412."
    ),
)
def encode(stage: Stage) -> None:
    """Send the tag of an encoded ticket."""
    server = place.service(stage, "desk")
    front = fronts.caddy(stage, server, " encode {\n  gzip\n  minimum_length 10\n }")
    me = stage.actor("client", front, place.DESK, "aiohttp", {"Cookie": "desk_user=nils"})
    me.get("/desk/queue")
    tag = me.get(place.TICKET, 200, place.GZIP).etag
    place.require(tag.endswith('-gzip"'), "no suffix")
    me.get(place.TICKET, 304, {**place.GZIP, "If-None-Match": tag})
    guard = {**place.FORM, "If-Match": tag}
    me.put(place.TICKET, place.ticket(state="waiting"), 412, guard)
    me.get(place.TICKET, 304, {**place.GZIP, "If-None-Match": tag})
    me.put(place.TICKET, place.ticket(state="waiting"), 412, guard)
    me.get("/desk/queue")


@case(
    "b042",
    "haproxy-compresses-drawings",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "HAProxy compresses the vault's XML and makes its tags weak; If-Match with W/ is refused, a HEAD or a "
        "read without compression shows the strong tag, with which the save passes."
    ),
)
def compressed(stage: Stage) -> None:
    """Send a tag that became weak on the way."""
    server = place.service(stage, "vault", BIG="1")
    lines = " compression algo gzip\n compression type application/xml"
    front = fronts.haproxy(stage, [server], lines)
    me = stage.actor("client", front, place.VAULT, "node:fetch", {"X-Vault-User": "m.kern"})
    place.poll(me, ["/vault/documents", "/vault/documents/BW-31010"], 2)
    weak = me.get(place.DRAWING).etag
    place.require(weak.startswith("W/"), "still strong")
    new = place.drawing("Bracket left B")
    me.put(place.DRAWING, new, 412, {**place.XML, "If-Match": weak})
    time.sleep(0.4)
    me.put(place.DRAWING, new, 412, {**place.XML, "If-Match": me.get(place.DRAWING).etag})
    strong = me.get(place.DRAWING, 200, place.PLAIN).etag
    place.require(weak == f"W/{strong}", "another tag")
    me.put(place.DRAWING, new, 200, {**place.XML, "If-Match": strong})


@case(
    "b043",
    "varnish-gzip-for-everybody",
    "etag-weakened",
    "412",
    alone="etag-weakened weak-only-origin",
    description=(
        "Varnish (do_gzip) stores twins compressed and weakens their tags even for a client that never asked for "
        "compression; the hub itself tells strong tags, as the file before it shows."
    ),
)
def everybody(stage: Stage) -> None:
    """Get weak tags without compression."""
    server = place.service(stage, "hub", HINT="no-cache")
    front = fronts.varnish(stage, server, "sub vcl_backend_response { set beresp.do_gzip = true; }")
    me = stage.actor("client", front, place.HUB, "urllib", {"X-Operator": "ops-2"})
    me.get("/twins")
    for serial in ("TG-0411", "TG-0412"):
        path = f"/twins/{serial}"
        weak = me.get(path).etag
        place.require(weak.startswith("W/"), "still strong")
        me.send("PATCH", path, 412, {"If-Match": weak}, {"interval": 120})
        me.get(path)
    me.send("PATCH", "/twins/TG-0433", 200, {"If-Match": "*"}, {"interval": 120})


@case(
    "b044",
    "gateway-deletes-if-match",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "HAProxy deletes If-Match before the claims desk; an outdated save is accepted through it and takes a "
        "colleague's handler away. The same stale tag sent to the desk itself is refused."
    ),
)
def deleted(stage: Stage) -> None:
    """Write through a gateway that deletes the condition."""
    server = place.service(stage, "claims")
    front = fronts.haproxy(stage, [server], "", " http-request del-header If-Match")
    me = stage.actor("client", front, place.CLAIMS, "requests", {"X-Adjuster": "m.osei"})
    other = stage.actor("other", server, place.CLAIMS, "httpx", {"X-Adjuster": "teamlead"})
    place.poll(me, [place.LIST, place.OTHER_CLAIM], 2)
    tag = me.get(place.CLAIM).etag
    other.put(place.CLAIM, place.claim(handler="s.ibarra"), 200, {"If-Match": other.get(place.CLAIM).etag})
    other.put(place.CLAIM, place.claim(handler="s.ibarra"), 412, {"If-Match": tag})
    time.sleep(0.5)
    me.get(place.LIST)
    me.put(place.CLAIM, place.claim(status="survey"), 200, {"If-Match": tag})
    place.require(me.get(place.CLAIM).json["attributes"]["handler"] == "m.osei", "nothing lost")


_FRESHEN = 'sub vcl_recv { if (req.http.Cache-Control ~ "no-cache") { set req.hash_always_miss = true; } }\n'
_MARK = 'sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; } }'  # fmt: skip


@case(
    "b045",
    "varnish-keeps-what-was-just-changed",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Varnish keeps twins for a minute, also after a write through itself: in long polling an operator's second "
        "change uses the tag of a cached read (HIT, Age) and is refused; past the cache the read is current."
    ),
)
def kept(stage: Stage) -> None:
    """Read an old twin after one's own write."""
    server = place.service(stage, "hub", HINT="public, max-age=60")
    front = fronts.varnish(stage, server, _FRESHEN + _MARK)
    me = stage.actor("client", front, place.HUB, "httpx", {"X-Operator": "ops-3"})
    paths = ["/twins", "/twins/TG-0412", "/twins/TG-0420", "/twins/TG-0433"]
    place.poll(me, paths, 8)
    tag = me.get(place.TWIN).etag
    me.send("PATCH", place.TWIN, 200, {"If-Match": tag}, {"interval": 300})
    place.poll(me, paths, 3, 0.4)
    old = me.get(place.TWIN)
    place.require(old.etag == tag and old.fields["x-cache"] == "HIT", "not from the cache")
    me.send("PATCH", place.TWIN, 412, {"If-Match": old.etag}, {"alarm": 2.7})
    me.send("PATCH", place.TWIN, 412, {"If-Match": me.get(place.TWIN).etag}, {"alarm": 2.7})
    fresh = me.get(place.TWIN, 200, {"Cache-Control": "no-cache"}).etag
    me.send("PATCH", place.TWIN, 200, {"If-Match": fresh}, {"alarm": 2.7})
    place.poll(me, paths, 4)


@case(
    "b046",
    "squid-shows-yesterday",
    "stale-cache-read",
    "412",
    alone="stale-cache-read other-writer",
    also="other-writer",
    description=(
        "A harbour office reads twins through Squid; the hub's own staff, who go past it, have changed one already "
        "when the office reads it (Age, HIT) and saves: refused; a read past the cache shows the new state."
    ),
)
def branch(stage: Stage) -> None:
    """Read a cached twin that was changed before the read."""
    server = place.service(stage, "hub", HINT="public, max-age=120")
    front = fronts.squid(stage, server, site=place.HUB)
    me = stage.actor("client", front, place.HUB, "requests", {"X-Operator": "harbour-husum"})
    other = stage.actor("other", server, place.HUB, "httpx", {"X-Operator": "staff-4"})
    place.poll(me, ["/twins", place.TWIN], 2)
    seen = other.get(place.TWIN).etag
    other.send("PATCH", place.TWIN, 200, {"If-Match": seen}, {"alarm": 3.0})
    time.sleep(2.1)
    me.get("/twins/TG-0412")
    old = me.get(place.TWIN)
    place.require(old.etag == seen and int(old.fields["age"]) > 0, "not from the cache")
    me.get("/twins/TG-0420")
    me.send("PATCH", place.TWIN, 412, {"If-Match": old.etag}, {"interval": 60})
    fresh = me.get(place.TWIN, 200, {"Cache-Control": "no-cache"}).etag
    me.send("PATCH", place.TWIN, 200, {"If-Match": fresh}, {"interval": 60})


@case(
    "b047",
    "reports-come-from-a-copy",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "The claims desk reads from a copy that is a second and a half behind: after its own save the client gets "
        "the old state and tag (no cache marks), is refused with it, and sees its save a little later."
    ),
)
def behind(stage: Stage) -> None:
    """Read from a copy after one's own write."""
    server = place.service(stage, "claims", LAG="1.5", HINT="no-store")
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, place.CLAIMS, "requests", {"X-Adjuster": "r.achterberg"})
    place.poll(me, [place.LIST, place.OTHER_CLAIM], 2)
    tag = me.get(place.CLAIM).etag
    new = me.put(place.CLAIM, place.claim(reserve=4500), 200, {"If-Match": tag}).etag
    time.sleep(0.3)
    old = me.get(place.CLAIM).etag
    place.require(old == tag, "not behind")
    more = place.claim(reserve=4500, status="survey")
    me.put(place.CLAIM, more, 412, {"If-Match": old})
    me.get(place.CLAIM)
    time.sleep(1.6)
    place.require(me.get(place.CLAIM).etag == new, "still behind")
    me.put(place.CLAIM, more, 200, {"If-Match": new})


@case(
    "b048",
    "two-vault-nodes-disagree",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends unstable-etag",
    description=(
        "Envoy spreads over two vault nodes that mix their own name into the checksum of a tag: reads of one "
        "drawing alternate between two tags with the same octets, and each save meets the other node."
    ),
)
def nodes(stage: Stage) -> None:
    """Read from one node and write to the other."""
    servers = [place.service(stage, "vault", NODE=name) for name in ("vault-a", "vault-b")]
    front = fronts.envoy(stage, servers)
    me = stage.actor("client", front, place.VAULT, "requests", {"X-Vault-User": "m.kern"})
    seen = [me.get(place.DRAWING) for _ in range(4)]
    place.require(len({one.etag for one in seen}) == 2, "not two tags")
    place.require(len({one.body for one in seen}) == 1, "not one body")
    for _ in range(3):
        tag = me.get(place.DRAWING).etag
        guard = {**place.XML, "If-Match": tag}
        me.put(place.DRAWING, place.drawing(material="1.4404"), 412, guard)
        time.sleep(0.2)
    for _ in range(4):
        me.get(place.DRAWING)


@case(
    "b049",
    "haproxy-repeats-a-slow-save",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    description=(
        "A save takes longer than HAProxy's server timeout; with retry-on response-timeout it sends the request "
        "again and hands over the second answer, 412. The vault saw two requests; the drawing is the client's."
    ),
)
def repeated(stage: Stage) -> None:
    """Let HAProxy repeat a save."""
    server = place.service(stage, "vault", TARRY="1500")
    lines = " timeout server 1s\n retry-on response-timeout\n retries 2\n option http-buffer-request"
    front = fronts.haproxy(stage, [server], lines)
    me = stage.actor("client", front, place.VAULT, "httpx", {"X-Vault-User": "h.brenner"})
    place.poll(me, ["/vault/documents", "/vault/documents/BW-31002"], 2)
    tag = me.get(place.DRAWING).etag
    new = place.drawing("Bracket left, order 7714")
    me.put(place.DRAWING, new, 412, {**place.XML, "If-Match": tag})
    now = me.get(place.DRAWING)
    place.require("7714" in now.text and 'changedBy="h.brenner"' in now.text, "not stored")
    me.get("/vault/documents")
    time.sleep(0.7)


@case(
    "b050",
    "envoy-tries-a-second-time",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    description=(
        "Envoy's per_try_timeout ends before the hub has answered a change that it has stored; the second try is "
        "refused and that answer goes to the operator, whose change is in the twin."
    ),
)
def tried(stage: Stage) -> None:
    """Let Envoy repeat a change."""
    server = place.service(stage, "hub", TARRY="1.3")
    rule = ', timeout: 8s, retry_policy: {retry_on: "5xx,reset", num_retries: 1, per_try_timeout: 0.7s}'
    front = fronts.envoy(stage, [server], route=rule, config=f"route: {rule[2:]}")
    me = stage.actor("client", front, place.HUB, "node:axios", {"X-Operator": "ops-5"})
    me.get("/twins")
    tag = me.get(place.TWIN).etag
    change = {"alarm": 3.9, "ticket": "OPS-1180"}
    me.send("PATCH", place.TWIN, 412, {"If-Match": tag}, change)
    now = me.get(place.TWIN).json
    place.require(now["desired"]["ticket"] == "OPS-1180" and now["$by"] == "ops-5", "not stored")
    place.poll(me, ["/twins/TG-0433"], 2)
    time.sleep(0.8)


@case(
    "b051",
    "sub-filter-costs-the-tag",
    "validator-stripped",
    "428",
    alone="token-missing validator-stripped",
    also="token-missing",
    description=(
        "nginx rewrites host names in claims (sub_filter) and drops ETag and Last-Modified with that; the claims "
        "desk insists on a condition that the client cannot send. The origin's file has the tags."
    ),
)
def rewritten(stage: Stage) -> None:
    """Read without validators where a condition is wanted."""
    server = place.service(stage, "claims", NEED="1")
    lines = "sub_filter 'migration' 'import'; sub_filter_types application/json; sub_filter_once off;"
    front = fronts.nginx(stage, server, lines)
    me = stage.actor("client", front, place.CLAIMS, "java", {"X-Adjuster": "m.osei"})
    me.get(place.LIST)
    place.require("etag" not in me.get(place.CLAIM).fields, "the tag is there")
    me.put(place.CLAIM, place.claim(reserve=4400), 428)
    place.require("last-modified" not in me.get(place.CLAIM).fields, "the date is there")
    me.put(place.CLAIM, place.claim(reserve=4400), 428)
    me.get("/claims/v3/policies/POL-3310")


@case(
    "b052",
    "envoy-compressor-and-the-rota",
    "validator-stripped",
    "lost-update",
    alone="validator-stripped unconditional-write",
    also="unconditional-write",
    description=(
        "Envoy's compressor deletes the tags of what it compresses: the planner, who asks for gzip, gets none "
        "and saves unguarded over a swap that the ward's uncompressed client has guarded."
    ),
)
def compressor(stage: Stage) -> None:
    """Save without the tag that Envoy took."""
    server = place.service(stage, "rota")
    front = fronts.envoy(stage, [server], filters=ENVOY_COMPRESSOR, config="http_filters: compressor (gzip)")
    me = stage.actor("client", front, place.ROTA, "requests", {"X-Personal-Nr": "70012"})
    other = stage.actor("other", front, place.ROTA, "urllib", {"X-Personal-Nr": "70340"})
    me.get("/rota/c4")
    seen = me.get(place.SHIFT)
    place.require("etag" not in seen.fields, "the tag is there")
    other.put(place.SHIFT, place.shift(night="Lind"), 200, {"If-Match": other.get(place.SHIFT).etag})
    time.sleep(0.5)
    me.put(place.SHIFT, place.shift(early="Sander"), 200)
    place.require(other.get(place.SHIFT).json["shift"]["night"] == "Oduya", "nothing lost")
    me.get("/rota/c4")


@case(
    "b053",
    "nginx-refuses-a-guarded-read",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    description=(
        "nginx takes If-Match of a guarded read to its stored copy of the twin, which is older than the tag that "
        "the client's own write had told, and answers 412 itself, in HTML; the hub saw no such request."
    ),
)
def guarded(stage: Stage) -> None:
    """Read with If-Match through a cache."""
    stage.keeps_content = False
    server = place.service(stage, "hub", HINT="public, max-age=90")
    lines = "add_header X-Cache-Status $upstream_cache_status always; proxy_cache_bypass $http_x_fresh;"
    front = fronts.nginx_cache(stage, server, 90, lines)
    me = stage.actor("client", front, place.HUB, "urllib", {"X-Operator": "backup"})
    tag = me.get(place.TWIN).etag
    place.poll(me, ["/twins", "/twins/TG-0420"], 2)
    new = me.send("PATCH", place.TWIN, 200, {"If-Match": tag}, {"site": "Husum Mole"}).etag
    time.sleep(0.3)
    refused = me.get(place.TWIN, 412, {"If-Match": new})
    place.require(refused.fields.get("x-cache-status") == "HIT", "not by the cache")
    place.require("html" in refused.fields["content-type"], "not of the cache's making")
    me.get(place.TWIN, 412, {"If-Match": new})
    me.get(place.TWIN, 200, {"If-Match": new, "X-Fresh": "1"})


@case(
    "b054",
    "squid-never-says-304",
    "cache-misevaluates",
    "no-304",
    alone="cache-misevaluates",
    description=(
        "Claims must be revalidated; Squid asks the desk, is told 304, and hands the client a whole 200 for each "
        "poll with a matching If-None-Match. The desk itself answers such polls 304."
    ),
)
def whole(stage: Stage) -> None:
    """Poll through a cache that revalidates."""
    server = place.service(stage, "claims", HINT="public, max-age=0, must-revalidate", PAD="3000")
    front = fronts.squid(stage, server, site=place.CLAIMS)
    me = stage.actor("client", front, place.CLAIMS, "curl:trace-time", {"X-Adjuster": "dashboard"})
    other = stage.actor("other", server, place.CLAIMS, "requests", {"X-Adjuster": "teamlead"})
    tag = me.get(place.CLAIM).etag
    me.get(place.OTHER_CLAIM)
    for _ in range(4):
        time.sleep(1.1)
        place.require(me.get(place.CLAIM, 200, {"If-None-Match": tag}).etag == tag, "another tag")
    other.get(place.CLAIM, 304, {"If-None-Match": tag})


@case(
    "b055",
    "first-version-path-is-redirected",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "HAProxy redirects the old path of a twin with 302; the library follows with a GET, its 200 looks like "
        "success, and the twin is as before. Twice, until the new path is used."
    ),
)
def redirected(stage: Stage) -> None:
    """Write to a path that is redirected."""
    stage.keeps_content = False
    server = place.service(stage, "hub")
    rule = " http-request redirect code 302 location http://%[hdr(host)]/twins/%[path,field(4,/)] if { path_beg /v1/ }"
    front = fronts.haproxy(stage, [server], "", rule)
    me = stage.actor("client", front, place.HUB, "requests:follow", {"X-Operator": "legacy-tool"})
    tag = me.get("/v1/twins/TG-0411").etag
    me.put("/v1/twins/TG-0411", place.twin(interval=60), 200, {"If-Match": tag})
    time.sleep(0.6)
    now = me.get("/v1/twins/TG-0411")
    place.require(now.json["desired"]["interval"] == 900, "it was written")
    me.put("/v1/twins/TG-0411", place.twin(interval=60), 200, {"If-Match": now.etag})
    me.get("/v1/twins/TG-0411")
    me.put(place.TWIN, place.twin(interval=60), 200, {"If-Match": tag})
