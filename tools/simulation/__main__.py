"""Write simulated cases: `python -m tools.simulation --seed 1 --out DIR [--family F] [--count N]`."""

from __future__ import annotations

import argparse
import pathlib
import time

from tools.simulation.families import ALL, splits
from tools.simulation.make import make
from tools.simulation.stage import write_case


def main() -> int:
    """Write the cases asked for; print how many and how fast."""
    parser = argparse.ArgumentParser(prog="python -m tools.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--family", choices=sorted(ALL), action="append", metavar="NAME")
    parser.add_argument("--count", type=int, default=0, help="cases a family; default: two of each story")
    given = parser.parse_args()
    began, total = time.perf_counter(), 0
    parts = splits()
    for name in given.family or sorted(ALL):
        family = ALL[name]
        for case in make(family, given.seed, given.count or 2 * len(family.plots)):
            write_case(case, given.out / parts[name] / name)
            total += 1
    seconds = time.perf_counter() - began
    print(f"{total} cases in {seconds:.1f} s, {total / seconds:.0f} a second")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
