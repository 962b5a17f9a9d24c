"""Say what a store of versioned content has to do, and name what goes in and comes out.

A store knows versions and never conditions: the caller evaluates the preconditions on what `read` gave, and
`swap` takes the version of exactly that snapshot. That leaves no gap between the check and the act
(RFC 9110 section 13.2.1, RFC 9110 section 13.1.1 on lost updates).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

from ifmatch.core.representation import Representation

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "ABSENT",
    "DELETED",
    "Absent",
    "AsyncStore",
    "Content",
    "Deleted",
    "Lost",
    "Snapshot",
    "Store",
    "Version",
]

Version: TypeAlias = str
"""An opaque name of one state of one key: letters, digits, `-`, `_`, `.`; never used again for another state,
not after a deletion and not after a restart. It is what stands between the quotes of a strong entity tag."""


class _Marker(Enum):
    ABSENT = "absent"
    DELETED = "deleted"


Absent: TypeAlias = Literal[_Marker.ABSENT]
Deleted: TypeAlias = Literal[_Marker.DELETED]
ABSENT: Final = _Marker.ABSENT
"""Expect that the key has no content."""
DELETED: Final = _Marker.DELETED
"""Replace the content by nothing."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is stored under a key.

    Attributes:
        octets: the selected representation's data.
        media_type: value of Content-Type.
        fields: further representation fields to give back, in order (Content-Language, ...).
    """

    octets: bytes
    media_type: str = "application/octet-stream"
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of one key, as it was read.

    Attributes:
        version: its name.
        content: what was stored.
        last_modified: when it was stored, aware; never later than the clock of the store.
    """

    version: Version
    content: Content
    last_modified: datetime

    @property
    def etag(self) -> str:
        """Return the strong entity tag, quotes included (RFC 9110 section 8.8.3)."""
        return f'"{self.version}"'

    @property
    def representation(self) -> Representation:
        """Return what `ifmatch.evaluate` compares with.

        The date is never strong: two writes may fall into one second (RFC 9110 section 8.8.2.2).
        """
        return Representation(etag=self.etag, last_modified=self.last_modified)


@dataclass(frozen=True, slots=True)
class Lost:
    """Say that a swap did not happen: the state was no longer the expected one, or the store was busy.

    Attributes:
        reason: `changed`, `busy` or `serialization`; for counters and logs, not for decisions.
    """

    reason: str = "changed"


class Store(Protocol):
    """Hold versioned content under text keys; every method may be called from several threads."""

    def read(self, key: str) -> Snapshot | None:
        """Return the current state, None when there is none.

        Raises:
            StoreUnavailableError: the store cannot be asked.
        """
        ...

    def swap(self, key: str, expected: Version | Absent, new: Content | Deleted) -> Version | Lost:
        """Replace the state in one atomic step, if it still is the expected one.

        Args:
            key: name of the resource.
            expected: version that was read, or ABSENT when nothing was there.
            new: content to store, or DELETED.

        Returns:
            The new version (for DELETED: a version that never comes back), or `Lost` with nothing changed.

        Raises:
            StoreUnavailableError: the store cannot be asked; whether the swap happened is unknown when its
                `outcome_unknown` is true.
        """
        ...


class AsyncStore(Protocol):
    """As `Store`, for an event loop."""

    async def read(self, key: str) -> Snapshot | None:
        """Return the current state; see `Store.read`."""
        ...

    async def swap(self, key: str, expected: Version | Absent, new: Content | Deleted) -> Version | Lost:
        """Replace the state in one atomic step; see `Store.swap`."""
        ...
