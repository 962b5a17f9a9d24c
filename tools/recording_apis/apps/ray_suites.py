# mypy: ignore-errors
# ruff: noqa: ARG001, E501, PLC0207 - handlers share a shape; long words are those of the products
"""Imitations of IBM's object store, Firefox's sync storage, Dataverse's records and FHIR's resources."""

from __future__ import annotations

import copy
import hashlib
import json
import time
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from tools.recording_apis.apps.ray_core import Api, Req, Res, Row, guid, httpdate, iso

_XML = {"Content-Type": "application/xml"}
_FAILED = "At least one of the pre-conditions you specified did not hold."


def _later(row: Row, text: str) -> bool:
    return row.at > parsedate_to_datetime(text).timestamp()


def _cos_read(api: Api, req: Req, key: str) -> Res | None:
    row = api.rows.get(key)
    if row is None:
        return None
    marks = {
        "ETag": api.tag(row),
        "Last-Modified": httpdate(row.at),
        "Accept-Ranges": "bytes",
        "Content-Type": "application/json",
    }
    if req.fields.get("if-none-match") == api.tag(row):
        return Res(304, b"", marks)
    if req.fields.get("if-match", api.tag(row)) != api.tag(row):
        return api.error(412, "PreconditionFailed", _FAILED, "<Condition>If-Match</Condition>")
    return Res(200, row.data, marks)


def _cos_write(api: Api, req: Req, key: str) -> Res | None:
    row, source = api.rows.get(key), req.fields.get("x-amz-copy-source")
    if source is not None:
        origin = api.rows[source.strip("/").split("/", 1)[1]]
        since = req.fields.get("x-amz-copy-source-if-unmodified-since")
        if since and _later(origin, since):
            return api.error(
                412,
                "PreconditionFailed",
                _FAILED,
                "<Condition>x-amz-copy-source-if-unmodified-since</Condition>",
            )
        made = api.keep(key, origin.data)
        return Res(
            200,
            f'<?xml version="1.0"?><CopyObjectResult><LastModified>{iso(made.at)}</LastModified><ETag>{api.tag(made)}</ETag></CopyObjectResult>',
            _XML,
        )
    if row and req.fields.get("x-ibm-forbid-overwrite") == "true":
        return api.error(
            409,
            "ObjectAlreadyExists",
            "The object already exists and the request forbids overwriting it.",
            f"<Resource>/{api.bucket}/{key}</Resource>",
        )
    sent = req.fields.get("if-match")
    if sent and (row is None or sent != api.tag(row)):
        return api.error(412, "PreconditionFailed", _FAILED, "<Condition>If-Match</Condition>")
    return Res(200, b"", {"ETag": api.tag(api.keep(key, req.body))})


def _cos_listing(api: Api, req: Req) -> Res:
    rows = "".join(
        f"<Contents><Key>{k}</Key><LastModified>{iso(r.at)}</LastModified><ETag>&quot;{api.tag(r)[1:-1]}&quot;</ETag><Size>{len(r.data)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for k, r in sorted(api.rows.items())
        if k.startswith(req.query.get("prefix", ""))
    )
    return Res(
        200,
        f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{api.bucket}</Name><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>',
        _XML,
    )


def cos(bucket: str, things: dict[str, bytes], age: float = 500.0) -> Api:
    """Return a bucket of IBM's object store."""

    def fields(_req: Req) -> dict[str, str]:
        own = guid(str(time.time_ns()))
        return {
            "X-Clv-Request-Id": own,
            "X-Clv-S3-Version": "2.5",
            "x-amz-request-id": own,
            "Server": "Cleversafe",
        }

    def error(status: int, code: str, said: str, more: str = "") -> Res:
        text = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Error><Code>{code}</Code><Message>{said}</Message>{more}<httpStatusCode>{status}</httpStatusCode></Error>'
        return Res(status, text, _XML)

    api = Api(fields, lambda _req: error(404, "NoSuchKey", "The specified key does not exist."))
    api.error, api.bucket = error, bucket
    for key, content in things.items():
        api.keep(key, content, age=age)
    api.tag = lambda row: f'"{hashlib.md5(row.data).hexdigest()}"'  # noqa: S324 - as S3 does
    api.on("GET", f"/{bucket}/?", partial(_cos_listing, api))
    api.on("GET", f"/{bucket}/(.+)", partial(_cos_read, api))
    api.on("PUT", f"/{bucket}/(.+)", partial(_cos_write, api))
    return api


def _sync_guarded(api: Api, req: Req, name: str) -> Res | None:
    since, known = req.fields.get("x-if-unmodified-since"), req.fields.get("x-if-modified-since")
    mark = {"X-Last-Modified": f"{api.at.get(name, 0):.2f}"}
    if since and api.at.get(name, 0) > float(since):
        return Res(412, b"0", {**mark, "Content-Type": "application/json"})
    return Res(304, b"", mark) if known and req.safe and api.at.get(name, 0) <= float(known) else None


def _sync_shown(api: Api, key: str) -> dict[str, Any]:
    row = api.rows[key]
    return {"id": key.split("/")[1], "modified": round(row.at, 2), **row.data}


def _sync_read(api: Api, req: Req, name: str) -> Res | None:
    newer = float(req.query.get("newer", 0))
    keys = [k for k, r in api.rows.items() if k.startswith(name + "/") and round(r.at, 2) > newer]
    body = [_sync_shown(api, k) if "full" in req.query else k.split("/")[1] for k in keys]
    mark = {"X-Last-Modified": f"{api.at.get(name, 0):.2f}", "X-Weave-Records": str(len(keys))}
    return _sync_guarded(api, req, name) or Res(200, body, {**mark, "Content-Type": "application/json"})


def _sync_write(api: Api, req: Req, name: str, key: str | None = None) -> Res:
    with api.lock:
        refused = _sync_guarded(api, req, name)
        if refused:
            return refused
        records = [{**req.json, "id": key}] if key else req.json
        now = api.at[name] = round(time.time(), 2)
        for one in records:
            api.rows[f"{name}/{one['id']}"] = Row(
                {"payload": one["payload"]}, 1, now, req.fields.get("user-agent", "")
            )
    done: Any = now if key else {"modified": now, "success": [one["id"] for one in records], "failed": {}}
    return Res(200, json.dumps(done), {"X-Last-Modified": f"{now:.2f}", "Content-Type": "application/json"})


def _sync_item(api: Api, req: Req, name: str, key: str) -> Res | None:
    full = f"{name}/{key}"
    return (
        Res(200, _sync_shown(api, full), {"X-Last-Modified": f"{api.rows[full].at:.2f}"})
        if full in api.rows
        else None
    )


def sync(user: int, collections: dict[str, dict[str, str]]) -> Api:
    """Return storage of Firefox Sync 1.5: payloads by collection and id."""
    api = Api(lambda _req: {"X-Weave-Timestamp": f"{time.time():.2f}", "Server": "openresty"})
    api.at = {}
    for name, records in collections.items():
        api.at[name] = round(time.time() - 4000, 2)
        for key, payload in records.items():
            api.rows[f"{name}/{key}"] = Row({"payload": payload}, 1, api.at[name])

    top = f"/1.5/{user}"
    api.on("GET", f"{top}/info/collections", lambda _req: Res(200, dict(api.at)))
    api.on(
        "GET",
        f"{top}/info/configuration",
        lambda _req: Res(200, {"max_post_records": 100, "max_post_bytes": 2097152}),
    )
    api.on("GET", f"{top}/storage/([^/]+)", partial(_sync_read, api))
    api.on("GET", f"{top}/storage/([^/]+)/([^/]+)", partial(_sync_item, api))
    api.on("POST", f"{top}/storage/([^/]+)", partial(_sync_write, api))
    api.on("PUT", f"{top}/storage/([^/]+)/([^/]+)", partial(_sync_write, api))
    return api


def _dataverse_keep(api: Api, key: str, data: Any, by: str) -> Row:
    row = api.keep(key, data, by)
    api.count[0] += 11
    row.rev = api.count[0]
    return row


def _dataverse_show(api: Api, key: str) -> dict[str, Any]:
    row = api.rows[key]
    table, own = key.split("(")
    return {
        f"{table.rstrip('s')}id": own.strip(")"),
        "@odata.etag": f'W/"{row.rev}"',
        **row.data,
        "modifiedon": iso(row.at, 0),
        "_modifiedby_value": guid(row.by),
    }


def _dataverse_read(api: Api, req: Req, key: str) -> Res | None:
    if key not in api.rows:
        return None
    tag = f'W/"{api.rows[key].rev}"'
    if req.fields.get("if-none-match") == tag:
        return Res(304, b"", {"ETag": tag})
    return Res(
        200,
        {
            "@odata.context": f"https://{req.fields.get('host')}/api/data/v9.2/$metadata#{key.split('(')[0]}/$entity",
            **_dataverse_show(api, key),
        },
        {"ETag": tag},
    )


def _dataverse_write(api: Api, req: Req, key: str) -> Res | None:
    with api.lock:
        row, sent = api.rows.get(key), req.fields.get("if-match")
        if row and req.fields.get("if-none-match") == "*":
            return api.error(412, "0x80040237", "A record with matching key values already exists.")
        if row is None and sent:
            return None
        if sent not in (None, "*") and sent != f'W/"{row.rev}"':
            return api.error(
                412,
                "0x80060882",
                "The version of the existing record doesn't match the RowVersion property provided.",
            )
        made = _dataverse_keep(
            api, key, {**(row.data if row else {}), **req.json}, req.fields.get("authorization", "")
        )
    return Res(
        204,
        b"",
        {
            "ETag": f'W/"{made.rev}"',
            "OData-EntityId": f"https://{req.fields.get('host')}/api/data/v9.2/{key}",
        },
    )


def _dataverse_listing(api: Api, req: Req, table: str) -> Res:
    return Res(200, {"value": [_dataverse_show(api, key) for key in api.rows if key.startswith(table + "(")]})


def dataverse(tables: dict[str, dict[str, dict[str, Any]]], first: int = 8203117) -> Api:
    """Return records of Dataverse by table and name, each with the identifier that its name draws."""
    count = [first]

    def fields(req: Req) -> dict[str, str]:
        return {
            "OData-Version": "4.0",
            "REQ_ID": guid(str(time.time_ns())),
            "x-ms-service-request-id": guid(req.path),
            "x-ms-ratelimit-burst-remaining-xrm-requests": "7999",
        }

    def error(status: int, code: str, said: str) -> Res:
        return Res(
            status,
            {"error": {"code": code, "message": said}},
            {"Content-Type": "application/json; odata.metadata=minimal"},
        )

    def missing(req: Req) -> Res:
        table, _, key = req.path.rsplit("/", 1)[-1].partition("(")
        return error(404, "0x80040217", f"{table.rstrip('s')} With Id = {key.strip(')')} Does Not Exist")

    api = Api(fields, missing)
    api.error, api.count = error, count

    api.store = partial(_dataverse_keep, api)
    for table, records in tables.items():
        for name, data in records.items():
            _dataverse_keep(api, f"{table}({guid(name)})", copy.deepcopy(data), "SYSTEM")

    top = "/api/data/v9.2"
    api.on(
        "GET", f"{top}/WhoAmI", lambda _req: Res(200, {"UserId": guid("me"), "OrganizationId": guid("org")})
    )
    api.on("GET", f"{top}/([a-z_]+)", partial(_dataverse_listing, api))
    api.on("GET", f"{top}/([a-z_]+\\([^)]+\\))", partial(_dataverse_read, api))
    api.on("PATCH", f"{top}/([a-z_]+\\([^)]+\\))", partial(_dataverse_write, api))
    return api


def _fhir_shape(api: Api, key: str) -> dict[str, Any]:
    row, (kind, own) = api.rows[key], key.split("/")
    return {
        "resourceType": kind,
        "id": own,
        "meta": {"versionId": str(row.rev), "lastUpdated": iso(row.at)},
        **row.data,
    }


def _fhir_show(api: Api, key: str, status: int = 200) -> Res:
    row = api.rows[key]
    marks = {
        "ETag": f'W/"{row.rev}"',
        "Last-Modified": httpdate(row.at),
        "Content-Type": "application/fhir+json;charset=UTF-8",
    }
    if status == 201:
        marks["Location"] = f"{api.base}/{key}/_history/{row.rev}"
    return Res(status, _fhir_shape(api, key), marks)


def _fhir_read(api: Api, req: Req, key: str) -> Res | None:
    if key not in api.rows:
        return None
    shown = _fhir_show(api, key)
    return Res(304, b"", shown.fields) if req.fields.get("if-none-match") == shown.fields["ETag"] else shown


def _fhir_store(api: Api, key: str, told: dict[str, Any], by: str) -> None:
    api.keep(key, {k: v for k, v in told.items() if k not in ("resourceType", "id", "meta")}, by)


def _fhir_write(api: Api, req: Req, key: str) -> Res:
    with api.lock:
        row, sent = api.rows.get(key), req.fields.get("if-match")
        if row and sent is None and api.need:
            return api.outcome(
                api.need,
                "required",
                "This server requires the If-Match header for updates (versioned-update).",
            )
        if row and sent is not None and sent != f'W/"{row.rev}"':
            return api.outcome(
                412,
                "conflict",
                f"The version {sent} given in If-Match is not the current version of {key}.",
            )
        _fhir_store(api, key, req.json, req.who)
        return _fhir_show(api, key, 200 if row else 201)


def _fhir_search(api: Api, req: Req, kind: str) -> Res:
    word = next((v.split("|")[-1] for k, v in req.query.items() if not k.startswith("_")), "")
    found = [k for k, r in api.rows.items() if k.startswith(kind + "/") and word in r.octets.decode()]
    entries = [
        {"fullUrl": f"{api.base}/{k}", "resource": _fhir_shape(api, k), "search": {"mode": "match"}}
        for k in found
    ]
    return Res(
        200,
        {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries},
        {"Content-Type": "application/fhir+json;charset=UTF-8"},
    )


def _fhir_create(api: Api, req: Req, kind: str) -> Res:
    asked = req.fields.get("if-none-exist", "").split("|")[-1]
    found = [
        k for k, r in api.rows.items() if asked and k.startswith(kind + "/") and asked in r.octets.decode()
    ]
    if len(found) > 1:
        return api.outcome(
            412,
            "multiple-matches",
            f'Failed to CREATE resource with match URL "{req.fields["if-none-exist"]}" because this search matched {len(found)} resources',
        )
    if found:
        return _fhir_show(api, found[0])
    key = f"{kind}/{4400 + len(api.rows)}"
    _fhir_store(api, key, req.json, req.who)
    return _fhir_show(api, key, 201)


def fhir(base: str, things: dict[str, dict[str, Any]], *, need: int = 0) -> Api:
    """Return resources of FHIR R4 by ``Type/id``; If-Match is looked at where it is sent."""
    api = Api(lambda _req: {"X-Request-Id": guid(str(time.time_ns()))[:16].replace("-", "")})

    def outcome(status: int, code: str, said: str) -> Res:
        issue = {"severity": "error", "code": code, "diagnostics": said}
        return Res(
            status,
            {"resourceType": "OperationOutcome", "issue": [issue]},
            {"Content-Type": "application/fhir+json;charset=UTF-8"},
        )

    api.missing = lambda req: outcome(404, "not-found", f"Resource {req.path} is not known")
    api.outcome, api.base, api.need = outcome, base, need
    for key, data in things.items():
        api.keep(key, copy.deepcopy(data), age=70000)

    api.store, api.show = partial(_fhir_store, api), partial(_fhir_show, api)
    api.on(
        "GET",
        "/fhir/metadata",
        lambda _req: Res(
            200, {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "status": "active"}
        ),
    )
    api.on("GET", "/fhir/([A-Z][A-Za-z]+/[^/]+)", partial(_fhir_read, api))
    api.on("PUT", "/fhir/([A-Z][A-Za-z]+/[^/]+)", partial(_fhir_write, api))
    api.on("GET", "/fhir/([A-Z][A-Za-z]+)", partial(_fhir_search, api))
    api.on("POST", "/fhir/([A-Z][A-Za-z]+)", partial(_fhir_create, api))
    return api
