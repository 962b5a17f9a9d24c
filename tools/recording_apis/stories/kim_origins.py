"""How products make their tags and judge conditions, and what goes wrong with dates."""

from __future__ import annotations

import json
import time
from email.utils import formatdate, parsedate_to_datetime

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import kim_setting as at
from tools.recording_apis.stories.kim_setting import insist, look, office, suite, together

PATCH = {"Content-Type": "application/vnd.api+json"}


@case(
    "b230",
    "kim-article-tag-of-the-moment",
    "unstable-etag",
    "412",
    alone="unstable-etag inconsistent-backends",
    description=(
        "A publishing service makes an article's tag anew at each rendering: reads in a row have the same content "
        "and revision under different tags, every guarded save is refused."
    ),
    synthetic=True,
)
def moment(stage: Stage) -> None:
    """Read twice, get two tags."""
    server = suite(stage, "jsonapi", at.ARTICLES, UNSTABLE="1")
    me = stage.actor("client", server, "news.atlas.test", "aiohttp", {"X-Actor": "desk-night"})
    me.get("/jsonapi/")
    tags = {me.get("/jsonapi/articles/77").etag for _ in range(3)}
    insist(len(tags) == 3, "a stable tag")
    for _ in range(2):
        tag = me.get("/jsonapi/articles/77").etag
        changed = at.attributes("articles/77", state="live")
        me.send("PATCH", "/jsonapi/articles/77", 412, {**PATCH, "If-Match": tag}, changed)
        time.sleep(0.5)
    insist(me.get("/jsonapi/articles/77").json["data"]["meta"]["revision"] == 2, "it was written")


@case(
    "b231",
    "kim-list-tags-of-another-form",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch wrong-token-source",
    description=(
        "A list of items carries tags of the form guid,number, the item itself and the comparison the number alone: "
        "merging with the list's tag is refused for both items, with the item's own it passes. Nobody else writes."
    ),
    synthetic=True,
)
def two_forms(stage: Stage) -> None:
    """Take a tag from the list."""
    server = office(stage, "sharepoint", at.ASSETS, LISTMARK="1")
    root = "/sites/ops/_api/web/lists/getbytitle('Assets')/items"
    me = stage.actor("client", server, "hafen.sharepoint.test", "requests", {"X-Actor": "pnp-job"})
    digest = me.send("POST", "/sites/ops/_api/contextinfo", 200).json["FormDigestValue"]
    merge = {"X-HTTP-Method": "MERGE", "X-RequestDigest": digest}
    for _ in range(2):
        for one in me.get(f"{root}?$select=Id,State").json["value"]:
            change = {"State": "inspected"}
            me.send("POST", f"{root}({one['Id']})", 412, {**merge, "IF-MATCH": one["odata.etag"]}, change)
        time.sleep(0.7)
    own = me.get(f"{root}(4)").etag
    me.send("POST", f"{root}(4)", 204, {**merge, "IF-MATCH": own}, {"State": "inspected"})


@case(
    "b232",
    "kim-article-tags-always-weak",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "A publishing service has weak tags only and compares If-Match strongly: every guarded save is 412, without "
        "compression as well, and nothing has changed in between."
    ),
    synthetic=True,
)
def weak(stage: Stage) -> None:
    """Guard with what can never match."""
    server = suite(stage, "jsonapi", at.ARTICLES, WEAK="1")
    me = stage.actor("client", server, "news.atlas.test", "node:fetch", {"X-Actor": "desk-day"})
    look(me, ["/jsonapi/articles/78"])
    for coding in ("gzip", "identity", "identity"):
        seen = me.get("/jsonapi/articles/77", 200, {"Accept-Encoding": coding})
        changed = at.attributes("articles/77", state="live")
        me.send("PATCH", "/jsonapi/articles/77", 412, {**PATCH, "If-Match": seen.etag}, changed)
        time.sleep(0.6)
    me.get("/jsonapi/articles/77")


@case(
    "b233",
    "kim-hal-tag-for-plain-json",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A product is read as application/hal+json and saved as application/json; the service has a tag for each "
        "and compares with that of the write's own Accept. Read with the same Accept, the save passes."
    ),
    synthetic=True,
)
def variant(stage: Stage) -> None:
    """Read one form, write the other."""
    server = suite(stage, "spring", at.ENTITIES, VARIANT="1")
    me = stage.actor("client", server, "shop.atlas.test", "java", {"X-Actor": "erp-bridge"})
    hal, plain = {"Accept": "application/hal+json"}, {"Accept": "application/json"}
    me.get("/data/", 200, hal)
    tag = me.get("/data/products/12", 200, hal).etag
    body = at.entity("products/12", price=44.9)
    me.put("/data/products/12", body, 412, {**plain, "If-Match": tag})
    time.sleep(0.4)
    tag = me.get("/data/products/12", 200, hal).etag
    me.put("/data/products/12", body, 412, {**plain, "If-Match": tag})
    tag = me.get("/data/products/12", 200, plain).etag
    me.put("/data/products/12", body, 200, {**plain, "If-Match": tag})


@case(
    "b234",
    "kim-packing-list-edited-at-once",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A packing list is put to Apache's mod_dav, read and edited within the same second: its tag is W/, the edit "
        "412. Two seconds later the same tag is strong and the edit passes."
    ),
)
def settling(stage: Stage) -> None:
    """Edit what was just stored."""
    server = fronts.site(stage, "apache2", {"lists/0.csv": "sku;n\n"}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "dav.hafen.test", "curl", {"User-Agent": "packer/1.1"})
    csv = {"Content-Type": "text/csv"}
    tag = ""
    for _ in range(6):
        time.sleep((1.05 - time.time() % 1) % 1)
        me.put("/lists/4711.csv", "sku;n\nlamp;2\n", (201, 204), csv)
        tag = me.get("/lists/4711.csv").etag
        if tag.startswith("W/"):
            break
    me.put("/lists/4711.csv", "sku;n\nlamp;2\nbag;1\n", 412, {**csv, "If-Match": tag})
    time.sleep(2.3)
    strong = me.get("/lists/4711.csv").etag
    insist(tag == f"W/{strong}", f"{tag} and {strong}")
    me.put("/lists/4711.csv", "sku;n\nlamp;2\nbag;1\n", 204, {**csv, "If-Match": strong})


@case(
    "b235",
    "kim-star-means-a-literal-star",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "Updates of existing accounts with If-Match: *, which means never create, are refused with 412 as if the "
        "star were a tag; reads before and after show the accounts, and with their tags the updates pass."
    ),
    synthetic=True,
)
def star(stage: Stage) -> None:
    """Send a star."""
    server = office(stage, "dynamics", at.ACCOUNTS, STARBUG="1")
    me = stage.actor("client", server, "hafen.crm4.dynamics.test", "httpx", {"X-Actor": "import-job"})
    root = "/api/data/v9.2/accounts"
    me.get(f"{root}?$select=name")
    for name in ("8f21-77", "9a02-13"):
        me.get(f"{root}({name})")
        me.send("PATCH", f"{root}({name})", 412, {"If-Match": "*"}, {"creditlimit": 9000})
    time.sleep(0.6)
    tag = me.get(f"{root}(9a02-13)").etag
    me.send("PATCH", f"{root}(9a02-13)", 204, {"If-Match": tag}, {"creditlimit": 9000})


@case(
    "b236",
    "kim-condition-judged-after-the-commit",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "A Spring service judges the condition once more after it has stored the entity: the first and only attempt "
        "is 412, and the read shows the client's own price under its own name and the next version."
    ),
    synthetic=True,
)
def late(stage: Stage) -> None:
    """Be refused after the fact."""
    server = suite(stage, "spring", at.ENTITIES, LATE="1")
    me = stage.actor("client", server, "shop.atlas.test", "requests", {"X-Actor": "price-desk"})
    look(me, ["/data/", "/data/products/13"])
    tag = me.get("/data/products/12").etag
    me.put("/data/products/12", at.entity("products/12", price=41.5, note="pd-3306"), 412, {"If-Match": tag})
    time.sleep(0.5)
    seen = me.get("/data/products/12")
    insist(seen.json["note"] == "pd-3306" and seen.json["lastModifiedBy"] == "price-desk", "it was refused")
    me.get("/data/suppliers/4")


@case(
    "b237",
    "kim-batch-does-not-read-if-match",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "The tag inside a part of a $batch is not read: a part with a tag that is two saves old is answered 200 and "
        "undoes a colleague's description, while the same stale tag in a request of its own is 412."
    ),
    synthetic=True,
)
def batch(stage: Stage) -> None:
    """Send an old tag inside a batch."""
    server = office(stage, "graph", at.DRIVE, BATCHIGNORES="1")
    me = stage.actor("client", server, "graph.example", "node:axios", {"X-Actor": "archiver"})
    other = stage.actor("other", server, "graph.example", "requests", {"X-Actor": "ines"})
    path = "/v1.0/me/drive/items/01BYE5"
    tag = me.get(path).json["eTag"]
    theirs = other.get(path).json["eTag"]
    other.send("PATCH", path, 200, {"If-Match": theirs}, {"description": "approved by board"})
    time.sleep(0.8)
    me.send("PATCH", path, 412, {"If-Match": tag}, {"description": "archived"})
    look(me, ["/v1.0/me/drive/items/01BYE6"])
    parts = [
        {"id": "1", "method": "GET", "url": "/me/drive/items/01BYE6"},
        {
            "id": "2",
            "method": "PATCH",
            "url": "/me/drive/items/01BYE5",
            "headers": {"If-Match": tag, "Content-Type": "application/json"},
            "body": {"description": "archived"},
        },
    ]
    told = me.send("POST", "/v1.0/$batch", 200, None, {"requests": parts}).json["responses"]
    insist([one["status"] for one in told] == [200, 200], "refused inside")
    me.get(path)


@case(
    "b238",
    "kim-two-dispatchers-same-instant",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race none",
    description=(
        "Two dispatchers change one crew record with the same tag within the pause between check and write: both "
        "are told 200, one change is gone. A later write with the same tag is refused."
    ),
    synthetic=True,
)
def instant(stage: Stage) -> None:
    """Check both before either writes."""
    server = suite(stage, "eve", at.PEOPLE, GAP="0.3")
    me = stage.actor("client", server, "crew.hafen.test", "httpx", {"X-Actor": "dispatch-1"})
    other = stage.actor("other", server, "crew.hafen.test", "requests", {"X-Actor": "dispatch-2"})
    look(me, ["/api/", "/api/crew/ines"])
    tag = me.get("/api/crew/kofi").etag
    theirs = other.get("/api/crew/kofi").etag
    together(
        [
            lambda: other.send("PATCH", "/api/crew/kofi", 200, {"If-Match": theirs}, {"port": "Skagen"}),
            lambda: me.send("PATCH", "/api/crew/kofi", 200, {"If-Match": tag}, {"licence": "B"}),
        ],
        0.08,
    )
    time.sleep(0.4)
    other.send("PATCH", "/api/crew/kofi", 412, {"If-Match": theirs}, {"port": "Skagen"})
    insist(me.get("/api/crew/kofi").json["port"] == "Bergen", "nothing was lost")


@case(
    "b239",
    "kim-appointment-time-with-a-fraction",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "A health record service keeps its times to the millisecond and compares them with an If-Unmodified-Since "
        "of whole seconds: the exact echo of Last-Modified is refused, a second later passes. Nobody wrote."
    ),
    synthetic=True,
)
def fraction(stage: Stage) -> None:
    """Echo a date without its fraction."""
    server = suite(stage, "canvas", at.VISITS, FRACTION="1", AGE="7203.64")
    me = stage.actor("client", server, "fumage.clinic.test", "requests", {"X-Actor": "front-desk"})
    path = "/core/api/Appointment/a-9"
    me.get("/core/api/Appointment")
    date = me.get(path).fields["last-modified"]
    me.put(path, {"status": "arrived"}, 412, {"If-Unmodified-Since": date})
    time.sleep(0.5)
    date = me.get(path).fields["last-modified"]
    me.put(path, {"status": "arrived"}, 412, {"If-Unmodified-Since": date})
    later = formatdate(parsedate_to_datetime(date).timestamp() + 1, usegmt=True)
    me.put(path, {"status": "arrived"}, 200, {"If-Unmodified-Since": later})


@case(
    "b240",
    "kim-tablet-clock-nine-minutes-slow",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A tablet sends the time of its own clock as If-Unmodified-Since; the clock is nine minutes slow, the "
        "appointment was changed four minutes ago, before the read: 412, again and again. No served date was ever "
        "sent, and the echo of the served one passes."
    ),
    synthetic=True,
)
def slow(stage: Stage) -> None:
    """Send one's own time."""
    server = suite(stage, "canvas", at.VISITS, AGE="240.2")
    me = stage.actor("client", server, "fumage.clinic.test", "java", {"X-Actor": "tablet-3"})
    path = "/core/api/Appointment/a-10"
    me.get("/core/api/Appointment")
    for _ in range(3):
        seen = me.get(path)
        own = formatdate(time.time() - 540, usegmt=True)
        me.put(path, {"status": "arrived"}, 412, {"If-Unmodified-Since": own})
        time.sleep(0.7)
    me.put(path, {"status": "arrived"}, 200, {"If-Unmodified-Since": seen.fields["last-modified"]})


@case(
    "b241",
    "kim-row-date-in-iso",
    "bad-date",
    "400",
    alone="bad-date",
    also="status-dialect-mismatch",
    description=(
        "A connector sends SystemModstamp as it is, an ISO 8601 time, as If-Unmodified-Since: 400 Invalid value for "
        "header. The Last-Modified of the answer passes."
    ),
    synthetic=True,
)
def iso(stage: Stage) -> None:
    """Send a time in ISO 8601."""
    server = suite(stage, "salesforce", at.ROWS, LAX="1")
    me = stage.actor("client", server, "hafen.my.salesforce.test", "httpx", {"X-Actor": "connector"})
    path = "/services/data/v62.0/sobjects/Contact/003C1"
    me.get("/services/data/v62.0/query?q=SELECT+Id+FROM+Contact")
    seen = me.get(path)
    change = {"Email": "voss@voss.test"}
    me.send("PATCH", path, 400, {"If-Unmodified-Since": seen.json["SystemModstamp"]}, change)
    me.send("PATCH", path, 400, {"If-Unmodified-Since": "2026-11-26 14:03:11"}, change)
    time.sleep(0.3)
    me.send("PATCH", path, 204, {"If-Unmodified-Since": seen.fields["last-modified"]}, change)


@case(
    "b242",
    "kim-date-five-hours-behind",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A clinic's desk reads Last-Modified, turns it into New York time and writes GMT behind it: the date is five "
        "hours too early and refused, for both appointments. The served date passes."
    ),
    synthetic=True,
)
def five_hours(stage: Stage) -> None:
    """Send local time as GMT."""
    stage.keeps_content = False
    server = suite(stage, "canvas", at.VISITS, AGE="9000")
    me = stage.actor("client", server, "fumage.clinic.test", "aiohttp", {"X-Actor": "desk-nyc"})
    me.get("/core/api/Appointment")
    for name in ("a-9", "a-10", "a-9"):
        path = f"/core/api/Appointment/{name}"
        date = me.get(path).fields["last-modified"]
        local = formatdate(parsedate_to_datetime(date).timestamp() - 5 * 3600, usegmt=True)
        me.put(path, {"status": "noshow"}, 412, {"If-Unmodified-Since": local})
        time.sleep(0.4)
    me.put("/core/api/Appointment/a-9", json.dumps({"status": "noshow"}), 200, {"If-Unmodified-Since": date})
