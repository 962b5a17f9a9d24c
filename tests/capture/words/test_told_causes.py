"""What a text says of causes: heard in whatever words, claimed, kept low; other texts stay no reports."""

from __future__ import annotations

import json
import pathlib
import tomllib
from importlib import resources

import pytest

from ifmatch.capture.words.error_reports import understand
from ifmatch.capture.words.told_causes import tells_alone, told_causes
from ifmatch.model.catalogue import causes
from tests.cli.running import run

CASES = json.loads((pathlib.Path(__file__).parents[3] / "cases" / "told-causes.json").read_text("utf-8"))


def _diagnosis(text: str) -> dict[str, object]:
    return json.loads(run("diagnose", "-", "--format", "json", stdin=text.encode()).out)


@pytest.mark.parametrize("case", CASES["told"], ids=lambda case: f"{case['cause']}: {case['text'][:40]}")
def test_a_cause_is_heard_and_kept_low(case) -> None:
    found = _diagnosis(case["text"])
    assert found["sources"][0]["format"] == "error-report"
    (incident,) = found["incidents"]
    assert incident["verdict"] == "undecided"
    assert (incident["status"] or 0) == case["status"]
    by_cause = {finding["cause"]: finding for finding in incident["findings"]}
    assert case["cause"] in by_cause
    assert all(finding["level"] == "low" for finding in incident["findings"])
    evidence = [one["text"] for one in by_cause[case["cause"]]["evidence"]]
    assert any("\u201c" in text for text in evidence)


@pytest.mark.parametrize("text", CASES["quiet"], ids=lambda text: text[:40])
def test_texts_of_other_things_are_no_reports(text) -> None:
    assert understand([text]) is None


def test_every_record_names_a_cause_of_the_catalogue() -> None:
    data = resources.files("ifmatch.capture.words").joinpath("told_causes.toml").read_text("utf-8")
    named = {record["cause"] for record in tomllib.loads(data)["told"]}
    assert named <= set(causes())
    assert named == {case["cause"] for case in CASES["told"]}


def test_what_stands_around_a_fence_is_heard() -> None:
    """The words are outside, the line that failed is inside."""
    text = (
        'Both writers use the same tag and both succeed now and then:\n\n```\nPUT /a If-Match: "1" 200\n```\n'
    )
    assert next(one.cause for one in told_causes(text.split("\n"))) == "check-then-write-race"
    assert _diagnosis(text)["incidents"][0]["findings"][0]["cause"] == "check-then-write-race"


def test_quotation_and_frames_do_not_hide_words() -> None:
    """Markdown, mails, and Terraform's box put signs before the lines and between the words."""
    lines = ["> \u2502 Error: `Error acquiring", "> \u2502   the **state lock**`"]
    assert tells_alone(lines)


def test_an_account_names_no_refusal_that_did_not_come() -> None:
    """The 412 that is missing is named, too."""
    found = _diagnosis(
        "PUT with If-Match of an old version must give 412, but it still returns 200 and overwrites it"
    )
    (incident,) = found["incidents"]
    assert (incident["status"], incident["outcome"]) == (None, "lost-update")
    assert incident["findings"][0]["cause"] == "precondition-ignored"


def test_a_document_is_not_heard() -> None:
    """A description of an API tells of stripped tags and stale caches, and nothing is wrong."""
    text = json.dumps(
        {"info": "The proxy strips the ETag header. Cached answers may be stale: send If-Match."}
    )
    assert understand([text]) is None


def test_numbers_of_lines_are_no_statuses() -> None:
    report = understand(
        ["store.ConflictException: Status: 409 (HTTP 409 conflict)", "  at Doc.put(Doc.java:428)"]
    )
    assert report is not None
    assert report.status == 409


def test_heads_without_first_lines_leave_the_method_open() -> None:
    """Firefox copies heads one by one: the field decides, and no command has an empty method."""
    sample = pathlib.Path(__file__).parents[3] / "cases" / "inputs" / "http-messages" / "heads-apart.txt"
    (incident,) = json.loads(run("diagnose", sample, "--format", "json").out)["incidents"]
    first = incident["findings"][0]
    assert (first["cause"], first["level"]) == ("null-token", "high")
    assert not any("-X ''" in (fix["command"] or "") for fix in first["fixes"])
