"""The service that contention is measured on: one counter, atomic If-Match, a fixed round trip; a process of
its own.

    python -m benchmarks.contention_service SECONDS

It prints its port. Half of the round trip passes before the atomic step, half after. Paths: `/plain` refuses
without content, `/carrying` puts the current state into its refusals. `POST /reset` sets the counter to 0.
"""

from __future__ import annotations

import asyncio
import json
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
            if tag != f'"v{self.version}"':
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

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                method, path, tag, length = parsed(head)
                octets = await reader.readexactly(length) if length else b""
                if path == "/reset":
                    requests = str(self.requests).encode()
                    self.reset()
                    writer.write(
                        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(requests), requests)
                    )
                    continue
                await asyncio.sleep(self.half)
                made = self.answer(method, path, tag, octets)
                await asyncio.sleep(self.half)
                writer.write(made)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


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
    server = await asyncio.start_server(counter.serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
