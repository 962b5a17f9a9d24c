"""Run many flows in one thread on a virtual clock: a discrete-event simulation.

A flow is a generator. It yields seconds to sleep, or a promise to wait for. Calls are `yield from`.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Generator
from typing import Final, Generic, TypeAlias, TypeVar, cast

T = TypeVar("T")


class TimedOut:
    """What waiting for a promise gives when its time is up."""


TIMED_OUT: Final = TimedOut()


class Promise(Generic[T]):
    """A value that comes later."""

    def __init__(self) -> None:
        self.done = False
        self.value: T | None = None
        self.waiting: list[_Process] = []


Flow: TypeAlias = Generator["float | Promise[object]", object, T]


class _Process:
    def __init__(self, flow: Flow[object], promise: Promise[object]) -> None:
        self.flow = flow
        self.promise = promise
        self.ticket = 0


class World:
    """The clock, the randomness and the agenda of one case.

    Args:
        seed: decides everything that is random in this world.
        start: virtual time at the beginning, in seconds since the epoch.
    """

    def __init__(self, seed: str, start: float) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - a seeded world, not a secret
        self.now = start
        self._agenda: list[tuple[float, int, _Process, int, object]] = []
        self._number = 0

    def spawn(self, flow: Flow[T], delay: float = 0.0) -> Promise[T]:
        """Start a flow beside the others.

        Args:
            flow: what to run.
            delay: seconds from now.

        Returns:
            A promise of what the flow returns.
        """
        promise: Promise[object] = Promise()
        self._at(self.now + delay, _Process(cast("Flow[object]", flow), promise), None)
        return cast("Promise[T]", promise)

    def wait(self, promise: Promise[T], limit: float | None = None) -> Flow[T | TimedOut]:
        """Wait for a promise, at most `limit` seconds; `TIMED_OUT` when they are over."""
        if limit is not None:
            self.spawn(self._alarm(cast("Promise[object]", promise), limit))
        got = yield cast("Promise[object]", promise)
        return cast("T | TimedOut", got)

    def run(self) -> None:
        """Run until nothing is left to do."""
        while self._agenda:
            at, _, process, ticket, value = heapq.heappop(self._agenda)
            if ticket != process.ticket:
                continue
            self.now = at
            self._step(process, value)

    def _alarm(self, promise: Promise[object], limit: float) -> Flow[None]:
        yield limit
        if not promise.done:
            waiting, promise.waiting = promise.waiting, []
            for process in waiting:
                self._at(self.now, process, TIMED_OUT)

    def _at(self, when: float, process: _Process, value: object) -> None:
        process.ticket += 1
        self._number += 1
        heapq.heappush(self._agenda, (when, self._number, process, process.ticket, value))

    def _step(self, process: _Process, value: object) -> None:
        try:
            wanted = process.flow.send(value)
        except StopIteration as stop:
            process.promise.done = True
            process.promise.value = stop.value
            waiting, process.promise.waiting = process.promise.waiting, []
            for other in waiting:
                self._at(self.now, other, stop.value)
            return
        if isinstance(wanted, Promise):
            if wanted.done:
                self._at(self.now, process, wanted.value)
            else:
                process.ticket += 1
                wanted.waiting.append(process)
        else:
            self._at(self.now + max(float(wanted), 0.0), process, None)
