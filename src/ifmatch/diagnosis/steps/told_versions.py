"""Read the versions that contents tell: in a refusal the one that is stored, in a record its own."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, value_at
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.compared_values import compared_as_content
from ifmatch.diagnosis.steps.message_members import shown
from ifmatch.dialects import Meaning
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

# Shorter values meet a version by chance.
_TELLING: Final = 8
_STORED: Final = Words(
    r"(?:current|stored|actual|latest|newest|server|existing|present|found|have)[-_ ]?"
    r"(?:version|revision|rev|e-?tag|generation|hash|seq|sequence|stand|state)(?:[-_ ]?(?:id|no|number))?"
)
_SAID: Final = Words(
    r"\b(?:current|stored|actual|latest|newest)(?:[ _-]?(?:version|revision|e-?tag|one|value))?"
    r"\"?\s*(?:is|was|=|:)\s*\"?([\w.:+-]*\d[\w.:+-]*)"
)
# The same without a word for versions: `{"got": 77, "have": 12}`.
_HAVE: Final = Words(
    r"(?:we|i|it|server|db|row)?[-_ ]?(?:have|has|had|holds?|held|keeps?|kept|cur|current|actual|is|now"
    r"|stored|server|there|latest|newest|last|existing|ours?|mine|own|present|found|live|head|db|here|stands?|real"
    r"|in[-_ ]?store|on[-_ ]?file|at)(?:[-_ ]?(?:at|is|now|here))?"
)
_LONGEST: Final = 4000
# An entity tag in a text, quotes and all (RFC 9110 section 8.8.3).
_MARKUP: Final = late_pattern(r"<[^<>]*>")
_QUOTED: Final = late_pattern(r'"[!#-~]{4,128}"')
_HOLDS_DIGITS: Final = late_pattern(r"\d")


def told(step: Step) -> str | None:
    """Return the version that a refusal says is stored now, None when it names none but the sent one.

    Args:
        step: a write that was refused over its version.
    """
    found, guard = _told(step), step.guard
    quoted = guard is not None and bool(guard.tokens) and tokens.is_entity_tag(guard.tokens[0])
    # A content has the version bare that the field has in quotes.
    return f'"{found}"' if found is not None and quoted and not tokens.is_entity_tag(found) else found


def _told(step: Step) -> str | None:
    refusal, guard, dialect = step.refusal, step.guard, step.dialect
    if refusal is None or refusal.meaning is not Meaning.MISMATCH or guard is None or dialect is None:
        return None
    if not (guard.key and guard.tokens):
        return None
    sent = tokens.opaque(guard.tokens[0])
    fields = {place.name.lower() for place in dialect.tokens if place.at == "header"}
    for member in shown(step):
        field = member.where == "header" and member.name.lower() in fields
        if (field or _STORED.fullmatch(member.word)) and member.value != sent:
            return member.value
    held = _held_beside(step, sent)
    if held is not None:
        return held
    said = _SAID.search(step.view.text[:_LONGEST])
    if said is not None and said[1].rstrip(".:") != sent:
        return said[1].rstrip(".:")
    current = refusal.current
    alike = current is not None and tokens.shape(current) == tokens.shape(sent)
    return current if alike and current != sent and _HOLDS_DIGITS.search(current or "") else None


def _held_beside(step: Step, sent: str) -> str | None:
    """Return the one value that an answer has beside the sent version, by a word for what is there."""
    answer = [one for one in shown(step) if one.where in {"body", "text"}]
    if not any(one.value == sent for one in answer):
        return None
    alike = {
        one.value
        for one in answer
        if one.value != sent
        and _HAVE.fullmatch(one.word)
        and _HOLDS_DIGITS.search(one.value)
        and tokens.shape(one.value) == tokens.shape(sent)
    }
    return alike.pop() if len(alike) == 1 else None


def named_beside(step: Step) -> str | None:
    """Return the one entity tag that a refusal's text names beside the tag that was sent, None without it.

    Args:
        step: a refused write whose precondition is of the header.
    """
    guard = step.guard
    if guard is None or len(guard.tokens) != 1 or guard.guard is not Guard.SAME or not step.refused:
        return None
    text = _MARKUP.sub(" ", step.view.text[:_LONGEST])
    named = [one for one in _QUOTED.findall(unescape(text).replace('\\"', '"')) if one[1:-1]]
    others = {one for one in named if one != guard.tokens[0] and _HOLDS_DIGITS.search(one)}
    return others.pop() if guard.tokens[0] in named and len(others) == 1 else None


def moved(
    step: Step, before: Content | None, there: Content | None, now: str | None
) -> tuple[str, ...] | None:
    """Return what differs between two versions, but for the version itself; None where it cannot be told.

    Args:
        step: whose guard names the first version.
        before: content of the version that the guard names.
        there: content of the one that is there.
        now: the version that is there, None when it is not known.
    """
    pointers = changed_pointers(before, there)
    if pointers is None:
        return None
    pointers = tuple(
        one
        for one in pointers
        if not (value_at(before, one) is ABSENT and _own_name(step, value_at(there, one)))
    )
    if now is None:
        return pointers
    return tuple(
        one for one in pointers if not _own(step, one, value_at(before, one), value_at(there, one), now)
    )


def _own_name(step: Step, value: object) -> bool:
    """Tell whether a value is the last step of the request's own path: the name that it was written under."""
    name = urlsplit(step.exchange.request.url).path.rstrip("/").rpartition("/")[2]
    return isinstance(value, str) and len(value) > 1 and value == unquote(name)


def _own(step: Step, pointer: str, before: object, there: object, now: str) -> bool:
    """Tell whether a member is the version that guards name: it says no more than an ETag beside it."""
    if not isinstance(there, str | int) or tokens.opaque(str(there)) != tokens.opaque(now):
        return False
    if stamped(pointer):
        return True
    if compared_as_content(step.dialect, pointer):
        return False
    guard, dialect = step.guard, step.dialect
    sent = guard.tokens if guard is not None else ()
    named = any(tokens.opaque(one) == tokens.opaque(str(before)) for one in sent)
    place = dialect is not None and any(one.name == pointer for one in dialect.tokens)
    return named and (place or len(tokens.opaque(now)) >= _TELLING)
