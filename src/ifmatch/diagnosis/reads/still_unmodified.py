"""Find 304s to a tag that the service itself had shown to be replaced, and the times that contents tell."""

from __future__ import annotations

from bisect import bisect_left
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.in_time import between
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import changed_pointers, same_content, value_at
from ifmatch.diagnosis.reading.dates import http_date, instant
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.model.grouped import grouped

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

# Seconds after a read within which hardly anybody takes a change back.
_SOON: Final = 2.0


def whole_reads(history: History) -> dict[str, list[Step]]:
    """Return for each actor the reads that showed it the whole content, in order of time.

    Args:
        history: of one resource.
    """
    return grouped(
        (step.actor, step)
        for step in history
        if step.status == HTTPStatus.OK and step.representation is not None
    )


def shown_before(whole: Sequence[Step], step: Step, named: Collection[str]) -> tuple[Step, Step] | None:
    """Return the last whole read before a request, and the last one that showed a named tag.

    Args:
        whole: reads of one actor, in order of time.
        step: the request.
        named: tags, their decorations taken off.
    """
    until = bisect_left(whole, step.order, key=lambda one: one.order)
    for number in range(until - 1, -1, -1):
        if tokens.base(whole[number].etag or "") in named:
            return whole[until - 1], whole[number]
    return None


def shown_replaced(history: History, whole: Sequence[Step], step: Step) -> Step | None:
    """Return the own read that had shown another version just before a 304 to the older one's tag.

    Source: RFC 9110 section 13.1.2 (304 only where a listed tag matches that of the current version).

    Args:
        history: of the resource, in order of time.
        whole: reads of the same actor that showed the whole content.
        step: an answer to a read.
    """
    condition = step.condition(Guard.DIFFERENT)
    if step.status != HTTPStatus.NOT_MODIFIED or condition is None or not condition.well_formed:
        return None
    found = shown_before(whole, step, {tokens.base(token) for token in condition.tokens})
    if found is None or found[0] is found[1]:
        return None
    newest, had = found
    if newest.etag is None or newest.cache_marked or step.cache_marked:
        return None
    if newest.variant != step.variant or had.variant != step.variant:
        return None
    if same_content(had.representation, newest.representation):
        return None
    if history.written_between(newest, step):
        return None
    soon = newest.timed and step.start - newest.end < _SOON
    later = next((one for one in history.after(step) if one.read_ok), None)
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


def changed_before(history: History, step: Step) -> Step | None:
    """Return what proves a change that a 304 to a date of nobody's answers left unsaid: a write or a look.

    The thing was changed after the reader had last been shown it and before the 304, and the date that the
    reader sent lies later than that change.

    Args:
        history: of the resource, in order of time.
        step: an answer to a read under a date.
    """
    condition = step.condition(Guard.DIFFERENT_DATE)
    sent = http_date(condition.value) if condition is not None else None
    if step.status != HTTPStatus.NOT_MODIFIED or sent is None or step.date is None or step.cache_marked:
        return None
    own = [
        one for one in history if one.order < step.order and one.actor == step.actor and one.date is not None
    ]
    if any(sent in {one.last_modified, one.date} for one in history):
        return None
    shown = next((one for one in reversed(own) if one.status == HTTPStatus.OK and one.is_read), None)
    if shown is None or shown.date is None or (shown.last_modified or shown.date) > shown.date:
        return None
    for one in between(history, shown.order, step.order):
        # Whoever else knows of a write in between: no answer can have a date that is still to come.
        if one.changes and step.surely_after(one) and one.surely_after(shown) and sent > step.date:
            return one
    for one in history:
        changed = one.last_modified if one.order > step.order and one.status == HTTPStatus.OK else None
        if changed is None or not one.is_read or one.variant != step.variant:
            continue
        # A version of another date than the one that was shown came after it, in the same second even.
        since = shown.date + 1 if shown.last_modified is None else shown.last_modified
        if since < changed < min(step.date, sent):
            return one
    return None
