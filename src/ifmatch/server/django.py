"""Conditional requests for Django 5.2 and newer: a decorator, a mixin for class-based views, a middleware.

    MIDDLEWARE = ["ifmatch.server.django.PreconditionMiddleware", ...]     # first: outside of CORS code

    @login_required                                # authorisation stands outside
    @precondition(current_note)
    def edit(request, number): ...

    class NoteView(LoginRequiredMixin, PreconditionMixin, View):
        def get_current(self, request, number): ...

The settings of the service are in `settings.IFMATCH`, an `ifmatch.server.gate.Settings`.

Source: RFC 9110 section 13.2.1.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIRequest
from django.core.signals import setting_changed
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from ifmatch.server import cross_origin, wsgi
from ifmatch.server.answers import RequestFacts, current_of, utc_now, without_fresh_date
from ifmatch.server.conditional import Conditional, for_head, refuse_media_type
from ifmatch.server.gate import Settings
from ifmatch.server.refusal import PreconditionRefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from ifmatch.server.answers import Answer
    from ifmatch.server.policy import Policy
    from ifmatch.server.wsgi import State

__all__ = [
    "CurrentState",
    "PreconditionMiddleware",
    "PreconditionMixin",
    "acheck",
    "answer_response",
    "check",
    "conditional",
    "facts_of",
    "precondition",
]

Found: TypeAlias = "State | HttpResponseBase"
CurrentState: TypeAlias = "Callable[..., Found | Awaitable[Found]]"
"""Looks the current state up, from the arguments of the view; called once for a request.

It may raise Http404 or PermissionDenied, or return a response (a redirect) that is answered in the place of
the view. For an async view it may be async."""

_View: TypeAlias = Callable[..., Any]
_DEFAULTS: Final = Settings()
# The one of `inspect` knows marked functions only from Python 3.12 on.
_is_async: Callable[[Callable[..., Any]], bool] = iscoroutinefunction  # pyright: ignore[reportDeprecated]
_CONDITIONAL: Final = "ifmatch_conditional"


class _RespondedError(Exception):
    """Leave `check` with the response that `current` returned."""

    def __init__(self, response: HttpResponseBase) -> None:
        super().__init__(response)
        self.response = response


def facts_of(request: HttpRequest) -> RequestFacts:
    """Return what the evaluation needs to know of a request.

    Args:
        request: of Django, from WSGI or ASGI.
    """
    match = request.resolver_match
    route = "" if match is None or not match.route else f"/{match.route}"
    facts = wsgi.facts_of({"REQUEST_METHOD": request.method, "PATH_INFO": "", **request.META}, route)
    return RequestFacts(facts.method, request.get_full_path(), facts.fields, route)


def check(
    request: HttpRequest,
    current: Callable[[], Found],
    *,
    policy: Policy | None = None,
    creates: bool | None = None,
    media_types: Sequence[str] = (),
    again: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> Conditional:
    """Evaluate the preconditions of a request; call it before its content is read.

    The caller answers with what is raised (the decorator and the mixin do); inside another view,
    `PreconditionMiddleware` does. A second call for the same request gives the same answer.

    Args:
        request: of the view.
        current: looks the current state up.
        policy: of the route; None takes it from the settings.
        creates: whether the method would make a missing resource; None: PUT only.
        media_types: that the route takes; others are answered 415 first. Empty: any.
        again: whether to look the state up and evaluate once more, after a write that the store refused
            because somebody was faster.
        clock: gives the time, aware.

    Raises:
        PreconditionRefusedError: with the answer.
        TypeError: when `current` gives something else than a state.

    Source: RFC 9110 section 13.2.1.
    """
    known = conditional(request)
    if known is not None and not again:
        return known
    if media_types:
        refuse_media_type(facts_of(request), media_types)
    return _admit(request, current(), policy=policy, creates=creates, clock=clock)


async def acheck(
    request: HttpRequest,
    current: Callable[[], Found | Awaitable[Found]],
    *,
    policy: Policy | None = None,
    creates: bool | None = None,
    media_types: Sequence[str] = (),
    again: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> Conditional:
    """Evaluate the preconditions of a request in an async view; see `check`.

    Args:
        request: of the view.
        current: looks the current state up; awaited once.
        policy: of the route; None takes it from the settings.
        creates: whether the method would make a missing resource; None: PUT only.
        media_types: that the route takes; others are answered 415 first. Empty: any.
        again: whether to look the state up and evaluate once more, after a write that the store refused
            because somebody was faster.
        clock: gives the time, aware.

    Raises:
        PreconditionRefusedError: with the answer.
        TypeError: when `current` gives something else than a state.

    Source: RFC 9110 section 13.2.1.
    """
    known = conditional(request)
    if known is not None and not again:
        return known
    if media_types:
        refuse_media_type(facts_of(request), media_types)
    found = current()
    state = await found if inspect.isawaitable(found) else found
    return _admit(request, state, policy=policy, creates=creates, clock=clock)


def _admit(
    request: HttpRequest,
    found: Found,
    *,
    policy: Policy | None,
    creates: bool | None,
    clock: Callable[[], datetime],
) -> Conditional:
    if isinstance(found, HttpResponseBase):
        raise _RespondedError(found)
    state = current_of(found)
    if isinstance(request, ASGIRequest):
        state = without_fresh_date(state, clock)
    outcome = wsgi.admitted(
        request.method or "",
        request.META,
        state,
        lambda: facts_of(request),
        settings=_settings(),
        policy=policy,
        creates=creates,
        clock=clock,
    )
    setattr(request, _CONDITIONAL, outcome)
    return outcome


# A setting that is missing costs Django as much as the evaluation, so it is asked for once.
_known: list[Settings] = []


def _settings() -> Settings:
    if _known:
        return _known[0]
    found: object = getattr(django_settings, "IFMATCH", _DEFAULTS)
    if not isinstance(found, Settings):
        raise ImproperlyConfigured(f"IFMATCH is an ifmatch.server.gate.Settings, not {type(found).__name__}")
    _known.append(found)
    return found


def _forget_settings(*, setting: str = "", **_: object) -> None:
    if setting == "IFMATCH":
        _known.clear()


# Sent by `override_settings` and the fixture of pytest-django.
setting_changed.connect(_forget_settings)


def conditional(request: HttpRequest) -> Conditional | None:
    """Return what `check`, the decorator or the mixin gave for a request; None before.

    Args:
        request: of the view.
    """
    known: object = getattr(request, _CONDITIONAL, None)
    return known if isinstance(known, Conditional) else None


def precondition(
    current: CurrentState,
    *,
    policy: Policy | None = None,
    creates: bool | None = None,
    media_types: Sequence[str] = (),
) -> Callable[[_View], _View]:
    """Evaluate the preconditions before a view runs, and answer with what is due; `conditional` tells inside.

    Decorators that restrict methods, authenticate and authorise stand outside (above) this one.

    Args:
        current: looks the current state up; gets the arguments of the view.
        policy: of the route; None takes it from the settings.
        creates: whether the method would make a missing resource; None: PUT only.
        media_types: that the route takes; others are answered 415 first. Empty: any.

    Source: RFC 9110 section 13.2.1.
    """

    def decorate(view: _View) -> _View:
        if _is_async(view):

            @functools.wraps(view)
            async def conditional_async_view(
                request: HttpRequest, *args: object, **kwargs: object
            ) -> HttpResponseBase:
                try:
                    outcome = await acheck(
                        request,
                        lambda: current(request, *args, **kwargs),
                        policy=policy,
                        creates=creates,
                        media_types=media_types,
                    )
                except (PreconditionRefusedError, _RespondedError) as refusal:
                    return _response(refusal, request)
                return _with_fields(await view(request, *args, **kwargs), outcome)

            return conditional_async_view

        @functools.wraps(view)
        def conditional_view(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            try:
                outcome = check(
                    request,
                    lambda: cast("Found", current(request, *args, **kwargs)),
                    policy=policy,
                    creates=creates,
                    media_types=media_types,
                )
            except (PreconditionRefusedError, _RespondedError) as refusal:
                return _response(refusal, request)
            return _with_fields(view(request, *args, **kwargs), outcome)

        return conditional_view

    return decorate


class PreconditionMixin:
    """Evaluate the preconditions in a class-based view, once the method is known to be allowed.

    Mixins that authenticate and authorise stand in front (to the left) of this one, `View` behind it.

    Attributes:
        precondition_policy: of the view; None takes it from the settings.
        precondition_creates: whether the method would make a missing resource; None: PUT only.
        precondition_media_types: that the view takes; others are answered 415 first. Empty: any.

    Source: RFC 9110 section 13.2.1.
    """

    precondition_policy: Policy | None = None
    precondition_creates: bool | None = None
    precondition_media_types: Sequence[str] = ()

    def get_current(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Found:
        """Look the current state up; the view has to say how.

        Args:
            request: of the view.
            args: positional arguments of the route.
            kwargs: named arguments of the route.

        Raises:
            NotImplementedError: when the view does not say how.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method get_current(request, ...)")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Evaluate, then hand over to the view.

        Args:
            request: of the view.
            args: positional arguments of the route.
            kwargs: named arguments of the route.

        Source: RFC 9110 section 13.2.1.
        """
        dispatch = cast("_View", super().dispatch)  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        name = (request.method or "").lower()
        allowed = cast("Sequence[str]", getattr(self, "http_method_names", ()))
        if name not in allowed or not hasattr(self, name) or name == "options":
            return dispatch(request, *args, **kwargs)
        decorated = precondition(
            self.get_current,
            policy=self.precondition_policy,
            creates=self.precondition_creates,
            media_types=self.precondition_media_types,
        )
        if _is_async(getattr(self, name)):
            # `View.dispatch` returns the coroutine of such a handler, and is no coroutine function itself.
            dispatch = cast("_View", markcoroutinefunction(functools.partial(dispatch)))
        return decorated(dispatch)(request, *args, **kwargs)


class PreconditionMiddleware:
    """Answer what `check` raises inside a view, repair CORS answers, and let the shadow see answers.

    It never answers 412 by itself. Put it first in MIDDLEWARE: outside of the CORS middleware.

    Args:
        get_response: the rest of the stack.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._is_async = _is_async(get_response)
        if self._is_async:
            markcoroutinefunction(cast("Callable[..., Any]", self))

    def __call__(self, request: HttpRequest) -> Any:
        """Run the rest of the stack.

        Args:
            request: of Django.
        """
        asked = _ask_for_the_rest(request)
        if self._is_async:
            return self._answer(request, asked)
        return _seen(request, _across_origins(request, self.get_response(request), asked))

    async def _answer(self, request: HttpRequest, asked: Sequence[str]) -> HttpResponseBase:
        return _seen(request, _across_origins(request, await self.get_response(request), asked))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Turn what `check` raised into a response; Django calls it.

        Args:
            request: of the view.
            exception: that left the view.
        """
        if isinstance(exception, PreconditionRefusedError | _RespondedError):
            return _response(exception, request)
        return None


def answer_response(answer: Answer, method: str) -> HttpResponse:
    """Return an answer as a response of Django.

    Args:
        answer: to send.
        method: of the request; HEAD gets no content.
    """
    answer = for_head(answer, method)
    response = HttpResponse(answer.octets, status=answer.status)
    del response["Content-Type"]
    for name, value in answer.fields:
        response[name] = value
    return response


def _response(refusal: PreconditionRefusedError | _RespondedError, request: HttpRequest) -> HttpResponseBase:
    if isinstance(refusal, _RespondedError):
        return refusal.response
    return answer_response(refusal.answer, request.method or "")


def _with_fields(response: HttpResponseBase, outcome: Conditional) -> HttpResponseBase:
    if 200 <= response.status_code < 300:
        for name, value in outcome.fields:
            if name not in response:
                response[name] = value
    return response


def _seen(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    settings = _settings()
    if settings.shadow is not None:
        settings.watch(facts_of(request), response.status_code, response.headers.get("ETag"))
    return response


_ASKED: Final = "HTTP_ACCESS_CONTROL_REQUEST_HEADERS"


def _ask_for_the_rest(request: HttpRequest) -> Sequence[str]:
    if request.method != "OPTIONS" or _ASKED not in request.META or "HTTP_ORIGIN" not in request.META:
        return ()
    text: str = request.META[_ASKED]
    request.META[_ASKED] = cross_origin.without_ours(text)
    # Computed on first use from META, so it is dropped with what it was computed from.
    request.__dict__.pop("headers", None)
    return cross_origin.asked_fields(text)


def _across_origins(
    request: HttpRequest, response: HttpResponseBase, asked: Sequence[str]
) -> HttpResponseBase:
    if "HTTP_ORIGIN" not in request.META:
        return response
    lines = list(response.items())
    for name, value in cross_origin.allowing(lines, asked) if asked else cross_origin.exposing(lines):
        response[name] = value
    return response
