"""Lines of Rails, Spring and undici that belong to one request are put together, others are not."""

from __future__ import annotations

import io
import time

import pytest

from ifmatch.capture import read


def told(text: str) -> list[tuple[str, str, int]]:
    found = read(io.BytesIO(text.encode()), "x").exchanges
    return [(one.request.method, one.request.url, one.status) for one in found]


def test_requests_of_rails_that_interleave_are_told_by_their_tags() -> None:
    at = "for 203.0.113.9 at 2026-03-10 09:14:11 +0100"
    text = (
        f'[a1] Started PUT "/a" {at}\n[b2] Started GET "/b" {at}\n'
        "[b2] Completed 200 OK in 3ms (Views: 1.0ms)\n[a1] Completed 412 Precondition Failed in 7ms\n"
    )
    assert told(text) == [("PUT", "/a", 412), ("GET", "/b", 200)]
    first = read(io.BytesIO(text.encode()), "x").exchanges[0]
    assert first.started == 1773130451.0
    # Between whole seconds a duration says nothing.
    assert first.duration is None


def test_an_answer_of_rails_without_its_request_is_left_out() -> None:
    text = 'Completed 412 Precondition Failed in 7ms\nStarted GET "/b" for ::1 at 2026-03-10 09:14:11 +0000\n'
    assert told(text) == [("GET", "/b", 0)]


def test_threads_of_spring_are_told_apart_and_one_thread_answers_one_after_the_other() -> None:
    def line(thread: int, text: str) -> str:
        logger = f"[nio-8080-exec-{thread}] o.s.web.DispatcherServlet"
        return f"2026-03-10T09:14:11.0{thread}Z DEBUG 1 --- {logger} : {text}\n"

    text = line(1, 'PUT "/a", parameters={}') + line(2, 'GET "/b", parameters={}')
    text += line(2, "Completed 200 OK") + line(1, "Completed 412 PRECONDITION_FAILED")
    text += line(1, 'PUT "/a", parameters={}') + line(1, "Completed 204 NO_CONTENT")
    assert told(text) == [("PUT", "/a", 412), ("GET", "/b", 200), ("PUT", "/a", 204)]


def test_the_filter_of_spring_puts_quotes_around_quotes() -> None:
    text = (
        "[http-nio-8080-exec-1] DEBUG Filter - Before request [PUT /a, "
        'headers=[host:"x.test", if-match:"W/"v1"", '
        'accept:"text/a, text/b"]]\n'
        "[http-nio-8080-exec-1] DEBUG DispatcherServlet - : Completed 412 PRECONDITION_FAILED\n"
    )
    (one,) = read(io.BytesIO(text.encode()), "x").exchanges
    assert one.request.fields.text("If-Match") == 'W/"v1"'
    assert one.request.fields.text("Accept") == "text/a, text/b"


def test_an_answer_that_is_printed_whole_is_not_told_twice() -> None:
    printed = (
        "Response {\n  status: 412,\n  headers: Headers { etag: '\"v2\"' },\n  url: 'http://x.test/a'\n}\n"
    )
    lines = (
        "FETCH 7: sending request to PUT http://x.test//a\n"
        "FETCH 7: received response to PUT http://x.test//a - HTTP 412\n"
    )
    assert [status for _, _, status in told(lines)] == [412]
    assert [status for _, _, status in told(lines + printed)] == [412]


def test_a_request_of_undici_that_failed_has_no_answer() -> None:
    text = (
        "UNDICI 7: sending request to PUT http://x.test//a\n"
        "UNDICI 7: request to PUT http://x.test//a errored - closed\n"
        "UNDICI 7: sending request to PUT http://x.test//a\n"
        "UNDICI 7: received response to PUT http://x.test//a - HTTP 412\n"
    )
    assert told(text) == [("PUT", "http://x.test/a", 0), ("PUT", "http://x.test/a", 412)]


@pytest.mark.parametrize("piece", ["[a]", "Before request [PUT /a", 'a:"', ": Completed 412 "])
def test_hostile_lines_take_bounded_time(piece: str) -> None:
    begin = 'Started PUT "/a" for ::1 at 2026-03-10 09:14:11 +0000\nBefore request [PUT /a, headers=['
    text = begin + piece * (50_000 // len(piece)) + "\n" + piece * (50_000 // len(piece))
    start = time.process_time()
    told(text)
    assert time.process_time() - start < 2
