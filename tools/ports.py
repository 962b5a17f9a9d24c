"""Find ports for the servers that recordings and tests start."""

from __future__ import annotations

import secrets
import socket
from typing import Final

__all__ = ["free_port"]

# Outgoing connections take theirs from 32768 up (net.ipv4.ip_local_port_range): a port from there can be gone
# again before the server that it is meant for has started.
_RANGE: Final = range(10_240, 32_768)


def free_port() -> int:
    """Return a loopback port that nobody listens on, and that no outgoing connection will take.

    Drawn from the system's randomness: tests that seed `random` alike, side by side, must not draw alike.

    Raises:
        RuntimeError: no port was free in a thousand tries.
    """
    for _ in range(1000):
        port = secrets.choice(_RANGE)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no loopback port is free")
