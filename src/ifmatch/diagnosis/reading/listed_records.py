"""Read what an answer lists as records of names and values: JSON, lines, XML, a table."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from ifmatch.diagnosis.reading.embedded import may_be_coded, may_hold, opened
from ifmatch.diagnosis.reading.pages import fields_of, is_page
from ifmatch.diagnosis.reading.soap_bodies import root_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Longer contents are data, and as many records are enough.
_LONGEST: Final = 200_000
_MOST: Final = 200
_DEEP: Final = 4
_WITHIN: Final = 3
_INNER: Final = 30
# A record says more than its name.
_LEAST: Final = 2
_OBJECTS: Final = 3
_FEW_LINES: Final = 200
_DEEPEST: Final = 5
_MOST_VALUES: Final = 2000
# What a column may be called.
_COLUMN: Final = late_pattern(r"[^\W\d][\w .-]{0,39}")
_FORM: Final = late_pattern(r"[\w.$%~\[\]-]+=[^\s<>{}]*")
_EVENT: Final = late_pattern(r"^data:\s*(\{.*\})\s*$", re.MULTILINE)
_MOMENT: Final = late_pattern(r"(?:\d{4}-\d\d-\d\d[T ]|^\W?)\d\d:\d\d:\d\d")
_CELL: Final = late_pattern(r"\s*[;\t|]\s*|\s*,\s*")
# A table has one sign between its cells: those of its heading.
_BETWEEN: Final = {sign: late_pattern(rf"\s*{re.escape(sign)}\s*") for sign in (";", "\t", "|", ",")}
_WORD: Final = late_pattern(r"[^\s;,|=\"'()\[\]]+")
_PAIR: Final = late_pattern(r"([A-Za-z_][\w.-]*)=\"?([^\s;,\"]+)")
# What became of a value in a line: `limit: 40 -> 55`, `limit "40" => "55"`.
_ARROW: Final = late_pattern(r"[-=]>|[\u2192\u21d2\u279c\u2794\u27f6\u21a6\u25b6\u00bb]|(?<=\s)>{1,2}(?=\s)")
_BEFORE: Final = late_pattern(r"(?<![\w.-])([^\W\d][\w.-]*)[\"']?\s*[:=]?\s*[\"']?([^\s,;\"']*)[\"']?\s*$")
_AFTER: Final = late_pattern(r"\s*[\"']?([^\s,;\"']{0,120})")
# So many signs before an arrow hold what it is about.
_BACK: Final = 120
_ROW: Final = late_pattern(r"<tr\b[^>]*>(.*?)</tr>", re.IGNORECASE | re.DOTALL)
_DATUM: Final = late_pattern(r"<t([hd])\b[^>]*>(.*?)</t[hd]>", re.IGNORECASE | re.DOTALL)
_MARKUP: Final = late_pattern(r"<[^>]*>")
# What is called so in a record is a list of what became of it, also with one entry.
_OF_CHANGES: Final = Words(
    r"(?:change|edit|audit|update|revision|version|save|write|modification|event|activit)\w*[_-]?"
    r"(?:log|list|history|trail|entries|records?)?s?"
    r"|histor(?:y|ies)|journal|log|trail|timeline|feed|events?|activit(?:y|ies)|last_?(?:change|edit|update|write|event)"
)

# Values of JSON that are no texts; tables and forms leave empty what JSON has as null.
_PLAIN: Final = {None: "", True: "true", False: "false"}

Record = dict[str, str]


def records_in(text: str) -> tuple[Record, ...]:
    """Return what a content lists: the values of each record by their names, inner ones as `outer/inner`.

    Args:
        text: content of an answer.
    """
    return _records(text) if len(text) <= _LONGEST and may_list(text) else ()


def may_list(text: str) -> bool:
    """Tell, in less time than `records_in` takes, whether a content may list records: a flat object has none.

    A line has one only where it tells a moment, or what became of a value.

    Args:
        text: content of an answer.
    """
    start = text.lstrip()[:1]
    if start != "{":
        line = start not in {"[", "<"} and "data:" not in text and len(text.splitlines()) <= 1
        return not line or _MOMENT.search(text) is not None or _ARROW.search(text) is not None
    return "[" in text or text.find("{", text.find("{") + 1) > 0 or may_be_coded(text)


@lru_cache(maxsize=512)
def _records(text: str) -> tuple[Record, ...]:
    found: list[Record] = []
    for one in _read(text):
        if len(one) >= _LEAST:
            found.append(one)
        if len(found) >= _MOST:
            break
    return tuple(found)


def _read(text: str) -> Iterator[Record]:
    start = text.lstrip()[:1]
    if start in {"{", "["}:
        yield from _of_json(text)
    elif start == "<":
        yield from _of_markup(text)
    elif _EVENT.search(text) is not None:
        for value in _documents("\n".join(_EVENT.findall(text))):
            yield _flat(value)
    else:
        yield from _of_lines([line for line in text.splitlines() if line.strip()][:_FEW_LINES])


def _of_json(text: str) -> Iterator[Record]:
    """Yield the records of one JSON value, or of the objects that stand one after the other."""
    values = tuple(_documents(text))
    if len(values) == 1:
        yield from _listed(values[0], _DEEP)
        return
    for value in values:
        yield _flat(value)


def _documents(text: str) -> Iterator[object]:
    """Yield the JSON value of a text, or the objects of its lines; nothing where it is neither."""
    whole = _json(text)
    if whole is not UNKNOWN:
        yield whole
        return
    for line in text.splitlines()[:_FEW_LINES]:
        value = _json(line) if line.lstrip()[:1] == "{" else UNKNOWN
        if isinstance(value, dict):
            yield cast("object", value)


def _json(text: str) -> object:
    """Return the JSON value of a text, with the documents that its strings hold; UNKNOWN for other texts."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return UNKNOWN
    return opened(value) if may_hold(text) else value


def _listed(value: object, depth: int) -> Iterator[Record]:
    """Yield the objects in the lists of a JSON value, and those that are called by what changed in them."""
    if isinstance(value, list):
        yield from _rows(cast("list[object]", value), None)
        for one in cast("list[object]", value)[:_MOST]:
            if isinstance(one, dict):
                yield _flat(cast("object", one))
                yield from _listed(cast("object", one), depth - 1)
    elif isinstance(value, dict) and depth > 0:
        members = cast("dict[str, object]", value)
        headings = [names for one in members.values() if (names := _headings(one))]
        for one in members.values() if headings else ():
            if isinstance(one, list):
                yield from _rows(cast("list[object]", one), headings)
        for name, one in cast("dict[str, object]", value).items():
            inner = members_in(one) if _OF_CHANGES.fullmatch(name) is not None else {}
            whole = all(isinstance(each, dict) for each in inner.values())
            for key, each in inner.items() if whole else ():
                yield {"key": key, **_flat(each)}
            if not whole:
                yield _flat(inner)
            yield from _listed(one, depth - 1)


def _rows(value: list[object], headings: Sequence[Sequence[str]] | None) -> Iterator[Record]:
    """Yield the rows of a table of lists by its headings, or by their places where it has none.

    Args:
        value: a list; one of anything but rows of one length has none.
        headings: lists of names beside it, None where none are looked for: its first row may be one.
    """
    rows = [cast("list[object]", one) for one in value[:_MOST] if isinstance(one, list)]
    if len(rows) < _LEAST or len(rows) != len(value[:_MOST]) or len({len(one) for one in rows}) != 1:
        return
    width = len(rows[0])
    # Numbers alone are points, and lists in lists are data.
    if width < _LEAST or not any(isinstance(one, str) for one in rows[-1]):
        return
    if any(isinstance(one, list | dict) for row in rows for one in row):
        return
    if headings is None:
        first = _headings(rows[0])
        named = first and not _headings(rows[-1])
        names = first if named else [str(place) for place in range(width)]
        rows = rows[1:] if named else rows
    else:
        names = next((list(one) for one in headings if len(one) == width), list[str]())
    for row in rows if names else ():
        yield _flat(dict(zip(names, row, strict=True)))


def _headings(value: object) -> list[str]:
    """Return the names that a list gives to columns, as words or as objects with a name; else nothing."""
    found: list[str] = []
    for one in cast("list[object]", value) if isinstance(value, list) else ():
        name = cast("dict[str, object]", one).get("name") if isinstance(one, dict) else one
        if not isinstance(name, str) or _COLUMN.fullmatch(name) is None:
            return []
        found.append(name)
    return found if len(set(found)) == len(found) else []


def lists_changes(word: str) -> bool:
    """Tell whether a list is called as one of what became of things.

    Args:
        word: its name, or the last part of its address.
    """
    return _OF_CHANGES.fullmatch(word) is not None


def _flat(value: object) -> Record:
    return dict(_leaves(value, "", _WITHIN))


def _leaves(value: object, above: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, one in cast("dict[str, object]", value).items() if depth >= 0 else ():
            yield from _leaves(one, f"{above}/{name}" if above else name, depth - 1)
    elif isinstance(value, list):
        for number, one in enumerate(cast("list[object]", value)[:_INNER] if depth >= 0 else ()):
            yield from _leaves(one, f"{above}/{number}", depth - 1)
    elif value is None or isinstance(value, bool):
        # What is emptied or switched off tells as much as any value.
        yield above, _PLAIN[value]
    elif isinstance(value, str | int | float):
        yield above, str(value)


def member_word(name: str) -> str:
    """Return the name of a member without its place; one of a list has that of the list.

    Args:
        name: whole, as `leaves_of` gives it.
    """
    return next((part for part in reversed(name.split("/")) if not part.isdigit()), name)


def leaves_of(text: str) -> tuple[tuple[str, str], ...]:
    """Return all values of one content by their names, inner ones as `outer/inner`: JSON, XML, form or lines.

    Args:
        text: content of a request or an answer.
    """
    return _values(text) if 0 < len(text) <= _LONGEST else ()


@lru_cache(maxsize=512)
def _values(text: str) -> tuple[tuple[str, str], ...]:
    start = text.lstrip()[:1]
    if start in {"{", "["}:
        values = _documents(text)
        return tuple(pair for one in values for pair in _leaves(one, "", _DEEPEST))[:_MOST_VALUES]
    if start == "<":
        if is_page(text):
            return tuple(fields_of(text).items())
        root = _root(text)
        return tuple(_of_element(root, "", _DEEPEST))[:_MOST_VALUES] if root is not None else ()
    if _FORM.fullmatch(text.strip()) is not None:
        return tuple(parse_qsl(text.strip()))
    return tuple(pair for one in _of_lines(text.splitlines()[:_FEW_LINES]) for pair in one.items())


def _root(text: str) -> ET.Element | None:
    """Return the first element of an XML document, None when it is none, or declares entities."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        return root_of(text)
    except (ET.ParseError, RecursionError, ValueError):
        return None


def _of_markup(text: str) -> Iterator[Record]:
    """Yield the rows of tables and the elements of XML that hold several values."""
    rows = _ROW.findall(text)
    if rows:
        yield from _of_table(rows)
        return
    root = _root(text)
    for parent in root.iter() if root is not None else ():
        for child in cast("Iterable[ET.Element]", parent):
            record = dict(_of_element(child, "", _WITHIN))
            if len(record) >= _LEAST:
                yield record


def _of_element(element: ET.Element, above: str, depth: int) -> Iterator[tuple[str, str]]:
    for name, value in element.attrib.items():
        yield f"{above}{name.rpartition('}')[2]}", value.strip()
    said = (element.text or "").strip()
    if not len(element) and (said or not element.attrib):
        yield above.rstrip("/") or element.tag.rpartition("}")[2], said
    for child in cast("Iterable[ET.Element]", element) if depth > 0 else ():
        yield from _of_element(child, f"{above}{child.tag.rpartition('}')[2]}/", depth - 1)


def _of_table(rows: list[str]) -> Iterator[Record]:
    """Yield the rows of a table in a page by the headings of its columns."""
    names: list[str] = []
    for row in rows[:_MOST]:
        cells = [(kind.lower(), _MARKUP.sub("", said).strip()) for kind, said in _DATUM.findall(row)]
        if cells and all(kind == "h" for kind, _ in cells):
            names = [said for _, said in cells]
        elif cells:
            columns = names if len(names) == len(cells) else [str(number) for number in range(len(cells))]
            yield {name: said for name, (_, said) in zip(columns, cells, strict=True)}


def _of_lines(lines: list[str]) -> Iterator[Record]:
    """Yield the lines of a table of values with a heading, else those that tell a moment, by their words."""
    if len(lines) >= _LEAST and _MOMENT.search(lines[0]) is None:
        cell = next((_BETWEEN[sign] for sign in _BETWEEN if sign in lines[0]), _CELL)
        names = cell.split(lines[0].strip())
        rows = [cell.split(line.strip()) for line in lines[1:]]
        if len(names) >= _OBJECTS and all(len(row) == len(names) for row in rows):
            for row in rows:
                yield dict(zip(names, row, strict=True))
            return
    for line in lines:
        became = {name: f"{old} -> {new}" for name, old, new in _became(line)}
        if became or _MOMENT.search(line) is not None:
            named = dict(_PAIR.findall(line)) | became
            words = _WORD.findall(line)
            yield {**{str(number): word for number, word in enumerate(words) if word}, **named}


def _became(line: str) -> Iterator[tuple[str, str, str]]:
    """Yield what a line says that became of values: of each its name, the old value and the new one."""
    end = 0
    for arrow in _ARROW.finditer(line):
        before = _BEFORE.search(line[max(end, arrow.start() - _BACK) : arrow.start()])
        after = _AFTER.match(line, arrow.end())
        if before is not None and after is not None:
            yield before[1], before[2], after[1]
            end = after.end()
