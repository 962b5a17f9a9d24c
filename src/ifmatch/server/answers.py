"""Hold what the pure part of the server side takes and gives: facts of a request, a current state, an answer.

Source: RFC 9110 section 13.2.1.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from ifmatch.core.http_date import format_http_date
from ifmatch.core.representation import Representation
from ifmatch.server.stores.protocol import Content

if TYPE_CHECKING:
    from ifmatch.server.stores.protocol import Snapshot

__all__ = [
    "DATE_LAG",
    "PATH_SIGNS",
    "SAFE_METHODS",
    "Answer",
    "ContentSource",
    "Current",
    "RequestFacts",
    "current_of",
    "field_value",
    "last_modified_field",
    "plain_answer",
    "selected_fields",
    "utc_now",
    "validator_fields",
    "without_fresh_date",
]

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110 section 9.2.1)."""

PATH_SIGNS: Final = "/;=,:@!$&'()*+~"
"""What stands for itself in a path besides letters and digits (RFC 3986 section 3.3)."""

FieldPairs: TypeAlias = Sequence[tuple[str | bytes, str | bytes]]

# uvicorn makes its Date at each tenth tick of a tenth of a second; a busy loop ticks late.
DATE_LAG: Final = timedelta(seconds=2)
"""How far the Date of a server of ASGI may be behind."""

ContentSource: TypeAlias = "Content | Callable[[], Content | Awaitable[Content]]"
"""The current content, or a function that gets it; it is called only when the client asks for the content."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, ready to be sent.

    Attributes:
        status: the status code.
        fields: name and value of each header line, in order; values as latin-1 text.
        octets: the content.
    """

    status: int
    fields: tuple[tuple[str, str], ...]
    octets: bytes = b""

    def with_fields(self, *more: tuple[str, str]) -> Answer:
        """Return the same answer with further header lines at the end."""
        return replace(self, fields=(*self.fields, *more))

    def field(self, name: str) -> str | None:
        """Return the value of the first line with this name, in any letter case; None when it is absent."""
        wanted = name.lower()
        return next((value for key, value in self.fields if key.lower() == wanted), None)


class RequestFacts(NamedTuple):
    """What the evaluation and its answers need to know of a request.

    Attributes:
        method: the request method, case-sensitive.
        target: path and query as the client sent them; becomes `instance` and Content-Location.
        fields: the header lines, in order; names in any letter case, text or octets.
        route: template of the route (`/notes/{id}`), for counters and policies; "" when unknown.
    """

    method: str
    target: str
    fields: FieldPairs
    route: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """The current state of the target resource, with what answers about it should carry.

    Attributes:
        representation: its validators.
        fields: what the 200 carries besides validators and a 304 or 206 has to repeat: Cache-Control,
            Content-Location, Expires, Vary (RFC 9110 section 15.4.5).
        content: what the client gets in a 412 when it prefers so; None: never.
        other_tags: entity tags of other representations of the same resource (codings, languages, formats),
            so that a tag of one of them is recognised in a refused request.
        hides_date: whether Last-Modified is left out of answers; see `without_fresh_date`.
    """

    representation: Representation
    fields: tuple[tuple[str, str], ...] = ()
    content: ContentSource | None = None
    other_tags: tuple[str, ...] = ()
    hides_date: bool = False

    @classmethod
    def of(cls, snapshot: Snapshot, *, fields: Sequence[tuple[str, str]] = ()) -> Current:
        """Take over a state that was read from a store.

        Args:
            snapshot: as `read` gave it.
            fields: what the 200 carries besides; see the attribute.
        """
        return cls(representation=snapshot.representation, fields=tuple(fields), content=snapshot.content)


class _OpenCurrent:
    """The slots of a Current, still open; see `_only`."""

    __slots__ = Current.__slots__  # pyright: ignore[reportUnannotatedClassAttribute]

    representation: Representation
    fields: tuple[tuple[str, str], ...]
    content: ContentSource | None
    other_tags: tuple[str, ...]
    hides_date: bool


def _only(representation: Representation) -> Current:
    """Return the state that has validators and nothing else; one is made for each request."""
    # Filled while it is open, then closed: a third of the cost of filling a frozen object.
    current = _OpenCurrent()
    current.representation = representation
    current.fields = ()
    current.content = None
    current.other_tags = ()
    current.hides_date = False
    current.__class__ = Current  # type: ignore[assignment]
    return current  # type: ignore[return-value] # pyright: ignore[reportReturnType]


def current_of(
    state: Current | Representation | Snapshot | None,
) -> Current | None:
    """Bring what an application supplies into one form.

    Args:
        state: validators alone, validators with their company, a snapshot of a store, or None when there is
            no current representation.

    Raises:
        TypeError: when it is something else; says what is expected.
    """
    if type(state) is Representation or isinstance(state, Representation):
        return _only(state)
    if state is None or isinstance(state, Current):
        return state
    content = getattr(state, "content", None)
    if isinstance(content, Content):
        return Current.of(state)
    raise TypeError(
        "the current state is a Representation, a Current, a Snapshot of a store, or None when there is none,"
        f" not {type(state).__name__}"
    )


def field_value(fields: FieldPairs | Mapping[str, str], name: str) -> str | None:
    """Return the value of a field, its lines joined by commas; None when it is absent.

    Args:
        fields: header lines, names in any letter case, octets read as latin-1.
        name: of the field.

    Source: RFC 9110 section 5.3.
    """
    wanted = name.lower()
    wanted_octets = wanted.encode("latin-1")
    length = len(wanted)
    values: list[str] = []
    for key, value in fields.items() if isinstance(fields, Mapping) else fields:
        # The length alone rules out most names.
        if len(key) != length:
            continue
        if (key.lower() == wanted_octets) if isinstance(key, bytes) else (key.lower() == wanted):
            values.append((value.decode("latin-1") if isinstance(value, bytes) else value).strip(" \t"))
    return ", ".join(values) if values else None


def validator_fields(current: Current | None, *, now: datetime | None = None) -> tuple[tuple[str, str], ...]:
    """Return the lines ETag and Last-Modified of a state.

    Args:
        current: the selected state, None for none.
        now: the time of the answer, aware; a later modification date is replaced by it.

    Source: RFC 9110 section 8.8.2.1 (never later than Date) and section 8.8.3.
    """
    if current is None:
        return ()
    etag, modified = current.representation.etag_field, current.representation.last_modified
    tagged = () if etag is None else (("ETag", etag),)
    if modified is None or current.hides_date:
        return tagged
    return (*tagged, last_modified_field(modified if now is None else min(modified, now)))


# What is read often is read at the same version: a look-up costs a tenth of writing the date.
@functools.lru_cache(maxsize=1024)
def last_modified_field(moment: datetime) -> tuple[str, str]:
    """Return the line Last-Modified.

    Args:
        moment: of the modification, aware; fractions of a second are cut off.

    Source: RFC 9110 section 8.8.2.
    """
    return "Last-Modified", format_http_date(moment)


def selected_fields(current: Current, *, now: datetime | None = None) -> tuple[tuple[str, str], ...]:
    """Return what a 200, 206 or 304 has to say of the selected representation: validators and their company.

    Args:
        current: the selected state.
        now: the time of the answer, aware.

    Source: RFC 9110 section 15.4.5 and section 15.3.7.
    """
    representation = current.representation
    etag, modified = representation.etag_field, representation.last_modified
    if etag is None or modified is None or current.hides_date:
        return validator_fields(current, now=now) + current.fields
    dated = last_modified_field(modified if now is None or modified < now else now)
    return (("ETag", etag), dated, *current.fields)


def utc_now() -> datetime:
    """Return the time in UTC; what adapters take unless they are given another clock."""
    return datetime.now(UTC)


# When the clock was read last, and which modification dates were old enough then.
_settled = (math.inf, datetime.min.replace(tzinfo=UTC))


def without_fresh_date(current: Current | None, clock: Callable[[], datetime]) -> Current | None:
    """Return the state with its modification date hidden from answers while it is fresh.

    It could be later than a Date that the server adds and makes only now and then, and two changes may still
    fall into its second. The evaluation knows it all the same.

    Args:
        current: the current state, None when there is none.
        clock: gives the time of the answer, aware.

    Source: RFC 9110 section 8.8.2.1 and section 8.8.2.2.
    """
    global _settled  # noqa: PLW0603 -- a date of long ago need not be compared with the time at each request
    modified = None if current is None else current.representation.last_modified
    if current is None or modified is None:
        return current
    is_usual = clock is utc_now
    # A clock that was set back makes what was old fresh again; `time` costs a tenth of making a datetime.
    if is_usual and modified <= _settled[1] and time.time() >= _settled[0]:
        return current
    read_at, latest = time.time(), clock() - DATE_LAG
    if modified > latest:
        return replace(current, hides_date=True)
    if is_usual:
        _settled = (read_at, latest)
    return current


def plain_answer(status: int, media_type: str, octets: bytes, *fields: tuple[str, str]) -> Answer:
    """Make an answer with content: Content-Type and Content-Length first, then the other lines.

    Args:
        status: the status code.
        media_type: value of Content-Type.
        octets: the content.
        fields: further header lines.
    """
    lines = (("Content-Type", media_type), ("Content-Length", str(len(octets))), *fields)
    return Answer(status, lines, octets)
