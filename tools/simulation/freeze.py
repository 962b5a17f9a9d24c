"""Write the frozen corpus again: `python -m tools.simulation.freeze` fills cases/diagnosis and cases/healthy."""

from __future__ import annotations

import pathlib
import shutil
from typing import Final

from tools.simulation.families import ALL, rounds, splits
from tools.simulation.make import make
from tools.simulation.stage import write_case

CASES: Final = pathlib.Path(__file__).parents[2] / "cases"
# The seed of the corpus in the repository.
SEED: Final = 2026


def freeze(cases: pathlib.Path, *, seed: int = SEED) -> int:
    """Write all families below a folder and return how many cases there are.

    Args:
        cases: the folder that holds `diagnosis` and `healthy`; the families in it are replaced.
        seed: decides everything.
    """
    total = 0
    for name, split in splits().items():
        folder = cases / ("healthy" if split == "healthy" else f"diagnosis/{split}") / name
        shutil.rmtree(folder, ignore_errors=True)
        for case in make(ALL[name], seed, rounds(name) * len(ALL[name].plots)):
            write_case(case, folder)
            total += 1
    return total


if __name__ == "__main__":
    print(f"{freeze(CASES)} cases")
