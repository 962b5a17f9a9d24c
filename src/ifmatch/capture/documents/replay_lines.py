"""Read what PyGithub's tests replay: ten lines an exchange, by their order.

The lines: scheme, method, host, port or `None`, target, fields of the request as Python prints a dictionary,
its body or `None`, status, fields of the answer as a list of pairs, its body; an empty line follows.
Source: `tests/Framework.py` of PyGithub, which writes them.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_replay", "replay_records"]

_SIGN: Final = re.compile(
    rb"\s{0,8}https?\r?\n[A-Z]{3,8}\r?\n[^\s/]{1,255}\r?\n(?:None|\d{1,5})\r?\n/[^\r\n]{0,8000}\r?\n\{"
)
_SCHEMES: Final = frozenset({"http", "https"})
_METHOD: Final = re.compile(r"[A-Z]{3,8}\Z")
_STATUS: Final = re.compile(r"[1-5]\d\d\Z")
_LINES: Final = 10
_LONG: Final = 100_000

_Record = dict[str, object]


def is_replay(head: bytes) -> bool:
    """Tell whether a source begins with such lines.

    Args:
        head: begin of the source.
    """
    return _SIGN.match(head) is not None


def replay_records(source: str) -> tuple[list[_Record], bool]:
    """Return the exchanges as records of `request` and `response`, and whether the last one is whole.

    Args:
        source: text of the file.
    """
    lines = source.replace("\r\n", "\n").split("\n")
    found: list[_Record] = []
    whole = True
    at = 0
    while at < len(lines):
        record = _record(lines[at : at + _LINES]) if lines[at] in _SCHEMES else None
        if record is not None:
            found.append(record)
        elif lines[at].strip():
            whole = False
        at += 1 if record is None else _LINES
    return found, whole


def _record(lines: list[str]) -> _Record | None:
    if len(lines) < _LINES - 1:
        return None
    scheme, method, host, port, target, sent, body, status, received = (line.strip() for line in lines[:9])
    asked, answered = dict(_pairs(sent)), [*_pairs(received)]
    if _METHOD.match(method) is None or _STATUS.match(status) is None or not received.startswith(("[", "{")):
        return None
    request: _Record = {
        "method": method,
        "url": f"{scheme}://{host}{'' if port == 'None' else ':' + port}{target}",
        "headers": asked,
        "body": None if body == "None" else body,
        "whole": bool(asked),
    }
    answer = lines[9] if lines[9:] else ""
    response: _Record = {
        "status": int(status),
        "headers": [{"name": name, "value": said} for name, said in answered],
        "body": answer or None,
    }
    return {"request": request, "response": response}


def _pairs(printed: str) -> Iterator[tuple[str, str]]:
    """Yield names with values out of a dictionary or list that Python printed."""
    try:
        value: object = ast.literal_eval(printed) if len(printed) < _LONG else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return
    listed = cast("dict[object, object]", value).items() if isinstance(value, dict) else value
    for one in cast("list[object]", listed) if isinstance(value, dict | list) else ():
        if isinstance(one, tuple) and len(cast("tuple[object, ...]", one)) == 2:
            name, said = cast("tuple[object, object]", one)
            yield str(name), str(said)
