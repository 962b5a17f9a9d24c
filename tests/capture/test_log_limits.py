"""Logs that are made to be slow or large are read in bounded time, or refused with what to do."""

from __future__ import annotations

import io
import time

import pytest

from ifmatch.capture import read_all
from ifmatch.capture.base import drafts
from ifmatch.capture.texts import text_source
from ifmatch.errors import InputError

# A reader that looks for the end of each of so many quotes again needs minutes.
MANY = 25_000
SECONDS = 15.0
LINE = '127.0.0.1 - - [24/Nov/2026:17:32:21 +0000] "GET /notes/7 HTTP/1.1" 200 15 '
FORMATS = ("access-log", "json-log", "sdk-log", "error-report")
HOSTILE = {
    "escaped quotes": LINE + '"' + '\\"' * MANY,
    "open quotes": LINE + '"' * MANY,
    "open brackets": LINE + "[" * MANY,
    "open braces": LINE + "{" * MANY,
    "nested objects": '{"a":' * MANY,
    "objects over lines": '{"a":[\n' * MANY,
    "sent backslashes": "send: b'" + "\\" * MANY,
    "sent quotes": "send: b'" + "\\'" * MANY,
    "botocore fields": "Sending http request: <AWSPreparedRequest method=PUT, url=x, headers={"
    + "'a': b'" * MANY,
    "azure fields": "Request URL: 'http://x/y'\nRequest headers:\n" + "    'a': '" * MANY,
    "terraform values": "HTTP Request Sent: " + 'a="' * MANY,
    "terraform lists": "HTTP Request Sent: " + "a=[" * MANY,
    "kubectl fields": "I1126 10:03:39.4 25675 loader.go:402] curl -v -XGET " + '-H "a" ' * MANY,
    "okhttp reason": "--> END GET\n<-- 200 " + "a" * MANY + " https://x (",
    "urllib3 targets": 'http://x "GET /' + ' HTTP/1.1" 2' * MANY,
    "error codes": "An error occurred (" * MANY,
    "statuses": "412 " * MANY,
    "conditions": "if-match " * MANY,
    "a format of many columns": 'LogFormat "%s %r ' + "%{a}i" * 600 + '"\n' + "x" * MANY,
    "curly quotes": LINE + "\u201c" * MANY,
    "empty quotes": LINE + ' ""a' * MANY,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_lines_take_bounded_time(name: str) -> None:
    octets = HOSTILE[name].encode()
    begun = time.process_time()
    for form in (None, *FORMATS):
        try:
            read_all(io.BytesIO(octets), "x", format=form)
        except InputError as error:
            assert str(error).isprintable()  # noqa: PT017 - either outcome is right
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize("form", FORMATS)
def test_a_text_that_is_too_large_is_refused_with_what_to_do(form, monkeypatch) -> None:
    monkeypatch.setattr(text_source, "MAXIMAL_TEXT_OCTETS", 1000)
    with pytest.raises(InputError) as raised:
        read_all(io.BytesIO(LINE.encode() * 20), "server.log", format=form)
    assert "256 MiB" in raised.value.text
    assert "Cut out" in raised.value.advice


@pytest.mark.parametrize(
    ("form", "entry"),
    [
        ("access-log", LINE + '"-" "a/1"\n'),
        ("json-log", '{"method":"PUT","url":"/x","status":412}\n'),
        ("sdk-log", 'DEBUG:urllib3.connectionpool:http://x:80 "PUT /y HTTP/1.1" 412 0\n'),
    ],
)
def test_more_exchanges_than_are_kept_are_told(form, entry, monkeypatch) -> None:
    monkeypatch.setattr(drafts, "ENTRY_LIMIT", 5)
    (read,) = read_all(io.BytesIO(entry.encode() * 9), "x", format=form)
    assert len(read.exchanges) == 5
    assert any("only the first 5 exchanges are read" in warning.text for warning in read.warnings)


def test_a_line_that_is_too_long_is_cut_and_told() -> None:
    text = 'http://x:80 "PUT /y HTTP/1.1" 412 0' + " " * 70_000 + "end\n"
    (read,) = read_all(io.BytesIO(text.encode()), "x", format="sdk-log")
    assert read.exchanges[0].status == 412
    assert any("longer than 64 KiB" in warning.text for warning in read.warnings)


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_to_read_says_what_to_do(form) -> None:
    with pytest.raises(InputError) as raised:
        read_all(io.BytesIO(b"the meeting is on Thursday\n"), "x", format=form)
    assert "ifmatch explain capture" in raised.value.advice
    assert "x" in str(raised.value)


def test_very_long_lines_are_told_as_what_they_are() -> None:
    line = '10.0.0.1 - - [10/Mar/2026:09:14:1{} +0000] "PUT /{} HTTP/1.1" 412 0 "-" "c"\n'
    text = line.format(1, "a") + line.format(2, "y" * 100_000)
    (log,) = read_all(io.BytesIO(text.encode()), "access.log")
    assert any("1, first line 2; 1 of them longer than 64 KiB" in one.text for one in log.warnings)
    with pytest.raises(InputError, match="first line is very long"):
        read_all(io.BytesIO(b"GET /a " + b"x" * 200_000), "access.log")
    with pytest.raises(InputError) as short:
        read_all(io.BytesIO(b"nothing at all"), "access.log")
    assert "very long" not in short.value.text
