"""Keys and carts: etcd v2, Consul, cart versions, AppDynamics."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from typing import TYPE_CHECKING, ClassVar

from tools.simulation.messages import Request, Response
from tools.simulation.store import Condition

if TYPE_CHECKING:
    from tools.simulation.kernel import World
    from tools.simulation.messages import Document
    from tools.simulation.store import Entry
from tools.simulation.dialects.versioned import Versioned


class Etcd(Versioned):
    """etcd v2: prevIndex in the query, form bodies."""

    id: ClassVar[str] = "etcd-v2"
    fronted = False
    numeric_token = True
    demands = False
    servers = ("etcd",)
    clients = ("go", "curl", "requests")
    hosts = ("etcd-0.internal.example:2379", "config.internal.example:2379")
    told_at = "node.modifiedIndex"
    sent_query = "prevIndex"
    mismatch_status = 412
    exists_status = 412
    guards_creation = True
    action = "set"

    def url(self, key: str) -> str:
        """Return the URL of a key."""
        return f"{self.origin_url}/v2/keys/{self.topic.noun}/{key}"

    def whole(self, document: Document, key: str, tag: str) -> dict[str, object]:
        """The node."""
        number = int(tag) if tag.isdigit() else 0
        return {
            "action": "get",
            "node": {
                "key": f"/{self.topic.noun}/{key}",
                "value": json.dumps(document),
                "modifiedIndex": number,
                "createdIndex": 12,
            },
        }

    def sent(self, key: str, document: Document, token: str | None) -> str:
        """Return the value as a form."""
        del key, token
        return "value=" + urllib.parse.quote_plus(json.dumps(document))

    def write(self, key: str, document: Document, token: str | None, base: Document | None = None) -> Request:
        """PUT a form."""
        request = super().write(key, document, token, base)
        request.fields = [
            (name, "application/x-www-form-urlencoded" if name == "Content-Type" else value)
            for name, value in request.fields
        ]
        return request

    def create(self, key: str, document: Document, *, guarded: bool = True) -> Request:
        """PUT with prevExist=false."""
        more = "?prevExist=false" if guarded else ""
        return Request(
            "PUT",
            self.url(key) + more,
            [("Content-Type", "application/x-www-form-urlencoded")],
            self.sent(key, document, None),
            dict(document),
        )

    def condition(self, request: Request) -> Condition | None:
        """PrevExist or prevIndex."""
        if "prevExist=false" in request.url:
            self.action = "create"
            return Condition("absent", field="prevExist")
        found = super().condition(request)
        self.action = "compareAndSwap" if found else "set"
        return found

    def present(self, entry: Entry, tag: str | None, modified: str | None) -> Response:
        """Return a node with the store's index."""
        return _indexed(super().present(entry, tag, modified))

    def accepted(self, entry: Entry, tag: str | None, modified: str | None, *, created: bool) -> Response:
        """Return the node with what was done."""
        answer = super().accepted(entry, tag, modified, created=created)
        if isinstance(answer.body, str):
            answer.body = answer.body.replace('"action": "get"', f'"action": "{self.action}"')
            answer.fields = [one for one in answer.fields if one[0] != "Content-Length"]
            answer.fields.append(("Content-Length", str(len(answer.body.encode()))))
        return _indexed(answer)

    def json_answer(self, status: int, body: str, media: str = "application/json") -> Response:
        """Return an answer with the store's index."""
        return _indexed(super().json_answer(status, body, media))

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 with errorCode 101 or 105; 404 with 100."""
        path = f"/{self.topic.noun}/{entry.key if entry else ''}"
        sent = condition.values[0] if condition and condition.values else ""
        rows = {
            "exists": (412, 105, "Key already exists", path),
            "gone": (404, 100, "Key not found", path),
            "malformed": (400, 203, "The given index in POST form is not a number", "CompareAndSwap"),
        }
        status, code, text, cause = rows.get(why, (412, 101, "Compare failed", f"[{sent} != {tag}]"))
        return self.json_answer(
            status,
            json.dumps(
                {
                    "errorCode": code,
                    "message": text,
                    "cause": cause,
                    "index": int(tag or 0) if (tag or "0").isdigit() else 0,
                }
            ),
        )

    def absent(self) -> Response:
        """404 with errorCode 100."""
        return self.json_answer(
            404,
            json.dumps(
                {"errorCode": 100, "message": "Key not found", "cause": f"/{self.topic.noun}", "index": 90}
            ),
        )


def _indexed(answer: Response) -> Response:
    numbers = re.findall(r'"(?:modifiedIndex|index)": (\d+)', str(answer.body))
    if numbers and answer.field("X-Etcd-Index") is None:
        answer.fields.append(("X-Etcd-Index", max(numbers, key=int)))
    return answer


class Consul(Versioned):
    """Consul KV: cas in the query, 200 with `false` on mismatch."""

    id: ClassVar[str] = "consul-kv"
    fronted = False
    demands = False
    servers = ("consul",)
    clients = ("go", "curl", "php", "requests")
    hosts = ("consul.internal.example:8500",)
    told_at = "ModifyIndex"
    sent_query = "cas"
    mismatch_status = 200
    exists_status = 200
    guards_creation = True

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.answer = "bare"

    def url(self, key: str) -> str:
        """Return the URL of a key."""
        return f"{self.origin_url}/v1/kv/{self.topic.noun}/{key}"

    def content(self, entry: Entry, tag: str) -> str:
        """A list with one entry, its value in base64."""
        value = base64.b64encode(json.dumps(entry.document).encode()).decode()
        return json.dumps(
            [
                {
                    "LockIndex": 0,
                    "Key": f"{self.topic.noun}/{entry.key}",
                    "Flags": 0,
                    "Value": value,
                    "CreateIndex": 70,
                    "ModifyIndex": int(tag) if tag.isdigit() else 0,
                }
            ]
        )

    def sent(self, key: str, document: Document, token: str | None) -> str:
        """The value."""
        del key, token
        return json.dumps(document)

    def create(self, key: str, document: Document, *, guarded: bool = True) -> Request:
        """cas=0."""
        return Request(
            "PUT",
            self.url(key) + ("?cas=0" if guarded else ""),
            [("Content-Type", "application/json")],
            json.dumps(document),
            dict(document),
        )

    def condition(self, request: Request) -> Condition | None:
        """cas=0 means absent."""
        if request.url.endswith("cas=0"):
            return Condition("absent", field="cas")
        return super().condition(request)

    def accepted(self, entry: Entry, tag: str | None, modified: str | None, *, created: bool) -> Response:
        """`true`, no index."""
        del entry, tag, modified, created
        return self.json_answer(200, "true")

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """`false` with 200; 400 for what is no number."""
        del condition, entry, tag
        return (
            self.json_answer(400, "Invalid cas value", "text/plain")
            if why == "malformed"
            else self.json_answer(200, "false")
        )

    def absent(self) -> Response:
        """404, empty."""
        return Response(404, [("Content-Length", "0")])


class Cart(Versioned):
    """A shop's cart: X-Cart-Version."""

    id: ClassVar[str] = "cart-version"
    creates = False
    numeric_token = True
    hosts = ("shop.example.test", "store-api.acme.example")
    clients = ("axios", "chrome", "okhttp", "php", "undici")
    sent_field = "X-Cart-Version"

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """409."""
        del condition, entry, tag
        text = {
            "required": "The cart version is required",
            "malformed": "The cart version must be a number",
        }.get(why, "The cart was changed by another request. Reload the cart and try again.")
        return self.json_answer(
            400 if why == "malformed" else 409,
            json.dumps(
                {"type": "/errors/cart-version-mismatch", "title": "Conflict", "status": 409, "detail": text}
            ),
            "application/problem+json",
        )


class CurrentVersion(Versioned):
    """problem+json with the current version (Cisco AppDynamics)."""

    id: ClassVar[str] = "appdynamics"
    creates = False
    demands = False
    hosts = ("acme.saas.appdynamics.example",)
    sent_at = "version"
    refusal_tells = True

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """409 with currentVersion."""
        del entry
        sent = condition.values[0] if condition and condition.values else None
        if why != "mismatch":
            return self.json_answer(
                409 if why == "exists" else 400,
                json.dumps(
                    {"type": "https://developer.cisco.com/errors#!invalid", "title": "Invalid", "status": 400}
                ),
                "application/problem+json",
            )
        body = {
            "type": "https://developer.cisco.com/errors#!version-mismatch",
            "title": "Version mismatch",
            "status": 409,
            "detail": f"The submitted version {sent} does not match the current one",
            "currentVersion": int(tag or 0),
        }
        return self.json_answer(409, json.dumps(body), "application/problem+json")
