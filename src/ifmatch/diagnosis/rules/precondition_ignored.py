"""Detect `precondition-ignored`: the server accepted a stale precondition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading.conditions import Guard, carries
from ifmatch.diagnosis.reads.one_tag import two_states
from ifmatch.diagnosis.reads.revalidations import suffix_of
from ifmatch.diagnosis.rules.cache_misevaluates import fetched_throughout, told_elsewhere
from ifmatch.diagnosis.rules.check_then_write_race import one_version_made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
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
    if facts.step.is_read:
        yield from _reads(facts)
        return
    if not damage.stale_accepted:
        return
    why = "the resource existed" if guard.guard is Guard.ABSENT else "the resource had moved on"
    text = f"`{guard.shown()}` was accepted ({facts.step.status}) although {why}"
    yield note(text, 5.5 if facts.step.hops else 4.0, facts.step, guard.called)
    if damage.lost is not None and facts.step.unordered(damage.lost):
        yield note(
            "the clock is too slow to tell whether the two writes overlapped",
            -5.5 if facts.step.hops else -2.5,
            damage.lost,
        )
        if one_version_made(facts):
            yield note("a service that does not compare counts on from what is stored", -3.0, damage.lost)
    if damage.lost is not None:
        text = (
            "the write that replaced the token had been accepted before"
            if damage.lost.accepted
            else damage.text
        )
        yield note(text, 1.5, damage.lost)
    states = two_states(facts.history, facts.token) if facts.token is not None else None
    if states is not None:
        text = f"{facts.token} is still the current tag: the server's own comparison holds"
        yield note(text, -4.0, states[1], "ETag")
    if any(carries(hop.request, guard, facts.step.dialect) for hop in facts.step.hops):
        yield note(
            f"the origin got {guard.called} and did not heed it", 2.0, facts.step.hops[-1], guard.called
        )


def _reads(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from reads whose If-None-Match might as well not be there.

    Source: RFC 9110 section 13.1.2 (304 when it is false, and the method is GET or HEAD).
    """
    damage, step = facts.damage, facts.step
    if damage is None or any(one.status == 304 for one in facts.history):
        return
    if damage.needless and not suffix_of(step):
        named = step.condition(Guard.DIFFERENT)
        dated = step.condition(Guard.DIFFERENT_DATE) if named is None else None
        fetched = fetched_throughout(facts)
        if dated is not None:
            yield note(damage.text, 2.4 if fetched else 3.2, step, dated.called)
            return
        if named is None or step.etag not in named.tokens or told_elsewhere(facts) is not None:
            return
        yield note(damage.text, 3.0 if fetched else 4.5, step, named.called)
        if step.hops and all(named.name in hop.request.fields for hop in step.hops):
            yield note(f"the origin got {named.called} and did not heed it", 2.0, step.hops[-1], named.called)
    elif damage.contradicted and step.status in {200, 206}:
        yield note("no read of the resource ever got a 304", 4.5, step, "If-None-Match")
