"""Read, write and follow JSON Pointers.

Source: RFC 6901.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifmatch.merge.json_text import JsonValue

__all__ = ["array_index", "format_pointer", "parse_pointer", "resolve_pointer"]

_index = re.compile(r"0|[1-9][0-9]*").fullmatch
_bad_escape = re.compile(r"~(?![01])").search


def parse_pointer(text: str) -> tuple[str, ...]:
    """Split a JSON Pointer into its reference tokens; "" is the whole document.

    Raises:
        ValueError: the text is no JSON Pointer.

    Source: RFC 6901 section 3.
    """
    if not text:
        return ()
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is no JSON Pointer: it begins with / unless it is empty (RFC 6901)")
    if _bad_escape(text):
        raise ValueError(f"{text!r} is no JSON Pointer: ~ is written ~0 and / in a name is written ~1")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in text[1:].split("/"))


def format_pointer(tokens: Iterable[str | int]) -> str:
    """Write reference tokens as a JSON Pointer.

    Source: RFC 6901 section 3.
    """
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def array_index(token: str, length: int) -> int:
    """Return the index that a token names in an array of this length, which may be the one after the last.

    Raises:
        LookupError: the token is no index, or beyond the end.

    Source: RFC 6901 section 4.
    """
    if token == "-":  # noqa: S105 - a reference token
        return length
    if _index(token) is None or len(token) > 18:
        raise LookupError(f"{token!r} is no index of an array")
    number = int(token)
    if number > length:
        raise LookupError(f"the array ends before index {number}")
    return number


def resolve_pointer(document: JsonValue, pointer: str) -> JsonValue:
    """Return what a pointer names.

    Raises:
        ValueError: the text is no JSON Pointer.
        LookupError: nothing is there.

    Source: RFC 6901 section 4.
    """
    value = document
    for token in parse_pointer(pointer):
        if isinstance(value, dict):
            if token not in value:
                raise LookupError(f"{pointer}: there is no member {token!r}")
            value = value[token]
        elif isinstance(value, list):
            position = array_index(token, len(value))
            if position == len(value):
                raise LookupError(f"{pointer}: the array ends before {token!r}")
            value = value[position]
        else:
            raise LookupError(f"{pointer}: {token!r} lies inside a value that holds nothing")  # noqa: TRY004 - data
    return value
