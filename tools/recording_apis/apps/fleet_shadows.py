"""A device fleet's control plane on Flask: shadows, sites and policies as JSON documents by path, in SQLite.

Environment: ``SEED`` holds a JSON object of bodies by path; ``STORE`` names a database that several
processes share; ``TAGS`` is the look of the tags (``serial``, ``digest``, ``node``, ``salted``, ``zone``,
``split``); ``CHECK`` is how conditions are judged (``strict``, ``gap``, ``late``, ``poll412``);
``NEEDED=1`` refuses an unguarded write with 428; ``PAUSE`` is how many seconds a write takes, ``SLOW``
how long the first one holds its answer back; ``LAG`` how many seconds reads are behind; ``LINES`` the
total that a pricing service writes into the parent of a line; ``MOVED=1`` answers paths that end in a
slash with a redirect; ``NODE`` is this process's name; ``CACHED`` the Cache-Control of documents;
``CORS`` the origin whose scripts may call.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import sqlite3
import threading
import time
import uuid
import zlib
from contextlib import closing
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from flask import Flask, Response, redirect, request

E = os.environ.get
TAGS, CHECK, NODE = E("TAGS", "serial"), E("CHECK", "strict"), E("NODE", "")
STORE = E("STORE") or f"{E('APP_DIRECTORY', '.')}/fleet.sqlite"
BASE = "/fleet/v2/"
_GUARD, _FIRST = threading.Lock(), iter([True])

application = Flask(__name__)


def opened() -> Any:
    """Return a connection; use it with ``closing``."""
    return closing(sqlite3.connect(STORE, timeout=20, isolation_level=None))


def furnish() -> None:
    """Make the table and put the seeds in."""
    with opened() as store:
        store.execute("PRAGMA journal_mode=WAL")
        store.execute(
            "CREATE TABLE IF NOT EXISTS item (path TEXT PRIMARY KEY, body TEXT, rev INT, at REAL, who TEXT, "
            "trace TEXT, before TEXT)"
        )
        for number, (path, body) in enumerate(sorted(json.loads(E("SEED", "{}")).items())):
            row = (
                path,
                json.dumps(body),
                12 + number * 5,
                time.time() - 86400 - 37 * number,
                "provisioning",
                "",
            )
            store.execute("INSERT OR IGNORE INTO item VALUES (?,?,?,?,?,?,NULL)", row)


furnish()


def row_of(path: str, *, behind: bool = False) -> dict[str, Any] | None:
    """Return a document, as a reader behind the writer sees it if so asked."""
    with opened() as store:
        found = store.execute(
            "SELECT body, rev, at, who, trace, before FROM item WHERE path=?", (path,)
        ).fetchone()
    if found is None:
        return None
    row = dict(zip(("body", "rev", "at", "who", "trace", "before"), found, strict=True))
    if behind and row["before"] and time.time() - row["at"] < float(E("LAG", "0")):
        return json.loads(row["before"])
    return row


def put_row(path: str, body: str, who: str, trace: str = "") -> dict[str, Any]:
    """Store a document's next revision."""
    old = row_of(path)
    before = json.dumps({**old, "before": None}) if old else None
    with opened() as store:
        row = (path, body, (old["rev"] if old else 0) + 1, time.time(), who, trace, before)
        store.execute("INSERT OR REPLACE INTO item VALUES (?,?,?,?,?,?,?)", row)
    return row_of(path)


def zone_of(path: str) -> str:
    """Return the sum of the revisions of all that shares a document's first two segments."""
    prefix = "/".join(path.split("/")[:2])
    with opened() as store:
        total = store.execute("SELECT sum(rev) FROM item WHERE path LIKE ?", (f"{prefix}/%",)).fetchone()[0]
    return f'"zs-{202611260 + (total or 0)}"'


def tag_of(path: str, row: dict[str, Any], *, wrote: bool = False) -> str:
    """Return a document's tag, in the look that ``TAGS`` names."""
    body = base64.urlsafe_b64encode(hashlib.sha256(row["body"].encode()).digest())[:20].decode()
    short = f"{zlib.crc32(path.encode()):08x}"
    match TAGS:
        case "zone":
            return zone_of(path)
        case "digest":
            return f'"{body}"'
        case "node":
            return f'"{NODE}.{int(row["at"] * 7 + len(NODE) * zlib.crc32(NODE.encode())) & 0xFFFFFFFF:x}"'
        case "salted":
            return f'"{secrets.token_hex(12)}"'
        case "split" if wrote:
            return f'"rev-{row["rev"]}"'
        case "split":
            return f'"{body}"'
        case _:
            return f'"{row["rev"]}-{short}"'


def shown(path: str, row: dict[str, Any], status: int = 200, *, wrote: bool = False) -> Response:
    """Return a document in its envelope, with its fields."""
    stamp = datetime.fromtimestamp(row["at"], UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = json.loads(row["body"])
    content = {
        "href": BASE + path,
        "rev": row["rev"],
        "modifiedAt": stamp,
        "modifiedBy": row["who"],
        "data": data,
    }
    if row["trace"]:
        content["lastRequest"] = row["trace"]
    if TAGS == "salted":
        content["renderedAt"] = datetime.now(UTC).isoformat()
    made = Response(json.dumps(content, separators=(", ", ": ")), status, content_type="application/json")
    made.headers["Last-Modified"] = formatdate(row["at"], usegmt=True)
    made.headers["Cache-Control"] = E("CACHED", "private, no-cache")
    made.headers["ETag"] = tag_of(path, row, wrote=wrote)
    return made


def problem(status: int, kind: str, detail: str, **more: object) -> Response:
    """Return an error as RFC 9457 has it."""
    content = {"type": f"urn:fleet:problem:{kind}", "status": status, "detail": detail, **more}
    return Response(json.dumps(content), status, content_type="application/problem+json")


def members(field: str) -> list[str]:
    """Return the members of a list of entity-tags."""
    return [one.strip() for one in field.split(",")]


def refusal(path: str, row: dict[str, Any] | None) -> Response | None:
    """Return the answer to a write whose condition is false, or None."""
    wanted, unwanted = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    current = tag_of(path, row) if row else None
    if wanted is None and unwanted is None and row and E("NEEDED"):
        return problem(428, "precondition-required", "send If-Match with the ETag of your last GET")
    if wanted is not None:
        if row is None:
            return problem(412, "no-such-version", f"{BASE}{path} has no current representation")
        if wanted != "*" and (current.startswith("W/") or current not in members(wanted)):
            what = {"expected": wanted, "rev": row["rev"], "modifiedBy": row["who"]}
            return problem(412, "version-mismatch", "the document is not the one you have read", **what)
    if unwanted is not None and row is not None and (unwanted == "*" or current in members(unwanted)):
        return problem(
            412, "already-registered", "the document is there", since=row["at"] // 1, by=row["who"]
        )
    return None


def who() -> str:
    """Return who asks."""
    return request.headers.get("X-Operator") or request.headers.get("User-Agent", "-").split("/")[0]


def stored(path: str, row: dict[str, Any] | None) -> Response:
    """Store what was sent and answer with it."""
    sent = request.get_json(force=True, silent=True)
    if sent is None:
        return problem(400, "unreadable", "JSON is needed")
    if request.method == "PATCH" and row:
        sent = {**json.loads(row["body"]), **sent}
    made = put_row(path, json.dumps(sent), who(), request.headers.get("X-Request-Id", ""))
    if E("LINES") and "/lines/" in path:
        parent = path.split("/lines/", maxsplit=1)[0]
        total = {**json.loads(row_of(parent)["body"]), "total": E("LINES")}
        put_row(parent, json.dumps(total), "system:pricing")
    return shown(path, made, 200 if row else 201, wrote=True)


def written(path: str) -> Response:
    """Handle a write whose turn it is."""
    row = row_of(path)
    refused = None if CHECK == "late" else refusal(path, row)
    if refused is not None:
        return refused
    if CHECK == "gap":
        time.sleep(0.25)
    if request.method == "DELETE":
        if row is None:
            return problem(404, "unknown", f"no {BASE}{path}")
        with opened() as store:
            store.execute("DELETE FROM item WHERE path=?", (path,))
        return Response("", 204)
    if request.method == "PATCH" and row is None:
        return problem(404, "unknown", f"no {BASE}{path}")
    answer = stored(path, row)
    late = refusal(path, row_of(path)) if CHECK == "late" else None
    if (slow := float(E("SLOW", "0"))) and next(_FIRST, False):
        threading.Event().wait(slow)
    return late or answer


def cross(answer: Response) -> Response:
    """Add what scripts of another origin need, except for the tag."""
    if E("CORS"):
        answer.headers["Access-Control-Allow-Origin"] = E("CORS")
        answer.headers["Access-Control-Allow-Methods"] = "GET, PUT, PATCH, DELETE"
        answer.headers["Access-Control-Allow-Headers"] = "Content-Type, If-Match"
        answer.headers["Vary"] = "Origin"
    return answer


@application.after_request
def mark(answer: Response) -> Response:
    """Mark each answer with a request id and the node."""
    answer.headers["X-Trace"] = uuid.uuid4().hex[:16]
    if NODE:
        answer.headers["X-Served-By"] = NODE
    return cross(answer)


@application.get("/-/ready")
def ready() -> str:
    """Say that the service is up."""
    return "ready"


@application.post(f"{BASE}session")
def session() -> Response:
    """Open a session."""
    made = problem(201, "session", "welcome")
    made.content_type = "application/json"
    made.set_cookie("fs", secrets.token_urlsafe(18), httponly=True, samesite="Lax")
    return made


@application.get(BASE + "<kind>")
def listing(kind: str) -> Response:
    """List documents of a kind, a page at a time."""
    first, size = int(request.args.get("offset", "0")), int(request.args.get("limit", "50"))
    with opened() as store:
        rows = store.execute(
            "SELECT path, rev FROM item WHERE path LIKE ? ORDER BY path", (f"{kind}/%",)
        ).fetchall()
    items = [{"href": BASE + path, "rev": rev} for path, rev in rows[first : first + size]]
    more = f"{BASE}{kind}?offset={first + size}&limit={size}" if len(rows) > first + size else None
    body = json.dumps({"count": len(rows), "items": items, "next": more})
    tag = f'"l{zlib.crc32(body.encode()):x}"'
    if tag in members(request.headers.get("If-None-Match", "")):
        return Response("", 304, {"ETag": tag})
    return Response(body, 200, {"ETag": tag}, content_type="application/json")


@application.route(BASE + "<path:path>", methods=["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def item(path: str) -> Response:
    """Read or write a document."""
    if request.method == "OPTIONS":
        return Response("", 204)
    if path.endswith("/") and E("MOVED"):
        return redirect(f"http://{request.host}{BASE}{path.rstrip('/')}", 302)
    if request.method not in {"GET", "HEAD"}:
        time.sleep(float(E("PAUSE", "0")) if CHECK != "strict" else 0)
        if CHECK == "gap":
            return written(path)
        with _GUARD:
            time.sleep(float(E("PAUSE", "0")))
            return written(path)
    row = row_of(path, behind=True)
    if row is None:
        return problem(404, "unknown", f"no {BASE}{path}")
    unwanted, wanted = request.headers.get("If-None-Match"), request.headers.get("If-Match")
    if wanted not in {None, "*"} and tag_of(path, row) not in members(wanted):
        return problem(412, "version-mismatch", "the document is not the one you have read")
    if unwanted is not None and tag_of(path, row) in members(unwanted):
        if CHECK == "poll412":
            return problem(412, "not-modified", f"{unwanted} is the current version")
        return Response("", 304, {"ETag": tag_of(path, row)})
    return shown(path, row)
