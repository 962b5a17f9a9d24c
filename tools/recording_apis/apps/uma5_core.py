# mypy: ignore-errors
"""Routes of imitated APIs over rows with revisions, in the process that records."""

from __future__ import annotations

import base64
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
    from collections.abc import Callable, Mapping

__all__ = ["Api", "Req", "Res", "Row", "date", "iso", "mark", "opaque", "request_id"]


def mark(text: object, size: int = 32, kind: str = "md5") -> str:
    """Return hexadecimal digits that belong to a text."""
    return hashlib.new(kind, str(text).encode()).hexdigest()[:size]


def opaque(text: object) -> str:
    """Return a base64 token that belongs to a text."""
    return base64.b64encode(hashlib.md5(str(text).encode()).digest()[:12]).decode()  # noqa: S324 - no secret


def request_id(_req: Req) -> str:
    """Return a fresh identifier."""
    return str(uuid.uuid4())


def iso(moment: float, digits: int = 3, zone: str = "Z") -> str:
    """Return a time after ISO 8601."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    part = f"{moment % 1:.{digits}f}"[1:] if digits else ""
    return f"{whole}{part if part.startswith('.') else ''}{zone}"


def date(moment: float) -> str:
    """Return an HTTP date."""
    return formatdate(moment, usegmt=True)


@dataclass
class Row:
    """One thing with its revision."""

    data: Any
    rev: int = 1
    at: float = 0.0
    by: str = ""

    def write(self, data: Any, by: str = "") -> Row:
        """Keep a new revision."""
        self.data, self.rev, self.at, self.by = data, self.rev + 1, time.time(), by or self.by
        return self


class Api:
    """Routes; the first that fits answers.

    Args:
        extra: Fields of each answer, or functions that make them from the request.
        lost: Answers what no route knows.
        fixed: Answers to reads that take no part, by path; text or JSON, with a tag when ``tags``.
        tags: Whether those have tags.
    """

    def __init__(
        self,
        extra: Mapping[str, Any] | None = None,
        lost: Callable[[Req], Res] | None = None,
        fixed: Mapping[str, Any] | None = None,
        *,
        tags: bool = False,
    ) -> None:
        self.routes: list[tuple[set[str], re.Pattern[str], Any]] = []
        self.extra, self.fixed, self.tags = dict(extra or {}), dict(fixed or {}), tags
        self.lost = lost or (lambda _req: Res(404, {"error": "not_found"}))
        self.lock = threading.RLock()
        self.rows: dict[str, Row] = {}

    def on(self, methods: str, pattern: str) -> Callable[[Any], Any]:
        """Register a route: a function of the request and the groups of its path."""

        def keep(function: Any) -> Any:
            self.routes.append((set(methods.split()), re.compile(pattern), function))
            return function

        return keep

    def add(self, key: str, data: Any, rev: int = 1, age: float = 90000.0, by: str = "") -> Row:
        """Put a row."""
        self.rows[key] = Row(data, rev, time.time() - age, by)
        return self.rows[key]

    def __call__(self, req: Req) -> Res:
        """Answer a request."""
        res = self._answer(req)
        for name, value in self.extra.items():
            res.fields.setdefault(name, value(req) if callable(value) else value)
        if isinstance(res.body, dict | list):
            res.fields.setdefault("Content-Type", "application/json")
        return res

    def _answer(self, req: Req) -> Res:
        for methods, pattern, function in self.routes:
            found = pattern.fullmatch(req.path)
            if found and req.method in methods:
                return function(req, *found.groups())
        if req.path not in self.fixed:
            return self.lost(req)
        body = self.fixed[req.path]
        if not self.tags:
            return Res(200, body)
        tag = f'"{mark(body)}"'
        if req.fields.get("if-none-match") == tag:
            return Res(304, b"", {"ETag": tag})
        return Res(200, body, {"ETag": tag})
