"""What the next look at a thing shows of a write to it."""

from __future__ import annotations

from stories_reader import Story

from ifmatch.diagnosis.aftermath.next_looks import Around
from ifmatch.diagnosis.case.reconstruction import build

READ = 'A 0 GET https://a.example/pots/5 => 200 | {"pot": 5, "glaze": "blue", "height": 9, "rev": 6}'
PUT = 'A 5 PUT https://a.example/pots/5 | {"pot": 5, "glaze": "red", "height": 8, "rev": 6} => 200 | '
LATER = "A 9 GET https://a.example/pots/5 => 200 | "


def around(answer, later, *more):
    """Return the write between two looks, with what lies around it."""
    lines = [READ, PUT + answer, *more, LATER + later]
    return Around(build(Story("", "", {"alone": "none"}, lines).captures("alone")).steps, 1)


def test_all_as_before_under_the_version_that_was_told() -> None:
    look = around("{}", '{"pot": 5, "glaze": "blue", "height": 9, "rev": 7}').next_look()
    assert look is not None
    assert look.as_before
    assert look.under("7")
    assert not look.under("8")
    assert look.sent == {"glaze": "red", "height": "8"}


def test_what_is_as_sent_may_be_of_another_representation() -> None:
    look = around("{}", '{"pot": 5, "glaze": "blue", "height": 8, "rev": 7}').next_look()
    assert look is not None
    assert not look.as_before
    assert look.otherwise_as_before
    assert not look.by_another("7")


def test_what_is_neither_as_before_nor_as_sent_is_anothers() -> None:
    look = around("{}", '{"pot": 5, "glaze": "tan", "height": 9, "rev": 7}').next_look()
    assert look is not None
    assert not look.as_before
    assert not look.otherwise_as_before
    assert look.by_another("7")
    assert not look.by_another("8")


def test_an_answer_with_an_edit_as_it_was_sent_needs_no_look() -> None:
    write = around('{"glaze": "red"}', '{"pot": 5, "glaze": "blue", "height": 9, "rev": 7}')
    assert write.answered_as_sent
    assert write.next_look() is None


def test_a_look_at_another_thing_is_passed_over() -> None:
    other = 'A 7 GET https://a.example/pots/6 => 200 | {"pot": 6, "glaze": "red", "height": 8, "rev": 1}'
    look = around("{}", '{"pot": 5, "glaze": "blue", "height": 9, "rev": 7}', other).next_look()
    assert look is not None
    assert look.there["pot"] == "5"


def test_the_version_that_is_sent_back_and_has_moved_on() -> None:
    assert around("{}", '{"pot": 5, "glaze": "blue", "height": 9, "rev": 7}').moved_on() == ("6", "7")
    assert around("{}", '{"pot": 5, "glaze": "blue", "height": 9, "rev": 6}').moved_on() is None


def test_a_number_that_only_repeats_what_was_sent() -> None:
    later = '{"pot": 5, "glaze": "blue", "height": 9, "rev": 6}'
    assert around('{"height": 8}', later).only_repeats("8")
    assert not around('{"height": 8, "there": 8}', later).only_repeats("8")
    assert not around('{"there": 8}', later).only_repeats("8")
