"""Hold wire data that does not follow its grammar, and say where it leaves it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Malformed"]


@dataclass(frozen=True, slots=True)
class Malformed:
    """Wire data that does not follow its grammar.

    Parsers return it in the place of a value: what came over the wire never raises.

    Attributes:
        text: the whole text that was read, octets beyond ASCII as latin-1 text.
        position: 0-based index in `text` of the first character that does not fit; `len(text)` when the
            text ends too early.
        reason: what is wrong there, one sentence without a full stop.

    Source: RFC 9110 section 2.4 (a recipient may take any reaction to invalid data that is safe).
    """

    text: str
    position: int
    reason: str
