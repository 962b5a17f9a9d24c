"""Tell whether a count that went on by two left out a number that another thing was given.

Stores with one count for all that they hold (Consul's index, etcd's revision, a sequence of a database, a
library's version) number every change of anything: what is left out between two numbers of one thing is
no change of that thing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import back_from
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.losses.counts import ONE_BETWEEN, numbers, own_before, went_on
from ifmatch.diagnosis.losses.entries_gone import listed_since
from ifmatch.diagnosis.losses.own_acts import acted_between
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, unwrapped, value_at
from ifmatch.diagnosis.reading.listed_records import records_in
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.dialects import tokens_in
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

# So many steps before and after a write another thing may show its number.
_NEAR: Final = 40
# Smaller numbers of two things meet by chance.
_LITTLE: Final = 10
# So often things overtake each other's numbers by chance.
_BY_CHANCE: Final = 1
_LONGEST: Final = 50_000


def met_one(case: Case, before: Step, write: Step) -> bool:
    """Tell whether a count went on by two over one write, and nothing else explains the number left out.

    Args:
        case: everything known.
        before: the actor's last look at the thing, or write on it.
        write: accepted, later.
    """
    return (
        went_on(before, write) == ONE_BETWEEN
        and acted_between(case, before, write) is None
        and not _given_elsewhere(case, write)
    )


def skipped(case: Case, history: History, step: Step) -> Damage | None:
    """Find a write under no guard, or a word for none, whose count goes on by two since its actor looked.

    Some services have one count for all that they hold, so that this proves nothing: it is a hint.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write.
    """
    guard = step.guard
    if guard is not None and not (guard.tokens and tokens.null_word(guard.tokens[0])):
        return None
    if not (step.puts or guard is not None) or len(history.asking) > 1:
        return None
    if step.dialect is not None and not step.dialect.general and not tokens_in(step.view, step.dialect):
        # What goes on is no version of this thing, as its family has them, but of all that the store holds.
        return None
    before = own_before(history, step)
    if before is None or before.content is None or not met_one(case, before, step):
        return None
    if _had_from_a_list(case, before, step):
        return None
    own = history.by_actor.get(step.actor, ())
    made = next((one for one in back_from(own, before.order) if one.changes), None)
    if made is not None and before.is_read and went_on(before, made) > 0:
        # The look was behind the client's own write, which had come to that count.
        return None
    text = "the count went on by two over one write: another write lay between this and the read before"
    return Damage(Outcome.LOST_UPDATE, text, lost=before, proven=False)


def _had_from_a_list(case: Case, before: Step, write: Step) -> bool:
    """Tell whether a write goes on from what a list had shown changed since the look: it was seen."""
    if before.representation is None or write.body is None:
        return False
    for _, entry in listed_since(case, before, write):
        old, now = (unwrapped(one, write.body) for one in (before.representation, entry))
        moved = [
            one
            for one in changed_pointers(old, now) or ()
            if one and not stamped(one) and not called_version(one.rpartition("/")[2])
        ]
        if moved and all(value_at(write.body, one) not in (ABSENT, value_at(old, one)) for one in moved):
            return True
    return False


def _given_elsewhere(case: Case, write: Step) -> bool:
    """Tell whether the number that was left out is another thing's, or things share one count."""
    near = case.steps[max(0, write.order - _NEAR) : write.order + _NEAR]
    host = host_of(write.resource)
    beside = [one for one in near if host_of(one.resource) == host]
    mine = {name: value - 1 for name, value in numbers(write).items() if value - 1 > _LITTLE}
    if any(_shows_other(one, write, mine) for one in beside):
        return True
    return any(_overtaken(beside, name) for name in mine)


def _shows_other(one: Step, write: Step, left_out: dict[str, int]) -> bool:
    """Tell whether an answer is about another thing that has a number, or lists one that has it."""
    if one.resource == write.resource or not (one.read_ok or one.accepted):
        return False
    if "etag" in left_out and one.etag is not None and numbers(one).get("etag") == left_out["etag"]:
        return True
    texts = {str(value) for value in left_out.values()}
    content = one.content
    if content is None or len(content) > _LONGEST or not any(text in content.text for text in texts):
        return False
    rows = records_in(content.text)
    if len(rows) < ONE_BETWEEN:
        shown = numbers(one)
        return any(shown.get(name) == value for name, value in left_out.items())
    # What a list calls its things by, it has for this one as well: a row without it may be of this one.
    name = own_name(write)
    named = [any(said == name or said.endswith(f"/{name}") for said in row.values()) for row in rows]
    return any(named) and any(
        not own
        and any(said in texts and called_version(word.rpartition("/")[2]) for word, said in row.items())
        for own, row in zip(named, rows, strict=True)
    )


def _overtaken(steps: list[Step], name: str) -> bool:
    """Tell whether each number is given once, and things overtake each other's numbers again and again.

    Args:
        steps: at one host, in order of time.
        name: of the member, or `etag`.
    """
    last: dict[str, int] = {}
    leaps = 0
    for resource, value in _given(steps, name):
        others = [number for there, number in last.items() if there != resource]
        if value in others:
            return False
        before = last.get(resource)
        if before is not None and value != before and others:
            if value < max(others):
                return False
            leaps += before < max(others)
        last[resource] = value
    return leaps > _BY_CHANCE


def _given(steps: list[Step], name: str) -> Iterator[tuple[str, int]]:
    """Yield the numbers that things showed, or were given, in order of time."""
    for one in steps:
        if not (one.read_ok or one.accepted):
            continue
        content = one.content
        if content is not None and len(records_in(content.text)) >= ONE_BETWEEN:
            continue
        value = numbers(one).get(name)
        if value is not None and value > _LITTLE:
            yield one.resource, value
