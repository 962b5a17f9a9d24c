"""What counts as nothing to write: the same value, however it is spelled."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ifmatch.errors import InputError
from ifmatch.merge import parse_json, write_json
from ifmatch.update import NOTHING, Edit, EditOctets, State

SAME = Edit(lambda document: document)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1}',
        b'{ "a" : [ 1.10, "x y" ] }\n',
        b'\xef\xbb\xbf{"a": 1}',
        b" [1]",
        b'{"a": "\\u00e9\\/"}',
        b'"x"',
        b"-0 ",
    ],
)
def test_a_document_that_stays_is_not_written(text) -> None:
    assert SAME.propose(State(text, ("1",))) is NOTHING


@pytest.mark.parametrize(
    ("text", "value", "octets"),
    [
        (b'{"a": "x y"}', {"a": "xy"}, b'{"a":"xy"}'),
        (b'{"a": "xy"}', {"a": "x\ty"}, b'{"a":"x\\ty"}'),
        (b'{"a": 1}', {"a": 1.0}, b'{"a":1.0}'),
        (b'{"a": 1}', {"a": True}, b'{"a":true}'),
        (b'{"a": "\\u00e9"}', {"a": "e"}, b'{"a":"e"}'),
    ],
)
def test_what_differs_is_written(text, value, octets) -> None:
    assert Edit(lambda _: value).propose(State(text, ("1",))) == octets


@given(VALUES, VALUES, st.sampled_from([None, 1]))
def test_only_the_very_same_value_is_nothing_to_write(before, after, indent) -> None:
    # None stands for a function that returned nothing, unless null is what was there.
    assume(after is not None or before is None)
    state = State(write_json(before, indent=indent).encode(), ("1",))
    made = Edit(lambda _: after).propose(state)
    assert (made is NOTHING) == (write_json(before) == write_json(after))
    if made is not NOTHING:
        assert write_json(parse_json(made)) == write_json(after)


def forgets(document):
    document["n"] = 5


async def waits(document):
    return document


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Edit(forgets), "forgets returned None, and nothing was written"),
        (Edit(forgets, creates=True), "forgets returned None"),
        (Edit(waits), "waits is asynchronous"),
        (EditOctets(waits), "waits is asynchronous"),
        (EditOctets(lambda _: None), "returned NoneType"),
        (EditOctets(lambda octets: octets.decode()), "returned str"),
    ],
)
def test_a_function_that_gives_no_document_back_writes_nothing(change, words) -> None:
    """A forgotten `return` would put null in the place of the document."""
    with pytest.raises(TypeError, match=words):
        change.propose(State(b'{"n":1}', ("1",)))


def test_null_may_stay_null() -> None:
    assert Edit(lambda _: None).propose(State(b"null", ("1",))) is NOTHING


@pytest.mark.parametrize("octets", [b"", b"text", b"\xff"])
def test_content_that_is_no_json_says_what_to_use(octets) -> None:
    with pytest.raises(InputError, match=r"Nothing was written\. Change other content with EditOctets"):
        SAME.propose(State(octets, ("1",)))
