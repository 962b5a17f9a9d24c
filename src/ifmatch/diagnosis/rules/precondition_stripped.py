"""Detect `precondition-stripped`: a proxy removes the precondition before the origin sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.conditions import carries
from ifmatch.diagnosis.contents import value_at
from ifmatch.diagnosis.evidence import note
from ifmatch.diagnosis.habit_evidence import called_version
from ifmatch.diagnosis.message_members import sent
from ifmatch.dialects import Meaning
from ifmatch.dialects.pointers import values_at
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

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
    for member in sent(step) if step.hops else ():
        if member.where != "body" or not called_version(member.word):
            continue
        read = any(member.value == str(value_at(one.representation, member.name)) for one in facts.own(facts.earlier))
        hop = step.hops[-1]
        content = hop.request.content
        record = content.json() if isinstance(content, Content) and content.complete else UNKNOWN
        if read and isinstance(record, dict) and not any(True for _ in values_at(record, member.name)):
            yield note(f"the client sent {member.name}; it is absent at the origin", 8.5, hop)
            return
