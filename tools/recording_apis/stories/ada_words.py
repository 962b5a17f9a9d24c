"""Stories of dates, locks, conditions in other words, and refusals that are none."""

from __future__ import annotations

import time
from datetime import timedelta
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.ada_desk import Ask, Desk, Reply, hashed, numbered
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ada_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d378",
    "ada-two-entries-within-one-second",
    "date-precision",
    "lost-update",
    alone="date-precision",
    description=(
        "A logbook under WEBrick has dates and no tags. Two crew members write within one second: what a second tab reads "
        "has other content under the same Last-Modified, a poll with it is told 304, and a save of the first tab's form "
        "with that date is taken and undoes the entry in between."
    ),
)
def second(stage: Stage) -> None:
    """Have one date for two versions."""
    rows = {f"/entries/{n}": {"entry": n, "wind": "SW 4", "sails": "full"} for n in ("e1", "e2", "e3")}
    server = at.logbook(stage, rows, "dates")
    me = stage.actor("client", server, "logbook.regatta.test", "requests", {"User-Agent": "bridge/2"})
    other = stage.actor("other", server, "logbook.regatta.test", "httpx", {"User-Agent": "deck/2"})
    at.rounds(me, "/ready", "/entries", "/entries/e1")
    first = other.get("/entries/e2")
    time.sleep(1.02 - time.time() % 1)
    guard = {"If-Unmodified-Since": first.fields["last-modified"]}
    other.send("PATCH", "/entries/e2", 200, guard, {"wind": "SW 5"})
    mine = me.get("/entries/e2", 200, {"X-Tab": "1"})
    date = mine.fields["last-modified"]
    other.send("PATCH", "/entries/e2", 200, {"If-Unmodified-Since": date}, {"sails": "first reef"})
    tab = me.get("/entries/e2", 200, {"X-Tab": "2"})
    at.need(tab.fields["last-modified"] == date and tab.json["revision"] == mine.json["revision"] + 1)
    me.get("/entries/e2", 304, {"If-Modified-Since": date, "X-Tab": "1"})
    at.pause(1.2)
    me.get("/entries/e2", 304, {"If-Modified-Since": date, "X-Tab": "1"})
    body = {"entry": "e2", "wind": "W 5", "sails": mine.json["sails"]}
    me.put("/entries/e2", body, 200, {"If-Unmodified-Since": date, "X-Tab": "1"})
    at.need(me.get("/entries/e2").json["sails"] == "full")
    me.get("/entries/e3")
    other.get("/entries/e2")


@case(
    "d379",
    "ada-kiosk-whose-clock-is-ahead",
    "clock-skew",
    "lost-update",
    alone="clock-skew",
    description=(
        "A kiosk takes its own clock's time of reading for If-Unmodified-Since; the clock is nearly eight minutes ahead "
        "of the service's, so that the condition lies in the future and cannot fail: a change made meanwhile at the desk "
        "is overwritten. Litestar."
    ),
)
def kiosk(stage: Stage) -> None:
    """Send the time of a clock that is ahead."""
    rows = {f"/lockers/{n}": {"locker": n, "holder": "", "until": "18:00"} for n in (101, 102, 103)}
    server = at.desk(stage, Desk(rows, dates=True, words={412: {"detail": "locker was changed"}}), "litestar")
    me = stage.actor("client", server, "lockers.baths.test", "node:fetch", {"User-Agent": "kiosk/3 (lobby)"})
    other = stage.actor("other", server, "lockers.baths.test", "requests", {"X-Staff": "desk"})
    at.rounds(me, "/status", "/lockers")

    def now() -> str:
        return formatdate(time.time() + 462, usegmt=True)

    for locker, holder in ((101, "Lind"), (102, "Osei")):
        read_at, seen = now(), me.get(f"/lockers/{locker}")
        at.pause()
        if locker == 102:
            theirs = other.get("/lockers/102")
            since = {"If-Unmodified-Since": theirs.fields["last-modified"]}
            other.send("PATCH", "/lockers/102", 200, since, {"until": "21:00"})
        at.pause(1.1)
        me.put(f"/lockers/{locker}", {**seen.json, "holder": holder}, 200, {"If-Unmodified-Since": read_at})
        me.get(f"/lockers/{locker}")
    at.need(other.get("/lockers/102").json["until"] == "18:00")
    me.get("/lockers/103", 304, {"If-Modified-Since": me.get("/lockers/103").fields["last-modified"]})


_DAYS = {"Mon": "lun", "Tue": "mar", "Wed": "mer", "Thu": "gio", "Fri": "ven", "Sat": "sab", "Sun": "dom"}


@case(
    "d380",
    "ada-date-with-italian-names",
    "bad-date",
    "412",
    alone="bad-date",
    description=(
        "A program formats the Last-Modified that it has read in its own language (ven, 27 nov 2026 ...); the PHP service "
        "cannot read it, takes it for 1970 and refuses every save. The header as it was served is taken."
    ),
)
def italian(stage: Stage) -> None:
    """Send a date that is none."""
    rows = {f"/vigne/{n}": {"vigna": n, "uva": "barbera", "filari": 22} for n in ("v1", "v2", "v3")}
    server = at.filing(stage, rows, "dates")
    me = stage.actor("client", server, "vigne.cantina.example", "httpx", {"User-Agent": "cantina-agenda/1"})
    at.rounds(me, "/ready.php")
    me.get("/vigne/v3", 304, {"If-Modified-Since": me.get("/vigne/v3").fields["last-modified"]})
    for name in ("v1", "v2"):
        seen = me.get(f"/vigne/{name}")
        served = seen.fields["last-modified"]
        day, rest = served.split(", ")
        since = f"{_DAYS[day]}, {rest.lower().replace('gmt', 'GMT')}"
        me.send("PATCH", f"/vigne/{name}", 412, {"If-Unmodified-Since": since}, {"filari": 24})
        at.pause(0.6)
        at.need(me.get(f"/vigne/{name}").fields["last-modified"] == served)
    me.send("PATCH", "/vigne/v2", 200, {"If-Unmodified-Since": served}, {"filari": 24})
    me.get("/vigne/v2")


@case(
    "d381",
    "ada-newfoundland-time-called-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A program in St. John's turns the Last-Modified of files on lighttpd's DAV into local time and sends it back as "
        "GMT: three and a half hours before the served date, minutes apart by thirty, and every save is refused. The "
        "served date itself is taken."
    ),
)
def newfoundland(stage: Stage) -> None:
    """Send local time as GMT."""
    files = {f"quotas/{n}.txt": f"{n}: 40 t\n" for n in ("cod", "crab", "capelin")}
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"], age=31000)
    me = stage.actor(
        "client", server, "quotas.fishery.example", "node:axios", {"User-Agent": "quota-sync/1.4"}
    )
    text = {"Content-Type": "text/plain"}
    me.get("/quotas/crab.txt", 304, {"If-Modified-Since": me.get("/quotas/crab.txt").fields["last-modified"]})
    for name in ("cod", "capelin"):
        seen = me.get(f"/quotas/{name}.txt")
        served = seen.fields["last-modified"]
        local = (parsedate_to_datetime(served) - timedelta(hours=3, minutes=30)).strftime(
            "%a, %d %b %Y %H:%M:%S GMT"
        )
        me.put(f"/quotas/{name}.txt", f"{name}: 38 t\n", 412, {**text, "If-Unmodified-Since": local})
        at.pause(0.7)
        at.need(me.send("HEAD", f"/quotas/{name}.txt", 200).fields["last-modified"] == served)
    me.put("/quotas/capelin.txt", "capelin: 38 t\n", 204, {**text, "If-Unmodified-Since": served})
    me.get("/quotas/capelin.txt")


_LOCK = (
    '<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype><D:owner>layout desk</D:owner></D:lockinfo>"
)


@case(
    "d382",
    "ada-the-layout-desk-holds-the-page",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "The layout desk has locked a page on Apache's DAV; a reporter's saves with the right tag and without a lock "
        "token are answered 423, a PROPFIND shows the lock. Once it is released, the save goes through."
    ),
)
def locked(stage: Stage) -> None:
    """Write what another holds."""
    files = {"pages/p3.txt": "Council votes\n", "pages/p4.txt": "Sports\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "pages.daily.test", "requests", {"User-Agent": "reporter-desk/1"})
    other = stage.actor("other", server, "pages.daily.test", "urllib", {"User-Agent": "layout/5"})
    text, xml = {"Content-Type": "text/plain"}, {"Content-Type": "application/xml"}
    got = other.send("LOCK", "/pages/p3.txt", 200, {**xml, "Depth": "0", "Timeout": "Second-600"}, _LOCK)
    token = got.fields["lock-token"]
    at.rounds(me, "/pages/p4.txt", again=True)
    seen = me.get("/pages/p3.txt")
    me.put("/pages/p3.txt", "Council votes tonight\n", 423, {**text, "If-Match": seen.etag})
    at.pause(0.7)
    me.send("PROPFIND", "/pages/p3.txt", 207, {"Depth": "0"})
    me.put("/pages/p3.txt", "Council votes tonight\n", 423, {**text, "If-Match": seen.etag})
    other.send("UNLOCK", "/pages/p3.txt", 204, {"Lock-Token": token})
    at.pause(1.0)
    me.put("/pages/p3.txt", "Council votes tonight\n", 204, {**text, "If-Match": seen.etag})
    other.get("/pages/p3.txt")
    me.get("/pages/p3.txt")


@case(
    "d383",
    "ada-a-conflict-told-with-200",
    "status-dialect-mismatch",
    "lost-write",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "A service tells an outdated tag with 200 and success: false (VERSION_CONFLICT); the program looks at the status "
        "alone, takes its prices for saved and goes on with the next. Only the next day's read shows that one is not. Django."
    ),
)
def told(stage: Stage) -> None:
    """Take a refusal for success."""
    rows = {f"/prices/{n}": {"sku": n, "eur": 19.9, "vat": 20} for n in ("lamp", "desk", "chair")}
    side = at.beside("/stocks", 4, left=7)
    desk = Desk({**rows, **side}, hashed)
    usual = desk.no

    def no(status: int) -> Reply:
        if status != 412:
            return usual(status)
        said = {"code": "VERSION_CONFLICT", "message": "The record has been modified since it was loaded."}
        return Reply(200, {"success": False, "error": said})

    desk.no = no  # type: ignore[method-assign]
    server = at.desk(stage, desk, "django")
    me = stage.actor("client", server, "prices.furniture.test", "aiohttp", {"User-Agent": "repricer/0.9"})
    other = stage.actor("other", server, "prices.furniture.test", "requests", {"X-Staff": "vat-office"})
    me.get("/status")
    at.busy(me, side, "left", 7, 383)
    held = {n: me.get(f"/prices/{n}") for n in ("lamp", "desk", "chair")}
    theirs = other.get("/prices/desk")
    other.put("/prices/desk", {**theirs.json, "vat": 10}, 200, {"If-Match": theirs.etag})
    at.pause(0.9)
    for name, seen in held.items():
        got = me.put(f"/prices/{name}", {**seen.json, "eur": 21.5}, 200, {"If-Match": seen.etag})
        at.need(("success" in got.json) == (name == "desk"))
        at.pause(0.2)
    at.pause(0.8)
    at.need(me.get("/prices/desk").json["eur"] == 19.9)
    at.busy(me, side, "left", 6, 1383)
    at.rounds(me, "/prices/lamp", again=True)


@case(
    "d384",
    "ada-the-newline-in-etcd",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A value was put into etcd from a file and ends in a newline; a tool strips it, sends it back as prevValue and "
        "is refused each time (101, [blue != blue\\n]) though nobody has written. With the newline it goes through."
    ),
)
def newline(stage: Stage) -> None:
    """Send the expected value not quite as it is."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "kv.platform.test", "requests", {"User-Agent": "flipctl/1.0"})
    other = stage.actor("other", server, "kv.platform.test", "curl")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    other.put("/v2/keys/deploy/colour?prevExist=false", "value=blue%0A", 201, form)
    other.put("/v2/keys/deploy/weight?prevExist=false", "value=100", 201, form)
    at.pause(0.8)
    me.get("/version")
    me.get("/v2/keys/deploy?recursive=true")
    seen = me.get("/v2/keys/deploy/weight").json["node"]["value"]
    me.put(f"/v2/keys/deploy/weight?prevValue={seen}", "value=50", 200, form)
    for _ in range(2):
        seen = me.get("/v2/keys/deploy/colour").json["node"]["value"]
        me.put(f"/v2/keys/deploy/colour?prevValue={seen.strip()}", "value=green", 412, form)
        at.pause(0.6)
    me.put("/v2/keys/deploy/colour?prevValue=blue%0A", "value=green", 200, form)
    me.get("/v2/keys/deploy/colour")


@case(
    "d385",
    "ada-two-guests-with-one-address",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "A hotel's interface stores a guest by criteria (PUT /guests?email=...) and answers 412 when more than one is "
        "there: a family books with one address. A search shows both; the number of the card narrows it to one. Litestar."
    ),
)
def guests(stage: Stage) -> None:
    """Name more than one."""
    kept = {"7": {"id": 7, "email": "fam@rossi.test", "card": "G-11", "name": "A. Rossi"}}
    kept["8"] = {"id": 8, "email": "fam@rossi.test", "card": "G-12", "name": "B. Rossi"}
    kept["9"] = {"id": 9, "email": "c@lund.test", "card": "G-20", "name": "C. Lund"}
    desk = Desk({f"/guests/{n}": one for n, one in kept.items()}, numbered)

    def first(ask: Ask) -> Reply | None:
        if ask.path != "/guests" or not ask.query:
            return None
        found = {
            path: sheet
            for path, sheet in desk.sheets.items()
            if all(str(sheet.data.get(name)) == one for name, one in ask.query.items())
        }
        if ask.method == "GET":
            return Reply(200, {"total": len(found), "guests": [one.data for one in found.values()]})
        if len(found) > 1:
            said = f"The criteria match {len(found)} guests; exactly one or none is needed."
            return Reply(412, {"code": "MULTIPLE_MATCHES", "message": said, "matches": list(found)})
        path, old = next(iter(found.items()), ("/guests/901", None))
        made = desk.put_down(path, {**(old.data if old else {"id": 901}), **ask.data}, ask.user)
        return Reply(200 if old else 201, made.data, {"ETag": numbered(path, made), "Location": path})

    desk.first = first
    me = stage.actor(
        "client",
        at.desk(stage, desk, "litestar"),
        "pms.hotel.test",
        "httpx",
        {"User-Agent": "booking-bridge/2"},
    )
    at.rounds(me, "/status", "/guests/9")
    me.put("/guests?email=c%40lund.test", {"email": "c@lund.test", "phone": "+45 1"}, 200)
    for _ in range(2):
        me.put("/guests?email=fam%40rossi.test", {"email": "fam@rossi.test", "phone": "+39 2"}, 412)
        at.pause(0.7)
    at.need(me.get("/guests?email=fam%40rossi.test").json["total"] == 2)
    me.put("/guests?email=fam%40rossi.test&card=G-12", {"phone": "+39 2"}, 200)
    me.put("/guests?email=new%40guest.test", {"email": "new@guest.test"}, 201)
    me.get("/guests/8")


@case(
    "d386",
    "ada-conditions-are-not-for-this-store",
    "unsupported-precondition",
    "400",
    alone="unsupported-precondition",
    description=(
        "A gateway to an old meter store has no tags at all and answers 400 to any write with If-Match or "
        "If-Unmodified-Since, naming the field as unsupported; the same write without a condition is stored. Pyramid."
    ),
)
def gateway(stage: Stage) -> None:
    """Ask for what the store cannot do."""
    rows = {f"/meters/{n}": {"meter": n, "kwh": 5120, "phase": 3} for n in ("mt-1", "mt-2", "mt-3")}
    desk = Desk(rows)

    def first(ask: Ask) -> Reply | None:
        for name in ("if-match", "if-none-match", "if-unmodified-since"):
            if name in ask.head and ask.method != "GET":
                said = f"Header {name} is not supported by this store."
                return Reply(400, {"code": "ConditionalRequestsNotSupported", "message": said})
        return None

    desk.first = first
    me = stage.actor(
        "client",
        at.desk(stage, desk, "pyramid"),
        "meters.grid.test",
        "node:fetch",
        {"User-Agent": "readout/4"},
    )
    at.rounds(me, "/status", "/meters")
    for meter, guard in (("mt-1", {"If-Match": "*"}), ("mt-2", {"If-Match": '"5120"'})):
        seen = me.get(f"/meters/{meter}")
        at.need("etag" not in seen.fields and "last-modified" not in seen.fields)
        me.put(f"/meters/{meter}", {**seen.json, "kwh": 5188}, 400, guard)
        at.pause(0.5)
    since = {"If-Unmodified-Since": seen.fields["date"]}
    me.put("/meters/mt-2", {**seen.json, "kwh": 5188}, 400, since)
    me.put("/meters/mt-2", {**seen.json, "kwh": 5188}, 200)
    me.get("/meters/mt-2")
