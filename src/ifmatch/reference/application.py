"""Put the practice server together: routes, quirks around them, and the edge that speaks ASGI.

The application needs no framework and no server; `ifmatch.reference.running` runs it on uvicorn.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, cast

from ifmatch.core.http_date import format_http_date
from ifmatch.errors import StoreUnavailableError
from ifmatch.reference import live, siblings, webdav
from ifmatch.reference.journal import Journal, event_of
from ifmatch.reference.messages import (
    Answer,
    Body,
    ContentTooLargeError,
    DisconnectedError,
    Request,
    ResponseLostError,
)
from ifmatch.reference.options import FIRST_DOCUMENT, ServeOptions
from ifmatch.reference.problems import problem
from ifmatch.reference.resource import METHODS, Resource
from ifmatch.reference.surroundings import Surroundings
from ifmatch.reference.variants import Negotiation
from ifmatch.server.stores.protocol import ABSENT, Content
from ifmatch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ifmatch.reference.messages import Handler, Message, Pairs, Receive, Scope, Send
    from ifmatch.server.stores.protocol import AsyncStore

__all__ = ["PracticeServer"]

_EXPOSED: Final = (
    "ETag, Last-Modified, Content-Location, Location, Preference-Applied, Retry-After, Accept-Patch, Allow,"
    " Content-Range, Schedule-Tag"
)
_ALLOWED: Final = (
    "If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, If-Range, Range, Prefer, Content-Type,"
    " If, If-Schedule-Tag-Match, Practice-Client"
)


@dataclass(slots=True, kw_only=True)
class PracticeServer:
    """The practice server as an ASGI application.

    Attributes:
        store: where the states are.
        options: path, compression and so on; host, port and workers mean nothing here.
        surroundings: clock, randomness, sleep.
        quirks: each wraps the handler within; the first one is the outermost.
        journal: of what was asked and answered.
        first: JSON document that BASE holds at the start.
        on_end: is awaited when the server ends.
    """

    store: AsyncStore
    options: ServeOptions = field(default_factory=ServeOptions)
    surroundings: Surroundings = field(default_factory=Surroundings)
    quirks: Sequence[Callable[[PracticeServer, Handler], Handler]] = ()
    journal: Journal = field(default_factory=Journal)
    first: bytes = FIRST_DOCUMENT
    on_end: Callable[[], Awaitable[None]] | None = None
    _handler: Handler = field(init=False)

    def __post_init__(self) -> None:
        handler: Handler = self.answer
        for quirk in reversed(self.quirks):
            handler = quirk(self, handler)
        self._handler = handler

    async def seed(self) -> None:
        """Store what BASE and `-transform` hold at the start, where nothing is there yet.

        Raises:
            StoreUnavailableError: the store cannot be asked.
        """
        for key, content in self.first_states().items():
            await self.store.swap(key, ABSENT, content)

    def first_states(self) -> dict[str, Content]:
        """Return what is there at the start, by path."""
        base = self.options.path
        same = Content(self.first, "application/json")
        return {
            base: same,
            f"{base}-transform": Content(self.first.upper(), "application/json"),
            f"{base}-negotiated": same,
        }

    def resource(self, key: str) -> Resource:
        """Return the resource of the store that is served under a path."""
        base = self.options.path
        return Resource(
            key=key,
            store=self.store,
            surroundings=self.surroundings,
            negotiation=Negotiation(compress=self.options.compress, forms=key == f"{base}-negotiated"),
            transform=bytes.upper if key == f"{base}-transform" else None,
        )

    def is_stored(self, path: str) -> bool:
        """Tell whether a path is a resource of the store: BASE, some siblings, and all below BASE."""
        base = self.options.path
        kept = ("", "-missing", "-transform", "-negotiated")
        return path in {base + suffix for suffix in kept} or path.startswith(f"{base}/")

    async def answer(self, request: Request) -> Answer:
        """Answer a request rightly, without quirks; Date and CORS fields included."""
        answer = await self._routed(request)
        return answer.adding((*self._date(), *_cors(request)))

    def _date(self) -> Pairs:
        return (("Date", format_http_date(self.surroundings.clock())),)

    async def _routed(self, request: Request) -> Answer:
        base = self.options.path
        asks_to_send = request.get("access-control-request-method") is not None
        # Two siblings refuse every method; only the question of a browser passes, or it would never send one.
        refuses_all = request.path in {f"{base}-forbidden", f"{base}-moved"} and not asks_to_send
        if request.method == "OPTIONS" and not refuses_all:
            return Answer(204, (("Allow", METHODS), ("Accept-Patch", "application/merge-patch+json")))
        try:
            return await self._sibling(request)
        except ContentTooLargeError:
            return problem(413, "The content is longer than 16 MiB.", fields=(("Connection", "close"),))
        except StoreUnavailableError as error:
            unknown = " Whether the write happened is unknown: read before sending again."
            detail = f"{error}{unknown if error.outcome_unknown else ''}"
            return problem(503, detail, instance=request.path, fields=(("Retry-After", "1"),))

    async def _sibling(self, request: Request) -> Answer:
        base = self.options.path
        if self.is_stored(request.path):
            resource = self.resource(request.path)
            if self.options.webdav:
                extra = await webdav.prepared(request, self.store)
                resource = replace(resource, extra_condition=extra, extra_fields=webdav.schedule_fields)
            return await resource.answer(request)
        if request.path == f"{base}-tagged":
            return await siblings.tagged(request)
        if request.path == f"{base}-dated":
            return await siblings.dated(request)
        if request.path == f"{base}-forbidden":
            return await siblings.forbidden(request)
        if request.path == f"{base}-moved":
            return await siblings.moved(request, base)
        if request.path == f"{base}-page":
            return live.page()
        return problem(404, f"The practice resource is {base}.", instance=request.path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak ASGI."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"the practice server speaks HTTP, not {scope['type']}")
        request = _request(scope, receive)
        if request.path == f"{self.options.path}-events" and request.method == "GET":
            await live.stream(self.journal, request, receive, send)
            return
        try:
            answer = await self._handler(request)
        except DisconnectedError:
            return
        except ResponseLostError:
            await self._note(request, None)
            raise
        await self._note(request, answer)
        # What a quirk answers by itself has no Date yet (RFC 9110 section 6.6.1).
        dated = answer if answer.get("date") is not None else answer.adding(self._date())
        await _send(send, request, dated)

    async def _note(self, request: Request, answer: Answer | None) -> None:
        if request.path == f"{self.options.path}-page":
            return
        content = await request.body.read() if request.body.is_read else b""
        if answer is not None and request.method == "GET" and answer.status == 200:
            content = answer.octets
        self.journal.add(event_of(request, answer, content, at=self.surroundings.clock()))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.seed()
                except StoreUnavailableError as error:
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                if self.on_end is not None:
                    await self.on_end()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _cors(request: Request) -> Pairs:
    fields: Pairs = (
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Expose-Headers", _EXPOSED),
    )
    if request.method == "OPTIONS" and request.get("access-control-request-method") is not None:
        preflight: Pairs = (
            ("Access-Control-Allow-Methods", METHODS),
            ("Access-Control-Allow-Headers", _ALLOWED),
            ("Access-Control-Max-Age", "600"),
        )
        return (*fields, *preflight)
    return fields


def _request(scope: Scope, receive: Receive) -> Request:
    lines = cast("list[tuple[bytes, bytes]]", scope["headers"])
    path = cast("str", scope["path"])
    if "://" in path:  # a target in absolute form (RFC 9112 section 3.2.2)
        path = "/" + path.split("://", 1)[1].partition("/")[2]
    client = cast("tuple[str, int] | None", scope.get("client"))
    return Request(
        method=cast("str", scope["method"]),
        path=path,
        query=cast("bytes", scope.get("query_string", b"")).decode("latin-1"),
        fields=tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")) for name, value in lines
        ),
        body=Body(receive),
        sender=f"{client[0]}:{client[1]}" if client else "",
        scheme=cast("str", scope.get("scheme", "http")),
    )


async def _send(send: Send, request: Request, answer: Answer) -> None:
    named = {name.lower() for name, _ in answer.fields}
    fields = list(answer.fields)
    if "server" not in named:
        fields.append(("Server", f"ifmatch/{__version__}"))
    without_content = answer.status in {204, 304}
    if not without_content and "content-length" not in named:
        fields.append(("Content-Length", str(len(answer.octets))))
    content = b"" if without_content or request.method == "HEAD" else answer.octets
    lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    start: Message = {"type": "http.response.start", "status": answer.status, "headers": lines}
    await send(start)
    await send({"type": "http.response.body", "body": content})
