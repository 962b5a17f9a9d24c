"""Wrap a client of any of the four libraries; it stays the object, and of the type, that it was."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar, cast
from weakref import WeakKeyDictionary

from ifmatch.client.httpx_family import library_of, track_async_client, track_client
from ifmatch.client.tracking import Tracking

if TYPE_CHECKING:
    import aiohttp
    import httpx
    import httpx2
    import requests

    from ifmatch.client.tracking import Tracker

    Httpx: TypeAlias = httpx2.Client | httpx2.AsyncClient | httpx.Client | httpx.AsyncClient
    AnyClient: TypeAlias = Httpx | requests.Session | aiohttp.ClientSession

__all__ = ["track"]

C = TypeVar("C", bound="AnyClient")
_tracked: Final[WeakKeyDictionary[object, Tracker]] = WeakKeyDictionary()


def track(client: C, tracking: Tracking | None = None) -> C:
    """Make a client remember validators, add If-Match to writes, and explain refusals.

    Args:
        client: of httpx2, httpx, requests or aiohttp; changed in place, and stays drop-in: a 412 comes back
            as it is.
        tracking: how it behaves; None for the defaults.

    Returns:
        The same object.

    Raises:
        TypeError: it is none of these.
        ValueError: it is tracked already.
    """
    if client in _tracked:
        raise ValueError("this client is tracked already")
    _tracked[client] = _track(client, tracking or Tracking())
    return client


def _is_aiohttp(client: object) -> bool:
    module = sys.modules.get("aiohttp")
    return module is not None and isinstance(client, module.ClientSession)


def _track(client: object, tracking: Tracking) -> Tracker:
    library = library_of(client)
    if library is not None:
        if isinstance(client, library.AsyncClient):
            return track_async_client(cast("httpx2.AsyncClient", client), tracking)
        return track_client(cast("httpx2.Client", client), tracking)
    module = sys.modules.get("requests")
    if module is not None and isinstance(client, module.Session):
        from ifmatch.client.requests_session import track_session  # noqa: PLC0415 - needs requests

        return track_session(cast("requests.Session", client), tracking)
    if _is_aiohttp(client):
        from ifmatch.client.aiohttp_session import track_aiohttp_session  # noqa: PLC0415 - needs aiohttp

        return track_aiohttp_session(cast("aiohttp.ClientSession", client), tracking)
    raise TypeError(f"{type(client).__name__} is no client of httpx2, httpx, requests or aiohttp")
