"""Read for how long an answer says that a value which it gives out holds, whatever the two are called."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.whole_words import as_word
from ifmatch.diagnosis.steps.message_members import shown
from ifmatch.dialects.glossary import Words, english
from ifmatch.model.late import late_pattern
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 20_000
_DEEP: Final = 4
_MOST_OBJECTS: Final = 500
# How a duration is called; a moment that lies ahead needs no name.
_LASTS: Final = Words(
    r"ttl|valid|expir|life(?:_?time|_?span)?(?![a-z])|duration|lasts|time_?out|good[-_ ]?(?:for|until)"
    r"|hold|keep|kept"
    r"|retention|retain|max[-_ ]?age"
)
_WORDS: Final = late_pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NUMBER: Final = late_pattern(
    r"(\d{1,7}(?:\.\d+)?)\s*(ms|s|sec\w*|m|min\w*|h|hours?|d|days?)?", re.IGNORECASE
)
_ISO: Final = late_pattern(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_UNITS: Final = (
    (late_pattern(r"ms|millis\w*"), 0.001),
    (late_pattern(r"m|mins?|minutes?"), 60.0),
    (late_pattern(r"h|hrs?|hours?"), 3600.0),
    (late_pattern(r"d|days?"), 86400.0),
)
# Further ahead lies no end of a ticket.
_FAR: Final = 400 * 86400.0
_LEAST: Final = 1.0


def lasts(step: Step, value: str) -> float | None:
    """Return for how many seconds an answer says that a value holds, None when it does not say so.

    The end stands beside the value: in one object, in the one around it or just within it, or in the fields.

    Args:
        step: whose answer gives the value out.
        value: as it was sent later.
    """
    then = step.date if step.date is not None else step.exchange.started
    found = [seconds for group in _around(step, value) if (seconds := _of_group(group, then)) is not None]
    return min(found) if found else None


def _around(step: Step, value: str) -> Iterator[Mapping[str, str]]:
    """Yield the members that stand beside a value in an answer, by name."""
    content = step.content
    held = content is not None and len(content) <= _LONGEST and value in content.text
    members = shown(step)
    if not held and not any(value in one.value for one in members):
        return
    for where in ("header", "text"):
        group: Mapping[str, str] = {
            one.name if where == "header" else one.word: one.value for one in members if one.where == where
        }
        if any(as_word(value, one) for one in group.values()):
            yield group
    for beside in islice(_objects(step), _MOST_OBJECTS) if held else ():
        if any(as_word(value, one) for one in beside.values()):
            yield beside


def _objects(step: Step) -> Iterator[Mapping[str, str]]:
    """Yield the objects of an answer, each with what stands around it and just within it."""
    value = step.view.json
    for one in [value] if value is not UNKNOWN else _in_a_row(step.view.text):
        yield from _within(one, {}, _DEEP)


def _in_a_row(text: str) -> Iterator[object]:
    """Yield the JSON objects of a text that holds several, such as one in each line."""
    reader = json.JSONDecoder()
    at = text.find("{")
    while at >= 0:
        try:
            value, at = reader.raw_decode(text, at)
        except ValueError:
            return
        yield value
        at = text.find("{", at)


def _within(value: object, around: Mapping[str, str], depth: int) -> Iterator[Mapping[str, str]]:
    if isinstance(value, list) and depth:
        for one in cast("list[object]", value):
            yield from _within(one, {}, depth - 1)
    if not isinstance(value, dict) or not depth:
        return
    members = cast("dict[str, object]", value)
    own = _plain(members)
    inner = {
        f"{name}_{inside}": text
        for name, one in members.items()
        if isinstance(one, dict)
        for inside, text in _plain(cast("dict[str, object]", one)).items()
    }
    yield {**around, **inner, **own}
    for one in members.values():
        yield from _within(one, own, depth - 1)


def _plain(members: Mapping[str, object]) -> dict[str, str]:
    return {
        name: str(one)
        for name, one in members.items()
        if isinstance(one, str | int | float) and not isinstance(one, bool)
    }


def _of_group(group: Mapping[str, str], then: float | None) -> float | None:
    """Return the shortest time to a moment ahead, or the duration that a member is named for."""
    found = [
        seconds
        for name, text in group.items()
        if (seconds := _ahead(text, then) or _duration(name, text)) is not None
    ]
    return min(found) if found else None


def _ahead(text: str, then: float | None) -> float | None:
    moment = told_moment(text) if then is not None else None
    if moment is None or then is None:
        return None
    return moment - then if _LEAST < moment - then < _FAR else None


def _duration(name: str, text: str) -> float | None:
    if (iso := _ISO.fullmatch(text.strip())) is not None and any(iso.groups()):
        days, hours, minutes, seconds = (float(one or 0) for one in iso.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds() or None
    found = _NUMBER.fullmatch(text.strip())
    if found is None or _LASTS.search(name) is None:
        return None
    named = [found[2]] if found[2] else _WORDS.findall(english(name))
    units = [size for word in named for unit, size in _UNITS if unit.fullmatch(word.lower())]
    return float(found[1]) * (units[-1] if units else 1.0) or None
