"""Make steps of what an answer shows of single things inside it: entries of a list, parts of a record.

Who saves what a list, a search or a larger record had shown names by its path what it saves, and sends the
version that stood beside that name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

from ifmatch.diagnosis.links.path_members import of_a_kind
from ifmatch.diagnosis.links.steps_inside import step_inside
from ifmatch.diagnosis.reading.soap_bodies import tree_in
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.resources import bare
from ifmatch.dialects.glossary import Words
from ifmatch.model.grouped import grouped
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content, Fields, Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
_MISSING: Final = 404
_DEEP: Final = 5
_MOST: Final = 500
_LONGEST: Final = 200_000
# Reads of one thing that are looked at, and things.
_THINGS: Final = 200
# So many contents of one thing show what its requests send.
_CONTENTS: Final = 24
# How OData names one of a set by its keys (Part 2, section 4.3.1), and one of them.
_KEYED: Final = late_pattern(r"([\w.-]+)\((.*)\)")
_KEY: Final = late_pattern(r"(?:\w+=)?(?:'((?:[^']|'')*)'|([^,'=]+))(?:,|$)")
_FORM: Final = late_pattern(r"\.(?:json|xml|html|ya?ml|csv)$")
_ACTION: Final = late_pattern(r"[A-Za-z][A-Za-z_-]{2,40}")
# Members that name a thing.
_NAMES: Final = Words(
    r"_?(?:\w+[-_])?(?:id|uid|uuid|guid|key|name|slug|code|number|no|nr|sku|ref|symbol)|\w*[a-z](?:Id|ID|Key|No|Number|Code)"
)
# Members that say of what kind a thing is.
_TYPES: Final = Words(r"[@_]?(?:type|kind|class|object)|resource_?type")
# Members that a list says once, or not at all: of what kind its entries are, and where they are.
_FRAME: Final = late_pattern(
    r"(?:@odata\.)?(?:kind|api_?version|context|schema|type|self|links)|[$@_](?:schema|links|context|self)",
    re.IGNORECASE,
)
# Members in which a record keeps what is said about it: its version and the like.
_ABOUT: Final = late_pattern(r"[@_$]?meta(?:data)?|sys(?:tem)?|attributes|header|value")
# How a row says that its thing is there no more, and so many members it has besides at most.
_GONE: Final = late_pattern(r"_?(?:is_?)?(?:deleted|removed|missing|tombstone)", re.IGNORECASE)
_ROW: Final = 4
# The parts of the pointer to a member at the top.
_AT_TOP: Final = 2
# Members in which a list keeps each thing as it is by itself, beside what it says of it.
_WHOLE: Final = Words(
    r"_?(?:resource|node|item|doc(?:ument)?|data|object|record|entity|element|content|model|source|found)"
)
# Members that tell where a thing is.
_PLACES: Final = late_pattern(
    r"(?:@odata\.|@)?id|self|self_?link|href|ur[il]|(?:full_?)?name|resource_?name|path|link", re.IGNORECASE
)
# Fields of an answer that hold for all that is inside.
_KEPT: Final = ("content-type", "content-language", "date", "age", "x-cache", "via")
# So many members of two records have one name when they are of a kind.
_ALIKE: Final = 2

Record = dict[str, object]


@dataclass(slots=True)
class _Thing:
    """What is written, and what is known of it.

    Attributes:
        url: its own.
        names: of its members.
        beside: values that requests send beside their contents.
        contents: names and values that each content sends.
        read: names of the members that it has where it is read by itself; None where it is not.
    """

    url: str
    names: set[str] = field(default_factory=set[str])
    beside: set[str] = field(default_factory=set[str])
    contents: list[set[tuple[str, str]]] = field(default_factory=list[set[tuple[str, str]]])
    read: set[str] | None = None


def inner_reads(service: Sequence[Step]) -> dict[Step, list[Step]]:
    """Return for each answer the steps that stand for the things inside it which requests write.

    Args:
        service: steps of one service, in order of time; requests that batches hold among them.
    """
    things = _things(service)
    by_name = grouped((_place_of(key)[1][0], key) for key in things)
    found: dict[Step, list[Step]] = {}
    # What they hold is known of these already.
    apart = {step.within for step in service if step.within is not None and step.is_read}
    for step in service if things else ():
        if not _shows(step) or step.within is not None or step.content is None:
            continue
        if step in apart:
            continue
        if len(step.content) > _LONGEST:
            continue
        inside = [
            _shown(step, things[key], key, record)
            for key, record in _inside(step, things, by_name)
            if key != step.resource
        ]
        if inside:
            found[step] = inside
    return found


def _shows(step: Step) -> bool:
    """Tell whether a read shows contents: a GET, or what its family has for it, a search by POST."""
    return step.status == _OK and (step.method == "GET" or step.reads)


def _things(service: Sequence[Step]) -> dict[str, _Thing]:
    """Return what is written, by the keys of the resources: by the last step of the path, or the one before.

    What is called below a thing is called so by letters alone, and is read by nobody.
    """
    read = {step.resource.partition("?")[0]: step for step in service if step.is_read and step.status == _OK}
    found: dict[str, _Thing] = {}
    for step in service:
        key = step.resource.partition("?")[0]
        if not step.is_write or "#" in key or len(found) > _THINGS:
            continue
        thing, _, last = key.rpartition("/")
        url = step.exchange.request.url.partition("?")[0]
        keys = [(key, url)]
        if _ACTION.fullmatch(last) and key not in read:
            keys.append((thing, url.rpartition("/")[0]))
        members = sent(step)
        for one, place in keys:
            known = found.setdefault(one, _Thing(place))
            within = {(member.word, member.value) for member in members if member.where in {"body", "text"}}
            known.names |= {word for word, _ in within}
            known.beside |= {member.value for member in members if member.where in {"header", "query"}}
            if len(known.contents) < _CONTENTS:
                known.contents.append(within - {(word, unquote(last)) for word, _ in within})
    for key, thing_read in found.items():
        own = read.get(key)
        if own is not None:
            thing_read.read = _members_of(own)
            thing_read.names |= thing_read.read
    return found


def _members_of(read: Step) -> set[str]:
    """Return the names of the members of what a read shows, without what its family wraps around it."""
    unwrapped = read.shown_content if read.dialect is not None else None
    held = _bare(members_in(unwrapped.json() if unwrapped is not None else read.view.json))
    return {word for word in held if not _FRAME.fullmatch(word)}


def _place_of(key: str) -> tuple[str, tuple[str, ...]]:
    """Return in what a thing lies by its path, and what it is called there: `/cars(7)` is `7` of `/cars`."""
    folder, _, last = key.rpartition("/")
    match = _KEYED.fullmatch(unquote(last))
    found = [(one[1] or one[2] or "").replace("''", "'") for one in _KEY.finditer(match[2])] if match else []
    if match is None or not all(found) or not found:
        return folder, (unquote(last),)
    return f"{folder}/{match[1]}", tuple(found)


def _bare(told: Record) -> Record:
    """Return the record that an answer wraps, or the answer where it is the record."""
    inner = [cast("Record", one) for one in told.values() if isinstance(one, dict)]
    return inner[0] if len(inner) == len(told) == 1 and len(inner[0]) > _ALIKE else told


def _inside(
    step: Step, things: dict[str, _Thing], by_name: dict[str, list[str]]
) -> Iterator[tuple[str, Record]]:
    """Yield the things that an answer shows inside, each once, with their records."""
    told = step.view.json
    value = told if type(told) in {dict, list} else tree_in(step.content)
    here = bare(step.resource)
    tokens = step.dialect.tokens if step.dialect is not None else ()
    places = [one.name.split("/") for one in tokens if one.at == "body"]
    held: dict[str, list[Record]] = {}
    for name, record, among in _named(value, by_name.keys(), 0):
        for key in by_name[name]:
            if not _has_keys(record, _place_of(key)[1]):
                continue
            kind = _of_the_kind(key, here, name, record, things[key]) or _called_so(key, name, record, among)
            if kind and (_versioned(record, things[key]) or _is_gone(record) or _has(record, places)):
                held.setdefault(key, []).append(record)
    for key, record in _parts(value, here, things):
        held.setdefault(key, []).append(record)
    # Several records of one name are states of it, or things of several kinds; of an envelope what it holds.
    for key, records in held.items():
        inner = [one for one in records if not any(_holds(one, other) for other in records)]
        if len(inner) == 1:
            yield key, inner[0]


def _has(record: Record, places: Sequence[Sequence[str]]) -> bool:
    """Tell whether a record has the version of its family, at its top or in what it says about itself."""
    return any(
        place[-1] in (record if len(place) <= _AT_TOP else members_in(record.get(place[-2])))
        for place in places
    )


def _holds(record: Record, other: Record) -> bool:
    return record is not other and any(held is other for held in record.values())


def _has_keys(record: Record, keys: tuple[str, ...]) -> bool:
    return len(keys) == 1 or set(keys) <= {str(held) for held in record.values()}


def _is_gone(record: Record) -> bool:
    """Tell whether a row says no more of a thing than that it is gone."""
    inner = [
        record,
        *(one for word, held in record.items() if _ABOUT.fullmatch(word) and (one := members_in(held))),
    ]
    return len(record) <= _ROW and any(
        (held is True or isinstance(held, str)) and _GONE.fullmatch(word)
        for one in inner
        for word, held in one.items()
    )


def _named(
    value: object, names: AbstractSet[str], depth: int, among: str = ""
) -> Iterator[tuple[str, Record, str]]:
    """Yield the objects in lists, and below names of their own, that one of some names is about.

    With each comes the member that the list is, "" where it is none.
    """
    if depth > _DEEP:
        return
    if isinstance(value, list):
        for one in cast("list[object]", value)[:_MOST]:
            record, within = members_in(one), names
            for held in (record, *_whole(record)):
                called = _called(held) & within
                yield from ((name, held, among) for name in called)
                if called and any(called_version(word) for word, _ in _told(held)):
                    # What is called so inside is a part of it.
                    within = within - called
            yield from _named(one, within, depth + 1)
    elif isinstance(value, dict):
        for word, one in cast("Record", value).items():
            record = members_in(one)
            if record and word in names and any(map(str.isdigit, word)):
                yield from ((word, held, among) for held in (record, *_whole(record)))
            yield from _named(one, names, depth + 1, word)


def _whole(record: Record) -> Iterator[Record]:
    """Yield the things that a list keeps in its entries as they are by themselves."""
    for word, held in record.items():
        if isinstance(held, dict) and _WHOLE.fullmatch(word):
            yield cast("Record", held)


def _called(record: Record) -> set[str]:
    """Return by what a record may be named: its values, also those about itself, and ends of addresses."""
    found: set[str] = set()
    for word, held in (*record.items(), *_about(record)):
        if _names(word, held):
            name = str(held)
            found.add(name)
            if "/" in name and _PLACES.fullmatch(word):
                found.add(unquote(name.partition("?")[0].rstrip("/").rpartition("/")[2]))
    return found


def _about(record: Record) -> tuple[tuple[str, object], ...]:
    """Return what a record keeps about itself in an object of its own."""
    return tuple(
        pair
        for word, held in record.items()
        if isinstance(held, dict) and _ABOUT.fullmatch(word)
        for pair in cast("Record", held).items()
    )


def _names(word: str, held: object) -> bool:
    return isinstance(held, str | int) and not isinstance(held, bool) and not called_version(word)


def _of_the_kind(key: str, here: str, name: str, record: Record, thing: _Thing) -> bool:
    """Tell whether a record of a list is of the thing whose path ends in its name.

    It is named so by a member for names, or by one that is called as the path calls such things; and the list
    is that of the thing's own folder, or the record has members of the thing.
    """
    folder = _place_of(key)[0]
    here = here.removesuffix("()")
    kind = folder.rpartition("/")[2]
    held_by = (*record.items(), *_about(record))
    by = [word for word, held in held_by if _names(word, held) and str(held) == name]
    if not by:
        # By its address, all of it that is known: with the kind of the thing before its name.
        if thing.read is not None and not thing.read <= record.keys():
            return False
        told = [str(held).partition("?")[0] for word, held in held_by if _PLACES.fullmatch(word)]
        named = [unquote(f"/{one.strip('/')}") for one in told]
        if any(one.endswith(f"/{kind}/{name}") for one in named):
            return True
        if any(one.endswith(f"/{name}") for one in named):
            return False
    words = {word for one in (record, *_whole(record)) for word in one}
    alike = len(words & thing.names - set(by)) >= _ALIKE
    if by and not any(_NAMES.fullmatch(word) or of_a_kind(kind, word) for word in by):
        # Under another word names are told from counts by their letters.
        return alike and any(map(str.isdigit, name)) and any(map(str.isalpha, name))
    if folder in {here, _FORM.sub("", here)} or here.startswith(f"{folder}/"):
        return True
    return alike


def _called_so(key: str, name: str, record: Record, among: str) -> bool:
    """Tell whether a list, or a record of it, is called as the path of a thing calls such things.

    `/columns/x1` is the entry `x1` of the member `columns`, and the entry of the type `columns` or `column`.
    """
    kind = _place_of(key)[0].rpartition("/")[2]
    by = {word for word, held in record.items() if _names(word, held) and str(held) == name}
    if not kind or not any(_NAMES.fullmatch(word) for word in by):
        return False
    types = [str(held) for word, held in record.items() if _TYPES.fullmatch(word) and _names(word, held)]
    return any(one and (one.casefold() == kind.casefold() or of_a_kind(kind, one)) for one in (among, *types))


def _versioned(record: Record, thing: _Thing) -> bool:
    """Tell whether a record, or what it says about itself, has a version: by its name, or as it is sent."""
    held = [*_told(record)]
    return any(called_version(word) or _sent_back(word, value, held, thing) for word, value in held)


def _told(record: Record) -> Iterator[tuple[str, str]]:
    """Yield the names and values of a record, and of what it says about itself, without its kind."""
    for word, held in (*record.items(), *_about(record)):
        if isinstance(held, str | int) and not isinstance(held, bool) and not _TYPES.fullmatch(word):
            yield word, str(held)


def _sent_back(word: str, value: str, told: Sequence[tuple[str, str]], thing: _Thing) -> bool:
    """Tell whether a request about a thing sends a value with digits beside its content, or it alone in it.

    In a record that is sent back whole all its members are.
    """
    if not any(map(str.isdigit, value)) or value == unquote(thing.url.rpartition("/")[2]):
        return False
    if value in thing.beside:
        return True
    held = set(told)
    return any(len(within & held) == 1 and (word, value) in within for within in thing.contents)


def _parts(value: object, here: str, things: dict[str, _Thing]) -> Iterator[tuple[str, Record]]:
    """Yield the parts of a record that are written below its path by their names, and have a version."""
    for word, one in cast("Record", value).items() if isinstance(value, dict) else ():
        key = f"{here}/{word}"
        if isinstance(one, dict) and key in things:
            record = cast("Record", one)
            if things[key].read is None and _versioned(record, things[key]):
                yield key, record


def _content(record: Record, step: Step) -> Content:
    """Return a record by itself as the answer has it: JSON, or XML."""
    if isinstance(step.view.json, dict | list):
        return Content.from_json(record)
    single = {
        name: escape(str(one), quote=False) for name, one in record.items() if isinstance(one, str | int)
    }
    return Content.from_text(
        "<record>" + "".join(f"<{name}>{one}</{name}>" for name, one in single.items()) + "</record>"
    )


def _shown(step: Step, thing: _Thing, key: str, record: Record) -> Step:
    """Return a step that shows a record by itself; no more than its version where a read shows more of it."""
    gone = _is_gone(record)
    part = not gone and thing.read is not None and not thing.read <= record.keys()
    # What the list was asked for under conditions, a single thing was not.
    asked = Fields([(name, value) for name, value in step.sent if not name.lower().startswith("if-")])
    request = Request("HEAD" if part else "GET", thing.url, asked)
    told = [(name, value) for name in _KEPT if (value := step.header(name)) is not None]
    response = Response(_MISSING if gone else _OK, "", Fields(told), _content(record, step))
    return step_inside(step, request, response, key)
