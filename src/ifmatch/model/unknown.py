"""Keep what is unknown apart from what is absent.

A HAR without bodies is not a HAR with empty bodies: `None` says "there was none",
`UNKNOWN` says "the evidence does not tell".
"""

from __future__ import annotations

import enum
from typing import Final, Literal, TypeAlias


class Unknown(enum.Enum):
    """The type of `UNKNOWN`, so that a type checker can tell it from the known values."""

    UNKNOWN = "unknown"

    def __bool__(self) -> Literal[False]:
        """Refuse to count as a fact."""
        return False


UNKNOWN: Final = Unknown.UNKNOWN
UnknownType: TypeAlias = Literal[Unknown.UNKNOWN]
