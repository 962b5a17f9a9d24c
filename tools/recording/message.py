"""Read and write HTTP/1.1 messages byte by byte (RFC 9112), keeping order and case of header lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

Fields = tuple[tuple[str, str], ...]

_MAXIMUM_HEAD = 256 * 1024


class ConnectionEndedError(OSError):
    """The peer closed before a whole message had arrived."""


@dataclass(frozen=True, slots=True)
class Message:
    """One request or response as it stood on the wire.

    Attributes:
        start_line: The request line or status line without its line end.
        fields: Header lines in order, names in the case they were sent in.
        body: Content with the transfer coding taken off; a content coding stays on.
        raw: Every octet as received, for forwarding unchanged.
    """

    start_line: str
    fields: Fields
    body: bytes
    raw: bytes

    @property
    def status(self) -> int:
        """Return the status code of a response."""
        return int(self.start_line.split(" ", 2)[1])

    @property
    def reason(self) -> str:
        """Return the reason phrase of a response, perhaps empty."""
        parts = self.start_line.split(" ", 2)
        return parts[2] if len(parts) > 2 else ""

    @property
    def method(self) -> str:
        """Return the method of a request."""
        return self.start_line.split(" ", 1)[0]

    @property
    def target(self) -> str:
        """Return the request target as sent."""
        return self.start_line.split(" ")[1]

    def get(self, name: str) -> str | None:
        """Return the values of a field joined with a comma (RFC 9110 section 5.3), or None."""
        values = [value for key, value in self.fields if key.lower() == name.lower()]
        return ", ".join(values) if values else None


class Stream:
    """A buffered reader over a connected socket."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._buffer = b""

    def _more(self) -> None:
        received = self.connection.recv(65536)
        if not received:
            raise ConnectionEndedError("connection closed before a response")
        self._buffer += received

    def take_line(self) -> bytes:
        """Return the next line, line end included."""
        while b"\n" not in self._buffer:
            self._more()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line + b"\n"

    def take_head(self) -> bytes:
        """Return everything up to and including the empty line after the header section."""
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > _MAXIMUM_HEAD:
                raise ConnectionEndedError("header section too large")
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def take(self, length: int) -> bytes:
        """Return exactly ``length`` octets."""
        while len(self._buffer) < length:
            self._more()
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        return taken

    def take_rest(self) -> bytes:
        """Return everything until the peer closes."""
        try:
            while True:
                self._more()
        except ConnectionEndedError:
            taken, self._buffer = self._buffer, b""
            return taken

    def take_chunks(self) -> tuple[bytes, bytes]:
        """Return a chunked body decoded, and as it was framed (RFC 9112 section 7.1)."""
        body, raw = b"", b""
        while True:
            size_line = self.take_line()
            size = int(size_line.split(b";")[0], 16)
            raw += size_line
            if size == 0:
                break
            chunk = self.take(size + 2)
            body, raw = body + chunk[:-2], raw + chunk
        while True:
            trailer = self.take_line()
            raw += trailer
            if trailer in {b"\r\n", b"\n"}:
                return body, raw


def _parse_head(head: bytes) -> tuple[str, Fields]:
    lines = head.decode("latin-1").split("\r\n")
    fields = tuple(
        (name, value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines[1:] if line)
    )
    return lines[0], fields


def _first(fields: Fields, name: str) -> str | None:
    return next((value for key, value in fields if key.lower() == name), None)


def read_request(stream: Stream) -> Message:
    """Read one request; raise ``ConnectionEndedError`` when the peer is done."""
    head = stream.take_head()
    start_line, fields = _parse_head(head)
    body = raw = b""
    if "chunked" in (_first(fields, "transfer-encoding") or "").lower():
        if "100-continue" in (_first(fields, "expect") or "").lower():
            stream.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body, raw = stream.take_chunks()
    elif length := int(_first(fields, "content-length") or 0):
        if "100-continue" in (_first(fields, "expect") or "").lower():
            stream.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = raw = stream.take(length)
    return Message(start_line, fields, body, head + raw)


def read_response(stream: Stream, method: str) -> Message:
    """Read one final response to a request with ``method``; interim responses are skipped."""
    while True:
        head = stream.take_head()
        start_line, fields = _parse_head(head)
        status = int(start_line.split(" ", 2)[1])
        if status >= 200:
            break
    body = raw = b""
    if method == "HEAD" or status in {204, 304}:
        pass
    elif "chunked" in (_first(fields, "transfer-encoding") or "").lower():
        body, raw = stream.take_chunks()
    elif (length := _first(fields, "content-length")) is not None:
        body = raw = stream.take(int(length))
    else:
        body = raw = stream.take_rest()
    return Message(start_line, fields, body, head + raw)


def write_message(start_line: str, fields: Fields, body: bytes) -> bytes:
    """Return the octets of a message whose framing fields are already among ``fields``."""
    lines = [start_line, *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def keeps_open(message: Message) -> bool:
    """Return whether the sender of ``message`` lets the connection live on (RFC 9112 section 9.3)."""
    options = (message.get("Connection") or "").lower()
    return "close" not in options and ("HTTP/1.0" not in message.start_line or "keep-alive" in options)
