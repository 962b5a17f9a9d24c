"""Read tables that a log service exports: CSV or tab-separated text whose first row names the columns.

Application Insights, Log Analytics, Kibana, Datadog, Splunk, CloudWatch Logs Insights and Grafana write such
tables. A row becomes the object, or the line of a log, that it was before. Source of the notation: RFC 4180.
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from ifmatch.capture.base.moments import shown_moment
from ifmatch.capture.server_logs.access_logs import looks_like_access_log, read_access_log
from ifmatch.capture.server_logs.json_log_members import meaning_at
from ifmatch.capture.server_logs.json_logs import looks_like_json_log, read_json_log
from ifmatch.capture.texts.text_source import read_text
from ifmatch.errors import InputError
from ifmatch.model.exchange import CaptureWarning
from ifmatch.model.json_values import members_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["looks_like_log_table", "read_log_table", "read_rows"]

_SIGNS: Final = ("\t", ",", ";")
# Columns that hold a line of a log as it was written.
_LINES: Final = (
    "@message", "_raw", "line", "message", "textpayload", "log", "logmessage", "logentry", "content", "event",
)  # fmt: skip
# Columns that hold members of their own as JSON.
_MEMBERS: Final = frozenset(
    {"customdimensions", "properties", "properties_s", "labels", "attributes", "jsonpayload"}
)
# `timestamp [UTC]` as the portal of Azure writes it.
# Headings that people translate; the names of fields they leave.
_ELSEWHERE: Final = {
    "methode": "method", "m\u00e9thode": "method", "m\u00e9todo": "method", "metodo": "method",
    "zeit": "time", "zeitpunkt": "time", "zeitstempel": "timestamp", "heure": "time",
    "horodatage": "timestamp",
    "hora": "time", "fecha": "time", "adresse": "url", "statut": "status", "estado": "status",
    "statuscode": "status", "stato": "status", "antwortcode": "status",
}  # fmt: skip
_ZONE = re.compile(r"\s*\[[\w /:+-]{1,40}\]\Z")
_NAME = re.compile(r"[\w@.$ \[\]()/:-]{1,120}\Z")
_CELL_LIMIT: Final = 8 * 1024 * 1024
_ROW_LIMIT: Final = 1_000_000
_LOOKED_AT: Final = 40
# A greeting or a fence may stand above.
_HEAD_LINES: Final = 8
_ADVICE: Final = (
    "Export it with its header row, and columns for time, method, URL and status, or for the logged line"
)


def looks_like_log_table(lines: Sequence[str]) -> bool:
    """Tell whether the first row names columns that a request can be read from.

    Args:
        lines: the first lines of a source.
    """
    found = _heading(lines)
    if found is None:
        return False
    start, sign, names = found
    meanings = {meaning_at(name.lower()) for name in names}
    if "status" in meanings and meanings & {"method", "target", "request"}:
        return True
    if not any(name.lower() in _LINES for name in names):
        return False
    rows = [row for _, row in _rows("\n".join(lines[start : start + _LOOKED_AT]), sign)]
    column = _line_column(names, rows[1:])
    return column is not None


def _heading(lines: Sequence[str]) -> tuple[int, str, list[str]] | None:
    """Return where the row of names stands, the sign between cells, and the names; None without one.

    A sentence with commas is no such row: none of its words names a column.
    """
    for start, line in enumerate(lines[:_HEAD_LINES]):
        if not line.strip() or line.lower().startswith("sep="):
            continue
        for sign in _SIGNS:
            if sign in line and len(line) < _CELL_LIMIT:
                names = _names(next((row for _, row in _rows(line, sign)), list[str]()))
                if names is not None:
                    return start, sign, names
    return None


def _names(cells: Sequence[str]) -> list[str] | None:
    names = [_ZONE.sub("", cell.strip()) for cell in cells]
    names = [_ELSEWHERE.get(name.lower(), name) for name in names]
    if len(names) < 2 or not all(name == "" or _NAME.match(name) for name in names):
        return None
    known = sum(bool(meaning_at(name.lower())) or name.lower() in _LINES for name in names)
    return names if known else None


def _rows(text: str, sign: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the 1-based line that it starts in; one that is damaged ends the table."""
    csv.field_size_limit(_CELL_LIMIT)
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=sign)
    line = 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error:
            return
        if row is None:
            return
        yield line, row
        line = reader.line_num + 1


def _line_column(names: Sequence[str], rows: Sequence[list[str]]) -> int | None:
    """Return the column whose cells are lines of a log, None without one."""
    for place, name in enumerate(names):
        if name.lower() in _LINES:
            cells = [row[place] for row in rows[:_LOOKED_AT] if len(row) > place and row[place].strip()]
            flat = [" ".join(cell.split("\n")) for cell in cells]
            if cells and (looks_like_json_log("\n".join(flat)) or looks_like_access_log(flat)):
                return place
    return None


def read_log_table(stream: BinaryIO, name: str) -> Capture:
    """Read a table of requests.

    Args:
        stream: binary stream at the start of the table.
        name: name of the source as the user gave it.

    Raises:
        InputError: it has no row of names, or no row says method, URL and status.
    """
    source = read_text(stream, name)
    lines = [line or "" for line in source.lines]
    found = _heading(lines)
    if found is None:
        raise InputError("no row of this table names its columns", source=name, advice=_ADVICE)
    start, sign, names = found
    rows = [
        (start + line, row)
        for (line, row), _ in zip(_rows("\n".join(lines[start:]), sign), range(_ROW_LIMIT), strict=False)
    ][1:]
    warnings: tuple[CaptureWarning, ...] = ()
    if rows and "\n".join(lines[start:]).count('"') % 2:
        # A quote that is never closed: what its cell holds is not all of it.
        rows[-1] = rows[-1][0], rows[-1][1][:-1]
        warnings = (CaptureWarning("the last cell of this table is cut; it was left out", line=rows[-1][0]),)
    read = _read_table(rows, names, name)
    return replace(read, warnings=(*read.warnings, *warnings)) if warnings else read


def _read_table(rows: Sequence[tuple[int, list[str]]], names: Sequence[str], name: str) -> Capture:
    """Read rows: of members, or of lines of a log that stand in one column."""
    column = _line_column(names, [row for _, row in rows])
    if column is not None and "status" not in {meaning_at(one.lower()) for one in names}:
        return _read_lines(rows, column, name)
    return read_rows([(line, dict(zip(names, row, strict=False))) for line, row in rows], name)


def _read_lines(rows: Sequence[tuple[int, list[str]]], column: int, name: str) -> Capture:
    """Read the log whose lines stand in one column."""
    cells = [(line, " ".join(row[column].split("\n"))) for line, row in rows if len(row) > column]
    octets = _placed(cells)
    texts = [text for _, text in cells[:_LOOKED_AT]]
    read = read_json_log if looks_like_json_log("\n".join(texts)) else read_access_log
    return read(io.BytesIO(octets), name)


def read_rows(
    rows: Sequence[tuple[int, dict[str, object]]] | Sequence[tuple[int, dict[str, str]]], name: str
) -> Capture:
    """Read rows of a table as the objects of a log.

    Args:
        rows: each with the 1-based line that it stands in, and its cells by the name of their column.
        name: name of the source.

    Raises:
        InputError: no row says method, URL and status.
    """
    return read_json_log(io.BytesIO(_placed([(line, json.dumps(_object(row))) for line, row in rows])), name)


def _placed(texts: Sequence[tuple[int, str]]) -> bytes:
    """Return a log in which each text stands in the line that it stands in here."""
    lines: list[str] = []
    for line, text in texts:
        lines.extend([""] * (line - 1 - len(lines)))
        lines.append(text)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _object(row: dict[str, object] | dict[str, str]) -> dict[str, object]:
    """Return a row as the object that it was: an empty cell says nothing, one of JSON its members."""
    found: dict[str, object] = {}
    within: dict[str, object] = {}
    for name, cell in row.items():
        if cell is None or cell == "":
            continue
        key = _ZONE.sub("", name.strip())
        if isinstance(cell, str) and key.lower() in _MEMBERS and cell.lstrip().startswith("{"):
            within.update(_members(cell))
        elif isinstance(cell, dict) and key.lower() in _MEMBERS:
            within.update(cast("dict[str, object]", cell))
        else:
            found[key] = shown_moment(cell) if isinstance(cell, str) else cell
    return {**within, **found}


def _members(cell: str) -> dict[str, object]:
    try:
        value: object = json.loads(cell)
    except (ValueError, RecursionError):
        return {}
    return members_in(value)
