"""Split a command into words as the shell does that it was written for; text only, nothing is run.

Three shells: POSIX (bash, zsh: quotes, backslash, `$'...'`), `cmd` of Windows (caret), PowerShell
(back-tick). Variables are not filled in: `$TOKEN` stays as it is, and the parser says so.
"""

from __future__ import annotations

import enum
import re
from typing import Final

__all__ = ["Shell", "UnclosedQuoteError", "quoted_piece", "split_words", "which_shell"]


class Shell(enum.StrEnum):
    """The shell that a command was written for."""

    POSIX = "posix"
    CMD = "cmd"
    POWERSHELL = "powershell"


class UnclosedQuoteError(ValueError):
    """Say that a quote is never closed.

    Args:
        position: 0-based offset of the quote in the text.
        quote: as written.
    """

    def __init__(self, position: int, quote: str) -> None:
        super().__init__(position, quote)
        self.position = position
        self.quote = quote


_ENDS: Final = frozenset("|;&><\n")
_ANSI: Final = {
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip
_ANSI_NUMBER = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})")
_CARET = re.compile(r"\^[\"^&|<>%!()\n]|\^$", re.MULTILINE)
_BACKTICK = re.compile(r"`[ \t]*(?:\n|$)")
_POWERSHELL_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "e": "\x1b"}


def which_shell(text: str) -> Shell:
    """Tell which shell a command was written for, by its continuation lines and escapes.

    Args:
        text: the whole command.
    """
    if re.search(r"\\\n|\$'", text):
        return Shell.POSIX
    if _CARET.search(text) and not re.search(r"'[^'\n]*\^[^'\n]*'", text):
        return Shell.CMD
    if _BACKTICK.search(text) or re.search(r"`\"|^\s*curl\.exe\b", text):
        return Shell.POWERSHELL
    return Shell.POSIX


def split_words(text: str, shell: Shell | None = None) -> list[str]:
    """Split the first command of a text into its words.

    Args:
        text: the command; what stands behind a pipe, a redirection or an unescaped line end is left out.
        shell: that it was written for; None to tell from the text.

    Returns:
        The words without their quotes.

    Raises:
        UnclosedQuoteError: a quote is never closed.
    """
    text = text.replace("\r\n", "\n")
    match shell or which_shell(text):
        case Shell.CMD:
            return _split_cmd(text)
        case Shell.POWERSHELL:
            return _Splitter(text, escape="`").words()
        case Shell.POSIX:
            return _Splitter(text, escape="\\").words()


def quoted_piece(text: str, position: int) -> tuple[str, int]:
    """Read one quoted piece of a command for a POSIX shell.

    Args:
        text: the command.
        position: of `'`, `"` or `$'` in it.

    Returns:
        The piece without its quotes, octets that are no UTF-8 replaced, and the position behind it.

    Raises:
        UnclosedQuoteError: it is never closed.
    """
    splitter = _Splitter(text, escape="\\", position=position)
    piece = splitter.piece()
    if text[position] == "$":
        piece = piece.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return piece, splitter.position


class _Splitter:
    """Split by quotes and one escape character: the POSIX shell and PowerShell."""

    def __init__(self, text: str, *, escape: str, position: int = 0) -> None:
        self.text = text
        self.escape = escape
        self.posix = escape == "\\"
        self.position: int = position
        self.word: list[str] | None = None

    def words(self) -> list[str]:
        found: list[str] = []
        while self.position < len(self.text):
            character = self.text[self.position]
            if character in _ENDS:
                if self._redirects():
                    continue
                break
            if character.isspace():
                self._finish(found)
                self.position += 1
            elif character == "#" and self.word is None and self.posix:
                break
            else:
                self._take(character)
        self._finish(found)
        return found

    def piece(self) -> str:
        self._take(self.text[self.position])
        return "".join(self.word or ())

    def _redirects(self) -> bool:
        # `2>&1` and `> file`: what goes elsewhere is no word, but options may follow.
        match = re.compile(r"&?>>?[ \t]*(?:&\d|[^\s|;&]+)").match(self.text, self.position)
        if match is None:
            return False
        if self.word is not None and "".join(self.word) in {"1", "2"}:
            self.word = None
        self.position = match.end()
        return True

    def _finish(self, found: list[str]) -> None:
        if self.word is not None:
            found.append("".join(self.word))
            self.word = None

    def _add(self, text: str) -> None:
        if self.word is None:
            self.word = []
        self.word.append(text)

    def _take(self, character: str) -> None:
        start = self.position
        if character == "'":
            end = self._closing("'", start + 1)
            piece = self.text[start + 1 : end]
            self._add(piece)
            self.position = end + 1
            if not self.posix and self.text.startswith("'", self.position):
                self._add("'")  # '' within '...' is a quote in PowerShell
        elif character == '"':
            self._double(start)
        elif self.posix and self.text.startswith("$'", start):
            self._ansi(start)
        elif self.posix and self.text.startswith('$"', start):
            self.position += 1
        elif character == self.escape:
            following = self.text[start + 1 : start + 2]
            if self.posix:
                if following != "\n":
                    self._add(following)
                self.position = start + 2
            else:
                continued = _BACKTICK.match(self.text, start)
                if continued is None:
                    self._add(_POWERSHELL_ESCAPES.get(following, following))
                self.position = continued.end() if continued is not None else start + 2
        else:
            self._add(character)
            self.position += 1

    def _closing(self, quote: str, start: int) -> int:
        end = self.text.find(quote, start)
        if end < 0:
            raise UnclosedQuoteError(start - 1, quote)
        return end

    def _double(self, start: int) -> None:
        position = start + 1
        piece: list[str] = []
        while position < len(self.text):
            character = self.text[position]
            following = self.text[position + 1 : position + 2]
            if character == '"':
                if not self.posix and following == '"':
                    piece.append('"')
                    position += 2
                    continue
                self._add("".join(piece))
                self.position = position + 1
                return
            if character == self.escape and (not self.posix or following in {'"', "\\", "$", "`", "\n"}):
                if self.posix:
                    piece.append("" if following == "\n" else following)
                else:
                    piece.append("" if following == "\n" else _POWERSHELL_ESCAPES.get(following, following))
                position += 2
            elif not self.posix and character == "\\" and following == '"':
                # Windows PowerShell hands \" on to the program, which reads it as a quote.
                position += 1
            else:
                piece.append(character)
                position += 1
        raise UnclosedQuoteError(start, '"')

    def _ansi(self, start: int) -> None:
        position = start + 2
        octets = bytearray()
        while position < len(self.text):
            character = self.text[position]
            if character == "'":
                self._add(octets.decode("utf-8", "surrogateescape"))
                self.position = position + 1
                return
            if character != "\\":
                octets += character.encode("utf-8", "surrogatepass")
                position += 1
                continue
            number = _ANSI_NUMBER.match(self.text, position + 1)
            following = self.text[position + 1 : position + 2]
            if number is not None:
                octets += _octets_of(number)
                position = number.end()
            else:
                octets += _ANSI.get(following, f"\\{following}").encode("utf-8", "surrogatepass")
                position += 2
        raise UnclosedQuoteError(start, "$'")


def _octets_of(number: re.Match[str]) -> bytes:
    r"""Return what `\xHH`, `\uHHHH`, `\UHHHHHHHH` or an octal number stands for."""
    if number[1] or number[4]:
        return bytes([int(number[1], 16) if number[1] else int(number[4], 8) & 0xFF])
    code = int(number[2] or number[3], 16)
    return chr(code).encode("utf-8", "surrogatepass") if code <= 0x10FFFF else b"\xef\xbf\xbd"


def _split_cmd(text: str) -> list[str]:
    r"""Split as `cmd` and then the C runtime of Windows do: first carets, then quotes and `\"`."""
    words: list[str] = []
    word: list[str] | None = None
    quoted = False  # of the C runtime; a quote behind a caret is one for it, too
    literal = False  # of cmd: within plain quotes a caret is a caret
    opened = position = 0
    while position < len(text):
        character = text[position]
        following = text[position + 1 : position + 2]
        caret = character == "^" and not literal
        if caret:
            position += 1
            if following == "\n":
                # A continued line; an empty one behind it is how developer tools write a line feed.
                if text.startswith("\n", position + 1):
                    word = [*(word or []), "\n"]
                    position += 1
                position += 1
                continue
            character = following
            following = text[position + 1 : position + 2]
        position += 1
        if character == "\\" and _escaped_quote(text, position) and (quoted or word is not None):
            word = [*(word or []), '"']
            position += 2 if text[position] == "^" else 1
        elif character == '"':
            if quoted and following == '"' and not caret:
                word = [*(word or []), '"']  # "" within quotes is a quote
                position += 1
                continue
            quoted = not quoted
            opened = position - 1
            if not caret:
                literal = not literal
            word = word or []
        elif not quoted and not caret and character in "|&><\n":
            break
        elif not quoted and character.isspace():
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            word = word or []
            word.append(character)
    if quoted:
        raise UnclosedQuoteError(opened, '"')
    return [*words, *(["".join(word)] if word is not None else [])]


def _escaped_quote(text: str, position: int) -> bool:
    return text.startswith(('"', '^"'), position)
