"""Recognise the API family of each service of a case, and tell its steps."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from msgspec.structs import replace as with_

from ifmatch.diagnosis.case.dialect_batches import keys_of, parts_by_reads, parts_of
from ifmatch.diagnosis.case.inner_reads import inner_reads
from ifmatch.diagnosis.case.multistatus import entries_of
from ifmatch.diagnosis.case.path_operations import take_operations
from ifmatch.diagnosis.case.query_arguments import read_by_arguments
from ifmatch.diagnosis.habits.call_envelopes import enveloped
from ifmatch.diagnosis.habits.call_habits import carrying, naming
from ifmatch.diagnosis.habits.call_records import calls, named_by_records, shown_by_calls, take_reads
from ifmatch.diagnosis.habits.dialect_habits import LEARNED, beyond, joined, learn
from ifmatch.diagnosis.habits.habit_signals import refusable
from ifmatch.diagnosis.links.dialect_tokens import give_versions
from ifmatch.diagnosis.links.operations import take_as_meant, take_as_whole
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.steps.resources import host_of, resource_key
from ifmatch.diagnosis.steps.step import SAFE_METHODS
from ifmatch.dialects import (
    Carrier,
    Meaning,
    Recognition,
    guarded_in,
    guards_in,
    reads_in,
    recognise_all,
    resource_in,
    tokens_in,
)
from ifmatch.dialects.pointers import values_at
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.dialects import Dialect
    from ifmatch.model.exchange import Exchange

# What every service speaks needs no dialect.
_HTTP: Final = "rfc9110"
_CALLS: Final = "json-rpc"
_UPLOADS: Final = frozenset({"PUT", "PATCH"})
# The session in the URL that an upload goes on with: what it opens with stores nothing.
_SESSION: Final = late_pattern(r"[?&]upload_?id=", re.IGNORECASE)
# How services answer a copy whose condition is false, or which they cannot compare.
_TURNED_DOWN: Final = frozenset({400, 409, 412, 422, 501})
_OF_THE_CONDITION: Final = frozenset({Meaning.MISMATCH, Meaning.UNSUPPORTED})
# So many exchanges of a service are looked at, the telling ones first.
_MOST: Final = 120
_OK: Final = 200
# With so many paths of these the path of a read is compared.
_COMPARED: Final = 20


def speak(steps: Sequence[Step], dialects: Sequence[Dialect] | None = None) -> dict[Step, list[Step]]:
    """Set the dialect of every step, and what follows from it: resource, reading, versions.

    A service that is only read, and refuses nothing, needs none.

    Args:
        steps: of a case, in order of time.
        dialects: the families to choose from; all built-in and installed ones when left out.

    Returns:
        For each batch the steps of the requests that it holds, for each listing those of its entries.
    """
    parts: dict[Step, list[Step]] = {}
    services: dict[str, list[Step]] = {}
    names: dict[str, str] = {}
    for step in steps:
        origin = _origin(step.exchange.request.url)
        name = names.get(origin)
        if name is None:
            name = names[origin] = host_of(origin)
        services.setdefault(name, []).append(step)
    only_read: list[list[Step]] = []
    for service in services.values():
        telling = [step for step in service if _tells(step.exchange)]
        if telling:
            _speak(service, telling, dialects, parts)
        else:
            only_read.append(service)
    twins = _twins(services.values()) if only_read else {}
    for service in only_read:
        _like_twin(service, twins)
    _sessions(steps)
    parts.update(entries_of(steps))
    return parts


_Twin = tuple[int, "Dialect", list["Step"]]


def _twins(services: Iterable[list[Step]]) -> dict[str, _Twin]:
    """Return by path the first service that is written to there, in learned or general words."""
    found: dict[str, _Twin] = {}
    for number, service in enumerate(services):
        spoken = [step for step in service if step.dialect is not None and step.is_write]
        last = {urlsplit(step.resource).path: step.dialect for step in spoken}
        for path, dialect in last.items():
            if dialect is not None and (dialect.id == LEARNED or dialect.general):
                found.setdefault(path, (number, dialect, spoken))
    return found


def _like_twin(service: list[Step], twins: dict[str, _Twin]) -> None:
    """Let a service that is only read show versions as one does that is written to under its paths."""
    paths = dict.fromkeys(urlsplit(step.exchange.request.url).path for step in service)
    known = [twins[path] for path in paths if path in twins]
    if not known:
        return
    _, dialect, spoken = min(known, key=lambda one: one[0])
    for step in service:
        _adopt(step, dialect)
    give_versions(service, frozenset(one.key for step in spoken for one in step.conditions if one.key))


def _sessions(steps: Iterable[Step]) -> None:
    """Tell steps of an upload session which step opened it: there the conditions and the resource stand."""
    opened: dict[str, Step] = {}
    for step in steps:
        url = step.exchange.request.url
        if step.method in _UPLOADS and (start := opened.get(url.partition("#")[0])) is not None:
            step.forget()
            step.opened_by, step.resource = start, start.resource
            start.opens = True
            start.forget()
        elif step.method == "POST" and step.status in {200, 201}:
            place = step.header("location") or _upload_url(step)
            if place is not None and place != url and (step.conditions or _SESSION.search(place)):
                opened[place] = step


def _upload_url(step: Step) -> str | None:
    if step.dialect is None:
        return None
    return next((one for one in values_at(step.view.json, "/uploadUrl") if isinstance(one, str)), None)


def _origin(url: str) -> str:
    """Return the beginning of a URL up to its path."""
    begin = url.find("://")
    end = url.find("/", begin + 3) if begin >= 0 else 0
    return url[:end] if end >= 0 else url


def _tells(exchange: Exchange) -> bool:
    """Tell whether an exchange is a write, a refusal, or got no answer."""
    response = exchange.response
    return response is None or response.status >= 400 or exchange.request.method not in SAFE_METHODS


def _speak(
    service: list[Step],
    telling: list[Step],
    dialects: Sequence[Dialect] | None,
    parts: dict[Step, list[Step]],
) -> None:
    sample = telling[:_MOST]
    paths = {urlsplit(step.exchange.request.url).path for step in sample}
    reads = [step for step in service if step.method in SAFE_METHODS and step.status < 400]
    first = list(paths)[:_COMPARED]
    near = (step for step in reads if _near(urlsplit(step.exchange.request.url).path, paths, first))
    sample += list(itertools.islice(near, _MOST)) or reads[: _MOST // 2]
    found = _families(service, sample, dialects)
    shown: dict[Step, list[Step]] = {}
    if all(one.dialect.general for one in found):
        take_operations(service)
        general = found[0].dialect if found else None
        blind = general is None or _blind(service, general)
        inside = parts_by_reads(service) if blind else {}
        shown = inner_reads(_with_parts(service, inside))
        learned = learn(_with_parts(service, {**shown, **inside}))
        if blind:
            parts.update(_giving(shown, learned))
            parts.update(inside)
            _learn(_with_parts(service, parts), learned or general)
            return
        if general is not None and learned is not None and beyond(learned, general):
            both = joined(learned, general)
            parts.update(_giving(shown, both))
            _learn(_with_parts(service, parts), both)
            return
        shown = _giving(shown, general)
    _adopt_all(service, found, shown, parts)
    whole = _with_listed(service, _with_parts(service, parts), parts)
    if len(found) == 1:
        whole = _call(whole, found[0].dialect, parts)
    take_as_whole(whole)
    _to_sources(whole)
    give_versions(whole)
    _misled(whole)


def _adopt_all(
    service: Sequence[Step],
    found: Sequence[Recognition],
    shown: dict[Step, list[Step]],
    parts: dict[Step, list[Step]],
) -> None:
    """Let each step and what is told in it be read as its family reads it.

    Args:
        service: its steps.
        found: the families.
        shown: what is shown in steps, by its reads.
        parts: where what is told in each step is kept.
    """
    known = keys_of(service)
    for step in service:
        dialect = _of_step(step, found)
        _adopt(step, dialect)
        held = parts_of(step, dialect, known=known) or shown.get(step, [])
        if held:
            parts[step] = held
        for one in held:
            one.dialect = dialect
        for one in (step, *held):
            one.reads = reads_in(one.view, dialect)
            if one is not step or not step.batched:
                # What its content names first is but one of those that a batch is about.
                _rename(one, dialect)
            take_as_meant(one)


def _families(
    service: Sequence[Step], sample: Sequence[Step], dialects: Sequence[Dialect] | None
) -> list[Recognition]:
    """Return the families that a service shows, or the one that the envelope of its calls makes up."""
    found = [
        one for one in recognise_all([step.view for step in sample], dialects) if one.dialect.id != _HTTP
    ]
    if all(one.dialect.general for one in found) and (envelope := enveloped(service)) is not None:
        return [Recognition(envelope, (), 1.0)]
    return [_called(one, service) for one in found]


def _called(found: Recognition, service: Sequence[Step]) -> Recognition:
    """Return a family by the name that people know it by, where calls in XML are read as calls in JSON."""
    if found.dialect.id != _CALLS or not any(step.reading is not None and _in_xml(step) for step in service):
        return found
    return with_(found, dialect=with_(found.dialect, name="this API"))


def _in_xml(step: Step) -> bool:
    content = step.exchange.request.content
    return isinstance(content, Content) and content.text.lstrip()[:1] == "<"


def _giving(shown: dict[Step, list[Step]], learned: Dialect | None) -> dict[Step, list[Step]]:
    """Return of the steps that stand for what answers show inside those that give out a version."""
    found: dict[Step, list[Step]] = {}
    for step, inside in shown.items() if learned is not None else ():
        telling = [one for one in inside if learned is not None and tokens_in(one.view, learned)]
        if telling:
            found[step] = telling
    return found


def _call(service: list[Step], dialect: Dialect, parts: dict[Step, list[Step]]) -> list[Step]:
    """Let the calls of one address speak as they show by themselves, where their family does not know it.

    Returns:
        The steps of the service, with those of the records that answers show inside.
    """
    if not calls(dialect):
        return service
    take_reads(service)
    told = read_by_arguments(service, dialect)
    for step in service if told is not None else ():
        _adopt(step, told or dialect)
        _rename(step, told or dialect)
    dialect = told or dialect
    named = naming(service, dialect) or named_by_records(service, dialect)
    for step in service if named is not None else ():
        _adopt(step, named or dialect)
        _rename(step, named or dialect)
    for step, shown in shown_by_calls(service, named or dialect).items():
        parts.setdefault(step, shown)
    service = _with_parts([one for one in service if one.within is None], parts)
    carried = carrying(service, named or dialect)
    for step in service if carried is not None else ():
        _adopt(step, carried or dialect)
    return service


def _with_parts(service: Sequence[Step], parts: dict[Step, list[Step]]) -> list[Step]:
    """Return the steps of a service, each batch followed by the requests that it holds."""
    return [one for step in service for one in (step, *parts.get(step, ()))]


def _with_listed(service: Sequence[Step], whole: list[Step], parts: dict[Step, list[Step]]) -> list[Step]:
    """Return the steps with those of what lists, searches and reads of many show of single things.

    Args:
        service: its steps, their families set.
        whole: the same with the requests that batches hold.
        parts: where what is told in each step is kept.
    """
    shown = inner_reads(whole)
    if not shown or any(map(_of_two_sources, whole)):
        return whole
    listed: dict[Step, list[Step]] = {}
    for step, inside in shown.items():
        if step in parts or step.dialect is None or step.dialect.general:
            continue
        for one in inside:
            _adopt(one, step.dialect)
        names = {place.name.rpartition("/")[2] for place in step.dialect.tokens if place.at == "body"}
        telling = [
            one
            for one in inside
            if one.status != _OK or tokens_in(one.view, step.dialect) or names & {*members_in(one.view.json)}
        ]
        if telling:
            listed[step] = telling
    if not listed:
        return whole
    parts.update(listed)
    return _with_parts(service, parts)


def _of_two_sources(read: Step) -> bool:
    """Tell whether an answer has one tag in its field and another in its content, as lists have it."""
    field = read.header("etag") if read.read_ok and read.within is None else None
    if field is None or read.dialect is None:
        return False
    inside = {tokens.opaque(one.value) for one in tokens_in(read.view, read.dialect) if one.name[:1] == "/"}
    return bool(inside) and tokens.opaque(field.strip()) not in inside


def _blind(service: Sequence[Step], dialect: Dialect) -> bool:
    """Tell whether a general family sees no precondition in any write that the service refused."""
    refused = [step for step in service if refusable(step)]
    return bool(refused) and not any(guards_in(step.view, dialect) for step in refused)


def _learn(service: list[Step], dialect: Dialect | None) -> None:
    """Let the steps of an unknown API speak as its traffic says by itself.

    Args:
        service: its steps.
        dialect: what was learned, or the family to fall back on; None without either.
    """
    if dialect is None:
        return
    for step in service:
        _adopt(step, dialect)
        _rename(step, dialect)
        take_as_meant(step)
    take_as_whole(service)
    give_versions(service)


def _adopt(step: Step, dialect: Dialect) -> None:
    """Set the dialect of a step, and forget what was read from it without."""
    step.dialect = dialect
    step.forget()


def _near(path: str, paths: set[str], first: Sequence[str]) -> bool:
    return path in paths or any(one.startswith(path) or path.startswith(one) for one in first)


def _of_step(step: Step, found: Sequence[Recognition]) -> Dialect:
    """Return the family of one step where a service speaks several: the one that the step itself shows."""
    if len(found) > 1:
        own = recognise_all([step.view], [one.dialect for one in found])
        if own:
            return own[0].dialect
    return found[0].dialect


def _rename(step: Step, dialect: Dialect) -> None:
    """Give a step the key of the resource that its action, upload or view is about."""
    url = resource_in(step.view, dialect)
    parts = urlsplit(url)
    guards = {guard.name.lower() for guard in dialect.guards if guard.carrier is Carrier.QUERY}
    guards |= {guard.pair.lower() for guard in dialect.guards if guard.pair}
    query = parts.query
    if query and guards:
        kept = [
            (name, value)
            for name, value in parse_qsl(query, keep_blank_values=True)
            if name.lower() not in guards
        ]
        query = urlencode(kept)
    if (parts.path, query, parts.fragment) == _target(step.exchange.request.url):
        return
    key = resource_key(urlunsplit((parts.scheme, parts.netloc, parts.path, query, "")))
    before = resource_key(step.exchange.request.url)
    if step.resource == before:
        step.resource = key + (f"#{parts.fragment}" if parts.fragment else "")
        return
    # Seen under an upstream's host name or path, called by the name that clients use.
    alike = itertools.takewhile(
        lambda pair: pair[0] == pair[1], zip(step.resource[::-1], before[::-1], strict=False)
    )
    same = sum(1 for _ in alike)
    front = before[: len(before) - same]
    if "/" in before[len(front) :] and key.startswith(front):
        own = step.resource[: len(step.resource) - same] + key[len(front) :]
        step.resource = own + (f"#{parts.fragment}" if parts.fragment else "")


def _to_sources(service: Sequence[Step]) -> None:
    """Look at a refused copy where its guard looks, or would if it could: at the source."""
    known = {step.resource for step in service}
    for step in service:
        if step.status not in _TURNED_DOWN or (source := _source(step, known)) is None:
            continue
        refusal = step.refusal if step.status != 412 else None
        if step.status == 412 or (refusal is not None and refusal.meaning in _OF_THE_CONDITION):
            step.resource = source


def _misled(service: Sequence[Step]) -> None:
    """Look at the source of an accepted copy too, when the guard names an older version of it."""
    known = {step.resource for step in service}
    shown: dict[str, str] = {}
    for step in service:
        if step.accepted and (source := _source(step, known)) is not None:
            current = shown.get(source)
            if current is not None and not step.presents(current):
                step.resource = source
        elif step.etag is not None and (step.read_ok or step.accepted):
            shown[step.resource] = step.etag


def _source(step: Step, known: set[str]) -> str | None:
    """Return the key of the resource that a copy's guard is about, None without such a guard."""
    found = guarded_in(step.view, step.dialect) if step.dialect is not None else None
    if found is None:
        return None
    named, host = found[0], host_of(step.exchange.request.url)
    if "://" in named:
        return resource_key(named)
    whole = named if named.startswith("/") else f"/{named}"
    bucket, _, key = whole[1:].partition("/")
    # The first part is the bucket, which may stand in the host name instead.
    names = [resource_key(f"{host}/{key}"), resource_key(host + whole)]
    if not urlsplit(host).netloc.startswith(f"{bucket}."):
        names.reverse()
    return next((name for name in names if name in known), names[0])


def _target(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return parts.path, parts.query, parts.fragment
