"""What the machine does with each answer, one script a case."""

from __future__ import annotations

import json

import pytest

from ifmatch.merge import Policies
from ifmatch.update import (
    DELETE,
    NOTHING,
    UNREAD,
    BudgetExhaustedError,
    DataConflictError,
    Edit,
    JsonMarker,
    JsonPatch,
    Limits,
    MergeDocument,
    MergePatch,
    NotAppliedError,
    NoValidatorError,
    OutcomeUnknownError,
    PreconditionRequiredError,
    RefusedTokenServedAgainError,
    Replace,
    State,
    TargetMissingError,
    TokenBucket,
)
from tests.update.playing import TARGET, answer, cut, play, requests, waits

ONE = answer(200, b'{"n":1}', tag='"1"')
TWO = answer(200, b'{"n":2}', tag='"2"')
DONE = answer(200, tag='"9"')
REFUSED = answer(412)
KNOWN = State(b'{"n":1}', ('"1"',), "application/json")
CARRIED = {"Preference-Applied": "return=representation", "Content-Location": "/documents/1"}


def increment(document):
    document["n"] += 1
    return document


def carried(octets=b'{"n":2}', *, tag='"2"', **changes):
    return answer(412, octets, tag=tag, **{**CARRIED, **changes})


def methods(commands):
    return [command.method for command in requests(commands)]


def test_one_read_one_write() -> None:
    end, commands = play(Edit(increment), [ONE, DONE])
    read, write = commands
    assert dict(read.fields) == {"Cache-Control": "no-cache", "Accept-Encoding": "identity"}
    assert dict(write.fields)["If-Match"] == '"1"'
    assert write.octets == b'{"n":2}'
    assert (end.how, end.before, end.after, end.conflicts, end.requests) == (
        "applied",
        ('"1"',),
        ('"9"',),
        0,
        2,
    )
    assert end.state.octets == b'{"n":2}'


def test_a_remembered_state_saves_the_read() -> None:
    end, commands = play(Edit(increment), [DONE], known=KNOWN)
    assert methods(commands) == ["PUT"]
    assert end.how == "applied"


def test_a_refusal_of_a_remembered_state_costs_a_read_and_no_pause() -> None:
    end, commands = play(Edit(increment), [REFUSED, TWO, DONE], known=KNOWN)
    assert methods(commands) == ["PUT", "GET", "PUT"]
    assert waits(commands) == []
    assert requests(commands)[2].octets == b'{"n":3}'
    assert (end.how, end.conflicts) == ("rebased", 1)


def test_a_loss_with_a_fresh_state_pauses_in_round_trips() -> None:
    end, commands = play(Edit(increment), [ONE, REFUSED, TWO, DONE], random=0.5)
    assert waits(commands) == [pytest.approx(0.5 * 2 * 0.01)]
    assert end.waited == pytest.approx(0.01)
    assert [attempt.waited for attempt in end.attempts] == [0.0, 0.0, pytest.approx(0.01), 0.0]


@pytest.mark.parametrize(
    ("refusal", "used"),
    [
        (carried(), True),
        (carried(**{"Content-Location": TARGET}), True),
        (carried(**{"Preference-Applied": "return=minimal"}), False),
        (carried(**{"Content-Location": "/documents/2"}), False),
        (carried(Age="7"), False),
        (carried(**{"X-Cache": "HIT from edge"}), False),
        (carried(tag='W/"2"'), False),
        (carried(tag='"1"'), False),
        (carried(tag=None), False),
        (carried(b""), False),
        (answer(412, b'{"n":2}', tag='"2"'), False),
    ],
)
def test_the_state_in_a_refusal_counts_only_under_the_rule(refusal, used) -> None:
    script = [refusal, DONE] if used else [refusal, TWO, DONE]
    _, commands = play(Edit(increment), script, known=KNOWN)
    assert methods(commands) == (["PUT", "PUT"] if used else ["PUT", "GET", "PUT"])
    assert requests(commands)[-1].octets == b'{"n":3}'


def test_the_refused_token_served_again_stops_at_once() -> None:
    stale = answer(200, b'{"n":1}', tag='"1"', Age="30", Via="1.1 edge")
    error, commands = play(Edit(increment), [REFUSED, stale], known=KNOWN)
    assert isinstance(error, RefusedTokenServedAgainError)
    assert (error.cache, error.cause, error.token) == ("Age: 30, Via: 1.1 edge", "stale-cache-read", ('"1"',))
    assert "Age: 30" in str(error)
    assert methods(commands) == ["PUT", "GET"]
    assert [attempt.status for attempt in error.attempts] == [412, 200]


@pytest.mark.parametrize(
    ("read", "cache", "cause"),
    [
        (answer(200, b"{}", tag='"1"', from_cache="hishel"), "hishel", "stale-cache-read"),
        (answer(200, b"{}", tag='"1"', X_Cache="HIT"), "X-Cache: HIT", "stale-cache-read"),
        (answer(200, b"{}", tag='"1"', X_Cache="MISS"), "", "etag-source-mismatch"),
        (answer(200, b"{}", tag='"1"', Age="0"), "", "etag-source-mismatch"),
    ],
)
def test_the_finding_names_the_cache(read, cache, cause) -> None:
    error, _ = play(Edit(increment), [REFUSED, read], known=KNOWN)
    assert isinstance(error, RefusedTokenServedAgainError)
    assert (error.cache, error.cause) == (cache, cause)


def test_a_refused_creation_of_what_is_not_there_stops() -> None:
    error, _ = play(Replace(b"{}", ()), [REFUSED, answer(404)], known=None)
    assert isinstance(error, RefusedTokenServedAgainError)
    assert error.cause == "server-precondition-bug"


@pytest.mark.parametrize("status", [404, 410])
def test_a_creation_where_nothing_can_be_made_says_so(status) -> None:
    error, commands = play(Replace(b"{}", ()), [answer(status), answer(404)], known=None)
    assert type(error) is NotAppliedError
    assert "bucket" in str(error)
    assert methods(commands) == ["PUT", "GET"]


# Ambiguous outcomes.


@pytest.mark.parametrize("lost", [cut(), answer(500), answer(502), answer(503), answer(504)])
def test_after_an_ambiguous_outcome_the_state_is_read_before_anything_is_sent(lost) -> None:
    end, commands = play(Edit(increment), [lost, ONE, DONE], known=KNOWN)
    assert methods(commands) == ["PUT", "GET", "PUT"]
    assert requests(commands)[0].octets == requests(commands)[2].octets
    assert end.how == "applied"


def test_an_own_write_is_proven_by_the_mark() -> None:
    landed = answer(200, b'{"n":3,"_writes":["op-0","op-1","op-2"]}', tag='"3"')
    known = State(b'{"n":1,"_writes":["op-0"]}', ('"1"',))
    end, commands = play(Edit(increment), [cut(), landed], known=known, authorship=JsonMarker())
    assert (end.how, end.after) == ("already-applied", ('"3"',))
    assert methods(commands) == ["PUT", "GET"]


def test_a_mark_that_is_not_there_shows_that_the_write_was_lost() -> None:
    other = answer(200, b'{"n":2,"_writes":["op-0","op-2"]}', tag='"2"')
    known = State(b'{"n":1,"_writes":["op-0"]}', ('"1"',))
    end, commands = play(Edit(increment), [cut(), other, DONE], known=known, authorship=JsonMarker())
    assert end.how == "applied"
    assert json.loads(requests(commands)[-1].octets) == {"n": 3, "_writes": ["op-0", "op-2", "op-1"]}


def test_a_refusal_whose_state_holds_our_mark_was_a_copy_of_our_own_write() -> None:
    landed = answer(200, b'{"n":2,"_writes":["op-0","op-1"]}', tag='"2"')
    known = State(b'{"n":1,"_writes":["op-0"]}', ('"1"',))
    end, _ = play(Edit(increment), [REFUSED, landed], known=known, authorship=JsonMarker())
    assert end.how == "already-applied"


def test_equal_content_alone_proves_nothing() -> None:
    error, _ = play(Edit(increment), [cut(), TWO], known=KNOWN)
    assert isinstance(error, OutcomeUnknownError)
    assert (error.holds, error.sent, error.last_seen.token) == (True, b'{"n":2}', ('"2"',))


def test_equal_content_is_enough_where_the_caller_says_so() -> None:
    end, _ = play(Edit(increment), [cut(), TWO], known=KNOWN, same_value_is_enough=True)
    assert end.how == "holds"


def test_other_content_is_unknown_even_then() -> None:
    other = answer(200, b'{"n":7}', tag='"7"')
    error, _ = play(Edit(increment), [cut(), other], known=KNOWN, same_value_is_enough=True)
    assert isinstance(error, OutcomeUnknownError)
    assert not error.holds


def test_a_refusal_after_the_transport_sent_twice_is_ambiguous() -> None:
    error, _ = play(Edit(increment), [answer(412, resent=True), TWO], known=KNOWN)
    assert isinstance(error, OutcomeUnknownError)


def test_no_error_claims_that_nothing_was_written_while_a_write_is_in_doubt() -> None:
    scripts = {
        "refused afterwards": [cut(), ONE, answer(403)],
        "not readable": [cut(), answer(403)],
        "a stale read": [cut(), ONE, REFUSED, ONE],
        "budget": [cut(), *[cut()] * 20],
    }
    for name, script in scripts.items():
        error, _ = play(Edit(increment), script, known=KNOWN)
        assert isinstance(error, OutcomeUnknownError), name


def test_an_older_state_than_the_base_proves_nothing() -> None:
    """The ring lacks our mark because the copy is older than our base."""
    before = answer(200, b'{"n":0,"_writes":["a"]}', tag='"0"')
    base = answer(200, b'{"n":1,"_writes":["a"]}', tag='"1"')
    script = [before, REFUSED, base, cut(), before]
    error, _ = play(Edit(increment), script, authorship=JsonMarker())
    assert isinstance(error, OutcomeUnknownError)


def test_a_request_that_surely_never_left_is_sent_again() -> None:
    end, commands = play(Edit(increment), [cut("refused", sent=False), DONE], known=KNOWN)
    assert methods(commands) == ["PUT", "PUT"]
    assert end.how == "applied"


# Creating and deleting.


def test_create_sends_if_none_match() -> None:
    end, commands = play(Replace(b'{"n":1}', ()), [answer(201, tag='"1"')], known=None)
    assert dict(commands[0].fields)["If-None-Match"] == "*"
    assert (end.how, end.before, end.after) == ("applied", (), ('"1"',))


def test_create_of_something_that_exists_is_a_conflict() -> None:
    error, _ = play(Replace(b'{"n":1}', ()), [REFUSED, TWO], known=None)
    assert isinstance(error, DataConflictError)
    assert error.conflicts[0].theirs == {"n": 2}
    assert error.theirs.token == ('"2"',)


def test_delete_of_what_was_read() -> None:
    end, commands = play(Replace(DELETE), [ONE, answer(204)])
    assert methods(commands) == ["GET", "DELETE"]
    assert dict(commands[1].fields)["If-Match"] == '"1"'
    assert (end.how, end.before, end.after) == ("applied", ('"1"',), ())


@pytest.mark.parametrize("gone", [answer(404), answer(410)])
def test_delete_of_something_gone_is_done(gone) -> None:
    end, _ = play(Replace(DELETE), [gone])
    assert end.how == "absent"
    end, _ = play(Replace(DELETE), [REFUSED, gone], known=KNOWN)
    assert end.how == "absent"


def test_delete_does_not_remove_what_changed_meanwhile() -> None:
    error, commands = play(Replace(DELETE), [ONE, REFUSED, TWO])
    assert isinstance(error, DataConflictError)
    assert methods(commands) == ["GET", "DELETE", "GET"]


def test_a_delete_without_an_answer_whose_target_is_gone_holds() -> None:
    end, _ = play(Replace(DELETE), [ONE, cut(), answer(404)])
    assert end.how == "holds"


def test_an_edit_of_nothing_says_so() -> None:
    error, _ = play(Edit(increment), [answer(404)])
    assert isinstance(error, TargetMissingError)


def test_an_edit_may_create() -> None:
    end, commands = play(Edit(lambda document: document or {"n": 0}, creates=True), [answer(404), DONE])
    assert dict(commands[1].fields)["If-None-Match"] == "*"
    assert end.how == "applied"


def test_a_target_that_vanished_is_not_made_again() -> None:
    error, _ = play(Edit(increment), [ONE, answer(404), answer(404)])
    assert isinstance(error, TargetMissingError)


# Changes.


def test_nothing_to_change_is_said_only_of_a_fresh_state() -> None:
    end, commands = play(Edit(lambda _: NOTHING), [TWO], known=KNOWN)
    assert methods(commands) == ["GET"]
    assert (end.how, end.before) == ("unchanged", ('"2"',))


def test_an_edit_that_changes_nothing_writes_nothing() -> None:
    end, _ = play(Edit(dict), [ONE])
    assert end.how == "unchanged"


def test_a_conflict_with_a_remembered_state_is_looked_at_first() -> None:
    change = MergeDocument({"n": 2}, {"n": 5})
    end, commands = play(change, [TWO, DONE], known=KNOWN)
    assert methods(commands) == ["GET", "PUT"]
    assert end.how == "applied"


def test_a_merge_patch_is_applied_to_the_newer_state() -> None:
    _, commands = play(MergePatch({"m": 1}), [REFUSED, TWO, DONE], known=KNOWN)
    assert json.loads(requests(commands)[-1].octets) == {"n": 2, "m": 1}


def test_a_json_patch_that_does_not_fit_is_not_written() -> None:
    patch = JsonPatch([{"op": "test", "path": "/n", "value": 1}, {"op": "replace", "path": "/n", "value": 5}])
    error, commands = play(patch, [REFUSED, TWO], known=KNOWN)
    assert isinstance(error, NotAppliedError)
    assert methods(commands) == ["PUT", "GET"]


def test_three_way_conflicts_come_as_data() -> None:
    change = MergeDocument({"n": 1, "m": 1}, {"n": 5, "m": 2})
    error, _ = play(change, [answer(200, b'{"n":2,"m":1}', tag='"2"')])
    assert isinstance(error, DataConflictError)
    [conflict] = error.conflicts
    assert (conflict.pointer, conflict.base, conflict.mine, conflict.theirs) == ("/n", 1, 5, 2)


def test_what_a_policy_decided_is_told() -> None:
    change = MergeDocument({"n": 1}, {"n": 5}, Policies({"/n": "mine"}))
    end, commands = play(change, [answer(200, b'{"n":2}', tag='"2"'), DONE])
    assert requests(commands)[-1].octets == b'{"n":5}'
    assert [(conflict.pointer, conflict.theirs) for conflict in end.resolved] == [("/n", 2)]


# Answers that end it.


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (428, PreconditionRequiredError),
        (403, NotAppliedError),
        (409, NotAppliedError),
        (422, NotAppliedError),
    ],
)
def test_other_refusals(status, kind) -> None:
    error, _ = play(Edit(increment), [answer(status, Location="x")], known=KNOWN)
    assert type(error) is kind
    assert error.answer.status == status
    assert "nothing was written" in str(error) or status == 428


def test_a_redirect_that_reaches_the_machine_is_named() -> None:
    error, _ = play(Edit(increment), [answer(307, Location="https://b.test/")], known=KNOWN)
    assert "https://b.test/" in str(error)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"tag": 'W/"1"'}, "weak"),
        ({"tag": "1"}, "no entity tag"),
        ({}, "Ask the service for an ETag"),
        ({"Last-Modified": "Tue, 01 Jul 2025 10:00:00 GMT"}, "date"),
    ],
)
def test_without_a_strong_tag_nothing_is_written(fields, said) -> None:
    error, commands = play(Edit(increment), [answer(200, b'{"n":1}', **fields)])
    assert isinstance(error, NoValidatorError)
    assert said in str(error)
    assert methods(commands) == ["GET"]


def test_a_tag_that_is_weak_only_until_it_settles_is_waited_for() -> None:
    young = answer(
        200,
        b'{"n":1}',
        tag='W/"1"',
        Server="Apache/2.4.62",
        **{"Last-Modified": "Tue, 01 Jul 2025 10:00:00 GMT", "Date": "Tue, 01 Jul 2025 10:00:01 GMT"},
    )
    end, commands = play(Edit(increment), [young, ONE, DONE])
    assert waits(commands) == [1.1]
    assert end.how == "applied"
    error, _ = play(Edit(increment), [young, young])
    assert isinstance(error, NoValidatorError)


# Bounds.


def test_the_deadline_holds_before_a_pause_begins() -> None:
    error, commands = play(
        Edit(increment), [answer(429, **{"Retry-After": "60"})], known=KNOWN, limits=Limits(seconds=10)
    )
    assert isinstance(error, BudgetExhaustedError)
    assert waits(commands) == []
    assert "60" in str(error)


def test_conflicts_are_bounded_apart_from_failures() -> None:
    bumps = [answer(200, b'{"n":1}', tag=f'"{number}"') for number in range(9)]
    script = [event for bump in bumps for event in (bump, REFUSED)]
    error, _ = play(Edit(increment), script, limits=Limits(conflicts=3, transport=0))
    assert isinstance(error, BudgetExhaustedError)
    assert len([attempt for attempt in error.attempts if attempt.status == 412]) == 4


def test_failures_are_bounded() -> None:
    error, _ = play(Edit(increment), [cut(sent=False)] * 9, known=KNOWN, limits=Limits(transport=2))
    assert isinstance(error, BudgetExhaustedError)
    assert len(error.attempts) == 3


def test_the_retry_budget_is_shared() -> None:
    bucket = TokenBucket(20)
    error, _ = play(Edit(increment), [answer(503)] * 3, bucket=bucket)
    assert isinstance(error, BudgetExhaustedError)
    assert bucket.tokens == 6
    play(Edit(increment), [DONE], known=KNOWN, bucket=bucket)
    assert bucket.tokens == 7


@pytest.mark.parametrize(
    ("fields", "least", "most"),
    [
        ({"retry-after-ms": "250"}, 0.25, 0.25),
        ({"x-ms-retry-after-ms": "40"}, 0.04, 0.04),
        ({"Retry-After": "2"}, 2.0, 2.1),
        ({"Retry-After": "Tue, 01 Jul 2025 10:00:03 GMT", "Date": "Tue, 01 Jul 2025 10:00:00 GMT"}, 3.0, 3.1),
        ({"Retry-After": "soon"}, 0.0, 0.05),
    ],
)
@pytest.mark.parametrize("status", [412, 429, 503])
def test_hints_of_the_server_are_kept(status, fields, least, most) -> None:
    _, commands = play(
        Edit(increment),
        [answer(status, **fields), ONE if status != 429 else DONE, DONE][: 2 if status == 429 else 3],
        known=State(b'{"n":0}', ('"0"',)),
    )
    pause = sum(waits(commands))
    assert least <= pause <= most


def test_the_status_of_what_was_read_first_is_named() -> None:
    error, _ = play(Edit(increment), [answer(401)], known=UNREAD)
    assert "401" in str(error)
