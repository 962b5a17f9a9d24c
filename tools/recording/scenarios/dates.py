"""Conditions that are dates."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tools.recording.http_dates import format_http_date, parse_http_date
from tools.recording.origin import Habits, Origin, Reply
from tools.recording.scenarios.material import RUNBOOK, event
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message


@case(
    "d195",
    "two-saves-in-one-second",
    "date-precision",
    "lost-update",
    alone="none date-precision",
    description=(
        "Dates only: two writers hold the same Last-Modified and save within one second; the second "
        "save's If-Unmodified-Since passes because the date has no fraction. The first save is lost."
    ),
    client=(200, 204, 200),
    other=(200, 204, 204),
)
def one_second(stage: Stage) -> None:
    """Save twice within one second by dates."""
    origin = stage.origin(Habits(emit_etag=False, put_status=204, etag_on_write=True))
    path = "/kiosk/prices.txt"
    origin.store(path, "coffee 30\ntea 25\n", "text/plain")
    front = stage.front("apache2", stage.tap(origin.port))
    me = stage.client(front, "kiosk.example.test", "powershell")
    other = stage.other(front, "kiosk.example.test", "java")
    kind = {"Content-Type": "text/plain"}
    read = other.get(path)
    while time.time() % 1 > 0.1:
        time.sleep(0.02)
    other.put(path, "coffee 31\ntea 25\n", {"If-Unmodified-Since": read.last_modified, **kind})
    time.sleep(0.15)
    mine = me.get(path)
    time.sleep(0.15)
    other.put(path, "coffee 32\ntea 25\n", {"If-Unmodified-Since": mine.last_modified, **kind})
    time.sleep(0.15)
    me.put(path, "coffee 31\ntea 27\n", {"If-Unmodified-Since": mine.last_modified, **kind})
    time.sleep(0.5)
    me.get(path)


@case(
    "d196",
    "stored-fraction",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "The service compares If-Unmodified-Since with a stored time that has a fraction: the exact echo "
        "of its own Last-Modified is refused, one second more passes. The body shows the fraction."
    ),
    client=(200, 412, 200, 412, 204),
)
def stored_fraction(stage: Stage) -> None:
    """Echo the date, be refused; add a second, pass."""
    moment = [time.time() // 1 - 5000 + 0.618]

    def compare(origin: Origin, request: Message) -> Reply | None:
        limit = parse_http_date(request.get("If-Unmodified-Since") or "")
        if request.method == "PUT" and limit is not None and moment[0] > limit:
            return origin.refusal(412, "modified since")
        return None

    origin = stage.origin(
        Habits(emit_etag=False, put_status=204, fields=(("Server", "Eve/2.1 Werkzeug/2.2"),)), hook=compare
    )
    path = "/people/5a8a"
    stamp = datetime.fromtimestamp(moment[0], UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    origin.store(path, {"name": "Ada", "_updated": stamp})
    origin.resources[path].modified = moment[0]
    me = stage.client(stage.tap(origin.port), "people.example.test", "requests")
    read = me.get(path)
    me.put(path, {"name": "Ada L."}, {"If-Unmodified-Since": read.last_modified})
    time.sleep(0.8)
    read = me.get(path)
    me.put(path, {"name": "Ada L."}, {"If-Unmodified-Since": read.last_modified})
    later = format_http_date((parse_http_date(read.last_modified) or 0) + 1)
    me.put(path, {"name": "Ada L."}, {"If-Unmodified-Since": later})


def _hours_off(read: str, hours: float) -> str:
    return format_http_date((parse_http_date(read) or 0) + hours * 3600)


@case(
    "d197",
    "new-york-written-as-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "The client parses Last-Modified into local time (UTC-5) and writes it back as GMT: five hours "
        "early, refused each time though nobody wrote."
    ),
    client=(200, 412, 200, 412),
)
def new_york(stage: Stage) -> None:
    """Send a date five hours early."""
    origin = stage.origin(Habits(problem="vendor"))
    path = "/ledger/2026/q4.csv"
    origin.store(path, "date,amount\n2026-10-01,12.50\n", "text/csv", age=1234)
    me = stage.client(stage.front("caddy", stage.tap(origin.port)), "ledger.example.test", "java")
    for amount in ("13.50", "14.50"):
        read = me.get(path)
        time.sleep(0.7)
        headers = {"If-Unmodified-Since": _hours_off(read.last_modified, -5), "Content-Type": "text/csv"}
        me.put(path, f"date,amount\n2026-10-01,{amount}\n", headers)


@case(
    "d198",
    "kathmandu-written-as-gmt",
    "timezone-error",
    "lost-update",
    alone="timezone-error",
    description=(
        "UTC+5:45 written as GMT: the condition lies hours in the future, a colleague's change in "
        "between is not seen, the save overwrites it."
    ),
    client=(200, 200, 200),
    other=(200, 200),
    upstream=(200, 200, 200, 200, 200),
)
def kathmandu(stage: Stage) -> None:
    """Send a date nearly six hours late."""
    origin = stage.origin(Habits(emit_etag=False))
    path = "/treks/annapurna.json"
    trek = {"trek": "Annapurna", "days": 14, "guide": "Pasang"}
    origin.store(path, trek, age=400)
    front = stage.front("nginx", stage.tap(origin.port))
    me = stage.client(front, "treks.example.test", "okhttp")
    other = stage.other(front, "treks.example.test", "browser", {"Cookie": "desk=2"})
    mine, theirs = me.get(path), other.get(path)
    time.sleep(1.1)
    other.put(path, {**trek, "guide": "Mingma"}, {"If-Unmodified-Since": theirs.last_modified})
    time.sleep(1.2)
    me.put(path, {**trek, "days": 15}, {"If-Unmodified-Since": _hours_off(mine.last_modified, 5.75)})
    me.get(path)


@case(
    "d199",
    "node-clock-behind",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "The client sends its own clock, which runs 40 minutes slow, as If-Unmodified-Since: earlier "
        "than the Last-Modified it has just read, refused each time."
    ),
    client=(200, 412, 200, 412),
)
def clock_behind(stage: Stage) -> None:
    """Send one's own slow clock as the condition."""
    origin = stage.origin(Habits())
    path = "/stations/43/observation"
    origin.store(path, {"station": 43, "temp": -3.5}, age=420)
    me = stage.client(stage.front("haproxy", stage.tap(origin.port)), "weather.example.test", "bare")
    for temp in (-3.4, -3.3):
        me.get(path)
        time.sleep(1.2)
        slow = format_http_date(time.time() - 2400 - 7)
        me.put(path, {"station": 43, "temp": temp}, {"If-Unmodified-Since": slow, "Date": slow})


@case(
    "d200",
    "iso-date-ignored",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "If-Unmodified-Since in ISO 8601 is no HTTP date and must be ignored; the save over a "
        "colleague's change is taken."
    ),
    client=(200, 200, 200),
    other=(200, 200),
)
def iso_date(stage: Stage) -> None:
    """Send an ISO date."""
    origin = stage.origin(Habits(emit_etag=False, fields=(("Server", "nginx"),)))
    path = "/menus/week-48.xml"
    menu = "<menu week='48'><mon>soup</mon><tue>fish</tue></menu>"
    origin.store(path, menu, "application/xml", age=5000)
    front = stage.front("traefik", stage.tap(origin.port))
    me = stage.client(front, "canteen.example.test", "undici")
    other = stage.other(front, "canteen.example.test", "okhttp")
    mine, theirs = me.get(path), other.get(path)
    other.put(
        path,
        menu.replace("soup", "stew"),
        {"If-Unmodified-Since": theirs.last_modified, "Content-Type": "application/xml"},
    )
    time.sleep(1.3)
    stamp = (
        datetime.fromtimestamp(parse_http_date(mine.last_modified) or 0, UTC)
        .isoformat()
        .replace("+00:00", "Z")
    )
    me.put(
        path, menu.replace("fish", "pasta"), {"if-unmodified-since": stamp, "content-type": "application/xml"}
    )
    me.get(path)


@case(
    "d201",
    "date-ends-in-utc",
    "bad-date",
    "412",
    alone="bad-date",
    description=(
        "The date ends in UTC where GMT is due; this server refuses what it cannot parse: 412 each time, "
        "and with GMT it passes."
    ),
    client=(200, 412, 412, 200),
)
def ends_in_utc(stage: Stage) -> None:
    """Send a date that ends in UTC."""

    def strict(origin: Origin, request: Message) -> Reply | None:
        value = request.get("If-Unmodified-Since")
        return (
            origin.refusal(412, "If-Unmodified-Since") if value and parse_http_date(value) is None else None
        )

    origin = stage.origin(Habits(problem="empty"), hook=strict)
    path = "/legal/terms.txt"
    origin.store(path, "Terms of 2025\n", "text/plain", age=70000)
    me = stage.client(stage.front("lighttpd", stage.tap(origin.port)), "legal.example.test", "ruby")
    read = me.get(path)
    kind = {"Content-Type": "text/plain"}
    for _ in range(2):
        me.put(
            path, "Terms of 2026\n", {"If-Unmodified-Since": read.last_modified.replace("GMT", "UTC"), **kind}
        )
        time.sleep(0.9)
    me.put(path, "Terms of 2026\n", {"If-Unmodified-Since": read.last_modified, **kind})


@case(
    "d202",
    "locale-date",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "A German locale writes day and month names into If-Unmodified-Since (Di, 24 Nov ...; Dez, Mai): "
        "not an HTTP date, ignored, the other's change is lost."
    ),
    client=(200, 204, 200),
    other=(200, 204),
)
def locale_date(stage: Stage) -> None:
    """Send a date in German."""
    origin = stage.origin(Habits(emit_etag=False, put_status=204))
    path = "/kalender/gf/termin-8.ics"
    origin.store(path, event("termin-8", "Jour fixe"), "text/calendar", age=9000)
    front = stage.front("nginx", stage.tap(origin.port))
    me = stage.client(front, "kalender.example.test", "java")
    other = stage.other(front, "kalender.example.test", "urlsession")
    kind = {"Content-Type": "text/calendar"}
    mine, theirs = me.get(path), other.get(path)
    time.sleep(0.3)
    other.put(
        path, event("termin-8", "Jour fixe", "11"), {"If-Unmodified-Since": theirs.last_modified, **kind}
    )
    time.sleep(1.2)
    german = mine.last_modified
    for english, local in (
        ("Mon,", "Mo,"),
        ("Tue,", "Di,"),
        ("Wed,", "Mi,"),
        ("Thu,", "Do,"),
        ("Fri,", "Fr,"),
        ("Sat,", "Sa,"),
        ("Sun,", "So,"),
        (" May ", " Mai "),
        (" Dec ", " Dez "),
        (" Oct ", " Okt "),
    ):
        german = german.replace(english, local)
    me.put(path, event("termin-8", "Jour fixe (lang)"), {"If-Unmodified-Since": german, **kind})
    me.get(path)


@case(
    "d203",
    "second-node-clock-slow",
    "clock-skew",
    "wrong-304",
    alone="clock-skew",
    description=(
        "Two nodes stamp writes with their own clocks; the second one's is 90 s slow. After a write "
        "there Last-Modified goes backwards, polls with If-Modified-Since get 304 for content that has "
        "changed, and a plain read shows the new text with an older date."
    ),
    config=("reads to node 1, writes to node 2", "Last-Modified only"),
    client=(200, 304, 304, 200),
    other=(200,),
)
def slow_node(stage: Stage) -> None:
    """Poll while dates go backwards."""
    habits = Habits(emit_etag=False)
    first = stage.origin(habits)

    def stamp(origin: Origin, request: Message) -> Reply:
        resource = origin.resources[request.target]
        resource.modified -= 90
        return Reply(
            200, (("Content-Type", resource.media_type), *origin.validators(resource)), resource.body
        )

    second = stage.origin(habits, after_commit=stamp)
    second.resources, second.lock = first.resources, first.lock
    path = "/labs/7/log.txt"
    first.store(path, RUNBOOK[:300], "text/plain", age=20)
    ports = [stage.tap(first.port, "upstream1"), stage.tap(second.port, "upstream2")]
    front = stage.haproxy(
        f"backend reads\n server a 127.0.0.1:{ports[0]}\nbackend writes\n server b 127.0.0.1:{ports[1]}",
        " use_backend reads if { method GET HEAD }\n default_backend writes",
    )
    me = stage.client(front, "labs.example.test", "aiohttp")
    other = stage.other(front, "labs.example.test", "curl")
    read = me.get(path)
    time.sleep(0.6)
    other.put(path, RUNBOOK[:300] + "Second reading taken.\n", {"Content-Type": "text/plain"})
    for _ in range(2):
        time.sleep(1.1)
        me.get(path, {"If-Modified-Since": read.last_modified})
    time.sleep(0.5)
    me.get(path)
