"""Hold one request and one answer of the practice server, octets as latin-1 text.

Quirks work on these records: they see what came in, alter what goes on, and alter what comes back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "LONGEST_CONTENT",
    "Answer",
    "Body",
    "ContentTooLargeError",
    "DisconnectedError",
    "Handler",
    "Message",
    "Pairs",
    "Receive",
    "Request",
    "ResponseLostError",
    "Scope",
    "Send",
]

Scope: TypeAlias = MutableMapping[str, object]
Message: TypeAlias = MutableMapping[str, object]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Pairs: TypeAlias = tuple[tuple[str, str], ...]

LONGEST_CONTENT: Final = 16 * 1024 * 1024
"""Octets of content that a request may have; more is answered with 413."""


class ContentTooLargeError(Exception):
    """Say that the content of a request is longer than `LONGEST_CONTENT`."""


class DisconnectedError(Exception):
    """Say that the client went away before its request was whole."""


class ResponseLostError(Exception):
    """Ask the edge to close the connection without an answer."""


class Body:
    """The content of a request, read from the connection when it is first asked for.

    Args:
        receive: of ASGI.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._octets: bytes | None = None

    @property
    def is_read(self) -> bool:
        """Tell whether the content has been taken from the connection."""
        return self._octets is not None

    async def read(self) -> bytes:
        """Return the content.

        Raises:
            ContentTooLargeError: it is longer than `LONGEST_CONTENT`.
            DisconnectedError: the client went away.
        """
        if self._octets is None:
            parts: list[bytes] = []
            length = 0
            more = True
            while more:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    raise DisconnectedError
                part = message.get("body", b"")
                if isinstance(part, bytes):
                    parts.append(part)
                    length += len(part)
                if length > LONGEST_CONTENT:
                    raise ContentTooLargeError
                more = bool(message.get("more_body", False))
            self._octets = b"".join(parts)
        return self._octets


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it reached the server, or as a quirk passed it on.

    Attributes:
        method: case-sensitive.
        path: percent-decoded.
        query: as sent, octets as latin-1 text.
        fields: name (lower case) and value of each field line, in order.
        body: the content, read on demand.
        sender: address and port of the client, "" when unknown.
        scheme: `http` or `https`.
    """

    method: str
    path: str
    query: str
    fields: Pairs
    body: Body
    sender: str = ""
    scheme: str = "http"

    def get(self, name: str) -> str | None:
        """Return the value of a field, several lines joined by a comma; None when it is absent.

        Args:
            name: in lower case.

        Source: RFC 9110 section 5.3.
        """
        values = [value for key, value in self.fields if key == name]
        return ", ".join(values) if values else None

    def without(self, *names: str) -> Request:
        """Return the request without the fields of these names (lower case)."""
        return replace(self, fields=tuple(pair for pair in self.fields if pair[0] not in names))

    def replacing(self, name: str, value: str) -> Request:
        """Return the request with one line of this name (lower case) in the place of all."""
        return replace(self, fields=(*self.without(name).fields, (name, value)))

    @property
    def is_read(self) -> bool:
        """Tell whether the method is GET or HEAD."""
        return self.method in {"GET", "HEAD"}

    @property
    def url(self) -> str:
        """Return the target URI as far as it is known."""
        return f"{self.scheme}://{self.get('host') or 'localhost'}{self.target}"

    @property
    def target(self) -> str:
        """Return path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; for HEAD it holds the content that GET would give, which the edge leaves out.

    Attributes:
        status: code.
        fields: name and value of each field line, octets as latin-1 text; without Content-Length and Date,
            which the edge adds where they are missing.
        octets: the content.
    """

    status: int
    fields: Pairs = ()
    octets: bytes = b""

    def get(self, name: str) -> str | None:
        """Return the value of the first field line of this name, in any letter case; None without one."""
        lowered = name.lower()
        return next((value for key, value in self.fields if key.lower() == lowered), None)

    def without(self, *names: str) -> Answer:
        """Return the answer without the fields of these names, in any letter case."""
        lowered = {name.lower() for name in names}
        return replace(self, fields=tuple(pair for pair in self.fields if pair[0].lower() not in lowered))

    def replacing(self, name: str, value: str) -> Answer:
        """Return the answer with one line of this name in the place of all."""
        return replace(self, fields=(*self.without(name).fields, (name, value)))

    def adding(self, pairs: Iterable[tuple[str, str]]) -> Answer:
        """Return the answer with further field lines."""
        return replace(self, fields=(*self.fields, *pairs))


Handler: TypeAlias = Callable[[Request], Awaitable[Answer]]
