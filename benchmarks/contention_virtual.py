"""The same contention in virtual time: the client's own code on an event loop whose clock jumps to the next
timer.

No noise of the machine, no cost of the code either: what is left is what a way to retry costs by itself.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.contention_policies import PEERS, GaveUpError, increment
from benchmarks.contention_service import DOCUMENT
from ifmatch.client import AsyncClient, Limits, MemoryStates, Settings, UpdateError
from ifmatch.model.message import Fields
from ifmatch.update import Answer, Wait

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ifmatch.client.transport import Outgoing

URL = "http://virtual.test/plain"


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits: when nothing is ready, its clock is at the next timer."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__()

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self.now = max(self.now, self._scheduled[0]._when)  # noqa: SLF001
        super()._run_once()


class VirtualService:
    """The counter, and the network to it."""

    def __init__(self, latency: float, chance: random.Random) -> None:
        self.latency = latency
        self.chance = chance
        self.octets = json.dumps(DOCUMENT).encode()
        self.version = 1
        self.requests = 0

    def absolute(self, url: str) -> str:
        return url

    async def wrote(self, url: str) -> None:
        """Keep no cache."""

    async def exchange(self, outgoing: Outgoing) -> Answer:
        started = asyncio.get_running_loop().time()
        # A hair of jitter, so that no two requests tie for ever.
        await asyncio.sleep(self.latency / 2 * (1 + 0.002 * self.chance.random()))
        status, octets = self.answer(outgoing)
        fields = Fields([("ETag", f'"v{self.version}"'), ("Content-Type", "application/json")])
        await asyncio.sleep(self.latency / 2)
        elapsed = asyncio.get_running_loop().time() - started
        return Answer(status, fields if status != 412 else Fields(), octets, elapsed)

    def answer(self, outgoing: Outgoing) -> tuple[int, bytes]:
        self.requests += 1
        if outgoing.method == "GET":
            return 200, self.octets
        if dict(outgoing.fields).get("If-Match") != f'"v{self.version}"':
            return 412, b""
        assert outgoing.octets is not None
        self.octets = outgoing.octets
        self.version += 1
        return 204, b""


@dataclass
class Plan:
    """One cell.

    Attributes:
        policy: name of a peer, or `shared`, `combining`, `alone`.
        writers: how many.
        each: updates a writer.
        processes: clients that do not see each other, for `shared` and `combining`.
        latency: round trip in seconds.
    """

    policy: str
    writers: int
    each: int
    processes: int = 1
    latency: float = 0.010
    seed: int = 1


async def perform(plan: Plan) -> tuple[list[tuple[float, float]], int, int]:
    """Return begin and end of each successful update, and the requests; the counter is checked."""
    loop = asyncio.get_running_loop()
    chance = random.Random(plan.seed)
    service = VirtualService(plan.latency, chance)
    peer = next((one for one in PEERS if one.name == plan.policy), None)
    limits = Limits(seconds=100_000.0, conflicts=10**6)
    base = Settings(
        limits=limits, combine=plan.policy == "combining", observers=(), clock=loop.time, random=chance.random
    )
    count = plan.writers if plan.policy == "alone" else plan.processes
    clients = [AsyncClient(service, replace(base, states=MemoryStates())) for _ in range(count)]
    times: list[tuple[float, float]] = []

    async def writer(number: int) -> None:
        await asyncio.sleep(0.0001 * chance.random())
        for _ in range(plan.each):
            begun = loop.time()
            try:
                if peer is None:
                    await clients[number % count].edit(URL, increment)
                else:
                    await drive(peer.steps(chance), service)
            except (GaveUpError, UpdateError):
                continue
            times.append((begun, loop.time()))

    await asyncio.gather(*(writer(number) for number in range(plan.writers)))
    assert json.loads(service.octets)["n"] == len(times), "the counter and the acknowledged updates differ"
    return times, service.requests, plan.writers * plan.each


async def drive(steps, service: VirtualService) -> None:
    from ifmatch.client.transport import Outgoing

    event = None
    while True:
        try:
            command = steps.send(event)
        except StopIteration:
            return
        if isinstance(command, Wait):
            event = None
            await asyncio.sleep(command.seconds)
        else:
            event = await service.exchange(Outgoing(command.method, URL, command.fields, command.octets))


def run(made: Coroutine[None, None, tuple[list[tuple[float, float]], int, int]]):
    """Run to the end in virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(made)
    finally:
        loop.close()
