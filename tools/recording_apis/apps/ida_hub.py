"""A hub that provisions gauges on Bottle, under waitress; ``ida_store`` keeps the twins.

Environment, besides that of ``ida_store``: ``HINT`` the Cache-Control of reads; ``KEEP`` seconds that
sessions and cursors live; ``PUTMARK=1`` a write tells a tag of another rule; ``REFUSES`` methods that take
no condition.
"""

# mypy: ignore-errors

from __future__ import annotations

import hashlib
import json
import sys
import time
from functools import partial

import waitress
from bottle import Bottle, HTTPResponse, request

from tools.recording_apis.apps.ida_store import Records, State, seconds, setting

_CODES = {
    "stale": ("TwinVersionMismatch", "The twin has moved on since it was read."),
    "absent": ("TwinNotRegistered", "No twin is registered under this serial."),
    "exists": ("SerialTaken", "A twin is registered under this serial."),
    "unchanged": ("TwinUnchanged", "The twin is as stated."),
    "unguarded": ("ConditionRequired", "State which version is to be replaced."),
    "unknown": ("TwinNotRegistered", "No twin is registered under this serial."),
    "session": ("SessionExpired", "The enrollment session is past its lifetime."),
    "cursor": ("CursorExpired", "The cursor is older than the retained log; start a new snapshot."),
    "refused": ("NotSupported", "Conditional headers are not supported on this operation."),
    "date": ("BadHeader", "A date could not be read."),
    "busy": ("Throttled", "Too many operations."),
    "held": ("LeaseHeld", "The lease is held."),
}


def _mint(state: State, salt: str) -> str:
    text = json.dumps([state.key, state.fields, salt]).encode()
    return f"{state.number}:{hashlib.blake2b(text, digest_size=3).hexdigest()}"


RECORDS = Records(_mint)
application = Bottle()
_LEASES: dict[str, tuple[str, float]] = {}


def _reply(status: int, content: object, **fields: str) -> HTTPResponse:
    text = "" if content is None else json.dumps(content, indent=2) + "\n"
    made = HTTPResponse(text, status)
    made.content_type = "application/vnd.tidegauge.v2+json"
    for name, value in fields.items():
        if value:
            made.set_header(name.replace("_", "-"), value)
    made.set_header("X-Tg-Request", f"{time.time_ns() // 1000 % 10**12:012d}")
    return made


def _fault(status: int, reason: str) -> HTTPResponse:
    code, text = _CODES[reason]
    return _reply(status, {"code": code, "message": text, "retryable": status == 503})


def _twin(state: State) -> dict:
    return {"serial": state.key.rpartition("/")[2], "desired": state.fields, "$ver": state.number,
            "$by": state.author, "$at": state.instant}  # fmt: skip


def _fields() -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


@application.get("/-/up")
def up() -> str:
    """Say that the hub is up."""
    return "ok"


@application.get("/twins")
def twins() -> HTTPResponse:
    """List all twins."""
    return _reply(
        200, {"twins": [_twin(one) for one in RECORDS.folder("twins")]}, Cache_Control=setting("HINT")
    )


@application.route("/twins/<serial>", method=["GET", "HEAD"])
def twin(serial: str) -> HTTPResponse:
    """Show a twin."""
    state = RECORDS.seen(f"twins/{serial}")
    if state is None:
        return _fault(404, "unknown")
    status, reason = RECORDS.judge(request.method, _fields(), state)
    if status >= 400:
        return _fault(status, reason)
    shown = None if status == 304 else _twin(state)
    fields = {"ETag": RECORDS.tag(state), "Cache_Control": setting("HINT"), "Last_Modified": state.date}
    return _reply(status or 200, shown, **fields)


@application.route("/twins/<serial>", method=["PUT", "PATCH", "DELETE"])
def edit(serial: str) -> HTTPResponse:
    """Write a twin."""
    sent, fields = request.json or {}, _fields()
    if request.method in setting("REFUSES").split(",") and {"if-match", "if-unmodified-since"} & set(fields):
        return _fault(501, "refused")
    edits = {"PUT": lambda _: sent, "PATCH": lambda old: {**old, **sent}, "DELETE": lambda _: None}
    who = fields.get("x-operator", "device")
    status, state, reason = RECORDS.write(
        request.method, f"twins/{serial}", fields, edits[request.method], author=who
    )
    if status >= 400:
        return _fault(status, reason)
    if status == 204:
        return _reply(204, None)
    told = f'"{state.instant}"' if setting("PUTMARK") else RECORDS.tag(state)
    return _reply(status, _twin(state), ETag=told, Last_Modified=state.date)


@application.post("/enrollments/<serial>")
def enroll(serial: str) -> HTTPResponse:
    """Begin a session, or finish one whose token is in the query."""
    given = request.query.get("session", "")
    if not given:
        made = f"{serial}.{int(time.time() * 1000):x}"
        return _reply(201, {"session": made, "lifetime": seconds("KEEP")})
    if time.time() - int(given.rpartition(".")[2], 16) / 1000 > seconds("KEEP"):
        return _fault(412, "session")
    RECORDS.commit(f"twins/{serial}", request.json or {}, "enrollment")
    return _reply(200, {"serial": serial, "state": "provisioned"})


@application.get("/changes")
def changes() -> HTTPResponse:
    """Tell what changed since a cursor."""
    cursor = request.query.get("cursor", "")
    if cursor and time.time() - int(cursor, 36) / 1000 > seconds("KEEP"):
        return _fault(410, "cursor")
    number, digits = int(time.time() * 1000), ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    rows = [{"serial": one.key[6:], "$ver": one.number} for one in RECORDS.folder("twins")]
    return _reply(200, {"changed": rows, "cursor": digits})


@application.put("/leases/<name>")
def lease(name: str) -> HTTPResponse:
    """Take or renew a lease for some seconds."""
    sent, now, held = request.json, time.time(), _LEASES.get(name)
    if held and held[1] > now and held[0] != sent["owner"]:
        return _fault(412, "held")
    _LEASES[name] = (sent["owner"], now + sent["seconds"])
    return _reply(200 if held else 201, {"lease": name, "owner": sent["owner"]}, ETag=f'"{sent["owner"]}"')


if __name__ == "__main__":
    serve = partial(
        waitress.serve, application, listen=f"127.0.0.1:{sys.argv[1]}", threads=8, channel_timeout=60
    )
    serve(ident="gauge-hub")
