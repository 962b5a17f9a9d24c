"""Unseen recordings: real file, calendar and address servers."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_xan_setting as lab

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e203",
    "the-display-never-sees-the-second-tick",
    "date-precision",
    "wrong-304",
    alone="date-precision",
    description=(
        "nginx gives the departures file of a harbour no tag. The board reads it, the file is written again within the "
        "same second, and every poll with If-Modified-Since is 304; the hourly full read shows other content under the "
        "same Last-Modified."
    ),
)
def departures(stage: Stage) -> None:
    """Poll by a date that two versions share."""
    files = {"info/hafen.txt": "Pier 3 offen\n", "info/wetter.txt": "NW 5, See 2\n", "abfahrten.json": "{}"}
    server = fronts.site(stage, "nginx", files, "etag off; add_header Cache-Control no-cache;")
    me = stage.actor("client", server, "tafel.faehre.test", "httpx", {"User-Agent": "Anzeige/2.7 (Pier 3)"})
    base = int(time.time()) - 3

    def write(fraction: float, seq: int, late: int) -> None:
        text = (
            f'{{"seq":{seq},"stand":"{time.strftime("%H:%M:%S", time.gmtime(base))}.{int(fraction * 1000):03}Z",'
            f'"abfahrten":[{{"nach":"Hirtsholm","um":"14:20","verspaetung":{late}}}]}}\n'
        )
        fronts.put_file(server.directory, "abfahrten.json", text)
        os.utime(server.directory / "abfahrten.json", (base + fraction, base + fraction))

    write(0.204, 4411, 10)
    for path in ("/info/hafen.txt", "/info/wetter.txt"):
        lm = me.get(path).fields["last-modified"]
        me.get(path, 304, {"If-Modified-Since": lm})
    first = me.get("/abfahrten.json")
    write(0.871, 4412, 45)
    since = {"If-Modified-Since": first.fields["last-modified"]}
    for _ in range(4):
        lab.wait(0.7)
        me.get("/abfahrten.json", 304, since)
    fronts.put_file(server.directory, "info/wetter.txt", "NW 6, See 3\n")
    me.get("/info/wetter.txt", 200, {"If-Modified-Since": lm})
    full = me.get("/abfahrten.json")
    lab.sure(full.text != first.text and full.fields["last-modified"] == first.fields["last-modified"])
    me.get("/abfahrten.json", 304, since)


@case(
    "e217",
    "the-till-that-runs-ahead",
    "clock-skew",
    "lost-update",
    alone="clock-skew",
    description=(
        "A terminal guards its saves on Apache's mod_dav with the time of its own clock, which is 27 minutes ahead of "
        "the server's: If-Unmodified-Since can never fail. The listing shows that the kitchen wrote after the read, "
        "and the save with the old list is 204."
    ),
)
def till(stage: Stage) -> None:
    """Guard with one's own clock."""
    files = {f"karte/{d}.txt": f"{d}\nSuppe 4,80\nStrudel 5,20\n" for d in ("mo", "di", "mi", "do")}
    server = lab.dav(stage, "apache2", files)
    me = stage.actor("client", server, "karte.gasthaus.test", "java")
    other = stage.actor("other", server, "karte.gasthaus.test", "requests", {"User-Agent": "Kueche/1"})
    lab.listing(me, "/karte/")
    me.get("/karte/mo.txt")
    seen = me.get("/karte/di.txt")
    ahead = 27 * 60.0
    me.put("/karte/mo.txt", "mo\nSuppe 4,90\nStrudel 5,20\n", 204, {"If-Unmodified-Since": lab.moment(ahead)})
    theirs = other.get("/karte/di.txt")
    lab.wait(1.1)
    other.put("/karte/di.txt", theirs.text + "Forelle 14,50 (Nuss!)\n", 204, {"If-Match": theirs.etag})
    lab.wait(1.2)
    lab.listing(me, "/karte/")
    me.put(
        "/karte/di.txt", seen.text.replace("4,80", "4,90"), 204, {"If-Unmodified-Since": lab.moment(ahead)}
    )
    lab.sure("Forelle" not in me.get("/karte/di.txt").text)
    me.get("/karte/mi.txt")


@case(
    "e209",
    "a-date-in-french",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "A macro writes If-Unmodified-Since in the words of its locale (sam., nov.). Apache takes that for no date and "
        "stores the old minutes over those of the secretary; listing and read afterwards show it."
    ),
)
def minutes(stage: Stage) -> None:
    """Send a date that no server reads."""
    files = {f"pv/2026-{n:02}.txt": f"Procès-verbal n° {n}\nPrésents : 7\n" for n in (8, 9, 10, 11)}
    server = lab.dav(stage, "apache2", files, age=86400 * 2.2)
    me = stage.actor("client", server, "pv.mairie.test", "urllib", {"User-Agent": "Macro-PV/0.9"})
    other = stage.actor("other", server, "pv.mairie.test", "aiohttp", {"User-Agent": "Secretariat/3"})

    def french(value: str) -> str:
        for month, own in (("Nov", "nov."), ("Dec", "déc."), ("Oct", "oct.")):
            value = value.replace(f" {month} ", f" {own} ")
        for day, own in zip(
            ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
            ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
            strict=True,
        ):
            value = value.replace(day, own)
        return value

    me.send("OPTIONS", "/pv/", 200)
    lab.listing(me, "/pv/")
    me.get("/pv/2026-10.txt")
    seen, theirs = me.get("/pv/2026-11.txt"), other.get("/pv/2026-11.txt")
    other.put("/pv/2026-11.txt", theirs.text + "Vote du budget : 6 voix\n", 204, {"If-Match": theirs.etag})
    lab.wait(1.2)
    lab.listing(me, "/pv/")
    own = {"If-Unmodified-Since": french(seen.fields["last-modified"])}
    me.put("/pv/2026-11.txt", seen.text.replace("7", "8"), 204, own)
    lab.sure("budget" not in me.get("/pv/2026-11.txt").text)
    lab.listing(me, "/pv/2026-11.txt", "0")


@case(
    "e228",
    "one-sheet-of-the-folder-is-held",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "Apache's mod_dav: a colleague edits one sheet of last season's folder under a lock. Removing the folder is "
        "refused with 424, saving the sheet itself with 423, and lockdiscovery names the owner."
    ),
)
def season(stage: Stage) -> None:
    """Remove a folder with a locked member."""
    files = {f"saison25/{n}.csv": f"mannschaft;punkte\n{n};12\n" for n in ("herren", "damen", "jugend")}
    files["saison26/herren.csv"] = "mannschaft;punkte\n"
    server = lab.dav(stage, "apache2", files)
    me = stage.actor("client", server, "ablage.handball.test", "requests", {"User-Agent": "Vereinsablage/5"})
    other = stage.actor(
        "other", server, "ablage.handball.test", "httpx", {"User-Agent": "Vereinsablage/5 (kassenwart)"}
    )
    lock = (
        '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype>'
        "<D:write/></D:locktype><D:owner>Kassenwart Ulf</D:owner></D:lockinfo>"
    )
    lab.listing(me, "/saison25/")
    other.send("LOCK", "/saison25/damen.csv", 200, {"Timeout": "Second-1800", **lab.XML}, lock)
    me.get("/saison26/herren.csv")
    lab.wait()
    me.send("DELETE", "/saison25/", (207, 423, 424))
    lab.listing(me, "/saison25/")
    seen = me.get("/saison25/damen.csv")
    me.put("/saison25/damen.csv", seen.text + "A;9\n", 423, {"If-Match": seen.etag})
    ask = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/></D:prop></D:propfind>'
    lab.sure("Ulf" in me.send("PROPFIND", "/saison25/damen.csv", 207, {"Depth": "0", **lab.XML}, ask).text)
    tag = me.get("/saison26/herren.csv").etag
    me.put("/saison26/herren.csv", "mannschaft;punkte\nA;2\n", 204, {"If-Match": tag})


@case(
    "e211",
    "the-phone-adds-its-cached-tag",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "The HTTP stack of a phone keeps what it reads and puts If-None-Match with the kept tag on the next request to "
        "the URL, on uploads too. Apache refuses each upload of a note that was read before; a note that was never "
        "read, and the same upload with no-store, are stored."
    ),
)
def phone(stage: Stage) -> None:
    """Upload through a caching client."""
    files = {f"notes/{n}.md": f"# {n}\n\n- pain\n- lait\n" for n in ("courses", "jardin", "voyage")}
    server = lab.dav(stage, "apache2", files)
    own = {
        "User-Agent": "Carnet/412 CFNetwork/1568.300.101 Darwin/24.2.0",
        "Accept-Language": "fr-FR,fr;q=0.9",
    }
    me = stage.actor("client", server, "carnet.famille.test", "httpx", own)
    lab.listing(me, "/notes/")
    kept = {name: me.get(f"/notes/{name}.md") for name in ("courses", "jardin")}

    def cached(name: str) -> dict[str, str]:
        one = kept[name]
        return {"If-None-Match": one.etag, "If-Modified-Since": one.fields["last-modified"]}

    lab.wait()
    me.get("/notes/courses.md", 304, cached("courses"))
    me.get("/notes/jardin.md", 304, cached("jardin"))
    media = {"Content-Type": "text/markdown"}
    me.put("/notes/idees.md", "# idees\n", 201, media)
    body = kept["courses"].text + "- œufs\n"
    me.put("/notes/courses.md", body, 412, {**media, "If-None-Match": kept["courses"].etag})
    lab.wait(0.8)
    me.get("/notes/courses.md", 304, cached("courses"))
    me.put("/notes/courses.md", body, 412, {**media, "If-None-Match": kept["courses"].etag})
    lab.listing(me, "/notes/")
    more = {**media, "Cache-Control": "no-store", "Pragma": "no-cache"}
    me.put("/notes/courses.md", body, 204, more)


@case(
    "e206",
    "the-ticket-was-cleared-away",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "lighttpd's mod_webdav: a nightly tidy-up removes a repair slip that a workshop has open. Its guarded save is "
        "412, the listing no longer names it, and a read is 404."
    ),
)
def slip(stage: Stage) -> None:
    """Save what somebody has removed."""
    files = {f"oppdrag/{n}.txt": f"Oppdrag {n}\nBrems foran\n" for n in range(7710, 7716)}
    server = lab.dav(stage, "lighttpd", files)
    me = stage.actor(
        "client",
        server,
        "verksted.sykkel.test",
        "aiohttp",
        {"User-Agent": "Verkstedbok/6.1", "Content-Type": "text/plain; charset=utf-8"},
    )
    other = stage.actor("other", server, "verksted.sykkel.test", "urllib", {"User-Agent": "rydding/2"})
    lab.listing(me, "/oppdrag/")
    seen, beside = me.get("/oppdrag/7712.txt"), me.get("/oppdrag/7714.txt")
    for number in (7710, 7712):
        other.send("DELETE", f"/oppdrag/{number}.txt", 204)
    lab.wait(1.1)
    me.put("/oppdrag/7714.txt", beside.text + "Ny kjede\n", (200, 204), {"If-Match": beside.etag})
    me.put("/oppdrag/7712.txt", seen.text + "Bremseklosser 2x\n", 412, {"If-Match": seen.etag})
    lab.sure("7712" not in lab.listing(me, "/oppdrag/").text)
    me.get("/oppdrag/7712.txt", 404)
    me.get("/oppdrag/7715.txt")


@case(
    "e236",
    "a-card-with-no-tag-yet",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "An address book script formats a tag that it has not fetched: If-Match: None. Radicale refuses both cards "
        "with that field; the card whose tag was read is stored."
    ),
)
def cards(stage: Stage) -> None:
    """Send the word for nothing."""
    people = {
        f"p{n}.vcf": lab.card(f"p{n}", name) for n, name in enumerate(("Ana Reis", "Rui Sá", "Eva Luz"), 1)
    }
    server = lab.calendar(stage, "contactos.clube.test", "/clube/socios/", people, "VADDRESSBOOK")
    own = {**lab.basic("clube"), "User-Agent": "socios.py/1.3"}
    me = stage.actor("client", server, "contactos.clube.test", "requests", own)
    media = {"Content-Type": "text/vcard; charset=utf-8"}
    lab.listing(me, "/clube/socios/")
    seen = me.get("/clube/socios/p2.vcf")
    me.put(
        "/clube/socios/p2.vcf",
        lab.card("p2", "Rui Sá", "TEL:+351 21 000 1"),
        204,
        {**media, "If-Match": seen.etag},
    )
    for name, who in (("p1", "Ana Reis"), ("p3", "Eva Luz")):
        me.put(
            f"/clube/socios/{name}.vcf",
            lab.card(name, who, "TEL:+351 21 000 2"),
            412,
            {**media, "If-Match": "None"},
        )
        lab.wait(0.2)
    me.get("/clube/socios/p1.vcf")
    me.send("PROPFIND", "/clube/", 207, {"Depth": "1"})


@case(
    "e214",
    "the-mirror-that-drops-the-quotes",
    "malformed-validator",
    "wasted-200",
    alone="malformed-validator",
    description=(
        "A firmware mirror keeps tags without their quotes and polls nginx with them: each poll is a full 200 of the "
        "same content under the same tag, while a mirror job beside it, by date, gets its 304."
    ),
)
def mirror(stage: Stage) -> None:
    """Poll with a bare tag."""
    blob = "".join(f"{n:04x}:{(n * 7919) % 65521:04x}\n" for n in range(900))
    files = {
        "stable/router.img.txt": blob,
        "stable/switch.img.txt": blob[5000::-1],
        "stable/SUMS.txt": "a91c router\n",
    }
    server = fronts.site(stage, "nginx", files, age=86400 * 9)
    me = stage.actor("client", server, "fw.netz.test", "curl", {"User-Agent": "fwmirror/0.4"})
    first = me.get("/stable/router.img.txt")
    second = me.get("/stable/switch.img.txt")
    sums = me.get("/stable/SUMS.txt")
    for _ in range(3):
        lab.wait(0.5)
        me.get("/stable/SUMS.txt", 304, {"If-Modified-Since": sums.fields["last-modified"]})
        got = me.get("/stable/router.img.txt", 200, {"If-None-Match": first.etag.strip('"')})
        lab.sure(got.etag == first.etag and got.body == first.body)
        me.get("/stable/switch.img.txt", 200, {"If-None-Match": second.etag.strip('"')})


@case(
    "e231",
    "the-choir-planner-writes-bare",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "A planner stores events on Radicale without any condition although it lists their tags. A singer has added a "
        "room in between; the planner's listing shows another tag, it stores its old text anyway, and the room is gone."
    ),
)
def choir(stage: Stage) -> None:
    """Store without a condition."""
    days = {
        f"probe-{n}.ics": lab.event(f"probe-{n}", f"Probe {n}", f"2026120{n}T183000Z") for n in range(1, 5)
    }
    server = lab.calendar(stage, "termine.chor.test", "/chor/proben/", days)
    me = stage.actor(
        "client", server, "termine.chor.test", "node:fetch", {**lab.basic("chor"), "X-Client": "planer-web"}
    )
    other = stage.actor("other", server, "termine.chor.test", "httpx", lab.basic("chor"))
    media = {"Content-Type": "text/calendar; charset=utf-8"}
    lab.listing(me, "/chor/proben/")
    seen, theirs = me.get("/chor/proben/probe-3.ics"), other.get("/chor/proben/probe-3.ics")
    me.get("/chor/proben/probe-2.ics")
    me.put("/chor/proben/probe-4.ics", lab.event("probe-4", "Generalprobe", "20261204T180000Z"), 204, media)
    other.put(
        "/chor/proben/probe-3.ics",
        lab.event("probe-3", "Probe 3", "20261203T183000Z", "LOCATION:Aula"),
        204,
        {**media, "If-Match": theirs.etag},
    )
    lab.wait(1.1)
    lab.sure(seen.etag.strip('"') not in lab.listing(me, "/chor/proben/").text)
    me.put("/chor/proben/probe-3.ics", seen.text.replace("SUMMARY:Probe 3", "SUMMARY:Stimmprobe"), 204, media)
    lab.sure("Aula" not in me.get("/chor/proben/probe-3.ics").text)
