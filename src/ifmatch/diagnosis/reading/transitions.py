"""Read from an entry of a list of changes which values it tells as before and after, in whatever form."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ifmatch.dialects.glossary import Words
from ifmatch.dialects.pointers import word_of
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from ifmatch.diagnosis.reading.listed_records import Record

_BEFORE: Final = Words(
    r"(?:from|old|before|prev(?:ious)?|was|original)(?:[-_ ]?(?:value|string|text|state))?"
)
_AFTER: Final = Words(r"(?:to|new|after|now|is|became|current)(?:[-_ ]?(?:value|string|text|state))?")
_NAME: Final = Words(
    r"(?:field|name|property|attribute|member|column|key|path|what|item|element)(?:[-_ ]?(?:name|id|path))?"
)
# `40 -> 55`, `40 > 55`; a sign that compares has no space on one side, as in `>5`.
_ARROW: Final = late_pattern(r"\s*(.*?)\s*(?:-+>|=+>|→|⇒|➜|➔|⟶|↦|▶|»|(?<=\s)>{1,2}(?=\s))\s*(.*?)\s*")
# The same with the name of what changed before it, one after another in a text.
_NAMED: Final = late_pattern(
    r"([^\W\d][\w.-]*)\s*[: ]\s*(\S(?:.*?\S)??)\s*(?:->|=>|→|⇒|➜|➔|(?<=\s)>(?=\s))\s*(\S.*?)\s*"
)
# The same in words: `phone: 555-9 to 555-1`, `phone changed from 555-9 to 555-1`.
_SPOKEN: Final = late_pattern(
    r"([^\W\d][\w.-]*)(?:\s*:\s*"
    r"|\s+(?:(?:was |has been |is )?(?:changed|set|moved|updated|went|edited|corrected) )?)"
    r"(?:from\s+)?[\"'“]?(\S(?:.*?\S)??)[\"'”]?\s+(?:to|becomes|became|is now|now)\s+[\"'“]?(\S.*?)[\"'”]?\s*"
)
_SEVERAL: Final = late_pattern(r"\s*[,;|]\s+")
_CALLED: Final = late_pattern(r"[^\W\d][\w./-]*")
_LONGEST: Final = 200


class Transition(Frozen, frozen=True):
    """One value that became another one.

    Attributes:
        word: what it is called, without what stands around it.
        before: the value that was there.
        after: the value that took its place.
        names: of the entry's values that tell it.
    """

    word: str
    before: str
    after: str
    names: frozenset[str]


def transitions(record: Record) -> tuple[Transition, ...]:
    """Return what an entry tells of values before and after.

    It may be a pair in a list, a pair of names such as `from` and `to`, or one text with an arrow.

    Args:
        record: the values of the entry by their names.
    """
    return _read(tuple(record.items()))


@lru_cache(maxsize=512)
def _read(pairs: tuple[tuple[str, str], ...]) -> tuple[Transition, ...]:
    groups: dict[str, dict[str, str]] = {}
    for name, value in pairs:
        above, _, last = name.rpartition("/")
        groups.setdefault(above, {})[last] = value
    within = tuple(one for above, group in groups.items() for one in _of_group(above, group))
    return (*within, *_of_states(dict(pairs)))


def _of_states(record: dict[str, str]) -> Iterator[Transition]:
    """Yield what stands in a whole state before and in one after: `before/price` and `after/price`."""
    for name, value in record.items():
        parts = name.split("/")
        place = next((at for at, one in enumerate(parts[:-1]) if _BEFORE.fullmatch(one) is not None), -1)
        for other, now in record.items() if place >= 0 else ():
            others = other.split("/")
            alike = len(others) == len(parts) and others[:place] == parts[:place]
            if alike and others[place + 1 :] == parts[place + 1 :] and _AFTER.fullmatch(others[place]):
                yield Transition(word_of(name), value, now, frozenset({name, other}))


def _of_group(above: str, group: dict[str, str]) -> Iterator[Transition]:
    if above and set(group) == {"0", "1"} and not _arrow(group["0"]):
        names = frozenset({f"{above}/0", f"{above}/1"})
        yield Transition(word_of(above), group["0"], group["1"], names)
        return
    if above and set(group) == {"0", "1", "2"} and _CALLED.fullmatch(group["0"]):
        # What it is called, what it was, and what it became.
        names = frozenset(f"{above}/{one}" for one in group)
        yield Transition(word_of(group["0"].replace(".", "/")), group["1"], group["2"], names)
    before = [name for name in group if _BEFORE.fullmatch(name) is not None]
    after = [name for name in group if _AFTER.fullmatch(name) is not None]
    if len(before) == 1 and len(after) == 1:
        named = [name for name in group if _NAME.fullmatch(name) is not None]
        word = word_of(group[named[0]].replace(".", "/")) if named else word_of(above)
        names = frozenset(f"{above}/{one}" if above else one for one in (before[0], after[0], *named[:1]))
        if word:
            yield Transition(word, group[before[0]], group[after[0]], names)
    for name, value in group.items():
        found = _arrow(value)
        word = word_of(f"{above}/{name}")
        if found is not None and word:
            yield Transition(word, found[1], found[2], frozenset({f"{above}/{name}" if above else name}))
        yield from _told_in_text(f"{above}/{name}" if above else name, value)


def _told_in_text(name: str, value: str) -> Iterator[Transition]:
    """Yield what a text tells of values that it names itself: "price 4 > 5, stock 9 > 8"."""
    several = _SEVERAL.split(value) if len(value) <= _LONGEST and " " in value else []
    parts = [_NAMED.fullmatch(part) or _SPOKEN.fullmatch(part) for part in several]
    for part in parts if all(parts) else ():
        if part is not None:
            yield Transition(part[1], part[2], part[3], frozenset({name}))


def _arrow(value: str) -> re.Match[str] | None:
    return _ARROW.fullmatch(value) if len(value) <= _LONGEST else None
