"""What is said and advised fits the request: a read is no write, an accepted one was not refused."""

from __future__ import annotations

import pytest
from stories_reader import stories

from ifmatch.diagnosis import diagnose
from ifmatch.model import catalogue

STORIES = {story.name: story for story in stories()}


def first_finding(name):
    return diagnose(STORIES[name].captures("all")).incidents[0].findings[0]


@pytest.mark.parametrize(
    ("name", "of_reads"),
    [
        ("a service that never heeds If-None-Match on reads", True),
        ("stale token accepted, one after the other", False),
    ],
)
def test_fixes_are_for_the_kind_of_request(name, of_reads) -> None:
    finding = first_finding(name)
    wanted = [fix.title for fix in catalogue.cause(finding.cause).fixes if fix.of_reads == of_reads]
    assert wanted
    assert [fix.title for fix in finding.fixes] == wanted


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("star refused on an existing thing", "refused"),
        ("a tag that stays the same over another's change", "answered"),
        ("the star on a read, which tags get a 304 for", "answered"),
    ],
)
def test_what_was_accepted_is_not_called_refused(name, said) -> None:
    words = first_finding(name).summary.split()
    assert {"refused", "answered"} & set(words) == {said}
