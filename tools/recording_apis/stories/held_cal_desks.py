# mypy: ignore-errors
# fmt: off
"""Contacts, pages, partners, calendars, drives and contents."""

from __future__ import annotations

import importlib
import time
from functools import partial
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import parse_qs, urlencode

from tools.recording_apis import fronts
from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, guid, hashed, instant, stamp
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case("e390", "cal-lead-upserted-as-if-new", "create-guard-on-update", "412", alone="create-guard-on-update", synthetic=True,
      description="A form's connector patches a Dataverse contact that it had read a moment before (200 with its @odata.etag) and sends If-None-Match: * meaning to be careful: 412 A record with matching key values already exists; a true upsert of another id by the same call is 204.")
def lead(stage: Stage) -> None:
    """Guard against what is known to be there."""
    rows = {guid(n): Row({"firstname": n, "telephone1": "", "donotemail": False}, 2041000 + i) for i, n in enumerate(("Edda", "Noor"))}
    api = Api(lambda _req: {"OData-Version": "4.0", "REQ_ID": guid(str(time.time())), "x-ms-service-request-id": guid("s" + str(time.time()))}, "application/json; odata.metadata=minimal")

    def shown(key: str) -> dict:
        row = rows[key]
        return {"@odata.etag": f'W/"{row.rev}"', "contactid": key, "modifiedon": instant(row.at, 0), **row.data}

    api.say("GET", "/api/data/v9.2/WhoAmI", {"BusinessUnitId": guid("bu"), "UserId": guid("me"), "OrganizationId": guid("org")})

    @api.on("GET", "/api/data/v9.2/contacts")
    def listed(_req: Req) -> Res:
        return Res(200, {"@odata.context": "http://crm.kiosk.example/api/data/v9.2/$metadata#contacts", "value": [shown(k) for k in rows]})

    @api.on("GET|PATCH", r"/api/data/v9.2/contacts\(([0-9a-f-]+)\)")
    def one(req: Req, key: str) -> Res:
        if req.method == "GET":
            return Res(200, shown(key), {"ETag": f'W/"{rows[key].rev}"'}) if key in rows else Res(404, {"error": {"code": "0x80040217", "message": f"Entity 'Contact' With Id = {key} Does Not Exist"}})
        if key in rows and req.fields.get("if-none-match") == "*":
            return Res(412, {"error": {"code": "0x80040237", "message": "A record with matching key values already exists."}})
        if key in rows and req.fields.get("if-match", "*") not in {"*", f'W/"{rows[key].rev}"'}:
            return Res(412, {"error": {"code": "0x80060882", "message": "The version of the existing record doesn't match the RowVersion property provided."}})
        rows[key] = rows[key].add(req.json, step=11) if key in rows else Row(req.json, 2041900)
        return Res(204, b"", {"OData-EntityId": f"http://crm.kiosk.example/api/data/v9.2/contacts({key})"})

    server = place.open_box(stage, api, "cheroot", "Dataverse")
    me = stage.actor("client", server, "crm.kiosk.example", "urllib", {"Authorization": "Bearer eyJ0", "OData-MaxVersion": "4.0", "Accept": "application/json"})
    base = "/api/data/v9.2"
    me.get(base + "/WhoAmI")
    found = me.get(base + "/contacts?$select=firstname,telephone1").json["value"]
    me.send("PATCH", f"{base}/contacts({found[0]['contactid']})", 204, {"If-Match": found[0]["@odata.etag"]}, {"telephone1": "040 77"})
    noor = me.get(f"{base}/contacts({found[1]['contactid']})").json
    for turn in range(2):
        me.send("PATCH", f"{base}/contacts({noor['contactid']})", 412, {"If-None-Match": "*"}, {"telephone1": "040 91", "donotemail": bool(turn)})
        place.rest(0.4)
    me.send("PATCH", f"{base}/contacts({guid('Pim')})", 204, {"If-None-Match": "*"}, {"firstname": "Pim"})
    place.sure(me.get(f"{base}/contacts({noor['contactid']})").json["telephone1"] == "")


@case("e391", "cal-wiki-page-saved-by-two-gadgets", "check-then-write-race", "lost-update", alone="check-then-write-race", also="self-race", synthetic=True,
      description="A bot's two gadgets edit one MediaWiki page with the same basetimestamp while each other is under way: both are told Success over the same oldrevid, and the text has only the second's line; the same stale edit made later, alone, is answered with editconflict (200).")
def wiki(stage: Stage) -> None:
    """Pass one check twice."""
    row = Row({"text": "== Ferries ==\n* 08:10 north\n"}, 5100, "Mole")
    api = Api(lambda _req: {"MediaWiki-API-Error": "", "Vary": "Accept-Encoding,Treat-as-Untrusted", "X-Content-Type-Options": "nosniff"}, "application/json; charset=utf-8")

    def page(full: bool) -> dict:
        kept = [(row.rev, row.at, row.by, row.data["text"]), *((r, a, b, d["text"]) for r, a, b, d in reversed(row.past))]
        return {"query": {"pages": [{"pageid": 77, "title": "Ferries", "revisions": [{"revid": r, "timestamp": instant(a), "user": b, "size": len(t), "slots": {"main": {"content": t}}} for r, a, b, t in (kept if full else kept[:1])]}]}, "curtimestamp": instant(time.time())}

    @api.on("GET", "/w/api.php")
    def read(req: Req) -> Res:
        if req.query.get("meta") == "tokens":
            return Res(200, {"batchcomplete": True, "query": {"tokens": {"csrftoken": "9c2e+\\"}}})
        return Res(200, page("rvlimit" in req.query))

    @api.on("POST", "/w/api.php")
    def edit(req: Req) -> Res:
        sent = {k: v[0] for k, v in parse_qs(req.body.decode()).items()}
        if sent["basetimestamp"] != instant(row.at):
            return Res(200, {"error": {"code": "editconflict", "info": "Edit conflict: the page was changed since basetimestamp."}, "servedby": "mw4"})
        old = row.rev
        time.sleep(0.25)
        with api.lock:
            row.set({"text": sent["text"]}, req.fields["x-gadget"], 3)
            return Res(200, {"edit": {"result": "Success", "pageid": 77, "title": "Ferries", "contentmodel": "wikitext", "oldrevid": old, "newrevid": row.rev, "newtimestamp": instant(row.at)}})

    server = place.open_box(stage, api, "waitress", "MediaWiki")
    me = stage.actor("client", server, "wiki.sound.example", "httpx", {"User-Agent": "FerryBot/2.1 httpx", "X-Gadget": "FerryBot"})
    me.get("/w/api.php?action=query&meta=tokens&format=json")

    def look() -> tuple[str, str]:
        seen = me.get("/w/api.php?action=query&prop=revisions&titles=Ferries&rvprop=ids%7Ctimestamp%7Ccontent&rvslots=main&curtimestamp=1&formatversion=2&format=json").json["query"]["pages"][0]["revisions"][0]
        return seen["timestamp"], seen["slots"]["main"]["content"]

    def save(base: str, text: str) -> Answer:
        return me.send("POST", "/w/api.php", 200, {"Content-Type": "application/x-www-form-urlencoded"}, urlencode({"action": "edit", "title": "Ferries", "text": text, "basetimestamp": base, "nocreate": 1, "token": "9c2e+\\", "format": "json"}))

    base, text = look()
    save(base, text + "* 09:40 south\n")
    base, text = look()
    got = place.at_once(partial(save, base, text + "* 11:15 north\n"), partial(save, base, "{{Season|winter}}\n" + text), apart=0.08)
    place.sure(all("Success" in one.text for one in got))
    place.rest(0.5)
    place.sure("11:15" not in look()[1])
    place.sure("editconflict" in save(base, text + "* 11:15 north\n").text)
    me.get("/w/api.php?action=query&prop=revisions&titles=Ferries&rvlimit=10&rvprop=ids%7Ctimestamp%7Cuser%7Ccontent&rvslots=main&formatversion=2&format=json")


@case("e392", "cal-partner-records-through-the-rewriting-gate", "validator-stripped", "428", alone="validator-stripped token-missing", synthetic=True,
      description="An nginx rewrites host names in the JSON of an S/4HANA service by sub_filter and thereby drops the ETag of every read; the answers without a body keep theirs. The partner's client finds no tag in its reads, patches without one and is refused with 428, twice.")
def partner(stage: Stage) -> None:
    """Read without tags."""
    rows = {n: Row({"BusinessPartner": n, "SearchTerm1": t, "IsBlocked": False}) for n, t in (("1000061", "WEAVE"), ("1000064", "DYE"))}
    api = Api(lambda _req: {"odata-version": "4.0", "sap-processing-info": "ODataBEP=,crp=,RAL=,st=,MedCacheHub=SHM", "sap-perf-fesrec": "48213.000000"}, "application/json; charset=utf-8")
    base = "/sap/opu/odata4/sap/api_business_partner/srvd_a2x/sap/bp/0001"

    def tag(row: Row) -> str:
        return f'W/"SADL-02024111{row.rev:03d}093000C~2024111{row.rev:03d}093000"'

    api.say("GET", base + "/?", {"value": [{"name": "BusinessPartner", "url": "BusinessPartner"}]}, ETag='W/"20240201"')

    @api.on("GET", base + "/BusinessPartner")
    def listed(_req: Req) -> Res:
        return Res(200, {"@context": "http://s4hana.internal:44300/$metadata#BusinessPartner", "value": [r.data for r in rows.values()]})

    @api.on("GET|PATCH", base + r"/BusinessPartner\('([0-9]+)'\)")
    def one(req: Req, key: str) -> Res:
        row = rows[key]
        if req.method == "PATCH":
            sent = req.fields.get("if-match")
            if sent is None:
                return Res(428, {"error": {"code": "SADL_ENTITY_RUNTIME/004", "message": "Precondition required: If-Match header is missing", "target": f"BusinessPartner('{key}')"}})
            if sent not in {"*", tag(row)}:
                return Res(412, {"error": {"code": "/IWBEP/CM_V4_APPS/017", "message": "Precondition failed"}})
            row.add(req.json)
            return Res(204, b"", {"ETag": tag(row)})
        return Res(200, {"@context": "http://s4hana.internal:44300/$metadata#BusinessPartner/$entity", **row.data}, {"ETag": tag(row)})

    server = place.open_box(stage, api, "waitress", "SAP S/4HANA")
    front = fronts.nginx(stage, server, "sub_filter 'http://s4hana.internal:44300' 'http://erp.loom.example'; sub_filter_once off; sub_filter_types application/json;")
    me = stage.actor("client", front, "erp.loom.example", "node:fetch", {"Authorization": "Basic bG9vbQ==", "Accept": "application/json;odata.metadata=none", "sap-client": "100"})
    me.get(base + "/BusinessPartner?$top=20")
    made = me.send("PATCH", base + "/BusinessPartner('1000064')", 204, {"If-Match": "*"}, {"SearchTerm1": "DYEWORKS"})
    place.sure("etag" in made.fields)
    place.sure("etag" not in me.get(base + "/BusinessPartner('1000064')").fields)
    seen = me.get(base + "/BusinessPartner('1000061')")
    place.sure("etag" not in seen.fields)
    for _turn in range(2):
        me.send("PATCH", base + "/BusinessPartner('1000061')", 428, body={"IsBlocked": True})
        place.rest(0.5)
        me.get(base + "/BusinessPartner('1000061')")


@case("e393", "cal-drive-date-in-iso-form", "bad-date", "lost-update", alone="bad-date", synthetic=True,
      description="A script guards its uploads to a SabreDAV drive by If-Unmodified-Since with an ISO 8601 time: the server passes over what is no HTTP date and takes each PUT; a PROPFIND had shown a colleague's newer getlastmodified before the second, whose lines are gone in the file as read later.")
def drive(stage: Stage) -> None:
    """Send a date that is none to the server."""
    rows = {n: Row({"text": t}, age=5000 + len(t)) for n, t in (("rota.txt", "Mon Ada\nTue Ben\n"), ("keys.txt", "1 hall\n"), ("plan.txt", "May: roof\n"))}
    api = Api(lambda _req: {"X-Sabre-Version": "4.6.0", "Content-Security-Policy": "default-src 'none';", "DAV": "1, 3, extended-mkcol"}, "application/xml; charset=utf-8")

    def fields(row: Row) -> dict[str, str]:
        return {"ETag": f'"{hashed(row.data["text"], "md5")}"', "Last-Modified": stamp(row.at), "Content-Type": "text/plain"}

    @api.on("PROPFIND", "/remote.php/dav/files/ada/Club/?")
    def listing(_req: Req) -> Res:
        inner = "".join(f"<d:response><d:href>/remote.php/dav/files/ada/Club/{k}</d:href><d:propstat><d:prop><d:getlastmodified>{stamp(r.at)}</d:getlastmodified><d:getetag>&quot;{hashed(r.data['text'], 'md5')}&quot;</d:getetag><d:getcontentlength>{len(r.data['text'])}</d:getcontentlength></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>" for k, r in rows.items())
        return Res(207, f'<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">{inner}</d:multistatus>')

    @api.on("GET|PUT", "/remote.php/dav/files/ada/Club/(.+)")
    def thing(req: Req, key: str) -> Res:
        row, since = rows[key], req.fields.get("if-unmodified-since", "")
        if req.method == "PUT":
            if since.endswith("GMT") and since != stamp(row.at):
                return Res(412, '<?xml version="1.0" encoding="utf-8"?><d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre\\DAV\\Exception\\PreconditionFailed</s:exception><s:message>An If-Unmodified-Since header was specified, but the entity has been changed since the specified date.</s:message><s:header>If-Unmodified-Since</s:header></d:error>')
            row.set({"text": req.body.decode()})
            return Res(204, b"", {k: v for k, v in fields(row).items() if k != "Content-Type"})
        return Res(200, row.data["text"], fields(row))

    server = place.open_box(stage, api, "cheroot", "SabreDAV")
    me = stage.actor("client", server, "cloud.bowls.example", "curl:trace-time", {"Authorization": "Basic YWRhOng="})
    other = stage.actor("other", server, "cloud.bowls.example", "requests", {"Authorization": "Basic YmVuOng="})
    base = "/remote.php/dav/files/ada/Club/"
    ask = '<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:getetag/><d:getlastmodified/></d:prop></d:propfind>'
    me.send("PROPFIND", base, 207, {"Depth": "1"}, ask)

    def iso(answer: Answer) -> str:
        moment = time.strptime(answer.fields["last-modified"], "%a, %d %b %Y %H:%M:%S GMT")
        return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", moment)

    keys = me.get(base + "keys.txt")
    me.put(base + "keys.txt", keys.text + "2 shed\n", 204, {"If-Unmodified-Since": iso(keys)})
    mine, theirs = me.get(base + "rota.txt"), other.get(base + "rota.txt")
    place.rest(1.1)
    other.put(base + "rota.txt", theirs.text + "Wed Cas\n", 204, {"If-Match": theirs.etag})
    place.rest(0.5)
    me.send("PROPFIND", base, 207, {"Depth": "1"}, ask)
    me.put(base + "rota.txt", mine.text.replace("Ada", "Ida"), 204, {"If-Unmodified-Since": iso(mine)})
    place.sure("Cas" not in me.get(base + "rota.txt").text)


@case("e394", "cal-bookmarks-shared-on-kinto", "none", "healthy", alone="none",
      description="Bookmarks on a real Kinto: two devices take turns, each with the tag of its newest read; the list's timestamp in If-None-Match gives 304 while nothing moves, _since lists what the other did, a deletion leaves a tombstone there. Nothing is lost.")
def bookmarks(stage: Stage) -> None:
    """Take turns."""
    server = stage.server("kinto")
    head = {"Authorization": "Basic YWxleDp4eXo5OTk="}
    me = stage.actor("client", server, "kinto.reading.example", "requests", head)
    other = stage.actor("other", server, "kinto.reading.example", "node:axios", head)
    me.put("/v1/accounts/alex", {"data": {"password": "xyz999"}}, (200, 201), {"Authorization": ""})
    base = "/v1/buckets/default/collections/links/records"
    ids = [guid(f"link{n}") for n in range(3)]
    for n, one in enumerate(ids):
        me.put(f"{base}/{one}", {"data": {"title": f"Moss {n}", "read": False}}, 201, {"If-None-Match": "*"})
    stage.forget()
    me.get("/v1/")
    tag = me.get(base).etag
    me.get(base, 304, {"If-None-Match": tag})
    seen = me.get(f"{base}/{ids[0]}")
    saved = me.send("PATCH", f"{base}/{ids[0]}", 200, {"If-Match": seen.etag}, {"data": {"read": True}})
    me.send("PATCH", f"{base}/{ids[0]}", 200, {"If-Match": f'"{saved.json["data"]["last_modified"]}"'}, {"data": {"stars": 4}})
    theirs = other.get(f"{base}/{ids[1]}")
    other.put(f"{base}/{ids[1]}", {"data": {"title": "Moss and fern", "read": False}}, 200, {"If-Match": theirs.etag})
    place.rest(0.8)
    me.get(f"{base}?_since={tag.strip(chr(34))}")
    fresh = me.get(f"{base}/{ids[1]}")
    me.send("PATCH", f"{base}/{ids[1]}", 200, {"If-Match": fresh.etag}, {"data": {"read": True}})
    last = me.get(f"{base}/{ids[2]}")
    me.send("DELETE", f"{base}/{ids[2]}", 200, {"If-Match": last.etag})
    me.get(f"{base}/{ids[2]}", 404)
    place.sure(len(me.get(base).json["data"]) == 2)


@case("e395", "cal-phone-number-back-to-the-old-one", "replica-lag", "stale-read", alone="replica-lag", synthetic=True,
      description="An address book updates a contact by Google's People API and gets the new number and etag; its next three reads, within a second and a half, give the old number and the old etag, without any cache's marks, and then the new ones stay; another contact is the same.")
def people(stage: Stage) -> None:
    """Read behind oneself."""
    rows = {f"c{n}": Row({"names": [{"displayName": t}], "phoneNumbers": [{"value": p}]}, age=9000) for n, t, p in ((71, "Ulla Brix", "31 20"), (72, "Per Holm", "31 44"), (73, "Asta Dam", "31 90"))}
    api = Api(lambda _req: {"Vary": "Origin, X-Origin, Referer", "Server": "ESF", "Server-Timing": "gfet4t7; dur=88", "Cache-Control": "private"}, "application/json; charset=UTF-8")

    def shown(key: str, rev: int, at: float, data: dict) -> dict:
        tag = f"%EgUBAgkuNxoEAQIFByIM{hashed((key, rev))[:12]}PQ=="
        return {"resourceName": f"people/{key}", "etag": tag, "metadata": {"sources": [{"type": "CONTACT", "id": key, "etag": f"#{hashed((key, rev))[:11]}=", "updateTime": instant(at, 6)}]}, **data}

    def lagging(key: str) -> dict:
        row = rows[key]
        if row.past and time.time() - row.at < 1.7:
            rev, at, _by, data = row.past[-1]
            return shown(key, rev, at, data)
        return shown(key, row.rev, row.at, row.data)

    @api.on("GET", "/v1/people/me/connections")
    def listed(_req: Req) -> Res:
        return Res(200, {"connections": [lagging(k) for k in rows], "totalPeople": len(rows), "totalItems": len(rows)})

    @api.on("GET", "/v1/people/(c[0-9]+)")
    def one(_req: Req, key: str) -> Res:
        return Res(200, lagging(key))

    @api.on("PATCH", "/v1/people/(c[0-9]+):updateContact")
    def update(req: Req, key: str) -> Res:
        row = rows[key]
        if req.json["etag"] != shown(key, row.rev, 0, {})["etag"]:
            return Res(400, {"error": {"code": 400, "message": "Request person.etag is different than the current person.etag. Clear local cache and get the latest person.", "status": "FAILED_PRECONDITION"}})
        row.add({"phoneNumbers": req.json["phoneNumbers"]})
        return Res(200, shown(key, row.rev, row.at, row.data))

    server = place.open_box(stage, api, "tornado", "Google People")
    me = stage.actor("client", server, "people.rolodex.example", "node:axios", {"Authorization": "Bearer ya29.p", "x-goog-user-project": "rolodex"})
    fields = "personFields=names,phoneNumbers,metadata"
    found = {one["resourceName"][7:]: one for one in me.get(f"/v1/people/me/connections?{fields}&pageSize=100").json["connections"]}
    for key, phone in (("c72", "31 45"), ("c73", "31 91")):
        body = {"etag": found[key]["etag"], "phoneNumbers": [{"value": phone}]}
        made = me.send("PATCH", f"/v1/people/{key}:updateContact?updatePersonFields=phoneNumbers&{fields}", 200, body=body).json
        for _turn in range(3):
            place.sure(me.get(f"/v1/people/{key}?{fields}").json["etag"] == found[key]["etag"])
            place.rest(0.45)
        place.rest(0.6)
        for _turn in range(2):
            place.sure(me.get(f"/v1/people/{key}?{fields}").json["etag"] == made["etag"])
            place.rest(0.2)
    me.get(f"/v1/people/me/connections?{fields}&pageSize=100")


@case("e396", "cal-stock-list-from-two-nodes", "inconsistent-backends", "wasted-reads", alone="inconsistent-backends", synthetic=True,
      description="Two nodes of a Python Eve service behind HAProxy hash a document differently: a display's polls with the tag it was last given are answered 200 in turns by web-a and web-b, always the other of two tags, _updated and fields the same for hours.")
def stock(stage: Stage) -> None:
    """Go back and forth."""
    at = time.time() - 30000
    docs = {f"64f1c0{n}a9d2": {"sku": f"oak-{n}", "qty": 40 + n, "bay": "C"} for n in range(3)}

    def node(name: str) -> Api:
        api = Api(lambda _req: {"X-Served-By": name, "Cache-Control": "max-age=0"})

        def shown(key: str) -> dict:
            own = {"_id": key, **docs[key], "_updated": stamp(at), "_created": stamp(at - 99)}
            return {**own, "_etag": hashed(sorted(own.items()) if name == "web-a" else list(own.items())), "_links": {"self": {"title": "stock", "href": f"stock/{key}"}}}

        @api.on("GET", "/stock")
        def listed(_req: Req) -> Res:
            return Res(200, {"_items": [{k: v for k, v in shown(d).items() if k not in {"_etag", "_links"}} for d in docs], "_meta": {"page": 1, "max_results": 25, "total": 3}})

        @api.on("GET", "/stock/([0-9a-z]+)")
        def one(req: Req, key: str) -> Res:
            tag = f'"{shown(key)["_etag"]}"'
            if req.fields.get("if-none-match") == tag:
                return Res(304, b"", {"ETag": tag, "Last-Modified": stamp(at)})
            return Res(200, shown(key), {"ETag": tag, "Last-Modified": stamp(at)})

        return api

    servers = [place.open_box(stage, node(name), "waitress", "Python Eve") for name in ("web-a", "web-b")]
    front = fronts.haproxy(stage, servers)
    me = stage.actor("client", front, "stock.sawmill.example", "aiohttp", {"Accept": "application/json", "Authorization": "Basic ZGlzcGxheQ=="})
    me.get("/stock")
    key = next(iter(docs))
    held, tags = me.get(f"/stock/{key}"), []
    for _turn in range(6):
        place.rest(0.6)
        held = me.get(f"/stock/{key}", 200, {"If-None-Match": held.etag})
        tags.append(held.etag)
    place.sure(len(set(tags)) == 2 and tags[0] == tags[2] != tags[1])
    me.get("/stock")


@case("e397", "cal-catalogue-on-a-store-without-if-match", "unsupported-precondition", "501", alone="unsupported-precondition", synthetic=True,
      description="A table catalogue commits its pointer by boto3's put_object with IfMatch on VAST's S3: 501 NotImplemented for the header, with the tag of the head object just asked, and again after a new read; writes without it and those with IfNoneMatch='*' are taken.")
def pointer(stage: Stage) -> None:
    """Ask for what the store cannot do."""
    rows = {"tables/wells/metadata.json": Row({"text": '{"snapshot":7}'}, age=4000)}
    api = Api(lambda _req: {"Server": "vast 4.7.0", "x-amz-request-id": hashed(time.time())[:16].upper()}, "application/xml")

    def error(code: str, text: str) -> str:
        return f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{text}</Message><RequestId>{hashed(text)[:16].upper()}</RequestId></Error>'

    @api.on("GET", "/lake/?")
    def listing(_req: Req) -> Res:
        inner = "".join(f"<Contents><Key>{k}</Key><ETag>&quot;{hashed(r.data['text'], 'md5')}&quot;</ETag><Size>{len(r.data['text'])}</Size></Contents>" for k, r in rows.items())
        return Res(200, f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>lake</Name><KeyCount>{len(rows)}</KeyCount>{inner}</ListBucketResult>')

    @api.on("GET|HEAD|PUT", "/lake/(.+)")
    def thing(req: Req, key: str) -> Res:
        if req.method == "PUT":
            if "if-match" in req.fields:
                return Res(501, error("NotImplemented", "A header you provided implies functionality that is not implemented."))
            if key in rows and req.fields.get("if-none-match") == "*":
                return Res(412, error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold"))
            rows[key] = rows.get(key, Row({})).set({"text": req.body.decode("utf-8", "replace")})
            return Res(200, b"", {"ETag": f'"{hashed(rows[key].data["text"], "md5")}"'})
        if key not in rows:
            return Res(404, error("NoSuchKey", "The specified key does not exist."))
        return Res(200, rows[key].data["text"], {"ETag": f'"{hashed(rows[key].data["text"], "md5")}"', "Last-Modified": stamp(rows[key].at), "Content-Type": "application/json"})

    server = place.open_box(stage, api, "cheroot", "VAST S3")
    boto3, config = importlib.import_module("boto3"), importlib.import_module("botocore.config")
    refused = importlib.import_module("botocore.exceptions").ClientError
    own = config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, request_checksum_calculation="when_required")
    with patch("platform.release", return_value="6"):
        s3 = boto3.client("s3", endpoint_url=place.host(stage, "client", server, "s3.basin.example"), region_name="vast-1", aws_access_key_id="AKIDBASIN", aws_secret_access_key="x", config=own)  # noqa: S106 - opens nothing
    key = "tables/wells/metadata.json"
    s3.list_objects_v2(Bucket="lake", Prefix="tables/")
    s3.put_object(Bucket="lake", Key="tables/wells/data/00008.json", Body=b'{"rows":120}', IfNoneMatch="*")
    for _turn in range(2):
        tag = s3.head_object(Bucket="lake", Key=key)["ETag"]
        try:
            s3.put_object(Bucket="lake", Key=key, Body=b'{"snapshot":8}', IfMatch=tag)
            place.sure(ok=False, said="taken")
        except refused as told:
            place.sure(told.response["Error"]["Code"] == "NotImplemented", told)
        place.rest(0.6)
    s3.put_object(Bucket="lake", Key="tables/wells/_failed/8", Body=b"commit not possible")
    place.sure(s3.get_object(Bucket="lake", Key=key)["Body"].read() == b'{"snapshot":7}')


@case("e398", "cal-rehearsal-saved-with-the-first-etag", "stale-stored-token", "412", alone="stale-stored-token", synthetic=True,
      description="A choir's planner keeps Google Calendar events as it first listed them: the first patch of an event is taken and its answer has a new etag, the second goes out with the listed one and is 412 conditionNotMet; nobody else writes. The other events, patched once each, are fine.")
def rehearsal(stage: Stage) -> None:
    """Save the object that one had."""
    rows = {f"ev{n}k": Row({"summary": s, "location": "Hall", "start": {"dateTime": f"2025-02-0{n}T19:00:00Z"}}, 3400000000 + n) for n, s in ((3, "Rehearsal"), (5, "Sectional"), (8, "Concert"))}
    api = Api(lambda _req: {"Vary": "Origin, X-Origin, Referer", "Server": "ESF", "Cache-Control": "private, max-age=0, must-revalidate, no-transform"}, "application/json; charset=UTF-8")
    base = "/calendar/v3/calendars/choir%40bells.example/events"
    plain = "/calendar/v3/calendars/choir@bells.example/events"

    def shown(key: str) -> dict:
        row = rows[key]
        return {"kind": "calendar#event", "etag": f'"{row.rev}000"', "id": key, "status": "confirmed", "updated": instant(row.at), "organizer": {"email": "choir@bells.example", "self": True}, "sequence": len(row.past), **row.data}

    @api.on("GET", plain)
    def listed(_req: Req) -> Res:
        return Res(200, {"kind": "calendar#events", "etag": f'"p33{sum(r.rev for r in rows.values()) % 9973}"', "summary": "Choir", "timeZone": "Europe/Oslo", "nextSyncToken": "CPDAlvWD", "items": [shown(k) for k in rows]})

    @api.on("GET|PATCH|PUT", plain + "/([a-z0-9]+)")
    def one(req: Req, key: str) -> Res:
        row = rows[key]
        if req.method != "GET":
            if req.fields.get("if-match") not in {None, f'"{row.rev}000"'}:
                return Res(412, {"error": {"errors": [{"domain": "global", "reason": "conditionNotMet", "message": "Precondition Failed", "locationType": "header", "location": "If-Match"}], "code": 412, "message": "Precondition Failed"}})
            row.add({k: v for k, v in req.json.items() if k in {"summary", "location", "start", "description"}}, step=7)
        return Res(200, shown(key), {"ETag": shown(key)["etag"]})

    server = place.open_box(stage, api, "cheroot", "Google Calendar")
    me = stage.actor("client", server, "calendar.bells.example", "httpx", {"Authorization": "Bearer ya29.k", "User-Agent": "bells/1.0 google-api-dotnet-client/1.57.0 (gzip)"})
    kept = {one["id"]: one for one in me.get(base + "?singleEvents=true&timeMin=2025-02-01T00:00:00Z").json["items"]}

    def patch_event(key: str, expect: int, **more: object) -> None:
        me.send("PATCH", f"{base}/{key}", expect, {"If-Match": kept[key]["etag"]}, more)
        place.rest(0.5)

    patch_event("ev3k", 200, location="Crypt")
    patch_event("ev8k", 200, summary="Concert, white shirts")
    patch_event("ev3k", 412, description="Bring lamps")
    patch_event("ev5k", 200, location="Vestry")
    now = me.get(f"{base}/ev3k").json
    place.sure(now["location"] == "Crypt" and now["sequence"] == 1)


def _recipe_api(base: str) -> Api:
    rows = {n: Row({"title": {"en-GB": t}, "minutes": {"en-GB": 30}}, 5, "3Ala") for n, t in (("4kCrumble", "Crumble"), ("4kPickle", "Pickle"))}
    published: dict[str, tuple[int, dict]] = {k: (4, r.data) for k, r in rows.items()}
    api = Api(lambda _req: {"X-Contentful-Request-Id": guid(str(time.time())), "X-Contentful-RateLimit-Second-Remaining": "9", "Server": "Contentful"}, "application/vnd.contentful.management.v1+json")

    def shown(key: str) -> dict:
        row = rows[key]
        return {"sys": {"type": "Entry", "id": key, "version": row.rev, "publishedVersion": published[key][0], "updatedAt": instant(row.at), "updatedBy": {"sys": {"type": "Link", "linkType": "User", "id": row.by}}}, "fields": row.data}

    @api.on("GET", base + "/entries")
    def listed(_req: Req) -> Res:
        return Res(200, {"sys": {"type": "Array"}, "total": 2, "skip": 0, "limit": 100, "items": [shown(k) for k in rows]})

    @api.on("GET", "/delivery" + base + "/entries/([0-9A-Za-z]+)")
    def delivered(_req: Req, key: str) -> Res:
        rev, data = published[key]
        return Res(200, {"sys": {"type": "Entry", "id": key, "revision": rev}, "fields": data}, {"ETag": f'"{hashed((rev, key), "md5")}"', "Cache-Control": "max-age=0"})

    @api.on("GET|PUT", base + "/entries/([0-9A-Za-z]+)(/published)?")
    def one(req: Req, key: str, publish: str | None) -> Res:
        row = rows[key]
        if req.method == "PUT":
            if req.fields.get("x-contentful-version") != str(row.rev):
                return Res(409, {"sys": {"type": "Error", "id": "VersionMismatch"}, "requestId": guid(key)})
            if publish:
                published[key] = (row.rev, row.data)
                row.add({}, req.fields["x-user"])
            else:
                row.set(req.json["fields"], req.fields["x-user"])
        return Res(200, shown(key))
    return api


@case("e399", "cal-recipe-edited-and-published", "none", "healthy", alone="none", synthetic=True,
      description="An editor on Contentful: X-Contentful-Version from each answer, the version that grows by one as the entry is published, a colleague's draft read before it is edited, the delivery's copy that lags a version behind by design, an asset never made (404). All is stored.")
def recipe(stage: Stage) -> None:
    """Edit, publish, edit."""
    base = "/spaces/kitchen/environments/master"
    server = place.open_box(stage, _recipe_api(base), "starlette", "Contentful")
    me = stage.actor("client", server, "cma.kitchen.example", "node:axios", {"Authorization": "Bearer CFPAT-a", "X-User": "3Ala"})
    other = stage.actor("other", server, "cma.kitchen.example", "requests", {"Authorization": "Bearer CFPAT-b", "X-User": "9Bo"})
    head = {"Content-Type": "application/vnd.contentful.management.v1+json"}

    def save(who: object, key: str, part: str = "", **more: object) -> dict:
        seen = who.get(f"{base}/entries/{key}").json
        body = None if part else {"fields": {**seen["fields"], **{k: {"en-GB": v} for k, v in more.items()}}}
        return who.put(f"{base}/entries/{key}{part}", body, 200, {**head, "X-Contentful-Version": str(seen["sys"]["version"])}).json

    me.get(f"{base}/entries?content_type=recipe")
    made = save(me, "4kCrumble", minutes=45)
    me.put(f"{base}/entries/4kCrumble/published", None, 200, {"X-Contentful-Version": str(made["sys"]["version"])})
    me.get(f"/delivery{base}/entries/4kCrumble")
    save(other, "4kPickle", title="Bread and butter pickle")
    place.rest(0.7)
    save(me, "4kPickle", minutes=20)
    me.get(f"/delivery{base}/entries/4kPickle")
    me.get(f"{base}/assets/hero77", 404)
    save(me, "4kCrumble", title="Rhubarb crumble")
    save(me, "4kPickle", "/published")
    place.sure(me.get(f"/delivery{base}/entries/4kPickle").json["fields"]["title"]["en-GB"].startswith("Bread"))
