"""Versioned records for the claims desk and the device hub of this folder.

Environment: ``SEED`` records as JSON by key; ``AGE`` seconds since they were written; ``SALT`` mixed into
tags; ``JITTER=1`` a tag of the moment; ``SOFT=1`` weak tags; ``BYMEDIA=1`` tags of the media type;
``NOTAG=1`` none; ``NEED=1`` insists on a condition; ``BLIND`` methods whose conditions nobody reads;
``GAP`` seconds between check and commit; ``TARRY`` seconds until the answer to the first write;
``RECHECK=1`` checks again after the commit; ``ROBOT`` seconds until a job of the service edits what was
written; ``LAG`` seconds that reads are behind; ``MICRO=1`` compares dates with their fraction; ``AHEAD``
seconds that the clock is fast; ``NOSTAR=1`` knows no wildcard; ``READ412=1`` refuses a read that is not
modified; ``BUSY`` how many writes are first told to come back; ``FOLDER=1`` one tag for all of a folder;
``BADDATE`` status for a date that cannot be read.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import json
import os
import re
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LISTED = re.compile(r'(W/)?"([^"]*)"')
_DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


def setting(name: str) -> str:
    """Return a setting, empty when there is none."""
    return os.environ.get(name, "")


def seconds(name: str) -> float:
    """Return a setting in seconds, 0 when there is none."""
    return float(setting(name) or 0)


@dataclass(frozen=True)
class State:
    """What a record was at a moment.

    Attributes:
        key: Its path.
        fields: Its content; ``None`` when it was deleted.
        number: Counts its states.
        moment: Seconds since the epoch by the service's clock.
        author: Who wrote it.
    """

    key: str
    fields: dict | None
    number: int
    moment: float
    author: str

    @property
    def date(self) -> str:
        """Return its Last-Modified."""
        return formatdate(self.moment, usegmt=True)

    @property
    def instant(self) -> str:
        """Return its time to the millisecond."""
        whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.moment))
        return f"{whole}.{int(self.moment % 1 * 1000):03d}Z"


class Records:
    """All records; ``mint`` makes the opaque part of a tag of a state and a salt."""

    def __init__(self, mint: Callable[[State, str], str]) -> None:
        self._mint = mint
        self._lock = threading.RLock()
        self._busy = int(setting("BUSY") or 0)
        self._tarry = seconds("TARRY")
        self._states: dict[str, list[tuple[float, State]]] = {}
        start = time.time() - float(setting("AGE") or 188000.37) + seconds("AHEAD")
        for index, (key, fields) in enumerate(json.loads(setting("SEED") or "{}").items()):
            state = State(key, fields, 1 + (index * 5) % 9, start + index * 977.21, "migration")
            self._states[key] = [(0.0, state)]

    def newest(self, key: str) -> State | None:
        """Return the newest state unless it was deleted."""
        states = self._states.get(key)
        return states[-1][1] if states and states[-1][1].fields is not None else None

    def seen(self, key: str) -> State | None:
        """Return the state that a read sees."""
        until = time.time() - seconds("LAG")
        states = [state for moment, state in self._states.get(key, []) if moment <= until]
        return states[-1] if states and states[-1].fields is not None else None

    def folder(self, path: str) -> list[State]:
        """Return what lies in a folder."""
        found = (self.seen(key) for key in sorted(self._states) if key.rpartition("/")[0] == path)
        return [one for one in found if one]

    def tag(self, state: State, media: str = "") -> str:
        """Return the entity tag of a state, empty when there is none."""
        if setting("NOTAG"):
            return ""
        salt = setting("SALT")
        salt += media if setting("BYMEDIA") else ""
        salt += str(time.time_ns()) if setting("JITTER") else ""
        if setting("FOLDER"):
            path = state.key.rpartition("/")[0]
            state = replace(state, key=path, number=sum(one.number for one in self.folder(path)))
        opaque = self._mint(state, salt)
        return f'W/"{opaque}"' if setting("SOFT") else f'"{opaque}"'

    def judge(
        self, method: str, fields: Mapping[str, str], state: State | None, media: str = ""
    ) -> tuple[int, str]:
        """Return 0 or the status of a condition that does not hold, and which (RFC 9110 section 13.2.2)."""
        if method in setting("BLIND").split(","):
            return 0, ""
        reads = method in {"GET", "HEAD"}
        match, none = fields.get("if-match"), fields.get("if-none-match")
        since = fields.get("if-unmodified-since")
        tag = self.tag(state, media) if state else ""
        if match is not None:
            if not (state and self._named(match, tag)):
                return 412, "stale" if state else "absent"
        elif since is not None and state:
            if not _DATE.fullmatch(since):
                if setting("BADDATE"):
                    return int(setting("BADDATE")), "date"
            elif (state.moment if setting("MICRO") else int(state.moment)) > _stamp(since):
                return 412, "stale"
        if none is not None:
            if state and (none == "*" or tag.removeprefix("W/") in none):
                refusal = 412 if setting("READ412") else 304
                return (refusal, "unchanged") if reads else (412, "exists")
        elif reads and state and _DATE.fullmatch(held := fields.get("if-modified-since", "")):
            return (304, "unchanged") if int(state.moment) <= _stamp(held) else (0, "")
        if setting("NEED") and not reads and state and match is None and since is None and none is None:
            return 428, "unguarded"
        return 0, ""

    def _named(self, sent: str, tag: str) -> bool:
        if sent == "*":
            return not setting("NOSTAR")
        return tag in [f'"{found[2]}"' for found in _LISTED.finditer(sent) if not found[1]]

    def write(
        self,
        method: str,
        key: str,
        headers: Mapping[str, str],
        edit: Callable[[dict], dict | None],
        *,
        author: str,
        media: str = "",
    ) -> tuple[int, State | None, str]:
        """Judge a write and commit it; return the status, the state, and the reason of a refusal."""
        with nullcontext() if setting("GAP") else self._lock:
            if self._busy:
                self._busy -= 1
                return 503, None, "busy"
            old = self.newest(key)
            status, reason = self.judge(method, headers, old, media)
            if status:
                return status, old, reason
            if old is None and method != "PUT":
                return 404, None, "unknown"
            time.sleep(seconds("GAP"))
            new = self.commit(key, edit(old.fields if old else {}), author)
        if setting("RECHECK") and new.fields is not None:
            status, reason = self.judge(method, headers, new, media)
        tarry, self._tarry = self._tarry, 0.0
        time.sleep(tarry)
        if status:
            return status, new, reason
        return (204 if new.fields is None else 200 if old else 201), new, ""

    def commit(self, key: str, fields: dict | None, author: str) -> State:
        """Write a state and let the job of the service follow."""
        with self._lock:
            before = self._states.get(key)
            number = before[-1][1].number + 1 if before else 1
            made = State(key, fields, number, time.time() + seconds("AHEAD"), author)
            self._states.setdefault(key, []).append((time.time(), made))
        if fields is not None and setting("ROBOT") and not author.startswith("svc-"):
            later = {**fields, "score": 61 + number}
            threading.Timer(seconds("ROBOT"), self.commit, (key, later, "svc-scoring")).start()
        return made


def _stamp(date: str) -> float:
    return parsedate_to_datetime(date).timestamp()
