"""Hold what the practice server takes from outside: time, chance and waiting."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Surroundings"]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Clock, randomness and sleep, so that tests can give their own.

    Attributes:
        clock: the time, aware, for Date and Last-Modified.
        monotonic: seconds, for deadlines.
        random: uniform in [0, 1).
        sleep: waits the given seconds.
    """

    clock: Callable[[], datetime] = _now
    monotonic: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
