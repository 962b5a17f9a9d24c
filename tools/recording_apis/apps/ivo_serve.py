"""Serve routes in this process with waitress, cheroot, uvicorn, Tornado or Flask."""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import logging
import threading
from http.client import responses
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording_apis.apps.ivo_desk import Desk, asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_BARE = {204, 304}


def _phrase(status: int) -> str:
    return responses.get(status, "Unknown")


def _wsgi(desk: Desk) -> Callable[..., Iterable[bytes]]:
    def application(environ: dict[str, Any], start: Callable[..., object]) -> list[bytes]:
        head = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_") or (name in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value)
        }
        path = environ["PATH_INFO"].encode("latin-1").decode()
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        target = f"{path}?{environ.get('QUERY_STRING') or ''}"
        got = desk.answer(asked(environ["REQUEST_METHOD"], target, head, body))
        content, lines = got.octets, got.lines()
        if got.status not in _BARE:
            lines.append(("Content-Length", str(len(content))))
        start(f"{got.status} {_phrase(got.status)}", lines)
        return [b"" if got.status in _BARE or environ["REQUEST_METHOD"] == "HEAD" else content]

    return application


def _waitress(desk: Desk) -> tuple[int, Callable[[], object]]:
    server = importlib.import_module("waitress").create_server(
        _wsgi(desk), host="127.0.0.1", port=0, threads=8, ident="gateway"
    )
    threading.Thread(target=server.run, daemon=True).start()
    return int(server.effective_port), server.close


def _cheroot(desk: Desk) -> tuple[int, Callable[[], object]]:
    port = free_port()
    server = importlib.import_module("cheroot.wsgi").Server(("127.0.0.1", port), _wsgi(desk))
    threading.Thread(target=server.safe_start, daemon=True).start()
    return port, server.stop


def _flask(desk: Desk) -> tuple[int, Callable[[], object]]:
    flask = importlib.import_module("flask")
    serving = importlib.import_module("werkzeug.serving")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = flask.Flask("desk", static_folder=None)

    def page(rest: str = "") -> Any:
        del rest
        asking = flask.request
        head = {name.lower(): value for name, value in asking.headers.items() if value}
        target = f"{asking.path}?{asking.query_string.decode()}"
        got = desk.answer(asked(asking.method, target, head, asking.get_data()))
        return flask.Response(got.octets, got.status, got.lines())

    methods = ["GET", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"]
    for rule in ("/", "/<path:rest>"):
        app.add_url_rule(rule, rule, page, methods=methods, provide_automatic_options=False)
    server = serving.make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_port), server.shutdown


def _uvicorn(desk: Desk) -> tuple[int, Callable[[], object]]:
    uvicorn = importlib.import_module("uvicorn")

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        head = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        target = f"{scope['path']}?{scope['query_string'].decode()}"
        got = await asyncio.to_thread(desk.answer, asked(scope["method"], target, head, body))
        content = b"" if got.status in _BARE else got.octets
        lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in got.lines()]
        if got.status not in _BARE:
            lines.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": got.status, "headers": lines})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})

    port = free_port()
    settings = uvicorn.Config(
        application, host="127.0.0.1", port=port, lifespan="off", log_level="error", timeout_keep_alive=30
    )
    server = uvicorn.Server(settings)
    threading.Thread(target=server.run, daemon=True).start()

    def stop() -> None:
        server.should_exit = True

    return port, stop


def _tornado(desk: Desk) -> tuple[int, Callable[[], object]]:
    tornado = importlib.import_module("tornado.httputil")
    httpserver = importlib.import_module("tornado.httpserver")
    port, loops = free_port(), []

    def page(request: Any) -> None:
        head = {name.lower(): value for name, value in request.headers.get_all()}
        got = desk.answer(asked(request.method, request.uri, head, request.body))
        content = b"" if got.status in _BARE else got.octets
        fields = tornado.HTTPHeaders(dict(got.lines()))
        fields["Server"] = "TornadoServer"
        if got.status not in _BARE:
            fields["Content-Length"] = str(len(content))
        line = tornado.ResponseStartLine("HTTP/1.1", got.status, _phrase(got.status))
        shown = b"" if request.method == "HEAD" else content
        request.connection.write_headers(line, fields, shown)
        request.connection.finish()

    def run() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loops.append(loop)
        httpserver.HTTPServer(page).listen(port, "127.0.0.1")
        loop.run_forever()

    threading.Thread(target=run, daemon=True).start()
    return port, lambda: [loop.call_soon_threadsafe(loop.stop) for loop in loops]


_KINDS = {
    "waitress": _waitress,
    "cheroot": _cheroot,
    "flask": _flask,
    "uvicorn": _uvicorn,
    "tornado": _tornado,
}


def serve(desk: Desk, kind: str) -> tuple[int, str, Callable[[], object]]:
    """Start a server; return its port, what it is, and what ends it."""
    port, stop = _KINDS[kind](desk)
    return port, f"{kind} {importlib.metadata.version(kind)}", stop
