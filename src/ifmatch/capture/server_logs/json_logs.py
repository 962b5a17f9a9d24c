"""Read access logs whose lines are JSON: nginx, Caddy, Envoy, HAProxy, Traefik, pino, cloud logs.

One object a line, one array, or objects that a tool has spread over several lines.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, cast

from ifmatch.capture.base.drafts import ENTRY_LIMIT
from ifmatch.capture.server_logs.json_log_members import fill
from ifmatch.capture.server_logs.records import LogRecord
from ifmatch.capture.texts.log_pastes import opened
from ifmatch.capture.texts.text_source import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ifmatch.capture.base.drafts import Draft
    from ifmatch.model.exchange import Capture


__all__ = ["looks_like_json_log", "read_json_log"]

_BETWEEN = re.compile(r"[\s,\[\]]*")
# A line break within a string is one that a mail program made.
_DECODER: Final = json.JSONDecoder(strict=False)
# Where docker, syslog or a time stamp stands before the object on its line.
_PREFIX_LIMIT: Final = 200
_PROSE: Final = 2
# How many characters may be looked at in vain before only whole lines are tried.
_WASTE_LIMIT: Final = 64 * 1024 * 1024
_ADVICE: Final = (
    "Log the fields: ifmatch explain capture nginx. Or record the traffic: curl -v, or HAR from a browser"
)


def looks_like_json_log(text: str) -> bool:
    """Tell whether JSON objects stand here that name a method, a target and a status.

    Args:
        text: the beginning of a source; it may end in the middle of an object.
    """
    if "{" not in text[: _PREFIX_LIMIT + 100]:
        return False
    named = others = 0
    for number, (line, value) in enumerate(_exchanges(text)):
        if value is None:
            others += 1
        else:
            named += _draft(value, line) is not None
        if number >= 50 or others > 20:
            break
    # A greeting and a name may stand around the one object that matters.
    return named > 0 and (named >= others or others <= _PROSE)


def _objects(text: str) -> Iterator[tuple[int, dict[str, object] | None]]:
    """Yield each object with the line it starts in, None for a line that holds none."""
    position = counted = waste = 0
    line = 1
    while position < len(text):
        found = _BETWEEN.match(text, position)
        position = found.end() if found is not None else position
        if position >= len(text):
            return
        line += text.count("\n", counted, position)
        counted = position
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        start = text.find("{", position, min(end, position + _PREFIX_LIMIT))
        value: object = None
        if start >= 0:
            try:
                if waste < _WASTE_LIMIT:
                    value, position = _DECODER.raw_decode(text, start)
                else:
                    value, read = _DECODER.raw_decode(text[start:end])
                    position = start + read
            except json.JSONDecodeError as error:
                waste += max(error.pos - start, 0)
            except (ValueError, RecursionError):
                waste += 100_000
        if isinstance(value, dict):
            yield line, cast("dict[str, object]", value)
        else:
            position = end + 1
            yield line, None


def _exchanges(text: str) -> Iterator[tuple[int, dict[str, object] | None]]:
    """Yield the objects of a text, request and answer of Logbook as one where the answer stands."""
    waiting: dict[str, tuple[int, dict[str, object]]] = {}
    for line, value in _objects(text):
        if value is not None and "metric" in value and value.get("type") in {"Point", "Metric"}:
            # k6 writes a dozen measurements of each request.
            if value["metric"] == "http_req_duration" and value["type"] == "Point":
                yield line, _measured(value)
            continue
        correlation = value.get("correlation") if value is not None else None
        side = value.get("type") if value is not None else None
        if value is None or not isinstance(correlation, str) or side not in {"request", "response"}:
            yield line, value
        elif side == "request":
            waiting[correlation] = line, value
        elif correlation in waiting:
            start, sent = waiting.pop(correlation)
            yield start, {"request": sent, "response": value, "duration_ms": value.get("duration")}
        else:
            yield line, value


def _measured(value: dict[str, object]) -> dict[str, object]:
    """Return what a measurement of k6 says of the request that it measures."""
    data = value.get("data")
    point = cast("dict[str, object]", data) if isinstance(data, dict) else {}
    tags = point.get("tags")
    known = cast("dict[str, object]", tags) if isinstance(tags, dict) else {}
    told = {name: known.get(name) for name in ("method", "url", "status")}
    return {**told, "timestamp": point.get("time"), "duration_ms": point.get("value")}


def _draft(value: dict[str, object], line: int) -> Draft | None:
    record = LogRecord(line)
    fill(record, value)
    return record.finished()


def read_json_log(stream: BinaryIO, name: str) -> Capture:
    """Read a log of JSON objects.

    Args:
        stream: binary stream at the start of the log.
        name: name of the source as the user gave it.

    Raises:
        InputError: no object of it names a request and its status.
    """
    drafts, lines = opened(read_text(stream, name))
    skipped: list[int] = []
    for line, value in _exchanges("\n".join(lines)):
        draft = _draft(value, line) if value is not None else None
        if draft is None:
            skipped.append(line)
        elif len(drafts.found) <= ENTRY_LIMIT:
            drafts.found.append(draft)
    if skipped:
        said = f"skipped what names no request with its status: {len(skipped)}, first in line {skipped[0]}"
        drafts.warn(said, line=skipped[0])
    drafts.order_by_time()
    shown = any(key.lower() == "etag" for one in drafts.found for key, _ in one.received or ())
    if drafts.found and not shown:
        drafts.warn("this log shows no entity tags, so most causes cannot be told from it. " + _ADVICE)
    return drafts.capture("json-log", nothing="no entry names a request with its status", advice=_ADVICE)
