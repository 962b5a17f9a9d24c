"""Exchange one request over HTTP/2, one stream a connection (RFC 9113)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from ifmatch.wire.http1 import BrokenExchangeError, Received

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.wire.limits import Limits
    from ifmatch.wire.timed import Timed

__all__ = ["exchange_http2"]

_STEP = 65536
# Fields of a connection have no place in HTTP/2 (RFC 9113 section 8.2.2).
_NOT_SENT = frozenset(
    {"connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}
)


def exchange_http2(
    opened: Timed,
    pseudo: Sequence[tuple[str, str]],
    fields: Sequence[tuple[str, str]],
    content: bytes | None,
    limits: Limits,
) -> Received:
    """Send one request on a fresh connection and read its response.

    Args:
        opened: a connection that has carried nothing yet; its timeout is set.
        pseudo: `:method`, `:scheme`, `:authority`, `:path`.
        fields: header lines; names are sent in lower case.
        content: octets, None for none.
        limits: sizes.

    Raises:
        BrokenExchangeError: no whole response came.
    """
    configuration = h2.config.H2Configuration(client_side=True, header_encoding=None)
    connection = h2.connection.H2Connection(configuration)
    connection.initiate_connection()
    lines = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in fields
        if name.lower() not in _NOT_SENT
    ]
    head = [(name.encode(), value.encode("latin-1")) for name, value in pseudo]
    try:
        connection.send_headers(1, [*head, *lines], end_stream=not content)
        return _Stream(opened, connection, content or b"", limits).run()
    except h2.exceptions.ProtocolError as error:
        raise BrokenExchangeError(f"the peer broke HTTP/2: {error}") from error
    except TimeoutError as error:
        raise BrokenExchangeError("no answer in time") from error
    except OSError as error:
        raise BrokenExchangeError(error.strerror or str(error)) from error


class _Stream:
    """The one stream of a connection."""

    def __init__(
        self, opened: Timed, connection: h2.connection.H2Connection, content: bytes, limits: Limits
    ) -> None:
        self.opened = opened
        self.connection = connection
        self.left = content
        self.limits = limits
        self.status = 0
        self.fields: tuple[tuple[str, str], ...] = ()
        self.pieces: list[bytes] = []
        self.size = 0
        self.complete = True
        self.ended = False

    def run(self) -> Received:
        self._flush()
        while not self.ended:
            octets = self.opened.recv(_STEP)
            if not octets:
                raise BrokenExchangeError("the connection was closed without an answer")
            for event in self.connection.receive_data(octets):
                self._take(event)
            self._flush()
        return Received(
            self.status, "", self.fields, b"".join(self.pieces), self.complete, "h2", reusable=False
        )

    def _flush(self) -> None:
        while self.left and not self.ended:
            window = min(
                self.connection.local_flow_control_window(1), self.connection.max_outbound_frame_size
            )
            if window <= 0:
                break
            piece, self.left = self.left[:window], self.left[window:]
            self.connection.send_data(1, piece, end_stream=not self.left)
        self.opened.sendall(self.connection.data_to_send())

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ResponseReceived):
            pairs = [(bytes(name), bytes(value)) for name, value in event.headers or ()]
            self.status = int(dict(pairs)[b":status"])
            self.fields = tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in pairs
                if not name.startswith(b":")
            )
        elif isinstance(event, h2.events.DataReceived):
            data = event.data or b""
            self.size += len(data)
            self.connection.acknowledge_received_data(event.flow_controlled_length or 0, 1)
            if self.size > self.limits.content:
                self.complete = False
                self.ended = True
            else:
                self.pieces.append(data)
        elif isinstance(event, h2.events.StreamEnded):
            self.ended = True
        elif isinstance(event, h2.events.StreamReset):
            raise BrokenExchangeError(f"the server reset the stream (error {event.error_code})")
        elif isinstance(event, h2.events.ConnectionTerminated):
            raise BrokenExchangeError(f"the server ended the connection (error {event.error_code})")
