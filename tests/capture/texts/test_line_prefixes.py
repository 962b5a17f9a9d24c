"""What collectors, pictures and other tools did to the lines of a trace is undone, and nothing else."""

from __future__ import annotations

import io
import pathlib
from typing import TYPE_CHECKING

import pytest

from ifmatch.capture import read_all
from ifmatch.capture.texts.line_prefixes import turned, without_prefixes
from ifmatch.capture.texts.recognised_text import without_odd_blanks
from ifmatch.capture.texts.text_source import _is_mark
from ifmatch.diagnosis import diagnose
from ifmatch.errors import InputError

if TYPE_CHECKING:
    from ifmatch.model.exchange import Capture

ROOT = pathlib.Path(__file__).parents[3] / "cases" / "inputs"
TRACE = ["* Connected to x.test", "> GET /a HTTP/1.1", "> Host: x.test", "> ", "< HTTP/1.1 200 OK", "< "]
PREFIXES = {
    "compose": "client-1  | ",
    "pod": "[pod/save-x7k2p/save] ",
    "stern": "save-job-x7k2p save ",
    "syslog": "Nov 24 17:32:21 web-1 save.sh[4242]: ",
    "journal": "2026-11-24T17:32:21+0000 web-1 save.sh[4242]: ",
    "gitlab": "2026-11-24T17:32:21.387836Z 01O ",
}


def read(text: str) -> Capture:
    (capture,) = read_all(io.BytesIO(text.encode()), "x")
    return capture


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
def test_prefixes_are_taken_off(prefix: str) -> None:
    capture = read("".join(f"{prefix}{line}\n" for line in TRACE))
    assert [(one.request.url, one.status) for one in capture.exchanges] == [("http://x.test/a", 200)]
    assert "what a log collector had put before the lines was taken off" in [
        warning.text for warning in capture.warnings
    ]


def test_lines_of_another_service_are_left_out() -> None:
    lines = [line for one in TRACE for line in (f"client-1  | {one}", "db-1      | checkpoint: done")]
    bare = without_prefixes(lines, _is_mark)
    assert bare is not None
    assert [line for line in bare if line is not None] == TRACE
    assert len(bare) == len(lines)


def test_lines_that_hold_no_message_stay() -> None:
    assert without_prefixes([f"client-1  | line {number}" for number in range(9)], _is_mark) is None
    assert without_prefixes(TRACE, _is_mark) is None


def test_signs_that_stand_the_other_way_round() -> None:
    assert turned(TRACE) is None
    lines = ["< PUT /a HTTP/1.1", "< Host: x.test", "< ", "> HTTP/1.1 412 Precondition Failed", "> "]
    assert turned(lines) == [
        "> PUT /a HTTP/1.1", "> Host: x.test", "> ", "< HTTP/1.1 412 Precondition Failed", "< ",
    ]  # fmt: skip


def test_blanks_of_text_recognition() -> None:
    assert without_odd_blanks(TRACE) is None
    assert without_odd_blanks(["HTTP/1.1 200 OK", "A : b"]) is None
    lines = ["PUT /a HTTP /1. 1", 'If -Match : W/ "1"', "", "a : b", "HTTP/1 .1 4 12 Precondition Failed"]
    assert without_odd_blanks(lines) == [
        "PUT /a HTTP/1.1", 'If-Match: W/"1"', "", "a : b", "HTTP/1.1 412 Precondition Failed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "sample",
    [
        "curl-verbose/docker-compose.txt",
        "curl-verbose/gitlab-ci.log",
        "curl-verbose/journalctl.txt",
        "curl-verbose/stern.txt",
        "http-messages/hurl-6-very-verbose.txt",
        "http-messages/recognised-from-a-picture.txt",
        "http-messages/requests-toolbelt-dump.txt",
        "sdk-log/aws-api-gateway-execution.log",
        "sdk-log/dio-5-flutter.log",
        "sdk-log/ktor-client.log",
        "sdk-log/tomcat-request-dumper.log",
    ],
)
def test_the_cause_is_that_of_the_messages_alone(sample: str) -> None:
    (incident,) = diagnose([read((ROOT / sample).read_text())]).incidents
    assert incident.findings[0].cause == "weak-only-origin"
    assert incident.findings[0].likelihood >= 0.75


@pytest.mark.parametrize("name", ["envoy-1.40.0", "haproxy-2.6.12", "nginx-1.22.1"])
def test_what_a_proxy_prints_tells_who_wrote(name: str) -> None:
    capture = read((ROOT / "proxy-debug" / f"{name}.log").read_text())
    assert capture.format == "proxy-debug"
    assert [one.status for one in capture.exchanges] == [200, 201, 412, 200]
    assert all(one.request.fields.complete for one in capture.exchanges)
    (incident,) = diagnose([capture]).incidents
    assert incident.findings[0].cause == "other-writer"


def test_a_field_of_tomcat_that_was_wrapped_is_left_out() -> None:
    text = (ROOT / "sdk-log" / "tomcat-request-dumper.log").read_text()
    wrapped = text.replace('if-match=W/"5d-abc1"', 'if-match=W/\n"5d-abc1"')
    assert wrapped != text
    refused = next(one for one in read(wrapped).exchanges if one.status == 412)
    assert "if-match" not in [name.lower() for name, _ in refused.request.fields]
    assert not refused.request.fields.complete


def test_a_status_without_a_request_of_node_is_refused_clearly() -> None:
    text = "HTTP 5233: outgoing message end.\n200\n"
    with pytest.raises(InputError):
        read(text)
