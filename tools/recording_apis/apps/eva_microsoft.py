# mypy: ignore-errors
# ruff: noqa: ARG002, E501, S324 - handlers are handed all that they may want, hashes keep no secret
"""Imitations of Microsoft's services, after their documentation."""

from __future__ import annotations

import base64
import hashlib
import threading
import time

from tools.recording_apis.apps.eva_core import Api, Req, Res, Row, Tagged, guid, iso


class Central(Tagged):
    """Dynamics 365 Business Central: another user's change is 409 Request_EntityChanged."""

    weak = True

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "OData-Version": "4.0",
            "request-id": guid("bc", self.count),
            "Content-Type": "application/json; odata.metadata=minimal; odata.streaming=true",
        }

    def tag(self, key: str, row: Row) -> str:
        """Return the tag: a record's image in base64."""
        said = f"19;{int.from_bytes(key.encode()[-5:], 'big')}{row.rev:02};1;'"
        return f'W/"{base64.b64encode(b"JzE" + said.encode()).decode()}"'

    def marks(self, key: str, row: Row) -> dict[str, str]:
        """Return the validators: they are in the content only."""
        return {"ETag": self.tag(key, row)}

    def shown(self, req: Req, key: str, row: Row) -> dict[str, object]:
        """Return a row."""
        return {"@odata.etag": self.tag(key, row), **row.data, "lastModifiedDateTime": iso(row.at, 2)}

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return a list."""
        return Res(
            200,
            {
                "@odata.context": f"https://{req.fields['host']}/$metadata",
                "value": [self.shown(req, one, row) for one, row in below.items()],
            },
        )

    def key(self, req: Req) -> str:
        """Return the key: what is in brackets is a part of its own."""
        return req.path.replace("(", "/").replace(")", "")

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        said = f"Another user has already changed the record.  CorrelationId:  {guid('bc', self.count)}."
        return Res(409, {"error": {"code": "Request_EntityChanged", "message": said}})


class Resources(Api):
    """Azure Resource Manager's network provider: what was written is provisioned, which moves its tag."""

    seconds = 0.7

    def setup(self) -> None:
        """Name the routes."""
        root = r"/subscriptions/(?P<sub>[\w-]+)"
        self.on(
            "GET",
            rf"{root}/resourceGroups/\w[\w-]*/providers/Microsoft\.Network/(?P<key>\w+/[\w-]+)",
            self.read,
        )
        self.on(
            "PUT",
            rf"{root}/resourceGroups/\w[\w-]*/providers/Microsoft\.Network/(?P<key>\w+/[\w-]+)",
            self.write,
        )

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "x-ms-request-id": guid("arm", self.count),
            "x-ms-correlation-request-id": guid("c", self.count),
            "Cache-Control": "no-cache",
            "Content-Type": "application/json; charset=utf-8",
        }

    def mark(self, key: str) -> str:
        """Return the tag."""
        return f'W/"{guid("nrp", key, self.rows[key].rev)}"'

    def shown(self, req: Req, key: str) -> Res:
        """Return a resource."""
        row = self.rows[key]
        body = {
            "name": key.partition("/")[2],
            "id": req.path,
            "etag": self.mark(key),
            "type": f"Microsoft.Network/{key.partition('/')[0]}",
            "location": "norwayeast",
        }
        return Res(200, {**body, "properties": row.data}, {"ETag": self.mark(key)})

    def read(self, req: Req, sub: str, key: str) -> Res:
        """Answer a read."""
        return self.shown(req, key)

    def settle(self, key: str) -> None:
        """Finish what a write has begun."""
        time.sleep(self.seconds)
        with self.lock:
            self.store(key, {**self.rows[key].data, "provisioningState": "Succeeded"}, "nrp")

    def write(self, req: Req, sub: str, key: str) -> Res:
        """Answer a write."""
        with self.lock:
            sent = req.fields.get("if-match")
            if sent and sent != self.mark(key):
                said = f"Etag provided in if-match header {sent} does not match etag {self.mark(key)} of resource {req.path} in NRP data store."
                details = [{"code": "PreconditionFailedEtagMismatch", "message": said}]
                return Res(
                    412,
                    {
                        "error": {
                            "code": "PreconditionFailed",
                            "message": "Precondition failed.",
                            "details": details,
                        }
                    },
                )
            self.store(key, {**req.json["properties"], "provisioningState": "Updating"}, "me")
            threading.Thread(target=self.settle, args=(key,), daemon=True).start()
            return self.shown(req, key)


class Settings(Api):
    """Azure App Configuration: key-values; a list may leave the tags out."""

    def setup(self) -> None:
        """Name the routes."""
        self.on("GET", "/kv", self.every)
        self.on("GET", "/kv/(?P<key>.+)", self.read)
        self.on("PUT", "/kv/(?P<key>.+)", self.write)

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        turn = sum(row.rev for row in self.rows.values())
        return {
            "Server": "openresty",
            "Sync-Token": f"zAJw6V16=NDo1IzE{turn};sn={turn}",
            "x-ms-request-id": guid("kv", self.count),
            "Content-Type": "application/vnd.microsoft.appconfig.kv+json; charset=utf-8",
        }

    def bare(self, key: str) -> str:
        """Return the tag without its quotes."""
        return (
            base64.urlsafe_b64encode(hashlib.sha256(f"{key}{self.rows[key].rev}".encode()).digest())
            .decode()
            .rstrip("=")
        )

    def shown(self, key: str) -> dict[str, object]:
        """Return a key-value."""
        row = self.rows[key]
        return {
            "etag": self.bare(key),
            "key": key,
            "label": "prod",
            "content_type": "",
            "value": row.data,
            "last_modified": iso(row.at).replace("Z", "+00:00"),
            "locked": False,
            "tags": {},
        }

    def every(self, req: Req) -> Res:
        """Answer a list."""
        chosen = req.query.get("$select", "").split(",")
        items = [
            {name: value for name, value in self.shown(key).items() if chosen == [""] or name in chosen}
            for key in self.rows
        ]
        return Res(
            200,
            {"items": items},
            {"Content-Type": "application/vnd.microsoft.appconfig.kvset+json; charset=utf-8"},
        )

    def read(self, req: Req, key: str) -> Res:
        """Answer a read."""
        mark = {"ETag": f'"{self.bare(key)}"'}
        if req.fields.get("if-none-match") == mark["ETag"]:
            return Res(304, b"", mark)
        return Res(200, self.shown(key), mark)

    def write(self, req: Req, key: str) -> Res:
        """Answer a write."""
        sent = req.fields.get("if-match")
        if sent and sent.strip('"') not in {"*", self.bare(key)}:
            return Res(412, b"", {"ETag": f'"{self.bare(key)}"'})
        self.store(key, req.json["value"], "me")
        return Res(200, self.shown(key), {"ETag": f'"{self.bare(key)}"'})


class Cosmos(Tagged):
    """Azure Cosmos DB: documents under ``_etag``."""

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "x-ms-activity-id": guid("act", self.count),
            "x-ms-request-charge": "10.29",
            "x-ms-session-token": f"0:-1#{4400 + self.count}",
            "x-ms-serviceversion": "version=2.14.0.0",
            "Content-Type": "application/json",
        }

    def tag(self, key: str, row: Row) -> str:
        """Return the tag."""
        return f'"0{hashlib.md5(key.encode()).hexdigest()[:7]}-0000-0d00-0000-{int(row.at * 16):012x}"'

    def shown(self, req: Req, key: str, row: Row) -> dict[str, object]:
        """Return a document."""
        rid = base64.b64encode(hashlib.md5(key.encode()).digest()[:12]).decode()
        return {
            **row.data,
            "_rid": rid,
            "_self": f"dbs/{rid[:8]}/docs/{rid}/",
            "_etag": self.tag(key, row),
            "_attachments": "attachments/",
            "_ts": int(row.at),
        }

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return a list."""
        return Res(
            200,
            {
                "_rid": "kzRbAA==",
                "Documents": [self.shown(req, one, row) for one, row in below.items()],
                "_count": len(below),
            },
        )

    def merged(self, req: Req, key: str, row: Row | None) -> dict[str, object]:
        """Return the new content."""
        return {name: value for name, value in req.json.items() if not name.startswith("_")}

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        said = f"Operation cannot be performed because one of the specified precondition is not met\r\nActivityId: {guid('act', self.count)}, Microsoft.Azure.Documents.Common/2.14.0"
        return Res(412, {"code": "PreconditionFailed", "message": said})


class Dataverse(Tagged):
    """Microsoft Dataverse: weak tags of row versions, compared as they are; the wildcard means update only."""

    weak = True
    put_status = 204

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "OData-Version": "4.0",
            "x-ms-service-request-id": guid("dv", self.count),
            "REQ_ID": guid("r", self.count),
            "Content-Type": "application/json; odata.metadata=minimal",
        }

    def key(self, req: Req) -> str:
        """Return the key: what is in brackets is a part of its own."""
        return req.path.replace("(", "/").replace(")", "")

    def tag(self, key: str, row: Row) -> str:
        """Return the tag."""
        return f'W/"{4650900 + len(key) + row.rev * 17}"'

    def shown(self, req: Req, key: str, row: Row) -> dict[str, object]:
        """Return a row."""
        return {"@odata.etag": self.tag(key, row), **row.data}

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return a list."""
        return Res(
            200,
            {
                "@odata.context": "https://org.crm4.dynamics.example/api/data/v9.2/$metadata",
                "value": [self.shown(req, one, row) for one, row in below.items()],
            },
        )

    def written(self, req: Req, key: str, row: Row, made: bool) -> Res:
        """Return the answer to a write."""
        if "return=representation" in req.fields.get("prefer", ""):
            return Res(
                201 if made else 200,
                self.shown(req, key, row),
                {"Preference-Applied": "return=representation", "ETag": self.tag(key, row)},
            )
        return Res(204, b"", {"OData-EntityId": f"https://org.crm4.dynamics.example{req.path}"})
