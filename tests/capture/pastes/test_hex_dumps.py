"""Messages come out of hexadecimal dumps: of whatever tool, with heads of lower layers, in pieces."""

from __future__ import annotations

import io

import pytest

from ifmatch.capture import read, sniff
from ifmatch.capture.pastes.hex_dumps import from_hex

REQUEST = b'PUT /notes/7 HTTP/1.1\r\nHost: api.example.test\r\nIf-Match: "v1"\r\nContent-Length: 13\r\n\r\n'
CONTENT = b'{"title":"b"}'
ANSWER = b'HTTP/1.1 412 Precondition Failed\r\nETag: "v2"\r\nContent-Length: 2\r\n\r\n{}'


def canonical(data: bytes, *, offset: str = "{:08x}  ", gap: str = " ") -> list[str]:
    return [
        offset.format(at) + gap.join(f"{octet:02x}" for octet in data[at : at + 16]).ljust(49) + "|text|"
        for at in range(0, len(data), 16)
    ]


def texts(*lines: str) -> list[str]:
    return [text for _, text in from_hex(list(enumerate(lines, 1)), "(cut)")]


@pytest.mark.parametrize(
    "offset", ["{:08x}  ", "{:08x}: ", "  {:04X}: ", "\t0x{:04x}:  ", "|{:08x}| ", "{:04x}  "]
)
def test_each_way_to_write_an_offset(offset: str) -> None:
    dump = "\n".join([*canonical(REQUEST + CONTENT, offset=offset), "", *canonical(ANSWER, offset=offset)])
    assert sniff(dump.encode()) == "http-messages"
    (exchange,) = read(io.BytesIO(dump.encode()), "x").exchanges
    assert exchange.request.fields.text("If-Match") == '"v1"'
    assert exchange.request.content.text == CONTENT.decode()
    assert exchange.status == 412


def test_heads_of_lower_layers_stand_before_a_message() -> None:
    assert texts(*canonical(b"\x45\0\0\x34" + b"\x01" * 50 + REQUEST))[0] == "PUT /notes/7 HTTP/1.1"


def test_content_in_a_dump_of_its_own_belongs_to_the_message_of_its_direction() -> None:
    out, back = (
        "[1f2e3d4c, L:/10.0.0.9:5 - R:x/1:80] WRITE: 71B",
        "[1f2e3d4c, L:/10.0.0.9:5 - R:x/1:80] READ: 9B",
    )
    lines = [out, *canonical(REQUEST), out, *canonical(CONTENT), back, *canonical(ANSWER)]
    assert texts(*lines)[4:7] == ["", CONTENT.decode(), ""]
    compressed = texts(out, *canonical(REQUEST), out, *canonical(bytes(range(32))), back, *canonical(ANSWER))
    assert compressed[4:7] == ["", "", "HTTP/1.1 412 Precondition Failed"]


def test_connections_that_interleave_keep_their_answers() -> None:
    def said(channel: str, word: str) -> str:
        return f"[{channel}, L:/10.0.0.9:5 - R:x/1:80] {word}: 9B"

    lines: list[str] = []
    for channel in ("aaaaaaaa", "bbbbbbbb"):
        lines += [said(channel, "WRITE"), *canonical(REQUEST.replace(b"/7", f"/{channel[0]}".encode()))]
    for channel, status in (("bbbbbbbb", b"200"), ("aaaaaaaa", b"412")):
        lines += [said(channel, "READ"), *canonical(ANSWER.replace(b"412", status))]
    starts = [text for text in texts(*lines) if "HTTP/1.1" in text]
    assert [start.split()[1] for start in starts] == ["/notes/a", "412", "/notes/b", "200"]


@pytest.mark.parametrize(
    "lines",
    [
        canonical(b"\x16\x03\x01 a handshake, no message"),
        ["00000000 and some prose", "0000: of a memo"],
        ["00000010  50 55 54 20", "00000000"],
    ],
)
def test_dumps_without_a_message_stay_what_they_are(lines: list[str]) -> None:
    assert texts(*lines) == []


def test_rows_behind_a_missing_one_are_left_out() -> None:
    rows = canonical(REQUEST + CONTENT)
    assert texts(rows[0], rows[1], *rows[3:]) == ["PUT /notes/7 HTTP/1.1", "Host: api", "(cut)", ""]
