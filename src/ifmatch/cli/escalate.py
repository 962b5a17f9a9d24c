"""Write the redacted bundle for whoever must mend it: `ifmatch escalate`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from ifmatch.cli.output import refuse_overwriting, write_private
from ifmatch.cli.terminal import say

__all__ = ["command"]

_NAME: Final = "ifmatch-escalation.zip"


@click.command("escalate", short_help="Write the redacted bundle for whoever must mend it.")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default=_NAME,
    show_default=True,
    help="The zip to write.",
)
@click.option("--incident", "number", metavar="N", type=click.IntRange(min=1), default=1, show_default=True,
              help="Which incident, counted as in the report.")  # fmt: skip
@click.option("--show", is_flag=True, help="List on standard error what remains readable.")
def command(*, sources: tuple[str, ...], output: str, number: int, show: bool) -> None:
    r"""Write a zip for the provider: what was sent, what was expected and by which rule, what came back.

    \b
    ifmatch escalate client.har upstream.har -o for-support.zip

    Holds a one-page summary, the recording without secrets, the page, a script that
    reproduces it with reads, and the questions to answer.
    """
    from ifmatch.capture.redact import Redactor
    from ifmatch.cli.progress import Progress
    from ifmatch.cli.sources import check_sources, read_sources
    from ifmatch.diagnosis import diagnose
    from ifmatch.doctor.bundle import make_bundle, renamed, write_zip
    from ifmatch.doctor.remaining import remaining

    check_sources(sources)
    refuse_overwriting(output, sources)
    if output == _NAME and Path(output).is_symlink():
        # Nobody named it: a link of that name came with the folder, and may lead anywhere.
        raise click.UsageError(f"{output} is a symbolic link. Name the file to write: -o FILE.")
    read = read_sources(sources, capture_format=None, declarations={}, progress=Progress())
    named = renamed(read.captures)
    redactor = Redactor()
    for capture in named:
        redactor.learn(capture.exchanges)
    diagnosis = redactor.diagnosis(diagnose(named))
    if number > len(diagnosis.incidents):
        held = f"{len(diagnosis.incidents)} incident(s)" if diagnosis.incidents else "no incident"
        raise click.UsageError(f"--incident {number}: these recordings hold {held}; see ifmatch diagnose.")
    captures = [redactor.capture(capture) for capture in named]
    bundle = make_bundle(diagnosis, captures, number - 1)
    write_private(write_zip(bundle), output)
    if show:
        for line in remaining([one for capture in captures for one in capture.exchanges]):
            say(line)
    click.echo(f"{output}: {', '.join(name for name, _ in bundle.files)}")
    click.echo("Read SUMMARY.md before you send it: personal data that is no credential is not masked.")
