"""Read the rows that a request sends, and what a report tells of each: lists of JSON, lines of it, tables.

A report names a row by what only that row has, or by its number; one without either goes in the same order.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import parse_qsl

from ifmatch.diagnosis.reading.listed_records import leaves_of, records_in
from ifmatch.model.json_values import elements_in, members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Shorter numbers stand in a sentence by chance.
_SHORT: Final = 1
_LONGEST: Final = 100_000
_MOST: Final = 200
# So many records behind an outer one are looked at for what it wraps.
_INSIDE: Final = 8
_DEEP: Final = 4
_COLUMNS: Final = (";", "\t", "|", ",")
_FORM: Final = late_pattern(r"[\w.$%~\[\]-]+=[^\s<>{}]*")
_TITLE: Final = late_pattern(r"\"?[^\W\d][\w .#/%()-]{0,40}\"?")
_PLAIN: Final = {None: "", True: "true", False: "false"}
_PIECES: Final = late_pattern(r"[^\s,;|\"'()\[\]{}<>=]+")

Row = dict[str, str]


class Entry(Frozen, frozen=True):
    """One record of a report.

    Attributes:
        under: names of the lists and objects that it lies in, "" for none.
        values: what it holds, by name; of a line or a single value by its number.
        text: as it stands there.
    """

    under: str
    values: Row
    text: str


def rows_in(text: str) -> tuple[Row, ...]:
    """Return the rows of a content: of its longest list, its lines, its table; else that it is one.

    Args:
        text: content of a request.
    """
    return _rows(text) if 0 < len(text) <= _LONGEST else ()


@lru_cache(maxsize=512)
def _rows(text: str) -> tuple[Row, ...]:
    values = documents(text)
    if len(values) > 1:
        return tuple(flat(one) for one in values[:_MOST])
    if values:
        longest = max(_lists(values[0], _DEEP), key=len, default=list[object]())
        return tuple(map(flat, longest[:_MOST])) if longest else (flat(values[0]),)
    if text.lstrip()[:1] == "<":
        return _innermost(records_in(text)) or tuple(filter(None, (dict(leaves_of(text)),)))
    if _FORM.fullmatch(text.strip()) is not None:
        return (dict(parse_qsl(text.strip())),)
    return tuple(table(text))


def _innermost(records: Sequence[Row]) -> tuple[Row, ...]:
    """Return the records of markup without those that only wrap others: envelopes have the values of these.

    Args:
        records: of a content, an outer one before those inside it.
    """
    found: list[Row] = []
    for place, record in enumerate(records[:_MOST]):
        deeper = {name for name in record if "/" in name}
        wrapped = deeper and any(
            any(
                all(
                    record.get(f"{name.rpartition('/')[0]}/{each}", record.get(each)) == value
                    for each, value in one.items()
                )
                for name in deeper
            )
            for one in records[place + 1 : place + 1 + _INSIDE]
            if len(one) < len(record) or len(deeper) == len(record)
        )
        if not wrapped:
            found.append(record)
    return tuple(found)


def documents(text: str) -> list[object]:
    """Return the JSON value of a text, or those of its lines; nothing where it is neither.

    Args:
        text: any content.
    """
    if text.lstrip()[:1] not in {"{", "["}:
        return []
    for pieces in ([text], [line for line in text.splitlines() if line.strip()][:_MOST]):
        try:
            return [json.loads(one) for one in pieces]
        except (ValueError, RecursionError):
            continue
    return []


def table(text: str) -> list[Row]:
    """Return the rows of lines with columns under a heading; nothing where it is no table.

    Args:
        text: any content.
    """
    lines = [line for line in text.splitlines() if line.strip()][: _MOST + 1]
    for sign in _COLUMNS if len(lines) > 1 else ():
        names = [one.strip().strip('"') for one in lines[0].split(sign)]
        if len(names) < 2 or not all(map(_TITLE.fullmatch, names)) or len(set(names)) < len(names):
            continue
        cut = len(names) - 1
        rows = [[one.strip().strip('"') for one in line.split(sign, cut)] for line in lines[1:]]
        return [dict(zip(names, row, strict=False)) for row in rows]
    return []


def entries_in(text: str) -> tuple[Entry, ...]:
    """Return the records of a report: objects in lists and by name, single values in lists, rows and lines.

    Args:
        text: content of an answer.
    """
    return _entries(text) if 0 < len(text) <= _LONGEST else ()


@lru_cache(maxsize=512)
def _entries(text: str) -> tuple[Entry, ...]:
    values = documents(text)
    if len(values) > 1:
        return tuple(_entry("", one) for one in values)
    if values:
        return tuple(_listed(values[0], "", _DEEP))[:_MOST]
    if text.lstrip()[:1] == "<":
        found = _innermost(records_in(text)) or tuple(filter(None, (dict(leaves_of(text)),)))
        return tuple(Entry("", one, " ".join(one.values())) for one in found)
    rows = table(text)
    if rows:
        return tuple(Entry("", one, " | ".join(one.values())) for one in rows)
    lines = [line for line in text.splitlines() if line.strip()][:_MOST]
    return tuple(Entry("", words_in(line), line) for line in lines)


def _listed(value: object, under: str, depth: int) -> Iterator[Entry]:
    members = members_in(value)
    if isinstance(value, list):
        for one in cast("list[object]", value)[:_MOST]:
            yield _entry(under, one)
    for name, one in members.items() if depth else ():
        here = f"{under} {name}".strip()
        if isinstance(one, list):
            yield from _listed(cast("object", one), here, depth - 1)
        elif isinstance(one, dict):
            yield Entry(
                here, {"": name, **flat(cast("object", one))}, json.dumps({name: one}, ensure_ascii=False)
            )
            yield from _listed(cast("object", one), here, depth - 1)
        elif isinstance(one, str) and depth < _DEEP:
            # `{"skipped": {"A-7": "no such thing"}}`
            yield Entry(under, {"": name, "0": one}, f"{name}: {one}")


def _entry(under: str, value: object) -> Entry:
    if isinstance(value, dict):
        return Entry(under, flat(cast("object", value)), json.dumps(value, ensure_ascii=False))
    text = str(value)
    return Entry(under, words_in(text), text)


def words_in(text: str) -> Row:
    """Return the words of a text by their numbers.

    Args:
        text: a line, or several.
    """
    return {str(number): word.strip(".:") for number, word in enumerate(_PIECES.findall(text))}


def flat(value: object, above: str = "", depth: int = 3) -> Row:
    """Return the single values of a JSON value by their names, inner ones as `outer/inner`.

    Args:
        value: an object, or anything else.
        above: what the names begin with.
        depth: so many objects are opened.
    """
    found: Row = {}
    if isinstance(value, dict | list) and depth:
        held = cast("object", value)
        inner = members_in(held)
        elements = elements_in(held)
        inner = inner or {str(number): one for number, one in enumerate(elements)}
        for name, one in inner.items():
            found |= flat(one, f"{above}/{name}" if above else name, depth - 1)
    elif value is None or isinstance(value, bool):
        found[above] = _PLAIN[value]
    elif isinstance(value, str | int | float):
        found[above] = str(value)
    return found


def _lists(value: object, depth: int) -> Iterator[list[object]]:
    """Yield the lists of objects in a JSON value."""
    members = members_in(value)
    held = elements_in(value)
    if held and all(isinstance(one, dict) for one in held):
        yield held
    for one in members.values() if depth else ():
        yield from _lists(one, depth - 1)


def told_of(rows: Sequence[Row], entries: Sequence[Entry]) -> list[tuple[int, Entry]]:
    """Return what a report tells of rows, each with the place of its row.

    Args:
        rows: of a request.
        entries: of the report about it.
    """
    shared = Counter(value for row in rows for value in set(row.values()))
    own = [{value for value in row.values() if value and shared[value] == 1} for row in rows]
    found: list[tuple[int, Entry]] = []
    for number, mine in enumerate(own):
        found += [(number, one) for one in entries if _named(mine, one)]
    # What holds only a number that some row happens to have as well is named by that number.
    counted = _by_number(len(rows), entries)
    if counted and not _keyed(own, found):
        return counted
    if found:
        return found
    alone = [one for one in entries if one.under == (entries[0].under if entries else "")]
    return list(enumerate(alone)) if len(alone) == len(rows) else []


def _named(mine: set[str], entry: Entry) -> bool:
    """Tell whether an entry has a value of a row; in a sentence no short number."""
    common = mine & set(entry.values.values())
    spoken = all(name.isdigit() for name in entry.values)
    return any(not spoken or len(one) > _SHORT or not one.isdigit() for one in common)


def _keyed(own: Sequence[set[str]], found: Sequence[tuple[int, Entry]]) -> bool:
    """Tell whether rows are named by more than a short number."""
    return any(
        len(value) > 3 or not value.isdigit()
        for number, entry in found
        for value in own[number] & set(entry.values.values())
    )


def _by_number(count: int, entries: Sequence[Entry]) -> list[tuple[int, Entry]]:
    """Return the entries that name the number of a row, counted from none, from one, or from the heading."""
    names = [name for name in (entries[0].values if entries else ()) if name != ""]
    for name in names:
        told = [one.values.get(name, "") for one in entries]
        if not all(one.isdigit() and len(one) < 5 for one in told) or len(set(told)) < len(told):
            continue
        numbers = list(map(int, told))
        first = 0 if min(numbers) == 0 else 2 if max(numbers) == count + 1 else 1
        if max(numbers) - first < count and numbers == sorted(numbers) and min(numbers) >= first:
            return [(number - first, one) for number, one in zip(numbers, entries, strict=True)]
    return []
