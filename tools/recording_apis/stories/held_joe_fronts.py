"""Stories on what stands before servers: HAProxy, nginx, Varnish, Caddy; encoders, stores, copies, rules."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_joe_setting as lab

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_APACHE = fronts.DAV["apache2"]
_LIGHT = fronts.DAV["lighttpd"]
_BYPASS = 'if (req.http.Cache-Control ~ "no-cache") { return (pass); }'


@case(
    "d802",
    "joe-balancer-packs-the-tide-tables",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "HAProxy compresses a harbour's tide tables and marks their tags weak: mod_webdav of lighttpd behind it refuses "
        "the guarded saves; a short JSON file that is not compressed is saved, and an identity read shows the strong tag."
    ),
)
def tide(stage: Stage) -> None:
    """Guard with what the balancer has made weak."""
    files = {f"tide/{n}.txt": f"{n}\n" + "03:12 1.4\n15:31 4.2\n" * 20 for n in ("brest", "roscoff")}
    site = fronts.site(stage, "lighttpd", {**files, "tide/now.json": '{"h":2}'}, _LIGHT)
    front = fronts.haproxy(stage, [site], " compression algo gzip\n compression type text/plain")
    me = stage.actor("client", front, "marees.port.example", "requests", {"User-Agent": "annuaire/6"})
    lab.walk(me, "/tide/")
    now = me.get("/tide/now.json")
    me.put("/tide/now.json", '{"h":3}', 204, {"If-Match": now.etag})
    for name in ("roscoff", "brest"):
        seen = me.get(f"/tide/{name}.txt")
        lab.sure(seen.etag.startswith("W/"), seen.etag)
        me.put(f"/tide/{name}.txt", seen.text + "16:02 4.3\n", 412, {"If-Match": seen.etag})
        lab.rest(0.5)
    bare = me.get("/tide/brest.txt", 200, {"Accept-Encoding": "identity"})
    lab.sure(bare.etag == seen.etag[2:], bare.etag)
    me.put("/tide/brest.txt", bare.text + "16:02 4.3\n", 204, {"If-Match": bare.etag})


@case(
    "d831",
    "joe-second-way-in-for-phones",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    description=(
        "nginx has a location of its own for phones, whose template empties If-Match: the same stale tag that the usual "
        "way refuses (412) is taken under /m/, 204, and a colleague's delivery slot is gone."
    ),
)
def phones(stage: Stage) -> None:
    """Write the stale tag through the other location."""
    files = {f"tour/{n}.txt": f"tour {n}\n08:00 depot\n" for n in (3, 4)} | lab.beside("tour/log", 2)
    site = fronts.site(stage, "apache2", files, _APACHE)
    block = (
        f'location /m/ {{ proxy_pass http://127.0.0.1:{stage.behind(site)}/; proxy_set_header If-Match ""; }}'
    )
    front = fronts.nginx(stage, site, "", "", block)
    me = stage.actor(
        "client", front, "touren.kurier.example", "node:fetch", {"User-Agent": "Fahrer/22 (Android)"}
    )
    other = stage.actor("other", front, "touren.kurier.example", "httpx", {"User-Agent": "Leitstand/3"})
    lab.mill(me, ["/tour/log/5.txt", "/m/tour/log/18.txt"], 4, 21)
    mine = me.get("/m/tour/3.txt")
    theirs = other.get("/tour/3.txt")
    other.put("/tour/3.txt", theirs.text + "11:30 Apotheke Nord\n", 204, {"If-Match": theirs.etag})
    lab.rest(1.4)
    me.get("/tour/4.txt")
    body = mine.text + "09:15 Metzgerei\n"
    me.put("/tour/3.txt", body, 412, {"If-Match": mine.etag})
    polled = me.get("/tour/3.txt")
    lab.sure("Apotheke" in polled.text and polled.etag != mine.etag)
    me.put("/m/tour/3.txt", body, 204, {"If-Match": mine.etag})
    lab.rest(1.2)
    lab.sure("Apotheke" not in me.get("/m/tour/3.txt").text)


@case(
    "d810",
    "joe-price-sheet-from-the-store",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description=(
        "Varnish stands before a WebDAV share and keeps what it has read for two minutes: after its own save the editor "
        "reads the old sheet (Age, X-Varnish with two numbers), and the next save with that tag is 412; no-cache helps."
    ),
)
def prices(stage: Stage) -> None:
    """Read from the store after a save."""
    files = {f"preise/{n}.txt": f"{n}\nA 10.00\nB 12.50\n" for n in ("holz", "stahl")}
    site = fronts.site(stage, "apache2", files, _APACHE)
    vcl = (
        'sub vcl_recv { if (req.method ~ "^(PUT|DELETE|PROPFIND|OPTIONS)$") { return (pass); } '
        + _BYPASS
        + " }"
    )
    front = fronts.varnish(stage, site, vcl)
    me = stage.actor("client", front, "preise.baustoff.example", "urllib", {"User-Agent": "Preispflege/4"})
    me.get("/preise/holz.txt")
    seen = me.get("/preise/stahl.txt")
    me.put("/preise/stahl.txt", seen.text.replace("10.00", "10.80"), 204, {"If-Match": seen.etag})
    lab.rest(1.6)
    for _ in range(2):
        again = me.get("/preise/stahl.txt")
        lab.sure(again.etag == seen.etag and int(again.fields["age"]) >= 1)
        me.put("/preise/stahl.txt", again.text.replace("12.50", "13.00"), 412, {"If-Match": again.etag})
        lab.rest(0.6)
    fresh = me.get("/preise/stahl.txt", 200, {"Cache-Control": "no-cache"})
    lab.sure("10.80" in fresh.text)
    me.put("/preise/stahl.txt", fresh.text.replace("12.50", "13.00"), 204, {"If-Match": fresh.etag})
    me.get("/preise/holz.txt")


@case(
    "d824",
    "joe-copy-of-the-share-comes-later",
    "replica-lag",
    "412",
    alone="replica-lag",
    description=(
        "Reads go to a copy of a lighttpd share that is synchronised about two seconds later: the tag that the save was "
        "answered with is followed by a read of the one before, whose use is 412; later the copy shows the save's tag."
    ),
)
def copy(stage: Stage) -> None:
    """Read from the copy that lags."""
    plain = f'{_LIGHT}\netag.use-inode = "disable"'
    files = {f"ablesung/{n}.txt": f"zaehler {n}\n" for n in ("wasser", "strom")}
    first = fronts.site(stage, "lighttpd", files, plain)
    second = fronts.site(stage, "lighttpd", {}, plain)

    def rsync() -> None:
        shutil.copytree(first.directory, second.directory, dirs_exist_ok=True)

    rsync()
    front = fronts.split(stage, first, second)
    me = stage.actor("client", front, "zaehler.stadtwerk.example", "aiohttp", {"User-Agent": "Ableser/2"})
    me.get("/ablesung/strom.txt")
    for day in (1, 2):
        seen = me.get("/ablesung/wasser.txt")
        done = me.put(
            "/ablesung/wasser.txt", seen.text + f"{day}.12. 8{day}1\n", 204, {"If-Match": seen.etag}
        )
        lab.rest(0.3)
        old = me.get("/ablesung/wasser.txt")
        lab.sure(old.etag == seen.etag != done.etag)
        me.put("/ablesung/wasser.txt", old.text + "geprüft\n", 412, {"If-Match": old.etag})
        lab.rest(1.4)
        rsync()
        now = me.get("/ablesung/wasser.txt")
        lab.sure(now.etag == done.etag, (now.etag, done.etag))
    me.put("/ablesung/wasser.txt", now.text + "geprüft\n", 204, {"If-Match": now.etag})


@case(
    "d835",
    "joe-firmware-from-two-mirrors",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Two Caddy nodes were given the same firmware a minute apart, so their tags differ; HAProxy takes turns: "
        "a device's If-None-Match hits only at one node, and its guarded ranges are 412 at the other. The octets are the same."
    ),
)
def mirrors(stage: Stage) -> None:
    """Be sent in turns to two nodes."""
    files = {"fw/cam-2.9.txt": "".join(f"{n:04} 7fa3c1d0\n" for n in range(200)), "fw/notes.txt": "2.9 ntp\n"}
    nodes = [fronts.site(stage, "caddy", files, "", age) for age in (7200.0, 7138.0)]
    front = fronts.haproxy(stage, nodes, " http-response set-header X-Served-By %s")
    me = stage.actor("client", front, "fw.kamera.example", "requests", {"User-Agent": "cam/2.8 (fetch)"})
    path = "/fw/cam-2.9.txt"
    one, two = me.get(path), me.get(path)
    lab.sure(one.body == two.body and one.etag != two.etag)
    me.get(path, 304, {"If-None-Match": one.etag})
    me.get(path, 200, {"If-None-Match": one.etag})
    me.get("/fw/notes.txt")
    size, got = len(one.body), b""
    for number, start in enumerate(range(0, size, size // 3 + 1)):
        ask = {"Range": f"bytes={start}-{min(start + size // 3, size - 1)}", "If-Match": one.etag}
        refused = me.get(path, 412, ask)
        part = me.get(path, 206, ask)
        lab.sure(refused.fields["x-served-by"] != part.fields["x-served-by"], number)
        got += part.body
        lab.rest(0.2)
    lab.sure(got == one.body)


@case(
    "d805",
    "joe-pages-with-a-footer",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    description=(
        "nginx puts a footer into pages by server side includes and drops their ETag and Last-Modified on the way; the "
        "origin wants If-Match for a save: a page, read without any validator, is 428; plain text, which passes as it is, is saved."
    ),
)
def footer(stage: Stage) -> None:
    """Have no tag for pages."""
    page = "<html><body><h1>{}</h1><!--#echo var='date_gmt' --></body></html>\n"
    files = {f"seiten/{n}.html": page.format(n) for n in ("kita", "hort")} | {
        "seiten/menue.txt": "mo Nudeln\n"
    }
    need = "<If \"%{REQUEST_METHOD} == 'PUT' && -z %{HTTP:If-Match} && -z %{HTTP:If-None-Match}\">\nRedirect 428 /\n</If>"
    site = fronts.site(stage, "apache2", files, f"{_APACHE}\n{need}")
    front = fronts.nginx(stage, site, "ssi on;")
    me = stage.actor("client", front, "seiten.traeger.example", "node:axios", {"User-Agent": "Redaktion/1"})
    plain = me.get("/seiten/menue.txt")
    me.put("/seiten/menue.txt", "mo Nudeln\ndi Reis\n", 204, {"If-Match": plain.etag})
    for name in ("kita", "hort"):
        seen = me.get(f"/seiten/{name}.html")
        lab.sure("etag" not in seen.fields and "last-modified" not in seen.fields, seen.fields)
        me.put(f"/seiten/{name}.html", seen.text.replace("<h1>", "<h1>Neu: "), 428)
        lab.rest(0.4)
        lab.sure("etag" not in me.send("HEAD", f"/seiten/{name}.html", 200).fields)
    me.get("/seiten/menue.txt")


@case(
    "d821",
    "joe-second-half-from-the-store",
    "cache-misevaluates",
    "mixed-content",
    alone="cache-misevaluates",
    also="read-changed-mid-transfer",
    description=(
        "A download goes on with If-Match after the file was replaced: Varnish answers the range from its store with 206 and "
        "another ETag, without a look at the condition; the same request with no-cache reaches the origin, which says 412."
    ),
)
def halves(stage: Stage) -> None:
    """Be given the second half of another file."""
    rows = "".join(f"{n:03};belegt;{n * 7}\n" for n in range(120))
    site = fronts.site(
        stage, "apache2", {"export/bestand.csv": rows, "export/liste.txt": "bestand.csv\n"}, _APACHE
    )
    vcl = (
        'sub vcl_recv { if (req.method ~ "^(PUT|PROPFIND)$") { return (pass); } ' + _BYPASS + " }\n"
        "sub vcl_backend_response { set beresp.ttl = 2s; set beresp.grace = 0s; }"
    )
    front = fronts.varnish(stage, site, vcl)
    me = stage.actor("client", front, "export.archiv.example", "requests", {"User-Agent": "holer/1.4"})
    other = stage.actor("other", front, "export.archiv.example", "curl", {"User-Agent": "nachtlauf/7"})
    me.get("/export/liste.txt")
    half = len(rows) // 2
    one = me.get("/export/bestand.csv", 206, {"Range": f"bytes=0-{half - 1}"})
    other.put("/export/bestand.csv", rows.replace("belegt", "frei  "), 204)
    lab.rest(2.6)
    other.get("/export/bestand.csv")
    lab.rest(1.2)
    ask = {"Range": f"bytes={half}-", "If-Match": one.etag}
    two = me.get("/export/bestand.csv", 206, ask)
    lab.sure(two.etag != one.etag and b"frei" in two.body and b"belegt" in one.body)
    lab.sure(int(two.fields["age"]) >= 1, two.fields)
    lab.rest(0.3)
    me.get("/export/bestand.csv", 412, {**ask, "Cache-Control": "no-cache"})
    me.get("/export/liste.txt")


@case(
    "d839",
    "joe-save-ends-as-a-read",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "Caddy sends the old paths of a share on with 302: a program on requests follows its own PUT as a GET, is content "
        "with 200, and what it had written is not there: the next day's read shows the old text under the same tag."
    ),
)
def follows(stage: Stage) -> None:
    """Follow a save with a read."""
    server = stage.server("wsgidav")
    for name in ("montag", "dienstag", "mittwoch"):
        fronts.put_file(server.directory, f"v2/schicht/{name}.txt", f"{name}: offen\n", 70000)
    front = fronts.caddy(stage, server, "redir /schicht/* /v2{uri} 302")
    me = stage.actor(
        "client", front, "schicht.klinik.example", "requests:follow", {"User-Agent": "Planer 7.0"}
    )
    for name in ("montag", "dienstag"):
        seen = me.get(f"/schicht/{name}.txt")
        got = me.put(f"/schicht/{name}.txt", f"{name}: Dr. Aydin\n", 200, {"If-Match": seen.etag})
        lab.sure(got.text == seen.text)
        lab.rest(0.7)
        lab.sure(me.get(f"/schicht/{name}.txt").etag == seen.etag)
    direct = me.get("/v2/schicht/mittwoch.txt")
    me.put("/v2/schicht/mittwoch.txt", "mittwoch: Dr. Aydin\n", 204, {"If-Match": direct.etag})
    me.get("/v2/schicht/mittwoch.txt")


@case(
    "d832",
    "joe-reads-served-straight-from-disk",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "nginx serves the reads of a WebDAV folder itself from disk and passes the rest to Apache: its tags are "
        "mtime-size, Apache's are size-mtime, as a PROPFIND shows: each guarded save is 412, though nothing changes."
    ),
)
def disk(stage: Stage) -> None:
    """Compare the tags of two servers for one file."""
    files = {f"kurse/{n}.json": f'{{"kurs":"{n}","plaetze":12}}' for n in ("yoga", "keramik", "ton")}
    site = fronts.site(stage, "apache2", files, _APACHE)
    lines = "error_page 418 = @disk; if ($request_method ~ ^(GET|HEAD)$) { return 418; }"
    front = fronts.nginx(stage, site, lines, "", f"location @disk {{ root {site.directory}; }}")
    me = stage.actor("client", front, "kurse.vhs.example", "httpx", {"Content-Type": "application/json"})
    me.get("/kurse/ton.json")
    for name in ("yoga", "keramik"):
        seen = me.get(f"/kurse/{name}.json")
        me.put(f"/kurse/{name}.json", seen.text.replace("12", "11"), 412, {"If-Match": seen.etag})
        lab.rest(0.8)
        lab.sure(me.get(f"/kurse/{name}.json", 304, {"If-None-Match": seen.etag}).status == 304)
        me.put(f"/kurse/{name}.json", seen.text.replace("12", "11"), 412, {"If-Match": seen.etag})
    listed = lab.walk(me, "/kurse/").text
    lab.sure(seen.etag.strip('"') not in listed, listed)
    tag = '"' + listed.split("keramik.json")[1].split("getetag>")[1].split('"')[1] + '"'
    me.put("/kurse/keramik.json", seen.text.replace("12", "11"), 204, {"If-Match": tag})
