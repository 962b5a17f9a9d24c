"""Take a bulk change apart: a list of records, and an answer with an outcome of its own for each; pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote, urlsplit, urlunsplit

from ifmatch.dialects.pointers import scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.dialects.view import View

__all__ = ["Item", "items_in", "target_of"]

_FAILED: Final = 400
_OUTCOMES: Final = frozenset({200, 202, 207})
# Members by which records are told apart, the usual ones first.
_IDS: Final = ("id", "_id", "ID", "Id", "uid", "uuid", "guid", "key", "itemId", "item_id", "sku", "name")
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
_FAILURES: Final = re.compile(
    r"(?:.*_)?(?:fail(?:ed|ures)?|errors?|conflicts?|conflicted|rejected|refused|stale|outdated|not_?(?:updated|applied|saved))"
    r"(?:_?(?:items|records|ids))?",
    re.IGNORECASE,
)
_OVER_VERSION: Final = re.compile(
    r"version|revision|e-?tag|pre-?condition|conflict|stale|modified|outdated|concurren|mismatch",
    re.IGNORECASE,
)
# The last part of a path that says how many are changed, not what.
_BULK: Final = re.compile(r"[_:]?(?:bulk|batch|mass|multi)[\w-]*|update|save|sync|upsert", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Item:
    """One record of a bulk change.

    Attributes:
        name: what tells it from the others.
        record: as sent.
        status: of its own, as the answer gives it or says it in words.
        answer: what the answer says of it; None when it says nothing.
    """

    name: str
    record: dict[str, object]
    status: int
    answer: dict[str, object] | None


def items_in(view: View) -> tuple[Item, ...]:
    """Return the records of a bulk change of which at least one failed by itself; empty for all else.

    Args:
        view: the exchange.
    """
    if view.status not in _OUTCOMES:
        return ()
    for sent in _lists(view.sent_json):
        names = [_name(record) for record in sent]
        if not sent or None in names or len(set(names)) < len(names):
            continue
        named = dict(zip(cast("list[str]", names), sent, strict=True))
        found = _each(view.json, named) or _failed_ones(view.json, named)
        if found and any(one.status >= _FAILED for one in found):
            return found
    return ()


def target_of(url: str, name: str) -> str:
    """Return the URL of one record, from the URL that took the bulk change.

    Args:
        url: of the bulk change.
        name: of the record.
    """
    parts = urlsplit(url)
    if name.startswith("/"):
        return urlunsplit(parts._replace(path=name, query=""))
    folder, _, last = parts.path.rstrip("/").rpartition("/")
    base = folder if _BULK.fullmatch(last) else parts.path.rstrip("/").partition(":")[0]
    return urlunsplit(parts._replace(path=f"{base}/{quote(name, safe='')}", query=""))


def _table(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _lists(value: object) -> Iterator[list[dict[str, object]]]:
    """Yield the lists of records at the top of a content and one level below."""
    held = [value, *_table(value).values()]
    for one in held:
        records = cast("list[object]", one) if isinstance(one, list) else []
        if records and all(isinstance(record, dict) for record in records):
            yield [_table(record) for record in records]


def _name(record: dict[str, object]) -> str | None:
    return next((text for one in _IDS if (text := scalar(record.get(one))) is not None), None)


def _each(answer: object, named: dict[str, dict[str, object]]) -> tuple[Item, ...]:
    """Return the records with the outcomes that one list of the answer, or one object by name, gives all."""
    for outcomes in _lists(answer):
        told = {_told_name(one): one for one in outcomes}
        if set(named) <= set(told):
            pairs = [(name, told[name]) for name in named]
        elif set(told) == {None} and len(outcomes) == len(named):
            pairs = list(zip(named, outcomes, strict=True))
        else:
            continue
        found = [(name, one, _status(one)) for name, one in pairs]
        if all(status is not None for _, _, status in found):
            return tuple(Item(name, named[name], status or 0, one) for name, one, status in found)
    for members in (_table(answer), *(_table(one) for one in _table(answer).values())):
        found = [(name, _table(members.get(name)), _status(_table(members.get(name)))) for name in named]
        if all(status is not None for _, _, status in found):
            return tuple(Item(name, named[name], status or 0, one) for name, one, status in found)
    return ()


def _told_name(outcome: dict[str, object]) -> str | None:
    """Return which record an outcome names, at its top or in the record that it holds."""
    for place in (outcome, *(_table(outcome.get(one)) for one in _INNER)):
        if (name := _name(place)) is not None:
            return name
    return None


def _status(outcome: dict[str, object]) -> int | None:
    """Return the status of an outcome: a number, a flag, or the error that it holds; None when it is none."""
    for place in (outcome, *(_table(outcome.get(one)) for one in _INNER)):
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


def _failed_ones(answer: object, named: dict[str, dict[str, object]]) -> tuple[Item, ...]:
    """Return the records where the answer lists only those that failed, under a name that says so."""
    for name, value in _table(answer).items():
        if not value or not _FAILURES.fullmatch(name):
            continue
        failed = _by_name(value)
        if failed and set(failed) <= set(named):
            words = {name: None}
            return tuple(
                Item(
                    one,
                    record,
                    (_status(failed[one]) or _in_words({**words, **failed[one]})) if one in failed else 200,
                    failed.get(one),
                )
                for one, record in named.items()
            )
    return ()


def _by_name(value: object) -> dict[str, dict[str, object]]:
    """Return failed records by name, from a list of them, of their names, or an object by name."""
    if isinstance(value, dict):
        return {name: _table(one) or {"message": one} for name, one in _table(cast("object", value)).items()}
    found: dict[str, dict[str, object]] = {}
    for one in cast("list[object]", value) if isinstance(value, list) else ():
        record = _table(one)
        name = _told_name(record) if record else scalar(one)
        if name is None:
            return {}
        found[name] = record
    return found
