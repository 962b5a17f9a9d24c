"""Imitations after their documentation: products whose version is a number or travels in the content."""

# ruff: noqa: ARG002, E501 - products need not use all they are handed; error texts stand as documented

from __future__ import annotations

import time
from typing import Any, ClassVar

from tools.recording_apis.apps.noa_engine import Api, Record, Request, Response, digest, stamp


class Numbered(Api):
    """APIs without entity tags."""

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return none."""
        del record, request
        return {}


class Contentful(Numbered):
    """Contentful's management API: ``X-Contentful-Version``, 409 VersionMismatch."""

    server: ClassVar[str] = "Contentful"
    media: ClassVar[str] = "application/vnd.contentful.management.v1+json"
    more: ClassVar[dict[str, str]] = {
        "X-Contentful-Route": "/spaces/:space/entries/:id",
        "Vary": "Accept-Encoding",
    }

    def key(self, request: Request) -> str:
        """Return the entry."""
        return request.path.removesuffix("/published")

    def view(self, record: Record) -> object:
        """Return an entry with its system properties."""
        system = {"type": "Entry", "id": record.key.rpartition("/")[2], "version": record.version}
        user = {"sys": {"type": "Link", "linkType": "User", "id": record.by}}
        return {"sys": {**system, "updatedAt": stamp(record.at), "updatedBy": user}, **record.value}

    def asks(self, request: Request) -> bool:
        """Return whether there is a version."""
        return "x-contentful-version" in request.fields

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare versions."""
        return record is not None and request.fields["x-contentful-version"] == str(record.version)

    def _error(self, status: int, name: str, **more: object) -> Response:
        body = {"sys": {"type": "Error", "id": name}, "requestId": digest(time.time(), 32), **more}
        return Response(status, body)

    def missing(self, request: Request, record: Record | None) -> Response | None:
        """Ask for the version of what is there."""
        said = "Please pass sys.version of the latest version you have seen as X-Contentful-Version."
        return self._error(409, "VersionMismatch", message=said) if record else None

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a version."""
        return self._error(409, "VersionMismatch")

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take the fields; to publish changes none."""
        if request.path.endswith("/published") and old:
            return old.value
        return {"fields": request.json["fields"]}


class Box(Api):
    """Box: bare numbers in ``if-match``, the tag in the body."""

    server: ClassVar[str] = "ATS"
    media: ClassVar[str] = "application/json"

    def tag(self, record: Record, request: Request | None = None) -> str:
        """Return the number of the version, counted from 0."""
        return str(record.version - 1)

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the tag in the field too, as Box does for files."""
        return {"ETag": self.tag(record), "box-request-id": digest([record.at, "b"], 19)}

    def view(self, record: Record) -> object:
        """Return a file."""
        name = record.key.rpartition("/")[2]
        by = {"type": "user", "id": digest(record.by, 6), "name": record.by}
        head = {"type": "file", "id": name, "etag": self.tag(record), "sequence_id": str(record.version)}
        return {**head, **record.value, "modified_at": stamp(record.at, 0), "modified_by": by}

    def _error(self, status: int, code: str, message: str) -> Response:
        body = {"type": "error", "status": status, "code": code, "message": message}
        return Response(status, {**body, "request_id": digest(time.time(), 16)})

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a number."""
        said = "The resource has been modified. Please retrieve the resource again and retry"
        return self._error(412, "precondition_failed", said)

    def absent(self, request: Request) -> Response:
        """Answer when there is no such file."""
        return self._error(404, "not_found", "Not Found")

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take a change."""
        return {**(old.value if old else {}), **request.json}


class Elastic(Numbered):
    """Elasticsearch: ``if_seq_no`` and ``if_primary_term``; ``_update`` reads and writes on its own."""

    server: ClassVar[str] = "elasticsearch"
    media: ClassVar[str] = "application/json"
    more: ClassVar[dict[str, str]] = {"X-elastic-product": "Elasticsearch"}
    creates: ClassVar[tuple[str, ...]] = ("PUT", "POST")

    def first(self, key: str) -> int:
        """Return a number of the shard."""
        return 400 + len(key)

    def step(self, old: Record) -> int:
        """Return the growth."""
        return 1 + len(old.key) % 3

    def _name(self, record: Record) -> dict[str, object]:
        index, _, name = record.key.strip("/").partition("/_doc/")
        return {"_index": index, "_id": name, "_version": record.version - 380}

    def key(self, request: Request) -> str:
        """Return the document."""
        return request.path.replace("/_update/", "/_doc/")

    def view(self, record: Record) -> object:
        """Return a document."""
        own = {**self._name(record), "_seq_no": record.version, "_primary_term": 2}
        return {**own, "found": True, "_source": record.value}

    def route(self, request: Request) -> Response | None:
        """Answer searches, and updates that another one overtakes."""
        if request.path.endswith("/_search"):
            hits = [{**self._name(one), "_score": 1.0, "_source": one.value} for one in self.keys()]
            return Response(200, {"took": 3, "timed_out": False, "hits": {"hits": hits}})
        if request.method != "POST" or "/_update/" not in request.path:
            return None
        return self._update(request)

    def _update(self, request: Request) -> Response:
        key = self.key(request)
        read = self.seen(key)
        if read is None:
            return self.absent(request)
        time.sleep(self.race)
        with self.lock:
            now = self.seen(key)
            if now is None or now.version != read.version:
                return self._conflict(key, read.version, now)
            made = self.keep(key, {**read.value, **request.json["doc"]}, request.who)
        return self.done(request, made, read)

    def _conflict(self, key: str, wanted: object, now: Record | None) -> Response:
        name = key.rpartition("/")[2]
        said = f"[{name}]: version conflict, required seqNo [{wanted}], primary term [2]. "
        said += f"current document has seqNo [{now.version if now else -2}] and primary term [2]"
        cause = {"type": "version_conflict_engine_exception", "reason": said, "shard": "0"}
        return Response(409, {"error": {"root_cause": [cause], **cause}, "status": 409})

    def asks(self, request: Request) -> bool:
        """Return whether there is a number."""
        return "if_seq_no" in request.query

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare the pair."""
        pair = (request.query["if_seq_no"], request.query.get("if_primary_term"))
        return record is not None and pair == (str(record.version), "2")

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse with both numbers."""
        return self._conflict(self.key(request), request.query["if_seq_no"], record)

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer with the new number."""
        own = {**self._name(record), "result": "updated" if old else "created"}
        shards = {"_shards": {"total": 2, "successful": 2, "failed": 0}}
        return Response(200 if old else 201, {**own, **shards, "_seq_no": record.version, "_primary_term": 2})


class Zotero(Numbered):
    """Zotero: one version for the library, ``If-Unmodified-Since-Version``."""

    server: ClassVar[str] = "Apache"
    media: ClassVar[str] = "application/json"

    def _library(self, at: float | None = None) -> int:
        steps = [step for steps in self.history.values() for step in steps]
        return 7300 + len([1 for moment, _ in steps if at is None or moment <= at])

    def keep(self, key: str, value: Any, by: str) -> Record:
        """Store a version under the library's number."""
        made = super().keep(key, value, by)
        made.version = self._library()
        return made

    def first(self, key: str) -> int:
        """Return an old number of the library."""
        return 7200 + len(key)

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the version."""
        return {"Last-Modified-Version": str(record.version), "Zotero-API-Version": "3"}

    def route(self, request: Request) -> Response | None:
        """List what is newer."""
        if request.method != "GET" or not request.path.endswith("/items"):
            return None
        fields = {"Last-Modified-Version": str(self._library()), "Zotero-API-Version": "3"}
        known = request.fields.get("if-modified-since-version")
        if known and int(known) >= self._library():
            return Response(304, b"", fields)
        since = int(request.query.get("since", "0"))
        found = [self.view(one) for one in self.keys(f"{request.path}/") if one.version > since]
        return Response(200, found, {**fields, "Total-Results": str(len(found))})

    def view(self, record: Record) -> object:
        """Return an item."""
        name = record.key.rpartition("/")[2]
        return {"key": name, "version": record.version, "data": {"key": name, **record.value}}

    def asks(self, request: Request) -> bool:
        """Return whether there is a version."""
        return "if-unmodified-since-version" in request.fields

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare with the item, or with the library where the flag says so."""
        now = self._library() if "library" in self.flags else record.version if record else 0
        return int(request.fields["if-unmodified-since-version"]) >= now

    def missing(self, request: Request, record: Record | None) -> Response | None:
        """Ask for a version."""
        return Response(428, "If-Unmodified-Since-Version not provided")

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse with both versions."""
        now = self._library() if "library" in self.flags else record.version if record else 0
        asked = request.fields["if-unmodified-since-version"]
        thing = "Library" if "library" in self.flags else "Item"
        said = f"{thing} has been modified since specified version (expected {asked}, found {now})"
        return Response(412, said, {"Last-Modified-Version": str(self._library())})

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take a change."""
        return {**(old.value if old else {}), **{k: v for k, v in request.json.items() if k != "version"}}

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer without content."""
        return Response(204, b"", self.validators(record))


class Sync(Numbered):
    """Firefox Sync 1.5: ``X-If-Unmodified-Since`` in seconds with two digits, for a collection."""

    server: ClassVar[str] = "nginx"
    media: ClassVar[str] = "application/json"
    creates: ClassVar[tuple[str, ...]] = ("PUT", "POST")

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the time of the last change."""
        weave = {"X-Weave-Timestamp": f"{time.time():.2f}"}
        return {"X-Last-Modified": f"{record.at:.2f}", **weave}

    def asks(self, request: Request) -> bool:
        """Return whether there is a time."""
        return "x-if-unmodified-since" in request.fields

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare decimals."""
        limit = float(request.fields["x-if-unmodified-since"])
        return record is None or float(f"{record.at:.2f}") <= limit

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse with 0."""
        return Response(
            412, "0", {**self.validators(record or self.keys()[0]), "Content-Type": "application/json"}
        )

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take objects into the collection."""
        names = {one["id"] for one in request.json}
        return [one for one in (old.value if old else []) if one["id"] not in names] + request.json

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer with what was taken."""
        body = {"modified": round(record.at, 2), "success": [one["id"] for one in request.json], "failed": {}}
        return Response(200, body, self.validators(record))


class Bodied(Numbered):
    """Products with a number in the content: Confluence, commercetools, Broadleaf, Square, AppDynamics."""

    server: ClassVar[str] = "nginx"
    media: ClassVar[str] = "application/json"

    def view(self, record: Record) -> object:
        """Return the thing with its version."""
        name = record.key.rpartition("/")[2]
        if "confluence" in self.flags:
            version = {"number": record.version, "when": stamp(record.at), "by": {"displayName": record.by}}
            return {"id": name, "type": "page", "status": "current", **record.value, "version": version}
        member = {"lastModifiedAt": stamp(record.at), "lastModifiedBy": {"user": record.by}}
        return {"id": name, "version": record.version, **member, **record.value}

    def _sent(self, request: Request) -> Any:
        if "x-cart-version" in request.fields:
            return request.fields["x-cart-version"]
        said = request.json.get("version")
        return said.get("number") if isinstance(said, dict) else said

    def asks(self, request: Request) -> bool:
        """Return whether there is a version."""
        return "x-cart-version" in request.fields or "version" in request.json

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare with the current number, or with the next one for Confluence."""
        if record is None:
            return True
        wanted = record.version + 1 if "confluence" in self.flags else record.version
        return str(self._sent(request)) == str(wanted)

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take a change."""
        given = {
            k: v
            for k, v in request.json.items()
            if k not in {"version", "id", "lastModifiedAt", "lastModifiedBy"}
        }
        return {**(old.value if old else {}), **given}

    def missing(self, request: Request, record: Record | None) -> Response | None:
        """Ask for a version, but Square takes the latest."""
        if "square" in self.flags or record is None:
            return None
        return Response(
            400, {"statusCode": 400, "message": "Must supply an incremented version when updating Content."}
        )

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a number as each product does."""
        now, sent = record.version if record else 0, self._sent(request)
        if "confluence" in self.flags:
            said = "com.atlassian.confluence.api.service.exceptions.api.ConflictException: Version must be incremented on "
            return Response(409, {"statusCode": 409, "message": f"{said}update. Current version is: {now}"})
        if "broadleaf" in self.flags:
            return Response(
                409, {"type": "STALE_CART_VERSION", "message": f"Cart version {sent} is not current"}
            )
        if "square" in self.flags:
            error = {"category": "INVALID_REQUEST_ERROR", "code": "VERSION_MISMATCH", "field": "version"}
            return Response(
                409,
                {"errors": [{**error, "detail": "Object version does not match latest database version."}]},
            )
        if "appdynamics" in self.flags:
            kind = "https://developer.cisco.com/docs/appdynamics/errors/#!version-mismatch"
            body = {"type": kind, "title": "Version mismatch", "status": 409, "currentVersion": now}
            return Response(409, body, {"Content-Type": "application/problem+json"})
        said = f"Object {record.key.rpartition('/')[2] if record else ''} has a different version than expected. "
        conflict: dict[str, object] = {"code": "ConcurrentModification", "currentVersion": now}
        return Response(
            409,
            {"statusCode": 409, "message": f"{said}Expected: {sent} - Actual: {now}.", "errors": [conflict]},
        )

    creates: ClassVar[tuple[str, ...]] = ("PUT",)
