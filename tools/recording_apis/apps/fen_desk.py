# mypy: ignore-errors
"""Desks in the process that records: routes over versioned records, and folders under validators."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tools.recording_apis.apps.vic_core import Box, Req, Res

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass
class Rec:
    """One record with its past."""

    data: dict[str, Any]
    rev: int
    at: float
    by: str
    past: list[Rec] = field(default_factory=list)

    def digest(self, length: int = 40) -> str:
        """Return a hash of the content."""
        text = json.dumps(self.data, sort_keys=True, ensure_ascii=False)
        return hashlib.sha1(text.encode()).hexdigest()[:length]  # noqa: S324 - a version, no secret


class Desk:
    """Routes over records.

    Args:
        records: Content by key.
        first: The first revision.
        age: How long ago the records were stored.
        extra: Fields of each answer.
    """

    def __init__(
        self,
        records: Mapping[str, dict[str, Any]] | None = None,
        *,
        first: int = 1,
        age: float = 400000.0,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.extra = dict(extra or {})
        self.stills: dict[str, Res] = {}
        self.routes: list[tuple[str, re.Pattern[str], Callable[..., Res]]] = []
        self.rows: dict[str, Rec] = {
            key: Rec(copy.deepcopy(data), first, time.time() - age - number * 913.4, "init")
            for number, (key, data) in enumerate((records or {}).items())
        }

    def still(self, path: str, body: Any, tag: str = "", media: str = "", **fields: str) -> None:
        """Serve something that takes no part in a story."""
        own = {name.replace("_", "-"): value for name, value in fields.items()}
        own |= {"ETag": tag} if tag else {}
        own |= {"Content-Type": media} if media else {}
        self.stills[path] = Res(200, body, own)

    def on(self, method: str, pattern: str) -> Callable[[Callable[..., Res]], Callable[..., Res]]:
        """Register an answer to a method and a path; the groups of the pattern go along."""

        def register(answer: Callable[..., Res]) -> Callable[..., Res]:
            self.routes.append((method, re.compile(pattern), answer))
            return answer

        return register

    def keep(self, key: str, data: dict[str, Any], by: str) -> Rec:
        """Keep a new version of a record."""
        with self.lock:
            old = self.rows.get(key)
            past = [] if old is None else [*old.past, old]
            made = Rec(copy.deepcopy(data), old.rev + 1 if old else 1, time.time(), by, past)
            self.rows[key] = made
            return made

    def __call__(self, req: Req) -> Res:
        """Answer a request."""
        res = self._found(req)
        res.fields = {**self.extra, **res.fields}
        if isinstance(res.body, dict | list):
            res.fields.setdefault("Content-Type", "application/json; charset=utf-8")
        return res

    def _found(self, req: Req) -> Res:
        for method, pattern, answer in self.routes:
            if (method == req.method or (method == "GET" and req.method == "HEAD")) and (
                match := pattern.fullmatch(req.path)
            ):
                return answer(req, *match.groups())
        if req.path in self.stills:
            return _kept(req, self.stills[req.path])
        return Res(404, {"message": "no such thing", "path": req.path})


def _kept(req: Req, shown: Res) -> Res:
    if req.method == "POST":
        return Res(204)
    if req.fields.get("if-none-match") and shown.fields.get("ETag") == req.fields["if-none-match"]:
        return Res(304, b"", {"ETag": shown.fields["ETag"]})
    return Res(shown.status, shown.body, dict(shown.fields))


class Folder(Box):
    """Documents under validators; nothing stands beside them but what a story puts there."""

    def __init__(self, docs: Mapping[str, Any], *rest: Any, **more: Any) -> None:
        super().__init__(docs, *rest, **more)
        self.fixed: dict[str, Res] = {}

    def still(self, path: str, body: Any, tag: str = "", media: str = "", **fields: str) -> None:
        """Serve something that takes no part in a story."""
        Desk.still(self, path, body, tag, media, **fields)

    @property
    def stills(self) -> dict[str, Res]:
        """Return what takes no part."""
        return self.fixed

    def route(self, req: Req) -> Res:
        """Answer what no hook has answered."""
        if req.path in self.fixed:
            return _kept(req, self.fixed[req.path])
        return super().route(req)


def form(req: Req) -> dict[str, str]:
    """Return the fields of a form."""
    return dict(parse_qsl(req.body.decode(), keep_blank_values=True))


def stamp(moment: float, places: int = 0) -> str:
    """Return a moment as RFC 3339 has it."""
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{text}.{int((moment % 1) * 10**places):0{places}}Z" if places else f"{text}Z"


def page(title: str, inner: str) -> str:
    """Return an HTML page."""
    return f"<!doctype html>\n<html><head><title>{title}</title></head><body>{inner}</body></html>\n"
