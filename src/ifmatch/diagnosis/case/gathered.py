"""Gather once for a case what is looked for again and again: values sent and given out, lists, versions."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.links.in_time import back_from
from ifmatch.diagnosis.links.likeness import shows
from ifmatch.diagnosis.links.operations import asks
from ifmatch.diagnosis.links.tickets import carried, carried_anywhere, in_fields, placed
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import scalars
from ifmatch.diagnosis.reading.embedded import may_be_coded
from ifmatch.diagnosis.reading.listed_records import may_list
from ifmatch.diagnosis.reading.whole_words import as_word
from ifmatch.diagnosis.steps.message_members import shown
from ifmatch.diagnosis.steps.resources import bare, parent_of
from ifmatch.model.cached import cached_property
from ifmatch.model.grouped import grouped
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.steps.step import Step

# What the name of a member says of a version, in whatever place.
_NAMED: Final = late_pattern(r"version|revision|(?:^|[_-])rev(?:$|[_-])|e-?tag", re.IGNORECASE)
# Longer contents are data, longer answers none that give a ticket out.
_LONGEST: Final = 200_000
# Longer contents are no questions.
_ASKED: Final = 2000
_LONG: Final = 20_000
_OK: Final = 200
_REFUSED: Final = 400
# Fewer answers are quicker looked through than sorted by their words; more versions than this are too old.
_MANY: Final = 150_000
_MOST: Final = 2000
_WORD: Final = late_pattern(r"[\w-]+")


@dataclass
class Gathered:
    """What one actor of a case sent and was shown.

    Attributes:
        steps: of the actor, in order of time.
    """

    steps: Sequence[Step]

    def __post_init__(self) -> None:
        self._givers: dict[str, Step | None] = {}
        self._looked = 0

    def first_carrying(self, value: str) -> Step | None:
        """Return the first request that carried a value where a ticket may stand, None without one."""
        return self._carriers.get(value)

    def first_giving(self, value: str) -> Step | None:
        """Return the first step whose answer holds a value, None without one."""
        if value not in self._givers:
            first = self._in_fields.get(value)
            texts = self._holding(value)
            told = next((one for one, text in texts if value in text and as_word(value, text)), first)
            self._givers[value] = first if first is not None and told and first.order < told.order else told
        return self._givers[value]

    def _holding(self, value: str) -> Sequence[tuple[Step, str]]:
        """Return the answers that may hold a value; where it takes many looks, by its rarest word."""
        self._looked += len(self._texts)
        if max(self._looked, len(self._refused) * len(self._texts)) <= _MANY:
            return self._texts
        words = self._asked_words.intersection(_WORD.findall(value))
        return min((self._by_word.get(word, []) for word in words), key=len, default=self._texts)

    @cached_property
    def _asked_words(self) -> frozenset[str]:
        """Return the words of all values that are mostly asked for: those that refused requests carry."""
        held = (
            values for one in self._refused for values in (carried(one), carried_anywhere(one), placed(one))
        )
        values = {one for values in held for one in values.values()}
        return frozenset(word for value in values for word in _WORD.findall(value))

    @cached_property
    def _refused(self) -> list[Step]:
        return [one for one in self.steps if one.status >= _REFUSED or (one.is_write and not one.accepted)]

    @cached_property
    def _by_word(self) -> dict[str, list[tuple[Step, str]]]:
        found: dict[str, list[tuple[Step, str]]] = {}
        for one, text in self._texts:
            for word in self._asked_words.intersection(_WORD.findall(text)):
                found.setdefault(word, []).append((one, text))
        return found

    def collection_reads(self, write: Step, before: Step) -> Iterator[Step]:
        """Yield the answered reads of what holds the target of a write, the latest first.

        Args:
            write: of any resource.
            before: what they came before.
        """
        return back_from(self._reads.get(parent_of(write.resource).rstrip("/"), ()), before.order)

    def reads_of(self, read: Step, before: Step) -> Iterator[Step]:
        """Yield the answered reads of what another one asked for, the latest first.

        Args:
            read: any read.
            before: what they came before.
        """
        return back_from(self._by_address.get(read.resource, ()), before.order)

    @cached_property
    def _by_address(self) -> dict[str, list[Step]]:
        return grouped((one.resource, one) for one in self.steps if one.is_read and one.status == _OK)

    @cached_property
    def _reads(self) -> dict[str, list[Step]]:
        return grouped((bare(one.resource), one) for one in self.steps if one.is_read and one.status == _OK)

    def answers_after(self, step: Step, count: int) -> Sequence[tuple[Step, str]]:
        """Return of the steps right after one the answered reads that may list records, and what they show.

        Args:
            step: of any actor.
            count: so many steps of the case, of all actors, are looked at.
        """
        found, orders = self._answers
        begin = bisect_left(orders, step.order + 1)
        return found[begin : bisect_left(orders, step.order + 1 + count, begin)]

    def listings_near(self, step: Step, count: int) -> Sequence[Step]:
        """Return of the steps around one the reads that may list records.

        Args:
            step: of any actor.
            count: so many steps of the case, of all actors, are looked at before it and from it on.
        """
        found, orders = self._answers
        begin = bisect_left(orders, step.order - count)
        near = found[begin : bisect_left(orders, step.order + count, begin)]
        return [one for one, _ in near if one.is_read]

    def answers_naming(self, piece: str, step: Step, count: int) -> list[Step]:
        """Return of the answered reads right after a step those that may hold a piece of a name.

        Args:
            piece: letters and digits.
            step: of any actor.
            count: as for `answers_after`.
        """
        return [
            one
            for one, text in self.answers_after(step, count)
            if piece in text or piece in one.exchange.request.url or one.order in self._coded
        ]

    @cached_property
    def _coded(self) -> frozenset[int]:
        """Return the orders of the answers that may hold names as base64."""
        return frozenset(one.order for one, text in self._answers[0] if may_be_coded(text))

    def refusals_after(self, step: Step, count: int) -> Sequence[Step]:
        """Return the refused requests among the steps right after one, as for `answers_after`."""
        found, orders = self._refusals
        begin = bisect_left(orders, step.order + 1)
        return found[begin : bisect_left(orders, step.order + 1 + count, begin)]

    def versions_before(self, step: Step) -> Sequence[tuple[Step, str]]:
        """Return the latest values, called versions, that reads before a request show, and the reads."""
        until = bisect_left(self._versions, step.order, key=lambda one: one[0].order)
        return self._versions[max(0, until - _MOST) : until]

    def may_list(self, token: str) -> bool:
        """Tell whether any answer has a list with an entry that holds an opaque tag."""
        return token in self._listed

    @cached_property
    def _answers(self) -> tuple[list[tuple[Step, str]], list[int]]:
        read = [(one, one.content) for one in self.steps if one.status == _OK and (one.is_read or asks(one))]
        # What a POST asks for stands in its content.
        found = [
            (one, held.text if one.method == "GET" else f"{held.text}\n{one.view.sent_text[:_ASKED]}")
            for one, held in read
            if held is not None and len(held) <= _LONGEST and may_list(held.text)
        ]
        return found, [one.order for one, _ in found]

    @cached_property
    def _refusals(self) -> tuple[list[Step], list[int]]:
        found = [one for one in self.steps if one.refused]
        return found, [one.order for one in found]

    @cached_property
    def _versions(self) -> list[tuple[Step, str]]:
        return [
            (one, member.value)
            for one in self.steps
            if one.read_ok
            for member in shown(one)
            if _NAMED.search(member.word)
        ]

    @cached_property
    def _carriers(self) -> dict[str, Step]:
        found: dict[str, Step] = {}
        for one in self.steps:
            for value in carried(one).values():
                found.setdefault(value, one)
        return found

    @cached_property
    def _texts(self) -> list[tuple[Step, str]]:
        """Return each content that the actor was shown, with the first step that has it."""
        found: dict[str, Step] = {}
        for one in self.steps:
            if (held := one.content) is not None and len(held) <= _LONG:
                found.setdefault(held.text, one)
        return [(one, text) for text, one in found.items()]

    @cached_property
    def _in_fields(self) -> dict[str, Step]:
        found: dict[str, Step] = {}
        for one in self.steps:
            for value in in_fields(one):
                found.setdefault(value, one)
        return found

    @cached_property
    def _listed(self) -> frozenset[str]:
        return frozenset(
            tokens.opaque(text)
            for one in self.steps
            if shows(one) and one.content is not None and len(one.content) <= _LONGEST
            if "[" in one.content.text
            for entry in _entries(one.view.json)
            for text in scalars(entry)
        )


def _entries(value: object) -> Iterator[object]:
    """Yield the entries of the lists that a JSON value holds, those within entries left aside."""
    if isinstance(value, dict):
        for member in cast("dict[str, object]", value).values():
            yield from _entries(member)
    elif isinstance(value, list):
        yield from cast("list[object]", value)
