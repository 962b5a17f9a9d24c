"""Stories on web servers with files, as they come."""

from __future__ import annotations

import datetime as dt
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_fay_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_ASK = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/><D:getlastmodified/></D:prop></D:propfind>'
_DEPTH = {"Depth": "1", "Content-Type": "application/xml"}


@case(
    "e440",
    "fay-menu-upload-with-a-create-guard",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A canteen's script reads the week's menu on Apache's DAV, changes Thursday and puts it back with "
        "If-None-Match: *, twice; the new week's file goes in with the same field, as it should."
    ),
)
def menu(stage: Stage) -> None:
    """Guard an update as if it were a create."""
    weeks = {f"speiseplan/kw{n}.txt": f"Mo Linsen\nDi Fisch\nDo Reis {n}\n" for n in (47, 48)}
    server = fronts.site(stage, "apache2", {**weeks, "index.html": "<p>Kantine</p>"}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "kantine.werk-sued.example", "urllib", {"Accept": "text/plain"})
    me.send("PROPFIND", "/speiseplan/", 207, _DEPTH, _ASK)
    me.get("/speiseplan/kw47.txt")
    seen = me.get("/speiseplan/kw48.txt")
    guard = {"If-None-Match": "*", "Content-Type": "text/plain"}
    me.put("/speiseplan/kw49.txt", "Mo Suppe\n", 201, guard)
    text = seen.text.replace("Do Reis", "Do Nudeln")
    me.put("/speiseplan/kw48.txt", text, 412, guard)
    me.get("/speiseplan/kw47.txt", 304, {"If-None-Match": me.get("/speiseplan/kw47.txt").etag})
    place.wait(0.7)
    place.sure(me.get("/speiseplan/kw48.txt").etag == seen.etag)
    me.put("/speiseplan/kw48.txt", text, 412, guard)


@case(
    "e442",
    "fay-answer-of-a-put-never-came",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A survey boat uploads depth lines to Apache's DAV under If-Match; the connection breaks after the server "
        "took the file, and the repetition with the same tag is refused. The file holds what the boat sent."
    ),
)
def soundings(stage: Stage) -> None:
    """Lose the answer of a write."""
    files = {f"sonde/leg{n}.dat": f"{n} 12.4 11.9 {'10.0 ' * n}\n" for n in (1, 2, 3)}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "shore.hydro.test", "requests", loses=place.loses("PUT", "leg2"))
    me.send("PROPFIND", "/sonde/", 207, _DEPTH, _ASK)
    tags = {n: me.get(f"/sonde/leg{n}.dat") for n in (1, 2, 3)}
    me.put("/sonde/leg1.dat", tags[1].text + "12.2\n", 204, {"If-Match": tags[1].etag})
    mine = tags[2].text + "14.81 15.07 rock?\n"
    me.put("/sonde/leg2.dat", mine, 0, {"If-Match": tags[2].etag})
    place.wait(0.8)
    me.get("/sonde/leg3.dat", 304, {"If-None-Match": tags[3].etag})
    place.wait(0.8)
    me.put("/sonde/leg2.dat", mine, 412, {"If-Match": tags[2].etag})
    me.put("/sonde/leg3.dat", tags[3].text + "9.4\n", 204, {"If-Match": tags[3].etag})
    place.sure(me.get("/sonde/leg2.dat").text == mine)


@case(
    "e446",
    "fay-mirror-percent-codes-its-tags",
    "malformed-validator",
    "never-304",
    alone="malformed-validator",
    description=(
        "A mirror keeps tags in file names and sends them back with %22 for the quotes: nginx never answers 304, and "
        "the same two lists are fetched again at every round; the script's third file, whose tag is sent as it came, is 304."
    ),
)
def mirror(stage: Stage) -> None:
    """Send percent-coded tags in If-None-Match."""
    files = {f"lists/{name}.txt": f"{name} 127.0.0.1\n" * 40 for name in ("ads", "bots")} | {
        "lists/SERIAL.txt": "881\n"
    }
    server = fronts.site(stage, "nginx", files)
    me = stage.actor("client", server, "pull.filters.example", "curl")
    kept = {name: me.get(f"/lists/{name}.txt").etag for name in ("ads", "bots", "SERIAL")}
    for _ in range(3):
        place.wait(0.3)
        me.get("/lists/SERIAL.txt", 304, {"If-None-Match": kept["SERIAL"]})
        for name in ("ads", "bots"):
            coded = kept[name].replace('"', "%22")
            place.sure(me.get(f"/lists/{name}.txt", 200, {"If-None-Match": coded}).etag == kept[name])


@case(
    "e448",
    "fay-two-hands-on-a-rota",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "Two nurses' desks keep a rota as a file on lighttpd and put it without a condition. The first had read an "
        "older file than its listing shows just before the PUT; the other's swap is gone from the file afterwards."
    ),
)
def rota(stage: Stage) -> None:
    """Write over a newer file without a condition."""
    files = {
        "rota/ward3.txt": "mon,ana\ntue,bo\nwed,cy\n",
        "rota/ward4.txt": "mon,di\n",
        "rota/README.txt": "csv\n",
    }
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"])
    me = stage.actor("client", server, "wards.stlukes.test", "httpx", {"Accept": "*/*"})
    him = stage.actor("other", server, "wards.stlukes.test", "node:fetch")
    me.send("PROPFIND", "/rota/", 207, _DEPTH, _ASK)
    seen = me.get("/rota/ward3.txt")
    me.get("/rota/ward4.txt")
    his = him.get("/rota/ward3.txt").text
    place.wait(0.4)
    him.put("/rota/ward3.txt", his.replace("wed,cy", "wed,eli"), 204, {"Content-Type": "text/plain"})
    him.send(
        "PUT", "/rota/changes.txt", 201, {"Content-Type": "text/plain"}, "ward3 wed: cy -> eli (agreed, EK)\n"
    )
    place.wait(0.8)
    me.get("/rota/ward4.txt", 304, {"If-None-Match": me.get("/rota/ward4.txt").etag})
    place.sure(seen.etag not in me.send("PROPFIND", "/rota/", 207, _DEPTH, _ASK).text)
    me.put("/rota/ward3.txt", seen.text.replace("mon,ana", "mon,fay"), 204, {"Content-Type": "text/plain"})
    me.get("/rota/changes.txt")
    place.sure("eli" not in me.get("/rota/ward3.txt").text)


@case(
    "e457",
    "fay-notice-board-changed-within-the-second",
    "date-precision",
    "wrong-304",
    alone="date-precision",
    description=(
        "nginx serves a harbour's notice board with etag off. The file is written twice within one second; a display "
        "that read between the two asks with If-Modified-Since and is told 304 although the file differs: a read "
        "without the condition has the same Last-Modified and other content."
    ),
)
def board(stage: Stage) -> None:
    """Tell two contents of one second apart by a date, in vain."""
    server = fronts.site(
        stage,
        "nginx",
        {"board/pier7.json": '{"berth":7,"ship":null}', "board/pier8.json": "{}", "tide.txt": "hw 16:02\n"},
        "etag off;",
    )
    me = stage.actor("client", server, "board.port.example", "aiohttp")
    old = me.get("/board/pier7.json").fields["last-modified"]
    me.get("/board/pier7.json", 304, {"If-Modified-Since": old})
    beside = {name: me.get(name).fields["last-modified"] for name in ("/board/pier8.json", "/tide.txt")}
    place.fresh_second()
    fronts.put_file(server.directory, "board/pier7.json", '{"berth":7,"ship":"Alma","eta":"15:10"}')
    first = me.get("/board/pier7.json", 200, {"If-Modified-Since": old})
    fronts.put_file(server.directory, "board/pier7.json", '{"berth":7,"ship":"Alma","eta":"17:45"}')
    for _ in range(3):
        place.wait(0.8)
        for name, since in {**beside, "/board/pier7.json": first.fields["last-modified"]}.items():
            me.get(name, 304, {"If-Modified-Since": since})
    last = me.get("/board/pier7.json", 200, {"Cache-Control": "no-cache"})
    place.sure(last.fields["last-modified"] == first.fields["last-modified"] and last.text != first.text)


@case(
    "e461",
    "fay-tiles-fetched-in-three-pieces",
    "read-changed-mid-transfer",
    "spliced",
    alone="read-changed-mid-transfer",
    description=(
        "A downloader takes a map archive from nginx in ranges without If-Range; the file is replaced after the first "
        "piece, and the pieces with two tags and two lengths are put together."
    ),
)
def tiles(stage: Stage) -> None:
    """Read pieces of two files."""
    files = {"maps/delta.txt": "".join(f"a{n:04d} " for n in range(500)), "maps/delta.sha.txt": "9f3c\n"}
    files |= {"maps/index.json": '{"maps":["delta","coast"]}', "maps/coast.txt": "c0001 " * 300}
    server = fronts.site(stage, "nginx", files)
    me = stage.actor("client", server, "dl.atlas.test", "requests", {"Accept-Encoding": "identity"})
    me.get("/maps/index.json")
    coast = me.get("/maps/coast.txt", 206, {"Range": "bytes=0-899"})
    me.get("/maps/coast.txt", 206, {"Range": "bytes=900-1799", "If-Range": coast.etag})
    me.get("/maps/delta.sha.txt")
    me.send("HEAD", "/maps/delta.txt", 200)
    one = me.get("/maps/delta.txt", 206, {"Range": "bytes=0-999"})
    place.wait(0.5)
    fronts.put_file(server.directory, "maps/delta.txt", "".join(f"b{n:04d} " for n in range(510)))
    two = me.get("/maps/delta.txt", 206, {"Range": "bytes=1000-1999"})
    me.get("/maps/delta.txt", 206, {"Range": "bytes=2000-2999"})
    place.sure(one.etag != two.etag)
    me.get("/maps/delta.sha.txt", 304, {"If-None-Match": me.get("/maps/delta.sha.txt").etag})


@case(
    "e465",
    "fay-saved-and-read-within-the-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A shop's till puts its floats on Apache's DAV and reads them back at once for the tag: it is weak, and the "
        "next save with it is refused; a moment later the same tag is strong."
    ),
)
def till(stage: Stage) -> None:
    """Take the tag of a file that Apache has just written."""
    server = fronts.site(
        stage, "apache2", {f"till/{n}.txt": f"float 200.00 till {n}\n" for n in (1, 2)}, fronts.DAV["apache2"]
    )
    me = stage.actor("client", server, "floats.kiosk.test", "node:axios", {"Accept": "text/plain"})
    me.send("PROPFIND", "/till/", 207, _DEPTH, _ASK)
    for number in (1, 2):
        path = f"/till/{number}.txt"
        seen = me.get(path)
        me.put(path, "float 180.50\n", 204, {"If-Match": seen.etag, "Content-Type": "text/plain"})
        young = me.get(path)
        place.sure(young.etag.startswith("W/"), young.etag)
        me.put(path, "float 176.20\n", 412, {"If-Match": young.etag, "Content-Type": "text/plain"})
    place.wait(1.6)
    for number in (1, 2):
        place.sure(not me.get(f"/till/{number}.txt").etag.startswith("W/"))


@case(
    "e466",
    "fay-dav-module-reads-no-condition",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "nginx's DAV module does not look at If-Match: an editor's second window saves a parish newsletter with the "
        "tag from before the first window's save, gets 204, and the first window's lines are gone."
    ),
)
def newsletter(stage: Stage) -> None:
    """Save with an old tag, and be let through."""
    files = {"blad/kerst.txt": "KERSTMIS\n24/12 mis 22u\n25/12 mis 10u\n", "blad/index.html": "<ul></ul>"}
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    me = stage.actor("client", server, "blad.parochie.example", "node:fetch", {"Content-Type": "text/plain"})
    me.get("/blad/index.html")
    seen = me.get("/blad/kerst.txt")
    place.wait(0.3)
    me.put("/blad/kerst.txt", seen.text + "collecte: dak\n", 204, {"If-Match": seen.etag})
    now = me.get("/blad/kerst.txt")
    place.sure(now.etag != seen.etag)
    me.get("/blad/kerst.txt", 304, {"If-None-Match": now.etag})
    place.wait(1.1)
    me.put("/blad/kerst.txt", seen.text.replace("22u", "21u30"), 204, {"If-Match": seen.etag})
    place.sure("collecte" not in me.get("/blad/kerst.txt").text)


@case(
    "e471",
    "fay-date-as-a-database-writes-it",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "A weather desk sends If-Unmodified-Since as its database prints dates; Apache cannot read it and takes the "
        "PUT although another desk had written since: that desk's warning is gone."
    ),
)
def weather(stage: Stage) -> None:
    """Send an ISO date as a condition."""
    files = {f"warn/{z}.txt": f"{z}: none\nlevel 0\n" for z in ("nord", "west", "ost")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "desk.wetter.test", "httpx")
    him = stage.actor("other", server, "desk.wetter.test", "urllib")
    me.send("PROPFIND", "/warn/", 207, _DEPTH, _ASK)
    seen, west = me.get("/warn/nord.txt"), me.get("/warn/west.txt")

    def plain(date: str) -> str:
        return dt.datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=dt.UTC).isoformat(" ")

    since = plain(west.fields["last-modified"])
    me.put("/warn/west.txt", "west: fog\nlevel 1\n", 204, {"If-Unmodified-Since": since})
    his = him.get("/warn/nord.txt")
    him.put("/warn/nord.txt", his.text + "storm from 19:00\n", 204, {"If-Match": his.etag})
    place.wait(1.2)
    ours = {"If-Unmodified-Since": plain(seen.fields["last-modified"])}
    me.send("PROPFIND", "/warn/", 207, _DEPTH, _ASK)
    me.put("/warn/nord.txt", seen.text.replace("level 0", "level 1"), 204, ours)
    place.sure("storm" not in me.get("/warn/nord.txt").text)
    me.get("/warn/ost.txt")


@case(
    "e473",
    "fay-number-already-given",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A notary's program claims the next deed number with If-None-Match: * on lighttpd; 2026-118 was claimed by "
        "another office an hour before, is read, and the next number is taken."
    ),
)
def deeds(stage: Stage) -> None:
    """Create what is there."""
    files = {f"akt/2026-{n}.txt": f"akt {n}\nkancelaria B. Wrona\n" for n in (116, 118)}
    server = fronts.site(
        stage, "lighttpd", {**files, "akt/wzor.txt": "akt ...\n"}, fronts.DAV["lighttpd"], age=3700
    )
    me = stage.actor("client", server, "repertorium.notariusz.example", "curl")
    me.send("PROPFIND", "/akt/", 207, {"Depth": "0", "Content-Type": "application/xml"}, _ASK)
    form = me.get("/akt/wzor.txt")
    guard = {"If-None-Match": "*", "Content-Type": "text/plain"}
    me.put("/akt/2026-117.txt", "akt 117\nkancelaria T. Sowa\n", 201, guard)
    place.wait(0.6)
    me.put("/akt/2026-118.txt", "akt 118\nkancelaria T. Sowa\n", 412, guard)
    place.sure("Wrona" in me.get("/akt/2026-118.txt").text)
    me.get("/akt/wzor.txt", 304, {"If-None-Match": form.etag})
    me.put("/akt/2026-119.txt", "akt 119\nkancelaria T. Sowa\n", 201, guard)


@case(
    "e475",
    "fay-tablet-nine-minutes-ahead",
    "clock-skew",
    "lost-update",
    alone="clock-skew",
    description=(
        "A tablet in a vineyard makes If-Unmodified-Since of its own clock, which is some nine minutes ahead: every "
        "write passes, also the one over a cellar's entry made after the tablet's read."
    ),
)
def vineyard(stage: Stage) -> None:
    """Guard writes with a clock that runs ahead."""
    ahead = 567.0
    files = {f"parcelle/{n}.txt": f"parcelle {n}\ngrenache\n" for n in (4, 5, 6)}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "cave.domaine.example", "requests")
    him = stage.actor("other", server, "cave.domaine.example", "curl")

    def clock() -> dict[str, str]:
        return {"Date": formatdate(time.time() + ahead, usegmt=True)}

    me.get("/parcelle/4.txt", 200, clock())
    read, since = me.get("/parcelle/5.txt", 200, clock()), clock()["Date"]
    me.put(
        "/parcelle/4.txt",
        "parcelle 4\ngrenache\ntaille 28/11\n",
        204,
        {**clock(), "If-Unmodified-Since": since},
    )
    place.wait(1.1)
    his = him.get("/parcelle/5.txt")
    him.put("/parcelle/5.txt", his.text + "cuve 12: ne pas traiter\n", 204, {"If-Match": his.etag})
    place.wait(1.3)
    told = me.send("HEAD", "/parcelle/5.txt", 200, clock())
    place.sure(told.fields["last-modified"] != read.fields["last-modified"])
    me.put("/parcelle/5.txt", read.text + "traité cuivre\n", 204, {**clock(), "If-Unmodified-Since": since})
    place.wait(0.4)
    place.sure("cuve" not in me.get("/parcelle/5.txt", 200, clock()).text)
    me.get("/parcelle/6.txt", 200, clock())


@case(
    "e468",
    "fay-fresh-tag-old-text",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A translator's editor on WsgiDAV reads the chapter again right before its save, takes only the tag of that "
        "read and sends the text it began with in the morning: a reviser's sentence is gone without a refusal."
    ),
)
def chapter(stage: Stage) -> None:
    """Take a new tag for an old base."""
    server = stage.server("wsgidav")
    fronts.put_file(server.directory, "cap/03.txt", "I. La sera.\nII. Il ponte.\nIII. Nessuno.\n", 9000)
    fronts.put_file(server.directory, "cap/gloss.txt", "ponte = bridge\n", 9000)
    me = stage.actor("client", server, "opere.traduzioni.example", "aiohttp", {"Content-Type": "text/plain"})
    him = stage.actor("other", server, "opere.traduzioni.example", "java", {"Content-Type": "text/plain"})
    me.send("PROPFIND", "/cap/", 207, {"Depth": "1", "Content-Type": "application/xml"}, _ASK)
    base = me.get("/cap/03.txt")
    me.get("/cap/gloss.txt")
    his = him.get("/cap/03.txt")
    him.put(
        "/cap/03.txt",
        his.text.replace("Il ponte.", "Il ponte vecchio, di notte."),
        204,
        {"If-Match": his.etag},
    )
    place.wait(1.2)
    me.get("/cap/gloss.txt", 304, {"If-None-Match": me.get("/cap/gloss.txt").etag})
    now = me.get("/cap/03.txt")
    place.sure(now.etag != base.etag)
    me.put("/cap/03.txt", base.text.replace("Nessuno", "Nobody"), 204, {"If-Match": now.etag})
    place.sure("vecchio" not in me.get("/cap/03.txt").text)
