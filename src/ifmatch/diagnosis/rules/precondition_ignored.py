"""Detect `precondition-ignored`: the server accepted a stale precondition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.evidence import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "precondition-ignored"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a write that was accepted on a token known to be stale.

    Source: RFC 9110 section 13.1.1 (the method is not performed when the condition is false).
    """
    damage, guard = facts.damage, facts.guard
    if damage is None or guard is None or damage.overlap:
        return
    if damage.range_ignored:
        yield note(damage.text, 5.5, facts.step, "If-Range")
        return
    if not damage.stale_accepted:
        return
    text = f"`{guard.shown()}` was accepted ({facts.step.status}) although the resource had moved on"
    yield note(text, 5.5 if facts.step.hops else 4.0, facts.step, guard.name)
    if damage.lost is not None and facts.step.unordered(damage.lost):
        yield note(
            "the clock is too slow to tell whether the two writes overlapped",
            -4.0 if facts.step.hops else -2.5,
            damage.lost,
        )
    if damage.lost is not None:
        text = (
            "the write that replaced the token had been accepted before"
            if damage.lost.accepted
            else damage.text
        )
        yield note(text, 1.5, damage.lost)
    if facts.step.hops and any(guard.name in hop.request.fields for hop in facts.step.hops):
        yield note(f"the origin got {guard.name} and did not heed it", 2.0, facts.step.hops[-1], guard.name)
