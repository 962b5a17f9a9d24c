"""Conditional requests for any WSGI application.

    application = PreconditionMiddleware(application)

    def edit(environ, start_response):             # behind routing, authentication and authorisation
        conditional = check(environ, current_note)
        ...                                        # now read wsgi.input and perform the request

The middleware prepares, and sends the answer that `check` raises; it never answers 412 by itself.

Source: RFC 9110 section 13.2.1; PEP 3333.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast
from urllib.parse import quote

from ifmatch.core.representation import Representation
from ifmatch.server import cross_origin, problem
from ifmatch.server.answers import PATH_SIGNS, Current, RequestFacts, current_of
from ifmatch.server.conditional import (
    Conditional,
    admit,
    admit_usual,
    for_head,
    refuse_media_type,
    utc_now,
)
from ifmatch.server.gate import Settings
from ifmatch.server.refusal import PreconditionRefusedError
from ifmatch.server.stores.protocol import Content, Snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from ifmatch.server.answers import Answer
    from ifmatch.server.policy import Policy

__all__ = [
    "ROUTE",
    "CurrentState",
    "Environ",
    "PreconditionMiddleware",
    "StartResponse",
    "State",
    "WSGIApplication",
    "admitted",
    "check",
    "current_content",
    "facts_of",
    "send_answer",
    "settings_of",
]

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Callable[[bytes], object]]
WSGIApplication: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]

State: TypeAlias = Current | Representation | Snapshot | None
"""What an application says of the current state; None: there is no current representation."""
CurrentState: TypeAlias = Callable[[Environ], State]
"""Looks the current state up; called once for a request."""

_SETTINGS: Final = "ifmatch.settings"
_CONDITIONAL: Final = "ifmatch.conditional"
_DEFAULTS: Final = Settings()
ROUTE: Final = "ifmatch.route"
"""Key of the template of the route, for adapters of frameworks that know it."""

_ASKED: Final = "HTTP_ACCESS_CONTROL_REQUEST_HEADERS"
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


class PreconditionMiddleware:
    """Prepare conditional requests for a WSGI application, and send the answers that `check` raises.

    To a successful answer it adds the lines that `check` found due: validators and their company on reads.
    Nothing is buffered, and content is not touched.

    Args:
        app: the application.
        settings: policies, disclosure, clients and sinks; None for the defaults.
        cross_origin: whether to expose ETag and to allow If-Match to the origins that the application lets
            in; see `ifmatch.server.cross_origin`.
    """

    def __init__(
        self, app: WSGIApplication, *, settings: Settings | None = None, cross_origin: bool = True
    ) -> None:
        self.app = app
        self.settings = settings if settings is not None else _DEFAULTS
        self._cross_origin = cross_origin

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Run the application.

        Source: RFC 9110 section 13.2.1; PEP 3333.
        """
        environ[_SETTINGS] = self.settings
        start_response = _with_fields(environ, start_response, self.settings)
        if self._cross_origin and "HTTP_ORIGIN" in environ:
            start_response = _across_origins(environ, start_response)
        try:
            chunks = self.app(environ, start_response)
        except PreconditionRefusedError as refusal:
            return send_answer(refusal.answer, environ, start_response)
        # The body of a generator runs only now: its refusal comes with the first chunk.
        is_lazy = inspect.isgenerator(cast("object", chunks))
        return _answering(chunks, environ, start_response) if is_lazy else chunks


def check(
    environ: Environ,
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
        environ: of the request.
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
    known: Conditional | None = environ.get(_CONDITIONAL)
    if known is not None and not again:
        return known
    if media_types:
        refuse_media_type(facts_of(environ), media_types)
    state = current_of(current(environ))
    conditional = environ[_CONDITIONAL] = admitted(
        environ["REQUEST_METHOD"],
        environ,
        state,
        lambda: facts_of(environ),
        settings=settings_of(environ),
        policy=policy,
        creates=creates,
        clock=clock,
    )
    return conditional


def admitted(
    method: str,
    environ: Environ,
    state: Current | None,
    gather: Callable[[], RequestFacts],
    *,
    settings: Settings,
    policy: Policy | None,
    creates: bool | None,
    clock: Callable[[], datetime],
) -> Conditional:
    """Let a request through, or raise the answer that it gets instead, for every framework on WSGI.

    Args:
        method: of the request.
        environ: of the request.
        state: the current state, None when there is none.
        gather: gives the facts of the request; called only when it is not a usual one.
        settings: of the service.
        policy: of the route; None takes it from the settings.
        creates: whether the method would make a missing resource; None: PUT only.
        clock: gives the time, aware.

    Raises:
        PreconditionRefusedError: with the answer.

    Source: RFC 9110 section 13.2.2.
    """
    fields = _conditions(environ)
    usual = admit_usual(method, fields, state, settings, policy, creates, clock)
    if isinstance(usual, Conditional):
        return usual
    facts = gather()
    content = current_content(state, facts, settings)
    return admit(
        facts,
        state,
        settings=settings,
        policy=policy,
        creates=creates,
        content=content,
        clock=clock,
        decision=usual,
    )


def _conditions(environ: Environ) -> list[tuple[str, str]]:
    # Written out, it costs half of a loop over the names.
    fields: list[tuple[str, str]] = []
    if "HTTP_IF_MATCH" in environ:
        fields.append(("If-Match", environ["HTTP_IF_MATCH"]))
    if "HTTP_IF_NONE_MATCH" in environ:
        fields.append(("If-None-Match", environ["HTTP_IF_NONE_MATCH"]))
    if "HTTP_IF_MODIFIED_SINCE" in environ:
        fields.append(("If-Modified-Since", environ["HTTP_IF_MODIFIED_SINCE"]))
    if "HTTP_IF_UNMODIFIED_SINCE" in environ:
        fields.append(("If-Unmodified-Since", environ["HTTP_IF_UNMODIFIED_SINCE"]))
    if "HTTP_RANGE" in environ:
        fields.append(("Range", environ["HTTP_RANGE"]))
    if "HTTP_IF_RANGE" in environ:
        fields.append(("If-Range", environ["HTTP_IF_RANGE"]))
    return fields


def settings_of(environ: Environ, otherwise: Callable[[], Settings] = lambda: _DEFAULTS) -> Settings:
    """Return the settings that the middleware has put into the environment.

    Args:
        environ: of the request.
        otherwise: gives them where no middleware has run; the defaults, unless something else is given.
    """
    settings = environ.get(_SETTINGS)
    return settings if isinstance(settings, Settings) else otherwise()


def facts_of(environ: Environ, route: str = "") -> RequestFacts:
    """Return what the evaluation needs to know of a request.

    Args:
        environ: of the request.
        route: template of the route, "" when unknown.

    Source: PEP 3333 (the environment, URL reconstruction).
    """
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    target = quote(path, safe=PATH_SIGNS, encoding="latin-1")
    query = environ.get("QUERY_STRING", "")
    fields = [(key[5:].replace("_", "-"), value) for key, value in environ.items() if key.startswith("HTTP_")]
    if environ.get("CONTENT_TYPE"):
        fields.append(("Content-Type", environ["CONTENT_TYPE"]))
    return RequestFacts(environ["REQUEST_METHOD"], f"{target}?{query}" if query else target, fields, route)


def current_content(current: Current | None, facts: RequestFacts, settings: Settings) -> Content | None:
    """Return the current content when a refusal of this request would have to carry it.

    Args:
        current: the current state, None when there is none.
        facts: of the request.
        settings: of the service.

    Raises:
        TypeError: when the content can only be awaited.

    Source: RFC 8144 section 3.2.
    """
    source = None if current is None else current.content
    if source is None or not problem.wants_representation(facts, settings.disclosure):
        return None
    given = source if isinstance(source, Content) else source()
    if not isinstance(given, Content):
        if inspect.iscoroutine(given):
            given.close()
        raise TypeError(
            "the content of the current state has to come without waiting: give no async function"
        )
    return given


def send_answer(answer: Answer, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Start the response and return its content.

    An answer without content is returned without a length: wsgiref would put "Content-Length: 0" on a 304.

    Args:
        answer: to send.
        environ: of the request.
        start_response: of the request.

    Source: PEP 3333.
    """
    answer = for_head(answer, environ["REQUEST_METHOD"])
    phrase = _PHRASES.get(answer.status, "Unknown")
    start_response(f"{answer.status} {phrase}", list(answer.fields))
    return [answer.octets] if answer.octets else iter((b"",))


def _with_fields(environ: Environ, start_response: StartResponse, settings: Settings) -> StartResponse:
    def start(
        status: str, lines: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        conditional = environ.get(_CONDITIONAL)
        if conditional is not None and conditional.fields and status[0] == "2":
            present = {name.lower() for name, _ in lines}
            lines = [*lines, *(pair for pair in conditional.fields if pair[0].lower() not in present)]
        if settings.shadow is not None:
            tag = next((value for name, value in lines if name.lower() == "etag"), None)
            settings.watch(facts_of(environ, environ.get(ROUTE, "")), int(status[:3]), tag)
        return start_response(status, lines) if exc_info is None else start_response(status, lines, exc_info)

    return start


def _answering(chunks: Iterable[bytes], environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    try:
        yield from chunks
    except PreconditionRefusedError as refusal:
        yield from send_answer(refusal.answer, environ, start_response)


def _across_origins(environ: Environ, start_response: StartResponse) -> StartResponse:
    """Ask CORS code inside only for what it knows, and add our fields to what it lets through."""
    asked: tuple[str, ...] = ()
    if environ["REQUEST_METHOD"] == "OPTIONS" and _ASKED in environ:
        text = environ.pop(_ASKED)
        asked = cross_origin.asked_fields(text)
        rest = cross_origin.without_ours(text)
        if rest:
            environ[_ASKED] = rest

    def start(
        status: str, lines: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        lines = cross_origin.allowing(lines, asked) if asked else cross_origin.exposing(lines)
        return start_response(status, lines) if exc_info is None else start_response(status, lines, exc_info)

    return start
