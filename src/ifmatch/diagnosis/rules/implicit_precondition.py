"""Detect `implicit-precondition`: a layer that the developer did not write added the condition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.evidence import note
from ifmatch.dialects import Meaning, compares_inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "implicit-precondition"

_CACHING_CLIENTS = re.compile(r"CFNetwork|okhttp|Mozilla|Dalvik|axios|undici|node-fetch", re.IGNORECASE)


def _compared_inside(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a version conflict that answers a request without any condition."""
    step = facts.step
    refusal = step.refusal
    if not step.is_write or step.conditions or refusal is None or step.dialect is None:
        return
    if refusal.meaning is Meaning.MISMATCH and compares_inside(step.view, step.dialect):
        text = (
            f"{step.dialect.name} speaks of a version conflict, and the request names no version: "
            "the service reads, compares and writes within"
        )
        yield note(text, 4.5, step)


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a cache's validator on an unsafe method.

    Source: RFC 9111 section 4.3.1 (If-None-Match is what caches add to validate).
    """
    step = facts.step
    yield from _compared_inside(facts)
    if not step.is_write or step.status not in {412, 304} or facts.damage is not None:
        return
    condition = step.condition(Guard.DIFFERENT, Guard.DIFFERENT_DATE)
    if condition is None or step.condition(Guard.EXISTS, Guard.ABSENT) is not None:
        return
    own = step.condition(Guard.SAME)
    if own is not None and set(own.tokens).isdisjoint(condition.tokens):
        return
    if own is not None:
        text = f"{own.name} and {condition.name} name one tag: no state fulfils both, and nobody means that"
        yield note(text, 2.5, step, condition.name)
    yield note(
        f"{condition.name} with a stored validator on {step.method}: what a cache adds, not an application",
        5.5,
        step,
        condition.name,
    )
    if any(condition.tokens and condition.tokens[0] in one.issued() for one in facts.own(facts.earlier)):
        yield note(
            "the value is the tag of an earlier read",
            1.0,
            facts.own_reads_before[-1] if facts.own_reads_before else None,
            "ETag",
        )
    if _CACHING_CLIENTS.search(step.sent.text("user-agent") or ""):
        yield note("this kind of client keeps a cache of its own", 0.5, step, "User-Agent")
