"""Detect `bad-date`: the date of a precondition is no HTTP-date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.evidence import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "bad-date"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a date field that recipients must ignore.

    Source: RFC 9110 section 5.6.7 (three forms) and section 13.1.4 (not a valid date: ignored).
    """
    guard = facts.guard
    if guard is None or guard.guard is not Guard.SAME_DATE or facts.sent_date is not None:
        return
    if tokens.null_word(guard.value):
        return
    yield note(f"`{guard.shown()}` is none of the three forms of HTTP-date", 7.0, facts.step, guard.name)
    if facts.step.accepted:
        yield note("the server ignored it, as it must: the write was not protected", 1.0, facts.step)
