"""States with their history for the imitations of this folder's ``kim_office`` and ``kim_suite``.

Environment: ``SEED`` states by key (``$writes`` how often one was written before); ``AGE`` seconds since
then; ``LAG`` seconds that reads are behind; ``GAP`` between check and write; ``HOLD`` that a write takes;
``TARRY`` before the first write is answered; ``LATE=1`` checks once more after the commit; ``IGNORE=1``
checks nothing; ``STAMP`` seconds until the service itself merges ``STAMPED`` into what was written;
``UNSTABLE=1`` and ``PAIR=1`` mix the moment or the node into every tag; ``NEED=1`` insists on a condition.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_IMF = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT")
Told = tuple[int, Any, dict[str, str]]


def setting(name: str) -> str:
    """Return a setting of the service, empty when there is none."""
    return os.environ.get(name, "")


@dataclass(frozen=True)
class Asked:
    """A request, whichever framework took it.

    Attributes:
        method: Its method.
        path: Its path, decoded.
        query: Its parameters.
        fields: Its fields, names in lower case.
        text: Its content.
        node: Name of the process that took it.
    """

    method: str
    path: str
    query: Mapping[str, str]
    fields: Mapping[str, str]
    text: str
    node: str

    @property
    def json(self) -> Any:
        """Return the content decoded, an empty object without one."""
        return json.loads(self.text) if self.text else {}

    @property
    def by(self) -> str:
        """Return who asks."""
        return self.fields.get("x-actor") or self.fields.get("user-agent", "?")


@dataclass(frozen=True)
class State:
    """One state of one resource.

    Attributes:
        key: Its name below the service.
        number: Counts the states of this resource.
        serial: Counts the states of the whole service.
        body: Its content.
        changed: Seconds since the epoch.
        by: Who wrote it.
    """

    key: str
    number: int
    serial: int
    body: dict[str, Any] | None
    changed: float
    by: str

    @property
    def modified(self) -> str:
        """Return the Last-Modified value."""
        return formatdate(self.changed, usegmt=True)

    @property
    def stamp(self) -> str:
        """Return the moment in the form of RFC 3339."""
        whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.changed))
        return f"{whole}.{int(self.changed % 1 * 1000):03d}Z"

    def mark(self, node: str = "", length: int = 16) -> str:
        """Return an opaque name of this state."""
        mixed = [self.key, self.number, self.serial, setting("PAIR") and node]
        if setting("UNSTABLE"):
            mixed.append(time.time_ns())
        return hashlib.sha256(json.dumps(mixed).encode()).hexdigest()[:length]


class Store:
    """All states."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._rows: dict[str, list[State]] = {}
        self._tarried = False
        self.serial = int(setting("SERIAL") or 1940)
        old = time.time() - float(setting("AGE") or 90000.37)
        for key, body in json.loads(setting("SEED") or "{}").items():
            times = body.pop("$writes", 1)
            for _ in range(times):
                self.commit(key, body, "import", old)
                old += 17.13

    def current(self, key: str) -> State | None:
        """Return the newest state."""
        last = self._rows[key][-1] if key in self._rows else None
        return last if last and last.body is not None else None

    def shown(self, key: str) -> State | None:
        """Return the state that a read sees."""
        if not (lag := float(setting("LAG") or 0)):
            return self.current(key)
        seen = [one for one in self._rows.get(key, []) if one.changed <= time.time() - lag]
        return seen[-1] if seen and seen[-1].body is not None else None

    def below(self, folder: str) -> list[State]:
        """Return the states of a folder."""
        found = [self.shown(key) for key in sorted(self._rows) if key.startswith(folder)]
        return [one for one in found if one is not None]

    def commit(self, key: str, body: dict[str, Any] | None, by: str, at: float = 0.0) -> State | None:
        """Write a state, or delete without a body."""
        with self._lock:
            rows = self._rows.setdefault(key, [])
            self.serial += 1
            made = State(key, len(rows) + 1, self.serial, body, at or time.time(), by)
            rows.append(made)
        if body is not None and setting("STAMP") and by not in {"import", "SYSTEM"}:
            threading.Timer(float(setting("STAMP")), self._edit, (key,)).start()
        return made if body is not None else None

    def _edit(self, key: str) -> None:
        if (now := self.current(key)) is not None:
            self.commit(key, {**(now.body or {}), **json.loads(setting("STAMPED") or "{}")}, "SYSTEM")

    def write(
        self,
        key: str,
        check: Callable[[State | None], Told | None],
        make: Callable[[State | None], dict[str, Any] | None],
        by: str,
    ) -> tuple[Told | None, State | None, State | None]:
        """Check and commit; return the refusal, the new state and the one before."""
        with nullcontext() if setting("GAP") else self._lock:
            time.sleep(float(setting("HOLD") or 0))
            was = self.current(key)
            refused = None if setting("IGNORE") else check(was)
            if refused:
                return refused, None, was
            time.sleep(float(setting("GAP") or 0))
            made = self.commit(key, make(was), by)
        if setting("LATE") and made:
            refused = check(made)
        if setting("TARRY") and not self._tarried:
            self._tarried = True
            time.sleep(float(setting("TARRY")))
        return refused, made, was


STORE = Store()


def opaque(value: str) -> str:
    """Return a tag without its weakness."""
    return value.strip().removeprefix("W/")


def holds(fields: Mapping[str, str], state: State | None, tag: str, *, weakly: bool = False) -> str:
    """Return which field of a write does not hold, empty when all do (RFC 9110 section 13.2.2)."""
    match, none = fields.get("if-match"), fields.get("if-none-match")
    if match is not None:
        listed = [one.strip() for one in match.split(",")]
        if weakly:
            listed = [opaque(one) for one in listed]
        wanted = opaque(tag) if weakly else "" if tag.startswith("W/") else tag
        star = match.strip() == "*" and not setting("STARBUG")
        if state is None or not (star or (wanted and wanted in listed)):
            return "If-Match"
    elif (since := fields.get("if-unmodified-since")) is not None and state:
        if not _IMF.fullmatch(since):
            return "bad date" if setting("LAX") else ""
        changed = state.changed if setting("FRACTION") else int(state.changed)
        if changed > parsedate_to_datetime(since).timestamp():
            return "If-Unmodified-Since"
    if none is not None and state and (none.strip() == "*" or opaque(tag) in none.replace("W/", "")):
        return "If-None-Match"
    return ""


def unchanged(asked: Asked, tag: str, modified: str = "") -> bool:
    """Return whether a read may be answered with 304."""
    none = asked.fields.get("if-none-match")
    if none is not None:
        return opaque(tag) in none.replace("W/", "") if tag else False
    return bool(modified) and asked.fields.get("if-modified-since") == modified
