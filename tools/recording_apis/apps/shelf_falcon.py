"""The documents of ``shelf`` behind Falcon, which parses the condition fields and leaves judging to the view.

Environment, besides that of ``shelf``: ``CORS`` holds an origin, ``EXPOSE`` and ``ALLOW`` header names for
scripts, ``PREFLIGHT_ONLY=1`` leaves the fields off refusals; ``REQUIRE=1`` refuses writes without If-Match
with 428.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import os

import falcon

from tools.recording_apis.apps.shelf import Shelf, merged

SHELF = Shelf()
PAGE = "<!doctype html><title>Shelf</title><h1>Shelf</h1>"


class Documents:
    """The handler of every path."""

    def on_get(self, request: falcon.Request, answer: falcon.Response, **_named: str) -> None:
        """Return a document."""
        if request.path == "/-/ready":
            answer.text = "ready"
            return
        if request.path == "/page":
            answer.content_type, answer.text = "text/html", PAGE
            return
        row = SHELF.read(request.path)
        if row is None:
            raise falcon.HTTPNotFound
        answer.etag = row.etag
        known = request.if_none_match or []
        if "*" in known or any(one == row.tag for one in known):
            answer.status = falcon.HTTP_304
            return
        answer.content_type, answer.text = row.media, row.body

    def on_put(self, request: falcon.Request, answer: falcon.Response, **_named: str) -> None:
        """Store a document when If-Match holds."""
        row = SHELF.read(request.path)
        wanted = request.if_match
        if row is not None and not wanted and not request.if_none_match and os.environ.get("REQUIRE"):
            raise falcon.HTTPPreconditionRequired(description="send If-Match with the tag you have read")
        fits = row is not None and (
            "*" in (wanted or [])
            or any(one.strong_compare(falcon.ETag.loads(row.etag)) for one in wanted or [])
        )
        if wanted and not fits:
            raise falcon.HTTPPreconditionFailed(title="Version mismatch")
        if request.if_none_match and row is not None:
            raise falcon.HTTPPreconditionFailed(title="Exists")
        body = request.bounded_stream.read().decode()
        if request.method == "PATCH":
            body = merged(row.body, body)
        made = SHELF.write(request.path, body, row.media if row else request.content_type)
        answer.etag, answer.content_type, answer.text = made.etag, made.media, made.body
        answer.status = falcon.HTTP_200 if row else falcon.HTTP_201

    on_patch = on_put

    def on_delete(self, request: falcon.Request, answer: falcon.Response, **_named: str) -> None:
        """Remove a document when If-Match holds."""
        row = SHELF.read(request.path)
        if row is None:
            raise falcon.HTTPNotFound
        if request.if_match and row.tag not in request.if_match:
            raise falcon.HTTPPreconditionFailed(title="Version mismatch")
        SHELF.delete(request.path)
        answer.status = falcon.HTTP_204

    def on_options(self, _request: falcon.Request, answer: falcon.Response, **_named: str) -> None:
        """Answer a preflight (Fetch section 4.8)."""
        answer.status = falcon.HTTP_204
        answer.set_header("Access-Control-Allow-Methods", "GET, PUT, PATCH, DELETE")
        if allow := os.environ.get("ALLOW"):
            answer.set_header("Access-Control-Allow-Headers", allow)


class Scripts:
    """Lets one origin's scripts read the answers."""

    def process_response(
        self, _request: falcon.Request, answer: falcon.Response, _resource: object, _succeeded: bool
    ) -> None:
        """Add the fields of the Fetch standard."""
        origin = os.environ.get("CORS")
        if not origin or (os.environ.get("PREFLIGHT_ONLY") and answer.status.startswith("412")):
            return
        answer.set_header("Access-Control-Allow-Origin", origin)
        if expose := os.environ.get("EXPOSE"):
            answer.set_header("Access-Control-Expose-Headers", expose)


application = falcon.App(middleware=[Scripts()])
application.add_route("/{name:path}", Documents())
