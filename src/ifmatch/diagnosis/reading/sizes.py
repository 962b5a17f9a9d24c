"""Measure contents by what they say, however it is spaced."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from ifmatch.model.message import Content

# Longer contents are long however they are spaced.
_SHORT: Final = 400


def size_of(content: Content) -> int:
    """Return the octets of a content, those of short JSON with one blank after each colon and comma.

    Args:
        content: any.
    """
    value = content.json() if len(content) <= _SHORT else UNKNOWN
    return len(content) if value is UNKNOWN else len(json.dumps(value, ensure_ascii=False).encode())
