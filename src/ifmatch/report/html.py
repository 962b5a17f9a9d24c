"""Render a diagnosis as one self-contained HTML page.

The page loads nothing and runs no script; every string of a capture is escaped by the template engine and
loses its control characters before.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, cast

from ifmatch.model.diagnosis import Verdict
from ifmatch.report import words
from ifmatch.report.picture import picture_of
from ifmatch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Template

    from ifmatch.model.diagnosis import Diagnosis, Incident
    from ifmatch.model.exchange import Provenance
    from ifmatch.report.picture import Picture


@functools.cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only this format needs it

    environment = Environment(
        loader=PackageLoader("ifmatch.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., object]] = {
        "circumstances": words.circumstances,
        "clean": words.neutralise,
        "commands": words.command_lines,
        "percent": words.percent,
        "place": words.place,
        "request_line": words.request_line,
        "outcome": words.outcome,
        "source_line": words.source_line,
        "time": words.timestamp,
        "title": words.title,
        "warning_line": words.warning_line,
    }
    cast("dict[str, Callable[..., object]]", environment.filters).update(filters)
    return environment.get_template("page.html")


def _headline(incidents: tuple[Incident, ...]) -> str:
    if not incidents:
        return "No incident"
    first = incidents[0]
    outcome = words.outcome(first)
    if first.verdict is Verdict.CAUSE and first.findings:
        return f"{outcome}: {words.title(first.findings[0].cause)}"
    return f"{outcome}: cause undecided"


def _rows(incident: Incident) -> dict[Provenance, int]:
    events = incident.timeline.events if incident.timeline is not None else ()
    return {event.provenance: number for number, event in enumerate(events)}


def _picture(incident: Incident) -> Picture | None:
    if incident.timeline is None or not incident.timeline.events:
        return None
    return picture_of(incident.timeline)


def render_html(diagnosis: Diagnosis) -> str:
    """Render a diagnosis as a page for a browser: verdict, picture, evidence, fixes.

    Args:
        diagnosis: the finished, redacted diagnosis.

    Returns:
        The page, ending in a line feed.
    """
    page = _template().render(
        diagnosis=diagnosis,
        headline=_headline(diagnosis.incidents),
        groups=[
            (number, head, same, _rows(head), _picture(head))
            for number, (head, same) in enumerate(words.folded(diagnosis.incidents), start=1)
        ],
        repair_words=words.REPAIR_WORDS,
        benign=words.benign_groups(diagnosis),
        live_lines=words.live_lines(diagnosis.live) if diagnosis.live is not None else (),
        checked=words.checked(diagnosis),
        version=__version__,
    )
    return page.rstrip("\n") + "\n"
