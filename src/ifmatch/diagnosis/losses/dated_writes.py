"""Find the damage of accepted writes whose guard is a time: a date, or a version that is made of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import back_from
from ifmatch.diagnosis.losses.clocked_versions import ahead_of_versions, margin_added
from ifmatch.diagnosis.losses.moved_unread import moved_unread
from ifmatch.diagnosis.losses.unguarded_writes import taken_back
from ifmatch.diagnosis.losses.written import keeps
from ifmatch.diagnosis.reading import tokens
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step


def _ticks_alike(step: Step) -> bool:
    """Tell whether an answer's Date is the very second in which its request began: no rounding."""
    started = step.exchange.started
    return step.date is not None and started is not None and int(started) == step.date


def _overlooked(history: History, step: Step, base: Step | None) -> tuple[Step | None, bool]:
    """Return another's write since a look that this write may not keep, and whether it certainly does not."""
    if base is None:
        return None, False
    other = history.other_write_before(step)
    if other is None or other.order <= base.order:
        return None, False
    kept = keeps(history, base, other, step)
    return other if kept is not True else None, kept is False


def timed_ahead(history: History, step: Step) -> Damage | None:
    """Find an accepted write under a time that lies ahead of all versions, where versions are times.

    Args:
        history: of one resource, in order of time.
        step: the accepted write.
    """
    if not ahead_of_versions(history, step):
        return None
    own = back_from(history.by_actor.get(step.actor, ()), step.order)
    base = next((one for one in own if one.read_ok), None)
    lost, proven = _overlooked(history, step, base)
    text = "the write was not protected: its time lies later than the version that it means"
    return Damage(Outcome.LOST_UPDATE, text, lost=lost, proven=proven)


def dated(history: History, step: Step) -> Damage | None:
    """Find an accepted write whose date did not protect what another had written.

    Args:
        history: of one resource, in order of time.
        step: the accepted write.
    """
    guard = step.guard
    if guard is None:
        return None
    sent = guard.moment
    shown = back_from(history.shown_to.get(step.actor, ()), step.order)
    # A HEAD shows nothing that a write could keep.
    base = next((one for one in shown if one.method != "HEAD"), None)
    lost, proven = _overlooked(history, step, base)
    if sent is None:
        if tokens.null_word(guard.value):
            return None
        return Damage(
            Outcome.LOST_UPDATE,
            "the write was not protected: its date is no HTTP-date",
            lost=lost,
            proven=proven,
        )
    served, newest = history.dated(step, sent), history.newest_date(step)
    if served and guard.standard and (found := taken_back(history, step, sent)) is not None:
        return found
    if not served and newest is not None and sent > newest and (lost or not margin_added(step, sent)):
        text = "the write was not protected: its date lies later than the version that it means"
        return Damage(Outcome.LOST_UPDATE, text, lost=lost, proven=proven)
    if lost is None and served and (found := moved_unread(history, step, sent)) is not None:
        return found
    if lost is not None and served and step.follows(lost):
        made = lost.last_modified if lost.last_modified is not None else lost.date
        if made is not None and made <= sent + (0 if lost.last_modified is not None else 0.999):
            return Damage(
                Outcome.LOST_UPDATE,
                "the overwritten change shares the second of the date that was sent",
                lost=lost,
                proven=proven,
            )
        if made is not None and (made > sent + 1 or (made > sent and _ticks_alike(lost))):
            text = "a date older than the last change was accepted"
            return Damage(Outcome.LOST_UPDATE, text, lost=lost, stale_accepted=True, proven=proven)
    return None
