"""Look up what a report says of writes that were only taken in: its records by all their tickets at once."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote, urlsplit

from ifmatch.diagnosis.links.path_members import of_a_kind
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.steps.refusal_words import turned_down
from ifmatch.model.cached import cached_property
from ifmatch.model.grouped import grouped
from ifmatch.model.json_values import elements_in, members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content
from ifmatch.model.places import split
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ifmatch.diagnosis.steps.step import Step

# A journal's place lies below that of the thing, and is kept under this name for a ticket.
JOURNAL: Final = "\n"
# A shorter value is a ticket only under the name that it was given with.
TELLING: Final = 5
_DEEP: Final = 5
_MOST: Final = 2000
# A page of a ticket has it last in its path, or before what of it is asked for; shorter words are no kinds.
_PAGE: Final = 2
_KIND: Final = 3
# What says of a name that it numbers something.
_NUMBERED: Final = late_pattern(
    r"(?i)[-_ ]?(?:id|no|nr|number|key|ref|token|code)$|(?<=[a-z])(?:Id|No|Ref|Key)$"
)
_CLOCK: Final = late_pattern(r"(?<![\d:])([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?![\d:])")
# Seconds between a write and what a journal has of it.
_AT_ONCE: Final = 3.0


class Ticket(Frozen, frozen=True, eq=False):
    """What names a write that was taken in.

    Attributes:
        word: the name that it was given under, "" for a place.
        value: of the ticket.
        step: the write.
        page: whether it names a page alone, as what a field gives.
    """

    word: str
    value: str
    step: Step
    page: bool = False

    @property
    def telling(self) -> bool:
        """Tell whether the value means the write wherever it stands."""
        return not self.page and (len(self.value) >= TELLING or any(map(str.isalpha, self.value)))


class Report:
    """The answer to a look, with what it says of tickets.

    Args:
        step: the look.
        text: of its answer.
        waiting: tickets of writes before it.
    """

    def __init__(self, step: Step, text: str, waiting: Iterable[Ticket]) -> None:
        self.step = step
        self.text = text
        self.tickets = [one for one in waiting if self._may_tell(one)]

    def _may_tell(self, ticket: Ticket) -> bool:
        """Tell whether a ticket may be named: JSON may write its signs as escapes."""
        if ticket.value in self.text or "\\" in self.text or own_page(self.step, ticket):
            return True
        return ticket.word == JOURNAL and self.step.exchange.request.url.startswith(ticket.value)

    @property
    def value(self) -> object | None:
        """Return the answer's JSON object or list; None for anything else."""
        value = self.step.view.json
        return value if type(value) in {dict, list} else None

    @cached_property
    def lines(self) -> object | None:
        """Return the objects of a text of which each line is one; None for any other text."""
        lines = [line for line in self.text.splitlines() if line.strip()][:_MOST]
        found = [members_in(Content.from_text(line).json()) for line in lines if line.lstrip()[:1] == "{"]
        return found if found and len(found) == len(lines) and all(found) else None

    def records(self, ticket: Ticket) -> list[dict[str, object]]:
        """Return the innermost records that have a ticket among their members.

        Args:
            ticket: one of its tickets.
        """
        return self._by_ticket.get(ticket, [])

    @cached_property
    def _by_ticket(self) -> dict[Ticket, list[dict[str, object]]]:
        # One pass over a list that tells of all that wait.
        wanted = grouped((ticket.value, ticket) for ticket in self.tickets)
        value = self.value
        return _records(self.lines if value is None else value, wanted, 0)

    def entries(self, ticket: Ticket) -> list[dict[str, object]]:
        """Return the one entry of a journal below the place of a write that is of its time.

        Args:
            ticket: that place.
        """
        below = self.step.exchange.request.url.startswith(ticket.value)
        found = list(_in_journal(self.value, ticket.step.start_here)) if below else []
        return found if len(found) == 1 else []


def own_page(report: Step, ticket: Ticket) -> bool:
    """Tell whether an answer was asked for at the place of a ticket.

    Args:
        report: the look.
        ticket: of a write before it.
    """
    there = report.exchange.request.url
    if not ticket.word:
        return urlsplit(there)[:3] == split(ticket.value)[:3]
    parts = _parts(there)
    if ticket.word == JOURNAL or ticket.value not in parts[-_PAGE:]:
        return False
    place = len(parts) - 1 - parts[::-1].index(ticket.value)
    # `/works/12/log` is about the work 12; a longer value means its ticket whatever stands before it.
    kind = parts[place - 1] if place else ""
    return ticket.telling or _called_alike(kind, ticket.word)


@lru_cache(maxsize=64)
def _parts(url: str) -> tuple[str, ...]:
    return tuple(unquote(one) for one in urlsplit(url).path.split("/") if one)


def names(word: str, value: object, ticket: Ticket) -> bool:
    """Tell whether a member has a ticket: a short one only under the name that it was given with.

    Args:
        word: what the member is called.
        value: of the member.
        ticket: of a write.
    """
    if not isinstance(value, str | int) or isinstance(value, bool) or str(value) != ticket.value:
        return False
    return word == ticket.word or ticket.telling


def _called_alike(kind: str, word: str) -> bool:
    """Tell whether a step of a path is called like a ticket: `batches` and `batch`, `jobs` and `job_id`."""
    short, named = (re.sub(r"[^a-z]", "", one.lower()) for one in (kind, _NUMBERED.sub("", word)))
    if min(len(short), len(named)) < _KIND:
        return False
    return short in {named, f"{named}s", f"{named}es"} or of_a_kind(short, named)


def _records(
    value: object, wanted: Mapping[str, Sequence[Ticket]], depth: int
) -> dict[Ticket, list[dict[str, object]]]:
    """Return the innermost records that have tickets among their members, by these."""
    found: dict[Ticket, list[dict[str, object]]] = {}
    if depth > _DEEP:
        return found
    if isinstance(value, list):
        for one in cast("list[object]", value)[:_MOST]:
            for ticket, records in _records(one, wanted, depth + 1).items():
                found.setdefault(ticket, []).extend(records)
    elif isinstance(value, dict):
        record = members_in(cast("object", value))
        for word, one in record.items():
            inside = _records(one, wanted, depth + 1)
            told = {"in": word.replace("_", " ")} if inside and isinstance(one, list) else {}
            told = told if told and turned_down(word) else {}
            for ticket, records in inside.items():
                found.setdefault(ticket, []).extend({**each, **told} if told else each for each in records)
        for ticket, records in _at_top(record, wanted).items():
            found.setdefault(ticket, records)
    return found


def _at_top(
    record: dict[str, object], wanted: Mapping[str, Sequence[Ticket]]
) -> dict[Ticket, list[dict[str, object]]]:
    """Return what a record says of the tickets that it, or a list in it, has by name."""
    found: dict[Ticket, list[dict[str, object]]] = {}
    for word, one in record.items():
        if isinstance(one, str | int):
            for ticket in wanted.get(str(one), ()):
                if names(word, one, ticket):
                    found[ticket] = [record]
    listed: dict[Ticket, list[dict[str, object]]] = {}
    for word, one in record.items():
        # What is listed by name alone is told by what the list is called.
        called = word.replace("_", " ")
        held = elements_in(one)
        for value in {str(each) for each in held if isinstance(each, str | int | float)}:
            for ticket in wanted.get(value, ()):
                if ticket.telling:
                    listed.setdefault(ticket, []).append({called: value, "in": called})
    return {**listed, **found}


def _in_journal(value: object, time: float) -> Iterator[dict[str, object]]:
    """Yield the entries of a journal that are of the time of a write."""
    lists = [value, *members_in(value).values()]
    for held in lists:
        for one in cast("list[object]", held)[-_MOST:] if isinstance(held, list) else ():
            record = members_in(one)
            texts = [text for text in record.values() if isinstance(text, str)]
            if any(_at_once(text, time) for text in texts):
                yield record


def _at_once(text: str, time: float) -> bool:
    """Tell whether a text is the moment of a write, or its time of the day."""
    moment = told_moment(text)
    if moment is not None:
        return abs(moment - time) <= _AT_ONCE
    clock = _CLOCK.fullmatch(text.strip())
    if clock is None:
        return False
    _, minute, second = map(int, clock.groups())
    # Clocks of a place may be whole hours apart.
    return abs((minute * 60 + second) - time % 3600) <= _AT_ONCE
