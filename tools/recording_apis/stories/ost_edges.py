"""Balancers, retries, caches and redirects before home-made services."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ost_setting as own

_GZIP = {"Accept-Encoding": "gzip"}
_PLAIN = {"Accept-Encoding": "identity"}
_METER = "/v3/meters/70114"


@case(
    "a850",
    "two-processes-two-salts",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two processes of the meter service share one store but salt their tags at start. HAProxy takes them in "
        "turns: equal content has two tags by X-Served-By, and a write meets the node that does not know its tag."
    ),
)
def salts(stage: Stage) -> None:
    """Meet the wrong process."""
    store = str(stage.directory() / "meters.db")
    nodes = [
        own.house(stage, "ost_meters.py", own.METERS, STORE=store, NODE=node, FLAGS="boot")
        for node in ("hydra-0", "hydra-1")
    ]
    edge = fronts.haproxy(stage, nodes)
    me = stage.actor("client", edge, "hydra.water.example.test", "requests", {"X-Operator": "reader-07"})
    first, second = me.get(_METER), me.get(_METER)
    own.insist(first.json == second.json and first.etag != second.etag, "equal tags")
    body = {"meter": {**first.json["meter"], "m3": 1260.0}}
    me.put(_METER, body, 412, {"If-Match": second.etag})
    for _ in range(2):
        read = me.get(_METER)
        me.put(_METER, body, 412, {"If-Match": read.etag})
    own.insist(me.get(_METER).json == first.json, "the meter has changed")


@case(
    "a851",
    "mirrors-with-other-file-times",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends read-changed-mid-transfer",
    description=(
        "Two mirrors hold one file copied at other times; nginx makes tags of time and size. Pieces of a download "
        "with If-Match are 206 or 412 depending on the mirror that X-Mirror names; the full reads have equal bytes."
    ),
)
def mirrors(stage: Stage) -> None:
    """Load pieces from two mirrors."""
    video = bytes(range(1, 251)) * 600
    nodes = [
        fronts.site(stage, "nginx", {"media/tour.bin": video}, f"add_header X-Mirror {name} always;", age)
        for name, age in (("m1", 9000.0), ("m2", 8300.0))
    ]
    edge = fronts.haproxy(stage, nodes)
    player = {"User-Agent": "Lavf/60.16.100"}
    me = stage.actor("client", edge, "media.museum.example.test", "urllib", player)
    first, second = me.send("HEAD", "/media/tour.bin", 200), me.send("HEAD", "/media/tour.bin", 200)
    own.insist(first.etag != second.etag, "equal tags")
    for at, status in ((0, 206), (40000, 412), (40000, 206), (80000, 412), (80000, 206)):
        piece = {"Range": f"bytes={at}-{at + 39999}", "If-Match": first.etag}
        me.get("/media/tour.bin", status, piece)
    me.get("/media/tour.bin", 206, {"Range": "bytes=0-99"})
    me.get("/media/tour.bin", 206, {"Range": "bytes=0-99"})


def _severed(stage: Stage) -> str:
    """Return the number of the visit that a story's write carries."""
    return f"visit-{len(stage.servers)}-8841c"


@case(
    "a852",
    "haproxy-sends-the-reading-again",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    description=(
        "HAProxy retries on an empty answer. The service stores a reading and its connection breaks; HAProxy sends "
        "the PUT once more, it is 412, and that is all the client gets for its only request. Its reading is there."
    ),
)
def again(stage: Stage) -> None:
    """Let HAProxy repeat a PUT."""
    server = own.house(stage, "ost_meters.py", own.METERS, FLAGS="sever")
    lines = " option http-buffer-request\n retries 2\n retry-on conn-failure empty-response"
    edge = fronts.haproxy(stage, [server], lines)
    me = stage.actor("client", edge, "hydra.water.example.test", "requests", {"X-Operator": "reader-07"})
    me.get("/v3/meters?district=Harbour")
    own.stroll(me, ["/v3/meters/70115", "/v3/meters/70231", "/v3/tours/2026-11-26"])
    read = me.get(_METER)
    meter = {**read.json["meter"], "m3": 1270.5, "visit": _severed(stage)}
    me.put(_METER, {"meter": meter}, 412, {"If-Match": read.etag})
    own.insist(me.get(_METER).json["meter"]["visit"] == meter["visit"], "the reading is not there")
    twice = [one for one in stage.taps["upstream"].recorded if one.request.method == "PUT"]
    own.insist(len(twice) == 2, f"{len(twice)} requests at the origin")


@case(
    "a853",
    "envoy-repeats-a-registration",
    "intermediary-replay",
    "412",
    alone="intermediary-replay exists-already post-commit-412",
    description=(
        "Envoy retries on reset. A new meter is registered with If-None-Match: *; the origin stores it and drops the "
        "connection, Envoy repeats the request and hands its 412 to the client, whose own serial is in the record."
    ),
)
def registration(stage: Stage) -> None:
    """Let Envoy repeat a creation."""
    server = own.house(stage, "ost_meters.py", own.METERS, FLAGS="sever")
    policy = 'retry_policy: {retry_on: "reset,connect-failure", num_retries: 2}'
    edge = fronts.envoy(stage, [server], route=f", {policy}", config=policy)
    me = stage.actor("client", edge, "hydra.water.example.test", "node", {"X-Operator": "install-crew-3"})
    me.get("/v3/meters?district=Hill")
    own.stroll(me, ["/v3/meters/70231"])
    me.get("/v3/meters/70990", 404)
    meter = {"district": "Hill", "street": "Mill Lane 9", "m3": 0, "install": "crew-3/2026-11-26/004"}
    me.put("/v3/meters/70990", {"meter": meter}, 412, {"If-None-Match": "*"})
    found = me.get("/v3/meters/70990").json
    own.insist(found["meter"]["install"] == meter["install"], "the record is not the client's")
    twice = [one for one in stage.taps["upstream"].recorded if one.request.method == "PUT"]
    own.insist(len(twice) == 2, f"{len(twice)} requests at the origin")


@case(
    "a854",
    "balancer-hides-the-tag",
    "validator-stripped",
    "428",
    alone="token-missing validator-stripped",
    description=(
        "HAProxy deletes ETag from answers. The service demands If-Match; the client never sees a tag and can only "
        "send the PUT without: 428. At the origin every read carries one."
    ),
)
def hidden(stage: Stage) -> None:
    """Find no tag to send."""
    server = own.house(stage, "ost_meters.py", own.METERS, FLAGS="demand")
    edge = fronts.haproxy(stage, [server], " http-response del-header ETag")
    me = stage.actor("client", edge, "hydra.water.example.test", "curl", {"X-Operator": "script"})
    me.get("/v3/meters?district=Hill")
    for number in ("70231", "70115"):
        read = me.get(f"/v3/meters/{number}")
        own.insist("etag" not in read.fields, "the tag is there")
        me.put(f"/v3/meters/{number}", {"meter": {**read.json["meter"], "seal": "ok"}}, 428)
        me.send("HEAD", f"/v3/meters/{number}", 200)


@case(
    "a855",
    "apache-unsets-the-tag-of-tariffs",
    "validator-stripped",
    "lost-update",
    alone="none unconditional-write validator-stripped",
    also="other-writer unconditional-write",
    description=(
        "Apache unsets ETag on the way out of the tariff service. An editor that would send If-Match has nothing to "
        "send and overwrites a ticket that the other office, inside the house, has added with its tag."
    ),
)
def unset(stage: Stage) -> None:
    """Overwrite for want of a tag."""
    server = own.house(stage, "ost_tariffs.py", own.TARIFFS)
    edge = fronts.apache(stage, server, "Header unset ETag")
    me = stage.actor("client", edge, "tariffs.transit.example.test", "requests", {"X-Signed": "office north"})
    other = stage.actor(
        "other", server, "tariffs.transit.example.test", "httpx", {"X-Signed": "office south"}
    )
    own.stroll(me, ["/tariffs/zone-a", "/tariffs/zone-c", "/tariffs/zone-a"])
    read, theirs = me.get("/tariffs/zone-b"), other.get("/tariffs/zone-b")
    own.insist("etag" not in read.fields, "the tag is there")
    rows = [*theirs.json["rows"], {"kind": "bike", "price": 3.5}]
    other.put("/tariffs/zone-b", {"rows": rows}, 200, {"If-Match": theirs.etag})
    time.sleep(0.5)
    mine = read.json["rows"]
    mine[0]["price"] = 8.6
    me.put("/tariffs/zone-b", {"rows": mine}, 200)
    me.get("/tariffs/zone-b")
    own.insist("bike" not in other.get("/tariffs/zone-b").text, "the ticket survived")


@case(
    "a856",
    "nginx-judges-with-its-old-copy",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    also="stale-cache-read",
    description=(
        "After its own PUT the client learns the new tag (a query passes the store) and reads with If-Match. nginx judges the condition with its old "
        "copy and answers 412 itself (X-Cache: HIT); the origin saw no request. Asked directly it is 200."
    ),
)
def old_copy(stage: Stage) -> None:
    """Be refused by the cache."""
    drawing = "<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0 L{} 40'/></svg>\n"
    files = {"plans/hall-3.svg": drawing.format(80), "plans/index.txt": "hall-3\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    edge = fronts.nginx_cache(stage, server, 300, "add_header X-Cache $upstream_cache_status always;")
    me = stage.actor("client", edge, "cad.example.test", "urllib", {"User-Agent": "Inkdraw/1.3"})
    direct = stage.actor(
        "other", server, "cad.example.test", "curl", {"User-Agent": "curl/7.88.1 (ops, direct)"}
    )
    me.get("/plans/index.txt")
    read = me.get("/plans/hall-3.svg")
    me.put("/plans/hall-3.svg", drawing.format(1095), 204, {"If-Match": read.etag})
    time.sleep(1.6)
    fresh = me.get("/plans/hall-3.svg?v=1095").etag
    own.insist(fresh != read.etag, "the tag stayed")
    for _ in range(2):
        refused = me.get("/plans/hall-3.svg", 412, {"If-Match": fresh})
        own.insist(refused.fields["x-cache"] == "HIT", "not from the cache")
    direct.get("/plans/hall-3.svg", 200, {"If-Match": fresh})


@case(
    "a857",
    "varnish-does-not-judge-if-match",
    "cache-misevaluates",
    "wrong-200",
    alone="cache-misevaluates stale-cache-read precondition-ignored",
    also="stale-cache-read",
    description=(
        "A release check reads the manifest with If-Match and the new build's tag, to be sure of what it gets. "
        "Varnish ignores the condition and answers 200 with its old copy; the origin refuses the old tag with 412 "
        "when asked directly."
    ),
)
def not_judged(stage: Stage) -> None:
    """Ask for one version and get another."""
    server = fronts.site(stage, "nginx", {"app/manifest.json": '{"build": "2026.11.25-3"}\n'})
    edge = fronts.varnish(stage, server, "sub vcl_backend_response { set beresp.ttl = 600s; }")
    me = stage.actor("client", edge, "static.shop.example.test", "httpx", {"User-Agent": "release-check/0.5"})
    direct = stage.actor(
        "other", server, "static.shop.example.test", "curl", {"User-Agent": "curl/7.88.1 (direct)"}
    )
    own.stroll(me, ["/app/main.js", "/app/logo.svg"])
    old = me.get("/app/manifest.json").etag
    time.sleep(1.1)
    fronts.put_file(server.directory, "app/manifest.json", '{"build": "2026.11.26-1", "hash": "d1c5"}\n')
    fresh = me.get("/app/manifest.json?cb=20261126").etag
    direct.get("/app/manifest.json", 412, {"If-Match": old})
    for _ in range(2):
        got = me.get("/app/manifest.json", 200, {"If-Match": fresh})
        own.insist(got.etag == old and int(got.fields["age"]) >= 1, "not the old copy")
    direct.get("/app/manifest.json", 200, {"If-Match": fresh})


@case(
    "a858",
    "old-path-redirects-the-put",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "nginx sends requests for the old path on with 302. The reader's library follows a PUT with a GET: the 200 "
        "belongs to that, the reading is nowhere, and the origin has not seen a PUT."
    ),
)
def old_path(stage: Stage) -> None:
    """Follow a redirect with a PUT."""
    server = own.house(stage, "ost_meters.py", own.METERS)
    move = (
        "location /meters/ { rewrite ^/meters/(.*)$ http://hydra.water.example.test/v3/meters/$1 redirect; }"
    )
    edge = fronts.nginx(stage, server, block=move)
    reader = {"X-Operator": "reader-03", "User-Agent": "MeterWalk/2.1 python-requests/2.32"}
    me = stage.actor("client", edge, "hydra.water.example.test", "requests:follow", reader)
    me.get("/v3/meters?district=Hill")
    for number, m3 in (("70231", 655.0), ("70114", 1281.0)):
        read = me.get(f"/meters/{number}")
        body = {"meter": {**read.json["meter"], "m3": m3}}
        answer = me.put(f"/meters/{number}", body, 200, {"If-Match": read.etag})
        own.insist(answer.json == read.json, "it was stored")
        me.get(f"/v3/meters/{number}", 304, {"If-None-Match": read.etag})


@case(
    "a859",
    "asset-form-moved-for-good",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "The inventory's pages have moved from /asset to /assets with 301. A clerk's saved form posts to the old "
        "URL: the client turns the POST into a GET, the page comes back with the old values, nothing is stored."
    ),
)
def form_moved(stage: Stage) -> None:
    """Post a form to the former URL."""
    server = own.house(stage, "ost_inventory.php", own.ASSETS)
    moved = "location /asset/ { rewrite ^/asset/(.*)$ http://inventory.townhall.example.test/assets/$1 permanent; }"
    edge = fronts.nginx(stage, server, block=moved)
    browser = {
        "X-Clerk": "s.duarte",
        "User-Agent": "Mozilla/5.0 (Windows NT 10.0) Edge/131.0",
        "Accept": "text/html",
    }
    me = stage.actor("client", edge, "inventory.townhall.example.test", "requests:follow", browser)
    me.get("/assets")
    own.stroll(me, ["/assets/1203", "/favicon.ico"])
    me.get("/assets/1204")
    form = "lock_version=5&name=Plotter+A0&room=U.09&state=worn&owner=Planning"
    page = me.send("POST", "/asset/1204", 200, own.FORM, form)
    own.insist("U.03" in page.text, "it was stored")
    me.get("/assets/1204")
