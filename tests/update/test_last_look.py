"""A bound that is reached while a write is in doubt: one look, while there is time, settles most of it."""

from __future__ import annotations

import pytest

from ifmatch.update import (
    BudgetExhaustedError,
    Edit,
    JsonMarker,
    Limits,
    OutcomeUnknownError,
    State,
    TokenBucket,
)
from tests.update.playing import answer, cut, play, requests, waits

KNOWN = State(b'{"n":1,"_writes":["op-0"]}', ('"1"',), "application/json")
SAME = answer(200, b'{"n":1,"_writes":["op-0"]}', tag='"1"')
LANDED = answer(200, b'{"n":2,"_writes":["op-0","op-1"]}', tag='"2"')
OTHERS = answer(200, b'{"n":7,"_writes":["op-0","op-5"]}', tag='"7"')
UNMARKED = answer(200, b'{"n":7}', tag='"7"')
LATER = {"Retry-After": "60"}
MINUTE_LATER = {"Retry-After": "Tue, 01 Jul 2025 10:01:00 GMT", "Date": "Tue, 01 Jul 2025 10:00:00 GMT"}
SHORT = Limits(seconds=10)


def increment(document):
    document["n"] += 1
    return document


def run(script, *, limits=SHORT, **options):
    end, commands = play(
        Edit(increment), script, known=KNOWN, authorship=JsonMarker(), limits=limits, **options
    )
    return end, [command.method for command in requests(commands)], waits(commands)


BOUNDS = {
    "a hint beyond the deadline": ([answer(503, **LATER)], {}),
    "a date beyond the deadline": ([answer(503, **MINUTE_LATER)], {}),
    "milliseconds beyond the deadline": ([answer(502, **{"retry-after-ms": "60000"})], {}),
    "no failure more": ([cut()], {"limits": Limits(transport=0)}),
    "no retry budget": ([cut()], {"bucket": TokenBucket(0)}),
    "a pause beyond the deadline": ([cut()], {"limits": Limits(seconds=1, first_pause=4)}),
    "throttled while in doubt": ([cut(), SAME, answer(429, **LATER)], {}),
    "unreachable while in doubt": (
        [cut(), SAME, cut(sent=False)],
        {"limits": Limits(transport=1)},
    ),
    "refused, with a hint, while in doubt": ([cut(), SAME, answer(412, **LATER)], {}),
    "refused once too often while in doubt": (
        [cut(), SAME, answer(412)],
        {"limits": Limits(conflicts=0)},
    ),
}
bounds = pytest.mark.parametrize(("script", "options"), BOUNDS.values(), ids=BOUNDS)


@bounds
def test_an_own_write_is_found(script, options) -> None:
    end, methods, pauses = run([*script, LANDED], **options)
    assert (end.how, end.after) == ("already-applied", ('"2"',))
    assert methods[-1] == "GET"
    assert sum(pauses) < 10


@bounds
def test_a_write_that_was_never_there_is_called_not_applied(script, options) -> None:
    end, methods, _ = run([*script, OTHERS], **options)
    assert isinstance(end, BudgetExhaustedError)
    assert "nothing was written" in str(end)
    assert methods[-1] == "GET"


@bounds
def test_what_tells_nothing_stays_unknown(script, options) -> None:
    end, methods, _ = run([*script, UNMARKED], **options)
    assert isinstance(end, OutcomeUnknownError)
    assert end.last_seen.token == ('"7"',)
    assert methods[-1] == "GET"


def test_the_version_before_does_not_show_that_a_write_will_not_come_late() -> None:
    end, methods, _ = run([answer(503, **LATER), SAME])
    assert isinstance(end, OutcomeUnknownError)
    assert (end.last_seen.token, end.holds) == (('"1"',), False)
    assert "still there" in str(end)
    assert "60" in str(end)
    assert methods == ["PUT", "GET"]


@pytest.mark.parametrize("read", [answer(503, **LATER), answer(503), cut(), cut(sent=False), answer(403)])
@pytest.mark.parametrize("script", [[answer(503, **LATER)], [cut()]])
def test_a_look_that_fails_leaves_it_unknown(script, read) -> None:
    end, methods, _ = run([*script, read], limits=Limits(seconds=10, transport=len(script) - 1))
    assert isinstance(end, OutcomeUnknownError)
    assert end.last_seen is None
    assert methods == ["PUT", "GET"]


def test_after_the_deadline_nobody_looks() -> None:
    late = answer(503, elapsed=10.0, **LATER)
    end, methods, pauses = run([late])
    assert isinstance(end, OutcomeUnknownError)
    assert (methods, pauses) == (["PUT"], [])


def test_the_look_has_its_time() -> None:
    _, _, pauses = run([cut(), LANDED], limits=Limits(seconds=1, first_pause=4))
    assert 0 < sum(pauses) <= 0.5


def test_a_write_that_is_surely_not_applied_needs_no_look() -> None:
    end, methods, pauses = run([answer(429, **LATER)])
    assert isinstance(end, BudgetExhaustedError)
    assert (methods, pauses) == (["PUT"], [])


def test_the_last_failure_is_named_with_the_pause_that_is_too_long() -> None:
    end, _, _ = run([cut("no route to host", sent=False)] * 9, limits=Limits(seconds=0.2))
    assert isinstance(end, BudgetExhaustedError)
    assert "no route to host" in str(end)


# Accepted for later: a copy would wait in the same queue, where the condition may be looked at no more.


def test_a_write_that_was_accepted_for_later_is_waited_for() -> None:
    end, methods, _ = run([answer(202), SAME, SAME, LANDED])
    assert end.how == "already-applied"
    assert methods == ["PUT", "GET", "GET", "GET"]


def test_a_write_that_was_accepted_for_later_is_never_sent_again() -> None:
    end, methods, _ = run([answer(202), *[SAME] * 9], limits=Limits(transport=4))
    assert isinstance(end, OutcomeUnknownError)
    assert "202" in str(end)
    assert methods == ["PUT", *["GET"] * 5]


def test_a_write_that_was_accepted_and_overtaken_is_made_anew() -> None:
    end, methods, _ = run([answer(202), SAME, OTHERS, answer(200, tag='"9"')])
    assert end.how == "applied"
    assert methods == ["PUT", "GET", "GET", "PUT"]
