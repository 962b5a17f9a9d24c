"""No planted secret is left in a diagnosis, in any format; redacted traffic has the same causes."""

from __future__ import annotations

import json
from collections import defaultdict
from urllib.parse import quote

import pytest

from ifmatch.capture import read
from ifmatch.capture.redact import Redactor
from ifmatch.model.diagnosis import (
    Advice,
    Attempt,
    Because,
    Benign,
    Diagnosis,
    Incident,
    NextProbe,
    Outcome,
    Verdict,
)
from ifmatch.model.exchange import CaptureWarning, Provenance, Source, Vantage
from ifmatch.model.finding import Difficulty, Evidence, Finding, Fix, Repair, Role
from ifmatch.model.timeline import EventKind, Timeline, TimelineEvent, Version
from tests.capture.redaction.redaction_cases import (
    CASE,
    POSITIONS,
    ROOT,
    assert_no_secret,
    dump,
    exists,
    left_in,
    planted,
)

# The title of a page is no part of the records, so nothing can quote it.
QUOTED = {name: secret for name, secret in POSITIONS.items() if name != "page-title"}


def quoting_everything():
    """Build a diagnosis that quotes every secret in every kind of string."""
    source = CASE["source_name"]
    at = Provenance(source, 0)
    evidence = tuple(
        Evidence(text.format(secret), 1.0, at, field="ETag")
        for secret in QUOTED.values()
        for text in ("the client sent {}", 'the answer says "{}".', "({})", "x={};")
    )
    evidence += tuple(Evidence("coded " + quote(secret, safe=""), 1.0) for secret in QUOTED.values())
    evidence += tuple(Evidence("as JSON " + json.dumps(secret), -1.0) for secret in QUOTED.values())
    everything = " and ".join(QUOTED.values())
    command = (
        "curl -X PUT " + " ".join(f"-H 'X-A: {s}'" for s in QUOTED.values() if "'" not in s) + " https://h/"
    )
    fix = Fix(
        "send " + everything,
        Difficulty.EASY,
        Role.CLIENT,
        Repair.ASK,
        command,
        "grep " + json.dumps(everything),
    )
    url = planted().exchanges[10].request.url
    timeline = Timeline(
        url,
        (everything,),
        (Version("v1", ('"v1"', everything), made_by=everything, made_at=at),),
        (
            TimelineEvent(
                None,
                everything,
                EventKind.REFUSED,
                "PUT",
                412,
                at,
                presented="If-Match: " + everything,
                note=everything,
            ),
        ),
    )
    incident = Incident(
        "1",
        Outcome.REFUSED,
        Verdict.CAUSE,
        url,
        "PUT",
        412,
        at,
        actor=everything,
        attempts=(Attempt(at, 412, 1.0),),
        findings=(Finding("other-writer", 0.9, everything, evidence, (fix,)),),
        contributing=(Because("self-race", everything),),
        explained_away=(Because("self-race", everything, "other-writer"),),
        ruled_out=(Because("self-race", everything),),
        next_probe=NextProbe(everything, command),
        timeline=timeline,
    )
    return Diagnosis(
        (
            Source(
                source, "har", 30, Vantage.CLIENT, everything, everything, 0, (CaptureWarning(everything, 3),)
            ),
        ),
        (incident,),
        (Benign(at, 412, everything),),
        (Advice(everything, "token-missing", at),),
    )


@pytest.fixture(scope="module")
def redacted():
    one = Redactor(b"k")
    one.learn([planted()])
    return one.diagnosis(quoting_everything())


def test_the_diagnosis_quotes_every_secret():
    assert set(left_in(dump(quoting_everything()))) == set(QUOTED)


def test_no_secret_is_left_in_a_diagnosis(redacted):
    assert_no_secret(dump(redacted))


def test_what_carries_no_secret_stays(redacted):
    before = quoting_everything().incidents[0]
    after = redacted.incidents[0]
    for name in ("id", "outcome", "verdict", "method", "status", "repair", "same_cause_as"):
        assert getattr(after, name) == getattr(before, name)
    assert after.exchange.source == redacted.sources[0].name == after.findings[0].evidence[0].at.source
    assert after.exchange.source.startswith("bug-masked-")
    assert after.findings[0].cause == "other-writer"
    assert after.findings[0].evidence[0].text.startswith("the client sent masked-")
    assert after.timeline.versions[0].validators[0] == '"v1"'
    assert after.attempts[0].at == 1.0


def test_redacting_a_diagnosis_twice_changes_nothing_more(redacted):
    one = Redactor(b"k")
    one.learn([planted()])
    assert one.diagnosis(redacted) == redacted


@pytest.mark.parametrize("report_format", ["text", "markdown", "json", "html", "sarif", "junit"])
def test_no_secret_is_left_in_any_report_format(redacted, report_format):
    render = getattr(pytest.importorskip("ifmatch.report"), "render", None)
    if render is None:
        pytest.skip("ifmatch.report cannot render")
    assert_no_secret(render(redacted, report_format))


@pytest.mark.parametrize("report_format", ["text", "markdown", "json", "html", "sarif", "junit"])
def test_no_secret_is_left_from_end_to_end(report_format):
    render = getattr(pytest.importorskip("ifmatch.report"), "render", None)
    diagnose = getattr(pytest.importorskip("ifmatch.diagnosis"), "diagnose", None)
    if render is None or diagnose is None:
        pytest.skip("ifmatch.report or ifmatch.diagnosis is not there")
    capture = planted()
    diagnosis = diagnose([capture])
    assert diagnosis.incidents
    one = Redactor(b"k")
    one.learn([capture])
    assert_no_secret(render(one.diagnosis(diagnosis), report_format))


# -- real recordings ------------------------------------------------------------------


def recordings():
    cases = defaultdict(list)
    for path in sorted((ROOT / "cases" / "lab").glob("*.har")):
        with path.open("rb") as stream:
            cases[path.name.partition(".")[0]].append(read(stream, path.name))
    return cases


LAB = recordings()
CONDITIONAL = (
    "etag",
    "if-match",
    "if-none-match",
    "if-range",
    "if-modified-since",
    "if-unmodified-since",
    "last-modified",
    "date",
    "cache-control",
    "vary",
    "age",
    "content-type",
    "content-length",
)


def strings(capture):
    for exchange in capture.exchanges:
        for message in (exchange.request, exchange.response):
            if message is not None:
                yield message


def test_there_are_recordings():
    assert len(LAB) >= 40


@pytest.mark.parametrize("case", LAB)
def test_conditional_fields_of_recordings_stay_and_equal_stays_equal(case):
    one = Redactor(b"k")
    one.learn(LAB[case])
    masks, originals = {}, {}
    for capture in LAB[case]:
        for before, after in zip(strings(capture), strings(one.capture(capture)), strict=True):
            for name in CONDITIONAL:
                assert before.fields.get_all(name) == after.fields.get_all(name)
            pairs = [(b, a) for (_, b), (_, a) in zip(before.fields.pairs, after.fields.pairs, strict=True)]
            if before.content:
                pairs.append((before.content.octets, after.content.octets))
            for old, new in pairs:
                assert masks.setdefault(old, new) == new or old.lower() in {b"", ""}
                assert originals.setdefault(new, old) == old


@pytest.mark.parametrize("options", [{}, {"bodies": "mask"}, {"redact_tags": True}], ids=str)
def test_redacted_recordings_have_the_same_first_cause(options):
    if not exists("ifmatch.diagnosis.case.reconstruction"):
        pytest.skip("ifmatch.diagnosis is not there")
    from ifmatch.diagnosis import diagnose

    def causes(diagnosis):
        return [
            (one.outcome, one.verdict, one.status, one.findings[0].cause if one.findings else None)
            for one in diagnosis.incidents
        ]

    for case, captures in LAB.items():
        one = Redactor(b"k", **options)
        one.learn(captures)
        assert causes(diagnose([one.capture(c) for c in captures])) == causes(diagnose(captures)), case


def test_a_diagnosis_of_recordings_without_secrets_in_it_stays_word_for_word():
    if not exists("ifmatch.diagnosis.case.reconstruction"):
        pytest.skip("ifmatch.diagnosis is not there")
    from ifmatch.diagnosis import diagnose

    for case, captures in LAB.items():
        diagnosis = diagnose(captures)
        one = Redactor(b"k")
        one.learn(captures)
        before, after = dump(diagnosis).split("\n"), dump(one.diagnosis(diagnosis)).split("\n")
        changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
        # Queries and user names are hidden; nothing else of these recordings is secret.
        assert all("?" in old for old, _ in changed), (case, changed[:3])
