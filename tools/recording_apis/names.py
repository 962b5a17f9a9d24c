"""Let client programs in this process reach the stories' host names on loopback ports."""

from __future__ import annotations

import socket
import threading

_LOCK = threading.Lock()
_ROUTES: dict[str, int] = {}
_SYSTEM_LOOKUP = socket.getaddrinfo


def route(host: str, port: int) -> None:
    """Send connections to ``host`` to a loopback port from now on; open connections stay where they are."""
    with _LOCK:
        _ROUTES[host] = port
        socket.getaddrinfo = _lookup  # type: ignore[assignment]


def _lookup(host: object, *rest: object, **named: object) -> object:
    name = host.decode("ascii") if isinstance(host, bytes) else host
    with _LOCK:
        port = _ROUTES.get(name) if isinstance(name, str) else None
    if port is None:
        return _SYSTEM_LOOKUP(host, *rest, **named)  # type: ignore[arg-type]
    return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]
