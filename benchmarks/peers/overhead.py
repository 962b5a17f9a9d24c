"""The same answer with and without each middleware, for `bench_server`; the name is in the environment."""

from __future__ import annotations

import os

TAG = '"33a64df551425fcc55e4d42a148795d9f25f89d4"'
CONTENT = b'{"text": "' + b"0123456789" * 20 + b'"}'
LINES = [
    (b"content-type", b"application/json"),
    (b"content-length", b"%d" % len(CONTENT)),
    (b"etag", TAG.encode()),
]


async def bare(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": LINES})
    await send({"type": "http.response.body", "body": CONTENT})


def bare_with_middleware():
    from ifmatch.server.asgi import PreconditionMiddleware

    return PreconditionMiddleware(bare)


def bare_with_check():
    from ifmatch import Representation
    from ifmatch.server.asgi import PreconditionMiddleware, check

    def current(_):
        return Representation(etag=TAG)

    async def checked(scope, receive, send):
        if scope["type"] == "http":
            await check(scope, current)
        await bare(scope, receive, send)

    return PreconditionMiddleware(checked)


def starlette():
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    async def note(_):
        return Response(CONTENT, media_type="application/json", headers={"ETag": TAG})

    return Starlette(routes=[Route("/note", note, methods=["GET", "PUT"])])


def starlette_with_middleware():
    from ifmatch.server.starlette import install

    app = starlette()
    install(app)
    return app


def starlette_with_asgi_etags():
    from asgi_etags import ETagMiddleware

    app = starlette()
    app.add_middleware(ETagMiddleware, etag_generator=lambda _: TAG)
    return app


def starlette_with_base_http_middleware():
    from starlette.middleware.base import BaseHTTPMiddleware

    class Nothing(BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            return await call_next(request)

    app = starlette()
    app.add_middleware(Nothing)
    return app


def fastapi(dependencies=(), route_class=None):
    from fastapi import APIRouter, FastAPI, Response
    from fastapi.routing import APIRoute

    app = FastAPI()
    router = APIRouter(route_class=route_class or APIRoute)

    @router.api_route("/note", methods=["GET", "PUT"], dependencies=list(dependencies))
    async def note():
        return Response(CONTENT, media_type="application/json", headers={"ETag": TAG})

    app.include_router(router)
    return app


def _precondition():
    from fastapi import Depends

    from ifmatch import Representation
    from ifmatch.server.fastapi import Precondition

    async def current():
        return Representation(etag=TAG)

    return Depends(Precondition(current))


def fastapi_with_dependency():
    from ifmatch.server.fastapi import install

    app = fastapi([_precondition()])
    install(app)
    return app


def fastapi_with_conditional_route():
    from ifmatch.server.fastapi import ConditionalRoute, install

    app = fastapi([_precondition()], ConditionalRoute)
    install(app)
    return app


def fastapi_with_fastapi_etag():
    from fastapi import Depends
    from fastapi_etag import Etag, add_exception_handler

    async def tag(_):
        return TAG

    app = fastapi([Depends(Etag(tag, weak=False))])
    add_exception_handler(app)
    return app


NAME = os.environ.get("OVERHEAD", "bare")
app = bare if NAME == "bare" else globals()[NAME]()
