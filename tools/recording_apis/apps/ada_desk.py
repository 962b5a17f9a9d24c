"""Sheets by path with revisions, validators and conditions after RFC 9110, for any framework."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class Ask:
    """A request; names of fields are in lower case."""

    method: str
    target: str
    head: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Return the path without its query."""
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> dict[str, str]:
        """Return the query's parameters."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def data(self) -> Any:
        """Return the content read as JSON, or as text when it is none."""
        if "json" in self.head.get("content-type", "json"):
            return json.loads(self.body or b"{}")
        return self.body.decode("utf-8")

    @property
    def user(self) -> str:
        """Return who asks."""
        return self.head.get("x-staff", "guest")


@dataclass
class Reply:
    """An answer; what is neither text nor octets becomes JSON."""

    status: int
    data: Any = b""
    head: dict[str, str] = field(default_factory=dict)

    @property
    def octets(self) -> bytes:
        """Return the content."""
        if isinstance(self.data, bytes):
            return self.data
        return (
            self.data if isinstance(self.data, str) else json.dumps(self.data, ensure_ascii=False)
        ).encode()


@dataclass
class Sheet:
    """One version of one thing."""

    data: Any
    rev: int
    at: float
    by: str

    def digest(self, length: int = 16) -> str:
        """Return a hash of the content."""
        text = json.dumps(self.data, sort_keys=True, ensure_ascii=False)
        return hashlib.blake2b(text.encode()).hexdigest()[:length]


def numbered(_path: str, sheet: Sheet) -> str:
    """Return the revision as a tag."""
    return f'"{sheet.rev}"'


def hashed(_path: str, sheet: Sheet) -> str:
    """Return a hash of the content as a tag."""
    return f'"{sheet.digest()}"'


def members(value: str) -> list[str]:
    """Return the members of a list of tags."""
    return [one.strip() for one in value.split(",")]


class Desk:
    """A service of sheets; a story overrides or replaces what it bends.

    Args:
        rows: Content by path.
        tag: Makes the tag of a version; none without.
        dates: Whether there is a Last-Modified.
        needs: Status of a write without a condition, 0 to take it.
        words: Content of errors by status.
        age: Seconds since the rows were stored.
        rev: Their revision.
        always: Fields of each answer.
    """

    def __init__(
        self,
        rows: Mapping[str, Any],
        tag: Callable[[str, Sheet], str] | None = None,
        *,
        dates: bool = False,
        needs: int = 0,
        words: Mapping[int, Any] | None = None,
        age: float = 50_000.0,
        rev: int = 1,
        always: Mapping[str, str] | None = None,
    ) -> None:
        self.tag, self.dates, self.needs, self.words = tag, dates, needs, dict(words or {})
        self.always = dict(always or {})
        moment = time.time() - age
        self.sheets = {
            path: Sheet(data, rev, moment - 977.3 * n, "import")
            for n, (path, data) in enumerate(rows.items())
        }
        self.plain: dict[str, Reply] = {"/status": Reply(200, {"ok": True})}
        self.lock = threading.RLock()
        self.first: Callable[[Ask], Reply | None] = lambda _ask: None
        self.last: Callable[[Ask, Reply], None] = lambda _ask, _reply: None
        self.stored: Callable[[Ask, str, Sheet], None] = lambda _ask, _path, _sheet: None
        self.next = 900

    def __call__(self, ask: Ask) -> Reply:
        """Answer a request."""
        reply = self.first(ask) or self.answer(ask)
        self.last(ask, reply)
        reply.head = {**self.always, **reply.head}
        if isinstance(reply.data, dict | list):
            reply.head.setdefault("Content-Type", "application/json")
        return reply

    def answer(self, ask: Ask) -> Reply:
        """Answer what the story leaves alone."""
        if ask.path in self.plain:
            fixed = self.plain[ask.path]
            known = ask.head.get("if-none-match")
            if known and known == fixed.head.get("ETag"):
                return Reply(304, b"", dict(fixed.head))
            return Reply(fixed.status, fixed.data, dict(fixed.head))
        if ask.method in READS:
            return self.read(ask)
        with self.lock:
            return self.check(ask, ask.path, self.sheets.get(ask.path)) or self.write(ask)

    def no(self, status: int) -> Reply:
        """Return an error in the service's words."""
        said = self.words.get(status, {"status": status})
        media = "text/html; charset=utf-8" if isinstance(said, str) and said.startswith("<") else "text/plain"
        if not isinstance(said, str):
            media = "application/problem+json" if "title" in said else "application/json"
        return Reply(status, said, {"Content-Type": media})

    def marks(self, path: str, sheet: Sheet) -> dict[str, str]:
        """Return the validators of a version."""
        made = {} if self.tag is None else {"ETag": self.tag(path, sheet)}
        return {**made, "Last-Modified": formatdate(sheet.at, usegmt=True)} if self.dates else made

    def find(self, _ask: Ask, path: str) -> Sheet | None:
        """Return the version that a read gets."""
        return self.sheets.get(path)

    def view(self, _ask: Ask, path: str, sheet: Sheet) -> Reply:
        """Return a version as it is read."""
        return Reply(200, sheet.data, self.marks(path, sheet))

    def index(self, _ask: Ask, below: Mapping[str, Sheet]) -> Reply:
        """Return what lies below a path."""
        return Reply(200, {"total": len(below), "entries": [{"self": path} for path in below]})

    def read(self, ask: Ask) -> Reply:
        """Answer a read."""
        sheet = self.find(ask, ask.path)
        if sheet is None:
            below = {
                path: one for path, one in self.sheets.items() if path.startswith(ask.path.rstrip("/") + "/")
            }
            return self.index(ask, below) if below else self.no(404)
        reply = self.view(ask, ask.path, sheet)
        known, since = ask.head.get("if-none-match"), ask.head.get("if-modified-since")
        fresh = known is not None and self.among(known, reply.head.get("ETag", ""))
        if known is None and since is not None and self.dates:
            fresh = self.before(sheet, since)
        if fresh:
            return Reply(304, b"", {name: one for name, one in reply.head.items() if name != "Content-Type"})
        return reply

    @staticmethod
    def among(value: str, tag: str) -> bool:
        """Return whether a tag is in a list by the weak comparison."""
        return value.strip() == "*" or tag.removeprefix("W/") in [
            one.removeprefix("W/") for one in members(value)
        ]

    @staticmethod
    def before(sheet: Sheet, since: str) -> bool:
        """Return whether a version is not newer than a date; what is no date is left out of account."""
        try:
            return int(sheet.at) <= parsedate_to_datetime(since).timestamp()
        except ValueError:
            return True

    def check(self, ask: Ask, path: str, sheet: Sheet | None) -> Reply | None:
        """Return the refusal of a write, or nothing."""
        match, none = ask.head.get("if-match"), ask.head.get("if-none-match")
        since = ask.head.get("if-unmodified-since")
        if sheet is not None and self.needs and match is None and none is None and since is None:
            return self.no(self.needs)
        own = self.tag(path, sheet) if self.tag and sheet else ""
        if match is not None:
            strong = own in members(match) and not own.startswith("W/")
            if sheet is None or not (match.strip() == "*" or strong):
                return self.no(412)
        elif since is not None and sheet is not None and not self.before(sheet, since):
            return self.no(412)
        if none is not None and sheet is not None and self.among(none, own):
            return self.no(412)
        return None

    def put_down(self, path: str, data: Any, by: str) -> Sheet:
        """Store a version."""
        old = self.sheets.get(path)
        self.sheets[path] = Sheet(data, old.rev + 1 if old else 1, time.time(), by)
        return self.sheets[path]

    def write(self, ask: Ask) -> Reply:
        """Carry a write out."""
        path, old = ask.path, self.sheets.get(ask.path)
        if ask.method == "DELETE":
            if self.sheets.pop(path, None) is None:
                return self.no(404)
            return Reply(204)
        if ask.method == "POST":
            self.next += 1
            path, old = f"{path.rstrip('/')}/{self.next}", None
        elif ask.method == "PATCH" and old is None:
            return self.no(404)
        data = {**old.data, **ask.data} if ask.method == "PATCH" and old else ask.data
        made = self.put_down(path, data, ask.user)
        reply = self.view(ask, path, made)
        reply.status = 200 if old else 201
        if old is None:
            reply.head["Location"] = path
        self.stored(ask, path, made)
        return reply
