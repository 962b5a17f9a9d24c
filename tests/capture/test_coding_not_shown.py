"""What a log does not show of Content-Encoding is unknown: a weak tag is then nobody's fault for certain."""

from __future__ import annotations

import io

import pytest

from ifmatch import diagnose
from ifmatch.capture import read_all
from ifmatch.model.exchange import Vantage
from ifmatch.model.unknown import UNKNOWN

TAG = 'W/"93b147dff3bdd405"'
OF_CLIENT = (
    "GET /notes/7 HTTP/1.1\nHost: api.example\nUser-Agent: {agent}\n\n"
    "HTTP/1.1 200 OK\nDate: Tue, 10 Mar 2026 09:00:00 GMT\n"
    "{framing}\nContent-Type: text/plain\nETag: {tag}\n\n"
    "PUT /notes/7 HTTP/1.1\nHost: api.example\nUser-Agent: {agent}\nIf-Match: {tag}\nContent-Length: 2\n\n"
    "HTTP/1.1 412 Precondition Failed\nDate: Tue, 10 Mar 2026 09:00:03 GMT\nContent-Length: 0\n\n"
    "GET /notes/7 HTTP/1.1\nHost: api.example\nUser-Agent: {agent}\n\n"
    "HTTP/1.1 200 OK\nDate: Tue, 10 Mar 2026 09:00:05 GMT\n"
    "{framing}\nContent-Type: text/plain\nETag: {tag}\n"
)
CHUNKED, COUNTED = "Transfer-Encoding: chunked", "Content-Length: 400"
LINE = '::1 - - [10/Mar/2026:09:00:0{second} +0000] "{method} /notes/7 HTTP/1.1" {status} 9 "-" "a/1" {rest}'


@pytest.mark.parametrize(
    ("agent", "framing", "shown"),
    [
        ("axios/1.7.9", CHUNKED, UNKNOWN),
        ("axios/1.7.9", COUNTED, UNKNOWN),
        ("Go-http-client/1.1", CHUNKED, UNKNOWN),
        ("Go-http-client/1.1", COUNTED, None),
        ("okhttp/4.12.0", CHUNKED, UNKNOWN),
        ("curl/8.5.0", CHUNKED, None),
        ("python-requests/2.32.3", CHUNKED, None),
    ],
)
def test_client_that_decodes_before_it_logs(agent: str, framing: str, shown: object) -> None:
    text = OF_CLIENT.format(agent=agent, framing=framing, tag=TAG)
    (read,) = read_all(io.BytesIO(text.encode()), "paste")
    assert read.exchanges[0].response is not None
    assert read.exchanges[0].response.fields.get("Content-Encoding") is shown
    (incident,) = diagnose(read.exchanges).incidents
    levels = {finding.cause: finding.level for finding in incident.findings}
    assert levels["weak-only-origin"] == ("high" if shown is None else "low")
    if shown is UNKNOWN:
        # Two causes that nothing tells apart share what is left beside "none of these".
        assert levels["etag-weakened"] == "low"
        assert incident.next_probe is not None
        assert "Accept-Encoding: identity" in incident.next_probe.command


def _log(*columns: str) -> bytes:
    rows = (("GET", 200, 0), ("PUT", 412, 3), ("GET", 200, 5))
    lines = [
        LINE.format(method=method, status=status, second=second, rest=rest)
        for (method, status, second), rest in zip(rows, columns, strict=True)
    ]
    return "\n".join(lines).encode()


IF_MATCH = 'im="W/\\"93b1\\""'


def test_access_log_without_the_coding_leaves_it_open() -> None:
    etag = 'etag="W/\\"93b1\\""'
    (read,) = read_all(io.BytesIO(_log(etag, IF_MATCH, etag)), "access.log")
    (incident,) = diagnose(read.exchanges).incidents
    assert incident.findings[0].level != "high"


@pytest.mark.parametrize(("coding", "cause"), [("gzip", "etag-weakened"), ("-", "weak-only-origin")])
def test_access_log_with_the_coding_tells(coding: str, cause: str) -> None:
    form = (
        '# log_format x \'$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
    )
    form += '"$http_user_agent" "$http_if_match" "$upstream_http_etag" '
    form += '"$sent_http_etag" "$sent_http_content_encoding"\';'
    read = rf'"-" "-" "W/\x2293b1\x22" "{coding}"'
    log = _log(read, r'"W/\x2293b1\x22" "-" "-" "-"', read)
    (capture,) = read_all(io.BytesIO(form.encode() + b"\n" + log), "access.log")
    (incident,) = diagnose(capture.exchanges).incidents
    assert (incident.findings[0].cause, incident.findings[0].level) == (cause, "high")


def test_column_that_holds_codings_is_told_by_what_it_holds() -> None:
    read = r'"-" "W/\"93b1\"" gzip'
    (capture,) = read_all(io.BytesIO(_log(read, r'"W/\"93b1\"" "-" -', read)), "access.log")
    shown = [one.response.fields.text("Content-Encoding") for one in capture.exchanges if one.response]
    assert shown == ["gzip", "identity", "gzip"]


def test_what_the_client_got_counts_whatever_stands_first_in_the_line() -> None:
    form = '# log_format x \'[$time_local] "$request" $status "$upstream_http_etag" "$sent_http_etag"\';'
    line = r'[10/Mar/2026:09:00:00 +0000] "GET /notes/7 HTTP/1.1" 200 "\x227\x22" "W/\x227\x22"'
    (capture,) = read_all(io.BytesIO(f"{form}\n{line}\n".encode()), "access.log")
    assert capture.exchanges[0].response is not None
    assert capture.exchanges[0].response.fields.get_all("ETag") == ('W/"7"',)


def test_json_member_that_is_null_says_that_there_was_no_coding() -> None:
    line = b'{"method":"GET","path":"/notes/7","status":200,"etag":"W/\\"7\\"","content_encoding":null}'
    (capture,) = read_all(io.BytesIO(line), "access.log")
    assert capture.exchanges[0].response is not None
    assert capture.exchanges[0].response.fields.text("Content-Encoding") == "identity"


def test_commands_for_a_log_without_a_host_name_what_is_missing() -> None:
    etag = 'etag="W/\\"93b1\\""'
    (read,) = read_all(io.BytesIO(_log(etag, IF_MATCH, etag)), "access.log")
    (incident,) = diagnose(read.exchanges).incidents
    assert incident.next_probe is not None
    assert incident.next_probe.command.endswith(' "$ORIGIN"/notes/7')
    commands = [
        fix.command for finding in incident.findings for fix in finding.fixes if "curl" in fix.command
    ]
    assert commands
    assert all('"$ORIGIN"/notes/7' in command for command in commands)


@pytest.mark.parametrize("coding", ["", ' "gzip"'])
def test_log_of_the_server_that_compresses_is_not_the_origin(coding: str) -> None:
    """Beside the client's recording the log of a proxy shows what that proxy sent, after its own encoder."""
    shown = OF_CLIENT.format(agent="curl/8.5.0", framing=CHUNKED + "\nContent-Encoding: gzip", tag=TAG)
    form = '# log_format x \'$remote_addr [$time_local] "$http_host" "$request" $status "$http_if_match" '
    form += '"$sent_http_etag"' + (' "$sent_http_content_encoding"' if coding else "") + "';"
    tag = TAG.replace('"', r"\x22")
    line = '10.0.0.7 [10/Mar/2026:09:00:0{} +0000] "api.example" "{} /notes/7 HTTP/1.1" {} "{}" "{}"'
    lines = [
        line.format(0, "GET", 200, "-", tag) + coding,
        line.format(3, "PUT", 412, tag, "-") + coding.replace("gzip", "-"),
        line.format(5, "GET", 200, "-", tag) + coding,
    ]
    captures = [
        *read_all(io.BytesIO(shown.encode()), "client.txt"),
        *read_all(io.BytesIO("\n".join([form, *lines]).encode()), "access.log"),
    ]
    diagnosis = diagnose(captures)
    assert [source.vantage for source in diagnosis.sources] == [Vantage.CLIENT, Vantage.UPSTREAM]
    (incident,) = diagnosis.incidents
    assert (incident.findings[0].cause, incident.findings[0].level) == ("etag-weakened", "high")
