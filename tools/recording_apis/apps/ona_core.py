# mypy: ignore-errors
"""Routes over rows with versions, in the process that records: a story says what each route answers."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Req, Res

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["App", "Req", "Res", "Row", "stamp"]


def stamp(moment: float, digits: int = 3) -> str:
    """Return a moment as RFC 3339 with so many digits of its second."""
    text = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text[: 19 + (digits + 1 if digits else 0)] + "Z"


@dataclass
class Row:
    """One thing in its current version.

    Attributes:
        data: Content.
        n: Version number.
        at: When it was stored.
        by: Who stored it.
    """

    data: Any
    n: int
    at: float
    by: str = "system"

    @property
    def octets(self) -> bytes:
        """Return the content as it is stored."""
        return self.data.encode() if isinstance(self.data, str) else json.dumps(self.data).encode()

    def hash(self, name: str = "md5", length: int = 64) -> str:
        """Return the start of a hash of the content."""
        return hashlib.new(name, self.octets).hexdigest()[:length]

    @property
    def date(self) -> str:
        """Return when it was stored as an HTTP-date."""
        return formatdate(self.at, usegmt=True)


class App:
    """Routes in the order in which they were added.

    Args:
        extra: Fields of each answer.
        lost: What is answered where nothing is.
    """

    def __init__(self, extra: Mapping[str, str] | None = None, lost: Any = None) -> None:
        self.extra, self.lost = dict(extra or {}), lost if lost is not None else {"error": "not found"}
        self.rules: list[tuple[str, re.Pattern[str], Callable[..., Res]]] = []
        self.rows: dict[str, Row] = {}
        self.lock = threading.RLock()

    def seed(self, rows: Mapping[str, Any], n: int = 1, age: float = 40000.0, by: str = "system") -> None:
        """Take rows that were there before the story."""
        for place, (key, data) in enumerate(rows.items()):
            self.rows[key] = Row(copy.deepcopy(data), n + place % 3, time.time() - age - 317.3 * place, by)

    def on(self, methods: str, pattern: str) -> Callable[[Callable[..., Res]], Callable[..., Res]]:
        """Let the decorated function answer these methods at paths of this pattern; groups are arguments."""

        def add(handler: Callable[..., Res]) -> Callable[..., Res]:
            self.rules += [(method, re.compile(pattern), handler) for method in methods.split()]
            return handler

        return add

    def page(self, path: str, body: Any, tag: str = "", media: str = "application/json") -> None:
        """Serve something that never changes."""

        def answer(req: Req) -> Res:
            fields = {"Content-Type": media, **({"ETag": tag} if tag else {})}
            if tag and req.fields.get("if-none-match") == tag:
                return Res(304, b"", {"ETag": tag})
            return Res(200, body, fields)

        self.on("GET HEAD", re.escape(path))(answer)

    def keep(self, key: str, data: Any, by: str = "") -> Row:
        """Store a new version."""
        old = self.rows.get(key)
        self.rows[key] = Row(data, old.n + 1 if old else 1, time.time(), by or "user")
        return self.rows[key]

    def __call__(self, req: Req) -> Res:
        """Answer a request."""
        for method, pattern, handler in self.rules:
            found = pattern.fullmatch(req.path) if method == req.method else None
            if found:
                res = handler(req, *found.groups())
                break
        else:
            res = Res(404, self.lost)
        res.fields = {**self.extra, **res.fields}
        if isinstance(res.body, dict | list):
            res.fields.setdefault("Content-Type", "application/json")
        elif res.body and "Content-Type" not in res.fields:
            res.fields["Content-Type"] = "text/plain; charset=utf-8"
        return res
