"""Read tagged netstrings, the notation of mitmproxy's flow files.

Source: tnetstrings.org as mitmproxy uses it: `<length>:<payload><type>`, the type `,` for octets, `;` text,
`#` integer, `^` float, `!` boolean, `~` null, `]` list, `}` dictionary.
"""

from __future__ import annotations

from typing import Final, TypeAlias

__all__ = ["DamagedError", "Value", "parse"]

Value: TypeAlias = "bytes | str | int | float | bool | list[Value] | dict[str, Value] | None"
_DEPTH: Final = 200
_LENGTH_DIGITS: Final = 12


class DamagedError(ValueError):
    """Say that octets are no tagged netstring.

    Args:
        text: what is wrong.
        offset: octet where.
    """

    def __init__(self, text: str, offset: int) -> None:
        super().__init__(text)
        self.text = text
        self.offset = offset


def parse(data: bytes, position: int = 0, end: int | None = None, depth: int = 0) -> tuple[Value, int]:
    """Return the value at a position and where it ends.

    Args:
        data: the whole file.
        position: octet where the value starts.
        end: octet behind the last one that belongs to the enclosing value, None for the whole data.
        depth: how many values enclose this one.

    Raises:
        DamagedError: there is no whole value.
    """
    stop = len(data) if end is None else end
    colon = data.find(b":", position, min(stop, position + _LENGTH_DIGITS + 1))
    if colon < 0 or not data[position:colon].isdigit():
        raise DamagedError("no length stands here", position)
    start = colon + 1
    tail = start + int(data[position:colon])
    if tail >= stop:
        raise DamagedError("the value ends behind the end of the file", position)
    kind = data[tail : tail + 1]
    if kind == b"}":
        return _dictionary(data, start, tail, depth), tail + 1
    if kind == b"]":
        return _list(data, start, tail, depth), tail + 1
    return _scalar(kind, data[start:tail], position), tail + 1


def _scalar(kind: bytes, payload: bytes, position: int) -> Value:
    try:
        match kind:
            case b",":
                return payload
            case b";":
                return payload.decode("utf-8", "surrogateescape")
            case b"#":
                return int(payload[:40])
            case b"^":
                return float(payload[:40])
            case b"!":
                return payload == b"true"
            case b"~":
                return None
            case _:
                raise DamagedError(f"{kind!r} is no type", position)
    except ValueError as error:
        raise DamagedError("the number cannot be read", position) from error


def _list(data: bytes, start: int, end: int, depth: int) -> list[Value]:
    if depth > _DEPTH:
        raise DamagedError("values are nested too deeply", start)
    found: list[Value] = []
    while start < end:
        value, start = parse(data, start, end, depth + 1)
        found.append(value)
    return found


def _dictionary(data: bytes, start: int, end: int, depth: int) -> dict[str, Value]:
    if depth > _DEPTH:
        raise DamagedError("values are nested too deeply", start)
    found: dict[str, Value] = {}
    while start < end:
        key, start = parse(data, start, end, depth + 1)
        value, start = parse(data, start, end, depth + 1)
        if isinstance(key, bytes):  # files of mitmproxy before version 4
            key = key.decode("latin-1")
        if isinstance(key, str):
            found[key] = value
    return found
