"""Make exchanges of the transfers of a curl trace."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ifmatch.capture.base.captured_content import ReadContent, from_wire
from ifmatch.capture.base.clock import date_seconds, keep_monotone
from ifmatch.capture.base.target_uri import path_and_query, target_uri
from ifmatch.capture.curl.clock import epoch_shift
from ifmatch.capture.curl.contents import response_content
from ifmatch.capture.curl.transfers import REQUEST_LINE, STATUS_LINE, Transfer
from ifmatch.capture.texts.field_lines import html_escaped, parse_field_lines
from ifmatch.model.exchange import Capture, CaptureWarning, Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.texts.text_source import TextSource

_USER_INFORMATION = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/?#@]*@")
_TRACE_TICK = 1e-6
_DATE_TICK = 1.0


class _ExchangeBuilder:
    """Turn one transfer after the other into exchanges, and keep the warnings."""

    def __init__(self, source: TextSource, transfers: Sequence[Transfer]) -> None:
        self.source = source
        # Some copies of a trace show no end of any head; where others do, one without is a part of one.
        self._sent_end = any(transfer.sent_ended for transfer in transfers)
        self._received_end = any(transfer.received_ended for transfer in transfers)
        self.warnings: list[CaptureWarning] = list(source.warnings)
        self._escaped = html_escaped(source.lines)

    def build(self, entry: int, transfer: Transfer) -> Exchange:
        fields, request_line = self._head(
            transfer.sent, entry, whole=transfer.sent_ended or not self._sent_end
        )
        response = self._response(entry, transfer)
        return Exchange(
            Provenance(self.source.name, entry, transfer.line),
            self._request(transfer, request_line, fields, entry),
            response,
            error=transfer.error if response is None or _was_cut(transfer) else "",
            connection=transfer.connection.name,
            peer=transfer.connection.peer,
        )

    def _head(self, lines: list[tuple[int, str]], entry: int, *, whole: bool) -> tuple[Fields, str]:
        if not lines:
            return Fields((), complete=False), ""
        pairs, warnings = parse_field_lines(lines[1:], self.source, entry=entry, escaped=self._escaped)
        self.warnings.extend(warnings)
        return Fields(pairs, complete=whole), lines[0][1]

    def _note(self, read: ReadContent, entry: int, line: int) -> None:
        if read.warning:
            self.warnings.append(CaptureWarning(read.warning, entry=entry, line=line))

    def _request(self, transfer: Transfer, request_line: str, fields: Fields, entry: int) -> Request:
        found = REQUEST_LINE.match(request_line)
        prompt = transfer.prompt
        if found is None:
            if prompt is None:
                return Request("", transfer.url, fields, UNKNOWN)
            content = prompt.content
            return Request(
                prompt.method or "GET",
                self.source.wire(prompt.urls[0]) if prompt.urls else "",
                Fields([(name, self.source.wire(value)) for name, value in prompt.fields], complete=False),
                Content.from_octets(self.source.octets(content)) if isinstance(content, str) else content,
            )
        method, target, version = found.groups()
        read = self._request_content(transfer, method, fields)
        self._note(read, entry, transfer.line)
        url = _url(transfer, self.source.wire(target.strip()), fields)
        return Request(method, url, fields, read.content, version)

    def _request_content(self, transfer: Transfer, method: str, fields: Fields) -> ReadContent:
        if transfer.sent_octets:
            octets = b"".join(transfer.sent_octets)
            return from_wire(
                octets, fields, complete=transfer.sent_exact and len(octets) == transfer.sent_size
            )
        length = fields.text("content-length")
        has_content = (length not in {None, "0"}) or "transfer-encoding" in fields or transfer.sent_size > 0
        if not has_content:
            return ReadContent(None)
        prompt = transfer.prompt
        if prompt is None or not isinstance(prompt.content, str) or method != (prompt.method or "GET"):
            return ReadContent(UNKNOWN)
        octets = self.source.octets(prompt.content)
        agrees = length is None or length == str(len(octets))
        if not agrees:
            stripped = prompt.content.replace("\r", "").replace("\n", "")
            octets = self.source.octets(stripped)
            # -d drops line ends of files only, but people re-indent the data of a command.
            agrees = length == str(len(octets))
            if not agrees:
                text = "the command's data has not the size that was sent; the content counts as not known"
                return ReadContent(UNKNOWN, text)
        return ReadContent(Content.from_octets(octets))

    def _response(self, entry: int, transfer: Transfer) -> Response | None:
        found = STATUS_LINE.match(transfer.received[0][1]) if transfer.received else None
        status = int(found.group(2)) if found is not None else 0
        if found is None or not (200 <= status <= 599 or status == 101):
            return None
        whole = transfer.received_ended or not self._received_end
        fields, _ = self._head(transfer.received, entry, whole=whole)
        read = response_content(transfer, fields, self.source)
        self._note(read, entry, transfer.received[0][0])
        reason = (found.group(3) or "").strip()
        redirect = fields.text("location") or ""
        return Response(status, self.source.wire(reason), fields, read.content, found.group(1), redirect)


def _url(transfer: Transfer, target: str, fields: Fields) -> str:
    urls = [transfer.url] if transfer.url else []
    if transfer.prompt is not None:
        urls.extend(transfer.prompt.urls)
    for url in urls:
        # Neither fragment nor user information is part of the target URI that a server sees.
        base = _USER_INFORMATION.sub(r"\1", url.split("#", 1)[0])
        if path_and_query(base) == target:
            return base
    scheme = _scheme(transfer, fields)
    return target_uri(target, _host(transfer, fields), scheme=scheme)


def _host(transfer: Transfer, fields: Fields) -> str:
    return (fields.text("host") or fields.text(":authority") or transfer.connection.host).strip()


def _scheme(transfer: Transfer, fields: Fields) -> str:
    connection = transfer.connection
    if connection.secure or connection.host.endswith(":443") or _host(transfer, fields).endswith(":443"):
        return "https"
    for url in transfer.prompt.urls if transfer.prompt is not None else ():
        return url.split(":", 1)[0].lower()
    # Without the lines that show how the connection was made, HTTP/2 tells of TLS: curl uses no other.
    version = transfer.sent[0][1].rsplit("/", 1)[-1] if transfer.sent else ""
    return "https" if not connection.seen and version in {"2", "3"} else "http"


def _was_cut(transfer: Transfer) -> bool:
    """Tell an error of the exchange from one that came behind a whole response, when curl closed the line."""
    declared = transfer.declared_size()
    return transfer.error.startswith("curl: ") or (declared or 0) > transfer.received_size


def _is_tunnel(transfer: Transfer) -> bool:
    return transfer.method == "CONNECT" and 200 <= transfer.status < 300


def _timed(exchanges: list[Exchange], transfers: Sequence[Transfer]) -> list[Exchange]:
    """Give every exchange its start: see docs/decisions/016-time-in-text-captures.md."""
    dates = [date_seconds(e.response.fields) if e.response is not None else None for e in exchanges]
    shift: float | None = None
    for date, transfer in zip(dates, transfers, strict=True):
        if date is not None and transfer.responded is not None:
            shift = epoch_shift(transfer.responded, date)
            break
    by_date = keep_monotone(dates)
    timed: list[Exchange] = []
    for exchange, transfer, date in zip(exchanges, transfers, by_date, strict=True):
        started, duration, resolution = date, None, _DATE_TICK
        if transfer.started is not None:
            started = None if shift is None else transfer.started + shift
            resolution = _TRACE_TICK
            if transfer.finished is not None:
                duration = max(0.0, transfer.finished - transfer.started)
        elif shift is not None:
            # Some lines lost their time stamp; whole seconds among microseconds would break the order.
            started = None
        timed.append(replace(exchange, started=started, duration=duration, resolution=resolution))
    return timed


def capture_of(
    source: TextSource, transfers: list[Transfer], format_id: str, *, torn: Sequence[Transfer] = ()
) -> Capture:
    """Make the capture of a curl trace.

    Args:
        source: the text that was read.
        transfers: what the assembler found.
        format_id: id of the format.
        torn: requests behind which text is missing.
    """
    kept = [transfer for transfer in transfers if not _is_tunnel(transfer)]
    builder = _ExchangeBuilder(source, kept)
    if torn:
        text = f"requests behind which the text is missing were left out: {len(torn)}"
        builder.warnings.append(CaptureWarning(text, line=torn[0].line))
    exchanges = [builder.build(entry, transfer) for entry, transfer in enumerate(kept)]
    return Capture(
        source.name, format_id, tuple(_timed(exchanges, kept)), tuple(builder.warnings), torn=bool(torn)
    )
