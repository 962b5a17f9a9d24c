"""Flask with what werkzeug offers: `make_conditional` on reads, `request.if_match` on writes."""

from __future__ import annotations

from importlib.metadata import version

from flask import Flask, Response, abort, redirect, request

from benchmarks.peers.notes import BASE, METHODS, NAMES, Notes, name_of

VERSION = f"Flask {version('flask')}, werkzeug {version('werkzeug')}"
NOTES = Notes()
app = Flask(__name__)


def note():
    name = name_of(request.path)
    early = NOTES.refused_before(name, authorised="Authorization" in request.headers)
    if early == 302:
        return redirect(BASE)
    if early is not None:
        abort(early)
    content = NOTES.content(name)
    etag = NOTES.etag(name, request.query_string.decode("latin-1"))
    if request.method in ("GET", "HEAD"):
        if content is None:
            abort(404)
        response = Response(content, mimetype="application/json", headers={"Cache-Control": "no-cache"})
        if etag is not None:
            response.headers["ETag"] = etag
        response.last_modified = NOTES.modified(name)
        return response.make_conditional(request, accept_ranges=True, complete_length=len(content))
    if content is None and request.method == "DELETE":
        abort(404)
    refuse_if_false(etag, content, NOTES.modified(name))
    return Response(status=NOTES.write(name, request.method, request.get_data()))


def refuse_if_false(etag, content, modified):
    weak, opaque = (etag or "").startswith("W/"), (etag or "").removeprefix("W/")[1:-1]
    exists, match, none_match = content is not None, request.if_match, request.if_none_match
    if match:
        found = match.star_tag or (etag is not None and not weak and match.is_strong(opaque))
        if not (exists and found):
            abort(412)
    elif request.if_unmodified_since and modified and modified > request.if_unmodified_since:
        abort(412)
    if none_match and exists and (none_match.star_tag or (etag and none_match.contains_weak(opaque))):
        abort(412)


for name in NAMES:
    methods = METHODS if name != "-dated" else METHODS[:3]
    app.add_url_rule(BASE + name, f"note{name}", note, methods=list(methods), provide_automatic_options=False)
