from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifmatch.merge import (
    MISSING,
    VALUE,
    Conflict,
    MergeConflictError,
    Policies,
    merge_json,
    parse_json,
    write_json,
)
from tests.merge.sameness import same_json

LEAVES = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from([1.0, 2.5]) | st.sampled_from("ab")
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)
PLAIN_LISTS = st.lists(st.integers(0, 6), max_size=8)


@given(DOCUMENTS, DOCUMENTS)
def test_a_side_that_changed_nothing_yields(base, changed) -> None:
    """merge(base, x, base) = x and merge(base, base, y) = y, to the object."""
    assert merge_json(base, changed, base).value is changed
    assert same_json(merge_json(base, base, changed).value, changed)


@given(DOCUMENTS, DOCUMENTS)
def test_equal_changes_are_taken_once(base, changed) -> None:
    """merge(base, x, x) = x."""
    assert same_json(merge_json(base, changed, changed).value, changed)


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_conflicts_are_symmetric(base, one, other) -> None:
    """Exchanging the sides exchanges them in the conflicts, and changes no combined document but in order."""
    there, back = merge_json(base, one, other), merge_json(base, other, one)
    turned = {(c.pointer, c.kind, c.index, repr(c.theirs), repr(c.mine)) for c in back.conflicts}
    assert {(c.pointer, c.kind, c.index, repr(c.mine), repr(c.theirs)) for c in there.conflicts} == turned
    if not there.conflicts:
        assert same_json(there.value, back.value)


def leaves(document, tokens=()):
    """Yield (path, value) of everything in nested objects; arrays are one value."""
    if isinstance(document, dict):
        yield (tokens, "object")
        for name, value in document.items():
            yield from leaves(value, (*tokens, name))
    else:
        yield (tokens, repr(document))


OBJECTS = st.recursive(
    LEAVES, lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=4), max_leaves=12
).map(lambda value: value if isinstance(value, dict) else {"a": value})


@given(OBJECTS, OBJECTS, OBJECTS)
def test_without_a_conflict_nothing_of_either_side_is_lost(base, one, other) -> None:
    """Every leaf a side added or changed is in the result; every leaf a side removed is not."""
    merged = merge_json(base, one, other)
    if merged.conflicts:
        return
    before, result = set(leaves(base)), set(leaves(merged.value))
    for side in (one, other):
        assert set(leaves(side)) - before <= result
        gone = {path for path, _ in before} - {path for path, _ in leaves(side)}
        assert not gone & {path for path, _ in result}


@given(PLAIN_LISTS, PLAIN_LISTS, PLAIN_LISTS)
def test_in_arrays_no_new_element_is_lost(base, one, other) -> None:
    """An element one side has and the base has not is in the result, unless a conflict tells of it."""
    merged = merge_json(base, one, other)
    if not merged.conflicts:
        for side in (one, other):
            assert set(side) - set(base) <= set(merged.value)


@given(st.permutations("abcdef"), st.permutations("abcdef"), st.permutations("abcdef"), st.data())
def test_arrays_with_a_key_keep_each_element_once(base, one, other, data) -> None:
    """Moves, insertions and removals by key: the result holds what neither side removed, each once."""

    def rows(keys):
        return [{"id": key, "n": 0} for key in keys]

    base, one, other = (rows(keys[: data.draw(st.integers(0, 6))]) for keys in (base, one, other))
    merged = merge_json({"r": base}, {"r": one}, {"r": other}, Policies(arrays={"/r": "id"}))
    ids = [row["id"] for row in merged.draft["r"]]
    assert len(ids) == len(set(ids))
    sets = [{row["id"] for row in side} for side in (base, one, other)]
    assert set(ids) == (sets[1] & sets[2]) | (sets[1] - sets[0]) | (sets[2] - sets[0])
    assert all(conflict.kind == "order" for conflict in merged.conflicts)


def test_depth_needs_no_recursion() -> None:
    depth = sys.getrecursionlimit() * 3

    def deep(inner: str) -> object:
        return parse_json('{"a":' * depth + inner + "}" * depth)

    merged = merge_json(deep('{"x":1,"y":1}'), deep('{"x":2,"y":1}'), deep('{"x":1,"y":3}'))
    assert write_json(merged.value).endswith('{"x":2,"y":3}' + "}" * depth)


CASES = [
    # base, mine, theirs, merged
    ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 3}, {"a": 2, "b": 3}),
    ({"a": 1, "b": 1}, {"b": 1}, {"a": 1, "b": 2, "c": 3}, {"b": 2, "c": 3}),
    ({"o": {"k": 1}}, {"o": {"k": 1, "m": 1}}, {"o": {"k": 1, "t": 1}}, {"o": {"k": 1, "t": 1, "m": 1}}),
    ({}, {"o": {"m": 1}}, {"o": {"t": 1}}, {"o": {"t": 1, "m": 1}}),
    (["x", "y", "z"], ["w", "x", "y", "z"], ["x", "y", "z", "v"], ["w", "x", "y", "z", "v"]),
    ([1, 2, 3, 4], [1, 3, 4], [1, 2, 3, 5, 4], [1, 3, 5, 4]),
    ({"a": None}, {}, {"a": None, "b": 1}, {"b": 1}),
    ({"a": 1}, {"a": True}, {"a": 1, "b": 0}, {"a": True, "b": 0}),
    ({"a": 1}, {"a": 1.0}, {"a": 1, "b": 0}, {"a": 1.0, "b": 0}),
]


@pytest.mark.parametrize(("base", "mine", "theirs", "expected"), CASES)
def test_disjoint_changes_are_combined(base, mine, theirs, expected) -> None:
    merged = merge_json(base, mine, theirs)
    assert not merged.conflicts
    assert write_json(merged.value) == write_json(expected)


CONFLICTS = [
    ({"a": 1}, {"a": 2}, {"a": 3}, ("/a", "changed-both", 1, 2, 3)),
    ({"a": 1}, {}, {"a": 3}, ("/a", "removed-changed", 1, MISSING, 3)),
    ({}, {"a/b": 1}, {"a/b": True}, ("/a~1b", "added-both", MISSING, 1, True)),
    ({"a": 1}, {"a": 1.0}, {"a": True}, ("/a", "changed-both", 1, 1.0, True)),
    ({"r": [1, 2]}, {"r": [1, 3]}, {"r": [1, 4]}, ("/r", "stretch", [2], [3], [4])),
    ({"r": [1]}, {"r": [1, 2]}, {"r": [1, 3]}, ("/r", "stretch", [], [2], [3])),
    (1, 2, 3, ("", "changed-both", 1, 2, 3)),
    ({"a": [1]}, {"a": {"x": 1}}, {"a": {"y": 1}}, ("/a", "changed-both", [1], {"x": 1}, {"y": 1})),
]


@pytest.mark.parametrize(("base", "mine", "theirs", "expected"), CONFLICTS)
def test_contradictions_are_told_and_never_decided(base, mine, theirs, expected) -> None:
    merged = merge_json(base, mine, theirs)
    (conflict,) = merged.conflicts
    assert repr((conflict.pointer, conflict.kind, conflict.base, conflict.mine, conflict.theirs)) == repr(
        expected
    )
    with pytest.raises(MergeConflictError, match="1 conflict:") as caught:
        _ = merged.value
    assert caught.value.conflicts == (conflict,)


def test_elements_with_a_key_are_merged_inside_and_conflicts_name_them() -> None:
    base = {"rows": [{"id": 1, "n": "a", "q": 1}, {"id": 2, "n": "b"}]}
    mine = {"rows": [{"id": 2, "n": "B"}, {"id": 1, "n": "a", "q": 5}]}
    theirs = {"rows": [{"id": 1, "n": "z", "q": 1}, {"id": 2, "n": "b"}, {"id": 3}]}
    merged = merge_json(base, mine, theirs, Policies(arrays={"/rows": "id"}))
    assert merged.value == {"rows": [{"id": 2, "n": "B"}, {"id": 3}, {"id": 1, "n": "z", "q": 5}]}
    theirs["rows"][0]["q"] = 6
    conflict = merge_json(base, mine, theirs, Policies(arrays={"/*": ("id",)})).conflicts[0]
    assert conflict.kind == "changed-both"
    assert conflict.pointer.endswith("/q")


def test_a_key_that_does_not_hold_falls_back_to_positions() -> None:
    doubled = merge_json(
        [{"id": 1}, {"id": 1}], [{"id": 1}], [{"id": 1}, {"id": 2}], Policies(arrays={"": "id"})
    )
    assert doubled.conflicts


def test_plain_values_can_be_their_own_key() -> None:
    tags = Policies(arrays={"/tags": VALUE})
    merged = merge_json({"tags": ["a", "b"]}, {"tags": ["a", "m"]}, {"tags": ["a", "b", "t"]}, tags)
    assert merged.value in ({"tags": ["a", "m", "t"]}, {"tags": ["a", "t", "m"]})


@pytest.mark.parametrize(
    ("policy", "expected"), [("mine", 2), ("theirs", 3), (lambda c: c.mine + c.theirs, 5)]
)
def test_policies_decide_and_are_reported(policy, expected) -> None:
    rules = Policies(decide={"/a/*/n": policy})
    merged = merge_json({"a": {"x": {"n": 1}}}, {"a": {"x": {"n": 2}}}, {"a": {"x": {"n": 3}}}, rules)
    assert merged.value == {"a": {"x": {"n": expected}}}
    assert [conflict.pointer for conflict in merged.resolved] == ["/a/x/n"]


def test_a_policy_can_remove() -> None:
    rules = Policies(default=lambda _: MISSING)
    assert merge_json({"a": 1}, {"a": 2}, {"a": 3}, rules).value == {}


def test_the_longer_pointer_wins_and_a_policy_covers_what_lies_below() -> None:
    rules = Policies(decide={"/a": "theirs", "/a/b": "mine"}, default="raise")
    base, mine, theirs = ({"a": {"b": n, "c": n}, "d": n} for n in (1, 2, 3))
    merged = merge_json(base, mine, theirs, rules)
    assert merged.draft == {"a": {"b": 2, "c": 3}, "d": 3}
    assert [conflict.pointer for conflict in merged.conflicts] == ["/d"]


@pytest.mark.parametrize("bad", [{"decide": {"a": "mine"}}, {"default": "ours"}, {"arrays": {"a~2": "id"}}])
def test_rules_that_cannot_be_read_are_refused(bad) -> None:
    with pytest.raises(ValueError, match="is no"):
        Policies(**bad)


def test_contradicting_moves_are_a_conflict_of_order() -> None:
    base, mine, theirs = ([{"id": n} for n in order] for order in ("abc", "bac", "cab"))
    merged = merge_json(base, mine, theirs, Policies(arrays={"": "id"}))
    assert [conflict.kind for conflict in merged.conflicts] == ["order"]
    chosen = merge_json(base, mine, theirs, Policies(arrays={"": "id"}, default="mine"))
    assert [row["id"] for row in chosen.value] == list("bac")


def test_a_conflict_says_in_one_line_what_it_is() -> None:
    assert str(Conflict("/a", "removed-changed", 1, MISSING, "x")) == '/a: base 1, mine nothing, theirs "x"'


@pytest.mark.parametrize(
    ("conflict", "said"),
    [
        (Conflict("/author", "changed-both", "a", "b", "c"), '/author: base "a", mine "b", theirs "c"'),
        (
            Conflict("/db/password", "changed-both", MISSING, "b", "c"),
            "/db/password: base nothing, mine (hidden), theirs (hidden)",
        ),
        (
            Conflict("/accounts", "stretch", [{"name": "a", "apiKey": "k"}], [], MISSING, 0),
            '/accounts: base [{"name":"a","apiKey":"(hidden)"}], mine [], theirs nothing',
        ),
        (
            Conflict("", "lines", ["host = a\n", "api-key = b\n"], [], [], 4),
            'line 5: base ["host = a\\n","(hidden)"], mine [], theirs []',
        ),
    ],
)
def test_the_text_of_a_conflict_holds_no_credentials(conflict, said) -> None:
    assert str(conflict) == said
