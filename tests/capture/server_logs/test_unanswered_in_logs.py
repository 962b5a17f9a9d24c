"""A request without an answer in the log keeps none: that of its repetition is not taken for its own."""

from __future__ import annotations

import io

import pytest

from ifmatch import capture, diagnose

PUT = (
    'send: b\'PUT /notes/7 HTTP/1.1\\r\\nHost: api.example\\r\\nUser-Agent: app/1\\r\\nIf-Match: "1"\\r\\n'
    "Content-Length: 9\\r\\n\\r\\n'\nsend: b'{\"t\": 22}'\n"
)
GET = "send: b'GET /notes/7 HTTP/1.1\\r\\nHost: api.example\\r\\nUser-Agent: app/1\\r\\n\\r\\n'\n"


def _reply(status: str, tag: str, second: int) -> str:
    date = f"header: Date: Tue, 10 Mar 2026 09:00:{second:02} GMT\n"
    return f"reply: 'HTTP/1.1 {status}\\r\\n'\n{date}" + (f"header: ETag: {tag}\n" if tag else "")


@pytest.mark.parametrize("silence", ["", "reply: ''\n"], ids=["time-out", "closed connection"])
def test_http_client(silence: str) -> None:
    """Taken for answered, the first attempt made the whole a conflict that was handled well."""
    log = GET + _reply("200 OK", '"1"', 0) + PUT + silence + PUT + _reply("412 Precondition Failed", "", 31)
    read = capture.read(io.BytesIO((log + GET + _reply("200 OK", '"2"', 32)).encode()), "wire.log")
    told = [(one.request.method, one.status) for one in read.exchanges]
    assert told == [("GET", 200), ("PUT", 0), ("PUT", 412), ("GET", 200)]
    (incident,) = diagnose(read.exchanges).incidents
    assert incident.findings[0].cause == "lost-response-replay"


def test_http_client_with_threads_whose_requests_are_all_answered() -> None:
    log = PUT + GET + _reply("204 No Content", '"2"', 0) + _reply("200 OK", '"2"', 1)
    read = capture.read(io.BytesIO(log.encode()), "wire.log")
    assert [(one.request.method, one.status) for one in read.exchanges] == [("PUT", 204), ("GET", 200)]


SENDING = (
    "2026-03-10 09:00:{second},000 botocore.endpoint [DEBUG] Sending http request: <AWSPreparedRequest "
    "stream_output=False, method={method}, url=http://s3.example/notes/7, headers={{'User-Agent': b'B/1', "
    "'If-Match': b'\"1\"'}}>\n"
)
TOLD = (
    "2026-03-10 09:00:{second},000 urllib3.connectionpool [DEBUG] http://s3.example:80 "
    '"{method} /notes/7 HTTP/1.1" {status} 0\n'
)


def test_botocore() -> None:
    log = SENDING.format(second=10, method="PUT") + SENDING.format(second=30, method="PUT")
    log += TOLD.format(second=31, method="PUT", status=412)
    read = capture.read(io.BytesIO(log.encode()), "wire.log")
    assert [one.status for one in read.exchanges] == [0, 412]


AZURE = """\
Request URL: 'https://a.blob.core.windows.net/notes/7'
Request method: 'PUT'
Request headers:
    'If-Match': '"0x1"'
    'x-ms-version': '{version}'
    'x-ms-client-request-id': '{id}'
"""
ANSWER = "Response status: 412\nResponse headers:\n    'x-ms-error-code': 'ConditionNotMet'\n"
ANSWER += "    'Vary': '{vary}'\n"


def test_azure_with_both_loggers_and_no_format() -> None:
    """`logging_enable=True` lets two policies tell of each request; without a format they look alike."""
    log = AZURE.format(version="2026-10-06", id="1") + AZURE.format(version="REDACTED", id="1")
    log += ANSWER.format(vary="REDACTED") + ANSWER.format(vary="Origin")
    read = capture.read(io.BytesIO(log.encode()), "wire.log")
    (one,) = read.exchanges
    assert one.request.fields.text("x-ms-version") == "2026-10-06"
    assert one.response is not None
    assert (one.status, one.response.fields.text("Vary")) == (412, "Origin")


def test_azure_repetition_after_silence() -> None:
    log = AZURE.format(version="1", id="1") + AZURE.format(version="1", id="2") + ANSWER.format(vary="Origin")
    read = capture.read(io.BytesIO(log.encode()), "wire.log")
    assert [one.status for one in read.exchanges] == [0, 412]


def test_request_without_an_answer_and_so_without_a_time_stays_where_it_stands() -> None:
    """It was put before the upload that it follows, and its repetition was another writer's victim."""
    log = PUT.replace('If-Match: "1"', "Content-Type: text/plain") + _reply("201 Created", '"1"', 0) + PUT
    log += "reply: ''\n" + PUT + _reply("412 Precondition Failed", "", 31) + GET + _reply("200 OK", '"2"', 32)
    read = capture.read(io.BytesIO(log.encode()), "wire.log")
    (incident,) = diagnose(read.exchanges).incidents
    assert incident.findings[0].cause == "lost-response-replay"
