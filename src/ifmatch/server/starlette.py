"""Conditional requests for Starlette: a check to call, a decorator for endpoints, one line to install.

    install(app)

    @requires("authenticated")                     # authorisation stands outside
    @precondition(current_note)
    async def edit(request): ...

Source: RFC 9110 section 13.2.1.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from ifmatch.server import asgi
from ifmatch.server.asgi import PreconditionMiddleware, State
from ifmatch.server.conditional import for_head, utc_now
from ifmatch.server.refusal import PreconditionRefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.applications import Starlette

    from ifmatch.server.answers import Answer
    from ifmatch.server.conditional import Conditional
    from ifmatch.server.gate import Settings
    from ifmatch.server.policy import Policy

__all__ = ["CurrentState", "Endpoint", "answer_response", "check", "check_again", "install", "precondition"]

CurrentState: TypeAlias = Callable[[Request], State | Awaitable[State]]
"""Looks the current state up; called and awaited once for a request. It may raise HTTPException."""
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def install(
    app: Starlette, *, settings: Settings | None = None, cross_origin: bool = True, date: bool = False
) -> None:
    """Prepare an application: the middleware, and a handler that sends refusals past its CORS code.

    Call it after the last `add_middleware`: what is added later stands outside of it.

    Args:
        app: Starlette or FastAPI.
        settings: policies, disclosure, clients and sinks; None for the defaults.
        cross_origin: see `PreconditionMiddleware`.
        date: see `PreconditionMiddleware`.
    """
    app.add_middleware(PreconditionMiddleware, settings=settings, cross_origin=cross_origin, date=date)
    app.add_exception_handler(PreconditionRefusedError, _send_refusal)


async def check(
    request: Request,
    current: CurrentState,
    *,
    policy: Policy | None = None,
    creates: bool | None = None,
    media_types: Sequence[str] = (),
    again: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> Conditional:
    """Evaluate the preconditions of a request; arguments as `ifmatch.server.asgi.check`.

    Args:
        request: whose content is not read yet.
        current: looks the current state up.
        policy: of the route; None takes it from the settings.
        creates: whether the method would make a missing resource; None: PUT only.
        media_types: that the route takes; others are answered 415 first. Empty: any.
        again: whether to look the state up and evaluate once more, after a write that the store refused
            because somebody was faster.
        clock: gives the time, aware.

    Raises:
        PreconditionRefusedError: with the answer, which the middleware sends.

    Source: RFC 9110 section 13.2.1.
    """
    return await asgi.check(
        request.scope,
        lambda _: current(request),
        policy=policy,
        creates=creates,
        media_types=media_types,
        again=again,
        clock=clock,
    )


async def check_again(request: Request, state: State, *, policy: Policy | None = None) -> Conditional:
    """Evaluate once more, after a write that the store refused because somebody was faster.

    Args:
        request: that `check`, the decorator or the dependency has let through before.
        state: as it was read anew.
        policy: of the route; None takes it from the settings.

    Raises:
        PreconditionRefusedError: with the answer, which the middleware sends.

    Source: RFC 9110 section 13.2.1.
    """
    return await asgi.check(request.scope, lambda _: state, policy=policy, again=True)


def precondition(
    current: CurrentState,
    *,
    policy: Policy | None = None,
    creates: bool | None = None,
    media_types: Sequence[str] = (),
) -> Callable[[Endpoint], Endpoint]:
    """Evaluate the preconditions before an endpoint runs; `request.state.conditional` holds the outcome.

    Decorators that authenticate and authorise stand outside (above) this one.

    Args:
        current: looks the current state up.
        policy: of the route; None takes it from the settings.
        creates: whether the method would make a missing resource; None: PUT only.
        media_types: that the route takes; others are answered 415 first. Empty: any.

    Source: RFC 9110 section 13.2.1.
    """

    def decorate(endpoint: Endpoint) -> Endpoint:
        @functools.wraps(endpoint)
        async def conditional_endpoint(request: Request) -> Response:
            request.state.conditional = await check(
                request, current, policy=policy, creates=creates, media_types=media_types
            )
            return await endpoint(request)

        return conditional_endpoint

    return decorate


def answer_response(answer: Answer, method: str) -> Response:
    """Return an answer as a response of Starlette.

    Args:
        answer: to send.
        method: of the request; HEAD gets no content.
    """
    answer = for_head(answer, method)
    response = Response(answer.octets, answer.status)
    response.raw_headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.fields
    ]
    return response


async def _send_refusal(request: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, PreconditionRefusedError):
        raise refusal
    return answer_response(refusal.answer, request.method)
