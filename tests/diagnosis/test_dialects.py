"""Short stories in the language of API families: the first cause, and what must not be said.

`dialect_stories.json` holds them: second, actor, request and response of each step; `cause` null for healthy
traffic; `without` names the contents that the capture leaves out.
"""

from __future__ import annotations

import json
import pathlib
from dataclasses import replace

import pytest

from ifmatch.diagnosis import diagnose
from ifmatch.diagnosis.case.reconstruction import build
from ifmatch.model.exchange import Exchange, Provenance, captures_of
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.model.unknown import UNKNOWN

STORIES = json.loads(pathlib.Path(__file__).with_name("dialect_stories.json").read_text(encoding="utf-8"))


def _parts(text, *, known):
    head, _, body = text.partition("\n\n")
    first, *lines = head.split("\n")
    pairs = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
    content = Content.from_text(body) if body else None
    return first, pairs, content if known else UNKNOWN


def exchanges(steps, without=()):
    """Make the exchanges of a story."""
    found = []
    for number, (second, actor, request, response) in enumerate(steps):
        line, sent, content = _parts(request, known="request" not in without)
        method, url = line.split(" ", 1)
        status, received, answer = _parts(response, known="response" not in without)
        if not any(name == "User-Agent" for name, _ in sent):
            sent.append(("User-Agent", f"client-{actor}"))
        found.append(
            Exchange(
                Provenance("case", number),
                Request(method, url, Fields(sent), content),
                Response(int(status), fields=Fields(received), content=answer),
                started=1_772_000_000.0 + second,
                duration=0.02,
            )
        )
    return found


def _lowered(exchange):
    def lower(fields):
        return Fields([(name.lower(), value) for name, value in fields])

    request = replace(exchange.request, fields=lower(exchange.request.fields))
    return replace(
        exchange, request=request, response=replace(exchange.response, fields=lower(exchange.response.fields))
    )


def _first(diagnosis):
    findings = diagnosis.incidents[0].findings if diagnosis.incidents else ()
    return findings[0].cause if findings else None


@pytest.mark.parametrize("story", STORIES, ids=lambda one: one["name"])
def test_first_cause(story) -> None:
    seen = exchanges(story["steps"], story.get("without", ()))
    diagnosis = diagnose(seen)
    assert _first(diagnosis) == story["cause"], [
        (one.cause, round(one.likelihood, 2)) for incident in diagnosis.incidents for one in incident.findings
    ]
    if story["cause"] is None:
        assert diagnosis.incidents == ()
    assert _first(diagnose([_lowered(one) for one in seen])) == story["cause"]


def test_a_service_that_is_only_read_needs_no_dialect() -> None:
    steps = [
        (0, "A", "GET https://k.example.test/api/v1/pods", '200\n\n{"metadata": {"resourceVersion": "1"}}')
    ]
    assert all(step.dialect is None for step in build(captures_of(exchanges(steps))).steps)


def test_two_families_at_one_origin_are_told_apart() -> None:
    host = "https://www.example.test"
    steps = [
        (0, "A", f"PATCH {host}/storage/v1/b/k/o/a?ifMetagenerationMatch=1\n\n{{}}", "412"),
        (1, "A", f'PATCH {host}/calendar/v3/calendars/c/events/e\nIf-Match: "1"\n\n{{}}', "412"),
    ]
    found = [step.dialect.id for step in build(captures_of(exchanges(steps))).steps]
    assert found == ["gcs-json", "google-calendar"]
