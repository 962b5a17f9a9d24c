"""Hold the steps of one resource, with what is asked of them again and again."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final, overload

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.steps.step import Step
from ifmatch.model.cached import cached_property
from ifmatch.model.grouped import grouped

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import SupportsIndex

# So many steps of a resource are looked at on either side of a request, and of its case: what lies
# further away hardly has to do with it, and to look through all for each would take as long as the square.
_REACH: Final = 250
CASE_REACH: Final = 1000
_DONE: Final = frozenset({200, 204})
_OF_STATE: Final = frozenset({Guard.SAME, Guard.SAME_DATE})


class History(list[Step]):
    """The steps of one resource in order of time; complete before anything is asked."""

    @cached_property
    def writes(self) -> list[Step]:
        """Return the accepted steps that changed the resource."""
        return [step for step in self if step.changes]

    @cached_property
    def writers(self) -> frozenset[str]:
        """Return the actors of the accepted steps that changed the resource."""
        return frozenset(step.actor for step in self.writes)

    @cached_property
    def readers(self) -> frozenset[str]:
        """Return the actors who asked for the representation, whatever they got."""
        return frozenset(step.actor for step in self if step.is_read)

    @cached_property
    def asking(self) -> frozenset[str]:
        """Return the actors of all writes, refused ones as well."""
        return frozenset(step.actor for step in self if step.is_write)

    @cached_property
    def guarded(self) -> bool:
        """Tell whether any accepted step that changed the resource had a precondition."""
        return any(step.guard is not None for step in self.writes)

    @cached_property
    def made_tags(self) -> frozenset[str | None]:
        """Return what names the versions that accepted steps made, as their answers have it."""
        return frozenset(step.etag for step in self.writes)

    @cached_property
    def first_presenting(self) -> dict[str, Step]:
        """Return by opaque tag the first accepted step whose guards carry it."""
        found: dict[str, Step] = {}
        for step in self.writes:
            for condition in step.conditions:
                for token in condition.tokens if condition.guard in _OF_STATE else ():
                    found.setdefault(tokens.opaque(token), step)
        return found

    @cached_property
    def presenting(self) -> dict[str, list[Step]]:
        """Return by opaque tag the steps whose guards carry it, in order of time."""
        found: dict[str, list[Step]] = {}
        for step in self:
            carried = (one.tokens for one in step.conditions if one.guard in _OF_STATE)
            for opaque in dict.fromkeys(tokens.opaque(token) for held in carried for token in held):
                found.setdefault(opaque, []).append(step)
        return found

    @cached_property
    def shown_to(self) -> dict[str, list[Step]]:
        """Return by actor the steps that show a date of the last change, or are looks with validators."""
        return grouped((step.actor, step) for step in self if step.last_modified is not None or step.read_ok)

    @cached_property
    def turned(self) -> dict[tuple[str, str], Step]:
        """Return the first read of an actor that shows another version than its own write before had made.

        By actor, and by the version that the write had made.
        """
        found: dict[tuple[str, str], Step] = {}
        made: dict[str, str] = {}
        for step in self:
            if step.etag is None:
                continue
            if step.accepted and step.is_write:
                made[step.actor] = step.etag
            elif step.read_ok and made.get(step.actor, step.etag) != step.etag:
                found.setdefault((step.actor, made[step.actor]), step)
        return found

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
    def issuers_to(self) -> dict[tuple[str, str], list[Step]]:
        """Return the steps that gave out each validator to each actor, in order of time."""
        found: dict[tuple[str, str], list[Step]] = {}
        for token, steps in self.issuers.items():
            for step in steps:
                found.setdefault((token, step.actor), []).append(step)
        return found

    @cached_property
    def shown(self) -> dict[tuple[float | None, str | None], list[Step]]:
        """Return the reads that showed validators by their Date and tag, in order of time."""
        return grouped(((step.date, step.etag), step) for step in self if step.read_ok)

    @cached_property
    def passed(self) -> dict[str, list[Step]]:
        """Return the accepted guarded steps by what their guards carry, in order of time."""
        return grouped((step.guard.value, step) for step in self if step.accepted and step.guard is not None)

    @cached_property
    def by_actor(self) -> dict[str, list[Step]]:
        """Return the steps of each actor, the actors in order of their first."""
        return grouped((step.actor, step) for step in self)

    @cached_property
    def represented(self) -> dict[str, list[Step]]:
        """Return by actor the steps that show a whole representation, in order of time."""
        return grouped((step.actor, step) for step in self if step.representation is not None)

    @cached_property
    def reads_by_tag(self) -> dict[str, list[Step]]:
        """Return the reads by the opaque tag that they showed, "" for none, in order of time."""
        return grouped((tokens.opaque(step.etag or ""), step) for step in self if step.is_read)

    @cached_property
    def represented_under(self) -> dict[str, list[Step]]:
        """Return by tag the steps that show a whole representation under it, in order of time."""
        return grouped(
            (step.etag, step) for step in self if step.representation is not None and step.etag is not None
        )

    @cached_property
    def states_under(self) -> dict[str, tuple[Step, Step] | None]:
        """Return what `one_tag.two_states` has found so far, by tag."""
        return {}

    @cached_property
    def kept(self) -> dict[str, object]:
        """Return what searches have worked out of these steps and ask for again, by names of their own."""
        return {}

    @cached_property
    def _orders(self) -> list[int]:
        return [step.order for step in self]

    @cached_property
    def _written(self) -> list[int]:
        return [step.order for step in self.writes]

    @cached_property
    def _stretches(self) -> dict[int, History]:
        return {}

    def newest_moment(self, step: Step) -> float | None:
        """Return the newest time that versions name which were given out up to a step, None without any."""
        place = bisect_right(self._orders, step.order) - 1
        return self._moments[place] if place >= 0 else None

    @cached_property
    def _moments(self) -> list[float | None]:
        found: list[float | None] = []
        newest: float | None = None
        for step in self:
            for token in step.issued():
                moment = told_moment(token)
                if moment is not None and (newest is None or moment > newest):
                    newest = moment
            found.append(newest)
        return found

    def newest_date(self, step: Step) -> float | None:
        """Return the newest Last-Modified that a step's actor was shown before it, None without any."""
        orders, newest = self._dates.get(step.actor, ((), ()))
        place = bisect_left(orders, step.order) - 1
        return newest[place] if place >= 0 else None

    def dated(self, step: Step, moment: float) -> bool:
        """Tell whether a step's actor was shown a Last-Modified before it."""
        first = self._first_dated.get((step.actor, moment))
        return first is not None and first < step.order

    @cached_property
    def _dates(self) -> dict[str, tuple[list[int], list[float]]]:
        found: dict[str, tuple[list[int], list[float]]] = {}
        for step in self:
            if step.last_modified is not None:
                orders, newest = found.setdefault(step.actor, ([], []))
                orders.append(step.order)
                newest.append(max(step.last_modified, newest[-1]) if newest else step.last_modified)
        return found

    @cached_property
    def _first_dated(self) -> dict[tuple[str, float], int]:
        found: dict[tuple[str, float], int] = {}
        for step in self:
            if step.last_modified is not None:
                found.setdefault((step.actor, step.last_modified), step.order)
        return found

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

    def other_write_before(self, step: Step) -> Step | None:
        """Return the last accepted step before one by which another actor changed the resource."""
        place = bisect_left(self._written, step.order) - 1
        if place >= 0 and self.writes[place].actor == step.actor:
            place = self._other_before[place]
        return self.writes[place] if place >= 0 else None

    @cached_property
    def _other_before(self) -> list[int]:
        """Return for each accepted write the place of the last one before it by another actor, or -1."""
        found: list[int] = []
        for place, step in enumerate(self.writes):
            before = place - 1
            if before >= 0 and self.writes[before].actor == step.actor:
                before = found[before]
            found.append(before)
        return found

    def writes_from(self, order: int, step: Step) -> list[Step]:
        """Return the accepted steps that changed the resource, up to a step and to what it may overlap.

        Args:
            order: of the first that is returned, if it is one.
            step: what they came before, or were in flight together with.
        """
        end = max(bisect_left(self._written, step.order), bisect_left(self._begun, step.end))
        return self.writes[bisect_left(self._written, order) : end]

    def writes_beside(self, step: Step) -> list[Step]:
        """Return the accepted steps that changed the resource, and may have been in flight beside one.

        Among them are those that a slow clock cannot put in order.
        """
        tick = max(self._tick, step.exchange.resolution)
        begin, end = step.start - tick, max(step.end, step.start + tick)
        return self.writes[bisect_left(self._ended, begin) : bisect_right(self._begun, end)]

    @cached_property
    def _tick(self) -> float:
        """Return in how many seconds the slowest clock ticks that tells when these steps were."""
        return max((one.exchange.resolution for one in self), default=0.0)

    @cached_property
    def _begun(self) -> list[float]:
        """Return for each accepted write when the first of it and those after it began."""
        return [*accumulate((one.start for one in reversed(self.writes)), min)][::-1]

    @cached_property
    def _ended(self) -> list[float]:
        """Return for each accepted write when the last of it and those before it ended."""
        return [*accumulate((one.end for one in self.writes), max)]

    def around(self, first: Step, last: Step | None = None) -> History:
        """Return what lies near a request: all of a short history, else some 250 steps on either side.

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
    return guard.tokens == (tag,) and write.changes


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
