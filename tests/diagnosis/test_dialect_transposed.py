"""Causes are causes in every API family's language: stories of ETag told again in each that is known.

`dialect_damages.toml` and `dialect_refusals.toml` hold the families' forms, `dialect_untold.py` says which
stories cannot be told where.
"""

from __future__ import annotations

import pytest
from dialect_transposing import TONGUES
from dialect_untold import untold
from recordings import first
from test_transposed import BESIDE, STORIES

from ifmatch.diagnosis import diagnose
from ifmatch.dialects import built_in

# A day's tests tell every so-many-th story in each family, each family beginning with another one.
EVERY = 12
# Families without a precondition that a story could carry.
WITHOUT = {
    "google-dns": "a change names the records that it deletes: there are no versions",
    "paddle": "there are no versions",
    "route53": "a change names the records that it deletes: there are no versions",
    "terraform-http": "there are locks, no versions",
    "rfc9110": "the language that the stories are told in",
}
_MISREAD = {200, 207, 400, 422, 428, 500}
_SURE = 0.75


def told(tongue, every=1):
    """Return the stories that can be told in a family's language, every so-many-th of them."""
    start = sum(map(ord, tongue.name)) % every
    return [
        (story, view)
        for story, view in STORIES[start::every]
        if not untold(story, story.captures(view), tongue)
    ]


def judged(tongue, story, view):
    """Return the first cause of a story in a family's language, its likelihood, and whether it is right."""
    cause, likelihood = first(diagnose(tongue.captures(story.captures(view))))
    wanted = set(story.wanted(view))
    for one in tuple(wanted):
        wanted |= BESIDE.get(one, set())
    if tongue.status in _MISREAD and "none" not in wanted:
        # Who knows a conflict by 409 and 412 alone takes it for success, or for a mistake in the request.
        wanted.add("status-dialect-mismatch")
    return cause, likelihood, cause in wanted
