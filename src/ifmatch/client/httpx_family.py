"""Wrap httpx2 and httpx: two libraries with one interface, told apart by the module a client comes from.

The wrapped method is `send()`: it sees every request before it is signed and above proxies and mocks, and
lets more be sent with the same authentication.
"""

from __future__ import annotations

import sys
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias, cast
from uuid import uuid4

from ifmatch.client.history import is_own_credential, of_request
from ifmatch.client.origins import SAFE_METHODS, is_condition, same_origin
from ifmatch.client.tracking import GUARDED, JUDGED, Tracker, Tracking, not_the_callers
from ifmatch.client.transport import AsyncBody, Body, Outgoing
from ifmatch.client.validators import current_task_scope, current_thread_scope
from ifmatch.model.message import Fields
from ifmatch.model.unknown import UNKNOWN
from ifmatch.update import Answer, NoAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator
    from types import ModuleType

    import httpx
    import httpx2

    from ifmatch.client.history import Kept
    from ifmatch.client.validators import Scope
    from ifmatch.model.unknown import UnknownType

    SyncClient: TypeAlias = "httpx2.Client | httpx.Client"
    AsyncClient: TypeAlias = "httpx2.AsyncClient | httpx.AsyncClient"

__all__ = ["AsyncHttpxTransport", "HttpxTransport", "library_of", "track_async_client", "track_client"]

LIBRARIES: Final = ("httpx2", "httpx")


def library_of(client: object) -> ModuleType | None:
    """Return the module that a client comes from, subclasses included; None for other libraries."""
    for kind in type(client).__mro__:
        name = kind.__module__.partition(".")[0]
        if name in LIBRARIES and kind.__name__ in ("BaseClient", "Client", "AsyncClient"):
            return sys.modules[name]
    return None


def _request_content(request: httpx2.Request) -> bytes | UnknownType | None:
    """Return the content of a request, UNKNOWN when it is a stream."""
    try:
        return request.content or None
    except Exception:  # noqa: BLE001 - RequestNotRead of either library
        return UNKNOWN


def _lines(headers: httpx2.Headers) -> Kept:
    """Return the fields as they lie there; the public way makes a new tuple for each, on every message."""
    try:
        return headers._list  # type: ignore[return-value]  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    except AttributeError:
        return tuple(headers.raw)


class _Spellings(dict[object, str]):
    """The text of URLs that came lately: putting one together takes longer than everything else here."""

    def __missing__(self, parts: object) -> str:
        if len(self) >= 1024:
            self.clear()
        made = self[parts] = str(parts)
        return made


_spellings: Final = _Spellings()


def _text_of(url: httpx2.URL) -> str:
    """Return the text of a URL."""
    try:
        return _spellings[url._uri_reference]  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    except AttributeError:
        return str(url)


class _Tracked:
    """What both kinds of client share."""

    __slots__ = ("client", "default", "history", "library", "tracker")

    def __init__(self, client: httpx2.Client | httpx2.AsyncClient, tracking: Tracking) -> None:
        self.client = client
        self.tracker = Tracker(tracking)
        self.history = self.tracker.history is not None
        library = library_of(client)
        if library is None:
            raise TypeError(f"{type(client).__name__} is no client of httpx2 or httpx")
        self.library = library
        self.default: object = library.USE_CLIENT_DEFAULT

    def follows(self, wanted: object) -> bool:
        """Tell whether redirects are followed: the argument of the call, else the setting of the client."""
        return self.client.follow_redirects if not isinstance(wanted, bool) else wanted

    def before(self, request: httpx2.Request, url: str, scope: Scope) -> Kept:
        """Prepare a request; return its fields without credentials when the history needs them."""
        method = request.method
        if method not in GUARDED:
            return of_request(_lines(request.headers))[0] if self.history else ()
        headers = request.headers
        sent, conditioned = of_request(_lines(headers))
        if not conditioned:
            tag = self.tracker.tag_for(method, url, scope, headers.get)
            if tag is not None:
                line = (b"If-Match", b"if-match", tag.encode("latin-1"))
                sent = [*sent, line]
                # As `headers["If-Match"] = tag` does when there is none yet, which is known here.
                lines = _lines(headers)
                if isinstance(lines, list):
                    lines.append(line)
                else:
                    headers["If-Match"] = tag
        return sent

    def after(  # noqa: PLR0917 - keywords take longer, and this runs for every request
        self,
        request: httpx2.Request,
        response: httpx2.Response,
        url: str,
        scope: Scope,
        sent: Kept,
        started: float,
        stream: bool,
    ) -> None:
        """Take in a response."""
        history = self.history
        self.tracker.after(
            response,
            request.method,
            url,
            scope,
            request.headers.get,
            sent,
            _request_content(request) if history else None,
            started,
            response.status_code,
            _lines(response.headers),
            (UNKNOWN if stream else response.content or None) if history else None,
            "caching" in response.extensions and _from_cache(response),
        )

    def failed(self, request: httpx2.Request, url: str, sent: Kept, started: float, error: Exception) -> None:
        """Take in that no response came."""
        self.tracker.failed(request.method, url, sent, _request_content(request), started, error)

    def hop(self, request: httpx2.Request, response: httpx2.Response, hops: int) -> httpx2.Request | None:
        """Return the request that follows a redirect, None when the response is the end.

        What the library makes of a redirect stands (cookies, methods as browsers change them), less what must
        not leave the origin or belongs to another request.
        """
        following = response.next_request
        if following is None:
            return None
        if hops >= self.client.max_redirects:
            error = cast("type[httpx2.TooManyRedirects]", self.library.TooManyRedirects)
            raise error("Exceeded maximum allowed redirects.", request=request)
        crosses = not same_origin(str(request.url), str(following.url))
        if crosses and following.method not in SAFE_METHODS:
            return None
        if crosses or following.method != request.method:
            for name in [*following.headers]:
                if is_condition(name) or (crosses and is_own_credential(name)):
                    del following.headers[name]
        return following


def track_client(client: SyncClient, tracking: Tracking) -> Tracker:
    """Make a synchronous client remember validators, add If-Match and explain refusals.

    Args:
        client: of httpx2 or httpx; its `send` is replaced on this one object.
        tracking: how it behaves.
    """
    tracked = _Tracked(cast("httpx2.Client", client), tracking)
    plain = cast("Callable[..., httpx2.Response]", client.send)
    default = tracked.default

    def send(
        request: httpx2.Request,
        *,
        stream: bool = False,
        auth: object = default,
        follow_redirects: object = default,
        **options: object,
    ) -> httpx2.Response:
        history: list[httpx2.Response] = []
        scope = current_thread_scope()
        while True:
            url = _text_of(request.url)
            sent, started = tracked.before(request, url, scope), time.time()
            try:
                response = plain(request, stream=stream, auth=auth, follow_redirects=False, **options)
            except Exception as error:
                tracked.failed(request, url, sent, started, error)
                raise
            tracked.after(request, response, url, scope, sent, started, stream)
            following = None
            if response.next_request is not None and tracked.follows(follow_redirects):
                following = tracked.hop(request, response, len(history))
            if history:
                response.history = list(history)
            if following is None:
                status = response.status_code
                if status in JUDGED:
                    tracked.tracker.judge(response, status, request.method, url)
                return response
            response.read()
            response.close()
            history.append(response)
            if not same_origin(url, str(following.url)):
                auth = None
            request = following

    client.send = send  # type: ignore[method-assign]
    return tracked.tracker


def track_async_client(client: AsyncClient, tracking: Tracking) -> Tracker:
    """Make an asynchronous client remember validators, add If-Match and explain refusals.

    Args:
        client: of httpx2 or httpx; its `send` is replaced on this one object.
        tracking: how it behaves.
    """
    tracked = _Tracked(cast("httpx2.AsyncClient", client), tracking)
    plain = cast("Callable[..., Coroutine[None, None, httpx2.Response]]", client.send)
    default = tracked.default

    async def send(
        request: httpx2.Request,
        *,
        stream: bool = False,
        auth: object = default,
        follow_redirects: object = default,
        **options: object,
    ) -> httpx2.Response:
        history: list[httpx2.Response] = []
        scope = current_task_scope()
        while True:
            url = _text_of(request.url)
            sent, started = tracked.before(request, url, scope), time.time()
            try:
                response = await plain(request, stream=stream, auth=auth, follow_redirects=False, **options)
            except Exception as error:
                tracked.failed(request, url, sent, started, error)
                raise
            tracked.after(request, response, url, scope, sent, started, stream)
            following = None
            if response.next_request is not None and tracked.follows(follow_redirects):
                following = tracked.hop(request, response, len(history))
            if history:
                response.history = list(history)
            if following is None:
                status = response.status_code
                if status in JUDGED:
                    tracked.tracker.judge(response, status, request.method, url)
                return response
            await response.aread()
            await response.aclose()
            history.append(response)
            if not same_origin(url, str(following.url)):
                auth = None
            request = following

    client.send = send  # type: ignore[method-assign]
    return tracked.tracker


# Editing.


class _Base:
    """Build requests and read outcomes; the same for both kinds of client."""

    def __init__(self, client: SyncClient | AsyncClient) -> None:
        self._any = cast("httpx2.Client", client)
        library = library_of(client)
        if library is None:
            raise TypeError(f"{type(client).__name__} is no client of httpx2 or httpx")
        self._unsent: tuple[type[Exception], ...] = (
            library.ConnectError,
            library.ConnectTimeout,
            library.PoolTimeout,
            library.UnsupportedProtocol,
        )
        self._failures: tuple[type[Exception], ...] = (library.TransportError, library.DecodingError)

    def absolute(self, url: str) -> str:
        """Return the URL with the base of the library applied."""
        return str(self._any.build_request("GET", url).url)

    def _request(self, outgoing: Outgoing) -> httpx2.Request:
        extensions: dict[str, object] = {}
        if outgoing.past_caches and outgoing.method == "GET":
            # hishel keeps answers by key whatever the request's fields say; a key of its own is never found.
            extensions["caching"] = {"key": f"ifmatch-{uuid4().hex}", "ttl": 0.001}
        return self._any.build_request(
            outgoing.method,
            outgoing.url,
            headers=list(outgoing.fields),
            content=outgoing.octets,
            extensions=extensions or None,
        )

    def _answer(self, response: httpx2.Response, started: float) -> Answer:
        return Answer(
            response.status_code,
            Fields(response.headers.multi_items()),
            response.content,
            time.monotonic() - started,
            "hishel" if _from_cache(response) else "",
        )

    def _no_answer(self, error: Exception, started: float) -> NoAnswer:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return NoAnswer(reason, not isinstance(error, self._unsent), time.monotonic() - started)


def _from_cache(response: httpx2.Response) -> bool:
    status = cast("object", response.extensions.get("caching"))
    return isinstance(status, dict) and bool(cast("dict[str, object]", status).get("from_cache"))


class HttpxTransport(_Base):
    """Send the requests of an update through a synchronous client.

    Args:
        client: of httpx2 or httpx.
    """

    def __init__(self, client: SyncClient) -> None:
        super().__init__(client)
        self._client = cast("httpx2.Client", client)

    def exchange(self, outgoing: Outgoing) -> Answer | NoAnswer:
        """Send one request, redirects not followed."""
        started = time.monotonic()
        try:
            with not_the_callers():
                response = self._client.send(self._request(outgoing), follow_redirects=False)
        except self._failures as error:
            return self._no_answer(error, started)
        return self._answer(response, started)

    def wrote(self, url: str) -> None:
        """Do nothing: hishel has no way to forget one URL from outside."""

    @contextmanager
    def stream(self, outgoing: Outgoing) -> Generator[Body]:
        """Send one request and read its content piece by piece."""
        try:
            response = self._client.send(self._request(outgoing), stream=True, follow_redirects=False)
        except self._failures as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        try:
            fields = Fields(response.headers.multi_items())
            yield Body(response.status_code, fields, self._pieces(response))
        finally:
            response.close()

    def _pieces(self, response: httpx2.Response) -> Iterator[bytes]:
        try:
            yield from response.iter_bytes()
        except self._failures as error:
            raise ConnectionError(str(error) or type(error).__name__) from error


class AsyncHttpxTransport(_Base):
    """Send the requests of an update through an asynchronous client.

    Args:
        client: of httpx2 or httpx.
    """

    def __init__(self, client: AsyncClient) -> None:
        super().__init__(client)
        self._client = cast("httpx2.AsyncClient", client)

    async def exchange(self, outgoing: Outgoing) -> Answer | NoAnswer:
        """Send one request, redirects not followed."""
        started = time.monotonic()
        try:
            with not_the_callers():
                response = await self._client.send(self._request(outgoing), follow_redirects=False)
        except self._failures as error:
            return self._no_answer(error, started)
        return self._answer(response, started)

    async def wrote(self, url: str) -> None:
        """Do nothing: hishel has no way to forget one URL from outside."""

    @asynccontextmanager
    async def stream(self, outgoing: Outgoing) -> AsyncGenerator[AsyncBody]:
        """Send one request and read its content piece by piece."""
        try:
            response = await self._client.send(self._request(outgoing), stream=True, follow_redirects=False)
        except self._failures as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        try:
            fields = Fields(response.headers.multi_items())
            yield AsyncBody(response.status_code, fields, self._pieces(response))
        finally:
            await response.aclose()

    async def _pieces(self, response: httpx2.Response) -> AsyncIterator[bytes]:
        try:
            async for piece in response.aiter_bytes():
                yield piece
        except self._failures as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
