"""What scripts, phones and forms do with the token they were given."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ost_setting as own

if TYPE_CHECKING:
    from tools.recording.message import Message

_SHIFT = f"{own.WEEK}/s17"


@case(
    "a814",
    "form-filler-keeps-its-version",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A script fills in the inventory's form with the lock_version it parsed in the morning. Its first POST is "
        "stored and the page that follows shows version 6; its second POST still says 5: a page with 412 that names "
        "the script itself as the one who has changed the asset."
    ),
    notes=("the token is a hidden field of the form; no validator header anywhere",),
)
def form_filler(stage: Stage) -> None:
    """Post two forms with one version."""
    server = own.house(stage, "ost_inventory.php", own.ASSETS, FLAGS="demand")
    always = {"X-Clerk": "form-filler", "User-Agent": "MechanicalSoup/1.3", "Accept": "text/html"}
    me = stage.actor("client", server, "inventory.townhall.example.test", "urllib", always)
    own.browse(me, ["/assets", "/assets/1203", "/assets/1377"])
    me.send(
        "POST",
        "/assets/1377",
        200,
        own.FORM,
        "lock_version=5&name=Ladder+6+m&room=Yard&state=checked&owner=Works",
    )
    form = "lock_version=5&name=Beamer+EPX+40&room={}&state=good&owner=Culture"
    page = me.send("POST", "/assets/1203", 200, own.FORM, form.format("2.14"))
    own.insist('value="6"' in page.text, "not stored")
    time.sleep(1.5)
    refused = me.send("POST", "/assets/1203", 412, own.FORM, form.format("1.01"))
    own.insist("form-filler has changed" in refused.text, "somebody else has written")
    me.get("/assets/1203")


@case(
    "a815",
    "contact-sync-old-tag-in-database",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A phone's sync adapter keeps the tag of a card from its first upload. After its own second upload (a new "
        "tag in the answer, and another in the listing) it sends the first tag with the third: 412."
    ),
)
def old_tag(stage: Stage) -> None:
    """Upload three times."""
    server = stage.server("radicale")
    phone = {"Authorization": "Basic bHVpczpsdWlz", "User-Agent": "CardSync/3.1 Android 14"}
    me = stage.actor("client", server, "dav.luis.example.test", "node", phone)
    me.send("PROPFIND", "/", 207, {"Depth": "0", **own.XML})
    me.send("MKCOL", "/luis/team/", 201, own.XML, own.BOOK)
    text = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c-88\r\nFN:Noor {}\r\nEND:VCARD\r\n"
    kind = {"Content-Type": "text/vcard"}
    first = me.put("/luis/team/c-88.vcf", text.format("A"), 201, {**kind, "If-None-Match": "*"})
    second = me.put("/luis/team/c-88.vcf", text.format("Ali"), 204, {**kind, "If-Match": first.etag})
    own.insist(second.etag != first.etag, "the tag stayed")
    listing = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    me.send("PROPFIND", "/luis/team/", 207, {"Depth": "1", **own.XML}, listing)
    me.put("/luis/team/c-88.vcf", text.format("Ali-Hansen"), 412, {**kind, "If-Match": first.etag})
    me.get("/luis/team/c-88.vcf")


@case(
    "a816",
    "cron-loop-with-one-tag",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer",
    description=(
        "A cron script's curl gets 412 because a baker has changed the recipe, and its loop sends the same command "
        "with the same If-Match five times, waiting longer each time, without one GET."
    ),
)
def cron_loop(stage: Stage) -> None:
    """Send one command five times."""
    server = own.house(stage, "OstBakery.java", own.RECIPES)
    cron = {"User-Agent": "curl/7.88.1 nightly-scale.sh", "X-Baker": "scale"}
    me = stage.actor("client", server, "recipes.bakery.example.test", "curl:trace-time", cron)
    other = stage.actor("other", server, "recipes.bakery.example.test", "httpx", {"X-Baker": "Giulia"})
    own.stroll(me, ["/recipes", "/recipes/rye", "/recipes/brioche", "/recipes/panettone"])
    read = me.get("/recipes/stollen")
    theirs = other.get("/recipes/stollen")
    other.put("/recipes/stollen", theirs.text + "almonds 100 g\n", 200, {"If-Match": theirs.etag})
    text = read.text.replace("800", "8000").replace("400", "4000")
    for pause in (0.2, 0.4, 0.8, 1.6, 0.0):
        me.put("/recipes/stollen", text, 412, {"If-Match": read.etag, "Content-Type": "text/plain"})
        time.sleep(pause)


@case(
    "a817",
    "mobile-outbox-replays-conflict",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer",
    description=(
        "The outbox of a nurse's phone takes 412 for a passing trouble: each time the phone wakes it sends the same "
        "PATCH with the same tag, and polls the feed between. The shift was reassigned by the head nurse."
    ),
)
def outbox(stage: Stage) -> None:
    """Wake up four times."""
    server = own.house(stage, "ost_roster.js", own.SHIFTS)
    phone = {"X-User": "okafor", "User-Agent": "WardPlan/7.2 (Android 15; outbox)"}
    me = stage.actor("client", server, "roster.clinic.example.test", "requests", phone)
    other = stage.actor("other", server, "roster.clinic.example.test", "node:axios", {"X-User": "head.nurse"})
    me.get(own.WEEK)
    tag = me.get(_SHIFT).etag
    theirs = other.get(_SHIFT)
    other.send("PATCH", _SHIFT, 200, {"If-Match": theirs.etag}, {"nurse": "Weiss"})
    for attempt in range(1, 5):
        fields = {"If-Match": tag, "X-Outbox-Item": "ob-5512", "X-Attempt": str(attempt)}
        me.send("PATCH", _SHIFT, 412, fields, {"nurse": "Okafor"})
        me.get("/changes?since=118")
        time.sleep(0.3 * attempt)


@case(
    "a818",
    "permit-filed-answer-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A portal files a permit with If-None-Match: * and its own reference; the answer never comes, the portal "
        "repeats the request and is told that the file exists. The file carries the portal's reference."
    ),
)
def filed(stage: Stage) -> None:
    """File once, send twice."""
    server = own.house(stage, "ost_permits.py", own.PERMITS)
    lost = iter([True])

    def loses(request: Message) -> bool:
        return request.method == "PUT" and next(lost, False)

    portal = {"X-Clerk": "portal", "X-Portal-Request": "pr-77c09"}
    me = stage.actor("client", server, "permits.county.example.test", "requests", portal, loses=loses)
    me.get("/permits?applicant=Lindqvist")
    own.stroll(me, ["/permits/BP-2026-0131", "/permits/BP-2026-0140"])
    body = "<permit><applicant>Lindqvist</applicant><plot>3/9</plot><ref>pr-77c09</ref></permit>"
    fields = {**own.XML, "If-None-Match": "*"}
    me.put("/permits/BP-2026-0140", body, 0, fields)
    time.sleep(1.0)
    me.put("/permits/BP-2026-0140", body, 412, {**fields, "X-Portal-Attempt": "2"})
    found = me.get("/permits/BP-2026-0140")
    own.insist("pr-77c09" in found.text and 'serial="1"' in found.text, "the file is not the portal's")


@case(
    "a819",
    "reading-stored-tunnel-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A meter reader stands in a cellar: his reading is stored, the connection breaks before the answer. His "
        "device repeats it with the same tag: 412. The record is his own, one revision on, with his visit number."
    ),
)
def cellar(stage: Stage) -> None:
    """Read in a cellar."""
    server = own.house(stage, "ost_meters.py", own.METERS)
    lost = iter([True])
    me = stage.actor(
        "client",
        server,
        "hydra.water.example.test",
        "httpx",
        {"X-Operator": "reader-11", "User-Agent": "MeterWalk/5.0"},
        loses=lambda request: request.method == "PUT" and "70115" in request.target and next(lost, False),
    )
    me.get("/v3/meters?district=Harbour")
    first = me.get("/v3/meters/70114")
    me.put(
        "/v3/meters/70114", {"meter": {**first.json["meter"], "m3": 1220.0}}, 200, {"If-Match": first.etag}
    )
    read = me.get("/v3/meters/70115")
    body = {"meter": {**read.json["meter"], "m3": 91.75, "visit": "v-2026-11-26-11-0042"}}
    me.put("/v3/meters/70115", body, 0, {"If-Match": read.etag})
    time.sleep(0.8)
    me.put("/v3/meters/70115", body, 412, {"If-Match": read.etag})
    now = me.get("/v3/meters/70115").json
    own.insist(now["meter"]["visit"] == "v-2026-11-26-11-0042" and now["sys"]["rev"] == 12, "not his own")


@case(
    "a820",
    "wiki-editor-refreshes-tag-at-save",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    also="other-writer",
    description=(
        "An offline editor of the wiki keeps the text it loaded, and asks for a fresh tag right before it saves: "
        "the save is 200, and the date that the coach had added is gone from the page."
    ),
)
def fresh_tag(stage: Stage) -> None:
    """Take a new tag for an old text."""
    pages = {
        "Fixtures": "#author admin\n= Fixtures =\n* 5 Dec away\n* 12 Dec home\n",
        "Home": "#author admin\nHi\n",
    }
    server = own.wiki(stage, pages)
    me = stage.actor(
        "client", server, "wiki.club.example.test", "requests", {"User-Agent": "WikiPad/2 offline"}
    )
    other = stage.actor(
        "other", server, "wiki.club.example.test", "curl", {"User-Agent": "Mozilla/5.0 coach"}
    )
    me.get("/wiki.pl/Table", 404)
    base = me.get("/wiki.pl/Fixtures")
    me.get("/wiki.pl/Home")
    own.stroll(me, ["/wiki.pl/Home", "/wiki.pl/Home?view=html"])
    theirs = other.get("/wiki.pl/Fixtures")
    text = theirs.text.replace("admin", "coach") + "* 17 Dec cup, 19:00\n"
    other.put("/wiki.pl/Fixtures", text, 200, {"If-Match": theirs.etag})
    time.sleep(1.0)
    seen = me.get("/wiki.pl/Fixtures")
    own.insist("cup" in seen.text, "the coach's date is not there")
    saved = base.text.replace("admin", "odile").replace("away", "away (bus 9:30)")
    me.put("/wiki.pl/Fixtures", saved, 200, {"If-Match": seen.etag})
    own.insist("cup" not in me.get("/wiki.pl/Fixtures").text, "the coach's date survived")


@case(
    "a821",
    "sheet-plugin-head-then-put",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    also="other-writer",
    description=(
        "A spreadsheet add-on syncs the tariff it loaded in the morning. Its push reads the table for the tag alone "
        "and puts its own rows: the bike ticket that the other office had added is lost without a word."
    ),
)
def add_on(stage: Stage) -> None:
    """Push the rows of the morning."""
    server = own.house(stage, "ost_tariffs.py", own.TARIFFS, FLAGS="demand")
    me = stage.actor(
        "client", server, "tariffs.transit.example.test", "aiohttp", {"X-Signed": "office north"}
    )
    other = stage.actor(
        "other", server, "tariffs.transit.example.test", "urllib", {"X-Signed": "office south"}
    )
    zone = me.get("/tariffs/zone-b")
    me.put("/tariffs/zone-b", {"rows": zone.json["rows"][::-1]}, 200, {"If-Match": zone.etag})
    me.get("/tariffs/zone-z", 404)
    morning = me.get("/tariffs/zone-a").json["rows"]
    seen = other.get("/tariffs/zone-a")
    rows = [*seen.json["rows"], {"kind": "bike", "price": 3.0}]
    other.put("/tariffs/zone-a", {"rows": rows}, 200, {"If-Match": seen.etag})
    time.sleep(0.7)
    tag = me.get("/tariffs/zone-a").etag
    morning[1]["price"] = 25.5
    me.put("/tariffs/zone-a", {"rows": morning}, 200, {"If-Match": tag})
    own.insist("bike" not in me.get("/tariffs/zone-a").text, "the ticket survived")
    other.get("/tariffs/zone-a")


@case(
    "a822",
    "inventory-app-without-condition",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    also="other-writer",
    description=(
        "A hand scanner stores whole assets without If-Match, although every read gives a tag. The owner that a "
        "clerk has set with a condition in between is overwritten with the scanner's older copy."
    ),
)
def scanner(stage: Stage) -> None:
    """Store an old copy."""
    server = own.house(stage, "ost_inventory.php", own.ASSETS)
    scan = {"X-Clerk": "scanner-2", "User-Agent": "ScanMate/1.9"}
    me = stage.actor("client", server, "inventory.townhall.example.test", "node", scan)
    other = stage.actor(
        "other", server, "inventory.townhall.example.test", "requests", {"X-Clerk": "s.duarte"}
    )
    own.stroll(me, ["/assets", "/api/assets.json", "/api/assets/4711.json"])
    copies = {no: me.get(f"/api/assets/{no}.json").json for no in ("1203", "1204", "1377")}
    theirs = other.get("/api/assets/1204.json")
    other.put("/api/assets/1204.json", {**theirs.json, "owner": "Archive"}, 200, {"If-Match": theirs.etag})
    time.sleep(0.9)
    for no, copy in copies.items():
        me.put(f"/api/assets/{no}.json", {**copy, "state": "seen 2026-11-26"}, 200)
    now = me.get("/api/assets/1204.json")
    own.insist(now.json["owner"] == "Planning", "the owner survived")
    other.get("/api/assets/1204.json")


@case(
    "a823",
    "cron-overwrites-calendar-file",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    also="other-writer",
    description=(
        "A cron job downloads an .ics from lighttpd's WebDAV, adds an event and uploads it with plain curl -T. The "
        "secretary has saved the same file with If-Match between: her event is gone."
    ),
)
def calendar_file(stage: Stage) -> None:
    """Upload without looking."""
    start = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"
    event = "BEGIN:VEVENT\r\nUID:{0}\r\nDTSTART:2026120{1}T080000Z\r\nSUMMARY:{0}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    files = {"cal/rooms.ics": start, "cal/index.txt": "rooms.ics\n"}
    kinds = 'mimetype.assign += (".ics" => "text/calendar")\n'
    server = fronts.site(stage, "lighttpd", files, kinds + fronts.DAV["lighttpd"])
    me = stage.actor("client", server, "office.example.test", "curl", {"User-Agent": "curl/7.88.1"})
    other = stage.actor(
        "other", server, "office.example.test", "requests", {"User-Agent": "Thunderbird/128.5"}
    )
    own.stroll(me, ["/cal/index.txt", "/cal/cars.ics"])
    read = me.get("/cal/rooms.ics")
    seen = other.get("/cal/rooms.ics")
    theirs = seen.text.replace("END:VCALENDAR\r\n", event.format("inspection", 3))
    other.put("/cal/rooms.ics", theirs, 204, {"If-Match": seen.etag, "Content-Type": "text/calendar"})
    time.sleep(1.5)
    mine = read.text.replace("END:VCALENDAR\r\n", event.format("cleaning", 4))
    me.put("/cal/rooms.ics", mine, 204, {"Content-Type": "text/calendar"})
    time.sleep(1.5)
    own.insist("inspection" not in other.get("/cal/rooms.ics").text, "the event survived")
    me.get("/cal/index.txt")
