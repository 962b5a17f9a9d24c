"""Measure how many stories of ETag keep their cause in the forms of API families, and in varied forms.

The stories and forms are those of `tests/diagnosis`: `test_dialect_transposed.py`, `test_varied_forms.py`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

TESTS = Path(__file__).parents[1] / "tests"
HIGH = 0.75
# Of the varied forms every so-many-th story.
EVERY = 8
# How varied forms are put together, by how their names begin or end.
GROUPS = {
    "in envelopes": ("answers in", "all in"),
    "names in other styles": ("snake", "kebab", "camel", "pascal"),
    "versions of other types": (
        "texts",
        "a letter",
        "UUIDs",
        "base64",
        "short",
        "hashes",
        "times",
        "milli",
        "a seq",
    ),
    "statuses alone": ("status", "as it is"),
    "words that no list has": ("Finnish", "Estonian", "Korean"),
    "other languages and codes": ("",),
}

Row = tuple[int, int, int]


def counted(found: Iterable[tuple[float, bool]]) -> Row:
    """Return how many stories were told, how many kept their cause, how many were wrong at high."""
    rows = list(found)
    return len(rows), sum(right for _, right in rows), sum(not right and sure >= HIGH for sure, right in rows)


def families() -> dict[str, Row]:
    """Return what becomes of all stories in each family's forms."""
    tests: Any = import_module("test_dialect_transposed")
    tongues: Any = import_module("dialect_transposing").TONGUES
    return {
        name: counted((one[3], one[4]) for one in tests.shown(tongue, 1)) for name, tongue in tongues.items()
    }


def varied() -> dict[str, Row]:
    """Return what becomes of some stories in each group of varied forms."""
    tests: Any = import_module("test_varied_forms")
    forms: Any = import_module("varied_forms").VARIED
    found: dict[str, Row] = {}
    for name in forms:
        group = next(key for key, begins in GROUPS.items() if name.startswith(begins))
        count, missed = tests.misses(name, EVERY)
        row = (count, count - len(missed), sum(one[2] >= HIGH for one in missed))
        found[group] = tuple(map(sum, zip(found.get(group, (0, 0, 0)), row, strict=True)))  # type: ignore[assignment]
    return found


def page(by_family: dict[str, Row], by_form: dict[str, Row]) -> str:
    """Return the result as Markdown.

    Args:
        by_family: of each family stories told, right, wrong at high.
        by_form: the same of each group of varied forms.
    """
    total = tuple(sum(row[place] for row in by_family.values()) for place in range(3))
    lines = [
        "# Forms: one story in the words of many APIs",
        "",
        "Stories of ETag and If-Match told again as each API family reads, writes and refuses: the first",
        "cause has to stay what it is. *Told*: of all stories, both views, those that the family has words",
        "for; `tests/diagnosis/dialect_untold.py` says why it has none for the others. The rules were made",
        "with these stories; what they say of other people's traffic stands under *first looks*.",
        "",
        "| family | told | keep their cause | wrong at high |",
        "|---|---|---|---|",
        *starmap(_line, sorted(by_family.items(), key=lambda one: (_share(one[1]), one[0]))),
        _line("**all**", (total[0], total[1], total[2])),
        "",
        "## Varied forms",
        "",
        f"One thing at a time is told otherwise, to every {EVERY}th story, in some 130 forms",
        "(`tests/diagnosis/varied_forms.py`).",
        "",
        "| varied | told | keep their cause | wrong at high |",
        "|---|---|---|---|",
        *(_line(name, row) for name, row in by_form.items()),
    ]
    return "\n".join(lines)


def _share(row: Row) -> float:
    return row[1] / row[0]


def _line(name: str, row: Row) -> str:
    return f"| {name} | {row[0]} | {row[1]} ({100 * _share(row):.1f}%) | {row[2]} |"


def main() -> None:
    """Measure, and print the page."""
    sys.path[:0] = [str(TESTS), str(TESTS / "diagnosis")]
    print(page(families(), varied()))


if __name__ == "__main__":
    main()
