"""What the contract promises of every diagnosis, whatever the traffic: accounting, order, classes."""

from __future__ import annotations

from functools import cache
from zlib import crc32

import pytest
from recordings import capture, recordings
from stories_reader import Story, stories

from ifmatch.diagnosis import diagnose
from ifmatch.model.diagnosis import Outcome, Verdict
from ifmatch.model.exchange import Vantage
from ifmatch.model.finding import Level, Repair

ORDER = list(Outcome)


def diagnoses(every):
    for folder in ("lab", "driven", "apis"):
        for one in recordings(folder):
            if crc32(one.name.encode()) % every:
                continue
            for paths in (one.client, one.files):
                captures = [capture(path) for path in paths]
                yield one.name, captures, diagnose(captures)
    for story in stories():
        if crc32(story.name.encode()) % every:
            continue
        for view in story.different_views:
            captures = story.captures(view)
            yield story.name, captures, diagnose(captures)


@cache
def kept(every):
    return list(diagnoses(every))


# The first test of all waits until every recording and every story is diagnosed from both views.
ALL = pytest.param(1, marks=[pytest.mark.full, pytest.mark.timeout(1800)])


@pytest.fixture(params=[10, ALL], ids=["one in ten", "all"])
def everything(request):
    # Not while tests are collected: each worker of a run would diagnose it all.
    return kept(request.param)


def test_every_refusal_of_a_client_is_accounted_for(everything) -> None:
    """Every 409, 412 and 428 that a client saw stands in an incident or among the benign ones."""
    left = []
    for name, captures, diagnosis in everything:
        told = {(one.at.source, one.at.entry) for one in diagnosis.benign}
        for incident in diagnosis.incidents:
            told |= {(one.at_entry.source, one.at_entry.entry) for one in incident.attempts}
        vantages = {source.name: source.vantage for source in diagnosis.sources}
        for one in captures:
            if vantages[one.name] is not Vantage.CLIENT:
                continue
            left += [
                (name, exchange.provenance.entry, exchange.status)
                for exchange in one.exchanges
                if exchange.status in {409, 412, 428}
                and (exchange.provenance.source, exchange.provenance.entry) not in told
            ]
    assert not left


def test_likelihoods_exclude_each_other_and_come_in_order(everything) -> None:
    for name, _, diagnosis in everything:
        for incident in diagnosis.incidents:
            likely = [finding.likelihood for finding in incident.findings]
            assert sum(likely) <= 1.0 + 1e-6, name
            assert likely == sorted(likely, reverse=True), name
            named = [finding.cause for finding in incident.findings]
            apart = [one.cause for one in (*incident.contributing, *incident.explained_away)]
            assert len(set(named)) == len(named), name
            assert not set(named) & set(apart), name
            assert not set(named) & {one.cause for one in incident.ruled_out}, name


def test_incidents_come_in_the_order_of_the_contract(everything) -> None:
    for name, _, diagnosis in everything:
        keys = [
            (ORDER.index(one.outcome), -(one.findings[0].likelihood if one.findings else 0.0))
            for one in diagnosis.incidents
        ]
        assert keys == sorted(keys), name
        assert [one.id for one in diagnosis.incidents] == [
            str(number + 1) for number in range(len(diagnosis.incidents))
        ]
        for one in diagnosis.incidents:
            assert one.same_cause_as is None or int(one.same_cause_as) < int(one.id)


def test_undecided_names_a_probe(everything) -> None:
    for name, _, diagnosis in everything:
        for incident in diagnosis.incidents:
            if incident.verdict is Verdict.UNDECIDED:
                assert incident.next_probe is not None, name
                assert incident.next_probe.text, name


def test_repair_is_allowed_only_of_a_sure_finding(everything) -> None:
    for name, _, diagnosis in everything:
        for incident in diagnosis.incidents:
            if incident.repair in {Repair.ALLOWED, Repair.ALREADY_APPLIED}:
                assert incident.findings[0].level is Level.HIGH, name
            if incident.outcome is Outcome.RECOVERED:
                assert incident.repair is Repair.NONE, name


REPLAY = """
A 0 GET /doc => 200 ; ETag: "1" | {"title": "a", "n": 1}
A 1~30 PUT /doc ; If-Match: "1" | {"title": "b", "n": 1%s} => -
A 32 PUT /doc ; If-Match: "1" | {"title": "b", "n": 1%s} => 412
A 33 GET /doc => 200 ; ETag: "2" | {"title": "b", "n": 1%s}
"""


@pytest.mark.parametrize(
    ("marker", "repair"), [("", Repair.ASK), (', "operationId": "op-77c1d2e3f4"', Repair.ALREADY_APPLIED)]
)
def test_equal_content_alone_claims_no_authorship(marker, repair) -> None:
    """Only a marker of our own, our own answer or the upstream proves that the write is ours."""
    story = Story("", "", {"alone": ""}, REPLAY.replace("%s", marker).strip().splitlines())
    incident = diagnose(story.captures("alone")).incidents[0]
    assert incident.findings[0].cause == "lost-response-replay"
    assert incident.repair is repair


def _told(*lines: str):
    return diagnose(Story("", "", lines=list(lines)).captures("all"))


@pytest.mark.parametrize("bare", ['PUT /doc | {"n": 2}', "DELETE /doc"])
def test_a_write_without_the_refused_precondition_is_mentioned(bare) -> None:
    refused = 'A 0 PUT /doc ; If-Match: "1" | {"n": 2} => 412'
    (said,) = _told(refused, f"A 2 {bare} => 204").advice
    assert (said.cause, said.at.entry) == ("unconditional-write", 1)
    assert bare.partition(" ")[0] in said.text
    assert "refused" in said.text
    for healed in (_told(refused, f"B 2 {bare} => 204"), _told(refused, f"A 2 {bare} => 500")):
        assert not healed.advice
