"""Fit the three numbers that turn evidence into likelihoods: `python -m benchmarks.fit_likelihoods`.

Each setting is judged on the open folders (recordings, and simulated families of the split `dev`), and
reported on the holdouts: the mean log loss of the first finding, the share of right firsts at high, and the
wrong ones at high.
The rules and their weights stay as they are.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from benchmarks.bench_diagnosis import FOLDERS, judge, labels
from ifmatch.diagnosis.findings import ranking

if TYPE_CHECKING:
    from benchmarks.bench_diagnosis import Result

NONE_SCORES = (1.0, 1.5, 2.0)
DAMPINGS = (0.75, 0.85, 0.95)
MOSTS = (6.0, 7.0)
LEAST = 1e-3


def loss(results: list[Result]) -> float:
    """Mean log loss of what was said about first findings; silence says nothing."""
    said = [one for one in results if one.likelihood > 0]
    costs = [-math.log(max(LEAST, one.likelihood if one.right else 1 - one.likelihood)) for one in said]
    return sum(costs) / len(costs)


def line(results: list[Result]) -> str:
    told = [one for one in results if one.right and one.found != "none"]
    wrong = sum(one.high and not one.right for one in results)
    sure = sum(one.high for one in told) / len(told)
    return f"{loss(results):.4f} | {sure:.1%} | {wrong} of {len(results)}"


def main() -> None:
    print("| none | damping | most | open: loss | right at high | wrong at high |", end="")
    print(" holdout: loss | right at high | wrong at high |\n|---|---|---|---|---|---|---|---|---|")
    for none, damping, most in itertools.product(NONE_SCORES, DAMPINGS, MOSTS):
        ranking.NONE_SCORE, ranking.DAMPING, ranking.MOST = none, damping, most
        results = [one for folder in FOLDERS for path in labels(folder) for one in judge(folder, path)]
        held = [one for one in results if one.held]
        seen = [one for one in results if not one.held]
        print(f"| {none} | {damping} | {most} | {line(seen)} | {line(held)} |", flush=True)


if __name__ == "__main__":
    main()
