"""The service that contention is measured on: one counter, atomic If-Match, a fixed round trip; a process of
its own.

    python -m benchmarks.contention_service SECONDS

It prints its port. Half of the round trip passes before the atomic step, half after. Paths: `/plain` refuses
without content, `/carrying` puts the current state into its refusals, `/open` takes writes without If-Match,
too. `POST /reset` sets the counter to 0.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import selectors
import sys

DOCUMENT = {"n": 0, "title": "a counter", "text": "x" * 120, "tags": ["one", "two", "three"]}


class Counter:
    """The document, its version, and what was asked."""

    def __init__(self, latency: float) -> None:
        self.half = latency / 2
        self.reset()

    def reset(self) -> None:
        self.octets = json.dumps(DOCUMENT).encode()
        self.version = 1
        self.requests = 0

    def answer(self, method: str, path: str, tag: str | None, octets: bytes) -> bytes:
        self.requests += 1
        if method == "PUT":
            if tag != f'"v{self.version}"' and (tag is not None or path != "/open"):
                return self.refusal(path)
            self.octets = octets
            self.version += 1
            return f'HTTP/1.1 204 No Content\r\nETag: "v{self.version}"\r\n\r\n'.encode()
        return self.state("200 OK")

    def state(self, status: str, more: str = "") -> bytes:
        head = (
            f'HTTP/1.1 {status}\r\nETag: "v{self.version}"\r\nContent-Type: application/json\r\n{more}'
            f"Content-Length: {len(self.octets)}\r\n\r\n"
        )
        return head.encode() + self.octets

    def refusal(self, path: str) -> bytes:
        if path != "/carrying":
            return b"HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n"
        more = "Preference-Applied: return=representation\r\nContent-Location: /carrying\r\n"
        return self.state("412 Precondition Failed", more)


class Connection(asyncio.Protocol):
    """One connection: requests one after another, each answered a round trip after it arrived whole.

    Both timers count from the arrival, so that a late one makes the next no later.
    """

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.loop = asyncio.get_running_loop()
        self.held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.held += data
        head, ended, rest = self.held.partition(b"\r\n\r\n")
        if not ended:
            return
        method, path, tag, length = parsed(head)
        if len(rest) < length:
            return
        octets, self.held = rest[:length], rest[length:]
        if path == "/reset":
            requests = str(self.counter.requests).encode()
            self.counter.reset()
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(requests), requests)
            )
            return
        arrived = self.loop.time()
        half = self.counter.half
        if half:
            self.loop.call_at(arrived + half, self.decide, arrived + 2 * half, method, path, tag, octets)
        else:
            self.transport.write(self.counter.answer(method, path, tag, octets))

    def decide(self, due: float, method: str, path: str, tag: str | None, octets: bytes) -> None:
        self.loop.call_at(due, self.transport.write, self.counter.answer(method, path, tag, octets))


def parsed(head: bytes) -> tuple[str, str, str | None, int]:
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ")
    tag, length = None, 0
    for line in lines[1:]:
        name, _, value = line.partition(":")
        lowered = name.lower()
        if lowered == "if-match":
            tag = value.strip()
        elif lowered == "content-length":
            length = int(value)
    return method, path.partition("?")[0], tag, length


async def main() -> None:
    counter = Counter(float(sys.argv[1]))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(counter), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def precise_loop() -> asyncio.AbstractEventLoop:
    """Return a loop whose timers are exact: epoll waits whole milliseconds, select does not.

    The kernel's slack of 50 microseconds a timer goes, too (PR_SET_TIMERSLACK, Linux).
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(29, 1, 0, 0, 0)
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=precise_loop) as runner:
        runner.run(main())
