"""Name the states of rows: versions that only grow and never come back, and digests of contents.

A version is 32 characters: 13 decimal digits, the time in milliseconds, then 19 random hexadecimal digits.
The random part keeps two states apart, also of a row that was deleted and made anew. The order keeps old
versions out: whoever saves a row that it read long ago sends the old version along with its new content,
and a trigger (`ifmatch.server.models.triggers`) can tell, because that version is not above the stored one.

Source: RFC 9110 section 8.8.1 (strong validators) and section 8.8.3 (entity tags).
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "ETAG_MEMBER",
    "VERSION_LENGTH",
    "content_digest",
    "digest_of",
    "next_version",
    "strong_tag",
    "with_tag",
]

VERSION_LENGTH: Final = 32
"""Characters of a version: what a column for it has to hold."""
ETAG_MEMBER: Final = "etag"
"""The member of an item in a collection that carries the item's entity tag, quotes included: If-Match takes
it as it is."""

_DIGITS: Final = 13
_RANDOM_BITS: Final = 76


def next_version(last: str | None = None, *, milliseconds: int | None = None) -> str:
    """Return a version above the last one, also where the clock of this machine is behind.

    Args:
        last: the version that it replaces; None or "" for a new row.
        milliseconds: since 1970; None: now.
    """
    moment = time.time_ns() // 1_000_000 if milliseconds is None else milliseconds
    known = (last or "")[:_DIGITS]
    if len(known) == _DIGITS and known.isascii() and known.isdigit():
        moment = max(moment, int(known) + 1)
    return f"{moment:0{_DIGITS}d}{secrets.randbits(_RANDOM_BITS):019x}"


def strong_tag(version: str) -> str:
    """Return the strong entity tag of a version, quotes included.

    Args:
        version: letters, digits and other visible characters, without a double quote.

    Raises:
        ValueError: when the version cannot stand in an entity tag.

    Source: RFC 9110 section 8.8.3.
    """
    if not version or not all("!" <= sign <= "~" and sign != '"' for sign in version):
        raise ValueError(
            f"{version!r} cannot stand in an entity tag; a version is not empty and has visible ASCII"
            " characters only, without a double quote"
        )
    return f'"{version}"'


def with_tag(item: Mapping[str, object], tag: str) -> dict[str, object]:
    """Return an item of a collection with its entity tag as the member `etag`.

    Args:
        item: the members of the item.
        tag: its entity tag, quotes included, as `tag_of` gives it.

    Raises:
        ValueError: when the item has a member of that name already.

    Source: RFC 9110 section 8.8.3.
    """
    if ETAG_MEMBER in item:
        raise ValueError(f"the item has a member {ETAG_MEMBER!r} already; leave it out, or name your own")
    return {**item, ETAG_MEMBER: tag}


def content_digest(values: Iterable[object]) -> str:
    """Return a digest of the values of a row, the same in every process and on every machine.

    Two rows have the same digest when their values are equal: a row that is changed and changed back has
    its first tag again, which is right for its content, though a client cannot see that something happened.

    Args:
        values: of all columns that the representation is made from, in a fixed order.

    Returns:
        32 hexadecimal digits.

    Source: RFC 9110 section 8.8.3.1 (a digest of the representation as entity tag).
    """
    digest = blake2b(digest_size=16)
    for value in values:
        octets = _octets(value)
        digest.update(len(octets).to_bytes(8, "big"))
        digest.update(octets)
    return digest.hexdigest()


def digest_of(*names: str) -> Callable[[object], str]:
    """Return a function that gives the strong entity tag of a row by the digest of some of its attributes.

    For tables without a version column; the row has to be locked from the read to the commit, which `Rows`
    with this as `tag` does.

    Args:
        names: of all attributes that the representation is made from.

    Raises:
        ValueError: when no name is given.

    Source: RFC 9110 section 8.8.3.1.
    """
    if not names:
        raise ValueError(
            "name the attributes that the representation is made from; without any, all tags are equal"
        )

    def tag(instance: object) -> str:
        return strong_tag(content_digest(cast("object", getattr(instance, name)) for name in names))

    return tag


def _octets(value: object) -> bytes:
    """Return what stands for a value; the kind is part of it, so that 1 and "1" differ."""
    if isinstance(value, bytes | bytearray | memoryview):
        return b"octets:" + bytes(cast("bytes", value))
    if isinstance(value, datetime):
        # A database gives the same moment in the zone of the session.
        moment = value if value.tzinfo is None else value.astimezone(UTC)
        return f"datetime:{moment.isoformat()}".encode()
    if isinstance(value, date):
        return f"date:{value.isoformat()}".encode()
    if isinstance(value, Mapping | list | tuple):
        known = cast("Mapping[str, object] | list[object]", value)
        return b"json:" + json.dumps(known, sort_keys=True, default=str, separators=(",", ":")).encode()
    return f"{type(value).__name__}:{value}".encode("utf-8", "surrogatepass")
