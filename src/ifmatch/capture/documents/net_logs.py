"""Read network logs of Chrome, Edge and Electron (`chrome://net-export`, `--log-net-log`).

What the browser's own cache answered is not shown by such a log, and what was sent as content never is.
Source of the format: net/log of Chromium: event types and times of `constants`, one event a line.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import CONTENT_LIMIT, Draft, Drafts
from ifmatch.capture.base.json_objects import object_end
from ifmatch.capture.base.json_values import load, number, objects, read_limited, text, whole_objects
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.model.json_values import elements_in, members_in
from ifmatch.model.message import Content
from ifmatch.model.slotted import Slotted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["read_net_log"]

_CONSTANTS: Final = re.compile(rb'"constants"\s*:\s*(?=\{)')
_EVENTS: Final = re.compile(rb'"events"\s*:\s*\[')
_STATUS: Final = re.compile(r"HTTP/(\d(?:\.\d)?) (\d{3})(?: (.*))?\Z")
_LINE: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) (\S{1,65536}) (HTTP/\d(?:\.\d)?)\s*\Z")
_SENDS: Final = frozenset({
    "HTTP_TRANSACTION_SEND_REQUEST_HEADERS", "HTTP_TRANSACTION_HTTP2_SEND_REQUEST_HEADERS",
    "HTTP_TRANSACTION_QUIC_SEND_REQUEST_HEADERS",
})  # fmt: skip
_RECEIVES: Final = "HTTP_TRANSACTION_READ_RESPONSE_HEADERS"
_STARTS: Final = "URL_REQUEST_START_JOB"
_SHOWS: Final = "URL_REQUEST_JOB_FILTERED_BYTES_READ"
_FAILS: Final = "FAILED"
_FROM_CACHE: Final = "HTTP_CACHE_READ_INFO"
_READ: Final = _SENDS | {_RECEIVES, _STARTS, _SHOWS, _FAILS, _FROM_CACHE}
_BEGINS: Final = 1
_ADVICE: Final = (
    "Start to log at chrome://net-export before the page is loaded, repeat what fails, then stop. Or in the "
    "developer tools, Network panel, use `Save all as HAR`"
)


class _Job(Slotted):
    """What a request of the browser has come to.

    Attributes:
        method: of the job that began last, "" before.
        url: as above.
        initiator: as above.
        draft: what was sent last, None before.
        content: what the page got of its answer, None while nothing is shown.
        cached: whether the browser's cache gave an answer without the network.
    """

    method: str = ""
    url: str = ""
    initiator: str = ""
    draft: Draft | None = None
    content: bytearray | None = None
    cached: bool = False


@dataclass(slots=True)
class _Log:
    """Names and times of a log.

    Attributes:
        events: name of each type of event that is read.
        errors: name of each error of the network.
        offset: milliseconds since the epoch from which those of the events count, None when not known.
    """

    events: dict[int, str] = field(default_factory=dict[int, str])
    errors: dict[int, str] = field(default_factory=dict[int, str])
    offset: float | None = None


def read_net_log(stream: BinaryIO, name: str) -> Capture:
    """Read a network log.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Raises:
        InputError: no request and its answer is in it, or it is larger than 256 MiB.
    """
    data = read_limited(stream, name, what="network log")
    drafts = Drafts(name)
    log = _constants(data)
    jobs: dict[int, _Job] = {}
    cached = 0
    for line, event in _events(data):
        kind = log.events.get(_whole(event.get("type")))
        source = _whole(members_in(event.get("source")).get("id"))
        if kind is None or source < 0:
            continue
        job = jobs.setdefault(source, _Job())
        cached += kind == _FROM_CACHE and job.draft is None
        _take(job, kind, event, log, drafts)
        if job.draft is not None and job.draft.line is None:
            job.draft.line = line
    for job in jobs.values():
        _close(job)
    found = len(drafts.found)
    drafts.found = [draft for draft in drafts.found if draft.status or draft.error]
    if cached:
        drafts.warn(f"answers of the browser's own cache, which this log does not show: {cached}")
    if found > len(drafts.found):
        drafts.warn(f"requests whose answer is not in this log were left out: {found - len(drafts.found)}")
    return drafts.capture(
        "net-log", nothing="no request with its answer is in this network log", advice=_ADVICE
    )


def _whole(value: object) -> int:
    found = number(value)
    return int(found) if found is not None and found >= 0 and abs(found) < 1e15 else -1


def _constants(data: bytes) -> _Log:
    log = _Log()
    begin = _CONSTANTS.search(data, 0, 1 << 16)
    end = object_end(data, begin.end()) if begin is not None else None
    constants = members_in(load(data[begin.end() : end])) if begin is not None and end is not None else {}
    for kind, value in members_in(constants.get("logEventTypes")).items():
        if kind in _READ:
            log.events[_whole(value)] = kind
    for error, value in members_in(constants.get("netError")).items():
        code = number(value)
        if code is not None:
            log.errors[int(code)] = error
    log.offset = number(constants.get("timeTickOffset"))
    return log


def _events(data: bytes) -> Iterator[tuple[int | None, dict[str, object]]]:
    """Yield the events with their 1-based line: Chrome writes one a line, the last one may be cut."""
    begin = _EVENTS.search(data)
    if begin is None:
        return
    line = data.count(b"\n", 0, begin.end()) + 1
    position, shown = begin.end(), False
    while position < len(data):
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        octets = data[position:end].strip(b" \t\r,").removesuffix(b"]")
        event = members_in(load(octets)) if octets[:1] == b"{" else {}
        if "source" in event:
            shown = True
            yield line, event
        position, line = end + 1, line + 1
    if not shown:
        # Written anew by another program.
        yield from ((None, event) for event in objects(whole_objects(data, "events")))


def _take(job: _Job, kind: str, event: dict[str, object], log: _Log, drafts: Drafts) -> None:
    """Let an event say what it has to say of its request."""
    said = members_in(event.get("params"))
    at = number(event.get("time"))
    now = (log.offset + at) / 1000 if log.offset is not None and at is not None else None
    if kind == _STARTS:
        if event.get("phase") == _BEGINS and text(said.get("url")):
            _close(job)
            job.method, job.url = text(said.get("method")), text(said.get("url"))
            job.initiator = text(said.get("initiator"))
        return
    if kind in _SENDS:
        _close(job)
        job.draft = _sent(job, said)
        if job.draft is not None:
            job.draft.started = now if now is not None and now > 0 else None
            drafts.found.append(job.draft)
        return
    draft = job.draft
    if draft is None:
        return
    if kind == _RECEIVES and not draft.status:
        _received(draft, said)
    elif kind == _SHOWS:
        _shown(job, said)
    elif kind == _FAILS and not draft.status:
        code = number(said.get("net_error"))
        draft.error = (
            f"net::{log.errors.get(int(code), f'ERR {int(code)}')}" if code is not None else "failed"
        )
    if now is not None and draft.started is not None:
        draft.duration = max(0.0, now - draft.started)


def _close(job: _Job) -> None:
    """Give the last draft of a job what was shown of its content."""
    if job.draft is not None and job.content is not None and len(job.content) <= CONTENT_LIMIT:
        job.draft.received_content = Content.from_octets(bytes(job.content))
    job.draft, job.content = None, None


def _sent(job: _Job, said: dict[str, object]) -> Draft | None:
    pairs = _pairs(said.get("headers"))
    pseudo = {name: value for name, value in pairs if name.startswith(":")}
    pairs = [pair for pair in pairs if not pair[0].startswith(":")]
    found = _LINE.match(text(said.get("line")))
    method = pseudo.get(":method") or (found[1] if found is not None else "") or job.method
    target = pseudo.get(":path") or (found[2] if found is not None else "")
    host = pseudo.get(":authority") or next((value for name, value in pairs if name.lower() == "host"), "")
    url = job.url.partition("#")[0]
    if not url and target:
        url = target_uri(target, host, scheme=pseudo.get(":scheme", "http"))
    if not method or not url:
        return None
    draft = Draft(method, url, initiator=job.initiator)
    draft.sent = pairs or None
    draft.request_version = found[3] if found is not None else "HTTP/2" if pseudo else ""
    return draft


def _received(draft: Draft, said: dict[str, object]) -> None:
    listed = elements_in(said.get("headers"))
    first = text(listed[0]) if listed else ""
    status = _STATUS.match(first.strip())
    # What comes before the answer is no answer (RFC 9110 section 15.2).
    if status is None or 100 <= int(status[2]) < 200:
        return
    draft.status, draft.reason = int(status[2]), status[3] or ""
    draft.response_version = f"HTTP/{status[1]}"
    draft.received = _pairs(listed)


def _shown(job: _Job, said: dict[str, object]) -> None:
    """Take octets of the content: a log has them where it was told to hold everything."""
    shown = text(said.get("bytes"))
    if not shown or (job.content is not None and len(job.content) > CONTENT_LIMIT):
        return
    try:
        octets = base64.b64decode(shown)
    except (binascii.Error, ValueError):
        return
    job.content = job.content if job.content is not None else bytearray()
    job.content += octets


def _pairs(value: object) -> list[tuple[str, str]]:
    """Return the fields of a list of `name: value`; the names of HTTP/2's own begin with a colon."""
    found: list[tuple[str, str]] = []
    for one in elements_in(value):
        line = text(one)
        colon = line.find(":", 1)
        if colon > 0 and " " not in line[:colon]:
            found.append((line[:colon], line[colon + 1 :].strip(" \t\r\n")))
    return found
