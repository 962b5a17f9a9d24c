"""Detect `cors-hidden-etag`: a script cannot read the ETag across origins and sends none or a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.version_words import version_field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "cors-hidden-etag"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a cross-origin read whose ETag was not exposed to the script.

    Source: Fetch standard, CORS-safelisted response-header names (ETag is not among them).
    """
    step = facts.step
    if not step.is_write:
        return
    if facts.damage is not None and facts.damage.blocked:
        weight = 6.5 if facts.damage.proven else 1.8
        yield note(facts.damage.text, weight, facts.damage.lost, "Access-Control-Allow-Headers")
        preflight = facts.damage.lost or step
        heard = [one.request.fields.text("origin") for one in step.hops]
        origin = step.sent.text("origin") or preflight.sent.text("origin") or next(iter(heard), None)
        yield note(f"a page of {origin} asked across origins", 0.5, preflight, "Origin")
        return
    if not facts.cross_origin:
        return
    blind = facts.token is None or tokens.null_word(facts.token)
    overwrote = facts.damage is not None and facts.damage.lost is not None and facts.guard is None
    if not blind or not (facts.refused or facts.token is not None or overwrote):
        return
    read = hidden(facts)
    if read is None:
        return
    yield note(f"a page of {step.sent.text('origin')} read the resource across origins", 3.0, read, "Origin")
    name = _carrier_of(read)
    told = read.header(name) or ""
    text = (
        f"the answer carries {told} in {name}, but Access-Control-Expose-Headers does not name it: "
        "the script gets null"
    )
    yield note(text, 5.5, read, "Access-Control-Expose-Headers")


def _carrier_of(read: Step) -> str:
    """Return the field that carries the version of an answer, "" without one.

    Args:
        read: an answer.
    """
    if read.header("etag") is not None:
        return "ETag"
    return next((name for name, _ in read.received or () if version_field(name)), "")


def _by_page(facts: Facts) -> list[Step]:
    """Return the reads that the same page sent, under whatever name of its browser."""
    page, source = facts.step.sent.text("origin"), facts.step.source
    return [
        one
        for one in facts.history
        if one.read_ok and one.source == source and one.sent.text("origin") == page
    ]


def hidden(facts: Facts) -> Step | None:
    """Return the read across origins whose version the script may not see, None where it sees it.

    Args:
        facts: of a write by a page.
    """
    # What is read right after the refusal is shown to the script as what it read before.
    for read in reversed(facts.own_reads_before or facts.own_reads_after or _by_page(facts)):
        name = _carrier_of(read)
        if not name or read.sent.text("origin") is None:
            continue
        exposed = (read.header("access-control-expose-headers") or "").lower()
        names = {one.strip() for one in exposed.split(",")}
        return None if name.lower() in names or "*" in names else read
    return None
