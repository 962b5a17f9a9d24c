"""Read what the content of a multi-status answer tells of each resource (RFC 4918 section 13)."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.steps.step import Step

MULTI_STATUS: Final = 207
# Longer answers are listings of a whole store.
LONGEST: Final = 2_000_000
_RESPONSE: Final = late_pattern(r"<(?:[\w-]+:)?response(?:\s[^>]*)?>(.*?)</(?:[\w-]+:)?response>", re.DOTALL)
_HREF: Final = late_pattern(r"<(?:[\w-]+:)?href(?:\s[^>]*)?>\s*([^<]+?)\s*</")
_PROPERTIES: Final = late_pattern(
    r"<(?:[\w-]+:)?propstat(?:\s[^>]*)?>(.*?)</(?:[\w-]+:)?propstat>", re.DOTALL
)
_STATUS: Final = late_pattern(r"<(?:[\w-]+:)?status(?:\s[^>]*)?>\s*HTTP/[\d.]+ (\d{3})")
_TAG: Final = late_pattern(r"<(?:[\w-]+:)?getetag(?:\s[^>]*)?>\s*([^<]+?)\s*</")
_LENGTH: Final = late_pattern(r"<(?:[\w-]+:)?getcontentlength(?:\s[^>]*)?>\s*(\d{1,15})\s*</")
_CHANGED: Final = late_pattern(r"<(?:[\w-]+:)?getlastmodified(?:\s[^>]*)?>\s*([^<]{10,40}?)\s*</")
_QUOTE: Final = late_pattern(r"&(?:quot|#34|#x22);", re.IGNORECASE)
# The thing itself among its properties (RFC 4791 section 9.6, RFC 6352 section 10.4).
_DATA: Final = late_pattern(
    r"<(?:[\w-]+:)?(calendar|address)-data(?:\s[^>]*)?(?<!/)>\s*(.*?)\s*</(?:[\w-]+:)?\1-data>", re.DOTALL
)
_KINDS: Final = {"calendar": "text/calendar", "address": "text/vcard"}
_RAW: Final = late_pattern(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)


class Told(Frozen, frozen=True):
    """What a listing tells of one resource.

    Attributes:
        status: of it, by its own or that of the listing.
        tag: its entity tag, or "".
        fields: what an answer would say besides.
        state: the thing itself, or "".
    """

    status: int
    tag: str
    fields: dict[str, str]
    state: str


def _state(block: str) -> tuple[str, str]:
    """Return the thing itself that an entry holds, and its media type; "" where it holds none."""
    found = _DATA.search(block) if "-data" in block else None
    if found is None or not found[2]:
        return "", ""
    raw = _RAW.search(found[2])
    return raw[1] if raw is not None else html.unescape(found[2]), _KINDS[found[1]]


def entries_in(text: str) -> Iterator[tuple[str, Told]]:
    """Yield what a multi-status content tells of each resource, behind its reference.

    With it when it was changed, and how long it is, as fields of an answer would say.

    Args:
        text: of the answer.

    Source: RFC 4918 section 14.24 (a status beside the reference is that of the resource itself, one within
    `propstat` that of its properties).
    """
    for found in _RESPONSE.finditer(text):
        block = found[1]
        href = _HREF.search(block)
        if href is None:
            continue
        status = _STATUS.search(_PROPERTIES.sub("", block))
        tag = _TAG.search(block)
        told = {"Last-Modified": _CHANGED.search(block), "Content-Length": _LENGTH.search(block)}
        fields = {name: one[1] for name, one in told.items() if one is not None}
        state, kind = _state(block)
        if kind:
            fields["Content-Type"] = kind
        code = int(status[1]) if status is not None else 200
        yield href[1], Told(code, _QUOTE.sub('"', tag[1]) if tag else "", fields, state)


def members_failed(step: Step) -> Iterator[tuple[str, str, str]]:
    """Yield what the multi-status answer to a write tells of members that it failed for.

    Of each its reference, the status and all that is told.

    Args:
        step: a write.

    Source: RFC 4918 sections 9.6.1, 9.8.8 and 9.9.4 (members that could not be deleted, copied or moved).
    """
    text = step.content.text if step.content is not None and step.status == MULTI_STATUS else ""
    for found in _RESPONSE.finditer(text[:LONGEST]):
        href = _HREF.search(found[1])
        status = next((one for one in _STATUS.findall(found[1]) if one[0] in "45" and one != "424"), "")
        if href is not None and status:
            yield href[1], status, found[1]
