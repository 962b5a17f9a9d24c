"""Keep the last known states, so that an update can begin with a write instead of a read.

A kept state is a first guess and nothing more: the condition of the write decides whether it was right, and
the change is made anew when it was not. So a store may lose or delay entries without harm, and processes may
share one.
"""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, cast

from ifmatch.errors import StoreUnavailableError
from ifmatch.model.message import Fields
from ifmatch.update import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from redis import Redis

__all__ = ["MemoryStates", "RedisStates", "SqliteStates", "StateStore"]

_OCTETS: Final = 64 * 1024
_Rows: TypeAlias = "list[tuple[object, ...]]"


class StateStore(Protocol):
    """Where states are kept.

    Attributes:
        blocks: whether calls wait for a disk or a network; an asynchronous client then calls in a thread.
    """

    blocks: bool

    def load(self, key: str) -> State | None:
        """Return the state that was kept last, None when none is."""
        ...

    def save(self, key: str, state: State) -> None:
        """Keep a state; one that is too large is dropped instead."""
        ...

    def drop(self, key: str) -> None:
        """Forget a state."""
        ...


class MemoryStates:
    """Keep states in this process.

    Args:
        octets: most of one state that is kept, in octets.
        total: most of all, in octets; the least recently used go first.
    """

    blocks = False

    def __init__(self, octets: int = 1024 * 1024, total: int = 32 * 1024 * 1024) -> None:
        self._octets = octets
        self._total = total
        self._held = 0
        self._states: OrderedDict[str, State] = OrderedDict()
        self._lock = threading.Lock()

    def load(self, key: str) -> State | None:
        """Return the state that was kept last, None when none is."""
        with self._lock:
            state = self._states.get(key)
            if state is not None:
                self._states.move_to_end(key)
            return state

    def save(self, key: str, state: State) -> None:
        """Keep a state; one that is too large is dropped instead."""
        with self._lock:
            self._remove(key)
            if len(state.octets) > self._octets:
                return
            self._states[key] = state
            self._held += len(state.octets)
            while self._held > self._total:
                self._remove(next(iter(self._states)))

    def drop(self, key: str) -> None:
        """Forget a state."""
        with self._lock:
            self._remove(key)

    def _remove(self, key: str) -> None:
        before = self._states.pop(key, None)
        if before is not None:
            self._held -= len(before.octets)


def _packed(state: State) -> bytes:
    return json.dumps(
        {
            "token": state.token,
            "type": state.media_type,
            "fields": [pair for pair in state.fields if pair[0].lower() != "set-cookie"],
            "octets": base64.b64encode(state.octets).decode(),
        }
    ).encode()


def _unpacked(text: bytes | str) -> State | None:
    try:
        held = cast("dict[str, object]", json.loads(text))
        token = tuple(cast("list[str]", held["token"]))
        pairs = cast("list[tuple[str, str]]", held["fields"])
        octets = base64.b64decode(cast("str", held["octets"]))
        return State(octets, token, str(held["type"]), Fields((name, value) for name, value in pairs))
    except (ValueError, KeyError, TypeError):
        # Written by another version: as good as not there.
        return None


class SqliteStates:
    """Keep states in a SQLite file that several processes share.

    Args:
        path: of the file; it is made when missing, readable by its owner only.
        octets: most of one state that is kept, in octets.
        seconds: entries older than that are not used.
        clock: seconds since the epoch.

    Raises:
        StoreUnavailableError: the file cannot be opened, or is no such store.
    """

    blocks = True

    def __init__(
        self,
        path: str | Path,
        *,
        octets: int = _OCTETS,
        seconds: float = 86_400.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = str(path)
        self._octets = octets
        self._seconds = seconds
        self._clock = clock
        self._local = threading.local()
        self._left: list[sqlite3.Connection] = []
        connection = self._connection()
        self._run(connection, "CREATE TABLE IF NOT EXISTS states (key TEXT PRIMARY KEY, at REAL, held BLOB)")
        self._run(connection, "DELETE FROM states WHERE at < ?", self._clock() - self._seconds)

    def _connection(self) -> sqlite3.Connection:
        found = cast("sqlite3.Connection | None", getattr(self._local, "connection", None))
        if found is not None and self._local.process == os.getpid():
            return found
        # SQLite does not allow a connection to be used, nor closed, in a process that was forked since.
        if found is not None:
            self._left.append(found)
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            made = sqlite3.connect(self._path, timeout=5.0, isolation_level=None)
            # A lost entry costs one read: nothing here is worth waiting for the disk.
            made.execute("PRAGMA synchronous=OFF")
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailableError(
                f"the store of states cannot be opened: {error}", store=self._path, advice="Check the path"
            ) from error
        self._local.connection, self._local.process = made, os.getpid()
        return made

    def _run(self, connection: sqlite3.Connection, statement: str, *values: object) -> _Rows:
        try:
            return connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailableError(f"the store of states failed: {error}", store=self._path) from error

    def load(self, key: str) -> State | None:
        """Return the state that was kept last, None when none is."""
        oldest = self._clock() - self._seconds
        rows = self._run(self._connection(), "SELECT held FROM states WHERE key = ? AND at >= ?", key, oldest)
        return _unpacked(cast("bytes", rows[0][0])) if rows else None

    def save(self, key: str, state: State) -> None:
        """Keep a state; one that is too large is dropped instead."""
        if len(state.octets) > self._octets:
            self.drop(key)
            return
        statement = "INSERT OR REPLACE INTO states VALUES (?, ?, ?)"
        self._run(self._connection(), statement, key, self._clock(), _packed(state))

    def drop(self, key: str) -> None:
        """Forget a state."""
        self._run(self._connection(), "DELETE FROM states WHERE key = ?", key)


class RedisStates:
    """Keep states in Redis, shared by a fleet.

    Args:
        redis: a connected client of the `redis` package, not of `redis.asyncio`.
        prefix: of the keys.
        octets: most of one state that is kept, in octets.
        seconds: after which an entry expires.
    """

    blocks = True

    def __init__(
        self, redis: Redis, *, prefix: str = "ifmatch:state:", octets: int = _OCTETS, seconds: int = 86_400
    ) -> None:
        if any(kind.__module__.startswith("redis.asyncio") for kind in type(redis).__mro__):
            raise TypeError(
                "RedisStates takes a redis.Redis, for AsyncClient too (which calls it in a thread), and no"
                " redis.asyncio.Redis"
            )
        self._redis = redis
        self._prefix = prefix
        self._octets = octets
        self._seconds = seconds

    def load(self, key: str) -> State | None:
        """Return the state that was kept last, None when none is."""
        held = self._call("get", self._prefix + key)
        # Text when the client decodes responses.
        return _unpacked(held) if isinstance(held, (bytes, str)) else None

    def save(self, key: str, state: State) -> None:
        """Keep a state; one that is too large is dropped instead."""
        if len(state.octets) > self._octets:
            self.drop(key)
            return
        self._call("set", self._prefix + key, _packed(state), self._seconds)

    def drop(self, key: str) -> None:
        """Forget a state."""
        self._call("delete", self._prefix + key)

    def _call(self, command: str, *arguments: object) -> object:
        from redis import RedisError  # noqa: PLC0415 - whoever has a client has the package

        try:
            return cast("Callable[..., object]", getattr(self._redis, command))(*arguments)
        except RedisError as error:
            raise StoreUnavailableError(f"the store of states failed: {error}", store="Redis") from error
