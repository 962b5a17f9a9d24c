"""Find conditional reads that were answered with content although their own condition forbids it.

The answer alone proves it: it is a success, so there is a current representation, and its tag is the one
that If-None-Match names (RFC 9110 section 13.2.2, step 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.cache_marks import asks_past
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
_UNMODIFIED: Final = 304
_LISTED: Final = 2
# Reader and way, and one tag.
_ALONE: Final = 3


def answered_reads(history: History) -> Iterator[tuple[Step, Damage]]:
    """Yield for each reader the first read whose answer contradicts its own If-None-Match.

    A whole 200 for a tag is left to `revalidations`: a service may do without conditional reads, and only
    asking again and again tells that it does.

    Args:
        history: of one resource, in order of time.
    """
    seen: set[str] = set()
    of_lists = _lists_unheard(history)
    for step in history:
        text = of_lists.get(step.order) or _contradiction(step)
        if not text or step.actor in seen:
            continue
        seen.add(step.actor)
        by_cache = step.cache_hit or any(hop.status in {304, 412} for hop in step.hops)
        yield step, Damage(Outcome.ERROR, text, contradicted=not by_cache, by_cache=by_cache)


def _lists_unheard(history: History) -> dict[int, str]:
    """Return what is wrong with whole answers to lists of tags, where their current tag alone gets its 304.

    Once may be another node; so it is told of two, or of one between two 304s.

    Source: RFC 9110 section 13.1.2 (the condition is false if one of the listed tags matches).
    """
    lists = [step for step in history if _several(step) is not None]
    if not lists:
        return {}
    alone: dict[tuple[object, ...], list[int]] = {}
    for step in history:
        condition = step.condition(Guard.DIFFERENT) if step.status == _UNMODIFIED else None
        if condition is not None and condition.standard:
            key = (step.actor, step.variant, *sorted(map(tokens.opaque, condition.tokens)))
            alone.setdefault(key, []).append(step.order)
    found: dict[int, str] = {}
    for step in lists:
        condition, current = _several(step), tokens.opaque(step.etag or "")
        spared = alone.get((step.actor, step.variant, current), [])
        if (
            condition is None
            or not spared
            or any(len(key) > _ALONE and key[0] == step.actor for key in alone)
        ):
            continue
        between = spared[0] < step.order < spared[-1]
        if between or sum(one.etag == step.etag and one.actor == step.actor for one in lists) > 1:
            found[step.order] = (
                f"{step.etag} alone gets its 304, and is not found in a list of {len(condition.tokens)} tags"
            )
    return found


def _several(step: Step) -> Condition | None:
    """Return the list of tags of a read that was answered whole although its own tag is among them."""
    if step.method != "GET" or step.status != _OK or not step.conditions or step.etag is None:
        return None
    condition = step.condition(Guard.DIFFERENT)
    if condition is None or not condition.standard or len(condition.tokens) < _LISTED or _completed(step):
        return None
    if asks_past(step.sent):
        return None
    named = set(map(tokens.opaque, condition.tokens))
    return condition if condition.well_formed and tokens.opaque(step.etag) in named else None


def _contradiction(step: Step) -> str:
    """Return what is wrong with the answer to a read, "" when nothing is."""
    if not step.conditions or not step.is_read or step.reads:
        return ""
    if step.status not in {200, 206} or _completed(step):
        return ""
    if step.condition(Guard.SAME, Guard.EXISTS) is not None:
        return ""
    star = step.condition(Guard.ABSENT)
    if star is not None and star.standard:
        return f"{step.status} although `{star.shown()}` is false where there is anything: 304 is due"
    condition = step.condition(Guard.DIFFERENT)
    if condition is None or step.status != 206 or step.etag is None or not condition.well_formed:
        return ""
    if not condition.standard or step.etag not in condition.tokens:
        return ""
    return (
        f"206 although {condition.name} names {step.etag}, the tag that it carries: 304 comes before a range"
    )


def _completed(step: Step) -> bool:
    """Tell whether a browser may have shown its stored answer where the wire had 304."""
    browser = (step.sent.text("user-agent") or "").startswith("Mozilla/")
    return browser and not (step.hops and step.hops[-1].status == step.status)
