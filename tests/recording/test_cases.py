from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tools.recording import __main__ as command
from tools.recording import components, scenarios
from tools.recording.index import write_index
from tools.recording.stage import CASES, Stage, StoryError, case, perform

ROOT = Path(__file__).resolve().parents[2]
DRIVEN = ROOT / "cases" / "driven"
LABELS = sorted(DRIVEN.rglob("*.label.json"), key=lambda path: path.name)
SECRETS_OF_A_MACHINE = re.compile(r"(?<![\w.-])/(?:work|tmp|home|root|usr|var)/\w")

scenarios.load()


def label_of(path: Path) -> dict[str, Any]:
    label: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return label


def test_every_case_is_recorded_and_every_recording_is_a_case() -> None:
    assert {label_of(path)["id"] for path in LABELS} == set(CASES)


@pytest.mark.parametrize("path", LABELS, ids=lambda path: path.name.split(".")[0])
def test_a_label_agrees_with_its_case_and_files(path: Path) -> None:
    label = label_of(path)
    registered = CASES[label["id"]]
    assert (path.parent.name == "holdout") == command.is_held_out(label["id"])
    assert (label["cause"], label["outcome"]) == (registered.cause, registered.outcome)
    assert label["acceptable_from_client_alone"] == list(registered.alone)
    assert registered.cause in registered.alone or "none" in registered.alone
    assert "client" in label["files"]
    for name, statuses in registered.expect.items():
        assert label["files"][name]["statuses"] == list(statuses)
    for file in label["files"].values():
        text = (path.parent / file["har"]).read_text(encoding="utf-8")
        entries = json.loads(text)["log"]["entries"]
        assert [entry["response"]["status"] for entry in entries] == file["statuses"]
        starts = [entry["startedDateTime"] for entry in entries]
        assert starts == sorted(starts)
        urls = " ".join(entry["request"]["url"] for entry in entries)
        assert not SECRETS_OF_A_MACHINE.search(urls + path.read_text())


def test_the_index_is_current(tmp_path: Path) -> None:
    for path in LABELS:
        folder = tmp_path / path.parent.relative_to(DRIVEN)
        folder.mkdir(exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())
    write_index(tmp_path)
    assert (tmp_path / "INDEX.md").read_text() == (DRIVEN / "INDEX.md").read_text()


@pytest.mark.parametrize(("module", "held"), [("tokens", False), ("held_tokens", True), ("withheld", False)])
def test_a_case_is_held_out_by_the_module_of_its_story(
    module: str, *, held: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def drive(stage: Stage) -> None:
        origin = stage.origin()
        origin.store("/d", {"a": 1})
        stage.client(origin.port, "d.example.test", "curl").get("/d")

    drive.__module__ = f"tools.recording.scenarios.{module}"
    case("x2", "x", "none", "healthy", alone="none", description="x", client=(200,))(drive)
    monkeypatch.setattr(command, "write_index", lambda _: None)
    try:
        assert command.main(["--only", "x2", "--into", str(tmp_path)]) == 0
    finally:
        del CASES["x2"]
    assert (tmp_path / "holdout" / "x2.label.json").exists() == held
    assert (tmp_path / "x2.label.json").exists() != held


def test_a_story_that_comes_out_otherwise_writes_nothing(tmp_path: Path) -> None:
    @case("x1", "x", "none", "healthy", alone="none", description="x", client=(404,))
    def drive(stage: Stage) -> None:
        origin = stage.origin()
        origin.store("/d", {"a": 1})
        stage.client(origin.port, "d.example.test", "curl").get("/d")

    one = CASES.pop("x1")
    with pytest.raises(StoryError, match="expected"):
        perform(one, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_a_missing_program_is_a_counted_skip(
    ci: str, status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> str:
        raise components.MissingProgramError(f"{name} is not installed")

    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(components, "find_program", missing)
    assert command.main(["--only", "d104", "--into", str(tmp_path)]) == status
    assert "1 skipped" in capsys.readouterr().out


def test_an_unknown_id_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "d000"]) == 2
    assert "d000" in capsys.readouterr().err


def test_the_list_names_every_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == set(CASES)


@pytest.mark.components
def test_nginx_is_driven_end_to_end(tmp_path: Path) -> None:
    try:
        components.find_program("nginx")
    except components.MissingProgramError as missing:
        if components.in_continuous_integration():
            raise
        pytest.skip(str(missing))
    perform(CASES["d104"], tmp_path)
    label = label_of(tmp_path / "d104.label.json")
    assert label["servers"]["nginx"].startswith("nginx 1.")
    entries = {
        name: json.loads((tmp_path / f"d104.{name}.har").read_text())["log"]["entries"]
        for name in ("client", "upstream")
    }

    def tag(entry: dict[str, Any]) -> str:
        return next(
            str(one["value"]) for one in entry["response"]["headers"] if one["name"].lower() == "etag"
        )

    assert tag(entries["client"][0]) == "W/" + tag(entries["upstream"][0])
    assert label["files"]["client"]["statuses"] == [200, 412, 200, 412]
