"""More imitations of services, after their documentation; see ``imitations``."""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from typing import Any

from flask import Response, request

from tools.recording_apis.apps.imitations import answer, application, google_error, now

__all__ = ["application"]

# FHIR: weak version tags that If-Match takes, conditional create by a search.
_PATIENTS: dict[str, dict[str, Any]] = {
    "p1": {"resourceType": "Patient", "id": "p1", "identifier": [{"value": "4711"}], "active": True},
    "p2": {"resourceType": "Patient", "id": "p2", "identifier": [{"value": "4711"}], "active": False},
}
_VERSIONS = {"p1": 3, "p2": 1}


def _outcome(status: int, code: str, text: str) -> Response:
    issue = {"severity": "error", "code": code, "diagnostics": text}
    made = answer({"resourceType": "OperationOutcome", "issue": [issue]}, status)
    made.content_type = "application/fhir+json"
    return made


def _patient(key: str, status: int = 200) -> Response:
    version = _VERSIONS[key]
    shown = {**_PATIENTS[key], "meta": {"versionId": str(version), "lastUpdated": now()}}
    made = answer(shown, status, ETag=f'W/"{version}"')
    made.content_type = "application/fhir+json"
    return made


@application.get("/fhir/Patient")
def fhir_search() -> Response:
    """Search patients by identifier."""
    wanted = request.args.get("identifier", "")
    found = [one for one in _PATIENTS.values() if any(i["value"] == wanted for i in one["identifier"])]
    entries = [{"resource": one} for one in found]
    return answer({"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries})


@application.get("/fhir/Patient/<key>")
def fhir_read(key: str) -> Response:
    """Return a patient."""
    return _patient(key)


@application.post("/fhir/Patient")
def fhir_create() -> Response:
    """Create a patient, perhaps only if none is found."""
    query = request.headers.get("If-None-Exist", "")
    wanted = query.partition("identifier=")[2]
    found = [k for k, one in _PATIENTS.items() if any(i["value"] == wanted for i in one["identifier"])]
    if len(found) > 1:
        text = f'Failed to CREATE resource with match URL "{query}" because this search matched '
        return _outcome(412, "multiple-matches", f"{text}{len(found)} resources")
    if found:
        return _patient(found[0])
    key = f"p{len(_PATIENTS) + 1}"
    _PATIENTS[key], _VERSIONS[key] = {**request.get_json(), "id": key}, 1
    return _patient(key, 201)


@application.put("/fhir/Patient/<key>")
def fhir_update(key: str) -> Response:
    """Update a patient if the version holds."""
    wanted = request.headers.get("If-Match")
    if wanted is not None and wanted != f'W/"{_VERSIONS[key]}"':
        text = f"Trying to update Patient/{key}/_history/{_VERSIONS[key]} but this is not the current version"
        return _outcome(412, "conflict", text)
    _PATIENTS[key], _VERSIONS[key] = request.get_json(), _VERSIONS[key] + 1
    return _patient(key)


# Consul: a check-and-set that is refused answers 200 with the text false.
_CONSUL: dict[str, Any] = {"index": 118, "value": b'{"limit":10}'}


@application.get("/v1/kv/service/limits")
def consul_read() -> Response:
    """Return the key with its ModifyIndex."""
    value = base64.b64encode(_CONSUL["value"]).decode()
    shown = {"LockIndex": 0, "Key": "service/limits", "Flags": 0, "Value": value, "CreateIndex": 90}
    return answer([{**shown, "ModifyIndex": _CONSUL["index"]}], 200, X_Consul_Index=str(_CONSUL["index"]))


@application.put("/v1/kv/service/limits")
def consul_write() -> Response:
    """Set the key if its index is as asked."""
    wanted = request.args.get("cas")
    if wanted is not None and int(wanted) != _CONSUL["index"]:
        return answer(False)
    _CONSUL.update(index=_CONSUL["index"] + 6, value=request.get_data())
    return answer(True)


# CouchDB: making a database that is there.
@application.put("/orders-2026")
def couch_make() -> Response:
    """Refuse to make the database again."""
    text = "The database could not be created, the file already exists."
    return answer({"error": "file_exists", "reason": text}, 412, Server="CouchDB/3.4.2 (Erlang OTP/25)")


@application.get("/orders-2026")
def couch_read() -> Response:
    """Describe the database."""
    return answer({"db_name": "orders-2026", "doc_count": 812, "update_seq": "812-g1AAAAC"})


# Zotero: one version for the whole library.
_LIBRARY: dict[str, Any] = {"version": 24024, "items": {"ABCD2345": "Field notes", "WXYZ6789": "Atlas"}}


@application.get("/users/7/items/<key>")
def zotero_read(key: str) -> Response:
    """Return an item."""
    data = {"key": key, "version": _LIBRARY["version"], "title": _LIBRARY["items"][key]}
    return answer({"key": key, "data": data}, 200, Last_Modified_Version=str(_LIBRARY["version"]))


@application.post("/users/7/items")
def zotero_write() -> Response:
    """Write several items under the library's version."""
    wanted = int(request.headers["If-Unmodified-Since-Version"])
    current = _LIBRARY["version"]
    if wanted < current:
        text = f"Library has been modified since specified version (expected {wanted}, found {current})"
        fields = {"Last-Modified-Version": str(current)}
        return Response(text, 412, fields, content_type="text/plain")
    for item in request.get_json():
        _LIBRARY["items"][item["key"]] = item["title"]
    _LIBRARY["version"] += 3
    keys = {str(number): item["key"] for number, item in enumerate(request.get_json())}
    done = {"success": keys, "unchanged": {}, "failed": {}}
    return answer(done, 200, Last_Modified_Version=str(_LIBRARY["version"]))


# GitHub's contents: the blob's sha in the content; commits to other files move the branch as well.
_FILES: dict[str, str] = {"docs/a.md": "# A\n", "docs/b.md": "# B\n"}
_COMMITTING = threading.Lock()


def _sha(text: str) -> str:
    return hashlib.sha1(f"blob {len(text)}\0{text}".encode()).hexdigest()  # noqa: S324 - git's own


@application.get("/repos/acme/site/contents/<path:name>")
def github_read(name: str) -> Response:
    """Return a file with its sha."""
    text = base64.b64encode(_FILES[name].encode()).decode()
    return answer({"type": "file", "path": name, "sha": _sha(_FILES[name]), "content": text})


@application.put("/repos/acme/site/contents/<path:name>")
def github_write(name: str) -> Response:
    """Commit a file; a commit that runs at the same time on the branch is a conflict."""
    sent = request.get_json()
    if sent.get("sha") != _sha(_FILES[name]):
        return answer({"message": f"{name} does not match {sent.get('sha')}", "status": "409"}, 409)
    if not _COMMITTING.acquire(blocking=False):
        head, seen = hashlib.sha1(b"head").hexdigest(), hashlib.sha1(b"seen").hexdigest()  # noqa: S324
        return answer({"message": f"is at {head} but expected {seen}", "status": "409"}, 409)
    try:
        time.sleep(0.25)
        _FILES[name] = base64.b64decode(sent["content"]).decode()
    finally:
        _COMMITTING.release()
    return answer(
        {"content": {"path": name, "sha": _sha(_FILES[name])}, "commit": {"message": sent["message"]}}
    )


# Microsoft Graph: a driveItem whose audio properties the service fills in a moment after the upload.
_ITEM: dict[str, Any] = {"id": "01ABC", "name": "talk.mp3", "description": "", "version": 1}


def _graph_tag() -> str:
    return f"aQTVFNjg4OUMwNkFGM0ExQjohMTA0LjM{_ITEM['version']}"


def _graph_item() -> Response:
    shown = {key: value for key, value in _ITEM.items() if key != "version"}
    return answer({**shown, "eTag": _graph_tag(), "lastModifiedDateTime": now()})


@application.get("/v1.0/me/drive/items/01ABC")
def graph_read() -> Response:
    """Return the item."""
    return _graph_item()


@application.put("/v1.0/me/drive/items/01ABC/content")
def graph_upload() -> Response:
    """Store the content; the service analyses it afterwards."""
    _ITEM.update(version=_ITEM["version"] + 1, size=len(request.get_data()))

    def analyse() -> None:
        time.sleep(0.5)
        audio = {"audio": {"duration": 61204, "title": "Talk"}}
        _ITEM.update(
            audio, version=_ITEM["version"] + 1, lastModifiedBy={"application": {"id": "media-analysis"}}
        )

    threading.Thread(target=analyse, daemon=True).start()
    return _graph_item()


@application.patch("/v1.0/me/drive/items/01ABC")
def graph_write() -> Response:
    """Change the item's properties."""
    if request.headers.get("If-Match", _graph_tag()) != _graph_tag():
        error = {"code": "resourceModified", "message": "ETag does not match current item's value"}
        return answer({"error": error}, 412)
    _ITEM.update(request.get_json(), version=_ITEM["version"] + 1)
    return _graph_item()


# Microsoft Graph Planner: the task and its details have tags of their own.
_PLANNER = {
    "task": 'W/"JzEtVGFzayAgQEBAQEBAQEBAQEBAQEBAWCc="',
    "details": 'W/"JzEtVGFza0RldGFpbHMgQEBAQEBAQEBAQEBAQEBISCc="',
}


@application.get("/v1.0/planner/tasks/T1")
@application.get("/v1.0/planner/tasks/T1/<part>")
def planner_read(part: str = "task") -> Response:
    """Return the task or its details."""
    return answer({"@odata.etag": _PLANNER[part], "id": "T1", "title": "Order chairs"})


@application.patch("/v1.0/planner/tasks/T1/details")
def planner_write() -> Response:
    """Change the details."""
    if request.headers.get("If-Match") != _PLANNER["details"]:
        message = "The If-Match header contains an invalid value."
        return answer({"error": {"code": "", "message": message}}, 412)
    return Response(status=204)


# SAP Gateway: 428 without If-Match.
@application.get("/sap/opu/odata4/sap/api_order/Order('4500000001')")
def sap_read() -> Response:
    """Return the order."""
    tag = 'W/"SADL-020230301000000C~20261124080000"'
    return answer({"@odata.etag": tag, "Order": "4500000001", "Note": ""}, 200, ETag=tag)


@application.patch("/sap/opu/odata4/sap/api_order/Order('4500000001')")
def sap_write() -> Response:
    """Change the order."""
    if "If-Match" not in request.headers:
        message = "Precondition required: entity must be read before it is changed"
        return answer({"error": {"code": "SADL_ENTITY_RUNTIME/004", "message": message}}, 428)
    return Response(status=204)


# Google IAM: the policy's tag in the content, 409 ABORTED.
_POLICY: dict[str, Any] = {
    "version": 1,
    "etag": "BwYk3mZqX2s=",
    "bindings": [{"role": "roles/viewer", "members": ["user:a@example.test"]}],
}


@application.post("/v1/projects/shop:getIamPolicy")
def iam_read() -> Response:
    """Return the policy."""
    return answer(_POLICY)


@application.post("/v1/projects/shop:setIamPolicy")
def iam_write() -> Response:
    """Replace the policy."""
    sent = request.get_json()["policy"]
    if sent.get("etag") != _POLICY["etag"]:
        message = (
            "There were concurrent policy changes. Please retry the whole read-modify-write with exponential "
        )
        message += (
            f"backoff. The request's ETag '{sent.get('etag')}' did not match the current policy's ETag "
        )
        made = google_error(409, "aborted", f"{message}'{_POLICY['etag']}'.")
        content = json.loads(made.get_data())
        content["error"]["status"] = "ABORTED"
        return answer(content, 409)
    fresh = hashlib.md5(_POLICY["etag"].encode()).digest()[:8]  # noqa: S324 - a tag, no secret
    _POLICY.update(bindings=sent["bindings"], etag=base64.b64encode(fresh).decode())
    return answer(_POLICY)


# A filter before a shop: 412 without any condition in the request.
@application.post("/checkout")
def checkout() -> Response:
    """Turn automata away."""
    text = (
        "<!DOCTYPE html><html><head><title>Request blocked</title></head><body><h1>Precondition Failed</h1>"
    )
    text += "<p>Automated traffic was detected. Reference: 18.2f1c4d17.1795533000.9ab1c</p></body></html>"
    return Response(text, 412, {"Server": "edge-shield"}, content_type="text/html")


@application.post("/v2/devices/<device>/unlock")
def unlock(device: str) -> Response:
    """Refuse for a rule of the business."""
    message = f"Device {device} must be enrolled before it can be unlocked"
    return answer({"code": "DEVICE_NOT_ENROLLED", "message": message}, 412)


# An object store that knows S3 but not conditional writes.
_VAULT: dict[str, bytes] = {}


@application.route("/vault/<path:key>", methods=["GET", "HEAD", "PUT"])
def vault(key: str) -> Response:
    """Store and read objects; any If-Match or If-None-Match on PUT is not implemented."""
    if request.method == "PUT":
        if "If-Match" in request.headers or "If-None-Match" in request.headers:
            text = '<?xml version="1.0"?><Error><Code>NotImplemented</Code><Message>A header you provided '
            text += "implies "
            text += "functionality that is not implemented.</Message></Error>"
            return Response(text, 501, content_type="application/xml")
        _VAULT[key] = request.get_data()
    if key not in _VAULT:
        return Response("<Error><Code>NoSuchKey</Code></Error>", 404, content_type="application/xml")
    digest = hashlib.md5(_VAULT[key]).hexdigest()  # noqa: S324 - S3's tag
    return Response(b"" if request.method == "PUT" else _VAULT[key], 200, {"ETag": f'"{digest}"'})
