"""Read journals of requests with their answers, whatever tool keeps them: one document of JSON or YAML.

A record holds a request (method, URL or path, fields) and a response (status, fields), each an object of its
own, or both flat beside one another. Known so: Spring Boot's `httpexchanges` and `httptrace`, WireMock,
MockServer, Hoverfly, ngrok's inspector, reports of Hurl, Telescope of Laravel; `mock_recordings`
restates what other tools write.
Source: the documentation of each.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.json_values import (
    header_pairs,
    load,
    moment,
    nested,
    number,
    read_limited,
    text,
    whole_objects,
)
from ifmatch.capture.base.moments import epoch_moment, iso_moment
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.documents.mock_recordings import restated
from ifmatch.capture.documents.nock_scripts import is_nock_script, nock_records
from ifmatch.capture.documents.replay_lines import is_replay, replay_records
from ifmatch.capture.documents.vcr_yaml import YamlError, load_yaml
from ifmatch.errors import InputError
from ifmatch.model.json_values import members_in
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["read_journal"]

_REQUESTS: Final = ("request", "httpRequest", "req")
_RESPONSES: Final = ("response", "httpResponse", "res", "responseDefinition")
_METHODS: Final = ("method", "httpMethod", "verb")
_TARGETS: Final = ("absoluteUrl", "url", "uri", "path")
_STATUSES: Final = ("status", "statusCode", "status_code", "response_status")
_TIMES: Final = (
    "timestamp", "loggedDate", "timeStarted", "start", "startedAt", "begin_call", "time", "created_at",
)  # fmt: skip
_LISTS: Final = (
    "Entries",
    "mappings",
    "exchanges",
    "traces",
    "requests",
    "journal",
    "entries",
    "calls",
    "records",
    "interactions",
)
_MILLISECONDS: Final = ("timeTaken", "latency", "duration", "totalTime")
# What tells of a body beside its value.
_WRAPPING: Final = frozenset({"value", "encoding", "type", "contentType"})
_PERIOD: Final = re.compile(r"PT(?:(\d+)M)?([\d.]+)S\Z")
_METHOD: Final = re.compile(r"[A-Za-z]{3,20}\Z")
_YAML_LIMIT: Final = 64 * 1024 * 1024
_HEAD: Final = 256 * 1024
_ADVICE: Final = "Export the journal with requests and responses, or record the traffic: curl -v"

_Record = dict[str, object]


def read_journal(stream: BinaryIO, name: str) -> Capture:
    """Read a journal.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Raises:
        InputError: no record in it names a request and its status, or it is larger than 256 MiB (YAML: 64).
        MissingExtraError: it is YAML, and PyYAML is not installed.
    """
    data = read_limited(stream, name, what="journal")
    drafts = Drafts(name)
    if data.lstrip()[:1] in {b"{", b"["}:
        value = load(data)
        if value is None:
            value = [one for key in ("", *_LISTS) for one in whole_objects(data, key)]
            drafts.warn("the file is damaged or cut: whole records were read")
        value = restated(value)
    elif is_nock_script(data[:_HEAD]):
        records, whole = nock_records(data.decode("utf-8", "replace"))
        if not whole:
            drafts.warn("the file is damaged or cut: whole records were read")
        value = restated(records)
    elif is_replay(data[:_HEAD]):
        value, whole = replay_records(data.decode("utf-8", "replace"))
        if not whole:
            drafts.warn("the file is damaged or cut: whole records were read")
    else:
        value = _yaml(drafts, data, name)
    skipped = 0
    for record in nested(value, lambda one: () if _is_record(one) else one.values()):
        if not _is_record(record):
            continue
        draft = _draft(record)
        if draft is None:
            skipped += 1
        else:
            drafts.found.append(draft)
    if skipped:
        drafts.warn(f"records without method, URL and status were skipped: {skipped}")
    if all(draft.started is not None for draft in drafts.found):
        # The newest stands first in most of them.
        drafts.found.sort(key=lambda draft: draft.started or 0.0)
    return drafts.capture(
        "journal", nothing="no record of this journal names a request and its status", advice=_ADVICE
    )


def _yaml(drafts: Drafts, data: bytes, name: str) -> object:
    if len(data) > _YAML_LIMIT:
        raise InputError("the journal is larger than 64 MiB", source=name, advice=_ADVICE)
    source = data.decode("utf-8", "replace")
    feature = "reading journals in YAML"
    try:
        return load_yaml(source, feature)
    except YamlError as error:
        end = len(source) if error.position is None else error.position
    for found in reversed([*re.finditer(r"(?m)^\s{0,8}- ", source[:end])][-3:]):
        try:
            value = load_yaml(source[: found.start()], feature)
        except YamlError:
            continue
        drafts.warn("the file is damaged or cut: whole records were read")
        return value
    return None


def _is_record(one: _Record) -> bool:
    """Tell whether an object holds a request and a response."""
    if _first(one, _REQUESTS) and any(name in one for name in _RESPONSES):
        return True
    flat = members_in(one.get("content"))
    return "response_status" in flat and "method" in flat


def _first(record: _Record, names: tuple[str, ...]) -> _Record:
    """Return the first member of these names that is an object."""
    for name in names:
        if found := members_in(record.get(name)):
            return found
    return {}


def _text(record: _Record, names: tuple[str, ...]) -> str:
    return next((found for name in names if (found := text(record.get(name)))), "")


def _draft(record: _Record) -> Draft | None:
    flat = members_in(record.get("content"))
    request = _first(record, _REQUESTS) or flat
    # What a mock was told to answer counts where what it answered is not shown.
    response = _first(record, _RESPONSES) or flat
    method = _text(request, _METHODS).upper()
    url, status = _text(request, _TARGETS), number(_text(response, _STATUSES)[:3])
    if not url or _METHOD.match(method) is None or status is None or not 100 <= status <= 599:
        return None
    draft = Draft(method, status=int(status))
    fields = _fields(request.get("headers"))
    draft.sent = fields
    draft.received = _fields(response.get("response_headers") or response.get("headers"))
    sent = {name.lower() for name, _ in fields}
    # A tool that shows Host shows what came in; others leave fields out.
    draft.sent_complete = "host" in sent or request.get("whole") is True
    draft.received_complete = bool(draft.received)
    draft.framed = draft.sent_complete
    host = next((value for name, value in fields if name.lower() == "host"), "")
    host = host or text(request.get("host")) or text(request.get("destination"))
    scheme = text(request.get("scheme")) or ("https" if request.get("secure") is True else "http")
    query = text(request.get("query"))
    url += f"?{query}" if query and "?" not in url else ""
    draft.url = target_uri(url, host, scheme=scheme)
    draft.content = _content(request, ("body", "payload")) or draft.content
    if request.get("whole") is True and not request.get("body"):
        draft.content = None
    draft.received_content = _content(response, ("body", "response")) or draft.received_content
    reason = _text(response, ("reasonPhrase", "statusText", "statusMessage"))
    draft.reason = reason or text(response.get("status")).partition(" ")[2]
    draft.request_version = _text(request, ("protocol", "proto", "httpVersion"))
    _times(draft, record, request)
    return draft


def _fields(value: object) -> list[tuple[str, str]]:
    return [(name, " ".join(said.split("\n"))) for name, said in header_pairs(value) if name]


def _content(message: _Record, names: tuple[str, ...]) -> Content | None:
    packed = text(message.get("bodyAsBase64"))
    if packed:
        try:
            return Content.from_octets(base64.b64decode(packed, validate=True))
        except (binascii.Error, ValueError):
            return None
    raw = text(message.get("raw"))
    if raw:
        try:
            head, blank, content = base64.b64decode(raw, validate=True).partition(b"\r\n\r\n")
        except (binascii.Error, ValueError):
            return None
        coded = re.search(rb"(?i)\n(?:transfer|content)-encoding:", head)
        return Content.from_octets(content) if blank and content and coded is None else None
    for name in names:
        value = message.get(name)
        if isinstance(value, str) and value and not value.startswith("store/"):
            return Content.from_text(value)
        if isinstance(value, list) and value:
            return Content.from_text(json.dumps(value))
        if body := members_in(message.get(name)):
            inner: object = body.get("json", body.get("string", body))
            if "value" in body and body.keys() <= _WRAPPING:
                # The value stands beside what it is: octets as digits, or a document.
                inner = body["value"]
                if text(body.get("encoding")) == "base64":
                    return _content({"bodyAsBase64": inner}, ())
            return Content.from_text(inner if isinstance(inner, str) else json.dumps(inner))
    return None


def _times(draft: Draft, record: _Record, request: _Record) -> None:
    timings = members_in(record.get("timings")) or members_in(record.get("timing"))
    for holder in (record, request, timings, members_in(record.get("content"))):
        for name in _TIMES:
            if draft.started is None:
                draft.started, draft.resolution = _moment(holder.get(name))
        for name in _MILLISECONDS:
            if draft.duration is None and name in holder:
                draft.duration = _period(holder[name], whole="start" in holder)


def _moment(value: object) -> tuple[float | None, float]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return epoch_moment(float(value)), 0.001
    return iso_moment(text(value)) or (None, 0.001)


def _period(value: object, *, whole: bool) -> float | None:
    """Return seconds: a period of ISO 8601, milliseconds, or nanoseconds as Go counts."""
    found = _PERIOD.match(text(value))
    if found is not None:
        return int(found[1] or 0) * 60 + float(found[2])
    return moment(value, 1e9 if whole else 1000)
