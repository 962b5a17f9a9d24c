"""Detect `lost-response-replay`: the first attempt was stored, its answer lost, the replay met itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.facts.refused_repeats import repeated
from ifmatch.diagnosis.links.actors import known_by_address
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import holds
from ifmatch.diagnosis.reading.dates import span
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "lost-response-replay"
# Seconds from which on a client may have given up on an answer.
PATIENCE = 1.0
_GONE = frozenset({404, 410})
# Ids that a client makes up for one message, and what such an id looks like.
_MARK: Final = Words(
    r"(?:event|message|command|op|operation|request|mutation|transaction|txn|write|attempt|idempotency|dedup\w*)"
    r"[_-]?(?:id|uuid|key|token|ref)[\"']?\s*[:=>]\s*[\"']?([0-9A-Za-z][0-9A-Za-z_-]{11,63})"
)
_LONGEST: Final = 20_000


def _was_there(facts: Facts, first: Step) -> bool:
    """Tell whether the client had been shown the resource before an attempt."""
    return any(step.read_ok and step.order < first.order for step in facts.own_reads_before)


def _mark(facts: Facts, first: Step) -> str | None:
    """Return the id that an attempt bears and the current content too, though it is no copy of the content.

    What is added to a list or a stream is found again inside it. The id of a thing may be anybody's.
    """
    guard, current, before = facts.guard, facts.current_content, facts.base_content
    if (
        guard is None
        or guard.guard is Guard.ABSENT
        or current is None
        or before is None
        or first.body is None
    ):
        return None
    marks = (one for (one,) in _MARK.findall(first.body.text[:_LONGEST]) if one not in before.text)
    return next((one for one in marks if one in current.text), None)


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a refused write that follows an unanswered one with the same intent.

    Source: RFC 9110 section 9.2.2 (automatic retries of non-idempotent requests).
    """
    if facts.damage is not None and facts.damage.twice and facts.damage.first is not None:
        yield note("an earlier attempt with the same content got no answer", 2.5, facts.damage.first)
        yield note(facts.damage.text, 5.0, facts.damage.lost)
        return
    first = facts.unanswered_own
    if facts.refused and facts.guard is None:
        yield from _refused_as_repeat(facts)
    if not facts.refused or facts.guard is None:
        return
    if first is None:
        yield from _logged_as_answered(facts)
        return
    how = (
        f"was answered {first.status} by a gateway"
        if first.status
        else f"got no answer ({first.exchange.error or 'no status'})"
    )
    yield note(
        f"an earlier attempt with the same intent {how}: its outcome is not known to the client", 2.5, first
    )
    rival = [step for step in facts.foreign_writes if step.order > first.order or step.overlaps(first)]
    if rival:
        yield note(f"{rival[-1].actor} wrote as well since then", -2.5, rival[-1])
    if facts.never_arrived:
        yield note("the origin did not store that attempt", -6.0, first)
        return
    if facts.guard.guard is Guard.ABSENT and facts.ours_is_there is None and not rival:
        yield note("the creation that got no answer may be what the repeat met", 2.5, first)
    elif facts.ours_is_there is None and not facts.foreign_writes and facts.refresh is None:
        yield note("nobody else is seen to have written", 0.7, first)
    stored = next((hop for hop in first.hops if 200 <= hop.status < 300), None)
    if stored is not None:
        yield note(f"the origin had answered that attempt {stored.status}: it was stored", 5.0, stored)
        return
    yield from _by_state(facts, first)
    if facts.step.method == "DELETE":
        yield from _deleted(facts, first)


def _by_state(facts: Facts, first: Step) -> Iterator[Evidence]:
    """Yield evidence from what is there: it names the attempt, or is what the attempt carried, or is not."""
    proof = facts.proof
    if proof is not None:
        yield note(proof.text, proof.weight, proof.step)
    elif facts.ours_is_there or holds(facts.current_content, first.body):
        weight = 1.5 if facts.foreign_writes else 3.0
        yield note("the resource now holds exactly what the client had sent", weight, facts.refresh)
        modified = facts.refresh.last_modified if facts.refresh is not None else None
        if (
            modified is not None
            and first.timed
            and abs(modified - first.start) < 5 + (first.end - first.start)
        ):
            text = "it was modified while the unanswered attempt was under way"
            yield note(text, 0.7, facts.refresh, "Last-Modified")
    elif (mark := _mark(facts, first)) is not None:
        text = f"the resource now names {mark}, which the client had made up for this"
        yield note(text, 5.5, facts.refresh)
    elif facts.ours_is_there is False and facts.state_moved:
        yield note("the resource holds something else than what the client had sent", -3.0, facts.refresh)


def _refused_as_repeat(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an answer that says of a repeat that it was done already."""
    first = repeated(facts.history, facts.step)
    if first is None:
        return
    yield note("an attempt with the same content before it got no answer", 2.5, first)
    yield note("the answer says of the repeat that it was done already", 3.0, facts.step)
    if facts.never_arrived:
        yield note("the origin did not store that attempt", -6.0, first)
    elif facts.proof is not None:
        yield note(facts.proof.text, 2.0, facts.proof.step)


def _deleted(facts: Facts, first: Step) -> Iterator[Evidence]:
    """Yield evidence that what an unanswered DELETE was about is gone, and nobody else wrote."""
    if facts.refresh is not None and facts.refresh.finds_nothing:
        yield note("the resource is gone, as the unanswered DELETE wanted", 3.0, facts.refresh)
    elif facts.step.status in _GONE and not facts.foreign_writes and _was_there(facts, first):
        yield note("what was there before the unanswered DELETE is gone, as that wanted", 3.0, facts.step)


def _logged_as_answered(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from the log of a server: an answer that it sent need not have arrived.

    Apache, HAProxy and Varnish log the answer of a client that stopped waiting for it as any other.
    """
    if not facts.own_writes or not known_by_address(facts.step, facts.case.captures[facts.step.source]):
        return
    write = facts.own_writes[-1]
    taken = write.exchange.duration
    read_since = any(read.order > write.order for read in facts.own_reads_before)
    if taken is None or taken < PATIENCE or read_since or facts.token is None or facts.foreign_writes:
        return
    if write.presents(facts.token) and write.method == facts.step.method:
        text = f"the same write was accepted after {span(taken)}: its client may have stopped waiting by then"
        yield note(text, 2.5, write)
