"""`ifmatch diagnose`: formats, output, exit statuses, what is refused and with which words."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET

import jsonschema
import pytest

from ifmatch.report import schema
from tests.cli.running import ALL_OF_CONFLICT, CASES, CONFLICT, HEALTHY, run, run_process


def test_an_incident_exits_1_and_is_told_in_lines_of_80_columns() -> None:
    ran = run("diagnose", CONFLICT)
    assert (ran.status, ran.err) == (1, "")
    assert "other-writer" in ran.out
    prose = [line for line in ran.out.splitlines() if "curl" not in line and "://" not in line]
    assert max(map(len, prose)) <= 80
    assert "\x1b" not in ran.out


def test_healthy_traffic_exits_0() -> None:
    ran = run("diagnose", HEALTHY)
    assert ran.status == 0
    assert "no incident" in ran.out.lower()


@pytest.mark.parametrize("arguments", [(), ("--format", "json"), ("-o", "{tmp}/report.json")])
def test_json_keeps_to_its_schema_wherever_it_goes(arguments, tmp_path) -> None:
    words = [word.replace("{tmp}", str(tmp_path)) for word in arguments] or ["--format=json"]
    ran = run("diagnose", *ALL_OF_CONFLICT, *words)
    text = (tmp_path / "report.json").read_text() if "-o" in words else ran.out
    report = json.loads(text)
    jsonschema.validate(report, json.loads(schema("diagnosis")))
    assert report["incidents"][0]["findings"][0]["cause"] == "other-writer"
    assert [source["vantage"] for source in report["sources"]] == ["client", "client", "upstream"]


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("r.html", "<!doctype html>"),
        ("r.md", "#"),
        ("r.sarif", "{"),
        ("r.sarif.json", "{"),
        ("r.xml", "<?xml"),
        ("r.txt", "1."),
        ("r", "1."),
    ],
)
def test_the_name_of_the_file_sets_the_format(name, begins, tmp_path) -> None:
    assert run("diagnose", CONFLICT, "-o", tmp_path / name).status == 1
    assert (tmp_path / name).read_text().lower().startswith(begins)


def test_junit_has_a_failure_and_sarif_a_result(tmp_path) -> None:
    run("diagnose", CONFLICT, "-o", tmp_path / "r.xml")
    run("diagnose", CONFLICT, "-o", tmp_path / "r.sarif")
    suite = ET.parse(tmp_path / "r.xml").getroot()  # noqa: S314 - written a moment ago
    assert suite.find(".//failure") is not None
    log = json.loads((tmp_path / "r.sarif").read_text())
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["other-writer"]


@pytest.mark.parametrize(
    ("level", "status"), [("none", 0), ("low", 1), ("medium", 1), ("high", 1), ("undecided", 0)]
)
def test_fail_on_decides_the_status(level, status) -> None:
    assert run("diagnose", CONFLICT, "--fail-on", level).status == status


def test_standard_input_is_a_source() -> None:
    trace = CONFLICT.with_name("c001.client.curl.txt").read_bytes()
    ran = run("diagnose", "-", "--format", "json", stdin=trace)
    assert json.loads(ran.out)["sources"][0]["format"] == "curl-verbose"


def test_a_source_that_cannot_be_read_does_not_take_the_others_along(tmp_path) -> None:
    broken = tmp_path / "broken.har"
    broken.write_text('{"log": [')
    ran = run("diagnose", CONFLICT, broken)
    assert ran.status == 1
    assert "broken.har" in ran.err
    assert run("diagnose", CONFLICT, broken, "--strict").status == 3
    alone = run("diagnose", broken)
    assert (alone.status, alone.out) == (3, "")


def test_a_copy_under_another_name_counts_once(tmp_path) -> None:
    """As `bug (1).har` it would be the other end of the line, which had passed on everything as it was."""
    copy = tmp_path / "bug (1).har"
    shutil.copy(CONFLICT, copy)
    one, two = (
        json.loads(run("diagnose", *names, "--format", "json").out)
        for names in ([CONFLICT], [CONFLICT, copy])
    )
    assert one["incidents"] == two["incidents"]
    (source,) = two["sources"]
    assert "bug (1).har is the same recording; it counts once" in source["warnings"][-1]["text"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{tmp}/nothing.har"], "there is no such file"),
        (["{tmp}"], "is a directory. Name the files"),
        ([str(CONFLICT), str(CONFLICT)], "given twice"),
        ([str(CONFLICT), "--entry", "99"], "there is no such entry"),
        ([str(CONFLICT), "--since", "yesterday"], "is no time. Examples"),
        ([str(CONFLICT), "--vantage", "x=client"], "names none of the sources"),
        ([str(CONFLICT), "--vantage", f"{CONFLICT}=middle"], "'middle' is none of client"),
        ([str(CONFLICT), "--vantage", f"{CONFLICT}=edge:x"], "a label goes with"),
        ([str(CONFLICT), "-o", str(CONFLICT)], "would overwrite a recording"),
        ([str(CONFLICT), "-o", "{tmp}/r.odt"], "names no format"),
        ([str(CONFLICT), "--show-secrets"], "writes to a terminal or to a file"),
        ([str(CONFLICT), "--show-secrets", "--format", "sarif"], "does not go with sarif"),
        ([str(CONFLICT), "--form", "json"], "No such option"),
    ],
)
def test_what_is_refused_says_what_to_do(arguments, words, tmp_path) -> None:
    ran = run("diagnose", *(word.replace("{tmp}", str(tmp_path)) for word in arguments))
    assert ran.status in {2, 3}
    assert ran.out == ""
    assert words in ran.err


def test_selection_leaves_out_incidents_but_no_evidence() -> None:
    whole = json.loads(run("diagnose", CONFLICT, "--format", "json").out)
    kept = json.loads(run("diagnose", CONFLICT, "--format", "json", "--entry", "1").out)
    assert kept["incidents"] == whole["incidents"]
    assert (
        json.loads(run("diagnose", CONFLICT, "--format=json", "--url", "/elsewhere/*").out)["incidents"] == []
    )
    assert json.loads(run("diagnose", CONFLICT, "--format=json", "--since", "1m").out)["incidents"] == []


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (("--url", "/elsewhere/*"), "--url /elsewhere/*: none of the 3 exchanges has such a URL"),
        (("--since", "2100-01-01"), "--since: the last of the 3 exchanges began before, at 2026-"),
        (("--url", "/api/*", "--since", "2020-01-01"), ""),
    ],
)
def test_a_choice_that_fits_no_exchange_is_told(choice, said) -> None:
    ran = run("diagnose", CONFLICT, *choice)
    assert (said in ran.err) if said else not ran.err
    assert ran.status == (0 if said else 1)


def test_said_vantages_are_taken_over() -> None:
    client, other, upstream = ALL_OF_CONFLICT
    ran = run(
        "diagnose", client, other, upstream,
        "--format", "json",
        "--vantage", f"{client}=client:alice",
        "--vantage", f"{other}=client:bob",
        "--vantage", f"{upstream}=upstream:web-1",
    )  # fmt: skip
    sources = json.loads(ran.out)["sources"]
    assert [(source["vantage"], source["actor"], source["node"]) for source in sources] == [
        ("client", "alice", None),
        ("client", "bob", None),
        ("upstream", None, "web-1"),
    ]


def test_secrets_are_shown_in_a_private_file_only(tmp_path) -> None:
    capture = json.loads(CONFLICT.read_text())
    for entry in capture["log"]["entries"]:
        entry["request"]["url"] += "?access_token=abcdefgh12345678"
    source = tmp_path / "with-secret.har"
    source.write_text(json.dumps(capture))
    target = tmp_path / "r.html"
    assert run("diagnose", source, "-o", target).status == 1
    assert "abcdefgh12345678" not in target.read_text()
    assert run("diagnose", source, "-o", target, "--show-secrets").status == 1
    assert "abcdefgh12345678" in target.read_text()
    assert target.stat().st_mode & 0o077 == 0


def test_a_file_whose_name_is_a_word_is_still_a_file(tmp_path) -> None:
    shutil.copy(CONFLICT, tmp_path / "retry")
    assert run_process("retry", cwd=tmp_path).status == 1


def test_a_closed_pipe_exits_141() -> None:
    import subprocess
    import sys

    process = subprocess.Popen(
        [sys.executable, "-m", "ifmatch.cli", "diagnose", *map(str, CASES.glob("lab/*.client.har"))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 141
    process.stderr.close()


def test_an_internal_error_is_one_line_and_a_report_without_values(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    # The report quotes the lines of the program, not what they hold.
    value = f"Bea{'rer'}"

    def explode(*_arguments, **_options):
        raise RuntimeError(value)

    monkeypatch.setattr("ifmatch.diagnosis.diagnose", explode)
    ran = run("diagnose", CONFLICT)
    assert ran.status == 70
    assert len(ran.err.splitlines()) == 1
    (report,) = tmp_path.glob("ifmatch-crash-*")
    text = report.read_text()
    assert "RuntimeError" in text
    assert "Bearer" not in text
    assert str(CONFLICT) not in text
