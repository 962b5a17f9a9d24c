"""The desk on Flask."""

from __future__ import annotations

from flask import Flask, Response, request

from tools.recording_apis.apps.mia_core import Desk

desk = Desk()
application = Flask("desk")
_METHODS = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"]


@application.route("/", defaults={"rest": ""}, methods=_METHODS, provide_automatic_options=False)
@application.route("/<path:rest>", methods=_METHODS, provide_automatic_options=False)
def answer(rest: str) -> Response:
    """Answer one request."""
    target = f"/{rest}"
    if request.query_string:
        target += f"?{request.query_string.decode('ascii')}"
    fields = {name.lower(): value for name, value in request.headers.items()}
    status, lines, content = desk.answer(request.method, target, fields, request.get_data())
    made = Response(content, status)
    del made.headers["Content-Type"]
    for name, value in lines:
        made.headers.add(name, value)
    return made
