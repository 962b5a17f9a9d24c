# mypy: ignore-errors
# ruff: noqa: ARG005 - routes are handed all that they may want
"""Imitations of suites in use: one description of rows under tags, and what each product makes of it."""

from __future__ import annotations

import hashlib
import time
from urllib.parse import parse_qsl

from tools.recording_apis.apps.ray_core import Api, Res, guid, httpdate, iso


def rows(api: Api, pattern: str, **how) -> Api:
    """Serve rows under a pattern whose group is their key.

    Args:
        api: Where.
        pattern: Their paths.
        how: ``show`` (key to content), ``marks`` (key to fields), ``sent`` and ``known`` (what a write carries, what
            it must be), ``refuse`` and ``gone`` (answers), ``need`` (answer when nothing is sent), ``clean``
            (content to be stored), ``done`` (answer to a write), ``polls`` (field of a conditional read).
    """
    marks = how.get("marks", lambda key: {})
    clean = how.get("clean", lambda asked: asked)

    def one(req, key: str):
        writes = req.method != "GET"
        sent = how["sent"](req) if writes and "sent" in how else None
        if key not in api.rows:
            return how["refuse"](req, key) if sent and "gone" in how else how.get("gone", api.missing)(req)
        if not writes:
            told = marks(key)
            tag = req.fields.get("if-none-match")
            if tag and tag == told.get("ETag"):
                return Res(304, b"", told)
            return Res(200, how["show"](key), told)
        with api.lock:
            if sent is None and how.get("need"):
                return how["need"](req, key)
            if sent is not None and sent != "*" and sent != how["known"](key):
                return how["refuse"](req, key)
            if req.method == "DELETE":
                del api.rows[key]
                return Res(204)
            old = api.rows[key].data if req.method in {"PATCH", "POST"} else {}
            api.keep(key, {**old, **clean(req.json)}, req.fields.get("x-author", ""))
        return how["done"](key) if "done" in how else Res(200, how["show"](key), marks(key))

    api.on("GET PUT PATCH DELETE", pattern, one)
    return api


def header(name: str):
    """Return a reader of a field."""
    return lambda req: req.fields.get(name)


def box(files: dict) -> Api:
    """Return files with bare numbers as tags."""
    api = Api(lambda req: {"box-request-id": hashlib.md5(f"{time.time()}".encode()).hexdigest()[:20], "strict-transport-security": "max-age=31536000"})
    for key, data in files.items():
        api.keep(key, data, age=500000)

    def fail(status: int, code: str, said: str) -> Res:
        return Res(status, {"type": "error", "status": status, "code": code, "help_url": "http://developers.box.com/docs/#errors", "message": said, "request_id": guid(said)[:17]})

    def show(key: str) -> dict:
        return {"type": "file", "id": key, "etag": str(api.rows[key].rev - 1), "modified_at": iso(api.rows[key].at, 0), **api.rows[key].data}

    api.missing = lambda req: fail(404, "not_found", "Not Found")
    rows(
        api,
        r"/2\.0/files/(\d+)",
        show=show,
        sent=header("if-match"),
        known=lambda key: show(key)["etag"],
        refuse=lambda req, key: fail(412, "precondition_failed", "The resource has been modified. Please retrieve the resource again and retry"),
        gone=api.missing,
    )
    api.on("GET", r"/2\.0/folders/(\d+)/items", lambda req, n: Res(200, {"total_count": len(api.rows), "entries": [show(key) for key in api.rows], "offset": 0}))
    api.on("GET", r"/2\.0/users/me", lambda req: Res(200, {"type": "user", "id": "17738362", "name": "Vilde Aas"}))
    return api


def reapit(kind: str, things: dict) -> Api:
    """Return an agency's entities."""
    api = Api(lambda req: {"x-request-id": guid(f"{time.time()}")})
    for key, data in things.items():
        api.keep(key, data, age=300000)

    def tag(key: str) -> str:
        return f'"{api.rows[key].digest("reapit").upper()}"'

    def show(key: str) -> dict:
        return {"id": key, **api.rows[key].data, "modified": iso(api.rows[key].at, 0), "_eTag": tag(key)}

    def refuse(req, key: str) -> Res:
        return Res(412, {"statusCode": 412, "dateTime": iso(time.time()), "description": "ETag provided does not match the current entity ETag"})

    rows(api, f"/{kind}/([A-Z0-9]+)", show=show, marks=lambda key: {"ETag": tag(key)}, sent=header("if-match"), known=tag, refuse=refuse, done=lambda key: Res(204))
    api.on("GET", f"/{kind}", lambda req: Res(200, {"_embedded": [show(key) for key in api.rows], "pageNumber": 1, "totalCount": len(api.rows)}))
    api.on("GET", "/configuration/propertyTypes", lambda req: Res(200, [{"id": "HOU", "value": "House"}, {"id": "FLT", "value": "Flat"}]))
    return api


def github(files: dict) -> Api:
    """Return a repository; a commit takes a while and its branch must not move meanwhile."""
    api = Api(lambda req: {"X-GitHub-Media-Type": "github.v3; format=json", "X-GitHub-Request-Id": guid(f"{time.time()}")[:18], "X-RateLimit-Remaining": "4981"})
    api.commits, api.slow = [], 0.0
    base = "/repos/tidewatch/gauges"

    def commit(path: str, content: str, message: str, who: str) -> None:
        api.keep(path, content)
        sha = hashlib.sha1(f"{path}{content}{time.time()}".encode()).hexdigest()
        api.commits.append({"sha": sha, "commit": {"message": message, "author": {"name": who, "date": iso(time.time(), 0)}}, "files": [path]})

    for path, content in files.items():
        commit(path, content, f"Add {path}", "keeper")

    def sha(path: str) -> str:
        return hashlib.sha1(api.rows[path].octets).hexdigest()

    def show(path: str) -> dict:
        return {"type": "file", "path": path, "sha": sha(path), "encoding": "base64", "content": api.rows[path].data}

    def put(req, path: str):
        asked, head = req.json, api.commits[-1]["sha"]
        if asked.get("sha") != sha(path):
            return Res(409, {"message": f"{path} does not match {asked.get('sha')}", "status": "409"})
        time.sleep(api.slow)
        with api.lock:
            now = api.commits[-1]["sha"]
            if now != head:
                return Res(409, {"message": f"is at {now} but expected {head}", "documentation_url": "https://docs.github.com/rest/repos/contents#create-or-update-file-contents", "status": "409"})
            commit(path, asked["content"], asked["message"], asked.get("committer", {}).get("name", "tide-bot"))
        return Res(200, {"content": show(path), "commit": api.commits[-1]})

    api.on("GET", base + "/contents/(.+)", lambda req, path: Res(200, show(path)) if path in api.rows else None)
    api.on("PUT", base + "/contents/(.+)", put)
    api.on("GET", base + "/commits", lambda req: Res(200, api.commits[::-1]))
    api.on("GET", base, lambda req: Res(200, {"full_name": "tidewatch/gauges", "default_branch": "main"}))
    return api


_DAV = {"Content-Type": "application/xml; charset=utf-8", "DAV": "1, 3, extended-mkcol, addressbook"}


def sabre(user: str, cards: dict) -> Api:
    """Return an address book under SabreDAV."""
    api = Api(lambda req: {"X-Content-Type-Options": "nosniff", "X-Robots-Tag": "noindex, nofollow"})
    for key, card in cards.items():
        api.keep(key, card, age=700000)
    base = f"/remote.php/dav/addressbooks/users/{user}/contacts/"

    def tag(key: str) -> str:
        return f'"{hashlib.md5(api.rows[key].data.encode()).hexdigest()}"'

    def fail(said: str, name: str) -> Res:
        text = '<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n'
        text += f"  <s:exception>Sabre\\DAV\\Exception\\PreconditionFailed</s:exception>\n  <s:message>{said}</s:message>\n"
        return Res(412, f"{text}  <s:header>{name}</s:header>\n</d:error>\n", dict(_DAV))

    def put(req, key: str):
        if key in api.rows and req.fields.get("if-none-match") == "*":
            return fail("An If-None-Match header was specified, but the ETag matched (or * was specified).", "If-None-Match")
        sent, fresh = req.fields.get("if-match"), key not in api.rows
        if sent and (fresh or sent != tag(key)):
            return fail("An If-Match header was specified, but none of the specified ETags matched.", "If-Match")
        api.keep(key, req.body.decode())
        return Res(201 if fresh else 204, b"", {"ETag": tag(key), "OC-ETag": tag(key)})

    def find(req):
        parts = "".join(
            f"<d:response><d:href>{base}{key}</d:href><d:propstat><d:prop><d:getetag>{tag(key).replace(chr(34), '&quot;')}</d:getetag>"
            "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
            for key in api.rows
        )
        return Res(207, f'<?xml version="1.0"?>\n<d:multistatus xmlns:d="DAV:">{parts}</d:multistatus>', dict(_DAV))

    api.on("PROPFIND POST", base, find)
    api.on("GET", base + r"([^/]+)", lambda req, key: Res(200, api.rows[key].data, {"ETag": tag(key), "Content-Type": "text/vcard; charset=utf-8"}) if key in api.rows else None)
    api.on("PUT", base + r"([^/]+)", put)
    return api


def sap(service: str, entity: str, things: dict) -> Api:
    """Return an OData service that wants the tag."""
    api = Api(lambda req: {"sap-processing-info": "ODataBEP=,crp=,RAL=,st=,MedCacheHub=SHM,codeployed=X,softstate=", "odata-version": "4.0"})
    for key, data in things.items():
        api.keep(key, data, age=80000)

    def tag(key: str) -> str:
        return f'W/"SADL-0{time.strftime("%Y%m%d%H%M%S", time.gmtime(api.rows[key].at))}C~{time.strftime("%Y%m%d%H%M%S", time.gmtime(api.rows[key].at))}"'

    def show(key: str) -> dict:
        return {"@odata.etag": tag(key), f"{entity}": key, **api.rows[key].data}

    def fail(status: int, code: str, said: str) -> Res:
        return Res(status, {"error": {"code": code, "message": said, "@SAP__common.ExceptionCategory": "Client_Error"}})

    base = f"/sap/opu/odata4/sap/{service}/srvd_a2x/sap/{entity.lower()}/0001/"
    rows(
        api,
        rf"{base}{entity}\('([^']+)'\)",
        show=show,
        marks=lambda key: {"ETag": tag(key)},
        sent=header("if-match"),
        known=tag,
        refuse=lambda req, key: fail(412, "SADL_ENTITY_RUNTIME/005", "Precondition failed: data was changed meanwhile"),
        need=lambda req, key: fail(428, "SADL_ENTITY_RUNTIME/004", "Data cannot be changed without an ETag; provide the If-Match header"),
    )
    api.on("GET", base + entity, lambda req: Res(200, {"@odata.context": "$metadata#" + entity, "value": [show(key) for key in api.rows]}))
    api.on("GET", base, lambda req: Res(200, {"value": [{"name": entity, "url": entity}]}, {"x-csrf-token": "5nVw0jTtWvH3T9xQ=="}))
    return api


def fhir(kind: str, things: dict, *, checks: bool = True) -> Api:
    """Return resources with their history; ``checks`` is whether If-Match is read."""
    api = Api(lambda req: {"X-Request-Id": guid(f"{time.time()}")[:16]})
    api.past = {}

    def show(key: str, row=None) -> dict:
        row = row or api.rows[key]
        return {"resourceType": kind, "id": key, "meta": {"versionId": str(row.rev), "lastUpdated": iso(row.at)}, **row.data}

    def keep(key: str, data: dict) -> None:
        api.past.setdefault(key, []).insert(0, api.keep(key, data))

    def outcome(status: int, code: str, said: str) -> Res:
        return Res(status, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": said}]})

    def given(key: str, status: int = 200) -> Res:
        row = api.rows[key]
        return Res(status, show(key), {"ETag": f'W/"{row.rev}"', "Last-Modified": httpdate(row.at), "Content-Type": "application/fhir+json"})

    def bundle(found: list, sort: str) -> Res:
        return Res(200, {"resourceType": "Bundle", "type": sort, "total": len(found), "entry": [{"resource": one} for one in found]}, {"Content-Type": "application/fhir+json"})

    def matches(asked: str) -> list:
        want = dict(parse_qsl(asked)).get("identifier", "").split("|")[-1]
        return [key for key in api.rows if not want or any(one["value"] == want for one in api.rows[key].data.get("identifier", []))]

    def many(req):
        if req.method == "GET":
            return bundle([show(key) for key in matches(req.target.partition("?")[2])], "searchset")
        found = matches(req.fields["if-none-exist"]) if "if-none-exist" in req.fields else []
        if len(found) > 1:
            return outcome(412, "multiple-matches", f'Failed to CREATE {kind} with match URL "{req.fields["if-none-exist"]}" because this search matched {len(found)} resources')
        if found:
            return given(found[0])
        key = str(8800 + len(api.rows))
        keep(key, {k: v for k, v in req.json.items() if k not in {"resourceType", "id", "meta"}})
        return given(key, 201)

    def one(req, key: str):
        if key not in api.rows:
            return outcome(404, "not-found", f"{kind}/{key} is not known")
        if req.method == "PUT":
            if checks and req.fields.get("if-match") not in {None, f'W/"{api.rows[key].rev}"'}:
                return outcome(412, "conflict", "Version mismatch")
            keep(key, {k: v for k, v in req.json.items() if k not in {"resourceType", "id", "meta"}})
        return given(key)

    for key, data in things.items():
        keep(key, data)
    api.on("GET POST", f"/fhir/{kind}", many)
    api.on("GET PUT", f"/fhir/{kind}/([^/]+)", one)
    api.on("GET", f"/fhir/{kind}/([^/]+)/_history", lambda req, key: bundle([show(key, row) for row in api.past[key]], "history"))
    api.on("GET", "/fhir/metadata", lambda req: Res(200, {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "status": "active"}))
    return api


def confluence(pages: dict) -> Api:
    """Return pages whose next version a save names."""
    api = Api(lambda req: {"X-AREQUESTID": guid(f"{time.time()}"), "X-Seraph-LoginReason": "OK"}, first=7)
    api.past = {}
    for key, data in pages.items():
        api.past[key] = [api.keep(key, data, "Editor", age=90000)]

    def show(key: str, row=None) -> dict:
        row = row or api.rows[key]
        version = {"number": row.rev, "when": iso(row.at), "by": {"displayName": row.by}, "minorEdit": False}
        return {"id": key, "type": "page", "status": "current", "title": row.data["title"], "version": version, "body": row.data["body"]}

    def one(req, key: str):
        if req.method == "PUT":
            asked = req.json
            if asked["version"]["number"] != api.rows[key].rev + 1:
                said = f"Attempted to update stale data. Current version is: {api.rows[key].rev}"
                return Res(409, {"statusCode": 409, "message": f"com.atlassian.confluence.api.service.exceptions.ConflictException: {said}"})
            row = api.keep(key, {"title": asked["title"], "body": asked["body"]}, req.fields.get("authorization", "").split("-")[-1].title())
            api.past[key].append(row)
        shown = show(key)
        if "version" in req.query:
            shown = next(show(key, row) for row in api.past[key] if str(row.rev) == req.query["version"])
        if req.method == "GET" and "body" not in req.query.get("expand", ""):
            shown.pop("body")
        return Res(200, shown)

    api.on("GET PUT", r"/rest/api/content/(\d+)", one)
    api.on("GET", "/rest/api/content", lambda req: Res(200, {"results": [{k: v for k, v in show(key).items() if k != "body"} for key in api.rows], "size": len(api.rows)}))
    api.on("GET", "/rest/api/user/current", lambda req: Res(200, {"type": "known", "username": "rui", "displayName": "Rui"}))
    return api


def kubernetes(space: str, maps: dict) -> Api:
    """Return config maps; without a resourceVersion the last writer wins."""
    api = Api(lambda req: {"Audit-Id": guid(f"{time.time()}"), "Cache-Control": "no-cache, private"})
    api.count, api.at = 481200, {}

    def keep(name: str, data: dict) -> None:
        api.count += 7
        api.keep(name, data)
        api.at[name] = api.count

    def show(name: str) -> dict:
        meta = {"name": name, "namespace": space, "uid": guid(name), "resourceVersion": str(api.at[name])}
        return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta, "data": api.rows[name].data}

    def one(req, name: str):
        if req.method == "GET":
            return Res(200, show(name))
        sent = req.json.get("metadata", {}).get("resourceVersion")
        if sent and sent != str(api.at[name]):
            said = f'Operation cannot be fulfilled on configmaps "{name}": the object has been modified; please apply your changes to the latest version and try again'
            return Res(409, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": said, "reason": "Conflict", "code": 409})
        keep(name, {**(api.rows[name].data if req.method == "PATCH" else {}), **req.json["data"]})
        return Res(200, show(name))

    for name, data in maps.items():
        keep(name, data)
    base = f"/api/v1/namespaces/{space}/configmaps"
    api.on("GET", base, lambda req: Res(200, {"kind": "ConfigMapList", "metadata": {"resourceVersion": str(api.count)}, "items": [show(name) for name in api.rows]}))
    api.on("GET PUT PATCH", base + "/([^/]+)", one)
    api.on("GET", f"/api/v1/namespaces/{space}", lambda req: Res(200, {"kind": "Namespace", "metadata": {"name": space}, "status": {"phase": "Active"}}))
    api.on("GET", "/version", lambda req: Res(200, {"major": "1", "minor": "31", "gitVersion": "v1.31.3"}))
    return api
