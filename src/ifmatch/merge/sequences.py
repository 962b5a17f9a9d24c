"""Align sequences and cut three of them into stable and changed stretches (diff3)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

__all__ = ["Stretch", "align", "three_way_stretches"]

# Cells of the table of the exact method; beyond it elements that occur once on both sides are the anchors.
_TABLE = 400_000


def align(first: Sequence[Hashable], second: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return pairs of positions of equal elements, increasing on both sides.

    A longest common subsequence where the differing part is small (its lengths multiplied are at most 400,000
    after the common ends are cut), else one through the elements that occur exactly once on both sides.

    Args:
        first: elements of one side.
        second: elements of the other.
    """
    pairs: list[tuple[int, int]] = []
    work = [(0, len(first), 0, len(second))]
    while work:
        low, high, start, end = work.pop()
        while low < high and start < end and first[low] == second[start]:
            pairs.append((low, start))
            low, start = low + 1, start + 1
        while low < high and start < end and first[high - 1] == second[end - 1]:
            high, end = high - 1, end - 1
            pairs.append((high, end))
        if low == high or start == end:
            continue
        if (high - low) * (end - start) <= _TABLE:
            pairs.extend(
                (low + one, start + other) for one, other in _longest(first[low:high], second[start:end])
            )
            continue
        anchors = _anchors(first, second, (low, high, start, end))
        before = (low, start)
        for one, other in [*anchors, (high, end)]:
            if anchors:
                work.append((before[0], one, before[1], other))
            before = (one + 1, other + 1)
        pairs.extend(anchors)
    pairs.sort()
    return pairs


def _longest(first: Sequence[Hashable], second: Sequence[Hashable]) -> Iterator[tuple[int, int]]:
    """Walk a longest common subsequence, by the table of lengths."""
    width = len(second) + 1
    table = [[0] * width]
    for element in reversed(first):
        below = table[-1]
        row = [0] * width
        for column in range(width - 2, -1, -1):
            if element == second[column]:
                row[column] = below[column + 1] + 1
            else:
                row[column] = max(below[column], row[column + 1])
        table.append(row)
    table.reverse()
    one = other = 0
    while one < len(first) and other < len(second):
        if first[one] == second[other]:
            yield one, other
            one, other = one + 1, other + 1
        elif table[one + 1][other] >= table[one][other + 1]:
            one += 1
        else:
            other += 1


def _anchors(
    first: Sequence[Hashable], second: Sequence[Hashable], window: tuple[int, int, int, int]
) -> list[tuple[int, int]]:
    """Return the longest increasing run of elements that are unique on both sides of a window."""
    low, high, start, end = window
    places: dict[Hashable, list[int]] = {}
    for position in range(low, high):
        places.setdefault(first[position], [0, 0, 0, 0])[0] += 1
        places[first[position]][1] = position
    for position in range(start, end):
        found = places.get(second[position])
        if found is not None:
            found[2] += 1
            found[3] = position
    unique = sorted((found[1], found[3]) for found in places.values() if found[0] == found[2] == 1)
    tails: list[int] = []
    piles: list[int] = []
    previous: list[int] = []
    for number, (_, other) in enumerate(unique):
        pile = bisect_left(tails, other)
        previous.append(piles[pile - 1] if pile else -1)
        if pile == len(tails):
            tails.append(other)
            piles.append(number)
        else:
            tails[pile] = other
            piles[pile] = number
    chain: list[tuple[int, int]] = []
    number = piles[-1] if piles else -1
    while number >= 0:
        chain.append(unique[number])
        number = previous[number]
    chain.reverse()
    return chain


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of three sequences that belong together.

    Attributes:
        stable: True when all three are equal here.
        base: half-open range of positions in the base.
        mine: the same of this side.
        theirs: the same of the other side.
    """

    stable: bool
    base: tuple[int, int]
    mine: tuple[int, int]
    theirs: tuple[int, int]


def three_way_stretches(
    base: Sequence[Hashable], mine: Sequence[Hashable], theirs: Sequence[Hashable]
) -> list[Stretch]:
    """Cut three sequences at the elements that both sides kept.

    Args:
        base: the common ancestor.
        mine: one descendant.
        theirs: the other.

    Returns:
        Stable and changed stretches in order; together they cover all three sequences.
    """
    kept_by_mine = dict(align(base, mine))
    kept_by_theirs = dict(align(base, theirs))
    stretches: list[Stretch] = []
    last = (0, 0, 0)
    run: list[int] | None = None
    for position in range(len(base)):
        one, other = kept_by_mine.get(position), kept_by_theirs.get(position)
        if one is None or other is None:
            continue
        if (position, one, other) != last or run is None:
            if run is not None:
                stretches.append(_stable(run, last))
                run = None
            if (position, one, other) != last:
                stretches.append(Stretch(False, (last[0], position), (last[1], one), (last[2], other)))
            run = [position, one, other]
        last = (position + 1, one + 1, other + 1)
    if run is not None:
        stretches.append(_stable(run, last))
    ends = (len(base), len(mine), len(theirs))
    if last != ends:
        stretches.append(Stretch(False, (last[0], ends[0]), (last[1], ends[1]), (last[2], ends[2])))
    return stretches


def _stable(run: list[int], end: tuple[int, int, int]) -> Stretch:
    return Stretch(True, (run[0], end[0]), (run[1], end[1]), (run[2], end[2]))
