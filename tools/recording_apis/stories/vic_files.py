"""Stories on web servers that serve files: Apache, nginx, lighttpd, Caddy, WsgiDAV, Radicale, Tomcat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_TEXT = {"Content-Type": "text/plain"}


@case(
    "d255",
    "vic-minutes-already-filed",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "On Apache's DAV, the secretary files the minutes of a meeting with If-None-Match: *; a colleague has filed "
        "hers two minutes before, so the create is refused as meant. The secretary looks and files under another name."
    ),
)
def minutes(stage: Stage) -> None:
    """Create what a colleague has created."""
    files = {f"minutes/2026-{m:02}.txt": f"Minutes of month {m}\nPresent: 7\n" for m in (8, 9, 10)}
    server = fronts.site(stage, "apache2", {**files, "agenda.txt": "Agenda"}, fronts.DAV["apache2"], 86000)
    me = stage.actor("client", server, "council.parish.test", "curl:trace-time")
    other = stage.actor("other", server, "council.parish.test", "requests", {"User-Agent": "WebDrive/18"})
    me.send("PROPFIND", "/minutes/", 207, {"Depth": "1"})
    other.get("/minutes/2026-10.txt")
    other.put(
        "/minutes/2026-11.txt",
        "Minutes of November\nPresent: 9\nBy Ines\n",
        201,
        {**_TEXT, "If-None-Match": "*"},
    )
    place.rest(1.6)
    me.get("/agenda.txt")
    mine = "November minutes, draft of the secretary\n"
    me.put("/minutes/2026-11.txt", mine, 412, {**_TEXT, "If-None-Match": "*"})
    seen = me.get("/minutes/2026-11.txt")
    place.sure("Ines" in seen.text)
    me.put("/minutes/2026-11-secretary.txt", mine, 201, {**_TEXT, "If-None-Match": "*"})
    me.send("PROPFIND", "/minutes/", 207, {"Depth": "1"})


@case(
    "d256",
    "vic-playlist-thrown-away",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "lighttpd's WebDAV: a studio deletes a play list while the presenter still edits it. The presenter's PUT with "
        "the tag of the read is refused, a GET then says 404, and a second PUT with the same tag is refused as well."
    ),
)
def playlist(stage: Stage) -> None:
    """Update what somebody has deleted."""
    files = {
        f"lists/{n}.txt": "\n".join(f"{n} track {i}" for i in range(9)) for n in ("dawn", "noon", "dusk")
    }
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"], 40000)
    me = stage.actor("client", server, "radio.studio.test", "httpx")
    other = stage.actor("other", server, "radio.studio.test", "curl")
    held = {n: me.get(f"/lists/{n}.txt") for n in ("dawn", "noon", "dusk")}
    me.get("/lists/dawn.txt", 304, {"If-None-Match": held["dawn"].etag})
    other.send("HEAD", "/lists/dusk.txt", 200)
    other.send("DELETE", "/lists/dusk.txt", 204)
    me.put(
        "/lists/noon.txt",
        held["noon"].text + "\njingle",
        (200, 204),
        {**_TEXT, "If-Match": held["noon"].etag},
    )
    place.rest(0.7)
    new = held["dusk"].text + "\nencore"
    me.put("/lists/dusk.txt", new, 412, {**_TEXT, "If-Match": held["dusk"].etag})
    me.get("/lists/dusk.txt", 404)
    me.put("/lists/dusk.txt", new, 412, {**_TEXT, "If-Match": held["dusk"].etag})
    me.send("PROPFIND", "/lists/", 207, {"Depth": "1"})


@case(
    "d257",
    "vic-save-and-save-again",
    "weak-until-settled",
    "412",
    alone="weak-until-settled etag-weakened weak-only-origin",
    description=(
        "Apache's DAV marks the tag of a file written within the last second weak: a diary is saved, read and saved "
        "again at once, which is refused twice; after more than a second the same tag is strong, and it is taken."
    ),
)
def diary(stage: Stage) -> None:
    """Save twice within a second."""
    files = {"diary/mon.txt": "planted leeks", "diary/tue.txt": "rain", "diary/wed.txt": "-"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"], 5000)
    me = stage.actor("client", server, "allotment.garden.test", "node:fetch")
    for day in ("mon", "tue"):
        me.get(f"/diary/{day}.txt")
    seen = me.get("/diary/wed.txt")
    me.put("/diary/wed.txt", "dug the bed", 204, {**_TEXT, "If-Match": seen.etag})
    for _ in range(2):
        fresh = me.get("/diary/wed.txt")
        place.sure(fresh.etag.startswith("W/"), fresh.etag)
        me.put("/diary/wed.txt", "dug the bed, sowed spinach", 412, {**_TEXT, "If-Match": fresh.etag})
        place.rest(0.15)
    place.rest(1.8)
    settled = me.get("/diary/wed.txt")
    place.sure(settled.etag == fresh.etag.removeprefix("W/"), (settled.etag, fresh.etag))
    me.put("/diary/wed.txt", "dug the bed, sowed spinach", 204, {**_TEXT, "If-Match": settled.etag})
    me.get("/diary/mon.txt")


@case(
    "d258",
    "vic-recipes-overwritten",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "nginx's DAV module reads no If-Match of a PUT: a cook sees that a colleague has changed the recipe, and a job "
        "still sends the tag of hours ago; 204, and the colleague's allergens are gone. A GET with that tag is 412."
    ),
)
def recipes(stage: Stage) -> None:
    """Write with an outdated tag where no one looks at it."""
    files = {
        f"recipes/{n}.json": f'{{"dish":"{n}","serves":4,"allergens":[]}}' for n in ("dal", "pho", "ramen")
    }
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"], 9000)
    me = stage.actor("client", server, "recipes.kitchen.test", "urllib", {"User-Agent": "menu-sync/4.2"})
    other = stage.actor("other", server, "recipes.kitchen.test", "httpx", {"User-Agent": "pastry-tablet"})
    old = {n: me.get(f"/recipes/{n}.json") for n in ("dal", "pho", "ramen")}
    base = other.get("/recipes/pho.json")
    other.put("/recipes/pho.json", {**base.json, "allergens": ["fish", "soy"]}, 204, {"If-Match": base.etag})
    place.rest(1.2)
    now = me.get("/recipes/pho.json", 200, {"If-None-Match": old["pho"].etag})
    place.sure("soy" in now.text and now.etag != old["pho"].etag)
    me.send("GET", "/recipes/pho.json", 412, {"If-Match": old["pho"].etag})
    me.put("/recipes/pho.json", {**old["pho"].json, "serves": 6}, 204, {"If-Match": old["pho"].etag})
    place.sure("soy" not in me.get("/recipes/pho.json").text)
    me.get("/recipes/dal.json", 304, {"If-None-Match": old["dal"].etag})
    me.put("/recipes/ramen.json", {**old["ramen"].json, "serves": 2}, 204, {"If-Match": '"0-0"'})


@case(
    "d259",
    "vic-survey-data-in-parts",
    "read-changed-mid-transfer",
    "mixed-206",
    alone="read-changed-mid-transfer",
    description=(
        "A survey's export is read in parts of a server of files without If-Range; a nightly job replaces the file "
        "between the third part and the fourth, so the parts carry two tags and were put together none the less."
    ),
)
def survey(stage: Stage) -> None:
    """Read parts of two versions."""
    rows = "".join(f"{n:05},plot {n % 40},{n * 3 % 97}\n" for n in range(900))
    server = fronts.site(stage, "lighttpd", {"export/plots.txt": rows, "export/readme.txt": "csv"}, "", 70000)
    me = stage.actor("client", server, "survey.forestry.test", "java")
    me.get("/export/readme.txt")
    whole = me.send("HEAD", "/export/plots.txt", 200)
    size, step, tags = len(rows), 3000, []
    for number, start in enumerate(range(0, size, step)):
        if number == 3:
            later = rows.replace("plot 7,", "plot 7b,")
            fronts.put_file(server.directory, "export/plots.txt", later, 2.0)
            place.rest(1.1)
        part = me.get("/export/plots.txt", 206, {"Range": f"bytes={start}-{min(start + step, size) - 1}"})
        tags.append(part.etag)
        place.rest(0.1)
    place.sure(len(set(tags)) == 2 and tags[0] == whole.etag, tags)
    me.get("/export/readme.txt")


@case(
    "d260",
    "vic-handbook-on-tomcat",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Tomcat's DefaultServlet gives weak tags alone, also uncompressed, so no If-Match with its own tag can hold: "
        "an editor of a handbook is refused again and again although nobody else writes."
    ),
)
def handbook(stage: Stage) -> None:
    """Send back the only tag there is."""
    server = stage.server("tomcat")
    me = stage.actor("client", server, "handbook.clinic.test", "aiohttp", {"Accept-Encoding": "identity"})
    for page in ("wash", "dress", "lift"):
        me.put(f"/{page}.html", f"<h1>{page}</h1><p>first</p>", 201, {"Content-Type": "text/html"})
    place.rest(1.2)
    tags = {page: me.get(f"/{page}.html").etag for page in ("wash", "dress", "lift")}
    place.sure(all(tag.startswith("W/") for tag in tags.values()), tags)
    me.get("/wash.html", 304, {"If-None-Match": tags["wash"]})
    for page in ("lift", "lift", "dress"):
        tag = me.get(f"/{page}.html").etag
        place.sure(tag == tags[page])
        me.put(
            f"/{page}.html",
            f"<h1>{page}</h1><p>second</p>",
            412,
            {"If-Match": tag, "Content-Type": "text/html"},
        )
        place.rest(0.3)
    me.get("/lift.html", 304, {"If-None-Match": tags["lift"]})


_LOCK = (
    '<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype><D:owner>desk 3</D:owner></D:lockinfo>"
)


@case(
    "d261",
    "vic-plan-locked-by-the-site-office",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "WsgiDAV: the site office holds a lock on a building plan. The architect's PUT without a lock token is 423, "
        "one with a token made up from an earlier session is refused too, until the site office unlocks."
    ),
)
def plan(stage: Stage) -> None:
    """Write what another has locked."""
    server = stage.server("wsgidav")
    me = stage.actor("client", server, "plans.architects.test", "urllib", {"User-Agent": "PlanEdit/3.1"})
    other = stage.actor("other", server, "plans.architects.test", "requests", {"User-Agent": "SiteOffice/9"})
    for name in ("north.txt", "south.txt"):
        me.put(f"/{name}", f"elevation {name}", 201, _TEXT)
    me.send("PROPFIND", "/", 207, {"Depth": "1"})
    xml = {"Content-Type": "application/xml", "Timeout": "Second-600", "Depth": "0"}
    got = other.send("LOCK", "/north.txt", 200, xml, _LOCK)
    token = got.fields["lock-token"]
    other.put("/north.txt", "elevation north, gate moved", 204, {**_TEXT, "If": f"({token})"})
    me.get("/south.txt")
    me.put("/north.txt", "elevation north, window", 423, _TEXT)
    me.send("PROPFIND", "/north.txt", 207, {"Depth": "0"})
    made_up = "(<opaquelocktoken:0x4f1c2a7be2d04b33a9a1d6c0e7f5b812>)"
    me.put("/north.txt", "elevation north, window", (412, 423), {**_TEXT, "If": made_up})
    place.rest(0.6)
    other.send("UNLOCK", "/north.txt", 204, {"Lock-Token": token})
    now = me.get("/north.txt")
    me.put("/north.txt", f"{now.text}, window", 204, {**_TEXT, "If-Match": now.etag})


@case(
    "d262",
    "vic-rota-last-writer-wins",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    description=(
        "Two wardens of a hostel store the rota on lighttpd's WebDAV without any condition, though reads name a tag "
        "that the server would honour; both began from the same version, and the first one's night shift is lost."
    ),
)
def rota(stage: Stage) -> None:
    """Write without a condition."""
    files = {
        f"rota/week{w}.json": f'{{"week":{w},"early":"Ann","late":"Bo","night":""}}' for w in (47, 48, 49)
    }
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"], 30000)
    me = stage.actor("client", server, "rota.hostel.test", "node:axios", {"User-Agent": "axios/1.7 rota"})
    other = stage.actor("other", server, "rota.hostel.test", "aiohttp", {"User-Agent": "rota-app/2"})
    for week in (47, 49):
        seen = me.get(f"/rota/week{week}.json")
        me.get(f"/rota/week{week}.json", 304, {"If-None-Match": seen.etag})
    theirs, mine = other.get("/rota/week48.json"), me.get("/rota/week48.json")
    place.sure(theirs.etag == mine.etag)
    place.rest(0.5)
    other.put("/rota/week48.json", {**theirs.json, "night": "Cem"}, (200, 204))
    place.rest(1.1)
    me.put("/rota/week48.json", {**mine.json, "early": "Dora"}, (200, 204))
    place.sure(me.get("/rota/week48.json").json["night"] == "")
    place.sure(other.get("/rota/week48.json").json["night"] == "")
    me.put("/rota/week49.json", {"week": 49, "early": "Dora", "late": "Bo", "night": ""}, (200, 204))


@case(
    "d263",
    "vic-uploader-tries-the-same-again",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "Another station has replaced a tide table on Apache; the uploader sends the refused tag four times more with "
        "growing pauses and reads nothing in between."
    ),
)
def uploader(stage: Stage) -> None:
    """Send the refused tag again and again."""
    files = {f"tides/{p}.json": f'{{"port":"{p}","rows":[1,2,3]}}' for p in ("leith", "wick", "oban")}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"], 20000)
    me = stage.actor("client", server, "tides.coastguard.test", "httpx", {"User-Agent": "tide-push/0.9"})
    other = stage.actor("other", server, "tides.coastguard.test", "curl", {"User-Agent": "station-b/1.1"})
    held = {p: me.get(f"/tides/{p}.json") for p in ("leith", "wick", "oban")}
    theirs = other.get("/tides/wick.json")
    other.put("/tides/wick.json", {**theirs.json, "rows": [1, 2, 4]}, 204, {"If-Match": theirs.etag})
    me.put("/tides/leith.json", {**held["leith"].json, "rows": [5]}, 204, {"If-Match": held["leith"].etag})
    for wait in (0.2, 0.4, 0.8, 1.6, 0):
        me.put("/tides/wick.json", {**held["wick"].json, "rows": [9]}, 412, {"If-Match": held["wick"].etag})
        place.rest(wait)
    me.put("/tides/oban.json", {**held["oban"].json, "rows": [6]}, 204, {"If-Match": held["oban"].etag})


def _event(name: str, hour: int, place_name: str) -> str:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//vic//rowing//EN",
        "BEGIN:VEVENT",
        f"UID:{name}@rowing.test",
    ]
    lines += [
        "DTSTAMP:20261120T070000Z",
        f"DTSTART:20261205T{hour:02}0000Z",
        f"SUMMARY:{name}",
        f"LOCATION:{place_name}",
    ]
    return "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""])


@case(
    "d264",
    "vic-calendar-forgets-its-own-save",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "Radicale: a phone saves an outing and is told the new tag, but keeps the one of the read before in its own "
        "store; its next save goes out with that and is refused. Nobody else writes to the calendar."
    ),
)
def outing(stage: Stage) -> None:
    """Ignore the tag of one's own save."""
    server = stage.server("radicale")
    me = stage.actor(
        "client",
        server,
        "cal.rowing.test",
        "requests",
        {"Authorization": "Basic Y294Og==", "User-Agent": "OarCal/5.0"},
    )
    me.send("MKCALENDAR", "/cox/outings/", 201, {"Content-Type": "application/xml"})
    ics = {"Content-Type": "text/calendar; charset=utf-8"}
    me.put("/cox/outings/eight.ics", _event("eight", 6, "Dock"), 201, {**ics, "If-None-Match": "*"})
    me.put("/cox/outings/four.ics", _event("four", 8, "Dock"), 201, {**ics, "If-None-Match": "*"})
    kept = me.get("/cox/outings/eight.ics").etag
    me.send("PROPFIND", "/cox/outings/", 207, {"Depth": "1"})
    told = me.put("/cox/outings/eight.ics", _event("eight", 7, "Dock"), (201, 204), {**ics, "If-Match": kept})
    place.sure(told.etag != kept)
    place.rest(0.8)
    me.get("/cox/outings/four.ics")
    me.put("/cox/outings/eight.ics", _event("eight", 7, "Lock"), 412, {**ics, "If-Match": kept})
    place.rest(0.4)
    place.sure(me.get("/cox/outings/eight.ics").etag == told.etag)


@case(
    "d265",
    "vic-three-hands-on-one-share",
    "none",
    "healthy",
    alone="none",
    description=(
        "A share on Apache with three writers, each on files of its own and with the tag of a settled read; reads "
        "that are not modified, a deletion with a tag, a 404 after it, and creates that go through."
    ),
)
def share(stage: Stage) -> None:
    """Work side by side."""
    files = {f"{who}/{n}.txt": f"{who} {n}" for who in ("amy", "ben", "cho") for n in (1, 2, 3)}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"], 50000)
    me = stage.actor("client", server, "share.studio.test", "aiohttp")
    ben = stage.actor("other", server, "share.studio.test", "requests")
    cho = stage.actor("third", server, "share.studio.test", "urllib")
    for who, name in ((me, "amy"), (ben, "ben"), (cho, "cho"), (me, "amy"), (ben, "ben")):
        who.send("PROPFIND", f"/{name}/", 207, {"Depth": "1"})
        seen = who.get(f"/{name}/2.txt", 200, {"Cache-Control": "no-cache"})
        who.get("/amy/1.txt", 200)
        who.put(f"/{name}/2.txt", seen.text + " more", 204, {**_TEXT, "If-Match": seen.etag})
        place.rest(0.5)
    me.put("/amy/4.txt", "four", 201, {**_TEXT, "If-None-Match": "*"})
    one = me.get("/amy/1.txt")
    me.get("/amy/1.txt", 304, {"If-None-Match": one.etag})
    gone = ben.get("/ben/3.txt")
    ben.send("DELETE", "/ben/3.txt", 204, {"If-Match": gone.etag})
    me.get("/ben/3.txt", 404)


@case(
    "d266",
    "vic-conflict-that-was-merged",
    "none",
    "healthy",
    alone="none other-writer",
    description=(
        "lighttpd's WebDAV: two clerks edit a price sheet; the second is refused once, reads again, puts its edit onto "
        "the colleague's version and is taken: both edits are in the final sheet."
    ),
)
def merged(stage: Stage) -> None:
    """Heal a conflict as one should."""
    files = {f"sheets/{n}.json": '{"milk":110,"rye":240,"eggs":330}' for n in ("east", "west")}
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"], 30000)
    me = stage.actor("client", server, "sheets.dairy.test", "node:fetch")
    other = stage.actor("other", server, "sheets.dairy.test", "httpx")
    me.send("PROPFIND", "/sheets/", 207, {"Depth": "1"})
    west = me.get("/sheets/west.json")
    me.put("/sheets/west.json", {**west.json, "milk": 112}, (200, 204), {"If-Match": west.etag})
    mine, theirs = me.get("/sheets/east.json"), other.get("/sheets/east.json")
    other.put("/sheets/east.json", {**theirs.json, "rye": 255}, (200, 204), {"If-Match": theirs.etag})
    place.rest(0.9)
    me.put("/sheets/east.json", {**mine.json, "eggs": 345}, 412, {"If-Match": mine.etag})
    again = me.get("/sheets/east.json")
    me.put("/sheets/east.json", {**again.json, "eggs": 345}, (200, 204), {"If-Match": again.etag})
    place.sure(other.get("/sheets/east.json").json == {"milk": 110, "rye": 255, "eggs": 345})
    me.get("/sheets/west.json")


@case(
    "d267",
    "vic-visitors-of-a-static-site",
    "none",
    "healthy",
    alone="none",
    description=(
        "A Caddy site under busy readers: pages not modified by tag and by date, a download in parts with If-Range, a "
        "range beyond the end, and missing pages."
    ),
)
def visitors(stage: Stage) -> None:
    """Read a site in all ways."""
    files: dict[str, str | bytes] = {
        "index.html": "<p>hi</p>",
        "css/a.css": "p{}",
        "big.bin": b"x" * 9000,
        "news.json": '{"n":1}',
    }
    server = fronts.site(stage, "caddy", files, "", 400000)
    me = stage.actor("client", server, "www.museumship.example", "curl:trace-time")
    home, css, big = me.get("/"), me.get("/css/a.css"), me.send("HEAD", "/big.bin", 200)
    for _ in range(3):
        me.get("/", 304, {"If-None-Match": home.etag})
        me.get("/css/a.css", 304, {"If-Modified-Since": css.fields["last-modified"]})
    for start in (0, 3000, 6000):
        me.get("/big.bin", 206, {"Range": f"bytes={start}-{start + 2999}", "If-Range": big.etag})
    me.get("/big.bin", 416, {"Range": "bytes=20000-"})
    me.get("/favicon.ico", 404)
    me.get("/news.json", 200, {"If-None-Match": '"other"'})
    me.get("/deck/plan.pdf", 404)
