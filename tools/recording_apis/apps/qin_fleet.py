"""A car rental's back office on FastAPI: rowVersion in base64, edit tickets, check-outs, bulk changes.

Environment besides that of ``qin_core``: LIFE (seconds an edit ticket lives). HABITS: demand, bulk (the bulk
endpoint looks at no rowVersion), strict (a rowVersion that is no base64 is 400), ignore.
"""

from __future__ import annotations

import base64
import binascii
import time
import uuid
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from tools.recording_apis.apps.qin_core import HABITS, Row, Rows, setting

application = FastAPI()
ROWS = Rows()
TICKETS: dict[str, tuple[str, float]] = {}
HELD: dict[str, str] = {}
_STALE = (
    "Database operation expected to affect 1 row(s) but actually affected 0 row(s); "
    "data may have been modified or deleted since entities were loaded."
)


def _version(row: Row) -> str:
    number = (0x1F8 << 32) + int(row.changed * 7) % 0xFFFF * 0x1F + row.version
    return base64.b64encode(number.to_bytes(8, "big")).decode()


def _shown(key: str, row: Row) -> dict[str, Any]:
    return {
        "id": key,
        **row.data,
        "rowVersion": _version(row),
        "modifiedBy": row.by,
        "modified": row.stamp(3),
    }


def _problem(status: int, title: str, **more: Any) -> JSONResponse:
    body = {"type": f"https://tools.ietf.org/html/rfc9110#section-15.5.{status - 399}", "title": title}
    trace = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-00"
    return JSONResponse(
        {**body, "status": status, **more, "traceId": trace}, status, media_type="application/problem+json"
    )


def _user(request: Request) -> str:
    return request.headers.get("X-User", "anonymous")


@application.get("/-/up")
async def up() -> Response:
    """Say that the service is there."""
    return Response("up")


@application.get("/api/vehicles")
async def index() -> list[dict[str, Any]]:
    """List the vehicles."""
    return [_shown(key, row) for key, row in ROWS.listed("").items()]


@application.get("/api/vehicles/{key}")
async def read(key: str, *, edit: bool = False) -> Response:
    """Show a vehicle, with an edit ticket when asked for."""
    row = ROWS.seen(key)
    if row is None:
        return _problem(404, "Not Found")
    body = _shown(key, row)
    if edit:
        ticket, life = uuid.uuid4().hex[:20], float(setting("LIFE", "900"))
        TICKETS[ticket] = (key, time.time() + life)
        body |= {"editTicket": ticket, "editTicketExpiresIn": life}
    return JSONResponse(body)


def _refused(row: Row | None, sent: str | None) -> JSONResponse | None:
    if row is None:
        return _problem(404, "Not Found")
    if sent in (None, "") and "demand" in HABITS:
        return _problem(
            400,
            "One or more validation errors occurred.",
            errors={"RowVersion": ["The RowVersion field is required."]},
        )
    if sent is None or "ignore" in HABITS:
        return None
    if "strict" in HABITS:
        try:
            base64.b64decode(sent, validate=True)
        except binascii.Error:
            return _problem(
                400,
                "One or more validation errors occurred.",
                errors={"rowVersion": [f"The value '{sent}' is not valid."]},
            )
    return None if sent == _version(row) else _problem(409, "DbUpdateConcurrencyException", detail=_STALE)


@application.put("/api/vehicles/{key}")
async def save(key: str, request: Request) -> Response:
    """Replace a vehicle's members."""
    body = await request.json()
    row = ROWS.truth(key)
    if key in HELD and HELD[key] != _user(request):
        return _problem(
            423, "Locked", detail=f"The vehicle is checked out by {HELD[key]}.", lockedBy=HELD[key]
        )
    if "editTicket" in body:
        held, ends = TICKETS.get(body.pop("editTicket"), ("", 0.0))
        if held != key or ends < time.time():
            return _problem(
                410, "Edit ticket expired", detail="The edit ticket has expired; open the record again."
            )
        refused = None
    else:
        refused = _refused(row, body.get("rowVersion"))
    if refused or row is None:
        return refused or _problem(404, "Not Found")
    kept = {
        name: value
        for name, value in body.items()
        if name not in {"id", "rowVersion", "modifiedBy", "modified"}
    }
    new = ROWS.write(key, {**row.data, **kept}, _user(request))
    ROWS.tarry()
    return JSONResponse(_shown(key, new))


@application.delete("/api/vehicles/{key}")
async def remove(key: str, request: Request) -> Response:
    """Delete a vehicle."""
    refused = _refused(ROWS.truth(key), request.query_params.get("rowVersion"))
    if refused:
        return refused
    ROWS.drop(key)
    return Response(status_code=204)


@application.post("/api/vehicles/{key}/checkout")
async def checkout(key: str, request: Request) -> Response:
    """Check a vehicle out for one user."""
    if HELD.setdefault(key, _user(request)) != _user(request):
        return _problem(
            423, "Locked", detail=f"The vehicle is checked out by {HELD[key]}.", lockedBy=HELD[key]
        )
    return JSONResponse({"id": key, "checkedOutBy": HELD[key]})


@application.delete("/api/vehicles/{key}/checkout")
async def checkin(key: str) -> Response:
    """Give a vehicle back."""
    HELD.pop(key, None)
    return Response(status_code=204)


@application.post("/api/vehicles/-/bulk")
async def bulk(request: Request) -> Response:
    """Change many vehicles, each with a result of its own."""
    results = []
    for item in (await request.json())["items"]:
        key = item["id"]
        row = ROWS.truth(key)
        refused = None if "bulk" in HABITS else _refused(row, item.get("rowVersion"))
        if refused or row is None:
            results.append(
                {"id": key, "status": refused.status_code if refused else 404, "error": "concurrency"}
            )
            continue
        new = ROWS.write(key, {**row.data, **item["set"]}, _user(request))
        results.append({"id": key, "status": 200, "rowVersion": _version(new)})
    return JSONResponse({"results": results}, 207)
