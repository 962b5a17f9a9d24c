"""Detect `representation-mismatch`: the token belongs to another representation than the one compared."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.views_apart import views_apart
from ifmatch.diagnosis.links.damages import Reason
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.links.negotiated import represented, variant_fields
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.projections import projection
from ifmatch.diagnosis.reads.wasted_reads import told_of_waste
from ifmatch.diagnosis.steps.resources import host_of, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.facts.views_apart import Apart
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "representation-mismatch"
# A form says what to do; it is no representation of what is shown as something else.
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
# So many steps before and after other things of the service are looked at.
_NEAR = 60


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a token that one negotiated variant keeps while another carries another tag.

    Source: RFC 9110 sections 8.8.3 and 12.5.5 (each representation has its own tag; Vary names the fields).
    """
    yield from told_of_waste(facts, Reason.REPRESENTATION)
    guard = facts.guard
    if not facts.refused or guard is None or guard.guard is not Guard.SAME or facts.token is None:
        return
    source = facts.source
    if source is None:
        yield from _projection(facts)
        return
    if not (source.is_read or source.accepted):
        return
    source = represented(source, facts.history)
    named, differs, typed = _differences(facts, source)
    if not (named or differs or typed):
        return
    if named:
        yield note(f"the read asked with {named}, which Vary names; the write did not", 2.5, source, "Vary")
    elif differs:
        yield note(f"the read asked with another {differs} than the write", 1.0, source, differs)
    if typed:
        yield note(
            f"the token was issued for {typed}, the write carries another media type",
            1.0,
            source,
            "Content-Type",
        )
    yield from _other_variant(facts, source)
    yield from _siblings(facts, source)
    if facts.state_moved or facts.foreign_writes:
        yield note("the state moved in the representation that the token names", -3.0, facts.refresh, "ETag")
    later = facts.passed_later
    asked = later is not None and later.variant == source.variant
    typed_so = later is not None and _type(later) == typed and typed != ""
    if later is not None and asked and (named or differs or typed_so):
        yield note("the same token passed when the write asked as the read had asked", 4.0, later)
    passed = next((step for step in facts.earlier if _passed_alike(step, facts, source)), None)
    if passed is not None:
        yield note("a write asked for in this way had passed with a token read in this way", -4.0, passed)


def _type(step: Step) -> str:
    """Return the media type of what a request carries."""
    return (step.sent.text("content-type") or "").partition(";")[0].strip().lower()


def _differences(facts: Facts, source: Step) -> tuple[str, str, str]:
    """Return the negotiation field that Vary names, another that differs, and the media type issued for."""
    vary = (source.header("vary") or "").lower()
    differs = [
        name
        for name, one, two in zip(variant_fields(source), source.variant, facts.step.variant, strict=True)
        if one != two and one not in {"", "*/*"}
    ]
    named = next((name for name in differs if name in vary), "")
    sent = _type(facts.step)
    served = source.kind[0]
    typed = (
        served
        if sent
        and served
        and sent not in _FORMS
        and sent != served
        and not served.endswith(f"+{sent.partition('/')[2]}")
        and "json" in sent + served
        and facts.step.method == "PUT"
        else ""
    )
    return named, differs[0] if differs else "", typed


def _other_variant(facts: Facts, source: Step) -> Iterator[Evidence]:
    for step in facts.history:
        if step.etag is None or not step.read_ok or step.variant == source.variant:
            continue
        if tokens.base(step.etag) == tokens.base(facts.token or ""):
            continue
        if facts.token_again:
            yield note(
                f"another variant carries {step.etag} while this one keeps the refused token",
                4.0,
                step,
                "ETag",
            )
            return
        if not facts.comparable(step) and step.kind != source.kind:
            yield note(
                f"as {' '.join(step.kind).strip()} the resource carries {step.etag}", 3.0, step, "ETag"
            )
            return
    if facts.token_again and facts.passed_later is None:
        yield note("the same variant still shows the refused token", 1.5, facts.refresh, "ETag")


def _siblings(facts: Facts, source: Step) -> Iterator[Evidence]:
    """Yield evidence from writes of the same kind to other things, by the type that was read before."""
    step = facts.step
    host, sent = host_of(step.resource), _type(step)
    if not sent or _FORMS & {sent} or source.kind[0] in {"", sent}:
        return
    steps = facts.case.steps[max(0, step.order - _NEAR) : step.order + _NEAR]
    shown: dict[tuple[str, str], str] = {}
    for one in facts.own(steps):
        if one.is_read and one.status == HTTPStatus.OK and one.etag is not None:
            shown[one.resource, tokens.base(one.etag)] = one.kind[0]
        guard = one.guard
        if not one.accepted or one.method != step.method or guard is None or _type(one) != sent:
            continue
        if one.resource == step.resource or host_of(one.resource) != host:
            continue
        read_as = {shown.get((one.resource, tokens.base(token)), "") for token in guard.tokens}
        if source.kind[0] in read_as:
            yield note("another thing's tag of the same media type was accepted", -4.0, one)
            return
        if sent in read_as:
            yield note(f"another thing that was read as {sent} was written with its tag", 2.0, one)
            return


def _passed_alike(step: Step, facts: Facts, source: Step) -> bool:
    if not (step.accepted and step.variant == facts.step.variant and step.guard is not None):
        return False
    return any(
        one.read_ok and one.variant == source.variant and one.etag in step.guard.tokens
        for one in facts.earlier
    )


def _projection(facts: Facts) -> Iterator[Evidence]:
    apart = views_apart(facts)
    if apart is not None:
        yield from _apart(apart)
        return
    other = facts.elsewhere
    if (
        other is None
        or path_of(other.resource).partition("?")[0] != path_of(facts.step.resource).partition("?")[0]
    ):
        return
    asked = projection(other.resource, facts.step.resource)
    if asked:
        yield note(
            f"the token was issued for another view of the same thing ({', '.join(asked)})",
            5.5,
            other,
            "ETag",
        )


def _apart(apart: Apart) -> Iterator[Evidence]:
    chosen = " and ".join(f"`{name}`" for name in apart.names)
    yield note(
        f"the token was issued for the view that {chosen} chooses; the write names none", 3.0, apart.view
    )
    if apart.shown is not None:
        yield note("that view still shows the refused token: nothing had changed", 1.5, apart.shown)
    text = (
        f"the same token passed where the write named {chosen} as the read had"
        if apart.named
        else "the write passed with the token of the view without it"
    )
    yield note(text, 4.0, apart.passed)
