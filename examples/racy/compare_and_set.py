"""Right: the comparison is part of the update, so the database makes one step of both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from note_service import application, main

if TYPE_CHECKING:
    import sqlite3


def store(connection: sqlite3.Connection, named: int, content: bytes) -> int | None:
    """Write where the version still is the named one; no row means that it is not."""
    cursor = connection.execute(
        "UPDATE note SET version = version + 1, body = ? WHERE id = 1 AND version = ?", (content, named)
    )
    return named + 1 if cursor.rowcount == 1 else None


app = application(store)

if __name__ == "__main__":
    main(Path(__file__).stem)
