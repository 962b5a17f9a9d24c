from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tools.recording_apis import stories
from tools.recording_apis.__main__ import is_held_out
from tools.recording_apis.index import write_index
from tools.recording_apis.stage import CASES

FOLDER = Path(__file__).resolve().parents[2] / "cases" / "apis"
LABELS = sorted(FOLDER.rglob("*.label.json"), key=lambda path: path.name)
OF_A_MACHINE = re.compile(r"(?<![\w.-])/(?:work|tmp|home|root|var)/\w|fc-v\d+")
MEMBERS = {
    "id",
    "slug",
    "cause",
    "outcome",
    "acceptable_from_client_alone",
    "also_true",
    "synthetic",
    "description",
    "servers",
    "config",
    "notes",
    "files",
}


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_there_are_enough_of_both_kinds() -> None:
    labels = [read(path) for path in LABELS]
    for healthy, least in ((True, 20), (False, 35)):
        assert sum((label["cause"] == "none") == healthy for label in labels) >= least


@pytest.mark.parametrize("path", LABELS, ids=lambda path: path.name.split(".")[0])
def test_a_label_is_complete_and_agrees_with_its_files(path: Path) -> None:
    label = read(path)
    assert set(label) == MEMBERS
    assert path.name == f"{label['id']}.label.json"
    assert label["acceptable_from_client_alone"]
    assert (
        label["cause"] in label["acceptable_from_client_alone"]
        or "none" in label["acceptable_from_client_alone"]
    )
    assert "client" in label["files"]
    assert label["servers"]
    assert len(label["description"]) > 30
    for file in label["files"].values():
        entries = read(path.parent / file["har"])["log"]["entries"]
        assert [entry["response"]["status"] for entry in entries] == file["statuses"]
        assert len(entries) == file["entries"]
        if "curl_v" in file:
            assert (path.parent / file["curl_v"]).read_text(encoding="utf-8").startswith("$ curl")


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("[abde]*.*")), ids=lambda path: path.name)
def test_no_file_names_a_machine(path: Path) -> None:
    assert not OF_A_MACHINE.search(path.read_text(encoding="utf-8"))


def test_ids_are_used_once() -> None:
    names = [path.name for path in LABELS]
    assert len(names) == len(set(names))


def test_every_case_is_recorded_as_its_story_says() -> None:
    stories.load()
    assert {read(path)["id"] for path in LABELS} == set(CASES)
    for path in LABELS:
        label, story = read(path), CASES[read(path)["id"]]
        assert (path.parent.name == "holdout") == is_held_out(story.id)
        assert (label["slug"], label["cause"], label["outcome"]) == (story.slug, story.cause, story.outcome)
        assert label["description"] == story.description
        assert tuple(label["acceptable_from_client_alone"]) == story.alone
        assert (tuple(label["also_true"]), tuple(label["notes"])) == (story.also, story.notes)
        assert label["synthetic"] == story.synthetic


def test_the_index_is_current(tmp_path: Path) -> None:
    for path in LABELS:
        copy = tmp_path / path.relative_to(FOLDER)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
    write_index(tmp_path)
    assert (tmp_path / "INDEX.md").read_text() == (FOLDER / "INDEX.md").read_text()
