"""Detect `bad-date`: the date of a precondition is no HTTP-date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import http_date, spelled_otherwise, told_moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "bad-date"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a date field that recipients must ignore.

    Source: RFC 9110 section 5.6.7 (three forms) and section 13.1.4 (not a valid date: ignored).
    """
    guard = facts.guard
    if guard is None:
        return
    if guard.guard is Guard.SAME and not guard.standard and facts.token is not None:
        yield from _spelled(facts, facts.token)
        return
    if guard.guard is Guard.DIFFERENT_DATE:
        unread = http_date(guard.value) is None
    else:
        unread = guard.guard is Guard.SAME_DATE and facts.sent_date is None
    if not unread or tokens.null_word(guard.value):
        return
    yield note(f"`{guard.shown()}` is none of the three forms of HTTP-date", 7.0, facts.step, guard.name)
    if facts.step.accepted:
        yield note("the server ignored it, as it must: the write was not protected", 1.0, facts.step)
    elif facts.damage is not None and facts.damage.needless:
        yield note("the server ignored it, as it must: each answer is whole", 1.0, facts.step)


def _spelled(facts: Facts, token: str) -> Iterator[Evidence]:
    """Yield evidence from a version that is a time, sent in a form of another language or land."""
    if not facts.refused or facts.issues or facts.damaged_from is not None or told_moment(token) is not None:
        return
    for step in reversed(facts.own(facts.earlier)):
        for issued in step.issued():
            served = told_moment(issued)
            if served is not None and spelled_otherwise(token, served):
                yield note(f"{token} is the served {issued}, spelled as people write it", 6.5, step)
                return
