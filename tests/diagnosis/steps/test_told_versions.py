"""The version that a refusal says is stored, in its own words."""

from __future__ import annotations

import json

import pytest

from ifmatch.diagnosis.case.reconstruction import build
from ifmatch.model.exchange import Capture, Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response

URL = "https://a.example.test/pots/5"
JSON = Fields([("Content-Type", "application/json")])


def _told(refusal):
    read = Response(200, "", JSON, Content.from_text('{"glaze": "blue", "version": 7}'))
    no = Response(409, "", JSON, Content.from_text(json.dumps(refusal)))
    steps = [
        (Request("GET", URL, Fields()), read),
        (Request("PUT", f"{URL}?expectedVersion=7", JSON, Content.from_text('{"glaze": "red"}')), no),
    ]
    exchanges = tuple(
        Exchange(Provenance("a", place), request, response, started=1.5 + place, duration=0.1)
        for place, (request, response) in enumerate(steps)
    )
    return build([Capture("a.har", "har", exchanges)]).steps[-1].told


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        ({"error": "version conflict", "currentVersion": 8}, "8"),
        ({"error": {"code": "stale", "details": {"stored_version": "8"}}}, "8"),
        ({"error": "version conflict, current is 8"}, "8"),
        ({"error": "version conflict", "currentVersion": 7}, None),
        ({"error": "version conflict: the record is changed"}, None),
        ({"error": "version conflict", "currentUser": "ann"}, None),
    ],
)
def test_a_refusal_names_what_is_stored(refusal, told) -> None:
    assert _told(refusal) == told
