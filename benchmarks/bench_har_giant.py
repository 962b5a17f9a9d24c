"""`ifmatch diagnose` on a HAR of 1 GB, in a fresh process: two passes, never held whole."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.bench_har import write_har
from benchmarks.processes import Usage, measure, program

ENTRIES = 520_000
OCTETS = 1_000_000_000
# One step in seventy is an edit of an article, as in a long session that mostly polls.
EDITS = 0.015
RUNS = 3


def commands(path: Path) -> dict[str, list[str]]:
    split = (
        "import sys; from ifmatch.capture.har.split import EntrySplitter\n"
        "with open(sys.argv[1], 'rb') as file: print(sum(1 for _ in EntrySplitter(file, bytes)))"
    )
    whole = "import sys, msgspec; msgspec.json.decode(open(sys.argv[1], 'rb').read())"
    return {
        "`ifmatch diagnose` (JSON report)": [program("ifmatch"), "diagnose", str(path), "--format", "json"],
        "`ifmatch diagnose` (text report)": [program("ifmatch"), "diagnose", str(path)],
        "for comparison: splitting alone": [sys.executable, "-c", split, str(path)],
        "for comparison: msgspec, the whole file": [sys.executable, "-c", whole, str(path)],
    }


def row(name: str, runs: list[Usage]) -> str:
    wall = statistics.median(run.wall for run in runs)
    cpu = statistics.median(run.cpu for run in runs)
    peak = max(run.peak for run in runs)
    mark = ""
    if name.startswith("`ifmatch"):
        mark = "reached" if cpu <= 8 and peak <= 300 else "**missed**"
    return f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {runs[-1].status} | {mark} |"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "giant.har"
        refused = write_har(path, entries=ENTRIES, octets=OCTETS, edits=EDITS)
        size = path.stat().st_size / 1e6
        runs: dict[str, list[Usage]] = {}
        for _ in range(RUNS):
            for name, command in commands(path).items():
                runs.setdefault(name, []).append(measure(command))
    print("# Diagnosing a giant HAR\n")
    print(f"{size:.0f} MB, {ENTRIES:,} entries, {refused} of them refused writes; made with a fixed seed.")
    print(f"Each in a fresh process, medians of {RUNS} turns, peak memory the highest.")
    print("Figure to reach: ≤ 8 CPU-s, ≤ 300 MB.\n")
    print("| what | wall s | CPU s | peak MB | exit status | figure |\n|---|---|---|---|---|---|")
    for name, used in runs.items():
        print(row(name, used))


if __name__ == "__main__":
    main()
