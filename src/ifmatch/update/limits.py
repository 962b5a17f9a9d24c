"""Bound an update: attempts, time, the retry budget, and the waits between attempts."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ifmatch.core.http_date import parse_http_date

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.update.records import Answer

__all__ = ["Circumstances", "Limits", "RoundTrip", "TokenBucket", "wait_hint"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound one update.

    Attributes:
        seconds: deadline from its start.
        conflicts: most refused writes.
        transport: most requests without a usable answer (no connection, cut, 429, 5xx) until a write gets
            one.
        window: longest pause after lost conflicts, in round trips.
        first_pause: upper bound of the first pause after a transport failure, in seconds; it doubles.
        longest_pause: most that one pause may take, in seconds; a server's hint may exceed it.
    """

    seconds: float = 30.0
    conflicts: int = 128
    transport: int = 8
    window: float = 32.0
    first_pause: float = 0.05
    longest_pause: float = 5.0

    def window_after(self, losses: int) -> float:
        """Return the longest pause in round trips after so many conflicts lost with a fresh state.

        It grows by two round trips a loss: doubling leaves the resource idle and starves the unlucky, and a
        constant makes every writer collide with every other (docs/decisions/120-pauses.md).

        Args:
            losses: of this update.
        """
        return min(self.window, 2.0 * losses)


class TokenBucket:
    """Bound retries across updates, so that a service in trouble is not buried by them.

    Args:
        capacity: tokens when full.

    The costs are those of botocore's standard mode: 14 a retry, 5 after throttling, 1 back a success.
    """

    def __init__(self, capacity: int = 500) -> None:
        self.capacity = capacity
        self.tokens = capacity
        self._lock = threading.Lock()

    def take(self, cost: int) -> bool:
        """Take tokens for a retry; False when there are too few."""
        with self._lock:
            if self.tokens < cost:
                return False
            self.tokens -= cost
            return True

    def give(self, tokens: int = 1) -> None:
        """Give tokens back after a success."""
        if self.tokens == self.capacity:
            return
        with self._lock:
            self.tokens = min(self.capacity, self.tokens + tokens)


class RoundTrip:
    """Estimate the round trip to a service from what requests took.

    Args:
        seconds: first guess.
    """

    __slots__ = ("_known", "seconds")

    def __init__(self, seconds: float = 0.05) -> None:
        self.seconds = seconds
        self._known = False

    def observe(self, elapsed: float) -> None:
        """Take in how long a request took, in seconds (smoothed as in RFC 6298 section 2)."""
        if elapsed <= 0:
            return
        self.seconds = self.seconds + (elapsed - self.seconds) / 8 if self._known else elapsed
        self._known = True


_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")


def wait_hint(answer: Answer, received: Callable[[], float] | None = None) -> tuple[float, bool] | None:
    """Return how long the server asks to wait in seconds, and whether it said so exactly (in milliseconds).

    Args:
        answer: of the server; it came just now.
        received: tells the seconds since the epoch, for an answer without a date of its own; None when
            nothing does.

    Source: RFC 9110 sections 6.6.1 (an answer without Date counts as made when it came) and 10.2.3
        (Retry-After); `retry-after-ms` and `x-ms-retry-after-ms` as Azure sends
        them.
    """
    for name in _MILLISECONDS:
        text = (answer.fields.text(name) or "").strip()
        if text.isascii() and text.isdigit() and len(text) <= 9:
            return int(text) / 1000, True
    text = (answer.fields.text("Retry-After") or "").strip()
    if text.isascii() and text.isdigit() and len(text) <= 7:
        return float(text), False
    sent = answer.fields.text("Date")
    if not text or not (sent or received):
        return None
    if sent:
        now = parse_http_date(sent, now=datetime.max)  # noqa: DTZ901 - only two-digit years ask for it
    else:
        assert received is not None  # noqa: S101 - one of the two
        now = datetime.fromtimestamp(received(), UTC)
    if not isinstance(now, datetime):
        return None
    until = parse_http_date(text, now=now)
    # The server's own clock on both sides: the client's may be wrong.
    return (max(0.0, (until - now).total_seconds()), False) if isinstance(until, datetime) else None


def _nobody() -> int:
    return 0


@dataclass(slots=True)
class Circumstances:
    """What an update takes from its surroundings.

    Attributes:
        clock: seconds that only go forward.
        random: a number from 0 up to 1.
        limits: bounds of this update.
        round_trip: what requests to this service take; shared between updates.
        bucket: retry budget shared between updates; None for none.
        waiting: tells how many updates wait behind this one: who speaks for many pauses less after a
            conflict.
        spent: seconds of the limits that are over already, such as those of waiting for a turn.
        wall_clock: seconds since the epoch, for answers without a date; None when nothing tells them.
    """

    clock: Callable[[], float]
    random: Callable[[], float]
    limits: Limits = field(default_factory=Limits)
    round_trip: RoundTrip = field(default_factory=RoundTrip)
    bucket: TokenBucket | None = None
    waiting: Callable[[], int] = _nobody
    spent: float = 0.0
    wall_clock: Callable[[], float] | None = None
