"""Imitations after their documentation: forges, key stores, clusters and document databases."""

# ruff: noqa: ARG002, E501 - products need not use all they are handed; error texts stand as documented

from __future__ import annotations

import base64
import time
from typing import Any, ClassVar

from tools.recording_apis.apps.noa_engine import Record, Request, Response, digest, stamp
from tools.recording_apis.apps.noa_products import Numbered


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
        fields = {
            "X-Consul-Index": str(made.version),
            "X-Consul-Knownleader": "true",
            "X-Consul-Lastcontact": "0",
        }
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
        return base64.b64encode(request.body).decode()

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
        return self._status(
            409, "Conflict", f"{said}please apply your changes to the latest version and try again"
        )

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
        meta = {
            "@collection": "Orders",
            "@change-vector": self._vector(record),
            "@last-modified": stamp(record.at, 7),
        }
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
