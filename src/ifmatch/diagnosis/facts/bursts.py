"""Find writes of one client that go out together: workers of one run, an impatient user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import same_content

if TYPE_CHECKING:
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# Seconds between the first and the second of several writes that go out together.
_BURST = 1.0


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
