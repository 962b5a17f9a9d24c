"""Build exchanges piece by piece, for formats that tell of one exchange in several places.

Whatever is never said stays unknown: a draft without a field list has fields that are not complete, a draft
without content has content that is not known. Source of the terms: RFC 9110 sections 5, 6.4 and 9.3.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.decoding_clients import withheld_by_client
from ifmatch.errors import InputError
from ifmatch.model.exchange import Capture, CaptureWarning, Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.model.slotted import Slotted
from ifmatch.model.unknown import UNKNOWN, UnknownType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifmatch.model.exchange import Told

__all__ = ["CONTENT_LIMIT", "ENTRY_LIMIT", "Draft", "Drafts"]

# Octets of one content that are kept, decoded.
CONTENT_LIMIT: Final = 8 * 1024 * 1024
# Exchanges of one source that are kept.
ENTRY_LIMIT: Final = 1_000_000
_VALUE_LIMIT: Final = 64 * 1024
_WARNING_LIMIT: Final = 100
_WITHOUT_CONTENT: Final = frozenset({204, 205, 304})
_WITHOUT_CONTENT_BY_CUSTOM: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS", "CONNECT", "TRACE"})


class Draft(Slotted):
    """An exchange while it is put together.

    Attributes:
        method: as said, "" while unknown.
        url: absolute, or the request target as sent, "" while unknown.
        sent: field lines of the request; None while nothing is said of them.
        sent_complete: whether `sent` is all of them.
        content: of the request; UNKNOWN while nothing is said of it.
        framed: whether the fields that announce content (RFC 9112 section 6.3) would be seen.
        status: 0 while no response is known.
        reason: reason phrase.
        received: field lines of the response; None while nothing is said of them.
        received_complete: whether `received` is all of them.
        received_content: of the response; UNKNOWN while nothing is said of it.
        request_version: protocol of the request as named.
        response_version: protocol of the response as named.
        started: seconds since the epoch, None while unknown.
        resolution: seconds of one tick of `started`.
        duration: seconds, None while unknown.
        error: what the capture says went wrong.
        connection: name of the connection.
        peer: address of the server.
        initiator: what issued it.
        from_cache: whether the client's own cache answered.
        line: 1-based line where it starts, None for formats without lines.
        decodes: whether a client wrote this that takes content codings off before it logs.
        mark: the id that a server gave to the request in each of its logs.
        told: what the text says of causes, where a text is all there is.
    """

    method: str = ""
    url: str = ""
    sent: list[tuple[str, str]] | None = None
    sent_complete: bool = True
    content: Content | UnknownType | None = UNKNOWN
    framed: bool = True
    status: int = 0
    reason: str = ""
    received: list[tuple[str, str]] | None = None
    received_complete: bool = True
    received_content: Content | UnknownType | None = UNKNOWN
    request_version: str = ""
    response_version: str = ""
    started: float | None = None
    resolution: float = 0.001
    duration: float | None = None
    error: str = ""
    connection: str = ""
    peer: str = ""
    initiator: str = ""
    from_cache: bool = False
    line: int | None = None
    decodes: bool = False
    mark: str = ""
    told: tuple[Told, ...] = ()

    def add_sent(self, name: str, value: str) -> None:
        """Add a field line of the request."""
        if self.sent is None:
            self.sent = []
        self.sent.append((name, value))

    def add_received(self, name: str, value: str) -> None:
        """Add a field line of the response."""
        if self.received is None:
            self.received = []
        self.received.append((name, value))

    def exchange(self, source: str, entry: int) -> Exchange:
        """Return the finished exchange.

        Args:
            source: name of the source.
            entry: 0-based number of the exchange in it.
        """
        sent = _fields(self.sent, complete=self.sent_complete)
        request = Request(self.method, self.url, sent, self._sent_content(sent), self.request_version)
        return Exchange(
            Provenance(source, entry, self.line),
            request,
            self._response(),
            started=self.started,
            duration=self.duration,
            error=self.error[:500],
            connection=self.connection,
            peer=self.peer,
            initiator=self.initiator,
            from_cache=self.from_cache,
            resolution=self.resolution,
            mark=self.mark,
            told=self.told,
        )

    def _sent_content(self, fields: Fields) -> Content | UnknownType | None:
        if self.content is not UNKNOWN:
            return _limited(self.content)
        if fields.text("content-length") == "0":
            return None
        announced = "content-length" in fields or "transfer-encoding" in fields
        if announced or not (self.method in _WITHOUT_CONTENT_BY_CUSTOM or self._shows_framing(fields)):
            return UNKNOWN
        return None

    def _shows_framing(self, fields: Fields) -> bool:
        """Tell whether content would have been announced: HTTP/2 needs no field (RFC 9113 section 8.1)."""
        old = not self.request_version.lower().startswith(("http/2", "h2", "http/3", "h3"))
        return self.framed and fields.complete and len(fields) > 1 and old

    def _response(self) -> Response | None:
        if not 100 <= self.status <= 599:
            return None
        fields = _fields(self.received, complete=self.received_complete)
        if self.decodes:
            withheld = withheld_by_client(self.sent or (), fields, decodes=True)
            fields = Fields(fields.pairs, withheld=withheld, complete=fields.complete)
        content = _limited(self.received_content)
        empty = content is UNKNOWN and fields.text("content-length") == "0"
        if empty or self.method == "HEAD" or self.status in _WITHOUT_CONTENT:
            content = None
        return Response(
            self.status, self.reason, fields, content, self.response_version, fields.text("location") or ""
        )


def _fields(pairs: Iterable[tuple[str, str]] | None, *, complete: bool) -> Fields:
    if pairs is None:
        return Fields((), complete=False)
    return Fields([(name, value[:_VALUE_LIMIT]) for name, value in pairs if name], complete=complete)


def _limited(content: Content | UnknownType | None) -> Content | UnknownType | None:
    return UNKNOWN if isinstance(content, Content) and len(content) > CONTENT_LIMIT else content


@dataclass(slots=True)
class Drafts:
    """The drafts and warnings of one source.

    Attributes:
        name: name of the source as the user gave it.
        found: in the order of the source.
        warnings: what was skipped or repaired.
        torn: whether lines are missing between the messages.
    """

    name: str
    found: list[Draft] = field(default_factory=list[Draft])
    warnings: list[CaptureWarning] = field(default_factory=list[CaptureWarning])
    torn: bool = False

    def warn(
        self, text: str, *, entry: int | None = None, line: int | None = None, offset: int | None = None
    ) -> None:
        """Keep a warning; a source with thousands of like ones says it a hundred times."""
        if len(self.warnings) < _WARNING_LIMIT:
            self.warnings.append(CaptureWarning(text, entry=entry, line=line, offset=offset))

    def order_by_time(self) -> None:
        """Put what was found in the order in which it was sent; what has no time comes first."""
        self.found.sort(key=lambda draft: draft.started or 0.0)

    def capture(self, form: str, *, nothing: str, expected: str = "", advice: str = "") -> Capture:
        """Return the capture.

        Args:
            form: id of the format.
            nothing: what to say when no exchange was found.
            expected: what would have been right.
            advice: what to do then.

        Raises:
            InputError: no exchange was found.
        """
        kept = self.found[:ENTRY_LIMIT]
        if len(kept) < len(self.found):
            self.warn(f"only the first {ENTRY_LIMIT} exchanges are read")
        if not kept:
            why = f" ({self.warnings[0].text})" if self.warnings else ""
            raise InputError(f"{nothing}{why}", source=self.name, expected=expected, advice=advice)
        exchanges = tuple(draft.exchange(self.name, entry) for entry, draft in enumerate(kept))
        return Capture(self.name, form, exchanges, tuple(self.warnings), torn=self.torn)
