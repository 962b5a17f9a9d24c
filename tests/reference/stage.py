"""A stage for quirks: a server with one, two people whose clients record, and the server behind the quirk."""

from __future__ import annotations

import gzip
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import brotli

from ifmatch.model.exchange import Exchange, Provenance
from ifmatch.model.message import Content, Fields
from ifmatch.model.message import Request as SeenRequest
from ifmatch.model.message import Response as SeenResponse
from ifmatch.reference.application import PracticeServer
from ifmatch.reference.options import ServeOptions
from ifmatch.reference.quirks import behaviours
from ifmatch.reference.recording import RecordingClient, Reply
from ifmatch.reference.running import running
from ifmatch.reference.surroundings import Surroundings
from ifmatch.server.stores.memory import AsyncMemoryStore, MemoryStore
from ifmatch.server.stores.protocol import Content as StoredContent
from tests.reference.wire import Connection, message

__all__ = ["Stage", "staged"]

BASE = "/notes/plan"
FIRST = {"title": "Plan", "note": "Meet at noon.", "count": 1}


class StageClock:
    """The time on the stage: it passes only when the story says so, or is the real one for a recording.

    Args:
        real: whether to take the clock of this machine.
    """

    def __init__(self, *, real: bool) -> None:
        self.real = real
        self._passed = 0.0
        self._start = datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) if self.real else self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return time.monotonic() if self.real else self._passed

    def wait(self, seconds: float) -> None:
        if self.real:
            time.sleep(seconds)
        else:
            self._passed += seconds

    def begin_a_second(self) -> None:
        """Be early in a second, so that what follows fits into it."""
        while self.now().microsecond > 300_000:
            self.wait(0.01)


class BrowserlikeClient(RecordingClient):
    """A client that undoes Brotli too, and takes its time.

    Attributes:
        pace: seconds before each request: a HAR tells the order of requests by their milliseconds.
    """

    pace = 0.0

    def send(self, *arguments, **more) -> Reply:
        time.sleep(self.pace)
        return super().send(*arguments, **more)

    def decoded(self, coding: str, octets: bytes) -> bytes:
        return brotli.decompress(octets) if coding == "br" and octets else super().decoded(coding, octets)


class CountingStore(AsyncMemoryStore):
    """A store in memory that counts how often it is read."""

    def __init__(self, clock: StageClock) -> None:
        # What is there at the start is two hours old.
        self.clock = lambda: clock.now() - timedelta(hours=2)
        self.memory = MemoryStore(clock=lambda: self.clock())  # noqa: PLW0108 - it changes
        self.reads = 0
        super().__init__(self.memory)

    async def read(self, key: str):
        self.reads += 1
        return await super().read(key)


@dataclass
class Stage:
    """Who is on it.

    Attributes:
        server: with the quirk.
        ana: whose trouble the story is about.
        ben: the other writer.
        store: of the server.
        clock: of the server and the store.
        upstream: what the server behind the quirk saw.
    """

    server: PracticeServer
    ana: RecordingClient
    ben: RecordingClient
    store: CountingStore
    clock: StageClock
    upstream: list[Exchange] = field(default_factory=list)
    ended: list[int] | None = None

    def curtain(self) -> None:
        """End the recording: what follows only proves what the quirk does."""
        self.ended = [len(seen) for seen in (self.ana.exchanges, self.ben.exchanges, self.upstream)]

    def open(self) -> None:
        """Begin the recording: what came before only proves what the quirk does."""
        for seen in (self.ana.exchanges, self.ben.exchanges, self.upstream):
            seen.clear()

    @property
    def recorded(self) -> tuple[list[Exchange], list[Exchange], list[Exchange]]:
        """Return what Ana, Ben and the server behind the quirk saw, up to the curtain."""
        ana, ben, upstream = self.ended or (None, None, None)
        return self.ana.exchanges[:ana], self.ben.exchanges[:ben], self.upstream[:upstream]

    def slow_put(self, who: RecordingClient, document: object, tag: str):
        """Begin a PUT, all but its last octet; the function that is returned ends it, records it, answers."""
        content = json.dumps(document).encode()
        lines = (("User-Agent", who.agent), ("Content-Type", "application/json"), ("If-Match", tag))
        connection = Connection(who.origin)
        octets = message("PUT", BASE, connection.host, *lines, content=content)
        started, before = time.time(), time.perf_counter()
        connection.send(octets[:-1])

        def end() -> int:
            connection.send(octets[-1:])
            answer = connection.answer("PUT")
            connection.__exit__()
            request = SeenRequest(
                "PUT",
                who.origin + BASE,
                Fields((("Host", connection.host), *lines, ("Content-Length", str(len(content))))),
                Content.from_octets(content),
                "HTTP/1.1",
            )
            response = SeenResponse(
                answer.status, "", Fields(answer.fields), Content.from_octets(answer.content), "HTTP/1.1"
            )
            who.exchanges.append(
                Exchange(
                    Provenance(who.name, len(who.exchanges)),
                    request,
                    response,
                    started=started,
                    duration=time.perf_counter() - before,
                    connection="slow",
                )
            )
            return answer.status

        return end

    def get(self, who: RecordingClient, path: str = BASE, **fields: str) -> Reply:
        return who.send("GET", path, named(fields))

    def head(self, who: RecordingClient, path: str = BASE, **fields: str) -> Reply:
        return who.send("HEAD", path, named(fields))

    def put(self, who: RecordingClient, document: object, path: str = BASE, **fields: str) -> Reply:
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        return who.send("PUT", path, {"Content-Type": "application/json", **named(fields)}, content)

    def edit(self, who: RecordingClient, read: Reply, tag: str | None = None, **changes: object) -> Reply:
        """Change members of what was read and send it with the tag of the read, or another one."""
        document = {**json.loads(read.octets), **changes}
        return self.put(who, document, if_match=read.etag if tag is None else tag)

    def write_past_the_quirk(self, **changes: object) -> None:
        """Change what is stored without a request."""
        held = self.store.memory.read(BASE)
        assert held is not None
        content = json.dumps({**json.loads(held.content.octets), **changes}).encode()
        self.store.memory.swap(BASE, held.version, StoredContent(content, "application/json"))

    @property
    def truth(self) -> dict[str, object]:
        """Return what is stored, past every quirk."""
        held = self.store.memory.read(BASE)
        assert held is not None
        return json.loads(held.content.octets)


def named(fields: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").title(): value for name, value in fields.items()}


@contextmanager
def staged(*quirks: str, pace: float = 0.0):
    """Run a server with quirks, with two clients, while the block runs.

    Args:
        quirks: as for `--quirk`.
        pace: seconds that each client waits before a request, and then the clock is real: for recordings.
    """
    upstream: list[Exchange] = []
    clock = StageClock(real=pace > 0)
    store = CountingStore(clock)
    options = ServeOptions(path=BASE, quirks=quirks)
    server = PracticeServer(
        store=store,
        options=options,
        surroundings=Surroundings(clock=clock.now, monotonic=clock.monotonic),
        quirks=(*behaviours(quirks), _recorder(upstream)),
        first=json.dumps(FIRST).encode(),
    )
    with (
        running(server, on_stop=server.journal.close) as run,
        BrowserlikeClient(run.origin, name="client.har", agent="ana-editor/1.0") as ana,
        BrowserlikeClient(run.origin, name="other.har", agent="ben-sync/2.3") as ben,
    ):
        store.clock = clock.now
        ana.pace = ben.pace = pace
        yield Stage(server, ana, ben, store, clock, upstream)


def _recorder(upstream: list[Exchange]):
    """Record what the handler within sees: the view of the server behind an intermediary."""

    def wrap(server, handler):
        del server

        async def handle(request):
            started, before = time.time(), time.perf_counter()
            answer = await handler(request)
            content = await request.body.read() if request.body.is_read else b""
            octets = b"" if request.method == "HEAD" else answer.octets
            if answer.get("content-encoding") == "gzip" and octets:
                octets = gzip.decompress(octets)
            seen = SeenRequest(
                request.method,
                request.url,
                Fields(request.fields),
                Content.from_octets(content) if content else None,
                "HTTP/1.1",
            )
            given = SeenResponse(
                answer.status, "", Fields(answer.fields), Content.from_octets(octets), "HTTP/1.1"
            )
            upstream.append(
                Exchange(
                    Provenance("upstream.har", len(upstream)),
                    seen,
                    given,
                    started=started,
                    duration=time.perf_counter() - before,
                )
            )
            return answer

        return handle

    return wrap
