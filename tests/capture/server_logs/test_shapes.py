"""Lines of logs whose request stands in no quotes are read; prose and other logs are not taken for them."""

from __future__ import annotations

import io

import pytest

from ifmatch.capture import read_all, sniff
from ifmatch.capture.server_logs.shapes import by_names_or_columns


def draft(line: str):
    found = by_names_or_columns(line, 7)
    return found[0].finished() if found is not None else None


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("2026-03-10T09:14:11Z|203.0.113.9|PUT|/notes/7|412|0.012", ""),
        ("1773134051.120\t203.0.113.9\tPUT\t/notes/7\t412\t0.012", ""),
        ("203.0.113.9 [2026-03-10T09:14:11+00:00] PUT api.example /notes/7 412 0.012", "api.example"),
        ("time=2026-03-10T09:14:11Z method=PUT path=/notes/7 status=412 service=18ms", ""),
        ('heroku[router]: at=info method=PUT path="/notes/7" host=api.example status=412', "api.example"),
        ('[GIN] 2026/03/10 - 09:14:11 | 412 |  1.2ms | 203.0.113.9 | PUT      "/notes/7"', ""),
        ("09:14:11 | 412 |  1.2ms | 203.0.113.9 | PUT | /notes/7 | -", ""),
        ("PUT /notes/7 412 3.112 ms - 31", ""),
        ("1773134051.120 12 203.0.113.9 TCP_MISS/412 367 PUT http://api.example/notes/7 - NONE/- -",
         "api.example"),
    ],
)  # fmt: skip
def test_each_notation_is_read(line: str, host: str) -> None:
    found = draft(line)
    assert found is not None
    assert (found.method, found.status, found.line) == ("PUT", 412, 7)
    assert found.url == (f"http://{host}/notes/7" if host else "/notes/7")


@pytest.mark.parametrize(
    "line",
    [
        "PUT /notes/7 was refused with 412",
        "I did a PUT /notes/7 412 times",
        "level=info msg=started port=8080 version=1.2 pid=12",
        "2026-03-10T09:14:11Z DEBUG HTTP PUT https://api.example/notes/7",
        "a=1 b=2 c=3 d=4 e=5",
        "| 412 | something | else | entirely |",
    ],
)
def test_other_lines_are_none_of_them(line: str) -> None:
    assert draft(line) is None


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        (r'"\"v1\""', '"v1"'),
        (r'"\x22v1\x22"', '"v1"'),
        ('""v1""', '"v1"'),
        ('"v1"', "v1"),
        ('"W/\\"v1\\""', 'W/"v1"'),
    ],
)
def test_a_tag_is_taken_out_of_the_quotes_that_the_server_put_around_it(value: str, tag: str) -> None:
    found = draft(f'method=PUT uri=/notes/7 status=412 x=1 if_match={value} etag="" z=')
    assert found is not None
    assert [text for name, text in found.sent or () if name == "If-Match"] == [tag]
    assert not found.received


def test_an_empty_value_before_another_does_not_swallow_it() -> None:
    found = draft('method=PUT uri=/notes/7 status=412 if_match="" etag=""v1"" state=----')
    assert found is not None
    assert not [name for name, _ in found.sent or () if name == "If-Match"]
    assert found.received == [("ETag", '"v1"')]


def test_who_closed_the_connection_got_no_answer() -> None:
    line = "1773134051.120    502 203.0.113.9 TCP_MISS_ABORTED/{} 0 PUT http://api.example/notes/7 - NONE/- -"
    for status in ("000", "204"):
        found = draft(line.format(status))
        assert found is not None
        assert found.status == 0
        assert "closed the connection" in found.error
    # A refusal stays one: nothing was stored.
    refused = draft(line.format("412"))
    assert refused is not None
    assert refused.status == 412


@pytest.mark.parametrize(
    ("word", "hit"),
    [
        ("TCP_MEM_HIT", True),
        ("TCP_HIT", True),
        ("TCP_MISS", False),
        ("TCP_REFRESH_UNMODIFIED", False),
        ("TCP_REFRESH_MODIFIED", False),
    ],
)
def test_what_squid_says_of_its_cache_is_a_mark_of_a_cache(word: str, hit: bool) -> None:
    found = draft(f"1773134051.120 1 203.0.113.9 {word}/200 367 GET http://api.example/notes/7 - NONE/- -")
    assert found is not None
    (said,) = [value for name, value in found.received or () if name == "Cache-Status"]
    assert ("; hit;" in said) is hit


@pytest.mark.parametrize(
    ("word", "hit"), [("HIT", True), ("STALE", True), ("MISS", False), ("REVALIDATED", False)]
)
def test_so_is_what_nginx_says(word: str, hit: bool) -> None:
    line = f'{{"method":"GET","uri":"/notes/7","status":"200","upstream_cache_status":"{word}"}}\n'
    (capture,) = read_all(io.BytesIO(line.encode()), "x")
    response = capture.exchanges[0].response
    assert response is not None
    assert ("; hit;" in (response.fields.text("cache-status") or "")) is hit


def test_a_story_about_a_status_stays_an_error_report() -> None:
    assert sniff(b"PUT /notes/7 failed with 412 Precondition Failed\n") == "error-report"
