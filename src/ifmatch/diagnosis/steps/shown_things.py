"""Tell an answer that shows the thing itself, as it is stored now, from a report about a write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.listed_records import leaves_of, member_word
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.reading.sent_rows import Row
    from ifmatch.diagnosis.steps.step import Step

__all__ = ["shows_thing"]

# What is given for signing in (RFC 6749 section 5.1): no account of what was sent.
_GRANTED: Final = late_pattern(
    r'"access_?token"\s*:\s*"[\s\S]{0,20000}?"(?:token_?type|expires_?in)"\s*:'
    r'|"(?:token_?type|expires_?in)"\s*:[\s\S]{0,20000}?"access_?token"\s*:\s*"',
    re.IGNORECASE,
)
# When a thing came to be, as a member of it; as many digits are in a time at least.
_MADE: Final = late_pattern(
    r'(?i)"(?:date[_-]?)?(?:creat(?:ed|ion)|inserted|registered)(?:[_-]?(?:at|on|date|time|timestamp))?"'
)
_DIGITS: Final = 8
_PAIR: Final = 2
# What a report has, and a thing has not.
_OUTCOME: Final = late_pattern(
    r"(?i)(?:errors?|failures?|faults?|reasons?|messages?|warnings?|notes?|outcome|result|detail|problem|rejected|skipped)"
)


def shows_thing(step: Step, rows: Sequence[Row]) -> bool:
    """Tell whether the answer to a write shows what is stored, or what was granted.

    Args:
        step: a write.
        rows: that it sends.
    """
    return (
        _repeats_lists(step)
        or _shows_made(step)
        or _under_their_names(step, rows)
        or _GRANTED.search(step.view.text) is not None
    )


def _repeats_lists(step: Step) -> bool:
    """Tell whether an answer has the lists that a write sent, in their places, and nothing else in them.

    That is the thing as it is stored now; a report says of each row what became of it.
    """
    sent, told = (_in_lists(text) for text in (step.view.sent_text, step.view.text))
    return bool(sent) and all(name and told.get(name) == values for name, values in sent.items())


def _shows_made(step: Step) -> bool:
    """Tell whether an answer shows the thing that was made: when it came to be, and what was sent for it.

    Its name or address may hold any word (`test-error-page`), and no member of it tells of an outcome.
    """
    text = step.view.text
    if step.method != "POST" or text.lstrip()[:1] != "{" or _MADE.search(text) is None:
        return False
    told = {(member_word(name), value.casefold()) for name, value in leaves_of(text)}
    sent = {(member_word(name), value.casefold()) for name, value in leaves_of(step.view.sent_text) if value}
    made = any(
        _MADE.fullmatch(f'"{name}"') and sum(map(str.isdigit, value)) >= _DIGITS for name, value in told
    )
    outcome = any(value and _OUTCOME.fullmatch(name) for name, value in told - sent)
    return made and not outcome and len(sent & told) * 2 >= len(sent) > 0


def _under_their_names(step: Step, rows: Sequence[Row]) -> bool:
    """Tell whether names that were sent with values, a pair a row, are shown as members with these values."""
    if len(rows) < _PAIR or any(len(row) != _PAIR for row in rows) or step.view.text.lstrip()[:1] != "{":
        return False
    told: set[tuple[str, str]] = set()
    for name, value in leaves_of(step.view.text):
        told.update((part, value) for part in name.split("/")[-_PAIR:])
    return all(tuple(row.values()) in told for row in rows)


def _in_lists(text: str) -> dict[str, set[tuple[str, str]]]:
    """Return what stands in the lists of a content, by the names of the lists."""
    found: dict[str, set[tuple[str, str]]] = {}
    for name, value in leaves_of(text) if text.lstrip()[:1] == "{" and "[" in text else ():
        parts = name.split("/")
        place = next((number for number, part in enumerate(parts) if part.isdigit()), None)
        if place is not None:
            found.setdefault("/".join(parts[:place]), set()).add((name, value))
    return found
