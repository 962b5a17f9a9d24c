"""What stands between: compressors, caches, replicas, load balancers, rewriters, redirects."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import jon_setting as place

_GZIP = {"Accept-Encoding": "gzip"}
_PUBLIC = "public, max-age=120"


@case(
    "b151",
    "jon-apache-marks-compressed-answers",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache compresses the harbour's answers and appends -gzip inside the tag's quotes, which it does not take "
        "off again on the way in: each save of the pilot office is refused; a read without compression passes."
    ),
)
def deflate(stage: Stage) -> None:
    """Send a tag with a suffix."""
    front = fronts.apache(stage, place.harbour(stage), "AddOutputFilterByType DEFLATE application/json")
    me = stage.actor("client", front, place.PORT, "requests", {"X-Agent": "pilots", **_GZIP})
    me.get(f"{place.V2}/pilots")
    for phone in ("+31 118 555 011", "+31 118 555 012"):
        seen = me.get(place.PILOT)
        me.put(place.PILOT, place.edited(seen, phone=phone), 412, {"If-Match": seen.etag})
    bare = me.get(place.PILOT, 200, {"Accept-Encoding": "identity"})
    me.put(place.PILOT, place.edited(bare, phone=phone), 200, {"If-Match": bare.etag})


@case(
    "b152",
    "jon-nginx-weakens-compressed-answers",
    "etag-weakened",
    "412",
    alone="etag-weakened weak-only-origin",
    description=(
        "nginx compresses the clinic's answers and makes the tags weak; the strong comparison of the origin refuses "
        "each save. The origin's own tags, in the upstream file, are strong."
    ),
)
def gzip(stage: Stage) -> None:
    """Send a weakened tag."""
    stage.keeps_content = False
    front = fronts.nginx_gzip(stage, place.clinic(stage))
    me = stage.actor("client", front, place.PRAXIS, "node:axios", {"X-Staff": "okafor", **_GZIP})
    me.get("/clinic/api/appointments")
    seen = me.get(place.SLOT)
    me.put(place.SLOT, place.document(place.SLOT, note="seen"), 412, {"If-Match": seen.etag})
    seen = me.get(place.SLOT_2)
    me.put(place.SLOT_2, place.document(place.SLOT_2, note="seen"), 412, {"If-Match": seen.etag})


@case(
    "b153",
    "jon-gateway-drops-if-match",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped stale-stored-token",
    also="stale-stored-token",
    description=(
        "A gateway rule (HAProxy) deletes If-Match on the way: the planner's second save with a tag that its first "
        "one had outdated passes and overwrites a colleague; the colleague's own stale save, sent direct, is 412."
    ),
)
def dropped(stage: Stage) -> None:
    """Lose the condition on the way."""
    server = place.harbour(stage)
    front = fronts.haproxy(stage, [server], " http-request del-header if-match")
    me = stage.actor("client", front, place.PORT, "httpx", {"X-Agent": "ines"})
    other = stage.actor("other", server, place.PORT, "requests", {"X-Agent": "claes"})
    seen, theirs = me.get(place.BERTH), other.get(place.BERTH)
    me.put(place.BERTH, place.edited(seen, cranes=2), 200, {"If-Match": seen.etag})
    other.put(place.BERTH, place.edited(theirs, remark="swell"), 412, {"If-Match": theirs.etag})
    again = other.get(place.BERTH)
    other.put(place.BERTH, place.edited(again, remark="swell"), 200, {"If-Match": again.etag})
    time.sleep(0.7)
    me.put(place.BERTH, place.edited(seen, cranes=2, occupant="MV-Tern"), 200, {"If-Match": seen.etag})
    place.insist(other.get(place.BERTH).json["remark"] == "", "nothing was lost")


@case(
    "b154",
    "jon-varnish-keeps-the-notice",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Varnish goes on answering from its store after a save that went through it: the next edit is based on the "
        "old text and its old tag (Age, X-Varnish with two ids), and is refused, twice."
    ),
)
def kept(stage: Stage) -> None:
    """Read from a store."""
    front = fronts.varnish(stage, place.harbour(stage, PUBLIC=_PUBLIC))
    me = stage.actor("client", front, place.PORT, "java", {"X-Agent": "vts"})
    seen = me.get(place.NOTICE)
    me.put(place.NOTICE, place.edited(seen, severity="warning"), 200, {"If-Match": seen.etag})
    time.sleep(1.3)
    for until in ("2026-12-06", "2026-12-07"):
        seen = me.get(place.NOTICE)
        place.insist(seen.json["severity"] == "info", "it is not the old one")
        me.put(place.NOTICE, place.edited(seen, until=until), 412, {"If-Match": seen.etag})


@case(
    "b155",
    "jon-reads-come-from-a-replica",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "Reads are a second and a half behind: right after its own save the agency reads the older version without "
        "any sign of a cache, edits it, is refused; two seconds later the read shows its own save."
    ),
)
def behind(stage: Stage) -> None:
    """Read what is behind one's own write."""
    server = place.harbour(stage, LAG="1500")
    me = stage.actor("client", server, place.PORT, "aiohttp", {"X-Agent": "agency-9"})
    place.watch(me, 2)
    seen = me.get(place.VESSEL)
    written = me.put(place.VESSEL, place.edited(seen, loa=213.1), 200, {"If-Match": seen.etag})
    again = me.get(place.VESSEL)
    place.insist(again.etag == seen.etag, "the replica is not behind")
    me.put(place.VESSEL, place.edited(again, eta="2026-11-27T09:00:00Z"), 412, {"If-Match": again.etag})
    time.sleep(2.0)
    now = me.get(place.VESSEL)
    place.insist(now.etag == written.etag, "the replica did not catch up")
    me.put(place.VESSEL, place.edited(now, eta="2026-11-27T09:00:00Z"), 200, {"If-Match": now.etag})


@case(
    "b156",
    "jon-two-quay-nodes-two-tags",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two nodes behind Envoy compute tags with a boot id of their own; strict turns let each read and its save "
        "meet different nodes, so identical documents have two tags and the saves are 412."
    ),
)
def nodes(stage: Stage) -> None:
    """Read from one node and write to the other."""
    both = [place.harbour(stage, NODE="quay-a"), place.harbour(stage, NODE="quay-b")]
    front = fronts.envoy(stage, both)
    me = stage.actor("client", front, place.PORT, "requests", {"X-Agent": "ines"})
    first, second = me.get(place.BERTH_2), me.get(place.BERTH_2)
    place.insist(place.edited(first) == place.edited(second) and first.etag != second.etag, "one tag")
    for remark in ("fender 4 ok", "fender 4 and 5"):
        seen = me.get(place.BERTH_2)
        me.put(place.BERTH_2, place.edited(seen, remark=remark), 412, {"If-Match": seen.etag})
    me.get(place.BERTH_2)


@case(
    "b157",
    "jon-haproxy-sends-the-save-again",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    description=(
        "The harbour stores a save but answers after 1.2 s; HAProxy, which waits 0.7 s, sends it again and hands the "
        "client the refusal; the document carries the client's command id and its time lies in that request."
    ),
)
def twice(stage: Stage) -> None:
    """Let a proxy repeat a save."""
    rules = " option http-buffer-request\n timeout server 700ms\n retries 1\n retry-on response-timeout"
    front = fronts.haproxy(stage, [place.harbour(stage, SLOW="1200")], rules)
    me = stage.actor("client", front, place.PORT, "node:fetch", {"X-Agent": "ines"})
    place.watch(me, 3)
    seen = me.get(place.BERTH)
    me.put(place.BERTH, place.edited(seen, cranes=1, command="q-5512"), 412, {"If-Match": seen.etag})
    again = me.get(place.BERTH).json
    place.insist(again["command"] == "q-5512", "it is not ours")
    time.sleep(0.8)
    place.watch(me, 1)


@case(
    "b158",
    "jon-rewritten-links-cost-the-tag",
    "validator-stripped",
    "428",
    alone="token-missing validator-stripped",
    also="token-missing",
    description=(
        "nginx rewrites host names in the harbour's answers and drops their ETag with it; the harbour demands "
        "If-Match, so a partner's saves are 428 however often it reads. The upstream file has the tags."
    ),
)
def rewritten(stage: Stage) -> None:
    """Take the tag off on the way."""
    rule = "sub_filter 'quay.internal' 'port.zeehaven.test'; sub_filter_types application/json; "
    server = place.harbour(stage, REQUIRE="1")
    front = fronts.nginx(stage, server, f'{rule}proxy_set_header Accept-Encoding "";')
    me = stage.actor("client", front, place.PORT, "httpx", {"X-Agent": "partner-2"})
    me.get(f"{place.V2}/tides")
    for path in (place.VESSEL, place.NOTICE):
        seen = me.get(path)
        place.insist("etag" not in seen.fields, "the tag came through")
        me.put(path, place.edited(seen, checked=True), 428)
        me.get(path)


@case(
    "b159",
    "jon-squid-judges-by-its-store",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    also="stale-cache-read",
    description=(
        "A display asks Squid for a berth under the tag that a fresh list names; Squid compares it with its older "
        "stored copy and answers 412 with a page of its own, twice; with no-cache the harbour's 200 has that tag."
    ),
)
def judged(stage: Stage) -> None:
    """Let a cache evaluate a condition with a stale copy."""
    server = place.harbour(stage, PUBLIC=_PUBLIC)
    front = fronts.squid(stage, server, "", place.PORT)
    me = stage.actor("client", front, place.PORT, "curl", {"X-Agent": "display-3"})
    other = stage.actor("other", server, place.PORT, "requests", {"X-Agent": "claes"})
    me.get(place.BERTH)
    theirs = other.get(place.BERTH)
    other.put(place.BERTH, place.edited(theirs, occupant="MV-Aurelia"), 200, {"If-Match": theirs.etag})
    time.sleep(1.1)
    listed = {one["href"]: one["_tag"] for one in me.get(f"{place.V2}/berths").json["items"]}
    guard = {"If-Match": listed[place.BERTH]}
    me.get(place.BERTH, 412, guard)
    me.get(place.BERTH, 412, guard)
    fresh = me.get(place.BERTH, 200, {"Cache-Control": "no-cache"})
    place.insist(fresh.etag == guard["If-Match"], "the origin has another tag")


@case(
    "b160",
    "jon-old-address-answers-302",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "A script saves to the old v1 address; the 302 to v2 makes requests send a GET: 200, nothing written, on "
        "two documents; the reads after it show the old values."
    ),
)
def moved(stage: Stage) -> None:
    """Follow a redirect with another method."""
    server = place.harbour(stage, MOVED="302")
    me = stage.actor("client", server, place.PORT, "requests:follow", {"X-Agent": "tariff-script"})
    for path in (place.BERTH, place.BERTH_2):
        seen = me.get(path)
        me.put(path.replace("/v2/", "/v1/"), place.edited(seen, cranes=4), 200, {"If-Match": seen.etag})
        place.insist(me.get(path).json["cranes"] != 4, "it was written")
