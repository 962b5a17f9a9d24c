"""Wrap aiohttp: tracking is a client middleware, which runs inside its loop of redirects."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urldefrag, urljoin
from weakref import ref

import aiohttp
from yarl import URL

from ifmatch.client.errors import CrossOriginRedirectError
from ifmatch.client.history import is_own_credential, scanned
from ifmatch.client.origins import SAFE_METHODS, is_condition, same_origin
from ifmatch.client.tracking import GUARDED, JUDGED, Tracker, Tracking, not_the_callers
from ifmatch.client.transport import AsyncBody, Outgoing
from ifmatch.client.validators import current_task_scope
from ifmatch.model.message import Fields
from ifmatch.model.unknown import UNKNOWN
from ifmatch.update import Answer, NoAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence
    from types import SimpleNamespace

    from ifmatch.model.unknown import UnknownType

__all__ = ["AiohttpTransport", "track_aiohttp_session"]

# Where aiohttp is about to follow to: the middleware sees each hop as a request of its own.
_led_to: ContextVar[tuple[str, str] | None] = ContextVar("_led_to", default=None)


def _body(request: aiohttp.ClientRequest) -> bytes | UnknownType | None:
    body = request.body
    if isinstance(body, (bytes, bytearray)):
        return bytes(body) or None
    value: object = getattr(body, "_value", None)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value) or None
    return UNKNOWN


class _Middleware:
    """Track each request of a session."""

    def __init__(self, tracking: Tracking) -> None:
        self.tracker = Tracker(tracking)

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        tracker, url, scope = self.tracker, str(request.url), current_task_scope()
        _stay_at_origin(request, url)
        headers, method = request.headers, request.method
        kept, _, _, conditioned = scanned(headers.items())
        if method in GUARDED and not conditioned:
            tag = tracker.tag_for(method, url, scope, headers.get)
            if tag is not None:
                headers["If-Match"] = tag
                kept.append(("If-Match", tag))
        started = time.time()
        content = _body(request) if tracker.history is not None else None
        try:
            response = await handler(request)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            tracker.keep(None, method, url, sent=kept, content=content, started=started, error=repr(error))
            raise
        status = response.status
        received, etag, vary, _ = scanned(response.headers.items())
        tracker.after(method, url, headers.get, scope, status=status, etag=etag, vary=vary)
        if tracker.history is not None:
            later: list[bytes | UnknownType | None] = [UNKNOWN]
            comes = method != "HEAD" and status not in (204, 304)
            tracker.keep(
                response,
                method,
                url,
                sent=kept,
                content=content,
                started=started,
                status=status,
                received=received,
                answer=later if comes else None,
            )
            if comes:
                self._keep_content(response, later)
        if status in JUDGED:
            tracker.judge(response, status, method, url)
        return response

    def _keep_content(
        self, response: aiohttp.ClientResponse, later: list[bytes | UnknownType | None]
    ) -> None:
        """Take the content in when the caller reads it; reading it here would take the stream away."""
        history = self.tracker.history
        # The response must not hold itself alive: aiohttp returns its connection when it is collected.
        there = ref(response)
        unbound = type(response).read

        async def read() -> bytes:
            alive = there()
            assert alive is not None  # noqa: S101 - whoever calls this method holds the response
            octets = await unbound(alive)
            if history is not None:
                later[0] = history.kept(octets or None)
            return octets

        response.read = read  # type: ignore[method-assign]


async def _begins(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, _sent: aiohttp.TraceRequestStartParams
) -> None:
    """Forget where an earlier request was led to."""
    _led_to.set(None)


async def _follows(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, seen: aiohttp.TraceRequestRedirectParams
) -> None:
    """Take in that aiohttp follows a redirect; one that the caller follows is the caller's decision."""
    url, location = str(seen.response.url), seen.response.headers.get("Location")
    _led_to.set(None if location is None else (url, urldefrag(urljoin(url, location))[0]))


def _stay_at_origin(request: aiohttp.ClientRequest, url: str) -> None:
    """Keep what belongs to one origin from following a redirect to another.

    Raises:
        CrossOriginRedirectError: the request is a write.
    """
    hop = _led_to.get()
    _led_to.set(None)
    if hop is None or hop[1] != url or same_origin(*hop):
        return
    if request.method not in SAFE_METHODS:
        raise CrossOriginRedirectError(
            f"{request.method} {hop[0]} was redirected to {hop[1]}, another origin, and was not sent there."
            " Send it to that URL yourself if that is right"
        )
    for name in [*request.headers]:
        if is_condition(name) or is_own_credential(name):
            del request.headers[name]


def track_aiohttp_session(session: aiohttp.ClientSession, tracking: Tracking) -> Tracker:
    """Make a session remember validators, add If-Match and explain refusals.

    Args:
        session: the tracking middleware is put before its own.
        tracking: how it behaves.
    """
    middleware = _Middleware(tracking)
    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(_begins)
    trace.on_request_redirect.append(_follows)
    trace.freeze()
    session.trace_configs.append(trace)
    setattr(session, _MIDDLEWARES, (middleware, *_middlewares(session)))
    return middleware.tracker


# The session takes middlewares only when it is made; there is no public way to add one.
_MIDDLEWARES: Final = "_middlewares"


def _middlewares(session: aiohttp.ClientSession) -> Sequence[aiohttp.ClientMiddlewareType]:
    return cast("Sequence[aiohttp.ClientMiddlewareType]", getattr(session, _MIDDLEWARES))


class _ResentError(Exception):
    """Carries the reason out of aiohttp, which would send the request again for some of its own errors."""


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a write again by itself when a connection breaks."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if request.method in SAFE_METHODS:
            raise
        raise _ResentError(f"{type(error).__name__}: {error}") from error


class AiohttpTransport:
    """Send the requests of an update through a session.

    Args:
        session: of aiohttp; with aiohttp-client-cache too.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def absolute(self, url: str) -> str:
        """Return the URL with the base of the session applied."""
        base = cast("URL | None", getattr(self._session, "_base_url", None))
        return str(URL(url) if base is None else base.join(URL(url)))

    async def exchange(self, outgoing: Outgoing) -> Answer | NoAnswer:
        """Send one request, redirects not followed."""
        started = time.monotonic()
        try:
            response = await self._send(outgoing)
            async with response:
                octets = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            return NoAnswer(
                f"{type(error).__name__}: {error}", sent=False, elapsed=time.monotonic() - started
            )
        except (_ResentError, aiohttp.ClientError, TimeoutError, OSError) as error:
            return NoAnswer(str(error) or type(error).__name__, elapsed=time.monotonic() - started)
        return Answer(
            response.status,
            Fields(response.headers.items()),
            octets,
            time.monotonic() - started,
            "aiohttp-client-cache" if getattr(response, "from_cache", False) else "",
        )

    async def _send(self, outgoing: Outgoing) -> aiohttp.ClientResponse:
        session = self._session
        own = _middlewares(session)
        skipped: object = getattr(getattr(session, "cache", None), "_disabled", None)
        variable = cast("ContextVar[bool] | None", skipped) if outgoing.past_caches else None
        token = None if variable is None else variable.set(True)
        try:
            with not_the_callers():
                return await session.request(
                    outgoing.method,
                    outgoing.url,
                    headers=list(outgoing.fields),
                    data=outgoing.octets,
                    allow_redirects=False,
                    middlewares=(*own, _send_once),
                )
        finally:
            if variable is not None and token is not None:
                variable.reset(token)

    async def wrote(self, url: str) -> None:
        """Make aiohttp-client-cache forget a URL."""
        cache = getattr(self._session, "cache", None)
        if cache is not None and hasattr(cache, "delete_url"):
            await cache.delete_url(url)

    @asynccontextmanager
    async def stream(self, outgoing: Outgoing) -> AsyncGenerator[AsyncBody]:
        """Send one request and read its content piece by piece."""
        try:
            response = await self._send(outgoing)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        async with response:
            yield AsyncBody(response.status, Fields(response.headers.items()), _pieces(response))


async def _pieces(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for piece in response.content.iter_chunked(64 * 1024):
            yield piece
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ConnectionError(str(error) or type(error).__name__) from error
