"""Send requests and return what happened as exchanges; one place for connections, limits and budget."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ifmatch.capture.base.captured_content import from_unchunked
from ifmatch.errors import InputError, MissingExtraError
from ifmatch.model.exchange import Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.wire.target import Origin, Route, connect, origin_of
from ifmatch.wire.timed import Timed

try:
    from ifmatch.wire.http1 import BrokenExchangeError, Received, exchange_http1
except ImportError as error:
    raise MissingExtraError("live", "sending requests") from error

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence
    from typing import Self

    from ifmatch.wire.limits import Budget, Limits
    from ifmatch.wire.policy import ConnectPolicy

__all__ = ["Sender"]

# What a path may hold as it stands; the rest is percent-encoded (RFC 3986 section 3.3).
_PATH_SAFE = "/%:@!$&'()*+,;=~-._[]{}|^`\"<>\\"
_QUERY_SAFE = _PATH_SAFE + "?"
_DIRECTLY = Route()
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN = re.compile(r"[\r\n\0]")


@dataclass(slots=True)
class _Kept:
    """A connection that may carry another request."""

    opened: socket.socket
    address: str
    name: str


class Sender:
    """Send requests one after the other; what the server said, or why it said nothing, becomes an exchange.

    Args:
        source: name of the exchanges in reports, such as `live`.
        policy: which addresses may be connected to.
        budget: counts every request.
        limits: of each exchange.
        clock: seconds, monotonic.
        wall_clock: seconds since the epoch.
        route: how origins are reached when a call names no other.
    """

    def __init__(
        self,
        *,
        source: str,
        policy: ConnectPolicy,
        budget: Budget,
        limits: Limits,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        route: Route = _DIRECTLY,
    ) -> None:
        self.source = source
        self.policy = policy
        self.budget = budget
        self.limits = limits
        self.route = route
        self.exchanges: list[Exchange] = []
        self._clock = clock
        self._wall_clock = wall_clock
        self._kept: dict[tuple[Origin, Route], _Kept] = {}
        self._connections = 0

    def send(self, request: Request, *, route: Route | None = None, fresh: bool = False) -> Exchange:
        """Send a request and return the exchange, which is kept in `exchanges` as well.

        Args:
            request: absolute URL; Host, Content-Length and Connection are added where they are missing.
            route: how its origin is reached; None for the sender's own.
            fresh: on a connection of its own.

        Returns:
            The exchange; without a response when none came, with the reason in `error`.

        Raises:
            BudgetSpentError: nothing may be sent any more.
            ConsentMissingError: the address is not allowed.
            TargetUnreachableError: the URL is none, or no connection came up.
            InputError: method, URL or a field holds what would break the message apart.
        """
        origin = origin_of(request.url)
        _check(request)
        taken = route or self.route
        self.budget.take()
        started, began = self._wall_clock(), self._clock()
        kept = None if fresh else self._kept.pop((origin, taken), None)
        received, problem, used = self._attempt(request, origin, taken, kept)
        if received is not None and received.reusable and not fresh:
            self._kept[origin, taken] = used
        else:
            used.opened.close()
        exchange = Exchange(
            provenance=Provenance(self.source, len(self.exchanges)),
            request=request,
            response=_response(received) if received is not None else None,
            started=started,
            duration=self._clock() - began,
            error=problem,
            connection=used.name,
            peer=used.address,
            resolution=1e-6,
        )
        self.exchanges.append(exchange)
        return exchange

    def close(self) -> None:
        """Close the connections that are kept."""
        for kept in self._kept.values():
            kept.opened.close()
        self._kept.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _attempt(
        self, request: Request, origin: Origin, route: Route, kept: _Kept | None
    ) -> tuple[Received | None, str, _Kept]:
        if kept is not None:
            try:
                return self._exchange(kept, request, origin, route), "", kept
            except BrokenExchangeError as error:
                kept.opened.close()
                # A kept connection that the server closed meanwhile; only what is safe is sent again.
                if request.method not in {"GET", "HEAD", "OPTIONS"}:
                    return None, error.reason, kept
        used = self._connected(origin, route)
        try:
            return self._exchange(used, request, origin, route), "", used
        except BrokenExchangeError as error:
            return None, error.reason, used

    def _connected(self, origin: Origin, route: Route) -> _Kept:
        self._connections += 1
        limits = replace(
            self.limits,
            connect_seconds=min(self.limits.connect_seconds, self.budget.seconds_left + 0.1),
            seconds=min(self.limits.seconds, self.budget.seconds_left + 0.1),
        )
        opened, address = connect(origin, route, self.policy, limits, self._clock)
        return _Kept(opened, address, str(self._connections))

    def _exchange(self, used: _Kept, request: Request, origin: Origin, route: Route) -> Received:
        opened = Timed(used.opened, self._expires(), self._clock)
        target = _target(request.url)
        content = request.content.octets if isinstance(request.content, Content) else None
        if content is None and request.method in {"POST", "PUT", "PATCH"}:
            content = b""
        if _speaks_http2(used.opened):
            from ifmatch.wire.http2 import exchange_http2  # noqa: PLC0415 - only where it was negotiated

            pseudo = [
                (":method", request.method),
                (":scheme", origin.scheme),
                (":authority", origin.authority),
                (":path", target),
            ]
            return exchange_http2(opened, pseudo, _lines(request.fields, origin, route), content, self.limits)
        if route.proxy and origin.scheme == "http":
            target = f"http://{origin.authority}{target}"
        lines = _lines(request.fields, origin, route)
        return exchange_http1(opened, (request.method, target), lines, content, self.limits)

    def _expires(self) -> float:
        """Return the moment at which an exchange that begins now must have ended."""
        return self._clock() + min(self.limits.seconds, self.budget.seconds_left + 0.1)


def _check(request: Request) -> None:
    """Refuse what would end a line early: the rest would be read as another field (RFC 9110 section 5.5)."""
    advice = "Nothing was sent; take the control characters out"
    if not _TOKEN.fullmatch(request.method) or _FORBIDDEN.search(request.url):
        raise InputError("method or URL holds control characters", source="request", advice=advice)
    for name, value in request.fields:
        if not _TOKEN.fullmatch(name) or _FORBIDDEN.search(value):
            raise InputError(
                f"field {name!r} holds characters that no field may hold", source="request", advice=advice
            )


def _speaks_http2(opened: socket.socket) -> bool:
    return isinstance(opened, ssl.SSLSocket) and opened.selected_alpn_protocol() == "h2"


def _target(url: str) -> str:
    parts = urlsplit(url)
    path = quote(parts.path or "/", safe=_PATH_SAFE)
    return f"{path}?{quote(parts.query, safe=_QUERY_SAFE)}" if parts.query else path


def _lines(fields: Fields, origin: Origin, route: Route) -> Sequence[tuple[str, str]]:
    # Entity tags are octets, read as latin-1; what lies beyond was typed, and is sent as UTF-8.
    lines = [(name, _octets_as_text(value)) for name, value in fields]
    if "host" not in fields:
        lines.insert(0, ("Host", origin.authority))
    if route.proxy and origin.scheme == "http" and route.proxy_authorization:
        lines.append(("Proxy-Authorization", route.proxy_authorization))
    return lines


def _octets_as_text(value: str) -> str:
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return value


def _response(received: Received) -> Response:
    fields = Fields(received.fields)
    read = from_unchunked(received.content, fields, complete=received.complete)
    return Response(
        status=received.status,
        reason=received.reason,
        fields=fields,
        content=read.content,
        version=received.version,
        redirect=fields.text("location") or "" if 300 <= received.status < 400 else "",
    )
