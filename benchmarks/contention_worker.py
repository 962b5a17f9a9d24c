"""One process of writers: performs its share against the service and prints what each update took, as JSON.

python -m benchmarks.contention_worker '{"port": ..., "policy": ..., ...}'
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from dataclasses import replace
from urllib.parse import urlsplit

from benchmarks.contention_policies import PEERS, GaveUpError, increment
from ifmatch.client import AsyncClient, Limits, MemoryStates, Settings, UpdateError
from ifmatch.client.transport import Outgoing
from ifmatch.model.message import Fields
from ifmatch.update import Answer, NoAnswer, Wait


class Connection(asyncio.Protocol):
    """One connection: one request at a time, and the answer to it."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if not self.answered.done():
            self.answered.set_exception(error or ConnectionError("closed"))

    def ask(self, octets: bytes) -> asyncio.Future[tuple[int, Fields, bytes]]:
        self.answered = self.loop.create_future()
        self.transport.write(octets)
        return self.answered

    def data_received(self, data: bytes) -> None:
        self.held += data
        head, ended, rest = self.held.partition(b"\r\n\r\n")
        if not ended:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = Fields([tuple(line.split(": ", 1)) for line in lines])
        length = int(fields.text("Content-Length") or 0)
        if len(rest) >= length:
            self.held = rest[length:]
            self.answered.set_result((int(first.split(" ", 2)[1]), fields, rest[:length]))


class Wire:
    """The smallest client: a connection for each request under way, kept for the next."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.idle: list[Connection] = []
        self.requests = 0

    def absolute(self, url: str) -> str:
        return url

    async def wrote(self, url: str) -> None:
        """Keep no cache."""

    async def exchange(self, outgoing: Outgoing) -> Answer | NoAnswer:
        started = time.monotonic()
        self.requests += 1
        if self.idle:
            connection = self.idle.pop()
        else:
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(Connection, "127.0.0.1", self.port)
        lines = "".join([f"{name}: {value}\r\n" for name, value in outgoing.fields])
        octets = outgoing.octets or b""
        head = f"{outgoing.method} {urlsplit(outgoing.url).path} HTTP/1.1\r\nHost: x\r\n{lines}"
        answer = connection.ask(f"{head}Content-Length: {len(octets)}\r\n\r\n".encode() + octets)
        status, fields, content = await answer
        self.idle.append(connection)
        return Answer(status, fields, content, time.monotonic() - started)

    async def drive(self, steps, url: str) -> None:
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
                event = await self.exchange(Outgoing(command.method, url, command.fields, command.octets))


async def run(order: dict) -> dict:
    wire = Wire(order["port"])
    url = f"http://127.0.0.1:{order['port']}{order['path']}"
    chance = random.Random(order["seed"])
    peer = next((one for one in PEERS if one.name == order["policy"]), None)
    limits = Limits(seconds=order["cap"], conflicts=100_000)
    settings = Settings(
        limits=limits, combine=order["policy"] == "combining", observers=(), random=chance.random
    )
    shared = AsyncClient(wire, settings)
    times: list[tuple[float, float]] = []
    failures = 0

    async def update(client: AsyncClient) -> bool:
        try:
            if peer is None:
                await client.edit(url, increment)
            else:
                await wire.drive(peer.steps(chance), url)
        except (GaveUpError, UpdateError):
            return False
        return True

    async def writer() -> None:
        nonlocal failures
        # Settings of its own: clients with the same ones queue together.
        own = replace(settings, states=MemoryStates())
        client = AsyncClient(wire, own) if order["policy"] == "alone" else shared
        for _ in range(order["each"]):
            begun = time.time()
            if time.time() - order["start"] > order["cap"]:
                failures += 1
            elif await update(client):
                times.append((begun, time.time()))
            else:
                failures += 1

    async def chain() -> None:
        """The floor as this machine has it: one writer that keeps the tag of its own answer, nothing else.

        Its one read counts, as it does for everybody: a single writer with few updates would seem slow beside
        a chain that had been read before the clock ran.
        """
        begun = time.time()
        state = await wire.exchange(Outgoing("GET", url, ()))
        document, tag = json.loads(state.octets), state.fields.text("ETag")
        for _ in range(order["writers"] * order["each"]):
            octets = json.dumps(increment(document)).encode()
            tag = (await wire.exchange(Outgoing("PUT", url, (("If-Match", tag),), octets))).fields.text(
                "ETag"
            )
            ended = time.time()
            times.append((begun, ended))
            begun = ended

    await asyncio.sleep(max(0.0, order["start"] - time.time()))
    if order["policy"] == "chain":
        await chain()
        return {"times": times, "failures": 0, "requests": wire.requests}
    await asyncio.gather(*(writer() for _ in range(order["writers"])))
    return {"times": times, "failures": failures, "requests": wire.requests}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.loads(sys.argv[1])))))
