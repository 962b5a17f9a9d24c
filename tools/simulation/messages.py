"""Requests, responses and what a vantage keeps of them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

Fields: TypeAlias = list[tuple[str, str]]
Document: TypeAlias = dict[str, object]
REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content", 207: "Multi-Status",
    301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified", 307: "Temporary Redirect",
    308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 409: "Conflict", 410: "Gone", 412: "Precondition Failed",
    416: "Range Not Satisfiable", 422: "Unprocessable Entity", 423: "Locked", 428: "Precondition Required",
    429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip


def get(fields: Fields, name: str) -> str | None:
    """Return the value of a field, lines joined by a comma; None when it is not there."""
    found = [value for key, value in fields if key.lower() == name.lower()]
    return ", ".join(found) if found else None


def without(fields: Fields, *names: str) -> Fields:
    """Return the fields but those named."""
    gone = {name.lower() for name in names}
    return [(key, value) for key, value in fields if key.lower() not in gone]


def put(fields: Fields, name: str, value: str) -> Fields:
    """Return the fields with one replaced in its place, or added at the end."""
    changed = [(key, value if key.lower() == name.lower() else old) for key, old in fields]
    return changed if get(fields, name) is not None else [*fields, (name, value)]


def http_date(moment: float) -> str:
    """Write a moment (seconds since the epoch) as IMF-fixdate, RFC 9110 section 5.6.7."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


def iso(moment: float, digits: int = 3) -> str:
    """Write a moment as ISO 8601 in UTC with a fraction of 0, 3 or 6 digits."""
    whole, _, fraction = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").partition(".")
    return whole + (f".{fraction[:digits]}" if digits else "") + "Z"


@dataclass(slots=True)
class Request:
    """A request; `document` is what its body means, for the simulated server."""

    method: str
    url: str
    fields: Fields = field(default_factory=list)
    body: str | bytes | None = None
    document: Document | None = None

    def field(self, name: str) -> str | None:
        """Return a field's value."""
        return get(self.fields, name)

    def copy(self) -> Request:
        """Return a copy that may be changed."""
        return Request(self.method, self.url, list(self.fields), self.body, copy.deepcopy(self.document))


@dataclass(slots=True)
class Response:
    """A response; `document` is what its body means, for the simulated client."""

    status: int
    fields: Fields = field(default_factory=list)
    body: str | bytes | None = None
    document: Document | None = None
    reason: str | None = None

    def field(self, name: str) -> str | None:
        """Return a field's value."""
        return get(self.fields, name)

    def copy(self) -> Response:
        """Return a copy that may be changed."""
        return Response(self.status, list(self.fields), self.body, copy.deepcopy(self.document), self.reason)


@dataclass(frozen=True, slots=True)
class Lost:
    """No response came, and why."""

    why: str


Answer: TypeAlias = "Response | Lost"


@dataclass(slots=True)
class Exchange:
    """What one vantage saw of one request."""

    started: float
    duration: float
    request: Request
    answer: Answer
    connection: str = ""
    kind: str = "fetch"
    cached: bool = False
    page: str = ""


@dataclass(slots=True)
class Tape:
    """What one vantage recorded: role (client, other, upstream, edge), in order of start.

    `inner` are the origin as clients know it and as this vantage knows it, where they differ.
    """

    role: str
    exchanges: list[Exchange] = field(default_factory=list)
    clock: float = 0.0
    flavour: str = "tap"
    lower_case: bool = False
    bodies: str = "all"
    digits: int = 6
    version: str = "HTTP/1.1"
    peer: str = "192.0.2.10"
    inner: tuple[str, str] | None = None
