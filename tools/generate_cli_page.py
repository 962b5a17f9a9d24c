"""Write docs/cli.md from the verbs themselves.

Run `python tools/generate_cli_page.py`; with `--check` it only says whether the page is current.
"""

from __future__ import annotations

import importlib.util
import pathlib
import re
import sys

import click

from ifmatch.cli.program import program
from ifmatch.cli.verbs import VERBS

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "cli.md"
HEAD = """\
# Command line

Written by `python tools/generate_cli_page.py` from the verbs themselves; `ifmatch VERB --help` says the same.

Without a verb, a file is diagnosed, and a status, a header, a cause or a question is explained:
`ifmatch bug.har`, `ifmatch 412`, `ifmatch If-Match`. `-` is standard input. What can be read:
[inputs](inputs.md). What is hidden in every output: [redaction](redaction.md). What a project expects:
[configuration](configuration.md).
"""
STATUSES = """\
## Exit status

| status | says |
|---|---|
| 0 | done; for `diagnose`, no incident at or above `--fail-on` |
| 1 | `diagnose` found at least one incident that is not recovered and not expected control flow |
| 2 | the command line is wrong, an output cannot be written, or an extra is missing (with its install line) |
| 3 | no source could be read; with `--strict` also when a part of one could not |
| 4 | the target cannot be reached, or consent is missing |
| 70 | internal error: one line, and a report file without secrets |
| 130 | interrupted |
| 141 | whoever read the output has gone |

1 never stands for a crash. `--fail-on none` ends with 0 or an error; `low`, `medium` and `high` count
incidents whose first finding has at least that level; `undecided` counts those whose cause is open.

## Environment variables

| variable | what it does |
|---|---|
| `NO_COLOR` | any value that is not empty: no colour, also against `FORCE_COLOR` |
| `FORCE_COLOR` | colour although the output is no terminal, unless it is `0` |
| `TERM` | `dumb`: no colour |
| `COLUMNS` | the width of the text report, when the output is a terminal |
| `_IFMATCH_COMPLETE` | set by the script that `ifmatch completion` prints |

`--color always` and `--color never` beat all of them. No variable holds a credential for ifmatch; those in
the commands of a report (`$TOKEN`, `$COOKIE`; `$ORIGIN`, such as `https://api.example`, where a log names no
host) are for the shell that runs them.
"""


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|").replace("<", "\\<")


def _code(text: str) -> str:
    """Return code for a cell of a table, where a bar would end the cell."""
    return "`" + text.replace("|", "\\|") + "`"


def _option(option: click.Option, context: click.Context) -> str | None:
    record = option.get_help_record(context)
    return None if record is None else f"| {_code(record[0])} | {_cell(record[1])} |"


def _verb(name: str, command: click.Command, parent: click.Context) -> list[str]:
    with click.Context(command, info_name=name, parent=parent, **command.context_settings) as context:
        usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
        options = [one for one in command.get_params(context) if isinstance(one, click.Option)]
        rows = [row for one in options if (row := _option(one, context)) is not None]
    said = command.help or VERBS[name].summary
    lines = [f"## ifmatch {name}", "", VERBS[name].summary, "", "```", usage, "```", ""]
    paragraphs = [one.strip() for one in said.replace("\b\n", "```\n").split("\n\n")]
    for text in paragraphs:
        if text != VERBS[name].summary:
            lines += [f"{text}\n```" if text.startswith("```") else text, ""]
    return [*lines, "| option | what it does |", "|---|---|", *rows, ""]


def page() -> str:
    """Return the text of docs/cli.md; a verb whose module is not there is left out."""
    lines = [HEAD, "| verb | what it does |", "|---|---|"]
    there = [name for name, verb in VERBS.items() if importlib.util.find_spec(verb.module) is not None]
    lines += [f"| [{name}](#ifmatch-{name}) | {_cell(VERBS[name].summary)} |" for name in there]
    lines.append("")
    with click.Context(program, info_name="ifmatch", **program.context_settings) as context:
        for name in there:
            command = program.get_command(context, name)
            if command is not None:
                lines += _verb(name, command, context)
    return "\n".join([*lines, STATUSES])


def main() -> int:
    """Write or check the page."""
    text = page()
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.exists() and PAGE.read_text("utf-8") == text else 1
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
