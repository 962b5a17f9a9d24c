"""Dates and lists that servers judge in their own way, and checks that are no locks."""

from __future__ import annotations

import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.ria_desk import Desk, digest, revision
from tools.recording_apis.apps.ria_ground import Ask, Reply, serve
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.ria_setting import arrive, linger, need, rest, together

if TYPE_CHECKING:
    from typing import Any


@case(
    "b835",
    "ria-two-workers-both-pass-the-check",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    description=(
        "A stock service compares the tag, works for a while and then stores. Two workers of one warehouse with the "
        "same tag overlap and both get 200; the first one's booking is gone. In turns an old tag is refused, and that is healed."
    ),
)
def both(stage: Stage) -> None:
    """Let two writes pass one check."""

    class Slow(Desk):
        """Judge first, store later, without a lock."""

        def write(self, path: str, ask: Ask) -> Reply:
            if wrong := self.judge(path, ask):
                return self.refused(wrong, path, ask)
            time.sleep(0.3)
            self.store(path, ask.json)
            return Reply(200, ask.json, {"ETag": digest(path, ask.json, self.version[path])})

    bin_ = {"bin": "R4-07", "sku": "M6x30", "booked": [{"order": 900, "qty": 20}], "left": 480}
    server = serve(stage, Slow({"/bins/r4-07": bin_, "/bins/r4-08": {**bin_, "bin": "R4-08"}}), "cheroot")
    me = stage.actor("client", server, "lager.schrauben.test", "requests", {"X-Site": "Hagen"})
    me.get("/bins")
    eight = me.get("/bins/r4-08").etag
    me.put("/bins/r4-08", {**bin_, "bin": "R4-08", "left": 470}, 200, {"If-Match": eight, "X-Worker": "w1"})
    me.put("/bins/r4-08", {**bin_, "bin": "R4-08", "left": 460}, 412, {"If-Match": eight, "X-Worker": "w2"})
    now = me.get("/bins/r4-08")
    me.put("/bins/r4-08", {**now.json, "left": 460}, 200, {"If-Match": now.etag, "X-Worker": "w2"})
    tag = me.get("/bins/r4-07").etag
    one = {**bin_, "booked": [*bin_["booked"], {"order": 911, "qty": 50}], "left": 430}  # type: ignore[misc]
    two = {**bin_, "booked": [*bin_["booked"], {"order": 912, "qty": 10}], "left": 470}  # type: ignore[misc]
    together(
        lambda: me.put("/bins/r4-07", one, 200, {"If-Match": tag, "X-Worker": "w1"}),
        lambda: me.put("/bins/r4-07", two, 200, {"If-Match": tag, "X-Worker": "w2"}),
        apart=0.05,
    )
    need(me.get("/bins/r4-07").json == two, "nothing was lost")


@case(
    "b836",
    "ria-microseconds-against-seconds",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "A parish register compares If-Unmodified-Since with a time that has microseconds: the echo of its own "
        "Last-Modified is refused each time, a date one second later passes. Nobody else writes."
    ),
)
def microseconds(stage: Stage) -> None:
    """Echo a date that has lost its fraction."""

    class Fine(Desk):
        """Compare dates with all digits, and show them in the text."""

        def show(self, path: str, ask: Ask) -> Reply:
            made = super().show(path, ask)
            made.fields.pop("ETag", None)
            if path in self.docs:
                moment = self.moment[path]
                text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f"{moment % 1:.6f}"[1:] + "Z"
                made.body = {**self.docs[path], "updated_at": text}
            return made

        def dates(self, path: str, since: str) -> int:
            return (
                412
                if self.moment[path] > time.mktime(time.strptime(since[:25], "%a, %d %b %Y %H:%M:%S"))
                else 0
            )

    entry: dict[str, Any] = {"book": "Taufen 1911", "folio": "88v", "name": "Anna Huber", "read_by": None}
    desk = Fine(
        {"/entries/1911-88v": entry, "/entries/1911-89r": {**entry, "folio": "89r"}}, dated=True, echo=False
    )
    me = stage.actor(
        "client", serve(stage, desk, "flask"), "matriken.bistum.test", "urllib", {"X-Reader": "huber"}
    )
    me.get("/entries")
    seen = me.get("/entries/1911-88v")
    date = seen.fields["last-modified"]
    me.put("/entries/1911-88v", {**entry, "read_by": "ph"}, 412, {"If-Unmodified-Since": date})
    again = me.get("/entries/1911-88v")
    need(again.body == seen.body, "it has moved")
    me.put("/entries/1911-88v", {**entry, "read_by": "ph"}, 412, {"If-Unmodified-Since": date})
    rest(0.3)
    later = formatdate(int(desk.moment["/entries/1911-88v"]) + 1, usegmt=True)
    me.put("/entries/1911-88v", {**entry, "read_by": "ph"}, 200, {"If-Unmodified-Since": later})


@case(
    "b837",
    "ria-server-clock-runs-ahead",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "The clock of an irrigation controller's server is 23 minutes ahead. The client sends its own time of reading "
        "as If-Unmodified-Since, always earlier than Last-Modified; the echo of the server's date passes."
    ),
)
def ahead(stage: Stage) -> None:
    """Send one's own clock's time to a server whose clock is ahead."""
    offset = 23 * 60

    class Ahead(Desk):
        """Live 23 minutes in the future."""

        def store(self, path: str, doc: object) -> None:
            super().store(path, doc)
            self.moment[path] += offset

        def __call__(self, ask: Ask) -> Reply:
            made = super().__call__(ask)
            made.fields["Date"] = formatdate(time.time() + offset, usegmt=True)
            made.fields.pop("ETag", None)
            return made

    valve = {"valve": "V-12", "open_min": 15, "from": "05:30", "zone": "lawn"}
    desk = Ahead({"/valves/v12": valve, "/valves/v13": {**valve, "valve": "V-13"}}, dated=True)
    desk.moment = dict.fromkeys(desk.docs, time.time() + offset - 420)
    me = stage.actor(
        "client", serve(stage, desk, "waitress"), "bewaesserung.gut.test", "requests", {"X-App": "ios"}
    )
    linger(me)
    me.get("/valves")
    for minutes in (20, 25):
        me.get("/valves/v12")
        now = formatdate(time.time(), usegmt=True)
        me.put("/valves/v12", {**valve, "open_min": minutes}, 412, {"If-Unmodified-Since": now})
        rest(0.8)
    date = me.get("/valves/v12").fields["last-modified"]
    linger(me)
    me.put("/valves/v12", {**valve, "open_min": 25}, 200, {"If-Unmodified-Since": date})


@case(
    "b847",
    "ria-second-value-of-a-list-is-not-seen",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A media archive compares only the first tag of If-Match. A client that may build on either of two known "
        "versions sends both; with the current one second it is refused, with the order turned it is accepted."
    ),
)
def listed(stage: Stage) -> None:
    """Send a list of which only the first is looked at."""

    class First(Desk):
        """Look at the first tag of a list."""

        def judge(self, path: str, ask: Ask) -> int:
            sent = ask.fields.get("if-match", "").split(",")[0].strip()
            return 412 if sent and sent != self.tag(path) else 0

    clip = {"clip": "C-77", "title": "Hafen, Luftbild", "in": "00:00:04:12", "out": "00:01:10:00"}
    desk = First({"/clips/c77": clip, "/clips/c78": {**clip, "clip": "C-78"}}, tag=revision, first=9)
    me = stage.actor(
        "client", serve(stage, desk, "aiohttp"), "archiv.sender.test", "node:axios", {"X-Edit": "suite 4"}
    )
    arrive(me)
    me.get("/clips")
    old = me.get("/clips/c77").etag
    mine = {**clip, "out": "00:01:08:00"}
    new = me.put("/clips/c77", mine, 200, {"If-Match": old}).etag
    me.get("/clips/c77")
    titled = {**mine, "title": "Hafen bei Nacht"}
    me.put("/clips/c77", titled, 412, {"If-Match": f"{old}, {new}"})
    need(me.get("/clips/c77").etag == new, "another write")
    me.put("/clips/c77", titled, 200, {"If-Match": f"{new}, {old}"})
    me.get("/clips/c78")


@case(
    "b839",
    "ria-local-time-called-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A New York client turns Apache's Last-Modified into local time and writes GMT behind it: five hours early, "
        "minutes and seconds right. Both of its saves are refused though nothing has changed."
    ),
)
def newyork(stage: Stage) -> None:
    """Send a local time as GMT."""
    files = {
        "briefs/dock-114.txt": "Dkt. 114: motion to compel\n",
        "briefs/dock-115.txt": "Dkt. 115: reply\n",
    }
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"] + "\nFileETag None", age=9_000)
    me = stage.actor("client", server, "dav.lawfirm.test", "java", {"X-Matter": "2217"})
    for name, text in files.items():
        served = me.get(f"/{name}").fields["last-modified"]
        local = formatdate(parsedate_to_datetime(served).timestamp() - 5 * 3600, usegmt=True)
        me.put(
            f"/{name}", text + "Filed.\n", 412, {"If-Unmodified-Since": local, "Content-Type": "text/plain"}
        )
        need(me.get(f"/{name}").fields["last-modified"] == served, "it has moved")
        rest(0.3)
