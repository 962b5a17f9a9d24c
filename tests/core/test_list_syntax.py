"""Lists of entity tags, well-formed and not."""

from __future__ import annotations

import time

import pytest

from ifmatch.core.entity_tag import EntityTag
from ifmatch.core.list_syntax import ANY, is_tag_list, lists_tag, parse_entity_tags, well_formed_members
from ifmatch.core.malformed import Malformed

A, B = EntityTag("a"), EntityTag("b", weak=True)


@pytest.mark.parametrize("text", ["*", " *\t", b"*"])
def test_the_wildcard(text: str | bytes) -> None:
    assert parse_entity_tags(text) is ANY


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ('"a"', (A,)),
        (b'"\xe9"', (EntityTag("é"),)),
        ('"a",W/"b"', (A, B)),
        (' ,, "a" ,\t, W/"b",', (A, B)),
        ('"a", "a"', (A, A)),
        ("", ()),
        (" , ,", ()),
        ('"*"', (EntityTag("*"),)),
        ('"a,b", "a"', (EntityTag("a,b"), A)),
    ],
)
def test_lists(text: str | bytes, tags: tuple[EntityTag, ...]) -> None:
    assert parse_entity_tags(text) == tags


@pytest.mark.parametrize(
    ("text", "position", "reason", "members"),
    [
        ("a", 0, "double quote", ()),
        ('"a", b', 5, "double quote", (A,)),
        ('b, "a"', 0, "double quote", (A,)),
        ('"a" W/"b"', 3, "comma must follow", ()),
        ('"a"; W/"b"', 3, "comma must follow", ()),
        ('"x y", "a"', 2, "' '", (A,)),
        ('W/"b", w/"a"', 7, "capital W", (B,)),
        ('"a", "b', 7, "closing double quote", (A,)),
        ('*, "a"', 0, "* stands alone", (A,)),
        ('"a", *', 5, "* stands alone", (A,)),
        ("*,", 0, "* stands alone", ()),
        (",*", 1, "* stands alone", ()),
        ("*, *", 0, "* stands alone", ()),
        ('"a"\n, W/"b"', 3, "comma must follow", (B,)),
        ('\n"a"', 0, "double quote", ()),
        ('"a",, junk,, W/"b"', 6, "double quote", (A, B)),
    ],
)
def test_malformed_lists(text: str, position: int, reason: str, members: tuple[EntityTag, ...]) -> None:
    malformed = parse_entity_tags(text)
    assert isinstance(malformed, Malformed)
    assert (malformed.text, malformed.position) == (text, position)
    assert reason in malformed.reason
    assert well_formed_members(text) == members
    assert is_tag_list(text) is None


@pytest.mark.parametrize(
    ("text", "opaque_tag", "strongly", "weakly"),
    [
        ('"a", "b"', '"a"', True, True),
        ('"a", "b"', '"b"', True, True),
        ('"a", W/"b"', '"b"', False, True),
        ('W/"b", "b"', '"b"', True, True),
        ('W/"b"', '"b"', False, True),
        ('"a","b"', '","', False, False),
        ('"a","b","x"', '","', False, False),
        ('"a",",","b"', '","', True, True),
        ('"a/","b"', '"b"', True, True),
        ('"","a"', '""', True, True),
        ('"a", ""', '""', True, True),
        ('"a"', '""', False, False),
        ('"xa", "ax"', '"a"', False, False),
        ('"W/", "a"', '"a"', True, True),
        ("", '"a"', False, False),
    ],
)
def test_a_tag_is_found_where_it_is_a_member_and_nowhere_else(
    text: str, opaque_tag: str, strongly: bool, weakly: bool
) -> None:
    assert is_tag_list(text)
    assert lists_tag(text, opaque_tag, weakly=False) is strongly
    assert lists_tag(text, opaque_tag, weakly=True) is weakly


@pytest.mark.parametrize(
    "unit", ['"a",', '"a" ', '"', "W/", ",", " ", "\t,", '"a"', '"a",x', 'W/"', "*,", '"a" , '], ids=repr
)
def test_hostile_values_cost_one_pass(unit: str) -> None:
    """A value of a megabyte is read in time proportional to its length."""
    text = unit * (1_000_000 // len(unit)) + "x"
    started = time.process_time()
    assert isinstance(parse_entity_tags(text), Malformed)
    well_formed_members(text)
    assert time.process_time() - started < 4
