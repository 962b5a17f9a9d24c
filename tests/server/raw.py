"""Send octets over a socket and read one answer: nothing is added, normalised or retried."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Self

Line = tuple[bytes, bytes]


@dataclass(frozen=True)
class Answer:
    status: int
    lines: tuple[Line, ...]
    content: bytes
    is_complete: bool = True

    def field(self, name: str) -> str | None:
        values = [value for key, value in self.lines if key.lower() == name.lower().encode()]
        return b", ".join(values).decode("latin-1") if values else None


class Connection:
    """One connection; the answers come in the order of the requests."""

    def __init__(self, host: str, port: int, *, seconds: float = 60.0) -> None:
        self.socket = socket.create_connection((host, port), timeout=seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.socket.close()

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def _more(self) -> bool:
        chunk = self.socket.recv(65536)
        self._rest += chunk
        return bool(chunk)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._rest:
            if not self._more():
                raise ConnectionError(f"closed after {self._rest!r}")
        found, self._rest = self._rest.split(mark, 1)
        return found

    def _exactly(self, count: int) -> bytes:
        while len(self._rest) < count:
            if not self._more():
                raise ConnectionError(f"closed with {len(self._rest)} of {count} octets")
        found, self._rest = self._rest[:count], self._rest[count:]
        return found

    def answer(self, method: str = "GET", *, interim: bool = False) -> Answer:
        """Read one answer; 1xx are skipped unless asked for."""
        while True:
            head = self._until(b"\r\n\r\n")
            status_line, *rest = head.split(b"\r\n")
            status = int(status_line.split(b" ")[1])
            if status >= 200 or interim:
                break
        lines = tuple(_line(text) for text in rest)
        answer = Answer(status, lines, b"")
        if method == "HEAD" or status in (204, 304) or status < 200:
            return answer
        if (answer.field("Transfer-Encoding") or "").lower() == "chunked":
            return Answer(status, lines, self._chunks())
        length = answer.field("Content-Length")
        if length is not None:
            return Answer(status, lines, self._exactly(int(length)))
        while self._more():
            pass
        content, self._rest = self._rest, b""
        return Answer(status, lines, content)

    def _chunks(self) -> bytes:
        content = b""
        while size := int(self._until(b"\r\n").split(b";")[0], 16):
            content += self._exactly(size)
            self._exactly(2)
        self._until(b"\r\n")
        return content

    def is_closed(self) -> bool:
        """Tell whether the server closes the connection; waits for it."""
        try:
            return not self.socket.recv(1)
        except (ConnectionResetError, BrokenPipeError):
            return True


def _line(text: bytes) -> Line:
    name, _, value = text.partition(b":")
    return name, value.strip(b" \t")


def request(
    method: str,
    target: str,
    lines: tuple[Line, ...] | list[Line] = (),
    content: bytes | None = None,
    *,
    close: bool = True,
) -> bytes:
    """Put a request together: Host, Connection and Content-Length, then the given lines as they are."""
    head = [f"{method} {target} HTTP/1.1".encode(), b"Host: service.example"]
    if close:
        head.append(b"Connection: close")
    if content is not None:
        head.append(b"Content-Length: %d" % len(content))
    head += [name + b": " + value for name, value in lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + (content or b"")


def exchange(  # noqa: PLR0917 -- the parts of a request in the order of the wire
    host: str,
    port: int,
    method: str,
    target: str,
    lines: tuple[Line, ...] | list[Line] = (),
    content: bytes | None = None,
) -> Answer:
    """Send one request on a connection of its own and read its answer."""
    with Connection(host, port) as connection:
        connection.send(request(method, target, lines, content))
        return connection.answer(method)
