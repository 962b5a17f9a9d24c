"""Find the answers that show the things which batches change line by line; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote, unquote

from ifmatch.diagnosis.reading.line_records import record_of
from ifmatch.model.cached import cached_property
from ifmatch.model.grouped import grouped
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.reading.line_records import Record
    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
_LONGEST: Final = 60_000
_MOST: Final = 60
_DEEP: Final = 4
_WORD: Final = late_pattern(r"\w+")
# What JSON may spell otherwise than it is shown: `1.50`.
_SPELT: Final = late_pattern(r"-?\d+\.\d+")


class Line(Frozen, frozen=True):
    """A line of a batch: what names its thing, under which member, and what it carries, and all share."""

    number: int
    name: str
    word: str
    record: Record


class Look(Frozen, frozen=True):
    """An answer that shows a thing, and the record that it shows of it."""

    step: Step
    place: int
    url: str
    record: Record


class Shown:
    """The answers of a service that may show things.

    Args:
        service: its steps, in order of time.
        batches: those of them that change things by lines: their answers are no looks.
    """

    def __init__(self, service: Sequence[Step], batches: frozenset[Step]) -> None:
        self._size = len(service)
        self._answers = [
            (place, step, content.text, step.exchange.request.url.partition("?")[0].rstrip("/"))
            for place, step in enumerate(service)
            if step.status == _OK and step.method in {"GET", "POST"} and step not in batches
            if (content := step.content) is not None and 0 < len(content) <= _LONGEST
        ]

    def looks(self, line: Line) -> list[Look]:
        """Return the answers that show the thing of a line: by itself under its name, or one of a list.

        Args:
            line: of a batch of the service.
        """
        own: list[Look] = []
        listed: list[Look] = []
        for number in self._naming(line.name):
            place, step, text, url = self._answers[number]
            if line.name not in text:
                continue
            value = step.view.json
            if step.method == "GET" and unquote(url.rpartition("/")[2]) == line.name:
                if isinstance(value, dict):
                    own.append(Look(step, place, url, record_of(cast("object", value), line.name)))
                continue
            records = list(_records(value, line, 0))
            if len(records) == 1:
                listed.append(Look(step, place, f"{url}/{quote(line.name, safe='')}", records[0]))
        # What is read by itself is known best by that; a list tells what had been known before.
        first = own[0].place if own else self._size
        found = own and sorted(
            [*own, *(one for one in listed if one.place < first)], key=lambda one: one.place
        )
        found = found or listed
        url = (own or found)[0].url if found else ""
        return [Look(one.step, one.place, url, one.record) for one in found]

    def _naming(self, name: str) -> Sequence[int]:
        """Return the numbers of the answers that may show what has a name, by the rarest word of that."""
        words = _WORD.findall(name)
        if not words or _SPELT.fullmatch(name) is not None:
            return range(len(self._answers))
        rarest = min((self._by_word.get(word, []) for word in words), key=len)
        return sorted({*rarest, *self._by_end.get(name, ())})

    @cached_property
    def _by_word(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, (_, _, text, _) in enumerate(self._answers):
            for word in set(_WORD.findall(text)):
                found.setdefault(word, []).append(number)
        return found

    @cached_property
    def _by_end(self) -> dict[str, list[int]]:
        return grouped(
            (unquote(url.rpartition("/")[2]), number) for number, (_, _, _, url) in enumerate(self._answers)
        )


def _records(value: object, line: Line, depth: int) -> Iterator[Record]:
    """Yield the records in lists, or below their own name, that are about the thing of a line."""
    if depth > _DEEP:
        return
    if isinstance(value, list):
        for one in cast("list[object]", value)[:_MOST]:
            record = members_in(one)
            if len(record) > 1 and str(record.get(line.word)) == line.name:
                yield record
            else:
                yield from _records(one, line, depth + 1)
    elif isinstance(value, dict):
        for name, one in members_in(cast("object", value)).items():
            inner = members_in(one)
            if inner and name == line.name:
                yield inner
            elif isinstance(one, dict | list):
                yield from _records(cast("object", one), line, depth + 1)
