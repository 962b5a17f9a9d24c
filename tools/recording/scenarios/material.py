"""Documents the stories are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.recording.har import Json

ARTICLE: dict[str, Json] = {
    "slug": "optimistic-locking",
    "title": "Optimistic locking",
    "author": "h.okafor",
    "tags": ["http", "concurrency"],
    "paragraphs": [
        f"Paragraph {number}: a writer that read version {number} must not overwrite version {number + 1}."
        for number in range(1, 16)
    ],
}

CATALOGUE: dict[str, Json] = {
    "id": "warehouse-7",
    "items": [
        {"sku": f"SKU-{number:04d}", "name": f"Hex bolt M{number % 12 + 3}", "count": number * 7 % 90}
        for number in range(24)
    ],
}

SETTINGS: dict[str, Json] = {
    "dark-mode": False,
    "retention-days": 30,
    "regions": ["eu-north-1", "eu-west-3", "ap-south-2"],
    "limits": {
        name: {"soft": 100, "hard": 250, "window": "1m"}
        for name in ("login", "search", "upload", "export", "invite")
    },
}

RUNBOOK = "# Runbook: primary database\n\n" + "".join(
    f"{number}. Check replica {number % 4} before step {number + 1}; note the lag in the log book.\n"
    for number in range(1, 20)
)

PAGE = (
    "<!doctype html><html><head><title>On-call rota</title></head><body><h1>On-call rota</h1><ul>"
    + "".join(f"<li>Week {week}: team {'ABC'[week % 3]}</li>" for week in range(40, 53))
    + "</ul></body></html>"
)

EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Planner 3//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\n"
    "DTSTAMP:20261120T080000Z\r\nDTSTART:20261201T{hour}0000Z\r\nDTEND:20261201T{hour}4500Z\r\nSUMMARY:{summary}\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)

CARD = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:{uid}\r\nFN:{name}\r\nEMAIL:{mail}\r\nEND:VCARD\r\n"


def event(uid: str, summary: str, hour: str = "09") -> str:
    """Return an iCalendar object with one event (RFC 5545)."""
    return EVENT.format(uid=uid, summary=summary, hour=hour)


def card(uid: str, name: str, mail: str) -> str:
    """Return a vCard (RFC 6350)."""
    return CARD.format(uid=uid, name=name, mail=mail)


def octets(length: int, seed: int = 1) -> bytes:
    """Return ``length`` octets that look like binary data and are the same each time."""
    made = bytearray()
    state = seed
    while len(made) < length:
        state = (state * 1103515245 + 12345) % 2147483648
        made.append(state >> 16 & 255)
    return bytes(made)
