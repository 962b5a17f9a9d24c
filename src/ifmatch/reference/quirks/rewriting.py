"""Rewrite tags on their way out and conditions on their way in.

Source: RFC 9110 sections 8.8.3 and 13.1.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ifmatch.reference.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.reference.messages import Answer, Request

__all__ = ["CONDITIONS", "renamed", "retagged", "weak"]

CONDITIONS: Final = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range")
"""The conditional fields, in lower case."""

_TAG: Final = re.compile(r'(W/)?"([^"]*)"')
_TAG_FIELDS: Final = ("if-match", "if-none-match", "if-range")


def weak(tag: str) -> str:
    """Return a tag marked as weak."""
    return tag if tag.startswith("W/") else f"W/{tag}"


def renamed(answer: Answer, rename: Callable[[str], str]) -> Answer:
    """Return the answer with another tag, in ETag and in problem details.

    Args:
        answer: may carry a tag.
        rename: gets the field value, returns the new one; "" takes the field away.
    """
    tag = answer.get("etag")
    if tag is None:
        return answer
    new = rename(tag)
    changed = answer.replacing("ETag", new) if new else answer.without("ETag")
    if answer.get("content-type") != MEDIA_TYPE:
        return changed
    old, said = json.dumps(tag)[1:-1].encode(), json.dumps(new)[1:-1].encode()
    return replace(changed, octets=answer.octets.replace(old, said))


def retagged(
    request: Request, rename: Callable[[str, str], str], names: tuple[str, ...] = _TAG_FIELDS
) -> Request:
    """Return the request with other tags in its conditions.

    Args:
        request: may carry conditions.
        rename: gets the mark of weakness (`W/` or "") and the opaque part, returns a tag in field syntax.
        names: of the fields, in lower case.
    """
    fields = tuple(
        (name, _TAG.sub(lambda found: rename(found[1] or "", found[2]), value) if name in names else value)
        for name, value in request.fields
    )
    return replace(request, fields=fields)
