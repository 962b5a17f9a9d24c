"""Drive the cases again: ``python -m tools.recording_apis [--list] [--only ID,...] [--into FOLDER]``."""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path

from tools.recording.stage import is_held_out_module
from tools.recording_apis import stories
from tools.recording_apis.index import write_index
from tools.recording_apis.servers import MissingProgramError
from tools.recording_apis.stage import CASES, perform

_CASES = Path(__file__).resolve().parents[2] / "cases" / "apis"


def is_held_out(identifier: str) -> bool:
    """Return whether a case is kept for final reporting: its story is in a module named ``held_...``."""
    return is_held_out_module(CASES[identifier].drive.__module__)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 1 when a case failed, 2 for a wrong id, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tools.recording_apis", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the cases and drive none")
    parser.add_argument("--only", default="", help="ids separated by commas")
    parser.add_argument("--into", type=Path, default=_CASES, help="folder the cases are written to")
    chosen = parser.parse_args(arguments)
    stories.load()
    wanted = [name for name in chosen.only.split(",") if name] or sorted(CASES)
    if unknown := [name for name in wanted if name not in CASES]:
        print(f"no such case: {', '.join(unknown)}; --list names them all", file=sys.stderr)
        return 2
    if chosen.list:
        for name in wanted:
            held = " (held out)" if is_held_out(name) else ""
            print(f"{name} {CASES[name].cause:28} {CASES[name].slug}{held}")
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
        except Exception:  # noqa: BLE001 - one failing case must not end the run
            failed += 1
            print(f"{name} FAILED\n{traceback.format_exc(limit=-4)}", flush=True)
        else:
            print(f"{name} {CASES[name].cause} {CASES[name].slug} {seen}", flush=True)
    write_index(into)
    print(f"{len(wanted) - failed - skipped} driven, {skipped} skipped, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
