"""Answer who breaks if preconditions are enforced: `ifmatch rollout`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from ifmatch.errors import InputError

__all__ = ["command"]


@click.command("rollout", short_help="Answer who breaks if preconditions are enforced.")
@click.argument("reports", metavar="REPORT...", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the answer.",
)
@click.option("--notice", is_flag=True, help="Draft the notice for clients instead, in Markdown.")
@click.option("--service", default="our API", show_default=True, help="Name of the service in the notice.")
@click.option("--date", default="(date)", help="Day in the notice from which on it is demanded.")
def command(*, reports: tuple[str, ...], form: str, notice: bool, service: str, date: str) -> None:
    """Answer who breaks if preconditions are enforced, and what is lost while they are not.

    \b
    ifmatch rollout rollout-*.json
    ifmatch rollout rollout-*.json --notice --service Notes --date 1-March

    REPORT is a file that a Shadow of ifmatch.server saved, - for standard input. Several are put together:
    one for each process, or one for each day.
    """  # noqa: D301 -- click wants the control character itself
    from ifmatch.cli.terminal import printable
    from ifmatch.server import rollout

    together = rollout.merge((name, _read(name)) for name in reports)
    if notice:
        text = rollout.notice(together, service=service, date=date)
    elif form == "json":
        text = json.dumps(rollout.as_json(together), indent=2) + "\n"
    else:
        text = rollout.as_text(together) + "\n"
    click.echo(printable(text).encode(), nl=False)


def _read(name: str) -> object:
    try:
        octets = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror or error}", source=name) from None
    try:
        decoded: object = json.loads(octets)
    except ValueError:
        raise InputError("this is no JSON", source=name, expected="a report that Shadow.save wrote") from None
    return decoded
