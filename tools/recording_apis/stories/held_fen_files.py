"""Held-out stories on files behind real web servers and WebDAV servers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import fen_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _catches(year: int, extra: int = 0) -> str:
    lines = [
        f"{year};{100 + n};{'torsk' if n % 3 else 'sei'};{(n * 37 + year) % 911 + extra}"
        for n in range(150 + extra)
    ]
    return "aar;fartoy;art;kg\n" + "\n".join(lines) + "\n"


@case(
    "d690",
    "fen-catch-figures-fetched-in-parts",
    "read-changed-mid-transfer",
    "corrupt-read",
    alone="read-changed-mid-transfer",
    description=(
        "A statistics client fetches a table of catches from nginx in ranges without If-Range; the table is published "
        "anew between the second part and the third, whose tag and total length differ. The sum file does not fit what "
        "was put together, and the client fetches all parts once more."
    ),
)
def catches(stage: Stage) -> None:
    """Put together parts of two files."""
    files = {"fangst/2026.csv": _catches(2026), "fangst/les.txt": "Foreløpige tall, oppdateres daglig.\n"}
    files["fangst/2026.sha256"] = (
        hashlib.sha256(files["fangst/2026.csv"].encode()).hexdigest() + "  2026.csv\n"
    )
    server = fronts.site(stage, "nginx", files)
    me = stage.actor("client", server, "data.fiskeri.example", "urllib", {"User-Agent": "hent-fangst/2.4"})
    place.browse(me, "/fangst/les.txt")
    size, got = int(me.send("HEAD", "/fangst/2026.csv", 200).fields["content-length"]), []
    for number, start in enumerate(range(0, size, 900)):
        if number == 2:
            text = _catches(2026, 6)
            fronts.put_file(server.directory, "fangst/2026.csv", text)
            digest = hashlib.sha256(text.encode()).hexdigest()
            fronts.put_file(server.directory, "fangst/2026.sha256", f"{digest}  2026.csv\n")
        got.append(me.get("/fangst/2026.csv", 206, {"Range": f"bytes={start}-{min(start + 899, size - 1)}"}))
        place.think(0.15)
    place.sure(got[0].etag != got[2].etag)
    whole = b"".join(one.body for one in got)
    told = me.get("/fangst/2026.sha256").text.split()[0]
    place.sure(hashlib.sha256(whole).hexdigest() != told)
    size = int(me.send("HEAD", "/fangst/2026.csv", 200).fields["content-length"])
    for start in range(0, size, 900):
        me.get("/fangst/2026.csv", 206, {"Range": f"bytes={start}-{min(start + 899, size - 1)}"})


@case(
    "d683",
    "fen-subtitles-saved-in-quick-succession",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "Subtitles on an Apache with WebDAV: the editor saves, reads back at once and gets a tag that is weak for the "
        "moment; its next save under that tag is refused, twice within a second. A little later the same opaque tag is "
        "strong, and the save passes."
    ),
)
def subtitles(stage: Stage) -> None:
    """Be faster than the clock of the files."""
    cue = "WEBVTT\n\n00:01.000 --> 00:04.000\nBuenas noches.\n"
    server = fronts.site(
        stage,
        "apache2",
        {"subs/e03.es.vtt": cue, "subs/e03.gl.vtt": cue, "subs/guia.txt": "42 car./línea\n"},
        fronts.DAV["apache2"],
    )
    me = stage.actor(
        "client",
        server,
        "subs.productora-mar.example",
        "requests",
        {"User-Agent": "SubEditor/5.1", "Content-Type": "text/vtt"},
    )
    place.browse(me, "/subs/guia.txt")
    seen = me.get("/subs/e03.es.vtt")
    text = cue.replace("noches", "tardes")
    me.put("/subs/e03.es.vtt", text, 204, {"If-Match": seen.etag})
    for _ in range(2):
        back = me.get("/subs/e03.es.vtt")
        place.sure(back.etag.startswith("W/"), back.etag)
        me.put(
            "/subs/e03.es.vtt", text + "\n00:05.000 --> 00:06.000\n¿Quién es?\n", 412, {"If-Match": back.etag}
        )
        place.think(0.15)
    place.browse(me, "/subs/e03.gl.vtt")
    place.think(1.3)
    settled = me.get("/subs/e03.es.vtt")
    place.sure(f"W/{settled.etag}" == back.etag)
    me.put(
        "/subs/e03.es.vtt", text + "\n00:05.000 --> 00:06.000\n¿Quién es?\n", 204, {"If-Match": settled.etag}
    )


@case(
    "d664",
    "fen-parish-notes-with-a-french-date",
    "bad-date",
    "lost-update",
    alone="bad-date",
    also="other-writer",
    description=(
        "Parish notices on an Apache with WebDAV: the client writes the date of its condition with French names, which "
        "is no HTTP-date, so the server ignores it. The sexton's notice, whose date the client's own look had shown, is "
        "overwritten."
    ),
)
def parish(stage: Stage) -> None:
    """Send a date that nobody can read."""
    note = "Messe : dimanche 10h30\n"
    server = fronts.site(
        stage,
        "apache2",
        {"annonces/semaine48.txt": note, "annonces/semaine49.txt": note},
        fronts.DAV["apache2"],
    )
    host, plain = "annonces.paroisse-valbonne.example", {"Content-Type": "text/plain; charset=utf-8"}
    me = stage.actor("client", server, host, "httpx", {**plain, "User-Agent": "Affichage/1.3 (kiosque)"})
    other = stage.actor("other", server, host, "curl", {**plain, "User-Agent": "sacristie"})
    me.get("/annonces/semaine49.txt")
    seen = me.get("/annonces/semaine48.txt")
    mine = seen.fields["last-modified"]
    place.think(0.4)
    theirs = other.get("/annonces/semaine48.txt")
    other.put(
        "/annonces/semaine48.txt", note + "Obsèques de M. Pons : jeudi 15h\n", 204, {"If-Match": theirs.etag}
    )
    place.think(1.1)
    now = me.send("HEAD", "/annonces/semaine48.txt", 200)
    place.sure(now.fields["last-modified"] != mine)
    days = {
        "Mon": "lun.",
        "Tue": "mar.",
        "Wed": "mer.",
        "Thu": "jeu.",
        "Fri": "ven.",
        "Sat": "sam.",
        "Sun": "dim.",
    }
    months = {"Jan": "janv.", "Feb": "fevr.", "Aug": "aout", "Nov": "nov.", "Dec": "dec."}
    day, number, month, *rest = mine.replace(",", "").split(" ")
    french = " ".join([days[day], number, months.get(month, month.lower()), *rest])
    me.put("/annonces/semaine48.txt", note + "Chorale : mardi 20h\n", 204, {"If-Unmodified-Since": french})
    place.sure("Pons" not in me.get("/annonces/semaine48.txt").text)
    place.looks(me, "/annonces/semaine49.txt")


@case(
    "d692",
    "fen-router-templates-with-escaped-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A script keeps router templates on a WebDAV server: the shell leaves backslashes before the quotes of the tag, "
        "then, after somebody's repair, percent codes. Each write is refused, while the template has had that tag, "
        "properly quoted, all along; a template without a condition is stored."
    ),
)
def templates(stage: Stage) -> None:
    """Damage a tag on the way."""
    files = {f"tpl/edge-{n}.txt": f"hostname edge-{n}\nntp 192.0.2.{n}\n" for n in (11, 12, 13)}
    server = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"])
    me = stage.actor("client", server, "netconf.provider-ost.example", "curl", {"Content-Type": "text/plain"})
    place.looks(me, "/tpl/edge-13.txt")
    seen = me.send("HEAD", "/tpl/edge-12.txt", 200)
    text = "hostname edge-12\nntp 192.0.2.77\n"
    bare = seen.etag.strip('"')
    me.put("/tpl/edge-12.txt", text, 412, {"If-Match": f'\\"{bare}\\"'})
    place.think(0.6)
    place.sure(me.send("HEAD", "/tpl/edge-12.txt", 200).etag == seen.etag)
    me.put("/tpl/edge-12.txt", text, 412, {"If-Match": f"%22{bare}%22"})
    me.put("/tpl/edge-14.txt", "hostname edge-14\n", 201)
    place.sure("77" not in me.get("/tpl/edge-12.txt").text)


@case(
    "d654",
    "fen-field-sketches-from-two-telephones",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "Sketches of an excavation on a WebDAV server: on the iPhone the system's cache, which has the sketch, puts its "
        "validators also on the PUT; the server refuses it since the tag fits. A write of a sketch that the telephone "
        "has never read carries none and passes, as do all of the Android telephone."
    ),
)
def sketches(stage: Stage) -> None:
    """Write what the system's cache knows."""
    svg = "<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0L{0} 9'/></svg>\n"
    files = {f"sektor-b/{n}.svg": svg.format(n) for n in (40, 41, 42)}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    host, kind = "grabung.denkmalamt.example", {"Content-Type": "image/svg+xml"}
    phone = {"User-Agent": "Feldskizze/318 CFNetwork/1568.200.51 Darwin/24.1.0", "Accept-Language": "de-DE"}
    me = stage.actor("client", server, host, "aiohttp", {**phone, **kind})
    other = stage.actor("other", server, host, "java", {"User-Agent": "okhttp/4.12.0", **kind})

    def cached(held: dict[str, str]) -> dict[str, str]:
        return {"If-None-Match": held["etag"], "If-Modified-Since": held["last-modified"]}

    seen = me.get("/sektor-b/41.svg")
    me.get("/sektor-b/41.svg", 304, cached(dict(seen.fields)))
    other.get("/sektor-b/40.svg")
    other.put("/sektor-b/40.svg", svg.format(400), 204)
    place.think(0.6)
    me.put("/sektor-b/41.svg", svg.format(411), 412, cached(dict(seen.fields)))
    me.get("/sektor-b/41.svg", 304, cached(dict(seen.fields)))
    me.put("/sektor-b/43.svg", svg.format(430), 201)
    place.think(0.4)
    me.put("/sektor-b/41.svg", svg.format(411), 412, cached(dict(seen.fields)))
    other.put("/sektor-b/42.svg", svg.format(420), 204)


@case(
    "d657",
    "fen-duty-roster-copied-over",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    also="other-writer",
    description=(
        "Lifeguards' rosters on WsgiDAV, which serves and honours strong tags: a folder synchroniser sees in its poll "
        "that the tag has moved, and still puts its own copy without a condition; the swap that the shift leader had "
        "entered under If-Match is gone, and her next If-Match is refused."
    ),
)
def roster(stage: Stage) -> None:
    """Write without the condition that the server offers."""
    server = stage.server("wsgidav")
    week = "Mo  Jana\nDi  Piotr\nMi  Ola\n"
    for number in (48, 49):
        fronts.put_file(server.directory, f"dyzury/tydzien{number}.txt", week, 5000)
    host = "dyzury.plaza-hel.example"
    me = stage.actor("client", server, host, "requests", {"User-Agent": "FolderSync/7.2"})
    other = stage.actor("other", server, host, "node:fetch", {"User-Agent": "notatnik/3"})
    me.send("PROPFIND", "/dyzury/", 207, {"Depth": "1"})
    seen = me.get("/dyzury/tydzien48.txt")
    me.get("/dyzury/tydzien49.txt")
    theirs = other.get("/dyzury/tydzien48.txt")
    place.think(1.1)
    other.put(
        "/dyzury/tydzien48.txt", week.replace("Piotr", "Ola (za Piotra)"), 204, {"If-Match": theirs.etag}
    )
    place.think(1.2)
    place.sure(me.send("HEAD", "/dyzury/tydzien48.txt", 200).etag != seen.etag)
    me.put("/dyzury/tydzien48.txt", week + "Czw Jana\n", 204)
    me.send("PROPFIND", "/dyzury/", 207, {"Depth": "1"})
    place.sure("za Piotra" not in me.get("/dyzury/tydzien48.txt").text)
    other.put("/dyzury/tydzien48.txt", week.replace("Mo", "Pn"), 412, {"If-Match": theirs.etag})


_LOCK = (
    '<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype><D:owner>protokoll</D:owner></D:lockinfo>"
)


@case(
    "d672",
    "fen-minutes-with-the-lock-in-the-wrong-field",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "A word processor locks a file of minutes on an Apache with WebDAV and then names its lock only in Lock-Token, "
        "never in If: its own PUT and MOVE are refused as locked. With a token of another file's lock in If the server "
        "says 412; after UNLOCK the same content is stored."
    ),
)
def minutes(stage: Stage) -> None:
    """Hold a lock and not show it where it counts."""
    files = {
        f"sitzungen/{name}": "TOP 1 Begrüßung\nTOP 2 Haushalt\n"
        for name in ("2026-11.txt", "2026-10.txt", "vorlage.txt")
    }
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor(
        "client", server, "rat.gemeinde-oberau.example", "urllib", {"User-Agent": "Textwerk/16.0"}
    )
    me.send("OPTIONS", "/sitzungen/", 200)
    me.send("PROPFIND", "/sitzungen/", 207, {"Depth": "1"})
    me.get("/sitzungen/2026-11.txt")
    held = me.send(
        "LOCK",
        "/sitzungen/2026-11.txt",
        200,
        {"Timeout": "Second-600", "Content-Type": "application/xml"},
        _LOCK,
    )
    spare = me.send(
        "LOCK",
        "/sitzungen/vorlage.txt",
        200,
        {"Timeout": "Second-600", "Content-Type": "application/xml"},
        _LOCK,
    )
    token, wrong = held.fields["lock-token"], spare.fields["lock-token"]
    text = "TOP 1 Begrüßung\nTOP 2 Haushalt\nTOP 3 Spielplatz\n"
    plain = {"Content-Type": "text/plain; charset=utf-8"}
    me.put("/sitzungen/2026-11.txt", text, 423, {**plain, "Lock-Token": token})
    place.think(0.5)
    me.send("PROPFIND", "/sitzungen/2026-11.txt", 207, {"Depth": "0"})
    me.send(
        "MOVE",
        "/sitzungen/2026-11.txt",
        423,
        {
            "Destination": "http://rat.gemeinde-oberau.example/sitzungen/2026-11-final.txt",
            "Lock-Token": token,
        },
    )
    me.put("/sitzungen/2026-11.txt", text, 412, {**plain, "If": f"({wrong})"})
    me.send("UNLOCK", "/sitzungen/vorlage.txt", 204, {"Lock-Token": wrong})
    me.send("UNLOCK", "/sitzungen/2026-11.txt", 204, {"Lock-Token": token})
    me.put("/sitzungen/2026-11.txt", text, 204, plain)
    me.get("/sitzungen/2026-10.txt")
