"""Find the TCP segment in a captured packet: link layers, IPv4, IPv6.

Source: RFC 9293 section 3.1 (TCP), RFC 791 section 3.1, RFC 8200 sections 3 and 4; the link types of
draft-ietf-opsawg-pcaplinktype.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import TYPE_CHECKING, Final

from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from ifmatch.capture.packets.pcap_packets import Packet

__all__ = ["Segment", "segment_of"]

_NULL, _ETHERNET, _LOOP, _SLL, _SLL2, _IPV4, _IPV6 = 0, 1, 108, 113, 276, 228, 229
_RAW: Final = frozenset({12, 14, 101})
_TYPE_IPV4, _TYPE_IPV6 = 0x0800, 0x86DD
_VLANS: Final = frozenset({0x8100, 0x88A8, 0x9100})
_TCP: Final = 6
_EXTENSIONS: Final = frozenset({0, 43, 60})
_FRAGMENT: Final = 44


class Segment(Frozen, frozen=True):
    """One TCP segment.

    Attributes:
        source: address and port.
        target: address and port.
        sequence: number of the first octet.
        flags: FIN 1, SYN 2, RST 4.
        payload: what of it was captured.
        missing: octets of the payload that were not captured.
    """

    source: tuple[str, int]
    target: tuple[str, int]
    sequence: int
    flags: int
    payload: bytes
    missing: int


def segment_of(packet: Packet) -> Segment | None:
    """Return the TCP segment of a packet, None when it is none or is not whole enough.

    Args:
        packet: as captured.
    """
    octets = packet.octets
    try:
        start = _network(packet.link, octets)
        if start is None:
            return None
        version = octets[start] >> 4
        if version == 4:
            return _ipv4(octets, start)
        return _ipv6(octets, start) if version == 6 else None
    except (struct.error, IndexError):
        return None


def _network(link: int, octets: bytes) -> int | None:
    """Return where the IP packet begins."""
    if link == _ETHERNET:
        return _behind_type(octets, 12)
    if link in {_NULL, _LOOP}:
        return 4
    if link in _RAW or link in {_IPV4, _IPV6}:
        return 0
    if link == _SLL:
        return _behind_type(octets, 14)
    if link == _SLL2:
        (kind,) = struct.unpack_from(">H", octets)
        return 20 if kind in {_TYPE_IPV4, _TYPE_IPV6} else None
    return None


def _behind_type(octets: bytes, position: int) -> int | None:
    (kind,) = struct.unpack_from(">H", octets, position)
    while kind in _VLANS:
        position += 4
        (kind,) = struct.unpack_from(">H", octets, position)
    return position + 2 if kind in {_TYPE_IPV4, _TYPE_IPV6} else None


def _ipv4(octets: bytes, start: int) -> Segment | None:
    size = (octets[start] & 15) * 4
    (length,) = struct.unpack_from(">H", octets, start + 2)
    (fragment,) = struct.unpack_from(">H", octets, start + 6)
    if octets[start + 9] != _TCP or fragment & 0x3FFF or size < 20:
        return None
    source, target = octets[start + 12 : start + 16], octets[start + 16 : start + 20]
    # Where the network card cuts the packet itself, its length is written as 0.
    end = start + length if length else len(octets)
    return _tcp(octets, start + size, end, source, target)


def _ipv6(octets: bytes, start: int) -> Segment | None:
    (length,) = struct.unpack_from(">H", octets, start + 4)
    following = octets[start + 6]
    source, target = octets[start + 8 : start + 24], octets[start + 24 : start + 40]
    end = start + 40 + length if length else len(octets)
    position = start + 40
    while following in _EXTENSIONS:
        following, size = octets[position], (octets[position + 1] + 1) * 8
        position += size
    if following == _FRAGMENT or following != _TCP:
        return None
    return _tcp(octets, position, end, source, target)


def _tcp(octets: bytes, start: int, end: int, source: bytes, target: bytes) -> Segment | None:
    here, there, sequence = struct.unpack_from(">HHI", octets, start)
    size = (octets[start + 12] >> 4) * 4
    flags = octets[start + 13]
    if size < 20:
        return None
    payload = octets[start + size : end]
    missing = max(end - start - size - len(payload), 0)
    return Segment((_address(source), here), (_address(target), there), sequence, flags, payload, missing)


def _address(octets: bytes) -> str:
    if len(octets) == 4:
        return ".".join(map(str, octets))
    address = ipaddress.IPv6Address(octets)
    return str(address.ipv4_mapped or address)
