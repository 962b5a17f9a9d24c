"""Conditional requests for any ASGI application.

    app = PreconditionMiddleware(app)

    async def edit(scope, receive, send):          # behind routing, authentication and authorisation
        conditional = await check(scope, current_note)
        ...                                        # now read the content and perform the request

The middleware prepares, and sends the answer that `check` raises; it never answers 412 by itself.

Source: RFC 9110 section 13.2.1.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast
from urllib.parse import quote

from ifmatch.core.http_date import format_http_date
from ifmatch.core.representation import Representation
from ifmatch.server import cross_origin, problem
from ifmatch.server.answers import (
    DATE_LAG,
    PATH_SIGNS,
    Current,
    RequestFacts,
    current_of,
    utc_now,
    without_fresh_date,
)
from ifmatch.server.conditional import (
    Conditional,
    admit,
    admit_usual,
    for_head,
    octets_of,
    refuse_media_type,
    with_defaults,
)
from ifmatch.server.events import LOGGER
from ifmatch.server.gate import Settings
from ifmatch.server.refusal import PreconditionRefusedError
from ifmatch.server.stores.protocol import Content, Snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from ifmatch.server.answers import Answer
    from ifmatch.server.policy import Policy

__all__ = [
    "DATE_LAG",
    "ASGIApplication",
    "CurrentState",
    "Exchange",
    "Message",
    "PreconditionMiddleware",
    "Receive",
    "Scope",
    "Send",
    "State",
    "answering",
    "check",
    "exchange_of",
    "facts_of",
    "send_answer",
]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApplication: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

State: TypeAlias = Current | Representation | Snapshot | None
"""What an application says of the current state; None: there is no current representation."""
CurrentState: TypeAlias = Callable[[Scope], State | Awaitable[State]]
"""Looks the current state up; called and awaited once for a request."""

_EXCHANGE: Final = "ifmatch"
_DEFAULTS: Final = Settings()
_READS: Final = ("GET", "HEAD")
_ALLOWS_ORIGIN: Final = len("Access-Control-Allow-Origin")
_Lines: TypeAlias = Sequence[tuple[bytes, bytes]]


class Exchange:
    """What the middleware and `check` know of one request; code between them may copy the scope.

    Attributes:
        settings: of the service.
        sends_date: whether the middleware sends Date.
        crosses_origins: whether the middleware exposes the fields of conditional requests.
        conditional: what `check` gave, None before.
    """

    __slots__ = ("conditional", "crosses_origins", "sends_date", "settings")

    def __init__(self, settings: Settings, sends_date: bool = False, crosses_origins: bool = False) -> None:
        self.settings = settings
        self.sends_date = sends_date
        self.crosses_origins = crosses_origins
        self.conditional: Conditional | None = None

    def completed(self, message: Message, scope: Scope) -> Message:
        """Return the start of a response with the lines that are due, and let the shadow see it.

        Args:
            message: of the type `http.response.start`.
            scope: of the request.
        """
        given = lines = cast("_Lines", message.get("headers", ()))
        conditional = self.conditional
        if conditional is not None and conditional.fields and 200 <= message["status"] < 300:
            lines = with_defaults(lines, conditional.fields)
        if self.settings.shadow is not None:
            self.settings.watch(facts_of(scope), message["status"], _tag(lines))
        if self.sends_date:
            lines = with_defaults(lines, (("Date", format_http_date(utc_now())),))
        if self.crosses_origins:
            # The answer tells sooner than the request, which has more lines, whether it crosses origins.
            for name, _ in given:
                if len(name) == _ALLOWS_ORIGIN and _has(scope, b"origin"):
                    lines = _lines_of(cross_origin.exposing(_texts(lines)))
                    break
        return message if lines is given else {**message, "headers": lines}


class PreconditionMiddleware:
    """Prepare conditional requests for an ASGI application, and send the answers that `check` raises.

    To a successful answer it adds the lines that `check` found due: validators and their company on reads.
    Reads are not buffered, and content is not touched. At the start of a Starlette or FastAPI application,
    what in its middleware gets in the way is logged as a warning.

    Args:
        app: the application.
        settings: policies, disclosure, clients and sinks; None for the defaults.
        cross_origin: whether to expose ETag and to allow If-Match to the origins that the application lets
            in; see `ifmatch.server.cross_origin`.
        date: whether to send Date, for a server that is told not to (`uvicorn --no-date-header`). Servers of
            ASGI make their Date once a second; without this, Last-Modified is left out of answers until it is
            two seconds old, so that it is never later than Date.
    """

    def __init__(
        self,
        app: ASGIApplication,
        *,
        settings: Settings | None = None,
        cross_origin: bool = True,
        date: bool = False,
    ) -> None:
        self.app = app
        self._date = date
        self.settings = settings if settings is not None else _DEFAULTS
        self._cross_origin = cross_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application.

        Source: RFC 9110 section 13.2.1.
        """
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                _log_concerns(scope.get("app", self))
                send = _saving_at_the_end(send, self.settings)
            await self.app(scope, receive, send)
            return
        exchange = scope[_EXCHANGE] = Exchange(self.settings, self._date, self._cross_origin)
        if self._cross_origin and scope["method"] == "OPTIONS" and _has(scope, b"origin"):
            inner = send
            scope, send = _across_origins(scope, send)
            exchange.crosses_origins = send is inner

        # It gives what `send` gives to await: a coroutine of its own would cost as much as all the rest.
        def send_with_fields(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message = exchange.completed(message, scope)
            return send(message)

        try:
            await self.app(scope, receive, send_with_fields)
        except PreconditionRefusedError as refusal:
            await send_answer(refusal.answer, scope, send_with_fields)


def answering(app: ASGIApplication) -> ASGIApplication:
    """Return an application that sends the refusals of the one inside, and does nothing else.

    For an application with CORS code of its own between the middleware and the routes: wrapped around the
    routes, it lets a 412 pass that code, so that pages of other origins can read it.

    Args:
        app: raises refusals.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except PreconditionRefusedError as refusal:
            await send_answer(refusal.answer, scope, send)

    return answer


async def check(
    scope: Scope,
    current: CurrentState,
    *,
    policy: Policy | None = None,
    creates: bool | None = None,
    media_types: Sequence[str] = (),
    again: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> Conditional:
    """Evaluate the preconditions of a request: call it when nothing else could refuse it, before its content.

    A second call for the same request gives the same answer without asking again.

    Args:
        scope: of the request.
        current: looks the current state up.
        policy: of the route; None takes it from the settings of the middleware.
        creates: whether the method would make a missing resource; None: PUT only.
        media_types: that the route takes; others are answered 415 first. Empty: any.
        again: whether to look the state up and evaluate once more, after a write that the store refused
            because somebody was faster.
        clock: gives the time, aware.

    Raises:
        PreconditionRefusedError: with the answer, which the middleware sends.
        TypeError: when `current` gives something else than a state.

    Source: RFC 9110 section 13.2.1.
    """
    kept: Any = scope.get(_EXCHANGE)
    exchange: Exchange = kept if kept.__class__ is Exchange else exchange_of(scope)
    if exchange.conditional is not None and not again:
        return exchange.conditional
    if media_types:
        refuse_media_type(facts_of(scope), media_types)
    found = current(scope)
    # `isawaitable` costs a lot; mostly it is one of these.
    kind = found.__class__
    if kind is CoroutineType or (kind is not Representation and inspect.isawaitable(found)):
        found = await cast("Awaitable[State]", found)
    state = current_of(cast("State", found))
    is_past = not exchange.sends_date
    method = scope["method"]
    if is_past and method in _READS:
        state = without_fresh_date(state, clock)
    settings = exchange.settings
    admitted = admit_usual(method, scope["headers"], state, settings, policy, creates, clock, is_past)
    if not isinstance(admitted, Conditional):
        if is_past:
            state = without_fresh_date(state, clock)
        facts = facts_of(scope)
        content = await _content(state) if problem.wants_representation(facts, settings.disclosure) else None
        admitted = admit(
            facts,
            state,
            settings=settings,
            policy=policy,
            creates=creates,
            content=content,
            clock=clock,
            decision=admitted,
        )
    exchange.conditional = conditional = admitted
    return conditional


def exchange_of(scope: Scope) -> Exchange:
    """Return what the middleware has put into the scope; without a middleware, put it there.

    Args:
        scope: of the request.
    """
    exchange = scope.get(_EXCHANGE)
    if not isinstance(exchange, Exchange):
        exchange = scope[_EXCHANGE] = Exchange(_DEFAULTS)
    return exchange


def facts_of(scope: Scope) -> RequestFacts:
    """Return what the evaluation needs to know of a request.

    Args:
        scope: of the request.
    """
    raw = scope.get("raw_path")
    path = raw.decode("latin-1") if isinstance(raw, bytes) else quote(str(scope["path"]), safe=PATH_SIGNS)
    query = scope.get("query_string", b"")
    if query:
        path = f"{path}?{query.decode('latin-1')}"
    route = scope.get("route")
    template = getattr(route, "path_format", None) or getattr(route, "path", None)
    return RequestFacts(
        scope["method"], path, scope["headers"], template if isinstance(template, str) else ""
    )


async def _content(current: Current | None) -> Content | None:
    source = None if current is None else current.content
    if source is None or isinstance(source, Content):
        return source
    given = source()
    return given if isinstance(given, Content) else await given


async def send_answer(answer: Answer, scope: Scope, send: Send) -> None:
    """Send an answer as the response to a request.

    Args:
        answer: to send.
        scope: of the request.
        send: of the request.
    """
    answer = for_head(answer, scope["method"])
    await send({"type": "http.response.start", "status": answer.status, "headers": _lines_of(answer.fields)})
    await send({"type": "http.response.body", "body": answer.octets})


def _log_concerns(app: object) -> None:
    from ifmatch.server.checks import middleware_of  # noqa: PLC0415 -- once, at the start
    from ifmatch.server.concerns import concerns_of_stack  # noqa: PLC0415 -- as above

    for concern in concerns_of_stack(middleware_of(app)):
        LOGGER.warning("%s", concern, extra={"ifmatch_cause": concern.cause})


def _saving_at_the_end(send: Send, settings: Settings) -> Send:
    """Let the shadow save what it saw last: a server that ends by a signal runs nothing else at its exit."""
    shadow = settings.shadow
    if shadow is None:
        return send

    async def send_and_save(message: Message) -> None:
        if message["type"] == "lifespan.shutdown.complete":
            shadow.save_last()
        await send(message)

    return send_and_save


def _has(scope: Scope, wanted: bytes) -> bool:
    return any(name == wanted for name, _ in scope["headers"])


def _texts(lines: _Lines) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in lines]


def _lines_of(fields: Iterable[tuple[str, str]]) -> _Lines:
    return [(octets_of(name), value.encode("latin-1")) for name, value in fields]


def _tag(lines: _Lines) -> str | None:
    return next((value.decode("latin-1") for name, value in lines if name.lower() == b"etag"), None)


def _across_origins(scope: Scope, send: Send) -> tuple[Scope, Send]:
    """Ask CORS code inside only for what it knows, and add our fields to what it lets through."""
    asked: tuple[str, ...] = ()
    lines: list[tuple[bytes, bytes]] = []
    for name, value in scope["headers"]:
        if name == b"access-control-request-headers":
            text = value.decode("latin-1")
            asked += cross_origin.asked_fields(text)
            rest = cross_origin.without_ours(text)
            if rest:
                lines.append((name, rest.encode("latin-1")))
        else:
            lines.append((name, value))
    if not asked:
        return scope, send

    async def send_allowing(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = _texts(cast("_Lines", message.get("headers", ())))
            message = {**message, "headers": _lines_of(cross_origin.allowing(given, asked))}
        await send(message)

    return {**scope, "headers": lines}, send_allowing
