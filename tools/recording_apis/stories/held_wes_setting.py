"""Where wes's stories play."""

from __future__ import annotations

import base64
import datetime as dt
import time
from email.utils import formatdate, parsedate_to_datetime

ICS = {"Content-Type": "text/calendar; charset=utf-8"}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def basic(user: str) -> dict[str, str]:
    """Return the credentials of a user."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:pw".encode()).decode()}


def event(uid: str, summary: str, hour: int, *more: str) -> str:
    """Return a calendar with one event."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//wes//EN", "BEGIN:VEVENT", f"UID:{uid}"]
    lines += [
        "DTSTAMP:20261101T080000Z",
        f"DTSTART:20261203T{hour:02}0000Z",
        f"DTEND:20261203T{hour + 1:02}0000Z",
    ]
    lines += [f"SUMMARY:{summary}", *more, "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(lines)


def moved(date: str, seconds: int) -> str:
    """Return a date of HTTP, so many seconds later."""
    return formatdate(parsedate_to_datetime(date).timestamp() + seconds, usegmt=True)


def now(seconds: int = 0) -> str:
    """Return the time of a clock that is so many seconds ahead."""
    return formatdate(time.time() + seconds, usegmt=True)


def iso(date: str) -> str:
    """Return a date of HTTP as ISO 8601."""
    return parsedate_to_datetime(date).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def second_begins() -> None:
    """Wait until a second has just begun."""
    time.sleep(1.02 - time.time() % 1)
