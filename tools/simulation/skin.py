"""The plain REST dialect: tags in ETag and If-Match. Other dialects change parts of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from tools.simulation import topics
from tools.simulation.messages import Request, Response, get, http_date
from tools.simulation.software import PROGRAMS, REST_SERVERS, SERVERS
from tools.simulation.store import Condition, Entry, opaque, parse_date, parse_tags, pick_scheme

if TYPE_CHECKING:
    from tools.simulation.kernel import World
    from tools.simulation.messages import Answer, Document, Fields
    from tools.simulation.topics import Topic

MISMATCH_TEXTS = (
    "The resource was changed by somebody else.",
    "If-Match did not match the current representation",
    "ETag mismatch",
    "Resource has been modified since it was last retrieved.",
    "The version you are trying to update is not the latest one.",
    "Stale entity tag.",
)
DATE_TEXTS = (
    "The resource was modified after the given date.", "If-Unmodified-Since evaluated to false.",
    "Resource has been modified since it was last retrieved.", "Precondition failed.",
)  # fmt: skip
MISSING_TEXTS = (
    "This request requires the If-Match header.",
    "If-Match is required for updates.",
    "Please send the current ETag in If-Match.",
    "Conditional request required.",
)
EXISTS_TEXTS = (
    "A resource with this identifier already exists.",
    "Already exists.",
    "If-None-Match: * failed, the resource exists.",
)
CODES = ("precondition_failed", "PRECONDITION_FAILED", "PreconditionFailed", "etag_mismatch", "stale_version")
CLUTTER = (
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"), ("X-RateLimit-Remaining", "4987"),
    ("X-Correlation-Id", "{id}"), ("Server-Timing", "app;dur={ms}"), ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'"), ("X-Api-Version", "2026-03"), ("X-Robots-Tag", "noindex"),
)  # fmt: skip
HOSTS = (
    "api.example.test", "api.shop.example", "backend.example.org", "svc.internal.example", "data.acme.example",
    "api.northwind.example", "core.example.net", "v2.api.example.com", "records.example.org",
)  # fmt: skip


class Skin:
    """How one API writes its resources, tokens and refusals.

    Args:
        world: randomness for the choices that each service makes once.
    """

    id: ClassVar[str] = "rest"
    servers: ClassVar[tuple[str, ...]] = REST_SERVERS
    clients: ClassVar[tuple[str, ...]] = PROGRAMS
    topic_choice: ClassVar[tuple[Topic, ...]] = topics.JSON_TOPICS
    hosts: ClassVar[tuple[str, ...]] = HOSTS
    update_method: ClassVar[str] = "PUT"
    mismatch_status: ClassVar[int] = 412
    missing_status: ClassVar[int] = 428
    exists_status: ClassVar[int] = 412
    weak_by_dialect: ClassVar[bool] = False
    always_requires: ClassVar[bool] = False
    refusal_tells: ClassVar[bool] = False
    token_field: ClassVar[str] = "If-Match"
    guards_creation: ClassVar[bool] = True
    guards_presence: ClassVar[bool] = True
    demands: ClassVar[bool] = True
    fronted: ClassVar[bool] = True
    body_tokens: ClassVar[bool] = False
    creates: ClassVar[bool] = True
    numeric_token: ClassVar[bool] = False

    def __init__(self, world: World) -> None:
        rng = world.rng
        self.world = world
        self.server = SERVERS[rng.choice(self.servers)]
        self.topic = rng.choice(self.topic_choice)
        self.form = self.topic.form
        self.host = rng.choice(self.hosts)
        self.origin_url = f"{'https' if rng.random() < 0.8 else 'http'}://{self.host}"
        self.scheme = pick_scheme(rng)
        self.style = rng.choice(("compact", "spaced", "pretty")) if rng.random() < 0.9 else "compact"
        self.dates = rng.random() < 0.5
        self.answer = rng.choice(("full", "full", "tagged", "bare"))
        self.wording = rng.randrange(1000)
        self.prefix = rng.choice(("", "/api", "/v1", "/v2", "/api/v3", "/rest"))
        self.patch = rng.random() < 0.2
        self.cache_control = rng.choice(
            (None, None, "no-cache", "private, no-cache", "no-store", "private, max-age=0")
        )
        self.clutter = rng.sample(CLUTTER, rng.choice((0, 0, 0, 1, 2)) if self.fronted else 0)
        self.located = rng.random() < 0.4
        self.reads: Fields = []
        self.writes: Fields = []

    # What a client does.

    def new_key(self) -> str:
        """Return an identifier of a new resource."""
        rng = self.world.rng
        shape = rng.randrange(4)
        if shape == 0:
            return str(rng.randrange(100, 99999))
        if shape == 1:
            return f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}-4{rng.getrandbits(12):03x}-a{rng.getrandbits(12):03x}-{rng.getrandbits(48):012x}"
        if shape == 2:
            return f"{self.topic.noun[:3]}_{rng.getrandbits(40):010x}"
        return (
            rng.choice(("spring", "north", "alpha", "main", "q3", "berlin", "harbour"))
            + f"-{rng.randrange(2, 90)}"
        )

    def url(self, key: str) -> str:
        """Return the URL of a resource."""
        return f"{self.origin_url}{self.prefix}/{self.topic.noun}/{key}"

    def read(self, key: str) -> Request:
        """Return the request that reads a resource and its token."""
        return Request("GET", self.url(key), list(self.reads))

    def guard(self, request: Request, token: str | None) -> Request:
        """Put a token into a write; None leaves it unguarded."""
        if token is not None:
            request.fields = [*request.fields, (self.token_field, token)]
        return request

    def write(self, key: str, document: Document, token: str | None, base: Document | None = None) -> Request:
        """Return the request that updates a resource.

        Args:
            key: which one.
            document: the whole new content.
            token: of the version the edit is based on, None for none.
            base: the content before the edit; a PATCH sends only what differs.
        """
        if self.patch and base is not None and self.form == "json":
            part = {
                name: document[name]
                for name in sorted(topics.changed_fields(base, document))
                if name in document
            }
            part = part or dict(document)
            request = Request("PATCH", self.url(key), [], json.dumps(part), {"patch": part})
            request.fields = [("Content-Type", "application/merge-patch+json")]
        else:
            request = Request(
                self.update_method, self.url(key), [], self.sent(key, document, token), dict(document)
            )
            request.fields = [("Content-Type", topics.media_type(self.form))]
        request.fields = [*self.writes, *request.fields]
        return self.guard(request, token)

    def sent(self, key: str, document: Document, token: str | None) -> str:
        """Return the body of a write."""
        del key, token
        return topics.write(self.form, document, self.style if self.form != "json" else "compact")

    def create(self, key: str, document: Document, *, guarded: bool = True) -> Request:
        """Return the request that creates a resource, and only creates it."""
        request = Request(
            "PUT", self.url(key), [*self.writes, ("Content-Type", topics.media_type(self.form))]
        )
        request.body, request.document = self.sent(key, document, None), dict(document)
        if guarded:
            request.fields.append(("If-None-Match", "*"))
        return request

    def remove(self, key: str, token: str | None) -> Request:
        """Return the request that deletes a resource."""
        return self.guard(Request("DELETE", self.url(key), list(self.writes)), token)

    def token_of(self, answer: Answer) -> str | None:
        """Return the token that an answer carries, as a client would pick it up."""
        return answer.field("ETag") if isinstance(answer, Response) else None

    # What the server does.

    def operation(self, request: Request) -> tuple[str, str]:
        """Return what a request wants (read, head, write, create, delete, other) and of which key."""
        parts = urlsplit(request.url)
        key = parts.path.rsplit("/", 1)[-1]
        kinds = {
            "GET": "read",
            "HEAD": "head",
            "PUT": "write",
            "PATCH": "write",
            "POST": "write",
            "DELETE": "delete",
        }
        return kinds.get(request.method, "other"), key

    def condition(self, request: Request) -> Condition | None:
        """Return the precondition of a request as this API reads it (RFC 9110 section 13.2.2)."""
        for name, star, kind in (("If-Match", "exists", "match"), ("If-None-Match", "absent", "none-match")):
            value = get(request.fields, name)
            if value is None:
                if name == "If-Match" and get(request.fields, "If-Unmodified-Since") is not None:
                    text = get(request.fields, "If-Unmodified-Since") or ""
                    return Condition("unmodified", (text,), parse_date(text), "If-Unmodified-Since")
                continue
            if value.strip() == "*":
                return Condition(star, (), field=name)
            tags = parse_tags(value)
            if tags is None and self.weak_by_dialect:
                tags = (value,)
            return Condition(kind if tags else f"malformed-{kind}", tags or (value,), field=name)
        if get(request.fields, "If-Modified-Since") is not None and request.method in {"GET", "HEAD"}:
            text = get(request.fields, "If-Modified-Since") or ""
            return Condition("modified", (text,), parse_date(text), "If-Modified-Since")
        return None

    def content(self, entry: Entry, tag: str) -> str:
        """Return the body of a read."""
        del tag
        return topics.write(entry.form, entry.document, self.style)

    def opaque(self, entry: Entry) -> str:
        """Return what tells this version from others."""
        return opaque(entry, self.scheme, topics.write(entry.form, entry.document, "compact"))

    def tag(self, entry: Entry) -> str:
        """Return the tag as a field value."""
        return f'"{self.opaque(entry)}"'

    def present(self, entry: Entry, tag: str | None, modified: str | None) -> Response:
        """Return the answer to a read."""
        body = self.content(entry, tag or "")
        fields: Fields = [("Content-Type", topics.media_type(entry.form))]
        fields += self.validators(tag, modified)
        if self.cache_control:
            fields.append(("Cache-Control", self.cache_control))
        fields.append(("Content-Length", str(len(body.encode()))))
        return Response(200, fields, body, dict(entry.document))

    def validators(self, tag: str | None, modified: str | None) -> Fields:
        """Return the validator fields of an answer."""
        fields: Fields = [("ETag", tag)] if tag is not None else []
        return [*fields, ("Last-Modified", modified)] if modified is not None else fields

    def accepted(self, entry: Entry, tag: str | None, modified: str | None, *, created: bool) -> Response:
        """Return the answer to a write that was stored."""
        place: Fields = [("Location", self.url(entry.key))] if created and self.located else []
        if self.answer == "full":
            answer = self.present(entry, tag, modified)
            answer.status = 201 if created else 200
            answer.fields += place
            return answer
        status = 201 if created else 204
        fields = [*place, *(self.validators(tag, modified) if self.answer == "tagged" else [])]
        return Response(status, [*fields, ("Content-Length", "0")] if status == 201 else fields)

    def deleted(self) -> Response:
        """Return the answer to a DELETE that was done."""
        return Response(204)

    def absent(self) -> Response:
        """Return the answer to a read of nothing."""
        bodies = ('{"error":"not_found"}', '{"message":"Not found"}', '{"status":404,"title":"Not Found"}')
        return self.json_answer(404, bodies[self.wording % 3])

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """Return the refusal.

        Args:
            why: mismatch, exists, required, gone, malformed.
            condition: what was asked.
            entry: the current version, None when there is none.
            tag: its tag.
        """
        del entry
        if why == "malformed":
            return self.json_answer(
                400, '{"error":"invalid_header","message":"If-Match is not a list of entity tags"}'
            )
        if condition is not None and condition.field == "If-Unmodified-Since":
            return self.problem(412, DATE_TEXTS[self.wording % len(DATE_TEXTS)], "precondition_failed")
        status = {
            "mismatch": self.mismatch_status,
            "gone": self.mismatch_status,
            "exists": self.exists_status,
        }.get(why, self.missing_status)
        texts = {"mismatch": MISMATCH_TEXTS, "gone": MISMATCH_TEXTS, "exists": EXISTS_TEXTS}.get(
            why, MISSING_TEXTS
        )
        answer = self.problem(status, texts[self.wording % len(texts)])
        if tag is not None and self.wording % 5 == 0 and why == "mismatch":
            answer.fields.append(("ETag", tag))
        return answer

    def problem(self, status: int, text: str, code: str = "") -> Response:
        """Return an error in this service's own form."""
        code = code or self._code(status)
        title = {412: "Precondition Failed", 428: "Precondition Required", 409: "Conflict"}.get(
            status, "Error"
        )
        shape = self.wording % 7
        if shape == 0:
            return Response(status, [("Content-Length", "0")])
        if shape == 1:
            body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": text})
            return self.json_answer(status, body, "application/problem+json")
        if shape == 2:
            return self.json_answer(status, json.dumps({"error": {"code": code, "message": text}}))
        if shape == 3:
            return self.json_answer(status, json.dumps({"error": code, "message": text}))
        if shape == 4:
            return self.json_answer(
                status,
                json.dumps({"errors": [{"status": str(status), "title": title, "detail": text}]}),
                "application/vnd.api+json",
            )
        if shape == 5:
            return self.json_answer(status, text, "text/plain; charset=utf-8")
        return self.json_answer(
            status, json.dumps({"timestamp": "", "status": status, "error": title, "path": self.prefix})
        )

    def _code(self, status: int) -> str:
        if status == 412:
            return CODES[self.wording % len(CODES)]
        return "precondition_required" if status == 428 else "conflict"

    def json_answer(self, status: int, body: str, media: str = "application/json") -> Response:
        """Return an answer with a text body."""
        return Response(status, [("Content-Type", media), ("Content-Length", str(len(body.encode())))], body)

    def unwrap(self, request: Request) -> Document:
        """Return the content that a write stores."""
        return dict(request.document or {})

    def date_of(self, entry: Entry, clock: float = 0.0) -> str:
        """Return Last-Modified of a version."""
        return http_date(entry.modified + clock)
