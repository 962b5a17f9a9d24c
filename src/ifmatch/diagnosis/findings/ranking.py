"""Turn evidence into ranked findings: sum, explain away, calibrate.

A cause's score is the sum of its evidence's weights (natural-log likelihood ratios) and its prior. Roots
exclude each other, so probabilities are a softmax over the scores with "none of these" among them. A cause
that follows from another, stronger one is explained away before that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.rules import ALL_RULES
from ifmatch.model.diagnosis import Because
from ifmatch.model.slotted import Slotted

if TYPE_CHECKING:
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.model.finding import Evidence

# Score of "none of these": what a cause has to beat. Chosen by first looks at other people's recordings.
NONE_SCORE = 2.0
# Evidence is never independent, and no rule has seen every server: sums are damped and the top is cut.
DAMPING = 0.85
# Of a cause where text between messages is missing: what it rests on may belong to another.
_MOST_OF_TORN = 0.7
# Of a cause that only words around the traffic tell of.
_MOST_CLAIMED = 0.3
MOST = 7.0
_STRONG = 3.0
_EXPLAINED = 6.0
_WORTH_SAYING = -1.5

# What follows from what. The key explains the values when its own evidence is strong.
_TOKEN_FAULTS = (
    "other-writer",
    "retry-reuses-failed-token",
    "server-precondition-bug",
    "nonprecondition-412",
)
EXPLAINS: dict[str, tuple[str, ...]] = {
    "precondition-stripped": (
        "precondition-ignored",
        "unconditional-write",
        "check-then-write-race",
        "token-missing",
        "other-writer",
        "blind-refresh",
        "server-precondition-bug",
        "representation-mismatch",
        "etag-source-mismatch",
    ),
    "validator-stripped": ("token-missing", "unconditional-write", "null-token"),
    "redirect-rewrites-request": ("unconditional-write", "precondition-ignored", "blind-refresh"),
    "cors-hidden-etag": ("null-token", "token-missing", "unconditional-write", "malformed-validator"),
    "intermediary-replay": (
        "lost-response-replay",
        "post-commit-412",
        "other-writer",
        "stale-stored-token",
        "exists-already",
        "create-guard-on-update",
        "self-race",
        "server-side-mutation",
    ),
    "lease-or-lock": (
        "etag-source-mismatch",
        *_TOKEN_FAULTS,
        "token-missing",
        "exists-already",
        "target-missing",
        "status-dialect-mismatch",
        "unstable-etag",
        "stale-cache-read",
    ),
    "token-expired": (
        *_TOKEN_FAULTS,
        "stale-stored-token",
        "target-missing",
        "wrong-token-source",
        "lease-or-lock",
    ),
    "nonprecondition-412": ("server-precondition-bug",),
    "multi-match": ("nonprecondition-412", "exists-already", *_TOKEN_FAULTS),
    "payload-precondition-mismatch": (
        "nonprecondition-412",
        "other-writer",
        "token-missing",
        "stale-stored-token",
        "retry-reuses-failed-token",
        "representation-mismatch",
        "malformed-validator",
        "null-token",
    ),
    "cache-misevaluates": (
        "server-precondition-bug",
        "etag-source-mismatch",
        "read-changed-mid-transfer",
        "other-writer",
        "precondition-ignored",
        "stale-cache-read",
        "implicit-precondition",
        "nonprecondition-412",
        "wrong-token-source",
        "replica-lag",
        "stale-stored-token",
    ),
    "inconsistent-backends": (
        "etag-source-mismatch",
        "unstable-etag",
        "replica-lag",
        "stale-cache-read",
        "stale-stored-token",
        "server-side-mutation",
        "precondition-ignored",
        *_TOKEN_FAULTS,
    ),
    "unstable-etag": (
        "etag-source-mismatch",
        "server-side-mutation",
        "stale-stored-token",
        "replica-lag",
        "precondition-ignored",
        *_TOKEN_FAULTS,
    ),
    "etag-source-mismatch": (
        "etag-suffix-rewrite",
        "other-writer",
        "server-precondition-bug",
        "wrong-token-source",
        "stale-stored-token",
        "server-side-mutation",
    ),
    "weak-until-settled": (
        "etag-source-mismatch",
        "etag-weakened",
        "weak-only-origin",
        "unstable-etag",
        "stale-stored-token",
        "server-side-mutation",
        *_TOKEN_FAULTS,
    ),
    "etag-weakened": (
        "etag-source-mismatch",
        "precondition-ignored",
        "weak-only-origin",
        "malformed-validator",
        "unstable-etag",
        "representation-mismatch",
        *_TOKEN_FAULTS,
    ),
    "weak-only-origin": (
        "etag-source-mismatch",
        "malformed-validator",
        "representation-mismatch",
        *_TOKEN_FAULTS,
    ),
    "etag-suffix-rewrite": (
        "malformed-validator",
        "representation-mismatch",
        "unstable-etag",
        "wrong-token-source",
        *_TOKEN_FAULTS,
    ),
    "null-token": (
        "status-dialect-mismatch",
        "unconditional-write",
        "etag-source-mismatch",
        "malformed-validator",
        "token-missing",
        "precondition-ignored",
        *_TOKEN_FAULTS,
    ),
    "malformed-validator": (
        "etag-source-mismatch",
        "unconditional-write",
        "wrong-token-source",
        "stale-stored-token",
        "target-missing",
        "precondition-ignored",
        *_TOKEN_FAULTS,
    ),
    "bad-date": (
        "unconditional-write",
        "precondition-ignored",
        "clock-skew",
        "malformed-validator",
        "stale-stored-token",
        "wrong-token-source",
        *_TOKEN_FAULTS,
    ),
    "clock-skew": (
        "stale-stored-token",
        "timezone-error",
        "date-precision",
        "precondition-ignored",
        "inconsistent-backends",
        *_TOKEN_FAULTS,
    ),
    "timezone-error": (
        "clock-skew",
        "date-precision",
        "precondition-ignored",
        "stale-stored-token",
        "malformed-validator",
        *_TOKEN_FAULTS,
    ),
    "date-precision": ("precondition-ignored", "coarse-token-scope", *_TOKEN_FAULTS),
    "representation-mismatch": (
        "etag-source-mismatch",
        "unstable-etag",
        "inconsistent-backends",
        "wrong-token-source",
        *_TOKEN_FAULTS,
    ),
    "wrong-token-source": ("etag-source-mismatch", "stale-stored-token", "target-missing", *_TOKEN_FAULTS),
    "status-dialect-mismatch": ("other-writer",),
    "coarse-token-scope": (
        "inconsistent-backends",
        "unstable-etag",
        "other-writer",
        "wrong-token-source",
        "server-side-mutation",
        "stale-stored-token",
    ),
    "implicit-precondition": (
        "etag-source-mismatch",
        "stale-stored-token",
        "other-writer",
        "exists-already",
        "create-guard-on-update",
        "server-precondition-bug",
        "nonprecondition-412",
    ),
    "create-guard-on-update": ("exists-already", "server-precondition-bug"),
    "stale-cache-read": (
        "etag-source-mismatch",
        "replica-lag",
        "stale-stored-token",
        "unstable-etag",
        "precondition-ignored",
        *_TOKEN_FAULTS,
    ),
    "replica-lag": (
        "etag-source-mismatch",
        "stale-cache-read",
        "stale-stored-token",
        "unstable-etag",
        *_TOKEN_FAULTS,
    ),
    "self-race": (
        "retry-reuses-failed-token",
        "other-writer",
        "stale-stored-token",
        "intermediary-replay",
        "post-commit-412",
        "exists-already",
        "target-missing",
    ),
    "lost-response-replay": (
        "target-missing",
        "nonprecondition-412",
        "retry-reuses-failed-token",
        "other-writer",
        "stale-stored-token",
        "exists-already",
        "create-guard-on-update",
        "post-commit-412",
        "intermediary-replay",
        "server-side-mutation",
    ),
    "post-commit-412": (
        "target-missing",
        "other-writer",
        "stale-stored-token",
        "intermediary-replay",
        "server-side-mutation",
        "retry-reuses-failed-token",
    ),
    "stale-stored-token": ("other-writer", "server-side-mutation", "retry-reuses-failed-token"),
    "retry-reuses-failed-token": ("other-writer",),
    "blind-refresh": ("other-writer",),
    "read-changed-mid-transfer": (
        "nonprecondition-412",
        "other-writer",
        "precondition-ignored",
        "server-precondition-bug",
        "server-side-mutation",
    ),
    "target-missing": (
        "other-writer",
        "server-precondition-bug",
        "stale-stored-token",
        "wrong-token-source",
        "retry-reuses-failed-token",
        "nonprecondition-412",
    ),
    "server-side-mutation": ("other-writer",),
    "unsupported-precondition": _TOKEN_FAULTS,
    "server-precondition-bug": ("other-writer", "retry-reuses-failed-token"),
    "check-then-write-race": ("precondition-ignored", "unconditional-write"),
    "exists-already": ("nonprecondition-412",),
    "expected-control-flow": (
        "exists-already",
        "create-guard-on-update",
        "retry-reuses-failed-token",
        "other-writer",
        "target-missing",
    ),
    "token-missing": ("nonprecondition-412", "unconditional-write"),
    "other-writer": ("status-dialect-mismatch",),
}
# Explained causes that are true all the same, and so said as contributing.
ALSO_TRUE = frozenset(
    {
        "other-writer",
        "retry-reuses-failed-token",
        "status-dialect-mismatch",
        "null-token",
        "token-missing",
        "blind-refresh",
        "etag-suffix-rewrite",
        "lease-or-lock",
    }
)
# What is taken for the root too readily, by 2,761 first findings of unseen traffic (decision 160).
PRIORS: dict[str, float] = {
    "other-writer": 0.2,
    "stale-stored-token": -0.9,
    "nonprecondition-412": -0.5,
    "server-precondition-bug": -0.5,
    "status-dialect-mismatch": -2.0,
}


class Candidate(Slotted):
    """A cause with its evidence and score."""

    cause: str
    evidence: tuple[Evidence, ...]
    score: float
    likelihood: float = 0.0
    explained_by: str = ""


@dataclass(slots=True)
class Ranking:
    """The outcome for one incident.

    Attributes:
        candidates: that stand for themselves, most likely first.
        contributing: true, not the root.
        explained_away: would fit, follows from another.
        ruled_out: what speaks against a cause that a reader may think of.
    """

    candidates: list[Candidate] = field(default_factory=list[Candidate])
    contributing: list[Because] = field(default_factory=list[Because])
    explained_away: list[Because] = field(default_factory=list[Because])
    ruled_out: list[Because] = field(default_factory=list[Because])


def _score(cause: str, evidence: tuple[Evidence, ...]) -> float:
    total = sum(one.weight for one in evidence)
    damped = total * DAMPING if total > 0 else total
    return PRIORS.get(cause, 0.0) + damped


def gather(facts: Facts) -> list[Candidate]:
    """Run all rules.

    Args:
        facts: of one incident.

    Returns:
        A candidate for each rule that has anything to say, in the order of the rules.
    """
    found: list[Candidate] = []
    url = facts.step.exchange.request.url
    attested = [one for one in facts.case.attested if one.url == url]
    heard = {one.cause: one for one in facts.told}
    for rule in ALL_RULES:
        told = [one.evidence for one in attested if one.cause == rule.cause]
        if rule.cause in heard:
            said = heard[rule.cause]
            told.append(note(f"the text says \u201c{said.words}\u201d", said.weight, facts.step))
        evidence = tuple(sorted((*rule.detect(facts), *told), key=lambda one: -abs(one.weight)))
        if evidence:
            found.append(Candidate(rule.cause, evidence, _score(rule.cause, evidence)))
    return found


def _explain(candidates: list[Candidate]) -> None:
    by_cause = {candidate.cause: candidate for candidate in candidates}
    for root in sorted(candidates, key=lambda one: -one.score):
        if root.explained_by or root.score < _STRONG:
            continue
        for follower in EXPLAINS.get(root.cause, ()):
            one = by_cause.get(follower)
            if one is None or one.explained_by or one.score <= 0:
                continue
            mutual = root.cause in EXPLAINS.get(follower, ())
            if mutual and one.score > root.score:
                continue
            one.explained_by = root.cause
            one.score -= _EXPLAINED


def rank(facts: Facts) -> Ranking:
    """Rank the causes of one incident.

    Args:
        facts: of the incident.
    """
    candidates = gather(facts)
    against = [one for one in candidates if one.score <= _WORTH_SAYING and one.evidence[0].weight < 0]
    _explain(candidates)
    ranking = Ranking()
    standing = [one for one in candidates if one.score > 0 and not one.explained_by]
    total = math.exp(NONE_SCORE) + sum(math.exp(min(one.score, MOST)) for one in standing)
    most = _MOST_CLAIMED if facts.hears or facts.told else _MOST_OF_TORN if facts.from_torn_source else 1.0
    for one in standing:
        one.likelihood = min(math.exp(min(one.score, MOST)) / total, most)
    # Equal cut scores: the uncut score, then the order of roots decides.
    ranking.candidates = sorted(standing, key=lambda one: (-round(one.likelihood, 6), -one.score))
    for one in candidates:
        if one.explained_by:
            because = Because(one.cause, one.evidence[0].text, by=one.explained_by)
            (ranking.contributing if one.cause in ALSO_TRUE else ranking.explained_away).append(because)
    ranking.ruled_out = [
        Because(one.cause, next(e.text for e in one.evidence if e.weight < 0)) for one in against
    ]
    return ranking
