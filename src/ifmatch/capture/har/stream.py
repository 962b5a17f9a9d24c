"""Read a giant HAR in two passes: the first keeps integers, the second reads only what bears on a diagnosis.

What is left out are resources that were only read, with nothing odd about it; they take no part in a story.
The capture says how many exchanges that were.
"""

from __future__ import annotations

import gc
import io
import re
from typing import TYPE_CHECKING, Final

import msgspec

from ifmatch.capture.base.json_objects import object_end
from ifmatch.capture.har.exchanges import EntryReader, withheld_fields
from ifmatch.capture.har.in_turn import contents_in_turn
from ifmatch.capture.har.notes import survey
from ifmatch.capture.har.records import Creator
from ifmatch.capture.har.survey import BUDGET, WHOLE
from ifmatch.errors import InputError
from ifmatch.model.exchange import Capture
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    from ifmatch.capture.har.survey import Survey

__all__ = ["USUAL", "read_giant"]

# So many entries of resources that were only changed in turn are read all the same: they show what is usual.
USUAL: Final = 100

_CREATOR: Final = re.compile(rb'"creator"\s*:\s*(?=\{)')
_URL: Final = late_pattern(rb'"url"\s*:\s*"([^"?#]*)')
# What names a thing: the end of its path, with what stands above where that is short.
_NAME: Final = late_pattern(rb"[^/]{6,}/*\Z|[^/]+/[^/]+/*\Z")
_LOOKED_AT: Final = 8 * 1024 * 1024
_ADVICE: Final = "In the browser's developer tools, Network panel, use `Save all as HAR`, and give that file"


def read_giant(
    stream: BinaryIO, name: str, *, budget: int = BUDGET, usual: int = USUAL, whole: int = WHOLE
) -> Capture:
    """Read a HAR that is too large to be held.

    Args:
        stream: seekable binary stream at the start of the file.
        name: name of the source as the user gave it.
        budget: octets of memory for the exchanges that are read in full.
        usual: how many entries of resources that were only changed in turn are read all the same.
        whole: where no more entries than this may bear on a diagnosis, all of them are read.

    Returns:
        The exchanges that bear on a diagnosis, with the entry numbers of the file; `unread` counts the rest.

    Raises:
        InputError: the file has no `log.entries`, or its first entry is not whole.

    Source: HTTP Archive 1.2.
    """
    start = stream.tell()
    collecting = gc.isenabled()
    # Nothing that is built here refers back to itself: collecting only costs time.
    gc.disable()
    try:
        found = survey(stream)
        if found.preface is None:
            raise InputError(
                "this JSON has no log.entries",
                source=name,
                offset=0,
                expected='{"log": {"entries": [...]}}',
                advice=_ADVICE,
            )
        if not len(found) and found.damage is not None:
            raise InputError(
                f"the file is cut before the end of its first entry ({found.damage.text})",
                source=name,
                offset=found.damage.offset,
                expected="at least one whole entry of log.entries",
                advice=_ADVICE,
            )
        numbers = found.all_that_bears(budget, whole)
        chosen = (
            (numbers, 0) if numbers is not None else found.chosen(budget, _plain(stream, start, found, usual))
        )
        return _read(stream, start, name, found, chosen)
    finally:
        if collecting:
            gc.enable()


def _plain(stream: BinaryIO, start: int, found: Survey, usual: int) -> set[int]:
    """Return the resources that were only changed in turn, but for the first ones with so many entries."""
    plain: set[int] = set()
    for resource, numbers in found.in_turn().items():
        if usual > 0:
            usual -= len(numbers)
        elif contents_in_turn(_entries(stream, start, found, numbers)) and not _told_beside(
            stream, start, found, numbers
        ):
            plain.add(resource)
    return plain


def _told_beside(stream: BinaryIO, start: int, found: Survey, numbers: Sequence[int]) -> bool:
    """Tell whether an answer beside the writes to a resource names it: a list or a journal knows more."""
    beside = found.beside_writes(numbers)
    if not beside:
        return False
    _, first = next(_entries(stream, start, found, numbers))
    url = _URL.search(first)
    name = _NAME.search(url[1]) if url is not None else None
    return name is None or any(name[0] in octets for _, octets in _entries(stream, start, found, beside))


def _entries(
    stream: BinaryIO, start: int, found: Survey, numbers: Iterable[int]
) -> Iterator[tuple[bool, bytes]]:
    for number in numbers:
        stream.seek(start + found.offsets[number])
        yield found.writes(number), stream.read(found.lengths[number])


def _read(stream: BinaryIO, start: int, name: str, found: Survey, chosen: tuple[list[int], int]) -> Capture:
    numbers, omitted = chosen
    stream.seek(start)
    beginning = stream.read(_LOOKED_AT)
    reader = EntryReader(name, withheld_fields(beginning, _creator(stream, beginning)))
    for number in numbers:
        stream.seek(start + found.offsets[number])
        reader.read(number, stream.read(found.lengths[number]))
    if not reader.exchanges and len(numbers) == len(found):
        raise InputError(
            f"no entry of this HAR can be read{f' ({reader.warnings[0].text})' if reader.warnings else ''}",
            source=name,
            expected="at least one whole entry of log.entries",
            advice=_ADVICE,
        )
    if found.damage is not None:
        reader.warn(
            None,
            f"the file is damaged or cut at octet {found.damage.offset} ({found.damage.text}): "
            f"{len(found)} whole entries were read",
            found.damage.offset,
        )
    if omitted:
        reader.warn(
            None,
            f"{omitted} entries of resources that were written to, none of them refused, do not fit into "
            f"memory and were left out; cut the file to the time of the failure to have them looked at",
        )
    return Capture(
        name,
        "har",
        tuple(reader.exchanges),
        tuple(reader.warnings),
        unread=max(len(found) - len(numbers), 0),
    )


def _creator(stream: BinaryIO, beginning: bytes) -> Creator | None:
    """Return `log.creator`, which most programs write before the entries and some behind them."""
    creator = _decoded(beginning)
    if creator is None:
        end = stream.seek(0, io.SEEK_END)
        stream.seek(max(0, end - 65536))
        creator = _decoded(stream.read())
    return creator


def _decoded(octets: bytes) -> Creator | None:
    found = _CREATOR.search(octets)
    end = object_end(octets, found.end()) if found is not None else None
    if found is None or end is None:
        return None
    try:
        return msgspec.json.decode(octets[found.end() : end], type=Creator)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
