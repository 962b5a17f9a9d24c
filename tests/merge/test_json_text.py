from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifmatch.errors import InputError
from ifmatch.merge import SpelledFloat, parse_json, write_json
from tests.merge.sameness import same_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)

SPELLINGS = [
    "1.10",
    "1E2",
    "1e+2",
    "0.10000000000000000000000000000001",
    "-0",
    "-0.0",
    "1" * 400,
    "12345678901234567890",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_numbers_come_out_as_they_were_spelled(spelling) -> None:
    assert write_json(parse_json(f"[{spelling}]")) == f"[{spelling}]"


@given(VALUES)
def test_values_come_back(value) -> None:
    """What is written is read as the same value, by this reader and by the standard one."""
    text = write_json(value)
    assert same_json(parse_json(text), value)
    assert json.loads(text) == value
    assert same_json(parse_json(write_json(value, indent=2, ascii_only=True).encode()), value)


@given(VALUES)
def test_the_reader_agrees_with_the_standard_one(value) -> None:
    text = json.dumps(value, indent=1)
    assert parse_json(text) == json.loads(text)


def test_deep_documents_need_no_recursion() -> None:
    depth = sys.getrecursionlimit() * 50
    text = "[" * depth + '{"a":1}' + "]" * depth
    value = parse_json(text)
    assert write_json(value) == text
    assert same_json(value, parse_json(text))


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("", 0),
        ("[", 1),
        ("[1", 2),
        ("[1,", 3),
        ("[1,]", 3),
        ("{", 1),
        ('{"a"', 4),
        ('{"a":', 5),
        ('{"a":1,}', 7),
        ("{a:1}", 1),
        ("01", 1),
        ("1.", 1),
        ("+1", 0),
        ("NaN", 0),
        ("Infinity", 0),
        ("nul", 0),
        ('"\x01"', 1),
        ('"abc', 0),
        ("[1 2]", 3),
        ("1 2", 2),
        ("[1}", 2),
        ('{"a":1]', 6),
        ("'a'", 0),
        ('"\\x"', 1),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text, offset) -> None:
    with pytest.raises(InputError) as caught:
        parse_json(text)
    assert caught.value.offset == offset


def test_names_that_occur_twice_are_refused() -> None:
    with pytest.raises(InputError, match="'a' occurs twice"):
        parse_json('{"a":1,\n"a":2}')


def test_octets_must_be_utf_8() -> None:
    assert parse_json(b"\xef\xbb\xbf[]") == []
    with pytest.raises(InputError, match="not UTF-8"):
        parse_json(b"\xff")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_floats_without_a_spelling_in_json_are_refused(value) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        write_json([value])


@pytest.mark.parametrize("value", [(1,), {1: 2}, b"x", {1, 2}])
def test_other_types_are_refused(value) -> None:
    with pytest.raises(TypeError):
        write_json([value])


def test_a_container_in_itself_is_refused_and_one_used_twice_is_not() -> None:
    loop: list = []
    loop.append([loop])
    with pytest.raises(ValueError, match="holds itself"):
        write_json(loop)
    with pytest.raises(ValueError, match="holds itself"):
        same_json(loop, [])
    shared = [1]
    assert write_json([shared, shared, {"a": shared}]) == '[[1],[1],{"a":[1]}]'
    assert same_json([shared, shared], [[1], [1]])


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (1, True, False),
        (1, 1.0, False),
        (0, False, False),
        (None, False, False),
        ("1", 1, False),
        (1.0, SpelledFloat("1.00"), True),
        (SpelledFloat("1e2"), 100.0, True),
        (0.0, -0.0, False),
        (SpelledFloat("0.10000000000000000000000000000001"), 0.1, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ([1, 2], [2, 1], False),
        ({"a": None}, {}, False),
        (10**30, 10**30, True),
        ([], {}, False),
        (SpelledFloat("1e5"), SpelledFloat("10e4"), True),
        (SpelledFloat("0.012"), SpelledFloat("1.2e-2"), True),
    ],
)
def test_what_counts_as_the_same(first, second, same) -> None:
    assert same_json([first], [second]) is same


@pytest.mark.parametrize(
    "text",
    [
        "-0",
        "[-0, 1]",
        '{"a": -0.0}',
        '["2020-01-05"]',
        " {} \n",
        "\ufeff[1]",
        "1" * 5000,
        '{"a": [1.10, 1E2]}',
    ],
)
def test_the_quick_way_changes_no_spelling(text) -> None:
    compact = "".join(text.removeprefix("\ufeff").split())
    assert write_json(parse_json(text)) == compact
    assert write_json(parse_json(text.encode())) == compact


def test_half_of_a_surrogate_pair_is_escaped() -> None:
    assert write_json({"\ud800": ["\udfff", "ü"]}) == '{"\\ud800":["\\udfff","ü"]}'
