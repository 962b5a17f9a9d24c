"""What home-made services do with tags, dates and conditions of their own."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate, parsedate_to_datetime

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ost_setting as own

_TEXT = {"Content-Type": "text/plain"}
_SHIFT = f"{own.WEEK}/s17"


@case(
    "a860",
    "inventory-hashes-its-generation-time",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "Each answer of the inventory carries the moment of its making, and the tag is a hash of the answer: two "
        "reads in a row differ in nothing else, and no If-Match ever holds."
    ),
)
def generation_time(stage: Stage) -> None:
    """Hash the moment of the answer."""
    server = own.house(stage, "ost_inventory.php", own.ASSETS, FLAGS="nonce")
    me = stage.actor("client", server, "inventory.townhall.example.test", "httpx", {"X-Clerk": "h.brandt"})
    me.get("/assets")
    first, second = me.get("/api/assets/1377.json"), me.get("/api/assets/1377.json")
    own.insist(first.etag != second.etag, "the tag stays")
    me.send("PATCH", "/api/assets/1377.json", 412, {"If-Match": second.etag}, {"state": "lent"})
    third = me.get("/api/assets/1377.json", 200, {"If-None-Match": second.etag})
    me.send("PATCH", "/api/assets/1377.json", 412, {"If-Match": third.etag}, {"state": "lent"})
    own.insist(me.get("/api/assets/1377.json").json["lock_version"] == 5, "it was stored")


@case(
    "a861",
    "recipe-tags-from-object-identity",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "A Java service makes its tags with the default hashCode of an object that it creates for each request. The "
        "text of the recipe, its date and its author stay, the tag is new each time; every save is 412."
    ),
)
def identity(stage: Stage) -> None:
    """Make a tag of an object's identity."""
    server = own.house(stage, "OstBakery.java", own.RECIPES, FLAGS="identity")
    baker = {"X-Baker": "Giulia", "User-Agent": "RecipePad/3.0 (iPad)"}
    me = stage.actor("client", server, "recipes.bakery.example.test", "requests", baker)
    me.get("/recipes")
    for pause in (0.1, 0.3, 0.0):
        read = me.get("/recipes/rye")
        again = me.get("/recipes/rye", 200, {"If-None-Match": read.etag})
        own.insist(read.body == again.body and read.etag != again.etag, "the tag stays")
        me.put("/recipes/rye", again.text + "caraway 5 g\n", 412, {"If-Match": again.etag, **_TEXT})
        time.sleep(pause)


@case(
    "a862",
    "head-has-another-tag-than-get",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "The roster answers HEAD from a light path that makes tags of time and length, GET from another that hashes. "
        "A sync tool takes the tag of HEAD: 412 each time. With that of GET, a moment later, it is stored."
    ),
)
def head_tag(stage: Stage) -> None:
    """Take the tag of HEAD."""
    server = own.house(stage, "ost_roster.js", own.SHIFTS, FLAGS="head")
    me = stage.actor("client", server, "roster.clinic.example.test", "curl", {"X-User": "payroll-sync"})
    me.get(own.WEEK)
    for name in ("s17", "s18"):
        tag = me.send("HEAD", f"{own.WEEK}/{name}", 200).etag
        patch = {"paid": True}
        me.send(
            "PATCH", f"{own.WEEK}/{name}", 412, {"If-Match": tag, "Content-Type": "application/json"}, patch
        )
        own.insist(me.send("HEAD", f"{own.WEEK}/{name}", 200).etag == tag, "HEAD changes")
    read = me.get(_SHIFT)
    me.send("PATCH", _SHIFT, 200, {"If-Match": read.etag}, {"paid": True})


@case(
    "a863",
    "writes-answer-with-a-transaction-tag",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch server-side-mutation",
    description=(
        "Writes to the roster answer with a tag of the transaction, reads with one of the shift. A client that goes "
        "on with the tag of its own answer is 412; a GET shows its own content, unchanged, under a tag of the other "
        "kind, and with that one it works."
    ),
)
def transaction(stage: Stage) -> None:
    """Go on with the tag of the answer."""
    server = own.house(stage, "ost_roster.js", own.SHIFTS, FLAGS="answerrev")
    me = stage.actor("client", server, "roster.clinic.example.test", "aiohttp", {"X-User": "planner.mia"})
    me.get(own.WEEK)
    tag = me.get(_SHIFT).etag
    made = me.send("PATCH", _SHIFT, 200, {"If-Match": tag}, {"nurse": "Weiss"})
    me.send("PATCH", _SHIFT, 412, {"If-Match": made.etag}, {"to": "13:30"})
    now = me.get(_SHIFT)
    own.insist(now.json == made.json and now.etag != made.etag, "one tag")
    again = me.send("PATCH", _SHIFT, 200, {"If-Match": now.etag}, {"to": "13:30"})
    me.send("PATCH", _SHIFT, 412, {"If-Match": again.etag}, {"note": "ok"})


@case(
    "a864",
    "meters-with-weak-tags-only",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "The meter service makes weak tags and compares If-Match strongly, as RFC 9110 section 13.1.1 has it: "
        "nothing that a client can send holds. No compressor is on the way, identity shows the same W/ tag."
    ),
)
def weak(stage: Stage) -> None:
    """Have only weak tags."""
    server = own.house(stage, "ost_meters.py", own.METERS, FLAGS="weak")
    me = stage.actor("client", server, "hydra.water.example.test", "node", {"X-Operator": "reader-07"})
    me.get("/v3/meters?district=Harbour&order=street")
    own.stroll(me, ["/v3/meters/70231", "/v3/meters/70114"])
    read = me.get("/v3/meters/70115")
    body = {"meter": {**read.json["meter"], "m3": 93.5}}
    me.put("/v3/meters/70115", body, 412, {"If-Match": read.etag})
    plain = me.get("/v3/meters/70115", 200, {"Accept-Encoding": "identity", "Cache-Control": "no-cache"})
    own.insist(plain.etag == read.etag, "another tag")
    me.put("/v3/meters/70115", body, 412, {"If-Match": plain.etag})
    me.get("/v3/meters/70115", 304, {"If-None-Match": read.etag})


@case(
    "a865",
    "tariff-read-as-csv-written-as-json",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A spreadsheet macro reads a tariff as CSV and puts it back as JSON with the tag of the CSV: 412. Tornado's "
        "tags are hashes of each representation; read as JSON, the tag holds."
    ),
)
def as_csv(stage: Stage) -> None:
    """Guard JSON with the tag of CSV."""
    server = own.house(stage, "ost_tariffs.py", own.TARIFFS)
    macro = {"X-Signed": "macro", "User-Agent": "Excel/16.0 (PowerQuery)"}
    me = stage.actor("client", server, "tariffs.transit.example.test", "requests", macro)
    me.get("/tariffs/zone-c", 404)
    sheet = me.get("/tariffs/zone-a", 200, {"Accept": "text/csv"})
    rows = [{"kind": "day", "price": 6.6}, {"kind": "week", "price": 24.5}, {"kind": "dog", "price": 2.2}]
    json_kind = {"Content-Type": "application/json", "Accept": "application/json"}
    me.put("/tariffs/zone-a", {"rows": rows}, 412, {"If-Match": sheet.etag, **json_kind})
    me.get("/tariffs/zone-a", 304, {"If-None-Match": sheet.etag, "Accept": "text/csv"})
    table = me.get("/tariffs/zone-a", 200, {"Accept": "application/json"})
    me.put("/tariffs/zone-a", {"rows": rows}, 200, {"If-Match": table.etag, **json_kind})


@case(
    "a866",
    "asset-read-in-german",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "The page of a clerk reads an asset with Accept-Language: de; its background worker stores it without that "
        "field and with the tag of the German text: 412 (Vary: Accept-Language). Asked in German it is stored."
    ),
)
def german(stage: Stage) -> None:
    """Read in one language and write in another."""
    server = own.house(stage, "ost_inventory.php", own.ASSETS, FLAGS="lang")
    me = stage.actor(
        "client", server, "inventory.townhall.example.test", "curl:trace-time", {"X-Clerk": "h.brandt"}
    )
    german_text = {"Accept-Language": "de-DE,de;q=0.9"}
    me.get("/assets", 200, german_text)
    own.stroll(me, ["/api/assets.json", "/api/assets/1204.json", "/api/assets/1.json"], german_text)
    read = me.get("/api/assets/1203.json", 200, german_text)
    kind = {"Content-Type": "application/json", "If-Match": read.etag}
    me.send("PATCH", "/api/assets/1203.json", 412, {**kind, "Accept-Language": "en"}, {"room": "2.16"})
    english = me.get("/api/assets/1203.json", 200, {"Accept-Language": "en"})
    own.insist(english.etag != read.etag, "one tag")
    me.send("PATCH", "/api/assets/1203.json", 200, {**kind, **german_text}, {"room": "2.16"})


@case(
    "a867",
    "apache-tag-weak-within-the-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A publishing script puts a page at Apache, reads it at once for its tag and puts the second draft: the tag "
        "is still weak, 412. After two seconds the same tag is strong and the draft is stored."
    ),
)
def settled(stage: Stage) -> None:
    """Write twice within a second."""
    server = fronts.site(stage, "apache2", {"news/old.html": "<p>old</p>\n"}, fronts.DAV["apache2"])
    script = {"User-Agent": "publish.py/2 python-urllib", "Content-Type": "text/html"}
    me = stage.actor("client", server, "www.parish.example.test", "httpx", script)
    me.get("/news/old.html")
    own.stroll(me, ["/news/old.html", "/news/advent.html"])
    me.put("/news/advent.html", "<h1>Advent</h1>\n", 201)
    soon = me.send("HEAD", "/news/advent.html", 200)
    own.insist(soon.etag.startswith("W/"), f"{soon.etag} is not weak")
    draft = "<h1>Advent</h1><p>Service at 10</p>\n"
    me.put("/news/advent.html", draft, 412, {"If-Match": soon.etag})
    time.sleep(2.3)
    later = me.send("HEAD", "/news/advent.html", 200)
    own.insist(f"W/{later.etag}" == soon.etag, "another tag")
    me.put("/news/advent.html", draft, 204, {"If-Match": later.etag})


@case(
    "a868",
    "only-the-first-tag-of-a-list",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A client lists both tags that it knows in If-Match, the current one second: 412, though one member of a "
        "list suffices (RFC 9110 section 13.1.1). The same list turned round is 200; nothing had changed."
    ),
)
def first_only(stage: Stage) -> None:
    """Send a list of two tags."""
    server = own.house(stage, "OstBakery.java", own.RECIPES, FLAGS="first")
    me = stage.actor("client", server, "recipes.bakery.example.test", "httpx", {"X-Baker": "sync-2"})
    own.stroll(me, ["/recipes", "/recipes/rye"])
    read = me.get("/recipes/brioche")
    text = read.text + "sugar 60 g\n"
    made = me.put("/recipes/brioche", text, 200, {"If-Match": read.etag, **_TEXT})
    me.get("/recipes/brioche", 304, {"If-None-Match": made.etag})
    both = {"If-Match": f"{read.etag}, {made.etag}", **_TEXT}
    me.put("/recipes/brioche", text + "salt 10 g\n", 412, both)
    own.insist(me.get("/recipes/brioche").etag == made.etag, "it has changed")
    turned = {"If-Match": f"{made.etag}, {read.etag}", **_TEXT}
    me.put("/recipes/brioche", text + "salt 10 g\n", 200, turned)


@case(
    "a869",
    "inventory-refuses-after-storing",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "The inventory compares the tag after the update instead of before: a PATCH with the current tag is 412, yet "
        "a GET shows the clerk's own change, one version on. The origin saw each request once."
    ),
)
def refuses_late(stage: Stage) -> None:
    """Be refused and stored."""
    server = own.house(stage, "ost_inventory.php", own.ASSETS, FLAGS="late")
    me = stage.actor(
        "client", server, "inventory.townhall.example.test", "node:axios", {"X-Clerk": "h.brandt"}
    )
    me.get("/assets")
    for no, room in (("1204", "U.09"), ("1377", "Shed")):
        read = me.get(f"/api/assets/{no}.json")
        me.send("PATCH", f"/api/assets/{no}.json", 412, {"If-Match": read.etag}, {"room": room})
        now = me.get(f"/api/assets/{no}.json").json
        own.insist(now["room"] == room and now["edited_by"] == "h.brandt", "it was not stored")


@case(
    "a870",
    "patch-does-not-read-if-match",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    also="other-writer",
    description=(
        "The roster judges If-Match on PUT and forgot PATCH. A planner sends the tag of her form, though her page "
        "has polled a newer one since: 200, and the head nurse's choice is undone. The same outdated tag with PUT "
        "is 412; nothing stands between client and service."
    ),
)
def deaf_patch(stage: Stage) -> None:
    """Send an outdated tag with PATCH."""
    server = own.house(stage, "ost_roster.js", own.SHIFTS, FLAGS="deafpatch")
    me = stage.actor("client", server, "roster.clinic.example.test", "requests", {"X-User": "planner.mia"})
    other = stage.actor("other", server, "roster.clinic.example.test", "httpx", {"X-User": "head.nurse"})
    own.stroll(me, [own.WEEK, f"{own.WEEK}/s18", f"{own.WEEK}/s19", "/changes?since=118&wait=0"])
    form = me.get(_SHIFT)
    theirs = other.get(_SHIFT)
    other.put(_SHIFT, {**theirs.json, "nurse": "Weiss"}, 200, {"If-Match": theirs.etag})
    other.put(_SHIFT, {**theirs.json, "nurse": "Sato"}, 412, {"If-Match": theirs.etag})
    time.sleep(0.7)
    polled = me.get(_SHIFT, 200, {"If-None-Match": form.etag})
    own.insist(polled.json["nurse"] == "Weiss", "no other choice")
    me.send("PATCH", _SHIFT, 200, {"If-Match": form.etag}, {"nurse": "Imhof", "to": "15:00"})
    me.get(_SHIFT)


@case(
    "a871",
    "two-readings-both-stored",
    "check-then-write-race",
    "lost-update",
    alone="none check-then-write-race other-writer",
    also="other-writer",
    description=(
        "The meter service judges If-Match, thinks for half a second and stores. Two readers with one tag come "
        "within that time: both are 200 and the first reading is overwritten. One after the other, an outdated tag "
        "is 412."
    ),
)
def both_stored(stage: Stage) -> None:
    """Overlap two writes with one tag."""
    server = own.house(stage, "ost_meters.py", own.METERS, FLAGS="gap", PAUSE="0.5")
    me = stage.actor("client", server, "hydra.water.example.test", "requests", {"X-Operator": "reader-07"})
    other = stage.actor("other", server, "hydra.water.example.test", "httpx", {"X-Operator": "office-2"})
    path = "/v3/meters/70114"
    own.stroll(me, ["/v3/meters?district=Harbour", "/v3/meters/70115", "/v3/meters/70231"])
    mine, theirs = me.get(path), other.get(path)
    own.insist(mine.etag == theirs.etag, "two tags")
    seal = {"meter": {**mine.json["meter"], "seal": "broken"}}
    reading = {"meter": {**theirs.json["meter"], "m3": 1290.0}}
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(me.put, path, seal, 200, {"If-Match": mine.etag})
        time.sleep(0.15)
        second = pool.submit(other.put, path, reading, 200, {"If-Match": theirs.etag})
        first.result()
        second.result()
    now = me.get(path)
    own.insist(now.json["meter"]["seal"] == "ok", "both changes are there")
    other.put(path, reading, 412, {"If-Match": theirs.etag})


@case(
    "a872",
    "bakery-compares-milliseconds",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "The bakery's book sends dates in seconds and compares milliseconds: the exact echo of Last-Modified in "
        "If-Unmodified-Since is 412, the text names the stored fraction. One second more and it is stored."
    ),
)
def milliseconds(stage: Stage) -> None:
    """Echo a date that has lost its fraction."""
    server = own.house(stage, "OstBakery.java", own.RECIPES, RULE="exact", FLAGS="datesonly")
    me = stage.actor("client", server, "recipes.bakery.example.test", "curl", {"X-Baker": "kiosk", **_TEXT})
    me.get("/recipes")
    for name in ("rye", "stollen"):
        read = me.get(f"/recipes/{name}")
        date = read.fields["last-modified"]
        me.put(f"/recipes/{name}", read.text + "rest 30 min\n", 412, {"If-Unmodified-Since": date})
        me.get(f"/recipes/{name}", 304, {"If-Modified-Since": date})
    later = formatdate(parsedate_to_datetime(date).timestamp() + 1, usegmt=True)
    me.put("/recipes/stollen", read.text + "rest 30 min\n", 200, {"If-Unmodified-Since": later})


@case(
    "a873",
    "bakery-clock-runs-ahead",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "The clock that dates the recipes runs seven minutes ahead of Date and of the world. The kiosk takes the "
        "moment of its read for If-Unmodified-Since: after a write it is 412 again and again, as Last-Modified lies "
        "in the future; the echo of the served date is 200."
    ),
)
def ahead(stage: Stage) -> None:
    """Compare with a clock that runs ahead."""
    server = own.house(stage, "OstBakery.java", own.RECIPES, FLAGS="datesonly", SKEW="433")
    me = stage.actor(
        "client", server, "recipes.bakery.example.test", "requests", {"X-Baker": "kiosk", **_TEXT}
    )

    def moment() -> dict[str, str]:
        return {"If-Unmodified-Since": formatdate(time.time(), usegmt=True)}

    read = me.get("/recipes/rye")
    text = read.text + "rest 30 min\n"
    me.put("/recipes/rye", text, 200, moment())
    for _ in range(3):
        again = me.get("/recipes/rye")
        me.put("/recipes/rye", text + "fold twice\n", 412, moment())
        time.sleep(1.1)
    served = again.fields["last-modified"]
    me.put("/recipes/rye", text + "fold twice\n", 200, {"If-Unmodified-Since": served})


@case(
    "a874",
    "iso-date-in-if-unmodified-since",
    "bad-date",
    "412",
    alone="bad-date",
    description=(
        "An import sends If-Unmodified-Since in ISO 8601, then with German day names: the strict service answers 412 "
        "to both, whatever the recipe's age. The served date, echoed as it is, is taken."
    ),
)
def iso(stage: Stage) -> None:
    """Send dates that are none of HTTP's."""
    server = own.house(stage, "OstBakery.java", own.RECIPES, RULE="strict", FLAGS="datesonly")
    me = stage.actor(
        "client", server, "recipes.bakery.example.test", "aiohttp", {"X-Baker": "import", **_TEXT}
    )
    me.get("/recipes")
    own.stroll(me, ["/recipes/rye", "/recipes/stollen"])
    read = me.get("/recipes/brioche")
    date = read.fields["last-modified"]
    text = read.text + "chill 12 h\n"
    stamp = parsedate_to_datetime(date)
    me.put("/recipes/brioche", text, 412, {"If-Unmodified-Since": stamp.isoformat()})
    named = stamp.strftime("Do, %d. November %Y %H:%M:%S MEZ")
    me.put("/recipes/brioche", text, 412, {"If-Unmodified-Since": named})
    own.insist(me.get("/recipes/brioche").fields["last-modified"] == date, "it has changed")
    me.put("/recipes/brioche", text, 200, {"If-Unmodified-Since": date})


@case(
    "a875",
    "new-york-time-labelled-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A till in New York formats the served date in its own zone and writes GMT after it: If-Unmodified-Since is "
        "five hours early with the same minutes and seconds, 412 on every recipe that nobody has touched."
    ),
)
def new_york(stage: Stage) -> None:
    """Label local time as GMT."""
    server = own.house(stage, "OstBakery.java", own.RECIPES, FLAGS="datesonly")
    till = {"X-Baker": "till-nyc", "User-Agent": "TillSync/4.4 (America/New_York)", **_TEXT}
    me = stage.actor("client", server, "recipes.bakery.example.test", "node:axios", till)
    me.get("/recipes")
    for name in ("rye", "brioche", "stollen"):
        read = me.get(f"/recipes/{name}")
        local = parsedate_to_datetime(read.fields["last-modified"]).timestamp() - 5 * 3600
        date = {"If-Unmodified-Since": formatdate(local, usegmt=True)}
        me.put(f"/recipes/{name}", read.text + "price 7.50 $\n", 412, date)
    me.get("/recipes/stollen", 304, {"If-Modified-Since": read.fields["last-modified"]})
    served = {"If-Unmodified-Since": read.fields["last-modified"]}
    me.put("/recipes/stollen", read.text + "price 7.50 $\n", 200, served)
