"""Detect `stale-stored-token`: the client sent an old token although it had been given a newer one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.bursts import raced_beside
from ifmatch.diagnosis.facts.listed_tokens import kept_by_itself
from ifmatch.diagnosis.links.actors import known_by_address
from ifmatch.diagnosis.links.dialect_tokens import pointers_of
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import span, told_moment
from ifmatch.diagnosis.rules.clock_skew import early_and_unmoved
from ifmatch.diagnosis.rules.lost_response_replay import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "stale-stored-token"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a refused write whose token an own earlier answer had replaced."""
    guard = facts.guard
    if (
        not facts.refused
        or guard is None
        or guard.guard not in {Guard.SAME, Guard.SAME_DATE}
        or not guard.well_formed
    ):
        return
    if guard.guard is Guard.SAME_DATE:
        yield from _by_date(facts)
        return
    if facts.look_behind is not None and not kept_by_itself(facts, facts.look_behind.look):
        yield note("a later read gave the old version again", -5.0, facts.look_behind.look)
        return
    if guard.unseen:
        yield from _unread(facts)
    if facts.token is None:
        return
    if facts.own_writes and known_by_address(facts.step, facts.case.captures[facts.step.source]):
        text = "only address and program say who wrote: another copy of it behind that address looks the same"
        yield note(text, -3.0, facts.own_writes[-1])
        taken = facts.own_writes[-1].exchange.duration
        if taken is not None and taken >= PATIENCE:
            # Apache, HAProxy and Varnish log the answer of a client that stopped waiting for it as sent.
            text = f"that write took {span(taken)}: who stopped waiting looks the same in such a log"
            yield note(text, -2.0, facts.own_writes[-1])
    latest = facts.own_reads_before[-1] if facts.own_reads_before else None
    if facts.own_writes:
        yield from _own_write(facts, facts.own_writes[-1], latest)
        return
    used = _used(facts, facts.token)
    if used is not None:
        text = "the client's own earlier write with this very token was accepted, and replaced that version"
        yield note(text, 5.0, used)
        return
    yield from _newer_read(facts, latest)


def _own_write(facts: Facts, write: Step, latest: Step | None) -> Iterator[Evidence]:
    """Yield evidence from the last own write, which had replaced what the token names."""
    if facts.listed_again is not None and not kept_by_itself(facts, facts.listed_again[1]):
        yield note("a listing read after it gave the old token again", 1.5, facts.listed_again[1])
    elif latest is not None and latest.order > write.order and latest.etag == facts.token:
        yield note("a later read gave the old token again", -5.0, latest, "ETag")
    elif raced_beside(facts) is not None:
        yield note("an own write was answered just before: workers share the token", 2.0, write)
    elif facts.step.unordered(write):
        yield note("an own write on the resource falls into the same tick of the clock", 2.0, write)
    elif write.etag is not None and write.etag != facts.token:
        yield note(f"the client's own earlier write had already returned {write.etag}", 6.0, write, "ETag")
    elif write.etag is None:
        yield note("the client's own earlier write had replaced the version that the token names", 5.0, write)


def _unread(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an own write since the last own read, where the token is not in the evidence."""
    own = [one for one in facts.own(facts.earlier) if one.read_ok or (one.accepted and one.replaces)]
    if own and own[-1].accepted and any(one.read_ok for one in own) and not facts.foreign_writes:
        text = "the client's own earlier write had replaced what it had read, and it read nothing since"
        yield note(text, 3.0, own[-1])


def _used(facts: Facts, token: str) -> Step | None:
    """Return the own write that the token was spent on before.

    What shows the very token after it replaced nothing by it: a release that bears its number, no counter.
    """
    for one in reversed(facts.own(facts.earlier)):
        if one.accepted and one.replaces and one.presents(token) and one.method != "DELETE":
            if one.method == "POST" and one.etag is not None and one.etag == token:
                return None
            return None if facts.step.overlaps(one) or facts.step.unordered(one) else one
    return None


def _stands_beside(token: str, read: Step) -> bool:
    """Tell whether the answer that shows a record among others has a token for all of them."""
    around = read.within
    return around is not None and bool(pointers_of(around, tokens.opaque(token)))


def _newer_read(facts: Facts, latest: Step | None) -> Iterator[Evidence]:
    since = facts.first_issue.order if facts.first_issue is not None else -1
    reads = [step for step in facts.own_reads_before if step.etag is not None and step.order >= since]
    if not reads or facts.token is None:
        return
    last = reads[-1]
    newer = last.etag or ""
    if newer == facts.token or tokens.damage(facts.token, newer) not in {"other", "cut"}:
        return
    if facts.first_issue is not None:
        same_variant = facts.source is not None and facts.source.variant == last.variant
        if same_variant and not any(facts.token in step.issued() for step in facts.later):
            yield note(f"the client's own later read had already shown {newer}", 5.5, last, "ETag")
    elif (
        tokens.shape(newer) == tokens.shape(facts.token)
        and facts.elsewhere is None
        and facts.inside is None
        and not _stands_beside(facts.token, last)
        and not _later(facts.token, newer)
    ):
        yield note(
            f"the client had just read {newer}, and sent a token that no answer here had given",
            4.0,
            last,
            "ETag",
        )
    _ = latest


def _later(token: str, newer: str) -> bool:
    """Tell whether a version is a later moment than one that was shown, and so no older one."""
    sent, shown = told_moment(token), told_moment(newer)
    return sent is not None and shown is not None and sent > shown


def _by_date(facts: Facts) -> Iterator[Evidence]:
    sent = facts.sent_date
    served = facts.served_dates
    if sent is None or not served:
        return
    newest, step = served[0]
    if facts.step.unordered(step):
        return
    if newest > sent and any(date == sent for date, _ in served[1:]):
        yield note(
            "a later answer to the same client had already shown a newer Last-Modified",
            5.0,
            step,
            "Last-Modified",
        )
    if early_and_unmoved(facts):
        text = (
            "the client had just been shown a later Last-Modified, and sent an older date from somewhere else"
        )
        yield note(text, 1.8, step, "Last-Modified")
    own = [one for one in facts.own(facts.earlier) if one.accepted and one.replaces]
    if own and facts.step.unordered(own[-1]):
        return
    if own and any(date == sent and one.order < own[-1].order for date, one in served) and newest == sent:
        yield note(
            "the client's own earlier write had replaced the version that the date names", 4.0, own[-1]
        )
