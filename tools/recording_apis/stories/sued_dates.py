"""Dates as conditions: fractions, clocks, zones, spellings."""

from __future__ import annotations

import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis.fronts import DAV, site
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.sued_ground import BOLTS, SHEETS, busy, depot

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer

_KIND = {"Content-Type": "application/xml"}
_IUS = "If-Unmodified-Since"


def modified(answer: Answer, seconds: float = 0.0) -> str:
    """Return an answer's Last-Modified, moved by so many seconds."""
    moment = parsedate_to_datetime(answer.fields["last-modified"]).timestamp()
    return formatdate(moment + seconds, usegmt=True)


def stock(part: str, old: int, new: int) -> str:
    """Return the sheet of bolts with another stock of a part."""
    text = BOLTS.replace(f'part="{part}" stock="{old}"', f'part="{part}" stock="{new}"')
    if text == BOLTS:
        raise StoryError(f"no {part} with {old}")
    return text


@case(
    "a760",
    "fraction-behind-the-date",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "The depot stores times with a fraction and compares If-Unmodified-Since with it: the exact echo of "
        "Last-Modified is refused, and the fault shows the stored fraction; a second later as date it is taken. "
        "Nobody has written."
    ),
)
def fraction(stage: Stage) -> None:
    """Send the date back as it came."""
    server = depot(stage, RULE="exact")
    me = stage.actor("client", server, "depot.example.test", "node:axios", {"User-Agent": "scanner-gun/5"})
    me = busy(me, "a760", SHEETS)
    me.get("/sheets/seals.xml")
    read = me.get("/sheets/bolts.xml")
    date = read.fields["last-modified"]
    me.put("/sheets/bolts.xml", stock("M8x30", 120, 110), 412, {**_KIND, _IUS: date})
    me.send("HEAD", "/sheets/bolts.xml", 200)
    me.put("/sheets/bolts.xml", stock("M8x30", 120, 110), 412, {**_KIND, _IUS: date})
    me.put("/sheets/bolts.xml", stock("M8x30", 120, 110), 204, {**_KIND, _IUS: modified(read, 1)})


@case(
    "a761",
    "two-writes-in-one-second",
    "date-precision",
    "lost-update",
    alone="none date-precision",
    description=(
        "Two scanners store a sheet in one second, each with the Last-Modified that it has read: the first "
        "write's date has the same second as the one before, so the second's condition holds and the first's "
        "stock is gone."
    ),
)
def one_second(stage: Stage) -> None:
    """Write twice in a second."""
    server = depot(stage)
    me = stage.actor(
        "client", server, "depot.example.test", "httpx", {"User-Agent": "scanner-gun/5 (hall 1)"}
    )
    other = stage.actor(
        "other", server, "depot.example.test", "requests", {"User-Agent": "scanner-gun/5 (hall 2)"}
    )
    me.get("/sheets/seals.xml")
    for path in SHEETS[:3]:
        me.get(path, 304, {"If-Modified-Since": me.get(path).fields["last-modified"]})
    before = other.get("/sheets/bolts.xml")
    while not 0.02 < time.time() % 1 < 0.12:
        time.sleep(0.01)
    other.put("/sheets/bolts.xml", stock("M8x30", 120, 100), 204, {**_KIND, _IUS: modified(before)})
    mine, theirs = me.get("/sheets/bolts.xml"), other.get("/sheets/bolts.xml")
    text = theirs.text.replace('stock="64"', 'stock="60"')
    other.put("/sheets/bolts.xml", text, 204, {**_KIND, _IUS: modified(theirs)})
    later = other.send("HEAD", "/sheets/bolts.xml", 200)
    text = mine.text.replace('stock="800"', 'stock="790"')
    me.put("/sheets/bolts.xml", text, 204, {**_KIND, _IUS: modified(mine)})
    if modified(later) != modified(mine):
        raise StoryError("it took longer than a second")
    time.sleep(0.8)
    other.get("/sheets/bolts.xml")


@case(
    "a762",
    "scanner-clock-hours-behind",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A hand scanner puts the time of its own clock at the read into If-Unmodified-Since, and its clock is "
        "some 2 h 51 min behind, as its Date field shows: it lies before the sheet's Last-Modified, and every save "
        "is refused although nobody has written."
    ),
)
def behind(stage: Stage) -> None:
    """Guard with the own clock."""
    server = depot(stage)
    me = stage.actor("client", server, "depot.example.test", "curl", {"User-Agent": "gun-fw/2.2"})
    me = busy(me, "a762", SHEETS)
    skew = 10287.0

    def own() -> dict[str, str]:
        return {"Date": formatdate(time.time() - skew, usegmt=True)}

    me.get("/sheets/seals.xml", 200, own())
    for new in (110, 108):
        clock = own()
        me.get("/sheets/bolts.xml", 200, clock)
        time.sleep(1.3)
        fields = {**_KIND, **own(), _IUS: clock["Date"]}
        me.put("/sheets/bolts.xml", stock("M8x30", 120, new), 412, fields)
    me.get("/sheets/bolts.xml", 200, own())


@case(
    "a763",
    "tablet-clock-ahead",
    "clock-skew",
    "lost-update",
    alone="clock-skew none",
    description=(
        "A tablet whose clock is 23 minutes ahead uses its own time of reading as If-Unmodified-Since; that is "
        "later than anything the depot can have stored, so its condition holds after another scanner's write, "
        "whose stock it overwrites. Its Date field shows the clock."
    ),
)
def ahead(stage: Stage) -> None:
    """Guard with a clock that is ahead."""
    server = depot(stage)
    me = stage.actor("client", server, "depot.example.test", "urllib", {"User-Agent": "tablet-count/3"})
    me = busy(me, "a763", SHEETS)
    other = stage.actor("other", server, "depot.example.test", "httpx", {"User-Agent": "scanner-gun/5"})

    def own() -> dict[str, str]:
        return {"Date": formatdate(time.time() + 1393.0, usegmt=True)}

    clock = own()
    me.get("/sheets/bolts.xml", 200, clock)
    me.get("/sheets/seals.xml", 200, own())
    theirs = other.get("/sheets/bolts.xml")
    other.put("/sheets/bolts.xml", stock("M8x40", 64, 50), 204, {**_KIND, _IUS: modified(theirs)})
    time.sleep(2.2)
    fields = {**_KIND, **own(), _IUS: clock["Date"]}
    me.put("/sheets/bolts.xml", stock("M6x20", 800, 760), 204, fields)
    other.get("/sheets/bolts.xml")


@case(
    "a764",
    "iso-date-passes-for-none",
    "bad-date",
    "lost-update",
    alone="bad-date none",
    description=(
        "A script sends If-Unmodified-Since in ISO 8601; Apache's WebDAV cannot read it and so has no condition "
        "left: the outdated save is stored and the other editor's line is gone."
    ),
)
def iso(stage: Stage) -> None:
    """Guard with a date in another form."""
    files: dict[str, str | bytes] = {
        "hosts/kiel.txt": "pump-04 10.1.4.4\n",
        "hosts/husum.txt": "valve-19 10.2.4.19\n",
        "hosts/README.txt": "one a line\n",
    }
    server = site(stage, "apache2", files, DAV["apache2"])
    me = stage.actor("client", server, "files.example.test", "curl:trace-time", {"User-Agent": "hosts.sh"})
    me = busy(me, "a764", ("/hosts/README.txt", "/hosts/husum.txt", "/hosts/emden.txt"))
    other = stage.actor("other", server, "files.example.test", "requests", {"User-Agent": "hosts-ui/2"})
    me.get("/hosts/README.txt")
    read, theirs = me.get("/hosts/kiel.txt"), other.get("/hosts/kiel.txt")
    moment = parsedate_to_datetime(read.fields["last-modified"])
    other.put("/hosts/kiel.txt", f"{theirs.text}pump-05 10.1.4.5\n", 204, {"If-Match": theirs.etag})
    time.sleep(1.4)
    date = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    me.put("/hosts/kiel.txt", f"{read.text}valve-19 10.1.4.19\n", 204, {_IUS: date})
    other.get("/hosts/kiel.txt")


@case(
    "a765",
    "date-with-german-names",
    "bad-date",
    "412",
    alone="bad-date",
    description=(
        "A program formats the date in the user's language ('Do., 26 Nov. ...'); the depot refuses what it "
        "cannot read with 412. The same moment as IMF-fixdate is taken."
    ),
)
def german(stage: Stage) -> None:
    """Write a date in German."""
    server = depot(stage, RULE="strict")
    me = stage.actor("client", server, "depot.example.test", "java", {"X-Client": "Lagerliste"})
    me = busy(me, "a765", SHEETS)
    me.get("/sheets/seals.xml")
    read = me.get("/sheets/bolts.xml")
    moment = parsedate_to_datetime(read.fields["last-modified"])
    day = ("Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So.")[moment.weekday()]
    date = f"{day}, {moment.day} {'Nov.' if moment.month == 11 else 'Dez.'} {moment:%Y %H:%M:%S} GMT"
    me.put("/sheets/bolts.xml", stock("M8x30", 120, 99), 412, {**_KIND, _IUS: date})
    me.get("/sheets/bolts.xml")
    me.put("/sheets/bolts.xml", stock("M8x30", 120, 99), 204, {**_KIND, _IUS: modified(read)})


@case(
    "a766",
    "new-york-time-labelled-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A client in New York turns Last-Modified into local time and sends it back labelled GMT: five hours "
        "early to the second, so each save is refused although nobody has written."
    ),
)
def new_york(stage: Stage) -> None:
    """Label local time GMT."""
    server = depot(stage)
    me = stage.actor("client", server, "depot.example.test", "aiohttp", {"User-Agent": "us-stock/1.1"})
    me = busy(me, "a766", SHEETS)
    me.get("/sheets/seals.xml")
    for new in (90, 88):
        read = me.get("/sheets/bolts.xml")
        text = stock("M8x30", 120, new)
        me.put("/sheets/bolts.xml", text, 412, {**_KIND, _IUS: modified(read, -5 * 3600)})
    me.send("HEAD", "/sheets/bolts.xml", 200)


@case(
    "a767",
    "kolkata-time-passes-any-check",
    "timezone-error",
    "lost-update",
    alone="timezone-error none",
    description=(
        "A client five and a half hours east adds its offset to Last-Modified once too often: the date sent lies "
        "in the future, the check passes after a colleague's write, and that write is gone."
    ),
)
def kolkata(stage: Stage) -> None:
    """Add the offset twice."""
    server = depot(stage)
    me = stage.actor("client", server, "depot.example.test", "node:fetch", {"X-Client": "pune-desk"})
    me = busy(me, "a767", SHEETS)
    other = stage.actor("other", server, "depot.example.test", "curl", {"User-Agent": "scanner-gun/5"})
    me.get("/sheets/seals.xml")
    read, theirs = me.get("/sheets/bolts.xml"), other.get("/sheets/bolts.xml")
    other.put("/sheets/bolts.xml", stock("M8x40", 64, 30), 204, {**_KIND, _IUS: modified(theirs)})
    time.sleep(1.6)
    text = stock("M6x20", 800, 700)
    me.put("/sheets/bolts.xml", text, 204, {**_KIND, _IUS: modified(read, 5.5 * 3600)})
    other.get("/sheets/bolts.xml")
