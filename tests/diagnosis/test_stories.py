"""Small stories for every cause and its look-alikes: the evidence in general, not one server's quirks."""

from __future__ import annotations

import json
import pathlib

import pytest
from recordings import first
from stories_reader import stories

from ifmatch.diagnosis import diagnose, rules

STORIES = stories()
VIEWS = [(story, view) for story in STORIES for view in story.different_views]


@pytest.mark.parametrize(
    ("story", "view"), VIEWS, ids=lambda one: getattr(one, "name", one).replace(" ", "-")
)
def test_story(story, view) -> None:
    diagnosis = diagnose(story.captures(view))
    cause, likelihood = first(diagnosis)
    wanted = story.wanted(view)
    assert cause in wanted, (story.file, likelihood)
    assert cause not in story.never
    if view == "all" and "outcome" in story.expected and diagnosis.incidents:
        assert str(diagnosis.incidents[0].outcome) == story.expected["outcome"]
    if view == "all" and "each" in story.expected:
        told = sorted(incident.findings[0].cause for incident in diagnosis.incidents)
        assert told == sorted(part.strip() for part in story.expected["each"].split(","))


def test_every_rule_has_a_story_and_a_look_alike() -> None:
    folder = pathlib.Path(rules.__file__).parent
    names = {path.stem.replace("_", "-") for path in folder.glob("[a-z]*.py")}
    dialects = json.loads((pathlib.Path(__file__).parent / "dialect_stories.json").read_text("utf-8"))
    told = {one["cause"] for one in dialects}
    told |= {wanted[0] for story, view in VIEWS if len(wanted := story.wanted(view)) == 1}
    # Its stories have no incident at all.
    assert names - told == {"expected-control-flow"}
    assert not names - {cause for story in STORIES for cause in story.never}


def test_a_write_that_passes_with_the_served_time_makes_the_zone_sure() -> None:
    told = next(
        story for story in STORIES if story.name == "the time of a revision in local time, labelled Z"
    )
    cause, likelihood = first(diagnose(told.captures("all")))
    assert cause == "timezone-error"
    assert likelihood > 0.75


def test_a_time_that_lost_its_fraction_is_a_damaged_token_as_well() -> None:
    told = next(story for story in STORIES if story.name.startswith("a time in the content, without the fr"))
    causes = [one.cause for one in diagnose(told.captures("all")).incidents[0].findings]
    assert causes[:2] == ["date-precision", "malformed-validator"]
