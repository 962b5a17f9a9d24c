"""Write src/ifmatch/dialects/families.json: what all dialect files say, in a form that is read fast.

A tenth of a diagnosis of a short capture would go into reading the TOML files of all families.
Run `python tools/generate_families.py`; with `--check` it only says whether the file is current.
"""

from __future__ import annotations

import json
import pathlib
import sys
import tomllib

DATA = pathlib.Path(__file__).parents[1] / "src" / "ifmatch" / "dialects"


def families() -> str:
    """Return the tables of all dialect files, one a line, by id."""
    tables = [tomllib.loads(path.read_text("utf-8")) for path in (DATA / "data").glob("*.toml")]
    lines = [json.dumps(table) for table in sorted(tables, key=lambda table: str(table["id"]))]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def main() -> int:
    """Write the file, or check it."""
    text, path = families(), DATA / "families.json"
    if "--check" in sys.argv[1:]:
        current = path.exists() and path.read_text("utf-8") == text
        if not current:
            sys.stderr.write("families.json is not current: python tools/generate_families.py\n")
        return 0 if current else 1
    path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
