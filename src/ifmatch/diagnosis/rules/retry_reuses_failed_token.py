"""Detect `retry-reuses-failed-token`: a retry loop sends the token that just failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.dates import span
from ifmatch.diagnosis.evidence import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "retry-reuses-failed-token"


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from refused attempts with one precondition octet for octet, and no read between."""
    guard = facts.guard
    if not facts.refused or guard is None or guard.guard not in {Guard.SAME, Guard.SAME_DATE}:
        return
    count = len(facts.repeats)
    if count < 2:
        return
    last = facts.repeats[-1]
    text = (
        f"{count} attempts in {span(last.start - facts.step.start)} carry the same {guard.name} "
        "octet for octet, "
        "with no read between them"
        if last.timed
        else (
            f"{count} attempts in a row carry the same {guard.name} octet for octet, with no read "
            "between them"
        )
    )
    if all(one is facts.step or one.unordered(facts.step) for one in facts.repeats):
        # A slow clock: they may as well have been in flight together.
        yield note(text, 1.5, last, guard.name)
        return
    known = bool(facts.issues)
    yield note(text, (4.0 if known else 2.5) + min(count - 2, 4) * 0.75, last, guard.name)
