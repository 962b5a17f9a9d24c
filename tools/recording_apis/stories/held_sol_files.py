"""Unseen recordings: files over WebDAV on Apache, lighttpd, nginx and WsgiDAV."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import quote

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_sol_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@case(
    "e001",
    "sol-tags-kept-as-query-values",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A deployment script keeps tags percent-encoded, as it once sent them in a query, and sends %22...%22 in "
        "If-Match to lighttpd's WebDAV: 412 for each file, though the file's tag is the same as before."
    ),
)
def encoded(stage: Stage) -> None:
    """Send a tag that is percent-encoded."""
    files = {f"hosts/{n}.conf": f"host {n}\nrole web\nttl 300\n" for n in ("adler", "bussard", "eule")}
    server = place.dav(stage, "lighttpd", files, 'mimetype.assign += (".conf" => "text/plain")')
    me = stage.actor("client", server, "rollout.intern.test", "curl", {"User-Agent": "rollout.sh"})
    place.listing(me, "/hosts/")
    place.polls(me, "/hosts/eule.conf", times=1)
    kept = {}
    for name in ("adler", "bussard"):
        seen = me.get(f"/hosts/{name}.conf")
        kept[name] = quote(seen.etag, safe="")
    for name in ("adler", "bussard"):
        fields = {**_TEXT, "If-Match": kept[name]}
        me.put(f"/hosts/{name}.conf", f"host {name}\nrole web\nttl 60\n", 412, fields)
    me.get("/hosts/eule.conf")
    place.wait(1)
    same = me.get("/hosts/adler.conf")
    place.sure(quote(same.etag, safe="") == kept["adler"])
    me.put("/hosts/adler.conf", "host adler\nrole web\nttl 60\n", 412, {**_TEXT, "If-Match": kept["adler"]})


@case(
    "e003",
    "sol-two-readings-within-a-second",
    "date-precision",
    "wrong-304",
    alone="date-precision",
    description=(
        "Gauge files on lighttpd: a display keeps dates only. The gauge writes twice in one second, the display asks "
        "between with If-Modified-Since and goes on getting 304 for the second reading until it asks without."
    ),
)
def readings(stage: Stage) -> None:
    """Miss a write in the second of another."""
    files = {f"pegel/{n}.txt": f"{n} 212 cm\n" for n in ("kaub", "koblenz", "trier")}
    server = place.dav(stage, "lighttpd", files, 'etag.use-mtime = "enable"')
    me = stage.actor("client", server, "anzeige.wsa.test", "urllib", {"User-Agent": "Tafel/4"})
    other = stage.actor("other", server, "anzeige.wsa.test", "httpx", {"User-Agent": "pegel-kaub"})
    for name in ("kaub", "koblenz", "trier"):
        me.get(f"/pegel/{name}.txt")
    place.edge()
    other.put("/pegel/kaub.txt", "kaub 214 cm\n", (200, 204), _TEXT)
    seen = me.get("/pegel/kaub.txt")
    since = {"If-Modified-Since": seen.fields["last-modified"]}
    place.wait(0.3)
    other.put("/pegel/kaub.txt", "kaub 261 cm\n", (200, 204), _TEXT)
    place.wait(0.9)
    me.get("/pegel/kaub.txt", 304, since)
    me.get("/pegel/trier.txt")
    for _ in range(3):
        place.wait(0.7)
        me.get("/pegel/kaub.txt", 304, since)
    full = me.get("/pegel/kaub.txt")
    place.sure("261" in full.text and full.fields["last-modified"] == seen.fields["last-modified"])


@case(
    "e004",
    "sol-scan-upload-answer-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A scanner puts a page on WsgiDAV with If-None-Match: *; the connection breaks after the server has stored "
        "it, the same request is repeated and 412. The page there has the scanner's own job number and scan time."
    ),
)
def scans(stage: Stage) -> None:
    """Repeat what was done."""
    server = place.wsgidav(
        stage, {f"eingang/seite-{n:04}.txt": f"Job 771{n} Seite 1\n" for n in (11, 12, 13)}
    )
    me = stage.actor(
        "client",
        server,
        "ablage.kanzlei.test",
        "urllib",
        {"User-Agent": "ScanStation 88"},
        loses=place.nth("PUT", "seite-0015"),
    )
    place.listing(me, "/eingang/")
    place.polls(me, "/eingang/seite-0011.txt", "/eingang/seite-0013.txt", times=1)
    made = {**_TEXT, "If-None-Match": "*"}
    me.put("/eingang/seite-0014.txt", "Job 77140 Scan 2a90-11 Seite 1\nMandant Rehm\n", 201, made)
    page = "Job 77150 Scan 2a90-12 Seite 1\nMandant Rehm ./. Stadtwerke\n"
    me.put("/eingang/seite-0015.txt", page, 0, made)
    place.wait(1.2)
    me.put("/eingang/seite-0015.txt", page, 412, made)
    place.sure(me.get("/eingang/seite-0015.txt").text == page)
    place.listing(me, "/eingang/")


@case(
    "e011",
    "sol-chapter-renamed-under-the-author",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "Apache's DAV: the publisher moves a chapter to another name while the author has it open. The author's PUT "
        "with its tag is refused, the read is 404, and the list shows the new name."
    ),
)
def renamed(stage: Stage) -> None:
    """Save to a name that is gone."""
    files = {f"roman/kap{n}.txt": f"Kapitel {n}\n" + "Regen fiel. " * 12 for n in (1, 2, 3, 4)}
    server = place.dav(stage, "apache2", files)
    me = stage.actor("client", server, "lektorat.verlag.test", "java", {"User-Agent": "Manuskript 5.1"})
    other = stage.actor("other", server, "lektorat.verlag.test", "requests", {"User-Agent": "Verlagsportal"})
    place.listing(me, "/roman/")
    seen = me.get("/roman/kap3.txt")
    place.rewrite(me, "/roman/kap1.txt", "Am Abend.\n")
    other.get("/roman/kap3.txt")
    to = "http://lektorat.verlag.test/roman/kap3-final.txt"
    other.send("MOVE", "/roman/kap3.txt", 201, {"Destination": to, "Overwrite": "F"})
    place.wait(0.9)
    me.get("/roman/kap2.txt", 304, {"If-None-Match": me.get("/roman/kap2.txt").etag})
    me.put("/roman/kap3.txt", seen.text + "Dann nicht mehr.\n", 412, {**_TEXT, "If-Match": seen.etag})
    me.get("/roman/kap3.txt", 404)
    place.sure("/roman/kap3-final.txt" in place.listing(me, "/roman/"))


_LOCK = (
    '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype>'
    "<D:write/></D:locktype><D:owner><D:href>{}</D:href></D:owner></D:lockinfo>"
)


@case(
    "e013",
    "sol-lock-of-another-drawing",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "A CAD add-in locks one drawing on Apache's DAV and then saves another one with that lock's token in If: 412. "
        "The drawing has no lock at all; the save of the locked one with the same token passes, as does the unlock."
    ),
)
def drawings(stage: Stage) -> None:
    """Show a lock at another door."""
    files = {f"plan/{n}.dxf": f"SECTION {n}\nLINE 0 0 10 {i}\n" for i, n in enumerate(("eg", "og1", "og2"))}
    server = place.dav(stage, "apache2", files)
    me = stage.actor("client", server, "zeichnungen.buero.test", "httpx", {"User-Agent": "CADLink/2.2"})
    place.listing(me, "/plan/")
    me.get("/plan/og1.dxf")
    place.polls(me, "/plan/eg.dxf", times=1)
    me.get("/plan/og2.dxf")
    fields = {"Timeout": "Second-600", "Depth": "0", "Content-Type": "text/xml"}
    got = me.send("LOCK", "/plan/og1.dxf", 200, fields, _LOCK.format("mailto:petra@buero.test"))
    token = got.fields["lock-token"]
    place.wait(0.8)
    me.put("/plan/og1.dxf", "SECTION og1\nLINE 0 0 10 9\n", 204, {"If": f"({token})"})
    place.wait(0.5)
    me.put("/plan/og2.dxf", "SECTION og2\nLINE 0 0 12 2\n", 412, {"If": f"({token})"})
    ask = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><lockdiscovery/></prop></propfind>'
    seen = me.send("PROPFIND", "/plan/og2.dxf", 207, {"Depth": "0", "Content-Type": "text/xml"}, ask)
    place.sure("opaquelocktoken" not in seen.text)
    me.put("/plan/og2.dxf", "SECTION og2\nLINE 0 0 12 2\n", 412, {"If": f"({token})"})
    me.send("UNLOCK", "/plan/og1.dxf", 204, {"Lock-Token": token})


@case(
    "e016",
    "sol-india-time-with-gmt-behind-it",
    "timezone-error",
    "lost-update",
    alone="timezone-error",
    description=(
        "A shift program guards its saves on WsgiDAV with Last-Modified turned into India's time but still called "
        "GMT, five hours and a half late; another supervisor's entry, seen in the list's newer date, is overwritten."
    ),
)
def shifts(stage: Stage) -> None:
    """Guard with a date of another zone."""
    days = {f"shifts/2026-11-{d}.csv": "early,Asha\nlate,Ravi\n" for d in (28, 29, 30)}
    server = place.wsgidav(stage, days, 9100.0)
    me = stage.actor(
        "client", server, "shifts.mill.test", "node:axios", {"User-Agent": "ShiftPad/1.9 (Pune)"}
    )
    other = stage.actor(
        "other", server, "shifts.mill.test", "requests", {"User-Agent": "ShiftPad/1.9 (Nashik)"}
    )

    def zoned(text: str) -> dict[str, str]:
        late = place.date(text) + dt.timedelta(hours=5, minutes=30)
        return {"Content-Type": "text/csv", "If-Unmodified-Since": place.http_date(late)}

    place.listing(me, "/shifts/")
    seen = me.get("/shifts/2026-11-29.csv")
    first = me.get("/shifts/2026-11-28.csv")
    me.put("/shifts/2026-11-28.csv", first.text + "night,Meena\n", 204, zoned(first.fields["last-modified"]))
    theirs = other.get("/shifts/2026-11-29.csv")
    fields = {"Content-Type": "text/csv", "If-Match": theirs.etag}
    other.put("/shifts/2026-11-29.csv", theirs.text + "night,Kiran\n", 204, fields)
    place.wait(1.3)
    place.listing(me, "/shifts/")
    fields = zoned(seen.fields["last-modified"])
    me.put("/shifts/2026-11-29.csv", "early,Leela\nlate,Ravi\n", 204, fields)
    place.sure("Kiran" not in me.get("/shifts/2026-11-29.csv").text)
    me.get("/shifts/2026-11-30.csv")


@case(
    "e022",
    "sol-zone-files-are-signed-afterwards",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "Zone files on lighttpd's WebDAV: moments after each upload the server's signer raises the serial and adds "
        "its line. The uploader's next PUT with the tag read after its own upload is refused, for two zones alike."
    ),
)
def zones(stage: Stage) -> None:
    """Be overtaken by the signer."""
    files = {
        f"zones/{z}.zone": f"$ORIGIN {z}.\n@ SOA 2026112801\nwww A 192.0.2.1\n"
        for z in ("ahorn", "birke", "eibe")
    }
    server = place.dav(stage, "lighttpd", files, 'mimetype.assign += (".zone" => "text/dns")')
    me = stage.actor("client", server, "dns.hoster.test", "aiohttp", {"User-Agent": "zonepush/0.6"})
    place.listing(me, "/zones/")
    for zone in ("ahorn", "birke"):
        path = f"/zones/{zone}.zone"
        seen = me.get(path)
        text = seen.text + "mail A 192.0.2.7\n"
        me.put(path, text, (200, 204), {"Content-Type": "text/dns", "If-Match": seen.etag})
        mine = me.get(path)
        place.wait(1.4)
        signed = (
            text.replace("2026112801", "2026112802") + "; serial and signatures by zone-signer (automatic)\n"
        )
        fronts.put_file(server.directory, path[1:], signed)
        place.wait(0.8)
        me.put(path, mine.text + "mx MX 10 mail\n", 412, {"Content-Type": "text/dns", "If-Match": mine.etag})
        now = me.get(path)
        place.sure("mail A" in now.text and "zone-signer" in now.text)
    me.get("/zones/eibe.zone")


@case(
    "e024",
    "sol-calibration-saved-too-soon",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A calibration script writes a table on Apache's DAV, lists its tag at once and writes the next column with "
        "it: 412, twice in that second, with the weak tag. A good second later the listed tag is strong and passes."
    ),
)
def calibration(stage: Stage) -> None:
    """Write again within Apache's second."""
    files = {f"cal/probe{n}.csv": "temp,offset\n20,0.1\n" for n in (1, 2, 3)}
    server = place.dav(stage, "apache2", files)
    me = stage.actor("client", server, "messraum.labor.test", "requests", {"User-Agent": "kalib.py"})
    me.get("/cal/probe1.csv")
    seen = me.get("/cal/probe2.csv")
    place.edge()
    table = "temp,offset\n20,0.1\n30,0.4\n"
    me.put("/cal/probe2.csv", table, 204, {"Content-Type": "text/csv", "If-Match": seen.etag})
    for _ in range(2):
        tag = place.listing(me, "/cal/probe2.csv", "0")["/cal/probe2.csv"]
        place.sure(tag.startswith("W/"), tag)
        me.put("/cal/probe2.csv", table + "40,0.9\n", 412, {"Content-Type": "text/csv", "If-Match": tag})
        place.wait(0.15)
    place.wait(1.5)
    later = place.listing(me, "/cal/probe2.csv", "0")["/cal/probe2.csv"]
    place.sure(f"W/{later}" == tag, later)
    me.put("/cal/probe2.csv", table + "40,0.9\n", 204, {"Content-Type": "text/csv", "If-Match": later})
    me.get("/cal/probe3.csv")


@case(
    "e033",
    "sol-nginx-takes-any-put",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "nginx's own dav_methods PUT never looks at If-Match: a packing clerk, whose poll has shown a newer list, "
        "saves with the tag of the older one and gets 204; the colleague's line is gone from then on."
    ),
)
def packing(stage: Stage) -> None:
    """Save with an outdated tag."""
    lists = {f"pack/{n}.txt": f"Order {n}\n2 x lamp\n" for n in (8801, 8802, 8803)}
    server = place.dav(stage, "nginx", lists)
    me = stage.actor("client", server, "pack.depot.test", "node:fetch", {"User-Agent": "PackBoard/7"})
    other = stage.actor("other", server, "pack.depot.test", "curl", {"User-Agent": "PackBoard/7 (gate 2)"})
    place.polls(me, "/pack/8801.txt", "/pack/8803.txt")
    place.rewrite(me, "/pack/8803.txt", "packed by Ole\n")
    seen = me.get("/pack/8802.txt")
    theirs = other.get("/pack/8802.txt")
    other.put("/pack/8802.txt", theirs.text + "1 x shade\n", 204, {**_TEXT, "If-Match": theirs.etag})
    place.wait(1.2)
    now = me.get("/pack/8802.txt", 200, {"If-None-Match": seen.etag})
    place.sure("shade" in now.text)
    place.wait(0.4)
    me.put("/pack/8802.txt", seen.text + "packed by Ole\n", 204, {**_TEXT, "If-Match": seen.etag})
    after = me.get("/pack/8802.txt")
    place.sure("shade" not in after.text and after.etag != now.etag)
    me.get("/pack/8803.txt")


@case(
    "e035",
    "sol-french-month-in-the-guard",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "A PHP-like tool formats its guard with the server's French locale ('sam., 28 nov. 2026 ...'). Apache's DAV "
        "cannot read such an If-Unmodified-Since and ignores it: a save over a newer version, seen in the list, is 204."
    ),
)
def french(stage: Stage) -> None:
    """Guard with a date in French."""
    files = {f"menus/{j}.txt": f"{j}: soupe, gratin\n" for j in ("lundi", "mardi", "jeudi")}
    server = place.dav(stage, "apache2", files)
    me = stage.actor("client", server, "cantine.ecole.test", "urllib", {"User-Agent": "menus-sync 0.3"})
    other = stage.actor("other", server, "cantine.ecole.test", "httpx", {"User-Agent": "intendance"})
    place.listing(me, "/menus/")
    seen = me.get("/menus/mardi.txt")
    place.polls(me, "/menus/jeudi.txt", "/menus/lundi.txt", times=1)
    theirs = other.get("/menus/mardi.txt")
    fields = {**_TEXT, "If-Match": theirs.etag}
    other.put("/menus/mardi.txt", "mardi: soupe, gratin, SANS arachides\n", 204, fields)
    place.wait(2.1)
    place.listing(me, "/menus/")
    moment = place.date(seen.fields["last-modified"])
    day = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")[moment.weekday()]
    month = ("janv.", "mars", "nov.", "oct.")[2 if moment.month == 11 else 3]
    stamp = f"{day}, {moment:%d} {month} {moment:%Y %H:%M:%S} GMT"
    me.put("/menus/mardi.txt", "mardi: soupe, quiche\n", 204, {**_TEXT, "If-Unmodified-Since": stamp})
    place.sure("arachides" not in me.get("/menus/mardi.txt").text)
    place.listing(me, "/menus/")
