"""Find reads from a cursor that is older than what the service keeps, and whose reader goes on all the same.

Such an answer is a success: it begins where the service's memory begins, and what lies before is missing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.listed_records import leaves_of
from ifmatch.diagnosis.steps.message_members import shown
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.late import late_pattern
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.steps.step import Step

_OK: Final = frozenset({200, 206})
# So many steps later nobody goes on from an answer.
_NEAR: Final = 60
_LONGEST: Final = 200
_MOST_TEXT: Final = 400_000
# A shorter value stands in a request by chance.
_TELLING: Final = 3
# What a reader calls the point from which it wants to know what is new.
_CURSOR: Final = Words(
    r"(?:.*[-_.])?(?:since|cursor|after|offset|checkpoint|bookmark|watermark|position|pos|from|start|marker"
    r"|(?:last|from|start(?:ing)?|since|after)[-_]?(?:seq(?:uence)?|event|change|offset|version|id|token|rev(?:ision)?)"
    r"(?:[-_]?id)?"
    r"|(?:sync|delta|change|page|continuation|resume|skip)[-_]?token|seq(?:uence)?|resource_?version)"
)
# That the point lies before what is kept, in the words of an answer beside its content.
_TOO_OLD: Final = Words(
    r"\b(?:cursor|token|since|bookmark|checkpoint|watermark|offset|position|sequence|marker|starting point)\b"
    r"[^.\"]{0,40}\b(?:older than|before|precedes?|predates?|outside|beyond|past|expired|too old|lapsed"
    r"|no longer (?:valid|kept|available|known|retained))\b"
    r"|\b(?:history|log|feed|journal|changes|events|entries)\b[^.\"]{0,40}\b(?:truncated|trimmed|compacted|purged"
    r"|pruned|dropped|discarded|incomplete|missing|no longer (?:kept|available|retained))\b"
    r"|\b(?:incomplete|missing|gap|truncated)\b[^.\"]{0,40}\b(?:retention|retained|cursor|history|older)\b"
)
# Where what is kept begins, as answers call it.
_KEPT_FROM: Final = Words(
    r"(?:(?:retained|kept|retention|stored)[-_ ]?(?:from|since|start|after|begin\w*)"
    r"|(?:oldest|earliest|first|min(?:imum)?|lowest)[-_ ]?(?:retained|kept|available|stored|known"
    r"|cursor|offset|seq\w*)"
    r"|(?:low|min)[-_ ]?water[-_ ]?mark|log[-_ ]?start[-_ ]?(?:offset|seq\w*)?"
    r"|(?:compacted|trimmed|purged|truncated|pruned)"
    r"[-_ ]?(?:to|until|before|up_?to)?|retention[-_ ]?(?:horizon|limit)|horizon)"
)
_DATED: Final = late_pattern(r"(?<!\d)(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:[.,]\d+)?Z?(?!\d)")


def missed_changes(case: Case) -> Iterator[tuple[Step, Damage]]:
    """Yield the reads from a cursor past its time that were answered with what is left, once for each reader.

    Args:
        case: everything known.
    """
    seen: set[tuple[str, str]] = set()
    for step in case.steps:
        if not step.is_read or step.status not in _OK or "?" not in step.resource:
            continue
        key = step.actor, step.resource.partition("?")[0]
        asked = _asked(step)
        if not asked or key in seen:
            continue
        told = _told(step, asked)
        after = _went_on(case, step) if told else None
        if after is not None:
            seen.add(key)
            yield step, Damage(Outcome.WRONG_CONTENT, told, lost=after, lapsed=True)


def _asked(step: Step) -> Mapping[str, str]:
    """Return the parameters of a read that say from where on it wants to know what is new."""
    return {name: value for name, value in step.view.query.items() if value and _CURSOR.fullmatch(name)}


def _beside(step: Step) -> list[tuple[str, str]]:
    """Return what an answer says beside what it lists: its fields, and the plain members at its top."""
    found = [(one.word, one.value) for one in shown(step) if one.where == "header"]
    body = step.view.json
    if body is UNKNOWN or not isinstance(body, dict):
        return found
    members = cast("dict[str, object]", body)
    inner = [cast("dict[str, object]", one) for one in members.values() if isinstance(one, dict)]
    for one in (members, *inner):
        found += [
            (name, str(value))
            for name, value in one.items()
            if isinstance(value, str | int | float) and not isinstance(value, bool)
        ]
    return found


def _told(step: Step, asked: Mapping[str, str]) -> str:
    """Return what an answer says of a cursor that is older than what is kept, "" where it says nothing."""
    content = step.content
    if content is not None and len(content) > _MOST_TEXT:
        return ""
    beside = _beside(step)
    for name, value in beside:
        if len(value) <= _LONGEST and _TOO_OLD.search(value):
            return f"{name} says “{value}”: what lies before is missing from the answer"
    for name, value in beside:
        if _KEPT_FROM.fullmatch(name.removeprefix("X-").removeprefix("x-")) is None:
            continue
        later = next((one for one in asked.values() if _before(one, value)), None)
        if later is not None:
            begin = f"the answer begins at {value} ({name}), and {later} was asked for"
            return f"{begin}: what lies between is missing"
    return ""


def _before(one: str, other: str) -> bool:
    """Tell whether a cursor, a count or one made of a moment, lies before another, with something between.

    A moment alone may be the begin of a stretch that somebody wants to look at.
    """
    if one.isdigit() and other.isdigit() and len(one) <= len(other) < len(one) + _TELLING:
        return int(one) + 1 < int(other)
    first, second = _moment(one), _moment(other)
    return told_moment(one) is None and first is not None and second is not None and first < second


def _moment(text: str) -> float | None:
    """Return the moment that a value is, or has within: cursors are made of it."""
    if text.isdigit():
        return None
    found = _DATED.search(text)
    if found is None:
        return told_moment(text)
    year, month, day, hour, minute, second = found.groups()
    return told_moment(f"{year}-{month}-{day}T{hour}:{minute}:{second}Z")


def _went_on(case: Case, step: Step) -> Step | None:
    """Return the request by which a reader went on from such an answer, None where it began anew."""
    asked = set(_asked(step).values())
    path = step.resource.partition("?")[0]
    fields = " ".join(value for _, value in step.received or ())
    text = f"{fields} {step.content.text if step.content is not None else ''}"
    for one in case.steps[step.order + 1 : step.order + _NEAR]:
        if one.actor != step.actor or host_of(one.resource) != host_of(step.resource):
            continue
        again = one.is_read and one.resource.partition("?")[0] == path
        if again and not _asked(one):
            return None
        carried = [value for _, value in leaves_of(one.view.sent_text)] if one.is_write else []
        carried += _asked(one).values() if again else ()
        if any(_given(value, text) for value in carried if value not in asked):
            return one
    return None


def _given(value: str, text: str) -> bool:
    """Tell whether an answer had given out a value that a later request carries."""
    if len(value) < _TELLING or not any(map(str.isdigit, value)):
        return False
    return value in text and re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text) is not None
