"""Hear of values that a text names side by side, and that are one value spelt in two ways.

Who pastes a refusal that names both tags, or a command beside the tag it was meant to carry, shows what went
wrong: quotes, braces, case, a suffix or a mark of weakness that one has and the other lacks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.model.exchange import Told
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Respelt", "respelt"]

_VALUE: Final = r"[\"'\u201c\u2018`\\]*((?:W/)?[\"\\{]*[\w.:+/=,{}-]{3,200}\"?)"
# `The request ETag value '..' does not match the object's ETag value '..'`.
_SIDE_BY_SIDE: Final = late_pattern(
    rf"\b(?:e-?tag|version|if-match|revision)\b.{{0,30}}?[\"'\u201c\u2018`\\]{_VALUE}[\"'\u201d\u2019`\\]*"
    r" (?:does not|did not|doesn.t|didn.t|is not|!=|vs\.?|but|instead of) .{0,60}?"
    rf"(?:e-?tag|version|value|current|expected|is|match)\b.{{0,20}}?[\"'\u201c\u2018`\\]{_VALUE}",
    re.IGNORECASE,
)
_SHOWN: Final = late_pattern(rf"(?<![\w-])(?:@odata\.)?e-?tag[\"'`\\]{{0,3}} ?[:=] ?{_VALUE}", re.IGNORECASE)
_SENT: Final = late_pattern(rf"\bif-match[\"'`\\]{{0,3}} ?[:=] ?{_VALUE}", re.IGNORECASE)
_CODING: Final = late_pattern(r"(?:--?|;)(?:gzip|br|deflate|zstd)(?=\"?\Z)")
_SIGNS: Final = str.maketrans("", "", "\"'\\{}`")
_QUOTES: Final = str.maketrans("", "", "\"'\\`")
_WEIGHT: Final = 6.0
_LESS: Final = 4.6
_SAID: Final = 60


class Respelt(Frozen, frozen=True):
    """Two spellings of one value.

    Attributes:
        told: what they speak for.
        alone: whether the text sets them side by side itself.
    """

    told: Told
    alone: bool


def respelt(text: str) -> Iterator[Respelt]:
    """Yield what two spellings of one value speak for.

    Args:
        text: on one line.
    """
    for found in _SIDE_BY_SIDE.finditer(text):
        if (cause := _difference(found[1], found[2])) is not None:
            yield Respelt(Told(cause, _beside(found[1], found[2]), _WEIGHT), alone=True)
    sent = {found[1] for found in _SENT.finditer(text)}
    shown = {found[1] for found in _SHOWN.finditer(text)} if sent else set[str]()
    for one in sorted(sent):
        for other in sorted(shown - sent):
            # Quotes are lost in prose and in shells; a mark of weakness or a suffix is not.
            cause = _difference(one, other)
            if cause is not None and (_is_weak(one) != _is_weak(other) or cause == "etag-suffix-rewrite"):
                yield Respelt(Told(cause, _beside(one, other), _LESS), alone=False)


def _beside(one: str, other: str) -> str:
    return f"{one[:_SAID]} beside {other[:_SAID]}"


def _is_weak(value: str) -> bool:
    return value[:2] in {"W/", "w/"}


def _difference(one: str, other: str) -> str | None:
    """Return the cause that the difference of two spellings speaks for, None where these are two values."""
    bare = [
        value[2:].translate(_SIGNS) if _is_weak(value) else value.translate(_SIGNS) for value in (one, other)
    ]
    bare = [value.rstrip(".,:") for value in bare]
    if not bare[0] or one.translate(_QUOTES) == other.translate(_QUOTES):
        return None
    if bare[0].lower() == bare[1].lower():
        return "malformed-validator"
    if _CODING.sub("", bare[0]) == _CODING.sub("", bare[1]):
        return "etag-suffix-rewrite"
    return None
