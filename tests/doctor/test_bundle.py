"""The bundle for support: redacted, with the same first cause, and with a script that works."""

from __future__ import annotations

import json
import stat
import subprocess
import zipfile

import pytest

from tests.cli.running import ALL_OF_CONFLICT, CASES, run, run_process
from tests.doctor import setups
from tests.doctor.recorded import record_conflict


def test_the_bundle_says_what_happened_and_asks(tmp_path) -> None:
    target = tmp_path / "bundle.zip"
    ran = run("escalate", *ALL_OF_CONFLICT, "-o", target)
    assert ran.status == 0
    with zipfile.ZipFile(target) as archive:
        names = {name.split("/")[1] for name in archive.namelist()}
        summary = archive.read("ifmatch-escalation/SUMMARY.md").decode()
    assert names >= {
        "SUMMARY.md",
        "reproduce.sh",
        "diagnosis.json",
        "diagnosis.html",
        "traffic-1.har",
        "body",
    }
    for part in (
        "## What happens",
        "answered: 412",
        "RFC 9110",
        "## Requests",
        "Versions seen",
        "## Please answer",
    ):
        assert part in summary
    assert str(CASES) not in summary
    again = tmp_path / "again.zip"
    run("escalate", *ALL_OF_CONFLICT, "-o", again)
    with zipfile.ZipFile(target) as one, zipfile.ZipFile(again) as other:
        for name in one.namelist():
            if not name.endswith((".har", ".html", ".json")):
                assert one.read(name) == other.read(name)


@pytest.mark.parametrize("case", ["c001", "c031", "c035", "c061", "c013", "c050"])
def test_the_redacted_recording_has_the_same_first_cause(case, tmp_path) -> None:
    files = sorted(str(path) for path in (CASES / "lab").glob(f"{case}.*.har"))
    before = json.loads(run("diagnose", *files, "--format", "json").out)
    target = tmp_path / "bundle.zip"
    run("escalate", *files, "-o", target)
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path)
    traffic = sorted(str(path) for path in (tmp_path / "ifmatch-escalation").glob("traffic-*.har"))
    after = json.loads(run("diagnose", *traffic, "--format", "json").out)
    firsts = [report["incidents"][0]["findings"][0]["cause"] for report in (before, after)]
    assert firsts[0] == firsts[1]


def test_the_script_runs_and_sends_reads_only(tmp_path) -> None:
    with setups.origin() as origin:
        har = record_conflict(origin, tmp_path, {"name": "Cleo"}, {"name": "Ben"})
        run("escalate", har, "-o", tmp_path / "b.zip")
        with zipfile.ZipFile(tmp_path / "b.zip") as archive:
            archive.extractall(tmp_path)
            assert b"hunter2" not in b"".join(archive.read(name) for name in archive.namelist())
        script = tmp_path / "ifmatch-escalation" / "reproduce.sh"
        version = origin.resources["/notes/7"].version
        done = subprocess.run(["sh", script], capture_output=True, text=True, check=True)
        assert done.stdout.lower().count("etag:") == 4
        assert origin.resources["/notes/7"].version == version
        sent = subprocess.run(["sh", script, "--send"], capture_output=True, text=True, check=True)
        assert "412" in sent.stdout


def test_an_incident_that_is_not_there_is_said(tmp_path) -> None:
    ran = run("escalate", ALL_OF_CONFLICT[0], "--incident", "9", "-o", tmp_path / "b.zip")
    assert ran.status == 2
    assert "hold 1 incident" in ran.err


def test_redact_writes_a_har_and_lists_what_remains(tmp_path) -> None:
    with setups.origin() as origin:
        har = record_conflict(origin, tmp_path, {"name": "Cleo"}, {"name": "Ben"})
    target = tmp_path / "redacted.har"
    ran = run_process("redact", har, "-o", target, "--show")
    assert ran.status == 0
    assert "hunter2" not in target.read_text() + ran.err
    assert "If-Match" in ran.err
    assert run("redact", har, "-o", har).status == 2
    first = [json.loads(run("diagnose", path, "--format", "json").out) for path in (har, target)]
    causes = [report["incidents"][0]["findings"][0]["cause"] for report in first]
    assert causes[0] == causes[1]


@pytest.mark.parametrize("verb", ["escalate", "redact"])
def test_what_is_handed_on_is_written_for_its_owner_only(verb, tmp_path) -> None:
    target = tmp_path / "out"
    target.write_text("older, and for everybody")
    target.chmod(0o666)
    assert run(verb, *ALL_OF_CONFLICT, "-o", target).status == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_a_bundle_does_not_overwrite_a_recording(tmp_path) -> None:
    recording = tmp_path / "bug.har"
    recording.write_bytes(CASES.joinpath("lab", "c001.client.har").read_bytes())
    before = recording.read_bytes()
    ran = run("escalate", recording, "-o", recording)
    assert (ran.status, recording.read_bytes()) == (2, before)
    assert "would overwrite a recording" in ran.err


def test_a_link_that_lies_in_the_folder_is_not_written_through(tmp_path, monkeypatch) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ifmatch-escalation.zip").symlink_to(victim)
    ran = run("escalate", *ALL_OF_CONFLICT)
    assert (ran.status, victim.read_text()) == (2, "mine")
    assert "symbolic link" in ran.err
    # Who names a link means what it leads to.
    assert run("escalate", *ALL_OF_CONFLICT, "-o", tmp_path / "ifmatch-escalation.zip").status == 0
    assert victim.read_bytes().startswith(b"PK")
