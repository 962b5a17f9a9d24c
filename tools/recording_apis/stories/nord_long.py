"""Longer sessions in which little is wrong, and further shapes of faults that have a story elsewhere."""

from __future__ import annotations

import json
import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import nord_setting as scene

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_XML = {"Accept": "application/xml", "Content-Type": "application/xml"}
_SINCE = "If-Unmodified-Since"


@case(
    "a638",
    "only-the-long-invoices-fail",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description="nginx compresses from 300 octets on: a run over eight invoices saves the short ones under their strong tags and is refused for the long ones, whose tags arrive weak, at every attempt.",
)
def long_ones(stage: Stage) -> None:
    """Go through eight invoices."""
    lines = {f"Line{number}": f"Consulting, week {number}, 7.5 h at 1 150.00 NOK" for number in range(1, 9)}
    seed = {
        str(number): {"ID": str(number), "Buyer": f"Customer {number}", **(lines if number % 4 == 3 else {})}
        for number in range(91001, 91009)
    }
    server = stage.server("application", app="invoices_aiohttp", SEED=json.dumps(seed))
    gzip = "gzip on; gzip_types application/xml application/json; gzip_min_length 300; gzip_proxied any;"
    front = fronts.nginx(stage, server, gzip)
    me = stage.actor("client", front, "ledger.example.test", "requests", {"From": "dunning@example.test"})
    for number in seed:
        path = f"/ledger/2026/invoices/{number}"
        read = me.get(path, 200, {"Accept": "application/xml"})
        marked = read.text.replace("</Invoice>", "  <Reminder>1</Reminder>\n</Invoice>")
        is_long = read.etag.startswith("W/")
        me.put(path, marked, 412 if is_long else 200, {**_XML, "If-Match": read.etag})
        if is_long:
            time.sleep(0.3)
            again = me.get(path, 200, {"Accept": "application/xml"})
            me.put(path, marked, 412, {**_XML, "If-Match": again.etag})
    me.get("/ledger/2026/invoices/91003", 200, {"Accept": "application/xml", "Accept-Encoding": "identity"})


@case(
    "a671",
    "queue-of-three-agents",
    "other-writer",
    "412",
    alone="other-writer",
    description="Three agents work off a queue for a while; nearly every save goes through, two of the client's are refused since a colleague had saved that ticket after it was read, and it leaves them to them.",
)
def queue(stage: Stage) -> None:
    """Work off a queue."""
    server = scene.tickets(stage, TAGS="1")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "help.example.test", "httpx")
    first = stage.actor("other", front, "help.example.test", "requests")
    second = stage.actor(
        "other2", front, "help.example.test", "urllib", {"Cookie": "hd_session=9f; hd_agent=siv"}
    )
    me.send("POST", "/helpdesk/login", 302, _FORM, "agent=bo&password=x")
    first.send("POST", "/helpdesk/login", 302, _FORM, "agent=mia&password=x")
    query = "/helpdesk/tickets/?state=open&per_page=50&page=1"
    lost = {("4712", 1), ("4720", 2)}
    for turn in range(3):
        listing = me.get(query).etag
        for number in ("4711", "4712", "4713", "4720"):
            path = f"/helpdesk/tickets/{number}.json"
            tag = me.get(path).etag
            if (number, turn) in lost:
                colleague = first if turn == 1 else second
                theirs = colleague.get(path).etag
                colleague.put(path, {"assignee": "mia" if turn == 1 else "siv"}, 200, {"If-Match": theirs})
                time.sleep(0.4)
            note = {"tags": ["imported", f"seen-{turn}"]}
            me.put(path, note, 412 if (number, turn) in lost else 200, {"If-Match": tag})
            if (number, turn) in lost:
                me.get(path)
        me.get(query, 200, {"If-None-Match": listing})


@case(
    "a672",
    "gateway-timeout-hides-a-stored-count",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description="nginx gives up on a slow origin with 504, the origin stores the count all the same; the scanner repeats it with its count id and is refused by its own write.",
)
def hidden_by_504(stage: Stage) -> None:
    """Be told 504 and repeat."""
    server = scene.warehouse(stage, HOLD="2.0")
    front = fronts.nginx(stage, server, "proxy_read_timeout 1s;")
    always = {"X-Operator": "scanner-2", "User-Agent": "ScanApp/7.0 (Android 14)"}
    me = stage.actor("client", front, "wms.example.test", "node:axios", always)
    me.get(scene.BOLT)
    read = me.get(scene.FILM)
    change = scene.counted(read, onHand=66, countId="c-20261126-9005")
    me.put(scene.FILM, change, 504, {"If-Match": read.etag, "Idempotency-Key": "c-20261126-9005"})
    time.sleep(0.8)
    me.put(scene.FILM, change, 412, {"If-Match": read.etag, "Idempotency-Key": "c-20261126-9005"})
    now = me.get(scene.FILM)
    if now.json["countId"] != change["countId"]:
        raise StoryError("the count was not stored")
    time.sleep(0.6)
    me.get(scene.JACK)


@case(
    "a673",
    "varnish-unsets-the-create-guard",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    description="A Varnish rule meant for reads unsets If-None-Match on every request: an invoice issued under a number that is taken replaces the one that was there, where the origin itself says 412.",
)
def unset(stage: Stage) -> None:
    """Issue under a number that is taken."""
    server = scene.invoices(stage)
    rule = "sub vcl_backend_fetch { unset bereq.http.If-None-Match; }"
    front = fronts.varnish(stage, server, rule)
    me = stage.actor("client", front, "ledger.example.test", "aiohttp", {"From": "billing-run@example.test"})
    office = stage.actor("other", server, "ledger.example.test", "curl", {"From": "ruth@example.test"})
    office.get("/ledger/2026/invoices/90118")
    guard = {"If-None-Match": "*"}
    fresh = {"ID": "90116", "Buyer": "Fossen", "Currency": "NOK", "PayableAmount": "310.00"}
    me.put("/ledger/2026/invoices/90116", fresh, 201, guard)
    me.get("/ledger/2026/invoices/90118?fields=ID,Buyer")
    taken = {"ID": "90118", "Buyer": "Lunde IL", "Currency": "NOK", "PayableAmount": "77.00"}
    me.put("/ledger/2026/invoices/90118", taken, 200, guard)
    office.get("/ledger/2026/invoices/90118")
    office.put("/ledger/2026/invoices/90117", taken, 412, guard)
    me.put("/ledger/2026/invoices/90116", {**fresh, "PayableAmount": "311.00"}, 200, guard)


@case(
    "a674",
    "widget-loses-the-sticky-cookie",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description="HAProxy pins sessions to one of two nodes by a cookie; the browser's session works well, a widget that drops cookies wanders between nodes whose tags differ and is refused.",
)
def unpinned(stage: Stage) -> None:
    """Work with and without the cookie."""
    store = str(stage.directory() / "shared.db")
    nodes = [
        scene.warehouse(stage, STORE=store, TAG="node", SALT=salt, NODE=name)
        for salt, name in (("oak", "osl-app-1"), ("elm", "osl-app-2"))
    ]
    front = fronts.haproxy(
        stage, nodes, " cookie WMSNODE insert indirect nocache dynamic\n dynamic-cookie-key k9"
    )
    widget = stage.actor("client", front, "wms.example.test", "node:axios", {"X-Operator": "widget"})
    browser = stage.actor("other", front, "wms.example.test", "requests")
    scene.sign_on(browser, "tor")
    for turn in (1, 2):
        read = browser.get(scene.BOLT)
        browser.put(scene.BOLT, scene.counted(read, reserved=turn), 200, {"If-Match": read.etag})
    for turn in (1, 2):
        read = widget.get(scene.WASHER)
        widget.put(scene.WASHER, scene.counted(read, reserved=turn), 412, {"If-Match": read.etag})
    for _ in range(4):
        widget.get(scene.WASHER)


@case(
    "a675",
    "static-forms-behind-brotli",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description="Apache compresses its own files with brotli and adds -br to their tags: a guarded removal with the tag of such a read is refused, with the tag of a plain read it is done.",
)
def brotli(stage: Stage) -> None:
    """Remove a form that was read with brotli."""
    text = (
        "<form>"
        + "".join(f"<label>Field {number}<input name=f{number}></label>\n" for number in range(30))
        + "</form>\n"
    )
    files = {"forms/old-leave.html": text, "forms/leave.html": text.replace("Field", "Felt")}
    rule = f"{fronts.DAV['apache2']}\nAddOutputFilterByType BROTLI_COMPRESS text/html"
    site = fronts.site(stage, "apache2", files, rule)
    me = stage.actor("client", site, "hr.example.test", "node:axios", {"Accept-Encoding": "br, gzip"})
    me.get("/forms/leave.html")
    read = me.get("/forms/old-leave.html")
    if not read.etag.endswith('-br"'):
        raise StoryError(f"no suffix in {read.etag}")
    me.send("DELETE", "/forms/old-leave.html", 412, {"If-Match": read.etag})
    time.sleep(0.4)
    read = me.get("/forms/old-leave.html")
    me.send("DELETE", "/forms/old-leave.html", 412, {"If-Match": read.etag})
    plain = me.get("/forms/old-leave.html", 200, {"Accept-Encoding": "identity"})
    me.send("DELETE", "/forms/old-leave.html", 204, {"If-Match": plain.etag})
    me.get("/forms/old-leave.html", 404)


@case(
    "a676",
    "squid-judges-if-match-by-its-copy",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    also="stale-cache-read",
    description="A label printer reads an article only while it has the tag that the sender named; Squid compares with its older copy, answers 412 with a page of its own, and the origin is not asked.",
)
def squid_page(stage: Stage) -> None:
    """Read what another client has just written, guarded."""
    server = scene.warehouse(stage, CACHE="max-age=60")
    front = fronts.squid(stage, server, site="wms.example.test")
    me = stage.actor("client", front, "wms.example.test", "urllib", {"X-Operator": "label-printer"})
    sender = stage.actor("other", server, "wms.example.test", "httpx", {"X-Operator": "desk"})
    for path in (scene.BOLT, scene.WASHER, scene.FILM):
        me.get(path)
    read = sender.get(scene.BOLT)
    tag = sender.put(scene.BOLT, scene.counted(read, bin="05-B-02"), 200, {"If-Match": read.etag}).etag
    refused = me.get(scene.BOLT, 412, {"If-Match": tag})
    if "squid" not in refused.fields.get("server", "").lower() + refused.text.lower():
        raise StoryError("not Squid's answer")
    sender.get(scene.BOLT, 200, {"If-Match": tag})
    time.sleep(0.5)
    me.get(scene.BOLT, 412, {"If-Match": tag})
    me.get(scene.BOLT)
    me.get(scene.BOLT, 200, {"Cache-Control": "no-cache"})


@case(
    "a679",
    "draft-s-tag-for-the-live-page",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description="A publishing tool reads and saves a draft and then stores the live page with the draft's tag; the live page has one of its own, with which it goes through.",
)
def draft(stage: Stage) -> None:
    """Publish with the tag of the draft."""
    server = scene.pages(stage)
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, "cms.example.test", "httpx", {"User-Agent": "publisher/2.2"})
    text = "<h1>Jobs</h1>\n<ul><li>Driver</li><li>Cook</li></ul>\n"
    me.get("/cms/pages/about/")
    me.put("/cms/drafts/jobs", text, 201, {**_HTML, "If-None-Match": "*"})
    draft_tag = me.get("/cms/drafts/jobs").etag
    text = text.replace("Cook", "Cook (day)")
    draft_tag = me.put("/cms/drafts/jobs", text, 204, {**_HTML, "If-Match": draft_tag}).etag
    me.put("/cms/pages/jobs", text, 412, {**_HTML, "If-Match": draft_tag})
    me.get("/cms/drafts/jobs", 304, {"If-None-Match": draft_tag})
    me.put("/cms/pages/jobs", text, 412, {**_HTML, "If-Match": draft_tag})
    live = me.get("/cms/pages/jobs").etag
    me.put("/cms/pages/jobs", text, 204, {**_HTML, "If-Match": live})
    me.send("DELETE", "/cms/drafts/jobs", 204, {"If-Match": draft_tag})


@case(
    "a677",
    "valuation-job-follows-each-count",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description="Half a second after each count the warehouse itself adds a valuation: counts chained by the tags of the answers are refused now and then, and lastChangeBy names the job.",
)
def valued(stage: Stage) -> None:
    """Chain counts while the service follows."""
    followup = {"after": 0.5, "by": "valuation-job", "set": {"value": "pending", "valuedAt": "2026-11-26"}}
    server = scene.warehouse(stage, FOLLOWUP=json.dumps(followup))
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "wms.example.test", "requests")
    scene.sign_on(me, "hilde")
    tags: dict[str, str] = {}
    for path in (scene.BOLT, scene.WASHER, scene.JACK):
        read = me.get(path)
        tags[path] = me.put(path, scene.counted(read, countedAt="06:14"), 200, {"If-Match": read.etag}).etag
    second = me.get(scene.FILM)
    me.put(scene.FILM, scene.counted(second, countedAt="06:15"), 200, {"If-Match": second.etag})
    time.sleep(1.1)
    for path in (scene.BOLT, scene.JACK):
        base = scene.STOCK["oslo/" + path.rsplit("/", 1)[-1]]
        me.put(path, {**base, "countedAt": "06:40"}, 412, {"If-Match": tags[path]})
        now = me.get(path)
        if now.json["lastChangeBy"] != "valuation-job":
            raise StoryError("somebody else was here")
    me.get("/wms/v2/sites/oslo/stock?offset=0&limit=20&sort=bin")


@case(
    "a678",
    "two-saves-within-one-second-of-the-date",
    "date-precision",
    "lost-update",
    alone="none date-precision",
    description="Two saves of an accountant fall into one second, so the date that a clerk has read between them still holds: his outdated save goes through and the second one is gone.",
)
def one_second(stage: Stage) -> None:
    """Read between two saves of one second."""
    server = scene.invoices(stage, DATES_ONLY="1")
    me = stage.actor("client", server, "ledger.example.test", "requests", {"From": "clerk@example.test"})
    other = stage.actor("other", server, "ledger.example.test", "httpx", {"From": "ruth@example.test"})
    path = "/ledger/2026/invoices/90117"
    me.get("/ledger/2026/invoices/90118")
    read = other.get(path)
    deadline = time.monotonic() + 5
    while time.time() % 1 > 0.1 and time.monotonic() < deadline:
        time.sleep(0.01)
    first = other.put(path, {**read.json, "Note": "sent"}, 200, {_SINCE: read.fields["last-modified"]})
    mine = me.get(path)
    last = {**first.json, "Note": "sent", "PayableAmount": "1180.00"}
    second = other.put(path, last, 200, {_SINCE: first.fields["last-modified"]})
    if second.fields["last-modified"] != mine.fields["last-modified"]:
        raise StoryError("the saves fell into two seconds")
    time.sleep(1.4)
    me.put(path, {**mine.json, "Due": "2027-01-10"}, 200, {_SINCE: mine.fields["last-modified"]})
    me.get(path)
    other.get(path)


@case(
    "a697",
    "two-nodes-one-truth-healthy",
    "none",
    "healthy",
    alone="none",
    description="Two nodes of a warehouse behind a round robin share the database and make the same tags: counts, polls and a removal wander between them, and all is well.",
)
def one_truth(stage: Stage) -> None:
    """Wander between nodes that agree."""
    store = str(stage.directory() / "shared.db")
    nodes = [scene.warehouse(stage, STORE=store, NODE=name) for name in ("osl-app-1", "osl-app-2")]
    front = fronts.traefik(stage, nodes)
    me = stage.actor("client", front, "wms.example.test", "requests")
    other = stage.actor("other", front, "wms.example.test", "curl", {"X-Operator": "siri"})
    scene.sign_on(me, "tor")
    for turn in range(4):
        for path in (scene.BOLT, scene.WASHER):
            read = me.get(path)
            tag = me.put(path, scene.counted(read, reserved=turn * 20), 200, {"If-Match": read.etag}).etag
            me.get(path, 304, {"If-None-Match": tag})
        film = other.get(scene.FILM)
        other.put(scene.FILM, scene.counted(film, onHand=70 - turn), 200, {"If-Match": film.etag})
    me.send("DELETE", scene.JACK, 204, {"If-Match": me.get(scene.JACK).etag})
    me.get(scene.JACK, 404)
    me.get("/wms/v2/sites/oslo/stock?offset=0&limit=20&sort=bin")


@case(
    "a698",
    "deflate-that-leaves-tags-alone-healthy",
    "none",
    "healthy",
    alone="none",
    description="Apache compresses with DeflateAlterETag NoChange: compressed reads carry the origin's own tags, which serve for 304s and for saves alike.",
)
def left_alone(stage: Stage) -> None:
    """Save with tags of compressed reads."""
    server = scene.bookings(stage)
    rule = "AddOutputFilterByType DEFLATE application/json\nDeflateAlterETag NoChange"
    front = fronts.apache(stage, server, rule)
    always = {"X-Clerk": "ada", "Accept-Encoding": "gzip"}
    me = stage.actor("client", front, "desk.example.test", "node:axios", always)
    me.get("/api/bookings?q=2026-12&sort=from")
    for ref in ("BK-2041", "BK-2044", "BK-2050"):
        read = me.get(f"/api/bookings/{ref}")
        me.get(f"/api/bookings/{ref}", 304, {"If-None-Match": read.etag})
        saved = me.put(f"/api/bookings/{ref}", scene.booked(read, checked=True), 200, {"If-Match": read.etag})
        me.put(f"/api/bookings/{ref}", scene.booked(saved, key="A12"), 200, {"If-Match": saved.etag})
    me.send("DELETE", "/api/bookings/BK-2050", 204, {"If-Match": me.get("/api/bookings/BK-2050").etag})


@case(
    "a699",
    "reads-repeated-at-the-other-node-healthy",
    "none",
    "healthy",
    alone="none",
    description="One of two nodes has been stopped: nginx repeats reads at the other one, the client sees only good answers, and the save from before was stored once.",
)
def other_node(stage: Stage) -> None:
    """Lose a node, not an answer."""
    store = str(stage.directory() / "shared.db")
    nodes = [scene.warehouse(stage, STORE=store, NODE=name) for name in ("osl-app-1", "osl-app-2")]
    pool = " ".join(f"server 127.0.0.1:{stage.behind(one)} max_fails=0;" for one in nodes)
    lines = "proxy_pass http://pool; proxy_next_upstream error timeout; proxy_http_version 1.1;"
    block = f"location /wms/ {{ {lines} proxy_set_header Host $http_host; }}"
    front = fronts.nginx(stage, nodes[0], http=f"upstream pool {{ {pool} }}", block=block)
    me = stage.actor("client", front, "wms.example.test", "httpx", {"X-Operator": "board"})
    read = me.get(scene.BOLT)
    tag = me.put(scene.BOLT, scene.counted(read, onHand=1801), 200, {"If-Match": read.etag}).etag
    nodes[1].stop()
    for path in (scene.WASHER, scene.BOLT, scene.FILM, scene.JACK, scene.BOLT):
        me.get(path)
    me.get(scene.BOLT, 304, {"If-None-Match": tag})
    me.get("/wms/v2/sites/oslo/stock?offset=0&limit=20&sort=bin")
