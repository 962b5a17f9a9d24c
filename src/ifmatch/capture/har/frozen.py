"""Make the frozen records of a HAR entry quickly: filled while open, then closed.

The constructor of a frozen dataclass sets each attribute past its own guard, which costs eight times as much;
a big HAR makes eighty thousand of them.
"""

# ruff: noqa: PLR0917 -- in the order of the records themselves

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ifmatch.model.exchange import Exchange, Provenance
from ifmatch.model.message import Request, Response

if TYPE_CHECKING:
    from ifmatch.model.exchange import Told
    from ifmatch.model.message import Content, Fields
    from ifmatch.model.unknown import UnknownType

__all__ = ["make_exchange", "make_request", "make_response"]


class _Provenance:
    __slots__ = ("entry", "line", "source")

    source: str
    entry: int | None
    line: int | None


class _Request:
    __slots__ = ("content", "fields", "method", "url", "version")

    method: str
    url: str
    fields: Fields
    content: Content | UnknownType | None
    version: str


class _Response:
    __slots__ = ("content", "fields", "reason", "redirect", "status", "version")

    status: int
    reason: str
    fields: Fields
    content: Content | UnknownType | None
    version: str
    redirect: str


class _Exchange:
    __slots__ = (
        "connection", "duration", "error", "from_cache", "initiator", "mark", "page", "peer", "provenance",
        "request", "resolution", "response", "started", "told",
    )  # fmt: skip

    provenance: Provenance
    request: Request
    response: Response | None
    started: float | None
    duration: float | None
    error: str
    connection: str
    peer: str
    page: str
    initiator: str
    from_cache: bool
    resolution: float
    mark: str
    told: tuple[Told, ...]


def make_request(
    method: str, url: str, fields: Fields, content: Content | UnknownType | None, version: str
) -> Request:
    """Make a request; see `Request`."""
    record = _Request()
    record.method = method
    record.url = url
    record.fields = fields
    record.content = content
    record.version = version
    record.__class__ = Request  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    return cast("Request", record)


def make_response(
    status: int,
    reason: str,
    fields: Fields,
    content: Content | UnknownType | None,
    version: str,
    redirect: str,
) -> Response:
    """Make a response; see `Response`."""
    record = _Response()
    record.status = status
    record.reason = reason
    record.fields = fields
    record.content = content
    record.version = version
    record.redirect = redirect
    record.__class__ = Response  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    return cast("Response", record)


def make_exchange(
    source: str,
    entry: int,
    request: Request,
    response: Response | None,
    started: float | None,
    resolution: float,
    duration: float | None,
    *,
    error: str,
    connection: str,
    peer: str,
    page: str,
    initiator: str,
    from_cache: bool,
) -> Exchange:
    """Make an exchange with its provenance; see `Exchange`."""
    place = _Provenance()
    place.source = source
    place.entry = entry
    place.line = None
    place.__class__ = Provenance  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    record = _Exchange()
    record.provenance = cast("Provenance", place)
    record.request = request
    record.response = response
    record.started = started
    record.duration = duration
    record.error = error
    record.connection = connection
    record.peer = peer
    record.page = page
    record.initiator = initiator
    record.from_cache = from_cache
    record.resolution = resolution
    record.mark = ""
    record.told = ()
    record.__class__ = Exchange  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    return cast("Exchange", record)
