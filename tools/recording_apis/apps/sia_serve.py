"""The documents of ``sia_bench`` under Flask, Starlette, aiohttp, Bottle and Python's own server."""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tools.recording_apis.apps.sia_bench import Bench

METHODS = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"]
BENCH = Bench()


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def flask_application() -> Any:
    """Return the documents as a Flask application."""
    from flask import Flask, Response, request  # noqa: PLC0415 - only this server needs it

    made = Flask(__name__, static_folder=None)

    @made.route("/", defaults={"path": ""}, methods=METHODS)
    @made.route("/<path:path>", methods=METHODS)
    def serve(path: str) -> Any:
        target = f"/{path}" + (f"?{request.query_string.decode()}" if request.query_string else "")
        status, fields, content = BENCH.answer(
            request.method, target, _lower(request.headers), request.get_data()
        )
        answer = Response(content, status)
        del answer.headers["Content-Type"]
        for name, value in fields:
            answer.headers.add(name, value)
        return answer

    return made


def starlette_application() -> Any:
    """Return the documents as a Starlette application."""
    from starlette.applications import Starlette  # noqa: PLC0415 - only this server needs it
    from starlette.responses import Response  # noqa: PLC0415 - only this server needs it
    from starlette.routing import Route  # noqa: PLC0415 - only this server needs it

    async def serve(request: Any) -> Any:
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        body = await request.body()
        given = await asyncio.to_thread(BENCH.answer, request.method, target, _lower(request.headers), body)
        answer = Response(given[2], given[0])
        for name, value in given[1]:
            answer.headers.append(name, value)
        return answer

    return Starlette(routes=[Route("/{path:path}", serve, methods=METHODS)])


def _aiohttp(port: int) -> None:
    from aiohttp import web  # noqa: PLC0415 - only this server needs it

    async def serve(request: Any) -> Any:
        body = await request.read()
        given = await asyncio.to_thread(
            BENCH.answer, request.method, request.path_qs, _lower(request.headers), body
        )
        return web.Response(status=given[0], headers=given[1], body=given[2] or None)

    made = web.Application()
    made.router.add_route("*", "/{path:.*}", serve)
    web.run_app(made, host="127.0.0.1", port=port, print=None)


def _bottle(port: int) -> None:
    import bottle  # noqa: PLC0415 - only this server needs it
    import waitress  # noqa: PLC0415 - only this server needs it

    made = bottle.Bottle()

    @made.route("/<path:re:.*>", method=METHODS)
    def serve(path: str) -> Any:
        asked = bottle.request
        target = f"/{path}" + (f"?{asked.query_string}" if asked.query_string else "")
        status, fields, content = BENCH.answer(asked.method, target, _lower(asked.headers), asked.body.read())
        return bottle.HTTPResponse(content, status, dict(fields))

    waitress.serve(made, host="127.0.0.1", port=port, threads=8)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, fields, content = BENCH.answer(self.command, self.path, _lower(self.headers), body)
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        if status not in {204, 304}:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and status not in {204, 304}:
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def main() -> None:
    """Run the server that the arguments name: a port and a kind."""
    port, kind = int(sys.argv[1]), sys.argv[2]
    if kind == "aiohttp":
        _aiohttp(port)
    elif kind == "bottle":
        _bottle(port)
    else:
        ThreadingHTTPServer(("127.0.0.1", port), _Handler).serve_forever()


if __name__ == "__main__":
    main()
