"""Read traces as OTLP JSON: one export, or one a line as the file exporter of the collector writes them.

Source: OpenTelemetry protocol 1.0, JSON encoding; opentelemetry/proto/trace/v1/trace.proto.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Drafts
from ifmatch.capture.base.json_values import load, moment, number, objects, read_limited, text, whole_objects
from ifmatch.capture.server_logs.otlp_spans import Span, captures_of_spans
from ifmatch.model.json_values import elements_in, members_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["attributes_of", "read_otlp"]

_KINDS: Final = {
    2.0: "server", 3.0: "client", "SPAN_KIND_SERVER": "server", "SPAN_KIND_CLIENT": "client",
}  # fmt: skip
_DEPTH: Final = 20


def read_otlp(stream: BinaryIO, name: str) -> tuple[Capture, ...]:
    """Read OTLP JSON.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Returns:
        One capture for each service and side (client, server).

    Raises:
        InputError: no span of an HTTP call is in it, or it is larger than 256 MiB.
    """
    data = read_limited(stream, name, what="trace")
    drafts = Drafts(name)
    return captures_of_spans(list(_spans(drafts, data)), drafts, "otlp")


def _spans(drafts: Drafts, data: bytes) -> Iterator[Span]:
    value = load(data)
    if value is not None:
        yield from _export(members_in(value))
        return
    damaged = 0
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        value = load(line)
        if value is not None:
            yield from _export(members_in(value))
            continue
        damaged += 1
        # Spans of a line that is cut lack their service.
        for span in objects(whole_objects(line if b"\n" in data.strip() else data, "spans")):
            yield _span(span, "")
    if damaged:
        drafts.warn(f"the file is damaged or cut in {damaged} lines; what was whole is read")


def _export(record: dict[str, object]) -> Iterator[Span]:
    # Jaeger's API v3 and Tempo's v2 put the export into a member; Tempo's first API calls it `batches`.
    for wrapping in ("result", "trace"):
        record = members_in(record.get(wrapping)) or record
    spans = record.get("resourceSpans") or record.get("resource_spans") or record.get("batches")
    for resource in objects(spans):
        service = text(attributes_of(members_in(resource.get("resource"))).get("service.name"))
        scopes = resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans")
        for scope in objects(scopes or resource.get("scope_spans")):
            for span in objects(scope.get("spans")):
                yield _span(span, service)


def _span(span: dict[str, object], service: str) -> Span:
    begun = moment(span.get("startTimeUnixNano") or span.get("start_time_unix_nano"), 1e9)
    ended = moment(span.get("endTimeUnixNano") or span.get("end_time_unix_nano"), 1e9)
    kind = span.get("kind")
    return Span(
        service,
        _KINDS.get(kind if isinstance(kind, str) and not kind.isdigit() else number(kind) or 0.0, ""),
        text(span.get("name")),
        begun,
        ended - begun if begun is not None and ended is not None and ended >= begun else None,
        attributes_of(span),
    )


def attributes_of(record: dict[str, object]) -> dict[str, object]:
    """Return the attributes of a resource, a span or a record of a log.

    Args:
        record: as OTLP JSON writes it.
    """
    return {text(one.get("key")): _value(one.get("value"), 0) for one in objects(record.get("attributes"))}


def _value(value: object, depth: int) -> object:
    record = members_in(value)
    for key in ("stringValue", "intValue", "doubleValue", "boolValue"):
        if key in record:
            return record[key]
    values = members_in(record.get("arrayValue")).get("values")
    return [_value(one, depth + 1) for one in elements_in(values)] if depth < _DEPTH else []
