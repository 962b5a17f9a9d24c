"""Speak HTTP/1.1 octet by octet: what is sent is what stands in the test."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["Connection", "Raw", "message"]


@dataclass(frozen=True)
class Raw:
    """An answer as its octets say it; names in lower case, values as latin-1 text."""

    status: int
    fields: tuple[tuple[str, str], ...]
    content: bytes
    version: str = "HTTP/1.1"

    def get(self, name: str) -> str | None:
        """Return the value of the one line of this name; fails when there are several."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} is there {len(values)} times: {values}"
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]


def message(
    method: str, target: str, host: str, *lines: tuple[str, str], content: bytes | None = None
) -> bytes:
    """Return the octets of a request; Content-Length is added when there is content."""
    rows = [f"{method} {target} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in lines)]
    if content is not None and not any(name.lower() == "transfer-encoding" for name, _ in lines):
        rows.append(f"Content-Length: {len(content)}")
    return "\r\n".join(rows).encode("latin-1") + b"\r\n\r\n" + (content or b"")


class Connection:
    """One TCP connection to an origin."""

    def __init__(self, origin: str, timeout: float = 120.0) -> None:
        parts = urlsplit(origin)
        assert parts.hostname is not None
        self.host = parts.netloc
        self._socket = socket.create_connection((parts.hostname, parts.port or 80), timeout)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def ask(self, method: str, target: str, *lines: tuple[str, str], content: bytes | None = None) -> Raw:
        """Send a request and read its answer."""
        self.send(message(method, target, self.host, *lines, content=content))
        return self.answer(method)

    def answer(self, method: str = "GET") -> Raw:
        """Read one final answer; 100 (Continue) is skipped."""
        raw = self.any_answer(method)
        while 100 <= raw.status < 200:
            raw = self.any_answer(method)
        return raw

    def any_answer(self, method: str = "GET") -> Raw:
        """Read one answer, a 1xx too."""
        head = self._until(b"\r\n\r\n")
        first, *rows = head[:-4].decode("latin-1").split("\r\n")
        version, status, *_ = first.split(" ", 2)
        fields = tuple(
            (name.lower(), value.strip(" \t")) for name, _, value in (row.partition(":") for row in rows)
        )
        raw = Raw(int(status), fields, b"", version)
        if method == "HEAD" or raw.status in {204, 304} or raw.status < 200:
            return raw
        if raw.get("transfer-encoding") == "chunked":
            content = self._chunks()
        elif raw.get("content-length") is not None:
            content = self._exactly(int(raw.get("content-length") or 0))
        else:
            content = self._rest()
        return Raw(raw.status, fields, content, version)

    def is_closed(self, seconds: float = 5.0) -> bool:
        """Tell whether the other side ends the connection without a further octet."""
        self._socket.settimeout(seconds)
        try:
            return not self._buffer and self._socket.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def end_of_sending(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def _more(self) -> bool:
        part = self._socket.recv(65536)
        self._buffer += part
        return bool(part)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            if not self._more():
                raise ConnectionError(f"the connection ended after {self._buffer!r}")
        end = self._buffer.index(mark) + len(mark)
        taken, self._buffer = self._buffer[:end], self._buffer[end:]
        return taken

    def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            if not self._more():
                raise ConnectionError("the connection ended within the content")
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _chunks(self) -> bytes:
        parts = []
        while True:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            part = self._exactly(size + 2)[:-2]
            if not size:
                return b"".join(parts)
            parts.append(part)

    def _rest(self) -> bytes:
        while self._more():
            pass
        taken, self._buffer = self._buffer, b""
        return taken
