"""Read values of JSON documents that others wrote: every member may be missing or of another type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

import msgspec

from ifmatch.capture.base.json_objects import object_end
from ifmatch.errors import InputError
from ifmatch.model.json_values import elements_in, members_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

__all__ = [
    "LIMIT", "header_pairs", "load", "moment", "nested", "number", "objects", "read_limited",
    "text", "whole_objects",
]  # fmt: skip

_LATEST: Final = 8e9
LIMIT: Final = 256 * 1024 * 1024
# How deep folders of requests, and records in a document, are nested.
_DEPTH: Final = 50
_BETWEEN: Final = re.compile(rb"[\s,]*+")


def read_limited(stream: BinaryIO, name: str, *, what: str, limit: int = LIMIT) -> bytes:
    """Read a source whole, without a byte order mark.

    Args:
        stream: binary stream at the start of the source.
        name: name of the source.
        what: the kind of file, for the error.
        limit: octets.

    Raises:
        InputError: it is larger.
    """
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise InputError(
            f"the {what} is larger than {limit // 1024 // 1024} MiB",
            source=name,
            advice="Cut it to what stands around the failure",
        )
    return data.removeprefix(b"\xef\xbb\xbf")


def load(data: bytes) -> object | None:
    """Return the value of a JSON document, None when it is not one whole value.

    Args:
        data: UTF-8.
    """
    try:
        return cast("object", msgspec.json.decode(data))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def whole_objects(data: bytes, key: str) -> list[object]:
    """Return the whole objects of a list in a document that is cut or damaged.

    Args:
        data: the document.
        key: name of the member that holds the list; "" for the outermost one. All lists of that name count.
    """
    found: list[object] = []
    pattern = re.compile(rb'"%s"\s*:\s*\[' % re.escape(key).encode() if key else rb"\A\s*\[")
    for start in pattern.finditer(data):
        position = start.end()
        while True:
            between = _BETWEEN.match(data, position)
            position = between.end() if between is not None else position
            end = object_end(data, position) if data[position : position + 1] == b"{" else None
            if end is None:
                break
            value = load(data[position:end])
            if value is not None:
                found.append(value)
            position = end
        if not key:
            break
    return found


def objects(value: object) -> list[dict[str, object]]:
    """Return the objects of a JSON array."""
    return [cast("dict[str, object]", one) for one in elements_in(value) if isinstance(one, dict)]


def nested(
    value: object, inside: Callable[[dict[str, object]], Iterable[object]]
) -> Iterator[dict[str, object]]:
    """Yield the objects of a document, each before those inside it; what lies too deep is left out.

    Args:
        value: an object, or a list of objects.
        inside: returns the values that hold more of them, objects or lists; nothing to look no further.
    """
    waiting = [(one, 0) for one in reversed(_at(value))]
    while waiting:
        one, depth = waiting.pop()
        yield one
        if depth < _DEPTH:
            found = [each for member in inside(one) for each in _at(member)]
            waiting.extend((each, depth + 1) for each in reversed(found))


def _at(value: object) -> list[dict[str, object]]:
    """Return an object by itself, or the objects of a list."""
    members = members_in(value)
    return [members] if members else objects(value)


def text(value: object) -> str:
    """Return a string; numbers as they would be written, anything else as nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return ""
    return str(value) if isinstance(value, int | float) else ""


def number(value: object) -> float | None:
    """Return a finite number, also when it is written as a string."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | str):
        try:
            found = float(value)
        except (ValueError, OverflowError):
            return None
        return found if abs(found) < 1e300 else None
    return None


def moment(value: object, ticks: float = 1.0) -> float | None:
    """Return seconds since the epoch, None for what is no time between 1970 and 2223.

    Args:
        value: a count since the epoch.
        ticks: of the count in a second.
    """
    found = number(value)
    return found / ticks if found is not None and 0 < found / ticks < _LATEST else None


def header_pairs(value: object, *, name: str = "name", content: str = "value") -> list[tuple[str, str]]:
    """Return header fields of a list of objects, or of an object with one or several values a name.

    Args:
        value: as read.
        name: the member that holds the field's name.
        content: the member that holds its value.
    """
    if isinstance(value, dict):
        pairs: list[tuple[str, str]] = []
        for key, one in members_in(cast("object", value)).items():
            values = cast("list[object]", one) if isinstance(one, list) else [one]
            pairs.extend((key, text(each)) for each in values)
        return pairs
    return [
        (text(one.get(name)), text(one.get(content)))
        for one in objects(value)
        if text(one.get(name)) and one.get("disabled") is not True
    ]
