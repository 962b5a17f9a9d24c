"""Send and receive HTTP octet by octet: the only sockets below the verbs.

h11 and h2 read and write the messages; fields keep their octets, order and case, which no client library
leaves alone. Nothing is followed, retried or decoded behind the caller's back.
"""

from __future__ import annotations

from ifmatch.wire.limits import Budget, Limits
from ifmatch.wire.policy import ConnectPolicy
from ifmatch.wire.sender import Sender
from ifmatch.wire.target import Origin, Route, origin_of

__all__ = ["Budget", "ConnectPolicy", "Limits", "Origin", "Route", "Sender", "origin_of"]
