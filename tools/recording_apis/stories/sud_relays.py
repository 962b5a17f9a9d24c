"""What stands between: encoders, caches, load balancers, redirects, a proxy that repeats itself."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.sud_setting import (
    LIMS,
    OPAC,
    XML,
    instrument,
    laboratory,
    library,
    sign_on,
    title,
)

_GZIP = {"Accept-Encoding": "gzip, deflate"}


@case(
    "a021",
    "apache-deflate-suffix",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Apache compresses the registry's cards and appends -gzip to their tags; the registry does not know that "
        "tag. Read with identity the tag is without it and the write goes through."
    ),
)
def deflate(stage: Stage) -> None:
    """Send the tag that Apache made."""
    server = laboratory(stage)
    front = fronts.apache(stage, server, "SetOutputFilter DEFLATE")
    me = stage.actor("client", front, LIMS, "requests", {"X-Technician": "varga"})
    me.get("/lims/instrument")
    tag = me.get("/lims/instrument/HPLC-03", 200, _GZIP).etag
    new = instrument("HPLC-03", status="calibration")
    me.put("/lims/instrument/HPLC-03", new, 412, {**XML, "If-Match": tag})
    if "-gzip" not in tag:
        raise StoryError("no suffix")
    plain = me.get("/lims/instrument/HPLC-03", 200, {"Accept-Encoding": "identity"}).etag
    me.put("/lims/instrument/HPLC-03", new, 200, {**XML, "If-Match": plain, "Accept-Encoding": "identity"})


@case(
    "a022",
    "nginx-gzip-weakens",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "nginx compresses and makes the library's strong tags weak; If-Match with the weak tag is refused, a read "
        "without compression shows the strong one."
    ),
)
def weakened(stage: Stage) -> None:
    """Send a tag that was weakened on the way."""
    server = library(stage)
    front = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", front, OPAC, "httpx", {"X-Desk": "desk-6"})
    sign_on(me, "staff-weber")
    me.get("/opac/titles?page=2")
    weak = me.get("/opac/titles/b4472").etag
    me.get("/opac/titles/b6113")
    new = title("titles/b4472", shelf="M 4")
    me.put("/opac/titles/b4472", new, 412, {"If-Match": weak})
    time.sleep(0.3)
    strong = me.get("/opac/titles/b4472", 200, {"Accept-Encoding": "identity"}).etag
    if weak != f"W/{strong}":
        raise StoryError(f"{weak} and {strong}")
    me.put("/opac/titles/b4472", new, 200, {"If-Match": strong})


@case(
    "a023",
    "proxy-drops-if-match",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "A proxy passes no If-Match on; an outdated write goes through it and takes a colleague's change along. "
        "The origin's file shows the request without the field."
    ),
)
def dropped(stage: Stage) -> None:
    """Write through a proxy that drops the condition."""
    server = laboratory(stage)
    front = fronts.nginx(stage, server, 'proxy_set_header If-Match "";')
    me = stage.actor("client", front, LIMS, "node:axios", {"X-Technician": "varga"})
    other = stage.actor("other", front, LIMS, "requests", {"X-Technician": "iyer"})
    me.get("/lims/instrument")
    tag = me.get("/lims/instrument/BAL-17").etag
    theirs = instrument("BAL-17", status="drift")
    seen = other.put(
        "/lims/instrument/BAL-17", theirs, 200, {**XML, "If-Match": other.get("/lims/instrument/BAL-17").etag}
    )
    time.sleep(0.7)
    if me.get("/lims/instrument/BAL-17").etag != seen.etag:
        raise StoryError("another tag")
    me.put("/lims/instrument/BAL-17", instrument("BAL-17", room="1.009"), 200, {**XML, "If-Match": tag})
    if "drift" in me.get("/lims/instrument/BAL-17").text:
        raise StoryError("nothing was lost")


@case(
    "a024",
    "read-from-cache-after-own-save",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "nginx keeps reads for a minute. After its own save the desk reads the record again, gets the old one from "
        "the cache (X-Cache: HIT) and is refused with its tag; a read past the cache shows the new one."
    ),
)
def cached(stage: Stage) -> None:
    """Read an old record after one's own write."""
    server = library(stage, HINT="public, max-age=60")
    lines = "add_header X-Cache $upstream_cache_status; proxy_cache_bypass $http_pragma;"
    front = fronts.nginx_cache(stage, server, 60, lines)
    me = stage.actor("client", front, OPAC, "requests", {"X-Desk": "desk-1"})
    me.get("/opac/titles")
    tag = me.get("/opac/titles/b5090").etag
    me.put("/opac/titles/b5090", title("titles/b5090", copies=10), 200, {"If-Match": tag})
    time.sleep(1.1)
    old = me.get("/opac/titles/b5090")
    me.put("/opac/titles/b5090", title("titles/b5090", copies=10, shelf="K 3"), 412, {"If-Match": old.etag})
    if old.fields["x-cache"] != "HIT" or old.etag != tag:
        raise StoryError("not from the cache")
    new = me.get("/opac/titles/b5090", 200, {"Cache-Control": "no-cache", "Pragma": "no-cache"}).etag
    me.put("/opac/titles/b5090", title("titles/b5090", copies=10, shelf="K 3"), 200, {"If-Match": new})


@case(
    "a025",
    "branch-copy-is-behind",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "Reads come from a copy that is two seconds behind: after its own save the client reads the old record "
        "again, is refused, and sees its own save a little later."
    ),
)
def behind(stage: Stage) -> None:
    """Read from a copy that is behind."""
    server = library(stage, LAG="2", BRANCH="copy-nord")
    me = stage.actor("client", server, OPAC, "aiohttp", {"X-Desk": "desk-nord"})
    me.get("/opac/patrons")
    tag = me.get("/opac/patrons/p20882").etag
    new = me.put("/opac/patrons/p20882", title("patrons/p20882", fees="0.00"), 200, {"If-Match": tag}).etag
    time.sleep(0.3)
    if me.get("/opac/patrons/p20882").etag != tag:
        raise StoryError("not behind")
    me.put(
        "/opac/patrons/p20882",
        title("patrons/p20882", fees="0.00", mail="l@mail.test"),
        412,
        {"If-Match": tag},
    )
    time.sleep(2.2)
    if me.get("/opac/patrons/p20882").etag != new:
        raise StoryError("still behind")
    me.put(
        "/opac/patrons/p20882",
        title("patrons/p20882", fees="0.00", mail="l@mail.test"),
        200,
        {"If-Match": new},
    )


@case(
    "a026",
    "two-nodes-two-tags",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two nodes behind HAProxy mix a value of their own into the tags of the same records; the header X-Branch "
        "names the node, and every write meets the other one."
    ),
)
def nodes(stage: Stage) -> None:
    """Read from one node and write to the other."""
    servers = [
        library(stage, SALT="ip-10-0-1-7", BRANCH="a", WRITTEN="1795000000.25"),
        library(stage, SALT="ip-10-0-1-9", BRANCH="b", WRITTEN="1795000000.25"),
    ]
    front = fronts.haproxy(stage, servers)
    me = stage.actor("client", front, OPAC, "urllib", {"X-Desk": "desk-1"})
    me.get("/opac/titles")
    me.get("/opac/titles")
    seen = [me.get("/opac/titles/b4472") for _ in range(5)]
    if len({one.etag for one in seen}) != 2 or len({one.body for one in seen}) != 1:
        raise StoryError("not two tags of one body")
    for number in range(2):
        tag = me.get("/opac/titles/b4472") if number else seen[-1]
        me.put("/opac/titles/b4472", title("titles/b4472", copies=3), 412, {"If-Match": tag.etag})
    me.get("/opac/titles/b4472")
    me.get("/opac/titles/b4472")


@case(
    "a027",
    "proxy-sends-twice",
    "intermediary-replay",
    "412",
    alone="post-commit-412 intermediary-replay",
    description=(
        "The first write takes longer than the proxy waits; nginx (proxy_next_upstream non_idempotent) sends it "
        "again and hands over the 412 of the second. Two requests at the origin, one at the client, own content."
    ),
)
def twice(stage: Stage) -> None:
    """Let nginx repeat a write."""
    server = library(stage, TARRY="1.6")
    port = stage.behind(server)
    pair = f"upstream pair {{ server 127.0.0.1:{port} max_fails=0; server 127.0.0.1:{port} max_fails=0; }}"
    block = "location ~ ^/opac/titles { proxy_pass http://pair; proxy_http_version 1.1; "
    block += 'proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_read_timeout 1s; '
    block += "proxy_next_upstream error timeout non_idempotent; proxy_next_upstream_tries 2; }"
    front = fronts.nginx(stage, server, "", pair, block)
    me = stage.actor("client", front, OPAC, "requests", {"X-Desk": "desk-9"})
    sign_on(me, "staff-diaz")
    me.get("/opac/titles")
    me.get("/opac/holdings")
    me.get("/opac/titles/b4471")
    tag = me.get("/opac/titles/b6113").etag
    me.put("/opac/titles/b6113", title("titles/b6113", note="ordered 9/81"), 412, {"If-Match": tag})
    seen = me.get("/opac/titles/b6113").json
    if seen.get("note") != "ordered 9/81" or seen["_by"] != "staff-diaz":
        raise StoryError("it was not written")
    me.get("/opac/titles/b4472")
    time.sleep(1.0)


@case(
    "a028",
    "gateway-hides-etag",
    "validator-stripped",
    "428",
    alone="token-missing validator-stripped",
    also="token-missing",
    description=(
        "A gateway hides ETag and Last-Modified of the registry, which insists on a condition: the client cannot "
        "send one and gets 428. The origin's file has the tags."
    ),
)
def hidden(stage: Stage) -> None:
    """Read without a tag."""
    server = laboratory(stage, NEED="1")
    lines = "proxy_hide_header ETag; proxy_hide_header Last-Modified;"
    front = fronts.nginx(stage, server, lines)
    me = stage.actor("client", front, LIMS, "httpx", {"X-Technician": "iyer"})
    me.get("/lims/instrument")
    if "etag" in me.get("/lims/instrument/ICPMS-01").fields:
        raise StoryError("the tag is there")
    me.put("/lims/instrument/ICPMS-01", instrument("ICPMS-01", room="0.022"), 428, XML)
    me.get("/lims/instrument/ICPMS-01")
    me.put("/lims/instrument/ICPMS-01", instrument("ICPMS-01", room="0.022"), 428, XML)


@case(
    "a029",
    "cache-answers-if-match-itself",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    description=(
        "A guarded read with the tag of the client's own last save is answered 412 by nginx from its stored copy; "
        "the origin saw no such request, and past the cache the same read is 200."
    ),
)
def guarded(stage: Stage) -> None:
    """Read with If-Match through a cache."""
    server = library(stage, HINT="public, max-age=120")
    lines = "add_header X-Cache $upstream_cache_status always; proxy_cache_bypass $http_pragma;"
    front = fronts.nginx_cache(stage, server, 120, lines)
    me = stage.actor("client", front, OPAC, "curl", {"X-Desk": "export"})
    tag = me.get("/opac/titles/b4471").etag
    me.get("/opac/titles/b4471")
    new = me.put("/opac/titles/b4471", title("titles/b4471", copies=5), 200, {"If-Match": tag}).etag
    time.sleep(0.5)
    refused = me.get("/opac/titles/b4471", 412, {"If-Match": new})
    if refused.fields.get("x-cache") != "HIT":
        raise StoryError("not by the cache")
    time.sleep(0.4)
    me.get("/opac/titles/b4471", 412, {"If-Match": new})
    me.get("/opac/titles/b4471", 200, {"If-Match": new, "Pragma": "no-cache"})


@case(
    "a030",
    "moved-path-turns-put-into-get",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description=(
        "An old path is redirected with 302; the library makes a GET of the PUT, and its 200 looks like success. "
        "The record is unchanged."
    ),
)
def moved(stage: Stage) -> None:
    """Follow a redirect with another method."""
    server = library(stage)
    block = "location /katalog/ { rewrite ^/katalog/(.*)$ http://$http_host/opac/titles/$1 redirect; }"
    front = fronts.nginx(stage, server, "", "", block)
    me = stage.actor("client", front, OPAC, "requests:follow", {"X-Desk": "desk-8"})
    sign_on(me, "staff-cho")
    me.get("/opac/titles")
    tag = me.get("/opac/titles/b5090").etag
    me.put("/katalog/b5090", title("titles/b5090", copies=12), 200, {"If-Match": tag})
    time.sleep(0.5)
    if me.get("/opac/titles/b5090").json["copies"] != 9:
        raise StoryError("it was written")
