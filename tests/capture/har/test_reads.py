"""What a giant HAR shows of other resources is read where it may bear on a write; the rest is left out."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from ifmatch.capture.har import notes
from ifmatch.capture.har.notes import survey
from ifmatch.capture.har.reads import came_back, nearest
from ifmatch.capture.har.signs import is_asset_name, is_long_text, read_entry, says_no, validator_of
from ifmatch.capture.har.stream import read_giant

HOST = "http://h.example"


def entry(
    method: str, url: str, shown: str = "", *, status: int = 200, sent: str = "", **fields: str
) -> dict[str, Any]:
    received = [{"name": "ETag", "value": fields.pop("etag")}] if "etag" in fields else []
    headers = [{"name": name.replace("_", "-"), "value": value} for name, value in fields.items()]
    request: dict[str, Any] = {"method": method, "url": HOST + url, "headers": headers}
    if sent:
        request["postData"] = {"mimeType": "application/json", "text": sent}
    response = {"status": status, "headers": received, "content": {"size": len(shown), "text": shown}}
    return {"startedDateTime": "2026-03-10T09:00:00Z", "request": request, "response": response}


WRITE = entry("PUT", "/notes/1", '{"id": 1}', sent='{"id": 1}')
ASSETS = [entry("GET", f"/chunk-{number}.js", "let a = {}") for number in range(20)]
LIST = entry("GET", "/reports/week", '[{"id": 1, "version": 4}]')


def kept(*entries: dict[str, Any], whole: int = 0) -> list[int | None]:
    data = json.dumps({"log": {"entries": list(entries)}}).encode()
    return [one.provenance.entry for one in read_giant(io.BytesIO(data), "x", whole=whole).exchanges]


def test_what_is_asked_for_a_few_times_is_read_however_far_away() -> None:
    assert kept(LIST, *ASSETS, WRITE) == [0, 21]
    assert kept(WRITE, *ASSETS, LIST) == [0, 21]


def test_of_what_is_polled_only_what_is_near_is_read() -> None:
    poll = entry("GET", "/unread", '{"unread": 2}')
    assert kept(*[poll] * 30, WRITE, *[poll] * 30) == list(range(26, 35))


def test_nothing_is_read_for_the_sake_of_nothing() -> None:
    assert kept(LIST, *ASSETS, LIST) == []


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_the_nearest_come_first(limit: int) -> None:
    resources = [1, 2, 3, 9, 4, 5]
    found = nearest(range(6), resources, [1, 1, 1, 1, 1, 1], [3], {9}, limit=limit)
    assert found == [set(), {2}, set(), {1, 2, 4}][limit]


def test_of_one_polled_resource_so_many_are_read_at_most() -> None:
    # A write between any two polls: each poll is near.
    placed = [0, 1] * 200
    told = list(range(1, 400, 2))
    assert len(nearest(placed, [1, 9], [1] * 400, told, {9})) == 64


@pytest.mark.parametrize(
    ("url", "text", "asset"),
    [
        ("/a.js", '{"a": 1}', True),
        ("/logo.SVG", "<svg/>", True),
        ("/notes/1", '{"a": 1}', False),
        ("/notes/1.json", '{"a": 1}', False),
        ("/wind/today.txt", "0 knots", False),
        ("/page", "\n\t <html>" + "x" * 5000, False),
        ("/list", ' [{"a": 1}' + " " * 5000, False),
        ("/bundle", "var a = 1;" * 500, True),
        ("/notes/1", "", False),
    ],
)
def test_assets_are_told_by_their_names_or_their_texts(url: str, text: str, asset: bool) -> None:
    read = read_entry(json.dumps(entry("GET", url, text)).encode())
    assert read is not None
    assert read.response is not None
    assert (is_asset_name(HOST + url) or is_long_text(read.response.content)) is asset


@pytest.mark.parametrize("remembered", [1, 2, 100])
def test_what_is_remembered_of_requests_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, remembered: int
) -> None:
    looks = [entry("GET", f"/notes/{number % 3}", "{}", Trace=str(number)) for number in range(9)]
    data = json.dumps({"log": {"entries": [*looks, WRITE, *looks, *ASSETS, WRITE, *looks]}}).encode()
    usual = survey(io.BytesIO(data))
    monkeypatch.setattr(notes, "_REMEMBERED", remembered)
    found = survey(io.BytesIO(data))
    assert (found.signs, found.bears, found.placed) == (usual.signs, usual.bears, usual.placed)
    assert found.chosen() == usual.chosen()


@pytest.mark.parametrize(
    ("fields", "validator"),
    [
        ([("ETag", '"a"')], b"a"),
        ([("etag", 'W/"a"')], b"a"),
        ([("access-control-expose-headers", "ETag"), ("etag", '"a"')], b"a"),
        ([("Last-Modified", "Tue, 10 Mar 2026 09:00:00 GMT")], b"Tue, 10 Mar 2026 09:00:00 GMT"),
        ([("access-control-expose-headers", "ETag")], None),
        ([("Date", "Tue, 10 Mar 2026 09:00:00 GMT")], None),
    ],
)
def test_a_validator_is_read_where_it_stands(fields: list[tuple[str, str]], validator: bytes | None) -> None:
    received = json.dumps([{"name": name, "value": value} for name, value in fields]).encode()
    assert validator_of(received) == (hash(validator) if validator is not None else 0)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("false", True),
        ("false\n", True),
        ("true", False),
        ('{"open": false}', False),
        ('{"ok": false}', True),
        ('{"failed": {"1": {"code": 412}}}', True),
        ('{"message": "update out of sequence"}', True),
        ('{"state": "skipped"}', True),
        ('{"note": "has already a successor"}', True),
        ('{"id": 1, "title": "A page"}', False),
    ],
)
def test_a_success_may_say_no_in_many_words(text: str, refusal: bool) -> None:
    read = read_entry(json.dumps(entry("PUT", "/notes/1", text)).encode())
    assert read is not None
    assert says_no(read.response) is refusal


def test_a_fault_that_says_no_is_a_refusal_and_what_is_around_it_is_read() -> None:
    said = entry("POST", "/services/9/update", '{"message": "update out of sequence"}', status=500)
    contained = [entry("GET", "/services/9", '{"version": 19}') for _ in range(20)]
    assert kept(*contained, *ASSETS, said) == [*range(20), *range(36, 41)]
    blank = entry("POST", "/services/9/update", '{"message": "oops"}', status=500)
    assert kept(*contained, *ASSETS, blank) == [40]


def test_the_resources_that_a_bulk_names_are_near_it() -> None:
    assets = [entry("GET", f"/chunk-{number}.js", "let a = {}", etag=f'"{number}"') for number in range(9)]
    bulk = entry("POST", "/notes/bulk", '{"results": [{"id": 1, "status": 200}]}', status=207)
    assert kept(*assets, bulk) == [5, 6, 7, 8, 9]


def test_a_tag_that_comes_back_is_told() -> None:
    assert list(came_back([1, 2, 1, 2, 1], [7, 5, 8, 5, 7])) == [1]
    assert list(came_back([1, 1, 1, 1], [7, 0, 8, 9])) == []
    looks = [entry("GET", "/values/5", "5", etag=tag) for tag in ('"a"', '"b"', '"a"', '"b"')]
    assert kept(*ASSETS, *looks) == [20, 21, 22, 23]


def test_another_address_of_what_was_answered_oddly_is_read() -> None:
    odd = entry("GET", "/wind/today.txt", "0 knots", etag='"1"', If_None_Match='"1"')
    other = entry("GET", "/direct/wind/today.txt", status=304, etag='"1"', If_None_Match='"1"')
    assert kept(odd, *ASSETS, *[other] * 20) == [0, *range(21, 41)]


def test_where_little_may_bear_all_of_it_is_read() -> None:
    poll = entry("GET", "/unread", '{"unread": 2}')
    assert kept(*[poll] * 30, *ASSETS, WRITE, whole=31) == [*range(30), 50]
    assert kept(*[poll] * 30, *ASSETS, WRITE, whole=30) == [50]


def test_another_answer_to_the_same_request_is_noted_as_what_it_is() -> None:
    answers = [
        entry("GET", "/notes/1", shown, status=status, **({"etag": tag} if tag else {}))
        for status, tag, shown in (
            (200, '"a"', "[1]"), (200, '"a"', "[1]"), (200, '"a"', "[2]"), (304, '"a"', ""),
            (200, '"a"', "[1]"), (200, '"b"', "[1]"), (200, 'W/"b"', "[1]"), (200, "", "[1]"),
            (200, "", "[1]"), (200, '"b"', "[1]"), (200, '"b"', "x" * 5000),
            (412, '"b"', "[1]"), (200, '"c1"', "[1]"), (200, '"c"', "[1]"),
        )
    ]  # fmt: skip
    unanswered, odd = entry("GET", "/notes/1"), entry("GET", "/notes/1")
    unanswered["response"], odd["response"]["status"] = None, "200"
    data = json.dumps({"log": {"entries": [*answers, unanswered, odd, *answers]}}).encode()
    found = survey(io.BytesIO(data))
    # Each as if it were the only one.
    alone = [survey(io.BytesIO(json.dumps({"log": {"entries": [one]}}).encode())) for one in answers]
    for noted in ("signs", "bears", "tags", "contents"):
        column = list(getattr(found, noted))
        wanted = [getattr(one, noted)[0] for one in alone]
        assert column[: len(answers)] == wanted, noted
        assert column[-len(answers) :] == wanted, noted
    resource = found.places.resources[0]
    assert found.tagged.several == {resource}
    assert found.filled.several == {resource}
