"""Compare what first findings said of recordings that nobody had looked at with what was right.

Likelihoods are logistic in the score of the best cause: with a single candidate, the logit of what is said
is its score less that of "none of these". Moving that one number moves all of them, so it is chosen here, by
recordings of other people, and not by those that rules were made with.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING

from benchmarks.bench_diagnosis import HIGH, share, upper_bound
from benchmarks.first_look import Said, said

if TYPE_CHECKING:
    from collections.abc import Iterable

BINS = (0.0, 0.5, 0.75, 0.85, 0.92, 0.96, 0.98, 0.99, 1.0)
SHIFTS = (0.0, -0.5, -1.0, -1.5, -2.0)
LEAST = 1e-4


def moved(likelihood: float, shift: float) -> float:
    """What would have been said with the score of "none of these" higher by so much."""
    inside = min(max(likelihood, LEAST), 1 - LEAST)
    return 1 / (1 + math.exp(-(math.log(inside / (1 - inside)) + shift)))


def loss(rows: list[Said], shift: float) -> float:
    """The mean log loss of the first findings; silence says nothing."""
    told = [(moved(one.likelihood, shift), one.right) for one in rows if one.likelihood > 0]
    return sum(-math.log(value if right else 1 - value) for value, right in told) / len(told)


def shift_table(rows: list[Said]) -> Iterable[str]:
    yield "| added to the score of none | log loss | view | right ones at high | wrong at high | 95 % bound |"
    yield "|---|---|---|---|---|---|"
    for shift in SHIFTS:
        for view in ("client", "all"):
            seen = [one for one in rows if one.view == view]
            told = [one for one in seen if one.likelihood > 0]
            high = [one for one in told if moved(one.likelihood, shift) >= HIGH]
            right = sum(one.right for one in told)
            wrong = sum(not one.right for one in high)
            cells = (
                f"{abs(shift):.1f}",
                f"{loss(rows, shift):.4f}",
                view,
                share(sum(one.right for one in high), right),
                share(wrong, len(seen)),
                f"{upper_bound(wrong, len(seen)):.1%}",
            )
            yield f"| {' | '.join(cells)} |"


def truth_table(rows: list[Said]) -> Iterable[str]:
    yield "| likelihood said | findings | mean said | right |"
    yield "|---|---|---|---|"
    for low, high in itertools.pairwise(BINS):
        some = [one for one in rows if low < one.likelihood <= high]
        if some:
            mean = sum(one.likelihood for one in some) / len(some)
            right = sum(one.right for one in some) / len(some)
            yield f"| {low:.2f} to {high:.2f} | {len(some)} | {mean:.2f} | {right:.2f} |"


def wrong_table(rows: list[Said]) -> Iterable[str]:
    sure = [one for one in rows if one.likelihood >= HIGH]
    count = Counter(one.found for one in sure)
    wrong = Counter(one.found for one in sure if not one.right)
    yield "| first finding at high | times | wrong |"
    yield "|---|---|---|"
    for cause, times in wrong.most_common(10):
        yield f"| {cause} | {count[cause]} | {times} |"


def main() -> None:
    rows = said()
    parts = list(dict.fromkeys(one.part for one in rows))
    print("# Calibration: are likelihoods true of other people's recordings?\n")
    print("What the first finding said at the first look at each part (`benchmarks/first_looks.csv`, added")
    print("by `python -m benchmarks.first_look`), against the label. The rules of the time are not those of")
    print("today; the parts come in order of time, and the last ones say most. The shift that costs least is")
    print("added to `ranking.NONE_SCORE`; parts judged after such a change hold it already.\n")
    each = ((part, [one for one in rows if one.part == part]) for part in parts)
    for title, some in (
        ("All parts", rows),
        *each,
    ):
        print(f"## {title}\n")
        print("\n".join(shift_table(some)))
        if some is rows:
            print("\n" + "\n".join(truth_table(some)) + "\n\n" + "\n".join(wrong_table(some)))
        print()


if __name__ == "__main__":
    main()
