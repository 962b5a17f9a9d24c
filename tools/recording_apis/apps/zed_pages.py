# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ARG005, D102, E501 - routes are handed all that they may want
"""Imitations of records, pages and config maps in use."""

from __future__ import annotations

import time
from urllib.parse import parse_qsl

from tools.recording_apis.apps.ray_core import Api, Res, guid, httpdate, iso


class Fhir(Api):
    """API: resources with their history; ``checks`` is whether If-Match is read."""

    def __init__(self, kind: str, things: dict, *, checks: bool = True) -> None:
        """Start with what is there."""
        self.checks = checks
        self.kind = kind
        super().__init__(lambda req: {"X-Request-Id": guid(f"{time.time()}")[:16]})
        self.past = {}
        for key, data in things.items():
            self.save_as(key, data)
        self.on("GET POST", f"/fhir/{self.kind}", self.many)
        self.on("GET PUT", f"/fhir/{self.kind}/([^/]+)", self.one)
        self.on(
            "GET",
            f"/fhir/{self.kind}/([^/]+)/_history",
            lambda req, key: self.bundle([self.show(key, row) for row in self.past[key]], "history"),
        )
        self.on(
            "GET",
            "/fhir/metadata",
            lambda req: Res(
                200, {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "status": "active"}
            ),
        )

    def show(self, key: str, row=None) -> dict:
        row = row or self.rows[key]
        return {
            "resourceType": self.kind,
            "id": key,
            "meta": {"versionId": str(row.rev), "lastUpdated": iso(row.at)},
            **row.data,
        }

    def save_as(self, key: str, data: dict) -> None:
        self.past.setdefault(key, []).insert(0, self.keep(key, data))

    def outcome(self, status: int, code: str, said: str) -> Res:
        return Res(
            status,
            {
                "resourceType": "OperationOutcome",
                "issue": [{"severity": "error", "code": code, "diagnostics": said}],
            },
        )

    def given(self, key: str, status: int = 200) -> Res:
        row = self.rows[key]
        return Res(
            status,
            self.show(key),
            {
                "ETag": f'W/"{row.rev}"',
                "Last-Modified": httpdate(row.at),
                "Content-Type": "application/fhir+json",
            },
        )

    def bundle(self, found: list, sort: str) -> Res:
        return Res(
            200,
            {
                "resourceType": "Bundle",
                "type": sort,
                "total": len(found),
                "entry": [{"resource": one} for one in found],
            },
            {"Content-Type": "application/fhir+json"},
        )

    def matches(self, asked: str) -> list:
        want = dict(parse_qsl(asked)).get("identifier", "").split("|")[-1]
        return [
            key
            for key in self.rows
            if not want or any(one["value"] == want for one in self.rows[key].data.get("identifier", []))
        ]

    def many(self, req):
        if req.method == "GET":
            return self.bundle(
                [self.show(key) for key in self.matches(req.target.partition("?")[2])], "searchset"
            )
        found = self.matches(req.fields["if-none-exist"]) if "if-none-exist" in req.fields else []
        if len(found) > 1:
            return self.outcome(
                412,
                "multiple-matches",
                f"""Failed to CREATE {self.kind} with match URL "{req.fields["if-none-exist"]}" because this search matched {len(found)} resources""",
            )
        if found:
            return self.given(found[0])
        key = str(8800 + len(self.rows))
        self.save_as(key, {k: v for k, v in req.json.items() if k not in {"resourceType", "id", "meta"}})
        return self.given(key, 201)

    def one(self, req, key: str):
        if key not in self.rows:
            return self.outcome(404, "not-found", f"{self.kind}/{key} is not known")
        if req.method == "PUT":
            if self.checks and req.fields.get("if-match") not in {None, f'W/"{self.rows[key].rev}"'}:
                return self.outcome(412, "conflict", "Version mismatch")
            self.save_as(key, {k: v for k, v in req.json.items() if k not in {"resourceType", "id", "meta"}})
        return self.given(key)


class Confluence(Api):
    """API: pages whose next version a save names."""

    def __init__(self, pages: dict) -> None:
        """Start with what is there."""
        super().__init__(
            lambda req: {"X-AREQUESTID": guid(f"{time.time()}"), "X-Seraph-LoginReason": "OK"}, first=7
        )
        self.past = {}
        for key, data in pages.items():
            self.past[key] = [self.keep(key, data, "Editor", age=90000)]
        self.on("GET PUT", "/rest/api/content/(\\d+)", self.one)
        self.on(
            "GET",
            "/rest/api/content",
            lambda req: Res(
                200,
                {
                    "results": [
                        {k: v for k, v in self.show(key).items() if k != "body"} for key in self.rows
                    ],
                    "size": len(self.rows),
                },
            ),
        )
        self.on(
            "GET",
            "/rest/api/user/current",
            lambda req: Res(200, {"type": "known", "username": "rui", "displayName": "Rui"}),
        )

    def show(self, key: str, row=None) -> dict:
        row = row or self.rows[key]
        version = {"number": row.rev, "when": iso(row.at), "by": {"displayName": row.by}, "minorEdit": False}
        return {
            "id": key,
            "type": "page",
            "status": "current",
            "title": row.data["title"],
            "version": version,
            "body": row.data["body"],
        }

    def one(self, req, key: str):
        if req.method == "PUT":
            asked = req.json
            if asked["version"]["number"] != self.rows[key].rev + 1:
                said = f"Attempted to update stale data. Current version is: {self.rows[key].rev}"
                return Res(
                    409,
                    {
                        "statusCode": 409,
                        "message": f"com.atlassian.confluence.api.service.exceptions.ConflictException: {said}",
                    },
                )
            row = self.keep(
                key,
                {"title": asked["title"], "body": asked["body"]},
                req.fields.get("authorization", "").split("-")[-1].title(),
            )
            self.past[key].append(row)
        shown = self.show(key)
        if "version" in req.query:
            shown = next(
                self.show(key, row) for row in self.past[key] if str(row.rev) == req.query["version"]
            )
        if req.method == "GET" and "body" not in req.query.get("expand", ""):
            shown.pop("body")
        return Res(200, shown)


class Kubernetes(Api):
    """API: config maps; without a resourceVersion the last writer wins."""

    def __init__(self, space: str, maps: dict) -> None:
        """Start with what is there."""
        self.space = space
        super().__init__(
            lambda req: {"Audit-Id": guid(f"{time.time()}"), "Cache-Control": "no-cache, private"}
        )
        self.count, self.at, self.labels = (481200, {}, {})
        for name, data in maps.items():
            self.save_as(name, data)
        base = f"/api/v1/namespaces/{self.space}/configmaps"
        self.on(
            "GET",
            base,
            lambda req: Res(
                200,
                {
                    "kind": "ConfigMapList",
                    "metadata": {"resourceVersion": str(self.count)},
                    "items": [self.show(name) for name in self.rows],
                },
            ),
        )
        self.on("GET PUT PATCH", base + "/([^/]+)", self.one)
        self.on(
            "GET",
            f"/api/v1/namespaces/{self.space}",
            lambda req: Res(
                200, {"kind": "Namespace", "metadata": {"name": self.space}, "status": {"phase": "Active"}}
            ),
        )
        self.on(
            "GET", "/version", lambda req: Res(200, {"major": "1", "minor": "31", "gitVersion": "v1.31.3"})
        )

    def save_as(self, name: str, data: dict) -> None:
        self.count += 7
        self.keep(name, data)
        self.at[name] = self.count

    def show(self, name: str) -> dict:
        meta = {
            "name": name,
            "namespace": self.space,
            "uid": guid(name),
            "resourceVersion": str(self.at[name]),
        }
        meta |= {"labels": self.labels[name]} if name in self.labels else {}
        return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta, "data": self.rows[name].data}

    def one(self, req, name: str):
        if req.method == "GET":
            return Res(200, self.show(name))
        sent = req.json.get("metadata", {}).get("resourceVersion")
        if sent and sent != str(self.at[name]):
            said = f'Operation cannot be fulfilled on configmaps "{name}": the object has been modified; please apply your changes to the latest version and try again'
            return Res(
                409,
                {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "status": "Failure",
                    "message": said,
                    "reason": "Conflict",
                    "code": 409,
                },
            )
        self.labels |= {name: req.json["metadata"]["labels"]} if req.method == "PUT" else {}
        self.save_as(name, {**(self.rows[name].data if req.method == "PATCH" else {}), **req.json["data"]})
        return Res(200, self.show(name))
