"""Put back the version that a repair replaced, conditionally: `ifmatch undo`."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ifmatch.cli.live_options import LiveOptions, at_one_place, connection_options, make_sender, with_route
from ifmatch.cli.terminal import is_terminal, say, tell

if TYPE_CHECKING:
    from ifmatch.doctor.journal import Entry

__all__ = ["command"]


@click.command(
    "undo",
    short_help="Put back the version that a repair replaced.",
    epilog="Exit status: 0 put back, 1 refused (somebody wrote since), 5 the outcome is unknown.",
)
@click.argument("number", metavar="ID", type=int, required=False)
@click.option("--list", "listed", is_flag=True, help="List the repairs of the last seven days.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@connection_options
def command(*, number: int | None, listed: bool, yes: bool, **live: Any) -> int:
    r"""Put back the version before repair ID, as long as nobody has written since.

    \b
    ifmatch undo --list
    ifmatch undo 3 -H 'Authorization: ...'
    """
    from ifmatch.doctor import Journal
    from ifmatch.doctor.journal import default_path
    from ifmatch.doctor.undoing import Refusal, undo

    journal = Journal(default_path())
    if listed or number is None:
        rows = journal.entries()
        tell("\n".join(map(_line, rows)) if rows else "No repairs in the last seven days.")
        return 0
    entry = journal.entry(number)
    expected = entry.tag_after or "nothing"
    say(f"{_line(entry)}\nThe version before is put back if the resource still has {expected}.")
    if not yes and is_terminal(sys.stdin) and not click.confirm("Go on?", err=True):
        return 1
    options = LiveOptions(**live)
    given = [
        (name.strip(), value.strip()) for name, _, value in (one.partition(":") for one in options.headers)
    ]
    with make_sender(options, typed=True, source="undo") as sender:
        done = undo(
            entry,
            journal,
            sender,
            given,
            time.time,
            routed=lambda failing: at_one_place(with_route(failing, options), options),
        )
    if isinstance(done, Refusal):
        say(f"ifmatch: {done.text}")
        return 5 if done.unknown else 1
    click.echo(f"put back; to undo this: ifmatch undo {done}")
    return 0


def _line(entry: Entry) -> str:
    from ifmatch.capture.redact import Redactor

    when = datetime.fromtimestamp(entry.at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    undone = f", undone by {entry.undone_by}" if entry.undone_by else ""
    return f"{entry.id}  {when}  {entry.method} {Redactor().url(entry.url)}  {entry.how}{undone}"
