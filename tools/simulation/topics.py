"""What the documents are about: names, identifiers, first contents and edits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from tools.simulation.messages import Document


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of document.

    Attributes:
        noun: plural, as it stands in a path.
        fields: name of each field and the values it may take.
        form: how it is written: json, xml, ics, vcf, text.
    """

    noun: str
    fields: dict[str, tuple[object, ...]]
    form: str = "json"

    def first(self, rng: random.Random) -> Document:
        """Return a first content."""
        return {name: rng.choice(values) for name, values in self.fields.items()}

    def edit(self, rng: random.Random, document: Document, avoid: frozenset[str] = frozenset()) -> Document:
        """Return a copy with one field changed, none of those to avoid."""
        names = [name for name, values in self.fields.items() if name not in avoid and len(values) > 1]
        name = rng.choice(names)
        values = [value for value in self.fields[name] if value != document.get(name)]
        return {**document, name: rng.choice(values)}


JSON_TOPICS = (
    Topic("orders", {"status": ("open", "packed", "shipped", "cancelled"), "total": (40, 55, 61, 72), "note": ("", "ring twice", "gift wrap", "leave at desk"), "carrier": ("DHL", "UPS", "Post")}),
    Topic("articles", {"title": ("Tides", "On tides", "Tides and moons"), "body": ("Draft.", "Second draft.", "Ready to print."), "tags": (["sea"], ["sea", "moon"], ["moon"]), "author": ("mira", "joost")}),
    Topic("profiles", {"name": ("Ada Byron", "A. Byron", "Ada King"), "phone": ("555-0101", "555-0199", "555-0142"), "city": ("Leiden", "Ghent", "Turin"), "newsletter": (True, False)}),
    Topic("devices", {"firmware": ("2.4.1", "2.5.0", "2.6.0"), "interval": (15, 30, 60, 90), "label": ("hall", "cellar", "roof"), "enabled": (True, False)}),
    Topic("bookings", {"room": ("A1", "B2", "C3"), "from": ("2026-05-02", "2026-05-03"), "guests": (1, 2, 3, 4), "remark": ("late arrival", "vegetarian", "")}),
    Topic("invoices", {"due": ("2026-04-30", "2026-05-15", "2026-05-31"), "amount": (119.0, 238.5, 90.25), "state": ("draft", "sent", "paid"), "reference": ("R-17", "R-18", "R-19")}),
    Topic("recipes", {"name": ("Barley soup", "Soup of barley"), "servings": (2, 4, 6), "minutes": (35, 45, 60), "public": (True, False)}),
    Topic("playlists", {"name": ("Morning", "Early morning"), "tracks": ([4, 8], [4, 8, 15], [16, 23, 42]), "shuffle": (True, False), "cover": ("c1.png", "c2.png")}),
    Topic("tickets", {"subject": ("Printer jam", "Printer jams again"), "priority": ("low", "normal", "high"), "assignee": ("kim", "lou", "max"), "state": ("new", "open", "solved")}),
    Topic("settings", {"theme": ("dark", "light", "auto"), "locale": ("en", "nl", "fr"), "pageSize": (20, 50, 100), "beta": (True, False)}),
    Topic("shipments", {"weight": (1.2, 3.4, 7.9), "eta": ("2026-06-01", "2026-06-03"), "priority": ("std", "express"), "signed": (False, True)}),
    Topic("policies", {"retention": (7, 30, 90), "mode": ("monitor", "enforce"), "owner": ("sec", "ops", "legal"), "review": ("q1", "q2", "q3")}),
)  # fmt: skip
EVENT = Topic("events", {"SUMMARY": ("Stand-up", "Review", "Planning", "Dentist"), "LOCATION": ("Room 4", "Room 7", "Online"), "DTSTART": ("20260511T090000Z", "20260511T100000Z", "20260512T080000Z"), "DURATION": ("PT30M", "PT1H")}, "ics")  # fmt: skip
CONTACT = Topic("contacts", {"FN": ("Nils Holm", "Nils B. Holm"), "TEL": ("+46 555 0100", "+46 555 0177", "+46 555 0121"), "EMAIL": ("nils@example.test", "n.holm@example.test"), "NOTE": ("met in Oslo", "prefers mail", "on leave")}, "vcf")  # fmt: skip
NOTE = Topic("notes", {"heading": ("Agenda", "Agenda of May", "Minutes"), "item1": ("Budget", "Budget 2027", "Rent"), "item2": ("Hiring", "Two offers", "Later"), "item3": ("", "Any other business", "Lunch")}, "text")  # fmt: skip
STATE = Topic("state", {"serial": (4, 5, 6, 7), "lineage": ("a81f", "c02d"), "rows": (512, 640, 733), "digest": ("9f2e", "77ab", "c3d4")}, "binary")  # fmt: skip
PRICES = Topic("pricelist", {"bolt": ("0.12", "0.13", "0.15"), "nut": ("0.05", "0.06", "0.07"), "washer": ("0.02", "0.03"), "season": ("spring", "summer", "autumn")}, "xml")  # fmt: skip

_TYPES = {
    "json": "application/json", "xml": "application/xml", "text": "text/plain; charset=utf-8",
    "ics": "text/calendar; charset=utf-8", "vcf": "text/vcard; charset=utf-8", "binary": "application/octet-stream",
}  # fmt: skip


def media_type(form: str) -> str:
    """Return the media type of a form."""
    return _TYPES[form]


def write(form: str, document: Document, style: str = "compact") -> str:
    """Write a document; `style` is compact, spaced or pretty, for JSON."""
    if form == "json":
        if style == "pretty":
            return json.dumps(document, indent=2)
        return json.dumps(document, separators=(",", ":") if style == "compact" else (", ", ": "))
    if form == "xml":
        inner = "".join(f"  <{name}>{value}</{name}>\n" for name, value in document.items())
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<document>\n{inner}</document>\n'
    if form == "ics":
        lines = [f"{name}:{value}" for name, value in document.items()]
        whole = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example//cal 2.1//EN", "BEGIN:VEVENT", *lines]
        return "\r\n".join([*whole, "DTSTAMP:20260401T070000Z", "END:VEVENT", "END:VCALENDAR", ""])
    if form == "vcf":
        lines = [f"{name}:{value}" for name, value in document.items()]
        return "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD", ""])
    return "\n".join(f"{name}: {value}" for name, value in document.items()) + "\n"


def changed_fields(before: Document, after: Document) -> frozenset[str]:
    """Return the names of the fields that differ."""
    return frozenset(name for name in {*before, *after} if before.get(name) != after.get(name))
