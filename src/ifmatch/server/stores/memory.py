"""Keep versioned content in the memory of this process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ifmatch.server.stores.protocol import ABSENT, Content, Lost, Snapshot
from ifmatch.server.stores.versions import new_version, now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ifmatch.server.stores.protocol import Absent, Deleted, Version

__all__ = ["AsyncMemoryStore", "MemoryStore"]


class MemoryStore:
    """A `Store` for tests, demonstrations and one process; what it holds ends with the process.

    Args:
        clock: gives the time, aware.
        new_version: gives a name that was never given before.
    """

    def __init__(
        self, *, clock: Callable[[], datetime] = now, new_version: Callable[[], Version] = new_version
    ) -> None:
        self._clock = clock
        self._new_version = new_version
        self._lock = threading.Lock()
        self._held: dict[str, Snapshot] = {}

    def read(self, key: str) -> Snapshot | None:
        """Return the current state, None when there is none."""
        return self._held.get(key)

    def swap(self, key: str, expected: Version | Absent, new: Content | Deleted) -> Version | Lost:
        """Replace the state in one atomic step; see `Store.swap`."""
        with self._lock:
            held = self._held.get(key)
            if (held.version if held is not None else ABSENT) != expected:
                return Lost()
            version = self._new_version()
            if isinstance(new, Content):
                self._held[key] = Snapshot(version, new, self._clock())
            else:
                self._held.pop(key, None)
            return version


class AsyncMemoryStore:
    """An `AsyncStore` over a `MemoryStore`: nothing in it waits, so it needs no threads.

    Args:
        store: is asked; None makes a new one. Give one to share it with code that blocks.
    """

    def __init__(self, store: MemoryStore | None = None) -> None:
        self._store = store if store is not None else MemoryStore()

    async def read(self, key: str) -> Snapshot | None:
        """Return the current state, None when there is none."""
        return self._store.read(key)

    async def swap(self, key: str, expected: Version | Absent, new: Content | Deleted) -> Version | Lost:
        """Replace the state in one atomic step; see `Store.swap`."""
        return self._store.swap(key, expected, new)
