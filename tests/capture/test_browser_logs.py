"""What network logs of browsers say beyond the samples: HTTP/2, failures, caches, redirections."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest

from ifmatch import capture
from ifmatch.errors import InputError
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

TYPES = {
    "FAILED": 1,
    "URL_REQUEST_START_JOB": 2,
    "HTTP_TRANSACTION_SEND_REQUEST_HEADERS": 3,
    "HTTP_TRANSACTION_HTTP2_SEND_REQUEST_HEADERS": 4,
    "HTTP_TRANSACTION_READ_RESPONSE_HEADERS": 5,
    "URL_REQUEST_JOB_FILTERED_BYTES_READ": 6,
    "HTTP_CACHE_READ_INFO": 7,
    "SOCKET_ALIVE": 8,
}
URL = "https://api.example.test/notes/7"


def event(kind: str, source: int = 1, time: int = 100, phase: int = 0, **params: Any) -> dict[str, Any]:
    return {
        "params": params,
        "phase": phase,
        "source": {"id": source, "type": 1},
        "time": str(time),
        "type": TYPES[kind],
    }


def started(source: int = 1, method: str = "PUT", url: str = URL) -> dict[str, Any]:
    return event("URL_REQUEST_START_JOB", source, phase=1, method=method, url=url)


def sent(source: int = 1, time: int = 100, *, tag: str = '"v1"') -> dict[str, Any]:
    fields = [":method: PUT", ":authority: api.example.test", ":scheme: https", ":path: /notes/7"]
    return event(
        "HTTP_TRANSACTION_HTTP2_SEND_REQUEST_HEADERS", source, time, headers=[*fields, f"if-match: {tag}"]
    )


def received(*lines: str, source: int = 1, time: int = 150) -> dict[str, Any]:
    return event("HTTP_TRANSACTION_READ_RESPONSE_HEADERS", source, time, headers=list(lines))


def read(*events: dict[str, Any]) -> Any:
    constants = {
        "logEventTypes": TYPES,
        "netError": {"ERR_CONNECTION_RESET": -101},
        "timeTickOffset": 1795781013694,
    }
    listed = ",\n".join(json.dumps(one) for one in events)
    text = f'{{"constants":{json.dumps(constants)},\n"events": [\n{listed}],\n"polledData": [{{}}]}}\n'
    return capture.read(io.BytesIO(text.encode()), "x")


def test_fields_of_http_2_are_without_those_of_its_own() -> None:
    found = read(started(), sent(), received("HTTP/1.1 103"), received("HTTP/1.1 412", 'etag: "v2"'))
    (exchange,) = found.exchanges
    assert found.format == "net-log"
    assert (exchange.request.method, exchange.request.url, exchange.status) == ("PUT", URL, 412)
    assert list(exchange.request.fields) == [("if-match", '"v1"')]
    assert exchange.request.version == "HTTP/2"
    assert exchange.response.fields.get("etag") == '"v2"'
    assert exchange.started == pytest.approx(1795781013.794)
    assert exchange.duration == pytest.approx(0.05, abs=1e-4)
    assert exchange.request.content is UNKNOWN


def test_a_log_that_begins_in_the_middle_has_the_url_from_the_request() -> None:
    (exchange,) = read(sent(), received("HTTP/1.1 412 Precondition Failed")).exchanges
    assert exchange.request.url == URL


def test_each_redirection_and_repetition_is_an_exchange() -> None:
    other = "https://api.example.test/v2/notes/7"
    found = read(
        started(),
        sent(time=1),
        received("HTTP/1.1 307 Temporary Redirect", f"location: {other}", time=2),
        started(url=other),
        sent(time=3),
        received("HTTP/1.1 401 Unauthorized", time=4),
        sent(time=5),
        received("HTTP/1.1 412 Precondition Failed", time=6),
    )
    assert [(one.request.url, one.status) for one in found.exchanges] == [
        (URL, 307),
        (other, 401),
        (other, 412),
    ]


def test_contents_are_those_of_each_answer() -> None:
    shown = [base64.b64encode(part).decode() for part in (b'{"title":', b'"ines"}')]
    found = read(
        started(),
        sent(),
        received("HTTP/1.1 200 OK"),
        *(event("URL_REQUEST_JOB_FILTERED_BYTES_READ", bytes=part, byte_count=9) for part in shown),
        event("URL_REQUEST_JOB_FILTERED_BYTES_READ", bytes="?", byte_count=1),
        started(2),
        sent(2),
        received("HTTP/1.1 412", source=2),
    )
    first, second = (one.response.content for one in found.exchanges)
    assert isinstance(first, Content)
    assert first.json() == {"title": "ines"}
    assert second is UNKNOWN


def test_a_failure_is_named_and_what_is_not_shown_is_left_out() -> None:
    found = read(
        started(),
        sent(),
        event("FAILED", net_error=-101),
        started(2),
        sent(2),
        started(3, "GET"),
        event("HTTP_CACHE_READ_INFO", 3),
    )
    (exchange,) = found.exchanges
    assert exchange.response is None
    assert exchange.error == "net::ERR_CONNECTION_RESET"
    assert [warning.text for warning in found.warnings] == [
        "answers of the browser's own cache, which this log does not show: 1",
        "requests whose answer is not in this log were left out: 1",
    ]


def test_a_log_without_requests_says_what_to_do() -> None:
    with pytest.raises(InputError, match="no request with its answer"):
        read(event("SOCKET_ALIVE"))


def firefox(*lines: str, thread: str = "Socket Thread") -> list[str]:
    return [
        f"2026-11-27 12:35:42.70{n}000 UTC - [Parent 1: {thread}]: E/nsHttp {line}"
        for n, line in enumerate(lines)
    ]


def asked(transaction: str, target: str) -> list[str]:
    head = [
        "http request [",
        f"  PUT {target} HTTP/1.1",
        "  Host: api.example.test",
        '  If-Match: "v1"',
        "  ",
        "]",
    ]
    return firefox(f"nsHttpTransaction::Init [this={transaction} caps=1]", *head, thread="Main Thread")


def answered(transaction: str, status: str) -> list[str]:
    head = [
        "http response [",
        f"  HTTP/1.1 {status}",
        '  ETag: "v2"',
        "    OriginalHeaders",
        '  ETag: "no"',
        "]",
    ]
    return firefox(f"nsHttpTransaction::HandleContentStart [this={transaction}]", *head)


def test_answers_in_firefox_s_log_belong_to_their_transactions() -> None:
    lines = [
        *firefox("uri=http://api.example.test/notes/7"),
        *asked("7f4bdc2d4700", "/notes/7"),
        *asked("7f4bdc2d4800", "/notes/8"),
        *asked("7f4bdc2d4900", "/notes/9"),
        *answered("7f4bdc2d4800", "200 OK"),
        *answered("7f4bdc2d4700", "412 Precondition Failed"),
        *answered("7f4bdc2d4a00", "404 Not Found"),
    ]
    found = capture.read(io.BytesIO("\n".join(lines).encode()), "x")
    assert [(one.request.url, one.status) for one in found.exchanges] == [
        ("http://api.example.test/notes/7", 412),
        ("http://api.example.test/notes/8", 200),
    ]
    answers = [one.response for one in found.exchanges if one.response is not None]
    assert [one.fields.get("etag") for one in answers] == ['"v2"', '"v2"']
    assert [warning.text for warning in found.warnings] == [
        "requests whose answer is not in this log were left out: 1"
    ]
