"""Find the part of a request that the report about it names by its place, and what the record holds.

The write was only taken in; what became of it names an element of what was sent (`removals[0]`, `/old/1`),
and a look shows the record that this element is to describe with another value than it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from xml.etree import ElementTree as ET

from ifmatch.diagnosis.facts.row_reasons import Reason, shorten
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.sent_rows import documents, entries_in, flat
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.left_undone import account_in, account_of, says_left, whole_of
from ifmatch.diagnosis.steps.resources import path_of
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.reading.sent_rows import Row
    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 20_000
_READS: Final = 8
# `removals[0]`, `old/1`, `$.from[0]`, `alt.0`; in words: `removals, no. 1` is none.
_PLACE: Final = late_pattern(r"([^\W\d][\w-]*)(?:\[(\d{1,3})\]|[/.#](\d{1,3})(?![\w.]))")


def part_unlike(step: Step, own: Sequence[Step]) -> Reason | None:
    """Return why a write came to nothing whose report names an element of it that the record is not like.

    Args:
        step: a write that was taken in.
        own: what the same actor did around it, on the same host.
    """
    text = account_in(step)
    if not 0 < len(text) <= _LONGEST or not says_left(text):
        return None
    for place, element in _named(text, step.view.sent_text):
        for read in _looks(step, own):
            found = _differs(element, read, step)
            if found is not None:
                sent, held = found
                return Reason(
                    "payload-precondition-mismatch",
                    (
                        (f"{place} is {sent} in the request, {held} in the record", 5.0, read),
                        (f"what is told of it: “{shorten(_around(text, place))}”", 2.5, account_of(step)),
                    ),
                )
    return None


def _around(text: str, place: str) -> str:
    return text[max(0, text.find(place) - 10) :]


def _looks(step: Step, own: Sequence[Step]) -> list[Step]:
    reads = [one for one in own if one.is_read and one.read_ok and one is not account_of(step)]
    before = [one for one in reads if one.order < step.order][-_READS:]
    return [*before[::-1], *[one for one in reads if one.order > step.order][:_READS]]


def _named(text: str, sent: str) -> Iterator[tuple[str, Row]]:
    """Yield the places of a request that a text names, with the values of the element that is there."""
    for found in _PLACE.finditer(text):
        number = int(found[2] or found[3])
        for element in (*_in_json(sent, found[1], number), *_in_xml(sent, found[1], number)):
            if len(element) > 1:
                yield found[0], element


def _in_json(sent: str, name: str, number: int) -> Iterator[Row]:
    pending: list[object] = documents(sent)[:1]
    while pending:
        held = members_in(pending.pop())
        there = held.get(name)
        if isinstance(there, list) and number < len(cast("list[object]", there)):
            yield flat(cast("list[object]", there)[number])
        pending += [one for one in held.values() if isinstance(one, dict)]


def _in_xml(sent: str, name: str, number: int) -> Iterator[Row]:
    if sent.lstrip()[:1] != "<" or "<!DOCTYPE" in sent or "<!ENTITY" in sent:
        return
    try:
        root = ET.fromstring(sent.encode())  # noqa: S314 - no entity gets here
    except (ET.ParseError, RecursionError, ValueError):
        return
    for outer in root.iter():
        if outer.tag.rpartition("}")[2] == name and number < len(outer):
            one = outer[number]
            leaves = {each.tag.rpartition("}")[2]: (each.text or "").strip() for each in one}
            text = (one.text or "").strip()
            yield {**one.attrib, **leaves, **({one.tag.rpartition("}")[2]: text} if text else {})}


def _differs(element: Row, read: Step, step: Step) -> tuple[str, str] | None:
    """Return the value of an element that a record has otherwise, and the record's, all else equal."""
    path = set(path_of(read.resource).partition("?")[0].split("/")) | set(read.view.query.values())
    records = [one.values for one in entries_in(read.view.text)] or [whole_of(read.view.text).values]
    for record in records:
        plain = {name.rpartition("/")[2]: value for name, value in record.items()}
        shared = [name for name in element if plain.get(name) == element[name]]
        unlike = [name for name in element if name in plain and plain[name] != element[name]]
        # What is only spelt in other letters is told where nothing else differs.
        respelt = [name for name in unlike if plain[name].casefold() == element[name].casefold()]
        apart = [name for name in unlike if name not in respelt] or respelt[:1]
        about = bool(shared) or bool(path & set(element.values()))
        alike = len(shared) + len(respelt)
        if not about or len(apart) != 1 or called_version(apart[0]) or alike + 2 < len(element):
            continue
        times = [one for value in record.values() if (one := told_moment(value)) is not None]
        old = step.timed and bool(times) and max(times) < step.start
        if read.order < step.order or old or not times:
            return f"{apart[0]} {element[apart[0]]}", plain[apart[0]]
    return None
