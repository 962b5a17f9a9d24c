"""Find the look that gave a writer, after its own write, the version which that write had replaced.

The look may be at another place than the write: at the page of a thing that an import, a job or a call
changed, at a list, at another host. What they have in common is the thing that they name.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.cache_marks import asks_past
from ifmatch.diagnosis.reading.conditions import IN_CONTENT, versions_in
from ifmatch.diagnosis.reading.sent_rows import entries_in
from ifmatch.diagnosis.reading.version_words import EXPECTS, alike, called_version, telling_words
from ifmatch.diagnosis.reading.whole_words import as_word
from ifmatch.diagnosis.steps.carried_out import decide
from ifmatch.diagnosis.steps.left_undone import account_in, left_undone, sent_rows, told_rows, whole_of
from ifmatch.diagnosis.steps.resources import path_of
from ifmatch.dialects.glossary import Words
from ifmatch.dialects.pointers import end_of
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.reading.sent_rows import Entry, Row
    from ifmatch.diagnosis.steps.step import Step

# So many requests before a write its look is searched for, and so many rows and values are compared.
_NEAR: Final = 60
_MOST: Final = 12
_LONGEST: Final = 100_000
# Seconds after which a replica has caught up.
_SOON: Final = 120.0
# A shorter value names a thing only by the way.
_NAME: Final = 2
_DONE: Final = frozenset({200, 201, 204, 207})
_TAKEN_IN: Final = 202
_TURNED_DOWN: Final = frozenset({400, 403, 409, 422})
# What a member that names a thing is called.
_PAIR: Final = late_pattern(r"([^\W\d][\w.-]*)\s*[=:]\s*\"?([^\s;,\"]+)")
_ID: Final = late_pattern(
    r"(?:^|[_-]|(?<=[a-z]))(?:id|key|uuid|guid|ref|code|number|no|nr|sku|slug|name|path)$", re.IGNORECASE
)
_TAG: Final = "etag"
# A name that says that a state is expected.
_ALONE: Final = Words(
    r"_?(?:base|basis|based?[-_ ]?(?:on|at)|made[-_ ]?(?:from|of|on)|expect(?:s|ed|ation)?|known|seen|read"
    r"|prev(?:ious)?|since|old|last[-_ ]?(?:known|seen|read)?|from|current|was|before|if)"
)


class Behind(Frozen, frozen=True):
    """A look that showed what an own write before it had replaced.

    Attributes:
        write: the own write.
        look: the one after it, from which the next write has its version.
        version: that the look shows.
        member: of the look that has it.
        made: the version that the write had been told, "" where it was told none.
        later: a look afterwards that shows another version; None without one.
    """

    write: Step
    look: Step
    version: str
    member: str
    made: str
    later: Step | None

    @property
    def cached(self) -> bool:
        """Tell whether a cache gave the look: by its marks, or as nothing behind it saw the request."""
        look = self.look
        return look.cache_hit or look.age > 0 or (look.covered and not look.hops)

    @property
    def asked_past(self) -> bool:
        """Tell whether the later look asked past caches."""
        later = self.later
        return later is not None and asks_past(later.sent)


class _Named(Frozen, frozen=True):
    """A value of a request under its name, with what the request calls the thing that it belongs to."""

    name: str
    value: str
    keys: frozenset[str]
    row: Row
    versioned: bool

    @property
    def nameless(self) -> bool:
        """Tell whether the name only says that a state is expected, as `based_on` and `basis` do."""
        return _ALONE.fullmatch(self.name) is not None or (
            not telling_words(self.name) and EXPECTS.search(self.name) is not None
        )

    def as_well(self, name: str, value: str = "") -> bool:
        """Tell whether a member of another message is named as this value, or both are versions.

        Where the name tells nothing of what is expected, the same value does.
        """
        if self.nameless and value == self.value and any(map(str.isdigit, value)):
            return end_of(name) not in self.row
        return alike(end_of(name), self.name) or (self.versioned and called_version(end_of(name)))


def look_behind(case: Case, step: Step) -> Behind | None:
    """Return the old look that a write which came to nothing took its version from.

    Args:
        case: everything known.
        step: a write that was refused, or left something undone.
    """
    own = [
        one
        for one in case.steps[max(0, step.order - _NEAR) : step.order]
        if one.actor == step.actor and one.content is not None and len(one.content) <= _LONGEST
    ]
    reports = {id(one.seen.account_at) for one in case.steps[max(0, step.order - _NEAR) : step.order]}
    looks = [one for one in own if _shows(one) and id(one) not in reports]
    if not looks or len(own) == len(looks) == 0:
        return None
    for named in _versions_of(step):
        found = _behind(case, step, named, looks)
        if found is not None:
            return found
    return None


def stood_still(case: Case, step: Step) -> Behind | None:
    """Return the old look of a write whose answer tells no other version than the own write before had made.

    A write that is carried out moves the version on, whatever words its answer has. Of a refusal by another
    status than usual the answer tells that version, too.

    Args:
        case: everything known.
        step: a write.
    """
    if not (step.status in _DONE or step.status in _TURNED_DOWN or step.seen.account_at is not None):
        return None
    guard, tag = step.guard, step.header("etag")
    if guard is not None and tag is not None and tag not in guard.tokens:
        # It made a version of its own.
        return None
    rows, text = sent_rows(step)[:_MOST], account_in(step)
    named = [(name, value) for row in rows for name, value in row.items() if _states(name, value)]
    if not named or not 0 < len(text) <= _LONGEST:
        return None
    found = look_behind(case, step)
    if found is None or not found.made or not as_word(found.made, text):
        return None
    if step.status in _TURNED_DOWN:
        return found
    told = [
        value
        for _, entry in told_rows(step)
        for name, value in _values(entry).items()
        if value and (called_version(end_of(name)) or end_of(name) == found.member)
    ]
    return found if found.made in told and not _kept(case, step, found) else None


def _states(name: str, value: str) -> bool:
    """Tell whether a member of a row says which version it is made from."""
    last = end_of(name)
    return any(map(str.isdigit, value)) and (
        called_version(last) or EXPECTS.search(last) is not None or _ALONE.fullmatch(last) is not None
    )


def _kept(case: Case, step: Step, found: Behind) -> bool:
    """Tell whether a later look, or its own answer, shows what a write has anew: then it was carried out.

    What has nothing anew cannot be told from what was carried out.
    """
    old = set(_flat_of(found.look)) | set(_flat_of(found.write))
    old |= {(end_of(name), value) for row in sent_rows(found.write) for name, value in row.items()}
    new = {
        (end_of(name), value)
        for row in sent_rows(step)[:_MOST]
        for name, value in row.items()
        if value and (end_of(name), value) not in old and not _states(name, value)
    }
    if new <= set(_flat_of(step)):
        return True
    later = case.steps[step.order + 1 : step.order + _NEAR]
    return any(_shows(one) and new & set(_flat_of(one)) for one in later if one.actor == step.actor)


def _flat_of(one: Step) -> Iterator[tuple[str, str]]:
    text = one.view.text
    entries = (*entries_in(text), whole_of(text)) if 0 < len(text) <= _LONGEST else ()
    for entry in entries:
        yield from ((end_of(name), value) for name, value in _values(entry).items())


def _values(entry: Entry) -> Row:
    """Return what an entry holds, of a line also the pairs in it: `issue=17`."""
    if not all(name.isdigit() for name in entry.values):
        return entry.values
    return entry.values | {name: value.rstrip(".") for name, value in _PAIR.findall(entry.text)}


def told_behind(found: Behind, cause: str) -> Iterator[tuple[str, float, Step]]:
    """Yield the sentences by which an old look tells of a cache, or of a replica.

    Args:
        found: the look.
        cause: id of the root cause.
    """
    look, write, later = found.look, found.write, found.later
    old = f"the look after an own write still showed {found.version}"
    gave = f"{old}, which that write had replaced{f' by {found.made}' if found.made else ''}"
    if found.cached or (look.lifetime and (found.asked_past or later is None)):
        if cause != "stale-cache-read":
            return
        yield gave, 3.5, look
        if found.cached:
            yield "marks in the answer say that a cache gave it", 3.0, look
        else:
            yield "that answer may be kept by caches", 1.5, look
        if look.age > look.start - write.end and look.timed:
            yield f"its copy was {look.age} s old: older than the write", 2.0, look
        if later is not None and found.asked_past:
            yield "a read past the caches shows another version", 2.0, later
    elif cause == "replica-lag" and look.start - write.end <= _SOON:
        yield gave, 4.5, look
        if not (look.lifetime or look.cache_told):
            yield "nothing in that answer speaks of a cache", 1.5, look
        if look.machine and write.machine and look.machine != write.machine:
            yield f"{write.machine} took the write, {look.machine} answered the read", 2.0, look
        if later is not None:
            yield "a later read shows another version: reads converge", 1.5, later


def _shows(one: Step) -> bool:
    return one.is_read and one.status == HTTPStatus.OK and bool(one.view.text)


def _versions_of(step: Step) -> Iterator[_Named]:
    """Yield what a write may say of the version that it is made from, for each row that came to nothing."""
    rows = sent_rows(step)
    lefts = {one.number for one in left_undone(step)} if not step.refused else set[int]()
    around, guard = _names_in_path(step), step.guard
    compared = end_of(guard.name) if guard is not None else ""
    sent_as = versions_in(guard)
    for number, row in enumerate(rows):
        if (lefts and number not in lefts) or number >= _MOST:
            continue
        others = {value for other in rows if not _one_row(row, other) for value in other.values()}
        mine = [(name, value) for name, value in row.items() if value and len(value) <= _LONGEST]
        for name, value in mine:
            keys = {one for other, one in mine if other != name and _names(other, one) and one not in others}
            keys |= around if len(rows) == 1 else set()
            versioned = guard is not None and guard.value.strip() == value and compared == end_of(name)
            if sent_as and value not in sent_as and len(rows) == 1:
                # Which version it is made from is known: other members are its content.
                continue
            yield _Named(end_of(name), value, frozenset(keys), row, versioned)
    if guard is not None and guard.carrier not in IN_CONTENT and len(guard.tokens) == 1:
        yield _Named(guard.name, tokens.opaque(guard.tokens[0]), around, {}, versioned=True)


def _one_row(one: Row, two: Row) -> bool:
    """Tell whether two rows are one, read with more and with less of what lies around it."""
    first, second = set(one.values()), set(two.values())
    return first <= second or second <= first


def _names(name: str, value: str) -> bool:
    """Tell whether a value may name a thing."""
    return len(value) >= _NAME and " " not in value and not called_version(end_of(name))


def _names_in_path(step: Step) -> frozenset[str]:
    """Return what the path of a write calls the thing that it is about."""
    parts = {
        unquote(one)
        for one in path_of(step.resource.partition("?")[0]).split("/")[1:]
        if any(map(str.isdigit, one)) and len(one) >= _NAME
    }
    if step.method in {"PUT", "PATCH", "DELETE"} and len(own_name(step)) >= _NAME:
        parts.add(own_name(step))
    return frozenset(parts | set(step.view.query.values()))


def _behind(case: Case, step: Step, named: _Named, looks: Sequence[Step]) -> Behind | None:
    """Return the last look at the thing before a write, where it shows what an own write had replaced."""
    for look in reversed(looks):
        shown = _shown_of(look, named)
        if shown is None:
            continue
        member, value, key = shown
        if value != named.value:
            return None
        for write in reversed(case.steps[max(0, look.order - _NEAR) : look.order]):
            if write.actor != step.actor or not _carried_out(case, write, look) or not _about(write, key):
                continue
            made = _made(write, member, named, key)
            if made == value:
                return None
            spent = _spent(write, member, named)
            known = spent or (made and tokens.steps_on(value, made) > 0) or _seen(looks, write, named)
            if not known or not (made or (spent and called_version(member))):
                return None
            later = _later(case, step, named)
            if not made and later is None:
                return None
            return Behind(write, look, value, member, made, later)
        return None
    return None


def _shown_of(look: Step, named: _Named) -> tuple[str, str, str] | None:
    """Return the member of a look that is named as a value of a request, its value, and the thing's name."""
    place = unquote(f"{look.exchange.request.url} {look.view.sent_text}")
    here = {key for key in named.keys if as_word(key, place)}
    entries, alone = _rows_of(look)
    records: list[Row] = []
    key = ""
    if here:
        key = max(sorted(here), key=len)
        mine = [one for one in entries if key in one.values()]
        records = mine or [alone]
    else:
        for one in named.keys:
            about = [entry for entry in entries if one in entry.values()]
            if len(about) == 1 and (len(entries) > 1 or _identifies(one, named, about[0])):
                key, records = one, about
                break
            if not about and one in alone.values() and _identifies(one, named, alone):
                key, records = one, [alone]
                break
    for record in records:
        for name, value in record.items():
            if value and value not in named.keys and named.as_well(name, value):
                return end_of(name), value, key
    if named.nameless and records:
        # What it shows of the thing is not what was sent.
        return "", "", key
    tag = look.header("etag")
    if here and tag is not None and (named.versioned or called_version(named.name)):
        return _TAG, tokens.opaque(tag), key
    return None


def _rows_of(look: Step) -> tuple[Sequence[Row], Row]:
    """Return what the entries of an answer hold, and what it holds as one."""
    kept = look.view.kept
    if "rows shown" not in kept:
        text = look.view.text
        kept["rows shown"] = ([_values(one) for one in entries_in(text)], _values(whole_of(text)))
    return cast("tuple[Sequence[Row], Row]", kept["rows shown"])


def _identifies(key: str, named: _Named, record: Row) -> bool:
    """Tell whether a value is what its request and an answer call the thing by."""
    theirs = [end_of(name) for name, value in record.items() if value == key]
    first = next(iter(named.row.values()), "") == key
    return any(_ID.search(name) for name in theirs) or first


def _carried_out(case: Case, write: Step, look: Step) -> bool:
    """Tell whether a write was certainly carried out before a look began."""
    if not write.is_write or not write.accepted or not look.follows(write) or not decide(write).whole:
        return False
    if write.status != _TAKEN_IN:
        return write.status in _DONE
    report = write.seen.account_at
    between = case.steps[write.order + 1 : look.order]
    return report is not None and any(one.resource == report.resource for one in between)


def _about(write: Step, key: str) -> bool:
    """Tell whether a write was about the thing that a look shows."""
    if not key:
        return False
    return as_word(key, unquote(path_of(write.resource))) or any(
        key in row.values() for row in sent_rows(write)[:_MOST]
    )


def _rows_about(write: Step, key: str) -> list[int]:
    rows = sent_rows(write)
    return [number for number, row in enumerate(rows) if key in row.values() or len(rows) == 1]


def _spent(write: Step, member: str, named: _Named) -> bool:
    """Tell whether a write was itself made from the version that the look shows."""
    if write.presents(named.value):
        return True
    return any(
        value == named.value and (alike(end_of(name), member) or end_of(name) == named.name)
        for row in sent_rows(write)
        for name, value in row.items()
    )


def _made(write: Step, member: str, named: _Named, key: str) -> str:
    """Return the version that a write was told to have made of a thing, "" where it was told none."""
    if write.header("etag") and member == _TAG:
        return tokens.opaque(write.header("etag") or "")
    places = _rows_about(write, key)
    records = [_values(entry) for number, entry in told_rows(write) if number in places]
    if len(sent_rows(write)) <= 1 or not records:
        records += [_values(whole_of(account_in(write)))] if account_in(write) else []
    told = [
        value
        for record in records
        for name, value in record.items()
        if value and (end_of(name) == member or alike(end_of(name), member) or named.as_well(name))
    ]
    # Some answers repeat the version that they were sent beside the new one.
    return next((one for one in told if one != named.value), next(iter(told), ""))


def _seen(looks: Sequence[Step], write: Step, named: _Named) -> bool:
    """Tell whether the version had been there before a write."""
    before = [one for one in looks if one.order < write.order]
    return any((shown := _shown_of(one, named)) is not None and shown[1] == named.value for one in before)


def _later(case: Case, step: Step, named: _Named) -> Step | None:
    """Return a look after a write that shows another version of the thing."""
    for one in case.steps[step.order + 1 : step.order + _NEAR]:
        if one.actor != step.actor:
            continue
        if one.is_write and one.accepted and decide(one).whole:
            return None
        if _shows(one) and one is not step.seen.account_at:
            shown = _shown_of(one, named)
            if shown is not None and shown[1] != named.value:
                return one
    return None
