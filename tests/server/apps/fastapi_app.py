"""The service on FastAPI: a dependency after the security dependencies, on a route that runs it first."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Request, Response, Security
from fastapi.security import APIKeyHeader

from ifmatch.server.asgi import exchange_of, facts_of
from ifmatch.server.fastapi import Conditional, ConditionalRoute, Precondition, install
from tests.server.apps.service import BASE, MEDIA_TYPES, SETTINGS, Result, Service, name_of

service = Service()
app = FastAPI()
router = APIRouter(prefix=BASE, route_class=ConditionalRoute)
key = APIKeyHeader(name="Authorization", auto_error=False)


async def current(request: Request):
    return service.current(name_of(request.url.path), request.url.query)


precondition = Precondition(current, media_types=MEDIA_TYPES)


def authorised(authorization: Annotated[str | None, Security(key)], request: Request) -> None:
    name = name_of(request.url.path)
    if name == "-private" and authorization is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    if name == "-forbidden":
        raise HTTPException(403)
    if name == "-moved":
        raise HTTPException(302, headers={"Location": BASE})


def response(result: Result) -> Response:
    answer = Response(result.octets, result.status)
    for name, value in result.fields:
        answer.headers[name] = value
    return answer


async def read(request: Request, conditional: Annotated[Conditional, Depends(precondition)]):
    return response(service.read(facts_of(request.scope), conditional))


async def replace(
    request: Request,
    # Ahead of the precondition on purpose: what needs the content runs after it all the same.
    content: Annotated[dict[str, str], Body()],  # noqa: ARG001
    conditional: Annotated[Conditional, Depends(precondition)],  # noqa: ARG001
):
    name, facts = name_of(request.url.path), facts_of(request.scope)
    octets = await request.body()
    return response(service.write(name, facts, octets, exchange_of(request.scope).settings))


async def delete(
    request: Request,
    conditional: Annotated[Conditional, Depends(precondition)],  # noqa: ARG001
):
    name, facts = name_of(request.url.path), facts_of(request.scope)
    return response(service.write(name, facts, b"", exchange_of(request.scope).settings))


checked = [Depends(authorised)]
for name in (
    "",
    "-missing",
    "-tagged",
    "-dated",
    "-forbidden",
    "-moved",
    "-transform",
    "-private",
    "-required",
):
    router.add_api_route(name, read, methods=["GET", "HEAD"], dependencies=checked, name=f"read{name}")
    router.add_api_route(name, replace, methods=["PUT"], dependencies=checked, name=f"replace{name}")
    if name != "-dated":
        router.add_api_route(name, delete, methods=["DELETE"], dependencies=checked, name=f"delete{name}")
app.include_router(router)
install(app, settings=SETTINGS, date=True)
