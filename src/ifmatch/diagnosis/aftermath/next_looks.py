"""Find what the next look at a thing shows of a write to it: as before, as it was sent, or otherwise.

The look may be at the thing, at a list that holds it, or a call that asks for it by name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.in_time import is_row
from ifmatch.diagnosis.links.succession import later_time
from ifmatch.diagnosis.links.values_by_name import values_sent, values_shown
from ifmatch.diagnosis.links.versions_beside import named
from ifmatch.diagnosis.links.written_things import entry_of, name_of, names_in, of_another
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.diagnosis.steps.resources import bare, parent_of
from ifmatch.model.cached import cached_property
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.steps.step import Step

# So many requests before and after a write are looked at.
_NEAR: Final = 30
_OK: Final = 200
_CONTENT: Final = 60_000
# What numbers a call, not a state.
_OF_CALLS: Final = frozenset({"id", "jsonrpc"})
_INSIDE: Final = frozenset({"body", "text"})


class NextLook(Frozen, frozen=True):
    """What the next look shows of the members that a write was to change.

    Attributes:
        step: the look.
        before: their values as they were shown before the write.
        sent: as the write sends them.
        held: as the look shows them, those that it shows.
        there: all that it shows of the thing.
    """

    step: Step
    before: dict[str, str]
    sent: dict[str, str]
    held: dict[str, str]
    there: dict[str, str]

    @property
    def as_before(self) -> bool:
        """Tell whether all is as it was before the write."""
        return all(value == self.before[word] for word, value in self.held.items())

    @property
    def otherwise_as_before(self) -> bool:
        """Tell whether all is as before but what is as sent: another representation may have that."""
        left = [value == self.before[word] for word, value in self.held.items() if value != self.sent[word]]
        return bool(left) and all(left)

    def by_another(self, version: str) -> bool:
        """Tell whether nothing is as it was sent where the look has a version: another has changed it.

        Args:
            version: that was told of the write.
        """
        # The version itself is another one in any case.
        edits = [word for word in self.held if not called_version(word)]
        told = bool(edits) and version in self.there.values()
        return told and not any(_equal(self.held[word], self.sent[word]) for word in edits)

    def under(self, version: str) -> bool:
        """Tell whether the look has a version, so that nobody wrote in between.

        Args:
            version: that was told of the write.
        """
        return version in self.there.values() or states(self.step, version)


class Around:
    """A write among the requests to its service, and what they show of the thing that it is about.

    Attributes:
        write: the write.
        before: the requests before it that are looked at, in order of time.
        after: those after it.
    """

    def __init__(self, service: Sequence[Step], place: int) -> None:
        self.write = service[place]
        # The batch that holds the write is the write itself.
        around = self.write.within
        self.before = [one for one in service[max(0, place - _NEAR) : place] if one is not around]
        # A list may lag behind the thing.
        self.after = [one for one in service[place + 1 : place + 1 + _NEAR] if not is_row(one)]

    @cached_property
    def names(self) -> frozenset[str]:
        """Return what the thing is called where looks ask for it by name."""
        return names_in(self.write, (*self.before, *self.after))

    @cached_property
    def shown_before(self) -> dict[str, str]:
        """Return what was shown last, before the write, of the members that it sends."""
        found: dict[str, str] = {}
        # Who sends back a version as it was shown changes nothing by that.
        wanted = values_sent(self.write).keys() - _OF_CALLS
        for one in reversed(self.before) if wanted else ():
            stored = one.is_write and 200 <= one.status < 300 and one.seen.outdated is None
            if not (stored or _looks(one)) or self._of_another(one):
                continue
            there = {**values_sent(one), **values_shown(one)} if one.is_write else self._of_thing(one)
            for word in wanted & there.keys():
                found.setdefault(word, there[word])
        return found

    @cached_property
    def edits(self) -> dict[str, str]:
        """Return the members that the write sends otherwise than they were shown, as it sends them."""
        before = self.shown_before
        return {
            word: value
            for word, value in values_sent(self.write).items()
            if word in before and before[word] != value
        }

    @cached_property
    def answered_as_sent(self) -> bool:
        """Tell whether the answer has some edit as it was sent."""
        answered = values_shown(self.write)
        return any(answered.get(word) == value for word, value in self.edits.items())

    @property
    def looks(self) -> Iterator[Step]:
        """Yield what else was asked around the write that may be a look, with what it shows."""
        for one in (*self.before, *self.after):
            if _looked_up(one) and (one.method == "GET" or _looks(one)):
                yield one

    def only_repeats(self, value: str) -> bool:
        """Tell whether the answer has a value nowhere but where it repeats what was sent, by the same name.

        Args:
            value: a number, or a moment.
        """
        held = [one.word for one in shown(self.write) if one.value == value and one.where in _INSIDE]
        mine = {one.word for one in sent(self.write) if one.value == value}
        if not held or not mine.issuperset(held):
            return False
        return len(re.findall(rf"(?<![\w.]){re.escape(value)}(?!\w)", self.write.view.text)) == len(held)

    def had(self, version: str) -> bool:
        """Tell whether an answer before the write has a version.

        Args:
            version: as it is written there.
        """
        return any(_looked_up(one) and states(one, version) for one in self.before)

    def next_look(self, report: Step | None = None) -> NextLook | None:
        """Return what the next look shows of the edits, None without such a look, or where nothing is edited.

        Where the answer has an edit as it was sent, it was taken: no look is needed.

        Args:
            report: the look that tells what became of the write, which is none at the thing itself.
        """
        if not self.edits or self.answered_as_sent:
            return None
        for one in self.after:
            if one in {report, self.write.seen.report} or not _looks(one):
                continue
            if self._of_another(one):
                continue
            there = self._of_thing(one)
            held = {word: there[word] for word in self.edits if word in there}
            if held:
                return NextLook(one, self.shown_before, self.edits, held, there)
        return None

    def moved_on(self) -> tuple[str, str] | None:
        """Return the version that the write carries as it was shown, and the later one that is shown next."""
        mine = {tokens.opaque(one.value) for one in sent(self.write)}
        near = (one for one in self.before if not self._of_another(one))
        held = [self._of_thing(one) for one in near if _looked_up(one)]
        places = {word for one in held for word, value in one.items() if value in mine}
        for one in self.after:
            if not _looks(one) or self._of_another(one):
                continue
            now = self._of_thing(one)
            for word in (places - _OF_CALLS) & now.keys():
                old = next(each[word] for each in reversed(held) if each.get(word) in mine)
                if tokens.counted_on(old, now[word]) or later_time(old, now[word]):
                    return old, now[word]
        return None

    def _of_another(self, one: Step) -> bool:
        """Tell whether a request is about another thing, such as one beside it that does not name it.

        Where the thing is read at its own address, what is read at another of the kind is another one.
        """
        if of_another(one, self.write, self.names):
            return True
        if not (one.is_read and self._read_at_its_own and one.resource.startswith(self._above)):
            return False
        there = bare(one.resource)
        beside = there != bare(self.write.resource) and parent_of(there) == self._above
        return beside and name_of(self.write) not in one.view.text

    @cached_property
    def _above(self) -> str:
        return parent_of(self.write.resource)

    @cached_property
    def _read_at_its_own(self) -> bool:
        """Tell whether a read at the very address that is written shows something."""
        here = bare(self.write.resource)
        return any(_looks(one) and one.is_read and bare(one.resource) == here for one in self.before)

    def _of_thing(self, look: Step) -> dict[str, str]:
        """Return what a look shows of the thing: its entry in a list, else all."""
        return entry_of(look, self.write, self.names) or values_shown(look)


def states(look: Step, version: str) -> bool:
    """Tell whether an answer has a version, as its tag or anywhere in it.

    Args:
        look: whose answer is read.
        version: as it is written there.
    """
    if look.etag is not None and tokens.opaque(look.etag) == version:
        return True
    return any(tokens.opaque(one.value) == version for one in shown(look)) or named(look.view.text, version)


def _equal(one: str, two: str) -> bool:
    """Tell whether two values say the same, however they are written."""
    try:
        return float(one) == float(two)
    except ValueError:
        return one.strip().casefold() == two.strip().casefold()


def _looked_up(one: Step) -> bool:
    return 200 <= one.status < 300 and one.content is not None and len(one.content) <= _CONTENT


def _looks(one: Step) -> bool:
    return one.method in {"GET", "POST", "QUERY"} and one.status == _OK and _looked_up(one)
