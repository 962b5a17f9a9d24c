# mypy: ignore-errors
# ruff: noqa: ARG005 - routes are handed all that they may want
"""Imitations of Microsoft's APIs in use: planner, drives, documents, tables."""

from __future__ import annotations

import base64
import time
from urllib.parse import quote

from tools.recording_apis.apps.ray_core import Api, Res, guid, httpdate, iso


def _graph() -> Api:
    def fields(req) -> dict:
        return {
            "request-id": guid(f"{time.time()}"),
            "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"West Europe","Slice":"E","Ring":"5"}}',
        }

    return Api(fields, lambda req: refused(404, "itemNotFound", "The resource could not be found."))


def refused(status: int, code: str, message: str) -> Res:
    """Return an error as Graph tells it."""
    inner = {"date": time.strftime("%Y-%m-%dT%H:%M:%S"), "request-id": guid(message)}
    return Res(status, {"error": {"code": code, "message": message, "innerError": inner}})


def planner(tasks: dict) -> Api:
    """Return a plan's tasks."""
    api = _graph()
    for key, task in tasks.items():
        api.keep(key, task, age=5000)

    def tag(key: str) -> str:
        made = base64.b64encode(f"1-Task  @@@@@@@@@@@@@@@@{api.rows[key].rev:X}".encode()).decode()
        return f'W/"{made}"'

    def shown(key: str) -> dict:
        return {"@odata.etag": tag(key), "planId": "xqQg5FS2LkCp935s-FIFm2QAFkHM", "id": key, **api.rows[key].data}

    def change(req, key: str):
        sent = req.fields.get("if-match")
        if not sent:
            return refused(400, "", "The If-Match header must be specified for this kind of request.")
        with api.lock:
            if sent != tag(key):
                return refused(412, "", "The If-Match header contains an invalid value.")
            api.keep(key, {**api.rows[key].data, **req.json})
            now = shown(key)
        time.sleep(0.25)
        if "return=representation" in req.fields.get("prefer", ""):
            return Res(200, now, {"Preference-Applied": "return=representation"})
        return Res(204)

    api.on("GET", "/v1.0/planner/tasks/([^/]+)", lambda req, key: Res(200, shown(key)))
    api.on("PATCH", "/v1.0/planner/tasks/([^/]+)", change)
    api.on(
        "GET",
        "/v1.0/planner/plans/[^/]+/tasks",
        lambda req: Res(200, {"@odata.count": len(tasks), "value": [shown(key) for key in tasks]}),
    )
    api.on("GET", "/v1.0/me", lambda req: Res(200, {"displayName": "Noor Haddad", "id": guid("noor")}))
    return api


def drive() -> Api:
    """Return a drive whose pictures are looked at by the service after an upload."""
    api = _graph()

    def shown(name: str) -> dict:
        row = api.rows[name]
        own = guid(name).upper()
        return {
            "id": "01" + own.replace("-", "")[:32],
            "name": name,
            "eTag": f'"{{{own}}},{row.rev}"',
            "cTag": f'"c:{{{own}}},1"',
            "size": row.data["size"],
            "lastModifiedDateTime": iso(row.at, 0),
            "lastModifiedBy": row.data["by"],
            **row.data["more"],
        }

    me = {"user": {"displayName": "Pedro Sá"}, "application": {"displayName": "Album Sync"}}

    def upload(req, name: str):
        api.keep(name, {"size": len(req.body), "by": me, "more": {"file": {"mimeType": "image/jpeg"}}})
        return Res(201, shown(name))

    def look(name: str) -> None:
        data = api.rows[name].data
        more = {**data["more"], "photo": {"cameraModel": "X-T30", "iso": 200}, "image": {"width": 6240, "height": 4160}}
        by = {"application": {"displayName": "OneDrive Media Service"}}
        api.keep(name, {**data, "by": by, "more": more})

    def change(req, name: str):
        sent = req.fields.get("if-match")
        if sent and sent != shown(name)["eTag"]:
            return refused(412, "resourceModified", "ETag does not match current item's value")
        data = api.rows[name].data
        api.keep(name, {**data, "by": me, "more": {**data["more"], **req.json}})
        return Res(200, shown(name))

    api.look = look
    api.on("PUT", "/v1.0/me/drive/root:/Pictures/([^/:]+):/content", upload)
    api.on("GET", "/v1.0/me/drive/root:/Pictures:/children", lambda req: Res(200, {"value": [shown(one) for one in api.rows]}))
    api.on("GET", "/v1.0/me/drive/root:/Pictures/([^/:]+)", lambda req, name: Res(200, shown(name)) if name in api.rows else None)
    api.on("PATCH", "/v1.0/me/drive/root:/Pictures/([^/:]+)", change)
    api.on("GET", "/v1.0/me/drive", lambda req: Res(200, {"driveType": "business", "quota": {"state": "normal", "used": 88120410}}))
    return api


def cosmos(docs: dict) -> Api:
    """Return a collection whose reads may come from a region behind; ``lag`` is how many seconds."""
    base = "/dbs/despatch/colls/(?:orders|labels)/docs"

    def lsn() -> int:
        return 4100 + sum(row.rev for row in api.rows.values())

    api = Api(lambda req: {"x-ms-version": "2018-12-31", "x-ms-activity-id": guid(f"{time.time()}")})
    api.lag, api.old = 0.0, {}
    for key, doc in docs.items():
        api.keep(key, doc, age=4000)

    def shown(row, key: str) -> Res:
        tag = f'"0000{row.rev:02x}1b-0000-0d00-0000-{int(row.at):08x}0000"'
        body = {"id": key, **row.data, "_rid": "d9RzAJRFKgw" + key[-1], "_etag": tag, "_ts": int(row.at)}
        at = lsn() if api.rows.get(key) is row else lsn() - 1
        return Res(200, body, {"etag": tag, "lsn": str(at), "x-ms-session-token": f"0:-1#{at}", "x-ms-request-charge": "1"})

    def read(req, key: str):
        row = api.rows.get(key)
        if row and time.time() - row.at < api.lag and key in api.old:
            return shown(api.old[key], key)
        return shown(row, key) if row else None

    def write(req, key: str):
        row = api.rows[key]
        if req.fields.get("if-match") not in {None, shown(row, key).fields["etag"]}:
            return Res(412, {"code": "PreconditionFailed", "message": "Operation cannot be performed because one of the specified precondition is not met."})
        api.old[key] = row
        return shown(api.keep(key, {k: v for k, v in req.json.items() if k[0] != "_" and k != "id"}), key)

    def make(req):
        made = shown(api.keep(req.json["id"], {k: v for k, v in req.json.items() if k != "id"}), req.json["id"])
        made.status = 201
        return made

    api.on("GET", base + "/([^/]+)", read)
    api.on("PUT", base + "/([^/]+)", write)
    api.on("POST", base, make)
    api.on("GET", "/dbs/despatch/colls/orders", lambda req: Res(200, {"id": "orders", "partitionKey": {"paths": ["/depot"], "kind": "Hash"}}))
    return api


def tables(rows: dict) -> Api:
    """Return a table's entities."""
    api = Api(lambda req: {"x-ms-version": "2019-02-02", "x-ms-request-id": guid(f"{time.time()}")})
    for number, (key, row) in enumerate(rows.items()):
        api.keep(key, row, age=6000 + number * 13.37)

    def stamp(key: str) -> str:
        return iso(api.rows[key].at, 7)

    def tag(key: str) -> str:
        return f"W/\"datetime'{quote(stamp(key), safe='')}'\""

    def shown(key: str) -> dict:
        part, own = key.split("|")
        head = {"odata.etag": tag(key), "PartitionKey": part, "RowKey": own, "Timestamp": stamp(key)}
        return {**head, **api.rows[key].data}

    def fail(status: int, code: str, said: str) -> Res:
        return Res(status, {"odata.error": {"code": code, "message": {"lang": "en-US", "value": said}}}, {"x-ms-error-code": code})

    def one(req, table: str, part: str, own: str):
        key = f"{part}|{own}"
        if key not in api.rows:
            return fail(404, "ResourceNotFound", "The specified resource does not exist.")
        if req.method == "GET":
            return Res(200, shown(key), {"ETag": tag(key), "Cache-Control": "no-cache"})
        if req.fields.get("if-match") not in {tag(key), "*"}:
            return fail(412, "UpdateConditionNotSatisfied", "The update condition specified in the request was not satisfied.")
        if req.method == "DELETE":
            del api.rows[key]
            return Res(204)
        merged = {**(api.rows[key].data if req.method in {"MERGE", "PATCH"} else {}), **req.json}
        api.keep(key, merged)
        return Res(204, b"", {"ETag": tag(key)})

    def make(req):
        data = dict(req.json)
        key = f"{data.pop('PartitionKey')}|{data.pop('RowKey')}"
        api.keep(key, data)
        return Res(201, shown(key), {"ETag": tag(key), "Last-Modified": httpdate(api.rows[key].at)})

    api.on("GET PUT PATCH DELETE", r"/harvest/(\w+)\(PartitionKey='([^']+)',RowKey='([^']+)'\)", one)
    api.on("GET", r"/harvest/(\w+)\(\)", lambda req, table: Res(200, {"value": [shown(key) for key in api.rows]}))
    api.on("POST", r"/harvest/\w+", make)
    return api
