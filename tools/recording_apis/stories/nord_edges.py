"""Back offices behind compressing, stripping and storing intermediaries, and reads that lag."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import nord_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.servers import Server

_XML = {"Accept": "application/xml", "Content-Type": "application/xml"}


def _same(first: str, second: str) -> None:
    if first != second:
        raise StoryError(f"{first} is not {second}")


@case(
    "a600",
    "warehouse-behind-apache-deflate",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description="Apache's mod_deflate adds -gzip to the tags of a warehouse; counts sent with such a tag are refused until one is read without compression.",
)
def deflated(stage: Stage) -> None:
    """Count bolts behind mod_deflate."""
    server = scene.warehouse(stage)
    front = fronts.apache(stage, server, "AddOutputFilterByType DEFLATE application/json")
    me = stage.actor(
        "client",
        front,
        "wms.example.test",
        "node:axios",
        {"Accept-Encoding": "gzip, br", "X-Operator": "hilde"},
    )
    me.get("/wms/v2/sites/oslo/stock?offset=0&limit=20&sort=bin")
    read = me.get(scene.BOLT)
    time.sleep(0.4)
    me.put(scene.BOLT, scene.counted(read, onHand=1812), 412, {"If-Match": read.etag})
    again = me.get(scene.BOLT)
    _same(again.etag, read.etag)
    me.put(scene.BOLT, scene.counted(again, onHand=1812), 412, {"If-Match": again.etag})
    me.get(scene.WASHER)
    bare = me.get(scene.BOLT, 200, {"Accept-Encoding": "identity"})
    me.put(scene.BOLT, scene.counted(bare, onHand=1812), 200, {"If-Match": bare.etag})


@case(
    "a601",
    "booking-cancelled-behind-caddy-encode",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description="Caddy's encode directive adds -gzip to a reservation's tag and leaves it in If-Match; the cancellation is refused, while the kiosk, which takes no compression, sees the bare tag.",
)
def encoded(stage: Stage) -> None:
    """Cancel behind encode."""
    server = scene.bookings(stage)
    front = fronts.caddy(stage, server, "encode {\n gzip\n minimum_length 60\n}")
    me = stage.actor(
        "client", front, "desk.example.test", "aiohttp", {"X-Clerk": "jon", "Accept-Encoding": "gzip"}
    )
    kiosk = stage.actor("other", front, "desk.example.test", "curl")
    me.get("/api/bookings?q=option&sort=from&dir=asc")
    read = me.get("/api/bookings/BK-2050")
    me.get("/api/bookings/BK-2050", 304, {"If-None-Match": read.etag})
    me.send("DELETE", "/api/bookings/BK-2050", 412, {"If-Match": read.etag})
    kiosk.get("/api/bookings/BK-2050")
    time.sleep(0.6)
    read = me.get("/api/bookings/BK-2050")
    me.send("DELETE", "/api/bookings/BK-2050", 412, {"If-Match": read.etag})
    me.get("/api/bookings/BK-2044")


@case(
    "a602",
    "invoice-xml-behind-nginx-gzip",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description="nginx compresses invoices and makes their tags weak; the ledger compares If-Match strongly and refuses until the invoice is read without compression.",
)
def gzipped(stage: Stage) -> None:
    """Change the due date behind gzip."""
    front = fronts.nginx_gzip(stage, scene.invoices(stage))
    me = stage.actor("client", front, "ledger.example.test", "requests", {"From": "accounts@example.test"})
    path = "/ledger/2026/invoices/90117"
    me.get("/ledger/2026/invoices/90118", 200, {"Accept": "application/xml"})
    tag = me.get(path, 200, {"Accept": "application/xml"}).etag
    body = scene.invoice_xml("90117", "1280.00", "2026-12-31")
    me.put(path, body, 412, {**_XML, "If-Match": tag})
    me.get(path, 304, {"Accept": "application/xml", "If-None-Match": tag})
    plain = me.get(path, 200, {"Accept": "application/xml", "Accept-Encoding": "identity"}).etag
    _same(tag, f"W/{plain}")
    me.put(path, body, 200, {**_XML, "If-Match": plain})


@case(
    "a603",
    "tickets-behind-haproxy-compression",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description="HAProxy compresses a help desk's answers and turns its tags weak: an agent with compression can save nothing, a script without it can.",
)
def compressed(stage: Stage) -> None:
    """Assign a ticket behind compression."""
    server = scene.tickets(stage, TAGS="1")
    front = fronts.haproxy(
        stage, [server], " compression algo gzip\n compression type application/json text/html"
    )
    me = stage.actor("client", front, "help.example.test", "httpx")
    script = stage.actor("other", front, "help.example.test", "curl:trace-ascii")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    me.send("POST", "/helpdesk/login", 302, form, "agent=mia&password=x")
    me.get("/helpdesk/tickets/?state=open&per_page=50&page=1")
    tag = me.get("/helpdesk/tickets/4712.json").etag
    me.put("/helpdesk/tickets/4712.json", {"assignee": "mia"}, 412, {"If-Match": tag})
    seen = script.get("/helpdesk/tickets/4712.json").etag
    _same(tag, f"W/{seen}")
    other = script.get("/helpdesk/tickets/4713.json").etag
    script.put("/helpdesk/tickets/4713.json", {"state": "solved"}, 200, {"If-Match": other})
    time.sleep(0.5)
    tag = me.get("/helpdesk/tickets/4712.json").etag
    me.put("/helpdesk/tickets/4712.json", {"assignee": "mia", "state": "pending"}, 412, {"If-Match": tag})
    me.get("/helpdesk/tickets/4712.json")


@case(
    "a604",
    "warehouse-nginx-blanks-if-match",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description="nginx blanks If-Match before a warehouse that honours it: an outdated count goes through and a colleague's move is gone, and a tag known to be old is taken as well.",
)
def blanked(stage: Stage) -> None:
    """Count with an outdated tag through nginx."""
    server = scene.warehouse(stage)
    front = fronts.nginx(stage, server, 'proxy_set_header If-Match "";')
    me = stage.actor("client", front, "wms.example.test", "requests")
    other = stage.actor("other", front, "wms.example.test", "httpx", {"X-Operator": "night-shift"})
    scene.sign_on(me, "hilde")
    read, theirs = me.get(scene.FILM), other.get(scene.FILM)
    other.put(scene.FILM, scene.counted(theirs, bin="11-B-04"), 200, {"If-Match": theirs.etag})
    time.sleep(0.7)
    me.put(scene.FILM, scene.counted(read, onHand=75), 200, {"If-Match": read.etag})
    other.get(scene.FILM)
    me.get(scene.JACK)
    me.put(scene.FILM, scene.counted(read, onHand=74), 200, {"If-Match": read.etag})
    direct = stage.actor("other2", server, "wms.example.test", "curl")
    direct.put(scene.FILM, scene.counted(read, onHand=74), 412, {"If-Match": read.etag})


@case(
    "a605",
    "booking-traefik-drops-if-match-428",
    "precondition-stripped",
    "428",
    alone="precondition-stripped",
    description="A Traefik middleware empties If-Match; the booking desk demands one and answers 428 to a request that had it.",
)
def emptied(stage: Stage) -> None:
    """Be asked for what was sent."""
    server = scene.bookings(stage, DEMAND="1")
    rule = '    lean:\n      headers:\n        customRequestHeaders:\n          If-Match: ""\n'
    front = fronts.traefik(stage, [server], rule, "lean")
    me = stage.actor("client", front, "desk.example.test", "urllib", {"X-Clerk": "ada"})
    me.get("/api/bookings?q=Fjord")
    read = me.get("/api/bookings/BK-2044")
    me.put("/api/bookings/BK-2044", scene.booked(read, persons=2), 428, {"If-Match": read.etag})
    read = me.get("/api/bookings/BK-2044")
    me.put("/api/bookings/BK-2044", scene.booked(read, persons=2), 428, {"If-Match": read.etag})
    me.get("/api/bookings/BK-2041?view=summary")


@case(
    "a606",
    "booking-varnish-serves-old-after-own-save",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    description="Varnish keeps a reservation past the clerk's own save; the read before the second save brings the old tag with an Age, and the save is refused until a query passes the cache by.",
)
def kept(stage: Stage) -> None:
    """Save twice behind Varnish."""
    server = scene.bookings(stage, CACHE="public, max-age=120")
    front = fronts.varnish(stage, server)
    me = stage.actor("client", front, "desk.example.test", "httpx", {"X-Clerk": "jon"})
    path = "/api/bookings/BK-2041"
    me.get("/api/bookings/BK-2044")
    read = me.get(path)
    me.put(path, scene.booked(read, persons=3), 200, {"If-Match": read.etag})
    time.sleep(1.2)
    stale = me.get(path)
    _same(stale.etag, read.etag)
    me.put(path, scene.booked(stale, state="confirmed"), 412, {"If-Match": stale.etag})
    stale = me.get(path, 200, {"Cache-Control": "no-cache"})
    me.put(path, scene.booked(stale, state="confirmed"), 412, {"If-Match": stale.etag})
    fresh = me.get(f"{path}?_=1732642871")
    me.put(path, scene.booked(fresh, state="confirmed"), 200, {"If-Match": fresh.etag})


@case(
    "a607",
    "warehouse-squid-hit-after-direct-count",
    "stale-cache-read",
    "412",
    alone="stale-cache-read other-writer",
    description="A branch reads stock through Squid, the head office writes at the origin; the branch's read just before its own count is a hit with an old tag, and no-cache brings the current one.",
)
def hit(stage: Stage) -> None:
    """Count after a hit."""
    server = scene.warehouse(stage, CACHE="max-age=45")
    front = fronts.squid(stage, server, site="wms.example.test")
    me = stage.actor("client", front, "wms.example.test", "aiohttp", {"X-Operator": "branch-7"})
    office = stage.actor("other", server, "wms.example.test", "requests", {"X-Operator": "head-office"})
    me.get(scene.JACK)
    me.get(scene.BOLT)
    theirs = office.get(scene.JACK)
    time.sleep(1.1)
    office.put(scene.JACK, scene.counted(theirs, onHand=6), 200, {"If-Match": theirs.etag})
    time.sleep(1.6)
    stale = me.get(scene.JACK)
    _same(stale.etag, theirs.etag)
    me.put(scene.JACK, scene.counted(stale, reserved=2), 412, {"If-Match": stale.etag})
    fresh = me.get(scene.JACK, 200, {"Cache-Control": "no-cache"})
    me.put(scene.JACK, scene.counted(fresh, reserved=2), 200, {"If-Match": fresh.etag})


def _lagging(stage: Stage, **settings: str) -> Server:
    store = str(stage.directory() / "shared.db")
    primary = scene.warehouse(stage, STORE=store, NODE="db-1", **settings)
    replica = scene.warehouse(stage, STORE=store, NODE="db-2-ro", LAG="2.5", **settings)
    return fronts.split(stage, primary, replica)


@case(
    "a608",
    "warehouse-reads-from-replica",
    "replica-lag",
    "412",
    alone="replica-lag",
    description="HAProxy sends reads to a replica 2.5 s behind: after the own save the next read brings the tag from before it, and a moment later the new one.",
)
def behind(stage: Stage) -> None:
    """Read behind oneself."""
    front = _lagging(stage)
    me = stage.actor("client", front, "wms.example.test", "java", {"X-Operator": "scanner-12"})
    me.get(scene.WASHER)
    read = me.get(scene.BOLT)
    me.put(scene.BOLT, scene.counted(read, reserved=180), 200, {"If-Match": read.etag})
    old = me.get(scene.BOLT)
    _same(old.etag, read.etag)
    me.put(scene.BOLT, scene.counted(old, bin="04-C-18"), 412, {"If-Match": old.etag})
    time.sleep(2.8)
    fresh = me.get(scene.BOLT)
    me.put(scene.BOLT, scene.counted(fresh, bin="04-C-18"), 200, {"If-Match": fresh.etag})


def _hit(answer: Answer, ref: str) -> str:
    found: str = next(one["etag"] for one in answer.json["hits"] if one["ref"] == ref)
    return found


@case(
    "a609",
    "booking-search-index-behind",
    "replica-lag",
    "412",
    alone="replica-lag stale-stored-token",
    description="A booking desk's search answers from an index that is seconds behind: the tag of the hit after the own save is the one from before, and later the new one.",
)
def indexed(stage: Stage) -> None:
    """Save with the tags of hits."""
    server = scene.bookings(stage, INDEX_LAG="2.0")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "desk.example.test", "node:fetch", {"X-Clerk": "ines"})
    query = "/api/bookings?q=Birch&sort=from&dir=asc&page%5Bsize%5D=25"
    full = me.get("/api/bookings/BK-2050")
    first = _hit(me.get(query), "BK-2050")
    saved = me.put("/api/bookings/BK-2050", scene.booked(full, persons=6), 200, {"If-Match": first})
    old = _hit(me.get(query), "BK-2050")
    _same(old, first)
    me.put("/api/bookings/BK-2050", scene.booked(saved, state="confirmed"), 412, {"If-Match": old})
    time.sleep(2.3)
    new = _hit(me.get(query), "BK-2050")
    _same(new, saved.etag)
    me.put("/api/bookings/BK-2050", scene.booked(saved, state="confirmed"), 200, {"If-Match": new})
