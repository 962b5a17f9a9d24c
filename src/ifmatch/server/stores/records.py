"""Turn keys, fields and dates into what databases hold, and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias, cast

from ifmatch.server.stores.protocol import Content, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Row", "fields_text", "snapshot", "stored_key"]

Row: TypeAlias = tuple[str, bytes, str, str, float]


def stored_key(key: str) -> bytes:
    """Return a key as octets: any text, NUL and lone surrogates included, and no two keys alike."""
    return key.encode("utf-8", "surrogatepass")


def fields_text(content: Content) -> str:
    """Return the further fields of a content as JSON text in ASCII."""
    return json.dumps(content.fields)


def snapshot(row: Row, clock: Callable[[], datetime]) -> Snapshot:
    """Build a snapshot from the columns of a row.

    Args:
        row: version, content, value of Content-Type, what `fields_text` gave, seconds since 1970 in UTC.
        clock: of the store that reads; the date is never later, as two machines' clocks may differ
            (RFC 9110 section 8.8.2.1).
    """
    version, octets, media_type, fields, modified = row
    pairs = tuple((name, value) for name, value in cast("list[tuple[str, str]]", json.loads(fields)))
    stored = datetime.fromtimestamp(modified, UTC)
    return Snapshot(version, Content(octets, media_type, pairs), min(stored, clock()))
