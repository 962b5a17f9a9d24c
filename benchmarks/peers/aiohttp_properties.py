"""aiohttp: `request.if_match` and its kin, evaluated in the obvious way."""

from __future__ import annotations

import sys
from importlib.metadata import version

from aiohttp import ETag, web

from benchmarks.peers.notes import BASE, METHODS, NAMES, Notes, name_of

VERSION = f"aiohttp {version('aiohttp')}"
NOTES = Notes()


async def note(request):
    name = name_of(request.path)
    early = NOTES.refused_before(name, authorised="Authorization" in request.headers)
    if early is not None:
        return web.Response(status=early, headers={"Location": BASE} if early == 302 else {})
    content, etag = NOTES.content(name), NOTES.etag(name, request.query_string)
    reads = request.method in ("GET", "HEAD")
    if content is None and request.method != "PUT":
        return web.Response(status=404)
    modified = NOTES.modified(name)
    refused = evaluate(request, content is not None, etag, modified, reads=reads)
    fields = {"Cache-Control": "no-cache"} | ({"ETag": etag} if etag else {})
    if refused is not None:
        return web.Response(status=refused, headers=fields)
    if not reads:
        return web.Response(status=NOTES.write(name, request.method, await request.read()))
    response = web.Response(body=content, content_type="application/json", headers=fields)
    response.last_modified = modified
    return response


def evaluate(request, exists, etag, modified, *, reads):
    current = ETag((etag or "").removeprefix("W/")[1:-1], (etag or "").startswith("W/"))

    def holds(tags, *, weak):
        if [tag.value for tag in tags] == ["*"]:
            return exists
        return etag is not None and any(
            tag.value == current.value and (weak or not (tag.is_weak or current.is_weak)) for tag in tags
        )

    if request.if_match is not None:
        if not holds(request.if_match, weak=False):
            return 412
    elif request.if_unmodified_since and modified and modified > request.if_unmodified_since:
        return 412
    if request.if_none_match is not None:
        if holds(request.if_none_match, weak=True):
            return 304 if reads else 412
    elif reads and request.if_modified_since and modified and modified <= request.if_modified_since:
        return 304
    return None


if __name__ == "__main__":
    application = web.Application()
    for sibling in NAMES:
        for method in METHODS if sibling != "-dated" else METHODS[:3]:
            application.router.add_route(method, BASE + sibling, note)
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
