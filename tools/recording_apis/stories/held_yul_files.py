"""Stories on files under real web servers."""

from __future__ import annotations

import hashlib
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_yul_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _readings(factor: int) -> str:
    rows = (f"2026-11-{1 + n // 96:02d};{n % 96:02d};{(n * factor) % 977};kWh" for n in range(1700))
    return "tag;viertel;wert;einheit\n" + "\n".join(rows) + "\n"


@case(
    "e259",
    "yul-export-replaced-between-parts",
    "read-changed-mid-transfer",
    "spliced-content",
    alone="read-changed-mid-transfer",
    description=(
        "A meter export is fetched in parts of 8 KiB without If-Range or If-Match from Apache; after the second part "
        "the night job replaces the file: the later 206s carry another ETag, and the digest beside it does not fit."
    ),
)
def parts(stage: Stage) -> None:
    """Put two files together."""
    old, new = _readings(7), _readings(11)
    site = fronts.site(
        stage,
        "apache2",
        {
            "export/zaehler-11.csv": old,
            "export/zaehler-11.csv.sha256": hashlib.sha256(old.encode()).hexdigest() + "\n",
            "export/index.txt": "zaehler-10.csv\nzaehler-11.csv\n",
            "export/zaehler-10.csv": "tag;viertel;wert;einheit\n",
        },
    )
    me = stage.actor("client", site, "daten.stadtwerke.example", "httpx", {"User-Agent": "abholer/3.2"})
    me.get("/export/index.txt")
    size = int(me.send("HEAD", "/export/zaehler-11.csv", 200).fields["content-length"])
    me.get("/export/zaehler-10.csv")
    got, tags, step, start = b"", set(), 8192, 0
    while start < size:
        if start == 2 * step:
            place.rewrite(site, "export/zaehler-11.csv", new, 1.0)
            digest = hashlib.sha256(new.encode()).hexdigest() + "\n"
            place.rewrite(site, "export/zaehler-11.csv.sha256", digest, 1.0)
        end = min(start + step, size) - 1
        part = me.get("/export/zaehler-11.csv", 206, {"Range": f"bytes={start}-{end}"})
        got, start = got + part.body, end + 1
        tags.add(part.etag)
        place.rest(0.2)
    seal = me.get("/export/zaehler-11.csv.sha256").text.strip()
    place.sure(len(tags) == 2 and hashlib.sha256(got).hexdigest() != seal)


@case(
    "e274",
    "yul-escaped-tag-never-matches",
    "malformed-validator",
    "missing-304",
    alone="malformed-validator",
    description=(
        "A signage player keeps the tag of its playlist in an XML settings file and sends it back as it stands there, "
        "&quot;...&quot;: nginx never finds it equal, and each poll transfers the unchanged playlist; the images that "
        "the same player asks for with tags from memory are 304."
    ),
)
def escaped(stage: Stage) -> None:
    """Send quotes as entities."""
    slides = "".join(f'<slide n="{n}" href="/media/{n}.svg" seconds="9"/>' for n in range(40))
    files = {"lists/foyer.smil": f"<playlist>{slides}</playlist>"}
    files |= {f"media/{n}.svg": f"<svg xmlns='http://www.w3.org/2000/svg' id='s{n}'/>" for n in (0, 1, 2)}
    site = fronts.site(stage, "nginx", files)
    me = stage.actor(
        "client", site, "signage.museum.example", "node:axios", {"User-Agent": "LobbyPlayer/2.0"}
    )
    first = me.get("/lists/foyer.smil")
    kept = first.etag.replace('"', "&quot;")
    images = {n: me.get(f"/media/{n}.svg").etag for n in (0, 1, 2)}
    for turn in range(5):
        again = me.get("/lists/foyer.smil", 200, {"If-None-Match": kept})
        place.sure(again.etag == first.etag and again.body == first.body)
        me.get(f"/media/{turn % 3}.svg", 304, {"If-None-Match": images[turn % 3]})
        place.rest(0.4)


@case(
    "e257",
    "yul-two-mirrors-two-tags",
    "inconsistent-backends",
    "missing-304",
    alone="inconsistent-backends",
    description=(
        "HAProxy sends requests in turns to two nginx nodes whose copies of one catalogue were deployed a minute "
        "apart: same octets, two tags that alternate, so a poller with If-None-Match is never told 304."
    ),
)
def mirrors(stage: Stage) -> None:
    """Poll two nodes in turns."""
    catalogue = "\n".join(f"{n:04d}\tPieza {n}\t{n * 13 % 700}.00 EUR" for n in range(120))
    nodes = [
        fronts.site(
            stage, "nginx", {"catalogo/recambios.tsv": catalogue, "catalogo/aviso.txt": "ok"}, age=age
        )
        for age in (86400.0, 86337.0)
    ]
    front = fronts.haproxy(stage, nodes, " http-response set-header X-Served-By %s")
    me = stage.actor("client", front, "catalogo.talleres.example", "aiohttp", {"X-Tienda": "Soria-2"})
    held, seen = "", []
    for turn in range(8):
        got = me.get("/catalogo/recambios.tsv", 200, {"If-None-Match": held} if held else {})
        held = got.etag
        seen.append((held, got.body))
        if turn % 3 == 1:
            me.get("/catalogo/aviso.txt")
            me.get("/catalogo/aviso.txt")
        place.rest(0.25)
    place.sure(len({tag for tag, _ in seen}) == 2 and len({body for _, body in seen}) == 1)


@case(
    "e263",
    "yul-stale-tag-taken-by-the-file-server",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "nginx's own WebDAV module hands out tags and looks at none on PUT: a note's editor sends the tag it opened "
        "with although its own refresh has shown a newer one, and 204 replaces the colleague's paragraph."
    ),
)
def taken(stage: Stage) -> None:
    """Be let through with an old tag."""
    note = "# Vagt 14\n\n- pumpe 2: ok\n"
    files = {"vagt/uge48.md": note, "vagt/uge47.md": "# Vagt 13\n", "vagt/telefon.txt": "lokal 440\n"}
    site = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    me = stage.actor(
        "client", site, "vagtbog.vaerket.example", "requests", {"User-Agent": "Vagtbog/1.8 (stue)"}
    )
    other = stage.actor(
        "other", site, "vagtbog.vaerket.example", "curl", {"User-Agent": "Vagtbog/1.8 (tilsyn)"}
    )
    opened = me.get("/vagt/uge48.md")
    me.get("/vagt/telefon.txt")
    theirs = other.get("/vagt/uge48.md")
    place.rest(1.1)
    other.put(
        "/vagt/uge48.md", theirs.text + "- ventil 7 SKAL skiftes i nat\n", 204, {"If-Match": theirs.etag}
    )
    place.rest(0.3)
    moved = me.send("HEAD", "/vagt/uge48.md", 200)
    place.sure(moved.etag != opened.etag)
    me.get("/vagt/uge47.md")
    shown = me.get("/vagt/uge48.md", 200, {"If-None-Match": opened.etag})
    place.sure("ventil 7" in shown.text)
    me.put("/vagt/uge48.md", opened.text + "- kaffe bestilt\n", 204, {"If-Match": opened.etag})
    place.rest(0.2)
    place.sure("ventil 7" not in me.get("/vagt/uge48.md").text)


@case(
    "e275",
    "yul-iso-date-guards-nothing",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "A script writes If-Unmodified-Since in ISO 8601: Apache passes over what is no HTTP-date, and the page that "
        "a listing has just shown as newer is replaced; a page with the served date beside it is guarded."
    ),
)
def iso(stage: Stage) -> None:
    """Guard with a date that is none."""
    files = {f"tartalom/{name}.html": f"<h1>{name}</h1><p>2025</p>" for name in ("nyitva", "arak", "hirek")}
    site = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", site, "lap.furdo.example", "urllib", {"User-Agent": "feltolto/0.4"})
    other = stage.actor("other", site, "lap.furdo.example", "httpx")
    pages = {name: me.get(f"/tartalom/{name}.html") for name in ("nyitva", "arak", "hirek")}
    now = other.get("/tartalom/arak.html")
    other.put("/tartalom/arak.html", now.text + "<p>szauna 3200 Ft</p>", 204, {"If-Match": now.etag})
    place.rest(1.2)
    place.listed(me, "/tartalom/")
    for name in ("nyitva", "arak"):
        moment = parsedate_to_datetime(pages[name].fields["last-modified"])
        guard = {"If-Unmodified-Since": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
        me.put(f"/tartalom/{name}.html", pages[name].text.replace("2025", "2026"), 204, guard)
    place.sure("szauna" not in me.get("/tartalom/arak.html").text)
    me.get("/tartalom/hirek.html")


@case(
    "e272",
    "yul-own-clock-as-the-guard",
    "clock-skew",
    "lost-update",
    alone="clock-skew",
    description=(
        "A tablet guards its saves with If-Unmodified-Since and its own clock, which runs nine minutes ahead of the "
        "server's Date: the condition cannot fail, and the station's log tells of a change that is gone."
    ),
)
def ahead(stage: Stage) -> None:
    """Guard with a clock that is ahead."""
    files = {"post/3/list.txt": "bandages: 40\nsaline: 12\n", "post/3/log.txt": "06:10 opened\n"}
    files |= {f"post/{n}/list.txt": f"bandages: {n * 9}\n" for n in (1, 2)}
    site = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", site, "stock.firstaid.example", "node:fetch", {"User-Agent": "StockTablet/5"})
    other = stage.actor("other", site, "stock.firstaid.example", "requests", {"User-Agent": "StockDesk/5"})

    def guard() -> dict[str, str]:
        return {"If-Unmodified-Since": place.date_of(time.time() + 554)}

    place.listed(me, "/post/")
    near = me.get("/post/1/list.txt")
    me.put("/post/1/list.txt", near.text + "tape: 4\n", 204, guard())
    mine, theirs = me.get("/post/3/list.txt"), other.get("/post/3/list.txt")
    place.rest(1.2)
    other.put(
        "/post/3/list.txt", theirs.text.replace("saline: 12", "saline: 2"), 204, {"If-Match": theirs.etag}
    )
    log = other.get("/post/3/log.txt")
    other.put(
        "/post/3/log.txt", log.text + "07:02 desk: saline 12 -> 2 (recall)\n", 204, {"If-Match": log.etag}
    )
    place.rest(1.3)
    me.put("/post/3/list.txt", mine.text.replace("bandages: 40", "bandages: 36"), 204, guard())
    place.listed(me, "/post/3/")
    place.sure("recall" in me.get("/post/3/log.txt").text)
    place.sure("saline: 12" in me.get("/post/3/list.txt").text)


@case(
    "e244",
    "yul-saves-without-asking",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "lighttpd's WebDAV serves tags; a mapping tool reads a layer with its tag, sees in the listing that it has "
        "moved, and saves its older copy without any condition: 204, and the surveyor's point is gone."
    ),
)
def unasked(stage: Stage) -> None:
    """Send no condition."""
    layer = '{"type":"FeatureCollection","points":[[47.1,8.3]]}'
    files = {"lag/sti.json": layer, "lag/bro.json": layer, "lag/endringar.txt": "start\n"}
    site = fronts.site(stage, "lighttpd", files, fronts.DAV["lighttpd"])
    me = stage.actor("client", site, "kart.kommune.example", "aiohttp", {"User-Agent": "kartverk/11"})
    other = stage.actor("other", site, "kart.kommune.example", "node:fetch", {"User-Agent": "felt/2"})
    mine, theirs = me.get("/lag/sti.json"), other.get("/lag/sti.json")
    me.get("/lag/bro.json")
    other.put(
        "/lag/sti.json", theirs.text.replace("8.3]", "8.3],[47.2,8.4]"), (200, 204), {"If-Match": theirs.etag}
    )
    other.put("/lag/endringar.txt", "start\nfelt: sti.json +[47.2,8.4]\n", (200, 204))
    place.rest(1.1)
    place.listed(me, "/lag/")
    me.get("/lag/bro.json", 304, {"If-None-Match": me.get("/lag/bro.json").etag})
    me.put("/lag/sti.json", mine.text.replace("[47.1,8.3]", "[47.15,8.3]"), (200, 204))
    place.sure("sti.json +" in me.get("/lag/endringar.txt").text)
    place.sure("8.4" not in me.get("/lag/sti.json").text)


@case(
    "e267",
    "yul-somebody-holds-the-drawing",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "Apache's WebDAV: a colleague has locked a drawing; a save with the right tag but no lock token is 423, and "
        "lockdiscovery names the holder; another drawing of the same folder is saved meanwhile."
    ),
)
def held(stage: Stage) -> None:
    """Meet a lock."""
    files = {f"blad/{n}.svg": f"<svg id='b{n}'/>" for n in (10, 11, 12)}
    site = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", site, "ritningar.varvet.example", "requests", {"User-Agent": "Ritbord/4"})
    other = stage.actor("other", site, "ritningar.varvet.example", "requests", {"User-Agent": "Ritbord/4"})
    wish = (
        '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype>'
        "<D:write/></D:locktype><D:owner>Maja, dock 3</D:owner></D:lockinfo>"
    )
    place.listed(me, "/blad/")
    sheet = me.get("/blad/11.svg")
    other.send("LOCK", "/blad/11.svg", 200, {"Timeout": "Second-1800", "Content-Type": "text/xml"}, wish)
    spare = me.get("/blad/10.svg")
    me.put("/blad/10.svg", "<svg id='b10' rev='2'/>", 204, {"If-Match": spare.etag})
    me.put("/blad/11.svg", "<svg id='b11' rev='2'/>", 423, {"If-Match": sheet.etag})
    place.sure("Maja" in place.listed(me, "/blad/11.svg", "0").text)
    place.rest(0.8)
    me.put("/blad/11.svg", "<svg id='b11' rev='2'/>", 423, {"If-Match": sheet.etag})
    me.get("/blad/12.svg")
