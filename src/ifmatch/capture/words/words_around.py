"""Hear what somebody wrote around traffic that was read: what went wrong, where the traffic is silent.

See docs/decisions/073-error-reports.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ifmatch.capture.texts.field_lines import FIELD_LINE
from ifmatch.capture.texts.pasted_lines import start_line
from ifmatch.capture.texts.text_source import decode
from ifmatch.capture.words.error_reports import NOT_REFUSED, understand
from ifmatch.capture.words.told_causes import is_well, tells_alone, told_causes
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content, Fields, Response
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.model.exchange import Capture, Exchange

__all__ = ["heard_around"]

# Formats that people paste with words of their own between the messages.
_PASTED: Final = frozenset(
    {
        "http-messages",
        "curl-verbose",
        "curl-trace-ascii",
        "devtools-pane",
        "access-log",
        "json-log",
        "sdk-log",
    }
)
# Of logs only what a program says of a refusal, and only where a few of its lines were pasted.
_LOGS: Final = frozenset({"json-log", "sdk-log"})
_FEW: Final = 3
_MESSAGE: Final = late_pattern(
    r'"(?:message|reason|description|detail|error|msg)"\s*:\s*"((?:[^"\\]|\\.){12,400}+)"'
)
# An account is about a few requests, and longer texts are logs.
_EXCHANGES: Final = 12
_LIMIT: Final = 64 * 1024
_FEW_WORDS: Final = 4
_MOST_SIGNS: Final = 0.3
_REFUSALS: Final = frozenset({409, 412, 416, 423, 428})
# How lines of logs, of programs, of their data and of curl begin or end.
_NO_SENTENCE: Final = late_pattern(
    r"^\s*(?:#(?![# ])|[<>*{}\[\]|$%\"'(@/\\]|//|\d"
    r"|(?:curl|GET|PUT|POST|PATCH|DELETE|HEAD|OPTIONS|PROPFIND|at|import|from|const"
    r"|let|var|def|func|return|await|location|server|proxy_\w+|add_header|Request|Response)\b(?!,))"
    r"|[;{}]\s*$|\": |=\"|=>|\(\)"
)
_WORD: Final = late_pattern(
    r"(?<!\S)[(\"'\u201c`*_]{0,2}[^\W\d_]+(?:['\u2019-][^\W\d_]+)?[.,;:!?)\"'\u201d`*_]{0,3}(?!\S)"
)
_UNSPACED: Final = late_pattern(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]{6}")
_SIGNS: Final = late_pattern(r"[^\w\s,.'\u2019\"`*:;()/?!-]")


def heard_around(capture: Capture, head: bytes) -> Capture:
    """Return a capture whose request in question carries what the words around it say of causes.

    Args:
        capture: as read.
        head: all octets of its source; longer sources are not heard.
    """
    if capture.format not in _PASTED or not 0 < len(capture.exchanges) <= _EXCHANGES or len(head) > _LIMIT:
        return capture
    text = decode(head)[0]
    said = _sentences(text.split("\n"), _shown(capture))
    if capture.format in _LOGS:
        if len(capture.exchanges) > _FEW or not any(one.status in _REFUSALS for one in capture.exchanges):
            return capture
        said += _MESSAGE.findall(text)
    if not said or is_well(" ".join(said)):
        return capture
    exchanges = list(capture.exchanges)
    asked = max(range(len(exchanges)), key=lambda at: (_asks(exchanges[at]), at))
    status = exchanges[asked].status
    missing = 0 if any(one.status for one in exchanges) else _told_refusal(said)
    if missing:
        # Requests were shown, and how they ended is told.
        asked = max(range(len(exchanges)), key=lambda at: (_asks(exchanges[at]), -at))
        status = missing
        unseen = Response(missing, fields=Fields((), complete=False), content=UNKNOWN)
        exchanges[asked] = replace(exchanges[asked], response=unseen)
    if status in _REFUSALS:
        said = [*said, f"answered {status}"]
    elif not tells_alone(said):
        return capture
    told = tuple(replace(one, beside=True) for one in told_causes(said))
    exchanges[asked] = replace(exchanges[asked], told=told)
    # What was not seen of the answers may say otherwise: nothing is high.
    return replace(capture, exchanges=tuple(exchanges), torn=capture.torn or bool(missing))


def _told_refusal(said: Sequence[str]) -> int:
    """Return the status that words around requests tell, 0 when they tell of none that came."""
    report = understand(said)
    if report is None or report.status not in _REFUSALS:
        return 0
    first = max(told_causes(said), key=lambda one: one.weight, default=None)
    return 0 if first is not None and first.cause in NOT_REFUSED else report.status


def _asks(exchange: Exchange) -> int:
    """Tell how much a request looks like the one that an account is about."""
    if exchange.status in _REFUSALS:
        return 2
    fields = exchange.request.fields
    return int(any(name in fields for name in ("if-match", "if-none-match", "if-unmodified-since")))


def _shown(capture: Capture) -> frozenset[str]:
    """Return the lines of pages and texts that a server sent: what they tell is not of this traffic."""
    lines: set[str] = set()
    for exchange in capture.exchanges:
        response = exchange.response
        if response is None or not isinstance(response.content, Content):
            continue
        kind = response.fields.text("content-type") or ""
        if kind.startswith("text/") and exchange.request.method != "HEAD":
            lines.update(line.strip() for line in response.content.text.split("\n"))
    return frozenset(lines)


def _sentences(lines: Sequence[str], shown: frozenset[str]) -> list[str]:
    """Return the lines that a person wrote."""
    return [line for line in map(str.strip, lines) if line not in shown and _is_sentence(line)]


def _is_sentence(line: str) -> bool:
    if _NO_SENTENCE.search(line) or start_line(line) is not None:
        return False
    found = FIELD_LINE.match(line)
    if found is not None and "-" in line.partition(":")[0]:
        return False
    if _UNSPACED.search(line):
        return True
    words = _WORD.findall(line)
    return len(words) >= _FEW_WORDS and len(_SIGNS.findall(line)) <= _MOST_SIGNS * len(words)
