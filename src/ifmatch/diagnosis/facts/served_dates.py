"""Find the modification dates that an actor was given before it sent one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.losses.listed_rows import rows_of
from ifmatch.diagnosis.reading.dates import instant, zones_apart
from ifmatch.diagnosis.steps.resources import host_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step

# So many steps before a write are looked through for the answer that its date comes from.
_NEAR: Final = 60


def served_dates(
    case: Case, own: Sequence[Step], step: Step, guard: Condition | None, sent: float | None
) -> list[tuple[float, Step]]:
    """Return the modification dates that an actor was given before a request, latest first.

    Args:
        case: everything known.
        own: what the actor did to the resource before the request, in order of time.
        step: the request.
        guard: its precondition, None without one.
        sent: the date of it, None where it is none.
    """
    if guard is not None and not guard.standard:
        named = [
            (date, one)
            for one in reversed(own)
            for token in one.issued()
            if (date := instant(token)) is not None
        ]
        if named:
            return named
    # A field of one's own may as well take the date of the standard one: that of the source of a copy does.
    found = [
        (one.last_modified, one)
        for one in reversed(own)
        if one.last_modified is not None and (one.read_ok or one.accepted)
    ]
    return found if found or sent is None else list(_elsewhere(case, step, sent))


def _elsewhere(case: Case, step: Step, sent: float) -> Iterator[tuple[float, Step]]:
    """Yield the dates of other addresses of the service that a sent date can only come from.

    What is read by a call, or through a list, has another address than what is written. Two moments do not
    share their second by chance, nor lie full quarters of an hour apart.
    """
    host = host_of(step.resource)
    for one in reversed(case.steps[max(0, step.order - _NEAR) : step.order]):
        date = one.last_modified
        if date is None or one.actor != step.actor or host_of(one.resource) != host:
            continue
        if (one.read_ok or one.accepted) and (date == sent or zones_apart(sent, date)):
            yield date, one
    for row in rows_of(case, step):
        date = row.modified
        if date is not None and (int(date) == sent or zones_apart(sent, int(date))):
            yield int(date), row.step
