"""Imitations of products whose version goes in a query, in the content or in a field of their own."""

# ruff: noqa: ARG002, E501 - a product need not look at all that it is given; what it says is one sentence on a line
from __future__ import annotations

import time
from typing import Any

from tools.recording_apis.apps.tom_engine import Item, Product, Reply, Request, digest, instant


class Numbered(Product):
    """Items whose writes carry a number.

    ``demands`` is the status for a write without one, ``trusts`` takes writes without one.
    """

    validators = False
    demands = 0

    def number(self, _path: str, item: Item) -> str:
        """Return the current number as it is compared."""
        return str(item.version)

    def sent(self, request: Request) -> str | None:
        """Return the number that a request carries."""
        version = (request.json or {}).get("version") if request.body else None
        return None if version is None else str(version)

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None."""
        sent = self.sent(request)
        if item is None:
            return None
        if sent is None:
            return self.demand(request) if self.demands else None
        return None if sent == self.number(request.path, item) else self.refuse(request, item)

    def demand(self, _request: Request) -> Reply:
        """Answer a write without a number."""
        return Reply(self.demands, {"message": "version is required"})

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the new content without its version."""
        new = super().merged(request, old)
        return (
            {name: value for name, value in new.items() if name != "version"}
            if isinstance(new, dict)
            else new
        )

    def body(self, path: str, item: Item) -> Any:
        """Return an item with its number."""
        return {"id": path.rpartition("/")[2], "version": item.version, **item.body}


class Kubernetes(Numbered):
    """Kubernetes objects: ``metadata.resourceVersion``, 409 Conflict."""

    server = "istio-envoy"
    first = 48213

    def number(self, path: str, item: Item) -> str:
        """Return a resource version."""
        return str(item.version * 7 + int(digest(path, 2), 16))

    def sent(self, request: Request) -> str | None:
        """Return ``metadata.resourceVersion`` of a PUT."""
        if not request.body or request.method == "DELETE":
            return None
        found: str | None = request.json.get("metadata", {}).get("resourceVersion")
        return found

    def body(self, path: str, item: Item) -> Any:
        """Return an object."""
        meta = dict(item.body.get("metadata", {}))
        meta |= {
            "resourceVersion": self.number(path, item),
            "uid": f"{digest(path, 8)}-0c4e-4d77-9f10-{digest(path, 12)}",
        }
        meta["managedFields"] = [
            {"manager": item.by, "operation": "Update", "time": instant(item.changed)[:19] + "Z"}
        ]
        return {**item.body, "metadata": meta}

    def listed(self, request: Request, below: Any) -> Reply:
        """Answer a list with its resource version."""
        shown = [self.body(path, item) for path, item in below.items()]
        newest = str(max(int(self.number(path, item)) for path, item in below.items()))
        return Reply(
            200, {"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": newest}, "items": shown}
        )

    def refuse(self, request: Request, _item: Item | None) -> Reply:
        """Answer 409 Conflict."""
        kind, name = request.path.split("/")[-2:]
        said = f'Operation cannot be fulfilled on {kind} "{name}": the object has been modified; please apply your changes to the latest version and try again'
        return Reply(409, self.status("Conflict", 409, said, {"name": name, "kind": kind}))

    def gone(self, request: Request) -> Reply:
        """Answer 404 NotFound."""
        kind, name = request.path.split("/")[-2:]
        return Reply(
            404, self.status("NotFound", 404, f'{kind} "{name}" not found', {"name": name, "kind": kind})
        )

    def status(self, reason: str, code: int, said: str, details: Any = None) -> Any:
        """Return a Status object."""
        shown = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        return {
            **shown,
            "message": said,
            "reason": reason,
            **({"details": details} if details else {}),
            "code": code,
        }


class Contentful(Numbered):
    """Contentful's management API: ``X-Contentful-Version``, 409 VersionMismatch."""

    server = "Contentful"
    kind = "application/vnd.contentful.management.v1+json"
    demands = 409

    def sent(self, request: Request) -> str | None:
        """Return the version of the field."""
        return request.fields.get("x-contentful-version")

    def body(self, path: str, item: Item) -> Any:
        """Return an entry."""
        by = {"sys": {"type": "Link", "linkType": "User", "id": item.by}}
        system = {
            "id": path.rpartition("/")[2],
            "type": "Entry",
            "version": item.version,
            "updatedAt": instant(item.changed)[:23] + "Z",
            "updatedBy": by,
        }
        return {"sys": system, "fields": item.body["fields"]}

    def answer(self, request: Request) -> Reply:
        """Serve ``/published``, which counts the version on."""
        entry = request.path.removesuffix("/published")
        if entry != request.path and entry in self.items and request.method == "PUT":
            item = self.items[entry]
            if self.sent(request) != str(item.version):
                return self.refuse(request, item)
            made = self.store(entry, item.body, request.user)
            shown = self.body(entry, made)
            shown["sys"]["publishedVersion"] = item.version
            return Reply(200, shown)
        return super().answer(request)

    def demand(self, request: Request) -> Reply:
        """Answer 409: the version is to be passed."""
        return self.refuse(request, None)

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 409."""
        return Reply(
            409, {"sys": {"type": "Error", "id": "VersionMismatch"}, "requestId": digest(_request.target, 24)}
        )


class Wiki(Numbered):
    """Confluence: the content carries the next number."""

    server = "AtlassianEdge"
    demands = 400

    def number(self, _path: str, item: Item) -> str:
        """Return the next number, which is the one to send."""
        return str(item.version + 1)

    def sent(self, request: Request) -> str | None:
        """Return ``version.number``."""
        number = (request.json or {}).get("version", {}).get("number")
        return None if number is None else str(number)

    def body(self, path: str, item: Item) -> Any:
        """Return a page."""
        version = {
            "number": item.version,
            "by": {"publicName": item.by},
            "when": instant(item.changed)[:23] + "Z",
        }
        return {"id": path.rpartition("/")[2], "type": "page", **item.body, "version": version}

    def refuse(self, _request: Request, item: Item | None) -> Reply:
        """Answer 409."""
        now = item.version if item else 0
        said = f"com.atlassian.confluence.api.service.exceptions.api.ConflictException: Version must be incremented on update. Current version is: {now}"
        return Reply(
            409,
            {"statusCode": 409, "data": {"authorized": False, "valid": True, "errors": []}, "message": said},
        )


class Search(Numbered):
    """Elasticsearch documents: ``if_seq_no`` and ``if_primary_term``, and updates that check inside.

    ``inner`` is how long an update takes between its own read and its write.
    """

    server = ""
    first = 120
    inner = 0.0

    def sent(self, request: Request) -> str | None:
        """Return the sequence number of the query."""
        return request.query.get("if_seq_no")

    def body(self, path: str, item: Item) -> Any:
        """Return a document with its numbers."""
        _, index, _, name = path.split("/")
        head = {
            "_index": index,
            "_id": name,
            "_version": item.version - 110,
            "_seq_no": item.version,
            "_primary_term": 2,
        }
        return {**head, "found": True, "_source": item.body}

    def saved(self, request: Request, item: Item, created: bool) -> Reply:
        """Answer with the numbers."""
        shown = {
            name: value
            for name, value in self.body(request.path, item).items()
            if name[0] == "_" and name != "_source"
        }
        return Reply(
            201 if created else 200,
            {
                **shown,
                "result": "created" if created else "updated",
                "_shards": {"total": 2, "successful": 2, "failed": 0},
            },
        )

    def answer(self, request: Request) -> Reply:
        """Serve ``_update``: a read, a merge and a guarded write inside."""
        if "/_update/" not in request.path:
            return super().answer(request)
        path = request.path.replace("/_update/", "/_doc/")
        base = self.items[path]
        if self.inner:
            time.sleep(self.inner)
        with self.lock:
            item = self.items[path]
            inner = Request("PUT", path, request.fields, b"")
            if item.version != base.version:
                return self.refuse(
                    Request("PUT", f"{path}?if_seq_no={base.version}", request.fields, b""), item
                )
            made = self.store(path, {**item.body, **request.json["doc"]}, request.user)
            return self.saved(inner, made, created=False)

    def gone(self, request: Request) -> Reply:
        """Answer that it was not found."""
        _, index, _, name = request.path.split("/")
        return Reply(404, {"_index": index, "_id": name, "found": False})

    def refuse(self, request: Request, item: Item | None) -> Reply:
        """Answer 409 version_conflict_engine_exception."""
        _, index, _, name = request.path.split("/")
        now = item.version if item else -2
        said = f"[{name}]: version conflict, required seqNo [{request.query.get('if_seq_no')}], primary term [2]. current document has seqNo [{now}] and primary term [2]"
        cause = {
            "type": "version_conflict_engine_exception",
            "reason": said,
            "index_uuid": digest(index, 22),
            "shard": "0",
            "index": index,
        }
        return Reply(409, {"error": {"root_cause": [cause], **cause}, "status": 409})


class Couch(Numbered):
    """CouchDB: ``_rev`` in the content or the query, databases by PUT."""

    server = "CouchDB/3.3.3 (Erlang OTP/25)"

    def number(self, path: str, item: Item) -> str:
        """Return the revision."""
        return f"{item.version}-{digest((path, item.version, item.body))}"

    def head(self, path: str, item: Item) -> dict[str, str]:
        """Return the revision as a tag."""
        return {"ETag": f'"{self.number(path, item)}"'}

    def sent(self, request: Request) -> str | None:
        """Return the revision of the content or of the query."""
        if request.body:
            found: str | None = request.json.get("_rev", "")
            return found
        return request.query.get("rev", "")

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the members of the document itself."""
        return {name: value for name, value in request.json.items() if name not in {"_rev", "_id"}}

    def body(self, path: str, item: Item) -> Any:
        """Return a document."""
        return {"_id": path.rpartition("/")[2], "_rev": self.number(path, item), **item.body}

    def answer(self, request: Request) -> Reply:
        """Serve PUT of a database: 201, or 412 when it is there."""
        if request.method == "PUT" and request.path.count("/") == 1:
            if any(path.startswith(request.path + "/") for path in self.items):
                said = "The database could not be created, the file already exists."
                return Reply(412, {"error": "file_exists", "reason": said})
            self.store(f"{request.path}/_local", {}, request.user)
            return Reply(201, {"ok": True})
        return super().answer(request)

    def saved(self, request: Request, item: Item, created: bool) -> Reply:
        """Answer with the revision."""
        return Reply(
            201,
            {"ok": True, "id": request.path.rpartition("/")[2], "rev": self.number(request.path, item)},
            self.head(request.path, item),
        )

    def gone(self, request: Request) -> Reply:
        """Answer that it is missing."""
        return Reply(404, {"error": "not_found", "reason": "missing"})

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 409."""
        return Reply(409, {"error": "conflict", "reason": "Document update conflict."})
