# mypy: ignore-errors
"""Routes over versioned rows for imitations of APIs in use, in the process that records."""

from __future__ import annotations

import hashlib
import re
import threading
import time
import uuid
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Req, Res

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Api", "Req", "Res", "Row", "guid", "httpdate", "iso"]


@dataclass
class Row:
    """One version of a thing."""

    data: Any
    rev: int
    at: float
    by: str = ""

    @property
    def octets(self) -> bytes:
        """Return the content."""
        return Res(200, self.data).octets

    def digest(self, salt: str = "") -> str:
        """Return a hash of content and version."""
        return hashlib.md5(f"{salt}{self.rev}".encode() + self.octets).hexdigest()  # noqa: S324 - a tag


class Api:
    """Routes in the order in which they are told, over rows by key.

    Args:
        extra: Makes the fields of each answer from its request.
        missing: Makes the answer when there is nothing.
        first: The first revision of a row.
    """

    error: Any

    def __init__(
        self,
        extra: Callable[[Req], dict[str, str]] | None = None,
        missing: Callable[[Req], Res] | None = None,
        first: int = 1,
    ) -> None:
        self.rows: dict[str, Row] = {}
        self.first = first
        self.lock = threading.RLock()
        self.routes: list[Any] = []
        self._extra = extra or (lambda _req: {})
        self.missing = missing or (lambda _req: Res(404, {"message": "Not Found"}))
        self.after: list[Callable[[Req, Res], None]] = []

    def on(self, methods: str, pattern: str, answer: Callable[..., Res | None]) -> None:
        """Add a route; its answer may be None to go on to the next."""
        self.routes.append((methods.split(), re.compile(pattern + r"\Z"), answer))

    def ahead(self, methods: str, pattern: str, answer: Callable[..., Res | None]) -> None:
        """Put a route before all others."""
        self.routes.insert(0, (methods.split(), re.compile(pattern + r"\Z"), answer))

    def keep(self, key: str, data: Any, by: str = "", age: float = 0.0) -> Row:
        """Store a new version."""
        old = self.rows.get(key)
        self.rows[key] = Row(data, old.rev + 1 if old else self.first, time.time() - age, by)
        return self.rows[key]

    def __call__(self, req: Req) -> Res:
        """Answer a request."""
        method = "GET" if req.method == "HEAD" else req.method
        res = None
        for methods, pattern, answer in self.routes:
            found = pattern.match(req.path)
            if found and (method in methods or req.method in methods):
                res = answer(req, *found.groups())
                if res is not None:
                    break
        res = res or self.missing(req)
        for change in self.after:
            change(req, res)
        res.fields = {**self._extra(req), **res.fields}
        if isinstance(res.body, dict | list):
            res.fields.setdefault("Content-Type", "application/json; charset=utf-8")
        return res


def guid(seed: str) -> str:
    """Return a GUID that a seed draws."""
    return str(uuid.UUID(hashlib.md5(seed.encode()).hexdigest(), version=4))  # noqa: S324 - a name


def iso(at: float, digits: int = 3) -> str:
    """Return a moment with a fraction."""
    part = f"{at % 1:.{digits}f}"[1:] if digits else ""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(int(at))) + (part or "") + "Z"


def httpdate(at: float) -> str:
    """Return a date of HTTP."""
    return formatdate(int(at), usegmt=True)
