"""Name the one question that would settle most of what is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.findings.dialect_commands import in_shell
from ifmatch.model.diagnosis import NextProbe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.model.finding import Finding

_CURL = "curl -sS -D - -o /dev/null"
# First fit wins: the causes that a probe separates, what it asks, options, and how often.
_PROBES: tuple[tuple[frozenset[str], str, str], ...] = (
    (
        frozenset({"etag-weakened", "weak-only-origin", "etag-suffix-rewrite", "weak-until-settled"}),
        (
            "Read the resource without content coding: a strong or bare tag then says that an encoder "
            "changes it, a weak one that the origin itself has no strong tag."
        ),
        "-H 'Accept-Encoding: identity'",
    ),
    (
        frozenset({"stale-cache-read", "replica-lag", "cache-misevaluates"}),
        (
            "Read past the caches, twice, two seconds apart: another tag at once points to a cache, "
            "only later to a replica."
        ),
        "-H 'Cache-Control: no-cache'",
    ),
    (
        frozenset({"inconsistent-backends", "unstable-etag"}),
        (
            "Read six times in a row on fresh connections: tags that come back point to nodes, ever "
            "new ones to the server itself."
        ),
        "-H 'Connection: close'",
    ),
    (
        frozenset({"lost-response-replay", "intermediary-replay", "post-commit-412"}),
        "Read the resource back and compare it with what was sent, before anything is sent again.",
        "",
    ),
    (
        frozenset({"representation-mismatch", "wrong-token-source", "etag-source-mismatch"}),
        (
            "Read exactly the URL of the write, with the write's own Accept and Accept-Language, by "
            "GET and by HEAD."
        ),
        "",
    ),
    (
        frozenset({"precondition-ignored", "precondition-stripped", "check-then-write-race"}),
        (
            "Look at the same write at the origin (its log, or a capture behind the proxy): is the "
            "precondition there?"
        ),
        "",
    ),
)
_REFRESH = (
    "Read the resource now: the same tag as the refused one says that nobody wrote; "
    "another one, with its content, says who."
)


def probe_for(findings: Sequence[Finding], facts: Facts) -> NextProbe | None:
    """Return the question that would settle most, None when nothing is open.

    Args:
        findings: most likely first.
        facts: of the incident.
    """
    if findings and findings[0].likelihood >= 0.9:
        return None
    url = in_shell(facts.step.exchange.request.url)
    if facts.refresh is None and facts.token is not None:
        return NextProbe(_REFRESH, f"{_CURL} -H 'Cache-Control: no-cache' {url}")
    open_causes = {finding.cause for finding in findings[:3]}
    for separates, text, options in _PROBES:
        if separates & open_causes:
            return NextProbe(text, " ".join(part for part in (_CURL, options, url) if part))
    if findings and findings[0].likelihood >= 0.75:
        return None
    return NextProbe(_REFRESH, f"{_CURL} -H 'Cache-Control: no-cache' {url}")
