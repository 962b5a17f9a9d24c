"""Entity tags: identity, the two comparisons, reading and writing."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

from ifmatch.core.entity_tag import EntityTag, parse_entity_tag
from ifmatch.core.malformed import Malformed

STRONG, WEAK, OTHER = EntityTag("1"), EntityTag("1", weak=True), EntityTag("2")

# RFC 9110 section 8.8.3.2, the table, and each pair the other way round.
COMPARISON = [
    ('W/"1"', 'W/"1"', False, True),
    ('W/"1"', 'W/"2"', False, False),
    ('W/"1"', '"1"', False, True),
    ('"1"', '"1"', True, True),
    ('"1"', '"2"', False, False),
]


@pytest.mark.parametrize(("one", "other", "strongly", "weakly"), COMPARISON)
def test_the_table_of_the_rfc(one: str, other: str, strongly: bool, weakly: bool) -> None:
    for a, b in ((one, other), (other, one)):
        assert EntityTag.parse(a).strongly_matches(EntityTag.parse(b)) is strongly
        assert EntityTag.parse(a).weakly_matches(EntityTag.parse(b)) is weakly


def test_equality_is_identity_and_no_comparison() -> None:
    assert EntityTag("1", weak=True) == WEAK
    assert WEAK != STRONG
    assert len({STRONG, WEAK, OTHER, EntityTag("1")}) == 3
    assert STRONG != '"1"'


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ('"1"', STRONG),
        ('W/"1"', WEAK),
        ('""', EntityTag("")),
        ('W/""', EntityTag("", weak=True)),
        ('"a,b"', EntityTag("a,b")),
        ('"a\\"', EntityTag("a\\")),
        ('"*"', EntityTag("*")),
        ('"W/"', EntityTag("W/")),
        ('"é"', EntityTag("\xe9")),
        (b'"\xe9"', EntityTag("\xe9")),
        (b'W/"\x80\xff"', EntityTag("\x80\xff", weak=True)),
    ],
)
def test_reads_and_writes(text: str | bytes, tag: EntityTag) -> None:
    assert parse_entity_tag(text) == tag
    assert EntityTag.parse(text) == tag
    assert str(tag) == (text.decode("latin-1") if isinstance(text, bytes) else text)


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 0, "begins with a double quote"),
        ("abc", 0, "begins with a double quote"),
        ("W/", 2, "begins with a double quote"),
        ("W/abc", 2, "begins with a double quote"),
        ('w/"a"', 0, "capital W"),
        (' "a"', 0, "begins with a double quote"),
        ('"a" ', 3, "ends with its closing double quote"),
        ('"a"b"', 3, "ends with its closing double quote"),
        ('"a', 2, "closing double quote is missing"),
        ('"', 1, "closing double quote is missing"),
        ('"a b"', 2, "' '"),
        ('"a\nb', 2, "'\\n'"),
        ('"\x7f"', 1, "'\\x7f'"),
        ('"\u0100"', 1, "'Ā'"),
        ('"\udce9"', 1, "'\\udce9'"),
    ],
)
def test_says_where_and_why_a_text_is_none(text: str, position: int, reason: str) -> None:
    malformed = parse_entity_tag(text)
    assert isinstance(malformed, Malformed)
    assert (malformed.text, malformed.position) == (text, position)
    assert reason in malformed.reason
    with pytest.raises(ValueError, match=f"at position {position}"):
        EntityTag.parse(text)


@pytest.mark.parametrize("opaque", ['a"b', "a b", "\x00", "Ā", '"a"'])
def test_a_tag_that_could_not_be_written_cannot_be_made(opaque: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in an entity tag"):
        EntityTag(opaque)


def test_is_a_frozen_record() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        STRONG.opaque = "2"  # type: ignore[misc]
    assert copy.copy(WEAK) == WEAK
    assert pickle.loads(pickle.dumps(WEAK)) == WEAK  # noqa: S301 -- of our own making
