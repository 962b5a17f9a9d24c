"""Record every exchange that passes between two parties without changing an octet of it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field

from tools.recording.har import Recorded
from tools.recording.message import (
    ConnectionEndedError,
    Message,
    Stream,
    keeps_open,
    read_request,
    read_response,
)


def address_of(listener: socket.socket) -> int:
    """Return the port a listening socket got."""
    port: int = listener.getsockname()[1]
    return port


def listen() -> socket.socket:
    """Return a socket listening on a free loopback port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    listener.settimeout(None)
    return listener


@dataclass
class Tap:
    """A recording relay in front of one server.

    Args:
        upstream_port: Loopback port of the server behind.
        name: Vantage name used for the file, such as ``upstream``.
        scheme: Scheme written into the recorded URLs.
    """

    upstream_port: int
    name: str
    scheme: str = "http"
    recorded: list[Recorded] = field(default_factory=list)
    port: int = 0

    def start(self) -> None:
        """Listen on a free port and relay from then on."""
        self._lock = threading.Lock()
        self._connections = 0
        self._listener = listen()
        self.port = address_of(self._listener)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections += 1
                number = self._connections
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            down = Stream(connection)
            head = read_request(down)
            with socket.create_connection(("127.0.0.1", self.upstream_port)) as server:
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                up = Stream(server)
                while self._relay(head, down, up, number):
                    head = read_request(down)

    def _relay(self, request: Message, down: Stream, up: Stream, number: int) -> bool:
        """Pass one exchange on; return whether the connection lives on."""
        started_ns, started = time.time_ns(), time.perf_counter()
        response, error = None, None
        try:
            up.connection.sendall(request.raw)
            response = read_response(up, request.method)
        except ConnectionEndedError as ended:
            error = str(ended)
        except OSError as broken:
            error = broken.strerror or "connection lost"
        seconds = time.perf_counter() - started
        url = f"{self.scheme}://{request.get('Host') or 'unknown'}{request.target}"
        recorded = Recorded(started_ns, seconds, seconds, url, request, response, error, number)
        with self._lock:
            self.recorded.append(recorded)
        if response is None:
            return False
        down.connection.sendall(response.raw)
        return keeps_open(request) and keeps_open(response)
