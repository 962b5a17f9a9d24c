# ruff: noqa: ARG002 - an override takes what its base takes; error texts are as documented
"""Imitations of APIs whose version travels in the body, in the query or in a field of their own."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any

from tools.recording_apis.apps.pau_engine import Answer, Item, Product, Request, iso, marker


def digest(text: str, length: int = 40) -> str:
    """Return a hex digest of a text."""
    return hashlib.sha1(text.encode()).hexdigest()[:length]  # noqa: S324 - as git has it


def based(text: str, length: int = 8) -> str:
    """Return a short opaque token in base64."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:length]).decode()


class Kubernetes(Product):
    """The API server of a cluster: metadata.resourceVersion."""

    def store(self, path: str, data: Any, by: str, moment: float | None = None) -> Item:
        """Store under the next version of the whole cluster."""
        with self.lock:
            self.counter += 3
            item = super().store(path, data, by, moment)
            item.version = self.counter
            meta = {**data.get("metadata", {}), "resourceVersion": str(self.counter)}
            meta["managedFields"] = [{"manager": by, "operation": "Update", "time": iso(item.changed, 0)}]
            item.data = {**data, "metadata": meta}
            item.token = str(self.counter)
        return item

    def sent(self, request: Request) -> Any:
        """Return metadata.resourceVersion of the body or of the preconditions."""
        body = request.json
        said = body if request.method != "DELETE" else {"metadata": body.get("preconditions", {})}
        return said.get("metadata", {}).get("resourceVersion") if isinstance(said, dict) else None

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Return the Status of a conflict."""
        *_, group, _, _, _, kind, name = f"x/x/x/{path}".split("/")
        resource = f"{kind}.{group}" if group not in {"api", "x"} else kind
        if item is None:
            return self.absent(request, path)
        message = f'Operation cannot be fulfilled on {resource} "{name}": the object has been modified; '
        message += "please apply your changes to the latest version and try again"
        return status_of(409, "Conflict", message, {"name": name, "group": group, "kind": kind})

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the object."""
        return Answer(200, item.data, {"Audit-Id": marker(), "Cache-Control": "no-cache, private"})

    def change(self, request: Request, item: Item | None) -> Any:
        """Take the body, or merge it."""
        new = request.json
        if item is None or request.method != "PATCH":
            return new
        merged = {**item.data, **{key: one for key, one in new.items() if key != "metadata"}}
        for key, one in new.items():
            if isinstance(one, dict) and isinstance(item.data.get(key), dict):
                merged[key] = {**item.data[key], **one}
        return merged

    def absent(self, request: Request, path: str) -> Answer:
        """Return the Status of what is not there."""
        kind, name = path.split("/")[-2:]
        return status_of(404, "NotFound", f'{kind} "{name}" not found', {"name": name, "kind": kind})

    def listing(self, request: Request, path: str, children: dict[str, Item]) -> Answer:
        """Return a list under the cluster's version."""
        items = [one.data for one in children.values()]
        meta = {"resourceVersion": str(self.counter)}
        return Answer(200, {"kind": "List", "apiVersion": "v1", "metadata": meta, "items": items})


def status_of(code: int, reason: str, message: str, details: dict[str, str]) -> Answer:
    """Return Kubernetes' Status."""
    told = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    return Answer(code, {**told, "reason": reason, "details": details, "code": code}, {"Audit-Id": marker()})


class Confluence(Product):
    """Confluence's content: version.number is the next one."""

    def mint(self, path: str, item: Item) -> str:
        """Return the number."""
        return str(item.version)

    def sent(self, request: Request) -> Any:
        """Return version.number."""
        return request.json.get("version", {}).get("number")

    def fits(self, sent: Any, item: Item | None) -> bool:
        """Compare with the next number."""
        return item is not None and sent == item.version + 1

    def missing(self, request: Request, item: Item | None) -> Answer | None:
        """Insist on it."""
        return Answer(
            400, {"statusCode": 400, "message": "Must supply an incremented version when updating Content."}
        )

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Return the conflict."""
        message = f"Version must be incremented on update. Current version is: {item.version if item else 0}"
        data = {"authorized": False, "valid": True, "errors": [], "successful": False}
        return Answer(409, {"statusCode": 409, "data": data, "message": message, "reason": "Conflict"})

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the page."""
        version = {"by": {"username": item.by}, "when": iso(item.changed, 3), "number": item.version}
        body = {"id": path.rpartition("/")[2], "type": "page", "status": "current"}
        full = {**body, "title": item.data["title"], "version": version, "body": item.data["body"]}
        if request.query.get("expand") == "version":
            full.pop("body")
        return Answer(
            200, full, {"X-AREQUESTID": marker()[:12], "X-Confluence-Request-Time": str(int(time.time()))}
        )


class Commercetools(Product):
    """commercetools: version in the body, updates as actions by POST."""

    writes = ("POST",)

    def mint(self, path: str, item: Item) -> str:
        """Return the number."""
        return str(item.version)

    def sent(self, request: Request) -> Any:
        """Return version."""
        return request.json.get("version") if request.path in self.items else None

    def missing(self, request: Request, item: Item | None) -> Answer | None:
        """Insist on it."""
        return (
            None
            if item is None
            else Answer(
                400,
                {
                    "statusCode": 400,
                    "message": "Request body does not contain valid JSON.",
                    "errors": [
                        {
                            "code": "InvalidJsonInput",
                            "detailedErrorMessage": "version: Missing required value",
                        }
                    ],
                },
            )
        )

    def fits(self, sent: Any, item: Item | None) -> bool:
        """Compare the numbers."""
        return item is not None and sent == item.version

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Return ConcurrentModification."""
        current = item.version if item else 0
        name = path.rpartition("/")[2]
        message = (
            f"Object {name} has a different version than expected. Expected: {sent} - Actual: {current}."
        )
        error = {"code": "ConcurrentModification", "message": message, "currentVersion": current}
        return Answer(
            409, {"statusCode": 409, "message": message, "errors": [error]}, {"X-Correlation-ID": marker()}
        )

    def change(self, request: Request, item: Item | None) -> Any:
        """Apply the actions."""
        data = dict(item.data) if item else {}
        for action in request.json.get("actions", []):
            name = action["action"]
            if name == "addLineItem":
                data["lineItems"] = [
                    *data.get("lineItems", []),
                    {key: action[key] for key in ("sku", "quantity")},
                ]
            elif name == "changeLineItemQuantity":
                data["lineItems"] = [
                    {**one, "quantity": action["quantity"]} if one["sku"] == action["sku"] else one
                    for one in data["lineItems"]
                ]
            else:
                data[name.removeprefix("set")] = {key: one for key, one in action.items() if key != "action"}
        return data

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the resource."""
        by = {"clientId": item.by}
        body = {
            "type": "Cart",
            "id": path.rpartition("/")[2],
            "version": item.version,
            "lastModifiedAt": iso(item.changed, 3),
            "lastModifiedBy": by,
        }
        return Answer(200, {**body, **item.data}, {"X-Correlation-ID": marker()})


class Contentful(Product):
    """Contentful's management API: X-Contentful-Version."""

    media = "application/vnd.contentful.management.v1+json"

    def mint(self, path: str, item: Item) -> str:
        """Return the number."""
        return str(item.version)

    def sent(self, request: Request) -> Any:
        """Return the field."""
        return request.fields.get("x-contentful-version")

    def missing(self, request: Request, item: Item | None) -> Answer | None:
        """Insist on it for what exists."""
        return None if item is None else self._mismatch("Please pass sys.version as HTTP header")

    def _mismatch(self, message: str = "") -> Answer:
        error = {"requestId": marker(), "sys": {"type": "Error", "id": "VersionMismatch"}}
        return Answer(409, {**error, "message": message} if message else error)

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Return VersionMismatch."""
        return self._mismatch()

    def change(self, request: Request, item: Item | None) -> Any:
        """Take the fields; publishing keeps them."""
        if request.path.endswith("/published") and item:
            return {**item.data, "_published": item.version}
        return request.json

    def route(self, request: Request) -> Answer:
        """Publish under the entry's own path."""
        base = request.path.removesuffix("/published")
        return self.read(request, base) if not request.writes else self.write(request, base)

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the entry."""
        by = {"sys": {"type": "Link", "linkType": "User", "id": item.by}}
        system = {
            "id": path.rpartition("/")[2],
            "type": "Entry",
            "version": item.version,
            "updatedAt": iso(item.changed, 3),
            "updatedBy": by,
        }
        if "_published" in item.data:
            system["publishedVersion"] = item.data["_published"]
        return Answer(
            200, {"sys": system, "fields": item.data.get("fields", {})}, {"X-Contentful-Request-Id": marker()}
        )


class Consul(Product):
    """Consul's key store: ?cas= with true and false."""

    writes = ("PUT",)

    def store(self, path: str, data: Any, by: str, moment: float | None = None) -> Item:
        """Store under the next index of the cluster."""
        with self.lock:
            self.counter += 2
            item = super().store(path, data, by, moment)
            item.version, item.token = self.counter, str(self.counter)
        return item

    def sent(self, request: Request) -> Any:
        """Return cas."""
        return request.query.get("cas")

    def fits(self, sent: Any, item: Item | None) -> bool:
        """Compare the index; 0 is for what is not there."""
        return bool(sent == (item.token if item else "0"))

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Say false."""
        return Answer(200, "false\n")

    def change(self, request: Request, item: Item | None) -> Any:
        """Take the octets."""
        return request.body.decode("utf-8")

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the entry with its value in base64."""
        value = base64.b64encode(item.data.encode()).decode()
        created = item.past[0].version if item.past else item.version
        entry = {"LockIndex": 0, "Key": path.removeprefix("/v1/kv/"), "Flags": 0, "Value": value}
        entry |= {"CreateIndex": created, "ModifyIndex": item.version}
        return Answer(
            200,
            [entry],
            {
                "X-Consul-Index": str(self.counter),
                "X-Consul-Knownleader": "true",
                "X-Consul-Lastcontact": "0",
            },
        )

    def done(self, request: Request, path: str, item: Item, created: bool) -> Answer:
        """Say true."""
        return Answer(200, "true\n")

    def absent(self, request: Request, path: str) -> Answer:
        """Say nothing."""
        return Answer(404, b"", {"X-Consul-Index": str(self.counter)})


class Elasticsearch(Product):
    """Documents with if_seq_no and if_primary_term."""

    writes = ("PUT", "POST")
    media = "application/json"

    def store(self, path: str, data: Any, by: str, moment: float | None = None) -> Item:
        """Store under the next sequence number of the index."""
        with self.lock:
            self.counter += 1
            item = super().store(path, data, by, moment)
            item.token = str(self.counter)
            item.version = len(item.past) + 1
        return item

    def sent(self, request: Request) -> Any:
        """Return if_seq_no."""
        return request.query.get("if_seq_no")

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Return version_conflict_engine_exception."""
        name = path.rpartition("/")[2]
        term = request.query.get("if_primary_term", "1")
        seen = (
            f"current document has seqNo [{item.token}] and primary term [1]"
            if item
            else "but no document was found"
        )
        reason = f"[{name}]: version conflict, required seqNo [{sent}], primary term [{term}]. {seen}"
        index = path.split("/")[1]
        cause = {
            "type": "version_conflict_engine_exception",
            "reason": reason,
            "index_uuid": "Yx7aP0dGS0W",
            "shard": "0",
            "index": index,
        }
        return Answer(
            409,
            {"error": {"root_cause": [cause], **cause}, "status": 409},
            {"X-elastic-product": "Elasticsearch"},
        )

    def change(self, request: Request, item: Item | None) -> Any:
        """Take the source."""
        return request.json

    def _head(self, path: str, item: Item) -> dict[str, Any]:
        index, _, name = path.strip("/").split("/")
        return {
            "_index": index,
            "_id": name,
            "_version": item.version,
            "_seq_no": int(item.token),
            "_primary_term": 1,
        }

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the document."""
        body = {**self._head(path, item), "found": True, "_source": item.data}
        return Answer(200, body, {"X-elastic-product": "Elasticsearch"})

    def done(self, request: Request, path: str, item: Item, created: bool) -> Answer:
        """Return the result."""
        shards = {"total": 2, "successful": 2, "failed": 0}
        told = {**self._head(path, item), "result": "created" if created else "updated", "_shards": shards}
        return Answer(201 if created else 200, told, {"X-elastic-product": "Elasticsearch"})

    def absent(self, request: Request, path: str) -> Answer:
        """Say found: false."""
        parts = path.strip("/").split("/")
        return Answer(404, {"_index": parts[0], "_id": parts[-1], "found": False})


class Zotero(Product):
    """A library with one version; If-Unmodified-Since-Version."""

    patches = ("PATCH",)

    def store(self, path: str, data: Any, by: str, moment: float | None = None) -> Item:
        """Store under the library's next version."""
        with self.lock:
            self.counter += 1
            item = super().store(path, data, by, moment)
            item.version, item.token = self.counter, str(self.counter)
        return item

    def sent(self, request: Request) -> Any:
        """Return the field, or the property of the item."""
        return request.fields.get("if-unmodified-since-version")

    def missing(self, request: Request, item: Item | None) -> Answer | None:
        """Insist on it."""
        return Answer(428, "If-Unmodified-Since-Version not provided", {"Content-Type": "text/plain"})

    def fits(self, sent: Any, item: Item | None) -> bool:
        """Compare with the library."""
        return int(sent) >= self.counter

    def refuse(self, request: Request, path: str, item: Item | None, sent: Any) -> Answer:
        """Tell both versions."""
        text = f"Library has been modified since specified version (expected {sent}, found {self.counter})"
        return Answer(412, text, {"Content-Type": "text/plain", "Last-Modified-Version": str(self.counter)})

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the item."""
        name = path.rpartition("/")[2]
        library = {"type": "group", "id": 4417, "name": "Coastal archaeology"}
        body = {
            "key": name,
            "version": item.version,
            "library": library,
            "data": {"key": name, "version": item.version, **item.data},
        }
        return Answer(200, body, {"Last-Modified-Version": str(item.version), "Zotero-API-Version": "3"})

    def done(self, request: Request, path: str, item: Item, created: bool) -> Answer:
        """Say nothing but the version."""
        return Answer(204, b"", {"Last-Modified-Version": str(item.version), "Zotero-API-Version": "3"})

    def listing(self, request: Request, path: str, children: dict[str, Item]) -> Answer:
        """Return the items, or 304."""
        known = request.fields.get("if-modified-since-version")
        lines = {
            "Last-Modified-Version": str(self.counter),
            "Total-Results": str(len(children)),
            "Zotero-API-Version": "3",
        }
        if known is not None and int(known) >= self.counter:
            return Answer(304, b"", lines)
        since = int(request.query.get("since", "0"))
        told = [self.show(request, key, one).body for key, one in children.items() if one.version > since]
        return Answer(200, told, lines)
