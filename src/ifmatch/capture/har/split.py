"""Split a HAR into its entries without holding it: octets come in by chunks, entries go out one by one.

An entry ends where the next one begins, and what stands there (comma, white space, brace, first key) is the
same for most entries of a file, so it is learnt and searched for. JSON strings hold no bare quotation mark
(RFC 8259 section 7), hence a find inside a string is impossible; one inside a nested object gives a piece
that is no JSON, and then the entry's end is found by counting braces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import msgspec

from ifmatch.capture.base.json_objects import depth_gained, object_end
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

__all__ = [
    "ENTRY_LIMIT",
    "PREFACE_LIMIT",
    "Batch",
    "DamagedError",
    "EntrySplitter",
    "find_entries",
]

Read = TypeVar("Read")

# Octets of one entry that are read, and of what stands before the first one.
ENTRY_LIMIT: Final = 64 * 1024 * 1024
PREFACE_LIMIT: Final = 64 * 1024 * 1024
# What is taken at once is small enough to stay near the processor; where entries are longer, it grows.
_CHUNK: Final = 128 * 1024
_LARGEST_CHUNK: Final = 4 * 1024 * 1024
_MARKERS: Final = 16
# Further beginnings that are tried as the end of one entry.
_TRIES: Final = 3
# So many entries are given out at once, or all of a chunk.
_TOGETHER: Final = 64
_LOOKAHEAD: Final = 8 * 1024 * 1024
_KEY_THEN_LIST: Final = late_pattern(rb'"entries"\s*:\s*\[')
_BEGINS: Final = late_pattern(rb'\{\s*"[^"\\]{1,80}"')
_BEGINNING: Final = late_pattern(rb'\s*,\s*\{\s*"[^"\\]{1,80}"')
_FILLING: Final = late_pattern(rb"[ \t\r\n,]*+")
_BRACE: Final = ord("{")
_END: Final = ord("]")


class DamagedError(Exception):
    """Say that the file ends or goes wrong inside an entry.

    Attributes:
        offset: octet where that entry begins.
        text: what is wrong.
    """

    def __init__(self, offset: int, text: str) -> None:
        super().__init__(text)
        self.offset = offset
        self.text = text


def find_entries(data: bytes) -> int | None:
    """Return where the first entry may begin: behind `[` of the member `entries` of `log`.

    Args:
        data: the beginning of the file.

    Returns:
        None when the list does not begin within these octets.
    """
    depth = at = 0
    for found in _KEY_THEN_LIST.finditer(data):
        depth += depth_gained(data, at, found.start())
        if depth == 2:
            return found.end()
        at = found.start()
    return None


@dataclass(slots=True)
class Batch(Generic[Read]):
    """Some entries in a row, each in the same place of all three lists.

    Attributes:
        offsets: where each begins.
        lengths: of each, in octets.
        values: what was read of each; None for one that is damaged.
    """

    offsets: list[int] = field(default_factory=list[int])
    lengths: list[int] = field(default_factory=list[int])
    values: list[Read | None] = field(default_factory=list)


class EntrySplitter(Generic[Read]):
    """Give out the entries of a HAR in order.

    Args:
        stream: binary stream at the start of the file.
        read: reads one entry; returns None when the octets are not one whole JSON value.
        quick: the same, but fails where something is odd; then `read` is asked.
        chunk: octets that are taken at once at first.

    Attributes:
        preface: what stands before the first entry; None when there is no `log.entries`.
    """

    def __init__(
        self,
        stream: BinaryIO,
        read: Callable[[bytes], Read | None],
        *,
        quick: Callable[[bytes], Read | None] | None = None,
        chunk: int = _CHUNK,
    ) -> None:
        self._stream = stream
        self._read = read
        self._quick = quick if quick is not None else read
        self._chunk = self._usual_chunk = chunk
        self._largest_chunk = max(chunk, _LARGEST_CHUNK)
        self._data = b""
        self._base = 0  # offset of the first octet of `_data`
        self._position = 0
        self._ended = False
        # What begins the next entry -> where it is found next in `_data`; -1: not in it.
        self._markers: dict[bytes, int] = {}
        self.preface = self._read_preface()

    def _read_preface(self) -> bytes | None:
        while True:
            self._more()
            start = find_entries(self._data)
            if start is not None:
                self._position = start
                return self._data[:start]
            if self._ended or len(self._data) > PREFACE_LIMIT:
                return None

    def _more(self) -> bool:
        """Read on, and drop what was given out; False at the end of the file."""
        self._chunk = self._usual_chunk if self._position else min(2 * self._chunk, self._largest_chunk)
        chunk = self._stream.read(self._chunk)
        self._ended = self._ended or not chunk
        if self._position:
            self._base += self._position
            self._data = self._data[self._position :] + chunk
            self._position = 0
        else:
            self._data += chunk
        for marker in self._markers:
            self._markers[marker] = self._data.find(marker)
        return not self._ended

    @property
    def offset(self) -> int:
        """Return the octet behind what was given out."""
        return self._base + self._position

    def __iter__(self) -> Iterator[tuple[int, int, Read | None]]:
        """Yield offset, length and what was read of each entry; None for one that is damaged.

        Raises:
            DamagedError: the file ends too early, or nothing behind a damage can be made out.
        """
        for batch in self.batches():
            yield from zip(batch.offsets, batch.lengths, batch.values, strict=True)

    def batches(self) -> Iterator[Batch[Read]]:
        """Yield the entries some at a time, few enough to stay near the processor; see `__iter__`.

        Raises:
            DamagedError: the file ends too early, or nothing behind a damage can be made out.
        """
        if self.preface is None:
            return
        batch = Batch[Read]()
        try:
            while self._skip_filling():
                if len(self._markers) == 1:
                    self._run(batch)
                offset = self.offset
                batch.values.append(self._next())
                batch.offsets.append(offset)
                batch.lengths.append(self.offset - offset)
                if len(batch.values) >= _TOGETHER:
                    yield batch
                    batch = Batch[Read]()
        except DamagedError:
            yield batch
            raise
        yield batch

    def _run(self, batch: Batch[Read]) -> None:
        """Add entries of the data at hand as long as each ends where the only known beginning stands."""
        (marker,) = self._markers
        brace = marker.index(b"{")
        quick, find, base, position = self._quick, self._data.find, self._base, self._position
        data, offsets, lengths, values = self._data, batch.offsets, batch.lengths, batch.values
        end = -1
        try:
            while (end := find(marker, position + 1)) >= 0:
                value = quick(data[position:end])
                if value is None:
                    break
                values.append(value)
                offsets.append(base + position)
                lengths.append(end - position)
                position = end + brace
        except (msgspec.MsgspecError, ValueError, RecursionError):
            # Something is odd about this one: it is looked at with care.
            pass
        self._position = position
        self._markers[marker] = end

    def _skip_filling(self) -> bool:
        """Go to the next entry; False at the end of the list."""
        while True:
            data = self._data
            found = _FILLING.match(data, self._position)
            self._position = position = found.end() if found is not None else self._position
            if position < len(data):
                if data[position] == _BRACE:
                    return True
                if data[position] == _END:
                    return False
                resumed = self._nearest()
                if resumed is None:
                    raise DamagedError(self._base + position, "an entry must begin here")
                self._position = resumed
                continue
            if not self._more():
                raise DamagedError(self._base + self._position, "the list of entries is not closed")

    def _next(self) -> Read | None:
        """Read the entry that begins at the position, and go behind it."""
        if not self._markers:
            return self._counted()
        end = self._nearest()
        while end is None and len(self._data) - self._position < self._largest_chunk and self._more():
            end = self._nearest()
        if end is None:
            return self._counted()
        value = self._read(self._data[self._position : end])
        if value is not None:
            self._position = end
            return value
        return self._between(end)

    def _between(self, end: int) -> Read | None:
        """Read an entry that does not end where a known beginning was found.

        It ends before, and the next one begins in a way that is not known yet; or what was found stands
        inside it; or it is damaged, and is passed over.
        """
        while True:
            limit, sure = self._limit(end)
            inner = object_end(self._data, self._position, limit)
            ahead = len(self._data) - self._position
            if inner is not None or sure or ahead > _LOOKAHEAD or not self._more():
                break
        value = self._read(self._data[self._position : inner]) if inner is not None else None
        if inner is not None and value is not None:
            self._position = inner
            self._learn()
            return value
        resumed = self._nearest()
        if resumed is None:
            return self._resumed()
        self._position = resumed
        return None

    def _limit(self, end: int) -> tuple[int, bool]:
        """Return how far an entry may go that others seem to begin in, and whether that is certain."""
        place = end
        for _ in range(_TRIES):
            following = [self._data.find(marker, place + 1) for marker in self._markers]
            place = min((one for one in following if one >= 0), default=-1)
            if place < 0:
                return len(self._data), False
        return place, True

    def _nearest(self) -> int | None:
        """Return where the next known beginning of an entry stands, None when none is in the data."""
        position = self._position
        nearest = -1
        for marker, place in self._markers.items():
            if -1 < place <= position:
                place = self._markers[marker] = self._data.find(marker, position + 1)  # noqa: PLW2901
            if place > -1 and (place < nearest or nearest < 0):
                nearest = place
        return nearest if nearest >= 0 else None

    def _counted(self) -> Read | None:
        """Find the end of the entry by counting braces, and learn what follows it."""
        while True:
            end = object_end(self._data, self._position)
            if end is not None or len(self._data) - self._position > ENTRY_LIMIT or not self._more():
                break
        value = self._read(self._data[self._position : end]) if end is not None else None
        if end is None or value is None:
            return self._resumed()
        self._position = end
        self._learn()
        return value

    def _resumed(self) -> Read | None:
        """Pass over a damaged entry to the next thing that begins as it does; None stands for that entry.

        Raises:
            DamagedError: there is none.
        """
        begins = _BEGINS.match(self._data, self._position)
        place = -1
        if begins is not None:
            alike = re.compile(rb",\s*" + re.escape(begins.group()))
            found = alike.search(self._data, self._position + 1)
            place = found.start() if found is not None else -1
        if place < 0:
            raise DamagedError(self._base + self._position, "the file ends inside an entry")
        self._position = place
        return None

    def _learn(self) -> None:
        beginning = _BEGINNING.match(self._data, self._position)
        if beginning is None and self._more():
            beginning = _BEGINNING.match(self._data, self._position)
        if beginning is not None and len(self._markers) < _MARKERS:
            self._markers.setdefault(beginning.group(), beginning.start())
