"""Bound an exchange as a whole: a peer that drips octets never lets the timeout of a socket run out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

__all__ = ["Timed"]


class Timed:
    """What an exchange needs of a socket, with one deadline for all of it.

    Args:
        opened: the socket.
        deadline: by the clock.
        clock: seconds, monotonic.
    """

    def __init__(self, opened: socket.socket, deadline: float, clock: Callable[[], float]) -> None:
        self._opened = opened
        self._deadline = deadline
        self._clock = clock

    def recv(self, size: int) -> bytes:
        """Receive at most so many octets.

        Raises:
            TimeoutError: the deadline is over.
        """
        self._bound()
        return self._opened.recv(size)

    def sendall(self, octets: bytes) -> None:
        """Send octets; the timeout of a socket is for the whole of it.

        Raises:
            TimeoutError: the deadline is over.
        """
        self._bound()
        self._opened.sendall(octets)

    def _bound(self) -> None:
        left = self._deadline - self._clock()
        if left <= 0:
            raise TimeoutError
        self._opened.settimeout(left)
