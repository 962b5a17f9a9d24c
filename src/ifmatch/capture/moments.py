"""Read the times that logs and tools write: seconds since the epoch, and how fine one tick is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

__all__ = ["clf_moment", "epoch_moment", "iso_moment"]

_ISO = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?[ ]?(Z|UTC|[+-]\d\d:?\d\d)?"
)
_CLF = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4})[: ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?: ([+-]\d{4}))?")
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}


def _seconds(parts: tuple[int, ...], fraction: str, zone: str) -> tuple[float, float] | None:
    shift = UTC
    if zone[:1] in {"+", "-"}:
        digits = zone[1:].replace(":", "")
        minutes = int(digits[:2]) * 60 + int(digits[2:])
        if minutes >= 1440:
            return None
        shift = timezone(timedelta(minutes=minutes if zone[0] == "+" else -minutes))
    try:
        year, month, day, hour, minute, second = parts
        whole = datetime(year, month, day, hour, minute, second, tzinfo=shift).timestamp()
    except (ValueError, OverflowError):
        return None
    digits = fraction[:6]
    return whole + (int(digits) / 10 ** len(digits) if digits else 0.0), 10.0 ** -len(digits)


def iso_moment(text: str) -> tuple[float, float] | None:
    """Read an ISO 8601 time, or the like with a blank or slashes, anywhere in a text; without a zone UTC.

    Args:
        text: holds the time.

    Returns:
        Seconds since the epoch and the seconds of one tick; None without a time.
    """
    found = _ISO.search(text)
    if found is None:
        return None
    parts = tuple(int(part) for part in found.groups()[:6])
    return _seconds(parts, found.group(7) or "", found.group(8) or "")


def clf_moment(text: str) -> tuple[float, float] | None:
    """Read the time of the common log format, such as `10/Mar/2026:09:14:11 +0000`.

    Args:
        text: holds the time.

    Returns:
        Seconds since the epoch and the seconds of one tick; None without a time.
    """
    found = _CLF.search(text)
    if found is None or found.group(2) not in _MONTHS:
        return None
    day, month, year, *clock = found.groups()[:6]
    parts = (int(year), _MONTHS[month], int(day), *(int(part) for part in clock))
    return _seconds(parts, found.group(7) or "", found.group(8) or "")


def epoch_moment(value: float) -> float | None:
    """Return seconds since the epoch of a number that may count seconds, milli-, micro- or nanoseconds.

    Args:
        value: a count since the epoch; its size tells the unit.
    """
    for factor in (1.0, 1e3, 1e6, 1e9):
        seconds = value / factor
        if 4e8 < seconds < 8e9:
            return seconds
    return None
