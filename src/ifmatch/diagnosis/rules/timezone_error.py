"""Detect `timezone-error`: a local time was written as GMT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.dates import instant, span
from ifmatch.diagnosis.evidence import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "timezone-error"

_QUARTER = 900
_MOST = 14 * 3600


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a date that differs from a served one by whole quarters of an hour.

    Source: RFC 9110 section 5.6.7 (HTTP-date is in GMT).
    """
    guard, sent = facts.guard, facts.sent_date
    if guard is None or guard.guard is not Guard.SAME_DATE or sent is None:
        return
    if any(date == sent for date, _ in facts.served_dates):
        return
    for date, step in facts.served_dates:
        away = sent - date
        if away and away % _QUARTER == 0 and abs(away) <= _MOST:
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


def _echoed_later(facts: Facts, served: float) -> Iterator[Evidence]:
    """Yield evidence from the same write that was accepted with the time as it was served."""
    for step in facts.own(facts.later) if facts.refused else ():
        guard = step.condition(Guard.SAME_DATE)
        if step.accepted and guard is not None and instant(guard.value) == served:
            yield note("the write passed with the time as it was served", 3.0, step, guard.name)
            return
