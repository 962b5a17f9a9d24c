"""Use a store that blocks from an event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ifmatch.server.stores.protocol import Absent, Content, Deleted, Lost, Snapshot, Store, Version

__all__ = ["InThread"]


class InThread:
    """An `AsyncStore` that asks a `Store` in threads of its own.

    Args:
        store: is asked.
        threads: at most so many calls at once, at least 1; further ones wait.
    """

    def __init__(self, store: Store, *, threads: int = 8) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ifmatch-store")

    async def read(self, key: str) -> Snapshot | None:
        """Return the current state; see `Store.read`."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._store.read, key)

    async def swap(self, key: str, expected: Version | Absent, new: Content | Deleted) -> Version | Lost:
        """Replace the state in one atomic step; see `Store.swap`.

        A cancelled caller does not undo a swap that has begun.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._store.swap, key, expected, new)

    def close(self) -> None:
        """End the threads when their calls are done."""
        self._pool.shutdown()
