"""Read and write JSON so that nothing changes on the way: numbers keep their spelling, depth is no limit.

Source: RFC 8259; duplicate names are refused as RFC 8259 section 4 calls their meaning unpredictable.
"""

from __future__ import annotations

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import TYPE_CHECKING, Final, Self, TypeAlias, cast

from ifmatch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["JsonValue", "SpelledFloat", "parse_json", "write_json"]

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

_space = re.compile(r"[ \t\n\r]*+").match
_number = re.compile(r"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][-+]?[0-9]++)?").match
_LITERALS: Final = {"n": ("null", None), "t": ("true", True), "f": ("false", False)}
_scan_string = cast("Callable[[str, int, bool], tuple[str, int]]", scanstring)
_surrogate = re.compile("[\ud800-\udfff]").search
# int() refuses longer texts by default (CVE-2020-10735), and no JSON number of a document needs them.
_LONGEST_INTEGER = 4_300
# Containers in one another that are written by recursion.
_QUICK_DEPTH: Final = 64


class SpelledFloat(float):
    """A float that remembers how it was written: `1.10`, `1E2` and 30 digits come out as they came in.

    Attributes:
        spelling: the text of the number.
    """

    __slots__ = ("spelling",)
    spelling: str

    def __new__(cls, spelling: str) -> Self:
        """Make the number of a spelling that JSON allows."""
        made = super().__new__(cls, spelling)
        made.spelling = spelling
        return made

    def __reduce__(self) -> tuple[type[SpelledFloat], tuple[str]]:
        return (SpelledFloat, (self.spelling,))


def _refuse(text: str, source: str, position: int) -> InputError:
    line = text.count("\n", 0, position) + 1
    return InputError(
        "this is not JSON" if position < len(text) else "the JSON text ends too early",
        source=source,
        offset=len(text[:position].encode("utf-8", "surrogatepass")),
        line=line,
        expected="one JSON value (RFC 8259)",
    )


class _Parser:
    """Read one text with an explicit stack of open containers."""

    def __init__(self, text: str, source: str) -> None:
        self.text = text
        self.source = source
        self.open: list[tuple[list[JsonValue] | dict[str, JsonValue], str]] = []

    def fail(self, position: int) -> InputError:
        return _refuse(self.text, self.source, position)

    def skip(self, position: int) -> int:
        match = _space(self.text, position)
        assert match is not None  # noqa: S101 - the pattern matches the empty text
        return match.end()

    def scalar(self, position: int) -> tuple[JsonValue, int]:
        """Read a string, number or literal at the position."""
        first = self.text[position : position + 1]
        if first == '"':
            try:
                return _scan_string(self.text, position + 1, True)
            except json.JSONDecodeError as error:
                raise self.fail(error.pos) from None
        literal = _LITERALS.get(first)
        if literal is not None and self.text.startswith(literal[0], position):
            return literal[1], position + len(literal[0])
        match = _number(self.text, position)
        if match is None:
            raise self.fail(position)
        if match[1] is not None or match[2] is not None:
            return SpelledFloat(match[0]), match.end()
        if len(match[0]) > _LONGEST_INTEGER or match[0] == "-0":
            # -0 is a number of its own that int cannot hold; a float with a spelling can.
            return SpelledFloat(match[0]), match.end()
        return int(match[0]), match.end()

    def member_name(self, position: int, into: dict[str, JsonValue]) -> tuple[str, int]:
        """Read `"name" :` and return the name and where its value starts."""
        if self.text[position : position + 1] != '"':
            raise self.fail(position)
        try:
            name, end = _scan_string(self.text, position + 1, True)
        except json.JSONDecodeError as error:
            raise self.fail(error.pos) from None
        if name in into:
            raise InputError(
                f"the name {name!r} occurs twice in one object",
                source=self.source,
                line=self.text.count("\n", 0, position) + 1,
                advice="Which of the two counts differs from reader to reader: remove one",
            )
        end = self.skip(end)
        if self.text[end : end + 1] != ":":
            raise self.fail(end)
        return name, self.skip(end + 1)

    def parse(self) -> JsonValue:
        """Read the whole text."""
        position = self.skip(0)
        while True:
            value, position, opened = self.begin(position)
            if opened:
                continue
            finished, value, position = self.close(value, position)
            if finished:
                if position != len(self.text):
                    raise self.fail(position)
                return value

    def begin(self, position: int) -> tuple[JsonValue, int, bool]:
        """Read a scalar or an empty container, or open a container and stop before its first value."""
        first = self.text[position : position + 1]
        if first == "[":
            position = self.skip(position + 1)
            if self.text[position : position + 1] == "]":
                return [], position + 1, False
            self.open.append(([], ""))
            return None, position, True
        if first == "{":
            position = self.skip(position + 1)
            if self.text[position : position + 1] == "}":
                return {}, position + 1, False
            members: dict[str, JsonValue] = {}
            name, position = self.member_name(position, members)
            self.open.append((members, name))
            return None, position, True
        value, position = self.scalar(position)
        return value, position, False

    def close(self, value: JsonValue, position: int) -> tuple[bool, JsonValue, int]:
        """Put a value into the container that waits for it; close all that end here."""
        while True:
            position = self.skip(position)
            if not self.open:
                return True, value, position
            container, name = self.open[-1]
            after = self.text[position : position + 1]
            if isinstance(container, list):
                container.append(value)
                if after == ",":
                    return False, None, self.skip(position + 1)
                if after != "]":
                    raise self.fail(position)
            else:
                container[name] = value
                if after == ",":
                    name, position = self.member_name(self.skip(position + 1), container)
                    self.open[-1] = (container, name)
                    return False, None, position
                if after != "}":
                    raise self.fail(position)
            self.open.pop()
            value = container
            position += 1


def _members(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name occurs twice")
    return made


def _integer(spelling: str) -> int | SpelledFloat:
    return SpelledFloat(spelling) if spelling == "-0" or len(spelling) > _LONGEST_INTEGER else int(spelling)


def _constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is no JSON")


_decode = cast(
    "Callable[[str], JsonValue]",
    json.JSONDecoder(
        object_pairs_hook=_members, parse_float=SpelledFloat, parse_int=_integer, parse_constant=_constant
    ).decode,
)
# Reads one value at a position. A text without "-0" has no integer that `int` would not hold as it is
# spelled, or it refuses it for its length.
_quick = json.JSONDecoder(object_pairs_hook=_members, parse_float=SpelledFloat, parse_constant=_constant)
_scan = cast("Callable[[str, int], tuple[JsonValue, int]]", _quick.__dict__["scan_once"])


def parse_json(text: str | bytes, *, source: str = "document") -> JsonValue:
    """Read JSON of any depth; integers exactly, other numbers with their spelling.

    Args:
        text: the JSON text; bytes are UTF-8, a byte order mark is skipped.
        source: what errors call it.

    Raises:
        InputError: the text is no JSON, or an object holds a name twice.

    Source: RFC 8259.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError as error:
            raise InputError(
                "these octets are not UTF-8", source=source, offset=error.start, expected="JSON in UTF-8"
            ) from None
    text = text.removeprefix("\ufeff")
    if "-0" not in text:
        try:
            value, end = _scan(text, 0)
        except (ValueError, RecursionError, StopIteration):
            # Not that simple: as below.
            pass
        else:
            if end == len(text):
                return value
    try:
        return _decode(text)
    except (ValueError, RecursionError):
        # Too deep for the quick way, or no JSON: then this one says what is wrong and where.
        return _Parser(text, source).parse()


def _number_text(value: float) -> str:
    if isinstance(value, SpelledFloat):
        return value.spelling
    if isinstance(value, int):
        return int.__repr__(value)
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - how NaN is told
        raise ValueError(f"{value!r} cannot be written as JSON: it has no infinities and no NaN (RFC 8259)")
    return float.__repr__(value)


def _scalar_text(value: JsonValue, *, ascii_only: bool) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _number_text(value)
    if isinstance(value, str):
        if ascii_only or (not value.isascii() and any("\ud800" <= one <= "\udfff" for one in value)):
            return encode_basestring_ascii(value)
        return encode_basestring(value)
    raise TypeError(
        f"{type(value).__name__} is no JSON value: use dict, list, str, int, float, bool and None"
    )


def _one_line(value: JsonValue, deeper: int) -> str:
    """Write a value of the usual depth, which takes a quarter of the time of the way for any depth."""
    if type(value) is str:
        return encode_basestring(value)
    if type(value) is int:
        return int.__repr__(value)
    if isinstance(value, (dict, list)):
        if not deeper:
            raise RecursionError
        deeper -= 1
        if isinstance(value, list):
            items = [
                encode_basestring(item) if type(item) is str else _one_line(item, deeper) for item in value
            ]
            return "[" + ",".join(items) + "]"
        members = [
            f"{encode_basestring(name)}:"
            f"{encode_basestring(item) if type(item) is str else _one_line(item, deeper)}"
            for name, item in value.items()
        ]
        return "{" + ",".join(members) + "}"
    return _scalar_text(value, ascii_only=False)


def write_json(value: JsonValue, *, indent: int | None = None, ascii_only: bool = False) -> str:
    """Write JSON of any depth; numbers as they were spelled.

    Args:
        value: what to write.
        indent: spaces a level; None for one line without spaces.
        ascii_only: escape everything beyond ASCII.

    Raises:
        TypeError: something inside is no JSON value.
        ValueError: a float is infinite or NaN, or a container holds itself.

    Source: RFC 8259 section 2.
    """
    if indent is None and not ascii_only:
        try:
            text = _one_line(value, _QUICK_DEPTH)
        except (TypeError, AttributeError, RecursionError):
            # Too deep for the quick way, a cycle, or no JSON: what follows tells them apart.
            pass
        else:
            # Half of a surrogate pair has no octets: it is escaped.
            if text.isascii() or _surrogate(text) is None:
                return text
    out: list[str] = []
    stack: list[tuple[str, JsonValue | None, int]] = [("", value, 0)]
    inside: set[int] = set()
    ends: dict[int, int] = {}
    while stack:
        lead, item, depth = stack.pop()
        out.append(lead)
        closing = ends.pop(len(stack), None)
        if closing is not None:
            inside.discard(closing)
            continue
        if not isinstance(item, (list, dict)) or not item:
            container = "{}" if isinstance(item, dict) else "[]"
            plain = isinstance(item, (list, dict))
            out.append(container if plain else _scalar_text(item, ascii_only=ascii_only))
            continue
        if id(item) in inside:
            raise ValueError("a container holds itself: JSON has no way to write that")
        inside.add(id(item))
        ends[len(stack)] = id(item)
        _push(stack, item, depth, indent, ascii_only=ascii_only)
    return "".join(out)


def _push(
    stack: list[tuple[str, JsonValue | None, int]],
    item: list[JsonValue] | dict[str, JsonValue],
    depth: int,
    indent: int | None,
    *,
    ascii_only: bool,
) -> None:
    """Put the parts of a container on the stack, the last one deepest."""
    inner = "" if indent is None else "\n" + " " * (indent * (depth + 1))
    outer = "" if indent is None else "\n" + " " * (indent * depth)
    if isinstance(item, dict):
        colon = ":" if indent is None else ": "
        parts: list[tuple[str, JsonValue]] = []
        for name, value in item.items():
            if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise TypeError(f"{name!r} names a member: names are text in JSON")
            parts.append((_scalar_text(name, ascii_only=ascii_only) + colon, value))
    else:
        parts = [("", value) for value in item]
    opening, ending = ("{", "}") if isinstance(item, dict) else ("[", "]")
    stack.append((outer + ending, None, depth))
    for position in range(len(parts) - 1, -1, -1):
        lead, value = parts[position]
        before = opening if position == 0 else ","
        stack.append((before + inner + lead, value, depth + 1))
