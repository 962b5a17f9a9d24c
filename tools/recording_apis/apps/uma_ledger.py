"""Records with versions that the imitations and the applications of our own making share."""

from __future__ import annotations

import copy
import datetime as dt
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Ledger", "Rec", "iso"]


def iso(moment: float, digits: int = 3) -> str:
    """Return a moment as JSON has it."""
    text = dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return (text[: len(text) - 6 + digits] if digits else text.split(".")[0]) + "Z"


@dataclass
class Rec:
    """One record: its data, its own version, the ledger's serial at its last change, when and by whom."""

    data: Any
    version: int
    serial: int
    at: float
    by: str
    born: float


class Ledger:
    """Records by key; each change counts the record's version and the ledger's serial up.

    Args:
        records: Data by key to start with.
        serial: Where the serial starts.
    """

    def __init__(self, records: Mapping[str, object], serial: int = 4100) -> None:
        self.lock = threading.RLock()
        self.serial = serial
        self.records: dict[str, Rec] = {}
        self.past: list[tuple[float, str, Rec]] = []
        now = time.time()
        for number, (key, data) in enumerate(records.items()):
            self.serial += 3
            at = now - 86400.5 * (2 + number % 7) - 611.25 * number
            self.records[key] = Rec(copy.deepcopy(data), 2 + (number * 3) % 7, self.serial, at, "u-1009", at)

    def get(self, key: str) -> Rec | None:
        """Return a record."""
        return self.records.get(key)

    def before(self, key: str, seconds: float) -> Rec | None:
        """Return a record as it was so many seconds ago."""
        then = time.time() - seconds
        for until, name, rec in self.past:
            if name == key and until > then:
                return rec
        return self.records.get(key)

    def put(self, key: str, data: object, by: str = "u-1009") -> Rec:
        """Store a record."""
        with self.lock:
            self.serial += 1
            now, old = time.time(), self.records.get(key)
            if old:
                self.past.append((now, key, copy.copy(old)))
            version, born = (old.version + 1, old.born) if old else (1, now)
            made = self.records[key] = Rec(copy.deepcopy(data), version, self.serial, now, by, born)
            return made

    def merge(self, key: str, by: str = "u-1009", **fields: object) -> Rec:
        """Change fields of a record."""
        return self.put(key, {**self.records[key].data, **fields}, by)

    def drop(self, key: str) -> None:
        """Delete a record."""
        with self.lock:
            self.serial += 1
            self.records.pop(key, None)

    def below(self, prefix: str) -> dict[str, Rec]:
        """Return the records whose keys begin so."""
        return {key: rec for key, rec in sorted(self.records.items()) if key.startswith(prefix)}
