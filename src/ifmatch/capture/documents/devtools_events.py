"""Read events of the Chrome DevTools Protocol: Selenium's performance log, or what a script wrote down.

`Network.requestWillBeSent` and `responseReceived` tell what the page saw, their `ExtraInfo` what went over
the wire.
Source: the domain Network of the Chrome DevTools Protocol 1.3; the log type `performance` of ChromeDriver.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.json_values import (
    header_pairs,
    load,
    moment,
    nested,
    number,
    read_limited,
    text,
)
from ifmatch.model.json_values import members_in
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["read_devtools_events"]

_ADVICE: Final = "Switch the domain Network on before the first request (Network.enable), and keep all events"

_Event = dict[str, object]


def read_devtools_events(stream: BinaryIO, name: str) -> Capture:
    """Read the requests of a list of events.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Raises:
        InputError: no event tells of a request that was sent, or it is larger than 256 MiB.
    """
    data = read_limited(stream, name, what="log of events")
    drafts = Drafts(name)
    open_ones: dict[str, Draft] = {}
    # What went over the wire is told before or after what the page saw.
    early: dict[str, list[tuple[str, _Event]]] = {}
    for method, told in _events(drafts, data):
        key = text(told.get("requestId"))
        if method == "requestWillBeSent" and members_in(told.get("request")):
            if key in open_ones and (redirect := members_in(told.get("redirectResponse"))):
                _answered(open_ones[key], redirect)
            open_ones[key] = draft = _sent(told)
            drafts.found.append(draft)
            for one, said in early.pop(key, ()):
                _take(draft, one, said)
        elif key in open_ones:
            _take(open_ones[key], method, told)
        elif method.endswith("ExtraInfo"):
            early.setdefault(key, []).append((method, told))
    return drafts.capture(
        "devtools-events", nothing="no event tells of a request that was sent", advice=_ADVICE
    )


def _events(drafts: Drafts, data: bytes) -> Iterator[tuple[str, _Event]]:
    """Yield name and parameters of each event of the network: one document, or one a line."""
    value = load(data)
    lines = [line.strip().rstrip(b",") for line in data.split(b"\n")]
    values = [value] if value is not None else [load(line) for line in lines if len(line) > 1]
    damaged = sum(one is None for one in values)
    if value is None and damaged:
        drafts.warn(f"lines that are no whole event were skipped: {damaged}")
    for document in values:
        for one in nested(document, lambda one: () if _is_event(one) else map(_parsed, one.values())):
            if _is_event(one):
                yield text(one.get("method")).removeprefix("Network."), members_in(one.get("params"))


def _is_event(one: _Event) -> bool:
    return text(one.get("method")).startswith("Network.") and bool(members_in(one.get("params")))


def _parsed(value: object) -> object:
    """Return what a string holds where it is JSON itself: ChromeDriver puts each event into one."""
    if isinstance(value, str) and value[:1] == "{" and "Network." in value:
        try:
            return cast("object", json.loads(value))
        except (ValueError, RecursionError):
            return None
    return cast("object", value) if isinstance(value, dict | list) else None


def _sent(told: _Event) -> Draft:
    request = members_in(told.get("request"))
    draft = Draft(
        text(request.get("method")).upper(), text(request.get("url")) + text(request.get("urlFragment"))
    )
    draft.sent = header_pairs(request.get("headers")) or None
    draft.sent_complete = draft.received_complete = False
    if isinstance(request.get("postData"), str):
        draft.content = Content.from_text(text(request.get("postData")))
    elif request.get("hasPostData") is not True:
        draft.content = None
    draft.started = moment(told.get("wallTime"))
    draft.initiator = text(members_in(told.get("initiator")).get("type"))
    return draft


def _take(draft: Draft, method: str, told: _Event) -> None:
    if method == "requestWillBeSentExtraInfo":
        draft.sent, draft.sent_complete = _fields(told.get("headers")), True
    elif method == "responseReceivedExtraInfo":
        draft.received, draft.received_complete = _fields(told.get("headers")), True
        draft.status = _status(told.get("statusCode")) or draft.status
    elif method == "responseReceived":
        _answered(draft, members_in(told.get("response")))
    elif method == "requestServedFromCache":
        draft.from_cache = True
    elif method == "loadingFailed":
        draft.error = text(told.get("errorText")) or "loading failed"


def _answered(draft: Draft, response: _Event) -> None:
    # A 304 is shown to the page as the 200 that it stands for; what came over the wire counts.
    draft.status = draft.status or _status(response.get("status"))
    draft.reason = draft.reason or text(response.get("statusText"))
    draft.received = draft.received or _fields(response.get("headers")) or None
    draft.received_complete = draft.received is not None
    draft.response_version = text(response.get("protocol"))
    draft.request_version = draft.response_version
    shown = _fields(response.get("requestHeaders"))
    if shown and not draft.sent_complete:
        draft.sent, draft.sent_complete = shown, True
    address, port = text(response.get("remoteIPAddress")), number(response.get("remotePort"))
    draft.peer = f"{address}:{int(port)}" if address and port is not None else ""
    draft.connection = text(response.get("connectionId"))
    draft.from_cache = draft.from_cache or response.get("fromDiskCache") is True
    ended = moment(response.get("responseTime"), 1000)
    draft.duration = (
        max(0.0, ended - draft.started) if ended is not None and draft.started is not None else None
    )


def _status(value: object) -> int:
    found = number(value)
    return int(found) if found is not None and 100 <= found <= 599 else 0


def _fields(value: object) -> list[tuple[str, str]]:
    """Return fields; of a name that came more than once the values stand on lines of their own."""
    return [
        (name, said)
        for name, together in header_pairs(value)
        for said in together.split("\n")
        if not name.startswith(":")
    ]
