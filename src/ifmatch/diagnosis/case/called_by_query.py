"""Take the reads that ask the address of calls by parameters as reads of the thing that calls change.

`GET /graphql?op=Cart&vars={"id":"k1"}` may be kept by caches, where the same by POST is not: what it shows
is what `setCoupon(cart: "k1")` changes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import parse_qsl

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import versions_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ifmatch.diagnosis.steps.step import Step

_DEEP: Final = 3
_LONGEST: Final = 4000
_ARGUMENT: Final = late_pattern(r":\s*(?:\"([^\"\\]{1,120})\"|(\d{1,15})(?![\w.]))")


def called_by_query(steps: Iterable[Step]) -> None:
    """Give such reads the resource of the calls, where they give out a version that one of those carries.

    Args:
        steps: of a case, their versions known and their resources named.
    """
    calls: dict[str, dict[str, set[str]]] = {}
    asking: list[Step] = []
    for step in steps:
        if "#" in step.resource and step.is_write and step.guard is not None:
            place, _, thing = step.resource.partition("#")
            sent = versions_in(step.guard)
            calls.setdefault(place.partition("?")[0], {}).setdefault(thing, set()).update(sent)
        elif step.method == "GET" and "?" in step.resource and "#" not in step.resource:
            asking.append(step)
    if not calls:
        return
    meant: dict[str, str] = {}
    for step in asking:
        things = calls.get(step.resource.partition("?")[0])
        if things is None or step.etag is None:
            continue
        named = {one for one in _values(step.resource.partition("?")[2]) if one in things}
        if len(named) == 1:
            thing = next(iter(named))
            if things[thing] & {tokens.opaque(one) for one in step.issued()}:
                meant[step.resource] = f"{step.resource.partition('?')[0]}#{thing}"
    for step in asking:
        step.resource = meant.get(step.resource, step.resource)


def _values(query: str) -> Iterator[str]:
    """Yield the values of parameters, of those that hold JSON what is in it."""
    for _, value in parse_qsl(query[:_LONGEST]):
        if value[:1] in {"{", "["}:
            try:
                yield from _leaves(json.loads(value), _DEEP)
                continue
            except ValueError:
                # A query begins with such a sign as well.
                pass
        yield value
        # The text of a query names things by its arguments.
        yield from (text or number for text, number in _ARGUMENT.findall(value))


def _leaves(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, dict | list) and depth:
        held = cast("dict[str, object] | list[object]", value)
        for one in held.values() if isinstance(held, dict) else held:
            yield from _leaves(one, depth - 1)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)
