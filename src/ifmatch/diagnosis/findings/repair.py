"""Decide what a tool may do unasked about an incident, by the classes of the catalogue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifmatch.diagnosis.losses.taken_back import lost_pointers
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.model import catalogue
from ifmatch.model.finding import Level, Repair
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.model.finding import Finding

_STRICTEST = (Repair.FORBIDDEN, Repair.ASK, Repair.ALLOWED, Repair.NONE)
_COUNTS = 0.10
# Members that a client fills with a value of its own for this one write.
_MARKER = late_pattern(
    r'"(?:op|operation_?id|request_?id|nonce|idempotency_?key|client_?(?:request|mutation|token)_?(?:id)?'
    r'|transaction_?id|txn_?id|write_?id|attempt_?id)"\s*:\s*"([^"]{6,})"',
    re.IGNORECASE,
)
_TELLING = 8


def _clean_rebase(facts: Facts) -> bool:
    """Tell whether the change re-applies to the current content without touching what others changed."""
    if facts.step.method == "DELETE":
        return False
    if facts.content_moved is False:
        return True
    mine, base, current = facts.step.body, facts.base_content, facts.current_content
    if facts.step.method != "PUT" or mine is None or base is None or current is None:
        return False
    from ifmatch.diagnosis.reading.contents import changed_pointers  # noqa: PLC0415 - rare path

    theirs = changed_pointers(base, current)
    ours = changed_pointers(base, mine)
    if theirs is None or ours is None:
        return False
    return not any(
        one == two or one.startswith(two + "/") or two.startswith(one + "/") for one in theirs for two in ours
    )


def _observed(requirement: str, facts: Facts) -> bool:
    """Tell whether a fact that a repair requires was observed.

    Args:
        requirement: a name of the catalogue's `requires`.
        facts: of the incident.
    """
    step = facts.step
    later_tags = [one.etag for one in facts.own_reads_after if one.etag is not None]
    checks = {
        "clean-rebase": lambda: _clean_rebase(facts),
        "own-first-write-proven": lambda: bool(facts.overlapping_own),
        "edited-fields-unchanged": lambda: (
            not lost_pointers(facts.base_content, facts.current_content, step.body)
            if step.body is not None and facts.base_content is not None and facts.current_content is not None
            else False
        ),
        "safe-method": lambda: not step.is_write,
        "base-known": lambda: facts.base_content is not None,
        "normalised-equals-current": lambda: (
            facts.damaged_from is not None
            and (facts.current_tag is None or facts.damaged_from[0].etag == facts.current_tag)
        ),
        "right-source-known": lambda: any(one.etag is not None for one in facts.own_reads_before),
        "own-token": lambda: facts.source is not None and facts.source.actor == step.actor,
        "identity-read-same-opaque": lambda: _identity_twin(facts, strong=False),
        "identity-read-strong-same-opaque": lambda: _identity_twin(facts, strong=True),
        "fresh-read-past-the-cache": lambda: any(tag != facts.token for tag in later_tags),
        "reads-converged": lambda: any(tag != facts.token for tag in later_tags),
        "same-negotiation-read": lambda: any(
            one.variant == step.variant and one.etag is not None
            for one in facts.own_reads_before + facts.own_reads_after
        ),
        "strong-tag-seen": lambda: any(not tokens.is_weak(tag) for tag in later_tags),
        "strong-etag-available": lambda: any(
            one.etag is not None and not tokens.is_weak(one.etag)
            for one in facts.own_reads_before + facts.own_reads_after
        ),
        "served-value-echoed": lambda: bool(facts.served_dates),
        "last-modified-strong": _never,
    }
    check = checks.get(requirement)
    return check() if check is not None else False


def _never() -> bool:
    return False


def _identity_twin(facts: Facts, *, strong: bool) -> bool:
    if facts.token is None:
        return False
    bare = tokens.strip_suffix(tokens.opaque(facts.token))[0]
    return any(
        step.read_ok
        and not step.coding
        and step.etag is not None
        and tokens.opaque(step.etag) == bare
        and not (strong and tokens.is_weak(step.etag))
        for step in facts.history
    )


def _proof_of_authorship(cause: str, facts: Facts) -> bool:
    """Tell whether our own marker, our own response or the upstream shows our write as current.

    Equal content alone proves that the desired state holds, not who brought it about.
    """
    if cause not in {"lost-response-replay", "intermediary-replay"}:
        return False
    first = facts.unanswered_own if cause == "lost-response-replay" else facts.step
    if first is None:
        return False
    if _marked(facts):
        return True
    stored = next((hop for hop in first.hops if 200 <= hop.status < 300), None)
    if stored is None or stored.response is None:
        return False
    tag = stored.response.fields.text("etag")
    current = facts.current_tag
    return tag is not None and current is not None and tag.strip() == current


def _marked(facts: Facts) -> bool:
    """Tell whether the current content bears a marker that only this write can have put there.

    A creation on a name may not claim authorship by an id: whoever took the name may have used it, too.
    """
    current, body = facts.current_content, facts.step.body
    if current is None or not facts.ours_is_there or facts.foreign_writes:
        return False
    guard = facts.guard
    if guard is None or guard.guard is Guard.ABSENT:
        return False
    before = facts.base_content.text if facts.base_content is not None else None
    if before is None:
        return False
    keys = [facts.step.sent.text(name) for name in ("idempotency-key", "x-idempotency-key")]
    markers = [key.strip('"') for key in keys if key] + _MARKER.findall(body.text if body is not None else "")
    return any(len(one) >= _TELLING and one in current.text and one not in before for one in markers)


def repair_of(findings: Sequence[Finding], facts: Facts) -> Repair:
    """Return the most restrictive class over all findings that count.

    Args:
        findings: most likely first.
        facts: of the incident.
    """
    if any(step.changes and step.order > facts.step.order for step in facts.attempts) and facts.refused:
        return Repair.NONE
    if not findings:
        return Repair.ASK if facts.refused else Repair.NONE
    if findings[0].level is Level.HIGH and _proof_of_authorship(findings[0].cause, facts):
        return Repair.ALREADY_APPLIED
    classes: set[Repair] = set()
    for finding in findings:
        if finding.likelihood < _COUNTS:
            continue
        rule = catalogue.cause(finding.cause).repair
        met = all(_observed(requirement, facts) for requirement in rule.requires)
        classes.add(rule.repair if met else rule.otherwise)
    strictest = next((one for one in _STRICTEST if one in classes), Repair.ASK)
    if strictest is Repair.ALLOWED and findings[0].level is not Level.HIGH:
        return Repair.ASK
    return strictest
