"""Read the times that logs and tools write: seconds since the epoch, and how fine one tick is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

__all__ = ["clf_moment", "epoch_moment", "iso_moment", "shown_moment"]

_ISO = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?[ ]?(Z|UTC|[+-]\d\d:?\d\d)?"
)
_CLF = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4})[: ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?: ([+-]\d{4}))?")
# As pages show a time: `3/10/2026, 9:14:01.200 AM`, `Mar 10, 2026 @ 09:14:01.200`.
_NUMERIC = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}),? (\d{1,2}):(\d\d):(\d\d)(\.\d{1,9})?(?: ([AP])M)?\Z")
# `24.11.2026 17:32:21`: the day stands first wherever there are points.
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}),? (\d{1,2}):(\d\d)(?::(\d\d)([.,]\d{1,9})?)?\Z")
_NAMED = re.compile(
    r"([A-Z][a-z]{2}) {1,2}(\d{1,2}), (\d{4}) (?:@ )?(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(?: (?:UTC|GMT|Z))?\Z"
)
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


def shown_moment(text: str) -> str:
    """Return the time that a page or a table shows as ISO 8601 writes it, any other text as it is.

    Args:
        text: the whole cell. Where day and month cannot be told apart it stays as it is.
    """
    if (named := _NAMED.match(text)) is not None and named[1] in _MONTHS:
        clock = ":".join(named.group(4, 5, 6)) + (named[7] or "")
        return f"{named[3]}-{_MONTHS[named[1]]:02}-{int(named[2]):02}T{clock}Z"
    if (dotted := _DOTTED.match(text)) is not None:
        clock = f"{int(dotted[4]):02}:{dotted[5]}:{dotted[6] or '00'}{(dotted[7] or '').replace(',', '.')}"
        return f"{dotted[3]}-{int(dotted[2]):02}-{int(dotted[1]):02}T{clock}Z"
    found = _NUMERIC.match(text)
    if found is None:
        return text
    first, second, hour = int(found[1]), int(found[2]), int(found[4])
    if found[8] is None and first <= 12 and second <= 12 and first != second:
        return text
    # A clock of twelve hours comes with the month first.
    month, day = (first, second) if found[8] is not None or second > 12 else (second, first)
    if found[8] is not None:
        hour = hour % 12 + (12 if found[8] == "P" else 0)
    return f"{found[3]}-{month:02}-{day:02}T{hour:02}:{found[5]}:{found[6]}{found[7] or ''}Z"
