"""Read what proxies print of each request when they are told to debug: nginx, HAProxy (`-d`), Envoy.

What the client sent and got is read, as the proxy tells it. Source of the notations: `error_log ... debug` of
nginx 1.22, `haproxy -d` of HAProxy 2.6, the logger `http` of Envoy 1.40 at level debug.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.clock import date_seconds, keep_monotone, settle_zone
from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.moments import iso_moment
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.texts.log_pastes import opened
from ifmatch.capture.texts.text_source import read_text
from ifmatch.model.message import Fields

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["looks_like_proxy_debug_log", "read_proxy_debug_log"]

_NGINX = re.compile(r"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[debug\] \d+#\d+: \*(\d+) (.*)\Z")
_NGINX_REQUEST = re.compile(r'http request line: "([A-Z]{3,20}) (\S+) (HTTP/\d\.\d)"')
_NGINX_FIELD = re.compile(r'http2? header: "([^":]{1,200}|:[a-z]{4,9}): ?(.*)"\Z')
_NGINX_OUTPUT = re.compile(r'http2 output header: "(:?[^":]{1,200}): ?(.*)"\Z')
_NGINX_STATUS = re.compile(r"(HTTP/\d\.\d) (\d{3})(?: (.*))?\Z")
_NGINX_ACCEPT = re.compile(r"accept: (\S+):\d+ fd:")

_HAPROXY = re.compile(r"([0-9a-f]{8}):[\w.:-]{1,80}\.(accept|clireq|clihdr|srvrep|srvhdr|closed)[(\[](.*)\Z")
_HAPROXY_CLIENT = re.compile(r"from \[(.+?)(?::\d+)?\]")
_HAPROXY_SAID = re.compile(r"[0-9a-f]{1,8}:[0-9a-f]{1,8}\]: (.*)\Z")
_REQUEST = re.compile(r"([A-Z]{3,20}) (\S+) (HTTP/\d(?:\.\d)?)\s*\Z")
_STATUS = re.compile(r"(HTTP/\d(?:\.\d)?) (\d{3})(?: (.*?))?\s*\Z")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}): ?(.*)\Z")

_ENVOY = re.compile(
    r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})\].*"
    r"\[(?:Tags: \"ConnectionId\":\"(\d+)\",\"StreamId\":\"(\d+)\"|C(\d+)\]\[S(\d+))\] "
    r"(request headers complete|encoding headers via codec) "
)
_ENVOY_FIELD = re.compile(r"'(:?[^']{1,200})', '(.*)'\s*\Z")
_SIGNS: Final = (
    re.compile(r'\[debug\] \d+#\d+: \*\d+ http(?:2 header: ":method|\srequest line): '),
    re.compile(r"[0-9a-f]{8}:\S{1,80}\.cli(?:req|hdr)\["),
    re.compile(r"\[debug\]\[http\] .{0,200}\] request headers complete \("),
)
_ADVICE: Final = "Log whole requests, from the first line of one to the end of its answer"


def looks_like_proxy_debug_log(lines: Sequence[str]) -> bool:
    """Tell whether a proxy that debugs printed these lines.

    Args:
        lines: the first lines of a source.
    """
    return any(sign.search(line[:600]) is not None for line in lines if line for sign in _SIGNS)


def read_proxy_debug_log(stream: BinaryIO, name: str) -> Capture:
    """Read what a proxy printed.

    Args:
        stream: binary stream at the start of the log.
        name: name of the source as the user gave it.

    Raises:
        InputError: no request is in it.
    """
    drafts, lines = opened(read_text(stream, name))
    lines = [line.rstrip("\r") for line in lines]
    for read in (_nginx, _haproxy, _envoy):
        read(lines, drafts)
    for draft in drafts.found:
        host = next((value for key, value in draft.sent or () if key.lower() == "host"), "")
        draft.url = target_uri(draft.url, host, scheme="http")
    _settle_times(drafts)
    return drafts.capture("proxy-debug", nothing="no request is in this log", advice=_ADVICE)


def _settle_times(drafts: Drafts) -> None:
    if any(draft.started is not None for draft in drafts.found):
        zone = settle_zone(drafts.found)
        if zone:
            drafts.warn(f"the log's clock is {zone / 3600:+g} h from UTC, by the Date of the answers; undone")
        return
    dates = keep_monotone([date_seconds(Fields(draft.received or ())) for draft in drafts.found])
    for draft, date in zip(drafts.found, dates, strict=True):
        draft.started, draft.resolution = date, 1.0


def _begun(drafts: Drafts, line: int, client: str = "") -> Draft:
    draft = Draft(line=line)
    draft.sent = [("X-Forwarded-For", client)] if client else []
    drafts.found.append(draft)
    return draft


def _pseudo(draft: Draft, name: str, value: str) -> None:
    """Take a pseudo-field of HTTP/2 (RFC 9113 section 8.3)."""
    if name == ":method":
        draft.method = value
    elif name == ":path":
        draft.url = value
    elif name == ":authority":
        draft.add_sent("Host", value)
    elif name == ":status" and value.isdigit():
        draft.status = int(value)


def _nginx(lines: Sequence[str], drafts: Drafts) -> None:
    """Read nginx: a connection has a number, its requests come one after the other."""
    known: dict[str, Draft] = {}
    clients: dict[str, str] = {}
    answering: Draft | None = None
    for number, line in enumerate(lines, 1):
        record = _NGINX.match(line)
        if record is None:
            field = _FIELD.match(line) if answering is not None else None
            if answering is not None and field is not None:
                answering.add_received(field[1], field[2])
            else:
                answering = None
            continue
        key, said, answering = record[2], record[3], None
        if (accepted := _NGINX_ACCEPT.match(said)) is not None:
            clients[key] = accepted[1]
            continue
        request = _NGINX_REQUEST.match(said)
        field = _NGINX_FIELD.match(said)
        if request is not None or (field is not None and field[1] == ":method"):
            draft = known[key] = _begun(drafts, number, clients.get(key, ""))
            draft.started, draft.resolution = iso_moment(record[1]) or (None, 1.0)
            if request is not None:
                draft.method, draft.url, draft.request_version = request.groups()
        if key not in known:
            continue
        draft = known[key]
        if field is not None and not draft.status:
            if field[1].startswith(":"):
                _pseudo(draft, field[1], field[2])
            else:
                draft.add_sent(field[1], field[2])
        elif (status := _NGINX_STATUS.match(said)) is not None and not draft.status:
            draft.response_version, draft.reason = status[1], status[3] or ""
            draft.status, answering = int(status[2]), draft
        elif (output := _NGINX_OUTPUT.match(said)) is not None:
            if output[1].startswith(":"):
                _pseudo(draft, output[1], output[2])
            else:
                draft.add_received(output[1], output[2])


def _haproxy(lines: Sequence[str], drafts: Drafts) -> None:
    """Read HAProxy: a stream has a number."""
    known: dict[str, Draft] = {}
    clients: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        record = _HAPROXY.match(line)
        if record is None:
            continue
        key, kind = record[1], record[2]
        if kind == "accept" and (client := _HAPROXY_CLIENT.search(record[3])) is not None:
            clients[key] = client[1]
        found = _HAPROXY_SAID.search(record[3])
        said = found[1] if found is not None else ""
        if kind == "clireq" and (request := _REQUEST.match(said)) is not None:
            draft = known[key] = _begun(drafts, number, clients.get(key, ""))
            draft.method, draft.url, draft.request_version = request.groups()
        elif key not in known:
            continue
        elif kind == "srvrep" and (status := _STATUS.match(said)) is not None:
            known[key].status, known[key].reason = int(status[2]), status[3] or ""
        elif kind in {"clihdr", "srvhdr"} and (field := _FIELD.match(said)) is not None:
            draft = known[key]
            (draft.add_sent if kind == "clihdr" else draft.add_received)(field[1], field[2])


def _envoy(lines: Sequence[str], drafts: Drafts) -> None:
    """Read Envoy: a stream has a number, fields stand a line each below what they are of."""
    known: dict[str, Draft] = {}
    open_one: Draft | None = None
    answers = False
    for number, line in enumerate(lines, 1):
        record = _ENVOY.match(line)
        if record is not None:
            key = f"{record[2] or record[4]} {record[3] or record[5]}"
            answers = record[6].startswith("encoding")
            at = iso_moment(record[1])
            if not answers:
                open_one = known[key] = _begun(drafts, number)
                open_one.started, open_one.resolution = at or (None, 1.0)
            else:
                open_one = known.get(key)
                if open_one is not None and open_one.started is not None and at is not None:
                    open_one.duration = at[0] - open_one.started
            continue
        field = _ENVOY_FIELD.match(line) if open_one is not None else None
        if field is None or open_one is None:
            open_one = None
        elif field[1].startswith(":"):
            _pseudo(open_one, field[1], field[2])
        else:
            (open_one.add_received if answers else open_one.add_sent)(field[1], field[2])
