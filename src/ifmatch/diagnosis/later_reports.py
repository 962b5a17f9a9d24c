"""Read what became of a write that was only taken in from the report about it that is looked at later.

The answer to such a write is a ticket: its status says nothing of the outcome. What a job's own page, a list
of jobs or a log says of that ticket later is the answer that counts.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote, urljoin, urlsplit

from ifmatch.diagnosis.attempts_listed import attempts_in, made_nothing, names_later, tells_undone
from ifmatch.diagnosis.dates import told_moment
from ifmatch.diagnosis.held_up import says_held
from ifmatch.diagnosis.listed_records import records_in
from ifmatch.diagnosis.listed_versions import members_in
from ifmatch.diagnosis.message_members import members, sent, shown
from ifmatch.diagnosis.own_marks import called_in_fields
from ifmatch.diagnosis.path_members import of_a_kind
from ifmatch.diagnosis.refusal_words import WAITING, outdated, says_undone, turned_down
from ifmatch.diagnosis.resources import host_of
from ifmatch.diagnosis.told_of_tokens import has_verdict, over_its_version
from ifmatch.diagnosis.told_undone import came_to_nothing, outrun, two_versions
from ifmatch.dialects.batches import may_hold_parts
from ifmatch.dialects.glossary import Words
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.steps import Step

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
_DEEP: Final = 5
_MOST: Final = 2000
# A shorter value is a ticket only under the name that it was given with.
_TELLING: Final = 5
_SHORTEST: Final = 3
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
# Fields that name the place where the outcome will be told.
_PLACES: Final = ("location", "operation-location", "azure-asyncoperation", "content-location")
# What fields of a service's own begin with, and what says of a name that it numbers something.
_PRIVATE: Final = re.compile(r"^x-", re.IGNORECASE)
_NUMBERED: Final = re.compile(
    r"(?i)[-_ ]?(?:id|no|nr|number|key|ref|token|code)$|(?<=[a-z])(?:Id|No|Ref|Key)$"
)
# A page of a ticket has it last in its path, or before what of it is asked for; shorter words are no kinds.
_PAGE: Final = 2
_KIND: Final = 3
# What stands between the columns of a line.
_COLUMNS: Final = re.compile(r"\s*[,;|\t]\s*|\s{2,}")


# A journal's place lies below that of the thing, and is kept under this name for a ticket.
_JOURNAL: Final = "\n"
_CLOCK: Final = re.compile(r"(?<![\d:])([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?![\d:])")
# Seconds between a write and what a journal has of it.
_AT_ONCE: Final = 3.0


@dataclass(frozen=True, slots=True)
class _Ticket:
    """What names a write that was taken in, with the name that it was given under, "" for a place.

    What a field gives names a page alone: `page`.
    """

    word: str
    value: str
    step: Step
    page: bool = False

    @property
    def telling(self) -> bool:
        """Tell whether the value means the write wherever it stands."""
        return not self.page and (len(self.value) >= _TELLING or any(map(str.isalpha, self.value)))


def take_reports(steps: Sequence[Step]) -> None:
    """Give writes that were only taken in, and came to nothing, the answer that tells so.

    Args:
        steps: of a case, in order of time, nothing read from them yet.
    """
    waiting: dict[str, list[_Ticket]] = {}
    services: dict[str, list[Step]] = {}
    places: dict[Step, int] = {}
    for step in steps:
        service = services.setdefault(host_of(step.exchange.request.url), [])
        places[step] = len(service)
        service.append(step)
    for step in steps:
        host = host_of(step.exchange.request.url)
        if step.is_write:
            if tickets := list(_all_tickets(step, services[host], places[step])):
                own = waiting.setdefault(host, [])
                own += tickets
                del own[:-_OPEN]
        elif waiting and step.method == "GET" and step.status == _OK and step.content is not None:
            own = waiting.get(host, [])
            for one in own:
                if account := _account_of(step, one):
                    one.step.accounted_by, one.step.account = step, account
            told = {
                one.step: content
                for one in own
                if (content := _reported(step, one, services[host])) is not None
            }
            for write, content in told.items():
                _answer(write, content, step)
            own[:] = [one for one in own if one.step not in told]


def _all_tickets(step: Step, service: Sequence[Step], place: int) -> Iterator[_Ticket]:
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
        and (WAITING.search(text) is not None or _gives_only_a_name(step))
    )


def _gives_only_a_name(step: Step) -> bool:
    """Tell whether an answer to a change has one value with digits, and none of what was sent."""
    if step.header("etag") is not None:
        # It shows a state, no ticket.
        return False
    given = [one for one in shown(step) if one.where == "body" and any(map(str.isdigit, one.value))]
    mine = {one.word for one in sent(step) if one.where == "body"}
    return len(given) == 1 and len(mine) > 1 and mine.isdisjoint(one.word for one in shown(step))


def _given(step: Step, service: Sequence[Step], place: int) -> Iterator[_Ticket]:
    """Yield what a client itself calls its write by: attempts at it have it, and the answer has it too."""
    told = {one.value: one.word for one in shown(step)}
    here = step.exchange.request.url
    near = service[max(0, place - _NEAR) : place + _NEAR]
    for mark in called_in_fields(step):
        if not any(_bears(other, mark.value) and not _tries(other, step) for other in near):
            yield _Ticket(mark.word, mark.value, step)
    for one in sent(step):
        # A name with a sign or a digit in it is no word.
        mixed = any(map(str.isalpha, one.value)) and not one.value.isalpha()
        if not mixed or " " in one.value or len(one.value) < _SHORTEST or one.value in here:
            continue
        named = one.value in told or (_CALLED.search(one.name) and len(one.value) >= _TELLING - 1)
        if not named or any(
            one.value in other.exchange.request.url for other in near if other.order < step.order
        ):
            continue
        if not any(_carries(other, one.value) and not _tries(other, step) for other in near):
            yield _Ticket(told.get(one.value, one.word), one.value, step)


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


def _tickets(step: Step) -> Iterator[_Ticket]:
    """Yield what an answer gives that the request has not: values with digits, and places."""
    here = step.exchange.request.url
    for name in _PLACES:
        place = step.header(name)
        if place and urljoin(here, place).rstrip("/") != here.rstrip("/"):
            yield _Ticket("", urljoin(here, place), step)
    known = {one.value for one in sent(step)} | set(urlsplit(here).path.split("/"))
    found = [one for one in shown(step) if one.where != "header" and one.value not in known]
    for one in found[:_VALUES]:
        if "/" in one.value and " " not in one.value:
            yield _Ticket("", urljoin(here, one.value), step)
        elif any(map(str.isdigit, one.value)) and " " not in one.value:
            yield _Ticket(one.word, one.value, step)
    for one in shown(step)[:_VALUES]:
        if one.where == "header" and one.value not in known and any(map(str.isdigit, one.value)):
            yield _Ticket(_PRIVATE.sub("", one.word), one.value, step, page=True)


def _reported(report: Step, ticket: _Ticket, service: Sequence[Step]) -> Content | None:
    """Return what a report says of a write that came to nothing, None when it says nothing of the kind."""
    content = report.content
    if content is None or len(content) > _LONGEST:
        return None
    value = report.view.json
    if type(value) not in {dict, list}:
        value = None if ticket.word == _JOURNAL else _lines_of_json(content.text)
    if value is None and ticket.word == _JOURNAL:
        return None
    if value is None:
        told = _in_lines(content.text, ticket) or _in_table(report, ticket, service)
        told = told or _in_elements(report, ticket)
        return told or _in_other_words(report, ticket, service)
    about = _about(value, report, ticket)
    if not about and isinstance(value, dict) and ticket.word != _JOURNAL and _own_page(report, ticket):
        about = [cast("dict[str, object]", value)]
    if not about:
        return None
    # What is told last is how it ended.
    about = [*about[:-1], *attempts_in(about[-1])]
    text = json.dumps(about[-1], ensure_ascii=False)
    sure = ticket.step.status == _TAKEN_IN or WAITING.search(ticket.step.view.text) is not None
    again = _said_before(service, ticket.step) and has_verdict(about[-1])
    if sure and (again or over_its_version(ticket.step, about[-1])):
        return _joined(ticket.step, about[-1], undone=True)
    # Of many records some may have been left as they were.
    some = may_hold_parts(ticket.step.exchange.request) and _SOME.search(text) is not None
    if len(about) == 1 and (some or (sure and _came_to_nothing(text))):
        return _joined(ticket.step, about[0])
    place = service.index(ticket.step)
    undone = tells_undone(about[-1]) or made_nothing(about)
    if undone and _over_version(service, place, text, report):
        return _joined(ticket.step, about[-1], undone=True)
    if came_to_nothing(service, place, text, report):
        return _joined(ticket.step, about[-1])
    return None


def _said_before(service: Sequence[Step], write: Step) -> bool:
    """Tell whether the very same request was told before to be not carried out over its version."""
    place = service.index(write)
    return any(
        one.undone
        and one.exchange.request.url == write.exchange.request.url
        and one.sent.text("if-match") == write.sent.text("if-match")
        and one.view.sent_text == write.view.sent_text
        for one in service[max(0, place - _OPEN) : place]
    )


def _about(value: object, report: Step, ticket: _Ticket) -> list[dict[str, object]]:
    """Return the records of a report that are about a write."""
    if ticket.word != _JOURNAL:
        return list(_records(value, ticket, 0))
    below = report.exchange.request.url.startswith(ticket.value)
    found = list(_in_journal(value, ticket)) if below else []
    return found if len(found) == 1 else []


def _over_version(service: Sequence[Step], place: int, said: str, report: Step) -> bool:
    """Tell whether what was not carried out was not for its version: what is told, or shown next, says so."""
    if names_later(service[place], said):
        return True
    return two_versions(service[place], said) or outdated(said) or outrun(service, place, report)


def _lines_of_json(text: str) -> object | None:
    """Return the objects of a text of which each line is one; None for any other text."""
    lines = [line for line in text.splitlines() if line.strip()][:_MOST]
    found = [members_in(Content.from_text(line).json()) for line in lines if line.lstrip()[:1] == "{"]
    return found if found and len(found) == len(lines) and all(found) else None


def _in_table(report: Step, ticket: _Ticket, service: Sequence[Step]) -> Content | None:
    """Return the row of a table, or of a list in XML, that tells that a write came to nothing."""
    if ticket.value not in report.view.text:
        return None
    rows = [
        row
        for row in records_in(report.view.text)
        if any(_names(word.rpartition("/")[2], one, ticket) for word, one in row.items())
    ]
    record: dict[str, object] = dict(rows[-1]) if rows else {}
    if record and ticket.telling and over_its_version(ticket.step, record):
        return _joined(ticket.step, record, undone=True)
    if not record or not (tells_undone(record) or made_nothing(rows)):
        return None
    over = _over_version(service, service.index(ticket.step), json.dumps(record), report)
    return _joined(ticket.step, record, undone=True) if over else None


def _in_elements(report: Step, ticket: _Ticket) -> Content | None:
    """Return what the page of a ticket tells by elements of a write that came to nothing over its version."""
    if not _own_page(report, ticket):
        return None
    record: dict[str, object] = {one.word: one.value for one in shown(report) if one.where == "text"}
    told = record and over_its_version(ticket.step, record)
    return _joined(ticket.step, record, undone=True) if told else None


def _in_other_words(report: Step, ticket: _Ticket, service: Sequence[Step]) -> Content | None:
    """Return the line about a write that came to nothing, as what is shown next tells, whatever it says."""
    lines = [line for line in report.view.text.splitlines() if ticket.value in line]
    if not lines or not ticket.telling:
        return None
    said = "\n".join(filter(None, _COLUMNS.split(lines[-1].strip().replace(ticket.value, "\t")))).strip()
    place = service.index(ticket.step)
    return Content.from_text(said) if came_to_nothing(service, place, said, report) else None


def _came_to_nothing(text: str) -> bool:
    """Tell whether what is told of a write says that it was not carried out, or who stood in its way."""
    return says_undone(text) or (len(text) <= _TICKET and says_held(text))


def _journals(step: Step) -> Iterator[_Ticket]:
    """Yield the place below which a journal may tell of a write by its time."""
    if step.timed:
        yield _Ticket(_JOURNAL, step.exchange.request.url.partition("?")[0].rstrip("/") + "/", step)


def _in_journal(value: object, ticket: _Ticket) -> Iterator[dict[str, object]]:
    """Yield the entries of a journal that are of the time of a write."""
    lists = [value, *members_in(value).values()]
    for held in lists:
        for one in cast("list[object]", held)[-_MOST:] if isinstance(held, list) else ():
            record = members_in(one)
            texts = [text for text in record.values() if isinstance(text, str)]
            if any(_at_once(text, ticket.step.start_here) for text in texts):
                yield record


def _at_once(text: str, time: float) -> bool:
    """Tell whether a text is the moment of a write, or its time of the day."""
    moment = told_moment(text)
    if moment is not None:
        return abs(moment - time) <= _AT_ONCE
    clock = _CLOCK.fullmatch(text.strip())
    if clock is None:
        return False
    _, minute, second = map(int, clock.groups())
    # Clocks of a place may be whole hours apart.
    return abs((minute * 60 + second) - time % 3600) <= _AT_ONCE


def _account_of(report: Step, ticket: _Ticket) -> str:
    """Return what a page tells of a write that was taken in, whatever that is: all, a record, some lines."""
    content = report.content
    if content is None or len(content) > _LONGEST:
        return ""
    value = report.view.json
    if _own_page(report, ticket) or any(_names(word, one, ticket) for word, one in members_in(value).items()):
        return content.text
    if type(value) in {dict, list}:
        about = list(_records(value, ticket, 0))
        return json.dumps(about[0], ensure_ascii=False) if len(about) == 1 else ""
    if not ticket.telling or ticket.value not in content.text:
        return ""
    bounded = re.compile(rf"(?<![\w-]){re.escape(ticket.value)}(?![\w-])")
    return "\n".join(line for line in content.text.splitlines() if bounded.search(line))


def _own_page(report: Step, ticket: _Ticket) -> bool:
    """Tell whether an answer was asked for at the place of a ticket."""
    there = report.exchange.request.url
    if not ticket.word:
        return urlsplit(there)[:3] == urlsplit(ticket.value)[:3]
    if ticket.word == _JOURNAL:
        return False
    parts = [unquote(one) for one in urlsplit(there).path.split("/") if one]
    if ticket.value not in parts[-_PAGE:]:
        return False
    place = len(parts) - 1 - parts[::-1].index(ticket.value)
    # `/works/12/log` is about the work 12; a longer value means its ticket whatever stands before it.
    kind = parts[place - 1] if place else ""
    return ticket.telling or _called_alike(kind, ticket.word)


def _called_alike(kind: str, word: str) -> bool:
    """Tell whether a step of a path is called like a ticket: `batches` and `batch`, `jobs` and `job_id`."""
    short, named = (re.sub(r"[^a-z]", "", one.lower()) for one in (kind, _NUMBERED.sub("", word)))
    if min(len(short), len(named)) < _KIND:
        return False
    return short in {named, f"{named}s", f"{named}es"} or of_a_kind(short, named)


def _records(value: object, ticket: _Ticket, depth: int) -> Iterator[dict[str, object]]:
    """Yield the innermost records that have a ticket among their members."""
    if depth > _DEEP:
        return
    if isinstance(value, list):
        for one in cast("list[object]", value)[:_MOST]:
            yield from _records(one, ticket, depth + 1)
    elif isinstance(value, dict):
        record = members_in(cast("object", value))
        inside = [
            {**found, "in": word.replace("_", " ")} if isinstance(one, list) and turned_down(word) else found
            for word, one in record.items()
            for found in _records(one, ticket, depth + 1)
        ]
        yield from inside
        if not inside and any(_names(word, one, ticket) for word, one in record.items()):
            yield record
        elif not inside:
            # What is listed by name alone is told by what the list is called.
            for word, one in record.items():
                if (
                    isinstance(one, list)
                    and ticket.telling
                    and ticket.value in map(str, cast("list[object]", one))
                ):
                    yield {word.replace("_", " "): ticket.value, "in": word.replace("_", " ")}


def _names(word: str, value: object, ticket: _Ticket) -> bool:
    if not isinstance(value, str | int) or isinstance(value, bool) or str(value) != ticket.value:
        return False
    return word == ticket.word or ticket.telling


def _in_lines(text: str, ticket: _Ticket) -> Content | None:
    """Return the one line that tells that a write came to nothing, without its ticket; each column a line."""
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
        return _joined(ticket.step, columns, undone=True)
    return Content.from_text(said) if _came_to_nothing(said) else None


def _joined(write: Step, record: dict[str, object], *, undone: bool = False) -> Content:
    """Return the answer to a write with what a report says of it."""
    write.undone = write.undone or undone
    before = members_in(write.view.json)
    given = {one.word for one in members(before)} if before else set[str]()
    kept = {name: one for name, one in before.items() if name not in record and name in given}
    # What was promised first is no outcome.
    kept = {name: one for name, one in kept.items() if not WAITING.search(str(one))}
    return Content.from_text(json.dumps({**kept, **record}))


def _answer(write: Step, content: Content, report: Step) -> None:
    response = write.exchange.response
    if response is None:
        return
    write.reported_by = report
    write.exchange = replace(write.exchange, response=replace(response, content=content))
    for name in ("view", "content"):
        write.__dict__.pop(name, None)
    write.forget()
