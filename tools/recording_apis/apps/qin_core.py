"""Rows with a version, an author and a time: what the services of this author keep.

Environment: SEED (JSON object of rows by key; a member ``#v`` is the version), HABITS (comma-separated), HOLD
(seconds between check and write), TARRY (seconds the first write takes after it is stored), LAG (seconds
reads are behind), AGE (seconds since the rows were made).
"""

from __future__ import annotations

import json
import os
import threading
import time
import zlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

HABITS = set(os.environ.get("HABITS", "").split(","))


def setting(name: str, otherwise: str = "") -> str:
    """Return a setting of the service."""
    return os.environ.get(name) or otherwise


@dataclass(frozen=True, slots=True)
class Row:
    """One state of a row."""

    data: dict[str, Any]
    version: int
    by: str
    changed: float

    def stamp(self, digits: int = 6) -> str:
        """Return the time of the change in ISO 8601."""
        moment = datetime.fromtimestamp(self.changed, UTC)
        fraction = f"{moment.microsecond:06d}"[:digits]
        return f"{moment:%Y-%m-%dT%H:%M:%S}{'.' if digits else ''}{fraction}Z"

    def date(self) -> str:
        """Return the time of the change as an HTTP date."""
        return format_datetime(datetime.fromtimestamp(int(self.changed), UTC), usegmt=True)


def seconds_of(text: str) -> float | None:
    """Return the seconds of an HTTP date, None for anything else."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.timestamp() if text.endswith("GMT") else None


class Rows:
    """All rows with their history."""

    def __init__(self) -> None:
        now = time.time()
        self.history: dict[str, list[Row]] = {}
        for key, data in json.loads(os.environ.get("SEED", "{}")).items():
            crc = zlib.crc32(key.encode())
            own = dict(data)
            version = own.pop("#v", 2 + crc % 38)
            age = float(setting("AGE") or 4000.371 + crc % 900_000)
            self.history[key] = [Row(own, version, own.pop("#by", "import"), now - age)]
        self._lock = threading.RLock()
        self._tarry = float(setting("TARRY", "0"))
        self._lag = float(setting("LAG", "0"))
        self._hold = float(setting("HOLD", "0"))

    def truth(self, key: str) -> Row | None:
        """Return the newest state."""
        states = self.history.get(key)
        return states[-1] if states else None

    def seen(self, key: str) -> Row | None:
        """Return what a read sees."""
        states = self.history.get(key)
        if not states:
            return None
        edge = time.time() - self._lag
        return next((one for one in reversed(states) if one.changed <= edge), states[0])

    def listed(self, folder: str) -> dict[str, Row]:
        """Return the rows below a folder as reads see them."""
        found = {key: self.seen(key) for key in sorted(self.history) if key.startswith(folder)}
        return {key: row for key, row in found.items() if row}

    def guard(self) -> AbstractContextManager[object]:
        """Return the lock of a write, or nothing where writes race."""
        return nullcontext() if "race" in HABITS else self._lock

    def pause(self) -> None:
        """Take time between check and write."""
        time.sleep(self._hold)

    def write(self, key: str, data: dict[str, Any], by: str) -> Row:
        """Store a new state."""
        old = self.truth(key)
        row = Row(data, old.version + 1 if old else 1, by, time.time())
        self.history.setdefault(key, []).append(row)
        return row

    def touch(self, key: str, by: str, **changes: Any) -> None:
        """Change members as a job of the service does."""
        if old := self.truth(key):
            self.history[key].append(
                replace(
                    old, data={**old.data, **changes}, version=old.version + 1, by=by, changed=time.time()
                )
            )

    def drop(self, key: str) -> None:
        """Delete a row."""
        self.history.pop(key, None)

    def tarry(self) -> None:
        """Take long over the first write, after it is stored."""
        wait, self._tarry = self._tarry, 0.0
        time.sleep(wait)
