"""Survey a giant HAR: one pass keeps a few integers an entry, and says which entries bear on a diagnosis.

A diagnosis tells the story of resources; one that was only ever read, with nothing odd, has none. What is
kept: resources that were refused something or written to, reads that were answered oddly, and whoever gave
out the tokens that writes presented. Source of the terms: RFC 9110 sections 9.2.1, 13.1 and 15.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ifmatch.capture.har_in_turn import Course, condition_of
from ifmatch.capture.har_reads import LIMIT, came_back, nearest
from ifmatch.capture.har_signs import (
    ANSWERED,
    BATCH,
    BATCHES,
    DONE,
    NOT_MODIFIED,
    ODD,
    ORIGIN,
    POSTS,
    PRESENTS,
    REFUSED,
    SAFE,
    UNTYPED,
    WRITES,
    fingerprint,
    is_asset,
    place_of,
    read_entry,
    related,
    says_no,
    sign_of_read,
    sign_of_write,
    tokens_in,
    validator_of,
)
from ifmatch.capture.har_split import DamagedError, EntrySplitter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import BinaryIO

    from ifmatch.capture.har_signs import Entry

__all__ = ["BUDGET", "WHOLE", "Survey", "survey"]

# Octets that the kept entries may take in memory; an exchange costs its text and about this much besides.
BUDGET: Final = 190 * 1024 * 1024
_COST: Final = 1800
# Where no more entries than this may bear on a diagnosis at all, all of them are read.
WHOLE: Final = 6_000
ENTRIES_LIMIT: Final = 4_000_000
# What a client does next tells what it took a refusal for; a batch names its resources in its content.
_NEAR: Final = 4
# Entries of other resources that are kept for a tag that they gave out too.
_ISSUERS: Final = 8

# An entry that shows one of these is told of.
_TELLS: Final = REFUSED | WRITES | ODD | POSTS
# The rank of what was written to under a condition, and refused nothing.
_GUARDED: Final = 1


@dataclass(slots=True)
class Survey:
    """What one pass found out; a resource, a name and a tag are hashes.

    Attributes:
        preface: what stands before the first entry.
        offsets: of each entry.
        lengths: of each entry, in octets.
        resources: of each entry: its URL without the query.
        parents: of each entry: the resource that contains it.
        leaves: of each entry: its name within that.
        signs: bits of what an entry shows.
        bears: of each entry, 0 when it is of an asset: it can tell nothing of a story.
        tags: that each answer carries, 0 for none.
        contents: of each answer to a read: its size and its ends, 0 for none.
        named: the one tag that each guarded write that succeeded, or revalidation, names; 0 for others.
        paths: of resources with such writes: the path on any host.
        presented: tags that requests presented, by resource.
        targets: resources that writes were redirected to.
        damage: where and why the file could not be read to its end.
    """

    preface: bytes | None = None
    offsets: array[int] = field(default_factory=lambda: array("Q"))
    lengths: array[int] = field(default_factory=lambda: array("L"))
    resources: array[int] = field(default_factory=lambda: array("q"))
    parents: array[int] = field(default_factory=lambda: array("q"))
    leaves: array[int] = field(default_factory=lambda: array("q"))
    signs: bytearray = field(default_factory=bytearray)
    bears: bytearray = field(default_factory=bytearray)
    tags: array[int] = field(default_factory=lambda: array("q"))
    contents: array[int] = field(default_factory=lambda: array("q"))
    named: array[int] = field(default_factory=lambda: array("q"))
    paths: dict[int, int] = field(default_factory=dict[int, int])
    presented: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    targets: set[int] = field(default_factory=set[int])
    damage: DamagedError | None = None

    def __len__(self) -> int:
        return len(self.offsets)

    def place(self, place: tuple[int, int, int]) -> None:
        """Note where the resource of the next entry stands among the others."""
        resource, parent, leaf = place
        self.resources.append(resource)
        self.parents.append(parent)
        self.leaves.append(leaf)

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
        costs: Counter[int] = Counter()
        for resource, length in zip(self.resources, self.lengths, strict=True):
            if resource in ranks:
                costs[resource] += length + _COST
        kept: set[int] = set()
        left = budget
        for resource in sorted(ranks, key=ranks.__getitem__):
            if costs[resource] <= left:
                kept.add(resource)
                left -= costs[resource]
        refused = {resource for resource in kept if not ranks[resource]}
        told = [
            number
            for number, (resource, sign) in enumerate(zip(self.resources, self.signs, strict=True))
            if sign & _TELLS and resource in kept
        ]
        beside = self._beside(refused, plain)
        beside |= nearest(self.resources, self.bears, told, {*ranks, *plain}, others)
        issued = set[int]().union(*(self.presented.get(resource, ()) for resource in refused))
        numbers: list[int] = []
        issuers: Counter[int] = Counter()
        omitted = 0
        for number, resource in enumerate(self.resources):
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
        entries: dict[int, list[int]] = {}
        for number, resource in enumerate(self.resources):
            course = courses.get(resource)
            if course is None:
                continue
            tag, named, sign = self.tags[number], self.named[number], self.signs[number]
            if sign == ANSWERED:
                goes_on = course.shows(tag)
            elif sign == NOT_MODIFIED:
                goes_on = named == tag and course.shows(tag)
            else:
                goes_on = course.makes(tag, named) and not self._listed_near(number)
            if goes_on:
                entries.setdefault(resource, []).append(number)
            else:
                del courses[resource]
                entries.pop(resource, None)
        return entries

    def writes(self, number: int) -> bool:
        """Tell whether an entry is a write under a condition that may have held."""
        return self.signs[number] == WRITES | PRESENTS

    def _listed_near(self, number: int) -> bool:
        """Tell whether a listing beside an entry may say which version its resource has by then."""
        near = range(max(number - _NEAR, 0), min(number + 1 + _NEAR, len(self)))
        return any(self.resources[other] == self.parents[number] for other in near)

    def _beside(self, refused: set[int], plain: Collection[int]) -> set[int]:
        """Return entries around refused ones: containers, what they contain, namesakes, what came next."""
        parents: set[int] = set()
        leaves: set[int] = set()
        for number, resource in enumerate(self.resources):
            if resource in refused:
                parents.add(self.parents[number])
            # The description of what is written may have the same name elsewhere, and tell its version.
            if self.signs[number] & _TELLS and resource not in plain:
                leaves.add(self.leaves[number])
        near = {
            other
            for number, sign in enumerate(self.signs)
            if sign & (REFUSED | BATCH)
            for other in range(max(number - _NEAR, 0), min(number + 1 + _NEAR, len(self)))
        }
        # A listing beside a guarded write tells which version the thing has by then.
        listed = {
            other
            for number, sign in enumerate(self.signs)
            if sign & PRESENTS
            for other in range(max(number - _NEAR, 0), min(number + 1 + _NEAR, len(self)))
            if self.resources[other] == self.parents[number]
        }
        return (near | listed) | {
            number
            for number, resource in enumerate(self.resources)
            if resource in parents
            or resource in self.targets
            or self.parents[number] in refused
            or self.leaves[number] in leaves
        }

    def _ranks(self) -> dict[int, int]:
        """Return the resources that bear on a diagnosis, the lowest number the most telling."""
        ranks: dict[int, int] = {}
        for number, sign in enumerate(self.signs):
            if sign & _TELLS:
                resource = self.resources[number]
                ranks[resource] = min(ranks.get(resource, 9), _rank(sign))
        for resource in self._revalidated_wrongly():
            ranks.setdefault(resource, 3)
        for resource in came_back(self.resources, self.tags):
            ranks.setdefault(resource, 3)
        return ranks

    def _revalidated_wrongly(self) -> Iterator[int]:
        """Yield resources with a 304 whose answers carry different tags, or different contents."""
        seen: dict[int, tuple[int, int]] = {
            resource: (0, 0)
            for resource, sign in zip(self.resources, self.signs, strict=True)
            if sign & NOT_MODIFIED
        }
        for number, resource in enumerate(self.resources):
            before = seen.get(resource)
            if before is None or not self.signs[number] & (ANSWERED | NOT_MODIFIED):
                continue
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


def survey(stream: BinaryIO) -> Survey:
    """Go through a HAR once.

    Args:
        stream: binary stream at the start of the file.
    """
    found = Survey()
    splitter = EntrySplitter(stream, read_entry)
    found.preface = splitter.preface
    try:
        for offset, length, entry in splitter:
            _note(found, offset, length, UNTYPED if entry is None else entry)
            if len(found) >= ENTRIES_LIMIT:
                found.damage = DamagedError(
                    offset + length, f"only the first {ENTRIES_LIMIT} entries are read"
                )
                break
    except DamagedError as error:
        found.damage = error
    return found


def _note(found: Survey, offset: int, length: int, entry: Entry) -> None:
    found.offsets.append(offset)
    found.lengths.append(length)
    request, response = entry.request, entry.response
    if request is None or request.method is None or request.url is None:
        # Nothing to go by: the reader of entries says what is wrong with it.
        found.place(place_of("", str(offset)))
        found.signs.append(ODD)
        found.bears.append(1)
        found.tags.append(0)
        found.contents.append(0)
        found.named.append(0)
        return
    url, _, query = request.url.partition("?")
    place = place_of(url, query)
    found.place(place)
    resource = place[0]
    status = int(response.status) if response is not None and response.status is not None else 0
    writes = request.method not in SAFE
    received = bytes(response.headers) if response is not None else b""
    answered = validator_of(received)
    found.tags.append(answered)
    sent = bytes(request.headers)
    names = sent.lower()
    if writes:
        sign = sign_of_write(request.method, status, names)
        if (200 <= status < 300 or status >= 500) and says_no(response):
            sign |= REFUSED
        sign |= BATCH if url.endswith(BATCHES) else 0
        found.targets.update(related(url, status, sent, names, received))
    else:
        sign = sign_of_read(status, names)
    if sign & (PRESENTS | ODD):
        tokens = tokens_in(sent)
        if tokens:
            found.presented.setdefault(resource, set()).update(tokens)
    found.bears.append(writes or not is_asset(url, response))
    # What has no validator cannot have been revalidated.
    content = response.content if response is not None and answered and sign & ANSWERED else None
    found.contents.append(fingerprint(content) if content is not None else 0)
    found.signs.append(sign)
    named = 0
    if sign == NOT_MODIFIED:
        named = condition_of(sent, names)
    elif sign == WRITES | PRESENTS and answered and status in DONE:
        named = condition_of(sent, names)
        found.paths[resource] = hash(ORIGIN.sub("", url))
    found.named.append(named)
