"""Take a bulk change apart: a list of records, and what is known of the outcome of each; pure.

A list is known to be one by what its answer tells of each record, by a path that says so where no answer
came, or by what had been read: each record names a thing that reads know, and has a version beside it.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote, urlsplit, urlunsplit

from ifmatch.dialects.glossary import Words
from ifmatch.dialects.pointers import scalar
from ifmatch.dialects.rows import rows_sent, rows_told
from ifmatch.dialects.words import VERSION
from ifmatch.model.json_values import elements_in, members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ifmatch.dialects.view import View

__all__ = [
    "Item",
    "items_in",
    "named_records",
    "status_in",
    "takes_many",
    "version_in",
    "versioned_names",
]

Record = dict[str, object]
_MOST: Final = 200
_FAILED: Final = 400
_SILENT: Final = 500
_MULTI: Final = 207
_OUTCOMES: Final = frozenset({200, 202, 207})
# Members by which records are told apart, the usual ones first.
_IDS: Final = ("id", "_id", "ID", "Id", "uid", "uuid", "guid", "key", "itemId", "item_id", "sku", "name")
# By these, too, where the things that were read are called so.
_READ_BY: Final = (*_IDS, "slug", "code", "number")
_NAMES: Final = Words(
    r"_?(?:\w+[-_])?(?:id|uid|uuid|guid|key|slug|code|number|no|nr|num|sku|ref|reference|isbn|ean|serial|tag_?no)"
    r"|\w*[a-z](?:Id|ID|Key|No|Nr|Number|Code|Ref)"
)
_STATUSES: Final = (
    "status",
    "statusCode",
    "status_code",
    "httpStatus",
    "http_status",
    "httpStatusCode",
    "httpCode",
    "responseCode",
    "code",
)
_FLAGS: Final = ("ok", "success", "successful", "succeeded", "updated", "applied", "saved")
_FAULTS: Final = ("error", "errors", "exception", "problem", "fault", "failure")
# Where an answer keeps the record that an outcome is about, and an outcome beside it.
_INNER: Final = ("item", "data", "resource", "record", "result", "response", "error")
# Where a record of a bulk change keeps what it changes, beside its name and its version.
_CHANGES: Final = frozenset(
    {"set", "patch", "changes", "change", "fields", "values", "data", "attributes", "update", "body"}
    | {"record", "item", "entity", "document", "doc", "resource", "object", "content", "payload", "state"}
    | {"row", "entry", "value", "new", "dto", "model"}
)
_VERBS: Final = ("op", "operation", "action", "method", "verb")
_ACTIONS: Final = {
    "put": "PUT",
    "replace": "PUT",
    "set": "PUT",
    "delete": "DELETE",
    "remove": "DELETE",
    "create": "POST",
    "add": "POST",
}
_FAILURES: Final = Words(
    r"(?:.*_)?(?:fail(?:ed|ures)?|errors?|conflicts?|conflicted|rejected|refused|stale|outdated|skipped|ignored"
    r"|existing|duplicates?|kept|left_?(?:out|over|alone)|declined|discarded|dropped|omitted"
    r"|(?:not|un)_?(?:updated|applied|saved|inserted|created|imported|changed|written|stored|accepted))"
    r"(?:_?(?:items|records|ids))?"
)
_OVER_VERSION: Final = Words(
    r"version|revision|e-?tag|pre-?condition|conflict|stale|modified|outdated|concurren|mismatch"
    r"|already[ _-](?:exists?|present|there|taken|in[ _-]use|used|known|stored)|duplicate|exists already"
)
# What a version is called by where it is no member of the record itself.
_EXPECTED: Final = Words(
    r"if[-_ ]?(?:match|unchanged|state|still|at)|(?:expect(?:ed|s)?|basis|base|based[-_ ]?on|known|seen)"
    r"(?:[-_ ]?(?:state|value|mark|token|tag|at|no|nr|number))?"
)
# The last part of a path that says how many are changed, not what.
_BULK: Final = late_pattern(r"(?i:bulk|batch|multi|\bmass|(?<![a-z])many|_all$)|Many")
# The last part of a path that takes what was changed elsewhere, and is no folder of things.
_TAKES: Final = late_pattern(
    r"(?i:push|sync|flush|ingest|import|upload|apply|commit|outbox|changes|changeset|deltas?|mutations|edits|ops)"
)
_SAVE: Final = late_pattern(r"update|save|sync|upsert", re.IGNORECASE)


class Item(Frozen, frozen=True):
    """One record of a bulk change.

    Attributes:
        name: what tells it from the others.
        url: of the thing that it changes.
        method: that would do the same to the thing by itself.
        record: what it changes, with its version.
        status: of its own, as the answer gives it or says it in words; 0 when there was no answer.
        answer: what the answer says of it; None when it says nothing.
    """

    name: str
    url: str
    method: str
    record: Record
    status: int
    answer: Record | None


class _Outcome(Frozen, frozen=True):
    status: int
    answer: Record | None
    plain: bool = False


class _Bulk(Frozen, frozen=True):
    """A bulk change: what names its records, those by name, their outcomes, and how and where they change."""

    member: str
    records: dict[str, Record]
    outcomes: dict[str, _Outcome]
    method: str
    place: str = ""


def items_in(view: View, places: Mapping[str, str]) -> tuple[Item, ...]:
    """Return the records of a bulk change; empty for all else.

    Args:
        view: the exchange.
        places: paths of the folders in which things had been read, by the last part of the things' paths.
    """
    bulk = _by_answer(view) or _by_reads(view, places)
    return tuple(_item(view, bulk, name, places.get(name, "")) for name in bulk.records) if bulk else ()


def named_records(value: object, known: Mapping[str, object]) -> tuple[str, dict[str, Record]] | None:
    """Return the one list of records that a content is or holds, by name, and the member that names them.

    Args:
        value: a JSON value.
        known: names of things, of which one at least must be among them.
    """
    found = _named_lists(value, _read_by(value)) if _of_one_list(value) else ()
    return next(((member, named) for member, named in found if not known.keys().isdisjoint(named)), None)


def versioned_names(value: object) -> list[str]:
    """Return the names of the records of the one list that a content is or holds, if all have a version.

    Args:
        value: a JSON value.
    """
    for _, named in _named_lists(value, _read_by(value)) if _of_one_list(value) else ():
        if None not in map(version_in, named.values()):
            return list(named)
    return []


def version_in(record: Record) -> str | None:
    """Return the member of a record that is called like a version, None without one.

    Args:
        record: of a list.
    """
    for name, value in record.items():
        if VERSION.search(name) and scalar(value) and not isinstance(value, bool):
            return name
    for name, value in record.items():
        text = None if isinstance(value, bool) else scalar(value)
        if text and any(map(str.isdigit, text)) and _EXPECTED.fullmatch(name):
            return name
    return None


def takes_many(url: str) -> bool:
    """Tell whether a path says by itself that many things are changed there.

    Args:
        url: of a request.
    """
    return _BULK.search(_last(url.partition("?")[0])) is not None


def _read_by(value: object) -> tuple[str, ...]:
    """Return the members by which the records of a content may be told apart, the usual ones first."""
    first = next((records[0] for records in _lists(value)), cast("Record", {}))
    return (*_READ_BY, *(one for one in first if one not in _READ_BY and _NAMES.fullmatch(one)))


def _by_answer(view: View) -> _Bulk | None:
    """Return the bulk change whose answer tells what became of each record, or whose path alone says so."""
    sent = rows_sent(view)
    for member, named in itertools.chain(_named_lists(sent, _IDS), _maps(view, sent)):
        outcomes = _told(view, member, named) or _untold(view, named)
        if outcomes:
            method = view.request.method if view.request.method != "POST" else "PATCH"
            return _Bulk(member, named, outcomes, method)
    return None


def _by_reads(view: View, places: Mapping[str, str]) -> _Bulk | None:
    """Return the accepted bulk change of things that were read, each with a version beside its name."""
    found = named_records(rows_sent(view), places) if 200 <= view.status < 300 else None
    if found is None or None in map(version_in, found[1].values()):
        return None
    member, named = found
    place = next(places[name] for name in named if name in places)
    if not (_below(view, place) or _beside(view, place)):
        return None
    shown = named_records(rows_told(view), named)
    answers = shown[1] if shown is not None else {}
    outcomes = {name: _shown(view, answers.get(name)) for name in named}
    # A bulk change says nothing of the members that it leaves out.
    return _Bulk(member, named, outcomes, "PATCH", place)


def _told(view: View, member: str, named: dict[str, Record]) -> dict[str, _Outcome]:
    """Return the outcomes that the answer tells, one of which is a failure, or all by name and status."""
    told = rows_told(view)
    alone = _of_one_list(rows_sent(view)) and _of_one_list(told)
    for tells in (_by_list, _by_object, _by_failures):
        found = tells(told, member, named)
        failed = view.status in _OUTCOMES and any(one.status >= _FAILED for one in found.values())
        if failed or (found and alone and all(one.plain for one in found.values())):
            return found
    return {}


def _of_one_list(value: object) -> bool:
    """Tell whether a content is a list, or holds just one."""
    held = list(members_in(value).values()) or [value]
    return sum(isinstance(one, list) and one != [] for one in held) == 1


def _untold(view: View, named: dict[str, Record]) -> dict[str, _Outcome]:
    """Return no outcome for each record where the path alone says that many are changed."""
    silent = not view.status or view.status >= _SILENT
    return dict.fromkeys(named, _Outcome(0, None)) if silent and _BULK.search(_last(view.path)) else {}


def _shown(view: View, answer: Record | None) -> _Outcome:
    """Return the outcome of a record whose answer shows it again, or says nothing of it."""
    told = (status_in(answer) if answer is not None else None) or view.status
    return _Outcome(200 if told == _MULTI else told, answer)


def _item(view: View, bulk: _Bulk, name: str, folder: str) -> Item:
    record, outcome, place = bulk.records[name], bulk.outcomes[name], bulk.place or folder
    change = _change(record, bulk.member)
    said = next((one for key in _VERBS if (one := scalar(record.get(key))) is not None), "")
    method = _ACTIONS.get(said.lower(), bulk.method if change is record else "PATCH")
    parts = urlsplit(view.request.url)
    near = _below(view, place) or (bulk.place != "" and _beside(view, place))
    near = near or (place != "" and _TAKES.fullmatch(_last(view.path)) is not None)
    path = f"{place}/{quote(name, safe='')}" if near else _path_of(parts.path, name)
    url = urlunsplit(parts._replace(path=path, query=""))
    return Item(name, url, method, change, outcome.status, outcome.answer)


def _change(record: Record, member: str) -> Record:
    """Return what a record changes, with its version: some put the changes into a member of their own.

    What names the record, and what is done to it, then belongs to the list as much as the member does.
    """
    version = version_in(record)
    rest = [name for name in record if name not in {member, version, *_VERBS}]
    inner = members_in(record[rest[0]]) if len(rest) == 1 and rest[0].lower() in _CHANGES else {}
    if not inner:
        return record
    return inner if version is None else {**inner, version: record[version]}


def _below(view: View, place: str) -> bool:
    path = urlsplit(view.request.url).path
    return bool(place) and (path == place or path.startswith(f"{place}/"))


def _beside(view: View, place: str) -> bool:
    """Tell whether a path that takes many changes lies beside the list of what it changes."""
    above, _, last = urlsplit(view.request.url).path.rstrip("/").rpartition("/")
    return bool(place) and above == place.rpartition("/")[0] and _BULK.search(last) is not None


def _path_of(path: str, name: str) -> str:
    """Return the path of one record, from the path that took the bulk change."""
    if name.startswith("/"):
        return name
    last = _last(path)
    many = not last.rpartition(":")[0] and (_BULK.search(last) or _SAVE.fullmatch(last))
    base = path.rstrip("/").rpartition("/")[0] if many else path.rstrip("/").partition(":")[0]
    return f"{base}/{quote(name, safe='')}"


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _lists(value: object) -> Iterator[list[Record]]:
    """Yield the lists of records at the top of a content and one level below."""
    held = [value, *members_in(value).values()]
    for one in held:
        records = elements_in(one)[:_MOST]
        if records and all(isinstance(record, dict) for record in records):
            yield [members_in(record) for record in records]


def _named_lists(value: object, members: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Record]]]:
    """Yield the lists of records by name, for each member by which all are told apart."""
    for records in _lists(value):
        for member in members:
            named = {name: one for one in records if (name := scalar(one.get(member))) is not None}
            if len(named) == len(records):
                yield member, named


def _maps(view: View, sent: object) -> Iterator[tuple[str, dict[str, Record]]]:
    """Yield the object that a request holds its records in by their names, where the answer does so too."""
    for value in members_in(sent).values():
        named = {name: record for name, one in members_in(value).items() if (record := members_in(one))}
        if (
            named
            and len(named) == len(members_in(value))
            and all(any(map(str.isdigit, name)) for name in named)
        ):
            told = (members_in(one) for one in (view.json, *members_in(view.json).values()))
            if any(named.keys() == one.keys() for one in told):
                yield "", named


def _by_list(answer: object, member: str, named: dict[str, Record]) -> dict[str, _Outcome]:
    """Return the outcomes that one list of the answer gives all records, by name or in their order."""
    for outcomes in _lists(answer):
        told = {_told_name(one, member): one for one in outcomes}
        if set(named) <= set(told):
            pairs = [(name, told[name]) for name in named]
        elif set(told) == {None} and len(outcomes) == len(named):
            pairs = list(zip(named, outcomes, strict=True))
        else:
            continue
        if found := _all_of(pairs):
            return found
    return {}


def _by_object(answer: object, member: str, named: dict[str, Record]) -> dict[str, _Outcome]:
    """Return the outcomes that one object of the answer gives all records, each under its name."""
    for members in (members_in(answer), *map(members_in, members_in(answer).values())):
        pairs = [(name, members_in(members.get(name))) for name in named]
        if not member:
            # What is shown again, and tells of no fault, was done.
            pairs = [
                (name, one if status_in(one) is not None or not one else {**one, "ok": True})
                for name, one in pairs
            ]
        if found := _all_of(pairs):
            return found
    return {}


def _by_failures(answer: object, member: str, named: dict[str, Record]) -> dict[str, _Outcome]:
    """Return the outcomes where the answer lists only those that failed, under a name that says so."""
    for word, value in members_in(answer).items():
        failed = _by_name(value, member) if value and _FAILURES.fullmatch(word) else {}
        if failed and set(failed) <= set(named):
            return {
                name: _failure(word, failed[name]) if name in failed else _Outcome(200, None)
                for name in named
            }
    return {}


def _failure(word: str, told: Record) -> _Outcome:
    return _Outcome(status_in(told) or _in_words({word: None, **told}), told)


def _all_of(pairs: list[tuple[str, Record]]) -> dict[str, _Outcome]:
    """Return the outcomes by name when each says how it went, none otherwise."""
    found = {
        name: _Outcome(status, one, plain=one.get("status") == status and name in map(scalar, one.values()))
        for name, one in pairs
        if (status := status_in(one)) is not None
    }
    return found if len(found) == len(pairs) else {}


def _told_name(outcome: Record, member: str) -> str | None:
    """Return which record an outcome names, at its top or in the record that it holds."""
    for place in (outcome, *(members_in(outcome.get(one)) for one in _INNER)):
        for key in (member, *_IDS):
            if (name := scalar(place.get(key))) is not None:
                return name
    return None


def status_in(outcome: Record) -> int | None:
    """Return the status of an outcome: a number, a flag, or the error that it holds; None when it is none.

    Args:
        outcome: what an answer tells of one record.
    """
    for place in (outcome, *(members_in(outcome.get(one)) for one in _INNER)):
        for name in _STATUSES:
            text = (scalar(place.get(name)) or "")[:3]
            if text.isdigit() and 200 <= int(text) <= 599:
                return int(text)
    flag = next((value for name in _FLAGS if isinstance(value := outcome.get(name), bool)), None)
    fault = next((value for name in _FAULTS if (value := outcome.get(name))), None)
    if flag is None and fault is None:
        return None
    if flag is True and fault is None:
        return 200
    return _in_words(outcome)


def _in_words(outcome: object) -> int:
    return 409 if _OVER_VERSION.search(json.dumps(outcome)) else 422


def _by_name(value: object, member: str) -> dict[str, Record]:
    """Return failed records by name, from a list of them, of their names, or an object by name."""
    if isinstance(value, dict):
        return {
            name: members_in(one) or {"message": one}
            for name, one in members_in(cast("object", value)).items()
        }
    found: dict[str, Record] = {}
    for one in cast("list[object]", value) if isinstance(value, list) else ():
        record = members_in(one)
        name = _told_name(record, member) if record else scalar(one)
        if name is None:
            return {}
        found[name] = record
    return found
