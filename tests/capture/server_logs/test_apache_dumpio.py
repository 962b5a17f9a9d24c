"""What mod_dumpio tells of several connections is put together again, each side for itself."""

from __future__ import annotations

import io

from ifmatch.capture import read_all


def line(place: str, way: str, text: str, second: int = 11) -> str:
    return (
        f"[Tue Mar 10 09:14:{second}.500000 2026] [dumpio:trace7] [pid 7:tid 8] mod_dumpio.c(100): [{place}] "
        f"mod_dumpio:  dumpio_{way} (data-HEAP): {text}\n"
    )


def test_connections_that_interleave_and_pieces_of_a_head() -> None:
    one, two = "client 203.0.113.9:5", "client 203.0.113.9:6"
    text = (
        line(one, "in", r"PUT /a HTTP/1.1\r\n")
        + line(two, "in", r"GET /b HTTP/1.1\r\nHost: x.test:81\r\n\r\n")
        + line(one, "in", "51 bytes")
        + line(one, "in", r"Host: x.test:81\r\nIf-Match: \"v1\"\r\n")
        + line(one, "in", r"\r\n")
        + line(one, "in", r"GET /no HTTP/1.1\n\\ and \x41")
        + line(two, "out", r"HTTP/1.1 200 OK\r\n\r\n", 12)
        + line(one, "out", r"HTTP/1.1 412 Precondition Failed\r\n\r\n", 13)
    )
    (capture,) = read_all(io.BytesIO(text.encode()), "x")
    assert [(e.request.url, e.status) for e in capture.exchanges] == [
        ("http://x.test:81/a", 412),
        ("http://x.test:81/b", 200),
    ]
    assert capture.exchanges[0].request.fields.text("If-Match") == '"v1"'
    assert capture.exchanges[0].request.content.text == "GET /no HTTP/1.1\n\\ and A"
    assert capture.exchanges[0].request.fields.text("X-Forwarded-For") == "203.0.113.9"
    assert capture.exchanges[0].duration == 2.0


def test_octets_that_a_proxy_looks_at_in_advance_count_once() -> None:
    behind = "remote 10.0.0.7:8080"
    peek = line(behind, "in", "x").replace(" (data-HEAP): x", " [speculative-nonblocking] 1 readbytes")
    reads = peek.replace("speculative-nonblocking", "getline-blocking")
    text = (
        line(behind, "out", r"PUT /a HTTP/1.1\r\nHost: 10.0.0.7:8080\r\n\r\n")
        + reads
        + line(behind, "in", r"HTTP/1.1 412 Precondition Failed\r\n")
        + peek
        + line(behind, "in", "E")
        + reads
        + line(behind, "in", r"ETag: \"v2\"\r\n")
        + line(behind, "in", r"\r\n")
    )
    (capture,) = read_all(io.BytesIO(text.encode()), "x")
    assert capture.format == "dumpio"
    assert list(capture.exchanges[0].response.fields) == [("ETag", '"v2"')]
