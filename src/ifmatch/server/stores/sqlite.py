"""Keep versioned content in an SQLite file, shared by threads and processes.

Each swap is one statement with the expected version in its condition, inside BEGIN IMMEDIATE: whoever gets
the write lock sees the newest committed state, and a stale expectation changes no row.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from ifmatch.errors import StoreUnavailableError
from ifmatch.server.stores.protocol import ABSENT, Content, Lost
from ifmatch.server.stores.records import fields_text, snapshot, stored_key
from ifmatch.server.stores.versions import new_version, now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ifmatch.server.stores.protocol import Absent, Deleted, Snapshot, Version
    from ifmatch.server.stores.records import Row

__all__ = ["SqliteStore"]

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS ifmatch_content (
    key BLOB PRIMARY KEY,
    version TEXT NOT NULL,
    octets BLOB NOT NULL,
    media_type TEXT NOT NULL,
    fields TEXT NOT NULL,
    modified REAL NOT NULL
) WITHOUT ROWID
"""
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def _is_busy(error: sqlite3.Error) -> bool:
    # Extended codes (SQLITE_BUSY_SNAPSHOT, ...) carry the primary one in their low octet.
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in _BUSY


class SqliteStore:
    """A `Store` on one SQLite file (WAL), for any number of threads and processes of one machine.

    Acknowledged writes survive a killed process and, with `durable`, a loss of power. Each thread has a
    connection of its own; a forked process opens new ones.

    Args:
        path: of the file; its folder must exist, the file is made when it is missing.
        durable: wait until the disk has each write (`synchronous=FULL`).
        busy_seconds: how long a swap waits for the write lock before it is `Lost("busy")`.
        clock: gives the time, aware.
        new_version: gives a name that was never given before.

    Raises:
        ValueError: for ":memory:", "" and "file:" names: each thread would get a database of its own.
        StoreUnavailableError: the file cannot be opened or is no database.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durable: bool = True,
        busy_seconds: float = 5.0,
        clock: Callable[[], datetime] = now,
        new_version: Callable[[], Version] = new_version,
    ) -> None:
        name = os.fspath(path)
        if name in {"", ":memory:"} or name.startswith("file:"):
            raise ValueError(
                f"SqliteStore needs the path of a file, not {name!r}; in memory: "
                "ifmatch.server.stores.memory.MemoryStore"
            )
        self._path = Path(path)
        self._durable = durable
        self._busy_seconds = busy_seconds
        self._clock = clock
        self._new_version = new_version
        self._lock = threading.Lock()
        self._forget_connections()
        self._connection()

    def _forget_connections(self) -> None:
        self._process = os.getpid()
        self._local = threading.local()
        self._opened: list[tuple[threading.Thread, sqlite3.Connection]] = []

    def _connection(self) -> sqlite3.Connection:
        if self._process != os.getpid():
            # A connection that crosses a fork breaks the parent's locks: neither use it nor close it.
            self._inherited = self._opened
            self._lock = threading.Lock()
            self._forget_connections()
        connection = cast("sqlite3.Connection | None", getattr(self._local, "connection", None))
        if connection is None:
            connection = self._open()
            self._local.connection = connection
            with self._lock:
                ended = [pair for pair in self._opened if not pair[0].is_alive()]
                self._opened = [pair for pair in self._opened if pair not in ended]
                self._opened.append((threading.current_thread(), connection))
            for _, unused in ended:
                unused.close()
        return connection

    def _open(self) -> sqlite3.Connection:
        # SQLite does not wait by itself where one connection enters WAL mode and others hold locks.
        deadline = time.monotonic() + self._busy_seconds
        while True:
            try:
                return self._open_once()
            except sqlite3.Error as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise self._unavailable(error) from error
                time.sleep(0.005)

    def _open_once(self) -> sqlite3.Connection:
        # `close` and the end of a thread come from another thread, which SQLite's serialized mode allows.
        connection = sqlite3.connect(
            self._path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={'FULL' if self._durable else 'NORMAL'}")
            connection.execute(_SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _unavailable(self, error: sqlite3.Error, *, outcome_unknown: bool = False) -> StoreUnavailableError:
        return StoreUnavailableError(
            f"SQLite says: {error}",
            store=self._path.name,
            outcome_unknown=outcome_unknown,
            advice="Check that the folder exists, can be written, has space, and the file is a database",
        )

    def read(self, key: str) -> Snapshot | None:
        """Return the current state, None when there is none."""
        connection = self._connection()
        try:
            row = cast(
                "Row | None",
                connection.execute(
                    "SELECT version, octets, media_type, fields, modified FROM ifmatch_content WHERE key = ?",
                    (stored_key(key),),
                ).fetchone(),
            )
        except sqlite3.Error as error:
            raise self._unavailable(error) from error
        return snapshot(row, self._clock) if row is not None else None

    def swap(self, key: str, expected: Version | Absent, new: Content | Deleted) -> Version | Lost:
        """Replace the state in one atomic step; see `Store.swap`."""
        connection = self._connection()
        version = self._new_version()
        committing = False
        try:
            connection.execute("BEGIN IMMEDIATE")
            changed = self._change(connection, stored_key(key), expected, new, version)
            committing = True
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back(connection)
            if _is_busy(error):
                return Lost("busy")
            raise self._unavailable(error, outcome_unknown=committing) from error
        except BaseException:
            # An interrupt must not leave the write lock behind.
            self._roll_back(connection)
            raise
        return version if changed else Lost()

    def _change(
        self,
        connection: sqlite3.Connection,
        key: bytes,
        expected: Version | Absent,
        new: Content | Deleted,
        version: Version,
    ) -> bool:
        if not isinstance(new, Content):
            if expected is ABSENT:
                row = connection.execute("SELECT 1 FROM ifmatch_content WHERE key = ?", (key,)).fetchone()
                return row is None
            cursor = connection.execute(
                "DELETE FROM ifmatch_content WHERE key = ? AND version = ?", (key, expected)
            )
            return cursor.rowcount == 1
        values = (version, new.octets, new.media_type, fields_text(new), self._clock().timestamp())
        if expected is ABSENT:
            cursor = connection.execute(
                "INSERT INTO ifmatch_content (version, octets, media_type, fields, modified, key)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
                (*values, key),
            )
        else:
            cursor = connection.execute(
                "UPDATE ifmatch_content SET version = ?, octets = ?, media_type = ?, fields = ?, modified = ?"
                " WHERE key = ? AND version = ?",
                (*values, key, expected),
            )
        return cursor.rowcount == 1

    @staticmethod
    def _roll_back(connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connections of all threads; the store is not to be used afterwards."""
        with self._lock:
            opened, self._opened = self._opened, []
        for _, connection in opened:
            connection.close()
        self._local = threading.local()
