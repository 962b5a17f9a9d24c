"""Read what became of a write that was only taken in from the report about it that is looked at later.

The answer to such a write is a ticket: its status says nothing of the outcome. What a job's own page, a list
of jobs or a log says of that ticket later is the answer that counts.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from ifmatch.diagnosis.aftermath.attempts_listed import attempts_in, made_nothing, names_later, tells_undone
from ifmatch.diagnosis.aftermath.held_up import says_held
from ifmatch.diagnosis.aftermath.ticket_reports import JOURNAL, TELLING, Report, Ticket, names, own_page
from ifmatch.diagnosis.aftermath.told_of_tokens import has_verdict, over_its_version
from ifmatch.diagnosis.aftermath.told_undone import came_to_nothing, outrun
from ifmatch.diagnosis.links.own_marks import called_in_fields
from ifmatch.diagnosis.links.versions_beside import names_later_than_sent
from ifmatch.diagnosis.reading.listed_records import records_in
from ifmatch.diagnosis.steps.message_members import members, sent, shown
from ifmatch.diagnosis.steps.refusal_words import WAITING, outdated, says_undone, turned_down
from ifmatch.diagnosis.steps.resources import bare, host_of
from ifmatch.dialects.batches import may_hold_parts
from ifmatch.dialects.glossary import Words
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content
from ifmatch.model.places import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
_TAKEN_IN: Final = 202
_DONE: Final = frozenset({200, 201})
_LONGEST: Final = 200_000
# Answers that only take something in are short.
_TICKET: Final = 2000
# One that says no more than that nothing was done is shorter.
_SHORT: Final = 200
# So many requests before and after a write have names of their own.
_NEAR: Final = 60
# So many tickets are open at a time, and an answer has so many values that may be one.
_OPEN: Final = 60
_VALUES: Final = 12
_SHORTEST: Final = 3
_IN_JSON: Final = frozenset({"body"})
_NAMESPACE: Final = "xmlns"
# What clients call a number of their own for a request by.
_CALLED: Final = Words(
    r"idempoten|nonce|client[-_ ]?(?:id|ref|token|no|key)"
    r"|(?:command|request|message|mutation|operation|transaction|job|batch|change)"
    r"[-_ ]?(?:id|no|key|ref|token)"
)
# A list of those that were not taken, with something in it.
_SOME: Final = Words(
    r"[\"'](?:skipped|rejected|failed|failures?|refused|ignored|conflicts?|conflicted|existing|duplicates?|declined"
    r"|discarded|dropped|omitted|errors?|stale|outdated|kept|left_?(?:out|over|alone)"
    r"|(?:not|un)_?(?:inserted|created|imported|changed|written|stored|updated|saved|applied|accepted))[\"']"
    r"\s*:\s*[\[{]\s*[^\s\]}]"
)
# How long operations end that met another state: an error with a status or a code of its own.
_FAULT: Final = late_pattern(
    r"\"error\"\s*:\s*\{(?=[\s\S]{0,600}(?:\"(?:http\w*)?(?:status|code)\w*\"\s*:\s*\"?(?:409|412)\b"
    r"|condition_?not_?met|precondition_?failed|failed_?precondition|etag_?mismatch|version_?mismatch"
    r"|\"(?:code|status|reason)\"\s*:\s*\"(?:aborted|conflict)\"))",
    re.IGNORECASE,
)
# Fields that name the place where the outcome will be told.
_PLACES: Final = ("location", "operation-location", "azure-asyncoperation", "content-location")
# What fields of a service's own begin with.
_PRIVATE: Final = late_pattern(r"^x-", re.IGNORECASE)
# What stands between the columns of a line.
_COLUMNS: Final = late_pattern(r"\s*[,;|\t]\s*|\s{2,}")


@dataclass(frozen=True, slots=True)
class _Service:
    """What is sent to one host.

    Attributes:
        steps: in order of time.
        places: of each of them.
        waiting: tickets of writes whose outcome was not told yet.
        silent: accounts that tell nothing, with their write and whether the same was refused before.
    """

    steps: list[Step] = field(default_factory=list["Step"])
    places: dict[Step, int] = field(default_factory=dict["Step", int])
    waiting: list[Ticket] = field(default_factory=list[Ticket])
    silent: set[tuple[Step, bool, str]] = field(default_factory=set["tuple[Step, bool, str]"])


def take_reports(steps: Sequence[Step]) -> None:
    """Give writes that were only taken in, and came to nothing, the answer that tells so.

    Args:
        steps: of a case, in order of time, nothing read from them yet.
    """
    services: dict[str, _Service] = {}
    for step in steps:
        service = services.setdefault(host_of(step.exchange.request.url), _Service())
        service.places[step] = len(service.steps)
        service.steps.append(step)
    for step in steps:
        service = services[host_of(step.exchange.request.url)]
        if step.is_write:
            if tickets := list(_all_tickets(step, service.steps, service.places[step])):
                service.waiting.extend(tickets)
                del service.waiting[:-_OPEN]
        elif service.waiting and step.method == "GET" and step.status == _OK:
            _read(step, service)


def _read(step: Step, service: _Service) -> None:
    """Take what a look tells of the writes that wait for their outcome."""
    content = step.content
    if content is None or len(content) > _LONGEST:
        return
    report = Report(step, content.text, service.waiting)
    for one in report.tickets:
        if account := _account_of(report, one):
            one.step.seen.account_at, one.step.seen.account = step, account
    told = {
        one.step: content
        for one in report.tickets
        if (content := _reported(report, one, service)) is not None
    }
    for write, content in told.items():
        _answer(write, content, step)
    if told:
        service.silent.clear()
        service.waiting[:] = [one for one in service.waiting if one.step not in told]


def _all_tickets(step: Step, service: Sequence[Step], place: int) -> Iterator[Ticket]:
    """Yield what a report may call a write by.

    Its answer promises an outcome; or it says no more than that nothing was changed, and leaves open why.
    """
    if _taken_in(step):
        yield from _tickets(step)
        yield from _given(step, service, place)
        yield from _journals(step)
    elif step.status in _DONE and 0 < len(step.view.text) <= _SHORT and _leaves_open(step):
        yield from _given(step, service, place)


def _leaves_open(step: Step) -> bool:
    """Tell whether an answer says that nothing was done, and not why."""
    return says_undone(step.view.text) or any(
        turned_down(one.value) for one in shown(step) if one.where != "header"
    )


def _taken_in(step: Step) -> bool:
    """Tell whether an answer promises an outcome: by 202 (RFC 9110 section 15.3.3), or by its words."""
    if step.status == _TAKEN_IN:
        return True
    text = step.view.text
    return (
        step.status in _DONE
        and 0 < len(text) <= _TICKET
        and (WAITING.search(text) is not None or gives_only_a_name(step))
    )


def gives_only_a_name(step: Step, inside: frozenset[str] = _IN_JSON) -> bool:
    """Tell whether an answer to a change has one value with digits, and none of what was sent.

    Args:
        step: the change.
        inside: the places where values are looked for.
    """
    if step.header("etag") is not None:
        # It shows a state, no ticket.
        return False
    told = [one for one in shown(step) if one.where in inside and "://" not in one.value]
    if any(one.name == "/jsonrpc" for one in told):
        # Of the call, not of what is called.
        told = [one for one in told if one.name not in {"/id", "/jsonrpc"}]
    given = [one for one in told if any(map(str.isdigit, one.value))]
    mine = {one.word for one in sent(step) if one.where in inside and one.word != _NAMESPACE}
    told = [one for one in told if one.word != _NAMESPACE]
    words = {one.word for one in (told if len(inside) > 1 else shown(step))}
    return len(given) == 1 and len(mine) > 1 and mine.isdisjoint(words)


def _given(step: Step, service: Sequence[Step], place: int) -> Iterator[Ticket]:
    """Yield what a client itself calls its write by: attempts at it have it, and the answer has it too."""
    told = {one.value: one.word for one in shown(step)}
    here = step.exchange.request.url
    near = service[max(0, place - _NEAR) : place + _NEAR]
    for mark in called_in_fields(step):
        if not any(_bears(other, mark.value) and not _tries(other, step) for other in near):
            yield Ticket(mark.word, mark.value, step)
    for one in sent(step):
        # A name with a sign or a digit in it is no word.
        mixed = any(map(str.isalpha, one.value)) and not one.value.isalpha()
        if not mixed or " " in one.value or len(one.value) < _SHORTEST or one.value in here:
            continue
        named = one.value in told or (_CALLED.search(one.name) and len(one.value) >= TELLING - 1)
        if not named or any(
            one.value in other.exchange.request.url for other in near if other.order < step.order
        ):
            continue
        if not any(_carries(other, one.value) and not _tries(other, step) for other in near):
            yield Ticket(told.get(one.value, one.word), one.value, step)


def _bears(step: Step, value: str) -> bool:
    # What the field is called tells nothing more: the value names one request.
    return any(value in held for _, held in step.sent)


def _tries(other: Step, step: Step) -> bool:
    """Tell whether a request is the same as another, or that very one."""
    return (
        other.method == step.method
        and other.exchange.request.url == step.exchange.request.url
        and other.view.sent_text == step.view.sent_text
    )


def _carries(step: Step, value: str) -> bool:
    return step.is_write and any(one.value == value for one in sent(step))


def _tickets(step: Step) -> Iterator[Ticket]:
    """Yield what an answer gives that the request has not: values with digits, and places."""
    here = step.exchange.request.url
    for name in _PLACES:
        place = step.header(name)
        if place and joined(here, place).rstrip("/") != here.rstrip("/"):
            yield Ticket("", joined(here, place), step)
    known = {one.value for one in sent(step)} | set(urlsplit(here).path.split("/"))
    found = [one for one in shown(step) if one.where != "header" and one.value not in known]
    for one in found[:_VALUES]:
        if "/" in one.value and " " not in one.value:
            yield Ticket("", joined(here, one.value), step)
            if any(map(str.isdigit, one.value)) and one.value[0] != "/" and ":" not in one.value:
                # A name in several parts, which is told below another place.
                yield Ticket(one.word, one.value, step)
        elif any(map(str.isdigit, one.value)) and " " not in one.value:
            yield Ticket(one.word, one.value, step)
    for one in shown(step)[:_VALUES]:
        if one.where == "header" and one.value not in known and any(map(str.isdigit, one.value)):
            yield Ticket(_PRIVATE.sub("", one.word), one.value, step, page=True)


def _reported(report: Report, ticket: Ticket, service: _Service) -> Content | None:
    """Return what a report says of a write that came to nothing, None when it says nothing of the kind."""
    value = report.value
    if value is None and ticket.word == JOURNAL:
        return None
    if value is None and report.lines is None:
        told = _in_lines(report, ticket) or _in_table(report, ticket, service)
        told = told or _in_elements(report, ticket)
        return told or _in_other_words(report, ticket, service)
    about = report.entries(ticket) if ticket.word == JOURNAL else report.records(ticket)
    if not about and isinstance(value, dict) and own_page(report.step, ticket):
        about = [cast("dict[str, object]", value)]
    if not about:
        return None
    # What is told last is how it ended.
    about = [*about[:-1], *attempts_in(about[-1])]
    text = json.dumps(about[-1], ensure_ascii=False)
    again = _said_before(service, ticket.step) and has_verdict(about[-1])
    account = (ticket.step, again, text)
    if len(about) == 1 and account in service.silent:
        return None
    found = _in_records(report.step, ticket.step, service, about, text, again=again)
    if found is None and len(about) == 1:
        # A list of all that was taken in tells the same again and again.
        service.silent.add(account)
    return found


def _in_records(
    report: Step, write: Step, service: _Service, about: list[dict[str, object]], text: str, *, again: bool
) -> Content | None:
    """Return what records about a write say of it, the last of which is a text as well."""
    sure = write.status == _TAKEN_IN or WAITING.search(write.view.text) is not None
    if sure and (again or over_its_version(write, about[-1])):
        return _joined(write, about[-1], report)
    # Of many records some may have been left as they were.
    some = may_hold_parts(write.exchange.request) and _SOME.search(text) is not None
    if len(about) == 1 and (some or (sure and _came_to_nothing(text))):
        return _joined(write, about[0])
    place = service.places[write]
    undone = tells_undone(about[-1]) or made_nothing(about)
    if undone and _over_version(service.steps, place, text, report):
        return _joined(write, about[-1], report)
    if came_to_nothing(service.steps, place, text, report) is not None:
        return _joined(write, about[-1])
    return None


def _said_before(service: _Service, write: Step) -> bool:
    """Tell whether the very same request was told before to be not carried out over its version."""
    place = service.places[write]
    return any(
        one.seen.outdated is not None
        and one.exchange.request.url == write.exchange.request.url
        and one.sent.text("if-match") == write.sent.text("if-match")
        and one.view.sent_text == write.view.sent_text
        for one in service.steps[max(0, place - _OPEN) : place]
    )


def _over_version(service: Sequence[Step], place: int, said: str, report: Step) -> bool:
    """Tell whether what was not carried out was not for its version: what is told, or shown next, says so."""
    if names_later(service[place], said):
        return True
    return names_later_than_sent(service[place], said) or outdated(said) or outrun(service, place, report)


def _in_table(report: Report, ticket: Ticket, service: _Service) -> Content | None:
    """Return the row of a table, or of a list in XML, that tells that a write came to nothing."""
    text = report.step.view.text
    if ticket.value not in text:
        return None
    rows = [
        row
        for row in records_in(text)
        if any(names(word.rpartition("/")[2], one, ticket) for word, one in row.items())
    ]
    record: dict[str, object] = dict(rows[-1]) if rows else {}
    if record and ticket.telling and over_its_version(ticket.step, record):
        return _joined(ticket.step, record, report.step)
    if not record or not (tells_undone(record) or made_nothing(rows)):
        return None
    place = service.places[ticket.step]
    over = _over_version(service.steps, place, json.dumps(record), report.step)
    return _joined(ticket.step, record, report.step) if over else None


def _in_elements(report: Report, ticket: Ticket) -> Content | None:
    """Return what the page of a ticket tells by elements of a write that came to nothing over its version."""
    if not own_page(report.step, ticket):
        return None
    record: dict[str, object] = {one.word: one.value for one in shown(report.step) if one.where == "text"}
    told = record and over_its_version(ticket.step, record)
    return _joined(ticket.step, record, report.step) if told else None


def _in_other_words(report: Report, ticket: Ticket, service: _Service) -> Content | None:
    """Return the line about a write that came to nothing, as what is shown next tells, whatever it says."""
    lines = [line for line in report.step.view.text.splitlines() if ticket.value in line]
    if not lines or not ticket.telling:
        return None
    said = "\n".join(filter(None, _COLUMNS.split(lines[-1].strip().replace(ticket.value, "\t")))).strip()
    undone = came_to_nothing(service.steps, service.places[ticket.step], said, report.step)
    return Content.from_text(said) if undone is not None else None


def _came_to_nothing(text: str) -> bool:
    """Tell whether what is told of a write says that it was not carried out, or who stood in its way."""
    return says_undone(text) or (
        len(text) <= _TICKET and (says_held(text) or _FAULT.search(text) is not None)
    )


def _journals(step: Step) -> Iterator[Ticket]:
    """Yield the place below which a journal may tell of a write by its time."""
    if step.timed:
        yield Ticket(JOURNAL, bare(step.exchange.request.url) + "/", step)


def _account_of(report: Report, ticket: Ticket) -> str:
    """Return what a page tells of a write that was taken in, whatever that is: all, a record, some lines."""
    value = report.value
    if own_page(report.step, ticket) or any(
        names(word, one, ticket) for word, one in members_in(value).items()
    ):
        return report.text
    if value is not None:
        about = report.records(ticket)
        return json.dumps(about[0], ensure_ascii=False) if len(about) == 1 else ""
    if not ticket.telling or ticket.value not in report.text:
        return ""
    bounded = re.compile(rf"(?<![\w-]){re.escape(ticket.value)}(?![\w-])")
    return "\n".join(line for line in report.text.splitlines() if bounded.search(line))


def _in_lines(report: Report, ticket: Ticket) -> Content | None:
    """Return the one line that tells that a write came to nothing, without its ticket; each column a line."""
    text = report.text
    if not ticket.telling or ticket.value not in text:
        return None
    bounded = re.compile(rf"(?<![\w-]){re.escape(ticket.value)}(?![\w-])")
    lines = [line for line in text.splitlines() if bounded.search(line)]
    if not lines:
        return None
    last = lines[-1].strip()
    record = members_in(Content.from_text(last).json()) if last.startswith("{") else {}
    if record:
        return _joined(ticket.step, record) if _came_to_nothing(last) else None
    said = "\n".join(filter(None, _COLUMNS.split(bounded.sub("\t", last))))
    said = said.lstrip(" :-")
    columns: dict[str, object] = {str(number): one for number, one in enumerate(said.split("\n"))}
    if over_its_version(ticket.step, columns):
        return _joined(ticket.step, columns, report.step)
    return Content.from_text(said) if _came_to_nothing(said) else None


def _joined(write: Step, record: dict[str, object], over: Step | None = None) -> Content:
    """Return the answer to a write with what a report says of it; `over`, where it is of its version."""
    write.seen.outdated = write.seen.outdated or over
    before = members_in(write.view.json)
    given = {one.word for one in members(before)} if before else set[str]()
    kept = {name: one for name, one in before.items() if name not in record and name in given}
    # What was promised first is no outcome.
    kept = {name: one for name, one in kept.items() if not WAITING.search(str(one))}
    return Content.from_json({**kept, **record})


def _answer(write: Step, content: Content, report: Step) -> None:
    response = write.exchange.response
    if response is None:
        return
    write.seen.report = report
    write.exchange = replace(write.exchange, response=replace(response, content=content))
    for name in ("view", "content"):
        write.__dict__.pop(name, None)
    write.forget()
