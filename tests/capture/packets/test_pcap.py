"""Packet captures: every container and link layer, and what a network does to a connection."""

from __future__ import annotations

import io
import random
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifmatch import capture
from ifmatch.capture.packets.pcap import read_pcap
from ifmatch.diagnosis import diagnose
from ifmatch.errors import InputError
from ifmatch.model.exchange import Vantage
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN
from tests.capture.packet_writer import ACK, LINKS, PSH, RST, Talk, Wire, pcap, pcapng, recorded

if TYPE_CHECKING:
    from ifmatch.model.exchange import Capture, Exchange

GET = b"GET /a HTTP/1.1\r\nHost: h.example\r\nX-N: 1\r\n\r\n"
PUT = b'PUT /a HTTP/1.1\r\nHost: h.example:80\r\nIf-Match: "v1"\r\nContent-Length: 5\r\n\r\nhello'
HEAD = b"HEAD /a HTTP/1.1\r\nHost: h.example\r\n\r\n"


def ok(body: bytes, tag: str = "v1") -> bytes:
    return b'HTTP/1.1 200 OK\r\nETag: "%s"\r\nContent-Length: %d\r\n\r\n' % (tag.encode(), len(body)) + body


REFUSED = b'HTTP/1.1 412 Precondition Failed\r\nETag: "v2"\r\nContent-Length: 0\r\n\r\n'


def read(wire: Wire) -> Capture:
    return parsed(pcap(wire))


def parsed(data: bytes) -> Capture:
    (found,) = read_pcap(io.BytesIO(data), "x")
    return found


def story(found: Capture) -> list[tuple[str, int, str | None, bytes | None]]:
    return [told(one) for one in found.exchanges]


def told(one: Exchange) -> tuple[str, int, str | None, bytes | None]:
    tag = one.response.fields.text("etag") if one.response is not None else None
    body = one.response.content if one.response is not None else None
    return one.request.method, one.status, tag, body.octets if isinstance(body, Content) else None


def usual(wire: Wire) -> Talk:
    talk = Talk(wire).open()
    return talk.asks(GET).answers(ok(b"x" * 1200)).asks(PUT).answers(REFUSED).close()


USUAL = [("GET", 200, '"v1"', b"x" * 1200), ("PUT", 412, '"v2"', None)]


@pytest.mark.parametrize("link", LINKS)
def test_link_layers(link: str) -> None:
    wire = Wire(link)
    usual(wire)
    found = read(wire)
    assert story(found) == USUAL
    assert found.warnings == ()
    first, second = found.exchanges
    assert first.request.url == second.request.url == "http://h.example/a"
    assert second.request.content == Content.from_octets(b"hello")
    assert (first.peer, first.connection) == ("192.0.2.80:80", "192.0.2.7:51000")
    assert first.started == pytest.approx(1773133200.002, abs=1e-6)
    assert first.duration == pytest.approx(0.003, abs=1e-6)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("form", ["pcap", "pcap-ns", "ng", "ng-old", "ng-6", "ng-shift"])
def test_containers(form: str, order: str) -> None:
    wire = Wire()
    usual(wire)
    data = {
        "pcap": lambda: pcap(wire, order=order),
        "pcap-ns": lambda: pcap(wire, order=order, nanoseconds=True),
        "ng": lambda: pcapng(wire, order=order),
        "ng-old": lambda: pcapng(wire, order=order, kind=2),
        "ng-6": lambda: pcapng(wire, order=order, exponent=6),
        "ng-shift": lambda: pcapng(wire, order=order, shift=1773000000),
    }[form]()
    found = capture.read(io.BytesIO(data), "anything.txt")
    assert found.format == "pcap"
    assert story(found) == USUAL
    assert found.exchanges[0].started == pytest.approx(1773133200.002, abs=1e-6)
    assert found.exchanges[0].resolution == (1e-6 if form in {"pcap", "ng-6"} else 1e-9)


def test_packets_without_times_keep_their_order() -> None:
    wire = Wire()
    usual(wire)
    found = capture.read(io.BytesIO(pcapng(wire, kind=3)), "x")
    assert story(found) == USUAL
    assert found.exchanges[0].started is None


def test_ipv6_with_an_extension_header() -> None:
    wire = Wire()
    talk = Talk(wire, ("2001:db8::7", 51000), ("2001:db8::80", 8080)).open()
    talk.asks(GET).answers(ok(b"y"))
    assert read(wire).exchanges[0].peer == "[2001:db8::80]:8080"


def test_pipelined_requests_and_answers_without_length() -> None:
    wire = Wire()
    talk = Talk(wire).open()
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end"
    talk.asks(HEAD + GET + PUT + GET, size=70)
    # A length that HEAD announces is not followed by octets.
    talk.answers(b'HTTP/1.1 200 OK\r\nETag: "v1"\r\nContent-Length: 99\r\n\r\n' + chunked, size=33)
    talk.answers(b"HTTP/1.1 100 Continue\r\n\r\n" + REFUSED + closing, size=21).close()
    assert story(read(wire)) == [
        ("HEAD", 200, '"v1"', None),
        ("GET", 200, None, b"hello"),
        ("PUT", 412, '"v2"', None),
        ("GET", 200, None, b"to the end"),
    ]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_reordered_and_repeated_packets_change_nothing(seed: int) -> None:
    """TCP hands over each octet once and in order, whatever the network did (RFC 9293 section 3.4)."""
    rng = random.Random(seed)
    wire = Wire()
    talk = Talk(wire).open()
    talk.asks(GET, 9).answers(ok(b"0123456789" * 120), 50).asks(PUT, 7).answers(REFUSED, 11)
    times = [moment for moment, _, _ in wire.packets]
    packets = [packet for packet in wire.packets for _ in range(rng.choice([1, 1, 1, 2, 3]))]
    for _ in range(20):
        at = rng.randrange(2, len(packets) - 2)
        packets[at], packets[at + 1] = packets[at + 1], packets[at]
    wire.packets = [
        (times[0] + number / 1000, frame, size) for number, (_, frame, size) in enumerate(packets)
    ]
    found = read(wire)
    assert story(found) == [("GET", 200, '"v1"', b"0123456789" * 120), ("PUT", 412, '"v2"', None)]
    assert found.warnings == ()


def test_overlapping_repetition_counts_once() -> None:
    wire = Wire()
    talk = Talk(wire).open().asks(GET)
    answer = ok(b"abcdefghij")
    at = talk.server_next
    wire.send(talk.server, talk.client, at, PSH | ACK, answer[:40])
    wire.send(talk.server, talk.client, at + 20, PSH | ACK, answer[20:])
    assert story(read(wire)) == [("GET", 200, '"v1"', b"abcdefghij")]


def lost(*which: int) -> Wire:
    wire = Wire()
    talk = Talk(wire).open()
    talk.asks(GET).answers(ok(b"x" * 1400, "v1"), 500).asks(PUT).answers(REFUSED).asks(GET).answers(
        ok(b"z", "v2")
    )
    wire.packets = [packet for number, packet in enumerate(wire.packets) if number not in which]
    return wire


def test_a_gap_in_a_body_makes_it_partial() -> None:
    found = read(lost(4))  # the second packet of the first answer
    assert [told(one)[:3] for one in found.exchanges] == [
        ("GET", 200, '"v1"'), ("PUT", 412, '"v2"'), ("GET", 200, '"v2"'),
    ]  # fmt: skip
    first = found.exchanges[0].response
    assert first is not None
    assert first.content is UNKNOWN or (isinstance(first.content, Content) and not first.content.complete)
    assert "packets are missing in 1 places" in found.warnings[0].text


def test_a_lost_answer_is_no_answer_and_shifts_nobody() -> None:
    found = read(lost(7))
    assert [told(one)[:3] for one in found.exchanges] == [
        ("GET", 200, '"v1"'), ("PUT", 0, None), ("GET", 200, '"v2"'),
    ]  # fmt: skip
    assert found.exchanges[1].error


def test_a_lost_request_takes_its_answer_along() -> None:
    found = read(lost(6))
    assert [told(one)[:3] for one in found.exchanges] == [("GET", 200, '"v1"'), ("GET", 200, '"v2"')]


def test_a_connection_that_was_open_before() -> None:
    wire = lost(0, 1)
    assert [told(one)[:3] for one in read(wire).exchanges] == [
        ("GET", 200, '"v1"'), ("PUT", 412, '"v2"'), ("GET", 200, '"v2"'),
    ]  # fmt: skip
    # In the middle of an answer.
    assert [told(one)[:2] for one in read(lost(0, 1, 2, 3)).exchanges] == [("PUT", 412), ("GET", 200)]


def test_ports_used_again_are_another_connection() -> None:
    wire = Wire()
    Talk(wire).open().asks(GET).answers(ok(b"one")).close()
    Talk(wire, client_next=90_000_000, server_next=5).open().asks(GET).answers(ok(b"two", "v2")).close()
    assert [body for *_, body in story(read(wire))] == [b"one", b"two"]


def test_a_reset_connection_says_so() -> None:
    wire = Wire()
    Talk(wire).open().asks(PUT).close(RST)
    (only,) = read(wire).exchanges
    assert (only.status, only.error) == (0, "the connection was reset")


def test_cut_packets_are_named() -> None:
    wire = Wire()
    usual(wire)
    found = parsed(pcap(wire, snapshot=200))
    assert any("captured in part" in warning.text for warning in found.warnings)
    assert [one.status for one in found.exchanges] == [200, 412]


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_a_cut_file_gives_what_was_whole(make: object) -> None:
    wire = Wire()
    usual(wire)
    data = make(wire)  # type: ignore[operator]
    counts = set()
    for size in range(200, len(data) - 1, 37):
        try:
            found = parsed(data[:size])
        except InputError as error:
            assert error.advice  # noqa: PT017 - either outcome is right
            counts.add(0)
            continue
        assert "damaged or cut at octet" in found.warnings[0].text or len(found.exchanges) >= 1
        counts.add(len(found.exchanges))
    assert counts >= {0, 1, 2}


def test_encrypted_traffic_is_answered_with_a_way() -> None:
    wire = Wire()
    Talk(wire).open().asks(b"\x16\x03\x01\x02\x00\x01" + b"r" * 500).answers(
        b"\x16\x03\x03\x00\x7a" + b"s" * 99
    )
    with pytest.raises(InputError, match="encrypted") as raised:
        read(wire)
    assert "SSLKEYLOGFILE" in raised.value.advice
    Talk(wire, ("192.0.2.7", 51001)).open().asks(GET).answers(ok(b"x"))
    found = read(wire)
    assert len(found.exchanges) == 1
    assert "1 connections are encrypted" in found.warnings[0].text


def test_what_else_is_no_http1_is_called_by_its_name() -> None:
    wire = Wire()
    Talk(wire).open().asks(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 30)
    with pytest.raises(InputError, match="HTTP/2"):
        read(wire)
    wire = Wire()
    Talk(wire).open().asks(b"hello\n").answers(b"world\n")
    with pytest.raises(InputError, match=r"no HTTP/1\.1"):
        read(wire)
    other = (
        struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 105)
        + struct.pack("<IIII", 1, 1, 4, 4)
        + b"wifi"
    )
    with pytest.raises(InputError, match="link types 105"):
        parsed(other)


def test_a_real_recording_of_the_loopback_interface() -> None:
    """Packets of the kernel, larger than any frame: what tcpdump on the same machine writes."""
    try:
        wire = recorded()
    except (OSError, AttributeError) as error:
        pytest.skip(f"no packets can be recorded here ({error})")
    for data in (pcap(wire, nanoseconds=True), pcapng(wire)):
        found = capture.read(io.BytesIO(data), "x")
        assert [(one.request.method, one.status) for one in found.exchanges] == [
            ("GET", 200), ("GET", 200), ("PUT", 200), ("PUT", 412), ("GET", 200),
        ]  # fmt: skip
        assert found.warnings == ()
        (incident,) = diagnose([found]).incidents
        assert incident.findings[0].cause == "other-writer"


def proxied(*, third: bool = False) -> Wire:
    """A proxy at 192.0.2.80 that asks 10.0.0.5:8001, and what it asks while its client waits."""
    wire = Wire()
    front = Talk(wire).open()
    back = Talk(wire, ("192.0.2.80", 40000), ("10.0.0.5", 8001), 50, 70).open()
    other = Talk(wire, ("192.0.2.7", 52000), ("198.51.100.1", 80), 50, 70).open()
    for octets, answer in ((GET, ok(b"a")), (PUT, REFUSED), (GET, ok(b"b", "v2"))):
        front.asks(octets)
        back.asks(octets.replace(b"h.example", b"10.0.0.5:8001"))
        back.answers(answer)
        front.answers(answer)
        if third:
            other.asks(GET).answers(ok(b"elsewhere"))
    return wire


@pytest.mark.parametrize("third", [False, True])
def test_both_sides_of_a_proxy_are_two_captures(*, third: bool) -> None:
    front, back = read_pcap(io.BytesIO(pcap(proxied(third=third))), "x")
    assert (front.name, back.name) == ("x", "x!10.0.0.5:8001")
    assert [one.status for one in back.exchanges] == [200, 412, 200]
    assert len(front.exchanges) == (6 if third else 3)
    assert {one.provenance.source for one in back.exchanges} == {"x!10.0.0.5:8001"}
    sources = {one.name: one.vantage for one in diagnose([front, back]).sources}
    assert sources["x!10.0.0.5:8001"] is Vantage.UPSTREAM


def test_two_servers_of_one_client_are_one_capture() -> None:
    wire = Wire()
    one = Talk(wire, ("192.0.2.7", 50000), ("198.51.100.1", 80)).open()
    two = Talk(wire, ("192.0.2.7", 50001), ("198.51.100.2", 80)).open()
    for _ in range(4):
        one.asks(GET)
        two.asks(GET).answers(ok(b"a"))
        one.answers(ok(b"a"))
    assert len(read(wire).exchanges) == 8
