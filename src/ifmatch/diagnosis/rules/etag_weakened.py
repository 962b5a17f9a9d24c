"""Detect `etag-weakened`: something on the way turned a strong tag into a weak one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.damages import Reason
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reads.wasted_reads import told_of_waste
from ifmatch.diagnosis.reads.weak_tags import made_weak, weak_uncoded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "etag-weakened"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a weak token whose opaque part is strong elsewhere, or came with a coding.

    Source: RFC 9110 sections 8.8.3.2 and 13.1.1 (If-Match compares strongly).
    """
    yield from told_of_waste(facts, Reason.WEAKENED)
    yield from _never_known(facts)
    if not facts.refused or not facts.weak_token or facts.token is None:
        return
    yield from _told_strong(facts)
    if not facts.issues and facts.damaged_from is None and not any(one.etag for one in facts.history):
        text = f"the token {facts.token} is weak; If-Match compares strongly, so it can never match"
        yield note(text, 2.5, facts.step, "If-Match")
    source = facts.source
    if not facts.issues or source is None:
        yield from _as_now(facts)
        return
    yield note(
        f"the token {facts.token} is weak; If-Match compares strongly, so it can never match",
        1.5,
        facts.step,
        "If-Match",
    )
    origin = next((tag for step in facts.issues if (tag := facts.upstream_tag(step)) is not None), None)
    if origin is not None:
        if tokens.is_weak(origin):
            yield note("the origin itself sends it weak", -6.0, source, "ETag")
        else:
            yield note(f"the origin sent {origin}: it was weakened on the way", 6.0, source, "ETag")
    yield from _strong_twin(facts)
    plain = weak_uncoded(facts) if source.coding else None
    if plain is not None and origin is None:
        yield note("the tag is as weak where nothing is encoded", -4.0, plain, "ETag")
    if source.coding:
        yield note(
            f"the weak tag came with Content-Encoding: {source.coding}", 3.0, source, "Content-Encoding"
        )
    elif any(step.coding for step in facts.own(facts.issues)):
        yield note("other answers with this tag were encoded", 2.0, source, "Content-Encoding")
    elif source.cache_marked:
        yield note("the answer passed an intermediary", 1.0, source, "Via")
    elif source.uncoded:
        yield note("the tag is weak without any content coding", -1.5, source, "ETag")
    else:
        yield note("whether the answer was encoded is not in the evidence", -0.1, source, "Content-Encoding")
    if facts.token_again:
        yield note(
            "the same weak tag came back after the refusal: the state did not move",
            0.5,
            facts.refresh,
            "ETag",
        )


def _never_known(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from reads that ask with a tag that was weakened on the way, and never get a 304.

    Source: RFC 9110 section 13.1.2 (If-None-Match compares weakly; not all origins do).
    """
    damage, named = facts.damage, facts.step.condition(Guard.DIFFERENT)
    if damage is None or not damage.needless or named is None or not named.of_one:
        return
    if any(named.name not in hop.request.fields for hop in facts.step.hops):
        # The origin never heard of it.
        return
    found = made_weak(facts, named.tokens[0]) if named.tokens else None
    if found is None:
        return
    gave, origin = found
    if gave.resource == facts.step.resource:
        text = f"the origin sent {origin}: it was weakened on the way, and is not known again there"
        yield note(text, 6.0, gave, "ETag")
    else:
        text = f"{origin} is weak where it comes with a content coding: an encoder weakens what it encodes"
        yield note(text, 5.0, gave, "ETag")
    if facts.step.coding:
        text = f"the weak tag came with Content-Encoding: {facts.step.coding}"
        yield note(text, 2.0, facts.step, "Content-Encoding")


def _as_now(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from how the present version is tagged, where the read of the token is not recorded."""
    reads = [step for step in facts.own_reads_after if step.etag is not None]
    weak = [step for step in reads if tokens.is_weak(step.etag or "")]
    if not weak or tokens.shape(weak[0].etag or "") != tokens.shape(facts.token or ""):
        return
    bare = {tokens.opaque(step.etag or "") for step in weak}
    for step in reads:
        if step not in weak and not step.coding and tokens.opaque(step.etag or "") in bare:
            text = f"the present version is {weak[0].etag} with content coding and {step.etag} without"
            yield note(f"{text}: an encoder weakens what it encodes", 6.0, step, "ETag")
            return
    if weak[0].coding:
        text = f"the present version's tag is weak as well, and comes with {weak[0].coding}"
        yield note(text, 3.0, weak[0], "Content-Encoding")
        if weak[0].cache_marked:
            yield note("the answer passed an intermediary", 1.5, weak[0], "Via")


def _told_strong(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a tag that the server sends strong and the client sends weak."""
    damaged = facts.damaged_from
    if damaged is not None and damaged[1] == "weakness-added" and not facts.step.forwarded:
        # The client may have got it before its capture began; who makes it up seldom puts W/ before it.
        shown = damaged[0].actor == facts.step.actor and damaged[0].order < facts.step.order
        if not shown:
            text = f"the server sends {damaged[0].etag}; where the client got the weak one is not recorded"
            yield note(text, 5.0, damaged[0], "ETag")
    elif damaged is not None and damaged[1] == "weakness-added":
        yield note(
            f"the server sends {damaged[0].etag}; what comes back through an intermediary is weak",
            6.0,
            damaged[0],
            "ETag",
        )


def _strong_twin(facts: Facts) -> Iterator[Evidence]:
    wanted = tokens.opaque(facts.token or "")
    for step in facts.history:
        if step.etag is not None and not tokens.is_weak(step.etag) and tokens.opaque(step.etag) == wanted:
            plain = not step.coding
            weight = 4.0 if plain else 2.0
            yield note(
                f"the same tag is strong on another answer ({step.method} {step.status})",
                weight,
                step,
                "ETag",
            )
            return
