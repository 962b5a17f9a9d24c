"""The ways to retry a refused write that are compared, as generators that speak as the update machine does.

Each is made from its published formula; `Read` and `Send` are answered with an `Answer`, `Wait` with None.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ifmatch.update import Read, Send, Wait

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Generator, Iterator

    from ifmatch.update import Command, Event


class GaveUpError(Exception):
    """A policy gave up."""


def increment(document: dict[str, int]) -> dict[str, int]:
    document["n"] += 1
    return document


@dataclass(frozen=True)
class Policy:
    """One way to retry.

    Attributes:
        name: for the table.
        pauses: gives the pause before each further attempt, in seconds; it ends when the policy gives up.
    """

    name: str
    pauses: Callable[[random.Random], Iterator[float]]

    def steps(self, chance: random.Random) -> Generator[Command, Event, int]:
        """Read, change, write; on a refusal pause and begin again."""
        conflicts = 0
        pauses = self.pauses(chance)
        while True:
            state = yield Read()
            document = increment(json.loads(state.octets))
            tag = state.fields.text("ETag")
            done = yield Send("PUT", (("If-Match", tag),), (), json.dumps(document).encode())
            if done.status == 204:
                return conflicts
            conflicts += 1
            pause = next(pauses, None)
            if pause is None:
                raise GaveUpError
            if pause:
                yield Wait(pause)


def _client_go(chance: random.Random) -> Iterator[float]:
    # DefaultRetry: 5 steps, 10 ms, factor 1, jitter 0.1; kubernetes.utils.retry of the Python client has the
    # same.
    for _ in range(4):
        yield 0.010 * (1 + 0.1 * chance.random())


def _full_jitter(chance: random.Random) -> Iterator[float]:
    attempt = 0
    while True:
        yield chance.random() * min(1.0, 0.010 * 2**attempt)
        attempt = min(attempt + 1, 30)


def _decorrelated(chance: random.Random) -> Iterator[float]:
    pause = 0.010
    while True:
        pause = min(1.0, chance.uniform(0.010, pause * 3))
        yield pause


def _tenacity(_chance: random.Random) -> Iterator[float]:
    # @retry without arguments: for ever, without a pause.
    while True:
        yield 0.0


def _stamina(chance: random.Random) -> Iterator[float]:
    # 10 attempts, 0.1 s doubling up to 5 s, up to 1 s of jitter.
    for attempt in range(9):
        yield min(5.0, 0.1 * 2**attempt + chance.random())


PEERS = (
    Policy("client-go RetryOnConflict, also its Python port", _client_go),
    Policy("AWS full jitter, 10 ms to 1 s", _full_jitter),
    Policy("decorrelated jitter, 10 ms to 1 s", _decorrelated),
    Policy("tenacity default", _tenacity),
    Policy("stamina default", _stamina),
)
