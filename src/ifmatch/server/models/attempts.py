"""The parts of the loop that all models share: evaluate what was read, try again when somebody was faster.

Read, evaluate on the snapshot, run the change, swap on that snapshot's version; lost: read and evaluate
again. 412 is answered only when the condition was false on a state that was read.

Source: RFC 9110 section 13.2.1 and section 13.2.2.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from ifmatch.core.representation import Representation
from ifmatch.server import loop, wsgi
from ifmatch.server.answers import Current
from ifmatch.server.conditional import utc_now
from ifmatch.server.gate import answer_to_outcome, judge
from ifmatch.server.refusal import PreconditionRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ifmatch.server.answers import RequestFacts
    from ifmatch.server.gate import Settings
    from ifmatch.server.loop import Declined, Limits
    from ifmatch.server.policy import Policy
    from ifmatch.server.stores.protocol import Content, Lost

__all__ = ["LIMITS", "Described", "Description", "Request", "Tries", "Written", "lost_reason"]

Instance = TypeVar("Instance")

LIMITS: Final = loop.Limits()
_TAKEN: Final = "taken"
_TAKEN_IN_A_ROW: Final = 3
_SERIALIZATION: Final = frozenset({"40001", "40P01"})
_BUSY: Final = frozenset({"55P03", "57014"})  # lock_timeout, statement_timeout: rolled back, for certain
_SQLITE_BUSY: Final = frozenset({5, 6})  # SQLITE_BUSY, SQLITE_LOCKED


@dataclass(frozen=True, slots=True)
class Written(Generic[Instance]):
    """A write that happened.

    Attributes:
        instance: what is stored now, None after a deletion.
        etag: its strong entity tag, quotes included; None after a deletion.
        created: whether nothing was there before.
        attempts: tries that it took, the successful one included.
    """

    instance: Instance | None
    etag: str | None
    created: bool
    attempts: int


@dataclass(frozen=True, slots=True)
class Description(Generic[Instance]):
    """How to tell the state of a row.

    Attributes:
        tag: gives the strong entity tag, quotes included.
        modified: gives the date of the last modification, aware; None: there are no dates.
        content: gives the representation, for refused clients that prefer it; None: never.
    """

    tag: Callable[[Instance], str]
    modified: Callable[[Instance], datetime] | None
    content: Callable[[Instance], Content] | None

    def current(self, instance: Instance | None) -> Current | None:
        """Return the state as adapters take it, None when there is none.

        Args:
            instance: the row, None when there is none.

        Source: RFC 9110 section 8.8.
        """
        if instance is None:
            return None
        modified = None if self.modified is None else self.modified(instance)
        source = self.content
        return Current(
            # Never strong: two writes may fall into one second (RFC 9110 section 8.8.2.2).
            representation=Representation(etag=self.tag(instance), last_modified=modified),
            content=None if source is None else lambda: source(instance),
        )


class Described(Generic[Instance]):
    """Tell tag and state of rows by a description; what the helpers of all libraries have in common."""

    _description: Description[Instance]

    def tag_of(self, instance: Instance) -> str:
        """Return the strong entity tag of a row, quotes included.

        Args:
            instance: the row.

        Source: RFC 9110 section 8.8.3.
        """
        return self._description.tag(instance)

    def current(self, instance: Instance | None) -> Current | None:
        """Return the state of a row as adapters take it, None when there is none.

        Args:
            instance: the row, None when there is none.

        Source: RFC 9110 section 8.8.
        """
        return self._description.current(instance)


@dataclass(frozen=True, slots=True)
class Request:
    """What stays the same in all attempts at one write.

    Attributes:
        facts: of the request.
        settings: of the service.
        policy: of the route; None takes it from the settings.
        creates: whether the method would make a missing resource; None: PUT only.
    """

    facts: RequestFacts
    settings: Settings
    policy: Policy | None
    creates: bool | None

    def judge(self, current: Current | None) -> None:
        """Evaluate the preconditions on a state that was read.

        The gate has told about a request that it let through; only a refusal is news.

        Args:
            current: the state, None when there is none.

        Raises:
            PreconditionRefusedError: with the answer.

        Source: RFC 9110 section 13.2.2.
        """
        judgement = judge(
            self.facts,
            current,
            settings=self.settings,
            policy=self.policy,
            creates=self.creates,
            content=wsgi.current_content(current, self.facts, self.settings),
            now=utc_now(),
        )
        if judgement.answer is not None:
            if judgement.event is not None:
                self.settings.emit(judgement.event)
            raise PreconditionRefusedError(judgement.answer)

    def refusal(self, outcome: Declined | loop.Exhausted) -> PreconditionRefusedError:
        """Return the answer to a write that is not performed for another reason, ready to be raised.

        Args:
            outcome: what the change said, or that all attempts are used up (503).

        Source: RFC 9110 section 15.6.4 and section 10.2.3 (503 and Retry-After).
        """
        answered = answer_to_outcome(outcome, self.facts, settings=self.settings, now=utc_now())
        assert answered is not None  # noqa: S101 -- only Applied has none
        answer, event = answered
        if event is not None:
            self.settings.emit(event)
        return PreconditionRefusedError(answer)


class Tries:
    """Count the attempts at one write, and say how long to wait before the next.

    Args:
        request: that is tried.
        limits: attempts, deadline and pauses.
        clock: seconds, monotonic.
        uniform: gives numbers in [0, 1).
    """

    def __init__(
        self,
        request: Request,
        limits: Limits,
        *,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        self._request = request
        self._limits = limits
        self._clock = clock
        self._uniform = uniform
        self._deadline = clock() + limits.seconds
        self._taken = 0
        self.number = 1

    @property
    def was_overtaken(self) -> bool:
        """Return whether somebody was faster before: then the row is to be held while it is written."""
        return self.number > 1

    def taken(self, error: Exception) -> None:
        """Note that a new row met one that was not there when it was read; call it before `pause`.

        Args:
            error: of the database.

        Raises:
            Exception: the error itself, where it comes again and again: then it is another constraint that
            the
                row violates, and no other attempt will do.
        """
        self._taken += 1
        if self._taken >= _TAKEN_IN_A_ROW:
            raise error

    def pause(self, lost: Lost) -> float:
        """Return the seconds to wait before the next attempt.

        The second attempt is due also after the deadline: it holds the row, so it is not in vain, and the
        first may have spent all the time on waiting for a lock.

        Args:
            lost: why the last one failed.

        Raises:
            PreconditionRefusedError: with 503, when attempts or time are used up.

        Source: RFC 9110 section 15.6.4.
        """
        limits = self._limits
        remaining = self._deadline - self._clock()
        if self.number >= limits.attempts or (remaining <= 0 and self.was_overtaken):
            raise self._request.refusal(loop.Exhausted(self.number))
        # Full jitter: those who lost together do not come back together.
        bound = min(limits.longest_pause, limits.first_pause * 2.0 ** (self.number - 1), max(remaining, 0.0))
        self.number += 1
        if lost.reason != _TAKEN:
            self._taken = 0
        return self._uniform() * bound


def lost_reason(error: BaseException | None) -> str | None:
    """Return why a write did not happen though nothing is wrong, None for any other error.

    Args:
        error: of a driver: psycopg, psycopg2, asyncpg, sqlite3, aiosqlite.

    Returns:
        `serialization` (also a deadlock), `busy` (a lock or a statement took too long), or None.
    """
    state: object = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if state in _SERIALIZATION:
        return "serialization"
    if state in _BUSY:
        return "busy"
    code: object = getattr(error, "sqlite_errorcode", None)
    # Extended codes (SQLITE_BUSY_SNAPSHOT, ...) carry the primary one in their low octet.
    if isinstance(code, int) and code & 0xFF in _SQLITE_BUSY:
        return "busy"
    return None
