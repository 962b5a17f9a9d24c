"""Apply the two patch formats to a stored JSON document.

Source: RFC 7396 (merge patch), RFC 6902 (JSON patch), RFC 5789 section 2.2 (error statuses).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from ifmatch.errors import InputError
from ifmatch.merge import PatchError, apply_json_patch, apply_merge_patch, parse_json, write_json
from ifmatch.server.loop import Declined
from ifmatch.server.stores.protocol import Content, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ifmatch.merge import JsonValue

__all__ = ["MEDIA_TYPES", "change"]

MERGE_PATCH: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
MEDIA_TYPES: Final = (MERGE_PATCH, JSON_PATCH)


def change(kind: str, octets: bytes) -> Declined | Callable[[Snapshot | None], Content | Declined]:
    """Return the function that patches a state, or why the patch itself is no good.

    Args:
        kind: one of `MEDIA_TYPES`.
        octets: the patch.
    """
    try:
        patch = parse_json(octets, source="the patch")
    except InputError as error:
        return Declined(400, f"The patch is not JSON: {error}")
    if kind == JSON_PATCH:
        if not isinstance(patch, list) or not all(isinstance(one, dict) for one in patch):
            return Declined(400, "A JSON patch is an array of operations, each an object.")
        operations = cast("list[Mapping[str, JsonValue]]", patch)
        return lambda snapshot: _patched(snapshot, lambda document: apply_json_patch(document, operations))
    return lambda snapshot: _patched(snapshot, lambda document: apply_merge_patch(document, patch))


def _patched(snapshot: Snapshot | None, apply: Callable[[JsonValue], JsonValue]) -> Content | Declined:
    if snapshot is None:
        return Declined(404, "There is nothing here. PUT creates it.")
    try:
        document = parse_json(snapshot.content.octets, source="the resource")
    except InputError:
        return Declined(409, "The resource holds no JSON document, so this patch cannot be applied. PUT one.")
    try:
        patched = apply(document)
    except PatchError as error:
        # Without a precondition a state that does not fit is a conflict, not a failed precondition.
        return Declined(409, str(error))
    octets = (write_json(patched, indent=1) + "\n").encode("utf-8", "surrogatepass")
    return Content(octets, snapshot.content.media_type, snapshot.content.fields)
