"""flask-smorest: `Blueprint.etag` and `check_etag`, as its documentation shows them.

The tag is a hash of the answer, and PUT and DELETE have to carry If-Match, so that POST creates.
"""

from __future__ import annotations

import json
from functools import wraps
from importlib.metadata import version

from flask import Flask, request
from flask.views import MethodView
from flask_smorest import Api, Blueprint, abort
from marshmallow import Schema, fields

from benchmarks.peers.notes import BASE, FIRST, NAMES, Notes, name_of

VERSION = f"flask-smorest {version('flask-smorest')}"
NOTES = Notes()
app = Flask(__name__)
app.config |= {"API_TITLE": "Notes", "API_VERSION": "1", "OPENAPI_VERSION": "3.0.2"}
blueprint = Blueprint("notes", "notes")


class NoteSchema(Schema):
    text = fields.String()


def allowed(method):
    @wraps(method)
    def checked(*args, **kwargs):
        early = NOTES.refused_before(name_of(request.path), authorised="Authorization" in request.headers)
        if early == 302:
            return "", 302, {"Location": BASE}
        return abort(early) if early is not None else method(*args, **kwargs)

    return checked


def found() -> dict[str, str]:
    content = NOTES.content(name_of(request.path))
    return abort(404) if content is None else json.loads(content)


class Note(MethodView):
    @allowed
    @blueprint.etag
    @blueprint.response(200, NoteSchema)
    def get(self):
        return found()

    @blueprint.etag
    @blueprint.arguments(NoteSchema)
    @blueprint.response(201, NoteSchema)
    def post(self, note):
        NOTES.write(name_of(request.path), "PUT", json.dumps(note).encode())
        return note

    @allowed
    @blueprint.etag
    @blueprint.arguments(NoteSchema)
    @blueprint.response(200, NoteSchema)
    def put(self, note):
        blueprint.check_etag(found(), NoteSchema)
        NOTES.write(name_of(request.path), "PUT", json.dumps(note).encode())
        return note

    @allowed
    @blueprint.etag
    @blueprint.response(204)
    def delete(self):
        blueprint.check_etag(found(), NoteSchema)
        NOTES.write(name_of(request.path), "DELETE", b"")


assert set(json.loads(FIRST)) == set(NoteSchema().fields)
for name in NAMES:
    if name not in ("-tagged", "-dated"):
        blueprint.route(BASE + name, endpoint=f"note{name}")(Note)
Api(app).register_blueprint(blueprint)
