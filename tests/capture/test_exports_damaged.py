"""Tables, exports, consoles, pages: the cause that a whole one shows, no other one of a damaged copy."""

from __future__ import annotations

import io
import pathlib
import textwrap
from typing import TYPE_CHECKING

import pytest

from ifmatch.capture import read_all
from ifmatch.capture.base.moments import shown_moment
from ifmatch.diagnosis import diagnose
from ifmatch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = pathlib.Path(__file__).parents[2] / "cases" / "inputs"
FOLDERS = (
    "api-client",
    "devtools-events",
    "forensic",
    "html",
    "journal",
    "kubernetes-audit",
    "log-export",
    "log-table",
    "mail",
    "playwright",
    "proxy-debug",
    "tshark",
)
CONSOLES = ("cypress", "jetbrains", "playwright", "postman", "powershell", "swagger")
SAMPLES = sorted(
    path
    for path in [
        *(one for folder in FOLDERS for one in (ROOT / folder).iterdir()),
        *(one for name in CONSOLES for one in (ROOT / "sdk-log").glob(f"{name}*")),
    ]
    if not path.name.endswith(".expected.json")
)
HIGH = 0.75
# What the traffic was; the first is told where the file shows two clients, the others where it shows one.
TOLD = {
    "application-insights-dimensions.csv": "other-writer",
    "azure-monitor-query.json": "other-writer",
    "elasticsearch.json": "other-writer",
    "insomnia-4.json": "other-writer",
    "loki-query.json": "other-writer",
    "otlp-logs.json": "other-writer",
    "quoted-printable.eml": "other-writer",
    "request-response.jsonl": "other-writer",
    "fields-4.0.17.tsv": "stale-stored-token",
    "fields-4.0.17-http2.tsv": "stale-stored-token",
    "json-4.0.17.json": "stale-stored-token",
    "pdml-4.0.17.xml": "stale-stored-token",
    "playwright-1.65-debug.log": "stale-stored-token",
    "trace-1.65.zip": "stale-stored-token",
}


def highs(octets: bytes) -> set[str]:
    """Return the causes at high; none where the source is refused."""
    try:
        captures = read_all(io.BytesIO(octets), "x")
    except InputError:
        return set()
    found = [finding for incident in diagnose(list(captures)).incidents for finding in incident.findings]
    return {finding.cause for finding in found if finding.likelihood >= HIGH}


def damaged(octets: bytes) -> Iterator[bytes]:
    """Yield copies: cut, with other line ends and encodings, wrapped, coloured, quoted."""
    yield from (octets[: len(octets) * eighths // 8] for eighths in range(1, 8))
    yield octets[len(octets) // 2 :]
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return
    lines = text.split("\n")
    yield "\r\n".join(lines).encode()
    yield b"\xef\xbb\xbf" + text.encode()
    yield text.encode("utf-16")
    yield "\n".join("> " + line for line in lines).encode()
    yield "\n".join(f"\x1b[32m{line}\x1b[0m" for line in lines).encode()
    for width in (76, 100):
        pieces = (
            textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) for line in lines
        )
        yield "\n".join("\n".join(piece) for piece in pieces).encode()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_no_damage_makes_another_cause_high(path: pathlib.Path) -> None:
    octets = path.read_bytes()
    allowed = highs(octets)
    for copy in damaged(octets):
        assert highs(copy) <= allowed


@pytest.mark.parametrize("path", [path for path in SAMPLES if path.name in TOLD], ids=lambda path: path.name)
def test_the_cause_that_is_shown_comes_first(path: pathlib.Path) -> None:
    (incident,) = diagnose(list(read_all(io.BytesIO(path.read_bytes()), "x"))).incidents
    assert incident.findings[0].cause == TOLD[path.name]
    assert incident.findings[0].likelihood >= HIGH


@pytest.mark.parametrize("path", sorted((ROOT / "log-table").glob("*.csv")), ids=lambda path: path.name)
def test_what_a_table_does_not_show_is_unknown(path: pathlib.Path) -> None:
    for capture in read_all(io.BytesIO(path.read_bytes()), "x"):
        for exchange in capture.exchanges:
            assert not exchange.request.fields.complete
            assert exchange.response is not None
            assert not exchange.response.fields.complete


@pytest.mark.parametrize(
    ("shown", "meant"),
    [
        ("3/10/2026, 9:14:01.200 AM", "2026-03-10T09:14:01.200Z"),
        ("3/10/2026, 12:14:01 AM", "2026-03-10T00:14:01Z"),
        ("3/10/2026, 12:14:01 PM", "2026-03-10T12:14:01Z"),
        ("25/3/2026 09:14:01", "2026-03-25T09:14:01Z"),
        ("3/25/2026 09:14:01", "2026-03-25T09:14:01Z"),
        ("Mar 10, 2026 @ 09:14:01.200", "2026-03-10T09:14:01.200Z"),
        ("Mar  9, 2026 09:14:01.269563059 UTC", "2026-03-09T09:14:01.269563059Z"),
        # Either may be the month.
        ("3/10/2026 09:14:01", "3/10/2026 09:14:01"),
        ("/notes/7", "/notes/7"),
    ],
)
def test_times_that_pages_show(shown: str, meant: str) -> None:
    assert shown_moment(shown) == meant


def test_a_page_of_an_error_is_refused_and_a_mail_about_one_is_read() -> None:
    page = b"<html><head><title>412 Precondition Failed</title></head><body><h1>412</h1></body></html>"
    with pytest.raises(InputError, match="HTML page"):
        read_all(io.BytesIO(page), "x")
    mail = b"From: a@example.test\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/plain\n\n"
    (capture,) = read_all(
        io.BytesIO(mail + b"PUT https://api.example.test/x says 412 Precondition Failed\n"), "x"
    )
    assert [exchange.status for exchange in capture.exchanges] == [412]


def test_markup_in_a_content_stays() -> None:
    text = b"PUT /x HTTP/1.1\nHost: a.test\n\n<p>draft</p>\n\nHTTP/1.1 412 Precondition Failed\n\n<p>no</p>\n"
    (capture,) = read_all(io.BytesIO(text), "x")
    assert capture.exchanges[0].request.content.text.strip() == "<p>draft</p>"  # type: ignore[union-attr]
