"""Share what the readers of client logs need: times, requests that wait for their answer.

Source of the notations: Python logging, klog, java.util.logging, hclog.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.moments import iso_moment

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Conversation",
    "moment",
    "starts_record",
    "year_of",
]

_ISO: Final = re.compile(r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d")
_KLOG: Final = re.compile(r"[IWEF](\d\d)(\d\d) (\d\d:\d\d:\d\d\.\d{1,6})")
_JAVA: Final = re.compile(r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d\d):(\d\d) (AM|PM)")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LEVEL: Final = re.compile(
    r"\s{0,4}[\[(]?(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|TRACE|trce|dbug|info|warn|fail)\b"
)


def moment(line: str, year: int | None = None) -> tuple[float, float] | None:
    """Return the time at the start of a log line and the seconds of one tick, None without one.

    Args:
        line: a line of a log; without a zone its time counts as UTC (see `settle_zone`).
        year: for notations that leave it out, None when not known.
    """
    head = line[:80]
    if _ISO.search(head) is not None:
        return iso_moment(head)
    found = _KLOG.match(head)
    if found is not None:
        return iso_moment(f"{year}-{found[1]}-{found[2]} {found[3]}") if year is not None else None
    found = _JAVA.match(head)
    if found is not None and found[1] in _MONTHS:
        hour = int(found[4]) % 12 + (12 if found[7] == "PM" else 0)
        month = _MONTHS.index(found[1]) + 1
        return iso_moment(f"{found[3]}-{month:02}-{int(found[2]):02} {hour:02}:{found[5]}:{found[6]}")
    return None


def starts_record(line: str) -> bool:
    """Tell whether a line begins a record of a log, so that it belongs to none before it."""
    return _ISO.match(line) is not None or _KLOG.match(line) is not None or _LEVEL.match(line) is not None


@dataclass(slots=True)
class Conversation:
    """Requests and the answers that belong to them, as a log tells of them one after the other.

    Attributes:
        drafts: where the exchanges are collected.
        waiting: requests without an answer yet, by what tells them apart ("" when nothing does).
        lost: how many requests of the log never get an answer. Without such ones the oldest that waits is the
            one that an answer belongs to; where some are lost it is the newest, because who repeats a request
            has given up on the one before.
    """

    drafts: Drafts
    waiting: dict[str, list[Draft]] = field(default_factory=dict[str, list[Draft]])
    lost: int = 0

    def request(self, draft: Draft, key: str = "") -> Draft:
        """Add a request."""
        self.drafts.found.append(draft)
        self.waiting.setdefault(key, []).append(draft)
        return draft

    def answered(self, line: int, key: str = "") -> Draft:
        """Return the draft that an answer belongs to: the one that waits, else one of its own.

        Args:
            line: 1-based line of the answer.
            key: as for `request`.
        """
        waiting = self.waiting.get(key)
        while waiting and len(waiting) > 1 and self.lost > 0:
            waiting.pop(0)
            self.lost -= 1
        if waiting:
            return waiting.pop(0)
        draft = Draft(line=line, sent_complete=False)
        self.drafts.found.append(draft)
        return draft


def year_of(lines: Sequence[str]) -> int | None:
    """Return the first year that a Date field in a log names, None without one."""
    for line in lines:
        if "GMT" in line:
            found = re.search(r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} (\d{4}) \d\d:\d\d:\d\d GMT", line)
            if found is not None:
                return int(found[1])
    return None
