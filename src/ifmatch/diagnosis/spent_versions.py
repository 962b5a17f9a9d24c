"""Tell from a refusal in any language that a value of the request is a version, and an older one; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.message_members import sent, shown
from ifmatch.diagnosis.refusal_words import EXISTS
from ifmatch.diagnosis.version_words import alike
from ifmatch.dialects.words import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ifmatch.diagnosis.message_members import Member
    from ifmatch.diagnosis.steps import Step

_LONGEST: Final = 4000
_CONFLICT: Final = frozenset({409, 412})
_NUMBER: Final = re.compile(r"(?<![\w.-])\d{1,15}(?![\w-])")
_EXISTS: Final = re.compile(EXISTS, re.IGNORECASE)


def prints(step: Step, value: str) -> bool:
    """Tell whether an answer's content holds a value as a word of its own.

    Args:
        step: whose answer is searched.
        value: a version.
    """
    text = step.content.text[:_LONGEST] if step.content is not None else ""
    return re.search(rf"(?<![\w.-]){re.escape(tokens.opaque(value))}(?![\w-])", text) is not None


def counts_past(step: Step, value: str) -> bool:
    """Tell whether an answer's content prints a sent count and one a few steps further on.

    Args:
        step: whose answer is searched.
        value: a count of the request.
    """
    if not value.isdigit() or not prints(step, value):
        return False
    text = step.content.text[:_LONGEST] if step.content is not None else ""
    return any(tokens.counted_on(value, one) for one in _NUMBER.findall(text))


def printed_beside(write: Step, member: Member, answers: Iterable[Step]) -> Member | None:
    """Return the version in an answer that a refusal prints beside the one that was sent; None without one.

    Two versions in one refusal say the same in every language.

    Args:
        write: refused.
        member: a value of it that is called like a version.
        answers: about the same resource.
    """
    if not prints(write, member.value):
        return None
    others = (one for answer in answers for one in _versions(answer, member) if prints(write, one.value))
    return next(others, None)


def spent_on(write: Step, member: Member, accepted: Iterable[Step]) -> Member | None:
    """Return the version that took the place of the one that was sent, when it was accepted before.

    Whatever the words of 409 or 412 are, the version that an own write has replaced is reason enough.

    Args:
        write: refused.
        member: a value of it that is called like a version.
        accepted: writes on the same resource.
    """
    if write.status not in _CONFLICT or (write.content is not None and _EXISTS.search(write.content.text)):
        return None
    for one in accepted:
        if one.order < write.order and one.actor == write.actor and member in sent(one):
            return next(_versions(one, member), None)
    return None


def _versions(answer: Step, member: Member) -> Iterator[Member]:
    """Yield the versions of an answer that are called like a sent one, and are others."""
    mine = tokens.opaque(member.value)
    for one in shown(answer):
        if VERSION.search(one.word) and alike(one.word, member.word) and tokens.opaque(one.value) != mine:
            yield one
