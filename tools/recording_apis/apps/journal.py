"""Records of the business applications in SQLite: every version is kept, the last one counts.

Environment: ``SEED`` first records as a JSON object by key; ``STORE`` a file that several processes share;
``LAG`` seconds that reads are behind; ``TAG`` what tags are made of; ``WEAK=1``; ``SALT`` of a node;
``GUARD=ignore`` or ``after`` (judged when the write is done); ``GAP`` seconds between judging and writing;
``PACE`` seconds before judging, the write then at one stroke;
``HOLD`` seconds that the first write's answer takes; ``DEMAND=1`` asks for a precondition; ``EXACT=1``
compares dates with their fractions; ``TOMBSTONES=1`` takes a removed record for a present one; ``FOLLOWUP``
what the service itself changes after a write, ``{"after": seconds, "by": name, "set": {...}}``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import sqlite3
import threading
import time
import zlib
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLUMNS = "key TEXT, revision INTEGER, body TEXT, changed REAL, author TEXT, gone INTEGER"
_LAST = "SELECT * FROM journal WHERE key=? AND changed<=? ORDER BY revision DESC LIMIT 1"
_CONDITIONS = ("If-Match", "If-None-Match", "If-Unmodified-Since")


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of a record.

    Attributes:
        key: Its name.
        revision: Counts versions, from 1.
        body: Its content.
        changed: Seconds since 1970.
        author: Who wrote it.
        writes: Counts the versions of all records with the same first part of the key.
    """

    key: str
    revision: int
    body: str
    changed: float
    author: str
    writes: int = 0

    @property
    def content(self) -> dict[str, Any]:
        """Return the content decoded."""
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded

    @property
    def modified(self) -> str:
        """Return the HTTP date of the last change."""
        return formatdate(int(self.changed), usegmt=True)

    def etag(self, default: str, variant: str = "") -> str:
        """Return the entity-tag, empty for none; ``default`` is what tags are made of unless ``TAG`` says."""
        kind = os.environ.get("TAG", default)
        text = f"{self.body}{variant}"
        made = {
            "none": "",
            "revision": f"{self.revision:04d}{'-' if variant else ''}{variant}",
            "site": f"site-{self.key.split('/', maxsplit=1)[0]}.{self.writes}",
            "comma": f"{self.key.rsplit('/', 1)[-1]},{self.revision}",
            "stamp": f"{int(self.changed * 1e6):x}{variant}",
            "digest": hashlib.sha256(text.encode()).hexdigest()[:24],
            "node": hashlib.sha256(f"{os.environ.get('SALT')}{text}".encode()).hexdigest()[:12],
            "fresh": secrets.token_urlsafe(9),
        }[kind]
        if not made:
            return ""
        return f'W/"{made}"' if os.environ.get("WEAK") else f'"{made}"'


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a write: the status, the record as it is now, and the field that refused it."""

    status: int
    entry: Entry | None
    refused_by: str = ""


class Journal:
    """All records; ``kind`` is what its tags are made of unless ``TAG`` says otherwise."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._store = os.environ.get("STORE") or f"{os.environ['APP_DIRECTORY']}/journal.db"
        self._held = False
        with self._open() as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(f"CREATE TABLE IF NOT EXISTS journal ({_COLUMNS}, PRIMARY KEY (key, revision))")
            for key, body in json.loads(os.environ.get("SEED", "{}")).items():
                text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
                own = zlib.crc32(key.encode())
                row = (key, 3 + own % 60, text, time.time() - 7200.25 - own % 3000000, "import", 0)
                database.execute("INSERT OR IGNORE INTO journal VALUES (?,?,?,?,?,?)", row)

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._store, timeout=10, isolation_level=None)

    def _last(self, key: str, *, behind: bool) -> tuple[Any, ...] | None:
        lag = float(os.environ.get("LAG", "0")) if behind else 0.0
        with self._open() as database:
            found: tuple[Any, ...] | None = database.execute(_LAST, (key, time.time() - lag)).fetchone()
        return found

    def read(self, key: str, *, behind: bool = True) -> Entry | None:
        """Return a record as this node's reads see it, or as it is when not ``behind``."""
        found = self._last(key, behind=behind)
        if found is None or found[5]:
            return None
        _, revision, body, changed, author, _ = found
        return Entry(key, revision, body, changed, author, self._writes(key))

    def _writes(self, key: str) -> int:
        with self._open() as database:
            beside = f"{key.split('/', maxsplit=1)[0]}/%"
            found = database.execute("SELECT count(*) FROM journal WHERE key LIKE ?", (beside,)).fetchone()
        return 700 + int(found[0])

    def indexed(self, key: str, moment: float) -> Entry | None:
        """Return a record as it was at a moment."""
        with self._open() as database:
            found = database.execute(_LAST, (key, moment)).fetchone()
        return Entry(*found[:5]) if found and not found[5] else None

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin so."""
        with self._open() as database:
            query = "SELECT DISTINCT key FROM journal WHERE key LIKE ? ORDER BY key"
            return [row[0] for row in database.execute(query, (f"{prefix}%",))]

    def append(
        self, key: str, body: str | None, author: str, after: int | None = None, changed: float | None = None
    ) -> Entry | None:
        """Add a version; with ``after`` only to that revision (0 for none). ``None`` as body removes."""
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            row = database.execute(
                "SELECT revision, gone FROM journal WHERE key=? ORDER BY revision DESC", (key,)
            ).fetchone()
            last, gone = row or (0, 1)
            if after is not None and after != (0 if gone else last):
                database.execute("ROLLBACK")
                return None
            made = (key, last + 1, body or "", changed or time.time(), author)
            database.execute("INSERT INTO journal VALUES (?,?,?,?,?,?)", (*made, int(body is None)))
            database.execute("COMMIT")
        return Entry(*made, writes=self._writes(key))

    def write(
        self, key: str, body: str | None, author: str, fields: Mapping[str, str], variant: str = ""
    ) -> Outcome:
        """Judge the conditions of a request, then write, remove (body ``None``) or refuse."""
        found = self.read(key, behind=False)
        if os.environ.get("DEMAND") and not any(name in fields for name in _CONDITIONS):
            return Outcome(428, found)
        mode = os.environ.get("GUARD", "")
        refused = self.refusal(key, fields, variant) if not mode else ""
        if refused:
            return Outcome(412, found, refused)
        if found is None and body is None:
            return Outcome(404, None)
        after: int | None = None if mode else found.revision if found else 0
        if pace := os.environ.get("PACE"):
            time.sleep(float(pace))
            refused = self.refusal(key, fields, variant)
            if refused:
                return Outcome(412, self.read(key, behind=False), refused)
            found = self.read(key, behind=False)
            after = found.revision if found else 0
        if gap := os.environ.get("GAP"):
            time.sleep(float(gap))
            after = None
        made = self.append(key, body, author, after)
        if made is None:
            return Outcome(412, self.read(key, behind=False), "If-Match")
        self._afterwards(key, made)
        if mode == "after" and (refused := self.refusal(key, fields, variant)):
            return Outcome(412, made, refused)
        return Outcome(204 if body is None else 200 if found else 201, made)

    def refusal(self, key: str, fields: Mapping[str, str], variant: str = "") -> str:
        """Return the condition that does not hold, empty when all do (RFC 9110 section 13.2.2)."""
        found = self.read(key, behind=False)
        wanted = fields.get("If-Match")
        if wanted is not None:
            return "" if found and self._names(wanted, found.etag(self._kind, variant)) else "If-Match"
        date = fields.get("If-Unmodified-Since")
        if date is not None and found and _is_later(found.changed, date):
            return "If-Unmodified-Since"
        present = found or (os.environ.get("TOMBSTONES") and self._last(key, behind=False))
        unwanted = fields.get("If-None-Match", "").strip()
        same = found is not None and found.etag(self._kind, variant).removeprefix("W/") in unwanted
        return "If-None-Match" if unwanted and present and (unwanted == "*" or same) else ""

    def _names(self, wanted: str, etag: str) -> bool:
        if wanted.strip() == "*":
            return True
        split = (
            wanted.split(",") if os.environ.get("TAG") == "comma" else re.findall(r'(?:W/)?"[^"]*"', wanted)
        )
        return not etag.startswith("W/") and etag in [one.strip() for one in split]

    def _afterwards(self, key: str, made: Entry) -> None:
        if followup := json.loads(os.environ.get("FOLLOWUP", "null")):
            threading.Thread(target=self._follow, args=(key, followup), daemon=True).start()
        if not self._held and (hold := os.environ.get("HOLD")) and made.revision:
            self._held = True
            time.sleep(float(hold))

    def _follow(self, key: str, followup: Mapping[str, Any]) -> None:
        time.sleep(followup["after"])
        found = self.read(key, behind=False)
        if found is not None:
            self.append(key, json.dumps({**found.content, **followup["set"]}), followup["by"])


def _is_later(changed: float, date: str) -> bool:
    try:
        given = parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return bool(os.environ.get("EXACT"))
    return (changed if os.environ.get("EXACT") else int(changed)) > given
