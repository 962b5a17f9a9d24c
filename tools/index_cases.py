"""Write cases/INDEX.md: for each cause how its cases were made (recorded, driven, synthetic) and how many.

Run `python tools/index_cases.py`; with `--check` it only says whether the file is current.
"""

from __future__ import annotations

import json
import pathlib
import sys
from collections import defaultdict

ROOT = pathlib.Path(__file__).parents[1]
FOLDERS = {
    "lab": "recorded",
    "driven": "driven",
    "driven/holdout": "driven, held out",
    "apis": "driven",
    "apis/holdout": "driven, held out",
    "quirks": "quirk",
}


def _rows() -> dict[str, dict[str, list[str]]]:
    """Return case names by cause and by how they were made."""
    rows: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for folder, how in FOLDERS.items():
        for path in sorted((ROOT / "cases" / folder).glob("*.label.json")):
            label = json.loads(path.read_text("utf-8"))
            made = how.replace("driven", "synthetic") if label.get("synthetic") else how
            rows[label["cause"]][made].append(path.name.removesuffix(".label.json"))
    return rows


def index() -> str:
    """Return the text of cases/INDEX.md."""
    causes = json.loads((ROOT / "src/ifmatch/model/catalogue/causes.json").read_text("utf-8"))["causes"]
    rows = _rows()
    lines = [
        "# Cases",
        "",
        "Written by `python tools/index_cases.py`. *Recorded*: `lab/`, real servers, known causes.",
        "*Driven*: made on real components by `tools/recording` and `tools/recording_apis`.",
        "*Synthetic*: a service imitated after its documentation.",
        "*Quirk*: the practice server, wrong on request (`ifmatch serve --quirk`).",
        "*Held out*: for reporting only, no rule was made with them.",
        "`rfc9110/` holds the cases of the evaluator, `text/` and `har/` those of the readers.",
        "",
        "| cause | recorded | driven | synthetic | quirk | held out |",
        "|---|---|---|---|---|---|",
    ]
    for cause in [*(one["id"] for one in causes), "none"]:
        made = rows.get(cause, {})
        held = len(made.get("driven, held out", [])) + len(made.get("synthetic, held out", []))
        cells = [", ".join(made.get(how, [])) or "-" for how in ("recorded", "driven", "synthetic", "quirk")]
        lines.append(f"| `{cause}` | {' | '.join(cells)} | {held or '-'} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write or check the file."""
    path = ROOT / "cases" / "INDEX.md"
    text = index()
    if "--check" in sys.argv[1:]:
        return 0 if path.exists() and path.read_text("utf-8") == text else 1
    path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
