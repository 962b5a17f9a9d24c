"""Prove from a later state, or from the service's own account, whose change it is that refused a request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.facts.own_names import names_of, signed_since
from ifmatch.diagnosis.links.own_marks import marks_of, only_there, shown_in, shown_text, values_shown
from ifmatch.diagnosis.losses.told_changes import account_of, known_as
from ifmatch.diagnosis.reading.dates import shown
from ifmatch.diagnosis.reading.editors import PROGRAM, SYSTEM, changed_by_application
from ifmatch.diagnosis.reading.listed_records import leaves_of
from ifmatch.diagnosis.steps.resources import bare
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.losses.told_changes import Change
    from ifmatch.diagnosis.reading.listed_records import Record
    from ifmatch.diagnosis.steps.step import Step

# So many steps before and after a request are looked at for accounts.
_NEAR: Final = 80
# Seconds by which a time of the service may lie beside a request.
_BESIDE: Final = 0.6
_SURE: Final = 6.0
_LIKELY: Final = 3.5
_TIMED: Final = 4.0
# Shorter values say nothing of who sent them.
_NAME: Final = 3
# What is called so tells of the last write, not of the answer that it comes with.
_OF_WRITE: Final = late_pattern(
    r"(?:^|[-_/])(?:last|latest|prev|previous|modified|updated|changed|edited|written|saved|stored|committed|applied"
    r"|created|x-[a-z]+-meta)(?:[-_/]|$)",
    re.IGNORECASE,
)


class Proof(Frozen, frozen=True):
    """Whose change it was, and what shows it.

    Attributes:
        text: one sentence.
        weight: of it, as evidence has it.
        step: where it stands.
    """

    text: str
    weight: float
    step: Step


def proven(facts: Facts, attempt: Step) -> Proof | None:
    """Return what proves that the present state was made by an attempt itself, None without proof.

    Args:
        facts: of a refused request.
        attempt: this request, or an earlier one with the same intent.
    """
    marks = facts.marks if attempt is facts.step else marks_of(attempt)
    same = (*facts.attempts, attempt)
    before = facts.base if facts.base is not None and facts.base.order < attempt.order else None
    old = values_shown(before) if before is not None else {}
    whole = _whole(facts) if marks else None
    if whole is not None:
        old = {**values_shown(whole), **old}
    for one in (*facts.later, *_later_of(facts, whole)) if marks else ():
        if one.read_ok and any(mark.value in shown_text(one) for mark in marks):
            if _as_before(facts, one, before):
                # A service may note whom it turned down, too.
                continue
            mark = shown_in(marks, _of_state(one, attempt), old)
            if mark is not None and only_there(mark, attempt, facts.case.steps, same):
                text = f"the state now names {mark.value}, which this very request was called by"
                return Proof(text, _SURE if mark.sure else _LIKELY, one)
    entries = [one for one in facts.account if one.listing.order > attempt.order]
    for number, entry in enumerate(entries) if marks else ():
        rest = entries[number + 1 : number + 2] or entries[number - 1 : number]
        mark = shown_in(marks, _not_given(entry.record, attempt), rest[0].record if rest else {})
        if mark is not None and only_there(mark, attempt, facts.case.steps, same):
            text = (
                f"the service's own list of changes has {mark.value}, which this very request was called by"
            )
            return Proof(text, _SURE if mark.sure else _LIKELY, entry.listing)
    signed = signed_since(facts, attempt)
    if signed is not None:
        return Proof(signed[1], _LIKELY, signed[0])
    return _timed(facts, attempt, entries)


def _as_before(facts: Facts, look: Step, before: Step | None) -> bool:
    """Tell whether a later look at the target shows the version that was there before the attempt."""
    if look.etag is None or look.resource != facts.step.resource:
        return False
    damaged = facts.damaged_from
    # Wherever it was seen, a version that the client sent, if damaged, was there before.
    known = (before, damaged[0] if damaged is not None else None)
    return any(one is not None and one.etag == look.etag for one in known)


def _of_state(look: Step, attempt: Step) -> Record:
    """Return the values that a later look shows, but for those that only say what answers are called.

    What the service gave the refusal, under the same name, may be for all of a visit.
    """
    return _not_given(values_shown(look), attempt)


def _not_given(shown: Record, attempt: Step) -> Record:
    """Return the values of a record that the answer to an attempt does not have under the same name."""
    sent = {value.strip() for _, value in attempt.sent}
    given = {
        (_place(name), value)
        for name, value in values_shown(attempt).items()
        if value not in sent and value not in attempt.view.sent_text and not _of_write(name)
    }
    return {name: value for name, value in shown.items() if (_place(name), value) not in given}


def _place(name: str) -> str:
    """Return the last two steps of a pointer: a refusal may have the envelope of answers inside its own."""
    steps = name.rsplit("/", 2)
    return "/".join(steps[1:]) if len(steps) > 2 and steps[0] else name.removeprefix("/")


def _of_write(name: str) -> bool:
    """Tell whether a field or a member is called after the last write, and not after its answer."""
    return _OF_WRITE.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)) is not None


def _whole(facts: Facts) -> Step | None:
    """Return the read of the whole, of which the target is a part, that gave out the token of the request."""
    gave = facts.elsewhere
    if gave is None or not gave.read_ok or gave.actor != facts.step.actor:
        return None
    here, there = (bare(one.resource) for one in (facts.step, gave))
    return gave if here.startswith(f"{there}/") else None


def _later_of(facts: Facts, whole: Step | None) -> Iterator[Step]:
    """Yield the later looks of the same actor at the whole that its target is a part of."""
    if whole is not None:
        near = facts.case.steps[facts.step.order + 1 : facts.step.order + _NEAR]
        yield from (one for one in facts.own(near) if one.resource == whole.resource)


def _timed(facts: Facts, attempt: Step, entries: Sequence[Change]) -> Proof | None:
    """Return an entry by a name that the attempt carried, of the time in which it was under way."""
    names = _said_by(attempt)
    done = [one for one in facts.own(facts.history) if one.accepted and one is not attempt]
    for one in entries:
        if any(_within(facts, write, one.when) for write in done):
            # That is another write of the client's own.
            continue
        if one.who in names and _within(facts, attempt, one.when):
            text = f"the service's own list of changes has one by {one.who} while this request was under way"
            return Proof(text, _TIMED, one.listing)
    return None


def _said_by(step: Step) -> set[str]:
    """Return the values of a request by which it may say who sends it."""
    content = {value for _, value in leaves_of(step.view.sent_text) if len(value) >= _NAME}
    return content | names_of(step)


def _within(facts: Facts, attempt: Step, moment: float | None) -> bool:
    if moment is None or not attempt.timed:
        return False
    skew = facts.client_skew or 0.0
    return attempt.start - skew - _BESIDE <= moment <= attempt.end - skew + _BESIDE


def account_in(facts: Facts) -> tuple[Change, ...]:
    """Return what answers to the same actor tell of changes of the resource.

    Args:
        facts: of a request.
    """
    step = facts.step
    listings = facts.case.gathered(step.actor).listings_near(step, _NEAR)
    return tuple(account_of(step, listings, known_as((facts.token, facts.current_tag))))


def by_others(facts: Facts) -> Iterator[tuple[Change, bool]]:
    """Yield what the service's account has of others between the own look and the refusal.

    Args:
        facts: of a refused request.

    Returns:
        The entry, and whether a program of the service made it.
    """
    base, step = facts.base, facts.step
    if base is None or not (base.timed and step.timed):
        return
    entries = [one for one in facts.account if one.listing.order > step.order]
    skew = facts.client_skew or 0.0
    names = _said_by(step)
    done = _done_since(facts, base)
    marks = {mark.value for mark in facts.marks if mark.sure}
    known = {one.who for one in entries if one.when is not None and one.when <= base.end - skew}
    for one in entries:
        if one.when is None or not one.who or one.who in names:
            continue
        if marks & set(one.record.values()):
            # It names this very request.
            continue
        if not base.start - skew < one.when < step.end - skew + _BESIDE:
            continue
        if SYSTEM.search(one.who) is None and any(_within(facts, write, one.when) for write in done):
            # That is what the client's own write did, told under the name of its user.
            continue
        program = SYSTEM.search(one.who) is not None or PROGRAM.search(one.who) is not None
        program = program or changed_by_application(one.record)
        if program or one.who not in known:
            yield one, program


def _done_since(facts: Facts, base: Step) -> list[Step]:
    """Return the client's own accepted writes on the resource, and on parts of it, since it had looked."""
    here = bare(facts.step.resource)
    return [
        one
        for one in facts.case.steps[base.order : facts.step.order]
        if one.accepted
        and one.is_write
        and one.actor == facts.step.actor
        and f"{one.resource}/".startswith(f"{here}/")
    ]


def told_of(change: Change) -> str:
    """Return an entry of an account as a sentence of evidence.

    Args:
        change: the entry.
    """
    when = f" at {shown(change.when)}" if change.when is not None else ""
    return (
        f"the service's own list of changes has one by {change.who}{when}, between the read and the refusal"
    )
