"""Resources of a giant HAR that were only changed in turn are not read; all others written to are."""

from __future__ import annotations

import io
import json
import pathlib
from typing import Any

import pytest

from ifmatch.capture.har.in_turn import condition_of, contents_in_turn
from ifmatch.capture.har.notes import survey
from ifmatch.capture.har.stream import read_giant
from ifmatch.diagnosis import diagnose

ROOT = pathlib.Path(__file__).parents[3] / "cases"
URL = "http://h.example/notes/1"
# Only what came between tells these apart, or what is usual on the same service.
CHANGED_WITHOUT_THEM = frozenset({"b562"})
HARS = sorted(
    path
    for path in ROOT.glob("**/*.har")
    if path.name.partition(".")[0] not in CHANGED_WITHOUT_THEM and path.stat().st_size < 2_000_000
)


def entry(
    method: str,
    tag: str,
    shown: object = None,
    *,
    status: int = 200,
    sent: object = None,
    condition: str | None = None,
    url: str = URL,
) -> dict[str, Any]:
    name = "If-None-Match" if status == 304 else "If-Match"
    headers = [{"name": name, "value": condition}] if condition is not None else []
    request: dict[str, Any] = {"method": method, "url": url, "headers": headers}
    if sent is not None:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(sent)}
    content = {"size": 0, "text": json.dumps(shown) if shown is not None else ""}
    response = {"status": status, "headers": [{"name": "ETag", "value": tag}], "content": content}
    return {"startedDateTime": "2026-03-10T09:00:00Z", "request": request, "response": response}


def get(tag: str, shown: object) -> dict[str, Any]:
    return entry("GET", tag, shown)


def put(condition: str, tag: str, sent: object, shown: object = None) -> dict[str, Any]:
    return entry("PUT", tag, shown, status=204 if shown is None else 200, sent=sent, condition=condition)


def kept(*entries: dict[str, Any], usual: int = 0) -> int:
    data = json.dumps({"log": {"entries": list(entries)}}).encode()
    return len(read_giant(io.BytesIO(data), "x", usual=usual, whole=0).exchanges)


A = {"title": "A", "count": 1}
B = {"title": "B", "count": 1}
IN_TURN = {
    "one edit": [get('"1"', A), put('"1"', '"2"', B, B)],
    "an edit without an answer's content": [get('"1"', A), put('"1"', '"2"', B), get('"2"', B)],
    "an edit that nobody looks at": [get('"1"', A), put('"1"', '"2"', B)],
    "a count goes on": [get('"1"', A), put('"1"', '"2"', B, {"title": "B", "count": 2})],
    "a time goes on": [
        get('"1"', {**A, "at": "2026-03-10T09:00:00Z"}),
        put('"1"', '"2"', {**B, "at": "2026-03-10T09:00:00Z"}, {**B, "at": "2026-03-10T09:00:07Z"}),
    ],
    "revalidated": [get('"1"', A), entry("GET", '"1"', status=304, condition='"1"'), put('"1"', '"2"', B, B)],
    "three edits": [
        get('"1"', A),
        put('"1"', '"2"', B, B),
        put('"2"', '"3"', {"title": "C", "count": 1}, {"title": "C", "count": 1}),
        get('"3"', {"title": "C", "count": 1}),
        put('"3"', '"4"', {"title": "D", "count": 9}, {"title": "D", "count": 9}),
    ],
}
TELLING = {
    "another version came between": [get('"1"', A), get('"2"', B), put('"2"', '"3"', A, A)],
    "not the tag that was shown": [get('"1"', A), put('"0"', '"2"', B, B)],
    "never looked at": [put('"1"', '"2"', B, B)],
    "the same tag again": [get('"1"', A), put('"1"', '"1"', B, B)],
    "not what was sent": [get('"1"', A), put('"1"', '"2"', B, A)],
    "not what was sent, seen later": [get('"1"', A), put('"1"', '"2"', B), get('"2"', A)],
    "one tag, two contents": [
        get('"1"', A),
        get('"1"', B),
        put('"1"', '"2"', {"title": "C"}, {"title": "C"}),
    ],
    "a value comes back": [get('"1"', A), put('"1"', '"2"', B, B), put('"2"', '"3"', A, A)],
    "a member is gone": [
        get('"1"', {}),
        put('"1"', '"2"', A, A),
        put('"2"', '"3"', {"count": 1}, {"count": 1}),
    ],
    "part of a list is gone": [
        get('"1"', {"tags": ["a"]}),
        put('"1"', '"2"', {"tags": ["a", "b"]}, {"tags": ["a", "b"]}),
        put('"2"', '"3"', {"tags": ["a", "c"]}, {"tags": ["a", "c"]}),
    ],
    "part of a text is gone": [
        get('"1"', {"text": "one"}),
        put('"1"', '"2"', {"text": "one two"}, {"text": "one two"}),
        put('"2"', '"3"', {"text": "one three"}, {"text": "one three"}),
    ],
    "another tag was revalidated": [
        get('"1"', A),
        put('"1"', '"2"', B, B),
        entry("GET", '"2"', status=304, condition='"1"'),
    ],
    "no content that says what is stored": [get('"1"', A), put('"1"', '"2"', B, {"ok": True})],
    "no JSON": [get('"1"', A), put('"1"', '"2"', "title=B", B)],
    "two conditions": [get('"1"', A), put('"1", "0"', '"2"', B, B)],
    "a weak tag is named": [get('"1"', A), put('W/"1"', '"2"', B, B)],
    "the same thing on another host": [
        get('"1"', A),
        put('"1"', '"2"', B, B),
        entry("GET", '"2"', B, url="http://other.example/notes/1"),
        entry("PUT", '"3"', A, sent=A, condition='"2"', url="http://other.example/notes/1"),
    ],
    "a listing beside it": [
        get('"1"', A),
        entry("GET", "", [{"id": 1, "version": 2}], url="http://h.example/notes"),
        put('"1"', '"2"', B, B),
    ],
}


@pytest.mark.parametrize("name", IN_TURN)
def test_what_was_changed_in_turn_is_left_out(name: str) -> None:
    story = IN_TURN[name]
    assert kept(*story) == 0
    # Some of it shows what is usual.
    assert kept(*story, usual=1) == len(story)


@pytest.mark.parametrize("name", TELLING)
def test_what_a_diagnosis_may_tell_of_is_read(name: str) -> None:
    assert kept(*TELLING[name]) == len(TELLING[name])


def test_a_refusal_elsewhere_changes_nothing_of_it_but_one_of_its_own_does() -> None:
    refused = entry("PUT", "", status=412, sent=A, condition='"9"')
    away = {**refused, "request": {**refused["request"], "url": "http://h.example/other/7"}}
    fillers = [entry("GET", "", url=f"http://h.example/static/part-{number}.js") for number in range(12)]
    assert kept(*IN_TURN["one edit"], *fillers, away) == 5
    assert kept(*IN_TURN["one edit"], *fillers, refused) == 7


@pytest.mark.parametrize("damaged", [b"{", b"[]", b'{"request": 1, "response": {}}', b"\xff"])
def test_an_entry_that_cannot_be_read_is_not_in_turn(damaged: bytes) -> None:
    whole = json.dumps(get('"1"', A)).encode()
    assert contents_in_turn([(False, whole)])
    assert not contents_in_turn([(False, whole), (False, damaged)])


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        (b'[{"name": "If-Match", "value": "\\"a\\""}]', b"a"),
        (b'[{"name":"if-none-match","value":" \\"a\\" "}]', b"a"),
        (b'[{"name": "If-Match", "value": "*"}]', None),
        (b'[{"name": "If-Match", "value": "\\"a\\", \\"b\\""}]', None),
        (b'[{"name": "If-Match", "value": "\\"a\\""}, {"name": "Range", "value": "bytes=0-1"}]', None),
        (b'[{"name": "If-Match", "value": "\\"a\\""}, {"name": "If-Unmodified-Since", "value": "x"}]', None),
        (b"[]", None),
    ],
)
def test_a_condition_is_one_strong_tag(fields: bytes, names: bytes | None) -> None:
    assert condition_of(fields, fields.lower()) == (hash(names) if names is not None else 0)


@pytest.mark.parametrize("name", ["b914", "d741", "d884", "e096"])
def test_what_a_list_or_a_journal_beside_tells_is_not_lost(name: str) -> None:
    """What was changed in turn by its tags is read all the same where another answer names it."""
    (path,) = [one for one in HARS if one.name == f"{name}.client.har"]
    data = path.read_bytes()
    assert survey(io.BytesIO(data)).in_turn()
    told = [
        [
            one.findings[0].cause
            for one in diagnose([read_giant(io.BytesIO(data), "x", usual=usual, whole=0)]).incidents
        ]
        for usual in (0, 10**9)
    ]
    assert told[0] == told[1] != []


@pytest.mark.full
@pytest.mark.parametrize("path", HARS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_incident_is_lost_on_any_case(path: pathlib.Path) -> None:
    data = path.read_bytes()
    if not survey(io.BytesIO(data)).in_turn():
        return
    told = [
        [
            (one.resource, one.status, one.exchange, [(each.cause, each.likelihood) for each in one.findings])
            for one in diagnose([read_giant(io.BytesIO(data), "x", usual=usual, whole=0)]).incidents
        ]
        for usual in (0, 10**9)
    ]
    assert told[0] == told[1]
