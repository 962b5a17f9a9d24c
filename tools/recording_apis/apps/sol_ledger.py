# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202, S324, E501 - Flask calls these as it will
"""Versioned records in SQLite behind Flask, with Werkzeug's own handling of conditions."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import flask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_METHODS = ["GET", "PUT", "PATCH", "DELETE", "POST"]


class Ledger:
    """The records and what a story makes of them.

    Args:
        rows: JSON by path.
        habits: ``weak`` tags, ``gap`` seconds between check and write, ``lag`` seconds that reads are behind,
            ``slow`` seconds after a write by ordinal, ``fields`` of each answer, ``refused`` body of a 412,
            ``forms`` media types beside JSON with what writes them, ``rows`` what a list says of a record.
        age: How long ago the first record was stored.
    """

    def __init__(self, rows: Mapping[str, Any], age: float = 80000.0, **habits: Any) -> None:
        self.habits, self.lock, self.writes = habits, threading.RLock(), 0
        self.db = sqlite3.connect(":memory:", check_same_thread=False)
        self.db.execute("create table versions (path text, rev integer, body text, at real, who text)")
        for number, (path, body) in enumerate(rows.items()):
            self.keep(path, body, "import", time.time() - age - 47.3 * number)

    def keep(self, path: str, body: Any, who: str, at: float | None = None) -> None:
        """Store a version."""
        with self.lock:
            last = self.last(path)
            values = (
                path,
                last[0] + 1 if last else 1,
                json.dumps(body, ensure_ascii=False),
                at or time.time(),
                who,
            )
            self.db.execute("insert into versions values (?, ?, ?, ?, ?)", values)

    def last(self, path: str, until: float | None = None) -> Any:
        """Return revision, content, time and author of the newest version."""
        with self.lock:
            found = self.db.execute(
                "select rev, body, at, who from versions where path = ? and at <= ? order by rev desc limit 1",
                (path, until or time.time() + 1),
            ).fetchone()
        return (found[0], json.loads(found[1]), found[2], found[3]) if found else None

    def paths(self, folder: str) -> list[str]:
        """Return what is below a folder."""
        with self.lock:
            rows = self.db.execute(
                "select distinct path from versions where path like ? order by path",
                (folder.rstrip("/") + "/%",),
            )
            return [row[0] for row in rows]

    def tag(self, path: str, row: Any, form: str = "") -> str:
        """Return the opaque tag of a version."""
        made = self.habits.get("tag")
        return (
            made(path, row)
            if made
            else hashlib.sha1(f"{path}{row[0]}{row[1]}{form}".encode()).hexdigest()[:20]
        )

    def form(self, media: str | None) -> str:
        """Return the form that a media type asks for."""
        return next((one for one in self.habits.get("forms", {}) if one in (media or "")), "")

    def shown(self, path: str, row: Any, form: str, status: int = 200):
        """Return a version as it is answered."""
        text = self.habits["forms"][form](row[1]) if form else json.dumps(row[1], ensure_ascii=False)
        answer = flask.Response(text, status, mimetype=form or "application/json")
        answer.set_etag(self.tag(path, row, form), weak=bool(self.habits.get("weak")))
        answer.last_modified = dt.datetime.fromtimestamp(int(row[2]), dt.UTC)
        if self.habits.get("forms"):
            answer.headers["Vary"] = "Accept"
        return answer

    def read(self, path: str):
        """Answer a read."""
        row = self.last(path, time.time() - self.habits["lag"] if self.habits.get("lag") else None)
        if row is None:
            return self.listed(path)
        return self.shown(path, row, self.form(flask.request.headers.get("Accept"))).make_conditional(
            flask.request
        )

    def listed(self, path: str):
        """Answer a list."""
        tell: Callable[[str, Any], Any] = self.habits.get("rows") or (
            lambda one, row: {"href": one, "rev": row[0]}
        )
        found = self.paths(path)
        if not found:
            return flask.jsonify({"detail": "no such record"}), 404
        return flask.jsonify({"total": len(found), "items": [tell(one, self.last(one)) for one in found]})

    def fits(self, path: str) -> bool:
        """Return whether a write's condition holds, by Werkzeug's reading of it."""
        row, asked = self.last(path), flask.request
        if "If-Match" in asked.headers:
            if row is None:
                return False
            form = self.form(asked.headers.get("Content-Type"))
            own = self.tag(path, row, form)
            return asked.if_match.star_tag or (not self.habits.get("weak") and asked.if_match.is_strong(own))
        if asked.if_unmodified_since is not None and row is not None:
            return int(row[2]) <= asked.if_unmodified_since.timestamp()
        return not (asked.if_none_match.star_tag and row is not None)

    def write(self, path: str):
        """Answer a write."""
        if not self.fits(path):
            return flask.jsonify(self.habits.get("refused", {"detail": "precondition failed"})), 412
        time.sleep(self.habits.get("gap", 0))
        row, asked = self.last(path), flask.request
        new = asked.get_json(silent=True)
        if new is None:
            new = self.habits.get("parse", lambda text: {"text": text})(asked.get_data(as_text=True))
        if asked.method == "PATCH":
            new = {**row[1], **new}
        self.keep(path, new, asked.headers.get("X-User", "anonymous"))
        self.writes += 1
        time.sleep(self.habits.get("slow", {}).get(self.writes, 0))
        form = self.form(asked.headers.get("Content-Type"))
        return self.shown(path, self.last(path), form, 200 if row else 201)


def build(ledger: Ledger) -> flask.Flask:
    """Return the application."""
    app = flask.Flask("ledger", static_folder=None)

    @app.route("/status")
    def status():
        return flask.jsonify({"ok": True})

    @app.route("/session", methods=["POST"])
    def session():
        return flask.jsonify({"user": flask.request.headers.get("X-User", "anonymous"), "expires": 3600})

    @app.route("/assets/<name>")
    def asset(name: str):
        answer = flask.Response("body{margin:0}" if name.endswith("css") else "start()", mimetype="text/css")
        answer.headers["Cache-Control"] = "no-cache"
        answer.add_etag()
        return answer.make_conditional(flask.request)

    @app.route("/<path:path>", methods=_METHODS)
    def record(path: str):
        return ledger.read(f"/{path}") if flask.request.method == "GET" else ledger.write(f"/{path}")

    @app.after_request
    def marked(answer):
        for name, value in ledger.habits.get("fields", {}).items():
            answer.headers[name] = value
        return answer

    return app
