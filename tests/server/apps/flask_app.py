"""The service on Flask, with the decorator."""

from __future__ import annotations

from flask import Flask, Response, abort, redirect, request

from ifmatch.server import wsgi
from ifmatch.server.flask import Preconditions, conditional, precondition
from tests.server.apps.service import BASE, MEDIA_TYPES, NAMES, SETTINGS, Service, allowed, name_of

service = Service()
app = Flask(__name__)
Preconditions(app, settings=SETTINGS)


def current():
    name = name_of(request.path)
    if name == "-private" and "Authorization" not in request.headers:
        abort(401)
    if name == "-forbidden":
        abort(403)
    if name == "-moved":
        return redirect(BASE, 302)
    return service.current(name, request.query_string.decode("latin-1"))


@precondition(current, media_types=())
def resource():
    name, facts = name_of(request.path), wsgi.facts_of(request.environ)
    if request.method in ("GET", "HEAD"):
        result = service.read(facts, conditional())
    else:
        result = service.write(name, facts, request.get_data(), SETTINGS)
    response = Response(result.octets, result.status)
    for key, value in result.fields:
        response.headers[key] = value
    return response


@precondition(current, media_types=MEDIA_TYPES)
def typed():
    return resource()


for name in NAMES:
    view = resource if name in ("-private", "-forbidden", "-moved") else typed
    app.add_url_rule(
        BASE + name, f"resource{name}", view, methods=list(allowed(name)), provide_automatic_options=False
    )
