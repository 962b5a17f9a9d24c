"""Whether a write was carried out: each kind of evidence, and which one overrules which."""

from __future__ import annotations

import pytest
from stories_reader import Story

from ifmatch.diagnosis.case.reconstruction import build
from ifmatch.diagnosis.steps.carried_out import Outcome, Reason, decide

READ = 'A 0 GET https://a.example/pots/5 => 200 ; ETag: "1" | {"pot": 5, "glaze": "blue", "height": 9}'
PUT = 'A 5 PUT https://a.example/pots/5 ; If-Match: "1" | {"pot": 5, "glaze": "red", "height": 9} => '
AS_BEFORE = READ.replace("A 0", "A 9")
SENT = '{"pot": 5, "glaze": "red", "height": 9}'


def decided(*lines):
    """Return what became of the first write of some lines of a story, and its steps."""
    steps = build(Story("", "", {"alone": "none"}, list(lines)).captures("alone")).steps
    return decide(next(step for step in steps if step.is_write)), steps


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        ('200 ; ETag: "2"', Outcome.DONE, None),
        ("204", Outcome.DONE, None),
        ("412", Outcome.NOT_DONE, Reason.STATUS),
        ("503", Outcome.UNKNOWN, None),
        ("-", Outcome.UNKNOWN, None),
        ("202", Outcome.UNKNOWN, None),
        ('200 | {"saved": false}', Outcome.NOT_DONE, Reason.WORDS),
        # What holds all that was sent has no words against it.
        (f'200 | {{"saved": false, {SENT[1:]}', Outcome.DONE, None),
        # Nor has what gives out a version of its own making.
        ('200 ; ETag: "2" | {"saved": false}', Outcome.DONE, None),
        ('200 ; ETag: "1" | {"saved": false}', Outcome.NOT_DONE, Reason.WORDS),
    ],
)
def test_what_an_answer_says(answer, outcome, reason) -> None:
    decision, steps = decided(READ, PUT + answer)
    assert decision.outcome is outcome
    assert (decision.denial.reason if decision.denial is not None else None) is reason
    assert decision.denial is None or decision.denial.proofs == (steps[1],)
    assert decision.whole is (outcome is not Outcome.NOT_DONE)


def test_no_trace_in_a_later_look_needs_no_word_and_is_the_proof() -> None:
    decision, steps = decided(READ, PUT + "204", AS_BEFORE)
    assert decision.outcome is Outcome.NOT_DONE
    assert decision.denial is not None
    assert decision.denial.reason is Reason.NO_TRACE
    assert decision.denial.proofs == (steps[2],)


def test_what_is_shown_as_it_was_sent_was_carried_out() -> None:
    decision, _ = decided(READ, PUT + "204", f'A 9 GET https://a.example/pots/5 => 200 ; ETag: "2" | {SENT}')
    assert decision.outcome is Outcome.DONE


def test_another_version_beside_the_one_that_was_sent_and_all_as_before() -> None:
    read = 'A 0 GET https://a.example/pots/5 => 200 | {"pot": 5, "glaze": "blue", "height": 9, "rev": 6}'
    later = 'A 9 GET https://a.example/pots/5 => 200 | {"pot": 5, "glaze": "blue", "height": 7, "rev": 8}'
    put = 'A 5 PUT https://a.example/pots/5 | {"pot": 5, "glaze": "red", "height": 9, "rev": 6} => 200 | '
    decision, steps = decided(read, put + '{"yours": 6, "there": 8}', later)
    assert decision.outcome is Outcome.NOT_DONE
    assert decision.denial is not None
    assert decision.denial.reason is Reason.OUTDATED
    assert decision.denial.proofs == (steps[2],)


def test_some_rows_of_several_are_told_apart() -> None:
    decision, steps = decided(
        'A 5 POST https://a.example/batch | [{"pot": "p-51", "glaze": "a"}, {"pot": "p-52", "glaze": "b"}]'
        ' => 200 | [{"pot": "p-51", "status": 200}, {"pot": "p-52", "status": 404}]'
    )
    assert decision.outcome is Outcome.PARTLY
    assert not decision.whole
    assert decision.denial is not None
    assert decision.denial.reason is Reason.ROWS
    assert decision.denial.proofs == (steps[0],)
