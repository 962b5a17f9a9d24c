"""Racy: read the version, compare, then update. Between the two another worker does the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from note_service import application, main

if TYPE_CHECKING:
    import sqlite3


def store(connection: sqlite3.Connection, named: int, content: bytes) -> int | None:
    """Compare in Python, then write without looking again."""
    (version,) = connection.execute("SELECT version FROM note WHERE id = 1").fetchone()
    if version != named:
        return None
    connection.execute("UPDATE note SET version = ?, body = ? WHERE id = 1", (version + 1, content))
    return version + 1


app = application(store)

if __name__ == "__main__":
    main(Path(__file__).stem)
