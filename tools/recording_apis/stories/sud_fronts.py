"""More front ends: Traefik, Caddy and HAProxy between a client and its service."""

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


@case(
    "a061",
    "three-nodes-behind-traefik",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends unstable-etag",
    description=(
        "Three nodes of the registry behind Traefik each make tags with a start number of their own; the same card "
        "comes with three tags in turn, and the writes meet another node than the reads."
    ),
)
def three(stage: Stage) -> None:
    """Write to one of three nodes."""
    servers = [laboratory(stage, SALT=f"boot-{number}", WRITTEN="1795000000.25") for number in (81, 82, 83)]
    front = fronts.traefik(stage, servers)
    me = stage.actor("client", front, LIMS, "requests", {"X-Technician": "varga"})
    me.get("/lims/instrument")
    seen = [me.get("/lims/instrument/HPLC-04") for _ in range(6)]
    if len({one.etag for one in seen}) != 3 or len({one.body for one in seen}) != 1:
        raise StoryError("not three tags of one body")
    new = instrument("HPLC-04", status="ready")
    for _ in range(2):
        tag = me.get("/lims/instrument/HPLC-04").etag
        me.put("/lims/instrument/HPLC-04", new, 412, {**XML, "If-Match": tag})
        time.sleep(0.2)
    for _ in range(3):
        me.get("/lims/instrument/HPLC-04")


@case(
    "a062",
    "caddy-encode-suffix",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Caddy compresses the library's lists and records and marks the tag with the coding; the library refuses "
        "the marked tag. Uncompressed the tag has no mark."
    ),
)
def marked(stage: Stage) -> None:
    """Send the tag with the mark of a coding."""
    server = library(stage)
    front = fronts.caddy(stage, server, "encode {\n gzip\n minimum_length 10\n}")
    me = stage.actor("client", front, OPAC, "httpx", {"X-Desk": "desk-3", "Accept-Encoding": "gzip"})
    sign_on(me, "staff-cho")
    me.get("/opac/titles")
    me.get("/opac/patrons")
    tag = me.get("/opac/titles/b4471").etag
    new = title("titles/b4471", copies=5)
    me.put("/opac/titles/b4471", new, 412, {"If-Match": tag})
    plain = me.get("/opac/titles/b4471", 200, {"Accept-Encoding": "identity"}).etag
    if tag != f'{plain[:-1]}-gzip"':
        raise StoryError(f"{tag} and {plain}")
    time.sleep(0.4)
    me.get("/opac/titles/b4471")
    me.put("/opac/titles/b4471", new, 200, {"If-Match": plain})


@case(
    "a063",
    "haproxy-deletes-if-match",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "HAProxy deletes If-Match from what it passes on; a colleague who goes to the origin directly is refused "
        "with an outdated tag, the client behind HAProxy is not, and overwrites."
    ),
)
def deleted(stage: Stage) -> None:
    """Write through HAProxy and past it."""
    server = library(stage)
    front = fronts.haproxy(stage, [server], " http-request del-header If-Match")
    me = stage.actor("client", front, OPAC, "aiohttp", {"X-Desk": "desk-1"})
    other = stage.actor("other", server, OPAC, "requests", {"X-Desk": "server-room"})
    me.get("/opac/holdings")
    tag = me.get("/opac/holdings/b4471-2").etag
    theirs = other.get("/opac/holdings/b4471-2").etag
    other.put(
        "/opac/holdings/b4471-2", title("holdings/b4471-2", due="2026-12-30"), 200, {"If-Match": theirs}
    )
    other.put(
        "/opac/holdings/b4471-2", title("holdings/b4471-2", due="2026-12-31"), 412, {"If-Match": theirs}
    )
    time.sleep(0.9)
    me.put("/opac/holdings/b4471-2", title("holdings/b4471-2", branch="Mitte"), 200, {"If-Match": tag})
    if me.get("/opac/holdings/b4471-2").json["due"] != "2026-12-04":
        raise StoryError("nothing was lost")


@case(
    "a064",
    "haproxy-deletes-validators",
    "validator-stripped",
    "lost-update",
    alone="unconditional-write validator-stripped",
    also="unconditional-write",
    description=(
        "HAProxy deletes ETag and Last-Modified from the answers. The client, which sends a tag wherever it gets "
        "one, has none to send, and its unguarded write takes a change with it. The origin's file has the tags."
    ),
)
def bare(stage: Stage) -> None:
    """Write without what was taken away."""
    server = laboratory(stage)
    lines = " http-response del-header ETag\n http-response del-header Last-Modified"
    front = fronts.haproxy(stage, [server], lines)
    me = stage.actor("client", front, LIMS, "node:fetch", {"X-Technician": "sato"})
    other = stage.actor("other", server, LIMS, "httpx", {"X-Technician": "iyer"})
    me.get("/lims/instrument")
    if "etag" in me.get("/lims/instrument/BAL-17").fields:
        raise StoryError("the tag is there")
    theirs = other.get("/lims/instrument/BAL-17").etag
    drift = instrument("BAL-17", status="drift, do not use")
    other.put("/lims/instrument/BAL-17", drift, 200, {**XML, "If-Match": theirs})
    time.sleep(0.7)
    me.put("/lims/instrument/BAL-17", instrument("BAL-17", room="1.010"), 200, XML)
    if "drift" in other.get("/lims/instrument/BAL-17").text:
        raise StoryError("nothing was lost")
    me.get("/lims/instrument/BAL-17")
