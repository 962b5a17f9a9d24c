"""Open a store of a kind by name; asynchronous ones get a loop of their own, so that one suite fits all."""

from __future__ import annotations

import asyncio
import threading

import obstore.store

from ifmatch.server.stores.memory import AsyncMemoryStore, MemoryStore
from ifmatch.server.stores.objects import ObjectStore
from ifmatch.server.stores.postgresql import AsyncPostgresqlStore, PostgresqlStore
from ifmatch.server.stores.redis import AsyncRedisStore, RedisStore
from ifmatch.server.stores.sqlite import SqliteStore
from ifmatch.server.stores.threads import InThread


class Blocking:
    """A `Store` that asks an `AsyncStore` on a loop in a thread of its own."""

    def __init__(self, make) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

        async def made():
            return make()

        self._store = self._ask(made())

    def _ask(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def read(self, key):
        return self._ask(self._store.read(key))

    def swap(self, key, expected, new):
        return self._ask(self._store.swap(key, expected, new))

    def close(self) -> None:
        async def closed():
            done = getattr(self._store, "close", lambda: None)()
            if asyncio.iscoroutine(done):
                await done

        self._ask(closed())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(120)
        self._loop.close()


class InMemory(MemoryStore):
    def close(self) -> None:
        pass


class InThreadOverSqlite(InThread):
    def __init__(self, where, **arguments) -> None:
        self.below = SqliteStore(where, **arguments)
        super().__init__(self.below)

    def close(self) -> None:
        super().close()
        self.below.close()


OPENERS = {
    "memory": lambda _where, **arguments: InMemory(**arguments),
    "async-memory": lambda _where, **arguments: Blocking(lambda: AsyncMemoryStore(MemoryStore(**arguments))),
    "sqlite": SqliteStore,
    "sqlite-in-thread": lambda where, **arguments: Blocking(lambda: InThreadOverSqlite(where, **arguments)),
    "postgresql": PostgresqlStore,
    "async-postgresql": lambda where, **arguments: Blocking(lambda: AsyncPostgresqlStore(where, **arguments)),
    "redis": RedisStore,
    "async-redis": lambda where, **arguments: Blocking(lambda: AsyncRedisStore(where, **arguments)),
    "objects": lambda _where, **arguments: ObjectStore(obstore.store.MemoryStore(), **arguments),
}
KINDS = tuple(OPENERS)
IN_PROCESS = ("memory", "async-memory", "objects")
"""What they hold cannot be reached from another process or by opening them again."""


def open_store(kind: str, where: str, **arguments):
    """Open the store; the caller closes it."""
    return OPENERS[kind](where, **arguments)
