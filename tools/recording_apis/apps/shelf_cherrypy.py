"""The documents of ``shelf`` behind CherryPy, whose ``tools.etags`` judges when the handler has run.

Environment, besides that of ``shelf``: ``LATE=1`` leaves writes to ``tools.etags``; else the handler checks
first.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import os
import sys

import cherrypy

from tools.recording_apis.apps.shelf import Shelf, merged

SHELF = Shelf()


class Documents:
    """The handler of every path."""

    @cherrypy.expose
    def default(self, *_parts: str, **_query: str) -> bytes:
        """Read, store or patch a document."""
        request, response = cherrypy.request, cherrypy.response
        row = SHELF.read(request.path_info)
        if request.method in {"GET", "HEAD"}:
            if row is None:
                raise cherrypy.NotFound
            response.headers["Content-Type"], response.headers["ETag"] = row.media, row.etag
            return row.body.encode()
        body = request.body.read().decode()
        if not os.environ.get("LATE"):
            wanted = request.headers.get("If-Match")
            if wanted and (row is None or wanted not in {"*", row.etag}):
                raise cherrypy.HTTPError(412)
            if row is not None and request.headers.get("If-None-Match"):
                raise cherrypy.HTTPError(412)
            for name in ("If-Match", "If-None-Match"):
                request.headers.pop(name, None)  # tools.etags would judge once more, by the new tag
        if request.method == "PATCH":
            body = merged(row.body, body)
        media = row.media if row else request.headers.get("Content-Type", "application/json")
        made = SHELF.write(request.path_info, body, media)
        response.status = 200 if row else 201
        response.headers["Content-Type"], response.headers["ETag"] = made.media, made.etag
        return made.body.encode()

    @cherrypy.expose
    def index(self) -> str:
        """Say that the service is up."""
        return "ready"


def main() -> None:
    """Serve on the port given."""
    cherrypy.config.update(
        {
            "server.socket_host": "127.0.0.1",
            "server.socket_port": int(sys.argv[1]),
            "engine.autoreload.on": False,
            "log.screen": False,
            "request.show_tracebacks": False,
        }
    )
    tools = {"tools.etags.on": True, "tools.etags.autotags": True}
    cherrypy.quickstart(
        Documents(), "/", {"/": {**tools, "request.methods_with_bodies": ("PUT", "PATCH", "POST")}}
    )


if __name__ == "__main__":
    main()
