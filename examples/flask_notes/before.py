"""A service as many are: notes in SQLite, no versions. The last writer wins, unseen.

DATABASE=notes.sqlite3 gunicorn before:app
"""

import os
import sqlite3

from flask import Flask, Response, abort, g, jsonify, request

app = Flask(__name__)


def database() -> sqlite3.Connection:
    """Return the connection of this request."""
    if "database" not in g:
        g.database = sqlite3.connect(os.environ["DATABASE"], isolation_level=None, timeout=30)
        g.database.execute("CREATE TABLE IF NOT EXISTS note (number INTEGER PRIMARY KEY, text TEXT NOT NULL)")
    connection: sqlite3.Connection = g.database
    return connection


@app.teardown_appcontext
def close(_: BaseException | None) -> None:
    """Close it at the end."""
    connection = g.pop("database", None)
    if connection is not None:
        connection.close()


@app.get("/notes/<int:number>")
def read(number: int) -> Response:
    """Return a note."""
    row = database().execute("SELECT text FROM note WHERE number = ?", (number,)).fetchone()
    if row is None:
        abort(404)
    return jsonify(text=row[0])


@app.put("/notes/<int:number>")
def write(number: int) -> Response:
    """Replace or create a note."""
    text = request.get_json()["text"]
    database().execute("INSERT OR REPLACE INTO note (number, text) VALUES (?, ?)", (number, text))
    return jsonify(text=text)
