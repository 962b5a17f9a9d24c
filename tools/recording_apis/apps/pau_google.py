# ruff: noqa: ARG002, E501 - an override takes what its base takes; texts are as documented
"""Imitations of Google's and others' APIs whose tokens lie in the body or in an envelope of several requests."""

from __future__ import annotations

import json
from typing import Any

from tools.recording_apis.apps.pau_bodies import based, digest
from tools.recording_apis.apps.pau_engine import Answer, Item, Product, Request, iso, marker, stamp


def google(code: int, status: str, message: str, reason: str = "") -> Answer:
    """Return an error as Google's APIs tell it."""
    error: dict[str, Any] = {"code": code, "message": message}
    if reason:
        error["errors"] = [{"message": message, "domain": "global", "reason": reason}]
    return Answer(code, {"error": {**error, "status": status}}, {"Vary": "Origin, X-Origin, Referer"})


class People(Product):
    """The People API: person.etag in the body."""

    def mint(self, path: str, item: Item) -> str:
        """Return an opaque tag."""
        return f"%EgU{based(f'{path}{item.version}{item.changed}', 12)}"

    def route(self, request: Request) -> Answer:
        """Map updateContact on the person."""
        path = request.path.removesuffix(":updateContact")
        return self.write(request, path) if request.writes else self.read(request, path)

    def sent(self, request: Request) -> Any:
        """Return the etag."""
        return request.json.get("etag")

    def missing(self, request: Request, item: Item | None) -> Answer | None:
        """Insist on it."""
        return google(
            400, "INVALID_ARGUMENT", "Request person.etag or person.metadata.sources.etag must be set."
        )

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Return failedPrecondition."""
        text = "Request person.etag is different than the current person.etag. Clear local cache and get the latest person."
        return google(400, "FAILED_PRECONDITION", text, "failedPrecondition")

    def change(self, request: Request, item: Item | None) -> Any:
        """Merge the fields of the mask."""
        new = {key: one for key, one in request.json.items() if key not in {"etag", "resourceName"}}
        return {**item.data, **new} if item else new

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the person."""
        told = {"resourceName": path.removeprefix("/v1/"), "etag": item.token}
        meta = {
            "sources": [{"type": "CONTACT", "etag": f"#{item.token[4:14]}", "updateTime": iso(item.changed)}]
        }
        return Answer(200, {**told, "metadata": meta, **item.data}, {"Vary": "Origin, X-Origin, Referer"})


class Policies(Product):
    """IAM policies of a project: policy.etag in the body."""

    def mint(self, path: str, item: Item) -> str:
        """Return an etag."""
        return f"BwY{based(f'{path}{item.version}{item.changed}', 6)}="

    def route(self, request: Request) -> Answer:
        """Read and write by POST."""
        path, _, verb = request.path.partition(":")
        if verb == "getIamPolicy":
            return self.show(request, path, self.items[path])
        return self.write(request, path) if verb == "setIamPolicy" else self.read(request, path)

    def sent(self, request: Request) -> Any:
        """Return the etag."""
        return request.json["policy"].get("etag")

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Return ABORTED."""
        text = "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. "
        text += f"The request's ETag '{sent}' did not match the current policy's ETag '{item.token if item else ''}'."
        return google(409, "ABORTED", text)

    def change(self, request: Request, item: Item | None) -> Any:
        """Take the bindings."""
        return {"bindings": request.json["policy"]["bindings"]}

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the policy."""
        return Answer(
            200, {"version": 1, "etag": item.token, **item.data}, {"Vary": "Origin, X-Origin, Referer"}
        )


class Compute(Product):
    """Instances: fingerprint, labelFingerprint and metadata.fingerprint are different things."""

    def print_of(self, what: str, item: Item) -> str:
        """Return a fingerprint of a part."""
        return based(f"{what}{json.dumps(item.data.get(what, item.version))}")

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the instance."""
        told: dict[str, Any] = {
            "kind": "compute#instance",
            "name": path.rpartition("/")[2],
            "status": "RUNNING",
        }
        told |= {"fingerprint": self.print_of("all", item), "labels": item.data["labels"]}
        told |= {
            "labelFingerprint": self.print_of("labels", item),
            "metadata": {
                "kind": "compute#metadata",
                "fingerprint": self.print_of("metadata", item),
                "items": item.data["metadata"],
            },
        }
        return Answer(200, told, {"ETag": f"{digest(str(told), 16)}", "Vary": "Origin, X-Origin, Referer"})

    def route(self, request: Request) -> Answer:
        """Map setLabels and setMetadata on the instance."""
        if not request.writes:
            return self.read(request, request.path)
        path, _, verb = request.path.rpartition("/")
        part = {"setLabels": "labels", "setMetadata": "metadata"}[verb]
        with self.lock:
            item, body = self.items[path], request.json
            sent = body.get("labelFingerprint" if part == "labels" else "fingerprint")
            kind = "labels" if part == "labels" else "metadata"
            if self.checks and sent != self.print_of(part, item):
                message = f"Supplied fingerprint does not match current {kind} fingerprint."
                return google(412, "FAILED_PRECONDITION", message, "conditionNotMet")
            new = body["labels"] if part == "labels" else body["items"]
            self.store(path, {**item.data, part: new}, request.who)
        return Answer(
            200,
            {
                "kind": "compute#operation",
                "name": f"operation-{marker()}",
                "operationType": verb,
                "status": "DONE",
                "progress": 100,
                "targetLink": path,
            },
        )


class Zones(Product):
    """Cloud DNS: a change names the exact records that it removes."""

    def route(self, request: Request) -> Answer:
        """List record sets and take changes."""
        zone = request.path.rpartition("/")[0]
        sets = self.items[zone].data
        if not request.writes:
            named = [one for one in sets if request.query.get("name", one["name"]) == one["name"]]
            return Answer(200, {"kind": "dns#resourceRecordSetsListResponse", "rrsets": named})
        change = request.json
        for number, gone in enumerate(change.get("deletions", [])):
            if {key: gone.get(key) for key in ("name", "type", "ttl", "rrdatas")} not in sets:
                return google(
                    412,
                    "FAILED_PRECONDITION",
                    f"Precondition not met for 'entity.change.deletions[{number}]'",
                    "conditionNotMet",
                )
        kept = [one for one in sets if one not in change.get("deletions", [])]
        self.store(zone, [*kept, *change.get("additions", [])], request.who)
        return Answer(
            200, {"kind": "dns#change", "id": str(self.items[zone].version), "status": "pending", **change}
        )


class Documents(Product):
    """Firestore over REST: currentDocument.updateTime with microseconds."""

    def mint(self, path: str, item: Item) -> str:
        """Return the time."""
        return iso(item.changed)

    def sent(self, request: Request) -> Any:
        """Return the time, or the guard of existence."""
        said = request.query.get("currentDocument.updateTime")
        return said if said is not None else request.query.get("currentDocument.exists")

    def fits(self, sent: Any, item: Item | None) -> bool:
        """Compare."""
        if sent in {"true", "false"}:
            return bool((item is not None) == (sent == "true"))
        return bool(item is not None and sent == item.token)

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Return FAILED_PRECONDITION."""
        if sent == "false":
            return google(409, "ALREADY_EXISTS", f"Document already exists: {path.removeprefix('/v1/')}")
        return google(
            400,
            "FAILED_PRECONDITION",
            f"the stored version ({item.token if item else 0}) does not match the required base version ({sent})",
        )

    def change(self, request: Request, item: Item | None) -> Any:
        """Merge the fields."""
        return {**(item.data if item else {}), **request.json["fields"]}

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the document."""
        born = item.past[0].changed if item.past else item.changed
        return Answer(
            200,
            {
                "name": path.removeprefix("/v1/"),
                "fields": item.data,
                "createTime": iso(born),
                "updateTime": item.token,
            },
        )


class Repository(Product):
    """A forge: files by blob, and the head of their branch."""

    writes = ("PUT",)
    strict = False

    def mint(self, path: str, item: Item) -> str:
        """Return a blob's name."""
        return digest(f"blob {item.data}")

    def head(self) -> str:
        """Return the branch's head."""
        return digest(f"{sorted((key, one.token) for key, one in self.items.items())}")

    def sent(self, request: Request) -> Any:
        """Return sha."""
        return request.json.get("sha")

    def missing(self, request: Request, item: Item | None) -> Answer | None:
        """Insist on it for what exists."""
        if item is None:
            return None
        return Answer(
            422, {"message": 'Invalid request.\n\n"sha" wasn\'t supplied.', "status": "422"}, self.marks()
        )

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Tell both blobs."""
        name = path.partition("/contents/")[2]
        text = f"{name} does not match {sent}" if item else "Not Found"
        return Answer(
            409,
            {
                "message": text,
                "documentation_url": "https://docs.github.com/rest/repos/contents",
                "status": "409",
            },
            self.marks(),
        )

    def marks(self) -> dict[str, str]:
        """Return the fields of every answer."""
        return {
            "X-GitHub-Request-Id": marker()[:20].upper(),
            "X-GitHub-Media-Type": "github.v3; format=json",
            "x-ratelimit-remaining": "4987",
        }

    def change(self, request: Request, item: Item | None) -> Any:
        """Take the content."""
        return request.json["content"]

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the file."""
        name = path.partition("/contents/")[2]
        told = {
            "name": name.rpartition("/")[2],
            "path": name,
            "sha": item.token,
            "size": len(item.data),
            "type": "file",
        }
        return Answer(
            200,
            {**told, "content": item.data, "encoding": "base64"},
            {**self.marks(), "ETag": f'W/"{digest(item.token, 64)}"', "Last-Modified": stamp(item.changed)},
        )

    def done(self, request: Request, path: str, item: Item, created: bool) -> Answer:
        """Return the file and the commit."""
        told = self.show(request, path, item).body
        told.pop("content")
        commit = {
            "sha": self.head(),
            "message": request.json.get("message"),
            "author": {"name": item.by, "date": iso(item.changed, 0)},
        }
        return Answer(201 if created else 200, {"content": told, "commit": commit}, self.marks())
