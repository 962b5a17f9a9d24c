"""Find the count that a conflict calls by the record's own name for it, and says to be past; pure.

`layer 22 is covered` tells over an `upon` of 22 that it was compared with `layer`, though neither name nor
verb is a word for versions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.habits.habit_traffic import place_of
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.version_words import EXPECTS, alike, only_expected, speaks_of_versions
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.dialects.glossary import Words
from ifmatch.dialects.words import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.habits.habit_traffic import Traffic
    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 4000
# What is said of a state that another one took the place of.
_PAST: Final = Words(
    r"\b(?:has|have|is|was|are|had)(?: (?:been|already|now|long|since))* (?:passed|past|behind|replaced"
    r"|succeeded|superseded|overtaken|left behind|covered|worn|spent|stale|outdated|old|older|overwritten"
    r"|written over|bygone|gone by|followed|turned|painted over)\b"
    r"|\bno longer (?:the )?(?:last|latest|top|head|current|newest|live|holds|stands|applies)\b"
)
# What passes with the calendar, or is what a record belongs to.
CALENDAR: Final = Words(
    r"years?|months?|weeks?|days?|dates?|hours?|quarters?|periods?|terms?|seasons?|semesters?|deadlines?|due|slots?"
    r"|times?|shifts?|sessions?|rounds?|tenants?|users?|account|customers?|seats?|rooms?|lots?|page"
)


def called_past(traffic: Traffic, write: Step, member: Member, source: Member) -> bool:
    """Tell whether a conflict calls a sent count by what answers call it, and it is past.

    Either the service is seen to count it on as it takes writes that carry it, or it stands beside the
    content as the record shows it, no read asks by it, and the answer says that it is past.

    Args:
        traffic: of the service.
        write: that carries the count.
        member: the count in the request.
        source: the same value in the answer that showed it.
    """
    if not member.value.isdigit() or CALENDAR.fullmatch(source.word) or member.where == "text":
        return False
    told = [step for step, value in _refused(traffic, write, member) if _calls(step, source.word, value)]
    if not told:
        return False
    if _counts_on(traffic, write, member, source):
        return True
    beside = member.where in {"header", "query"} and member.name not in _asked(traffic, write)
    return beside and any(_PAST.search(step.view.text[:_LONGEST]) for step in told)


def _refused(traffic: Traffic, write: Step, member: Member) -> Iterator[tuple[Step, str]]:
    """Yield the conflicts over the same resource whose requests carry a value at the same place."""
    for step in traffic.refused(write):
        value = _at(step, member)
        if value is not None:
            yield step, value


def _at(step: Step, member: Member) -> str | None:
    held = (one.value for one in sent(step) if (one.where, one.name) == (member.where, member.name))
    return next(held, None)


def _calls(step: Step, word: str, value: str) -> bool:
    """Tell whether an answer has a value right after the name that records have for it."""
    text = step.view.text[:_LONGEST]
    if value.isdigit() and value not in text:
        return False
    named = rf"(?<!\w){re.escape(word)}[\"' :=#]{{1,4}}(?:(?:no|nr|number)\.? )?{re.escape(value)}(?![\w.])"
    return re.search(named, text, re.IGNORECASE) is not None


def _counts_on(traffic: Traffic, write: Step, member: Member, source: Member) -> bool:
    """Tell whether a write that carried the value before was taken, and its own answer shows the next one."""
    for step in traffic.taken(write):
        value = _at(step, member)
        made = [one.value for one in shown(step) if one.word == source.word]
        if value is not None and len(made) == 1 and tokens.steps_on(value, made[0]) == 1:
            return True
    return False


def _asked(traffic: Traffic, write: Step) -> set[str]:
    """Return the parameters by which reads of a service choose what they show."""
    reads = (step for step in traffic.service if step.is_read and step.source == write.source)
    return {name for step in reads for name in step.view.query}


def passed_over(traffic: Traffic, write: Step, member: Member) -> Member | None:
    """Return the version that was shown last where a write was taken with another one of that very name.

    The service counts on from the one that was shown: it neither heeded the other one nor stored it.

    Args:
        traffic: of the service.
        write: that carries the other one.
        member: the other one.
    """
    expected = only_expected(member.word) and not traffic.stored(write, member)
    if not traffic.took(write) or not member.value.isdigit():
        return None
    if not (expected or speaks_of_versions(member)):
        return None
    if traffic.tagged(write):
        return None
    before = traffic.before(write)
    for held in shown(before[-1]) if before else ():
        named = held.word == member.word or expected or _expected_one(member.word, held.word)
        if not named or not VERSION.search(held.word) or held.value == member.value:
            continue
        after = traffic.next_shown(write, place_of(held))
        if after is not None and tokens.counted_on(held.value, member.value):
            # One that was shown elsewhere since: the answer counts on from that one.
            return held if tokens.steps_on(member.value, after) == 1 else None
        if after is not None and after != member.value and tokens.steps_on(held.value, after) == 1:
            return held
    return None


def _expected_one(word: str, source: str) -> bool:
    """Tell whether a name says that another is expected: `expectedVersion` and `version`."""
    return EXPECTS.search(word) is not None and alike(word, source)
