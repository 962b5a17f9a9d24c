"""The documents of ``shelf`` behind aiohttp's server; files below ``/files`` as FileResponse judges them.

Environment, besides that of ``shelf``: ``DEFLATE=1`` compresses answers.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import os
import sys
from pathlib import Path

from aiohttp import ETag, web

from tools.recording_apis.apps.shelf import Row, Shelf, merged

SHELF = Shelf()
FILES = Path(os.environ["APP_DIRECTORY"])


def shown(row: Row, status: int = 200) -> web.Response:
    """Return a document with its validators."""
    answer = web.Response(text=row.body, status=status, content_type=row.media)
    if row.tag:
        answer.etag = ETag(row.tag, is_weak=bool(os.environ.get("WEAK")))
    answer.last_modified = row.modified
    if os.environ.get("DEFLATE"):
        answer.enable_compression()
    return answer


async def ready(_: web.Request) -> web.Response:
    """Say that the service is up."""
    return web.Response(text="ready")


async def read(request: web.Request) -> web.StreamResponse:
    """Return a document, or 304 when the client has it."""
    row = SHELF.read(request.path)
    if row is None:
        raise web.HTTPNotFound
    known = {one.value for one in request.if_none_match or ()}
    if row.tag in known or "*" in known:
        answer = web.Response(status=304)
        answer.etag = ETag(row.tag, is_weak=bool(os.environ.get("WEAK")))
        return answer
    return shown(row)


async def write(request: web.Request) -> web.StreamResponse:
    """Store, patch or remove a document when its conditions hold."""
    row = SHELF.read(request.path)
    wanted = request.if_match
    body = await request.text()
    if wanted is not None:
        strong = {one.value for one in wanted if not one.is_weak}
        if row is None or not strong & {row.tag, "*"}:
            raise web.HTTPPreconditionFailed
    elif "If-None-Match" in request.headers and row is not None:
        raise web.HTTPPreconditionFailed
    if row is None and request.method != "PUT":
        raise web.HTTPNotFound
    if request.method == "DELETE":
        SHELF.delete(request.path)
        return web.Response(status=204)
    if request.method == "PATCH":
        body = merged(row.body, body)
    media = row.media if row else request.content_type
    made = SHELF.write(request.path, body, media, row.version if row and wanted else None)
    if made is None:
        raise web.HTTPPreconditionFailed
    return shown(made, 201 if row is None else 200)


async def upload(request: web.Request) -> web.Response:
    """Store a file."""
    (FILES / request.match_info["name"]).write_bytes(await request.read())
    return web.Response(status=204)


async def download(request: web.Request) -> web.StreamResponse:
    """Return a file as FileResponse does, preconditions and ranges included."""
    return web.FileResponse(FILES / request.match_info["name"])


def main() -> None:
    """Serve on the port given."""
    application = web.Application()
    application.add_routes(
        [
            web.get("/-/ready", ready),
            web.get("/files/{name}", download),
            web.put("/files/{name}", upload),
            web.get("/{path:.*}", read),
            *(web.route(method, "/{path:.*}", write) for method in ("PUT", "PATCH", "DELETE")),
        ]
    )
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
