"""Give equal JSON values equal numbers, so that comparing whole subtrees is comparing two integers.

`1`, `1.0` and `true` are three values: a program that stores one of them may not take another one back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.merge.conflict import MISSING
from ifmatch.merge.json_text import SpelledFloat

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ifmatch.merge.conflict import Missing
    from ifmatch.merge.json_text import JsonValue

__all__ = ["Identities"]


class Identities:
    """Number the distinct values of some documents; the documents must not change meanwhile."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._of_container: dict[int, int] = {}
        # An id is only good while its object lives.
        self._kept: list[JsonValue] = []

    def _number(self, key: Hashable) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def of(self, value: JsonValue | Missing) -> int:
        """Return the number of a value: the same for equal values, another for all others.

        Raises:
            TypeError: something inside is no JSON value.
            ValueError: a container holds itself.
        """
        if value is MISSING:
            return -1
        if not isinstance(value, (list, dict)):
            return self._number(_scalar_key(value))
        known = self._of_container.get(id(value))
        if known is None:
            self._visit(value)
            known = self._of_container[id(value)]
        return known

    def _visit(self, root: list[JsonValue] | dict[str, JsonValue]) -> None:
        self._kept.append(root)
        inside: set[int] = set()
        stack: list[tuple[list[JsonValue] | dict[str, JsonValue], bool]] = [(root, False)]
        while stack:
            item, children_done = stack.pop()
            if children_done:
                inside.discard(id(item))
                self._of_container[id(item)] = self._number(self._container_key(item))
                continue
            if id(item) in self._of_container:
                continue
            if id(item) in inside:
                raise ValueError("a container holds itself: JSON has no such value")
            inside.add(id(item))
            stack.append((item, True))
            children = item.values() if isinstance(item, dict) else item
            for child in children:
                if isinstance(child, (list, dict)):
                    if id(child) in inside:
                        raise ValueError("a container holds itself: JSON has no such value")
                    stack.append((child, False))

    def _container_key(self, item: list[JsonValue] | dict[str, JsonValue]) -> Hashable:
        if isinstance(item, dict):
            return ("object", frozenset((name, self._child(child)) for name, child in item.items()))
        return ("array", tuple(self._child(child) for child in item))

    def _child(self, child: JsonValue) -> int:
        if isinstance(child, (list, dict)):
            return self._of_container[id(child)]
        return self._number(_scalar_key(child))


def _scalar_key(value: bool | float | str | None) -> Hashable:
    if value is None or isinstance(value, (bool, str)):
        return (type(value).__name__, value)
    if isinstance(value, int):
        return ("int", int(value))
    if isinstance(value, float):  # pyright: ignore[reportUnnecessaryIsInstance]
        return ("float", *_decimal_key(value.spelling if isinstance(value, SpelledFloat) else repr(value)))
    raise TypeError(
        f"{type(value).__name__} is no JSON value: use dict, list, str, int, float, bool and None"
    )


def _decimal_key(spelling: str) -> tuple[str, int]:
    """Return significant digits with sign, and the exponent: 1.0 and 1.00 are one value."""
    mantissa, _, exponent = spelling.lower().partition("e")
    if len(exponent) > 18:
        return spelling, 0
    whole, _, fraction = mantissa.partition(".")
    sign = "-" if whole.startswith("-") else ""
    digits = (whole.lstrip("-") + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return sign + "0", 0
    return sign + significant, int(exponent or "0") - len(fraction) + len(digits) - len(significant)
