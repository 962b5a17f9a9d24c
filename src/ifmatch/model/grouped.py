"""Put things that have something in common together, in the order in which they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

__all__ = ["grouped"]

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


def grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """Return the things of each key, keys and things in the order of the pairs.

    Args:
        pairs: of a key and a thing.
    """
    found: dict[K, list[V]] = {}
    for key, one in pairs:
        found.setdefault(key, []).append(one)
    return found
