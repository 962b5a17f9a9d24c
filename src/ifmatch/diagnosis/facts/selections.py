"""Compare what a write selects by with what a search for the same shows: one thing, or several."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

from ifmatch.diagnosis.links.likeness import shows
from ifmatch.diagnosis.links.listed_versions import entries_in
from ifmatch.diagnosis.reading.contents import scalars
from ifmatch.diagnosis.reading.projections import is_view
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.resources import host_of, path_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# So many steps away from a refusal nobody looks for its reason any more.
_NEAR: Final = 60
# A shorter value is met in a search by chance.
_TELLING: Final = 3
_LONGEST: Final = 100_000
_LONGEST_VALUE: Final = 120
_DEEP: Final = 2
_PIECES: Final = late_pattern(r"[:|=,;'\"\s()]+")
# How a search is cut and sorted, not what it looks for.
PAGING: Final = late_pattern(
    r"_?(?:page(?:[_-]?(?:size|no|number))?|per[_-]?page|limit|offset|count|size|top|skip|sort"
    r"|order(?:[_-]?by)?"
    r"|start|max(?:[_-]?results)?|summary|elements|total|cursor|first|rows)",
    re.IGNORECASE,
)
_NUMBER: Final = late_pattern(r"(?<![\w.,-])\d{1,4}(?![\w-]|[.,]\d)")
# An object of a text format, and an element with others inside.
_BEGIN: Final = late_pattern(r"^BEGIN:([\w-]+)", re.MULTILINE)
_BLOCK: Final = late_pattern(r"<([^\W\d][^\x00-,/;-@\[-^`{-\x7f]*+)(?:\s[^<>]*+)?>(?=\s*<(?!/))")
_SEVERAL: Final = 2
# That there is not just one, in what is told of a selection.
SEVERAL_WORDS: Final = Words(
    r"several|multiple|more than (?:one|1)|ambigu\w+|duplicates?|twins?|not (?:a )?(?:unique|selective"
    r"|distinct|single|sole"
    r"|one)\w*|not unambiguous|no(?:t one)? single|uniqueness|exactly (?:one|1)|only (?:one|1)|both|two"
    r"|three|twice|many"
)


def _criteria(step: Step) -> frozenset[str]:
    """Return the values that a request carries in any place, whole and in their pieces, in lower case.

    Args:
        step: the request.
    """
    parts = path_of(step.resource.partition("?")[0]).split("/")
    values = [unquote(part) for part in parts] + [member.value for member in sent(step)]
    if (body := step.view.sent_json) is not UNKNOWN:
        values += [one for one in scalars(body) if len(one) <= _LONGEST_VALUE]
    return frozenset(piece for value in values for piece in pieces_of(value))


def selects(step: Step) -> bool:
    """Tell whether a write says by criteria what it is about: in parameters, or in an object of its content.

    Args:
        step: the write.
    """
    if step.sent.text("if-none-exist") is not None:
        return True
    if "?" in step.exchange.request.url and step.method != "POST":
        # What is posted to a selection of a list is mostly a new entry of it.
        return True
    body = step.view.sent_json
    held = cast("dict[str, object]", body).values() if isinstance(body, dict) else ()
    elements = len(_BLOCK.findall(step.view.sent_text)) if body is UNKNOWN else 0
    return elements > 1 or any(isinstance(one, dict) for one in held)


def several(facts: Facts) -> tuple[int, Step] | None:
    """Return how many things a search by what a write selects by shows, and the search; None below two.

    All that the search asks for stands in the write as well.

    Args:
        facts: of the write.
    """
    step = facts.step
    mine = _criteria(step)
    near = facts.case.steps[max(0, step.order - _NEAR) : step.order + _NEAR]
    host = host_of(step.resource)
    for one in sorted(near, key=lambda other: abs(other.order - step.order)):
        if one is step or not shows(one) or host_of(one.resource) != host:
            continue
        asked = asked_of(one)
        if not asked or not all(pieces & mine for pieces in asked):
            continue
        found = things_in(one, frozenset[str]().union(*asked) & mine)
        return (found, one) if found >= _SEVERAL else None
    return None


def counts(step: Step, number: int) -> bool:
    """Tell whether an answer counts, or lists, just so many things.

    Args:
        step: whose answer is read.
        number: of things.
    """
    text = step.view.text[:_LONGEST]
    if any(int(found) == number for found in _NUMBER.findall(text)):
        return True
    return any(len(one) == number for one, _ in _lists(step.view.json, _DEEP))


def named_singly(facts: Facts, read: Step) -> Step | None:
    """Return a later accepted write of the same actor that names one of several things, None without one.

    Args:
        facts: of a write that was refused because it selects them all.
        read: the search that shows them.
    """
    known, text = _criteria(facts.step), read.view.text[:_LONGEST].lower()
    for one in facts.own(facts.case.steps[facts.step.order + 1 : facts.step.order + _NEAR]):
        if not one.accepted or host_of(one.resource) != host_of(facts.step.resource):
            continue
        name = unquote(path_of(one.resource.partition("?")[0]).rstrip("/").rpartition("/")[2]).lower()
        before = {member.value.lower() for member in sent(facts.step)}
        for value in {name, *(member.value.lower() for member in sent(one))} - known - before:
            if value and len(re.findall(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text)) == 1:
                return one
    return None


def named_in_refusal(step: Step) -> int:
    """Return how many things a refusal lists that each hold what the request selects by.

    Args:
        step: the refused write.
    """
    mine = {value for value in _criteria(step) if len(value) > _TELLING}
    entries = list(entries_in(step.view.json, _DEEP))
    held = [one for one in entries if mine & {str(value).lower() for value in one.values()}]
    return len(held) if len(held) == len(entries) else 0


def pieces_of(value: str) -> Iterator[str]:
    """Yield a value in lower case, whole and in pieces, as far as they are long enough to tell something.

    Args:
        value: of a request.
    """
    low = value.strip().lower()
    if len(low) >= _TELLING:
        yield low
    for piece in _PIECES.split(low):
        if len(piece) >= _TELLING and piece != low:
            yield piece


def asked_of(read: Step) -> list[frozenset[str]]:
    """Return what a search asks for, the pieces of each value.

    Args:
        read: the search.
    """
    values = [
        member.value
        for member in sent(read)
        if member.where != "header" and not PAGING.fullmatch(member.word) and not is_view(member.word)
    ]
    return [found for value in values if (found := frozenset(pieces_of(value)))]


def things_in(read: Step, values: frozenset[str]) -> int:
    """Return how many things a search shows.

    Args:
        read: the search.
        values: that it asks for.
    """
    value = read.view.json
    if value is not UNKNOWN:
        return max((len(one) for one, around in _lists(value, _DEEP) if _fit(one, around, values)), default=0)
    text = read.view.text[:_LONGEST]
    if text.lstrip()[:1] == "<":
        return _elements(text, values)
    if begun := Counter(_BEGIN.findall(text)):
        return max(begun.values())
    lines = [line.lower() for line in text.splitlines()]
    return sum(any(one in line for one in values) for line in lines)


def sizes_in(read: Step) -> set[int]:
    """Return how many entries the lists of an answer have.

    Args:
        read: a search.
    """
    return {len(one) for one, _ in _lists(read.view.json, _DEEP)}


def _elements(text: str, values: frozenset[str]) -> int:
    """Return how often an element stands in a text that holds a value and other elements."""
    found: Counter[str] = Counter()
    for opened in _BLOCK.finditer(text):
        closed = text.find(f"</{opened[1]}>", opened.end())
        inner = text[opened.end() : closed].lower()
        if closed > 0 and f"<{opened[1].lower()}" not in inner and any(one in inner for one in values):
            found[opened[1]] += 1
    return max(found.values(), default=0)


def _fit(entries: list[object], around: object, values: frozenset[str]) -> bool:
    """Tell whether a list was searched for: all entries hold what was asked, or are counted beside."""
    beside = list(cast("dict[str, object]", around).values()) if isinstance(around, dict) else []
    counted = any(one == len(entries) and not isinstance(one, bool) for one in beside)
    if counted and not any(str(one).lower() in values for one in beside):
        # What holds the value itself is one thing, and the list is of its parts.
        return True
    texts = (json.dumps(one, ensure_ascii=False).lower() for one in entries)
    return all(any(value in text for value in values) for text in texts)


def _lists(value: object, depth: int, around: object = None) -> Iterator[tuple[list[object], object]]:
    """Yield the lists of a JSON value, each with the object that it is a member of."""
    if isinstance(value, list):
        yield cast("list[object]", value), around
    elif isinstance(value, dict) and depth:
        for member in cast("dict[str, object]", value).values():
            yield from _lists(member, depth - 1, cast("object", value))
