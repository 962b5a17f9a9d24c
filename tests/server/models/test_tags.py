"""Versions grow and never come back; digests tell contents apart."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifmatch.core.entity_tag import parse_entity_tag
from ifmatch.server.models.tags import (
    ETAG_MEMBER,
    content_digest,
    digest_of,
    next_version,
    strong_tag,
    with_tag,
)


@settings(deadline=None)
@given(st.integers(0, 9_999_999_999_000), st.integers(0, 9_999_999_999_000))
def test_the_next_version_is_above_the_last_whatever_the_clock_says(first, second) -> None:
    last = next_version(milliseconds=first)
    assert len(last) == 32
    assert next_version(last, milliseconds=second) > last


@pytest.mark.parametrize("last", [None, "", "zzz", "12", "\u0661" * 13])
def test_any_other_text_is_followed_by_a_version_of_our_form(last) -> None:
    assert next_version(last, milliseconds=7).startswith("0000000000007")


@pytest.mark.parametrize("version", ["", 'a"b', "a b", "é", "a\n"])
def test_what_cannot_stand_in_a_tag_is_refused(version) -> None:
    with pytest.raises(ValueError, match="entity tag"):
        strong_tag(version)


def test_a_tag_is_strong_and_parses() -> None:
    assert not parse_entity_tag(strong_tag(next_version())).weak


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(), st.binary(), st.decimals(allow_nan=False), st.dates()
)


@settings(deadline=None)
@given(st.lists(VALUES, max_size=4), st.lists(VALUES, max_size=4))
def test_digests_are_equal_just_when_values_are(left, right) -> None:
    same = [(type(value), str(value)) for value in left] == [(type(value), str(value)) for value in right]
    assert (content_digest(left) == content_digest(right)) == same


def test_digests_do_not_depend_on_zone_order_or_process() -> None:
    moment = datetime(2026, 3, 10, 9, tzinfo=UTC)
    other = moment.astimezone(timezone(timedelta(hours=5)))
    assert content_digest([moment, {"a": 1, "b": 2}]) == content_digest([other, {"b": 2, "a": 1}])
    values = "[1, 'x', b'y', {'b': None}, ['z']]"
    code = f"from ifmatch.server.models.tags import content_digest; print(content_digest({values}))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == content_digest([1, "x", b"y", {"b": None}, ["z"]])


def test_what_looks_alike_has_other_digests() -> None:
    alike = [
        ["ab", "c"],
        ["a", "bc"],
        ["abc"],
        [b"abc"],
        [1],
        ["1"],
        [True],
        [Decimal(1)],
        [None],
        ["None"],
        [],
    ]
    alike += [[date(2026, 3, 10)], [datetime(2026, 3, 10)], [UUID(int=1)], [str(UUID(int=1))]]  # noqa: DTZ001
    assert len({content_digest(values) for values in alike}) == len(alike)


def test_the_digest_of_no_attribute_is_refused() -> None:
    with pytest.raises(ValueError, match="name the attributes"):
        digest_of()


def test_an_item_carries_its_tag() -> None:
    assert with_tag({"number": 1}, '"v"') == {"number": 1, ETAG_MEMBER: '"v"'}
    with pytest.raises(ValueError, match="'etag' already"):
        with_tag({"etag": 1}, '"v"')
