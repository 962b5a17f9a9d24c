"""Hide in shell commands: credentials become variables, all else stays fit to be run.

Source: POSIX.1-2024, Shell Command Language, section 2.2 (quoting).
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final, TypeAlias

from ifmatch.capture.redaction.contents import redact_text
from ifmatch.capture.redaction.header_fields import is_shown, redact_field
from ifmatch.capture.redaction.masks import MASKED
from ifmatch.capture.redaction.urls import redact_url
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.capture.redaction.masks import Hiding

# Word, option and program before it -> the word as shown, and the same two before the next word.
Memory: TypeAlias = "dict[tuple[str, str, str | None], tuple[str, str, str | None]]"

# Blanks and a word; else all that is left, from a quote on that is not closed: no shell would run it.
_WORDS: Final = late_pattern(
    r"(\s*)((?:'[^']*'|\$'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\\.|[^\s'\"\\]++)++)|(.+)", re.DOTALL
)
_QUOTING: Final = late_pattern(r"[\\'\"]")
_VARIABLE: Final = late_pattern(r"\s*\$(?:\w+|\{\w+\}|\([\w -]+\))\s*")
# To `date` and `diff` the same letters say other things.
_LIKE_CURL: Final = frozenset({"curl", "curlie", "ifmatch"})
_LIKE_HTTPIE: Final = frozenset({"http", "https", "xh", "xhs"})
_TAKING_HEADERS: Final = frozenset({"hey", "oha", "ab", "wrk", "h2load"})
_SEPARATOR: Final = frozenset({";", "&&", "||", "|", "&", "do", "then", "else", "{", "(", "!", "time"})
_ASSIGNMENT: Final = late_pattern(r"[A-Za-z_]\w*=")
_JOINED: Final = late_pattern(r"(--[a-z0-9-]+)=(.+)|(-[HubdeAUF])(.+)", re.DOTALL)
_HEADER: Final = frozenset({"-H", "--header", "--proxy-header"})
_CREDENTIALS: Final = {
    "-u": "$CREDENTIALS",
    "--user": "$CREDENTIALS",
    "-U": "$PROXY_CREDENTIALS",
    "--proxy-user": "$PROXY_CREDENTIALS",
    "-a": "$CREDENTIALS",
    "--auth": "$CREDENTIALS",
    "-b": "$COOKIE",
    "--cookie": "$COOKIE",
    "--oauth2-bearer": "$TOKEN",
    "--password": "$PASSWORD",
    "--pass": "$PASSWORD",
    "--token": "$TOKEN",
    "--api-key": "$API_KEY",
}
_BODIES: Final = frozenset(
    {
        "-d",
        "--data",
        "--data-raw",
        "--data-binary",
        "--data-ascii",
        "--data-urlencode",
        "--json",
        "-F",
        "--form",
    }
)
_OTHERS: Final = frozenset({"-e", "--referer", "-A", "--user-agent", "--url"})
_VARIABLES: Final = {
    "authorization": "$TOKEN",
    "proxy-authorization": "$PROXY_TOKEN",
    "cookie": "$COOKIE",
    "x-api-key": "$API_KEY",
    "api-key": "$API_KEY",
    "apikey": "$API_KEY",
}


def redact_command(command: str, hiding: Hiding, memory: Memory | None = None) -> str:
    """Hide in a command as a report prints it.

    Args:
        command: one shell command or several lines of them.
        hiding: how to hide.
        memory: words of commands shown before with the same knowledge of secrets, which is added to: the
            commands of one report share most of their words.

    Returns:
        The command; `-H 'Authorization: Bearer x'` becomes `-H "Authorization: $TOKEN"`, likewise
        for cookies, keys and `-u`; URLs and bodies are hidden by position.
    """
    parts: list[str] = []
    option = ""
    program: str | None = None  # None: the next word names it
    memory = {} if memory is None else memory
    for gap, word, rest in _WORDS.findall(command):
        if rest:
            parts.append(hiding.text(rest))
            break
        if "\n" in gap:
            program, option = None, ""
        asked = (word, option, program)
        known = memory.get(asked)
        if known is None:
            known = memory[asked] = _next(word, option, program, hiding)
        shown, option, program = known
        parts += (gap, shown)
    return "".join(parts)


def _next(word: str, option: str, program: str | None, hiding: Hiding) -> tuple[str, str, str | None]:
    """Return a word as it is shown, and the option and the program before the next word."""
    if word in _SEPARATOR:
        program, option = None, ""
    named = _program(word, program)
    shown, option = _word(word, option, named or "", hiding)
    return (shown, "", None) if word.endswith(";") else (shown, option, named)


def _program(word: str, before: str | None) -> str | None:
    """Return the program whose argument a word is: itself when it stands first."""
    before_word, opens, inner = word.rpartition("$(")
    if opens and not before_word.startswith(("'", '"')):
        return inner.rpartition("/")[2]
    if before is not None or word in _SEPARATOR or _ASSIGNMENT.match(word) is not None:
        return before
    return word.lstrip("(`").rpartition("/")[2]


def _takes(program: str, option: str) -> bool:
    """Tell whether the argument of an option is a header, a credential, a body or a URL to this program."""
    if (
        option not in _HEADER
        and option not in _CREDENTIALS
        and option not in _BODIES
        and option not in _OTHERS
    ):
        return False
    if option in {"-a", "--auth"}:
        return program in _LIKE_HTTPIE
    if option.startswith("--") or program in _LIKE_CURL:
        return True
    return option == "-H" and program in _TAKING_HEADERS


def _word(word: str, option: str, program: str, hiding: Hiding) -> tuple[str, str]:
    """Return a word as it is shown, and the option whose argument the next word is."""
    plain = _unquoted(word)
    if plain is None:
        return hiding.text(word), ""
    if option:
        return _argument(option, word, plain, hiding), ""
    if _takes(program, plain):
        return word, plain
    joined = _JOINED.fullmatch(plain)
    if joined is not None:
        name = joined.group(1) or joined.group(3)
        value = joined.group(2) or joined.group(4)
        if _takes(program, name):
            shown = _argument(name, value, value, hiding)
            return (word if shown == value else (name + "=" if joined.group(1) else name) + shown), ""
    return _quoted(word, plain, _free(plain, hiding)), ""


def _unquoted(word: str) -> str | None:
    if word.startswith("$'"):
        return word[2:-1]
    # Most words need no parsing: nothing quoted, or all of it in one pair of single quotes.
    if not _QUOTING.search(word):
        return word
    if word[0] == word[-1] == "'" and word.count("'") == 2:
        return word[1:-1]
    try:
        words = shlex.split(word)
    except ValueError:
        return None
    return words[0] if len(words) == 1 else ("" if not words else None)


def _free(plain: str, hiding: Hiding) -> str:
    if "://" in plain or (plain.startswith("/") and "?" in plain):
        return redact_url(plain, hiding) if not any(c.isspace() for c in plain) else hiding.text(plain)
    return hiding.text(plain)


def _quoted(word: str, plain: str, shown: str) -> str:
    """Return the word itself when nothing was hidden, else the new one quoted anew."""
    if shown == plain:
        return word
    if word.startswith('"') and "$" in plain and not re.search(r'["`\\]', shown):
        return f'"{shown}"'
    return shlex.quote(shown)


def _argument(option: str, word: str, plain: str, hiding: Hiding) -> str:
    if option in _HEADER:
        return _header(word, plain, hiding)
    variable = _CREDENTIALS.get(option)
    if variable is not None:
        named_file = option in {"-b", "--cookie"} and "=" not in plain and not MASKED.search(plain)
        if not plain or _VARIABLE.fullmatch(plain) or (named_file and hiding.tokens(plain) == plain):
            return word
        return f'"{variable}"'
    if option in _BODIES:
        if plain.startswith(("@", "<")) or _VARIABLE.fullmatch(plain):
            return _quoted(word, plain, hiding.text(plain))
        if option in {"-F", "--form"}:
            return _quoted(word, plain, _form_part(plain, hiding))
        return _quoted(word, plain, redact_text(plain, "", hiding))
    return _quoted(word, plain, _free(plain, hiding))


def _form_part(plain: str, hiding: Hiding) -> str:
    return (
        redact_text(plain, "application/x-www-form-urlencoded", hiding)
        if "&" not in plain
        else hiding.text(plain)
    )


def _header(word: str, plain: str, hiding: Hiding) -> str:
    name, colon, value = plain.partition(":")
    text = value.strip()
    if not colon or not text or _VARIABLE.fullmatch(text):
        return word if hiding.tokens(plain) == plain else shlex.quote(hiding.text(plain))
    key = name.strip().lower()
    if key in _VARIABLES or not is_shown(key):
        shown = _VARIABLES.get(key) or "$" + re.sub(r"\W", "_", key).upper()
        scheme = text.partition(" ")
        if _VARIABLE.fullmatch(scheme[2]):
            return word  # `Authorization: Bearer $TOKEN` was made safe by its author
        return f'"{hiding.tokens(name)}: {shown}"'
    return _quoted(word, plain, f"{name}: {redact_field(key, text, hiding)}" if text else plain)
