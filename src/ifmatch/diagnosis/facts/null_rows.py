"""Find rows that have a word for none where a version belongs, and were left undone for that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.sent_rows import entries_in
from ifmatch.diagnosis.reading.version_words import EXPECTS, alike, called_version
from ifmatch.diagnosis.steps.left_undone import said_of, sent_rows, whole_of
from ifmatch.diagnosis.steps.resources import path_of
from ifmatch.dialects.pointers import end_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.steps.left_undone import Left
    from ifmatch.diagnosis.steps.step import Step

_MOST: Final = 12
_LONGEST: Final = 100_000
# What is a word for none to a program, and a value of its own to people.
_VALUES: Final = frozenset({"true", "false", "-1"})
# What a creation says of a version: there is none yet.
_FRESH: Final = frozenset({"", "0"})
# Words that nobody would choose as a value.
_WORDS: Final = frozenset({"undefined", "nan", "null"})
_SEVERAL: Final = 2


def none_for_version(
    step: Step, lefts: Sequence[Left], own: Sequence[Step]
) -> Iterator[tuple[str, float, Step]]:
    """Yield what tells that rows were left undone as they have a word for none in place of a version.

    A look before the request shows which version that would have been; without one, the word has to stand in
    what is told of the row, or be one that only a program's mistake puts there.

    Args:
        step: the request.
        lefts: its rows that were left undone.
        own: what the same actor asked at the same service around it.
    """
    before: list[Step] | None = None
    for left in lefts[:_MOST]:
        for name, value in left.row.items():
            if not tokens.null_word(value) or value in _VALUES:
                continue
            if before is None:
                before = [one for one in own if one.order < step.order and one.is_read and one.read_ok]
            given = _given(before, left, name, step)
            if given is not None:
                what = f"{end_of(name)} is “{value}” in the request, and the client had been shown {given[0]}"
                yield what, 5.0, given[1]
            elif value in _FRESH or not _versioned(name) or not _telling(left, name, value):
                continue
            else:
                yield f"{end_of(name)} is “{value}”: what a program prints when it has no version", 4.5, step
            same = sum(row.get(name) == value for row in sent_rows(step))
            if same >= _SEVERAL:
                yield f"{same} rows have the same “{value}” there", 1.0, step
            yield f"what is told of the row: “{left.entry.text[:120]}”", 2.0, left.seen
            return


def _versioned(name: str) -> bool:
    return called_version(end_of(name)) or EXPECTS.search(end_of(name)) is not None


def _telling(left: Left, name: str, value: str) -> bool:
    """Tell whether a word is one of programs alone, or what is told of the row names it, or a version."""
    of_programs = not value.strip("\"'").lower().isalpha() or value.lower() in _WORDS
    return of_programs or called_version(end_of(name)) or _speaks(left, name, value)


def _speaks(left: Left, name: str, value: str) -> bool:
    """Tell whether what is told of a row names the word that it has, or its member."""
    words = set(re.findall(r"\w+", left.entry.text.lower()))
    told = {word.lower() for word in re.findall(r"\w+", value)} & words
    member = any(
        called_version(word) or word == end_of(name).lower()
        for word in re.findall(r"[^\W\d]\w*", said_of(left.entry, left.row))
    )
    return bool(told) or member


def _given(before: Sequence[Step], left: Left, name: str, step: Step) -> tuple[str, Step] | None:
    """Return the version that the last look at the thing of a row shows, under a name like the row's."""
    around = set(path_of(step.resource.partition("?")[0]).split("/")) if left.alone else set[str]()
    keys = {
        value for other, value in left.row.items() if len(value) > 1 and " " not in value and other != name
    } | {one for one in around if any(map(str.isdigit, one))}
    for look in reversed(before):
        if look.content is None or len(look.content) > _LONGEST:
            continue
        records = [one.values for one in entries_in(look.view.text) if keys & set(one.values.values())]
        url = unquote(path_of(look.resource))
        if any(key in url and re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", url) for key in keys):
            records.append(whole_of(look.view.text).values)
        for record in records:
            for member, value in record.items():
                if alike(end_of(member), end_of(name)) and _is_version(value):
                    return (value, look) if called_version(end_of(member)) or _versioned(name) else None
    return None


def _is_version(value: str) -> bool:
    return bool(value) and not tokens.null_word(value) and any(map(str.isdigit, value))
