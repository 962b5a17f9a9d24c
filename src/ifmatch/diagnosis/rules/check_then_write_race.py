"""Detect `check-then-write-race`: the check is right but not atomic with the write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.losses.unseen_writes import check_works
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.steps.resources import beside_each_other

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "check-then-write-race"
# So many steps before and after a write others of the kind are looked for.
_NEAR = 40


def one_version_made(facts: Facts) -> bool:
    """Tell whether a write and the one that it overwrote were answered with one version that counts on.

    Args:
        facts: of a write.
    """
    lost, made, token = facts.damage.lost if facts.damage else None, facts.step.etag, facts.token
    if lost is None or made is None or token is None:
        return False
    return lost.accepted and lost.etag == made and tokens.steps_on(token, made) == 1


def _works_beside(facts: Facts) -> Step | None:
    """Return a write that was refused on a spent token of another thing of the kind, at about that time."""
    step, case = facts.step, facts.case
    for one in case.steps[max(0, step.order - _NEAR) : step.order + _NEAR]:
        if one.is_write and one.refused and one.guard is not None:
            if one.resource == step.resource or not beside_each_other(one.resource, step.resource):
                continue
            works = check_works(case.history_of(one.resource))
            if works is not None:
                return works
    return None


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from two accepted writes on one token that were in flight together.

    Source: RFC 9110 section 13.2.1 (the condition is evaluated just before the action).
    """
    damage, guard = facts.damage, facts.guard
    if damage is None or guard is None or damage.lost is None:
        return
    if damage.stale_accepted and not damage.overlap and facts.step.unordered(damage.lost):
        if any(damage.lost.presents(token) for token in guard.tokens):
            text = "two writes on one token were accepted within one tick of the clock"
            yield note(text, 3.0 if facts.step.hops else 1.5, damage.lost, guard.called)
            if one_version_made(facts):
                text = f"both were answered with {facts.step.etag}: both had been compared before"
                yield note(text, 4.5, damage.lost)
        return
    if not damage.overlap:
        return
    if damage.slipped:
        # Whether the other write was compared at all is not in the evidence: no more than a likely cause.
        yield note(damage.text, 2.0, damage.lost, guard.called)
        works = check_works(facts.history) or _works_beside(facts)
        if works is not None:
            yield note("a spent token is refused at other times: the check itself works", 0.7, works)
        return
    yield note(
        "two writes on one token were in flight together, and both were accepted",
        6.0,
        damage.lost,
        guard.name,
    )
    refused = [step for step in facts.history if step.refused and step.guard is not None]
    if refused:
        yield note("a stale token is refused at other times: the check itself works", 1.5, refused[0])
