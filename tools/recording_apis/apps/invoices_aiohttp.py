"""Invoices on aiohttp's server, as UBL-like XML or JSON by Accept, each with a tag of its own.

Environment, besides that of ``journal``: ``DATES_ONLY=1`` serves Last-Modified and no tag; ``CLOCK``
seconds to add to the dates of writes (a node whose clock is off); ``REFUSE`` the status that refuses
conditions as such.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import json
import os
import re
import sys
import time
from xml.sax.saxutils import escape

from aiohttp import web

from tools.recording_apis.apps.journal import Entry, Journal

BOOKS = Journal("digest")
_LINE = re.compile(r"<(\w+)>([^<]*)</\1>")


def as_xml(entry: Entry) -> str:
    """Return an invoice as XML."""
    inner = "".join(f"\n  <{name}>{escape(str(value))}</{name}>" for name, value in entry.content.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Invoice xmlns="urn:example:ubl">{inner}\n</Invoice>\n'


def variant_of(request: web.Request) -> str:
    """Return which representation a request is about: that of its content, else that of its Accept."""
    asked = request.headers.get("Content-Type") or request.headers.get("Accept", "")
    return "xml" if "xml" in asked else ""


def respond(entry: Entry, variant: str, status: int = 200) -> web.Response:
    """Return an invoice in one of its representations."""
    text = as_xml(entry) if variant else json.dumps(entry.content)
    made = web.Response(text=text, status=status, content_type=f"application/{variant or 'json'}")
    made.headers["Vary"] = "Accept"
    made.headers["Last-Modified"] = entry.modified
    if not os.environ.get("DATES_ONLY"):
        made.headers["ETag"] = entry.etag("digest", variant)
    return made


def complaint(status: int, reason: str) -> web.Response:
    """Return a refusal as plain text."""
    return web.Response(text=f"{status} {reason}\n", status=status)


async def ready(_: web.Request) -> web.Response:
    """Say that the service is up."""
    return web.Response(text="ready")


async def read(request: web.Request) -> web.Response:
    """Return an invoice, or 304."""
    entry = BOOKS.read(request.match_info["number"])
    if entry is None:
        return complaint(404, "unknown invoice")
    made = respond(entry, variant_of(request))
    if made.headers.get("ETag", "-") in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers={"ETag": made.headers["ETag"], "Vary": "Accept"})
    if request.headers.get("If-Modified-Since") == entry.modified:
        return web.Response(status=304, headers={"Last-Modified": entry.modified})
    return made


async def write(request: web.Request) -> web.Response:
    """Store or void an invoice when its conditions hold."""
    number, text = request.match_info["number"], await request.text()
    if (refuses := os.environ.get("REFUSE")) and {"If-Match", "If-Unmodified-Since"} & set(request.headers):
        return complaint(int(refuses), "conditional requests are not implemented for invoices")
    content = dict(_LINE.findall(text)) if text.lstrip().startswith("<") else json.loads(text or "null")
    body = None if request.method == "DELETE" else json.dumps(content)
    author = request.headers.get("From", "unknown")
    outcome = BOOKS.write(number, body, author, request.headers, variant_of(request))
    if (shift := os.environ.get("CLOCK")) and outcome.status in {200, 201}:
        BOOKS.append(number, body, author, changed=time.time() + float(shift))
        outcome = type(outcome)(outcome.status, BOOKS.read(number))
    reasons = {404: "unknown invoice", 412: "invoice was changed", 428: "a condition is required"}
    if outcome.status in reasons:
        return complaint(outcome.status, reasons[outcome.status])
    if outcome.entry is None or outcome.status == 204:
        return web.Response(status=204)
    return respond(outcome.entry, variant_of(request), outcome.status)


def main() -> None:
    """Serve on the port given."""
    application = web.Application()
    routes = [web.get("/-/ready", ready), web.get("/ledger/2026/invoices/{number}", read)]
    routes += [web.route(name, "/ledger/2026/invoices/{number}", write) for name in ("PUT", "DELETE")]
    application.add_routes(routes)
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
