"""Origins whose tags are unstable, weak, made twice, of another representation, or weak for a second."""

from __future__ import annotations

import re
import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import nord_setting as scene

_HTML = {"Content-Type": "text/html; charset=utf-8"}
_XML, _JSON = {"Content-Type": "application/xml"}, {"Accept": "application/json"}
_WHICH = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/><getlastmodified/></prop></propfind>'
_DAV = {"Depth": "0", "Content-Type": "application/xml"}


@case(
    "a620",
    "cms-stamps-render-time-into-pages",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description="A content management system hashes the page as rendered, with the moment of rendering in a comment: two reads in a row have two tags, and no save ever matches.",
)
def rendered(stage: Stage) -> None:
    """Save what was rendered."""
    server = scene.pages(stage, TAG="nonce")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "cms.example.test", "node:fetch", {"User-Agent": "page-editor/3.4"})
    me.get("/cms/pages/opening-hours")
    page = me.get("/cms/pages/jobs")
    text = "<h1>Jobs</h1>\n<ul><li>Driver</li></ul>\n"
    me.put("/cms/pages/jobs", text, 412, {**_HTML, "If-Match": page.etag})
    first, second = me.get("/cms/pages/jobs"), me.get("/cms/pages/jobs")
    if first.etag == second.etag:
        raise StoryError("the tag holds still")
    me.put("/cms/pages/jobs", text, 412, {**_HTML, "If-Match": second.etag})
    me.send("HEAD", "/cms/pages/jobs", 200)
    me.get("/cms/pages/jobs", 200, {"If-None-Match": second.etag})


@case(
    "a621",
    "warehouse-draws-tags-at-random",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description="A warehouse draws a new random tag for every answer: same content, same Last-Modified, another tag; polling never gets a 304 and a guarded count is always refused.",
)
def drawn(stage: Stage) -> None:
    """Poll and count with random tags."""
    server = scene.warehouse(stage, TAG="fresh")
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, "wms.example.test", "urllib", {"X-Operator": "board"})
    tag = me.get(scene.WASHER).etag
    for _ in range(3):
        tag = me.get(scene.WASHER, 200, {"If-None-Match": tag}).etag
        time.sleep(0.25)
    read = me.get(scene.WASHER)
    me.put(scene.WASHER, scene.counted(read, reserved=400), 412, {"If-Match": read.etag})
    read = me.get(scene.WASHER)
    me.put(scene.WASHER, scene.counted(read, reserved=400), 412, {"If-Match": read.etag})
    me.get(scene.FILM)


@case(
    "a622",
    "warehouse-write-answers-name-other-tags",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description="The answers to writes carry a tag made of article and time, reads one made of the version, and If-Match is compared with the latter: the second count of a chain is refused.",
)
def drifting(stage: Stage) -> None:
    """Chain two counts."""
    server = scene.warehouse(stage, DRIFT="1")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "wms.example.test", "node:axios", {"X-Operator": "cycle-count"})
    read = me.get(scene.JACK)
    saved = me.put(scene.JACK, scene.counted(read, onHand=5), 200, {"If-Match": read.etag})
    me.put(scene.JACK, scene.counted(saved, reserved=0), 412, {"If-Match": saved.etag})
    again = me.get(scene.JACK)
    saved = me.put(scene.JACK, scene.counted(again, reserved=0), 200, {"If-Match": again.etag})
    me.get(scene.BOLT)
    me.send("DELETE", scene.JACK, 412, {"If-Match": saved.etag})
    me.get(scene.JACK)


@case(
    "a623",
    "nginx-reads-apache-writes-one-folder",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description="Reads of a folder go to nginx, writes to Apache's mod_dav; both make tags of time and size, but in another shape, so a tag from GET is never the one PUT compares with.",
)
def two_makers(stage: Stage) -> None:
    """Read here, write there."""
    files = {
        "forms/leave.html": "<form><!-- leave --></form>\n",
        "forms/travel.html": "<form><!-- travel --></form>\n",
    }
    writes = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    reads = fronts.site(stage, "nginx", {}, f"location /forms/ {{ root {writes.directory}; }}")
    front = fronts.split(stage, writes, reads)
    me = stage.actor("client", front, "hr.example.test", "httpx", {"User-Agent": "forms-admin/2.0"})
    me.get("/forms/travel.html")
    tag = me.get("/forms/leave.html").etag
    text = "<form><!-- leave, 2027 --></form>\n"
    me.put("/forms/leave.html", text, 412, {**_HTML, "If-Match": tag})
    again = me.get("/forms/leave.html").etag
    if again != tag:
        raise StoryError("the file has changed")
    told = me.send("PROPFIND", "/forms/leave.html", 207, _DAV, _WHICH).text
    shown = re.search(r"getetag>([^<]+)<", told)
    if shown is None:
        raise StoryError("no getetag")
    me.put("/forms/leave.html", text, 204, {**_HTML, "If-Match": shown.group(1)})


@case(
    "a624",
    "tomcat-contract-file-weak-only",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description="Tomcat's default servlet behind HAProxy serves weak tags only, compressed or not, and compares If-Match strongly: a contract cannot be replaced under a tag, only under its date.",
)
def servlet(stage: Stage) -> None:
    """Replace a contract on Tomcat."""
    server = stage.server("tomcat")
    root = server.directory / "webapps" / "ROOT"
    (root / "contract-1182.xml").write_text('<contract no="1182"><rent>9400</rent></contract>\n')
    (root / "terms.txt").write_text("Notice: three months.\n")
    time.sleep(1.2)
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "rentals.example.test", "java", {"User-Agent": "RentalSuite/11 Java"})
    me.get("/terms.txt")
    read = me.get("/contract-1182.xml", 200, {"Accept": "application/xml"})
    text = '<contract no="1182"><rent>9650</rent></contract>\n'
    me.put("/contract-1182.xml", text, 412, {**_XML, "If-Match": read.etag})
    read = me.get("/contract-1182.xml", 200, {"Accept-Encoding": "identity", "Cache-Control": "no-cache"})
    me.put("/contract-1182.xml", text, 412, {**_XML, "If-Match": read.etag})
    me.get("/contract-1182.xml", 304, {"If-None-Match": read.etag})
    me.put("/contract-1182.xml", text, 204, {**_XML, "If-Unmodified-Since": read.fields["last-modified"]})


@case(
    "a625",
    "cms-express-style-weak-tags",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description="A content management system emits weak tags of length and hash and compares If-Match by the book; no proxy is to blame, the tag is weak without compression too.",
)
def express_style(stage: Stage) -> None:
    """Save under a weak tag."""
    server = scene.pages(stage, TAG="weak")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "cms.example.test", "node:axios", {"Accept": "text/html"})
    page = me.get("/cms/pages/jobs", 200, {"Cookie": "cms_sid=s%3A7dK2; theme=dark"})
    me.get("/cms/pages/jobs", 304, {"If-None-Match": page.etag})
    me.put("/cms/pages/jobs", "<h1>Jobs</h1>\n", 412, {**_HTML, "If-Match": page.etag})
    page = me.get("/cms/pages/jobs", 200, {"Accept-Encoding": "identity"})
    if not page.etag.startswith("W/"):
        raise StoryError("the tag is strong")
    me.put("/cms/pages/jobs", "<h1>Jobs</h1>\n", 412, {**_HTML, "If-Match": page.etag})
    me.get("/cms/pages/about/")
    me.send("DELETE", "/cms/pages/about/", 412, {"If-Match": me.get("/cms/pages/about/").etag})


@case(
    "a626",
    "invoice-read-as-json-written-as-xml",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description="An invoice has one tag as JSON and another as XML; the accounting program reads JSON, sends XML with the JSON's tag and is refused, until it reads XML.",
)
def negotiated(stage: Stage) -> None:
    """Read one, write the other."""
    server = scene.invoices(stage)
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "ledger.example.test", "requests", {"From": "erp@example.test"})
    path = "/ledger/2026/invoices/90117"
    me.get("/ledger/2026/invoices/90118", 200, _JSON)
    read = me.get(path, 200, _JSON)
    body = scene.invoice_xml("90117", "1344.00")
    me.put(path, body, 412, {**_XML, "If-Match": read.etag})
    again = me.get(path, 200, _JSON)
    me.put(path, body, 412, {**_XML, "If-Match": again.etag})
    xml = me.get(path, 200, {"Accept": "application/xml"})
    if read.etag != again.etag or xml.etag == read.etag:
        raise StoryError("not two representations of one state")
    me.put(path, body, 200, {**_XML, "If-Match": xml.etag})


@case(
    "a627",
    "booking-tag-of-the-summary-view",
    "representation-mismatch",
    "412",
    alone="representation-mismatch wrong-token-source",
    description="A calendar reads reservations with view=summary, whose tag differs from the full view's, and cancels with it; the cancellation goes through with the tag of the full view.",
)
def summary(stage: Stage) -> None:
    """Cancel from the calendar."""
    server = scene.bookings(stage)
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "desk.example.test", "aiohttp", {"X-Clerk": "calendar-widget"})
    for ref in ("BK-2041", "BK-2044", "BK-2050"):
        short = me.get(f"/api/bookings/{ref}?view=summary&tz=Europe%2FOslo")
    me.get("/api/bookings/BK-2050?view=summary&tz=Europe%2FOslo", 304, {"If-None-Match": short.etag})
    me.send("DELETE", "/api/bookings/BK-2050", 412, {"If-Match": short.etag})
    full = me.get("/api/bookings/BK-2050")
    again = me.get("/api/bookings/BK-2050?view=summary&tz=Europe%2FOslo")
    if again.etag != short.etag or full.etag == short.etag:
        raise StoryError("not two views of one state")
    me.send("DELETE", "/api/bookings/BK-2050", 204, {"If-Match": full.etag})
    me.get("/api/bookings/BK-2050?view=summary&tz=Europe%2FOslo", 404)


@case(
    "a628",
    "apache-dav-save-right-after-save",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description="A minute-taker saves to mod_dav and at once again: Apache's tag of the file is weak for about a second, so the guarded second save is refused and passes later.",
)
def at_once(stage: Stage) -> None:
    """Save twice within a second."""
    site = fronts.site(stage, "apache2", {"minutes/template.txt": "Date:\nPresent:\n"}, fronts.DAV["apache2"])
    me = stage.actor("client", site, "files.example.test", "curl")
    me.get("/minutes/template.txt")
    me.put("/minutes/2026-11-26.txt", "Date: 26 Nov\nPresent: IH, TO\n", 201)
    read = me.get("/minutes/2026-11-26.txt")
    me.put("/minutes/2026-11-26.txt", f"{read.text}1. Budget\n", 412, {"If-Match": read.etag})
    time.sleep(1.8)
    read = me.get("/minutes/2026-11-26.txt")
    me.put("/minutes/2026-11-26.txt", f"{read.text}1. Budget\n", 204, {"If-Match": read.etag})


@case(
    "a629",
    "price-upload-verified-too-soon",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description="A nightly job uploads price lists through nginx to mod_dav, reads each tag and signs off with a guarded MOVE: the fresh files' tags are weak and the moves fail, after a pause they pass.",
)
def signed_off(stage: Stage) -> None:
    """Upload, look, move."""
    files = {"inbox/readme.txt": "drop lists here\n", "live/readme.txt": "served to tills\n"}
    site = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    front = fronts.nginx(stage, site, "client_max_body_size 4m;")
    me = stage.actor("client", front, "prices.example.test", "requests", {"User-Agent": "price-push/0.9"})
    names = ("no", "se")
    for name in names:
        me.put(f"/inbox/{name}.csv", f"sku;price;{name}\nA-114;1.20\n", 201)
    for name in names:
        tag = me.send("HEAD", f"/inbox/{name}.csv", 200).etag
        guard = {"Destination": f"http://prices.example.test/live/{name}.csv", "If-Match": tag}
        me.send("MOVE", f"/inbox/{name}.csv", 412, guard)
    time.sleep(2.2)
    for name in names:
        tag = me.send("HEAD", f"/inbox/{name}.csv", 200).etag
        guard = {"Destination": f"http://prices.example.test/live/{name}.csv", "If-Match": tag}
        me.send("MOVE", f"/inbox/{name}.csv", 201, guard)
    me.get("/live/readme.txt")
