"""Records that the program builds for itself; to make such a class takes a fiftieth of a data class's time.

A start loads a hundred of them, and a data class compiles the source of its methods at each start.
"""

from __future__ import annotations

import msgspec

__all__ = ["Frozen", "Slotted"]


class Slotted(msgspec.Struct):
    """A record as `dataclass(slots=True)` makes one.

    What its members are is not looked at: nothing is decoded into one, so types of them may be imported for
    the type checker alone.
    """


class Frozen(msgspec.Struct, frozen=True):
    """A record as `dataclass(frozen=True, slots=True)` makes one; else as `Slotted`."""
