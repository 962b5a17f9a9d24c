"""Write a diagnosis as JUnit XML, for the test view of CI services."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from ifmatch.model.diagnosis import Outcome, Verdict
from ifmatch.report import words

if TYPE_CHECKING:
    from ifmatch.model.diagnosis import Diagnosis, Incident


def render_junit(diagnosis: Diagnosis) -> str:
    """Render a diagnosis as JUnit XML: a test case an incident, a benign answer, a source.

    Args:
        diagnosis: the finished diagnosis.

    Returns:
        An XML document, ending in a line feed. An incident fails unless it was recovered; benign
        answers and sources pass, a suppressed incident is skipped.
    """
    failures = sum(_fails(incident) for incident in diagnosis.incidents)
    skipped = sum(incident.suppressed is not None for incident in diagnosis.incidents)
    cases = len(diagnosis.incidents) + len(diagnosis.benign) + len(diagnosis.sources)
    counts = {"tests": str(cases), "failures": str(failures), "errors": "0", "skipped": str(skipped)}
    root = ET.Element("testsuites", {"name": "ifmatch", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": "ifmatch diagnose", **counts})
    for incident in diagnosis.incidents:
        _incident(suite, incident)
    for benign in diagnosis.benign:
        name = f"{benign.status or 'no answer'} at {words.place(benign.at)}"
        _passed(suite, "benign", name, words.neutralise(benign.why))
    for source in diagnosis.sources:
        warnings = "\n".join(f"warning: {words.warning_line(warning)}" for warning in source.warnings)
        _passed(suite, "source", words.source_line(source), warnings)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _fails(incident: Incident) -> bool:
    return incident.outcome is not Outcome.RECOVERED and incident.suppressed is None


def _case(suite: ET.Element, kind: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", {"classname": f"ifmatch.{kind}", "name": name, "time": "0"})


def _passed(suite: ET.Element, kind: str, name: str, output: str) -> None:
    case = _case(suite, kind, name)
    if output:
        ET.SubElement(case, "system-out").text = output


def _incident(suite: ET.Element, incident: Incident) -> None:
    name = f"{words.neutralise(incident.id)}. {words.request_line(incident)}"
    story = "\n".join(_story(incident))
    if incident.suppressed is not None:
        case = _case(suite, "incident", name)
        ET.SubElement(case, "skipped", {"message": words.suppression(incident.suppressed)})
        ET.SubElement(case, "system-out").text = story
        return
    if incident.outcome is Outcome.RECOVERED:
        _passed(suite, "incident", name, story)
        return
    decided = incident.verdict is Verdict.CAUSE and bool(incident.findings)
    first = incident.findings[0] if incident.findings else None
    message = words.outcome(incident) if first is None else words.neutralise(first.summary)
    kind = words.neutralise(first.cause) if decided and first is not None else "undecided"
    case = _case(suite, "incident", name)
    ET.SubElement(case, "failure", {"type": (kind), "message": (message)}).text = story


def _story(incident: Incident) -> list[str]:
    lines = [f"{words.outcome(incident)}, {words.circumstances(incident)}"]
    for finding in incident.findings:
        lines.append(f"{words.named(finding.cause)} [{words.sureness(finding)}]: {finding.summary}")
        for evidence in finding.evidence:
            where = words.place(evidence.at, evidence.field)
            sign = "-" if evidence.weight < 0 else "+"
            lines.append(f"  {sign} {evidence.text}" + (f" [{where}]" if where else ""))
        for fix in finding.fixes:
            lines.append(f"  fix ({fix.difficulty.value}, {fix.who.value} acts): {fix.title}")
            lines += [f"    {line}" for line in words.command_lines(fix.command)]
    if incident.next_probe is not None:
        lines.append(f"next probe: {incident.next_probe.text}")
        lines += [f"  {line}" for line in words.command_lines(incident.next_probe.command)]
    return [words.neutralise(line) for line in lines]
