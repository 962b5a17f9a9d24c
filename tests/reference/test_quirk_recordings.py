"""The recordings of the quirks are diagnosed rightly: from Ana's file alone, and from all files."""

from __future__ import annotations

import json
import pathlib

import pytest

from ifmatch.capture import read
from ifmatch.diagnosis import diagnose
from ifmatch.reference.quirks import QUIRKS

FOLDER = pathlib.Path(__file__).parents[2] / "cases" / "quirks"
LABELS = sorted(FOLDER.glob("*.label.json"))


def first(paths) -> str:
    captures = []
    for path in paths:
        with path.open("rb") as stream:
            captures.append(read(stream, path.name))
    incidents = diagnose(captures).incidents
    if not incidents:
        return "none"
    return incidents[0].findings[0].cause if incidents[0].findings else "undecided"


def files(label) -> dict[str, pathlib.Path]:
    return {role: FOLDER / one["har"] for role, one in label["files"].items()}


@pytest.fixture(params=LABELS, ids=lambda path: path.name.removesuffix(".label.json"))
def label(request):
    return json.loads(request.param.read_text("utf-8"))


def test_every_quirk_has_a_recording() -> None:
    assert {path.name.removesuffix(".label.json") for path in LABELS} == {f"q-{name}" for name in QUIRKS}


def test_all_files(label) -> None:
    assert first(files(label).values()) == label["cause"]


def test_client_file_alone(label) -> None:
    assert first([files(label)["client"]]) in label["acceptable_from_client_alone"]
