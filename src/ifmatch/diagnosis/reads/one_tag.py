"""Find tags that stand for more than one state: they stay as they are while the content changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import changed_pointers, same_content
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.dialects import weak_tags_match

if TYPE_CHECKING:
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

# Seconds between two states from which on no tag made of a time can be the same for both.
_APART = 2.0


def two_states(history: History, token: str) -> tuple[Step, Step] | None:
    """Return two answers with other contents under one strong tag, None when there are none.

    Both are of one variant, and of different seconds: what a clock that ticks too slowly does is no constant.

    Args:
        history: of one resource, in order of time.
        token: the tag as issued.

    Source: RFC 9110 section 8.8.1 (a strong validator changes whenever the representation data does).
    """
    if token not in history.states_under:
        history.states_under[token] = _two_states(history, token)
    return history.states_under[token]


def _two_states(history: History, token: str) -> tuple[Step, Step] | None:
    tagged = history.reads_by_tag.get(tokens.opaque(token), ())
    if len(tagged) <= 1:
        return None
    shown = [step for step in tagged if step.representation is not None and not step.cache_hit]
    # Some families call all their versions weak, and compare them all the same.
    if tokens.is_weak(token) and not all(one.dialect and weak_tags_match(one.dialect) for one in shown):
        return None
    for late in shown[1:]:
        early = shown[0]
        if early.variant != late.variant or early.kind != late.kind or not _apart(early, late):
            continue
        if _differ(early.representation, late.representation):
            return early, late
    return None


def _apart(early: Step, late: Step) -> bool:
    if early.last_modified is not None and late.last_modified is not None:
        return late.last_modified != early.last_modified
    return late.start - early.end > _APART


def _differ(one: Content | None, two: Content | None) -> bool:
    """Tell whether two contents are two states, apart from what servers stamp or render into each answer."""
    if same_content(one, two):
        return False
    pointers = changed_pointers(one, two)
    return pointers is None or any(not stamped(pointer) for pointer in pointers)
