"""Stories on real web servers on files that people write to."""

from __future__ import annotations

import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ona_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d920",
    "ona-club-folder-on-the-phone",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "A club's folder on Apache's WebDAV: the phone's URL cache puts the If-None-Match of its stored copy on the "
        "app's PUTs too, which Apache refuses; files that the phone has never read are stored, and the same PUT "
        "from a notebook, which has no such cache, passes."
    ),
)
def phone(stage: Stage) -> None:
    """Let the phone's cache take part in a PUT."""
    files = {f"protokolle/2026-{n:02}.md": f"# Sitzung {n}\n- Boote geprüft\n" for n in (8, 9, 10)}
    files |= {"bootsliste.csv": "nr;boot\n1;Wespe\n2;Otter\n", "satzung.txt": "§1 Name und Sitz\n"}
    origin = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    agent = {"User-Agent": "Vereinsmappe/4.1 CFNetwork/1568.200.51 Darwin", "Accept-Language": "de-DE"}
    me = stage.actor("client", origin, "mappe.kanuclub-lahn.example", "httpx", agent)
    desk = {"User-Agent": "Vereinsmappe-Desktop/4.0 (Java 21)"}
    other = stage.actor("other", origin, "mappe.kanuclub-lahn.example", "java", desk)
    place.find(me, "/protokolle/")
    place.roam(me, ["/satzung.txt", "/bootsliste.csv"], 3, 4)
    for path in ("/protokolle/2026-10.md", "/bootsliste.csv"):
        held = me.get(path)
        place.rest(0.5)
        me.get(path, 304, {"If-None-Match": held.etag})
        text = held.text + ("3;Biber\n" if path.endswith("csv") else "- Kasse entlastet\n")
        for _ in range(2):
            me.put(path, text, 412, {"Content-Type": "text/plain", "If-None-Match": held.etag})
            place.rest(0.7)
            me.get(path, 304, {"If-None-Match": held.etag})
        if path.endswith("md"):
            me.put(
                "/protokolle/2026-11.md", "# Sitzung 11\n- Winterlager\n", 201, {"Content-Type": "text/plain"}
            )
    place.find(me, "/protokolle/")
    seen = other.get("/bootsliste.csv")
    other.put("/bootsliste.csv", seen.text + "3;Biber\n", 204, {"Content-Type": "text/csv"})


_DAYS = ("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica")
_MONTHS = [
    "gennaio",
    "febbraio",
    "marzo",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "agosto",
    "settembre",
    "ottobre",
    "novembre",
    "dicembre",
]


def _spoken(field: str) -> str:
    moment = parsedate_to_datetime(field)
    day = _DAYS[moment.weekday()].replace("ì", "i'")
    return f"{day} {moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M:%S} UTC"


@case(
    "d926",
    "ona-firmware-mirror-resumes",
    "bad-date",
    "412",
    alone="bad-date",
    description=(
        "A mirror's script resumes downloads from nginx with Range and If-Unmodified-Since; it writes the Last-Modified "
        "that it got as its Italian locale does, and nginx answers 412 to every resumed part, though no file changes."
    ),
)
def mirror(stage: Stage) -> None:
    """Write a date as one speaks it."""
    files = {f"fw/ap{n}/{name}": f"{n}{name}|" * 160 for n in (12, 14) for name in ("boot.bin", "root.bin")}
    files["fw/indice.txt"] = "ap12 2.4.1\nap14 3.0.0\n"
    origin = fronts.site(stage, "nginx", files)
    me = stage.actor("client", origin, "mirror.fibra-alpina.example", "curl:trace-time")
    me.get("/fw/indice.txt")
    for number in (12, 14):
        first = me.send("GET", f"/fw/ap{number}/boot.bin", 206, {"Range": "bytes=0-499"})
        since = _spoken(first.fields["last-modified"])
        for start in (500, 1000):
            fields = {"Range": f"bytes={start}-{start + 499}", "If-Unmodified-Since": since}
            me.send("GET", f"/fw/ap{number}/boot.bin", 412, fields)
            place.rest(0.4)
        me.send("HEAD", f"/fw/ap{number}/boot.bin", 200)
        me.send("GET", f"/fw/ap{number}/root.bin", 200)
    again = me.send("GET", "/fw/indice.txt", 200)
    me.get("/fw/indice.txt", 304, {"If-None-Match": again.etag})


@case(
    "d931",
    "ona-hatchery-feeding-plans",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A fish hatchery's feeding plans on Apache's WebDAV without tags: the tool turns the Last-Modified that it read "
        "into Newfoundland time, three and a half hours back, and writes GMT behind it: each PUT is 412, and each "
        "conditional read is sent in full, while nobody else writes."
    ),
)
def hatchery(stage: Stage) -> None:
    """Write local time as GMT."""
    files = {f"plans/tank-{n}.json": f'{{"tank":{n},"grams":{n * 15},"feed":"starter"}}' for n in (3, 4, 5)}
    files["readme.txt"] = "Feeding plans. Ask Moira before you change a tank.\n"
    origin = fronts.site(stage, "apache2", files, fronts.DAV["apache2"] + "\nFileETag None", 19931.0)
    me = stage.actor(
        "client",
        origin,
        "plans.bayhatchery.example",
        "urllib",
        {"User-Agent": "tankctl/0.9 Python-urllib/3.11"},
    )

    def local(field: str) -> str:
        return formatdate(parsedate_to_datetime(field).timestamp() - 12600, usegmt=True)

    me.get("/readme.txt")
    place.find(me, "/plans/")
    for tank in (3, 5):
        seen = me.get(f"/plans/tank-{tank}.json")
        since = local(seen.fields["last-modified"])
        me.get(f"/plans/tank-{tank}.json", 200, {"If-Modified-Since": since})
        body = {**seen.json, "feed": "grower", "grams": seen.json["grams"] + 5}
        me.put(f"/plans/tank-{tank}.json", body, 412, {"If-Unmodified-Since": since})
        place.rest(0.8)
        place.sure(me.get(f"/plans/tank-{tank}.json").body == seen.body)
    me.put("/plans/tank-9.json", {"tank": 9, "grams": 20, "feed": "starter"}, 201)
    me.get("/plans/tank-4.json")


_LOCK = (
    '<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype><D:owner><D:href>k.lindqvist</D:href></D:owner></D:lockinfo>"
)


@case(
    "d945",
    "ona-drawing-office-checks-out",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "A drawing office locks a sheet on Apache's WebDAV and then saves with the token in Lock-Token instead of If: "
        "423 to its own lock, thrice; lock discovery shows the lock as its own, and once it is given back the save "
        "passes."
    ),
)
def drawings(stage: Stage) -> None:
    """Hold a lock and not show it where it counts."""
    files = {f"blad/A-{n}.svg": f"<svg><g id='r{n}'><path d='M0 {n}'/></g></svg>" for n in (101, 102, 103)}
    origin = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor(
        "client",
        origin,
        "ritningar.lindqvist.example",
        "requests",
        {"User-Agent": "Ritbord/7 (Windows NT 10.0)"},
    )
    me.send("OPTIONS", "/blad/", 200)
    place.find(me, "/blad/", "1", "")
    for sheet, waits in ((102, 0.5), (103, 0.3)):
        path = f"/blad/A-{sheet}.svg"
        seen = me.get(path)
        token = me.send("LOCK", path, 200, {"Timeout": "Second-600", "Depth": "0"}, _LOCK).fields[
            "lock-token"
        ]
        new = seen.text.replace("</g>", "<text>rev B</text></g>")
        for _ in range(3 if sheet == 102 else 1):
            place.rest(waits)
            me.put(path, new, 423, {"Lock-Token": token, "Content-Type": "image/svg+xml"})
        place.find(me, path, "0", "locks")
        me.send("UNLOCK", path, 204, {"Lock-Token": token})
        me.put(path, new, 204, {"Content-Type": "image/svg+xml"})
    me.get("/blad/A-101.svg")


@case(
    "d951",
    "ona-menu-sign-saves-in-quick-turns",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A canteen's sign editor on Apache's WebDAV saves, reads the file back at once and saves again with the tag that "
        "it read: Apache marks it weak for the first second and refuses; a second later the same tag is strong and "
        "passes."
    ),
)
def sign(stage: Stage) -> None:
    """Be quicker than Apache's clock."""
    files = {f"skilt/{day}.html": f"<h1>{day}</h1><p>Suppe</p>" for day in ("mandag", "tirsdag", "onsdag")}
    files["skilt/stil.css"] = "h1{font:700 4rem Lato}"
    origin = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", origin, "skilt.kantine-nord.example", "node:fetch", {"Accept-Language": "nb"})
    place.roam(me, ["/skilt/stil.css", "/skilt/onsdag.html"], 11, 4)
    kind = {"Content-Type": "text/html"}
    for day in ("mandag", "tirsdag"):
        path = f"/skilt/{day}.html"
        first = me.get(path)
        time.sleep(1.05 - time.time() % 1)
        me.put(path, f"<h1>{day}</h1><p>Fiskesuppe</p>", 204, {**kind, "If-Match": first.etag})
        quick = me.get(path)
        place.sure(quick.etag.startswith("W/"), quick.etag)
        new = f"<h1>{day}</h1><p>Fiskesuppe</p><p>Vafler</p>"
        me.put(path, new, 412, {**kind, "If-Match": quick.etag})
        place.rest(0.15)
        me.put(path, new, 412, {**kind, "If-Match": me.get(path).etag})
        place.rest(2.2)
        settled = me.get(path)
        place.sure(settled.etag == quick.etag.removeprefix("W/"))
        if day == "mandag":
            me.put(path, new, 204, {**kind, "If-Match": settled.etag})
    place.find(me, "/skilt/")


@case(
    "d956",
    "ona-recipe-box-recent-list",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A web app on lighttpd's WebDAV keeps tags beside its open files; what is opened from the list of recent files "
        "has none yet, and the word undefined goes out as If-Match: 412, twice; a file opened from the folder saves."
    ),
)
def recipes(stage: Stage) -> None:
    """Send the word for nothing."""
    files = {
        f"rezepte/{n}.json": f'{{"titel":"{n}","portionen":4}}' for n in ("knoedel", "strudel", "gulasch")
    }
    files["recent.json"] = '["knoedel","gulasch"]'
    origin = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"])
    me = stage.actor(
        "client", origin, "box.kochstube.example", "node:axios", {"Origin": "http://box.kochstube.example"}
    )
    me.get("/recent.json")
    place.find(me, "/rezepte/", "1", "")
    good = me.get("/rezepte/strudel.json")
    saved = me.put("/rezepte/strudel.json", {**good.json, "portionen": 6}, 204, {"If-Match": good.etag})
    me.put("/rezepte/strudel.json", {**good.json, "portionen": 8}, 204, {"If-Match": saved.etag})
    for name in ("knoedel", "gulasch"):
        seen = me.get(f"/rezepte/{name}.json")
        for portions in (5, 5) if name == "knoedel" else (3,):
            place.rest(0.6)
            me.put(
                f"/rezepte/{name}.json", {**seen.json, "portionen": portions}, 412, {"If-Match": "undefined"}
            )
        me.get(f"/rezepte/{name}.json", 304, {"If-None-Match": seen.etag})
    me.get("/recent.json")


@case(
    "d958",
    "ona-hut-camera-files-its-log",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A camera on a mountain hut, whose clock is over seven minutes slow, guards its PUTs to WsgiDAV with an "
        "If-Unmodified-Since of the moment at which it read, by its own clock: day-old files pass, what was "
        "written in the last minutes, mostly by itself, is 412. Its Date fields show the clock."
    ),
)
def camera(stage: Stage) -> None:
    """Trust a slow clock."""
    origin = stage.server("wsgidav")
    for name, age in (("status.json", 90000.0), ("log.csv", 190.0), ("masks.json", 260000.0)):
        text = "t;lux\n06:00;12\n" if name.endswith("csv") else '{"cam":"north","ok":true}'
        fronts.put_file(origin.directory, f"hut7/{name}", text, age)
    me = stage.actor("client", origin, "archiv.alpcam.example", "requests", {"User-Agent": "alpcam-fw/2.18"})

    def own() -> dict[str, str]:
        return {"Date": formatdate(time.time() - 437.0, usegmt=True)}

    def guard(read: dict[str, str]) -> dict[str, str]:
        return {**own(), "If-Unmodified-Since": read["Date"]}

    at = own()
    status = me.get("/hut7/status.json", 200, at)
    me.put("/hut7/status.json", {**status.json, "up": 4021}, 204, guard(at))
    me.get("/hut7/masks.json", 200, own())
    for line in ("06:10;19", "06:10;19", "06:20;31"):
        at = own()
        log = me.get("/hut7/log.csv", 200, at)
        place.rest(1.1)
        me.put("/hut7/log.csv", f"{log.text}{line}\n", 412, {**guard(at), "Content-Type": "text/csv"})
    at = own()
    status = me.get("/hut7/status.json", 200, at)
    me.put("/hut7/status.json", {**status.json, "up": 4028}, 412, guard(at))
    at = own()
    masks = me.get("/hut7/masks.json", 200, at)
    me.put("/hut7/masks.json", {**masks.json, "mask": [4, 4, 90, 12]}, 204, guard(at))
