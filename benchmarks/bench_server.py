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
from typing import TYPE_CHECKING

from benchmarks.peers.overhead import TAG
from tests.server.raw import Connection, request
from tests.server.servers import ROOT, command, wait_for
from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

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
SLICE = 20
# What a request is called, its method, lines and due status.
Kind = tuple[str, str, list[tuple[bytes, bytes]], int]
PLAIN: Kind = ("GET, no condition", "GET", [], 200)
TRUE: Kind = ("PUT, If-Match true", "PUT", MATCH, 200)
UNCHANGED: Kind = ("GET, If-None-Match: 304", "GET", NONE_MATCH, 304)
FALSE: Kind = ("PUT, If-Match false: 412", "PUT", STALE, 412)
# Framework, application, what it is, requests.
Row = tuple[str, str, str, tuple[Kind, ...]]
CHECK = "ifmatch, middleware and `check`"
ROWS: tuple[Row, ...] = (
    ("asgi", "middleware", "ifmatch, middleware alone", (PLAIN, TRUE)),
    ("asgi", "check", CHECK, (PLAIN, TRUE, UNCHANGED, FALSE)),
    ("starlette", "middleware", "ifmatch, middleware alone", (PLAIN,)),
    ("starlette", "check", "ifmatch, `@precondition`", (PLAIN, TRUE)),
    ("starlette", "asgi_etags", "asgi-etags", (PLAIN,)),
    ("starlette", "base_http_middleware", "a `BaseHTTPMiddleware` that does nothing", (PLAIN,)),
    ("fastapi", "dependency", "ifmatch, `Precondition`", (PLAIN, TRUE)),
    ("fastapi", "route", "ifmatch, `Precondition` on a `ConditionalRoute`", (PLAIN, TRUE)),
    ("fastapi", "fastapi_etag", "fastapi-etag", (PLAIN, TRUE)),
    ("wsgi", "check", CHECK, (PLAIN, TRUE)),
    ("flask", "check", "ifmatch, `@precondition`", (PLAIN, TRUE)),
    ("django", "check", "ifmatch, `@precondition`", (PLAIN, TRUE)),
    ("django", "condition", "Django `condition`", (PLAIN, TRUE)),
)
BASES = ("plain", "by_hand")


class Server:
    """One application in a process of its own, and one connection to it."""

    def __init__(self, framework: str, application: str, stack: contextlib.ExitStack) -> None:
        self.port = free_port()
        name = f"{application}_{framework}"
        if framework in ("wsgi", "flask", "django"):
            server = command("gunicorn", MODULE, self.port)
            server[-1:-1] = ["--threads", "1", "--keep-alive", "600"]
        else:
            server = command("uvicorn", MODULE, self.port)
            server += ["--loop", "asyncio", "--timeout-keep-alive", "600"]
        self.process = subprocess.Popen(
            server,
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
        """Return what the threads of the process and of its workers have used."""
        own = Path(f"/proc/{self.process.pid}/task")
        workers = (own / str(self.process.pid) / "children").read_text().split()
        tasks = [own, *(Path(f"/proc/{worker}/task") for worker in workers)]
        files = [file for task in tasks for file in task.glob("*/schedstat")]
        return sum(int(file.read_text().split()[0]) for file in files)

    def cost_us(self, octets: bytes, method: str, due: int, count: int) -> float:
        """Return the microseconds of CPU a request."""
        before = self.cpu_ns()
        for _ in range(count):
            self.connection.send(octets)
            answer = self.connection.answer(method)
            assert answer.status == due, answer
        return (self.cpu_ns() - before) / count / 1_000


def measure(row: Row, starts: int, rounds: int, count: int) -> dict[str, dict[str, list[float]]]:
    """Return by kind of request: the cost in µs a request of both bases and of the application, by round."""
    framework, application, _, kinds = row
    names = (*BASES, application)
    found: dict[str, dict[str, list[float]]] = {kind[0]: {name: [] for name in names} for kind in kinds}
    for _ in range(starts):
        with contextlib.ExitStack() as stack:
            servers = {name: Server(framework, name, stack) for name in names}
            for number in range(rounds + 1):
                for title, method, lines, due in kinds:
                    content = b"{}" if method == "PUT" else None
                    octets = request(method, "/note", [*USUAL, *lines], content, close=False)
                    costs = dict.fromkeys(names, 0.0)
                    # Short slices in turn, so that whatever else runs on the machine meets all alike.
                    for _ in range(count // SLICE):
                        for name, server in servers.items():
                            status = 200 if name in BASES else due
                            costs[name] += server.cost_us(octets, method, status, SLICE)
                    if number:  # the first round warms up
                        for name, cost in costs.items():
                            found[title][name].append(cost / (count // SLICE))
    return found


def cells(costs: dict[str, list[float]], application: str) -> Iterator[str]:
    """Return what stands beside each base: the ratio with its quartiles, and what is added."""
    for base in BASES:
        pairs = list(zip(costs[base], costs[application], strict=True))
        low, middle, high = statistics.quantiles([own / other for other, own in pairs], n=4)
        added = statistics.median(own - other for other, own in pairs)
        yield f"{middle:.2f} ({low:.2f} to {high:.2f})"
        yield f"{added:+.1f}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--only", metavar="FRAMEWORK", help="only these rows")
    options = parser.parse_args()
    print("# Conditional requests on a server: CPU a request\n")
    print(
        f"uvicorn with h11 and asyncio, gunicorn with one thread; all applications are started"
        f" {options.starts} times,\neach time with {options.rounds} rounds of {options.requests} requests in"
        f" slices of {SLICE}, in turn. CPU-seconds of the server beside\n*plain*, the same application"
        " without versions, and beside *by hand*, which looks the version up and sends ETag and\n"
        "Last-Modified without any package, as the others do, and evaluates nothing. Median and quartiles of"
        " the ratios\nwithin one round; µs a request added.\n"
    )
    print("| framework | what | request | times plain | µs | times by hand | µs |")
    print("|---|---|---|---|---|---|---|")
    for row in ROWS:
        if options.only in (None, row[0]):
            for kind, costs in measure(row, options.starts, options.rounds, options.requests).items():
                print(f"| {row[0]} | {row[2]} | {kind} | {' | '.join(cells(costs, row[1]))} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
