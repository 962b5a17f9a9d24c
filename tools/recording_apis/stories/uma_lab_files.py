"""Unseen recordings: real file and DAV servers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import uma_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d181",
    "nginx-dav-reads-no-condition",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "nginx's DAV module stores an outdated save with 204 although If-Match names the version of before; reads "
        "with the same stale tag are 412. A colleague's line in the packing list is gone."
    ),
)
def packing(stage: Stage) -> None:
    """Write a stale version to nginx."""
    files = {f"lists/{n}.txt": f"{n}\n- Seil\n- Karte\n" for n in ("huette", "grat", "tal")}
    server = place.dav(stage, files, "nginx")
    me = stage.actor("client", server, "listen.bergverein.test", "urllib", {"User-Agent": "Packliste/2"})
    other = stage.actor(
        "other", server, "listen.bergverein.test", "node:fetch", {"User-Agent": "Packliste-Web/5"}
    )
    place.reads(me, "/lists/huette.txt", "/lists/tal.txt")
    seen, theirs = me.get("/lists/grat.txt"), other.get("/lists/grat.txt")
    other.put("/lists/grat.txt", theirs.text + "- Pickel\n", 204, {"If-Match": theirs.etag})
    place.pause()
    me.get("/lists/grat.txt", 412, {"If-Match": seen.etag})
    me.get("/lists/huette.txt", 304, {"If-None-Match": me.get("/lists/huette.txt").etag})
    me.put("/lists/grat.txt", seen.text + "- Helm\n", 204, {"If-Match": seen.etag})
    place.holds("Pickel" not in me.get("/lists/grat.txt").text)


@case(
    "d182",
    "tomcat-has-weak-tags-only",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Tomcat's DefaultServlet gives W/ tags to its files, also without compression and long after the write, and "
        "refuses every If-Match with one; the date guard, sent next, is taken."
    ),
)
def servlet(stage: Stage) -> None:
    """Send a weak tag to a strict server."""
    server = stage.server("tomcat")
    keeper = stage.actor("keeper", server, "formulare.kreis.test")
    for name in ("antrag", "merkblatt", "gebuehren"):
        keeper.put(f"/{name}.xml", f"<form name='{name}'><field>Name</field></form>", 201)
    del stage.taps["keeper"]
    stage.forget()
    place.pause(1.5)
    me = stage.actor("client", server, "formulare.kreis.test", "java")
    place.reads(me, "/antrag.xml", "/merkblatt.xml", "/index.html")
    seen = me.get("/gebuehren.xml", 200, {"Accept-Encoding": "identity"})
    place.holds(seen.etag.startswith("W/"), seen.etag)
    me.get("/gebuehren.xml", 304, {"If-None-Match": seen.etag})
    for _ in range(2):
        me.put("/gebuehren.xml", "<form name='gebuehren'><fee>12</fee></form>", 412, {"If-Match": seen.etag})
        seen = me.get("/gebuehren.xml", 200, {"Accept-Encoding": "identity"})
    own = {"If-Unmodified-Since": seen.fields["last-modified"]}
    me.put("/gebuehren.xml", "<form name='gebuehren'><fee>12</fee></form>", 204, own)


@case(
    "d183",
    "a-lock-on-the-drawing",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "A draughtsman holds a WebDAV lock on a drawing. A colleague's save, whose tag is the current one, is 423; "
        "PROPFIND shows the lock and its owner, and a drawing beside it is saved as usual."
    ),
)
def drawing(stage: Stage) -> None:
    """Write to what another has locked."""
    server = stage.server("wsgidav")
    keeper = stage.actor("keeper", server, "zeichnungen.werk.test")
    keeper.send("MKCOL", "/plan", 201)
    for name in ("a1", "a2", "b1"):
        keeper.put(f"/plan/{name}.svg", f"<svg><text>{name}</text></svg>", 201)
    del stage.taps["keeper"]
    stage.forget()
    me = stage.actor("client", server, "zeichnungen.werk.test", "requests", {"User-Agent": "CAD-Ablage/11"})
    other = stage.actor("other", server, "zeichnungen.werk.test", "httpx", {"User-Agent": "CAD/11 (Halle 2)"})
    me.send("PROPFIND", "/plan/", 207, {"Depth": "1"})
    body = (
        '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
        "<D:locktype><D:write/></D:locktype><D:owner>Halle 2, Ernst</D:owner></D:lockinfo>"
    )
    xml = {"Content-Type": "application/xml"}
    other.send("LOCK", "/plan/a2.svg", 200, {"Timeout": "Second-600", **xml}, body)
    seen = me.get("/plan/a2.svg")
    me.put("/plan/a2.svg", "<svg><text>a2 rev B</text></svg>", 423, {"If-Match": seen.etag})
    ask = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/><D:getetag/></D:prop></D:propfind>'
    place.holds("Ernst" in me.send("PROPFIND", "/plan/a2.svg", 207, {"Depth": "0", **xml}, ask).text)
    me.get("/plan/b1.svg")
    me.put("/plan/a2.svg", "<svg><text>a2 rev B</text></svg>", 423, {"If-Match": seen.etag})
    me.put("/plan/b1.svg", "<svg><text>b1 rev B</text></svg>", 204, {"If-Match": me.get("/plan/b1.svg").etag})


@case(
    "d186",
    "a-new-export-between-two-ranges",
    "read-changed-mid-transfer",
    "mixed-206",
    alone="read-changed-mid-transfer",
    description=(
        "A mirror fetches a register in four ranges from lighttpd without If-Range. After the second one the registry "
        "stores a new export of the same length; the parts carry two tags, all are 206, and the file is of two halves."
    ),
)
def halves(stage: Stage) -> None:
    """Fetch a file in parts while it is replaced."""
    rows = "".join(f"{n:05};Musterweg {n};offen\n" for n in range(200))
    server = place.dav(stage, {"out/register.txt": rows, "out/readme.txt": "Stand: täglich\n"}, "lighttpd")
    me = stage.actor("client", server, "export.register.test", "aiohttp", {"User-Agent": "spiegel/1.4"})
    other = stage.actor("other", server, "export.register.test", "requests", {"User-Agent": "nachtlauf"})
    me.get("/out/readme.txt")
    size = int(me.send("HEAD", "/out/register.txt", 200).fields["content-length"])
    step, tags = size // 4 + 1, set()
    for part in range(4):
        if part == 2:
            other.put("/out/register.txt", rows.replace("offen", "zu.. "), 204)
            place.pause(0.4)
        last = min(size, (part + 1) * step) - 1
        tags.add(me.get("/out/register.txt", 206, {"Range": f"bytes={part * step}-{last}"}).etag)
    place.holds(len(tags) == 2, tags)
    me.get("/out/readme.txt", 304, {"If-None-Match": me.get("/out/readme.txt").etag})


@case(
    "d187",
    "the-invitation-was-withdrawn",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A secretary deletes an invitation on Apache's mod_dav after another has opened it. The other's guarded save "
        "is 412 twice, and the read is 404."
    ),
)
def invitation(stage: Stage) -> None:
    """Save what another has deleted."""
    files = {f"einladungen/{n}.txt": f"Einladung {n}\n" for n in ("ball", "fest", "lesung")}
    server = place.dav(stage, files)
    me = stage.actor("client", server, "buero.verein.test", "curl", {"User-Agent": "textbuero/8"})
    other = stage.actor(
        "other", server, "buero.verein.test", "requests", {"User-Agent": "textbuero/8 (Vorstand)"}
    )
    me.send("PROPFIND", "/einladungen/", 207, {"Depth": "1"})
    place.glance(me, ["/einladungen/ball.txt", "/einladungen/lesung.txt"], 5, 187)
    seen = me.get("/einladungen/fest.txt")
    me.get("/einladungen/ball.txt")
    other.get("/einladungen/fest.txt")
    other.send("DELETE", "/einladungen/fest.txt", 204, {"If-Match": seen.etag})
    place.pause(0.8)
    me.put("/einladungen/fest.txt", "Einladung fest\nUm 19 Uhr\n", 412, {"If-Match": seen.etag})
    me.get("/einladungen/fest.txt", 404)
    me.put("/einladungen/fest.txt", "Einladung fest\nUm 19 Uhr\n", 412, {"If-Match": seen.etag})


@case(
    "d188",
    "the-minutes-are-there-already",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "Two clerks each start the minutes of today under the same name, create only. The second one's PUT to Apache's "
        "mod_dav is 412 at its first contact with the name; what is there is the first one's, older and different."
    ),
)
def minutes(stage: Stage) -> None:
    """Create what another has created."""
    server = place.dav(stage, {"protokolle/alt.md": "# Alt\n", "vorlage.md": "# Protokoll\n\nAnwesend:\n"})
    other = stage.actor(
        "other", server, "akten.rathaus.test", "httpx", {"User-Agent": "Amtsbuch/4 (Zimmer 12)"}
    )
    me = stage.actor("client", server, "akten.rathaus.test", "node:axios", {"User-Agent": "Amtsbuch/4"})
    other.put("/protokolle/sitzung.md", "# Protokoll\n\nAnwesend: Pohl, Sari\n", 201, {"If-None-Match": "*"})
    place.pause(2.1)
    place.glance(me, ["/vorlage.md", "/protokolle/alt.md"], 5, 188)
    me.put("/protokolle/sitzung.md", "# Protokoll\n\nAnwesend: Brandt\n", 412, {"If-None-Match": "*"})
    place.holds("Pohl" in me.get("/protokolle/sitzung.md").text)
    me.put("/protokolle/sitzung-2.md", "# Protokoll\n\nAnwesend: Brandt\n", 201, {"If-None-Match": "*"})


@case(
    "d196",
    "an-iso-date-that-apache-passes-over",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "A script guards its saves with If-Unmodified-Since in ISO 8601. Apache does not take it for a date and lets "
        "every save pass. One of them, which was 412 with a date in the proper form, overwrites what a colleague has "
        "stored in between."
    ),
)
def isodate(stage: Stage) -> None:
    """Guard a write with what is no HTTP date."""
    files = {f"kurse/{n}.json": f'{{"kurs": "{n}", "plaetze": 12}}' for n in ("yoga", "chor", "foto")}
    server = place.dav(stage, files, age=5400.0)
    me = stage.actor("client", server, "kurse.vhs.test", "urllib", {"User-Agent": "kurspflege.py"})
    other = stage.actor("other", server, "kurse.vhs.test", "requests", {"User-Agent": "Anmeldung/2"})
    json = {"Content-Type": "application/json"}
    since = place.stamp(-600).split(".")[0] + "Z"
    place.reads(me, "/kurse/yoga.json", "/kurse/foto.json")
    me.put("/kurse/yoga.json", '{"kurs": "yoga", "plaetze": 14}', 204, {"If-Unmodified-Since": since, **json})
    seen = me.get("/kurse/chor.json")
    tag = other.get("/kurse/chor.json").etag
    other.put(
        "/kurse/chor.json", '{"kurs": "chor", "plaetze": 11, "neu": "Iris"}', 204, {"If-Match": tag, **json}
    )
    place.pause(1.3)
    me.get("/kurse/foto.json")
    proper = {"If-Unmodified-Since": seen.fields["last-modified"], **json}
    me.put("/kurse/chor.json", '{"kurs": "chor", "plaetze": 20}', 412, proper)
    me.put("/kurse/chor.json", '{"kurs": "chor", "plaetze": 20}', 204, {"If-Unmodified-Since": since, **json})
    place.holds("Iris" not in me.get("/kurse/chor.json").text)
    me.get("/kurse/yoga.json")


@case(
    "d197",
    "a-gallery-behind-squid",
    "none",
    "healthy",
    alone="none",
    description=(
        "Readers leaf through a gallery behind Squid: answers from its store with Age, 304 for what they have, ranges of "
        "a film, If-Range with the current tag, and a missing picture. Nothing is written; all is as it should be."
    ),
)
def gallery(stage: Stage) -> None:
    """Read much through a store."""
    files: dict[str, str | bytes] = {f"img/{n}.svg": f"<svg><text>Bild {n}</text></svg>" for n in range(6)}
    files |= {
        "film.bin": bytes(range(256)) * 24,
        "site.css": "body { color: #222 }",
        "index.html": "<h1>Galerie</h1>",
    }
    server = fronts.site(stage, "apache2", files, 'Header set Cache-Control "public, max-age=3"')
    front = fronts.squid(stage, server, site="galerie.museum.test")
    me = stage.actor("client", front, "galerie.museum.test", "node:fetch", {"User-Agent": "Rundgang/6"})
    other = stage.actor("other", front, "galerie.museum.test", "requests")
    place.reads(other, "/index.html", "/site.css", "/img/1.svg")
    seen = place.reads(me, "/index.html", "/site.css", "/img/1.svg", "/img/2.svg")
    place.kept(me, "/site.css", seen[1])
    me.get("/img/9.svg", 404)
    film = me.get("/film.bin", 206, {"Range": "bytes=0-999"})
    for start in (1000, 2000, 3000):
        own = {"Range": f"bytes={start}-{start + 999}", "If-Range": film.etag}
        place.holds(me.get("/film.bin", 206, own).etag == film.etag)
    place.pause(3.2)
    place.kept(me, "/index.html", seen[0])
    me.get("/img/1.svg", 304, {"If-Modified-Since": seen[2].fields["last-modified"]})
    place.reads(me, "/img/3.svg", "/img/4.svg")


@case(
    "d198",
    "two-cooks-one-recipe-merged",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two cooks change one recipe on Apache's mod_dav. The second one's save is 412; the program reads again, puts "
        "its line into the new text and saves with the new tag. Both lines are there: the conflict is healed."
    ),
)
def recipe(stage: Stage) -> None:
    """Heal a conflict by merging."""
    files = {f"rezepte/{n}.txt": f"{n}\nMehl\nEier\n" for n in ("kuchen", "brot", "nudeln")}
    server = place.dav(stage, files)
    me = stage.actor(
        "client", server, "rezepte.kueche.test", "requests", {"User-Agent": "Kochbuch/1.8 (Herd)"}
    )
    other = stage.actor(
        "other", server, "rezepte.kueche.test", "aiohttp", {"User-Agent": "Kochbuch/1.8 (Patisserie)"}
    )
    place.reads(me, "/rezepte/brot.txt", "/rezepte/nudeln.txt")
    seen, theirs = me.get("/rezepte/kuchen.txt"), other.get("/rezepte/kuchen.txt")
    other.put("/rezepte/kuchen.txt", theirs.text + "Zimt\n", 204, {"If-Match": theirs.etag})
    place.pause(1.5)
    me.put("/rezepte/kuchen.txt", seen.text.replace("Eier", "3 Eier"), 412, {"If-Match": seen.etag})
    again = me.get("/rezepte/kuchen.txt")
    me.put("/rezepte/kuchen.txt", again.text.replace("Eier", "3 Eier"), 204, {"If-Match": again.etag})
    final = other.get("/rezepte/kuchen.txt").text
    place.holds(re.search("3 Eier.*Zimt", final, re.DOTALL), final)
    me.get("/rezepte/brot.txt")
