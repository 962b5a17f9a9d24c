"""Give the exchanges of a curl trace a place in time.

`--trace-time` prints the local time of day: no date, no zone. A Date field supplies both, because zones
differ from UTC by multiples of 15 minutes. Without `--trace-time` the Date field itself is the time.
See docs/decisions/016-time-in-text-captures.md.
"""

from __future__ import annotations

import bisect
import calendar
import email.utils
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.model.message import Fields

_DAY = 86400.0
_ZONE_STEP = 900.0


def date_seconds(fields: Fields) -> float | None:
    """Return when a response was sent, by its Date field and its Age, in seconds since the epoch.

    A cache hands out the Date of the stored response and says in Age how long ago that was
    (RFC 9111 section 5.1).

    Args:
        fields: header fields of a response.
    """
    value = fields.text("date")
    if value is None or len(value) > 60:
        return None
    parsed = email.utils.parsedate_tz(value)
    if parsed is None or parsed[0] < 1970:
        return None
    try:
        seconds = float(calendar.timegm(parsed[:6]) - (parsed[9] or 0))
    except (ValueError, OverflowError):
        return None
    age = (fields.text("age") or "").strip()
    return seconds + int(age) if age.isascii() and age.isdigit() and len(age) < 10 else seconds


class DayClock:
    """Make times of day count on across midnight."""

    def __init__(self) -> None:
        self._days = 0.0
        self._last = 0.0

    def local(self, time_of_day: float | None) -> float | None:
        """Return seconds since the local midnight before the first time given.

        Args:
            time_of_day: seconds since local midnight, in the order of the trace; None where unknown.
        """
        if time_of_day is None:
            return None
        if time_of_day < self._last - _DAY / 2:
            self._days += _DAY
        self._last = time_of_day
        return self._days + time_of_day


def epoch_shift(local_seconds: float, date: float) -> float:
    """Return what to add to local seconds to get seconds since the epoch.

    Args:
        local_seconds: local time at which a response came, in seconds since some local midnight.
        date: Date of that response in seconds since the epoch.

    Returns:
        The shift; the clock's own deviation from the server's is kept as long as it is below 7.5 minutes.
    """
    return round((date - local_seconds) / _ZONE_STEP) * _ZONE_STEP


def keep_monotone(times: Sequence[float | None]) -> list[float | None]:
    """Drop the fewest times such that the rest never runs backwards.

    Args:
        times: seconds since the epoch in the order of the source, None where unknown.

    Returns:
        The times; None where a time contradicts the order of the source.
    """
    tails: list[float] = []
    tail_index: list[int] = []
    previous: dict[int, int] = {}
    for index, seconds in enumerate(times):
        if seconds is None:
            continue
        place = bisect.bisect_right(tails, seconds)
        if place:
            previous[index] = tail_index[place - 1]
        tails[place : place + 1] = [seconds]
        tail_index[place : place + 1] = [index]
    result: list[float | None] = [None] * len(times)
    at = tail_index[-1] if tail_index else None
    while at is not None:
        result[at] = times[at]
        at = previous.get(at)
    return result
