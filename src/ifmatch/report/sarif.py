"""Write a diagnosis as SARIF 2.1.0, for code scanning and editors.

Source: OASIS Static Analysis Results Interchange Format 2.1.0, sections 3.27 (result), 3.49 (rule).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ifmatch.model.catalogue import causes
from ifmatch.model.diagnosis import Outcome, Verdict
from ifmatch.model.finding import Level
from ifmatch.report import words
from ifmatch.version import __version__

if TYPE_CHECKING:
    from ifmatch.model.diagnosis import Diagnosis, Incident
    from ifmatch.model.exchange import Provenance

_LEVELS: Final = {Level.HIGH: "error", Level.MEDIUM: "warning", Level.LOW: "note"}
_UNDECIDED: Final = "undecided"


def render_sarif(diagnosis: Diagnosis) -> str:
    """Render a diagnosis as a SARIF log with one run.

    Args:
        diagnosis: the finished diagnosis.

    Returns:
        ASCII JSON, ending in a line feed; one result an incident.
    """
    rules = list(dict.fromkeys(_rule_id(incident) for incident in diagnosis.incidents))
    run: dict[str, object] = {
        "tool": {
            "driver": {
                "name": "ifmatch",
                "version": __version__,
                "informationUri": "https://github.com/ifmatch/ifmatch",
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "invocations": [
            {"executionSuccessful": True, "toolExecutionNotifications": _notifications(diagnosis)}
        ],
        "artifacts": [{"location": {"uri": _uri(source.name)}} for source in diagnosis.sources],
        "results": [_result(incident, rules) for incident in diagnosis.incidents],
        "columnKind": "unicodeCodePoints",
    }
    log: dict[str, object] = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=2, allow_nan=False) + "\n"


def _rule_id(incident: Incident) -> str:
    return words.neutralise(incident.findings[0].cause) if incident.findings else _UNDECIDED


def _rule(rule: str) -> dict[str, object]:
    record = causes().get(rule)
    if record is None:
        text = "The evidence names no cause." if rule == _UNDECIDED else rule
        return {"id": rule, "shortDescription": {"text": text}}
    described: dict[str, object] = {
        "id": rule,
        "shortDescription": {"text": record.title or rule},
        "fullDescription": {"text": record.definition},
        "help": {"text": record.prose or record.fix},
        "properties": {"family": record.family, "difficulty": record.difficulty.value},
    }
    if record.rfc:
        described["properties"] = {
            "family": record.family,
            "difficulty": record.difficulty.value,
            "rfc": record.rfc,
        }
    return described


def _result(incident: Incident, rules: list[str]) -> dict[str, object]:
    rule = _rule_id(incident)
    evidence = incident.findings[0].evidence if incident.findings else ()
    related: list[dict[str, object]] = [
        {"id": number, "message": {"text": words.neutralise(seen.text)}, **_location(seen.at)}
        for number, seen in enumerate(evidence, start=1)
        if seen.at is not None
    ]
    result: dict[str, object] = {
        "ruleId": rule,
        "ruleIndex": rules.index(rule),
        "level": _level(incident),
        "message": {"text": _message(incident)},
        "locations": [_location(incident.exchange)],
        "relatedLocations": related,
        "partialFingerprints": {"ifmatchIncident/v1": incident.fingerprint},
        "properties": {
            "incident": incident.id,
            "outcome": incident.outcome.value,
            "verdict": incident.verdict.value,
            "likelihood": round(incident.findings[0].likelihood, 4) if incident.findings else None,
            "repair": incident.repair.value,
            "same_cause_as": incident.same_cause_as,
            "at": words.timestamp(incident.at),
        },
    }
    if incident.suppressed is not None:
        result["suppressions"] = [
            {"kind": "external", "justification": words.neutralise(incident.suppressed.reason)}
        ]
    return result


def _level(incident: Incident) -> str:
    if incident.outcome is Outcome.RECOVERED:
        return "note"
    return _LEVELS[incident.findings[0].level] if incident.findings else "warning"


def _message(incident: Incident) -> str:
    parts = [f"{words.outcome(incident)}: {words.request_line(incident)}."]
    if incident.verdict is Verdict.UNDECIDED:
        parts.append("The cause is undecided.")
    if incident.findings:
        first = incident.findings[0]
        parts.append(
            f"{words.title(first.cause)} ({words.sureness(first)}): {words.neutralise(first.summary)}"
        )
        if first.fixes:
            parts.append(
                f"Fix: {words.neutralise(first.fixes[0].title)} (the {first.fixes[0].who.value} acts)."
            )
    if incident.next_probe is not None:
        parts.append(f"Next probe: {words.neutralise(incident.next_probe.text)}")
    return " ".join(parts)


def _location(at: Provenance) -> dict[str, object]:
    physical: dict[str, object] = {"artifactLocation": {"uri": _uri(at.source)}}
    if at.line is not None and at.line > 0:
        physical["region"] = {"startLine": at.line}
    location: dict[str, object] = {"physicalLocation": physical}
    if at.entry is not None:
        location["logicalLocations"] = [
            {"fullyQualifiedName": f"entry/{at.entry}", "name": f"entry/{at.entry}"}
        ]
    return location


def _uri(name: str) -> str:
    """Return a source's name as a URI reference (RFC 3986 section 4.1)."""
    return quote(name.encode("utf-8", "surrogatepass"), safe="/")


def _notifications(diagnosis: Diagnosis) -> list[dict[str, object]]:
    return [
        {
            "level": "warning",
            "message": {"text": words.warning_line(warning)},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(source.name)}}}],
        }
        for source in diagnosis.sources
        for warning in source.warnings
    ]
