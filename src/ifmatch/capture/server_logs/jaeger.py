"""Read traces as Jaeger's page and API give them out (JSON).

Source of the format: Jaeger `model/json/model.go`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.capture.base.drafts import Drafts
from ifmatch.capture.base.json_values import load, moment, objects, read_limited, text, whole_objects
from ifmatch.capture.server_logs.otlp_spans import Span, captures_of_spans
from ifmatch.model.json_values import members_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["read_jaeger"]


def read_jaeger(stream: BinaryIO, name: str) -> tuple[Capture, ...]:
    """Read traces of Jaeger.

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
    return captures_of_spans(list(_spans(drafts, data)), drafts, "jaeger")


def _spans(drafts: Drafts, data: bytes) -> Iterator[Span]:
    value = load(data)
    if value is None or "operationName" in members_in(value):
        stored = [members_in(load(line)) for line in data.split(b"\n") if b'"operationName"' in line]
        if any("operationName" in span for span in stored):
            # As Elasticsearch holds them: a span a line, its process within.
            yield from (_span(span, {}) for span in stored)
            return
        spans = objects(whole_objects(data, "spans"))
        drafts.warn(f"the file is damaged or cut: {len(spans)} whole spans were read")
        for span in spans:
            yield _span(span, {})
        return
    record = members_in(value)
    # The API wraps the list of traces; the page saves one trace or the same wrapping.
    for trace in objects(record.get("data")) or [record]:
        processes = members_in(trace.get("processes"))
        for span in objects(trace.get("spans")):
            yield _span(span, processes)


def _span(span: dict[str, object], processes: dict[str, object]) -> Span:
    process = members_in(processes.get(text(span.get("processID")))) or members_in(span.get("process"))
    tags = {text(one.get("key")): one.get("value") for one in objects(span.get("tags"))}
    taken = moment(span.get("duration"), 1e6)
    kind = text(tags.get("span.kind"))
    return Span(
        text(process.get("serviceName")),
        kind if kind in {"client", "server"} else "",
        text(span.get("operationName")),
        moment(span.get("startTime"), 1e6),
        taken,
        tags,
    )
