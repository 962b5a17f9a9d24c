"""What people write first: Starlette, sqlite3, a version column, no precondition.

`python -m benchmarks.bare_starlette FILE PORT`
"""

from __future__ import annotations

import sqlite3
import sys
import threading

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

PATH = sys.argv[1]
LOCAL = threading.local()
TABLE = "CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, version INTEGER, body BLOB)"
STORE = (
    "INSERT INTO note VALUES (1, 1, ?) ON CONFLICT (id)"
    " DO UPDATE SET version = version + 1, body = excluded.body RETURNING version"
)


def connection() -> sqlite3.Connection:
    if not hasattr(LOCAL, "connection"):
        LOCAL.connection = sqlite3.connect(PATH, timeout=5, isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", TABLE):
            LOCAL.connection.execute(statement)
    return LOCAL.connection


def read() -> tuple[int, bytes]:
    return connection().execute("SELECT version, body FROM note WHERE id = 1").fetchone()


def write(body: bytes) -> int:
    return connection().execute(STORE, (body,)).fetchone()[0]


async def get(request) -> Response:
    del request
    version, body = await run_in_threadpool(read)
    return Response(body, media_type="application/json", headers={"ETag": f'"{version}"'})


async def put(request) -> Response:
    version = await run_in_threadpool(write, await request.body())
    return Response(status_code=204, headers={"ETag": f'"{version}"'})


if __name__ == "__main__":
    write(b'{"title": "Practice", "note": "Change me, and see who else did.", "count": 0, "visits": 0}')
    routes = [Route("/resource", get, methods=["GET"]), Route("/resource", put, methods=["PUT"])]
    quiet = {"log_level": "error", "access_log": False}
    uvicorn.run(
        Starlette(routes=routes), port=int(sys.argv[2]), http="h11", loop="asyncio", ws="none", **quiet
    )
