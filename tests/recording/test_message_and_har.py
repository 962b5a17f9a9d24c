from __future__ import annotations

import gzip
import json
import socket
from typing import TYPE_CHECKING

import pytest

from tools.recording.har import Recorded, write_har
from tools.recording.message import (
    ConnectionEndedError,
    Message,
    Stream,
    read_request,
    read_response,
    write_message,
)

if TYPE_CHECKING:
    from pathlib import Path


def stream_of(octets: bytes) -> tuple[Stream, socket.socket]:
    ours, theirs = socket.socketpair()
    theirs.sendall(octets)
    theirs.close()
    return Stream(ours), ours


@pytest.mark.parametrize(
    ("octets", "method", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcX", "GET", b"abc"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "HEAD", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", "GET", b""),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\nT: 1\r\n\r\n",
            "GET",
            b"abc",
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", "GET", b"until the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "PUT", b""),
    ],
    ids=["length", "head", "304", "chunked", "close", "interim"],
)
def test_a_response_ends_where_its_framing_says(octets: bytes, method: str, body: bytes) -> None:
    stream, connection = stream_of(octets)
    with connection:
        assert read_response(stream, method).body == body


def test_a_response_cut_short_is_an_error() -> None:
    stream, connection = stream_of(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    with connection, pytest.raises(ConnectionEndedError):
        read_response(stream, "GET")


def test_header_lines_keep_order_case_and_octets() -> None:
    octets = (
        b'PUT /a?b HTTP/1.1\r\nhOST: h\r\nIf-Match: "a"\r\nif-match: "b"\r\n'
        b"X: \xe9\r\nContent-Length: 2\r\n\r\nhi"
    )
    stream, connection = stream_of(octets)
    with connection:
        request = read_request(stream)
    assert request.raw == octets
    assert [name for name, _ in request.fields] == ["hOST", "If-Match", "if-match", "X", "Content-Length"]
    assert request.get("IF-MATCH") == '"a", "b"'
    assert write_message(request.start_line, request.fields, request.body) == octets


def recorded(response: Message | None, *, body: bytes = b"", error: str | None = None) -> Recorded:
    fields = (("Host", "h.example.test"), ("content-TYPE", "application/octet-stream"))
    request = Message("PUT /x?a=1&b= HTTP/1.1", fields, body, b"")
    return Recorded(
        1_795_530_000_123_456_789,
        0.0123456,
        0.01,
        "http://h.example.test/x?a=1&b=",
        request,
        response,
        error,
        4,
    )


def entry_of(tmp_path: Path, one: Recorded) -> dict[str, object]:
    write_har(tmp_path / "a.har", [one])
    entry: dict[str, object] = json.loads((tmp_path / "a.har").read_text())["log"]["entries"][0]
    return entry


def test_a_har_entry_has_microseconds_query_and_binary_bodies(tmp_path: Path) -> None:
    packed = gzip.compress(b'{"a": 1}')
    fields = (("ETag", '"v"'), ("Content-Type", "application/json"), ("Content-Encoding", "gzip"))
    entry = entry_of(tmp_path, recorded(Message("HTTP/1.1 200 OK", fields, packed, b""), body=b"\xff\x00"))
    assert entry["startedDateTime"] == "2026-11-24T14:20:00.123456Z"
    assert entry["time"] == 12.346
    assert entry["connection"] == "4"
    request, response = entry["request"], entry["response"]
    assert isinstance(request, dict)
    assert isinstance(response, dict)
    assert request["queryString"] == [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]
    assert request["postData"] == {
        "mimeType": "application/octet-stream",
        "text": "/wA=",
        "encoding": "base64",
    }
    assert request["headers"][1]["name"] == "content-TYPE"
    assert response["content"]["text"] == '{"a": 1}'
    assert response["content"]["compression"] == 8 - len(packed)
    assert response["bodySize"] == len(packed)


def test_no_answer_is_status_zero_with_the_reason(tmp_path: Path) -> None:
    response = entry_of(tmp_path, recorded(None, error="timed out after 1 s"))["response"]
    assert isinstance(response, dict)
    assert (response["status"], response["_error"]) == (0, "timed out after 1 s")
