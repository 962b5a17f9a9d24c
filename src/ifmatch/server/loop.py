"""Perform one conditional write: read, evaluate, change, swap; again when somebody was faster.

412 is answered only when the condition was false on a state that was read. A lost swap leads to another read,
never to a 412 by itself: the condition may well be true on the newer state (`If-Match: *`, a list, a date, or
none at all).

Source: RFC 9110 section 13.2.1 and section 13.2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ifmatch.core.preconditions import evaluate
from ifmatch.server.stores.protocol import ABSENT, Content, Lost, Snapshot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence

    from ifmatch.core.decision import Decision
    from ifmatch.server.stores.protocol import Absent, AsyncStore, Deleted, Store, Version

__all__ = [
    "Applied",
    "Declined",
    "Exhausted",
    "Limits",
    "NotModified",
    "Outcome",
    "PreconditionFailed",
    "apply",
    "apply_async",
]

Fields: TypeAlias = "Sequence[tuple[str | bytes, str | bytes]] | Mapping[str, str]"
Change: TypeAlias = "Callable[[Snapshot | None], Content | Deleted | Declined]"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound the loop.

    Attributes:
        attempts: most swaps that are tried.
        seconds: deadline from the first read.
        first_pause: upper bound of the first pause in seconds; it doubles with each lost swap.
        longest_pause: most that one pause may take, in seconds.
    """

    attempts: int = 64
    seconds: float = 5.0
    first_pause: float = 0.001
    longest_pause: float = 0.1


@dataclass(frozen=True, slots=True)
class Declined:
    """What a change returns when the application does not want it: 404, 409, 422, ...

    Attributes:
        status: to answer with.
        detail: for a person.
    """

    status: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """The write happened.

    Attributes:
        before: state that it was applied to, None when there was none.
        content: that is stored now, or DELETED.
        version: of what is stored now.
        attempts: swaps that were tried, the successful one included.
    """

    before: Snapshot | None
    content: Content | Deleted
    version: Version
    attempts: int


@dataclass(frozen=True, slots=True)
class PreconditionFailed:
    """Answer 412: the condition was false on `current`.

    Attributes:
        decision: with the trace.
        current: the state on which it was evaluated, None when there was none.
    """

    decision: Decision
    current: Snapshot | None


@dataclass(frozen=True, slots=True)
class NotModified:
    """Answer 304; only for GET and HEAD.

    Attributes:
        decision: with the trace.
        current: the state on which it was evaluated.
    """

    decision: Decision
    current: Snapshot | None


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Answer 503: others were faster each time, and the condition never was false.

    Attributes:
        attempts: swaps that were tried.
        retry_after: whole seconds for Retry-After.
    """

    attempts: int
    retry_after: int = 1


Outcome: TypeAlias = Applied | PreconditionFailed | NotModified | Declined | Exhausted


@dataclass(frozen=True, slots=True)
class _Read:
    """Ask the driver for the current state."""


@dataclass(frozen=True, slots=True)
class _Swap:
    expected: Version | Absent
    new: Content | Deleted


@dataclass(frozen=True, slots=True)
class _Pause:
    seconds: float


_Command: TypeAlias = _Read | _Swap | _Pause
_Event: TypeAlias = "Snapshot | Version | Lost | None"


def _steps(
    method: str,
    fields: Fields,
    change: Change,
    *,
    creates: bool | None,
    clock: Callable[[], float],
    random: Callable[[], float],
    limits: Limits,
) -> Generator[_Command, _Event, Outcome]:
    """Run the loop without touching a store: commands out, events in."""
    deadline = clock() + limits.seconds
    attempts = 0
    while True:
        snapshot = yield _Read()
        assert snapshot is None or isinstance(snapshot, Snapshot)  # noqa: S101 - the drivers below answer so
        current = snapshot.representation if snapshot is not None else None
        decision = evaluate(method, fields, current, creates=creates)
        if decision.status == 412:
            return PreconditionFailed(decision, snapshot)
        if decision.status == 304:
            return NotModified(decision, snapshot)
        new = change(snapshot)
        if isinstance(new, Declined):
            return new
        attempts += 1
        answer = yield _Swap(snapshot.version if snapshot is not None else ABSENT, new)
        if isinstance(answer, str):
            return Applied(snapshot, new, answer, attempts)
        remaining = deadline - clock()
        if attempts >= limits.attempts or remaining <= 0:
            return Exhausted(attempts)
        # Full jitter: those who lost together do not come back together.
        bound = min(limits.longest_pause, limits.first_pause * 2.0 ** (attempts - 1), remaining)
        yield _Pause(random() * bound)


def apply(
    store: Store,
    key: str,
    method: str,
    fields: Fields,
    change: Change,
    *,
    clock: Callable[[], float],
    random: Callable[[], float],
    sleep: Callable[[float], None],
    creates: bool | None = None,
    limits: Limits = Limits(),
) -> Outcome:
    """Perform a conditional write on a store.

    Args:
        store: where the key lives.
        key: name of the resource.
        method: of the request.
        fields: of the request, as `ifmatch.evaluate` takes them, but read several times.
        change: gets the snapshot, returns what to store, DELETED, or `Declined`; it may run several times
            and must not have effects of its own.
        clock: seconds, monotonic.
        random: uniform in [0, 1).
        sleep: waits the given seconds.
        creates: whether the method would make a missing resource; None: PUT only.
        limits: attempts, deadline and pauses.

    Returns:
        What happened, and with it what to answer.

    Raises:
        StoreUnavailableError: from the store.

    Source: RFC 9110 section 13.2.1.
    """
    steps = _steps(method, fields, change, creates=creates, clock=clock, random=random, limits=limits)
    command = next(steps)
    while True:
        event: _Event = None
        if isinstance(command, _Read):
            event = store.read(key)
        elif isinstance(command, _Swap):
            event = store.swap(key, command.expected, command.new)
        else:
            sleep(command.seconds)
        try:
            command = steps.send(event)
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome


async def apply_async(
    store: AsyncStore,
    key: str,
    method: str,
    fields: Fields,
    change: Change,
    *,
    clock: Callable[[], float],
    random: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    creates: bool | None = None,
    limits: Limits = Limits(),
) -> Outcome:
    """Perform a conditional write on a store of an event loop; arguments as `apply`.

    Source: RFC 9110 section 13.2.1.
    """
    steps = _steps(method, fields, change, creates=creates, clock=clock, random=random, limits=limits)
    command = next(steps)
    while True:
        event: _Event = None
        if isinstance(command, _Read):
            event = await store.read(key)
        elif isinstance(command, _Swap):
            event = await store.swap(key, command.expected, command.new)
        else:
            await sleep(command.seconds)
        try:
            command = steps.send(event)
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome
