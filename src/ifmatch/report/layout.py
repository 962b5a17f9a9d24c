"""Break text into lines of a terminal: columns are counted, commands and URLs stay whole."""

from __future__ import annotations

import unicodedata
from typing import Final

from ifmatch.report.words import command_lines, neutralise

_STYLES: Final = {"bold": "1", "red": "1;31", "yellow": "1;33", "green": "1;32", "dim": "2", "cyan": "36"}
_NARROWEST: Final = 20


def columns(text: str) -> int:
    """Return how many columns a text takes on a terminal (wide characters two, combining ones none)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def wrap(text: str, width: int) -> list[str]:
    """Break a text at blanks; break a longer word too, unless it holds a URL.

    Args:
        text: one line, already harmless.
        width: columns of a line.

    Returns:
        At least one line.
    """
    lines: list[str] = []
    current = ""
    for word in text.split():
        candidate = f"{current} {word}" if current else word
        if columns(candidate) <= width:
            current = candidate
            continue
        if current:
            lines.append(current)
        *full, current = _pieces(word, width)
        lines.extend(full)
    lines.append(current)
    return lines


def _pieces(word: str, width: int) -> list[str]:
    if "://" in word or word.startswith("/") or columns(word) <= width:
        return [word]
    pieces = [""]
    used = 0
    for character in word:
        need = columns(character)
        if used + need > width:
            pieces.append("")
            used = 0
        pieces[-1] += character
        used += need
    return pieces


class Page:
    """Collect the lines of a text report.

    Args:
        width: columns of a line.
        colour: whether to mark styles with ANSI sequences.
    """

    def __init__(self, width: int, *, colour: bool) -> None:
        self._width = max(width, _NARROWEST)
        self._colour = colour
        self._lines: list[str] = []

    def paragraph(self, text: str, *, indent: int = 0, mark: str = "", style: str = "") -> None:
        """Add a paragraph, wrapped; continued lines hang below the text after the mark.

        Args:
            text: any text; made harmless here.
            indent: columns before the mark.
            mark: such as `- `.
            style: a name of a style, "" for none.
        """
        hanging = indent + len(mark)
        for number, line in enumerate(wrap(neutralise(text), max(self._width - hanging, _NARROWEST // 2))):
            start = " " * indent + mark if number == 0 else " " * hanging
            self._add(start + line, style)

    def command(self, label: str, command: str, *, indent: int) -> None:
        """Add a command after its label, never wrapped."""
        lines = command_lines(command)
        if not lines:
            return
        self._add(f"{' ' * indent}{label}: {lines[0]}", "cyan")
        for line in lines[1:]:
            self._add(f"{' ' * (indent + 2)}{line}", "cyan")

    def heading(self, text: str, *, indent: int = 0) -> None:
        """Add a heading."""
        self._add(" " * indent + text, "bold")

    def blank(self) -> None:
        """Add an empty line unless there is one already."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def _add(self, line: str, style: str = "") -> None:
        line = line.rstrip()
        self._lines.append(f"\x1b[{_STYLES[style]}m{line}\x1b[0m" if self._colour and style else line)

    def __str__(self) -> str:
        return "\n".join(self._lines).rstrip("\n") + "\n"
