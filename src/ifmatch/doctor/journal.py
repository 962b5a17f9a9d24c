"""Keep what repairs wrote: the version before and after, so that `ifmatch undo` can put the former back.

One SQLite file in the state folder of the user, readable for its owner only; credentials are not in it.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ifmatch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Entry", "Journal", "default_path"]

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS repairs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, operation TEXT NOT NULL, method TEXT NOT NULL,
  url TEXT NOT NULL, how TEXT NOT NULL, media_type TEXT NOT NULL, tag_before TEXT, before BLOB,
  tag_after TEXT,  after BLOB, undone_by INTEGER
) STRICT
"""
_COLUMNS: Final = (
    "id, at, operation, method, url, how, media_type, tag_before, before, tag_after, after, undone_by"
)
KEPT_SECONDS: Final = 7 * 86400.0
"""How long contents are kept."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One repair.

    Attributes:
        id: for `ifmatch undo`; 0 before it is written.
        at: seconds since the epoch.
        operation: id of the update.
        method: of the write.
        url: of the resource.
        how: `applied`, `rebased`, `overwritten`, `undone`, `unknown`.
        media_type: of both contents.
        tag_before: token of the state before, None when there was none.
        before: its octets, None when there was none.
        tag_after: token of the state after, None when there is none or it is not known.
        after: its octets, None when there is none.
        undone_by: id of the entry that put it back, None when none did.
    """

    id: int
    at: float
    operation: str
    method: str
    url: str
    how: str
    media_type: str
    tag_before: str | None
    before: bytes | None
    tag_after: str | None
    after: bytes | None
    undone_by: int | None = None


def default_path() -> Path:
    """Return where the journal lies: the state folder of the user, or IFMATCH_JOURNAL."""
    named = os.environ.get("IFMATCH_JOURNAL")
    if named:
        return Path(named)
    import platformdirs  # noqa: PLC0415 - only where nothing else is named

    return Path(platformdirs.user_state_dir("ifmatch", appauthor=False)) / "journal.sqlite"


class Journal:
    """Write and read repairs.

    Args:
        path: of the file; it and its folder are made for the owner only.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise InputError(
                f"the journal cannot be written: {error.strerror or error}",
                source=str(path),
                advice="Name another place in IFMATCH_JOURNAL",
            ) from error
        with closing(self._open()) as database, database:
            database.execute(_TABLE)

    def _open(self) -> sqlite3.Connection:
        try:
            database = sqlite3.connect(self.path, timeout=10)
            database.execute("PRAGMA secure_delete = ON")
        except sqlite3.DatabaseError as error:
            raise InputError(f"is no journal: {error}", source=str(self.path)) from error
        return database

    def write(self, entry: Entry) -> int:
        """Write a repair, before it is sent or after; contents older than a week go.

        Args:
            entry: without an id.

        Returns:
            The id.
        """
        values = (entry.at, entry.operation, entry.method, entry.url, entry.how, entry.media_type,
                  entry.tag_before, entry.before, entry.tag_after, entry.after)  # fmt: skip
        with closing(self._open()) as database, database:
            database.execute("DELETE FROM repairs WHERE at < ?", (entry.at - KEPT_SECONDS,))
            cursor = database.execute(
                "INSERT INTO repairs (at, operation, method, url, how, media_type, tag_before, before,"
                " tag_after, after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            return cursor.lastrowid or 0

    def finish(self, number: int, how: str, tag_after: str | None, after: bytes | None) -> None:
        """Say what came of a repair that was written before it was sent."""
        with closing(self._open()) as database, database:
            database.execute(
                "UPDATE repairs SET how = ?, tag_after = ?, after = ? WHERE id = ?",
                (how, tag_after, after, number),
            )

    def mark_undone(self, number: int, by: int) -> None:
        """Say which entry put the version before a repair back."""
        with closing(self._open()) as database, database:
            database.execute("UPDATE repairs SET undone_by = ? WHERE id = ?", (by, number))

    def entry(self, number: int) -> Entry:
        """Return a repair.

        Raises:
            InputError: there is none of this id.
        """
        for entry in self._select("WHERE id = ?", number):
            return entry
        raise InputError(
            f"there is no repair {number}", source=str(self.path), advice="The list: ifmatch undo --list"
        )

    def entries(self, limit: int = 50) -> list[Entry]:
        """Return the latest repairs, the newest first."""
        return list(self._select("ORDER BY id DESC LIMIT ?", limit))

    def _select(self, rest: str, value: int) -> Iterator[Entry]:
        with closing(self._open()) as database:
            for row in database.execute(f"SELECT {_COLUMNS} FROM repairs {rest}", (value,)):  # noqa: S608 - ours
                yield Entry(*row)
