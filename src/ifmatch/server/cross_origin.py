"""Let pages of other origins see the ETag and send If-Match, where the service lets them in at all.

Works on the answers of whatever CORS code the service has. Nothing is opened to an origin that it does not
already allow: only the fields of conditional requests are added.

Source: the Fetch Standard, CORS protocol; RFC 9110 section 13.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["ALLOWED_FIELDS", "EXPOSED_FIELDS", "allowing", "asked_fields", "exposing", "without_ours"]

EXPOSED_FIELDS: Final = (
    "ETag",
    "Last-Modified",
    "Content-Location",
    "Preference-Applied",
    "Precondition-Required-From",
)
"""Response fields that a page needs for its next conditional request."""

ALLOWED_FIELDS: Final = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Prefer")
"""Request fields of a conditional request that are not allowed across origins by themselves."""

_OURS: Final = frozenset(name.lower() for name in ALLOWED_FIELDS)


def _members(value: str) -> list[str]:
    return [member for member in (part.strip(" \t") for part in value.split(",")) if member]


def asked_fields(value: str) -> tuple[str, ...]:
    """Return which of our request fields a preflight asks for, in its own letter case.

    Args:
        value: of Access-Control-Request-Headers.
    """
    return tuple(member for member in _members(value) if member.lower() in _OURS)


def without_ours(value: str) -> str:
    """Return the value of Access-Control-Request-Headers without our fields.

    CORS code that does not know them would refuse the preflight as a whole; it is asked for the rest, and
    `allowing` adds ours to what it allows.

    Args:
        value: of Access-Control-Request-Headers.
    """
    return ", ".join(member for member in _members(value) if member.lower() not in _OURS)


def _merged(lines: Iterable[tuple[str, str]], name: str, more: Sequence[str]) -> list[tuple[str, str]]:
    kept: list[tuple[str, str]] = []
    present: list[str] = []
    for key, value in lines:
        if key.lower() == name.lower():
            present += _members(value)
        else:
            kept.append((key, value))
    known = {member.lower() for member in present}
    present += [member for member in more if member.lower() not in known]
    return [*kept, (name, ", ".join(present))]


def _allows_origin(lines: Sequence[tuple[str, str]]) -> bool:
    return any(key.lower() == "access-control-allow-origin" for key, _ in lines)


def exposing(lines: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the header lines of an answer with our response fields exposed, if the origin is let in.

    Args:
        lines: name and value of each header line of the answer.
    """
    if not _allows_origin(lines):
        return list(lines)
    return _merged(lines, "Access-Control-Expose-Headers", EXPOSED_FIELDS)


def allowing(lines: Sequence[tuple[str, str]], asked: Sequence[str]) -> list[tuple[str, str]]:
    """Return the header lines of the answer to a preflight with our request fields allowed.

    Args:
        lines: name and value of each header line of the answer.
        asked: what `asked_fields` found in the request.
    """
    if not asked or not _allows_origin(lines):
        return list(lines)
    return _merged(lines, "Access-Control-Allow-Headers", asked)
