"""Routes that answer in the process that records, under Flask, Falcon with cheroot, or aiohttp."""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import json
import logging
import re
import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Ask:
    """A request as a route sees it."""

    method: str
    path: str
    query: dict[str, str]
    head: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """Return the content decoded as JSON, or nothing."""
        return json.loads(self.body) if self.body else {}


@dataclass
class Tell:
    """An answer."""

    status: int = 200
    body: Any = b""
    head: dict[str, str] | None = None
    kind: str = ""

    def octets(self) -> tuple[bytes, str]:
        """Return the content and its type."""
        if isinstance(self.body, bytes):
            return self.body, self.kind or ("application/octet-stream" if self.body else "text/plain")
        if isinstance(self.body, str):
            return self.body.encode(), self.kind or "text/plain; charset=utf-8"
        text = json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))
        return text.encode(), self.kind or "application/json"


class Counter:
    """Routes in their order; the first that fits answers.

    Args:
        always: Fields of each answer; ``{uuid}``, ``{hex}`` and ``{ms}`` are made anew each time.
        kind: Content type of JSON.
    """

    def __init__(self, always: dict[str, str] | None = None, kind: str = "application/json") -> None:
        self.always, self.kind = always or {}, kind
        self.routes: list[tuple[str, re.Pattern[str], Callable[..., Any]]] = []
        self.lock = threading.RLock()
        self.lost = Tell(404, {"error": "not found"})

    def at(self, method: str, pattern: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a route; groups of its pattern are arguments."""

        def keep(made: Callable[..., Any]) -> Callable[..., Any]:
            self.routes.append((method, re.compile(pattern), made))
            return made

        return keep

    def plain(self, pattern: str, body: Any, head: dict[str, str] | None = None, kind: str = "") -> None:
        """Answer a GET always the same."""
        self.at("GET", pattern)(lambda _ask, *_rest: Tell(200, body, head, kind))

    def __call__(self, ask: Ask) -> Tell:
        """Answer a request."""
        for method, pattern, made in self.routes:
            found = pattern.fullmatch(ask.path)
            if found and ask.method in method.split("|"):
                got = made(ask, *(unquote(one) for one in found.groups()))
                return self._dressed(got if isinstance(got, Tell) else Tell(200, got))
        return self._dressed(self.lost)

    def _dressed(self, got: Tell) -> Tell:
        kind = got.kind or (self.kind if not isinstance(got.body, str | bytes) else "")
        fresh = {
            "{uuid}": str(uuid.uuid4()),
            "{hex}": uuid.uuid4().hex[:16],
            "{ms}": str(int(time.time() * 1000)),
        }
        own = {name: fresh.get(value, value) for name, value in self.always.items()}
        return Tell(got.status, got.body, {**own, **(got.head or {})}, kind)


def _ask(method: str, target: str, head: dict[str, str], body: bytes) -> Ask:
    path, _, query = target.partition("?")
    return Ask(method, path, dict(parse_qsl(query, keep_blank_values=True)), head, body)


def _flask(answer: Callable[[Ask], Tell], port: int) -> Callable[[], None]:
    flask, serving = importlib.import_module("flask"), importlib.import_module("werkzeug.serving")
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    app = flask.Flask("gus", static_folder=None)

    def any_path(**_rest: Any) -> Any:
        request = flask.request
        head = {name.lower(): value for name, value in request.headers.items()}
        target = request.environ.get("RAW_URI") or request.full_path
        told = answer(_ask(request.method, target, head, request.get_data()))
        body, kind = told.octets()
        made = flask.Response(None if told.status in {204, 304} else body, told.status)
        made.headers.pop("Content-Type", None)
        if body and told.status not in {204, 304}:
            made.headers["Content-Type"] = kind
        for name, value in (told.head or {}).items():
            made.headers[name] = value
        return made

    methods = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "MERGE"]
    for rule in ("/", "/<path:rest>"):
        app.add_url_rule(
            rule,
            f"any{rule}",
            any_path,
            methods=methods,
            provide_automatic_options=False,
            merge_slashes=False,
        )
    serving.WSGIRequestHandler.protocol_version = "HTTP/1.1"
    made = serving.make_server("127.0.0.1", port, app, threaded=True)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    return made.shutdown  # type: ignore[no-any-return]


def _falcon(answer: Callable[[Ask], Tell], port: int) -> Callable[[], None]:
    falcon, cheroot = importlib.import_module("falcon"), importlib.import_module("cheroot.wsgi")
    app = falcon.App()

    def sink(req: Any, resp: Any, **_rest: Any) -> None:
        head = {name.lower(): value for name, value in req.headers.items()}
        body = req.bounded_stream.read()
        told = answer(_ask(req.method, req.env.get("REQUEST_URI") or req.relative_uri, head, body))
        made, kind = told.octets()
        resp.status = told.status
        if told.status not in {204, 304}:
            resp.data = made
            resp.content_type = kind
        for name, value in (told.head or {}).items():
            resp.set_header(name, value)

    app.add_sink(sink, prefix="/")
    made = cheroot.Server(("127.0.0.1", port), app, numthreads=8, server_name="cheroot")
    made.prepare()
    threading.Thread(target=made.serve, daemon=True).start()
    return made.stop  # type: ignore[no-any-return]


def _aiohttp(answer: Callable[[Ask], Tell], port: int) -> Callable[[], None]:
    web = importlib.import_module("aiohttp.web")
    loop = asyncio.new_event_loop()

    async def handle(request: Any) -> Any:
        head = {name.lower(): value for name, value in request.headers.items()}
        ask = _ask(request.method, request.raw_path, head, await request.read())
        told = await loop.run_in_executor(None, answer, ask)
        body, kind = told.octets()
        fields = dict(told.head or {})
        if told.status in {204, 304}:
            return web.Response(status=told.status, headers=fields)
        return web.Response(status=told.status, body=body, headers={"Content-Type": kind, **fields})

    async def start() -> None:
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{rest:.*}", handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

    loop.run_until_complete(start())
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return lambda: (loop.call_soon_threadsafe(loop.stop), None)[1]


_KINDS = {"flask": (_flask, "Flask"), "falcon": (_falcon, "falcon"), "aiohttp": (_aiohttp, "aiohttp")}


def serve(answer: Callable[[Ask], Tell], kind: str) -> tuple[int, str, Callable[[], None]]:
    """Serve routes and return port, version, and what ends them."""
    port = free_port()
    start, package = _KINDS[kind]
    stop = start(answer, port)
    return port, f"{package} {importlib.metadata.version(package)}", stop


def iso(moment: float | None = None, digits: int = 3) -> str:
    """Return a time in UTC with so many digits of a second."""
    now = time.time() if moment is None else moment
    base = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return f"{base}.{int(now % 1 * 10**digits):0{digits}d}Z" if digits else f"{base}Z"


def day(moment: float | None = None) -> str:
    """Return an HTTP-date."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(moment))
