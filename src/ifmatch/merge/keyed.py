"""Tell the elements of an array apart by a key, and settle their order after both sides changed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ifmatch.merge.json_text import write_json
from ifmatch.merge.policy import VALUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.merge.identity import Identities
    from ifmatch.merge.json_text import JsonValue
    from ifmatch.merge.policy import ArrayKey

__all__ = ["Element", "Keyed", "key_elements", "merged_order"]


@dataclass(frozen=True, slots=True)
class Element:
    """An element of an array with a key.

    Attributes:
        label: the key's value as text, for pointers of conflicts.
        value: the whole element.
    """

    label: str
    value: JsonValue


Keyed: TypeAlias = dict[int, Element]
"""Identity of the key's value to the element, in the order of the array."""


def _key_of(element: JsonValue, key: ArrayKey) -> JsonValue | None:
    if key == VALUE:
        return element
    if not isinstance(element, dict):
        return None
    if isinstance(key, str):
        return element.get(key)
    parts = [element.get(name) for name in key]
    return None if any(part is None for part in parts) else parts


def key_elements(array: Sequence[JsonValue], key: ArrayKey, identities: Identities) -> Keyed | None:
    """Index an array by key; None when an element has none or two have the same.

    Args:
        array: elements of one side.
        key: name of the member, several, or VALUE.
        identities: of this merge.
    """
    found: Keyed = {}
    for element in array:
        value = _key_of(element, key)
        if value is None:
            return None
        number = identities.of(value)
        if number in found:
            return None
        found[number] = Element(value if isinstance(value, str) else write_json(value), element)
    return found


def merged_order(
    base: Sequence[int], mine: Sequence[int], theirs: Sequence[int], *, extra: Sequence[int] = ()
) -> tuple[list[int], bool]:
    """Combine the orders of both sides.

    The skeleton is the side that moved elements; the other side's new elements are put behind the element
    they stand behind there.

    Args:
        base: keys before.
        mine: keys of this side.
        theirs: keys of the other.
        extra: further keys, put in as those of the other side.

    Returns:
        The order, and whether both sides moved elements in contradicting ways (then it is their order).
    """
    common = set(base) & set(mine) & set(theirs)
    kept = [[number for number in side if number in common] for side in (base, mine, theirs)]
    i_moved, they_moved = kept[1] != kept[0], kept[2] != kept[0]
    contradiction = i_moved and they_moved and kept[1] != kept[2]
    first, second = (mine, theirs) if i_moved and not they_moved else (theirs, mine)
    order = list(first)
    for side in (second, extra):
        _insert_new(order, side)
    return order, contradiction


def _insert_new(order: list[int], side: Sequence[int]) -> None:
    """Put the keys that an order lacks behind their predecessors."""
    present = set(order)
    following: dict[int | None, list[int]] = {}
    anchor: int | None = None
    for number in side:
        if number in present:
            anchor = number
        else:
            following.setdefault(anchor, []).append(number)
    if not following:
        return
    originals = set(order)
    grown: list[int] = list(following.get(None, []))
    waiting: list[int] = []
    for number in order:
        # What the skeleton itself has new behind the anchor comes first.
        if waiting and number in set(side):
            grown.extend(waiting)
            waiting = []
        grown.append(number)
        if number in following and number in originals:
            waiting = [*waiting, *following[number]]
    grown.extend(waiting)
    order[:] = grown
