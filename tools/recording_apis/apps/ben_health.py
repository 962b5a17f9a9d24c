# ruff: noqa: E501 - the words of a product stay on their line
"""Imitations of health records, learning records and sync stores."""

from __future__ import annotations

import hashlib
import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ben_wire import Api, Req, Res, Row, hexed, iso

if TYPE_CHECKING:
    from collections.abc import Mapping

_FHIR = "application/fhir+json;charset=UTF-8"


def outcome(status: int, code: str, text: str) -> Res:
    """Return an OperationOutcome."""
    issue = {"severity": "error", "code": code, "diagnostics": text}
    return Res(status, {"resourceType": "OperationOutcome", "issue": [issue]}, {"Content-Type": _FHIR})


def fhir(patients: Mapping[str, dict[str, Any]]) -> Api:
    """Imitate a FHIR server: versions as weak tags, conditional creates by a search."""
    api = Api(dict(patients))

    def shown(key: str, row: Row) -> dict[str, Any]:
        meta = {"versionId": str(row.rev), "lastUpdated": iso(row.at)}
        return {"resourceType": "Patient", "id": key, "meta": meta, **row.data}

    def marks(row: Row) -> dict[str, str]:
        stamp = formatdate(row.at, usegmt=True)
        return {"ETag": f'W/"{row.rev}"', "Last-Modified": stamp, "Content-Type": _FHIR}

    def found(query: Mapping[str, str]) -> list[str]:
        system, _, value = query["identifier"].partition("|")
        wanted = {"system": system, "value": value}
        return [key for key, row in api.rows.items() if wanted in row.data["identifier"]]

    @api.on("GET", "/fhir/Patient/([0-9a-z-]+)")
    def _read(_req: Req, key: str) -> Res:
        return Res(200, shown(key, api.rows[key]), marks(api.rows[key]))

    @api.on("GET", "/fhir/Patient")
    def _search(req: Req) -> Res:
        entries = [{"resource": shown(key, api.rows[key])} for key in found(req.query)]
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}
        return Res(200, bundle, {"Content-Type": _FHIR})

    @api.on("POST", "/fhir/Patient")
    def _create(req: Req) -> Res:
        wanted = req.fields.get("if-none-exist")
        hits = found(Req("", f"/?{wanted}", {}, b"").query) if wanted else []
        if len(hits) > 1:
            said = f'Failed to CREATE resource with match URL "Patient?{wanted}" because this search matched {len(hits)} resources'
            return outcome(412, "multiple-matches", said)
        if hits:
            return Res(200, shown(hits[0], api.rows[hits[0]]), marks(api.rows[hits[0]]))
        key = str(9000 + len(api.rows))
        row = api.keep(key, {name: one for name, one in req.json.items() if name != "resourceType"})
        return Res(
            201, shown(key, row), {**marks(row), "Location": f"/fhir/Patient/{key}/_history/{row.rev}"}
        )

    return api


def canvas(notes: Mapping[str, dict[str, Any]]) -> Api:
    """Imitate Canvas Medical: no tags, If-Unmodified-Since against a stored time with microseconds."""
    api = Api(dict(notes), age=81000.437)

    def shown(key: str, row: Row) -> dict[str, Any]:
        meta = {"versionId": str(row.rev), "lastUpdated": iso(row.at, 6)}
        return {"resourceType": "Task", "id": key, "meta": meta, **row.data}

    def marks(row: Row) -> dict[str, str]:
        return {"Last-Modified": formatdate(row.at, usegmt=True), "Content-Type": "application/json"}

    @api.on("GET", "/Task/([0-9a-f-]+)")
    def _read(_req: Req, key: str) -> Res:
        return Res(200, shown(key, api.rows[key]), marks(api.rows[key]))

    @api.on("GET", "/Task")
    def _list(_req: Req) -> Res:
        entries = [{"resource": shown(key, row)} for key, row in api.rows.items()]
        return Res(200, {"resourceType": "Bundle", "total": len(entries), "entry": entries})

    @api.on("PUT", "/Task/([0-9a-f-]+)")
    def _write(req: Req, key: str) -> Res:
        since = req.fields.get("if-unmodified-since")
        if since and api.rows[key].at > parsedate_to_datetime(since).timestamp():
            return outcome(
                412, "conflict", "The resource was modified after the time in If-Unmodified-Since."
            )
        made = api.keep(
            key, {name: one for name, one in req.json.items() if name not in {"meta", "id", "resourceType"}}
        )
        return Res(200, b"", marks(made))

    return api


def xapi(node: str, salt: str, shared: dict[str, Any]) -> Api:
    """Imitate the documents of a learning record store; each node salts the hash with what it was started with."""
    api = Api(extra={"X-Experience-API-Version": "1.0.3", "X-Served-By": node})

    def tag(data: bytes) -> str:
        return f'"{hashlib.sha1(salt.encode() + data, usedforsecurity=False).hexdigest()}"'

    def key_of(req: Req) -> str:
        return req.query.get("profileId") or req.query.get("stateId", "")

    @api.on("GET", "/xapi/activities/profile")
    def _read(req: Req) -> Res:
        data = shared.get(key_of(req))
        if data is None:
            return Res(404, b"")
        marks = {"ETag": tag(data), "Content-Type": "application/json"}
        return (
            Res(304, b"", marks)
            if req.fields.get("if-none-match") == marks["ETag"]
            else Res(200, data, marks)
        )

    @api.on("GET", "/xapi/about")
    def _about(_req: Req) -> Res:
        return Res(200, {"version": ["1.0.3"]})

    @api.on("PUT", "/xapi/activities/profile")
    def _write(req: Req) -> Res:
        data, match = shared.get(key_of(req)), req.fields.get("if-match")
        if match is None and "if-none-match" not in req.fields:
            return Res(409, "If-Match or If-None-Match is required", {"Content-Type": "text/plain"})
        if match is not None and (data is None or match != tag(data)):
            return Res(412, "ETag does not match the stored document", {"Content-Type": "text/plain"})
        shared[key_of(req)] = req.body
        return Res(204, b"", {"ETag": tag(req.body)})

    return api


def firefox_sync(records: Mapping[str, dict[str, Any]], *, ahead: float = 0.0) -> Api:
    """Imitate Firefox Sync 1.5: times in decimal seconds, of a clock that may be ahead of the client's."""
    api = Api(dict(records), age=4000)
    base = "/1.5/2207/storage"

    def now() -> str:
        return f"{time.time() + ahead:.2f}"

    def last(collection: str) -> float:
        return max([row.at for key, row in api.rows.items() if key.startswith(f"{collection}/")], default=0.0)

    def marks(moment: float) -> dict[str, str]:
        return {"X-Last-Modified": f"{moment:.2f}"}

    def shown(key: str) -> dict[str, Any]:
        return {"id": key.split("/")[1], "modified": round(api.rows[key].at, 2), **api.rows[key].data}

    @api.on("GET", "/1.5/2207/info/collections")
    def _info(_req: Req) -> Res:
        names = sorted({key.split("/")[0] for key in api.rows})
        return Res(200, {name: round(last(name), 2) for name in names})

    @api.on("GET", f"{base}/([a-z]+)")
    def _list(req: Req, name: str) -> Res:
        since = req.fields.get("x-if-modified-since")
        if since is not None and float(since) >= round(last(name), 2):
            return Res(304, b"", marks(last(name)))
        after = float(req.query.get("newer", "0"))
        keys = [key for key, row in api.rows.items() if key.startswith(f"{name}/") and row.at > after]
        return Res(
            200, [shown(key) for key in keys], {**marks(last(name)), "X-Weave-Records": str(len(keys))}
        )

    @api.on("GET", f"{base}/([a-z]+/[A-Za-z0-9]+)")
    def _read(_req: Req, key: str) -> Res:
        return Res(200, shown(key), marks(api.rows[key].at))

    @api.on("PUT", f"{base}/([a-z]+/[A-Za-z0-9]+)")
    def _write(req: Req, key: str) -> Res:
        since = req.fields.get("x-if-unmodified-since")
        moment = api.rows[key].at if key in api.rows else 0.0
        if since is not None and float(since) < round(moment, 2):
            return Res(412, "0", {**marks(moment), "Content-Type": "application/json"})
        row = api.keep(key, {name: one for name, one in req.json.items() if name != "id"})
        row.at = round(time.time() + ahead, 2)
        return Res(200, f"{row.at:.2f}", {**marks(row.at), "Content-Type": "application/json"})

    api.extra["X-Weave-Timestamp"] = now
    return api


def scim(users: Mapping[str, dict[str, Any]]) -> Api:
    """Imitate a SCIM service whose versions are weak and compared strongly."""
    api = Api(dict(users))
    kind = {"Content-Type": "application/scim+json"}

    def tag(key: str, row: Row) -> str:
        return f'W/"{hexed(f"{key}{row.rev}", 14)}"'

    def shown(key: str, row: Row) -> dict[str, Any]:
        meta = {"resourceType": "User", "version": tag(key, row), "lastModified": iso(row.at)}
        return {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": key,
            "meta": meta,
            **row.data,
        }

    @api.on("GET", "/scim/v2/Users/([0-9a-f-]+)")
    def _read(req: Req, key: str) -> Res:
        marks = {"ETag": tag(key, api.rows[key]), **kind}
        if req.fields.get("if-none-match") == marks["ETag"]:
            return Res(304, b"", {"ETag": marks["ETag"]})
        return Res(200, shown(key, api.rows[key]), marks)

    @api.on("GET", "/scim/v2/Users")
    def _list(_req: Req) -> Res:
        found = [shown(key, row) for key, row in api.rows.items()]
        return Res(200, {"totalResults": len(found), "Resources": found}, dict(kind))

    @api.on("PATCH", "/scim/v2/Users/([0-9a-f-]+)")
    def _write(req: Req, key: str) -> Res:
        sent = req.fields.get("if-match")
        if sent not in {None, "*"}:  # a weak tag is never equal in the strong comparison
            schema = ["urn:ietf:params:scim:api:messages:2.0:Error"]
            said = "Failed to update. Resource changed on the server."
            return Res(412, {"schemas": schema, "detail": said, "status": "412"}, dict(kind))
        new = {one["path"]: one["value"] for one in req.json["Operations"]}
        row = api.keep(key, {**api.rows[key].data, **new})
        return Res(200, shown(key, row), {"ETag": tag(key, row), **kind})

    return api
