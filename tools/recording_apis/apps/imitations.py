"""Imitations of services that cannot run here, after their documentation: only the conditional part.

One resource or a few each, in memory, reset by a restart. Paths begin as the product's own do.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, request

application = Flask(__name__)
_SERIAL = itertools.count(1)


def answer(content: object, status: int = 200, **fields: str) -> Response:
    """Return JSON with fields; underscores in their names become hyphens."""
    made = Response(json.dumps(content), status, content_type="application/json; charset=utf-8")
    for name, value in fields.items():
        made.headers[name.replace("_", "-")] = value
    return made


def now() -> str:
    """Return the time as most JSON interfaces write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@application.get("/-/ready")
def ready() -> str:
    """Say that the service is up."""
    return "ready"


# Elasticsearch: sequence number and primary term in the query, 409 on a mismatch.
_ELASTIC: dict[str, Any] = {"seq": 7, "version": 1, "source": {"sku": "A-17", "stock": 40, "price": 9.5}}


@application.get("/products/_doc/<key>")
def elastic_read(key: str) -> Response:
    """Return a document with its sequence number."""
    shown = {"_index": "products", "_id": key, "_version": _ELASTIC["version"], "_seq_no": _ELASTIC["seq"]}
    return answer({**shown, "_primary_term": 1, "found": True, "_source": _ELASTIC["source"]})


@application.put("/products/_doc/<key>")
def elastic_write(key: str) -> Response:
    """Index a document."""
    wanted = request.args.get("if_seq_no")
    if wanted is not None and int(wanted) != _ELASTIC["seq"]:
        reason = f"[{key}]: version conflict, required seqNo [{wanted}], primary term [1]. "
        reason += f"current document has seqNo [{_ELASTIC['seq']}] and primary term [1]"
        cause = {
            "type": "version_conflict_engine_exception",
            "reason": reason,
            "shard": "0",
            "index": "products",
        }
        return answer({"error": {"root_cause": [cause], **cause}, "status": 409}, 409)
    _ELASTIC.update(seq=_ELASTIC["seq"] + 1, version=_ELASTIC["version"] + 1, source=request.get_json())
    shown = {"_index": "products", "_id": key, "_version": _ELASTIC["version"], "result": "updated"}
    return answer({**shown, "_seq_no": _ELASTIC["seq"], "_primary_term": 1})


# Kubernetes: resourceVersion in the content, 409 Conflict, 410 Gone for a watch that starts too far back.
_OBJECTS: dict[str, dict[str, Any]] = {}
_REVISION = itertools.count(48211)


def _kubernetes_status(code: int, reason: str, message: str) -> Response:
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return answer({**status, "message": message, "reason": reason, "code": code}, code)


def _object(kind: str, name: str) -> dict[str, Any]:
    if (kind, name) == ("configmaps", "limits") and "configmaps/limits" not in _OBJECTS:
        meta = {"name": name, "namespace": "shop", "resourceVersion": str(next(_REVISION))}
        made = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta, "data": {"rps": "100"}}
        _OBJECTS["configmaps/limits"] = made
    return _OBJECTS.get(f"{kind}/{name}", {})


@application.get("/api/v1/namespaces/shop/<kind>")
def kubernetes_list(kind: str) -> Response:
    """List objects, or refuse a watch from before the history begins."""
    if request.args.get("watch") and int(request.args.get("resourceVersion", "0")) < 48000:
        message = f"too old resource version: {request.args['resourceVersion']} (48211)"
        return _kubernetes_status(410, "Expired", message)
    items = [one for name, one in _OBJECTS.items() if name.startswith(kind)]
    meta = {"resourceVersion": str(48300)}
    return answer({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": meta, "items": items})


@application.get("/apis/coordination.k8s.io/v1/namespaces/shop/<kind>/<name>")
@application.get("/api/v1/namespaces/shop/<kind>/<name>")
def kubernetes_read(kind: str, name: str) -> Response:
    """Return an object."""
    found = _object(kind, name)
    if not found:
        return _kubernetes_status(404, "NotFound", f'{kind} "{name}" not found')
    return answer(found)


@application.post("/apis/coordination.k8s.io/v1/namespaces/shop/<kind>")
def kubernetes_create(kind: str) -> Response:
    """Create an object."""
    sent = request.get_json()
    name = sent["metadata"]["name"]
    if f"{kind}/{name}" in _OBJECTS:
        return _kubernetes_status(409, "AlreadyExists", f'{kind}.coordination.k8s.io "{name}" already exists')
    sent["metadata"]["resourceVersion"] = str(next(_REVISION))
    _OBJECTS[f"{kind}/{name}"] = sent
    return answer(sent, 201)


@application.put("/apis/coordination.k8s.io/v1/namespaces/shop/<kind>/<name>")
@application.put("/api/v1/namespaces/shop/<kind>/<name>")
def kubernetes_write(kind: str, name: str) -> Response:
    """Update an object."""
    current, sent = _object(kind, name), request.get_json()
    if sent["metadata"].get("resourceVersion") not in {None, current["metadata"]["resourceVersion"]}:
        message = f'Operation cannot be fulfilled on {kind} "{name}": the object has been modified; '
        message += "please apply your changes to the latest version and try again"
        return _kubernetes_status(409, "Conflict", message)
    sent["metadata"]["resourceVersion"] = str(next(_REVISION))
    _OBJECTS[f"{kind}/{name}"] = sent
    return answer(sent)


# Contentful's management interface: X-Contentful-Version, 409 VersionMismatch; publishing counts too.
_ENTRY: dict[str, Any] = {"version": 5, "fields": {"title": {"en-US": "Winter sale"}}}


def _entry() -> dict[str, Any]:
    system = {"type": "Entry", "id": "sale", "version": _ENTRY["version"], "updatedAt": now()}
    return {"sys": system, "fields": _ENTRY["fields"]}


def _contentful_error(name: str, message: str) -> Response:
    return answer(
        {"sys": {"type": "Error", "id": name}, "message": message, "requestId": f"r{next(_SERIAL)}"}, 409
    )


def _contentful_refusal() -> Response | None:
    sent = request.headers.get("X-Contentful-Version")
    if sent is None:
        return _contentful_error(
            "VersionMismatch", "Please pass sys.version as HTTP header X-Contentful-Version."
        )
    if int(sent) != _ENTRY["version"]:
        return _contentful_error(
            "VersionMismatch", "Version mismatch error. The version you specified was incorrect."
        )
    return None


@application.get("/spaces/shop/environments/master/entries/sale")
def contentful_read() -> Response:
    """Return the entry."""
    return answer(_entry())


@application.put("/spaces/shop/environments/master/entries/sale")
@application.put("/spaces/shop/environments/master/entries/sale/<published>")
def contentful_write(published: str = "") -> Response:
    """Update or publish the entry."""
    if (refused := _contentful_refusal()) is not None:
        return refused
    if not published:
        _ENTRY["fields"] = request.get_json()["fields"]
    _ENTRY["version"] += 1
    return answer(_entry())


# CloudFront: configuration and functions with a tag for each stage.
_FUNCTION = {"DEVELOPMENT": "ETVPDKIKX0DER", "LIVE": "E1PA6795UKMFR9"}


def _aws_error(status: int, code: str, message: str) -> Response:
    text = '<?xml version="1.0"?><ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">'
    text += (
        f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )
    return Response(text, status, content_type="text/xml")


@application.get("/2020-05-31/function/rewrite/describe")
def cloudfront_read() -> Response:
    """Describe a function at a stage."""
    stage = request.args.get("Stage", "DEVELOPMENT")
    text = f"<FunctionSummary><Name>rewrite</Name><Stage>{stage}</Stage></FunctionSummary>"
    return Response(text, 200, {"ETag": _FUNCTION[stage]}, content_type="text/xml")


@application.put("/2020-05-31/function/rewrite")
def cloudfront_write() -> Response:
    """Update a function's development stage."""
    sent = request.headers.get("If-Match")
    if sent is None:
        message = "The If-Match version is missing or not valid for the resource."
        return _aws_error(400, "InvalidIfMatchVersion", message)
    if sent != _FUNCTION["DEVELOPMENT"]:
        message = "The precondition in one or more of the request fields evaluated to false."
        return _aws_error(412, "PreconditionFailed", message)
    _FUNCTION["DEVELOPMENT"] = "E3UN6WX5RRO2AG"
    text = "<FunctionSummary><Name>rewrite</Name></FunctionSummary>"
    return Response(text, 200, {"ETag": _FUNCTION["DEVELOPMENT"]}, content_type="text/xml")


# Google Compute Engine: one fingerprint for the instance, another for its metadata, a third for its labels.
_INSTANCE: dict[str, Any] = {
    "kind": "compute#instance",
    "name": "web-1",
    "fingerprint": "b9cZ3mQ1xKk=",
    "metadata": {"fingerprint": "Qy7wT2vN0pA=", "items": [{"key": "role", "value": "web"}]},
    "labelFingerprint": "42WmSpB8rSM=",
}


def google_error(code: int, reason: str, message: str, **where: str) -> Response:
    """Return an error as Google's JSON interfaces do."""
    first = {"message": message, "domain": "global", "reason": reason, **where}
    return answer({"error": {"code": code, "message": message, "errors": [first]}}, code)


_COMPUTE = "/compute/v1/projects/shop/zones/europe-north1-a/instances/web-1"


@application.get(_COMPUTE)
def compute_read() -> Response:
    """Return the instance."""
    return answer(_INSTANCE)


@application.post(f"{_COMPUTE}/setMetadata")
def compute_write() -> Response:
    """Replace the instance's metadata."""
    sent = request.get_json()
    if sent.get("fingerprint") != _INSTANCE["metadata"]["fingerprint"]:
        message = "Supplied fingerprint does not match current metadata fingerprint."
        return google_error(412, "conditionNotMet", message, locationType="header", location="If-Match")
    _INSTANCE["metadata"] = {"fingerprint": "Zk1rU8sDq2E=", "items": sent["items"]}
    return answer({"kind": "compute#operation", "status": "DONE"})


# Google Cloud DNS: the deletions of a change must equal the live records.
_RECORDS = [{"name": "www.example.test.", "type": "A", "ttl": 300, "rrdatas": ["192.0.2.10"]}]
_DNS = "/dns/v1/projects/shop/managedZones/main"


@application.get(f"{_DNS}/rrsets")
def dns_read() -> Response:
    """List the record sets."""
    return answer({"kind": "dns#resourceRecordSetsListResponse", "rrsets": _RECORDS})


@application.post(f"{_DNS}/changes")
def dns_change() -> Response:
    """Apply a change as a whole."""
    sent = request.get_json()
    for number, record in enumerate(sent.get("deletions", [])):
        if record not in _RECORDS:
            message = f"Precondition not met for 'entity.change.deletions[{number}]'"
            return google_error(412, "conditionNotMet", message, locationType="header", location="If-Match")
    _RECORDS[:] = [one for one in _RECORDS if one not in sent.get("deletions", [])] + sent.get(
        "additions", []
    )
    return answer({"kind": "dns#change", "status": "pending", "id": str(next(_SERIAL))})


# Google Cloud Storage's JSON interface: generations in the query.
_STORED: dict[str, tuple[int, bytes]] = {}
_GENERATIONS = itertools.count(1795533000123456, 733001)


def _google_object(name: str) -> dict[str, str]:
    generation, content = _STORED[name]
    shown = {
        "kind": "storage#object",
        "name": name,
        "bucket": "shop",
        "metageneration": "1",
        "updated": now(),
    }
    tag = hashlib.md5(str(generation).encode()).hexdigest()[:11]  # noqa: S324 - a tag, no secret
    return {**shown, "generation": str(generation), "size": str(len(content)), "etag": f"{tag}="}


@application.get("/storage/v1/b/shop/o/<path:name>")
def storage_read(name: str) -> Response:
    """Return an object's metadata or its content."""
    if name not in _STORED:
        return google_error(404, "notFound", f"No such object: shop/{name}")
    if request.args.get("alt") == "media":
        fields = {"X-Goog-Generation": str(_STORED[name][0])}
        return Response(_STORED[name][1], 200, fields, content_type="application/json")
    return answer(_google_object(name))


@application.post("/upload/storage/v1/b/shop/o")
def storage_write() -> Response:
    """Upload an object."""
    name, wanted = request.args["name"], request.args.get("ifGenerationMatch")
    current = _STORED.get(name, (0, b""))[0]
    if wanted is not None and int(wanted) != current:
        message = "At least one of the pre-conditions you specified did not hold."
        place = {"locationType": "header", "location": "If-Match"}
        return google_error(412, "conditionNotMet", message, **place)
    _STORED[name] = (next(_GENERATIONS), request.get_data())
    return answer(_google_object(name))
