"""Read Firefox's log of its HTTP module (`about:logging`, `MOZ_LOG=timestamp,sync,nsHttp:5`).

Heads of both sides as they are on the wire; never content. Source of the notation: netwerk/protocol/http of
Firefox: nsHttpTransaction writes its heads between `[` and `]`, and who it is in the lines around.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft
from ifmatch.capture.client_logs.lines import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.base.drafts import Drafts

__all__ = ["FIREFOX", "read_firefox"]

FIREFOX: Final = re.compile(r"\]: [A-Z]/nsHttp http (?:request|response) \[\s*$")
_LINE = re.compile(r"\[([^\]]{1,120})\]: [A-Z]/nsHttp (.*)$")
_TRANSACTION = re.compile(r"nsHttpTransaction::\w+ \[this=(?:0x)?([0-9a-f]{4,16})\b")
_URI = re.compile(r"uri=(https?)://([^/?#\s]{1,300})([^#\s]{0,4000})")
_REQUEST = re.compile(r"  ([A-Z]{3,20}) (\S{1,8000}) (HTTP/\d(?:\.\d)?)\s*$")
_STATUS = re.compile(r"  (HTTP/\d(?:\.\d)?) (\d{3})(?: (.*?))?\s*$")
_FIELD = re.compile(r"  (:?[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}): ?(.*?)\s*$")
_REPEATED: Final = "    OriginalHeaders"
_SHORTENED: Final = "requests whose answer is not in this log were left out"


class _Log:
    """What a log has told so far.

    Args:
        drafts: takes the exchanges.
    """

    def __init__(self, drafts: Drafts) -> None:
        self._drafts = drafts
        self._schemes: dict[tuple[str, str], str] = {}
        # The transaction that a thread spoke of last, by the thread.
        self._transaction: dict[str, str] = {}
        self._waiting: dict[str, Draft] = {}
        # What a thread is writing the head of.
        self._open: dict[str, tuple[str, Draft | None]] = {}

    def take(self, number: int, line: str) -> None:
        """Take a line of the log, which has its 1-based number."""
        found = _LINE.search(line)
        if found is None:
            return
        thread, text = found[1], found[2]
        if (uri := _URI.search(text)) is not None:
            host = uri[2].lower()
            self._schemes[host, uri[3] or "/"] = self._schemes[host, ""] = uri[1]
        if (named := _TRANSACTION.search(text)) is not None:
            self._transaction[thread] = named[1]
        if text.startswith(("http request [", "http response [")):
            kind = text.split(" ", 2)[1]
            answered = self._waiting.get(self._transaction.get(thread, "")) if kind == "response" else None
            self._open[thread] = kind, answered
        elif thread in self._open:
            if text.startswith(("]", _REPEATED)):
                del self._open[thread]
            else:
                self._head_line(thread, text, number, line)

    def _head_line(self, thread: str, text: str, number: int, line: str) -> None:
        kind, draft = self._open[thread]
        if kind == "request" and (start := _REQUEST.match(text)) is not None:
            draft = Draft(start[1], start[2], line=number, framed=False, request_version=start[3])
            at = moment(line)
            draft.started, draft.resolution = at if at is not None else (None, 1.0)
            self._drafts.found.append(draft)
            if (key := self._transaction.get(thread, "")) != "":
                self._waiting[key] = draft
            self._open[thread] = kind, draft
        elif kind == "response" and (status := _STATUS.match(text)) is not None:
            final = draft is not None and int(status[2]) >= 200
            if draft is not None and final:
                draft.status, draft.reason, draft.response_version = (
                    int(status[2]),
                    status[3] or "",
                    status[1],
                )
                at = moment(line)
                if at is not None and draft.started is not None:
                    draft.duration = max(0.0, at[0] - draft.started)
                self._waiting.pop(self._transaction.get(thread, ""), None)
            self._open[thread] = kind, draft if final else None
        elif draft is not None and (field := _FIELD.match(text)) is not None:
            (draft.add_sent if kind == "request" else draft.add_received)(field[1], field[2])

    def settle(self) -> None:
        """Give each request its URL, and leave out those whose answer is not shown."""
        for draft in self._drafts.found:
            host = next((value for name, value in draft.sent or () if name.lower() == "host"), "").lower()
            if host and draft.url.startswith("/"):
                scheme = self._schemes.get((host, draft.url)) or self._schemes.get((host, ""), "https")
                draft.url = f"{scheme}://{host}{draft.url}"
        answered = [draft for draft in self._drafts.found if draft.status]
        if len(answered) < len(self._drafts.found):
            self._drafts.warn(f"{_SHORTENED}: {len(self._drafts.found) - len(answered)}")
        self._drafts.found = answered


def read_firefox(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the heads that Firefox logs, each by the transaction that it belongs to.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    log = _Log(drafts)
    for number, line in enumerate(lines, 1):
        if "/nsHttp " in line:
            log.take(number, line)
    log.settle()
