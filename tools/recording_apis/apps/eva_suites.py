# mypy: ignore-errors
# ruff: noqa: ARG002, ARG005, E501 - handlers are handed all that they may want, hashes keep no secret
"""Imitations of business suites, registries, health records and search, after their documentation."""

from __future__ import annotations

import json

from tools.recording_apis.apps.eva_core import Api, Req, Res, guid, iso


class Frappe(Api):
    """ERPNext: ``modified`` comes back with a save; another is 417."""

    def setup(self) -> None:
        """Name the routes."""
        self.errors: list[str] = []
        self.on(
            "GET", "/api/resource/Item", lambda _req: Res(200, {"data": [{"name": key} for key in self.rows]})
        )
        self.on(
            "GET",
            "/api/resource/Item/(?P<key>[A-Z0-9-]+)",
            lambda req, key: Res(200, {"data": self.shown(key)}),
        )
        self.on("PUT", "/api/resource/Item/(?P<key>[A-Z0-9-]+)", self.save)
        self.on("POST", "/api/resource/Error Log", self.note)

    def moment(self, key: str) -> str:
        """Return when a document was changed, as the suite writes it."""
        return iso(self.rows[key].at, 6).replace("T", " ").rstrip("Z")

    def shown(self, key: str) -> dict[str, object]:
        """Return a document."""
        return {
            "name": key,
            "doctype": "Item",
            **self.rows[key].data,
            "modified": self.moment(key),
            "modified_by": self.rows[key].by,
        }

    def note(self, req: Req) -> Res:
        """Keep what a client complains of."""
        self.errors.append(req.json["error"])
        return Res(
            200,
            {"data": {"doctype": "Error Log", "name": f"{len(self.errors):06}", "error": req.json["error"]}},
        )

    def save(self, req: Req, key: str) -> Res:
        """Answer a save."""
        asked = req.json
        if asked.pop("modified", self.moment(key)) != self.moment(key):
            said = "Error: Document has been modified after you have opened it. Please refresh to get the latest document."
            told = json.dumps(
                [json.dumps({"message": said, "title": "Message", "indicator": "red", "raise_exception": 1})]
            )
            return Res(
                417,
                {
                    "exception": f"frappe.exceptions.TimestampMismatchError: {said}",
                    "exc_type": "TimestampMismatchError",
                    "_server_messages": told,
                },
            )
        own = {name: value for name, value in asked.items() if name not in {"name", "doctype", "modified_by"}}
        self.store(key, {**self.rows[key].data, **own}, self.who(req))
        return Res(200, {"data": self.shown(key)})


class Fhir(Api):
    """A FHIR server: conditional updates by an identifier."""

    def setup(self) -> None:
        """Name the routes."""
        root = r"/fhir/R4/(?P<kind>[A-Z]\w+)"
        self.on("GET", root, self.search)
        self.on(
            "GET",
            rf"{root}/(?P<key>[\w-]+)",
            lambda req, kind, key: Res(200, self.shown(key), self.marks(key)),
        )
        self.on("PUT", root, self.update)

    def shown(self, key: str) -> dict[str, object]:
        """Return a resource."""
        row = self.rows[key]
        return {
            "resourceType": "Practitioner",
            "id": key,
            "meta": {"versionId": guid(key, row.rev), "lastUpdated": iso(row.at, 3)},
            **row.data,
        }

    def marks(self, key: str) -> dict[str, str]:
        """Return the fields of an answer about a resource."""
        return {"ETag": f'W/"{guid(key, self.rows[key].rev)}"', "Content-Type": "application/fhir+json"}

    def found(self, req: Req) -> list[str]:
        """Return what fits the criteria."""
        wanted = req.query.get("identifier", "|").split("|")[1]
        return [
            key
            for key, row in self.rows.items()
            if not wanted or row.data["identifier"][0]["value"] == wanted
        ]

    def search(self, req: Req, kind: str) -> Res:
        """Answer a search."""
        keys = self.found(req)
        entries = [{"fullUrl": f"/fhir/R4/Practitioner/{key}", "resource": self.shown(key)} for key in keys]
        return Res(
            200,
            {"resourceType": "Bundle", "type": "searchset", "total": len(keys), "entry": entries},
            {"Content-Type": "application/fhir+json"},
        )

    def update(self, req: Req, kind: str) -> Res:
        """Answer a conditional update."""
        keys = self.found(req)
        if len(keys) > 1:
            issue = {
                "severity": "error",
                "code": "multiple-matches",
                "details": {"text": "Multiple resources found matching condition"},
            }
            return Res(
                412,
                {"resourceType": "OperationOutcome", "id": "multiple-matches", "issue": [issue]},
                {"Content-Type": "application/fhir+json"},
            )
        key = keys[0] if keys else guid("made", self.count)
        self.store(
            key,
            {name: value for name, value in req.json.items() if name not in {"resourceType", "id", "meta"}},
            "me",
        )
        return Res(200 if keys else 201, self.shown(key), self.marks(key))


class Harbor(Api):
    """Harbor: a project that holds repositories is not deleted."""

    def setup(self) -> None:
        """Name the routes."""
        root = "/api/v2.0/projects"
        self.on(
            "GET",
            root,
            lambda _req: Res(
                200, [self.shown(key) for key in self.rows], {"X-Total-Count": str(len(self.rows))}
            ),
        )
        self.on(
            "GET",
            rf"{root}/(?P<key>[\w-]+)/summary",
            lambda req, key: Res(
                200, {"repo_count": len(self.rows[key].data["repos"]), "quota": {"used": {"storage": 0}}}
            ),
        )
        self.on(
            "GET",
            rf"{root}/(?P<key>[\w-]+)/repositories",
            lambda req, key: Res(
                200, [{"name": f"{key}/{one}", "artifact_count": 2} for one in self.rows[key].data["repos"]]
            ),
        )
        self.on("DELETE", rf"{root}/(?P<key>[\w-]+)", self.drop)

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "X-Request-Id": guid("hb", self.count),
            "X-Harbor-CSRF-Token": guid("csrf", self.count).replace("-", ""),
        }

    def shown(self, key: str) -> dict[str, object]:
        """Return a project."""
        return {
            "name": key,
            "project_id": len(key) + 30,
            "repo_count": len(self.rows[key].data["repos"]),
            "update_time": iso(self.rows[key].at, 3),
        }

    def drop(self, req: Req, key: str) -> Res:
        """Answer a deletion."""
        if self.rows[key].data["repos"]:
            return Res(
                412,
                {
                    "errors": [
                        {
                            "code": "PRECONDITION",
                            "message": f"the project {key} contains repositories, can not be deleted",
                        }
                    ]
                },
            )
        del self.rows[key]
        return Res(200, b"")


class Search(Api):
    """OpenSearch: documents of one shard share their sequence."""

    def setup(self) -> None:
        """Name the routes."""
        self.turn = 5120
        self.numbers = {key: self.turn + place for place, key in enumerate(self.rows)}
        self.turn += len(self.rows)
        self.on(
            "GET",
            r"/_cluster/health",
            lambda _req: Res(200, {"cluster_name": "wetter", "status": "green", "number_of_nodes": 3}),
        )
        self.on("POST", r"/stationen/_search", self.search)
        self.on("GET", r"/stationen/_doc/(?P<key>\w+)", lambda req, key: Res(200, self.shown(key)))
        self.on("PUT", r"/stationen/_doc/(?P<key>\w+)", self.index)

    def shown(self, key: str) -> dict[str, object]:
        """Return a document."""
        return {
            "_index": "stationen",
            "_id": key,
            "_version": self.rows[key].rev,
            "_seq_no": self.numbers[key],
            "_primary_term": 3,
            "found": True,
            "_source": self.rows[key].data,
        }

    def search(self, req: Req) -> Res:
        """Answer a search."""
        hits = [
            {
                **{
                    name: value
                    for name, value in self.shown(key).items()
                    if name not in {"found", "_version"}
                },
                "_score": 1.0,
            }
            for key in self.rows
        ]
        return Res(
            200,
            {
                "took": 3,
                "timed_out": False,
                "hits": {"total": {"value": len(hits), "relation": "eq"}, "hits": hits},
            },
        )

    def index(self, req: Req, key: str) -> Res:
        """Answer a write."""
        sent = req.query.get("if_seq_no")
        if sent is not None and int(sent) != self.numbers[key]:
            said = f"[{key}]: version conflict, required seqNo [{sent}], primary term [3]. current document has seqNo [{self.numbers[key]}] and primary term [3]"
            cause = {"type": "version_conflict_engine_exception", "reason": said, "index": "stationen"}
            return Res(409, {"error": {"root_cause": [cause], **cause}, "status": 409})
        self.store(key, req.json, "me")
        self.numbers[key], self.turn = self.turn, self.turn + 1
        return Res(
            200,
            {
                "_index": "stationen",
                "_id": key,
                "_version": self.rows[key].rev,
                "result": "updated",
                "_shards": {"total": 2, "successful": 2, "failed": 0},
                "_seq_no": self.numbers[key],
                "_primary_term": 3,
            },
        )
