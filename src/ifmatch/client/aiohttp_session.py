"""Wrap aiohttp: tracking is a client middleware, which runs inside its loop of redirects."""

from __future__ import annotations

from asyncio import current_task
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from time import monotonic, time
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urldefrag
from weakref import ref

import aiohttp
from yarl import URL

from ifmatch.client.errors import CrossOriginRedirectError
from ifmatch.client.history import Recorded, clean, is_own_credential, recorded_with, said
from ifmatch.client.origins import REDIRECTS, SAFE_METHODS, absolute, is_condition, same_origin
from ifmatch.client.tracking import LEARNING, Tracker, Tracking, not_the_callers
from ifmatch.client.transport import AsyncBody, Outgoing
from ifmatch.model.message import Fields
from ifmatch.model.places import joined
from ifmatch.model.unknown import UNKNOWN
from ifmatch.update import Answer, NoAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence

    from multidict import CIMultiDict

    from ifmatch.client.history import Answered, Kept
    from ifmatch.client.tracking import Sent
    from ifmatch.model.unknown import UnknownType

__all__ = ["AiohttpTransport", "track_aiohttp_session"]

# Where aiohttp may be about to follow to, and the timer that all requests of one call share: the middleware
# sees each hop as a request of its own. Where the caller follows, there is another timer.
_led_to: ContextVar[tuple[object, str, str, str] | None] = ContextVar("_led_to", default=None)
# Not empty once there was a redirect at all.
_leads: Final[list[None]] = []


def _content(body: object) -> bytes | UnknownType:
    """Return the content that a payload holds, UNKNOWN when it is a stream."""
    value: object = getattr(body, "_value", UNKNOWN)
    if type(value) is bytes:
        return value
    return bytes(value) if isinstance(value, (bytes, bytearray)) else UNKNOWN


_texts: Final[dict[int, tuple[str, URL]]] = {}
"""The text of URLs that came lately: yarl puts it together each time. None with a user, a secret parameter or
the like is among them. By identity, since yarl gives the same object for the same text, and looks through the
parts of one that is looked up; an object that is kept here shares its identity with none."""


def _text_of(url: URL) -> tuple[str, str]:
    """Return the text of a URL, and the same without credentials."""
    text = str(url)
    shown = clean(text)
    if shown == text:
        if len(_texts) >= 1024:
            _texts.clear()
        _texts[id(url)] = text, url
    return text, shown


_current_task: Final = cast("Callable[[], object]", current_task)


def _as_sent(tag: str) -> str | None:
    """Return a tag beyond ASCII as aiohttp, which sends UTF-8, has to get it; None if it cannot send it."""
    try:
        return tag.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return None


class _Requests:
    """What is done before each request of a session."""

    __slots__ = ("_asked", "_condition", "_tracker")

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._condition = tracker.condition
        # As `Tracker.asked`, by the fields themselves: they are compared without being put into lines.
        self._asked: dict[str, tuple[object, Kept]] = {}

    def before(self, request: aiohttp.ClientRequest) -> Sent:
        """Look at a request once, before it is sent, and add If-Match where that belongs."""
        target, fields, method = request.url, request.headers, request.method
        try:
            url = shown = _texts[id(target)][0]
        except KeyError:
            url, shown = _text_of(target)
        if _leads and _led_to.get() is not None:
            _stay_apart(request, url)
        # As `current_task_scope`; where aiohttp runs there is a task.
        scope = ref(_current_task())
        same, conditioned, tag = self._asked.get(method), False, None
        if same is not None and same[0] == fields:
            kept = same[1]
        else:
            kept, conditioned = self._looked_through(method, fields)
        if method != "GET" and not conditioned:
            tag = self._condition(method, url, shown, scope, fields)
            if tag is not None:
                sent = tag if tag.isascii() else _as_sent(tag)
                if sent is None:
                    tag = None
                else:
                    fields["If-Match"] = sent
        body: object = request._body  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        return method, shown, scope, fields, kept, tag, None if body is None else _content(body)

    def _looked_through(self, method: str, fields: CIMultiDict[str]) -> tuple[Kept, bool]:
        lines = [*fields.items()]
        kept, conditioned = self._tracker.looked_through(method, lines)
        # As many lines: none of them is a credential.
        if method in LEARNING and not conditioned and len(kept) == len(lines):
            self._asked[method] = fields.copy(), kept
        return kept, conditioned


def _middleware(tracker: Tracker) -> aiohttp.ClientMiddlewareType:
    """Return the middleware that tracks each request of a session.

    A function, since aiohttp calls it for every request and an object is called in twice the time.
    """
    before, after, keeps = _Requests(tracker).before, tracker.after, tracker.history is not None

    async def track(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        sent, at = before(request), time()
        try:
            response = await handler(request)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            tracker.failed(sent, at, error)
            raise
        status = response.status
        answer = _answer(response, sent[0]) if keeps and status != 204 else None
        after(sent, at, response, status, response.raw_headers, answer, False)
        if status >= 300:
            if status in REDIRECTS:
                _leads_on(request, response, str(request.url))
            elif status in {412, 428}:
                try:
                    tracker.judge(response, status, sent)
                except BaseException:
                    # Whoever gets an error instead of a response cannot release it.
                    with suppress(Exception):
                        await response.read()
                    response.close()
                    raise
        return response

    return track


def _answer(response: aiohttp.ClientResponse, method: str) -> Answered:
    """Return the content that came with the head of a response, as most do; a list when it comes later.

    It stays where the caller reads it.
    """
    try:
        stream = response.content
        buffer = stream._buffer  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        ended = stream._eof and not stream._buffer_offset  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        if ended and len(buffer) == 1:
            return buffer[0]
    except AttributeError:
        pass
    return None if method == "HEAD" or response.status == 304 else [UNKNOWN]


_ANSWER: Final = Recorded._fields.index("answer")


def _reading(kind: type[aiohttp.ClientResponse]) -> type[aiohttp.ClientResponse]:
    """Return a class of responses that take their content into the history when the caller reads it.

    Reading it in the middleware would take the stream away from the caller.

    Args:
        kind: of responses that the session makes.
    """
    plain = kind.read

    async def taken(response: aiohttp.ClientResponse, one: Recorded) -> bytes:
        octets = await plain(response)
        if isinstance(one.answer, list):
            one.answer[0] = one.history.answered(octets)
        return octets

    def read(response: aiohttp.ClientResponse) -> Coroutine[None, None, bytes]:
        one = recorded_with(response)
        if one is not None and type(one[_ANSWER]) is list:
            return taken(response, Recorded._make(one))
        return plain(response)

    members = {"read": read, "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return cast("type[aiohttp.ClientResponse]", type(kind.__name__, (kind,), members))


def _leads_on(request: aiohttp.ClientRequest, response: aiohttp.ClientResponse, url: str) -> None:
    """Remember where a redirect leads: aiohttp follows it next, or the caller does."""
    location = response.headers.get("Location")
    if location is not None:
        target = urldefrag(joined(url, location))[0]
        _led_to.set((getattr(request, "_timer", None), request.method, url, target))
        if not _leads:
            _leads.append(None)


def _stay_apart(request: aiohttp.ClientRequest, url: str) -> None:
    """Keep what belongs to one request, or to one origin, from following a redirect to another.

    Raises:
        CrossOriginRedirectError: the request is a write.
    """
    hop = _led_to.get()
    _led_to.set(None)
    if hop is None:
        return
    timer, method, source, target = hop
    if timer is not getattr(request, "_timer", None) or url != target:
        return
    crosses = not same_origin(source, target)
    if not crosses and request.method == method:
        return
    if crosses and request.method not in SAFE_METHODS:
        raise CrossOriginRedirectError(
            f"{request.method} {source} was redirected to {target}, another origin, and was not sent there."
            " Send it to that URL yourself if that is right"
        )
    for name in [*request.headers]:
        if is_condition(name) or (crosses and is_own_credential(name)):
            del request.headers[name]


def track_aiohttp_session(session: aiohttp.ClientSession, tracking: Tracking) -> Tracker:
    """Make a session remember validators, add If-Match and explain refusals.

    Args:
        session: the tracking middleware is put before its own.
        tracking: how it behaves.
    """
    tracker = Tracker(tracking)
    setattr(session, _MIDDLEWARES, (_middleware(tracker), *_middlewares(session)))
    if tracker.history is not None:
        made_of = cast("type[aiohttp.ClientResponse]", getattr(session, _RESPONSES))
        setattr(session, _RESPONSES, _reading(made_of))
    return tracker


# The session takes both only when it is made; there is no public way to change them.
_MIDDLEWARES: Final = "_middlewares"
_RESPONSES: Final = "_response_class"


def _middlewares(session: aiohttp.ClientSession) -> Sequence[aiohttp.ClientMiddlewareType]:
    return cast("Sequence[aiohttp.ClientMiddlewareType]", getattr(session, _MIDDLEWARES))


def _patience(session: aiohttp.ClientSession, most: float | None, *, whole: bool) -> aiohttp.ClientTimeout:
    """Return the timeouts of a session, with at most so many seconds.

    Args:
        session: whose they are.
        most: seconds; None: as they are.
        whole: for the whole request; else for each step of it.
    """
    own = session.timeout
    if most is None or (whole and own.total is not None and own.total <= most):
        return own
    steps = [own.connect, own.sock_read, own.sock_connect]
    if not whole:
        steps = [most if step is None else min(step, most) for step in steps]
    return aiohttp.ClientTimeout(
        total=most if whole else own.total,
        connect=steps[0],
        sock_read=steps[1],
        sock_connect=steps[2],
        ceil_threshold=own.ceil_threshold,
    )


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
        raise _ResentError(said(error)) from error


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
        return absolute(str(URL(url) if base is None else base.join(URL(url))))

    async def exchange(self, outgoing: Outgoing) -> Answer | NoAnswer:
        """Send one request, redirects not followed."""
        started = monotonic()
        try:
            response = await self._send(outgoing)
            async with response:
                octets = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            return NoAnswer(said(error), sent=False, elapsed=monotonic() - started)
        except _ResentError as error:
            return NoAnswer(str(error), elapsed=monotonic() - started)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return NoAnswer(said(error), elapsed=monotonic() - started)
        return Answer(
            response.status,
            Fields(response.headers.items()),
            octets,
            monotonic() - started,
            "aiohttp-client-cache" if getattr(response, "from_cache", False) else "",
        )

    async def _send(self, outgoing: Outgoing, *, stream: bool = False) -> aiohttp.ClientResponse:
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
                    # A refusal is an answer here, whatever the session makes of it for its other callers.
                    raise_for_status=False,
                    timeout=_patience(session, outgoing.seconds, whole=not stream),
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
            response = await self._send(outgoing, stream=True)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ConnectionError(said(error)) from error
        async with response:
            yield AsyncBody(response.status, Fields(response.headers.items()), _pieces(response))


async def _pieces(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for piece in response.content.iter_chunked(64 * 1024):
            yield piece
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ConnectionError(said(error)) from error
