"""Detect `cors-hidden-etag`: a script cannot read the ETag across origins and sends none or a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.evidence import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.diagnosis.steps import Step
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
    text = (
        f"the answer carries {read.etag}, but Access-Control-Expose-Headers does not name "
        "ETag: the script gets null"
    )
    yield note(text, 5.5, read, "Access-Control-Expose-Headers")


def hidden(facts: Facts) -> Step | None:
    """Return the read across origins whose ETag the script may not see, None where it sees it.

    Args:
        facts: of a write by a page.
    """
    # What is read right after the refusal is shown to the script as what it read before.
    for read in reversed(facts.own_reads_before or facts.own_reads_after):
        if read.etag is None or read.sent.text("origin") is None:
            continue
        exposed = (read.header("access-control-expose-headers") or "").lower()
        return None if "etag" in exposed or exposed.strip() == "*" else read
    return None
