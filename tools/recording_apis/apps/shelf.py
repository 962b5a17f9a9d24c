"""Documents in SQLite for the services of this package, one row a document, the version in the row.

Environment: ``SEED`` holds the first documents as a JSON object by path; ``STORE`` a file shared by
several processes; ``TAG`` says what tags are made of: ``version``, ``hash``, ``time``, ``uuid``, ``node``
(content and the node's ``SALT``), ``scope`` (the version of the whole collection), ``clock`` (the moment of
the answer) or ``none``; ``WEAK=1`` makes them weak.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
import uuid
from dataclasses import dataclass

_READ = "SELECT path, body, media, version, modified, scope FROM document"


@dataclass(frozen=True, slots=True)
class Row:
    """One document.

    Attributes:
        path: Its path.
        body: Its content.
        media: Its media type.
        version: Counts writes, from 1.
        modified: Seconds since 1970 of the last write.
        scope: Counts the writes of its collection.
    """

    path: str
    body: str
    media: str
    version: int
    modified: float
    scope: int

    @property
    def tag(self) -> str:
        """Return its tag without quotes, empty for none."""
        kind = os.environ.get("TAG", "version")
        if kind == "none":
            return ""
        digest = hashlib.md5(self.body.encode(), usedforsecurity=False).hexdigest()
        made = {
            "version": f"v{self.version}",
            "hash": digest,
            "time": f"{int(self.modified * 1000):x}",
            "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.path}#{self.version}")),
            "node": f"{digest[:10]}-{os.environ.get('SALT', '')}",
            "scope": f"rev-{self.scope}",
            "clock": f"{time.time():.4f}".replace(".", ""),
        }
        return made[kind]

    @property
    def etag(self) -> str:
        """Return its tag as a field value, empty for none."""
        quoted = f'"{self.tag}"' if self.tag else ""
        return f"W/{quoted}" if quoted and os.environ.get("WEAK") else quoted


class Shelf:
    """The documents."""

    def __init__(self) -> None:
        self._store = os.environ.get("STORE") or f"{os.environ['APP_DIRECTORY']}/shelf.db"
        with self._open() as database:
            database.execute("PRAGMA journal_mode=WAL")
            made = (
                "path TEXT PRIMARY KEY, body TEXT, media TEXT, version INTEGER, modified REAL, scope INTEGER"
            )
            database.execute(f"CREATE TABLE IF NOT EXISTS document ({made})")
            moment = time.time() - 5000
            for path, body in json.loads(os.environ.get("SEED", "{}")).items():
                text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
                media = "text/plain" if isinstance(body, str) else "application/json"
                database.execute(
                    "INSERT OR IGNORE INTO document VALUES (?,?,?,?,?,?)", (path, text, media, 3, moment, 40)
                )

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._store, timeout=10, isolation_level=None)

    def read(self, path: str) -> Row | None:
        """Return a document."""
        with self._open() as database:
            found = database.execute(f"{_READ} WHERE path=?", (path,)).fetchone()
        return Row(*found) if found else None

    def list(self, prefix: str) -> list[Row]:
        """Return the documents below a path."""
        with self._open() as database:
            found = database.execute(f"{_READ} WHERE path LIKE ? ORDER BY path", (f"{prefix}/%",)).fetchall()
        return [Row(*one) for one in found]

    def write(self, path: str, body: str, media: str, version: int | None = None) -> Row | None:
        """Store a document; with a version only while the row has it (0: while there is none).

        Returns:
            The document as stored, or None when the version was another.
        """
        now, collection = time.time(), path.rsplit("/", 1)[0]
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            found = database.execute("SELECT version FROM document WHERE path=?", (path,)).fetchone()
            current = found[0] if found else 0
            if version is not None and version != current:
                database.execute("ROLLBACK")
                return None
            database.execute(
                "INSERT OR REPLACE INTO document VALUES (?,?,?,?,?,?)",
                (path, body, media, current + 1, now, 40),
            )
            below = (f"{collection}/%",)
            database.execute(
                "UPDATE document SET scope=(SELECT max(scope) FROM document WHERE path LIKE ?)+1 "
                "WHERE path LIKE ?",
                below * 2,
            )
            database.execute("COMMIT")
        return self.read(path)

    def delete(self, path: str) -> None:
        """Remove a document."""
        with self._open() as database:
            database.execute("DELETE FROM document WHERE path=?", (path,))


def merged(current: str, patch: str) -> str:
    """Apply a merge patch of one level (RFC 7396)."""
    content = json.loads(current)
    for name, value in json.loads(patch).items():
        content.pop(name, None)
        if value is not None:
            content[name] = value
    return json.dumps(content, ensure_ascii=False)
