"""Exchange one request over HTTP/1.1, octets of fields untouched (RFC 9112)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import h11

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.wire.limits import Limits
    from ifmatch.wire.timed import Timed

__all__ = ["BrokenExchangeError", "Received", "exchange_http1"]

_STEP = 65536
# How h11 says that the peer went away.
_CLOSED = ("closed connection", "ConnectionClosed")


class BrokenExchangeError(Exception):
    """Say that no whole response came.

    Args:
        reason: what was seen, in words.
        sent: False when surely no octet of the request left.
    """

    def __init__(self, reason: str, *, sent: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Received:
    """A response as it came.

    Attributes:
        status: its code.
        reason: its phrase, "" in HTTP/2.
        fields: header lines with their octets as latin-1, names as sent.
        content: octets, the transfer coding taken off.
        complete: False when it was cut by a limit.
        version: `HTTP/1.1`, `HTTP/1.0` or `h2`.
        reusable: whether the connection may carry another request.
    """

    status: int
    reason: str
    fields: tuple[tuple[str, str], ...]
    content: bytes
    complete: bool
    version: str
    reusable: bool


def exchange_http1(
    opened: Timed,
    start: tuple[str, str],
    fields: Sequence[tuple[str, str]],
    content: bytes | None,
    limits: Limits,
) -> Received:
    """Send one request and read its response.

    Args:
        opened: a connection that carries nothing else at the moment; its timeout is set.
        start: method and request target as they go on the wire.
        fields: header lines, Host included; octets beyond ASCII as latin-1.
        content: octets, None for none.
        limits: sizes.

    Raises:
        BrokenExchangeError: no whole response came.
    """
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=limits.head)
    lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    if content is not None and not any(name.lower() == b"content-length" for name, _ in lines):
        lines.append((b"Content-Length", str(len(content)).encode()))
    try:
        head = connection.send(h11.Request(method=start[0], target=start[1].encode("latin-1"), headers=lines))
        octets = head or b""
        if content:
            octets += connection.send(h11.Data(data=content)) or b""
        octets += connection.send(h11.EndOfMessage()) or b""
    except h11.LocalProtocolError as error:
        raise BrokenExchangeError(f"the request cannot be sent: {error}", sent=False) from error
    early: str = ""
    try:
        opened.sendall(octets)
    except TimeoutError as error:
        raise BrokenExchangeError("no time was left to send the request") from error
    except OSError as error:
        # A server may answer and close before it has read the content; its answer still counts.
        early = error.strerror or str(error)
    return _response(opened, connection, limits, early)


def _response(opened: Timed, connection: h11.Connection, limits: Limits, early: str) -> Received:
    head: h11.Response | None = None
    pieces: list[bytes] = []
    size = 0
    complete = True
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(opened.recv(_STEP))
            elif isinstance(event, h11.Response):
                head = event
                if sum(len(name) + len(value) for name, value in head.headers) > limits.head:
                    raise BrokenExchangeError(f"the head is too long: more than {limits.head} octets")
            elif isinstance(event, h11.Data):
                size += len(event.data)
                if size > limits.content:
                    complete = False
                    break
                pieces.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                break
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                raise BrokenExchangeError("the connection was closed without an answer")
    except TimeoutError as error:
        raise BrokenExchangeError(_after(head, "no answer in time")) from error
    except OSError as error:
        raise BrokenExchangeError(_after(head, early or error.strerror or str(error))) from error
    except h11.RemoteProtocolError as error:
        closed = head is None and any(sign in str(error) for sign in _CLOSED)
        what = "the connection was closed without an answer" if closed else f"no HTTP: {error}"
        raise BrokenExchangeError(_after(head, early or what)) from error
    if head is None:
        raise BrokenExchangeError("the connection was closed without an answer")
    return Received(
        status=head.status_code,
        reason=bytes(head.reason).decode("latin-1"),
        fields=tuple(
            (bytes(name).decode("latin-1"), bytes(value).decode("latin-1"))
            for name, value in head.headers.raw_items()
        ),
        content=b"".join(pieces),
        complete=complete,
        version=f"HTTP/{bytes(head.http_version).decode('ascii')}",
        reusable=complete and connection.our_state is h11.DONE and connection.their_state is h11.DONE,
    )


def _after(head: h11.Response | None, reason: str) -> str:
    return reason if head is None else f"cut behind the head of a {head.status_code}: {reason}"
