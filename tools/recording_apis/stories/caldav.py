"""Calendars and address books with Radicale."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis.stage import Stage, case

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.recording_apis.actors import Actor
    from tools.recording_apis.servers import Server

_CALENDAR = (
    '<?xml version="1.0"?><c:mkcalendar xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><set><prop>'
    "<displayname>Office</displayname></prop></set></c:mkcalendar>"
)
_LISTING = (
    '<?xml version="1.0"?><propfind xmlns="DAV:" xmlns:cs="http://calendarserver.org/ns/"><prop><getetag/>'
    "<cs:getctag/></prop></propfind>"
)
_MULTIGET = (
    '<?xml version="1.0"?><c:calendar-multiget xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><prop>'
    "<getetag/><c:calendar-data/></prop>{}</c:calendar-multiget>"
)
_ICS = {"Content-Type": "text/calendar; charset=utf-8"}
_BASE = "/anna/office/"


def event(uid: str, summary: str, start: str = "20261201T090000Z") -> str:
    """Return an event as a text/calendar document."""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example//sync 1.0//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20261124T080000Z\r\nDTSTART:{start}\r\nDURATION:PT1H\r\n"
        f"SUMMARY:{summary}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def phone(
    stage: Stage, server: Server, name: str = "client", program: str = "requests", agent: str = "DAVx5/4.4"
) -> Actor:
    """Return a device of Anna."""
    always: Mapping[str, str] = {"Authorization": "Basic YW5uYTphbm5h", "User-Agent": agent}
    return stage.actor(name, server, "cal.example.test", program, always)


def furnished(stage: Stage, *events: str, **settings: int) -> Server:
    """Start Radicale with a calendar and events."""
    server = stage.server("radicale", **settings)
    setup = phone(stage, server, "setup", "httpx")
    setup.send("MKCALENDAR", _BASE, 201, {"Content-Type": "application/xml"}, _CALENDAR)
    for uid in events:
        setup.put(f"{_BASE}{uid}.ics", event(uid, "Stand-up"), 201, _ICS)
    setup.program.close()
    for name in ("setup", "upstream"):
        stage.taps[name].recorded.clear()
    return server


@case(
    "a115",
    "caldav-other-device",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "The laptop moves an event after the phone has read it; the phone's PUT with its tag is refused."
    ),
)
def other_device(stage: Stage) -> None:
    """Two devices of one person."""
    server = furnished(stage, "standup")
    me = phone(stage, server)
    other = phone(stage, server, "other", "httpx", "Thunderbird/140.0")
    path = f"{_BASE}standup.ics"
    tag = me.get(path).etag
    theirs = other.get(path).etag
    later = event("standup", "Stand-up", "20261201T100000Z")
    other.put(path, later, 204, {**_ICS, "If-Match": theirs})
    time.sleep(0.8)
    me.put(path, event("standup", "Stand-up (video)"), 412, {**_ICS, "If-Match": tag})
    me.get(path)


@case(
    "a116",
    "caldav-create-answer-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A new event is stored but the connection breaks before the answer; the retry with "
        "If-None-Match: * meets the client's own event, whose UID carries a random part."
    ),
)
def create_lost(stage: Stage) -> None:
    """Retry a creation that had worked."""
    server = furnished(stage)
    always = {"Authorization": "Basic YW5uYTphbm5h", "User-Agent": "DAVx5/4.4"}
    lost = iter([True])
    me = stage.actor(
        "client",
        server,
        "cal.example.test",
        "httpx",
        always,
        loses=lambda request: request.method == "PUT" and next(lost, False),
    )
    uid = "6f1c2b9e-2a0d-4a44-9d05-9f7f2d6c1a77"
    path, body = f"{_BASE}{uid}.ics", event(uid, "Dentist")
    me.send("PROPFIND", _BASE, 207, {"Depth": "1", "Content-Type": "application/xml"}, _LISTING)
    me.put(path, body, 0, {**_ICS, "If-None-Match": "*"})
    time.sleep(1)
    me.put(path, body, 412, {**_ICS, "If-None-Match": "*"})
    me.get(path)


@case(
    "a117",
    "caldav-if-unmodified-since-ignored",
    "precondition-ignored",
    "lost-update",
    alone="none precondition-ignored",
    description=(
        "Radicale does not read If-Unmodified-Since: the PUT with an outdated date succeeds and the laptop's "
        "change is gone."
    ),
)
def date_ignored(stage: Stage) -> None:
    """Guard with a date that the server does not look at."""
    server = furnished(stage, "review")
    me = phone(stage, server, agent="calsync/0.9")
    other = phone(stage, server, "other", "httpx", "Thunderbird/140.0")
    path = f"{_BASE}review.ics"
    date = me.get(path).fields["last-modified"]
    theirs = other.get(path).etag
    time.sleep(1.3)
    other.put(path, event("review", "Stand-up", "20261202T140000Z"), 204, {**_ICS, "If-Match": theirs})
    time.sleep(1.2)
    me.put(path, event("review", "Stand-up, room 4"), 204, {**_ICS, "If-Unmodified-Since": date})
    me.get(path)
    other.get(path)


@case(
    "a118",
    "caldav-stale-own-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "The client saves twice and keeps the tag of its first read although its own PUT gave a new one."
    ),
)
def stale(stage: Stage) -> None:
    """Keep the first tag."""
    server = furnished(stage, "sprint")
    me = phone(stage, server, program="aiohttp", agent="planner/3.2")
    path = f"{_BASE}sprint.ics"
    tag = me.get(path).etag
    me.put(path, event("sprint", "Sprint 12"), 204, {**_ICS, "If-Match": tag})
    time.sleep(1.5)
    me.put(path, event("sprint", "Sprint 12: goals"), 412, {**_ICS, "If-Match": tag})
    me.get(path)


@case(
    "a119",
    "caldav-delete-after-delete",
    "target-missing",
    "412",
    alone="target-missing",
    description="The event was deleted on the laptop; the phone saves an edit with the tag it had.",
)
def deleted(stage: Stage) -> None:
    """Write to a deleted event."""
    server = furnished(stage, "lunch")
    me = phone(stage, server, program="curl:trace-time")
    other = phone(stage, server, "other", "httpx", "Thunderbird/140.0")
    path = f"{_BASE}lunch.ics"
    tag = me.get(path).etag
    other.send("DELETE", path, 200, {"If-Match": tag})
    time.sleep(0.5)
    me.put(path, event("lunch", "Lunch with Ada"), 412, {**_ICS, "If-Match": tag})
    me.get(path, 404)


@case(
    "a120",
    "caldav-sync-healthy",
    "none",
    "healthy",
    alone="none",
    description="A full round of synchronising: collection tag, listing, multiget, create, update, delete.",
)
def sync(stage: Stage) -> None:
    """Synchronise a calendar."""
    server = furnished(stage, "one", "two", "three")
    me = phone(stage, server)
    xml = {"Content-Type": "application/xml; charset=utf-8"}
    me.send("PROPFIND", _BASE, 207, {**xml, "Depth": "0"}, _LISTING)
    me.send("PROPFIND", _BASE, 207, {**xml, "Depth": "1"}, _LISTING)
    hrefs = "".join(f"<href>{_BASE}{uid}.ics</href>" for uid in ("one", "two", "three"))
    me.send("REPORT", _BASE, 207, {**xml, "Depth": "1"}, _MULTIGET.format(hrefs))
    me.put(f"{_BASE}four.ics", event("four", "Retro"), 201, {**_ICS, "If-None-Match": "*"})
    tag = me.get(f"{_BASE}one.ics").etag
    fresh = me.put(f"{_BASE}one.ics", event("one", "Stand-up, room 2"), 204, {**_ICS, "If-Match": tag}).etag
    me.put(f"{_BASE}one.ics", event("one", "Stand-up, room 3"), 204, {**_ICS, "If-Match": fresh})
    tag = me.get(f"{_BASE}two.ics").etag
    me.send("DELETE", f"{_BASE}two.ics", 200, {"If-Match": tag})
    me.send("PROPFIND", _BASE, 207, {**xml, "Depth": "1"}, _LISTING)


@case(
    "a121",
    "caldav-two-devices-two-events-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "Phone and laptop edit different events of one calendar at the same time, each with its own tag."
    ),
)
def disjoint(stage: Stage) -> None:
    """Edit different events."""
    server = furnished(stage, "mine", "yours")
    me = phone(stage, server)
    other = phone(stage, server, "other", "httpx", "Thunderbird/140.0")
    mine, yours = me.get(f"{_BASE}mine.ics").etag, other.get(f"{_BASE}yours.ics").etag
    for round_ in (1, 2):
        text = f"Stand-up {round_}"
        mine = me.put(f"{_BASE}mine.ics", event("mine", text), 204, {**_ICS, "If-Match": mine}).etag
        yours = other.put(f"{_BASE}yours.ics", event("yours", text), 204, {**_ICS, "If-Match": yours}).etag
        time.sleep(0.3)
    other.get(f"{_BASE}mine.ics")
    me.get(f"{_BASE}yours.ics")


@case(
    "a122",
    "caldav-refused-then-healed",
    "none",
    "recovered",
    alone="none other-writer",
    also="other-writer",
    description=(
        "Refused because the laptop wrote; the phone reads again, merges and stores with the new tag."
    ),
    notes=("the change of the laptop is kept: start of the event from the laptop, title from the phone",),
)
def healed(stage: Stage) -> None:
    """Merge after a refusal."""
    server = furnished(stage, "board")
    me = phone(stage, server)
    other = phone(stage, server, "other", "httpx", "Thunderbird/140.0")
    path = f"{_BASE}board.ics"
    tag = me.get(path).etag
    later = event("board", "Stand-up", "20261203T130000Z")
    other.put(path, later, 204, {**_ICS, "If-Match": other.get(path).etag})
    me.put(path, event("board", "Board meeting"), 412, {**_ICS, "If-Match": tag})
    fresh = me.get(path).etag
    me.put(path, event("board", "Board meeting", "20261203T130000Z"), 204, {**_ICS, "If-Match": fresh})


_SYNC = (
    '<?xml version="1.0"?><sync-collection xmlns="DAV:"><sync-token>{}</sync-token><sync-level>1</sync-level>'
    "<prop><getetag/></prop></sync-collection>"
)


@case(
    "a123",
    "caldav-sync-token-expired",
    "token-expired",
    "409",
    alone="token-expired",
    also="status-dialect-mismatch",
    description=(
        "The phone asks for the changes since its sync token, which the server has thrown away: an error "
        "naming valid-sync-token; a full synchronisation heals it."
    ),
)
def sync_expired(stage: Stage) -> None:
    """Come back too late."""
    server = furnished(stage, "one", token_age=1)
    me = phone(stage, server)
    xml = {"Content-Type": "application/xml; charset=utf-8"}
    first = me.send("REPORT", _BASE, 207, xml, _SYNC.format(""))
    token = first.text.partition("<sync-token>")[2].partition("</sync-token>")[0]
    me.put(f"{_BASE}two.ics", event("two", "Review"), 201, {**_ICS, "If-None-Match": "*"})
    time.sleep(2.5)
    for uid in ("three", "four"):
        me.put(f"{_BASE}{uid}.ics", event(uid, "Review"), 201, {**_ICS, "If-None-Match": "*"})
        me.send("REPORT", _BASE, 207, xml, _SYNC.format(""))
        time.sleep(1.5)
    me.send("REPORT", _BASE, (403, 409), xml, _SYNC.format(token))
    me.send("REPORT", _BASE, 207, xml, _SYNC.format(""))
