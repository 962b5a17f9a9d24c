"""A municipal library on Flask: titles, copies, patrons; sign-on with a cookie; ``sud_ledger`` below it.

Environment, besides that of ``sud_ledger``: ``ANSWER=1`` names a tag of another make in answers to writes;
``HINT`` the Cache-Control of reads; ``BRANCH`` a name to show; ``REFUSES=1`` knows no conditions and says so.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import json
import secrets
import zlib

from flask import Flask, Response, request

from tools.recording_apis.apps.sud_ledger import Ledger, Record, setting

application = Flask(__name__)
_JSON = "application/json; charset=utf-8"


def _style(record: Record, salt: str) -> str:
    text = json.dumps(record.content, sort_keys=True) + salt
    return f"{record.key.rsplit('/', 1)[-1]}:r{record.revision}:{zlib.crc32(text.encode()):x}"


LEDGER = Ledger(_style)
_REASONS = {
    "mark": "The record carries another mark than the one you named.",
    "gone": "There is no such record.",
    "date": "The record was touched after the date you named.",
    "taken": "A record of that name is in the catalogue.",
    "needed": "Name the mark of the record you have seen (If-Match).",
    "unknown": "Not in the catalogue.",
}


def _respond(record: Record, status: int = 200, *, written: bool = False) -> Response:
    body = {"_rec": record.key, **record.content, "_rev": record.revision, "_by": record.author}
    made = Response(json.dumps(body, ensure_ascii=False), status, content_type=_JSON)
    tag = LEDGER.tag(record)
    if written and setting("ANSWER"):
        tag = f'"{int(record.changed * 1000)}"'
    if tag:
        made.headers["ETag"] = tag
    made.headers["Last-Modified"] = record.modified
    made.headers["Cache-Control"] = setting("HINT") or "no-cache"
    if name := setting("BRANCH"):
        made.headers["X-Branch"] = name
    return made


def _refuse(status: int, reason: str) -> Response:
    told = {"status": "error", "reason": _REASONS.get(reason, reason), "ref": secrets.token_hex(4)}
    made = Response(json.dumps(told), status, content_type=_JSON)
    if name := setting("BRANCH"):
        made.headers["X-Branch"] = name
    return made


@application.get("/-/ready")
def ready() -> str:
    """Say that the service is up."""
    return "ok"


@application.post("/opac/login")
def login() -> Response:
    """Start a session."""
    made = Response(status=204)
    made.set_cookie("OPACSID", secrets.token_urlsafe(9), path="/opac")
    made.set_cookie("OPACUSER", request.form.get("card", "guest"), path="/opac")
    return made


def _who() -> str:
    return request.cookies.get("OPACUSER") or request.headers.get("X-Desk") or "guest"


@application.route("/opac/<path:key>", methods=["GET"])
def read(key: str) -> Response:
    """Show a record, or the records of a folder."""
    record = LEDGER.shown(key, behind="primary" not in request.headers.get("X-Read-From", ""))
    if record is None:
        rows = [{"ref": one.key, "rev": one.revision, **one.content} for one in LEDGER.below(key)]
        if not rows:
            return _refuse(404, "unknown")
        return Response(json.dumps({"hits": len(rows), "rows": rows}), content_type="application/json")
    status, reason = LEDGER.judge(request.method, request.headers, record)
    if status == 304:
        made = _respond(record, 304)
        made.set_data(b"")
        return made
    return _refuse(status, reason) if status else _respond(record)


def _patched(before: dict, steps: list) -> dict | str:
    after = dict(before)
    for number, step in enumerate(steps):
        name = step["path"].strip("/")
        if step["op"] == "test" and after.get(name) != step["value"]:
            return f"patch[{number}]: test of /{name} failed"
        if step["op"] in {"add", "replace"}:
            after[name] = step["value"]
    return after


@application.route("/opac/<path:key>", methods=["PUT", "PATCH", "DELETE"])
def write(key: str) -> Response:
    """Store, change or drop a record; a PUT to a folder with a query goes to what the query finds."""
    if setting("REFUSES") and any(name.startswith("If-") for name, _ in request.headers):
        return _refuse(501, "A header you provided implies functionality that is not implemented: If-Match")
    if request.args and request.method == "PUT":
        wanted = request.args.to_dict()
        hits = [one for one in LEDGER.below(key) if all(one.content.get(k) == v for k, v in wanted.items())]
        if len(hits) > 1:
            return _refuse(412, f"criteria match {len(hits)} records, one was expected")
        key = hits[0].key if hits else f"{key}/{secrets.token_hex(3)}"
    sent = request.get_json(silent=True, force=True) if request.method != "DELETE" else None
    if isinstance(sent, list):
        record = LEDGER.current(key)
        sent = _patched(record.content, sent) if record else {}
        if isinstance(sent, str):
            return _refuse(412, sent)
    content = None
    if request.method != "DELETE":
        content = (lambda old: {**old.content, **sent}) if request.method == "PATCH" else (lambda _: sent)
    status, record, reason = LEDGER.write(request.method, key, request.headers, content, author=_who())
    if status == 204:
        return Response(status=204)
    return _refuse(status, reason) if status >= 400 else _respond(record, status, written=True)
