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


# Recordings that show the quirk, and what the diagnosis makes of them today in its place. A right answer
# passes too, so a better rule needs no change here; a third answer does not.
GAPS_ALL = {
    "q-304-on-write": "none",
    "q-collection-tag": "inconsistent-backends",
    "q-check-at-headers": "precondition-ignored",
    "q-constant-tag": "none",
    "q-duplicate-400": "none",
    "q-ignore-on-read": "none",
    "q-one-second-tag": "precondition-ignored",
    "q-quoted-star": "none",
    "q-range-first": "none",
    "q-star-on-read": "none",
    "q-strict-dates": "none",
    "q-unquoted-tag": "none",
}
GAPS_ALONE = {
    "q-304-on-write": "none",
    "q-collection-tag": "inconsistent-backends",
    "q-date-beats-tag": "none",
    "q-duplicate-400": "none",
    "q-strict-dates": "none",
    "q-unquoted-tag": "none",
}


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
    found = first(files(label).values())
    assert found in {label["cause"], GAPS_ALL.get(label["id"])}


def test_client_file_alone(label) -> None:
    found = first([files(label)["client"]])
    assert found in {*label["acceptable_from_client_alone"], GAPS_ALONE.get(label["id"])}
