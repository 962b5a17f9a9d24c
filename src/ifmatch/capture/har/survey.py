"""What a survey of a giant HAR found out, and which entries bear on a diagnosis by it.

A diagnosis tells the story of resources; one that was only ever read, with nothing odd, has none. What is
kept: resources that were refused something or written to, reads that were answered oddly, and whoever gave
out the tokens that writes presented. Source of the terms: RFC 9110 sections 9.2.1, 13.1 and 15.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from itertools import compress, count
from operator import not_
from typing import TYPE_CHECKING, Final

from ifmatch.capture.har.in_turn import Course
from ifmatch.capture.har.places import Places
from ifmatch.capture.har.reads import LIMIT, Variants, came_back, nearest, seldom
from ifmatch.capture.har.signs import ANSWERED, BATCH, NOT_MODIFIED, ODD, POSTS, PRESENTS, REFUSED, WRITES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ifmatch.capture.har.split import DamagedError

__all__ = ["BUDGET", "WHOLE", "Noted", "Survey"]

# Octets that the kept entries may take in memory; an exchange costs its text and about this much besides.
BUDGET: Final = 190 * 1024 * 1024
_COST: Final = 1800
# Where no more entries than this may bear on a diagnosis at all, all of them are read.
WHOLE: Final = 6_000
# What a client does next tells what it took a refusal for; a batch names its resources in its content.
_NEAR: Final = 4
# Entries of other resources that are kept for a tag that they gave out too.
_ISSUERS: Final = 8

# An entry that shows one of these is told of.
_TELLS: Final = REFUSED | WRITES | ODD | POSTS
# The rank of what was written to under a condition, and refused nothing.
_GUARDED: Final = 1


# What is noted of an entry, besides where it stands: place, signs, whether it bears, tag, content, named tag.
Noted = tuple[int, int, bool, int, int, int]


@dataclass(slots=True)
class Survey:
    """What one pass found out: some integers an entry. A resource, a name and a tag are hashes.

    Attributes:
        preface: what stands before the first entry.
        offsets: of each entry.
        lengths: of each entry, in octets.
        places: where the resources stand among each other.
        placed: of each entry, the number of the place of its resource.
        signs: bits of what an entry shows.
        bears: of each entry, 0 when it is of an asset: it can tell nothing of a story.
        tags: that each answer carries, 0 for none.
        contents: of each answer to a read: its size and its ends, 0 for none.
        tagged: by their tags, the resources that had several.
        filled: the same by their contents.
        named: the one tag that each guarded write that succeeded, or revalidation, names; 0 for others.
        paths: of resources with such writes: the path on any host.
        presented: tags that requests presented, by resource.
        targets: resources that writes were redirected to.
        ranks: the resources that bear on a diagnosis, once that was asked for.
        seldom: of each place, whether its resource is asked for a few times only, once that was asked for.
        damage: where and why the file could not be read to its end.
    """

    preface: bytes | None = None
    offsets: array[int] = field(default_factory=lambda: array("Q"))
    lengths: array[int] = field(default_factory=lambda: array("L"))
    places: Places = field(default_factory=Places)
    placed: array[int] = field(default_factory=lambda: array("L"))
    signs: bytearray = field(default_factory=bytearray)
    bears: bytearray = field(default_factory=bytearray)
    tags: array[int] = field(default_factory=lambda: array("q"))
    contents: array[int] = field(default_factory=lambda: array("q"))
    tagged: Variants = field(default_factory=Variants)
    filled: Variants = field(default_factory=Variants)
    named: array[int] = field(default_factory=lambda: array("q"))
    paths: dict[int, int] = field(default_factory=dict[int, int])
    presented: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    targets: set[int] = field(default_factory=set[int])
    ranks: dict[int, int] | None = None
    seldom: bytes | None = None
    damage: DamagedError | None = None

    def __len__(self) -> int:
        return len(self.offsets)

    def take(self, offsets: Iterable[int], lengths: Iterable[int], noted: Iterable[Noted]) -> None:
        """Take what was noted of further entries.

        Args:
            offsets: of each.
            lengths: of each, in octets.
            noted: of each.
        """
        self.offsets.extend(offsets)
        self.lengths.extend(lengths)
        columns = (self.placed, self.signs, self.bears, self.tags, self.contents, self.named)
        # One call a column: one a value costs more than all else that is done with it.
        for column, values in zip(columns, zip(*noted, strict=True), strict=False):
            column.extend(values)

    def all_that_bears(self, budget: int = BUDGET, limit: int = WHOLE) -> list[int] | None:
        """Return the entries that may bear on a diagnosis at all, when they are few enough to read them all.

        Args:
            budget: octets of memory for them.
            limit: how many are few.

        Returns:
            Their numbers in order; None when there are more.
        """
        if self.bears.count(1) > limit:
            return None
        plain_reads = {0, ANSWERED, NOT_MODIFIED}
        numbers = [
            number
            for number, (bears, sign) in enumerate(zip(self.bears, self.signs, strict=True))
            if bears or sign not in plain_reads
        ]
        needed = sum(self.lengths[number] + _COST for number in numbers)
        return numbers if len(numbers) <= limit and needed <= budget else None

    def chosen(
        self, budget: int = BUDGET, plain: Collection[int] = (), others: int = LIMIT
    ) -> tuple[list[int], int]:
        """Choose the entries to read in full: the most telling resources first, as far as memory goes.

        Args:
            budget: octets of memory for them.
            plain: resources of which there is nothing to tell, though they were written to.
            others: how many entries of resources that nobody wrote to are read for what they may show.

        Returns:
            Their numbers in order, and how many telling entries had to be left out.
        """
        ranks = {resource: rank for resource, rank in self._ranks().items() if resource not in plain}
        ranked = list(self._entries_of(ranks))
        costs: Counter[int] = Counter()
        for number in ranked:
            costs[self._resource(number)] += self.lengths[number] + _COST
        kept: set[int] = set()
        left = budget
        for resource in sorted(ranks, key=ranks.__getitem__):
            if costs[resource] <= left:
                kept.add(resource)
                left -= costs[resource]
        refused = {resource for resource in kept if not ranks[resource]}
        told = [number for number in self._showing(_TELLS) if self._resource(number) in kept]
        beside = self._beside(refused, plain)
        apart = {*ranks, *plain}
        beside |= nearest(self.placed, self.places.resources, self.bears, told, apart, limit=others)
        issued = set[int]().union(*(self.presented.get(resource, ()) for resource in refused))
        numbers: list[int] = []
        issuers: Counter[int] = Counter()
        omitted = 0
        for number in sorted({*ranked, *beside, *compress(count(), map(issued.__contains__, self.tags))}):
            resource = self._resource(number)
            if resource in kept:
                numbers.append(number)
            elif left > 0 and (number in beside or self.tags[number] in issued):
                numbers.append(number)
                left -= self.lengths[number] + _COST
                issuers[self.tags[number]] += 1
                if issuers[self.tags[number]] >= _ISSUERS:
                    issued.discard(self.tags[number])
            elif resource in ranks:
                omitted += 1
        return numbers, omitted

    def in_turn(self) -> dict[int, list[int]]:
        """Return the entries of each resource that was, by its tags, only changed in turn."""
        # What has two hosts is one thing in two places.
        known = Counter(self.paths.values())
        courses = {
            resource: Course()
            for resource, rank in self._ranks().items()
            if rank == _GUARDED and known[self.paths.get(resource, 0)] == 1
        }
        listings = self._listings()
        entries: dict[int, list[int]] = {}
        for number in self._entries_of(courses):
            resource = self._resource(number)
            course = courses.get(resource)
            if course is None:
                continue
            tag, named, sign = self.tags[number], self.named[number], self.signs[number]
            if sign == ANSWERED:
                goes_on = course.shows(tag)
            elif sign == NOT_MODIFIED:
                goes_on = named == tag and course.shows(tag)
            else:
                goes_on = course.makes(tag, named) and not self._listed_near(number, listings)
            if goes_on:
                entries.setdefault(resource, []).append(number)
            else:
                del courses[resource]
                entries.pop(resource, None)
        return entries

    def writes(self, number: int) -> bool:
        """Tell whether an entry is a write under a condition that may have held."""
        return self.signs[number] == WRITES | PRESENTS

    def beside_writes(self, numbers: Iterable[int]) -> list[int]:
        """Return the answers beside some writes that nobody polls: lists and journals may tell of the writes.

        Args:
            numbers: of entries of one resource.
        """
        if self.seldom is None:
            self.seldom = seldom(self.placed, self.places.resources, self.bears, self._ranks())
        near = {other for number in numbers if self.writes(number) for other in self._near(number)}
        return sorted(
            other
            for other in near
            if self.seldom[self.placed[other]] and self.bears[other] and self.signs[other] == ANSWERED
        )

    def _resource(self, number: int) -> int:
        return self.places.resources[self.placed[number]]

    def _entries_of(self, resources: Collection[int]) -> Iterator[int]:
        """Yield the entries of some resources."""
        return self._entries_at(resource in resources for resource in self.places.resources)

    def _entries_at(self, wanted: Iterable[bool]) -> Iterator[int]:
        """Yield the entries at the places that are wanted."""
        return compress(count(), map(bytes(wanted).__getitem__, self.placed))

    def _resources_of(self, marks: Iterable[int]) -> set[int]:
        """Return the resources of the entries that are marked."""
        return set(map(self.places.resources.__getitem__, set(compress(self.placed, marks))))

    def _marks(self, bits: int) -> bytearray:
        """Return of each entry whether it shows any of these signs."""
        return self.signs.translate(bytes(sign & bits for sign in range(256)))

    def _showing(self, bits: int) -> Iterator[int]:
        """Yield the entries that show any of these signs."""
        return compress(count(), self._marks(bits))

    def _near(self, number: int) -> range:
        return range(max(number - _NEAR, 0), min(number + 1 + _NEAR, len(self)))

    def _listings(self) -> set[int]:
        """Return the resources that contain others and were asked for themselves."""
        return set(self.places.resources).intersection(self.places.parents)

    def _listed_near(self, number: int, listings: set[int]) -> list[int]:
        """Return the listings beside an entry, which may say which version its resource has by then."""
        parent = self.places.parents[self.placed[number]]
        if parent not in listings:
            return []
        return [other for other in self._near(number) if self._resource(other) == parent]

    def _beside(self, refused: set[int], plain: Collection[int]) -> set[int]:
        """Return entries around refused ones: containers, what they contain, namesakes, what came next."""
        places, listings = self.places, self._listings()
        parents = {
            parent
            for resource, parent in zip(places.resources, places.parents, strict=True)
            if resource in refused
        }
        # The description of what is written may have the same name elsewhere, and tell its version.
        leaves = {
            places.leaves[self.placed[number]]
            for number in self._showing(_TELLS)
            if self._resource(number) not in plain
        }
        around = self._entries_at(
            resource in parents or resource in self.targets or parent in refused or leaf in leaves
            for resource, parent, leaf in zip(places.resources, places.parents, places.leaves, strict=True)
        )
        return set(around).union(
            *(self._near(number) for number in self._showing(REFUSED | BATCH)),
            # A listing beside a guarded write tells which version the thing has by then.
            *(self._listed_near(number, listings) for number in self._showing(PRESENTS)),
        )

    def _ranks(self) -> dict[int, int]:
        """Return the resources that bear on a diagnosis, the lowest number the most telling."""
        if self.ranks is not None:
            return self.ranks
        ranks: dict[int, int] = {}
        for number in self._showing(_TELLS):
            resource = self._resource(number)
            ranks[resource] = min(ranks.get(resource, 9), _rank(self.signs[number]))
        several = self.tagged.several
        for resource in self._revalidated_wrongly(several):
            ranks.setdefault(resource, 3)
        numbers = list(self._entries_of(several))
        tags = [self.tags[number] for number in numbers]
        for resource in came_back(map(self._resource, numbers), tags):
            ranks.setdefault(resource, 3)
        self.ranks = ranks
        return ranks

    def _revalidated_wrongly(self, several: set[int]) -> Iterator[int]:
        """Yield resources with a 304 whose answers carry different tags, or different contents.

        Args:
            several: those that have several tags.
        """
        revalidated = self._resources_of(self._marks(NOT_MODIFIED))
        untagged = self._resources_of(map(not_, self.tags))
        suspects = revalidated & (several | self.filled.several | untagged)
        seen: dict[int, tuple[int, int]] = dict.fromkeys(suspects, (0, 0))
        for number in self._entries_of(suspects):
            if not self.signs[number] & (ANSWERED | NOT_MODIFIED):
                continue
            resource = self._resource(number)
            before = seen[resource]
            tag, content = self.tags[number] or 1, self.contents[number]
            if (before[0] and before[0] != tag) or (before[1] and content and before[1] != content):
                yield resource
            seen[resource] = (tag, content or before[1])


def _rank(sign: int) -> int:
    if sign & REFUSED:
        return 0
    if sign & PRESENTS:
        return _GUARDED
    return 2 if sign & WRITES else 4 if sign & POSTS else 3
