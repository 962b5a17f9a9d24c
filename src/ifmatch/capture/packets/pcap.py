"""Read clear-text HTTP/1.1 out of packet captures: pcap and pcapng.

What is encrypted stays closed; the error says how to get at it. Source: RFC 9112 sections 9.3 (persistent
connections) and 9.3.2 (pipelining).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.magic_numbers import is_pcap
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.base.wire_messages import split_messages
from ifmatch.capture.packets.pcap_hops import sides
from ifmatch.capture.packets.pcap_packets import DamagedError, packets
from ifmatch.capture.packets.pcap_segments import segment_of
from ifmatch.capture.packets.pcap_streams import Connections
from ifmatch.errors import InputError
from ifmatch.model.slotted import Slotted

if TYPE_CHECKING:
    from typing import BinaryIO

    from ifmatch.capture.base.wire_messages import WireMessage
    from ifmatch.capture.packets.pcap_packets import Packet
    from ifmatch.capture.packets.pcap_streams import Connection, Run
    from ifmatch.model.exchange import Capture

__all__ = ["read_pcap"]

LIMIT: Final = 256 * 1024 * 1024
_REQUEST: Final = re.compile(rb"[A-Z]{3,20} [^\r\n ]{1,8192} HTTP/1\.[01]\r?\n")
_TLS: Final = re.compile(rb"\x16\x03[\x00-\x04]")
_PREFACE: Final = b"PRI * HTTP/2.0"
_PLAIN: Final = (
    "Capture where the traffic is plain (behind the TLS terminator, mitmproxy, the browser's "
    "`Save all as HAR`, `curl -v`)"
)
_DECRYPT: Final = (
    f"{_PLAIN}. Or decrypt: run the client with SSLKEYLOGFILE=keys.log, open the capture in Wireshark "
    "with that file as (Pre)-Master-Secret log (Preferences, Protocols, TLS), and save "
    "Follow > HTTP Stream as text"
)
_CAPTURE: Final = "Capture whole packets: tcpdump -s 0 -i any -w out.pcap 'tcp port 80'"


@dataclass(slots=True)
class _Seen:
    """What was in the file besides plain HTTP/1.1."""

    segments: int = 0
    encrypted: int = 0
    http2: int = 0
    gaps: int = 0
    links: set[int] = field(default_factory=set[int])


def read_pcap(stream: BinaryIO, name: str) -> tuple[Capture, ...]:
    """Read a packet capture.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Returns:
        One capture; several where a proxy's both sides were captured, each server behind it for itself.

    Raises:
        InputError: no clear-text HTTP/1.1 is in it, or it is larger than 256 MiB.
    """
    data = stream.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise InputError(
            "the packet capture is larger than 256 MiB",
            source=name,
            advice="Filter it: tcpdump -r FILE -w SMALLER 'host NAME and tcp port 80'",
        )
    if not is_pcap(data):
        raise InputError("this is no packet capture", source=name, expected="pcap or pcapng")
    drafts, seen, connections = Drafts(name), _Seen(), Connections()
    try:
        for packet in packets(data):
            _take(connections, seen, packet)
    except DamagedError as error:
        drafts.warn(
            f"the file is damaged or cut at octet {error.offset} ({error.text}); what was before is read",
            offset=error.offset,
        )
    found = [draft for one in connections.all for draft in _exchanges(one, seen)]
    # Requests of several connections in the order in which they were sent.
    drafts.found = found
    drafts.order_by_time()
    _tell(drafts, seen, connections)
    grouped = sides(drafts.found)
    drafts.found = grouped.pop("", [])
    first = _captured(drafts, seen)
    others = [Drafts(f"{name}!{server}", behind) for server, behind in grouped.items()]
    return (first, *(one.capture("pcap", nothing="no request is in it") for one in others))


def _take(connections: Connections, seen: _Seen, packet: Packet) -> None:
    segment = segment_of(packet)
    if segment is None:
        seen.links.add(packet.link)
        return
    seen.segments += 1
    connections.add(segment, (packet.time, packet.tick))


def _tell(drafts: Drafts, seen: _Seen, connections: Connections) -> None:
    if seen.encrypted and drafts.found:
        drafts.warn(f"{seen.encrypted} connections are encrypted (TLS) and were not read. {_DECRYPT}")
    if seen.http2 and drafts.found:
        drafts.warn(f"{seen.http2} connections speak HTTP/2 and were not read. {_PLAIN}")
    if connections.incomplete:
        drafts.warn(f"{connections.incomplete} packets were captured in part only. {_CAPTURE}")
    if seen.gaps:
        drafts.warn(
            f"packets are missing in {seen.gaps} places; what stood there counts as not known. {_CAPTURE}"
        )


def _captured(drafts: Drafts, seen: _Seen) -> Capture:
    if seen.encrypted and not drafts.found:
        raise InputError(
            "all HTTP in this packet capture is encrypted (TLS)", source=drafts.name, advice=_DECRYPT
        )
    if seen.http2 and not drafts.found:
        raise InputError(
            "the traffic in this packet capture is HTTP/2, of which only HTTP/1.1 is read",
            source=drafts.name,
            advice=_PLAIN,
        )
    nothing = "no HTTP/1.1 is in this packet capture"
    if not seen.segments:
        links = ", ".join(map(str, sorted(seen.links)))
        nothing = "no TCP is in this packet capture" + (f" (link types {links})" if links else "")
    return drafts.capture("pcap", nothing=nothing, advice=_CAPTURE)


class _Sent(Slotted):
    """A message with the time of its first and last octet."""

    message: WireMessage
    started: float | None
    tick: float
    ended: float | None
    broken: bool


def _exchanges(connection: Connection, seen: _Seen) -> list[Draft]:
    """Return the exchanges of one connection."""
    runs = [direction.runs() for direction in connection.directions]
    if any(_TLS.match(run.octets) for side in runs for run in side[:1]):
        seen.encrypted += 1
        return []
    if any(run.octets.startswith(_PREFACE) for side in runs for run in side[:1]):
        seen.http2 += 1
        return []
    client = next(
        (number for number, side in enumerate(runs) if any(_REQUEST.search(run.octets) for run in side)), None
    )
    if client is None:
        return []
    server = 1 - client
    seen.gaps += sum(run.follows_gap for side in runs for run in side[1:])
    requests = _messages(runs[client], None, closed=connection.directions[client].ended)
    methods = [one.message.method for one in requests]
    answers = _messages(
        runs[server], methods, closed=connection.directions[server].ended and not connection.reset
    )
    address, port = connection.ends[server]
    peer = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    address, port = connection.ends[client]
    drafts: list[Draft] = []
    for request, answer in _paired(requests, answers):
        if request.message.method == "CONNECT":
            continue
        draft = _draft(request, answer)
        draft.peer = peer
        draft.connection = f"{address}:{port}"
        if answer is None:
            draft.error = "the connection was reset" if connection.reset else "no response in the capture"
        drafts.append(draft)
    return drafts


def _messages(runs: list[Run], methods: list[str] | None, *, closed: bool) -> list[_Sent]:
    found: list[_Sent] = []
    for number, run in enumerate(runs):
        last = number == len(runs) - 1
        asked = methods[sum(one.message.status >= 200 for one in found) :] if methods is not None else None
        for message in split_messages(run.octets, methods=asked, closed=closed and last):
            if (message.status == 0) != (methods is None):
                continue
            started, tick = run.moment(message.start)
            ended, _ = run.moment(max(message.end - 1, message.start))
            # The rest of a message that a gap tears apart is lost.
            broken = message.end >= len(run.octets) and not last
            found.append(_Sent(message, started, tick, ended, broken))
    return found


def _paired(requests: list[_Sent], answers: list[_Sent]) -> list[tuple[_Sent, _Sent | None]]:
    """Give each request its answer: the first one free that began later; interim answers are no answer."""
    pairs: list[tuple[_Sent, _Sent | None]] = []
    final = [one for one in answers if one.message.status >= 200 or one.message.status == 101]
    # With as many answers as requests the order tells; else a gap took some, and times help.
    exact = len(final) == len(requests)
    position = 0
    for number, request in enumerate(requests):
        following = requests[number + 1].started if number + 1 < len(requests) else None
        while position < len(final) and not exact and _before(final[position].started, request.started):
            position += 1
        answer = final[position] if position < len(final) else None
        if answer is not None and not exact and following is not None and _before(following, answer.started):
            left = len(final) - position
            if left < len(requests) - number:
                # It belongs to a later request: this one's own answer is among what is missing.
                answer = None
        pairs.append((request, answer))
        position += answer is not None
    return pairs


def _before(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and one < other


def _draft(request: _Sent, answer: _Sent | None) -> Draft:
    message = request.message
    host = message.fields.text("host") or ""
    draft = Draft(message.method, target_uri(message.target, host, scheme="http"))
    draft.sent, draft.sent_complete = list(message.fields), message.fields.complete
    if not request.broken:
        draft.content = message.content.content
    draft.request_version = message.version
    draft.started = request.started
    draft.resolution = request.tick or 1e-6
    if answer is not None:
        response = answer.message
        draft.status, draft.reason, draft.response_version = (
            response.status,
            response.reason,
            response.version,
        )
        draft.received, draft.received_complete = list(response.fields), response.fields.complete
        draft.received_content = response.content.content
        if request.started is not None and answer.ended is not None and answer.ended >= request.started:
            draft.duration = answer.ended - request.started
    return draft
