"""Tell whether another may have written just what a refused request wanted, before it came."""

from __future__ import annotations

import json
from itertools import takewhile, zip_longest
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.facts.commands_done import changed_at
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, unwrapped, value_at
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

# As few characters may well be what another wrote, too: a time, a price, a word, a flag.
_LITTLE: Final = 16
# Seconds between a read and a request in which nobody else hits on the same.
_ROOM: Final = 0.25
# Seconds by which a date, being cut to the second, may lie before the moment that it names, and a bit more.
_TICK: Final = 1.2
# What names one request, one reading, one scan: nobody else has it.
_MARKER: Final = late_pattern(r"(?=\S*\d)(?=\S*[A-Za-z])[\w.:#/-]{6,}")
# Longer texts are compared by their lines.
_LONG: Final = 2000


def little(facts: Facts) -> bool:
    """Tell whether a request changes so little, and so long after the read, that another may have done it.

    Args:
        facts: of a refused request whose content the next read shows.
    """
    source, step, base = facts.source, facts.step, facts.base_content
    if source is None or base is None or step.body is None or not (source.timed and step.timed):
        return False
    if step.start - source.end <= _ROOM or _marked(facts, base):
        return False
    return _said(step.body, unwrapped(base, step.body)) < _LITTLE


def _marked(facts: Facts, base: Content) -> bool:
    """Tell whether a request names itself in what it carries, and the name is there."""
    body, now = facts.step.body, facts.current_content
    if body is None or now is None:
        return False
    fresh = [value_at(body, pointer) for pointer in changed_pointers(unwrapped(base, body), body) or ()]
    return any(isinstance(one, str) and _MARKER.fullmatch(one) and one in now.text for one in fresh)


def _said(content: Content, base: Content) -> int:
    """Return how many characters a content has that what it was made from does not have at that place."""
    pointers = changed_pointers(base, content)
    if pointers is None:
        return _apart(base.text, content.text)
    return sum(
        _apart(_shown(value_at(base, pointer)), _shown(value_at(content, pointer)))
        for pointer in pointers
        if not stamped(pointer)
    )


def _shown(value: object) -> str:
    if value is ABSENT:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _apart(before: str, after: str) -> int:
    """Return how many characters of a text lie between the beginning and the end that both share."""
    if len(after) > _LONG:
        lines = zip_longest(before.splitlines(), after.splitlines(), fillvalue="")
        return sum(len(new) for old, new in lines if old != new)
    front = _shared(before, after)
    return len(after) - front - _shared(before[front:][::-1], after[front:][::-1])


def _shared(one: str, two: str) -> int:
    """Return how many characters two texts begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, two, strict=False)))


def there_before(facts: Facts) -> bool:
    """Tell whether the version that is there now was made before the refused request was sent.

    By the service's clock alone: the answer to the read says when it was made and when the version was.

    Args:
        facts: of a refused request.

    Source: RFC 9110 sections 6.6.1 (Date) and 8.8.2 (Last-Modified).
    """
    step, refresh = facts.step, facts.refresh
    if refresh is None or refresh.date is None or refresh.source != step.source:
        return False
    made = refresh.last_modified if refresh.last_modified is not None else changed_at(facts)
    if made is None or not (step.timed and refresh.timed):
        return False
    return refresh.date - made > refresh.end - step.start + _TICK


def carried_out(facts: Facts) -> Step | None:
    """Return a guarded write that the service took as it takes them: it compares before it stores.

    A service that stores first and compares then refuses every one of them.

    Args:
        facts: of a refused request.
    """
    guard, step = facts.guard, facts.step
    if guard is None:
        return None
    host = host_of(step.resource)
    for one in facts.case.steps:
        if not one.changes or one.method != step.method or one.guard is None:
            continue
        alike = one.guard.guard is guard.guard and one.guard.name == guard.name
        if alike and one.resource != step.resource and host_of(one.resource) == host:
            return one
    return None
