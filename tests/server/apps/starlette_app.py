"""The service on Starlette, with the decorator."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ifmatch.server.asgi import exchange_of, facts_of
from ifmatch.server.starlette import install, precondition
from tests.server.apps.service import (
    BASE,
    MEDIA_TYPES,
    NAMES,
    SETTINGS,
    Result,
    Service,
    allowed,
    name_of,
)

service = Service()


def current(request):
    return service.current(name_of(request.url.path), request.url.query)


@precondition(current, media_types=MEDIA_TYPES)
async def resource(request):
    facts, name = facts_of(request.scope), name_of(request.url.path)
    if request.method in ("GET", "HEAD"):
        return response(service.read(facts, request.state.conditional))
    content = await request.body()
    return response(service.write(name, facts, content, exchange_of(request.scope).settings))


def response(result: Result) -> Response:
    answer = Response(result.octets, result.status)
    for name, value in result.fields:
        answer.headers[name] = value
    return answer


def private(_request):
    raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})


def forbidden(_request):
    raise HTTPException(403)


def moved(_request):
    return RedirectResponse(BASE, 302)


ENDPOINTS = {"-private": private, "-forbidden": forbidden, "-moved": moved}
app = Starlette(
    routes=[Route(BASE + name, ENDPOINTS.get(name, resource), methods=list(allowed(name))) for name in NAMES]
)
install(app, settings=SETTINGS, date=True)
