"""A traceback, an error line, a sentence: the library recognised, never more than low, lines to log with."""

from __future__ import annotations

import io
import json
import pathlib

import pytest

from ifmatch import capture
from ifmatch.capture.words.error_reports import understand
from ifmatch.capture.words.error_signatures import signatures
from ifmatch.model.catalogue.topics import topics
from tests.cli.running import run

LINES = json.loads((pathlib.Path(__file__).parents[3] / "cases" / "error-lines.json").read_text("utf-8"))
QUIET = (
    "412 pages, and the report was better than expected",
    "GET /index.html was fast today",
    "the build failed with exit code 2",
    "see chapter 428 for details",
    "KeyError: 'etag'",
    "Connection refused",
    "HTTP Error 500: Internal Server Error",
    "requests.exceptions.HTTPError: 404 Client Error: Not Found for url: https://api.example/notes/7",
    "the condition of the house was not good",
    "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied",
)


@pytest.mark.parametrize("case", LINES, ids=lambda case: case["text"][:50])
def test_a_line_is_understood(case) -> None:
    report = understand(case["text"].split("\n"))
    assert report is not None
    assert {name: getattr(report, name) for name in case if name != "text"} == {
        name: value for name, value in case.items() if name != "text"
    }


@pytest.mark.parametrize("case", LINES, ids=lambda case: case["text"][:50])
def test_a_line_is_diagnosed_as_open_with_the_lines_to_log_with(case) -> None:
    ran = run("diagnose", "-", "--format", "json", stdin=case["text"].encode())
    found = json.loads(ran.out)
    (source,) = found["sources"]
    assert source["format"] == "error-report"
    assert len(found["incidents"]) + len(found["benign"]) == 1
    for incident in found["incidents"]:
        assert incident["verdict"] == "undecided"
        assert all(finding["level"] == "low" for finding in incident["findings"])
        assert f"ifmatch explain capture {case['library'] or 'curl'}" in incident["next_probe"]["text"]
        assert incident["next_probe"]["command"] or case["library"] in {"chrome", "safari"}
        assert incident["status"] == case["status"]
        commands = [fix["command"] or "" for finding in incident["findings"] for fix in finding["fixes"]]
        assert not any("''" in command for command in commands)
        assert ran.status == 1


@pytest.mark.parametrize("text", QUIET)
def test_other_texts_are_no_reports(text) -> None:
    assert understand([text]) is None


def test_every_library_has_lines_to_log_with() -> None:
    known = signatures()
    for record in (*known.signatures, *known.products):
        assert f"capture-{record.library}" in topics()


def test_a_report_beside_traffic_is_only_one_more_source(tmp_path) -> None:
    """The error line does not lower what the traffic shows."""
    line = tmp_path / "error.txt"
    line.write_text(
        "requests.exceptions.HTTPError: 412 Client Error: Precondition Failed for url: https://x.example/"
    )
    lab = pathlib.Path(__file__).parents[3] / "cases" / "lab" / "c001.client.har"
    alone = json.loads(run("diagnose", lab, "--format", "json").out)["incidents"][0]
    both = json.loads(run("diagnose", lab, line, "--format", "json").out)["incidents"]
    assert (
        alone["findings"][0]["cause"]
        in {
            finding["cause"]
            for incident in both
            for finding in incident["findings"]
            if finding["level"] == "high"
        }
        or alone["findings"][0]["level"] != "high"
    )


def test_the_last_format_takes_no_traffic() -> None:
    """Whatever another reader takes is read by that one."""
    assert capture.FORMATS[-1].id == "error-report"
    paste = (
        b"I get 412 precondition failed:\n\nPUT /x HTTP/1.1\nHost: a\n\nHTTP/1.1 412 Precondition Failed\n\n"
    )
    assert capture.read(io.BytesIO(paste), "x").format == "http-messages"
