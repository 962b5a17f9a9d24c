"""Survey a giant HAR: one pass over its entries notes a few integers of each.

Source of the terms: RFC 9110 sections 8.8.3, 9.2.1, 13.1 and 15.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ifmatch.capture.har.in_turn import condition_of
from ifmatch.capture.har.signs import (
    ANSWERED,
    BATCH,
    BATCHES,
    BRIEF,
    DONE,
    NOT_MODIFIED,
    ODD,
    ORIGIN,
    PRESENTS,
    REFUSED,
    SAFE,
    SIGNS_OF_STATUS,
    UNANSWERED,
    UNTYPED,
    WRITES,
    decode_entry,
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
    validator_in,
    validator_of,
)
from ifmatch.capture.har.split import DamagedError, EntrySplitter
from ifmatch.capture.har.survey import Survey

if TYPE_CHECKING:
    from typing import BinaryIO

    from ifmatch.capture.har.signs import Entry, Request, Response
    from ifmatch.capture.har.split import Batch
    from ifmatch.capture.har.survey import Noted

__all__ = ["survey"]

_ENTRIES_LIMIT: Final = 4_000_000
# So many reads are remembered: what repeats in a long session was asked for a short while ago.
_REMEMBERED: Final = 32_768
_OK: Final = 200
# So many forms of fields are remembered, and what makes one of them.
_FORMS: Final = 1_024
_FORM: Final = bytes.maketrans(b"123456789", b"000000000")


@dataclass(slots=True)
class _Asked:
    """What a read asks for, and what it was answered with last.

    Attributes:
        place: the number of its place.
        asset: whether its name is that of a script, a picture or the like.
        odd: its sign by its conditions in general.
        odd_when_full: the same, when it is answered in full.
        named: the one tag that it names.
        line: octets that an answer with the same tag as the last one holds; none without a plain tag.
        answer: status, size and text of the last one with that tag.
        noted: what was noted of it.
    """

    place: int
    asset: bool
    odd: int
    odd_when_full: int
    named: int
    line: bytes = b""
    answer: tuple[float | None, float | None, bytes] | None = None
    noted: Noted = (0, 0, False, 0, 0, 0)


def survey(stream: BinaryIO) -> Survey:
    """Go through a HAR once.

    Args:
        stream: binary stream at the start of the file.
    """
    noter = _Noter()
    found = noter.found
    splitter = EntrySplitter(stream, read_entry, quick=decode_entry)
    found.preface = splitter.preface
    try:
        for batch in splitter.batches():
            noter.note(batch)
            if len(found) >= _ENTRIES_LIMIT:
                found.damage = DamagedError(splitter.offset, f"only the first {len(found)} entries are read")
                break
    except DamagedError as error:
        found.damage = error
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
        # Fields of answers without a validator, all digits alike: mostly nothing but the date differs.
        self._untagged: set[bytes] = set()

    def note(self, batch: Batch[Entry]) -> None:
        """Note some entries.

        Args:
            batch: as they were read.
        """
        known = self._known.get
        noted: list[Noted] = []
        for offset, read in zip(batch.offsets, batch.values, strict=True):
            entry = UNTYPED if read is None else read
            octets = bytes(entry.request)
            asked = known(hash(octets)) if self._repeats else None
            if asked is not None:
                noted.append(self._read(asked, octets, entry.response))
            else:
                noted.append(self._new(offset, octets, entry.response))
        self.found.take(batch.offsets, batch.lengths, noted)

    def _new(self, offset: int, octets: bytes, response: Response | None) -> Noted:
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
        asked = _Asked(place, is_asset_name(url), odd, odd_when_full, named)
        if self._repeats:
            self._remember(hash(octets), asked)
        return self._read(asked, octets, response)

    def _remember(self, key: int, asked: _Asked) -> None:
        self._new_ones += 1
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
            self._repeats = 2 * self._new_ones < len(self.found)
        self._known[key] = asked

    def _read(self, asked: _Asked, octets: bytes, response: Response | None) -> Noted:
        if response is None:
            return self._answered(asked, octets, UNANSWERED, 0)
        received = bytes(response.headers)
        if not asked.line or asked.line not in received:
            tag, asked.line = self._validator_in(received)
            asked.answer = None
            if not asked.line:
                return self._answered(asked, octets, response, tag)
            asked.noted = self._answered(asked, octets, response, tag)
            return asked.noted
        # What is asked for again is mostly what it was: to see that is cheaper than to find out all anew.
        content = response.content
        if content is None or len(content.text) > BRIEF:
            return self._answered(asked, octets, response, asked.noted[3])
        answer = (response.status, content.size, bytes(content.text))
        if answer != asked.answer:
            asked.answer = answer
            asked.noted = self._answered(asked, octets, response, asked.noted[3])
        return asked.noted

    def _answered(self, asked: _Asked, octets: bytes, response: Response, tag: int) -> Noted:
        status, content = response.status, response.content
        sign = SIGNS_OF_STATUS.get(status, 0) | (asked.odd_when_full if status == _OK else asked.odd)
        if sign & ODD:
            self._present(asked.place, tokens_in(octets, octets.lower()))
        # What has no validator cannot have been revalidated.
        shown = fingerprint(content) if tag and sign & ANSWERED else 0
        resource = self.found.places.resources[asked.place]
        self.found.tagged.add(resource, tag)
        self.found.filled.add(resource, shown)
        bears = not (asked.asset or is_long_text(content))
        return asked.place, sign, bears, tag, shown, asked.named if sign == NOT_MODIFIED else 0

    def _validator_in(self, received: bytes) -> tuple[int, bytes]:
        """Return the hash of a validator, and the line that says it; see `validator_in`."""
        form = received.translate(_FORM)
        if form in self._untagged:
            return 0, b""
        found = validator_in(received)
        if not found[0]:
            if len(self._untagged) >= _FORMS:
                self._untagged.clear()
            self._untagged.add(form)
        return found

    def _write(self, place: int, url: str, request: Request, response: Response | None) -> Noted:
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
        tag, named, resource = validator_of(received), 0, found.places.resources[place]
        found.tagged.add(resource, tag)
        if sign == WRITES | PRESENTS and tag and status in DONE:
            named = condition_of(sent, names)
            found.paths[resource] = hash(ORIGIN.sub("", url))
        return place, sign, True, tag, 0, named

    def _present(self, place: int, tokens: frozenset[int]) -> None:
        if tokens:
            resource = self.found.places.resources[place]
            self.found.presented.setdefault(resource, set()).update(tokens)
