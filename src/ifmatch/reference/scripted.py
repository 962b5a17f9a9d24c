"""A practice server that does what a test tells it: another writer, a lost answer, a quirk, on demand.

Nothing here waits for time to pass: what is asked for happens at the very request that it is asked for.
"""

from __future__ import annotations

import json
from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias, cast
from weakref import WeakSet

from ifmatch.reference.application import PracticeServer
from ifmatch.reference.messages import ResponseLostError
from ifmatch.reference.options import FIRST_DOCUMENT, ServeOptions
from ifmatch.reference.quirks import behaviours
from ifmatch.reference.running import running
from ifmatch.reference.surroundings import Surroundings
from ifmatch.server.stores.memory import AsyncMemoryStore, MemoryStore
from ifmatch.server.stores.protocol import ABSENT, DELETED, Content, Lost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from ifmatch.merge import JsonValue
    from ifmatch.reference.journal import Event, Journal
    from ifmatch.reference.messages import Answer, Handler, Receive, Request, Scope, Send
    from ifmatch.server.stores.protocol import Absent, Deleted, Snapshot, Version

__all__ = ["ScriptedServer", "practice_server"]

_WRITES: Final = frozenset({"PUT", "PATCH", "DELETE", "POST"})
_Step: TypeAlias = "Callable[[Request, Handler], Awaitable[Answer]]"


class ScriptedServer:
    """A practice server in memory, with a script; itself an ASGI application.

    Args:
        path: of the resource.
        document: what it holds at the start: JSON, or octets as they are.
        quirks: as for `ifmatch serve --quirk`.
        compress: whether there are gzip variants.
        surroundings: clock, randomness and sleep; None for those of this machine.

    Attributes:
        origin: `http://host:port` while it runs on a socket, else `http://ifmatch.test`.
        path: of the resource.
    """

    def __init__(
        self,
        *,
        path: str = "/resource",
        document: JsonValue | bytes = FIRST_DOCUMENT,
        quirks: tuple[str, ...] = (),
        compress: bool = False,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.origin = "http://ifmatch.test"
        self.path = path
        self._first = _octets(document)
        self._options = ServeOptions(path=path, quirks=quirks, compress=compress)
        self._surroundings = surroundings if surroundings is not None else Surroundings()
        self._journals: WeakSet[Journal] = WeakSet()
        self.reset()

    def reset(self) -> None:
        """Go back to the start: the first state, an empty script, no requests seen, the first quirks."""
        self._memory = MemoryStore(clock=self._surroundings.clock)
        self._script: deque[_Step] = deque()
        self._after_reads: deque[Callable[[JsonValue], JsonValue]] = deque()
        self._server = self._with(self._options.quirks)
        self._journals.add(self._server.journal)
        for path, content in self._server.first_states().items():
            self._memory.swap(path, ABSENT, content)

    def _with(self, quirks: tuple[str, ...]) -> PracticeServer:
        return PracticeServer(
            store=AsyncMemoryStore(self._memory),
            options=replace(self._options, quirks=quirks),
            surroundings=self._surroundings,
            quirks=(self._scripted, *behaviours(quirks)),
            first=self._first,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak ASGI."""
        await self._server(scope, receive, send)

    @property
    def url(self) -> str:
        """Return the URL of the resource."""
        return self.origin + self.path

    @property
    def requests(self) -> tuple[Event, ...]:
        """Return what was asked so far, and how it was answered."""
        return tuple(self._server.journal)

    def end_streams(self) -> None:
        """End the streams of events that pages still hold open, for the end of a server on a socket."""
        for journal in self._journals:
            journal.close()

    # --- the state, past every request

    def _current(self, path: str | None) -> Snapshot | None:
        return self._memory.read(self.path if path is None else path)

    def content(self, path: str | None = None) -> bytes | None:
        """Return the octets that are stored, None when nothing is there.

        Args:
            path: of another resource than that of the server.
        """
        current = self._current(path)
        return None if current is None else current.content.octets

    def document(self, path: str | None = None) -> JsonValue:
        """Return the stored JSON.

        Args:
            path: of another resource than that of the server.

        Raises:
            LookupError: nothing is there.
            ValueError: what is there is no JSON.
        """
        octets = self.content(path)
        if octets is None:
            raise LookupError(f"nothing is stored under {path or self.path}")
        return cast("JsonValue", json.loads(octets))

    def etag(self, path: str | None = None) -> str | None:
        """Return the current entity tag, quotes included, None when nothing is there."""
        current = self._current(path)
        return None if current is None else current.etag

    def write(self, document: JsonValue | bytes, *, path: str | None = None) -> str:
        """Store a state as another writer does, at once.

        Args:
            document: JSON, or octets as they are.
            path: of another resource than that of the server.

        Returns:
            The new entity tag.
        """
        content = Content(_octets(document), "application/json")
        return f'"{self._swap(path, content)}"'

    def delete(self, *, path: str | None = None) -> None:
        """Delete the state as another writer does, at once."""
        if self._current(path) is not None:
            self._swap(path, DELETED)

    def _swap(self, path: str | None, new: Content | Deleted) -> str:
        key = self.path if path is None else path
        while True:
            current = self._memory.read(key)
            expected: Version | Absent = ABSENT if current is None else current.version
            outcome = self._memory.swap(key, expected, new)
            if not isinstance(outcome, Lost):
                return outcome

    # --- the script: what happens at the next writes

    def conflict(self, change: Callable[[JsonValue], JsonValue] | None = None, *, times: int = 1) -> None:
        """Let another writer be faster than the next writes.

        Args:
            change: gets the stored JSON, returns what the other writer makes of it; None counts `visits` up.
            times: how many writes meet it.
        """

        async def step(request: Request, forward: Handler) -> Answer:
            before = self.document(request.path)
            self.write((change or _visit)(before), path=request.path)
            return await forward(request)

        self._script.extend([step] * times)

    def overtake(self, change: Callable[[JsonValue], JsonValue] | None = None) -> None:
        """Let another writer store right after the next read: what was read is outdated at once.

        Args:
            change: as for `conflict`.
        """
        self._after_reads.append(change or _visit)

    def vanish(self) -> None:
        """Let another writer delete the resource before the next write."""

        async def step(request: Request, forward: Handler) -> Answer:
            self.delete(path=request.path)
            return await forward(request)

        self._script.append(step)

    def lose_answer(self, *, stored: bool = True) -> None:
        """End the connection in the place of an answer to the next write.

        Args:
            stored: whether the write is performed.
        """

        async def step(request: Request, forward: Handler) -> Answer:
            if stored:
                await forward(request)
            raise ResponseLostError

        self._script.append(step)

    def replay(self) -> None:
        """Let the next write reach the server twice; the second answer is given."""

        async def step(request: Request, forward: Handler) -> Answer:
            await request.body.read()
            await forward(request)
            return await forward(request)

        self._script.append(step)

    @contextmanager
    def quirk(self, *names: str) -> Generator[None]:
        """Be wrong in these ways while the block runs; what is stored stays.

        Args:
            names: as for `ifmatch serve --quirk`.

        Raises:
            InputError: a name is no quirk.
        """
        before = self._server
        self._server = self._with(names)
        self._server.journal = before.journal
        try:
            yield
        finally:
            self._server = before

    def _scripted(self, server: PracticeServer, handler: Handler) -> Handler:
        del server

        async def handle(request: Request) -> Answer:
            if request.method == "GET" and self._after_reads and self._current(request.path) is not None:
                answer = await handler(request)
                change = self._after_reads.popleft()
                self.write(change(self.document(request.path)), path=request.path)
                return answer
            if request.method not in _WRITES or not self._script:
                return await handler(request)
            return await self._script.popleft()(request, handler)

        return handle


def _visit(document: JsonValue) -> JsonValue:
    if not isinstance(document, dict):
        raise TypeError("the stored document is no JSON object: give `change`")
    visits = document.get("visits", 0)
    return {**document, "visits": visits + 1 if isinstance(visits, int) else 1}


def _octets(document: JsonValue | bytes) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode()


@contextmanager
def practice_server(
    *,
    path: str = "/resource",
    document: JsonValue | bytes = FIRST_DOCUMENT,
    quirks: tuple[str, ...] = (),
    compress: bool = False,
    surroundings: Surroundings | None = None,
) -> Generator[ScriptedServer]:
    """Run a `ScriptedServer` on a socket of this machine while the block runs, in a thread.

    Args:
        path: of the resource.
        document: what it holds at the start: JSON, or octets as they are.
        quirks: as for `ifmatch serve --quirk`.
        compress: whether there are gzip variants.
        surroundings: clock, randomness and sleep; None for those of this machine.

    Raises:
        MissingExtraError: uvicorn is not installed; the ASGI application itself needs nothing.
    """
    server = ScriptedServer(
        path=path, document=document, quirks=quirks, compress=compress, surroundings=surroundings
    )
    with running(server, on_stop=server.end_streams) as run:
        server.origin = run.origin
        yield server
