"""Let two writers collide on this machine and diagnose it: `ifmatch demo`."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ifmatch.cli.exit_status import ExitStatus
from ifmatch.cli.output import write_report
from ifmatch.cli.terminal import is_terminal, text_width, wants_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.model.diagnosis import Diagnosis
    from ifmatch.model.exchange import Capture, Exchange

__all__ = ["command"]


@click.command("demo", short_help="Let two writers collide on this machine and diagnose it.")
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    default="ifmatch-demo",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the recordings and the pages go.",
)
@click.option(
    "--color",
    "colour",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour of the text report.",
)
def command(*, output: Path, colour: str) -> int:
    """Show a 412 from start to end on a server of this machine.

    Two people edit one document at the same time. The second write is refused,
    the recorded traffic is diagnosed, and the repair keeps both changes. Then a
    412 that no other writer caused. Nothing leaves this machine.
    """
    from ifmatch.reference.demonstration import demonstrate, nobody_else
    from ifmatch.reference.running import require_uvicorn

    require_uvicorn()
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(
            f"--output {output}: no folder can be made there: {error.strerror}."
        ) from error
    _headline("1. Two writers")
    shown = demonstrate(lambda line: click.echo(f"  {line}"))
    _write_captures(output, (*shown.collision, shown.repair))
    _diagnosed(shown.collision, output / "collision.html", colour)
    _headline("2. The repair: refresh, rebase, retry")
    for line in shown.repaired:
        click.echo(f"  {line}")
    if not shown.both_kept:
        raise RuntimeError(f"the repair lost a change: {shown.final}")
    click.echo("  Both changes are there. A fresh tag without the rebase would have lost Ben's.")
    _headline("3. The same status, and nobody else wrote")
    alone = nobody_else(lambda line: click.echo(f"  {line}"))
    _write_captures(output, (alone,))
    _summed_up((alone,), output / "encoder.html")
    _headline("What to look at next")
    click.echo(_next(output))
    return ExitStatus.DONE


def _headline(text: str) -> None:
    click.echo(f"\n{text}\n{'=' * len(text)}\n")


def _diagnose(captures: Sequence[Capture]) -> Diagnosis:
    from ifmatch.capture.redact import Redactor
    from ifmatch.diagnosis import diagnose

    redactor = Redactor()
    for capture in captures:
        redactor.learn(capture.exchanges)
    return redactor.diagnosis(diagnose(captures))


def _summed_up(captures: Sequence[Capture], page: Path) -> None:
    """Print the verdict in a few lines; the page has the rest."""
    from ifmatch.model.catalogue import causes
    from ifmatch.report import render

    diagnosis = _diagnose(captures)
    finding = diagnosis.incidents[0].findings[0]
    click.echo(f"\n$ ifmatch diagnose {page.parent / captures[0].name}\n")
    click.echo(f"  {causes()[finding.cause].title} ({finding.cause})")
    click.echo(click.wrap_text(finding.summary, 78, "    ", "    "))
    for evidence in finding.evidence[:2]:
        click.echo(click.wrap_text(f"+ {evidence.text}", 78, "    ", "      "))
    write_report(render(diagnosis, "html"), str(page), private=False)


def _diagnosed(captures: Sequence[Capture], page: Path, colour: str) -> None:
    from ifmatch.report import render

    diagnosis = _diagnose(captures)
    names = " ".join(str(page.parent / capture.name) for capture in captures)
    terminal = is_terminal(sys.stdout)
    coloured = wants_colour(colour, terminal=terminal)
    click.echo(f"\n$ ifmatch diagnose {names}\n")
    click.echo(render(diagnosis, "text", colour=coloured, width=text_width(terminal=terminal)), color=True)
    write_report(render(diagnosis, "html"), str(page), private=False)


def _write_captures(folder: Path, captures: Sequence[Capture]) -> None:
    for capture in captures:
        write_report(_har(capture.exchanges), str(folder / capture.name), private=False)


def _har(exchanges: Sequence[Exchange]) -> str:
    from ifmatch.capture.har_writer import write_har

    stream = io.BytesIO()
    write_har(stream, exchanges, creator="ifmatch demo")
    return stream.getvalue().decode()


def _next(folder: Path) -> str:
    return "\n".join(
        (
            f"  {folder / 'collision.html'}   the page: who read what, who wrote what, why 412",
            f"  {folder / 'encoder.html'}   the 412 that an encoder caused",
            f"  ifmatch diagnose {folder / 'ana.har'}   the same from what Ana alone can see",
            "  ifmatch explain other-writer   the cause in full",
            "  ifmatch learn   a dozen exercises, each checked; ifmatch serve   a server to try things on",
        )
    )
