"""Which later version is told of a write beside the one that it was made from."""

from __future__ import annotations

import pytest
from stories_reader import Story

from ifmatch.diagnosis.case.reconstruction import build
from ifmatch.diagnosis.links.versions_beside import (
    has_naught,
    later_beside,
    names_later_than_sent,
    names_two,
    without_usual,
)


def write_of(version):
    """Return a write that is made from a version."""
    line = f'A 0 PUT https://a.example/pots/5 | {{"glaze": "red", "rev": {version}}} => 204'
    return build(Story("", "", {"alone": "none"}, [line]).captures("alone")).steps[0]


@pytest.mark.parametrize(
    ("said", "denied", "pairs"),
    [
        ("yours 6, there 8", False, [("6", "8")]),
        ("there 8", False, [("6", "8")]),
        # One after the other may be what the write made of it.
        ("made 7", False, []),
        ("made 7", True, [("6", "7")]),
        ('{"taken": false, "there": 7}', False, [("6", "7")]),
        ("there 5", True, []),
        # The name of the thing is none of its versions.
        ("pot 5, yours 6", True, []),
    ],
)
def test_later_versions_beside_the_sent_one(said, denied, pairs) -> None:
    assert list(later_beside(write_of(6), said, denied=denied)) == pairs


def test_times_follow_each_other_as_counts_do() -> None:
    write = write_of('"2026-03-10T09:00:00Z"')
    said = "yours 2026-03-10T09:00:00Z, there 2026-03-10T09:07:00Z"
    assert list(later_beside(write, said)) == [("2026-03-10T09:00:00Z", "2026-03-10T09:07:00Z")]


def test_a_version_is_named_beside_a_later_one() -> None:
    assert names_later_than_sent(write_of(6), "yours 6, there 8")
    assert not names_later_than_sent(write_of(6), "there 8")
    assert names_two(["6", "red"], "6 was replaced by 8")
    assert not names_two(["6", "red"], "6 was taken")


@pytest.mark.parametrize(
    ("text", "naught"),
    [
        ('{"taken": false}', True),
        ("<done>0</done>", True),
        ("kept: 0", True),
        ('{"errors": 0}', False),
        ('{"rc": 0}', False),
        ('{"taken": true}', False),
    ],
)
def test_what_says_that_something_is_not_so(text, naught) -> None:
    assert has_naught(text) is naught


def test_what_looks_say_as_well_is_no_denial() -> None:
    look = 'A 0 GET https://a.example/pots/5 => 200 | {"archived": false, "rev": 6}'
    read = build(Story("", "", {"alone": "none"}, [look]).captures("alone")).steps[0]
    said = without_usual('{"archived": false, "taken": false}', write_of(6), [read])
    assert '"archived"' not in said
    assert '"taken": false' in said
