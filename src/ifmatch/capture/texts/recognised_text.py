"""Undo the blanks that the recognition of text in pictures puts into messages: `HTTP/1. 1`, `If -Match`.

Only signs of HTTP are mended, and only in a text that shows a start line with such a blank.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["without_odd_blanks"]

_VERSION: Final = r"H ?T ?T ?P ?/ ?(\d)(?: ?\. ?(\d))?"
_STATUS = re.compile(rf"\s*{_VERSION} +(\d ?\d ?\d)\b(.*)\Z")
_REQUEST = re.compile(rf"\s*([A-Z]{{3,10}}) +((?:/|https?: ?/ ?/)[^\s]*) +{_VERSION}\s*\Z")
_FIELD = re.compile(r"([A-Za-z][\w]{0,40}(?: ?- ?[A-Za-z][\w]{0,40}){0,6}) ?: ?(.*)\Z")
_WEAK = re.compile(r"\bW ?/ ?\"")
_PLAIN = re.compile(r"HTTP/\d(?:\.\d)?(?: |\s*\Z)")


def without_odd_blanks(lines: Sequence[str | None]) -> list[str | None] | None:
    """Return the lines with start lines and names of fields as HTTP has them, None where none is odd.

    Args:
        lines: of a source.
    """
    if not any(line and _is_odd(line) for line in lines):
        return None
    mended: list[str | None] = []
    in_head = False
    for line in lines:
        start = _started(line) if line else None
        if start is not None:
            in_head = True
            mended.append(start)
        elif line is None or not line.strip():
            in_head = False
            mended.append(line)
        else:
            found = _FIELD.match(line.strip()) if in_head else None
            said = _WEAK.sub('W/"', found[2]) if found is not None else ""
            mended.append(line if found is None else f"{found[1].replace(' ', '')}: {said}")
    return mended


def _is_odd(line: str) -> bool:
    return len(line) < 4000 and _PLAIN.search(line) is None and _started(line) is not None


def _started(line: str) -> str | None:
    if (status := _STATUS.match(line)) is not None:
        version = f"HTTP/{status[1]}" + (f".{status[2]}" if status[2] else "")
        return f"{version} {status[3].replace(' ', '')}{status[4].rstrip()}"
    if (request := _REQUEST.match(line)) is not None:
        version = f"HTTP/{request[3]}" + (f".{request[4]}" if request[4] else "")
        return f"{request[1]} {request[2]} {version}"
    return None
