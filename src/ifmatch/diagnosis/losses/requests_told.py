"""Read what a service tells of the requests that it got in whatever words: rows, lines, one letter for each.

`{"m": "PUT", "u": "/decks/2", "im": null}`, `PUT /decks/2 if-match=-` and a table with such columns are told
by their values: a method beside the path of a request. What is called as a condition then says whether one
came.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.listed_records import leaves_of, records_in
from ifmatch.diagnosis.steps.resources import bare, path_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.json_values import elements_in, members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.places import split

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 400_000
_MOST: Final = 400
_METHODS: Final = frozenset(
    {"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "MERGE", "OPTIONS", "PROPPATCH", "MOVE", "COPY"}
)
# What a request line has in one value: the method, the address, and maybe the version of HTTP.
_LINE: Final = late_pattern(r"\b(GET|HEAD|PUT|PATCH|POST|DELETE|MERGE)\s+(\S+)")
_ADDRESS: Final = late_pattern(r"(?:https?:/)?/[^\s\"'<>]*$|[\w.-]+(?:/[\w.%:-]+)+$")
# A name and its value in a line.
_SAID: Final = late_pattern(
    r"([A-Za-z][\w-]{0,40})\s*(?:=|:\s)\s*(\"(?:\\.|[^\"])*\"|'[^']*'|W/\"[^\"]*\"|[^\s,;|]*)"
)
# What a list calls the fields for it, in front of which may stand whose they are.
_FRONT: Final = r"(?:(?:request|req|header|hdr|http|in|got|rcvd|received|h|x)[-_. ]?)*"
_BACK: Final = r"(?:[-_. ]?(?:header|hdr|value|val|field|sent|received|rcvd|got|present|seen|given|raw))*"
_SAME: Final = Words(
    rf"{_FRONT}(?:i[-_.]?m|if[-_. ]?m(?:a?t?ch)?|if[-_. ]?matches|match|etag[-_. ]?(?:cond\w*|match))"
    rf"{_BACK}"
)
_SAME_DATE: Final = Words(rf"{_FRONT}(?:i[-_.]?u[-_.]?s|if[-_. ]?unmod\w*(?:[-_. ]?since)?){_BACK}")
_NEW: Final = Words(rf"{_FRONT}(?:i[-_.]?n[-_.]?m|if[-_. ]?none(?:[-_. ]?match)?){_BACK}")
_ANY: Final = Words(
    rf"{_FRONT}(?:pre[-_. ]?cond(?:ition(?:s|al)?)?|cond(?:ition(?:s|al|ed)?)?|guard(?:ed|s)?|expected"
    rf"(?:[-_. ]?(?:e?-?tag|version|rev(?:ision)?))?){_BACK}"
)
_CALLED: Final = {Guard.SAME: _SAME, Guard.SAME_DATE: _SAME_DATE, Guard.ABSENT: _NEW, Guard.EXISTS: _SAME}
_NO: Final = Words(r"no|none|false|absent|missing|nothing|not (?:sent|given|set|present|received)|n/?a|off")
_BLANK: Final = frozenset({"", "-", "\u2013", "\u2014", "()", "[]", "{}", "0", "''", '""', "?"})
# Seconds by which times that are told may lie beside those of the capture.
_BESIDE: Final = 2.0
# Shorter values of fields are met by chance.
_SHORT: Final = 2
# Fields whose values are those of any client.
_COMMON: Final = frozenset(
    {"accept", "accept-encoding", "connection", "content-type", "host", "content-length", "accept-language"}
)


class Told(NamedTuple):
    """A request as a service tells of it.

    Attributes:
        method: of it.
        path: of its address.
        values: what else is said of it, by name in lower case, the last part of a longer one.
        when: seconds since the epoch, None where it is not told.
    """

    method: str
    path: str
    values: dict[str, str]
    when: float | None


def may_tell(text: str) -> bool:
    """Tell, in little time, whether a text may list requests that changed something.

    Args:
        text: of an answer.
    """
    return len(text) <= _LONGEST and any(one in text for one in ("PUT", "PATCH", "POST", "DELETE", "MERGE"))


def all_told(text: str, value: object) -> tuple[Told, ...]:
    """Return all requests of which an answer tells, in its order.

    Args:
        text: of the answer.
        value: the same as JSON, whatever it is when it is none.
    """
    for records in (_records(text, value), _requests(text, value)):
        found = tuple(one for each in records if (one := _told(each)) is not None)
        if found:
            return found
    return ()


def is_about(one: Told, step: Step) -> bool:
    """Tell whether a request of which a service tells is for the resource of a step.

    Args:
        one: as it is told.
        step: any.
    """
    return _leads(one.path, unquote(bare(path_of(step.exchange.request.url))).rstrip("/"))


def without(told: Sequence[Told], step: Step) -> bool:
    """Tell whether a request is told of, and told to have come without the condition that it was sent with.

    Its place is there and empty, or another request has something in it.

    Args:
        told: the requests for its resource.
        step: the request.
    """
    guard = step.guard
    own = mine(told, step)
    if guard is None or not own:
        return False
    names = {name for one in told for name in one.values if _calls(name, guard.guard)}
    held = [one.values.get(name, "") for one in own for name in names]
    return bool(names) and all(_none(value) for value in held)


def mine(told: Sequence[Told], step: Step) -> list[Told]:
    """Return those of some requests that may be the one that was sent: by method, time and sender.

    Args:
        told: the requests for its resource.
        step: the request.
    """
    known = [one for one in told if one.method == step.exchange.request.method and _at_its_time(one, step)]
    sent = _signs(step)
    signed = [one for one in known if sent & set(one.values.values())]
    return signed or known


def by_another(told: Sequence[Told], step: Step) -> Told | None:
    """Return the last write of another sender on the resource before the one that was sent, None without any.

    Args:
        told: the requests for the resource, in the order of the list.
        step: the request.
    """
    sent = _signs(step)
    own = [one for one in mine(told, step) if sent & set(one.values.values())]
    if not own:
        return None
    names = {name for name, value in own[-1].values.items() if value in sent}
    others = [
        one
        for one in told
        if one.method not in {"GET", "HEAD", "OPTIONS"}
        and any(one.values.get(name) not in {None, "", own[-1].values[name]} for name in names)
    ]
    return others[-1] if others else None


def _records(text: str, value: object) -> Iterator[list[tuple[str, str]]]:
    """Yield what may tell of a request: records, rows under columns, a single object."""
    count = 0
    for record in records_in(text)[:_MOST]:
        count += 1
        yield [*record.items()]
    for row in _rows(value):
        count += 1
        yield row
    if count == 0 and isinstance(value, dict):
        yield [*leaves_of(text)]


def _requests(text: str, value: object) -> Iterator[list[tuple[str, str]]]:
    """Yield the lines that have a method and an address, with what else they say by name."""
    for line in _lines(text, value):
        found = _LINE.search(line)
        if found is not None:
            said = [(name, _unquoted(held)) for name, held in _SAID.findall(line)]
            words = [("", word) for word in line.split()[:_MOST] if "=" not in word]
            yield [("method", found[1]), ("path", found[2]), *said, *words]


def _rows(value: object) -> Iterator[list[tuple[str, str]]]:
    """Yield the rows of a list of lists by the names that stand beside it, or in its first row."""
    members = members_in(value)
    tables = [elements_in(one) for one in (value, *members.values())]
    heads = [one for one in tables if one and all(isinstance(each, str) for each in one)]
    for table in tables:
        rows = [elements_in(one) for one in table[:_MOST]]
        if not rows or not all(rows):
            continue
        for head in (*heads, rows[0]):
            if len(head) == len(rows[-1]) and all(isinstance(each, str) for each in head):
                yield from (
                    [(str(name), _text(held)) for name, held in zip(head, row, strict=False)] for row in rows
                )
                break


def _lines(text: str, value: object) -> Iterator[str]:
    lists = [value, *members_in(value).values()]
    said = [one for each in lists for one in elements_in(each)[:_MOST] if isinstance(one, str)]
    said += [one for one in members_in(value).values() if isinstance(one, str)]
    yield from said
    if not said and not isinstance(value, dict | list):
        yield from text.splitlines()[:_MOST]


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == "'" else value


def _told(record: Sequence[tuple[str, str]]) -> Told | None:
    """Return the request that a record tells of, None when it tells of none."""
    method = next((value for _, value in record if value in _METHODS), "")
    there = next((value for name, value in record if _ADDRESS.match(value) and not _of_other(name)), "")
    if not method or not there:
        lines = (found for _, value in record if (found := _LINE.match(value)) is not None)
        method, there = next(((one[1], one[2]) for one in lines), ("", ""))
    if not method:
        return None
    values = {name.rpartition("/")[2].lower(): value for name, value in record if name}
    times = (told_moment(value) for value in values.values() if len(value) > _SHORT)
    return Told(method, there, values, next((one for one in times if one is not None), None))


def _of_other(name: str) -> bool:
    """Tell whether a name is of a field whose value may look like an address, or be one of another thing."""
    said = name.rpartition("/")[2].lower()
    return said in _COMMON or said in {"user-agent", "ua", "ct", "agent", "origin"} or "refer" in said


def _leads(value: str, path: str) -> bool:
    """Tell whether a value is the address of a path: what a front puts before it may be there, or be gone."""
    there = unquote(split(value).path).rstrip("/")
    if not there or there.rpartition("/")[2] != path.rpartition("/")[2]:
        return False
    return there == path or there.endswith(path) or path.endswith(there)


def _calls(name: str, guard: Guard) -> bool:
    """Tell whether a name is one for the condition of a request."""
    pattern = _CALLED.get(guard)
    return (pattern is not None and pattern.fullmatch(name) is not None) or _ANY.fullmatch(name) is not None


def _none(value: str) -> bool:
    said = value.strip()
    return said in _BLANK or tokens.null_word(said) or _NO.fullmatch(said) is not None


def _signs(step: Step) -> set[str]:
    """Return the values of fields that tell a sender from others."""
    return {
        value.strip()
        for name, value in step.sent
        if name.lower() not in _COMMON and len(value.strip()) >= _SHORT and re.search(r"[A-Za-z]", value)
    }


def _at_its_time(one: Told, step: Step) -> bool:
    if one.when is None or not step.timed:
        return True
    # Times are told to the second, or by another clock: this only parts what lies far off.
    return step.start - _BESIDE <= one.when <= step.end + _BESIDE
