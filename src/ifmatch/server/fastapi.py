"""Conditional requests for FastAPI: a dependency, and a route that evaluates it before the content is read.

    app = FastAPI()
    install(app)
    router = APIRouter(route_class=ConditionalRoute)

    async def current_note(number: int, session: Session) -> Representation | None: ...  # a dependency too

    edited = Precondition(current_note)

    @router.put("/notes/{number}", dependencies=[Security(login)])
    async def edit(number: int, note: Note, conditional: Annotated[Conditional, Depends(edited)]): ...

FastAPI reads the content before it calls any dependency; with a plain route the precondition is evaluated
after that, and still before the endpoint. `ConditionalRoute` runs the dependencies first, each once.

Source: RFC 9110 section 13.2.1.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import fastapi.routing
from fastapi import Depends, Header, Request, Response
from fastapi.dependencies.utils import solve_dependencies
from fastapi.routing import APIRoute

from ifmatch.server import asgi
from ifmatch.server.conditional import Conditional
from ifmatch.server.starlette import check_again, install

if TYPE_CHECKING:
    from fastapi.dependencies.models import Dependant

    from ifmatch.server.policy import Policy

__all__ = ["Conditional", "ConditionalRoute", "Precondition", "check_again", "install", "responses"]

_SOLVED: Final = "ifmatch.solved"
_NO_PARAMETERS: Final[dict[str, Any]] = {
    name: [] for name in ("path_params", "query_params", "header_params", "cookie_params", "body_params")
}
_Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]

_VALIDATORS: Final = {
    "type": "object",
    "properties": {"etag": {"type": ["string", "null"]}, "last_modified": {"type": ["string", "null"]}},
}
_PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "precondition": {"type": "object"},
        "current": _VALIDATORS,
        "advice": {"type": "array", "items": {"type": "string"}},
        "hints": {"type": "array", "items": {"type": "object"}},
        "see": {"type": "string", "format": "uri"},
    },
}
_CONTENT: Final = {"application/problem+json": {"schema": _PROBLEM}}
_ETAG: Final = {"ETag": {"description": "Tag of the current version.", "schema": {"type": "string"}}}


def responses(*, required: bool = True) -> dict[int | str, dict[str, Any]]:
    """Return what a conditional write may answer, for the parameter `responses` of a route.

    Args:
        required: whether a precondition is demanded, so that 428 is among them.

    Source: RFC 9110 section 15.5.13 and RFC 6585 section 3.
    """
    listed: dict[int | str, dict[str, Any]] = {
        400: {"description": "A precondition cannot be read.", "content": _CONTENT},
        412: {
            "description": "The precondition is false: somebody else was faster. Nothing was changed.",
            "content": _CONTENT,
            "headers": _ETAG,
        },
    }
    if required:
        listed[428] = {
            "description": "The request has to be conditional. Nothing was changed.",
            "content": _CONTENT,
            "headers": _ETAG,
        }
    return listed


class Precondition:
    """A dependency that evaluates the preconditions of a request; its value is a `Conditional`.

    Args:
        current: looks the current state up: a dependency of FastAPI, so it may declare parameters and
            dependencies of its own. It may raise HTTPException.
        policy: of the route; None takes it from the settings.
        creates: whether the method would make a missing resource; None: PUT only.
        media_types: that the route takes; others are answered 415 first. Empty: any.
        required: whether the schema shows 428.
    """

    def __init__(
        self,
        current: Callable[..., Any],
        *,
        policy: Policy | None = None,
        creates: bool | None = None,
        media_types: Sequence[str] = (),
        required: bool = True,
    ) -> None:
        self._policy = policy
        self._creates = creates
        self._media_types = tuple(media_types)
        self.responses = responses(required=required)
        # FastAPI reads what to supply from the signature.
        self.__signature__ = inspect.Signature(
            [
                inspect.Parameter(
                    name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
                )
                for name, annotation, default in (
                    ("request", Request, inspect.Parameter.empty),
                    ("state", Annotated[Any, Depends(current)], inspect.Parameter.empty),
                    ("if_match", _header("If-Match", "Tag of the version that the request is about."), None),
                    ("if_none_match", _header("If-None-Match", "Tags, or * to create only."), None),
                )
            ]
        )

    async def __call__(
        self,
        *,
        request: Request,
        state: Any,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Conditional:
        """Evaluate; FastAPI calls it.

        Raises:
            PreconditionRefusedError: with the answer, which the installed handler sends.

        Source: RFC 9110 section 13.2.1.
        """
        del if_match, if_none_match  # in the signature for the schema; the evaluation reads every line
        return await asgi.check(
            request.scope,
            lambda _: state,
            policy=self._policy,
            creates=self._creates,
            media_types=self._media_types,
        )


def _header(name: str, description: str) -> Any:
    return Annotated[str | None, Header(alias=name, description=description)]


class ConditionalRoute(APIRoute):
    """A route that runs its dependencies, and with them the precondition, before it reads the content.

    A false precondition is answered without the content (412 in the place of 100 Continue, where the server
    leaves that to the application). Each dependency runs once. The precondition is evaluated after all other
    dependencies, wherever it is declared; dependencies that need the content themselves run after it.
    The answers of the precondition are added to the schema.

    Raises:
        RuntimeError: when this version of FastAPI solves dependencies in a way that is not known here.

    Source: RFC 9110 section 13.2.1 and section 10.1.1.
    """

    def get_route_handler(self) -> _Handler:
        """Return the handler of the route, with the dependencies in front."""
        route = _effective(self)
        whole: Dependant = route.dependant
        first, solved = _first_part(whole)
        plain_handler = super().get_route_handler()
        if not solved:
            return plain_handler
        for precondition in _preconditions(whole):
            route.responses = {**precondition.responses, **route.responses}
        # The schema shows the whole. What runs after the content reads what was solved before; without
        # content there is no before.
        has_content = route.body_field is not None
        late = _reading(whole, solved) if has_content else dataclasses.replace(first, **_own(whole))
        route.dependant = late
        try:
            handler = super().get_route_handler()
        finally:
            route.dependant = whole
        if not has_content:
            return handler
        provider = route.dependency_overrides_provider

        @functools.wraps(handler)
        async def conditional_handler(request: Request) -> Response:
            cache: dict[Any, Any] = {}
            stack: Any = request.scope.get("fastapi_inner_astack")
            result = await solve_dependencies(
                request=request,
                dependant=first,
                body=None,
                dependency_overrides_provider=provider,
                dependency_cache=cache,
                async_exit_stack=stack,
                embed_body_fields=False,
            )
            if result.errors:
                return await plain_handler(request)  # which answers 422 and names all that is wrong
            # A key is the function, its security scopes and the scope of its life.
            request.scope[_SOLVED] = {key[0]: value for key, value in cache.items()}
            return await handler(request)

        return conditional_handler


def _effective(route: APIRoute) -> Any:
    """Return what describes the route where it is mounted: newer versions keep that apart from the route."""
    variable = getattr(fastapi.routing, "_effective_route_context_var", None)
    context = None if variable is None else variable.get()
    return context if context is not None and context.original_route is route else route


def _preconditions(dependant: Dependant) -> list[Precondition]:
    own = [dependant.call] if isinstance(dependant.call, Precondition) else []
    return [*own, *(found for inner in dependant.dependencies for found in _preconditions(inner))]


def _needs_content(dependant: Dependant) -> bool:
    return bool(dependant.body_params) or any(map(_needs_content, dependant.dependencies))


def _own(dependant: Dependant) -> dict[str, Any]:
    """Return the parameters that an endpoint declares itself."""
    return {name: getattr(dependant, name) for name in _NO_PARAMETERS}


def _all(dependant: Dependant) -> list[Dependant]:
    return [dependant, *(found for inner in dependant.dependencies for found in _all(inner))]


def _first_part(whole: Dependant) -> tuple[Dependant, set[Any]]:
    """Return the dependencies that need no content, preconditions last, and the functions that they run.

    A function that stands for several dependencies, told apart by security scopes only, is not among the
    functions: it runs again after the content. Without a precondition there are none.
    """
    early = [inner for inner in whole.dependencies if not _needs_content(inner)]
    if not any(map(_preconditions, early)):
        return whole, set()
    known = {"dependency_cache", "async_exit_stack"} <= set(inspect.signature(solve_dependencies).parameters)
    if not known or not hasattr(whole, "parent_oauth_scopes"):
        raise RuntimeError(
            "ConditionalRoute does not know this version of FastAPI: take 0.128 or newer, or a plain route"
        )
    early.sort(key=lambda inner: bool(_preconditions(inner)))
    scopes: dict[Any, set[tuple[str, ...]]] = {}
    for one in _all(whole):
        own = (*(one.parent_oauth_scopes or ()), *(one.own_oauth_scopes or ()))
        scopes.setdefault(one.call, set()).add(tuple(sorted(own)))
    run = {one.call for inner in early for one in _all(inner) if len(scopes[one.call]) == 1}
    bare = dataclasses.replace(whole, dependencies=list(map(_without_fields, early)), **_NO_PARAMETERS)
    return bare, run


def _without_fields(dependant: Dependant) -> Dependant:
    """Leave out what a precondition declares for the schema alone: reading it costs time on each request."""
    changes: dict[str, Any] = {"dependencies": list(map(_without_fields, dependant.dependencies))}
    if isinstance(dependant.call, Precondition):
        changes["header_params"] = []
    return dataclasses.replace(dependant, **changes)


def _reading(dependant: Dependant, solved: set[Any]) -> Dependant:
    """Return the same dependencies, those that are solved replaced by one that reads the value."""
    inner = [
        dataclasses.replace(
            one,
            call=_reader(one.call),
            dependencies=[],
            request_param_name="request",
            response_param_name=None,
            background_tasks_param_name=None,
            security_scopes_param_name=None,
            http_connection_param_name=None,
            **_NO_PARAMETERS,
        )
        if one.call in solved
        else _reading(one, solved)
        for one in dependant.dependencies
    ]
    return dataclasses.replace(dependant, dependencies=inner)


def _reader(call: Any) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def read(request: Request) -> Any:
        return request.scope[_SOLVED].get(call)

    return read
