"""How often a write is tried: bounded by attempts and time, but never ended before the row was held."""

from __future__ import annotations

import pytest

from ifmatch.server.loop import Limits
from ifmatch.server.models.attempts import Request, Tries
from ifmatch.server.refusal import PreconditionRefusedError
from ifmatch.server.stores.protocol import Lost
from tests.server.models.places import SETTINGS, facts

REQUEST = Request(facts("PUT"), SETTINGS, None, None)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_second_attempt_is_made_after_the_deadline_too_and_no_third() -> None:
    clock = Clock()
    tries = Tries(REQUEST, Limits(seconds=5.0), clock=clock, uniform=lambda: 0.5)
    clock.now = 20.0
    assert not tries.was_overtaken
    assert tries.pause(Lost("busy")) == 0.0
    assert (tries.number, tries.was_overtaken) == (2, True)
    with pytest.raises(PreconditionRefusedError) as refusal:
        tries.pause(Lost("busy"))
    assert refusal.value.answer.status == 503


def test_pauses_double_up_to_the_longest_and_end_with_the_deadline() -> None:
    clock = Clock()
    limits = Limits(attempts=5, seconds=5.0, first_pause=1.0, longest_pause=3.0)
    tries = Tries(REQUEST, limits, clock=clock, uniform=lambda: 1.0)
    assert [tries.pause(Lost()), tries.pause(Lost()), tries.pause(Lost())] == [1.0, 2.0, 3.0]
    clock.now = 4.5
    assert tries.pause(Lost()) == 0.5
    with pytest.raises(PreconditionRefusedError):
        tries.pause(Lost())
