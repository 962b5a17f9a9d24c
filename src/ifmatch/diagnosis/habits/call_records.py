"""Learn from the records in the answers of calls which thing a call is about, and what lists show of it.

Where one address takes all calls, a call names its thing by a value that an answer has in a record with a
version: as the argument of a mutation, the parameter of a method, an element.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Final, cast

from msgspec.structs import replace as with_

from ifmatch.diagnosis.links.operations import changes, operation, reads
from ifmatch.diagnosis.links.steps_inside import step_inside
from ifmatch.diagnosis.reading.listed_records import records_in
from ifmatch.diagnosis.reading.soap_bodies import operation_in
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content, Request, Response
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.dialects import Dialect

_OK: Final = 200
_DEEP: Final = 8
_MOST: Final = 400
_LONGEST: Final = 200_000
_SHORT: Final = 60
# The members of the envelope itself number and name the call, not the thing.
_WITHIN: Final = 2
_OF_CALLS: Final = frozenset({"/jsonrpc", "/id", "/method"})
# Members that name a record.
_NAMES: Final = Words(
    r"_?(?:\w+[-_])?(?:id|uid|uuid|guid|key|slug|code|number|no|nr|sku|ref)"
    r"|\w*[a-z](?:Id|ID|Key|No|Nr|Number|Code)"
)
# The arguments that a text of GraphQL has in itself.
_ARGUMENT: Final = late_pattern(r"(?<![\w$])([A-Za-z_]\w*)\s*:\s*(?:\"([^\"\\]{1,60})\"|(\d{1,15})(?![\w.]))")
_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"

Record = dict[str, object]


class Held(Frozen, frozen=True):
    """A record with a version in an answer: by which names, how deep, and the whole of it."""

    names: frozenset[str]
    depth: int
    record: Record


def calls(dialect: Dialect) -> bool:
    """Tell whether a family has one address for all, and says in the content what is meant.

    Args:
        dialect: of a service.
    """
    return bool(dialect.identity and dialect.reads_content)


def take_reads(service: Sequence[Step]) -> None:
    """Take an operation for a read that no word tells, by what it sends and what it is answered.

    It sends no version, as another operation does, and its answers show records with versions and more than
    was sent.

    Args:
        service: its steps, their dialects and whether they read set.
    """
    calls_by: dict[str, list[Step]] = {}
    for step in service:
        # What changes by its name counts as PATCH by now: it tells who sends versions all the same.
        if step.exchange.request.method == "POST" and not step.reads and (name := operation(step)):
            calls_by.setdefault(name, []).append(step)
    sending = {name for name, steps in calls_by.items() if any(map(_sends_version, steps))}
    for name, steps in calls_by.items():
        told = reads(name) and all(_lists_records(one) or _answers_more(one) for one in steps)
        shows = told or (sending and all(map(_shows_more, steps)))
        if name not in sending and not changes(name) and shows:
            for step in steps:
                step.reads = True
                step.forget()


def _sends_version(step: Step) -> bool:
    return any(called_version(one.word) for one in sent(step) if one.where in {"body", "text"})


def _shows_more(step: Step) -> bool:
    """Tell whether an answer has a record with a version, and more members than the request has values."""
    if step.status != _OK or step.negative:
        return False
    asked = [one for one in sent(step) if one.where in {"body", "text"} and one.name not in _OF_CALLS]
    return any(len(held.record) > len(asked) + 1 for held in _records(step))


def _answers_more(step: Step) -> bool:
    """Tell whether an answer repeats what a call asks with, with more members than that."""
    asked = {one.value for one in sent(step) if one.where in {"body", "text"} and one.name not in _OF_CALLS}
    told = {one.word: one.value for one in shown(step) if one.name not in _OF_CALLS}
    return (
        step.status == _OK and not step.negative and len(told) > len(asked) and bool(asked & {*told.values()})
    )


def _lists_records(step: Step) -> bool:
    """Tell whether an answer is a list of several records, as one of what had changed is."""
    return step.status == _OK and not step.negative and len(records_in(step.view.text)) > 1


def named_by_records(service: Sequence[Step], dialect: Dialect) -> Dialect | None:
    """Return a family of calls that knows the places where calls name records that answers had shown.

    Args:
        service: its steps, their dialects and resources set.
        dialect: the family.

    Returns:
        The family with these places, what lies deeper in the answers first; None when there are none.
    """
    if not calls(dialect):
        return None
    known: dict[str, int] = {}
    places: dict[str, int] = {}
    for step in service[:_MOST]:
        if step.is_write and "#" not in step.resource:
            found = [(known[value], place) for place, value in _arguments(step) if value in known]
            if found:
                depth, place = max(found)
                places[place] = max(depth, places.get(place, 0))
        elif step.is_read and step.status == _OK:
            for held in _records(step):
                known |= dict.fromkeys(held.names, held.depth)
    if not places:
        return None
    # A read that asks for the thing does so at a place of its own.
    for step in service[:_MOST]:
        if step.is_read and "#" not in step.resource:
            shown = {name for held in _records(step) if held.depth <= _WITHIN for name in held.names}
            for place, value in _arguments(step):
                if value in shown:
                    places.setdefault(place, 0)
    ordered = sorted(places, key=lambda one: -places[one])
    return with_(dialect, identity=(*ordered, *dialect.identity))


def _arguments(step: Step) -> Iterator[tuple[str, str]]:
    """Yield the values of a call with the places where a family finds them."""
    query = ""
    for one in sent(step):
        if called_version(one.word) or len(one.value) > _SHORT:
            continue
        if one.where == "body" and one.name.count("/") >= _WITHIN:
            yield one.name, one.value
        elif one.where == "text":
            yield f"text:{one.name}", one.value
    body = step.view.sent_json
    if isinstance(body, dict):
        held = cast("Record", body).get("query")
        query = held if isinstance(held, str) else ""
    for name, text, number in _ARGUMENT.findall(query):
        if not called_version(name):
            place = rf"text:(?<![\w$]){re.escape(name)}\s*:\s*(?:\\\")?([\w.:/-]+)"
            yield place, text or number


def _records(step: Step) -> Iterator[Held]:
    """Yield the records with versions that an answer holds."""
    content = step.content
    if content is None or len(content) > _LONGEST:
        return
    told = step.view.json
    value = told if type(told) in {dict, list} else operation_in(content)
    yield from _within(value, 0)


def records_shown(step: Step) -> list[Held]:
    """Return the records with versions that an answer holds, with their names.

    Args:
        step: any step.
    """
    return list(_records(step))


def _within(value: object, depth: int) -> Iterator[Held]:
    if depth > _DEEP:
        return
    if isinstance(value, list):
        for one in cast("list[object]", value)[:_MOST]:
            yield from _within(one, depth)
    elif isinstance(value, dict):
        record = cast("Record", value)
        single = {name: str(one) for name, one in record.items() if _single(one)}
        names = {one for name, one in single.items() if _NAMES.fullmatch(name)} or _first(single)
        if names and any(called_version(name) for name in single):
            yield Held(frozenset(names), depth, record)
        for one in record.values():
            yield from _within(one, depth + 1)


def _first(single: dict[str, str]) -> set[str]:
    """Return the first text or number of a record that is no version: many a record begins with its name."""
    return next(({one} for name, one in single.items() if not called_version(name)), set[str]())


def _single(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and 0 < len(str(value)) <= _SHORT


def shown_by_calls(service: Sequence[Step], dialect: Dialect) -> dict[Step, list[Step]]:
    """Return for each answer to a call the steps that stand for the records in it which other calls write.

    Args:
        service: its steps, their dialects and resources set.
        dialect: the family.
    """
    written = {step.resource for step in service if step.is_write and "#" in step.resource}
    alone = {step.resource: step for step in service if step.is_read and step.resource in written}
    found: dict[Step, list[Step]] = {}
    for step in service if written else ():
        if not step.is_read or step.status != _OK or step.within is not None:
            continue
        whole = step.resource.partition("#")[0]
        inside: dict[str, list[Held]] = {}
        for held in _records(step):
            for name in held.names:
                key = f"{whole}#{name}"
                if key in written and key != step.resource:
                    inside.setdefault(key, []).append(held)
        shown = [
            _step(step, key, held[0].record, dialect, part=key in alone)
            for key, held in inside.items()
            if len(held) == 1
        ]
        if shown:
            found[step] = shown
    return found


def _step(step: Step, key: str, record: Record, dialect: Dialect, *, part: bool) -> Step:
    """Return a step that shows a record by itself; its version alone where another read shows all of it."""
    sent_there = step.exchange.request
    request = Request("HEAD" if part else "GET", sent_there.url, sent_there.fields)
    fields = step.received
    response = Response(_OK, content=_wrapped(record, step, dialect))
    if fields is not None:
        response = replace(response, fields=fields)
    one = step_inside(step, request, response, key)
    one.dialect = step.dialect
    return one


def _wrapped(record: Record, step: Step, dialect: Dialect) -> Content:
    """Return a content that has a record where the family has the record that was asked for."""
    if not isinstance(step.view.json, dict | list):
        leaves = "".join(
            f"<{name}>{escape(str(one), quote=False)}</{name}>"
            for name, one in record.items()
            if _single(one)
        )
        text = f'<s:Envelope xmlns:s="{_SOAP}"><s:Body><Shown>{leaves}</Shown></s:Body></s:Envelope>'
        return Content.from_text(text)
    depths = [place.shown.strip("/").split("/") for place in dialect.states if place.shown]
    shortest = min(depths, key=len) if depths else []
    value: object = record
    for name in reversed(shortest):
        value = {"shown" if name == "*" else name: value}
    return Content.from_json(value)
