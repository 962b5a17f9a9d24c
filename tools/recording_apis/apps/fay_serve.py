# mypy: ignore-errors
# ruff: noqa: ANN001, ANN202, ARG001, PLC0415 - frameworks call these as they will, and are loaded where a story wants them
"""Serve a handler of calls in this process: Flask, Pyramid, Litestar or aiohttp."""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tools.ports import free_port
from tools.recording_apis.apps.fay_core import call_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording_apis.apps.fay_core import Call, Reply

    Handler = Callable[[Call], Reply]
    Started = tuple[int, str, Callable[[], object]]
_METHODS = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "LOCK", "UNLOCK"]


def _flask(handler: Handler):
    import flask

    app = flask.Flask("fay", static_folder=None)

    def page(rest: str = ""):
        request = flask.request
        target = request.full_path if request.query_string else request.path
        got = handler(call_of(request.method, target, _low(request.headers.items()), request.get_data()))
        return flask.Response(got.octets(), got.status, got.fields())

    for rule in ("/", "/<path:rest>"):
        app.add_url_rule(rule, rule, page, methods=_METHODS, provide_automatic_options=False)
    return app


def _pyramid(handler: Handler):
    from pyramid.config import Configurator
    from pyramid.response import Response

    def view(request):
        got = handler(call_of(request.method, request.path_qs, _low(request.headers.items()), request.body))
        reply = Response(body=got.octets(), status=got.status)
        reply.headers.pop("Content-Type", None)
        for name, value in got.fields().items():
            reply.headers[name] = value
        return reply

    config = Configurator()
    config.add_route("all", "/*rest")
    config.add_view(view, route_name="all")
    return config.make_wsgi_app()


def _low(pairs) -> dict[str, str]:
    return {name.lower(): value for name, value in pairs if value}


def _gate(app) -> Started:
    import waitress

    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=6)
    threading.Thread(target=server.run, daemon=True).start()
    return server.effective_port, f"waitress {importlib.metadata.version('waitress')}", server.close


def _cheroot(app) -> Started:
    from cheroot.wsgi import Server

    server = Server(("127.0.0.1", free_port()), app, numthreads=8, timeout=20)
    server.prepare()
    threading.Thread(target=server.serve, daemon=True).start()
    return server.bind_addr[1], f"cheroot {importlib.metadata.version('cheroot')}", server.stop


def _litestar(handler: Handler) -> Started:
    import uvicorn
    from litestar import Litestar, Request, Response
    from litestar.handlers import HTTPRouteHandler

    pool = ThreadPoolExecutor(8)

    async def page(request: Request) -> Response:
        body = await request.body()
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        call = call_of(request.method, target, _low(request.headers.items()), body)
        got = await asyncio.get_running_loop().run_in_executor(pool, handler, call)
        fields = got.fields()
        kind = next((fields.pop(one) for one in list(fields) if one.lower() == "content-type"), None)
        return Response(got.octets(), status_code=got.status, headers=fields, media_type=kind)

    page.__annotations__ = {"request": Request, "return": Response}
    routes = HTTPRouteHandler(["/", "/{rest:path}"], http_method=["GET", "PUT", "PATCH", "POST", "DELETE"])(
        page
    )
    app = Litestar([routes], openapi_config=None)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="error", lifespan="off"))
    threading.Thread(target=server.run, daemon=True).start()
    return (
        port,
        f"uvicorn {importlib.metadata.version('uvicorn')}",
        lambda: setattr(server, "should_exit", True),
    )


def _aiohttp(handler: Handler) -> Started:
    from aiohttp import web

    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
    loop, port, pool = asyncio.new_event_loop(), free_port(), ThreadPoolExecutor(8)

    async def page(request):
        call = call_of(request.method, request.path_qs, _low(request.headers.items()), await request.read())
        got = await loop.run_in_executor(pool, handler, call)
        return web.Response(status=got.status, body=got.octets() or None, headers=got.fields())

    def run() -> None:
        asyncio.set_event_loop(loop)
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", page)
        runner = web.AppRunner(app)
        loop.run_until_complete(runner.setup())
        loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", port).start())
        loop.run_forever()

    threading.Thread(target=run, daemon=True).start()
    return port, "", lambda: loop.call_soon_threadsafe(loop.stop)


def serve(handler: Handler, kind: str) -> Started:
    """Serve with ``flask``, ``pyramid``, ``litestar`` or ``aiohttp``; return port, version and its end."""
    if kind == "flask":
        port, under, ends = _gate(_flask(handler))
    elif kind == "pyramid":
        port, under, ends = _cheroot(_pyramid(handler))
    elif kind == "litestar":
        port, under, ends = _litestar(handler)
    else:
        port, under, ends = _aiohttp(handler)
    version = f"{kind} {importlib.metadata.version(kind)}"
    return port, f"{version} under {under}" if under else version, ends
