"""Measure what conditional requests cost a server: CPU-seconds a request, beside the same app without.

    python -m benchmarks.bench_server [--starts N] [--rounds N] [--requests N]

uvicorn (h11, asyncio), one process an application, on one kept connection. What the kernel counts for the
process of the server is divided by the requests. A ratio is that of two applications within one round. The
layout of memory alone makes one process some percent dearer than its twin, so both are started several times,
each time with an environment of another size.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.overhead import TAG
from tests.server.raw import Connection, request
from tests.server.servers import ROOT, command, wait_for
from tools.ports import free_port

MODULE = "benchmarks.peers.overhead"
USUAL = [
    (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"Accept", b"application/json, text/plain, */*"),
    (b"Accept-Encoding", b"gzip, deflate, br, zstd"),
    (b"Accept-Language", b"en-GB,en;q=0.5"),
    (b"Authorization", b"Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x"),
    (b"Cookie", b"session=0123456789abcdef0123456789abcdef; theme=dark"),
    (b"Referer", b"https://app.example.com/articles/17"),
    (b"X-Request-Id", b"b6a0a3a6-0d5f-4c43-9c38-3b6b2c7d7c11"),
]
MATCH = [(b"If-Match", TAG.encode())]
NONE_MATCH = [(b"If-None-Match", TAG.encode())]
STALE = [(b"If-Match", b'"stale"')]
# Application, the one beside it, title, requests: title, method, lines, due status.
SLICE = 20
PLAIN = ("GET, no condition", "GET", [], 200)
TRUE = ("PUT, If-Match true", "PUT", MATCH, 200)
UNCHANGED = ("GET, If-None-Match: 304", "GET", NONE_MATCH, 304)
FALSE = ("PUT, If-Match false: 412", "PUT", STALE, 412)
NOTHING = "a `BaseHTTPMiddleware` that does nothing"
ROWS = [
    ("bare_with_middleware", "bare", "ASGI, middleware alone", [PLAIN, TRUE]),
    ("bare_with_check", "bare", "ASGI, middleware and `check`", [PLAIN, TRUE, UNCHANGED, FALSE]),
    ("starlette_with_middleware", "starlette", "Starlette, middleware alone", [PLAIN]),
    ("starlette_with_asgi_etags", "starlette", "Starlette, asgi-etags", [PLAIN]),
    ("starlette_with_base_http_middleware", "starlette", f"Starlette, {NOTHING}", [PLAIN]),
    ("fastapi_with_dependency", "fastapi", "FastAPI, `Precondition`", [PLAIN, TRUE]),
    ("fastapi_with_conditional_route", "fastapi", "FastAPI, `ConditionalRoute`", [PLAIN, TRUE]),
    ("fastapi_with_fastapi_etag", "fastapi", "FastAPI, fastapi-etag", [PLAIN, TRUE]),
]


Row = tuple[str, str, str, list[tuple[str, str, list[tuple[bytes, bytes]], int]]]


class Server:
    """One application in a process of its own, and one connection to it."""

    def __init__(self, name: str, stack: contextlib.ExitStack) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [*command("uvicorn", MODULE, self.port), "--loop", "asyncio", "--timeout-keep-alive", "600"],
            cwd=ROOT,
            env=os.environ | {"OVERHEAD": name, "PADDING": "x" * secrets.randbelow(4_096)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        stack.callback(self.stop)
        wait_for(self.process, self.port, 30)
        self.connection = Connection("127.0.0.1", self.port)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def cpu_ns(self) -> int:
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0])

    def cost_us(self, octets: bytes, method: str, due: int, count: int) -> float:
        """Return the microseconds of CPU a request."""
        before = self.cpu_ns()
        for _ in range(count):
            self.connection.send(octets)
            answer = self.connection.answer(method)
            assert answer.status == due, answer
        return (self.cpu_ns() - before) / count / 1_000


def measure(row: Row, starts: int, rounds: int, count: int) -> dict[str, list[tuple[float, float]]]:
    """Return by kind of request what each round gave: the ratio, and the microseconds added."""
    name, base_name, _, kinds = row
    found: dict[str, list[tuple[float, float]]] = {kind[0]: [] for kind in kinds}
    for _ in range(starts):
        with contextlib.ExitStack() as stack:
            base, changed = Server(base_name, stack), Server(name, stack)
            for number in range(rounds + 1):
                for title, method, lines, due in kinds:
                    content = b"{}" if method == "PUT" else None
                    octets = request(method, "/note", [*USUAL, *lines], content, close=False)
                    without, with_it = 0.0, 0.0
                    # Short slices in turn, so that whatever else runs on the machine meets both alike.
                    for _ in range(count // SLICE):
                        without += base.cost_us(octets, method, 200, SLICE)
                        with_it += changed.cost_us(octets, method, due, SLICE)
                    if number:  # the first round warms up
                        added = (with_it - without) / (count // SLICE)
                        found[title].append((with_it / without, added))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--requests", type=int, default=200)
    options = parser.parse_args()
    print("# Conditional requests on a server: CPU a request\n")
    print(
        f"uvicorn with h11 and asyncio; both applications are started {options.starts} times, each time with"
    )
    print(
        f"{options.rounds} rounds of {options.requests} requests in slices of {SLICE}, in turn. CPU-seconds"
        " of the"
    )
    print("process beside the same application without; median and quartiles over all rounds.\n")
    print("| what | request | times the app without | quartiles | added, µs |\n|---|---|---|---|---|")
    for row in ROWS:
        for kind, given in measure(row, options.starts, options.rounds, options.requests).items():
            ratios = sorted(ratio for ratio, _ in given)
            low, middle, high = statistics.quantiles(ratios, n=4)
            added = statistics.median(added for _, added in given)
            print(
                f"| {row[2]} | {kind} | {middle:.2f} | {low:.2f} to {high:.2f} | {added:+.1f} |", flush=True
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
