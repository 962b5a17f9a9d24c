"""A message as values by the names of its members."""

from __future__ import annotations

from stories_reader import Story

from ifmatch.diagnosis.case.reconstruction import build
from ifmatch.diagnosis.links.values_by_name import state_sent, state_shown, values_sent, values_shown


def step_of(line):
    """Return the step that a line of a story is."""
    return build(Story("", "", {"alone": "none"}, [line]).captures("alone")).steps[0]


def test_members_of_json_at_any_depth_by_their_own_names() -> None:
    step = step_of(
        'A 0 PUT https://a.example/p/5 | {"pot": {"glaze": "red", "fired": true, "lid": null}, "n": [1, 2]}'
        ' => 200 | [{"pot": {"glaze": "tan", "version": 7, "updated_at": "x"}}]'
    )
    assert values_sent(step) == {"glaze": "red", "fired": "true", "lid": "", "n": "[1, 2]"}
    assert values_shown(step) == {"glaze": "tan", "version": "7", "updated_at": "x"}
    assert state_shown(step) == {"glaze": "tan"}
    assert state_sent(step) == values_sent(step)


def test_a_name_with_two_values_tells_nothing() -> None:
    step = step_of(
        'A 0 PUT https://a.example/p/5 | {"a": {"n": 1}, "b": {"n": 2}, "c": {"m": 3}, "d": {"m": 3}} => 204'
    )
    assert values_sent(step) == {"m": "3"}


def test_elements_and_lines_are_members_as_well() -> None:
    step = step_of(
        "A 0 PUT https://a.example/pots/5 ; Content-Type: application/xml | <pot><glaze>red</glaze></pot>"
        " => 200 ; Content-Type: text/plain | glaze: tan"
    )
    assert values_sent(step)["glaze"] == "red"
    assert values_shown(step)["glaze"] == "tan"
