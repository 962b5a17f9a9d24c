"""Place what a text shows in time: by the Date of the answers, and by the order of the text.

See docs/decisions/016-time-in-text-captures.md.
"""

from __future__ import annotations

import bisect
import calendar
import email.utils
from typing import TYPE_CHECKING

from ifmatch.model.message import Fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.base.drafts import Draft

__all__ = ["date_seconds", "keep_monotone", "settle_zone"]


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


def settle_zone(drafts: Sequence[Draft]) -> float:
    """Move times that a log gives without a zone to UTC, by the Date of the answers.

    Args:
        drafts: of one log; `started` is changed where all of them agree on the zone.

    Returns:
        Seconds that the log's clock is ahead of UTC, a whole number of quarters of an hour.
    """
    offsets: set[float] = set()
    for draft in drafts:
        date = date_seconds(Fields(draft.received or ()))
        if date is not None and draft.started is not None:
            ahead = draft.started + (draft.duration or 0.0) - date
            zone = round(ahead / 900) * 900.0
            # A clock that is wrong by some minutes is no zone.
            offsets.add(zone if abs(ahead - zone) < 120 else 0.0)
    offset = offsets.pop() if len(offsets) == 1 else 0.0
    if not 1800 <= abs(offset) <= 50400:
        return 0.0
    for draft in drafts:
        if draft.started is not None:
            draft.started -= offset
    return offset
