"""Find the row of an import that put back what another had changed, under the version of before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.reading.listed_records import records_in
from ifmatch.diagnosis.reading.stamps import signature, stamped
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.dialects.words import VERSION
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
_LONGEST: Final = 200_000
# Fewer signs, and such of digits alone, may be the name of something.
_DIGEST: Final = late_pattern(r"[0-9a-fA-F]{8,128}(?<!\d{8})|[\w+/-]{20,86}={0,2}")
# The one that it was made from, and the one that had shown another version.
_LOOKS: Final = 2
# So many looks before and after an import show what it did.
_NEAR: Final = 30

Record = dict[str, str]


class PutBack(Frozen, frozen=True):
    """A row that was stored over a later version: its name, the column of it, the row as sent."""

    name: str
    column: str
    row: Record


def put_back(service: Sequence[Step], place: int, rows: Sequence[Record]) -> PutBack | None:
    """Return the first row whose version was outdated by what its sender had been shown, and that was stored.

    Its sender saw another version of it, with a value that the row has as of before; the next look has the
    row's value again, under a version that is neither.

    Args:
        service: steps of one service, in order of time.
        place: of the import among them.
        rows: that it sends, all with the same columns.
    """
    versions = [name for name in rows[0] if _may_be_version(name, rows)]
    if not versions:
        return None
    step = service[place]
    before = [one for one in service[max(0, place - _NEAR) : place] if _looks(one, step)]
    after = [one for one in service[place + 1 : place + 1 + _NEAR] if _looks(one, step)]
    columns = [name for name in rows[0] if _names(name, rows)]
    if len(before) < _LOOKS or not after:
        return None
    for column in columns:
        told = [_by_name(one, column) for one in before]
        later = [_by_name(one, column) for one in after]
        for row in rows:
            seen = [one[row[column]] for one in told if row[column] in one]
            then = next((one[row[column]] for one in later if row[column] in one), None)
            if then is not None and any(_outrun(row, seen, then, name) for name in versions):
                return PutBack(row[column], column, row)
    return None


def _may_be_version(name: str, rows: Sequence[Record]) -> bool:
    """Tell whether a column is called a version, or holds a digest in each row, whatever it is called."""
    if VERSION.search(name.rpartition("/")[2]) is not None:
        return True
    values = [row[name] for row in rows]
    digests = all(_DIGEST.fullmatch(one) and any(map(str.isdigit, one)) for one in values)
    return digests and len({len(one) for one in values}) == 1


def _looks(one: Step, write: Step) -> bool:
    content = one.content
    read = one.method == "GET" and one.status == _OK and one.source == write.source
    return read and content is not None and len(content) <= _LONGEST


def _names(name: str, rows: Sequence[Record]) -> bool:
    """Tell whether a column has another value in each row, and is none of a version or a stamp."""
    word = name.rpartition("/")[2]
    return len({row[name] for row in rows}) == len(rows) and not (called_version(word) or stamped("/" + word))


def _by_name(look: Step, column: str) -> dict[str, Record]:
    text = look.view.text
    return {row[column]: row for row in records_in(text) if column in row} if column in text else {}


def _outrun(row: Record, seen: Sequence[Record], then: Record, version: str) -> bool:
    """Tell whether a row was made from a look that a later one had outdated, and took its change back."""
    base = next((one for one in reversed(seen) if one.get(version) == row[version]), None)
    if base is None or seen[-1].get(version) in {row[version], None}:
        return False
    if then.get(version) in {row[version], seen[-1][version], None}:
        return False
    edited = [name for name in _values(row) if name in base and row[name] != base[name]]
    lost = [
        name
        for name in _values(row)
        if base.get(name) == then.get(name) == row[name] != seen[-1].get(name, row[name])
    ]
    # Who had changed it may stand there as well, and is another one now.
    return bool(edited and lost) and all(then.get(name) == row[name] for name in edited)


def _values(row: Record) -> Iterator[str]:
    for name in row:
        word = name.rpartition("/")[2]
        if not (called_version(word) or stamped("/" + word) or signature("/" + word)):
            yield name


def address_of(service: Sequence[Step], write: Step, name: str) -> str:
    """Return the resource of a thing that others of its service read and write alone, "" without one.

    Args:
        service: steps of one service.
        write: the import.
        name: of the thing.
    """
    for one in service:
        path = one.resource.partition("?")[0].rstrip("/")
        if one is not write and unquote(path.rpartition("/")[2]) == name:
            return one.resource
    return ""
