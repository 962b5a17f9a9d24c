"""Tell what the lines of a pasted conversation are: starts of messages, field lines, separators, labels."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERSION = r"HTTP/(\d(?:\.\d)?)"
_REQUEST = re.compile(rf"([A-Za-z][0-9A-Za-z_-]{{1,39}})[ \t]+(\S.*?)[ \t]+({_VERSION})[ \t]*$")
_BARE_REQUEST = re.compile(
    r"(GET|HEAD|PUT|POST|PATCH|DELETE|OPTIONS|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|REPORT)[ \t]+"
    r"((?:https?://|/)\S*)[ \t]*$"
)
_STATUS = re.compile(rf"({_VERSION})[ \t]+(\d{{3}})(?:[ \t]+(.*?))?[ \t]*$")
_BARE_STATUS = re.compile(
    r"(?:(?:status|response|status[ -]code)[ \t]*:?[ \t]*)?(\d{3})[ \t]+([A-Za-z][A-Za-z' -]{1,40})$",
    re.IGNORECASE,
)
# As people write a status down from memory: `HTTP 200`, `HTTP: 404 Not Found`.
_SPOKEN_STATUS = re.compile(
    r"HTTP(?: status)?(?: code)?:?[ \t]+(\d{3})(?:[ \t]+([A-Za-z][A-Za-z' -]{1,40}))?$", re.IGNORECASE
)
# The parts of a status line in another order: `200 OK  HTTP/1.1`.
_TURNED_STATUS = re.compile(rf"(\d{{3}})[ \t]+([A-Za-z][A-Za-z' -]{{1,40}}?)[ \t]+({_VERSION})$")
_TO_CLIENT = r"(?:<{1,2}|<=|<-{1,2}|\u2190)"
_TO_SERVER = r"(?:>{1,2}|=>|-{1,2}>|\u2192)"
_DIRECTED_STATUS = re.compile(rf"{_TO_CLIENT} ?HTTP/\d")
_DIRECTED_REQUEST = re.compile(rf"{_TO_SERVER} ?[A-Za-z-]{{2,20}} \S.* {_VERSION}[ \t\r]*$")
_DIRECTION = re.compile(rf"(?:{_TO_SERVER}|{_TO_CLIENT})(?: |$)|(?:>{{2}}|<{{2}})(?=\S)")
_NUMBERED = re.compile(r"\d{1,2}[.)][ \t]+(?=\S)")
# What a logger writes before it.
_LOGGED = r"(?:[^\s<>][^<>]{0,80}\d\d:\d\d[^<>]{0,60}[ \t]|[A-Z]{4,8}\[\d{4}\][ \t])?"
_SEPARATOR = re.compile(
    rf"[ \t]*(?:-{{3,}}|={{3,}}|\*{{3,}}|_{{3,}}|#{{3,}}.*|~{{3,}}|{_LOGGED}(?:<{{6,}}|>{{6,}}))[ \t]*$"
)
_LABEL = re.compile(
    rf"[ \t]*{_LOGGED}"
    r"(?:[#*_>-]{1,6}[ \t]*)?(?:(?:the|raw|http|my|full|server|client|first|second|\d{1,2}\.?)[ \t]+)*"
    r"(?:request|response|reply|answer|sent|received)(?:[ \t]+(?:headers?|was|is|from server|\d{1,2}))?"
    r"[ \t]*[:.]?[ \t]*[*_]{0,2}[ \t]*:?[ \t]*$",
    re.IGNORECASE,
)
_REQUEST_HEADING = re.compile(
    r"[ \t]*(?:[#*_>-]{1,6}[ \t]*)?(?:(?:the|raw|http|full)[ \t]+)?"
    r"(?:headers?[ \t]+(?:of the )?request|request[ \t]+headers?)"
    r"[ \t]*[:.]?[ \t]*[*_]{0,2}[ \t]*:?[ \t]*(?:\([^)]{0,20}\))?[ \t]*$",
    re.IGNORECASE,
)
_HEADING_LIMIT: Final = 80
_OF_REQUESTS: Final = frozenset(
    {"host", "user-agent", "accept", "accept-encoding", "accept-language", "if-match"}
)
_COMMENT = re.compile(r"(?:#|//)[ \t]?\S")
_REASONS: Final = {status.value: status.phrase.lower() for status in HTTPStatus} | {
    413: "content too large", 422: "unprocessable content", 203: "non-authoritative information",
}  # fmt: skip


class StartLine(Frozen, frozen=True):
    """The first line of a message.

    Attributes:
        method: "" for a response.
        target: request target, "" for a response.
        status: 0 for a request.
        reason: reason phrase, "" when none.
        version: as written, "" when missing.
        bare: whether the protocol version is missing, so that only the place of the line tells what it is.
    """

    method: str = ""
    target: str = ""
    status: int = 0
    reason: str = ""
    version: str = ""
    bare: bool = False


def start_line(line: str) -> StartLine | None:
    """Return what a line starts, None when it starts no message.

    Args:
        line: a line of the paste, prefixes taken off.
    """
    if not line:
        return None
    text = line.rstrip("\r").replace("\u00a0", " ").strip(" \t\u200b\ufeff")
    numbered = _NUMBERED.match(text)
    if numbered is not None:
        text = text[numbered.end() :]
    if "HTTP/" in text:
        found = _STATUS.match(text)
        if found is not None and 100 <= int(found.group(3)) <= 599:
            return StartLine(status=int(found.group(3)), reason=found.group(4) or "", version=found.group(1))
        found = _TURNED_STATUS.match(text)
        if found is not None and 100 <= int(found.group(1)) <= 599:
            return StartLine(status=int(found.group(1)), reason=found.group(2), version=found.group(3))
        found = _REQUEST.match(text)
        if found is not None:
            return StartLine(method=found.group(1), target=found.group(2), version=found.group(3))
        return None
    if len(text) > 8000:
        return None
    found = _BARE_REQUEST.match(text)
    if found is not None:
        return StartLine(method=found.group(1), target=found.group(2), bare=True)
    found = _SPOKEN_STATUS.match(text)
    if found is not None and 100 <= int(found.group(1)) <= 599:
        return StartLine(status=int(found.group(1)), reason=(found.group(2) or "").strip(), bare=True)
    found = _BARE_STATUS.match(text)
    if found is not None:
        status, reason = int(found.group(1)), found.group(2).strip()
        if _REASONS.get(status) == reason.lower():
            return StartLine(status=status, reason=reason, bare=True)
    return None


def is_separator(line: str) -> bool:
    """Tell whether a line is a rule such as `---` or `###`."""
    return _SEPARATOR.match(line.rstrip("\r")) is not None


def is_label(line: str) -> bool:
    """Tell whether a line only says that a request or a response follows."""
    return len(line) < 80 and _LABEL.match(line.rstrip("\r")) is not None


def asks_below(lines: Sequence[str | None], index: int) -> bool:
    """Tell whether the fields of a request begin below a heading, though nobody wrote its first line.

    Firefox copies the heads of a request and of its answer one by one, without their first lines.

    Args:
        lines: lines of the paste.
        index: 0-based number of the line that may be the heading.
    """
    line = lines[index] or ""
    if len(line) > _HEADING_LIMIT or _REQUEST_HEADING.match(line.rstrip("\r")) is None:
        return False
    below = [line or "" for line in lines[index + 1 : index + 8] if (line or "").strip()]
    names = [line.partition(":")[0].strip().lower() for line in below[:4] if ":" in line]
    return len(names) > 1 and not any(map(start_line, below[:1])) and bool(_OF_REQUESTS & set(names))


def is_comment(line: str) -> bool:
    """Tell whether a line is a comment of an `.http` file."""
    return _COMMENT.match(line) is not None


def without_direction(lines: Sequence[str | None]) -> list[str | None]:
    """Take off the `> ` and `< ` that say who sent a line, where a paste has them.

    Args:
        lines: lines of the paste, mail quoting already taken off.
    """
    directed = any(
        line
        and line[0] in "<>=-\u2190\u2192"
        and (_DIRECTED_STATUS.match(line) or _DIRECTED_REQUEST.match(line))
        for line in lines
    )
    if not directed:
        return list(lines)
    result: list[str | None] = []
    for line in lines:
        found = _DIRECTION.match(line) if line is not None else None
        result.append(line if line is None or found is None else line[found.end() :])
    return result


def _is_blank(line: str | None) -> bool:
    return line is not None and not line.strip()


def without_double_spacing(lines: Sequence[str | None]) -> tuple[list[str | None], bool]:
    """Drop the blank line behind every line where a word processor made a paragraph of each line.

    Args:
        lines: lines of the paste.

    Returns:
        As many lines, dropped ones as `DROPPED`, and whether anything was dropped.
    """
    filled = [i for i, line in enumerate(lines) if line is not None and line.strip()]
    if len(filled) < 6:
        return list(lines), False
    followed = sum(1 for i in filled[:-1] if _is_blank(lines[i + 1]))
    if followed < 0.95 * (len(filled) - 1):
        return list(lines), False
    result = list(lines)
    for index in filled:
        if index + 1 < len(result) and _is_blank(result[index + 1]):
            result[index + 1] = DROPPED
    return result, True


# Stands for a line that is not there; the numbers of the others stay right.
DROPPED: Final = "\0"
# Stands where the rest of a head is not shown.
CUT: Final = "\0\0"
