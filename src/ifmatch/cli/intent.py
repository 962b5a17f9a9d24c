"""Work out what was meant by a command line without a verb.

A file, a URL or a curl command is diagnosed; a status, a header, a cause or a question is explained;
a word that people try instead of a verb names the right one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from ifmatch.cli.paths import is_file, is_there
from ifmatch.cli.verbs import INSTEAD_OF, VERBS
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["is_url", "with_verb"]

_OWN_OPTIONS = frozenset({"-h", "--help", "-V", "--version"})
_URL = late_pattern(r"[A-Za-z][A-Za-z0-9+.-]*://")
_CAPTURE_NAME = late_pattern(
    r"[/\\]|\.(har|json|txt|log|trace|http|curl|out|gz|zip|cap|pcap|flow|flows|saz|chls|xml)$", re.IGNORECASE
)


def is_url(word: str) -> bool:
    """Tell whether a word is an absolute URL."""
    return _URL.match(word) is not None


def with_verb(arguments: Sequence[str]) -> list[str]:
    """Return the command line with the verb that was meant.

    Args:
        arguments: everything after the name of the program.

    Raises:
        click.UsageError: when the word names no verb and nothing that has a meaning; says what is near.
    """
    words = list(arguments)
    if words[0] == "--":
        words = words[1:] or ["--help"]
        if words[0] == "curl":
            return ["diagnose", "--", *words]
    first = words[0]
    if first in VERBS or first in _OWN_OPTIONS:
        return words
    if first.startswith("-") and first != "-":
        return _after_options(words)
    if _names_input(first):
        return ["diagnose", *words]
    if _has_topic(words):
        return ["explain", *words]
    raise click.UsageError(_no_such_verb(first, words[1:]))


def _names_input(word: str) -> bool:
    if word in {"-", "curl"} or is_url(word):
        return True
    if word in INSTEAD_OF and not is_file(word):
        return False
    return is_there(word) or (" " not in word and _CAPTURE_NAME.search(word) is not None)


def _after_options(words: list[str]) -> list[str]:
    # `ifmatch --format json bug.har`: options of a verb, the verb left out.
    for word in words:
        if word.startswith("-") and word != "-":
            continue
        if word in VERBS:
            return words
        if _names_input(word):
            return ["diagnose", *words]
    rest = [word for word in words if not word.startswith("-")]
    if rest and _has_topic(rest):
        return ["explain", *words]
    return words


def _has_topic(words: list[str]) -> bool:
    if words[0] in INSTEAD_OF and len(words) == 1:
        return False
    from ifmatch.cli.topics import find

    if words[0] not in INSTEAD_OF:
        return bool(find([word for word in words if not word.startswith("-")]))
    # "why", "what" and "check" open questions too: only a sentence is one.
    sentence = [word for word in words if not word.startswith("-")]
    return (
        len(sentence) >= 3 and not any(_names_input(word) for word in sentence[1:]) and bool(find(sentence))
    )


def _no_such_verb(word: str, rest: list[str]) -> str:
    advice = INSTEAD_OF.get(word.lower())
    if advice is not None:
        shown = " ".join(rest) or "FILE"
        return f"There is no verb {word!r}. {advice.replace('{rest}', shown)}"
    import difflib

    from ifmatch.cli.topics import names

    near = difflib.get_close_matches(word.lower(), [*VERBS, *names()], n=4, cutoff=0.6)
    near = list(dict.fromkeys(near))  # a word may be a verb and a topic
    near_verb = [
        INSTEAD_OF[name] for name in difflib.get_close_matches(word.lower(), INSTEAD_OF, n=1, cutoff=0.8)
    ]
    if near:
        options = ", ".join(
            f"ifmatch {name}" if name in VERBS else f"ifmatch explain {name}" for name in near
        )
        return f"{word!r} is no verb, no file and no topic. Near: {options}"
    if near_verb:
        return f"There is no verb {word!r}. {near_verb[0].replace('{rest}', ' '.join(rest) or 'FILE')}"
    return f"{word!r} is no verb, no file and no topic. Verbs: {', '.join(VERBS)}. Topics: ifmatch explain"
