# mypy: ignore-errors
# ruff: noqa: ARG002, E501 - handlers are handed all that they may want, hashes keep no secret
"""Rows with versions behind an API that looks like a product's; each product replaces what it does in its own way."""

from __future__ import annotations

import copy
import hashlib
import re
import threading
import time
import uuid
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Req, Res

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Api", "Req", "Res", "Row", "Tagged", "guid", "iso", "listed"]


def iso(moment: float, digits: int = 0) -> str:
    """Return a moment as RFC 3339 in UTC with so many digits of a fraction."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{whole}{f'{moment % 1:.9f}'[1 : 2 + digits] if digits else ''}Z"


def guid(*parts: object) -> str:
    """Return a GUID that the parts determine."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, parts))))


def listed(value: str) -> list[str]:
    """Return the members of a list of tags."""
    return [one.strip() for one in value.split(",")]


@dataclass
class Row:
    """One version of a thing."""

    data: Any
    rev: int
    at: float
    by: str
    past: tuple[Row, ...] = ()

    def digest(self, name: str = "md5") -> str:
        """Return a hash of the content."""
        return hashlib.new(name, Res(200, self.data).octets).hexdigest()


class Api:
    """Rows by key, and routes.

    Args:
        rows: Content by key.
        first: The first revision.
        age: How many seconds ago they were stored.
    """

    def __init__(self, rows: Mapping[str, Any], *, first: int = 1, age: float = 400000.0) -> None:
        self.lock = threading.RLock()
        self.first, self.count = first, 0
        self.rows: dict[str, Row] = {
            key: Row(copy.deepcopy(data), first, time.time() - age - place * 1733.21, "import")
            for place, (key, data) in enumerate(rows.items())
        }
        self.near: dict[str, Res] = {}
        self.routes: list[tuple[set[str], re.Pattern[str], Callable[..., Res]]] = []
        self.told: list[Callable[[Req, str], object]] = []
        self.setup()

    def setup(self) -> None:
        """Name the routes."""

    def on(self, methods: str, pattern: str, handler: Callable[..., Res]) -> None:
        """Let a handler answer these methods at targets that fit; groups become its arguments."""
        self.routes.append((set(methods.split()), re.compile(pattern), handler))

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {}

    def lost(self, req: Req) -> Res:
        """Return the answer for what is not there."""
        return Res(404, {"message": "Not Found"})

    def who(self, req: Req) -> str:
        """Return who sends."""
        return req.who

    def store(self, key: str, data: Any, by: str) -> Row:
        """Keep a new version."""
        old = self.rows.get(key)
        past = (*old.past, old) if old else ()
        self.rows[key] = Row(data, old.rev + 1 if old else self.first, time.time(), by, past)
        return self.rows[key]

    def beside(self, path: str, body: Any, status: int = 200, **fields: str) -> None:
        """Have something there that takes no part in the story."""
        own = {name.replace("_", "-"): value for name, value in fields.items()}
        self.near[path] = Res(status, body, own)

    def __call__(self, req: Req) -> Res:
        """Answer a request."""
        self.count += 1
        res = self.answer(req)
        for name, value in self.common(req).items():
            res.fields.setdefault(name, value)
        if isinstance(res.body, dict | list):
            res.fields.setdefault("Content-Type", "application/json")
        return res

    def answer(self, req: Req) -> Res:
        """Find who answers."""
        if near := self.near.get(req.path):
            tag = near.fields.get("ETag")
            if tag and req.fields.get("if-none-match") == tag:
                return Res(304, b"", dict(near.fields))
            return Res(near.status, near.body, dict(near.fields))
        for methods, pattern, handler in self.routes:
            if req.method in methods and (found := pattern.fullmatch(req.path)):
                return handler(req, **found.groupdict())
        return self.lost(req)


class Tagged(Api):
    """Rows under entity tags; what happens without, and with a wrong one, is the product's."""

    weak = False
    need = False
    dates = False
    put_status = 200

    def setup(self) -> None:
        """Let every path be a row, or a list of those below it."""
        self.on("GET HEAD", ".*", self.read)
        self.on("PUT PATCH POST DELETE MERGE", ".*", self.write)

    def key(self, req: Req) -> str:
        """Return the key of the row that a request is about."""
        return req.path

    def tag(self, key: str, row: Row) -> str:
        """Return the tag."""
        return f'"{row.digest()}"'

    def marks(self, key: str, row: Row) -> dict[str, str]:
        """Return the validators of a version."""
        dated = {"Last-Modified": formatdate(row.at, usegmt=True)} if self.dates else {}
        return {"ETag": self.tag(key, row), **dated}

    def shown(self, req: Req, key: str, row: Row) -> Any:
        """Return a row as the API shows it."""
        return row.data

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return what is below a path."""
        return Res(200, {"items": [self.shown(req, one, row) for one, row in below.items()]})

    def merged(self, req: Req, key: str, row: Row | None) -> Any:
        """Return the new content."""
        return {**row.data, **req.json} if req.method in {"PATCH", "MERGE"} and row else req.json

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal: ``mismatch``, ``missing`` or ``exists``."""
        return Res(428 if why == "missing" else 412, {"error": why})

    def same(self, sent: str, key: str, row: Row) -> bool:
        """Return whether a list of tags, or the wildcard, names this version."""
        own, given = self.tag(key, row), listed(sent)
        if sent.strip() == "*":
            return True
        if self.weak:
            return own.removeprefix("W/") in [one.removeprefix("W/") for one in given]
        return not own.startswith("W/") and own in given

    def judge(self, req: Req, key: str, row: Row | None) -> str:
        """Return why a write is refused, empty when it may go on."""
        match, none = req.fields.get("if-match"), req.fields.get("if-none-match")
        since = req.fields.get("if-unmodified-since")
        if self.need and row is not None and match is None and none is None and since is None:
            return "missing"
        if match is not None and (row is None or not self.same(match, key, row)):
            return "mismatch"
        if match is None and since and self.dates and row is not None and not self.unchanged(since, row):
            return "mismatch"
        if none is not None and row is not None and (none == "*" or self.tag(key, row) in listed(none)):
            return "exists"
        return ""

    def unchanged(self, since: str, row: Row) -> bool:
        """Return whether a row is no newer than a date; what is no date is ignored."""
        try:
            return int(row.at) <= parsedate_to_datetime(since).timestamp()
        except ValueError:
            return True

    def read(self, req: Req) -> Res:
        """Answer a read."""
        key = self.key(req)
        row = self.rows.get(key)
        if row is None:
            below = {one: row for one, row in self.rows.items() if one.startswith(key.rstrip("/") + "/")}
            return self.listing(req, key, below) if below else self.lost(req)
        marks = self.marks(key, row)
        none = req.fields.get("if-none-match")
        if none and marks.get("ETag", "?").removeprefix("W/") in [
            one.removeprefix("W/") for one in listed(none)
        ]:
            return Res(304, b"", marks)
        since = req.fields.get("if-modified-since")
        if none is None and since and self.dates and self.unchanged(since, row):
            return Res(304, b"", marks)
        return Res(200, self.shown(req, key, row), marks)

    def write(self, req: Req) -> Res:
        """Answer a write."""
        key = self.key(req)
        with self.lock:
            row = self.rows.get(key)
            if why := self.judge(req, key, row):
                return self.refuse(req, why, key, row)
            if row is None and req.method != "PUT":
                return self.lost(req)
            if req.method == "DELETE":
                del self.rows[key]
                return Res(204)
            fresh = self.store(key, self.merged(req, key, row), self.who(req))
            for one in self.told:
                one(req, key)
            return self.written(req, key, fresh, row is None)

    def written(self, req: Req, key: str, row: Row, made: bool) -> Res:
        """Return the answer to a write."""
        status = 201 if made else self.put_status
        body = b"" if status == 204 else self.shown(req, key, row)
        return Res(status, body, self.marks(key, row))
