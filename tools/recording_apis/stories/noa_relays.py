"""What stands between and does harm: encoders, caches, balancers, filters, a redirect."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import noa_setting as place
from tools.recording_apis.stories.noa_setting import bearer, must

_LONG = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt. " * 9


@case(
    "b517",
    "caddy-appends-to-a-version",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        'Spring Data REST behind Caddy: encode makes "5-gzip" of the version "5", and does not take it off again in '
        "If-Match. Read with identity the tag is bare and the write goes through."
    ),
    synthetic=True,
)
def appended(stage: Stage) -> None:
    """Send the tag that Caddy made."""
    path = "/api/articles/71"
    server = place.api(stage, "plain", {path: {"title": "Tides", "text": _LONG}}, KIND="spring")
    front = fronts.caddy(stage, server, "encode gzip")
    me = stage.actor("client", front, "press.test", "requests", bearer("editor"))
    place.browse(me, "cwf")
    me.get("/api/articles/70", 404)
    seen = me.get(path)
    must("-gzip" in seen.etag, f"no suffix: {seen.etag}")
    new = {**seen.json, "title": "Tides and moons"}
    me.put(path, new, 412, {"If-Match": seen.etag})
    time.sleep(0.3)
    bare = me.get(path, 200, {"Accept-Encoding": "identity"}).etag
    me.put(path, new, 200, {"If-Match": bare})


@case(
    "b518",
    "nginx-weakens-a-pipeline",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "GoCD behind nginx with gzip: the pipeline's tag arrives as W/..., If-Match with it is refused twice, a read "
        "each time in between; with Accept-Encoding: identity the tag is strong and works."
    ),
    synthetic=True,
)
def pipeline(stage: Stage) -> None:
    """Send a tag that nginx made weak."""
    path = "/go/api/admin/pipelines/firmware"
    seed = {path: {"name": "firmware", "materials": [{"type": "git"}], "comment": _LONG}}
    server = place.api(stage, "plain", seed, "cheroot", KIND="gocd", FLAGS="need")
    front = fronts.nginx_gzip(stage, server)
    accept = {"Accept": "application/vnd.go.cd+json"}
    me = stage.actor("client", front, "ci.chips.test", "node:axios", bearer("ops", **accept))
    place.browse(me, "wtttcttft")
    for _ in range(2):
        seen = me.get(path)
        must(seen.etag.startswith("W/"), "strong")
        me.put(path, {**seen.json, "name": "firmware", "lock_behavior": "none"}, 412, {"If-Match": seen.etag})
        time.sleep(0.2)
    plain = me.get(path, 200, {"Accept-Encoding": "identity"})
    me.put(path, {**plain.json, "lock_behavior": "none"}, 200, {"If-Match": plain.etag})


@case(
    "b519",
    "varnish-compresses-calendars",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "Baikal (SabreDAV) behind Varnish with do_gzip: the origin's strong tag arrives weak, the PUT with it is "
        "refused; the origin's file shows the strong one."
    ),
    synthetic=True,
)
def calendars(stage: Stage) -> None:
    """Send a tag that Varnish made weak."""
    path = "/dav.php/calendars/nils/default/9F.ics"
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:9F\r\nSUMMARY:Dentist\r\nDESCRIPTION:{_LONG}\r\n"
    server = place.api(stage, "dav", {path: f"{text}END:VEVENT\r\nEND:VCALENDAR\r\n"})
    rules = 'sub vcl_recv { if (req.method == "GET") { return (pass); } }\n'
    rules += "sub vcl_backend_response { set beresp.do_gzip = true; }"
    front = fronts.varnish(stage, server, rules)
    me = stage.actor(
        "client", front, "dav.nils.test", "httpx", {"User-Agent": "DAVx5/4.4.5-ose", "X-User": "x.nils"}
    )
    seen = me.get(path)
    must(seen.etag.startswith("W/"), f"strong: {seen.etag}")
    kind = {"Content-Type": "text/calendar; charset=utf-8"}
    me.put(path, seen.text.replace("Dentist", "Dentist 9:30"), 412, {**kind, "If-Match": seen.etag})
    me.get(path)


@case(
    "b520",
    "gateway-drops-the-version-header",
    "precondition-stripped",
    "409",
    alone="precondition-stripped",
    also="status-dialect-mismatch",
    description=(
        "Contentful behind HAProxy, which passes on only headers that it knows: X-Contentful-Version is sent with the "
        "current number, the answer says that none was passed. The origin's file has the request without it."
    ),
    synthetic=True,
)
def unknown_header(stage: Stage) -> None:
    """Send a version that does not arrive."""
    path = "/spaces/k1/environments/master/entries/faq-12"
    server = place.api(stage, "contentful", {path: {"fields": {"question": {"en": "Where is my parcel?"}}}})
    front = fronts.haproxy(stage, [server], " http-request del-header X-Contentful-Version")
    me = stage.actor("client", front, "cms-gw.test", "requests", bearer("sync"))
    seen = me.get(path).json
    body = {"fields": {"question": {"en": "Where is my parcel now?"}}}
    version = str(seen["sys"]["version"])
    me.put(path, body, 409, {"X-Contentful-Version": version})
    time.sleep(0.3)
    must(str(me.get(path).json["sys"]["version"]) == version, "another version")
    me.put(path, body, 409, {"X-Contentful-Version": version})


@case(
    "b521",
    "squid-hands-out-the-old-badge",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Eve behind Squid: a badge is read from the cache (Age, X-Cache HIT) after a colleague's write to the origin; "
        "the PATCH is refused, and the same read with Cache-Control: no-cache gives another tag that works."
    ),
    synthetic=True,
)
def badge(stage: Stage) -> None:
    """Write with a tag out of a cache."""
    path = "/badges/b-31"
    server = place.api(
        stage, "plain", {path: {"name": "J. Roth", "zone": 2}}, KIND="eve", FLAGS="need maxage"
    )
    front = fronts.squid(stage, server, site="badges.test")
    me = stage.actor("client", front, "badges.test", "urllib", {"X-User": "x.gate"})
    other = stage.actor("other", server, "badges.test", "requests", {"X-User": "x.hr"})
    place.browse(me, "wttcttfttt")
    first = me.get(path)
    other.send("PATCH", path, 200, {"If-Match": other.get(path).etag}, {"zone": 3})
    time.sleep(1.2)
    old = me.get(path)
    must("HIT" in old.fields.get("x-cache", "") and old.etag == first.etag, "not from the cache")
    me.send("PATCH", path, 412, {"If-Match": old.etag}, {"name": "J. Roth-Lang"})
    new = me.get(path, 200, {"Cache-Control": "no-cache"})
    me.send("PATCH", path, 200, {"If-Match": new.etag}, {"name": "J. Roth-Lang"})


@case(
    "b522",
    "varnish-keeps-the-menu",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Nextcloud Notes behind Varnish: the client's own save does not drop the stored note, so the next read (Age, "
        "X-Varnish with two numbers) is older than the save's own answer; its tag is refused, and again after a reload."
    ),
    synthetic=True,
)
def menu(stage: Stage) -> None:
    """Read from a cache after one's own save."""
    path = "/index.php/apps/notes/api/v1/notes/5"
    server = place.api(
        stage, "plain", {path: {"title": "Menu", "content": "soup"}}, "cheroot", KIND="notes", FLAGS="maxage"
    )
    front = fronts.varnish(stage, server, "sub vcl_backend_response { set beresp.ttl = 60s; }")
    me = stage.actor("client", front, "notes.canteen.test", "node:fetch", {"X-User": "x.chef"})
    seen = me.get(path)
    saved = me.put(path, {"title": "Menu", "content": "soup, pie"}, 200, {"If-Match": seen.etag})
    time.sleep(1.3)
    for _ in range(2):
        old = me.get(path, 200, {"Cache-Control": "no-cache"})
        must(old.etag == seen.etag != saved.etag and int(old.fields["age"]) > 0, "not from the cache")
        me.put(path, {"title": "Menu", "content": "soup, pie, figs"}, 412, {"If-Match": old.etag})
        time.sleep(0.4)


@case(
    "b523",
    "cart-read-from-a-copy",
    "replica-lag",
    "409",
    alone="replica-lag",
    also="status-dialect-mismatch",
    description=(
        "commercetools: a cart is read from a copy two seconds behind; after its own update (version n+1 in the answer) "
        "the client reads version n again and is refused with currentVersion n+1; later the same read has caught up."
    ),
    synthetic=True,
)
def cart(stage: Stage) -> None:
    """Read a cart from a copy that is behind."""
    path = "/shop/carts/5f1e"
    server = place.api(
        stage, "bodied", {path: {"currency": "EUR", "lines": ["sku-1"]}}, KIND="commercetools", LAG="2"
    )
    me = stage.actor("client", server, "api.commercetools.test", "requests", bearer("storefront"))
    version = me.get(path).json["version"]
    new = me.send("POST", path, 200, None, {"version": version, "lines": ["sku-1", "sku-2"]}).json["version"]
    time.sleep(0.4)
    old = me.get(path).json["version"]
    must(old == version != new, "not behind")
    me.send("POST", path, 409, None, {"version": old, "discount": "WINTER"})
    time.sleep(2.2)
    now = me.get(path).json["version"]
    me.send("POST", path, 200, None, {"version": now, "discount": "WINTER"})


@case(
    "b524",
    "two-calendar-nodes",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "DAViCal on two nodes behind Traefik in turns: each node hashes a value of its own into the tags of the same "
        "events, so reads alternate between two tags of one body and each PUT meets the other node."
    ),
    synthetic=True,
)
def two_nodes(stage: Stage) -> None:
    """Read from one node and write to the other."""
    path = "/caldav.php/rota/shifts/n1.ics"
    text = (
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:n1\r\nSUMMARY:Night shift\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    nodes = [
        place.api(stage, "dav", {path: text}, FLAGS="davical", SALT=salt, WRITTEN="1795000000.0")
        for salt in ("n1", "n2")
    ]
    front = fronts.traefik(stage, nodes)
    me = stage.actor("client", front, "cal.hospital.test", "requests", {"X-User": "x.rota"})
    seen = [me.get(path) for _ in range(5)]
    must(len({one.etag for one in seen}) == 2 and len({one.text for one in seen}) == 1, "not two tags")
    kind = {"Content-Type": "text/calendar"}
    me.put(path, text.replace("Night", "Late"), 412, {**kind, "If-Match": seen[-1].etag})
    tag = me.get(path).etag
    me.put(path, text.replace("Night", "Late"), 412, {**kind, "If-Match": tag})
    me.get(path)
    me.get(path)


@case(
    "b525",
    "nginx-sends-a-row-twice",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412 lost-response-replay",
    description=(
        "Dataverse behind nginx (proxy_next_upstream non_idempotent): a PATCH takes longer than proxy_read_timeout, "
        "nginx sends it again, the client gets the 412 of the second. One request at the client, two at the origin."
    ),
    synthetic=True,
)
def row(stage: Stage) -> None:
    """Let nginx repeat a write."""
    path = "/api/data/v9.2/accounts(0a1)"
    server = place.api(stage, "dataverse", {path: {"name": "Ferry Line", "revenue": 10}}, TARRY="1.7")
    port = stage.behind(server)
    pair = f"upstream pair {{ server 127.0.0.1:{port} max_fails=0; server 127.0.0.1:{port} max_fails=0; }}"
    block = (
        'location /api/ { proxy_pass http://pair; proxy_http_version 1.1; proxy_set_header Connection ""; '
    )
    block += "proxy_set_header Host $http_host; proxy_read_timeout 1s; "
    block += "proxy_next_upstream error timeout non_idempotent; proxy_next_upstream_tries 2; }"
    front = fronts.nginx(stage, server, "", pair, block)
    me = stage.actor("client", front, "org.crm.dynamics.test", "httpx", bearer("importer"))
    place.browse(me, "t")
    tag = me.get(path).etag
    new = {"name": "Ferry Line", "revenue": 12, "importid": "row-4471-7c"}
    me.send("PATCH", path, 412, {"If-Match": tag}, new)
    must(me.get(path).json.get("importid") == "row-4471-7c", "not written")
    time.sleep(1.0)


@case(
    "b526",
    "haproxy-repeats-a-rule",
    "intermediary-replay",
    "409",
    alone="intermediary-replay post-commit-412 lost-response-replay",
    also="status-dialect-mismatch",
    description=(
        "AppDynamics behind HAProxy (retry-on response-timeout): the health rule is stored by the first try, the "
        "second one meets it; the client gets 409 version-mismatch whose currentVersion is one above its own."
    ),
    synthetic=True,
)
def rule(stage: Stage) -> None:
    """Let HAProxy repeat a write."""
    path = "/alerting/rest/v1/applications/9/health-rules/31"
    seed = {path: {"name": "Checkout slow", "threshold": 800}}
    server = place.api(stage, "bodied", seed, "cheroot", KIND="appdynamics", FLAGS="appdynamics", TARRY="1.6")
    lines = " timeout server 1s\n retries 1\n retry-on response-timeout\n"
    front = fronts.haproxy(stage, [server], lines)
    me = stage.actor("client", front, "acme.saas.appdynamics.test", "java", bearer("iac"))
    seen = me.get(path).json
    me.put(
        path,
        {"version": seen["version"], "name": "Checkout slow", "threshold": 650, "note": "iac run 881"},
        409,
    )
    must(me.get(path).json["note"] == "iac run 881", "not written")
    time.sleep(0.8)


@case(
    "b527",
    "load-balancer-hides-the-tag",
    "validator-stripped",
    "409",
    alone="validator-stripped token-missing",
    also="token-missing status-dialect-mismatch",
    description=(
        "xAPI behind HAProxy: a hardening rule removes ETag and Last-Modified from answers; the player reads its "
        "document, has nothing to send and gets 409 twice, which asks for If-Match. The origin's file has the tags."
    ),
    synthetic=True,
)
def hidden(stage: Stage) -> None:
    """Read without a tag."""
    path = "/xapi/activities/profile"
    server = place.api(stage, "plain", {path: {"page": 1}}, KIND="xapi", FLAGS="need counted")
    front = fronts.haproxy(
        stage, [server], " http-response del-header ETag\n http-response del-header Last-Modified"
    )
    me = stage.actor(
        "client", front, "lrs.bank.test", "curl", bearer("player", **{"X-Experience-API-Version": "1.0.3"})
    )
    for number in (2, 3):
        if "etag" in me.get(path).fields:
            raise StoryError("there is a tag")
        me.put(path, {"page": number}, 409)


@case(
    "b528",
    "squid-answers-the-check-itself",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    description=(
        "An S3-compatible store behind Squid: a download is checked with If-Match of the newest tag, which an "
        "event named; Squid answers 412 with a page of its own from its older copy, the origin saw no such request, "
        "and the same request with no-cache is served."
    ),
    synthetic=True,
)
def resume(stage: Stage) -> None:
    """Ask a cache with If-Match."""
    path = "/maps/alps.bin"
    server = place.api(stage, "s3-like", {path: "A" * 900}, WRITTEN=str(time.time() - 9_000_000))
    front = fronts.squid(stage, server, site="maps.test")
    me = stage.actor("client", front, "maps.test", "requests", {"User-Agent": "tile-loader/2.2"})
    other = stage.actor("other", server, "maps.test", "httpx", place.signed("AKIAMAPS"))
    me.get(path)
    new = other.put(path, "B" * 900, 200).etag
    time.sleep(0.5)
    me.get(path, 412, {"If-Match": new})
    me.get(path, 412, {"If-Match": new})
    me.get(path, 200, {"If-Match": new, "Cache-Control": "no-cache"})


@case(
    "b529",
    "list-moved-to-another-site",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "SharePoint behind nginx: the list has moved and the old address answers 302; requests follows its PUT with a "
        "GET, the 200 looks like a save, and the item is as before."
    ),
    synthetic=True,
)
def moved(stage: Stage) -> None:
    """Follow a redirect with another method."""
    item = "/sites/works/_api/web/lists/tasks/items(4)"
    server = place.api(stage, "sharepoint", {item: {"Title": "Grease crane", "Status": "Open"}})
    block = "location /sites/old/ { rewrite ^/sites/old/(.*)$ http://$http_host/sites/works/$1 redirect; }"
    front = fronts.nginx(stage, server, "", "", block)
    me = stage.actor("client", front, "works.sharepoint.test", "requests:follow", bearer("flow"))
    place.browse(me, "cttwttft")
    tag = me.get(item).etag
    old = item.replace("/works/", "/old/", 1)
    me.put(old, {"Status": "Done"}, 200, {"If-Match": tag})
    must(me.get(item).json["Status"] == "Open", "it was written")
