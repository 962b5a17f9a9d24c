"""A real HTTP service on a loopback port: versioned documents, a ledger, and faults on request.

It runs in a thread of its own. Every commit is atomic, every tag is used once, and what a test scripts for
the next requests happens on the wire: connections are cut, answers are late, redirected, cached or
compressed.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Seen:
    """A request as the service got it."""

    method: str
    path: str
    fields: dict
    octets: bytes

    def __getitem__(self, name):
        return self.fields.get(name.lower())


@dataclass
class Document:
    octets: bytes
    version: int
    media_type: str = "application/json"


@dataclass
class Reply:
    """An answer of a script; `cut` drops the connection instead, `after` first does what was asked."""

    status: int = 200
    fields: tuple = ()
    octets: bytes = b""
    cut: bool = False
    after: bool = False


CUT_BEFORE = Reply(cut=True)
CUT_AFTER = Reply(cut=True, after=True)
REASONS = {
    200: "OK",
    201: "Created",
    204: "No Content",
    206: "Partial Content",
    304: "Not Modified",
    404: "Not Found",
    412: "Precondition Failed",
}


@dataclass
class Service:
    """State and settings of the service.

    Attributes:
        fields: header fields of every 200.
        carries: whether refusals carry the current state.
        gzip: whether reads are compressed, with a weakened tag, when the client accepts that.
        losses: share of writes that are cut, half before and half after the commit.
        delay: seconds each request takes.
    """

    documents: dict = field(default_factory=dict)
    scripts: dict = field(default_factory=dict)
    seen: list = field(default_factory=list)
    applied: Counter = field(default_factory=Counter)
    fields: tuple = ()
    carries: bool = False
    gzip: bool = False
    losses: float = 0.0
    delay: float = 0.0
    checks: bool = True
    port: int = 0
    versions: int = 0
    seed: int = 1

    def __post_init__(self):
        self.random = random.Random(self.seed)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.tasks = set()
        self.server = self.call(asyncio.start_server(self.connection, "127.0.0.1", 0, limit=2**20))
        self.port = self.server.sockets[0].getsockname()[1]

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def close(self):
        async def stop():
            self.server.close()
            for task in list(self.tasks):
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

        self.call(stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(120)
        self.loop.close()

    def url(self, path="/doc"):
        return f"http://127.0.0.1:{self.port}{path}"

    def put(self, path="/doc", value=None):
        """Write as another client would."""
        self.versions += 1
        octets = value if isinstance(value, bytes) else json.dumps(value or {"n": 0}).encode()
        self.documents[path] = Document(octets, self.versions)
        return f'"v{self.versions}"'

    def value(self, path="/doc"):
        return json.loads(self.documents[path].octets)

    def script(self, path, *replies):
        """Answer the next requests to a path so, in order; None: as always."""
        self.scripts[path] = list(replies)

    def methods(self, path="/doc"):
        return [one.method for one in self.seen if one.path.partition("?")[0] == path]

    # The wire.

    async def connection(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        try:
            while (seen := await self.request(reader)) is not None:
                self.seen.append(seen)
                if self.delay:
                    await asyncio.sleep(self.delay / 2)
                reply = self.decide(seen)
                if self.delay:
                    await asyncio.sleep(self.delay / 2)
                if reply.cut:
                    writer.transport.abort()
                    return
                writer.write(self.wire(seen, reply))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.tasks.discard(task)
            writer.close()

    async def request(self, reader):
        line = await reader.readline()
        if not line:
            return None
        method, path, _ = line.decode().split(" ")
        fields = {}
        while (line := await reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            fields[name.lower()] = value.strip()
        if fields.get("transfer-encoding") == "chunked":
            octets = b""
            while size := int(await reader.readline(), 16):
                octets += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
        else:
            octets = await reader.readexactly(int(fields.get("content-length", 0)))
        return Seen(method, path, fields, octets)

    def wire(self, seen, reply):
        status = f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Status')}\r\n"
        lines = "".join(f"{name}: {value}\r\n" for name, value in reply.fields)
        if "content-length" in lines.lower() or reply.status in (204, 304):
            length = ""
        else:
            length = f"Content-Length: {len(reply.octets)}\r\n"
        octets = b"" if seen.method == "HEAD" or reply.status in (204, 304) else reply.octets
        return (status + lines + length + "\r\n").encode("latin-1") + octets

    # The resource.

    def decide(self, seen):
        path = seen.path.partition("?")[0]
        script = self.scripts.get(path)
        scripted = script.pop(0) if script else None
        if scripted is not None:
            if scripted.after:
                self.act(path, seen)
            return scripted
        if seen.method not in ("GET", "HEAD") and self.losses:
            roll = self.random.random()
            if roll < self.losses:
                if roll > self.losses / 2:
                    self.act(path, seen)
                return CUT_BEFORE
        return self.act(path, seen)

    def act(self, path, seen):
        held = self.documents.get(path)
        if seen.method in ("GET", "HEAD"):
            return self.read(held, seen)
        if self.checks and not self.holds(held, seen):
            return self.refuse(path, held)
        if seen.method == "DELETE":
            if held is None:
                return Reply(404)
            del self.documents[path]
            return Reply(204)
        self.versions += 1
        media_type = seen["content-type"] or "application/octet-stream"
        self.documents[path] = Document(seen.octets, self.versions, media_type)
        self.applied[seen["x-operation"]] += 1
        return Reply(201 if held is None else 204, (("ETag", f'"v{self.versions}"'),))

    def holds(self, held, seen):
        match, none_match = seen["if-match"], seen["if-none-match"]
        if match is not None and (held is None or match not in ("*", f'"v{held.version}"')):
            return False
        return not (none_match == "*" and held is not None)

    def refuse(self, path, held):
        if not self.carries or held is None:
            return Reply(412, (("Content-Type", "text/plain"),), b"no")
        fields = (
            ("ETag", f'"v{held.version}"'),
            ("Content-Type", held.media_type),
            ("Content-Location", path),
            ("Preference-Applied", "return=representation"),
        )
        return Reply(412, fields, held.octets)

    def read(self, held, seen):
        if held is None:
            return Reply(404)
        tag, octets = f'"v{held.version}"', held.octets
        fields = [("Content-Type", held.media_type), *self.fields]
        if self.gzip:
            fields.append(("Vary", "Accept-Encoding"))
            if "gzip" in (seen["accept-encoding"] or ""):
                tag, octets = f"W/{tag}", gzip.compress(octets)
                fields.append(("Content-Encoding", "gzip"))
        if seen["if-none-match"] == tag:
            return Reply(304, (("ETag", tag), *fields))
        return Reply(200, (("ETag", tag), *fields), octets)
