"""Detect `self-race`: two writes of one client on one token were in flight together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.aftermath.own_in_flight import own_in_flight
from ifmatch.diagnosis.facts.bursts import beaten_by, raced_beside
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.dates import span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "self-race"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a refused write that overlaps an accepted one of the same actor."""
    if not facts.refused or not facts.step.is_write:
        return
    under_way = own_in_flight(facts)
    if under_way is not None:
        text = f"{facts.step.actor}'s own other write on it was under way, and was carried out"
        yield note(f"{text} ({under_way.status})", 6.5, under_way)
        return
    if facts.guard is None:
        return
    for other in facts.overlapping_own[:1]:
        lag = abs(facts.step.start - other.start)
        text = (
            f"{facts.step.actor} had another write on the same token in flight, begun "
            f"{span(lag)} apart; it won ({other.status})"
        )
        yield note(text, 6.5, other)
        if same_content(other.body, facts.step.body):
            yield note("both carry the same content: a double submit", 0.5, other)
    if facts.overlapping_own:
        return
    won = beaten_by(facts)
    if won is not None:
        yield note("several writes on the same token went out together; the first of them won", 5.5, won)
        return
    beside = raced_beside(facts)
    if beside is not None:
        won, raced = beside
        gap = span(facts.step.start - won.end)
        yield note(f"another own write on the same token was answered {gap} before; it won", 2.5, won)
        yield note(f"{facts.step.actor} had two writes on one token in flight elsewhere", 3.5, raced)
        return
    for other in facts.unordered_own[:1]:
        yield note("an accepted write on the same token falls into the same tick of the clock", 2.4, other)
