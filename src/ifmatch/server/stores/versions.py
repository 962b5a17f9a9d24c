"""Make version names that are never used twice, and the dates that go with them.

A version that came back for another state would let a stale entity tag match: not after a deletion, not
after a restart, and not on another process may that happen (RFC 9110 section 8.8.1 on strong validators).
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime

__all__ = ["new_version", "now"]


def new_version() -> str:
    """Return 32 characters: the time in milliseconds, then 80 random bits, in hexadecimal digits.

    The time only helps a person who reads a log; what makes two names differ is the random part: with 10^9
    writes in one millisecond the chance that two share a name is below 10^-6.
    """
    return f"{time.time_ns() // 1_000_000:012x}{secrets.randbits(80):020x}"


def now() -> datetime:
    """Return the time in UTC, as the stores take it for Last-Modified (RFC 9110 section 8.8.2)."""
    return datetime.now(UTC)
