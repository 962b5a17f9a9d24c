"""Read what lists show of one thing, its version, time and size: the list of a folder is a look, too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from ifmatch.diagnosis.links.likeness import names_text, shows
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.listed_records import lists_changes, records_in
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.version_words import CHANGED, called_version
from ifmatch.diagnosis.steps.resources import host_of, last_step, parent_of, path_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.reading.listed_records import Record
    from ifmatch.diagnosis.steps.step import Step

# So many steps before a request a list is looked for, and so long it is at most.
_NEAR: Final = 80
_LONGEST: Final = 200_000
# A shorter name is met by chance; one of so many letters and digits is met nowhere else.
_SHORT: Final = 2
# A value of one sign stands in any row.
_LEAST: Final = 2
_TELLING: Final = 8
_LISTING: Final = frozenset({"PROPFIND", "REPORT", "SEARCH"})
_MULTI_STATUS: Final = 207
# What a row calls the thing that it is about, how long it is, and whether it is what is there now.
_NAME: Final = Words(
    r"(?:^|[-_]|(?<=[a-z]))(?:id|key|name|path|href|ur[il]|file|uuid|guid|slug|code|number|no|nr|num|ref|sku|self)$"
)
_SIZE: Final = Words(r"(?:^|[-_]|(?<=[a-z]))(?:size|length|bytes)$")
_LATEST: Final = Words(r"^(?:is[-_]?)?(?:latest|current|newest|head)$")
# A list may be had as a table: /shifts.csv of /shifts.
_EXPORT: Final = late_pattern(r"\.(?:csv|tsv|json|xml|jsonl|ndjson|txt|html)$", re.IGNORECASE)
_DIGITS: Final = late_pattern(r"\d+")
_CLOCK: Final = late_pattern(r"[-_]?date[-_]?time$", re.IGNORECASE)
# A time without its zone is anybody's.
_ZONED: Final = late_pattern(r"(?:Z|GMT|UTC|[+-]\d\d:?\d\d)$|^\d+(?:\.\d+)?$")
# Times are told to the second.
_TICK: Final = 0.999
# A write may have been answered as long before its time was taken.
_AWAY: Final = 1.999


class Row(Frozen, frozen=True):
    """What one list shows of a thing.

    Attributes:
        step: the list.
        values: of the row, by their names.
    """

    step: Step
    values: Record

    @property
    def modified(self) -> float | None:
        """Return when the thing was modified last, None where the row does not tell."""
        for name, value in self.values.items():
            if _ZONED.search(value) is None or CHANGED.search(_CLOCK.sub("", _last(name))) is None:
                continue
            if (when := told_moment(value)) is not None:
                return when
        return None

    @property
    def size(self) -> int | None:
        """Return how many octets the thing has, None where the row does not tell."""
        sizes = {value for name, value in self.values.items() if _SIZE.search(_last(name)) is not None}
        return int(sizes.pop()) if len(sizes) == 1 and all(map(str.isdigit, sizes)) else None

    def version_beside(self, before: Row | None, token: str) -> str | None:
        """Return the value that stands where an earlier list had a token, whatever that is called.

        A number may stand for anything.

        Args:
            before: what the same list had shown of the thing.
            token: that a look at the thing itself gave.
        """
        bare = tokens.opaque(token)
        if before is None or before.step.resource != self.step.resource:
            return None
        if len(bare) < _LEAST or bare.isdigit():
            return None
        names = [name for name, value in before.values.items() if tokens.opaque(value) == bare]
        return self.values.get(names[0]) if len(names) == 1 else None

    def version(self, token: str, called: str = "") -> str | None:
        """Return the version that the row shows, of those the one that a token is of; None without one.

        Args:
            token: that a look at the thing itself gave.
            called: the name that a request has for it, "" where that is a field of HTTP.
        """
        bare, like = tokens.opaque(token), tokens.shape(token)
        found: dict[str, str] = {}
        for name, value in self.values.items():
            other = tokens.opaque(value)
            if not called_version(_last(name)):
                continue
            if other == bare:
                return value
            named = called and _last(name).lower() == called.lower()
            if tokens.shape(value) == like and (named or _like(bare, other, like)):
                found[other] = value
        return next(iter(found.values())) if len(found) == 1 else None


def rows_of(case: Case, step: Step, begin: int = 0) -> Iterator[Row]:
    """Yield what own lists before a request show of its resource, the latest first.

    A list that has it more than once, as one of its versions or of its changes, says which of these is there
    now, or says nothing.

    Args:
        case: everything known.
        step: the request.
        begin: order of the first step that is looked at.
    """
    name = unquote(own_name(step))
    if len(name) < _SHORT:
        return
    coded = quote(name)
    for one in reversed(case.steps[max(begin, step.order - _NEAR) : step.order]):
        if one.actor != step.actor or one.resource == step.resource or not _lists(one):
            continue
        content = one.content
        if content is None or len(content) > _LONGEST or host_of(one.resource) != host_of(step.resource):
            continue
        if name not in content.text and coded not in content.text:
            continue
        records = records_in(content.text)
        rows = [each for each in records if _about(each, one, step, name)]
        rows = rows or _by_key(records, one, step, name)
        told = {tuple(sorted(set(map(_plain, each.items())))): each for each in rows}
        if len(told) > 1:
            told = {key: each for key, each in told.items() if _is_latest(each)}
        if len(told) == 1:
            yield Row(one, next(iter(told.values())))


def moved_on(row: Row, base: Step, version: str, before: Row | None = None) -> bool:
    """Tell whether a row certainly shows another state than a look, or a write, had before it.

    Another tag alone may be another node's, or made anew with each answer.

    Args:
        row: of a list.
        base: own look at the thing, or own write on it, before the list.
        version: that the row shows, another one than the look.
        before: what the last list before the look showed.
    """
    times = row.modified, base.last_modified
    if times[0] is not None and times[1] is not None:
        if times[0] < times[1] - _TICK:
            return False
        if times[0] > times[1] + _TICK:
            return True
    if (
        times[0] is not None
        and base.date is not None
        and times[0] > base.date + (_TICK if base.read_ok else _AWAY)
    ):
        # It was changed after the look.
        return True
    if before is not None and _says_otherwise(before, row, base):
        return True
    content = base.representation or base.made or (base.body if base.accepted else None)
    if content is None or base.etag is None:
        return base.etag is not None and tokens.counted_on(base.etag, version)
    if not base.coding and row.size is not None and row.size != len(content):
        return True
    return tokens.counted_on(base.etag, version) or names_text(base.etag, content)


def _says_otherwise(before: Row, row: Row, base: Step) -> bool:
    """Tell whether one list showed a thing in the version of a look, and in other words after it."""
    if before.step.resource != row.step.resource or base.etag is None:
        return False
    token = tokens.opaque(base.etag)
    if all(tokens.opaque(value) != token for value in before.values.values()):
        return False
    return any(
        row.values.get(name, value) != value
        for name, value in before.values.items()
        if tokens.opaque(value) != token and not called_version(_last(name)) and not stamped(f"/{name}")
    )


def of_another_size(case: Case, row: Row, base: Step) -> bool:
    """Tell whether a list gives a thing another size than it had, and others the sizes that its reader sees.

    A service may count what it stores: then no size is that of a content.

    Args:
        case: everything known.
        row: of the list.
        base: own look at the thing, or own write on it, before the list.
    """
    size, had = row.size, _length(base)
    if size is None or had is None or size == had:
        return False
    if any(one.size == had for one in rows_of(case, base)):
        return True
    content = row.step.content
    records = records_in(content.text) if content is not None else ()
    for one in case.steps[max(0, row.step.order - _NEAR) : row.step.order]:
        length, name = _length(one), unquote(own_name(one))
        if one.actor != base.actor or not length or one.resource == base.resource or len(name) < _SHORT:
            continue
        for each in records:
            if Row(row.step, each).size == length and _about(each, row.step, one, name):
                return True
    return False


def _length(step: Step) -> int | None:
    """Return how long what a look showed is, or what a write put there; None where it is not plain."""
    content = step.representation or (step.made or step.body if step.accepted else None)
    return len(content) if content is not None and not step.coding else None


def _like(one: str, two: str, shape: str) -> bool:
    """Tell whether two versions of one shape look like two of one thing: a small count is of anything."""
    if shape not in {"text", "number"} or len(one) == len(two):
        return True
    if shape == "number":
        return tokens.counted_on(one, two)
    return _DIGITS.sub("#", one) == _DIGITS.sub("#", two)


def _lists(one: Step) -> bool:
    return shows(one) or (one.status == _MULTI_STATUS and one.method in _LISTING)


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _plain(pair: tuple[str, str]) -> tuple[str, str]:
    """Return a value with the last part of its name: a row and what lies around it name it otherwise."""
    return _last(pair[0]), pair[1]


def _about(row: Record, listing: Step, step: Step, name: str) -> bool:
    """Tell whether a row of a list is about the resource of a request."""
    mixed = any(map(str.isdigit, name)) and any(map(str.isalpha, name))
    # A file may be called as another one is elsewhere.
    telling = len(name) >= _TELLING and mixed and "." not in name
    there, above = (listing.resource.partition("?")[0].rstrip("/"), parent_of(step.resource).rstrip("/"))
    there = _EXPORT.sub("", there)
    beside = above in {there, parent_of(there).rstrip("/")}
    here = unquote(path_of(step.resource.partition("?")[0])).rstrip("/")
    for called, value in row.items():
        if (name not in value and "%" not in value) or _of_what_holds_it(row, called, there, here):
            continue
        said = unquote(value).rstrip("/")
        said = path_of(said) if "://" in said else said
        if said == name:
            if telling or (beside and _NAME.search(_last(called)) is not None):
                return True
        elif said.endswith("/" + name) and here.endswith("/" + said.lstrip("/")):
            return True
    return False


def _by_key(records: Sequence[Record], listing: Step, step: Step, name: str) -> list[Record]:
    """Return the row of a list that has a name in its key: where all rows have a value, each its own.

    Only where no member is called like a name: a row with one is about what stands there.
    """
    above = [parent_of(one.resource).rstrip("/") for one in (listing, step)]
    if above[0] != above[1] or len(records) < _LEAST:
        return []
    if any(_NAME.search(_last(called)) for called in records[0]):
        return []
    for called in records[0]:
        values = [each.get(called) for each in records]
        if values.count(name) == 1 and None not in values and len(set(values)) == len(values):
            return [records[values.index(name)]]
    return []


def _of_what_holds_it(row: Record, called: str, there: str, here: str) -> bool:
    """Tell whether a member of a row names what holds the row's thing, such as its project.

    The row has the like member above, for itself: `id` beside `project/id`. Lists of versions and of changes
    have an id for each entry, and are about what they name deeper inside.
    """
    parts = called.split("/")
    if len(parts) == 1 or not unquote(path_of(there)).startswith(here + "/"):
        return False
    if called_version(last_step(there)) or lists_changes(last_step(there)):
        return False
    return any(
        other != called and _last(other) == parts[-1] and other.count("/") < len(parts) - 1 for other in row
    )


def _is_latest(row: Record) -> bool:
    return any(
        _LATEST.search(_last(name)) is not None and value.lower() == "true" for name, value in row.items()
    )
