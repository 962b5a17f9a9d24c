"""The trace names the field, the tag, the step and the section that decided."""

from __future__ import annotations

import pytest

from ifmatch import EntityTag, evaluate
from ifmatch.core.trace import Condition, Step
from tests.core.rfc9110_cases import load_cases, representation, when

STATE = {"etag": '"v2"', "last_modified": "Tue, 01 Jul 2025 10:00:00 GMT", "last_modified_is_strong": False}
OLD = "Tue, 01 Jul 2025 09:59:59 GMT"
WEAK = STATE | {"etag": 'W/"v2"'}
V2 = EntityTag("v2")
# method, fields, current; then number, field, condition, section, tag and a part of the reason of one step
Row = tuple[str, dict[str, str], object, int, str, Condition, str, EntityTag | None, str]
TRUE, FALSE, NOT_APPLICABLE = Condition.TRUE, Condition.FALSE, Condition.NOT_APPLICABLE


def step_of(
    method: str, fields: dict[str, str], state: object, field: str, *, creates: bool | None = None
) -> Step:
    trace = evaluate(method, fields, representation(state), creates=creates).trace  # type: ignore[arg-type]
    return next(step for step in trace.steps if step.field == field)


@pytest.mark.parametrize(
    "row",
    [
        ("PUT", {"If-Match": '"a", "v2"'}, STATE, 1, "If-Match", TRUE, "13.1.1", V2, "current tag"),
        ("PUT", {"If-Match": '"a"'}, STATE, 1, "If-Match", FALSE, "13.1.1", None, "not in the list"),
        (
            "PUT",
            {"If-Match": 'W/"v2"'},
            STATE,
            1,
            "If-Match",
            FALSE,
            "8.8.3.2",
            EntityTag("v2", weak=True),
            "weak",
        ),
        (
            "PUT",
            {"If-Match": '"v2"'},
            WEAK,
            1,
            "If-Match",
            FALSE,
            "8.8.3.2",
            V2,
            "only by the weak comparison",
        ),
        ("PUT", {"If-Match": "*"}, None, 1, "If-Match", FALSE, "13.1.1", None, "no current representation"),
        ("PUT", {"If-Match": "*"}, STATE, 1, "If-Match", TRUE, "13.1.1", None, "exists"),
        ("PUT", {"If-Match": '"a"'}, None, 1, "If-Match", FALSE, "13.1.1", None, "no current representation"),
        (
            "PUT",
            {"If-Match": '"a"'},
            STATE | {"etag": None},
            1,
            "If-Match",
            FALSE,
            "13.1.1",
            None,
            "no entity tag",
        ),
        ("PUT", {"If-Match": ""}, STATE, 1, "If-Match", FALSE, "13.1.1", None, "list is empty"),
        ("PUT", {"If-Match": "v2"}, STATE, 1, "If-Match", FALSE, "13.1.1", None, "malformed"),
        (
            "PUT",
            {"If-Unmodified-Since": OLD},
            STATE,
            2,
            "If-Unmodified-Since",
            FALSE,
            "13.1.4",
            None,
            "later than",
        ),
        (
            "PUT",
            {"If-Unmodified-Since": "x"},
            STATE,
            2,
            "If-Unmodified-Since",
            NOT_APPLICABLE,
            "13.1.4",
            None,
            "date",
        ),
        (
            "PUT",
            {"If-Unmodified-Since": OLD},
            STATE | {"last_modified": None},
            2,
            "If-Unmodified-Since",
            NOT_APPLICABLE,
            "13.1.4",
            None,
            "no modification date",
        ),
        (
            "PUT",
            {"If-Unmodified-Since": OLD, "If-Match": "x"},
            STATE,
            2,
            "If-Unmodified-Since",
            NOT_APPLICABLE,
            "13.2.2",
            None,
            "step 1 has decided",
        ),
        (
            "PUT",
            {"If-Unmodified-Since": OLD, "If-Match": "*"},
            STATE,
            2,
            "If-Unmodified-Since",
            NOT_APPLICABLE,
            "13.1.4",
            None,
            "presence switches",
        ),
        (
            "GET",
            {"If-None-Match": '"a",W/"v2"'},
            STATE,
            3,
            "If-None-Match",
            FALSE,
            "13.1.2",
            EntityTag("v2", weak=True),
            "matches",
        ),
        ("GET", {"If-None-Match": '"a"'}, STATE, 3, "If-None-Match", TRUE, "13.1.2", None, "not in the list"),
        ("PUT", {"If-None-Match": "*"}, STATE, 3, "If-None-Match", FALSE, "13.1.2", None, "exists"),
        ("PUT", {"If-None-Match": "*"}, None, 3, "If-None-Match", TRUE, "13.1.2", None, "no current"),
        ("PUT", {"If-None-Match": '"a"'}, None, 3, "If-None-Match", TRUE, "13.1.2", None, "no current"),
        ("PUT", {"If-None-Match": "a"}, STATE, 3, "If-None-Match", TRUE, "13.1.2", None, "malformed"),
        ("PUT", {"If-None-Match": 'a, "v2"'}, STATE, 3, "If-None-Match", FALSE, "13.1.2", V2, "matches"),
        (
            "GET",
            {"If-Modified-Since": OLD},
            STATE,
            4,
            "If-Modified-Since",
            TRUE,
            "13.1.3",
            None,
            "later than",
        ),
        (
            "PUT",
            {"If-Modified-Since": OLD},
            STATE,
            4,
            "If-Modified-Since",
            NOT_APPLICABLE,
            "13.1.3",
            None,
            "GET and HEAD",
        ),
        (
            "GET",
            {"If-Modified-Since": OLD, "If-None-Match": ""},
            STATE,
            4,
            "If-Modified-Since",
            NOT_APPLICABLE,
            "13.1.3",
            None,
            "presence switches",
        ),
        ("GET", {"If-Range": '"v2"', "Range": "x"}, STATE, 5, "If-Range", TRUE, "13.1.5", V2, "current tag"),
        (
            "GET",
            {"If-Range": '"v1"', "Range": "x"},
            STATE,
            5,
            "If-Range",
            FALSE,
            "13.1.5",
            EntityTag("v1"),
            "current tag is",
        ),
        (
            "GET",
            {"If-Range": '"v2"', "Range": "x"},
            WEAK,
            5,
            "If-Range",
            FALSE,
            "8.8.3.2",
            V2,
            "weak comparison",
        ),
        ("GET", {"If-Range": OLD, "Range": "x"}, STATE, 5, "If-Range", FALSE, "13.1.5", None, "not exactly"),
        (
            "GET",
            {"If-Range": "Tue, 01 Jul 2025 10:00:00 GMT", "Range": "x"},
            STATE,
            5,
            "If-Range",
            FALSE,
            "8.8.2.2",
            None,
            "weak validator",
        ),
        (
            "GET",
            {"If-Range": "x", "Range": "x"},
            STATE,
            5,
            "If-Range",
            FALSE,
            "13.1.5",
            None,
            "neither one tag nor one date",
        ),
        ("GET", {"If-Range": '"v2"'}, STATE, 5, "If-Range", NOT_APPLICABLE, "13.1.5", None, "no Range"),
        (
            "PUT",
            {"If-Range": '"v2"', "Range": "x"},
            STATE,
            5,
            "If-Range",
            NOT_APPLICABLE,
            "13.1.5",
            None,
            "Range is for GET",
        ),
        ("OPTIONS", {"If-Match": "x"}, STATE, 1, "If-Match", NOT_APPLICABLE, "13.2.1", None, "OPTIONS"),
        ("DELETE", {"If-Match": "x"}, None, 1, "If-Match", NOT_APPLICABLE, "13.2.1", None, "404"),
    ],
)
def test_step(row: Row) -> None:
    method, fields, state, number, field, condition, section, tag, reason = row
    step = step_of(method, fields, state, field)
    assert (step.number, step.condition, step.section, step.tag) == (number, condition, section, tag)
    assert step.value == fields[field]
    assert reason in step.reason


def test_the_deciding_step_is_named() -> None:
    fields = [("If-None-Match", '"v2"'), ("If-Match", '"v1"'), ("If-Modified-Since", OLD)]
    trace = evaluate("GET", fields, representation(STATE)).trace
    assert trace.status == 412
    assert trace.deciding is trace.steps[0]
    assert [(step.number, step.condition) for step in trace.steps] == [
        (1, FALSE),
        (3, NOT_APPLICABLE),
        (4, NOT_APPLICABLE),
    ]
    assert str(trace).splitlines()[0] == (
        'step 1, If-Match: "v1" -> false: the current tag "v2" is not in the list (RFC 9110 section 13.1.1)'
    )
    assert str(trace).endswith("answer 412")


def test_a_false_if_range_refuses_nothing() -> None:
    trace = evaluate("GET", {"If-Range": '"v1"', "Range": "x"}, representation(STATE)).trace
    assert (trace.status, trace.deciding) == (None, None)


def test_a_malformed_field_is_shown_with_its_position() -> None:
    step = step_of("PUT", {"If-Match": '"v2", v1'}, STATE, "If-Match")
    assert step.malformed is not None
    assert (step.malformed.text, step.malformed.position) == ('"v2", v1', 6)


def test_the_trace_of_a_case_names_the_section_of_its_id() -> None:
    """Where a case of section 13.1 refuses, the step that decided is of the same section."""
    seen = 0
    for case in load_cases():
        section = case["id"].split("/")[1]
        if not section.startswith("13.1.") or case["expected"]["status"] is None:
            continue
        options = {"now": when(case["now"])} if "now" in case else {}
        fields = [(name, value) for name, value in case["request"]["fields"]]
        trace = evaluate(case["request"]["method"], fields, representation(case["current"]), **options).trace  # type: ignore[arg-type]
        deciding = trace.deciding
        assert deciding is not None
        by_field = {"If-Match": "13.1.1", "If-None-Match": "13.1.2"}.get(deciding.field, deciding.section)
        assert by_field == section or deciding.field in case["requirement"], case["id"]
        seen += 1
    assert seen > 40
