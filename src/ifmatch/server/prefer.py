"""Read the preference of a client on what a write should give back.

Source: RFC 7240 section 2 (syntax) and section 4.2 (return), RFC 8144 section 3 (with preconditions).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from ifmatch.server.answers import Answer, field_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ifmatch.server.answers import FieldPairs

__all__ = ["PREFERENCE_APPLIED", "preferences", "preferred_return", "with_preference_applied"]

PREFERENCE_APPLIED: Final = ("Preference-Applied", "return=representation")
"""The line that tells the client that its preference was heeded (RFC 7240 section 3)."""

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 -- the grammar's name
_WORD: Final = rf'(?:{_TOKEN}|"(?:[^"\\]|\\.)*")'
# One preference: its name, an optional value, then parameters, which nothing here reads.
_preference = re.compile(
    rf"[ \t]*({_TOKEN})(?:[ \t]*=[ \t]*({_WORD}))?"
    rf"(?:[ \t]*;[ \t]*(?:{_TOKEN}(?:[ \t]*=[ \t]*{_WORD})?)?)*[ \t]*"
)


def preferences(fields: FieldPairs | Mapping[str, str]) -> dict[str, str]:
    """Return the preferences of a request, names in lower case; a name without a value has "".

    The first of several with one name counts. What cannot be read is skipped: a preference is never worth an
    error.

    Args:
        fields: the header lines of the request.

    Source: RFC 7240 section 2.
    """
    found: dict[str, str] = {}
    text = field_value(fields, "Prefer")
    position = 0
    while text is not None and position < len(text):
        match = _preference.match(text, position)
        end = match.end() if match is not None else position
        if match is not None and (end == len(text) or text[end] == ","):
            value = match[2] or ""
            if value.startswith('"'):
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            found.setdefault(match[1].lower(), value)
            position = end + 1
            continue
        comma = text.find(",", end)
        position = len(text) if comma < 0 else comma + 1
    return found


def preferred_return(fields: FieldPairs | Mapping[str, str]) -> Literal["representation", "minimal"] | None:
    """Return what a client prefers to get back from a write; None when it has no preference.

    Args:
        fields: the header lines of the request.

    Source: RFC 7240 section 4.2.
    """
    value = preferences(fields).get("return")
    if value == "representation":
        return "representation"
    return "minimal" if value == "minimal" else None


def with_preference_applied(answer: Answer) -> Answer:
    """Return the answer with the line that tells that `return=representation` was heeded.

    Args:
        answer: carries the representation.

    Source: RFC 7240 section 3.
    """
    return answer.with_fields(PREFERENCE_APPLIED)
