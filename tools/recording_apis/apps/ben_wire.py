"""Routes over versioned rows: what the imitations of products are made of, in the process that records."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Req, Res

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Api", "Req", "Res", "Row", "hexed", "iso", "opaque", "request_id"]


@dataclass
class Row:
    """One version of a resource.

    Attributes:
        data: What it holds.
        rev: Counts its versions.
        at: When it was stored.
        by: Who stored it.
        past: Earlier versions, oldest first.
    """

    data: Any
    rev: int
    at: float
    by: str
    past: list[Row] = field(default_factory=list)

    @property
    def octets(self) -> bytes:
        """Return the content as stored."""
        return Res(200, self.data).octets


def hexed(text: object, length: int = 32) -> str:
    """Return a stable hexadecimal name for something."""
    return hashlib.sha256(str(text).encode()).hexdigest()[:length]


def opaque(text: object, length: int = 16) -> str:
    """Return a stable name in the manner of base64."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(letters[octet % 62] for octet in hashlib.sha512(str(text).encode()).digest()[:length])


def iso(at: float, digits: int = 3) -> str:
    """Return a time after RFC 3339 with so many digits of the second."""
    text = dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return (text[: -(6 - digits)] if digits < 6 else text).rstrip(".") + "Z"


class Api:
    """A product: rows by key, and routes that read and write them.

    Args:
        rows: What there is at the beginning, by key.
        first: The first revision.
        age: How long ago the rows were stored, in seconds.
        missing: Body of a 404.
        extra: Fields of each answer; a callable is asked each time.
    """

    def __init__(
        self,
        rows: dict[str, Any] | None = None,
        *,
        first: int = 1,
        age: float = 200000.0,
        missing: Any = None,
        extra: dict[str, str | Callable[[], str]] | None = None,
    ) -> None:
        self.rows: dict[str, Row] = {}
        self.first, self.extra = first, extra or {}
        self.missing = {"message": "Not Found"} if missing is None else missing
        self.lock = threading.RLock()
        self.routes: list[tuple[set[str], re.Pattern[str], Callable[..., Res]]] = []
        self.pages: dict[str, tuple[Any, str]] = {}
        self.before: list[Callable[[Req], Res | None]] = []
        self.gap = 0.0
        self.flags: dict[str, Any] = {}
        for number, (key, data) in enumerate((rows or {}).items()):
            self.rows[key] = Row(data, first, time.time() - age - 1733.21 * number, "setup")

    def on(self, methods: str, pattern: str) -> Callable[[Callable[..., Res]], Callable[..., Res]]:
        """Register a route: methods separated by blanks, and a pattern of the whole path."""

        def register(page: Callable[..., Res]) -> Callable[..., Res]:
            self.routes.append((set(methods.split()), re.compile(pattern), page))
            return page

        return register

    def page(self, path: str, body: Any, tag: str = "") -> None:
        """Show something that never changes."""
        self.pages[path] = (body, tag)

    def keep(self, key: str, data: Any, by: str = "me", step: int = 1) -> Row:
        """Store a new version."""
        old = self.rows.get(key)
        past = [] if old is None else [*old.past, old]
        self.rows[key] = Row(data, old.rev + step if old else self.first, time.time(), by, past)
        return self.rows[key]

    def __call__(self, req: Req) -> Res:
        """Answer a request."""
        got = next((res for hook in self.before if (res := hook(req)) is not None), None) or self._route(req)
        own = {name: value if isinstance(value, str) else value() for name, value in self.extra.items()}
        got.fields = {**own, **got.fields}
        if isinstance(got.body, dict | list):
            got.fields.setdefault("Content-Type", "application/json; charset=utf-8")
        return got

    def _route(self, req: Req) -> Res:
        path, method = req.path, "GET" if req.method == "HEAD" else req.method
        if method == "GET" and path in self.pages:
            body, tag = self.pages[path]
            marks = {"ETag": tag} if tag else {}
            if tag and req.fields.get("if-none-match") == tag:
                return Res(304, b"", marks)
            return Res(200, body, marks)
        for methods, pattern, page in self.routes:
            found = pattern.fullmatch(path)
            if found and method in methods:
                with self.lock:
                    return page(req, *found.groups())
        return Res(404, self.missing)


def request_id() -> str:
    """Return a fresh identifier of a request."""
    return str(uuid.uuid4())
