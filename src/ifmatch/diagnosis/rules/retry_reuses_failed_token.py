"""Detect `retry-reuses-failed-token`: a retry loop sends the token that just failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import span
from ifmatch.diagnosis.rules import status_dialect_mismatch
from ifmatch.diagnosis.rules.nonprecondition_412 import RULE
from ifmatch.dialects import Meaning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "retry-reuses-failed-token"
_FAILED = 412


def _told_apart(steps: Sequence[Step]) -> bool:
    """Tell whether each of some requests carries another content."""
    contents = {one.body.octets for one in steps if one.body is not None}
    return len(contents) == len(steps)


def _known(facts: Facts) -> bool:
    """Tell whether the family's own words or codes say that the version is another one."""
    refusal, dialect = facts.step.refusal, facts.step.dialect
    if refusal is None or dialect is None or dialect.general:
        return False
    # 412 is for preconditions alone where the family has no other meaning for it.
    return refusal.meaning is Meaning.MISMATCH and (bool(refusal.words) or refusal.status == _FAILED)


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
        f"{count} attempts in {span(last.start - facts.step.start)} carry the same {guard.called} "
        "octet for octet, "
        "with no read between them"
        if last.timed
        else (
            f"{count} attempts in a row carry the same {guard.called} octet for octet, with no read "
            "between them"
        )
    )
    if all(one is facts.step or one.unordered(facts.step) for one in facts.repeats):
        # A slow clock: they may as well have been in flight together.
        yield note(text, 1.5, last, guard.called)
        return
    passed = facts.passed_later
    if passed is not None:
        yield note("the same token passed later: it was no stale one", -5.0, passed, guard.called)
    elif not _known(facts) and RULE.search(facts.error_text) and _told_apart(facts.repeats):
        # Who changes the content each time answers to the rule that the refusal states.
        yield note(text, 1.0, last, guard.called)
        return
    if (repeat := status_dialect_mismatch.waited_out(facts)) is not None:
        yield note(f"the retry took {repeat.status} for a failure that passes by itself", 5.5, repeat)
    known = bool(facts.issues)
    yield note(text, (4.0 if known else 2.5) + min(count - 2, 4) * 0.75, last, guard.called)
