"""The desk on Starlette."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from tools.recording_apis.apps.mia_core import Desk

if TYPE_CHECKING:
    from starlette.requests import Request

desk = Desk()


async def answer(request: Request) -> Response:
    """Answer one request."""
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    fields = {name.lower(): value for name, value in request.headers.items()}
    body = await request.body()
    status, lines, content = await asyncio.to_thread(desk.answer, request.method, target, fields, body)
    made = Response(content, status)
    for name, value in lines:
        made.headers.append(name, value)
    return made


_METHODS = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"]
application = Starlette(routes=[Route("/{rest:path}", answer, methods=_METHODS)])
