"""Talk to the terminal: colour, width, lines on standard error, safe characters."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from typing import IO, TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["is_terminal", "printable", "say", "tell", "text_width", "wants_colour"]


def is_terminal(stream: IO[str] | None) -> bool:
    """Tell whether a person is looking at this stream."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def wants_colour(choice: str, *, terminal: bool, environment: Mapping[str, str] | None = None) -> bool:
    """Decide about colour.

    Args:
        choice: `always`, `never` or `auto`.
        terminal: whether the output goes to a terminal.
        environment: NO_COLOR (any value) beats FORCE_COLOR (any value but `0`), which beats TERM=dumb;
            None for the environment of this process.
    """
    variables = os.environ if environment is None else environment
    if choice != "auto":
        return choice == "always"
    if variables.get("NO_COLOR"):
        return False
    if variables.get("FORCE_COLOR", "0") not in {"", "0"}:
        return True
    return terminal and variables.get("TERM") != "dumb"


def text_width(*, terminal: bool) -> int:
    """Return the columns to write for: 80, or what the terminal has between 40 and 100."""
    if not terminal:
        return 80
    return min(max(shutil.get_terminal_size().columns, 40), 100)


def printable(text: str) -> str:
    """Return text without control characters, which could drive the terminal; they are shown as escapes."""
    return "".join(
        character
        if character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def say(text: str) -> None:
    """Write a line to standard error, which never fails for an unknown character."""
    click.echo(_encodable(text, sys.stderr), err=True)


def tell(text: str) -> None:
    """Write text that may hold what a server or a file said to standard output, as harmless as `say` does."""
    click.echo(_encodable(text, sys.stdout))


def _encodable(text: str, stream: IO[str] | None) -> str:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return printable(text).encode(encoding, "backslashreplace").decode(encoding)
