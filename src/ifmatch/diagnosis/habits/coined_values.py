"""Tell which values of requests clients made up themselves: who works on it, what it is to be called.

A service gives its versions out, and answers a write that it takes with another one. A value that stood in a
request before any answer had it, and that the service took and shows as it was sent, is the client's. A token
out of a state file is sent before any answer gives it out as well: it is refused, or another one follows it.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.version_words import EXPECTS, of_changes, speaks_of_versions
from ifmatch.diagnosis.steps.message_members import sent, shown

if TYPE_CHECKING:
    from ifmatch.diagnosis.habits.habit_traffic import Traffic
    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

# So many steps about a thing, and so many reads before the first request, are looked through.
_MOST: Final = 60
_READS: Final = 24


def coined(traffic: Traffic, write: Step, member: Member) -> bool:
    """Tell whether a value of a write came from clients, and the service keeps it as it is.

    Clients may count what is called a version, or a time of a change: it is compared all the same.

    Args:
        traffic: of the service.
        write: that carries the value.
        member: the value.
    """
    if speaks_of_versions(member) or of_changes(member) or EXPECTS.search(member.word) is not None:
        return False
    wanted = tokens.opaque(member.value)
    first: Step | None = None
    for step in traffic.about[traffic.bases[write]][:_MOST]:
        carries = step.is_write and any(
            (one.where, one.name, one.value) == (member.where, member.name, member.value)
            for one in sent(step)
        )
        if carries and first is None:
            first = step
        told = [one for one in shown(step) if tokens.opaque(one.value) == wanted]
        if told:
            kept = carries and traffic.took(step) and any(one.word == member.word for one in told)
            return kept and first is not None and not _read_before(traffic, first, wanted)
    return False


def _read_before(traffic: Traffic, first: Step, wanted: str) -> bool:
    """Tell whether an answer about whatever had shown a value before it was sent."""
    return any(
        tokens.opaque(one.value) == wanted
        for read in islice(traffic.answers_before(first), _READS)
        for one in shown(read)
    )
