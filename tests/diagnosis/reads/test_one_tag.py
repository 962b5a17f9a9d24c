"""When one tag stands for two states, and what follows from that for the ranking."""

from __future__ import annotations

import pytest
from stories_reader import Story, stories

from ifmatch.diagnosis import diagnose
from ifmatch.diagnosis.case.reconstruction import build
from ifmatch.diagnosis.reads.one_tag import two_states

CASES = {
    "another content, half a minute later": ('ETag: "t" | {"n": 1}', 'ETag: "t" | {"n": 2}', True),
    "other lines of a text": ('ETag: "t" | one', 'ETag: "t" | two', True),
    "the same content": ('ETag: "t" | {"n": 1}', 'ETag: "t" | {"n": 1}', False),
    "the same content written otherwise": ('ETag: "t" | {"n": 1}', 'ETag: "t" | {"n":1}', False),
    "only a stamp": ('ETag: "t" | {"n": 1, "mtime": 1}', 'ETag: "t" | {"n": 1, "mtime": 2}', False),
    "another tag": ('ETag: "t" | {"n": 1}', 'ETag: "u" | {"n": 2}', False),
    "one second of modification": (
        'ETag: "t" ; Last-Modified: @0 | {"n": 1}',
        'ETag: "t" ; Last-Modified: @0 | {"n": 2}',
        False,
    ),
    "another language": (
        'ETag: "t" ; Content-Language: en | {"n": "one"}',
        'ETag: "t" ; Content-Language: de | {"n": "eins"}',
        False,
    ),
    "a cache in between": ('ETag: "t" | {"n": 1}', 'ETag: "t" ; Age: 9 | {"n": 2}', False),
}


@pytest.mark.parametrize("name", CASES)
def test_two_states(name) -> None:
    early, late, wanted = CASES[name]
    lines = [f"A 0.5 GET /doc => 200 ; {early}", f"A 30.5 GET /doc => 200 ; {late}"]
    (history,) = build(Story("", "", lines=lines).captures("all")).histories.values()
    found = two_states(history, '"t"')
    assert (found is not None) == wanted
    if found is not None:
        assert [step.start for step in found] == sorted(step.start for step in history)


def test_weak_tags_may_stand_for_more_than_one() -> None:
    lines = [
        'A 0.5 GET /doc => 200 ; ETag: W/"t" | {"n": 1}',
        'A 30.5 GET /doc => 200 ; ETag: W/"t" | {"n": 2}',
    ]
    (history,) = build(Story("", "", lines=lines).captures("all")).histories.values()
    assert two_states(history, 'W/"t"') is None


def test_a_constant_tag_was_not_ignored() -> None:
    """The comparison of the server holds by its own tags, so that is not what has to be mended."""
    story = next(one for one in stories() if one.name == "a tag that stays the same, told by reads alone")
    (incident,) = diagnose(story.captures("all")).incidents
    assert incident.findings[0].cause == "server-precondition-bug"
    assert "precondition-ignored" not in {finding.cause for finding in incident.findings}
