"""Detect `weak-only-origin`: the origin never sends strong tags, so If-Match can never match."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.links.damages import Reason
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reads.wasted_reads import told_of_waste
from ifmatch.diagnosis.reads.weak_tags import of_milliseconds, weak_uncoded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "weak-only-origin"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from weak tags without content coding, also at the origin.

    Source: RFC 9110 sections 8.8.3.2 and 13.1.1 (If-Match compares strongly).
    """
    yield from told_of_waste(facts, Reason.WEAK_ONLY)
    token = facts.token
    if not facts.refused or token is None or facts.guard is None or not facts.guard.well_formed:
        return
    if not facts.weak_token or not facts.issues:
        yield from _not_given(facts)
        return
    yield note(
        f"the token {token} is weak; If-Match compares strongly, so it can never match",
        1.5,
        facts.step,
        "If-Match",
    )
    seen = [(step.etag, step) for step in facts.history if step.etag is not None]
    strong = next((step for tag, step in seen if not tokens.is_weak(tag)), None)
    if strong is not None:
        yield note("strong tags are seen as well", -5.0, strong, "ETag")
    if any(step.accepted and step.guard is not None and step.guard.weak for step in facts.history):
        yield note("the server accepted a weak tag in If-Match at another time", -4.0)
    dated = [
        step
        for step in facts.attempts
        if step.refused and step.guard is not None and step.guard.guard is Guard.SAME_DATE
    ]
    if dated and facts.token_again:
        yield note("a date met the same refusal, though nothing had moved", -4.0, dated[0])
    origin = [tag for step in facts.history if (tag := facts.upstream_tag(step)) is not None]
    if origin:
        weak = all(tokens.is_weak(tag) for tag in origin)
        text = "the origin itself sends it weak" if weak else "the origin sends strong tags"
        yield note(text, 5.0 if weak else -5.0, facts.source, "ETag")
    if facts.state_moved:
        yield note("the state moved as well", -1.5, facts.refresh, "ETag")
    if _weak_by_dialect(facts):
        yield note("this API compares weak tags in If-Match by its own rules", -4.0, facts.step)
    if facts.source is not None:
        yield from _of_the_read(facts.source)
        if facts.source.coding and (plain := weak_uncoded(facts)) is not None:
            yield note("the tag is as weak where nothing is encoded", 4.0, plain, "ETag")
    if len(seen) > 1 and all(tokens.is_weak(tag) for tag, _ in seen):
        yield note("every tag of this resource in the evidence is weak", 0.7, seen[-1][1], "ETag")


def _not_given(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a token that no answer gave out, or that is not weak itself."""
    damaged = facts.damaged_from
    if damaged is not None and damaged[1] == "weakness-removed":
        text = f"the server only offers the weak {damaged[0].etag}; the client dropped the W/ in vain"
        yield note(text, 3.5, damaged[0], "ETag")
    elif facts.weak_token:
        yield from _as_now(facts)


def _of_the_read(source: Step) -> Iterator[Evidence]:
    """Yield evidence from the answer that gave the token."""
    if source.uncoded:
        yield note("the tag is weak although the answer is not encoded", 2.5, source, "ETag")
    elif source.coding:
        yield note("the weak tag came with a content coding", -1.0, source, "Content-Encoding")
    if source.uncoded and of_milliseconds(source):
        text = "the tag counts milliseconds, as servers do that mark all of theirs weak"
        yield note(text, 1.5, source, "ETag")


def _as_now(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from how the present version is tagged, where the read of the token is not recorded."""
    reads = [step for step in facts.own_reads_after if step.etag is not None]
    plain = [step for step in reads if step.uncoded]
    if not plain or not all(tokens.is_weak(step.etag or "") for step in reads) or _weak_by_dialect(facts):
        return
    text = f"the token {facts.token} is weak; If-Match compares strongly, so it can never match"
    yield note(text, 1.5, facts.step, "If-Match")
    text = "the present version's tag is weak as well, although the answer is not encoded"
    yield note(text, 2.5, plain[0], "ETag")
    if any(step.coding for step in reads):
        yield note("answers of this service are encoded on request", -1.5, plain[0], "Content-Encoding")
    if any(step.cache_marked for step in reads):
        yield note("the answers passed an intermediary", -1.0, plain[0], "Via")


def _weak_by_dialect(facts: Facts) -> bool:
    """Tell whether the traffic speaks OData, FHIR or SAP, which document weak comparison."""
    fields = facts.step.received
    if fields is not None and any(
        name in fields for name in ("odata-version", "dataserviceversion", "sap-message-scope")
    ):
        return True
    words = facts.error_text + (
        facts.source.content.text[:2000] if facts.source and facts.source.content else ""
    )
    told = ("odata", "OperationOutcome", "UpdateConditionNotSatisfied", "datetime'")
    return any(word in words for word in told) or _of_fhir(facts.source)


def _of_fhir(source: Step | None) -> bool:
    """Tell whether an answer is a FHIR resource; SCIM says in its `meta` what type a thing is."""
    shown = source.view.json if source is not None else None
    return isinstance(shown, dict) and "resourceType" in cast("dict[str, object]", shown)
