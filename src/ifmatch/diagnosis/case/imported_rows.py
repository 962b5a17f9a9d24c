"""Take the import of a table as a write on the one row that was left as it was, or put back.

Who sends many rows back, each with the version that it was exported with, is told in the answer or in a
report which of them were not taken, by the names in their rows.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.case.rows_put_back import PutBack, address_of, put_back
from ifmatch.diagnosis.links.versions_beside import names_two
from ifmatch.diagnosis.reading.listed_records import records_in
from ifmatch.diagnosis.steps.refusal_words import turned_down
from ifmatch.diagnosis.steps.resources import by_service
from ifmatch.model.json_values import members_in
from ifmatch.model.message import Content
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
_LONGEST: Final = 200_000
_DEEP: Final = 4
_MOST: Final = 500
# One row is no import, and as many reports are looked at.
_LEAST: Final = 2
_REPORTS: Final = 12

Record = dict[str, str]


class _Left(Frozen, frozen=True):
    """A row that was left as it was: its name, the column of it, the row as sent, and what is told of it."""

    name: str
    column: str
    row: Record
    told: dict[str, object]
    report: Step


def take_rows(steps: Sequence[Step]) -> None:
    """Narrow imports, and what shows the table, to the row that a report says was not taken.

    Args:
        steps: of a case, in order of time, nothing read from them yet.
    """
    for service in by_service(steps):
        reads = [place for place, one in enumerate(service) if one.method == "GET" and one.status == _OK]
        for place, step in enumerate(service):
            rows = _sent_rows(step)
            left = _left(service, place, rows, reads) if rows else None
            if left is not None:
                _narrow(service, step, left)
            elif rows and (stored := put_back(service, place, rows)) is not None:
                _narrow_stored(service, step, stored)


def _sent_rows(step: Step) -> tuple[Record, ...]:
    if not (step.is_write and 200 <= step.status < 300 and step.seen.outdated is None):
        return ()
    text = step.view.sent_text
    rows = records_in(text) if 0 < len(text) <= _LONGEST else ()
    return rows if len(rows) >= _LEAST and len({frozenset(row) for row in rows}) == 1 else ()


def _left(service: Sequence[Step], place: int, rows: Sequence[Record], reads: Sequence[int]) -> _Left | None:
    """Return the first row that an answer or a later look names as not taken.

    Args:
        service: its steps, in order of time.
        place: of the import among them.
        rows: that it sends.
        reads: places of the answered looks.
    """
    step = service[place]
    columns = [name for name in rows[0] if len({row[name] for row in rows}) == len(rows)]
    named = {(row[name]): (name, row) for name in reversed(columns[:_LEAST]) for row in rows if row[name]}
    turn = bisect_left(reads, place)
    earlier = (service[number] for number in reversed(reads[:turn]))
    shown = any(_row_in(one, columns, named.keys(), rows[0]) for one in earlier)
    looks = [service[number] for number in reads[turn : turn + _REPORTS]]
    for report in (step, *looks) if shown else ():
        if report is not step and _row_in(report, columns, named.keys(), rows[0]):
            continue
        for within, told in _told(report.view.json if report.content is not None else None, "", 0):
            names = [str(one) for one in told.values() if str(one) in named]
            if len(set(names)) == 1:
                column, row = named[names[0]]
                left = _Left(names[0], column, row, told, report)
                if _over_version(service, place, left, within):
                    return left
    return None


def _over_version(service: Sequence[Step], place: int, left: _Left, within: str) -> bool:
    """Tell whether a row was left because the one that is there had changed since it was exported.

    What is wrong with a row by itself leaves all as it was, and a row without a change has nothing to take.
    """
    told = {name: one for name, one in left.told.items() if str(one) != left.name}
    text = json.dumps(told, ensure_ascii=False)
    # The word for a list says it of all in it, and a word of the row of itself.
    said = turned_down(within) or any(turned_down(str(one)) for one in told.values())
    values = [value for name, value in left.row.items() if name != left.column]
    two = names_two(values, text)
    before = [one for step in service[:place] if (one := _shown_row(step, left)) is not None]
    after = [one for step in service[place + 1 :] if (one := _shown_row(step, left)) is not None]
    if not before or not (said or two):
        return False
    edits = {name for name in left.row.keys() & before[-1].keys() if left.row[name] != before[-1][name]}
    if not edits:
        return False
    if not after:
        return two and said
    untaken = any(after[0].get(name) == before[-1][name] != left.row[name] for name in edits)
    return untaken and (two or after[0] != before[-1])


def _shown_row(step: Step, left: _Left) -> Record | None:
    return _row_in(step, [left.column], {left.name}, left.row) if step is not left.report else None


def _told(value: object, within: str, depth: int) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the records of a report, each with the name of the list that it stands in."""
    if depth > _DEEP:
        return
    if isinstance(value, list):
        for one in cast("list[object]", value)[:_MOST]:
            if isinstance(one, str | int) and within:
                yield within, {"name": str(one)}
            else:
                yield from _told(one, within, depth + 1)
    elif isinstance(value, dict):
        record = members_in(cast("object", value))
        if depth and any(not isinstance(one, dict | list) for one in record.values()):
            yield within, record
        for name, one in record.items():
            if isinstance(one, dict | list):
                yield from _told(cast("object", one), name, depth + 1)


def _row_in(step: Step, columns: Sequence[str], names: object, like: Record) -> Record | None:
    """Return a row of the table in an answer that is one of some by its name, None without one."""
    content = step.content
    if step.method != "GET" or step.status != _OK or content is None or len(content) > _LONGEST:
        return None
    known = cast("set[str]", names)
    for row in records_in(content.text):
        whole = 2 * len(row.keys() & like.keys()) > len(like)
        if whole and any(row.get(column) in known for column in columns):
            return row
    return None


def _narrow(service: Sequence[Step], write: Step, left: _Left) -> None:
    """Let a write, the other writes of the same rows, and the looks at the table be about one row."""
    reads = [(one, row) for one in service if (row := _shown_row(one, left)) is not None]
    key = f"{reads[0][0].resource}#{left.name}"
    for one, row in reads:
        _show(one, row)
        one.resource = key
    for one in service:
        rows = _sent_rows(one) if one is not write else ()
        same = next((row for row in rows if row.get(left.column) == left.name), None)
        if same is not None:
            _send(one, same)
            one.resource = key
    _send(write, left.row)
    _show(write, left.told)
    write.resource, write.seen.outdated = key, left.report
    if left.report is not write:
        write.seen.report = left.report


def _narrow_stored(service: Sequence[Step], write: Step, stored: PutBack) -> None:
    """Let an import, and the looks at the table, be about the one row that it put back."""
    key = address_of(service, write, stored.name)
    for one in service:
        if one.source != write.source:
            continue
        row = _row_in(one, [stored.column], {stored.name}, stored.row)
        if row is not None:
            _show(one, row)
            key = key or f"{one.resource}#{stored.name}"
            one.resource = key
    _send(write, stored.row)
    write.resource = key


def _send(step: Step, row: Record) -> None:
    whole, content = step.exchange.request.content, Content.from_json(row)
    step.exchange = replace(step.exchange, request=replace(step.exchange.request, content=content))
    # What went on unchanged is about the row as well.
    step.hops = [
        replace(hop, request=replace(hop.request, content=content)) if hop.request.content == whole else hop
        for hop in step.hops
    ]
    _forget(step)


def _show(step: Step, told: dict[str, object] | Record) -> None:
    response = step.exchange.response
    if response is not None:
        step.exchange = replace(step.exchange, response=replace(response, content=Content.from_json(told)))
        _forget(step)


def _forget(step: Step) -> None:
    step.reading = None
    for name in ("view", "content"):
        step.__dict__.pop(name, None)
    step.forget()
