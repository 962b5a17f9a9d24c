"""Read the packets of pcap and pcapng files, whatever byte order and clock they use.

Source of the formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DamagedError", "Packet", "packets"]

_PCAPNG: Final = b"\x0a\x0d\x0d\x0a"
# Magic number -> byte order and ticks a second.
_PCAP: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000),
    b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000),
}
_LARGEST_PACKET: Final = 16 * 1024 * 1024
_ORDER: Final = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED = 1, 2, 3, 6
_RESOLUTION: Final = 9
_OFFSET: Final = 14
_INTERFACES: Final = 10_000
_LATEST: Final = 8e9


class DamagedError(Exception):
    """Say that a capture file goes wrong or ends inside a packet.

    Attributes:
        offset: octet of the packet or block.
        text: what is wrong.
    """

    def __init__(self, offset: int, text: str) -> None:
        super().__init__(text)
        self.offset = offset
        self.text = text


class Packet(Frozen, frozen=True):
    """One captured packet.

    Attributes:
        time: seconds since the epoch, None when the file does not say.
        tick: seconds of one tick of `time`.
        link: link type of the interface.
        octets: what was captured.
        cut: whether the packet was longer than what was captured.
    """

    time: float | None
    tick: float
    link: int
    octets: bytes
    cut: bool


class _Interface(Frozen, frozen=True):
    link: int
    snapshot: int
    ticks: float
    shift: int


def packets(data: bytes) -> Iterator[Packet]:
    """Yield the packets of a file in its order.

    Args:
        data: the whole file, beginning with the magic number of a packet capture.

    Raises:
        DamagedError: behind the last whole packet of a damaged file.
    """
    return _pcapng(data) if data[:4] == _PCAPNG else _pcap(data)


def _pcap(data: bytes) -> Iterator[Packet]:
    if len(data) < 24:
        raise DamagedError(0, "the header of the file is cut")
    order, ticks = _PCAP[data[:4]]
    (link,) = struct.unpack_from(f"{order}I", data, 20)
    head = struct.Struct(f"{order}IIII")
    position = 24
    while position < len(data):
        if position + 16 > len(data):
            raise DamagedError(position, "the file ends inside a packet")
        seconds, fraction, kept, length = head.unpack_from(data, position)
        start = position + 16
        if kept > _LARGEST_PACKET or fraction >= ticks:
            raise DamagedError(position, "no packet begins here")
        if start + kept > len(data):
            raise DamagedError(position, "the file ends inside a packet")
        octets = data[start : start + kept]
        yield Packet(seconds + fraction / ticks, 1 / ticks, link & 0xFFFF, octets, kept < length)
        position = start + kept


def _pcapng(data: bytes) -> Iterator[Packet]:
    position = 0
    order = ""
    interfaces: list[_Interface] = []
    while position < len(data):
        if data[position : position + 4] == _PCAPNG:
            order = _ORDER.get(data[position + 8 : position + 12], "")
            interfaces = []
        if not order or position + 12 > len(data):
            raise DamagedError(position, "no block begins here")
        kind, length = struct.unpack_from(f"{order}II", data, position)
        if length < 12 or length % 4 or length > _LARGEST_PACKET + 4096:
            raise DamagedError(position, "the length of a block is wrong")
        if position + length > len(data):
            raise DamagedError(position, "the file ends inside a block")
        body = data[position + 8 : position + length - 4]
        try:
            if kind == _INTERFACE and len(interfaces) < _INTERFACES:
                interfaces.append(_interface(body, order))
            elif kind in {_ENHANCED, _OLD_PACKET, _SIMPLE}:
                packet = _packet(kind, body, order, interfaces)
                if packet is not None:
                    yield packet
        except struct.error:
            raise DamagedError(position, "a block is shorter than its kind demands") from None
        position += length


def _interface(body: bytes, order: str) -> _Interface:
    link, _, snapshot = struct.unpack_from(f"{order}HHI", body)
    ticks, shift = 1_000_000.0, 0
    for code, value in _options(body, 8, order):
        if code == _RESOLUTION and value:
            ticks = 2.0 ** (value[0] & 0x7F) if value[0] & 0x80 else 10.0 ** min(value[0], 18)
        elif code == _OFFSET and len(value) == 8:
            (shift,) = struct.unpack(f"{order}q", value)
    return _Interface(link, snapshot, ticks, shift)


def _options(body: bytes, position: int, order: str) -> Iterator[tuple[int, bytes]]:
    while position + 4 <= len(body):
        code, length = struct.unpack_from(f"{order}HH", body, position)
        if code == 0:
            return
        yield code, body[position + 4 : position + 4 + length]
        position += 4 + (length + 3) // 4 * 4


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> Packet | None:
    if kind == _SIMPLE:
        if not interfaces:
            return None
        interface = interfaces[0]
        (length,) = struct.unpack_from(f"{order}I", body)
        kept = min(length, interface.snapshot or length, len(body) - 4)
        return Packet(None, 0.0, interface.link, body[4 : 4 + kept], kept < length)
    if kind == _ENHANCED:
        number, high, low, kept, length = struct.unpack_from(f"{order}IIIII", body)
    else:
        number, _, high, low, kept, length = struct.unpack_from(f"{order}HHIIII", body)
    if number >= len(interfaces):
        return None
    interface = interfaces[int(number)]
    time = ((high << 32) | low) / interface.ticks + interface.shift
    octets = body[20 : 20 + kept]
    return Packet(
        time if 0 <= time < _LATEST else None,
        1 / interface.ticks,
        interface.link,
        octets,
        len(octets) < length,
    )
