# mypy: ignore-errors
"""Rows with their past, in the process that records; the products of quin's stories are routes over them."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Req, Res

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Product", "Req", "Res", "Row", "digest", "iso", "xml"]


def digest(data: Any, name: str = "md5") -> str:
    """Return a hash of octets, of text or of what becomes JSON."""
    if not isinstance(data, str | bytes):
        data = json.dumps(data, sort_keys=True)
    return hashlib.new(name, data.encode() if isinstance(data, str) else data).hexdigest()


def iso(at: float, ending: str = "Z") -> str:
    """Return a moment as ISO 8601 has it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + ending


def xml(status: int, root: str, **fields: Any) -> Res:
    """Return an answer in XML."""
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{inner}</{root}>'
    return Res(status, body, {"Content-Type": "application/xml"})


@dataclass
class Row:
    """One version of a row."""

    data: Any
    rev: int
    at: float
    by: str
    meta: dict[str, str] = field(default_factory=dict)

    @property
    def date(self) -> str:
        """Return when it was stored as HTTP has it."""
        return formatdate(self.at, usegmt=True)


class Product:
    """Rows by key, and the answers that its kind makes of them.

    Args:
        rows: The content at the start, stored hours ago.
        first: The first revision.
    """

    def __init__(self, rows: dict[str, Any], first: int = 1) -> None:
        now = time.time()
        self.lock = threading.RLock()
        self.first = first
        self.extra: dict[str, str] = {}
        self.before: list[Callable[[Req], Res | None]] = []
        self.gap = 0.0
        self.rows = {
            key: Row(data, first, now - 19000 - 431.5 * number, "import")
            for number, (key, data) in enumerate(rows.items())
        }

    def store(self, key: str, data: Any, by: str = "", meta: dict[str, str] | None = None) -> Row:
        """Keep a new version."""
        old = self.rows.get(key)
        self.rows[key] = Row(data, old.rev + 1 if old else self.first, time.time(), by, meta or {})
        return self.rows[key]

    def answer(self, req: Req) -> Res:
        """Answer one request: each product has its own way."""
        raise NotImplementedError

    def __call__(self, req: Req) -> Res:
        """Answer a request with the fields that each answer has."""
        res = next((got for hook in self.before if (got := hook(req)) is not None), None)
        if res is None and self.gap and not req.safe:
            res = self.answer(req)
        elif res is None:
            with self.lock:
                res = self.answer(req)
        res.fields = {**self.extra, **res.fields}
        if isinstance(res.body, dict | list):
            res.fields.setdefault("Content-Type", "application/json")
        return res

    @staticmethod
    def request_id() -> str:
        """Return a fresh id of a request."""
        return str(uuid.uuid4())
