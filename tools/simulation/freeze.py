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
# The holdout: the same families by another seed, each story told once and in another dialect where it has several.
# Once somebody has looked at single cases of it, it is open: then another seed makes the next one.
HELD_OUT_SEED: Final = 261_127
# How far its dialects are moved on against the stories, beyond those of the open cases.
HELD_OUT_TURN: Final = 1


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
        if split != "healthy":
            total += hold_out(cases, name)
    return total


def hold_out(cases: pathlib.Path, name: str, *, seed: int = HELD_OUT_SEED) -> int:
    """Write the held-out cases of one family and return how many there are.

    Args:
        cases: the folder that holds `diagnosis`.
        name: of the family; what it had there is replaced.
        seed: decides everything.
    """
    folder = cases / "diagnosis" / "holdout" / name
    shutil.rmtree(folder, ignore_errors=True)
    made = list(make(ALL[name], seed, len(ALL[name].plots), turn=rounds(name) + HELD_OUT_TURN))
    for case in made:
        write_case(case, folder)
    return len(made)


if __name__ == "__main__":
    print(f"{freeze(CASES)} cases")
