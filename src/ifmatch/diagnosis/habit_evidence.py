"""Find out where the requests of an unknown API carry a version: by the values, whatever they are called.

A value is one when an answer about the resource had shown it and one of these holds: both names speak of
versions; the service took it and counted on at the place where it had shown it; the refusal prints it beside
the version that is shown next.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.message_members import InPath, Member, in_path, sent, shown
from ifmatch.diagnosis.outcomes import shown_elsewhere
from ifmatch.diagnosis.refusal_words import negative, says_outdated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ifmatch.diagnosis.steps import Step

_MOST: Final = 60
_READS: Final = 6
# As many things are all at their first version now and then.
_FEW: Final = 3
# Shorter values are met by chance: the name has to speak too.
_TELLING: Final = 8
_CONFLICT: Final = frozenset({409, 412})
_VERSION: Final = re.compile(
    r"(?:^|[-_/. ]|(?<=[a-z]))(?:versions?|revisions?|rev|e-?tag|generation|lock|stamp|checksum|sequence"
    r"|seq|hash"
    r"|change_?number|sync_?token|versi[oó]n|versione|versie|wersja|fassung|revisi[oó]n[ae]?|révision"
    r"|mod_?count"
    r"|версия|ревизия)$",
    re.IGNORECASE,
)
_CARRIES: Final = re.compile(
    r"(?:version|revision|\brev\b|_rev\b|e-?tag|generation|stamp|change_?number|sync_?token|lock"
    r"|if-(?!none|modified|range|unmodified))",
    re.IGNORECASE,
)
_NO_STATE: Final = re.compile(
    r"api|accept|client|app|sdk|mime|agent|upgrade|^sec-|protocol|schema|tls|odata|x-ms-version|user",
    re.IGNORECASE,
)
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
# Words that say in which way a version is meant, not what it is.
_FILLERS: Final = re.compile(
    r"x|if|base|expect(?:ed)?|old|prev(?:ious)?|last|known|my|from|current|for|the|is|at|seen|read|got|have|match"
    r"|no|nr|number|id|of|on|to|since|unmodified|with|in|and|before|was"
)


@dataclass(frozen=True, slots=True)
class Habit:
    """Where requests carry a version, and where answers show it.

    Attributes:
        guard: the place in a request; its value is one that was seen.
        source: the place in an answer.
        path: how it stands in the path, None when it stands elsewhere.
    """

    guard: Member
    source: Member
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
        self.about: dict[str, list[Step]] = {}
        self.bases: dict[Step, str] = {}
        self._places: dict[Step, int] = {}
        self._in_path: dict[Step, list[InPath]] = {}
        self._formats: dict[tuple[str, str], bool] = {}
        self._shown: dict[Step, dict[tuple[str, str], str]] = {}
        for step in service:
            base = self._base(step)
            self.bases[step] = base
            same = self.about.setdefault(base, [])
            self._places[step] = len(same)
            same.append(step)

    def _base(self, step: Step) -> str:
        """Return the key of the resource that a step is about, versions in path and query left out."""
        if not step.is_write or step.resource in self.read:
            return step.resource
        here, _, query = step.resource.partition("?")
        found = in_path(step, self.paths)
        if found:
            self._in_path[step] = found
            return found[0].resource
        kept = [pair for pair in parse_qsl(query) if not _CARRIES.search(pair[0])]
        base = f"{here}?{urlencode(kept)}" if kept else here
        return here if base not in self.read and here in self.read else base

    @cached_property
    def writes(self) -> list[Step]:
        """Return the requests that may change something, as many as are looked at."""
        return [step for step in self.service if step.is_write][: 4 * _MOST]

    def took(self, step: Step) -> bool:
        """Tell whether a write was carried out, as far as its answer tells."""
        done = 200 <= step.status < 300 or shown_elsewhere(step)
        return step.is_write and done and not negative(step)

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

    def before(self, step: Step) -> list[Step]:
        """Return the last answers before a step that showed its resource."""
        same = self.about[self.bases[step]]
        found: list[Step] = []
        for one in reversed(same[: self._places[step]][-4 * _READS :]):
            if (one.is_read and one.status == 200) or self.took(one):
                found.append(one)
                if len(found) == _READS:
                    break
        return found[::-1]

    def after(self, step: Step) -> Iterator[Step]:
        """Yield what came later on the resource of a step."""
        same = self.about[self.bases[step]]
        yield from same[self._places[step] + 1 :]

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
        return pairs == 0 or changed < pairs


def speaks_of_versions(member: Member) -> bool:
    """Tell whether the name of a value in a request says that it is a version.

    Args:
        member: of a request.
    """
    if member.where in {"header", "query"}:
        return _CARRIES.search(member.name) is not None and _NO_STATE.search(member.name) is None
    return _VERSION.search(member.word) is not None


def alike(one: str, two: str) -> bool:
    """Tell whether two names are of one thing: `X-Base-Stand`, `expectedStand` and `stand`.

    Args:
        one: a name.
        two: another.
    """
    return bool(_telling_words(one) & _telling_words(two))


def _telling_words(name: str) -> set[str]:
    return {word.lower() for word in _WORDS.findall(name) if not _FILLERS.fullmatch(word.lower())}


def _advanced(before: str, after: str) -> bool:
    """Tell whether a value took the place of another one the way versions do."""
    if before.isdigit() or after.isdigit():
        return tokens.counted_on(before, after)
    shape = tokens.shape(before)
    return (
        before != after
        and shape == tokens.shape(after)
        and (shape != "text" or any(map(str.isdigit, before)))
    )


def prints(step: Step, value: str) -> bool:
    """Tell whether an answer's content holds a value as a word of its own.

    Args:
        step: whose answer is searched.
        value: a version.
    """
    text = step.content.text[:_LONGEST] if step.content is not None else ""
    return re.search(rf"(?<![\w.-]){re.escape(tokens.opaque(value))}(?![\w-])", text) is not None


_LONGEST: Final = 4000
# How sure a place is.
_NAMED, _PROVEN, _LIKELY, _MET = 4, 3, 2, 1


def _sources(read: Step, member: Member) -> list[Member]:
    wanted = tokens.opaque(member.value)
    tag = read.header("etag")
    if not wanted or tokens.null_word(member.value) or (tag is not None and tokens.opaque(tag) == wanted):
        return []
    found = [one for one in shown(read) if tokens.opaque(one.value) == wanted]
    return sorted(found, key=lambda one: (not _VERSION.search(one.word), not alike(one.word, member.word)))


def _rank(traffic: Traffic, write: Step, member: Member, source: Member) -> int:
    if traffic.of_a_format(place_of(source)):
        return 0
    versions = _VERSION.search(source.word) is not None
    if speaks_of_versions(member) and (
        versions or (source.where == "body" and len(member.value) >= _TELLING)
    ):
        return _NAMED
    base, place = traffic.bases[write], place_of(source)
    after = traffic.next_shown(write, place)
    if after is None or not traffic.steady(base, place):
        return 0
    inside = member.where in {"body", "text"}
    same = alike(member.word, source.word) or (member.where == "path" and versions)
    if traffic.took(write):
        if not _advanced(tokens.opaque(member.value), tokens.opaque(after)):
            return 0
        return _PROVEN if same else 0 if inside else _MET
    if after != member.value and prints(write, member.value) and prints(write, after):
        return _PROVEN if same or not inside else _MET
    if write.status in _CONFLICT or says_outdated(write):
        moved = tokens.counted_on(member.value, after)
        return _LIKELY if same and moved and (not inside or _alone(traffic, write, member)) else 0
    return 0


def _alone(traffic: Traffic, write: Step, member: Member) -> bool:
    """Tell whether a member is the only one in a request that is as it was read: the rest is the change."""
    before = traffic.before(write)
    if not before:
        return False
    held = {(one.word, one.value) for one in shown(before[-1])}
    same = [one for one in sent(write) if one.where == member.where and (one.word, one.value) in held]
    return same == [member]


def _alike_source(traffic: Traffic, write: Step, member: Member) -> Member | None:
    """Return where answers hold what a refused value is called after, whatever value was sent.

    A damaged, empty or invented version stands in no answer.
    """
    if traffic.took(write) or not (speaks_of_versions(member) and says_outdated(write)):
        return None
    for read in reversed(traffic.before(write)):
        if read.header("etag") is not None:
            return None
        held = [
            one for one in shown(read) if _VERSION.search(one.word) and not traffic.of_a_format(place_of(one))
        ]
        same = [one for one in held if alike(one.word, member.word)]
        if same or len(held) == 1:
            return (same or held)[0]
    return None


def _shown_before(traffic: Traffic, write: Step, member: Member) -> tuple[Member | None, int]:
    """Return where answers show what a value of a write is, and how sure that is."""
    for read in reversed(traffic.before(write)):
        if read.header("etag") is not None and not traffic.took(write):
            # Where answers have a tag, another token counts only if the service took it once.
            continue
        found = _sources(read, member)
        if found:
            rank = _rank(traffic, write, member, found[0])
            return (found[0], rank) if rank else (None, 0)
    return _alike_source(traffic, write, member), _LIKELY


def habits(
    traffic: Traffic, meant: Callable[[Traffic, Step, Member, Member], bool] | None = None
) -> list[Habit]:
    """Return where the requests of a service carry versions, the surest place first.

    Args:
        traffic: of the service.
        meant: tells whether a value of a write, shown by an earlier answer, counts; all do when left out.
    """
    ranks: dict[tuple[tuple[str, str], tuple[str, str]], int] = {}
    votes: Counter[tuple[tuple[str, str], tuple[str, str]]] = Counter()
    values: dict[tuple[tuple[str, str], tuple[str, str]], set[str]] = {}
    seen: dict[tuple[tuple[str, str], tuple[str, str]], Habit] = {}
    for write in traffic.writes:
        for member, path in traffic.carried(write):
            source, rank = _shown_before(traffic, write, member)
            if source is None or (meant is not None and not meant(traffic, write, member, source)):
                continue
            key = place_of(member), place_of(source)
            ranks[key] = max(rank, ranks.get(key, 0))
            votes[key] += 1
            values.setdefault(key, set()).add(member.value)
            seen.setdefault(key, Habit(member, source, path))
    # Two values that meet in two places, and go on in both, do not meet by chance.
    good = [key for key in votes if ranks[key] > _MET or len(values[key]) > 1]
    good.sort(key=lambda key: (-ranks[key], -votes[key]))
    if not good:
        return []
    named = [key for key in good if ranks[key] == _NAMED]
    chosen = named[:3] or [key for key in good if key[0] == good[0][0]][:3]
    return [seen[key] for key in chosen]
