"""Read the scripts that nock writes: `nock('https://host').put('/path', body).reply(412, body, fields)`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from ifmatch.model.json_values import elements_in, members_in

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_nock_script", "nock_records"]

_Record = dict[str, object]

_SCOPE: Final = re.compile(r"\bnock\(\s*(?=['\"`]https?://)")
_SIGN: Final = re.compile(
    rb"\bnock\(\s*['\"`]https?://[^\n]{1,300}\)\s*(?:,\s*\{[^}]{0,200}\}\)\s*)?\n?\s*\."
)
_CALL: Final = re.compile(r"\s*\.\s*(\w+)\s*\(")
_SPACE: Final = re.compile(r"(?:\s|//[^\n]*\n|/\*.*?\*/)*", re.DOTALL)
_WORD: Final = re.compile(r"[\w$.+-]+")
_ESCAPED: Final = re.compile(r"\\(u\{[0-9A-Fa-f]+\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|\r?\n|.)", re.DOTALL)
_PLAIN: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_METHODS: Final = frozenset({"get", "put", "post", "patch", "delete", "head", "options", "merge"})
_DEEP: Final = 40


class _Unread:
    """Stand for what is no literal: a function, a regular expression, a call."""


_UNREAD: Final = _Unread()


def is_nock_script(head: bytes) -> bool:
    """Tell whether a script holds calls that nock wrote.

    Args:
        head: begin of the source.
    """
    return b"nock(" in head and b".reply(" in head and _SIGN.search(head) is not None


def nock_records(source: str) -> tuple[list[_Record], bool]:
    """Return the exchanges of a script as nock has them in JSON, and whether the last one is whole.

    Args:
        source: text of the script.
    """
    found: list[_Record] = []
    whole = True
    for start in _SCOPE.finditer(source):
        whole = False
        for one in _chain(source, start.end()):
            whole = True
            # Some record each exchange for both schemes.
            twin = found[-1] if found else {}
            if any(twin.get(name) != one.get(name) for name in ("method", "path", "status", "headers")):
                found.append(one)
            elif str(one["scope"]).startswith("https:"):
                found[-1] = one
    return found, whole


def _chain(source: str, position: int) -> Iterator[_Record]:
    """Yield what the calls behind one scope record."""
    arguments, position = _arguments(source, position)
    if not arguments or not isinstance(arguments[0], str):
        return
    scope, fields = arguments[0], _members(arguments[1:], "reqheaders")
    asked: _Record = {}
    while (call := _CALL.match(source, position)) is not None:
        name = call[1]
        arguments, position = _arguments(source, call.end())
        if position > len(source):
            return
        texts = [one for one in arguments[:2] if isinstance(one, str)]
        if name in _METHODS and arguments:
            asked = {"method": name, "path": arguments[0], "body": arguments[1] if arguments[1:] else None}
        elif name == "intercept" and len(texts) > 1:
            body = arguments[2] if arguments[2:] else None
            asked = {"method": texts[1], "path": texts[0], "body": body}
        elif name == "matchHeader" and len(texts) > 1:
            fields = {**fields, texts[0]: texts[1]}
        elif name == "reply" and isinstance(asked.get("path"), str) and arguments:
            body = None if asked["body"] == "*" or isinstance(asked["body"], _Unread) else asked["body"]
            yield {
                **asked, "scope": scope, "body": body, "reqheaders": fields, "status": arguments[0],
                "response": arguments[1] if arguments[1:] and not isinstance(arguments[1], _Unread) else None,
                "headers": _fields(arguments[2]) if arguments[2:] else None,
            }  # fmt: skip
            asked = {}


def _members(values: list[object], name: str) -> _Record:
    found: _Record = {}
    for one in values:
        found = found or members_in(one)
    return members_in(found.get(name))


def _fields(value: object) -> object:
    """Return fields as names with values: nock writes an object, or names and values in turn."""
    flat = list(elements_in(value))
    if flat:
        return [{"name": name, "value": said} for name, said in zip(flat[::2], flat[1::2], strict=False)]
    return members_in(value) or None


def _arguments(source: str, position: int) -> tuple[list[object], int]:
    """Return the arguments of a call, and where it ends.

    Args:
        source: text of the script.
        position: behind the opening parenthesis.
    """
    return _listed(source, position, ")", 0)


def _listed(source: str, position: int, closing: str, depth: int) -> tuple[list[object], int]:
    found: list[object] = []
    while True:
        position = _skipped(source, position)
        if position >= len(source) or source[position] == closing:
            return found, position + 1
        if source[position] == ",":
            position += 1
            continue
        value, position = _value(source, position, depth + 1)
        end = _skipped(source, position)
        if source[end : end + 1] not in {",", closing}:
            # A literal was only the begin of an expression.
            value, end = _UNREAD, _passed(source, position)
        found.append(value)
        position = end


def _skipped(source: str, position: int) -> int:
    found = _SPACE.match(source, position)
    return found.end() if found is not None else position


def _value(source: str, position: int, depth: int) -> tuple[object, int]:
    sign = source[position : position + 1]
    if sign and sign in "'\"`":
        return _string(source, position)
    if sign == "[" and depth < _DEEP:
        return _listed(source, position + 1, "]", depth)
    if sign == "{" and depth < _DEEP:
        return _object(source, position + 1, depth)
    word = _WORD.match(source, position)
    if word is None:
        return _UNREAD, _passed(source, position)
    if word[0] in {"true", "false", "null"}:
        return {"true": True, "false": False, "null": None}[word[0]], word.end()
    try:
        return json.loads(word[0]), word.end()
    except ValueError:
        return _UNREAD, _passed(source, position)


def _object(source: str, position: int, depth: int) -> tuple[object, int]:
    found: dict[str, object] = {}
    while True:
        position = _skipped(source, position)
        if position >= len(source) or source[position] == "}":
            return found, position + 1
        if source[position] == ",":
            position += 1
            continue
        if source[position] in "'\"`":
            name, position = _string(source, position)
        else:
            word = _WORD.match(source, position)
            if word is None:
                return _UNREAD, _passed(source, position)
            name, position = word[0], word.end()
        position = _skipped(source, position)
        if source[position : position + 1] != ":":
            return _UNREAD, _passed(source, position)
        found[name], position = _value(source, _skipped(source, position + 1), depth + 1)


def _string(source: str, position: int) -> tuple[str, int]:
    quote = source[position]
    end = position + 1
    while end < len(source) and source[end] != quote:
        end += 2 if source[end] == "\\" else 1
    return _ESCAPED.sub(_meant, source[position + 1 : end]), end + 1


def _meant(found: re.Match[str]) -> str:
    sign = found[1]
    if sign[0] in "ux" and len(sign) > 1:
        return chr(min(int(sign.strip("ux{}"), 16), 0x10FFFF))
    return "" if sign.endswith("\n") else _PLAIN.get(sign, sign)


def _passed(source: str, position: int) -> int:
    """Return where an expression ends: at the comma or the closing sign that is not inside it."""
    waiting: list[str] = []
    while position < len(source):
        sign = source[position]
        if sign in "'\"`":
            position = _string(source, position)[1]
            continue
        if sign in _CLOSING:
            waiting.append(_CLOSING[sign])
        elif waiting and sign == waiting[-1]:
            waiting.pop()
        elif not waiting and sign in ",)]}":
            break
        position += 1
    return position
