"""Read a message as values by the names of its members, each name that has one value there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.message_members import sent, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

_INSIDE: Final = frozenset({"body", "text"})
_DEEP: Final = 6
_PLAIN: Final = {None: "", True: "true", False: "false"}


def values_sent(step: Step) -> dict[str, str]:
    """Return what a request says inside of its content, by the members' own names.

    Args:
        step: the request.
    """
    body = step.view.sent_json
    return _singles(
        _in_json(cast("object", body), 0) if isinstance(body, dict | list) else _inside(sent(step))
    )


def values_shown(step: Step) -> dict[str, str]:
    """Return what an answer shows inside of its content, by the members' own names.

    Args:
        step: whose answer is read.
    """
    value = step.view.json
    return _singles(
        _in_json(cast("object", value), 0) if isinstance(value, dict | list) else _inside(shown(step))
    )


def state_sent(step: Step) -> dict[str, str]:
    """Return what a request says of a state by the members' own names: no version, nothing that is stamped.

    Args:
        step: the request.
    """
    return _state_of(values_sent(step))


def state_shown(step: Step) -> dict[str, str]:
    """Return what an answer shows of a state by the members' own names: no version, nothing that is stamped.

    Args:
        step: whose answer is read.
    """
    return _state_of(values_shown(step))


def _state_of(values: dict[str, str]) -> dict[str, str]:
    return {
        name: value for name, value in values.items() if not (called_version(name) or stamped("/" + name))
    }


def _in_json(value: object, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the members of a JSON value with texts and plain values, the empty ones too.

    A list of several is one value: of its elements none speaks for the whole.
    """
    if isinstance(value, list):
        elements = cast("list[object]", value)
        if len(elements) == 1:
            yield from _in_json(elements[0], depth + 1)
    elif isinstance(value, dict) and depth < _DEEP:
        for name, one in cast("dict[str, object]", value).items():
            if isinstance(one, list) and not _single_record(cast("list[object]", one)):
                yield name, json.dumps(one)
            elif isinstance(one, dict | list):
                yield from _in_json(cast("object", one), depth + 1)
            else:
                yield name, _PLAIN.get(one, str(one)) if isinstance(one, bool | None) else str(one)


def _single_record(elements: list[object]) -> bool:
    return len(elements) == 1 and isinstance(elements[0], dict)


def _inside(members: Iterable[Member]) -> Iterator[tuple[str, str]]:
    yield from ((one.word, one.value) for one in members if one.where in _INSIDE)


def _singles(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the values by name, of each name that stands there with one value."""
    held: dict[str, set[str]] = {}
    for word, value in pairs:
        held.setdefault(word, set()).add(value)
    return {word: next(iter(values)) for word, values in held.items() if len(values) == 1}
