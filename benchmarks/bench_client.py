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

BLOCK, ROUNDS, WARM, SETS = 5, 300, 50, 5
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


class Worker:
    """A client in a process of its own: it runs blocks of requests when told, and says what they took.

    Of its own, since in a program all clients of a library are tracked or none: the interpreter adapts its
    code to the types that it meets, and the caches of the processor hold what ran last.
    """

    def __init__(self, library: str, label: str, url: str) -> None:
        command = [sys.executable, "-m", "benchmarks.bench_client", "--work", library, label, url]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.process.stdout.readline()

    def __call__(self, pairs: int) -> float:
        """Have so many reads and writes done; return the CPU seconds of one request."""
        print(pairs, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline()) / (2 * pairs)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def work(library: str, label: str, url: str) -> None:
    """Be the worker: read how many pairs are to be sent, print the CPU seconds of this process."""
    block, close = block_of(library, label, url)
    block(WARM)
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    for line in sys.stdin:
        # The caches of the processor are as after a request of the same kind.
        block(1)
        started = time.process_time()
        block(int(line))
        print(time.process_time() - started, flush=True)
    close()


def in_turns(workers: dict[str, Worker], rounds: int) -> dict[str, list[float]]:
    """CPU seconds a request, block after block, each round in another order."""
    spent: dict[str, list[float]] = {name: [] for name in workers}
    order = list(workers)
    for _ in range(rounds):
        for name in order:
            spent[name].append(workers[name](BLOCK))
        order.append(order.pop(0))
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


def requests_of(worker: Worker, reset: str) -> int:
    counted(reset)
    worker(BLOCK)
    return counted(reset)


WRAPPED = {
    "bare": lambda client: client,
    "tracked": lambda client: track(client, Tracking()),
    "no history": lambda client: track(client, Tracking(history=False)),
    "least": least,
    # What the measurement is worth.
    "bare again": lambda client: client,
}
MEASURED = {
    "httpx2": httpx2.Client,
    "httpx": httpx.Client,
    "requests": requests.Session,
    "httpx2, async": httpx2.AsyncClient,
    "httpx, async": httpx.AsyncClient,
    "aiohttp": aiohttp.ClientSession,
}


def block_of(library: str, label: str, url: str):
    """Return what sends so many reads and writes through a client, and what closes that."""
    kind, wrap = MEASURED[library], WRAPPED[label]
    if kind in (httpx2.Client, httpx.Client, requests.Session):
        client = wrap(kind())
        return sync_block(client, url), client.close
    loop = asyncio.new_event_loop()

    async def opened():
        return wrap(kind())

    client = loop.run_until_complete(opened())
    ends = client.close if library == "aiohttp" else client.aclose
    return async_block(loop, client, url), lambda: loop.run_until_complete(ends())


def measure(library: str, service: Service, rounds: int) -> None:
    """Print the row of one library."""
    spent: dict[str, list[float]] = {label: [] for label in WRAPPED}
    # Where a process has its memory counts as well: hence several.
    for _ in range(SETS):
        workers = {label: Worker(library, label, service.url) for label in WRAPPED}
        sent = tuple(requests_of(workers[label], service.reset) for label in ("bare", "tracked"))
        for label, taken in in_turns(workers, rounds // SETS).items():
            spent[label] += taken
        for worker in workers.values():
            worker.close()
    row(library, spent, sent)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("libraries", nargs="*", default=[*MEASURED])
    chosen = parser.parse_args([] if arguments is None else arguments)
    if chosen.work:
        work(*chosen.libraries)
        return
    print("# The client: what tracking adds\n")
    print(
        f"Reads and writes in turn over loopback, {chosen.rounds} rounds of blocks of {2 * BLOCK} requests,"
        " bare and tracked ones in changing order, each in a process of its own and after two that are not"
        " timed; all writes are accepted, the tracked ones carry If-Match. Microseconds of CPU time of the"
        " client's process a request (wall time would measure who else uses the cores). Added: the median of"
        " the differences within one round. Least: the same for a tracker that only remembers the last tag of"
        " a URL and sends it. Noise: the same between two bare clients."
        f" Figure: at most {LIMIT:.0f} µs, no request more.\n"
    )
    print("| library | bare | added | added without history | least | noise | requests more | |")
    print("|---|---|---|---|---|---|---|---|")
    service = Service()
    try:
        for name in chosen.libraries:
            measure(name, service, chosen.rounds)
    finally:
        service.close()


if __name__ == "__main__":
    main(sys.argv[1:])
