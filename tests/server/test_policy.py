"""A policy decides of whom a precondition is demanded; a rule decides where."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifmatch.server.answers import RequestFacts
from ifmatch.server.policy import Policies, Policy, Rule, Stage


def facts(method: str = "PUT", target: str = "/notes/1", route: str = "", *fields) -> RequestFacts:
    return RequestFacts(method, target, fields, route)


@pytest.mark.parametrize(
    ("stage", "evaluates", "refuses", "demands"),
    [
        (Stage.OFF, False, False, False),
        (Stage.SHADOW, False, False, False),
        (Stage.REPORT_ONLY, True, False, False),
        (Stage.HONOUR, True, True, False),
        (Stage.REQUIRE, True, True, True),
        (Stage.ENFORCE, True, True, True),
    ],
)
def test_what_each_stage_does(stage, evaluates, refuses, demands) -> None:
    policy = Policy(stage=stage)
    assert (policy.evaluates, policy.refuses, policy.demands(facts(), "one")) == (evaluates, refuses, demands)
    assert not policy.demands(facts("GET"), "one")
    assert not policy.demands(facts("POST"), "one")


@given(share=st.floats(0, 1), clients=st.lists(st.text(), unique=True, min_size=1))
def test_a_larger_share_keeps_the_clients_of_a_smaller(share: float, clients: list[str]) -> None:
    small = Policy(stage=Stage.REQUIRE, share=share / 2)
    large = Policy(stage=Stage.REQUIRE, share=share)
    for client in clients:
        assert large.demands(facts(), client) >= small.demands(facts(), client)
        assert large.demands(facts(), client) == large.demands(facts("DELETE"), client)


def test_the_share_is_about_met_and_depends_on_the_salt() -> None:
    clients = [f"client {number}" for number in range(2_000)]
    first = {c for c in clients if Policy(stage=Stage.REQUIRE, share=0.25).demands(facts(), c)}
    other = {c for c in clients if Policy(stage=Stage.REQUIRE, share=0.25, salt="b").demands(facts(), c)}
    assert 400 < len(first) < 600
    assert 400 < len(other) < 600
    assert len(first & other) < 200
    assert not any(Policy(stage=Stage.REQUIRE, share=0.0).demands(facts(), c) for c in clients)


def test_a_header_demands_of_all_who_send_it() -> None:
    policy = Policy(stage=Stage.REQUIRE, share=0.0, header="X-Preconditions")
    assert policy.demands(facts("PUT", "/", "", ("x-preconditions", "1")), "one")
    assert not policy.demands(facts(), "one")


@pytest.mark.parametrize(
    ("pattern", "target", "route", "applies"),
    [
        ("/notes/*", "/notes/1", "", True),
        ("/notes/*", "/notes/1?x=/2/3", "", True),
        ("/notes/*", "/notes/1/parts", "", False),
        ("/notes/**", "/notes/1/parts", "", True),
        ("/notes/{id}", "/notes/1", "/notes/{id}", True),
        ("/notes/{id}", "/notes/1", "", False),
        ("/notes.json", "/notesXjson", "", False),
        ("**", "/anything/at/all", "", True),
    ],
)
def test_where_a_rule_applies(pattern, target, route, applies) -> None:
    assert Rule(pattern, Policy()).applies(facts("PUT", target, route)) is applies


def test_the_first_rule_that_applies_counts() -> None:
    strict, loose = Policy(stage=Stage.ENFORCE), Policy(stage=Stage.OFF)
    policies = Policies((Rule("/notes/*", strict, frozenset({"DELETE"})), Rule("/notes/*", loose)), Policy())
    assert policies.select(facts("DELETE")) is strict
    assert policies.select(facts("PUT")) is loose
    assert policies.select(facts("PUT", "/other")).stage is Stage.HONOUR


def test_bad_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"from 0\.0 to 1\.0"):
        Policy(share=1.5)
    with pytest.raises(ValueError, match="time zone"):
        Policy(grace_until=datetime(2027, 1, 1))  # noqa: DTZ001 -- that is the case
