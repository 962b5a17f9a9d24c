"""Find the directive that explains a finding, and write the change of the file that mends it."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

import msgspec

from ifmatch.model.exchange import Provenance
from ifmatch.model.finding import Difficulty, Evidence, Finding, Fix, Repair, Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.capture.configurations import ConfigurationLine, ServerConfiguration
    from ifmatch.model.diagnosis import Diagnosis, Incident

__all__ = ["Directive", "directives", "explain_by"]

_WEIGHT: Final = 2.0


class Directive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    r"""A line of configuration that causes something.

    Attributes:
        kind: of the server.
        pattern: of the line.
        causes: what it explains.
        effect: in words.
        advice: what to do, imperative.
        becomes: what the line is replaced by, groups as `\1`; None to take it out, with the block that it
            opens; "" when it takes thought.
    """

    kind: str
    pattern: str
    causes: tuple[str, ...]
    effect: str
    advice: str
    becomes: str | None = None


class _File(msgspec.Struct, frozen=True):
    directive: tuple[Directive, ...]


@cache
def directives() -> tuple[tuple[Directive, re.Pattern[str]], ...]:
    """Return the known directives with their patterns, in the order of the file."""
    text = resources.files("ifmatch.doctor").joinpath("directives.toml").read_text(encoding="utf-8")
    found = msgspec.convert(tomllib.loads(text), _File)
    return tuple((one, re.compile(one.pattern)) for one in found.directive)


def explain_by(diagnosis: Diagnosis, configurations: Sequence[ServerConfiguration]) -> Diagnosis:
    """Return the diagnosis with directives that explain its findings as evidence, and changes as fixes.

    Args:
        diagnosis: of the traffic.
        configurations: given beside it.
    """
    found = [
        (directive, line, configuration)
        for configuration in configurations
        for line in configuration.lines
        for directive, pattern in directives()
        if directive.kind == configuration.kind and pattern.search(line.text)
    ]
    if not found:
        return diagnosis
    return replace(diagnosis, incidents=tuple(_explained(one, found) for one in diagnosis.incidents))


def _explained(
    incident: Incident, found: Sequence[tuple[Directive, ConfigurationLine, ServerConfiguration]]
) -> Incident:
    findings = [_finding(finding, found) for finding in incident.findings]
    if all(new is old for new, old in zip(findings, incident.findings, strict=True)):
        return incident
    # What is explained gains; the rest, "none of these" among it, keeps its proportion.
    odds = [
        (finding.likelihood * math.exp(_WEIGHT) if finding is not old else finding.likelihood)
        for finding, old in zip(findings, incident.findings, strict=True)
    ]
    whole = sum(odds) + max(0.0, 1.0 - sum(finding.likelihood for finding in incident.findings))
    shared = [
        replace(finding, likelihood=share / whole) for finding, share in zip(findings, odds, strict=True)
    ]
    return replace(incident, findings=tuple(sorted(shared, key=lambda one: -one.likelihood)))


def _finding(
    finding: Finding, found: Sequence[tuple[Directive, ConfigurationLine, ServerConfiguration]]
) -> Finding:
    mine = [one for one in found if finding.cause in one[0].causes]
    if not mine:
        return finding
    evidence = [
        Evidence(
            f"{_where(line, configuration)}: `{line.text}` {directive.effect}",
            _WEIGHT if number == 0 else 0.0,
            Provenance(configuration.name, line=line.position + 1),
        )
        for number, (directive, line, configuration) in enumerate(mine[:5])
    ]
    fixes = list(dict.fromkeys(_fixes(mine)))
    return replace(finding, evidence=(*finding.evidence, *evidence), fixes=(*fixes, *finding.fixes))


def _where(line: ConfigurationLine, configuration: ServerConfiguration) -> str:
    return f"{line.file or configuration.name} line {line.number}"


def _fixes(mine: Sequence[tuple[Directive, ConfigurationLine, ServerConfiguration]]) -> Iterator[Fix]:
    for directive, line, configuration in mine[:3]:
        yield Fix(
            title=f"{directive.advice}: {_where(line, configuration)}",
            difficulty=Difficulty.EASY if directive.becomes != "" else Difficulty.MEDIUM,
            who=Role.INTERMEDIARY,
            repair=Repair.NONE,
            command=_difference(directive, line, configuration),
        )


def _end(configuration: ServerConfiguration, line: ConfigurationLine) -> int:
    """Return the index behind what a line opens: a block in braces, or the rest of a YAML item."""
    source, first = configuration.source, line.position
    if configuration.kind == "envoy":
        indent = _indent(line.raw)
        for position in range(first + 1, len(source)):
            if source[position].strip() and _indent(source[position]) <= indent:
                return position
        return len(source)
    depth = 0
    for position in range(first, len(source)):
        depth += source[position].count("{") - source[position].count("}")
        if depth <= 0:
            return position + 1
    return first + 1


def _indent(raw: str) -> int:
    return len(raw) - len(raw.lstrip())


def _difference(directive: Directive, line: ConfigurationLine, configuration: ServerConfiguration) -> str:
    """Return the change as a unified diff of the file, "" when it takes thought."""
    if directive.becomes == "":
        return ""
    before = list(configuration.source)
    after = list(before)
    indent = line.raw[: _indent(line.raw)]
    if directive.becomes is None:
        del after[line.position : _end(configuration, line)]
    else:
        after[line.position] = indent + re.sub(directive.pattern, directive.becomes, line.text)
    name = (line.file or configuration.name).replace("\\", "/").lstrip("/")
    return "\n".join(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", n=2, lineterm=""))
