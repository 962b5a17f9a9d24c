"""Tell versions that a sender made by its own clock, where versions are times."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.links.in_time import back_from
from ifmatch.diagnosis.losses.device_clocks import made_at
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import instant, span, told_moment
from ifmatch.diagnosis.reading.version_words import UNCHANGED
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

# What a guard is called that passes as long as nothing is newer than its time.
_NOT_NEWER = late_pattern(r"(?:not[_-]?|un)modified|since|not[_-]?(?:newer|after)", re.IGNORECASE)
_SKEW = 20.0
# Where a request says when it was made, and how near to the server's time a right clock is.
_OWN_TIME = ("date", "x-ms-date", "x-amz-date", "x-goog-date")
_RIGHT = 60.0
# Seconds by which the distance of two such times may differ from the time between their requests.
_TICK = 0.4
# Seconds by which no clock of another machine meets a version: so near lies the next one, or its rounding.
_MET = 0.001


def ahead_of_versions(history: History, step: Step) -> bool:
    """Tell whether a write's time lies ahead of every version that the resource was ever given, its own too.

    A guard that asks for nothing newer than its time then passes whatever is there.

    Args:
        history: of the resource.
        step: an accepted write.
    """
    guard = step.guard
    if guard is None or not guard.of_one:
        return False
    if not _asks_for_nothing_newer(guard.called):
        return False
    sent = told_moment(guard.tokens[0])
    if sent is None:
        return False
    before = back_from(history.by_actor.get(step.actor, ()), step.order)
    newest = history.newest_moment(step)
    return newest is not None and sent > newest + _SKEW and any(one.read_ok for one in before)


@lru_cache(maxsize=64)
def _asks_for_nothing_newer(name: str) -> bool:
    return _NOT_NEWER.search(name) is not None or UNCHANGED.search(name) is not None


def version_by_clock(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a version that is the sender's time, and that no answer gave out.

    Args:
        facts: of any incident.
    """
    step, token = facts.step, facts.token
    sent = _made(facts, step)
    if sent is None or token is None or not step.timed or not (facts.refused or facts.damage):
        return
    served = [moment for one in facts.own(facts.earlier) for moment in _served(one)]
    if not served or facts.elsewhere is not None or facts.inside is not None:
        return
    if any(abs(moment - sent) < _MET for moment in served):
        return
    along = _runs_along(facts, sent)
    if along is not None:
        text = "the version is a time that moves on with the time of sending: a clock made it, no answer"
        yield note(text, 5.5, along, facts.guard.called if facts.guard is not None else "")
    name = facts.guard.called if facts.guard is not None else ""
    read = made_at(facts, sent, name)
    if read is not None:
        then = "" if read[0] is step else " when it read"
        yield note(f"the version is the client's own time{then}, which no answer gave out", 3.5, read[0])
    elif along is None:
        return
    if facts.damage is not None and ahead_of_versions(facts.history, step):
        text = "it lies ahead of every version that was given out: the condition cannot fail"
        yield note(text, 2.0, step, facts.guard.called if facts.guard is not None else "")
    ahead = read[1] if read is not None else sent - step.date if step.date is not None else 0.0
    if abs(ahead) > _SKEW:
        side = "ahead of" if ahead > 0 else "behind"
        yield note(f"that clock is {span(ahead)} {side} the server's Date", 3.0, step, "Date")
    passed = next((one for one in facts.own(facts.later) if one.accepted and one.guard is not None), None)
    sent_then = (
        passed.guard.tokens if facts.refused and passed is not None and passed.guard is not None else ()
    )
    if any(token in one.issued() for token in sent_then for one in facts.own(facts.history)):
        yield note("with the time that an answer gave out it passed", 1.0, passed, name)


def _served(step: Step) -> list[float]:
    """Return the moments that an answer's versions name."""
    return [moment for token in step.issued() if (moment := told_moment(token)) is not None]


def _made(facts: Facts, step: Step) -> float | None:
    """Return the moment that a write's version names, where no answer before had given that version out."""
    guard = step.guard
    if guard is None or guard.guard is not Guard.SAME or not guard.of_one:
        return None
    token = guard.tokens[0]
    if facts.case.history_of(step.resource).issued(token):
        return None
    return told_moment(token)


def _runs_along(facts: Facts, sent: float) -> Step | None:
    """Return another own write whose version differs by just the time between the two."""
    step = facts.step
    for one in facts.own(facts.case.steps):
        if one is step or not one.is_write or not one.timed:
            continue
        other = _made(facts, one)
        if other is None or other == sent:
            continue
        if abs((other - sent) - (one.start - step.start)) <= _TICK:
            return one
    return None


def margin_added(step: Step, sent: float) -> bool:
    """Tell whether a date lies ahead because its sender added to the time: its own clock is right.

    Some services have each request say when it was made, in a field that is signed with it.

    Args:
        step: a write that was answered.
        sent: date of its condition, in seconds since the epoch.
    """
    if step.date is None:
        return False
    told = (instant(step.sent.text(name) or "") for name in _OWN_TIME)
    return any(abs(now - step.date) <= _RIGHT and sent > now + _RIGHT for now in told if now is not None)
