"""A booking desk on FastAPI: reservations in views, a search index behind, payments that touch reservations.

Environment, besides that of ``journal``: ``CACHE`` the Cache-Control of reads; ``INDEX_LAG`` seconds that the
search is behind; ``BACKDATE`` seconds by which this node's clock is wrong.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import json
import os
import time
from typing import Any

from fastapi import FastAPI, Request, Response

from tools.recording_apis.apps.journal import Entry, Journal

application = FastAPI(openapi_url=None)
DESK = Journal("stamp")
_TITLES = {404: "Not found", 412: "Reservation has changed", 428: "Precondition required", 409: "Taken"}


def problem(status: int, detail: str = "", **more: str) -> Response:
    """Return a refusal (RFC 9457)."""
    told = {
        "type": f"https://desk.example.test/problems/{status}",
        "title": _TITLES[status],
        "status": status,
    }
    if detail:
        told["detail"] = detail
    return Response(json.dumps({**told, **more}), status, media_type="application/problem+json")


def view_of(request: Request) -> str:
    """Return which view is asked for; the full one has no name."""
    return request.query_params.get("view", "")


def shown(entry: Entry, status: int = 200, view: str = "") -> Response:
    """Return a reservation in one of its views."""
    content = entry.content
    if view == "summary":
        content = {name: content[name] for name in ("room", "from", "to") if name in content}
    told = {"data": content, "meta": {"ref": entry.key, "edited_by": entry.author}}
    made = Response(json.dumps(told, separators=(",", ":")), status, media_type="application/json")
    if tag := entry.etag("stamp", "s" if view == "summary" else ""):
        made.headers["ETag"] = tag
    made.headers["Cache-Control"] = os.environ.get("CACHE", "no-cache")
    return made


@application.get("/-/ready")
def ready() -> str:
    """Say that the service is up."""
    return "ready"


@application.get("/api/bookings")
def search(request: Request) -> Response:
    """Return what the search index knows; each hit carries the tag it was indexed with."""
    limit = time.time() - float(os.environ.get("INDEX_LAG", "0"))
    hits: list[dict[str, Any]] = []
    for key in DESK.keys(""):
        entry = DESK.read(key, behind=False)
        if entry and entry.changed > limit:
            entry = DESK.indexed(key, limit)
        if entry and request.query_params.get("q", "") in entry.body:
            hits.append({"ref": key, "etag": entry.etag("stamp"), **entry.content})
    return Response(json.dumps({"hits": hits, "count": len(hits)}), media_type="application/json")


@application.get("/api/bookings/{ref}")
def read(ref: str, request: Request) -> Response:
    """Return a reservation, or 304."""
    entry = DESK.read(ref)
    if entry is None:
        return problem(404)
    made = shown(entry, view=view_of(request))
    if made.headers.get("etag") and request.headers.get("if-none-match") == made.headers["etag"]:
        return Response(status_code=304, headers={"ETag": made.headers["etag"]})
    return made


@application.put("/api/bookings/{ref}")
def replace(ref: str, request: Request, content: dict[str, Any]) -> Response:
    """Store a reservation."""
    fields = {name.title(): value for name, value in request.headers.items()}
    author = request.headers.get("x-clerk", "web")
    outcome = DESK.write(ref, json.dumps(content), author, fields, "")
    if outcome.status in {412, 428}:
        return problem(outcome.status, f"{ref}: see {outcome.refused_by or 'If-Match'}")
    return shown(outcome.entry, outcome.status)


@application.delete("/api/bookings/{ref}")
def cancel(ref: str, request: Request) -> Response:
    """Remove a reservation."""
    fields = {name.title(): value for name, value in request.headers.items()}
    outcome = DESK.write(ref, None, request.headers.get("x-clerk", "web"), fields)
    if outcome.status in _TITLES:
        return problem(outcome.status, ref)
    return Response(status_code=204)


@application.post("/api/payments")
def pay(content: dict[str, Any]) -> Response:
    """Book a payment, which the reservation shows from then on."""
    entry = DESK.read(content["booking"], behind=False)
    if entry is None:
        return problem(404)
    told = {**entry.content, "paid": content["amount"], "state": "confirmed"}
    DESK.append(entry.key, json.dumps(told), "payments")
    receipt = {"receipt": f"P-{entry.revision:05d}", "booking": entry.key, "amount": content["amount"]}
    return Response(json.dumps(receipt), 201, media_type="application/json")
