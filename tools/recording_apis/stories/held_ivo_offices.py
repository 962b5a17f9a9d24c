"""Offices, calendars, databases and names."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ivo_desk import Ask, Desk, Row, Rows, Say, iso
from tools.recording_apis.stories import held_ivo_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _drive() -> tuple[Desk, Rows]:
    desk = Desk({"OData-Version": "4.0", "request-id": "d5b2a8c7-1f7e"})
    rows = Rows(
        {f"01BYE5RZ{n}": {"name": f"take-{n}.m4a", "size": 81920 + n} for n in (4, 5, 6)},
        1,
        "noor@studio.test",
    )

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        kind = "application" if "service" in row.by else "user"
        tags = {
            "eTag": f'"{{A7F3-{key[-1]}}},{row.rev}"',
            "cTag": f'"c:{{A7F3-{key[-1]}}},{row.data["size"]}"',
        }
        who = {kind: {"displayName": row.by}}
        return {"id": key, **tags, **row.data, "lastModifiedBy": who, "lastModifiedDateTime": iso(row.at, 0)}

    @desk.on("GET", "/v1.0/me/drive/items/([A-Z0-9]+)")
    def read(_ask: Ask, key: str) -> Say:
        return Say(200, shown(key), {"ETag": shown(key)["eTag"]})

    @desk.on("PATCH", "/v1.0/me/drive/items/([A-Z0-9]+)")
    def write(ask: Ask, key: str) -> Say:
        if ask.field("if-match") not in {"", shown(key)["eTag"]}:
            inner = {"date": iso(time.time(), 0), "request-id": "d5b2a8c7-1f7e"}
            told = "ETag does not match current item's value"
            return Say(412, {"error": {"code": "resourceModified", "message": told, "innerError": inner}})
        rows.keep(key, {**rows[key].data, **ask.json}, "Noor Haddad")
        return Say(200, shown(key))

    @desk.on("PUT", "/v1.0/me/drive/items/([A-Z0-9]+)/content")
    def upload(ask: Ask, key: str) -> Say:
        rows.keep(key, {**rows[key].data, "size": len(ask.body)}, "Noor Haddad")
        return Say(200, shown(key))

    desk.on("GET", "/v1.0/me/drive/root/children")(
        lambda _ask: Say(200, {"value": [shown(key) for key in rows]})
    )
    desk.shows("/v1.0/me", {"displayName": "Noor Haddad", "id": "87d349ed"})
    return desk, rows


@at.tell(
    "e599",
    "takes-get-their-length",
    "server-side-mutation",
    "412",
    "OneDrive through Graph: after each upload of a recording the service itself adds its audio facet, the eTag moves "
    "while the cTag stays, and the rename with the eTag of the upload's answer is 412 resourceModified.",
)
def takes(stage: Stage) -> None:
    """Be overtaken by the media service."""
    desk, rows = _drive()
    me = stage.actor(
        "client",
        at.opened(stage, desk, "OneDrive", "uvicorn"),
        "graph.microsoft.test",
        "httpx",
        {"Authorization": "Bearer ey"},
    )
    at.look(me, "/v1.0/me", "/v1.0/me/drive/root/children?$top=50")
    for number in (4, 6):
        key = f"01BYE5RZ{number}"
        done = me.put(
            f"/v1.0/me/drive/items/{key}/content",
            b"\x00" * (90000 + number),
            200,
            {"Content-Type": "audio/mp4"},
        )
        at.rest(0.5)
        rows.keep(key, {**rows[key].data, "audio": {"duration": 41800, "bitrate": 128}}, "Media service app")
        at.rest(0.5)
        guard = {"If-Match": done.json["eTag"]}
        me.send("PATCH", f"/v1.0/me/drive/items/{key}", 412, guard, {"name": f"Interview {number}.m4a"})
        now = me.get(f"/v1.0/me/drive/items/{key}").json
        at.sure(now["cTag"] == done.json["cTag"] and "application" in now["lastModifiedBy"])
    at.look(me, "/v1.0/me/drive/root/children?$top=50")


def _box() -> Desk:
    desk, rows = (
        Desk({"box-request-id": "1rj2xq4gq"}),
        Rows({f"98112{n}": {"name": f"Lease {n}.pdf"} for n in (1, 2, 3)}, 2),
    )

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        more = {"modified_at": iso(row.at, 0), "item_status": "active", "parent": {"id": "0"}}
        return {
            "type": "file",
            "id": key,
            "sequence_id": str(row.rev),
            "etag": str(row.rev),
            **row.data,
            **more,
        }

    @desk.on("GET DELETE PUT", "/2.0/files/([0-9]+)")
    def one(ask: Ask, key: str) -> Say:
        error = {"type": "error", "request_id": "hx19e", "help_url": "http://developers.box.com/docs/#errors"}
        guard = ask.field("if-match")
        if guard and (key not in rows or guard != str(rows[key].rev)):
            return Say(
                412,
                {
                    **error,
                    "status": 412,
                    "code": "precondition_failed",
                    "message": "The resource has been modified. Please retrieve the resource again and retry",
                },
            )
        if key not in rows:
            return Say(404, {**error, "status": 404, "code": "trashed", "message": "Item is trashed"})
        if ask.method == "DELETE":
            del rows[key]
            return Say(204)
        if ask.method == "PUT":
            rows.keep(key, {**rows[key].data, **ask.json})
        return Say(200, shown(key))

    desk.on("GET", "/2.0/folders/0/items")(
        lambda _ask: Say(200, {"total_count": len(rows), "entries": [shown(key) for key in rows]})
    )
    desk.shows("/2.0/users/me", {"type": "user", "id": "33", "login": "rental@haus.test"})
    return desk


@at.tell(
    "e567",
    "lease-in-the-bin",
    "target-missing",
    "412",
    "Box: a colleague has deleted a file; a tool's rename with its etag is 412 precondition_failed, the read after it is "
    "404 trashed, and the folder lists one file less; another file's rename is fine.",
)
def binned(stage: Stage) -> None:
    """Rename what is gone."""
    server = at.opened(stage, _box(), "Box", "tornado")
    me = stage.actor("client", server, "api.box.test", "java", {"Authorization": "Bearer T9cE5"})
    other = stage.actor("other", server, "api.box.test", "curl")
    at.look(me, "/2.0/users/me", "/2.0/folders/0/items?limit=100")
    seen = me.get("/2.0/files/981122").json
    fine = me.get("/2.0/files/981121").json
    me.put("/2.0/files/981121", {"name": "Lease 1 signed.pdf"}, 200, {"If-Match": fine["etag"]})
    other.send("DELETE", "/2.0/files/981122", 204)
    at.rest(0.5)
    me.put("/2.0/files/981122", {"name": "Lease 2 signed.pdf"}, 412, {"If-Match": seen["etag"]})
    me.get("/2.0/files/981122", 404)
    at.look(me, "/2.0/folders/0/items?limit=100")


def _cosmos() -> Desk:
    desk = Desk({"x-ms-version": "2018-12-31", "x-ms-request-charge": "10.29", "lsn": "4471"})
    rows = Rows({f"cart-{n}": {"lines": [{"sku": "ink", "qty": 1}], "pk": "eu"} for n in (71, 72)})

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        tag = f'"0b00{row.rev:04x}-0000-0d00-0000-{int(row.at * 1000) % 16**8:08x}0000"'
        return {
            "id": key,
            **row.data,
            "_rid": "d9RzAJR",
            "_self": f"dbs/s/colls/c/docs/{key}/",
            "_etag": tag,
            "_ts": int(row.at),
        }

    @desk.on("GET", "/dbs/shop/colls/carts/docs/(.+)")
    def read(_ask: Ask, key: str) -> Say:
        return Say(200, shown(key), {"etag": shown(key)["_etag"]})

    @desk.on("PUT", "/dbs/shop/colls/carts/docs/(.+)")
    def write(ask: Ask, key: str) -> Say:
        if ask.field("if-match") not in {"", shown(key)["_etag"]}:
            told = "Operation cannot be performed because one of the specified precondition is not met., \r\nRequestStartTime: 2026-11-28T10:04:11"
            return Say(412, {"code": "PreconditionFailed", "message": told}, {"x-ms-substatus": "0"})
        rows.keep(key, {name: value for name, value in ask.json.items() if name != "id" and name[0] != "_"})
        return Say(200, shown(key), {"etag": shown(key)["_etag"]})

    desk.shows("/dbs/shop/colls/carts", {"id": "carts", "partitionKey": {"paths": ["/pk"], "kind": "Hash"}})
    return desk


@at.tell(
    "e573",
    "cart-answer-never-arrived",
    "lost-response-replay",
    "412",
    "Cosmos DB: a cart's replace is stored but its answer gets lost, the client sends the same with the same If-Match and "
    "activity id and is told 412; the document read then is its own content with its own checkout mark.",
)
def cart(stage: Stage) -> None:
    """Meet one's own write."""
    server = at.opened(stage, _cosmos(), "Cosmos DB", "cheroot")
    me = stage.actor(
        "client",
        server,
        "shop.documents.azure.test",
        "requests",
        {"x-ms-version": "2018-12-31", "x-ms-documentdb-partitionkey": '["eu"]'},
        loses=at.loses("PUT", "cart-72"),
    )
    base = "/dbs/shop/colls/carts"
    at.look(me, base)
    one = me.get(f"{base}/docs/cart-71")
    me.put(
        f"{base}/docs/cart-71",
        {**one.json, "lines": []},
        200,
        {"If-Match": one.etag, "x-ms-activity-id": "0d1e"},
    )
    seen = me.get(f"{base}/docs/cart-72")
    body = {**seen.json, "lines": [{"sku": "ink", "qty": 3}], "checkout": "ck_7Yt2Wq"}
    guard = {"If-Match": seen.etag, "x-ms-activity-id": "9c4f21d8-77a0"}
    me.put(f"{base}/docs/cart-72", body, 0, guard)
    at.rest(0.8)
    me.put(f"{base}/docs/cart-72", body, 412, guard)
    now = me.get(f"{base}/docs/cart-72").json
    at.sure(now["checkout"] == "ck_7Yt2Wq")


def _zone() -> Desk:
    desk = Desk()
    sets = {
        f"{name}.harbor.test.": {
            "name": f"{name}.harbor.test.",
            "type": "A",
            "ttl": 60,
            "rrdatas": [f"192.0.2.{n}"],
        }
        for n, name in enumerate(("www", "mail", "vpn"), 10)
    }
    base = "/dns/v1/projects/harbor/managedZones/main"

    @desk.on("POST", f"{base}/changes")
    def change(ask: Ask) -> Say:
        for number, gone in enumerate(ask.json.get("deletions", [])):
            if {k: v for k, v in gone.items() if k != "kind"} != sets.get(gone["name"]):
                told = f"Precondition not met for 'entity.change.deletions[{number}]'"
                one = {
                    "domain": "global",
                    "reason": "conditionNotMet",
                    "message": told,
                    "locationType": "header",
                    "location": "If-Match",
                }
                return Say(412, {"error": {"code": 412, "message": told, "errors": [one]}})
        for added in ask.json.get("additions", []):
            sets[added["name"]] = {k: v for k, v in added.items() if k != "kind"}
        return Say(
            200,
            {
                "kind": "dns#change",
                "id": "41",
                "status": "pending",
                "startTime": iso(time.time()),
                **ask.json,
            },
        )

    @desk.on("GET", f"{base}/rrsets")
    def page(ask: Ask) -> Say:
        found = [one for one in sets.values() if ask.query.get("name", one["name"]) == one["name"]]
        return Say(200, {"kind": "dns#resourceRecordSetsListResponse", "rrsets": found})

    desk.shows(base, {"kind": "dns#managedZone", "dnsName": "harbor.test.", "name": "main"})
    return desk


@at.tell(
    "e597",
    "records-with-another-ttl",
    "payload-precondition-mismatch",
    "412",
    "Google Cloud DNS: a script's change lists records to delete with a TTL of 300 of its own file where the zone has 60: "
    "412 for deletions[1], the whole change is off; with the record as listed the change is taken.",
)
def names(stage: Stage) -> None:
    """Delete a record that is not so."""
    server = at.opened(stage, _zone(), "Google Cloud DNS", "waitress")
    me = stage.actor("client", server, "dns.googleapis.test", "node:fetch", {"Authorization": "Bearer ya29"})
    base = "/dns/v1/projects/harbor/managedZones/main"
    at.look(me, base, f"{base}/rrsets?maxResults=100")

    def record(name: str, address: str, ttl: int) -> dict[str, Any]:
        return {"name": f"{name}.harbor.test.", "type": "A", "ttl": ttl, "rrdatas": [address]}

    added = [record("www", "198.51.100.7", 60), record("mail", "198.51.100.8", 60)]
    wrong = [record("www", "192.0.2.10", 60), record("mail", "192.0.2.11", 300)]
    for _ in range(2):
        me.send("POST", f"{base}/changes", 412, None, {"deletions": wrong, "additions": added})
        at.rest(0.5)
    live = [
        me.get(f"{base}/rrsets?name={one}.harbor.test.&type=A").json["rrsets"][0] for one in ("www", "mail")
    ]
    me.send("POST", f"{base}/changes", 200, None, {"deletions": live, "additions": added})


def _people() -> Desk:
    desk, rows = (
        Desk({"Cache-Control": "private"}),
        Rows({f"c{n}61": {"names": [{"givenName": f"Ola {n}"}]} for n in (1, 2)}),
    )
    behind: dict[str, tuple[float, Row]] = {}

    def shown(key: str, row: Row) -> dict[str, Any]:
        tag = "%EgU" + hashlib.sha1(f"{key}{row.rev}".encode()).hexdigest()[:16] + "="  # noqa: S324
        return {
            "resourceName": f"people/{key}",
            "etag": tag,
            "metadata": {"sources": [{"type": "CONTACT", "id": key, "updateTime": iso(row.at, 6)}]},
            **row.data,
        }

    @desk.on("GET", "/v1/people/(c[0-9]+)")
    def read(_ask: Ask, key: str) -> Say:
        until, old = behind.get(key, (0.0, rows[key]))
        return Say(200, shown(key, old if time.time() < until else rows[key]))

    @desk.on("PATCH", "/v1/people/(c[0-9]+):updateContact")
    def write(ask: Ask, key: str) -> Say:
        if ask.json.get("etag") != shown(key, rows[key])["etag"]:
            told = "Request person.etag is different than the current person.etag. Clear local cache and get the latest person."
            return Say(400, {"error": {"code": 400, "message": told, "status": "FAILED_PRECONDITION"}})
        behind[key] = (time.time() + 1.2, rows[key])
        rows.keep(key, {name: ask.json[name] for name in ("names", "phoneNumbers") if name in ask.json})
        return Say(200, shown(key, rows[key]))

    desk.shows("/v1/people/me/connections", {"connections": [], "totalItems": 2, "nextSyncToken": "Ecg"})
    desk.shows("/v1/contactGroups", {"contactGroups": [{"resourceName": "contactGroups/myContacts"}]})
    return desk


@at.tell(
    "e575",
    "contact-read-too-early",
    "replica-lag",
    "400",
    "Google People: after its own update was answered with a new etag, the app's read still gives the person as before "
    "with the older etag for a second; an update from it is 400 FAILED_PRECONDITION, and later reads are right.",
)
def contact(stage: Stage) -> None:
    """Read where the write has not arrived."""
    server = at.opened(stage, _people(), "Google People", "flask")
    me = stage.actor("client", server, "people.googleapis.test", "aiohttp", {"Authorization": "Bearer ya29"})
    mask = "personFields=names,phoneNumbers,metadata"
    at.look(me, f"/v1/people/me/connections?{mask}", "/v1/contactGroups")
    for key in ("c161", "c261"):
        seen = me.get(f"/v1/people/{key}?{mask}").json
        body = {**seen, "phoneNumbers": [{"value": "+47 22 00 11"}]}
        done = me.send(
            "PATCH", f"/v1/people/{key}:updateContact?updatePersonFields=phoneNumbers", 200, None, body
        ).json
        at.rest(0.3)
        old = me.get(f"/v1/people/{key}?{mask}").json
        at.sure(old["etag"] == seen["etag"] != done["etag"])
        changed = {**old, "names": [{"givenName": "Ola", "familyName": "Berg"}]}
        me.send("PATCH", f"/v1/people/{key}:updateContact?updatePersonFields=names", 400, None, changed)
        at.rest(1.2)
        at.sure(me.get(f"/v1/people/{key}?{mask}").json["etag"] == done["etag"])


def _dav() -> Desk:
    desk, rows = Desk({"DAV": "1, 2, 3, calendar-access", "X-Sabre-Version": "4.6.0"}), Rows({})
    base = "/dav.php/calendars/olga/default"

    def tag(key: str) -> str:
        return f'"{int(rows[key].at * 1000):x}-{len(rows[key].data)}"'

    @desk.on("PUT", f"{base}/([a-z0-9-]+).ics")
    def write(ask: Ask, key: str) -> Say:
        guard, new = ask.field("if-match"), key not in rows
        if guard and (new or guard != tag(key)):
            told = "An If-Match header was specified, but none of the specified ETags matched."
            text = f'<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre\\DAV\\Exception\\PreconditionFailed</s:exception><s:message>{told}</s:message><s:header>If-Match</s:header></d:error>'
            return Say(412, text, {"Content-Type": "application/xml; charset=utf-8"})
        rows.keep(key, ask.body)
        sent = f'"{hashlib.md5(ask.body).hexdigest()}"'  # noqa: S324
        return Say(201 if new else 204, None, {"ETag": sent})

    @desk.on("GET", f"{base}/([a-z0-9-]+).ics")
    def read(_ask: Ask, key: str) -> Say:
        return Say(200, rows[key].data, {"ETag": tag(key), "Content-Type": "text/calendar; charset=utf-8"})

    @desk.on("PROPFIND", f"{base}/")
    def find(_ask: Ask) -> Say:
        told = "".join(
            f"<d:response><d:href>{base}/{key}.ics</d:href><d:propstat><d:prop><d:getetag>{tag(key).replace(chr(34), '&quot;')}</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
            for key in rows
        )
        return Say(
            207,
            f'<?xml version="1.0"?>\n<d:multistatus xmlns:d="DAV:">{told}</d:multistatus>',
            {"Content-Type": "application/xml; charset=utf-8"},
        )

    return desk


def _event(key: str, title: str) -> str:
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Kal//7",
        "BEGIN:VEVENT",
        f"UID:{key}",
        "DTSTART:20261203T090000Z",
        f"SUMMARY:{title}",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
    return "\r\n".join(lines)


@at.tell(
    "e592",
    "event-has-two-tags",
    "etag-source-mismatch",
    "412",
    "A CalDAV server answers PUT with the MD5 of what was sent, while GET and PROPFIND show a tag of time and length: an "
    "app's second save with the tag of its first answer is 412, and nobody else writes.",
)
def events(stage: Stage) -> None:
    """Use the tag of the answer to PUT."""
    server = at.opened(stage, _dav(), "CalDAV", "cheroot")
    me = stage.actor("client", server, "dav.olga.test", "requests", {"User-Agent": "Kal/7.2 (Android)"})
    base, kind = "/dav.php/calendars/olga/default", {"Content-Type": "text/calendar; charset=utf-8"}
    find = '<d:propfind xmlns:d="DAV:"><d:prop><d:getetag/></d:prop></d:propfind>'
    for key in ("a1-dentist", "b7-choir"):
        done = me.put(f"{base}/{key}.ics", _event(key, "Dentist"), 201, {**kind, "If-None-Match": "*"})
        at.rest(0.4)
        me.put(f"{base}/{key}.ics", _event(key, "Dentist, 2nd floor"), 412, {**kind, "If-Match": done.etag})
        me.send("PROPFIND", f"{base}/", 207, {"Depth": "1", "Content-Type": "application/xml"}, find)
    look = me.get(f"{base}/a1-dentist.ics")
    at.sure(look.etag != done.etag)


@at.tell(
    "e570",
    "menu-saved-twice-in-a-second",
    "weak-until-settled",
    "412",
    "Files over WebDAV on Apache: the tag of a file that was written this very moment is weak, so the editor's second "
    "save with it is 412; after more than a second the same opaque value comes without W/ and is accepted.",
)
def menu(stage: Stage) -> None:
    """Save again at once."""
    files = {"menu/monday.txt": "soup\n", "menu/friday.txt": "fish\n", "menu/notes.txt": "call\n"}
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "files.kantine.test", "httpx")
    me.send("PROPFIND", "/menu/", 207, {"Depth": "1"})
    for name in ("monday", "friday"):
        seen = me.get(f"/menu/{name}.txt")
        time.sleep(1.05 - time.time() % 1)
        me.put(f"/menu/{name}.txt", "soup, bread\n", 204, {"If-Match": seen.etag})
        fresh = me.send("HEAD", f"/menu/{name}.txt", 200)
        at.sure(fresh.etag.startswith("W/"))
        me.put(f"/menu/{name}.txt", "soup, rolls\n", 412, {"If-Match": fresh.etag})
    at.rest(2.2)
    settled = me.get("/menu/friday.txt")
    at.sure(f"W/{settled.etag}" == fresh.etag)
    me.put("/menu/friday.txt", "fish, rolls\n", 204, {"If-Match": settled.etag})
