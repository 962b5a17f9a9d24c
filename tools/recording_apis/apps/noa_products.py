"""Imitations after their documentation: products whose version is a number or travels in the content."""

from __future__ import annotations

import threading
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
    more: ClassVar[dict[str, str]] = {"X-Contentful-Route": "/spaces/:space/entries/:id", "Vary": "Accept-Encoding"}

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
        return Response(412, "0", {**self.validators(record or self.keys()[0]), "Content-Type": "application/json"})

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
        given = {k: v for k, v in request.json.items() if k not in {"version", "id", "lastModifiedAt", "lastModifiedBy"}}
        return {**(old.value if old else {}), **given}

    def missing(self, request: Request, record: Record | None) -> Response | None:
        """Ask for a version, but Square takes the latest."""
        if "square" in self.flags or record is None:
            return None
        return Response(400, {"statusCode": 400, "message": "Must supply an incremented version when updating Content."})

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a number as each product does."""
        now, sent = record.version if record else 0, self._sent(request)
        if "confluence" in self.flags:
            said = "com.atlassian.confluence.api.service.exceptions.api.ConflictException: Version must be incremented on "
            return Response(409, {"statusCode": 409, "message": f"{said}update. Current version is: {now}"})
        if "broadleaf" in self.flags:
            return Response(409, {"type": "STALE_CART_VERSION", "message": f"Cart version {sent} is not current"})
        if "square" in self.flags:
            error = {"category": "INVALID_REQUEST_ERROR", "code": "VERSION_MISMATCH", "field": "version"}
            return Response(409, {"errors": [{**error, "detail": "Object version does not match latest database version."}]})
        if "appdynamics" in self.flags:
            kind = "https://developer.cisco.com/docs/appdynamics/errors/#!version-mismatch"
            body = {"type": kind, "title": "Version mismatch", "status": 409, "currentVersion": now}
            return Response(409, body, {"Content-Type": "application/problem+json"})
        said = f"Object {record.key.rpartition('/')[2] if record else ''} has a different version than expected. "
        error = {"code": "ConcurrentModification", "currentVersion": now}
        return Response(409, {"statusCode": 409, "message": f"{said}Expected: {sent} - Actual: {now}.", "errors": [error]})

    creates: ClassVar[tuple[str, ...]] = ("PUT",)


class Github(Numbered):
    """GitHub contents: ``sha`` of the blob, and the head of the branch."""

    server: ClassVar[str] = "github.com"
    media: ClassVar[str] = "application/json; charset=utf-8"
    more: ClassVar[dict[str, str]] = {"X-GitHub-Media-Type": "github.v3; format=json", "X-RateLimit-Remaining": "4981"}

    def _sha(self, record: Record) -> str:
        return digest([record.value, "blob"], 40)

    def _head(self) -> str:
        return digest([len(steps) for steps in self.history.values()], 40)

    def view(self, record: Record) -> object:
        """Return a file."""
        path = record.key.partition("/contents/")[2]
        return {"name": path.rpartition("/")[2], "path": path, "sha": self._sha(record), "content": record.value}

    def route(self, request: Request) -> Response | None:
        """Commit while another commit runs: the head has moved."""
        if request.method != "PUT":
            return None
        began, old = self._head(), self.seen(request.path)
        if old and request.json.get("sha") != self._sha(old):
            said = f"{old.key.partition('/contents/')[2]} does not match {request.json.get('sha')}"
            return Response(409, {"message": said, "documentation_url": "https://docs.github.com/rest", "status": "409"})
        time.sleep(self.race)
        with self.lock:
            if self._head() != began:
                said = f"is at {self._head()} but expected {began}"
                return Response(409, {"message": said, "documentation_url": "https://docs.github.com/rest", "status": "409"})
            made = self.keep(request.path, request.json["content"], request.who)
        commit = {"sha": self._head(), "message": request.json["message"]}
        return Response(200 if old else 201, {"content": self.view(made), "commit": commit})


class Consul(Numbered):
    """Consul's key-value store: ``cas``, and 200 with ``false`` when it does not hold."""

    server: ClassVar[str] = "Consul"
    media: ClassVar[str] = "application/json"

    def first(self, key: str) -> int:
        """Return an index."""
        return 2200 + len(key)

    def step(self, old: Record) -> int:
        """Return the growth of the index."""
        return 7 + len(old.key) % 4

    def read(self, request: Request) -> Response:
        """Return an entry."""
        made = self.seen(request.path, time.time() - self.lag)
        if made is None:
            return Response(404)
        name = made.key.removeprefix("/v1/kv/")
        entry = {"LockIndex": 0, "Key": name, "Flags": 0, "Value": made.value, "CreateIndex": 2100}
        fields = {"X-Consul-Index": str(made.version), "X-Consul-Knownleader": "true", "X-Consul-Lastcontact": "0"}
        return Response(200, [{**entry, "ModifyIndex": made.version}], fields)

    def asks(self, request: Request) -> bool:
        """Return whether there is an index."""
        return "cas" in request.query

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare the index."""
        return request.query["cas"] == (str(record.version) if record else "0")

    def refused(self, request: Request, record: Record | None) -> Response:
        """Answer false."""
        return Response(200, b"false", {"Content-Type": "application/json"})

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take the octets, coded."""
        return __import__("base64").b64encode(request.body).decode()

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer true."""
        return Response(200, b"true", {"Content-Type": "application/json"})


class Kubernetes(Numbered):
    """Kubernetes: ``metadata.resourceVersion``."""

    server: ClassVar[str] = "kube-apiserver"
    media: ClassVar[str] = "application/json"
    more: ClassVar[dict[str, str]] = {"Audit-Id": "5d7a", "X-Kubernetes-Pf-Flowschema-Uid": "0a31c2"}

    def first(self, key: str) -> int:
        """Return a revision."""
        return 1_884_300 + len(key)

    def step(self, old: Record) -> int:
        """Return how far the store went on."""
        return 11 + len(old.key) % 7

    def view(self, record: Record) -> object:
        """Return an object."""
        name = record.key.rpartition("/")[2]
        manager = {"manager": record.by, "operation": "Update", "time": stamp(record.at, 0)}
        meta = {"name": name, "resourceVersion": str(record.version), "managedFields": [manager]}
        return {**record.value, "metadata": {**record.value.get("metadata", {}), **meta}}

    def asks(self, request: Request) -> bool:
        """Return whether there is a version."""
        return bool(request.json.get("metadata", {}).get("resourceVersion"))

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare versions."""
        return record is not None and request.json["metadata"]["resourceVersion"] == str(record.version)

    def _status(self, code: int, reason: str, message: str) -> Response:
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        return Response(code, {**body, "message": message, "reason": reason, "code": code})

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a version."""
        kind, name = self.key(request).split("/")[-2:]
        said = f'Operation cannot be fulfilled on {kind} "{name}": the object has been modified; '
        return self._status(409, "Conflict", f"{said}please apply your changes to the latest version and try again")

    def absent(self, request: Request) -> Response:
        """Answer when there is no such object."""
        kind, name = self.key(request).split("/")[-2:]
        return self._status(404, "NotFound", f'{kind} "{name}" not found')

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take an object without what the server writes."""
        made = super().taken(request, old)
        own = {"resourceVersion", "managedFields", "name"}
        return {**made, "metadata": {k: v for k, v in made.get("metadata", {}).items() if k not in own}}

    def route(self, request: Request) -> Response | None:
        """List with pages whose token the store forgets soon, and refuse it then."""
        if request.method != "GET" or request.path.split("/")[-1] not in {"pods", "configmaps"}:
            return None
        token = request.query.get("continue")
        if token and time.time() - float(token.partition(".")[2].replace("-", ".")) > 2:
            said = "The provided continue parameter is too old to display a consistent list result. You can start a new "
            return self._status(410, "Expired", f"{said}list without the continue parameter.")
        size, begin = int(request.query.get("limit", "500")), int(token.partition(".")[0]) if token else 0
        found = [self.view(one) for one in self.keys(f"{request.path}/")]
        meta: dict[str, object] = {"resourceVersion": "1884399"}
        if begin + size < len(found):
            born = token.partition(".")[2] if token else f"{time.time():.3f}".replace(".", "-")
            meta["continue"] = f"{begin + size}.{born}"
        return Response(200, {"kind": "List", "metadata": meta, "items": found[begin : begin + size]})


class Raven(Numbered):
    """RavenDB: change vectors of several nodes."""

    server: ClassVar[str] = "Kestrel"
    media: ClassVar[str] = "application/json; charset=utf-8"

    def _vector(self, record: Record) -> str:
        return f"A:{record.version + 1190}-{digest('node-A', 22)}, B:{record.version + 1171}-{digest('node-B', 22)}"

    def view(self, record: Record) -> object:
        """Return documents."""
        meta = {"@collection": "Orders", "@change-vector": self._vector(record), "@last-modified": stamp(record.at, 7)}
        name = record.key.partition("id=")[2]
        return {"Results": [{**record.value, "@metadata": {**meta, "@id": name}}]}

    def key(self, request: Request) -> str:
        """Return the document."""
        return f"{request.path}?id={request.query['id']}"

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the vector as a tag."""
        return {"ETag": f'"{self._vector(record)}"', "Raven-Server-Version": "6.2"}

    def asks(self, request: Request) -> bool:
        """Return whether there is a vector."""
        return "if-match" in request.fields

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare vectors."""
        return record is not None and request.fields["if-match"].strip('"') == self._vector(record)

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse with both vectors."""
        now, asked = self._vector(record) if record else "", request.fields["if-match"].strip('"')
        name = request.query["id"]
        said = f"Document {name} has change vector {now}, but Put was called with change vector {asked}. "
        kind = "Voron.Exceptions.VoronConcurrencyErrorException"
        body = {"Url": request.path, "Type": kind, "Message": f"{said}Optimistic concurrency violation"}
        return Response(409, {**body, "ActualChangeVector": now, "ExpectedChangeVector": asked})

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer with the new vector."""
        return Response(201, {"Id": request.query["id"], "ChangeVector": self._vector(record)})

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take a document."""
        return {k: v for k, v in request.json.items() if k != "@metadata"}


def later(seconds: float, what: Any) -> None:
    """Do something after a while."""
    threading.Timer(seconds, what).start()
