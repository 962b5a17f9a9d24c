"""Find out where the requests of an unknown API carry a version: by the values, whatever they are called.

A value is one when an answer about the resource had shown it and one of these holds: both names speak of
versions; the service took it and counted on at the place where it had shown it; the refusal prints it beside
the version that is shown next.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.hidden_fields import counts_states
from ifmatch.diagnosis.message_members import Member, blank, sent, shown
from ifmatch.diagnosis.named_sources import alike_source, dated_source, of_state, respelled_source
from ifmatch.diagnosis.path_members import (
    InPath,
    acted_on,
    beside_latest,
    in_path,
    labelled,
    latest_words,
    of_a_kind,
)
from ifmatch.diagnosis.projections import projection
from ifmatch.diagnosis.refusal_words import negative, says_outdated
from ifmatch.diagnosis.spent_versions import printed_beside, prints, spent_on, stated_beside
from ifmatch.diagnosis.succession import TIME, advanced, later_time, names_the_next
from ifmatch.diagnosis.version_words import (
    CARRIES,
    CHANGED,
    UNCHANGED,
    alike,
    of_changes,
    speaks_of_versions,
    telling_words,
    words_of,
)
from ifmatch.dialects.words import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ifmatch.diagnosis.steps import Step

_MOST: Final = 60
_READS: Final = 6
# As many things are all at their first version now and then.
_FEW: Final = 3
# Shorter names say too little by themselves.
_WORD: Final = 3
# Shorter values are met by chance: the name has to speak too.
_TELLING: Final = 8
# What nobody does to a value on purpose.
_DAMAGES: Final = frozenset(
    {
        "respelt",
        "cut",
        "percent-encoded",
        "percent-decoded",
        "html-escaped",
        "base64",
        "escaped",
        "case-changed",
    }
)
_OK: Final = 200
_CONFLICT: Final = frozenset({409, 412})


@dataclass(frozen=True, slots=True)
class Habit:
    """Where requests carry a version, and where answers show it.

    Attributes:
        guard: the place in a request; its value is one that was seen.
        source: the place in an answer, None where no answer shows versions.
        path: how it stands in the path, None when it stands elsewhere.
    """

    guard: Member
    source: Member | None
    path: InPath | None


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
        self.bases: dict[Step, str] = {}
        self._places: dict[Step, int] = {}
        self._in_path: dict[Step, list[InPath]] = {}
        self._took: dict[Step, bool] = {}
        self._taken: dict[str, list[Step]] = {}
        self._steady: dict[tuple[str, tuple[str, str]], bool] = {}
        self._formats: dict[tuple[str, str], bool] = {}
        self._shown: dict[Step, dict[tuple[str, str], str]] = {}
        for step in service:
            base = self._base(step)
            self.bases[step] = base
            same = self.about.setdefault(base, [])
            self._places[step] = len(same)
            same.append(step)
            if step.is_read and step.status == _OK and "?" in step.resource:
                self._views.setdefault(step.resource.partition("?")[0], []).append(step)

    def _base(self, step: Step) -> str:
        """Return the key of the resource that a step is about, versions in path and query left out."""
        if not step.is_write or step.resource in self.read:
            return step.resource
        here, _, query = step.resource.partition("?")
        found = in_path(step, self.paths) or self._after_latest(step)
        found = found or (labelled(step) if says_outdated(step) else [])
        if found:
            self._in_path[step] = found
            return found[0].resource
        kept = [pair for pair in parse_qsl(query) if not CARRIES.search(pair[0])]
        base = f"{here}?{urlencode(kept)}" if kept else here
        if base in self.read or here in self.read:
            return base if base in self.read else here
        return acted_on(step, here, self.about) or base

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
            known = self._took[step] = done and not negative(step)
        return known

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
        for one in self._in_path.get(step, ()):
            yield one.member, one
        for member in sent(step):
            yield member, None
        for member in blank(step) if not self.took(step) else ():
            yield member, None

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

    def elsewhere(self, step: Step, member: Member) -> Member | None:
        """Return where an answer about another resource had shown the sender of a write its version."""
        wanted = tokens.opaque(member.value)
        if len(wanted) < _FEW or tokens.null_word(wanted):
            return None
        read = (one for one in reversed(self._answers) if one.order < step.order)
        for one in islice(read, 4 * _READS):
            for held in shown(one) if one.actor == step.actor else ():
                if tokens.opaque(held.value) == wanted and VERSION.search(held.word):
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

    def steady(self, base: str, place: tuple[str, str]) -> bool:
        """Tell whether a place may hold a version: what differs from read to read is a count of visits."""
        known = self._steady.get((base, place))
        if known is not None:
            return known
        pairs = changed = 0
        last: str | None = None
        for one in self.about[base]:
            if one.is_read and one.status == 200:
                value = self.shows(one).get(place)
                if last is not None and value is not None:
                    pairs += 1
                    changed += value != last
                last = value
            elif one.is_write:
                last = None
        found = self._steady[base, place] = pairs == 0 or changed < pairs
        return found


# How sure a place is.
_NAMED, _PROVEN, _LIKELY, _MET = 4, 3, 2, 1


def _sources(read: Step, member: Member) -> list[Member]:
    wanted = tokens.opaque(member.value)
    tag = read.header("etag")
    if not wanted or tokens.null_word(member.value) or (tag is not None and tokens.opaque(tag) == wanted):
        return []
    found = [one for one in shown(read) if tokens.opaque(one.value) == wanted]
    return sorted(found, key=lambda one: (not VERSION.search(one.word), not alike(one.word, member.word)))


def _rank(traffic: Traffic, write: Step, member: Member, source: Member) -> int:
    if traffic.of_a_format(place_of(source)):
        return 0
    versions = VERSION.search(source.word) is not None
    if speaks_of_versions(member) and (
        versions or (source.where == "body" and len(member.value) >= _TELLING)
    ):
        return _NAMED
    if _time_of_change(write, member, source):
        return _LIKELY if member.where in {"body", "text"} else _NAMED
    if stated_beside(write, member) is not None:
        return _PROVEN
    if source.where == "text" and counts_states(traffic.about[traffic.bases[write]], member.word):
        return _PROVEN
    base, place = traffic.bases[write], place_of(source)
    after = traffic.next_shown(write, place)
    if after is None or not traffic.steady(base, place):
        return 0
    inside = member.where in {"body", "text"}
    same = alike(member.word, source.word) or (member.where == "path" and versions)
    if traffic.took(write):
        if not advanced(tokens.opaque(member.value), tokens.opaque(after)):
            return 0
        return _PROVEN if same else 0 if inside else _MET
    if after != member.value and prints(write, member.value) and prints(write, after):
        return _PROVEN if same or not inside else _MET
    if write.status in _CONFLICT or says_outdated(write):
        moved = tokens.counted_on(member.value, after) or later_time(member.value, after)
        return _LIKELY if same and moved and (not inside or _alone(traffic, write, member)) else 0
    return 0


def _time_of_change(write: Step, member: Member, source: Member) -> bool:
    """Tell whether a value is when a thing was changed last, and the request can only mean it as a version.

    Beside the content it means nothing else; in the content only an answer that speaks of versions says so.
    """
    if TIME.fullmatch(member.value) is None:
        return False
    if member.where in {"header", "query"} and (UNCHANGED.search(member.word) or CHANGED.search(source.word)):
        # What it is called when it is sent back beside the content says how it is meant, not what it is.
        return True
    if not (of_changes(member) and CHANGED.search(source.word)):
        return False
    beside = member.where in {"header", "query", "path"} or write.method == "DELETE"
    return beside or says_outdated(write) or stated_beside(write, member) is not None


def _alone(traffic: Traffic, write: Step, member: Member) -> bool:
    """Tell whether a member is the only one in a request that is as it was read: the rest is the change."""
    before = traffic.before(write)
    if not before:
        return False
    held = {(one.word, one.value) for one in shown(before[-1])}
    same = [one for one in sent(write) if one.where == member.where and (one.word, one.value) in held]
    return same == [member]


def _damaged_source(traffic: Traffic, write: Step, member: Member) -> Member | None:
    """Return where an answer holds what a refused value is with a damage, whatever the refusal says.

    A time in a record that is sent back whole is no precondition: servers and clients spell it as they like.
    """
    if write.status not in _CONFLICT:
        return None
    before = traffic.before(write)
    if any(read.header("etag") is not None for read in before):
        return None
    if (respelled := respelled_source(write, member, before)) is not None:
        return respelled
    for read in reversed(before):
        for held in of_state(traffic, read):
            versions = VERSION.search(held.word) is not None
            if not (versions or alike(held.word, member.word)):
                continue
            aside = member.where not in {"body", "text"} or member.word != held.word
            if not (speaks_of_versions(member) if versions else aside):
                continue
            if tokens.damage(member.value, held.value) in _DAMAGES:
                return held
    return None


def _unshown(traffic: Traffic, write: Step, member: Member) -> tuple[Member | None, int]:
    """Return where a refused value comes from that no answer about its resource shows, and how sure it is.

    Only the name, and an answer that speaks of versions, say then that it is one.
    """
    named = speaks_of_versions(member) or (member.where in {"header", "query"} and of_changes(member))
    if UNCHANGED.search(member.word):
        dated = dated_source(traffic, write, member)
        sure = _NAMED if traffic.took(write) else _LIKELY
        return dated, sure if dated is not None else 0
    if traffic.took(write) or not named:
        return None, 0
    if not says_outdated(write):
        stored = printed_beside(write, member, [*traffic.before(write)[::-1], *traffic.read_after(write)])
        stored = stored or spent_on(write, member, traffic.taken(write))
        return stored, _PROVEN if stored is not None else 0
    source = alike_source(traffic, write, member)
    if source is not None:
        return source, _LIKELY
    short = len(member.word) < _WORD and member.where != "path"
    if short or any(one.header("etag") is not None for one in traffic.before(write)):
        return None, 0
    return traffic.elsewhere(write, member), _LIKELY


def _called_alike(read: Step, member: Member, held: Sequence[Member]) -> Member | None:
    """Return the version of an answer that a sent value is called after, where another one holds the value.

    `expectedVersion` means `version`, be `etag` or `rev` what its value was taken from.
    """
    versions = [one for one in shown(read) if VERSION.search(one.word)]
    if member.where in {"body", "text"}:
        # In a content it is the very member that a record has.
        same = [one for one in versions if place_of(one) == place_of(member)]
        return same[0] if same and place_of(member) not in {place_of(one) for one in held} else None
    for words in (words_of, telling_words):
        wanted = words(member.word)
        if any(words(one.word) & wanted for one in held):
            return None
        named = [one for one in versions if words(one.word) & wanted]
        if len(named) == 1:
            return named[0]
    return None


def _shown_before(traffic: Traffic, write: Step, member: Member) -> tuple[Member | None, int]:
    """Return where answers show what a value of a write is, and how sure that is."""
    for read in reversed(traffic.before(write)):
        if read.header("etag") is not None and not traffic.took(write):
            # Where answers have a tag, another token counts only if the service took it once.
            continue
        found = _sources(read, member)
        if found and not traffic.took(write) and says_outdated(write):
            meant = _called_alike(read, member, found)
            if meant is not None:
                return meant, _NAMED
        if found:
            rank = _rank(traffic, write, member, found[0])
            return (found[0], rank) if rank else (None, 0)
    source, rank = _unshown(traffic, write, member)
    damaged = _damaged_source(traffic, write, member) if source is None else None
    return (damaged, _LIKELY) if damaged is not None else (source, rank)


_Key = tuple[tuple[str, str], tuple[str, str] | None]


def habits(
    traffic: Traffic, meant: Callable[[Traffic, Step, Member, Member], bool] | None = None
) -> list[Habit]:
    """Return where the requests of a service carry versions, the surest place first.

    Args:
        traffic: of the service.
        meant: tells whether a value of a write, shown by an earlier answer, counts; all do when left out.
    """
    ranks: dict[_Key, int] = {}
    votes: Counter[_Key] = Counter()
    values: dict[_Key, set[str]] = {}
    seen: dict[_Key, Habit] = {}
    for write in traffic.writes:
        for member, path in traffic.carried(write):
            source, rank = _shown_before(traffic, write, member)
            if not rank or (
                meant is not None and (source is None or not meant(traffic, write, member, source))
            ):
                continue
            key = place_of(member), place_of(source) if source is not None else None
            ranks[key] = max(rank, ranks.get(key, 0))
            votes[key] += 1
            values.setdefault(key, set()).add(member.value)
            seen.setdefault(key, Habit(member, source, path))
    # Two values that meet in two places, and go on in both, do not meet by chance.
    good = [key for key in votes if ranks[key] > _MET or len(values[key]) > 1]
    good.sort(key=lambda key: (key[1] is None, -ranks[key], -votes[key]))
    if not good:
        return []
    named = [key for key in good if ranks[key] == _NAMED]
    chosen = named[:3] or [key for key in good if key[0] == good[0][0]][:3]
    return [seen[key] for key in chosen]
