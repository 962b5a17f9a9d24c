"""Turn the entries of a HAR into exchanges, one by one, whatever is odd about them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast

import msgspec

from ifmatch.capture.har.contents import request_content, response_content
from ifmatch.capture.har.frozen import make_exchange, make_request, make_response
from ifmatch.capture.har.records import Entry
from ifmatch.model.exchange import CaptureWarning
from ifmatch.model.message import Fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifmatch.capture.har.records import Creator, Pair, ResponseRecord
    from ifmatch.model.exchange import Exchange
    from ifmatch.model.message import Response

__all__ = ["EntryReader", "entry_of", "withheld_fields"]

_VALUE_LIMIT: Final = 64 * 1024
# Characters up to which a field value is kept once for all its repetitions.
_SHARED: Final = 300
# Fields that browsers leave out of what they export by default.
_SENSITIVE: Final = frozenset({"cookie", "authorization", "set-cookie", "proxy-authorization"})
_FRACTION = re.compile(r"[.,](\d+)")
_decode = msgspec.json.Decoder(Entry).decode


class EntryReader:
    """Read the entries of one file.

    Args:
        name: name of the source.
        withheld: fields that this file leaves out on purpose.

    Attributes:
        exchanges: read so far.
        warnings: what was skipped or odd.
    """

    def __init__(self, name: str, withheld: frozenset[str]) -> None:
        self.name = name
        self.withheld = withheld
        self.exchanges: list[Exchange] = []
        self.warnings: list[CaptureWarning] = []
        self._texts: dict[str, str] = {}
        self._lines: dict[tuple[str, str], tuple[str, str]] = {}

    def shared(self, text: str) -> str:
        """Return one object for equal short texts, which repeat thousands of times."""
        if len(text) > 80:
            return text
        return self._texts.setdefault(text, text)

    def fields(self, pairs: Iterable[Pair] | None) -> Fields:
        """Return header fields; pseudo-header fields of HTTP/2 are none (RFC 9113 section 8.3)."""
        if pairs is None:
            return Fields((), complete=False)
        lines: list[tuple[str, str]] = []
        share = self._lines.setdefault
        for pair in pairs:
            name, value = pair.name, pair.value
            if not name or name[0] == ":":
                continue
            line = (name, value or "")
            if len(line[1]) > _SHARED or "\n" in line[1]:
                lines.extend(self._long_line(*line))
            else:
                # The same line stands in thousands of entries: one object for all of them.
                lines.append(share(line, line))
        return Fields(lines, withheld=self.withheld)

    def _long_line(self, name: str, value: str) -> list[tuple[str, str]]:
        if "\n" in value and name.lower() == "set-cookie":
            return [(name, one.strip()) for one in value.split("\n") if one.strip()]
        return [(name, value[:_VALUE_LIMIT])]

    def add(self, number: int, entry: Entry) -> None:
        """Turn one entry into an exchange."""
        record = entry.request
        if record is None or not record.method or not record.url:
            self.warn(number, "the entry has no request with method and URL; it is skipped")
            return
        fields = self.fields(record.headers)
        content, said = request_content(record)
        request = make_request(
            self.shared(record.method.upper() if record.method.islower() else record.method),
            record.url,
            fields,
            content,
            self.shared(record.httpVersion or ""),
        )
        response, said_of_response = self._response(entry, request.method)
        for text in (said, said_of_response):
            if text:
                self.warn(number, text)
        started, resolution = self._started(number, entry.startedDateTime)
        cached = bool(entry.from_disk) or bool(entry.from_cache_word) or _untransferred(entry.response)
        self.exchanges.append(
            make_exchange(
                self.name,
                number,
                request,
                response,
                started,
                resolution,
                _duration(entry),
                error=_error(entry) if response is None else "",
                connection=entry.connection or _scalar(entry.connection_id),
                peer=entry.serverIPAddress or "",
                page=self.shared(entry.pageref or ""),
                initiator=self.shared(entry.resource_type or ""),
                from_cache=cached,
            )
        )

    def _response(self, entry: Entry, method: str) -> tuple[Response | None, str]:
        record = entry.response
        if record is None or record.status is None or not 100 <= record.status < 1000:
            return None, ""
        status = int(record.status)
        fields = self.fields(record.headers)
        content, said = response_content(record, status, method, fields)
        response = make_response(
            status,
            self.shared(record.statusText or ""),
            fields,
            content,
            self.shared(record.httpVersion or ""),
            record.redirectURL or "",
        )
        return response, said

    def _started(self, number: int, text: str | None) -> tuple[float | None, float]:
        if not text:
            return None, 0.001
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            self.warn(
                number, f"startedDateTime {text[:40]!r} is no ISO 8601 time; the time counts as not known"
            )
            return None, 0.001
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        fraction = _FRACTION.search(text)
        digits = min(6, len(fraction.group(1))) if fraction else 0
        return moment.timestamp(), 10.0**-digits

    def read(self, number: int, raw: bytes | msgspec.Raw) -> None:
        """Read one entry; optional members of the wrong type are bent to what they are meant to be.

        Args:
            number: of the entry in its file.
            raw: its JSON.
        """
        try:
            self.add(number, _decode(raw))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            try:
                value: object = json.loads(bytes(raw))
                entry = entry_of(value)
            except (ValueError, RecursionError, msgspec.MsgspecError):
                self.warn(number, f"the entry cannot be read ({error}); it is skipped")
                return
            self.add(number, entry)

    def warn(self, number: int | None, text: str, offset: int | None = None) -> None:
        """Keep a warning; a file with thousands of like ones says it a hundred times."""
        if len(self.warnings) < 100:
            self.warnings.append(CaptureWarning(text, entry=number, offset=offset))


def _duration(entry: Entry) -> float | None:
    if entry.time is not None and entry.time >= 0:
        return entry.time / 1000
    if entry.timings is None:
        return None
    total = 0.0
    for name, raw in entry.timings.items():
        value = _number(raw)
        # ssl is part of connect (HAR 1.2, timings); what starts with an underscore is a tool's own.
        if value is not None and value > 0 and name != "ssl" and not name.startswith("_"):
            total += value
    return total / 1000 if total else None


def _number(raw: msgspec.Raw) -> float | None:
    try:
        return msgspec.json.decode(raw, type=float)
    except msgspec.MsgspecError:
        return None


def _scalar(raw: msgspec.Raw) -> str:
    text = bytes(raw).decode("utf-8", "replace").strip().strip('"')
    return "" if text in {"", "null"} else text


def _untransferred(record: ResponseRecord | None) -> bool:
    """Tell whether a browser says that nothing came over the network, though there is content: it had it."""
    if record is None or record.status != HTTPStatus.OK or record.transferred != 0:
        return False
    return record.content is not None and (record.content.size or 0) > 0


def _error(entry: Entry) -> str:
    response = entry.response
    found = entry.error or entry.failure
    if response is not None:
        found = response.error or response.failure or found or response.statusText
    return (found or "no response")[:500]


_TEXTS: Final = frozenset({
    "name", "value", "method", "url", "httpVersion", "text", "mimeType", "encoding", "statusText",
    "redirectURL", "_error", "_failureText", "startedDateTime", "serverIPAddress", "connection", "pageref",
    "_resourceType", "_fromCache",
})  # fmt: skip


def entry_of(value: object) -> Entry:
    """Build an entry of JSON, members of the wrong type bent to what they are meant to be."""
    return msgspec.json.decode(json.dumps(_loosened(value)), type=Entry, strict=False)


def _loosened(value: object, depth: int = 0) -> object:
    """Turn members of the wrong type into what a reader would take them for."""
    if depth > 200:
        return None
    if isinstance(value, dict):
        found: dict[str, object] = {}
        for key, member in cast("dict[str, object]", value).items():
            if key in _TEXTS and member is not None and not isinstance(member, str):
                member = json.dumps(member)  # noqa: PLW2901 - the value that is meant
            elif key == "headers" and isinstance(member, dict):
                fields = cast("dict[str, object]", member)
                member = [{"name": name, "value": said} for name, said in fields.items()]  # noqa: PLW2901
            elif key in {"postData", "content"} and isinstance(member, str):
                member = {"text": member}  # noqa: PLW2901
            found[key] = _loosened(member, depth + 1)
        return found
    if isinstance(value, list):
        return [_loosened(one, depth + 1) for one in cast("list[object]", value)]
    return value


def withheld_fields(data: bytes, creator: Creator | None) -> frozenset[str]:
    """Return the fields that a file leaves out on purpose.

    Chrome's default export drops them; one that holds any of them was exported with sensitive data.

    Args:
        data: the file, or its beginning.
        creator: the program that wrote it.
    """
    if creator is None or creator.name != "WebInspector":
        return frozenset()
    lowered = data[: 8 * 1024 * 1024].lower()
    held = any(b'"' + name.encode() + b'"' in lowered for name in ("cookie", "authorization", "set-cookie"))
    return frozenset() if held else _SENSITIVE
