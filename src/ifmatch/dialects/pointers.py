"""Look members of a JSON value up by JSON Pointer (RFC 6901), with `*` for any one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["scalar", "values_at"]

_MOST = 200


def values_at(value: object, pattern: str) -> Iterator[object]:
    """Yield the values that a pointer pattern names, in document order.

    Args:
        value: a JSON value.
        pattern: a JSON Pointer; a step of `*` stands for every member or element.
    """
    if not isinstance(value, dict | list):
        return
    found: list[object] = [value]
    for step in pattern.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = [inner for one in found for inner in _down(one, name)][:_MOST]
    yield from found


def _down(value: object, name: str) -> Iterator[object]:
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        if name == "*":
            yield from members.values()
        elif name in members:
            yield members[name]
    elif isinstance(value, list):
        elements = cast("list[object]", value)
        if name == "*":
            yield from elements
        elif name.isdigit() and int(name) < len(elements):
            yield elements[int(name)]


def scalar(value: object) -> str | None:
    """Return a scalar as the text that stands on the wire; None for objects, arrays and null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    return None
