from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tools.recording.http_dates import format_http_date, parse_http_date
from tools.recording.message import Message
from tools.recording.origin import Habits, Origin, Reply, version_tag
from tools.recording.preconditions import evaluate
from tools.recording.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_795_530_000.7
DATE = format_http_date(NOW)


def request(method: str, **fields: str) -> Message:
    lines = tuple((name.replace("_", "-"), value) for name, value in fields.items())
    return Message(f"{method} /d HTTP/1.1", lines, b"", b"")


@pytest.mark.parametrize(
    ("method", "fields", "etag", "status"),
    [
        ("PUT", {"If_Match": '"a"'}, '"a"', None),
        ("PUT", {"If_Match": '"b", "a"'}, '"a"', None),
        ("PUT", {"If_Match": '"b"'}, '"a"', 412),
        ("PUT", {"If_Match": 'W/"a"'}, 'W/"a"', 412),
        ("PUT", {"If_Match": "a"}, '"a"', 412),
        ("PUT", {"If_Match": "*"}, '"a"', None),
        ("PUT", {"If_Match": '"a"', "If_Unmodified_Since": "Mon, 01 Jan 2001 00:00:00 GMT"}, '"a"', None),
        ("PUT", {"If_Unmodified_Since": DATE}, '"a"', None),
        ("PUT", {"If_Unmodified_Since": format_http_date(NOW - 1)}, '"a"', 412),
        ("PUT", {"If_Unmodified_Since": "2026-11-24T14:20:00Z"}, '"a"', None),
        ("PUT", {"If_None_Match": "*"}, '"a"', 412),
        ("GET", {"If_None_Match": 'W/"a"'}, '"a"', 304),
        ("GET", {"If_None_Match": '"b"', "If_Modified_Since": DATE}, '"a"', None),
        ("GET", {"If_Modified_Since": DATE}, '"a"', 304),
    ],
)
def test_the_plain_origin_evaluates_as_rfc_9110_section_13_says(
    method: str, fields: dict[str, str], etag: str, status: int | None
) -> None:
    refusal = evaluate(request(method, **fields), etag, NOW, exists=True)
    assert (refusal.status if refusal else None) == status


def test_a_missing_document_fails_if_match_and_passes_if_none_match() -> None:
    assert evaluate(request("PUT", If_Match="*"), None, None, exists=False) is not None
    assert evaluate(request("PUT", If_None_Match="*"), None, None, exists=False) is None


@pytest.mark.parametrize(
    "text", ["2026-11-24T14:20:00Z", "Tue, 24 Nov 2026 14:20:00 UTC", "Di, 24 Nov 2026 14:20:00 GMT", ""]
)
def test_what_is_no_http_date_is_none(text: str) -> None:
    assert parse_http_date(text) is None


def test_dates_survive_a_round_trip_by_the_second() -> None:
    assert parse_http_date(DATE) == int(NOW)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as made:
        yield made


def test_the_tap_sees_what_the_client_sees(stage: Stage) -> None:
    origin = stage.origin(Habits(tag=version_tag))
    origin.store("/d", {"a": 1})
    me = stage.client(stage.tap(origin.port), "d.example.test", "undici")
    read = me.get("/d")
    assert me.put("/d", {"a": 2}, {"if-match": read.etag}).status == 200
    assert me.put("/d", {"a": 3}, {"if-match": read.etag}).status == 412
    mine, tapped = me.recorded, stage.taps["upstream"].recorded
    assert [one.request for one in mine] == [one.request for one in tapped]
    assert [one.response for one in mine] == [one.response for one in tapped]
    assert mine[0].request.fields[0] == ("host", "d.example.test")
    assert {one.connection for one in mine} == {1}
    for outer, inner in zip(mine, tapped, strict=True):
        assert outer.started_ns <= inner.started_ns
        assert outer.seconds >= inner.seconds


def test_an_aborted_answer_is_recorded_on_both_sides(stage: Stage) -> None:
    origin = stage.origin(after_commit=lambda _, __: Reply(500, abort=True))
    origin.store("/d", {"a": 1})
    me = stage.client(stage.tap(origin.port), "d.example.test", "bare")
    answer = me.put("/d", {"a": 2})
    assert (answer.status, origin.resources["/d"].body) == (0, b'{"a":2}')
    deadline = time.monotonic() + 60
    while not stage.taps["upstream"].recorded and time.monotonic() < deadline:
        time.sleep(0.01)
    assert me.recorded[0].error
    assert stage.taps["upstream"].recorded[0].response is None


def test_a_client_that_gives_up_says_so(stage: Stage) -> None:
    origin = stage.origin(Habits(answer_delay=0.4))
    origin.store("/d", {"a": 1})
    me = stage.client(origin.port, "d.example.test", "bare")
    answer = me.put("/d", {"a": 2}, timeout=0.05)
    assert (answer.status, answer.error) == (0, "timed out after 0.05 s")


@pytest.mark.parametrize(
    ("habits", "second"),
    [
        (Habits(), 412),
        (Habits(refuse_status=409), 409),
        (Habits(ignore=frozenset({"if-match"})), 200),
        (Habits(ignore=frozenset({"if-match"}), ignore_on=frozenset({"PATCH"})), 412),
        (Habits(put_status=204, ignore=frozenset({"if-match"})), 204),
    ],
)
def test_faults_do_what_they_are_named_for(stage: Stage, habits: Habits, second: int) -> None:
    origin: Origin = stage.origin(habits)
    origin.store("/d", {"a": 1})
    me = stage.client(origin.port, "d.example.test", "curl")
    tag = me.get("/d").etag
    me.put("/d", {"a": 2}, {"If-Match": tag})
    assert me.put("/d", {"a": 3}, {"If-Match": tag}).status == second


def test_an_unguarded_write_gets_428_where_a_condition_is_required(stage: Stage) -> None:
    origin = stage.origin(Habits(require=True))
    origin.store("/d", {"a": 1})
    assert stage.client(origin.port, "d.example.test", "curl").put("/d", {"a": 2}).status == 428
