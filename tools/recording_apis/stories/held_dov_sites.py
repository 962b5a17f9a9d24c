"""Stories on real web servers' own files and on WebDAV."""

from __future__ import annotations

import datetime as dt
import email.utils
import os
import re
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage

_FIND = (
    '<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:getetag/><d:getlastmodified/>'
    "<d:getcontentlength/></d:prop></d:propfind>"
)


def _find(me: Actor, path: str) -> Answer:
    return me.send("PROPFIND", path, 207, {"Depth": "1", "Content-Type": "application/xml"}, _FIND)


@case(
    "e400",
    "dov-two-files-servers-one-balancer",
    "inconsistent-backends",
    "missing-304",
    alone="inconsistent-backends",
    description=(
        "Two lighttpd nodes hold the same files and make their tags with the inode; HAProxy takes turns. A departure "
        "board that polls with the tag it got last never sees a 304, though size, date and content stay the same."
    ),
)
def board(stage: Stage) -> None:
    """Ask the other node each time."""
    rows = "".join(f"{6 + n // 2:02}:{30 * (n % 2):02};Pier {n % 4 + 1};Hallig {n}\n" for n in range(24))
    files = {"plan/heute.txt": rows, "plan/tide.json": '{"hw":["04:12","16:40"],"nw":["10:21","22:55"]}'}
    files["plan/pegel.json"] = '{"pegel":512}'
    tags = 'etag.use-inode = "enable"\netag.use-mtime = "enable"'
    nodes = [fronts.site(stage, "lighttpd", files, tags) for _ in range(2)]
    moment = time.time() - 40000
    for one in nodes:
        for path in files:
            os.utime(one.directory / path, (moment, moment))
    front = fronts.haproxy(stage, nodes, " http-response set-header X-Backend %s")
    me = stage.actor("client", front, "anleger.faehre.example", "urllib", {"User-Agent": "Tafel/2.4"})
    held = {path: me.get(f"/{path}") for path in list(files)[:2]}
    for _ in range(5):
        me.get("/plan/pegel.json")
        for path, old in list(held.items()):
            got = me.get(f"/{path}", 200, {"If-None-Match": old.etag})
            place.sure(got.body == old.body and got.etag != old.etag)
            held[path] = got
            place.rest(0.2)


@case(
    "e403",
    "dov-parish-letter-on-a-file-server",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "nginx's WebDAV module tags its files and looks at no condition of a PUT: a secretary's editor, whose own "
        "check had shown that the parish letter was another's by now, saves under the first tag: 204, the rest is gone."
    ),
)
def letter(stage: Stage) -> None:
    """Save under a tag that is no more."""
    text = "# Gemeindebrief Advent\n\n- Basar: Sonntag 11 Uhr\n- Chor: Dienstag 19 Uhr\n"
    files = {
        "brief/advent.md": text,
        "brief/epiphanias.md": "# Epiphanias\n",
        "brief/impressum.md": "V.i.S.d.P.\n",
    }
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    me = stage.actor("client", server, "ablage.pfarramt.example", "httpx", {"User-Agent": "Textwerk/5.1"})
    other = stage.actor("other", server, "ablage.pfarramt.example", "curl", {"User-Agent": "pastor-sync"})
    me.get("/brief/impressum.md")
    mine = me.get("/brief/advent.md")
    place.rest(1.2)
    theirs = other.get("/brief/advent.md")
    other.put(
        "/brief/advent.md", theirs.text + "- Krippenspiel: Probe Freitag\n", 204, {"If-Match": theirs.etag}
    )
    place.rest(0.6)
    now = me.get("/brief/advent.md", 200, {"If-None-Match": mine.etag})
    place.sure(now.etag != mine.etag and "Krippenspiel" in now.text)
    other_file = me.get("/brief/epiphanias.md")
    me.put("/brief/epiphanias.md", "# Epiphanias\n\nSternsinger kommen\n", 204, {"If-Match": other_file.etag})
    me.put("/brief/advent.md", text.replace("11 Uhr", "10 Uhr"), 204, {"If-Match": mine.etag})
    place.rest(0.4)
    place.sure("Krippenspiel" not in me.get("/brief/advent.md").text)
    me.get("/brief/impressum.md")


@case(
    "e407",
    "dov-translator-saves-twice-quickly",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "Apache's own WebDAV: a translator's tool stores a segment file, reads its tag within the second (weak), and "
        "is refused with it, twice; a while later the same value comes without W/ and the next segment passes."
    ),
)
def segments(stage: Stage) -> None:
    """Be too quick for the clock of the files."""
    files = {
        f"job/{n:03}.xlf": f"<xliff><unit id='{n}'><source>Seal</source></unit></xliff>" for n in (1, 2, 3)
    }
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "tm.uebersetzer.test", "node:fetch", {"User-Agent": "Segmenta/0.9"})
    _find(me, "/job/")
    for number in (1, 2):
        path, old = f"/job/{number:03}.xlf", me.get(f"/job/{number:03}.xlf")
        time.sleep(1.02 - time.time() % 1)
        me.put(
            path, old.text.replace("</unit>", "<target>Robbe</target></unit>"), 204, {"If-Match": old.etag}
        )
        fresh = me.get(path)
        place.sure(fresh.etag.startswith("W/"), fresh.etag)
        again = old.text.replace("</unit>", "<target>Dichtung</target></unit>")
        me.put(path, again, 412, {"If-Match": fresh.etag})
        if number == 1:
            me.put(path, again, 412, {"If-Match": fresh.etag})
        place.rest(1.5)
        place.sure(me.get(path).etag == fresh.etag.removeprefix("W/"))
    third = me.get("/job/003.xlf")
    me.put("/job/003.xlf", third.text + "\n", 204, {"If-Match": third.etag})


@case(
    "e413",
    "dov-survey-sheets-from-pune",
    "timezone-error",
    "lost-update",
    alone="timezone-error",
    description=(
        "lighttpd's WebDAV; a field office writes the date it was served five and a half hours late, still with GMT: "
        "If-Unmodified-Since passes though a colleague has stored in between, and her rows are gone."
    ),
)
def pune(stage: Stage) -> None:
    """Write one's own time as GMT."""
    files = {f"wells/block-{n}.txt": "well,depth\nA,14.2\nB,9.8\n" for n in (4, 5, 6)}
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"], age=5400)
    me = stage.actor("client", server, "jal.fieldoffice.test", "requests", {"User-Agent": "JalSurvey/3"})
    other = stage.actor("other", server, "jal.fieldoffice.test", "httpx", {"User-Agent": "hq-desk"})

    def local(got: Answer) -> str:
        moment = email.utils.parsedate_to_datetime(got.fields["last-modified"])
        return email.utils.format_datetime(moment + dt.timedelta(minutes=330), usegmt=True)

    held = {n: me.get(f"/wells/block-{n}.txt") for n in (4, 5, 6)}
    theirs = other.get("/wells/block-5.txt")
    other.put("/wells/block-5.txt", theirs.text + "C,11.1\n", 204, {"If-Match": theirs.etag})
    place.rest(0.8)
    place.sure("C,11.1" in me.get("/wells/block-5.txt", 200, {"If-None-Match": held[5].etag}).text)
    for n in (4, 5):
        sheet = held[n].text.replace("14.2", "14.6")
        me.put(f"/wells/block-{n}.txt", sheet, 204, {"If-Unmodified-Since": local(held[n])})
        place.rest(0.3)
    place.sure("C,11.1" not in me.get("/wells/block-5.txt").text)
    me.get("/wells/block-6.txt", 304, {"If-None-Match": held[6].etag})


_LOCK = (
    '<?xml version="1.0"?><d:lockinfo xmlns:d="DAV:"><d:lockscope><d:exclusive/></d:lockscope>'
    "<d:locktype><d:write/></d:locktype><d:owner>Atelier 2</d:owner></d:lockinfo>"
)


@case(
    "e415",
    "dov-drawing-open-in-the-next-room",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "Apache's mod_dav: the drawing's tag is still the one that the architect read, but the next room has it open "
        "under a lock, so his save is 423; asking for a lock of his own is 423 too, and the properties show why."
    ),
)
def drawing(stage: Stage) -> None:
    """Save what another has locked."""
    files = {f"plans/{n}.dxf": f"0\nSECTION\n2\n{n}\n0\nENDSEC\n" for n in ("cellar", "roof", "stairs")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "plans.studio.test", "aiohttp", {"User-Agent": "Reissbrett/11"})
    other = stage.actor("other", server, "plans.studio.test", "requests", {"User-Agent": "Reissbrett/10"})
    _find(me, "/plans/")
    mine = {n: me.get(f"/plans/{n}.dxf") for n in ("stairs", "roof")}
    xml = {"Content-Type": "application/xml", "Timeout": "Second-900", "Depth": "0"}
    held = other.send("LOCK", "/plans/roof.dxf", 200, xml, _LOCK)
    place.rest(0.7)
    me.put("/plans/stairs.dxf", mine["stairs"].text + "0\nEOF\n", 204, {"If-Match": mine["stairs"].etag})
    me.put("/plans/roof.dxf", mine["roof"].text + "0\nEOF\n", 423, {"If-Match": mine["roof"].etag})
    me.get("/plans/roof.dxf", 304, {"If-None-Match": mine["roof"].etag})
    me.send("LOCK", "/plans/roof.dxf", 423, xml, _LOCK.replace("Atelier 2", "Atelier 1"))
    asked = '<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:lockdiscovery/></d:prop></d:propfind>'
    got = me.send(
        "PROPFIND", "/plans/roof.dxf", 207, {"Depth": "0", "Content-Type": "application/xml"}, asked
    )
    place.sure("Atelier 2" in got.text)
    place.rest(0.5)
    me.put("/plans/roof.dxf", mine["roof"].text + "0\nEOF\n", 423, {"If-Match": mine["roof"].etag})
    token = held.fields["lock-token"]
    other.put("/plans/roof.dxf", "0\nSECTION\n2\nroof\n9\nedge\n", 204, {"If": f"({token})"})


@case(
    "e430",
    "dov-stock-list-with-a-local-date",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "Apache's mod_dav must ignore an If-Unmodified-Since that is no date; a garden centre's form formats it as its "
        "browser's locale does. The save passes over the foreman's change, which the reading before had shown."
    ),
)
def stock(stage: Stage) -> None:
    """Format the date as people read it."""
    files = {f"bestand/{n}.csv": f"sorte;topf\n{n};120\n" for n in ("erika", "efeu", "eibe")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor(
        "client", server, "lager.gaertnerei.example", "node:axios", {"User-Agent": "Beetplan 1.8"}
    )
    other = stage.actor("other", server, "lager.gaertnerei.example", "httpx", {"User-Agent": "Polier"})

    def spoken(got: Answer) -> str:
        moment = email.utils.parsedate_to_datetime(got.fields["last-modified"])
        return moment.strftime("%-d.%-m.%Y, %H:%M:%S")

    mine = {n: me.get(f"/bestand/{n}.csv") for n in ("efeu", "erika")}
    theirs = other.get("/bestand/erika.csv")
    other.put("/bestand/erika.csv", theirs.text + "erika weiss;40\n", 204, {"If-Match": theirs.etag})
    place.rest(1.1)
    listed = _find(me, "/bestand/")
    place.sure(len(re.findall("getlastmodified>", listed.text)) >= 6)
    for n in ("efeu", "erika"):
        sheet = mine[n].text.replace("120", "96")
        me.put(f"/bestand/{n}.csv", sheet, 204, {"If-Unmodified-Since": spoken(mine[n])})
    place.rest(0.4)
    place.sure("weiss" not in me.get("/bestand/erika.csv").text)
    me.get("/bestand/eibe.csv")


@case(
    "e434",
    "dov-map-tiles-in-pieces",
    "read-changed-mid-transfer",
    "spliced-read",
    alone="read-changed-mid-transfer",
    description=(
        "Caddy's file server: a navigation device fetches a map in pieces without If-Range; between two pieces the map "
        "is published anew, of the same size. All pieces are 206 but of two tags, and the sum it reads does not fit."
    ),
)
def tiles(stage: Stage) -> None:
    """Put pieces of two maps together."""
    old, new = (bytes((n * step) % 251 for n in range(6000)) for step in (7, 11))
    files: dict[str, str | bytes] = {
        "maps/nord.bin": old,
        "maps/nord.sum": "5a3c 6000\n",
        "maps/index.txt": "nord\n",
    }
    server = fronts.site(stage, "caddy", files)
    me = stage.actor("client", server, "maps.pilot.test", "java", {"User-Agent": "NavBox/7.2"})
    me.get("/maps/index.txt")
    tags: list[str] = []
    for number in range(5):
        if number == 3:
            fronts.put_file(server.directory, "maps/nord.bin", new)
            fronts.put_file(server.directory, "maps/nord.sum", "91be 6000\n")
        span = f"bytes={number * 1200}-{number * 1200 + 1199}"
        tags.append(me.get("/maps/nord.bin", 206, {"Range": span}).etag)
        place.rest(0.2)
    place.sure(len(set(tags)) == 2, tags)
    me.get("/maps/nord.sum")
    me.get("/maps/index.txt")
