"""Hold what a merge gives: a combined document, or the conflicts as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ifmatch.errors import IfmatchError
from ifmatch.merge.json_text import write_json

if TYPE_CHECKING:
    from ifmatch.merge.json_text import JsonValue

__all__ = ["MISSING", "Conflict", "MergeConflictError", "Merged", "Missing"]


class _Marker(Enum):
    MISSING = "missing"

    def __bool__(self) -> Literal[False]:
        return False


Missing: TypeAlias = Literal[_Marker.MISSING]
MISSING: Final = _Marker.MISSING
"""Stands where a document has no such member; null is a value and no absence."""


# Names of members whose values belong into no message, and lines of a text that look like them.
_SECRET: Final = re.compile(
    r"passw|secret|credential|token|authorization|\bauth\b|(?:api|access|private)[-_ ]?key", re.IGNORECASE
)
_HIDDEN: Final = "(hidden)"


def _shown(value: JsonValue, *, lines: bool) -> JsonValue:
    """Return a value as messages may show it."""
    if isinstance(value, dict):
        return {
            name: _HIDDEN if _SECRET.search(name) else _shown(member, lines=lines)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_shown(element, lines=lines) for element in value]
    return _HIDDEN if lines and isinstance(value, str) and _SECRET.search(value) else value


@dataclass(frozen=True, slots=True)
class Conflict:
    """One place that both sides changed, differently.

    As text it hides what a member named like a credential holds.

    Attributes:
        pointer: JSON Pointer of the place; of the array, for a stretch of an array without a key.
        kind: `changed-both`, `added-both`, `removed-changed`, `stretch` (part of an array), `order`, or
            `lines` (part of a text).
        base: value before, MISSING when there was none; for a stretch the list of its elements.
        mine: value of this side, as above.
        theirs: value of the other side, as above.
        index: where the stretch begins in the base array, or the lines in the base text, 0-based; None for
            other kinds.
    """

    pointer: str
    kind: str
    base: JsonValue | Missing
    mine: JsonValue | Missing
    theirs: JsonValue | Missing
    index: int | None = None

    def __str__(self) -> str:
        hidden, lines = _SECRET.search(self.pointer) is not None, self.kind == "lines"
        shown = (
            "nothing" if value is MISSING else _HIDDEN if hidden else write_json(_shown(value, lines=lines))
            for value in (self.base, self.mine, self.theirs)
        )
        base, mine, theirs = (text if len(text) <= 60 else text[:57] + "..." for text in shown)
        place = self.pointer or "(the whole document)"
        if self.kind == "lines" and self.index is not None:
            place = f"line {self.index + 1}"
        return f"{place}: base {base}, mine {mine}, theirs {theirs}"


class MergeConflictError(IfmatchError):
    """Say that two sides cannot be combined without a decision.

    Args:
        conflicts: all of them, in the order of the document.
    """

    def __init__(self, conflicts: tuple[Conflict, ...]) -> None:
        super().__init__(conflicts)
        self.conflicts = conflicts

    def __str__(self) -> str:
        count = len(self.conflicts)
        lines = "".join(f"\n  {conflict}" for conflict in self.conflicts)
        return f"{count} conflict{'s' * (count != 1)}: decide each, or give a policy for its pointer{lines}"


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of a merge.

    Attributes:
        draft: the combined document; at the place of an open conflict it holds the other side's value.
        conflicts: what is open.
        resolved: what a policy decided.
    """

    draft: JsonValue | Missing
    conflicts: tuple[Conflict, ...] = ()
    resolved: tuple[Conflict, ...] = ()

    @property
    def value(self) -> JsonValue:
        """Return the combined document.

        Raises:
            MergeConflictError: a conflict is open, or the outcome is that the document is removed.
        """
        if self.conflicts or self.draft is MISSING:
            raise MergeConflictError(self.conflicts)
        return self.draft
