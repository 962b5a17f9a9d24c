"""The service that every adapter serves in the contract suite: what to do, without any framework.

Siblings of the resource are named as `ifmatch serve` names them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from ifmatch import Representation
from ifmatch.server.answers import Current, RequestFacts
from ifmatch.server.gate import Settings
from ifmatch.server.policy import Policies, Policy, Rule, Stage
from ifmatch.server.prefer import PREFERENCE_APPLIED, preferred_return
from ifmatch.server.stores.memory import MemoryStore
from ifmatch.server.stores.protocol import DELETED, Content
from ifmatch.server.writing import write

if TYPE_CHECKING:
    from ifmatch.server.conditional import Conditional

BASE = "/resource"
FIRST = Content(b'{"text": "' + b"the first state of the resource " * 4 + b'"}', "application/json")
DATED = datetime(2025, 7, 1, 10, 0, 0, tzinfo=UTC)
NAMES = ("", "-missing", "-tagged", "-dated", "-forbidden", "-moved", "-transform", "-private", "-required")
METHODS = {"-dated": ("GET", "HEAD", "PUT")}
ALL_METHODS = ("GET", "HEAD", "PUT", "DELETE")
MEDIA_TYPES = ("application/json",)
SETTINGS = Settings(
    policies=Policies((Rule(f"{BASE}-required", Policy(stage=Stage.ENFORCE)),)),
)


@dataclass(frozen=True)
class Result:
    status: int
    fields: tuple[tuple[str, str], ...] = ()
    octets: bytes = b""


def allowed(name: str) -> tuple[str, ...]:
    return METHODS.get(name, ALL_METHODS)


class Service:
    def __init__(self) -> None:
        self.store = MemoryStore(clock=lambda: datetime.now(UTC).replace(microsecond=0))
        self.looked_up = 0
        self.performed: list[tuple[str, str]] = []
        for name in ("", "-transform", "-required"):
            self.store.swap(name, _absent(), FIRST)

    def current(self, name: str, query: str) -> Current | None:
        """Look the current state up, once for a request."""
        self.looked_up += 1
        company = (("Cache-Control", "no-cache"), ("Vary", "Accept"), ("Content-Location", BASE + name))
        if name == "-tagged":
            etag = parse_qs(query, encoding="latin-1", keep_blank_values=True).get("etag", ['"v1"'])[0]
            return Current(representation=Representation(etag=etag), fields=company, content=FIRST)
        if name == "-dated":
            return Current(representation=Representation(last_modified=DATED), fields=company, content=FIRST)
        snapshot = self.store.read(name)
        return None if snapshot is None else Current.of(snapshot, fields=company)

    def read(self, facts: RequestFacts, conditional: Conditional) -> Result:
        """Answer GET and HEAD; validators are the adapter's business."""
        current = conditional.current
        if current is None:
            return Result(404)
        content = current.content
        assert isinstance(content, Content)
        kind = ("Content-Type", content.media_type)
        range_value = next((value for key, value in _texts(facts) if key == "range"), "")
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", range_value)
        if conditional.use_range and match:
            size = len(content.octets)
            first, last = int(match[1]), int(match[2] or size - 1)
            if first >= size:
                return Result(416, (("Content-Range", f"bytes */{size}"),))
            part = content.octets[first : last + 1]
            where = f"bytes {first}-{first + len(part) - 1}/{size}"
            return Result(206, (kind, ("Content-Range", where)), part)
        return Result(200, (kind,), content.octets)

    def write(self, name: str, facts: RequestFacts, octets: bytes, settings: Settings) -> Result:
        """Perform PUT and DELETE."""
        self.performed.append((facts.method, name))
        if name in ("-tagged", "-dated"):
            return Result(204)
        if facts.method == "DELETE":
            if self.store.read(name) is None:
                return Result(404)
            write(self.store, name, facts, lambda _: DELETED, settings=settings)
            return Result(204)
        if name == "-transform":
            octets = octets.upper()
        content = Content(octets, "application/json")
        applied = write(self.store, name, facts, lambda _: content, settings=settings)
        fields = () if name == "-transform" else (("ETag", f'"{applied.version}"'),)
        status = 201 if applied.before is None else 204
        if preferred_return(facts.fields) == "representation":
            more = (
                ("Content-Type", "application/json"),
                ("Content-Location", BASE + name),
                PREFERENCE_APPLIED,
            )
            return Result(201 if status == 201 else 200, (*fields, *more), octets)
        return Result(status, fields)


def _texts(facts: RequestFacts) -> list[tuple[str, str]]:
    def text(value: str | bytes) -> str:
        return value.decode("latin-1") if isinstance(value, bytes) else value

    return [(text(key).lower(), text(value)) for key, value in facts.fields]


def _absent():
    from ifmatch.server.stores.protocol import ABSENT

    return ABSENT


def name_of(path: str) -> str | None:
    name = path.removeprefix(BASE)
    return name if path.startswith(BASE) and name in NAMES else None
