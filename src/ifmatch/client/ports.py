"""Lead from a synchronous client library to its transport, and from a job to the store of states."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from ifmatch.client.httpx_family import HttpxTransport, library_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    import httpx2
    import requests

    from ifmatch.client.stores import StateStore
    from ifmatch.client.transport import Transport

    Library: TypeAlias = "httpx2.Client | httpx.Client | requests.Session"

__all__ = ["call_store", "sleep", "transport_of"]

T = TypeVar("T")


def transport_of(client: Library | Transport) -> Transport:
    """Return the transport for a synchronous client library.

    Args:
        client: of httpx2, httpx or requests; or a transport of your own.

    Raises:
        TypeError: it is neither.
    """
    library = library_of(client)
    if library is not None and isinstance(client, library.Client):
        return HttpxTransport(cast("httpx2.Client", client))
    module = sys.modules.get("requests")
    if module is not None and isinstance(client, module.Session):
        from ifmatch.client.requests_session import RequestsTransport  # noqa: PLC0415 - needs requests

        return RequestsTransport(cast("requests.Session", client))
    if hasattr(client, "exchange") and hasattr(client, "absolute"):
        return cast("Transport", client)
    raise TypeError(
        f"{type(client).__name__} is no client of httpx2, httpx or requests. For asynchronous ones use"
        " ifmatch.client.AsyncClient"
    )


def call_store(store: StateStore, action: Callable[[], T]) -> T:
    """Do something with a store of states.

    Args:
        store: the store.
        action: what is to be done with it.
    """
    del store
    return action()


def sleep(seconds: float) -> None:
    """Wait for so many seconds."""
    time.sleep(seconds)
