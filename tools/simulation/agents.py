"""Actors that send requests, the wire between them and the hops, and taps that record."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from tools.simulation.kernel import TimedOut
from tools.simulation.messages import Exchange, Lost, Tape, get

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow, World
    from tools.simulation.messages import Answer, Fields, Request
    from tools.simulation.software import ClientKind


class Hop(Protocol):
    """Anything that answers requests: an origin, an intermediary, a tap."""

    def serve(self, request: Request) -> Flow[Answer]:
        """Answer a request; may take virtual time."""
        ...


class _Connections:
    """Numbers of connections, one used again when it is free."""

    def __init__(self, first: int, *, reuse: bool) -> None:
        self._next = first
        self._free: list[int] = []
        self._reuse = reuse

    def take(self) -> int:
        if self._free and self._reuse:
            return self._free.pop(0)
        self._next += 1
        return self._next

    def give(self, number: int) -> None:
        self._free.append(number)


class Tap:
    """Record what passes on its way to the next hop.

    Args:
        world: clock.
        inner: the next hop.
        tape: where to record.
        travel: seconds to the next hop, one way.
    """

    def __init__(self, world: World, inner: Hop, tape: Tape, travel: float = 0.0002) -> None:
        self.world = world
        self.inner = inner
        self.tape = tape
        self.travel = travel
        self._connections = _Connections(world.rng.randrange(1, 40), reuse=True)

    def serve(self, request: Request) -> Flow[Answer]:
        """Pass a request on and record both sides."""
        number = self._connections.take()
        record = Exchange(self.world.now, 0.0, request.copy(), Lost("connection closed"), str(number))
        self.tape.exchanges.append(record)
        yield self.travel
        answer = yield from self.inner.serve(request)
        yield self.travel
        record.duration = self.world.now - record.started
        record.answer = answer if isinstance(answer, Lost) else answer.copy()
        self._connections.give(number)
        return answer


class Agent:
    """One actor with one client software.

    Args:
        world: clock and randomness.
        kind: the client software.
        route: first hop of its requests.
        role: what its recording is: client, other.
        own: fields it adds to each request (credentials, application fields).
        delay: seconds to the first hop, one way.
    """

    def __init__(
        self, world: World, kind: ClientKind, route: Hop, *, role: str, own: Fields, delay: float
    ) -> None:
        self.world = world
        self.kind = kind
        self.route = route
        self.own = own
        self.delay = delay
        self.tape = Tape(role, flavour=kind.flavour, lower_case=kind.lower, version=kind.version)
        self.invocation = ""
        self.page = ""
        self.traces = world.rng.choice(("", "", "", "", "traceparent", "X-Request-Id"))
        self._connections = _Connections(world.rng.randrange(1, 900), reuse=world.rng.random() < 0.75)

    def think(self, low: float = 0.2, high: float = 4.0) -> Flow[None]:
        """Let some seconds pass."""
        yield self.world.rng.uniform(low, high)

    def send(
        self,
        request: Request,
        *,
        limit: float | None = None,
        attempt: int = 1,
        kind: str = "fetch",
        route: Hop | None = None,
    ) -> Flow[Answer]:
        """Send a request and wait for what comes.

        Args:
            request: without the fields of the client software.
            limit: seconds after which the client gives up.
            attempt: number of this try of the same call, for SDKs that tell.
            kind: resource type that a browser would note.
            route: first hop, when it is another one than usual.
        """
        dressed = self._dress(request, attempt)
        number = self._connections.take()
        record = Exchange(
            self.world.now, 0.0, dressed, Lost("request cancelled"), str(number), kind, page=self.page
        )
        self.tape.exchanges.append(record)
        answer = yield from self.world.wait(
            self.world.spawn(self._carry(dressed.copy(), route or self.route)), limit
        )
        if isinstance(answer, TimedOut):
            answer = Lost(self._words_for_timeout(limit or 0.0))
        record.duration = self.world.now - record.started
        record.answer = answer if isinstance(answer, Lost) else answer.copy()
        if not isinstance(answer, Lost):
            self._connections.give(number)
        return answer

    def _words_for_timeout(self, limit: float) -> str:
        if self.kind.browser:
            return "net::ERR_ABORTED" if self.kind.flavour == "chrome" else "NS_BINDING_ABORTED"
        return f"timed out after {limit:g} s"

    def _carry(self, request: Request, route: Hop) -> Flow[Answer]:
        yield self.delay * self.world.rng.uniform(0.8, 1.3)
        answer = yield from route.serve(request)
        yield self.delay * self.world.rng.uniform(0.8, 1.3)
        return answer

    def _dress(self, request: Request, attempt: int) -> Request:
        rng = self.world.rng
        if attempt == 1 or not self.invocation:
            self.invocation = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        fresh = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        own: Fields = [*self.own, *request.fields]
        if self.traces == "traceparent":
            own.append(("traceparent", f"00-{rng.getrandbits(128):032x}-{rng.getrandbits(64):016x}-01"))
        elif self.traces:
            own.append((self.traces, str(uuid.UUID(int=rng.getrandbits(128), version=4))))
        if request.body is not None:
            size = len(request.body.encode() if isinstance(request.body, str) else request.body)
            own.append(("Content-Length", str(size)))
        if self.kind.browser and request.method not in {"GET", "HEAD"} and get(own, "Origin") is None:
            parts = urlsplit(request.url)
            own.append(("Origin", f"{parts.scheme}://{parts.netloc}"))
        general: Fields = []
        for name, value in self.kind.fields:
            if get(own, name) is not None:
                continue
            text = value.replace("{host}", urlsplit(request.url).netloc).replace("{attempt}", str(attempt))
            if "{uuid}" in text:
                kept = self.kind.name in {"boto3", "awsgo", "gcs"}
                text = text.replace("{uuid}", self.invocation if kept else fresh)
            general.append((name, text))
        fields = [*general[:1], *own, *general[1:]] if self.kind.late else [*general, *own]
        dressed = request.copy()
        dressed.fields = [(name.lower(), value) for name, value in fields] if self.kind.lower else fields
        return dressed
