"""Make steps of the requests and records that a batch holds, so that each is diagnosed like any other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ifmatch.diagnosis.steps.resources import bare, resource_key
from ifmatch.diagnosis.steps.step import Step
from ifmatch.dialects import View, parts_in
from ifmatch.dialects.batches import may_hold_parts
from ifmatch.dialects.bulk import named_records, version_in, versioned_names
from ifmatch.dialects.pointers import scalar
from ifmatch.model.message import Content, Fields, Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from ifmatch.dialects import Dialect

_OK = 200


def parts_of(
    step: Step,
    dialect: Dialect | None,
    places: Mapping[str, str] | None = None,
    known: AbstractSet[str] = frozenset(),
) -> list[Step]:
    """Return a step for each request or record that a step's batch holds; the batch itself refuses nothing.

    Args:
        step: that may be a batch.
        dialect: its family; None when none showed itself.
        places: paths of the folders in which things had been read, by the last part of the things' paths.
        known: resources that other requests of the service name, without their queries.
    """
    if step.batched:
        # Its lines are steps already.
        return []
    places = places or {}
    found = parts_in(step.view, dialect, places)
    steps = [_within(step, _below(step, part.request, known), part.response) for part in found]
    step.batched = bool(found)
    for hop in step.hops if found else ():
        inner = parts_in(View(hop.request, hop.response), dialect, places)
        for one, part in zip(steps, inner, strict=False) if len(inner) == len(found) else ():
            one.hops.append(replace(hop, request=_below(step, part.request, known), response=part.response))
    return steps


def parts_by_reads(service: Sequence[Step]) -> dict[Step, list[Step]]:
    """Return the steps that the batches of an unknown API hold, and those of the lists that had shown them.

    A bulk change may name things that reads know by themselves, each with a version beside it, and a list may
    have shown them with their versions.

    Args:
        service: steps of one service, in order of time.
    """
    found: dict[Step, list[Step]] = {}
    if not any(may_hold_parts(step.exchange.request) for step in service):
        return found
    known = keys_of(service)
    places: dict[str, str] = {}
    listed: dict[str, str] = {}
    things: dict[str, str] = {}
    tagged: set[str] = set()
    for step in service:
        if step.is_read and step.status == _OK:
            place, _, name = urlsplit(step.exchange.request.url).path.rstrip("/").rpartition("/")
            places.setdefault(unquote(name), place)
            # What a list shows with versions is known by it, until a read of its own says better.
            for one in versioned_names(step.view.json):
                listed.setdefault(one, f"{place}/{name}")
        elif parts := parts_of(step, None, listed | places, known):
            found[step] = parts
            things |= {one.resource: unquote(one.resource.rpartition("/")[2]) for one in parts}
            tagged |= {one.resource for one in parts if one.sent.text("if-match") is not None}
    for step in service if things else ():
        entries = list(_entries(step, things, tagged)) if step.is_read and step.status == _OK else []
        if entries:
            found[step] = entries
    return found


def _entries(step: Step, things: Mapping[str, str], tagged: AbstractSet[str]) -> Iterator[Step]:
    """Yield a read of each thing of a bulk change that a list shows with its version.

    Where the bulk change gives the version as a tag to match, the list's is that tag.
    """
    here = bare(step.resource)
    keys = {name: key for key, name in things.items() if key.rpartition("/")[0] == here}
    listed = named_records(step.view.json, keys)
    for name, record in listed[1].items() if listed is not None else ():
        version = version_in(record)
        if name in keys and version is not None:
            content = Content.from_json(record)
            tag = scalar(record.get(version)) if keys[name] in tagged else None
            fields = Fields([("ETag", tag if '"' in tag else f'"{tag}"')] if tag is not None else [])
            response = Response(_OK, fields=fields, content=content)
            yield _within(step, Request("GET", keys[name], step.sent), response)


def keys_of(service: Sequence[Step]) -> frozenset[str]:
    """Return the resources that the requests of a service name, without their queries.

    Args:
        service: its steps.
    """
    return frozenset(resource_key(step.exchange.request.url).partition("?")[0] for step in service)


def _below(step: Step, request: Request, known: AbstractSet[str]) -> Request:
    """Return the request of a part, below the folder of its batch where other requests name it there.

    Services take the paths of parts as from the root of the host, or as from that of their own.
    """
    here, there = urlsplit(step.exchange.request.url), urlsplit(request.url)
    folder = here.path.rpartition("/")[0]
    if not folder or here.netloc != there.netloc or there.path.startswith(f"{folder}/"):
        return request
    below = there._replace(path=folder + there.path).geturl()
    if resource_key(request.url).partition("?")[0] in known:
        return request
    return replace(request, url=below) if resource_key(below).partition("?")[0] in known else request


def _within(step: Step, request: Request, response: Response | None) -> Step:
    exchange = replace(step.exchange, request=request, response=response)
    one = Step(exchange, source=step.source, start=step.start, end=step.end, timed=step.timed)
    one.vantage, one.node, one.covered = step.vantage, step.node, step.covered
    one.resource = resource_key(request.url)
    one.within = step
    return one
