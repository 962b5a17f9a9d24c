"""Read lists of entity tags, as If-Match and If-None-Match hold them.

Source: RFC 9110 sections 5.6.1 (lists), 13.1.1 and 13.1.2 (the two fields).
"""

from __future__ import annotations

import enum
import re
from typing import Final, Literal, TypeAlias

from ifmatch.core.entity_tag import ETAGC, EntityTag, parse_entity_tag
from ifmatch.core.malformed import Malformed

__all__ = [
    "ANY",
    "TagList",
    "Wildcard",
    "is_tag_list",
    "lists_tag",
    "parse_entity_tags",
    "well_formed_members",
]


class Wildcard(enum.Enum):
    """Stand for the field value `*`, which asks for existence and names no tag.

    Source: RFC 9110 section 13.1.1.
    """

    ANY = "*"


ANY: Final[Literal[Wildcard.ANY]] = Wildcard.ANY

TagList: TypeAlias = Wildcard | tuple[EntityTag, ...] | Malformed
"""What a value of If-Match or If-None-Match says."""

_TAG = rf'(?:W/)?"{ETAGC}*+"'

# Possessive throughout: a hostile value costs one pass.
# `is_tag_list` tells whether a text is a list of entity tags; the wildcard is none.
is_tag_list = re.compile(rf"[ \t,]*+(?:{_TAG}[ \t]*+(?:,[ \t,]*+|\Z))*+").fullmatch
_find_tags = re.compile(r'(?:W/)?"[^"]*+"').findall
_element = re.compile(rf"[ \t]*+(?:({_TAG})[ \t]*+(?=,|\Z))?+").match


def lists_tag(text: str, opaque_tag: str, *, weakly: bool) -> bool:
    """Tell whether a well-formed list holds a tag, without taking the list apart.

    Args:
        text: a field value for which `is_tag_list` holds.
        opaque_tag: the tag to look for, with its quotes and without `W/`.
        weakly: whether members marked as weak count.

    Source: RFC 9110 sections 8.8.3.2 and 5.6.1.
    """
    quotes = seen = 0
    at = text.find(opaque_tag)
    while at >= 0:
        # An opening quote has an even number before it: `","` stands in `"a","b"`, yet is no member.
        quotes += text.count('"', seen, at)
        if not quotes % 2 and (weakly or text[at - 1 : at] != "/"):
            return True
        seen = at
        at = text.find(opaque_tag, at + 1)
    return False


def parse_entity_tags(text: str | bytes) -> TagList:
    """Read a value of If-Match or If-None-Match: `*`, or a list of entity tags.

    Args:
        text: the field value, lines joined by commas; white space around it is left out. Bytes are read as
            latin-1.

    Returns:
        `ANY`; or the tags in order, none for an empty value; or where and why the value is malformed.
        `well_formed_members` still finds the good members of a malformed value.

    Source: RFC 9110 sections 13.1.1, 13.1.2 and 5.6.1.2.
    """
    text = (text.decode("latin-1") if isinstance(text, bytes) else text).strip(" \t")
    if text == "*":
        return ANY
    if is_tag_list(text) is None:
        return _explain(text)
    return tuple(EntityTag.parse(tag) for tag in _find_tags(text))


def well_formed_members(text: str) -> tuple[EntityTag, ...]:
    """Return the entity tags that stand between the delimiters of a list, well-formed or not.

    Reads from left to right; behind a malformed member it goes on at the next comma. Such members count only
    where counting them refuses a request.

    Args:
        text: the field value, lines joined by commas.

    Source: RFC 9110 sections 5.6.1 and 8.8.3.
    """
    members: list[EntityTag] = []
    position = 0
    while position <= len(text):
        match = _element(text, position)
        if match is not None and match[1] is not None:
            members.append(EntityTag.parse(match[1]))
            position = match.end() + 1
            continue
        comma = text.find(",", position)
        if comma < 0:
            break
        position = comma + 1
    return tuple(members)


def _explain(text: str) -> Malformed:
    position = 0
    while True:
        match = _element(text, position)
        end = match.end() if match is not None else position
        if match is None or (match[1] is None and not text.startswith(",", end)):
            break
        position = end + 1
    if text.startswith("*", end):
        return Malformed(text, end, "* stands alone: neither tags nor empty elements may be beside it")
    member = parse_entity_tag(text[end:])
    if not isinstance(member, Malformed):  # pragma: no cover -- such a member would have been read above
        return Malformed(text, end, "not a list of entity tags")
    reason = member.reason
    if reason.endswith("ends with its closing double quote"):
        reason = "a comma must follow an entity tag"
    return Malformed(text, end + member.position, reason)
