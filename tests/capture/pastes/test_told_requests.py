"""What libraries, services and programs say of requests beyond the samples."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from ifmatch import capture
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from ifmatch.model.exchange import Capture

WGET = """--2026-11-27 12:32:47--  http://api.example.test/notes/7
HTTP request sent, awaiting response...
  HTTP/1.1 307 Temporary Redirect
  Location: /v2/notes/7
Location: /v2/notes/7 [following]
--2026-11-27 12:32:48--  http://api.example.test/v2/notes/7
HTTP request sent, awaiting response...
  HTTP/1.1 412 Precondition Failed
  ETag: "v2"
2026-11-27 12:32:48 ERROR 412: Precondition Failed.
"""


def read(text: str) -> Capture:
    return capture.read(io.BytesIO(text.encode()), "x")


@pytest.mark.parametrize(
    ("command", "methods"),
    [
        ("$ wget -S http://api.example.test/notes/7\n", ["GET", "GET"]),
        ("""$ wget -S --method=PUT --header='If-Match: "v1"' http://x\n""", ["PUT", ""]),
        ("""wget -S --method PUT --header 'If-Match: "v1"' http://x\n""", ["PUT", ""]),
        ("$ wget -S --post-data=a=1 http://x\n", ["POST", ""]),
        ("$ wget -S 'unbalanced http://x\n", ["", ""]),
        ("", ["", ""]),
    ],
)
def test_the_method_of_wget_stands_in_its_command(command: str, methods: list[str]) -> None:
    found = read(command + WGET)
    assert [one.request.method for one in found.exchanges] == methods
    assert [one.status for one in found.exchanges] == [307, 412]
    guarded = '"v1"' in command
    assert (found.exchanges[0].request.fields.get("if-match") == '"v1"') == guarded


def test_fields_below_a_heading_are_fields() -> None:
    text = (
        'PUT https://api.example.test/notes/7\nheaders:\n\taccept: */*\n\tif-match: "v1"\n\n'
        'HTTP/1.1 412 Precondition Failed\nheaders:\n  ETag: "v2"\n  Age: 1\n'
    )
    (exchange,) = read(text).exchanges
    assert exchange.request.fields.get("if-match") == '"v1"'
    assert exchange.response is not None
    assert exchange.response.fields.get("etag") == '"v2"'


def test_a_folded_line_stays_one() -> None:
    """RFC 9112 section 5.2."""
    text = 'PUT /notes/7 HTTP/1.1\nHost: a.test\nIf-Match: "v1",\n "v2"\n\nHTTP/1.1 412 Precondition Failed\n'
    (exchange,) = read(text).exchanges
    assert exchange.request.fields.get("if-match") == '"v1", "v2"'


def test_the_request_that_an_error_names_last_is_the_refused_one() -> None:
    text = "GET https://a.test/notes/7 ok\nPUT https://a.test/notes/7\nError: status code 412\n"
    (exchange,) = read(text).exchanges
    assert (exchange.request.method, exchange.status) == ("PUT", 412)


def test_a_log_that_holds_no_request_after_all_is_read_as_what_else_it_is() -> None:
    text = "412 AxiosHeaders {\n  etag: '\"v2\"'\n}\nError: Request failed with status code 412\n"
    found = read(text)
    assert found.format == "error-report"


def test_a_put_that_dotnet_logs_without_its_length_has_content_all_the_same() -> None:
    handler = "System.Net.Http.HttpClient.Default.ClientHandler"
    text = (
        f"info: {handler}[100]\n      Sending HTTP request PUT https://a.test/notes/7\n"
        f'trce: {handler}[102]\n      Request Headers:\n      If-Match: "v1"\n      Content-Type: a/b\n'
        f"info: {handler}[101]\n      Received HTTP response headers after 10.4ms - 412\n"
    )
    (exchange,) = read(text).exchanges
    assert exchange.request.fields.get("if-match") == '"v1"'
    assert exchange.request.content is UNKNOWN


ANALYTICS = (
    "1.0;2026-11-27T12:32:49.5210000Z;PutBlob;{word};{status};11;10;authenticated;acct;acct;blob;"
    '"https://acct.blob.core.windows.net/notes/plan.json?a=1&amp;b=2";"/acct/notes/plan.json";id;0;192.0.2.7:51234;'
    '2021-08-06;300;30;420;0;30;;;"{etag}";;"{conditions}";"agent/1; a";;"c3"\n'
)


@pytest.mark.parametrize("tag", ["0x8DAD", "&quot;0x8DAD&quot;"])
def test_tags_in_logs_of_azure_storage_are_between_their_quotes(tag: str) -> None:
    said = ANALYTICS.format(
        word="ConditionNotMet",
        status=412,
        etag="",
        conditions=f"If-Match={tag};If-Unmodified-Since=Tue, 10 Mar",
    )
    found = read(said + ANALYTICS.format(word="Success", status=201, etag=tag, conditions="If-None-Match=*"))
    refused, made = found.exchanges
    assert refused.request.fields.get("if-match") == '"0x8DAD"'
    assert refused.request.fields.get("if-unmodified-since") == "Tue, 10 Mar"
    assert refused.request.fields.get("user-agent") == "agent/1; a"
    assert refused.request.url == "https://acct.blob.core.windows.net/notes/plan.json?a=1&b=2"
    assert refused.response is not None
    assert refused.response.fields.get("x-ms-error-code") == "ConditionNotMet"
    assert made.request.fields.get("if-none-match") == "*"
    assert made.response is not None
    assert made.response.fields.get("etag") == '"0x8DAD"'
