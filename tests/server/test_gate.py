"""One judgement under each policy: what is answered, what is only reported, and which event tells of it."""

from __future__ import annotations

import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from ifmatch import Representation
from ifmatch.server.answers import Current, RequestFacts, current_of
from ifmatch.server.conditional import admit, refuse_media_type
from ifmatch.server.events import log_event
from ifmatch.server.gate import Judgement, Settings, anonymous_client, judge
from ifmatch.server.policy import Policy, Stage
from ifmatch.server.refusal import PreconditionRefusedError
from ifmatch.server.shadow import Shadow
from ifmatch.server.stores.memory import MemoryStore
from ifmatch.server.stores.protocol import ABSENT, Content

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
CURRENT = Current(
    representation=Representation(etag='"v2"', last_modified=datetime(2026, 3, 9, 9, 0, tzinfo=UTC))
)
SETTINGS = Settings(client=lambda _: "one", sinks=(lambda _: None,))


def judged(
    policy: Policy, method: str, *fields, current: Current | None = CURRENT, creates=None
) -> Judgement:
    facts = RequestFacts(method, "/notes/1", fields, "/notes/{id}")
    return judge(facts, current, settings=SETTINGS, policy=policy, creates=creates, now=NOW)


def summary(judgement: Judgement) -> tuple:
    event, answer = judgement.event, judgement.answer
    return (
        None if answer is None else answer.status,
        None if event is None else (event.outcome, event.cause, event.applied),
    )


HONOUR, ENFORCE, REPORT = (Policy(stage=s) for s in (Stage.HONOUR, Stage.ENFORCE, Stage.REPORT_ONLY))
LENIENT = Policy(malformed="evaluate")
STALE, FRESH = ("If-Match", '"v1"'), ("If-Match", '"v2"')


@pytest.mark.parametrize(
    ("policy", "method", "fields", "expected"),
    [
        (HONOUR, "PUT", [STALE], (412, ("refused", "undecided", True))),
        (HONOUR, "PUT", [FRESH], (None, ("passed", "", False))),
        (HONOUR, "PUT", [], (None, ("unguarded", "", False))),
        (HONOUR, "GET", [], (None, None)),
        (HONOUR, "GET", [("If-None-Match", '"v2"')], (304, ("not-modified", "", True))),
        (HONOUR, "GET", [STALE], (412, ("refused", "undecided", True))),
        (HONOUR, "POST", [], (None, None)),
        (HONOUR, "OPTIONS", [STALE], (None, None)),
        (HONOUR, "PUT", [("If-None-Match", "*")], (412, ("refused", "exists-already", True))),
        (HONOUR, "PUT", [("If-Match", 'W/"v2"')], (412, ("refused", "etag-weakened", True))),
        (HONOUR, "PUT", [("If-Match", "v2")], (400, ("malformed", "malformed-validator", True))),
        (HONOUR, "PUT", [("If-None-Match", "v1")], (400, ("malformed", "malformed-validator", True))),
        (HONOUR, "GET", [("If-None-Match", "v1")], (None, None)),
        (HONOUR, "GET", [("If-Match", "v2")], (412, ("refused", "malformed-validator", True))),
        (REPORT, "PUT", [STALE], (None, ("refused", "undecided", False))),
        (REPORT, "PUT", [("If-Match", "v2")], (None, ("malformed", "malformed-validator", False))),
        (REPORT, "PUT", [], (None, ("missing", "token-missing", False))),
        (REPORT, "GET", [("If-None-Match", '"v2"')], (None, ("not-modified", "", False))),
        (ENFORCE, "PUT", [], (428, ("missing", "token-missing", True))),
        (ENFORCE, "DELETE", [], (428, ("missing", "token-missing", True))),
        (ENFORCE, "PUT", [FRESH], (None, ("passed", "", False))),
        (ENFORCE, "PUT", [("If-None-Match", '"other"')], (None, ("passed", "", False))),
        (ENFORCE, "GET", [], (None, None)),
        # An invalid date guards nothing, so it does not count as a precondition.
        (ENFORCE, "PUT", [("If-Unmodified-Since", "now")], (428, ("missing", "token-missing", True))),
        (
            ENFORCE,
            "PUT",
            [("If-Unmodified-Since", "Tue, 10 Mar 2026 09:00:00 GMT")],
            (None, ("passed", "", False)),
        ),
        (Policy(stage=Stage.OFF), "PUT", [STALE], (None, None)),
        (Policy(stage=Stage.SHADOW), "PUT", [STALE], (None, None)),
        (
            LENIENT,
            "PUT",
            [("If-Match", "v2")],
            (412, ("refused", "malformed-validator", True)),
        ),
        (LENIENT, "PUT", [("If-None-Match", "v1")], (None, ("passed", "", False))),
    ],
)
def test_judgements(policy, method, fields, expected) -> None:
    assert summary(judged(policy, method, *fields)) == expected


def test_without_a_current_state_only_creations_are_judged() -> None:
    assert summary(judged(ENFORCE, "PUT", current=None)) == (None, None)
    strict = Policy(stage=Stage.ENFORCE, creations=True)
    assert summary(judged(strict, "PUT", current=None))[0] == 428
    assert summary(judged(strict, "DELETE", current=None)) == (None, None)
    assert summary(judged(HONOUR, "DELETE", STALE, current=None)) == (None, ("passed", "", False))
    assert summary(judged(HONOUR, "PUT", STALE, current=None)) == (412, ("refused", "target-missing", True))
    assert summary(judged(HONOUR, "PATCH", STALE, current=None, creates=True))[0] == 412
    assert summary(judged(HONOUR, "PUT", STALE, current=None, creates=False))[0] is None


def test_during_a_grace_a_write_gets_through_with_a_notice() -> None:
    until = NOW + timedelta(days=30)
    judgement = judged(Policy(stage=Stage.ENFORCE, grace_until=until), "PUT")
    assert summary(judgement) == (None, ("missing", "token-missing", False))
    assert judgement.notice[0] == ("Precondition-Required-From", "Thu, 09 Apr 2026 09:00:00 GMT")
    assert 'rel="help"' in dict(judgement.notice)["Link"]
    after = judged(Policy(stage=Stage.ENFORCE, grace_until=NOW), "PUT")
    assert summary(after)[0] == 428


def test_admit_gives_reads_their_lines_and_writes_none() -> None:
    current = Current(representation=CURRENT.representation, fields=(("Vary", "Accept"),))
    read = admit(RequestFacts("GET", "/", ()), current, settings=SETTINGS, clock=lambda: NOW)
    assert [name for name, _ in read.fields] == ["ETag", "Last-Modified", "Vary"]
    write = admit(RequestFacts("PUT", "/", (FRESH,)), current, settings=SETTINGS, clock=lambda: NOW)
    assert write.fields == ()


@pytest.mark.parametrize(
    ("stage", "fields", "use_range"),
    [
        (Stage.HONOUR, [("Range", "bytes=0-1")], True),
        (Stage.HONOUR, [("Range", "bytes=0-1"), ("If-Range", '"v1"')], False),
        (Stage.HONOUR, [("Range", "bytes=0-1"), ("If-Range", '"v2"')], True),
        (Stage.HONOUR, [], False),
        (Stage.OFF, [("Range", "bytes=0-1")], True),
        (Stage.OFF, [("Range", "bytes=0-1"), ("If-Range", '"v1"')], False),
        (Stage.REPORT_ONLY, [("Range", "bytes=0-1"), ("If-Range", '"v1"'), ("If-Match", '"v1"')], False),
        (Stage.REPORT_ONLY, [("Range", "bytes=0-1"), ("If-Match", '"v1"')], True),
    ],
)
def test_whether_a_range_may_be_honoured(stage, fields, use_range) -> None:
    facts = RequestFacts("GET", "/", fields)
    assert admit(facts, CURRENT, settings=SETTINGS, policy=Policy(stage=stage)).use_range is use_range


def test_a_single_policy_is_refused_where_policies_are_wanted() -> None:
    with pytest.raises(TypeError, match=r"Policies\(default=Policy\(...\)\)"):
        Settings(policies=HONOUR)  # type: ignore[arg-type]


def test_media_types_are_checked_only_where_content_comes() -> None:
    def refuses(method: str, *fields) -> bool:
        try:
            refuse_media_type(RequestFacts(method, "/", fields), ["application/json"])
        except PreconditionRefusedError as refusal:
            return refusal.answer.status == 415
        return False

    assert not refuses("PUT", ("Content-Type", "Application/JSON; charset=utf-8"))
    assert refuses("PUT", ("Content-Type", "text/plain"))
    assert refuses("PUT")
    assert not refuses("GET")
    assert not refuses("DELETE")


def test_what_an_application_may_supply() -> None:
    store = MemoryStore()
    store.swap("a", ABSENT, Content(b"x"))
    snapshot = store.read("a")
    current = current_of(snapshot)
    assert current is not None
    assert current.representation == snapshot.representation
    assert current.content == Content(b"x")
    assert current_of(None) is None
    assert current_of(CURRENT) is CURRENT
    assert current_of(Representation()) == Current(representation=Representation())
    with pytest.raises(TypeError, match="not str"):
        current_of('"v1"')  # type: ignore[arg-type]


def test_anonymous_clients_are_told_apart_and_their_secrets_are_not_told() -> None:
    def name(*fields, **options) -> str:
        return anonymous_client(RequestFacts("GET", "/", fields), **options)

    agent = ("User-Agent", "python-requests/2.34 (secret laptop)")
    one = name(agent, ("Authorization", "Bearer TOKEN-A"))
    two = name(agent, ("Authorization", "Bearer TOKEN-B"))
    assert one != two
    assert one == name(agent, ("Authorization", "Bearer TOKEN-A"))
    assert one.startswith("python-requests/2.34#")
    assert "TOKEN" not in one
    assert "laptop" not in one
    assert name(agent, key=b"a") == name(agent, key=b"a") != name(agent, key=b"b")
    assert name(("User-Agent", 'x"}\n evil')).startswith("x#")
    assert name().startswith("unnamed#")


def test_the_share_is_the_same_in_every_process() -> None:
    # Two processes differ in the key that names are made with.
    code = (
        "from datetime import UTC, datetime\n"
        "from ifmatch import Representation\n"
        "from ifmatch.server.answers import Current, RequestFacts\n"
        "from ifmatch.server.gate import Settings, judge\n"
        "from ifmatch.server.policy import Policy, Stage\n"
        "policy, current = Policy(stage=Stage.REQUIRE, share=0.5), Current(representation=Representation())\n"
        "for number in range(40):\n"
        "    facts = RequestFacts('PUT', '/', (('Authorization', f'Bearer {number}'),))\n"
        "    now = datetime.now(UTC)\n"
        "    judged = judge(facts, current, settings=Settings(sinks=()), policy=policy, now=now)\n"
        "    print(judged.answer is not None)\n"
    )
    outputs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    (output,) = outputs
    assert {"True", "False"} == set(output.split())


def test_no_event_is_made_when_only_the_log_listens_and_would_not_write_it(caplog) -> None:
    facts = RequestFacts("PUT", "/", (FRESH,))
    assert judge(facts, CURRENT, settings=Settings(), now=NOW).event is None
    with caplog.at_level(logging.DEBUG, "ifmatch.server"):
        event = judge(facts, CURRENT, settings=Settings(), now=NOW).event
        assert event is not None
        assert event.outcome == "passed"
    stale = RequestFacts("PUT", "/", (STALE,))
    with caplog.at_level(logging.WARNING, "ifmatch.server"):
        assert judge(stale, CURRENT, settings=Settings(), now=NOW).event is None
    with caplog.at_level(logging.INFO, "ifmatch.server"):
        event = judge(stale, CURRENT, settings=Settings(), now=NOW).event
        assert event is not None
        assert event.outcome == "refused"
        assert judge(facts, CURRENT, settings=Settings(), now=NOW).event is None


def test_events_are_logged_with_fields_for_machines(caplog) -> None:
    event = judged(HONOUR, "PUT", ("If-Match", 'W/"v2"')).event
    with caplog.at_level(logging.INFO, "ifmatch.server"):
        log_event(event)
        log_event(judged(HONOUR, "PUT", FRESH).event)  # of no interest at INFO
    (record,) = caplog.records
    assert record.getMessage() == "precondition refused: PUT /notes/{id}, If-Match, etag-weakened"
    assert record.ifmatch_cause == "etag-weakened"
    assert record.ifmatch_applied is True
    assert event.status == 412
    with caplog.at_level(logging.INFO, "ifmatch.server"):
        log_event(judged(REPORT, "PUT", STALE).event)
    assert "only reported" in caplog.records[-1].getMessage()


@pytest.mark.parametrize(
    ("field", "guarded"),
    [
        (STALE, True),
        (("If-None-Match", "*"), True),
        (("If-Unmodified-Since", "Mon, 09 Mar 2026 09:00:00 GMT"), True),
        (("If-Unmodified-Since", "2026-03-09T09:00:00.5Z"), False),
        (("If-Modified-Since", "Mon, 09 Mar 2026 09:00:00 GMT"), False),
        (("Range", "bytes=0-1"), False),
    ],
)
def test_the_shadow_takes_for_guarded_what_guards_a_write(field, guarded) -> None:
    shadow = Shadow()
    settings = Settings(shadow=shadow)
    settings.watch(RequestFacts("PUT", "/notes/1", (field,), "/notes/{id}"), 204, None)
    (row,) = shadow.report()["rows"]
    assert row["guarded"] == int(guarded)
