"""Put TCP segments together to what each side of a connection sent: order, repetition, overlap, gaps.

Source: RFC 9293 section 3.4 (sequence numbers).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ifmatch.model.slotted import Slotted

if TYPE_CHECKING:
    from ifmatch.capture.packets.pcap_segments import Segment

    Moment = tuple[float | None, float]

__all__ = ["Connection", "Connections", "Direction", "Run"]

_FIN, _SYN, _RST = 1, 2, 4
_MODULUS: Final = 1 << 32
_HALF: Final = 1 << 31
CONNECTIONS_LIMIT: Final = 200_000


class Run(Slotted):
    """Octets of one direction without a gap.

    Attributes:
        octets: what was sent.
        starts: position in `octets` of each packet that brought new ones, in order.
        moments: when each of these packets was seen, with the tick of that clock.
        follows_gap: whether octets before it are missing.
    """

    octets: bytes
    starts: list[int]
    moments: list[Moment]
    follows_gap: bool

    def moment(self, position: int) -> Moment:
        """Return when the octet at a position was seen."""
        number = bisect_right(self.starts, position) - 1
        return self.moments[max(number, 0)]


@dataclass(slots=True)
class Direction:
    """What one side sent, as its packets came.

    Attributes:
        base: sequence number that counts as 0; None before the first packet.
        ended: whether the side closed its half.
        synchronized: whether the beginning of the connection was seen.
    """

    base: int | None = None
    ended: bool = False
    synchronized: bool = False
    _last: int = 0
    _pieces: list[tuple[int, int, bytes, Moment]] = field(
        default_factory=list["tuple[int, int, bytes, Moment]"]
    )

    def add(self, segment: Segment, moment: Moment) -> None:
        """Take in a segment."""
        if segment.flags & _SYN:
            self.base = (segment.sequence + 1) % _MODULUS
            self.synchronized = True
            self._last = 0
        elif self.base is None:
            self.base = segment.sequence
        if segment.payload:
            self._pieces.append((self._place(segment), len(self._pieces), segment.payload, moment))
        if segment.flags & (_FIN | _RST):
            self.ended = True

    def _place(self, segment: Segment) -> int:
        """Return the position in the stream: the one next to what came last, as the numbers wrap around."""
        sequence = (segment.sequence + (1 if segment.flags & _SYN else 0) - (self.base or 0)) % _MODULUS
        place = self._last - self._last % _MODULUS + sequence
        if place - self._last > _HALF:
            place -= _MODULUS
        elif self._last - place > _HALF:
            place += _MODULUS
        self._last = max(self._last, place)
        return place

    def runs(self) -> list[Run]:
        """Return what was sent, in order; the first copy of repeated octets counts."""
        found: list[Run] = []
        parts: list[bytes] = []
        starts: list[int] = []
        moments: list[Moment] = []
        size, end = 0, None
        gap = not self.synchronized

        def close() -> None:
            if size:
                found.append(Run(b"".join(parts), list(starts), list(moments), gap))

        for place, _, payload, moment in sorted(self._pieces, key=lambda piece: piece[:2]):
            octets = payload
            if end is not None and place < end:
                octets = payload[end - place :]
                if not octets:
                    continue
            elif end is None and self.synchronized and place > 0:
                gap = True
            elif end is not None and place > end:
                close()
                parts, starts, moments, size = [], [], [], 0
                gap = True
            if end is None and place < 0:
                gap = True
            parts.append(octets)
            starts.append(size)
            moments.append(moment)
            size += len(octets)
            end = max(place + len(payload), end or 0)
        close()
        return found


@dataclass(slots=True)
class Connection:
    """One TCP connection.

    Attributes:
        ends: address and port of both sides; the first is the one that sent the first packet.
        directions: what each of them sent.
        reset: whether it was reset.
    """

    ends: tuple[tuple[str, int], tuple[str, int]]
    directions: tuple[Direction, Direction] = field(default_factory=lambda: (Direction(), Direction()))
    reset: bool = False


class Connections:
    """All connections of a capture, in the order in which they began."""

    def __init__(self) -> None:
        self._open: dict[frozenset[tuple[str, int]], Connection] = {}
        self.all: list[Connection] = []
        self.incomplete = 0

    def add(self, segment: Segment, moment: Moment) -> None:
        """Take in a segment.

        Args:
            segment: as found in a packet.
            moment: when it was seen, and the tick of that clock.
        """
        ends = (segment.source, segment.target)
        key = frozenset(ends)
        connection = self._open.get(key)
        if connection is None or self._begins_anew(connection, segment):
            if len(self.all) >= CONNECTIONS_LIMIT:
                return
            # Without the first packet the side that answers a SYN is known by its acknowledgement.
            connection = self._open[key] = Connection(ends)
            self.all.append(connection)
        side = 0 if segment.source == connection.ends[0] else 1
        connection.directions[side].add(segment, moment)
        connection.reset = connection.reset or bool(segment.flags & _RST)
        self.incomplete += segment.missing > 0

    @staticmethod
    def _begins_anew(connection: Connection, segment: Segment) -> bool:
        """Tell whether the ports were used again: a SYN with another number behind the old connection."""
        if not segment.flags & _SYN:
            return False
        side = 0 if segment.source == connection.ends[0] else 1
        direction = connection.directions[side]
        return direction.base is not None and direction.base != (segment.sequence + 1) % _MODULUS
