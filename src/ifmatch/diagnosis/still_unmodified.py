"""Find 304s to a tag that the service itself had shown to be replaced, and the times that contents tell."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.contents import changed_pointers, same_content, stamped, value_at
from ifmatch.diagnosis.dates import instant

if TYPE_CHECKING:
    from ifmatch.diagnosis.history import History
    from ifmatch.diagnosis.steps import Step

# Seconds after a read within which hardly anybody takes a change back.
_SOON: Final = 2.0


def shown_replaced(history: History, step: Step) -> Step | None:
    """Return the own read that had shown another version just before a 304 to the older one's tag.

    Source: RFC 9110 section 13.1.2 (304 only where a listed tag matches that of the current version).

    Args:
        history: of the resource, in order of time.
        step: an answer to a read.
    """
    condition = step.condition(Guard.DIFFERENT)
    if step.status != HTTPStatus.NOT_MODIFIED or condition is None or not condition.well_formed:
        return None
    named = {tokens.base(token) for token in condition.tokens}
    own = [
        one
        for one in history
        if one.order < step.order
        and one.actor == step.actor
        and one.variant == step.variant
        and one.representation is not None
        and one.status == HTTPStatus.OK
    ]
    had = [one for one in own if tokens.base(one.etag or "") in named]
    newest = own[-1] if own else None
    if not had or newest is None or newest is had[-1] or newest.etag is None:
        return None
    if newest.cache_marked or step.cache_marked or same_content(had[-1].representation, newest.representation):
        return None
    if any(one.accepted and newest.order < one.order < step.order for one in history):
        return None
    soon = newest.timed and step.start - newest.end < _SOON
    later = next((one for one in history if one.order > step.order and one.read_ok), None)
    again = later is not None and later.etag == newest.etag
    return newest if soon or again else None


def changed_by(known: Step, later: Step) -> float | None:
    """Return a moment by which a version was certainly there, as its content tells; None when it does not.

    The member is one that servers stamp, and it told an earlier time in the version before.

    Args:
        known: a read that showed the version before.
        later: the read that shows the new version.
    """
    for pointer in changed_pointers(known.representation, later.representation) or ():
        if not stamped(pointer):
            continue
        before, now = (value_at(one.representation, pointer) for one in (known, later))
        if not (isinstance(before, str) and isinstance(now, str)):
            continue
        first, last = instant(before), instant(now)
        if first is None or last is None or not first < last or last > later.end:
            continue
        return last if last % 1 else last + 1
    return None
