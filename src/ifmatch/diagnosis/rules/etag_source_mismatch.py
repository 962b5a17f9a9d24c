"""Detect `etag-source-mismatch`: two code paths compute the tag differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.contents import holds
from ifmatch.diagnosis.evidence import note
from ifmatch.diagnosis.likeness import names_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "etag-source-mismatch"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from two tags for one state: HEAD and GET, a write's or a refusal's answer and a read.

    Source: RFC 9110 section 9.3.2 (HEAD carries the same fields as GET).
    """
    if not facts.refused or facts.token is None or facts.guard is None:
        return
    yield from _head_and_get(facts)
    yield from _write_and_read(facts)
    refusal = facts.step.etag
    if (
        refusal is not None
        and facts.issues
        and facts.token_again
        and tokens.shape(refusal) != tokens.shape(facts.token)
    ):
        yield note(
            f"the refusal shows {refusal}, of another form than the tag that reads show",
            5.0,
            facts.step,
            "ETag",
        )
    elif refusal is not None and facts.issues and tokens.shape(refusal) != tokens.shape(facts.token):
        yield note(
            f"the refusal shows {refusal}, of another form than {facts.token}", 3.0, facts.step, "ETag"
        )
    current = facts.current_tag
    unheard = not facts.issues and facts.damaged_from is None and facts.elsewhere is None
    if (
        current is not None
        and unheard
        and tokens.shape(current) != tokens.shape(facts.token)
        and not tokens.null_word(facts.token)
        and facts.guard.well_formed
    ):
        yield note(
            f"the resource shows {current}, of another form than the token {facts.token}",
            2.5,
            facts.refresh,
            "ETag",
        )
        if facts.inside is not None:
            yield note("the token stands in the content of an earlier answer", 1.0, facts.inside)


def _head_and_get(facts: Facts) -> Iterator[Evidence]:
    for one in facts.history:
        if one.method != "HEAD" or one.status != 200 or one.etag is None:
            continue
        for two in facts.history:
            if two.method != "GET" or two.status != 200 or two.etag is None or one.etag == two.etag:
                continue
            same = one.variant == two.variant and one.sent.text("accept-encoding") == two.sent.text(
                "accept-encoding"
            )
            first, last = sorted((one, two), key=lambda step: step.order)
            between = [
                step for step in facts.history if step.is_write and first.order < step.order < last.order
            ]
            # A refusal between them hints at a change that nobody saw: then more must tell the paths apart.
            apart = tokens.shape(one.etag) != tokens.shape(two.etag)
            dated = first.settled and one.last_modified == two.last_modified
            quiet = not between or (not any(step.accepted for step in between) and (apart or dated))
            strong = tokens.opaque(one.etag) != tokens.opaque(two.etag)
            still = one.last_modified == two.last_modified
            if same and quiet and strong and still:
                yield note(
                    f"asked in the same way, HEAD shows {one.etag} and GET {two.etag}", 7.5, one, "ETag"
                )
                return


def _write_and_read(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a token out of a write's answer, when reads show another form of tag."""
    source = facts.source
    if source is None or not source.accepted or source.etag is None:
        return
    reads = [step for step in facts.history if step.read_ok and step.etag is not None]
    writes = [step for step in facts.history if step.accepted and step.replaces and step.etag is not None]
    if not reads:
        return
    answer = source.content
    if answer is not None and not holds(answer, source.body) and names_text(source.etag, answer):
        text = f"{source.etag} is the checksum of the write's answer, not of what was stored"
        yield note(text, 6.0, source, "ETag")
        return
    read_forms = {tokens.shape(step.etag or "") for step in reads}
    write_forms = {tokens.shape(step.etag or "") for step in writes}
    near = next((step for step in reads if step.order > source.order), reads[-1])
    if read_forms.isdisjoint(write_forms) and tokens.opaque(near.etag or "") != tokens.opaque(source.etag):
        text = (
            f"the write was answered with {source.etag}, of another form than {near.etag}, which reads show"
        )
        yield note(text, 5.0, near, "ETag")
