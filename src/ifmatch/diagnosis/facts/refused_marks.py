"""Find requests that were refused over a mark past its time, whatever the answer calls it.

A feed gives a mark with each answer, from which the next request goes on. Where young ones pass, this one was
older when it came, and one that was given out afterwards passes again, the mark is what has lapsed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.habits.lapsed_marks import beside_list, is_mark, kept_for, words_of_lapse
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.reading.sent_rows import Row
    from ifmatch.diagnosis.steps.step import Step

# That something is not there any more; the others mean much else besides.
_GONE: Final = 410
_REFUSALS: Final = frozenset({400, 401, 403, 404, 406, 408, 409, 410, 412, 416, 417, 419, 422, 440, 498})
_NEAR: Final = 60
_LONGEST: Final = 20_000
# Clocks and the way take so long.
_SLACK: Final = 0.05


class RefusedMark(Frozen, frozen=True):
    """A mark that came too late.

    Attributes:
        name: where the request has it.
        value: as sent.
        giver: the answer that had given it out.
        elapsed: seconds since then; 0.0 where no times are known.
        kept: for how many seconds it holds, None where nothing tells.
        said: words of the answer about it, "" without.
        oldest: how old the oldest one was that passed, in seconds; None when none did.
        fresh: the request of the kind that passed afterwards with a new mark, None without one.
    """

    name: str
    value: str
    giver: Step
    elapsed: float
    kept: float | None
    said: str
    oldest: float | None
    fresh: Step | None


def refused_mark(case: Case, step: Step) -> RefusedMark | None:
    """Return the mark past its time over which a request was refused, None where it is not over one.

    Args:
        case: everything known.
        step: a request of any status.
    """
    if step.status not in _REFUSALS or step.conditions or len(step.view.text) > _LONGEST:
        return None
    marks = [
        (one.name, one.value)
        for one in sent(step)
        if one.where in {"query", "body", "header"} and is_mark(one.value)
    ]
    gathered = case.gathered(step.actor) if marks else None
    for name, value in marks:
        giver = gathered.first_giving(value) if gathered is not None else None
        if giver is None or giver.order >= step.order or not 200 <= giver.status < 300:
            continue
        found = _judged(case, step, (name, value), giver)
        if found is not None:
            return found
    return None


def _judged(case: Case, step: Step, mark: tuple[str, str], giver: Step) -> RefusedMark | None:
    """Return what tells that a mark was past its time, None where that is not certain."""
    name, value = mark
    called = _called(giver, value)
    alike = list(_alike(case, step, name))
    if not called or any(theirs == value for _, theirs in alike):
        # What had passed once with the mark did not fail over its age.
        return None
    gathered = case.gathered(step.actor)
    ages: list[float] = []
    fresh: Step | None = None
    for one, theirs in alike:
        gave = gathered.first_giving(theirs)
        if not _goes_on(one, theirs, called):
            continue
        if gave is not None and gave.order < one.order and one.timed and gave.timed:
            ages.append(one.start - gave.end)
        if fresh is None and gave is not None and step.order < gave.order < one.order:
            fresh = one
    elapsed = step.start - giver.end if step.timed and giver.timed else 0.0
    told = beside_list(step)
    said = words_of_lapse(told, {value: value})
    kept = kept_for({**beside_list(giver), **told}, said)
    found = RefusedMark(name, value, giver, elapsed, kept, said, max(ages, default=None), fresh)
    return found if _certain(step, found) else None


def _certain(step: Step, found: RefusedMark) -> bool:
    if found.kept is not None and found.elapsed + _SLACK < found.kept:
        return False
    over = found.kept is not None and found.elapsed > found.kept
    older = found.oldest is not None and found.elapsed > found.oldest + _SLACK
    if found.fresh is None and not older:
        return False
    if step.status == _GONE:
        return older or found.elapsed == 0.0 or over
    return over or bool(found.said and older)


def _alike(case: Case, step: Step, name: str) -> Iterator[tuple[Step, str]]:
    """Yield the requests nearby that asked the same in the same place and passed, with their marks."""
    place = step.resource.partition("?")[0]
    for one in case.steps[max(0, step.order - _NEAR) : step.order + _NEAR]:
        if one is step or one.actor != step.actor or one.method != step.method:
            continue
        if not 200 <= one.status < 300 or one.resource.partition("?")[0] != place:
            continue
        yield from ((one, each.value) for each in sent(one) if each.name == name and is_mark(each.value))


def _called(giver: Step, value: str) -> frozenset[str]:
    """Return the names of the members that have a mark in the answer which gives it out, beside its list."""
    return frozenset(_word(name) for name, held in beside_list(giver).items() if value in held)


def _goes_on(step: Step, mark: str, called: frozenset[str]) -> bool:
    """Tell whether an answer gives out another mark where an earlier one stood: it is no name of a thing."""
    told: Row = beside_list(step)
    return any(_word(name) in called and held and mark not in held for name, held in told.items())


def _word(name: str) -> str:
    return name.rpartition("/")[2].lower()
