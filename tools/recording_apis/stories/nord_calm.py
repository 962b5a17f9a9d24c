"""Days on which nothing is wrong: back offices, files and pages used as they are meant to be."""

from __future__ import annotations

import hashlib
import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import nord_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_IDENTITY = {"Accept-Encoding": "identity"}
_90117, _90118 = "/ledger/2026/invoices/90117", "/ledger/2026/invoices/90118"


@case(
    "a680",
    "visitors-browse-behind-varnish-healthy",
    "none",
    "healthy",
    alone="none",
    description="Two visitors browse a site behind Varnish: hits with an Age, 304s to their own copies, a page that is not there, and an editor's change that shows when the copy has run out.",
)
def visitors(stage: Stage) -> None:
    """Browse."""
    server = scene.pages(stage, CACHE="public, max-age=2")
    rule = "sub vcl_backend_response { set beresp.grace = 0s; }"
    front = fronts.varnish(stage, server, rule)
    me = stage.actor("client", front, "www.example.test", "httpx", {"Accept": "text/html"})
    other = stage.actor("other", front, "www.example.test", "curl")
    editor = stage.actor("other2", server, "cms.example.test", "requests")
    tags = {path: me.get(path).etag for path in list(scene.PAGES)[1:]}
    for path, tag in tags.items():
        me.get(path, 304, {"If-None-Match": tag})
        other.get(path)
    me.get("/cms/pages/contact", 404)
    held = editor.get("/cms/pages/jobs")
    editor.put("/cms/pages/jobs", held.text.replace("Clerk", "Cook"), 204, {**_HTML, "If-Match": held.etag})
    time.sleep(2.3)
    me.get("/cms/pages/jobs", 200, {"If-None-Match": tags["/cms/pages/jobs"]})
    other.get("/cms/pages/jobs")
    me.get("/cms/pages/about/", 304, {"If-None-Match": tags["/cms/pages/about/"]})


@case(
    "a681",
    "warehouse-shift-healthy",
    "none",
    "healthy",
    alone="none",
    description="A shift at the warehouse: sign-on, pages of stock, counts chained by the tags of the answers, a new article, one taken off the books, and reads with 304 in between.",
)
def shift(stage: Stage) -> None:
    """Work a shift."""
    server = scene.warehouse(stage)
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "wms.example.test", "requests")
    scene.sign_on(me, "hilde")
    tags: dict[str, str] = {}
    for path in (scene.BOLT, scene.WASHER, scene.JACK):
        read = me.get(path)
        tags[path] = me.put(path, scene.counted(read, countedAt="06:14"), 200, {"If-Match": read.etag}).etag
    for hour in ("07:30", "09:05", "11:40"):
        read = me.get(scene.BOLT)
        change = scene.counted(read, countedAt=hour, onHand=read.json["onHand"] - 40)
        tags[scene.BOLT] = me.put(scene.BOLT, change, 200, {"If-Match": tags[scene.BOLT]}).etag
    me.get(scene.BOLT, 304, {"If-None-Match": tags[scene.BOLT]})
    made = {"name": "Edge guard", "bin": "09-F-03", "onHand": 400, "reserved": 0, "unit": "pcs"}
    new = "/wms/v2/sites/oslo/stock/C-331"
    me.get(new, 404)
    tag = me.put(new, made, 201, {"If-None-Match": "*"}).etag
    me.send("PATCH", new, 200, {"If-Match": tag}, {"reserved": 25})
    me.send("DELETE", scene.FILM, 204, {"If-Match": me.get(scene.FILM).etag})
    me.get("/wms/v2/sites/oslo/stock?offset=0&limit=20&sort=bin")


@case(
    "a682",
    "agent-polls-tickets-behind-gzip-healthy",
    "none",
    "healthy",
    alone="none",
    description="A help desk page polls its list behind nginx's gzip with the weak tags it was given: 304 while nothing happens, 200 after a script's change, 304 again.",
)
def polls(stage: Stage) -> None:
    """Poll behind gzip."""
    server = scene.tickets(stage, TAGS="1")
    front = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", front, "help.example.test", "requests")
    script = stage.actor("other", front, "help.example.test", "urllib", {"User-Agent": "mailgate/2"})
    me.send("POST", "/helpdesk/login", 302, _FORM, "agent=mia&password=x")
    query = "/helpdesk/tickets/?state=open&per_page=50&page=1"
    tag = me.get(query).etag
    for _ in range(4):
        me.get(query, 304, {"If-None-Match": tag})
        time.sleep(0.2)
    seen = script.get("/helpdesk/tickets/4720.json")
    script.put("/helpdesk/tickets/4720.json", {"state": "solved"}, 200, {"If-Match": seen.etag})
    tag = me.get(query, 200, {"If-None-Match": tag}).etag
    me.get("/helpdesk/tickets/4711.json")
    for _ in range(2):
        me.get(query, 304, {"If-None-Match": tag})
        time.sleep(0.2)


@case(
    "a683",
    "price-list-resumed-with-if-range-healthy",
    "none",
    "healthy",
    alone="none read-changed-mid-transfer",
    description="A shop's price list is fetched in parts under If-Range; it is replaced on the way, the answer is the whole new file as it should be, and the parts of that go on.",
)
def resumed(stage: Stage) -> None:
    """Resume a download."""
    rows = "".join(f"{number};article {number};{number}.00\n" for number in range(500))
    site = fronts.site(stage, "nginx", {"lists/prices.csv": rows, "lists/readme.txt": "daily at 4\n"})
    front = fronts.apache(stage, site)
    me = stage.actor("client", front, "shop.example.test", "node:fetch", {"Accept-Encoding": "identity"})
    me.get("/lists/readme.txt")
    tag = me.send("HEAD", "/lists/prices.csv", 200).etag
    for first in (0, 2000, 4000):
        me.get("/lists/prices.csv", 206, {"Range": f"bytes={first}-{first + 1999}", "If-Range": tag})
    fronts.put_file(site.directory, "lists/prices.csv", rows.replace(".00", ".90") + "end\n")
    tag = me.get("/lists/prices.csv", 200, {"Range": "bytes=6000-7999", "If-Range": tag}).etag
    me.get("/lists/prices.csv", 206, {"Range": "bytes=-400", "If-Range": tag})
    me.get("/lists/prices.csv", 304, {"If-None-Match": tag})


@case(
    "a684",
    "import-creates-what-is-missing-healthy",
    "none",
    "healthy",
    alone="none exists-already expected-control-flow",
    also="expected-control-flow",
    description="An import makes sure that reservations of an agency exist: 201 for the new ones, 412 for those that it had brought before, whose content it finds as wanted.",
)
def ensured(stage: Stage) -> None:
    """Ensure that things exist."""
    server = scene.bookings(stage)
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "desk.example.test", "aiohttp", {"X-Clerk": "agency-import"})
    wanted = {
        f"AG-{number}": {"room": room, "from": "2027-02-0" + str(number % 9 + 1), "guest": f"Agency {number}"}
        for number, room in ((501, "Aurora"), (502, "Fjord"), (503, "Birch"))
    }
    for ref in ("AG-501", "AG-503"):
        me.put(f"/api/bookings/{ref}", wanted[ref], 201, {"If-None-Match": "*"})
    stage.forget()
    time.sleep(0.5)
    for ref, content in wanted.items():
        known = ref != "AG-502"
        me.put(f"/api/bookings/{ref}", content, 412 if known else 201, {"If-None-Match": "*"})
        if me.get(f"/api/bookings/{ref}").json["data"] != content:
            raise StoryError(f"{ref} is another")
    me.get("/api/bookings?q=Agency&sort=from&page%5Bsize%5D=100")


@case(
    "a685",
    "two-clerks-two-reservations-healthy",
    "none",
    "healthy",
    alone="none",
    description="Two clerks edit two reservations at the same time, each with the tag of his own, and look at the other's in between.",
)
def two_clerks(stage: Stage) -> None:
    """Edit side by side."""
    server = scene.bookings(stage)
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "desk.example.test", "node:axios", {"X-Clerk": "ada"})
    other = stage.actor("other", front, "desk.example.test", "httpx", {"X-Clerk": "jon"})
    mine, yours = me.get("/api/bookings/BK-2041"), other.get("/api/bookings/BK-2044")
    for persons in (2, 3, 4):
        mine = me.put(
            "/api/bookings/BK-2041", scene.booked(mine, persons=persons), 200, {"If-Match": mine.etag}
        )
        yours = other.put(
            "/api/bookings/BK-2044", scene.booked(yours, persons=persons), 200, {"If-Match": yours.etag}
        )
        me.get("/api/bookings/BK-2044")
        other.get("/api/bookings?q=Aurora")
        time.sleep(0.2)
    me.get("/api/bookings/BK-2041", 304, {"If-None-Match": mine.etag})


@case(
    "a686",
    "busy-ledger-waited-for-healthy",
    "none",
    "healthy",
    alone="none",
    description="nginx limits the rate of writes with 503; the billing run waits as told and sends the same guarded write again, which nobody had seen, and all of them go through.",
)
def waited(stage: Stage) -> None:
    """Wait when told to."""
    server = scene.invoices(stage)
    limit = "limit_req_zone $http_from zone=writes:1m rate=1r/s; limit_req_status 503;"
    front = fronts.nginx(stage, server, "limit_req zone=writes;", limit)
    me = stage.actor("client", front, "ledger.example.test", "urllib", {"From": "billing-run@example.test"})
    read = me.get(_90117)
    change, tag = {**read.json, "Reminder": "0"}, read.etag
    for step in ("1", "2"):
        change["Reminder"] = step
        me.put(_90117, change, 503, {"If-Match": tag})
        time.sleep(1.3)
        tag = me.put(_90117, change, 200, {"If-Match": tag}).etag
    me.get(_90117, 503)
    time.sleep(1.3)
    me.get(_90117, 304, {"If-None-Match": tag})


@case(
    "a687",
    "sign-in-and-old-addresses-healthy",
    "none",
    "healthy",
    alone="none",
    description="A sign-in led on with 302, an old address of reads with 301, one of writes with 308 that keeps method, content and guard: every redirect arrives whole.",
)
def led_on(stage: Stage) -> None:
    """Follow redirects that are right."""
    server = scene.tickets(stage, TAGS="1")
    rule = (
        "absolute_redirect off;\nlocation /support/ { if ($request_method != GET) "
        "{ rewrite ^/support/(.*)$ /helpdesk/$1; return 308 $uri; }\n"
        "rewrite ^/support/(.*)$ /helpdesk/$1 permanent; }"
    )
    front = fronts.nginx(stage, server, block=rule)
    me = stage.actor("client", front, "help.example.test", "requests:follow")
    me.send("POST", "/helpdesk/login", 200, _FORM, "agent=bo&password=x")
    read = me.get("/support/tickets/4711.json")
    tag = me.put("/support/tickets/4711.json", {"assignee": "bo"}, 200, {"If-Match": read.etag}).etag
    now = me.get("/helpdesk/tickets/4711.json")
    if now.etag != tag or now.json["ticket"]["assignee"] != "bo":
        raise StoryError("the write was lost on the way")
    me.put("/helpdesk/tickets/4711.json", {"state": "solved"}, 200, {"If-Match": tag})
    me.get("/support/contacts")


def _getetag(actor: Actor, path: str) -> str:
    told = actor.send("PROPFIND", path, 207, {"Depth": "0", "Content-Type": "application/xml"}).text
    found = re.search(r"getetag>([^<]+)<", told)
    if found is None:
        raise StoryError("no getetag")
    return found.group(1)


@case(
    "a688",
    "folder-sync-with-mod-dav-healthy",
    "none",
    "healthy",
    alone="none",
    description="A sync client works on a folder of mod_dav: listing, creations under If-None-Match: *, a lock around an edit, a move and a removal, each with settled tags.",
)
def folder(stage: Stage) -> None:
    """Synchronise a folder."""
    files = {f"team/{name}.md": f"# {name}\n" for name in ("agenda", "risks", "plan")}
    site = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    front = fronts.haproxy(stage, [site])
    me = stage.actor("client", front, "files.example.test", "httpx", {"User-Agent": "folder-sync/6.1"})
    me.send("OPTIONS", "/team/", 200)
    me.send("PROPFIND", "/team/", 207, {"Depth": "1"})
    for name in ("agenda", "risks"):
        tag = me.get(f"/team/{name}.md").etag
        me.get(f"/team/{name}.md", 304, {"If-None-Match": tag})
    me.put("/team/retro.md", "# retro\n", 201, {"If-None-Match": "*"})
    body = '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope>'
    body += "<locktype><write/></locktype><owner>folder-sync</owner></lockinfo>"
    held = me.send("LOCK", "/team/plan.md", 200, {"Timeout": "Second-120", "Content-Type": "text/xml"}, body)
    token = held.fields["lock-token"]
    me.put("/team/plan.md", "# plan\n1. hire\n", 204, {"If": f"({token})"})
    me.send("UNLOCK", "/team/plan.md", 204, {"Lock-Token": token})
    time.sleep(2.1)
    tag = _getetag(me, "/team/plan.md")
    me.put("/team/plan.md", "# plan\n1. hire\n2. train\n", 204, {"If-Match": tag})
    me.send("MOVE", "/team/retro.md", 201, {"Destination": "http://files.example.test/team/retro-48.md"})
    me.send("DELETE", "/team/risks.md", 204, {"If-Match": _getetag(me, "/team/risks.md")})
    me.send("PROPFIND", "/team/", 207, {"Depth": "1"})


@case(
    "a689",
    "scans-uploaded-to-tomcat-healthy",
    "none",
    "healthy",
    alone="none",
    description="An archive program uploads scans to Tomcat, asking with HEAD first and skipping what is there with the same size, and reads some back with 304s.",
)
def scans(stage: Stage) -> None:
    """Upload what is missing."""
    server = stage.server("tomcat")
    root = server.directory / "webapps" / "ROOT"
    scan = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9
    (root / "scan-0001.png").write_bytes(scan)
    time.sleep(1.1)
    front = fronts.nginx(stage, server, "client_max_body_size 4m;")
    me = stage.actor("client", front, "archive.example.test", "requests", {"User-Agent": "scan-archive/3"})
    for number in range(1, 5):
        path, content = f"/scan-{number:04}.png", scan + bytes([number]) * (number - 1)
        there = me.send("HEAD", path, (200, 404))
        if there.status == 200 and int(there.fields["content-length"]) == len(content):
            continue
        digest = hashlib.sha256(content).hexdigest()
        me.put(
            path,
            content,
            201,
            {"Content-Type": "image/png", "If-None-Match": "*", "X-Content-SHA256": digest},
        )
    for number in (2, 4):
        read = me.get(f"/scan-{number:04}.png")
        me.get(f"/scan-{number:04}.png", 304, {"If-None-Match": read.etag})
        me.get(f"/scan-{number:04}.png", 304, {"If-Modified-Since": read.fields["last-modified"]})


@case(
    "a690",
    "ledger-chain-guarded-by-dates-healthy",
    "none",
    "healthy",
    alone="none",
    description="A ledger without tags: reads with If-Modified-Since, and a chain of saves a second apart, each under the date that the answer before it has served.",
)
def dates(stage: Stage) -> None:
    """Guard by dates."""
    server = scene.invoices(stage, DATES_ONLY="1")
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, "ledger.example.test", "java", {"From": "faktura@example.test"})
    read = me.get(_90118)
    me.get(_90118, 304, {"If-Modified-Since": read.fields["last-modified"]})
    since = read.fields["last-modified"]
    for note in ("sent", "reminded", "paid"):
        saved = me.put(_90118, {**read.json, "Note": note}, 200, {"If-Unmodified-Since": since})
        if parsedate_to_datetime(saved.fields["last-modified"]) < parsedate_to_datetime(since):
            raise StoryError("the date went back")
        since = saved.fields["last-modified"]
        time.sleep(1.2)
    me.get(_90118, 304, {"If-Modified-Since": since})
    me.get(_90117)


@case(
    "a691",
    "stock-export-page-by-page-healthy",
    "none",
    "healthy",
    alone="none",
    description="A buyer's program fetches the stock of a site page by page, opens some articles, and reports none of it changed: long queries, no writes but a sign-on.",
)
def page_by_page(stage: Stage) -> None:
    """Turn pages."""
    server = scene.warehouse(stage)
    front = fronts.apache(stage, server, "AddOutputFilterByType DEFLATE application/json")
    me = stage.actor("client", front, "wms.example.test", "aiohttp")
    me.send("POST", "/wms/session", 204, _FORM, "operator=buyer&pin=0000")
    extra = "sort=bin&fields=article,name,bin,onHand,reserved&filter%5BonHand%5D%5Bgte%5D=1&locale=nb-NO"
    for offset in range(0, 4, 1):
        me.get(f"/wms/v2/sites/oslo/stock?offset={offset}&limit=1&{extra}")
    me.get("/wms/v2/sites/bergen/stock?offset=0&limit=20")
    for path in (scene.BOLT, scene.FILM, "/wms/v2/sites/oslo/stock/Z-999"):
        me.get(path, 404 if "Z-999" in path else 200)
    for path in (scene.BOLT, scene.FILM):
        tag = me.get(path, 200, _IDENTITY).etag
        me.get(path, 304, {**_IDENTITY, "If-None-Match": tag})


@case(
    "a692",
    "editor-reads-plain-before-saving-healthy",
    "none",
    "healthy",
    alone="none",
    description="A careful client behind nginx's gzip: lists compressed, but each invoice to be changed is read with identity and saved under its strong tag.",
)
def careful(stage: Stage) -> None:
    """Read without compression what is to be written."""
    server = scene.invoices(stage)
    front = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", front, "ledger.example.test", "httpx", {"From": "accounts@example.test"})
    xml = {"Accept": "application/xml", "Content-Type": "application/xml"}
    for path, amount in ((_90117, "1301.00"), (_90118, "99.90"), (_90117, "1302.50")):
        weak = me.get(path, 200, {"Accept": "application/xml"}).etag
        me.get(path, 304, {"Accept": "application/xml", "If-None-Match": weak})
        strong = me.get(path, 200, {"Accept": "application/xml", **_IDENTITY}).etag
        body = scene.invoice_xml(path.rsplit("/", 1)[-1], amount)
        me.put(path, body, 200, {**xml, **_IDENTITY, "If-Match": strong})
    me.get(_90118, 200, {"Accept": "application/json"})


@case(
    "a693",
    "branch-asks-squid-for-fresh-stock-healthy",
    "none",
    "healthy",
    alone="none",
    description="A branch looks at stock through Squid's copies and asks with no-cache for the article that it is going to count: old copies do no harm, and every count goes through.",
)
def fresh(stage: Stage) -> None:
    """Look at copies, write by the origin."""
    server = scene.warehouse(stage, CACHE="max-age=30")
    front = fronts.squid(stage, server, site="wms.example.test")
    me = stage.actor("client", front, "wms.example.test", "requests", {"X-Operator": "branch-7"})
    office = stage.actor("other", server, "wms.example.test", "curl", {"X-Operator": "head-office"})
    for path in (scene.BOLT, scene.WASHER, scene.BOLT, scene.WASHER):
        me.get(path)
    theirs = office.get(scene.BOLT)
    office.put(scene.BOLT, scene.counted(theirs, reserved=10), 200, {"If-Match": theirs.etag})
    me.get(scene.BOLT)
    for path in (scene.BOLT, scene.WASHER):
        read = me.get(path, 200, {"Cache-Control": "no-cache"})
        me.put(path, scene.counted(read, countedAt="16:20"), 200, {"If-Match": read.etag})
        me.get(path)


@case(
    "a694",
    "refused-reservation-rebased-healthy",
    "none",
    "recovered",
    alone="none other-writer",
    also="other-writer",
    description="A reservation is refused once, as a colleague was first; the client reads it again, puts its own member into what it finds, and saves: both changes are there.",
)
def rebased(stage: Stage) -> None:
    """Heal a conflict."""
    server = scene.bookings(stage)
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "desk.example.test", "node:fetch", {"X-Clerk": "ines"})
    other = stage.actor("other", front, "desk.example.test", "requests", {"X-Clerk": "jon"})
    me.get("/api/bookings?q=Birch")
    read, theirs = me.get("/api/bookings/BK-2050"), other.get("/api/bookings/BK-2050")
    other.put("/api/bookings/BK-2050", scene.booked(theirs, deposit="500.00"), 200, {"If-Match": theirs.etag})
    time.sleep(0.6)
    me.put("/api/bookings/BK-2050", scene.booked(read, persons=6), 412, {"If-Match": read.etag})
    fresh_one = me.get("/api/bookings/BK-2050")
    me.put("/api/bookings/BK-2050", scene.booked(fresh_one, persons=6), 200, {"If-Match": fresh_one.etag})
    content: dict[str, Any] = other.get("/api/bookings/BK-2050").json["data"]
    if (content["deposit"], content["persons"]) != ("500.00", 6):
        raise StoryError("one change is missing")


@case(
    "a695",
    "sole-author-publishes-healthy",
    "none",
    "healthy",
    alone="none",
    description="A publishing script, the only writer there is, stores its own new pages without conditions and reads them back; drafts are removed in the end.",
)
def sole(stage: Stage) -> None:
    """Publish alone."""
    server = scene.pages(stage)
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "cms.example.test", "curl", {"User-Agent": "publish.sh"})
    for day in range(24, 28):
        me.put(f"/cms/news/2026-11-{day}", f"<h1>News of {day} November</h1>\n", 201, _HTML)
        me.get(f"/cms/news/2026-11-{day}")
    me.put("/cms/drafts/advent", "<h1>Advent</h1>\n", 201, _HTML)
    me.send("HEAD", "/cms/drafts/advent", 200)
    me.send("DELETE", "/cms/drafts/advent", 204)
    me.get("/cms/drafts/advent", 404)
    me.get("/cms/pages/jobs")
