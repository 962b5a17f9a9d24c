"""Bound what a run may ask of a server: requests, time, octets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ifmatch.errors import BudgetSpentError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Budget", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound one exchange.

    Attributes:
        connect_seconds: to connect, TLS included.
        seconds: from the first octet sent to the last received.
        head: octets of a response's head.
        content: octets of its content as received.
        decoded: octets after the content coding is taken off.
        ratio: decoded octets for one received, from `decoded_free` octets on.
    """

    connect_seconds: float = 10.0
    seconds: float = 30.0
    head: int = 256 * 1024
    content: int = 8 * 1024 * 1024
    decoded: int = 8 * 1024 * 1024
    ratio: int = 100


class Budget:
    """Count the requests and the time of a run.

    Args:
        requests: most requests.
        seconds: most seconds from now on.
        clock: seconds, monotonic.
    """

    def __init__(self, requests: int, seconds: float, clock: Callable[[], float]) -> None:
        self.requests = requests
        self.spent = 0
        self._clock = clock
        self._end = clock() + seconds

    @property
    def seconds_left(self) -> float:
        """Return the seconds that are left, not below 0."""
        return max(0.0, self._end - self._clock())

    @property
    def is_spent(self) -> bool:
        """Tell whether nothing may be sent any more."""
        return self.spent >= self.requests or self.seconds_left <= 0

    def take(self) -> None:
        """Count a request.

        Raises:
            BudgetSpentError: nothing is left.
        """
        if self.spent >= self.requests:
            raise BudgetSpentError(f"all {self.requests} requests of the budget are spent")
        if self.seconds_left <= 0:
            raise BudgetSpentError("the time of the budget is over")
        self.spent += 1
