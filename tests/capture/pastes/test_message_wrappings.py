"""Messages come out of what loggers and tools wrote around them; prose and content stay what they are."""

from __future__ import annotations

import io

import pytest

from ifmatch.capture import read_all
from ifmatch.capture.pastes.message_wrappings import unpacked
from ifmatch.capture.texts.pasted_lines import CUT, DROPPED

START = "PUT /notes/7 HTTP/1.1"


def texts(*lines: str) -> list[str | None]:
    return [line for _, line in unpacked(lines) if line != DROPPED]


def test_a_quoted_dump_becomes_its_lines_and_each_keeps_the_number_of_the_line_it_stood_in() -> None:
    quoted = r'12:00:01 "PUT /notes/7 HTTP/1.1\r\nIf-Match: \"v1\"\r\n\r\n{\"a\":1}"'
    assert unpacked(["prose", quoted]) == [
        (1, DROPPED),
        (2, START),
        (2, 'If-Match: "v1"'),
        (2, ""),
        (2, '{"a":1}'),
    ]


def test_a_quoted_dump_whose_backslashes_are_lost_keeps_its_quotes() -> None:
    assert texts(r'"PUT /notes/7 HTTP/1.1\r\nIf-Match: "v1"\r\nHost: x\r\n\r\n"')[1] == 'If-Match: "v1"'


def test_the_field_that_a_line_break_cuts_is_not_shown_and_the_head_not_whole() -> None:
    lines = [
        r'<- "PUT /notes/7 HTTP/1.1\r\nHost: x\r\nIf-Match: \"v',
        r'1\"\r\n\r\n"',
        r'-> "HTTP/1.1 412 X\r\n"',
    ]
    assert texts(*lines) == [START, "Host: x", CUT, "", "", "HTTP/1.1 412 X"]
    (capture,) = read_all(io.BytesIO("\n".join(lines).encode()), "x")
    assert not capture.exchanges[0].request.fields.complete
    assert "if-match" not in capture.exchanges[0].request.fields


def test_the_size_of_a_chunk_is_no_content() -> None:
    assert texts(r'-> "HTTP/1.1 412 Precondition Failed\r\n"', r'-> "\r\n"', r'-> "1f\r\n"') == [
        "HTTP/1.1 412 Precondition Failed",
        "",
    ]


@pytest.mark.parametrize(
    "prefix",
    [
        "2026/03/10 09:14:11 ",
        "2026-03-10 09:14:11.123 DEBUG [Notes] ",
        "2026-11-27 02:47:28: (connections.c.770) fd:9 rqst: ",
        "[12] ",
        "api | ",
    ],
)
def test_the_stamp_of_a_logger_is_taken_off_each_line_or_the_first(prefix: str) -> None:
    expected = [START, 'If-Match: "v1"', ""]
    assert texts(prefix + START, prefix + 'If-Match: "v1"', prefix) == expected
    assert texts(prefix + START, 'If-Match: "v1"', "") == expected


@pytest.mark.parametrize(
    "line",
    [
        "I sent PUT /notes/7 HTTP/1.1",
        '203.0.113.9 - - [10/Mar/2026:09:14:10 +0000] "PUT /notes/7 HTTP/1.1" 412 31',
        "the answer was <HTTP/1.1 412 Precondition Failed>",
        'the answer was: "HTTP/1.1 412 Precondition Failed"',
        "see (HTTP/1.1 412 Precondition Failed",
    ],
)
def test_a_start_line_within_prose_starts_nothing(line: str) -> None:
    assert unpacked([line, "x"]) == [(1, line), (2, "x")]


def test_content_without_a_line_end_ends_where_the_answer_starts() -> None:
    glued = unpacked([START, "", '{"a":1}HTTP/1.1 412 Precondition Failed', 'ETag: "v2"'])
    assert [line for _, line in glued[2:]] == ['{"a":1}', "HTTP/1.1 412 Precondition Failed", 'ETag: "v2"']
    assert [number for number, _ in glued] == [1, 2, 3, 3, 4]


def test_packets_between_messages_are_left_out() -> None:
    heading = "09:14:11.165456 IP 203.0.113.9.80 > 10.0.0.2.51514: Flags [.], ack 1, win 502, length 0"
    assert texts(
        heading, "E..4..@.@..", heading, f"E..P.........{START}", 'If-Match: "v1"', "", heading, "E..4PUT"
    ) == [START, 'If-Match: "v1"', ""]


def test_marks_of_wget_stand_around_heads() -> None:
    assert texts(
        "DEBUG output", "---request begin---", START, "", "---request end---", "[BODY data: a=1]", "HTTP sent"
    ) == [START, "", "a=1"]
