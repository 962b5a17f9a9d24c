"""The same service with versions: a write that does not know the current version is refused.

DATABASE=notes.sqlite3 STAGE=report-only|honour|require|enforce gunicorn after:app
"""

import os
import sqlite3
import uuid

from flask import Flask, Response, abort, g, jsonify, request

from ifmatch import Representation
from ifmatch.server import Policies, Policy, Settings, Shadow, Stage
from ifmatch.server.flask import Preconditions, check, precondition

ATTEMPTS = 20
app = Flask(__name__)
shadow = Shadow(save_to=os.environ.get("REPORT"), save_every=0)
policy = Policy(stage=Stage(os.environ.get("STAGE", "enforce")))
Preconditions(app, settings=Settings(policies=Policies(default=policy), shadow=shadow))


def database() -> sqlite3.Connection:
    """Return the connection of this request; the column of the version is there since `add_version.sql`."""
    if "database" not in g:
        g.database = sqlite3.connect(os.environ["DATABASE"], isolation_level=None, timeout=30)
    connection: sqlite3.Connection = g.database
    return connection


@app.teardown_appcontext
def close(_: BaseException | None) -> None:
    """Close it at the end."""
    connection = g.pop("database", None)
    if connection is not None:
        connection.close()


def row_of(number: int) -> tuple[str, str] | None:
    """Return text and version of a note."""
    row: tuple[str, str] | None = (
        database().execute("SELECT text, version FROM note WHERE number = ?", (number,)).fetchone()
    )
    return row


def current(number: int) -> Representation | None:
    """Look the current version of a note up."""
    row = g.row = row_of(number)
    return None if row is None else Representation(etag=f'"{row[1]}"')


@app.get("/notes/<int:number>")
@precondition(current)
def read(number: int) -> Response:
    """Return a note; the ETag is added."""
    if g.row is None:
        abort(404)
    return jsonify(number=number, text=g.row[0])


@app.put("/notes/<int:number>")
@precondition(current, media_types=["application/json"])
def write(number: int) -> Response:
    """Replace or create a note, on exactly the version that the condition was compared with."""
    text = request.get_json()["text"]
    for _attempt in range(ATTEMPTS):
        version = uuid.uuid4().hex
        if g.row is None:
            sql = "INSERT INTO note (text, version, number) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
            done = database().execute(sql, (text, version, number))
        else:
            sql = "UPDATE note SET text = ?, version = ? WHERE number = ? AND version = ?"
            done = database().execute(sql, (text, version, number, g.row[1]))
        if done.rowcount == 1:
            response = jsonify(number=number, text=text)
            response.headers["ETag"] = f'"{version}"'
            return response
        # Somebody was faster: compare again, with what is there now. A false condition leaves here as 412.
        check(lambda: current(number), again=True)
    return Response(status=503, headers={"Retry-After": "1"})
