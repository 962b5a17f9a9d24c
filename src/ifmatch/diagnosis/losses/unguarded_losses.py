"""Find what an unguarded write took away of a change that only a list of things shows."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import looked, on_from
from ifmatch.diagnosis.links.succession import advanced
from ifmatch.diagnosis.losses.entries_gone import entry_left_out, inner_of, listed_since
from ifmatch.diagnosis.losses.listed_losses import listed_apart
from ifmatch.diagnosis.losses.taken_back import lost_pointers, undone_at
from ifmatch.diagnosis.losses.texts_added import addition_left_out
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, same_content, unwrapped, value_at
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.json_values import pointer_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

# So many steps before a write a list is looked for.
_NEAR: Final = 80
_DEEP: Final = 3
_LONGEST: Final = 200_000
_OK: Final = 200
_NAME: Final = 2


def listed_newer(case: Case, history: History, step: Step) -> Damage | None:
    """Find an unguarded write that undoes what a list had shown its actor of the thing since the read.

    Who sends the record again as it was may mean that; who edits it beside does not.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write without a precondition.
    """
    if step.body is None:
        return None
    # Who changes some members may send others along as they were.
    members = step.method == "PATCH" or step.alters
    base = looked(history, step) if step.puts or members else None
    found = None
    if base is not None and base.representation is not None:
        found = _member_gone(case, history, base, step)
        found = found or (listed_apart(case, base, step) if step.puts else None)
    return found or entry_left_out(case, history, step) or addition_left_out(case, step)


def _member_gone(case: Case, history: History, base: Step, step: Step) -> Damage | None:
    """Find a member that a list shows changed since a look, and that a write puts back."""
    if base.representation is None or step.body is None:
        return None
    whole = unwrapped(base.representation, step.body)
    for listing, entry in listed_since(case, base, step):
        old, mine = inner_of(whole, unwrapped(step.body, whole), entry)
        now = unwrapped(entry, mine)
        lost = [
            one
            for one in lost_pointers(old, now, mine) or ()
            if one and not stamped(one) and value_at(now, one) is not ABSENT
            # What stands elsewhere in a list, and its own version, is no member of the record.
            if value_at(mine, one) is not ABSENT
            and value_at(old, one) is not ABSENT
            and undone_at(old, now, mine, one)
            and not called_version(one.rpartition("/")[2])
        ]
        if lost and not same_content(old, now) and _edited(history, step, old, now, mine):
            text = f"what a list had shown of it since the read ({', '.join(lost[:4])}) is gone"
            return Damage(Outcome.LOST_UPDATE, text, lost=listing)
    return None


def _edited(history: History, step: Step, old: Content, now: Content, mine: Content) -> bool:
    """Tell whether a write has an edit of its own: a value, or a member that is there ever since."""
    for one in changed_pointers(old, mine) or ():
        if not _of_server(old, mine, one):
            return True
        if stamped(one) or value_at(mine, one) in (ABSENT, None, "") or value_at(now, one) is not ABSENT:
            continue
        after = [step, *on_from(history.by_actor.get(step.actor, ()), step.order)]
        shown = next((each.shown_content for each in after if each.shown_content is not None), None)
        if shown is not None and value_at(unwrapped(shown, mine), one) == value_at(mine, one):
            return True
    return False


def _of_server(old: Content, mine: Content, pointer: str) -> bool:
    """Tell whether a member is no edit: one that the write leaves out, or that servers set by themselves."""
    return stamped(pointer) or value_at(mine, pointer) is ABSENT or value_at(old, pointer) is ABSENT


def version_carried(own: Sequence[Step], step: Step) -> tuple[str, bool] | None:
    """Return where an accepted write carries what counts its versions, and whether that is the last one read.

    Whatever it is called: two reads of two states show two values, and after the write there is a third.

    Args:
        own: what the same actor did to the resource, in order of time.
        step: a write whose content was read before.
    """
    reads = [one.representation for one in own if one.order < step.order and one.representation is not None]
    after = [one.shown_content for one in own if one.order >= step.order and one.shown_content is not None]
    if len(reads) < _NAME or not after or step.body is None:
        return None
    # Answers may have an envelope that requests lack.
    reads = [unwrapped(one, step.body) for one in reads]
    after = [unwrapped(one, step.body) for one in after]
    for pointer in _scalars_at(step.body):
        value = value_at(step.body, pointer)
        seen = [value_at(one, pointer) for one in reads]
        then = next((found for one in after if (found := value_at(one, pointer)) is not ABSENT), ABSENT)
        if then is ABSENT or value not in seen or seen[-1] == seen[0] or ABSENT in seen:
            continue
        values = [str(one) for one in (*dict.fromkeys(map(str, seen)), then)]
        if all(advanced(one, two) for one, two in pairwise(values)):
            return pointer, value == seen[-1]
    return None


def _scalars_at(content: Content) -> Iterator[str]:
    """Yield the JSON Pointers of the values of an object, and of the objects in it."""
    value = content.json()
    for name, one in cast("dict[str, object]", value).items() if isinstance(value, dict) else ():
        if isinstance(one, str | int) and not isinstance(one, bool):
            yield f"/{pointer_step(name)}"
