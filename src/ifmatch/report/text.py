"""Write a diagnosis for a terminal: the verdict first, then why, then what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.model.diagnosis import Outcome, Verdict
from ifmatch.report import words
from ifmatch.report.layout import Page

if TYPE_CHECKING:
    from ifmatch.model.diagnosis import Because, Diagnosis, Incident, LiveFindings
    from ifmatch.model.exchange import Source
    from ifmatch.model.finding import Finding, Fix


def render_text(diagnosis: Diagnosis, *, colour: bool = False, width: int = 80) -> str:
    """Render a diagnosis as text for a terminal.

    Args:
        diagnosis: the finished diagnosis.
        colour: mark headlines with ANSI colours.
        width: columns of a line; commands and URLs are never broken.

    Returns:
        The report, ending in a line feed, without control characters but those of the colours.
    """
    page = Page(width, colour=colour)
    groups = words.folded(diagnosis.incidents)
    if not groups:
        page.paragraph("No incident.", style="green")
        page.paragraph(words.checked(diagnosis))
    for head, same in groups:
        page.blank()
        _incident(page, head, same)
    _live(page, diagnosis.live)
    _benign(page, diagnosis)
    _advice(page, diagnosis)
    _sources(page, diagnosis.sources)
    return str(page)


def _incident(page: Page, incident: Incident, same: list[Incident]) -> None:
    _verdict(page, incident)
    page.paragraph(words.request_line(incident), indent=2)
    page.paragraph(f"seen: {words.circumstances(incident)}", indent=2)
    decided = incident.verdict is Verdict.CAUSE
    for number, finding in enumerate(incident.findings, start=1):
        if not decided:
            page.heading(f"Candidate {number}", indent=2)
        else:
            page.heading("Why" if number == 1 else "Less likely", indent=2)
        if number > 1 or not decided:
            page.paragraph(f"{words.named(finding.cause)}, {words.sureness(finding)}", indent=4, style="bold")
        _finding(page, finding)
    _becauses(page, "Contributing", incident.contributing)
    _becauses(page, "Explained away", incident.explained_away)
    _becauses(page, "Ruled out", incident.ruled_out)
    if incident.next_probe is not None:
        page.heading("Next probe", indent=2)
        page.paragraph(incident.next_probe.text, indent=4)
        page.command("run", incident.next_probe.command, indent=4)
    page.paragraph(f"repair: {incident.repair.value} - {words.REPAIR_WORDS[incident.repair.value]}", indent=2)
    if same:
        page.heading(f"Same cause, {words.counted(len(same), 'further incident')}", indent=2)
        for other in same:
            line = f"{other.id}. {words.request_line(other)}, {words.circumstances(other)}"
            page.paragraph(line, indent=4)


def _verdict(page: Page, incident: Incident) -> None:
    outcome = words.outcome(incident)
    if incident.verdict is Verdict.CAUSE and incident.findings:
        first = incident.findings[0]
        verdict = f"{outcome}: {words.named(first.cause)}, {words.sureness(first)}"
    elif incident.findings:
        verdict = f"{outcome}; the cause is undecided, {words.counted(len(incident.findings), 'candidate')}"
    else:
        verdict = f"{outcome}; the cause is undecided, nothing in the evidence points to one"
    damaging = incident.outcome not in {Outcome.REFUSED, Outcome.ERROR, Outcome.RECOVERED}
    style = "red" if damaging else "green" if incident.outcome is Outcome.RECOVERED else "yellow"
    page.paragraph(verdict, mark=f"{words.neutralise(incident.id)}. ", style=style)


def _finding(page: Page, finding: Finding) -> None:
    page.paragraph(finding.summary, indent=4)
    for evidence in finding.evidence:
        where = words.place(evidence.at, evidence.field)
        text = f"{evidence.text} [{where}]" if where else evidence.text
        page.paragraph(text, indent=4, mark="- " if evidence.weight < 0 else "+ ")
    if finding.fixes:
        page.heading("Fix" if len(finding.fixes) == 1 else "Fixes", indent=2)
    for number, fix in enumerate(finding.fixes, start=1):
        _fix(page, number, fix)


def _fix(page: Page, number: int, fix: Fix) -> None:
    page.paragraph(fix.title, indent=4, mark=f"{number}. ")
    about = f"{fix.difficulty.value}; the {fix.who.value} acts; repair by a tool: {fix.repair.value}"
    page.paragraph(about, indent=7, style="dim")
    page.command("run", fix.command, indent=7)
    page.command("verify", fix.verify, indent=7)


def _becauses(page: Page, heading: str, reasons: tuple[Because, ...]) -> None:
    if not reasons:
        return
    page.heading(heading, indent=2)
    for reason in reasons:
        by = f" (follows from {reason.by})" if reason.by else ""
        page.paragraph(f"{words.named(reason.cause)}{by}: {reason.why}", indent=4, mark="- ")


def _live(page: Page, live: LiveFindings | None) -> None:
    if live is None:
        return
    page.blank()
    page.heading("Asked the server")
    for one in live.probes:
        page.paragraph(f"{one.asks} {one.settled}", indent=2, mark="- ")
    for line in words.live_lines(live):
        page.paragraph(line, indent=2, mark="- ")
    for hop in live.hops:
        page.paragraph(words.hop_line(hop), indent=2, mark="- ")


def _benign(page: Page, diagnosis: Diagnosis) -> None:
    if not diagnosis.benign:
        return
    page.blank()
    page.heading("Needs no action")
    for status, places, why in words.benign_groups(diagnosis):
        page.paragraph(f"{status} at {places}: {why}", indent=2, mark="- ")


def _advice(page: Page, diagnosis: Diagnosis) -> None:
    if not diagnosis.advice:
        return
    page.blank()
    page.heading("Advice")
    for advice in diagnosis.advice:
        known = ", ".join(part for part in (advice.cause, words.place(advice.at)) if part)
        page.paragraph(f"{advice.text} [{known}]" if known else advice.text, indent=2, mark="- ")


def _sources(page: Page, sources: tuple[Source, ...]) -> None:
    if not sources:
        return
    page.blank()
    page.heading("Sources")
    for source in sources:
        page.paragraph(words.source_line(source), indent=2, mark="- ")
        for warning in source.warnings:
            page.paragraph(f"warning: {words.warning_line(warning)}", indent=4, style="yellow")
