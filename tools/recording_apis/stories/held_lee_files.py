"""Stories on real servers of files, calendars, cards and records."""

from __future__ import annotations

import base64
import hashlib
import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories.held_lee_setting import again, rest, sure

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _early() -> None:
    """Wait until a second has just begun."""
    time.sleep(1.02 - time.time() % 1)


@case(
    "d881",
    "lee-minutes-saved-twice-in-a-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A choir's minutes on Apache's mod_dav: the writing tool reads at once after each save and has a W/ tag, with "
        "which the next save is refused; a second and a half later the same tag is strong and the save passes."
    ),
)
def minutes(stage: Stage) -> None:
    """Save while the tag is still weak."""
    files = {
        "protokoll/2026-11.md": "# Probe\n\n- Tenor fehlt\n",
        "protokoll/2026-10.md": "# Probe\n",
        "noten/liste.txt": "Rheinberger\n",
    }
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "ablage.kirchenchor.example", "requests", {"Accept": "*/*"})
    path, text = "/protokoll/2026-11.md", files["protokoll/2026-11.md"]
    again(me, "/noten/liste.txt", me.get("/noten/liste.txt"))
    seen = me.get(path)
    _early()
    me.put(path, text + "- Bass vollzählig\n", 204, {"If-Match": seen.etag})
    soon = me.get(path)
    sure(soon.etag.startswith("W/"), soon.etag)
    me.put(path, text + "- Bass vollzählig\n- Termin: 12.12.\n", 412, {"If-Match": soon.etag})
    me.get("/protokoll/2026-10.md")
    rest(1.5)
    late = me.get(path)
    sure(late.etag == soon.etag[2:], late.etag)
    me.put(path, text + "- Bass vollzählig\n- Termin: 12.12.\n", 204, {"If-Match": late.etag})


@case(
    "d901",
    "lee-tomcat-of-the-archive",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "A parish archive on Tomcat's DefaultServlet, straight and without a coding: all tags are weak, and each change "
        "with If-Match and the tag just read is refused, of old files and new ones alike."
    ),
)
def archive(stage: Stage) -> None:
    """Ask a strong question about weak tags."""
    server = stage.server("tomcat")
    root = server.directory / "webapps" / "ROOT"
    fronts.put_file(root, "doopboek/1874.xml", "<boek jaar='1874'><akte nr='1'>Jan</akte></boek>", 70000)
    fronts.put_file(root, "doopboek/1875.xml", "<boek jaar='1875'><akte nr='1'>Trijntje</akte></boek>", 70400)
    me = stage.actor("client", server, "archief.parochie.example", "java", {"Accept-Encoding": "identity"})
    for year, old, new in ((1874, "Jan", "Johannes"), (1875, "Trijntje", "Catharina")):
        path = f"/doopboek/{year}.xml"
        seen = me.get(path)
        sure(seen.etag.startswith("W/"))
        again(me, path, seen)
        me.put(
            path, seen.text.replace(old, new), 412, {"If-Match": seen.etag, "Content-Type": "application/xml"}
        )
        rest(0.7)
        sure(me.send("HEAD", path, 200).etag == seen.etag)
        me.put(
            path, seen.text.replace(old, new), 412, {"If-Match": seen.etag, "Content-Type": "application/xml"}
        )
    me.put(
        "/doopboek/1876.xml",
        "<boek jaar='1876'/>",
        201,
        {"If-None-Match": "*", "Content-Type": "application/xml"},
    )
    rest(1.4)
    third = me.get("/doopboek/1876.xml")
    me.send("DELETE", "/doopboek/1876.xml", 412, {"If-Match": third.etag})


@case(
    "d895",
    "lee-exhibition-text-is-locked",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "Wall texts of a museum on Apache's mod_dav: a curator's office program holds a lock, and a translator's save "
        "with the right tag is 423; lockdiscovery names the owner; her other texts are saved."
    ),
)
def wall_texts(stage: Stage) -> None:
    """Save what somebody has locked."""
    files = {f"sala{n}/pannello.html": f"<p>Sala {n}: ritratti</p>" for n in (1, 2, 3)}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "testi.museocivico.example", "httpx", {"User-Agent": "davtext/0.9"})
    other = stage.actor("other", server, "testi.museocivico.example", "curl", {"User-Agent": "LibreOffice"})
    lock = '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>curatrice.bassi</D:owner></D:lockinfo>'
    xml = {"Content-Type": "application/xml"}
    other.send("LOCK", "/sala2/pannello.html", 200, {"Timeout": "Second-600", **xml}, lock)
    me.send("PROPFIND", "/sala2/", 207, {"Depth": "1"})
    for room, status in ((1, 204), (2, 423), (3, 204)):
        seen = me.get(f"/sala{room}/pannello.html")
        text = seen.text.replace("ritratti", "portraits")
        me.put(
            f"/sala{room}/pannello.html", text, status, {"If-Match": seen.etag, "Content-Type": "text/html"}
        )
        rest(0.2)
    ask = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/><D:getetag/></D:prop></D:propfind>'
    told = me.send("PROPFIND", "/sala2/pannello.html", 207, {"Depth": "0", **xml}, ask)
    sure("curatrice.bassi" in told.text)
    rest(0.8)
    me.put(
        "/sala2/pannello.html",
        "<p>Room 2: portraits</p>",
        423,
        {"If-Match": me.get("/sala2/pannello.html").etag},
    )


def _basic(name: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:pass-{name}".encode()).decode()}


@case(
    "d919",
    "lee-species-record-is-there",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A nature club's sightings on Kinto: a volunteer's phone creates a record under an id made of place and day, "
        "with If-None-Match: *; another volunteer has been there in the morning, and the answer shows her record."
    ),
)
def sightings(stage: Stage) -> None:
    """Create what another has created."""
    server = stage.server("kinto")
    setup = stage.actor("setup", server, "fynd.naturklubb.example")
    for name in ("ebba", "nils"):
        setup.put(f"/v1/accounts/{name}", {"data": {"password": f"pass-{name}"}}, 201)
    everyone = {"permissions": {"write": ["system.Authenticated"]}}
    setup.put("/v1/buckets/fynd", everyone, 201, _basic("ebba"))
    setup.put("/v1/buckets/fynd/collections/fåglar".replace("å", "a"), everyone, 201, _basic("ebba"))
    stage.forget()
    me = stage.actor("client", server, "fynd.naturklubb.example", "aiohttp", _basic("nils"))
    other = stage.actor("other", server, "fynd.naturklubb.example", "requests", _basic("ebba"))
    base = "/v1/buckets/fynd/collections/faglar/records"
    star = {"If-None-Match": "*"}
    other.put(f"{base}/tjarn-1128", {"data": {"art": "kungsfiskare", "antal": 1, "vem": "ebba"}}, 201, star)
    rest(0.7)
    me.get("/v1/")
    me.put(f"{base}/mosse-1128", {"data": {"art": "trana", "antal": 14, "vem": "nils"}}, 201, star)
    me.put(f"{base}/tjarn-1128", {"data": {"art": "strömstare", "antal": 2, "vem": "nils"}}, 412, star)
    sure(me.get(f"{base}/tjarn-1128").json["data"]["vem"] == "ebba")
    me.get(base)
    me.put(f"{base}/vik-1128", {"data": {"art": "salskrake", "antal": 3, "vem": "nils"}}, 201, star)


_EVENT = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//{prod}//CS\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261120T080000Z\r\nDTSTART:20261203T{start}00Z\r\nDURATION:PT1H\r\nSUMMARY:{name}\r\nLOCATION:{room}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"


def _event(uid: str, name: str, start: str = "1500", room: str = "Sál A", prod: str = "kal") -> str:
    return _EVENT.format(prod=prod, uid=uid, name=name, start=start, room=room)


_ICS = {"Content-Type": "text/calendar; charset=utf-8"}


@case(
    "d894",
    "lee-rehearsal-moved-by-the-conductor",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "An orchestra's calendar on Radicale: the secretary's program saves a room with the tag that it holds; the "
        "conductor's phone has moved the start in between, and the event read after the 412 carries his PRODID."
    ),
)
def rehearsal(stage: Stage) -> None:
    """Be later than the conductor."""
    server = stage.server("radicale")
    both = {"Authorization": "Basic b3JjaGVzdHI6eA=="}
    setup = stage.actor("setup", server, "kalendar.filharmonie.example", "requests", both)
    setup.send("MKCALENDAR", "/orchestr/zkousky/", 201)
    for uid, name in (("p1", "Dvořák"), ("p2", "Janáček"), ("p3", "Suk")):
        setup.put(f"/orchestr/zkousky/{uid}.ics", _event(uid, name), 201, _ICS)
    stage.forget()
    me = stage.actor("client", server, "kalendar.filharmonie.example", "urllib", both)
    other = stage.actor(
        "other", server, "kalendar.filharmonie.example", "httpx", {**both, "User-Agent": "DAVx5/4.4"}
    )
    depth = {"Depth": "1", "Content-Type": "application/xml"}
    ask = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    me.send("PROPFIND", "/orchestr/zkousky/", 207, depth, ask)
    mine, first = me.get("/orchestr/zkousky/p2.ics"), me.get("/orchestr/zkousky/p1.ics")
    theirs = other.get("/orchestr/zkousky/p2.ics")
    other.put(
        "/orchestr/zkousky/p2.ics",
        _event("p2", "Janáček", "1700", prod="DAVx5"),
        204,
        {**_ICS, "If-Match": theirs.etag},
    )
    rest(1.2)
    me.put(
        "/orchestr/zkousky/p1.ics",
        _event("p1", "Dvořák", room="Sál B"),
        204,
        {**_ICS, "If-Match": first.etag},
    )
    me.put(
        "/orchestr/zkousky/p2.ics",
        _event("p2", "Janáček", room="Sál B"),
        412,
        {**_ICS, "If-Match": mine.etag},
    )
    sure("DAVx5" in me.get("/orchestr/zkousky/p2.ics").text)
    me.send("PROPFIND", "/orchestr/zkousky/", 207, depth, ask)


@case(
    "d909",
    "lee-poster-was-removed",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "Posters of a cinema on lighttpd's mod_webdav: an editor saves a text with the tag that she read, while the "
        "programme's clean-up has deleted the file; the save is 412, and a read and the folder know it no more."
    ),
)
def poster(stage: Stage) -> None:
    """Save what is no longer there."""
    files = {f"afisz/{n}.txt": f"Seans {n}\nGodz. 20:15\n" for n in ("rashomon", "vertigo", "popioly")}
    server = fronts.site(stage, "lighttpd", files, 'webdav.activate = "enable"\netag.use-inode = "disable"')
    me = stage.actor("client", server, "kino.zorza.example", "node:axios")
    other = stage.actor("other", server, "kino.zorza.example", "urllib")
    seen, kept = me.get("/afisz/vertigo.txt"), me.get("/afisz/rashomon.txt")
    other.send("DELETE", "/afisz/vertigo.txt", 204)
    rest(0.9)
    text = {"Content-Type": "text/plain"}
    me.put("/afisz/rashomon.txt", kept.text + "Kopia 35 mm\n", (200, 204), {**text, "If-Match": kept.etag})
    me.put("/afisz/vertigo.txt", seen.text + "Wstęp wolny\n", 412, {**text, "If-Match": seen.etag})
    me.get("/afisz/vertigo.txt", 404)
    me.send("PROPFIND", "/afisz/", 207, {"Depth": "1"})
    rest(0.5)
    me.put("/afisz/vertigo.txt", seen.text + "Wstęp wolny\n", 412, {**text, "If-Match": seen.etag})
    me.get("/afisz/popioly.txt")


@case(
    "d906",
    "lee-survey-raster-in-pieces",
    "read-changed-mid-transfer",
    "corrupt-read",
    alone="read-changed-mid-transfer",
    description=(
        "A surveyor's tool loads a raster from Caddy in four ranges without a condition; the night's job replaces it "
        "after the second: the later parts carry another ETag, all are 206, and the sum in the check file differs."
    ),
)
def raster(stage: Stage) -> None:
    """Put two versions together."""
    old, new = bytes(range(256)) * 32, bytes(reversed(range(256))) * 32
    files: dict[str, str | bytes] = {
        "raster/blad-22.tif": old,
        "raster/blad-22.sha256": hashlib.sha256(old).hexdigest() + "  blad-22.tif\n",
        "raster/index.txt": "blad-22\n",
    }
    server = fronts.site(stage, "caddy", files)
    me = stage.actor("client", server, "raster.kadasterhulp.example", "aiohttp")
    me.get("/raster/index.txt")
    size = int(me.send("HEAD", "/raster/blad-22.tif", 200).fields["content-length"])
    got = b""
    tags: list[str] = []
    for number in range(4):
        if number == 2:
            fronts.put_file(server.directory, "raster/blad-22.tif", new)
            fronts.put_file(
                server.directory, "raster/blad-22.sha256", hashlib.sha256(new).hexdigest() + "  blad-22.tif\n"
            )
        part = me.get("/raster/blad-22.tif", 206, {"Range": f"bytes={number * 2048}-{number * 2048 + 2047}"})
        got, tags = got + part.body, [*tags, part.etag]
        rest(0.4)
    sure(len(got) == size and tags[0] == tags[1] != tags[2] == tags[3])
    told = me.get("/raster/blad-22.sha256").text
    sure(hashlib.sha256(got).hexdigest() not in told)
    me.get("/raster/index.txt")


@case(
    "d910",
    "lee-tide-table-within-the-second",
    "date-precision",
    "wrong-304",
    alone="date-precision",
    description=(
        "Tide tables on an nginx without tags: the file is exported twice within a second, the harbour's display has the "
        "first export and is told 304 by its date for good; the index lists another length, and a read without a "
        "condition gives other content under the same Last-Modified."
    ),
)
def tides(stage: Stage) -> None:
    """Miss the second export of a second."""
    first, second = "HW 03:12 4.1\nLW 09:20 0.8\n", "HW 03:12 4.1\nLW 09:20 0.8\nHW 15:41 3.9\n"
    files = {
        "marees/brest.txt": first,
        "marees/liste.json": '{"brest.txt": {"octets": 26}}',
        "marees/roscoff.txt": first,
    }
    server = fronts.site(stage, "nginx", files, "etag off;", age=3600)
    me = stage.actor("client", server, "marees.capitainerie.example", "urllib", {"User-Agent": "panneau/2.2"})
    moment = time.time() % 1
    fronts.put_file(server.directory, "marees/brest.txt", first, moment + 2.95)
    me.get("/marees/liste.json")
    seen = me.get("/marees/brest.txt")
    fronts.put_file(
        server.directory,
        "marees/brest.txt",
        second,
        time.time() - parsedate_to_datetime(seen.fields["last-modified"]).timestamp() - 0.7,
    )
    fronts.put_file(
        server.directory,
        "marees/liste.json",
        f'{{"brest.txt": {{"octets": {len(second)}, "exporté": "{seen.fields["last-modified"]}"}}}}',
    )
    for _ in range(3):
        rest(0.5)
        me.get("/marees/brest.txt", 304, {"If-Modified-Since": seen.fields["last-modified"]})
    sure(str(len(second)) in me.get("/marees/liste.json").text)
    me.get("/marees/brest.txt", 304, {"If-Modified-Since": seen.fields["last-modified"]})
    now = me.get("/marees/brest.txt")
    sure(now.fields["last-modified"] == seen.fields["last-modified"] and now.text == second)
    me.get("/marees/roscoff.txt")


@case(
    "d918",
    "lee-catch-log-in-local-time",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "Catch logs of a fishing cooperative on Apache's mod_dav without tags: the boat's program sends the time that it "
        "read as If-Unmodified-Since, but put into its own time, three hours back, and still called GMT: always 412."
    ),
)
def catches(stage: Stage) -> None:
    """Call local time GMT."""
    files = {f"capturas/barco{n}.csv": f"fecha,especie,kg\n2026-11-2{n},merluza,120\n" for n in (4, 5, 6)}
    server = fronts.site(stage, "apache2", files, f"{fronts.DAV['apache2']}\nFileETag None", age=40000)
    me = stage.actor("client", server, "capturas.cooperativa-sur.example", "java")

    def local(served: str) -> str:
        return formatdate(parsedate_to_datetime(served).timestamp() - 3 * 3600, usegmt=True)

    me.send("OPTIONS", "/capturas/", 200)
    for boat in (4, 6):
        seen = me.get(f"/capturas/barco{boat}.csv")
        stamp = seen.fields["last-modified"]
        again_at = {"If-Modified-Since": stamp}
        me.get(f"/capturas/barco{boat}.csv", 304, again_at)
        text = {"Content-Type": "text/csv", "If-Unmodified-Since": local(stamp)}
        me.put(f"/capturas/barco{boat}.csv", seen.text + "2026-11-28,abadejo,35\n", 412, text)
        rest(0.5)
        sure(me.get(f"/capturas/barco{boat}.csv").fields["last-modified"] == stamp)
    me.put("/capturas/barco6.csv", seen.text + "2026-11-28,abadejo,35\n", 412, text)
