"""Find an unguarded write made from a version that its client had been shown to be replaced, unread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import between
from ifmatch.diagnosis.links.likeness import edit_of
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reads.glimpses import changed_at, glances, tag_shown, told_of_itself
from ifmatch.diagnosis.steps.multistatus_contents import MULTI_STATUS
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

_NEAR: Final = 40


def moved_unread(history: History, step: Step, dated: float | None = None) -> Damage | None:
    """Find a whole state that was stored after a look had shown that another version is there.

    It has no condition, or that of a date which both versions bear: then the second is what they share.

    The look was for the version alone, and what was sent is an edit of what had been read before it: what
    another put there in between was never seen, and is gone. A tag alone may be another node's, or may be
    made anew with each answer: the time of the change, or how long the content is, moved with it.

    Args:
        history: of the resource, or what of it is near.
        step: an accepted write without a precondition, or under a date.
        dated: that date, in seconds since the epoch.
    """
    if not step.puts or step.body is None:
        return None
    before = between(history.by_actor.get(step.actor, ()), -1, step.order)[-_NEAR:]
    glance = next((one for one in reversed(before) if one.read_ok or one.accepted or _glances(one)), None)
    if glance is None or not _glances(glance) or glance.cache_hit:
        return None
    base = next((one for one in reversed(before) if one.accepted or one.representation is not None), None)
    known = base.left if base is not None else None
    if base is None or known is None or not glance.follows(base):
        return None
    if base.accepted and not (base.puts and _tagged_anew(base, glance)):
        # The answer to an own write has the tag of what it made, or tells of it nothing.
        return None
    if dated is not None and (base.settled or not base.last_modified == changed_at(glance) == dated):
        # What was older than a second when it was read, no later change shares the second of.
        return None
    moved = _moved(base, glance)
    if moved is None and dated is not None and _tagged_anew(base, glance):
        moved = False
    if moved is None or (base.accepted and not moved):
        return None
    if _restless(before, base) or same_content(known, step.body):
        return None
    tag = tag_shown(glance)
    if tag is not None and any(one.etag == tag for one in before if one.order < base.order):
        # Two tags that take turns are of two nodes.
        return None
    if not edit_of(step.body, known):
        return None
    text = f"{glance.method} had shown another version than the one that the content is made from: it is gone"
    return Damage(Outcome.LOST_UPDATE, text, lost=glance, proven=moved)


def _glances(step: Step) -> bool:
    return glances(step) and (tag_shown(step) is not None or changed_at(step) is not None)


def _moved(base: Step, glance: Step) -> bool | None:
    """Tell whether a look shows content of another length than was read, False where its time alone tells.

    None where it is the same version, or may be.
    """
    shown = tag_shown(glance)
    if base.etag is not None and shown is not None:
        if tokens.base(base.etag) == tokens.base(shown):
            return None
        if tokens.opaque(tokens.base(base.etag)) == tokens.opaque(tokens.base(shown)):
            return None
    times = base.last_modified, changed_at(glance)
    if (base.etag is None or shown is None) and None in times:
        return None
    later = times[0] is not None and times[1] is not None and times[1] > times[0]
    earlier = times[0] is not None and times[1] is not None and times[1] < times[0]
    if earlier:
        return None
    length = _length(glance) if glance.coding == base.coding and glance.variant == base.variant else None
    known = _length(base)
    if length and known is not None and length != known:
        # Some services have no content to count for HEAD, and say 0.
        return True
    return False if later else None


def _tagged_anew(base: Step, glance: Step) -> bool:
    """Tell whether two answers of one second have strong tags of one making, and not the same."""
    one, two = base.etag, tag_shown(glance)
    if one is None or two is None or tokens.is_weak(one) or tokens.is_weak(two):
        return False
    return tokens.base(one) != tokens.base(two) and tokens.shape(one) == tokens.shape(two)


def _length(step: Step) -> int | None:
    """Return how long the representation is by the field for it, None where it does not tell."""
    if step.coding:
        return None
    if step.is_write:
        return len(step.made) if step.made is not None else None
    value = (step.header("content-length") or "").strip()
    if step.status == MULTI_STATUS:
        value = told_of_itself(step).get("Content-Length", "")
    if value.isdigit():
        return int(value)
    return len(step.content) if step.content is not None and step.method == "GET" else None


def _restless(before: Sequence[Step], base: Step) -> bool:
    """Tell whether the same content had been shown under two tags: then a tag says nothing of it."""
    return any(
        one is not base
        and one.representation is not None
        and one.etag is not None
        and base.etag is not None
        and tokens.base(one.etag) != tokens.base(base.etag)
        and same_content(one.representation, base.representation)
        for one in before
    )
