"""The service on bare WSGI."""

from __future__ import annotations

from http import HTTPStatus

from ifmatch.server.wsgi import PreconditionMiddleware, check, facts_of, settings_of
from tests.server.apps.service import BASE, MEDIA_TYPES, SETTINGS, Result, Service, allowed, name_of

service = Service()


def routes(environ, start_response):
    result = respond(environ)
    lines = list(result.fields)
    if result.status not in (204, 304):
        lines.append(("Content-Length", str(len(result.octets))))
    start_response(f"{result.status} {HTTPStatus(result.status).phrase}", lines)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [result.octets]


def respond(environ) -> Result:
    name, method = name_of(environ["PATH_INFO"]), environ["REQUEST_METHOD"]
    if name is None:
        return Result(404)
    if name == "-private" and "HTTP_AUTHORIZATION" not in environ:
        return Result(401, (("WWW-Authenticate", "Bearer"),))
    if name == "-forbidden":
        return Result(403)
    if name == "-moved":
        return Result(302, (("Location", BASE),))
    if method not in allowed(name):
        return Result(405, (("Allow", ", ".join(allowed(name))),))
    query = environ.get("QUERY_STRING", "")
    conditional = check(environ, lambda _: service.current(name, query), media_types=MEDIA_TYPES)
    facts = facts_of(environ)
    if method in ("GET", "HEAD"):
        return service.read(facts, conditional)
    octets = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return service.write(name, facts, octets, settings_of(environ))


app = PreconditionMiddleware(routes, settings=SETTINGS)
