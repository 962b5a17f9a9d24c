"""Imitations of products after their documentation: clusters, tasks, wikis, libraries, key stores, records.

Only what the stories touch, in memory. Each product keeps its own paths, names of fields and error formats.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, request

application = Flask(__name__)
_LOCK = threading.Lock()


def said(content: object, status: int = 200, kind: str = "application/json", **fields: str) -> Response:
    """Return content as JSON; underscores in names of fields become hyphens."""
    made = Response(json.dumps(content), status, content_type=kind)
    for name, value in fields.items():
        made.headers[name.replace("_", "-")] = value
    return made


def iso() -> str:
    """Return the time."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@application.get("/-/ready")
def ready() -> str:
    """Say that the service is up."""
    return "ready"


_AROUND: dict[str, Any] = {
    "/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.3", "platform": "linux/amd64"},
    "/api/v1/namespaces": {"kind": "NamespaceList", "items": [{"metadata": {"name": "pay"}}]},
    "/apis/apps/v1": {"kind": "APIResourceList", "groupVersion": "apps/v1", "resources": []},
    "/v1.0/me": {"id": "4c1e", "displayName": "Mara Lund", "mail": "mara@example.test"},
    "/v1.0/planner/plans/P1": {"id": "P1", "title": "Autumn fair", "owner": "g-77"},
    "/v1.0/planner/plans/P1/buckets": {
        "value": [{"id": "b1", "name": "To do"}, {"id": "b2", "name": "Later"}]
    },
    "/v1/status/leader": "10.0.0.4:8300",
    "/v1/agent/services": {"shop": {"ID": "shop", "Port": 8080, "Tags": ["v1"]}},
    "/v1/health/state/critical": [],
    "/r4/metadata": {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "format": ["json"]},
    "/r4/Organization": {"resourceType": "Bundle", "type": "searchset", "total": 0},
    "/crm/v4/me": {"user": "news", "scopes": ["contacts"]},
    "/crm/v4/lists": {"lists": [{"id": "l-1", "name": "autumn", "members": 214}]},
    "/groups/881": {"id": 881, "data": {"name": "Harbour archive", "type": "Private"}},
    "/groups/881/collections": [{"key": "QW2", "data": {"name": "Maps"}}],
    "/cold": {"Buckets": ["repo"], "Tier": "archive"},
    "/cold-usage": {"bytes": 1048576, "objects": 3},
    "/$metadata": {"$Version": "4.01", "erp": {"Report": {"$Kind": "EntityType"}}},
    "/accounts": {"value": [{"no": 4400, "name": "Revenue"}, {"no": 6300, "name": "Repairs"}]},
    "/mobile/v7/me": {"driver": "d-17", "depot": "KI-2"},
    "/mobile/v7/tour": {"stops": 46, "done": 12, "km": 38.4},
}


@application.get("/<path:path>")
def around(path: str) -> Response:
    """Return what is there beside the point."""
    found = _AROUND.get(f"/{path}")
    return said({"error": "not found", "path": path}, 404) if found is None else said(found)


# Kubernetes: apps/v1 deployments, core config maps, and a list whose continue token grows old.
_VERSION = itertools.count(918_204, 3)
_LISTED = time.time()


def _meta(name: str, space: str) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": space,
        "uid": str(uuid.uuid4()),
        "resourceVersion": str(next(_VERSION)),
    }


_CLUSTER: dict[str, dict[str, Any]] = {
    "deployments/checkout": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**_meta("checkout", "pay"), "generation": 4},
        "spec": {
            "replicas": 3,
            "template": {"spec": {"containers": [{"name": "app", "image": "pay/app:1.18"}]}},
        },
        "status": {"observedGeneration": 4, "readyReplicas": 3},
    },
    "configmaps/ingress": {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _meta("ingress", "pay"),
        "data": {"cpu": "0.1", "timeout": "30s"},
    },
}


def _refused(code: int, reason: str, message: str) -> Response:
    said_so = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message,
        "reason": reason,
    }
    return said({**said_so, "code": code}, code)


@application.get("/api/v1/namespaces/pay/pods")
def pods() -> Response:
    """List pods in pages; a continue token lives for two seconds here, five minutes in the product."""
    token = request.args.get("continue")
    if token and time.time() - float(base64.urlsafe_b64decode(token).decode().split("@")[1]) > 2.0:
        text = (
            "The provided continue parameter is too old to display a consistent list result. You can start a "
        )
        return _refused(410, "Expired", text + "new list without the continue parameter.")
    first = int(base64.urlsafe_b64decode(token).decode().split("@")[0]) if token else 0
    size = int(request.args.get("limit", "100"))
    items = [{"metadata": {"name": f"checkout-{n:02d}"}} for n in range(first, min(first + size, 12))]
    meta = {"resourceVersion": "918100"}
    if first + size < 12:
        meta["continue"] = base64.urlsafe_b64encode(f"{first + size}@{time.time():.3f}".encode()).decode()
    return said({"kind": "PodList", "apiVersion": "v1", "metadata": meta, "items": items})


@application.get("/apis/apps/v1/namespaces/pay/<kind>/<name>")
@application.get("/api/v1/namespaces/pay/<kind>/<name>")
def cluster_read(kind: str, name: str) -> Response:
    """Return an object."""
    found = _CLUSTER.get(f"{kind}/{name}")
    return said(found) if found else _refused(404, "NotFound", f'{kind} "{name}" not found')


@application.put("/apis/apps/v1/namespaces/pay/<kind>/<name>/status")
@application.put("/apis/apps/v1/namespaces/pay/<kind>/<name>")
def cluster_write(kind: str, name: str) -> Response:
    """Replace an object when its resourceVersion is the current one."""
    sent = request.get_json()
    with _LOCK:
        now = _CLUSTER[f"{kind}/{name}"]
        if sent["metadata"].get("resourceVersion") not in {None, now["metadata"]["resourceVersion"]}:
            text = f'Operation cannot be fulfilled on {kind}.apps "{name}": the object has been modified; '
            return _refused(
                409, "Conflict", text + "please apply your changes to the latest version and try again"
            )
        sent["metadata"]["resourceVersion"] = str(next(_VERSION))
        _CLUSTER[f"{kind}/{name}"] = sent
    return said(sent)


@application.patch("/api/v1/namespaces/pay/<kind>/<name>")
def cluster_patch(kind: str, name: str) -> Response:
    """Apply a JSON patch (RFC 6902) to an object's data."""
    now = _CLUSTER[f"{kind}/{name}"]
    for step in request.get_json(force=True):
        key = step["path"].rsplit("/", 1)[1]
        if step["op"] == "test" and now["data"].get(key) != step["value"]:
            text = (
                "the server rejected our request due to an error in our request: testing value "
                + step["path"]
            )
            return _refused(
                422, "Invalid", text + f" failed: {step['value']!r} is not {now['data'].get(key)!r}"
            )
        if step["op"] == "replace":
            now["data"][key] = step["value"]
    now["metadata"]["resourceVersion"] = str(next(_VERSION))
    return said(now)


# Microsoft Graph: planner tasks and a batch whose members have statuses of their own.
_TASKS: dict[str, dict[str, Any]] = {
    name: {"rev": 4 + n, "title": title, "percentComplete": 0}
    for n, (name, title) in enumerate(
        (("kF9x", "Book venue"), ("qT2m", "Print badges"), ("zB7c", "Order lunch"))
    )
}


def _planner_tag(task: dict[str, Any]) -> str:
    text = base64.b64encode(f"1-Task  @@@@@@@@@@@@{task['rev']:04x}".encode()).decode()
    return f'W/"{text}"'


def _planner(name: str) -> dict[str, Any]:
    task = _TASKS[name]
    return {"@odata.etag": _planner_tag(task), "id": name, **{k: v for k, v in task.items() if k != "rev"}}


def _planner_change(name: str, tag: str | None, change: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    inner = {"date": iso(), "request-id": str(uuid.uuid4())}
    if tag is None:
        text = "The If-Match header must be specified for this kind of request."
        return 400, {"error": {"code": "", "message": text, "innerError": inner}}
    if tag != _planner_tag(_TASKS[name]):
        text = "The If-Match header contains a value that does not match the current version of the item."
        return 412, {"error": {"code": "", "message": text, "innerError": inner}}
    _TASKS[name].update(change, rev=_TASKS[name]["rev"] + 1)
    return 204, {}


@application.get("/v1.0/planner/plans/P1/tasks")
def planner_list() -> Response:
    """List the tasks of a plan."""
    return said({"@odata.count": len(_TASKS), "value": [_planner(name) for name in _TASKS]})


@application.get("/v1.0/planner/tasks/<name>")
def planner_read(name: str) -> Response:
    """Return a task."""
    return said(_planner(name))


@application.patch("/v1.0/planner/tasks/<name>")
def planner_write(name: str) -> Response:
    """Change a task."""
    status, content = _planner_change(name, request.headers.get("If-Match"), request.get_json())
    return said(content, status) if content else Response("", status)


@application.post("/v1.0/$batch")
def graph_batch() -> Response:
    """Run several requests in one; the batch itself is 200 whatever comes of them."""
    answers = []
    for one in request.get_json()["requests"]:
        name = one["url"].rsplit("/", 1)[1]
        if one["method"] == "GET":
            answers.append({"id": one["id"], "status": 200, "body": _planner(name)})
            continue
        tag = one.get("headers", {}).get("If-Match")
        status, content = _planner_change(name, tag, one.get("body", {}))
        answers.append({"id": one["id"], "status": status, **({"body": content} if content else {})})
    return said({"responses": answers})


@application.post("/v1.0/teams/<team>/channels/<channel>/messages")
def message(team: str, channel: str) -> Response:
    """Post a message to a channel."""
    where = {"channelIdentity": {"teamId": team, "channelId": channel}}
    return said({"id": str(next(_INDEX)), **where, **request.get_json()}, 201)


# Consul: keys with ModifyIndex; a check-and-set answers true or false with 200.
_KEYS: dict[str, tuple[int, bytes]] = {}
_INDEX = itertools.count(3411)


@application.get("/v1/kv/<path:key>")
def kv_read(key: str) -> Response:
    """Return a key."""
    if key not in _KEYS:
        return Response("", 404, {"X-Consul-Index": "3410"})
    index, value = _KEYS[key]
    text = base64.b64encode(value).decode()
    row = {"LockIndex": 0, "Key": key, "Flags": 0, "Value": text, "CreateIndex": 3411, "ModifyIndex": index}
    return said([row], X_Consul_Index=str(index), X_Consul_Knownleader="true")


@application.put("/v1/kv/<path:key>")
def kv_write(key: str) -> Response:
    """Store a key, under a check-and-set when asked."""
    with _LOCK:
        wanted, now = request.args.get("cas"), _KEYS.get(key, (0, b""))[0]
        stands = wanted is None or int(wanted) == now
        if stands:
            _KEYS[key] = (next(_INDEX), request.get_data())
    return said(stands)


# FHIR: conditional update by search, and a directory of contacts that does the same in SCIM's words.
_PEOPLE = {
    "101": {
        "resourceType": "Practitioner",
        "id": "101",
        "identifier": [{"system": "urn:lanr", "value": "55501"}],
    },
    "207": {
        "resourceType": "Practitioner",
        "id": "207",
        "identifier": [{"system": "urn:lanr", "value": "55501"}],
    },
    "311": {
        "resourceType": "Practitioner",
        "id": "311",
        "identifier": [{"system": "urn:lanr", "value": "70014"}],
    },
}


def _found(value: str) -> list[dict[str, Any]]:
    wanted = value.rpartition("|")[2]
    return [one for one in _PEOPLE.values() if one["identifier"][0]["value"] == wanted]


@application.route("/r4/Practitioner", methods=["GET", "PUT"])
def fhir_practitioners() -> Response:
    """Search, or update the one that a search finds."""
    found = _found(request.args.get("identifier", ""))
    kind = "application/fhir+json;charset=utf-8"
    if request.method == "GET":
        entry = [{"fullUrl": f"Practitioner/{one['id']}", "resource": one} for one in found]
        return said(
            {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entry}, 200, kind
        )
    if len(found) > 1:
        text = (
            f"HAPI-0958: Failed to UPDATE resource with match URL: this search matched {len(found)} resources"
        )
        issue = [{"severity": "error", "code": "multiple-matches", "diagnostics": text}]
        return said({"resourceType": "OperationOutcome", "issue": issue}, 412, kind)
    changed = {**request.get_json(force=True), "id": found[0]["id"]}
    _PEOPLE[found[0]["id"]] = changed
    return said({**changed, "meta": {"versionId": "2"}}, 200, kind, ETag='W/"2"')


_CRM = [
    {"id": "c-1", "email": "office@example.test", "company": "Nord AG"},
    {"id": "c-2", "email": "office@example.test", "company": "Nord GmbH"},
    {"id": "c-3", "email": "kim@example.test", "company": "Kim & Co"},
]


@application.get("/crm/v4/contacts")
def crm_search() -> Response:
    """Search contacts by an alternate key."""
    found = [one for one in _CRM if one["email"] == request.args.get("email")]
    return said({"matches": len(found), "contacts": found})


@application.patch("/crm/v4/contacts")
def crm_upsert() -> Response:
    """Change the one contact that an alternate key names."""
    found = [one for one in _CRM if one["email"] == request.args.get("email")]
    if len(found) != 1:
        text = f"alternate key email={request.args.get('email')} is ambiguous: {len(found)} records match"
        return said({"code": "0x80060891", "message": text, "ids": [one["id"] for one in found]}, 412)
    found[0].update(request.get_json())
    return said(found[0])


# Zotero: one version for the whole group library.
_GROUP: dict[str, Any] = {"version": 512, "items": {}}
for _key, _title in (
    ("K7NQ2W9D", "Harbour plans"),
    ("P3XV8T5R", "Letters 1911-14"),
    ("M4CB6H2Z", "Tide tables"),
):
    _GROUP["items"][_key] = {"key": _key, "version": 500 + len(_GROUP["items"]), "title": _title, "tags": []}


@application.get("/groups/881/items")
def zotero_list() -> Response:
    """List the items changed since a version."""
    since = int(request.args.get("since", "0"))
    items = [one for one in _GROUP["items"].values() if one["version"] > since]
    return said(items, Last_Modified_Version=str(_GROUP["version"]), Total_Results=str(len(items)))


@application.route("/groups/881/items/<key>", methods=["GET", "PATCH"])
def zotero_item(key: str) -> Response:
    """Return an item, or change it while the library has not moved on."""
    item = _GROUP["items"][key]
    if request.method == "GET":
        return said(
            {"key": key, "version": item["version"], "data": item},
            Last_Modified_Version=str(_GROUP["version"]),
        )
    wanted = int(request.headers.get("If-Unmodified-Since-Version", "-1"))
    if wanted < _GROUP["version"]:
        text = "Library has been modified since specified version "
        text += f"(expected {wanted}, found {_GROUP['version']})"
        return Response(
            text, 412, {"Last-Modified-Version": str(_GROUP["version"])}, content_type="text/plain"
        )
    _GROUP["version"] += 1
    item.update(request.get_json(), version=_GROUP["version"])
    return Response("", 204, {"Last-Modified-Version": str(_GROUP["version"])})


# Confluence: the next version number in the content.
_PAGE: dict[str, Any] = {
    "when": iso(),
    "number": 7,
    "title": "On-call handbook",
    "value": "<p>Call the pager first.</p>",
}


@application.get("/wiki/rest/api/content/65601")
def wiki_read() -> Response:
    """Return a page."""
    body = {"storage": {"value": _PAGE["value"], "representation": "storage"}}
    shown = {"id": "65601", "type": "page", "title": _PAGE["title"], "body": body}
    return said({**shown, "version": {"number": _PAGE["number"], "when": _PAGE["when"]}})


@application.put("/wiki/rest/api/content/65601")
def wiki_write() -> Response:
    """Store a page's next version."""
    sent = request.get_json()
    if sent["version"]["number"] != _PAGE["number"] + 1:
        text = "Version must be incremented on update. Current version is: " + str(_PAGE["number"])
        return said(
            {"statusCode": 409, "data": {"authorized": True}, "message": text, "reason": "Conflict"}, 409
        )
    _PAGE.update(
        number=_PAGE["number"] + 1, when=iso(), title=sent["title"], value=sent["body"]["storage"]["value"]
    )
    return wiki_read()


# Cosmos DB: _etag in the document, If-Match in the request, 412 with a code.
_DOCUMENTS: dict[str, dict[str, Any]] = {
    "cart-91": {"id": "cart-91", "pk": "eu", "lines": [{"sku": "B-20", "n": 1}], "_ts": 1795600001},
}


def _cosmos_tag(one: dict[str, Any]) -> str:
    text = json.dumps({k: v for k, v in one.items() if not k.startswith("_")}) + str(one["_ts"])
    return f'"{uuid.UUID(hashlib.md5(text.encode()).hexdigest())}"'  # noqa: S324 - a tag, no secret


@application.route("/dbs/shop/colls/carts/docs/<name>", methods=["GET", "PUT"])
def cosmos(name: str) -> Response:
    """Return or replace a document."""
    fields = {
        "x_ms_request_charge": "1.05",
        "x_ms_session_token": "0:-1#42",
        "x_ms_activity_id": str(uuid.uuid4()),
    }
    if name not in _DOCUMENTS:
        return said(
            {"code": "NotFound", "message": "Entity with the specified id does not exist."}, 404, **fields
        )
    now = _DOCUMENTS[name]
    if request.method == "PUT":
        wanted = request.headers.get("If-Match")
        if wanted not in {None, "*", _cosmos_tag(now)}:
            text = "One of the specified pre-condition is not met. Learn more: https://aka.ms/CosmosDB/sql/errors/"
            return said({"code": "PreconditionFailed", "message": text}, 412, **fields)
        kept = {k: v for k, v in request.get_json().items() if not k.startswith("_")}
        now = _DOCUMENTS[name] = {**kept, "_ts": now["_ts"] + 7}
    return said({**now, "_etag": _cosmos_tag(now)}, 200, etag=_cosmos_tag(now), **fields)


# A back end of a delivery business: rules that answer 412, and stores on a tier without conditions.
_COLD: dict[str, bytes] = {}
_REPORTS: dict[str, str] = {}


@application.post("/mobile/v7/parcels/<number>/<action>")
def parcel(number: str, action: str) -> Response:
    """Do something with a parcel, if the rules of the business allow it."""
    if action == "handover" and not request.get_json().get("signature"):
        rule = {"rule": "R-118", "text": "handover needs a signature for parcels insured above 500 EUR"}
        return said({"result": "PRECONDITION_FAILED", "parcel": number, "violations": [rule]}, 412)
    return said({"result": "OK", "parcel": number, "action": action, "at": iso()})


@application.get("/mobile/v7/parcels")
def parcels() -> Response:
    """List a driver's parcels."""
    rows = [{"number": f"JD{n:08d}", "insured": n % 3 == 0, "stop": n} for n in range(41, 47)]
    return said({"driver": "d-17", "parcels": rows})


@application.route("/cold/<path:key>", methods=["GET", "HEAD", "PUT"])
def cold(key: str) -> Response:
    """Keep objects on a tier that refuses conditions."""
    if request.method != "PUT":
        if key not in _COLD:
            return said({"Code": "NoSuchKey", "Key": key}, 404)
        tag = hashlib.md5(_COLD[key]).hexdigest()  # noqa: S324 - a tag, no secret
        return Response(
            _COLD[key], 200, {"ETag": f'"{tag}"', "x-tier": "archive"}, content_type="application/json"
        )
    if sent := next((name for name in ("If-Match", "If-None-Match") if name in request.headers), None):
        text = f"A header you provided implies functionality that is not implemented on tier archive: {sent}"
        return said({"Code": "NotImplemented", "Message": text, "Key": key}, 501)
    _COLD[key] = request.get_data()
    tag = hashlib.md5(_COLD[key]).hexdigest()  # noqa: S324 - as above
    return Response("", 200, {"ETag": f'"{tag}"'})


@application.route("/reports/<name>", methods=["GET", "PUT"])
def report(name: str) -> Response:
    """Keep reports without any validator; every If-Match is refused."""
    if request.method == "PUT" and "If-Match" in request.headers:
        text = "Entity version checks are not available for type Report (no concurrency property)"
        return said({"error": {"code": "VersioningNotSupported", "message": text}}, 412)
    if request.method == "PUT":
        _REPORTS[name] = request.get_json()["state"]
    return said({"name": name, "state": _REPORTS.get(name, "open"), "owner": "fin"})
