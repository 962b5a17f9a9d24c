"""Conditional requests for Django REST framework: a mixin for views, after permissions and before parsing.

    class NoteView(PreconditionMixin, RetrieveUpdateDestroyAPIView):
        def get_current(self, request, pk):
            return Representation(etag=self.get_object().etag)     # 404 and object permissions come first

Source: RFC 9110 section 13.2.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.http.response import HttpResponseBase

from ifmatch.server.django import answer_response, check, facts_of
from ifmatch.server.problem import unsupported_media_type
from ifmatch.server.refusal import PreconditionRefusedError

if TYPE_CHECKING:
    from ifmatch.server.conditional import Conditional
    from ifmatch.server.django import Found
    from ifmatch.server.policy import Policy

__all__ = ["PreconditionMixin"]


class _RedirectedError(Exception):
    """Leave `initial` with the response that `get_current` returned."""

    def __init__(self, response: HttpResponseBase) -> None:
        super().__init__(response)
        self.response = response


class PreconditionMixin:
    """Evaluate the preconditions when authentication, permissions, throttles, method and media type are good.

    Put it in front of (to the left of) the view class.

    Attributes:
        precondition_policy: of the view; None takes it from the settings.
        precondition_creates: whether the method would make a missing resource; None: PUT only.
        conditional: what the evaluation left to do; set before the handler runs.

    Source: RFC 9110 section 13.2.1.
    """

    precondition_policy: Policy | None = None
    precondition_creates: bool | None = None
    conditional: Conditional | None = None

    def get_current(self, request: Any, *args: Any, **kwargs: Any) -> Found:
        """Look the current state up; the view has to say how.

        Args:
            request: of the view.
            args: positional arguments of the route.
            kwargs: named arguments of the route.

        Raises:
            NotImplementedError: when the view does not say how.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method get_current(request, ...)")

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """Run the checks of the framework, then evaluate.

        Args:
            request: of the view.
            args: positional arguments of the route.
            kwargs: named arguments of the route.

        Raises:
            PreconditionRefusedError: with the answer; `handle_exception` sends it.

        Source: RFC 9110 section 13.2.1.
        """
        cast("Any", super()).initial(request, *args, **kwargs)
        name = (request.method or "").lower()
        allowed = cast("Any", self).http_method_names
        if name not in allowed or not hasattr(self, name) or name in ("options", "trace"):
            return
        if name in ("put", "patch", "post"):
            self._refuse_media_type(request)
        found = self.get_current(request, *args, **kwargs)
        if isinstance(found, HttpResponseBase):
            raise _RedirectedError(found)
        self.conditional = check(
            request._request,  # noqa: SLF001 -- the framework has no other way down
            lambda: found,
            policy=self.precondition_policy,
            creates=self.precondition_creates,
        )

    def _refuse_media_type(self, request: Any) -> None:
        parsers = request.parsers or ()
        if request.content_type and request.negotiator.select_parser(request, parsers) is None:
            facts = facts_of(request._request)  # noqa: SLF001 -- as below
            accepted = [parser.media_type for parser in parsers]
            raise PreconditionRefusedError(unsupported_media_type(facts, accepted))

    def handle_exception(self, exc: Exception) -> Any:
        """Answer what the evaluation raised; everything else is the framework's.

        Args:
            exc: that left a check or the handler.
        """
        request = cast("Any", self).request
        if isinstance(exc, PreconditionRefusedError):
            return answer_response(exc.answer, request.method or "")
        if isinstance(exc, _RedirectedError):
            return exc.response
        return cast("Any", super()).handle_exception(exc)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the lines that are due to a successful answer.

        Args:
            request: of the view.
            response: of the handler.
            args: positional arguments of the route.
            kwargs: named arguments of the route.

        Source: RFC 9110 section 15.3.7 and section 8.8.
        """
        response = cast("Any", super()).finalize_response(request, response, *args, **kwargs)
        if self.conditional is not None and 200 <= response.status_code < 300:
            for name, value in self.conditional.fields:
                response.headers.setdefault(name, value)
        return response
