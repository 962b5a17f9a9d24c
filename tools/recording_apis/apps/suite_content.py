"""More imitations of products after their documentation: documents, events, lists, repositories, records.

Only what the stories touch, in memory. Each product keeps its own paths, names of fields and error formats.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, request

application = Flask(__name__)
_LOCK = threading.RLock()


def said(content: object, status: int = 200, kind: str = "application/json", **fields: str) -> Response:
    """Return content as JSON; underscores in names of fields become hyphens."""
    made = Response(json.dumps(content, ensure_ascii=False), status, content_type=kind)
    for name, value in fields.items():
        made.headers[name.replace("_", "-")] = value
    return made


def iso() -> str:
    """Return the time."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_BEGUN = iso()


@application.get("/-/ready")
def ready() -> str:
    """Say that the service is up."""
    return "ready"


# CouchDB: a revision in the document, 409 when it is not the current one.
_DOCS: dict[str, dict[str, Any]] = {}


def _revision(number: int, content: dict[str, Any]) -> str:
    text = json.dumps({**content, "n": number}, sort_keys=True)
    return f"{number}-{hashlib.md5(text.encode()).hexdigest()}"  # noqa: S324 - a revision, no secret


for _name, _content in {
    "recipe:soup": {"type": "recipe", "title": "Fish soup", "serves": 4, "by": "import"},
    "recipe:bread": {"type": "recipe", "title": "Rye bread", "serves": 8, "by": "import"},
    "menu:2026-48": {"type": "menu", "days": ["recipe:soup", "recipe:bread"], "by": "import"},
}.items():
    _DOCS[_name] = {"_id": _name, "_rev": _revision(3, _content), **_content}


@application.get("/kitchen")
def couch_database() -> Response:
    """Return what there is to know about the database."""
    return said(
        {"db_name": "kitchen", "doc_count": len(_DOCS), "update_seq": "41-g1AAAA"}, Server="CouchDB/3.4.2"
    )


@application.get("/kitchen/_all_docs")
def couch_list() -> Response:
    """List documents with their revisions."""
    rows = [{"id": key, "key": key, "value": {"rev": one["_rev"]}} for key, one in _DOCS.items()]
    return said({"total_rows": len(rows), "offset": 0, "rows": rows}, Server="CouchDB/3.4.2")


@application.route("/kitchen/<name>", methods=["GET", "PUT"])
def couch_document(name: str) -> Response:
    """Return a document, or store it when its revision is the current one."""
    with _LOCK:
        now = _DOCS.get(name)
        if request.method == "PUT":
            sent = request.get_json(force=True)
            if now is not None and sent.get("_rev") != now["_rev"]:
                text = {"error": "conflict", "reason": "Document update conflict."}
                return said(text, 409, Server="CouchDB/3.4.2")
            content = {key: value for key, value in sent.items() if not key.startswith("_")}
            number = int(now["_rev"].split("-")[0]) + 1 if now else 1
            _DOCS[name] = {"_id": name, "_rev": _revision(number, content), **content}
            rev = _DOCS[name]["_rev"]
            return said({"ok": True, "id": name, "rev": rev}, 201, ETag=f'"{rev}"', Server="CouchDB/3.4.2")
    if now is None:
        return said({"error": "not_found", "reason": "missing"}, 404, Server="CouchDB/3.4.2")
    if request.headers.get("If-None-Match") == f'"{now["_rev"]}"':
        return Response("", 304, {"ETag": f'"{now["_rev"]}"', "Server": "CouchDB/3.4.2"})
    return said(now, ETag=f'"{now["_rev"]}"', Server="CouchDB/3.4.2")


# Elasticsearch: sequence number and primary term in the query.
_INDEXED: dict[str, dict[str, Any]] = {
    "4711": {"seq": 88, "version": 5, "source": {"title": "Winter tyres", "stock": 12, "tags": ["car"]}},
    "4712": {"seq": 90, "version": 2, "source": {"title": "Snow chains", "stock": 3, "tags": ["car"]}},
}
_SEQUENCE = itertools.count(91)


def _elastic_head(key: str) -> dict[str, Any]:
    one = _INDEXED[key]
    return {
        "_index": "shop-v7",
        "_id": key,
        "_version": one["version"],
        "_seq_no": one["seq"],
        "_primary_term": 2,
    }


@application.get("/shop-v7/_doc/<key>")
def elastic_read(key: str) -> Response:
    """Return a document with its sequence number."""
    if key not in _INDEXED:
        return said({"_index": "shop-v7", "_id": key, "found": False}, 404, X_elastic_product="Elasticsearch")
    shown = {**_elastic_head(key), "found": True, "_source": _INDEXED[key]["source"]}
    return said(shown, X_elastic_product="Elasticsearch")


@application.put("/shop-v7/_doc/<key>")
def elastic_write(key: str) -> Response:
    """Index a document, under a sequence number when asked."""
    with _LOCK:
        now, wanted = _INDEXED[key]["seq"], request.args.get("if_seq_no")
        if wanted is not None and int(wanted) != now:
            reason = f"[{key}]: version conflict, required seqNo [{wanted}], primary term [2]. current "
            reason += f"document has seqNo [{now}] and primary term [2]"
            cause = {
                "type": "version_conflict_engine_exception",
                "reason": reason,
                "index": "shop-v7",
                "shard": "0",
            }
            content = {"error": {"root_cause": [cause], **cause}, "status": 409}
            return said(content, 409, X_elastic_product="Elasticsearch")
        version = _INDEXED[key]["version"] + 1
        _INDEXED[key] = {"seq": next(_SEQUENCE), "version": version, "source": request.get_json(force=True)}
    return said({**_elastic_head(key), "result": "updated"}, X_elastic_product="Elasticsearch")


@application.get("/_cluster/health")
def elastic_health() -> Response:
    """Say how the cluster is."""
    return said(
        {"cluster_name": "shop", "status": "green", "number_of_nodes": 3}, X_elastic_product="Elasticsearch"
    )


# Google Calendar: an etag in the event and in the field, If-Match on changes, 410 for what has been deleted.
_EVENTS: dict[str, dict[str, Any]] = {
    key: {"n": 3541200000 + 7 * number, "summary": summary, "start": f"2026-12-0{number}T09:00:00+01:00"}
    for number, (key, summary) in enumerate(
        (("ev5k", "Harbour tour"), ("ev6m", "Budget"), ("ev7p", "Retro")), 1
    )
}
_GONE: set[str] = set()
_CAL = "/calendar/v3/calendars/team%40example.test/events"


def _event(key: str) -> dict[str, Any]:
    one = _EVENTS[key]
    shown = {"kind": "calendar#event", "etag": f'"{one["n"] * 1000}"', "id": key, "status": "confirmed"}
    return {**shown, "summary": one["summary"], "start": {"dateTime": one["start"]}, "sequence": one["n"] % 5}


def _google(status: int, reason: str, message: str, **where: str) -> Response:
    errors = [{"domain": "global", "reason": reason, "message": message, **where}]
    return said({"error": {"errors": errors, "code": status, "message": message}}, status)


@application.get("/calendar/v3/calendars/<owner>/events")
def calendar_list(owner: str) -> Response:
    """List events."""
    items = [_event(key) for key in _EVENTS]
    return said({"kind": "calendar#events", "etag": '"p33s"', "summary": owner, "items": items})


@application.route("/calendar/v3/calendars/<owner>/events/<key>", methods=["GET", "PUT", "DELETE"])
def calendar_event(owner: str, key: str) -> Response:
    """Return, replace or delete an event of a calendar."""
    del owner
    with _LOCK:
        if key in _GONE and request.method != "GET":
            return _google(410, "deleted", "Resource has been deleted")
        if key not in _EVENTS:
            return _google(404, "notFound", "Not Found")
        wanted = request.headers.get("If-Match")
        if request.method != "GET" and wanted not in {None, "*", _event(key)["etag"]}:
            where = {"locationType": "header", "location": "If-Match"}
            return _google(412, "conditionNotMet", "Precondition Failed", **where)
        if request.method == "DELETE":
            _EVENTS.pop(key)
            _GONE.add(key)
            return Response("", 204)
        if request.method == "PUT":
            sent, n = request.get_json(force=True), _EVENTS[key]["n"] + 11
            _EVENTS[key] = {"n": n, "summary": sent["summary"], "start": sent["start"]["dateTime"]}
        shown = _event(key)
    if request.args.get("fields"):
        shown = {name: shown[name] for name in request.args["fields"].split(",")}
    return said(shown, ETag=_event(key)["etag"])


# GitHub: contents of a repository with blob shas; a file is replaced under the sha of its blob.
_FILES = {"docs/install.md": "# Install\n\nRun make.\n", "docs/faq.md": "# FAQ\n\nNone yet.\n"}
_COMMITS = [{"sha": hashlib.sha1(b"first").hexdigest(), "commit": {"message": "Write docs"}}]  # noqa: S324


def _blob(path: str) -> str:
    text = _FILES[path].encode()
    return hashlib.sha1(b"blob %d\x00%s" % (len(text), text)).hexdigest()  # noqa: S324 - as git has it


@application.get("/repos/harbour/site/commits")
def git_commits() -> Response:
    """List commits, newest first."""
    count = int(request.args.get("per_page", "30"))
    return said(_COMMITS[::-1][:count], X_GitHub_Media_Type="github.v3; format=json")


@application.route("/repos/harbour/site/contents/<path:path>", methods=["GET", "PUT"])
def git_contents(path: str) -> Response:
    """Return a file, or commit its next content."""
    if path not in _FILES:
        return said({"message": "Not Found", "status": "404"}, 404)
    if request.method == "PUT":
        sent = request.get_json(force=True)
        if sent.get("sha") != _blob(path):
            return said({"message": f"{path} does not match {sent.get('sha')}", "status": "409"}, 409)
        _FILES[path] = base64.b64decode(sent["content"]).decode()
        commit = {"sha": hashlib.sha1(uuid.uuid4().bytes).hexdigest(), "commit": {"message": sent["message"]}}  # noqa: S324
        _COMMITS.append(commit)
        return said({"content": {"path": path, "sha": _blob(path)}, "commit": commit})
    text = base64.b64encode(_FILES[path].encode()).decode()
    shown = {"type": "file", "encoding": "base64", "path": path, "sha": _blob(path), "content": text}
    return said(shown, ETag=f'W/"{hashlib.sha256(text.encode()).hexdigest()}"', X_RateLimit_Remaining="4981")


# SharePoint: list items with a version as tag, and a workflow that stamps what has been saved.
_LIST: dict[int, dict[str, Any]] = {
    n: {"version": 2 + n, "Title": title, "Status": "Draft", "Editor": "Import", "Approval": None}
    for n, title in ((4, "Crane inspection"), (5, "Quay repair"))
}


def _item(number: int) -> Response:
    one = _LIST[number]
    tag = f'"{one["version"]}"'
    meta = {"etag": tag, "type": "SP.Data.WorksListItem", "id": f"Web/Lists/Items({number})"}
    shown = {name: value for name, value in one.items() if name != "version"}
    return said(
        {"d": {"__metadata": meta, "Id": number, **shown}}, 200, "application/json;odata=verbose", ETag=tag
    )


def _stamp(number: int) -> None:
    time.sleep(float(os.environ.get("WORKFLOW", "0")))
    with _LOCK:
        one = _LIST[number]
        one.update(version=one["version"] + 1, Approval="requested", Editor="System Account")


@application.get("/sites/port/_api/web/lists/getbytitle('<title>')/items")
def list_items(title: str) -> Response:
    """List items."""
    rows = [{"Id": n, "Title": one["Title"]} for n, one in _LIST.items()]
    return said({"d": {"results": rows, "list": title}}, 200, "application/json;odata=verbose")


@application.route(
    "/sites/port/_api/web/lists/getbytitle('<title>')/items(<int:number>)", methods=["GET", "POST"]
)
def list_item(title: str, number: int) -> Response:
    """Return an item, or merge changes into it."""
    del title
    if request.method == "GET":
        return _item(number)
    with _LOCK:
        one = _LIST[number]
        if request.headers.get("If-Match") not in {"*", f'"{one["version"]}"'}:
            text = "The request ETag value does not match the object's ETag value, "
            text += f'expected "{one["version"]}".'
            error = {
                "code": "-1, Microsoft.SharePoint.Client.ClientServiceException",
                "message": {"value": text},
            }
            return said({"error": error}, 412, "application/json;odata=verbose")
        one.update(request.get_json(force=True), version=one["version"] + 1, Editor=request.headers["X-User"])
    if os.environ.get("WORKFLOW"):
        threading.Thread(target=_stamp, args=(number,), daemon=True).start()
    return Response("", 204, {"ETag": f'"{one["version"]}"'})


# Contentful: X-Contentful-Version on every change.
_ENTRIES = {"home": {"version": 21, "title": "Home"}, "jobs": {"version": 4, "title": "Jobs"}}


@application.get("/spaces/harbour/environments/master/entries")
def entries() -> Response:
    """List entries."""
    items = [{"sys": {"id": name, "version": one["version"]}} for name, one in _ENTRIES.items()]
    return said({"sys": {"type": "Array"}, "total": len(items), "items": items})


@application.route("/spaces/harbour/environments/master/entries/<name>", methods=["GET", "PUT"])
def entry(name: str) -> Response:
    """Return an entry, or store its next version."""
    one = _ENTRIES[name]
    if request.method == "PUT":
        sent = request.headers.get("X-Contentful-Version")
        if sent != str(one["version"]):
            missing = "Please pass sys.version as HTTP header X-Contentful-Version."
            wrong = "Version mismatch error. The version you specified was incorrect."
            sys = {"type": "Error", "id": "VersionMismatch"}
            said_why = missing if sent is None else wrong
            return said({"sys": sys, "message": said_why, "requestId": str(uuid.uuid4())}, 409)
        title = request.get_json(force=True)["fields"]["title"]["en-GB"]
        one.update(version=one["version"] + 1, title=title, at=iso())
    sys = {"id": name, "type": "Entry", "version": one["version"], "updatedAt": one.get("at", _BEGUN)}
    return said({"sys": sys, "fields": {"title": {"en-GB": one["title"]}}})


# FHIR: records with weak version tags.
_RECORDS: dict[str, dict[str, Any]] = {
    "p-501": {"n": 6, "resource": {"gender": "female", "telecom": [{"value": "+49 431 1"}], "active": True}},
    "p-502": {"n": 1, "resource": {"gender": "male", "active": True}},
}


@application.route("/base/Patient/<key>", methods=["GET", "PUT"])
def patient(key: str) -> Response:
    """Return or replace a patient."""
    kind = "application/fhir+json;charset=utf-8"
    if key not in _RECORDS:
        issue = [{"severity": "error", "code": "not-found", "diagnostics": f"Patient/{key} is not known"}]
        return said({"resourceType": "OperationOutcome", "issue": issue}, 404, kind)
    one = _RECORDS[key]
    if request.method == "PUT":
        if request.headers.get("If-Match") not in {None, f'W/"{one["n"]}"'}:
            issue = [
                {"severity": "error", "code": "conflict", "diagnostics": f"current version is {one['n']}"}
            ]
            return said({"resourceType": "OperationOutcome", "issue": issue}, 412, kind)
        sent = request.get_json(force=True)
        kept = {name: value for name, value in sent.items() if name not in {"resourceType", "id", "meta"}}
        _RECORDS[key] = one = {"n": one["n"] + 1, "resource": kept, "at": iso()}
    shown = {
        "resourceType": "Patient",
        "id": key,
        "meta": {"versionId": str(one["n"]), "lastUpdated": one.get("at", _BEGUN)},
    }
    return said({**shown, **one["resource"]}, 200, kind, ETag=f'W/"{one["n"]}"')


_AROUND: dict[str, Any] = {
    "/": {"couchdb": "Welcome", "version": "3.4.2"},
    "/_cat/indices": "green open shop-v7 2 0 2\n",
    "/calendar/v3/users/me/calendarList": {
        "kind": "calendar#calendarList",
        "items": [{"id": "team@example.test"}],
    },
    "/calendar/v3/colors": {"kind": "calendar#colors", "event": {"1": {"background": "#a4bdfc"}}},
    "/repos/harbour/site": {"full_name": "harbour/site", "default_branch": "main", "private": True},
    "/rate_limit": {"resources": {"core": {"limit": 5000, "remaining": 4980}}},
    "/sites/port/_api/web": {"d": {"Title": "Port works", "Language": 1033}},
    "/sites/port/_api/web/currentuser": {"d": {"Id": 17, "Title": "Ida Holm"}},
    "/spaces/harbour": {"sys": {"type": "Space", "id": "harbour"}, "name": "Harbour"},
    "/spaces/harbour/environments/master/locales": {"items": [{"code": "en-GB"}]},
    "/base/metadata": {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"},
}


@application.get("/", defaults={"path": ""})
@application.get("/<path:path>")
def around(path: str) -> Response:
    """Return what is there beside the point."""
    found = _AROUND.get(f"/{path}")
    return said({"error": "not found", "path": path}, 404) if found is None else said(found)
