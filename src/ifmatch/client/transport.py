"""Say what the editing client needs of a client library; one implementation a library."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from ifmatch.client.origins import next_hop
from ifmatch.model.quick import quick

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from ifmatch.model.message import Fields
    from ifmatch.update import Answer, NoAnswer

__all__ = ["AsyncBody", "AsyncTransport", "Body", "Outgoing", "Transport", "redirected"]

MOST_HOPS = 5


@quick
@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as the update machine wants it.

    Attributes:
        method: of the request.
        url: absolute, or relative to the base of the client library.
        fields: header fields to add to the library's own.
        octets: content; None for none.
        past_caches: whether a cache of the client library must not answer it.
        seconds: most that the library may wait for anything, where its own settings allow more; None: these.
    """

    method: str
    url: str
    fields: tuple[tuple[str, str], ...]
    octets: bytes | None = None
    past_caches: bool = False
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A response whose content is read piece by piece.

    Attributes:
        status: its code.
        fields: its header fields.
        pieces: the content as it arrives, in no content coding; raises ConnectionError when it is cut.
    """

    status: int
    fields: Fields
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class AsyncBody:
    """A response whose content is read piece by piece, asynchronously.

    Attributes:
        status: its code.
        fields: its header fields.
        pieces: as in `Body`.
    """

    status: int
    fields: Fields
    pieces: AsyncIterator[bytes]


class Transport(Protocol):
    """Send requests through a synchronous client library."""

    def absolute(self, url: str) -> str:
        """Return the URL with the base of the library applied."""
        ...

    def exchange(self, outgoing: Outgoing) -> Answer | NoAnswer:
        """Send one request, redirects not followed."""
        ...

    def wrote(self, url: str) -> None:
        """Make the library's own cache forget a URL that was written."""
        ...

    def stream(self, outgoing: Outgoing) -> AbstractContextManager[Body]:
        """Send one request and read its content in pieces; raises ConnectionError when no answer came."""
        ...


class AsyncTransport(Protocol):
    """Send requests through an asynchronous client library."""

    def absolute(self, url: str) -> str:
        """Return the URL with the base of the library applied."""
        ...

    async def exchange(self, outgoing: Outgoing) -> Answer | NoAnswer:
        """Send one request, redirects not followed."""
        ...

    async def wrote(self, url: str) -> None:
        """Make the library's own cache forget a URL that was written."""
        ...

    def stream(self, outgoing: Outgoing) -> AbstractAsyncContextManager[AsyncBody]:
        """Send one request and read its content in pieces; raises ConnectionError when no answer came."""
        ...


def redirected(outgoing: Outgoing, status: int, location: str | None, hops: int) -> Outgoing | None:
    """Return the request that follows a redirect, None when it ends here.

    An update stays at its origin: what another origin calls a version is no version of this resource.

    Args:
        outgoing: the request that was redirected.
        status: of the answer.
        location: its Location field.
        hops: redirects followed so far.
    """
    hop = next_hop(outgoing.method, outgoing.url, status, location)
    if hop is None or hop.refused or hop.crosses or hops >= MOST_HOPS:
        return None
    return replace(outgoing, method=hop.method, url=hop.url)
