"""What is sent in the place of a token."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.actors import Actor
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ost_setting as own

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.recording_apis.actors import Answer, Program

_SHIFT = f"{own.WEEK}/s17"


@case(
    "a824",
    "roster-page-sends-undefined",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A page keeps a shift's tag under another property than it reads later: fetch sends If-Match: undefined, "
        "412 for two shifts. A GET shows that nobody has changed them."
    ),
)
def undefined(stage: Stage) -> None:
    """Read a property that is not there."""
    server = own.house(stage, "ost_roster.js", own.SHIFTS)
    page = {"X-User": "planner.mia", "Referer": "http://roster.clinic.example.test/week/49"}
    me = stage.actor("client", server, "roster.clinic.example.test", "node", page)
    me.get(f"{own.WEEK}?expand=nurse&tz=Europe%2FBerlin")
    for name in ("s18", "s19"):
        me.get(f"{own.WEEK}/{name}")
        me.send("PATCH", f"{own.WEEK}/{name}", 412, {"If-Match": "undefined"}, {"nurse": "Weiss"})
        me.get(f"{own.WEEK}/{name}")


@case(
    "a825",
    "shell-script-empty-tag",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A shell script greps for Etag with the wrong case and puts an empty variable between quotes: "
        'If-Match: "". The notice is unchanged, as a GET shows, and the same PUT with the real tag is 200.'
    ),
)
def empty_tag(stage: Stage) -> None:
    """Quote nothing."""
    server = own.house(stage, "ost_notices.rb", own.NOTICES)
    script = {"User-Agent": "curl/7.88.1", "X-Editor": "post-notice.sh"}
    me = stage.actor("client", server, "parish.example.test", "curl", script)
    me.get("/notices")
    me.get("/notices/31")
    own.stroll(me, ["/notices", "/notices/32"])
    text = '<entry xmlns:n="urn:example:notice"><n:title>Choir practice</n:title><n:when>Fri 19:30</n:when></entry>'
    kind = {"Content-Type": "application/atom+xml;type=entry"}
    me.put("/notices/31", text, 412, {**kind, "If-Match": '""'})
    again = me.get("/notices/31")
    me.put("/notices/31", text, 200, {**kind, "If-Match": again.etag})


@case(
    "a826",
    "java-strips-the-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "An old Java client takes the quotes off before it stores the tag and sends it bare: 412 although the "
        "recipe is still edition 8. The text of the refusal shows the tag with its quotes."
    ),
)
def bare(stage: Stage) -> None:
    """Take the quotes off."""
    server = own.house(stage, "OstBakery.java", own.RECIPES)
    me = stage.actor("client", server, "recipes.bakery.example.test", "java", {"X-Baker": "kiosk"})
    me.get("/recipes")
    own.stroll(me, ["/recipes/stollen", "/recipes/panettone"])
    for name in ("rye", "brioche"):
        read = me.get(f"/recipes/{name}")
        bare_tag = {"If-Match": read.etag.strip('"'), "Content-Type": "text/plain"}
        me.put(f"/recipes/{name}", read.text + "butter 10 g\n", 412, bare_tag)
    me.get("/recipes/rye")


@case(
    "a827",
    "tag-through-a-json-column",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A sync tool stores the tag as JSON text in its table and sends that text as it stands, with escaped quotes "
        'inside quotes: If-Match: "\\"...\\"". The permit has not changed.'
    ),
)
def json_column(stage: Stage) -> None:
    """Encode twice."""
    server = own.house(stage, "ost_permits.py", own.PERMITS)
    me = stage.actor("client", server, "permits.county.example.test", "httpx", {"X-Clerk": "gis-sync"})
    me.get("/permits?state=received")
    read = me.get("/permits/BP-2026-0131")
    body = "<permit><plot>7/1 a</plot></permit>"
    me.put("/permits/BP-2026-0131", body, 412, {"If-Match": json.dumps(read.etag), **own.XML})
    time.sleep(0.3)
    me.get("/permits/BP-2026-0131", 304, {"If-None-Match": read.etag})
    me.put("/permits/BP-2026-0131", body, 412, {"If-Match": json.dumps(read.etag), **own.XML})
    own.insist('serial="20"' in me.get("/permits/BP-2026-0131").text, "it was stored")


@case(
    "a828",
    "tag-of-the-week-for-a-shift",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A client lists the shifts of a week and sends the list's ETag with the PATCH of one shift: 412. With the "
        "shift's own tag the same PATCH is 200."
    ),
)
def list_tag(stage: Stage) -> None:
    """Use the tag of the list."""
    server = own.house(stage, "ost_roster.js", own.SHIFTS)
    me = stage.actor("client", server, "roster.clinic.example.test", "aiohttp", {"X-User": "swap-bot"})
    me.get("/changes?since=118&wait=0")
    me.get("/roster/2026-W50/shifts")
    listed = me.get(own.WEEK)
    me.get(own.WEEK, 304, {"If-None-Match": listed.etag})
    me.send("PATCH", f"{own.WEEK}/s19", 412, {"If-Match": listed.etag}, {"nurse": "Imhof"})
    me.send("PATCH", f"{own.WEEK}/s18", 412, {"If-Match": listed.etag}, {"nurse": "Imhof"})
    mine = me.get(f"{own.WEEK}/s19").etag
    me.send("PATCH", f"{own.WEEK}/s19", 200, {"If-Match": mine}, {"nurse": "Imhof"})


@case(
    "a829",
    "tag-from-the-test-system",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A deployment script reads a tariff from the test system and writes it to production with the tag of the "
        "test system: 412. Production has had another tag all the while."
    ),
)
def test_system(stage: Stage) -> None:
    """Read here, write there."""
    production = own.house(stage, "ost_inventory.php", own.ASSETS)
    trial = own.house(
        stage, "ost_inventory.php", {**own.ASSETS, "1203": {**own.ASSETS["1203"], "room": "lab"}}
    )
    rule = " use_backend trial if { hdr(host) inventory-test.example.test }"
    trials = f"backend trial\n server t 127.0.0.1:{stage.behind(trial)}"
    entry = fronts.haproxy(stage, [production], "", rule, trials)
    me = stage.actor("client", entry, "inventory-test.example.test", "requests", {"X-Clerk": "deploy"})
    live = Actor("inventory.townhall.example.test", me.port, me.program, me.always)
    own.stroll(live, ["/api/assets.json", "/api/assets/1377.json"])
    own.stroll(me, ["/api/assets.json", "/api/assets/1377.json"])
    before = live.get("/api/assets/1203.json")
    read = me.get("/api/assets/1203.json")
    own.insist(before.etag != read.etag, "both have one tag")
    body = {**read.json, "state": "lent"}
    answer = me.put("/api/assets/1203.json", body, 200, {"If-Match": read.etag})
    live.put("/api/assets/1203.json", body, 412, {"If-Match": answer.etag})
    live.get("/api/assets/1203.json", 304, {"If-None-Match": before.etag})


@case(
    "a830",
    "district-revision-for-one-meter",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope other-writer",
    also="other-writer",
    description=(
        "The tag of a meter is the revision of its whole district. A colleague stores the meter of the house next "
        "door, and the write of an untouched meter is 412; its own revision and content have not moved."
    ),
)
def district(stage: Stage) -> None:
    """Write next door."""
    server = own.house(stage, "ost_meters.py", own.METERS, FLAGS="district")
    me = stage.actor("client", server, "hydra.water.example.test", "requests", {"X-Operator": "reader-07"})
    other = stage.actor("other", server, "hydra.water.example.test", "httpx", {"X-Operator": "reader-12"})
    me.get("/v3/meters?district=Harbour")
    own.stroll(me, ["/v3/meters/70231", "/v3/meters/79999", "/v3/tariffs"])
    read = me.get("/v3/meters/70114")
    seen = other.get("/v3/meters/70115")
    other.put("/v3/meters/70115", {"meter": {**seen.json["meter"], "m3": 90.0}}, 200, {"If-Match": seen.etag})
    time.sleep(0.6)
    body = {"meter": {**read.json["meter"], "m3": 1222.5}}
    me.put("/v3/meters/70114", body, 412, {"If-Match": read.etag})
    now = me.get("/v3/meters/70114")
    own.insist(now.json == read.json and now.etag != read.etag, "the meter itself has changed")
    me.put("/v3/meters/70114", body, 200, {"If-Match": now.etag})


@case(
    "a831",
    "whole-board-in-one-tag",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "The notices of a board share one tag. A script edits three of them with the tags it read first: the first "
        "is stored, the others are 412 because of its own write to a sibling, and their text has not changed."
    ),
)
def board(stage: Stage) -> None:
    """Edit three notices of one board."""
    more = {**own.NOTICES, "34": {"title": "Lost umbrella", "when": "now"}}
    server = own.house(stage, "ost_notices.rb", more, FLAGS="sum")
    me = stage.actor("client", server, "parish.example.test", "urllib", {"X-Editor": "season-script"})
    kind = {"Content-Type": "application/atom+xml;type=entry"}
    reads = {no: me.get(f"/notices/{no}") for no in ("31", "32", "34")}
    for no, status in (("31", 200), ("32", 412), ("34", 412)):
        text = reads[no].text.replace("</n:when>", ", winter time</n:when>")
        me.put(f"/notices/{no}", text, status, {**kind, "If-Match": reads[no].etag})
    own.insist(me.get("/notices/32").text == reads["32"].text, "the notice has changed")
    me.get("/notices/34")


@case(
    "a832",
    "update-guarded-as-a-create",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A tool that was written for first imports is used for a price round: it reads each recipe, gets a tag, and "
        "puts it with If-None-Match: *. Every update is 412."
    ),
)
def price_round(stage: Stage) -> None:
    """Guard updates as creations."""
    guarded = own.house(stage, "OstBakery.java", own.RECIPES)
    me = stage.actor("client", guarded, "recipes.bakery.example.test", "requests", {"X-Baker": "price-round"})
    own.stroll(me, ["/recipes", "/recipes/brioche", "/recipes/price-list"])
    for name in ("rye", "stollen"):
        read = me.get(f"/recipes/{name}")
        kind = {"Content-Type": "text/plain", "If-None-Match": "*"}
        me.put(f"/recipes/{name}", read.text + "price 4.20\n", 412, kind)
    me.get("/recipes/rye")


@case(
    "a833",
    "contact-edit-with-star-guard",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A web mailer stores an edited contact with If-None-Match: *, after it has loaded the same card with its "
        "tag: Radicale answers 412. Cards that are new go through."
    ),
)
def star_guard(stage: Stage) -> None:
    """Edit with the guard of a creation."""
    server = stage.server("radicale")
    mailer = {"Authorization": "Basic aW5nYTppbmdh", "User-Agent": "webmailer/1.6"}
    me = stage.actor("client", server, "dav.inga.example.test", "httpx", mailer)
    text = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{0}\r\nFN:{1}\r\nEND:VCARD\r\n"
    guard = {"Content-Type": "text/vcard", "If-None-Match": "*"}
    me.send("MKCOL", "/inga/people/", 201, own.XML, own.BOOK)
    for uid, name in (("a1", "Ada"), ("b2", "Bram")):
        me.put(f"/inga/people/{uid}.vcf", text.format(uid, name), 201, guard)
    me.send("PROPFIND", "/inga/people/", 207, {"Depth": "1", **own.XML})
    me.get("/inga/people/a1.vcf")
    me.put("/inga/people/a1.vcf", text.format("a1", "Ada Linde"), 412, guard)
    me.get("/inga/people/a1.vcf")


@case(
    "a834",
    "wiki-script-forgets-if-match",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "A club's wiki takes saves only with If-Match. A shell script that used to work puts its page without: 428 "
        "with the reason in text, twice. Every read had shown the tag; with it the page is saved."
    ),
)
def forgets(stage: Stage) -> None:
    """Save without a condition where one is demanded."""
    pages = {"Results": "#author admin\n= Results =\n* 28 Nov 2:1\n", "Home": "#author admin\nsee Results\n"}
    server = own.wiki(stage, pages, "require")
    script = {"User-Agent": "curl/7.88.1", "Content-Type": "text/x-wiki"}
    me = stage.actor("client", server, "wiki.club.example.test", "curl", script)
    me.get("/wiki.pl/Home")
    read = me.get("/wiki.pl/Results")
    text = read.text.replace("admin", "results.sh") + "* 5 Dec 0:0\n"
    for _ in range(2):
        me.put("/wiki.pl/Results", text, 428)
    fresh = me.send("HEAD", "/wiki.pl/Results", 200)
    me.put("/wiki.pl/Results", text, 200, {"If-Match": fresh.etag})
    me.get("/wiki.pl/Results")


@case(
    "a835",
    "permit-service-wants-the-header",
    "token-missing",
    "400",
    alone="token-missing",
    also="status-dialect-mismatch",
    description=(
        "The permit service answers 400 HEADER_MISSING to a PUT without If-Match. The portal's new module sends "
        "none for three files; after a fix it sends the tag of the read and is let through."
    ),
)
def wanted(stage: Stage) -> None:
    """Be told 400 for a missing If-Match."""
    server = own.house(stage, "ost_permits.py", own.PERMITS, FLAGS="must")
    me = stage.actor(
        "client", server, "permits.county.example.test", "node:axios", {"X-Clerk": "fees-module"}
    )
    me.get("/permits?applicant=Voss")
    body = "<permit><fee>250.00</fee></permit>"
    for number in own.PERMITS:
        read = me.get(f"/permits/{number}")
        me.put(f"/permits/{number}", body, 400, own.XML)
    me.put("/permits/BP-2026-0131", body, 200, {"If-Match": read.etag, **own.XML})


class _UrlCache:
    """A program whose URL cache adds If-None-Match to every request for a URL it has stored."""

    def __init__(self, inner: Program) -> None:
        self._inner = inner
        self._tags: dict[str, str] = {}

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request, for a stored URL with the stored tag."""
        known = {"If-None-Match": self._tags[url]} if url in self._tags else {}
        answer = self._inner.send(method, url, {**headers, **known}, body)
        if method == "GET" and answer.status == 200 and "etag" in answer.fields:
            self._tags[url] = answer.fields["etag"]
        return answer

    def close(self) -> None:
        """Close what is open."""
        self._inner.close()


@case(
    "a836",
    "phone-cache-adds-a-condition",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "The iOS build of a roster app has no condition in its code, yet its PATCHes carry If-None-Match with the "
        "tag of the cached GET, put there by the platform's URL cache: 412 on both shifts. The Android build of the "
        "same app sends the same calls without the field and is served."
    ),
    notes=("The cache imitates what CFNetwork does with an NSURLSession; the requests are real.",),
)
def url_cache(stage: Stage) -> None:
    """Patch through a cache that revalidates everything."""
    server = own.house(stage, "ost_roster.js", own.SHIFTS)
    apple = {
        "X-User": "imhof",
        "User-Agent": "WardPlan/7.2 CFNetwork/1568.200 Darwin/24.1.0",
        "X-App-Build": "7.2.0",
    }
    robot = {
        "X-User": "okafor",
        "User-Agent": "WardPlan/7.2 okhttp/4.12.0 Android/15",
        "X-App-Build": "7.2.0",
    }
    me = stage.actor("client", server, "roster.clinic.example.test", "httpx", apple)
    other = stage.actor("other", server, "roster.clinic.example.test", "requests", robot)
    me.program = _UrlCache(me.program)
    me.get(own.WEEK)
    other.get(f"{own.WEEK}/s18")
    other.send("PATCH", f"{own.WEEK}/s18", 200, None, {"note": "late train"})
    for name in ("s17", "s19"):
        me.get(f"{own.WEEK}/{name}")
        me.send("PATCH", f"{own.WEEK}/{name}", 412, None, {"note": "swap wanted"})
    me.get(f"{own.WEEK}/s17", 304)
    me.send("PATCH", f"{own.WEEK}/s17", 412, None, {"note": "swap wanted"})
    other.get(f"{own.WEEK}/s18")


@case(
    "a837",
    "feed-cursor-too-old",
    "token-expired",
    "410",
    alone="token-expired",
    also="status-dialect-mismatch",
    description=(
        "A tablet that was off for a week resumes the roster's feed at its stored cursor: 410 cursor_expired with "
        "the oldest cursor kept. It lists the week anew and goes on with the cursor from there."
    ),
)
def cursor(stage: Stage) -> None:
    """Resume at a cursor that is gone."""
    server = own.house(stage, "ost_roster.js", own.SHIFTS)
    other = stage.actor("other", server, "roster.clinic.example.test", "httpx", {"X-User": "planner.mia"})
    tablet = {"X-User": "ward-3b-tablet", "User-Agent": "WardBoard/2.0 (kiosk)"}
    me = stage.actor("client", server, "roster.clinic.example.test", "requests", tablet)
    for hour in ("13:30", "13:45", "14:00"):
        other.send("PATCH", f"{own.WEEK}/s17", 200, None, {"to": hour})
    for _ in range(2):
        me.get("/changes?since=97&wait=0", 410)
    listed = me.get(own.WEEK)
    cursor_now = listed.json["cursor"]
    me.get(f"/changes?since={cursor_now}&wait=0")
    other.send("PATCH", f"{own.WEEK}/s18", 200, None, {"note": "bed 4"})
    seen = me.get(f"/changes?since={cursor_now}&wait=0")
    own.insist(len(seen.json["changes"]) == 1, "the feed does not go on")


@case(
    "a838",
    "edit-ticket-ran-out",
    "token-expired",
    "412",
    alone="token-expired lease-or-lock",
    also="lease-or-lock",
    description=(
        "A clerk takes an edit ticket for a permit, which says until when it is good, and is called away. Her save "
        "comes after that moment: 412 TICKET_EXPIRED. With a new ticket the same save is stored."
    ),
)
def ran_out(stage: Stage) -> None:
    """Save after the ticket's end."""
    server = own.house(stage, "ost_permits.py", own.PERMITS, FLAGS="tickets", TICKET_SECONDS="1.5")
    me = stage.actor("client", server, "permits.county.example.test", "urllib", {"X-Clerk": "l.novak"})
    me.get("/permits?state=in%20review")
    path = "/permits/BP-2026-0131"
    ticket = me.send("POST", f"{path}/ticket", 201, own.XML, "<take/>").fields["x-edit-ticket"]
    tag = me.get(path).etag
    time.sleep(2.3)
    body = "<permit><state>approved</state></permit>"
    me.put(path, body, 412, {"If-Match": tag, "X-Edit-Ticket": ticket, **own.XML})
    me.get(path, 304, {"If-None-Match": tag})
    again = me.send("POST", f"{path}/ticket", 201, own.XML, "<take/>").fields["x-edit-ticket"]
    me.put(path, body, 200, {"If-Match": tag, "X-Edit-Ticket": again, **own.XML})
    me.send("DELETE", f"{path}/ticket", 204)


@case(
    "a839",
    "drawing-locked-by-a-colleague",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "A colleague holds a WebDAV lock on a drawing at Apache. The client's saves, with a tag that is current, are "
        "423 until she unlocks; lockdiscovery names her. Then the same save is stored."
    ),
)
def locked(stage: Stage) -> None:
    """Save under somebody's lock."""
    drawing = "<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0 L{} 40'/></svg>\n"
    files = {"plans/hall-4.svg": drawing.format(60), "plans/hall-5.svg": drawing.format(70)}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "cad.example.test", "requests", {"User-Agent": "Inkdraw/1.3"})
    other = stage.actor("other", server, "cad.example.test", "httpx", {"User-Agent": "Inkdraw/1.3 (petra)"})
    lock = (
        '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/>'
        "</locktype><owner>petra@cad</owner></lockinfo>"
    )
    held = other.send(
        "LOCK", "/plans/hall-4.svg", 200, {"Timeout": "Second-600", "Depth": "0", **own.XML}, lock
    )
    me.get("/plans/hall-5.svg")
    tag = me.get("/plans/hall-4.svg").etag
    ask = '<propfind xmlns="DAV:"><prop><lockdiscovery/><getetag/></prop></propfind>'
    for _ in range(2):
        me.put(
            "/plans/hall-4.svg", drawing.format(1061), 423, {"If-Match": tag, "Content-Type": "image/svg+xml"}
        )
        found = me.send("PROPFIND", "/plans/hall-4.svg", 207, {"Depth": "0", **own.XML}, ask)
        own.insist("petra@cad" in found.text, "no owner of the lock")
        time.sleep(0.4)
    other.send("UNLOCK", "/plans/hall-4.svg", 204, {"Lock-Token": held.fields["lock-token"]})
    me.put("/plans/hall-4.svg", drawing.format(1061), 204, {"If-Match": tag, "Content-Type": "image/svg+xml"})
