"""Let the writers of one resource go one after another, in the order they came, between threads or tasks.

Whoever is first does the work, for itself or for those behind it as well, and then wakes the next. So nobody
of one process collides with another, the last validator is handed over, and nobody is overtaken.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar
from weakref import WeakKeyDictionary, WeakSet, ref

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

__all__ = ["AsyncLanes", "Entry", "Lanes"]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True, eq=False)
class Entry(Generic[T, R]):
    """One writer in a lane.

    Attributes:
        item: what it wants done.
        kind: entries of the same kind may be done together; None: never.
        outcome: what came of it, set by whoever did the work.
    """

    item: T
    kind: object = None
    outcome: R | None = None
    leads: bool = False
    in_time: bool = True
    signal: threading.Event | None = None
    future: asyncio.Future[None] | None = None
    context: Context | None = None


def _nothing() -> None:
    """Stop nothing."""


@dataclass(slots=True)
class _Lane(Generic[T, R]):
    queue: deque[Entry[T, R]] = field(default_factory=deque[Entry[T, R]])
    users: int = 0
    owner: int = 0

    def take(self, leader: Entry[T, R], most: int) -> list[Entry[T, R]]:
        """Return the leader and those right behind it that go with it."""
        batch = [leader]
        while (
            self.queue and len(batch) < most and leader.kind is not None and self.queue[0].kind == leader.kind
        ):
            batch.append(self.queue.popleft())
        return batch


class Lanes(Generic[T, R]):
    """Lanes between threads, one a resource.

    Args:
        most: how many entries may be done together.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self.renew()
        _forked.add(self)

    def renew(self) -> None:
        """Begin without anybody: whoever had a lane when the process forked is not in the child."""
        self._lanes: dict[object, _Lane[T, R]] = {}
        self._lock = threading.Lock()

    def run(
        self, key: object, entry: Entry[T, R], work: Callable[[Sequence[Entry[T, R]]], None], patience: float
    ) -> bool:
        """Have an entry done, by this thread or by one before it.

        Args:
            key: of the resource.
            entry: what is to be done.
            work: does a batch of entries and sets their outcomes; it must not raise.
            patience: seconds to wait for the turn.

        Returns:
            False when the turn did not come in time; nothing was done then.

        Raises:
            RuntimeError: this very thread is doing a batch of that lane, and would wait for itself.
        """
        with self._lock:
            lane = self._lanes.setdefault(key, _Lane())
            if lane.owner == threading.get_ident():
                raise RuntimeError(
                    "a change, or an observer, of an update cannot update the same resource: it would wait"
                    " for itself. Make both changes in one function, or one after the other"
                )
            lane.users += 1
            if lane.users == 1:
                entry.leads = True
            else:
                entry.signal = threading.Event()
                lane.queue.append(entry)
        if entry.signal is not None and not self._turn(key, lane, entry, patience):
            return False
        if not entry.leads:
            return True
        batch = [entry]
        try:
            with self._lock:
                batch = lane.take(entry, self._most)
                lane.owner = threading.get_ident()
            work(batch)
        finally:
            lane.owner = 0
            for other in batch[1:]:
                if other.signal is not None:
                    other.signal.set()
            with self._lock:
                self._leave(key, lane, len(batch))
        return True

    def _turn(self, key: object, lane: _Lane[T, R], entry: Entry[T, R], patience: float) -> bool:
        """Wait to be woken; False when that did not happen in time."""
        signal = entry.signal
        assert signal is not None  # noqa: S101 - set by the caller
        try:
            if signal.wait(patience):
                return True
            with self._lock:
                if entry in lane.queue:
                    lane.queue.remove(entry)
                    self._leave(key, lane, 1)
                    return False
            # Taken into a batch, or woken, at the last moment: the work is under way.
            signal.wait()
        except BaseException:
            # A signal handler raised (Ctrl-C does): nobody would do the work of one that is still queued.
            with self._lock:
                queued = entry in lane.queue
                if queued:
                    lane.queue.remove(entry)
                if queued or entry.leads:
                    self._leave(key, lane, 1)
            raise
        return True

    def waiting(self, key: object) -> int:
        """Return how many wait in the lane of a resource."""
        lane = self._lanes.get(key)
        return 0 if lane is None else len(lane.queue)

    def foretell(self, key: object, delay: float, prepare: Callable[[T], None]) -> Callable[[], None]:
        """Do nothing: a thread that waits can do nothing ahead without taking time from others.

        Args:
            key: of the resource.
            delay: as in `AsyncLanes`.
            prepare: as in `AsyncLanes`.
        """
        del self, key, delay, prepare
        return _nothing

    def _leave(self, key: object, lane: _Lane[T, R], users: int) -> None:
        lane.users -= users
        if lane.users == 0:
            self._lanes.pop(key, None)
        elif lane.queue and lane.users == len(lane.queue):
            following = lane.queue.popleft()
            following.leads = True
            if following.signal is not None:
                following.signal.set()


_forked: Final[WeakSet[Lanes[Any, Any]]] = WeakSet()


def _renew_all() -> None:
    for lanes in [*_forked]:
        lanes.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)

_Loops: TypeAlias = "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[object, _Lane[T, R]]]"


def _running_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError as error:
        raise RuntimeError("AsyncClient runs on asyncio: under trio or curio only `track` does") from error


class AsyncLanes(Generic[T, R]):
    """Lanes between tasks of one event loop, one a resource.

    Args:
        most: how many entries may be done together.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._loops: _Loops[T, R] = WeakKeyDictionary()
        self._last: tuple[object, dict[object, _Lane[T, R]]] = (_nothing, {})

    async def run(
        self,
        key: object,
        entry: Entry[T, R],
        work: Callable[[Sequence[Entry[T, R]]], Awaitable[None]],
        patience: float,
    ) -> bool:
        """Have an entry done, by this task or by one before it.

        Args:
            key: of the resource.
            entry: what is to be done.
            work: does a batch of entries and sets their outcomes; it must not raise.
            patience: seconds to wait for the turn.

        Returns:
            False when the turn did not come in time; nothing was done then.
        """
        loop = _running_loop()
        lanes = self._of(loop)
        lane = lanes.get(key) or lanes.setdefault(key, _Lane())
        lane.users += 1
        if lane.users > 1:
            entry.future = loop.create_future()
            entry.context = copy_context()
            lane.queue.append(entry)
            if not await self._turn(lanes, key, lane, entry, patience):
                return False
            if not entry.leads:
                return True
        batch = lane.take(entry, self._most)
        if len(batch) == 1:
            try:
                await work(batch)
            finally:
                followed = self._leave(lanes, key, lane, 1)
            if followed:
                # The next one first: all that waits, waits for it.
                await asyncio.sleep(0)
            return True
        # The others must not suffer when this task is cancelled: the work goes on without it.
        task = asyncio.ensure_future(work(batch))
        task.add_done_callback(lambda _: self._done(lanes, key, lane, batch))
        await asyncio.shield(task)
        return True

    def waiting(self, key: object) -> int:
        """Return how many wait in the lane of a resource."""
        lane = self._of(asyncio.get_running_loop()).get(key)
        return 0 if lane is None else len(lane.queue)

    def foretell(self, key: object, delay: float, prepare: Callable[[T], None]) -> Callable[[], None]:
        """Let the next in line prepare while the one before it waits for its answer.

        Args:
            key: of the resource.
            delay: seconds until then, so that the request before is surely on its way.
            prepare: is called with what the next one wants done, in its context; it must not raise.

        Returns:
            What calls it off.
        """
        loop = asyncio.get_running_loop()
        lane = self._of(loop).get(key)
        if lane is None or not lane.queue:
            return _nothing
        return loop.call_later(delay, self._prepare, lane, prepare).cancel

    def _of(self, loop: asyncio.AbstractEventLoop) -> dict[object, _Lane[T, R]]:
        """Return the lanes of an event loop: as a rule the one that was asked for last."""
        last = self._last
        if last[0] is ref(loop):
            return last[1]
        lanes = self._loops.setdefault(loop, {})
        self._last = ref(loop), lanes
        return lanes

    @staticmethod
    def _prepare(lane: _Lane[T, R], prepare: Callable[[T], None]) -> None:
        if lane.queue and lane.queue[0].context is not None:
            lane.queue[0].context.run(prepare, lane.queue[0].item)

    async def _turn(
        self,
        lanes: dict[object, _Lane[T, R]],
        key: object,
        lane: _Lane[T, R],
        entry: Entry[T, R],
        patience: float,
    ) -> bool:
        """Wait to be woken; False when that did not happen in time."""
        future = entry.future
        assert future is not None  # noqa: S101 - set by the caller
        # A timer and the future itself: wait_for and shield would wake the task turns of the loop later.
        timer = future.get_loop().call_later(patience, self._given_up, lanes, key, lane, entry)
        try:
            await future
        except asyncio.CancelledError:
            if entry in lane.queue:
                lane.queue.remove(entry)
                self._leave(lanes, key, lane, 1)
            elif entry.leads:
                self._leave(lanes, key, lane, 1)
            raise
        finally:
            timer.cancel()
        return entry.in_time

    def _given_up(
        self, lanes: dict[object, _Lane[T, R]], key: object, lane: _Lane[T, R], entry: Entry[T, R]
    ) -> None:
        """Wake one whose patience is over, unless it was taken into a batch or woken at the last moment."""
        if entry not in lane.queue:
            return
        lane.queue.remove(entry)
        self._leave(lanes, key, lane, 1)
        entry.in_time = False
        if entry.future is not None and not entry.future.done():
            entry.future.set_result(None)

    def _done(
        self, lanes: dict[object, _Lane[T, R]], key: object, lane: _Lane[T, R], batch: Sequence[Entry[T, R]]
    ) -> None:
        for other in batch[1:]:
            if other.future is not None and not other.future.done():
                other.future.set_result(None)
        self._leave(lanes, key, lane, len(batch))

    def _leave(self, lanes: dict[object, _Lane[T, R]], key: object, lane: _Lane[T, R], users: int) -> bool:
        """Wake the next one; tell whether there was one."""
        lane.users -= users
        if lane.users == 0:
            lanes.pop(key, None)
            return False
        if not lane.queue or lane.users != len(lane.queue):
            return False
        following = lane.queue.popleft()
        following.leads = True
        if following.future is not None and not following.future.done():
            following.future.set_result(None)
        return True
