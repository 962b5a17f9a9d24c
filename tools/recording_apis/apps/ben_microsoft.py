# ruff: noqa: E501 - the words of a product stay on their line
"""Imitations of Microsoft's APIs: drive, Planner, Dataverse, SharePoint, App Configuration and Cosmos DB."""

from __future__ import annotations

import time
from typing import Any

from tools.recording_apis.apps.ben_wire import Api, Req, Res, Row, hexed, iso, opaque, request_id


def graph_error(status: int, code: str, message: str) -> Res:
    """Return an error in the words of Microsoft Graph."""
    inner = {"date": iso(time.time(), 0)[:-1], "request-id": request_id(), "client-request-id": request_id()}
    return Res(status, {"error": {"code": code, "message": message, "innerError": inner}})


def drive(items: dict[str, dict[str, Any]]) -> Api:
    """Imitate the items of a OneDrive: eTag and cTag in the body."""
    api = Api(dict(items), first=2)

    def shown(key: str, row: Row) -> dict[str, Any]:
        guid = hexed(key, 12).upper()
        return {
            "id": key,
            "eTag": f'"{{{guid}}},{row.rev}"',
            "cTag": f'"c:{{{guid}}},{row.data.get("content", 1)}"',
            "lastModifiedDateTime": iso(row.at, 0),
            "lastModifiedBy": {
                ("application" if row.by == "SharePoint App" else "user"): {"displayName": row.by}
            },
            **{name: value for name, value in row.data.items() if name != "content"},
        }

    @api.on("GET", "/v1.0/me/drive/items/([0-9A-Z!]+)")
    def _read(req: Req, key: str) -> Res:
        if key not in api.rows:
            return graph_error(404, "itemNotFound", "The resource could not be found.")
        body = shown(key, api.rows[key])
        return Res(304) if req.fields.get("if-none-match") == body["eTag"] else Res(200, body)

    @api.on("GET", "/v1.0/me/drive/root/children")
    def _list(_req: Req) -> Res:
        return Res(200, {"value": [shown(key, row) for key, row in api.rows.items()]})

    @api.on("PATCH PUT", "/v1.0/me/drive/items/([0-9A-Z!]+)(/content)?")
    def _write(req: Req, key: str, content: str | None) -> Res:
        row = api.rows[key]
        sent = req.fields.get("if-match")
        if sent not in {None, "*", shown(key, row)["eTag"]}:
            return graph_error(412, "resourceModified", "ETag does not match current item's value")
        if content:
            new = {**row.data, "size": len(req.body), "content": row.data.get("content", 1) + 1}
        else:
            new = {**row.data, **req.json}
        return Res(200, shown(key, api.keep(key, new, req.fields.get("x-user", "Mara Lind"))))

    return api


def planner() -> Api:
    """Imitate Planner: a task and its details are two resources with a tag each."""
    api = Api(
        {
            "tasks/gJ8mK2": {"title": "Order scaffolding", "percentComplete": 0, "planId": "xqQg5F"},
            "tasks/pV4tR7": {"title": "Book the crane", "percentComplete": 50, "planId": "xqQg5F"},
            "tasks/gJ8mK2/details": {
                "description": "Call Hofmann",
                "previewType": "automatic",
                "checklist": {},
            },
            "tasks/pV4tR7/details": {"description": "", "previewType": "automatic", "checklist": {}},
        }
    )

    def tag(key: str, row: Row) -> str:
        kind = "VGFza0RldGFpbHM" if key.endswith("details") else "VGFzay"
        return f'W/"JzEt{kind}gQEBAQEBAQEBA{opaque(f"{key}{row.rev}", 6)}Jw=="'

    def shown(key: str, row: Row) -> dict[str, Any]:
        return {"@odata.etag": tag(key, row), "id": key.split("/")[1], **row.data}

    @api.on("GET", "/v1.0/planner/plans/xqQg5F/tasks")
    def _list(_req: Req) -> Res:
        tasks = [shown(key, row) for key, row in api.rows.items() if not key.endswith("details")]
        return Res(200, {"@odata.count": len(tasks), "value": tasks})

    @api.on("GET", "/v1.0/planner/(tasks/.+)")
    def _read(_req: Req, key: str) -> Res:
        return Res(200, shown(key, api.rows[key]), {"ETag": tag(key, api.rows[key])})

    @api.on("PATCH", "/v1.0/planner/(tasks/.+)")
    def _write(req: Req, key: str) -> Res:
        sent, row = req.fields.get("if-match"), api.rows[key]
        if sent is None:
            return graph_error(400, "", "The If-Match header must be specified for this kind of request.")
        if sent != tag(key, row):
            return graph_error(412, "", "The If-Match header contains an invalid value.")
        api.keep(key, {**row.data, **req.json})
        return Res(204)

    return api


def dataverse(accounts: dict[str, dict[str, Any]]) -> Api:
    """Imitate Dataverse: PATCH creates or updates, and the two conditions confine it to one of them."""
    api = Api(dict(accounts), first=4417021)

    def shown(key: str, row: Row) -> dict[str, Any]:
        return {"@odata.etag": f'W/"{row.rev}"', "accountid": key, "modifiedon": iso(row.at, 0), **row.data}

    def fail(status: int, code: str, message: str) -> Res:
        return Res(status, {"error": {"code": code, "message": message}}, {"REQ_ID": request_id()})

    @api.on("GET", r"/api/data/v9.2/accounts\(([0-9a-f-]+)\)")
    def _read(req: Req, key: str) -> Res:
        if key not in api.rows:
            return fail(404, "0x80040217", f"account With Id = {key} Does Not Exist")
        body = shown(key, api.rows[key])
        marks = {"ETag": body["@odata.etag"], "OData-Version": "4.0"}
        if req.fields.get("if-none-match") == body["@odata.etag"]:
            return Res(304, b"", marks)
        return Res(200, body, marks)

    @api.on("GET", "/api/data/v9.2/accounts")
    def _list(_req: Req) -> Res:
        return Res(200, {"value": [shown(key, row) for key, row in api.rows.items()]})

    @api.on("PATCH", r"/api/data/v9.2/accounts\(([0-9a-f-]+)\)")
    def _write(req: Req, key: str) -> Res:
        row, match = api.rows.get(key), req.fields.get("if-match")
        if row is not None and req.fields.get("if-none-match") == "*":
            return fail(412, "0x80040237", "A record with matching key values already exists.")
        if match is not None and row is None:
            return fail(404, "0x80040217", f"account With Id = {key} Does Not Exist")
        if match not in {None, "*"} and row is not None and match != f'W/"{row.rev}"':
            said = "The version of the existing record doesn't match the RowVersion property provided."
            return fail(412, "0x80060882", said)
        api.keep(key, {**(row.data if row else {}), **req.json}, step=1733)
        return Res(204, b"", {"OData-Version": "4.0", "OData-EntityId": f"accounts({key})"})

    return api


def sharepoint(site: str) -> Api:
    """Imitate the items of a SharePoint list: MERGE goes as POST, tags are quoted numbers."""
    api = Api({str(number): {"Title": f"Gate {number}", "Status": "Open"} for number in (3, 4, 5)}, first=2)
    base = rf"{site}/_api/web/lists/getbytitle\('Inspections'\)/items"

    def shown(key: str, row: Row) -> dict[str, Any]:
        return {"odata.etag": f'"{row.rev}"', "Id": int(key), "Modified": iso(row.at, 0), **row.data}

    @api.on("GET", base + r"\(([0-9]+)\)")
    def _read(_req: Req, key: str) -> Res:
        return Res(200, shown(key, api.rows[key]), {"ETag": f'"{api.rows[key].rev}"'})

    @api.on("GET", base)
    def _list(_req: Req) -> Res:
        return Res(200, {"value": [shown(key, row) for key, row in api.rows.items()]})

    @api.on("POST", base + r"\(([0-9]+)\)")
    def _write(req: Req, key: str) -> Res:
        row = api.rows[key]
        if req.fields.get("if-match") not in {"*", f'"{row.rev}"'}:
            code = "-1, Microsoft.SharePoint.Client.ClientServiceException"
            text = f"The request ETag value '{req.fields.get('if-match')}' does not match the object's ETag value '\"{row.rev}\"'."
            return Res(412, {"odata.error": {"code": code, "message": {"lang": "en-US", "value": text}}})
        made = api.keep(key, {**row.data, **req.json})
        return Res(204, b"", {"ETag": f'"{made.rev}"'})

    return api


def app_configuration(settings: dict[str, str]) -> Api:
    """Imitate App Configuration: key-values with a tag that changes with each write."""
    api = Api(dict(settings))
    kind = "application/vnd.microsoft.appconfig.kv+json; charset=utf-8"

    def shown(key: str, row: Row) -> dict[str, Any]:
        tag = opaque(f"{key}{row.rev}", 27)
        return {
            "etag": tag,
            "key": key,
            "label": None,
            "value": row.data,
            "last_modified": iso(row.at, 0),
            "locked": False,
        }

    @api.on("GET", "/kv/(.+)")
    def _read(req: Req, key: str) -> Res:
        body = shown(key, api.rows[key])
        marks = {"ETag": f'"{body["etag"]}"', "Sync-Token": f"jtqGc1I4=MDoyOA==;sn={api.rows[key].rev}"}
        if req.fields.get("if-none-match") == marks["ETag"]:
            return Res(304, b"", marks)
        return Res(200, body, {**marks, "Content-Type": kind})

    @api.on("GET", "/kv")
    def _list(_req: Req) -> Res:
        return Res(200, {"items": [shown(key, row) for key, row in api.rows.items()]})

    @api.on("PUT", "/kv/(.+)")
    def _write(req: Req, key: str) -> Res:
        row = api.rows.get(key)
        now = f'"{shown(key, row)["etag"]}"' if row else None
        match, none = req.fields.get("if-match"), req.fields.get("if-none-match")
        if (match is not None and match != now) or (none == "*" and row is not None):
            said = "The specified key-value does not meet the precondition."
            return Res(412, {"title": said, "status": 412}, {"Content-Type": "application/problem+json"})
        body = shown(key, api.keep(key, req.json["value"]))
        return Res(200, body, {"ETag": f'"{body["etag"]}"', "Content-Type": kind})

    return api


def cosmos(documents: dict[str, dict[str, Any]]) -> Api:
    """Imitate the documents of Cosmos DB: ``_etag`` in the body, If-Match on replace."""
    api = Api(dict(documents))
    base = "/dbs/shop/colls/baskets/docs"

    def shown(key: str, row: Row) -> dict[str, Any]:
        tag = f'"{hexed(key, 8)}-0000-0d00-0000-{hexed(row.at, 12)}"'
        return {**row.data, "id": key, "_rid": opaque(key, 14) + "==", "_etag": tag, "_ts": int(row.at)}

    @api.on("GET", f"{base}/(.+)")
    def _read(req: Req, key: str) -> Res:
        if key not in api.rows:
            return Res(404, {"code": "NotFound", "message": "Entity with the specified id does not exist."})
        body = shown(key, api.rows[key])
        marks = {
            "ETag": body["_etag"],
            "x-ms-request-charge": "1",
            "x-ms-session-token": f"0:-1#{api.rows[key].rev}",
        }
        if req.fields.get("if-none-match") == body["_etag"]:
            return Res(304, b"", marks)
        return Res(200, body, marks)

    @api.on("POST", base)
    def _make(req: Req) -> Res:
        key = req.json["id"]
        if key in api.rows:
            return Res(
                409, {"code": "Conflict", "message": "Resource with specified id or name already exists."}
            )
        body = shown(key, api.keep(key, req.json))
        return Res(201, body, {"ETag": body["_etag"], "x-ms-request-charge": "6.29"})

    @api.on("PUT", f"{base}/(.+)")
    def _write(req: Req, key: str) -> Res:
        if (
            req.fields.get("if-match", shown(key, api.rows[key])["_etag"])
            != shown(key, api.rows[key])["_etag"]
        ):
            said = "Operation cannot be performed because one of the specified precondition is not met."
            return Res(412, {"code": "PreconditionFailed", "message": said}, {"x-ms-substatus": "0"})
        body = shown(key, api.keep(key, {name: one for name, one in req.json.items() if name[0] != "_"}))
        return Res(200, body, {"ETag": body["_etag"], "x-ms-request-charge": "10.67"})

    return api
