"""Detect `target-missing`: the precondition names a state of a resource that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.undone_reasons import left_in_success
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "target-missing"
_WORDS = Words(
    r"did ?n.t exist|does not exist|not exist|no such|not found|NoSuchKey|was deleted|BlobNotFound"
)


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from 404 or 410 around the refused write.

    Source: RFC 9110 section 13.1.1 (`If-Match: *` is false without a current representation).
    """
    yield from left_in_success(facts, CAUSE)
    guard = facts.guard
    if facts.refused and guard is None:
        yield from _gone_meanwhile(facts)
    if not facts.refused or guard is None or guard.guard not in {Guard.SAME, Guard.EXISTS, Guard.SAME_DATE}:
        return
    refresh = facts.refresh
    if refresh is not None and refresh.finds_nothing:
        yield note(f"a read after the refusal finds nothing there ({refresh.status})", 6.5, refresh)
    elif refresh is not None and refresh.read_ok:
        yield note("the resource is there", -4.0, refresh)
    if facts.step.status in {404, 410}:
        yield note(f"the answer itself finds nothing there ({facts.step.status})", 3.0, facts.step)
    for step in reversed(facts.earlier):
        if step.method == "DELETE" and step.accepted and facts.overlaps(step):
            break
        if step.method == "DELETE" and step.accepted:
            whose = "the client itself" if step.actor == facts.step.actor else step.actor
            yield note(f"{whose} had deleted it, and nobody made it again", 5.5, step)
            break
        if step.accepted and step.replaces:
            break
        if step.finds_nothing:
            yield note(f"a read before the write had found nothing there ({step.status})", 3.5, step)
            break
        if step.read_ok:
            break
    if guard.guard is Guard.EXISTS and not any(step.read_ok for step in facts.history):
        yield note(
            f"`{guard.shown()}` is false only when there is no current representation",
            2.5,
            facts.step,
            guard.name,
        )
    if _WORDS.search(facts.error_text) and facts.step.status in {404, 409, 412}:
        yield note("the answer says that the resource does not exist", 2.5, facts.step)


def _gone_meanwhile(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a change, under no condition that is known, to what had been there and is gone."""
    refresh, step = facts.refresh, facts.step
    known = [one for one in facts.own_reads_before if one.read_ok]
    if not known or step.method not in {"PUT", "PATCH", "DELETE"} or step.status not in {404, 409, 410, 412}:
        return
    if refresh is not None and refresh.finds_nothing:
        text = f"the client had read it, and the next read finds nothing there ({refresh.status})"
        yield note(text, 4.5, refresh)
