"""Hide entity tags so that whatever decides a diagnosis stays: quotes, `W/`, equality, known suffixes.

Source: RFC 9110 section 8.8.3.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.redaction.masks import is_masked
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.capture.redaction.masks import Mask

# What encoders append to the opaque tag.
_SUFFIX: Final = late_pattern(r"(?:--?|;|:)(?:gzip|br|df|deflate|zstd|dcb|dcz)$", re.IGNORECASE)
_QUOTED: Final = late_pattern(r'"([^"]*)"')
_BARE: Final = late_pattern(r'[^\s,"]+')
_IN_TEXT: Final = late_pattern(r"(\\*(?:\"|&quot;|%22))([^\"\\&%]*)(?=\\*(?:\"|&quot;|%22))")
_KEPT: Final = frozenset({"*", "w/", "null", "none", "undefined", "nil", ""})


def opaque_tags(value: str) -> Iterator[str]:
    """Yield the opaque tags of a field value without quotes; a bare value as it is."""
    quoted = _QUOTED.findall(value)
    yield from quoted or [value.strip()]


def without_suffix(opaque: str) -> str:
    """Return an opaque tag without the suffix that encoders append."""
    return _SUFFIX.sub("", opaque)


def _mask_opaque(opaque: str, mask: Mask) -> str:
    """Return an opaque tag with its known suffix kept and the rest masked."""
    suffix = _SUFFIX.search(opaque)
    base = opaque[: suffix.start()] if suffix is not None else opaque
    if base.lower() in _KEPT or is_masked(base):
        return opaque
    return mask(base) + (suffix.group() if suffix is not None else "")


def mask_tags(value: str, mask: Mask) -> str:
    """Mask the tags of a field value: each quoted one, and what stands bare.

    Args:
        value: of ETag, If-Match, If-None-Match or If-Range; a date stays.
        mask: makes the masks.
    """
    if value.rstrip().endswith("GMT"):
        return value
    parts: list[str] = []
    done = 0
    for found in _QUOTED.finditer(value):
        parts.append(_bare(value[done : found.start()], mask))
        parts.append(f'"{_mask_opaque(found.group(1), mask)}"')
        done = found.end()
    parts.append(_bare(value[done:], mask))
    return "".join(parts)


def _bare(text: str, mask: Mask) -> str:
    def hidden(found: re.Match[str]) -> str:
        word = found.group()
        lead = "W/" if word[:2] == "W/" else ""
        return lead + _mask_opaque(word[len(lead) :], mask)

    return _BARE.sub(hidden, text)


def mask_quoted(text: str, known: set[str], mask: Mask) -> str:
    """Mask known opaque tags where a text quotes them, plainly or with the quotes escaped.

    Args:
        text: free text.
        known: opaque tags without quotes.
        mask: makes the masks.
    """
    return _IN_TEXT.sub(
        lambda found: (
            found.group(1) + _mask_opaque(found.group(2), mask) if found.group(2) in known else found.group()
        ),
        text,
    )
