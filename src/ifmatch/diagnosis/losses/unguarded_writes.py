"""Find what writes without a guard took away from others, or undid of what an own look had shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import back_from, between, on_from
from ifmatch.diagnosis.links.operations import is_call
from ifmatch.diagnosis.losses.gone_again import set_anew
from ifmatch.diagnosis.losses.taken_back import left_alone, line_undone, lost_pointers, names_all, undone_at
from ifmatch.diagnosis.losses.texts_added import entries_left_out
from ifmatch.diagnosis.losses.unguarded_losses import version_carried
from ifmatch.diagnosis.losses.written import base_content, content_of_write, names
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, same_content, unwrapped, value_at
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.outcomes import answered_with
from ifmatch.diagnosis.steps.resources import bare
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

_OK = 200
# Fields that say for whom a request is made.
_WHOSE = late_pattern(r"(?i)^(?:authorization|cookie)$|user(?!-agent)|account|tenant|api-?key|token|session")


def unguarded(history: History, step: Step) -> Damage | None:
    """Find an unguarded write that takes away what another actor had written since this actor read.

    Args:
        history: of one resource, in order of time.
        step: the accepted write.
    """
    if not (step.method == "PATCH" or step.puts or step.alters):
        return None
    if step.guard is None and set_anew(history, step):
        return None
    other = history.other_write_before(step)
    found = base_content(history, step, other) if other is not None else None
    if other is None or found is None:
        return None
    if any(
        (one.is_read or one.replaces) and 200 <= one.status < 500 and one.method != "HEAD"
        for one in between(history.by_actor.get(step.actor, ()), other.order, step.order)
        if not one.refused
    ):
        return None
    if other.method == "DELETE":
        return _brought_back(step, other)
    theirs = content_of_write(history, other, found[1])
    # What a POST made of the thing is in its answer, which may be built otherwise than what was sent.
    lost = lost_pointers(found[1], theirs, (step.alters and step.made) or step.body)
    if not step.puts:
        # What a patch does not name, it keeps.
        lost = tuple(one for one in lost or () if one and names(step, one))
    if is_call(step):
        # The text of a call is no state.
        lost = tuple(one for one in lost or () if one != "/query")
    if not lost or all(stamped(one) for one in lost):
        return None
    named = ", ".join(pointer for pointer in lost[:4] if pointer)
    what = f" ({named})" if named else ""
    return Damage(
        Outcome.LOST_UPDATE, f"what {other.actor} had written since the read{what} is gone", lost=other
    )


def taken_back(history: History, step: Step, dated: float | None = None) -> Damage | None:
    """Find a write that was made from an older read than the last, and undoes what changed.

    A write that only restores the older version may be meant so; one that edits it as well is not. It is
    unguarded, or its guard is a date that both reads bear.

    Args:
        history: of one resource, in order of time.
        step: the accepted write.
        dated: the date of the guard in seconds since the epoch, None without one.
    """
    if not (step.puts or step.method == "PATCH") or step.body is None:
        return None
    reads: list[Step] = []
    own = history.by_actor.get(step.actor, ())
    for one in back_from(own, step.order):
        if one.changes:
            # Dates of one second tell that nothing but what another wrote came between it and the look.
            if dated is not None and dated == one.last_modified and answered_with(one) is not None:
                reads.append(one)
            break
        if one.representation is not None and not one.cache_hit and dated in {None, one.last_modified}:
            reads.append(one)
    if not reads:
        return None
    newest = reads[0]
    for old in reads[1:]:
        if (old.is_read and old.variant != newest.variant) or same_content(old.left, newest.left):
            continue
        if not step.puts and not names_all(old.left, step.body, step.resource):
            return entries_left_out(old, newest, step)
        if line := line_undone(old.left, newest.left, step.body):
            text = (
                f"what had changed since the older read ({line!r}) is gone, in a text that was edited beside"
            )
            return Damage(Outcome.LOST_UPDATE, text, lost=newest)
        if old.left is None or newest.left is None:
            return None
        # Answers may have an envelope that requests lack.
        before, now = (unwrapped(one, step.body) for one in (old.left, newest.left))
        lost = [
            pointer
            for pointer in lost_pointers(before, now, step.body) or ()
            if pointer
            and not stamped(pointer)
            and undone_at(before, now, step.body, pointer)
            # A row of a list has members in places of its own.
            and (_in_one_place(old, newest) or value_at(before, pointer) is not ABSENT)
        ]
        version = (version_carried(own, step) or ("", False))[0]
        lost = [*left_alone(before, now, step.body, lost, version)]
        if not old.is_read:
            # What a service puts to it by itself, its answer to the write need not have had yet.
            lost = [one for one in lost if value_at(step.body, one) is not ABSENT]
        edited = [one for one in changed_pointers(before, step.body) or () if not stamped(one)]
        if lost and edited:
            text = f"what had changed since the older read ({', '.join(lost[:4])}) is gone"
            return Damage(Outcome.LOST_UPDATE, text, lost=newest)
        return None
    return None


def shown_to_another(history: History, step: Step) -> Damage | None:
    """Find a write without a guard that lacks what a look of another program had shown since its own base.

    Whose the change was is not seen; that it was there is. The writer never saw it: nothing of it is left out
    by choice.

    Args:
        history: of one resource, in order of time.
        step: the accepted write.
    """
    if step.body is None or not step.puts or set_anew(history, step):
        return None
    own = history.by_actor.get(step.actor, ())
    base = next((one for one in back_from(own, step.order) if one.left is not None or one.changes), None)
    if base is None or base.left is None or base.cache_hit or not base.timed or history.in_turn:
        return None
    for look in reversed(between(history, base.order, step.order)):
        if look.actor == step.actor or not _tells_another(look, base):
            continue
        if look.etag is not None and any(one.etag == look.etag for one in history.before(base)):
            # An older state, as a copy has it.
            return None
        lost = _lost_of(base, look, step) if _same_eyes(history, look, base, step) else []
        after = next(on_from(own, step.order), None)
        shown = after.representation if after is not None and after.is_read else None
        for each in (step.shown_content, shown):
            # What is there with a value of its own, somebody else sets: a sensor, the service itself.
            there = unwrapped(each, step.body) if each is not None else None
            lost = [
                one
                for one in lost
                if not (one and there) or value_at(there, one) in (ABSENT, value_at(step.body, one))
            ]
        if lost:
            named = ", ".join(one for one in lost[:4] if one)
            what = f" ({named})" if named else ""
            text = f"what {look.actor} had been shown changed since the read{what} is gone"
            return Damage(Outcome.LOST_UPDATE, text, lost=look)
        return None
    return None


def _lost_of(base: Step, look: Step, step: Step) -> list[str]:
    """Return what a look shows changed since a base, and an edit of the base lacks: JSON Pointers, or ""."""
    if base.left is None or look.representation is None or step.body is None:
        return []
    before, now = (unwrapped(one, step.body) for one in (base.left, look.representation))
    if same_content(before, step.body) or not _of_one_view(before, now):
        return []
    return [
        one
        for one in lost_pointers(before, now, step.body) or ()
        if not one or not (stamped(one) or value_at(before, one) is ABSENT)
    ]


def _of_one_view(one: Content, two: Content) -> bool:
    """Tell whether two states may be shown to anybody alike: the same members, or mostly the same lines.

    What some may not see is left out for them.
    """
    members, others = members_in(one.json()), members_in(two.json())
    if members or others:
        return members.keys() == others.keys()
    lines, fresh = ({line for line in each.text.splitlines() if line.strip()} for each in (one, two))
    return 2 * len(lines & fresh) >= min(len(lines), len(fresh)) > 0


def _same_eyes(history: History, look: Step, base: Step, step: Step) -> bool:
    """Tell whether a look and a base were asked for by one account, or two that are given the same tags."""
    if _account(look) == _account(base):
        return True
    tags = {base.etag, step.etag} - {None}
    return any(one.etag in tags for one in history.by_actor.get(look.actor, ()))


def _account(step: Step) -> list[tuple[str, str]]:
    """Return the fields that say for whom a request is made."""
    return sorted((name.lower(), value) for name, value in step.sent if _WHOSE.search(name) is not None)


def _tells_another(look: Step, base: Step) -> bool:
    """Tell whether a look shows another state than an earlier step, whole and as the origin has it."""
    if not look.is_read or look.representation is None or look.cache_hit or look.age or look.status != _OK:
        return False
    if base.is_read and (look.variant != base.variant or look.kind != base.kind):
        return False
    tagged = look.etag is not None and base.etag is not None
    dated = look.last_modified is not None and base.last_modified is not None
    if (tagged and look.etag == base.etag) or not (tagged or dated):
        return False
    if dated and (look.last_modified or 0.0) < (base.last_modified or 0.0):
        return False
    return not same_content(look.representation, base.left)


def _in_one_place(one: Step, two: Step) -> bool:
    """Tell whether two looks show a thing by itself, or both as an entry of one list."""
    places = [None if each.within is None else bare(each.within.resource) for each in (one, two)]
    return places[0] == places[1]


def deleted(history: History, step: Step) -> Damage | None:
    """Find an unguarded DELETE of a version that its sender never saw, and that its writer looked for later.

    Who deletes mostly means it whatever the state; a writer that comes back to nothing shows the loss.

    Args:
        history: of one resource, in order of time.
        step: the accepted write.
    """
    other = history.other_write_before(step)
    if other is None or other.guard is None or other.method == "DELETE" or step.overlaps(other):
        return None
    found = base_content(history, step, other)
    theirs = content_of_write(history, other)
    if found is None or theirs is None or same_content(found[1], theirs):
        return None
    seen = between(history.by_actor.get(step.actor, ()), other.order, step.order)
    theirs_later = on_from(history.by_actor.get(other.actor, ()), step.order)
    if seen or not any(one.status in {404, 410, 412} for one in theirs_later):
        return None
    return Damage(
        Outcome.LOST_UPDATE, f"what {other.actor} had written since the read is deleted", lost=other
    )


def _brought_back(step: Step, other: Step) -> Damage | None:
    """Find a write that makes a thing again which another had deleted since this actor read it."""
    if not step.puts or step.overlaps(other):
        return None
    text = f"what {other.actor} had deleted since the read is there again"
    return Damage(Outcome.LOST_UPDATE, text, lost=other)
