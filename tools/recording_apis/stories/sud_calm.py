"""Traffic in which nothing is wrong: browsing, polling, synchronising, electing, merging, downloading."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.sud_long import basic, contact, shift
from tools.recording_apis.stories.sud_setting import (
    DISPATCH,
    LIMS,
    OPAC,
    XML,
    courier,
    instrument,
    laboratory,
    library,
    sign_on,
    title,
)
from tools.recording_apis.stories.webdav import properties

_NAMES = ("b4471", "b4472", "b5090", "b6113")


@case(
    "a070",
    "evening-at-the-catalogue",
    "none",
    "healthy",
    alone="none",
    description="Somebody browses the catalogue for a while; known records come back as 304, an unknown one is 404.",
)
def browsing(stage: Stage) -> None:
    """Browse with a memory."""
    server = library(stage, HINT="private, max-age=0")
    me = stage.actor("client", server, OPAC, "httpx", {"User-Agent": "Mozilla/5.0 (X11) Gecko Firefox/140.0"})
    known: dict[str, str] = {}
    for page, name in ((1, "b4471"), (1, "b5090"), (2, "b4471"), (2, "b6113"), (3, "b5090"), (3, "b4471")):
        me.get(f"/opac/titles?q=roman&sort=author&page={page}")
        held = {"If-None-Match": known[name]} if name in known else {}
        answer = me.get(f"/opac/titles/{name}", 304 if held else 200, held)
        known[name] = answer.etag
        me.get("/opac/holdings/b4471-2")
        time.sleep(0.2)
    me.get("/opac/titles/b0001", 404)


@case(
    "a071",
    "wall-display-polls-jobs",
    "none",
    "healthy",
    alone="none",
    description="A display polls the open jobs while dispatchers assign them; every command carries the right number.",
)
def polling(stage: Stage) -> None:
    """Poll while others work."""
    server = courier(stage)
    me = stage.actor("client", server, DISPATCH, "node:fetch", {"User-Agent": "wall-display/1"})
    other = stage.actor("other", server, DISPATCH, "requests", {"X-Dispatcher": "disp-kim"})
    for number, name in enumerate(("J-2041", "J-2042", "J-2043")):
        me.get("/d1/jobs")
        revision = other.get(f"/d1/jobs/{name}").json["rev"]
        other.send("POST", f"/d1/jobs/{name}:assign", 200, None, {"rev": revision, "rider": f"r-{number}"})
        me.get("/d1/jobs")
        other.send("POST", f"/d1/jobs/{name}:pickup", 200, None, {"rev": revision + 1})
        time.sleep(0.25)
    me.get("/d1/jobs")
    me.get("/d1/jobs/J-2041")


@case(
    "a072",
    "calendar-first-sync",
    "none",
    "healthy",
    alone="none",
    description="A calendar is synchronised: new events with If-None-Match: *, changes with the tag of the last answer.",
)
def sync(stage: Stage) -> None:
    """Create, change and delete events."""
    server = stage.server("radicale")
    me = stage.actor(
        "client", server, "cal.velo-kurier.test", "aiohttp", {"User-Agent": "Evolution/3.56", **basic("kim")}
    )
    me.send("MKCALENDAR", "/kim/private/", 201)
    form = {"Content-Type": "text/calendar; charset=utf-8"}
    for number in range(4):
        path = f"/kim/private/e{number}.ics"
        made = me.put(path, shift(f"e{number}", f"0{number + 1}", "Kim"), 201, {**form, "If-None-Match": "*"})
        tag = made.fields.get("etag") or me.get(path).etag
        again = shift(f"e{number}", f"1{number}", "Kim")
        me.put(path, again, 204, {**form, "If-Match": tag})
    properties(me, "/kim/private/")
    gone = me.get("/kim/private/e3.ics").etag
    me.send("DELETE", "/kim/private/e3.ics", 200, {"If-Match": gone})
    properties(me, "/kim/private/")


@case(
    "a073",
    "leader-renews-its-claim",
    "none",
    "healthy",
    alone="none expected-control-flow",
    description="One worker takes a claim, renews it and works; a second one asks once, waits, and takes over in the end.",
)
def leader(stage: Stage) -> None:
    """Hold a claim and give it up."""
    server = courier(stage)
    me = stage.actor("client", server, DISPATCH, "urllib", {"User-Agent": "planner/node-a"})
    other = stage.actor("other", server, DISPATCH, "httpx", {"User-Agent": "planner/node-b"})
    path, guard = "/d1/claims/route-planner", {"If-None-Match": "*"}
    me.put(path, {"holder": "node-a", "seconds": 1.2}, 201, guard)
    for _ in range(4):
        me.get("/d1/jobs")
        me.put(path, {"holder": "node-a", "seconds": 1.2}, 200, {"If-Match": '"node-a"'})
        time.sleep(0.3)
    other.get(path)
    time.sleep(1.4)
    other.put(path, {"holder": "node-b", "seconds": 5}, 200, guard)
    me.get(path)


@case(
    "a074",
    "two-cataloguers-different-shelves",
    "none",
    "healthy",
    alone="none",
    description="Two cataloguers work at the same time on different titles, each with the tags of its own reads.",
)
def disjoint(stage: Stage) -> None:
    """Edit apart."""
    server = library(stage)
    me = stage.actor("client", server, OPAC, "requests")
    other = stage.actor("other", server, OPAC, "java", {"X-Desk": "staff-cho"})
    sign_on(me, "staff-weber")
    for round_number in range(3):
        for actor, names in ((me, _NAMES[:2]), (other, _NAMES[2:])):
            for name in names:
                tag = actor.get(f"/opac/titles/{name}").etag
                wanted = title(f"titles/{name}", copies=30 + round_number)
                actor.put(f"/opac/titles/{name}", wanted, 200, {"If-Match": tag})
        time.sleep(0.2)
    me.get("/opac/titles")


@case(
    "a075",
    "merge-after-refusal",
    "none",
    "healthy",
    alone="none other-writer",
    description=(
        "A refused write is healed as it should be: the client reads again, puts its one field onto the new state, "
        "and writes with the new tag; both changes are there."
    ),
)
def merged(stage: Stage) -> None:
    """Read again, merge, write again."""
    server = laboratory(stage)
    me = stage.actor("client", server, LIMS, "httpx", {"X-Technician": "varga"})
    other = stage.actor("other", server, LIMS, "requests", {"X-Technician": "iyer"})
    me.get("/lims/instrument")
    tag = me.get("/lims/instrument/HPLC-03").etag
    theirs = other.get("/lims/instrument/HPLC-03").etag
    other.put(
        "/lims/instrument/HPLC-03", instrument("HPLC-03", room="3.001"), 200, {**XML, "If-Match": theirs}
    )
    mine = {**XML, "If-Match": tag}
    me.put("/lims/instrument/HPLC-03", instrument("HPLC-03", owner="Sato"), 412, mine)
    fresh = me.get("/lims/instrument/HPLC-03").etag
    both = instrument("HPLC-03", room="3.001", owner="Sato")
    tag = me.put("/lims/instrument/HPLC-03", both, 200, {**XML, "If-Match": fresh}).etag
    me.get("/lims/instrument/HPLC-03", 304, {"If-None-Match": tag})
    me.get("/lims/method/HPLC-03")


@case(
    "a076",
    "old-address-and-missing-page",
    "none",
    "healthy",
    alone="none",
    description="Old addresses of reads are redirected and followed, one page is missing, a save works.",
)
def redirects(stage: Stage) -> None:
    """Follow redirects of reads."""
    server = library(stage)
    block = "location /katalog/ { rewrite ^/katalog/(.*)$ http://$http_host/opac/titles/$1 permanent; }"
    front = fronts.nginx(stage, server, "", "", block)
    me = stage.actor("client", front, OPAC, "requests:follow", {"X-Desk": "desk-2"})
    sign_on(me, "staff-weber")
    me.get("/katalog/b4471")
    me.get("/katalog/b0000", 404)
    me.get("/opac/titles?page=1&utm_source=newsletter&utm_campaign=2026-11")
    tag = me.get("/katalog/b5090").etag
    tag = me.put("/opac/titles/b5090", title("titles/b5090", copies=11), 200, {"If-Match": tag}).etag
    me.get("/opac/titles/b5090", 304, {"If-None-Match": tag})


@case(
    "a077",
    "scan-in-ranges",
    "none",
    "healthy",
    alone="none",
    description="A scan is looked up with HEAD and fetched in ranges with If-Range; the second visit gets a 304.",
)
def ranges(stage: Stage) -> None:
    """Download in parts."""
    scan = bytes(range(256)) * 40
    server = fronts.site(stage, "apache2", {"scans/map-7.tif": scan, "scans/index.html": "<h1>Scans</h1>"})
    me = stage.actor(
        "client", server, "scans.stadtbuecherei.test", "requests", {"User-Agent": "ScanFetch/0.9"}
    )
    me.get("/scans/index.html")
    tag = me.send("HEAD", "/scans/map-7.tif", 200).etag
    got = b""
    for start in range(0, len(scan), 2048):
        fields = {"Range": f"bytes={start}-{start + 2047}", "If-Range": tag}
        got += me.get("/scans/map-7.tif", 206, fields).body
    if got != scan:
        raise StoryError("not the scan")
    me.get("/scans/map-7.tif", 304, {"If-None-Match": tag})
    me.get("/scans/map-8.tif", 404)


@case(
    "a078",
    "register-new-balances",
    "none",
    "healthy",
    alone="none",
    description="New balances are registered under free numbers with If-None-Match: *, then completed and retired.",
)
def register(stage: Stage) -> None:
    """Create under free names."""
    server = laboratory(stage, NEED="1")
    me = stage.actor("client", server, LIMS, "curl:trace-time", {"X-Technician": "iyer"})
    me.get("/lims/template/HPLC")
    for number in range(21, 24):
        path = f"/lims/instrument/BAL-{number}"
        me.get(path, 404)
        new = instrument("BAL-17", room=f"1.0{number}")
        tag = me.put(path, new, 201, {**XML, "If-None-Match": "*"}).etag
        me.put(path, instrument("BAL-17", room="1.100"), 200, {**XML, "If-Match": tag})
    last = me.get("/lims/instrument/BAL-23").etag
    me.send("DELETE", "/lims/instrument/BAL-23", 204, {"If-Match": last})
    me.get("/lims/instrument/BAL-23", 404)
    me.get("/lims/instrument")


@case(
    "a079",
    "long-edit-with-chained-tags",
    "none",
    "healthy",
    alone="none",
    description="An editor saves one record a dozen times, each time with the tag of its last answer.",
)
def chained(stage: Stage) -> None:
    """Chain the tags of one's own answers."""
    server = library(stage)
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, OPAC, "node:axios", {"X-Desk": "desk-4"})
    me.get("/opac/titles")
    tag = me.get("/opac/titles/b6113").etag
    for number in range(12):
        wanted = title("titles/b6113", note="Malina. Roman. " * (number + 1))
        tag = me.put("/opac/titles/b6113", wanted, 200, {"If-Match": tag}).etag
        if number % 4 == 3:
            me.get("/opac/titles/b6113", 304, {"If-None-Match": tag})
        time.sleep(0.1)
    me.get("/opac/titles/b6113")


@case(
    "a080",
    "dates-done-right",
    "none",
    "healthy",
    alone="none",
    description="The service has dates only; the client echoes Last-Modified and pauses between its saves.",
)
def dates(stage: Stage) -> None:
    """Echo the dates of the server."""
    server = library(stage, NOETAG="1")
    me = stage.actor("client", server, OPAC, "urllib", {"X-Desk": "desk-1"})
    me.get("/opac/patrons")
    for name in ("p20881", "p20990"):
        seen = me.get(f"/opac/patrons/{name}").fields["last-modified"]
        me.get(f"/opac/patrons/{name}", 304, {"If-Modified-Since": seen})
        for fees in ("1.10", "0.00"):
            wanted = title(f"patrons/{name}", fees=fees)
            told = me.put(f"/opac/patrons/{name}", wanted, 200, {"If-Unmodified-Since": seen})
            seen = told.fields["last-modified"]
            time.sleep(1.1)


@case(
    "a081",
    "address-book-export",
    "none",
    "healthy",
    alone="none",
    description="An address book is filled, listed and read by two programs; nothing is changed twice.",
)
def export(stage: Stage) -> None:
    """Fill and read an address book."""
    server = stage.server("wsgidav")
    (server.directory / "cards").mkdir()
    me = stage.actor("client", server, "dav.rathaus.test", "requests", {"User-Agent": "CardExport/1"})
    other = stage.actor("other", server, "dav.rathaus.test", "curl")
    for number, name in enumerate(("ames", "bello", "chen", "dietz", "ebert")):
        me.send(
            "PUT",
            f"/cards/{name}.vcf",
            201,
            {"Content-Type": "text/vcard"},
            contact(name, f"+49 351 {number}"),
        )
    properties(me, "/cards/")
    properties(other, "/cards/")
    for name in ("ames", "chen", "ebert"):
        tag = other.get(f"/cards/{name}.vcf").etag
        other.get(f"/cards/{name}.vcf", 304, {"If-None-Match": tag})


@case(
    "a082",
    "cached-reads-no-writes",
    "none",
    "healthy",
    alone="none",
    description="Screens read the opening list through Varnish, mostly from its store; revalidation gives 304.",
)
def screens(stage: Stage) -> None:
    """Read through a cache."""
    server = library(stage, HINT="public, max-age=30")
    front = fronts.varnish(stage, server)
    me = stage.actor("client", front, OPAC, "aiohttp", {"User-Agent": "InfoScreen/2"})
    for number in range(4):
        me.get("/opac/titles?shelf=new")
        seen = [me.get(f"/opac/titles/{name}").etag for name in _NAMES[:3]]
        if number:
            me.get("/opac/titles/b5090", 304, {"If-None-Match": seen[-1]})
        time.sleep(0.3)
