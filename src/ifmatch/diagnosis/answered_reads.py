"""Find conditional reads that were answered with content although their own condition forbids it.

The answer alone proves it: it is a success, so there is a current representation, and its tag is the one
that If-None-Match names (RFC 9110 section 13.2.2, step 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.damages import Damage
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.history import History
    from ifmatch.diagnosis.steps import Step


def answered_reads(history: History) -> Iterator[tuple[Step, Damage]]:
    """Yield for each reader the first read whose answer contradicts its own If-None-Match.

    A whole 200 for a tag is left to `revalidations`: a service may do without conditional reads, and only
    asking again and again tells that it does.

    Args:
        history: of one resource, in order of time.
    """
    seen: set[str] = set()
    for step in history:
        text = _contradiction(step)
        if not text or step.actor in seen:
            continue
        seen.add(step.actor)
        by_cache = step.cache_hit or any(hop.status in {304, 412} for hop in step.hops)
        yield step, Damage(Outcome.ERROR, text, contradicted=not by_cache, by_cache=by_cache)


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
