"""Write the table of contents of the driven cases."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_HEAD = """# Driven recordings

Real traffic through real programs, driven on purpose and labelled with the cause that was put there.
`python -m tools.recording` drives it all again. Files are named as in `cases/lab`; a case below `holdout/`
serves for final reporting only, never for tuning.

| cause | case | story | produced by | outcome |
|---|---|---|---|---|
"""


def write_index(folder: Path) -> None:
    """Write ``INDEX.md`` from the label files in ``folder`` and ``folder/holdout``."""
    by_cause: defaultdict[str, list[str]] = defaultdict(list)
    counts = [0, 0]
    for path in sorted(folder.rglob("*.label.json"), key=lambda one: one.name):
        label = json.loads(path.read_text(encoding="utf-8"))
        held_out = path.parent.name == "holdout"
        counts[held_out] += 1
        real = [version for name, version in label["servers"].items() if name != "origin"]
        by = ", ".join(real) or "plain origin"
        name = f"{label['id']}{' (holdout)' if held_out else ''}"
        by_cause[label["cause"]].append(
            f"| `{label['cause']}` | {name} | {label['slug']} | {by} | {label['outcome']} |"
        )
    rows = [
        row for cause in sorted(by_cause, key=lambda one: (one == "none", one)) for row in by_cause[cause]
    ]
    foot = f"\n{counts[0]} cases here, {counts[1]} in `holdout/`, {len(by_cause)} labels.\n"
    (folder / "INDEX.md").write_text(_HEAD + "\n".join(rows) + "\n" + foot, encoding="utf-8")
