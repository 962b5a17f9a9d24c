"""Choose the format of a report and write it where it was asked for."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ifmatch.cli.paths import is_folder, is_there
from ifmatch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FORMATS", "choose_format", "refuse_overwriting", "write_private", "write_report"]

FORMATS: Final = ("text", "markdown", "json", "html", "sarif", "junit")
_BY_SUFFIX: Final = {
    "": "text",
    ".txt": "text",
    ".log": "text",
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".sarif": "sarif",
    ".xml": "junit",
}


def choose_format(chosen: str | None, output: str | None) -> str:
    """Return the format: as chosen, else by the name of the file, else text.

    Args:
        chosen: value of `--format`, None when not given.
        output: value of `-o`, None or `-` for standard output.

    Raises:
        click.UsageError: when the name of the file says nothing.
    """
    if chosen is not None:
        return chosen
    if output is None or output == "-":
        return "text"
    path = Path(output)
    if path.name.lower().endswith(".sarif.json"):
        return "sarif"
    known = _BY_SUFFIX.get(path.suffix.lower())
    if known is None:
        raise click.UsageError(
            f"-o {output}: {path.suffix!r} names no format. Add --format {'|'.join(FORMATS)}, "
            "or end the name "
            "in .html, .json, .md, .sarif, .xml or .txt."
        )
    return known


def refuse_overwriting(output: str | None, sources: Sequence[str]) -> None:
    """Refuse to write the report over a recording.

    Raises:
        click.UsageError: when the output is one of the sources.
    """
    if output is None or output == "-":
        return
    target = Path(output)
    if is_folder(output):
        raise click.UsageError(
            f"-o {output} is a directory. Name a file in it, such as {output.rstrip('/')}/report.html"
        )
    for source in sources:
        if source != "-" and is_there(output) and is_there(source) and target.samefile(source):
            raise click.UsageError(f"-o {output} would overwrite a recording. Name another file.")


def write_report(report: str, output: str | None, *, private: bool) -> None:
    """Write a report in UTF-8, to a file whole or not at all.

    Args:
        report: the text.
        output: path; None or `-` for standard output.
        private: make the file readable for its owner only.

    Raises:
        click.ClickException: when the file cannot be written.
        BrokenPipeError: when nobody reads standard output any more.
    """
    # A lone surrogate in a recording is written as its escape, which is right in JSON too.
    octets = report.encode("utf-8", "backslashreplace")
    if not octets.endswith(b"\n"):
        octets += b"\n"
    try:
        if output is None or output == "-":
            click.echo(octets, nl=False)
            if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison] - closed by the caller
                sys.stdout.flush()
        else:
            _write_file(Path(output), octets, private=private)
    except BrokenPipeError:
        raise
    except OSError as error:
        where = "standard output" if output is None or output == "-" else output
        raise click.ClickException(f"{where} cannot be written: {error.strerror or error}.") from error


def write_private(octets: bytes, output: str) -> None:
    """Write a file for its owner only, whole or not at all.

    Args:
        octets: its content.
        output: path.

    Raises:
        InputError: it cannot be written.
    """
    try:
        _write_file(Path(output), octets, private=True)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", source=output) from error


def _write_file(path: Path, octets: bytes, *, private: bool) -> None:
    target = path.resolve()
    if target.exists() and not target.is_file():  # /dev/null, a named pipe
        target.write_bytes(octets)
        return
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(octets)
        if not private:
            Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
