"""A warehouse back office on Flask: stock of sites, a sign-on with a cookie; ``journal`` holds the records.

Environment, besides that of ``journal``: ``CACHE`` the Cache-Control of reads; ``NODE`` a name to show;
``DRIFT=1`` names other tags in the answers to writes than in those to reads; ``LOOSE=1`` lets PATCH pass
unjudged.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import json
import os
import secrets

from flask import Flask, Response, request

from tools.recording_apis.apps.journal import Entry, Journal

application = Flask(__name__)
STOCK = Journal("revision")
_FAULTS = {
    404: ("WMS-0404", "no such article at this site"),
    412: ("WMS-1204", "article was counted or moved in the meantime"),
    428: ("WMS-1280", "state the version you have seen (If-Match)"),
}


def respond(entry: Entry, status: int = 200, *, written: bool = False) -> Response:
    """Return an article with its validators."""
    shown = {"article": entry.key.rsplit("/", 1)[-1], **entry.content, "lastChangeBy": entry.author}
    made = Response(json.dumps(shown, indent=2) + "\n", status, content_type="application/json")
    tag = entry.etag("revision")
    if written and os.environ.get("DRIFT"):
        tag = f'"{entry.key.rsplit("/", 1)[-1]}/{int(entry.changed)}"'
    if tag:
        made.headers["ETag"] = tag
    if not os.environ.get("NODATE"):
        made.headers["Last-Modified"] = entry.modified
    made.headers["Cache-Control"] = os.environ.get("CACHE", "private, no-cache")
    if node := os.environ.get("NODE"):
        made.headers["X-WMS-Node"] = node
    return made


def fault(status: int, entry: Entry | None = None) -> Response:
    """Return a refusal as this service words it."""
    code, text = _FAULTS[status]
    told = {"fault": {"code": code, "text": text, "trace": secrets.token_hex(6)}}
    if entry is not None and status == 412:
        told["fault"]["since"] = entry.modified
    made = Response(json.dumps(told), status, content_type="application/json")
    if node := os.environ.get("NODE"):
        made.headers["X-WMS-Node"] = node
    return made


def who() -> str:
    """Return the operator of the session."""
    return request.cookies.get("WMSUSER") or request.headers.get("X-Operator", "unknown")


@application.get("/-/ready")
def ready() -> str:
    """Say that the service is up."""
    return "ready"


@application.post("/wms/session")
def sign_on() -> Response:
    """Start a session."""
    made = Response(status=204)
    made.set_cookie("WMSSESSION", secrets.token_hex(12), httponly=True)
    made.set_cookie("WMSUSER", request.form.get("operator", "unknown"))
    return made


@application.get("/wms/v2/sites/<site>/stock")
def stock(site: str) -> Response:
    """Return a page of a site's articles."""
    names = STOCK.keys(f"{site}/")
    first, size = int(request.args.get("offset", 0)), int(request.args.get("limit", 20))
    found = [entry for name in names[first : first + size] if (entry := STOCK.read(name))]
    rows = [{"article": one.key.rsplit("/", 1)[-1], **one.content} for one in found]
    made = Response(json.dumps({"total": len(names), "rows": rows}), content_type="application/json")
    made.headers["Cache-Control"] = "no-store"
    return made


@application.get("/wms/v2/sites/<site>/stock/<article>")
def read(site: str, article: str) -> Response:
    """Return an article, or 304."""
    entry = STOCK.read(f"{site}/{article}")
    if entry is None:
        return fault(404)
    made = respond(entry)
    known = request.headers.get("If-None-Match", "")
    if made.headers.get("ETag") and made.headers["ETag"].removeprefix("W/") in known:
        made.status_code = 304
        made.set_data(b"")
    return made


def stored(site: str, article: str, body: str | None) -> Response:
    """Write or remove an article and answer."""
    loose = os.environ.get("LOOSE") and request.method == "PATCH"
    outcome = STOCK.write(f"{site}/{article}", body, who(), {} if loose else request.headers)
    if outcome.status in _FAULTS:
        return fault(outcome.status, outcome.entry)
    if outcome.status == 204 or outcome.entry is None:
        return Response(status=204)
    return respond(outcome.entry, outcome.status, written=True)


@application.put("/wms/v2/sites/<site>/stock/<article>")
def replace(site: str, article: str) -> Response:
    """Replace an article's record."""
    return stored(site, article, json.dumps(request.get_json()))


@application.route("/wms/v2/sites/<site>/stock/<article>", methods=["PATCH"])
def amend(site: str, article: str) -> Response:
    """Change some members."""
    entry = STOCK.read(f"{site}/{article}", behind=False)
    if entry is None:
        return fault(404)
    return stored(site, article, json.dumps({**entry.content, **request.get_json()}))


@application.delete("/wms/v2/sites/<site>/stock/<article>")
def remove(site: str, article: str) -> Response:
    """Take an article off the books."""
    return stored(site, article, None)
