# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ARG002, ARG005, D102, E501 - routes are handed all that they may want
"""Imitations of Microsoft's APIs in use: planner, drives, documents, tables."""

from __future__ import annotations

import base64
import time
from urllib.parse import quote

from tools.recording_apis.apps.ray_core import Api, Res, guid, httpdate, iso


class _Graph(Api):
    def __init__(self) -> None:
        super().__init__(
            lambda _req: {
                "request-id": guid(f"{time.time()}"),
                "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"West Europe","Slice":"E","Ring":"5"}}',
            },
            lambda _req: refused(404, "itemNotFound", "The resource could not be found."),
        )


def refused(status: int, code: str, message: str) -> Res:
    """Return an error as Graph tells it."""
    inner = {"date": time.strftime("%Y-%m-%dT%H:%M:%S"), "request-id": guid(message)}
    return Res(status, {"error": {"code": code, "message": message, "innerError": inner}})


class Planner(_Graph):
    """API: a plan's tasks."""

    def __init__(self, tasks: dict) -> None:
        """Start with what is there."""
        super().__init__()
        for key, task in tasks.items():
            self.keep(key, task, age=5000)
        self.on("GET", "/v1.0/planner/tasks/([^/]+)", lambda req, key: Res(200, self.shown(key)))
        self.on("PATCH", "/v1.0/planner/tasks/([^/]+)", self.change)
        self.on(
            "GET",
            "/v1.0/planner/plans/[^/]+/tasks",
            lambda req: Res(200, {"@odata.count": len(tasks), "value": [self.shown(key) for key in tasks]}),
        )
        self.on("GET", "/v1.0/me", lambda req: Res(200, {"displayName": "Noor Haddad", "id": guid("noor")}))

    def tag(self, key: str) -> str:
        made = base64.b64encode(f"1-Task  @@@@@@@@@@@@@@@@{self.rows[key].rev:X}".encode()).decode()
        return f'W/"{made}"'

    def shown(self, key: str) -> dict:
        return {
            "@odata.etag": self.tag(key),
            "planId": "xqQg5FS2LkCp935s-FIFm2QAFkHM",
            "id": key,
            **self.rows[key].data,
        }

    def change(self, req, key: str):
        sent = req.fields.get("if-match")
        if not sent:
            return refused(400, "", "The If-Match header must be specified for this kind of request.")
        with self.lock:
            if sent != self.tag(key):
                return refused(412, "", "The If-Match header contains an invalid value.")
            self.keep(key, {**self.rows[key].data, **req.json})
            now = self.shown(key)
        time.sleep(0.25)
        if "return=representation" in req.fields.get("prefer", ""):
            return Res(200, now, {"Preference-Applied": "return=representation"})
        return Res(204)


class Drive(_Graph):
    """API: a drive whose pictures are looked at by the service after an upload."""

    def __init__(self) -> None:
        """Start with what is there."""
        super().__init__()
        self.me = {"user": {"displayName": "Pedro Sá"}, "application": {"displayName": "Album Sync"}}
        self.look = self.look
        self.on("PUT", "/v1.0/me/drive/root:/Pictures/([^/:]+):/content", self.upload)
        self.on(
            "GET",
            "/v1.0/me/drive/root:/Pictures:/children",
            lambda req: Res(200, {"value": [self.shown(one) for one in self.rows]}),
        )
        self.on(
            "GET",
            "/v1.0/me/drive/root:/Pictures/([^/:]+)",
            lambda req, name: Res(200, self.shown(name)) if name in self.rows else None,
        )
        self.on("PATCH", "/v1.0/me/drive/root:/Pictures/([^/:]+)", self.change)
        self.on(
            "GET",
            "/v1.0/me/drive",
            lambda req: Res(200, {"driveType": "business", "quota": {"state": "normal", "used": 88120410}}),
        )

    def shown(self, name: str) -> dict:
        row = self.rows[name]
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

    def upload(self, req, name: str):
        self.keep(name, {"size": len(req.body), "by": self.me, "more": {"file": {"mimeType": "image/jpeg"}}})
        return Res(201, self.shown(name))

    def look(self, name: str) -> None:
        data = self.rows[name].data
        more = {
            **data["more"],
            "photo": {"cameraModel": "X-T30", "iso": 200},
            "image": {"width": 6240, "height": 4160},
        }
        by = {"application": {"displayName": "OneDrive Media Service"}}
        self.keep(name, {**data, "by": by, "more": more})

    def change(self, req, name: str):
        sent = req.fields.get("if-match")
        if sent and sent != self.shown(name)["eTag"]:
            return refused(412, "resourceModified", "ETag does not match current item's value")
        data = self.rows[name].data
        self.keep(name, {**data, "by": self.me, "more": {**data["more"], **req.json}})
        return Res(200, self.shown(name))


class Cosmos(Api):
    """API: a collection whose reads may come from a region behind; ``lag`` is how many seconds."""

    def __init__(self, docs: dict) -> None:
        """Start with what is there."""
        base = "/dbs/despatch/colls/(?:orders|labels)/docs"
        super().__init__(
            lambda req: {"x-ms-version": "2018-12-31", "x-ms-activity-id": guid(f"{time.time()}")}
        )
        self.lag, self.old = (0.0, {})
        for key, doc in docs.items():
            self.keep(key, doc, age=4000)
        self.on("GET", base + "/([^/]+)", self.read)
        self.on("PUT", base + "/([^/]+)", self.write)
        self.on("POST", base, self.make)
        self.on(
            "GET",
            "/dbs/despatch/colls/orders",
            lambda req: Res(200, {"id": "orders", "partitionKey": {"paths": ["/depot"], "kind": "Hash"}}),
        )

    def lsn(self) -> int:
        return 4100 + sum(row.rev for row in self.rows.values())

    def shown(self, row, key: str) -> Res:
        tag = f'"0000{row.rev:02x}1b-0000-0d00-0000-{int(row.at):08x}0000"'
        body = {"id": key, **row.data, "_rid": "d9RzAJRFKgw" + key[-1], "_etag": tag, "_ts": int(row.at)}
        at = self.lsn() if self.rows.get(key) is row else self.lsn() - 1
        return Res(
            200,
            body,
            {"etag": tag, "lsn": str(at), "x-ms-session-token": f"0:-1#{at}", "x-ms-request-charge": "1"},
        )

    def read(self, req, key: str):
        row = self.rows.get(key)
        if row and time.time() - row.at < self.lag and (key in self.old):
            return self.shown(self.old[key], key)
        return self.shown(row, key) if row else None

    def write(self, req, key: str):
        row = self.rows[key]
        if req.fields.get("if-match") not in {None, self.shown(row, key).fields["etag"]}:
            return Res(
                412,
                {
                    "code": "PreconditionFailed",
                    "message": "Operation cannot be performed because one of the specified precondition is not met.",
                },
            )
        self.old[key] = row
        return self.shown(
            self.keep(key, {k: v for k, v in req.json.items() if k[0] != "_" and k != "id"}), key
        )

    def make(self, req):
        made = self.shown(
            self.keep(req.json["id"], {k: v for k, v in req.json.items() if k != "id"}), req.json["id"]
        )
        made.status = 201
        return made


class Tables(Api):
    """API: a table's entities."""

    def __init__(self, rows: dict) -> None:
        """Start with what is there."""
        super().__init__(
            lambda req: {"x-ms-version": "2019-02-02", "x-ms-request-id": guid(f"{time.time()}")}
        )
        for number, (key, row) in enumerate(rows.items()):
            self.keep(key, row, age=6000 + number * 13.37)
        self.on(
            "GET PUT PATCH DELETE", "/harvest/(\\w+)\\(PartitionKey='([^']+)',RowKey='([^']+)'\\)", self.one
        )
        self.on(
            "GET",
            "/harvest/(\\w+)\\(\\)",
            lambda req, table: Res(200, {"value": [self.shown(key) for key in self.rows]}),
        )
        self.on("POST", "/harvest/\\w+", self.make)

    def stamp(self, key: str) -> str:
        return iso(self.rows[key].at, 7)

    def tag(self, key: str) -> str:
        return f'''W/"datetime'{quote(self.stamp(key), safe="")}'"'''

    def shown(self, key: str) -> dict:
        part, own = key.split("|")
        head = {
            "odata.etag": self.tag(key),
            "PartitionKey": part,
            "RowKey": own,
            "Timestamp": self.stamp(key),
        }
        return {**head, **self.rows[key].data}

    def fail(self, status: int, code: str, said: str) -> Res:
        return Res(
            status,
            {"odata.error": {"code": code, "message": {"lang": "en-US", "value": said}}},
            {"x-ms-error-code": code},
        )

    def one(self, req, table: str, part: str, own: str):
        key = f"{part}|{own}"
        if key not in self.rows:
            return self.fail(404, "ResourceNotFound", "The specified resource does not exist.")
        if req.method == "GET":
            return Res(200, self.shown(key), {"ETag": self.tag(key), "Cache-Control": "no-cache"})
        if req.fields.get("if-match") not in {self.tag(key), "*"}:
            return self.fail(
                412,
                "UpdateConditionNotSatisfied",
                "The update condition specified in the request was not satisfied.",
            )
        if req.method == "DELETE":
            del self.rows[key]
            return Res(204)
        merged = {**(self.rows[key].data if req.method in {"MERGE", "PATCH"} else {}), **req.json}
        self.keep(key, merged)
        return Res(204, b"", {"ETag": self.tag(key)})

    def make(self, req):
        data = dict(req.json)
        key = f"{data.pop('PartitionKey')}|{data.pop('RowKey')}"
        self.keep(key, data)
        return Res(
            201, self.shown(key), {"ETag": self.tag(key), "Last-Modified": httpdate(self.rows[key].at)}
        )
