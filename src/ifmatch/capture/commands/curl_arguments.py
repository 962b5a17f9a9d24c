"""Take the arguments of curl apart: options with their arguments, configuration files, several operations."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from ifmatch.capture.commands.curl_options import FLAGS, LETTERS, WITH_ARGUMENT
from ifmatch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["CurlArguments", "FileReader", "Surroundings", "collect"]

_VARIABLE = re.compile(r"\$(?:\{\w+\}|\w+|\()|%\w+%|`[^`\n]+`")
_DATA: Final = frozenset({"data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "json"})
_WATCHED: Final = frozenset({"url", "header", "user", "cookie", "oauth2-bearer", "request", *_DATA})
_MOST_CONFIG_DEPTH: Final = 8


class FileReader(Protocol):
    """Read a file that a command names (`-d @file`, `-T file`, `-K file`)."""

    def __call__(self, name: str, /) -> bytes:
        """Return its octets; `-` is standard input.

        Raises:
            InputError: it cannot be read.
        """
        ...


@dataclass(slots=True)
class CurlArguments:
    """The options of one operation, as they add up.

    Attributes:
        single: options of which the last one counts, by long name.
        flags: options without an argument, by long name; False after `--no-...`.
        headers: arguments of `-H`.
        urls: as written.
        uploads: arguments of `-T`.
        data: (long name, argument) of `-d` and its kin, in order.
        form: (long name, argument) of `-F` and `--form-string`, in order.
        cookies: arguments of `-b`.
        repeated: arguments of other options that add up, by long name.
    """

    single: dict[str, str] = field(default_factory=dict[str, str])
    flags: dict[str, bool] = field(default_factory=dict[str, bool])
    headers: list[str] = field(default_factory=list[str])
    urls: list[str] = field(default_factory=list[str])
    uploads: list[str] = field(default_factory=list[str])
    data: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    form: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    cookies: list[str] = field(default_factory=list[str])
    repeated: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing that makes a request was given."""
        return not (self.urls or self.data or self.form or self.headers or self.single or self.uploads)


@dataclass(slots=True)
class Surroundings:
    """What reading a command needs, and what it leaves.

    Attributes:
        read_file: for `@file`, `-T`, `-K`.
        boundary: for `-F`; curl's is random too.
        source: name for messages.
        warnings: what was not understood or cannot be kept, each once, in order.
    """

    read_file: FileReader
    boundary: str
    source: str = "command"
    warnings: dict[str, None] = field(default_factory=dict[str, None])

    def warn(self, text: str) -> None:
        """Keep a warning."""
        self.warnings[text] = None


def collect(words: Sequence[str], around: Surroundings) -> list[CurlArguments]:
    """Return the options of each operation; `--next` starts another.

    Args:
        words: the arguments of curl.
        around: gets the warnings.

    Raises:
        InputError: an option lacks its argument, or a configuration file cannot be read.
    """
    groups = [CurlArguments()]
    _collect(words, groups, around, 0)
    return [group for group in groups if not group.is_empty]


def _collect(words: Sequence[str], groups: list[CurlArguments], around: Surroundings, depth: int) -> None:
    for name, argument in _options(words, around):
        if name == "next":
            groups.append(CurlArguments())
        elif name == "config":
            if depth >= _MOST_CONFIG_DEPTH:
                raise InputError("configuration files name each other without end", source=argument)
            text = around.read_file(argument).decode("utf-8", "replace")
            _collect(list(_config_words(text)), groups, around, depth + 1)
        else:
            _take(groups[-1], name, argument, around)


def _options(words: Sequence[str], around: Surroundings) -> Iterator[tuple[str, str]]:
    """Yield each option by its long name with its argument; a plain word is `url`."""
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if not word.startswith("-") or word == "-":
            yield "url", word
            continue
        if word.startswith("--"):
            name, equals, argument = word[2:].partition("=")
            name = _long_name(name)
            if name in WITH_ARGUMENT:
                if not equals:
                    argument, position = _argument(words, position, word, around.source)
                yield name, argument
            elif name in FLAGS or name.removeprefix("no-") in FLAGS:
                yield name, ""
            else:
                around.warn(f"--{name}: unknown option, ignored")
            continue
        for index, letter in enumerate(word[1:], 2):
            name = LETTERS.get(letter, "")
            if not name:
                around.warn(f"-{letter}: unknown option, ignored")
            elif name in WITH_ARGUMENT:
                argument = word[index:]
                if not argument:
                    argument, position = _argument(words, position, f"-{letter}", around.source)
                yield name, argument
                break
            else:
                yield name, ""


def _long_name(name: str) -> str:
    """Return a name that may be shortened as curl allows: unambiguous beginnings count."""
    if name in WITH_ARGUMENT or name in FLAGS or name.removeprefix("no-") in FLAGS or len(name) < 3:
        return name
    fits = [known for known in (*WITH_ARGUMENT, *FLAGS) if known.startswith(name)]
    return fits[0] if len(fits) == 1 else name


def _argument(words: Sequence[str], position: int, option: str, source: str) -> tuple[str, int]:
    if position >= len(words):
        raise InputError(f"option {option} lacks its argument", source=source)
    return words[position], position + 1


_CONFIG_LINE = re.compile(r"\s*(-{0,2}[\w.#-]+|-?:)(?:\s*[=:]\s*|\s+)?(.*?)\s*$")


def _config_words(text: str) -> Iterator[str]:
    """Yield the words of a configuration file (`-K`): an option a line, dashes may be left out."""
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _CONFIG_LINE.match(line)
        if match is None:
            continue
        name, value = match[1], match[2]
        yield name if name.startswith("-") else f"--{name}"
        if value.startswith('"'):
            end = re.compile(r'"((?:[^"\\]|\\.)*)').match(value)
            inner = end[1] if end is not None else value[1:]
            yield re.sub(
                r"\\(.)", lambda found: {"n": "\n", "t": "\t", "r": "\r"}.get(found[1], found[1]), inner
            )
        elif value:
            yield value.split()[0]


def _take(options: CurlArguments, name: str, argument: str, around: Surroundings) -> None:
    variable = _VARIABLE.search(argument) if name in _WATCHED else None
    if variable is not None and name != "json":
        around.warn(f"{variable[0]} in --{name} is a variable of a shell; it is taken literally")
    if name.startswith("expand-"):
        around.warn(f"--{name}: variables of curl are not filled in")
        name = name.removeprefix("expand-")
    if name == "url":
        options.urls.append(argument)
    elif name == "upload-file":
        options.uploads.append(argument)
    elif name == "header":
        options.headers.append(argument)
    elif name in _DATA:
        options.data.append((name, argument))
    elif name in {"form", "form-string"}:
        options.form.append((name, argument))
    elif name == "cookie":
        options.cookies.append(argument)
    elif name in {"resolve", "connect-to", "url-query"}:
        options.repeated.setdefault(name, []).append(argument)
    elif name in WITH_ARGUMENT:
        options.single[name] = argument
    else:
        options.flags[name.removeprefix("no-")] = not name.startswith("no-")
