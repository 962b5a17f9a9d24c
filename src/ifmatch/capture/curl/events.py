"""Name what happens in a curl trace, however it was written down (`-v`, `--trace-ascii`, `--trace`)."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from ifmatch.capture.commands.curl_prompt import CurlPrompt


class EventKind(enum.Enum):
    """What a line or a block of a curl trace tells."""

    INFO = "info"
    SENT_LINE = "a line of the request head"
    RECEIVED_LINE = "a line of the response head"
    SENT_DATA = "request content"
    RECEIVED_DATA = "response content"
    DISPLAY = "text that curl did not write itself: content on standard output"
    PROMPT = "a curl command"
    FAILURE = "curl: (28) ..."
    BOUNDARY = "a place where nothing goes on"


class TraceEvent(Frozen, frozen=True):
    """One event of a curl trace.

    Attributes:
        kind: what it is.
        line: 1-based line.
        text: head line, info or failure text, displayed text with its line ends.
        seconds: time of day in seconds, None without `--trace-time`.
        ids: the `[0-1]` of `--trace-ids` as ("0", "1"), None without.
        size: octets of data as curl states it, 0 for other kinds.
        octets: the data itself where the trace holds it, else None.
        prompt: the command of a PROMPT.
    """

    kind: EventKind
    line: int
    text: str = ""
    seconds: float | None = None
    ids: tuple[str, str] | None = None
    size: int = 0
    octets: bytes | None = None
    prompt: CurlPrompt | None = None
