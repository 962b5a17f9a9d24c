"""Stories on web servers and their files: Apache, nginx, lighttpd, Radicale, WsgiDAV."""

from __future__ import annotations

import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.vic_core import Box, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_vin_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_DAV = fronts.DAV["apache2"]
_BIN = 'mimetype.assign += (".bin" => "application/octet-stream")\nserver.stat-cache-engine = "disable"'


@case(
    "e126",
    "vin-apache-tag-weak-within-the-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A site builder puts a page into Apache's mod_dav, reads it back within the second, gets a weak tag, and its next "
        "If-Match with it is 412; a second later the same opaque value is strong and the save is taken. Older files beside "
        "it are saved well."
    ),
)
def settled(stage: Stage) -> None:
    """Save too soon."""
    server = fronts.site(
        stage, "apache2", {"menu.json": '{"home":"/"}', "about.html": "<h1>About</h1>\n"}, _DAV
    )
    me = stage.actor("client", server, "www.teehaus.example", "requests", {"User-Agent": "sitebuild/0.9"})
    me.send("OPTIONS", "/", 200)
    menu = me.get("/menu.json")
    me.put("/menu.json", '{"home":"/","tee":"/tee.html"}', 204, {"If-Match": menu.etag})
    place.whole_second()
    me.put("/tee.html", "<h1>Tee</h1>\n", 201)
    page = me.get("/tee.html")
    place.sure(page.etag.startswith("W/"), page.etag)
    me.put("/tee.html", "<h1>Tee</h1>\n<p>Darjeeling</p>\n", 412, {"If-Match": page.etag})
    me.get("/about.html")
    place.rest(2.2)
    again = me.get("/tee.html")
    place.sure(again.etag == page.etag.removeprefix("W/"), again.etag)
    me.put("/tee.html", "<h1>Tee</h1>\n<p>Darjeeling</p>\n", 204, {"If-Match": again.etag})


@case(
    "e128",
    "vin-resumed-download-with-a-local-date",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A backup job resumes downloads from nginx with Range and If-Unmodified-Since, into which it writes the file's time "
        "in its own zone, three hours behind, labelled GMT: 412 for each file, though the files are as they were."
    ),
)
def resumed(stage: Stage) -> None:
    """Resume with the wrong hour."""
    files = {
        f"dumps/{name}.sql": f"-- {name}\n" + "insert into t values (1);\n" * 60
        for name in ("kunder", "ordrer")
    }
    server = fronts.site(stage, "nginx", {**files, "index.json": '["kunder","ordrer"]'}, age=5400)
    me = stage.actor("client", server, "backup.cafezal.example", "urllib", {"User-Agent": "guarda/1.2"})
    me.get("/index.json")
    for name in ("kunder", "ordrer"):
        path = f"/dumps/{name}.sql"
        head = me.send("HEAD", path, 200)
        me.send("GET", path, 206, {"Range": "bytes=0-799"})
        moment = parsedate_to_datetime(head.fields["last-modified"]).timestamp()
        local = formatdate(moment - 3 * 3600, usegmt=True)
        place.rest(0.4)
        me.send("GET", path, 412, {"Range": "bytes=800-", "If-Unmodified-Since": local})
    me.send("HEAD", "/dumps/kunder.sql", 200)


@case(
    "e138",
    "vin-poller-with-a-clock-ahead",
    "clock-skew",
    "stale-read",
    alone="clock-skew",
    description=(
        "A signage player polls nginx (if_modified_since before) with the time of its own clock, which is 47 minutes "
        "ahead: every answer is 304, also after the programme was replaced, which a plain read much later shows."
    ),
)
def ahead(stage: Stage) -> None:
    """Ask with the future."""
    files = {"programm.json": '{"saal1":"Metropolis"}', "preise.json": '{"normal":11}'}
    server = fronts.site(stage, "nginx", files, "if_modified_since before; etag off;", age=9000)
    me = stage.actor("client", server, "anzeige.kino.example", "urllib", {"User-Agent": "Anzeige/2.1"})
    for name in files:
        me.get(f"/{name}")
    last = time.time() + 2833
    for turn in range(5):
        place.rest(0.7)
        if turn == 2:
            fronts.put_file(server.directory, "programm.json", '{"saal1":"Nosferatu"}')
        for name in files:
            me.get(f"/{name}", 304, {"If-Modified-Since": formatdate(last, usegmt=True)})
        last = time.time() + 2833
    now = me.get("/programm.json")
    place.sure("Nosferatu" in now.text)


@case(
    "e127",
    "vin-two-saves-in-one-second",
    "date-precision",
    "lost-update",
    alone="date-precision",
    description=(
        "Two colleagues keep a list on a small service behind nginx and guard saves with If-Unmodified-Since alone. Both save within one "
        "second: the date has not moved, the second save is taken, and the line that a listing had shown is gone."
    ),
)
def second(stage: Stage) -> None:
    """Save within the second."""
    docs = {
        "/listen/leihe.txt": ("text/plain", "Bohrer: frei\n"),
        "/listen/regeln.txt": ("text/plain", "Seid nett.\n"),
    }
    box = Box(docs, dates=True)
    box.listing = lambda _req, _path, below: Res(
        200, [{"name": key, "bytes": len(one.data.encode()), "by": one.by} for key, one in below.items()]
    )
    server = fronts.nginx(stage, place.open_box(stage, box, "flask"))
    plain = {"Content-Type": "text/plain", "User-Agent": "Leihliste/1"}
    me = stage.actor("client", server, "listen.werkstatt.example", "httpx", {**plain, "X-User": "uwe"})
    other = stage.actor("other", server, "listen.werkstatt.example", "requests", {**plain, "X-User": "anke"})
    me.get("/listen/regeln.txt")
    old = me.get("/listen/leihe.txt")
    place.whole_second()
    me.put("/listen/leihe.txt", "Bohrer: Uwe\n", 200, {"If-Unmodified-Since": old.fields["last-modified"]})
    mine = me.get("/listen/leihe.txt")
    since = {"If-Unmodified-Since": mine.fields["last-modified"]}
    other.put("/listen/leihe.txt", "Bohrer: Uwe\nLeiter: Anke bis Freitag\n", 200, since)
    listed = me.get("/listen").json
    place.sure(next(one for one in listed if "leihe" in one["name"])["by"] == "anke")
    me.put("/listen/leihe.txt", "Bohrer: Uwe\nFräse: Uwe\n", 200, since)
    place.rest(1.5)
    now = me.get("/listen/leihe.txt")
    place.sure("Anke" not in now.text and now.fields["last-modified"] == mine.fields["last-modified"])
    me.get("/listen/regeln.txt", 304, {"If-Modified-Since": old.fields["last-modified"]})


@case(
    "e157",
    "vin-condition-with-an-iso-date",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "A price editor guards its saves at Apache's mod_dav with If-Unmodified-Since in the form of ISO 8601, which is no "
        "HTTP-date and is passed over: its save of an old base is taken, and a colleague's price is gone."
    ),
)
def iso(stage: Stage) -> None:
    """Guard with what is no date."""
    files = {"preise/getraenke.csv": "cola;2.90\nwasser;2.10\n", "preise/speisen.csv": "suppe;6.50\n"}
    server = fronts.site(stage, "apache2", files, _DAV, age=86400)
    me = stage.actor("client", server, "kasse.gasthof.example", "node:axios", {"User-Agent": "PreisPflege/4"})
    other = stage.actor("other", server, "kasse.gasthof.example", "curl")

    def form(value: str) -> str:
        return parsedate_to_datetime(value).strftime("%Y-%m-%dT%H:%M:%SZ")

    food = me.get("/preise/speisen.csv")
    me.put(
        "/preise/speisen.csv",
        "suppe;6.90\n",
        204,
        {"If-Unmodified-Since": form(food.fields["last-modified"])},
    )
    held = me.get("/preise/getraenke.csv")
    seen = other.get("/preise/getraenke.csv")
    other.put("/preise/getraenke.csv", "cola;3.20\nwasser;2.10\n", 204, {"If-Match": seen.etag})
    place.rest(1.3)
    head = me.send("HEAD", "/preise/getraenke.csv", 200)
    place.sure(head.fields["last-modified"] != held.fields["last-modified"])
    body = held.text.replace("wasser;2.10", "wasser;2.30")
    since = {"If-Unmodified-Since": form(held.fields["last-modified"])}
    me.put("/preise/getraenke.csv", body, 204, since)
    place.rest(0.5)
    place.sure("cola;2.90" in me.get("/preise/getraenke.csv").text)


@case(
    "e150",
    "vin-segments-of-two-firmwares",
    "read-changed-mid-transfer",
    "corrupt-read",
    alone="read-changed-mid-transfer",
    description=(
        "A device fetches a firmware from lighttpd in four ranges without If-Range; a new build is uploaded after the "
        "second: the last two parts carry another ETag and another length, and all are 206."
    ),
)
def segments(stage: Stage) -> None:
    """Splice."""
    first = "".join(f"{n:06d} rev-a\n" for n in range(400))
    server = fronts.site(
        stage, "lighttpd", {"fw/gw-2.bin": first, "fw/latest.txt": "gw-2.bin\n"}, _BIN, age=40000
    )
    me = stage.actor("client", server, "fw.geraete.example", "curl:trace-time", {"User-Agent": "ota/3.3"})
    me.get("/fw/latest.txt")
    size = int(me.send("HEAD", "/fw/gw-2.bin", 200).fields["content-length"])
    step, tags = 1500, []
    for number in range(4):
        if number == 2:
            fresh = "".join(f"{n:06d} rev-b\n" for n in range(431))
            fronts.put_file(server.directory, "fw/gw-2.bin", fresh)
            place.rest(1.4)
        end = min(size, (number + 1) * step) - 1
        got = me.send("GET", "/fw/gw-2.bin", 206, {"Range": f"bytes={number * step}-{end}"})
        tags.append(got.etag)
        place.rest(0.5)
    place.sure(len(set(tags)) == 2 and tags[0] == tags[1])
    me.get("/fw/latest.txt")


_LOCK = (
    '<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype><D:owner><D:href>{}</D:href></D:owner></D:lockinfo>"
)


@case(
    "e145",
    "vin-spreadsheet-held-open-by-another",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "A report job writes into WsgiDAV with the right If-Match while somebody holds the sheet open under an exclusive "
        "lock: 423, lockdiscovery names the owner, and the other file of the run is saved."
    ),
)
def held(stage: Stage) -> None:
    """Meet a lock."""
    server = stage.server("wsgidav")
    for name in ("umsatz.csv", "lager.csv"):
        fronts.put_file(server.directory, f"{name}", f"{name};1\n", age=7000)
    me = stage.actor("client", server, "dav.handel.example", "requests", {"User-Agent": "bericht/7"})
    other = stage.actor("other", server, "dav.handel.example", "httpx", {"User-Agent": "LibreOffice 24.8"})
    fields = {"Content-Type": "text/xml", "Timeout": "Second-600", "Depth": "0"}
    locked = other.send("LOCK", "/umsatz.csv", 200, fields, _LOCK.format("frau.lenz"))
    place.sure(locked.fields["lock-token"])
    me.send("OPTIONS", "/", 200)
    for name, status in (("lager.csv", 204), ("umsatz.csv", 423)):
        seen = me.get(f"/{name}")
        me.put(f"/{name}", seen.text + "summe;2\n", status, {"If-Match": seen.etag})
    find = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/><D:getetag/></D:prop></D:propfind>'
    me.send("PROPFIND", "/umsatz.csv", 207, {"Depth": "0", "Content-Type": "text/xml"}, find)


_EVENT = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//{}//DE\r\nBEGIN:VEVENT\r\nUID:{}\r\nDTSTAMP:20261128T080000Z\r\nDTSTART:2026121{}T090000Z\r\nSUMMARY:{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
_CAL = {"Content-Type": "text/calendar; charset=utf-8"}
_MAKE = (
    '<?xml version="1.0"?><C:mkcalendar xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"><D:set><D:prop>'
    "<D:displayname>Dienst</D:displayname></D:prop></D:set></C:mkcalendar>"
)
_SYNC = (
    '<?xml version="1.0"?><D:sync-collection xmlns:D="DAV:"><D:sync-token>{}</D:sync-token><D:sync-level>1</D:sync-level>'
    "<D:prop><D:getetag/></D:prop></D:sync-collection>"
)


@case(
    "e140",
    "vin-calendar-made-changed-and-synchronised",
    "none",
    "healthy",
    alone="none",
    description=(
        "A calendar client on Radicale makes events with If-None-Match *, changes them with the newest tags, takes in what "
        "a second device changed by sync-collection, and only then changes that one; a deleted one is 404 afterwards."
    ),
)
def calendar(stage: Stage) -> None:
    """Keep a calendar."""
    server = stage.server("radicale")
    always = {"Authorization": "Basic aW5nYTpwdw==", "User-Agent": "DAVx5/4.4"}
    me = stage.actor("client", server, "kalender.praxis.example", "httpx", always)
    other = stage.actor(
        "other", server, "kalender.praxis.example", "requests", {**always, "User-Agent": "Evolution/3.54"}
    )
    me.send("MKCALENDAR", "/inga/dienst/", 201, {"Content-Type": "application/xml"}, _MAKE)
    paths = [f"/inga/dienst/{name}.ics" for name in ("nacht", "frueh", "spaet")]
    tags = {}
    for n, path in enumerate(paths):
        body = _EVENT.format("DAVx5", f"u-{n}", n, f"Dienst {n}")
        tags[path] = me.put(path, body, 201, {**_CAL, "If-None-Match": "*"}).etag
    xml = {"Content-Type": "application/xml"}
    token = me.send("REPORT", "/inga/dienst/", 207, xml, _SYNC.format("")).text
    token = token.split("sync-token>")[1].split("<")[0]
    body = _EVENT.format("DAVx5", "u-0", 0, "Nachtdienst")
    tags[paths[0]] = me.put(paths[0], body, 204, {**_CAL, "If-Match": tags[paths[0]]}).etag
    seen = other.get(paths[1])
    other.put(
        paths[1], _EVENT.format("Evolution", "u-1", 5, "Frühdienst"), 204, {**_CAL, "If-Match": seen.etag}
    )
    place.rest(1.1)
    me.send("REPORT", "/inga/dienst/", 207, xml, _SYNC.format(token))
    fresh = me.get(paths[1])
    me.put(
        paths[1], fresh.text.replace("Frühdienst", "Frühdienst (Inga)"), 204, {**_CAL, "If-Match": fresh.etag}
    )
    me.send("DELETE", paths[2], 200, {"If-Match": tags[paths[2]]})
    me.get(paths[2], 404)
