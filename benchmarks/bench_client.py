"""What tracking adds to a request of each library, and that it sends none of its own."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import time

import aiohttp
import httpx
import httpx2
import requests

from benchmarks.processes import ROOT
from ifmatch.client import Tracking, track

BLOCK, ROUNDS = 5, 250
LIMIT = 15.0
DOCUMENT = b'{"n": 1, "title": "a document"}'


class Service:
    """The counter of the contention benchmark, without a round trip."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "benchmarks.contention_service", "0"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}/plain"
        self.reset = self.url.replace("/plain", "/reset")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def in_turns(blocks: dict, rounds: int = ROUNDS) -> dict[str, list[float]]:
    """CPU seconds of this process a request, block after block in turns."""
    spent: dict[str, list[float]] = {name: [] for name in blocks}
    gc.collect()
    for _ in range(rounds):
        for name, block in blocks.items():
            started = time.process_time()
            block()
            spent[name].append((time.process_time() - started) / (2 * BLOCK))
    return spent


def sync_block(client: httpx2.Client | requests.Session, url: str):
    def block() -> None:
        for _ in range(BLOCK):
            client.get(url)
            client.put(url, data=DOCUMENT) if isinstance(client, requests.Session) else client.put(
                url, content=DOCUMENT
            )

    return block


def async_block(
    loop: asyncio.AbstractEventLoop, client: httpx2.AsyncClient | aiohttp.ClientSession, url: str
):
    async def run() -> None:
        for _ in range(BLOCK):
            if isinstance(client, aiohttp.ClientSession):
                async with client.get(url) as response:
                    await response.read()
                async with client.put(url, data=DOCUMENT) as response:
                    await response.read()
            else:
                await client.get(url)
                await client.put(url, content=DOCUMENT)

    return lambda: loop.run_until_complete(run())


def row(name: str, spent: dict[str, list[float]], requests_sent: tuple[int, int]) -> None:
    # The least block is the one that nobody disturbed; whatever else runs here only ever adds.
    bare, tracked, off = (min(spent[label]) * 1e6 for label in ("bare", "tracked", "no history"))
    good = tracked - bare <= LIMIT and requests_sent[0] == requests_sent[1]
    print(
        f"| {name} | {bare:.0f} | {tracked - bare:.1f} | {off - bare:.1f} |"
        f" {requests_sent[1] - requests_sent[0]} |"
        f" {'reached' if good else '**missed**'} |"
    )


def counted(reset: str) -> int:
    return int(httpx2.post(reset).text)


def requests_of(block, reset: str) -> int:
    counted(reset)
    block()
    return counted(reset)


def main() -> None:
    service = Service()
    url = service.url
    print("# The client: what tracking adds\n")
    print(
        f"Reads and writes in turn over loopback, {ROUNDS} blocks of {2 * BLOCK} requests, bare and tracked"
        " blocks"
        " side by side; microseconds of CPU time of the client's process a request (wall time would measure"
        " who"
        f" else uses the cores). Figure: at most {LIMIT:.0f} µs, no request more.\n"
    )
    print("| library | bare | added | added without history | requests more | |")
    print("|---|---|---|---|---|---|")
    for name, kind in (("httpx2", httpx2.Client), ("httpx", httpx.Client), ("requests", requests.Session)):
        clients = {
            "bare": kind(),
            "tracked": track(kind()),
            "no history": track(kind(), Tracking(history=False)),
        }
        blocks = {label: sync_block(client, url) for label, client in clients.items()}
        sent = tuple(requests_of(blocks[label], service.reset) for label in ("bare", "tracked"))
        row(name, in_turns(blocks), sent)
        for client in clients.values():
            client.close()
    loop = asyncio.new_event_loop()

    async def opened(kind):
        return kind()

    for name, kind in (
        ("httpx2, async", httpx2.AsyncClient),
        ("httpx, async", httpx.AsyncClient),
        ("aiohttp", aiohttp.ClientSession),
    ):
        clients = {
            label: loop.run_until_complete(opened(kind)) for label in ("bare", "tracked", "no history")
        }
        track(clients["tracked"])
        track(clients["no history"], Tracking(history=False))
        blocks = {label: async_block(loop, client, url) for label, client in clients.items()}
        sent = tuple(requests_of(blocks[label], service.reset) for label in ("bare", "tracked"))
        row(name, in_turns(blocks), sent)
        for client in clients.values():
            loop.run_until_complete(client.close() if name == "aiohttp" else client.aclose())
    loop.close()
    service.close()


if __name__ == "__main__":
    main()
