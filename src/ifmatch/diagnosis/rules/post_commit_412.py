"""Detect `post-commit-412`: the server stored the write and answered 412 all the same."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.commands_done import changed_at
from ifmatch.diagnosis.facts.same_by_chance import carried_out, little, there_before
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.losses.counts import counts_along
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import holds, same_content
from ifmatch.diagnosis.rules.intermediary_replay import PATIENCE, waited_before
from ifmatch.diagnosis.steps.resources import parent_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "post-commit-412"
_QUICK = 0.25
# Seconds by which a date, being cut to the second, may lie before the moment that it names.
_TICK = 1.2
# So many own requests on either side are looked at for what became of others.
_NEAR = 40
# Seconds after a look within which another seldom creates the very same.
_JUST = 5.0
# Seconds between the moments at which many do what is due.
_MINUTE = 60


def created(facts: Facts) -> bool:
    """Tell whether a refused create is stored although the client itself had just found nothing there.

    So little content that another may have created the same does not tell.

    Args:
        facts: of the refused request.
    """
    guard, own = facts.guard, facts.own(facts.earlier)
    if guard is None or guard.guard is not Guard.ABSENT or not own or facts.foreign_writes:
        return False
    looked = own[-1]
    missing = looked.finds_nothing
    soon = not looked.timed or facts.step.start - looked.end < _JUST
    return missing and soon and facts.ours_is_there is True and not facts.ours_by_chance


def _moved_by_date(facts: Facts) -> bool:
    """Tell whether a version of the very time of the request is there after it was refused by a date.

    What is dated earlier was there before the request came, whoever had written it.

    Args:
        facts: of the refused request.
    """
    sent, refresh = facts.sent_date, facts.refresh
    if sent is None or refresh is None or not any(date == sent for date, _ in facts.served_dates):
        return False
    modified, step = refresh.last_modified, facts.step
    if modified is None or modified <= sent or not (step.timed or step.date is not None):
        return False
    took = step.end - step.start
    came = step.date - took if step.date is not None else step.start
    return came - _TICK <= modified <= came + took + _TICK


def _made_by_it(facts: Facts) -> bool:
    """Tell whether what is there was made in the very second of the refusal, by the service's clock alone.

    Whoever else had written the same would have had to do it in that second, after a read of an older state.
    A long wait leaves room for another, and so does a clock that both go by: what is due at a full minute.

    Args:
        facts: of a refused request whose content the next read shows.

    Source: RFC 9110 sections 6.6.1 (Date) and 8.8.2 (Last-Modified).
    """
    step, refresh, source = facts.step, facts.refresh, facts.source
    if refresh is None or step.date is None or not step.timed or step.end - step.start > _QUICK:
        return False
    read = source if source is not None else next(reversed(facts.own_reads_before), None)
    made = refresh.last_modified if refresh.last_modified is not None else changed_at(facts)
    if made is None or int(made) != int(step.date) or int(made) % _MINUTE == 0:
        return False
    return read is not None and read.date is not None and read.date < int(made)


def _stored_again(facts: Facts) -> Step | None:
    """Return another refused write of the client whose own content the next read shows, None without one.

    Once may be another's doing; twice in a row nobody hits on the same, unless both count.

    Args:
        facts: of a refused request.
    """
    own = facts.own(facts.history)
    for before, write, after in zip(own, own[1:], own[2:], strict=False):
        if write is facts.step or not (before.read_ok and write.refused and after.read_ok):
            continue
        if write.status != facts.step.status or same_content(write.body, facts.step.body):
            continue
        if counts_along(own, write, before.representation):
            continue
        if holds(after.representation, write.body) and not holds(before.representation, write.body):
            return write
    return None


def _stored_beside(facts: Facts) -> Step | None:
    """Return a refused write of the client beside this one whose own content the next read shows, else None.

    Args:
        facts: of a refused request.
    """
    step = facts.step
    own = facts.own(facts.case.steps) if not facts.ours_by_chance else []
    place = bisect_left(own, step.order, key=lambda one: one.order)
    for write in own[max(0, place - _NEAR) : place + _NEAR]:
        if not (write.refused and write.is_write and write.status == step.status) or write.body is None:
            continue
        if write.resource == step.resource or parent_of(write.resource) != parent_of(step.resource):
            continue
        mine = facts.own(facts.case.history_of(write.resource))
        before = next((one for one in reversed(mine) if one.read_ok and one.order < write.order), None)
        after = next((one for one in mine if one.order > write.order), None)
        if before is None or after is None or not after.read_ok:
            continue
        if holds(after.representation, write.body) and not holds(before.representation, write.body):
            return write
    return None


def _removed(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a refused removal of what was there just before, and is gone, by nobody else."""
    step, source, refresh = facts.step, facts.source, facts.refresh
    if step.method != "DELETE" or not facts.refused or source is None or refresh is None:
        return
    if not refresh.finds_nothing or not (source.read_ok and step.timed):
        return
    soon = step.start - source.end < _JUST and refresh.start - step.end < _JUST
    others = [one for one in facts.history if one.is_write and one is not step and not one.refused]
    once = len(step.hops) == 1 and step.hops[0].status == step.status
    if soon and once and step.covered and not others:
        text = "what was there just before is gone after the refusal, and the origin saw no other removal"
        yield note(text, 6.5, refresh)


def _by_another(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence that another had written just the same before, whatever the files hold of it."""
    if there_before(facts):
        yield note("what is there was made before the request was sent", -5.0, facts.refresh, "Last-Modified")
    other = carried_out(facts)
    if other is not None:
        text = "another guarded write was taken: the service compares before it stores"
        yield note(text, -2.0, other)


def _stored(facts: Facts, text: str) -> Iterator[Evidence]:
    """Yield evidence from what is there, and from when it was made."""
    hidden = not facts.step.hops
    if hidden:
        yield from _by_another(facts)
    made = _made_by_it(facts)
    yield note(text, 1.6 if hidden and not made and little(facts) else 2.5, facts.refresh)
    if made:
        yield note("it was made in the very second of this request, and not before", 1.5, facts.refresh)


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a first attempt that was refused and is stored.

    Source: RFC 9110 section 13.1.1 (the method is not performed when the condition is false).
    """
    step = facts.step
    yield from _removed(facts)
    if not facts.refused or not step.is_write or facts.guard is None:
        return
    if len(step.hops) > 1 or not (facts.ours_is_there or facts.proof is not None):
        return
    if (
        facts.unanswered_own is not None
        or facts.overlapping_own
        or facts.unordered_own
        or facts.foreign_writes
        or any(one.accepted and same_content(one.body, step.body) for one in facts.own(facts.earlier))
        or not (facts.proof is not None or facts.state_moved or created(facts) or _moved_by_date(facts))
    ):
        return
    text = "the resource holds what this very request carried, and it was the first attempt"
    proof = facts.proof
    again = _stored_again(facts) or _stored_beside(facts)
    if again is not None and not step.hops:
        yield note("another refused request of the client was stored just so", 2.5, again)
        if proof is None:
            yield note(text, 2.5, facts.refresh)
            return
    first = facts.stored_first
    if first is not None:
        yield note("the service's own account has it stored first, and compared only then", 6.0, first)
    if proof is not None:
        yield note(f"{proof.text}, and it was the first attempt", proof.weight, proof.step)
    elif facts.ours_by_chance and not step.hops:
        yield note(text + "; it is so little that another may have written the same", 0.8, facts.refresh)
        return
    else:
        yield from _stored(facts, text)
    if waited_before(facts) is not None:
        yield note("the origin got it late: another node may have stored it before", 0.5, step.hops[0])
    elif len(step.hops) == 1:
        yield note("the origin saw it once and refused it, yet stored it", 4.0, step.hops[0])
    told = facts.counted
    if told is not None and told.times == 1:
        text = f"the service counted one request for it ({told.name}): it refused what it had stored"
        yield note(text, 3.0, told.step, told.name)
    if step.timed and step.end - step.start < _QUICK:
        yield note("the answer came at once: no time for a proxy to try twice", 1.5, step)
    if not step.cache_marked:
        soon = proof is not None and step.timed and step.end - step.start < PATIENCE
        yield note("nothing shows a proxy on the way", 0.8 if soon else 0.3, step)
