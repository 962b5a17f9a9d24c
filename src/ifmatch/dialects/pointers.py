"""Look members of a JSON value up by JSON Pointer (RFC 6901), with `*` for any one step."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "end_of",
    "first_step",
    "names",
    "scalar",
    "tested_at",
    "tests_in",
    "values_at",
    "word_of",
]

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
    for name in _steps_of(pattern):
        found = [inner for one in found for inner in _down(one, name)][:_MOST]
    yield from found


@lru_cache(4096)
def _steps_of(pattern: str) -> tuple[str, ...]:
    """Return the steps of a pointer or pointer pattern, unescaped (RFC 6901 section 4).

    Args:
        pattern: a JSON Pointer; a step of `*` stands for every member or element.
    """
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pattern.split("/")[1:])


def first_step(pattern: str) -> str:
    """Return the first step of a pointer pattern, `*` of one that names the whole.

    Args:
        pattern: as above.
    """
    return next(iter(_steps_of(pattern)), "*")


def end_of(pointer: str) -> str:
    """Return the last step of a pointer as it is written: what a member is called in its object.

    Args:
        pointer: a JSON Pointer, or the name of a member alone.
    """
    return pointer.rpartition("/")[2]


def word_of(pointer: str) -> str:
    """Return the last step of a pointer that is no place in an array, "" when there is none.

    Args:
        pointer: a JSON Pointer, or the name of a member alone.
    """
    return next((part for part in reversed(pointer.split("/")) if part and not part.isdigit()), "")


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


def names(path: str, pattern: str) -> bool:
    """Tell whether a pointer is one of those that a pointer pattern stands for.

    Args:
        path: a JSON Pointer.
        pattern: as above, with `*` for any one step.
    """
    steps, wanted = path.split("/"), pattern.split("/")
    return len(steps) == len(wanted) and all(
        two in {"*", one} for one, two in zip(steps, wanted, strict=True)
    )


def tests_in(value: object) -> Iterator[tuple[str, object]]:
    """Yield path and value of the tests of a JSON Patch, which may stand in a member of an object.

    Args:
        value: a JSON value.

    Source: RFC 6902 section 4.6.
    """
    if isinstance(value, dict):
        for member in cast("dict[str, object]", value).values():
            if isinstance(member, list):
                yield from tests_in(cast("list[object]", member))
        return
    for one in cast("list[object]", value)[:_MOST] if isinstance(value, list) else ():
        if not isinstance(one, dict):
            continue
        operation = cast("dict[str, object]", one)
        path = operation.get("path")
        if operation.get("op") == "test" and isinstance(path, str) and "value" in operation:
            yield path, operation["value"]


def tested_at(tests: Iterable[tuple[str, object]], pattern: str) -> str | None:
    """Return the scalar that a JSON Patch tests a member for, as text; None when it tests no such member.

    Args:
        tests: path and value of each.
        pattern: a JSON Pointer pattern of the member.
    """
    return next(
        (text for path, one in tests if names(path, pattern) and (text := scalar(one)) is not None),
        None,
    )


def scalar(value: object) -> str | None:
    """Return a scalar as the text that stands on the wire; None for objects, arrays and null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    return None
