"""Find the time of a last change in what a request carries, spelled as people write it; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.dates import http_date, spelled_otherwise, told_moment
from ifmatch.diagnosis.reading.version_words import CHANGED
from ifmatch.diagnosis.steps.message_members import shown
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

_REFUSING: Final = frozenset({400, 409, 412, 422})
_LONGEST: Final = 4000
# Day, year and a time of day take as many signs at least.
_LEAST: Final = 12
# Nothing but a time: a day of the week and a month before it, a zone or half of the day behind.
_TIME: Final = late_pattern(
    r"\W*(?:[^\W\d]+\W+|(?:[A-Z]\w*\W+){2})?\d.*\d\W*(?:[^\W\d]+\W*|(?:[A-Z]\w*\W*){0,4})", re.DOTALL
)
_MOST: Final = 80


def spelled_time(member: Member, reads: Iterable[Step]) -> Member | None:
    """Return the time of the last change that a sent value spells in a form of its own, None for others.

    Under the very name of a record's member it is data, which clients spell as they like.

    Args:
        member: of a request.
        reads: answers about its resource, the last one first.
    """
    value = member.value
    if not _LEAST <= len(value) <= _MOST or _TIME.fullmatch(value) is None:
        return None
    if told_moment(value) is not None or http_date(value) is not None:
        return None
    for read in reads:
        for held in shown(read):
            moment = told_moment(held.value) if CHANGED.search(held.word) is not None else None
            if moment is None or (held.word == member.word and member.where in {"body", "text"}):
                continue
            if spelled_otherwise(value, moment):
                return held
    return None


def unread_time(write: Step, member: Member, reads: Iterable[Step]) -> Member | None:
    """Return the time of the last change that a refusal could not read as a request spells it.

    The refusal names what carries it, or repeats it.

    Args:
        write: any write.
        member: of it.
        reads: answers about its resource, the last one first.
    """
    if write.status not in _REFUSING or write.content is None:
        return None
    text = write.view.text[:_LONGEST]
    if member.value not in text and member.word.casefold() not in text.casefold():
        return None
    return spelled_time(member, reads)
