"""Put the events of a curl trace together to transfers: which lines belong to which request.

The rules are curl's own habits (docs/decisions/015-curl-traces.md): interim responses are passed over, a new
request line starts a new transfer, `Connection #0 ... left intact` ends one, an error line ends one without
a response.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ifmatch.capture.curl.clock import DayClock
from ifmatch.capture.curl.events import EventKind, TraceEvent
from ifmatch.model.slotted import Slotted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifmatch.capture.commands.curl_prompt import CurlPrompt

REQUEST_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) (\S.*) (HTTP/\d(?:\.\d)?)[ \t\r]*$")
STATUS_LINE = re.compile(r"(HTTP/\d(?:\.\d)?) +(\d{3})(?: +(.*?))?[ \t\r]*$")

_CONNECTED = re.compile(r"Connected to (\S+) \(([^)]*)\) port (\d+)(?: \(#(\d+)\))?")
_ESTABLISHED = re.compile(r"Established connection to (\S+) \((\S+) port (\d+)\)")
_TRYING = re.compile(r" *Trying (\[[^\]]+\]|[0-9.]+):(\d+)")
_LEFT = re.compile(r"Connection #(\d+) to host (.*?) left intact")
_REUSED = re.compile(r"Re-?using existing (?:\S+ )?connection!? ?(?:\(?#(\d+)\)?)?")
_SECURE = re.compile(
    r"(?:\(\d+\) \((?:OUT|IN)\), )?(?:SSL connection using|TLS connection using|TLSv1|TLS handshake|"
    r"ALPN[:,] |SSL certificate|schannel: |gnutls|GnuTLS|mbedTLS|wolfSSL|\[HTTP/3\]|QUIC )"
)
_STREAM = re.compile(r"\[HTTP/[23]\] \[\d+\] OPENED stream for (\S+)")
_SCHEME = re.compile(r"(?:\[HTTP/[23]\] \[\d+\] |h2h?3? ?)\[:scheme: (https?)\]")
_ANOTHER = re.compile(r"Issue another request to this URL: '(.*)'")
_UPLOADED = re.compile(r"upload completely sent off: (\d+)")
_CLOSING = re.compile(r"Closing connection|shutting down connection")
_BROKEN = re.compile(
    r"Empty reply from server|Recv failure|Send failure|Operation timed out|Connection timed out|"
    r"Connection died|Connection \d+ seems to be dead|Failed to connect|Could not resolve|"
    r"transfer closed with|end of response with|OpenSSL SSL_|SSL_ERROR|HTTP/2 stream \d+ was (?:not )?closed|"
    r"CONNECT tunnel failed|Received HTTP code \d+ from proxy|"
    r"Resolving timed out|connect to \S+ port \d+ (?:from \S+ port \d+ )?failed"
)
_KNOWN_INFO: Final = (
    _CONNECTED, _ESTABLISHED, _TRYING, _LEFT, _REUSED, _SECURE, _STREAM, _SCHEME, _ANOTHER, _UPLOADED,
    _CLOSING, _BROKEN,
)  # fmt: skip


class Connection(Slotted):
    """A connection as the trace names it.

    Attributes:
        name: unique within the source.
        peer: address that curl connected to, "" when unknown.
        host: name and port that curl wanted, "" when unknown.
        secure: whether TLS lines were seen.
        seen: whether the trace shows how the connection was made, so that no TLS line means no TLS.
    """

    name: str
    peer: str = ""
    host: str = ""
    secure: bool = False
    seen: bool = False


@dataclass(slots=True)
class Transfer:
    """What the trace tells of one request and its response, before it becomes an exchange."""

    line: int
    connection: Connection
    run: int
    prompt: CurlPrompt | None = None
    url: str = ""
    sent: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    received: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    sent_ended: bool = False
    received_ended: bool = False
    ended: bool = False
    body_ignored: bool = False
    sent_size: int = 0
    received_size: int = 0
    sent_octets: list[bytes] = field(default_factory=list[bytes])
    received_octets: list[bytes] = field(default_factory=list[bytes])
    sent_exact: bool = True
    received_exact: bool = True
    display: list[str] = field(default_factory=list[str])
    displayed: int = 0
    error: str = ""
    started: float | None = None
    responded: float | None = None
    finished: float | None = None

    @property
    def method(self) -> str:
        """Return the method of the request line, "" when there is none."""
        found = REQUEST_LINE.match(self.sent[0][1]) if self.sent else None
        return found.group(1) if found else ""

    @property
    def status(self) -> int:
        """Return the status of the last status line seen, 0 when there is none."""
        found = STATUS_LINE.match(self.received[0][1]) if self.received else None
        return int(found.group(2)) if found else 0

    def declared_size(self) -> int | None:
        """Return the Content-Length of the response in octets, None when it has none."""
        for _, text in self.received[1:]:
            name, _, value = text.partition(":")
            if name.strip().lower() == "content-length":
                digits = value.strip()
                return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 18 else None
        return None


class TransferAssembler:
    """Collect events, give transfers.

    Feed every event in order; `transfers` holds what was found, in the order in which requests were sent,
    `torn` the requests behind which text is missing.
    """

    def __init__(self) -> None:
        self.transfers: list[Transfer] = []
        self.torn: list[Transfer] = []
        self._clock = DayClock()
        self._waiting: dict[str, list[Transfer]] = {}
        self._current: dict[str, Transfer] = {}
        self._connections: dict[str, Connection] = {}
        self._connection = Connection("")
        self._opened = 0
        self._run = 0
        self._prompt: CurlPrompt | None = None
        self._prompt_used = True
        self._next_url: dict[str, str] = {}
        self._displayed: Transfer | None = None
        self._last_error = ""

    def feed_all(self, events: Iterable[TraceEvent]) -> list[Transfer]:
        """Take all events and return the transfers."""
        for event in events:
            self.feed(event)
        if self._last_error and not self.transfers:
            # -sv without the command above it: only the info lines tell of the failure.
            self._prompt_used = False
        self._end_unanswered_prompt("")
        last = {transfer.run: transfer.line for transfer in self.transfers}
        kept: list[Transfer] = []
        for one in self.transfers:
            # Curl says why a request has no answer; here the text behind it is missing.
            silent = bool(one.sent) and not (one.received or one.ended or one.error)
            (self.torn if silent and one.line < last[one.run] else kept).append(one)
        self.transfers = kept
        return kept

    def feed(self, event: TraceEvent) -> None:
        """Take the next event."""
        key = event.ids[0] if event.ids else ""
        now = self._clock.local(event.seconds)
        match event.kind:
            case EventKind.INFO:
                self._info(event, key)
            case EventKind.SENT_LINE:
                self._sent_line(event, key, now)
            case EventKind.RECEIVED_LINE:
                self._received_line(event, key, now)
            case EventKind.SENT_DATA:
                self._sent_data(event, key)
            case EventKind.RECEIVED_DATA:
                self._received_data(event, key, now)
            case EventKind.DISPLAY:
                self._display(event.text)
            case EventKind.PROMPT:
                self._start_run(event.prompt)
            case EventKind.FAILURE:
                self._failure(event, key)
            case EventKind.BOUNDARY:
                self._displayed = None

    def expects_display(self) -> bool:
        """Tell whether content is being displayed and is not whole yet by its Content-Length."""
        owner = self._displayed
        if owner is None or not owner.display:
            return False
        size = owner.declared_size()
        return size is not None and owner.displayed < size

    def in_display(self) -> bool:
        """Tell whether displayed content is being read."""
        return self._displayed is not None and bool(self._displayed.display)

    def _start_run(self, prompt: CurlPrompt | None) -> None:
        self._end_unanswered_prompt("")
        self._run += 1
        self._prompt = prompt
        self._prompt_used = False
        self._waiting.clear()
        self._current.clear()
        self._connections.clear()
        self._next_url.clear()
        self._connection = Connection("")
        self._displayed = None
        self._last_error = ""

    def _end_unanswered_prompt(self, error: str) -> None:
        """Record a command whose request never left: the connection failed."""
        error = error or self._last_error
        if not error or self._prompt_used:
            return
        self._prompt_used = True
        prompt = self._prompt
        line = prompt.line if prompt else 1
        self.transfers.append(Transfer(line, self._connection, self._run, prompt, error=error, ended=True))

    def _open_connection(self, number: str | None, *, host: str, peer: str) -> None:
        self._opened += 1
        secure = self._connection.secure and not self._connection.name
        self._connection = Connection(str(self._opened), peer, host, secure, seen=True)
        if number is not None:
            self._connections[number] = self._connection

    def _info(self, event: TraceEvent, key: str) -> None:
        text = event.text
        found = _CONNECTED.match(text) or _ESTABLISHED.match(text)
        if found is not None:
            host, peer, port = found.group(1, 2, 3)
            number = event.ids[1] if event.ids else found.group(4) if found.re is _CONNECTED else None
            name = "" if host == "(nil)" else f"{host}:{port}"
            self._open_connection(number, host=name, peer=peer)
        elif (found := _REUSED.match(text)) is not None:
            number = found.group(1) or (event.ids[1] if event.ids else "")
            self._connection = self._connections.get(number, self._connection)
        elif (found := _LEFT.match(text)) is not None:
            self._connections.setdefault(found.group(1), self._connection)
            self._end(key)
        elif _SECURE.match(text):
            self._connection.secure = True
        elif (found := _STREAM.match(text)) is not None:
            self._next_url[key] = found.group(1)
        elif (found := _SCHEME.match(text)) is not None:
            self._connection.secure = found.group(1) == "https"
        elif (found := _ANOTHER.match(text)) is not None:
            self._end(key)
            self._next_url[key] = found.group(1)
        elif text.startswith("Ignoring the response-body"):
            if key in self._current:
                self._current[key].body_ignored = True
        elif (found := _UPLOADED.match(text)) is not None:
            if key in self._current and not self._current[key].sent_size:
                self._current[key].sent_size = int(found.group(1)[:15])
        elif _BROKEN.match(text):
            self._broken(text.strip(), key)
        elif _CLOSING.match(text):
            self._end(key)

    def _broken(self, text: str, key: str) -> None:
        self._last_error = text
        current = self._current.get(key)
        if current is not None and not current.ended:
            current.error = current.error or text
            if text.startswith(("Connection died", "Connection")):
                self._end(key)

    def _end(self, key: str) -> None:
        current = self._current.get(key)
        if current is None:
            return
        current.ended = True
        waiting = self._waiting.get(key, [])
        if current.status >= 200:
            # Others may wait on the same connection (HTTP/2 streams without --trace-ids).
            self._waiting[key] = [transfer for transfer in waiting if transfer is not current]
        else:
            for transfer in self._waiting.pop(key, []):
                transfer.ended = True

    def _sent_line(self, event: TraceEvent, key: str, now: float | None) -> None:
        text = event.text.rstrip(" \t\r")
        if REQUEST_LINE.match(text):
            before = self._current.get(key)
            if before is not None and before.received_ended and before.status >= 200:
                self._end(key)
            url = self._next_url.pop(key, "")
            connection = (
                self._connections.get(event.ids[1], self._connection) if event.ids else self._connection
            )
            transfer = Transfer(event.line, connection, self._run, self._prompt, url, started=now)
            self._prompt_used = True
            self._last_error = ""
            transfer.sent.append((event.line, text))
            self.transfers.append(transfer)
            self._current[key] = transfer
            if text.endswith(("HTTP/1.1", "HTTP/1.0")):
                # One at a time: the text with the answer to the one before is missing.
                self._waiting[key] = [one for one in self._waiting.get(key, []) if one.ended or one.error]
            self._waiting.setdefault(key, []).append(transfer)
            return
        current = self._current.get(key)
        if current is None or current.sent_ended:
            return
        if text:
            current.sent.append((event.line, event.text.rstrip("\r")))
        else:
            current.sent_ended = True

    def _received_line(self, event: TraceEvent, key: str, now: float | None) -> None:
        text = event.text.rstrip(" \t\r")
        if STATUS_LINE.match(text):
            transfer = self._answered(event, key)
            transfer.received = [(event.line, text)]
            transfer.received_ended = False
            transfer.responded = transfer.finished = now
            self._current[key] = self._displayed = transfer
            return
        current = self._current.get(key)
        if current is None or current.received_ended or not current.received:
            return
        current.finished = now
        if text:
            current.received.append((event.line, event.text.rstrip("\r")))
            return
        current.received_ended = True
        waiting = self._waiting.get(key, [])
        if current.status >= 200 and current in waiting[:1]:
            waiting.pop(0)

    def _answered(self, event: TraceEvent, key: str) -> Transfer:
        """Return the transfer that a status line answers; a new one when its request is not in the trace."""
        waiting = self._waiting.get(key)
        if waiting and waiting[0].status >= 200:
            # Its head has no end: the text between is missing, and whose answer this is with it.
            waiting.pop(0)
        elif waiting:
            return waiting[0]
        transfer = Transfer(event.line, self._connection, self._run, self._prompt)
        self._prompt_used = True
        self.transfers.append(transfer)
        self._waiting.setdefault(key, []).append(transfer)
        return transfer

    def _sent_data(self, event: TraceEvent, key: str) -> None:
        current = self._current.get(key)
        if current is None:
            return
        current.sent_size += event.size
        if event.octets is not None:
            current.sent_octets.append(event.octets)

    def _received_data(self, event: TraceEvent, key: str, now: float | None) -> None:
        current = self._current.get(key)
        if current is None or not current.received:
            return
        current.received_size += event.size
        current.finished = now
        if event.octets is not None:
            current.received_octets.append(event.octets)

    def _display(self, text: str) -> None:
        if self._displayed is not None:
            self._displayed.display.append(text)
            self._displayed.displayed += len(text)

    def _failure(self, event: TraceEvent, key: str) -> None:
        current = self._current.get(key)
        if event.text.startswith("(22)"):
            # -f: the response itself is in the trace.
            self._end(key)
        elif current is not None and not current.ended and self._prompt_used:
            current.error = f"curl: {event.text}"
            self._end(key)
        elif current is not None and current.error and not current.error.startswith("curl: "):
            current.error = f"curl: {event.text}"
        else:
            self._prompt_used = False
            self._end_unanswered_prompt(f"curl: {event.text}")
            self.transfers[-1].line = self._prompt.line if self._prompt else event.line


def is_known_info(text: str) -> bool:
    """Tell whether an info line is one whose wording this reader knows to be curl's.

    Args:
        text: what stands behind `* `.
    """
    return any(pattern.match(text) for pattern in _KNOWN_INFO) or text.startswith(
        ("Ignoring the response-body", "Found bundle", "Can not multiplex", "Mark bundle", "Using Stream ID",
         "We are completely", "Request completely", "Host ", "Hostname ", "IPv4", "IPv6", "using HTTP/",
         "Server certificate", "  subject:", "  start date", "  expire date", "  issuer", "Simple cookie")
    )  # fmt: skip


__all__ = ["REQUEST_LINE", "STATUS_LINE", "Connection", "Transfer", "TransferAssembler", "is_known_info"]
