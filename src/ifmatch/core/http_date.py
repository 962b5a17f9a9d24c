"""Read and write dates of HTTP.

Nothing here reads a clock. A two-digit year can be read only against one, so that clock is an argument.

Source: RFC 9110 section 5.6.7.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from ifmatch.core.malformed import Malformed

__all__ = ["Clock", "format_http_date", "parse_http_date"]

Clock: TypeAlias = datetime | Callable[[], datetime]
"""The present, as an aware datetime or as a function that returns one and is called only when needed."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBER = {name: number for number, name in enumerate(_MONTHS, 1)}

_DAY_NAME = f"(?:{'|'.join(_DAYS)})"
_LONG_DAY_NAME = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_MONTH = f"({'|'.join(_MONTHS)})"
_TIME = "([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)"

_imf_fixdate = re.compile(rf"{_DAY_NAME}, ([0-9]{{2}}) {_MONTH} ([0-9]{{4}}) {_TIME} GMT").fullmatch
_rfc850 = re.compile(rf"{_LONG_DAY_NAME}, ([0-9]{{2}})-{_MONTH}-([0-9]{{2}}) {_TIME} GMT").fullmatch
_asctime = re.compile(rf"{_DAY_NAME} {_MONTH} ([0-9]{{2}}| [0-9]) {_TIME} ([0-9]{{4}})").fullmatch

_FORMS = "a date is written as in 'Sun, 06 Nov 1994 08:49:37 GMT', letter case included"
_WINDOW_YEARS = 50


def parse_http_date(text: str, *, now: Clock) -> datetime | Malformed:
    """Read a date in one of the three forms that every recipient must accept.

    The name of the weekday must be one, in the right letter case, but need not be the right day: the grammar
    does not tie it to the date, and a precondition that is ignored for a wrong weekday lets a write through
    that the sender wanted guarded. Second 60 is read as the first of the next minute.

    Args:
        text: the date, and nothing around it.
        now: the present, aware; needed only for the form with a two-digit year, and called only then when
            it is a function.

    Returns:
        The instant in UTC, whole seconds; or where and why the text is no date.

    Source: RFC 9110 section 5.6.7.
    """
    match = _imf_fixdate(text)
    if match is not None:
        day, month, year, hour, minute, second = match.groups()
        try:
            # No zone is looked up and no second 60 is handled unless it must be: this is the hot path.
            return datetime(
                int(year), _MONTH_NUMBER[month], int(day), int(hour), int(minute), int(second), 0, UTC
            )
        except ValueError:
            return _instant(text, int(year), month, day, (hour, minute, second))
    match = _asctime(text)
    if match is not None:
        month, day, hour, minute, second, year = match.groups()
        return _instant(text, int(year), month, day, (hour, minute, second))
    match = _rfc850(text)
    if match is not None:
        day, month, year, hour, minute, second = match.groups()
        full_year = _full_year(int(year), month, day, (hour, minute, second), now)
        return _instant(text, full_year, month, day, (hour, minute, second))
    return Malformed(text, _first_misfit(text), _FORMS)


def format_http_date(instant: datetime) -> str:
    """Write an instant as an IMF-fixdate, the one form that may be sent.

    Args:
        instant: an aware datetime of any zone; fractions of a second are cut off.

    Raises:
        ValueError: when the datetime is naive.

    Source: RFC 9110 section 5.6.7.
    """
    if instant.utcoffset() is None:
        raise ValueError("the datetime has no time zone: give an aware one, such as datetime.now(UTC)")
    moment = instant.astimezone(UTC)
    # strftime would write the names of the process's locale.
    return (
        f"{_DAYS[moment.weekday()]}, {moment.day:02d} {_MONTHS[moment.month - 1]} {moment.year:04d}"
        f" {moment.hour:02d}:{moment.minute:02d}:{moment.second:02d} GMT"
    )


def _instant(text: str, year: int, month: str, day: str, time: tuple[str, str, str]) -> datetime | Malformed:
    hour, minute, second = map(int, time)
    try:
        moment = datetime(year, _MONTH_NUMBER[month], int(day), hour, minute, min(second, 59), 0, UTC)
        return moment + timedelta(seconds=1) if second == 60 else moment
    except (ValueError, OverflowError):
        return Malformed(text, text.index(day), "there is no such day in the calendar")


def _full_year(two_digits: int, month: str, day: str, time: tuple[str, str, str], now: Clock) -> int:
    """Choose the latest year with these digits whose date is at most 50 years ahead of the present."""
    present = (now() if callable(now) else now).astimezone(UTC)
    latest_year = present.year + _WINDOW_YEARS
    year = latest_year - (latest_year - two_digits) % 100
    moment = (_MONTH_NUMBER[month], int(day), *map(int, time))
    limit = (present.month, present.day, present.hour, present.minute, present.second)
    return year - 100 if year == latest_year and moment > limit else year


_PREFIXES = tuple(
    tuple(re.compile(form).match for form in forms)
    for forms in (
        (rf"{_DAY_NAME}", ", ", "[0-9]{2}", " ", _MONTH, " ", "[0-9]{4}", " ", _TIME, " GMT"),
        (rf"{_LONG_DAY_NAME}", ", ", "[0-9]{2}", "-", _MONTH, "-", "[0-9]{2}", " ", _TIME, " GMT"),
        (rf"{_DAY_NAME}", " ", _MONTH, " ", "(?:[0-9]{2}| [0-9])", " ", _TIME, " ", "[0-9]{4}"),
    )
)


def _first_misfit(text: str) -> int:
    """Return how far the text follows the form that it follows furthest."""
    furthest = 0
    for parts in _PREFIXES:
        position = 0
        for part in parts:
            match = part(text, position)
            if match is None:
                break
            position = match.end()
        furthest = max(furthest, position)
    return furthest
