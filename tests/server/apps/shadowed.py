"""A service without versions behind the shadow, and the same with reports only, for each kind of adapter."""

from __future__ import annotations

import json
import os

from flask import Flask, Response, request

from ifmatch.server.flask import Preconditions
from ifmatch.server.gate import Settings
from ifmatch.server.policy import Policies, Policy, Stage
from ifmatch.server.shadow import Shadow

SHADOW = Shadow()
SETTINGS = Settings(
    policies=Policies(default=Policy(stage=Stage.SHADOW)),
    client=lambda facts: dict(_texts(facts)).get("x-client", "nobody"),
    shadow=SHADOW,
    sinks=(),
)
NOTES = {"1": b"first", "2": b"second"}


def _texts(facts):
    def text(value):
        return value.decode("latin-1") if isinstance(value, bytes) else value

    return [(text(key).lower(), text(value)) for key, value in facts.fields]


flask_app = Flask(__name__)


@flask_app.route("/notes/<number>", methods=["GET", "PUT"])
def note(number: str) -> Response:
    if request.method == "PUT":
        NOTES[number] = request.get_data()
        return Response(status=204)
    return Response(NOTES[number])


@flask_app.get("/report")
def report() -> Response:
    return Response(json.dumps(SHADOW.report()), mimetype="application/json")


Preconditions(flask_app, settings=SETTINGS)


async def asgi_routes(scope, receive, send):
    assert scope["type"] == "http"
    number = scope["path"].rsplit("/", 1)[-1]
    status, octets = 200, b""
    if number == "report":
        octets = json.dumps(SHADOW.report()).encode()
    elif scope["method"] == "PUT":
        message = await receive()
        NOTES[number] = message["body"]
        status = 204
    else:
        octets = NOTES[number]
    lines = [] if status == 204 else [(b"content-length", b"%d" % len(octets))]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": octets})


if os.environ.get("KIND") == "asgi":
    from ifmatch.server.asgi import PreconditionMiddleware

    app = PreconditionMiddleware(asgi_routes, settings=SETTINGS)
else:
    app = flask_app
