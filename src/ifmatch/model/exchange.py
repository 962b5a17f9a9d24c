"""Hold one exchange (a request and what came back) with where it was found and who saw it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifmatch.model.message import Request, Response


class Vantage(enum.StrEnum):
    """Where on the way between client and origin an exchange was seen."""

    CLIENT = "client"
    EDGE = "edge"
    UPSTREAM = "upstream"
    ORIGIN = "origin"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where in the evidence something stands.

    Attributes:
        source: name of the file or stream as the user gave it.
        entry: 0-based number of the exchange in the source; None when not known.
        line: 1-based line at which it starts, for line formats; else None.
    """

    source: str
    entry: int | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a text says of a cause.

    Attributes:
        cause: id of the catalogue.
        words: that say so, as they stand or in their English reading.
        weight: natural logarithm of the likelihood ratio.
        beside: whether the text stands around traffic: then it is heard only where the traffic is silent.
    """

    cause: str
    words: str
    weight: float
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, its response, and the circumstances.

    Attributes:
        provenance: file and entry.
        request: what was sent.
        response: what came back; None when no response was seen (status 0, reset, timeout).
        started: start in seconds since the epoch (UTC, as this vantage's clock showed it), None when unknown.
        duration: seconds from start to the last octet of the response, None when unknown.
        error: what the capture says went wrong, "" when nothing.
        connection: the connection's name within its source, "" when unknown.
        peer: address of the server as seen, "" when unknown.
        page: the page or tab that issued it, "" when unknown.
        initiator: what issued it (script, document, preflight, service worker), "" when unknown.
        from_cache: True when the client's own cache answered without the network.
        resolution: seconds of one tick of `started` here (1.0: whole seconds, 0.001: milliseconds).
        mark: the id that a server gave to the request in each of its logs, "" when none is known.
        told: what the text says of causes, around the traffic or where a text is all there is.
    """

    provenance: Provenance
    request: Request
    response: Response | None = None
    started: float | None = None
    duration: float | None = None
    error: str = ""
    connection: str = ""
    peer: str = ""
    page: str = ""
    initiator: str = ""
    from_cache: bool = False
    resolution: float = 0.001
    mark: str = ""
    told: tuple[Told, ...] = ()

    @property
    def status(self) -> int:
        """Return the status code, 0 when no response was seen."""
        return self.response.status if self.response is not None else 0

    @property
    def ended(self) -> float | None:
        """Return the time of the last octet in seconds since the epoch, None when unknown."""
        if self.started is None:
            return None
        return self.started + (self.duration or 0.0)


@dataclass(frozen=True, slots=True)
class CaptureWarning:
    """Something in a source that could not be read, with its place.

    Attributes:
        text: what is wrong and what was done about it.
        entry: 0-based entry, None when it concerns the file.
        line: 1-based line, None when unknown.
        offset: octet offset in the source, None when unknown.
    """

    text: str
    entry: int | None = None
    line: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """What one source holds.

    Attributes:
        name: name of the source as the user gave it.
        format: id of the reader (`har`, `curl-verbose`, `curl-trace-ascii`, `http-messages`, ...).
        exchanges: in the order of the source.
        warnings: what was skipped or repaired.
        declared_vantage: what the user said with `--vantage`, None to infer.
        declared_actor: as above.
        declared_node: as above.
        unread: exchanges of a giant source that were counted and left out, for no story needs them.
        torn: whether text is missing between its messages, so that not all that belongs together is.
    """

    name: str
    format: str
    exchanges: tuple[Exchange, ...]
    warnings: tuple[CaptureWarning, ...] = ()
    declared_vantage: Vantage | None = None
    declared_actor: str | None = None
    declared_node: str | None = None
    unread: int = 0
    torn: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A source as the diagnosis understood it; row of `sources` in the JSON report.

    Attributes:
        name: name of the file as given.
        format: id of the reader.
        exchanges: how many exchanges it holds.
        vantage: declared or inferred.
        actor: label of the actor when the whole source is one actor's, else None.
        node: label of the node when this vantage has several, else None.
        clock_offset_ms: this source's clock minus the reference clock, in milliseconds.
        warnings: from reading and from pairing.
        answered: whether it shows what became of any request.
    """

    name: str
    format: str
    exchanges: int
    vantage: Vantage = Vantage.CLIENT
    actor: str | None = None
    node: str | None = None
    clock_offset_ms: int = 0
    warnings: tuple[CaptureWarning, ...] = field(default=())
    answered: bool = True


def captures_of(exchanges: Iterable[Exchange]) -> tuple[Capture, ...]:
    """Group loose exchanges by the source that their provenance names, order kept.

    Args:
        exchanges: exchanges of one or several sources.

    Returns:
        One capture a source, format `exchanges`.
    """
    groups: dict[str, list[Exchange]] = {}
    for exchange in exchanges:
        groups.setdefault(exchange.provenance.source, []).append(exchange)
    return tuple(
        Capture(name=name, format="exchanges", exchanges=tuple(group)) for name, group in groups.items()
    )
