# mypy: ignore-errors
# ruff: noqa: ANN001, ANN002, ANN202, ARG001, PLC0415 - frameworks call these as they will, each where a story wants it
"""Serve a handler in this process: Flask, Django, Pyramid, FastAPI, Litestar, aiohttp, Tornado."""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tools.ports import free_port
from tools.recording_apis.apps.ada_desk import Ask, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[Ask], Reply]
    Running = tuple[int, str, Callable[[], object]]

_METHODS = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"]


def _lower(pairs) -> dict[str, str]:
    return {name.lower(): value for name, value in pairs if value != ""}


def _version(*names: str) -> str:
    shown = {
        "django": "Django",
        "flask": "Flask",
        "werkzeug": "Werkzeug",
        "fastapi": "FastAPI",
        "pyramid": "Pyramid",
    }
    shown |= {"litestar": "Litestar", "tornado": "Tornado"}
    return " under ".join(f"{shown.get(one, one)} {importlib.metadata.version(one)}" for one in names)


def _waitress(app, name: str) -> Running:
    import waitress

    logging.getLogger("waitress").setLevel(logging.ERROR)
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=6)
    threading.Thread(target=server.run, daemon=True).start()
    return server.effective_port, _version(name, "waitress"), server.close


def _flask(handler: Handler) -> Running:
    import flask
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = flask.Flask("desk", static_folder=None)

    def page(rest: str = ""):
        asked = flask.request
        got = handler(
            Ask(asked.method, asked.full_path.rstrip("?"), _lower(asked.headers.items()), asked.get_data())
        )
        return flask.Response(got.octets, got.status, got.head)

    for number, rule in enumerate(("/", "/<path:rest>")):
        app.add_url_rule(rule, str(number), page, methods=_METHODS, provide_automatic_options=False)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port, _version("flask", "werkzeug"), server.shutdown


def _django(handler: Handler) -> Running:
    import django
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import re_path

    def page(request):
        got = request.environ["ada.desk"](
            Ask(request.method, request.get_full_path(), _lower(request.headers.items()), request.body)
        )
        reply = HttpResponse(got.octets, status=got.status)
        if not got.octets and "Content-Type" not in got.head:
            del reply.headers["Content-Type"]
        for name, value in got.head.items():
            reply.headers[name] = value
        return reply

    if not settings.configured:
        urls = type("Urls", (), {"urlpatterns": [re_path("^.*$", page)]})
        settings.configure(
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=urls,
            SECRET_KEY="none",  # noqa: S106
            MIDDLEWARE=[
                "django.middleware.security.SecurityMiddleware",
                "django.middleware.common.CommonMiddleware",
                "django.middleware.clickjacking.XFrameOptionsMiddleware",
            ],
            APPEND_SLASH=False,
            LOGGING_CONFIG=None,
        )
        django.setup()
        logging.getLogger("django.request").setLevel(logging.CRITICAL)
    inner = get_wsgi_application()
    return _waitress(lambda environ, start: inner({**environ, "ada.desk": handler}, start), "django")


def _pyramid(handler: Handler) -> Running:
    from pyramid.config import Configurator
    from pyramid.response import Response

    def page(request):
        got = handler(Ask(request.method, request.path_qs, _lower(request.headers.items()), request.body))
        reply = Response(body=got.octets, status=got.status)
        if not got.octets and "Content-Type" not in got.head:
            reply.content_type = None
        reply.headers.update(got.head)
        return reply

    config = Configurator()
    config.add_route("all", "/*rest")
    config.add_view(page, route_name="all")
    return _waitress(config.make_wsgi_app(), "pyramid")


def _uvicorn(app, name: str) -> Running:
    import uvicorn

    port = free_port()
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", timeout_keep_alive=30)
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, daemon=True).start()
    return port, _version(name, "uvicorn"), lambda: setattr(server, "should_exit", True)


def _fastapi(handler: Handler) -> Running:
    import fastapi
    from fastapi.concurrency import run_in_threadpool

    app = fastapi.FastAPI(openapi_url=None)

    async def page(request):
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        asked = Ask(request.method, target, _lower(request.headers.items()), await request.body())
        got = await run_in_threadpool(handler, asked)
        return fastapi.Response(got.octets, got.status, got.head)

    page.__annotations__ = {"request": fastapi.Request}
    app.add_api_route("/{rest:path}", page, methods=_METHODS, response_model=None)
    return _uvicorn(app, "fastapi")


def _litestar(handler: Handler) -> Running:
    import litestar
    from litestar.concurrency import sync_to_thread

    async def page(request):
        query = request.scope["query_string"].decode()
        target = request.url.path + (f"?{query}" if query else "")
        asked = Ask(request.method, target, _lower(request.headers.items()), await request.body())
        got = await sync_to_thread(handler, asked)
        head = {name: value for name, value in got.head.items() if name != "Content-Type"}
        media = got.head.get("Content-Type", "text/plain")
        return litestar.Response(got.octets, status_code=got.status, headers=head, media_type=media)

    page.__annotations__ = {"request": litestar.Request, "return": litestar.Response}
    route = litestar.route(["/", "/{rest:path}"], http_method=[one for one in _METHODS if one != "OPTIONS"])
    return _uvicorn(litestar.Litestar([route(page)], openapi_config=None), "litestar")


def _in_loop(begin, version: str) -> Running:
    """Run a server that ``begin`` makes in an event loop of its own."""
    port, loop, ready = free_port(), asyncio.new_event_loop(), threading.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(begin(port))
        ready.set()
        loop.run_forever()

    threading.Thread(target=run, daemon=True).start()
    ready.wait(20)
    return port, version, lambda: loop.call_soon_threadsafe(loop.stop)


def _aiohttp(handler: Handler) -> Running:
    from aiohttp import web

    pool = ThreadPoolExecutor(6)

    async def page(request):
        asked = Ask(request.method, request.path_qs, _lower(request.headers.items()), await request.read())
        got = await asyncio.get_running_loop().run_in_executor(pool, handler, asked)
        head = dict(got.head)
        if got.status in {204, 304}:
            return web.Response(status=got.status, headers=head)
        return web.Response(body=got.octets, status=got.status, headers=head)

    async def begin(port: int) -> None:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", page)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

    return _in_loop(begin, _version("aiohttp"))


def _tornado(handler: Handler) -> Running:
    from tornado import web

    pool = ThreadPoolExecutor(6)
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)

    class Page(web.RequestHandler):
        SUPPORTED_METHODS = tuple(_METHODS)

        async def _run(self, *_rest) -> None:
            pairs = self.request.headers.items()
            asked = Ask(self.request.method, self.request.uri, _lower(pairs), self.request.body)
            got = await asyncio.get_running_loop().run_in_executor(pool, handler, asked)
            self.set_status(got.status)
            for name, value in got.head.items():
                self.set_header(name, value)
            if got.status not in {204, 304}:
                self.write(got.octets)

        def compute_etag(self) -> None:
            """Leave the tag to the desk."""

        get = head = put = patch = post = delete = options = _run

    async def begin(port: int) -> None:
        web.Application([("/.*", Page)]).listen(port, "127.0.0.1")

    return _in_loop(begin, _version("tornado"))


_KINDS = {
    "flask": _flask,
    "django": _django,
    "pyramid": _pyramid,
    "fastapi": _fastapi,
    "litestar": _litestar,
    "aiohttp": _aiohttp,
    "tornado": _tornado,
}


def serve(handler: Handler, kind: str) -> Running:
    """Serve a handler; return the port, what serves it, and what ends it."""
    return _KINDS[kind](handler)
