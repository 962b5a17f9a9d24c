"""Write packets: TCP connections as frames of several link layers, in pcap and pcapng; record real ones."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33
PACKET_OUTGOING = 4
LINKS = {"null": 0, "ethernet": 1, "vlan": 1, "raw": 101, "sll": 113, "sll2": 276}
CLIENT, SERVER = ("192.0.2.7", 51000), ("192.0.2.80", 80)


def ip(source: tuple[str, int], target: tuple[str, int], tcp: bytes, *, length: bool = True) -> bytes:
    if ":" in source[0]:
        here, there = (socket.inet_pton(socket.AF_INET6, end[0]) for end in (source, target))
        # A hop-by-hop header before TCP (RFC 8200 section 4.3).
        return struct.pack(">IHBB", 6 << 28, len(tcp) + 8, 0, 64) + here + there + b"\x06\0" + b"\0" * 6 + tcp
    here, there = (socket.inet_pton(socket.AF_INET, end[0]) for end in (source, target))
    size = 20 + len(tcp) if length else 0
    return struct.pack(">BBHHHBBH", 0x45, 0, size, 1, 0x4000, 64, 6, 0) + here + there + tcp


def framed(packet: bytes, link: str) -> bytes:
    kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    if link == "null":
        return struct.pack("<I", 2) + packet
    if link == "ethernet":
        return b"\x02" * 12 + struct.pack(">H", kind) + packet
    if link == "vlan":
        return b"\x02" * 12 + struct.pack(">HHHHH", 0x88A8, 7, 0x8100, 9, kind) + packet
    if link == "sll":
        return struct.pack(">HHH8sH", 0, 1, 6, b"", kind) + packet
    if link == "sll2":
        return struct.pack(">HHIHBB8s", kind, 0, 1, 1, 0, 6, b"") + packet
    return packet


@dataclass
class Wire:
    """Packets as they pass: (seconds, frame, length before cutting)."""

    link: str = "ethernet"
    now: float = 1773133200.0
    packets: list[tuple[float, bytes, int]] = field(default_factory=list)

    def send(
        self,
        source: tuple[str, int],
        target: tuple[str, int],
        sequence: int,
        flags: int,
        payload: bytes = b"",
    ) -> None:
        head = struct.pack(
            ">HHIIBBHHH", source[1], target[1], sequence % 2**32, 0, 5 << 4, flags, 65535, 0, 0
        )
        frame = framed(ip(source, target, head + payload), self.link)
        self.packets.append((self.now, frame, len(frame)))
        self.now += 0.001


@dataclass
class Talk:
    """One connection on a wire, with where each side stands."""

    wire: Wire
    client: tuple[str, int] = CLIENT
    server: tuple[str, int] = SERVER
    client_next: int = 1000
    server_next: int = 2**32 - 40  # wraps around soon

    def open(self) -> Talk:
        self.wire.send(self.client, self.server, self.client_next, SYN)
        self.wire.send(self.server, self.client, self.server_next, SYN | ACK)
        self.client_next += 1
        self.server_next += 1
        return self

    def asks(self, octets: bytes, size: int = 500) -> Talk:
        for at in range(0, len(octets), size):
            self.wire.send(self.client, self.server, self.client_next, PSH | ACK, octets[at : at + size])
            self.client_next += len(octets[at : at + size])
        return self

    def answers(self, octets: bytes, size: int = 500) -> Talk:
        for at in range(0, len(octets), size):
            self.wire.send(self.server, self.client, self.server_next, PSH | ACK, octets[at : at + size])
            self.server_next += len(octets[at : at + size])
        return self

    def close(self, flags: int = FIN | ACK) -> Talk:
        self.wire.send(self.server, self.client, self.server_next, flags)
        self.wire.send(self.client, self.server, self.client_next, flags)
        return self


def pcap(wire: Wire, *, order: str = "<", nanoseconds: bool = False, snapshot: int = 0) -> bytes:
    ticks = 1_000_000_000 if nanoseconds else 1_000_000
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    parts = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snapshot or 262144, LINKS[wire.link])]
    for moment, frame, length in wire.packets:
        kept = frame[:snapshot] if snapshot else frame
        whole = round(moment * ticks)
        parts.append(struct.pack(f"{order}IIII", whole // ticks, whole % ticks, len(kept), length) + kept)
    return b"".join(parts)


def _block(order: str, kind: int, body: bytes) -> bytes:
    body += b"\0" * (-len(body) % 4)
    size = len(body) + 12
    return struct.pack(f"{order}II", kind, size) + body + struct.pack(f"{order}I", size)


def pcapng(wire: Wire, *, order: str = "<", exponent: int = 9, kind: int = 6, shift: int = 0) -> bytes:
    magic = struct.pack(f"{order}I", 0x1A2B3C4D)
    parts = [_block(order, 0x0A0D0D0A, magic + struct.pack(f"{order}HHq", 1, 0, -1))]
    options = struct.pack(f"{order}HHB3x", 9, 1, exponent) + struct.pack(f"{order}HHq", 14, 8, shift)
    options += struct.pack(f"{order}HH", 0, 0)
    parts.append(_block(order, 1, struct.pack(f"{order}HHI", LINKS[wire.link], 0, 0) + options))
    parts.append(_block(order, 5, b"\0" * 12))  # statistics
    for moment, frame, length in wire.packets:
        ticks = round((moment - shift) * 10**exponent)
        high, low = ticks >> 32, ticks & 0xFFFFFFFF
        if kind == 6:
            body = struct.pack(f"{order}IIIII", 0, high, low, len(frame), length) + frame
        elif kind == 2:
            body = struct.pack(f"{order}HHIIII", 0, 0, high, low, len(frame), length) + frame
        else:
            body = struct.pack(f"{order}I", length) + frame
        parts.append(_block(order, kind, body))
    return b"".join(parts)


class Service(BaseHTTPRequestHandler):
    """A document with a version; writes need If-Match."""

    protocol_version = "HTTP/1.1"
    version = 1

    def do_GET(self) -> None:
        self._answer(200, b'{"title": "%s"}' % (b"x" * 3000))

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["If-Match"] != f'"v{type(self).version}"':
            self._answer(412, b'{"error": "changed"}')
            return
        type(self).version += 1
        self._answer(200, b'{"ok": true}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("ETag", f'"v{type(self).version}"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def conversation(port: int) -> None:
    """Read, be overtaken by another client, be refused, read again."""
    mine, other = (http.client.HTTPConnection("127.0.0.1", port, timeout=120) for _ in range(2))
    for connection, method, tag in (
        (mine, "GET", ""), (other, "GET", ""), (other, "PUT", '"v1"'), (mine, "PUT", '"v1"'),
        (mine, "GET", ""),
    ):  # fmt: skip
        body = b'{"title": "b"}' if method == "PUT" else None
        fields = {"If-Match": tag} if tag else {}
        name = "other/1.0" if connection is other else "mine/1.0"
        connection.request(method, "/items/7", body=body, headers={"User-Agent": name, **fields})
        connection.getresponse().read()
    mine.close()
    other.close()


def recorded() -> Wire:
    """Record a conversation on the loopback interface as a packet sniffer does; needs Linux and the right to.

    Raises:
        OSError: no such interface, or not allowed.
    """
    sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sniffer.bind(("lo", 0))
    sniffer.settimeout(0.5)
    sniffer.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sniffer.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 * 1024 * 1024)
    Service.version = 1
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wire = Wire("ethernet")
    wire.packets.clear()
    try:
        conversation(port)
        packets = list(_sniffed(sniffer, port, time.time() + 0.1))
        # The kernel stamps the first packets when they are fetched, not when they passed.
        for number in range(len(packets) - 2, -1, -1):
            moment, frame, size = packets[number]
            packets[number] = (min(moment, packets[number + 1][0] - 1e-6), frame, size)
        wire.packets.extend(packets)
    finally:
        sniffer.close()
        server.shutdown()
        server.server_close()
    return wire


def _sniffed(sniffer: socket.socket, port: int, until: float) -> Iterator[tuple[float, bytes, int]]:
    # Other tests talk on the same interface: what came later is not waited for.
    needle = struct.pack(">H", port)
    while True:
        try:
            frame, extra, _, (_, _, kind, *_) = sniffer.recvmsg(262144, 1024)
        except TimeoutError:
            return
        seconds, nanoseconds = struct.unpack("qq", extra[0][2])
        if seconds + nanoseconds / 1e9 > until:
            return
        # The loopback shows each packet twice: going out and coming in.
        if kind != PACKET_OUTGOING and needle in frame[34:38]:
            yield seconds + nanoseconds / 1e9, frame, len(frame)
