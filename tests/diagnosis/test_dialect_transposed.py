"""Causes are causes in every API family's language: stories of ETag told again in each that is known.

`dialect_damages.toml` and `dialect_refusals.toml` hold the families' forms, `dialect_untold.py` says which
stories cannot be told where.
"""

from __future__ import annotations

import pytest
from dialect_transposing import TONGUES
from dialect_untold import OWN_TABLES, WITHOUT, untold
from recordings import first
from test_transposed import BESIDE, STORIES

from ifmatch.diagnosis import diagnose
from ifmatch.dialects import Scope, built_in, dialect
from stories_reader import stories

# A day's tests tell every so-many-th story in each family, each family beginning with another one.
EVERY = 16
_MISREAD = {200, 207, 400, 422, 428, 500}
_SURE = 0.75
_LARGER = {Scope.COLLECTION, Scope.LIBRARY, Scope.BRANCH}


def told(tongue, every):
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
    family = dialect(tongue.name)
    if family is not None and family.scope in _LARGER and "unstable-etag" in wanted:
        # Where one token counts for many things, it moves although this one stays as it is.
        wanted.add("coarse-token-scope")
    return cause, likelihood, cause in wanted
