"""The documents of ``ora_core`` as a WSGI application, or by itself under aiohttp with a port."""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import sys
from http import HTTPStatus
from typing import Any

from tools.recording_apis.apps.ora_core import House

HOUSE = House()


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer one request."""
    asked = {
        name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"
    }
    asked["content-type"] = environ.get("CONTENT_TYPE", "")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    target = environ["PATH_INFO"] + (f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else "")
    status, fields, content = HOUSE.answer(environ["REQUEST_METHOD"], target, asked, body)
    if status not in {204, 304} and environ["REQUEST_METHOD"] != "HEAD":
        fields = [*fields, ("Content-Length", str(len(content)))]
    start_response(f"{status} {HTTPStatus(status).phrase}", fields)
    return [content]


def _aiohttp(port: int) -> None:
    from aiohttp import web  # noqa: PLC0415 - only this server needs it

    async def handle(request: web.Request) -> web.Response:
        asked = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        given = await asyncio.to_thread(HOUSE.answer, request.method, request.path_qs, asked, body)
        return web.Response(status=given[0], headers=given[1], body=given[2] or None)

    made = web.Application()
    made.router.add_route("*", "/{path:.*}", handle)
    web.run_app(made, host="127.0.0.1", port=port, print=None)


def _waitress(port: int) -> None:
    import waitress  # noqa: PLC0415 - only this server needs it

    waitress.serve(application, host="127.0.0.1", port=port, threads=8, ident="waitress")


def _cheroot(port: int) -> None:
    from cheroot.wsgi import Server  # noqa: PLC0415 - only this server needs it

    Server(("127.0.0.1", port), application, numthreads=8).start()


if __name__ == "__main__":
    {"aiohttp": _aiohttp, "waitress": _waitress, "cheroot": _cheroot}[sys.argv[2]](int(sys.argv[1]))
