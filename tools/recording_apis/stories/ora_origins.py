"""Servers that make or judge validators in ways of their own, and dates."""

from __future__ import annotations

import datetime as dt
import threading
import time
from email.utils import formatdate, parsedate_to_datetime

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ora_setting as place

_TEXT = {"Content-Type": "text/plain"}


@case(
    "b607",
    "ora-tag-with-every-rendering",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "A glacier station's service makes its tags at rendering: every read of the same bytes, with the same "
        "Last-Modified, names another one, conditional reads are never 304, and each write is refused."
    ),
)
def rendering(stage: Stage) -> None:
    """Read different tags of the same bytes."""
    docs = {f"/stakes/{n}": place.record(stake=n, ice=2.1, snow=0.4) for n in (5, 6)}
    server = place.house(stage, docs, "waitress", unstable=1)
    me = stage.actor(
        "client", fronts.apache(stage, server), "stakes.gletscher.test", "httpx", place.basic("station")
    )
    held = place.look_around(me, ["/stakes/5", "/stakes/6"], 3)
    me.put("/stakes/5", {"stake": 5, "ice": 2.0, "snow": 0.6}, 412, {"If-Match": held["/stakes/5"]})
    seen = me.get("/stakes/5")
    me.put("/stakes/5", {"stake": 5, "ice": 2.0, "snow": 0.6}, 412, {"If-Match": seen.etag})
    place.require(holds=me.get("/stakes/5").body == seen.body, otherwise="changed")


@case(
    "b608",
    "ora-head-answers-with-another-tag",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "A watchmaker's client asks for the tag by HEAD before it writes, to save traffic; HEAD makes the tag from "
        "size and time, GET and PUT from the content, so the write is refused though nothing has changed."
    ),
)
def head(stage: Stage) -> None:
    """Take the tag from HEAD."""
    docs = {
        f"/watches/{n}": place.record(ref=n, state="cleaned", parts=[]) for n in ("116610", "3570", "6139")
    }
    docs |= place.side("/customers", 4)
    server = place.house(stage, docs, "aiohttp", tag="md5", head="apache")
    me = stage.actor(
        "client",
        fronts.traefik(stage, [server]),
        "watches.uhrmacher.test",
        "requests",
        place.bearer("werkbank"),
    )
    me.get("/watches")
    place.day(me, place.paths("/customers", 4), 18, seed=40)
    seen = me.get("/watches/3570")
    time.sleep(0.4)
    tag = me.send("HEAD", "/watches/3570", 200).etag
    me.put("/watches/3570", {**seen.json, "state": "oiled"}, 412, {"If-Match": tag})
    me.send("HEAD", "/watches/3570", 200)
    place.require(holds=me.get("/watches/3570").etag == seen.etag != tag, otherwise="one tag")


@case(
    "b609",
    "ora-tomcat-never-matches-itself",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Tomcat's own servlet names weak tags only, to an identity read as well; a save of a floor plan with such a "
        "tag is refused whenever it is tried, and the tag stays as it was."
    ),
)
def tomcat(stage: Stage) -> None:
    """Send Tomcat's weak tag back."""
    server = stage.server("tomcat")
    root = server.directory / "webapps" / "ROOT"
    fronts.put_file(root, "plans/eg.txt", "Foyer 120 qm\nKasse\n" * 4, 5000)
    fronts.put_file(root, "plans/og.txt", "Saal 300 qm\n" * 4, 5000)
    me = stage.actor("client", server, "plans.messe.test", "curl", {"Accept-Encoding": "identity"})
    me.get("/plans/og.txt")
    seen = me.get("/plans/eg.txt")
    me.put("/plans/eg.txt", seen.text + "Garderobe\n", 412, {"If-Match": seen.etag, **_TEXT})
    time.sleep(1.5)
    again = me.get("/plans/eg.txt")
    me.put("/plans/eg.txt", seen.text + "Garderobe\n", 412, {"If-Match": again.etag, **_TEXT})
    me.get("/plans/eg.txt", 304, {"If-None-Match": again.etag})


@case(
    "b610",
    "ora-page-tag-for-the-data",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A co-op's browser plugin reads a room with Accept: text/html and stores it as JSON with that tag; the same "
        "room read as JSON has another tag, with which the save is taken."
    ),
)
def page(stage: Stage) -> None:
    """Read as one type and write as another."""
    docs: dict[str, dict[str, object]] = {f"/rooms/{n}": {"name": n, "seats": 8} for n in ("rot", "blau")}
    docs |= place.plain_side("/desks", 3)
    server = place.rooms(stage, docs, twin=1)
    me = stage.actor("client", server, "rooms.coworking.test", "node:fetch", {"Cookie": "s=81f0"})
    html, data = {"Accept": "text/html"}, {"Accept": "application/json"}
    place.day(me, place.paths("/desks", 3), 17, seed=41, fields=data)
    seen = me.get("/rooms/blau", 200, html)
    me.get("/rooms/rot", 200, html)
    me.put("/rooms/blau", {"name": "blau", "seats": 10}, 412, {**data, "If-Match": seen.etag})
    again = me.get("/rooms/blau", 200, html)
    place.require(holds=again.etag == seen.etag, otherwise="moved")
    fresh = me.get("/rooms/blau", 200, data)
    me.put("/rooms/blau", {"name": "blau", "seats": 10}, 200, {**data, "If-Match": fresh.etag})


@case(
    "b611",
    "ora-second-save-within-a-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "An author saves on Apache's mod_dav, reads at once and gets the tag weak, since the file is younger than a "
        "second; the save with it is refused. Two seconds later the same tag is strong and the save goes through."
    ),
)
def settled(stage: Stage) -> None:
    """Save again too soon."""
    server = place.dav(stage, {"roman/k1.txt": "Es war\n", "roman/k2.txt": "Dann\n"})
    me = stage.actor("client", server, "dav.autorin.test", "httpx", place.basic("autorin"))
    me.get("/roman/k2.txt")
    seen = me.get("/roman/k1.txt")
    me.put("/roman/k1.txt", "Es war einmal\n", 204, {"If-Match": seen.etag, **_TEXT})
    young = me.get("/roman/k1.txt")
    place.require(holds=young.etag.startswith("W/"), otherwise=young.etag)
    me.put("/roman/k1.txt", "Es war einmal ein\n", 412, {"If-Match": young.etag, **_TEXT})
    time.sleep(2.3)
    old = me.get("/roman/k1.txt")
    place.require(holds=young.etag == f"W/{old.etag}", otherwise=old.etag)
    me.put("/roman/k1.txt", "Es war einmal ein\n", 204, {"If-Match": old.etag, **_TEXT})


@case(
    "b612",
    "ora-wildcard-means-nothing-here",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A fish market's service does not know the wildcard: If-Match: * on lots that exist (200 before and after, "
        "nothing changed) is 412, with the lot's own tag it is 200."
    ),
)
def wildcard(stage: Stage) -> None:
    """Send a wildcard for what exists."""
    docs = {f"/lots/{n}": place.record(fish="Scholle", kg=n) for n in (12, 18, 25)}
    docs |= place.side("/boats", 4)
    server = place.house(stage, docs, "cheroot", star=1, tag="uuid")
    me = stage.actor(
        "client", fronts.caddy(stage, server), "lots.fischmarkt.test", "aiohttp", place.bearer("waage-1")
    )
    me.get("/lots")
    place.day(me, place.paths("/boats", 4), 17, seed=42, users=("waage", "auktion", "kai"))
    for number in (12, 18):
        seen = me.get(f"/lots/{number}")
        me.put(f"/lots/{number}", {**seen.json, "kg": number + 1}, 412, {"If-Match": "*"})
        place.require(holds=me.get(f"/lots/{number}").etag == seen.etag, otherwise="moved")
    me.put("/lots/18", {**seen.json, "kg": 19}, 200, {"If-Match": seen.etag})


@case(
    "b613",
    "ora-refused-after-it-was-stored",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "A bookbinder's service checks again after it has stored: the first and only save is answered 412, at once, "
        "and the next read shows it stored, with the client's own job number, under a new tag."
    ),
)
def stored(stage: Stage) -> None:
    """Be refused after the commit."""
    docs = {f"/bindings/{n}": place.record(title=f"Band {n}", cloth="red", job="") for n in (1, 2, 3)}
    server = place.house(stage, docs, "gunicorn", late=1, tag="short", form="text")
    me = stage.actor("client", server, "bindings.buchbinder.test", "urllib", place.basic("meister"))
    me.get("/bindings")
    me.get("/bindings/1")
    for number in (2, 3):
        time.sleep(19)
        seen = me.get(f"/bindings/{number}")
        body = {**seen.json, "cloth": "linen", "job": f"j-77{number}"}
        me.put(f"/bindings/{number}", body, 412, {"If-Match": seen.etag})
        place.require(holds=me.get(f"/bindings/{number}").json == body, otherwise="not stored")


@case(
    "b614",
    "ora-nginx-dav-does-not-look",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped server-precondition-bug",
    description=(
        "nginx's DAV module reads no If-Match on PUT: a hut warden's save with an outdated tag, after the newer one "
        "was seen, is 204, and the neighbour's line is gone. There is nothing in between."
    ),
)
def unread(stage: Stage) -> None:
    """Save with an outdated tag on nginx."""
    server = place.dav(stage, {"huette/buch.txt": "Mo 12 Gaeste\n", "huette/holz.txt": "4 fm\n"}, "nginx")
    me = stage.actor("client", server, "dav.alpenverein.test", "requests", place.basic("wart"))
    other = stage.actor("other", server, "dav.alpenverein.test", "urllib", place.basic("nachbar"))
    me.get("/huette/holz.txt")
    seen = me.get("/huette/buch.txt")
    theirs = other.get("/huette/buch.txt")
    other.put("/huette/buch.txt", theirs.text + "Di 7 Gaeste\n", 204, {"If-Match": theirs.etag})
    time.sleep(1.6)
    place.require(holds=me.get("/huette/buch.txt").etag != seen.etag, otherwise="the same")
    me.put("/huette/buch.txt", seen.text + "Mi 9 Gaeste\n", 204, {"If-Match": seen.etag})
    place.require(holds="Di" not in me.get("/huette/buch.txt").text, otherwise="nothing lost")


@case(
    "b615",
    "ora-check-and-write-apart",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    description=(
        "A ticket office's service checks, and writes a third of a second later without a lock. Two windows of one "
        "client book with the same tag at once and both get 200; one booking is gone. In turn, an old tag is 412."
    ),
)
def apart(stage: Stage) -> None:
    """Write twice with one tag at once."""
    docs = {f"/rows/{n}": place.record(row=n, a="", b="", c="") for n in range(1, 5)}
    server = place.house(stage, docs, "gunicorn", gap=0.35, tag="md5")
    me = stage.actor("client", server, "rows.kleinkunst.test", "urllib", place.bearer("kasse"))
    first = me.get("/rows/1")
    me.put("/rows/1", {**first.json, "a": "Lenz"}, 200, {"If-Match": first.etag, "X-Window": "1"})
    me.put("/rows/1", {**first.json, "b": "Ott"}, 412, {"If-Match": first.etag, "X-Window": "2"})
    time.sleep(33)
    seen = me.get("/rows/2")

    def book(seat: str, name: str, window: str) -> None:
        me.put("/rows/2", {**seen.json, seat: name}, 200, {"If-Match": seen.etag, "X-Window": window})

    both = [threading.Thread(target=book, args=one) for one in (("a", "Kurz", "1"), ("b", "Lang", "2"))]
    for one in both:
        one.start()
        time.sleep(0.06)
    for one in both:
        one.join()
    now = me.get("/rows/2").json
    place.require(holds=not (now["a"] and now["b"]), otherwise=now)


@case(
    "b616",
    "ora-dates-to-the-nanosecond",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "A ferry line's Java service compares the sheet's time with its fraction to a date of whole seconds: the "
        "exact echo of Last-Modified is refused, a date one second later passes, on sheets nobody has touched for a day."
    ),
)
def nano(stage: Stage) -> None:
    """Echo a date that has lost its fraction."""
    sheets = {"/tariffs/insel": "erw 14\nkind 7\n", "/tariffs/auto": "bis 4m 55\n"}
    server = place.tide(stage, sheets, "nano")
    me = stage.actor("client", server, "tariffs.inselfaehre.test", "httpx", {"X-Clerk": "buero"})
    me.get("/tariffs")
    for name in ("insel", "auto"):
        seen = me.get(f"/tariffs/{name}")
        guard = {"If-Unmodified-Since": seen.fields["last-modified"], **_TEXT}
        me.put(f"/tariffs/{name}", seen.text + "hund 5\n", 412, guard)
    place.require(holds=me.get("/tariffs/auto").etag == seen.etag, otherwise="moved")
    moment = parsedate_to_datetime(seen.fields["last-modified"]) + dt.timedelta(seconds=1)
    guard = {"If-Unmodified-Since": formatdate(moment.timestamp(), usegmt=True), **_TEXT}
    me.put("/tariffs/auto", seen.text + "hund 5\n", 204, guard)


@case(
    "b617",
    "ora-station-clock-runs-behind",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A weather hut's computer runs twenty minutes behind and guards each save with its own time of reading; "
        "everything that was stored in the last twenty minutes by itself is 'modified since'. The server's Date shows "
        "the difference."
    ),
)
def behind(stage: Stage) -> None:
    """Guard with a clock that is wrong."""
    docs = {f"/hut/{n}": place.record(what=n, value=1.0) for n in ("pegel", "wind")}
    server = place.house(stage, docs, "cheroot", dates=1, clock="+20m")
    me = stage.actor("client", server, "hut.wetterdienst.test", "requests", {"User-Agent": "hut-logger/1.9"})

    def now() -> dict[str, str]:
        return {"If-Unmodified-Since": formatdate(time.time(), usegmt=True)}

    me.get("/hut")
    seen = me.get("/hut/pegel")
    me.put("/hut/pegel", {**seen.json, "value": 1.2}, 200, now())
    for value in (1.3, 1.4):
        time.sleep(1.2)
        me.get("/hut/pegel")
        me.put("/hut/pegel", {**seen.json, "value": value}, 412, now())
    me.get("/hut/wind")


@case(
    "b618",
    "ora-iso-date-refused",
    "bad-date",
    "412",
    alone="bad-date",
    description=(
        "A clerk's program writes If-Unmodified-Since as ISO 8601; the Java service cannot read it and answers 412, "
        "each time, though nothing has changed; the served date as it stands is accepted."
    ),
)
def iso(stage: Stage) -> None:
    """Send a date in another form."""
    sheets = {"/tariffs/nacht": "zuschlag 3\n", "/tariffs/tag": "zuschlag 0\n"}
    server = place.tide(stage, sheets, "lax")
    me = stage.actor("client", server, "tariffs.taxi.test", "node:axios", place.basic("zentrale"))
    me.get("/tariffs/tag")
    seen = me.get("/tariffs/nacht")
    moment = parsedate_to_datetime(seen.fields["last-modified"]).strftime("%Y-%m-%dT%H:%M:%SZ")
    for _ in range(2):
        me.put("/tariffs/nacht", "zuschlag 3.5\n", 412, {"If-Unmodified-Since": moment, **_TEXT})
        place.require(holds=me.get("/tariffs/nacht").etag == seen.etag, otherwise="moved")
    guard = {"If-Unmodified-Since": seen.fields["last-modified"], **_TEXT}
    me.put("/tariffs/nacht", "zuschlag 3.5\n", 204, guard)


@case(
    "b619",
    "ora-local-time-called-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A quarry's scale stores with If-Unmodified-Since five hours before the served Last-Modified, to the second: "
        "its local time with GMT behind it. Refused for each load; the loads are unchanged."
    ),
)
def local(stage: Stage) -> None:
    """Send local time as GMT."""
    docs = {f"/loads/{n}": place.record(6 * 3600.0 * (1 + n % 3), load=n, tons=18.2) for n in (31, 32, 33)}
    server = place.house(stage, docs, "aiohttp", dates=1, form="xml")
    me = stage.actor(
        "client", fronts.lighttpd(stage, server), "loads.steinbruch.test", "java", place.bearer("waage")
    )
    me.get("/loads")
    for number in (31, 32, 33):
        seen = me.get(f"/loads/{number}")
        moment = parsedate_to_datetime(seen.fields["last-modified"]) - dt.timedelta(hours=5)
        guard = {"If-Unmodified-Since": formatdate(moment.timestamp(), usegmt=True)}
        me.put(f"/loads/{number}", {**seen.json, "tons": 18.4}, 412, guard)
    place.require(holds=me.get("/loads/33").body == seen.body, otherwise="changed")
