# mypy: ignore-errors
# fmt: off
"""Pipelines, pages, catalogues, plans, files and libraries."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, guid, hashed, instant
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_GO = "application/vnd.go.cd.v11+json"


def _gocd() -> Api:
    rows = {n: Row({"label_template": "${COUNT}", "lock_behavior": "none", "name": n, "group": "ship", "stages": [{"name": "build", "fetch_materials": True, "jobs": [{"name": "make", "timeout": 20}]}]}) for n in ("hull", "rigging", "sails")}
    api = Api(lambda _req: {"X-Runtime-ms": "14", "X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=0, private, must-revalidate"}, _GO + "; charset=utf-8")
    api.say("GET", "/go/api/version", {"version": "19.3.0", "build_number": "8959"})

    def tag(name: str) -> str:
        return hashed(rows[name].data, "sha256")

    def shown(name: str) -> dict:
        return {"_links": {"self": {"href": f"http://go.wharf.example/go/api/admin/pipelines/{name}"}}, **rows[name].data}

    @api.on("GET", "/go/api/dashboard")
    def board(_req: Req) -> Res:
        return Res(200, {"_embedded": {"pipelines": [{"name": n, "locked": False, "can_operate": True, "pause_info": {"paused": False, "pause_reason": None}} for n in rows]}})

    @api.on("GET", "/go/api/admin/pipelines/([a-z]+)")
    def one(_req: Req, name: str) -> Res:
        return Res(200, shown(name), {"ETag": f'"{tag(name)}"'})

    @api.on("PUT", "/go/api/admin/pipelines/([a-z]+)")
    def put(req: Req, name: str) -> Res:
        if req.fields.get("if-match", "").strip('"') != tag(name):
            return Res(412, {"message": f"Someone has modified the configuration for pipeline '{name}'. Please update your copy of the config with the changes.", "data": {}})
        rows[name].set({k: v for k, v in req.json.items() if k != "_links"})
        return Res(200, shown(name), {"ETag": f'"{tag(name)}"'})

    return api


@case("e360", "cal-pipeline-editor-asks-for-gzip", "etag-suffix-rewrite", "412", alone="etag-suffix-rewrite", synthetic=True,
      description="A script edits GoCD pipelines behind an Apache that compresses with DeflateAlterETag's default: the reads that ask for gzip carry hash-gzip, the update with it is 412; the pipeline that it reads without compression is saved.")
def gocd(stage: Stage) -> None:
    """Echo a tag that the encoder extended."""
    server = place.open_box(stage, _gocd(), "cheroot", "GoCD")
    front = fronts.apache(stage, server, "AddOutputFilterByType DEFLATE application/vnd.go.cd.v11+json")
    head = {"Accept": _GO, "Authorization": "Bearer 6c2f0b"}
    me = stage.actor("client", front, "go.wharf.example", "requests", {**head, "Accept-Encoding": "gzip, deflate"})
    me.get("/go/api/version", headers={"Accept": "application/json"})
    me.get("/go/api/dashboard")
    seen = me.get("/go/api/admin/pipelines/rigging")
    place.sure("-gzip" in seen.etag, seen.etag)
    body = {**seen.json, "label_template": "rig-${COUNT}"}
    me.put("/go/api/admin/pipelines/rigging", body, 412, {"If-Match": seen.etag})
    me.get("/go/api/dashboard")
    plain = me.get("/go/api/admin/pipelines/sails", headers={"Accept-Encoding": "identity"})
    me.put("/go/api/admin/pipelines/sails", {**plain.json, "lock_behavior": "lockOnFailure"}, 200, {"If-Match": plain.etag})
    again = me.get("/go/api/admin/pipelines/rigging")
    me.put("/go/api/admin/pipelines/rigging", {**again.json, "label_template": "rig-${COUNT}"}, 412, {"If-Match": again.etag})
    place.sure(me.get("/go/api/admin/pipelines/rigging").json["label_template"] == "${COUNT}")


def _confluence(row: Row, users: dict[str, str]) -> Api:
    api = Api(lambda req: {"X-AUSERNAME": users.get(req.fields.get("authorization", ""), "anonymous"), "X-Confluence-Request-Time": str(int(time.time() * 1000)), "Cache-Control": "no-cache, no-store, must-revalidate", "Server": "AtlassianEdge"})

    def version(rev: int, at: float, by: str) -> dict:
        return {"by": {"type": "known", "username": by, "displayName": by.title()}, "when": instant(at), "number": rev, "minorEdit": False}

    def shown(req: Req) -> dict:
        wide, out = req.query.get("expand", ""), {"id": "98371", "type": "page", "status": "current", "title": row.data["title"]}
        if "version" in wide:
            out["version"] = version(row.rev, row.at, row.by)
        if "body.storage" in wide:
            out["body"] = {"storage": {"value": row.data["text"], "representation": "storage"}}
        return {**out, "_links": {"webui": "/display/OPS/Restart", "self": "http://wiki.kestrel.example/rest/api/content/98371"}}

    api.say("GET", "/rest/api/user/current", {"type": "known", "username": "runbook-bot", "displayName": "Runbook Bot"})
    api.say("GET", "/rest/api/content/98371/label", {"results": [{"prefix": "global", "name": "runbook", "id": "55"}], "size": 1})

    @api.on("GET", "/rest/api/content/98371")
    def get(req: Req) -> Res:
        return Res(200, shown(req))

    @api.on("GET", "/rest/api/content/98371/version")
    def versions(_req: Req) -> Res:
        told = [(row.rev, row.at, row.by), *((r, a, b) for r, a, b, _ in reversed(row.past))]
        return Res(200, {"results": [version(*one) for one in told], "start": 0, "limit": 200, "size": len(told)})

    @api.on("PUT", "/rest/api/content/98371")
    def put(req: Req) -> Res:
        body, who = req.json, users[req.fields["authorization"]]
        if body["version"]["number"] != row.rev + 1:
            return Res(409, {"statusCode": 409, "data": {"authorized": False, "valid": True, "errors": []}, "message": f"Version must be incremented on update. Current version is: {row.rev}"})
        row.set({"title": body["title"], "text": body["body"]["storage"]["value"]}, who)
        return Res(200, shown(Req("GET", "/?expand=version", {}, b"")))

    return api


@case("e361", "cal-runbook-bot-takes-the-number-late", "blind-refresh", "lost-update", alone="blind-refresh", synthetic=True,
      description="A bot renders a Confluence page from the text it read at version 12, asks for the version number right before it saves, gets 13 (a colleague's) and puts 14: taken; the colleague's paragraph is gone from the page that it shows later.")
def confluence(stage: Stage) -> None:
    """Take a fresh number for an old text."""
    users = {"Bearer bot": "runbook-bot", "Bearer mira": "mira.holt"}
    row = Row({"title": "Restart the ledger", "text": "<p>1. Drain the queue.</p><p>2. Restart.</p>"}, 12, "mira.holt")
    server = place.open_box(stage, _confluence(row, users), "cheroot", "Confluence")
    me = stage.actor("client", server, "wiki.kestrel.example", "node:axios", {"Authorization": "Bearer bot", "X-Atlassian-Token": "no-check"})
    other = stage.actor("other", server, "wiki.kestrel.example", "httpx", {"Authorization": "Bearer mira"})
    path = "/rest/api/content/98371"
    me.get("/rest/api/user/current")
    seen = me.get(path + "?expand=body.storage,version").json
    me.get(path + "/label")
    theirs = other.get(path + "?expand=body.storage,version").json
    added = theirs["body"]["storage"]["value"] + "<p>3. Tell the auditors.</p>"
    other.put(path, {"id": "98371", "type": "page", "title": theirs["title"], "version": {"number": 13}, "body": {"storage": {"value": added, "representation": "storage"}}}, 200)
    place.rest(1.2)
    number = me.get(path + "?expand=version").json["version"]
    text = seen["body"]["storage"]["value"].replace("Restart.", "Restart node A, then node B.")
    me.put(path, {"id": "98371", "type": "page", "title": "Restart the ledger", "version": {"number": number["number"] + 1, "message": "rendered"}, "body": {"storage": {"value": text, "representation": "storage"}}}, 200)
    me.get(path + "/version")
    place.sure("auditors" not in me.get(path + "?expand=body.storage,version").text)


def _square_api() -> Api:
    names = {"VQX2": ("Flat white", 320), "MTR7": ("Cortado", 300), "PLS9": ("Chai", 380)}
    rows = {k: Row({"name": n, "price": p}, 1700000000000 + i * 977) for i, (k, (n, p)) in enumerate(names.items())}

    def shown(key: str) -> dict:
        row = rows[key]
        money = {"amount": row.data["price"], "currency": "GBP"}
        return {"type": "ITEM_VARIATION", "id": key, "updated_at": instant(row.at), "version": row.rev, "is_deleted": False, "item_variation_data": {"name": row.data["name"], "pricing_type": "FIXED_PRICING", "price_money": money}}

    api = Api(lambda _req: {"Square-Version": "2024-05-15", "X-Request-Id": guid(str(time.time()))})

    @api.on("POST", "/v2/catalog/search")
    def search(_req: Req) -> Res:
        return Res(200, {"objects": [shown(k) for k in rows], "latest_time": instant(time.time())})

    @api.on("GET", "/v2/catalog/object/([A-Z0-9]+)")
    def one(_req: Req, key: str) -> Res:
        return Res(200, {"object": shown(key)})

    @api.on("POST", "/v2/catalog/object")
    def upsert(req: Req) -> Res:
        made = req.json["object"]
        row = rows[made["id"]]
        if made.get("version") is not None and made["version"] != row.rev:
            return Res(400, {"errors": [{"category": "INVALID_REQUEST_ERROR", "code": "VERSION_MISMATCH", "detail": "Object version does not match latest database version.", "field": "version"}]})
        data = made["item_variation_data"]
        row.set({"name": data["name"], "price": data["price_money"]["amount"]}, step=int(time.time() * 1000) - row.rev)
        return Res(200, {"catalog_object": shown(made["id"])})

    api.say("GET", "/v2/locations", {"locations": [{"id": "L8", "name": "Quayside", "status": "ACTIVE", "currency": "GBP"}]})
    return api


@case("e362", "cal-till-sends-no-number", "null-token", "lost-update", alone="null-token", also="unconditional-write", synthetic=True,
      description="A till's upserts of Square catalogue objects carry version null, as its model never got the number: the API takes that as the latest, and the price that the office set in between, which the till's own search had listed, is back at the old one.")
def square(stage: Stage) -> None:
    """Send a null where the number goes."""
    server = place.open_box(stage, _square_api(), "tornado", "Square")
    head = {"Square-Version": "2024-05-15", "Authorization": "Bearer EAAAl"}
    me = stage.actor("client", server, "connect.till.example", "node:fetch", head)
    office = stage.actor("other", server, "connect.till.example", "requests", head)
    me.get("/v2/locations")
    held = {o["id"]: o for o in me.send("POST", "/v2/catalog/search", 200, body={"object_types": ["ITEM_VARIATION"]}).json["objects"]}

    def save(key: str, **more: object) -> dict:
        data = {**held[key]["item_variation_data"], **more}
        body = {"idempotency_key": guid(key + str(more)), "object": {"type": "ITEM_VARIATION", "id": key, "version": None, "item_variation_data": data}}
        return me.send("POST", "/v2/catalog/object", 200, body=body).json["catalog_object"]

    save("PLS9", name="Chai latte")
    theirs = office.get("/v2/catalog/object/VQX2").json["object"]
    theirs["item_variation_data"]["price_money"]["amount"] = 350
    office.send("POST", "/v2/catalog/object", 200, body={"idempotency_key": "o1", "object": theirs})
    place.rest(0.9)
    listed = me.send("POST", "/v2/catalog/search", 200, body={"object_types": ["ITEM_VARIATION"], "begin_time": "2024-05-01T00:00:00Z"}).json
    place.sure("350" in str(listed))
    save("VQX2", name="Flat white 6oz")
    place.sure(me.get("/v2/catalog/object/VQX2").json["object"]["item_variation_data"]["price_money"]["amount"] == 320)


def _planner(tasks: dict[str, Row], details: dict[str, Row]) -> Api:
    api = Api(lambda _req: {"request-id": guid(str(time.time())), "OData-Version": "4.0", "Cache-Control": "no-cache", "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"West Europe","Slice":"E","Ring":"5"}}'}, "application/json;odata.metadata=minimal;charset=utf-8")

    def tag(kind: str, row: Row) -> str:
        return f'W/"JzEt{kind}AgQEBAQEBAQEBAQEBAQEB{hashed(row.rev)[:3].upper()}AY="'

    kinds = {"tasks": (tasks, "VGFza"), "details": (details, "VGFzaERldGFpbH")}

    @api.on("GET", "/v1.0/planner/plans/([^/]+)/tasks")
    def listed(_req: Req, _plan: str) -> Res:
        return Res(200, {"@odata.count": len(tasks), "value": [{"@odata.etag": tag("VGFza", r), "id": k, **r.data} for k, r in tasks.items()]})

    def part(req: Req, key: str, kind: str) -> Res:
        rows, mark = kinds[kind]
        row = rows[key]
        if req.method == "PATCH":
            if "if-match" not in req.fields:
                return Res(400, {"error": {"code": "", "message": "The If-Match header must be specified for this kind of request."}})
            if req.fields["if-match"] != tag(mark, row):
                return Res(412, {"error": {"code": "", "message": "The If-Match header contains an invalid value.", "innerError": {"date": instant(time.time(), 0)[:-1], "request-id": guid(key)}}})
            row.add(req.json)
            return Res(204)
        return Res(200, {"@odata.etag": tag(mark, row), "id": key, **row.data}, {"ETag": tag(mark, row)})

    api.on("GET|PATCH", "/v1.0/planner/tasks/([^/]+)/(details)")(part)
    api.on("GET|PATCH", "/v1.0/planner/tasks/([^/]+)")(lambda req, key: part(req, key, "tasks"))
    return api


@case("e363", "cal-board-writes-notes-with-the-cards-tag", "wrong-token-source", "412", alone="wrong-token-source", synthetic=True,
      description="A board's client renames Planner tasks with the tag of the list, and that works; the notes go to the task's details with the very same tag (the task's, after a new read) and are refused with 412, as the details have a tag of their own.")
def planner(stage: Stage) -> None:
    """Send the card's tag for its notes."""
    keys = [f"{hashed(n, 'md5')[:20]}Lx6a" for n in "abc"]
    tasks = {k: Row({"planId": "xqQg5FS2LkCp935s", "title": t, "percentComplete": 0}) for k, t in zip(keys, ("Order slate", "Hire crane", "Book inspector"), strict=True)}
    details = {k: Row({"description": "", "previewType": "automatic"}, 4) for k in keys}
    server = place.open_box(stage, _planner(tasks, details), "waitress", "Microsoft Planner")
    me = stage.actor("client", server, "graph.dachwerk.example", "java", {"Authorization": "Bearer eyJ0eXAi", "Accept": "application/json"})
    cards = me.get("/v1.0/planner/plans/xqQg5FS2LkCp935s/tasks").json["value"]
    me.send("PATCH", f"/v1.0/planner/tasks/{keys[1]}", 204, {"If-Match": cards[1]["@odata.etag"]}, {"percentComplete": 50})
    place.rest()
    me.get(f"/v1.0/planner/tasks/{keys[0]}/details")
    for _turn in range(2):
        card = me.get(f"/v1.0/planner/tasks/{keys[0]}").json
        me.send("PATCH", f"/v1.0/planner/tasks/{keys[0]}/details", 412, {"If-Match": card["@odata.etag"]}, {"description": "Welsh blue, 2.4 t"})
        place.rest(0.5)
    me.send("PATCH", f"/v1.0/planner/tasks/{keys[0]}", 204, {"If-Match": card["@odata.etag"]}, {"title": "Order slate (today)"})
    place.sure(me.get(f"/v1.0/planner/tasks/{keys[0]}/details").json["description"] == "")


@case("e364", "cal-folder-sync-with-bare-integers", "none", "healthy", alone="none", synthetic=True,
      description="A folder tool on Box: tags that are bare integers, 304 for what it holds, a rename after another user's rename that it read first, and the 404 of a file that it had itself removed. All as it should be.")
def box(stage: Stage) -> None:
    """Sync and be content."""
    rows = {k: Row({"type": "file", "name": n, "sha1": hashed(n), "size": 4000 + len(n)}, 0) for k, n in (("81120", "menu.pdf"), ("81133", "wine.pdf"), ("81149", "hours.txt"))}
    gone: set[str] = set()

    def shown(key: str) -> dict:
        row = rows[key]
        return {"id": key, "etag": str(row.rev), "sequence_id": str(row.rev), "modified_at": instant(row.at, 0), "modified_by": {"type": "user", "name": row.by}, **row.data}

    api = Api(lambda req: {"X-Box-Request-Id": hashed(time.time())[:20], "Strict-Transport-Security": "max-age=31536000", "Box-Who": req.fields.get("as-user", "-")})

    @api.on("GET", "/2.0/folders/0/items")
    def items(_req: Req) -> Res:
        kept = [k for k in rows if k not in gone]
        return Res(200, {"total_count": len(kept), "entries": [{"type": "file", "id": k, "etag": str(rows[k].rev), "name": rows[k].data["name"]} for k in kept], "offset": 0, "limit": 100})

    @api.on("GET|PUT|DELETE", "/2.0/files/([0-9]+)")
    def one(req: Req, key: str) -> Res:
        row, sent = rows[key], req.fields.get("if-match")
        if key in gone:
            return Res(404, {"type": "error", "status": 404, "code": "not_found", "message": "Not Found", "request_id": hashed(key)[:12]})
        if sent is not None and sent != str(row.rev):
            return Res(412, {"type": "error", "status": 412, "code": "precondition_failed", "message": "The resource has been modified. Please retrieve the resource again and retry"})
        if req.method == "DELETE":
            gone.add(key)
            return Res(204)
        if req.method == "PUT":
            row.add(req.json, req.fields.get("as-user", ""))
        elif req.fields.get("if-none-match") == str(row.rev):
            return Res(304, b"", {"ETag": str(row.rev)})
        return Res(200, shown(key), {"ETag": str(row.rev)})

    server = place.open_box(stage, api, "stdlib", "Box")
    me = stage.actor("client", server, "api.bistro.example", "requests", {"As-User": "carla"})
    other = stage.actor("other", server, "api.bistro.example", "httpx", {"As-User": "jean"})
    me.get("/2.0/folders/0/items")
    held = {k: me.get(f"/2.0/files/{k}").fields["etag"] for k in rows}
    me.get("/2.0/files/81120", 304, {"If-None-Match": held["81120"]})
    other.put("/2.0/files/81133", {"name": "wines.pdf"}, 200, {"If-Match": other.get("/2.0/files/81133").fields["etag"]})
    place.rest(0.6)
    fresh = me.get("/2.0/files/81133", 200, {"If-None-Match": held["81133"]}).json
    me.put("/2.0/files/81133", {"name": fresh["name"].replace("wines", "wines-2025")}, 200, {"If-Match": fresh["etag"]})
    me.send("DELETE", "/2.0/files/81149", 204, {"If-Match": held["81149"]})
    me.get("/2.0/files/81149", 404)
    me.get("/2.0/files/81133", 304, {"If-None-Match": "2"})
    place.sure(me.get("/2.0/folders/0/items").json["total_count"] == 2)


def _zotero_api() -> Api:
    place_keys = ("QWRT7Z2A", "HH4PX9CD", "ZTEUV3KM")
    items = {k: {"key": k, "version": v, "title": t, "extra": ""} for k, v, t in zip(place_keys, (288, 301, 296), ("Bog pollen", "Peat cores", "Varves"), strict=True)}
    library = [301]
    api = Api(lambda _req: {"Zotero-API-Version": "3", "Last-Modified-Version": str(library[0]), "Zotero-Schema-Version": "32"})

    def shown(key: str) -> dict:
        own = items[key]
        return {"key": key, "version": own["version"], "library": {"type": "group", "id": 51120, "name": "Quaternary"}, "data": own}

    @api.on("GET", "/groups/51120/items")
    def listed(_req: Req) -> Res:
        return Res(200, [shown(k) for k in items], {"Total-Results": str(len(items))})

    @api.on("GET|PATCH", "/groups/51120/items/([A-Z0-9]+)")
    def one(req: Req, key: str) -> Res:
        if req.method == "GET":
            return Res(200, shown(key), {"Last-Modified-Version": str(items[key]["version"])})
        library[0] += 1
        items[key].update(req.json, version=library[0])
        return Res(204, b"", {"Last-Modified-Version": str(library[0])})

    @api.on("POST", "/groups/51120/items")
    def many(req: Req) -> Res:
        out: dict = {"success": {}, "unchanged": {}, "failed": {}, "successful": {}}
        library[0] += 1
        for n, sent in enumerate(req.json):
            own = items[sent["key"]]
            if sent["version"] != own["version"]:
                out["failed"][str(n)] = {"key": own["key"], "code": 412, "message": f"Item has been modified since specified version (expected {sent['version']}, found {own['version']})"}
            else:
                own.update(sent, version=library[0])
                out["success"][str(n)] = own["key"]
                out["successful"][str(n)] = shown(own["key"])
        return Res(200, out)

    api.say("GET", "/keys/current", {"key": "P9N", "userID": 47, "username": "sedge", "access": {"groups": {"51120": {"write": True}}}})
    return api


@case("e365", "cal-references-unsaved-in-a-200", "status-dialect-mismatch", "lost-update", alone="status-dialect-mismatch", also="other-writer", synthetic=True,
      description="A plug-in writes several Zotero items in one POST and looks at the status alone: 200, with the second item under failed (412, modified since version 301 by the group's other member); it goes on as if saved, and its later read shows the item without its edit.")
def zotero(stage: Stage) -> None:
    """Take a 200 for the whole truth."""
    server = place.open_box(stage, _zotero_api(), "aiohttp", "Zotero")
    me = stage.actor("client", server, "api.refs.example", "httpx", {"Zotero-API-Version": "3", "Zotero-API-Key": "P9N"})
    other = stage.actor("other", server, "api.refs.example", "urllib", {"Zotero-API-Version": "3", "Zotero-API-Key": "Q1B"})
    me.get("/keys/current")
    held = me.get("/groups/51120/items?format=json&limit=50").json
    other.send("PATCH", "/groups/51120/items/HH4PX9CD", 204, {"If-Unmodified-Since-Version": "301", "Content-Type": "application/json"}, {"title": "Peat cores, revised"})
    place.rest(1.1)
    sent = [{**one["data"], "extra": f"shelf {n}"} for n, one in enumerate(held, 3)]
    got = me.send("POST", "/groups/51120/items", 200, {"Zotero-Write-Token": hashed("w", "md5")}, sent).json
    place.sure(list(got["failed"]) == ["1"])
    place.rest(0.4)
    now = me.get("/groups/51120/items?format=json&limit=50").json
    place.sure(now[1]["data"]["extra"] == "" and now[0]["data"]["extra"] == "shelf 3")


@case("e366", "cal-cart-in-two-tabs-of-a-couple", "other-writer", "409", alone="other-writer", synthetic=True,
      description="A shared cart on commercetools: the partner's phone adds a line while the first shopper's laptop holds version 7; her action with 7 is refused, 409 ConcurrentModification with currentVersion 8, and the cart that she then reads holds his line, last modified by his session.")
def commerce(stage: Stage) -> None:
    """Come second in one cart."""
    row = Row({"lineItems": [{"id": "l1", "productKey": "lamp", "quantity": 1}], "cartState": "Active"}, 7, "web-ann")

    def shown() -> dict:
        return {"type": "Cart", "id": guid("cart"), "version": row.rev, "lastModifiedAt": instant(row.at), "lastModifiedBy": {"clientId": "sf", "anonymousId": row.by}, **row.data}

    api = Api(lambda _req: {"X-Correlation-ID": f"projects-lumen-{hashed(time.time())[:8]}", "Server": "istio-envoy"})
    api.say("GET", "/lumen/product-projections/search", {"limit": 20, "count": 2, "results": [{"key": "lamp", "version": 41}, {"key": "shade", "version": 12}]})
    api.say("POST", "/oauth/token", {"access_token": "x7", "expires_in": 172800, "token_type": "Bearer"})

    @api.on("GET", "/lumen/me/carts/.+|/lumen/carts/.+")
    def get(_req: Req) -> Res:
        return Res(200, shown())

    @api.on("POST", "/lumen/me/carts/.+")
    def act(req: Req) -> Res:
        if req.json["version"] != row.rev:
            text = f"Object {guid('cart')} has a different version than expected. Expected: {req.json['version']} - Actual: {row.rev}."
            return Res(409, {"statusCode": 409, "message": text, "errors": [{"code": "ConcurrentModification", "message": text, "currentVersion": row.rev}]})
        found = [dict(one) for one in row.data["lineItems"]]
        for action in req.json["actions"]:
            if action["action"] == "addLineItem":
                found.append({"id": f"l{len(found) + 1}", "productKey": action["sku"], "quantity": action["quantity"]})
            else:
                found[0]["quantity"] = action["quantity"]
        row.add({"lineItems": found}, req.fields["x-anon"])
        return Res(200, shown())

    server = place.open_box(stage, api, "starlette", "commercetools")
    me = stage.actor("client", server, "api.lumen.example", "node:axios", {"Authorization": "Bearer x7", "X-Anon": "web-ann"})
    other = stage.actor("other", server, "api.lumen.example", "aiohttp", {"Authorization": "Bearer y2", "X-Anon": "phone-bo"})
    me.send("POST", "/oauth/token", 200, body="grant_type=client_credentials")
    path = f"/lumen/me/carts/{guid('cart')}"
    mine = me.get(path).json
    me.get("/lumen/product-projections/search?text.en=lamp")
    theirs = other.get(path).json
    other.send("POST", path, 200, body={"version": theirs["version"], "actions": [{"action": "addLineItem", "sku": "shade", "quantity": 2}]})
    place.rest(1.3)
    me.send("POST", path, 409, body={"version": mine["version"], "actions": [{"action": "changeLineItemQuantity", "lineItemId": "l1", "quantity": 3}]})
    now = me.get(path).json
    place.sure(now["lastModifiedBy"]["anonymousId"] == "phone-bo" and len(now["lineItems"]) == 2)


@case("e367", "cal-grants-in-a-loop-with-one-etag", "retry-reuses-failed-token", "409", alone="retry-reuses-failed-token", also="other-writer", synthetic=True,
      description="A tool sets a Google project's IAM policy; another administrator's binding came between, and its loop sends the same policy with the same etag four times, waiting longer each time: 409 ABORTED each time, never another getIamPolicy.")
def iam(stage: Stage) -> None:
    """Insist with what was refused."""
    row = Row({"bindings": [{"role": "roles/viewer", "members": ["group:crew@tern.example"]}], "version": 1}, 3)

    def etag() -> str:
        return f"BwY{hashed(row.rev)[:7]}M="

    api = Api(lambda _req: {"Vary": "Origin, X-Origin, Referer", "Server": "ESF", "X-XSS-Protection": "0", "X-Frame-Options": "SAMEORIGIN"}, "application/json; charset=UTF-8")
    api.say("GET", "/v1/projects/tern-prod", {"projectNumber": "41822", "projectId": "tern-prod", "lifecycleState": "ACTIVE"})
    api.say("POST", "/v1/projects/tern-prod:testIamPermissions", {"permissions": ["resourcemanager.projects.setIamPolicy"]})
    api.on("POST", "/v1/projects/tern-prod:getIamPolicy")(lambda _req: Res(200, {**row.data, "etag": etag()}))

    @api.on("POST", "/v1/projects/tern-prod:setIamPolicy")
    def put(req: Req) -> Res:
        policy = req.json["policy"]
        if policy.get("etag") and policy["etag"] != etag():
            text = f"There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. The request's ETag '\\{policy['etag']}' did not match the current policy's ETag '\\{etag()}'."
            return Res(409, {"error": {"code": 409, "message": text, "status": "ABORTED"}})
        row.set({"bindings": policy["bindings"], "version": 1})
        return Res(200, {**row.data, "etag": etag()})

    server = place.open_box(stage, api, "cheroot", "Google IAM")
    site = "cloudresourcemanager.tern.example"
    me = stage.actor("client", server, site, "requests", {"Authorization": "Bearer ya29.a", "x-goog-api-client": "gl-python/3.12 gapic/1.4"})
    other = stage.actor("other", server, site, "java", {"Authorization": "Bearer ya29.b"})
    base = "/v1/projects/tern-prod"
    me.get(base)
    me.send("POST", base + ":testIamPermissions", 200, body={"permissions": ["resourcemanager.projects.setIamPolicy"]})
    mine = me.send("POST", base + ":getIamPolicy", 200, body={}).json
    theirs = other.send("POST", base + ":getIamPolicy", 200, body={}).json
    theirs["bindings"].append({"role": "roles/logging.viewer", "members": ["user:ines@tern.example"]})
    other.send("POST", base + ":setIamPolicy", 200, body={"policy": theirs})
    mine["bindings"].append({"role": "roles/storage.admin", "members": ["serviceAccount:sync@tern-prod.iam.gserviceaccount.com"]})
    for pause in (0.4, 0.8, 1.6, 0.1):
        me.send("POST", base + ":setIamPolicy", 409, body={"policy": mine})
        place.rest(pause)
    me.get(base)
