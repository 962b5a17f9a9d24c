"""Hold the steps of one resource, with what is asked of them again and again."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, overload

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.steps import Step
from ifmatch.model.cached import cached_property

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import SupportsIndex

# So many steps of a resource are looked at on either side of a request, and of its case: what lies
# further away hardly has to do with it, and to look through all for each would take as long as the square.
_REACH: Final = 250
CASE_REACH: Final = 1000
_DONE: Final = frozenset({200, 204})


class History(list[Step]):
    """The steps of one resource in order of time; complete before anything is asked."""

    @cached_property
    def writes(self) -> list[Step]:
        """Return the accepted steps that changed the resource."""
        return [step for step in self if step.accepted and step.replaces]

    @cached_property
    def refused_writes(self) -> list[Step]:
        """Return the writes that were refused by precondition, in order of time."""
        return [step for step in self if step.refused and step.is_write and not step.accepted]

    @cached_property
    def in_turn(self) -> bool:
        """Tell whether all is one actor's, and each version is given out right before what is made of it.

        Each write then names the tag that the step before it bears, and is answered with a new one, which
        the next step bears or names; each look is whole and unconditional. The order of these steps tells
        of nothing that came between: only what answers say, here or elsewhere, can.
        """
        tag = actor = None
        written = False
        seen: set[str] = set()
        for step in self:
            current = step.etag
            if current is None or step.version is not None or step.status not in _DONE:
                return False
            if actor is None:
                actor = step.actor
            if step.actor != actor:
                return False
            if step.method == "GET" and not step.conditions:
                if current != tag and (written or current in seen):
                    return False
                written = False
            elif current in seen or not _made_of(step, tag):
                return False
            else:
                written = True
            tag = current
            seen.add(current)
        return True

    @cached_property
    def issuers(self) -> dict[str, list[Step]]:
        """Return the steps that gave out each validator, in order of time."""
        found: dict[str, list[Step]] = {}
        for step in self:
            for token in step.issued():
                found.setdefault(token, []).append(step)
        return found

    @cached_property
    def shown(self) -> dict[tuple[float | None, str | None], list[Step]]:
        """Return the reads that showed validators by their Date and tag, in order of time."""
        found: dict[tuple[float | None, str | None], list[Step]] = {}
        for step in self:
            if step.read_ok:
                found.setdefault((step.date, step.etag), []).append(step)
        return found

    @cached_property
    def passed(self) -> dict[str, list[Step]]:
        """Return the accepted guarded steps by what their guards carry, in order of time."""
        found: dict[str, list[Step]] = {}
        for step in self:
            if step.accepted and step.guard is not None:
                found.setdefault(step.guard.value, []).append(step)
        return found

    @cached_property
    def by_actor(self) -> dict[str, list[Step]]:
        """Return the steps of each actor, the actors in order of their first."""
        found: dict[str, list[Step]] = {}
        for step in self:
            found.setdefault(step.actor, []).append(step)
        return found

    @cached_property
    def represented(self) -> dict[str, list[Step]]:
        """Return by actor the steps that show a whole representation, in order of time."""
        found: dict[str, list[Step]] = {}
        for step in self:
            if step.representation is not None:
                found.setdefault(step.actor, []).append(step)
        return found

    @cached_property
    def reads_by_tag(self) -> dict[str, list[Step]]:
        """Return the reads by the opaque tag that they showed, "" for none, in order of time."""
        found: dict[str, list[Step]] = {}
        for step in self:
            if step.is_read:
                found.setdefault(tokens.opaque(step.etag or ""), []).append(step)
        return found

    @cached_property
    def _orders(self) -> list[int]:
        return [step.order for step in self]

    @cached_property
    def _written(self) -> list[int]:
        return [step.order for step in self.writes]

    @cached_property
    def _stretches(self) -> dict[int, History]:
        return {}

    def issued(self, token: str) -> Sequence[Step]:
        """Return the steps that gave out a validator, in order of time."""
        return self.issuers.get(token, ())

    def before(self, step: Step) -> list[Step]:
        """Return the steps that began before one."""
        return self[: bisect_left(self._orders, step.order)]

    def after(self, step: Step) -> list[Step]:
        """Return the steps that began after one."""
        return self[bisect_left(self._orders, step.order + 1) :]

    def written_between(self, first: Step, last: Step) -> bool:
        """Tell whether an accepted step changed the resource after one and before another."""
        place = bisect_left(self._written, first.order + 1)
        return place < len(self._written) and self._written[place] < last.order

    def writes_from(self, order: int) -> list[Step]:
        """Return the accepted steps that changed the resource, from one of an order on."""
        return self.writes[bisect_left(self._written, order) :]

    def around(self, first: Step, last: Step | None = None) -> History:
        """Return what lies near a request: all of a short history, else `REACH` steps or more on either side.

        Args:
            first: of the history.
            last: the last attempt of the same intent; `first` when left out.
        """
        if len(self) <= 3 * _REACH:
            return self
        block = bisect_left(self._orders, first.order) // _REACH
        end = block if last is None else max(block, bisect_left(self._orders, last.order) // _REACH)
        if end > block:
            return History(self[max(0, block - 1) * _REACH : (end + 2) * _REACH])
        if block not in self._stretches:
            self._stretches[block] = History(self[max(0, block - 1) * _REACH : (block + 2) * _REACH])
        return self._stretches[block]

    def near(self, attempts: Sequence[Step]) -> History:
        """Return what lies near the attempts of one intent, and what gave the first of them its tokens.

        Args:
            attempts: in order of time.
        """
        step = attempts[0]
        found = self.around(step, attempts[-1])
        guard = step.guard
        if found is self or guard is None:
            return found
        begin = found[0].order
        gave: list[Step] = []
        for token in guard.tokens:
            known = self.issued(token)
            far = known[: bisect_left(known, begin, key=lambda one: one.order)]
            own = [one for one in far[:_REACH] if one.actor == step.actor][:1]
            last = [one for one in far[-_REACH:] if one.actor == step.actor][-1:]
            gave += [*own, *last, *far[-1:]]
        if not gave:
            return found
        return History([*sorted(set(gave), key=lambda one: one.order), *found])


def _made_of(write: Step, tag: str | None) -> bool:
    """Tell whether a write was accepted that has one condition: that its resource be as a tag names it."""
    guard = write.guard
    if guard is None or guard.guard is not Guard.SAME or not guard.standard or len(write.conditions) > 1:
        return False
    return guard.tokens == (tag,) and write.accepted and write.replaces


class Stretch(list[Step]):
    """A part of the steps of a case, sliced by their order as the whole is.

    Attributes:
        begin: order of the first.
    """

    begin: int = 0

    @overload
    def __getitem__(self, place: SupportsIndex) -> Step: ...
    @overload
    def __getitem__(self, place: slice) -> list[Step]: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Step | list[Step]:
        """Return the step of an order, or those of a range of orders."""
        if isinstance(place, slice):
            begin, end = place.start, place.stop
            first = None if begin is None else max(0, begin - self.begin)
            return super().__getitem__(slice(first, None if end is None else max(0, end - self.begin)))
        return super().__getitem__(int(place) - self.begin)
