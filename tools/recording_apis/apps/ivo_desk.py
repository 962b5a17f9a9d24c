"""Routes over rows in this process: what an imitation of an API answers with."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, with names of fields in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    head: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the content decoded."""
        return json.loads(self.body or b"null")

    def field(self, name: str) -> str:
        """Return a field, empty when there is none."""
        return self.head.get(name.lower(), "")


@dataclass(slots=True)
class Say:
    """An answer; content that is no text or octets goes as JSON."""

    status: int
    data: Any = None
    head: dict[str, str] = field(default_factory=dict)

    @property
    def octets(self) -> bytes:
        """Return the content as it goes over the wire."""
        if self.data is None:
            return b""
        if isinstance(self.data, bytes):
            return self.data
        if isinstance(self.data, str):
            return self.data.encode()
        return json.dumps(self.data, ensure_ascii=False, separators=(",", ":")).encode()

    def lines(self) -> list[tuple[str, str]]:
        """Return the header lines, with a type for what has content."""
        own = dict(self.head)
        if self.data is not None and "Content-Type" not in own:
            text = isinstance(self.data, str | bytes)
            own["Content-Type"] = "text/plain; charset=utf-8" if text else "application/json; charset=utf-8"
        return list(own.items())


@dataclass(slots=True)
class Row:
    """Something kept, how often it was written, when and by whom."""

    data: Any
    rev: int = 1
    at: float = 0.0
    by: str = ""


class Rows(dict[str, Row]):
    """Rows by key, counted together."""

    def __init__(
        self, first: Mapping[str, Any], rev: int = 1, by: str = "import", age: float = 86400.0
    ) -> None:
        super().__init__({key: Row(data, rev, time.time() - age, by) for key, data in first.items()})
        self.tick = rev + 40

    def keep(self, key: str, data: Any, by: str = "") -> Row:
        """Write a row and count."""
        self.tick += 1
        old = self.get(key)
        self[key] = Row(data, old.rev + 1 if old else 1, time.time(), by)
        return self[key]


class Desk:
    """Routes, first match first."""

    def __init__(self, always: Mapping[str, str] | None = None) -> None:
        self.rules: list[tuple[str, re.Pattern[str], Callable[..., Say]]] = []
        self.always = dict(always or {})
        self.lock = threading.RLock()
        self.missing: Any = {"error": "not found"}

    def on(self, methods: str, pattern: str) -> Callable[[Callable[..., Say]], Callable[..., Say]]:
        """Register what answers methods, separated by blanks, of targets that match a pattern."""

        def register(function: Callable[..., Say]) -> Callable[..., Say]:
            self.rules += [(one, re.compile(pattern), function) for one in methods.split()]
            return function

        return register

    def shows(self, path: str, data: Any, **head: str) -> None:
        """Answer reads of a path with the same always."""
        fields = {name.replace("_", "-"): value for name, value in head.items()}
        self.on("GET", re.escape(path))(lambda _ask: Say(200, data, dict(fields)))

    def answer(self, ask: Ask) -> Say:
        """Return what the first matching route says."""
        for method, pattern, function in self.rules:
            found = pattern.fullmatch(ask.path)
            if found and (method == ask.method or (method == "GET" and ask.method == "HEAD")):
                got = function(ask, *found.groups())
                got.head = {**self.always, **got.head}
                return got
        return Say(404, self.missing, dict(self.always))


def asked(method: str, target: str, head: Mapping[str, str], body: bytes) -> Ask:
    """Return a request from its parts."""
    path, _, query = target.partition("?")
    return Ask(method, path, dict(parse_qsl(query, keep_blank_values=True)), head, body)


def http_date(moment: float) -> str:
    """Return a moment as HTTP writes it."""
    return formatdate(moment, usegmt=True)


def iso(moment: float, digits: int = 3) -> str:
    """Return a moment as JSON APIs write it."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{whole}.{int(moment % 1 * 10**digits):0{digits}d}Z" if digits else f"{whole}Z"
