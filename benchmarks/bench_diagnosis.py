"""Score the diagnosis on every labelled recording: right firsts, sure ones, wrong ones, false alarms."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import diagnosis_degraded as degraded
from ifmatch.capture import read
from ifmatch.diagnosis import diagnose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifmatch.model.exchange import Capture

CASES = Path(__file__).parents[1] / "cases"
HIGH = 0.75
FOLDERS = (
    "lab",
    "driven",
    "apis",
    "diagnosis/dev",
    "healthy",
    "driven/holdout",
    "apis/holdout",
    "diagnosis/holdout",
)
ROWS = {
    "lab": "lab",
    "driven": "driven",
    "apis": "apis",
    "diagnosis/dev": "simulated",
    "healthy": "simulated, healthy",
    "driven/holdout": "**holdout** driven",
    "apis/holdout": "**holdout** apis",
    "diagnosis/holdout": "**holdout** simulated",
}
WIDTH = 50
BINS = (0.0, 0.35, 0.5, 0.65, 0.75, 0.85, 0.92, 0.96, 1.0)


@dataclass(frozen=True)
class Result:
    """What was found on one view of one case.

    Attributes:
        folder: of `FOLDERS`.
        view: `client` (the client's file alone) or `all`.
        name: of the case.
        cause: its label, `none` for healthy traffic.
        wanted: the first findings that count as right on this view.
        found: the first finding; `none` without an incident, `undecided` without a finding.
        likelihood: of the first finding.
        undecided: whether the verdict left the cause open.
        outcome: as labelled.
    """

    folder: str
    view: str
    name: str
    cause: str
    wanted: tuple[str, ...]
    found: str
    likelihood: float
    undecided: bool
    outcome: str = ""

    @property
    def right(self) -> bool:
        """Expected control flow and a conflict that its client healed may be told as benign: no incident."""
        healed = self.outcome == "recovered" and self.cause == "other-writer"
        quiet = healed or "expected-control-flow" in self.wanted
        return self.found in self.wanted or (quiet and self.found == "none")

    @property
    def high(self) -> bool:
        return self.likelihood >= HIGH

    @property
    def held(self) -> bool:
        return self.folder.endswith("holdout")


def load(path: Path) -> Capture:
    with path.open("rb") as stream:
        return read(stream, path.name)


def labels(folder: str) -> list[Path]:
    """The labels of one folder; simulated cases lie one folder deeper, by family."""
    pattern = "*/*.label.json" if folder.startswith(("diagnosis/", "healthy")) else "*.label.json"
    return sorted((CASES / folder).glob(pattern))


@cache
def hars(folder: Path) -> dict[str, list[Path]]:
    """The HARs of one folder by case; thousands of cases are not worth as many looks through all files."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.har")):
        found.setdefault(path.name.partition(".")[0], []).append(path)
    return found


def judge(folder: str, label_path: Path) -> Iterable[Result]:
    """Both views of one case; cases without a HAR are left out, as in the tests."""
    label = json.loads(label_path.read_text("utf-8"))
    name, cause = label_path.name.removesuffix(".label.json"), label["cause"]
    files = hars(label_path.parent).get(name, [])
    own = [path for path in files if path.name.endswith(".client.har")] or files[:1]
    alone = tuple(label.get("acceptable_from_client_alone") or [cause])
    for view, paths, wanted in (("client", own, alone), ("all", files, (cause,))):
        if paths:
            incidents = diagnose([load(path) for path in paths]).incidents
            findings = incidents[0].findings if incidents else ()
            found = findings[0].cause if findings else "undecided" if incidents else "none"
            likelihood = findings[0].likelihood if findings else 0.0
            undecided = bool(incidents) and str(incidents[0].verdict) == "undecided"
            outcome = str(label.get("outcome", ""))
            yield Result(folder, view, name, cause, wanted, found, likelihood, undecided, outcome)


def at_most(successes: int, trials: int, probability: float) -> float:
    """The chance of at most so many successes, binomial."""
    terms = range(successes + 1)
    return sum(math.comb(trials, k) * probability**k * (1 - probability) ** (trials - k) for k in terms)


def upper_bound(successes: int, trials: int, confidence: float = 0.95) -> float:
    """The exact upper bound of a share after Clopper and Pearson, one-sided, by bisection."""
    if successes >= trials:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if at_most(successes, trials, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "-"


def score_row(title: str, view: str, results: list[Result]) -> str:
    faults = [one for one in results if one.cause != "none"]
    healthy = [one for one in results if one.cause == "none"]
    right = [one for one in faults if one.right]
    told = [one for one in right if one.found != "none"]
    wrong = sum(one.high and not one.right for one in results)
    cells = (
        title,
        {"client": "client's file alone", "all": "all files"}[view],
        share(len(right), len(faults)),
        share(sum(one.high for one in told), len(told)),
        share(wrong, len(results)),
        f"{upper_bound(wrong, len(results)):.1%}",
        share(sum(one.undecided for one in faults), len(faults)),
        share(sum(one.found != "none" for one in healthy), len(healthy)),
    )
    return f"| {' | '.join(cells)} |"


def score_table(results: list[Result]) -> Iterable[str]:
    titles = "cases", "view", "first right", "of these high", "wrong at high", "95 % bound", "undecided"
    yield f"| {' | '.join(titles)} | false alarms |"
    yield "|---|---|---|---|---|---|---|---|"
    for view in ("client", "all"):
        for row, title in ROWS.items():
            rows = [one for one in results if (one.folder, one.view) == (row, view)]
            if rows:
                yield score_row(title, view, rows)
        held = [one for one in results if one.view == view and one.held]
        yield score_row("**holdout together**", view, held)
        quiet = [one for one in results if one.view == view and one.cause == "none"]
        yield score_row("healthy together", view, quiet)


def alarms(quiet: list[Result], *, least: int) -> tuple[str, bool]:
    """Count the incidents told of healthy captures; none of too few captures proves anything."""
    some = sum(one.found != "none" for one in quiet)
    return f"{some} in {len(quiet)}", some <= 1 and len(quiet) >= least


def figures(results: list[Result]) -> Iterable[str]:
    """The figures to reach, on what was never opened: traffic that no rule was made with."""
    yield "| figure to reach, on the holdouts, never opened | client's file alone | all files |"
    yield "|---|---|---|"
    views = [[one for one in results if one.view == view and one.held] for view in ("client", "all")]
    faults = [[one for one in rows if one.cause != "none"] for rows in views]
    right = [[one for one in rows if one.right] for rows in faults]
    told = [[one for one in rows if one.found != "none"] for rows in right]
    firsts = [len(some) / max(1, len(rows)) for some, rows in zip(right, faults, strict=True)]
    sure = [sum(one.high for one in rows) / max(1, len(rows)) for rows in told]
    wrong = [sum(one.high and not one.right for one in rows) for rows in views]
    bounds = [upper_bound(some, len(rows)) for some, rows in zip(wrong, views, strict=True)]
    quiet = [[one for one in rows if one.cause == "none"] for rows in views]
    healthy = [
        [one for one in results if one.cause == "none" and one.view == view] for view in ("client", "all")
    ]
    rows: list[tuple[str, list[tuple[str, bool]]]] = [
        ("first right ≥ 98 %", [(f"{value:.1%}", value >= 0.98) for value in firsts]),
        (
            "right ones at high ≥ 60 % (client), ≥ 80 % (all)",
            [(f"{v:.1%}", v >= limit) for v, limit in zip(sure, (0.6, 0.8), strict=True)],
        ),
        (
            "wrong at high: bound ≤ 1 % over ≥ 300 cases",
            [
                (f"{bound:.1%} over {len(some)}", bound <= 0.01 and len(some) >= 300)
                for bound, some in zip(bounds, views, strict=True)
            ],
        ),
        ("false alarms ≤ 1", [alarms(those, least=1) for those in quiet]),
        (
            "false alarms ≤ 1 in ≥ 200 healthy captures (all folders)",
            [alarms(those, least=200) for those in healthy],
        ),
    ]
    for title, cells in rows:
        marks = [f"{text}, {'reached' if good else '**missed**'}" for text, good in cells]
        yield f"| {title} | {' | '.join(marks)} |"


def reliability(results: list[Result]) -> Iterable[str]:
    """Predicted likelihood of the first finding against the observed share of right ones."""
    yield "| likelihood said | findings | mean said | right | findings in holdout | mean said | right |"
    yield "|---|---|---|---|---|---|---|"
    found = [one for one in results if one.likelihood > 0]
    for low, high in itertools.pairwise(BINS):
        row = [one for one in found if low <= one.likelihood < high or one.likelihood == high == 1]
        held = [one for one in row if one.held]
        seen = [one for one in row if not one.held]
        yield f"| {low:.2f} to {high:.2f} | {observed(seen)} | {observed(held)} |"


def diagram(results: list[Result]) -> Iterable[str]:
    """A reliability diagram in text: how far what was said (|) is from what was right (#)."""
    held = [one for one in results if one.likelihood > 0 and one.held]
    yield "```"
    yield "likelihood    findings  0         20        40        60        80       100 % right"
    for low, high in itertools.pairwise(BINS):
        row = [one for one in held if low <= one.likelihood < high or one.likelihood == high == 1]
        if not row:
            continue
        right = round(WIDTH * sum(one.right for one in row) / len(row))
        said = min(WIDTH - 1, round(WIDTH * sum(one.likelihood for one in row) / len(row)))
        bar = list(("#" * right).ljust(WIDTH, "."))
        bar[said] = "|"
        yield f"{low:.2f} to {high:.2f} {len(row):9}  {''.join(bar)}"
    yield "```"


def observed(results: list[Result]) -> str:
    if not results:
        return "0 | - | -"
    mean = sum(one.likelihood for one in results) / len(results)
    return f"{len(results)} | {mean:.2f} | {sum(one.right for one in results) / len(results):.2f}"


def confusions(results: list[Result]) -> Iterable[str]:
    """What was wrong, most frequent first; in the holdouts only counted, so that nobody tunes to them."""
    wrong = [one for one in results if not one.right]
    open_cases = [one for one in wrong if not one.held]
    names: dict[tuple[str, str, str], list[str]] = {}
    for one in open_cases:
        said = f"{one.name} ({one.likelihood:.2f})"
        names.setdefault((one.view, one.cause, one.found), []).append(said)
    yield "| view | label | first finding | cases (likelihood said) |"
    yield "|---|---|---|---|"
    for (view, cause, found), cases in sorted(names.items(), key=lambda item: (-len(item[1]), item[0])):
        yield f"| {view} | {cause} | {found} | {', '.join(cases)} |"
    counted = Counter(one.view for one in wrong if one.held)
    yield ""
    yield (
        f"Holdout: {counted['client']} wrong from the client's file alone, {counted['all']} with all files; "
        "they are not listed, so that nobody makes rules from them."
    )


def main() -> None:
    results = [result for folder in FOLDERS for path in labels(folder) for result in judge(folder, path)]
    print("# Diagnosis: right and wrong on labelled recordings\n")
    print("The first finding of the first incident against the label, scored as the tests do it. From the")
    print("client's file alone, any cause that the label accepts for that view counts. *High*: likelihood of")
    print(
        f"{HIGH} or more. *Wrong at high*: over all captures of the row, healthy ones included; the bound is"
    )
    print("the exact one-sided upper bound (Clopper-Pearson). *Of these high*: among right firsts that are")
    print("incidents. Rules were made with the open folders; the **holdout** was never opened and is for")
    print("reporting only. Recordings by others before they were opened: *first looks*.\n")
    print("\n".join(score_table(results)))
    print()
    print("\n".join(figures(results)))
    print("\n## Are likelihoods true?\n\nBoth views, first findings.\n")
    print("\n".join(reliability(results)))
    print("\nReliability on the holdouts: `#` what was right, `|` what had been said.\n")
    print("\n".join(diagram(results)))
    print("\n## Less evidence\n")
    print("Wrong first findings at high after evidence was taken away, or noise put in, both views.\n")
    print("\n".join(degraded.table(labels, load)))
    print("\n## What is wrong\n")
    print("\n".join(confusions(results)))


if __name__ == "__main__":
    main()
