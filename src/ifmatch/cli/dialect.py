"""List, show and check dialects, how API families spell a precondition: `ifmatch dialect`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ifmatch.cli.exit_status import ExitStatus
from ifmatch.cli.terminal import say

__all__ = ["command"]


@click.group("dialect", short_help="List, show and check how API families spell a precondition.")
def command() -> None:
    r"""Show how API families spell a precondition, and check a file about another one.

    \b
    ifmatch dialect list
    ifmatch dialect show gcs-json > my-api.toml
    ifmatch dialect check my-api.toml
    ifmatch diagnose bug.har --dialect my-api.toml

    In words: ifmatch explain dialect gcs-json
    """


@command.command("list")
def list_dialects() -> None:
    """List the ids and names of all dialects, installed ones included."""
    from ifmatch.dialects import all_dialects

    found = sorted(all_dialects(), key=lambda one: one.id)
    width = max(len(one.id) for one in found) + 2
    for one in found:
        click.echo(f"{one.id.ljust(width)}{one.name}")


@command.command("show")
@click.argument("dialect_id", metavar="ID")
def show(*, dialect_id: str) -> None:
    """Print the data of a dialect, TOML where it comes from a file: a start for one of your own."""
    from ifmatch.dialects import dialect
    from ifmatch.dialects.registry import text_of

    found = dialect(dialect_id)
    if found is None:
        raise click.UsageError(_unknown(dialect_id))
    click.echo(text_of(found), nl=False)


@command.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(*, files: tuple[Path, ...]) -> int:
    """Check dialect files; each fault is told with its key and what was expected there."""
    from ifmatch.dialects import read_file, with_own
    from ifmatch.errors import InputError

    status = ExitStatus.DONE
    for path in files:
        try:
            found = read_file(path)
            try:
                with_own([found])
            except InputError as error:
                raise InputError(error.text, source=str(path), advice=error.advice) from error
        except InputError as error:
            say(f"ifmatch: {error}")
            status = ExitStatus.UNREADABLE
            continue
        parts = {"mark": found.marks, "guard": found.guards, "token": found.tokens, "signal": found.signals}
        counts = ", ".join(
            f"{len(part)} {name}{'' if len(part) == 1 else 's'}" for name, part in parts.items()
        )
        click.echo(f"{path}: {found.id} ({found.name}) is well formed: {counts}")
    if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison] - closed by the caller
        sys.stdout.flush()
    return status


def _unknown(asked: str) -> str:
    import difflib

    from ifmatch.dialects import all_dialects

    ids = [one.id for one in all_dialects()]
    near = [one for one in ids if asked.lower() in one] or difflib.get_close_matches(asked.lower(), ids, n=3)
    nearest = f" Near: {', '.join(near)}." if near else ""
    return f"There is no dialect {asked!r}.{nearest} All of them: ifmatch dialect list"
