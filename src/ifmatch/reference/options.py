"""Hold the options of the practice server, and open the store they name."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ifmatch.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ifmatch.server.stores.protocol import AsyncStore, Store

__all__ = ["FIRST_DOCUMENT", "OpenStore", "ServeOptions", "open_store"]

FIRST_DOCUMENT: Final = (
    json.dumps(
        {"title": "Practice", "note": "Change me, and see who else did.", "count": 0, "visits": 0}, indent=1
    )
    + "\n"
).encode()
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What `ifmatch serve` takes.

    Attributes:
        host: address to listen on.
        port: to listen on, 0 to pick a free one.
        path: of the resource, the BASE of its siblings.
        store: `memory`, `sqlite:PATH`, `postgresql://...`, `redis://...` or `s3://BUCKET/PREFIX`.
        workers: processes.
        compress: whether there are gzip variants.
        webdav: whether `If`, `If-Schedule-Tag-Match` and Schedule-Tag take part.
        quirks: what it does wrong, as `NAME` or `NAME=VALUE`.
        quirk_rate: share of requests that a quirk touches, 0 to 1.

    Raises:
        InputError: when a value cannot be used; says what can.
    """

    host: str = "127.0.0.1"
    port: int = 4120
    path: str = "/resource"
    store: str = "memory"
    workers: int = 1
    compress: bool = False
    webdav: bool = False
    quirks: tuple[str, ...] = ()
    quirk_rate: float = 1.0

    def __post_init__(self) -> None:
        if not _PATH.fullmatch(self.path):
            raise InputError(
                f"{self.path!r} is no path for the resource",
                source="--path",
                expected="/ and a name, without a slash at the end, such as /resource or /api/notes",
            )
        if self.workers < 1:
            raise InputError(f"{self.workers} workers cannot serve", source="--workers", expected="1 or more")
        if not 0 <= self.quirk_rate <= 1:
            raise InputError(
                f"{self.quirk_rate} is no share of requests", source="--quirk-rate", expected="0% to 100%"
            )
        if self.store == "memory" and self.workers > 1:
            raise InputError(
                "each worker would have a memory of its own",
                source="--store",
                advice="Give the workers one store: --store sqlite:FILE",
            )


@dataclass(frozen=True, slots=True)
class OpenStore:
    """An opened store.

    Attributes:
        store: to read and swap.
        close: lets it go.
    """

    store: AsyncStore
    close: Callable[[], Awaitable[None]]


async def _nothing() -> None:
    """Close nothing."""


def open_store(name: str) -> OpenStore:
    """Open the store that an option names.

    Args:
        name: as `ServeOptions.store`.

    Raises:
        InputError: the name says no store.
        MissingExtraError: its client is not installed.
        StoreUnavailableError: it cannot be opened.
    """
    kind = name.split(":", 1)[0]
    opener = _OPENERS.get(kind)
    if opener is None or (kind == "memory" and name != "memory"):
        raise InputError(
            f"{name!r} names no store",
            source="--store",
            expected="memory, sqlite:PATH, postgresql://..., redis://... or s3://BUCKET/PREFIX",
        )
    try:
        return opener(name)
    except ImportError as error:
        extra = {"postgresql": "postgresql", "postgres": "postgresql", "s3": "objects"}.get(kind, "redis")
        raise MissingExtraError(extra, f"--store {kind}:") from error


def _memory(name: str) -> OpenStore:
    from ifmatch.server.stores.memory import AsyncMemoryStore  # noqa: PLC0415 - only the store that is used

    del name
    return OpenStore(AsyncMemoryStore(), _nothing)


def _in_threads(store: Store, close: Callable[[], None]) -> OpenStore:
    from ifmatch.server.stores.threads import InThread  # noqa: PLC0415 - as above

    threads = InThread(store)

    async def close_both() -> None:
        threads.close()
        close()

    return OpenStore(threads, close_both)


def _sqlite(name: str) -> OpenStore:
    from ifmatch.server.stores.sqlite import SqliteStore  # noqa: PLC0415 - as above

    path = name.removeprefix("sqlite:").removeprefix("//")
    try:
        store = SqliteStore(path)
    except ValueError as error:
        raise InputError(f"{name!r} names no file", source="--store", expected="sqlite:PATH") from error
    return _in_threads(store, store.close)


def _postgresql(name: str) -> OpenStore:
    from ifmatch.server.stores.postgresql import AsyncPostgresqlStore  # noqa: PLC0415 - as above

    store = AsyncPostgresqlStore(name)
    return OpenStore(store, store.close)


def _redis(name: str) -> OpenStore:
    from ifmatch.server.stores.redis import AsyncRedisStore  # noqa: PLC0415 - as above

    store = AsyncRedisStore(name)
    return OpenStore(store, store.close)


def _objects(name: str) -> OpenStore:
    from obstore.store import S3Store  # noqa: PLC0415 - as above

    from ifmatch.server.stores.objects import ObjectStore  # noqa: PLC0415 - as above

    # Address and credentials come from the environment (AWS_ENDPOINT_URL and so on), never from a command
    # line. A conditional write that the client repeats by itself may find its own write and look lost.
    store = ObjectStore(S3Store.from_url(name, retry_config={"max_retries": 0}))
    return _in_threads(store, store.close)


_OPENERS: Final[dict[str, Callable[[str], OpenStore]]] = {
    "memory": _memory,
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "postgres": _postgresql,
    "redis": _redis,
    "rediss": _redis,
    "unix": _redis,
    "s3": _objects,
}
