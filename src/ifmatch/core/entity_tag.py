"""Read, write and compare entity tags.

Source: RFC 9110 section 8.8.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ifmatch.core.malformed import Malformed

__all__ = ["ETAGC", "EntityTag", "is_entity_tag", "parse_entity_tag"]

# etagc = %x21 / %x23-7E / obs-text; obs-text = %x80-FF (RFC 9110 sections 8.8.3 and 5.5).
ETAGC = r"[\x21\x23-\x7e\x80-\xff]"

_fullmatch = re.compile(rf'(W/)?"({ETAGC}*+)"').fullmatch
# Whether a text is one entity tag in field syntax: the bound method itself, a call less on the hot path.
# Two alternatives match quicker than an optional group.
is_entity_tag = re.compile(rf'"{ETAGC}*+"|W/"{ETAGC}*+"').fullmatch
_not_etagc = re.compile(rf"(?!{ETAGC})", re.DOTALL).search


@dataclass(frozen=True, slots=True)
class EntityTag:
    """An entity tag; `==` tells identity, comparing for a condition is a method with a name.

    Attributes:
        opaque: what stands between the quotes, octets as latin-1 text; may be empty.
        weak: True when the tag is marked with `W/`.

    Raises:
        ValueError: when `opaque` holds a character that no entity tag can hold.

    Source: RFC 9110 section 8.8.3.
    """

    opaque: str
    weak: bool = False

    def __post_init__(self) -> None:
        if _fullmatch(f'"{self.opaque}"') is None:
            raise ValueError(
                f"{self.opaque!r} cannot stand in an entity tag: the characters are those of latin-1 without"
                " controls, the space and the double quote, and the surrounding quotes are not part of it"
            )

    @classmethod
    def parse(cls, text: str | bytes) -> EntityTag:
        """Read one entity tag in field syntax: `"abc"` or `W/"abc"`.

        Args:
            text: the tag with its quotes, and nothing around it.

        Raises:
            ValueError: when the text is no entity tag; says where and why.

        Source: RFC 9110 section 8.8.3.
        """
        tag = parse_entity_tag(text)
        if isinstance(tag, Malformed):
            raise ValueError(f"{tag.text!r} is no entity tag: {tag.reason}, at position {tag.position}")  # noqa: TRY004 -- a value is wrong, not a type
        return tag

    def strongly_matches(self, other: EntityTag) -> bool:
        """Compare as If-Match and If-Range do: neither is weak and the opaque parts are equal.

        Args:
            other: the tag to compare with.

        Source: RFC 9110 section 8.8.3.2.
        """
        return not self.weak and not other.weak and self.opaque == other.opaque

    def weakly_matches(self, other: EntityTag) -> bool:
        """Compare as If-None-Match does: the opaque parts are equal, weak or not.

        Args:
            other: the tag to compare with.

        Source: RFC 9110 section 8.8.3.2.
        """
        return self.opaque == other.opaque

    def __str__(self) -> str:
        return f'W/"{self.opaque}"' if self.weak else f'"{self.opaque}"'


def parse_entity_tag(text: str | bytes) -> EntityTag | Malformed:
    """Read one entity tag in field syntax, and nothing around it.

    Args:
        text: the tag with its quotes; bytes are read as latin-1.

    Returns:
        The tag, or where and why the text is none.

    Source: RFC 9110 section 8.8.3.
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    match = _fullmatch(text)
    if match is None:
        return _explain(text)
    return EntityTag(match[2], match[1] is not None)


def _explain(text: str) -> Malformed:
    start = 2 if text.startswith("W/") else 0
    if text.startswith("w/"):
        return Malformed(text, 0, "the mark of a weak tag is a capital W and a slash")
    if not text.startswith('"', start):
        reason = "an entity tag begins with a double quote, or with W/ and a double quote"
        return Malformed(text, start, reason)
    end = text.find('"', start + 1)
    if end < 0:
        end = len(text)
    stray = _not_etagc(text, start + 1, end)
    if stray is not None and stray.start() < end:
        reason = f"the character {text[stray.start()]!r} cannot stand in an entity tag"
        return Malformed(text, stray.start(), reason)
    if end == len(text):
        return Malformed(text, end, "the closing double quote is missing")
    return Malformed(text, end + 1, "an entity tag ends with its closing double quote")
