# mypy: ignore-errors
# ruff: noqa: ARG001, ARG005, E501, S324 - handlers share a shape; long words are those of the products
"""Imitations of Microsoft's services: lists, documents, configuration, tables of business, drives, plans, clusters."""

from __future__ import annotations

import hashlib
import time
from urllib.parse import quote

from tools.recording_apis.apps.tia_core import Api, Kind, Req, Res, Row, guid, iso


def _ids(server: str) -> object:
    return lambda req: {
        "request-id": guid(f"{time.time_ns()}"),
        "Server": server,
        "Strict-Transport-Security": "max-age=31536000",
    }


def _sp_error(status: int, code: str, text: str) -> Res:
    return Res(status, {"odata.error": {"code": code, "message": {"lang": "de-DE", "value": text}}})


def sharepoint(title: str, items: dict[str, dict]) -> Api:
    """Return a list's items with their versions as tags."""
    api = Api(
        lambda req: {
            "SPRequestGuid": guid(f"{time.time_ns()}"),
            "MicrosoftSharePointTeamServices": "16.0.0.25429",
            "DATASERVICEVERSION": "3.0",
            "Server": "Microsoft-IIS/10.0",
        },
        lambda _req: _sp_error(
            404, "-2130575338, Microsoft.SharePoint.SPException", "Das Element ist nicht vorhanden."
        ),
    )

    def tag(row: Row) -> str:
        return f'"{row.rev}"'

    def show(req: Req, row: Row) -> Res:
        return Res(200, {"odata.etag": tag(row), **row.data, "Modified": iso(row.at, 0)}, {"ETag": tag(row)})

    base = rf"/sites/verleih/_api/web/lists/getbytitle\('{title}'\)/items"
    Kind(
        api,
        rf"{base}\((\d+)\)",
        tag=tag,
        show=show,
        wrote=lambda req, row: Res(204, b"", {"ETag": tag(row)}),
        stale=lambda *_: _sp_error(
            412,
            "-1, Microsoft.SharePoint.Client.ClientServiceException",
            "Der ETag-Wert in einem der If-Match-Header stimmt nicht überein.",
        ),
    )
    api.on("GET", base, lambda req: Res(200, {"value": [show(req, row).body for row in api.rows.values()]}))
    api.on(
        "POST",
        "/sites/verleih/_api/contextinfo",
        lambda _req: Res(
            200,
            {
                "FormDigestTimeoutSeconds": 1800,
                "FormDigestValue": f"0x{guid('digest')[:8].upper()},28 Nov 2026",
            },
        ),
    )
    for key, data in items.items():
        api.keep(key, {"Id": int(key), **data}, "", 70000)
        api.rows[key].rev = 3 + int(key) % 4
    return api


def cosmos(collection: str, docs: dict[str, dict]) -> Api:
    """Return documents of a collection with ``_etag``; If-Match is looked at where it is sent."""
    api = Api(
        lambda req: {
            "x-ms-activity-id": req.fields.get("x-ms-activity-id", guid(f"{time.time_ns()}")),
            "x-ms-request-charge": "6.29",
            "x-ms-session-token": f"0:-1#{int(time.time()) % 100000}",
            "Server": "Microsoft-HTTPAPI/2.0",
        },
        lambda _req: Res(
            404, {"code": "NotFound", "message": "Entity with the specified id does not exist in the system."}
        ),
    )

    def tag(row: Row) -> str:
        return f'"{hashlib.md5(row.octets).hexdigest()[:8]}-0000-0700-0000-{int(row.at):08x}0000"'

    def show(req: Req, row: Row) -> Res:
        return Res(200, {**row.data, "_etag": tag(row), "_ts": int(row.at)}, {"etag": tag(row)})

    def change(req: Req, row: Row) -> dict:
        return {key: one for key, one in req.json.items() if key not in ("_etag", "_ts")}

    base = f"/dbs/betrieb/colls/{collection}/docs"
    stale = {
        "code": "PreconditionFailed",
        "message": "Operation cannot be performed because one of the specified precondition is not met.",
    }
    Kind(
        api,
        f"{base}/([A-Za-z0-9-]+)",
        tag=tag,
        show=show,
        change=change,
        stale=lambda *_: Res(412, stale, {"x-ms-substatus": "0"}),
    )

    def feed(req: Req) -> Res:
        shown = [show(req, row).body for row in api.rows.values()]
        return Res(200, {"_rid": "d9RzAJRFKgw=", "Documents": shown, "_count": len(shown)})

    api.on("GET POST", base, feed)
    for number, (key, data) in enumerate(docs.items()):
        api.keep(key, {"id": key, **data}, "", 40000 + 333 * number)
    return api


def _setting_tag(row: Row) -> str:
    return f'"{hashlib.sha256(row.octets + bytes([row.rev])).hexdigest()[:27]}"'


def _setting(row: Row) -> dict:
    return {
        "etag": _setting_tag(row).strip('"'),
        "label": "prod",
        "tags": {},
        "locked": False,
        "last_modified": iso(row.at, 0),
        **row.data,
    }


def settings(pairs: dict[str, str]) -> Api:
    """Return key-values with tags; an empty tag in If-Match counts as none."""
    api = Api(_ids("openresty"), lambda _req: Res(404))

    def show(req: Req, row: Row) -> Res:
        return Res(
            200,
            _setting(row),
            {
                "ETag": _setting_tag(row),
                "Sync-Token": f"zAJw6V16=NTotMSMy;sn={row.rev + 5}",
                "Content-Type": "application/vnd.microsoft.appconfig.kv+json; charset=utf-8",
            },
        )

    Kind(
        api,
        "/kv/(.+)",
        tag=_setting_tag,
        show=show,
        same=lambda sent, row: sent in ("*", '""', _setting_tag(row)),
        stale=lambda *_: Res(412),
    )

    def listing(req: Req) -> Res:
        chosen = req.query.get("$Select", "").split(",") if "$Select" in req.query else None
        items = [_setting(row) for row in api.rows.values()]
        return Res(
            200,
            {
                "items": [
                    {key: one for key, one in full.items() if chosen is None or key in chosen}
                    for full in items
                ]
            },
            {"Content-Type": "application/vnd.microsoft.appconfig.kvset+json; charset=utf-8"},
        )

    api.on("GET", "/kv", listing)
    for key, value in pairs.items():
        api.keep(key, {"key": key, "value": value, "content_type": "application/json"}, "", 50000)
    return api


def dataverse(table: str, rows: dict[str, dict], origin: str) -> Api:
    """Return a table's rows for pages of another origin, which may not read the tag."""
    own = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Vary": "Origin",
        "OData-Version": "4.0",
    }
    api = Api(
        lambda _req: {**own, "REQ_ID": guid(f"{time.time_ns()}")},
        lambda _req: Res(404, {"error": {"code": "0x80040217", "message": "Entity Does Not Exist"}}),
    )

    def tag(row: Row) -> str:
        return f'W/"{4810000 + row.rev * 1037 + int(hashlib.md5(row.octets).hexdigest()[:3], 16)}"'

    base = f"/api/data/v9.2/{table}"
    allow = {
        "Access-Control-Allow-Methods": "GET, PATCH, POST",
        "Access-Control-Allow-Headers": "content-type, odata-version, odata-maxversion, if-match",
        "Access-Control-Max-Age": "600",
    }
    api.on("OPTIONS", f"{base}.*", lambda *_: Res(204, b"", allow))
    Kind(
        api,
        rf"{base}\(([0-9a-f-]+)\)",
        tag=tag,
        wrote=lambda req, row: Res(204, b"", {"OData-EntityId": req.path}),
        stale=lambda *_: Res(
            412,
            {
                "error": {
                    "code": "0x80060882",
                    "message": "The version of the existing record doesn't match the RowVersion property provided.",
                }
            },
        ),
    )
    api.on("GET", base, lambda _req: Res(200, {"value": [row.data for row in api.rows.values()]}))
    for key, data in rows.items():
        api.keep(key, data, "", 60000)
    return api


def _drive_error(status: int, code: str, text: str) -> Res:
    inner = {"date": iso(time.time(), 0)[:-1], "request-id": guid(f"{time.time_ns()}")}
    return Res(status, {"error": {"code": code, "message": text, "innerError": inner}})


def _drive_change(req: Req, row: Row) -> dict:
    if not req.path.endswith("/content"):
        return {**row.data, **req.json}
    text = hashlib.sha1(req.body).hexdigest()[:20]
    return {
        **row.data,
        "c": row.data["c"] + 1,
        "size": len(req.body),
        "file": {"mimeType": "image/jpeg", "hashes": {"quickXorHash": text}},
    }


def drive(names: dict[str, dict]) -> Api:
    """Return items of a drive with eTag and cTag."""
    api = Api(
        _ids("Microsoft-IIS/10.0"),
        lambda _req: _drive_error(404, "itemNotFound", "The resource could not be found."),
    )

    def tag(row: Row) -> str:
        return f'"{{{guid(row.data["id"]).upper()}}},{row.rev}"'

    def show(req: Req, row: Row) -> Res:
        content = f'"c:{{{guid(row.data["id"]).upper()}}},{row.data["c"]}"'
        body = {key: one for key, one in row.data.items() if key != "c"}
        return Res(
            200,
            {"eTag": tag(row), "cTag": content, "lastModifiedDateTime": iso(row.at), **body},
            {"ETag": tag(row)},
        )

    def judged(req: Req, row: Row) -> Res | None:
        same = req.fields.get("if-none-match") == tag(row)
        return (
            _drive_error(412, "resourceModified", "ETag does not match current item's value")
            if same
            else None
        )

    Kind(
        api,
        "/v1.0/me/drive/items/([A-Z0-9]+)(?:/content)?",
        tag=tag,
        show=show,
        need=judged,
        change=_drive_change,
        stale=lambda *_: _drive_error(412, "resourceModified", "ETag does not match current item's value"),
    )
    api.on(
        "GET",
        "/v1.0/me/drive/root/children",
        lambda req: Res(200, {"value": [show(req, row).body for row in api.rows.values()]}),
    )
    for key, data in names.items():
        api.keep(key, {"id": key, "c": 1, "size": 20481, **data}, "", 80000)
    return api


def planner(tasks: dict[str, dict]) -> Api:
    """Return tasks of a plan, which want If-Match."""
    api = Api(
        _ids("Microsoft-IIS/10.0"),
        lambda _req: Res(404, {"error": {"code": "", "message": "The requested item is not found."}}),
    )

    def tag(row: Row) -> str:
        return f'W/"JzEtVGFzayAgQEBAQEBAQEBAQEBAQEBA{hashlib.md5(row.octets + bytes([row.rev])).hexdigest()[:8]}Jw=="'

    def show(req: Req, row: Row) -> Res:
        return Res(200, {"@odata.etag": tag(row), **row.data}, {"ETag": tag(row)})

    def error(status: int, text: str) -> Res:
        return Res(
            status,
            {
                "error": {
                    "code": "",
                    "message": text,
                    "innerError": {"date": iso(time.time(), 0)[:-1], "client-request-id": guid(text)},
                }
            },
        )

    Kind(
        api,
        r"/v1\.0/planner/tasks/([A-Za-z0-9_-]+)",
        tag=tag,
        show=show,
        wrote=lambda *_: Res(204),
        stale=lambda *_: error(412, "The If-Match header contains an invalid value."),
        need=lambda *_: error(400, "The If-Match header must be specified for this kind of request."),
    )
    api.on(
        "GET",
        r"/v1\.0/planner/plans/xqQg5FS2LkCp935s-FIFm2QAFkHM/tasks",
        lambda req: Res(
            200, {"@odata.count": len(api.rows), "value": [show(req, row).body for row in api.rows.values()]}
        ),
    )
    for key, data in tasks.items():
        api.keep(
            key,
            {"id": key, "planId": "xqQg5FS2LkCp935s-FIFm2QAFkHM", "percentComplete": 0, **data},
            "",
            60000,
        )
    return api


def _table_error(status: int, code: str, text: str) -> Res:
    return Res(status, {"odata.error": {"code": code, "message": {"lang": "en-US", "value": text}}})


def table(name: str, rows: dict[str, dict]) -> Api:
    """Return entities of a table; keys are partition and row divided by a slash."""
    api = Api(
        lambda _req: {
            "x-ms-request-id": guid(f"{time.time_ns()}"),
            "x-ms-version": "2019-02-02",
            "Server": "Windows-Azure-Table/1.0 Microsoft-HTTPAPI/2.0",
        },
        lambda _req: _table_error(404, "ResourceNotFound", "The specified resource does not exist."),
    )

    def tag(row: Row) -> str:
        return f"W/\"datetime'{quote(iso(row.at, 7), safe='')}'\""

    def show(req: Req, row: Row) -> Res:
        return Res(200, {"odata.etag": tag(row), "Timestamp": iso(row.at, 7), **row.data}, {"ETag": tag(row)})

    unmet = "The update condition specified in the request was not satisfied."
    Kind(
        api,
        rf"/{name}(\(PartitionKey='.+',RowKey='.+'\))",
        tag=tag,
        show=show,
        wrote=lambda req, row: Res(204, b"", {"ETag": tag(row)}),
        stale=lambda *_: _table_error(412, "UpdateConditionNotSatisfied", unmet),
    )
    api.on(
        "GET",
        rf"/{name}\(\)",
        lambda req: Res(200, {"value": [show(req, row).body for row in api.rows.values()]}),
    )
    for key, data in rows.items():
        part, _, own = key.partition("/")
        api.keep(
            f"(PartitionKey='{part}',RowKey='{own}')",
            {"PartitionKey": part, "RowKey": own, **data},
            "",
            50000.1234,
        )
    return api


_ETAG_MISMATCH = {
    "code": "EtagMismatch",
    "message": "Operation is not allowed: the provided etag does not match.",
    "details": [{"code": "FailedPrecondition"}],
}


def _pool_tag(row: Row) -> str:
    return f'"{guid(row.data["name"] + str(row.rev))}"'


def clusters(names: tuple[str, ...], busy: float) -> Api:
    """Return agent pools of a cluster that are updating for a while after each change."""
    api = Api(
        lambda _req: {
            "x-ms-correlation-request-id": guid(f"{time.time_ns()}"),
            "x-ms-ratelimit-remaining-subscription-reads": "11988",
        },
        lambda _req: Res(
            404, {"error": {"code": "ResourceNotFound", "message": "The Resource was not found."}}
        ),
    )

    def settle(row: Row, key: str) -> Row:
        if row.data["state"] == "Updating" and time.time() - row.at > busy:
            return api.keep(key, {**row.data, "state": "Succeeded"}, "aks")
        return row

    def show(req: Req, row: Row) -> Res:
        row = settle(row, row.data["name"])
        own = {
            "count": row.data["count"],
            "vmSize": "Standard_D4s_v5",
            "provisioningState": row.data["state"],
            "eTag": _pool_tag(row).strip('"'),
        }
        return Res(
            200,
            {
                "name": row.data["name"],
                "type": "Microsoft.ContainerService/managedClusters/agentPools",
                "properties": own,
            },
            {"ETag": _pool_tag(row)},
        )

    base = "/subscriptions/8c1e0b52-77aa-4c7f-9d0a-2b51c3f0e1aa/resourceGroups/shop/providers/Microsoft.ContainerService/managedClusters/aks-shop/agentPools"
    Kind(
        api,
        f"{base}/([a-z0-9]+)",
        tag=_pool_tag,
        show=show,
        stale=lambda *_: Res(409, _ETAG_MISMATCH),
        change=lambda req, row: {**row.data, "count": req.json["properties"]["count"], "state": "Updating"},
    )
    api.on(
        "GET", base, lambda req: Res(200, {"value": [show(req, row).body for row in list(api.rows.values())]})
    )
    for name in names:
        api.keep(name, {"name": name, "count": 3, "state": "Succeeded"}, "", 90000)
    return api
