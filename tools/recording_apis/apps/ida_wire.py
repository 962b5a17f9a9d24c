# mypy: ignore-errors
"""Routes over versioned rows in the process that records; a story says each word of its API."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Req, Res

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Desk", "Req", "Res", "Row", "Rows", "digest", "http_date", "iso", "octets", "seconds"]


def octets(data: Any) -> bytes:
    """Return content as it is stored."""
    if isinstance(data, bytes):
        return data
    return (data if isinstance(data, str) else json.dumps(data, sort_keys=True, ensure_ascii=False)).encode()


def digest(data: Any, length: int = 32, name: str = "md5") -> str:
    """Return the head of a hash of content."""
    return hashlib.new(name, octets(data)).hexdigest()[:length]


def http_date(moment: float) -> str:
    """Return an HTTP-date."""
    return formatdate(int(moment), usegmt=True)


def seconds(date: str) -> float:
    """Return the moment that an HTTP-date names."""
    return parsedate_to_datetime(date).timestamp()


def iso(moment: float, digits: int = 3) -> str:
    """Return a moment as RFC 3339 writes it."""
    text = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return (text[: 20 + digits] if digits else text[:19]) + "Z"


@dataclass
class Row:
    """One version of a thing."""

    data: Any
    rev: int
    at: float
    by: str
    past: tuple[Row, ...] = ()

    @property
    def lineage(self) -> tuple[Row, ...]:
        """Return all its versions, the oldest first."""
        return (*self.past, self)


@dataclass
class Rows:
    """Versions by key.

    Attributes:
        first: Revision of a new row.
        step: How far a write moves it.
    """

    first: int = 1
    step: int = 1
    rows: dict[str, Row] = field(default_factory=dict)

    def seed(self, key: str, data: Any, age: float = 86400.0, by: str = "import") -> Row:
        """Put a row there that somebody made before the story."""
        self.rows[key] = Row(data, self.first, time.time() - age, by)
        return self.rows[key]

    def keep(self, key: str, data: Any, by: str, at: float | None = None) -> Row:
        """Store a new version."""
        old = self.rows.get(key)
        moment = time.time() if at is None else at
        past = old.lineage if old else ()
        self.rows[key] = Row(data, old.rev + self.step if old else self.first, moment, by, past)
        return self.rows[key]

    def __contains__(self, key: str) -> bool:
        return key in self.rows

    def __getitem__(self, key: str) -> Row:
        return self.rows[key]

    def get(self, key: str) -> Row | None:
        """Return a row, None when there is none."""
        return self.rows.get(key)

    def drop(self, key: str) -> None:
        """Take a row away."""
        del self.rows[key]


class Desk:
    """An API made of routes.

    Args:
        extra: Fields of each answer.
        missing: Body of a 404.
    """

    def __init__(self, missing: Any = None, **extra: str) -> None:
        self.extra = {name.replace("_", "-"): value for name, value in extra.items()}
        self.missing = missing if missing is not None else {"message": "Not Found"}
        self.routes: list[tuple[set[str], re.Pattern[str], bool, Callable[..., Res]]] = []
        self.lock = threading.RLock()

    def on(self, methods: str, pattern: str, *, free: bool = False) -> Callable[..., Any]:
        """Register a handler of methods and paths; ``free`` ones lock for themselves."""

        def register(handler: Callable[..., Res]) -> Callable[..., Res]:
            self.routes.append((set(methods.split()), re.compile(pattern), free, handler))
            return handler

        return register

    def page(
        self, path: str, body: Any = b"", status: int = 200, methods: str = "GET", **fields: str
    ) -> None:
        """Put something there that never changes; its tag, if any, works for 304."""
        known = {name.replace("_", "-"): value for name, value in fields.items()}

        def shown(req: Req) -> Res:
            if known.get("ETag") and req.fields.get("if-none-match") == known["ETag"]:
                return Res(304, b"", dict(known))
            return Res(status, body, dict(known))

        self.routes.append((set(methods.split()), re.compile(re.escape(path)), True, shown))

    def __call__(self, req: Req) -> Res:
        """Answer a request."""
        for methods, pattern, free, handler in self.routes:
            asked = "GET" if req.method == "HEAD" and "HEAD" not in methods else req.method
            if asked in methods and (found := pattern.fullmatch(req.path)):
                if free:
                    return self._dress(handler(req, *found.groups()))
                with self.lock:
                    return self._dress(handler(req, *found.groups()))
        return self._dress(Res(404, self.missing))

    def _dress(self, res: Res) -> Res:
        fields = {**self.extra, **res.fields}
        if isinstance(res.body, dict | list):
            fields.setdefault("Content-Type", "application/json")
        return Res(res.status, res.body, fields)
