"""The documents of ``shelf`` behind Flask, judged by Werkzeug.

Environment, besides that of ``shelf``: ``GUARD`` is ``atomic`` (the row's version decides), ``naive`` (check,
wait ``GAP`` seconds, write), or ``off`` (If-Match is not looked at); ``REQUIRE`` holds the status for a write
without a condition; ``REFUSE`` another status than 412; ``DATES=1`` sends and honours Last-Modified;
``CACHE`` is the Cache-Control of reads; ``SLOW`` seconds pass after a write; ``BARE=1`` answers writes with
204 and no tag; ``FOLLOW`` seconds after a write the service adds a member of its own; ``ECHO=1`` puts the tag
of the answer's own text on writes; ``VIEWS=1`` gives ``?view=short`` and each Accept a tag of its own;
``PLAIN=1`` refuses in plain text; ``FRACTION=1`` compares dates with the stored time and its fraction;
``UNABLE`` holds the status for any If-Match. A write to a path with a query changes the one document below it
that fits; a JSON Patch is tested first.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import hashlib
import json
import os
import threading
import time

from flask import Flask, Response, request
from werkzeug.http import http_date

from tools.recording_apis.apps.shelf import Row, Shelf, merged

ENV = os.environ.get
SHELF = Shelf()
application = Flask(__name__)


def refused(status: int, text: str) -> Response:
    """Return a refusal."""
    if ENV("PLAIN"):
        return Response(f"{text}\n", status, content_type="text/plain")
    body = {"title": text, "status": status}
    return Response(json.dumps(body), status, content_type="application/problem+json")


def shown(row: Row, status: int = 200) -> Response:
    """Return a document with its validators."""
    body, tag = row.body, row.tag
    if ENV("VIEWS"):
        if request.args.get("view") == "short":
            content = json.loads(body)
            body = json.dumps({name: content[name] for name in list(content)[:2]})
            tag = f"{tag}-s"
        if "csv" in request.headers.get("Accept", ""):
            content = json.loads(row.body)
            body = "".join(f"{name},{value}\n" for name, value in content.items())
            tag = f"{row.tag}-csv"
    media = "text/csv" if tag.endswith("-csv") else row.media
    answer = Response(body, status, content_type=media)
    if tag:
        answer.set_etag(tag, weak=bool(ENV("WEAK")))
    if ENV("VIEWS"):
        answer.headers["Vary"] = "Accept"
    if ENV("DATES"):
        answer.headers["Last-Modified"] = http_date(int(row.modified))
    if ENV("CACHE") and request.method in {"GET", "HEAD"}:
        answer.headers["Cache-Control"] = ENV("CACHE")
    return answer


def holds(row: Row | None) -> bool:
    """Return whether the conditions of a write hold (RFC 9110 section 13.2.2)."""
    if "If-Match" in request.headers:
        if ENV("GUARD") == "off":
            return True
        if row is None:
            return False
        if request.if_match.star_tag:
            return True
        weak = bool(ENV("WEAK") and ENV("WEAK") != "strict")
        return request.if_match.contains_weak(row.tag) if weak else request.if_match.contains(row.tag)
    if ENV("DATES") and "If-Unmodified-Since" in request.headers and row is not None:
        wanted = request.if_unmodified_since
        moment = row.modified if ENV("FRACTION") else int(row.modified)
        return wanted is None or moment <= wanted.timestamp()
    if "If-None-Match" in request.headers and row is not None:
        return not (request.if_none_match.star_tag or request.if_none_match.contains_weak(row.tag))
    return True


def follow(path: str) -> None:
    """Change a document as a job of the service does."""
    time.sleep(float(ENV("FOLLOW")))
    row = SHELF.read(path)
    if row is not None and "indexed" not in row.body:
        SHELF.write(path, merged(row.body, '{"indexed":true,"indexedBy":"search-indexer"}'), row.media)


def fits(row: Row) -> bool:
    """Return whether a document has the members that the query asks for."""
    content = json.loads(row.body)
    return all(str(content.get(name)) == value for name, value in request.args.items())


def patched(path: str, row: Row, operations: list[dict[str, object]]) -> Response:
    """Apply a JSON Patch of tests and replacements of members (RFC 6902)."""
    content = json.loads(row.body)
    for number, one in enumerate(operations):
        name = str(one["path"])[1:]
        if one["op"] == "test" and content.get(name) != one["value"]:
            expected, found = json.dumps(one["value"]), json.dumps(content.get(name))
            return refused(
                409, f"operation {number} (test {one['path']}): expected {expected}, found {found}"
            )
        if one["op"] == "replace":
            content[name] = one["value"]
    return stored(path, row, json.dumps(content, ensure_ascii=False))


@application.get("/-/ready")
def ready() -> str:
    """Say that the service is up."""
    return "ready"


@application.get("/<path:path>")
def read(path: str) -> Response:
    """Return a document, or the list of those below a path."""
    row = SHELF.read(f"/{path}")
    if row is not None:
        return shown(row).make_conditional(request)
    rows = SHELF.list(f"/{path}")
    if not rows:
        return refused(404, "no such document")
    items = [{"href": one.path, "etag": one.etag, **json.loads(one.body)} for one in rows]
    answer = Response(json.dumps(items), content_type="application/json")
    answer.add_etag()
    return answer.make_conditional(request)


@application.route("/<path:path>", methods=["PUT", "PATCH", "DELETE"])
def write(path: str) -> Response:
    """Store, patch or remove a document when its conditions hold."""
    path = f"/{path}"
    if request.args:
        fitting = [one.path for one in SHELF.list(path) if fits(one)]
        if len(fitting) > 1:
            return refused(412, f"the criteria match {len(fitting)} documents, expected one")
        path = fitting[0] if fitting else path
    row = SHELF.read(path)
    if ENV("UNABLE") and "If-Match" in request.headers:
        return refused(int(ENV("UNABLE")), "conditional writes are not supported by this store")
    conditional = {"If-Match", "If-None-Match", "If-Unmodified-Since"} & {name for name, _ in request.headers}
    if row is not None and ENV("REQUIRE") and not conditional:
        return refused(int(ENV("REQUIRE")), "this request must be conditional: send If-Match")
    if not holds(row):
        return refused(int(ENV("REFUSE", "412")), ENV("TEXT", "the document has changed"))
    if row is None and request.method != "PUT":
        return refused(404, "no such document")
    if request.method == "DELETE":
        SHELF.delete(path)
        return Response(status=204)
    body = request.get_data(as_text=True)
    if request.method == "PATCH" and request.content_type == "application/json-patch+json":
        return patched(path, row, json.loads(body))
    if request.method == "PATCH":
        body = merged(row.body, body)
    return stored(path, row, body)


def stored(path: str, row: Row | None, body: str) -> Response:
    """Write and answer."""
    media = row.media if row else request.content_type or "application/octet-stream"
    time.sleep(float(ENV("GAP", "0")))
    atomic = ENV("GUARD", "atomic") == "atomic" and "If-Match" in request.headers
    made = SHELF.write(path, body, media, row.version if row and atomic else None)
    if made is None:
        return refused(412, "the document has changed")
    if ENV("FOLLOW"):
        threading.Thread(target=follow, args=(path,), daemon=True).start()
    time.sleep(float(ENV("SLOW", "0")))
    if ENV("BARE"):
        return Response(status=201 if row is None else 204)
    if ENV("ECHO"):
        text = json.dumps({"saved": path, "at": made.version})
        answer = Response(text, content_type="application/json")
        answer.set_etag(hashlib.sha1(text.encode()).hexdigest()[:20])  # noqa: S324
        return answer
    return shown(made, 201 if row is None else 200)
