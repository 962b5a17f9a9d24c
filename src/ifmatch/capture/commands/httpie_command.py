"""Turn the arguments of HTTPie into those of curl: `http PUT host/x If-Match:'"1"' name=value`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, cast

from ifmatch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["curl_words"]

_ITEM = re.compile(r"((?:[^\\:=@]|\\.)+?)(:=@|=@|:=|==|:|=|@)(.*)", re.DOTALL)
_METHOD = re.compile(r"[A-Za-z]+")
_PLAIN: Final = {
    "--verify=no": ["-k"], "--follow": ["-L"], "-F": ["-L"], "--http2": ["--http2"], "--compress": [],
    "-x": [],
}  # fmt: skip
_WITH_ARGUMENT: Final = {
    "-a": "-u", "--auth": "-u", "--proxy": "-x", "--cert": "--cert", "--cert-key": "--key", "--timeout": "-m",
    "--verify": "--cacert", "--raw": "--data-raw", "-A": "", "--auth-type": "", "-o": "-o", "--output": "-o",
    "--session": "", "--session-read-only": "", "-p": "", "--print": "", "-s": "", "--style": "",
    "--pretty": "",
    "--max-redirects": "", "--ssl": "", "--ciphers": "",
}  # fmt: skip


def curl_words(arguments: Sequence[str], *, secure: bool = False) -> list[str]:
    """Return the arguments of the curl command that sends the same request.

    Args:
        arguments: of `http` or `https`, the name left out.
        secure: whether URLs without a scheme are https.

    Raises:
        InputError: no URL is there, or an item is no JSON where it has to be.
    """
    found: list[str] = []
    words: list[str] = []
    form = False
    bearer = False
    left = iter(arguments)
    for word in left:
        name, equals, value = word.partition("=")
        if word in {"-f", "--form"}:
            form = True
        elif word in _PLAIN:
            found += _PLAIN[word]
        elif word.startswith("-") and (word in _WITH_ARGUMENT or (equals and name in _WITH_ARGUMENT)):
            argument = value if equals else next(left, "")
            key = name if equals else word
            bearer = bearer or (key in {"-A", "--auth-type"} and argument == "bearer")
            found += [_WITH_ARGUMENT[key], argument] if _WITH_ARGUMENT[key] else []
        elif not word.startswith("-"):
            words.append(word)
    if bearer and "-u" in found:
        found[found.index("-u")] = "--oauth2-bearer"
    method = ""
    if len(words) > 1 and _METHOD.fullmatch(words[0]) and not _ITEM.fullmatch(words[0]):
        method = words.pop(0).upper()
    if not words:
        raise InputError(
            "there is no URL in this command", source="http", expected="http PUT host/path If-Match:..."
        )
    url = words[0] if "://" in words[0] else f"{'https' if secure else 'http'}://{_host(words[0])}"
    items = list(_items(words[1:], form=form))
    sends = any(word in {"--data-raw", "--data-urlencode", "-F"} for word in (*items, *found))
    return [*found, "-X", method or ("POST" if sends else "GET"), *items, url]


def _host(text: str) -> str:
    return f"localhost{text}" if text.startswith((":", "/")) else text


def _items(words: Sequence[str], *, form: bool) -> Iterator[str]:
    members: dict[str, object] = {}
    kinds = {match[2] for word in words if (match := _ITEM.fullmatch(word)) is not None}
    multipart = form and "@" in kinds
    for word in words:
        match = _ITEM.fullmatch(word)
        if match is None:
            raise InputError(
                f"{word!r} is no item", source="http", expected="Name:value, name=value, name:=json"
            )
        name, sign, value = re.sub(r"\\(.)", r"\1", match[1]), match[2], match[3]
        if sign == ":":
            yield from ("-H", f"{name}:{value}" if value else f"{name}:")
        elif sign == "==":
            yield from ("--url-query", f"{name}={value}")
        elif sign == "=" and form:
            yield from ("-F" if multipart else "--data-urlencode", f"{name}={value}")
        elif sign == "@" and form:
            yield from ("-F", f"{name}=@{value}")
        elif sign == "=":
            members[name] = value
        elif sign == ":=":
            members[name] = _json(name, value)
        else:
            raise InputError(
                f"{word!r}: files in items are not read", source="http", advice="Use --raw, or curl"
            )
    if members:
        yield from ("-H", "Content-Type: application/json", "-H", "Accept: application/json, */*;q=0.5")
        yield from ("--data-raw", json.dumps(members))


def _json(name: str, value: str) -> object:
    try:
        return cast("object", json.loads(value))
    except ValueError as error:
        raise InputError(f"{name}:={value}: is no JSON ({error})", source="http") from None
