"""Find writes of one client that go out together: workers of one run, an impatient user."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.steps.resources import host_of

if TYPE_CHECKING:
    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# Seconds between the first and the second of several writes that go out together.
_BURST = 1.0
# Seconds after an answer within which the next write of a client that sends several at once is of these.
_AT_ONCE = 0.1


def beaten_by(facts: Facts) -> Step | None:
    """Return the own accepted write that won a burst which the refused request belongs to, None without one.

    The other losers were in flight together with it, on the same token, right behind the one that won: it
    may have been answered just before the next went out.

    Args:
        facts: of the refused request.
    """
    token, step = facts.token, facts.step
    if token is None:
        return None
    rivals = [
        one
        for one in facts.history.presenting.get(tokens.opaque(token), ())
        if one is not step
        and one.actor == step.actor
        and one.is_write
        and not same_content(one.body, step.body)
    ]
    if not any(not one.accepted and facts.overlaps(one) for one in rivals):
        return None
    won = [one for one in rivals if one.accepted and one.order < step.order]
    return won[-1] if won and step.start - won[-1].end < _BURST else None


def raced_beside(facts: Facts) -> tuple[Step, Step] | None:
    """Return the own write that won right before, and a write that the client raced with itself elsewhere.

    A client that has two writes in flight for one thing has workers, whose writes for another thing may
    miss each other by a moment.

    Args:
        facts: of the refused request.
    """
    token, step = facts.token, facts.step
    if token is None or not step.timed:
        return None
    presenting = facts.history.presenting.get(tokens.opaque(token), ())
    won = next((one for one in reversed(presenting) if _just_before(one, step)), None)
    if won is None:
        return None
    host = host_of(step.resource)
    for one in _raced(facts.case).get(step.actor, ()):
        if one.resource != step.resource and host_of(one.resource) == host and one.method == step.method:
            return won, one
    return None


def _just_before(one: Step, step: Step) -> bool:
    own = one.actor == step.actor and one.accepted and one.order < step.order and one.method == step.method
    return own and 0 <= step.start - one.end < _AT_ONCE and not same_content(one.body, step.body)


def _raced(case: Case) -> dict[str, list[Step]]:
    """Return by actor the refused writes that were in flight beside an accepted one of it on one token."""
    if "raced" not in case.kept:
        found: dict[str, list[Step]] = {}
        for history in case.histories.values():
            for one in history.refused_writes if history.writes else ():
                guard = one.guard
                if guard is None or guard.guard is not Guard.SAME:
                    continue
                if any(
                    other.actor == one.actor and other.overlaps(one) and other.presents(guard.tokens[0])
                    for other in history.writes_beside(one)
                ):
                    found.setdefault(one.actor, []).append(one)
        case.kept["raced"] = found
    return cast("dict[str, list[Step]]", case.kept["raced"])
