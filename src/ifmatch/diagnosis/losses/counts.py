"""Follow the counts that contents and tags carry: a write that counts on by two has met another one."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.in_time import back_from
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, scalars, value_at
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

_COUNT = Words(
    r"(?<![A-Za-z])_?(rev|revision|version|lock_?version|serial|versionId|edition)[\"']?\s*[:=]\s*[\"']?(\d{1,9})(?![\w.])"
)
_PLAIN = late_pattern(r"-?\d{1,9}")
_LONGEST = 20_000
# What a count goes on by where one other write lies between.
ONE_BETWEEN = 2
# A number that moves by more at once is set, not counted.
_LITTLE = 10


def _counted(before: Content | None, after: Content | None) -> frozenset[str]:
    """Return the members that hold a number and went on or back by a little, empty when others moved too.

    Args:
        before: content that was read.
        after: content that was written from it, whole or the changed members only.
    """
    moved = {
        pointer: (value_at(before, pointer), value_at(after, pointer))
        for pointer in changed_pointers(before, after) or ()
        if not stamped(pointer)
    }
    found: set[str] = set()
    for pointer, values in moved.items():
        old, new = (_number(one) for one in values)
        if type(old) is int and type(new) is int and 0 < abs(new - old) <= _LITTLE:
            found.add(pointer)
        elif new is not ABSENT:
            return frozenset()
    return frozenset(found)


def _number(value: object) -> object:
    """Return the number that a text is: documents and forms have all values as texts."""
    return int(value) if isinstance(value, str) and _PLAIN.fullmatch(value) else value


def counts_along(own: Sequence[Step], step: Step, base: Content | None) -> bool:
    """Tell whether all that a write changes is a count, and its actor moves that count at other times too.

    Whoever else counts from the same version writes the very same.

    Args:
        own: what one actor did to the resource, in order of time.
        step: one of these, a write.
        base: content of the version that it was made from.
    """
    members = _counted(base, step.body)
    return bool(members) and any(
        write is not step
        and write.accepted
        and write.replaces
        and read.read_ok
        and _counted(read.representation, write.body) == members
        for read, write in pairwise(own)
    )


def _counts(content: Content | None) -> dict[str, int]:
    """Return the counts that a content names, by name; the first of each name counts."""
    found: dict[str, int] = {}
    for name, value in _COUNT.findall(content.text[:_LONGEST]) if content is not None else ():
        found.setdefault(name.lower(), int(value))
    return found


def went_on(before: Step, write: Step) -> int:
    """Return by how much a count went on from a read to a write's answer, 0 where that is not known.

    Args:
        before: what showed the count.
        write: accepted, later.
    """
    first, second = _tag(before), _tag(write)
    if first is not None and second is not None:
        steps = tokens.steps_on(first, second) or tokens.part_steps(first, second)
        if steps and not _as_sent(write, second):
            return steps
    old, new = _counts(before.content), _counts(write.content)
    steps_of = {new[name] - old[name] for name in old.keys() & new.keys()}
    return steps_of.pop() if len(steps_of) == 1 else 0


def _tag(step: Step) -> str | None:
    """Return the tag of an answer, as the origin sent it where its reader did not get it."""
    if step.etag is not None or not step.hops:
        return step.etag
    response = step.origin_side.response
    return response.fields.text("etag") if response is not None else None


def _as_sent(write: Step, tag: str) -> bool:
    """Tell whether what an answer shows as a version is what the request stored: a value, no count.

    Some services compare values as well as versions.
    """
    content, value = write.body, tokens.opaque(tag)
    if content is None:
        return False
    return content.text.strip().strip('"') == value or value in scalars(content.json())


def own_before(history: History, write: Step) -> Step | None:
    """Return the last step of a write's actor on the resource, None when it was no look at it.

    Args:
        history: of the resource.
        write: accepted.
    """
    # What a browser asks for leave with tells nothing of the thing.
    before = back_from(history.by_actor.get(write.actor, ()), write.order)
    last = next((one for one in before if one.method != "OPTIONS"), None)
    return last if last is not None and (last.read_ok or last.accepted) else None


def numbers(step: Step) -> dict[str, int]:
    """Return the counts that an answer names, its tag among them. Small ones meet by chance.

    Args:
        step: answered.
    """
    tag = tokens.opaque(_tag(step) or "")
    return {**_counts(step.content), **({"etag": int(tag)} if _PLAIN.fullmatch(tag) else {})}
