"""Take off what collectors of logs put before the lines of a trace or of messages.

Docker Compose, `kubectl logs --prefix`, stern, syslog and journalctl, jobs of GitLab; and dumps that mark who
sent a line the other way round than curl does. Lines of another service are left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["turned", "without_comment_signs", "without_prefixes"]

_TIME: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
# Each names in its group who wrote the line; nothing of it may look like a line of a message.
_PREFIXES: Final = (
    re.compile(r"([\w.-]{1,60}) +\| ?"),
    re.compile(r"\[(pod/[\w.-]{1,253}/[\w.-]{1,63})\] "),
    re.compile(r"([a-z0-9.-]{1,200}-[a-z0-9]{5} [a-z0-9-]{1,63}) "),
    re.compile(
        rf"(?:[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{{1,6}})?|{_TIME}) [\w.-]{{1,80}} "
        r"([\w./-]{1,60}(?:\[\d{1,10}\])?): ?"
    ),
    # GitLab says of each line which stream it is of, and whether it goes on.
    re.compile(rf"{_TIME} [0-9a-f]{{2}}()[OE](?: |\+| ?\Z)"),
)
_SHARE: Final = 0.9
_LEAST: Final = 4
_LOOKED_AT: Final = 50
_REQUEST_IN: Final = re.compile(r"< [A-Z]{3,20} \S+ HTTP/\d(?:\.\d)?\s*\Z")
_ANSWER_OUT: Final = re.compile(r"> HTTP/\d(?:\.\d)? \d{3}\b")
_SIGNS: Final = {"<": ">", ">": "<"}
# In a script or a README what a command answered stands behind the sign of a comment.
_COMMENTED: Final = re.compile(
    r"[ \t]*(?:#|//) ?(?:[<>] (?:[A-Z]{3,20} \S+ )?HTTP/\d|HTTP/\d(?:\.\d)? \d{3}\b)"
)
_IS_TRAFFIC: Final = re.compile(r"[*<>] |HTTP/\d")
_LONGEST: Final = 8000
_COMMENT_SIGN: Final = re.compile(r"[ \t]*(?:#|//)(?: |(?=[<>*{}]| ?\Z))")


def without_prefixes(
    lines: Sequence[str | None], is_mark: Callable[[str | None], bool]
) -> list[str | None] | None:
    """Return the lines without what a collector put before them, None where it put nothing.

    Args:
        lines: of a source.
        is_mark: tells whether a line looks like HTTP or like a line of a curl trace.
    """
    filled = [line for line in lines if line and line.strip()]
    for prefix in _PREFIXES:
        if not any(prefix.match(line) for line in filled[:_LOOKED_AT]):
            continue
        found = [prefix.match(line) if line else None for line in lines]
        matched = sum(one is not None for one in found)
        if matched < max(_LEAST, _SHARE * len(filled)):
            continue
        bare = [
            line if one is None or line is None else line[one.end() :]
            for line, one in zip(lines, found, strict=True)
        ]
        writers = {one[1] for line, one in zip(bare, found, strict=True) if one is not None and is_mark(line)}
        if writers:
            return [
                line if one is not None and one[1] in writers else None
                for line, one in zip(bare, found, strict=True)
            ]
    return None


def without_comment_signs(lines: Sequence[str | None]) -> list[str | None] | None:
    """Return the lines with the traffic that stands in comments as it was, None where no comment holds any.

    Args:
        lines: of a source.
    """
    if not any(line and len(line) < _LONGEST and _COMMENTED.match(line) for line in lines):
        return None
    bare = list(lines)
    begun = False
    for index, line in enumerate(lines):
        sign = _COMMENT_SIGN.match(line) if line else None
        if sign is None or line is None:
            begun = False
            continue
        begun = begun or _IS_TRAFFIC.match(line, sign.end()) is not None
        if begun:
            bare[index] = line[sign.end() :]
    return bare


def turned(lines: Sequence[str | None]) -> list[str | None] | None:
    """Return the lines with `<` and `>` as curl has them, None where they are so already.

    `dump_all` of requests-toolbelt writes `<` before what was sent.

    Args:
        lines: of a source.
    """
    sent = any(line and line[0] == "<" and _REQUEST_IN.match(line) for line in lines)
    if not sent or not any(line and line[0] == ">" and _ANSWER_OUT.match(line) for line in lines):
        return None
    return [
        _SIGNS[line[0]] + line[1:] if line and line[:2] in {"< ", "> ", "<", ">"} else line for line in lines
    ]
