"""Every family's case file: recognised, guards, tokens, refusal, resource, as written there."""

from __future__ import annotations

import pytest
from dialect_cases import FOLDER, cases

from ifmatch.dialects import (
    View,
    built_in,
    changes_in,
    dialect,
    guards_of,
    lifetime_in,
    reads_in,
    recognise,
    refusal_of,
    replaces_in,
    resource_of,
    sent_state,
    shown_state,
    tokens_of,
)

CASES = cases()
KNOWN = [one for one in CASES if one.recognised == one.family]
LOOK_ALIKES = [one for one in CASES if one.recognised != one.family]


def _name(case):
    return f"{case.family}: {case.name}"


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_recognised(case) -> None:
    exchange = case.exchange
    found = recognise(exchange.request, *([exchange.response] if exchange.response else []))
    assert (found.dialect.id if found else None) == case.recognised, found


@pytest.mark.parametrize("case", KNOWN, ids=_name)
def test_guards(case) -> None:
    found = guards_of(case.exchange.request, dialect(case.family))
    shown = [" ".join(filter(None, (one.name, one.demands.value, one.current))) for one in found]
    assert shown == list(case.guards)
    assert any(not one.well_formed for one in found) is case.malformed


@pytest.mark.parametrize("case", KNOWN, ids=_name)
def test_tokens(case) -> None:
    exchange = case.exchange
    if exchange.response is None:
        return
    found = tokens_of(exchange.response, dialect(case.family), exchange.request)
    assert [f"{one.name.split('(')[0]} {one.value}" for one in found] == list(case.tokens)


@pytest.mark.parametrize("case", KNOWN, ids=_name)
def test_refusal(case) -> None:
    found = refusal_of(case.exchange, dialect(case.family))
    assert (found.meaning.value if found else None) == case.refusal
    assert (found.current if found else None) == case.current


@pytest.mark.parametrize("case", KNOWN, ids=_name)
def test_what_it_is_about(case) -> None:
    exchange, family = case.exchange, dialect(case.family)
    view = View(exchange.request, exchange.response)
    if case.resource is not None:
        assert resource_of(exchange.request, family).split("/", 3)[3] == case.resource.removeprefix("/")
    assert reads_in(view, family) is case.reads
    assert case.replaces in {None, replaces_in(view, family)}
    assert case.changes in {None, changes_in(view, family)}
    assert lifetime_in(view, family) == case.lifetime
    if case.sent_state is not None:
        assert sent_state(view, family) == case.sent_state
    if case.shown_state is not None:
        assert shown_state(view, family) == case.shown_state


def test_every_family_has_cases_and_a_look_alike() -> None:
    for family in built_in():
        own = [one for one in CASES if one.family == family.id]
        assert len(own) >= 4, family.id
        assert any(one.recognised != family.id for one in own), family.id
    assert {path.stem for path in FOLDER.glob("*.json")} == {family.id for family in built_in()}


def test_every_signal_that_means_something_of_its_own_is_covered() -> None:
    """Each meaning that a family's data knows is seen in one of its cases."""
    for family in built_in():
        meant = {signal.means.value for signal in family.signals}
        seen = {one.refusal for one in CASES if one.family == family.id}
        assert meant <= seen, (family.id, meant - seen)
