"""Drive the recorded cases again: ``python -m tools.recording [--list] [--only ID,...] [--into FOLDER]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.recording import scenarios
from tools.recording.components import MissingProgramError, complain, in_continuous_integration
from tools.recording.index import write_index
from tools.recording.stage import CASES, StoryError, is_held_out_module, perform

_DRIVEN = Path(__file__).resolve().parents[2] / "cases" / "driven"


def is_held_out(identifier: str) -> bool:
    """Return whether a case is kept for final reporting: its story is in a module named ``held_...``."""
    return is_held_out_module(CASES[identifier].drive.__module__)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Returns:
        0 when every case was driven or skipped, 1 when one failed (or was skipped where CI is true),
        2 for a wrong id.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.recording", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the cases and drive none")
    parser.add_argument("--only", default="", help="ids separated by commas")
    parser.add_argument("--into", type=Path, default=_DRIVEN, help="folder the cases are written to")
    chosen = parser.parse_args(arguments)
    scenarios.load()
    wanted = [name for name in chosen.only.split(",") if name] or sorted(CASES)
    if unknown := [name for name in wanted if name not in CASES]:
        complain(f"no such case: {', '.join(unknown)}; --list names them all")
        return 2
    if chosen.list:
        for name in wanted:
            print(
                f"{name} {CASES[name].cause:28} "
                f"{CASES[name].slug}{' (held out)' if is_held_out(name) else ''}"
            )
        return 0
    return _drive(wanted, chosen.into)


def _drive(wanted: list[str], into: Path) -> int:
    failed, skipped = 0, 0
    for name in wanted:
        folder = into / "holdout" if is_held_out(name) else into
        try:
            seen = perform(CASES[name], folder)
        except MissingProgramError as missing:
            skipped += 1
            print(f"{name} skipped: {missing}", flush=True)
        except (StoryError, OSError, RuntimeError, LookupError) as wrong:
            failed += 1
            print(f"{name} FAILED: {type(wrong).__name__}: {wrong}", flush=True)
        else:
            print(f"{name} {CASES[name].cause} {CASES[name].slug} {seen}", flush=True)
    write_index(into)
    print(f"{len(wanted) - failed - skipped} driven, {skipped} skipped, {failed} failed")
    return 1 if failed or (skipped and in_continuous_integration()) else 0


if __name__ == "__main__":
    sys.exit(main())
