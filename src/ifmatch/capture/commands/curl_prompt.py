"""Read the shell prompt line above a curl trace: method, URL, fields and content of what was sent.

A trace shows the size of the request content only; the command shows the content itself. This reader knows
the options that shape the request and skips all others; it never refuses a command.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ifmatch.capture.commands.shell_words import UnclosedQuoteError, quoted_piece
from ifmatch.capture.texts.field_lines import INVISIBLE, TAG_FIELDS
from ifmatch.model.unknown import UNKNOWN, UnknownType

if TYPE_CHECKING:
    from collections.abc import Sequence

# A prompt ends in one of these signs; a command at the start of a line needs an option or a URL behind it.
COMMAND = re.compile(
    r"(?:[^\n]{0,120}?[$#%>\u276f\u279c\u00bb][ \t]?|`|[$]\w{1,40} ?= ?(?:\S{0,120}[\\/])?)?"
    r"[ \t]*curl(?:\.exe)?[ \t]+(?=\S)"
)
_LIKELY = re.compile(r"(?:^|\s)-{1,2}[A-Za-z#]|https?:", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_MAXIMAL_LINES = 5000
CURLY: Final = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'"})
# `-H "If-Match: "v2""`: the backslashes before the inner quotes are gone, as they are in Markdown.
_LOST_ESCAPES: Final = re.compile(
    r'((?:-H|--header)[ =]?"(?:if-(?:none-)?match|if-range): ?)((?:W/)?"[^"\n\\]*")(?=")', re.IGNORECASE
)
_OPTION: Final = re.compile(r"[ \t]*-{1,2}[A-Za-z][\w-]*(?:[ =]|\Z)")
# As developer tools write a command for `cmd`: a caret before each sign that `cmd` would read.
_CARETS: Final = re.compile(r"\^(?=[\"\\{])|\^[ \t]*(?:\n|\Z)")
_TAGS: Final = re.compile(r'(?:(?:W/)?"[^"]*"(?:, *|\Z))+\Z|\*\Z')
_POSIX_QUOTES: Final = re.compile(r"(?:curl(?:\.exe)?|\s-{1,2}[A-Za-z][\w-]*)[ \t]+[$]?'")
_CARET_ESCAPE: Final = re.compile(r"(?<=%)\^(?=\w)|\^([^\w\n])")
# Lines that end a command whose quote was never closed.
_NO_COMMAND = re.compile(r"(?:[*<>{}] |HTTP/\d|== Info: )")

_DATA: Final = {"--data", "--data-ascii", "--data-binary", "--data-raw", "--json", "--data-urlencode"}
_LONG: Final = {
    "-X": "--request", "-d": "--data", "-H": "--header", "-T": "--upload-file", "-F": "--form",
    "-I": "--head", "-G": "--get", "-A": "--user-agent", "-u": "--user", "-b": "--cookie",
    "-e": "--referer",
}  # fmt: skip
# Options that take an argument; of most only that matters.
_SHORT_WITH_ARGUMENT: Final = frozenset("XdHTFAubeomwxcECDKPQrtUyYzh")
_LONG_WITH_ARGUMENT: Final = frozenset({
    "--request", "--header", "--upload-file", "--form", "--form-string", "--user-agent", "--user",
    "--cookie",
    "--referer", "--url", "--output", "--max-time", "--write-out", "--proxy", "--cookie-jar",
    "--cert",
    "--continue-at", "--dump-header", "--config", "--range", "--telnet-option", "--proxy-user",
    "--speed-time", "--speed-limit",
    "--time-cond", "--connect-timeout", "--connect-to", "--resolve", "--cacert", "--capath",
    "--key", "--key-type", "--cert-type", "--ciphers", "--retry", "--retry-delay", "--retry-max-time",
    "--trace", "--trace-ascii", "--trace-config", "--stderr", "--interface", "--limit-rate", "--max-filesize",
    "--max-redirs", "--unix-socket", "--abstract-unix-socket", "--noproxy", "--preproxy", "--socks5",
    "--socks5-hostname", "--socks4", "--socks4a", "--oauth2-bearer", "--etag-save", "--etag-compare",
    "--aws-sigv4", "--tls-max", "--tls13-ciphers", "--dns-servers", "--doh-url", "--expect100-timeout",
    "--keepalive-time", "--local-port", "--pass", "--pinnedpubkey", "--proto", "--proto-default",
    "--proto-redir", "--proxy-header", "--request-target", "--url-query", "--variable", "--rate",
    "--happy-eyeballs-timeout-ms", "--parallel-max", "--netrc-file", "--haproxy-clientip", "--output-dir",
}) | _DATA  # fmt: skip


@dataclass(slots=True)
class CurlPrompt:
    """What a curl command says about the request.

    Attributes:
        line: 1-based line of the command.
        last_line: 1-based line where it ends.
        method: "" when the command leaves it to curl and curl's choice is GET.
        urls: as written, a scheme put before those without one.
        fields: of `-H` and the options that stand for a field.
        content: None when the command sends none, UNKNOWN when it comes from a file or a form.
        shows_response_head: whether `-i` or `-I` is there.
        repaired: whether pasting had damaged its quotes.
    """

    line: int
    last_line: int
    method: str = ""
    urls: list[str] = field(default_factory=list[str])
    fields: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    content: str | UnknownType | None = None
    shows_response_head: bool = False
    repaired: bool = False


def is_command(line: str) -> bool:
    """Tell whether a line is a curl command, with or without a prompt before it."""
    if "curl" not in line[:240]:
        return False
    found = COMMAND.match(line)
    return found is not None and _LIKELY.search(line, found.end() - 1) is not None


def split_words(text: str) -> tuple[list[str], int]:
    """Split a command into words as a POSIX shell does, `$'...'` included; never refuse.

    Args:
        text: the command and what stands below it.

    Returns:
        The words, and the index of the line end behind the command; -1 when a quote is never closed.
    """
    words: list[str] = []
    word: list[str] = []
    started = ended = False
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\n":
            break
        if character in "'\"" or text.startswith("$'", position):
            try:
                piece, position = quoted_piece(text, position)
            except UnclosedQuoteError:
                return words, -1
            word.append("" if ended else piece)
            started = True
            continue
        following = text[position + 1 : position + 2]
        position += 1
        if character in "\\^`" and (following == "\n" or (following and character == "\\")):
            if following != "\n":
                word.append(following)
                started = True
            position += 1
        elif character.isspace():
            if started and not ended:
                words.append("".join(word))
            word, started = [], False
        elif character in "|;>" and not started:
            # A pipe or a redirection: nothing behind it belongs to curl.
            ended = True
        elif not (character in "12&" and not started and following == ">"):
            word.append(character)
            started = True
    return [*words, *(["".join(word)] if started and not ended else [])], position


def read_prompt(lines: Sequence[str | None], index: int) -> CurlPrompt:
    """Read the command that starts at a line.

    Args:
        lines: all lines of the source.
        index: 0-based line of the command.
    """
    pieces: list[str] = []
    for line in lines[index : index + _MAXIMAL_LINES]:
        if line is None or (pieces and (_NO_COMMAND.match(line) or is_command(line))):
            break
        # Blanks behind a continuation sign are lost on the wire and gained in mails.
        stripped = line.rstrip("\r")
        trimmed = stripped.rstrip(" \t")
        if pieces and _OPTION.match(stripped) and pieces[-1][-1:] not in {"\\", "^", "`"}:
            # The sign that continues a command got lost where an option starts a line.
            pieces[-1] += " \\"
        pieces.append(trimmed if trimmed.endswith("\\") else stripped)
    found = COMMAND.match(pieces[0])
    start = found.end() if found else 0
    pasted = _without_carets("\n".join(pieces)[start:])
    text = _repaired(pasted)
    words, end = split_words(text)
    if end < 0:
        words, end = split_words(pieces[0][start:].replace("'", "").replace('"', ""))
    prompt = CurlPrompt(index + 1, index + 1 + text.count("\n", 0, end), repaired=text != pasted)
    return interpret(words, prompt)


def _without_carets(text: str) -> str:
    """Return a command for `cmd` of Windows as one for a POSIX shell: what its carets shield stands alone.

    Source: DevTools, `Copy as cURL (cmd)`; older versions do not put a caret before the outer quotes. A line
    end is `^`, line end, empty line there.
    """
    if _CARETS.search(text) is None or _POSIX_QUOTES.search(f"curl {text}") is not None:
        return text
    if "\\" not in text:
        # They were lost on the way; `^^` before a quote can only have been `^\\^`.
        text = text.replace('^^"', '^\\^"')
    continued = re.sub(r"\^[ \t]*\n", "\\\\\n", text)
    return _CARET_ESCAPE.sub(lambda found: found[1] or "", continued)


def straightened(text: str) -> str:
    """Undo what word processors do to a command: curly quotes, which no shell knows, and invisible signs.

    Args:
        text: of the command, or a part of it.
    """
    return text if text.isascii() else INVISIBLE.sub("", text.translate(CURLY))


def _repaired(text: str) -> str:
    """Undo what pasting does to a command: curly quotes, which no shell knows, and lost backslashes."""
    return _LOST_ESCAPES.sub(lambda found: found[1] + found[2].replace('"', '\\"'), straightened(text))


def _options(words: list[str]) -> list[tuple[str, str]]:
    """Return each option with its argument; a plain word is the option `--url`."""
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word.startswith("--") and len(word) > 2:
            name, _, argument = word.partition("=")
            if not argument and name in _LONG_WITH_ARGUMENT:
                argument = words[position] if position < len(words) else ""
                position += 1
            found.append((name, argument))
        elif word.startswith("-") and len(word) > 1:
            for index, letter in enumerate(word[1:], 2):
                argument = ""
                takes = letter in _SHORT_WITH_ARGUMENT
                if takes:
                    argument = word[index:]
                    if not argument:
                        argument = words[position] if position < len(words) else ""
                        position += 1
                found.append((_LONG.get(f"-{letter}", f"-{letter}"), argument))
                if takes:
                    break
        else:
            found.append(("--url", word))
    return found


def interpret(words: list[str], prompt: CurlPrompt) -> CurlPrompt:
    """Take what the words of a command say.

    Args:
        words: behind `curl`.
        prompt: takes it.
    """
    data: list[str] = []
    from_file = upload = as_query = head = False
    for name, argument in _options(words):
        match name:
            case "--request":
                prompt.method = argument
            case "--url":
                prompt.urls.append(argument if _SCHEME.match(argument) else f"http://{argument}")
            case "--header":
                key, _, value = argument.partition(":")
                if "\n" in value:
                    # Broken by a mail program; what stands before the second line may be the mail's own.
                    value = " ".join(value.replace("\0", "").split())
                    if key.strip().lower() in TAG_FIELDS and _TAGS.match(value) is None:
                        continue
                if value.strip():
                    prompt.fields.append((key.strip(), value.strip()))
            case "--upload-file":
                upload = True
            case "--form" | "--form-string":
                from_file = True
            case "--get":
                as_query = True
            case "--head":
                head = prompt.shows_response_head = True
            case "-i" | "--include" | "--show-headers":
                prompt.shows_response_head = True
            case _ if name in _DATA:
                from_file = (
                    from_file
                    or name == "--data-urlencode"
                    or (argument.startswith("@") and name != "--data-raw")
                )
                data.append(argument)
            case _:
                pass
    if as_query:
        # The data is part of the query then; the request line in the trace has it.
        data, from_file = [], False
    if upload or from_file:
        prompt.content = UNKNOWN
    elif data:
        separator = "" if any(name == "--json" for name, _ in _options(words)) else "&"
        prompt.content = separator.join(data)
    if not prompt.method:
        prompt.method = "PUT" if upload else "HEAD" if head else "POST" if data or from_file else ""
    return prompt
