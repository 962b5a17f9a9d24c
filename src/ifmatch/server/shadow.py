"""Watch a service as it is, and say what preconditions would have refused: no client has to change anything.

A `Shadow` remembers which version of which resource each client was last given. When the client writes, it
tells whether somebody else wrote in between: then the write overwrote a change that the client had not seen.
What it counts is a lower bound: it sees one process, its memory is bounded, and writes past the service do
not show (with `trust_tags` they do when a later read gives another tag).

Pure: the clock is an argument, nothing is sent anywhere; `save` writes one file.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ifmatch.server.conditional import utc_now
from ifmatch.server.events import LOGGER

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ifmatch.server.events import Event

__all__ = ["SCHEMA", "Shadow", "route_of_path"]

SCHEMA: Final = "ifmatch.rollout/1"
"""Name of the form of a report."""

_ELSEWHERE: Final = "(not seen)"
_OTHERS: Final = "(others)"
_MOST_ROWS: Final = 10_000
_MOST_EXAMPLES: Final = 100
_IDENTIFIER: Final = re.compile(r"\d+|[0-9a-fA-F]{8,}|[0-9a-fA-F-]{32,36}|[^/]{25,}|[^/]*\d[^/]*")

_Row = tuple[str, str, str]


def route_of_path(path: str) -> str:
    """Return a template for a path of an unknown route: segments that look like identifiers become {}.

    Args:
        path: as the client sent it; a query is left out.
    """
    segments = path.partition("?")[0].split("/")
    return "/".join("{}" if _IDENTIFIER.fullmatch(segment) else segment for segment in segments)


@dataclass(slots=True)
class _Resource:
    """What was seen of one resource.

    Attributes:
        first: number of the state when the resource was first seen, or seen again after it was forgotten.
        state: number of the current state; a number is never used twice.
        writer: who made the state.
        tag: that was given with this state, "" when none was yet.
    """

    first: int
    state: int
    writer: str = ""
    tag: str = ""


@dataclass(slots=True)
class _Counts:
    """What one client did with one method on one route."""

    writes: int = 0
    guarded: int = 0
    current: int = 0
    blind: int = 0
    overwrote: int = 0
    events: dict[str, int] = field(default_factory=dict)


class Shadow:
    """Remember what clients were given, and count what preconditions would have refused.

    Several threads may use it. It is a sink of events too: at the stage `report-only` it counts by client
    what would have been refused.

    Args:
        most_resources: that are remembered; the one that was not touched for longest is forgotten.
        most_pairs: of client and resource that are remembered.
        paths: whether examples of overwrites name the path of the resource.
        trust_tags: whether another entity tag without a write in between tells of a write elsewhere; only for
            services whose tags change with the content and never otherwise.
        save_to: file that is written every now and then while there are writes, and when the process or the
            ASGI server ends; None for none. `{pid}` in its name is replaced by the number of the process.
        save_every: seconds between two times.
        clock: gives the time, aware.
    """

    def __init__(
        self,
        *,
        most_resources: int = 100_000,
        most_pairs: int = 200_000,
        paths: bool = True,
        trust_tags: bool = False,
        save_to: str | Path | None = None,
        save_every: float = 60.0,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._most_resources = most_resources
        self._most_pairs = most_pairs
        self._paths = paths
        self._trust_tags = trust_tags
        self._save_to = None if save_to is None else str(save_to)
        self._saves_at_exit = False
        self._save_every = save_every
        self._resources: OrderedDict[bytes, _Resource] = OrderedDict()
        # Which state a client was last given: client and resource to the number of the state.
        self._given: OrderedDict[tuple[str, bytes], int] = OrderedDict()
        self._rows: dict[_Row, _Counts] = {}
        self._examples: list[dict[str, Any]] = []
        self._forgotten = 0
        self._sequence = 0
        self._reads = 0
        self._since = self._saved_at = clock()

    def __call__(self, event: Event) -> None:
        """Count an event by client.

        Args:
            event: to count.
        """
        with self._lock:
            events = self._row(event.client, event.route, event.method).events
            name = f"{event.outcome}:{event.cause}" if event.cause else event.outcome
            events[name] = events.get(name, 0) + 1

    def read(self, client: str, path: str, tag: str | None) -> None:
        """Note that a client was given the current state.

        Args:
            client: its name.
            path: of the resource, without the query.
            tag: the entity tag that went with it, None when there was none.
        """
        with self._lock:
            self._reads += 1
            key, resource = self._resource(path)
            if tag:
                if self._trust_tags and resource.tag and resource.tag != tag:
                    # Nobody wrote here, and yet it is another state: another process, or past the service.
                    resource.state = self._next()
                    resource.writer = _ELSEWHERE
                resource.tag = tag
            self._give(client, key, resource)

    def wrote(
        self, client: str, path: str, method: str, *, route: str = "", guarded: bool, tag: str | None = None
    ) -> None:
        """Note that a write was performed.

        Args:
            client: its name.
            path: of the resource, without the query.
            method: of the request.
            route: template of the route; "" derives one from the path.
            guarded: whether the request carried a precondition.
            tag: the entity tag in the answer, None when there was none.
        """
        now = self._clock()
        with self._lock:
            key, resource = self._resource(path)
            counts = self._row(client, route or route_of_path(path), method)
            counts.writes += 1
            given = self._given.get((client, key))
            if guarded:
                counts.guarded += 1
            elif given is None or given < resource.first:
                counts.blind += 1
            elif given == resource.state:
                counts.current += 1
            else:
                counts.overwrote += 1
                self._example(now, client, path, method, resource.writer)
            resource.state = self._next()
            resource.writer = client
            resource.tag = tag or ""
            self._give(client, key, resource)
            if not self._saves_at_exit and self._save_to is not None:
                self._saves_at_exit = True
                atexit.register(_save_last, weakref.ref(self))
            due = self._save_to is not None and (now - self._saved_at).total_seconds() >= self._save_every
            if due:
                self._saved_at = now
        if due:
            self._try_to_save()

    def report(self) -> dict[str, Any]:
        """Return what was counted, as `ifmatch rollout` reads it."""
        with self._lock:
            rows = [
                {
                    "client": client,
                    "route": route,
                    "method": method,
                    "writes": counts.writes,
                    "guarded": counts.guarded,
                    "unguarded_current": counts.current,
                    "unguarded_blind": counts.blind,
                    "overwrote": counts.overwrote,
                    "events": dict(sorted(counts.events.items())),
                }
                for (client, route, method), counts in sorted(self._rows.items())
            ]
            return {
                "schema": SCHEMA,
                "since": self._since.isoformat(timespec="seconds"),
                "until": self._clock().isoformat(timespec="seconds"),
                "reads": self._reads,
                "forgotten": self._forgotten,
                "rows": rows,
                "overwrites": list(self._examples),
            }

    def save(self, path: str | Path | None = None) -> None:
        """Write the report to a file, in one step: a reader never sees half of it.

        Args:
            path: of the file; None for the one that was given at the start.

        Raises:
            ValueError: when there is neither.
            OSError: when it cannot be written.
        """
        given = path if path is not None else self._save_to
        if given is None:
            raise ValueError("save needs a path, as none was given to Shadow(save_to=...)")
        # Only now: a server may make its processes after the application.
        target = Path(str(given).replace("{pid}", str(os.getpid())))
        with self._saving:
            text = json.dumps(self.report(), indent=1)
            beside = target.with_name(f"{target.name}.{os.getpid()}.part")
            beside.write_text(text + "\n", "utf-8")
            beside.replace(target)

    def save_last(self) -> None:
        """Write the report when the service ends, if it is to be saved and has seen a write; never raises."""
        if self._saves_at_exit:
            self._try_to_save()

    def _try_to_save(self) -> None:
        try:
            self.save()
        except OSError as error:
            # A full disk must not fail the request of a client.
            LOGGER.warning("the report of the shadow was not saved: %s", error)

    # --- below, the lock is held

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _row(self, client: str, route: str, method: str) -> _Counts:
        key = (client, route, method)
        if key not in self._rows and len(self._rows) >= _MOST_ROWS:
            key = (_OTHERS, _OTHERS, method[:16])
        return self._rows.setdefault(key, _Counts())

    def _resource(self, path: str) -> tuple[bytes, _Resource]:
        # A digest, so that long paths cost no memory.
        key = blake2b(path.encode("utf-8", "surrogateescape"), digest_size=12).digest()
        resource = self._resources.get(key)
        if resource is None:
            number = self._next()
            resource = self._resources[key] = _Resource(number, number)
            if len(self._resources) > self._most_resources:
                self._resources.popitem(last=False)
                self._forgotten += 1
        else:
            self._resources.move_to_end(key)
        return key, resource

    def _give(self, client: str, key: bytes, resource: _Resource) -> None:
        pair = (client, key)
        self._given[pair] = resource.state
        self._given.move_to_end(pair)
        if len(self._given) > self._most_pairs:
            self._given.popitem(last=False)
            self._forgotten += 1

    def _example(self, now: datetime, client: str, path: str, method: str, writer: str) -> None:
        if len(self._examples) < _MOST_EXAMPLES:
            example = {"at": now.isoformat(timespec="seconds"), "client": client, "method": method}
            example["overwrote"] = writer
            if self._paths:
                example["path"] = path
            self._examples.append(example)


def _save_last(kept: weakref.ref[Shadow]) -> None:
    shadow = kept()
    if shadow is not None:
        shadow.save_last()
