"""Tell what changed two things in one way, each right after the client's own write: the service does that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ifmatch.diagnosis.links.in_time import on_from
from ifmatch.diagnosis.reading.contents import changed_pointers, value_at
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.resources import host_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

# So many steps away other things are looked at, and so long a text is at most.
_NEAR: Final = 60
_LONGEST: Final = 100_000
# A shorter text is met twice by chance.
_TELLING: Final = 8
# Seconds within which a service goes on from a write, and by how many two such times differ.
_SOON: Final = 10.0
_APART: Final = 2.0


class Alike(NamedTuple):
    """A change that was made to another thing as well.

    Attributes:
        read: of the other thing.
        added: the text that both have now.
    """

    read: Step
    added: str


def changed_alike(facts: Facts) -> Alike | None:
    """Return the look at another thing that got the same new text after the client's own write on it.

    Another person may change both alike, though hardly as soon after each of the client's writes.

    Args:
        facts: of a refused request.
    """
    write, read, step = facts.after_own_write, facts.refresh, facts.step
    if write is None or read is None:
        return None
    new = _added(facts.base_content, facts.current_content)
    waited = _waited(write, read)
    if not new or waited is None:
        return None
    case, host = facts.case, host_of(step.resource)
    for other in case.steps[max(0, step.order - _NEAR) : step.order + _NEAR]:
        if not (other.changes and other.body) or other.actor != step.actor:
            continue
        if other.resource == step.resource or host_of(other.resource) != host:
            continue
        shown = _next_change(other, case.history_of(other.resource))
        if shown is None:
            continue
        while_there = _waited(other, shown)
        both = new & _added(other.body, shown.representation)
        if both and while_there is not None and abs(while_there - waited) <= _APART:
            return Alike(shown, max(sorted(both), key=len))
    return None


def _next_change(write: Step, history: Sequence[Step]) -> Step | None:
    """Return the next own look that shows more than a write had left, None after another write."""
    for one in on_from(history, write.order):
        if one.changes:
            return None
        shown = one.representation if one.actor == write.actor and one.etag != write.etag else None
        if shown is not None and _added(write.body, shown):
            return one
    return None


def _waited(write: Step, read: Step) -> float | None:
    """Return how long after a write the thing changed, in seconds; None where that was not soon."""
    if read.last_modified is not None and write.date is not None:
        waited = read.last_modified - write.date
    else:
        begin, end = write.exchange.started, read.exchange.started
        if begin is None or end is None:
            return None
        waited = end - begin
    return waited if -1 <= waited <= _SOON else None


def _added(before: Content | None, now: Content | None) -> frozenset[str]:
    """Return the lines, or the values with their places, that a state has and the one before has not."""
    if before is None or now is None or max(len(before), len(now)) > _LONGEST:
        return frozenset()
    pointers = changed_pointers(before, now)
    if pointers is None:
        old, new = ({line.strip() for line in one.text.splitlines()} for one in (before, now))
        return frozenset(line for line in new - old if len(line) >= _TELLING)
    values = {one: value_at(now, one) for one in pointers if one and not stamped(one)}
    return frozenset(
        f"{one} {value}" for one, value in values.items() if isinstance(value, str) and len(value) >= _TELLING
    )
