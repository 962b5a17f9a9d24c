"""Every case file of cases/rfc9110 holds, in every form in which a framework hands fields over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ifmatch import Decision, Representation, evaluate
from tests.core.rfc9110_cases import FOLDER, load_cases, representation, when

CASES = load_cases()
REQUIREMENTS = json.loads((FOLDER / "schema" / "requirements.json").read_text())["requirements"]


def decide(case: dict[str, Any], fields: object) -> Decision:
    options: dict[str, Any] = {name: case[name] for name in ("creates",) if name in case}
    if "now" in case:
        options["now"] = when(case["now"])
    return evaluate(case["request"]["method"], fields, representation(case["current"]), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    lines = [(name, value) for name, value in case["request"]["fields"]]
    octets = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines]
    forms: dict[str, object] = {
        "text": lines,
        "octets": octets,
        "ASGI": [(name.lower(), value) for name, value in octets],
        "one-shot": iter(lines),
    }
    if len({name.lower() for name, _ in lines}) == len(lines):
        forms["mapping"] = dict(lines)
    for form, fields in forms.items():
        decision = decide(case, fields)
        found = {
            "status": decision.status,
            "use_range": decision.use_range,
            "malformed": list(decision.malformed),
        }
        assert found == case["expected"], (form, str(decision.trace))
        assert decision.trace.status == decision.status


def test_every_requirement_on_an_evaluator_has_a_case() -> None:
    numbers = [requirement["number"] for requirement in REQUIREMENTS]
    assert len(numbers) == len(set(numbers)) >= 49
    assert {number for case in CASES for number in case["covers"]} == set(numbers)


def test_cases_follow_the_schema_and_have_ids_of_their_own() -> None:
    schema = json.loads((FOLDER / "schema" / "cases.schema.json").read_text())
    for path in sorted(FOLDER.glob("*.json")):
        jsonschema.validate(json.loads(path.read_text()), schema)
    identifiers = [case["id"] for case in CASES]
    assert len(identifiers) == len(set(identifiers)) >= 200


def test_every_outcome_is_expected_somewhere() -> None:
    outcomes = {(case["expected"]["status"], case["expected"]["use_range"]) for case in CASES}
    assert outcomes == {(None, False), (None, True), (304, False), (412, False)}


def test_the_state_of_a_case_is_read_as_it_stands() -> None:
    state = {"etag": 'W/"é"', "last_modified": None, "last_modified_is_strong": False}
    assert representation(state) == Representation(etag=b'W/"\xe9"')
    assert Path(FOLDER, "README.md").is_file()
