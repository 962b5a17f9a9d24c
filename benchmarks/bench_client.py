"""What tracking adds to a request of each library, and that it sends none of its own.

Beside it the least that any tracker does, in a dozen lines: what Python itself takes for it on this machine.

python -m benchmarks.bench_client [--rounds 250] [LIBRARY…]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
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
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}/open"
        self.reset = self.url.replace("/open", "/reset")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def in_turns(blocks: dict, rounds: int) -> dict[str, list[float]]:
    """CPU seconds of this process a request, block after block, each round in another order."""
    spent: dict[str, list[float]] = {name: [] for name in blocks}
    order = list(blocks)
    for name in order:
        blocks[name](BLOCK)
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for name in order:
            # In a program all requests of a client are tracked or none: the caches of the processor are as
            # after a request of the same kind, not as after one of the client measured before.
            blocks[name](1)
            started = time.process_time()
            blocks[name](BLOCK)
            spent[name].append((time.process_time() - started) / (2 * BLOCK))
        order.append(order.pop(0))
    gc.unfreeze()
    return spent


def sync_block(client: httpx2.Client | requests.Session, url: str):
    def block(pairs: int) -> None:
        for _ in range(pairs):
            client.get(url)
            client.put(url, data=DOCUMENT) if isinstance(client, requests.Session) else client.put(
                url, content=DOCUMENT
            )

    return block


def async_block(
    loop: asyncio.AbstractEventLoop, client: httpx2.AsyncClient | aiohttp.ClientSession, url: str
):
    async def run(pairs: int) -> None:
        for _ in range(pairs):
            if isinstance(client, aiohttp.ClientSession):
                async with client.get(url) as response:
                    await response.read()
                async with client.put(url, data=DOCUMENT) as response:
                    await response.read()
            else:
                await client.get(url)
                await client.put(url, content=DOCUMENT)

    return lambda pairs: loop.run_until_complete(run(pairs))


def least(client):
    """Remember the last tag of each URL and send it with writes; nothing else: no variants, no threads, no
    weak tags, no redirects, no history, no refusals, credentials in what is kept."""
    if isinstance(client, aiohttp.ClientSession):
        client._middlewares = (least_middleware(),)  # noqa: SLF001
        return client
    plain, tags = client.send, {}

    def before(request) -> str:
        url = str(request.url)
        if request.method != "GET" and url in tags and "If-Match" not in request.headers:
            request.headers["If-Match"] = tags[url]
        return url

    def after(url: str, response) -> None:
        tag = response.headers.get("ETag")
        if tag is not None:
            tags[url] = tag

    def send(request, **options):
        url = before(request)
        response = plain(request, **options)
        after(url, response)
        return response

    async def send_later(request, **options):
        url = before(request)
        response = await plain(request, **options)
        after(url, response)
        return response

    client.send = send_later if isinstance(client, (httpx2.AsyncClient, httpx.AsyncClient)) else send
    return client


def least_middleware():
    """The same as a middleware of aiohttp."""
    tags: dict = {}

    async def middleware(request, handler):
        url = request.url
        if request.method != "GET" and url in tags and "If-Match" not in request.headers:
            request.headers["If-Match"] = tags[url]
        response = await handler(request)
        tag = response.headers.get("ETag")
        if tag is not None:
            tags[url] = tag
        return response

    return middleware


def row(name: str, spent: dict[str, list[float]], requests_sent: tuple[int, int]) -> None:
    """Print the medians of what the blocks of one round differ by: what else runs here hits both alike."""

    def added(label: str) -> float:
        pairs = zip(spent[label], spent["bare"], strict=True)
        return statistics.median(one - other for one, other in pairs) * 1e6

    more = requests_sent[1] - requests_sent[0]
    good = added("tracked") <= LIMIT and more == 0
    print(
        f"| {name} | {statistics.median(spent['bare']) * 1e6:.0f} | {added('tracked'):.1f} |"
        f" {added('no history'):.1f} | {added('least'):.1f} | {added('bare again'):+.1f} | {more} |"
        f" {'reached' if good else '**missed**'} |",
        flush=True,
    )


def counted(reset: str) -> int:
    return int(httpx2.post(reset).text)


def requests_of(block, reset: str) -> int:
    counted(reset)
    block(BLOCK)
    return counted(reset)


WRAPPED = {
    "bare": lambda client: client,
    "tracked": lambda client: track(client, Tracking()),
    "no history": lambda client: track(client, Tracking(history=False)),
    "least": least,
    # What the measurement is worth.
    "bare again": lambda client: client,
}


def synchronous(name: str, kind, service: Service, rounds: int) -> None:
    clients = {label: wrap(kind()) for label, wrap in WRAPPED.items()}
    blocks = {label: sync_block(client, service.url) for label, client in clients.items()}
    sent = tuple(requests_of(blocks[label], service.reset) for label in ("bare", "tracked"))
    row(name, in_turns(blocks, rounds), sent)
    for client in clients.values():
        client.close()


def asynchronous(name: str, kind, service: Service, rounds: int) -> None:
    loop = asyncio.new_event_loop()

    async def opened(wrap):
        return wrap(kind())

    clients = {label: loop.run_until_complete(opened(wrap)) for label, wrap in WRAPPED.items()}
    blocks = {label: async_block(loop, client, service.url) for label, client in clients.items()}
    sent = tuple(requests_of(blocks[label], service.reset) for label in ("bare", "tracked"))
    row(name, in_turns(blocks, rounds), sent)
    for client in clients.values():
        loop.run_until_complete(client.close() if name == "aiohttp" else client.aclose())
    loop.close()


MEASURED = {
    "httpx2": (synchronous, httpx2.Client),
    "httpx": (synchronous, httpx.Client),
    "requests": (synchronous, requests.Session),
    "httpx2, async": (asynchronous, httpx2.AsyncClient),
    "httpx, async": (asynchronous, httpx.AsyncClient),
    "aiohttp": (asynchronous, aiohttp.ClientSession),
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("libraries", nargs="*", default=[*MEASURED])
    chosen = parser.parse_args([] if arguments is None else arguments)
    print("# The client: what tracking adds\n")
    print(
        f"Reads and writes in turn over loopback, {chosen.rounds} rounds of blocks of {2 * BLOCK} requests,"
        " bare and tracked ones in changing order, each after two that are not timed; all writes are"
        " accepted, the tracked ones carry If-Match. Microseconds of CPU time of the client's process a"
        " request (wall time would measure who else uses the cores). Added: the median of the"
        " differences within one round. Least: the same for a tracker that only remembers the last tag of a"
        " URL and sends it. Noise: the same between two bare clients."
        f" Figure: at most {LIMIT:.0f} µs, no request more.\n"
    )
    print("| library | bare | added | added without history | least | noise | requests more | |")
    print("|---|---|---|---|---|---|---|---|")
    service = Service()
    try:
        for name in chosen.libraries:
            measure, kind = MEASURED[name]
            measure(name, kind, service, chosen.rounds)
    finally:
        service.close()


if __name__ == "__main__":
    main(sys.argv[1:])
