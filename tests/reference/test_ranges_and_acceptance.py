"""Ranges against a slow reading of their grammar; quality values by table."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifmatch.reference.acceptance import acceptable, quality
from ifmatch.reference.ranges import parse_ranges


def slow_ranges(value: str, length: int):
    """Return the sets of positions that a value of Range names; None to ignore it."""
    found = re.fullmatch(r"(?i:bytes)=(.*)", value)
    if found is None:
        return None
    members = [one.strip(" \t") for one in found[1].split(",") if one.strip(" \t")]
    if not members or len(members) > 16:
        return None
    named = []
    for member in members:
        if (suffix := re.fullmatch(r"-([0-9]+)", member)) is not None:
            named.append([position for position in range(length) if position >= length - int(suffix[1])])
        elif (span := re.fullmatch(r"([0-9]+)-([0-9]*)", member)) is not None:
            first, last = int(span[1]), int(span[2]) if span[2] else length
            if span[2] and last < first:
                return None
            named.append([position for position in range(length) if first <= position <= last])
        else:
            return None
    return [positions for positions in named if positions] or "unsatisfiable"


@settings(deadline=None)
@given(
    st.one_of(
        st.from_regex(r"bytes=[ ]?[0-9]{0,2}-[0-9]{0,2}(, ?[0-9]{0,2}-[0-9]{0,2}){0,2}", fullmatch=True),
        st.text(alphabet="bytes=0123456789-, \t", max_size=20),
    ),
    st.integers(0, 40),
)
def test_ranges_are_read_as_the_grammar_says(value, length) -> None:
    """RFC 9110 section 14.1.2."""
    read = parse_ranges(value, length)
    wanted = slow_ranges(value, length)
    if isinstance(wanted, list):
        assert [list(range(first, end)) for first, end in read] == wanted
    else:
        assert read == wanted


@pytest.mark.parametrize(
    ("value", "offered", "weight"),
    [
        (None, "gzip", 1.0),
        ("", "gzip", 0.0),
        ("gzip", "gzip", 1.0),
        ("GZIP;q=0.5", "gzip", 0.5),
        ("gzip; q=0", "gzip", 0.0),
        ("br, *;q=0.25", "gzip", 0.25),
        ("identity", "gzip", 0.0),
        ("text/*;q=0.3, application/json", "application/json", 1.0),
        ("text/*;q=0.3, application/json", "text/plain", 0.3),
        ("*/*;q=0.1", "application/xml", 0.1),
        ("application/json;charset=utf-8;q=0.7", "application/json", 0.7),
        ("de-AT, en;q=0.5", "de", 1.0),
        ("fr", "de", 0.0),
        ("en;q=garbage", "en", 1.0),
    ],
)
def test_weights(value, offered, weight) -> None:
    """RFC 9110 section 12.4.2."""
    assert quality(value, offered) == weight


def test_what_is_weighed_alike_keeps_its_order() -> None:
    assert acceptable(None, ["a", "b", "c"]) == ["a", "b", "c"]
    assert acceptable("c, b;q=0.5", ["a", "b", "c"]) == ["c", "b", "a"]
