"""Stories of APIs whose tags, or whose judgement of them, are at fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps import ben_dav, ben_google, ben_health, ben_stores, ben_suites
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ben_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d429",
    "ben-redfish-tag-of-the-moment",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "A server's controller makes a new ETag at each look at a Redfish resource, over the same octets: every PATCH "
        "with the tag just read is Base.1.12.PreconditionFailed; If-Match: * passes."
    ),
    synthetic=True,
)
def controller(stage: Stage) -> None:
    """Send a tag that is never the current one."""
    api = ben_stores.redfish()
    server = place.open_api(stage, api, "tornado", "Redfish")
    me = stage.actor(
        "client", server, "bmc-r7u12.test", "requests", {"X-Auth-Token": "c1f0", "OData-Version": "4.0"}
    )
    place.aside(api, me, {"/redfish/v1/": {"RedfishVersion": "1.15.0", "Id": "RootService"}})
    place.aside(api, me, {"/redfish/v1/Managers": {"Members": [{"@odata.id": "/redfish/v1/Managers/1"}]}})
    path = "/redfish/v1/Managers/1/NetworkProtocol"
    first, second = me.get(path), me.get(path)
    place.sure(first.etag != second.etag and first.body == second.body)
    for _ in range(3):
        seen = me.get(path)
        me.send("PATCH", path, 412, {"If-Match": seen.etag}, {"NTP": {"ProtocolEnabled": True}})
        place.rest(0.3)
    system = me.get("/redfish/v1/Systems/1")
    me.send("PATCH", "/redfish/v1/Systems/1", 412, {"If-Match": system.etag}, {"AssetTag": "rack 7 u13"})
    place.sure(me.get(path).body == first.body)
    me.send("PATCH", path, 204, {"If-Match": "*"}, {"NTP": {"ProtocolEnabled": True}})


_ICS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//fjell//NO\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261102T070000Z\r\n"
    "DTSTART:20261211T170000Z\r\nDURATION:PT2H\r\nSUMMARY:{text}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@case(
    "d430",
    "ben-davical-tags-of-the-report",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "A DAViCal tells getetag as time and number in reports, but compares If-Match with the digest that GET tells: "
        "writes with the report's tag are 412, whose text prints both shapes; with the tag of a GET they pass."
    ),
    synthetic=True,
)
def report(stage: Stage) -> None:
    """Send the tag of a report."""
    events = {f"choir-{n}.ics": _ICS.format(uid=f"choir-{n}", text=f"Rehearsal {n}") for n in (1, 2, 3)}
    api = ben_dav.davical(events)
    me = stage.actor("client", place.open_api(stage, api, "cheroot", "DAViCal"), "cal.marit.example", "httpx")
    home, text = "/caldav.php/marit/home", {"Content-Type": "text/calendar; charset=utf-8"}
    query = (
        '<?xml version="1.0"?><C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop>'
        '<D:getetag/><C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'
    )
    find = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'
    for number in (1, 2):
        found = me.send("REPORT", f"{home}/", 207, {"Depth": "1"}, query).text
        tag = place.tag_in(found.split(f"choir-{number}.ics")[1])
        new = _ICS.format(uid=f"choir-{number}", text=f"Rehearsal {number} in the hall")
        refused = me.put(f"{home}/choir-{number}.ics", new, 412, {**text, "If-Match": tag})
        place.sure("&lt;&lt;" in refused.text)
        place.rest(0.3)
        me.send("PROPFIND", f"{home}/", 207, {"Depth": "1"}, find)
    seen = me.get(f"{home}/choir-1.ics")
    me.put(
        f"{home}/choir-1.ics", _ICS.format(uid="choir-1", text="Hall"), 204, {**text, "If-Match": seen.etag}
    )
    place.watch(me, f"{home}/choir-3.ics", me.get(f"{home}/choir-3.ics").etag, 2)


@case(
    "d431",
    "ben-scim-weak-versions-compared-strongly",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "A SCIM service has weak versions only and compares If-Match strongly: each PATCH with the version just read is "
        "412, also without any coding; nobody else writes and polls are 304. Without a condition the PATCH passes."
    ),
    synthetic=True,
)
def scim(stage: Stage) -> None:
    """Send a weak version."""
    users = {
        f"2819c223-{n}": {"userName": name, "active": True}
        for n, name in enumerate(("bjensen", "ama", "otto"))
    }
    api = ben_health.scim(users)
    server = place.open_api(stage, api, "waitress", "SCIM 2.0 service")
    me = stage.actor("client", server, "directory.firma.test", "node:fetch", {"Authorization": "Bearer prov"})
    kind = {"Content-Type": "application/scim+json"}
    place.aside(
        api,
        me,
        {"/scim/v2/ServiceProviderConfig": {"patch": {"supported": True}, "etag": {"supported": True}}},
    )
    me.get("/scim/v2/Users?startIndex=1&count=50")
    patch = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
    off = {**patch, "Operations": [{"op": "replace", "path": "active", "value": False}]}
    for key in ("2819c223-1", "2819c223-2", "2819c223-1"):
        seen = me.get(f"/scim/v2/Users/{key}", 200, {"Accept-Encoding": "identity"})
        me.get(f"/scim/v2/Users/{key}", 304, {"If-None-Match": seen.etag})
        me.send("PATCH", f"/scim/v2/Users/{key}", 412, {**kind, "If-Match": seen.etag}, off)
        place.rest(0.3)
    me.send("PATCH", "/scim/v2/Users/2819c223-1", 200, kind, off)
    me.get("/scim/v2/Users?startIndex=1&count=50")


@case(
    "d432",
    "ben-solid-read-as-json-ld",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A profile editor reads a Solid pod as JSON-LD and writes Turtle with that tag, which names the media type: 412. "
        "Read as Turtle, the resource has the Turtle tag and the same write passes."
    ),
    synthetic=True,
)
def pod(stage: Stage) -> None:
    """Write Turtle with a tag of JSON-LD."""
    card = '<#me> <http://xmlns.com/foaf/0.1/name> "Anouk" .\n'
    api = ben_dav.solid({"anouk/profile/card": card, "anouk/settings/prefs": "<> a <#Prefs> .\n"})
    server = place.open_api(stage, api, "aiohttp", "Community Solid Server")
    me = stage.actor("client", server, "pods.example", "aiohttp", {"Authorization": "DPoP eyJ0"})
    ld, ttl = {"Accept": "application/ld+json"}, {"Content-Type": "text/turtle"}
    place.aside(api, me, {"/.well-known/openid-configuration": {"issuer": "http://pods.example/"}})
    for path, text in (("/anouk/profile/card", card), ("/anouk/settings/prefs", "<> a <#Prefs> .\n")):
        seen = me.get(path, 200, ld)
        me.get(path, 304, {**ld, "If-None-Match": seen.etag})
        me.put(path, f"{text}# edited\n", 412, {**ttl, "If-Match": seen.etag})
        place.rest(0.4)
    me.get("/anouk/profile/card", 200, ld)
    seen = me.get("/anouk/profile/card", 200, {"Accept": "text/turtle"})
    me.put("/anouk/profile/card", f"{card}# edited\n", 205, {**ttl, "If-Match": seen.etag})
    me.get("/anouk/profile/card", 200, ld)


@case(
    "d433",
    "ben-apache-dav-in-the-first-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "An editor stores a file by WebDAV on Apache httpd, reads it at once and sends the tag with the next save: within "
        "the first second the tag is weak and If-Match is 412; a second later the same value is strong and passes."
    ),
)
def settled(stage: Stage) -> None:
    """Save again at once."""
    files = {"drafts/letter.txt": "Dear all,\n", "drafts/minutes.txt": "1. Opening\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "dav.verein.test", "requests", {"User-Agent": "Schreibstube/3"})
    text = {"Content-Type": "text/plain"}
    listing = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/><D:getlastmodified/></D:prop></D:propfind>'
    me.send("OPTIONS", "/drafts/", 200)
    me.send("PROPFIND", "/drafts/", 207, {"Depth": "1"}, listing)
    old = me.get("/drafts/minutes.txt")
    place.sure(not old.etag.startswith("W/"))
    me.put(
        "/drafts/letter.txt",
        "Dear all,\nplease find\n",
        204,
        {**text, "If-Match": me.get("/drafts/letter.txt").etag},
    )
    for _ in range(2):
        seen = me.get("/drafts/letter.txt")
        place.sure(seen.etag.startswith("W/"), seen.etag)
        me.put(
            "/drafts/letter.txt", "Dear all,\nplease find enclosed\n", 412, {**text, "If-Match": seen.etag}
        )
    place.rest(1.8)
    later = me.get("/drafts/letter.txt")
    place.sure(f"W/{later.etag}" == seen.etag, later.etag)
    me.put("/drafts/letter.txt", "Dear all,\nplease find enclosed\n", 204, {**text, "If-Match": later.etag})
    me.get("/drafts/minutes.txt", 304, {"If-None-Match": old.etag})


@case(
    "d434",
    "ben-s3-like-delete-marker-counts",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A versioned bucket of an S3-compatible store counts a delete marker as an object: HEAD and GET say 404 with "
        "x-amz-delete-marker, yet PutObject with If-None-Match: * is 412 for the same key, for every key once deleted."
    ),
    synthetic=True,
)
def marker(stage: Stage) -> None:
    """Create where nothing is."""
    api = ben_stores.buckets(
        "markers", "locks", {"team/a.lock": "a", "team/b.lock": "b", "team/state.json": "{}"}
    )
    server = place.open_api(stage, api, "cheroot", "Selectel S3")
    me = stage.actor(
        "client", server, "s3.ru-1.storage.example", "urllib", {"Authorization": "AWS4-HMAC-SHA256 x"}
    )
    guard = {"If-None-Match": "*", "Content-Type": "text/plain"}
    me.get("/locks/team/state.json")
    me.put("/locks/team/c.lock", "host-4", 200, guard)
    me.send("DELETE", "/locks/team/c.lock", 204)
    for key in ("c", "a", "c"):
        if key == "a":
            me.get("/locks/team/a.lock")
            me.send("DELETE", "/locks/team/a.lock", 204)
        me.send("HEAD", f"/locks/team/{key}.lock", 404)
        me.put(f"/locks/team/{key}.lock", "host-4", 412, guard)
        place.sure(me.get(f"/locks/team/{key}.lock", 404).fields["x-amz-delete-marker"] == "true")
        place.rest(0.3)
    me.put("/locks/team/d.lock", "host-4", 200, guard)
    me.get("/locks/team/b.lock")


@case(
    "d435",
    "ben-spring-date-after-the-commit",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "A Spring Data REST service looks at If-Unmodified-Since after it has committed: the client's first and only "
        "PATCH is 412, and the read that follows shows its own values with a new Last-Modified. Twice."
    ),
    synthetic=True,
)
def late(stage: Stage) -> None:
    """Be refused for one's own write."""
    api = ben_stores.spring(
        {f"books/{n}": {"title": f"Chart {n}", "depth": 12, "pilot": "-"} for n in (5, 6, 7)}
    )
    api.flags["late"] = True
    server = place.open_api(stage, api, "waitress", "Spring Data REST")
    me = stage.actor("client", server, "charts.pilotage.test", "java", {"Accept": "application/hal+json"})
    me.get("/api/books?page=0&size=20")
    for key, depth in (("books/6", 14), ("books/7", 9)):
        seen = me.get(f"/api/{key}")
        since = {"If-Unmodified-Since": seen.fields["last-modified"]}
        me.send("PATCH", f"/api/{key}", 412, since, {"depth": depth, "pilot": "Aune"})
        place.rest(0.5)
        now = me.get(f"/api/{key}")
        place.sure(now.json["depth"] == depth and now.etag != seen.etag)
    tag = me.get("/api/books/5").etag
    place.watch(me, "/api/books/5", tag, 2)
    me.send("PATCH", "/api/books/5", 200, {"If-Match": tag}, {"pilot": "Aune"})


@case(
    "d436",
    "ben-gcs-xml-forgets-if-match",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "A database writes its parts list to Cloud Storage's XML API with If-Match, as to S3. There the field is not read "
        "on writes: an outdated tag, just found outdated by a 412 on GET, is 200 and another node's list is gone; "
        "x-goog-if-generation-match with an outdated number is 412."
    ),
    synthetic=True,
)
def forgets(stage: Stage) -> None:
    """Write with a condition that is not read."""
    api = ben_google.storage_xml("clickstore", {"meta/parts.json": '{"parts":[1,2]}', "meta/uuid": "41f0"})
    server = place.open_api(stage, api, "flask-cheroot", "Google Cloud Storage XML")
    agent = {"User-Agent": "ClickHouse/24.9", "Authorization": "AWS4-HMAC-SHA256 g"}
    me = stage.actor("client", server, "storage.googleapis.example", "curl:trace-time", agent)
    other = stage.actor(
        "other", server, "storage.googleapis.example", "requests", {"User-Agent": "ClickHouse/24.9 (node 2)"}
    )
    kind = {"Content-Type": "application/json"}
    me.get("/clickstore/meta/uuid")
    held = me.get("/clickstore/meta/parts.json")
    theirs = other.get("/clickstore/meta/parts.json")
    other.put("/clickstore/meta/parts.json", '{"parts":[1,2,3]}', 200, {**kind, "If-Match": theirs.etag})
    place.rest(0.8)
    me.get("/clickstore/meta/parts.json", 412, {"If-Match": held.etag})
    me.put("/clickstore/meta/parts.json", '{"parts":[1,2,4]}', 200, {**kind, "If-Match": held.etag})
    me.get("/clickstore/meta/parts.json")
    number = {"x-goog-if-generation-match": held.fields["x-goog-generation"]}
    me.put("/clickstore/meta/parts.json", '{"parts":[1,2,4,5]}', 412, {**kind, **number})
    me.put("/clickstore/meta/uuid", "41f1", 200, {"Content-Type": "text/plain", "If-None-Match": "*"})
    me.get("/clickstore/meta/uuid")


@case(
    "d437",
    "ben-commercetools-two-at-the-till",
    "check-then-write-race",
    "lost-update",
    alone="none check-then-write-race",
    description=(
        "A shop service compares version and stores a moment later: a customer's phone and laptop add a line each to one "
        "cart with version 5 at the same time, both get 200 and version 6, and one line is gone. An outdated version "
        "sent later is ConcurrentModification."
    ),
    synthetic=True,
)
def till(stage: Stage) -> None:
    """Add two lines at once."""
    cart: dict[str, dict[str, Any]] = {
        "c3a7f1d2-11": {"lineItems": [{"sku": "filter-4", "quantity": 2}], "cartState": "Active"},
        "c3a7f1d2-12": {"lineItems": []},
    }
    api = ben_suites.commercetools(cart)
    server = place.open_api(stage, api, "waitress", "commercetools")
    host, path = "api.eu.commercetools.example", "/brewshop/carts/c3a7f1d2-11"
    me = stage.actor("client", server, host, "httpx", {"Authorization": "Bearer phone"})
    other = stage.actor("other", server, host, "requests", {"Authorization": "Bearer laptop"})
    place.aside(
        api,
        me,
        {
            "/brewshop/product-projections?limit=20": {
                "count": 2,
                "results": [{"key": "filter-4"}, {"key": "mill"}],
            }
        },
    )
    mine, theirs = me.get(path).json, other.get(path).json

    def add(version: int, sku: str) -> dict[str, object]:
        return {"version": version, "actions": [{"action": "addLineItem", "sku": sku, "quantity": 1}]}

    api.gap = 0.3
    place.at_once(
        lambda: me.send("POST", path, 200, None, add(mine["version"], "mill")),
        lambda: other.send("POST", path, 200, None, add(theirs["version"], "scale")),
        apart=0.07,
    )
    api.gap = 0.0
    place.sure([one["sku"] for one in me.get(path).json["lineItems"]] == ["filter-4", "scale"])
    me.get("/brewshop/product-projections?limit=20")
    other.send("POST", path, 409, None, add(theirs["version"], "scale"))
    other.get(path)
    now = me.get(path).json
    me.send("POST", path, 200, None, add(now["version"], "mill"))
