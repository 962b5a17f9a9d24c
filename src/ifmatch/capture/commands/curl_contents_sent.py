"""Make the content that curl makes of `-d`, `--json`, `--data-urlencode` and `-F`."""

from __future__ import annotations

import mimetypes
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_from_bytes

from ifmatch.errors import InputError
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Part", "encode_form", "join_data", "urlencoded"]

_LINE_ENDS: Final = re.compile(rb"[\r\n\0]")


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def join_data(data: Sequence[tuple[str, str]], read_file: Callable[[str], bytes]) -> bytes:
    """Return the content of all `-d` and `--json` options together.

    Args:
        data: (long option name, argument), in order.
        read_file: for `@file`.

    Raises:
        InputError: a file cannot be read.
    """
    content = b""
    for number, (option, argument) in enumerate(data):
        # --json pieces are strung together, those of -d joined by an ampersand.
        joint = b"&" if number and option != "json" else b""
        content += joint + _piece(option, argument, read_file)
    return content


def _piece(option: str, argument: str, read_file: Callable[[str], bytes]) -> bytes:
    if option == "data-urlencode":
        return _encoded(argument, read_file).encode("ascii")
    if option == "data-raw" or not argument.startswith("@"):
        return _octets(argument)
    content = read_file(argument[1:])
    return content if option in {"data-binary", "json"} else _LINE_ENDS.sub(b"", content)


def urlencoded(data: Sequence[tuple[str, str]], read_file: Callable[[str], bytes]) -> str:
    """Return the same as a query, for `-G`.

    Args:
        data: as for `join_data`.
        read_file: as for `join_data`.
    """
    return join_data(data, read_file).decode("utf-8", "surrogateescape")


def _encoded(argument: str, read_file: Callable[[str], bytes]) -> str:
    """Encode `content`, `=content`, `name=content`, `@file` or `name@file`."""
    match = re.match(r"([^=@]*)([=@])", argument)
    if match is None:
        return quote_from_bytes(_octets(argument), safe="")
    name, sign, rest = match[1], match[2], argument[match.end() :]
    content = read_file(rest) if sign == "@" else _octets(rest)
    encoded = quote_from_bytes(content, safe="").replace("%20", "+")
    return f"{name}={encoded}" if name else encoded


class Part(Frozen, frozen=True):
    """One part of a form.

    Attributes:
        name: of the field.
        content: octets.
        filename: None for a plain value.
        media_type: value of Content-Type, "" for none.
    """

    name: str
    content: bytes
    filename: str | None = None
    media_type: str = ""

    @classmethod
    def parse(cls, literal: bool, argument: str, read_file: Callable[[str], bytes]) -> Part:
        """Read the argument of `-F` or `--form-string`.

        Args:
            literal: True for `--form-string`, where `@` and `;` mean nothing.
            argument: `name=content`, `name=@file;type=...;filename=...` or `name=<file`.
            read_file: for files.

        Raises:
            InputError: the argument has no `=`, or a file cannot be read.
        """
        name, equals, rest = argument.partition("=")
        if not equals:
            raise InputError(f"-F {argument!r}: has no =", source="command", expected="name=content")
        if literal:
            return cls(name, _octets(rest))
        value, options = _with_options(rest)
        kind = options.get("type", "")
        if value.startswith("<"):
            return cls(name, read_file(value[1:]), None, kind)
        if value.startswith("@"):
            path = value[1:]
            shown = options.get("filename", re.split(r"[/\\]", path)[-1])
            guessed = mimetypes.guess_type(shown)[0] or "application/octet-stream"
            return cls(name, read_file(path), shown, kind or guessed)
        return cls(name, _octets(value), options.get("filename"), kind)


def _with_options(text: str) -> tuple[str, dict[str, str]]:
    """Split `value;type=...;filename=...`; a value in quotes may hold semicolons."""
    if text.startswith('"'):
        quoted = re.match(r'"((?:[^"\\]|\\.)*)"', text)
        if quoted is not None:
            value = re.sub(r"\\(.)", r"\1", quoted[1])
            return value, _parameters(text[quoted.end() :])
    match = re.search(r";\s*(?:type|filename|headers|encoder)=", text)
    if match is None:
        return text, {}
    return text[: match.start()], _parameters(text[match.start() :])


def _parameters(text: str) -> dict[str, str]:
    pattern = r';\s*(type|filename)=("(?:[^"\\]|\\.)*"|[^;]*)'
    return {name: re.sub(r"\\(.)", r"\1", value.strip('"')) for name, value in re.findall(pattern, text)}


def encode_form(parts: Sequence[Part], boundary: str) -> bytes:
    """Return the content of a form (RFC 7578 section 4).

    Args:
        parts: in order.
        boundary: between them.
    """
    pieces: list[bytes] = []
    for part in parts:
        shown = f'; filename="{_quoted(part.filename)}"' if part.filename is not None else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(part.name)}"{shown}\r\n'
        if part.media_type:
            head += f"Content-Type: {part.media_type}\r\n"
        pieces += [_octets(head), b"\r\n", part.content, b"\r\n"]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()])


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
