# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202, ARG005, D102 - routes are handed all that they may want
"""Imitations of records with dates, pipelines, and what devices and mainframes sync."""

from __future__ import annotations

import hashlib
import time
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

from tools.recording_apis.apps.ray_core import Api, Res, guid, httpdate, iso


def _since(text: str | None):
    try:
        return parsedate_to_datetime(text).timestamp() if text and text.endswith("GMT") else None
    except ValueError:
        return None


class Salesforce(Api):
    """API: records whose reads know dates."""

    def __init__(self, kind: str, things: dict) -> None:
        """Start with what is there."""
        self.kind = kind
        super().__init__(
            lambda req: {
                "Sforce-Limit-Info": "api-usage=118/15000",
                "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
            }
        )
        for number, (key, data) in enumerate(things.items()):
            self.keep(key, data, age=1260 + number * 400)
        base = "/services/data/v61.0"
        self.on("GET PATCH", f"{base}/sobjects/{self.kind}/(\\w+)", self.one)
        self.on(
            "GET",
            base + "/query",
            lambda req: Res(
                200,
                {"totalSize": len(self.rows), "done": True, "records": [self.show(key) for key in self.rows]},
            ),
        )
        self.on(
            "GET",
            base + "/limits",
            lambda req: Res(200, {"DailyApiRequests": {"Max": 15000, "Remaining": 14882}}),
        )

    def show(self, key: str) -> dict:
        url = f"/services/data/v61.0/sobjects/{self.kind}/{key}"
        return {
            "attributes": {"type": self.kind, "url": url},
            "Id": key,
            **self.rows[key].data,
            "LastModifiedDate": iso(self.rows[key].at).replace("Z", "+0000"),
        }

    def one(self, req, key: str):
        if req.method == "PATCH":
            self.keep(key, {**self.rows[key].data, **req.json})
            return Res(204)
        known, fields = (
            _since(req.fields.get("if-modified-since")),
            {"Last-Modified": httpdate(self.rows[key].at)},
        )
        if known is not None and int(self.rows[key].at) <= known:
            return Res(304, b"", fields)
        return Res(200, self.show(key), fields)


class Canvas(Api):
    """API: health records guarded by dates alone; a date that is none is passed over."""

    def __init__(self, kind: str, things: dict) -> None:
        """Start with what is there."""
        self.kind = kind
        super().__init__()
        for number, (key, data) in enumerate(things.items()):
            self.keep(key, data, age=4000 + number * 60)
        self.on("GET PUT", f"/{self.kind}/([0-9a-f-]+)", self.one)
        self.on(
            "GET",
            f"/{self.kind}",
            lambda req: Res(
                200,
                {
                    "resourceType": "Bundle",
                    "type": "searchset",
                    "total": len(self.rows),
                    "entry": [{"resource": self.show(key)} for key in self.rows],
                },
            ),
        )
        self.on(
            "POST",
            "/auth/token/",
            lambda req: Res(200, {"access_token": "w8sJ1", "expires_in": 36000, "token_type": "Bearer"}),
        )

    def show(self, key: str) -> dict:
        return {"resourceType": self.kind, "id": key, **self.rows[key].data}

    def one(self, req, key: str):
        row = self.rows[key]
        if req.method == "PUT":
            known = _since(req.fields.get("if-unmodified-since"))
            if known is not None and int(row.at) > known:
                return Res(
                    412,
                    {
                        "resourceType": "OperationOutcome",
                        "issue": [
                            {
                                "severity": "error",
                                "code": "conflict",
                                "details": {"text": "Resource was modified"},
                            }
                        ],
                    },
                )
            row = self.keep(key, {k: v for k, v in req.json.items() if k not in {"resourceType", "id"}})
        return Res(
            200, self.show(key), {"Last-Modified": httpdate(row.at), "Content-Type": "application/json"}
        )


class Gocd(Api):
    """API: pipelines; Jetty's suffix is known, no other."""

    def __init__(self, pipelines: dict) -> None:
        """Start with what is there."""
        super().__init__(lambda req: {"X-Content-Type-Options": "nosniff"})
        for key, data in pipelines.items():
            self.keep(key, data, age=330000)
        self.on("GET", "/go/api/admin/pipelines/([^/]+)", self.one)
        self.on(
            "GET",
            "/go/api/version",
            lambda req: Res(
                200,
                {"version": "24.4.0", "build_number": "19686"},
                {"Content-Type": "application/vnd.go.cd.v1+json"},
            ),
        )
        self.on(
            "GET",
            "/go/api/agents",
            lambda req: Res(
                200,
                {
                    "_embedded": {
                        "agents": [{"uuid": guid("agent"), "hostname": "kettle-1", "agent_state": "Idle"}]
                    }
                },
                {"Content-Type": "application/vnd.go.cd.v7+json"},
            ),
        )

    def show(self, key: str) -> dict:
        return {
            "_links": {"self": {"href": f"http://ci.brewhouse.example/go/api/admin/pipelines/{key}"}},
            "name": key,
            **self.rows[key].data,
        }

    def one(self, req, key: str):
        tag = f'"{hashlib.sha256(self.rows[key].octets).hexdigest()}"'
        fields = {
            "ETag": tag,
            "Cache-Control": "max-age=0, private, must-revalidate",
            "Content-Type": "application/vnd.go.cd.v11+json",
        }
        if (req.fields.get("if-none-match") or "").replace("--gzip", "") == tag:
            return Res(304, b"", fields)
        return Res(200, self.show(key), fields)


class Twilio(Api):
    """API: a Sync service's documents; revisions count in hexadecimal digits."""

    def __init__(self, documents: dict) -> None:
        """Start with what is there."""
        super().__init__(
            lambda req: {
                "Twilio-Request-Id": "RQ" + guid(f"{time.time()}").replace("-", ""),
                "X-Powered-By": "AT-5000",
            },
            first=7,
        )
        base = "/v1/Services/IS2d0f6a11bb/Documents"
        for key, data in documents.items():
            self.keep(key, data, age=500)
        self.on("GET POST", base + "/([^/]+)", self.one)
        self.on(
            "GET",
            base,
            lambda req: Res(
                200,
                {
                    "documents": [self.show(key) for key in self.rows],
                    "meta": {"page": 0, "page_size": 50, "key": "documents", "next_page_url": None},
                },
            ),
        )

    def show(self, key: str) -> dict:
        row = self.rows[key]
        sid = "ET" + guid(key).replace("-", "")
        return {
            "sid": sid,
            "unique_name": key,
            "service_sid": "IS2d0f6a11bb",
            "revision": f"{row.rev:x}",
            "data": row.data,
            "date_updated": iso(row.at, 0),
            "created_by": "system",
        }

    def one(self, req, key: str):
        if key not in self.rows:
            return Res(
                404,
                {
                    "code": 20404,
                    "message": f"The requested resource {req.path} was not found",
                    "more_info": "https://www.twilio.com/docs/errors/20404",
                    "status": 404,
                },
            )
        if req.method == "POST":
            sent = req.fields.get("if-match")
            if sent and sent != f"{self.rows[key].rev:x}":
                return Res(
                    412,
                    {
                        "code": 54103,
                        "message": "The revision of the Document does not match the expected revision",
                        "status": 412,
                    },
                )
            self.keep(key, dict(parse_qsl(req.body.decode()))["Data"])
        return Res(200, self.show(key))


class Sync(Api):
    """API: a device's collections; versions are decimal seconds."""

    def __init__(self, records: dict) -> None:
        """Start with what is there."""
        super().__init__(lambda req: {"X-Weave-Timestamp": f"{time.time():.2f}"})
        self.at = {}
        for key, data in records.items():
            self.keep(key, data, age=4000)
        self.at["bookmarks"] = max(row.at for row in self.rows.values())
        self.on("GET POST", "/1\\.5/90213377/storage/(\\w+)", self.many)
        self.on(
            "GET",
            "/1\\.5/90213377/info/collections",
            lambda req: Res(200, {name: round(at, 2) for name, at in self.at.items()}),
        )
        self.on(
            "GET",
            "/1\\.5/90213377/info/configuration",
            lambda req: Res(200, {"max_post_records": 100, "max_post_bytes": 2101248}),
        )

    def many(self, req, name: str):
        mark = f"{self.at[name]:.2f}"
        if req.method == "GET":
            if req.fields.get("x-if-modified-since") == mark:
                return Res(304, b"", {"X-Last-Modified": mark})
            newer = float(req.query.get("newer", 0))
            found = [
                {"id": key, "modified": round(row.at, 2), "payload": row.data}
                for key, row in self.rows.items()
                if round(row.at, 2) > newer
            ]
            return Res(200, found, {"X-Last-Modified": mark, "X-Weave-Records": str(len(found))})
        known = req.fields.get("x-if-unmodified-since")
        if known and float(known) < round(self.at[name], 2):
            return Res(412, b"0", {"X-Last-Modified": mark})
        for one in req.json:
            self.keep(one["id"], one["payload"])
        self.at[name] = max(self.rows[one["id"]].at for one in req.json)
        mark = f"{self.at[name]:.2f}"
        return Res(
            200,
            {"modified": float(mark), "success": [one["id"] for one in req.json], "failed": {}},
            {"X-Last-Modified": mark},
        )


class Zosmf(Api):
    """API: data sets; a read tells its tag only when asked to."""

    def __init__(self, members: dict) -> None:
        """Start with what is there."""
        super().__init__(
            lambda req: {"X-IBM-Txid": "tx" + guid(f"{time.time()}")[:14].replace("-", "").upper()}
        )
        for key, text in members.items():
            self.keep(key, text, age=70000)
        base = "/zosmf/restfiles/ds"
        self.on("GET PUT", base + "/([A-Z0-9.]+\\([A-Z0-9]+\\))", self.one)
        self.on(
            "GET",
            base + "/[A-Z0-9.]+/member",
            lambda req: Res(
                200,
                {
                    "items": [{"member": key.split("(")[1][:-1]} for key in self.rows],
                    "returnedRows": len(self.rows),
                    "JSONversion": 1,
                },
            ),
        )
        self.on(
            "GET",
            base,
            lambda req: Res(
                200, {"items": [{"dsname": "PROD.BILLING.JCL"}], "returnedRows": 1, "JSONversion": 1}
            ),
        )

    def one(self, req, key: str):
        if key not in self.rows:
            return Res(404, {"category": 6, "rc": 8, "reason": 0, "message": "No such member"})
        tag = self.rows[key].digest("z").upper()
        if req.method == "GET":
            told = {"ETag": tag} if req.fields.get("x-ibm-return-etag") == "true" else {}
            return Res(200, self.rows[key].data, {"Content-Type": "text/plain; charset=UTF-8", **told})
        if req.fields.get("if-match") not in {None, tag}:
            return Res(412, b"")
        self.keep(key, req.body.decode())
        return Res(204, b"", {"ETag": self.rows[key].digest("z").upper()})
