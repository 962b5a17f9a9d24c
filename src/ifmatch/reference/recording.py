"""Record exchanges as they happen: at a client with a socket of its own, and at the server.

The records are those that `ifmatch.capture` reads from files, so they can be written as HAR and diagnosed.
"""

from __future__ import annotations

import gzip
import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import urlsplit

from ifmatch.model.exchange import Exchange, Provenance
from ifmatch.model.message import Content, Fields
from ifmatch.model.message import Request as SeenRequest
from ifmatch.model.message import Response as SeenResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.reference.messages import Message, Receive, Scope, Send
    from ifmatch.reference.running import Application

__all__ = ["RecordingClient", "Reply", "recording"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a recording client got.

    Attributes:
        status: code, 0 when no answer came.
        fields: of the answer.
        octets: the content, decoded from its content coding.
    """

    status: int
    fields: Fields = field(default_factory=Fields)
    octets: bytes = b""

    @property
    def etag(self) -> str:
        """Return the value of ETag, "" without one."""
        return self.fields.text("etag") or ""


class RecordingClient:
    """A client with one connection that keeps each exchange.

    Args:
        origin: `http://host:port`.
        name: source that the records name.
        agent: value of User-Agent.
        timeout: seconds until an answer counts as lost.
    """

    def __init__(self, origin: str, *, name: str, agent: str, timeout: float = 10.0) -> None:
        self.origin = origin
        self.name = name
        self.agent = agent
        self.exchanges: list[Exchange] = []
        self._connection = http.client.HTTPConnection(urlsplit(origin).netloc, timeout=timeout)
        self._connections = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def send(
        self,
        method: str,
        target: str,
        fields: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        content: bytes | None = None,
    ) -> Reply:
        """Send a request, wait for the answer, keep both.

        Args:
            method: of the request.
            target: path and query.
            fields: header fields beside Host, User-Agent and Content-Length; pairs for repeated lines.
            content: None for none.

        Returns:
            The answer; status 0 when the connection ended without one.
        """
        more = fields.items() if isinstance(fields, Mapping) else fields
        lines = [("Host", urlsplit(self.origin).netloc), ("User-Agent", self.agent), *more]
        if content is not None:
            lines.append(("Content-Length", str(len(content))))
        started, before = time.time(), time.perf_counter()
        error = ""
        reply = Reply(0)
        try:
            reply, raw, reason = self._exchange(method, target, lines, content)
        except (OSError, http.client.HTTPException) as failure:
            self._connection.close()
            self._connections += 1
            error = f"{type(failure).__name__}: {failure}"
            raw, reason = [], ""
        request = SeenRequest(
            method,
            self.origin + target,
            Fields(lines),
            None if content is None else Content.from_octets(content),
            "HTTP/1.1",
        )
        response = None
        if reply.status:
            seen = Content.from_octets(reply.octets)
            location = reply.fields.text("location") or ""
            response = SeenResponse(reply.status, reason, Fields(raw), seen, "HTTP/1.1", location)
        self.exchanges.append(
            Exchange(
                Provenance(self.name, len(self.exchanges)),
                request,
                response,
                started=started,
                duration=time.perf_counter() - before,
                error=error,
                connection=str(self._connections),
            )
        )
        return reply

    def decoded(self, coding: str, octets: bytes) -> bytes:
        """Undo the content coding of an answer; one that is not known stays.

        Args:
            coding: value of Content-Encoding, "" without one.
            octets: the content as it came.
        """
        return gzip.decompress(octets) if coding == "gzip" and octets else octets

    def _exchange(
        self, method: str, target: str, lines: list[tuple[str, str]], content: bytes | None
    ) -> tuple[Reply, list[tuple[str, str]], str]:
        self._connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in lines:
            self._connection.putheader(name, value.encode("latin-1"))
        self._connection.endheaders(content)
        answer = self._connection.getresponse()
        octets = self.decoded(answer.headers.get("content-encoding", ""), answer.read())
        raw = answer.getheaders()
        return Reply(answer.status, Fields(raw), octets), raw, answer.reason


def recording(application: Application, exchanges: list[Exchange], *, name: str) -> Application:
    """Return an application that keeps each exchange of another one, as the server sees it.

    Args:
        application: of ASGI.
        exchanges: gets the records.
        name: source that the records name.
    """

    async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        exchange = _ServerSide(scope, receive, send)
        try:
            await application(scope, exchange.receive, exchange.send)
        finally:
            exchanges.append(exchange.record(Provenance(name, len(exchanges))))

    return recorded


class _ServerSide:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._started, self._before = time.time(), time.perf_counter()
        self._asked: list[bytes] = []
        self._given: list[bytes] = []
        self._status = 0
        self._fields: list[tuple[bytes, bytes]] = []

    async def receive(self) -> Message:
        message = await self._receive()
        self._asked.append(cast("bytes", message.get("body", b"")))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = cast("int", message["status"])
            self._fields = cast("list[tuple[bytes, bytes]]", message["headers"])
        else:
            self._given.append(cast("bytes", message.get("body", b"")))
        await self._send(message)

    def record(self, provenance: Provenance) -> Exchange:
        lines = _lines(cast("list[tuple[bytes, bytes]]", self._scope["headers"]))
        host = next((value for key, value in lines if key.lower() == "host"), "localhost")
        query = cast("bytes", self._scope.get("query_string", b"")).decode("latin-1")
        target = cast("str", self._scope["path"]) + (f"?{query}" if query else "")
        asked = b"".join(self._asked)
        request = SeenRequest(
            cast("str", self._scope["method"]),
            f"http://{host}{target}",
            Fields(lines),
            Content.from_octets(asked) if asked else None,
            "HTTP/1.1",
        )
        response = None
        if self._status:
            fields = Fields(_lines(self._fields))
            octets = b"".join(self._given)
            if fields.text("content-encoding") == "gzip" and octets:
                octets = gzip.decompress(octets)
            response = SeenResponse(self._status, "", fields, Content.from_octets(octets), "HTTP/1.1")
        client = cast("tuple[str, int] | None", self._scope.get("client"))
        return Exchange(
            provenance,
            request,
            response,
            started=self._started,
            duration=time.perf_counter() - self._before,
            error="" if self._status else "no answer was sent",
            connection=str(client[1]) if client else "",
        )


def _lines(fields: list[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]
