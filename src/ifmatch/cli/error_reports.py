"""Answer a traceback, an error line or a sentence: nothing above low, and how to log the traffic."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ifmatch.model.catalogue.topics import topics
from ifmatch.model.diagnosis import Attempt, Incident, NextProbe, Outcome, Verdict
from ifmatch.model.finding import Repair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.model.diagnosis import Diagnosis
    from ifmatch.model.exchange import Capture, Exchange
    from ifmatch.model.finding import Fix

__all__ = ["with_next_log"]

_FORMAT: Final = "error-report"
# A line says that it failed, never why.
_MOST: Final = 0.3


def with_next_log(diagnosis: Diagnosis, captures: Sequence[Capture]) -> Diagnosis:
    """Return the diagnosis with what to do about incidents that only an error line tells of.

    Args:
        diagnosis: of all captures.
        captures: as read.
    """
    reported = {
        exchange.provenance: exchange
        for capture in captures
        if capture.format == _FORMAT
        for exchange in capture.exchanges
    }
    if not reported:
        return diagnosis
    told = {attempt.at_entry for incident in diagnosis.incidents for attempt in incident.attempts}
    told |= {incident.exchange for incident in diagnosis.incidents}
    incidents = [
        _open(incident, reported[incident.exchange]) if incident.exchange in reported else incident
        for incident in diagnosis.incidents
    ]
    incidents += [
        _incident(str(len(incidents) + number), exchange)
        for number, exchange in enumerate((one for place, one in reported.items() if place not in told), 1)
    ]
    # That a request had no condition is not known of one that only an error line tells of.
    benign = tuple(one for one in diagnosis.benign if one.at not in reported)
    return replace(diagnosis, incidents=tuple(incidents), benign=benign)


def _open(incident: Incident, exchange: Exchange) -> Incident:
    findings = tuple(
        replace(
            finding,
            likelihood=min(finding.likelihood, _MOST),
            fixes=finding.fixes
            if exchange.request.url
            else tuple(_at_variable(fix) for fix in finding.fixes),
        )
        for finding in incident.findings
    )
    return replace(
        incident,
        verdict=Verdict.UNDECIDED,
        resource=incident.resource if exchange.request.url else "(unknown URL)",
        findings=findings,
        hearsay=True,
        next_probe=probe(exchange.initiator, incident.method, refused=exchange.status != 0),
    )


def _at_variable(fix: Fix) -> Fix:
    """Put variables where a command has no URL and no method."""
    command, verify = (
        text.replace("-X ''", '-X "$METHOD"').replace("''", '"$URL"') for text in (fix.command, fix.verify)
    )
    return replace(fix, command=command, verify=verify)


def _incident(number: str, exchange: Exchange) -> Incident:
    """Return an incident about a refusal that the rules make nothing of: they have only a code to go by."""
    incident = Incident(
        number,
        Outcome.REFUSED,
        Verdict.UNDECIDED,
        exchange.request.url,
        exchange.request.method,
        exchange.status,
        exchange.provenance,
        at=exchange.started,
        attempts=(Attempt(exchange.provenance, exchange.status, exchange.started),),
        repair=Repair.ASK,
    )
    return _open(incident, exchange)


def probe(library: str, method: str, *, refused: bool = True) -> NextProbe:
    """Return the lines that make a library log its wire traffic.

    Args:
        library: name as `ifmatch explain capture` takes it, "" when unknown.
        method: of the request, "" when unknown.
        refused: whether the text tells of a refusal.
    """
    topic = topics().get(f"capture-{library}") or topics()["capture-curl"]
    name = topic.id.removeprefix("capture-")
    block = next((block for block in topic.blocks if block.startswith("    ")), "")
    what = f"{'the refused ' if refused else 'the '}{method or 'request'}"
    said = "that a request was refused, not why" if refused else "what went wrong, and shows nothing of it"
    text = (
        f"The text says {said}. {topic.brief} Repeat the failure so that the "
        f"log holds the read before, {what} and a read after it; then: ifmatch diagnose wire.log. "
        f"In full: ifmatch explain capture {name}"
    )
    return NextProbe(text, textwrap.dedent(block))
