"""Read contents that are rows: lines of JSON, and tables with a heading; pure."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Final, cast

from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.dialects.view import View

__all__ = ["is_table", "of_lines", "rows_sent", "rows_told"]

_MOST: Final = 200
_HEADED: Final = 2
_COLUMNS: Final = (",", ";", "\t", "|")
# Contents that are lines of JSON, be there but one.
_OF_LINES: Final = late_pattern(r"(?i)ndjson|jsonl|json-?lines|json-seq|stream\+json|newline")


def of_lines(kind: str) -> bool:
    """Tell whether a media type is one of lines of JSON.

    Args:
        kind: value of Content-Type.
    """
    return _OF_LINES.search(kind) is not None


def rows_sent(view: View) -> object:
    """Return what a request sends, lines of JSON and the rows of a table as a list."""
    kind = view.request.fields.text("content-type") or ""
    return _lines(view.sent_text, kind) or (_table_rows(view.sent_text, kind) or view.sent_json)


def _table_rows(text: str, kind: str) -> list[object]:
    """Return the rows of a table with a heading, by its columns; nothing where the type is of no table."""
    lines = [one for one in text.splitlines() if one.strip()][: _MOST + 1]
    if not is_table(kind) or len(lines) < _HEADED:
        return []
    sign = max(_COLUMNS, key=lines[0].count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=sign)]
    names = rows[0]
    if len(names) < _HEADED or any(len(row) != len(names) for row in rows):
        return []
    return [dict(zip(names, row, strict=True)) for row in rows[1:]]


def is_table(kind: str) -> bool:
    """Tell whether a media type is one of tables in text.

    Args:
        kind: value of Content-Type.
    """
    return kind.lower().startswith(("text/csv", "text/tab-separated-values", "application/csv"))


def rows_told(view: View) -> object:
    """Return what an answer tells, lines of JSON as a list."""
    response = view.response
    kind = (response.fields.text("content-type") if response is not None else None) or ""
    return _lines(view.text, kind) or view.json


def _lines(text: str, kind: str) -> list[object]:
    """Return the values of lines of JSON; nothing where a text is none, or one that no type calls so."""
    lines = [one for one in text.splitlines() if one.strip()][:_MOST]
    if not (len(lines) > 1 or of_lines(kind)) or not all(one.strip()[:1] == "{" for one in lines):
        return []
    try:
        return [cast("object", json.loads(one)) for one in lines]
    except ValueError:
        return []
