"""Longer captures: one story among other traffic, over TLS, without bodies, by clocks that differ."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, size_and_time_tag, version_tag
from tools.recording.scenarios.material import ARTICLE, CATALOGUE, SETTINGS, event
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.client import Client

_ASSETS = ("app.js", "app.css", "logo.svg", "fonts/inter.woff2")


def stock(origin: Origin) -> None:
    """Put what a single-page application loads into an origin."""
    for number, name in enumerate(_ASSETS):
        origin.store(f"/static/{name}", f"/* {name} */\n" * (30 + number), "text/plain", age=86400 * 3)
    for number in range(6):
        origin.store(
            f"/api/items/{number}", {"id": number, "title": f"Item {number}"}, age=1000 * number + 50
        )
    origin.store("/api/me", {"id": 1, "name": "Lin", "locale": "en"})
    origin.store("/api/notifications", {"unread": 0})


def load_page(me: Client) -> None:
    """Load the assets, a list and the profile, as a page does."""
    for name in _ASSETS:
        me.get(f"/static/{name}")
    me.get("/api/me")
    for number in range(3):
        me.get(f"/api/items/{number}")


def poll(me: Client, times: int) -> None:
    """Poll the notifications by tag."""
    tag = me.get("/api/notifications").etag
    for _ in range(times):
        time.sleep(0.12)
        me.get("/api/notifications", {"If-None-Match": tag})


@case(
    "d260",
    "busy-page-one-weak-tag",
    "etag-weakened",
    "412",
    alone="etag-weakened weak-only-origin",
    description="A whole page load with polling, forty-odd requests; in it one item is saved with the tag that nginx gzip made weak, twice refused.",
    config=("gzip on",),
)
def busy_page(stage: Stage) -> None:
    """Save one item in the middle of a page's traffic."""
    origin = stage.origin(Habits(fields=(("X-Powered-By", "Express"),)))
    stock(origin)
    origin.store("/api/items/9", {**CATALOGUE, "id": 9})
    front = stage.nginx_proxy(
        stage.tap(origin.port), http="gzip on; gzip_proxied any; gzip_types application/json text/plain;"
    )
    me = stage.client(front, "board.example.test", "browser", {"Cookie": "sid=4"})
    load_page(me)
    poll(me, 6)
    for count in (5, 6):
        read = me.get("/api/items/9")
        poll(me, 3)
        me.put("/api/items/9", {**CATALOGUE, "id": 9, "count": count}, {"If-Match": read.etag})
    poll(me, 5)


@case(
    "d261",
    "busy-page-other-writer",
    "other-writer",
    "412",
    alone="other-writer",
    description="A page with polling and two saves of its own; then a colleague's save in between makes the third save fail; the reload shows the colleague's field.",
    other=(200, 200),
)
def busy_other_writer(stage: Stage) -> None:
    """Be refused once among much other traffic."""
    origin = stage.origin(Habits(tag=version_tag))
    stock(origin)
    front = stage.front("traefik", stage.tap(origin.port))
    me = stage.client(front, "board.example.test", "browser", {"Cookie": "sid=lin"})
    other = stage.other(front, "board.example.test", "axios", {"Authorization": "Bearer kim"})
    load_page(me)
    tag = me.get("/api/items/4").etag
    for title in ("Item four", "Item no. 4"):
        tag = me.put("/api/items/4", {"id": 4, "title": title}, {"If-Match": tag}).etag
        poll(me, 4)
    theirs = other.get("/api/items/4")
    other.put("/api/items/4", {"id": 4, "title": "Item no. 4", "assignee": "kim"}, {"If-Match": theirs.etag})
    poll(me, 4)
    me.put("/api/items/4", {"id": 4, "title": "Item No. 4"}, {"If-Match": tag})
    me.get("/api/items/4")
    poll(me, 3)


@case(
    "d262",
    "busy-page-healthy",
    "none",
    "healthy",
    alone="none",
    description="The same page with sixty-odd requests and five good saves: nothing wrong.",
)
def busy_healthy(stage: Stage) -> None:
    """Load, poll, save, chain."""
    origin = stage.origin(Habits(read_fields=(("Cache-Control", "no-cache"),)))
    stock(origin)
    me = stage.client(
        stage.front("nginx", stage.tap(origin.port)), "board.example.test", "browser", {"Cookie": "sid=8"}
    )
    load_page(me)
    for number in range(5):
        read = me.get(f"/api/items/{number}")
        poll(me, 5)
        me.put(f"/api/items/{number}", {"id": number, "title": f"Renamed {number}"}, {"If-Match": read.etag})
    load_page(me)
    poll(me, 6)


@case(
    "d263",
    "tls-edge-lost-answer",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description="Over TLS to HAProxy: the client's 0.7 s limit cuts the answer to a committed save off; the retry a second later meets its own write. The file from the origin's side has http URLs.",
    config=("HAProxy ends TLS",),
    client=(200, 0, 412, 200),
)
def tls_lost(stage: Stage) -> None:
    """Lose an answer over TLS."""
    origin = stage.origin(Habits(answer_delay=1.2, tag=size_and_time_tag, lower=True))
    path = "/v4/journeys/j-31"
    origin.store(path, {"journey": "j-31", "stops": ["A", "B"]})
    me = stage.client(
        stage.tls(stage.tap(origin.port)),
        "trips.example.test",
        "okhttp",
        {"Authorization": "Bearer t31"},
        scheme="https",
    )
    read = me.get(path)
    body = {"journey": "j-31", "stops": ["A", "B", "C"]}
    me.put(path, body, {"If-Match": read.etag}, timeout=0.7)
    time.sleep(1.4)
    me.put(path, body, {"If-Match": read.etag})
    me.get(path)


@case(
    "d264",
    "tls-healthy",
    "none",
    "healthy",
    alone="none",
    description="Reads, a revalidation and two chained saves over TLS; nothing wrong.",
    config=("HAProxy ends TLS",),
    client=(200, 304, 200, 200),
)
def tls_healthy(stage: Stage) -> None:
    """Save twice over TLS."""
    origin = stage.origin(Habits())
    path = "/v4/journeys/j-8"
    origin.store(path, {"journey": "j-8", "stops": ["X"]})
    me = stage.client(stage.tls(stage.tap(origin.port)), "trips.example.test", "urlsession", scheme="https")
    tag = me.get(path).etag
    me.get(path, {"If-None-Match": tag})
    for stop in ("Y", "Z"):
        time.sleep(0.5)
        tag = me.put(path, {"journey": "j-8", "stops": ["X", stop]}, {"If-Match": tag}).etag


@case(
    "d265",
    "export-without-content-stale-token",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description="An export without the text of responses: the client's own PUT answered with a new tag, the next PUT bears the old one.",
    client=(200, 200, 412, 200, 200),
    without_content="client",
)
def no_content_stale(stage: Stage) -> None:
    """Ignore one's own tag; the bodies are not there to see."""
    origin = stage.origin(Habits())
    path = "/reports/weekly/48"
    origin.store(path, ARTICLE)
    me = stage.client(
        stage.front("caddy", stage.tap(origin.port)), "reports.example.test", "browser", {"Cookie": "r=2"}
    )
    read = me.get(path)
    me.put(path, {**ARTICLE, "title": "Week 48"}, {"If-Match": read.etag})
    time.sleep(1.1)
    me.put(path, {**ARTICLE, "title": "Week 48, final"}, {"If-Match": read.etag})
    fresh = me.get(path)
    me.put(path, {**ARTICLE, "title": "Week 48, final"}, {"If-Match": fresh.etag})


@case(
    "d266",
    "export-without-content-healthy",
    "none",
    "healthy",
    alone="none",
    description="An export without the text of responses: reads, 304s, a guarded save; nothing wrong.",
    client=(200, 304, 200, 304, 200),
    without_content="client",
)
def no_content_healthy(stage: Stage) -> None:
    """Read and save; the bodies are not there to see."""
    origin = stage.origin(Habits(tag=version_tag))
    path = "/reports/weekly/49"
    origin.store(path, ARTICLE)
    me = stage.client(
        stage.front("apache2", stage.tap(origin.port)), "reports.example.test", "browser", {"Cookie": "r=5"}
    )
    tag = me.get(path).etag
    me.get(path, {"If-None-Match": tag})
    tag = me.put(path, {**ARTICLE, "title": "Week 49"}, {"If-Match": tag}).etag
    time.sleep(0.8)
    me.get(path, {"If-None-Match": tag})
    me.get("/reports/weekly/49?format=full")


@case(
    "d267",
    "recorded-by-two-clocks",
    "intermediary-replay",
    "412",
    alone="intermediary-replay lost-response-replay post-commit-412",
    description="HAProxy replays a PUT; the client's file is stamped by a clock 7.4 s ahead of the one at the origin.",
    config=("retry-on response-timeout", "timeout server 700ms"),
    notes=("the client's clock is 7.4 s ahead, played by the recorder",),
    client=(200, 412, 200),
    upstream=(200, 200, 412, 200),
)
def two_clocks(stage: Stage) -> None:
    """Be replayed, with clocks apart."""
    stalled: list[bool] = []

    def stall(_: Origin, __: object) -> None:
        if not stalled:
            stalled.append(True)
            time.sleep(1.1)

    origin = stage.origin(Habits(fields=(("Server", "Jetty(12.0.14)"),)), after_commit=stall)
    path = "/calendars/ops/oncall.ics"
    origin.store(path, event("oncall", "On call: Ada"), "text/calendar")
    front = stage.haproxy(
        "backend origin\n timeout server 700ms\n retries 1\n retry-on response-timeout\n"
        f" server one 127.0.0.1:{stage.tap(origin.port)}"
    )
    me = stage.client(front, "ops.example.test", "ruby")
    me.clock_offset = 7.4
    read = me.get(path)
    time.sleep(0.5)
    me.put(path, event("oncall", "On call: Bo"), {"If-Match": read.etag, "Content-Type": "text/calendar"})
    time.sleep(0.9)
    me.get(path)


@case(
    "d268",
    "stripped-seen-by-two-clocks",
    "precondition-stripped",
    "lost-update",
    alone="none",
    description="HAProxy removes If-Match; the stale save passes. The client's own clock is 3.2 s behind that of the other recordings.",
    config=("http-request del-header If-Match",),
    notes=("the client's clock is 3.2 s behind, played by the recorder",),
    client=(200, 200),
    other=(200, 200),
    upstream=(200, 200, 200, 200),
)
def stripped_two_clocks(stage: Stage) -> None:
    """Overwrite with a stale tag, with clocks apart."""
    origin = stage.origin(Habits(etag_on_write=False))
    path = "/v1/quotas/team-4"
    origin.store(path, {**SETTINGS, "team": 4})
    front = stage.haproxy(
        f"backend origin\n http-request del-header If-Match\n server one 127.0.0.1:{stage.tap(origin.port)}"
    )
    me = stage.client(front, "quota.example.test", "go", {"X-Actor": "cli"})
    other = stage.other(front, "quota.example.test", "browser", {"Cookie": "console=7"})
    me.clock_offset = -3.2
    mine, theirs = me.get(path), other.get(path)
    time.sleep(0.6)
    other.put(path, {**SETTINGS, "team": 4, "retention-days": 60}, {"If-Match": theirs.etag})
    time.sleep(1.0)
    me.put(path, {**SETTINGS, "team": 4, "dark-mode": True}, {"If-Match": mine.etag})


@case(
    "d269",
    "sync-of-a-folder",
    "none",
    "healthy",
    alone="none",
    description="A calendar client syncs ten events: HEADs, 304s, three guarded saves, one create, one delete with the current tag; nothing wrong.",
)
def folder_sync(stage: Stage) -> None:
    """Sync a folder of events."""
    origin = stage.origin(Habits(put_status=204))
    for number in range(10):
        origin.store(
            f"/cal/home/e{number}.ics",
            event(f"e{number}", f"Event {number}"),
            "text/calendar",
            age=500 + number,
        )
    me = stage.client(
        stage.front("lighttpd", stage.tap(origin.port)),
        "cal.example.test",
        "davx5",
        {"Authorization": "Basic aA=="},
    )
    tags = {number: me.send("HEAD", f"/cal/home/e{number}.ics").etag for number in range(10)}
    for number in (2, 5, 7):
        body = event(f"e{number}", f"Event {number}", "15")
        headers = {"If-Match": tags[number], "Content-Type": "text/calendar"}
        tags[number] = me.put(f"/cal/home/e{number}.ics", body, headers).etag
    me.put("/cal/home/e10.ics", event("e10", "New"), {"If-None-Match": "*", "Content-Type": "text/calendar"})
    me.send("DELETE", "/cal/home/e3.ics", {"If-Match": tags[3]})
    for number in (0, 2, 5):
        me.get(f"/cal/home/e{number}.ics", {"If-None-Match": tags[number]})


@case(
    "d270",
    "busy-page-cache-412",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description="In a page's traffic through Varnish (Age on most answers) the item's stored copy is older than the own last save: the next two saves are refused with the tag from the store.",
    config=("max-age=20 on reads",),
)
def busy_cache(stage: Stage) -> None:
    """Save, read the past from the cache, be refused."""
    origin = stage.origin(Habits(tag=version_tag, read_fields=(("Cache-Control", "max-age=20"),)))
    stock(origin)
    front = stage.varnish(stage.tap(origin.port), "sub vcl_recv { unset req.http.Cookie; }")
    me = stage.client(front, "board.example.test", "browser")
    load_page(me)
    read = me.get("/api/items/2")
    me.put("/api/items/2", {"id": 2, "title": "Two"}, {"If-Match": read.etag})
    for title in ("Two!", "Two?"):
        time.sleep(1.1)
        load_page(me)
        read = me.get("/api/items/2")
        me.put("/api/items/2", {"id": 2, "title": title}, {"If-Match": read.etag})
