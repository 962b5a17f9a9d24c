"""Stories on dates as validators."""

from __future__ import annotations

import datetime as dt
import os
import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.dan_desk import Res, desk
from tools.recording_apis.stage import case
from tools.recording_apis.stories import dan_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.apps.vic_core import Doc, Req
    from tools.recording_apis.stage import Stage

_FORM = "%a, %d %b %Y %H:%M:%S GMT"


@case(
    "d524",
    "dan-milliseconds-under-the-header",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "A parcel service stores changes to the millisecond (updatedAt) and compares If-Unmodified-Since with that: the echoed "
        "Last-Modified is always a fraction too early and is refused, record after record; one second more passes."
    ),
)
def milliseconds(stage: Stage) -> None:
    """Echo a date without its fraction."""
    docs = {f"/parcels/{n}": {"id": n, "state": "packed"} for n in ("P1", "P2", "P3", "P4")}
    box = desk(docs, None, {"/depots/kb": {"open": True}}, dates=True, age=5400.377)

    def show(_req: Req, path: str, doc: Doc) -> Res:
        moment = dt.datetime.fromtimestamp(doc.at, dt.UTC).isoformat(timespec="milliseconds")
        return Res(200, {**doc.data, "updatedAt": moment.replace("+00:00", "Z")}, box.marks(path, doc))

    box.show = show
    box.unchanged = lambda since, doc: int(doc.at * 1000) <= parsedate_to_datetime(since).timestamp() * 1000
    box.say = {412: {"error": "record_changed", "since": "If-Unmodified-Since"}}
    server = at.open_box(stage, box, "aiohttp")
    me = stage.actor("client", server, "api.pakkeri.example", "requests", {"User-Agent": "wms-connector/3.0"})
    at.reads(me, "/depots/kb", "/parcels")
    for parcel in ("P1", "P3", "P1", "P4"):
        seen = me.get(f"/parcels/{parcel}")
        since = {"If-Unmodified-Since": seen.fields["last-modified"]}
        me.send("PATCH", f"/parcels/{parcel}", 412, since, {"state": "sent"})
        at.rest(0.2)
    me.get("/depots/kb")
    later = parsedate_to_datetime(seen.fields["last-modified"]) + dt.timedelta(seconds=1)
    me.send("PATCH", "/parcels/P4", 200, {"If-Unmodified-Since": later.strftime(_FORM)}, {"state": "sent"})
    me.get("/parcels/P2")


@case(
    "d525",
    "dan-scanner-half-an-hour-ahead",
    "clock-skew",
    "lost-update",
    alone="clock-skew",
    description=(
        "A hand scanner sends the time of its own clock in If-Unmodified-Since; the clock is 34 minutes ahead of the server's Date, "
        "so that the condition holds whatever happens: a count that the office corrected after the scanner's read is overwritten."
    ),
)
def scanner(stage: Stage) -> None:
    """Send one's own time, which is in the future."""
    docs = {f"/counts/{n}": {"shelf": n, "count": 40, "note": ""} for n in ("A-1", "A-2", "B-1")}
    box = desk(docs, None, {"/shifts/today": {"lead": "Mo"}}, dates=True, age=7300.0)
    server = at.open_box(stage, box, "cheroot")
    me = stage.actor(
        "client", server, "count.regalo.example", "httpx", {"User-Agent": "ScanGun/2.2 (Android 9)"}
    )
    other = stage.actor("other", server, "count.regalo.example", "requests", {"User-Agent": "office/1"})

    def own() -> dict[str, str]:
        return {"If-Unmodified-Since": formatdate(time.time() + 2043, usegmt=True)}

    at.reads(me, "/shifts/today", "/counts")
    for shelf in ("A-1", "A-2"):
        seen = me.get(f"/counts/{shelf}")
        if shelf == "A-2":
            theirs = other.get("/counts/A-2")
            since = {"If-Unmodified-Since": theirs.fields["last-modified"]}
            other.put("/counts/A-2", at.over(theirs, count=52, note="recounted"), 200, since)
            at.rest(1.4)
        me.put(f"/counts/{shelf}", at.over(seen, count=seen.json["count"] - 1), 200, own())
        at.rest(0.4)
    now = me.get("/counts/A-2")
    at.sure(now.json["note"] == "")
    me.get("/counts/B-1")
    me.put("/counts/B-1", {"shelf": "B-1", "count": 12, "note": ""}, 200, own())
    me.get("/shifts/today")


@case(
    "d549",
    "dan-iso-time-in-a-header",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "An importer fills If-Unmodified-Since with an ISO 8601 time taken from its own table; that is no HTTP-date, the server has to "
        "ignore it, and a nurse's change between read and write is overwritten with 200."
    ),
)
def iso_time(stage: Stage) -> None:
    """Send a date in a form that is ignored."""
    docs = {f"/wards/beds/{n}": {"bed": n, "patient": None, "diet": "normal"} for n in (11, 12, 13, 14)}
    box = desk(docs, None, {"/wards/info": {"ward": "B"}}, dates=True)
    server = at.open_box(stage, box, "waitress")
    me = stage.actor("client", server, "ward.klinik.example", "aiohttp", {"User-Agent": "his-import/1.1"})
    other = stage.actor("other", server, "ward.klinik.example", "node:fetch", at.BROWSER)
    at.reads(me, "/wards/info", "/wards/beds")
    rows = {n: me.get(f"/wards/beds/{n}") for n in (11, 12, 13, 14)}
    theirs = other.get("/wards/beds/13")
    other.put(
        "/wards/beds/13",
        at.over(theirs, diet="no nuts"),
        200,
        {"If-Unmodified-Since": theirs.fields["last-modified"]},
    )
    at.rest(1.2)
    for n, seen in rows.items():
        moment = parsedate_to_datetime(seen.fields["last-modified"]).strftime("%Y-%m-%dT%H:%M:%SZ")
        me.put(f"/wards/beds/{n}", at.over(seen, patient=f"c{n}"), 200, {"If-Unmodified-Since": moment})
        at.rest(0.1)
    now = me.get("/wards/beds/13")
    at.sure(now.json["diet"] == "normal")
    at.reads(me, "/wards/beds/11", "/wards/info")
    other.get("/wards/beds/13")


@case(
    "d577",
    "dan-local-time-called-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A publishing script in Montevideo turns the served Last-Modified into local time and writes GMT behind it: three hours early, "
        "to the second. lighttpd's mod_webdav refuses each upload; with the served value as it is, the upload passes."
    ),
)
def local_time(stage: Stage) -> None:
    """Send the served date three hours early."""
    files: dict[str, str | bytes] = {f"site/{n}.txt": f"page {n}\n" * 5 for n in ("index", "tours", "prices")}
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"])
    for one in (server.directory / "site").iterdir():
        moment = int(time.time()) - 86000 - len(one.name)
        os.utime(one, (moment, moment))
    me = stage.actor("client", server, "www.costera.example", "curl:trace-time")
    me.get("/site/index.txt")
    text = {"Content-Type": "text/plain"}
    for name in ("tours", "prices", "tours"):
        seen = me.get(f"/site/{name}.txt")
        local = parsedate_to_datetime(seen.fields["last-modified"]) - dt.timedelta(hours=3)
        me.put(
            f"/site/{name}.txt",
            f"{seen.text}new\n",
            412,
            {**text, "If-Unmodified-Since": local.strftime(_FORM)},
        )
        at.rest(0.2)
    me.get("/site/index.txt", 304, {"If-Modified-Since": seen.fields["last-modified"]})
    since = {"If-Unmodified-Since": seen.fields["last-modified"]}
    me.put("/site/tours.txt", f"{seen.text}new\n", 204, {**text, **since})
    me.get("/site/tours.txt")
