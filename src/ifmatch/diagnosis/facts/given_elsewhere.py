"""Find the answer on another resource that gave out a thing's version: its creation, or a list of many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import scalars
from ifmatch.diagnosis.steps.resources import host_of, path_of, resource_key
from ifmatch.model.json_values import members_in
from ifmatch.model.message import Content
from ifmatch.model.places import joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.steps.step import Step

# So many steps before a request are looked through, and longer contents are data.
_NEAR: Final = 400
_LONGEST: Final = 200_000
_DEEP: Final = 5
# So deep in a record stands what it is called by.
_NAMED: Final = 2
# Shorter names are met by chance.
_NAME: Final = 2


def given_elsewhere(case: Case, step: Step, token: str) -> tuple[Step, Content] | None:
    """Return the last own answer on another resource that shows a thing with a token, and the thing.

    A creation answers with what it has made, whose own place the next request names; a list has it as entry.

    Args:
        case: everything known.
        step: a request that carries the token.
        token: of it.
    """
    wanted = tokens.opaque(token)
    name = unquote(own_name(step)).rpartition("/")[2]
    if not wanted or not name:
        return None
    for one in reversed(case.steps[max(0, step.order - _NEAR) : step.order]):
        if one.actor != step.actor or one.resource == step.resource or not 200 <= one.status < 300:
            continue
        if one.denied or host_of(one.resource) != host_of(step.resource):
            continue
        content = one.shown_content
        if content is None or len(content) > _LONGEST or _of_its_own(case, one, step):
            continue
        gave = any(tokens.opaque(issued) == wanted for issued in one.issued())
        if not gave and wanted not in content.text:
            continue
        thing = _thing(content.json(), name, "" if gave and not one.is_read else wanted)
        if one.accepted and gave and (thing is not None or _leads_to(one, step)):
            return one, Content.from_json(thing) if thing is not None else content
        if one.is_read and thing is not None:
            return one, Content.from_json(thing)
    return None


def _of_its_own(case: Case, one: Step, step: Step) -> bool:
    """Tell whether an answer is about what is called as the target is, in a collection of another name.

    The device and its twin, a user's account and profile: each has versions of its own. What is written to in
    both places is two things; of what is only read in one, the records tell, as it may be a view.

    Args:
        case: everything known.
        one: an answer on another resource.
        step: a request.
    """
    here, there = (path_of(each.resource).partition("?")[0].rstrip("/").split("/") for each in (step, one))
    if here[-1] != there[-1] or min(len(here), len(there)) < _NAMED or here[-2] == there[-2]:
        return False
    if not one.is_read:
        return one.exchange.request.method != "POST"
    shown = next((each for each in case.history_of(step.resource) if each.representation is not None), None)
    if shown is None or shown.etag is None or shown.etag in one.issued():
        return False
    mine, theirs = members_in(shown.view.json), members_in(one.view.json)
    return bool(mine) and 2 * len(mine.keys() & theirs.keys()) < len(mine.keys() | theirs.keys())


def _leads_to(made: Step, step: Step) -> bool:
    """Tell whether an answer says that what it has made is to be found at the target of a request."""
    for name in ("location", "content-location"):
        place = made.header(name)
        if place is not None:
            there = resource_key(joined(made.exchange.request.url, place))
            return there.partition("?")[0] == step.resource.partition("?")[0]
    return False


def _thing(value: object, name: str, token: str) -> dict[str, object] | None:
    """Return the innermost record of a list, or the whole object, that has a name and a token."""
    found = [one for one in _records(value, _DEEP) if _called(one, name, _NAMED)]
    if token:
        found = [one for one in found if token in map(tokens.opaque, scalars(one))]
    return found[-1] if found else None


def _records(value: object, depth: int) -> Iterator[dict[str, object]]:
    """Yield an object, and those in the lists that it holds, the inner ones later."""
    yield from _itself(value)
    yield from _listed(value, depth)


def _itself(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, dict):
        yield cast("dict[str, object]", value)


def _listed(value: object, depth: int) -> Iterator[dict[str, object]]:
    if depth < 0:
        return
    if isinstance(value, list):
        for one in cast("list[object]", value):
            yield from _itself(one)
            yield from _listed(one, depth - 1)
    elif isinstance(value, dict):
        for one in cast("dict[str, object]", value).values():
            yield from _listed(one, depth - 1)


def _called(record: dict[str, object], name: str, depth: int) -> bool:
    """Tell whether a record is called by a name: a value of it, of an object in it, or the end of a link."""
    for one in record.values():
        if isinstance(one, str | int) and not isinstance(one, bool):
            text = unquote(str(one))
            if text == name or (len(name) > _NAME and text.endswith("/" + name)):
                return True
        elif isinstance(one, dict) and depth and _called(cast("dict[str, object]", one), name, depth - 1):
            return True
    return False
