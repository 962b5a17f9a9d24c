"""What stands between a program and a service with versions of its own: encoders, stores, gateways, copies."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import qin_setting as qin

_TARIFF, _STOCK, _SHOP = "tariffs.seelinie.test", "stock.apotheken-nord.test", "shop.modehaus.test"
_LONG = " ".join(f"Clause {n}: freight class {n % 7}, surcharge {n * 3 % 41} EUR." for n in range(1, 30))
_TARIFFS = {
    "tariffs/kiel-oslo": {"cabin": 129, "car": 88, "terms": _LONG},
    "tariffs/kiel-klaipeda": {"cabin": 99, "car": 75, "terms": _LONG},
    "tariffs/puttgarden": {"cabin": 0, "car": 49, "terms": "No cabins."},
}
_DRUGS = {
    "drugs/04324188": {"name": "Ibuprofen 400", "packs": 120, "minimum": 40},
    "drugs/06313728": {"name": "Paracetamol 500", "packs": 310, "minimum": 90},
    "drugs/02700028": {"name": "Nasal spray", "packs": 57, "minimum": 30},
}
_CARTS = {
    "c-9001": {"items": ["sku-1"], "coupon": ""},
    "c-9002": {"items": ["sku-4", "sku-8"], "coupon": "TEN"},
}


@case(
    "b761",
    "qin-caddy-marks-compressed-tariffs",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Caddy compresses long tariffs and puts -gzip into their tags; the service compares If-Match with its own and "
        "refuses. The short tariff, which is not compressed, was saved; with identity the long one is as well."
    ),
)
def suffix(stage: Stage) -> None:
    """Send back the tag of an encoder."""
    server = qin.service(stage, "tags", _TARIFFS)
    front = fronts.caddy(stage, server, " encode gzip")
    me = stage.actor("client", front, _TARIFF, "requests", {"X-User": "yield"})
    short = me.get("/tariffs/puttgarden")
    me.put("/tariffs/puttgarden", qin.changed(short, car=52), 200, {"If-Match": short.etag})
    one = me.get("/tariffs/kiel-oslo")
    qin.require("-gzip" in one.etag, "no suffix")
    me.send("PATCH", "/tariffs/kiel-oslo", 412, {"If-Match": one.etag}, {"car": 92})
    plain = me.get("/tariffs/kiel-oslo", 200, qin.PLAIN).etag
    me.send("PATCH", "/tariffs/kiel-oslo", 200, {"If-Match": plain, **qin.PLAIN}, {"car": 92})


@case(
    "b762",
    "qin-haproxy-compression-makes-it-weak",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "HAProxy compresses answers and makes their tags weak; PATCH with the weak tag is refused by the service, "
        "which compares strongly. Without compression the tag is the same and strong, and taken."
    ),
)
def weakened(stage: Stage) -> None:
    """Send back a tag made weak."""
    server = qin.service(stage, "tags", _TARIFFS, HABITS="hideversion")
    lines = " compression algo gzip\n compression type application/json"
    front = fronts.haproxy(stage, [server], lines)
    me = stage.actor("client", front, _TARIFF, "httpx", {"X-User": "yield"})
    qin.notices(me, 3)
    me.get("/tariffs")
    one = me.get("/tariffs/kiel-klaipeda")
    qin.require(one.etag.startswith("W/"), "strong")
    me.send("PATCH", "/tariffs/kiel-klaipeda", 412, {"If-Match": one.etag}, {"cabin": 105})
    strong = me.get("/tariffs/kiel-klaipeda", 200, qin.PLAIN).etag
    qin.require(one.etag == f"W/{strong}", "another tag")
    me.send("PATCH", "/tariffs/kiel-klaipeda", 200, {"If-Match": strong, **qin.PLAIN}, {"cabin": 105})


@case(
    "b763",
    "qin-nginx-drops-names-with-underscores",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "The shop's SDK calls its header x_if_revision; nginx drops names with underscores. An outdated cart is "
        "accepted through it, though the client had read the newer revision, and the assistant's coupon is gone; the "
        "origin's file has no such header."
    ),
)
def underscores(stage: Stage) -> None:
    """Lose a header for its name."""
    server = qin.service(stage, "graph", _CARTS)
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, _SHOP, "node:axios", {"X-Client-Name": "web-sdk/3.1"})
    other = stage.actor("other", front, _SHOP, "requests", {"X-Client-Name": "assistant"})
    one = me.get("/v1/carts/c-9001")
    theirs = other.get("/v1/carts/c-9001")
    guard = {"x_if_revision": theirs.fields["x-revision"]}
    other.put("/v1/carts/c-9001", {"items": ["sku-1"], "coupon": "WELCOME"}, 200, guard)
    time.sleep(0.8)
    me.get("/v1/carts/c-9001")
    guard = {"x_if_revision": one.fields["x-revision"]}
    me.put("/v1/carts/c-9001", {"items": ["sku-1", "sku-2"], "coupon": ""}, 200, guard)
    qin.require(me.get("/v1/carts/c-9001").json["coupon"] == "", "kept")


@case(
    "b764",
    "qin-gateway-allows-no-expected-version",
    "precondition-stripped",
    "428",
    alone="precondition-stripped",
    description=(
        "A gateway's list of allowed headers lacks Expected-Version: the client sends it with every change, the "
        "service says 428, Expected-Version must be given. The origin's file has requests without it."
    ),
)
def allowed(stage: Stage) -> None:
    """Lose a header on a gateway."""
    server = qin.service(
        stage, "parts", _DRUGS, CARRIER="header", HABITS="demand", NAME="Expected-Version", SHAPE="spring"
    )
    front = fronts.haproxy(stage, [server], " http-request del-header Expected-Version")
    me = stage.actor("client", front, _STOCK, "java", {"X-User": "till-2"})
    qin.office(me, 3)
    me.get("/erp/drugs")
    one = me.get("/erp/drugs/04324188")
    guard = {"Expected-Version": one.fields["x-version"]}
    me.put("/erp/drugs/04324188", qin.changed(one, packs=119), 428, guard)
    two = me.get("/erp/drugs/02700028")
    guard = {"Expected-Version": two.fields["x-version"]}
    me.put("/erp/drugs/02700028", qin.changed(two, packs=56), 428, guard)


@case(
    "b765",
    "qin-version-out-of-nginx-store",
    "stale-cache-read",
    "409",
    alone="stale-cache-read",
    description=(
        "nginx keeps answers for a minute (X-Cache). After its own save a till reads the record again, gets the old "
        "version from the store, and is refused with it; past the store it reads its own save and goes on."
    ),
)
def stored(stage: Stage) -> None:
    """Read a version from a store."""
    server = qin.service(stage, "parts", _DRUGS)
    lines = "add_header X-Cache $upstream_cache_status; proxy_cache_bypass $http_cache_control;"
    front = fronts.nginx_cache(stage, server, 60, lines)
    me = stage.actor("client", front, _STOCK, "aiohttp", {"X-User": "till-4"})
    me.get("/erp/drugs/06313728")
    one = me.get("/erp/drugs/06313728")
    me.put("/erp/drugs/06313728", qin.changed(one, packs=309), 200)
    time.sleep(1.3)
    old = me.get("/erp/drugs/06313728")
    qin.require(old.json["packs"] == 310, "not stored")
    me.put("/erp/drugs/06313728", qin.changed(old, minimum=80), 409)
    fresh = me.get("/erp/drugs/06313728", 200, {"Cache-Control": "no-cache"})
    me.put("/erp/drugs/06313728", qin.changed(fresh, minimum=80), 200)


@case(
    "b766",
    "qin-varnish-hands-out-yesterdays-tag",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Varnish keeps tariffs for five minutes and ignores no-cache of requests: after its own save the client gets "
        "the old tag with an Age again and again and is refused; only a query past the store shows the new one."
    ),
)
def varnish(stage: Stage) -> None:
    """Read old tags from Varnish."""
    server = qin.service(stage, "tags", _TARIFFS, HINT="public, max-age=300", HABITS="hideversion")
    front = fronts.varnish(stage, server)
    me = stage.actor("client", front, _TARIFF, "curl", {"X-User": "yield"})
    tag = me.get("/tariffs/puttgarden").etag
    new = me.send("PATCH", "/tariffs/puttgarden", 200, {"If-Match": tag}, {"car": 51}).etag
    time.sleep(2.1)
    old = me.get("/tariffs/puttgarden").etag
    qin.require(old == tag != new, "not stored")
    me.send("PATCH", "/tariffs/puttgarden", 412, {"If-Match": old}, {"car": 53})
    qin.require(me.get("/tariffs/puttgarden", 200, {"Cache-Control": "no-cache"}).etag == tag, "not stored")
    me.send("PATCH", "/tariffs/puttgarden", 412, {"If-Match": tag}, {"car": 53})
    me.send(
        "PATCH",
        "/tariffs/puttgarden",
        200,
        {"If-Match": me.get("/tariffs/puttgarden?fresh=1").etag},
        {"car": 53},
    )


@case(
    "b767",
    "qin-reads-from-a-follower",
    "replica-lag",
    "409",
    alone="replica-lag",
    description=(
        "Reads of the stock come from a follower that is two seconds behind: right after its own save (version in the "
        "answer) the till reads the version before, without any mark of a cache, is refused, and a little later "
        "reads its own save."
    ),
)
def follower(stage: Stage) -> None:
    """Read from a follower."""
    server = qin.service(stage, "parts", _DRUGS, LAG="2", NAME="revision", SHAPE="laravel", CODE="Conflict")
    me = stage.actor("client", server, _STOCK, "httpx", {"X-User": "till-1"})
    qin.office(me, 5, "till-1")
    one = me.get("/erp/drugs/02700028")
    saved = me.put("/erp/drugs/02700028", qin.changed(one, packs=55), 200)
    time.sleep(0.4)
    old = me.get("/erp/drugs/02700028")
    qin.require(old.json["revision"] == one.json["revision"], "not behind")
    me.put("/erp/drugs/02700028", qin.changed(old, packs=54), 409)
    time.sleep(2.2)
    fresh = me.get("/erp/drugs/02700028")
    qin.require(fresh.json["revision"] == saved.json["revision"], "behind")
    me.put("/erp/drugs/02700028", qin.changed(fresh, packs=54), 200)


@case(
    "b768",
    "qin-tariff-desk-behind-its-own-saves",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "A desk saves three tariffs and re-reads each at once; the copy that answers reads still has the old tags, so "
        "the second round of saves is refused, and two seconds later all three are as saved."
    ),
)
def copies(stage: Stage) -> None:
    """Be faster than a copy."""
    server = qin.service(stage, "tags", _TARIFFS, LAG="2.5", HINT="no-store")
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, _TARIFF, "node", {"X-User": "desk-3"})
    qin.notices(me, 2)
    names = ("kiel-oslo", "kiel-klaipeda", "puttgarden")
    first = {name: me.get(f"/tariffs/{name}", 200, qin.PLAIN).etag for name in names}
    new = {
        name: me.send("PATCH", f"/tariffs/{name}", 200, {"If-Match": first[name]}, {"cabin": 140}).etag
        for name in names
    }
    time.sleep(0.3)
    for name in names[:2]:
        old = me.get(f"/tariffs/{name}", 200, qin.PLAIN).etag
        qin.require(old == first[name], "not behind")
        me.send("PATCH", f"/tariffs/{name}", 412, {"If-Match": old}, {"car": 90})
    time.sleep(2.6)
    for name in names:
        qin.require(me.get(f"/tariffs/{name}", 200, qin.PLAIN).etag == new[name], "behind")


@case(
    "b769",
    "qin-each-node-salts-its-tags",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two nodes (X-Served-By) take turns behind HAProxy and mix their start into the tags: the same tariff has two "
        "tags in turn, and a save goes to the other node each time."
    ),
)
def salted(stage: Stage) -> None:
    """Meet the other node with each save."""
    nodes = [
        qin.service(stage, "tags", _TARIFFS, SALT="boot-81", NODE="tariff-a"),
        qin.service(stage, "tags", _TARIFFS, SALT="boot-97", NODE="tariff-b"),
    ]
    front = fronts.haproxy(stage, nodes)
    me = stage.actor("client", front, _TARIFF, "requests", {"X-User": "yield"})
    seen = [me.get("/tariffs/puttgarden") for _ in range(4)]
    qin.require(len({one.etag for one in seen}) == 2 and len({one.body for one in seen}) == 1, "one tag")
    for _ in range(3):
        tag = me.get("/tariffs/puttgarden").etag
        me.send("PATCH", "/tariffs/puttgarden", 412, {"If-Match": tag}, {"car": 55})


@case(
    "b770",
    "qin-two-pods-count-for-themselves",
    "inconsistent-backends",
    "409",
    alone="inconsistent-backends",
    description=(
        "Two pods behind Traefik keep the version of a record in their own memory: reads show 12 and 31 in turn for "
        "the same content, and a save with either goes to the pod that has the other."
    ),
)
def pods(stage: Stage) -> None:
    """See two versions of one record in turn."""
    pods = []
    for version in (12, 31):
        drugs = {key: {**row, "#v": version + n} for n, (key, row) in enumerate(_DRUGS.items())}
        pods.append(qin.service(stage, "parts", drugs, SHAPE="spring", CODE="OptimisticLockException"))
    front = fronts.traefik(stage, pods)
    me = stage.actor("client", front, _STOCK, "aiohttp", {"X-User": "till-7"})
    for _ in range(5):
        one = me.get("/erp/drugs/04324188")
    for _ in range(2):
        me.put("/erp/drugs/04324188", qin.changed(one, packs=100), 409)
        me.get("/erp/drugs/04324188")
        one = me.get("/erp/drugs/04324188")


@case(
    "b771",
    "qin-nginx-asks-the-second-upstream",
    "intermediary-replay",
    "409",
    alone="intermediary-replay post-commit-412",
    description=(
        "A save takes longer than nginx waits; it sends it to the next upstream (the same service) and hands over the "
        "409 of that. One PUT at the client, two at the origin, and the record has the client's numbers."
    ),
)
def upstream(stage: Stage) -> None:
    """Let nginx repeat a save."""
    server = qin.service(stage, "parts", _DRUGS, TARRY="1.7", SHAPE="spring")
    port = stage.behind(server)
    pair = f"upstream two {{ server 127.0.0.1:{port} max_fails=0; server 127.0.0.1:{port} max_fails=0; }}"
    block = "location /erp/drugs/ { proxy_pass http://two; proxy_http_version 1.1; proxy_set_header Host $http_host; "
    block += 'proxy_set_header Connection ""; proxy_read_timeout 1s; proxy_next_upstream_tries 2; '
    block += "proxy_next_upstream timeout non_idempotent; }"
    front = fronts.nginx(stage, server, "", pair, block)
    me = stage.actor("client", front, _STOCK, "java", {"X-User": "till-2"})
    qin.office(me, 4)
    me.get("/erp/drugs/04324188")
    one = me.get("/erp/drugs/06313728")
    me.put("/erp/drugs/06313728", qin.changed(one, packs=288), 409)
    again = me.get("/erp/drugs/06313728").json
    qin.require(again["packs"] == 288 and again["modifiedBy"] == "till-2", "not stored")
    time.sleep(1.2)


@case(
    "b772",
    "qin-envoy-tries-a-tariff-twice",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    description=(
        "Envoy's per-try timeout is shorter than the service's first answer: a guarded PATCH reaches it twice, the "
        "second is refused, and the tariff read afterwards has the client's price."
    ),
)
def tries(stage: Stage) -> None:
    """Let Envoy repeat a change."""
    server = qin.service(stage, "tags", _TARIFFS, TARRY="1.4")
    rule = ', timeout: 8s, retry_policy: {retry_on: "5xx,reset", num_retries: 1, per_try_timeout: 0.6s}'
    front = fronts.envoy(stage, [server], route=rule, config=f"route: {rule[2:]}")
    me = stage.actor("client", front, _TARIFF, "httpx", {"X-User": "yield"})
    tag = me.get("/tariffs/puttgarden").etag
    me.send("PATCH", "/tariffs/puttgarden", 412, {"If-Match": tag}, {"car": 57})
    qin.require(me.get("/tariffs/puttgarden").json["car"] == 57, "not stored")
    time.sleep(1.0)


@case(
    "b773",
    "qin-traefik-removes-x-version",
    "validator-stripped",
    "428",
    alone="token-missing validator-stripped",
    also="token-missing",
    description=(
        "A hardening middleware of Traefik removes all X-Version headers from answers; the stock service wants that "
        "number back in Expected-Version and says 428. The origin's file has it on each read."
    ),
)
def hardened(stage: Stage) -> None:
    """Never see the version."""
    server = qin.service(stage, "parts", _DRUGS, CARRIER="header", HABITS="demand", NAME="Expected-Version")
    rules = '    hide:\n      headers:\n        customResponseHeaders:\n          X-Version: ""\n'
    front = fronts.traefik(stage, [server], rules, "hide")
    me = stage.actor("client", front, _STOCK, "node", {"X-User": "till-9"})
    me.get("/erp/drugs")
    one = me.get("/erp/drugs/02700028")
    qin.require("x-version" not in one.fields, "it is there")
    me.put("/erp/drugs/02700028", qin.changed(one, packs=40), 428)
    me.get("/erp/drugs/02700028")
    me.put("/erp/drugs/02700028", qin.changed(one, packs=40), 428)


@case(
    "b774",
    "qin-varnish-resumes-another-file",
    "cache-misevaluates",
    "wrong-content",
    alone="cache-misevaluates read-changed-mid-transfer",
    description=(
        "A download resumes with If-Match and a range. Varnish takes If-Match off reads and evaluates none: it answers "
        "206 of the file that has replaced the first one, with another tag, where 412 is due."
    ),
)
def resumed(stage: Stage) -> None:
    """Resume a file that has been replaced."""
    text = "".join(f"{n:05d};port {n % 19};{n * 7 % 400}\n" for n in range(500))
    rows = {"exports/ports": {"text": text}}
    server = qin.service(stage, "tags", rows, MEDIA="text/csv", HINT="public, max-age=1")
    front = fronts.varnish(
        stage, server, "sub vcl_backend_response { set beresp.grace = 0s; set beresp.keep = 0s; }"
    )
    me = stage.actor("client", front, _TARIFF, "requests", {"X-User": "mirror"})
    first = me.get("/exports/ports", 206, {"Range": "bytes=0-2499", **qin.PLAIN})
    qin.aside(server, "PUT", "/exports/ports", text.replace("port", "quay"), {"If-Match": first.etag})
    time.sleep(2.4)
    guard = {"Range": "bytes=2500-4999", "If-Match": first.etag, **qin.PLAIN}
    part = me.get("/exports/ports", 206, guard)
    qin.require(part.etag != first.etag, "the same file")
    me.get("/exports/ports", 206, {**guard, "Range": "bytes=5000-7499"})


@case(
    "b775",
    "qin-see-other-makes-a-read-of-a-save",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "The carts have moved from /v0 to /v1 and the gateway answers 303 for every method: the library follows with a "
        "GET without the body, its 200 looks like success, the cart is as before."
    ),
)
def moved(stage: Stage) -> None:
    """Follow a redirect with a read."""
    server = qin.service(stage, "graph", _CARTS)
    block = "location /v0/ { return 303 http://$http_host/v1/carts/c-9002; }"
    front = fronts.nginx(stage, server, "", "", block)
    me = stage.actor("client", front, _SHOP, "requests:follow", {"X-Client-Name": "kiosk"})
    one = me.get("/v1/carts/c-9002")
    guard = {"X-If-Revision": one.fields["x-revision"]}
    me.put("/v0/carts/c-9002", {"items": ["sku-4"], "coupon": "TEN"}, 200, guard)
    again = me.get("/v1/carts/c-9002")
    qin.require(again.fields["x-revision"] == one.fields["x-revision"], "it was written")
