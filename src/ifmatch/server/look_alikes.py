"""Recognise the shapes in which a right token comes back wrong: weak, suffixed, unquoted, of a neighbour.

Each hint names a cause of the catalogue by its id. A hint is what the request itself shows, no diagnosis.

Source: RFC 9110 section 8.8.3 (entity tags) and section 5.6.7 (dates).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from ifmatch.core.conditional_fields import CONDITIONAL_FIELDS, conditional_values, present
from ifmatch.core.entity_tag import EntityTag, parse_entity_tag
from ifmatch.core.http_date import parse_http_date
from ifmatch.core.list_syntax import well_formed_members
from ifmatch.core.malformed import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ifmatch.server.answers import Current, FieldPairs

__all__ = ["CODING_SUFFIXES", "Hint", "is_placeholder", "look_alikes", "without_suffix"]

CODING_SUFFIXES: Final = (
    "--gzip",
    "-gzip",
    "-br",
    "-zstd",
    "-deflate",
    "-df",
    ";gzip",
    ";br",
    "+gzip",
    ".gzip",
)
"""What encoders append to the opaque part of a tag: Apache, Caddy, Jetty, Traffic Server and others."""

_PLACEHOLDERS: Final = frozenset(
    {
        "null",
        "undefined",
        "none",
        "nil",
        "nan",
        "[object object]",
        "{{etag}}",
        "${etag}",
        "%s",
        "true",
        "false",
    }
)
_QUOTES: Final = re.compile(r'\\?"|%22|&quot;|&#34;|[\u201c\u201d\x93\x94]|^\'|\'$')
_ISO_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d)?")
_FRACTION: Final = re.compile(r":\d\d[.,]\d+")
_QUARTER_HOUR: Final = timedelta(minutes=15)
_LONGEST_OFFSET: Final = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that the request shows.

    Attributes:
        cause: id of the cause that it points to.
        text: one sentence for the developer of the client.
        compares: True when the text tells something of the current state.
    """

    cause: str
    text: str
    compares: bool = False


def without_suffix(opaque: str) -> str | None:
    """Return the opaque part of a tag without the suffix of an encoder; None when it has none.

    Args:
        opaque: what stands between the quotes.

    Source: RFC 9110 section 8.8.3.3 (a coded representation has a tag of its own).
    """
    for suffix in CODING_SUFFIXES:
        if opaque.endswith(suffix) and len(opaque) > len(suffix):
            return opaque[: -len(suffix)]
    return None


def is_placeholder(opaque: str) -> bool:
    """Tell whether a tag is what a program writes for a variable that was never filled.

    Args:
        opaque: what stands between the quotes.
    """
    return opaque.lower() in _PLACEHOLDERS


def look_alikes(fields: FieldPairs, current: Current | None) -> tuple[Hint, ...]:
    """Return what the conditional fields of a refused request show, most telling first, each cause once.

    Args:
        fields: the header lines of the request.
        current: the state that the conditions were compared with, None when there is none.

    Source: RFC 9110 section 13.1.
    """
    values = conditional_values(fields)
    if values is None:
        return ()
    said: dict[str, Hint] = {}
    for name, value in zip(CONDITIONAL_FIELDS, values, strict=True):
        if value is None:
            continue
        if name in ("If-Match", "If-None-Match"):
            found = _of_tags(name, value, current)
        elif name == "If-Unmodified-Since":
            found = _of_date(value, current)
        else:
            continue
        for hint in found:
            said.setdefault(hint.cause, hint)
    return tuple(said.values())


def _of_tags(name: str, value: str, current: Current | None) -> Iterator[Hint]:
    bare = _QUOTES.sub("", value).strip()
    if is_placeholder(bare) or (not bare and value):
        text = f"{name} holds {value} in the place of a tag: the variable was never filled with an ETag"
        yield Hint("null-token", text)
        return
    if value == '"*"':
        yield Hint("malformed-validator", f'{name}: "*" in quotes is a tag; the wildcard has no quotes')
    etag = None if current is None else current.representation.etag
    members = well_formed_members(value)
    if current is not None and etag is not None:
        if not members and bare.removeprefix("W/").removeprefix("w/") == etag.opaque:
            text = f"{value} is the current tag with damaged quotes: send {etag} as ETag gave it"
            yield Hint("malformed-validator", text, compares=True)
        if name == "If-Match":
            yield from _of_members(members, etag, current.other_tags)
    if not members and value and '"' not in value and value != "*":
        text = f'{name} lacks the double quotes, which are part of an entity tag: "{bare[:200]}"'
        yield Hint("malformed-validator", text)


def _of_members(members: Sequence[EntityTag], etag: EntityTag, other_tags: Sequence[str]) -> Iterator[Hint]:
    others = [tag for tag in map(parse_entity_tag, other_tags) if not isinstance(tag, Malformed)]
    for tag in members:
        if tag.strongly_matches(etag):
            continue
        if tag.weakly_matches(etag):
            yield _weak(tag, etag)
        elif without_suffix(tag.opaque) == etag.opaque:
            text = (
                f"{tag} is the current tag with the suffix of an encoder between this server and the client"
            )
            yield Hint("etag-suffix-rewrite", text, compares=True)
        elif any(tag.weakly_matches(other) for other in others):
            text = f"{tag} is the tag of another representation of this resource (coding, language or format)"
            yield Hint("representation-mismatch", text, compares=True)


def _weak(tag: EntityTag, etag: EntityTag) -> Hint:
    if etag.weak:
        text = f"the current tag {etag} is weak, and If-Match needs a strong one: no client can satisfy it"
        return Hint("weak-only-origin", text, compares=True)
    text = (
        f"{tag} is the weak form of the current tag: something between this server and the client put W/ on"
    )
    return Hint("etag-weakened", text, compares=True)


def _of_date(value: str, current: Current | None) -> Iterator[Hint]:
    date = parse_http_date(value, now=present)
    if not isinstance(date, Malformed):
        modified = None if current is None else current.representation.last_modified
        if modified is not None:
            yield from _of_offset(date, modified)
        return
    if _FRACTION.search(value):
        text = (
            f"If-Unmodified-Since: {value} has a fraction of a second; send the value of Last-Modified as is"
        )
        yield Hint("bad-date", text)
    elif _ISO_DATE.search(value):
        text = f"If-Unmodified-Since: {value} is an ISO 8601 date; send the value of Last-Modified as is"
        yield Hint("bad-date", text)
    else:
        yield Hint("bad-date", f"If-Unmodified-Since: {value} is no HTTP date: {date.reason}")


def _of_offset(date: datetime, modified: datetime) -> Iterator[Hint]:
    gap = modified - date
    if timedelta() < gap <= _LONGEST_OFFSET and gap % _QUARTER_HOUR == timedelta():
        text = f"the date is exactly {gap} before Last-Modified, as if local time had been written as GMT"
        yield Hint("timezone-error", text, compares=True)
