"""Detect `precondition-stripped`: a proxy removes the precondition before the origin sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.conditions import carries
from ifmatch.diagnosis.evidence import note
from ifmatch.dialects import Meaning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "precondition-stripped"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a precondition at the client that is absent at the origin.

    Source: RFC 9110 section 13.2.1 (intermediaries forward preconditions that they do not evaluate).
    """
    guard = facts.guard
    step = facts.step
    polled = facts.damage is not None and bool(facts.damage.needless) and not step.cache_marked
    if guard is None or not (step.is_write or polled) or guard.unseen:
        return
    if not carries(step.exchange.request, guard, step.dialect):
        return
    for hop in step.hops:
        if carries(hop.request, guard, step.dialect) is False:
            yield note(f"the client sent {guard.name}; it is absent at the origin", 8.5, hop, guard.name)
            return
    if facts.damage is not None and facts.damage.stale_accepted and not step.hops:
        yield note("what the origin got of this request is not in the evidence", 2.5, step, guard.name)
        if step.cache_marked:
            yield note("an intermediary is on the way", 1.0, step, "Via")
        return
    if step.status == 428 and (step.refusal is None or step.refusal.meaning is not Meaning.MISMATCH):
        text = (
            f"428 although the request carries {guard.name}: it was lost on the way, or the "
            "server reads another field"
        )
        yield note(text, 4.0, step, guard.name)
