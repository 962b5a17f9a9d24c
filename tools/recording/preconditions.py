"""Evaluate preconditions for the plain origin.

On its own, so that recordings never rest on the code they judge.

The order is that of RFC 9110 section 13.2.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.recording.http_dates import parse_http_date

if TYPE_CHECKING:
    from tools.recording.message import Message

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_LIST = re.compile(
    r'[ \t,]*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"(?:[ \t]*,[ \t,]*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*")*[ \t,]*'
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A condition that came out against the request: 304 or 412, and which field said so."""

    status: int
    detail: str


def _members(value: str) -> list[str]:
    """Return the entity tags of a list; a malformed list has none (RFC 9110 section 13.1.1)."""
    return _TAG.findall(value) if _LIST.fullmatch(value) else []


def _matches(value: str, etag: str | None, *, exists: bool, weak: bool) -> bool:
    if value.strip() == "*":
        return exists
    if etag is None:
        return False
    if weak:
        return etag.removeprefix("W/") in {member.removeprefix("W/") for member in _members(value)}
    return not etag.startswith("W/") and etag in _members(value)


def evaluate(
    request: Message, etag: str | None, modified: float | None, exists: bool, *, weak: bool = False
) -> Refusal | None:
    """Return the refusal the conditions of ``request`` lead to, or None to go on.

    Args:
        request: The request with the fields that count.
        etag: Current entity tag in field syntax, if there is one.
        modified: Time of last modification, seconds since 1970, if known.
        exists: Whether the target has a current representation.
        weak: Compare If-Match weakly, as some dialects do.
    """
    safe = request.method in {"GET", "HEAD"}
    if (value := request.get("If-Match")) is not None:
        if not _matches(value, etag, exists=exists, weak=weak):
            return Refusal(412, "If-Match does not match the current version")
    elif (value := request.get("If-Unmodified-Since")) is not None and modified is not None:
        limit = parse_http_date(value)
        if limit is not None and int(modified) > limit:
            return Refusal(412, "The document was modified since the given date")
    if (value := request.get("If-None-Match")) is not None:
        if _matches(value, etag, exists=exists, weak=True):
            return Refusal(304 if safe else 412, "If-None-Match matches the current version")
    elif safe and (value := request.get("If-Modified-Since")) is not None and modified is not None:
        limit = parse_http_date(value)
        if limit is not None and int(modified) <= limit:
            return Refusal(304, "Not modified")
    return None
