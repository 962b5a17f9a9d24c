"""Racy: compare with a copy of the version that each worker keeps for 50 milliseconds."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from note_service import application, main

if TYPE_CHECKING:
    import sqlite3

KEPT_SECONDS = 0.05
kept = {"version": 0, "until": 0.0}


def store(connection: sqlite3.Connection, named: int, content: bytes) -> int | None:
    """Compare with the copy, which another worker has made stale."""
    if time.monotonic() > kept["until"]:
        (version,) = connection.execute("SELECT version FROM note WHERE id = 1").fetchone()
        kept.update(version=version, until=time.monotonic() + KEPT_SECONDS)
    if kept["version"] != named:
        return None
    connection.execute("UPDATE note SET version = version + 1, body = ? WHERE id = 1", (content,))
    kept.update(version=named + 1, until=time.monotonic() + KEPT_SECONDS)
    return named + 1


app = application(store)

if __name__ == "__main__":
    main(Path(__file__).stem)
