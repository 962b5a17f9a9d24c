"""Score a part of the holdout once, before anybody opens it.

    python -m benchmarks.first_look PART PREFIX...

Prints the rows for `results/first_looks.md`, and adds what was said of each case to `first_looks.csv`, from
which `bench_calibration` tells whether likelihoods are true of traffic that no rule was made with.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bench_diagnosis import judge, labels, score_row

if TYPE_CHECKING:
    from benchmarks.bench_diagnosis import Result

SAID = Path(__file__).with_name("first_looks.csv")
TITLES = ("part", "case", "view", "label", "found", "likelihood", "right")
FOLDER = "apis/holdout"


@dataclass(frozen=True)
class Said:
    """What was said of one view of a case that nobody had looked at.

    Attributes:
        part: name of the recordings that were judged together.
        view: `client` or `all`.
        label: the cause by its author, `none` for healthy traffic.
        found: the first finding, `none` without an incident.
        likelihood: of that finding; 0 when nothing was said.
        right: as scored on that day.
    """

    part: str
    view: str
    label: str
    found: str
    likelihood: float
    right: bool


def said() -> list[Said]:
    """Read all first looks that were kept."""
    with SAID.open(encoding="utf-8", newline="") as stream:
        return [
            Said(
                row["part"],
                row["view"],
                row["label"],
                row["found"],
                float(row["likelihood"]),
                row["right"] == "yes",
            )
            for row in csv.DictReader(stream)
        ]


def line(part: str, one: Result) -> tuple[str, ...]:
    """Write one result as a row of the table."""
    right = "yes" if one.right else "no"
    return (part, one.name, one.view, one.cause, one.found, f"{one.likelihood:.3f}", right)


def main() -> None:
    """Judge the part, print its rows and keep what was said."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_look", description=__doc__)
    parser.add_argument("part", help="a name for the recordings, such as their ids")
    parser.add_argument("prefix", nargs="+", help="what their ids begin with")
    parser.add_argument("--folder", default=FOLDER, help="below cases/")
    given = parser.parse_args()
    paths = [path for path in labels(given.folder) if path.name.startswith(tuple(given.prefix))]
    results = [one for path in paths for one in judge(given.folder, path)]
    for view in ("client", "all"):
        print(score_row(given.part, view, [one for one in results if one.view == view]))
    new = not SAID.exists()
    with SAID.open("a", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if new:
            writer.writerow(TITLES)
        writer.writerows(line(given.part, one) for one in results)


if __name__ == "__main__":
    main()
