"""asgi-etags: its middleware over Starlette; the tag is a hash of the answer."""

from __future__ import annotations

from hashlib import sha1
from importlib.metadata import version

from asgi_etags import ETagMiddleware
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.peers.notes import BASE, METHODS, NAMES, Notes, name_of

VERSION = f"asgi-etags {version('asgi-etags')}"
NOTES = Notes()


async def note(request):
    name = name_of(request.url.path)
    early = NOTES.refused_before(name, authorised="authorization" in request.headers)
    if early is not None:
        return Response(status_code=early, headers={"Location": BASE} if early == 302 else {})
    if request.method in ("GET", "HEAD"):
        content = NOTES.content(name)
        if content is None:
            return Response(status_code=404)
        return Response(content, media_type="application/json", headers={"Cache-Control": "no-cache"})
    return Response(status_code=NOTES.write(name, request.method, await request.body()))


def tag(content):
    return f'"{sha1(content, usedforsecurity=False).hexdigest()}"'


routes = [
    Route(BASE + name, note, methods=list(METHODS)) for name in NAMES if name not in ("-tagged", "-dated")
]
app = Starlette(routes=routes)
app.add_middleware(ETagMiddleware, etag_generator=tag)
