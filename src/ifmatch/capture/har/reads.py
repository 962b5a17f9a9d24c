"""Choose among what a giant HAR shows of other resources: lists, reports, other addresses of a thing.

A diagnosis of a write looks at them too, under whatever name they have. No sign in one entry tells which
of them it needs, but two in the whole file do: what is asked for only a few times is no poll, and what is
asked for near a write may be for its sake.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import compress, count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

__all__ = ["LIMIT", "Variants", "came_back", "nearest", "seldom"]

# So many entries of other resources are read at most, those nearest to what is told first.
LIMIT: Final = 1_000
# A resource that is asked for oftener is polled: only what is near counts, and of that so many entries.
_FEW: Final = 16
_POLLS: Final = 64
# Entries on either side of a write that are near.
_NEAR: Final = 4


def nearest(
    placed: Sequence[int],
    resources: Sequence[int],
    bears: Sequence[int],
    told: Sequence[int],
    apart: Collection[int],
    *,
    limit: int = LIMIT,
) -> set[int]:
    """Return the entries of other resources that may bear on what is told.

    Args:
        placed: of each entry, the number of its place.
        resources: of each place.
        bears: of each entry, 0 where it tells nothing of a resource's story, else 1.
        told: numbers of the entries that are told of, in order.
        apart: resources of which all is read, or nothing.
        limit: how many entries at most.
    """
    if not told:
        return set()
    few = seldom(placed, resources, bears, apart)
    near = {other for number in told for other in range(number - _NEAR, number + _NEAR + 1)}
    found = {
        number
        for number in near
        if 0 <= number < len(placed) and bears[number] and resources[placed[number]] not in apart
    }
    found.update(number for number in compress(count(), map(few.__getitem__, placed)) if bears[number])
    chosen: set[int] = set()
    polled: Counter[int] = Counter()
    for _, number in sorted(_distances(found, told)):
        if len(chosen) >= limit:
            break
        resource = resources[placed[number]]
        polled[resource] += 1
        if polled[resource] <= _POLLS:
            chosen.add(number)
    return chosen


def seldom(
    placed: Sequence[int], resources: Sequence[int], bears: Sequence[int], apart: Collection[int]
) -> bytes:
    """Return of each place whether its resource is asked for a few times only: it is no poll.

    Args:
        placed: of each entry, the number of its place.
        resources: of each place.
        bears: of each entry, 0 where it tells nothing of a resource's story, else 1.
        apart: resources that do not count.
    """
    counts: Counter[int] = Counter()
    for place, times in Counter(compress(placed, bears)).items():
        counts[resources[place]] += times
    # Where nothing bears on a story, nothing is asked for: that keeps pictures and scripts out.
    return bytes(0 < counts[resource] <= _FEW and resource not in apart for resource in resources)


def _distances(numbers: Iterable[int], told: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield how many entries each is away from the nearest that is told of, and its number."""
    for number in numbers:
        at = bisect_left(told, number)
        after = told[at] - number if at < len(told) else None
        before = number - told[at - 1] if at else None
        yield min(distance for distance in (after, before) if distance is not None), number


class Variants:
    """Which resources showed different values.

    Attributes:
        several: those resources.
    """

    def __init__(self) -> None:
        self.several: set[int] = set()
        self._first: dict[int, int] = {}

    def add(self, resource: int, value: int) -> None:
        """Take what a resource showed; the same value again makes no difference.

        Args:
            resource: a hash.
            value: 0 for none.
        """
        if value and self._first.setdefault(resource, value) != value:
            self.several.add(resource)


def came_back(resources: Iterable[int], tags: Iterable[int]) -> Iterator[int]:
    """Yield the resources that had a tag, another one, and the first again: several nodes or forms answer.

    Args:
        resources: of each entry.
        tags: that each answer carries, 0 for none.
    """
    last: dict[int, tuple[int, int]] = {}
    for resource, tag in zip(resources, tags, strict=True):
        if not tag:
            continue
        before, current = last.get(resource, (0, tag))
        if tag == current:
            last[resource] = before, current
            continue
        if tag == before:
            yield resource
        last[resource] = current, tag
