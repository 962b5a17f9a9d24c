"""Detect `precondition-stripped`: a proxy removes the precondition before the origin sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.conditions import carries
from ifmatch.diagnosis.contents import value_at
from ifmatch.diagnosis.evidence import note
from ifmatch.diagnosis.lost_members import lost_versions
from ifmatch.dialects import Meaning
from ifmatch.model.message import Content

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
    if guard is None and step.is_write:
        yield from _taken_out(facts)
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


def _taken_out(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a version, sent in the content as it was read, that the origin did not get."""
    step = facts.step
    hop = step.hops[-1] if step.hops else None
    content = hop.request.content if hop is not None else None
    sent = step.exchange.request.content
    if hop is None or not (isinstance(content, Content) and content.complete and isinstance(sent, Content)):
        return
    shown = [one.representation for one in facts.own(facts.earlier) if one.representation is not None]
    for pointer in lost_versions(sent, content):
        value = str(value_at(sent, pointer))
        if any(str(value_at(read, pointer)) == value for read in shown):
            yield note(f"the client sent {pointer}, as it was read; it is absent at the origin", 8.5, hop)
            return
