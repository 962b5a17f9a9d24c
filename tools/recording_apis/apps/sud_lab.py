"""A registry of laboratory instruments on aiohttp, in XML and CSV; ``sud_ledger`` below it.

Environment, besides that of ``sud_ledger``: ``EXPIRE`` seconds that the feed of changes keeps its cursors;
``CORS`` an origin that scripts may come from; ``HEADMARK=1`` answers HEAD from an index with tags of its own.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys
import time
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from aiohttp import web

from tools.recording_apis.apps.sud_ledger import Ledger, Record, setting


def _style(record: Record, salt: str) -> str:
    text = json.dumps([record.key, record.revision, record.content, salt])
    return base64.b64encode(hashlib.sha1(text.encode()).digest()[:12]).decode()  # noqa: S324 - names a state


LEDGER = Ledger(_style)
_CODES = {
    "mark": "4121",
    "gone": "4122",
    "date": "4123",
    "taken": "4124",
    "needed": "4281",
    "unknown": "4040",
}
_WORDS = {
    "mark": "instrument card superseded",
    "gone": "instrument card does not exist",
    "date": "instrument card newer than stated date",
    "taken": "instrument id in use",
    "needed": "conditional request required",
    "unknown": "no such card",
}


def _media(request: web.Request) -> str:
    return "text/csv" if "text/csv" in request.headers.get("Accept", "") else "application/xml"


def _xml(record: Record) -> str:
    inner = "".join(f"  <{name}>{escape(str(value))}</{name}>\n" for name, value in record.content.items())
    changed = (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.changed)) + f"{record.changed % 1:.3f}Z"[1:]
    )
    head = f'<card id="{record.key}" rev="{record.revision}" changed="{changed}" by="{record.author}">'
    return f'<?xml version="1.0"?>\n{head}\n{inner}</card>\n'


def _headers() -> dict[str, str]:
    if not (origin := setting("CORS")):
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Vary": "Origin",
    }


def _respond(request: web.Request, record: Record, status: int = 200) -> web.Response:
    media = _media(request)
    text = _xml(record)
    if media == "text/csv":
        text = "field;value\r\n" + "".join(f"{k};{v}\r\n" for k, v in record.content.items())
    made = web.Response(text="" if status == 304 else text, status=status, content_type=media)
    made.headers.update(_headers())
    if tag := LEDGER.tag(record, media):
        made.headers["ETag"] = tag
    if setting("HEADMARK") and request.method == "HEAD":
        made.headers["ETag"] = f'"idx-{int(record.changed):x}-{len(text):x}"'
    made.headers["Last-Modified"] = record.modified
    return made


def _refuse(status: int, reason: str) -> web.Response:
    text = f'<fault code="LIMS-{_CODES.get(reason, "5000")}">{_WORDS.get(reason, reason)}</fault>'
    made = web.Response(text=text, status=status, content_type="application/xml")
    made.headers.update(_headers())
    return made


async def read(request: web.Request) -> web.Response:
    """Show a card, or the list of a folder."""
    key = request.match_info["key"]
    record = LEDGER.shown(key)
    if record is None:
        rows = LEDGER.below(key)
        if not rows:
            return _refuse(404, "unknown")
        inner = "".join(f'<ref id="{one.key}" rev="{one.revision}"/>' for one in rows)
        return web.Response(text=f"<cards>{inner}</cards>", content_type="application/xml")
    status, reason = LEDGER.judge(request.method, request.headers, record, _media(request))
    if status >= 400:
        return _refuse(status, reason)
    return _respond(request, record, status or 200)


async def write(request: web.Request) -> web.Response:
    """Store or drop a card."""
    key, content = request.match_info["key"], None
    if request.method == "PUT":
        try:
            sent = ET.fromstring(await request.text())  # noqa: S314 - the stories' own documents
        except ET.ParseError:
            return _refuse(400, "not well-formed")
        fields = {one.tag: one.text or "" for one in sent}
        content = lambda _: fields  # noqa: E731
    who = request.headers.get("X-Technician") or request.cookies.get("tech", "anonymous")
    media = _media(request)
    status, record, reason = await asyncio.to_thread(
        lambda: LEDGER.write(request.method, key, request.headers, content, author=who, media=media)
    )
    if status == 204:
        return web.Response(status=204, headers=_headers())
    if status >= 400:
        return _refuse(status, reason)
    return _respond(request, record, status)


async def changes(request: web.Request) -> web.Response:
    """Feed what changed since a cursor, which does not live for ever."""
    since, now = request.query.get("since", ""), time.time()
    if since:
        moment = int(since.split("-")[1], 16) / 1000
        if now - moment > float(setting("EXPIRE") or 3600):
            text = (
                f'<fault code="LIMS-4100">cursor expired, kept for {setting("EXPIRE")} s; start anew</fault>'
            )
            return web.Response(text=text, status=410, content_type="application/xml")
    rows = "".join(f'<ref id="{one.key}" rev="{one.revision}"/>' for one in LEDGER.below("instrument"))
    text = f'<changes next="c-{int(now * 1000):x}">{rows}</changes>'
    return web.Response(text=text, content_type="application/xml")


async def preflight(_: web.Request) -> web.Response:
    """Answer a preflight request of a browser."""
    allowed = {
        "Access-Control-Allow-Methods": "GET, PUT, DELETE",
        "Access-Control-Allow-Headers": "content-type",
    }
    return web.Response(status=204, headers={**_headers(), **allowed, "Access-Control-Max-Age": "600"})


async def sign_on(request: web.Request) -> web.Response:
    """Start a session."""
    made = web.Response(status=204)
    made.set_cookie("tech", (await request.post()).get("name", "anonymous"))
    return made


async def ready(_: web.Request) -> web.Response:
    """Say that the service is up."""
    return web.Response(text="ok")


def main() -> None:
    """Serve on the port of the command line."""
    served = web.Application()
    served.router.add_get("/-/ready", ready)
    served.router.add_get("/lims/changes", changes)
    served.router.add_post("/lims/session", sign_on)
    served.router.add_get("/lims/{key:.+}", read)
    served.router.add_put("/lims/{key:.+}", write)
    served.router.add_delete("/lims/{key:.+}", write)
    served.router.add_route("OPTIONS", "/lims/{key:.+}", preflight)
    web.run_app(served, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
