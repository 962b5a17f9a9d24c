"""A Flask service on Werkzeug's conditional requests: documents in memory, and a page that edits them.

Environment: ``NONCE=1`` puts a fresh nonce into each answer; ``REQUIRE=1`` refuses writes without If-Match
with 428; ``CORS`` holds the origin allowed, ``EXPOSE`` and ``ALLOW`` the header names for scripts.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import os
import secrets
from typing import Any

from flask import Flask, Response, jsonify, request

DOCUMENTS: dict[str, dict[str, Any]] = {
    "7": {"name": "Terms", "text": "Draft of March", "version": 1},
    "8": {"name": "Privacy", "text": "Draft of May", "version": 1},
}
PAGE = "<!doctype html><title>Editor</title><h1>Editor</h1>"

application = Flask(__name__)
application.json.sort_keys = False


def shown(key: str) -> Response:
    """Return the document with its tag."""
    content = dict(DOCUMENTS[key])
    if os.environ.get("NONCE"):
        content["csrf"] = secrets.token_hex(8)
    answer = jsonify(content)
    answer.add_etag()
    return answer


@application.get("/-/ready")
def ready() -> str:
    """Say that the service is up."""
    return "ready"


@application.get("/editor")
def editor() -> str:
    """Return the page."""
    return PAGE


@application.get("/documents/<key>", provide_automatic_options=False)
def read(key: str) -> Response:
    """Return a document, or 304 or 412 as Werkzeug decides."""
    return shown(key).make_conditional(request)


@application.put("/documents/<key>", provide_automatic_options=False)
def replace(key: str) -> Response:
    """Replace a document when If-Match holds."""
    if not request.if_match and os.environ.get("REQUIRE"):
        return Response('{"error":"If-Match is required"}', 428, content_type="application/json")
    current, _ = shown(key).get_etag()
    if "If-Match" in request.headers and not request.if_match.contains(current or ""):
        return Response('{"error":"the document has changed"}', 412, content_type="application/json")
    sent = request.get_json()
    DOCUMENTS[key] = {**sent, "version": DOCUMENTS[key]["version"] + 1}
    return shown(key)


@application.route("/documents/<key>", methods=["OPTIONS"])
def preflight(key: str) -> Response:
    """Answer a preflight (Fetch section 4.8)."""
    del key
    answer = Response(status=204)
    answer.headers["Access-Control-Allow-Methods"] = "GET, PUT"
    if allow := os.environ.get("ALLOW"):
        answer.headers["Access-Control-Allow-Headers"] = allow
    return answer


@application.after_request
def cors(answer: Response) -> Response:
    """Let one origin's scripts read the answers."""
    if origin := os.environ.get("CORS"):
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Vary"] = "Origin"
        if expose := os.environ.get("EXPOSE"):
            answer.headers["Access-Control-Expose-Headers"] = expose
    return answer
