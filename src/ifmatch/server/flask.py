"""Conditional requests for Flask: a decorator, a check to call in a view, and an extension.

    Preconditions(app)

    @app.put("/notes/<int:number>")
    @login_required                                # authorisation stands outside
    @precondition(current_note)
    def edit(number): ...

Source: RFC 9110 section 13.2.1.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, ParamSpec, TypeAlias, TypeVar, cast

from flask import Response, abort, after_this_request, current_app, request
from werkzeug.wrappers import Response as BaseResponse

from ifmatch.server import wsgi
from ifmatch.server.answers import current_of
from ifmatch.server.conditional import for_head, refuse_media_type, utc_now
from ifmatch.server.gate import Settings
from ifmatch.server.refusal import PreconditionRefusedError
from ifmatch.server.wsgi import State

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask, Request
    from werkzeug.local import LocalProxy

    from ifmatch.server.answers import Answer, RequestFacts
    from ifmatch.server.conditional import Conditional
    from ifmatch.server.policy import Policy

__all__ = ["Preconditions", "answer_response", "check", "conditional", "precondition"]

_Arguments = ParamSpec("_Arguments")
_Given = TypeVar("_Given")
CurrentState: TypeAlias = Callable[..., State | BaseResponse]
"""Looks the current state up, from the arguments of the view; called once for a request.

It may leave with `abort`, or return a response (a redirect) that is answered in the place of the view."""

_DEFAULTS: Final = Settings()
_EXTENSION: Final = "ifmatch"
# Not the key of the middleware, which would add the lines once more, behind what changes answers in Flask.
_CONDITIONAL: Final = "ifmatch.flask"


class Preconditions:
    """Keep the settings of an application, send refusals, and repair CORS answers for conditional requests.

    What `ifmatch.server.write` and the model helpers raise in a view is answered; an error handler for
    `Exception` of a blueprint comes first in Flask, so it has to let `PreconditionRefusedError` pass.

    Args:
        app: the application; None to call `init_app` later.
        settings: policies, disclosure, clients and sinks; None for the defaults.
        cross_origin: see `ifmatch.server.wsgi.PreconditionMiddleware`.
    """

    def __init__(
        self, app: Flask | None = None, *, settings: Settings | None = None, cross_origin: bool = True
    ) -> None:
        self.settings = settings if settings is not None else _DEFAULTS
        self._cross_origin = cross_origin
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Prepare an application.

        Args:
            app: that gets the settings.
        """
        app.extensions[_EXTENSION] = self
        app.register_error_handler(PreconditionRefusedError, _send_refusal)
        middleware = wsgi.PreconditionMiddleware(
            app.wsgi_app, settings=self.settings, cross_origin=self._cross_origin
        )
        if self.settings.shadow is not None:
            app.before_request(_note_route)
        app.wsgi_app = middleware  # type: ignore[method-assign]


def check(
    current: Callable[[], State | BaseResponse],
    *,
    policy: Policy | None = None,
    creates: bool | None = None,
    media_types: Sequence[str] = (),
    again: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> Conditional:
    """Evaluate the preconditions of the request that is being served; call it before its content is read.

    The lines that are due are added to a successful answer of the view. A second call for the same request
    gives the same answer without asking again.

    Args:
        current: looks the current state up.
        policy: of the route; None takes it from the settings of the extension.
        creates: whether the method would make a missing resource; None: PUT only.
        media_types: that the route takes; others are answered 415 first. Empty: any.
        again: whether to look the state up and evaluate once more, after a write that the store refused
            because somebody was faster.
        clock: gives the time, aware.

    Raises:
        HTTPException: with the answer; Flask sends it.
        TypeError: when `current` gives something else than a state or a response.

    Source: RFC 9110 section 13.2.1.
    """
    # Each look through a proxy of Flask costs as much as the evaluation.
    proxy = cast("LocalProxy[Request]", request)
    served = proxy._get_current_object()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] -- as documented
    environ = served.environ
    known: Conditional | None = environ.get(_CONDITIONAL)
    if known is not None and not again:
        return known
    settings = wsgi.settings_of(environ, _settings)
    try:
        if media_types:
            refuse_media_type(_facts(), media_types)
        found = current()
        if isinstance(found, BaseResponse):
            abort(found)
        state = current_of(found)
        outcome = wsgi.admitted(
            served.method,
            environ,
            state,
            _facts,
            settings=settings,
            policy=policy,
            creates=creates,
            clock=clock,
        )
    except PreconditionRefusedError as refusal:
        abort(answer_response(refusal.answer, served.method))
    environ[_CONDITIONAL] = outcome
    if outcome.fields:
        after_this_request(functools.partial(_add_fields, outcome.fields))
    return outcome


def _settings() -> Settings:
    extension = current_app.extensions.get(_EXTENSION)
    return extension.settings if isinstance(extension, Preconditions) else _DEFAULTS


def _add_fields(fields: Sequence[tuple[str, str]], response: Response) -> Response:
    if 200 <= response.status_code < 300:
        headers = response.headers
        present = {name.lower() for name, _ in headers}
        for name, value in fields:
            if name.lower() not in present:
                headers.add(name, value)
    return response


def conditional() -> Conditional | None:
    """Return what `check` or the decorator gave for the request that is being served; None before."""
    outcome: Conditional | None = request.environ.get(_CONDITIONAL)
    return outcome


def precondition(
    current: CurrentState,
    *,
    policy: Policy | None = None,
    creates: bool | None = None,
    media_types: Sequence[str] = (),
) -> Callable[[Callable[_Arguments, _Given]], Callable[_Arguments, _Given]]:
    """Evaluate the preconditions before a view runs; `conditional()` gives the outcome inside.

    Decorators that authenticate and authorise stand outside (above) this one, the route above them.

    Args:
        current: looks the current state up; gets the arguments of the view.
        policy: of the route; None takes it from the settings of the extension.
        creates: whether the method would make a missing resource; None: PUT only.
        media_types: that the route takes; others are answered 415 first. Empty: any.

    Source: RFC 9110 section 13.2.1.
    """

    def decorate(view: Callable[_Arguments, _Given]) -> Callable[_Arguments, _Given]:
        # Asked once: Flask would ask at each request.
        is_async = inspect.iscoroutinefunction(view)

        @functools.wraps(view)
        def conditional_view(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Given:
            def look_up() -> State | BaseResponse:
                return current(*args, **kwargs)

            check(look_up, policy=policy, creates=creates, media_types=media_types)
            if not is_async:
                return view(*args, **kwargs)
            given: _Given = current_app.ensure_sync(view)(*args, **kwargs)
            return given

        return conditional_view

    return decorate


def _send_refusal(refusal: PreconditionRefusedError) -> Response:
    return answer_response(refusal.answer, request.method)


def _facts() -> RequestFacts:
    rule = request.url_rule
    return wsgi.facts_of(request.environ, "" if rule is None else rule.rule)


def _note_route() -> None:
    rule = request.url_rule
    request.environ[wsgi.ROUTE] = "" if rule is None else rule.rule


def answer_response(answer: Answer, method: str) -> Response:
    """Return an answer as a response of Flask.

    Args:
        answer: to send.
        method: of the request; HEAD gets no content.
    """
    answer = for_head(answer, method)
    response = Response(answer.octets, answer.status)
    response.headers.clear()
    for name, value in answer.fields:
        response.headers.add(name, value)
    # Only what the answer says: no Content-Length on a 304.
    response.automatically_set_content_length = False
    return response
