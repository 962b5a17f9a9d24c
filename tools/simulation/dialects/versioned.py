"""Dialects whose token is a member of the body, a query argument or a field of their own."""

from __future__ import annotations

import json
import urllib.parse
from typing import TYPE_CHECKING, ClassVar, cast

from tools.simulation.messages import Request, Response, get
from tools.simulation.skin import Skin
from tools.simulation.store import Condition

if TYPE_CHECKING:
    from tools.simulation.kernel import World
    from tools.simulation.messages import Answer, Document, Fields
    from tools.simulation.store import Entry


def dig(value: object, path: str) -> object:
    """Return what stands at a dotted path of a JSON value, None when nothing does."""
    for name in path.split("."):
        if isinstance(value, list):
            value = cast("list[object]", value)[0] if value else None
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, object]", value).get(name)
    return value


class Versioned(Skin):
    """A JSON API with a token of its own.

    Attributes:
        told_at: dotted path of the token in a read.
        sent_at: dotted path of the token in a write; empty when it is in a header or the query.
        sent_field: header that carries the token; empty when it is in the body or the query.
        sent_query: query argument that carries the token.
        numeric: the token is a number.
        step: what is added to the current version when it is sent.
    """

    told_at: ClassVar[str] = "version"
    sent_at: ClassVar[str] = ""
    sent_field: ClassVar[str] = ""
    sent_query: ClassVar[str] = ""
    numeric: ClassVar[bool] = True
    step: ClassVar[int] = 0
    mismatch_status: ClassVar[int] = 409
    exists_status: ClassVar[int] = 409
    missing_status: ClassVar[int] = 409
    token_field: ClassVar[str] = "version"
    guards_creation: ClassVar[bool] = False
    body_tokens: ClassVar[bool] = True
    guards_presence: ClassVar[bool] = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.patch, self.dates, self.answer, self.cache_control = False, False, "full", None
        self.origin_url = f"https://{self.host}"

    def whole(self, document: Document, key: str, tag: str) -> dict[str, object]:
        """Return the resource as JSON, with its token."""
        token: object = int(tag) if self.numeric and tag.isdigit() else tag
        return {"id": key, **document, "version": token}

    def tag(self, entry: Entry) -> str:
        """The version number."""
        return str(entry.version)

    def validators(self, tag: str | None, modified: str | None) -> Fields:
        """None in header fields."""
        del tag, modified
        return []

    def content(self, entry: Entry, tag: str) -> str:
        """The resource."""
        return json.dumps(self.whole(entry.document, entry.key, tag))

    def token_of(self, answer: Answer) -> str | None:
        """The token at its path."""
        if not isinstance(answer, Response) or not isinstance(answer.body, str) or answer.status >= 300:
            return None
        try:
            found = dig(json.loads(answer.body), self.told_at)
        except ValueError:
            return None
        return None if found is None else str(found)

    def sent(self, key: str, document: Document, token: str | None) -> str:
        """The resource with the token where this API wants it."""
        shown = token
        if token is not None and self.step and token.isdigit():
            shown = str(int(token) + self.step)
        body = self.whole(document, key, shown or "")
        if not self.sent_at or shown is None:
            _drop(body, self.sent_at or self.told_at)
        return json.dumps(body)

    def guard(self, request: Request, token: str | None) -> Request:
        """Put the token into its header field or query argument."""
        if token is None:
            return request
        if self.sent_field:
            request.fields = [*request.fields, (self.sent_field, token)]
        if self.sent_query:
            joint = "&" if "?" in request.url else "?"
            request.url += f"{joint}{self.sent_query}={urllib.parse.quote(token)}"
        return request

    def condition(self, request: Request) -> Condition | None:
        """The token as sent."""
        if request.method in {"GET", "HEAD"}:
            return None
        if request.document is not None and request.document.get("_create"):
            return Condition("absent")
        value = self.presented(request)
        if value is None:
            return None
        if self.step and value.isdigit():
            value = str(int(value) - self.step)
        known = value.isdigit() if self.numeric else bool(value)
        return Condition(
            "match" if known else "malformed-match",
            (value,),
            field=self.sent_field or self.sent_at or self.sent_query,
        )

    def presented(self, request: Request) -> str | None:
        """Return the token of a write as text, None when there is none."""
        if self.sent_field:
            return get(request.fields, self.sent_field)
        if self.sent_query:
            query = dict(
                urllib.parse.parse_qsl(urllib.parse.urlsplit(request.url).query, keep_blank_values=True)
            )
            return query.get(self.sent_query)
        if not isinstance(request.body, str):
            return None
        found = dig(json.loads(request.body), self.sent_at)
        return None if found in {None, ""} else str(found)

    def create(self, key: str, document: Document, *, guarded: bool = True) -> Request:
        """A POST to the collection."""
        del guarded
        body = self.whole(document, key, "")
        _drop(body, self.told_at)
        return Request(
            "POST",
            self.url(key).rsplit("/", 1)[0],
            [*self.writes, ("Content-Type", "application/json")],
            json.dumps(body),
            {"_create": key, **document},
        )

    def operation(self, request: Request) -> tuple[str, str]:
        """As REST; a create carries its key in the body."""
        if request.document is not None and "_create" in request.document:
            return "create", str(request.document["_create"])
        return super().operation(request)

    def unwrap(self, request: Request) -> Document:
        """The document without the mark of a create."""
        return {name: value for name, value in (request.document or {}).items() if name != "_create"}


def _drop(body: dict[str, object], path: str) -> None:
    *parents, last = path.split(".")
    place: object = body
    for name in parents:
        place = cast("dict[str, object]", place).get(name, {})
    if isinstance(place, dict):
        cast("dict[str, object]", place).pop(last, None)


class Elasticsearch(Versioned):
    """if_seq_no and if_primary_term in the query."""

    id: ClassVar[str] = "elasticsearch"
    numeric_token = True
    demands = False
    servers = ("elastic",)
    clients = ("elasticpy", "java", "curl")
    hosts = ("es.search.example:9200", "logs-es.internal.example:9200")
    told_at = "_seq_no"

    def url(self, key: str) -> str:
        """Return the URL of a document."""
        return f"{self.origin_url}/{self.topic.noun}/_doc/{key}"

    def whole(self, document: Document, key: str, tag: str) -> dict[str, object]:
        """The hit."""
        number = int(tag) if tag.isdigit() else 0
        return {
            "_index": self.topic.noun,
            "_id": key,
            "_version": number // 3 + 1,
            "_seq_no": number,
            "_primary_term": 1,
            "found": True,
            "_source": document,
        }

    def sent(self, key: str, document: Document, token: str | None) -> str:
        """The source."""
        del key, token
        return json.dumps(document)

    def guard(self, request: Request, token: str | None) -> Request:
        """Both numbers in the query."""
        if token is not None:
            request.url += f"?if_seq_no={token}&if_primary_term=1"
        return request

    def presented(self, request: Request) -> str | None:
        """if_seq_no."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.url).query, keep_blank_values=True))
        return query.get("if_seq_no")

    def accepted(self, entry: Entry, tag: str | None, modified: str | None, *, created: bool) -> Response:
        """The result with the new numbers."""
        del modified
        number = int(tag or 0)
        body = {
            "_index": self.topic.noun,
            "_id": entry.key,
            "_version": number // 3 + 1,
            "result": "created" if created else "updated",
            "_shards": {"total": 2, "successful": 1, "failed": 0},
            "_seq_no": number,
            "_primary_term": 1,
        }
        return self.json_answer(201 if created else 200, json.dumps(body))

    def create(self, key: str, document: Document, *, guarded: bool = True) -> Request:
        """PUT _create."""
        del guarded
        url = self.url(key).replace("/_doc/", "/_create/")
        return Request(
            "PUT",
            url,
            [("Content-Type", "application/json")],
            json.dumps(document),
            {"_create": key, **document},
        )

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """409 version_conflict_engine_exception."""
        key = entry.key if entry else ""
        if why == "malformed":
            return self.json_answer(
                400,
                json.dumps(
                    {
                        "error": {
                            "type": "illegal_argument_exception",
                            "reason": "Failed to parse long parameter [if_seq_no] with value ["
                            + (condition.values[0] if condition else "")
                            + "]",
                        },
                        "status": 400,
                    }
                ),
            )
        sent = condition.values[0] if condition and condition.values else ""
        text = (
            f"[{key}]: version conflict, document already exists (current version [{tag}])"
            if why == "exists"
            else f"[{key}]: version conflict, required seqNo [{sent}], primary term [1]. current document has seqNo [{tag}] and primary term [1]"
        )
        cause = {
            "type": "version_conflict_engine_exception",
            "reason": text,
            "index_uuid": "aAsFqTI0Tc2W0LCWgPNrOA",
            "shard": "0",
            "index": self.topic.noun,
        }
        return self.json_answer(409, json.dumps({"error": {"root_cause": [cause], **cause}, "status": 409}))


class Kubernetes(Versioned):
    """metadata.resourceVersion in the body."""

    id: ClassVar[str] = "kubernetes"
    fronted = False
    demands = False
    servers = ("kube",)
    clients = ("kubectl", "controller", "go", "terraform")
    hosts = ("10.96.0.1", "k8s.prod.example:6443")
    told_at = "metadata.resourceVersion"
    sent_at = "metadata.resourceVersion"
    plural = ("configmaps", "configmaps")

    def new_key(self) -> str:
        """A DNS label."""
        return (
            self.world.rng.choice(("checkout", "billing", "search", "edge", "mailer"))
            + f"-{self.world.rng.randrange(2, 99)}"
        )

    def url(self, key: str) -> str:
        """Return the URL of an object."""
        return f"{self.origin_url}/api/v1/namespaces/shop/configmaps/{key}"

    def tag(self, entry: Entry) -> str:
        """The resource version."""
        return str(182000 + entry.version * 7)

    def whole(self, document: Document, key: str, tag: str) -> dict[str, object]:
        """The object."""
        data = {name: str(value) for name, value in document.items()}
        return {
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "metadata": {
                "name": key,
                "namespace": "shop",
                "uid": f"5b1f2c9e-0000-4000-8000-{sum(map(ord, key)):012d}",
                "resourceVersion": tag,
            },
            "data": data,
        }

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """409 Conflict or AlreadyExists."""
        del condition, tag
        name = entry.key if entry else ""
        if why == "malformed":
            return self._status(
                400,
                "BadRequest",
                "metadata.resourceVersion: Invalid value: must be an unsigned integer",
                name,
            )
        if why == "exists":
            return self._status(409, "AlreadyExists", f'configmaps "{name}" already exists', name)
        text = f'Operation cannot be fulfilled on configmaps "{name}": the object has been modified; please apply your changes to the latest version and try again'
        return self._status(409, "Conflict", text, name)

    def absent(self) -> Response:
        """404 NotFound."""
        return self._status(404, "NotFound", "configmaps not found", "")

    def _status(self, code: int, reason: str, text: str, name: str) -> Response:
        return self.json_answer(
            code,
            json.dumps(
                {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "metadata": {},
                    "status": "Failure",
                    "message": text,
                    "reason": reason,
                    "details": {"name": name, "kind": "configmaps"},
                    "code": code,
                }
            ),
        )
