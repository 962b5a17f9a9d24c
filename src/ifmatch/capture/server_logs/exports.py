"""Read what a log service answers to a query: documents that hold the lines or the records of a log.

Elasticsearch (`hits`), Datadog (`data` with `attributes`), Loki (`data.result` with `values`), Splunk
(`result`), CloudWatch Logs Insights (`results`), Azure Monitor (`tables`), OTLP logs (`resourceLogs`).
Source of the notations: the search, query and export pages of each service.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final, cast

from ifmatch.capture.base.json_values import load, objects, read_limited, text, whole_objects
from ifmatch.capture.server_logs.access_logs import looks_like_access_log, read_access_log
from ifmatch.capture.server_logs.json_log_members import fill
from ifmatch.capture.server_logs.json_logs import looks_like_json_log, read_json_log
from ifmatch.capture.server_logs.otlp import attributes_of
from ifmatch.capture.server_logs.records import LogRecord
from ifmatch.capture.server_logs.tables import read_rows
from ifmatch.errors import InputError
from ifmatch.model.json_values import elements_in, members_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["read_log_export"]

_ADVICE: Final = (
    "Log method, URL, status and the fields: ifmatch explain capture nginx. Or record the traffic"
)
_LINES: Final = ("_raw", "@message", "message", "line", "log", "body")
_LIST_NAMES: Final = ("hits", "data", "result", "results", "rows", "logRecords", "values")
_LOOKED_AT: Final = 40


def read_log_export(stream: BinaryIO, name: str) -> Capture:
    """Read the records of a log out of the answer of a log service.

    Args:
        stream: binary stream at the start of the document, or of one document a line.
        name: name of the source as the user gave it.

    Raises:
        InputError: no record of it says method, URL and status.
    """
    data = read_limited(stream, name, what="export")
    documents = [value for value in _documents(data) if value is not None]
    records = [record for value in documents for record in _records(value)]
    if not records:
        # The document is cut or damaged.
        records = [record for key in _LIST_NAMES for one in whole_objects(data, key) for record in _one(one)]
    rows = [record for record in records if isinstance(record, dict)]
    if any(_says_request(row) for row in rows[:_LOOKED_AT]):
        return read_rows(list(enumerate(rows, 1)), name)
    lines = [line for record in records if (line := _line(record))]
    octets = "\n".join(lines).encode("utf-8", "surrogatepass")
    if looks_like_json_log("\n".join(lines[:_LOOKED_AT])):
        return read_json_log(io.BytesIO(octets), name)
    if not looks_like_access_log(lines):
        raise InputError("no record of this export says method, URL and status", source=name, advice=_ADVICE)
    return read_access_log(io.BytesIO(octets), name)


def _documents(data: bytes) -> Iterator[object]:
    """Yield the one document, or that of each line."""
    whole = load(data)
    if whole is not None:
        yield whole
        return
    for line in data.split(b"\n"):
        if line.strip():
            yield load(line.strip().rstrip(b","))


def _records(value: object) -> Iterator[dict[str, object] | str]:
    """Yield the records, or the lines, that a document holds, in its order."""
    for document in objects(value) or [members_in(value)]:
        hits = members_in(document.get("hits")).get("hits")
        data = document.get("data")
        streams = members_in(data).get("result") or document.get("result")
        lists = (elements_in(one) for one in (hits, data, streams, document.get("results")))
        for one in (one for found in lists for one in found):
            yield from _one(one)
        if single := members_in(document.get("result")):
            yield from _one(single)
        for table in objects(document.get("tables")):
            yield from _of_table(table)
        for resource in objects(document.get("resourceLogs") or document.get("resource_logs")):
            for scope in objects(resource.get("scopeLogs") or resource.get("scope_logs")):
                for one in objects(scope.get("logRecords") or scope.get("log_records")):
                    yield from _one(one)


def _one(value: object) -> Iterator[dict[str, object] | str]:
    """Yield what one member of such a list holds."""
    if isinstance(value, list):
        # CloudWatch Logs Insights: a list of fields with their values a row.
        yield {text(one.get("field")): one.get("value") for one in objects(cast("object", value))}
        return
    record = members_in(value)
    if "values" in record and "stream" in record:
        for pair in elements_in(record.get("values")):
            yield text(elements_in(pair)[1]) if len(elements_in(pair)) > 1 else ""
    elif "_source" in record or ("_index" in record and "fields" in record):
        shown = {key: _only(one) for key, one in members_in(record.get("fields")).items()}
        yield members_in(record.get("_source")) or shown
    elif "timeUnixNano" in record or "time_unix_nano" in record or "observedTimeUnixNano" in record:
        yield _of_otlp(record)
    elif isinstance(record.get("attributes"), dict):
        outer = members_in(record.get("attributes"))
        # Datadog counts nanoseconds.
        said = members_in(outer.get("attributes"))
        inner = {f"@{key}" if key == "duration" else key: one for key, one in said.items()}
        yield {**outer, **inner}
    else:
        yield record


def _of_otlp(record: dict[str, object]) -> dict[str, object]:
    said = {key: _only(one) for key, one in attributes_of(record).items()}
    body = members_in(record.get("body"))
    at = record.get("timeUnixNano") or record.get("time_unix_nano") or record.get("observedTimeUnixNano")
    return {"body": text(body.get("stringValue") or body.get("string_value")), "timestamp": at, **said}


def _of_table(table: dict[str, object]) -> Iterator[dict[str, object]]:
    names = [
        text(one.get("name") or one.get("ColumnName")) if isinstance(one, dict) else text(one)
        for one in cast(
            "list[dict[str, object] | str]", elements_in(table.get("columns") or table.get("Columns"))
        )
    ]
    for row in elements_in(table.get("rows") or table.get("Rows")):
        yield dict(zip(names, elements_in(row), strict=False))


def _only(value: object) -> object:
    """Return the one member of a list: a field of Elasticsearch, and a header field, may have several."""
    values = elements_in(value)
    return values[0] if len(values) == 1 else value


def _says_request(row: dict[str, object]) -> bool:
    record = LogRecord(1)
    fill(record, row)
    return record.finished() is not None


def _line(record: dict[str, object] | str) -> str:
    """Return the line of a log that a record is or holds, "" for none."""
    if isinstance(record, str):
        return " ".join(record.split("\n"))
    said = next((record[name] for name in _LINES if isinstance(record.get(name), str) and record[name]), "")
    return " ".join(text(said).split("\n"))
