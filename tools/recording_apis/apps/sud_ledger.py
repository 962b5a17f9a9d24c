"""Records with revisions for the library and the laboratory of this folder, and how conditions are judged.

Environment: ``SEED`` records as JSON by key; ``AGE`` seconds since they were
written, or ``WRITTEN`` the time itself; ``SCOPE=1`` one
tag for everything below the first folder; ``SALT`` mixed into tags; ``WEAK=1`` weak tags only;
``UNSTABLE=1`` a tag of the moment; ``VARIANT=1`` a tag of the media type; ``NOETAG=1`` none; ``NEED=1``
insists on a condition; ``IGNORE`` methods whose conditions nobody reads; ``GAP`` seconds between check
and write; ``HOLD`` seconds that a write takes; ``LATE=1`` checks once more after the commit; ``STAMP``
seconds until a job of the service edits what was written; ``STAR=1`` knows no wildcard; ``LAG`` seconds
that reads are behind; ``FRACTION=1`` compares dates to the microsecond; ``LAX=1`` answers 412 to a date
that it cannot read; ``AHEAD`` seconds that the clock of the service is fast; ``TARRY`` seconds until the
first write is answered.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import json
import os
import re
import threading
import time
import zlib
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_TAG = re.compile(r'(W/)?"([^"]*)"')
_IMF = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT")


def setting(name: str) -> str:
    """Return a setting of the service, empty when there is none."""
    return os.environ.get(name, "")


@dataclass(frozen=True)
class Record:
    """One state of a record.

    Attributes:
        key: Path below the service.
        content: Its fields.
        revision: Counts from one.
        changed: Seconds since the epoch.
        author: Who wrote it.
    """

    key: str
    content: dict
    revision: int
    changed: float
    author: str

    @property
    def modified(self) -> str:
        """Return the Last-Modified value."""
        return formatdate(self.changed, usegmt=True)


class Ledger:
    """All records with their history."""

    def __init__(self, style: Callable[[Record, str], str]) -> None:
        self._style = style
        self._lock = threading.RLock()
        self._history: dict[str, list[tuple[float, Record | None]]] = {}
        self._tarried = False
        written = float(setting("WRITTEN") or time.time() - float(setting("AGE") or 260000.4))
        for number, (key, content) in enumerate(json.loads(setting("SEED") or "{}").items()):
            first = Record(key, content, 3 + number % 5, written + number * 61, "import")
            self._history[key] = [(first.changed, first)]

    def now(self) -> float:
        """Return the time of the service's clock."""
        return time.time() + float(setting("AHEAD") or 0)

    def current(self, key: str) -> Record | None:
        """Return the newest state."""
        return self._history[key][-1][1] if key in self._history else None

    def shown(self, key: str, *, behind: bool = True) -> Record | None:
        """Return the state that a read sees."""
        lag = float(setting("LAG") or 0) if behind else 0
        states = [state for moment, state in self._history.get(key, []) if moment <= time.time() - lag]
        return states[-1] if lag and states else self.current(key)

    def below(self, folder: str) -> list[Record]:
        """Return the records of a folder."""
        found = (self.shown(key) for key in sorted(self._history) if key.startswith(f"{folder}/"))
        return [one for one in found if one is not None]

    def tag(self, record: Record, media: str = "") -> str:
        """Return the tag of a state in a media type, empty when the service has none."""
        if setting("NOETAG"):
            return ""
        salt = setting("SALT")
        if setting("UNSTABLE"):
            salt += str(time.time_ns())
        if setting("VARIANT"):
            salt += media
        if setting("SCOPE"):
            folder = record.key.split("/")[0]
            salt += str(sum(one.revision for one in self.below(folder)))
            made = f"{folder}-{zlib.crc32(salt.encode()):08x}"
        else:
            made = self._style(record, salt)
        return f'W/"{made}"' if setting("WEAK") else f'"{made}"'

    def judge(
        self, method: str, fields: Mapping[str, str], record: Record | None, media: str = ""
    ) -> tuple[int, str]:
        """Return the status of a condition, 0 for none, and the reason (RFC 9110 section 13.2.2)."""
        if method in setting("IGNORE").split(","):
            return 0, ""
        safe = method in {"GET", "HEAD"}
        tag = self.tag(record, media) if record else ""
        match, since = fields.get("If-Match"), fields.get("If-Unmodified-Since")
        if match is not None:
            if record is None or not self._matches(match, tag):
                return 412, "mark" if record else "gone"
        elif since is not None and record and not self._untouched(since, record):
            return 412, "date"
        none = fields.get("If-None-Match")
        if none is not None:
            if record and (none.strip() == "*" or tag.removeprefix("W/") in none.replace("W/", "")):
                return (304, "") if safe else (412, "taken")
        elif safe and record and self._unmodified(fields.get("If-Modified-Since", ""), record):
            return 304, ""
        if setting("NEED") and not safe and record and match is None and since is None and none is None:
            return 428, "needed"
        return 0, ""

    def _matches(self, sent: str, tag: str) -> bool:
        if sent.strip() == "*":
            return not setting("STAR")
        listed = [f'"{found[2]}"' for found in _TAG.finditer(sent) if not found[1]]
        return tag in listed

    def _unmodified(self, held: str, record: Record) -> bool:
        if not _IMF.fullmatch(held):
            return False
        return int(record.changed) <= parsedate_to_datetime(held).timestamp()

    def _untouched(self, sent: str, record: Record) -> bool:
        if not _IMF.fullmatch(sent):
            return not setting("LAX")
        changed = record.changed if setting("FRACTION") else int(record.changed)
        return changed <= parsedate_to_datetime(sent).timestamp()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with nullcontext() if setting("GAP") else self._lock:
            yield

    def write(
        self,
        method: str,
        key: str,
        fields: Mapping[str, str],
        content: Callable[[Record | None], dict] | None,
        *,
        author: str,
        media: str = "",
    ) -> tuple[int, Record | None, str]:
        """Judge and commit; return the status, the state and the reason of a refusal."""
        with self._turn():
            time.sleep(float(setting("HOLD") or 0))
            record = self.current(key)
            status, reason = self.judge(method, fields, record, media)
            if status:
                return status, record, reason
            if record is None and method != "PUT":
                return 404, None, "unknown"
            time.sleep(float(setting("GAP") or 0))
            made = self.commit(key, content(record) if content else None, author)
        if setting("LATE") and made:
            status, reason = self.judge(method, fields, made, media)
        if setting("TARRY") and not self._tarried:
            self._tarried = True
            time.sleep(float(setting("TARRY")))
        if status:
            return status, made, reason
        return (204 if made is None else 200 if record else 201), made, ""

    def commit(self, key: str, content: dict | None, author: str) -> Record | None:
        """Write a state, or delete with no content."""
        with self._lock:
            before = self.current(key)
            revision = before.revision + 1 if before else 1
            made = None if content is None else Record(key, content, revision, self.now(), author)
            self._history.setdefault(key, []).append((time.time(), made))
        if made and setting("STAMP") and author != "nightshift-job":
            later = {**made.content, "checkedBy": "nightshift-job"}
            threading.Timer(float(setting("STAMP")), self.commit, (key, later, "nightshift-job")).start()
        return made
