"""A vault of items in this process: where the version is carried and what is said is a story's choice."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Call:
    """A request: method, path, query, fields (names in lower case) and content."""

    method: str
    path: str
    query: Mapping[str, str]
    head: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the content decoded as JSON, an empty object without any."""
        return json.loads(self.body) if self.body.strip() else {}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, fields, and content as octets, text or anything for JSON."""

    status: int
    content: object = None
    head: Mapping[str, str] = field(default_factory=dict)

    def octets(self) -> bytes:
        """Return the content."""
        if self.content is None or self.status in {204, 304}:
            return b""
        if isinstance(self.content, bytes):
            return self.content
        if isinstance(self.content, str):
            return self.content.encode()
        return json.dumps(self.content, ensure_ascii=False).encode()

    def fields(self) -> dict[str, str]:
        """Return the fields, with a media type where one is due."""
        kind = (
            "application/json" if not isinstance(self.content, str | bytes) else "text/plain; charset=utf-8"
        )
        given = dict(self.head)
        if self.octets() and not any(name.lower() == "content-type" for name in given):
            given["Content-Type"] = kind
        return given


@dataclass(slots=True)
class Item:
    """What lies under one path."""

    data: Any
    rev: int
    at: float
    by: str = ""

    def digest(self, kind: str = "sha1", length: int = 12) -> str:
        """Return a digest of the content."""
        text = json.dumps(self.data, sort_keys=True, ensure_ascii=False).encode()
        return hashlib.new(kind, text).hexdigest()[:length]


def call_of(method: str, target: str, head: Mapping[str, str], body: bytes) -> Call:
    """Return a call of what a framework hands over."""
    parts = urlsplit(target)
    return Call(method, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), head, body)


def date(moment: float) -> str:
    """Return an HTTP date."""
    return formatdate(moment, usegmt=True)


@dataclass
class Vault:
    """Items by path.

    Attributes:
        items: What is there.
        mark: The version of an item as it goes over the wire.
        place: ``etag`` (ETag and If-Match), ``field NAME``, ``query NAME`` or ``head NAME``, both ways.
        refuses: Status and content of the answer to a wrong version.
        needs: Status and content of the answer to a missing one; None lets it pass.
        first: Looks at a call before all else; what it returns is the answer.
        after: Told of each write that was taken.
        shows: Changes the answer to a read.
        lists: The answer to a read of a folder, of the paths and items below it.
        wrote: Status of the answer to a write.
    """

    items: dict[str, Item]
    mark: Callable[[Item], Any]
    place: str = "etag"
    refuses: tuple[int, Any] = (412, None)
    needs: tuple[int, Any] | None = None
    first: Callable[[Call], Reply | None] | None = None
    after: Callable[[Call, Item], None] | None = None
    shows: Callable[[Call, Item, Reply], Reply] | None = None
    lists: Callable[[dict[str, Item]], object] | None = None
    wrote: int = 200
    echo: bool = True
    lock: Any = field(default_factory=threading.RLock)

    def __call__(self, call: Call) -> Reply:
        """Answer a call."""
        with self.lock:
            early = self.first(call) if self.first else None
            if early is not None:
                return early
            if call.method in {"GET", "HEAD"}:
                return self.read(call)
            return self.write(call)

    def head(self, item: Item) -> dict[str, str]:
        """Return the fields that carry the version."""
        name = {"etag": "ETag"}.get(self.place, self.place.removeprefix("head "))
        return {name: str(self.mark(item))} if self.place == "etag" or self.place.startswith("head") else {}

    def view(self, item: Item) -> object:
        """Return the content of an item as it is sent."""
        kind, _, name = self.place.partition(" ")
        return (
            {**item.data, name: self.mark(item)}
            if kind in {"field", "query"} and isinstance(item.data, dict)
            else item.data
        )

    def read(self, call: Call) -> Reply:
        """Answer a read."""
        item = self.items.get(call.path)
        if item is None:
            below = {
                path: one for path, one in self.items.items() if path.startswith(call.path.rstrip("/") + "/")
            }
            if not below:
                return Reply(404, {"error": "not found"})
            return Reply(200, self.lists(below) if self.lists else [self.view(one) for one in below.values()])
        head = self.head(item)
        if self.place == "etag" and call.head.get("if-none-match") == head["ETag"]:
            return Reply(304, None, head)
        reply = Reply(200, self.view(item), head)
        return self.shows(call, item, reply) if self.shows else reply

    def sent(self, call: Call) -> object:
        """Return the version that a call brings, None without one."""
        kind, _, name = self.place.partition(" ")
        if kind == "etag":
            return call.head.get("if-match")
        if kind == "head":
            return call.head.get(name.lower())
        return call.query.get(name) if kind == "query" else call.json.get(name)

    def write(self, call: Call) -> Reply:
        """Answer a PUT, PATCH or DELETE."""
        item, sent = self.items.get(call.path), self.sent(call)
        if item is None and (call.method != "PUT" or sent is not None):
            return Reply(404, {"error": "not found"})
        if item is not None and sent is None and self.needs:
            return Reply(*self.needs)
        if item is not None and sent is not None and str(sent) != str(self.mark(item)) and sent != "*":
            return Reply(self.refuses[0], self.refuses[1])
        if call.method == "DELETE":
            del self.items[call.path]
            return Reply(204)
        return self.take(call, item)

    def take(self, call: Call, item: Item | None) -> Reply:
        """Store what a call brings."""
        data = call.json
        kind, _, name = self.place.partition(" ")
        if kind == "field":
            data.pop(name, None)
        made = item is None
        item = item or Item({}, 0, 0.0)
        item.data = {**item.data, **data} if call.method == "PATCH" else data
        item.rev, item.at, item.by = item.rev + 1, time.time(), call.head.get("x-user", "")
        self.items[call.path] = item
        shown = self.view(item) if self.echo else None
        reply = Reply(201 if made else self.wrote, shown, self.head(item) if self.echo else {})
        if self.after:
            self.after(call, item)
        return reply


def shelf(folder: str, *rows: tuple[str, Any], rev: int = 1, age: float = 5000.0) -> dict[str, Item]:
    """Return items of a folder, each with a name and content."""
    return {
        f"{folder}/{name}": Item(data, rev + spot * 3, time.time() - age - spot * 777)
        for spot, (name, data) in enumerate(rows)
    }
