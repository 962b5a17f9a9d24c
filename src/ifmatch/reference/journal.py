"""Remember who read and wrote what, for the page and for lessons.

Source of the fields looked at: RFC 9110 section 13.1.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import deque
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from ifmatch.reference.messages import Answer, Request

__all__ = ["Event", "Journal", "SharedJournal", "event_of"]

_REMEMBERED: Final = 500
_CONDITIONS: Final = ("if-match", "if-none-match", "if-unmodified-since", "if-modified-since", "if-range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One exchange, as the page shows it.

    Attributes:
        number: 1, 2, ... in the order of the answers; 0 before the journal has numbered it.
        at: seconds since the epoch.
        who: the name a page gave itself, else the first word of the user agent, else the address.
        method: of the request.
        path: of the request.
        condition: the conditional fields that it carried, as `Name: value`.
        status: of the answer, 0 when none was given.
        etag: of the answer, "" without one.
        content: of the request, or of a 200 to GET; the first kilobyte as text.
    """

    number: int = 0
    at: float
    who: str
    method: str
    path: str
    condition: str
    status: int
    etag: str
    content: str

    def document(self) -> dict[str, object]:
        """Return the event as JSON members."""
        return {name: getattr(self, name) for name in self.__slots__}


def event_of(request: Request, answer: Answer | None, content: bytes, *, at: datetime) -> Event:
    """Make the event of an exchange.

    Args:
        request: as it came in.
        answer: as it went out, None when none was given.
        content: that is worth showing.
        at: when.
    """
    agent = (request.get("user-agent") or "").split("/")[0].split(" ")[0]
    condition = "; ".join(f"{name.title()}: {value}" for name, value in request.fields if name in _CONDITIONS)
    return Event(
        at=at.timestamp(),
        who=request.get("practice-client") or agent or request.sender,
        method=request.method,
        path=request.path,
        condition=condition,
        status=answer.status if answer is not None else 0,
        etag=(answer.get("etag") if answer is not None else None) or "",
        content=content[:1024].decode("utf-8", "replace"),
    )


class Journal:
    """The latest events of this process, and a way to wait for the next.

    Args:
        remembered: how many events are kept.

    Attributes:
        closed: True at the end of the server.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._events: deque[Event] = deque(maxlen=remembered)
        self._news = asyncio.Event()
        self._last = 0
        self.closed = False

    def add(self, event: Event) -> None:
        """Number an event, keep it, and wake who waits."""
        self._last += 1
        self._events.append(replace(event, number=self._last))
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def fetch(self, after: int) -> list[Event]:
        """Return the events that are younger than a number, oldest first."""
        return [event for event in self._events if event.number > after]

    def __iter__(self) -> Iterator[Event]:
        return iter(tuple(self._events))

    def close(self) -> None:
        """End all waiting, for the end of the server."""
        self.closed = True
        self._wake()

    async def wait(self, seconds: float) -> bool:
        """Wait for the next event, at most so long; tell whether it came."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return False
        return True


class SharedJournal(Journal):
    """A journal of several processes, in an SQLite file; an event is there a tenth of a second later.

    Args:
        path: of the file, the same for all processes.
        remembered: how many events are kept.
    """

    def __init__(self, path: Path, remembered: int = _REMEMBERED) -> None:
        super().__init__(remembered)
        self._path = path
        self._remembered = remembered
        self._pending: list[Event] = []
        self._flushing: asyncio.Task[None] | None = None

    def add(self, event: Event) -> None:
        """Keep an event for the next flush."""
        self._pending.append(event)
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        # Events that come while the others are written are written next, without waiting for one more.
        while self._pending:
            await asyncio.sleep(0.1)
            pending, self._pending = self._pending, []
            await asyncio.to_thread(self._write, pending)
            self._wake()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=5.0, isolation_level=None)
        # What a crash loses is worth nothing here.
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, event TEXT NOT NULL)"
        )
        return connection

    def _write(self, events: list[Event]) -> None:
        rows = [(json.dumps(event.document()),) for event in events[-self._remembered :]]
        with closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO events (event) VALUES (?)", rows)
            connection.execute(
                "DELETE FROM events WHERE number <= (SELECT max(number) FROM events) - ?", (self._remembered,)
            )
            connection.execute("COMMIT")

    async def fetch(self, after: int) -> list[Event]:
        """Return the events of all processes that are younger than a number, oldest first."""
        return await asyncio.to_thread(self._read, after)

    def _read(self, after: int) -> list[Event]:
        with closing(self._open()) as connection:
            rows = cast(
                "list[tuple[int, str]]",
                connection.execute(
                    "SELECT number, event FROM events WHERE number > ? ORDER BY number", (after,)
                ).fetchall(),
            )
        return [replace(Event(**json.loads(text)), number=number) for number, text in rows]

    async def wait(self, seconds: float) -> bool:
        """Wait a moment: other processes do not wake this one."""
        if not self.closed:
            await super().wait(min(seconds, 0.2))
        return True
