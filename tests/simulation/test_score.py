"""Counting right and wrong answers, and taking evidence away."""

from __future__ import annotations

import pytest

from tools.simulation import score
from tools.simulation.corpus import capture, cases
from tools.simulation.degrade import VARIANTS
from tools.simulation.score import First, Tally, first_of, total

CASE = next(one for one in cases("dev") if one.family == "silent-losses" and len(one.files) == 3)


def test_a_tally_tells_right_high_wrong_and_undecided() -> None:
    tally = Tally()
    tally.add(First("self-race", 0.9, undecided=False), ("self-race",), "self-race")
    tally.add(First("self-race", 0.5, undecided=True), ("self-race",), "self-race")
    tally.add(First("other-writer", 0.8, undecided=False), ("self-race",), "self-race")
    tally.add(First("none", 0.0, undecided=False), ("self-race",), "self-race")
    tally.add(First("none", 0.0, undecided=False), ("none", "self-race"), "self-race")
    assert (tally.cases, tally.right, tally.high, tally.wrong_high, tally.undecided) == (5, 3, 2, 1, 1)
    assert tally.confusions == {("self-race", "other-writer"): 1, ("self-race", "none"): 1}
    assert total([tally, tally]).cases == 10


def test_expected_control_flow_may_be_told_as_benign() -> None:
    one = next(one for one in cases("dev") if one.cause == "expected-control-flow")
    assert set(one.wanted("all")) == {"expected-control-flow", "none"}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_keeps_the_case_judgeable(name) -> None:
    captures = tuple(capture(path) for path in CASE.files)
    after = VARIANTS[name](captures)
    assert len(after) == len(captures) - (name == "a file less")
    assert isinstance(first_of(after), First)


def test_variants_change_what_they_say() -> None:
    captures = tuple(capture(path) for path in CASE.files)
    first = captures[0]
    assert len(VARIANTS["cut"](captures)[0].exchanges) == len(first.exchanges) - 1
    assert VARIANTS["begun late"](captures)[0].exchanges == first.exchanges[1:]
    assert VARIANTS["second incident"](captures)[0].exchanges[-1].request.url.endswith("/notes/7")
    assert len(VARIANTS["among noise"](captures)[0].exchanges) >= len(first.exchanges) + 100
    assert {one.started % 1 for one in VARIANTS["whole seconds"](captures)[0].exchanges} == {0.0}
    assert all(
        name.islower() for name, _ in VARIANTS["lower-case names"](captures)[0].exchanges[0].request.fields
    )
    assert [one.name for one in VARIANTS["renamed"](captures)] != [one.name for one in captures]
    bodies = [one.response.content for one in VARIANTS["without bodies"](captures)[0].exchanges]
    assert bodies != [one.response.content for one in first.exchanges]


def test_holdout_cases_are_never_named(capsys, monkeypatch) -> None:
    few = list(cases("holdout"))[:12]
    monkeypatch.setattr(score, "cases", lambda _split: few)
    monkeypatch.setattr(score, "first_of", lambda _captures: First("none", 0.0, undecided=False))
    monkeypatch.setattr("sys.argv", ["score", "--split", "holdout"])
    assert score.main() == 0
    printed = capsys.readouterr().out
    assert "all families" in printed
    assert not any(one.id in printed for one in few)
