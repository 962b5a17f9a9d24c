"""Lead from an asynchronous client library to its transport, and from a job to the store of states."""

# Written by tools/generate_async_editing.py from ports.py: change that one.

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from ifmatch.client.httpx_family import AsyncHttpxTransport, library_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp
    import httpx
    import httpx2

    from ifmatch.client.stores import StateStore
    from ifmatch.client.transport import AsyncTransport

    Library: TypeAlias = "httpx2.AsyncClient | httpx.AsyncClient | aiohttp.ClientSession"

__all__ = ["call_store", "sleep", "transport_of"]

T = TypeVar("T")


def transport_of(client: Library | AsyncTransport) -> AsyncTransport:
    """Return the transport for an asynchronous client library.

    Args:
        client: of httpx2, httpx or aiohttp; or a transport of your own.

    Raises:
        TypeError: it is neither.
    """
    library = library_of(client)
    if library is not None and isinstance(client, library.AsyncClient):
        return AsyncHttpxTransport(cast("httpx2.AsyncClient", client))
    module = sys.modules.get("aiohttp")
    if module is not None and isinstance(client, module.ClientSession):
        from ifmatch.client.aiohttp_session import AiohttpTransport  # noqa: PLC0415 - needs aiohttp

        return AiohttpTransport(cast("aiohttp.ClientSession", client))
    if hasattr(client, "exchange") and hasattr(client, "absolute"):
        return cast("AsyncTransport", client)
    raise TypeError(
        f"{type(client).__name__} is no client of httpx2, httpx or aiohttp. For synchronous ones use"
        " ifmatch.client.Client"
    )


async def call_store(store: StateStore, action: Callable[[], T]) -> T:
    """Do something with a store of states, in a thread when that may block.

    Args:
        store: the store.
        action: what is to be done with it.
    """
    return await asyncio.to_thread(action) if store.blocks else action()


async def sleep(seconds: float) -> None:
    """Wait for so many seconds."""
    await asyncio.sleep(seconds)
