"""The frozen corpus is what the world makes, its labels are whole and honest, and it covers everything."""

from __future__ import annotations

import json
import pathlib
from collections import defaultdict
from functools import cache

import pytest

from ifmatch.capture import read
from ifmatch.model.catalogue import causes
from tools.simulation import dialects
from tools.simulation.corpus import CASES, FOLDERS, capture, cases
from tools.simulation.families import ALL, rounds, splits
from tools.simulation.freeze import SEED, hold_out
from tools.simulation.make import make
from tools.simulation.stage import write_case

FEW = (
    "rest-json-writers",
    "calendar-and-contacts",
    "lost-responses",
    "balanced-nodes",
    "ownership-keys",
    "healthy-routines",
)
CAUSES = frozenset(causes())
LABELLED = [*cases("dev"), *cases("holdout")]
HEALTHY = list(cases("healthy"))


def _same(name, folder) -> None:
    made = set()
    for case in make(ALL[name], SEED, rounds(name) * len(ALL[name].plots)):
        write_case(case, folder)
    split = splits()[name]
    frozen = CASES / FOLDERS[split] / name
    for path in folder.iterdir():
        assert path.read_bytes() == (frozen / path.name).read_bytes(), path.name
        made.add(path.name)
    assert made == {path.name for path in frozen.iterdir()}, name


@pytest.mark.parametrize("name", FEW)
def test_the_same_seed_gives_the_same_files(name, tmp_path) -> None:
    _same(name, tmp_path)


def _same_held_out(name, folder) -> None:
    hold_out(folder, name)
    made = folder / "diagnosis" / "holdout" / name
    frozen = CASES / FOLDERS["holdout"] / name
    assert {path.name for path in made.iterdir()} == {path.name for path in frozen.iterdir()}
    for path in made.iterdir():
        assert path.read_bytes() == (frozen / path.name).read_bytes(), path.name


@pytest.mark.parametrize("name", [name for name in FEW if splits()[name] == "dev"])
def test_the_holdout_is_as_frozen(name, tmp_path) -> None:
    _same_held_out(name, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize(
    "name", sorted(name for name in splits() if name not in FEW and splits()[name] == "dev")
)
def test_all_of_the_holdout_is_as_frozen(name, tmp_path) -> None:
    _same_held_out(name, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("name", sorted(set(splits()) - set(FEW)))
def test_every_family_is_as_frozen(name, tmp_path) -> None:
    _same(name, tmp_path)


def test_another_seed_gives_other_traffic() -> None:
    one, other = (next(make(ALL["s3-objects"], seed, 1)) for seed in (1, 2))
    assert [part.request.url for part in one.tapes[0].exchanges] != [
        part.request.url for part in other.tapes[0].exchanges
    ]


def test_every_family_has_a_split_and_a_reason() -> None:
    from tools.simulation.families import table

    assert set(table()) == set(ALL)
    assert all(len(str(entry["reason"])) > 10 for entry in table().values())
    assert set(splits().values()) == {"dev", "healthy"}
    assert sum(split == "dev" for split in splits().values()) >= 48


def test_there_are_enough_cases_of_every_cause_in_both_halves() -> None:
    assert len(LABELLED) >= 400
    assert len(HEALTHY) >= 220
    seen = defaultdict(list)
    for one in LABELLED:
        seen[one.cause].append(one)
    healed = seen.pop("none")
    assert all((one.outcome, one.alone[0]) == ("recovered", "none") for one in healed)
    assert set(seen) == CAUSES
    for cause, found in seen.items():
        halves = [sum(f"/{half}/" in one.files[0].as_posix() for one in found) for half in ("dev", "holdout")]
        assert halves[0] >= 4, (cause, halves)
        assert halves[1] >= 1, (cause, halves)
        assert any(len(one.files) > 1 for one in found), cause


def test_a_conflict_with_another_writer_that_was_healed_is_benign() -> None:
    healed = [one for one in LABELLED if one.outcome == "recovered" and "other-writer" in one.alone]
    assert len(healed) >= 12
    assert {one.cause for one in healed} == {"none"}


def test_every_dialect_is_covered() -> None:
    known = {skin.id for skin in dialects.every()}
    assert {one.dialect for one in LABELLED} == known


@cache
def _statuses(path):
    log = json.loads(path.read_text())["log"]
    return [entry["response"]["status"] for entry in log["entries"]]


def test_labels_name_their_files_and_what_is_in_them() -> None:
    for split, folder in FOLDERS.items():
        for path in (CASES / folder).glob("*/*.label.json"):
            label = json.loads(path.read_text())
            stem = path.name.removesuffix(".label.json")
            assert label["id"] == stem
            assert label["family"] == path.parent.name
            assert splits()[label["family"]] == ("dev" if split == "holdout" else split)
            named = set()
            for entry in label["files"].values():
                assert _statuses(path.parent / entry["har"]) == entry["statuses"], entry["har"]
                assert entry["entries"] == len(entry["statuses"])
                named |= {entry["har"], entry.get("curl_v", entry["har"])}
            there = {other.name for other in path.parent.glob(f"{stem}.*")} - {path.name}
            assert named == there, stem


def test_labels_are_honest() -> None:
    """The client's file supports the cause, or shows nothing at all; causes are of the catalogue."""
    for one in LABELLED:
        assert one.cause in one.alone, one.id
        assert set(one.alone) - {"none"} <= CAUSES, one.id
        assert set(one.also) <= CAUSES, one.id
        assert one.cause not in one.also, one.id
        assert len(set(one.alone)) == len(one.alone), one.id
        if one.cause == "none":
            # A conflict that its client healed: docs/decisions/007.
            assert one.alone[:2] == ("none", "other-writer"), one.id
            assert "other-writer" in one.also, one.id
            assert {409, 412} & set(_statuses(one.files[0])), one.id
        elif one.alone[0] == "none":
            statuses = _statuses(one.files[0])
            assert not {400, 409, 412, 423, 428, 500, 501} & set(statuses), one.id
            assert one.outcome == "lost-update", one.id
        elif one.outcome.isdigit():
            inside = f'\\"status\\": {one.outcome}' in one.files[0].read_text()
            assert inside or int(one.outcome) in _statuses(one.files[0]), one.id
    for one in HEALTHY:
        assert one.alone[0] == "none", one.id
        assert one.also or not {412, 428} & set(_statuses(one.files[0])), one.id


def test_every_file_is_read_without_a_warning() -> None:
    for one in [*LABELLED, *HEALTHY][::5]:
        for path in one.files:
            assert not capture(path).warnings, path.name
            assert len(capture(path).exchanges) == len(_statuses(path))


def test_curl_text_says_what_the_har_says() -> None:
    texts = sorted((CASES / "diagnosis").glob("*/*/*.client.curl.txt"))
    assert len(texts) >= 12
    for path in texts:
        with path.open("rb") as stream:
            told = read(stream, path.name)
        har = path.with_name(path.name.replace(".curl.txt", ".har"))
        assert [one.status for one in told.exchanges] == _statuses(har), path.name


def test_no_file_names_a_machine() -> None:
    for path in (CASES / "diagnosis").rglob("*.har"):
        text = path.read_text()
        assert "/tmp/" not in text, path.name  # noqa: S108 - looked for, not used
        assert "/work/" not in text.replace("/anna/work/", ""), path.name


def test_the_corpus_stays_small() -> None:
    for name, limit in (("diagnosis", 19), ("healthy", 6)):
        size = sum(path.stat().st_size for path in (CASES / name).rglob("*") if path.is_file())
        assert size <= limit * 1_000_000, (name, size)


def test_the_world_knows_nothing_of_the_rules() -> None:
    root = pathlib.Path(__file__).parents[2] / "tools" / "simulation"
    for path in root.rglob("*.py"):
        if path.name == "score.py":
            continue
        assert "ifmatch.diagnosis" not in path.read_text(), path.name
