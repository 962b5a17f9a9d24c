"""Find 304s to a date in whose second another answer shows a later state: a list has its fraction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import fractions, http_date
from ifmatch.diagnosis.reading.listed_records import records_in
from ifmatch.diagnosis.steps.resources import bare, host_of, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
# So many answers around a 304 are looked through.
_NEAR: Final = 30
_LONGEST: Final = 60_000
# Shorter names stand in a list by chance.
_NAME: Final = 2
# Digits of a second in which two times have to differ; a rounded one says nothing.
_APART: Final = 0.002


def later_in_second(case: Case, history: History, step: Step) -> tuple[Step, float] | None:
    """Return the answer that shows a later state of the very second that a 304 was asked for, and its time.

    Args:
        case: everything known.
        history: of the resource, in order of time.
        step: a 304 to a date.

    Source: RFC 9110 section 8.8.2.2 (a date is weak within its second).
    """
    condition = step.condition(Guard.DIFFERENT_DATE)
    sent = http_date(condition.value) if condition is not None else None
    if sent is None or step.condition(Guard.DIFFERENT) is not None:
        return None
    had = next((one for one in reversed(history) if one.order < step.order and _whole(one, step)), None)
    if had is None or had.last_modified != sent or had.content is None:
        return None
    known = [moment for _, moment in fractions(had.content.text) if int(moment) == int(sent)]
    name = own_name(step)
    if not known or len(name) < _NAME:
        return None
    for one in case.steps[max(had.order + 1, step.order - _NEAR) : step.order + _NEAR]:
        if one.actor != step.actor or one.status != _OK or one.content is None:
            continue
        if (
            one.resource == step.resource
            or len(one.content) > _LONGEST
            or host_of(one.resource) != host_of(step.resource)
        ):
            continue
        told = [moment for text in _of_it(one, step, name) for _, moment in fractions(text)]
        later = [moment for moment in told if int(moment) == int(sent) and moment > max(known) + _APART]
        # What was changed after the 304 proves nothing against it.
        if later and min(later) < step.start:
            return one, min(later)
    return None


def _whole(one: Step, step: Step) -> bool:
    return one.status == _OK and one.is_read and one.actor == step.actor and one.representation is not None


def _of_it(one: Step, step: Step, name: str) -> Iterator[str]:
    """Yield what an answer tells of a thing: all of it below its path, else the records that name it."""
    text = one.content.text if one.content is not None else ""
    if name not in text and name not in one.resource:
        return
    here = bare(step.resource)
    if bare(one.resource) == here or one.resource.startswith(here + "/"):
        yield text
        return
    path = unquote(path_of(here))
    for record in records_in(text):
        if names_thing(record.values(), name, path):
            yield "\n".join(record.values())


def names_thing(values: Iterable[str], name: str, path: str) -> bool:
    """Tell whether one of the values of a record is the name of a thing, or the end of its path.

    Args:
        values: of the record.
        name: the last part of the path.
        path: of the thing.
    """
    return any(one == name or (one.endswith("/" + name) and path.endswith(one)) for one in values)
