"""Detect `null-token`: a literal null, an empty tag or a placeholder was sent as token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.evidence import note
from ifmatch.diagnosis.resources import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "null-token"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from the words that programs print where they have no value."""
    guard = facts.guard
    if guard is None or guard.guard not in {Guard.SAME, Guard.SAME_DATE} or not guard.tokens:
        return
    token = guard.tokens[0]
    if facts.issues:
        return
    if not tokens.null_word(token):
        yield from _fresh_record(facts, token)
        return
    shown = f"`{guard.name}: {guard.value}`" if guard.value.strip() else f"an empty {guard.name}"
    yield note(f"{shown} is what a program prints when it has no token", 7.0, facts.step, guard.name)
    reads = [step for step in facts.own_reads_before if step.etag is not None]
    if reads:
        yield note(f"the client had been given {reads[-1].etag}", 0.5, reads[-1], "ETag")


def _fresh_record(facts: Facts, token: str) -> Iterator[Evidence]:
    """Yield evidence from a version 0 that several resources were sent, and none had given out."""
    step = facts.step
    if facts.damage is not None and tokens.zero(token) and facts.damage.stale_accepted:
        yield note(
            f"{token} names no version: it is what a record holds before its version was read", 5.5, step
        )
        return
    if not facts.refused or not tokens.zero(token) or facts.case.issued.get(tokens.opaque(token)):
        return
    others = [
        one
        for one in facts.case.steps
        if one.actor == step.actor and one.resource != step.resource and one.is_write and one.presents(token)
    ]
    if any(one.accepted for one in others):
        return
    read = any(one.etag is not None for one in facts.own_reads_before)
    if others and not read:
        text = f"{token} is what a record holds before its version was read, and no answer gave it out"
        yield note(text, 2.0, step)
        text = f"the same {token} was sent for {path_of(others[0].resource)} as well"
        yield note(text, 2.0, others[0])
