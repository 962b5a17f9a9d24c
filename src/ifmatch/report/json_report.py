"""Write a diagnosis as JSON, schema `ifmatch.diagnosis/1`."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final

import msgspec

from ifmatch.report.words import timestamp

if TYPE_CHECKING:
    from ifmatch.model.diagnosis import Advice, Attempt, Diagnosis, Incident, LiveFindings, Suppression
    from ifmatch.model.exchange import Provenance, Source
    from ifmatch.model.finding import Evidence, Finding, Fix
    from ifmatch.model.timeline import Timeline, TimelineEvent, Version

# JSON has no infinity (RFC 8259 section 6); a weight this large means the same.
_LARGEST_WEIGHT: Final = 99.0


def render_json(diagnosis: Diagnosis) -> str:
    """Render a diagnosis as JSON text.

    Args:
        diagnosis: the finished diagnosis.

    Returns:
        ASCII only, two blanks of indentation, ending in a line feed. What is not ASCII is escaped, so
        that no control character of the wire reaches a terminal.
    """
    report = as_dict(diagnosis)
    try:
        # Laying out what is written already takes a third of the time of writing it with its layout.
        return msgspec.json.format(json.dumps(report, allow_nan=False), indent=2) + "\n"
    except msgspec.DecodeError:
        # A half of a surrogate pair, which JSON allows (RFC 8259 section 8.2), and this reader does not.
        return json.dumps(report, indent=2, allow_nan=False) + "\n"


def as_dict(diagnosis: Diagnosis) -> dict[str, object]:
    """Return the members of the contract as plain values.

    Args:
        diagnosis: the finished diagnosis.

    Returns:
        Dicts, lists, text, numbers and None; times as RFC 3339 with milliseconds, unknown as None.
    """
    return {
        "schema": "ifmatch.diagnosis/1",
        "sources": [_source(source) for source in diagnosis.sources],
        "incidents": [_incident(incident) for incident in diagnosis.incidents],
        "benign": [
            {**_place(benign.at), "status": benign.status or None, "why": benign.why}
            for benign in diagnosis.benign
        ],
        "advice": [_advice(advice) for advice in diagnosis.advice],
        **({} if diagnosis.live is None else {"live": _live(diagnosis.live)}),
    }


def _live(live: LiveFindings) -> dict[str, object]:
    return {
        "probes": [
            {"id": one.id, "asks": one.asks, "settled": one.settled, "requests": one.requests}
            for one in live.probes
        ],
        "hops": [
            {"name": one.name, "coded": one.coded, "identity": one.identity, "head": one.head}
            for one in live.hops
        ],
        "differences": list(live.differences),
        "clock_offset_ms": None if live.clock_offset is None else round(live.clock_offset * 1000),
        "sent": live.sent,
        "stopped": live.stopped or None,
    }


def _place(at: Provenance | None) -> dict[str, object]:
    if at is None:
        return {"source": None, "entry": None, "line": None}
    return {"source": at.source, "entry": at.entry, "line": at.line}


def _place_or_none(at: Provenance | None) -> dict[str, object] | None:
    return None if at is None else _place(at)


def _source(source: Source) -> dict[str, object]:
    return {
        "name": source.name,
        "format": source.format,
        "exchanges": source.exchanges,
        "vantage": source.vantage.value,
        "actor": source.actor,
        "node": source.node,
        "clock_offset_ms": source.clock_offset_ms,
        "warnings": [
            {"entry": warning.entry, "line": warning.line, "offset": warning.offset, "text": warning.text}
            for warning in source.warnings
        ],
    }


def _incident(incident: Incident) -> dict[str, object]:
    probe = incident.next_probe
    return {
        "id": incident.id,
        "outcome": incident.outcome.value,
        "verdict": incident.verdict.value,
        "resource": incident.resource or None,
        "method": incident.method or None,
        "status": incident.status or None,
        "at": timestamp(incident.at),
        "actor": incident.actor or None,
        "exchange": _place(incident.exchange),
        "attempts": [_attempt(attempt) for attempt in incident.attempts],
        "same_cause_as": incident.same_cause_as,
        "findings": [_finding(finding) for finding in incident.findings],
        "contributing": [{"cause": reason.cause, "why": reason.why} for reason in incident.contributing],
        "explained_away": [
            {"cause": reason.cause, "by": reason.by or None, "why": reason.why}
            for reason in incident.explained_away
        ],
        "ruled_out": [{"cause": reason.cause, "why": reason.why} for reason in incident.ruled_out],
        "repair": incident.repair.value,
        "next_probe": None if probe is None else {"text": probe.text, "command": probe.command or None},
        "timeline": None if incident.timeline is None else _timeline(incident.timeline),
        "suppressed": None if incident.suppressed is None else _suppression(incident.suppressed),
    }


def _suppression(suppressed: Suppression) -> dict[str, object]:
    until = None if suppressed.until is None else suppressed.until.isoformat()
    return {"reason": suppressed.reason, "by": suppressed.by, "until": until}


def _attempt(attempt: Attempt) -> dict[str, object]:
    return {**_place(attempt.at_entry), "status": attempt.status or None, "at": timestamp(attempt.at)}


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "cause": finding.cause,
        "likelihood": round(finding.likelihood, 4),
        "level": finding.level.value,
        "summary": finding.summary,
        "evidence": [_evidence(evidence) for evidence in finding.evidence],
        "fixes": [_fix(fix) for fix in finding.fixes],
    }


def _evidence(evidence: Evidence) -> dict[str, object]:
    return {
        "text": evidence.text,
        "weight": _weight(evidence.weight),
        **_place(evidence.at),
        "field": evidence.field or None,
    }


def _weight(weight: float) -> float | None:
    if math.isnan(weight):
        return None
    return round(max(-_LARGEST_WEIGHT, min(_LARGEST_WEIGHT, weight)), 4)


def _fix(fix: Fix) -> dict[str, object]:
    return {
        "title": fix.title,
        "difficulty": fix.difficulty.value,
        "who": fix.who.value,
        "repair": fix.repair.value,
        "command": fix.command or None,
        "verify": fix.verify or None,
    }


def _advice(advice: Advice) -> dict[str, object]:
    return {"text": advice.text, "cause": advice.cause or None, **_place(advice.at)}


def _timeline(timeline: Timeline) -> dict[str, object]:
    return {
        "resource": timeline.resource or None,
        "actors": list(timeline.actors),
        "versions": [_version(version) for version in timeline.versions],
        "events": [_event(event) for event in timeline.events],
    }


def _version(version: Version) -> dict[str, object]:
    return {
        "label": version.label,
        "validators": list(version.validators),
        "first_seen": timestamp(version.first_seen),
        "made_by": version.made_by or None,
        "made_at": _place_or_none(version.made_at),
    }


def _event(event: TimelineEvent) -> dict[str, object]:
    return {
        "at": timestamp(event.at),
        "until": timestamp(event.until),
        "actor": event.actor or None,
        "kind": event.kind.value,
        "method": event.method or None,
        "status": event.status or None,
        **_place(event.provenance),
        "version": event.version or None,
        "presented": event.presented or None,
        "token_from": _place_or_none(event.token_from),
        "token_version": event.token_version or None,
        "note": event.note or None,
    }
