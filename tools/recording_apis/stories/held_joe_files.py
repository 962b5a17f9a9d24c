"""Stories on web servers that let files be written: httpd, lighttpd, nginx, Tomcat, WsgiDAV."""

from __future__ import annotations

import re
import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_joe_setting as lab

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_APACHE = fronts.DAV["apache2"]
_LIGHT = fronts.DAV["lighttpd"]


@case(
    "d817",
    "joe-changelog-twice-in-a-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A release script puts a changelog on Apache's mod_dav, asks for its head at once and appends with that tag: it "
        "is weak for a second, and If-Match is 412 twice. After a pause the same value is strong, and the append passes."
    ),
)
def changelog(stage: Stage) -> None:
    """Append within the second."""
    files = {"rel/NEWS.txt": "1.8.0 first\n", **lab.beside("rel/sums", 3, "ab12")}
    server = fronts.site(stage, "apache2", files, _APACHE)
    me = stage.actor("client", server, "dl.kobold.example", "node:axios", {"User-Agent": "cut-release/4"})
    lab.mill(me, ["/rel/sums/5.txt", "/rel/sums/18.txt"], 4, 3)
    seen = me.get("/rel/NEWS.txt")
    text = "1.8.1 fixes\n" + seen.text
    time.sleep(1.02 - time.time() % 1)
    me.put("/rel/NEWS.txt", text, 204, {"If-Match": seen.etag})
    for number in range(2):
        head = me.send("HEAD", "/rel/NEWS.txt", 200)
        lab.sure(head.etag.startswith("W/"), head.etag)
        me.put("/rel/NEWS.txt", text + "sha256 77fe\n", 412, {"If-Match": head.etag})
        lab.rest(0.15 + number / 10)
    me.get("/rel/sums/31.txt")
    lab.rest(1.8)
    again = me.send("HEAD", "/rel/NEWS.txt", 200)
    lab.sure(again.etag == head.etag.removeprefix("W/"), again.etag)
    me.put("/rel/NEWS.txt", text + "sha256 77fe\n", 204, {"If-Match": again.etag})


@case(
    "d828",
    "joe-servlet-tags-never-strong",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Tomcat's DefaultServlet takes uploads and issues weak tags only, with identity as well: If-None-Match gives "
        "304, but each guarded save of a translation file is 412, though nobody else writes."
    ),
)
def servlet(stage: Stage) -> None:
    """Guard with a weak tag."""
    server = stage.server("tomcat")
    root = server.directory / "webapps" / "ROOT"
    for number, (lang, word) in enumerate((("fi", "Hei"), ("sv", "Hej på dig"), ("et", "Tervist"))):
        text = f"hello={word}\nbye=Moi\n"
        fronts.put_file(root, f"i18n/messages_{lang}.properties", text, 50000 + number * 777)
    me = stage.actor("client", server, "kielet.portaali.example", "java", {"Accept-Encoding": "identity"})
    me.get("/index.html")
    me.send("OPTIONS", "/i18n/", lab.ANY)
    for lang in ("fi", "et"):
        path = f"/i18n/messages_{lang}.properties"
        seen = me.get(path)
        lab.sure(seen.etag.startswith('W/"'), seen.etag)
        me.get(path, 304, {"If-None-Match": seen.etag})
        me.put(path, seen.text + "ok=Selvä\n", 412, {"If-Match": seen.etag})
        lab.rest(1.2)
        again = me.get(path)
        lab.sure(again.etag == seen.etag)
        me.put(path, seen.text + "ok=Selvä\n", 412, {"If-Match": again.etag})
    me.get("/i18n/messages_sv.properties")


@case(
    "d811",
    "joe-set-list-of-two-djs",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Two people keep a playlist on WsgiDAV: while one listens, the other stores a version with two more tracks and "
        "his name in the head; the first one's guarded save is refused, and what he then reads is the other's."
    ),
)
def playlist(stage: Stage) -> None:
    """Save second."""
    server = stage.server("wsgidav")
    text = "#EXTM3U\n#PLAYLIST:Saturday\n#EDITED-BY:noor\n"
    for name in ("saturday", "sunday", "warmup"):
        fronts.put_file(server.directory, f"sets/{name}.m3u", f"{text}{name}-01.flac\n", 90000)
    me = stage.actor("client", server, "sets.kelder.test", "curl", {"User-Agent": "decks-sync/0.7"})
    other = stage.actor("other", server, "sets.kelder.test", "httpx", {"User-Agent": "Mixer/11 (mac)"})
    lab.walk(me, "/sets/")
    mine = me.get("/sets/saturday.m3u")
    own = me.get("/sets/sunday.m3u")
    me.put("/sets/sunday.m3u", own.text + "dusk.flac\n", 204, {"If-Match": own.etag})
    theirs = other.get("/sets/saturday.m3u")
    lab.rest(1.2)
    more = theirs.text.replace("noor", "wout") + "tram-4.flac\nkanaal.flac\n"
    other.put("/sets/saturday.m3u", more, 204, {"If-Match": theirs.etag})
    lab.rest(1.1)
    me.get("/sets/warmup.m3u")
    me.put("/sets/saturday.m3u", mine.text + "slow-river.flac\n", 412, {"If-Match": mine.etag})
    now = me.get("/sets/saturday.m3u")
    lab.sure("wout" in now.text and now.etag != mine.etag)


@case(
    "d806",
    "joe-floor-plan-tag-not-looked-at",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "nginx's dav module stores a PUT whatever its If-Match says: a tablet that has seen the newer floor plan goes by "
        "sends its queued edit with the old tag, 204, and the colleague's room is gone from what it reads next."
    ),
)
def floor(stage: Stage) -> None:
    """Write with a tag of yesterday."""
    plan = "room;desks\nA1;4\nA2;6\n"
    files = {"plan/level2.txt": plan, "plan/level3.txt": "room;desks\nB1;12\n", "static/pin.css": "i{top:0}"}
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    me = stage.actor("client", server, "etage.umzug.example", "aiohttp", {"User-Agent": "Planer/3.1"})
    other = stage.actor("other", server, "etage.umzug.example", "requests", {"User-Agent": "Planer/3.0"})
    me.get("/static/pin.css")
    mine = me.get("/plan/level2.txt")
    three = me.get("/plan/level3.txt")
    theirs = other.get("/plan/level2.txt")
    other.put("/plan/level2.txt", theirs.text + "A3 (Nadja);2\n", 204, {"If-Match": theirs.etag})
    lab.rest(1.3)
    me.get("/plan/level3.txt", 304, {"If-None-Match": three.etag})
    polled = me.get("/plan/level2.txt", 200, {"If-None-Match": mine.etag})
    lab.sure("Nadja" in polled.text)
    me.put("/plan/level2.txt", mine.text.replace("A1;4", "A1;5"), 204, {"If-Match": mine.etag})
    lab.rest(0.4)
    lab.sure("Nadja" not in me.get("/plan/level2.txt").text)
    me.get("/static/pin.css")


@case(
    "d820",
    "joe-note-number-already-used",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A warehouse stores delivery notes on mod_dav under their numbers, each with If-None-Match: *; one number was "
        "used at another gate weeks ago: 412, a read shows that note, and the next number is taken."
    ),
)
def notes(stage: Stage) -> None:
    """Find a number used."""
    files = {f"ls/2026/{n}.xml": f"<lieferschein nr='{n}' tor='7'/>\n" for n in (4410, 4411, 4413)}
    server = fronts.site(stage, "apache2", files, _APACHE, 1900000)
    me = stage.actor("client", server, "lager.spedition.example", "urllib", {"User-Agent": "tor2"})
    only = {"If-None-Match": "*", "Content-Type": "application/xml"}
    lab.walk(me, "/ls/2026/")
    me.put("/ls/2026/4412.xml", "<lieferschein nr='4412' tor='2'/>\n", 201, only)
    lab.rest(0.5)
    me.put("/ls/2026/4413.xml", "<lieferschein nr='4413' tor='2'><pos art='K9'/></lieferschein>\n", 412, only)
    lab.sure("tor='7'" in me.get("/ls/2026/4413.xml").text)
    me.put("/ls/2026/4414.xml", "<lieferschein nr='4414' tor='2'><pos art='K9'/></lieferschein>\n", 201, only)
    me.get("/ls/2026/4412.xml")


@case(
    "d801",
    "joe-recipe-renamed-meanwhile",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A canteen's recipes on lighttpd's mod_webdav: the office moves one to another name; the kitchen's save with the "
        "tag of its read is 412, and a read of the old name is 404. The list has the new name."
    ),
)
def recipe(stage: Stage) -> None:
    """Save what has been moved away."""
    files = {f"rezepte/{n}.txt": f"{n}\n500 g\n" for n in ("gulasch", "knoedel", "strudel")}
    server = fronts.site(stage, "lighttpd", files, _LIGHT)
    me = stage.actor("client", server, "kueche.mensa.example", "node:fetch", {"User-Agent": "Herd/2"})
    other = stage.actor("other", server, "kueche.mensa.example", "curl", {"User-Agent": "Buero/2"})
    lab.walk(me, "/rezepte/")
    seen, side = me.get("/rezepte/knoedel.txt"), me.get("/rezepte/strudel.txt")
    me.put("/rezepte/strudel.txt", side.text + "Zimt\n", 204, {"If-Match": side.etag})
    moved = {"Destination": "http://kueche.mensa.example/rezepte/semmelknoedel.txt"}
    other.send("MOVE", "/rezepte/knoedel.txt", 201, moved)
    lab.rest(0.8)
    me.get("/rezepte/gulasch.txt")
    me.put("/rezepte/knoedel.txt", seen.text + "Petersilie\n", 412, {"If-Match": seen.etag})
    me.get("/rezepte/knoedel.txt", 404)
    lab.walk(me, "/rezepte/")


@case(
    "d825",
    "joe-roster-newest-tag-old-lines",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A club's duty roster on mod_dav: the program reads in the morning, and before it saves it reads again for the "
        "tag only; the save passes, and the line that a second member had added, as that read showed, is gone."
    ),
)
def roster(stage: Stage) -> None:
    """Take the tag of what one has not looked at."""
    files = {
        "dienst/kw49.txt": "mo anna\ndi bert\nmi -\ndo -\n",
        "dienst/kw50.txt": "mo -\n",
        **lab.beside("hilfe", 2),
    }
    server = fronts.site(stage, "apache2", files, _APACHE)
    me = stage.actor("client", server, "verein.ruder.example", "requests", {"User-Agent": "Dienstplan 5"})
    other = stage.actor("other", server, "verein.ruder.example", "node:axios", {"User-Agent": "Dienstplan 5"})
    lab.mill(me, ["/hilfe/5.txt", "/hilfe/18.txt"], 3, 8)
    mine = me.get("/dienst/kw49.txt").text.replace("do -", "do gerd")
    theirs = other.get("/dienst/kw49.txt")
    other.put("/dienst/kw49.txt", theirs.text.replace("mi -", "mi clara"), 204, {"If-Match": theirs.etag})
    lab.rest(2.4)
    week = me.get("/dienst/kw50.txt")
    me.put("/dienst/kw50.txt", "mo gerd\n", 204, {"If-Match": week.etag})
    fresh = me.get("/dienst/kw49.txt")
    lab.sure("clara" in fresh.text and not fresh.etag.startswith("W/"), fresh.etag)
    me.put("/dienst/kw49.txt", mine, 204, {"If-Match": fresh.etag})
    lab.rest(0.5)
    lab.sure("clara" not in me.get("/dienst/kw49.txt").text)


@case(
    "d804",
    "joe-kiosk-sends-undefined",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A kiosk page keeps the tag of its menu in a variable that is not set after a save, as mod_dav's 204 names no "
        "tag: the next saves carry If-Match: undefined and are 412. After a new read one passes."
    ),
)
def kiosk(stage: Stage) -> None:
    """Send a variable without a value."""
    files = {"karte/heute.json": '{"suppe":4.5}', "karte/morgen.json": '{"suppe":4.9}', "img/a.txt": "x"}
    server = fronts.site(stage, "apache2", files, _APACHE)
    me = stage.actor(
        "client", server, "karte.kiosk.example", "node:axios", {"Content-Type": "application/json"}
    )
    me.get("/img/a.txt")
    seen = me.get("/karte/heute.json")
    done = me.put("/karte/heute.json", '{"suppe":4.5,"eis":2}', 204, {"If-Match": seen.etag})
    lab.sure("etag" not in done.fields)
    lab.rest(1.5)
    me.get("/karte/morgen.json")
    for price in ("2.2", "2.3"):
        me.put("/karte/heute.json", f'{{"suppe":4.5,"eis":{price}}}', 412, {"If-Match": "undefined"})
        lab.rest(0.7)
    fresh = me.get("/karte/heute.json")
    me.put("/karte/heute.json", '{"suppe":4.5,"eis":2.3}', 204, {"If-Match": fresh.etag})


@case(
    "d822",
    "joe-tag-kept-in-a-query-string",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A sync tool keeps the tags of a WebDAV share in a percent-coded line and sends them back as they lie there, "
        "%22 and all: 412 for each file that it had listed, while a file just created is written with a plain tag."
    ),
)
def coded(stage: Stage) -> None:
    """Send a tag percent-coded."""
    files = {f"haustiere/{n}.txt": f"BEGIN:VCARD\r\nFN:{n}\r\nEND:VCARD\r\n" for n in ("rex", "mimi", "bo")}
    server = fronts.site(stage, "lighttpd", files, _LIGHT)
    me = stage.actor("client", server, "dav.tierarzt.example", "urllib", {"User-Agent": "praxis-sync 1.2"})
    listed = lab.walk(me, "/haustiere/").text
    made = me.put("/haustiere/ida.txt", "BEGIN:VCARD\r\nFN:Ida\r\nEND:VCARD\r\n", 201, {"If-None-Match": "*"})
    me.put("/haustiere/ida.txt", "BEGIN:VCARD\r\nFN:Ida K.\r\nEND:VCARD\r\n", 204, {"If-Match": made.etag})
    for name in ("rex", "bo"):
        seen = me.get(f"/haustiere/{name}.txt")
        lab.sure(seen.etag.strip('"') in listed, listed)
        sent = seen.etag.replace('"', "%22")
        changed = seen.text.replace("END", "NOTE:geimpft\r\nEND")
        me.put(f"/haustiere/{name}.txt", changed, 412, {"If-Match": sent})
        lab.rest(0.4)
    lab.walk(me, "/haustiere/")


@case(
    "d834",
    "joe-lock-of-another-sheet",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "A score editor locks two sheets on mod_dav and saves the second with the lock token of the first in its If "
        "field: 412; without the field it is 423 Locked; with the token that the second lock had given it passes."
    ),
)
def sheets(stage: Stage) -> None:
    """Name the lock of another resource."""
    files = {f"noten/{n}.xml": f"<score n='{n}'/>\n" for n in ("aria", "chor", "finale")}
    server = fronts.site(stage, "apache2", files, _APACHE)
    me = stage.actor("client", server, "noten.oper.example", "httpx", {"User-Agent": "Partitur/8"})
    asked = (
        '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
        "<D:locktype><D:write/></D:locktype><D:owner>probe</D:owner></D:lockinfo>"
    )
    keys = {}
    me.send("OPTIONS", "/noten/", 200)
    lab.walk(me, "/noten/")
    for name in ("aria", "chor"):
        got = me.send("LOCK", f"/noten/{name}.xml", 200, {"Timeout": "Second-300", "Depth": "0"}, asked)
        keys[name] = got.fields["lock-token"]
        me.get(f"/noten/{name}.xml")
    me.put("/noten/aria.xml", "<score n='aria' v='2'/>\n", 204, {"If": f"({keys['aria']})"})
    lab.rest(0.6)
    me.put("/noten/chor.xml", "<score n='chor' v='2'/>\n", 412, {"If": f"({keys['aria']})"})
    me.put("/noten/chor.xml", "<score n='chor' v='2'/>\n", 423)
    me.get("/noten/finale.xml")
    me.put("/noten/chor.xml", "<score n='chor' v='2'/>\n", 204, {"If": f"({keys['chor']})"})
    for name in ("aria", "chor"):
        me.send("UNLOCK", f"/noten/{name}.xml", 204, {"Lock-Token": keys[name]})


@case(
    "d837",
    "joe-iso-date-for-a-guard",
    "bad-date",
    "412",
    alone="bad-date",
    description=(
        "A weather station's uploader writes If-Unmodified-Since in ISO 8601 from the file's date: lighttpd's mod_webdav "
        "refuses each save, though nothing has changed; with the date echoed as it was served the same save passes."
    ),
)
def station(stage: Stage) -> None:
    """Send a date of another form."""
    files = {f"st/{n}.txt": "t;hPa\n0600;1013\n" for n in ("nord", "kap")} | lab.beside("st/log", 2)
    server = fronts.site(stage, "lighttpd", files, _LIGHT)
    me = stage.actor("client", server, "data.vaer.example", "requests", {"User-Agent": "uploader/2.0"})
    lab.mill(me, ["/st/log/5.txt", "/st/log/18.txt"], 4, 12)
    for name in ("nord", "kap"):
        seen = me.get(f"/st/{name}.txt")
        served = seen.fields["last-modified"]
        iso = parsedate_to_datetime(served).strftime("%Y-%m-%dT%H:%M:%SZ")
        me.put(f"/st/{name}.txt", seen.text + "0700;1012\n", 412, {"If-Unmodified-Since": iso})
        lab.rest(0.5)
        lab.sure(me.send("HEAD", f"/st/{name}.txt", 200).fields["last-modified"] == served)
        me.put(f"/st/{name}.txt", seen.text + "0700;1012\n", 412, {"If-Unmodified-Since": iso})
    me.put("/st/kap.txt", seen.text + "0700;1012\n", 204, {"If-Unmodified-Since": served})


@case(
    "d823",
    "joe-till-clock-runs-slow",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A till takes its own clock, forty minutes slow as its Date field shows, for If-Unmodified-Since on WsgiDAV: "
        "files that it has stored itself are refused as changed since, again and again; old ones are written."
    ),
)
def till(stage: Stage) -> None:
    """Guard by one's own slow clock."""
    server = stage.server("wsgidav")
    for name in ("prices", "staff"):
        fronts.put_file(server.directory, f"kasse/{name}.txt", f"{name} 1\n", 200000)

    def clock() -> dict[str, str]:
        return {"Date": formatdate(time.time() - 2437, usegmt=True)}

    me = stage.actor("client", server, "kasse3.markt.example", "requests", {"User-Agent": "Kasse/9"})
    me.get("/kasse/staff.txt", 200, clock())
    me.get("/kasse/prices.txt", 200, clock())
    now = clock()
    me.put("/kasse/prices.txt", "prices 2\n", 204, {**now, "If-Unmodified-Since": now["Date"]})
    for number in range(3):
        lab.rest(1.1)
        seen = me.get("/kasse/prices.txt", 200, clock())
        lab.sure(seen.text == "prices 2\n")
        now = clock()
        me.put("/kasse/prices.txt", f"prices 3 {number}\n", 412, {**now, "If-Unmodified-Since": now["Date"]})
    me.put("/kasse/staff.txt", "staff 2\n", 204, {**now, "If-Unmodified-Since": now["Date"]})


@case(
    "d819",
    "joe-brotli-within-one-httpd",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "One Apache compresses and takes WebDAV: reads through mod_brotli or mod_deflate carry -br or -gzip in the tag, "
        "and mod_dav beside them knows only the bare one: guarded saves are 412 until a read with identity gives it."
    ),
)
def wiki(stage: Stage) -> None:
    """Send back what the own filter made."""
    files = {f"wiki/{n}.txt": f"= {n} =\n" + "Lorem ipsum " * 60 for n in ("Home", "Hafen", "Kran")}
    lines = f"{_APACHE}\nAddOutputFilterByType BROTLI_COMPRESS;DEFLATE text/plain"
    server = fronts.site(stage, "apache2", files, lines)
    me = stage.actor("client", server, "wiki.werft.example", "node:fetch")
    lab.walk(me, "/wiki/")
    me.get("/wiki/Home.txt")
    for name in ("Hafen", "Kran"):
        seen = me.get(f"/wiki/{name}.txt")
        lab.sure(re.search(r'-(br|gzip)"$', seen.etag), seen.etag)
        me.put(f"/wiki/{name}.txt", seen.text + "\nnew\n", 412, {"If-Match": seen.etag})
        lab.rest(0.5)
        me.get(f"/wiki/{name}.txt", 200, {"If-None-Match": seen.etag})
    bare = me.get("/wiki/Kran.txt", 200, {"Accept-Encoding": "identity"})
    lab.sure(bare.etag == re.sub(r'-(br|gzip)"$', '"', seen.etag), bare.etag)
    me.put("/wiki/Kran.txt", bare.text + "\nnew\n", 204, {"If-Match": bare.etag})
