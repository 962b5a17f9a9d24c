"""Wrap httpx2 and httpx: two libraries with one interface, told apart by the module a client comes from.

The wrapped method is `send()`: it sees every request before it is signed and above proxies and mocks, and
lets more be sent with the same authentication.
"""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from time import monotonic, time
from typing import TYPE_CHECKING, Final, TypeAlias, cast
from uuid import uuid4

from ifmatch.client.history import clean, is_own_credential, said
from ifmatch.client.origins import SAFE_METHODS, absolute, is_condition, same_origin
from ifmatch.client.tracking import Tracker, Tracking, not_the_callers
from ifmatch.client.transport import AsyncBody, Body, Outgoing
from ifmatch.client.validators import current_task_scope, current_thread_scope, thread
from ifmatch.model.message import Fields
from ifmatch.model.unknown import UNKNOWN
from ifmatch.update import Answer, NoAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator
    from types import ModuleType

    import httpx
    import httpx2

    from ifmatch.client.history import Kept
    from ifmatch.client.tracking import Sent
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


_texts: Final[dict[object, str]] = {}
"""The text of URLs that came lately, by their parts: to put one together takes longer than everything else
here. None with a user, a secret parameter or the like is among them."""


def _text_of(url: httpx2.URL) -> tuple[str, str]:
    """Return the text of a URL, and the same without credentials."""
    text = str(url)
    shown = clean(text)
    parts: object = getattr(url, "_uri_reference", None)
    if shown == text and parts is not None:
        if len(_texts) >= 1024:
            _texts.clear()
        _texts[parts] = text
    return text, shown


def _look(message: httpx2.Request | httpx2.Response) -> tuple[Kept, bytes | UnknownType]:
    """Return the lines of a message and its content, UNKNOWN when it is a stream that nobody read."""
    lines: object = getattr(message.headers, "_list", None)
    try:
        content: bytes | UnknownType = message.content
    except Exception:  # noqa: BLE001 - RequestNotRead or ResponseNotRead of either library
        content = UNKNOWN
    return cast("Kept", lines) if isinstance(lines, list) else [*message.headers.raw], content


def _look_at(request: httpx2.Request) -> tuple[str, str, Kept, bytes | UnknownType]:
    """Return the URL of a request, the same without credentials, its lines and its content."""
    return *_text_of(request.url), *_look(request)


def _put(headers: httpx2.Headers, lines: Kept, tag: str) -> None:
    """Add If-Match as `headers["If-Match"] = tag` does when there is none yet, which is known here."""
    if lines is getattr(headers, "_list", None) and isinstance(lines, list):
        lines.append((b"If-Match", b"if-match", tag.encode("latin-1")))
    else:
        headers["If-Match"] = tag


class _Tracked:
    """What both kinds of client share."""

    __slots__ = ("_asked", "_condition", "_looked_through", "client", "default", "library", "tracker")

    def __init__(self, client: httpx2.Client | httpx2.AsyncClient, tracking: Tracking) -> None:
        self.client = client
        self.tracker = tracker = Tracker(tracking)
        self._asked = tracker.asked
        self._condition = tracker.condition
        self._looked_through = tracker.looked_through
        library = library_of(client)
        if library is None:
            raise TypeError(f"{type(client).__name__} is no client of httpx2 or httpx")
        self.library = library
        self.default: object = library.USE_CLIENT_DEFAULT

    def before(self, request: httpx2.Request, scope: Scope) -> Sent:
        """Look at a request once, before it is sent, and add If-Match where that belongs."""
        method, fields = request.method, request.headers
        lines: Kept
        body: bytes | UnknownType
        # What lies there is taken as it is: the public ways make new objects of it for every request.
        try:
            url = shown = _texts[request.url._uri_reference]  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            lines = fields._list  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            body = request._content  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        except (AttributeError, KeyError):
            url, shown, lines, body = _look_at(request)
        # Members that are the same objects are not compared.
        kept, conditioned, tag = self._asked.get(method, ()), False, None
        if kept != lines:
            kept, conditioned = self._looked_through(method, lines)
        if method != "GET" and not conditioned:
            tag = self._condition(method, url, shown, scope, fields)
            if tag is not None:
                _put(fields, lines, tag)
        return method, shown, scope, fields, kept, tag, body

    def hop(
        self, sent: Sent, request: httpx2.Request, response: httpx2.Response, hops: int, wanted: object
    ) -> httpx2.Request | None:
        """Return the request that follows a redirect, None when the response is the end, refused or not.

        Args:
            sent: the request as it is kept.
            request: that was sent.
            response: to it.
            hops: redirects followed so far.
            wanted: whether they are followed, as the caller said; else the setting of the client.

        What the library makes of a redirect stands (cookies, methods as browsers change them), less what must
        not leave the origin or belongs to another request.
        """
        following = response.next_request
        follows = self.client.follow_redirects if not isinstance(wanted, bool) else wanted
        if following is None or not follows:
            if response.status_code in {412, 428}:
                self.tracker.judge(response, response.status_code, sent)
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


def _onward(response: httpx2.Response, hop: Callable[[], httpx2.Request | None]) -> httpx2.Request | None:
    """Return what follows a response; whoever gets an error instead of it cannot close it."""
    try:
        return hop()
    except BaseException:
        with suppress(Exception):
            response.read()
        response.close()
        raise


def track_client(client: SyncClient, tracking: Tracking) -> Tracker:
    """Make a synchronous client remember validators, add If-Match and explain refusals.

    Args:
        client: of httpx2 or httpx; its `send` is replaced on this one object.
        tracking: how it behaves.
    """
    tracked = _Tracked(cast("httpx2.Client", client), tracking)
    sender = _sender(tracked, cast("Callable[..., httpx2.Response]", client.send))
    client.send = sender  # type: ignore[method-assign]
    return tracked.tracker


def _sender(tracked: _Tracked, plain: Callable[..., httpx2.Response]) -> Callable[..., httpx2.Response]:
    """Return what sends in the place of the client's own `send`."""
    before, after, default = tracked.before, tracked.tracker.after, tracked.default

    def send(
        request: httpx2.Request,
        *,
        stream: bool = False,
        auth: object = default,
        follow_redirects: object = default,
        **options: object,
    ) -> httpx2.Response:
        try:
            scope = thread.scope
        except AttributeError:
            scope = current_thread_scope()
        ask = partial(plain, **options) if options else plain
        earlier: tuple[httpx2.Response, ...] = ()
        while True:
            sent, at = before(request, scope), time()
            try:
                response = ask(request, stream=stream, auth=auth, follow_redirects=False)
            except Exception as error:
                tracked.tracker.failed(sent, at, error)
                raise
            status = response.status_code
            cached = "caching" in response.extensions and _from_cache(response)
            try:
                lines: Kept = response.headers._list[:]  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
                answer = response._content  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            except AttributeError:
                found, content = _look(response)
                after(sent, at, response, status, found[:], content, cached)
            else:
                after(sent, at, response, status, lines, answer, cached)
            if earlier:
                response.history = [*earlier]
            # Most answers end here: what is behind it is looked at for the others only.
            if status < 300:
                return response
            hop = partial(tracked.hop, sent, request, response, len(earlier), follow_redirects)
            following = _onward(response, hop)
            if following is None:
                return response
            response.read()
            response.close()
            if not same_origin(sent[1], str(following.url)):
                auth = None
            request, earlier = following, (*earlier, response)

    return send


async def _async_onward(
    response: httpx2.Response, hop: Callable[[], httpx2.Request | None]
) -> httpx2.Request | None:
    """Return what follows a response; whoever gets an error instead of it cannot close it."""
    try:
        return hop()
    except BaseException:
        with suppress(Exception):
            await response.aread()
        await response.aclose()
        raise


def track_async_client(client: AsyncClient, tracking: Tracking) -> Tracker:
    """Make an asynchronous client remember validators, add If-Match and explain refusals.

    Args:
        client: of httpx2 or httpx; its `send` is replaced on this one object.
        tracking: how it behaves.
    """
    tracked = _Tracked(cast("httpx2.AsyncClient", client), tracking)
    sender = _async_sender(
        tracked, cast("Callable[..., Coroutine[None, None, httpx2.Response]]", client.send)
    )
    client.send = sender  # type: ignore[method-assign]
    return tracked.tracker


def _async_sender(
    tracked: _Tracked, plain: Callable[..., Coroutine[None, None, httpx2.Response]]
) -> Callable[..., Coroutine[None, None, httpx2.Response]]:
    """Return what sends in the place of the client's own `send`."""
    before, after, default = tracked.before, tracked.tracker.after, tracked.default

    async def send(
        request: httpx2.Request,
        *,
        stream: bool = False,
        auth: object = default,
        follow_redirects: object = default,
        **options: object,
    ) -> httpx2.Response:
        scope = current_task_scope()
        ask = partial(plain, **options) if options else plain
        earlier: tuple[httpx2.Response, ...] = ()
        while True:
            sent, at = before(request, scope), time()
            try:
                response = await ask(request, stream=stream, auth=auth, follow_redirects=False)
            except Exception as error:
                tracked.tracker.failed(sent, at, error)
                raise
            status = response.status_code
            cached = "caching" in response.extensions and _from_cache(response)
            try:
                lines: Kept = response.headers._list[:]  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
                answer = response._content  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            except AttributeError:
                found, content = _look(response)
                after(sent, at, response, status, found[:], content, cached)
            else:
                after(sent, at, response, status, lines, answer, cached)
            if earlier:
                response.history = [*earlier]
            # Most answers end here: what is behind it is looked at for the others only.
            if status < 300:
                return response
            hop = partial(tracked.hop, sent, request, response, len(earlier), follow_redirects)
            following = await _async_onward(response, hop)
            if following is None:
                return response
            await response.aread()
            await response.aclose()
            if not same_origin(sent[1], str(following.url)):
                auth = None
            request, earlier = following, (*earlier, response)

    return send


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
        self._raised: type[httpx2.HTTPStatusError] = library.HTTPStatusError

    def absolute(self, url: str) -> str:
        """Return the URL with the base of the library applied."""
        return absolute(str(self._any.build_request("GET", url).url))

    def _request(self, outgoing: Outgoing) -> httpx2.Request:
        extensions: dict[str, object] = {}
        if outgoing.past_caches and outgoing.method == "GET":
            # hishel keeps answers by key whatever the request's fields say; a key of its own is never found.
            extensions["caching"] = {"key": f"ifmatch-{uuid4().hex}", "ttl": 0.001}
        request = self._any.build_request(
            outgoing.method,
            outgoing.url,
            headers=list(outgoing.fields),
            content=outgoing.octets,
            extensions=extensions or None,
        )
        most, patience = outgoing.seconds, request.extensions.get("timeout")
        if most is not None and isinstance(patience, dict):
            for step, seconds in cast("dict[str, float | None]", patience).items():
                if seconds is None or seconds > most:
                    patience[step] = most
        return request

    @staticmethod
    def _refused(error: httpx2.HTTPStatusError) -> httpx2.Response:
        """Return the response that a hook of the client raised for (`raise_for_status`), if it is a refusal.

        Raises:
            HTTPStatusError: it is none, and its content is lost.
        """
        if error.response.status_code < 300:
            raise error
        return error.response

    def _answer(self, response: httpx2.Response, started: float) -> Answer:
        content = _look(response)[1]
        return Answer(
            response.status_code,
            Fields(response.headers.multi_items()),
            content if isinstance(content, bytes) else b"",
            monotonic() - started,
            "hishel" if _from_cache(response) else "",
        )

    def _no_answer(self, error: Exception, started: float) -> NoAnswer:
        return NoAnswer(said(error), not isinstance(error, self._unsent), monotonic() - started)


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
        started = monotonic()
        try:
            with not_the_callers():
                response = self._client.send(self._request(outgoing), follow_redirects=False)
        except self._failures as error:
            return self._no_answer(error, started)
        except self._raised as error:
            response = self._refused(error)
        return self._answer(response, started)

    def wrote(self, url: str) -> None:
        """Do nothing: hishel has no way to forget one URL from outside."""

    @contextmanager
    def stream(self, outgoing: Outgoing) -> Generator[Body]:
        """Send one request and read its content piece by piece."""
        try:
            with not_the_callers():
                response = self._client.send(self._request(outgoing), stream=True, follow_redirects=False)
        except self._failures as error:
            raise ConnectionError(said(error)) from error
        except self._raised as error:
            response = self._refused(error)
        try:
            fields = Fields(response.headers.multi_items())
            yield Body(response.status_code, fields, self._pieces(response))
        finally:
            response.close()

    def _pieces(self, response: httpx2.Response) -> Iterator[bytes]:
        try:
            yield from response.iter_bytes()
        except self._failures as error:
            raise ConnectionError(said(error)) from error


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
        started = monotonic()
        try:
            with not_the_callers():
                response = await self._client.send(self._request(outgoing), follow_redirects=False)
        except self._failures as error:
            return self._no_answer(error, started)
        except self._raised as error:
            response = self._refused(error)
        return self._answer(response, started)

    async def wrote(self, url: str) -> None:
        """Do nothing: hishel has no way to forget one URL from outside."""

    @asynccontextmanager
    async def stream(self, outgoing: Outgoing) -> AsyncGenerator[AsyncBody]:
        """Send one request and read its content piece by piece."""
        try:
            with not_the_callers():
                response = await self._client.send(
                    self._request(outgoing), stream=True, follow_redirects=False
                )
        except self._failures as error:
            raise ConnectionError(said(error)) from error
        except self._raised as error:
            response = self._refused(error)
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
            raise ConnectionError(said(error)) from error
