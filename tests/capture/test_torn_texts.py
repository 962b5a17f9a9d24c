"""Where lines are missing, no head is made of two, no answer goes to another's request, no cause is high."""

from __future__ import annotations

import io
import json
import pathlib
from typing import TYPE_CHECKING

import pytest

from ifmatch import capture
from ifmatch.capture.documents import net_logs
from ifmatch.diagnosis import diagnose

if TYPE_CHECKING:
    from ifmatch.model.exchange import Capture

INPUTS = pathlib.Path(__file__).parents[2] / "cases" / "inputs"
READ = (
    "GET /notes/7 HTTP/1.1\r\nHost: api.example.test\r\nUser-Agent: ed/1\r\n\r\n"
    'HTTP/1.1 200 OK\r\nDate: Tue, 10 Mar 2026 09:14:01 GMT\r\nETag: "v1"\r\nContent-Length: 17\r\n\r\n'
    '{"title":"first"}\n'
)
WRITE = (
    "PUT /notes/7 HTTP/1.1\r\nHost: api.example.test\r\nUser-Agent: ed/1\r\nContent-Length: 16\r\n"
    'If-Match: "v1"\r\n\r\n{"title":"ines"}\n'
    "HTTP/1.1 412 Precondition Failed\r\nDate: Tue, 10 Mar 2026 09:14:05 GMT\r\nContent-Length: 2\r\n\r\n{}\n"
)


def read(text: str) -> Capture:
    return capture.read(io.BytesIO(text.encode()), "x")


def levels(*captures: Capture) -> set[str]:
    return {str(one.level) for incident in diagnose(captures).incidents for one in incident.findings}


def without(text: str, first: str, last: str) -> str:
    """Return a text without what stands from one piece to the beginning of another."""
    start = text.index(first)
    return text[:start] + text[text.index(last, start) :]


def test_a_head_of_two_requests_is_not_read() -> None:
    torn = read(without(READ + WRITE, "\r\n\r\nHTTP/1.1 200", "\r\nUser-Agent: ed/1\r\nContent-Length"))
    (exchange,) = torn.exchanges
    # One user agent twice is no sign; the content that nothing announces in the head of a read is none here.
    assert exchange.request.method == "GET"
    assert exchange.request.fields.get("if-match") == '"v1"'
    other = read(READ.replace("ed/1", "ed/2") + WRITE)
    assert not other.torn
    torn = read(
        without(
            READ.replace("ed/1", "ed/2") + WRITE,
            "\r\n\r\nHTTP/1.1 200",
            "\r\nUser-Agent: ed/1\r\nContent-Length",
        )
    )
    (exchange,) = torn.exchanges
    assert torn.torn
    assert not exchange.request.fields.complete
    assert len(exchange.request.fields) == 0
    assert any("two messages" in warning.text for warning in torn.warnings)


def test_a_head_of_two_answers_is_not_read() -> None:
    torn = read(without(READ + WRITE, 'ETag: "v1"', "Date: Tue, 10 Mar 2026 09:14:05"))
    (exchange,) = torn.exchanges
    assert exchange.response is not None
    assert torn.torn
    assert len(exchange.response.fields) == 0


@pytest.mark.parametrize("lost", ["Host: api.example.test\r\n", "Content-Length: 16\r\n"])
def test_a_head_that_lacks_what_http_needs_is_a_part_of_one(lost: str) -> None:
    """RFC 9112 sections 3.2 and 6.3."""
    whole, torn = read(READ + WRITE), read(READ + WRITE.replace(lost, ""))
    assert [one.request.fields.complete for one in whole.exchanges] == [True, True]
    assert [one.request.fields.complete for one in torn.exchanges] == [True, False]


def test_a_request_that_lost_its_precondition_with_its_length_accuses_nobody() -> None:
    lost = WRITE.replace('Content-Length: 16\r\nIf-Match: "v1"\r\n', "")
    assert "medium" in levels(read(WRITE.replace('If-Match: "v1"\r\n', "")))
    assert levels(read(lost)) == set()


def curl(text: str) -> str:
    """Return messages as `curl -v` prints their heads."""
    lines: list[str] = []
    for message in text.replace("\r\n", "\n").split("\n\n"):
        head = [line for line in message.split("\n") if not line.startswith("{")]
        sign = "<" if any(line.startswith("HTTP/") for line in head) else ">"
        lines.extend(f"{sign} {line}" for line in [*head, ""] if line or head)
    return "* Connected to api.example.test (192.0.2.1) port 80 (#0)\n" + "\n".join(lines) + "\n"


def test_a_request_that_curl_says_nothing_of_is_left_out() -> None:
    text = curl(READ + WRITE + READ)
    whole = read(text)
    assert [one.status for one in whole.exchanges] == [200, 412, 200]
    torn = read(without(text, "< HTTP/1.1 412", "> GET /notes/7"))
    assert [(one.request.method, one.status) for one in torn.exchanges] == [("GET", 200), ("GET", 200)]
    assert torn.torn
    assert any("left out: 1" in warning.text for warning in torn.warnings)


def test_a_second_answer_within_a_head_is_that_of_another_request() -> None:
    text = curl(WRITE + READ)
    torn = read(without(text, "< Date: Tue, 10 Mar 2026 09:14:05", "< HTTP/1.1 200"))
    assert [(one.request.method, one.status) for one in torn.exchanges] == [("PUT", 412), ("", 200)]


def test_a_transaction_of_two_in_a_log_of_varnish_is_left_out() -> None:
    text = (INPUTS / "varnishlog" / "vxid-7.1.1.log").read_text()
    whole = capture.read_all(io.BytesIO(text.encode()), "x")
    assert not any(one.torn for one in whole)
    headings = [line for line in text.split("\n") if line.startswith("*") and "Request" in line]
    torn = capture.read_all(io.BytesIO(text.replace(headings[2] + "\n", "", 1).encode()), "x")
    assert all(one.torn for one in torn)
    assert sum(len(one.exchanges) for one in torn) < sum(len(one.exchanges) for one in whole)
    assert "high" not in levels(*torn)


def test_no_cause_is_high_where_text_is_missing() -> None:
    text = (INPUTS / "http-messages" / "xh.txt").read_text()
    assert "high" in levels(read(text))
    first, last = "Date: Tue, 10 Mar 2026 09:14:11 GMT", "Date: Tue, 10 Mar 2026 09:14:13 GMT"
    torn = read(without(text, 'ETag: "v2-7c1f"\n\n{\n    "error"', last))
    assert first in text
    assert torn.torn
    assert "high" not in levels(torn)


def test_events_of_a_network_log_that_another_program_wrote_anew_are_read() -> None:
    sample = INPUTS / "net-log" / "chromium-156-everything.json"
    value = json.loads(sample.read_text())
    indented = io.BytesIO(json.dumps(value, indent=2).encode())
    one, two = (
        net_logs.read_net_log(io.BytesIO(sample.read_bytes()), "x"),
        net_logs.read_net_log(indented, "x"),
    )
    plain = [(e.request.method, e.request.url, e.status, e.started) for e in one.exchanges]
    assert plain == [(e.request.method, e.request.url, e.status, e.started) for e in two.exchanges]
    assert any(status == 412 for _, _, status, _ in plain)
