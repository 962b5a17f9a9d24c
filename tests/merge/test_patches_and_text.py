from __future__ import annotations

import copy
import itertools
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifmatch.merge import (
    PatchError,
    apply_json_patch,
    apply_merge_patch,
    format_pointer,
    make_merge_patch,
    merge_text,
    parse_json,
    parse_pointer,
    resolve_pointer,
)
from ifmatch.merge.sequences import align, three_way_stretches
from tests.merge.sameness import same_json

# RFC 7396 appendix A.
MERGE_PATCHES = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "expected"), MERGE_PATCHES)
def test_the_examples_of_rfc_7396(target, patch, expected) -> None:
    before = copy.deepcopy(target)
    assert apply_merge_patch(target, patch) == expected
    assert target == before


VALUES = st.recursive(
    st.booleans() | st.integers(0, 2),
    lambda i: st.lists(i, max_size=3) | st.dictionaries(st.sampled_from("abc"), i, max_size=3),
)


@given(VALUES, VALUES)
def test_a_made_merge_patch_leads_there(before, after) -> None:
    """Applying the difference gives the other document."""
    assert same_json(apply_merge_patch(before, make_merge_patch(before, after)), after)


def test_a_null_cannot_be_said_in_a_merge_patch() -> None:
    with pytest.raises(ValueError, match="holds null"):
        make_merge_patch({"a": 1}, {"a": {"b": None}})
    assert make_merge_patch({"a": None}, {"a": None, "b": [None]}) == {"b": [None]}


# RFC 6902 appendix A and sections 4.
JSON_PATCHES = [
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    (
        {"foo": ["bar", "baz"]},
        [{"op": "add", "path": "/foo/1", "value": "qux"}],
        {"foo": ["bar", "qux", "baz"]},
    ),
    ({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    ({"foo": [1, 2, 3]}, [{"op": "remove", "path": "/foo/1"}], {"foo": [1, 3]}),
    ({"baz": "qux"}, [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo"}),
    (
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {}},
        [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"thud": "fred"}},
    ),
    (
        {"foo": ["all", "grass", "cows", "eat"]},
        [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    (
        {"baz": "qux", "foo": ["a", 2, "c"]},
        [{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}],
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    (
        {"foo": "bar"},
        [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
        {"foo": "bar", "child": {"grandchild": {}}},
    ),
    (
        {"foo": ["bar"]},
        [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}],
        {"foo": ["bar", ["abc", "def"]]},
    ),
    ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    ({"a": 1}, [{"op": "test", "path": "/a", "value": 1.0}], {"a": 1}),
    ({"a": 1}, [{"op": "add", "path": "", "value": [1]}], [1]),
    (
        {"a": {"b": 1}},
        [{"op": "copy", "from": "/a", "path": "/c"}, {"op": "add", "path": "/c/b", "value": 2}],
        {"a": {"b": 1}, "c": {"b": 2}},
    ),
    ({"": 1}, [{"op": "replace", "path": "/", "value": 2}], {"": 2}),
    ({"a": 1}, [{"op": "move", "from": "/a", "path": "/a"}], {"a": 1}),
]


@pytest.mark.parametrize(("document", "patch", "expected"), JSON_PATCHES)
def test_json_patches_apply(document, patch, expected) -> None:
    before = copy.deepcopy(document)
    assert same_json(apply_json_patch(document, patch), expected)
    assert document == before


BAD_PATCHES = [
    ({"a": 1}, {"op": "add", "path": "/b/c", "value": 1}, "no member 'b'"),
    ({"a": [1]}, {"op": "add", "path": "/a/2", "value": 1}, "ends before index 2"),
    ({"a": [1]}, {"op": "remove", "path": "/a/-"}, "ends before"),
    ({"a": [1]}, {"op": "add", "path": "/a/01", "value": 1}, "no index"),
    ({"a": 1}, {"op": "remove", "path": "/b"}, "no member"),
    ({"a": 1}, {"op": "test", "path": "/a", "value": True}, "failed"),
    ({"a": "10"}, {"op": "test", "path": "/a", "value": 10}, "failed"),
    ({"a": {"b": 1}}, {"op": "move", "from": "/a", "path": "/a/b"}, "into itself"),
    ({"a": 1}, {"op": "frob", "path": "/a"}, "no operation"),
    ({"a": 1}, {"op": "add", "path": "/a"}, "needs 'value'"),
    ({"a": 1}, {"op": "add", "path": "a", "value": 1}, "no JSON Pointer"),
    ({"a": 1}, {"op": "copy", "path": "/a"}, "needs 'from'"),
    ({"a": 1}, {"op": "remove", "path": ""}, "whole document"),
    ({"a": 1}, {"op": "add", "path": "/a/b", "value": 1}, "holds nothing"),
]


@pytest.mark.parametrize(("document", "operation", "text"), BAD_PATCHES)
def test_a_patch_that_does_not_apply_changes_nothing_and_says_why(document, operation, text) -> None:
    before = copy.deepcopy(document)
    with pytest.raises(PatchError, match=text) as caught:
        apply_json_patch(document, [{"op": "add", "path": "/zz", "value": 0}, operation])
    assert caught.value.index == 1
    assert document == before


def test_patches_of_deep_documents_need_no_recursion() -> None:
    depth = sys.getrecursionlimit() * 5
    document = parse_json('{"a":' * depth + "1" + "}" * depth)
    assert resolve_pointer(apply_merge_patch(document, document), "/a" * depth) == 1
    changed = apply_json_patch(document, [{"op": "replace", "path": "/a" * depth, "value": 2}])
    assert resolve_pointer(changed, "/a" * depth) == 2


@given(st.lists(st.text()))
def test_pointers_come_back(tokens) -> None:
    assert parse_pointer(format_pointer(tokens)) == tuple(tokens)


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n", "e\n"]), max_size=7).map("".join)


@given(LINES, LINES)
def test_texts_one_side_changed_are_taken(base, changed) -> None:
    """As for documents: who changed nothing yields, and equal changes are taken once."""
    assert merge_text(base, changed, base).text() == changed
    assert merge_text(base, base, changed).text() == changed
    assert merge_text(base, changed, changed).text() == changed


@given(LINES, LINES, LINES)
def test_conflicts_of_texts_are_symmetric(base, one, other) -> None:
    there, back = merge_text(base, one, other), merge_text(base, other, one)
    assert [(c.line, c.mine, c.theirs) for c in there.conflicts] == [
        (c.line, c.theirs, c.mine) for c in back.conflicts
    ]
    if not there.conflicts:
        assert there.text() == back.text()


def test_text_is_merged_by_lines_and_conflicts_are_marked() -> None:
    base = "one\ntwo\nthree\nfour\n"
    merged = merge_text(base, "ONE\ntwo\nthree\nfour\n", "one\ntwo\nthree\nFOUR")
    assert merged.text() == "ONE\ntwo\nthree\nFOUR"
    clash = merge_text(base, base.replace("two", "2"), base.replace("two", "zwei"))
    assert clash.conflicts[0].line == 2
    assert clash.text() == (
        "one\n<<<<<<< mine\n2\n||||||| base\ntwo\n=======\nzwei\n>>>>>>> theirs\nthree\nfour\n"
    )


@given(st.lists(st.integers(0, 5), max_size=9), st.lists(st.integers(0, 5), max_size=9))
def test_alignment_is_a_longest_common_subsequence(one, other) -> None:
    """Pairs rise on both sides, join equal elements, and are as many as the textbook table says."""
    pairs = align(one, other)
    assert all(one[i] == other[j] for i, j in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in itertools.pairwise(pairs))
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, left in enumerate(one):
        for j, right in enumerate(other):
            table[i + 1][j + 1] = table[i][j] + 1 if left == right else max(table[i][j + 1], table[i + 1][j])
    assert len(pairs) == table[-1][-1]


def test_long_sequences_go_by_their_unique_elements() -> None:
    one = list(range(5_000))
    other = [n for n in one if n % 7] + [9_999]
    assert len(align(one, other)) == len(other) - 1
    shuffled = [-n for n in one]
    assert align(one[1:], shuffled[1:]) == []


@given(*[st.lists(st.integers(0, 4), max_size=8)] * 3)
def test_stretches_cover_all_three(base, one, other) -> None:
    stretches = three_way_stretches(base, one, other)
    for name, side in (("base", base), ("mine", one), ("theirs", other)):
        assert [n for s in stretches for n in side[slice(*getattr(s, name))]] == side
    for stretch in stretches:
        parts = [
            side[slice(*r)]
            for side, r in ((base, stretch.base), (one, stretch.mine), (other, stretch.theirs))
        ]
        assert (parts[0] == parts[1] == parts[2] and bool(parts[0])) or not stretch.stable
