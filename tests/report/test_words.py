"""The sentences that all reports share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifmatch.model.diagnosis import Incident, Outcome, Verdict
from ifmatch.model.exchange import Provenance
from ifmatch.report.json_report import as_dict
from ifmatch.report.layout import columns, wrap
from ifmatch.report.markdown import code, escaped
from ifmatch.report.words import neutralise, outcome, percent, place, timestamp, title


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, None),
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1773134051.003, "2026-03-10T09:14:11.003Z"),
        (1773134051.9996, "2026-03-10T09:14:12.000Z"),
        (-0.001, "1969-12-31T23:59:59.999Z"),
        (1e30, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_timestamp(seconds, expected):
    assert timestamp(seconds) == expected


@pytest.mark.parametrize(
    ("at", "field", "expected"),
    [
        (Provenance("bug.har", 3), "ETag", "bug.har entry 3, ETag"),
        (Provenance("bug.har", 0), "", "bug.har entry 0"),
        (Provenance("log", None, 7), "", "log line 7"),
        (None, "ETag", "ETag"),
        (None, "", ""),
        (Provenance("a\x1b[2J"), "", "a\\x1b[2J"),
    ],
)
def test_place(at, field, expected):
    assert place(at, field) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"é"', '"é"'),
        ("\x1b]0;x\x07", "\\x1b]0;x\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("a\nb", "a b"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_neutralise(text, expected):
    assert neutralise(text) == expected


@pytest.mark.parametrize(
    ("likelihood", "expected"),
    [(0.0, "0 %"), (0.001, "< 1 %"), (0.94, "94 %"), (0.999, "> 99 %"), (1.0, "100 %")],
)
def test_percent(likelihood, expected):
    assert percent(likelihood) == expected


def test_title_falls_back_to_the_id():
    assert title("no-such-cause") == "no-such-cause"
    assert title("other-writer") == "Somebody else changed it first"


@given(st.text())
def test_neutral_text_is_encodable_and_stays_neutral(text):
    """What was made harmless is one line of UTF-8 and needs no second treatment."""
    once = neutralise(text)
    once.encode()
    assert neutralise(once) == once
    assert len(once.splitlines()) <= 1


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp"))), st.integers(4, 60))
def test_wrapping_loses_nothing(text, width):
    """Joined again without blanks, the lines are the text; none is too long but for URLs and paths."""
    lines = wrap(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(columns(line) <= width or "://" in line or line.startswith("/") for line in lines)


@given(st.text(min_size=1))
def test_a_code_span_is_closed_by_its_own_fence_only(text):
    """The content of a code span holds no run of backticks as long as its fence."""
    import re

    span = code(text)
    fence = re.match("`+", span).group()
    inner = span[len(fence) : -len(fence)]
    assert not re.search(rf"(?<!`){fence}(?!`)", inner)
    assert inner.strip(" ") == "" or not inner.startswith("`")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- x", "\\- x"),
        ("1. x", "1\\. x"),
        ("<b>*x*", "\\<b\\>\\*x\\*"),
        ("https://e", "https\\://e"),
        ("`", "\\`"),
    ],
)
def test_markdown_escape(text, expected):
    assert escaped(text) == expected


@pytest.mark.parametrize(
    ("weight", "expected"), [(float("inf"), 99.0), (float("-inf"), -99.0), (float("nan"), None), (2.1, 2.1)]
)
def test_json_weights_are_numbers_of_json(weight, expected):
    import dataclasses

    from tests.report.samples import refused

    diagnosis = refused()
    incident = diagnosis.incidents[0]
    finding = incident.findings[0]
    evidence = dataclasses.replace(finding.evidence[0], weight=weight)
    finding = dataclasses.replace(finding, evidence=(evidence,))
    changed = dataclasses.replace(diagnosis, incidents=(dataclasses.replace(incident, findings=(finding,)),))
    assert as_dict(changed)["incidents"][0]["findings"][0]["evidence"][0]["weight"] == expected


@pytest.mark.parametrize(
    ("outcome_", "method", "status", "expected"),
    [
        (Outcome.ERROR, "GET", 200, "Unchanged content was sent again"),
        (Outcome.ERROR, "GET", 206, "Unchanged content was sent again"),
        (Outcome.ERROR, "OPTIONS", 200, "The request failed"),
        (Outcome.ERROR, "GET", 500, "The request failed"),
        (Outcome.ERROR, "PUT", 0, "The request failed"),
        (Outcome.WRONG_CONTENT, "GET", 200, "Content of the wrong version was used"),
        (Outcome.REFUSED, "GET", 412, "The request was refused"),
    ],
)
def test_an_answered_read_did_not_fail(outcome_, method, status, expected):
    incident = Incident("1", outcome_, Verdict.CAUSE, "/doc", method, status, Provenance("a.har", 0))
    assert outcome(incident) == expected
