"""A success by its status may be none by its content; a member of the stored thing says nothing of it."""

from __future__ import annotations

import pytest

from ifmatch.diagnosis.steps.step import Step
from ifmatch.model.exchange import Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response


def _step(sent, answer):
    json = Fields([("Content-Type", "application/json")])
    request = Request("PATCH", "https://a.example.test/x", json, Content.from_text(sent))
    response = Response(200, "", Fields(), Content.from_text(answer))
    return Step(Exchange(Provenance("a", 0), request, response), source=0, start=0.0, end=0.1, timed=True)


@pytest.mark.parametrize(
    "answer",
    [
        '{"accepted": false, "why": "B-17"}',
        '{"status": "rejected"}',
        '{"fehler": {"nr": 9}}',
        "<erreur>non</erreur>",
        "error: base 12 but stand 13",
        "false",
    ],
)
def test_a_success_that_is_none(answer) -> None:
    assert _step('{"ward": "S", "tick": 4}', answer).negative


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ('{"title": "oat", "done": false}', '{"title": "oat", "done": false}'),
        ('{"title": "oat", "tick": 4}', '{"title": "oat", "done": false, "tick": 5}'),
        ('{"title": "oat"}', '{"ok": true, "error": null, "title": "oat"}'),
    ],
)
def test_a_success_with_such_a_member(sent, answer) -> None:
    assert not _step(sent, answer).negative
