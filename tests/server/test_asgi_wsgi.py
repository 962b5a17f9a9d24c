"""Bare ASGI and WSGI: one look-up, no content read, nothing buffered, refusals by `check` alone."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest

from ifmatch import Representation
from ifmatch.server import answers, asgi, wsgi
from ifmatch.server.answers import Current
from ifmatch.server.gate import Settings
from ifmatch.server.policy import Policies, Policy, Stage
from ifmatch.server.refusal import PreconditionRefusedError
from ifmatch.server.shadow import Shadow
from ifmatch.server.stores.protocol import Content

CURRENT = Representation(etag='"v2"')


# --- ASGI


def scope(method: str = "PUT", *lines: tuple[bytes, bytes]) -> dict:
    return {"type": "http", "method": method, "path": "/a b", "query_string": b"x=1", "headers": list(lines)}


def call(app, given: dict) -> list[dict]:
    sent: list[dict] = []

    async def receive() -> dict:
        raise AssertionError("the content was read")

    async def send(message: dict) -> None:
        sent.append(message)

    asyncio.run(app(given, receive, send))
    return sent


def test_the_state_is_looked_up_and_awaited_once_and_the_content_is_not_read() -> None:
    looked_up = []

    async def current(_):
        looked_up.append(1)
        return CURRENT

    async def app(given, _receive, send):
        first = await asgi.check(given, current)
        assert await asgi.check(given, current) is first
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    fresh = call(asgi.PreconditionMiddleware(app), scope("PUT", (b"if-match", b'"v2"')))
    assert fresh[0]["status"] == 204
    stale = call(asgi.PreconditionMiddleware(app), scope("PUT", (b"if-match", b'"v1"')))
    assert stale[0]["status"] == 412
    assert json.loads(stale[1]["body"])["instance"] == "/a%20b?x=1"
    assert looked_up == [1, 1]


def test_the_middleware_never_refuses_by_itself() -> None:
    async def app(_given, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"etag", b'"v2"')]})
        await send({"type": "http.response.body", "body": b"done"})

    sent = call(asgi.PreconditionMiddleware(app), scope("PUT", (b"if-match", b'"v1"')))
    assert sent[0]["status"] == 200


def test_answers_of_reads_are_not_buffered_and_own_fields_stay() -> None:
    order = []

    async def app(given, _receive, send):
        await asgi.check(given, lambda _: CURRENT)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"ETag", b'"own"')]})
        order.append("start sent")
        for part in (b"a", b"b"):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        order.append(message["type"])
        if message["type"] == "http.response.start":
            assert message["headers"] == [(b"ETag", b'"own"')]

    asyncio.run(asgi.PreconditionMiddleware(app)(scope("GET"), receive, send))
    assert order[:3] == ["http.response.start", "start sent", "http.response.body"]


def test_a_failed_read_gets_no_validators() -> None:
    async def app(given, _receive, send):
        await asgi.check(given, lambda _: CURRENT)
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body"})

    assert call(asgi.PreconditionMiddleware(app), scope("GET"))[0]["headers"] == []


def test_code_between_may_copy_the_scope() -> None:
    async def app(given, _receive, send):
        await asgi.check(given, lambda _: CURRENT)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async def copying(given, receive, send):
        await app(dict(given), receive, send)

    sent = call(asgi.PreconditionMiddleware(copying), scope("GET"))
    assert sent[0]["headers"] == [(b"etag", b'"v2"')]


def test_a_fresh_modification_date_is_left_out_unless_date_is_sent_too() -> None:
    async def app(given, _receive, send):
        await asgi.check(given, lambda _: Representation(last_modified=datetime.now(UTC)))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    plain = call(asgi.PreconditionMiddleware(app), scope("GET"))
    assert plain[0]["headers"] == []
    dated = call(asgi.PreconditionMiddleware(app, date=True), scope("GET"))
    names = [name for name, _ in dated[0]["headers"]]
    assert names == [b"last-modified", b"date"]


def test_a_date_that_was_old_once_is_fresh_again_when_the_clock_was_set_back(monkeypatch) -> None:
    current = answers.current_of(Representation(last_modified=datetime(2026, 3, 10, 9, tzinfo=UTC)))
    read: list[datetime] = []

    def set_to(moment: datetime) -> None:
        monkeypatch.setattr(answers.time, "time", moment.timestamp)
        monkeypatch.setattr(answers, "utc_now", lambda: read.append(moment) or moment)

    monkeypatch.setattr(answers, "_settled", answers._settled)
    for moment, is_hidden in (
        (datetime(2026, 3, 10, 8, 59, tzinfo=UTC), True),
        (datetime(2026, 3, 10, 9, 0, 1, tzinfo=UTC), True),
        (datetime(2026, 3, 10, 9, 0, 2, tzinfo=UTC), False),
        (datetime(2026, 3, 10, 9, 0, 3, tzinfo=UTC), False),
        (datetime(2026, 3, 10, 8, 59, tzinfo=UTC), True),
    ):
        set_to(moment)
        assert answers.without_fresh_date(current, answers.utc_now).hides_date is is_hidden
    assert len(read) == 4  # once it had been old enough, the clock was not asked for


def test_without_the_middleware_the_error_says_what_is_missing() -> None:
    async def app(given, _receive, _send):
        await asgi.check(given, lambda _: CURRENT)

    with pytest.raises(PreconditionRefusedError, match="answer 412 was not sent: install the adapter"):
        call(app, scope("PUT", (b"if-match", b'"v1"')))


CONDITIONS = [
    [],
    [(b"if-match", b'"v1"')],
    [(b"if-match", b"abc")],
    [(b"if-none-match", b"*")],
    [(b"if-none-match", b'"v2"')],
    [(b"if-unmodified-since", b"Mon, 01 Jan 2001 00:00:00 GMT")],
    [(b"range", b"bytes=0-1"), (b"if-range", b'"v1"')],
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("lines", CONDITIONS)
def test_stages_that_refuse_nothing_change_no_answer(method, lines) -> None:
    current = Representation(etag='"v2"', last_modified=datetime(2020, 1, 1, tzinfo=UTC))

    async def app(given, _receive, send):
        conditional = await asgi.check(given, lambda _: current)
        status = 206 if conditional.use_range else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"text"})

    answers = [
        call(
            asgi.PreconditionMiddleware(
                app, settings=Settings(policies=Policies(default=Policy(stage=stage)), shadow=shadow)
            ),
            scope(method, *lines),
        )
        for stage, shadow in (
            (Stage.OFF, None),
            (Stage.SHADOW, Shadow()),
            (Stage.REPORT_ONLY, None),
            (Stage.REPORT_ONLY, Shadow()),
        )
    ]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0]["status"] in (200, 206)


def test_a_path_that_is_not_ascii_reaches_the_answer_escaped() -> None:
    async def app(given, _receive, _send):
        await asgi.check(given, lambda _: Current(representation=CURRENT, content=Content(b"text")))

    lines = [(b"if-match", b'"v1"'), (b"prefer", b"return=representation")]
    given = scope("PUT", *lines) | {"path": "/käse/→"}
    (start, _) = call(asgi.PreconditionMiddleware(app), given)
    assert dict(start["headers"])[b"content-location"] == b"/k%C3%A4se/%E2%86%92?x=1"


# --- WSGI


@pytest.mark.parametrize("allowed", [True, False])
def test_cors_code_of_wsgi_applications_is_repaired(allowed) -> None:
    origin = "https://app.example" if allowed else "https://evil.example"

    def app(environ, start_response):
        lines = [("ETag", '"v2"')]
        if environ["HTTP_ORIGIN"] == "https://app.example":
            asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
            assert "if-match" not in asked
            lines += [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Headers", asked)]
        start_response("200 OK", lines)
        return []

    def fields(**more: str) -> dict[str, str]:
        started: list = []
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_ORIGIN": origin} | more
        wsgi.PreconditionMiddleware(app)(environ, lambda _status, lines: started.extend(lines))
        return dict(started)

    assert ("ETag" in fields().get("Access-Control-Expose-Headers", "")) is allowed
    asked = "x-own, if-match"
    preflight = fields(REQUEST_METHOD="OPTIONS", HTTP_ACCESS_CONTROL_REQUEST_HEADERS=asked)
    assert (preflight.get("Access-Control-Allow-Headers") == asked) is allowed


def test_a_generator_may_refuse_with_its_first_chunk() -> None:
    def app(environ, start_response):
        wsgi.check(environ, lambda _: CURRENT)
        start_response("200 OK", [])
        yield b"done"

    started = []
    environ = {"REQUEST_METHOD": "PUT", "PATH_INFO": "/a", "HTTP_IF_MATCH": '"v1"'}
    chunks = wsgi.PreconditionMiddleware(app)(environ, lambda status, lines: started.append((status, lines)))
    assert json.loads(b"".join(chunks))["status"] == 412
    assert started[0][0] == "412 Precondition Failed"


def test_content_that_can_only_be_awaited_is_refused_in_wsgi() -> None:
    async def content():
        return Content(b"x")

    environ = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": "/a",
        "HTTP_IF_MATCH": '"v1"',
        "HTTP_PREFER": "return=representation",
    }
    with pytest.raises(TypeError, match="without waiting"):
        wsgi.check(environ, lambda _: Current(representation=CURRENT, content=content))


def test_content_is_got_only_when_it_is_asked_for() -> None:
    got = []

    def content() -> Content:
        got.append(1)
        return Content(b"x", "text/plain")

    current = Current(representation=CURRENT, content=content)
    environ = {"REQUEST_METHOD": "PUT", "PATH_INFO": "/a", "HTTP_IF_MATCH": '"v1"'}
    with pytest.raises(PreconditionRefusedError):
        wsgi.check(dict(environ), lambda _: current)
    assert got == []
    with pytest.raises(PreconditionRefusedError) as refusal:
        wsgi.check(environ | {"HTTP_PREFER": "return=representation"}, lambda _: current)
    assert refusal.value.answer.octets == b"x"
