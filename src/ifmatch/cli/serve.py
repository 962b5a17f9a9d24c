"""Run the practice server: `ifmatch serve`."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ifmatch.cli.exit_status import ExitStatus
from ifmatch.cli.terminal import is_terminal, say, text_width

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["command"]


@click.command(
    "serve",
    short_help="Run a practice server, right or wrong on request.",
    epilog="Exit status: 0 ended by SIGTERM, 2 usage, 4 no port or no store to be had, 130 Ctrl-C.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=4120,
    show_default=True,
    help="Port to listen on; 0 picks a free one.",
)
@click.option("--path", default="/resource", show_default=True, help="Path of the practice resource.")
@click.option(
    "--store",
    metavar="STORE",
    default=None,
    help="memory, sqlite:PATH, postgresql://..., redis://... or s3://BUCKET/PREFIX.  "
    "[default: an SQLite file that is removed at the end]",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Number of processes."
)
@click.option("--compress", is_flag=True, help="Give gzip to clients that take it, with a tag of its own.")
@click.option("--webdav", is_flag=True, help="Heed If and If-Schedule-Tag-Match too.")
@click.option(
    "--quirk",
    "quirks",
    metavar="NAME[,NAME]",
    multiple=True,
    help="Be wrong in this way; NAME=VALUE sets it.",
)
@click.option(
    "--quirk-rate", metavar="SHARE", default="100%", show_default=True, help="Share of requests: 5% or 0.05."
)
@click.option("--quirks", "list_quirks", is_flag=True, help="List the quirks and end.")
def command(
    *,
    host: str,
    port: int,
    path: str,
    store: str | None,
    workers: int,
    compress: bool,
    webdav: bool,
    quirks: tuple[str, ...],
    quirk_rate: str,
    list_quirks: bool,
) -> int:
    """Serve a versioned resource to try clients, tools and yourself against.

    It is right in every respect unless told otherwise. GET, HEAD, PUT, PATCH and
    DELETE work on the resource and on everything below it. Siblings show one thing
    each: -missing, -tagged?etag=E, -dated, -forbidden, -moved, -transform,
    -negotiated. The page -page shows who reads and writes, live.

    With --quirk it is wrong in exactly the way asked for, as real software is.
    """
    if list_quirks:
        _print_quirks()
        return ExitStatus.DONE
    from ifmatch.errors import InputError, StoreUnavailableError
    from ifmatch.reference.options import ServeOptions
    from ifmatch.reference.workers import serve

    names = tuple(name.strip() for given in quirks for name in given.split(",") if name.strip())
    with _store(store) as chosen:
        try:
            options = ServeOptions(
                host=host,
                port=port,
                path=path,
                store=chosen,
                workers=workers,
                compress=compress,
                webdav=webdav,
                quirks=names,
                quirk_rate=_share(quirk_rate),
            )
            by = serve(options, on_ready=_say_ready)
        except InputError as error:
            raise click.UsageError(str(error)) from error
        except StoreUnavailableError as error:
            say(f"ifmatch: --store: {error}")
            return ExitStatus.UNREACHABLE
    if by == signal.SIGINT:
        raise KeyboardInterrupt
    return ExitStatus.DONE


@contextlib.contextmanager
def _store(store: str | None) -> Generator[str]:
    if store is not None:
        yield store
        return
    with tempfile.TemporaryDirectory(prefix="ifmatch-serve-") as folder:
        yield f"sqlite:{Path(folder) / 'practice.sqlite'}"


def _share(text: str) -> float:
    number = text.removesuffix("%")
    try:
        share = float(number) / (100 if number != text else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise click.UsageError(f"--quirk-rate {text}: is no share. Examples: 5%, 0.05, 100%.")
    return share


def _say_ready(url: str) -> None:
    click.echo(f"listening on {url}")
    sys.stdout.flush()
    if is_terminal(sys.stderr):
        click.echo(f"The page to watch: {url}-page   End: Ctrl-C", err=True)


def _print_quirks() -> None:
    from ifmatch.reference.quirks import QUIRKS

    width = text_width(terminal=is_terminal(sys.stdout))
    for quirk in QUIRKS.values():
        takes = f"={quirk.default}" if quirk.value else ""
        click.echo(f"{quirk.name}{takes}")
        rows = [("", quirk.summary), ("cause", f"{quirk.cause}; breaks or uses {quirk.section}")]
        if quirk.value:
            rows.append(("value", f"{quirk.value}; {quirk.default} unless set"))
        rows.append(("seen in", quirk.seen_in))
        for label, text in rows:
            indent = "  " + (f"{label}: " if label else "")
            click.echo(click.wrap_text(text, width, initial_indent=indent, subsequent_indent="    "))
        # A command is never broken: it is there to be copied.
        click.echo(f"  see it: {quirk.curl}\n")
