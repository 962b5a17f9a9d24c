"""Find 304s to a date that no answer had given, where a list shows the thing changed since its reader's look.

A list or a query tells the time of the last change of each thing beside its values: who asks for the thing by
a date of his own is told that nothing has changed, and the list beside it shows what has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.links.in_time import back_from
from ifmatch.diagnosis.links.likeness import shows
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import http_date, told_moment
from ifmatch.diagnosis.reading.listed_records import leaves_of, records_in
from ifmatch.diagnosis.reading.version_words import called_version, dates_change
from ifmatch.diagnosis.reads.shared_seconds import names_thing
from ifmatch.diagnosis.steps.resources import bare, host_of, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.reading.listed_records import Record
    from ifmatch.diagnosis.steps.step import Step

# So many steps around a 304 a list is looked for.
_NEAR: Final = 60
_LONGEST: Final = 200_000
# Shorter names stand in a list by chance.
_NAME: Final = 2
# Dates are cut to the second.
_TICK: Final = 1.0
# A record is known again by so many of its members.
_ALIKE: Final = 2


def changed_by_list(case: Case, history: History, step: Step) -> tuple[Step, float] | None:
    """Return the list by which a thing had changed between its reader's look and a 304, and when it had.

    Args:
        case: everything known.
        history: of the resource.
        step: a 304 to a date.
    """
    condition = step.condition(Guard.DIFFERENT_DATE)
    sent = http_date(condition.value) if condition is not None else None
    if sent is None or step.date is None or step.condition(Guard.DIFFERENT) is not None:
        return None
    if history.dated(step, sent):
        # A date that was served may be weak, and comes back from what served it.
        return None
    looks = history.represented.get(step.actor, ())
    had = next((one for one in back_from(looks, step.order) if one.is_read), None)
    since = had.date if had is not None else None
    if had is None or had.representation is None or since is None:
        return None
    known = {word.rpartition("/")[2]: value for word, value in leaves_of(had.representation.text)}
    for one, record in entries_beside(case, had, step):
        when = _changed(record, known)
        if when is not None and since + _TICK < when < step.date:
            return one, when
    return None


def entries_beside(case: Case, had: Step, step: Step) -> Iterator[tuple[Step, Record]]:
    """Yield what lists that a reader saw between a look and a little after an answer say of the thing.

    Args:
        case: everything known.
        had: the look.
        step: the later answer to the same reader.
    """
    name = own_name(step)
    if len(name) < _NAME:
        return
    path = unquote(path_of(bare(step.resource)))
    for one in case.steps[max(had.order + 1, step.order - _NEAR) : step.order + _NEAR]:
        content = one.content if one.actor == step.actor and shows(one) else None
        if content is None or len(content) > _LONGEST or name not in content.text:
            continue
        if bare(one.resource) == bare(step.resource) or host_of(one.resource) != host_of(step.resource):
            continue
        yield from (
            (one, record) for record in records_in(content.text) if names_thing(record.values(), name, path)
        )


def _changed(record: Mapping[str, str], known: Mapping[str, str]) -> float | None:
    """Return when a record of a list was changed last, where it shows the known thing with other values."""
    told = {word.rpartition("/")[2]: value for word, value in record.items()}
    both = told.keys() & known.keys()
    times = {word for word in both if dates_change(word)}
    other = {word for word in both - times if told[word] != known[word] and not called_version(word)}
    if not other or len(both) - len(other) < _ALIKE:
        return None
    moments = [told_moment(told[word]) for word in times if told[word] != known[word]]
    return max((moment for moment in moments if moment is not None), default=None)
