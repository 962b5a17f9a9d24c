"""Answers explain themselves, and tell nothing that they must not tell."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifmatch import Representation, evaluate
from ifmatch.server import problem
from ifmatch.server.answers import Current, RequestFacts
from ifmatch.server.problem import Disclosure
from ifmatch.server.stores.protocol import Content

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
MODIFIED = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
CURRENT = Current(
    representation=Representation(etag='"v2"', last_modified=MODIFIED),
    fields=(("Cache-Control", "no-cache"), ("Vary", "Accept")),
    content=Content(b'{"text": "hello"}', "application/json"),
)
CLOSED = Disclosure(current=False)


def facts(method: str = "PUT", *fields: tuple[str, str], target: str = "/notes/1") -> RequestFacts:
    return RequestFacts(method, target, fields)


def refused(*fields: tuple[str, str], current: Current | None = CURRENT, method: str = "PUT", **options):
    request = facts(method, *fields)
    representation = None if current is None else current.representation
    decision = evaluate(method, fields, representation)
    assert decision.status == 412
    return problem.precondition_failed(decision, request, current, now=NOW, **options)


def told(answer) -> dict:
    assert answer.field("Content-Type") == "application/problem+json"
    assert answer.field("Content-Length") == str(len(answer.octets))
    assert answer.field("Cache-Control") == "no-store"
    return json.loads(answer.octets)


def test_412_names_field_value_step_section_and_current_tag() -> None:
    answer = refused(("If-Match", '"v1"'))
    problem_ = told(answer)
    assert answer.status == problem_["status"] == 412
    assert problem_["title"] == "Precondition Failed"
    assert problem_["instance"] == "/notes/1"
    assert problem_["precondition"] == {
        "field": "If-Match",
        "presented": '"v1"',
        "step": 1,
        "section": "RFC 9110 section 13.1.1",
    }
    assert problem_["current"] == {"etag": '"v2"', "last_modified": "Mon, 09 Mar 2026 09:00:00 GMT"}
    assert "not in the list" in problem_["detail"]
    assert "was not performed" in problem_["detail"]
    assert any("Redo your change" in line for line in problem_["advice"])
    assert answer.field("ETag") == '"v2"'
    assert problem_["type"].startswith("https://")


@pytest.mark.parametrize(
    ("fields", "current", "field", "step"),
    [
        ((("If-Match", "*"),), None, "If-Match", 1),
        ((("If-None-Match", "*"),), CURRENT, "If-None-Match", 3),
        ((("If-None-Match", '"v2"'),), CURRENT, "If-None-Match", 3),
        ((("If-Unmodified-Since", "Sun, 01 Mar 2026 09:00:00 GMT"),), CURRENT, "If-Unmodified-Since", 2),
    ],
)
def test_each_field_that_can_refuse_is_named_with_its_step(fields, current, field, step) -> None:
    problem_ = told(refused(*fields, current=current))
    assert (problem_["precondition"]["field"], problem_["precondition"]["step"]) == (field, step)
    assert problem_["advice"]


def test_without_a_current_state_it_says_so() -> None:
    answer = refused(("If-Match", '"v1"'), current=None)
    problem_ = told(answer)
    assert problem_["current"] is None
    assert answer.field("ETag") is None
    assert any("If-None-Match: *" in line for line in problem_["advice"])


@pytest.mark.parametrize(
    "fields",
    [
        (("If-Match", '"v1"'),),
        (("If-Match", '"v2-gzip"'),),
        (("If-Match", 'W/"other"'),),
        (("If-Match", '"of-another"'),),
        (("If-None-Match", "*"),),
        (("If-Unmodified-Since", "Mon, 01 Jan 2018 00:00:00 GMT"),),
        (("If-Match", '"v1"'), ("Prefer", "return=representation")),
    ],
)
def test_what_is_switched_off_is_told_nowhere(fields) -> None:
    current = Current(
        representation=Representation(etag='"SECRET-tag"', last_modified=datetime(2019, 4, 5, tzinfo=UTC)),
        content=Content(b"SECRET content"),
        other_tags=('"of-another"',),
    )
    answer = refused(*fields, current=current, disclosure=CLOSED)
    everything = repr(answer.fields) + answer.octets.decode()
    assert "SECRET" not in everything
    assert "2019" not in everything
    assert "current tag" not in everything
    assert "current" not in told(answer)


@pytest.mark.parametrize("value", ['W/"v2"', '"v2-gzip"', '"other-representation"'])
def test_hints_that_compare_with_the_current_state_are_told_only_where_it_may_be_told(value) -> None:
    current = Current(representation=CURRENT.representation, other_tags=('"other-representation"',))
    assert told(refused(("If-Match", value), current=current))["hints"]
    assert told(refused(("If-Match", value), current=current, disclosure=CLOSED))["hints"] == []


def test_428_explains_how_to_resubmit() -> None:
    answer = problem.precondition_required(facts(), CURRENT, now=NOW)
    problem_ = told(answer)
    assert answer.status == problem_["status"] == 428
    assert any("If-Match" in line for line in problem_["advice"])
    assert answer.field("ETag") == '"v2"'
    closed = problem.precondition_required(facts(), CURRENT, disclosure=CLOSED, now=NOW)
    assert closed.field("ETag") is None
    assert "v2" not in closed.octets.decode()


def test_428_for_a_creation_asks_for_if_none_match() -> None:
    problem_ = told(problem.precondition_required(facts(), None))
    assert problem_["advice"] == ["To create the resource only if it is not there, send: If-None-Match: *"]


def test_400_names_the_field_the_place_and_the_right_form() -> None:
    fields = (("If-Match", "abc"),)
    decision = evaluate("PUT", fields, CURRENT.representation)
    answer = problem.malformed_condition(decision, facts("PUT", *fields), CURRENT)
    problem_ = told(answer)
    assert answer.status == 400
    assert problem_["precondition"]["field"] == "If-Match"
    assert problem_["precondition"]["presented"] == "abc"
    assert problem_["precondition"]["position"] == 0
    assert {hint["cause"] for hint in problem_["hints"]} == {"malformed-validator"}


def test_304_carries_validators_and_company_and_no_content() -> None:
    answer = problem.not_modified(CURRENT, now=NOW)
    assert (answer.status, answer.octets) == (304, b"")
    assert answer.fields == (
        ("ETag", '"v2"'),
        ("Last-Modified", "Mon, 09 Mar 2026 09:00:00 GMT"),
        ("Cache-Control", "no-cache"),
        ("Vary", "Accept"),
    )


def test_a_modification_date_in_the_future_is_replaced_by_now() -> None:
    current = Current(representation=Representation(etag='"v2"', last_modified=NOW + timedelta(hours=1)))
    assert problem.not_modified(current, now=NOW).field("Last-Modified") == "Tue, 10 Mar 2026 09:00:00 GMT"


def test_the_current_representation_when_the_client_prefers_it() -> None:
    fields = (("If-Match", '"v1"'), ("Prefer", "return=representation"))
    answer = refused(*fields, content=CURRENT.content)
    assert answer.status == 412
    assert answer.octets == b'{"text": "hello"}'
    assert answer.field("Content-Type") == "application/json"
    assert answer.field("ETag") == '"v2"'
    assert answer.field("Content-Location") == "/notes/1"
    assert answer.field("Preference-Applied") == "return=representation"


@pytest.mark.parametrize(
    ("method", "prefer", "disclosure", "wanted"),
    [
        ("PUT", "return=representation", Disclosure(), True),
        ("PATCH", "return=representation", Disclosure(), True),
        ("PUT", "return=minimal", Disclosure(), False),
        ("GET", "return=representation", Disclosure(), False),
        ("PUT", "return=representation", Disclosure(representation=False), False),
        ("PUT", "return=representation", CLOSED, False),
    ],
)
def test_when_the_representation_is_wanted(method, prefer, disclosure, wanted) -> None:
    assert problem.wants_representation(facts(method, ("Prefer", prefer)), disclosure) is wanted


@given(value=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=5_000))
def test_no_value_makes_it_fail_or_large(value: str) -> None:
    fields = (("If-Match", value),)
    decision = evaluate("PUT", fields, CURRENT.representation)
    if decision.status == 412:
        answer = problem.precondition_failed(decision, facts("PUT", *fields), CURRENT, now=NOW)
        assert len(answer.octets) < 40_000
        json.loads(answer.octets)
    if decision.malformed:
        answer = problem.malformed_condition(decision, facts("PUT", *fields), CURRENT)
        assert len(answer.octets) < 40_000
        json.loads(answer.octets)


def test_415_names_what_is_taken() -> None:
    answer = problem.unsupported_media_type(facts("PATCH"), ["application/merge-patch+json"])
    assert (answer.status, answer.field("Accept-Patch")) == (415, "application/merge-patch+json")
    assert problem.unsupported_media_type(facts("PUT"), ["text/plain"]).field("Accept") == "text/plain"


def test_the_section_does_not_tell_that_the_weak_form_is_the_current_tag() -> None:
    for presented in ('W/"v2"', 'W/"v1"'):
        told_ = told(refused(("If-Match", presented), disclosure=CLOSED))
        assert told_["precondition"]["section"] == "RFC 9110 section 13.1.1"
    assert told(refused(("If-Match", 'W/"v2"')))["precondition"]["section"] == "RFC 9110 section 8.8.3.2"
