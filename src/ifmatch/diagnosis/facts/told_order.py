"""Find that a service's own account of one request has it stored before it was compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.losses.told_changes import about, telling_piece
from ifmatch.diagnosis.reading.dates import told_clock, told_moment
from ifmatch.diagnosis.reading.listed_records import leaves_of, records_in
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# So many steps after a request its account is looked for.
_NEAR: Final = 60
_LONGEST: Final = 60_000
_MOST: Final = 200
_SEVERAL: Final = 2
_STORED: Final = Words(
    r"\b(?:stored|storing|store|saved?|saving|wr(?:ote|itten|ite|iting)|commit(?:ted|s|ting)?|appl(?:ied|y|ying)"
    r"|persist(?:ed|s|ing)?|put|insert(?:ed)?|updat(?:ed|es|ing)|flush(?:ed)?|replaced?|swapped|booked|recorded)\b"
)
_COMPARED: Final = Words(
    r"\b(?:compar(?:ed?|es|ing|ison)|check(?:ed|s|ing)?|verif(?:y|ied|ies|ication)|evaluat(?:ed?|es|ion)"
    r"|validat\w+|test(?:ed|s)?|pre-?conditions?|guard(?:ed)?|if[-_ ]?match|match(?:ed|es|ing)?"
    r"|differ(?:s|ent|ed)?|mismatch|condition|looked at)\b"
)
_RECEIVED: Final = Words(
    r"\b(?:received?|arriv(?:ed|al|es)|got|came in|incoming|accepted|begin|began|started?)\b"
)
_NOT: Final = Words(r"\b(?:not|nothing|never|no|without|skipped|refused|rejected|dropped|false)\b")
_TIME: Final = late_pattern(r"(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?")


def stored_first(facts: Facts) -> Step | None:
    """Return the answer that tells that a refused request was stored, and compared only then; None without.

    It is told of one request, that came once, by a record with both times or by what was done in turn.

    Args:
        facts: of a refused request.
    """
    step = facts.step
    near = facts.case.steps[step.order + 1 : step.order + _NEAR]
    marks, piece = {mark.value for mark in facts.marks}, telling_piece(step)
    host = host_of(step.resource)
    for one in facts.own(near):
        content = one.content
        if not one.read_ok or one.resource == step.resource or content is None or len(content) > _LONGEST:
            continue
        if host_of(one.resource) != host:
            continue
        text = one.view.text
        asked = piece in one.exchange.request.url or piece in one.view.sent_text
        if not (any(mark in text for mark in marks) or (asked and about(one, step))):
            continue
        if _STORED.search(text.replace("_", " ")) is None or _COMPARED.search(text.replace("_", " ")) is None:
            continue
        told = _entries(one, {mark for mark in marks if mark in text})
        if _both_times(one, told) or _in_turn(one, [" ".join(entry.values()) for entry in told]):
            return one
    return None


def _entries(one: Step, marks: set[str]) -> list[dict[str, str]]:
    """Return what an answer tells in turn, of a request where it is named: records, or lines of text."""
    text = one.view.text
    if text.lstrip()[:1] in {"{", "[", "<"}:
        found = [dict(record) for record in records_in(text)] or [dict(leaves_of(text))]
    else:
        found = [{"": line} for line in text.splitlines() if line.strip()]
    named = [entry for entry in found if any(mark in " ".join(entry.values()) for mark in marks)]
    return (named or found)[:_MOST]


def _both_times(one: Step, told: Sequence[dict[str, str]]) -> bool:
    """Tell whether the only record has the time at which it was stored before that of its comparison."""
    if len(told) != 1:
        return False
    stored = compared = None
    for name, value in told[0].items():
        called = re.sub(r"[_-]|(?<=[a-z])(?=[A-Z])", " ", name.rpartition("/")[2])
        when = _moment(one, value)
        if when is not None and _STORED.search(called) is not None:
            stored = when
        elif when is not None and _COMPARED.search(called) is not None:
            compared = when
    return stored is not None and compared is not None and stored < compared


def _moment(one: Step, text: str) -> float | None:
    found = _TIME.search(text)
    if found is None:
        return None
    by = one.date if one.date is not None else one.end
    return told_moment(found[0]) or told_clock(found[0], by)


def _in_turn(one: Step, said: Sequence[str]) -> bool:
    """Tell whether the first of some lines that tells of storing comes before any that tells of comparing."""
    times = [_moment(one, line) for line in said]
    known = [when for when in times if when is not None]
    if len(known) == len(said) and known == sorted(known, reverse=True):
        said = said[::-1]
    lines = [line.replace("_", " ") for line in said]
    if sum(_RECEIVED.search(line) is not None for line in lines) >= _SEVERAL:
        # It came more than once.
        return False
    stored = compared = None
    for place, line in enumerate(lines):
        if stored is None and _STORED.search(line) is not None and _NOT.search(line) is None:
            if _COMPARED.search(line) is not None:
                # It tells of both at once.
                return False
            stored = place
        elif compared is None and _COMPARED.search(line) is not None and _STORED.search(line) is None:
            # A request is shown with its condition where it comes in.
            compared = place if _RECEIVED.search(line) is None else None
    return stored is not None and compared is not None and stored < compared
