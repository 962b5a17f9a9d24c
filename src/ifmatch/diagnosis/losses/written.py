"""Tell what a write put there, what it was made from, and whether it kept another's change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.in_time import back_from, on_from
from ifmatch.diagnosis.losses.taken_back import lost_pointers, merged
from ifmatch.diagnosis.reading.contents import ABSENT, holds, same_content, value_at

if TYPE_CHECKING:
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content


def content_of_write(history: History, write: Step, base: Content | None = None) -> Content | None:
    """Return what an accepted write made of a resource, None when it is not known.

    Args:
        history: of the resource.
        write: the write.
        base: what stood there before it, where that is known; a patch is worked out on it.
    """
    if write.puts and write.body is not None:
        return write.body
    shown = next(on_from(history.represented_under.get(write.etag or "", ()), write.order), None)
    if shown is not None:
        return shown.representation
    if write.method != "PATCH" and not write.alters:
        return None
    answer = write.shown_content
    told = write.method == "PATCH" or (answer is not None and holds(answer, write.body))
    if answer is not None and answer.json() is not None and told:
        return answer
    return merged(base, write.body)


def base_content(history: History, step: Step, before: Step) -> tuple[Step, Content] | None:
    """Return what this actor had last read before another write was made.

    Args:
        history: of the resource.
        step: of the actor.
        before: the other write.
    """
    for one in back_from(history.by_actor.get(step.actor, ()), before.order):
        if one.representation is not None:
            return one, one.representation
        if one.accepted and one.puts and one.body is not None:
            return one, one.body
    return None


def keeps(history: History, issued: Step, other: Step, step: Step) -> bool | None:
    """Tell whether a write kept what another had changed; None when not known.

    Args:
        history: of the resource.
        issued: what gave the write its token.
        other: the other's write.
        step: the write.
    """
    theirs = content_of_write(history, other)
    mine = step.body
    if step.method == "DELETE":
        return False
    if theirs is None or mine is None or not step.puts:
        return None
    if same_content(theirs, mine) or holds(mine, theirs):
        return True
    base = issued.representation
    if base is None:
        found = base_content(history, step, other)
        base = found[1] if found is not None else None
    lost = lost_pointers(base, theirs, mine)
    if lost is None:
        return None
    return not lost


def names(step: Step, pointer: str) -> bool:
    """Tell whether a change names the member at a pointer, or the one that it stands in.

    Args:
        step: that carries the change.
        pointer: JSON Pointer (RFC 6901) into what the write made.
    """
    # What a POST is sent for a member may be put into the member in a way of its own.
    whole = f"/{pointer.split('/')[1]}" if step.alters else pointer
    return value_at(step.body, whole) is not ABSENT


def stood_for(history: History, token: str, step: Step) -> Content | None:
    """Return what a write's actor was shown under a token that a 304 or a HEAD gave out last.

    Args:
        history: of the resource.
        token: that the write names.
        step: the write.
    """
    under = back_from(history.represented_under.get(token, ()), step.order)
    return next((one.representation for one in under if one.actor == step.actor), None)
