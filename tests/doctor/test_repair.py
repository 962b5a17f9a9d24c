"""What a refused write becomes on the state that is there: clean, a conflict, or nothing to do."""

from __future__ import annotations

import json

import pytest

from ifmatch.doctor.failing import Failing
from ifmatch.doctor.repair import Kind, kind_of, make_plan
from ifmatch.errors import InputError
from ifmatch.merge import Policies
from ifmatch.model.message import Content, Fields, Request
from ifmatch.update import NotAppliedError, State

BASE = {"name": "Ana", "phone": "0", "tags": ["a"]}


def failing(body, kind="application/json", method="PUT", token='"1"') -> Failing:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    content = None if body is None else Content.from_octets(octets)
    return Failing(
        Request(method, "http://x.test/7", Fields([("If-Match", token), ("Content-Type", kind)]), content)
    )


def state(body, token='"2"') -> State:
    return State(body if isinstance(body, bytes) else json.dumps(body).encode(), (token,))


def octets(document) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("mine", "theirs", "result"),
    [
        ({**BASE, "name": "Bea"}, {**BASE, "phone": "5"}, {**BASE, "name": "Bea", "phone": "5"}),
        ({**BASE, "tags": ["a", "b"]}, {**BASE, "name": "Bea"}, {**BASE, "name": "Bea", "tags": ["a", "b"]}),
        ({"name": "Ana", "tags": ["a"]}, {**BASE, "name": "Bea"}, {"name": "Bea", "tags": ["a"]}),
        ({**BASE, "new": 1}, {**BASE, "other": 2}, {**BASE, "other": 2, "new": 1}),
    ],
)
def test_disjoint_changes_of_a_document_go_in_together(mine, theirs, result) -> None:
    plan = make_plan(failing(mine), octets(BASE), state(theirs))
    assert plan.is_clean
    assert json.loads(plan.result) == result
    assert plan.kept
    assert plan.changes


def test_the_same_member_changed_twice_is_a_conflict_with_all_three_values() -> None:
    mine, theirs = {**BASE, "name": "Bea"}, {**BASE, "name": "Cleo"}
    plan = make_plan(failing(mine), octets(BASE), state(theirs))
    (conflict,) = plan.conflicts
    assert (conflict.pointer, conflict.base, conflict.mine, conflict.theirs) == (
        "/name",
        "Ana",
        "Bea",
        "Cleo",
    )
    assert plan.result is None
    for choice, name in (("mine", "Bea"), ("theirs", "Cleo")):
        decided = make_plan(failing(mine), octets(BASE), state(theirs), Policies(default=choice))
        assert (json.loads(decided.result)["name"] if decided.result else "Cleo") == name


def test_without_the_base_a_document_is_never_merged_by_guessing() -> None:
    plan = make_plan(failing({**BASE, "name": "Bea"}), None, state({**BASE, "phone": "5"}))
    assert not plan.is_clean
    assert plan.result is None


@pytest.mark.parametrize(
    ("write", "there"),
    [
        (failing(BASE), state(BASE)),
        (failing({"name": "Ana"}, "application/merge-patch+json", "PATCH"), state(BASE)),
        (failing(b"text", "text/plain"), state(b"text")),
        (failing(None, method="DELETE"), None),
    ],
)
def test_what_is_there_already_is_said_not_sent(write, there) -> None:
    plan = make_plan(write, None, there)
    assert plan.holds
    assert plan.result is None


def test_a_merge_patch_is_sent_as_it_is_unless_both_changed_its_members() -> None:
    write = failing({"name": "Bea"}, "application/merge-patch+json", "PATCH")
    assert make_plan(write, octets(BASE), state({**BASE, "phone": "5"})).result == octets({"name": "Bea"})
    plan = make_plan(write, octets(BASE), state({**BASE, "name": "Cleo"}))
    assert [conflict.pointer for conflict in plan.conflicts] == ["/name"]
    assert make_plan(write, None, state({**BASE, "name": "Cleo"})).is_clean


def test_a_json_patch_goes_out_when_it_fits() -> None:
    fits = [
        {"op": "test", "path": "/name", "value": "Ana"},
        {"op": "replace", "path": "/phone", "value": "9"},
    ]
    write = failing(fits, "application/json-patch+json", "PATCH")
    assert make_plan(write, None, state(BASE)).result == octets(fits)
    with pytest.raises(NotAppliedError, match="does not fit"):
        make_plan(write, None, state({**BASE, "name": "Cleo"}))


def test_text_is_merged_by_lines_with_markers_for_conflicts() -> None:
    base, mine, theirs = b"a\nb\nc\n", b"A\nb\nc\n", b"a\nb\nC\n"
    assert make_plan(failing(mine, "text/plain"), base, state(theirs)).result == b"A\nb\nC\n"
    plan = make_plan(failing(b"X\nb\nc\n", "text/plain"), base, state(b"Y\nb\nc\n"))
    assert "<<<<<<< mine\nX\n" in plan.marked
    assert (
        make_plan(failing(b"X\n", "text/plain"), b"a\n", state(b"Y\n"), Policies(default="mine")).result
        == b"X\n"
    )


def test_opaque_octets_are_never_merged() -> None:
    plan = make_plan(failing(b"\x00mine", "application/octet-stream"), b"\x00base", state(b"\x00theirs"))
    assert not plan.is_clean
    assert make_plan(failing(b"\x00mine", "image/png"), None, state(b"", '"1"')).result == b"\x00mine"


def test_a_deletion_of_something_that_changed_is_a_conflict() -> None:
    assert not make_plan(failing(None, method="DELETE"), None, state(BASE)).is_clean
    assert make_plan(failing(None, method="DELETE"), None, state(BASE, '"1"')).is_clean


@pytest.mark.parametrize(
    ("kind", "method", "expected"),
    [
        ("application/vnd.api+json", "PUT", Kind.JSON),
        ("text/calendar; charset=utf-8", "PUT", Kind.TEXT),
        ("image/svg+xml", "PUT", Kind.TEXT),
        ("image/png", "PUT", Kind.OPAQUE),
        ("application/merge-patch+json", "PATCH", Kind.MERGE_PATCH),
        ("application/json", "PATCH", Kind.MERGE_PATCH),
        ("application/json-patch+json", "PATCH", Kind.JSON_PATCH),
        ("application/json", "DELETE", Kind.DELETE),
    ],
)
def test_kinds(kind, method, expected) -> None:
    assert kind_of(failing({"a": 1}, kind, method)) is expected


def test_a_post_is_not_repaired() -> None:
    with pytest.raises(InputError, match="POST cannot be repaired"):
        kind_of(failing({"a": 1}, method="POST"))


def test_content_that_is_no_json_is_named() -> None:
    with pytest.raises(InputError, match="content of the write"):
        make_plan(failing(b"{not json"), octets(BASE), state(BASE))
