"""Write docs/causes: one page for each cause of the catalogue, and their index.

Run `python tools/generate_cause_pages.py`; with `--check` it only says which pages are not current.
"""

from __future__ import annotations

import json
import pathlib
import re
import sys
from collections import defaultdict

from ifmatch.model.catalogue import Cause, FixTemplate, causes, families

ROOT = pathlib.Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "causes"
# Where recordings of causes are, and how they came about; holdouts are not shown.
RECORDINGS = {"lab": "recorded", "driven": "driven", "apis": "driven"}
REPAIRS = {
    "allowed": "a tool may repair it unasked",
    "ask": "a tool must ask before it repairs",
    "forbidden": "no tool may repair it by sending the write again",
    "none": "there is nothing to repair in the refused write",
}
_PLACEHOLDERS = (
    "`{url}`, `{method}` and `{token}` are those of the refused request; a diagnosis fills them in."
)
SECTION = re.compile(r"RFC (\d+) section ([0-9.]+)")


def recordings() -> dict[str, list[tuple[str, str, pathlib.Path]]]:
    """Return name, how it was made and label of the cases of each cause."""
    found: dict[str, list[tuple[str, str, pathlib.Path]]] = defaultdict(list)
    for folder, how in RECORDINGS.items():
        for path in sorted((ROOT / "cases" / folder).glob("*.label.json")):
            label = json.loads(path.read_text("utf-8"))
            made = "synthetic" if label.get("synthetic") else how
            found[label["cause"]].append((path.name.removesuffix(".label.json"), made, path))
    return found


def in_text(text: str) -> str:
    """Return a text of the catalogue so that Markdown shows it as it is."""
    return re.sub(r"([*<>|_\[\]])", r"\\\1", text)


def source(text: str) -> str:
    """Return a reference to an RFC as a link to its section."""
    return SECTION.sub(r"[\g<0>](https://www.rfc-editor.org/rfc/rfc\1#section-\2)", text)


def _fix(number: int, fix: FixTemplate) -> list[str]:
    title = in_text(fix.title)
    lines = [f"{number}. **{title}** ({fix.difficulty}; {fix.who} acts; repair: {fix.repair})"]
    for what, command in (("", fix.command), ("Shows that it took:", fix.verify)):
        if command:
            lines += ["", f"   {what}", ""] if what else [""]
            lines += ["   ```sh", *(f"   {line}" for line in command.splitlines()), "   ```"]
    return lines


def _repair(cause: Cause) -> str:
    rule = cause.repair
    text = f"`{rule.repair}`: {REPAIRS[rule.repair]}."
    if rule.requires:
        facts = ", ".join(f"`{fact}`" for fact in rule.requires)
        text += f" Only when observed: {facts}; otherwise `{rule.otherwise}`: {REPAIRS[rule.otherwise]}."
    return text + f" In words: {in_text(cause.automatic)}."


def _confused(cause: Cause) -> str:
    return ", ".join(f"[{one}]({one}.md)" if one in causes() else in_text(one) for one in cause.confused_with)


def _cases(cases: list[tuple[str, str, pathlib.Path]]) -> list[str]:
    if not cases:
        return ["No recording outside the held-out ones."]
    return [
        f"- [{name}](../../{path.relative_to(ROOT).as_posix()}), {made}: "
        + in_text(json.loads(path.read_text("utf-8")).get("description", ""))
        for name, made, path in cases
    ]


def page(cause: Cause, cases: list[tuple[str, str, pathlib.Path]]) -> str:
    """Return the page of one cause.

    Args:
        cause: its record.
        cases: name, how it was made and label of each of its recordings.
    """
    rfc = source(cause.rfc) or "no RFC section decides"
    usual = f"usual fix: {cause.difficulty}, {cause.who_acts} acts"
    lines = [
        f"# {in_text(cause.title)}",
        "",
        " · ".join((f"`{cause.id}`", in_text(cause.family), rfc, usual)),
        "",
        in_text(cause.definition),
        "",
        "## What happens",
        "",
        in_text(cause.prose),
        "",
        "## How to recognise it",
        "",
        in_text(cause.evidence),
    ]
    if cause.confused_with:
        lines += ["", f"Easily confused with: {_confused(cause)}."]
    lines += ["", "## Fixes, best first", "", _PLACEHOLDERS, ""]
    for number, fix in enumerate(cause.fixes, 1):
        lines += _fix(number, fix)
    lines += ["", "## Repair", "", _repair(cause), "", "## Recordings", "", *_cases(cases), ""]
    lines += [f"At a prompt: `ifmatch explain {cause.id}`. All causes: [index](index.md).", ""]
    return "\n".join(lines)


def index() -> str:
    """Return docs/causes/index.md."""
    lines = [
        "# Causes",
        "",
        f"The {len(causes())} causes that `ifmatch diagnose` tells apart, by family. Written by",
        "`python tools/generate_cause_pages.py` from the catalogue in the package.",
    ]
    for family in families():
        lines += [
            "",
            f"## {in_text(family)}",
            "",
            "| cause | id | who acts | difficulty |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| [{in_text(one.title)}]({one.id}.md) | `{one.id}` | {one.who_acts} | {one.difficulty} |"
            for one in causes().values()
            if one.family == family
        ]
    cases = "[cases/INDEX.md](../../cases/INDEX.md)"
    return "\n".join([*lines, "", f"How many recordings there are of each: {cases}.", ""])


def pages() -> dict[str, str]:
    """Return all pages by file name."""
    cases = recordings()
    written = {f"{one.id}.md": page(one, cases.get(one.id, [])) for one in causes().values()}
    return {**written, "index.md": index()}


def main() -> int:
    """Write or check the pages; pages of causes that are gone are removed."""
    wanted = pages()
    there = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    if "--check" in sys.argv[1:]:
        stale = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
        print("\n".join(stale), end="\n" * bool(stale))
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in there.keys() - wanted.keys():
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
