# mypy: ignore-errors
"""Rows with versions in the process that records, behind routes whose words a story chooses."""

from __future__ import annotations

import copy
import re
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tools.recording_apis.apps.vic_core import Doc, Req, Res

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Books:
    """Rows by key, and functions by method and pattern of the path.

    Args:
        rows: Content by key.
        first: The first revision.
        age: How long ago the rows were stored.
        lost: What is answered where nothing is.
        extra: Fields of each answer.
    """

    def __init__(
        self,
        rows: Mapping[str, Any],
        first: int = 1,
        *,
        age: float = 64000.0,
        lost: Any = "Not Found",
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.lost, self.extra, self.first = lost, dict(extra or {}), first
        self.clock: Callable[[], float] = time.time
        self.rows: dict[str, Doc] = {
            key: Doc(copy.deepcopy(data), first, time.time() - age - 71.3 * number, "system")
            for number, (key, data) in enumerate(rows.items())
        }
        self.routes: list[tuple[str, re.Pattern[str], Callable[..., Res]]] = []

    def on(self, method: str, pattern: str) -> Callable[[Callable[..., Res]], Callable[..., Res]]:
        """Register the decorated function for a method and a pattern of the whole path."""

        def register(answer: Callable[..., Res]) -> Callable[..., Res]:
            self.routes.append((method, re.compile(pattern), answer))
            return answer

        return register

    def keep(self, key: str, data: Any, by: str = "user") -> Doc:
        """Store the next version of a row."""
        with self.lock:
            old = self.rows.get(key)
            past = (*old.past, replace(old, past=())) if old else ()
            rev = old.rev + 1 if old else self.first
            self.rows[key] = Doc(copy.deepcopy(data), rev, self.clock(), by, past=past)
            return self.rows[key]

    def static(self, path: str, body: Any, **fields: str) -> None:
        """Serve something that never changes; with an ETag it can be revalidated."""
        named = {name.replace("_", "-"): value for name, value in fields.items()}

        def answer(req: Req) -> Res:
            if named.get("ETag") and req.fields.get("if-none-match") == named["ETag"]:
                return Res(304, b"", dict(named))
            return Res(200, body, dict(named))

        self.routes.append(("GET", re.compile(re.escape(path)), answer))

    def __call__(self, req: Req) -> Res:
        """Answer a request."""
        res = Res(404, self.lost)
        for method, pattern, answer in self.routes:
            found = pattern.fullmatch(req.path) if method == req.method else None
            if found:
                res = answer(req, *found.groups())
                break
        if isinstance(res.body, dict | list | bool):
            res.fields.setdefault("Content-Type", "application/json")
        elif res.status not in {204, 304}:
            text = res.octets[:9].lower()
            media = "text/html; charset=utf-8" if text.startswith((b"<!doc", b"<html")) else "text/plain"
            res.fields.setdefault("Content-Type", "text/xml" if text.startswith(b"<?xml") else media)
        res.fields = {**self.extra, **res.fields}
        return res


def form(req: Req) -> dict[str, str]:
    """Return the fields of a form that was sent."""
    return dict(parse_qsl(req.body.decode(), keep_blank_values=True))


def page(title: str, body: str) -> str:
    """Return a page of HTML."""
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{title}</title>'
        f'<link rel="stylesheet" href="/css/main.css"></head><body><h1>{title}</h1>{body}</body></html>'
    )


def stamp(moment: float, digits: int = 3) -> str:
    """Return a moment as ISO 8601 in UTC with so many digits after the second."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{whole}.{int(moment % 1 * 10**digits):0{digits}}Z" if digits else f"{whole}Z"
