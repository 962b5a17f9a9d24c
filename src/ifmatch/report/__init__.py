"""Turn a finished diagnosis into text, Markdown, JSON, HTML, SARIF or JUnit XML.

Reports only render: ranking is done before, redaction too. Each format is a module of its own and is
loaded when it is asked for.
"""

from __future__ import annotations

from importlib import import_module, resources
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.model.diagnosis import Diagnosis

__all__ = ["FORMATS", "SCHEMAS", "render", "schema"]

FORMATS: Final = ("text", "markdown", "json", "html", "sarif", "junit")
SCHEMAS: Final = {"diagnosis": "diagnosis-1.json"}

_RENDERERS: Final = {
    "markdown": ("markdown", "render_markdown"),
    "json": ("json_report", "render_json"),
    "html": ("html", "render_html"),
    "sarif": ("sarif", "render_sarif"),
    "junit": ("junit", "render_junit"),
}


def render(diagnosis: Diagnosis, format: str, *, colour: bool = False, width: int = 80) -> str:  # noqa: A002
    """Render a diagnosis.

    Args:
        diagnosis: the finished, redacted diagnosis.
        format: one of `FORMATS`.
        colour: text only: mark the verdict with ANSI colours.
        width: text only: columns of a line; commands and URLs are never broken.

    Returns:
        The report, ending in a line feed.

    Raises:
        ValueError: when the format is none of `FORMATS`.
    """
    if format == "text":
        from ifmatch.report.text import render_text  # noqa: PLC0415 - each format loads when asked for

        return render_text(diagnosis, colour=colour, width=width)
    if format not in _RENDERERS:
        raise ValueError(f"unknown report format {format!r}; use one of {', '.join(FORMATS)}")
    module, function = _RENDERERS[format]
    renderer = cast(
        "Callable[[Diagnosis], str]", getattr(import_module(f"ifmatch.report.{module}"), function)
    )
    return renderer(diagnosis)


def schema(name: str) -> str:
    """Return the JSON Schema (draft 2020-12) of a JSON report.

    Args:
        name: a key of `SCHEMAS`, such as `diagnosis`.

    Returns:
        The text of the schema.

    Raises:
        ValueError: when there is no schema of this name.
    """
    if name not in SCHEMAS:
        raise ValueError(f"unknown schema {name!r}; use one of {', '.join(SCHEMAS)}")
    return resources.files(__name__).joinpath("schemas", SCHEMAS[name]).read_text(encoding="utf-8")
