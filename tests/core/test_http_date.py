"""Dates: three forms read, one written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ifmatch.core.http_date import format_http_date, parse_http_date
from ifmatch.core.malformed import Malformed

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
EXAMPLE = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE),
        ("Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE),
        ("Sun Nov  6 08:49:37 1994", EXAMPLE),
        ("Sun Nov 06 08:49:37 1994", EXAMPLE),
        ("Mon, 06 Nov 1994 08:49:37 GMT", EXAMPLE),  # the wrong weekday does not matter
        ("Sun, 06 Nov 1994 08:49:60 GMT", EXAMPLE.replace(minute=50, second=0)),
        ("Sat, 31 Dec 2016 23:59:60 GMT", datetime(2017, 1, 1, tzinfo=UTC)),
        ("Sun Nov  6 08:49:60 1994", EXAMPLE.replace(minute=50, second=0)),
        ("Thu, 29 Feb 2024 00:00:00 GMT", datetime(2024, 2, 29, tzinfo=UTC)),
        ("Mon, 01 Jan 0001 00:00:00 GMT", datetime(1, 1, 1, tzinfo=UTC)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        # Two digits: the latest such year that is at most 50 years ahead.
        ("Sunday, 24-Nov-75 12:00:00 GMT", datetime(2075, 11, 24, 12, tzinfo=UTC)),
        ("Sunday, 24-Nov-76 12:00:00 GMT", datetime(2076, 11, 24, 12, tzinfo=UTC)),
        ("Sunday, 24-Nov-76 12:00:01 GMT", datetime(1976, 11, 24, 12, 0, 1, tzinfo=UTC)),
        ("Sunday, 25-Nov-76 00:00:00 GMT", datetime(1976, 11, 25, tzinfo=UTC)),
        ("Sunday, 24-Nov-77 12:00:00 GMT", datetime(1977, 11, 24, 12, tzinfo=UTC)),
        ("Sunday, 24-Nov-26 12:00:00 GMT", datetime(2026, 11, 24, 12, tzinfo=UTC)),
        ("Saturday, 29-Feb-72 12:00:00 GMT", datetime(2072, 2, 29, 12, tzinfo=UTC)),
    ],
)
def test_reads(text: str, instant: datetime) -> None:
    found = parse_http_date(text, now=NOW)
    assert found == instant
    assert isinstance(found, datetime)
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("yesterday", 0),
        ("sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sun, 06 nov 1994 08:49:37 GMT", 8),
        ("Sun, 6 Nov 1994 08:49:37 GMT", 5),
        ("Sun, 06 Nov 94 08:49:37 GMT", 12),
        ("Sun, 06 Nov 1994 24:00:00 GMT", 17),
        ("Sun, 06 Nov 1994 08:60:00 GMT", 17),
        ("Sun, 06 Nov 1994 08:49:61 GMT", 17),
        ("Sun, 06 Nov 1994 08:49:37", 25),
        ("Sun, 06 Nov 1994 08:49:37 UTC", 25),
        ("Sun, 06 Nov 1994 08:49:37 GMT ", 29),
        ("Sun, 06 Nov 1994 08:49:37 GMT\n", 29),
        ("Sun, 06 Nov ١٩٩٤ 08:49:37 GMT", 12),
        ("Sunday, 06-Nov-1994 08:49:37 GMT", 17),
        ("Sun, 06-Nov-94 08:49:37 GMT", 7),
        ("Sun Nov 6 08:49:37 1994", 8),
        ("Mon, 31 Feb 1994 08:49:37 GMT", 5),
        ("Mon, 00 Feb 1994 08:49:37 GMT", 5),
        ("Mon, 29 Feb 2023 08:49:37 GMT", 5),
        ("Mon, 01 Jan 0000 00:00:00 GMT", 5),
        ("Fri, 31 Dec 9999 23:59:60 GMT", 5),
        ("Mon Feb 31 08:49:37 1994", 8),
        ("Monday, 31-Feb-94 08:49:37 GMT", 8),
    ],
)
def test_says_where_a_text_leaves_the_forms(text: str, position: int) -> None:
    malformed = parse_http_date(text, now=NOW)
    assert isinstance(malformed, Malformed)
    assert (malformed.text, malformed.position) == (text, position)
    assert malformed.reason


def test_the_clock_is_asked_only_for_a_two_digit_year() -> None:
    asked: list[datetime] = []

    def clock() -> datetime:
        asked.append(NOW)
        return NOW

    for text in ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "no date"):
        parse_http_date(text, now=clock)
    assert asked == []
    assert parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now=clock) == EXAMPLE
    assert len(asked) == 1


def test_the_window_of_two_digits_moves_over_a_century() -> None:
    late = datetime(2076, 1, 1, tzinfo=UTC)
    assert parse_http_date("Sunday, 06-Nov-10 08:49:37 GMT", now=late) == EXAMPLE.replace(year=2110)
    assert parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now=late) == EXAMPLE.replace(year=2094)


def test_writes_the_fixed_form_in_any_zone() -> None:
    east = timezone(timedelta(hours=2))
    assert format_http_date(EXAMPLE) == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert format_http_date(EXAMPLE.astimezone(east)) == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert format_http_date(EXAMPLE.replace(microsecond=999_999)) == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert format_http_date(datetime(33, 4, 3, tzinfo=UTC)) == "Sun, 03 Apr 0033 00:00:00 GMT"


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        format_http_date(EXAMPLE.replace(tzinfo=None))
