"""Add to a diagnosis where the code stands that heals it, in the language of the client that was seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ifmatch.model.catalogue.snippets import snippet_for_agent
from ifmatch.model.finding import Difficulty, Fix, Repair, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.model.diagnosis import Diagnosis, Incident
    from ifmatch.model.exchange import Capture, Exchange, Provenance

__all__ = ["with_snippets"]

# What a loop of read, edit, conditional write mends.
_MENDED: Final = frozenset(
    {
        "other-writer",
        "self-race",
        "stale-stored-token",
        "retry-reuses-failed-token",
        "blind-refresh",
        "unconditional-write",
        "null-token",
        "token-missing",
        "create-guard-on-update",
        "malformed-validator",
        "server-side-mutation",
        "stale-cache-read",
    }
)


def with_snippets(diagnosis: Diagnosis, captures: Sequence[Capture]) -> Diagnosis:
    """Return the diagnosis with one more fix where the client's language is known.

    Args:
        diagnosis: of the captures.
        captures: that name the client.
    """
    exchanges = {one.provenance: one for capture in captures for one in capture.exchanges}
    return replace(diagnosis, incidents=tuple(_advised(one, exchanges) for one in diagnosis.incidents))


def _advised(incident: Incident, exchanges: dict[Provenance, Exchange]) -> Incident:
    if not incident.findings or incident.findings[0].cause not in _MENDED:
        return incident
    exchange = exchanges.get(incident.exchange)
    agent = exchange.request.fields.text("user-agent") if exchange is not None else None
    snippet = snippet_for_agent(agent or "")
    if snippet is None:
        return incident
    fix = Fix(
        title=f"The loop that reads, edits and writes with the tag of that read: {snippet.title}",
        difficulty=Difficulty.EASY,
        who=Role.CLIENT,
        repair=Repair.NONE,
        command=f"ifmatch explain update-{snippet.id}",
    )
    first = incident.findings[0]
    return replace(incident, findings=(replace(first, fixes=(*first.fixes, fix)), *incident.findings[1:]))
