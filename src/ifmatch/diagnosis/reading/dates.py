"""Read dates of the wire as seconds since the epoch."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from ifmatch.core.http_date import parse_http_date
from ifmatch.model.late import late_pattern

# A two-digit year is read against the time of the traffic; captures are younger than the RFC they follow.
_NOW = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=3650)
# A time with a fraction of its second: a count since the epoch, or RFC 3339.
_EPOCH = late_pattern(r"(?<![\w.])(1\d{9})(\.\d{1,9}|\d{3}|\d{6}|\d{9})(?![\w.]*\d)")
_COUNTED = late_pattern(r"(1\d{9})(\.\d{1,9}|\d{3}|\d{6})?")
_STAMP = late_pattern(
    r"(?<!\w)(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)[.,](\d{1,9}) ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?", re.IGNORECASE
)
# A time as an API of its own may carry it.
_TIME = late_pattern(
    r"(?P<stamp>\d{9,11}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_MOST_TEXT = 20_000
# Time zones lie whole quarters of an hour apart, and so far from GMT at most.
_QUARTER = 900
_FARTHEST_ZONE = 14 * 3600
_NEAREST_ZONE = 1800
_NUMBERS = late_pattern(r"(?<!\d)\d{1,4}(?!\d)")
# The forms in which APIs of their own write a moment: RFC 3339, and its digits alone.
_MOMENT = late_pattern(
    r"(\d{4})-?(\d\d)-?(\d\d)[Tt ]?(\d\d):?(\d\d):?(\d\d)(?:[.,](\d{1,9}))? ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
# A time of day alone, in seconds at least.
_CLOCK = late_pattern(
    r"([01]?\d|2[0-3]):([0-5]\d):([0-5]\d)(?:[.,](\d{1,9}))? ?(?:Z|UTC|GMT)?", re.IGNORECASE
)
_DAY = 86400


@lru_cache(maxsize=4096)
def http_date(text: str) -> float | None:
    """Return an HTTP-date in seconds since the epoch, None when the text is none.

    Args:
        text: a field value.

    Source: RFC 9110 section 5.6.7.
    """
    parsed = parse_http_date(text.strip(), now=_NOW)
    return parsed.timestamp() if isinstance(parsed, datetime) else None


@lru_cache(maxsize=4096)
def instant(text: str) -> float | None:
    """Return a moment in seconds since the epoch, None when the text is none.

    Args:
        text: HTTP-date, RFC 3339, or the digits of year to second, as API families carry dates of their own;
            without a zone it is taken as UTC.
    """
    found = _MOMENT.fullmatch(text.strip().strip('"'))
    if found is None:
        return http_date(text)
    zone = (found[8] or "Z").upper()
    zone = "+00:00" if zone in {"Z", "UTC", "GMT"} else zone
    try:
        whole = datetime.fromisoformat(
            f"{found[1]}-{found[2]}-{found[3]}T{found[4]}:{found[5]}:{found[6]}{zone}"
        )
    except ValueError:
        return None
    return whole.timestamp() + (float(f"0.{found[7]}") if found[7] else 0.0)


@lru_cache(maxsize=4096)
def told_moment(text: str) -> float | None:
    """Return the moment that a version names, in seconds since the epoch; None when it names none.

    Args:
        text: a token: a count of seconds or milliseconds since the epoch, or what `instant` reads.
    """
    bare = text.strip().removeprefix("W/").strip('"')
    found = _COUNTED.fullmatch(bare)
    if found is None:
        return instant(bare)
    if found[2] and not found[2].startswith("."):
        return float(f"{found[1]}.{found[2]}")
    return float(bare)


def told_clock(text: str, by: float) -> float | None:
    """Return the last moment with a time of day that some list tells without the day, None for other texts.

    Args:
        text: such as `09:01:11.250`, taken in UTC.
        by: when the list was given out, in seconds since the epoch.
    """
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds = (int(one) for one in found.groups()[:3])
    clock = 3600 * hours + 60 * minutes + seconds + (float(f"0.{found[4]}") if found[4] else 0.0)
    moment = by - by % _DAY + clock
    # What comes after the list was made on the day before; clocks may be a second apart.
    return moment if moment <= by + 1 else moment - _DAY


def spelled_otherwise(text: str, moment: float) -> bool:
    """Tell whether a text gives day, year and time of a moment in a form that machines do not read.

    Args:
        text: such as `10 mars 2026 à 08:12:44` or `3/10/26, 8:12:44 AM`.
        moment: in seconds since the epoch, taken in UTC.
    """
    numbers = [int(one) for one in _NUMBERS.findall(text)]
    day = datetime.fromtimestamp(int(moment), UTC)
    clock = [day.hour, day.minute, day.second]
    times = [numbers[at : at + 3] for at in range(len(numbers) - 2)]
    if clock not in times and [day.hour % 12 or 12, *clock[1:]] not in times:
        return False
    return day.day in numbers and (day.year in numbers or day.year % 100 in numbers)


@lru_cache(maxsize=1024)
def fractions(text: str) -> tuple[tuple[str, float], ...]:
    """Return the times in a text that have a fraction of their second.

    Args:
        text: a content; its first 20000 characters are read.

    Returns:
        Each as it stands there, and in seconds since the epoch. A fraction of nothing but zeros is none.
    """
    text = text[:_MOST_TEXT]
    found: list[tuple[str, float]] = []
    for one in _EPOCH.finditer(text):
        digits = one[2].lstrip(".")
        if digits.strip("0"):
            found.append((one[0], float(f"{one[1]}.{digits}")))
    for one in _STAMP.finditer(text):
        zone = (one[4] or "Z").upper()
        zone = "+00:00" if zone in {"Z", "UTC", "GMT"} else zone
        if not one[3].strip("0"):
            continue
        try:
            whole = datetime.fromisoformat(f"{one[1]}T{one[2]}{zone}").timestamp()
        except ValueError:
            continue
        found.append((one[0], whole + float(f"0.{one[3]}")))
    return tuple(found)


def whole_second(short: str, full: str) -> bool:
    """Tell whether one text is a time, and another the same with more of the fraction of its second.

    Args:
        short: seconds since the epoch, or RFC 3339, with or without some digits of the fraction.
        full: the same with more digits; rounding of the last one counts as the same.
    """
    one, two = (_TIME.fullmatch(text.strip().strip('"')) for text in (short, full))
    if one is None or two is None or one["zone"] != two["zone"]:
        return False
    less, more = one["fraction"] or "", two["fraction"] or ""
    # Zeros at the end are another spelling of the same time, and nothing is lost with them.
    if len(less) >= len(more) or less.rstrip("0") == more.rstrip("0"):
        return False
    if one["stamp"] == two["stamp"] and more.startswith(less):
        return True
    if not (one["stamp"].isdigit() and two["stamp"].isdigit()):
        return False
    apart = float(f"{two['stamp']}.{more}") - float(f"{one['stamp']}.{less or 0}")
    return abs(apart) <= 0.5 * 10.0 ** -len(less) + 1e-6


def shown(seconds: float) -> str:
    """Return a time of day for reports (UTC, milliseconds)."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S.%f")[:-3]


def zones_apart(sent: float, served: float) -> float:
    """Return by how much a date lies off another one if a time zone explains it, 0.0 when none does.

    Changes that come by the clock, at a full quarter of an hour, lie as far apart by themselves.

    Args:
        sent: in seconds since the epoch.
        served: likewise.
    """
    away = sent - served
    zoned = away % _QUARTER == 0 and _NEAREST_ZONE <= abs(away) <= _FARTHEST_ZONE and served % _QUARTER != 0
    return away if zoned else 0.0


def span(seconds: float) -> str:
    """Return a duration for reports."""
    value = abs(seconds)
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 120:
        return f"{value:.1f} s"
    if value < 7200:
        return f"{value / 60:.0f} min"
    if value < 172800:
        return f"{value / 3600:.1f} h"
    return f"{value / 86400:.1f} days"
