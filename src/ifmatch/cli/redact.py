"""Take the secrets out of a recording: `ifmatch redact`."""

from __future__ import annotations

import io
from pathlib import Path

import click

from ifmatch.cli.output import write_private
from ifmatch.cli.paths import is_there
from ifmatch.cli.terminal import say

__all__ = ["command"]


@click.command("redact", short_help="Take the secrets out of a recording.")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    help="Write the redacted HAR to FILE; - for standard output.",
)
@click.option(
    "--from",
    "capture_format",
    metavar="FORMAT",
    help="Read as har, curl-verbose, ...  [default: told from the content]",
)
@click.option("--redact-tags", is_flag=True, help="Mask entity tags too.")
@click.option("--show", is_flag=True, help="List on standard error what remains readable.")
def command(
    *, sources: tuple[str, ...], output: str, capture_format: str | None, redact_tags: bool, show: bool
) -> None:
    r"""Write a HAR with every secret masked; equal secrets stay equal, so a diagnosis gives the same.

    \b
    ifmatch redact bug.har -o bug.redacted.har
    ifmatch redact trace.txt --show -o - | less
    """
    from ifmatch.capture.har_writer import write_har
    from ifmatch.capture.redact import Redactor
    from ifmatch.cli.progress import Progress
    from ifmatch.cli.sources import check_sources, read_sources
    from ifmatch.doctor.remaining import remaining

    check_sources(sources)
    if output != "-" and any(
        is_there(source) and is_there(output) and Path(source).samefile(output) for source in sources
    ):
        raise click.UsageError(f"-o {output} would overwrite a recording. Name another file.")
    read = read_sources(sources, capture_format=capture_format, declarations={}, progress=Progress())
    redactor = Redactor(redact_tags=redact_tags)
    for capture in read.captures:
        redactor.learn(capture.exchanges)
    exchanges = [one for capture in read.captures for one in redactor.capture(capture).exchanges]
    stream = io.BytesIO()
    write_har(stream, exchanges)
    if output == "-":
        click.echo(stream.getvalue(), nl=False)
    else:
        write_private(stream.getvalue(), output)
    if show:
        for line in remaining(exchanges):
            say(line)
