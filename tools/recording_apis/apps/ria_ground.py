"""Run one handler under real web servers and frameworks, in the process that records."""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import json
import logging
import socket
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tools.ports import free_port
from tools.recording_apis.servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from tools.recording_apis.stage import Stage


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as a handler sees it; field names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    fields: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the content decoded as JSON."""
        return json.loads(self.body or b"null")

    @property
    def form(self) -> dict[str, str]:
        """Return the content decoded as an HTML form."""
        return dict(parse_qsl(self.body.decode("utf-8"), keep_blank_values=True))


@dataclass(slots=True)
class Reply:
    """An answer of a handler; a body that is neither text nor octets goes as JSON."""

    status: int = 200
    body: object = b""
    fields: dict[str, str] = field(default_factory=dict)

    def octets(self) -> bytes:
        """Return the content as octets and name its type when nothing else did."""
        if isinstance(self.body, bytes):
            return self.body
        kind = "text/plain; charset=utf-8" if isinstance(self.body, str) else "application/json"
        self.fields.setdefault("Content-Type", kind)
        text = self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)
        return text.encode("utf-8")


if TYPE_CHECKING:
    Handler = Callable[[Ask], Reply]


@dataclass
class Ground(Server):
    """A server in a thread of this process."""

    ends: Callable[[], None] = print

    def stop(self) -> None:
        """End the server."""
        self.ends()


def _wsgi(handler: Handler) -> Callable[..., list[bytes]]:
    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        given = environ.items()
        names = {k[5:].replace("_", "-").lower(): str(v) for k, v in given if k.startswith("HTTP_")}
        names["content-type"] = environ.get("CONTENT_TYPE") or ""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8")
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        reply = handler(Ask(environ["REQUEST_METHOD"], path, query, names, body))
        content = reply.octets()
        fields = dict(reply.fields)
        if reply.status not in {204, 304}:
            fields.setdefault("Content-Length", str(len(content)))
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", list(fields.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" or reply.status in {204, 304} else [content]

    return application


def _thread(target: Callable[[], object]) -> None:
    threading.Thread(target=target, daemon=True).start()


def _library(name: str) -> tuple[ModuleType, str]:
    return importlib.import_module(name), importlib.metadata.version(name)


def _waitress(handler: Handler, port: int, ident: str) -> tuple[str, Callable[[], None]]:
    library, version = _library("waitress")
    made = library.create_server(_wsgi(handler), host="127.0.0.1", port=port, threads=8, ident=ident or None)
    _thread(made.run)
    return f"waitress {version}", made.close


def _cheroot(handler: Handler, port: int, ident: str) -> tuple[str, Callable[[], None]]:
    library = importlib.import_module("cheroot.wsgi")
    made = library.Server(("127.0.0.1", port), _wsgi(handler), server_name=ident or None)
    made.timeout = 30
    made.prepare()
    _thread(made.serve)
    return f"Cheroot {importlib.metadata.version('cheroot')}", made.stop


def _flask(handler: Handler, port: int, ident: str) -> tuple[str, Callable[[], None]]:
    library, version = _library("flask")
    application = library.Flask("desk")
    methods = ["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"]

    def every(path: str) -> Any:
        asked = library.request
        names = {name.lower(): value for name, value in asked.headers.items()}
        reply = handler(Ask(asked.method, f"/{path}", asked.args.to_dict(), names, asked.get_data()))
        made = library.Response(reply.octets(), reply.status)
        made.headers.pop("Content-Type", None)
        made.headers.update(reply.fields)
        return made

    application.add_url_rule("/", "root", every, defaults={"path": ""}, methods=methods)
    application.add_url_rule("/<path:path>", "every", every, methods=methods)
    serving = importlib.import_module("werkzeug.serving")
    ways: dict[str, Any] = {"log": lambda *_: None}
    if ident:
        ways["version_string"] = lambda _: ident
    served = type("Quiet", (serving.WSGIRequestHandler,), ways)
    made = serving.make_server("127.0.0.1", port, application, threaded=True, request_handler=served)
    _thread(made.serve_forever)
    return f"Flask {version}", made.shutdown


def _starlette(handler: Handler, port: int, ident: str) -> tuple[str, Callable[[], None]]:
    library, version = _library("uvicorn")

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        names = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        ask = Ask(scope["method"], scope["path"], query, names, body)
        reply = await asyncio.to_thread(handler, ask)
        content = reply.octets()
        fields = {name.lower(): value for name, value in reply.fields.items()}
        if reply.status not in {204, 304}:
            fields.setdefault("content-length", str(len(content)))
        lines = [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": lines})
        empty = scope["method"] == "HEAD" or reply.status in {204, 304}
        await send({"type": "http.response.body", "body": b"" if empty else content})

    heads = [("server", ident)] if ident else []
    config = library.Config(
        application,
        host="127.0.0.1",
        port=port,
        log_level="critical",
        lifespan="off",
        headers=heads,
        server_header=not ident,
        timeout_keep_alive=30,
    )
    made = library.Server(config)
    _thread(made.run)
    return f"uvicorn {version}", lambda: setattr(made, "should_exit", True)


def _tornado(handler: Handler, port: int, ident: str) -> tuple[str, Callable[[], None]]:
    web = importlib.import_module("tornado.web")
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()

    async def answer(self: Any, *_: object) -> None:
        asked = self.request
        names = {name.lower(): value for name, value in asked.headers.get_all()}
        query = dict(parse_qsl(asked.query, keep_blank_values=True))
        reply = await asyncio.to_thread(handler, Ask(asked.method, asked.path, query, names, asked.body))
        content = reply.octets()
        self.clear_header("Content-Type")
        if ident:
            self.set_header("Server", ident)
        self.set_status(reply.status)
        for name, value in reply.fields.items():
            self.set_header(name, value)
        if reply.status not in {204, 304}:
            self.write(content)

    methods = ("get", "head", "put", "post", "patch", "delete", "options")
    ways: dict[str, Any] = dict.fromkeys(methods, answer)
    ways["compute_etag"] = lambda _: None  # its own tags are not wanted
    every = type("Every", (web.RequestHandler,), ways)

    def run() -> None:
        asyncio.set_event_loop(loop)
        web.Application([(r".*", every)]).listen(port, "127.0.0.1")
        loop.run_forever()

    _thread(run)
    return f"Tornado {importlib.metadata.version('tornado')}", lambda: loop.call_soon_threadsafe(loop.stop)  # type: ignore[return-value]


def _aiohttp(handler: Handler, port: int, ident: str) -> tuple[str, Callable[[], None]]:
    web = importlib.import_module("aiohttp.web")
    loop = asyncio.new_event_loop()

    async def every(asked: Any) -> Any:
        names = {name.lower(): value for name, value in asked.headers.items()}
        ask = Ask(asked.method, asked.path, dict(asked.query), names, await asked.read())
        reply = await asyncio.to_thread(handler, ask)
        content = reply.octets()
        if ident:
            reply.fields["Server"] = ident
        empty = reply.status in {204, 304}
        return web.Response(status=reply.status, headers=reply.fields, body=None if empty else content)

    def run() -> None:
        asyncio.set_event_loop(loop)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", every)
        runner = web.AppRunner(application)
        loop.run_until_complete(runner.setup())
        loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", port).start())
        loop.run_forever()

    _thread(run)
    version = importlib.metadata.version("aiohttp")
    return f"aiohttp {version}", lambda: loop.call_soon_threadsafe(loop.stop)  # type: ignore[return-value]


_UNDER = {
    "waitress": _waitress,
    "cheroot": _cheroot,
    "flask": _flask,
    "uvicorn": _starlette,
    "tornado": _tornado,
    "aiohttp": _aiohttp,
}


def serve(stage: Stage, handler: Handler, under: str = "waitress", ident: str = "", name: str = "") -> Server:
    """Start a handler under a server and put the upstream tap before it.

    Args:
        stage: The story's stage.
        handler: What answers.
        under: ``waitress``, ``cheroot``, ``flask``, ``uvicorn``, ``tornado`` or ``aiohttp``.
        ident: Server field to send instead of the program's own.
        name: Name in the label.
    """
    port = free_port()
    version, ends = _UNDER[under](handler, port, ident)
    made = Ground(port, version, (), None, Path(), Path(), ends)  # type: ignore[arg-type]
    _await(port)
    return stage.adopt(
        name or f"{under}-{len(stage.servers)}" if stage.servers else under, made, recorded=True
    )


def _await(port: int, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("the server does not listen")
