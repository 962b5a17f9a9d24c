"""Origins that judge conditions wrongly, too late, not at all, or not at one stroke with the write."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import nord_setting as scene

_HTML = {"Content-Type": "text/html; charset=utf-8"}
_JSON = {"Content-Type": "application/json"}


@case(
    "a630",
    "booking-tags-with-a-comma",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description="The desk's tags hold a comma and its If-Match is cut at commas: the exact current tag is refused for ever, while a star passes.",
)
def comma(stage: Stage) -> None:
    """Send back the exact tag."""
    server = scene.bookings(stage, TAG="comma")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "desk.example.test", "httpx", {"X-Clerk": "ada"})
    path = "/api/bookings/BK-2041"
    me.get("/api/bookings?q=option")
    read = me.get(path)
    me.get(path, 304, {"If-None-Match": read.etag})
    me.put(path, scene.booked(read, state="confirmed"), 412, {"If-Match": read.etag})
    again = me.get(path)
    if again.etag != read.etag:
        raise StoryError("the reservation has changed")
    me.put(path, scene.booked(again, state="confirmed"), 412, {"If-Match": again.etag})
    me.get(path)
    me.put(path, scene.booked(again, state="confirmed"), 200, {"If-Match": "*"})


@case(
    "a631",
    "voided-invoice-still-counts-as-present",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description="A voided invoice is 404 to reads and present to If-None-Match: *: the number cannot be issued again under the guard, without it the same request is 201.",
)
def tombstone(stage: Stage) -> None:
    """Issue a voided number again."""
    server = scene.invoices(stage, TOMBSTONES="1")
    me = stage.actor("client", server, "ledger.example.test", "aiohttp", {"From": "accounts@example.test"})
    path = "/ledger/2026/invoices/90118"
    read = me.get(path)
    me.get("/ledger/2026/invoices/90117")
    me.send("DELETE", path, 204, {**_JSON, "If-Match": read.etag})
    me.get(path, 404)
    fresh = {**read.json, "PayableAmount": "69.40"}
    me.put(path, fresh, 412, {"If-None-Match": "*"})
    me.get(path, 404)
    me.put(path, fresh, 412, {"If-None-Match": "*"})
    me.put(path, fresh, 201)
    me.get(path)


@case(
    "a632",
    "booking-judged-after-the-commit",
    "post-commit-412",
    "412",
    alone="post-commit-412 intermediary-replay",
    description="The booking desk stores a reservation and judges If-Match by the stored version: 412 to the first and only attempt, and the reads show it done.",
)
def judged_late(stage: Stage) -> None:
    """Be refused and stored."""
    server = scene.bookings(stage, GUARD="after")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "desk.example.test", "node:fetch", {"X-Clerk": "jon"})
    me.get("/api/bookings?q=Birch")
    read = me.get("/api/bookings/BK-2050")
    change = scene.booked(read, persons=7, extra_bed=True, request_id="b0f5-1177")
    me.put("/api/bookings/BK-2050", change, 412, {"If-Match": read.etag})
    now = me.get("/api/bookings/BK-2050")
    if now.json["data"] != change or now.etag == read.etag:
        raise StoryError("the change was not stored")
    time.sleep(0.4)
    me.get("/api/bookings/BK-2044")
    me.put("/api/bookings/BK-2050", {**change, "persons": 6}, 412, {"If-Match": now.etag})
    me.get("/api/bookings/BK-2050")


@case(
    "a633",
    "article-gone-although-refused",
    "post-commit-412",
    "412",
    alone="post-commit-412 target-missing intermediary-replay",
    description="A removal with the current tag is answered 412, and the article is gone at the next read: the warehouse removes first and judges afterwards.",
)
def removed(stage: Stage) -> None:
    """Remove once."""
    server = scene.warehouse(stage, GUARD="after")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "wms.example.test", "requests")
    scene.sign_on(me, "arkiv")
    read = me.get(scene.FILM)
    me.send("DELETE", scene.FILM, 412, {"If-Match": read.etag})
    me.get(scene.FILM, 404)
    me.get("/wms/v2/sites/oslo/stock?offset=0&limit=20&sort=bin")
    me.get(scene.BOLT)


@case(
    "a634",
    "nginx-dav-takes-outdated-roster",
    "precondition-ignored",
    "lost-update",
    alone="none precondition-ignored",
    description="nginx's DAV module never looks at If-Match of a PUT: an outdated duty roster replaces the one that a colleague has stored in between.",
)
def roster(stage: Stage) -> None:
    """Store an outdated roster."""
    first = "week;48\nmon;Ida\ntue;Per\nwed;Siv\n"
    site = fronts.site(
        stage, "nginx", {"rosters/w48.csv": first, "rosters/w49.csv": "week;49\n"}, fronts.DAV["nginx"]
    )
    me = stage.actor("client", site, "hr.example.test", "node:axios")
    other = stage.actor("other", site, "hr.example.test", "requests")
    me.get("/rosters/w49.csv")
    tag = me.get("/rosters/w48.csv").etag
    theirs = other.get("/rosters/w48.csv").etag
    time.sleep(1.2)
    other.put("/rosters/w48.csv", first.replace("Per", "Liv"), 204, {"If-Match": theirs})
    time.sleep(1.3)
    me.put("/rosters/w48.csv", first.replace("Siv", "Ida"), 204, {"If-Match": tag})
    me.get("/rosters/w48.csv")
    other.get("/rosters/w48.csv")
    other.get("/rosters/w48.csv", 412, {"If-Match": tag})


@case(
    "a635",
    "warehouse-patch-is-not-guarded",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description="PUT honours If-Match in this warehouse, PATCH was forgotten: the tag that a PUT is refused for is accepted by the PATCH right after it.",
)
def forgotten(stage: Stage) -> None:
    """Patch with the tag that PUT refuses."""
    server = scene.warehouse(stage, LOOSE="1")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "wms.example.test", "httpx", {"X-Operator": "hilde"})
    other = stage.actor("other", front, "wms.example.test", "aiohttp", {"X-Operator": "siri"})
    read, theirs = me.get(scene.BOLT), other.get(scene.BOLT)
    other.put(scene.BOLT, scene.counted(theirs, reserved=0, onHand=1720), 200, {"If-Match": theirs.etag})
    time.sleep(0.6)
    me.put(scene.BOLT, scene.counted(read, reserved=240), 412, {"If-Match": read.etag})
    me.send("PATCH", scene.BOLT, 200, {"If-Match": read.etag}, {"onHand": 1840, "reserved": 240})
    me.get(scene.BOLT)
    other.get(scene.BOLT)


@case(
    "a636",
    "two-counts-checked-before-either-is-stored",
    "check-then-write-race",
    "lost-update",
    alone="none check-then-write-race precondition-ignored",
    description="Two counts with one tag overlap, and both are answered 200: the warehouse judges first and stores later; the same tag afterwards is refused as it should be.",
)
def overlapping(stage: Stage) -> None:
    """Count at the same time."""
    server = scene.warehouse(stage, GAP="0.5")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "wms.example.test", "requests", {"X-Operator": "hilde"})
    other = stage.actor("other", front, "wms.example.test", "httpx", {"X-Operator": "siri"})
    read, theirs = me.get(scene.BOLT), other.get(scene.BOLT)
    with ThreadPoolExecutor(2) as pool:
        guard = {"If-Match": read.etag}
        first = pool.submit(other.put, scene.BOLT, scene.counted(theirs, bin="06-B-01"), 200, guard)
        time.sleep(0.12)
        second = pool.submit(me.put, scene.BOLT, scene.counted(read, onHand=1799), 200, guard)
        first.result()
        second.result()
    other.put(scene.BOLT, scene.counted(theirs, bin="06-B-01"), 412, guard)
    other.get(scene.BOLT)
    me.get(scene.BOLT)


@case(
    "a637",
    "two-editors-create-one-page",
    "check-then-write-race",
    "lost-update",
    alone="none check-then-write-race",
    description="Two editors create the same page with If-None-Match: * within half a second and both get 201; the guard works when they do not overlap.",
)
def created_twice(stage: Stage) -> None:
    """Create at the same time."""
    server = scene.pages(stage, SLOW_CHECK="450")
    me = stage.actor("client", server, "cms.example.test", "aiohttp", {"User-Agent": "page-editor/3.4"})
    other = stage.actor("other", server, "cms.example.test", "requests", {"User-Agent": "importer/1.1"})
    me.get("/cms/pages/jobs")
    other.get("/cms/pages/jobs")
    guard = {**_HTML, "If-None-Match": "*"}
    mine, yours = (
        "<h1>Winter sale</h1>\n<p>From 1 December.</p>\n",
        "<h1>Winter sale</h1>\n<p>All shops.</p>\n",
    )
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(other.put, "/cms/pages/winter-sale", yours, 201, guard)
        time.sleep(0.1)
        second = pool.submit(me.put, "/cms/pages/winter-sale", mine, 201, guard)
        first.result()
        second.result()
    other.put("/cms/pages/winter-sale", yours, 412, guard)
    other.get("/cms/pages/winter-sale")
    me.get("/cms/pages/winter-sale")
