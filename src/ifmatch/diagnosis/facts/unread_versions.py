"""Find what gave a write its version without the state: a listing, or a read of a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.links.likeness import shows
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, scalars, value_at
from ifmatch.diagnosis.reading.stamps import stamped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.steps.step import Step

# A shorter token, or a shorter name, stands in a listing by chance.
_TELLING = 5
_NAME = 3
# So many requests before a write are looked through.
_NEAR = 400
# Longer contents are data.
_LONGEST = 200_000


def part_only(gave: Step, old: Step, write: Step) -> bool:
    """Tell whether an answer leaves out a member that an older read shows and the write carries.

    Services answer with the version alone, or with some members, where a request asks for no more.

    Args:
        gave: the answer that gave the version.
        old: an earlier read of the same resource.
        write: what was sent under that version.
    """
    shown, before, sent = gave.representation, old.representation, write.body
    if shown is None or before is None or sent is None:
        return False
    return any(
        pointer
        and not stamped(pointer)
        and value_at(shown, pointer) is ABSENT
        and value_at(sent, pointer) is not ABSENT
        for pointer in changed_pointers(shown, before) or ()
    )


def listing(case: Case, write: Step) -> Step | None:
    """Return the listing that gave a write its token, beside a name that the write carries; None without one.

    What it shows of the thing besides the version is no state to make an edit from.

    Args:
        case: everything known.
        write: an accepted write under a version.
    """
    guard = write.guard
    if guard is None or not guard.tokens or len(tokens.opaque(guard.tokens[0])) < _TELLING:
        return None
    wanted = tokens.opaque(guard.tokens[0])
    if not case.gathered(write.actor).may_list(wanted):
        return None
    names = {one for one in scalars(write.view.sent_json) if len(one) >= _NAME and one != wanted}
    names.add(own_name(write))
    names.add(write.resource.partition("#")[2])
    for one in reversed(case.steps[max(0, write.order - _NEAR) : write.order]):
        if one.actor != write.actor or one.resource == write.resource or not shows(one):
            continue
        content = one.content
        if content is None or len(content) > _LONGEST or wanted not in content.text:
            continue
        holder = _entry(content.json(), wanted)
        if holder is None or not names & set(scalars(holder)) - {""}:
            return None
        return one if _leaves_out(holder, case.history_of(write.resource), write) else None
    return None


def _leaves_out(holder: object, history: Iterable[Step], write: Step) -> bool:
    """Tell whether the entry of a list lacks a member that an own read shows and the write carries."""
    shown = set(_members(holder))
    sent = {name for name in _members(write.view.sent_json) if not stamped("/" + name)} - shown
    for one in history:
        if one.actor == write.actor and one.order < write.order and one.representation is not None:
            return bool(sent & set(_members(one.representation.json())))
    return False


def _members(value: object) -> Iterator[str]:
    """Yield the names of the members that hold values, at any depth."""
    if isinstance(value, dict):
        for name, member in cast("dict[str, object]", value).items():
            if isinstance(member, dict):
                yield from _members(cast("dict[str, object]", member))
            else:
                yield name


def _entry(value: object, wanted: str) -> object:
    """Return the entry of a list that holds a token, None when none does."""
    if isinstance(value, dict):
        members = list(cast("dict[str, object]", value).values())
        return next((found for one in members if (found := _entry(one, wanted)) is not None), None)
    if not isinstance(value, list):
        return None
    entries = cast("list[object]", value)
    return next((one for one in entries if wanted in map(tokens.opaque, scalars(one))), None)
