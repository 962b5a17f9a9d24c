"""Find what of one capture may be the same request as an exchange of another, without a look at all of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.case.sightings import score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.case.sightings import Seen

# More than sums of seconds since the epoch are rounded by.
_ROUNDING: Final = 1e-3


class Partners:
    """The exchanges of one capture by what tells them, each list in order of time.

    Args:
        seen: the exchanges.
    """

    def __init__(self, seen: Sequence[Seen]) -> None:
        self.seen = seen
        self._longest = max((one.end - one.start for one in seen), default=0.0)
        self._numbers: dict[str | bytes, list[int]] = {}
        for number in sorted(range(len(seen)), key=lambda number: seen[number].start):
            one = seen[number]
            keys: list[str | bytes] = [one.tail, *one.marks]
            if one.body:
                keys.append(one.body)
            for key in keys:
                self._numbers.setdefault(key, []).append(number)
        self._starts = {
            key: [seen[number].start for number in numbers] for key, numbers in self._numbers.items()
        }
        self._scores: dict[tuple[int, int], int] = {}

    def near(self, other: Seen, at: float, slack: float) -> set[int]:
        """Return the numbers of those that share a name, a content or a mark and were in flight at a time.

        Args:
            other: an exchange of another capture.
            at: when it began, by the clock of this one.
            slack: seconds by which the times may be wrong.
        """
        found = set[int]()
        keys: set[str | bytes] = {other.tail, other.body or b"", *other.marks}
        for key in keys:
            numbers = self._numbers.get(key)
            if numbers is None:
                continue
            starts = self._starts[key]
            begin = bisect_left(starts, at - slack - self._longest - _ROUNDING)
            for number in numbers[begin : bisect_right(starts, at + slack + _ROUNDING, begin)]:
                one = self.seen[number]
                if one.start - slack <= at <= one.end + slack:
                    found.add(number)
        return found

    def score(self, number: int, other: Seen, place: int) -> int:
        """Return how well one of them and an exchange of the other capture can be one request.

        Args:
            number: of the one.
            other: of the other capture.
            place: its number there.
        """
        points = self._scores.get((number, place))
        if points is None:
            points = self._scores[number, place] = score(self.seen[number], other)
        return points
