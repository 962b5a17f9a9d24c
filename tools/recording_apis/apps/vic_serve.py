# mypy: ignore-errors
# ruff: noqa: ANN001, ANN002, ANN202, ARG001 - frameworks call these as they will
"""Serve a box of documents in this process with the frameworks and servers that a story names."""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tools.ports import free_port
from tools.recording_apis.apps.vic_core import Req, Res

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[Req], Res]
    Started = tuple[int, str, Callable[[], object]]


def _of_environ(environ) -> Req:
    fields = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in {"CONTENT_TYPE", "CONTENT_LENGTH"}
    }
    fields = {name: value for name, value in fields.items() if value}
    target = environ["PATH_INFO"].encode("latin-1").decode() + (
        f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
    )
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return Req(environ["REQUEST_METHOD"], target, fields, body)


def _flask(handler: Handler):
    import flask  # noqa: PLC0415 - only where a story wants it

    app = flask.Flask("documents", static_folder=None)
    app.provide_automatic_options = False

    def page(path: str = ""):
        req = Req(
            flask.request.method,
            flask.request.full_path.rstrip("?"),
            {name.lower(): value for name, value in flask.request.headers.items() if value},
            flask.request.get_data(),
        )
        got = handler(req)
        return flask.Response(got.octets, got.status, got.fields, direct_passthrough=True)

    methods = ["GET", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"]
    for rule in ("/", "/<path:path>"):
        app.add_url_rule(rule, rule, page, methods=methods, provide_automatic_options=False)
    return app


def _falcon(handler: Handler):
    import falcon  # noqa: PLC0415 - only where a story wants it

    def sink(req, resp) -> None:
        fields = {name.lower(): value for name, value in req.headers.items()}
        got = handler(Req(req.method, req.relative_uri, fields, req.bounded_stream.read()))
        resp.status, resp.data = got.status, got.octets
        for name, value in got.fields.items():
            resp.set_header(name, value)

    app = falcon.App()
    app.add_sink(sink)
    return app


def _bottle(handler: Handler):
    import bottle  # noqa: PLC0415 - only where a story wants it

    app = bottle.Bottle()

    def page(path: str = ""):
        got = handler(_of_environ(bottle.request.environ))
        return bottle.HTTPResponse(got.octets, got.status, got.fields)

    app.route("/<path:path>", ["GET", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"], page)
    return app


def _plain(handler: Handler):
    def application(environ, start):
        got = handler(_of_environ(environ))
        content = b"" if got.status in {204, 304} else got.octets
        fields = list(got.fields.items())
        if got.status not in {204, 304}:
            fields.append(("Content-Length", str(len(content))))
        start(f"{got.status} {_reason(got.status)}", fields)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else content]

    return application


def _reason(status: int) -> str:
    from http import HTTPStatus  # noqa: PLC0415 - beside its only use

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _waitress(app) -> Started:
    import waitress  # noqa: PLC0415 - only where a story wants it

    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=8)
    threading.Thread(target=server.run, daemon=True).start()
    return server.effective_port, f"waitress {importlib.metadata.version('waitress')}", server.close


def _cheroot(app) -> Started:
    from cheroot.wsgi import Server  # noqa: PLC0415 - only where a story wants it

    port = free_port()
    server = Server(("127.0.0.1", port), app)
    threading.Thread(target=server.safe_start, daemon=True).start()
    return port, f"cheroot {importlib.metadata.version('cheroot')}", server.stop


def _werkzeug(app) -> Started:
    from werkzeug.serving import make_server  # noqa: PLC0415 - only where a story wants it

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port, f"Werkzeug {importlib.metadata.version('werkzeug')}", server.shutdown


def _stdlib(handler: Handler) -> Started:
    class Page(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _run(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fields = {name.lower(): value for name, value in self.headers.items()}
            got = handler(Req(self.command, self.path, fields, body))
            content = b"" if got.status in {204, 304} else got.octets
            self.send_response(got.status)
            for name, value in got.fields.items():
                self.send_header(name, value)
            if got.status not in {204, 304}:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = do_PATCH = do_POST = do_DELETE = do_OPTIONS = _run  # noqa: N815

        def log_message(self, *_rest) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port, "http.server of Python", server.shutdown


def _aiohttp(handler: Handler) -> Started:
    from aiohttp import web  # noqa: PLC0415 - only where a story wants it

    port, loop, pool = free_port(), asyncio.new_event_loop(), ThreadPoolExecutor(8)

    async def page(request):
        fields = {name.lower(): value for name, value in request.headers.items()}
        asked = Req(request.method, request.path_qs, fields, await request.read())
        got = await loop.run_in_executor(pool, handler, asked)
        return web.Response(status=got.status, body=got.octets, headers=got.fields)

    async def start() -> None:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", page)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

    loop.run_until_complete(start())
    threading.Thread(target=loop.run_forever, daemon=True).start()
    version = f"aiohttp {importlib.metadata.version('aiohttp')}"
    return port, version, lambda: loop.call_soon_threadsafe(loop.stop)


def _tornado(handler: Handler) -> Started:
    import tornado.web  # noqa: PLC0415 - only where a story wants it

    port, loop, pool = free_port(), asyncio.new_event_loop(), ThreadPoolExecutor(8)

    class Page(tornado.web.RequestHandler):
        def compute_etag(self) -> None:
            return None

        async def _run(self) -> None:
            fields = {name.lower(): value for name, value in self.request.headers.items()}
            asked = Req(self.request.method, self.request.uri, fields, self.request.body)
            got = await loop.run_in_executor(pool, handler, asked)
            self.set_status(got.status)
            self.clear_header("Content-Type")
            for name, value in got.fields.items():
                self.set_header(name, value)
            if got.status not in {204, 304}:
                self.write(got.octets)

        get = head = put = patch = post = delete = options = _run

    async def start() -> None:
        tornado.web.Application([(".*", Page)], log_function=lambda _page: None).listen(port, "127.0.0.1")

    loop.run_until_complete(start())
    threading.Thread(target=loop.run_forever, daemon=True).start()
    version = f"Tornado {importlib.metadata.version('tornado')}"
    return port, version, lambda: loop.call_soon_threadsafe(loop.stop)


def _starlette(handler: Handler) -> Started:
    import uvicorn  # noqa: PLC0415 - only where a story wants it
    from starlette.applications import Starlette  # noqa: PLC0415 - only where a story wants it
    from starlette.concurrency import run_in_threadpool  # noqa: PLC0415 - only where a story wants it
    from starlette.responses import Response  # noqa: PLC0415 - only where a story wants it
    from starlette.routing import Route  # noqa: PLC0415 - only where a story wants it

    async def page(request):
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        asked = Req(request.method, target, dict(request.headers), await request.body())
        got = await run_in_threadpool(handler, asked)
        return Response(got.octets, got.status, got.fields)

    methods = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"]
    app = Starlette(routes=[Route("/{tail:path}", page, methods=methods)])
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", timeout_keep_alive=30)
    )
    threading.Thread(target=server.run, daemon=True).start()
    version = f"Starlette {importlib.metadata.version('starlette')} under uvicorn"
    return port, version, lambda: setattr(server, "should_exit", True)


_KINDS = {
    "stdlib": _stdlib,
    "aiohttp": _aiohttp,
    "tornado": _tornado,
    "starlette": _starlette,
    "waitress": lambda handler: _waitress(_plain(handler)),
    "cheroot": lambda handler: _cheroot(_plain(handler)),
    "flask": lambda handler: _werkzeug(_flask(handler)),
    "falcon": lambda handler: _waitress(_falcon(handler)),
    "bottle": lambda handler: _cheroot(_bottle(handler)),
    "flask-cheroot": lambda handler: _cheroot(_flask(handler)),
}


def serve(handler: Handler, kind: str) -> Started:
    """Serve a handler and return its port, what serves it, and what ends it."""
    port, version, stop = _KINDS[kind](handler)
    if kind in {"flask", "flask-cheroot", "falcon", "bottle"}:
        version = f"{kind.partition('-')[0]} under {version}"
    return port, version, stop
