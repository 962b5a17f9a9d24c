"""The desk on aiohttp."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

from tools.recording_apis.apps.mia_core import Desk

desk = Desk()


async def answer(request: web.Request) -> web.Response:
    """Answer one request."""
    body = await request.read()
    fields = {name.lower(): value for name, value in request.headers.items()}
    target = request.path_qs
    status, lines, content = await asyncio.to_thread(desk.answer, request.method, target, fields, body)
    made = web.Response(status=status, body=content)
    if not any(name == "Content-Type" for name, _ in lines):
        made.headers.pop("Content-Type", None)
    for name, value in lines:
        if name == "Content-Type":
            made.headers[name] = value
        else:
            made.headers.add(name, value)
    return made


if __name__ == "__main__":
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", answer)
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)
