"""Detect `null-token`: a literal null, an empty tag or a placeholder was sent as token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.facts.undone_reasons import left_in_success
from ifmatch.diagnosis.links.damages import Reason
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.version_words import speaks_of_versions
from ifmatch.diagnosis.reads.wasted_reads import told_of_waste
from ifmatch.diagnosis.steps.message_members import Member, shown
from ifmatch.diagnosis.steps.refusal_words import says_outdated
from ifmatch.diagnosis.steps.resources import path_of
from ifmatch.dialects import Carrier, Meaning
from ifmatch.dialects.pointers import values_at
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "null-token"
# Where the times of Unix, of .NET and of Windows begin.
_BEGINNING = late_pattern(r"\b0?1[ -]Jan[ -](?:1970|0001|1601) 00:00:00\b", re.IGNORECASE)
_OVER_VERSIONS = frozenset({400, 409, 412, 422, 428})
# An element or a member without a value.
_EMPTY: Final = late_pattern(
    r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)(?:\s[^<>]*)?(?:/>|>\s*</)|\"([^\"]{1,60})\"\s*:\s*null\b"
)


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from the words that programs print where they have no value."""
    yield from told_of_waste(facts, Reason.NONE)
    yield from left_in_success(facts, CAUSE)
    guard = facts.guard
    if facts.damage is not None and facts.damage.needless:
        yield from _polled(facts)
        return
    if guard is None:
        yield from _left_empty(facts)
        return
    if guard.guard is Guard.ABSENT:
        yield from _default(facts, guard)
        return
    if guard.guard not in {Guard.SAME, Guard.SAME_DATE} or not guard.tokens:
        return
    token = guard.tokens[0]
    if facts.issues or _was_null(facts, guard):
        return
    if guard.guard is Guard.SAME_DATE and _BEGINNING.search(guard.value) and facts.refused:
        yield note(
            f"`{guard.shown()}` is what a program holds for a time that it does not know", 7.0, facts.step
        )
        return
    if guard.of_place and tokens.zero(token):
        return
    if not tokens.null_word(token) and not (guard.key and tokens.null_word(guard.value)):
        yield from _fresh_record(facts, token)
        return
    shown = f"`{guard.called}: {guard.value}`" if guard.value.strip() else f"an empty {guard.called}"
    yield note(f"{shown} is what a program prints when it has no token", 7.0, facts.step, guard.called)
    reads = [step for step in facts.own_reads_before if step.etag is not None]
    if reads:
        yield note(f"the client had been given {reads[-1].etag}", 0.5, reads[-1], "ETag")


def _polled(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from reads that ask with a word for none, again and again, although a tag was given."""
    step = facts.step
    asked = step.condition(Guard.DIFFERENT)
    if asked is not None and step.etag is not None and tokens.null_word(asked.value):
        shown = f"`{asked.called}: {asked.value}`" if asked.value.strip() else f"an empty {asked.called}"
        yield note(f"{shown} is what a program prints when it has no token", 5.0, step, asked.called)
        yield note(f"the client had been given {step.etag}", 0.5, step, "ETag")


def _was_null(facts: Facts, guard: Condition) -> bool:
    """Tell whether the member that a request has null was null when its client read it."""
    if guard.carrier is not Carrier.BODY or tokens.opaque(guard.value) != "null":
        return False
    return any(None in values_at(one.view.json, guard.name) for one in facts.own_reads_before)


def _left_empty(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a version's own place that holds nothing, where an answer had shown its value.

    Source: XML Schema part 1 section 2.6.2 (`xsi:nil`), RFC 8259 section 3 (`null`).
    """
    step, refusal = facts.step, facts.step.refusal
    outdated = refusal.meaning is Meaning.MISMATCH if refusal is not None else says_outdated(step)
    lost = facts.damage is not None and facts.damage.outcome is Outcome.LOST_UPDATE
    if not lost and (not facts.refused or not (outdated or step.status in _OVER_VERSIONS)):
        return
    guards = {one.key.rpartition("/")[2] for one in step.dialect.guards} if step.dialect is not None else ()
    for groups in _EMPTY.findall(step.view.sent_text):
        name = next((one for one in groups if one), "")
        if not (name and (speaks_of_versions(Member("text", name, name, "")) or name in guards)):
            continue
        for one in reversed(facts.own(facts.earlier)):
            value = next((member.value for member in shown(one) if member.word == name), None)
            if value is not None:
                text = f"the request has an empty {name}, and the client had been given {value}"
                yield note(text, 7.0 if outdated or lost else 6.0, step)
                return


def defaulted(facts: Facts) -> tuple[Step, Step | None] | None:
    """Return the read that had shown a version where 0 was sent, and another such write of the client.

    Where 0 asks for a creation, a record whose version was never filled in asks for one too.
    """
    guard, step = facts.guard, facts.step
    if guard is None or guard.guard is not Guard.ABSENT or not tokens.zero(guard.value):
        return None
    read = _versioned(facts.own_reads_before)
    if read is None:
        return None
    for other in facts.case.steps:
        same = other.condition(Guard.ABSENT)
        if other.actor != step.actor or other.resource == step.resource or same is None:
            continue
        if not (other.is_write and same.name == guard.name and tokens.zero(same.value)):
            continue
        earlier = [one for one in facts.case.history_of(other.resource) if one.order < other.order]
        if _versioned([one for one in earlier if one.actor == step.actor and one.read_ok]) is not None:
            return read, other
    return read, None


def _versioned(reads: Sequence[Step]) -> Step | None:
    """Return the last read if it shows a version other than 0."""
    last = reads[-1] if reads else None
    return last if last is not None and last.etag is not None and not tokens.zero(last.etag) else None


def _default(facts: Facts, guard: Condition) -> Iterator[Evidence]:
    """Yield evidence from a 0 that was sent where a version had been read, for one thing after another."""
    found = defaulted(facts) if facts.refused else None
    if found is None:
        return
    read, other = found
    member = guard.carrier in {Carrier.BODY, Carrier.FORM}
    if other is None and not member:
        return
    text = f"`{guard.shown()}` was sent where version {read.etag} had been read"
    yield note(text, 3.0, facts.step, guard.called)
    if other is not None:
        text = f"the same 0 was sent for {path_of(other.resource)}, which had been read too: a default"
        yield note(text, 4.0, other, guard.called)


def _fresh_record(facts: Facts, token: str) -> Iterator[Evidence]:
    """Yield evidence from a version 0 that several resources were sent, and none had given out."""
    step = facts.step
    if facts.damage is not None and tokens.zero(token) and facts.damage.stale_accepted:
        yield note(
            f"{token} names no version: it is what a record holds before its version was read", 5.5, step
        )
        return
    if not facts.refused or not tokens.zero(token) or facts.case.givers(tokens.opaque(token)):
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
