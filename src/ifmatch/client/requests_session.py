"""Wrap requests: the wrapped method is `Session.send()`, with redirects driven here."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from time import monotonic, time
from typing import TYPE_CHECKING, Final, cast
from uuid import uuid4

import requests
from requests import exceptions
from urllib3.exceptions import HTTPError

from ifmatch.client.history import clean, is_own_credential, said
from ifmatch.client.origins import SAFE_METHODS, absolute, is_condition, same_origin
from ifmatch.client.tracking import Tracker, Tracking, not_the_callers
from ifmatch.client.transport import Body, Outgoing
from ifmatch.client.validators import current_thread_scope, thread
from ifmatch.model.message import Fields
from ifmatch.model.unknown import UNKNOWN
from ifmatch.update import Answer, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from requests.structures import CaseInsensitiveDict

    from ifmatch.client.history import Kept
    from ifmatch.client.tracking import Sent
    from ifmatch.client.validators import Scope
    from ifmatch.model.unknown import UnknownType

__all__ = ["RequestsTransport", "track_session"]


def _content(body: object) -> bytes | UnknownType:
    return body.encode() if isinstance(body, str) else UNKNOWN


# The values of an OrderedDict itself are looked up one by one.
_values: Final = dict[str, tuple[str, str]].values


def _lines(headers: CaseInsensitiveDict[str]) -> Kept:
    """Return the fields as they lie there; the public way looks each of them up."""
    try:
        return list(_values(headers._store))  # type: ignore[attr-defined]  # noqa: SLF001
    except AttributeError:
        return list(headers.items())


class _Tracked:
    """What is done before and after the requests of a session."""

    __slots__ = ("_asked", "_condition", "_looked_through", "session", "tracker")

    def __init__(self, session: requests.Session, tracking: Tracking) -> None:
        self.session = session
        self.tracker = tracker = Tracker(tracking)
        self._asked = tracker.asked
        self._condition = tracker.condition
        self._looked_through = tracker.looked_through

    def before(self, request: requests.PreparedRequest, scope: Scope) -> Sent:
        """Look at a request once, before it is sent, and add If-Match where that belongs.

        Authentication was applied before: one that signs header fields signs If-Match only when the caller
        sets it.
        """
        method, url, fields = request.method or "", request.url or "", request.headers
        body = request.body
        shown = clean(url) if "?" in url or "@" in url else url
        content = body if body is None or isinstance(body, bytes) else _content(body)
        lines = _lines(fields)
        # Members that are the same objects are not compared.
        kept, conditioned, tag = self._asked.get(method, ()), False, None
        if kept != lines:
            kept, conditioned = self._looked_through(method, lines)
        if method != "GET" and not conditioned:
            tag = self._condition(method, url, shown, scope, fields)
            if tag is not None:
                fields["If-Match"] = tag
        return method, shown, scope, fields, kept, tag, content

    def onward(
        self, response: requests.Response, sent: Sent, hops: int | None
    ) -> requests.PreparedRequest | None:
        """Return what follows a response, None when it is the end, which is then judged.

        Args:
            response: closed when there is an error instead of it, since nobody else could.
            sent: the request as it is kept.
            hops: redirects followed so far; None: they are not followed.
        """
        try:
            following = None if hops is None else self.hop(response, hops)
            if following is None and response.status_code in {412, 428}:
                self.tracker.judge(response, response.status_code, sent)
        except BaseException:
            with suppress(Exception):
                _ = response.content
            response.close()
            raise
        return following

    def hop(self, response: requests.Response, hops: int) -> requests.PreparedRequest | None:
        """Return the request that follows a redirect, None when the response is the end."""
        following, request = response.next, response.request
        if following is None:
            return None
        if hops >= self.session.max_redirects:
            raise exceptions.TooManyRedirects(
                f"Exceeded {self.session.max_redirects} redirects.", response=response
            )
        crosses = not same_origin(request.url or "", following.url or "")
        if crosses and following.method not in SAFE_METHODS:
            return None
        if crosses or following.method != request.method:
            for name in [*following.headers]:
                if is_condition(name) or (crosses and is_own_credential(name)):
                    del following.headers[name]
        return following


def track_session(session: requests.Session, tracking: Tracking) -> Tracker:
    """Make a session remember validators, add If-Match and explain refusals.

    Args:
        session: its `send` is replaced on this one object.
        tracking: how it behaves.
    """
    tracked = _Tracked(session, tracking)
    plain = cast("Callable[..., requests.Response]", session.send)
    tracker, before, after = tracked.tracker, tracked.before, tracked.tracker.after
    proxies_of = cast("Callable[[requests.PreparedRequest, object], object]", session.rebuild_proxies)

    def send(request: requests.PreparedRequest, **options: object) -> requests.Response:
        follows = options.pop("allow_redirects", True)
        options["allow_redirects"] = False
        try:
            scope = thread.scope
        except AttributeError:
            scope = current_thread_scope()
        earlier: tuple[requests.Response, ...] = ()
        while True:
            sent, at = before(request, scope), time()
            try:
                response = plain(request, **options)
            except exceptions.RequestException as error:
                tracker.failed(sent, at, error)
                raise
            status = response.status_code
            # False until somebody has read it.
            octets: object = getattr(response, "_content", False)
            answer = octets if isinstance(octets, bytes) else UNKNOWN
            cached = getattr(response, "from_cache", False) or _from_hishel(session, response)
            after(sent, at, response, status, _lines(response.headers), answer, cached)
            if earlier:
                response.history = [*earlier]
            # Most answers end here: what is behind it is looked at for the others only.
            if status < 300:
                return response
            following = tracked.onward(response, sent, len(earlier) if follows else None)
            if following is None:
                return response
            _ = response.content
            response.close()
            options["proxies"] = proxies_of(following, options.get("proxies"))
            request, earlier = following, (*earlier, response)

    session.send = send  # type: ignore[method-assign]
    return tracker


class RequestsTransport:
    """Send the requests of an update through a session.

    Args:
        session: of requests; with requests-cache, CacheControl or the adapter of hishel too.
        timeout: seconds for connecting and between octets; requests has none of its own.
    """

    def __init__(self, session: requests.Session, timeout: float | None = 30.0) -> None:
        self._session = session
        self._timeout = timeout

    def absolute(self, url: str) -> str:
        """Return the URL as requests spells it."""
        try:
            return self._session.prepare_request(requests.Request("GET", url)).url or url
        except exceptions.MissingSchema:
            return absolute(url)

    def exchange(self, outgoing: Outgoing) -> Answer | NoAnswer:
        """Send one request, redirects not followed."""
        started = monotonic()
        try:
            response = self._send(outgoing, stream=False)
            content = response.content
        except exceptions.RequestException as error:
            refused = _refused(error)
            if refused is None:
                return NoAnswer(said(error), not _never_left(error), monotonic() - started)
            response, content = refused
        return Answer(
            response.status_code,
            _fields(response),
            content,
            monotonic() - started,
            self._cache_name(response),
            _sent_again(response),
        )

    def _send(self, outgoing: Outgoing, *, stream: bool) -> requests.Response:
        session = self._session
        request = session.prepare_request(
            requests.Request(
                outgoing.method, outgoing.url, headers=dict(outgoing.fields), data=outgoing.octets
            )
        )
        if outgoing.past_caches and outgoing.method == "GET" and _has_hishel(session, request):
            # Its adapter keeps answers by key whatever the request's fields say, and takes these two out.
            request.headers["X-Hishel-Key"] = f"ifmatch-{uuid4().hex}"
            request.headers["X-Hishel-Ttl"] = "0.001"
        settings = session.merge_environment_settings(request.url, {}, stream, None, None)
        waits = [seconds for seconds in (self._timeout, outgoing.seconds) if seconds is not None]
        options: dict[str, object] = {
            **settings,
            "timeout": min(waits, default=None),
            "allow_redirects": False,
        }
        if outgoing.past_caches and hasattr(session, "cache_disabled"):
            # requests-cache reads this one as "ask the service, and keep the new answer".
            options["force_refresh"] = True
        with not_the_callers():
            return cast("Callable[..., requests.Response]", session.send)(request, **options)

    def _cache_name(self, response: requests.Response) -> str:
        """Name the cache that answered, "" when the service did."""
        if getattr(response, "from_cache", False):
            return "requests-cache" if hasattr(self._session, "cache_disabled") else "CacheControl"
        return "hishel" if _from_hishel(self._session, response) else ""

    def wrote(self, url: str) -> None:
        """Make requests-cache forget a URL; CacheControl does so by itself."""
        cache = getattr(self._session, "cache", None)
        if cache is not None and hasattr(self._session, "cache_disabled"):
            cache.delete(urls=[url])

    @contextmanager
    def stream(self, outgoing: Outgoing) -> Generator[Body]:
        """Send one request and read its content piece by piece."""
        try:
            response = self._send(outgoing, stream=True)
        except exceptions.RequestException as error:
            refused = _refused(error)
            if refused is None:
                raise ConnectionError(said(error)) from error
            response = refused[0]
        with response:
            yield Body(response.status_code, _fields(response), _pieces(response))


def _has_hishel(session: requests.Session, request: requests.PreparedRequest) -> bool:
    adapter = type(session.get_adapter(request.url or ""))
    return any(one.__module__.partition(".")[0] == "hishel" for one in adapter.__mro__)


_FROM_HISHEL: Final = "x-hishel-from-cache"


def _from_hishel(session: requests.Session, response: requests.Response) -> bool:
    """Tell whether the adapter of hishel had the answer."""
    try:
        # Most answers have no such field, and the public way of looking makes an error of that first.
        if _FROM_HISHEL not in response.headers._store:  # type: ignore[attr-defined]  # noqa: SLF001
            return False
    except AttributeError:
        pass
    # A service can send that field too: only beside the adapter it means something.
    return response.headers.get(_FROM_HISHEL) == "true" and _has_hishel(session, response.request)


def _pieces(response: requests.Response) -> Iterator[bytes]:
    """Yield the content as it arrives; `iter_content` would lose the piece that a cut falls into."""
    read = cast("Callable[..., bytes] | None", getattr(response.raw, "read1", None))
    try:
        if read is None:
            yield from response.iter_content(8 * 1024)
            return
        while piece := read(64 * 1024, decode_content=True):
            yield piece
    except (exceptions.RequestException, HTTPError, OSError) as error:
        raise ConnectionError(said(error)) from error


def _fields(response: requests.Response) -> Fields:
    return Fields(response.headers.items())


def _refused(error: exceptions.RequestException) -> tuple[requests.Response, bytes] | None:
    """Return the response that a hook of the session raised for (`raise_for_status`), and its content.

    Args:
        error: of any kind.

    Returns:
        None when there is no response, or one that refuses nothing.
    """
    response = error.response if isinstance(error, exceptions.HTTPError) else None
    if response is None or response.status_code < 300:
        return None
    try:
        return response, response.content
    except exceptions.RequestException:
        return response, b""


def _never_left(error: exceptions.RequestException) -> bool:
    """Tell whether surely nothing of a request reached the service."""
    if isinstance(error, exceptions.ConnectTimeout):
        return True
    seen: BaseException | None = error
    while seen is not None:
        if type(seen).__name__ in ("NewConnectionError", "NameResolutionError"):
            return True
        reason: object = getattr(seen, "reason", None)
        cause = reason if isinstance(reason, BaseException) else None
        argument: object = seen.args[0] if seen.args else None
        seen = cause or (argument if isinstance(argument, BaseException) else None)
    return False


def _sent_again(response: requests.Response) -> bool:
    """Tell whether urllib3 sent the request more than once on its own (a Retry of the adapter)."""
    retries: object = getattr(response.raw, "retries", None)
    return bool(getattr(retries, "history", ()))
