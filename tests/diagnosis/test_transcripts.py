"""Transcripts show one exchange after the other: their order is known, whatever the Date fields resolve."""

from __future__ import annotations

import io

from ifmatch.capture import read
from ifmatch.diagnosis import diagnose

DATE = "Date: Thu, 26 Nov 2026 19:25:00 GMT"


def _told(method: str, status: str, fields: str, tag: str, body: str) -> str:
    sent = "".join(f"> {line}\n" for line in fields.splitlines())
    answer = f"< ETag: {tag}\n" if tag else ""
    return (
        f"> {method} /doc/7 HTTP/1.1\n> Host: docs.example.test\n{sent}>\n"
        f"< HTTP/1.1 {status}\n< {DATE}\n{answer}< Content-Length: {len(body)}\n<\n{body}\n"
    )


def test_own_write_before_a_refusal_in_one_second_is_before_it() -> None:
    text = (
        _told("GET", "200 OK", "Accept: */*", '"v1"', '{"a": 1}')
        + _told("PUT", "200 OK", "Content-Length: 8", '"v2"', "{}")
        + _told("PUT", "412 Precondition Failed", 'If-Match: "v1"', "", "{}")
        + _told("GET", "200 OK", "Accept: */*", '"v2"', '{"a": 2}')
    )
    findings = diagnose([read(io.BytesIO(text.encode()), "paste.txt")]).incidents[0].findings
    assert findings[0].cause == "stale-stored-token"
    assert findings[0].likelihood >= 0.75
