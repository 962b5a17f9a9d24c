"""Take a success that denies a write for the refusal of its date: what is shown of dates tells why.

Of a version an answer says that it is another one; of a date it mostly says no more than that nothing was
done. Then the dates tell: the sent one is none, or lies before the one that is served, or the same write
passes with another one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.dates import told_moment, zones_apart
from ifmatch.diagnosis.steps.message_members import shown
from ifmatch.diagnosis.steps.refusal_words import says_outdated
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 4000
# So many steps of one thing around a write are looked at.
_NEAR: Final = 30
# What answers to a false date that services have no status for.
_FAULTS: Final = frozenset({400, 409, 422})
# What an answer calls the date, or what it says of one.
_OF_DATES: Final = Words(
    r"(?i)\b(?:un)?modified[ _-]?since|\bif[-_ ]unmod"
    r"|\b(?:last[ _-]?)?(?:modified|changed|updated)[ _-]?(?:date|time|on|at)\b"
    r"|\b(?:date|time|timestamp)\b"
)
# What a terse service calls the outcome of a comparison: a code of its own, no word of a sentence.
_COMPARED: Final = Words(
    r"(?im)(?:^|[\"'>=:])\s*(?:(?:err(?:or)?|e|is|has|was)[_ -]?)?"
    r"(?:newer|older|stale|conflict(?:ed)?|collision|clash|pre-?cond(?:ition)?(?:[_ -]?failed)?|mismatch"
    r"|superseded|overtaken|out[_ -]?dated|too[_ -](?:old|late)|concurren(?:t|cy)|409|412)\s*(?:[\"'<,}]|$)"
)


def refuses_date(history: Sequence[Step], step: Step) -> bool:
    """Tell whether a write was not carried out because of the date that it was sent under.

    Args:
        history: what its actor did to the resource, in order of time.
        step: of these.
    """
    if not step.is_write or step.batched or step.refused:
        return False
    denied = 200 <= step.status < 300 and step.negative and not step.header("etag")
    if not (denied or step.status in _FAULTS):
        return False
    guard = step.guard
    if guard is None or guard.guard is not Guard.SAME_DATE or not guard.value.strip():
        return False
    if _speaks_of(step, guard):
        return True
    if _passed_with_another(history, step, guard):
        return True
    return denied and _was_false(history, step, guard)


def _speaks_of(step: Step, guard: Condition) -> bool:
    """Tell whether an answer names the field, repeats the date, or says that the thing was changed since."""
    text = step.view.text[:_LONGEST]
    if not text:
        return False
    if guard.name.casefold() in text.casefold() or guard.value.strip() in text:
        return True
    if 200 <= step.status < 300:
        return says_outdated(step) or _COMPARED.search(text) is not None
    return says_outdated(step) and _OF_DATES.search(text) is not None


def _passed_with_another(history: Sequence[Step], step: Step, guard: Condition) -> bool:
    """Tell whether the next such write passes with the same content and another date, or another spelling."""
    place = next((number for number, one in enumerate(history) if one is step), len(history))
    for one in history[place + 1 : place + 1 + _NEAR]:
        if not one.is_write or one.method != step.method:
            continue
        other = one.guard
        if not one.accepted or other is None or other.guard is not Guard.SAME_DATE:
            return False
        return other.value.strip() != guard.value.strip() and same_content(one.body, step.body)
    return False


def _was_false(history: Sequence[Step], step: Step, guard: Condition) -> bool:
    """Tell whether the date is none, or lies before the one that is served for the thing."""
    sent = guard.moment
    if sent is None:
        return not tokens.null_word(guard.value)
    place = next((number for number, one in enumerate(history) if one is step), len(history))
    before = [one for one in history[max(0, place - _NEAR) : place] if one.read_ok or one.accepted]
    after = next((one for one in history[place + 1 : place + 1 + _NEAR] if one.read_ok or one.is_write), None)
    looks = [*before[-1:], *([after] if after is not None and after.read_ok else [])]
    # Some services want the very date, and no later one.
    return any(date > sent or zones_apart(sent, date) for one in looks for date in _dates(one))


def _dates(look: Step) -> list[float]:
    """Return when a look says that the thing was changed last."""
    if look.last_modified is not None:
        return [look.last_modified]
    told = (
        told_moment(one.value)
        for one in shown(look)
        if re.search(r"(?i)modif|chang|updat", one.word) is not None
    )
    return [moment for moment in told if moment is not None]
