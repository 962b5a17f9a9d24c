"""Run the benchmarks, keep what each prints, and put it all on one page.

    python -m benchmarks [NAME...]

Every module `bench_NAME.py` beside this file runs in a process of its own and prints Markdown. It is kept in
`results/NAME.md`; `RESULTS.md` is put together from all results that are there.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
PAGE = FOLDER / "RESULTS.md"
PREFACE = """\
# Results

Written by `make bench` (`python -m benchmarks`); one part again: `python -m benchmarks NAME`.
Each part says when and on what class of machine it was measured. The cores were shared with other work:
absolute times are rather high, ratios compare what ran side by side."""


def names() -> list[str]:
    """The benchmarks that are there."""
    return sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def run(name: str) -> bool:
    """Run one benchmark; its result is replaced only when it ended well."""
    command = [sys.executable, "-m", f"benchmarks.bench_{name}"]
    done = subprocess.run(command, cwd=FOLDER.parent, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0 or not done.stdout.strip():
        print(f"{name}: failed with exit status {done.returncode}; its old result stays", file=sys.stderr)
        return False
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(stamped(name, done.stdout.strip()) + "\n", "utf-8")
    return True


def machine() -> str:
    """The class of machine, never which one."""
    return f"{os.cpu_count()} cores, {platform.machine()}, CPython {platform.python_version()}"


def stamped(name: str, text: str) -> str:
    """Add when, on what and by which command below the title."""
    title, _, rest = text.partition("\n")
    if not title.startswith("# "):
        title, rest = f"# {name}", text
    line = f"Measured {datetime.now(UTC):%Y-%m-%d}; {machine()}. Repeat: `python -m benchmarks {name}`."
    return f"{title}\n\n{line}\n\n{rest.strip()}"


def assemble() -> str:
    """All results on one page, their titles one level down."""
    pages = (path.read_text("utf-8").strip() for path in sorted(RESULTS.glob("*.md")))
    return "\n\n".join([PREFACE, *(re.sub(r"(?m)^#", "##", page) for page in pages)]) + "\n"


def main() -> int:
    """Run what was named, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names())}; default: all")
    parser.add_argument("--assemble", action="store_true", help="only put the page together")
    options = parser.parse_args()
    options.names = [name.replace("-", "_") for name in options.names]
    if unknown := set(options.names) - set(names()):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(names())}")
    wanted = [] if options.assemble else options.names or names()
    good = [run(name) for name in wanted]
    PAGE.write_text(assemble(), "utf-8")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
