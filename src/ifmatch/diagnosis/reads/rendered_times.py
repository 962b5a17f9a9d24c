"""Tell contents that differ only in the moment at which each was made for its answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

# A moment in any of the forms that programs write: RFC 3339, HTTP-date, its digits, a count since the epoch.
_MOMENT: Final = late_pattern(
    r"(?<![\w.])(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
    # Whatever the day looks like: the time of day tells.
    r"|(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4},? )?\d{1,2}:\d\d:\d\d(?:[.,]\d{1,6})?(?: ?[AP]M)?"
    r"|\d{8}T\d{6}(?:\.\d{1,9})?Z?|1\d{9}(?:\d{3}){0,3}|1\d{9}\.\d{1,9})(?![\w])"
)
_CLOCK: Final = late_pattern(r"(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,6}))?")
_LONGEST: Final = 100_000
# By so much a moment may lie beside the Date of its answer, which is cut to the second.
_BESIDE: Final = 2.0
# So evenly what is made for an answer follows its request, with a fraction of its second, and without.
_EVEN: Final = 0.25
_COARSE: Final = 1.1
_QUARTER: Final = 900.0
_FEW: Final = 3
_MICROSECONDS: Final = 10.0**14
_MILLISECONDS: Final = 10.0**11


def made_for_each(reads: Sequence[Step]) -> bool:
    """Tell whether contents differ in moments alone, each that of its own answer.

    What somebody stores bears the moment of the storing: it does not follow the requests that show it.

    Args:
        reads: of one resource, each under a tag of its own.
    """
    texts = [_unversioned(one, one.representation) for one in reads if one.representation is not None]
    if len(texts) != len(reads) or len(texts) < 2 or len({len(text) > _LONGEST for text in texts}) > 1:
        return False
    if len(texts[0]) > _LONGEST or len(set(texts)) != len(texts):
        return False
    if len({_MOMENT.sub("#", text) for text in texts}) > 1:
        return False
    rows = list(zip(*(_MOMENT.findall(text) for text in texts), strict=True))
    moved = [row for row in rows if len(set(row)) > 1]
    return bool(moved) and all(_follows(row, reads) for row in moved)


def _unversioned(step: Step, shown: Content) -> str:
    """Return a content without the version that stands in it: that is what is to be explained."""
    version = tokens.opaque(step.etag or "")
    if not version or len(shown) > _LONGEST:
        return shown.text
    return re.sub(rf"(?<![\w.-]){re.escape(version)}(?![\w.-])", "*", shown.text)


def _follows(row: Sequence[str], reads: Sequence[Step]) -> bool:
    """Tell whether the moments at one place of several answers are those of the answers."""
    moments = [_seconds(one) for one in row]
    away: list[float] = []
    for moment, step in zip(moments, reads, strict=True):
        when = step.date if step.date is not None else step.exchange.started
        if moment is None or when is None:
            return False
        away.append(_apart(moment, when))
    if max(map(abs, away)) > _BESIDE or not all(step.timed for step in reads):
        return False
    lag = [
        _apart(moment, step.start) for moment, step in zip(moments, reads, strict=True) if moment is not None
    ]
    took = max(step.end - step.start for step in reads)
    fine = any(moment is not None and moment % 1 for moment in moments)
    apart = max(lag) - min(lag)
    if fine:
        return apart <= took + _EVEN
    # Whole seconds meet by chance: it takes more reads.
    return apart <= took + _COARSE and len(reads) >= _FEW


def _apart(moment: float, when: float) -> float:
    """Return by how much two moments differ, in whatever zones they are told."""
    return (moment - when + _QUARTER / 2) % _QUARTER - _QUARTER / 2


def _seconds(text: str) -> float | None:
    if text.isdigit():
        number = float(text)
        return number / (1e6 if number >= _MICROSECONDS else 1e3 if number >= _MILLISECONDS else 1.0)
    moment = told_moment(text)
    if moment is not None:
        return moment
    clock = _CLOCK.search(text)
    if clock is None:
        return None
    fraction = float(f"0.{clock[4]}") if clock[4] else 0.0
    return int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3]) + fraction
