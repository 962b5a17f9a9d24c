"""Judge `diagnose` on the frozen cases: `python -m tools.simulation.score [--split S] [--view V] [--degrade]`.

Single cases are named for `dev` and `healthy` only; of `holdout` there are totals.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ifmatch.diagnosis import diagnose
from tools.simulation.corpus import FOLDERS, capture, cases
from tools.simulation.degrade import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifmatch.model.exchange import Capture
    from tools.simulation.corpus import Labelled

HIGH = 0.75


@dataclass(frozen=True, slots=True)
class First:
    """The first finding: cause (`none` without an incident), likelihood, whether it is said to be undecided."""

    cause: str
    likelihood: float
    undecided: bool


@dataclass(slots=True)
class Tally:
    """Counts of one family, or of all."""

    cases: int = 0
    right: int = 0
    high: int = 0
    wrong_high: int = 0
    undecided: int = 0
    confusions: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, first: First, wanted: tuple[str, ...], cause: str) -> None:
        """Count one case."""
        good = first.cause in wanted
        self.cases += 1
        self.right += good
        self.high += good and (first.likelihood >= HIGH or first.cause == "none")
        self.wrong_high += not good and first.likelihood >= HIGH
        self.undecided += first.undecided
        if not good:
            self.confusions[cause, first.cause] += 1

    def line(self, name: str) -> str:
        """Return a row of the table."""
        share = 100 * self.right / self.cases if self.cases else 0.0
        return f"{name:32}{self.cases:6}{self.right:7}{share:7.1f}%{self.high:7}{self.wrong_high:12}{self.undecided:11}"


HEAD = f"{'family':32}{'cases':>6}{'right':>7}{'share':>8}{'high':>7}{'wrong high':>12}{'undecided':>11}"


def first_of(captures: Iterable[Capture]) -> First:
    """Return the first finding on some captures."""
    diagnosis = diagnose(list(captures))
    if not diagnosis.incidents:
        return First("none", 0.0, undecided=False)
    incident = diagnosis.incidents[0]
    undecided = incident.verdict.value == "undecided"
    if not incident.findings:
        return First("undecided", 0.0, undecided=True)
    return First(incident.findings[0].cause, incident.findings[0].likelihood, undecided)


def score(split: str, view: str) -> tuple[dict[str, Tally], list[str]]:
    """Judge all cases of a split on a view.

    Args:
        split: dev, holdout or healthy.
        view: client or all.

    Returns:
        Counts by family, and one line for each case that is wrong.
    """
    tallies: dict[str, Tally] = defaultdict(Tally)
    wrong: list[str] = []
    for one in cases(split):
        first = first_of([capture(path) for path in one.view(view)])
        wanted = one.wanted(view)
        tallies[one.family].add(first, wanted, one.cause)
        if first.cause not in wanted:
            wrong.append(
                f"{one.id}: {first.cause} {first.likelihood:.2f}, right: {', '.join(wanted)} [{one.dialect}]"
            )
    return dict(tallies), wrong


def total(tallies: Iterable[Tally]) -> Tally:
    """Add up."""
    out = Tally()
    for one in tallies:
        out.cases += one.cases
        out.right += one.right
        out.high += one.high
        out.wrong_high += one.wrong_high
        out.undecided += one.undecided
        out.confusions.update(one.confusions)
    return out


def degraded(split: str, view: str, name: str) -> tuple[int, list[str]]:
    """Count the cases that a degradation turns into a wrong answer at high.

    Args:
        split: dev, holdout or healthy.
        view: client or all.
        name: of the variant.

    Returns:
        How many cases were judged, and one line for each that is wrong at high only when degraded.
    """
    found: list[str] = []
    count = 0
    for one in cases(split):
        captures = tuple(capture(path) for path in one.view(view))
        count += 1
        after = first_of(VARIANTS[name](captures))
        fine = {*one.wanted(view), *one.also, one.cause}
        if after.likelihood >= HIGH and after.cause not in fine:
            before = first_of(captures)
            if not (before.likelihood >= HIGH and before.cause not in fine):
                found.append(f"{one.id}: {after.cause} {after.likelihood:.2f}, right: {_words(one, view)}")
    return count, found


def _words(one: Labelled, view: str) -> str:
    return ", ".join(one.wanted(view))


def main() -> int:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(prog="python -m tools.simulation.score", description=__doc__)
    parser.add_argument("--split", choices=sorted(FOLDERS), default="dev")
    parser.add_argument("--view", choices=("client", "all"), action="append")
    parser.add_argument("--degrade", action="store_true", help="judge the degraded variants as well")
    given = parser.parse_args()
    named = given.split != "holdout"
    for view in given.view or ("client", "all"):
        tallies, wrong = score(given.split, view)
        print(f"\n{given.split}, view {view}\n{HEAD}")
        for name in sorted(tallies):
            print(tallies[name].line(name))
        whole = total(tallies.values())
        print(whole.line("all families"))
        if named and wrong:
            print("\nright cause -> first finding")
            for (cause, found), count in whole.confusions.most_common():
                print(f"{count:4}  {cause} -> {found}")
            print("\n" + "\n".join(wrong))
        for name in VARIANTS if given.degrade else ():
            count, turned = degraded(given.split, view, name)
            print(f"{name:20} {len(turned)} of {count} turned into a wrong answer at high")
            if named and turned:
                print("\n".join(f"    {line}" for line in turned))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
