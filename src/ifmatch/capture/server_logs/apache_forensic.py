"""Read Apache's mod_log_forensic: each request as it came in, without what came of it.

A line `+ID|request line|Name:value|...` says that a request came in, a line `-ID` that Apache is done with
it. The log knows neither statuses nor times; an access log that shows the id (`%{forensic-id}n`) does, see
`joined_logs`. Source: the documentation of mod_log_forensic in Apache 2.4, and its log.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.texts.log_pastes import opened
from ifmatch.capture.texts.text_source import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["looks_like_forensic", "read_forensic"]

_BEGUN = re.compile(r"\+([\w:@.-]{6,60})\|([A-Z]{3,20}) (\S+)(?: (HTTP/\d(?:\.\d)?))?((?:\|[^|]*)*)\Z")
_DONE = re.compile(r"-([\w:@.-]{6,60})\s*\Z")
# Control characters, octets beyond ASCII, `|`, `:` and `%` are written so.
_ESCAPED = re.compile(r"%([0-9a-fA-F]{2})")
_LOOKED_AT: Final = 200
_SHARE: Final = 0.5
_ADVICE: Final = "Give the access log of the same time beside it, with %{forensic-id}n in its LogFormat"
_UNFINISHED: Final = "Apache did not finish this request"


def looks_like_forensic(lines: Sequence[str]) -> bool:
    """Tell whether mod_log_forensic wrote these lines.

    Args:
        lines: the first lines of a source.
    """
    filled = [line for line in lines[:_LOOKED_AT] if line.strip()]
    begun = sum(1 for line in filled if line[0] == "+" and _BEGUN.match(line.rstrip("\r")) is not None)
    done = sum(1 for line in filled if line[0] == "-" and _DONE.match(line) is not None)
    return begun > 0 and begun + done >= _SHARE * len(filled)


def read_forensic(stream: BinaryIO, name: str) -> Capture:
    """Read a forensic log.

    Args:
        stream: binary stream at the start of the log.
        name: name of the source as the user gave it.

    Raises:
        InputError: no request is in it.
    """
    drafts, lines = opened(read_text(stream, name))
    skipped: list[int] = []
    done: set[str] = set()
    for number, line in enumerate(lines, 1):
        begun, ended = _BEGUN.match(line.rstrip("\r")), _DONE.match(line)
        if begun is not None:
            drafts.found.append(_draft(begun, number))
        elif ended is not None:
            done.add(ended[1])
        elif line.strip():
            skipped.append(number)
    # A log without any such line was cut out with a search for requests.
    for draft in drafts.found if done else ():
        draft.error = "" if draft.mark in done else _UNFINISHED
    if skipped:
        drafts.warn(
            f"skipped lines that are none of a forensic log: {len(skipped)}, first line {skipped[0]}",
            line=skipped[0],
        )
    return drafts.capture("forensic", nothing="no request is in this forensic log", advice=_ADVICE)


def _draft(begun: re.Match[str], number: int) -> Draft:
    draft = Draft(begun[2], line=number, request_version=begun[4] or "", mark=begun[1])
    for field in begun[5].split("|")[1:]:
        key, colon, value = field.partition(":")
        if colon and key:
            draft.add_sent(_unescaped(key), _unescaped(value))
    host = next((value for key, value in draft.sent or () if key.lower() == "host"), "")
    draft.url = target_uri(_unescaped(begun[3]), host, scheme="http")
    return draft


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
