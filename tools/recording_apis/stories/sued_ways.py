"""What stands between a client and its service, platforms that add conditions, and tokens that run out."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.caldav import event, phone
from tools.recording_apis.stories.caldav import furnished as calendar
from tools.recording_apis.stories.sued_ground import (
    BASE,
    BOLTS,
    SHEETS,
    Vault,
    buckets,
    busy,
    cached,
    data_of,
    depot,
    fleet,
    look_around,
    sign_in,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONG: Mapping[str, object] = {
    "sites/emden": {
        "name": "Emden lock",
        "notes": "Gate 2 is slow below zero; grease monthly. " * 9,
        "shift": ["onno", "fenja"],
    }
}


@case(
    "a735",
    "parcel-app-on-one-platform",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "The same app on two platforms: below one of them the platform's cache puts If-None-Match with the cached "
        "tag into every request, PUT included, so a save is refused exactly while nothing has changed. The other "
        "platform saves without any condition."
    ),
)
def one_platform(stage: Stage) -> None:
    """Save on two platforms."""
    server = fleet(stage)
    agent = "Rounds/3.1 CFNetwork/1498.700.2 Darwin/23.6.0"
    plain = stage.actor(
        "client", server, "api.example.test", "urllib", {"User-Agent": agent, "X-Operator": "ole"}
    )
    me = cached(plain)
    android = {"User-Agent": "Rounds/3.1 okhttp/4.12.0", "X-Operator": "ida"}
    other = stage.actor("other", server, "api.example.test", "requests", android)
    sign_in(me, "ole")
    look_around(me, "sites")
    read = me.get(f"{BASE}sites/kiel")
    me.put(f"{BASE}sites/kiel", {**data_of(read), "alarm": "call"}, 412)
    me.get(f"{BASE}sites/kiel", 304)
    theirs = other.get(f"{BASE}sites/husum")
    other.put(f"{BASE}sites/husum", {**data_of(theirs), "alarm": "call"}, 200)
    other.get(f"{BASE}sites/husum")
    me.put(f"{BASE}sites/kiel", {**data_of(read), "alarm": "call"}, 412)


@case(
    "a736",
    "desktop-shell-deletes-with-cache-fields",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "A desktop shell's disk cache adds If-None-Match and If-Modified-Since to a DELETE of a document that was "
        "viewed before: 412. Documents that were never viewed are deleted without any condition."
    ),
)
def shell(stage: Stage) -> None:
    """Delete what was viewed and what was not."""
    reports = {f"reports/r-{number}": {"week": number, "pumps": 4} for number in range(40, 44)}
    server = fleet(stage, reports, TAGS="digest")
    agent = {"User-Agent": "Desk/2.2 Chrome/126.0.6478.234 Electron/31.7.7", "X-Operator": "fenja"}
    me = cached(stage.actor("client", server, "api.example.test", "httpx", agent), dates=True)
    me.get(f"{BASE}reports")
    me.get(f"{BASE}reports/r-41")
    me.send("DELETE", f"{BASE}reports/r-40", 204)
    me.send("DELETE", f"{BASE}reports/r-41", 412)
    me.send("DELETE", f"{BASE}reports/r-42", 204)
    me.get(f"{BASE}reports/r-41", 304)


@case(
    "a737",
    "list-continue-token-too-old",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "A collector pages through pods and works between the pages for longer than the continue token lives: "
        "410 Expired; it starts the list anew and comes through."
    ),
    synthetic=True,
)
def paging(stage: Stage) -> None:
    """Page too slowly."""
    server = stage.server("application", app="suite_products")
    agent = {"User-Agent": "pod-census/1.0 kubernetes-client", "Authorization": "Bearer k8s"}
    me = stage.actor("client", server, "k8s.example.test", "requests", agent)

    def page(token: str, expect: int = 200) -> str:
        asked = f"/api/v1/namespaces/pay/pods?limit=5{'&continue=' if token else ''}{token}"
        return str(me.get(asked, expect).json.get("metadata", {}).get("continue", ""))

    token = page(page(""))
    time.sleep(2.6)
    page(token, 410)
    token = page("")
    while token:
        token = page(token)


@case(
    "a738",
    "address-book-sync-token-expired",
    "token-expired",
    "403",
    alone="token-expired status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "A phone comes back with a sync token that the server has dropped after its lifetime: sync-collection is "
        "refused with valid-sync-token; a synchronisation from the start gives a token that works."
    ),
)
def sync_token(stage: Stage) -> None:
    """Synchronise with an old token."""
    server = calendar(stage, "monday", "friday", token_age=2)
    me = phone(stage, server, agent="Phonebook-Sync/5.2 (Android 15)")

    def synchronise(token: str, expect: int = 207) -> str:
        body = f'<?xml version="1.0"?><sync-collection xmlns="DAV:"><sync-token>{token}</sync-token>'
        body += "<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
        answer = me.send("REPORT", "/anna/office/", expect, {"Content-Type": "application/xml"}, body)
        return answer.text.partition("<sync-token>")[2].partition("<")[0]

    me.send("OPTIONS", "/anna/office/", 200)
    token = synchronise("")
    me.get("/anna/office/monday.ics")
    tag = me.get("/anna/office/friday.ics").etag
    time.sleep(3.5)
    body = event("friday", "Stand-up", "20261204T100000Z")
    me.put("/anna/office/friday.ics", body, 204, {"Content-Type": "text/calendar", "If-Match": tag})
    synchronise("")
    time.sleep(0.3)
    synchronise(token, 403)
    synchronise(synchronise(""))


@case(
    "a740",
    "caddy-names-its-coding",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Caddy compresses the answer and adds -gzip to its tag; in If-Match it does not take the suffix off "
        "again. The same document read without compression shows the bare tag, which is taken."
    ),
)
def caddy(stage: Stage) -> None:
    """Save under a tag with a suffix."""
    server = fleet(stage, _LONG)
    edge = fronts.caddy(stage, server, "encode {\n gzip 5\n minimum_length 64\n}")
    me = stage.actor(
        "client", edge, "ops.example.test", "httpx", {"X-Operator": "onno", "Accept-Encoding": "gzip"}
    )
    me = busy(me, "a740")
    sign_in(me, "onno")
    path = f"{BASE}sites/emden"
    read = me.get(path)
    me.get(f"{BASE}things/pump-04")
    body = {**data_of(read), "shift": ["onno", "fenja", "ole"]}
    me.put(path, body, 412, {"If-Match": read.etag})
    bare = me.get(path, 200, {"Accept-Encoding": "identity"}).etag
    me.put(path, body, 200, {"If-Match": bare})


@case(
    "a741",
    "nginx-gzip-before-depot",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "nginx compresses the sheets and marks their tags weak; the depot compares If-Match strongly: 412. "
        "Without compression the tag is strong, of the same text, and the save is taken."
    ),
)
def weakened(stage: Stage) -> None:
    """Save under a weakened tag."""
    server = depot(stage, TAGGED="1")
    edge = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", edge, "depot.example.test", "requests", {"User-Agent": "stocktake/2.0"})
    me = busy(me, "a741", SHEETS)
    me.get("/sheets/seals.xml")
    tag = me.get("/sheets/bolts.xml").etag
    text = BOLTS.replace('stock="120"', 'stock="96"')
    kind = {"Content-Type": "application/xml"}
    me.put("/sheets/bolts.xml", text, 412, {**kind, "If-Match": tag})
    strong = me.send("GET", "/sheets/bolts.xml", 200, {"Accept-Encoding": "identity"}).etag
    me.put("/sheets/bolts.xml", text, 204, {**kind, "If-Match": strong})


@case(
    "a742",
    "balancer-drops-if-match",
    "precondition-stripped",
    "lost-update",
    alone="none",
    description=(
        "A balancer before the store deletes If-Match from requests (a rule against cache misses): an outdated "
        "upload through it is stored and a colleague's entry is gone, while the store itself refuses an outdated "
        "tag when asked directly."
    ),
)
def stripped(stage: Stage) -> None:
    """Upload through a balancer."""
    server = stage.server("seaweedfs")
    buckets(stage, server, "quotas", eu='{"a":1}', us='{"b":1}')
    edge = fronts.haproxy(stage, [server], "", " http-request del-header If-Match")
    me = Vault(stage, "client", edge, "store.example.test", "quota-sync Boto3")
    other = Vault(stage, "other", server, "store.example.test", "quota-desk Boto3")
    me.browse("quotas", "a742", 5)
    me.read("quotas", "us.json")
    tag, mine = me.read("quotas", "eu.json")
    their_tag, theirs = other.read("quotas", "eu.json")
    other.do(
        "put_object", Bucket="quotas", Key="eu.json", Body=json.dumps({**theirs, "x": 9}), IfMatch=their_tag
    )
    other.do("put_object", 412, Bucket="quotas", Key="eu.json", Body=json.dumps(theirs), IfMatch=their_tag)
    time.sleep(0.7)
    me.do("put_object", Bucket="quotas", Key="eu.json", Body=json.dumps({**mine, "m": 3}), IfMatch=tag)
    me.read("quotas", "eu.json")
    other.read("quotas", "eu.json")


@case(
    "a743",
    "varnish-serves-the-old-site",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Reads go through Varnish, which keeps answers for two minutes. After a colleague's direct write the page "
        "is still served from the cache, with Age and the old tag, twice; a read around the cache has the new one."
    ),
)
def stale(stage: Stage) -> None:
    """Read from a cache, then write."""
    server = fleet(stage, CACHED="public, max-age=120")
    edge = fronts.varnish(stage, server)
    me = stage.actor("client", edge, "www.example.test", "node:axios", {"X-Operator": "jonas"})
    me = busy(me, "a743")
    other = stage.actor("other", server, "iot.example.test", "httpx", {"X-Operator": "mara"})
    path = f"{BASE}sites/husum"
    me.get(f"{BASE}sites/kiel")
    me.get(path)
    theirs = other.get(path)
    other.put(path, {**data_of(theirs), "shift": ["ida", "fenja"]}, 200, {"If-Match": theirs.etag})
    time.sleep(2.3)
    read = me.get(path)
    me.put(path, {**data_of(read), "alarm": "call"}, 412, {"If-Match": read.etag})
    again = me.get(path)
    me.put(path, {**data_of(again), "alarm": "call"}, 412, {"If-Match": again.etag})
    fresh = me.get(f"{path}?_={time.time_ns() // 1000000}")
    me.put(path, {**data_of(fresh), "alarm": "call"}, 200, {"If-Match": fresh.etag})


@case(
    "a744",
    "read-replica-behind",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "Writes go to the primary, reads to a replica that is two seconds behind: the client's own write is "
        "answered with the new tag, the read after it gives the version before, and a write under that is "
        "refused. A moment later the replica has caught up."
    ),
)
def lag(stage: Stage) -> None:
    """Read behind the own write."""
    store = str(stage.root / "shared.sqlite")
    primary = fleet(stage, STORE=store, NODE="primary")
    replica = fleet(stage, STORE=store, NODE="replica-2", LAG="2.0")
    edge = fronts.split(stage, primary, replica)
    me = stage.actor("client", edge, "iot.example.test", "aiohttp", {"User-Agent": "planner-bot/3"})
    me = busy(me, "a744")
    path = f"{BASE}policies/updates"
    read = me.get(path)
    me.put(path, {**data_of(read), "maxParallel": 4}, 200, {"If-Match": read.etag})
    time.sleep(0.3)
    behind = me.get(path)
    me.put(path, {**data_of(behind), "window": "03:00-04:00"}, 412, {"If-Match": behind.etag})
    me.get(path)
    time.sleep(2.4)
    me.get(path)


@case(
    "a745",
    "two-nodes-two-tags",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two nodes behind Traefik make different tags for one stored document (X-Served-By tells them apart), so "
        "whatever a read brings, the next request lands on the node that does not know it."
    ),
)
def nodes(stage: Stage) -> None:
    """Read from one node, write to the other."""
    store = str(stage.root / "shared.sqlite")
    two = [fleet(stage, STORE=store, NODE=name, TAGS="node") for name in ("blue-1", "green-07")]
    edge = fronts.traefik(stage, two)
    me = stage.actor("client", edge, "iot.example.test", "httpx", {"X-Operator": "ida"})
    path = f"{BASE}things/pump-04"
    for _ in range(3):
        read = me.get(path)
        me.put(path, {**data_of(read), "owner": "south"}, 412, {"If-Match": read.etag})
    me.get(path)
    me.get(path)


@case(
    "a746",
    "balancer-repeats-a-slow-write",
    "intermediary-replay",
    "412",
    alone="post-commit-412 intermediary-replay",
    description=(
        "The service stores a write and takes longer to answer than HAProxy waits; HAProxy is set to retry on "
        "that and sends the request again, which is refused. The client sent one PUT and got one 412, and its own "
        "content is stored; before the service the request is there twice."
    ),
)
def repeated(stage: Stage) -> None:
    """Write once, be sent twice."""
    server = fleet(stage, SLOW="1.3")
    lines = " timeout server 900ms\n retries 2\n retry-on response-timeout"
    edge = fronts.haproxy(stage, [server], lines)
    me = stage.actor("client", edge, "iot.example.test", "requests", {"X-Operator": "batch-7"})
    me = busy(me, "a746")
    path = f"{BASE}things/pump-05"
    me.get(f"{BASE}things/pump-04")
    read = me.get(path)
    fields = {"If-Match": read.etag, "X-Request-Id": "b7-000418"}
    me.put(path, {**data_of(read), "firmware": "2.9.0"}, 412, fields)
    me.get(path)


@case(
    "a747",
    "rewriting-front-loses-validators",
    "validator-stripped",
    "428",
    alone="token-missing validator-stripped",
    also="token-missing",
    description=(
        "nginx rewrites host names in bodies and therefore drops ETag and Last-Modified; the service demands "
        "If-Match, so the client, which has never seen a tag, is answered 428. The service's own answers have one."
    ),
)
def rewriting(stage: Stage) -> None:
    """Write without ever having seen a tag."""
    server = fleet(stage, NEEDED="1")
    lines = "sub_filter '/fleet/v2/' 'https://fleet.example.test/fleet/v2/'; sub_filter_once off; "
    lines += "sub_filter_types application/json; proxy_set_header Accept-Encoding '';"
    edge = fronts.nginx(stage, server, lines)
    me = stage.actor("client", edge, "fleet.example.test", "node:fetch", {"X-Operator": "mara"})
    me = busy(me, "a747", validates=False)
    sign_in(me, "mara")
    me.get(f"{BASE}policies")
    read = me.get(f"{BASE}policies/updates")
    if "etag" in read.fields:
        raise StoryError("the tag came through")
    me.put(f"{BASE}policies/updates", {**data_of(read), "channel": "beta"}, 428)
    me.get(f"{BASE}policies/updates")
    me.put(f"{BASE}policies/updates", {**data_of(read), "channel": "beta"}, 428)


@case(
    "a748",
    "nginx-judges-by-its-old-copy",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates server-precondition-bug",
    description=(
        "A client stores a document through a caching nginx and verifies it with GET and If-Match: the new tag. "
        "nginx answers 412 by itself, from the copy it had kept; the service never sees that read, and asked "
        "directly it answers 200."
    ),
)
def own_copy(stage: Stage) -> None:
    """Verify what was stored."""
    server = fleet(stage, CACHED="public, max-age=300")
    edge = fronts.nginx_cache(stage, server, 60)
    me = stage.actor("client", edge, "www.example.test", "curl", {"X-Operator": "release-bot"})
    me = busy(me, "a748", validates=False)
    other = stage.actor("other", server, "iot.example.test", "requests", {"X-Operator": "release-bot"})
    path = f"{BASE}policies/updates"
    me.get(f"{BASE}sites/kiel")
    read = me.get(path)
    tag = me.put(path, {**data_of(read), "channel": "beta"}, 200, {"If-Match": read.etag}).etag
    me.send("GET", path, 412, {"If-Match": tag})
    time.sleep(0.6)
    me.send("GET", path, 412, {"If-Match": tag})
    other.get(path, 200, {"If-Match": tag})


@case(
    "a749",
    "put-to-a-path-with-slash",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "The client puts to a path with a slash at its end; the service answers 302 to the path without, and the "
        "library follows with GET: 200, but nothing has been stored, as the next read shows."
    ),
)
def slash(stage: Stage) -> None:
    """Put with a slash too many."""
    server = fleet(stage, MOVED="1")
    me = stage.actor("client", server, "iot.example.test", "requests:follow", {"X-Operator": "fenja"})
    me = busy(me, "a749")
    look_around(me, "sites")
    read = me.get(f"{BASE}sites/husum")
    body = {**data_of(read), "shift": ["ida", "fenja"]}
    me.put(f"{BASE}sites/husum/", body, 200, {"If-Match": read.etag})
    after = me.get(f"{BASE}sites/husum")
    if data_of(after) != data_of(read):
        raise StoryError("it was stored")
