"""Decide whether a write was carried out, from all that was seen of it: the one place that does.

A success is carried out unless something denies it, heaviest first: a refusal in the words of its API,
errors in the place of a result, what its answer or a report tells of another version, later looks that show
nothing of it, a page that gives the form again, words. What gives out a version of its own making was
carried out, whatever else it says, but for looks that show nothing of it. What holds all that was sent
denies nothing by its words.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.contents import holds
from ifmatch.diagnosis.reading.pages import is_page
from ifmatch.diagnosis.steps.conflict_codes import conflict_coded
from ifmatch.diagnosis.steps.left_undone import left_undone, sent_rows
from ifmatch.diagnosis.steps.outcomes import failed_inside
from ifmatch.diagnosis.steps.refusal_words import denied_by_page, names_commands, repeats_but_one, says_undone
from ifmatch.model.slotted import Frozen, Slotted

if TYPE_CHECKING:
    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 4000
_TAKEN_IN: Final = 202


class Outcome(StrEnum):
    """What became of a write."""

    DONE = "carried out"
    NOT_DONE = "not carried out"
    PARTLY = "carried out in part"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """What shows that a write was not carried out, or not wholly."""

    STATUS = "its status is no success"
    REFUSED = "its API refuses by a precondition under a success"
    FAULT = "errors stand in the place of a result"
    OUTDATED = "another version than the one that it was made from is told, and all is as before"
    NO_TRACE = "a later look shows nothing of it"
    PAGE = "a page gives the form again, or says that nothing was saved"
    WORDS = "its answer says so"
    ROWS = "what is told of a row of it says so"


class Seen(Slotted):
    """What was seen of a write beside its own answer, gathered while a case is put together.

    Attributes:
        outdated: the step that tells, in whatever words, that it came to nothing over its version.
        no_trace: the later look that shows nothing of it, where a success answers it.
        report: the later look that told that it came to nothing, where its own answer only took it in.
        account_at: the last look at the report about it.
        account: what that tells of it.
    """

    outdated: Step | None = None
    no_trace: Step | None = None
    report: Step | None = None
    account_at: Step | None = None
    account: str = ""


class Denial(Frozen, frozen=True):
    """What denies that a write was carried out.

    Attributes:
        reason: of what kind it is.
        proofs: the steps that show it.
        code: of a conflict or a false precondition, where its answer has one for what went wrong.
    """

    reason: Reason
    proofs: tuple[Step, ...]
    code: str = ""


class Decision(Frozen, frozen=True):
    """What became of a write, and what shows it where it was not, or not wholly, carried out.

    Attributes:
        outcome: what became of it.
        denial: what shows so; None where nothing is denied.
    """

    outcome: Outcome
    denial: Denial | None = None

    @property
    def whole(self) -> bool:
        """Tell whether nothing of the write is known to be undone."""
        return self.outcome not in {Outcome.NOT_DONE, Outcome.PARTLY}


def decide(step: Step) -> Decision:
    """Return what became of a write.

    Args:
        step: a write.
    """
    if not succeeded(step):
        if step.unanswered:
            return Decision(Outcome.UNKNOWN)
        return Decision(Outcome.NOT_DONE, Denial(Reason.STATUS, (step,)))
    denial = denial_of(step)
    if denial is not None:
        return Decision(Outcome.NOT_DONE, denial)
    if lefts := left_undone(step):
        outcome = Outcome.NOT_DONE if len(lefts) >= len(sent_rows(step)) else Outcome.PARTLY
        return Decision(outcome, Denial(Reason.ROWS, tuple({one.seen: None for one in lefts})))
    waits = step.status == _TAKEN_IN and step.seen.account_at is None
    return Decision(Outcome.UNKNOWN if waits else Outcome.DONE)


def succeeded(step: Step) -> bool:
    """Tell whether a write was answered with success, whatever else is told of it.

    Args:
        step: a write.
    """
    return 200 <= step.status < 300 or step.posted


def denial_of(step: Step) -> Denial | None:
    """Return what denies that a write with a success was carried out, None where nothing does.

    Args:
        step: a write, its dialect set.
    """
    if step.denied:
        # What the refusal was read from tells more.
        return step.denial or Denial(Reason.REFUSED, (step,))
    if failed_inside(step):
        return Denial(Reason.FAULT, (step,))
    if step.seen.no_trace is None and _gives_version(step):
        return None
    return step.denial


def _gives_version(step: Step) -> bool:
    """Tell whether an answer gives out another version than the one that was sent."""
    tag, guard = step.header("etag"), step.guard
    return tag is not None and (guard is None or tag not in guard.tokens)


def denial_told(step: Step) -> Denial | None:
    """Return what its answer, a report or a later look has against a write, whatever version it gives out.

    What holds all that was sent denies nothing by its words: a task may have a member `done`.

    Args:
        step: the write.
    """
    seen, content = step.seen, step.content
    if seen.outdated is not None:
        return Denial(Reason.OUTDATED, (seen.outdated,))
    unseen = Denial(Reason.NO_TRACE, (seen.no_trace,)) if seen.no_trace is not None else None
    if not 200 <= step.status < 300 or content is None or len(content) > _LONGEST:
        return unseen
    code = conflict_coded(step)
    if is_page(content.text):
        return Denial(Reason.PAGE, (step,), code) if denied_by_page(content.text) else None
    if holds(content, step.body):
        return None
    if unseen is not None:
        # Where no later look shows anything of it, no word is needed.
        return None if repeats_but_one(step) else Denial(unseen.reason, unseen.proofs, code)
    told = says_undone(step.view.text) and not repeats_but_one(step) and not names_commands(step)
    return Denial(Reason.WORDS, (step,), code) if told or code else None
