"""Finding the conditional fields, in whatever form a framework hands the header section over."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from multidict import CIMultiDict
from starlette.datastructures import Headers as StarletteHeaders
from werkzeug.datastructures import Headers as WerkzeugHeaders

from ifmatch.core.conditional_fields import (
    CONDITIONAL_FIELDS,
    ConditionalFields,
    conditional_values,
    parse_conditional_fields,
)
from ifmatch.core.entity_tag import EntityTag
from ifmatch.core.list_syntax import ANY
from ifmatch.core.malformed import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
INSTANT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize("place", range(len(CONDITIONAL_FIELDS)))
@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title, str.swapcase, str])
def test_every_field_is_found_in_any_letter_case(place: int, spell: Callable[[str], str]) -> None:
    name = spell(CONDITIONAL_FIELDS[place])
    expected = [None] * 6
    expected[place] = "x"  # type: ignore[call-overload]
    assert conditional_values([(name, "x")]) == expected
    assert conditional_values([(name.encode(), b" x\t")]) == expected
    assert conditional_values({name: "x"}) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "If",
        "If-Matcha",
        "If_Match",
        "Accept",
        "Cache-Control",
        "Authorization",
        "Last-Modified",
        "Content-Range",
        "İf-match",
    ],
)
def test_other_fields_are_left_alone(name: str) -> None:
    assert conditional_values([(name, "x"), (name.upper().encode("utf-8"), b"x")]) is None


def test_nothing_is_found_in_nothing() -> None:
    assert conditional_values([]) is None
    assert conditional_values({}) is None
    assert parse_conditional_fields([]) == ConditionalFields()


@pytest.mark.parametrize(
    "make", [list, tuple, iter, WerkzeugHeaders, CIMultiDict], ids=lambda make: make.__name__
)
def test_lines_of_one_name_are_one_list_in_order(make: Callable[[Any], Any]) -> None:
    fields = make([("If-Match", ' "a"'), ("Host", "a.example"), ("if-match", '"b" '), ("IF-MATCH", "")])
    values = conditional_values(fields)
    assert values is not None
    assert values[0] == '"a", "b", '


def test_fields_of_starlette_are_read_with_all_lines() -> None:
    raw = [(b"if-match", b'"\xe9"'), (b"if-match", b'"b"')]
    values = conditional_values(StarletteHeaders(raw=raw))
    assert values is not None
    assert values[0] == '"é", "b"'


def test_reads_each_field_by_its_grammar() -> None:
    fields = parse_conditional_fields(
        [
            ("If-Match", '"a", W/"b"'),
            ("If-None-Match", "*"),
            ("If-Modified-Since", DATE),
            ("If-Unmodified-Since", "never"),
            ("If-Range", 'W/"c"'),
            ("Range", "bytes=0-1"),
        ]
    )
    assert fields.if_match == (EntityTag("a"), EntityTag("b", weak=True))
    assert fields.if_none_match is ANY
    assert fields.if_modified_since == INSTANT
    assert isinstance(fields.if_unmodified_since, Malformed)
    assert fields.if_range == EntityTag("c", weak=True)
    assert fields.range == "bytes=0-1"
    assert parse_conditional_fields([("If-Range", DATE)]).if_range == INSTANT
    assert isinstance(parse_conditional_fields([("If-Range", '"a", "b"')]).if_range, Malformed)
    assert isinstance(parse_conditional_fields([("If-Match", "a")]).if_match, Malformed)


def test_without_a_clock_of_the_caller_a_two_digit_year_is_read_against_that_of_the_machine() -> None:
    this_year = datetime.now(UTC).year
    for ahead, expected in ((49, this_year + 49), (51, this_year - 49)):
        text = f"Sunday, 01-Jan-{(this_year + ahead) % 100:02d} 00:00:00 GMT"
        date = parse_conditional_fields([("If-Modified-Since", text)]).if_modified_since
        assert date == datetime(expected, 1, 1, tzinfo=UTC)


def test_octets_and_text_are_never_compared() -> None:
    """`python -bb` makes an error of every comparison of octets with text."""
    program = """
from ifmatch import Representation, evaluate
state = Representation(etag=b'"a"')
for name, value in ((b"If-Match", b'"b"'), ("If-Match", '"b"'), (b"if-match", b'"b"'), ("if-match", '"b"')):
    fields = [(name, value), (b"Host", b"x"), ("Host", "x"), (b"range", b""), ("cache-control", "")]
    assert evaluate("PUT", fields, state).status == 412
    assert evaluate("PUT", fields, state).trace.status == 412
"""
    subprocess.run([sys.executable, "-bb", "-c", program], check=True)
