"""Keep versioned content in Redis or Valkey, from threads or from an event loop (redis-py).

Each swap is one Lua script: the server compares the version and writes, and nothing else runs in between.
Versions are random and made by the writer, never counted by the server: after a restart that lost the data, a
counter would begin again and old entity tags would match new states.

What survives a restart is the server's setting, see `RedisStore.persistence`.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final, Protocol, cast

from ifmatch.errors import MissingExtraError, StoreUnavailableError
from ifmatch.server.stores.protocol import ABSENT, Content, Lost
from ifmatch.server.stores.records import fields_text, snapshot, stored_key
from ifmatch.server.stores.versions import new_version, now

try:
    import redis
    import redis.asyncio
    from redis.asyncio.retry import Retry as AsyncRetry
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError as error:  # pragma: no cover - the extra is installed where tests run
    raise MissingExtraError("redis", "ifmatch.server.stores.redis") from error

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ifmatch.server.stores.protocol import Absent, Deleted, Snapshot, Version

__all__ = ["AsyncRedisStore", "RedisStore"]

_SWAP: Final = """
if (redis.call('HGET', KEYS[1], 'version') or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HSET', KEYS[1], 'version', ARGV[2], 'octets', ARGV[3], 'media_type', ARGV[4],
    'fields', ARGV[5], 'modified', ARGV[6])
end
return 1
"""
_COLUMNS: Final = ("version", "octets", "media_type", "fields", "modified")
# Never reached: the server refused, could not be found, or answered with an error instead of running it.
_NOT_SENT: Final = (ConnectionRefusedError, FileNotFoundError, socket.gaierror)


def _arguments(
    expected: Version | Absent, new: Content | Deleted, version: Version, clock: Callable[[], datetime]
) -> tuple[str | bytes, ...] | None:
    """Return what the script takes, None when it cannot succeed."""
    if expected == "":
        # In the script an empty version stands for absent.
        return None
    held = "" if expected is ABSENT else expected
    if not isinstance(new, Content):
        return (held, "")
    return (held, version, new.octets, new.media_type, fields_text(new), repr(clock().timestamp()))


def _snapshot(row: list[bytes | None], clock: Callable[[], datetime]) -> Snapshot | None:
    version, octets, media_type, fields, modified = row
    if version is None:
        return None
    values = (version.decode(), octets or b"", (media_type or b"").decode(), (fields or b"[]").decode())
    return snapshot((*values, float(modified or b"0")), clock)


def _unavailable(error: redis.RedisError, *, writing: bool) -> StoreUnavailableError:
    lost_connection = isinstance(error, redis.ConnectionError | redis.TimeoutError)
    answered = isinstance(error, redis.BusyLoadingError | redis.AuthenticationError)
    sent = not isinstance(error.__context__, _NOT_SENT)
    unknown = writing and lost_connection and not answered and sent
    return StoreUnavailableError(
        f"Redis says: {error}",
        store="redis",
        outcome_unknown=unknown,
        advice="Read the key again before the write is repeated"
        if unknown
        else "Check that the server runs, is not read-only, and the address and password are right",
    )


def _persistence(settings: dict[str, str]) -> str:
    if settings.get("maxmemory", "0") != "0" and settings.get("maxmemory-policy", "").startswith("allkeys"):
        return "none: keys are evicted when memory is full"
    if settings.get("appendonly") == "yes":
        return f"append-only file, fsync {settings.get('appendfsync', 'unknown')}"
    return "snapshots" if settings.get("save") else "none"


class _Client(Protocol):
    """What is used of redis-py, with the types that it leaves out."""

    def execute_command(self, *arguments: str | bytes | int) -> object: ...

    def close(self) -> None: ...


class _AsyncClient(Protocol):
    async def execute_command(self, *arguments: str | bytes | int) -> object: ...

    async def aclose(self) -> None: ...


_SETTINGS: Final = ("appendonly", "appendfsync", "save", "maxmemory", "maxmemory-policy")


class RedisStore:
    """A `Store` in one Redis server, for any number of threads, processes and machines.

    Keys that are evicted or expire are absent again; old versions never match what is stored later. A
    failover to a replica may lose writes that were acknowledged, as Redis replicates after the answer.

    Args:
        url: `redis://`, `rediss://` or `unix://`, with options of redis-py in its query.
        prefix: goes before each key.
        clock: gives the time, aware.
        new_version: gives a name that was never given before.

    Raises:
        StoreUnavailableError: from each call that cannot reach the server.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "ifmatch:",
        clock: Callable[[], datetime] = now,
        new_version: Callable[[], Version] = new_version,
    ) -> None:
        self._prefix = prefix.encode()
        self._clock = clock
        self._new_version = new_version
        # No silent retries: a swap sent again after a lost answer finds its own write and calls it lost.
        client = redis.Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            url, retry=Retry(NoBackoff(), 0), decode_responses=False
        )
        self._client = cast("_Client", client)

    def read(self, key: str) -> Snapshot | None:
        """Return the current state, None when there is none."""
        try:
            row = self._client.execute_command("HMGET", self._prefix + stored_key(key), *_COLUMNS)
        except redis.RedisError as error:
            raise _unavailable(error, writing=False) from error
        return _snapshot(cast("list[bytes | None]", row), self._clock)

    def swap(self, key: str, expected: Version | Absent, new: Content | Deleted) -> Version | Lost:
        """Replace the state in one atomic step; see `Store.swap`."""
        version = self._new_version()
        arguments = _arguments(expected, new, version, self._clock)
        if arguments is None:
            return Lost()
        try:
            done = self._client.execute_command("EVAL", _SWAP, 1, self._prefix + stored_key(key), *arguments)
        except redis.RedisError as error:
            raise _unavailable(error, writing=True) from error
        return version if done == 1 else Lost()

    def persistence(self) -> str:
        """Return what survives a restart of the server, in words.

        Returns:
            `none…`, `snapshots` (writes since the last one are lost), `append-only file, fsync always` (every
            acknowledged write survives), `… fsync everysec` (up to a second is lost), or `unknown` when the
            server does not let its settings be read.
        """
        settings: dict[str, str] = {}
        try:
            for name in _SETTINGS:
                settings |= _text(self._client.execute_command("CONFIG", "GET", name))
        except redis.ResponseError:
            return "unknown"
        except redis.RedisError as error:
            raise _unavailable(error, writing=False) from error
        return _persistence(settings)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


class AsyncRedisStore:
    """An `AsyncStore` in one Redis server; arguments, limits and errors as `RedisStore`."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "ifmatch:",
        clock: Callable[[], datetime] = now,
        new_version: Callable[[], Version] = new_version,
    ) -> None:
        self._prefix = prefix.encode()
        self._clock = clock
        self._new_version = new_version
        client = redis.asyncio.Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            url, retry=AsyncRetry(NoBackoff(), 0), decode_responses=False
        )
        self._client = cast("_AsyncClient", client)

    async def read(self, key: str) -> Snapshot | None:
        """Return the current state, None when there is none."""
        try:
            row = await self._client.execute_command("HMGET", self._prefix + stored_key(key), *_COLUMNS)
        except redis.RedisError as error:
            raise _unavailable(error, writing=False) from error
        return _snapshot(cast("list[bytes | None]", row), self._clock)

    async def swap(self, key: str, expected: Version | Absent, new: Content | Deleted) -> Version | Lost:
        """Replace the state in one atomic step; see `Store.swap`."""
        version = self._new_version()
        arguments = _arguments(expected, new, version, self._clock)
        if arguments is None:
            return Lost()
        stored = self._prefix + stored_key(key)
        try:
            done = await self._client.execute_command("EVAL", _SWAP, 1, stored, *arguments)
        except redis.RedisError as error:
            raise _unavailable(error, writing=True) from error
        return version if done == 1 else Lost()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _text(answer: object) -> dict[str, str]:
    """Return the answer to CONFIG GET as text."""
    pairs = cast("dict[bytes | str, bytes | str]", answer)
    return {_plain(name): _plain(value) for name, value in pairs.items()}


def _plain(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
