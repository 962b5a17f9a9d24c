"""Take what callers give: functions, patches and documents in the types they have anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from ifmatch.merge import JsonValue, write_json
from ifmatch.update import Edit, JsonPatch, MergePatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.update import Change, Delete, Nothing

__all__ = ["ChangeLike", "as_change", "as_octets"]

D = TypeVar("D")
Function: TypeAlias = "Callable[[D], D | Delete | Nothing]"
"""A function of the document; of which type that is, the caller knows."""
Patch: TypeAlias = "Mapping[str, JsonValue] | Sequence[Mapping[str, JsonValue]]"
"""A JSON Merge Patch (an object), or a JSON Patch (a list of operations)."""
ChangeLike: TypeAlias = "Change | Function[D] | Patch"
"""A change; or a function of the document (Edit), an object (MergePatch), a list (JsonPatch)."""


def as_change(change: ChangeLike[D]) -> Change:
    """Return a change for what a caller gave.

    Raises:
        TypeError: it is none.
    """
    if hasattr(change, "propose"):
        return cast("Change", change)
    if callable(change):
        return Edit(change)
    given = cast("object", change)
    if isinstance(given, Mapping):
        return MergePatch(dict(cast("Mapping[str, JsonValue]", given)))
    if isinstance(given, Sequence) and not isinstance(given, (str, bytes, bytearray)):
        return JsonPatch(cast("Sequence[Mapping[str, JsonValue]]", given))
    raise TypeError(
        f"{type(change).__name__} is no change: give a function of the document, a merge patch (dict), a JSON"
        " patch (list of operations), or MergeDocument, MergeText, EditOctets or Replace of ifmatch.update"
    )


def as_octets(document: JsonValue | bytes, media_type: str) -> bytes:
    """Return content: octets as they are, text of another type than JSON as UTF-8, everything else as JSON.

    Args:
        document: what is to be written.
        media_type: of it.
    """
    if isinstance(document, (bytes, bytearray, memoryview)):
        return bytes(document)
    if isinstance(document, str) and "json" not in media_type.lower():
        return document.encode()
    return write_json(document).encode()
