"""An ERP of parts, orders and prices on Flask whose rows carry their version where CARRIER says.

Environment, with that of ``qin_core``: CARRIER ``body`` (a member NAME), ``stamp`` (``updated_at``),
``header`` (``X-Version`` out, ``Expected-Version`` in), ``query`` (``?version=``), ``digest`` (a member);
SHAPE of refusals ``spring``, ``rails``, ``laravel`` or ``plain``; REFUSE and NEED, statuses. HABITS: ignore,
text, late, soft, job, rules, snapshot (lists come from a search index), nonce, demand, unsupported.
"""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
from typing import Any

from flask import Flask, Response, request

from tools.recording_apis.apps.qin_core import HABITS, Row, Rows, setting

application = Flask(__name__)
ROWS = Rows()
CARRIER, NAME = setting("CARRIER", "body"), setting("NAME", "version")
_WORDS = {
    "en": "The record was changed or deleted in the meantime.",
    "de": "Der Datensatz wurde zwischenzeitlich von jemand anderem geändert.",
    "fr": "L'enregistrement a été modifié entre-temps.",
    "es": "El registro fue modificado por otro proceso.",
    "pl": "Rekord został w międzyczasie zmieniony.",
}


def _reply(
    status: int, body: object, media: str = "application/json", more: dict[str, str] | None = None
) -> Response:
    text = json.dumps(body, ensure_ascii=False) if not isinstance(body, str) else body
    made = Response(text, status, content_type=media, headers=more or {})
    made.headers["X-Request-Id"] = str(uuid.uuid4())
    return made


def _token(row: Row) -> str | int:
    match CARRIER:
        case "stamp":
            return row.stamp(0 if "whole" in HABITS else 6)
        case "digest":
            text = json.dumps(row.data, sort_keys=True)
            text += str(uuid.uuid4()) if "nonce" in HABITS else str(row.version)
            return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - a version, no secret
        case _:
            return row.version


def _member() -> str:
    return "updated_at" if CARRIER == "stamp" else NAME


def _shown(key: str, row: Row) -> dict[str, Any]:
    made: dict[str, Any] = {"id": key.rsplit("/", 1)[-1], **row.data}
    if CARRIER != "header":
        made[_member()] = _token(row)
    return {**made, "modifiedBy": row.by}


def _out(key: str, row: Row, status: int = 200) -> Response:
    more = {"X-Version": str(row.version)} if CARRIER == "header" else {}
    return _reply(status, _shown(key, row), more=more)


def _refusal(status: int, code: str, detail: str, row: Row | None, sent: object) -> Response:
    shape = setting("SHAPE", "plain")
    if "soft" in HABITS:
        status = 200
    if shape == "spring":
        body: dict[str, Any] = {"type": "about:blank", "title": code, "status": status, "detail": detail}
        body["instance"] = request.path
        return _reply(status, body, "application/problem+json")
    if shape == "rails":
        return _reply(status, {"error": code, "errors": {"base": [detail]}})
    if shape == "laravel":
        return _reply(status, {"message": detail, "exception": code})
    body = {"ok": False, "code": code, "message": detail}
    if row is not None and "tell" in HABITS:
        body |= {"expected": sent, "current": _token(row), "currentBy": row.by}
    return _reply(status, body)


def _sent(body: dict[str, Any]) -> object:
    match CARRIER:
        case "header":
            return request.headers.get("Expected-Version")
        case "query":
            return request.args.get("version")
        case _:
            return body.get(_member())


def _fits(row: Row, sent: object) -> bool:
    if "ignore" in HABITS:
        return True
    if "text" in HABITS:  # compares versions as text: "10" is below "9"
        return str(sent) >= str(_token(row))
    return str(sent) == str(_token(row))


@application.get("/-/up")
def up() -> Response:
    """Say that the service is there."""
    return _reply(200, "up", "text/plain")


@application.post("/login")
def login() -> Response:
    """Set a cookie."""
    user = (request.get_json(silent=True) or {}).get("user", "guest")
    return _reply(200, {"user": user}, more={"Set-Cookie": f"sid={user}; Path=/; HttpOnly"})


def _user() -> str:
    return request.headers.get("X-User") or request.cookies.get("sid") or "guest"


@application.get("/erp/<path:key>")
def read(key: str) -> Response:
    """Show a row or a list."""
    row = ROWS.seen(key)
    if row is not None:
        return _out(key, row)
    rows = ROWS.listed(f"{key}/")
    if not rows:
        return _reply(404, {"code": "NOT_FOUND", "message": f"no {key}"})
    items = [_shown(name, one) for name, one in rows.items()]
    if "snapshot" in HABITS:  # the search index numbers its own revisions
        items = [{**one, NAME: one[NAME] + 100000} for one in items]
    return _reply(200, {"items": items, "total": len(items)})


def _job(key: str) -> None:
    threading.Timer(
        0.25, lambda: ROWS.touch(key, "system:repricing", grossPrice=round(41.17 * 1.19, 2))
    ).start()


def _checked(key: str, row: Row | None, sent: object, body: dict[str, Any]) -> Response | None:
    """Return the refusal of a write, if it is refused."""
    words = _WORDS[setting("WORDS", "en")]
    if "unsupported" in HABITS and (sent is not None):
        return _refusal(
            501, "NOT_IMPLEMENTED", f"{NAME}-checked updates are not supported by this store", None, None
        )
    if row is None:
        return _refusal(404, "NOT_FOUND", f"no {key}", None, None)
    if "rules" in HABITS and body.get("quantity", 0) > int(setting("LIMIT", "500")):
        return _refusal(
            412, "CREDIT_LIMIT", "The order exceeds the credit limit of the customer.", None, None
        )
    if sent is None and "demand" in HABITS:
        return _refusal(
            int(setting("NEED", "428")), "VERSION_REQUIRED", f"{_member()} must be given.", None, None
        )
    if sent is not None and not _fits(row, sent):
        return _refusal(int(setting("REFUSE", "409")), setting("CODE", "OPTIMISTIC_LOCK"), words, row, sent)
    if sent is None and request.method == "DELETE":
        return None
    return None


@application.route("/erp/<path:key>", methods=["PUT", "PATCH", "DELETE"])
def write(key: str) -> Response:
    """Change or delete a row."""
    body = request.get_json(silent=True) or {}
    sent = _sent(body)
    with ROWS.guard():
        row = ROWS.truth(key)
        if "late" in HABITS and row is not None and CARRIER == "body" and sent is not None:
            return _late(key, row, body, sent)
        refused = _checked(key, row, sent, body)
        if refused is not None:
            return refused
        if row is None:
            raise LookupError(key)
        ROWS.pause()
        if request.method == "DELETE":
            ROWS.drop(key)
            return _reply(204, "")
        kept = {
            name: value
            for name, value in body.items()
            if name not in {"id", _member(), "modifiedBy", "version"}
        }
        new = ROWS.write(key, {**row.data, **kept} if request.method == "PATCH" else kept, _user())
    if "job" in HABITS and _user() != "system":
        _job(key)
    ROWS.tarry()
    return _out(key, new)


def _late(key: str, row: Row, body: dict[str, Any], sent: object) -> Response:
    """Update first and compare the version of the updated row afterwards, as one service did."""
    kept = {name: value for name, value in body.items() if name not in {"id", _member(), "modifiedBy"}}
    new = ROWS.write(key, {**row.data, **kept}, _user())
    if str(sent) != str(_token(new)):
        return _refusal(
            int(setting("REFUSE", "409")), "OPTIMISTIC_LOCK", _WORDS[setting("WORDS", "en")], new, sent
        )
    return _out(key, new)


@application.post("/erp/<path:key>")
def create(key: str) -> Response:
    """Create a row."""
    body = request.get_json(silent=True) or {}
    if ROWS.truth(key) is not None:
        return _refusal(409, "DUPLICATE_KEY", f"{key} exists already", None, None)
    return _out(key, ROWS.write(key, body, _user()), 201)
