"""Detect `implicit-precondition`: a layer that the developer did not write added the condition."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.dialects import Meaning, compares_inside
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "implicit-precondition"

_CACHING_CLIENTS = late_pattern(r"CFNetwork|okhttp|Mozilla|Dalvik|axios|undici|node-fetch", re.IGNORECASE)

# Kits of services that hold no cache of HTTP: what they send as a condition, their caller has named.
_WITHOUT_CACHE = late_pattern(
    r"^(?:aws-cli|gsutil|rclone)/|\bgcloud-|\b(?:aws-sdk|azsdk|Azure-Storage|Boto\d?|Botocore)\b",
    re.IGNORECASE,
)

# Of these, those whose cache is the system's: it is there unasked.
_OF_SYSTEMS = late_pattern(r"CFNetwork|okhttp|Mozilla|Dalvik", re.IGNORECASE)


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


def _kept(facts: Facts, condition: Condition) -> Step | None:
    """Return the read whose validator a cache may have kept and put into a condition, an own one rather."""
    name = "etag" if condition.guard is Guard.DIFFERENT else "last-modified"
    return next(
        (
            one
            for one in (*reversed(facts.own(facts.earlier)), *reversed(facts.earlier))
            if one.read_ok and (one.header(name) or "-").strip() in condition.tokens
        ),
        None,
    )


def _served_another(facts: Facts, condition: Condition) -> bool:
    """Tell whether the client was given validators of the thing, all of them others than a condition has."""
    name = "etag" if condition.guard is Guard.DIFFERENT else "last-modified"
    return any(one.header(name) for one in facts.own(facts.earlier) if one.read_ok or one.accepted)


def _without(facts: Facts, condition: Condition) -> Step | None:
    """Return a write that differs in nothing but the condition, and was accepted; None without one."""
    step = facts.step
    for one in facts.history:
        if one.accepted and one.method == step.method and condition.name not in one.sent:
            return one if same_content(one.body, step.body) and _expects_alike(one, step) else None
    return None


def _beside_own(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an If-Match or a date beside the version that the application itself sends.

    The same write with that version alone was accepted: what stands beside it was refused.
    """
    step = facts.step
    own = next((one for one in step.conditions if one.guard is Guard.SAME and not one.standard), None)
    added = next(
        (one for one in step.conditions if one.standard and one.guard in {Guard.SAME, Guard.SAME_DATE}), None
    )
    if own is None or added is None or own.name.lower() == added.name.lower():
        return
    for one in facts.history:
        expected = {each.value for each in one.conditions if each.name == own.name}
        if (
            one.accepted
            and one.method == step.method
            and added.name not in one.sent
            and own.value in expected
            and same_content(one.body, step.body)
        ):
            text = f"the same write, with {own.shown()} and without {added.called}, was accepted"
            yield note(text, 6.0, one, added.called)
            return


def _expects_alike(one: Step, two: Step) -> bool:
    """Tell whether two writes name one version in a precondition that no cache sends, or none at all."""
    first, second = one.condition(Guard.SAME), two.condition(Guard.SAME)
    return (first.value if first is not None else None) == (second.value if second is not None else None)


def _answered_as_read(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a write that got 304 to the validator of what its client holds in a cache.

    That the service answers so is its fault as well; where others send the like without the condition, and
    it is stored, nobody who wrote the application meant it.
    """
    step = facts.step
    condition = step.condition(Guard.DIFFERENT, Guard.DIFFERENT_DATE)
    if condition is None or step.condition(Guard.EXISTS, Guard.ABSENT, Guard.SAME) is not None:
        return
    read = _kept(facts, condition)
    agent = (step.sent.text("user-agent") or "").strip()
    passed = next(
        (
            one
            for one in facts.case.history_of(step.resource)
            if one.accepted and one.method == step.method and condition.name not in one.sent
        ),
        None,
    )
    caches = _OF_SYSTEMS.search(agent) is not None
    if read is None or (passed is None and not caches):
        return
    text = f"{condition.called} on {step.method} has the validator of an earlier read: what a cache adds"
    yield note(text, 4.0, read, condition.called)
    if passed is not None:
        other = (passed.sent.text("user-agent") or "").strip() != agent
        who = "by another program" if other else "at another time"
        text = f"{step.method} without {condition.called}, sent {who}, was accepted"
        yield note(text, 4.5 if other else 3.0, passed, condition.called)
    if caches:
        yield note("this kind of client keeps a cache of its own", 1.0, step, "User-Agent")


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a cache's validator on an unsafe method.

    Source: RFC 9111 section 4.3.1 (If-None-Match is what caches add to validate).
    """
    step = facts.step
    yield from _compared_inside(facts)
    if step.is_write and step.status == HTTPStatus.NOT_MODIFIED:
        yield from _answered_as_read(facts)
        return
    failed = step.status == HTTPStatus.PRECONDITION_FAILED or (facts.refused and step.denied)
    if not step.is_write or not failed or facts.damage is not None:
        return
    yield from _beside_own(facts)
    condition = step.condition(Guard.DIFFERENT, Guard.DIFFERENT_DATE)
    if condition is None or step.condition(Guard.EXISTS, Guard.ABSENT) is not None:
        return
    own = step.condition(Guard.SAME)
    read = _kept(facts, condition)
    if own is not None and set(own.tokens).isdisjoint(condition.tokens):
        if read is None:
            return
        text = f"the application's own precondition is {own.shown()}; {condition.called} stands beside it"
        yield note(text, 1.5, step, condition.called)
    elif own is not None:
        text = (
            f"{own.called} and {condition.called} name one tag: no state fulfils both, and nobody means that"
        )
        yield note(text, 2.5, step, condition.called)
    # Caches store what a server gave them: what breaks the grammar is none of it.
    no_tag = condition.guard is Guard.DIFFERENT and not condition.well_formed
    made_up = read is None and (no_tag or _served_another(facts, condition))
    if made_up:
        text = (
            f"{condition.called} on {step.method} is what a cache adds, but for a value that was never served"
        )
    else:
        stored = f"{condition.called} with a stored validator on {step.method}"
        text = f"{stored}: what a cache adds, not an application"
    yield note(text, 2.0 if made_up else 5.5, step, condition.name)
    agent = step.sent.text("user-agent") or ""
    if _WITHOUT_CACHE.search(agent):
        yield note(
            "this kind of client keeps no cache: its caller named the condition", -5.0, step, "User-Agent"
        )
    if read is not None:
        name = "ETag" if condition.guard is Guard.DIFFERENT else "Last-Modified"
        yield note("the value is that of an earlier read", 1.0, read, name)
    passed = _without(facts, condition)
    if passed is not None:
        text = f"the same write without {condition.called} was accepted, by whatever else sends it"
        yield note(text, 2.0, passed, condition.called)
    if _CACHING_CLIENTS.search(agent):
        yield note("this kind of client keeps a cache of its own", 0.5, step, "User-Agent")
