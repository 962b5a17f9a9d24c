"""Building permits on Starlette: XML files with comments, edit tickets and searches.

Environment: ``SEED`` holds a JSON object of permits by number; ``FLAGS`` names, separated by commas:
``linked`` (a comment touches its permit), ``must`` (400 without If-Match), ``compare`` (PATCH carries the old
values it replaces), ``tickets`` (writes need an edit ticket); ``TICKET_SECONDS`` is the life of a ticket.
A PUT on a search updates the one permit that matches.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors
# pyright: basic

from __future__ import annotations

import json
import os
import re
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

FLAGS = set(os.environ.get("FLAGS", "").split(","))
LIFE = float(os.environ.get("TICKET_SECONDS", "300"))
FILES = {
    number: {"fields": fields, "serial": 20, "clerk": "intake", "at": time.time() - 4000, "notes": []}
    for number, fields in json.loads(os.environ.get("SEED", "{}")).items()
}
TICKETS: dict[str, tuple[str, float, str]] = {}
NS = 'xmlns="urn:example:permits:2"'


def stamp(moment: float) -> str:
    """Return a moment as XML has it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def tag(number: str) -> str:
    """Return the entity-tag of a file."""
    return f'"{number}~{FILES[number]["serial"]:05d}"'


def sheet(number: str) -> str:
    """Return a file as XML."""
    file = FILES[number]
    inner = "".join(f"  <{key}>{escape(str(value))}</{key}>\n" for key, value in file["fields"].items())
    notes = "".join(f'  <note by="{escape(who)}">{escape(text)}</note>\n' for who, text in file["notes"])
    head = f'<permit {NS} no="{number}" serial="{file["serial"]}" '
    head += f'changedBy="{file["clerk"]}" changed="{stamp(file["at"])}">'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{inner}{notes}</permit>\n'


def fault(status: int, code: str, text: str) -> Response:
    """Return an error."""
    body = f'<?xml version="1.0"?>\n<fault {NS}><code>{code}</code><text>{escape(text)}</text></fault>\n'
    return Response(body, status, media_type="application/xml")


def shown(number: str, status: int = 200) -> Response:
    """Return a file as an answer."""
    return Response(sheet(number), status, {"ETag": tag(number)}, media_type="application/xml")


def touch(number: str, clerk: str) -> None:
    """Count a change."""
    FILES[number].update(serial=FILES[number]["serial"] + 1, clerk=clerk, at=time.time())


def ticket_fault(request: Request, number: str) -> Response | None:
    """Judge the edit ticket."""
    given = request.headers.get("x-edit-ticket")
    holder, until, owner = TICKETS.get(number, ("", 0.0, ""))
    if given is None:
        if holder and until > time.time():
            return fault(423, "LOCKED", f"file {number} is being edited by {owner} until {stamp(until)}")
        return None
    if given == holder and until > time.time():
        return None
    if given == holder:
        return fault(
            412, "TICKET_EXPIRED", f"edit ticket {given} expired at {stamp(until)}; ask for a new one"
        )
    return fault(412, "TICKET_LOST", f"edit ticket {given} is not that of file {number}")


async def permit(request: Request) -> Response:
    """Serve one file."""
    number = request.path_params["number"]
    if request.method in {"GET", "HEAD"}:
        if number not in FILES:
            return fault(404, "NO_FILE", f"no file {number}")
        if request.headers.get("if-none-match") == tag(number):
            return Response(status_code=304, headers={"ETag": tag(number)})
        return shown(number)
    clerk, wanted = request.headers.get("x-clerk", "portal"), request.headers.get("if-match")
    if number in FILES and request.headers.get("if-none-match") == "*":
        return fault(412, "EXISTS", f"file {number} exists since {stamp(FILES[number]['at'])}")
    if wanted is None and number in FILES and "must" in FLAGS:
        return fault(400, "HEADER_MISSING", "The If-Match header must be specified for this kind of request.")
    if wanted is not None and (number not in FILES or wanted not in {"*", tag(number)}):
        return fault(412, "STALE", f"If-Match: {wanted} does not match file {number}")
    if "tickets" in FLAGS and (refused := ticket_fault(request, number)):
        return refused
    text = (await request.body()).decode()
    made = number not in FILES
    fields = {key: value for key, value in re.findall(r"<(\w+)>([^<]*)</\1>", text) if key != "note"}
    if made:
        FILES[number] = {"fields": {}, "serial": 0, "clerk": clerk, "at": 0.0, "notes": []}
    if request.method == "PATCH" and "compare" in FLAGS:
        for key, old, new in re.findall(r'<replace field="(\w+)" was="([^"]*)">([^<]*)</replace>', text):
            have = str(FILES[number]["fields"].get(key, ""))
            if have != old:
                return fault(
                    412, "WAS_MISMATCH", f"replace[{key}]: was is '{old}', file {number} has '{have}'"
                )
            fields[key] = new
    FILES[number]["fields"] = {**FILES[number]["fields"], **fields}
    touch(number, clerk)
    return shown(number, 201 if made else 200)


async def notes(request: Request) -> Response:
    """Add a comment."""
    number = request.path_params["number"]
    text = re.search(r"<note>([^<]*)</note>", (await request.body()).decode())[1]
    FILES[number]["notes"].append((request.headers.get("x-clerk", "portal"), text))
    if "linked" in FLAGS:
        touch(number, "system:file-index")
    return Response(f"<note {NS}>{escape(text)}</note>\n", 201, media_type="application/xml")


async def tickets(request: Request) -> Response:
    """Give an edit ticket, or take it back."""
    number, clerk = request.path_params["number"], request.headers.get("x-clerk", "portal")
    if request.method == "DELETE":
        TICKETS.pop(number, None)
        return Response(status_code=204)
    made = f"T-{secrets.token_hex(5)}"
    TICKETS[number] = (made, time.time() + LIFE, clerk)
    body = f'<ticket {NS} holder="{clerk}" until="{stamp(time.time() + LIFE)}">{made}</ticket>\n'
    return Response(body, 201, {"X-Edit-Ticket": made}, media_type="application/xml")


async def search(request: Request) -> Response:
    """List the files that match, or update the one that does."""
    asked = dict(request.query_params)
    found = [no for no, file in FILES.items() if all(file["fields"].get(k) == v for k, v in asked.items())]
    if request.method == "GET":
        hits = "".join(f'  <hit no="{no}" tag={quoteattr(tag(no))}/>\n' for no in found)
        return Response(f'<hits {NS} total="{len(found)}">\n{hits}</hits>\n', media_type="application/xml")
    if len(found) > 1:
        return fault(
            412, "NOT_SELECTIVE", f"the search criteria match {len(found)} files: {', '.join(found)}"
        )
    if not found:
        return fault(404, "NO_FILE", "nothing matches")
    text = (await request.body()).decode()
    FILES[found[0]]["fields"] |= dict(re.findall(r"<(\w+)>([^<]*)</\1>", text))
    touch(found[0], request.headers.get("x-clerk", "portal"))
    return shown(found[0])


async def ready(_request: Request) -> Response:
    """Say that it is up."""
    return Response("up")


application = Starlette(
    routes=[
        Route("/-/up", ready),
        Route("/permits", search, methods=["GET", "PUT"]),
        Route("/permits/{number}", permit, methods=["GET", "HEAD", "PUT", "PATCH"]),
        Route("/permits/{number}/notes", notes, methods=["POST"]),
        Route("/permits/{number}/ticket", tickets, methods=["POST", "DELETE"]),
    ]
)
