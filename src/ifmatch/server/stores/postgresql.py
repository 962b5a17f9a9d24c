"""Keep versioned content in PostgreSQL, from threads or from an event loop (psycopg 3).

Each swap is one statement in a transaction of its own, with the expected version in its condition. At READ
COMMITTED a statement that had to wait for another writer's row lock checks its condition again on the newer
row; at the stricter levels it fails with a serialization error. A stale expectation never changes anything.
"""

from __future__ import annotations

import asyncio
import os
import threading
import warnings
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from ifmatch.errors import MissingExtraError, StoreUnavailableError
from ifmatch.server.stores.protocol import ABSENT, Content, Lost
from ifmatch.server.stores.records import fields_text, snapshot, stored_key
from ifmatch.server.stores.versions import new_version, now

try:
    import psycopg
except ImportError as error:  # pragma: no cover - the extra is installed where tests run
    raise MissingExtraError("postgresql", "ifmatch.server.stores.postgresql") from error

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from datetime import datetime

    from ifmatch.server.stores.protocol import Absent, Deleted, Snapshot, Version
    from ifmatch.server.stores.records import Row

__all__ = ["SCHEMA", "AsyncPostgresqlStore", "PostgresqlStore"]

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS ifmatch_content (
    key bytea PRIMARY KEY,
    version text NOT NULL,
    octets bytea NOT NULL,
    media_type text NOT NULL,
    fields text NOT NULL,
    modified double precision NOT NULL
)
"""
"""The table; where the role may not create it, run this in a migration and open with `create=False`."""

_READ: Final = "SELECT version, octets, media_type, fields, modified FROM ifmatch_content WHERE key = %s"
_PRESENT: Final = "SELECT 1 FROM ifmatch_content WHERE key = %s"
_DELETE: Final = "DELETE FROM ifmatch_content WHERE key = %s AND version = %s"
_INSERT: Final = (
    "INSERT INTO ifmatch_content (version, octets, media_type, fields, modified, key)"
    " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING"
)
_UPDATE: Final = (
    "UPDATE ifmatch_content SET version = %s, octets = %s, media_type = %s, fields = %s, modified = %s"
    " WHERE key = %s AND version = %s"
)
_SETTINGS: Final = "SELECT current_setting('synchronous_commit'), current_setting('fsync')"
_LONGEST_KEY: Final = 2600
_SERIALIZATION: Final = frozenset({"40001", "40P01"})
_BUSY: Final = frozenset({"55P03", "57014"})  # lock_timeout, statement_timeout: rolled back, for certain
_ENDED: Final = frozenset({"57P01", "57P02", "57P03", "57P05"})

_Statement: TypeAlias = tuple[str, tuple[object, ...]]


def _key(key: str) -> bytes:
    octets = stored_key(key)
    if len(octets) > _LONGEST_KEY:
        raise ValueError(
            f"the key has {len(octets)} octets, PostgreSQL indexes {_LONGEST_KEY}; use a digest of it"
        )
    return octets


def _statement(
    key: str,
    expected: Version | Absent,
    new: Content | Deleted,
    version: Version,
    clock: Callable[[], datetime],
) -> _Statement:
    stored = _key(key)
    if not isinstance(new, Content):
        return (_PRESENT, (stored,)) if expected is ABSENT else (_DELETE, (stored, expected))
    # psycopg sends Python's bytes as bytea and str as text.
    values = (version, new.octets, new.media_type, fields_text(new), clock().timestamp(), stored)
    return (_INSERT, values) if expected is ABSENT else (_UPDATE, (*values, expected))


def _swapped(statement: _Statement, rows: int, version: Version) -> Version | Lost:
    wanted = 0 if statement[0] is _PRESENT else 1
    return version if rows == wanted else Lost()


def _judged(error: psycopg.Error, *, broken: bool) -> Lost | StoreUnavailableError:
    """Say what an error in the middle of a swap means."""
    state = error.sqlstate
    if state in _SERIALIZATION:
        return Lost("serialization")
    if state in _BUSY:
        return Lost("busy")
    return _unavailable(error, outcome_unknown=broken or state in _ENDED)


# What PostgreSQL says when two make the table at the same moment: of its row type, its name, or itself.
_MADE_MEANWHILE: Final = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.DuplicateTable,
    psycopg.errors.DuplicateObject,
)


def _unavailable(error: psycopg.Error, *, outcome_unknown: bool = False) -> StoreUnavailableError:
    # The first line only: the rest repeats the connection string's parts.
    said = str(error).strip().partition("\n")[0]
    return StoreUnavailableError(
        f"PostgreSQL says: {said}",
        store="postgresql",
        outcome_unknown=outcome_unknown,
        advice="Read the key again before the write is repeated"
        if outcome_unknown
        else "Check that the server runs, the role may connect, and the table ifmatch_content is there",
    )


def _warn(settings: tuple[str, str] | None) -> None:
    if settings is None:
        return
    for name, value in zip(("synchronous_commit", "fsync"), settings, strict=True):
        if value == "off":
            warnings.warn(
                f"PostgreSQL runs with {name}=off: acknowledged writes can be gone after a crash, and tokens "
                "that clients hold name states that are gone",
                RuntimeWarning,
                stacklevel=4,
            )


class PostgresqlStore:
    """A `Store` on one table of PostgreSQL, for threads of any number of processes and machines.

    Args:
        conninfo: as libpq takes it, `host=… dbname=…` or `postgresql://…`.
        connections: at most so many at once; further calls wait for one.
        create: make the table when it is missing.
        clock: gives the time, aware.
        new_version: gives a name that was never given before.

    Warns:
        RuntimeWarning: once, when `synchronous_commit` or `fsync` is off.

    Raises:
        StoreUnavailableError: from each call that cannot reach the server.
        ValueError: from calls with a key of more than 2,600 octets.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        connections: int = 8,
        create: bool = True,
        clock: Callable[[], datetime] = now,
        new_version: Callable[[], Version] = new_version,
    ) -> None:
        self._conninfo = conninfo
        self._limit = connections
        self._create = create
        self._clock = clock
        self._new_version = new_version
        self._prepared = False
        self._forget_connections()

    def _forget_connections(self) -> None:
        self._process = os.getpid()
        self._free = threading.BoundedSemaphore(self._limit)
        self._idle: list[psycopg.Connection] = []

    @contextmanager
    def _connection(self) -> Generator[psycopg.Connection]:
        if self._process != os.getpid():
            self._forget_connections()
        with self._free:
            # The one used last comes first: it is the least likely to have been closed by the other side.
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect()
            try:
                yield connection
            finally:
                if connection.broken or connection.closed:
                    self._drop_idle()
                else:
                    self._idle.append(connection)

    def _connect(self) -> psycopg.Connection:
        try:
            connection = psycopg.connect(self._conninfo, autocommit=True)
        except psycopg.Error as error:
            raise _unavailable(error) from error
        try:
            if not self._prepared:
                if self._create:
                    self._create_table(connection)
                settings = connection.execute(_SETTINGS).fetchone()
                self._prepared = True
                _warn(cast("tuple[str, str] | None", settings))
        except psycopg.Error as error:
            connection.close()
            raise _unavailable(error) from error
        except BaseException:
            # Warnings may be errors.
            connection.close()
            raise
        return connection

    @staticmethod
    def _create_table(connection: psycopg.Connection) -> None:
        try:
            connection.execute(SCHEMA)
        except _MADE_MEANWHILE:
            # Another process made it at the same moment; IF NOT EXISTS does not cover that.
            connection.execute(SCHEMA)

    def _drop_idle(self) -> None:
        # What broke one connection, a restart of the server, broke the idle ones too.
        while self._idle:
            self._idle.pop().close()

    def read(self, key: str) -> Snapshot | None:
        """Return the current state, None when there is none; asks twice when the connection had gone."""
        stored = _key(key)
        row = None
        for last in (False, True):
            with self._connection() as connection:
                try:
                    row = connection.execute(_READ, (stored,), binary=True).fetchone()
                    break
                except psycopg.Error as error:
                    if last or not connection.broken:
                        raise _unavailable(error) from error
        return snapshot(cast("Row", row), self._clock) if row is not None else None

    def swap(self, key: str, expected: Version | Absent, new: Content | Deleted) -> Version | Lost:
        """Replace the state in one atomic step; see `Store.swap`."""
        version = self._new_version()
        statement = _statement(key, expected, new, version, self._clock)
        with self._connection() as connection:
            try:
                rows = connection.execute(statement[0].encode(), statement[1]).rowcount
            except psycopg.Error as error:
                judged = _judged(error, broken=connection.broken)
                if isinstance(judged, Lost):
                    return judged
                raise judged from error
        return _swapped(statement, rows, version)

    def close(self) -> None:
        """Close the idle connections; calls that run close none of theirs."""
        self._drop_idle()


class AsyncPostgresqlStore:
    """An `AsyncStore` on one table of PostgreSQL; arguments, warnings and errors as `PostgresqlStore`.

    It belongs to the event loop that calls it first.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        connections: int = 8,
        create: bool = True,
        clock: Callable[[], datetime] = now,
        new_version: Callable[[], Version] = new_version,
    ) -> None:
        self._conninfo = conninfo
        self._create = create
        self._clock = clock
        self._new_version = new_version
        self._prepared = False
        self._free = asyncio.BoundedSemaphore(connections)
        self._idle: list[psycopg.AsyncConnection] = []

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[psycopg.AsyncConnection]:
        async with self._free:
            connection = self._idle.pop() if self._idle else await self._connect()
            try:
                yield connection
            except asyncio.CancelledError:
                # What the server still answers belongs to nobody.
                await connection.close()
                raise
            finally:
                if connection.broken or connection.closed:
                    await self._drop_idle()
                else:
                    self._idle.append(connection)

    async def _connect(self) -> psycopg.AsyncConnection:
        try:
            connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        except psycopg.Error as error:
            raise _unavailable(error) from error
        try:
            if not self._prepared:
                if self._create:
                    await self._create_table(connection)
                settings = await (await connection.execute(_SETTINGS)).fetchone()
                self._prepared = True
                _warn(cast("tuple[str, str] | None", settings))
        except psycopg.Error as error:
            await connection.close()
            raise _unavailable(error) from error
        except BaseException:
            await connection.close()
            raise
        return connection

    @staticmethod
    async def _create_table(connection: psycopg.AsyncConnection) -> None:
        try:
            await connection.execute(SCHEMA)
        except _MADE_MEANWHILE:
            await connection.execute(SCHEMA)

    async def _drop_idle(self) -> None:
        while self._idle:
            await self._idle.pop().close()

    async def read(self, key: str) -> Snapshot | None:
        """Return the current state; see `PostgresqlStore.read`."""
        stored = _key(key)
        row = None
        for last in (False, True):
            async with self._connection() as connection:
                try:
                    row = await (await connection.execute(_READ, (stored,), binary=True)).fetchone()
                    break
                except psycopg.Error as error:
                    if last or not connection.broken:
                        raise _unavailable(error) from error
        return snapshot(cast("Row", row), self._clock) if row is not None else None

    async def swap(self, key: str, expected: Version | Absent, new: Content | Deleted) -> Version | Lost:
        """Replace the state in one atomic step; see `Store.swap`."""
        version = self._new_version()
        statement = _statement(key, expected, new, version, self._clock)
        async with self._connection() as connection:
            try:
                rows = (await connection.execute(statement[0].encode(), statement[1])).rowcount
            except psycopg.Error as error:
                judged = _judged(error, broken=connection.broken)
                if isinstance(judged, Lost):
                    return judged
                raise judged from error
        return _swapped(statement, rows, version)

    async def close(self) -> None:
        """Close the idle connections."""
        await self._drop_idle()
