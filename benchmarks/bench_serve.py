"""`ifmatch serve` beside a bare Starlette + sqlite3 app that evaluates nothing: server CPU a request."""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.processes import ROOT, environment

READS, WRITES, ROUNDS = 2000, 500, 7
DOCUMENT = b'{"title": "Practice", "note": "Change me, and see who else did.", "count": 1, "visits": 0}'


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@contextlib.contextmanager
def serving(command: list[str], port: int):
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(10)


def used(process: subprocess.Popen) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Client:
    """One keep-alive connection that reads no more of an answer than it has to."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.buffer = b""
        self.host = f"127.0.0.1:{port}"

    def ask(self, method: str, content: bytes = b"", *lines: str) -> tuple[int, str]:
        rows = [f"{method} /resource HTTP/1.1", f"Host: {self.host}", *lines]
        if content:
            rows += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        self.socket.sendall("\r\n".join([*rows, "", ""]).encode() + content)
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.socket.recv(65536)
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        status = int(head[9:12])
        fields = dict(row.lower().split(": ", 1) for row in head.decode("latin-1").split("\r\n")[1:])
        length = 0 if status in {204, 304} else int(fields.get("content-length", "0"))
        while len(self.buffer) < length:
            self.buffer += self.socket.recv(65536)
        self.buffer = self.buffer[length:]
        return status, fields.get("etag", "")


def one_round(process: subprocess.Popen, port: int, *, guarded: bool) -> dict[str, tuple[float, float]]:
    """Return CPU milliseconds and wall milliseconds a request, for each kind of request."""
    client = Client(port)
    found = {}
    _, tag = client.ask("GET")
    kinds = {"GET": READS, "GET with If-None-Match": READS, "PUT": WRITES}
    for kind, count in kinds.items():
        before, started = used(process), time.perf_counter()
        for _ in range(count):
            if kind == "GET":
                status, _ = client.ask("GET")
                assert status == 200
            elif kind == "PUT":
                lines = [f"If-Match: {tag}"] if guarded else []
                status, tag = client.ask("PUT", DOCUMENT, *lines)
                assert status == 204, status
            else:
                status, _ = client.ask("GET", b"", f"If-None-Match: {tag}")
                assert status == (304 if guarded else 200)
        wall = time.perf_counter() - started
        found[kind] = ((used(process) - before) / count * 1000, wall / count * 1000)
    client.socket.close()
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        served = {}
        ports = [free_port() for _ in range(3)]
        serve = [sys.executable, "-m", "ifmatch.cli", "serve", "--port"]
        commands = {
            "bare Starlette + sqlite3, nothing evaluated": [
                sys.executable, "-m", "benchmarks.bare_starlette", f"{folder}/bare.sqlite", str(ports[0]),
            ],
            "ifmatch serve, SQLite": [*serve, str(ports[1]), "--store", f"sqlite:{folder}/own.sqlite"],
            "ifmatch serve, memory": [*serve, str(ports[2]), "--store", "memory"],
        }  # fmt: skip
        for (name, command), port in zip(commands.items(), ports, strict=True):
            served[name] = (stack.enter_context(serving(command, port)), port)
        rounds: dict[str, list] = {name: [] for name in served}
        for number in range(ROUNDS + 1):
            for name, (process, port) in served.items():
                found = one_round(process, port, guarded=not name.startswith("bare"))
                if number:  # the first round warms up
                    rounds[name].append(found)
    print("# serve\n")
    print(
        f"Server CPU a request in ms, median (min-max) of {ROUNDS} interleaved rounds of {READS} reads and"
        f" {WRITES}\nguarded writes on one connection; uvicorn with h11, one worker, SQLite with"
        " synchronous=FULL.\nThe bare app evaluates nothing: it answers each conditional read with 200 and"
        " guards no write.\n"
    )
    kinds = list(next(iter(rounds.values()))[0])
    print(f"| server | {' | '.join(kinds)} | wall of PUT |\n|---|{'---|' * (len(kinds) + 1)}")
    for name, found in rounds.items():
        cells = []
        for kind in kinds:
            values = [one[kind][0] for one in found]
            cells.append(f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})")
        wall = statistics.median(one["PUT"][1] for one in found)
        print(f"| {name} | {' | '.join(cells)} | {wall:.2f} |")


if __name__ == "__main__":
    main()
