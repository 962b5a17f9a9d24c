"""Where the resources of a giant HAR stand among each other: each place is kept once, under a number.

A session asks for the same things over and over: what is said of a place is found out once for all of them.
"""

from __future__ import annotations

from array import array
from typing import Final

__all__ = ["Places"]

# So many places are looked up again. One that was forgotten gets another number, which only costs memory.
_REMEMBERED: Final = 65_536


class Places:
    """The places of resources; a resource and a name are hashes.

    Attributes:
        resources: of each place: the URL without the query.
        parents: of each place: the resource that contains it.
        leaves: of each place: its name within that.
    """

    def __init__(self) -> None:
        self.resources = array("q")
        self.parents = array("q")
        self.leaves = array("q")
        self._numbers: dict[tuple[int, int, int], int] = {}

    def number(self, place: tuple[int, int, int]) -> int:
        """Return the number of a place.

        Args:
            place: resource, what contains it, and its name within that.
        """
        number = self._numbers.get(place)
        if number is None:
            if len(self._numbers) >= _REMEMBERED:
                self._numbers.clear()
            number = self._numbers[place] = len(self.resources)
            for column, value in zip((self.resources, self.parents, self.leaves), place, strict=True):
                column.append(value)
        return number
