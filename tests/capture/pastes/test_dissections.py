"""Messages come out of the trees of tshark: whole files, a part that somebody copied, several connections."""

from __future__ import annotations

import io

from ifmatch import diagnose
from ifmatch.capture import read
from ifmatch.capture.pastes.dissections import from_dissections

REQUEST = r"""Transmission Control Protocol, Src Port: {port}, Dst Port: 80, Seq: 1, Ack: 1, Len: 168
Hypertext Transfer Protocol
    PUT /notes/{port} HTTP/1.1\r\n
        [Expert Info (Chat/Sequence): PUT /notes/7 HTTP/1.1\r\n]
        Request Method: PUT
    Host: api.example.test\r\n
    If-Match: "v1"\r\n
    \r\n
    [Full request URI: http://api.example.test/notes/7]
"""
ANSWER = r"""Transmission Control Protocol, Src Port: 80, Dst Port: {port}, Seq: 1, Ack: 169, Len: 230
Hypertext Transfer Protocol
    HTTP/1.1 {status} Precondition Failed\r\n
    [truncated]ETag: "v2-and-more\r\n
    \r\n
    File Data: 31 bytes
Line-based text data: text/plain (1 lines)
    refused\n
"""


def texts(text: str) -> list[str]:
    return [line for _, line in from_dissections(list(enumerate(text.splitlines(), 1)), "CUT") if line]


def test_what_the_tree_adds_is_left_out_and_what_it_cuts_is_named() -> None:
    assert texts(REQUEST.format(port=5) + ANSWER.format(port=5, status=412)) == [
        "PUT /notes/5 HTTP/1.1",
        "Host: api.example.test",
        'If-Match: "v1"',
        "HTTP/1.1 412 Precondition Failed",
        "CUT",
        "refused",
    ]


def test_connections_that_interleave_keep_their_answers() -> None:
    text = REQUEST.format(port=5) + REQUEST.format(port=6)
    text += ANSWER.format(port=6, status=200) + ANSWER.format(port=5, status=412)
    starts = [line.split()[1] for line in texts(text) if "HTTP/1.1" in line]
    assert starts == ["/notes/5", "412", "/notes/6", "200"]


def test_what_stands_further_left_is_no_prose_around_the_tree() -> None:
    text = REQUEST.format(port=5) + REQUEST.format(port=6)
    text += ANSWER.format(port=6, status=200) + ANSWER.format(port=5, status=412)
    found = read(io.BytesIO(text.encode()), "x").exchanges
    assert [(one.request.url.rpartition("/")[2], one.status) for one in found] == [("5", 412), ("6", 200)]
    assert found[0].response.content.text == "refused"


def test_a_copied_part_is_no_broken_validator() -> None:
    """Line ends written out are no part of a tag."""
    part = "\n".join(REQUEST.format(port=5).splitlines()[2:]) + "\n"
    part += "\n".join(ANSWER.format(port=5, status=412).splitlines()[2:3]) + "\n"
    (exchange,) = read(io.BytesIO(part.encode()), "x").exchanges
    assert exchange.request.fields.text("If-Match") == '"v1"'
    assert exchange.status == 412
    (incident,) = diagnose([exchange]).incidents
    assert "malformed-validator" not in {finding.cause for finding in incident.findings}


def test_text_without_a_message_stays_what_it_is() -> None:
    assert texts("Hypertext Transfer Protocol\n    is the name\n") == []
