"""Imitations of shops, repositories, key stores and libraries with versions of their own."""

# ruff: noqa: ARG002, E501 - a product need not look at all that it is given; what it says is one sentence on a line
from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.tom_body import Numbered
from tools.recording_apis.apps.tom_engine import Item, Product, Reply, Request, digest, instant

if TYPE_CHECKING:
    from collections.abc import Mapping


class Commerce(Numbered):
    """commercetools: POST with ``version`` and actions."""

    server = "istio-envoy"
    demands = 400

    def merged(self, request: Request, old: Item | None) -> Any:
        """Apply the actions: each sets what it names."""
        new = dict(old.body) if old else {}
        for action in request.json.get("actions", []):
            new |= {name: value for name, value in action.items() if name != "action"}
        return new

    def body(self, path: str, item: Item) -> Any:
        """Return a resource."""
        shown = {"lastModifiedAt": instant(item.changed)[:23] + "Z", "lastModifiedBy": {"clientId": item.by}}
        return {"id": path.rpartition("/")[2], "version": item.version, **shown, **item.body}

    def refuse(self, request: Request, item: Item | None) -> Reply:
        """Answer 409 ConcurrentModification."""
        now = item.version if item else 0
        said = f"Object {request.path.rpartition('/')[2]} has a different version than expected. Expected: {self.sent(request)} - Actual: {now}."
        one = {"code": "ConcurrentModification", "message": said, "currentVersion": now}
        return Reply(409, {"statusCode": 409, "message": said, "errors": [one]})


class Square(Numbered):
    """Square's orders: sparse updates with ``version``."""

    server = "envoy"

    def sent(self, request: Request) -> str | None:
        """Return the order's version."""
        version = request.json["order"].get("version") if request.body else None
        return None if version is None else str(version)

    def merged(self, request: Request, old: Item | None) -> Any:
        """Merge the order."""
        return {
            **(old.body if old else {}),
            **{name: value for name, value in request.json["order"].items() if name != "version"},
        }

    def body(self, path: str, item: Item) -> Any:
        """Return an order."""
        return {
            "order": {
                "id": path.rpartition("/")[2],
                **item.body,
                "version": item.version,
                "updated_at": instant(item.changed)[:23] + "Z",
            }
        }

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 409 VERSION_MISMATCH."""
        return Reply(
            409,
            {
                "errors": [
                    {
                        "category": "INVALID_REQUEST_ERROR",
                        "code": "VERSION_MISMATCH",
                        "detail": "Object version does not match latest database version.",
                        "field": "order.version",
                    }
                ]
            },
        )


class Cart(Numbered):
    """Broadleaf's carts: ``X-Cart-Version``."""

    server = "openresty"

    def sent(self, request: Request) -> str | None:
        """Return the version of the field."""
        return request.fields.get("x-cart-version")

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 409."""
        return Reply(
            409,
            {
                "type": "CART_VERSION_CONFLICT",
                "title": "Conflict",
                "message": "The cart has been modified since it was read.",
            },
        )


class Files(Numbered):
    """GitLab's repository files: ``last_commit_id``."""

    server = "nginx"
    demands = 0

    def number(self, path: str, item: Item) -> str:
        """Return the last commit."""
        return digest((path, item.version), 40)

    def sent(self, request: Request) -> str | None:
        """Return ``last_commit_id``."""
        found: str | None = (request.json or {}).get("last_commit_id")
        return found

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the text."""
        return {"content": request.json["content"]}

    def body(self, path: str, item: Item) -> Any:
        """Return a file with its last commit."""
        text = base64.b64encode(item.body["content"].encode()).decode()
        name = path.rpartition("/")[2]
        return {
            "file_name": name,
            "ref": "main",
            "content": text,
            "encoding": "base64",
            "last_commit_id": self.number(path, item),
        }

    def saved(self, request: Request, item: Item, created: bool) -> Reply:
        """Answer without the commit."""
        return Reply(200, {"file_path": request.path.rpartition("/")[2], "branch": "main"})

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 400."""
        return Reply(
            400,
            {"message": "You are attempting to update a file that has changed since you started editing it."},
        )


class Keys(Numbered):
    """Consul's keys: ``cas`` in the query, 200 with ``false``."""

    server = ""
    first = 3200

    def sent(self, request: Request) -> str | None:
        """Return the index of the query."""
        return request.query.get("cas")

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the text."""
        return request.body.decode()

    def read(self, request: Request, item: Item) -> Reply:
        """Answer a list with one key."""
        value = base64.b64encode(str(item.body).encode()).decode()
        one = {
            "LockIndex": 0,
            "Key": request.path.removeprefix("/v1/kv/"),
            "Flags": 0,
            "Value": value,
            "CreateIndex": 3100,
            "ModifyIndex": item.version,
        }
        return Reply(
            200,
            [one],
            {
                "X-Consul-Index": str(item.version),
                "X-Consul-Effective-Consistency": "leader",
                "Vary": "Accept-Encoding",
            },
        )

    def saved(self, request: Request, item: Item, created: bool) -> Reply:
        """Answer true."""
        return Reply(200, True)

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 200 with false."""
        return Reply(200, False)


class Library(Product):
    """Zotero: one version for the whole library."""

    server = "Apache/2.4.58 (Ubuntu)"
    validators = False
    count = 4410

    def __init__(self, items: Mapping[str, Any], **habits: Any) -> None:
        super().__init__(items, **habits)
        self.stamps: dict[str, int] = dict.fromkeys(items, 4371)

    def store(self, path: str, body: Any, by: str) -> Item:
        """Store a new version of an object under the library's next version."""
        self.stamps[path] = self.count + 1
        return super().store(path, body, by)

    def head(self, path: str, item: Item) -> dict[str, str]:
        """Return the library's version."""
        return {"Last-Modified-Version": str(self.count)}

    def body(self, path: str, item: Item) -> Any:
        """Return an object of the library."""
        key = path.rpartition("/")[2]
        return {"key": key, "version": self.stamps[path], "data": {"key": key, **item.body}}

    def listed(self, request: Request, below: Any) -> Reply:
        """Answer a list under the library's version."""
        return Reply(
            200,
            [self.body(path, item) for path, item in below.items()],
            {"Last-Modified-Version": str(self.count), "Total-Results": str(len(below))},
        )

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None."""
        sent = request.fields.get("if-unmodified-since-version")
        if sent is None:
            return Reply(428, "If-Unmodified-Since-Version not provided", {"Content-Type": "text/plain"})
        return self.refuse(request, item) if int(sent) < self.count else None

    def saved(self, request: Request, item: Item, created: bool) -> Reply:
        """Count the library on and answer 204."""
        self.count += 1
        return Reply(204, None, self.head(request.path, item))

    def refuse(self, request: Request, _item: Item | None) -> Reply:
        """Answer 412."""
        sent = request.fields.get("if-unmodified-since-version")
        said = f"Library has been modified since specified version (expected {sent}, found {self.count})"
        return Reply(
            412, said, {"Content-Type": "text/plain; charset=utf-8", "Last-Modified-Version": str(self.count)}
        )


class Fastly(Numbered):
    """Fastly's KV store: ``if-generation-match``."""

    server = "control-edge"
    first = 1745000000000001

    def sent(self, request: Request) -> str | None:
        """Return the generation of the field."""
        return request.fields.get("if-generation-match")

    def head(self, path: str, item: Item) -> dict[str, str]:
        """Return the generation."""
        return {"Generation": str(item.version)}

    def body(self, path: str, item: Item) -> Any:
        """Return the value."""
        return item.body

    def refuse(self, request: Request, _item: Item | None) -> Reply:
        """Answer 412."""
        return Reply(
            412,
            {
                "title": "Precondition Failed",
                "detail": "generation does not match",
                "type": "https://www.fastly.com/documentation/errors",
            },
        )


class Raven(Numbered):
    """RavenDB: change vectors."""

    server = "Kestrel"
    first = 4471

    def number(self, path: str, item: Item) -> str:
        """Return the change vector."""
        return f"A:{item.version}-{digest('node', 20)}"

    def sent(self, request: Request) -> str | None:
        """Return the change vector of If-Match."""
        value = request.fields.get("if-match")
        return value.strip('"') if value is not None else None

    def head(self, path: str, item: Item) -> dict[str, str]:
        """Return the change vector as a tag."""
        return {"ETag": f'"{self.number(path, item)}"'}

    def body(self, path: str, item: Item) -> Any:
        """Return a document with its metadata."""
        meta = {
            "@collection": "Berths",
            "@id": path.rpartition("/")[2],
            "@change-vector": self.number(path, item),
            "@last-modified": instant(item.changed),
        }
        return {**item.body, "@metadata": meta}

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the document without its metadata."""
        return {name: value for name, value in request.json.items() if name != "@metadata"}

    def refuse(self, request: Request, item: Item | None) -> Reply:
        """Answer 409 naming both vectors."""
        now = self.number(request.path, item) if item else "null"
        said = f"Document {request.path.rpartition('/')[2]} has change vector '{now}', but Put was called with change vector '{self.sent(request)}'. Optimistic concurrency violation, transaction will be aborted."
        return Reply(
            409,
            {
                "Type": "Voron.Exceptions.VoronConcurrencyErrorException",
                "Message": said,
                "ActualChangeVector": now,
                "ExpectedChangeVector": self.sent(request),
            },
        )
