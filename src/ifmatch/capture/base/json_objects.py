"""Find where objects of a JSON text end, by counting braces: nothing is decoded."""

from __future__ import annotations

import re
from typing import Final

from ifmatch.model.late import late_pattern

__all__ = ["depth_gained", "object_end"]

_TOKEN: Final = late_pattern(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\]]|"', re.DOTALL)


def depth_gained(data: bytes, start: int, end: int) -> int:
    """Return how many more objects and arrays begin than end between two octets.

    Args:
        data: octets.
        start: outside of any string.
        end: how far to count.
    """
    depth = 0
    for token in _TOKEN.finditer(data, start, end):
        octet = data[token.start()]
        depth += (octet in b"{[") - (octet in b"}]")
    return depth


def object_end(data: bytes, start: int, limit: int | None = None) -> int | None:
    """Return where the JSON object or array that begins at an octet ends, by counting braces.

    Args:
        data: octets.
        start: of the opening brace or bracket.
        limit: how far to look; None for all.

    Returns:
        The position behind it; None when the octets end before it does.
    """
    depth = 0
    for token in _TOKEN.finditer(data, start, len(data) if limit is None else limit):
        octet = data[token.start()]
        if octet in b"{[":
            depth += 1
        elif octet in b"}]":
            depth -= 1
            if depth == 0:
                return token.end()
        elif token.end() - token.start() == 1:
            return None  # a string is left open
    return None
