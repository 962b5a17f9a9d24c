"""A look and a create-only write in one capture whose clock shows whole seconds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stories_reader import exchange_of

from ifmatch.diagnosis import diagnose
from ifmatch.model.exchange import Capture

LOOK = 'A 0~{took} GET /seats/14c => 200 ; ETag: "s1" | {{"held": "Ida"}}'
MADE = 'A {at} PUT /seats/14c ; If-None-Match: * | {{"held": "Oto"}} => {status} ; ETag: "s2"'


def causes_by_whole_seconds(*lines):
    groups = {}
    exchanges = []
    for line in lines:
        exchange = exchange_of(line, groups)
        groups[exchange.provenance.source].append(exchange)
        exchanges.append(replace(exchange, started=float(int(exchange.started)), resolution=1.0))
    found = diagnose([Capture("A.har", "har", tuple(exchanges))])
    return [one.findings[0].cause for one in found.incidents if one.findings]


@pytest.mark.parametrize(("took", "at"), [(0, 0), (0.3, 0.5), (2, 1), (5, 0.1), (5, 4.99)])
@pytest.mark.parametrize("status", [200, 204])
def test_a_read_that_may_still_be_under_way_shows_nothing_of_the_state_that_a_write_met(
    took, at, status
) -> None:
    assert causes_by_whole_seconds(LOOK.format(took=took), MADE.format(at=at, status=status)) == []


@pytest.mark.parametrize(("took", "at"), [(0.3, 2), (1.2, 3)])
def test_a_look_that_was_over_tells_that_the_write_replaced_what_was_there(took, at) -> None:
    found = causes_by_whole_seconds(LOOK.format(took=took), MADE.format(at=at, status=204))
    assert found == ["precondition-ignored"]
