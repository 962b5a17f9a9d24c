"""The part that all three programs share: a note over HTTP, two workers, SQLite; `store` is theirs."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable

    Store = Callable[[sqlite3.Connection, int, bytes], int | None]
    Application = Callable[[dict[str, Any], Callable[[], Any], Callable[[Any], Any]], Any]

# Without an isolation level each statement is a transaction of its own, as in most quick services.
FILE = os.environ.setdefault("RACY_FILE", os.path.join(tempfile.mkdtemp(), "note.sqlite"))  # noqa: PTH118


def connect() -> sqlite3.Connection:
    """Open the file; the first one makes the note."""
    connection = sqlite3.connect(FILE, timeout=10, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, version INTEGER, body BLOB)")
    connection.execute("INSERT OR IGNORE INTO note VALUES (1, 1, x'')")
    return connection


def application(store: Store) -> Application:
    """Return the ASGI application.

    Args:
        store: gets the version that If-Match names and the new content; gives the new version, or None.
    """
    connection = connect()

    async def note(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        if scope["type"] != "http":
            return
        status, version, body = 200, 0, b""
        if scope["method"] == "PUT":
            named = dict(scope["headers"]).get(b"if-match", b'"0"').strip(b'"')
            content = (await receive())["body"]
            new = store(connection, int(named) if named.isdigit() else 0, content)
            status, version = (204, new) if new is not None else (412, 0)
        else:
            version, body = connection.execute("SELECT version, body FROM note WHERE id = 1").fetchone()
        fields = [(b"etag", b'"%d"' % version)] if version else []
        if status != 204:
            fields.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    return note


def main(module: str) -> None:
    """Serve with two workers on the port that the command line names."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8001
    uvicorn.run(f"{module}:app", port=port, workers=2, lifespan="off", log_level="warning")
