"""Find accepted writes whose precondition the writer's own last look contradicts: nobody evaluated it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import back_from
from ifmatch.diagnosis.losses.taken_back import lost_pointers
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard, wants_absent
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, same_content, value_at
from ifmatch.diagnosis.reading.dates import http_date, shown
from ifmatch.diagnosis.reading.stamps import rendered
from ifmatch.diagnosis.steps.resources import host_of, resource_key
from ifmatch.dialects.glossary import Words
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

# Seconds between a look and a creation within which what was there seldom goes by itself.
_AT_ONCE = 2.0
_CREATED, _REPLACED = 201, 204
# So many steps before and after a write its program is looked at.
_NEAR = 40
_GONE = frozenset({404, 410})
# What is stored for a time only, and gone after it.
_HELD_FOR_A_WHILE = Words(r'"(?:until|expires\w*|ttl\w*|valid_?(?:until|for)|lease_?\w*|seconds)"\s*:')


def held_for_a_while(step: Step) -> bool:
    """Tell whether what a step sent or showed is stored for a time only, such as a lease.

    Args:
        step: a read or an accepted write.
    """
    sent, shown_there = step.body, step.content
    told = f"{sent.text if sent else ''} {shown_there.text if shown_there else ''}"
    return _HELD_FOR_A_WHILE.search(told[:4000]) is not None


def created_over(case: Case, history: History, step: Step) -> Damage | None:
    """Find a create-only write that replaced what a read had just shown.

    What held a place for a time only (a lease, a lock) may have gone in between. A service that tells
    creation from replacement by its status says itself which of the two it was; of any other only a look
    right before tells.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted create-only write.

    Source: RFC 9110 sections 13.1.2 (`*` is false when there is a current representation) and 9.3.4 (201
        for a creation).
    """
    if step.method != "PUT" or step.status not in {200, _REPLACED}:
        return None
    if any((one.refused and wants_absent(one.guard)) or held_for_a_while(one) for one in history):
        # The condition is heeded at other times, or a lease had run out: what was there has gone in between.
        return None
    look = _last_look(history, step)
    if look is None or same_content(look.representation, step.body):
        return None
    if look.etag is not None and look.etag == step.etag:
        return None
    after = next((one for one in history if one.order > step.order and one.representation is not None), None)
    if after is not None and same_content(after.representation, look.representation):
        # Answered as a success, and left as it was.
        return None
    if not (_looked_once(history, look, step) or step.status == _REPLACED or _tells_creations(case, step)):
        return None
    text = f"a read had shown the resource, and the create-only write replaced it ({step.status}, not 201)"
    return Damage(Outcome.LOST_UPDATE, text, lost=look, stale_accepted=True, proven=False)


def moved_over(case: Case, step: Step) -> Damage | None:
    """Find a MOVE or COPY with `Overwrite: F` that replaced what a read had shown at its destination.

    Args:
        case: everything known.
        step: an accepted request.

    Source: RFC 4918 sections 9.8.5, 9.9.4 (204: the destination was replaced) and 10.6.
    """
    place = step.sent.text("destination") if step.status == _REPLACED else None
    if place is None or not wants_absent(step.guard):
        return None
    target = resource_key(place if "://" in place else host_of(step.resource) + place)
    look = _last_look(case.history_of(target), step)
    if look is None:
        return None
    text = "a read had shown the destination, and `Overwrite: F` did not keep it from being replaced (204)"
    return Damage(Outcome.LOST_UPDATE, text, lost=look, stale_accepted=True, proven=False)


def refused_elsewhere(history: History, step: Step, token: str) -> Damage | None:
    """Find a token that one method refused and another accepted right after, with nothing in between.

    No answer need have given it out: what was refused once does not become the current one by itself.

    Args:
        history: of the resource.
        step: an accepted write.
        token: that it names.
    """
    guard = step.guard
    if guard is None or tokens.null_word(token) or not (guard.well_formed or history.issued(token)):
        return None
    for one in reversed(history):
        if one.order >= step.order or one.actor != step.actor:
            continue
        apart = one.method != step.method or (one.within is None) != (step.within is None)
        if one.refused and one.presents(token) and apart:
            text = f"{step.method} accepted the token that {one.method} had just refused"
            if step.within is not None:
                text = f"within a batch {text}"
            return Damage(Outcome.LOST_UPDATE, text, lost=one, stale_accepted=True, proven=False)
        return None
    return None


def _last_look(history: Sequence[Step], step: Step) -> Step | None:
    """Return the read that showed the resource last before a write, None if anything else was known since."""
    for one in reversed(history):
        if one.order >= step.order:
            continue
        if one.is_write and (one.accepted or one.unanswered):
            return None
        if not one.is_read:
            continue
        if one.overlaps(step):
            if one.status in _GONE:
                # Gone while the request was on its way, whatever an older look had shown.
                return None
            continue
        if one.status in _GONE or _is_empty(one) or not step.surely_after(one) or _perhaps_beside(one, step):
            return None
        if one.status in {200, 304}:
            return None if one.cache_hit or _other_kind(one, step) else one
    return None


def _is_empty(read: Step) -> bool:
    """Tell whether a place is read in which there is nothing: some stores answer `null` with 200 for it."""
    return read.representation is not None and read.representation.text.strip() == "null"


def _perhaps_beside(read: Step, step: Step) -> bool:
    """Tell whether a slow clock leaves open whether a read was still under way when a request began."""
    return step.unordered(read) or (read.timed and step.timed and read.end > step.start)


def _looked_once(history: History, look: Step, step: Step) -> bool:
    """Tell whether a single look came right before: who looks again and again waits until a place is free."""
    soon = look.timed and step.timed and step.start - look.end <= _AT_ONCE
    waits = any(
        one.is_read and one.status in {200, 304} and one.actor == step.actor and one.order < look.order
        for one in history
    )
    return soon and not waits


def _other_kind(read: Step, step: Step) -> bool:
    """Tell whether a read shows a page, such as a site has for any path, where something else is stored."""
    sent = (step.sent.text("content-type") or "").partition(";")[0].strip().lower()
    return read.kind[0] == "text/html" and sent != "text/html"


def _tells_creations(case: Case, step: Step) -> bool:
    """Tell whether the service answers creations by PUT with 201."""
    host = step.resource.partition("://")[2].partition("/")[0]
    return any(
        one.method == "PUT" and one.status == _CREATED and one.resource.partition("://")[2].startswith(host)
        for one in case.steps
    )


def dated_out(history: History, step: Step) -> Damage | None:
    """Find an accepted If-Unmodified-Since after a later date, with other content, was known to its sender.

    Dates alone prove no damage: what the write takes back of the later content does.

    Args:
        history: of the resource.
        step: an accepted write.

    Source: RFC 9110 section 13.1.4 (the condition is false when the resource was modified after the date).
    """
    guard = step.guard
    sent = http_date(guard.value) if guard is not None and guard.guard is Guard.SAME_DATE else None
    if sent is None:
        return None
    dated = [
        one
        for one in history
        if one.order < step.order
        and one.actor == step.actor
        and one.last_modified is not None
        and not one.cache_hit
        and step.follows(one)
    ]
    found = _later([one for one in dated if _content(one) is not None], sent)
    if found is None:
        return _looked_past(dated, step, sent)
    base, newest, modified = found
    old, new = _content(base), _content(newest)
    if step.method == "DELETE":
        lost = changed_pointers(old, new)
        lost = () if lost is None and same_content(old, new) else (lost if lost is not None else ("",))
    else:
        lost = lost_pointers(old, new, step.body) or ()
        if step.method != "PUT":
            # A patch says nothing of what it leaves out.
            lost = tuple(one for one in lost if one and value_at(step.body, one) is not ABSENT)
    if not lost or all(rendered(pointer) for pointer in lost):
        return None
    when = shown(modified)
    text = f"a date was accepted after its own sender had been shown a later one ({when}) with other content"
    return Damage(Outcome.LOST_UPDATE, text, lost=newest, stale_accepted=True)


def _later(dated: Sequence[Step], sent: float) -> tuple[Step, Step, float] | None:
    """Return the step that gave a date, the last one, and the later date which that one showed."""
    base = next((one for one in reversed(dated) if one.last_modified == sent), None)
    newest = dated[-1] if dated else None
    if base is None or newest is None or newest.last_modified is None or newest.last_modified <= sent:
        return None
    if newest.order < base.order or newest.variant != base.variant:
        return None
    return base, newest, newest.last_modified


def _looked_past(dated: Sequence[Step], step: Step, sent: float) -> Damage | None:
    """Find an accepted date after a look that showed a later one and another tag, and no content at all.

    Whoever replaces or removes it then has nothing of the later version that could be kept.
    """
    found = _later(dated, sent)
    if found is None or step.method not in {"PUT", "DELETE"}:
        return None
    base, newest, modified = found
    since = [one for one in dated if one.order > base.order]
    if any(_content(one) is not None or one.is_write for one in since) or base.etag == newest.etag:
        return None
    if base.etag is None or newest.etag is None:
        return None
    when = shown(modified)
    text = f"a date was accepted after its own sender had been shown a later one ({when}) and another tag"
    return Damage(Outcome.LOST_UPDATE, text, lost=newest, stale_accepted=True, proven=False)


def _content(step: Step) -> Content | None:
    return step.representation if step.representation is not None else step.made


def unprotected(history: History, step: Step) -> Damage | None:
    """Find a write under a word for none, over a thing whose version its sender had been shown.

    Args:
        history: of the resource.
        step: accepted.
    """
    own = back_from(history.by_actor.get(step.actor, ()), step.order)
    look = next((one for one in own if one.read_ok or one.accepted), None)
    if look is None or look.etag is None or tokens.null_word(look.etag):
        return None
    text = f"the write was not protected, and {look.etag} had been read"
    return Damage(Outcome.LOST_UPDATE, text, proven=False)


def printed_again(case: Case, step: Step) -> bool:
    """Tell whether a program prints a word for none in place of one version after the other.

    Once, and with nothing lost, it may be a slip; in the same place of writes on two things it is how the
    program works.

    Args:
        case: everything known.
        step: an accepted write under a word for none.
    """
    guard = step.guard
    if guard is None or not tokens.printed(guard.value):
        return False
    return any(
        one.resource != step.resource
        and one.actor == step.actor
        and one.accepted
        and one.is_write
        and one.guard is not None
        and one.guard.name == guard.name
        and one.guard.value == guard.value
        and host_of(one.resource) == host_of(step.resource)
        for one in case.steps[max(0, step.order - _NEAR) : step.order + _NEAR]
    )
