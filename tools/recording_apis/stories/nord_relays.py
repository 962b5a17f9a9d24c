"""Nodes that disagree, relays that repeat, drop, answer for the origin, or lead a write elsewhere."""

from __future__ import annotations

import time

from tools.recording.components import ENVOY_COMPRESSOR
from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import nord_setting as scene

_PACKAGE = b"".join(b"%05d;setup block of the label printer driver\n" % line for line in range(220))
_PLAIN = {"Content-Type": "text/html; charset=utf-8"}


@case(
    "a610",
    "warehouse-nodes-salt-their-tags",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description="Two nodes of a warehouse share the database and mix a node secret into their tags; HAProxy alternates, so each count meets the node that did not issue its tag.",
)
def salted(stage: Stage) -> None:
    """Count on alternating nodes."""
    store = str(stage.directory() / "shared.db")
    nodes = [
        scene.warehouse(stage, STORE=store, TAG="node", SALT=salt, NODE=name)
        for salt, name in (("pepper", "osl-app-1"), ("thyme", "osl-app-2"))
    ]
    front = fronts.haproxy(stage, nodes)
    me = stage.actor("client", front, "wms.example.test", "requests")
    scene.sign_on(me, "tor")
    read = me.get(scene.WASHER)
    me.put(scene.WASHER, scene.counted(read, onHand=9150), 412, {"If-Match": read.etag})
    time.sleep(0.3)
    again = me.get(scene.WASHER)
    me.put(scene.WASHER, scene.counted(again, onHand=9150), 412, {"If-Match": again.etag})
    tags = [me.get(scene.WASHER).etag for _ in range(4)]
    if tags[0] != tags[2] or tags[1] != tags[3] or tags[0] == tags[1]:
        raise StoryError(f"the tags do not alternate: {tags}")


@case(
    "a611",
    "driver-download-from-two-web-nodes",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description="One file was copied to two Apache nodes at different times, so its tags differ; Traefik alternates and every guarded part after the first is refused by the other node.",
)
def copies(stage: Stage) -> None:
    """Download in guarded parts."""
    name = "/drivers/lp-2844-1.9.bin"
    nodes = [
        fronts.site(stage, "apache2", {name[1:]: _PACKAGE}, f'Header set X-Served-By "{node}"', age)
        for node, age in (("web-a", 90000.0), ("web-b", 88211.0))
    ]
    front = fronts.traefik(stage, nodes)
    me = stage.actor("client", front, "files.example.test", "curl")
    tag = me.send("HEAD", name, 200).etag
    me.get(name, 412, {"Range": "bytes=0-4095", "If-Match": tag})
    part = me.get(name, 206, {"Range": "bytes=0-4095"})
    if part.etag != tag:
        raise StoryError("the nodes do not alternate as the story needs it")
    me.get(name, 412, {"Range": "bytes=4096-8191", "If-Match": part.etag})
    for _ in range(2):
        me.get(name, 206, {"Range": "bytes=8192-8300"})
    whole = [me.get(name) for _ in range(2)]
    if whole[0].body != whole[1].body or whole[0].etag == whole[1].etag:
        raise StoryError("not the same content under two tags")


@case(
    "a612",
    "haproxy-repeats-slow-count",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    description="HAProxy repeats a PUT whose answer takes longer than its server timeout: the origin gets it twice, the client is handed the refusal of the second, and its own count is stored.",
)
def repeated(stage: Stage) -> None:
    """Be slow once."""
    server = scene.warehouse(stage, HOLD="1.6")
    front = fronts.haproxy(stage, [server], " timeout server 900ms\n retries 1\n retry-on response-timeout")
    me = stage.actor("client", front, "wms.example.test", "httpx", {"X-Operator": "scanner-3"})
    me.get("/wms/v2/sites/oslo/stock?offset=0&limit=20&sort=bin")
    read = me.get(scene.FILM)
    change = scene.counted(read, onHand=71, reserved=14, note="count 2026-11-26 scanner-3 #55810")
    me.put(scene.FILM, change, 412, {"If-Match": read.etag})
    now = me.get(scene.FILM)
    if now.json["note"] != change["note"]:
        raise StoryError("the first attempt was not stored")
    time.sleep(1.2)
    me.get(scene.JACK)


@case(
    "a613",
    "envoy-repeats-slow-reservation",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412 lost-response-replay",
    description="Envoy's per-try timeout repeats the creation of a reservation; the second try meets what the first has made, and the clerk is told that the reference is taken.",
)
def retried(stage: Stage) -> None:
    """Create once, send once, arrive twice."""
    server = scene.bookings(stage, HOLD="1.4")
    rule = ', timeout: 8s, retry_policy: {retry_on: "5xx,reset", num_retries: 1, per_try_timeout: 0.8s}'
    front = fronts.envoy(stage, [server], route=rule, config=f"route: {rule[2:]}")
    me = stage.actor("client", front, "desk.example.test", "aiohttp", {"X-Clerk": "ada"})
    me.get("/api/bookings?q=Aurora&from=2026-12-10&to=2026-12-12")
    made = {
        "room": "Aurora",
        "from": "2026-12-10",
        "to": "2026-12-12",
        "guest": "R. Lie",
        "request_id": "7c1e-40aa",
    }
    me.get("/api/bookings/BK-2061", 404)
    me.put("/api/bookings/BK-2061", made, 412, {"If-None-Match": "*"})
    found = me.get("/api/bookings/BK-2061").json
    if found["data"]["request_id"] != "7c1e-40aa" or found["meta"]["edited_by"] != "ada":
        raise StoryError("the reservation is somebody else's")
    time.sleep(1.0)
    me.get("/api/bookings?q=R.%20Lie")


@case(
    "a614",
    "cms-sub-filter-takes-the-tag-428",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description="nginx rewrites links in pages and drops their ETag and Last-Modified; the editor has nothing to send, and the content management system demands a condition.",
)
def rewritten(stage: Stage) -> None:
    """Edit a page that lost its tag."""
    server = scene.pages(stage, DEMAND="1")
    lines = "sub_filter 'http://cms.internal' 'https://www.example.test'; sub_filter_once off;"
    front = fronts.nginx(stage, server, lines)
    me = stage.actor("client", front, "cms.example.test", "node:fetch", {"User-Agent": "page-editor/3.4"})
    me.get("/cms/pages/jobs")
    page = me.get("/cms/pages/opening-hours")
    if "etag" in page.fields:
        raise StoryError("the tag has come through")
    text = page.text.replace("9-17", "8-16")
    me.put("/cms/pages/opening-hours", text, 428, _PLAIN)
    me.get("/cms/pages/opening-hours", 200, {"Cache-Control": "no-cache"})
    me.put("/cms/pages/opening-hours", text, 428, _PLAIN)


@case(
    "a615",
    "envoy-compressor-takes-the-tag",
    "validator-stripped",
    "lost-update",
    alone="none unconditional-write validator-stripped",
    also="unconditional-write",
    description="Envoy's compressor deletes strong tags: the browser's reads have none, so its save is unguarded and wipes out a change that a client without compression had guarded.",
)
def bare(stage: Stage) -> None:
    """Save without a tag, since none came."""
    server = scene.bookings(stage)
    front = fronts.envoy(stage, [server], filters=ENVOY_COMPRESSOR, config="http_filters: compressor (gzip)")
    me = stage.actor("client", front, "desk.example.test", "httpx", {"X-Clerk": "jon"})
    other = stage.actor("other", front, "desk.example.test", "curl:trace-time", {"X-Clerk": "night-audit"})
    path = "/api/bookings/BK-2044"
    me.get("/api/bookings?q=Fjord")
    read = me.get(path)
    if "etag" in read.fields:
        raise StoryError("the tag has come through")
    theirs = other.get(path)
    other.put(path, scene.booked(theirs, deposit="450.00"), 200, {"If-Match": theirs.etag})
    time.sleep(0.9)
    me.put(path, scene.booked(read, persons=2), 200)
    other.get(path)
    me.get(path)


@case(
    "a616",
    "nginx-cache-answers-if-match-itself",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    also="stale-cache-read",
    description="nginx holds an old copy and judges a guarded read by it: 412 as its own HTML page for the tag that the origin has just issued; the origin is never asked.",
)
def judged(stage: Stage) -> None:
    """Read what was just written, guarded."""
    server = scene.warehouse(stage, CACHE="max-age=90")
    front = fronts.nginx_cache(stage, server, 90, "add_header X-Cache-Status $upstream_cache_status always;")
    me = stage.actor("client", front, "wms.example.test", "urllib", {"X-Operator": "label-printer"})
    direct = stage.actor("other", server, "wms.example.test", "curl")
    read = me.get(scene.BOLT)
    me.get(scene.WASHER)
    saved = me.put(scene.BOLT, scene.counted(read, bin="05-A-01"), 200, {"If-Match": read.etag})
    refused = me.get(f"{scene.BOLT}", 412, {"If-Match": saved.etag})
    if "nginx" not in refused.text:
        raise StoryError("the origin has answered")
    direct.get(scene.BOLT, 200, {"If-Match": saved.etag})
    me.get(scene.BOLT)
    me.get(scene.BOLT, 412, {"If-Match": saved.etag})


@case(
    "a617",
    "varnish-drops-if-match-of-a-part",
    "cache-misevaluates",
    "corrupt-download",
    alone="cache-misevaluates read-changed-mid-transfer precondition-ignored",
    also="read-changed-mid-transfer",
    description="A price list is replaced during a download in parts; Varnish takes If-Match off on the way to nginx and serves the part of the new file, where nginx itself says 412.",
)
def spliced(stage: Stage) -> None:
    """Ask for the second part of the first file."""
    rows = [f"{number};article {number};{number * 3}.00\n" for number in range(300)]
    origin = fronts.site(stage, "nginx", {"lists/prices.csv": "".join(rows)})
    rule = "sub vcl_backend_response { set beresp.ttl = 1s; set beresp.grace = 0s; set beresp.keep = 0s; }"
    front = fronts.varnish(stage, origin, rule)
    me = stage.actor("client", front, "shop.example.test", "urllib")
    direct = stage.actor("other", origin, "shop.example.test", "curl")
    me.send("HEAD", "/lists/prices.csv", 200)
    first = me.get("/lists/prices.csv", 206, {"Range": "bytes=0-1999"})
    fronts.put_file(origin.directory, "lists/prices.csv", "".join(rows).replace(".00", ".50") + "# v2\n")
    time.sleep(1.4)
    guard = {"Range": "bytes=2000-3999", "If-Match": first.etag}
    second = me.get("/lists/prices.csv", 206, guard)
    if second.etag == first.etag:
        raise StoryError("the part is of the first file")
    direct.get("/lists/prices.csv", 412, guard)
    me.get("/lists/prices.csv", 206, {"Range": "bytes=4000-5999", "If-Match": first.etag})


@case(
    "a618",
    "warehouse-old-address-302",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description="nginx sends the old address of an article to the new one with 302; requests follows the PUT with a GET, gets 200, and nothing has been written.",
)
def moved(stage: Stage) -> None:
    """Write to the old address."""
    server = scene.warehouse(stage)
    rule = "absolute_redirect off;\nlocation /wms/v1/ { rewrite ^/wms/v1/(.*)$ /wms/v2/$1 redirect; }"
    front = fronts.nginx(stage, server, block=rule)
    me = stage.actor("client", front, "wms.example.test", "requests:follow", {"X-Operator": "erp-sync"})
    old = scene.JACK.replace("/v2/", "/v1/")
    read = me.get(old)
    me.get(scene.BOLT)
    answer = me.put(old, scene.counted(read, onHand=3, reserved=0), 200, {"If-Match": read.etag})
    if answer.json["onHand"] == 3:
        raise StoryError("the count was written")
    time.sleep(0.5)
    me.get(scene.JACK)
    me.put(scene.JACK, scene.counted(read, onHand=3, reserved=0), 200, {"If-Match": read.etag})


@case(
    "a619",
    "cms-slash-redirect-empties-page",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description="Apache adds a slash with 301; curl -L -X PUT repeats the method and the guard without the content, and the page is stored empty.",
)
def emptied(stage: Stage) -> None:
    """Follow with nothing in hand."""
    server = scene.pages(stage)
    front = fronts.apache(
        stage, server, "ProxyPassMatch ^/cms/pages/about$ !\nRedirectMatch 301 ^(/cms/pages/about)$ $1/"
    )
    me = stage.actor("client", front, "cms.example.test", "curl")
    stage.curls["client"].more = ["-L"]
    me.get("/cms/pages/jobs")
    page = me.get("/cms/pages/about/")
    text = page.text.replace("boathouse", "boathouse in Drammen")
    me.put("/cms/pages/about", text, 204, {**_PLAIN, "If-Match": page.etag})
    after = me.get("/cms/pages/about/")
    if after.text:
        raise StoryError(f"the page is not empty: {after.text}")
