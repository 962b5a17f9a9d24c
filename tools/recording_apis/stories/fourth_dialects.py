"""Dates, locks, conditions in other clothes, and refusals that are no conditions."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.fourth_setting import HANDBOOK, TEXT, XML, shelf

_LOCK = (
    "<?xml version='1.0'?><D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope>"
    "<D:locktype><D:write/></D:locktype><D:owner>{}</D:owner></D:lockinfo>"
)


def _gmt(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _whole_second() -> None:
    time.sleep(1.02 - time.time() % 1)


@case(
    "a425",
    "two-saves-share-a-second",
    "date-precision",
    "lost-update",
    alone="none date-precision",
    also="other-writer",
    description="Dates only: two editors hold the same Last-Modified and save within one second; the second guard still holds and the first change is lost.",
)
def _share(stage: Stage) -> None:
    path = "/diary/monday.txt"
    server = shelf(stage, "flask", {path: "09:00 rain\n"}, TAG="none", DATES="1")
    me = stage.actor("client", server, "diary.example.test", "requests", {"Authorization": "Basic bTo="})
    other = stage.actor("other", server, "diary.example.test", "requests", {"Authorization": "Basic bjo="})
    _whole_second()
    setup = other.put(path, "09:00 rain\n10:00 sun\n", 200, TEXT).fields["last-modified"]
    seen = me.get(path).fields["last-modified"]
    other.put(path, "09:00 rain\n10:30 sun\n", 200, {"If-Unmodified-Since": setup, **TEXT})
    me.put(path, "09:00 rain\n10:00 sun\n11:00 wind\n", 200, {"If-Unmodified-Since": seen, **TEXT})
    time.sleep(1.1)
    me.get(path)


@case(
    "a426",
    "stored-fraction-refuses-the-echo",
    "date-precision",
    "412",
    alone="date-precision",
    description="The service compares If-Unmodified-Since with its stored time, fraction and all: the exact echo of its own Last-Modified is refused, one second more passes.",
)
def _fraction(stage: Stage) -> None:
    path = "/notes/plan.txt"
    server = shelf(stage, "flask", {path: "v1\n"}, TAG="none", DATES="1", FRACTION="1")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "notes.example.test", "node")
    me.put(path, "v2\n", 200, TEXT)
    time.sleep(1.4)
    for _ in range(2):
        seen = me.get(path).fields["last-modified"]
        me.put(path, "v3\n", 412, {"If-Unmodified-Since": seen, **TEXT})
    later = _gmt(parsedate_to_datetime(seen) + timedelta(seconds=1))
    me.put(path, "v3\n", 200, {"If-Unmodified-Since": later, **TEXT})


@case(
    "a427",
    "pocket-clock-is-slow",
    "clock-skew",
    "412",
    alone="clock-skew",
    description="A handheld sends 'now' by its own clock, 22 minutes slow, as If-Unmodified-Since: earlier than the Last-Modified it was just served, refused each time.",
)
def _slow_clock(stage: Stage) -> None:
    path = "/stocktake/aisle-9"
    server = shelf(stage, "django", {path: {"beans": 40}})
    me = stage.actor("client", server, "stock.example.test", "urllib")
    me.put(path, {"beans": 41}, 200)
    for beans in (42, 43):
        me.get(path)
        now = _gmt(datetime.now(UTC) - timedelta(minutes=22, seconds=17))
        me.put(path, {"beans": beans}, 412, {"If-Unmodified-Since": now})
        time.sleep(0.8)


@case(
    "a428",
    "server-an-hour-in-the-future",
    "clock-skew",
    "412",
    alone="clock-skew",
    description="The service's clock is 47 minutes ahead (libfaketime): Last-Modified lies in the future and the client's own time as If-Unmodified-Since is always too early.",
)
def _future(stage: Stage) -> None:
    path = "/gates/b12"
    faked = {"LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "FAKETIME": "+47m"}
    server = shelf(stage, "flask", {path: "open\n"}, TAG="none", DATES="1", **faked)
    me = stage.actor("client", server, "gates.example.test", "httpx")
    me.put(path, "closed\n", 200, TEXT)
    for text in ("boarding\n", "last call\n"):
        me.get(path)
        me.put(path, text, 412, {"If-Unmodified-Since": _gmt(datetime.now(UTC)), **TEXT})
        time.sleep(1.1)


@case(
    "a429",
    "iso-date-to-mod-dav",
    "bad-date",
    "lost-update",
    alone="bad-date",
    also="other-writer",
    description="If-Unmodified-Since in ISO 8601 is no HTTP-date: mod_dav ignores it and takes a PUT over another's newer line.",
)
def _iso(stage: Stage) -> None:
    server = fronts.site(stage, "apache2", {"watch.txt": "00-04 Ida\n"}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "watch.example.test", "node")
    other = stage.actor("other", server, "watch.example.test", "curl")
    seen = parsedate_to_datetime(me.get("/watch.txt").fields["last-modified"])
    other.get("/watch.txt")
    other.put("/watch.txt", "00-04 Ida\n04-08 Per\n", 204, TEXT)
    time.sleep(1.3)
    iso = seen.isoformat().replace("+00:00", "Z")
    me.put("/watch.txt", "00-04 Ida\n04-08 Bo\n", 204, {"If-Unmodified-Since": iso, **TEXT})
    me.get("/watch.txt")


@case(
    "a430",
    "seconds-since-1970-as-a-date",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description="A script puts a Unix time into If-Unmodified-Since; the date is an hour old and would be refused, but as it is none the save is taken.",
)
def _epoch(stage: Stage) -> None:
    path = "/limits/api.txt"
    server = shelf(stage, "flask", {path: "rps=10\n"}, TAG="none", DATES="1")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "limits.example.test", "requests")
    seen = int(parsedate_to_datetime(me.get(path).fields["last-modified"]).timestamp())
    me.put(path, "rps=20\n", 200, {"If-Unmodified-Since": str(seen), **TEXT})
    time.sleep(1.2)
    me.put(path, "rps=30\n", 200, {"If-Unmodified-Since": str(seen), **TEXT})
    me.get(path)


@case(
    "a431",
    "date-in-the-words-of-a-locale",
    "bad-date",
    "lost-update",
    alone="bad-date",
    also="other-writer",
    description="A Norwegian locale writes 'to., 26 nov.' into If-Unmodified-Since; Django ignores what it cannot parse and another's value is overwritten.",
)
def _locale(stage: Stage) -> None:
    path = "/ferries/halhjem"
    server = shelf(stage, "django", {path: {"status": "on time"}}, TAG="none")
    me = stage.actor("client", server, "ferry.example.test", "aiohttp", {"X-Desk": "south"})
    other = stage.actor("other", server, "ferry.example.test", "httpx", {"X-Desk": "north"})
    seen = parsedate_to_datetime(me.get(path).fields["last-modified"])
    theirs = other.get(path).fields["last-modified"]
    other.put(path, {"status": "cancelled"}, 200, {"If-Unmodified-Since": theirs})
    time.sleep(1.4)
    days = ("ma.", "ti.", "on.", "to.", "fr.", "lø.", "sø.")
    words = f"{days[seen.weekday()].replace('ø', 'o')}, {seen.day:02} nov. {seen.year} {seen:%H:%M:%S} GMT"
    me.put(path, {"status": "delayed"}, 200, {"If-Unmodified-Since": words})
    me.get(path)


@case(
    "a432",
    "lima-time-called-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description="A client formats Last-Modified in local time (five hours behind) and writes GMT behind it: earlier than the served date, refused every time.",
)
def _lima(stage: Stage) -> None:
    path = "/buses/l4"
    server = shelf(stage, "django", {path: {"stop": "Miraflores", "min": 4}}, TAG="none")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "bus.example.test", "requests")
    for minutes in (3, 2):
        seen = parsedate_to_datetime(me.get(path).fields["last-modified"])
        local = _gmt(seen - timedelta(hours=5))
        me.put(path, {"stop": "Miraflores", "min": minutes}, 412, {"If-Unmodified-Since": local})
        time.sleep(0.7)


@case(
    "a433",
    "oslo-time-called-gmt",
    "timezone-error",
    "lost-update",
    alone="timezone-error",
    also="other-writer",
    description="The date sent to lighttpd is an hour later than the one served (local time labelled GMT): the guard cannot fail and another's line is overwritten.",
)
def _oslo(stage: Stage) -> None:
    server = fronts.site(stage, "lighttpd", {"shift.txt": "early: Bo\n"}, fronts.DAV["lighttpd"], age=600)
    me = stage.actor("client", server, "shift.example.test", "httpx")
    other = stage.actor("other", server, "shift.example.test", "urllib")
    seen = parsedate_to_datetime(me.get("/shift.txt").fields["last-modified"])
    theirs = other.get("/shift.txt").fields["last-modified"]
    other.put("/shift.txt", "early: Bo\nlate: Siv\n", 204, {"If-Unmodified-Since": theirs, **TEXT})
    time.sleep(1.3)
    local = _gmt(seen + timedelta(hours=1))
    me.put("/shift.txt", "early: Ola\n", 204, {"If-Unmodified-Since": local, **TEXT})
    me.get("/shift.txt")


@case(
    "a434",
    "lighttpd-page-locked-by-another",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description="Another author holds a WebDAV lock on lighttpd; PUT and DELETE without its token are refused with 423 until UNLOCK.",
)
def _lighttpd_lock(stage: Stage) -> None:
    lines = f'webdav.activate = "enable"\nwebdav.sqlite-db-name = "{stage.directory()}/locks.db"'
    server = fronts.site(stage, "lighttpd", {"spec/ch2.txt": HANDBOOK}, lines)
    me = stage.actor("client", server, "spec.example.test", "curl", {"Authorization": "Basic Ym86"})
    other = stage.actor("other", server, "spec.example.test", "requests", {"Authorization": "Basic aWRhOg=="})
    ask = {"Timeout": "Second-300", "Depth": "0", **XML}
    token = other.send("LOCK", "/spec/ch2.txt", 200, ask, _LOCK.format("ida")).fields["lock-token"]
    tag = me.get("/spec/ch2.txt").etag
    me.put("/spec/ch2.txt", "2.1\n", 423, {"If-Match": tag, **TEXT})
    me.send("DELETE", "/spec/ch2.txt", 423)
    other.send("UNLOCK", "/spec/ch2.txt", 204, {"Lock-Token": token})
    time.sleep(0.6)
    me.put("/spec/ch2.txt", "2.1\n", 204, {"If-Match": tag, **TEXT})


@case(
    "a435",
    "own-lock-but-no-if",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description="A client locks its page on WsgiDAV and then saves with If-Match only: 423, since the lock token must come along in If.",
)
def _own_lock(stage: Stage) -> None:
    server = stage.server("wsgidav")
    fronts.put_file(server.directory, "plan.txt", HANDBOOK, 900)
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "plan.example.test", "httpx")
    tag = me.get("/plan.txt").etag
    ask = {"Timeout": "Second-120", "Depth": "0", **XML}
    token = me.send("LOCK", "/plan.txt", 200, ask, _LOCK.format("me")).fields["lock-token"]
    me.put("/plan.txt", "1. Rest\n", 423, {"If-Match": tag, **TEXT})
    time.sleep(0.5)
    me.put("/plan.txt", "1. Rest\n", 204, {"If": f"({token})", **TEXT})
    me.send("UNLOCK", "/plan.txt", 204, {"Lock-Token": token})


@case(
    "a436",
    "lock-token-of-another-page",
    "lease-or-lock",
    "412",
    alone="lease-or-lock wrong-token-source",
    description="An editor with two locked pages on mod_dav sends the lock token of the first with the save of the second.",
)
def _other_page(stage: Stage) -> None:
    files = {"w/one.txt": HANDBOOK, "w/two.txt": HANDBOOK}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "w.example.test", "requests")
    ask = {"Timeout": "Second-300", "Depth": "0", **XML}
    tokens = {
        name: me.send("LOCK", f"/w/{name}.txt", 200, ask, _LOCK.format("bo")).fields["lock-token"]
        for name in ("one", "two")
    }
    me.put("/w/one.txt", "1\n", 204, {"If": f"({tokens['one']})", **TEXT})
    me.put("/w/two.txt", "2\n", (412, 423), {"If": f"({tokens['one']})", **TEXT})
    time.sleep(0.5)
    me.put("/w/two.txt", "2\n", 204, {"If": f"({tokens['two']})", **TEXT})
