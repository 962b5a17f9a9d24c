"""What somebody writes around traffic: heard where the traffic is silent, claimed, kept low."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.running import run

_CODED = """{said}

GET /plans/7 HTTP/1.1
Host: shop.example
Accept-Encoding: {coding}

HTTP/1.1 200 OK
Content-Type: application/json
{tag}
{{"n": 1}}
"""


def _incidents(text: str) -> list[dict[str, Any]]:
    return json.loads(run("diagnose", "-", "--format", "json", stdin=text.encode()).out)["incidents"]


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("As soon as brotli is asked for the gateway does not return the ETag header.", "validator-stripped"),
        ("Behind httpd the ETag ends in -gzip and the service does not know it.", "etag-suffix-rewrite"),
        ("We see a different ETag for the HEAD request than for a GET of it.", "etag-source-mismatch"),
    ],
)
def test_words_are_heard_where_traffic_is_silent(said: str, cause: str) -> None:
    (incident,) = _incidents(_CODED.format(said=said, coding="br", tag='ETag: "a1"\n'))
    first, *_ = incident["findings"]
    assert (first["cause"], first["level"], incident["verdict"]) == (cause, "low", "undecided")


def test_words_between_messages_are_heard() -> None:
    text = (
        'The first answer is as usual:\n\nHTTP/1.1 200 OK\nETag: "5d"\nContent-Length: 0\n\n'
        "But with the ETag that the phone got, 5d-gzip, it never matches:\n\n"
        'curl -I -H \'If-None-Match: "5d-gzip"\' https://feeds.example/news\nHTTP/1.1 200 OK\nETag: "5d"\n'
    )
    (incident,) = _incidents(text)
    assert incident["findings"][0]["cause"] == "etag-suffix-rewrite"


@pytest.mark.parametrize(
    "said",
    [
        "A plain read of a plan for the documentation of our gateway and its ETag.",
        "With gzip the ETag is missing no longer: it works as expected now.",
        "The proxy stands before the shop, and here is one read of it.",
        "Referrer-Policy: strict-origin-when-cross-origin",
    ],
)
def test_healthy_traffic_with_a_note_stays_well(said: str) -> None:
    assert _incidents(_CODED.format(said=said, coding="gzip", tag='ETag: "a1"\n')) == []


def test_a_page_that_tells_of_trouble_is_none() -> None:
    text = (
        "GET /help HTTP/1.1\nHost: docs.example\n\nHTTP/1.1 200 OK\nContent-Type: text/plain\n\n"
        "Some proxies strip the ETag header when they compress an answer.\n"
    )
    assert _incidents(text) == []


def test_how_requests_ended_is_taken_from_the_words() -> None:
    """Requests were copied without their answers, and the account names the refusal."""
    text = (
        "Every upload of our notes app fails with 412 Precondition Failed on the new server.\n\n"
        "PUT /notes/a7.md HTTP/1.1\nHost: dav.example\nIf-None-Match: skip-4711\nContent-Length: 4\n\ntext\n"
    )
    (incident,) = _incidents(text)
    first = incident["findings"][0]
    assert incident["status"] == 412
    assert first["cause"] == "malformed-validator"
    assert first["level"] != "high"


def test_what_the_traffic_shows_is_not_outvoted() -> None:
    text = (
        "I think the proxy strips the ETag somewhere.\n\n"
        "PUT /plans/7 HTTP/1.1\nHost: shop.example\nIf-Match: null\nContent-Length: 2\n\n{}\n\n"
        "HTTP/1.1 412 Precondition Failed\nContent-Length: 0\n"
    )
    (incident,) = _incidents(text)
    first, *_ = incident["findings"]
    assert (first["cause"], first["level"]) == ("null-token", "high")


def test_a_text_without_status_names_no_answer() -> None:
    said = "The store accepts the PUT even if the client sends an outdated ETag."
    out = run("diagnose", "-", stdin=said.encode()).out
    assert "no answer" not in out


def test_ports_stay_in_addresses() -> None:
    line = "(+0001): HTTP PUT https://dav.example.com:443/notes/a.md failed with status 412"
    assert _incidents(line)[0]["resource"].startswith("https://dav.example.com")
    assert ":000" not in str(_incidents(line)[0]["resource"])
