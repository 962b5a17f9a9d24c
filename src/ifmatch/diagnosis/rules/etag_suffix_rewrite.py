"""Detect `etag-suffix-rewrite`: an encoder appends a coding suffix and the comparer does not know it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.damages import Reason
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reads.revalidations import suffix_of
from ifmatch.diagnosis.reads.wasted_reads import told_of_waste

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "etag-suffix-rewrite"
_SUFFIX = re.compile(r"[-+;:._~]{1,2}[A-Za-z][A-Za-z0-9]{1,9}")


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a suffixed token and its bare twin.

    Source: RFC 9110 section 8.8.3.3 (a content coding is another representation with another tag).
    """
    yield from told_of_waste(facts, Reason.SUFFIX)
    token, source = facts.token, facts.source
    if facts.damage is not None:
        yield from _never_unmodified(facts)
        return
    if not facts.refused or token is None:
        return
    bare, suffix = _split(facts)
    if not suffix:
        return
    if (
        facts.step.dialect is not None
        and suffix in facts.step.dialect.suffixes
        and _bare(facts, bare) is None
    ):
        # The family knows the ending of its own tags, as long as nothing shows that it does not.
        return
    yield note(f"the token ends in {suffix}, which encoders append", 2.0, facts.step, "If-Match")
    if source is not None and source.coding:
        yield note(f"it was issued on a {source.coding} answer", 2.0, source, "Content-Encoding")
    elif source is not None:
        yield note("it was issued on an answer without content coding", -1.5, source, "Content-Encoding")
    origin = facts.upstream_tag(source) if source is not None else None
    if origin is not None and tokens.opaque(origin) == bare:
        yield note(f"the origin had sent {origin}: the suffix was added on the way", 4.0, source, "ETag")
    elif origin is not None and tokens.opaque(origin) == tokens.opaque(token):
        yield note("the origin itself sent it with the suffix", -5.0, source, "ETag")
    yield from _twin(facts, bare)
    passed = next((step for step in facts.history if _passed(step, suffix)), None)
    if passed is not None:
        yield note("a token with the same suffix was accepted at another time", -5.0, passed, "If-Match")
    if facts.token_again:
        yield note(
            "the same suffixed tag came back after the refusal: the state did not move",
            1.5,
            facts.refresh,
            "ETag",
        )
    elif facts.state_moved and (now := _as_now(facts, suffix)) is not None:
        coded, plain = now
        text = f"the present version is {coded.etag} with content coding and {plain.etag} without"
        yield note(f"{text}: an encoder appends {suffix} to every tag", 4.5, coded, "ETag")
    elif facts.state_moved:
        yield note("the state moved as well", -3.5, facts.refresh, "ETag")


def _never_unmodified(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a suffixed tag that is given out again and again, and never known again."""
    reads = list(facts.damage.needless) if facts.damage is not None else []
    suffix = suffix_of(reads[-1]) if reads else ""
    if not suffix or len({tokens.opaque(step.etag or "") for step in reads}) != 1:
        return
    yield note(
        f"the tag ends in {suffix}, which encoders append, and is never known again", 4.0, reads[-1], "ETag"
    )
    if reads[-1].coding:
        yield note(f"it comes on {reads[-1].coding} answers", 2.0, reads[-1], "Content-Encoding")
    origin = facts.upstream_tag(reads[-1])
    if origin is None:
        return
    bare = tokens.opaque(origin) == tokens.strip_suffix(tokens.opaque(reads[-1].etag or ""))[0]
    text = f"the origin sends {origin}"
    if bare:
        yield note(f"{text}: the suffix is added on the way", 4.0, reads[-1], "ETag")
    else:
        yield note(f"{text}, with the suffix", -5.0, reads[-1], "ETag")


def _bare(facts: Facts, bare: str) -> Step | None:
    """Return the actor's later write that passed with the tag without the ending."""
    later = facts.own(facts.later)
    return next((step for step in later if step.accepted and step.presents(f'"{bare}"')), None)


def _split(facts: Facts) -> tuple[str, str]:
    """Return the bare tag and the suffix: a known one, or what the tag of an uncoded answer lacks."""
    token, source = tokens.opaque(facts.token or ""), facts.source
    bare, suffix = tokens.strip_suffix(token)
    if suffix or source is None or not source.coding:
        return bare, suffix
    for step in facts.history:
        other = tokens.opaque(step.etag or "")
        if other and not step.coding and token.startswith(other) and _SUFFIX.fullmatch(token[len(other) :]):
            return other, token[len(other) :]
    return token, ""


def _as_now(facts: Facts, suffix: str) -> tuple[Step, Step] | None:
    """Return reads of the present version with and without content coding whose tags differ by the suffix."""
    reads = [step for step in facts.own_reads_after if step.etag is not None]
    plain = {tokens.opaque(step.etag or ""): step for step in reads if not step.coding}
    for step in reads:
        tag = tokens.opaque(step.etag or "")
        if step.coding and tag.endswith(suffix) and tag.removesuffix(suffix) in plain:
            return step, plain[tag.removesuffix(suffix)]
    return None


def _passed(step: Step, suffix: str) -> bool:
    guard = step.guard
    return (
        step.accepted
        and guard is not None
        and any(tokens.opaque(token).endswith(suffix) for token in guard.tokens)
    )


def _twin(facts: Facts, bare: str) -> Iterator[Evidence]:
    for step in facts.history:
        if step.etag is not None and step.status != 412 and tokens.opaque(step.etag) == bare:
            yield note(f"the resource also shows {step.etag}, without the suffix", 3.0, step, "ETag")
            break
    passed = _bare(facts, bare)
    if passed is not None:
        yield note("the write passed with the bare tag", 4.0, passed, "If-Match")
    if facts.step.etag is not None and tokens.opaque(facts.step.etag) == bare:
        yield note("the refusal itself shows the tag without the suffix", 3.0, facts.step, "ETag")
