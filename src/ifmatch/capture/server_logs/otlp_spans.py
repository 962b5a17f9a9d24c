"""Turn spans of HTTP calls into exchanges: attempts, times, statuses; fields only where they were captured.

A trace tells of one service after another. What a service sent (client spans) and what it received (server
spans) are seen from different places, so each is a capture of its own.
Source: OpenTelemetry semantic conventions for HTTP spans, 1.23 and later, and those before.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from ifmatch.capture.base.drafts import ENTRY_LIMIT, Draft, Drafts
from ifmatch.capture.base.json_values import number, text
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.errors import InputError
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ifmatch.model.exchange import Capture

__all__ = ["Span", "captures_of_spans"]

_SENT: Final = "http.request.header."
_RECEIVED: Final = "http.response.header."
_ADVICE: Final = (
    "Trace HTTP clients and servers. To have entity tags in the trace, capture fields: set "
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST=if-match,if-none-match and "
    "..._CLIENT_RESPONSE=etag,last-modified,content-encoding"
)


class Span(Frozen, frozen=True):
    """A span as its format holds it.

    Attributes:
        service: name of the service that recorded it.
        kind: `client` or `server`, "" when not said.
        name: of the operation.
        started: seconds since the epoch, None when not said.
        duration: in seconds, None when not said.
        attributes: by name; lists as lists.
    """

    service: str
    kind: str
    name: str
    started: float | None
    duration: float | None
    attributes: Mapping[str, object]


def captures_of_spans(spans: Iterable[Span], drafts: Drafts, form: str) -> tuple[Capture, ...]:
    """Return one capture for each service and side that spans of HTTP calls were recorded at.

    Args:
        spans: in any order.
        drafts: holds the name of the source and the warnings so far.
        form: id of the format.

    Raises:
        InputError: no span is one of an HTTP call.
    """
    places: dict[tuple[str, str], Drafts] = {}
    others = count = 0
    for span in spans:
        draft = _draft(span)
        if draft is None:
            others += 1
            continue
        count += 1
        if count > ENTRY_LIMIT:
            break
        place = (span.service, span.kind)
        places.setdefault(place, Drafts(drafts.name)).found.append(draft)
    if not places:
        why = f": {others} spans, none of an HTTP call" if others else ""
        raise InputError(f"no HTTP call is in this trace{why}", source=drafts.name, advice=_ADVICE)
    captures: list[Capture] = []
    for (service, kind), found in sorted(places.items()):
        if len(places) > 1:
            found.name = f"{drafts.name}!{service or 'service'} ({kind or 'spans'})"
        found.order_by_time()
        if not captures:
            found.warnings.extend(drafts.warnings)
        if not any(draft.sent or draft.received for draft in found.found):
            found.warn(f"this trace holds no header fields. {_ADVICE}")
        captures.append(found.capture(form, nothing="no HTTP call is in this trace", advice=_ADVICE))
    return tuple(captures)


def _draft(span: Span) -> Draft | None:
    attributes = span.attributes
    method = text(attributes.get("http.request.method") or attributes.get("http.method"))
    original = text(attributes.get("http.request.method_original"))
    if method == "_OTHER" and original:
        method = original
    url = _url(attributes)
    if not method or not url:
        return None
    draft = Draft(method, url)
    draft.sent = _fields(attributes, _SENT)
    agent = text(attributes.get("user_agent.original") or attributes.get("http.user_agent"))
    if agent and not any(name == "user-agent" for name, _ in draft.sent):
        draft.sent.append(("user-agent", agent))
    draft.sent_complete = draft.received_complete = False
    draft.framed = False
    code = number(attributes.get("http.response.status_code") or attributes.get("http.status_code"))
    if code is not None and 100 <= code <= 599:
        draft.status = int(code)
        draft.received = _fields(attributes, _RECEIVED)
    else:
        draft.error = text(attributes.get("error.type") or attributes.get("exception.type")) or "no response"
    draft.started, draft.duration, draft.resolution = span.started, span.duration, 1e-6
    version = text(attributes.get("network.protocol.version") or attributes.get("http.flavor"))
    draft.request_version = f"HTTP/{version}" if version[:1].isdigit() else version
    address = text(attributes.get("network.peer.address") or attributes.get("net.peer.ip"))
    port = number(attributes.get("network.peer.port") or attributes.get("net.peer.port"))
    if span.kind == "client":
        draft.peer = f"{address}:{int(port)}" if address and port is not None else address
    else:
        draft.connection = text(attributes.get("client.address") or attributes.get("http.client_ip"))[:60]
    draft.initiator = span.name[:60] if span.name != method else ""
    return draft


def _url(attributes: Mapping[str, object]) -> str:
    """Return the URL that one attribute or several hold."""
    whole = text(attributes.get("url.full") or attributes.get("http.url"))
    if whole:
        return whole
    path = text(attributes.get("url.path"))
    query = text(attributes.get("url.query"))
    target = f"{path}?{query}" if path and query else path or text(attributes.get("http.target"))
    if not target:
        return ""
    host = text(
        attributes.get("server.address") or attributes.get("http.host") or attributes.get("net.host.name")
    )
    port = number(attributes.get("server.port") or attributes.get("net.host.port"))
    if host and ":" not in host and port is not None:
        host += f":{int(port)}"
    scheme = text(attributes.get("url.scheme") or attributes.get("http.scheme")) or "http"
    return target_uri(target, host, scheme=scheme)


def _fields(attributes: Mapping[str, object], prefix: str) -> list[tuple[str, str]]:
    """Return captured header fields; the older conventions write `if_match` for If-Match."""
    pairs: list[tuple[str, str]] = []
    for key, value in attributes.items():
        if key.startswith(prefix):
            name = key[len(prefix) :].replace("_", "-").lower()
            pairs.extend((name, one) for one in _values(value))
    return pairs


def _values(value: object) -> list[str]:
    if isinstance(value, str) and value[:1] == "[" and value[-1:] == "]":
        # Where only text can be stored, a list is written as JSON.
        try:
            parsed: object = json.loads(value)
        except (ValueError, RecursionError):
            return [value]
        value = parsed
    if isinstance(value, list):
        return [text(one) for one in cast("list[object]", value)]
    return [text(value)]
