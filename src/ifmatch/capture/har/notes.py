"""Survey a giant HAR: one pass over its entries notes a few integers of each.

Source of the terms: RFC 9110 sections 8.8.3, 9.2.1, 13.1 and 15.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from ifmatch.capture.har.in_turn import condition_of
from ifmatch.capture.har.signs import (
    ANSWERED,
    BATCH,
    BATCHES,
    DONE,
    NOT_MODIFIED,
    ODD,
    ORIGIN,
    PRESENTS,
    REFUSED,
    SAFE,
    SIGNS_OF_STATUS,
    UNTYPED,
    WRITES,
    fingerprint,
    is_asset_name,
    is_long_text,
    place_of,
    read_entry,
    read_request,
    related,
    says_no,
    sign_of_conditions,
    sign_of_write,
    tokens_in,
    validator_of,
)
from ifmatch.capture.har.split import DamagedError, EntrySplitter
from ifmatch.capture.har.survey import COLUMNS, Survey

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from ifmatch.capture.har.signs import Entry, Request, Response

__all__ = ["survey"]

_ENTRIES_LIMIT: Final = 4_000_000
# So many reads are remembered: what repeats in a long session was asked for a short while ago.
_REMEMBERED: Final = 32_768
# So many cells are noted before they go to the columns of the survey.
_TOGETHER: Final = 4_096 * COLUMNS
_OK: Final = 200


# What a read asks for: the number of its place, whether its name is that of a script, a picture or the like,
# its sign by its conditions (in general; when it is answered in full), and the one tag that it names.
_Asked = tuple[int, bool, int, int, int]
# What is noted of an entry: place, signs, whether it bears, tag, content, named tag; see `Survey`.
_Noted = tuple[int, int, bool, int, int, int]


def survey(stream: BinaryIO) -> Survey:
    """Go through a HAR once.

    Args:
        stream: binary stream at the start of the file.
    """
    noter = _Noter()
    found = noter.found
    splitter = EntrySplitter(stream, read_entry)
    found.preface = splitter.preface
    try:
        noter.note(islice(splitter, _ENTRIES_LIMIT))
    except DamagedError as error:
        found.damage = error
    if len(found) == _ENTRIES_LIMIT:
        found.damage = DamagedError(splitter.offset, f"only the first {_ENTRIES_LIMIT} entries are read")
    return found


class _Noter:
    """Note entries one by one.

    Attributes:
        found: what was noted.
    """

    def __init__(self) -> None:
        self.found = Survey()
        # By the hash of the request as it stands in the file: a session asks for the same over and over.
        self._known: dict[int, _Asked] = {}
        # Where most requests are new, as those with an identifier of their own, no more is remembered.
        self._repeats = True
        self._new_ones = 0
        # Of the last entries: what goes to the columns of the survey, entry after entry.
        self._cells: list[int] = []

    def note(self, entries: Iterable[tuple[int, int, Entry | None]]) -> None:
        """Note entries.

        Args:
            entries: where each begins, its length in octets, and what was read of it.
        """
        cells, known = self._cells, self._known.get
        add = cells.extend
        try:
            for offset, length, read in entries:
                entry = UNTYPED if read is None else read
                octets = bytes(entry.request)
                asked = known(hash(octets)) if self._repeats else None
                if asked is not None:
                    noted = self._read(asked, octets, entry.response)
                else:
                    noted = self._new(offset, octets, entry.response)
                add((offset, length))
                add(noted)
                if len(cells) >= _TOGETHER:
                    self.found.take(cells)
                    cells.clear()
        finally:
            self.found.take(cells)
            cells.clear()

    def _new(self, offset: int, octets: bytes, response: Response | None) -> _Noted:
        request = read_request(octets)
        if request is None or request.method is None or request.url is None:
            # Nothing to go by: the reader of entries says what is wrong with it.
            return self.found.places.number(place_of("", str(offset))), ODD, True, 0, 0, 0
        url, _, query = request.url.partition("?")
        place = self.found.places.number(place_of(url, query))
        if request.method not in SAFE:
            return self._write(place, url, request, response)
        sent = bytes(request.headers)
        names = sent.lower()
        odd = odd_when_full = named = 0
        if b"if-" in names:
            odd = sign_of_conditions(names, full=False)
            odd_when_full = sign_of_conditions(names, full=True)
            named = condition_of(sent, names)
        asked = (place, is_asset_name(url), odd, odd_when_full, named)
        if self._repeats:
            self._remember(hash(octets), asked)
        return self._read(asked, octets, response)

    def _remember(self, key: int, asked: _Asked) -> None:
        self._new_ones += 1
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
            self._repeats = 2 * self._new_ones < len(self.found) + len(self._cells) // COLUMNS
        self._known[key] = asked

    def _read(self, asked: _Asked, octets: bytes, response: Response | None) -> _Noted:
        place, asset, odd, odd_when_full, named = asked
        status = content = None
        tag = 0
        if response is not None:
            status, content = response.status, response.content
            tag = validator_of(bytes(response.headers))
        sign = SIGNS_OF_STATUS.get(status, 0) | (odd_when_full if status == _OK else odd)
        if sign & ODD:
            self._present(place, tokens_in(octets, octets.lower()))
        return (
            place,
            sign,
            not (asset or is_long_text(content)),
            tag,
            # What has no validator cannot have been revalidated.
            fingerprint(content) if tag and sign & ANSWERED else 0,
            named if sign == NOT_MODIFIED else 0,
        )

    def _write(self, place: int, url: str, request: Request, response: Response | None) -> _Noted:
        found = self.found
        sent = bytes(request.headers)
        names = sent.lower()
        status = int(response.status or 0) if response is not None else 0
        received = bytes(response.headers) if response is not None else b""
        sign = sign_of_write(request.method or "", status, names)
        if (200 <= status < 300 or status >= 500) and says_no(response):
            sign |= REFUSED
        sign |= BATCH if url.endswith(BATCHES) else 0
        found.targets.update(related(url, status, sent, names, received))
        if sign & PRESENTS:
            self._present(place, tokens_in(sent, names))
        tag, named = validator_of(received), 0
        if sign == WRITES | PRESENTS and tag and status in DONE:
            named = condition_of(sent, names)
            found.paths[found.places.resources[place]] = hash(ORIGIN.sub("", url))
        return place, sign, True, tag, 0, named

    def _present(self, place: int, tokens: frozenset[int]) -> None:
        if tokens:
            resource = self.found.places.resources[place]
            self.found.presented.setdefault(resource, set()).update(tokens)
