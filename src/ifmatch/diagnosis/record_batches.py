"""Take a bulk change apart: one request with a list of records, each with its id and a version."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote, unquote, urlsplit

from ifmatch.diagnosis.message_members import Member
from ifmatch.diagnosis.resources import resource_key
from ifmatch.diagnosis.steps import Step
from ifmatch.diagnosis.version_words import speaks_of_versions
from ifmatch.dialects.pointers import scalar
from ifmatch.model.message import Content, Fields, Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Record = dict[str, object]
_CARRYING: Final = frozenset({"POST", "PUT", "PATCH"})
_IDS: Final = ("id", "_id", "uid", "uuid", "key", "name", "slug", "code", "number")
_CHANGES: Final = frozenset(
    {"set", "patch", "changes", "change", "fields", "values", "data", "attributes", "update"}
)
_MOST: Final = 200
_MULTI: Final = 207


def records_in(service: Sequence[Step]) -> dict[Step, list[Step]]:
    """Return a step for each record of the bulk changes of a service, and of the lists that had shown them.

    A bulk change names things that reads know by themselves, each with a version beside it, under a path
    below that of the things.

    Args:
        service: steps of one service, in order of time.
    """
    found: dict[Step, list[Step]] = {}
    known: dict[str, str] = {}
    things: dict[str, str] = {}
    for step in service:
        if step.is_read and step.status == 200:
            place, _, name = urlsplit(step.exchange.request.url).path.rstrip("/").rpartition("/")
            known.setdefault(unquote(name), place)
        elif step.method in _CARRYING and 200 <= step.status < 300:
            parts = list(_parts(step, known))
            if parts:
                found[step] = parts
                step.batched = True
                things |= {one.resource: unquote(one.resource.rpartition("/")[2]) for one in parts}
    for step in service if things else ():
        entries = list(_entries(step, things)) if step.is_read and step.status == 200 else []
        if entries:
            found[step] = entries
    return found


def wraps(step: Step) -> bool:
    """Tell whether a bulk change puts what it changes into a member of each record.

    Args:
        step: any step.
    """
    sent = _listed(step.view.sent_json)
    return sent is not None and all(
        any(name.lower() in _CHANGES and isinstance(value, dict) for name, value in one.items())
        for one in sent[0]
    )


def _listed(value: object) -> tuple[list[Record], str] | None:
    """Return the one list of named records that a content is or holds, and the member that names them."""
    held = list(cast("Record", value).values()) if isinstance(value, dict) else [value]
    lists = [cast("list[object]", one) for one in held if isinstance(one, list)]
    if len(lists) != 1:
        return None
    elements = lists[0][:_MOST]
    records = [cast("Record", one) for one in elements if isinstance(one, dict)]
    if len(records) != len(elements) or not records:
        return None
    for member in _IDS:
        names = {scalar(one.get(member)) for one in records}
        if None not in names and len(names) == len(records):
            return records, member
    return None


def _version(record: Record) -> str | None:
    """Return the member of a record that is called like a version."""
    for name, value in record.items():
        text = scalar(value)
        if text and not isinstance(value, bool) and speaks_of_versions(Member("body", name, name, text)):
            return name
    return None


def _parts(step: Step, known: dict[str, str]) -> Iterator[Step]:
    sent = _listed(step.view.sent_json)
    if sent is None or any(_version(one) is None for one in sent[0]):
        return
    records, member = sent
    path = urlsplit(step.exchange.request.url).path
    place = next(
        (there for one in records if (there := known.get(scalar(one[member]) or "")) is not None), None
    )
    if place is None or not (path == place or path.startswith(f"{place}/")):
        return
    shown = _listed(step.view.json)
    answers = {scalar(one.get(member)): one for one in shown[0]} if shown is not None else {}
    for record in records:
        name = scalar(record[member]) or ""
        yield _one(step, place, name, _change(record, member), answers.get(name))


def _change(record: Record, member: str) -> Record:
    """Return what a record changes, with its version: some put the changes into a member of their own."""
    version = _version(record) or ""
    rest = {name: one for name, one in record.items() if name not in {member, version}}
    if len(rest) == 1 and next(iter(rest)).lower() in _CHANGES:
        inner = next(iter(rest.values()))
        rest = cast("Record", inner) if isinstance(inner, dict) else rest
    return {**rest, version: record[version]}


def _one(step: Step, place: str, name: str, change: Record, answer: Record | None) -> Step:
    parts = urlsplit(step.exchange.request.url)
    url = f"{parts.scheme}://{parts.netloc}{place}/{quote(name, safe='')}"
    told = scalar((answer or {}).get("status")) or ""
    status = int(told) if told.isdigit() and 100 <= int(told) <= 599 else step.status
    fields = Fields([pair for pair in step.sent if not pair[0].lower().startswith("content-")])
    # A bulk change says nothing of the members that it leaves out.
    request = Request("PATCH", url, fields, Content.from_text(json.dumps(change)))
    content = Content.from_text(json.dumps(answer)) if answer is not None else None
    response = Response(200 if status == _MULTI else status, content=content)
    return _within(step, request, response)


def _entries(step: Step, things: dict[str, str]) -> Iterator[Step]:
    """Yield a read of each thing of a bulk change that a list shows with its version."""
    listed = _listed(step.view.json)
    if listed is None:
        return
    records, member = listed
    here = step.resource.partition("?")[0].rstrip("/")
    for record in records:
        name = scalar(record[member]) or ""
        key = next(
            (key for key, one in things.items() if one == name and key.rpartition("/")[0] == here), None
        )
        if key is None or _version(record) is None:
            continue
        request = Request("GET", key, step.sent)
        yield _within(step, request, Response(200, content=Content.from_text(json.dumps(record))))


def _within(step: Step, request: Request, response: Response) -> Step:
    exchange = replace(step.exchange, request=request, response=response)
    one = Step(exchange, source=step.source, start=step.start, end=step.end, timed=step.timed)
    one.vantage, one.node, one.covered = step.vantage, step.node, step.covered
    one.resource = resource_key(request.url)
    one.within = step
    return one
