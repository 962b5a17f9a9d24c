"""The same note behind each framework, for `bench_server`; the name of the application is in the environment.

`plain_*` know nothing of versions. `by_hand_*` look the version up and send ETag and Last-Modified, as a
careful person does without any package: nothing is evaluated. The others do the same with what they are named
after. Look-ups are a dictionary, so that nothing but the packages differs.
"""

# FastAPI looks annotations up where they stand: no `from __future__ import annotations` here.

import os
from datetime import UTC, datetime
from email.utils import format_datetime

from ifmatch import Representation

TAG = '"33a64df551425fcc55e4d42a148795d9f25f89d4"'
CONTENT = b'{"text": "' + b"0123456789" * 20 + b'"}'
NOTES = {"/note": (TAG, datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC))}
KIND = "application/json"


def by_hand(path: str) -> dict[str, str]:
    tag, modified = NOTES[path]
    return {"ETag": tag, "Last-Modified": format_datetime(modified, usegmt=True)}


def representation(path: str):
    tag, modified = NOTES[path]
    return Representation(etag=tag, last_modified=modified)


# --- ASGI


LINES = [(b"content-type", KIND.encode()), (b"content-length", b"%d" % len(CONTENT))]


async def answer(send, lines) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": lines})
    await send({"type": "http.response.body", "body": CONTENT})


async def lifespan(receive, send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def plain_asgi(scope, receive, send):
    await (answer(send, LINES) if scope["type"] == "http" else lifespan(receive, send))


async def by_hand_asgi(scope, receive, send):
    if scope["type"] != "http":
        await lifespan(receive, send)
        return
    fields = by_hand(scope["path"])
    more = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    await answer(send, [*LINES, *more])


def middleware_asgi():
    from ifmatch.server.asgi import PreconditionMiddleware

    return PreconditionMiddleware(plain_asgi)


def check_asgi():
    from ifmatch.server.asgi import PreconditionMiddleware, check

    async def current(scope):
        return representation(scope["path"])

    async def checked(scope, receive, send):
        if scope["type"] != "http":
            await lifespan(receive, send)
            return
        await check(scope, current)
        await answer(send, LINES)

    return PreconditionMiddleware(checked)


# --- Starlette


def starlette(note):
    from starlette.applications import Starlette
    from starlette.routing import Route

    return Starlette(routes=[Route("/note", note, methods=["GET", "PUT"])])


async def starlette_plain_note(_):
    from starlette.responses import Response

    return Response(CONTENT, media_type=KIND)


def plain_starlette():
    return starlette(starlette_plain_note)


def by_hand_starlette():
    from starlette.responses import Response

    async def note(request):
        return Response(CONTENT, media_type=KIND, headers=by_hand(request.url.path))

    return starlette(note)


def middleware_starlette():
    from ifmatch.server.starlette import install

    app = plain_starlette()
    install(app)
    return app


def check_starlette():
    from ifmatch.server.starlette import install, precondition

    async def current(request):
        return representation(request.url.path)

    app = starlette(precondition(current)(starlette_plain_note))
    install(app)
    return app


def asgi_etags_starlette():
    from asgi_etags import ETagMiddleware

    app = plain_starlette()
    app.add_middleware(ETagMiddleware, etag_generator=lambda _: TAG)
    return app


def base_http_middleware_starlette():
    from starlette.middleware.base import BaseHTTPMiddleware

    class Nothing(BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            return await call_next(request)

    app = plain_starlette()
    app.add_middleware(Nothing)
    return app


# --- FastAPI


def fastapi(note, dependencies=(), route_class=None):
    from fastapi import APIRouter, FastAPI
    from fastapi.routing import APIRoute

    app = FastAPI()
    router = APIRouter(route_class=route_class or APIRoute)
    router.add_api_route("/note", note, methods=["GET", "PUT"], dependencies=list(dependencies))
    app.include_router(router)
    return app


async def fastapi_plain_note():
    from fastapi import Response

    return Response(CONTENT, media_type=KIND)


def plain_fastapi():
    return fastapi(fastapi_plain_note)


def by_hand_fastapi():
    from typing import Annotated

    from fastapi import Depends, Request, Response

    async def current(request: Request):
        return by_hand(request.url.path)

    async def note(fields: Annotated[dict, Depends(current)]):
        return Response(CONTENT, media_type=KIND, headers=fields)

    return fastapi(note)


def _precondition():
    from fastapi import Depends, Request

    from ifmatch.server.fastapi import Precondition

    async def current(request: Request):
        return representation(request.url.path)

    return Depends(Precondition(current))


def dependency_fastapi():
    from ifmatch.server.fastapi import install

    app = fastapi(fastapi_plain_note, [_precondition()])
    install(app)
    return app


def route_fastapi():
    from ifmatch.server.fastapi import ConditionalRoute, install

    app = fastapi(fastapi_plain_note, [_precondition()], ConditionalRoute)
    install(app)
    return app


def fastapi_etag_fastapi():
    from fastapi import Depends
    from fastapi_etag import Etag, add_exception_handler

    async def tag(request):
        return NOTES[request.url.path][0]

    app = fastapi(fastapi_plain_note, [Depends(Etag(tag, weak=False))])
    add_exception_handler(app)
    return app


# --- WSGI


WSGI_LINES = [("Content-Type", KIND), ("Content-Length", str(len(CONTENT)))]


def plain_wsgi(environ, start_response):
    del environ
    start_response("200 OK", list(WSGI_LINES))
    return [CONTENT]


def by_hand_wsgi(environ, start_response):
    start_response("200 OK", [*WSGI_LINES, *by_hand(environ["PATH_INFO"]).items()])
    return [CONTENT]


def check_wsgi():
    from ifmatch.server.wsgi import PreconditionMiddleware, check

    def current(environ):
        return representation(environ["PATH_INFO"])

    def checked(environ, start_response):
        check(environ, current)
        return plain_wsgi(environ, start_response)

    return PreconditionMiddleware(checked)


# --- Flask


def flask(note):
    from flask import Flask

    app = Flask(__name__)
    app.add_url_rule("/note", "note", note, methods=["GET", "PUT"])
    return app


def flask_plain_note():
    from flask import Response

    return Response(CONTENT, mimetype=KIND)


def plain_flask():
    return flask(flask_plain_note)


def by_hand_flask():
    from flask import Response, request

    def note():
        return Response(CONTENT, mimetype=KIND, headers=by_hand(request.path))

    return flask(note)


def check_flask():
    from flask import request

    from ifmatch.server.flask import Preconditions, precondition

    def current():
        return representation(request.path)

    app = flask(precondition(current)(flask_plain_note))
    Preconditions(app)
    return app


# --- Django


def django(note, middleware=()):
    import sys
    from types import ModuleType

    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.urls import path

    urls = sys.modules["overhead_urls"] = ModuleType("overhead_urls")
    settings.configure(
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="for benchmarks",
        ROOT_URLCONF=urls.__name__,
        LOGGING_CONFIG=None,
        MIDDLEWARE=list(middleware),
    )
    urls.urlpatterns = [path("note", note)]
    return get_wsgi_application()


def django_plain_note(_):
    from django.http import HttpResponse

    return HttpResponse(CONTENT, content_type=KIND)


def plain_django():
    return django(django_plain_note)


def by_hand_django():
    from django.http import HttpResponse

    def note(request):
        return HttpResponse(CONTENT, content_type=KIND, headers=by_hand(request.path))

    return django(note)


def check_django():
    from ifmatch.server.django import precondition

    def current(request):
        return representation(request.path)

    return django(precondition(current)(django_plain_note), ["ifmatch.server.django.PreconditionMiddleware"])


def condition_django():
    from django.views.decorators.http import condition

    decorate = condition(lambda r: NOTES[r.path][0], lambda r: NOTES[r.path][1])
    return django(decorate(django_plain_note))


NAME = os.environ.get("OVERHEAD", "plain_asgi")
APPLICATIONS = {"plain_asgi", "by_hand_asgi", "plain_wsgi", "by_hand_wsgi"}
app = globals()[NAME] if NAME in APPLICATIONS else globals()[NAME]()
