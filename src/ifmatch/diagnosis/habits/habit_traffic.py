"""Hold the traffic of an unknown service: what its requests carry, and what its answers show, by resource."""

from __future__ import annotations

from bisect import bisect_left
from itertools import islice
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from ifmatch.diagnosis.links.path_members import (
    InPath,
    acted_on,
    beside_latest,
    in_path,
    labelled,
    latest_words,
    of_a_kind,
)
from ifmatch.diagnosis.links.succession import TIME, names_the_next
from ifmatch.diagnosis.links.visits import others_moved, written_members, written_words
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.projections import projection
from ifmatch.diagnosis.reading.version_words import CARRIES
from ifmatch.diagnosis.steps.message_members import Member, blank, sent, shown
from ifmatch.diagnosis.steps.refusal_words import says_outdated
from ifmatch.diagnosis.steps.resources import parent_of
from ifmatch.dialects.words import VERSION
from ifmatch.model.cached import cached_property
from ifmatch.model.grouped import grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ifmatch.diagnosis.steps.step import Step

_MOST: Final = 60
_READS: Final = 6
# As many things are all at their first version now and then.
_FEW: Final = 3
_OK: Final = 200
_CONFLICT: Final = frozenset({304, 409, 412})
_REFUSED: Final = frozenset({409, 412})


def place_of(member: Member) -> tuple[str, str]:
    """Return what is the same for all values of one place.

    Args:
        member: any value there.
    """
    return member.where, member.name


class Traffic:
    """The steps of one service, by what they are about.

    Args:
        service: its steps, in order of time, their dialects not known.
    """

    def __init__(self, service: Sequence[Step]) -> None:
        self.service = service
        self.read = {step.resource for step in service if step.is_read and step.status == 200}
        self.paths = {key.partition("?")[0] for key in self.read}
        self._words = latest_words(self.paths)
        self.about: dict[str, list[Step]] = {}
        self._views: dict[str, list[Step]] = {}
        self._with_query: dict[str, list[str]] = {}
        self.bases: dict[Step, str] = {}
        self._places: dict[Step, int] = {}
        self._in_path: dict[Step, list[InPath]] = {}
        self._took: dict[Step, bool] = {}
        self._contradicted: dict[tuple[tuple[str, str], tuple[str, str]], bool] = {}
        self._taken: dict[str, list[Step]] = {}
        self._steady: dict[tuple[str, tuple[str, str]], bool] = {}
        self._formats: dict[tuple[str, str], bool] = {}
        self._shown: dict[Step, dict[tuple[str, str], str]] = {}
        self._conflicts: dict[str, list[Step]] = {}
        self._tagged: dict[str, bool] = {}
        self._goes_on: dict[tuple[str, str], bool] = {}
        for step in service:
            base = self._base(step)
            self.bases[step] = base
            if base not in self.about and "?" in base:
                self._with_query.setdefault(base.partition("?")[0], []).append(base)
            same = self.about.setdefault(base, [])
            self._places[step] = len(same)
            same.append(step)
            if step.is_read and step.status == _OK and "?" in step.resource:
                self._views.setdefault(step.resource.partition("?")[0], []).append(step)

    def _base(self, step: Step) -> str:
        """Return the key of the resource that a step is about, versions in path and query left out."""
        here, _, query = step.resource.partition("?")
        if step.is_write and here in self.paths:
            # One version of it was read by its own address: `GET /units/7;rev=3`, then `PUT` there.
            # What stands behind a slash may be any thing of a collection.
            found = in_path(step, self.paths, itself=True)
            found = [one for one in found if not here.startswith(f"{one.resource}/")]
            if found and says_outdated(step):
                self._in_path[step] = found
                return found[0].resource
        if not step.is_write or step.resource in self.read:
            return step.resource
        acted = acted_on(step, here, self.about, self._with_query)
        if "?" in acted:
            # A view of the thing was read, and the call names in its content what the query had asked for.
            return acted
        found = in_path(step, self.paths) or self._after_latest(step)
        if not found:
            found = called if (called := labelled(step)) and says_outdated(step) else []
        if found:
            self._in_path[step] = found
            return found[0].resource
        kept = [pair for pair in parse_qsl(query) if not CARRIES.search(pair[0])]
        base = f"{here}?{urlencode(kept)}" if kept else here
        if base in self.read or here in self.read:
            return base if base in self.read else here
        return acted or self._counted_beside(step, here) or base

    def _counted_beside(self, step: Step, here: str) -> str | None:
        """Return where a count that a denied write carries is read by itself: `/9/stand` for `stand=44`.

        Else the only view that there is of the thing.
        """
        if not (200 <= step.status < 300 and step.negative):
            return None
        views = {one.resource for one in self._views.get(here, ())}
        if len(views) == 1:
            return views.pop()
        below = (f"{here}/{one.word}" for one in sent(step) if one.where in {"body", "text"})
        return next((one for one in below if one in self.read), None)

    def _after_latest(self, step: Step) -> list[InPath]:
        """Return the version at the end of a path that the word for the latest one had shown beside it.

        The answer has to go on from it, or to name the next one: what is published once is at its path for
        good, and not compared with anything.
        """
        folder = step.resource.partition("?")[0].rpartition("/")[0]
        found = beside_latest(step, self._words.get(folder, ()))
        for one in found:
            value = one.member.value
            shown_there = [
                held
                for read in self.about.get(one.resource, [])[-4 * _READS :]
                for held in shown(read)
                if held.value == value and of_a_kind(one.member.word, held.word)
            ]
            if shown_there and names_the_next(step, value):
                return found
        return []

    @cached_property
    def writes(self) -> list[Step]:
        """Return the requests that may change something, as many as are looked at."""
        return [step for step in self.service if step.is_write][: 4 * _MOST]

    @cached_property
    def _answers(self) -> list[Step]:
        return [one for one in self.service if one.is_read and one.status == _OK]

    def taken(self, step: Step) -> list[Step]:
        """Return what was carried out on the resource of a step, before it and after it."""
        base = self.bases[step]
        if base not in self._taken:
            self._taken[base] = [one for one in self.about[base] if self.took(one)]
        return self._taken[base]

    def took(self, step: Step) -> bool:
        """Tell whether a write was carried out, as far as its answer tells."""
        known = self._took.get(step)
        if known is None:
            done = step.is_write and (200 <= step.status < 300 or step.posted)
            known = self._took[step] = done and not step.negative
        return known

    def conflicts(self, step: Step) -> bool:
        """Tell whether a write may have met another state: by its status, or by a success that denies it."""
        return step.status in _CONFLICT or (200 <= step.status < 300 and not self.took(step))

    def refused(self, step: Step) -> list[Step]:
        """Return the writes on the resource of a step that were answered with 409 or 412."""
        base = self.bases[step]
        if base not in self._conflicts:
            self._conflicts[base] = [
                one for one in self.about[base] if one.status in _REFUSED and one.is_write
            ]
        return self._conflicts[base]

    def goes_on(self, place: tuple[str, str]) -> bool:
        """Tell whether what answers show at a place is another value after accepted writes."""
        known = self._goes_on.get(place)
        if known is None:
            known = self._goes_on[place] = any(self._moves(steps, place) for steps in self.about.values())
        return known

    def _moves(self, steps: Sequence[Step], place: tuple[str, str]) -> bool:
        """Tell whether a place shows two values in the answers about one resource."""
        first: str | None = None
        for one in steps:
            if one.is_read or self.took(one):
                value = self.shows(one).get(place)
                if first is not None and value not in {None, first}:
                    return True
                first = first if first is not None else value
        return False

    def reads_above(self, write: Step, before: Step) -> Iterator[Step]:
        """Yield the answered reads of what the resource of a write lies in, the latest first.

        Args:
            write: of the service.
            before: what they came before, of the service too.
        """
        return self._back(self._by_path.get(parent_of(write.resource).rstrip("/"), ()), before)

    def answers_before(self, step: Step) -> Iterator[Step]:
        """Yield the answered reads before a step, the latest first."""
        return self._back(self._answers, step)

    def _back(self, steps: Sequence[Step], before: Step) -> Iterator[Step]:
        """Yield what comes before a step in the service, the latest first."""
        # What answers hold inside has no order of its own yet.
        end = bisect_left(steps, self._turns[before], key=self._turns.__getitem__)
        return (steps[place] for place in range(end - 1, -1, -1))

    @cached_property
    def _turns(self) -> dict[Step, int]:
        return {one: turn for turn, one in enumerate(self.service)}

    @cached_property
    def _by_path(self) -> dict[str, list[Step]]:
        return grouped((one.resource.partition("?")[0].rstrip("/"), one) for one in self._answers)

    def shows(self, step: Step) -> dict[tuple[str, str], str]:
        """Return the values of an answer by their places."""
        found = self._shown.get(step)
        if found is None:
            found = {place_of(one): one.value for one in shown(step)}
            self._shown[step] = found
        return found

    def carried(self, step: Step) -> Iterator[tuple[Member, InPath | None]]:
        """Yield the values that a request carries, with the way they stand in its path."""
        guard = step.condition(Guard.SAME, Guard.SAME_DATE)
        if guard is not None:
            if guard.guard is Guard.SAME and guard.standard and guard.tokens:
                yield Member("header", guard.name, guard.name, guard.tokens[0]), None
            return
        absent = step.condition(Guard.ABSENT)
        if absent is not None and absent.standard and not says_outdated(step):
            # What may only create compares nothing else with what is there.
            return
        for one in self._in_path.get(step, ()):
            yield one.member, one
        for member in sent(step):
            yield member, None
        for member in blank(step) if not self.took(step) else ():
            yield member, None

    @cached_property
    def by_tag(self) -> bool:
        """Tell whether all that is refused over a state carries a tag in its field, which is compared."""
        refused = [one for one in self.writes if one.is_write and self.conflicts(one)]
        guards = [one.condition(Guard.SAME) for one in refused]
        return bool(guards) and all(one is not None and one.standard for one in guards)

    def tagged(self, step: Step) -> bool:
        """Tell whether answers about the resource of a step have an ETag: then that is what is compared."""
        base = self.bases[step]
        if base not in self._tagged:
            self._tagged[base] = any(one.header("etag") is not None for one in self.about[base])
        return self._tagged[base]

    def contradicts(self, place: tuple[str, str], source: Member) -> bool:
        """Tell whether writes were taken that carry at a place another value than the version shown."""
        key = place, place_of(source)
        found = self._contradicted.get(key)
        if found is None:
            found = self._contradicted[key] = any(
                value != last
                for write in self.writes
                if self.took(write)
                for value in (one.value for one in sent(write) if place_of(one) == place)
                if (last := self._last_shown(write, place_of(source))) is not None
            )
        return found

    def _last_shown(self, write: Step, place: tuple[str, str]) -> str | None:
        # What was still under way when the request left had shown its sender nothing.
        before = [one for one in self.before(write) if not one.overlaps(write)]
        return self.shows(before[-1]).get(place) if before else None

    def before(self, step: Step) -> list[Step]:
        """Return the last answers before a step that showed its resource."""
        same = self.about[self.bases[step]]
        found: list[Step] = []
        for one in reversed(same[: self._places[step]][-4 * _READS :]):
            if (one.is_read and one.status == 200) or self.took(one):
                found.append(one)
                if len(found) == _READS:
                    break
        return found[::-1] or self._viewed(step)

    def _viewed(self, step: Step) -> list[Step]:
        """Return the last views of a resource, such as a selection of members, before a step about it."""
        base = self.bases[step]
        views = self._views.get(base.partition("?")[0], ())
        same = [one for one in views if one.order < step.order and projection(one.resource, base)]
        return same[-_READS:]

    def after(self, step: Step) -> Iterator[Step]:
        """Yield what came later on the resource of a step."""
        same = self.about[self.bases[step]]
        yield from same[self._places[step] + 1 :]

    def elsewhere(
        self,
        step: Step,
        member: Member,
        least: int = _FEW,
        words: Callable[[str], object] = VERSION.search,
    ) -> Member | None:
        """Return where an answer about another resource had shown the sender of a write its version.

        Args:
            step: the write.
            member: its value.
            least: how long a value has to be.
            words: tells whether a name is one of versions.
        """
        wanted = tokens.opaque(member.value)
        if len(wanted) < least or tokens.null_word(wanted):
            return None
        for one in islice(self.answers_before(step), 4 * _READS):
            for held in shown(one) if one.actor == step.actor else ():
                if tokens.opaque(held.value) == wanted and words(held.word):
                    return held
        return None

    def read_after(self, step: Step) -> list[Step]:
        """Return the first read of a resource after a step, in a list; empty without one."""
        return [one for one in self.after(step) if one.is_read and one.status == _OK][:1]

    def next_shown(self, step: Step, place: tuple[str, str]) -> str | None:
        """Return what is shown at a place once a write was answered, None when it is not known."""
        own = self.shows(step).get(place)
        if own is not None:
            return own
        for one in self.after(step):
            if one.is_read and one.status == 200:
                value = self.shows(one).get(place)
                if value is not None:
                    return value
            elif self.took(one):
                return None
        return None

    def of_a_format(self, place: tuple[str, str]) -> bool:
        """Tell whether a place holds one and the same value for all resources: a version of the format."""
        found = self._formats.get(place)
        if found is None:
            held = {
                (base, value)
                for base, steps in self.about.items()
                for one in steps[:_READS]
                if one.is_read and one.status == 200 and (value := self.shows(one).get(place)) is not None
            }
            values, bases = {value for _, value in held}, {base for base, _ in held}
            found = len(values) == 1 and len(bases) > (_FEW if next(iter(values)).isdigit() else 1)
            self._formats[place] = found
        return found

    def stored(self, write: Step, member: Member) -> bool:
        """Tell whether answers about the resource of a write show a member of the very name of one it sends.

        Then it is a part of what is stored.
        """
        return any(
            one.word == member.word for step in self.about[self.bases[write]][:_MOST] for one in shown(step)
        )

    def of_who_asks(self, write: Step, member: Member) -> bool:
        """Tell whether a field that a write gives back stands in reads too, or is shown elsewhere."""
        place, base = place_of(member), self.bases[write]
        return any(
            any((place_of(one), one.value) == (place, member.value) for one in sent(read))
            or (self.bases[read] != base and self.shows(read).get(place) == member.value)
            for read in self._answers[: 4 * _MOST]
        )

    def _another_state(self, before: Step | None, now: Step, was: str, value: str) -> bool:
        """Tell whether a count went on from one read to another with what people write: another wrote there.

        Counts and times beside it may be of visits as well.
        """
        if before is None or not tokens.counted_on(was, value):
            return False
        old = self.shows(before)
        moved = (
            (old[key], held) for key, held in self.shows(now).items() if key[0] != "header" and key in old
        )
        return any(
            one != two and not (two.isdigit() or TIME.fullmatch(two) or told_moment(two) is not None)
            for one, two in moved
        )

    def steady(self, base: str, place: tuple[str, str]) -> bool:
        """Tell whether a place may hold a version: what differs from read to read is a count of visits."""
        known = self._steady.get((base, place))
        if known is not None:
            return known
        pairs = changed = 0
        last: str | None = None
        shown_last: Step | None = None
        held: list[str] = []
        content: dict[tuple[str, str], str] = {}
        inside = False
        words = written_words(self.about[base])
        for one in self.about[base]:
            if one.is_read and one.status == 200:
                value = self.shows(one).get(place)
                # What a list shows and what a read of the thing shows are compared with their own kind.
                state = written_members(words, one)
                # A version goes on with what people write; visits are counted whatever became of it.
                edited = value != last and others_moved(content, state, place)
                alike_kind = inside == (one.within is not None) and not edited
                content = state
                if last is not None and value is not None and alike_kind:
                    pairs += 1
                    changed += value != last and not self._another_state(shown_last, one, last, value)
                held += [value] if value is not None else []
                last, shown_last, inside = value, one, one.within is not None
            elif one.is_write:
                last = None
        # A count never comes back: nodes take turns.
        found = self._steady[base, place] = pairs == 0 or changed < pairs or tokens.comes_back(held)
        return found
