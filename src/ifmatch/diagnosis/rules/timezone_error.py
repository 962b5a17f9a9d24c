"""Detect `timezone-error`: a local time was written as GMT."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.damages import Reason
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import http_date, instant, span, told_moment, zones_apart
from ifmatch.diagnosis.reads.wasted_reads import told_of_waste
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "timezone-error"

_QUARTER = 900
# No two clocks on a wall are closer: less than that is a margin that a program adds.
_LEAST = 1800
_MOST = 14 * 3600
_TICK = 1e-3
_CLOSE = 60


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a date that differs from a served one by whole quarters of an hour.

    Source: RFC 9110 section 5.6.7 (HTTP-date is in GMT).
    """
    yield from told_of_waste(facts, Reason.ZONE)
    if facts.damage is not None and facts.damage.outcome is Outcome.WRONG_NOT_MODIFIED:
        yield from _missed(facts)
        return
    guard, sent = facts.guard, facts.sent_date
    if guard is not None and guard.guard is Guard.SAME and facts.token is not None:
        yield from _version_moved(facts, facts.token)
        return
    if guard is None or guard.guard is not Guard.SAME_DATE or sent is None:
        return
    if any(date == sent for date, _ in facts.served_dates):
        return
    for date, step in facts.served_dates:
        away = sent - date
        if away % _QUARTER == 0 and _LEAST <= abs(away) <= _MOST:
            served = "Last-Modified" if guard.standard else "time"
            text = f"the sent date is the served {served} moved by exactly {span(away)}"
            skew = facts.client_skew
            yield note(text, 6.0 if skew is not None else 2.5, step, "Last-Modified")
            if skew is not None and abs(skew - away) < 60:
                yield note(
                    "the client's clock differs from the server's by just that", -6.0, facts.step, "Date"
                )
            yield from _echoed_later(facts, date)
            return


def zone_of_read(facts: Facts) -> tuple[Step, float] | None:
    """Return the answer whose date a read sends in another zone's time, and by how much it is moved.

    Args:
        facts: of a read.
    """
    condition = facts.step.condition(Guard.DIFFERENT_DATE)
    sent = http_date(condition.value) if condition is not None else None
    if sent is None or any(sent == one.last_modified for one in facts.history):
        return None
    for one in reversed(facts.own(facts.earlier)):
        if one.status == HTTPStatus.OK and one.last_modified is not None:
            away = zones_apart(sent, one.last_modified)
            return (one, away) if away else None
    return None


def _missed(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a 304 to a date that lies later than the change, as far as a time zone does."""
    found = zone_of_read(facts)
    if found is None:
        return
    read, away = found
    text = f"the sent date is the served Last-Modified moved by exactly {span(away)}"
    yield note(text, 7.0, read, "Last-Modified")


def _version_moved(facts: Facts, token: str) -> Iterator[Evidence]:
    """Yield evidence from a version that is a time, and that was sent in the time of another zone."""
    sent = told_moment(token)
    if sent is None or facts.issues or facts.elsewhere is not None or not (facts.refused or facts.damage):
        return
    for step in reversed(facts.own(facts.earlier)):
        for issued in step.issued():
            served = told_moment(issued)
            away = sent - served if served is not None else 0.0
            if served is None or abs(away % _QUARTER) > _TICK or not _LEAST <= abs(away) <= _MOST:
                continue
            skew = facts.client_skew
            if skew is not None and abs(skew - away) < _CLOSE:
                return
            yield note(f"the sent version is the served {issued} moved by exactly {span(away)}", 6.0, step)
            passed = next((one for one in facts.own(facts.later) if one.accepted), None)
            if facts.refused and passed is not None and passed.presents(issued):
                yield note("the write passed with the time as it was served", 3.0, passed)
            return


def _echoed_later(facts: Facts, served: float) -> Iterator[Evidence]:
    """Yield evidence from the same write that was accepted with the time as it was served."""
    for step in facts.own(facts.later) if facts.refused else ():
        guard = step.condition(Guard.SAME_DATE)
        if step.accepted and guard is not None and instant(guard.value) == served:
            yield note("the write passed with the time as it was served", 3.0, step, guard.name)
            return
