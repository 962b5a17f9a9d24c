"""Causes are causes wherever the version travels: stories of ETag told again with it elsewhere."""

from __future__ import annotations

import pytest
from recordings import first
from stories_reader import stories
from transposing import CARRIERS, can_be_told

from ifmatch.diagnosis import diagnose

# What is about 412 itself, about the form of entity tags, or about fields of HTTP cannot be told elsewhere.
OF_HTTP = {
    "nonprecondition-412",
    "cors-hidden-etag",
    "cache-misevaluates",
    "etag-suffix-rewrite",
    "etag-weakened",
    "weak-only-origin",
    "validator-stripped",
}
STORIES = [
    (story, view)
    for story in stories()
    for view in story.views
    if story.wanted(view)[0] not in OF_HTTP and can_be_told(story.captures(view))
]
# What a refusal in an API's own words may be called besides, where the story says no more than that.
_BESIDE = {
    "other-writer": {"status-dialect-mismatch"},
    # A record that is sent back whole carries its version as it carries all else.
    "precondition-ignored": {"unconditional-write"},
    "check-then-write-race": {"unconditional-write"},
    "malformed-validator": {"payload-precondition-mismatch"},
}
# Share of the stories that keep their cause; what loses it is about the form of entity tags, mostly.
FLOORS_ = {
    "a member of the body, 409": 0.85,
    "a parameter, 409": 0.89,
    "the path, 409": 0.86,
    "two fields, 409": 0.9,
    "a member, 200 with an error": 0.87,
    "a parameter, 400": 0.88,
}
# What has nothing to do with the form of a tag has to stay what it is, wherever the version stands.
KEPT = {
    "stale-stored-token",
    "retry-reuses-failed-token",
    "self-race",
    "other-writer",
    "lost-response-replay",
    "intermediary-replay",
    "replica-lag",
    "stale-cache-read",
    "server-side-mutation",
}
# Stories that say too little without the fields of HTTP: 404 to a deletion.
SILENT = {"DELETE answered by nobody, then not found"}
# Wrong at high: each is another reading of a story that says less without the fields of HTTP.
HIGH = 11
_PLACES = ("a parameter, 409", "the path, 409", "two fields, 409", "a member of the body, 409")


_KNOWN: dict[tuple[str, str, str, str], tuple[str, float, bool]] = {}


def found(story, view, carrier):
    """Return the first cause of a story whose versions stand elsewhere, and whether it is right."""
    key = (story.file, story.name, view, carrier)
    if key not in _KNOWN:
        _KNOWN[key] = _judged(story, view, carrier)
    return _KNOWN[key]


def _judged(story, view, carrier):
    cause, likelihood = first(diagnose(CARRIERS[carrier].captures(story.captures(view))))
    wanted = set(story.wanted(view))
    for one in tuple(wanted):
        wanted |= _BESIDE.get(one, set())
    if CARRIERS[carrier].status in {200, 207, 400, 422, 428, 500} and "none" not in wanted:
        # Who knows a conflict by 409 and 412 alone takes it for success, or for a mistake in the request.
        wanted.add("status-dialect-mismatch")
    return cause, likelihood, cause in wanted


@pytest.mark.parametrize("carrier", CARRIERS)
def test_share_that_keeps_its_cause(carrier) -> None:
    told = [found(story, view, carrier) for story, view in STORIES]
    kept = sum(right for _, _, right in told)
    assert len(told) > 200
    assert kept >= 0.85 * len(told), (kept, len(told))
    sure = [cause for cause, likelihood, right in told if not right and likelihood >= 0.9]
    assert len(sure) <= HIGH, sure


@pytest.mark.parametrize("cause", sorted(KEPT))
@pytest.mark.parametrize("carrier", _PLACES)
def test_nothing_of_a_cause_is_lost(cause, carrier) -> None:
    told = [(story, view) for story, view in STORIES if story.wanted(view)[0] == cause]
    lost = [story.name for story, view in told if not found(story, view, carrier)[2]]
    assert told
    assert set(lost) <= SILENT
