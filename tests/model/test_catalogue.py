"""The catalogue of causes: complete, in plain words, with fixes that can be copied."""

from __future__ import annotations

import json
import pathlib
import re
import shlex

import pytest

from ifmatch.diagnosis.rules import ALL_RULES
from ifmatch.model.catalogue import causes, families
from ifmatch.model.catalogue.topics import topics

ROOT = pathlib.Path(__file__).parents[2]
CAUSES = list(causes().values())
RFC = re.compile(r"RFC \d{4} section \d+(\.\d+)*")
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def test_there_are_fifty_causes_in_ten_families() -> None:
    assert len(CAUSES) == 50
    assert len(families()) == len({cause.family for cause in CAUSES}) == 10


def test_every_rule_is_of_a_known_cause_and_every_cause_has_one() -> None:
    assert {rule.cause for rule in ALL_RULES} <= set(causes())
    assert set(causes()) - {rule.cause for rule in ALL_RULES} <= {"expected-control-flow"}


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.id)
class TestRecord:
    def test_has_a_headline_prose_and_a_fix(self, cause) -> None:
        assert cause.title
        assert not cause.title.endswith(".")
        assert len(cause.prose) > 150
        assert cause.fixes
        assert all(fix.title and not fix.title.endswith(".") for fix in cause.fixes)

    def test_cites_sections_that_are_in_force(self, cause) -> None:
        assert not cause.rfc or RFC.fullmatch(cause.rfc)
        assert not re.search(r"RFC ?(?:2616|723[0-5])", cause.prose + cause.definition)

    def test_commands_can_be_copied(self, cause) -> None:
        for text in (text for fix in cause.fixes for text in (fix.command, fix.verify) if text):
            known = {"url", "method", "token", "http_code", "redirect_url", "EDITOR"}
            assert set(PLACEHOLDER.findall(text)) <= known
            if text.startswith("curl"):
                assert shlex.split(text)
                assert "Bearer " not in text

    def test_the_first_fix_is_no_harder_than_the_cause_says(self, cause) -> None:
        rank = ["easy", "medium", "hard"]
        easiest = min(rank.index(fix.difficulty.value) for fix in cause.fixes)
        assert easiest <= rank.index(cause.difficulty.value)

    def test_a_repair_that_is_forbidden_is_offered_by_no_client_fix_as_allowed(self, cause) -> None:
        if cause.repair.repair.value == "forbidden":
            assert not [fix.title for fix in cause.fixes if fix.repair.value == "allowed"]

    def test_what_it_is_confused_with_exists(self, cause) -> None:
        ids = [name for name in cause.confused_with if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name)]
        assert set(ids) <= set(causes())

    def test_has_a_page(self, cause) -> None:
        assert (ROOT / "docs" / "causes" / f"{cause.id}.md").read_text().startswith(f"# {cause.title}")


def test_topics_lead_to_what_exists() -> None:
    known = {*causes(), *topics()}
    assert {
        f"{topic.id} -> {name}" for topic in topics().values() for name in topic.see if name not in known
    } == set()


def test_names_of_topics_are_unique() -> None:
    names = [name.lower() for topic in topics().values() for name in (topic.id, *topic.aliases)]
    assert sorted(names) == sorted(set(names))


def test_the_records_are_written_the_same_way_each_time() -> None:
    for name in ("causes.json", "topics.json"):
        text = (ROOT / "src" / "ifmatch" / "model" / "catalogue" / name).read_text()
        assert json.loads(text)
        assert "\t" not in text
