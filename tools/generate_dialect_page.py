"""Write docs/dialects.md: every dialect in one row, and every key of a dialect file.

Run `python tools/generate_dialect_page.py`; with `--check` it only says whether the page is current.
"""

from __future__ import annotations

import pathlib
import re
import sys
from typing import TYPE_CHECKING

from ifmatch.cli.dialect_topics import precondition_names, refusal_statuses
from ifmatch.dialects import (
    Carrier,
    Demand,
    Dialect,
    Grammar,
    GuardSpec,
    Lifetime,
    Mark,
    MarkPlace,
    Meaning,
    Retry,
    SameResource,
    Scope,
    SignalSpec,
    StatePlace,
    TokenPlace,
    all_dialects,
)
from ifmatch.dialects.grammar import EXAMPLES

if TYPE_CHECKING:
    import enum
    from collections.abc import Iterator

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "dialects.md"
HEAD = """\
# Dialects

Written by `python tools/generate_dialect_page.py` from the data in `src/ifmatch/dialects/data`.

API families spell preconditions in ways of their own: a query parameter, a member of the content, a lock
token; and they refuse with 409, 400, 423 or even 200. A *dialect* is one file that says how.
`ifmatch diagnose` recognises the dialect of a service by what its traffic shows, never by a host name
alone, and then reads guards, tokens and refusals in its language. `ifmatch explain dialect NAME` tells one
in words, `ifmatch dialect show ID` prints its file.

## One of your own

```sh
ifmatch dialect show kinto > my-api.toml     # a start
ifmatch dialect check my-api.toml            # each fault with its key and what was expected there
ifmatch diagnose bug.har --dialect my-api.toml
```

```toml
id = "my-api"
name = "My API"
source = "our wiki, page Concurrency"
fresh-token = "revision member of a GET"
mark = [{ at = "response-header", name = "X-My-Api-Version", weight = 1.0 }]
guard = [{ carrier = "body", name = "/revision", grammar = "integer" }]
token = [{ at = "body", name = "/revision" }]
signal = [{ status = [409], means = "mismatch", pointer = "/code", matches = "^revision_conflict$" }]
```

A file with the id of a known dialect replaces it; `extends = "odata"` takes over what that one knows. A
package offers dialects by an entry point of the group `ifmatch.dialects`, which names a `Dialect`, a path,
or a function that returns one of them or several.
"""
TABLES: tuple[tuple[str, type, str], ...] = (
    ("The file", Dialect, ""),
    ("`mark`", Mark, "What the family is recognised by. Found marks add up; 1.0 is enough."),
    ("`guard`", GuardSpec, "A precondition as requests carry it."),
    ("`token`", TokenPlace, "Where answers issue a version."),
    ("`signal`", SignalSpec, "How an answer says what became of a precondition. The first that fits counts."),
    ("`lifetime`", Lifetime, "Where a lock, lease or key is told how long it holds."),
    ("`same-resource`", SameResource, "A URL that names a resource by another way."),
    ("`state`", StatePlace, "Where the state of a resource is wrapped in other members."),
)
WORDS: tuple[tuple[str, type[enum.StrEnum]], ...] = (
    ("carrier", Carrier),
    ("demands", Demand),
    ("at of a mark", MarkPlace),
    ("means", Meaning),
    ("retry", Retry),
    ("scope", Scope),
)
# Names of the tables within the file.
_TABLE_KEYS = {"marks": "mark", "guards": "guard", "tokens": "token", "signals": "signal", "states": "state"}
_TABLE_KEYS["lifetimes"] = "lifetime"


def documented(record: type) -> Iterator[tuple[str, str]]:
    """Yield the keys of a record and what its docstring says of each, in order."""
    _, _, listed = (record.__doc__ or "").partition("Attributes:\n")
    for match in re.finditer(r"^ {8}(\w+): (.+?)(?=^ {8}\w+: |\Z)", listed, re.MULTILINE | re.DOTALL):
        text = " ".join(match[2].split())
        yield _TABLE_KEYS.get(match[1], match[1]).replace("_", "-"), text


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _families() -> Iterator[str]:
    yield "## The families"
    yield ""
    yield "| id | name | precondition | refusal | scope of a token | source |"
    yield "|---|---|---|---|---|---|"
    for one in sorted(all_dialects(), key=lambda one: one.id):
        names = precondition_names(one)
        guards = [name if name.startswith("\u201c") else f"`{name}`" for name in names]
        shown = ", ".join(guards[:4]) + (", …" if len(guards) > 4 else "") or "none"
        mismatch = {
            status for signal in one.signals if signal.means is Meaning.MISMATCH for status in signal.status
        }
        statuses = [str(status) for status in refusal_statuses(one) if status in mismatch or not mismatch]
        cells = (f"`{one.id}`", one.name, shown, ", ".join(statuses), one.scope.value, one.source)
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |"
    yield ""


def _keys() -> Iterator[str]:
    yield "## The keys of a file"
    yield ""
    for title, record, introduction in TABLES:
        yield f"### {title}"
        yield ""
        if introduction:
            yield introduction
            yield ""
        yield "| key | what |"
        yield "|---|---|"
        for key, text in documented(record):
            yield f"| `{key}` | {_cell(text)} |"
        yield ""
    yield "### Words"
    yield ""
    yield "| key | one of |"
    yield "|---|---|"
    for key, words in WORDS:
        yield f"| `{key}` | {', '.join(f'`{word.value}`' for word in words)} |"
    yield ""
    yield "| grammar | such as |"
    yield "|---|---|"
    for grammar in Grammar:
        yield f"| `{grammar.value}` | {_cell(EXAMPLES[grammar])} |"


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *_families(), *_keys()]) + "\n"


def main() -> int:
    """Write the page, or check it."""
    text = page()
    if "--check" in sys.argv[1:]:
        current = PAGE.exists() and PAGE.read_text("utf-8") == text
        if not current:
            sys.stderr.write("docs/dialects.md is not current: python tools/generate_dialect_page.py\n")
        return 0 if current else 1
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
