"""Caches that keep old copies, judge by them, and redirects and replays on the way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording.components import ENVOY_COMPRESSOR
from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.fourth_setting import MERGE, ROTA, TEXT, browse, shelf

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server


@case(
    "a380",
    "nginx-store-holds-the-old-version",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    also="other-writer",
    description="Reads come from nginx's store (X-Cache: HIT), another writes past it; refused, the client reads again, gets the same old copy, and is refused again.",
)
def _store(stage: Stage) -> None:
    path = "/menus/week-48"
    server = shelf(stage, "flask", {path: {"mon": "soup", "tue": "fish"}})
    front = fronts.nginx_cache(stage, server, 60, "add_header X-Cache $upstream_cache_status always;")
    me = stage.actor("client", front, "menus.example.test", "requests")
    other = stage.actor("other", server, "menus.example.test", "node", {"X-Kitchen": "1"})
    me.get(path)
    other.put(path, {"mon": "stew", "tue": "fish"}, 200, {"If-Match": other.get(path).etag})
    time.sleep(1.2)
    for _ in range(2):
        tag = me.get(path).etag
        me.put(path, {"mon": "soup", "tue": "rice"}, 412, {"If-Match": tag})
        time.sleep(0.7)


@case(
    "a381",
    "varnish-serves-the-copy-from-before-the-own-save",
    "stale-cache-read",
    "412",
    alone="stale-cache-read replica-lag",
    description="A client saves through Varnish, reads again and gets the copy from before its save (Age above zero); its next save with that tag is refused.",
)
def _own_copy(stage: Stage) -> None:
    path = "/signs/platform-4"
    server = shelf(stage, "falcon", {path: {"text": "Bergen 14:05", "rev": 1}})
    front = fronts.varnish(stage, server, "sub vcl_backend_response { set beresp.ttl = 60s; }")
    me = stage.actor("client", front, "signs.example.test", "aiohttp")
    tag = me.get(path).etag
    time.sleep(1.1)
    me.put(path, {"text": "Bergen 14:20", "rev": 2}, 200, {"If-Match": tag})
    time.sleep(1.1)
    old = me.get(path).etag
    me.put(path, {"text": "Bergen 14:30", "rev": 3}, 412, {"If-Match": old})
    me.get(path)


@case(
    "a382",
    "mod-cache-until-no-cache",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    also="other-writer",
    description="Apache's mod_cache answers reads (Age, X-Cache); another wrote at the service. A read with no-cache shows the new tag and the save passes.",
)
def _mod_cache(stage: Stage) -> None:
    path = "/words/nn.json"
    server = shelf(stage, "flask", {path: {"yes": "ja", "no": "nei"}}, CACHE="max-age=120")
    body = "CacheRoot DIR/store\nCacheEnable disk /\nCacheHeader on\nCacheQuickHandler on"
    front = fronts.apache(stage, server, body)
    me = stage.actor("client", front, "words.example.test", "httpx")
    other = stage.actor("other", server, "words.example.test", "urllib", {"X-Team": "dialects"})
    me.get(path)
    other.send("PATCH", path, 200, {"If-Match": other.get(path).etag, **MERGE}, '{"maybe":"kanskje"}')
    time.sleep(1.3)
    tag = me.get(path).etag
    me.send("PATCH", path, 412, {"If-Match": tag, **MERGE}, '{"no":"nei då"}')
    tag = me.get(path, 200, {"Cache-Control": "no-cache"}).etag
    me.send("PATCH", path, 200, {"If-Match": tag, **MERGE}, '{"no":"nei då"}')


@case(
    "a383",
    "squid-copy-and-a-date",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    also="other-writer",
    description="A file behind Squid is guarded by date; the read is a hit with an Age, the writer at the origin was two seconds earlier.",
)
def _squid_date(stage: Stage) -> None:
    path = "/boards/arrivals.txt"
    seed = {path: "SK4410 on time\n"}
    server = shelf(stage, "flask", seed, TAG="none", DATES="1", CACHE="public, max-age=300")
    front = fronts.squid(stage, server, "", "boards.example.test")
    me = stage.actor("client", front, "boards.example.test", "requests")
    other = stage.actor("other", server, "boards.example.test", "requests", {"X-Tower": "yes"})
    me.get(path)
    time.sleep(1.1)
    other.put(path, "SK4410 delayed\n", 200, {"If-Unmodified-Since": other.get(path).fields["last-modified"]})
    time.sleep(2.0)
    seen = me.get(path).fields["last-modified"]
    me.put(path, "SK4410 gate 12\n", 412, {"If-Unmodified-Since": seen, **TEXT})
    me.get(path, 200)


def _deployed(stage: Stage, kind: str, age: float) -> Server:
    files = {"app/settings.json": '{"theme":"dark","build":418}', "app/logo.txt": "LOGO\n" * 20}
    return fronts.site(stage, kind, files, age=age)


@case(
    "a384",
    "two-nginx-nodes-deployed-apart",
    "inconsistent-backends",
    "no-304",
    alone="inconsistent-backends unstable-etag",
    description="Traefik takes turns between two nginx nodes whose copies bear different times: two tags for the same octets, polls are never answered 304 in turn.",
)
def _apart(stage: Stage) -> None:
    nodes = [_deployed(stage, "nginx", 9000), _deployed(stage, "nginx", 8817)]
    front = fronts.traefik(stage, nodes)
    me = stage.actor("client", front, "app.example.test", "node:axios")
    tag = me.get("/app/settings.json").etag
    for _ in range(5):
        tag = me.get("/app/settings.json", 200, {"If-None-Match": tag}).etag
        time.sleep(0.4)


@case(
    "a385",
    "node-salt-in-the-tag",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends unstable-etag",
    description="Two Flask nodes share a database but mix a node secret into their tags; HAProxy takes turns, so a save meets the other node and is refused.",
)
def _salt(stage: Stage) -> None:
    store = str(stage.directory() / "shared.db")
    path = "/queues/print"
    seed = {path: {"jobs": 4, "paused": False}}
    nodes = [shelf(stage, "flask", seed, STORE=store, TAG="node", SALT=salt) for salt in ("7c", "e1")]
    front = fronts.haproxy(stage, nodes)
    me = stage.actor("client", front, "print.example.test", "requests")
    for _ in range(3):
        tag = me.get(path).etag
        me.put(path, {"jobs": 4, "paused": True}, 412, {"If-Match": tag})
        time.sleep(0.5)
    me.get(path)
    me.get(path)
    me.get(path)


@case(
    "a386",
    "two-caddy-nodes-and-ranges",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends read-changed-mid-transfer unstable-etag",
    description="A download with If-Match over two Caddy nodes whose files bear different times: every second range is refused though all octets are equal.",
)
def _ranges(stage: Stage) -> None:
    files = {"iso/tools.txt": "tools " * 500}
    nodes = [fronts.site(stage, "caddy", files, age=age) for age in (5000, 4400)]
    front = fronts.haproxy(stage, nodes, " http-response set-header X-Served-By %[srv_name]")
    me = stage.actor("client", front, "mirror.example.test", "httpx")
    tag = me.send("HEAD", "/iso/tools.txt", 200).etag
    for number in range(4):
        span = {"Range": f"bytes={number * 600}-{number * 600 + 599}", "If-Match": tag}
        me.get("/iso/tools.txt", 206 if number % 2 else 412, span)
        time.sleep(0.3)
    for _ in range(3):
        me.send("HEAD", "/iso/tools.txt", 200)


@case(
    "a387",
    "nginx-repeats-the-put-at-the-next-node",
    "intermediary-replay",
    "412",
    alone="intermediary-replay lost-response-replay post-commit-412",
    description="The first node stores the PUT but answers late; nginx (non_idempotent) sends it to the second node, which refuses: one request at the client, two behind.",
)
def _next_upstream(stage: Stage) -> None:
    store = str(stage.directory() / "shared.db")
    path = "/shipments/NO-551"
    seed = {path: {"state": "packed"}}
    slow = shelf(stage, "flask", seed, STORE=store, SLOW="3")
    fast = shelf(stage, "flask", seed, STORE=store)
    nodes = f"server 127.0.0.1:{stage.behind(slow)}; server 127.0.0.1:{stage.behind(fast)} backup;"
    lines = "proxy_pass http://nodes; proxy_read_timeout 800ms; "
    lines += "proxy_next_upstream error timeout non_idempotent;"
    block = f"location /shipments/ {{ {lines} proxy_set_header Host $http_host; proxy_http_version 1.1; }}"
    front = fronts.nginx(stage, fast, "", f"upstream nodes {{ {nodes} }}", block)
    me = stage.actor("client", front, "ship.example.test", "requests", {"X-Request-Id": "r-90412"})
    tag = me.get(path).etag
    me.put(path, {"state": "sent", "by": "r-90412"}, 412, {"If-Match": tag})
    time.sleep(0.5)
    me.get(path)


@case(
    "a388",
    "haproxy-retries-a-slow-patch",
    "intermediary-replay",
    "412",
    alone="intermediary-replay lost-response-replay post-commit-412",
    description="HAProxy retries a PATCH on response-timeout; the first was stored, the second is refused and its 412 reaches the client.",
)
def _retry_on(stage: Stage) -> None:
    path = "/meters/118"
    server = shelf(stage, "flask", {path: {"kwh": 100}}, SLOW="1.2")
    rules = " timeout server 600ms\n retries 1\n retry-on response-timeout"
    front = fronts.haproxy(stage, [server], rules)
    me = stage.actor("client", front, "meters.example.test", "node")
    tag = me.get(path).etag
    body = '{"kwh":112,"reading":"u-3301"}'
    me.send("PATCH", path, 412, {"If-Match": tag, **MERGE}, body)
    time.sleep(0.9)
    me.get(path)


@case(
    "a389",
    "envoy-per-try-timeout",
    "intermediary-replay",
    "412",
    alone="intermediary-replay lost-response-replay post-commit-412 exists-already",
    description="Envoy's per-try timeout repeats a create-only PUT that the service has just stored; the client's one request is answered 412 and its nonce is in the document.",
)
def _per_try(stage: Stage) -> None:
    server = shelf(stage, "flask", {}, SLOW="1.4")
    route = ", retry_policy: {retry_on: '5xx,reset', num_retries: 1, per_try_timeout: 0.7s}"
    front = fronts.envoy(stage, [server], "", route, "per_try_timeout 0.7s")
    me = stage.actor("client", front, "receipts.example.test", "httpx")
    path = "/receipts/0190f5a1"
    me.get(path, 404)
    me.put(path, {"sum": 118, "nonce": "b41d-77e0"}, 412, {"If-None-Match": "*"})
    time.sleep(0.6)
    me.get(path)


@case(
    "a390",
    "envoy-compressor-takes-the-tag",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description="Envoy's compressor removes the strong tag of what it compresses; the service demands If-Match, which the client cannot fill.",
)
def _compressor(stage: Stage) -> None:
    server = shelf(stage, "django", {"/rotas/9": ROTA}, REQUIRE="1")
    front = fronts.envoy(stage, [server], ENVOY_COMPRESSOR, config="compressor gzip")
    me = stage.actor("client", front, "rota.example.test", "requests")
    me.get("/rotas/9")
    me.put("/rotas/9", {**ROTA, "team": "x"}, 428)
    time.sleep(0.6)
    me.get("/rotas/9")
    me.put("/rotas/9", {**ROTA, "team": "x"}, 428)


@case(
    "a391",
    "sub-filter-takes-the-tag",
    "validator-stripped",
    "lost-update",
    alone="none validator-stripped unconditional-write",
    also="unconditional-write other-writer",
    description="nginx's sub_filter rewrites links and drops the validators; both editors can only write without a condition, one change is lost.",
)
def _sub_filter(stage: Stage) -> None:
    path = "/pages/jobs"
    server = shelf(stage, "falcon", {path: {"link": "http://old.example.test/jobs", "open": 2}})
    rule = (
        "sub_filter 'http://old.example.test' 'http://www.example.test'; sub_filter_types application/json;"
    )
    front = fronts.nginx(stage, server, f"{rule} proxy_set_header Accept-Encoding identity;")
    me = stage.actor("client", front, "www.example.test", "httpx", {"Cookie": "u=1"})
    other = stage.actor("other", front, "www.example.test", "aiohttp", {"Cookie": "u=2"})
    mine, theirs = me.get(path).json, other.get(path).json
    other.put(path, {**theirs, "open": 3}, 200)
    time.sleep(1.0)
    me.put(path, {**mine, "contact": "jobs@example.test"}, 200)
    me.get(path)


@case(
    "a392",
    "caddy-hides-the-tag",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description="A hardening rule in Caddy deletes ETag from every answer; each write is refused with 428 and no read ever shows a tag.",
)
def _hidden(stage: Stage) -> None:
    path = "/grants/r-77"
    server = shelf(stage, "falcon", {path: {"role": "reader"}}, REQUIRE="1")
    front = fronts.caddy(stage, server, " header {\n  -ETag\n  defer\n }")
    me = stage.actor("client", front, "grants.example.test", "node:axios")
    for role in ("writer", "owner"):
        me.get(path)
        me.put(path, {"role": role}, 428)
        time.sleep(0.4)


@case(
    "a393",
    "nginx-store-judges-if-match",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    also="other-writer",
    description="After its own save the client's guarded read with the newest tag is answered 412 by nginx out of its store (X-Cache: HIT); the service was not asked.",
)
def _judges(stage: Stage) -> None:
    path = "/feeds/rain.txt"
    server = shelf(stage, "flask", {path: "0.2\n" * 40})
    front = fronts.nginx_cache(stage, server, 60, "add_header X-Cache $upstream_cache_status always;")
    me = stage.actor("client", front, "feeds.example.test", "requests")
    me.get(path)
    other = stage.actor("other", server, "feeds.example.test", "requests", {"X-Feeder": "1"})
    tag = other.put(path, "1.4\n" * 40, 200, {"If-Match": other.get(path).etag}).etag
    time.sleep(0.8)
    fresh = me.put(path, "1.5\n" * 40, 200, {"If-Match": tag, **TEXT}).etag
    time.sleep(0.3)
    for _ in range(2):
        me.get(path, 412, {"If-Match": fresh, "Connection": "close"})
        time.sleep(0.4)
    me.get(path)


@case(
    "a394",
    "varnish-answers-whatever-if-match-says",
    "cache-misevaluates",
    "200",
    alone="cache-misevaluates precondition-ignored server-precondition-bug",
    description="Varnish gives 200 from its store to a read whose If-Match names a tag that was never served; the service itself refuses that with 412.",
)
def _whatever(stage: Stage) -> None:
    path = "/maps/legend"
    server = shelf(stage, "flask", {path: {"scale": 5000}})
    front = fronts.varnish(stage, server, "sub vcl_backend_response { set beresp.ttl = 60s; }")
    me = stage.actor("client", front, "maps.example.test", "curl:trace-time")
    me.get(path)
    time.sleep(1.2)
    for _ in range(2):
        me.get(path, 200, {"If-Match": '"v2-of-another-copy"'})
        time.sleep(0.6)
    direct = stage.actor("other", server, "maps.example.test", "curl")
    direct.get(path, 412, {"If-Match": '"v2-of-another-copy"'})


@case(
    "a395",
    "squid-judges-if-match-by-its-copy",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    also="stale-cache-read other-writer",
    description="A guarded read with the newest tag is judged by Squid's own old copy: 412 from Squid, twice, while the service would give 200.",
)
def _squid_hit(stage: Stage) -> None:
    path = "/scores/final"
    server = shelf(stage, "flask", {path: {"home": 0, "away": 0}}, CACHE="public, max-age=300")
    front = fronts.squid(stage, server, "", "scores.example.test")
    me = stage.actor("client", front, "scores.example.test", "requests")
    other = stage.actor("other", server, "scores.example.test", "requests", {"X-Referee": "1"})
    me.get(path)
    time.sleep(1.1)
    tag = other.put(path, {"home": 1, "away": 0}, 200, {"If-Match": other.get(path).etag}).etag
    time.sleep(0.7)
    for _ in range(2):
        me.get(path, 412, {"If-Match": tag})
        time.sleep(0.5)
    me.get(path)


@case(
    "a396",
    "session-over-and-a-see-other",
    "redirect-rewrites-request",
    "412",
    alone="redirect-rewrites-request",
    description="The session has ended: nginx answers the guarded PUT with 303 to the sign-in page; aiohttp follows with a GET that still bears If-Match, and the sign-in page refuses that with 412.",
)
def _see_other(stage: Stage) -> None:
    path = "/forms/tax-2026"
    server = shelf(stage, "flask", {path: {"income": 1}, "/login": "Sign in, please.\n"})
    block = "location /forms/ { if ($request_method = PUT) { return 303 http://$http_host/login; } "
    block += f"proxy_pass http://127.0.0.1:{stage.behind(server)}; proxy_set_header Host $http_host; }}"
    front = fronts.nginx(stage, server, "", "", block)
    me = stage.actor("client", front, "tax.example.test", "aiohttp", {"Cookie": "sid=gone"})
    tag = me.get(path).etag
    me.put(path, {"income": 2}, 412, {"If-Match": tag})
    time.sleep(0.5)
    me.get(path)


@case(
    "a397",
    "found-turns-a-delete-into-a-read",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description="HAProxy sends writes of an old path prefix on with 302; requests turns the guarded DELETE into a GET, and the document is still there.",
)
def _found(stage: Stage) -> None:
    server = shelf(stage, "falcon", {"/v2/keys/k9": {"label": "garage"}})
    rule = " http-request redirect code 302 prefix /v2 if { path_beg /keys/ } { method DELETE PUT }"
    front = fronts.haproxy(stage, [server], "", rule)
    me = stage.actor("client", front, "keys.example.test", "requests:follow")
    tag = me.get("/v2/keys/k9").etag
    me.send("DELETE", "/keys/k9", 200, {"If-Match": tag})
    time.sleep(0.6)
    me.get("/v2/keys/k9")


@case(
    "a398",
    "moved-permanently-and-an-overridden-method",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description="A client tunnels PATCH through POST; Caddy's 301 to the canonical host name makes aiohttp send a GET without the change.",
)
def _moved(stage: Stage) -> None:
    path = "/carts/c-71"
    server = shelf(stage, "falcon", {path: {"items": 2}})
    front = fronts.caddy(
        stage, server, " @old header Host old.example.test\n redir @old http://shop.example.test{uri} 301"
    )
    me = stage.actor("client", front, "shop.example.test", "aiohttp")
    old = stage.actor("client2", front, "old.example.test", "aiohttp")
    tag = me.get(path).etag
    old.host = "old.example.test"
    stage.taps["client2"].recorded = stage.taps["client"].recorded
    override = {"If-Match": tag, "X-HTTP-Method-Override": "PATCH", **MERGE}
    old.send("POST", path, 200, override, '{"items":3}')
    browse(me, [path])
    stage.taps.pop("client2")


@case(
    "a500",
    "squid-sends-whole-what-has-not-changed",
    "cache-misevaluates",
    "no-304",
    alone="cache-misevaluates",
    description="Squid revalidates its copy at the service (304) and then answers the client's poll, which names that very tag in If-None-Match, with 200 and the whole content, time and again.",
)
def _sends_whole(stage: Stage) -> None:
    path = "/tide/now"
    server = shelf(stage, "flask", {path: {"cm": 40}}, CACHE="public, max-age=1", DATES="1")
    front = fronts.squid(stage, server, "", "tide.example.test")
    me = stage.actor("client", front, "tide.example.test", "requests")
    other = stage.actor("other", server, "tide.example.test", "requests", {"X-Gauge": "1"})
    tag = me.get(path).etag
    for turn in range(5):
        if turn == 2:
            other.put(path, {"cm": 44}, 200)
        time.sleep(1.2)
        tag = me.get(path, 200, {"If-None-Match": tag}).etag
