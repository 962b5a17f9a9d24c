# mypy: ignore-errors
"""Small house services in the process that records: rows with versions behind routes worded by a story."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Req, Res

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Desk", "Req", "Res", "Row", "Sheet", "Table", "digest", "http_date", "iso"]


def digest(data: object, length: int = 12) -> str:
    """Return a short hash of JSON, text or octets."""
    raw = data if isinstance(data, bytes) else json.dumps(data, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(raw).hexdigest()[:length]


def http_date(moment: float) -> str:
    """Return an HTTP date."""
    return formatdate(int(moment), usegmt=True)


def iso(moment: float, digits: int = 0) -> str:
    """Return a moment as ISO 8601 in UTC."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    part = f".{int(moment % 1 * 10**digits):0{digits}}" if digits else ""
    return f"{whole}{part}Z"


@dataclass
class Row:
    """One version of a thing."""

    data: Any
    n: int
    at: float
    by: str
    past: tuple[Row, ...] = ()


@dataclass
class Table:
    """Things by key, each with its history."""

    rows: dict[str, Row] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock)

    @classmethod
    def of(cls, data: Mapping[str, Any], first: int = 1, age: float = 70000.0, by: str = "import") -> Table:
        """Return a table of first versions."""
        start = time.time() - age
        return cls({key: Row(one, first, start - 913.3 * n, by) for n, (key, one) in enumerate(data.items())})

    def save(self, key: str, data: object, by: str, step: int = 1, first: int = 1) -> Row:
        """Keep a new version."""
        with self.lock:
            old = self.rows.get(key)
            past = (*old.past, old) if old else ()
            self.rows[key] = Row(data, old.n + step if old else first, time.time(), by, past)
            return self.rows[key]


class Desk:
    """Routes to functions, and pages that take no part.

    Args:
        fields: Fields of each answer.
    """

    def __init__(self, **fields: str) -> None:
        self.fields = {name.replace("_", "-"): value for name, value in fields.items()}
        self.routes: list[tuple[str, re.Pattern[str], Callable[..., Res]]] = []
        self.before: list[Callable[[Req], Res | None]] = []
        self.after: list[Callable[[Req, Res], None]] = []

    def on(self, method: str, template: str, act: Callable[..., Res]) -> None:
        """Let a function answer a method at targets such as ``/rooms/{room}``."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template.replace(".", r"\."))
        self.routes.append((method, re.compile(f"{pattern}/?"), act))

    def page(self, path: str, body: Any, media: str = "application/json", tag: str | None = None) -> None:
        """Show something that does not change, with a tag when it has one."""
        own = {"Content-Type": media, **({"ETag": tag} if tag else {})}

        def act(req: Req) -> Res:
            if tag and req.fields.get("if-none-match") == tag:
                return Res(304, b"", {"ETag": tag})
            return Res(200, body, dict(own))

        self.on("GET", path, act)

    def sink(self, path: str, status: int = 204) -> None:
        """Take what is posted there and keep nothing."""
        self.on("POST", path, lambda _req: Res(status))

    def __call__(self, req: Req) -> Res:
        """Answer a request."""
        res = next((got for hook in self.before if (got := hook(req)) is not None), None) or self._route(req)
        for hook in self.after:
            hook(req, res)
        if isinstance(res.body, dict | list):
            res.fields.setdefault("Content-Type", "application/json")
        res.fields = {**self.fields, **res.fields}
        return res

    def _route(self, req: Req) -> Res:
        method = "GET" if req.method == "HEAD" else req.method
        known = False
        for wanted, pattern, act in self.routes:
            found = pattern.fullmatch(req.path)
            if found and wanted == method:
                return act(req, **found.groupdict())
            known = known or bool(found)
        return Res(405 if known else 404, {"error": "method not allowed" if known else "not found"})


class Sheet:
    """Rows at ``BASE/{key}``, read and written under a version; a story replaces what it wants otherwise.

    Args:
        desk: Where it is reached.
        base: Path of the collection; may hold no braces.
        table: The rows.
        place: ``etag``, ``date``, ``header``, ``body`` or ``query``.
        name: Name of the version, where it is no field of HTTP.
        token: Makes the version of a row; the number when None.
        status: Status of a refusal.
        need: Status of a write without a version; 0 takes it.
        words: Body of a refusal, of the request, the key and the row; or of a missing version with row None.
    """

    def __init__(
        self,
        desk: Desk,
        base: str,
        table: Table,
        place: str = "etag",
        name: str = "version",
        *,
        token: Callable[[str, Row], Any] | None = None,
        status: int = 412,
        need: int = 0,
        words: Callable[[Req, str, Row | None], Any] | None = None,
        strong: bool = True,
    ) -> None:
        self.desk, self.base, self.table, self.place, self.name = desk, base, table, place, name
        self.status, self.need, self.strong = status, need, strong
        self.token = token or (lambda _key, row: f'"{row.n}"' if place == "etag" else row.n)
        self.words = words or (
            lambda _req, _key, row: {"error": "version required" if row is None else "changed"}
        )
        self.dump: Any = self._dump
        self.load: Any = self._load
        self.sent: Any = self._sent
        self.judge: Any = self._judge
        self.kept: Any = self.shown
        self.brief: Any = lambda key, row: {"id": key, "by": row.by}
        self.seen: Any = lambda _req, key: table.rows.get(key)
        self.done: list[Callable[[Req, str, Row], object]] = []
        self.pause = 0.0
        desk.on("GET", base, self.list)
        desk.on("GET", f"{base}/{{key}}", self.read)
        for method in ("PUT", "PATCH", "DELETE"):
            desk.on(method, f"{base}/{{key}}", self.write)

    def marks(self, key: str, row: Row) -> dict[str, str]:
        """Return the fields that carry the version."""
        if self.place == "etag":
            return {"ETag": str(self.token(key, row))}
        if self.place == "date":
            return {"Last-Modified": http_date(row.at)}
        return {self.name: str(self.token(key, row))} if self.place == "header" else {}

    def shown(self, key: str, row: Row, status: int = 200) -> Res:
        """Return a row as an answer."""
        got = self.dump(key, row)
        return Res(status, got.body, {**got.fields, **self.marks(key, row)})

    def _dump(self, key: str, row: Row) -> Res:
        more = {self.name: self.token(key, row)} if self.place in {"body", "query"} else {}
        return Res(200, {**row.data, **more})

    def _load(self, req: Req, row: Row | None) -> Any:
        new = {name: value for name, value in req.json.items() if name != self.name or self.place != "body"}
        return {**row.data, **new} if req.method == "PATCH" and row else new

    def _sent(self, req: Req) -> Any:
        match self.place:
            case "etag":
                return req.fields.get("if-match")
            case "date":
                return req.fields.get("if-unmodified-since")
            case "header":
                return req.fields.get(self.name.lower())
            case "query":
                return req.query.get(self.name)
            case _:
                return req.json.get(self.name)

    def same(self, sent: Any, key: str, row: Row) -> bool:
        """Return whether a version that was sent is the row's."""
        if self.place == "date":
            return int(row.at) <= parsedate_to_datetime(sent).timestamp()
        own = str(self.token(key, row))
        if self.place != "etag":
            return str(sent) == own
        if str(sent).strip() == "*":
            return True
        return own in [one.strip() for one in str(sent).split(",")] and not (
            self.strong and own.startswith("W/")
        )

    def _judge(self, req: Req, key: str, row: Row | None) -> Res | None:
        if req.fields.get("if-none-match") == "*" and row is not None:
            return Res(self.status, self.words(req, key, row))
        sent = self.sent(req)
        if sent is None:
            return Res(self.need, self.words(req, key, None)) if self.need and row is not None else None
        if row is None or not self.same(sent, key, row):
            return Res(self.status, self.words(req, key, row or Row({}, 0, 0.0, "")))
        return None

    def list(self, _req: Req) -> Res:
        """Answer a read of the collection."""
        return Res(200, {"items": [self.brief(key, row) for key, row in self.table.rows.items()]})

    def read(self, req: Req, key: str) -> Res:
        """Answer a read of a row."""
        row = self.seen(req, key)
        if row is None:
            return Res(404, {"error": "not found"})
        shown = self.shown(key, row)
        known, tag = req.fields.get("if-none-match"), shown.fields.get("ETag", "")
        if known and tag.removeprefix("W/") in [one.strip().removeprefix("W/") for one in known.split(",")]:
            return Res(304, b"", {"ETag": tag})
        since = req.fields.get("if-modified-since")
        if self.place == "date" and since and self.same(since, key, row):
            return Res(304, b"", self.marks(key, row))
        return shown

    def write(self, req: Req, key: str) -> Res:
        """Answer a write."""
        with self.table.lock:
            refused = self.judge(req, key, self.table.rows.get(key))
            if refused is not None:
                return refused
            if not self.pause:
                return self.commit(req, key)
        time.sleep(self.pause)
        return self.commit(req, key)

    def commit(self, req: Req, key: str) -> Res:
        """Carry a write out."""
        old = self.table.rows.get(key)
        if req.method == "DELETE":
            return Res(404 if self.table.rows.pop(key, None) is None else 204)
        if old is None and req.method == "PATCH":
            return Res(404, {"error": "not found"})
        row = self.table.save(key, self.load(req, old), req.who)
        for hook in self.done:
            hook(req, key, row)
        return self.kept(key, self.table.rows[key], 200 if old else 201)
