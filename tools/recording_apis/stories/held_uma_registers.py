# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202, ARG001 - routes are called by the frameworks
# fmt: off
"""Shops, clusters, boxes and registers whose refusals have each another reason."""

from __future__ import annotations

import json
import time
from urllib.parse import parse_qs

from tools.recording_apis.apps.uma5_core import Api, Res, date, iso, mark, opaque, request_id
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place


@case(
    "e090",
    "uma-commercetools-product-two-merchants",
    "other-writer",
    "409",
    alone="other-writer",
    synthetic=True,
    description=(
        "A merchant changes a product's price with the version that she read; a colleague has renamed the product "
        "meanwhile: 409 ConcurrentModification, and the product read again names him in lastModifiedBy."
    ),
)
def merchants(stage):
    """Be second at a product."""
    api = Api({"X-Correlation-ID": lambda req: f"projects-{mark(req.body, 8)}-{time.time_ns() % 99999}"})
    key = "1f0c2b7e-62a4-4d5b-9a10-7c3f5e0d1a42"
    api.add(key, {"name": {"de": "Gießkanne 10 l"}, "price": 1499}, 11, by="import-job")
    api.add("1f0c2b7e-62a4-4d5b-9a10-7c3f5e0d1a43", {"name": {"de": "Harke"}, "price": 2350}, 4)

    def shown(key):
        row = api.rows[key]
        who = {"clientId": "mc-frontend", "isPlatformClient": True, "user": {"typeId": "user", "id": row.by}}
        current = {"name": row.data["name"], "masterVariant": {"id": 1, "price": row.data["price"]}}
        return {"id": key, "version": row.rev, "lastModifiedAt": iso(row.at), "lastModifiedBy": who,
                "masterData": {"current": current}}

    @api.on("GET", "/gartenmarkt/products")
    def many(req):
        return Res(200, {"limit": 20, "offset": 0, "count": 2, "total": 2, "results": [shown(k) for k in api.rows]})

    @api.on("GET POST", "/gartenmarkt/products/([^/]+)")
    def one(req, key):
        row = api.rows[key]
        if req.method == "POST":
            if req.json["version"] != row.rev:
                text = f"Object {key} has a different version than expected. Expected: {req.json['version']} - Actual: {row.rev}."
                return Res(409, {"statusCode": 409, "message": text, "errors": [
                    {"code": "ConcurrentModification", "message": text, "currentVersion": row.rev}]})
            for act in req.json["actions"]:
                row.write({**row.data, **{k: v for k, v in act.items() if k in {"name", "price"}}}, req.who)
        return Res(200, shown(key))

    server = place.open_box(stage, api, "starlette", "commercetools")
    ann = {"Authorization": "Bearer ann.k", "User-Agent": "commercetools-sdk-typescript/7.9"}
    me = stage.actor("client", server, "api.europe-west1.gcp.commercetools.example", "node:axios", ann)
    other = stage.actor("other", server, "api.europe-west1.gcp.commercetools.example", "httpx", {"Authorization": "Bearer udo.h"})
    me.get("/gartenmarkt/products?limit=20&withTotal=true")
    mine, theirs = me.get(f"/gartenmarkt/products/{key}").json, other.get(f"/gartenmarkt/products/{key}").json
    rename = [{"action": "changeName", "name": {"de": "Gießkanne verzinkt 10 l"}}]
    other.send("POST", f"/gartenmarkt/products/{key}", 200, None, {"version": theirs["version"], "actions": rename})
    place.rest(1.1)
    side = "/gartenmarkt/products/1f0c2b7e-62a4-4d5b-9a10-7c3f5e0d1a43"
    own = me.get(side).json
    act = {"action": "changePrice", "priceId": "p1", "price": 2199}
    me.send("POST", side, 200, None, {"version": own["version"], "actions": [act]})
    act = {"action": "changePrice", "priceId": "p7", "price": 1599}
    me.send("POST", f"/gartenmarkt/products/{key}", 409, None, {"version": mine["version"], "actions": [act]})
    place.sure(me.get(f"/gartenmarkt/products/{key}").json["lastModifiedBy"]["user"]["id"] == "udo.h")


@case(
    "e111",
    "uma-kubernetes-status-after-replace",
    "server-side-mutation",
    "409",
    alone="server-side-mutation",
    synthetic=True,
    description=(
        "An operator replaces a deployment and soon after replaces it again with the resourceVersion of its own answer; "
        "the deployment controller has written the status meanwhile (managedFields name it): 409 Conflict."
    ),
)
def controller(stage):
    """Be overtaken by the controller."""
    base = "/apis/apps/v1/namespaces/shipping/deployments"
    api = Api({"Audit-Id": request_id, "Cache-Control": "no-cache, private"}, fixed={
        "/version": {"major": "1", "minor": "30", "gitVersion": "v1.30.4", "platform": "linux/amd64"},
        "/api/v1/namespaces/shipping": {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shipping", "resourceVersion": "1201"}}})
    spec = {"replicas": 2, "template": {"spec": {"containers": [{"name": "web", "image": "registry/labels:3.1"}]}}}
    for number, name in enumerate(("labels", "tracker")):
        api.add(name, {"spec": spec, "status": {"observedGeneration": 4, "readyReplicas": 2}, "who": []}, 884120 + number * 7)

    def shown(name):
        row = api.rows[name]
        meta = {"name": name, "namespace": "shipping", "resourceVersion": str(row.rev), "managedFields": row.data["who"]}
        return {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": meta, "spec": row.data["spec"], "status": row.data["status"]}

    @api.on("GET", base)
    def many(req):
        return Res(200, {"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": {"resourceVersion": "884160"},
                         "items": [shown(k) for k in api.rows]})

    @api.on("GET PUT", base + "/(.+)")
    def one(req, name):
        row = api.rows[name]
        if req.method == "PUT":
            if req.json["metadata"]["resourceVersion"] != str(row.rev):
                text = (f'Operation cannot be fulfilled on deployments.apps "{name}": the object has been modified; '
                        "please apply your changes to the latest version and try again")
                return Res(409, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": text,
                    "reason": "Conflict", "details": {"name": name, "group": "apps", "kind": "deployments"}, "code": 409})
            who = [{"manager": "label-operator", "operation": "Update", "time": iso(time.time(), 0)}]
            row.write({**row.data, "spec": req.json["spec"], "who": who})
        return Res(200, shown(name))

    server = place.open_box(stage, api, "aiohttp", "Kubernetes")
    me = stage.actor("client", server, "kube-apiserver.shipping.example", "aiohttp", {"User-Agent": "kubernetes_asyncio/31.1"})
    place.glance(me, "/version", "/api/v1/namespaces/shipping")
    me.get(f"{base}?limit=500")
    for name, step in (("tracker", 0.0), ("labels", 0.8)):
        seen = me.get(f"{base}/{name}").json
        seen["spec"]["replicas"] = 3
        seen = me.put(f"{base}/{name}", seen, 200).json
        if step:
            place.rest(step)
            row = api.rows[name]
            note = {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status", "time": iso(time.time(), 0)}
            row.write({**row.data, "status": {"observedGeneration": 5, "readyReplicas": 3}, "who": [*row.data["who"], note]})
            place.rest(0.4)
            seen["spec"]["template"]["spec"]["containers"][0]["image"] = "registry/labels:3.2"
            me.put(f"{base}/{name}", seen, 409)
        me.get(f"{base}/{name}")


@case(
    "e087",
    "uma-box-file-in-the-trash",
    "target-missing",
    "412",
    alone="target-missing",
    synthetic=True,
    description=(
        "A records tool renames files in Box with the etags of the folder's list; a colleague has put one into the "
        "trash before: 412, and the file read again is 404 trashed."
    ),
)
def trashed(stage):
    """Rename what has gone."""
    api = Api({"box-request-id": lambda _req: mark(time.time_ns(), 26), "Strict-Transport-Security": "max-age=31536000"}, fixed={
        "/2.0/users/me": {"type": "user", "id": "17738362", "name": "Registratur", "login": "registratur@rat.example"}})
    for number in (990211, 990212, 990213):
        api.add(f"{number}", {"name": f"Protokoll {number}.docx"}, number % 3)
    said = {412: ("precondition_failed", "The resource has been modified. Please retrieve the resource again and retry"),
            404: ("trashed", "Item is trashed")}

    def error(status):
        return Res(status, {"type": "error", "status": status, "code": said[status][0], "message": said[status][1],
                   "help_url": "http://developers.box.com/docs/#errors", "request_id": mark(time.time_ns(), 17)})

    def shown(key):
        row = api.rows[key]
        return {"type": "file", "id": key, "etag": str(row.rev), "sequence_id": str(row.rev), **row.data}

    @api.on("GET", "/2.0/folders/0/items")
    def many(req):
        return Res(200, {"total_count": len(api.rows), "entries": [shown(k) for k in api.rows], "offset": 0, "limit": 100})

    @api.on("GET PUT DELETE", r"/2\.0/files/(\d+)")
    def one(req, key):
        if key not in api.rows:
            return error(412 if "if-match" in req.fields else 404)
        if req.fields.get("if-match", str(api.rows[key].rev)) != str(api.rows[key].rev):
            return error(412)
        if req.method == "DELETE":
            del api.rows[key]
            return Res(204)
        if req.method == "PUT":
            api.rows[key].write({**api.rows[key].data, **req.json})
        return Res(200, shown(key))

    server = place.open_box(stage, api, "cheroot", "Box")
    me = stage.actor("client", server, "api.box.example", "requests", {"Authorization": "Bearer r1", "User-Agent": "box-python-sdk-3.13.0"})
    other = stage.actor("other", server, "api.box.example", "node:fetch", {"Authorization": "Bearer m4"})
    me.get("/2.0/users/me")
    held = me.get("/2.0/folders/0/items?fields=id,name,etag,sequence_id&limit=100").json["entries"]
    other.send("DELETE", "/2.0/files/990212", 204)
    place.rest(0.4)
    for one_file in held:
        gone = one_file["id"] == "990212"
        me.put(f"/2.0/files/{one_file['id']}", {"name": f"2026-{one_file['name']}"}, 412 if gone else 200, {"if-match": one_file["etag"]})
    me.get("/2.0/files/990212", 404)
    me.get("/2.0/folders/0/items?fields=id,name,etag,sequence_id&limit=100")


@case(
    "e109",
    "uma-s4hana-requisition-in-two-steps",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    synthetic=True,
    description=(
        "A purchasing bot changes a requisition in S/4HANA in two PATCHes, both with the tag of its first read although "
        "the answer to the first PATCH showed the next: the second is 412, for three requisitions."
    ),
)
def requisitions(stage):
    """Keep the first tag."""
    base = "/sap/opu/odata4/sap/api_purchaserequisition_2/srvd_a2x/sap/purchaserequisition/0001/PurchaseReqn"
    api = Api({"OData-Version": "4.0", "sap-processing-info": "ODataBEP=,crp=,RAL=,st=X,MedCacheHub=SHM"})
    for number in (10000412, 10000415, 10000419):
        api.add(f"{number}", {"PurReqnDescription": "Büromaterial", "PurchaseRequisitionType": "NB"})

    def tag(row):
        return f'W/"SADL-{time.strftime("%Y%m%d%H%M%S", time.gmtime(row.at))}.{int(row.at % 1 * 1e7):07d}C~0"'

    @api.on("GET HEAD", "/sap/opu/odata4/sap/api_purchaserequisition_2/srvd_a2x/sap/purchaserequisition/0001/")
    def root(req):
        return Res(200, {"@odata.context": "$metadata", "value": [{"name": "PurchaseReqn"}]}, {"x-csrf-token": "JxTq3dQmQpZk0A=="})

    @api.on("GET PATCH", base + r"\('(\d+)'\)")
    def one(req, key):
        row = api.rows[key]
        if req.method == "PATCH":
            if req.fields.get("if-match") != tag(row):
                return Res(412, {"error": {"code": "/IWBEP/CM_V4_COS/015", "message": "Vorbedingung nicht erfüllt (ETag stimmt nicht überein)",
                    "@SAP__common.ExceptionCategory": "Client_Error"}})
            row.write({**row.data, **req.json})
        return Res(200, {"@odata.etag": tag(row), "PurchaseRequisition": key, **row.data}, {"ETag": tag(row)})

    server = place.open_box(stage, api, "falcon", "SAP S4HANA")
    me = stage.actor("client", server, "my341982-api.s4hana.example", "java", {"Authorization": "Basic Qk9UOng=", "Accept-Language": "de"})
    token = {"x-csrf-token": me.get(base.removesuffix("PurchaseReqn"), 200, {"x-csrf-token": "Fetch"}).fields["x-csrf-token"]}
    for number in (10000412, 10000415, 10000419):
        path = f"{base}('{number}')"
        first = {"If-Match": me.get(path).etag, **token}
        me.send("PATCH", path, 200, first, {"PurReqnDescription": "Büromaterial Q4"})
        place.rest(0.3)
        me.send("PATCH", path, 412, first, {"PurchaseRequisitionType": "ZNB"})


@case(
    "e084",
    "uma-eve-works-with-one-tag-four-times",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    synthetic=True,
    description=(
        "A museum's import patches works in an Eve service; one was changed since its list was read, and the retry "
        "sends the same If-Match four times with growing gaps and gives up."
    ),
)
def works(stage):
    """Try again with what has failed."""
    api = Api({"Server": "Eve/2.1.0 Werkzeug/2.3 Python/3.11"})
    for number in range(4):
        api.add(mark(number, 24), {"title": f"Stillleben {number}", "room": "2.04"}, 1, 4e5 + number)

    def shown(key):
        row = api.rows[key]
        moment = date(row.at)
        return {"_id": key, **row.data, "_updated": moment, "_created": "Thu, 02 Apr 2026 08:00:00 GMT", "_etag": mark((key, row.rev), 40, "sha1")}

    @api.on("GET", "/works")
    def many(req):
        return Res(200, {"_items": [shown(k) for k in api.rows], "_meta": {"page": 1, "max_results": 25, "total": 4}})

    @api.on("GET PATCH", "/works/([0-9a-f]+)")
    def one(req, key):
        now = shown(key)["_etag"]
        if req.method == "PATCH":
            if req.fields.get("if-match", "").strip('"') != now:
                return Res(412, {"_status": "ERR", "_error": {"code": 412, "message": "Client and server etags don't match"}})
            api.rows[key].write({**api.rows[key].data, **req.json})
        body = shown(key)
        return Res(200, {**body, "_status": "OK"} if req.method == "PATCH" else body, {"ETag": f'"{body["_etag"]}"'})

    server = place.open_box(stage, api, "flask", "Eve")
    me = stage.actor("client", server, "sammlung.museum.example", "httpx", {"Authorization": "Basic aW1wb3J0Og=="})
    other = stage.actor("other", server, "sammlung.museum.example", "requests")
    items = me.get("/works?max_results=25").json["_items"]
    seen = other.get(f"/works/{items[2]['_id']}")
    other.send("PATCH", f"/works/{items[2]['_id']}", 200, {"If-Match": seen.etag}, {"room": "Depot"})
    for number, item in enumerate(items):
        for gap in (0.2, 0.4, 0.8, 0.0) if number == 2 else (0.0,):
            me.send("PATCH", f"/works/{item['_id']}", 412 if number == 2 else 200, {"If-Match": f'"{item["_etag"]}"'}, {"insured": 100 * number})
            place.rest(gap)


@case(
    "e117",
    "uma-twilio-sync-answer-lost",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    synthetic=True,
    description=(
        "A dispatcher's worker updates a Sync document; the connection breaks after the service has stored it, the "
        "client's retry with the same revision is 412, and the document read then holds its own shift id."
    ),
)
def shifts(stage):
    """Meet one's own write."""
    base = "/v1/Services/IS5a0c9d1e7f0b4c2d8e6f3a1b2c4d5e6f/Documents"
    api = Api({"Twilio-Request-Id": lambda _r: f"RQ{mark(time.time_ns())}", "Twilio-Request-Duration": "0.021", "X-Powered-By": "AT-5000"}, fixed={
        base.removesuffix("/Documents"): {"sid": base.split("/")[3], "friendly_name": "Touren", "acl_enabled": False}})
    for name in ("tour-nord", "tour-west"):
        api.add(name, {"driver": "Kaya", "stops": 11}, 18)

    def shown(key):
        row = api.rows[key]
        return {"sid": f"ET{mark(key)}", "unique_name": key, "revision": f"{row.rev:x}", "data": row.data, "date_updated": iso(row.at, 0),
                "created_by": "system"}

    @api.on("GET POST", base + "/([^/]+)")
    def one(req, key):
        row = api.rows[key]
        if req.method == "POST":
            if req.fields.get("if-match", f"{row.rev:x}") != f"{row.rev:x}":
                return Res(412, {"code": 54103, "message": "The revision of the Document does not match the expected revision",
                    "more_info": "https://www.twilio.com/docs/errors/54103", "status": 412})
            row.write(json.loads(parse_qs(req.body.decode())["Data"][0]))
        return Res(200, shown(key))

    server = place.open_box(stage, api, "tornado", "Twilio Sync")
    me = stage.actor("client", server, "sync.twilio.example", "requests", {"User-Agent": "twilio-python/9.3.6", "Authorization": "Basic U0s6eA=="},
                     loses=place.drops("POST", "tour-west"))
    me.get(base.removesuffix("/Documents"))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for name, driver in (("tour-nord", "Ilic"), ("tour-west", "Bento")):
        held = me.get(f"{base}/{name}").json
        body = f"Data=%7B%22driver%22%3A%22{driver}%22%2C%22stops%22%3A12%2C%22shift%22%3A%22{mark(name, 12)}%22%7D"
        lost = name == "tour-west"
        me.send("POST", f"{base}/{name}", 0 if lost else 200, {**form, "If-Match": held["revision"]}, body)
        if lost:
            place.rest(0.5)
            me.send("POST", f"{base}/{name}", 412, {**form, "If-Match": held["revision"]}, body)
        place.sure(me.get(f"{base}/{name}").json["data"]["shift"] == mark(name, 12))


@case(
    "e101",
    "uma-elasticsearch-search-hits-without-numbers",
    "null-token",
    "400",
    alone="null-token",
    synthetic=True,
    description=(
        "A catalogue's editor takes _seq_no and _primary_term from search hits that were not asked for them and sends "
        "if_seq_no=undefined: 400; a document read by itself is written well."
    ),
)
def hits(stage):
    """Send what was never there."""
    api = Api({"X-elastic-product": "Elasticsearch"}, fixed={
        "/": {"name": "es01", "cluster_name": "bibliothek", "version": {"number": "8.15.1"}, "tagline": "You Know, for Search"}})
    for number in (31, 32, 33):
        api.add(f"b{number}", {"titel": f"Band {number}", "regal": "K"}, 100 + number)

    @api.on("POST", "/katalog/_search")
    def search(req):
        found = [{"_index": "katalog", "_id": key, "_score": 1.0, "_source": row.data}
                 for key, row in api.rows.items() if row.data["regal"] == "K"]
        return Res(200, {"took": 3, "timed_out": False, "hits": {"total": {"value": len(found), "relation": "eq"}, "hits": found}})

    @api.on("GET PUT", "/katalog/_doc/(.+)")
    def one(req, key):
        row = api.rows[key]
        if req.method == "PUT":
            if not req.query["if_seq_no"].isdigit():
                cause = {"type": "illegal_argument_exception", "reason": "Failed to parse long parameter [if_seq_no] with value [undefined]"}
                why = {"type": "number_format_exception", "reason": 'For input string: "undefined"'}
                return Res(400, {"error": {"root_cause": [cause], **cause, "caused_by": why}, "status": 400})
            row.write(req.json)
            return Res(200, {"_index": "katalog", "_id": key, "_version": 3, "result": "updated", "_seq_no": row.rev, "_primary_term": 2})
        return Res(200, {"_index": "katalog", "_id": key, "_version": 2, "_seq_no": row.rev, "_primary_term": 2, "found": True, "_source": row.data})

    server = place.open_box(stage, api, "waitress", "Elasticsearch")
    kind = {"Content-Type": "application/vnd.elasticsearch+json;compatible-with=8", "x-elastic-client-meta": "es=8.15.0,js=20.11,t=8.7.1"}
    me = stage.actor("client", server, "es01.bibliothek.example", "node:fetch", kind)
    me.get("/")
    seen = me.get("/katalog/_doc/b31").json
    me.put(f"/katalog/_doc/b31?if_seq_no={seen['_seq_no']}&if_primary_term={seen['_primary_term']}", {"titel": "Band 31", "regal": "L"}, 200)
    found = me.send("POST", "/katalog/_search", 200, None, {"query": {"term": {"regal": "K"}}, "size": 50}).json
    for hit in found["hits"]["hits"]:
        path = f"/katalog/_doc/{hit['_id']}?if_seq_no={hit.get('_seq_no', 'undefined')}&if_primary_term=undefined"
        me.put(path, {**hit["_source"], "regal": "L"}, 400)


@case(
    "e088",
    "uma-reapit-contact-bare-tag",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    synthetic=True,
    description=(
        "An estate agent's importer parses Reapit's tag and sends it back without its quotes: 412 for each contact; "
        "the agency's other job, in the same traffic, sends the header as it came and gets 204."
    ),
)
def contacts(stage):
    """Lose the quotes."""
    api = Api({"x-amzn-RequestId": request_id, "x-amz-apigw-id": "Zk3=="}, fixed={
        "/negotiators/OXF22000001": {"id": "OXF22000001", "name": "Jo Fenn", "active": True},
        "/configuration/marketingConsent": [{"id": "grant", "value": "Granted"}, {"id": "deny", "value": "Denied"}]})
    for number in (1, 2, 3):
        api.add(f"OXF2500010{number}", {"surname": ("Ames", "Bold", "Cray")[number - 1], "marketingConsent": "grant"})

    def tag(key):
        return f'"{mark((key, api.rows[key].rev), 32).upper()}"'

    @api.on("GET PATCH", "/contacts/(.+)")
    def one(req, key):
        row = api.rows[key]
        if req.method == "PATCH":
            if req.fields.get("if-match") != tag(key):
                return Res(412, {"statusCode": 412, "dateTime": iso(time.time(), 3), "description": "ETag provided does not match the current entity ETag"})
            row.write({**row.data, **req.json})
            return Res(204)
        return Res(200, {"id": key, "modified": iso(row.at, 0), **row.data, "_eTag": tag(key)}, {"ETag": tag(key)})

    server = place.open_box(stage, api, "bottle", "Reapit Foundations")
    ours = {"api-version": "2020-01-31", "reapit-customer": "SBOX", "Authorization": "Bearer eyJx"}
    me = stage.actor("client", server, "platform.reapit.example", "urllib", ours)
    place.glance(me, "/negotiators/OXF22000001", "/configuration/marketingConsent")
    seen = me.get("/contacts/OXF25000101")
    me.send("PATCH", "/contacts/OXF25000101", 204, {"If-Match": seen.etag}, {"title": "Ms"})
    for number in (2, 3):
        seen = me.get(f"/contacts/OXF2500010{number}")
        me.send("PATCH", f"/contacts/OXF2500010{number}", 412, {"If-Match": seen.json["_eTag"].strip('"')}, {"marketingConsent": "deny"})
    me.get("/contacts/OXF25000103")


@case(
    "e105",
    "uma-iothub-identity-tag-for-a-twin",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "A fleet console changes device identities well, and patches their twins with the etag of the identity, which "
        "is another one: 412; the twin read afterwards shows its own etag, long unchanged."
    ),
)
def twins(stage):
    """Take the tag of the sister."""
    api = Api({"x-ms-request-id": request_id}, fixed={"/statistics/devices": {"totalDeviceCount": 2, "enabledDeviceCount": 2, "disabledDeviceCount": 0}})
    for key in ("pump-07", "pump-08"):
        api.add(f"devices/{key}", {"status": "enabled"}, 40 + len(key))
        api.add(f"twins/{key}", {"tags": {"site": "Werk 2"}, "properties": {"desired": {"rate": 30}}}, 3)

    def tag(kind, key):
        return opaque((kind, key, api.rows[f"{kind}/{key}"].rev))[:12 if kind == "twins" else 8]

    @api.on("GET PUT PATCH", "/(devices|twins)/(.+)")
    def one(req, kind, key):
        row, now = api.rows[f"{kind}/{key}"], tag(kind, key)
        if req.method != "GET":
            if req.fields.get("if-match", "*").strip('"') not in {now, "*"}:
                text = "ErrorCode:PreconditionFailed;Precondition failed: Device version did not match"
                return Res(412, {"Message": text, "ExceptionMessage": f"Tracking ID:{mark(time.time_ns())}-G:10-TimeStamp:{iso(time.time(), 0)}"},
                           {"iothub-errorcode": "PreconditionFailed"})
            row.write({**row.data, **{k: v for k, v in req.json.items() if k in {"status", "tags", "properties"}}})
        more = {"lastActivityTime": iso(row.at, 0)} if kind == "twins" else {"generationId": "638412220"}
        return Res(200, {"deviceId": key, "etag": tag(kind, key), **more, **row.data}, {"ETag": f'"{tag(kind, key)}"'})

    server = place.open_box(stage, api, "stdlib", "Azure IoT Hub")
    me = stage.actor("client", server, "fleet-we.azure-devices.example", "node:axios", {"Authorization": "SharedAccessSignature sr=fleet"})
    me.get("/statistics/devices?api-version=2021-04-12")
    for key in ("pump-07", "pump-08"):
        seen = me.get(f"/devices/{key}?api-version=2021-04-12").json
        seen = me.put(f"/devices/{key}?api-version=2021-04-12", {**seen, "status": "enabled"}, 200, {"If-Match": f'"{seen["etag"]}"'}).json
        body = {"properties": {"desired": {"rate": 45}}}
        me.send("PATCH", f"/twins/{key}?api-version=2021-04-12", 412, {"If-Match": f'"{seen["etag"]}"'}, body)
    me.get("/twins/pump-08?api-version=2021-04-12")
