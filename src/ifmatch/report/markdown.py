"""Write a diagnosis for a ticket: one screen of Markdown, everything from the wire escaped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.model.diagnosis import Verdict
from ifmatch.report import words

if TYPE_CHECKING:
    from ifmatch.model.diagnosis import Because, Diagnosis, Incident
    from ifmatch.model.finding import Finding, Fix

# One screen: what is left out is counted.
_INCIDENTS: Final = 3
_EVIDENCE: Final = 4
_FIXES: Final = 2
_LINES: Final = 5

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&$!])")
_LIST_START = re.compile(r"^(\s*)([-+=]|\d+(?=[.)]))")


def render_markdown(diagnosis: Diagnosis) -> str:
    """Render a diagnosis as Markdown (CommonMark, safe with GitHub's and GitLab's extensions).

    Args:
        diagnosis: the finished diagnosis.

    Returns:
        The report, ending in a line feed; no text of the wire acts as markup.
    """
    groups = words.folded(diagnosis.incidents)
    blocks: list[str] = []
    if not groups:
        blocks += ["## No incident", escaped(words.checked(diagnosis))]
    for head, same in groups[:_INCIDENTS]:
        blocks += _incident(head, same)
    rest = [head for head, _ in groups[_INCIDENTS:]]
    if rest:
        blocks += ["### Further incidents", _bullets([_short(incident) for incident in rest])]
    if diagnosis.live is not None:
        lines = [f"{escaped(one.asks)} {escaped(one.settled)}" for one in diagnosis.live.probes]
        lines += [escaped(line) for line in words.live_lines(diagnosis.live)]
        lines += [escaped(words.hop_line(hop)) for hop in diagnosis.live.hops]
        blocks += ["**Asked the server**", _bullets(lines)]
    if diagnosis.benign:
        lines = [
            f"{status} at {code(places)}: {escaped(why)}"
            for status, places, why in words.benign_groups(diagnosis)
        ]
        blocks += ["**Needs no action**", _bullets(lines)]
    if diagnosis.advice:
        blocks += ["**Advice**", _bullets([escaped(advice.text) for advice in diagnosis.advice])]
    if diagnosis.sources:
        lines = [escaped(words.source_line(source)) for source in diagnosis.sources]
        lines += [
            f"warning in {code(source.name)}: {escaped(words.warning_line(warning))}"
            for source in diagnosis.sources
            for warning in source.warnings
        ]
        blocks += ["**Sources**", _bullets(lines)]
    return "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no HTML, no link.

    Args:
        text: any text; made harmless here.
    """
    plain = _SPECIAL.sub(r"\\\1", words.neutralise(text))
    plain = plain.replace("://", r"\://").replace("www.", r"www\.")
    return _LIST_START.sub(_protected, plain)


def _protected(match: re.Match[str]) -> str:
    start = match.group(2)
    return f"{start}\\" if start.isdigit() else f"\\{start}"


def code(text: str) -> str:
    """Return a code span that shows the text, whatever backticks it holds."""
    plain = words.neutralise(text).strip() or " "
    fence = "`" * (_longest_run(plain) + 1)
    padding = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{padding}{plain}{padding}{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _block(command: str, indent: str) -> str:
    lines = words.command_lines(command)
    fence = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    return "\n".join(f"{indent}{line}" for line in (f"{fence}sh", *lines, fence))


def _bullets(lines: list[str], limit: int = _LINES) -> str:
    shown = [f"- {line}" for line in lines[:limit]]
    if len(lines) > limit:
        shown.append(f"- and {len(lines) - limit} more")
    return "\n".join(shown)


def _short(incident: Incident) -> str:
    return f"{code(words.request_line(incident))}, {escaped(words.circumstances(incident))}"


def _incident(incident: Incident, same: list[Incident]) -> list[str]:
    outcome = words.outcome(incident)
    decided = incident.verdict is Verdict.CAUSE and bool(incident.findings)
    cause = words.title(incident.findings[0].cause) if decided else "cause undecided"
    blocks = [f"## {outcome}: {escaped(cause)}", _short(incident)]
    for finding in incident.findings[:1] if decided else incident.findings[:_LINES]:
        blocks += _finding(finding)
    others = incident.findings[1:] if decided else incident.findings[_LINES:]
    if others:
        lines = [
            f"{code(other.cause)} ({words.sureness(other)}): {escaped(other.summary)}" for other in others
        ]
        blocks += ["**Less likely**", _bullets(lines)]
    for heading, reasons in (
        ("Contributing", incident.contributing),
        ("Explained away", incident.explained_away),
        ("Ruled out", incident.ruled_out),
    ):
        if reasons:
            blocks += [f"**{heading}**", _bullets([_because(reason) for reason in reasons])]
    if incident.next_probe is not None:
        blocks.append(f"**Next probe**: {escaped(incident.next_probe.text)}")
        if incident.next_probe.command:
            blocks.append(_block(incident.next_probe.command, ""))
    blocks.append(f"**Repair**: {incident.repair.value}, {words.REPAIR_WORDS[incident.repair.value]}")
    if same:
        blocks += ["**Same cause**", _bullets([_short(other) for other in same])]
    return blocks


def _because(reason: Because) -> str:
    by = f", follows from {code(reason.by)}" if reason.by else ""
    return f"{code(reason.cause)}{by}: {escaped(reason.why)}"


def _finding(finding: Finding) -> list[str]:
    blocks = [f"**{code(finding.cause)}** ({words.sureness(finding)}): {escaped(finding.summary)}"]
    lines: list[str] = []
    for evidence in finding.evidence:
        where = words.place(evidence.at, evidence.field)
        against = "against: " if evidence.weight < 0 else ""
        lines.append(against + escaped(evidence.text) + (f" ({code(where)})" if where else ""))
    if lines:
        blocks.append(_bullets(lines, _EVIDENCE))
    if finding.fixes:
        blocks.append("**What to do**")
        blocks.append(
            "\n".join(_fix(number, fix) for number, fix in enumerate(finding.fixes[:_FIXES], start=1))
        )
    return blocks


def _fix(number: int, fix: Fix) -> str:
    about = f"{fix.difficulty.value}, {fix.who.value} acts, repair {fix.repair.value}"
    parts = [f"{number}. {escaped(fix.title)} ({about})"]
    if fix.command.strip():
        parts.append(_block(fix.command, "   "))
    if fix.verify.strip():
        parts += ["   Verify:", _block(fix.verify, "   ")]
    return "\n".join(parts)
