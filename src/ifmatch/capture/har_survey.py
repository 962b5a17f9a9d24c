"""Survey a giant HAR: one pass keeps a few integers an entry, and says which entries bear on a diagnosis.

A diagnosis tells the story of resources; one that was only ever read, with nothing odd, has none. What is
kept: resources that were refused something or written to, reads that were answered oddly, and whoever gave
out the tokens that writes presented. Source of the terms: RFC 9110 sections 9.2.1, 13.1 and 15.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import msgspec

from ifmatch.capture.har_in_turn import Course, condition_of
from ifmatch.capture.har_split import DamagedError, EntrySplitter
from ifmatch.model.late import late_pattern
from ifmatch.model.places import joined

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import BinaryIO

__all__ = ["BUDGET", "Survey", "survey"]

# Octets that the kept entries may take in memory; an exchange costs its text and about this much besides.
BUDGET: Final = 190 * 1024 * 1024
_COST: Final = 1800
ENTRIES_LIMIT: Final = 4_000_000
# What a client does next tells what it took a refusal for; a batch names its resources in its content.
_NEAR: Final = 4
_ENDS: Final = 200
# Entries of other resources that are kept for a tag that they gave out too.
_ISSUERS: Final = 8

_REFUSED: Final = 1
_WRITES: Final = 2
_ODD: Final = 4
_NOT_MODIFIED: Final = 8
_PRESENTS: Final = 16
_ANSWERED: Final = 32
_POSTS: Final = 64
_BATCH: Final = 128
# The rank of what was written to under a condition, and refused nothing.
_GUARDED: Final = 1

_ORIGIN: Final = late_pattern(r"\A\w+://[^/]*")
_DONE: Final = frozenset({200, 204})
_REFUSALS: Final = frozenset({400, 403, 409, 410, 412, 416, 417, 422, 423, 424, 428, 501})
_SIGNS_OF_READ: Final = {
    200: _ANSWERED, 206: _ODD, 304: _NOT_MODIFIED, 400: _ODD, 409: _REFUSED, 410: _REFUSED, 412: _REFUSED,
    416: _ODD, 428: _REFUSED,
}  # fmt: skip
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT"})
_CONDITION: Final = late_pattern(rb"if-(?:match|unmodified-since|range)")
_VALIDATOR: Final = late_pattern(
    rb'"(?:etag|last-modified)"\s*,\s*"value"\s*:\s*"((?:[^"\\]++|\\.)*+)"', re.IGNORECASE
)
_PLAIN_TAG: Final = late_pattern(rb'"[A-Za-z-]+"\s*,\s*"value"\s*:\s*"[^"\\]*\\"([^"\\]*)\\"')
_TOKENS: Final = late_pattern(
    rb'"if-(?:none-)?match"\s*,\s*"value"\s*:\s*"((?:[^"\\]++|\\.)*+)"', re.IGNORECASE
)
_COPIED: Final = late_pattern(
    rb'"(?:x-(?:ms|amz|goog)-copy-source|destination)"\s*,\s*"value"\s*:\s*"([^"\\]{1,2000})"', re.IGNORECASE
)
_LOCATION: Final = late_pattern(rb'"location"\s*,\s*"value"\s*:\s*"([^"\\]{1,2000})"', re.IGNORECASE)
_ACTION: Final = late_pattern(r"(?<=[^/:]):[A-Za-z]{3,60}\Z")
_NAMED: Final = late_pattern(r"(?:^|&)(?:name|key|object)=([^&]{1,400})")
# A success that says no; its content is JSON within JSON, so quotes have a backslash.
_FLAGGED: Final = late_pattern(rb'"(?:success|ok|done|succeeded|accepted|saved|applied)\\?"\s*:\s*false')
_SAYS_NO: Final = (b"conflict", b"mismatch", b"stale", b"outdated", b"newer version")
# No refusal is longer, in octets.
_SHORT: Final = 16_384
_TAG: Final = late_pattern(rb'\\"([^"\\]*)\\"')


class _Request(msgspec.Struct, gc=False):
    method: str | None = None
    url: str | None = None
    headers: msgspec.Raw = msgspec.field(default=msgspec.Raw())


class _Content(msgspec.Struct, gc=False):
    size: float | None = None
    text: msgspec.Raw = msgspec.field(default=msgspec.Raw())


class _Response(msgspec.Struct, gc=False):
    status: float | None = None
    headers: msgspec.Raw = msgspec.field(default=msgspec.Raw())
    content: _Content | None = None


class _Entry(msgspec.Struct, gc=False):
    request: _Request | None = None
    response: _Response | None = None


_decode = msgspec.json.Decoder(_Entry).decode
_UNTYPED: Final = _Entry()


def _read(octets: bytes) -> _Entry | None:
    """Read one entry as far as the survey needs it; None when it is not one JSON object."""
    try:
        return _decode(octets)
    except msgspec.ValidationError:
        # Whole, with members of other types than HAR has: looked at in full later.
        return _UNTYPED
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


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

    def chosen(self, budget: int = BUDGET, plain: Collection[int] = ()) -> tuple[list[int], int]:
        """Choose the entries to read in full: the most telling resources first, as far as memory goes.

        Args:
            budget: octets of memory for them.
            plain: resources of which there is nothing to tell, though they were written to.

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
        beside = self._beside(refused, plain)
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
            if sign == _ANSWERED:
                goes_on = course.shows(tag)
            elif sign == _NOT_MODIFIED:
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
        return self.signs[number] == _WRITES | _PRESENTS

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
            if self.signs[number] & (_REFUSED | _WRITES | _POSTS) and resource not in plain:
                leaves.add(self.leaves[number])
        near = {
            other
            for number, sign in enumerate(self.signs)
            if sign & (_REFUSED | _BATCH)
            for other in range(max(number - _NEAR, 0), min(number + 1 + _NEAR, len(self)))
        }
        # A listing beside a guarded write tells which version the thing has by then.
        listed = {
            other
            for number, sign in enumerate(self.signs)
            if sign & _PRESENTS
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
            if sign & (_REFUSED | _WRITES | _ODD | _POSTS):
                resource = self.resources[number]
                ranks[resource] = min(ranks.get(resource, 9), _rank(sign))
        for resource in self._revalidated_wrongly():
            ranks.setdefault(resource, 3)
        return ranks

    def _revalidated_wrongly(self) -> Iterator[int]:
        """Yield resources with a 304 whose answers carry different tags, or different contents."""
        seen: dict[int, tuple[int, int]] = {
            resource: (0, 0)
            for resource, sign in zip(self.resources, self.signs, strict=True)
            if sign & _NOT_MODIFIED
        }
        for number, resource in enumerate(self.resources):
            before = seen.get(resource)
            if before is None or not self.signs[number] & (_ANSWERED | _NOT_MODIFIED):
                continue
            tag, content = self.tags[number] or 1, self.contents[number]
            if (before[0] and before[0] != tag) or (before[1] and content and before[1] != content):
                yield resource
            seen[resource] = (tag, content or before[1])


def _rank(sign: int) -> int:
    if sign & _REFUSED:
        return 0
    if sign & _PRESENTS:
        return _GUARDED
    return 2 if sign & _WRITES else 4 if sign & _POSTS else 3


def survey(stream: BinaryIO) -> Survey:
    """Go through a HAR once.

    Args:
        stream: binary stream at the start of the file.
    """
    found = Survey()
    splitter = EntrySplitter(stream, _read)
    found.preface = splitter.preface
    try:
        for offset, length, entry in splitter:
            _note(found, offset, length, _UNTYPED if entry is None else entry)
            if len(found) >= ENTRIES_LIMIT:
                found.damage = DamagedError(
                    offset + length, f"only the first {ENTRIES_LIMIT} entries are read"
                )
                break
    except DamagedError as error:
        found.damage = error
    return found


def _note(found: Survey, offset: int, length: int, entry: _Entry) -> None:
    found.offsets.append(offset)
    found.lengths.append(length)
    request, response = entry.request, entry.response
    if request is None or request.method is None or request.url is None:
        # Nothing to go by: the reader of entries says what is wrong with it.
        found.place(_place("", str(offset)))
        found.signs.append(_ODD)
        found.tags.append(0)
        found.contents.append(0)
        found.named.append(0)
        return
    url, _, query = request.url.partition("?")
    place = _place(url, query if query and _NAMED.search(query) is not None else "")
    found.place(place)
    resource = place[0]
    status = int(response.status) if response is not None and response.status is not None else 0
    writes = request.method not in _SAFE
    received = bytes(response.headers) if response is not None else b""
    answered = _validator(received)
    found.tags.append(answered)
    sign = _sign_of_write(request.method, status) if writes else _SIGNS_OF_READ.get(status, 0)
    sent = bytes(request.headers)
    names = sent.lower()
    if b"if-" in names:
        if _CONDITION.search(names) is not None:
            sign |= _PRESENTS if writes else _ODD
        if not writes and status == 200:
            # A condition that did not hold, or was not heeded.
            sign |= _ODD
        if sign & (_PRESENTS | _ODD):
            tokens = {hash(one) for value in _TOKENS.findall(sent) for one in _TAG.findall(value) or [value]}
            if tokens:
                found.presented.setdefault(resource, set()).update(tokens)
    if writes:
        if 200 <= status < 300 and _says_no(response):
            sign |= _REFUSED
        sign |= _BATCH if url.endswith("batch") else 0
        found.targets.update(_related(url, status, sent, names, received))
    # What has no validator cannot have been revalidated.
    content = response.content if response is not None and answered and sign & _ANSWERED else None
    found.contents.append(_fingerprint(content) if content is not None else 0)
    found.signs.append(sign)
    named = 0
    if sign == _NOT_MODIFIED:
        named = condition_of(sent, names)
    elif sign == _WRITES | _PRESENTS and answered and status in _DONE:
        named = condition_of(sent, names)
        found.paths[resource] = hash(_ORIGIN.sub("", url))
    found.named.append(named)


def _says_no(response: _Response | None) -> bool:
    """Tell whether the content of a success may speak of a refusal."""
    if response is None or response.content is None:
        return False
    text = memoryview(response.content.text)
    if len(text) > _SHORT:
        return False
    # Words are looked for in a tenth of the time that an expression for all of them takes.
    lowered = text.tobytes().lower()
    for word in _SAYS_NO:
        if word in lowered:
            return True
    return b"false" in lowered and _FLAGGED.search(lowered) is not None


def _validator(received: bytes) -> int:
    """Return a hash of the ETag, else of Last-Modified, 0 without either."""
    # A look for the name alone is cheap; most entries need no more.
    lowered = received.lower()
    at = lowered.find(b'"etag"')
    if at < 0:
        at = lowered.find(b'"last-modified"')
    if at < 0:
        return 0
    # Nearly all tags are strong and plain, and stand there as most programs write them.
    found = _PLAIN_TAG.match(received, at)
    if found is not None:
        return hash(found.group(1))
    found = _VALIDATOR.match(received, at)
    return hash(_opaque(found.group(1))) if found is not None else 0


def _related(url: str, status: int, sent: bytes, names: bytes, received: bytes) -> Collection[int]:
    """Return the resources that a write was redirected to, or that it copies."""
    targets: list[bytes] = []
    if 300 <= status < 400:
        targets = _LOCATION.findall(received)[:1]
    elif b"copy-source" in names or b'"destination"' in names:
        targets = _COPIED.findall(sent)
    return [
        _place(joined(url, target.decode("utf-8", "replace")).partition("?")[0], "")[0] for target in targets
    ]


def _fingerprint(content: _Content | None) -> int:
    """Tell contents apart by their size and their ends; hashing all of a giant file would take a second."""
    if content is None or not content.text:
        return 0
    octets = memoryview(content.text)
    if len(octets) <= 2 * _ENDS:
        return hash((content.size, octets.tobytes())) or 1
    return hash((content.size, octets[:_ENDS].tobytes(), octets[-_ENDS:].tobytes())) or 1


def _sign_of_write(method: str, status: int) -> int:
    sign = _POSTS if method == "POST" else _WRITES
    return sign | _REFUSED if status in _REFUSALS else sign


@lru_cache(maxsize=16384)
def _place(url: str, query: str) -> tuple[int, int, int]:
    """Return a resource, what contains it, and its name within that."""
    path = url.partition("#")[0]
    if "%" in path:
        path = unquote(path)
    # Some APIs write what is done to a resource behind a colon: it is the resource all the same.
    path = _ACTION.sub("", path.rstrip("/"))
    parent, _, leaf = path.rpartition("/")
    # Uploads name what they write in the query.
    named = _NAMED.search(query) if query else None
    if named is not None:
        leaf = unquote(named.group(1)).rpartition("/")[2]
    return hash(path), hash(parent), hash(leaf)


def _opaque(value: bytes) -> bytes:
    found = _TAG.search(value)
    return found.group(1) if found is not None else value
