# mypy: ignore-errors
# ruff: noqa: ARG002 - what a story replaces is handed all that it may want
"""Versioned documents in the process that records; a story bends what it needs by hooks and parameters."""

from __future__ import annotations

import copy
import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_REASONS = {
    400: "bad request",
    404: "not found",
    405: "method not allowed",
    409: "conflict",
    412: "precondition failed",
    428: "precondition required",
}


@dataclass
class Req:
    """One request; field names are in lower case."""

    method: str
    target: str
    fields: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Return the path, decoded."""
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> dict[str, str]:
        """Return the parameters."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def json(self) -> Any:
        """Return the content decoded."""
        return json.loads(self.body or b"{}")

    @property
    def safe(self) -> bool:
        """Return whether the method only reads."""
        return self.method in {"GET", "HEAD", "OPTIONS"}

    @property
    def who(self) -> str:
        """Return the user's name as the fields tell it."""
        return self.fields.get("x-user") or self.fields.get("authorization", "anonymous").split(" ")[-1]


@dataclass
class Res:
    """One answer: text, octets, or what becomes JSON."""

    status: int
    body: Any = b""
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def octets(self) -> bytes:
        """Return the content."""
        if isinstance(self.body, bytes):
            return self.body
        text = (
            self.body
            if isinstance(self.body, str)
            else json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))
        )
        return text.encode()


@dataclass
class Doc:
    """One version of a document."""

    data: Any
    rev: int
    at: float
    by: str
    media: str = "application/json"
    past: tuple[Doc, ...] = ()

    @property
    def octets(self) -> bytes:
        """Return the stored content."""
        return Res(200, self.data).octets

    def digest(self, name: str = "md5") -> str:
        """Return a hash of the content."""
        return hashlib.new(name, self.octets).hexdigest()


class Box:
    """Documents by path, with validators and conditions after RFC 9110; a story may replace what it does.

    Args:
        docs: JSON by path, or a media type and a text.
        tag: Makes the tag of a version from its path and itself; no tags when None.
        dates: Whether there is a Last-Modified.
        say: Bodies of errors by status.
        need: Status of a write without a condition; 0 takes it.
        first: The first revision.
        age: How long ago the documents were stored.
        extra: Fields of each answer.
    """

    def __init__(
        self,
        docs: Mapping[str, Any],
        tag: Callable[[str, Doc], str] | None = None,
        *,
        dates: bool = False,
        say: Mapping[int, Any] | None = None,
        need: int = 0,
        first: int = 1,
        age: float = 90000.0,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.docs: dict[str, Doc] = {}
        self.tag, self.dates, self.say, self.need, self.first = tag, dates, dict(say or {}), need, first
        self.extra = dict(extra or {})
        self.lock = threading.RLock()
        self.look: Any = self._look
        self.show: Any = self._show
        self.judge: Any = self._judge
        self.conflict: Any = self._conflict
        self.change: Any = self._change
        self.answer_write: Any = self._answer_write
        self.listing: Any = self._listing
        self.matches: Any = self._matches
        self.unchanged: Any = self.not_later
        self.gap = 0.0
        self.before: list[Callable[[Req], Res | None]] = []
        self.after: list[Callable[[Req, Res], Res | None]] = []
        self.done: list[Callable[[Req, str], object]] = []
        self.fixed: dict[str, Res] = {
            "/healthz": Res(200, {"status": "up"}),
            "/me": Res(200, {"name": "me", "roles": ["edit"]}),
            "/telemetry": Res(204),
            "/static/app.9c1f.js": Res(
                200, "render()", {"ETag": '"9c1f"', "Content-Type": "text/javascript"}
            ),
            "/static/site.css": Res(200, "p{margin:0}", {"ETag": 'W/"a7-19"', "Content-Type": "text/css"}),
        }
        for number, (path, data) in enumerate(docs.items()):
            media, kept = data if isinstance(data, tuple) else ("application/json", data)
            self.docs[path] = Doc(
                copy.deepcopy(kept), first, time.time() - age - number * 61.7, "setup", media
            )

    # What a story may replace

    def _look(self, req: Req, path: str) -> Doc | None:
        """Return the version that a read sees."""
        return self.docs.get(path)

    def _show(self, req: Req, path: str, doc: Doc) -> Res:
        """Return a document as it is read."""
        return Res(200, doc.data, {"Content-Type": doc.media, **self.marks(path, doc)})

    def _judge(self, req: Req, doc: Doc | None) -> Res | None:
        """Return the refusal of a write, None when it may go on."""
        match = req.fields.get("if-match")
        none, since = req.fields.get("if-none-match"), req.fields.get("if-unmodified-since")
        if self.need and match is None and none is None and since is None and doc is not None:
            return self.error(self.need)
        if match is not None:
            if not self.matches(match, req.path, doc, strong=True):
                return self.conflict(req, doc)
        elif since is not None and doc is not None and not self.unchanged(since, doc):
            return self.conflict(req, doc)
        if none is not None and self.matches(none, req.path, doc, strong=False):
            return self.conflict(req, doc)
        return None

    def _conflict(self, req: Req, doc: Doc | None) -> Res:
        """Return the refusal of a failed condition."""
        return self.error(412)

    def _change(self, req: Req, doc: Doc | None) -> Any:
        """Return the new content."""
        if "json" not in req.fields.get("content-type", "json"):
            return req.body.decode()
        return {**doc.data, **req.json} if req.method == "PATCH" and doc else req.json

    def _answer_write(self, req: Req, path: str, doc: Doc, made: bool) -> Res:
        """Return the answer to a write."""
        return Res(201 if made else 200, doc.data, {"Content-Type": doc.media, **self.marks(path, doc)})

    def _listing(self, req: Req, path: str, below: Mapping[str, Doc]) -> Res:
        """Return a collection."""
        return Res(200, {"count": len(below), "items": [{"href": key} for key in below]})

    # What they share

    def error(self, status: int, body: Any = None) -> Res:
        """Return an error in the words of the service."""
        said = body if body is not None else self.say.get(status, {"error": _REASONS.get(status, "error")})
        media = "application/json"
        if isinstance(said, str):
            media = "text/html; charset=utf-8" if said.startswith("<h") else "text/plain; charset=utf-8"
            media = "application/xml" if said.startswith("<?xml") else media
        elif "type" in said and "title" in said:
            media = "application/problem+json"
        return Res(status, said, {"Content-Type": media})

    def marks(self, path: str, doc: Doc) -> dict[str, str]:
        """Return the validators of a version."""
        own = {} if self.tag is None else {"ETag": self.tag(path, doc)}
        return {**own, "Last-Modified": formatdate(doc.at, usegmt=True)} if self.dates else own

    def _matches(self, value: str, path: str, doc: Doc | None, *, strong: bool) -> bool:
        """Return whether a list of tags, or the wildcard, fits a version."""
        if doc is None:
            return False
        if value.strip() == "*":
            return True
        own = self.tag(path, doc) if self.tag else ""
        sent = [one.strip() for one in value.split(",")]
        if strong:
            return not own.startswith("W/") and own in sent
        return own.removeprefix("W/") in [one.removeprefix("W/") for one in sent]

    @staticmethod
    def not_later(since: str, doc: Doc) -> bool:
        """Return whether a version is no newer than a date; what is no date is ignored."""
        try:
            return int(doc.at) <= parsedate_to_datetime(since).timestamp()
        except ValueError:
            return True

    def store(self, path: str, data: Any, by: str, media: str = "application/json") -> Doc:
        """Keep a new version."""
        old = self.docs.get(path)
        past = () if old is None else (*old.past, old)
        self.docs[path] = Doc(data, old.rev + 1 if old else self.first, time.time(), by, media, past)
        return self.docs[path]

    def __call__(self, req: Req) -> Res:
        """Answer a request."""
        res = next((got for hook in self.before if (got := hook(req)) is not None), None) or self.route(req)
        for change in self.after:
            res = change(req, res) or res
        res.fields = {**self.extra, **res.fields}
        if isinstance(res.body, dict | list):
            res.fields.setdefault("Content-Type", "application/json")
        return res

    def route(self, req: Req) -> Res:
        """Answer what no hook has answered."""
        if req.path in self.fixed:
            fixed = self.fixed[req.path]
            if req.fields.get("if-none-match") and fixed.fields.get("ETag") == req.fields["if-none-match"]:
                return Res(304, b"", dict(fixed.fields))
            return Res(fixed.status, fixed.body, dict(fixed.fields))
        if req.safe:
            return self.read(req)
        return self.write(req)

    def read(self, req: Req) -> Res:
        """Answer a read."""
        path = req.path
        doc = self.look(req, path)
        if doc is None:
            below = {key: one for key, one in self.docs.items() if key.startswith(path.rstrip("/") + "/")}
            return self.listing(req, path, below) if below else self.error(404)
        shown = self.show(req, path, doc)
        known, since = req.fields.get("if-none-match"), req.fields.get("if-modified-since")
        tag = shown.fields.get("ETag", "")
        same = known is not None and tag.removeprefix("W/") in [
            one.strip().removeprefix("W/") for one in known.split(",")
        ]
        if known is None and since is not None and self.dates:
            same = self.unchanged(since, doc)
        if same:
            return Res(304, b"", {key: one for key, one in shown.fields.items() if key != "Content-Type"})
        return shown

    def write(self, req: Req) -> Res:
        """Answer a write."""
        path = req.path
        with self.lock:
            refusal = self.judge(req, self.docs.get(path))
            if refusal is not None:
                return refusal
            if not self.gap:
                return self.commit(req, path)
        time.sleep(self.gap)
        with self.lock:
            return self.commit(req, path)

    def commit(self, req: Req, path: str) -> Res:
        """Carry a write out."""
        old = self.docs.get(path)
        if req.method == "DELETE":
            if old is None:
                return self.error(404)
            del self.docs[path]
            return Res(204)
        if req.method == "PATCH" and old is None:
            return self.error(404)
        if req.method == "POST":
            path = f"{path.rstrip('/')}/{len(self.docs) + 101}"
            old = None
        media = req.fields.get("content-type", "application/json")
        if req.method == "PATCH" and old:
            media = old.media
        doc = self.store(path, self.change(req, old), req.who, media)
        for hook in self.done:
            hook(req, path)
        res = self.answer_write(req, path, doc, old is None)
        if req.method == "POST":
            res.fields["Location"] = path
        return res


class Versions(Box):
    """Documents whose version of their own making goes along in the content, a field or the target.

    Args:
        docs: JSON by path.
        name: Name of the version.
        place: ``body``, ``header`` or ``query``.
        status: Status of a conflict.
        version: Makes the version of a document from itself.
        more: As for ``Box``.
    """

    def __init__(
        self,
        docs: Mapping[str, Any],
        name: str = "version",
        place: str = "body",
        status: int = 409,
        version: Callable[[Doc], Any] = lambda doc: doc.rev,
        **more: Any,
    ) -> None:
        super().__init__(docs, **more)
        self.name, self.place, self.status, self.version = name, place, status, version
        self.sent: Any = self._sent
        self.marked: Any = self._marked

    def _sent(self, req: Req) -> Any:
        """Return the version that a write carries."""
        if self.place == "body":
            return req.json.get(self.name) if req.body else None
        if self.place == "header":
            return req.fields.get(self.name.lower())
        return req.query.get(self.name)

    def _marked(self, doc: Doc) -> Any:
        """Return the content with its version."""
        if self.place != "header":
            return {**doc.data, self.name: self.version(doc)}
        return doc.data

    def _show(self, req: Req, path: str, doc: Doc) -> Res:
        """Return a document as it is read."""
        own = {self.name: str(self.version(doc))} if self.place == "header" else {}
        return Res(200, self.marked(doc), {**own, **self.marks(path, doc)})

    def _answer_write(self, req: Req, path: str, doc: Doc, made: bool) -> Res:
        """Return the answer to a write."""
        shown = self.show(req, path, doc)
        shown.status = 201 if made else 200
        return shown

    def _judge(self, req: Req, doc: Doc | None) -> Res | None:
        """Return the refusal of a write."""
        sent = self.sent(req)
        if doc is None or req.method == "POST":
            return None
        if sent is None:
            return self.error(self.need) if self.need else None
        return None if str(sent) == str(self.version(doc)) else self.conflict(req, doc)

    def _conflict(self, req: Req, doc: Doc | None) -> Res:
        """Return the refusal of a failed condition."""
        said = self.say.get(self.status)
        return self.error(self.status, said(req, doc) if callable(said) else said)

    def _change(self, req: Req, doc: Doc | None) -> Any:
        """Return the new content without its version."""
        new = super()._change(req, doc)
        return {key: one for key, one in new.items() if key != self.name}
