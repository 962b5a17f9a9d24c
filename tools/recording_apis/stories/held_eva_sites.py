"""Stories on real web servers: nginx, Apache httpd and Express."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_eva_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d586",
    "eva-map-tiles-change-under-the-download",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "A boat's plotter fetches a chart from nginx in pieces of 4 KiB, each with If-Match of the first. After the second "
        "piece a new edition is put there: the third is 412, and HEAD shows another tag, date and length."
    ),
)
def tiles(stage: Stage) -> None:
    """Meet a new edition half way."""
    chart = "".join(f"{n:05};58.{n % 97:02};17.{n % 89:02}\n" for n in range(900))
    files = {
        "karten/index.json": '["arholma","svenska-hogarna"]',
        "karten/arholma.chart": chart[:9000],
        "karten/svenska-hogarna.chart": chart,
    }
    server = fronts.site(stage, "nginx", files)
    me = stage.actor("client", server, "sjokort.example", "urllib", {"User-Agent": "Plotter/7.2"})
    me.get("/karten/index.json")

    def piece(name: str, number: int, tag: str, expect: int) -> int:
        span = f"bytes={number * 4096}-{number * 4096 + 4095}"
        fields = {"Range": span, **({"If-Match": tag} if tag else {})}
        return len(me.get(f"/karten/{name}.chart", expect, fields).body)

    first = me.send("HEAD", "/karten/arholma.chart", 200)
    for number in range(3):
        piece("arholma", number, first.etag, 206)
    first = me.send("HEAD", "/karten/svenska-hogarna.chart", 200)
    for number in (0, 1):
        piece("svenska-hogarna", number, first.etag, 206)
        scene.wait(0.3)
    fronts.put_file(
        server.directory,
        "karten/svenska-hogarna.chart",
        chart.replace(";17.", ";18.") + "99999;58.00;18.00\n",
    )
    scene.wait(0.4)
    piece("svenska-hogarna", 2, first.etag, 412)
    scene.must(me.send("HEAD", "/karten/svenska-hogarna.chart", 200).etag != first.etag)


@case(
    "d587",
    "eva-two-mirrors-unpacked-at-two-times",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "A catalogue lies on two nginx nodes behind HAProxy, unpacked at different times: the tags alternate with X-Served-By "
        "while the bytes are the same. Polls are never 304, and every second piece of a guarded download is 412."
    ),
)
def mirrors(stage: Stage) -> None:
    """Go from node to node."""
    catalogue = "\n".join(f"{n};Saatgut {n};{n % 9},90" for n in range(400))
    nodes = [
        fronts.site(stage, "nginx", {"pflanzen.csv": catalogue, "stand.txt": "2026-11-20"}, age=age)
        for age in (93211.0, 90674.0)
    ]
    front = fronts.haproxy(stage, nodes, " http-response set-header X-Served-By %s")
    me = stage.actor("client", front, "katalog.gaertner.example", "urllib", {"User-Agent": "katalogsync/1.9"})
    me.get("/stand.txt")
    seen = me.get("/pflanzen.csv")
    for _ in range(4):
        again = me.get("/pflanzen.csv", 200, {"If-None-Match": seen.etag})
        scene.must(again.etag != seen.etag and again.body == seen.body)
        seen = again
        scene.wait(0.3)
    statuses = []
    for number in range(4):
        span = f"bytes={number * 2000}-{number * 2000 + 1999}"
        statuses.append(
            me.send("GET", "/pflanzen.csv", (206, 412), {"Range": span, "If-Match": seen.etag}).status
        )
        scene.wait(0.2)
    scene.must(statuses == [412, 206, 412, 206], statuses)


@case(
    "d596",
    "eva-reader-of-a-static-handbook",
    "none",
    "healthy",
    alone="none",
    description=(
        "A reader of a handbook on nginx: compressed pages under weak tags are asked for again and are 304, a film is fetched "
        "in pieces with If-Range and stays the same, a page that an editor replaces comes anew with another tag."
    ),
)
def handbook(stage: Stage) -> None:
    """Read, resume, read again."""
    page = "<h1>Rettungsdienst</h1>" + "".join(f"<p>Abschnitt {n}: Ruhe bewahren.</p>" for n in range(40))
    files: dict[str, str | bytes] = {
        "index.html": page,
        "kapitel-2.html": page.replace("Ruhe", "Puls"),
        "film.bin": b"\x00\x01webm" * 4000,
        "stil.css": "p{margin:1em}" * 9,
    }
    gzip = "gzip on; gzip_types text/html text/css; gzip_min_length 100; gzip_vary on;"
    server = fronts.site(stage, "nginx", files, gzip)
    me = stage.actor(
        "client",
        server,
        "handbuch.rettung.example",
        "node:fetch",
        {
            "Accept-Encoding": "gzip",
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        },
    )
    kept = {path: me.get(path) for path in ("/index.html", "/stil.css", "/kapitel-2.html")}
    for path, seen in kept.items():
        scene.must(seen.etag.startswith("W/"))
        me.get(path, 304, {"If-None-Match": seen.etag, "If-Modified-Since": seen.fields["last-modified"]})
    film = me.send("HEAD", "/film.bin", 200, {"Accept-Encoding": "identity"})
    for number in range(3):
        me.get(
            "/film.bin",
            206,
            {
                "Range": f"bytes={number * 8000}-{number * 8000 + 7999}",
                "If-Range": film.etag,
                "Accept-Encoding": "identity",
            },
        )
    fronts.put_file(server.directory, "kapitel-2.html", page.replace("Ruhe", "Atmung"))
    scene.wait(0.4)
    fresh = me.get("/kapitel-2.html", 200, {"If-None-Match": kept["/kapitel-2.html"].etag})
    me.get("/kapitel-2.html", 304, {"If-None-Match": fresh.etag})
    me.get("/index.html", 304, {"If-None-Match": kept["/index.html"].etag})


@case(
    "d581",
    "eva-share-that-takes-any-tag",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "Song sheets lie on an nginx with dav_methods PUT, which looks at no If-Match. A choir master stores with the tag that "
        "he read first, although he has seen a newer since: 204, and the other's verse is gone."
    ),
)
def any_tag(stage: Stage) -> None:
    """Store on an outdated tag."""
    files = {
        f"lieder/{name}.txt": f"{name.title()}\n1. Strophe\n" for name in ("abendlied", "maienzeit", "heimat")
    }
    files |= {"stil.css": "body{font:serif}", "lieder/index.txt": "abendlied\nmaienzeit\nheimat\n"}
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    me = stage.actor(
        "client",
        server,
        "noten.chor.example",
        "aiohttp",
        {"User-Agent": "Chormappe/3", "Content-Type": "text/plain; charset=utf-8"},
    )
    other = stage.actor("other", server, "noten.chor.example", "curl")
    texts = {path: me.get(path).etag for path in ("/stil.css", "/lieder/index.txt")}
    mine = me.get("/lieder/abendlied.txt")
    song = me.get("/lieder/heimat.txt")
    me.put("/lieder/heimat.txt", song.text + "2. Strophe\n", 204, {"If-Match": song.etag})
    theirs = other.get("/lieder/abendlied.txt")
    other.put("/lieder/abendlied.txt", theirs.text + "2. Strophe von Jutta\n", 204, {"If-Match": theirs.etag})
    scene.wait(0.7)
    newer = me.get("/lieder/abendlied.txt")
    scene.must(newer.etag != mine.etag)
    for path, tag in texts.items():
        me.get(path, 304, {"If-None-Match": tag})
    scene.wait(0.6)
    me.put("/lieder/abendlied.txt", mine.text + "Refrain\n", 204, {"If-Match": mine.etag})
    scene.must("Jutta" not in me.get("/lieder/abendlied.txt").text)
    me.put("/lieder/maienzeit.txt", "Maienzeit\n(leer)\n", 204, {"If-Match": mine.etag})
    other.get("/lieder/abendlied.txt")


@case(
    "d613",
    "eva-jotter-saves-within-the-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A jotter keeps pages on Apache httpd with WebDAV: it stores, reads back at once and gets a weak tag; the next store "
        "with it is 412. A second later the same tag is strong, and with that it is stored."
    ),
)
def jotter(stage: Stage) -> None:
    """Be too quick."""
    files = {
        "seiten/einkauf.md": "# Einkauf\n- Mehl\n",
        "seiten/ideen.md": "# Ideen\n",
        "seiten/info.json": '{"version":3}',
    }
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "zettel.home.example", "java", {"User-Agent": "Joplin/3.1"})
    me.send("OPTIONS", "/seiten/", 200)
    me.send("PROPFIND", "/seiten/", 207, {"Depth": "1"})
    lock = me.get("/seiten/info.json")
    me.get("/seiten/info.json", 304, {"If-None-Match": lock.etag})
    for name, more in (("einkauf", "- Hefe\n"), ("ideen", "Ofen bauen\n")):
        path = f"/seiten/{name}.md"
        seen = me.get(path)
        me.put(path, seen.text + more, 204, {"If-Match": seen.etag})
        early = me.get(path)
        scene.must(early.etag.startswith("W/"))
        me.put(path, early.text + "- Salz\n", 412, {"If-Match": early.etag})
        scene.wait(1.3)
        later = me.get(path)
        scene.must("W/" + later.etag == early.etag)
        me.put(path, later.text + "- Salz\n", 204, {"If-Match": later.etag})
    me.send("PROPFIND", "/seiten/", 207, {"Depth": "1"})


_DAYS = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
_MONTHS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")


@case(
    "d623",
    "eva-dates-in-the-tongue-of-the-desk",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "A theatre's program guards its stores on Apache httpd with the date that it read, written in French. The server "
        "ignores what is no date: a store on an outdated copy is 204, and what the stage manager wrote is gone."
    ),
)
def tongue(stage: Stage) -> None:
    """Send a date that none reads."""
    files = {f"regie/acte-{n}.txt": f"ACTE {n}\nlumière: bleu\n" for n in (1, 2, 3)}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor(
        "client", server, "plateau.theatre.example", "requests", {"User-Agent": "Conduite/5 (fr_FR)"}
    )
    other = stage.actor("other", server, "plateau.theatre.example", "node:axios")

    def french(date: str) -> str:
        moment = parsedate_to_datetime(date)
        said = f"{_DAYS[moment.weekday()]} {moment.day} {_MONTHS[moment.month - 1]} {moment.year} {moment:%H:%M:%S} GMT"
        return said.replace("é", "e").replace("û", "u")

    for number in (1, 3):
        seen = me.get(f"/regie/acte-{number}.txt")
        me.put(
            f"/regie/acte-{number}.txt",
            seen.text + "rideau\n",
            204,
            {"If-Unmodified-Since": french(seen.fields["last-modified"])},
        )
    mine = me.get("/regie/acte-2.txt")
    theirs = other.get("/regie/acte-2.txt")
    other.put("/regie/acte-2.txt", theirs.text + "fumée à 21h04\n", 204, {"If-Match": theirs.etag})
    scene.wait(1.2)
    scene.must("fum" in me.get("/regie/acte-2.txt").text)
    me.put(
        "/regie/acte-2.txt",
        mine.text + "noir final\n",
        204,
        {"If-Unmodified-Since": french(mine.fields["last-modified"])},
    )
    scene.must("fum" not in me.get("/regie/acte-2.txt").text)
    me.send("PROPFIND", "/regie/", 207, {"Depth": "1"})


@case(
    "d610",
    "eva-practice-with-weak-tags-of-its-own",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "A practice's service on Express leaves its tags as that makes them, weak, and compares If-Match strongly: each store "
        "of an appointment is 412, though nothing has changed and the read with identity shows the same W/ tag."
    ),
)
def practice(stage: Stage) -> None:
    """Never fit."""
    rows = {
        f"t{n}": {"id": f"t{n}", "patient": f"P-{n * 31}", "zeit": f"2026-12-0{n}T09:00", "raum": "A"}
        for n in (1, 2, 3)
    }
    server = scene.bench(stage, "eva_practice.js", rows)
    me = stage.actor(
        "client", server, "termine.physio.example", "node:axios", {"Authorization": "Bearer praxis"}
    )
    me.get("/v3/termine")
    rooms = me.get("/v3/raeume")
    for name, room in (("t1", "B"), ("t3", "B")):
        seen = me.get(f"/v3/termine/{name}")
        me.put(f"/v3/termine/{name}", {**seen.json, "raum": room}, 412, {"If-Match": seen.etag})
        scene.wait(0.4)
        again = me.get(f"/v3/termine/{name}", 200, {"Accept-Encoding": "identity"})
        scene.must(again.etag == seen.etag and again.etag.startswith("W/"))
        me.put(f"/v3/termine/{name}", {**seen.json, "raum": room}, 412, {"If-Match": again.etag})
    me.get("/v3/raeume", 304, {"If-None-Match": rooms.etag})
    me.get("/v3/termine")
